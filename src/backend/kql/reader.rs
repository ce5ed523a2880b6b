//! Reads the events of one source: what a lowering needs to know about it, and what it found out.

use super::ast::{Expr, Stage};
use crate::backend::{ReasonCode, Request, Verdict};
use crate::ir::{Predicate, SignalId, Value};
use crate::schema::Source;
use crate::schema::mapping::FieldMap;
use crate::source::{Span, Spanned};

/// What is common to the lowering of one detection.
#[derive(Debug)]
pub(super) struct Context<'a> {
    /// The request.
    pub(super) request: Request<'a>,
    /// What has been found out about the query.
    pub(super) verdict: Verdict,
    /// Number of helper columns so far.
    pub(super) helpers: usize,
}

/// The lowering of expressions over the events of one source.
#[derive(Debug)]
pub(super) struct Reader<'c, 'a> {
    /// What is common to the detection.
    pub(super) context: &'c mut Context<'a>,
    /// Where the source's fields are on the target.
    pub(super) map: &'a FieldMap,
    /// The source.
    pub(super) source: &'a Source,
    /// The clause that is being lowered.
    pub(super) span: Span,
    /// Operators that compute helper columns; they stand before the one that uses them.
    pub(super) helpers: Vec<Stage>,
    /// Whether the clause that is being lowered uses a helper column.
    pub(super) helped: bool,
    /// Picked elements that have helper columns already.
    pub(super) picked: Vec<(Value, Expr)>,
    /// Variables of the lists around, with the columns that hold the elements.
    pub(super) items: Vec<(String, String)>,
}

impl<'c, 'a> Reader<'c, 'a> {
    /// A reader of the events of a signal's source; a reason where the target does not carry it.
    pub(super) fn of_signal(context: &'c mut Context<'a>, id: SignalId) -> Option<Self> {
        let signal = context.request.detection.stage.signal(id)?;
        let span = signal.name.span;
        let Some(map) = context.request.target.maps.get(&signal.source.name) else {
            let target = &context.request.target.name;
            let message = format!("target `{target}` has no field map for source `{}`", signal.source.name);
            context.verdict.add(ReasonCode::MissingSource, span, message);
            return None;
        };
        if map.place("table").is_none() {
            let target = &context.request.target.name;
            let message = format!("target `{target}` names no table for source `{}`", signal.source.name);
            context.verdict.add(ReasonCode::MissingSource, span, message);
            return None;
        }
        Some(Self {
            map,
            source: &signal.source,
            span,
            helpers: Vec::new(),
            helped: false,
            picked: Vec::new(),
            items: Vec::new(),
            context,
        })
    }

    /// Notes why the detection has no query.
    pub(super) fn refuse(&mut self, code: ReasonCode, message: impl Into<String>) {
        self.context.verdict.add(code, self.span, message);
    }

    /// A name for a helper column.
    pub(super) fn helper(&mut self, what: &str) -> String {
        self.context.helpers += 1;
        format!("detc_{what}_{}", self.context.helpers)
    }

    /// The column that holds the element of a list around.
    pub(super) fn item(&self, variable: &str) -> Option<String> {
        self.items.iter().rev().find(|(name, _)| name == variable).map(|(_, column)| column.clone())
    }

    /// The operators that keep the events of a predicate; conditions without helper columns stand first.
    pub(super) fn filter(&mut self, predicate: &Spanned<Predicate>) -> Vec<Stage> {
        let (mut direct, mut helped) = (Vec::new(), Vec::new());
        for conjunct in conjuncts(predicate) {
            self.helped = false;
            let condition = self.predicate(conjunct, true).expr;
            let conditions = if self.helped { &mut helped } else { &mut direct };
            conditions.push(condition);
        }
        let stages = |conditions: Vec<Expr>| {
            let keep = conditions.into_iter().filter(|condition| *condition != Expr::Bool(true));
            keep.map(Stage::Where).collect::<Vec<Stage>>()
        };
        let mut all = stages(direct);
        all.append(&mut self.helpers);
        all.extend(stages(helped));
        all
    }
}

/// The conditions that all have to hold.
pub(super) fn conjuncts(predicate: &Spanned<Predicate>) -> Vec<&Spanned<Predicate>> {
    if let Predicate::And(parts) = &predicate.node {
        parts.iter().flat_map(conjuncts).collect()
    } else {
        vec![predicate]
    }
}
