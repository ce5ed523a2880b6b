//! Any event, and the n-th previous event for counts in a sliding window.

use super::ast::{Aggregate, AggregateFunction, Arithmetic, Comparison, EvalExpr, Name, SortKey, Stage};
use super::columns::Shown;
use super::context::Context;
use super::read::{Head, TIME, columns};
use crate::ir::SignalId;
use crate::schema::Duration;

/// The largest window in rows that the engine accepts (`max_stream_window`); a larger count is a running sum.
pub(super) const MOST_ROWS: u64 = 10_000;

impl Context<'_> {
    /// Each event is a hit.
    pub(super) fn any_event(&mut self, head: &mut Head, shown: &mut Shown) {
        if !head.timed {
            head.set(TIME, head.ticks.now());
        }
        self.newest(head);
        let mut assignments = Vec::new();
        if !self.outermost {
            let identity = self.identity_of(&self.stage.behavior.node.signals());
            assignments.push(("detc_id".to_owned(), identity));
            shown.identity = Some("detc_id".to_owned());
        }
        for (output, value) in self.event_columns(None, shown) {
            assignments.push((output.column.clone(), value));
            shown.outputs.push(output);
        }
        head.search.stages.extend(self.take_helpers());
        if !assignments.is_empty() {
            head.push(Stage::Eval(assignments));
        }
    }

    /// Instants at which the n-th event before, the closing one included, lies in the window closed at both ends.
    pub(super) fn nth(
        &mut self,
        head: &mut Head,
        signal: SignalId,
        at_least: u64,
        window: Duration,
        shown: &mut Shown,
    ) {
        let mut kept = head.by(&[TIME]);
        let mut assignments = Vec::new();
        for (output, value) in self.event_columns(None, shown) {
            assignments.push((output.column.clone(), value));
            kept.push(output.column.clone());
            shown.outputs.push(output);
        }
        let identity = self.identity(signal);
        if identity.is_some() || !assignments.is_empty() {
            shown.identity = Some("detc_id".to_owned());
            let text = identity.unwrap_or_else(|| EvalExpr::Name(Name::Source("_raw".to_owned())));
            assignments.insert(0, ("detc_id".to_owned(), text));
            kept.insert(kept.len() - shown.outputs.len(), "detc_id".to_owned());
        }
        head.search.stages.extend(self.take_helpers());
        let mut order = vec![SortKey::up(TIME)];
        if !assignments.is_empty() {
            order.push(SortKey::text_up("detc_id"));
            head.push(Stage::Eval(assignments));
        }
        head.push(columns(&kept));
        head.push(Stage::Sort(order.clone()));
        head.push(Stage::StreamStats {
            window: Some(at_least),
            current: true,
            aggregates: vec![Aggregate::count("detc_n"), Aggregate::of(AggregateFunction::Min, TIME, "detc_t0")],
            by: head.keys.clone(),
        });
        let age = EvalExpr::arithmetic(EvalExpr::derived(TIME), Arithmetic::Minus, EvalExpr::derived("detc_t0"));
        let count = i64::try_from(at_least).unwrap_or(i64::MAX);
        head.keep(EvalExpr::all(vec![
            EvalExpr::equal(EvalExpr::derived("detc_n"), EvalExpr::Integer(count)),
            EvalExpr::compare(age, Comparison::LessOrEqual, EvalExpr::Integer(head.ticks.span(window))),
        ]));
        // the event that sorts last stands for the instant
        head.push(Stage::Sort(order.into_iter().map(SortKey::reversed).collect()));
        head.push(Stage::Dedup(head.by(&[TIME])));
        self.newest(head);
    }
}
