//! Several signals in one window, in any order: the newest event of each at every instant.

use super::ast::{Aggregate, AggregateFunction, Arithmetic, Comparison, EvalExpr, SortKey, Stage};
use super::columns::Shown;
use super::context::Context;
use super::read::{Head, TIME, is_set};
use crate::ir::{Group, SignalId};

impl Context<'_> {
    /// Instants at which the weights of the members that have an event in the window, closed at both ends, add up.
    pub(super) fn group(&mut self, head: &mut Head, group: &Group, shown: &mut Shown) {
        let signals: Vec<SignalId> = group.members.iter().map(|member| member.signal).collect();
        let packed = self.packed(None, &signals, shown);
        head.search.stages.extend(self.take_helpers());
        let mut aggregates = Vec::new();
        for signal in &signals {
            let flag = self.flag(*signal);
            aggregates.push(Aggregate::of(AggregateFunction::Max, &flag, &flag));
        }
        if let Some(packed) = &packed {
            head.set("detc_x", packed.text.clone());
            aggregates.push(Aggregate::of(AggregateFunction::Max, "detc_x", "detc_x"));
        }
        head.push(Stage::Stats { aggregates, by: head.by(&[TIME]) });
        head.push(Stage::Sort(vec![SortKey::up(TIME)]));
        let now = EvalExpr::derived(TIME);
        let mut times = Vec::new();
        let mut newest = Vec::new();
        let mut weights: Option<EvalExpr> = None;
        for member in &group.members {
            let label = self.label(member.signal);
            let (time, last) = (format!("detc_t_{label}"), format!("detc_l_{label}"));
            times.push((time.clone(), EvalExpr::only_if(is_set(&self.flag(member.signal)), now.clone())));
            newest.push(Aggregate::of(AggregateFunction::Max, &time, &last));
            let age = EvalExpr::arithmetic(now.clone(), Arithmetic::Minus, EvalExpr::derived(last));
            let window = EvalExpr::Integer(head.ticks.span(group.window.node));
            let inside = EvalExpr::compare(age, Comparison::LessOrEqual, window);
            let weight = EvalExpr::Integer(i64::try_from(member.weight).unwrap_or(i64::MAX));
            let weight = EvalExpr::choose(inside, weight, EvalExpr::Integer(0));
            weights = Some(match weights {
                None => weight,
                Some(others) => EvalExpr::arithmetic(others, Arithmetic::Plus, weight),
            });
        }
        head.push(Stage::Eval(times));
        head.push(Stage::StreamStats { window: None, current: true, aggregates: newest, by: head.keys.clone() });
        head.set("detc_score", weights.unwrap_or(EvalExpr::Integer(0)));
        let limit = EvalExpr::Integer(i64::try_from(group.at_least.node).unwrap_or(i64::MAX));
        head.keep(EvalExpr::compare(EvalExpr::derived("detc_score"), Comparison::GreaterOrEqual, limit));
        self.newest(head);
        self.number_columns(shown, |_| Some("detc_score".to_owned()));
        if let Some(packed) = packed {
            self.unpack(head, &packed, "detc_x", shown);
        }
    }
}
