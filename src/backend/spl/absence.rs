//! What must not happen around a chain: before it, between its steps, until its end and behind it.
//!
//! Never looks at an absent event twice: each place carries the newest (behind the chain: the next) instant that has one.

use super::ast::{Aggregate, AggregateFunction, Arithmetic, Comparison, EvalExpr, Function, SortKey, Stage};
use super::columns::Shown;
use super::context::Context;
use super::read::{Head, TIME, is_set};
use crate::backend::ReasonCode;
use crate::ir::{Absence, Sequence, SignalId};
use crate::plan::{Chain, Conditions};

/// What must not happen around a chain, as columns of its instants.
#[derive(Debug, Clone, Default)]
pub(super) struct Around {
    /// The signals whose events are counted for it, each once.
    signals: Vec<SignalId>,
    /// Signal that may not come in the window before the start.
    leading: Option<SignalId>,
    /// Signal that may not come strictly inside.
    until: Option<SignalId>,
    /// Signals that may not come between a link (from 1) and the next one.
    middle: Vec<(usize, SignalId)>,
    /// Signal that may not come between the end and the window's end.
    trailing: Option<SignalId>,
}

impl Context<'_> {
    /// Instants that close a chain, or at which the wait behind it is over.
    pub(super) fn sequence(&mut self, head: &mut Head, sequence: &Sequence, chain: &Chain<'_>, shown: &mut Shown) {
        let mut chain = chain.clone();
        let steps: Vec<SignalId> = chain.links.iter().map(|link| link.signal).collect();
        if sequence.is_plain() {
            self.chain(head, &chain, &Around::default(), shown);
            return;
        }
        for condition in &sequence.conditions {
            let message = "conditions between steps can be `==` on one value of all steps, or a single `!=`";
            self.refuse(ReasonCode::UnsupportedRelation, condition.span, message);
        }
        if !matches!(chain.conditions, Conditions::Free) {
            for relation in &sequence.relations {
                let message = "a condition between steps cannot stand beside `no` or `until`; \
                               where it is an equality, write the value behind `by`";
                self.refuse(ReasonCode::UnsupportedRelation, relation.span, message);
            }
            return;
        }
        let before = |absence: &Absence| chain.links.iter().filter(|link| link.step < absence.before).count();
        let mut around = Around {
            signals: Vec::new(),
            leading: sequence.leading().map(|absence| absence.signal),
            until: sequence.until.as_ref().map(|until| until.node),
            middle: sequence.middle().map(|absence| (before(absence), absence.signal)).collect(),
            trailing: sequence.trailing().map(|absence| absence.signal),
        };
        for signal in around.all() {
            if !around.signals.contains(&signal) {
                around.signals.push(signal);
            }
        }
        self.starts(head, &mut chain, around.until);
        chain.overlaps.retain(|(one, other)| {
            let is_step = |signal: &SignalId| chain.links.iter().any(|link| link.signal == *signal);
            is_step(one) && is_step(other)
        });
        debug_assert_eq!(steps.len(), chain.links.len(), "the chain keeps its links");
        self.chain(head, &chain, &around, shown);
    }

    /// An event that ends chains starts none: the first link gets a signal of its own where one event could be both.
    fn starts(&mut self, head: &mut Head, chain: &mut Chain<'_>, until: Option<SignalId>) {
        let Some(until) = until else { return };
        let Some(first) = chain.links.first().map(|link| link.signal) else { return };
        if first != until && !chain.overlaps.contains(&(first.min(until), first.max(until))) {
            return;
        }
        let start = SignalId(self.stage.signals.len());
        let overlapping = |id: SignalId| chain.overlaps.contains(&(first.min(id), first.max(id))) || id == first;
        let meets: Vec<SignalId> =
            chain.links.iter().map(|link| link.signal).filter(|signal| overlapping(*signal)).collect();
        chain.overlaps.extend(meets.into_iter().map(|signal| (signal, start)));
        if let Some(link) = chain.links.first_mut() {
            link.signal = start;
        }
        let is = |signal: SignalId| if head.flagged { is_set(&self.flag(signal)) } else { EvalExpr::constant(true) };
        let starting = EvalExpr::all(vec![is(first), EvalExpr::unless(is(until))]);
        let flag = self.flag(start);
        head.search.stages.extend(self.take_helpers());
        head.set(&flag, EvalExpr::choose(starting, EvalExpr::Integer(1), EvalExpr::Integer(0)));
    }
}

impl Around {
    /// Every absent signal, place by place.
    fn all(&self) -> Vec<SignalId> {
        let middle = self.middle.iter().map(|(_, signal)| *signal);
        [self.leading, self.until, self.trailing].into_iter().flatten().chain(middle).collect()
    }

    /// The signals whose events are counted besides those of the chain.
    pub(super) fn signals(&self) -> &[SignalId] {
        &self.signals
    }

    /// Whether a wait follows the chain.
    pub(super) const fn waits(&self) -> bool {
        self.trailing.is_some()
    }

