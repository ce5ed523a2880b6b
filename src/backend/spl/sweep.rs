//! Several aggregates of one window: a sweep in which every instant arrives and leaves a window later; and fixed buckets.

use super::ast::{Aggregate, AggregateFunction, Arithmetic, Comparison, EvalExpr, Function, SortKey, Stage};
use super::columns::{Packed, Shown};
use super::condition;
use super::context::Context;
use super::measure::{Measures, filled};
use super::read::{Head, TIME};
use crate::ir::{self, Aggregation};

impl Context<'_> {
    /// Instants of an event of any of the signals at which the condition holds for the window closed at both ends.
    pub(super) fn sweep(&mut self, head: &mut Head, aggregation: &Aggregation, shown: &mut Shown) {
        let packed = self.packed(None, &aggregation.signals(), shown);
        let measures = self.measures(head, aggregation);
        head.search.stages.extend(self.take_helpers());
        let mut assignments = measures.assignments.clone();
        // a running sum never has the name of what it adds
        let arriving: Vec<Aggregate> = measures
            .counters
            .iter()
            .map(|counter| Aggregate { name: self::arriving(&counter.name), ..counter.clone() })
            .collect();
        let mut aggregates = arriving.clone();
        if let Some(packed) = &packed {
            assignments.push(("detc_x".to_owned(), packed.text.clone()));
            aggregates.push(Aggregate::of(AggregateFunction::Max, "detc_x", "detc_x"));
        }
        if aggregates.is_empty() {
            aggregates.push(Aggregate::count("detc_c"));
        }
        if !assignments.is_empty() {
            head.push(Stage::Eval(assignments));
        }
        let values: Vec<&str> = measures.distinct.iter().map(|(_, column)| column.as_str()).collect();
        let by = head.by(&[&[TIME], values.as_slice()].concat());
        head.push(Stage::Stats { aggregates, by });
        let window = EvalExpr::Integer(head.ticks.span(aggregation.window.node));
        leave(head, &arriving, measures.distinct.len(), &window);
        let sums: Vec<Aggregate> =
            measures.distinct.iter().map(|(index, column)| changes(head, *index, column, &measures, &window)).collect();
        let counted = measures
            .counters
            .iter()
            .map(|counter| Aggregate::of(AggregateFunction::Sum, &self::arriving(&counter.name), &counter.name));
        let aggregates: Vec<Aggregate> = counted.chain(sums).collect();
        let numbers: Vec<String> = aggregates.iter().map(|aggregate| aggregate.name.clone()).collect();
        head.push(Stage::StreamStats { window: None, current: true, aggregates, by: head.keys.clone() });
        head.keep(kind(0));
        if !measures.distinct.is_empty() {
            let last = numbers.iter().map(|name| Aggregate::of(AggregateFunction::Last, name, name));
            let shown = packed.iter().map(|_| Aggregate::of(AggregateFunction::Max, "detc_x", "detc_x"));
            head.push(Stage::Stats { aggregates: last.chain(shown).collect(), by: head.by(&[TIME]) });
        }
        self.judge(head, aggregation, &measures, packed.as_ref(), shown);
    }

    /// Clock-aligned buckets for which the condition holds, at their end.
    pub(super) fn fixed(&mut self, head: &mut Head, aggregation: &Aggregation, shown: &mut Shown) {
        let measures = self.measures(head, aggregation);
        head.search.stages.extend(self.take_helpers());
        if !measures.assignments.is_empty() {
            head.push(Stage::Eval(measures.assignments.clone()));
        }
        let window = EvalExpr::Integer(head.ticks.span(aggregation.window.node));
        let number = EvalExpr::arithmetic(EvalExpr::derived(TIME), Arithmetic::Over, window.clone());
        let start = EvalExpr::arithmetic(EvalExpr::call(Function::Floor, number), Arithmetic::Times, window.clone());
        head.set("detc_b", start);
        let mut aggregates = measures.counters.clone();
        for (index, column) in &measures.distinct {
            let name = format!("detc_a{}", index + 1);
            let text = EvalExpr::derived(column);
            let some = EvalExpr::compare(text.clone(), Comparison::Different, EvalExpr::text(""));
            let value = EvalExpr::only_if(some, text);
            aggregates.push(Aggregate { function: AggregateFunction::DistinctCount, argument: Some(value), name });
        }
        head.push(Stage::Stats { aggregates, by: head.by(&["detc_b"]) });
        head.set(TIME, EvalExpr::arithmetic(EvalExpr::derived("detc_b"), Arithmetic::Plus, window));
        let sums = measures.counters.iter().filter(|counter| counter.function == AggregateFunction::Sum);
        let sums: Vec<_> = sums.map(|counter| filled(&counter.name)).collect();
        if !sums.is_empty() {
            head.push(Stage::Eval(sums));
        }
        self.judge(head, aggregation, &measures, None, shown);
    }

    /// Keeps the rows for which the condition holds, and names the numbers that hits carry.
    fn judge(
        &mut self,
        head: &mut Head,
        aggregation: &Aggregation,
        measures: &Measures,
        packed: Option<&Packed>,
        shown: &mut Shown,
    ) {
        head.keep(condition::test(&aggregation.condition.node, aggregation, measures));
        self.newest(head);
        let mut averages = Vec::new();
        self.number_columns(shown, |index| {
            let name = format!("detc_a{}", index + 1);
            match &aggregation.aggregates.get(index)?.function {
                ir::AggregateFunction::Count | ir::AggregateFunction::Distinct(_) => Some(name),
                ir::AggregateFunction::Sum(_) => Some(format!("{name}_s")),
                ir::AggregateFunction::Average(_) => Some(format!("{name}_g")),
                ir::AggregateFunction::Minimum(_)
                | ir::AggregateFunction::Maximum(_)
                | ir::AggregateFunction::Percentile { .. } => None,
            }
        });
        for (index, aggregate) in aggregation.aggregates.iter().enumerate() {
            let name = format!("detc_a{}", index + 1);
            if matches!(aggregate.function, ir::AggregateFunction::Average(_))
                && shown.outputs.iter().any(|output| output.column == format!("{name}_g"))
            {
                let (sum, count) = (format!("{name}_s"), format!("{name}_n"));
                let average = EvalExpr::arithmetic(EvalExpr::derived(sum), Arithmetic::Over, EvalExpr::derived(count));
                averages.push((format!("{name}_g"), EvalExpr::call(Function::Exact, average)));
            }
        }
        if !averages.is_empty() {
            head.push(Stage::Eval(averages));
        }
        if let Some(packed) = packed {
            self.unpack(head, packed, "detc_x", shown);
        }
    }
}

