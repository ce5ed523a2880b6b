//! Changes of aggregations and of buckets that stand out.
//!
//! Never makes a number that the aggregate cannot have.

use super::change::Change;
use super::number::{decimals, durations, durations_by};
use super::predicate::{self, edge};
use crate::ir::{
    Aggregate, AggregateCondition, AggregateFunction, Aggregation, Arithmetic, Baseline, BaselineTest, Behavior,
    Decimal, NumberComparison, Order, WindowKind,
};
use crate::source::Spanned;

/// Every change of an aggregation.
pub(super) fn aggregation(of: &Aggregation) -> Vec<Change<Behavior>> {
    let mut changes = durations("window", &of.window, |window| Aggregation { window, ..of.clone() });
    if of.kind == WindowKind::Fixed {
        let other = Aggregation { kind: WindowKind::Sliding, ..of.clone() };
        changes.push(Change::new(of.window.span, "`fixed` dropped", other));
    }
    for (index, one) in of.aggregates.iter().enumerate() {
        let with = |one: Aggregate| {
            let mut other = of.clone();
            other.aggregates.iter_mut().skip(index).take(1).for_each(|place| *place = one.clone());
            other
        };
        changes.extend(aggregate(one).into_iter().map(|change| change.inside(with)));
    }
    let with = |node| Aggregation { condition: Spanned::new(node, of.condition.span), ..of.clone() };
    changes.extend(conditions(&of.condition, of).into_iter().map(|change| change.inside(with)));
    changes.into_iter().map(|change| change.inside(Behavior::Aggregation)).collect()
}

/// Every change of a bucket that stands out.
pub(super) fn baseline(of: &Baseline) -> Vec<Change<Behavior>> {
    let mut changes: Vec<Change<Baseline>> = aggregate(&of.aggregate)
        .into_iter()
        .map(|change| change.inside(|aggregate| Baseline { aggregate, ..of.clone() }))
        .collect();
    changes.extend(durations_by("history", &of.history, of.bucket.node, |history| Baseline { history, ..of.clone() }));
    for floor in decimals(&of.floor.node) {
        let words = format!("floor {} -> {floor}", of.floor.node);
        let span = of.floor.span;
        changes.push(Change::new(span, words, Baseline { floor: Spanned::new(floor, span), ..of.clone() }));
    }
    let (what, number) = match &of.test {
        BaselineTest::Outlier { sigma } => ("sigma", sigma),
        BaselineTest::Spike { times } => ("factor", times),
    };
    for other in decimals(&number.node).into_iter().filter(|other| what == "sigma" || !other.is_zero()) {
        let words = format!("{what} {} -> {other}", number.node);
        let other = Spanned::new(other, number.span);
        let test = match &of.test {
            BaselineTest::Outlier { .. } => BaselineTest::Outlier { sigma: other },
            BaselineTest::Spike { .. } => BaselineTest::Spike { times: other },
        };
        changes.push(Change::new(number.span, words, Baseline { test, ..of.clone() }));
    }
    if let Some(learning) = &of.learning {
        changes.push(Change::new(learning.span, "learning dropped", Baseline { learning: None, ..of.clone() }));
        changes.extend(durations("learning", learning, |learning| Baseline { learning: Some(learning), ..of.clone() }));
    }
    changes.into_iter().map(|change| change.inside(|baseline| Behavior::Baseline(Box::new(baseline)))).collect()
}

/// Every change of one aggregate.
fn aggregate(of: &Aggregate) -> Vec<Change<Aggregate>> {
    let mut changes = Vec::new();
    let function =
        |words: &str, function: AggregateFunction| Change::new(of.span, words, Aggregate { function, ..of.clone() });
    match &of.function {
        AggregateFunction::Count => {}
        AggregateFunction::Distinct(values) => {
            changes.push(function("`distinct` -> `count`", AggregateFunction::Count));
            for (index, value) in values.iter().enumerate().filter(|_| values.len() > 1) {
                let mut rest = values.clone();
                rest.remove(index);
                let other = Aggregate { function: AggregateFunction::Distinct(rest), ..of.clone() };
                changes.push(Change::new(value.span, "value of the tuple dropped", other));
            }
        }
        AggregateFunction::Sum(value) => {
            changes.push(function("`sum` -> `count`", AggregateFunction::Count));
            changes.push(function("`sum` -> `max`", AggregateFunction::Maximum(value.clone())));
        }
        AggregateFunction::Average(value) => {
            changes.push(function("`avg` -> `max`", AggregateFunction::Maximum(value.clone())));
            changes.push(function("`avg` -> `min`", AggregateFunction::Minimum(value.clone())));
            changes.extend(percentile(50).map(|percent| {
                function("`avg` -> `median`", AggregateFunction::Percentile { value: value.clone(), percent })
            }));
        }
        AggregateFunction::Minimum(value) => {
            changes.push(function("`min` -> `avg`", AggregateFunction::Average(value.clone())));
        }
        AggregateFunction::Maximum(value) => {
            changes.push(function("`max` -> `avg`", AggregateFunction::Average(value.clone())));
        }
        AggregateFunction::Percentile { value, percent } => {
            changes.push(function("percentile -> `max`", AggregateFunction::Maximum(value.clone())));
            changes.push(function("percentile -> `avg`", AggregateFunction::Average(value.clone())));
            for other in decimals(percent).into_iter().filter(|other| !other.is_zero()) {
                let words = format!("percentile {percent} -> {other}");
                changes.push(function(&words, AggregateFunction::Percentile { value: value.clone(), percent: other }));
            }
        }
    }
    if let Some(filter) = &of.filter {
        let with = |node| Aggregate { filter: Some(Spanned::new(node, filter.span)), ..of.clone() };
        changes.extend(predicate::changes(filter, &[]).into_iter().map(|change| change.inside(with)));
        if matches!(filter.node, crate::ir::Predicate::And(_)) {
            changes.push(Change::new(filter.span, "condition dropped", Aggregate { filter: None, ..of.clone() }));
        }
    }
    changes
}