    /// Carries the newest earlier instant of each signal that may not come before, between or until.
    pub(super) fn carry(&self, head: &mut Head, context: &Context<'_>) {
        let mut signals: Vec<SignalId> = Vec::new();
        let middle = self.middle.iter().map(|(_, signal)| *signal);
        for signal in [self.leading, self.until].into_iter().flatten().chain(middle) {
            if !signals.contains(&signal) {
                signals.push(signal);
            }
        }
        if signals.is_empty() {
            return;
        }
        let mut times = Vec::new();
        let mut newest = Vec::new();
        for signal in signals {
            let label = context.label(signal);
            let there = EvalExpr::compare(
                EvalExpr::derived(format!("detc_n_{label}")),
                Comparison::GreaterOrEqual,
                EvalExpr::Integer(1),
            );
            let time = format!("detc_t_{label}");
            times.push((time.clone(), EvalExpr::only_if(there, EvalExpr::derived(TIME))));
            newest.push(Aggregate::of(AggregateFunction::Max, &time, &format!("detc_l_{label}")));
        }
        head.push(Stage::Eval(times));
        head.push(Stage::StreamStats { window: None, current: false, aggregates: newest, by: head.keys.clone() });
    }

    /// The condition that a chain may start at this instant.
    pub(super) fn may_start(&self, window: &EvalExpr, context: &Context<'_>) -> Option<EvalExpr> {
        let last = newest(self.leading?, context);
        let since = EvalExpr::arithmetic(EvalExpr::derived(TIME), Arithmetic::Minus, last.clone());
        let long_ago = EvalExpr::compare(since, Comparison::Greater, window.clone());
        Some(EvalExpr::any(vec![EvalExpr::call(Function::IsNull, last), long_ago]))
    }

    /// The condition that a chain may go on at this instant behind a link (from 1).
    pub(super) fn may_follow(&self, link: usize, context: &Context<'_>) -> Vec<EvalExpr> {
        let here = self.middle.iter().filter(|(before, _)| *before == link);
        here.map(|(_, signal)| not_since(*signal, &format!("detc_r{link}"), context)).collect()
    }

    /// Whether the newest instant of a link has to be carried.
    pub(super) fn follows(&self, link: usize) -> bool {
        self.middle.iter().any(|(before, _)| *before == link)
    }

    /// The condition that nothing ended the chain since its start.
    pub(super) fn not_ended(&self, start: &str, context: &Context<'_>) -> Option<EvalExpr> {
        Some(not_since(self.until?, start, context))
    }

    /// Keeps the chains behind which nothing came until the window's end, and moves them there.
    ///
    /// Of the chains with one start the first counts, which `once_per_start` finds elsewhere by `stats`.
    pub(super) fn wait(&self, head: &mut Head, start: &str, links: usize, window: &EvalExpr, context: &Context<'_>) {
        let Some(trailing) = self.trailing else { return };
        let column = |name: &str| EvalExpr::derived(name);
        let mut conditions = vec![EvalExpr::call(Function::IsNotNull, column(start))];
        if links > 1 {
            head.push(Stage::StreamStats {
                window: None,
                current: false,
                aggregates: vec![Aggregate::of(AggregateFunction::Max, TIME, "detc_seen")],
                by: head.by(&[start]),
            });
            conditions.push(EvalExpr::call(Function::IsNull, column("detc_seen")));
        }
        let there = EvalExpr::compare(
            column(&format!("detc_n_{}", context.label(trailing))),
            Comparison::GreaterOrEqual,
            EvalExpr::Integer(1),
        );
        head.push(Stage::Sort(vec![SortKey::up(TIME).reversed()]));
        head.set("detc_no", EvalExpr::only_if(there, column(TIME)));
        head.push(Stage::StreamStats {
            window: None,
            current: false,
            aggregates: vec![Aggregate::of(AggregateFunction::Min, "detc_no", "detc_next")],
            by: head.keys.clone(),
        });
        let until = EvalExpr::arithmetic(column("detc_next"), Arithmetic::Minus, column(start));
        conditions.push(EvalExpr::any(vec![
            EvalExpr::call(Function::IsNull, column("detc_next")),
            EvalExpr::compare(until, Comparison::Greater, window.clone()),
        ]));
        head.keep(EvalExpr::all(conditions));
        head.set(TIME, EvalExpr::arithmetic(column(start), Arithmetic::Plus, window.clone()));
    }
}

/// The newest earlier instant of a signal.
fn newest(signal: SignalId, context: &Context<'_>) -> EvalExpr {
    EvalExpr::derived(format!("detc_l_{}", context.label(signal)))
}

fn not_since(signal: SignalId, start: &str, context: &Context<'_>) -> EvalExpr {
    let last = newest(signal, context);
    let before = EvalExpr::compare(last.clone(), Comparison::LessOrEqual, EvalExpr::derived(start));
    EvalExpr::any(vec![EvalExpr::call(Function::IsNull, last), before])
}