/// Column with what an instant adds to a counter.
fn arriving(name: &str) -> String {
    format!("detc_i_{}", name.strip_prefix("detc_").unwrap_or(name))
}

/// Gives every row a second one a window later, whose counters are taken off, behind what arrives at that instant.
fn leave(head: &mut Head, counters: &[Aggregate], distinct: usize, window: &EvalExpr) {
    let column = |name: &str| EvalExpr::derived(name);
    head.set("detc_o", EvalExpr::Call(Function::MvAppend, vec![EvalExpr::text("0"), EvalExpr::text("1")]));
    head.push(Stage::MvExpand("detc_o".to_owned()));
    let deadline = EvalExpr::arithmetic(column(TIME), Arithmetic::Plus, window.clone());
    let mut assignments = vec![
        ("detc_at".to_owned(), column(TIME)),
        (TIME.to_owned(), EvalExpr::choose(kind(1), deadline, column(TIME))),
    ];
    for counter in counters {
        let (_, number) = filled(&counter.name);
        let number = if counter.function == AggregateFunction::Sum { number } else { column(&counter.name) };
        let taken = EvalExpr::arithmetic(EvalExpr::Integer(0), Arithmetic::Minus, number.clone());
        assignments.push((counter.name.clone(), EvalExpr::choose(kind(1), taken, number)));
    }
    head.push(Stage::Eval(assignments));
    head.push(Stage::Sort(vec![SortKey::up(TIME), SortKey::up("detc_o")]));
    if distinct > 0 {
        head.set("detc_in", EvalExpr::only_if(kind(0), column("detc_at")));
        if distinct > 1 {
            head.set("detc_out", EvalExpr::only_if(kind(1), column("detc_at")));
        }
    }
}

/// Marks where a value comes into the window and where its newest occurrence leaves it; gives the sum of these marks.
fn changes(head: &mut Head, index: usize, value: &str, measures: &Measures, window: &EvalExpr) -> Aggregate {
    let column = |name: String| EvalExpr::derived(name);
    let name = format!("detc_a{}", index + 1);
    let (seen, left, change) =
        (format!("detc_p{}", index + 1), format!("detc_q{}", index + 1), format!("detc_d{}", index + 1));
    let several = measures.distinct.len() > 1;
    let mut aggregates = vec![Aggregate::of(AggregateFunction::Max, "detc_in", &seen)];
    if several {
        aggregates.push(Aggregate::of(AggregateFunction::Max, "detc_out", &left));
    }
    head.push(Stage::StreamStats { window: None, current: false, aggregates, by: head.by(&[value]) });
    let since = EvalExpr::arithmetic(EvalExpr::derived(TIME), Arithmetic::Minus, column(seen.clone()));
    let fresh = EvalExpr::any(vec![
        EvalExpr::call(Function::IsNull, column(seen.clone())),
        EvalExpr::compare(since, Comparison::Greater, window.clone()),
    ]);
    let mut leaves = vec![kind(1), EvalExpr::equal(column(seen), EvalExpr::derived("detc_at"))];
    if several {
        // rows that share the value and the instant leave once
        leaves.push(EvalExpr::any(vec![
            EvalExpr::call(Function::IsNull, column(left.clone())),
            EvalExpr::compare(column(left), Comparison::Less, EvalExpr::derived("detc_at")),
        ]));
    }
    let cases = vec![
        EvalExpr::equal(EvalExpr::derived(value), EvalExpr::text("")),
        EvalExpr::Integer(0),
        EvalExpr::all(vec![kind(0), fresh]),
        EvalExpr::Integer(1),
        EvalExpr::all(leaves),
        EvalExpr::Integer(-1),
        EvalExpr::Call(Function::True, Vec::new()),
        EvalExpr::Integer(0),
    ];
    head.set(&change, EvalExpr::Call(Function::Case, cases));
    Aggregate::of(AggregateFunction::Sum, &change, &name)
}

/// Whether a row arrives (0) or leaves (1).
fn kind(which: i64) -> EvalExpr {
    EvalExpr::equal(EvalExpr::derived("detc_o"), EvalExpr::Integer(which))
}
