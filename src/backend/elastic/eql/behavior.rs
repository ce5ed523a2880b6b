//! Turns behaviours into event queries and sequences.
//!
//! A sequence reports each start once, at its earliest end, which is what a chain of the language means; `with runs`
//! reports every instant that closes the window. Keys are guarded in every term, so that events without them take no part.

use super::ast::{Expression, Sequence, Statement};
use crate::backend::elastic::options::Options;
use crate::backend::{ReasonCode, Request, Verdict};
use crate::ir::{Behavior, Predicate, SignalId, Value};
use crate::schema::{Clock, Duration};
use crate::source::{Span, Spanned};

/// Said of windows over sources whose clock is finer than the index's.
const MILLISECONDS: &str = "windows are measured in whole milliseconds, since an index keeps no finer times";

/// Lowers a detection; reasons are added to `verdict`, the statement is of use only where none of them is unsupported.
pub fn lower(request: &Request<'_>, options: &Options, verdict: &mut Verdict) -> Option<Statement> {
    let behavior = &request.detection.stage.behavior;
    let mut builder = Builder { request, options, verdict };
    builder.refuse_frame();
    match &behavior.node {
        Behavior::Event { signals } => builder.events(signals, &[]),
        Behavior::Count { signal, at_least, window, .. } => builder.count(*signal, *at_least, window.node),
        Behavior::Distinct { .. } => builder.distinct(behavior.span),
        Behavior::Sequence(sequence) => builder.sequence(sequence),
        Behavior::Aggregation(_) => builder.refuse(
            behavior.span,
            "EQL knows no aggregate but a count; use `count(..) >= n within ..`, or another target",
        ),
        Behavior::Group(_) => {
            builder.refuse(behavior.span, "EQL knows no group without an order; use a sequence, or another target")
        }
        Behavior::Rare(_) => {
            builder.refuse(behavior.span, "EQL does not know what was seen before; use another target")
        }
        Behavior::Baseline(_) => {
            builder.refuse(behavior.span, "EQL compares no buckets; use `count(..) >= n within ..`, or another target")
        }
        Behavior::Travel(_) => builder.refuse(behavior.span, "EQL cannot locate addresses; use another target"),
    }
}

/// Lowers one detection.
pub struct Builder<'a> {
    pub(super) request: &'a Request<'a>,
    pub(super) options: &'a Options,
    pub(super) verdict: &'a mut Verdict,
}

impl Builder<'_> {
    /// Records what stands around the behaviour and has no counterpart: signals made of hits, and a filter of hits.
    fn refuse_frame(&mut self) {
        let stage = &self.request.detection.stage;
        for signal in stage.signals.iter().filter(|signal| signal.stage.is_some()) {
            let message = format!(
                "`{}` is made of hits, which EQL cannot look at; write its events as a signal of their own, or use \
                 another target",
                signal.name.node
            );
            self.verdict.add(ReasonCode::UnsupportedBehavior, signal.name.span, message);
        }
        let filter = &self.request.detection.filter;
        if filter.node != Predicate::Constant(true) {
            self.verdict.add(
                ReasonCode::UnsupportedBehavior,
                filter.span,
                "EQL cannot filter finished hits; let the exception name signals of events, or use another target",
            );
        }
    }

    fn refuse(&mut self, span: Span, message: &str) -> Option<Statement> {
        self.verdict.add(ReasonCode::UnsupportedBehavior, span, message);
        None
    }

    /// The events of any of the signals; an event of several is one event.
    fn events(&mut self, signals: &[SignalId], keys: &[Spanned<Value>]) -> Option<Statement> {
        let filters: Vec<_> = signals.iter().map(|signal| self.filter(*signal, keys, &[])).collect();
        let filters: Vec<_> = filters.into_iter().collect::<Option<_>>()?;
        Some(Statement::Event(Expression::any(filters.into_iter().map(|(filter, _)| filter))))
    }

    fn count(&mut self, id: SignalId, at_least: Spanned<u64>, window: Duration) -> Option<Statement> {
        let keys = self.request.detection.stage.signal(id)?.keys.clone();
        if at_least.node <= 1 {
            return self.events(&[id], &keys);
        }
        self.measures_time();
        let term = self.term(id, &[], at_least)?;
        let keys = term.fields();
        Some(Statement::Sequence(Sequence { keys, maxspan: window, terms: vec![term.into_term(true)], until: None }))
    }

    /// Looks at the filter all the same, so that every obstacle is named at once.
    fn distinct(&mut self, span: Span) -> Option<Statement> {
        self.verdict.add(
            ReasonCode::UnsupportedBehavior,
            span,
            "EQL cannot count different values; use `count`, or another target",
        );
        for id in self.request.detection.stage.behavior.node.signals() {
            let keys = self.request.detection.stage.signal(id)?.keys.clone();
            self.filter(id, &keys, &[]);
        }
        None
    }

    pub(super) fn measures_time(&mut self) {
        if self.request.detection.sources().iter().any(|source| source.clock == Clock::Finer) {
            self.verdict.assume(MILLISECONDS);
        }
    }
}
