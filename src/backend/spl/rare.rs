//! Values that the key had seldom or never before.
//!
//! A key that is still learning is told by rows of its own, which ripen when the learning time has passed.

use super::ast::{Aggregate, AggregateFunction, Arithmetic, Comparison, EvalExpr, Function, SortKey, Stage};
use super::columns::Shown;
use super::context::Context;
use super::distinct::tuple;
use super::read::{Head, TIME};
use crate::ir::Rare;

/// Column that tells what ripens (0) from events (1) and from events that leave the history (2).
const KIND: &str = "detc_o";

impl Context<'_> {
    /// Instants of an event whose values the key had so many times in the history before.
    pub(super) fn rare(&mut self, head: &mut Head, rare: &Rare, shown: &mut Shown) {
        let (_, most) = rare.earlier;
        let packed = self.packed(None, &[rare.signal], shown);
        let parts = self.value_columns(head, rare.signal, &rare.values);
        head.search.stages.extend(self.take_helpers());
        head.set("detc_v", tuple(&parts));
        let mut aggregates = vec![Aggregate::count("detc_c")];
        if let Some(packed) = &packed {
            head.set("detc_x", packed.text.clone());
            aggregates.push(Aggregate::of(AggregateFunction::Max, "detc_x", "detc_x"));
        }
        let instants = head.by(&[TIME, "detc_v"]);
        head.push(Stage::Stats { aggregates, by: instants });
        let kinds: Vec<i64> = [(0, rare.learning.is_some()), (1, true), (2, most > 0)]
            .into_iter()
            .filter_map(|(kind, wanted)| wanted.then_some(kind))
            .collect();
        let several = kinds.len() > 1;
        if several {
            multiply(head, rare, &kinds);
        }
        let order = if several { vec![TIME, KIND] } else { vec![TIME] };
        head.push(Stage::Sort(order.into_iter().map(SortKey::up).collect()));
        let column = EvalExpr::derived;
        let mut conditions = vec![EvalExpr::compare(column("detc_v"), Comparison::Different, EvalExpr::text(""))];
        if several {
            conditions.push(kind(1));
        }
        if rare.learning.is_some() {
            head.set("detc_in", EvalExpr::only_if(kind(0), column("detc_at")));
            running(head, Aggregate::of(AggregateFunction::Max, "detc_in", "detc_ripe"), head.keys.clone());
            conditions.push(EvalExpr::call(Function::IsNotNull, column("detc_ripe")));
            conditions.push(age(head, "detc_ripe", Comparison::LessOrEqual, rare));
        }
        if most == 0 {
            let seen = if several { EvalExpr::only_if(kind(1), column(TIME)) } else { column(TIME) };
            head.set("detc_s", seen);
            running(head, Aggregate::of(AggregateFunction::Max, "detc_s", "detc_p"), head.by(&["detc_v"]));
            let never = EvalExpr::call(Function::IsNull, column("detc_p"));
            conditions.push(EvalExpr::any(vec![never, age(head, "detc_p", Comparison::Greater, rare)]));
        } else {
            conditions.extend(earlier(head, rare.earlier));
        }
        head.keep(EvalExpr::all(conditions));
        self.newest(head);
        // several values can be rare at one instant
        let mut aggregates = vec![Aggregate::count("detc_n")];
        if packed.is_some() {
            aggregates.push(Aggregate::of(AggregateFunction::Max, "detc_x", "detc_x"));
        }
        head.push(Stage::Stats { aggregates, by: head.by(&[TIME]) });
        if let Some(packed) = packed {
            self.unpack(head, &packed, "detc_x", shown);
        }
    }
}

/// Makes a row of each kind out of every row: one for the instant, one that ripens, one that leaves.
fn multiply(head: &mut Head, rare: &Rare, kinds: &[i64]) {
    let column = EvalExpr::derived;
    let texts = kinds.iter().map(|kind| EvalExpr::text(kind.to_string())).collect();
    head.set(KIND, EvalExpr::Call(Function::MvAppend, texts));
    head.push(Stage::MvExpand(KIND.to_owned()));
    head.set("detc_at", column(TIME));
    let learning = rare.learning.as_ref().map(|learning| (0, head.ticks.span(learning.node)));
    let leaving = kinds.contains(&2).then(|| (2, head.ticks.span(rare.history.node)));
    let mut time = column(TIME);
    for (which, delay) in [learning, leaving].into_iter().flatten() {
        let later = EvalExpr::arithmetic(column("detc_at"), Arithmetic::Plus, EvalExpr::Integer(delay));
        time = EvalExpr::choose(kind(which), later, time);
    }
    head.set(TIME, time);
}

/// Counts the strictly earlier events of the history: those that came less those that left before.
fn earlier(head: &mut Head, (fewest, most): (u64, u64)) -> Vec<EvalExpr> {
    let column = EvalExpr::derived;
    let number = |number: u64| EvalExpr::Integer(i64::try_from(number).unwrap_or(i64::MAX));
    let leaves = EvalExpr::arithmetic(EvalExpr::Integer(0), Arithmetic::Minus, column("detc_c"));
    let change = vec![kind(1), column("detc_c"), kind(2), leaves];
    head.set("detc_d", EvalExpr::Call(Function::Case, change));
    running(head, Aggregate::of(AggregateFunction::Sum, "detc_d", "detc_e"), head.by(&["detc_v"]));
    head.set("detc_e", EvalExpr::Call(Function::Coalesce, vec![column("detc_e"), EvalExpr::Integer(0)]));
    let mut conditions = vec![EvalExpr::compare(column("detc_e"), Comparison::LessOrEqual, number(most))];
    if fewest > 0 {
        conditions.push(EvalExpr::compare(column("detc_e"), Comparison::GreaterOrEqual, number(fewest)));
    }
    conditions
}

/// Whether a row is of a kind.
fn kind(which: i64) -> EvalExpr {
    EvalExpr::equal(EvalExpr::derived(KIND), EvalExpr::Integer(which))
}

/// A running aggregate over the earlier rows of a group.
fn running(head: &mut Head, aggregate: Aggregate, by: Vec<String>) {
    head.push(Stage::StreamStats { window: None, current: false, aggregates: vec![aggregate], by });
}

/// How long ago an instant lies, compared with the history.
fn age(head: &Head, column: &str, comparison: Comparison, rare: &Rare) -> EvalExpr {
    let since = EvalExpr::arithmetic(EvalExpr::derived(TIME), Arithmetic::Minus, EvalExpr::derived(column));
    EvalExpr::compare(since, comparison, EvalExpr::Integer(head.ticks.span(rare.history.node)))
}
