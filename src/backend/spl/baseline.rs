//! Buckets that stand out from those before them: every bucket enters, leaves and is judged once.
//!
//! Empty buckets are never rows; they count as 0 because sums do not see them and `N` does.

use super::ast::{Aggregate, AggregateFunction, Arithmetic, Comparison, EvalExpr, Function, SortKey, Stage};
use super::columns::Shown;
use super::condition::ratio;
use super::context::Context;
use super::measure::{decimal, filled};
use super::read::{Head, TIME};
use crate::ir::{self, Aggregation, Baseline, BaselineTest, WindowKind};
use crate::source::Spanned;

/// Column that tells what a row is: it enters (0), it leaves (1), the key has learned (2), it is judged (3).
const KIND: &str = "detc_o";

impl Context<'_> {
    /// Ends of buckets whose number stands out from the key's buckets before.
    pub(super) fn baseline(&mut self, head: &mut Head, baseline: &Baseline, shown: &mut Shown) {
        let aggregation = alone(baseline);
        let measures = self.measures(head, &aggregation);
        head.search.stages.extend(self.take_helpers());
        if !measures.assignments.is_empty() {
            head.push(Stage::Eval(measures.assignments.clone()));
        }
        let column = |name: &str| EvalExpr::derived(name);
        let bucket = EvalExpr::Integer(head.ticks.span(baseline.bucket.node));
        let count = i64::try_from(baseline.buckets()).unwrap_or(i64::MAX);
        if let Some(learning) = &baseline.learning {
            let both = vec![EvalExpr::text("2"), EvalExpr::text("3")];
            head.set(KIND, EvalExpr::Call(Function::MvAppend, both));
            head.push(Stage::MvExpand(KIND.to_owned()));
            head.set("detc_at", column(TIME));
            let learned = sum(column(TIME), EvalExpr::Integer(head.ticks.span(learning.node)));
            head.set("detc_b", EvalExpr::choose(kind(2), learned, start(&bucket)));
        } else {
            head.set("detc_b", start(&bucket));
        }
        let mut by = vec!["detc_b"];
        let mut aggregates = vec![self.bucket_number(baseline, &measures.counters, &measures.distinct)];
        if baseline.learning.is_some() {
            by.push(KIND);
            aggregates.push(Aggregate::of(AggregateFunction::Max, "detc_at", "detc_at"));
        }
        head.push(Stage::Stats { aggregates, by: head.by(&by) });
        let kinds = EvalExpr::Call(Function::MvAppend, ["0", "1", "3"].map(EvalExpr::text).to_vec());
        let kinds = if baseline.learning.is_some() { EvalExpr::choose(kind(3), kinds, column(KIND)) } else { kinds };
        head.set(KIND, kinds);
        head.push(Stage::MvExpand(KIND.to_owned()));
        let (_, number) = filled("detc_n");
        let signed = |value: EvalExpr| {
            let taken = EvalExpr::arithmetic(EvalExpr::Integer(0), Arithmetic::Minus, value.clone());
            EvalExpr::Call(Function::Case, vec![kind(0), value, kind(1), taken, truth(), EvalExpr::Integer(0)])
        };
        let enters = sum(column("detc_b"), bucket.clone());
        let leaves = sum(
            column("detc_b"),
            EvalExpr::arithmetic(EvalExpr::Integer(count.saturating_add(1)), Arithmetic::Times, bucket.clone()),
        );
        let when = vec![kind(0), enters, kind(1), leaves, truth(), column("detc_b")];
        let square = EvalExpr::arithmetic(number.clone(), Arithmetic::Times, number.clone());
        head.push(Stage::Eval(vec![
            (TIME.to_owned(), EvalExpr::Call(Function::Case, when)),
            ("detc_d0".to_owned(), signed(EvalExpr::Integer(1))),
            ("detc_d1".to_owned(), signed(number)),
            ("detc_d2".to_owned(), signed(square)),
        ]));
        head.push(Stage::Sort(vec![SortKey::up(TIME), SortKey::up(KIND)]));
        let mut sums: Vec<Aggregate> = [("detc_d0", "detc_s0"), ("detc_d1", "detc_s1"), ("detc_d2", "detc_s2")]
            .map(|(from, to)| Aggregate::of(AggregateFunction::Sum, from, to))
            .to_vec();
        if baseline.learning.is_some() {
            head.set("detc_in", EvalExpr::only_if(kind(2), column("detc_at")));
            sums.push(Aggregate::of(AggregateFunction::Max, "detc_in", "detc_ripe"));
        }
        head.push(Stage::StreamStats { window: None, current: true, aggregates: sums, by: head.keys.clone() });
        let mut conditions = vec![kind(3)];
        if baseline.learning.is_some() {
            let since = EvalExpr::arithmetic(column(TIME), Arithmetic::Minus, column("detc_ripe"));
            let history = EvalExpr::Integer(head.ticks.span(baseline.history.node));
            conditions.push(EvalExpr::call(Function::IsNotNull, column("detc_ripe")));
            conditions.push(EvalExpr::compare(since, Comparison::LessOrEqual, history));
        }
        let floor = decimal(&baseline.floor.node);
        conditions.push(EvalExpr::compare(column("detc_n"), Comparison::GreaterOrEqual, floor));
        head.keep(EvalExpr::all(conditions));
        self.stands_out(head, baseline, count);
        head.set(TIME, sum(column(TIME), bucket));
        self.newest(head);
        self.number_columns(shown, |_| Some("detc_n".to_owned()));
    }

    fn stands_out(&mut self, head: &mut Head, baseline: &Baseline, count: i64) {
        let column = |name: &str| EvalExpr::derived(name);
        let product = |left, right| EvalExpr::arithmetic(left, Arithmetic::Times, right);
        let scaled = product(EvalExpr::Integer(count), column("detc_n"));
        match &baseline.test {
            BaselineTest::Outlier { sigma } => {
                self.verdict
                    .assume("the squares of the numbers of a history's buckets, times their count, stay below 2^53");
                let difference = EvalExpr::arithmetic(scaled, Arithmetic::Minus, column("detc_s1"));
                head.set("detc_d", difference);
                let (share, whole) = ratio(&sigma.node);
                let squared = |number: i64| EvalExpr::Integer(number.saturating_mul(number));
                let square = product(column("detc_d"), column("detc_d"));
                let spread = EvalExpr::arithmetic(
                    product(EvalExpr::Integer(count), column("detc_s2")),
                    Arithmetic::Minus,
                    product(column("detc_s1"), column("detc_s1")),
                );
                let square = if whole == 1 { square } else { product(squared(whole), square) };
                head.keep(EvalExpr::all(vec![
                    EvalExpr::compare(column("detc_s0"), Comparison::Greater, EvalExpr::Integer(0)),
                    EvalExpr::compare(column("detc_d"), Comparison::Greater, EvalExpr::Integer(0)),
                    EvalExpr::compare(square, Comparison::Greater, product(squared(share), spread)),
                ]));
            }
            BaselineTest::Spike { times } => {
                let (share, whole) = ratio(&times.node);
                let scaled = if whole == 1 { scaled } else { product(EvalExpr::Integer(whole), scaled) };
                head.keep(EvalExpr::all(vec![
                    EvalExpr::compare(column("detc_s1"), Comparison::Greater, EvalExpr::Integer(0)),
                    EvalExpr::compare(
                        scaled,
                        Comparison::Greater,
                        product(EvalExpr::Integer(share), column("detc_s1")),
                    ),
                ]));
            }
        }
    }

    /// The number of a bucket.
    fn bucket_number(
        &mut self,
        baseline: &Baseline,
        counters: &[Aggregate],
        distinct: &[(usize, String)],
    ) -> Aggregate {
        let name = "detc_n".to_owned();
        if let Some((_, values)) = distinct.first() {
            let text = EvalExpr::derived(values);
            let some = EvalExpr::compare(text.clone(), Comparison::Different, EvalExpr::text(""));
            let value = EvalExpr::only_if(some, text);
            return Aggregate { function: AggregateFunction::DistinctCount, argument: Some(value), name };
        }
        match &baseline.aggregate.function {
            ir::AggregateFunction::Count | ir::AggregateFunction::Sum(_) | ir::AggregateFunction::Distinct(_) => {}
            ir::AggregateFunction::Average(_)
            | ir::AggregateFunction::Minimum(_)
            | ir::AggregateFunction::Maximum(_)
            | ir::AggregateFunction::Percentile { .. } => {
                let message = "a baseline is kept of a count, a distinct or a sum";
                self.refuse(crate::backend::ReasonCode::UnsupportedBehavior, baseline.aggregate.span, message);
            }
        }
        match counters.first() {
            Some(counter) => Aggregate { name, ..counter.clone() },
            None => Aggregate::count(&name),
        }
    }
}

/// The aggregate of a baseline as an aggregation, for its counters.
fn alone(baseline: &Baseline) -> Aggregation {
    Aggregation {
        aggregates: vec![baseline.aggregate.clone()],
        condition: Spanned::new(ir::AggregateCondition::And(Vec::new()), baseline.aggregate.span),
        window: baseline.bucket,
        kind: WindowKind::Fixed,
    }
}

/// The start of the bucket that an event lies in.
fn start(bucket: &EvalExpr) -> EvalExpr {
    let number = EvalExpr::arithmetic(EvalExpr::derived(TIME), Arithmetic::Over, bucket.clone());
    EvalExpr::arithmetic(EvalExpr::call(Function::Floor, number), Arithmetic::Times, bucket.clone())
}

fn kind(which: i64) -> EvalExpr {
    EvalExpr::equal(EvalExpr::derived(KIND), EvalExpr::Integer(which))
}

fn truth() -> EvalExpr {
    EvalExpr::Call(Function::True, Vec::new())
}

fn sum(left: EvalExpr, right: EvalExpr) -> EvalExpr {
    EvalExpr::arithmetic(left, Arithmetic::Plus, right)
}
