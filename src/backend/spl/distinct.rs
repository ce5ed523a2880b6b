//! Distinct values in a sliding window: a sweep in which a value arrives once and leaves a window later.

use super::ast::{Aggregate, AggregateFunction, Arithmetic, Comparison, EvalExpr, Function, SortKey, Stage};
use super::columns::Shown;
use super::context::Context;
use super::read::{Head, TIME};
use super::subject::{Kind, Subject};
use crate::ir::{SignalId, Value};
use crate::schema::{Duration, Type};
use crate::source::Spanned;

impl Context<'_> {
    /// Instants at which so many distinct tuples lie in the window closed at both ends.
    pub(super) fn spread(
        &mut self,
        head: &mut Head,
        signal: SignalId,
        values: &[Spanned<Value>],
        at_least: u64,
        window: Duration,
        shown: &mut Shown,
    ) {
        let packed = self.packed(None, &[signal], shown);
        let parts = self.value_columns(head, signal, values);
        let mut assignments = vec![("detc_v".to_owned(), tuple(&parts))];
        if let Some(packed) = &packed {
            assignments.push(("detc_x".to_owned(), packed.text.clone()));
        }
        head.search.stages.extend(self.take_helpers());
        head.push(Stage::Eval(assignments));
        let carried = |aggregates: &mut Vec<Aggregate>| {
            if packed.is_some() {
                aggregates.push(Aggregate::of(AggregateFunction::Max, "detc_x", "detc_x"));
            }
        };
        let mut aggregates = vec![Aggregate::count("detc_c")];
        carried(&mut aggregates);
        head.push(Stage::Stats { aggregates, by: head.by(&[TIME, "detc_v"]) });
        let window = EvalExpr::Integer(head.ticks.span(window));
        let column = |name: &str| EvalExpr::derived(name);
        let number = EvalExpr::Integer;
        let leaves = EvalExpr::equal(column("detc_o"), number(1));
        let arrives = EvalExpr::equal(column("detc_o"), number(0));
        let both = EvalExpr::Call(Function::MvAppend, vec![EvalExpr::text("0"), EvalExpr::text("1")]);
        head.set("detc_o", both);
        head.push(Stage::MvExpand("detc_o".to_owned()));
        let deadline = EvalExpr::arithmetic(column(TIME), Arithmetic::Plus, window.clone());
        head.push(Stage::Eval(vec![
            ("detc_at".to_owned(), column(TIME)),
            (TIME.to_owned(), EvalExpr::choose(leaves.clone(), deadline, column(TIME))),
        ]));
        // those that leave stand behind those that arrive at the same instant: the window is closed
        head.push(Stage::Sort(vec![SortKey::up(TIME), SortKey::up("detc_o")]));
        head.set("detc_in", EvalExpr::only_if(arrives.clone(), column("detc_at")));
        head.push(Stage::StreamStats {
            window: None,
            current: false,
            aggregates: vec![Aggregate::of(AggregateFunction::Max, "detc_in", "detc_p")],
            by: head.by(&["detc_v"]),
        });
        let since = EvalExpr::arithmetic(column(TIME), Arithmetic::Minus, column("detc_p"));
        let fresh = EvalExpr::any(vec![
            EvalExpr::call(Function::IsNull, column("detc_p")),
            EvalExpr::compare(since, Comparison::Greater, window),
        ]);
        let newest = EvalExpr::equal(column("detc_p"), column("detc_at"));
        let change = vec![
            EvalExpr::equal(column("detc_v"), EvalExpr::text("")),
            number(0),
            EvalExpr::all(vec![arrives.clone(), fresh]),
            number(1),
            EvalExpr::all(vec![leaves, newest]),
            number(-1),
            EvalExpr::Call(Function::True, Vec::new()),
            number(0),
        ];
        head.set("detc_d", EvalExpr::Call(Function::Case, change));
        head.push(Stage::StreamStats {
            window: None,
            current: true,
            aggregates: vec![Aggregate::of(AggregateFunction::Sum, "detc_d", "detc_n")],
            by: head.keys.clone(),
        });
        head.keep(arrives);
        let mut aggregates = vec![Aggregate::of(AggregateFunction::Last, "detc_n", "detc_n")];
        carried(&mut aggregates);
        head.push(Stage::Stats { aggregates, by: head.by(&[TIME]) });
        let threshold = number(i64::try_from(at_least).unwrap_or(i64::MAX));
        head.keep(EvalExpr::compare(column("detc_n"), Comparison::GreaterOrEqual, threshold));
        self.newest(head);
        self.number_columns(shown, |_| Some("detc_n".to_owned()));
        if let Some(packed) = packed {
            self.unpack(head, &packed, "detc_x", shown);
        }
    }

    /// The values of a tuple; a list gives each different element once, in rows of their own.
    pub(super) fn value_columns(
        &mut self,
        head: &mut Head,
        signal: SignalId,
        values: &[Spanned<Value>],
    ) -> Vec<Subject> {
        let mut parts = Vec::new();
        let mut lists = Vec::new();
        for value in values {
            let subject = self.by_signal(&[(signal, value.clone())]);
            if matches!(value.node.ty(), Type::List(_)) {
                let column = format!("detc_v{}", parts.len() + 1);
                let filled = EvalExpr::Call(Function::Coalesce, vec![subject.expression, EvalExpr::text("")]);
                lists.push((column.clone(), filled));
                parts.push(Subject { expression: EvalExpr::derived(column), kind: Kind::Text, ..subject });
            } else {
                parts.push(subject);
            }
        }
        head.search.stages.extend(self.take_helpers());
        for (column, value) in lists {
            head.set(&column, value);
            head.push(Stage::MvExpand(column));
        }
        parts
    }
}

/// The text that tells tuples apart, the empty text where a value is missing.
pub(super) fn tuple(parts: &[Subject]) -> EvalExpr {
    let none = EvalExpr::text("");
    if let [only] = parts {
        return EvalExpr::Call(Function::Coalesce, vec![only.native().expression, none]);
    }
    let texts: Vec<EvalExpr> = parts.iter().map(|part| part.native().expression).collect();
    let mut pieces = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        if index + 1 < texts.len() {
            // the length in front keeps `a:b` and `c` apart from `a` and `b:c`
            pieces.extend([EvalExpr::call(Function::Len, text.clone()), EvalExpr::text(":")]);
        }
        pieces.push(text.clone());
        if index + 1 < texts.len() {
            pieces.push(EvalExpr::text(":"));
        }
    }
    EvalExpr::Call(Function::Coalesce, vec![EvalExpr::Join(pieces), none])
}