fn percentile(percent: u32) -> Option<Decimal> {
    Decimal::parse_number(&percent.to_string())
}

/// Every change inside a condition on aggregates.
fn conditions(condition: &Spanned<AggregateCondition>, of: &Aggregation) -> Vec<Change<AggregateCondition>> {
    let span = condition.span;
    let of_parts = |parts: &[Spanned<AggregateCondition>],
                    word: &str,
                    join: &dyn Fn(Vec<Spanned<AggregateCondition>>) -> AggregateCondition| {
        let mut changes = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            let mut rest = parts.to_vec();
            rest.remove(index);
            let node = match rest.as_slice() {
                [only] => only.node.clone(),
                _ => join(rest),
            };
            changes.push(Change::new(part.span, format!("`{word}` part dropped"), node));
            let around = |node: AggregateCondition| {
                let mut parts = parts.to_vec();
                parts.iter_mut().skip(index).take(1).for_each(|part| part.node = node.clone());
                join(parts)
            };
            changes.extend(conditions(part, of).into_iter().map(|change| change.inside(around)));
        }
        changes
    };
    match &condition.node {
        AggregateCondition::And(parts) => of_parts(parts, "and", &AggregateCondition::And),
        AggregateCondition::Or(parts) => of_parts(parts, "or", &AggregateCondition::Or),
        AggregateCondition::Not(body) => {
            let around = |node| AggregateCondition::Not(Box::new(Spanned::new(node, body.span)));
            let mut changes: Vec<_> = conditions(body, of).into_iter().map(|change| change.inside(around)).collect();
            changes.push(Change::new(span, "negation dropped", body.node.clone()));
            changes
        }
        AggregateCondition::Compare { left, operator, right } => comparison(condition, (left, *operator, right), of),
    }
}

fn comparison(
    condition: &Spanned<AggregateCondition>,
    (left, operator, right): (&Arithmetic, NumberComparison, &Arithmetic),
    of: &Aggregation,
) -> Vec<Change<AggregateCondition>> {
    let span = condition.span;
    let compare = |left: &Arithmetic, operator: NumberComparison, right: &Arithmetic| AggregateCondition::Compare {
        left: left.clone(),
        operator,
        right: right.clone(),
    };
    let mut changes = Vec::new();
    let counts = [left, right].into_iter().any(|side| is_whole_number_of_events(side, of));
    for (side, is_left) in [(left, true), (right, false)] {
        let Arithmetic::Number(number) = side else { continue };
        for other in decimals(number) {
            // No count is below nothing, so that such a bound says nothing.
            if counts && other.is_zero() {
                continue;
            }
            let words = format!("threshold {number} -> {other}");
            let other = Arithmetic::Number(other);
            let node = if is_left { compare(&other, operator, right) } else { compare(left, operator, &other) };
            changes.push(Change::new(span, words, node));
        }
    }
    match operator {
        // On counts the edge is the next threshold.
        NumberComparison::Ordered(order) if !(counts && changes.len() > 1) => {
            let other = edge(order);
            let words = format!("`{}` -> `{}`", order.symbol(), other.symbol());
            changes.push(Change::new(span, words, compare(left, NumberComparison::Ordered(other), right)));
        }
        NumberComparison::Ordered(_) => {}
        NumberComparison::Equal => {
            let other = NumberComparison::Ordered(Order::GreaterOrEqual);
            changes.push(Change::new(span, "`==` -> `>=`", compare(left, other, right)));
        }
        NumberComparison::NotEqual => {
            changes.push(Change::new(span, "`!=` -> `==`", compare(left, NumberComparison::Equal, right)));
        }
    }
    changes
}

/// Whether a side is a count or a distinct and nothing else.
fn is_whole_number_of_events(side: &Arithmetic, of: &Aggregation) -> bool {
    let Arithmetic::Aggregate(index) = side else { return false };
    let function = of.aggregates.get(*index).map(|aggregate| &aggregate.function);
    matches!(function, Some(AggregateFunction::Count | AggregateFunction::Distinct(_)))
}
