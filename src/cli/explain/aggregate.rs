//! Aggregates and what stands out from a baseline, in words.

use super::behavior::{learning, name};
use super::predicate::{order_in_words, sentence};
use super::value::{some, value};
use crate::ir::{
    Aggregate, AggregateCondition, AggregateFunction, Aggregation, Arithmetic, Baseline, BaselineTest,
    NumberComparison, Stage, WindowKind,
};
use crate::source::Spanned;

/// The sentences for a condition on aggregates.
pub(super) fn sentences(stage: &Stage, aggregation: &Aggregation) -> Vec<String> {
    let signals: Vec<String> = aggregation.signals().into_iter().map(|id| name(stage, id)).collect();
    let condition = condition(stage, aggregation, &aggregation.condition.node);
    let window = aggregation.window.node;
    let when = match aggregation.kind {
        WindowKind::Sliding => format!(
            "A hit is an instant of an event of {} at which, over the last {window}, {condition}.",
            some(&signals, "or")
        ),
        WindowKind::Fixed => {
            format!("A hit is the end of a window of {window}, aligned to the clock in UTC, in which {condition}.")
        }
    };
    let edges = match aggregation.kind {
        WindowKind::Sliding => "The window is closed at both ends.",
        WindowKind::Fixed => "A window holds its start and not its end.",
    };
    let missing = "A comparison with a number over no values, or with a division by zero, is false.";
    vec![when, format!("{edges} {missing}")]
}

/// The sentences for a bucket that stands out.
pub(super) fn baseline(signal: &str, baseline: &Baseline) -> Vec<String> {
    let number = aggregate(signal, &baseline.aggregate);
    let (bucket, history, floor) = (baseline.bucket.node, baseline.history.node, &baseline.floor.node);
    let than = match &baseline.test {
        BaselineTest::Outlier { sigma } => {
            format!("the mean of the buckets before it plus {} standard deviations", sigma.node)
        }
        BaselineTest::Spike { times } => format!("{} times the mean of the buckets before it", times.node),
    };
    let mut sentences = vec![
        format!(
            "A hit is the end of a bucket of {bucket}, aligned to the clock in UTC, in which {number} is above {than}, and at least {floor}."
        ),
        format!(
            "The buckets before it are the {} of the last {history}; empty ones count as 0, and one of them has to have an event.",
            baseline.buckets()
        ),
    ];
    sentences.extend(learning(baseline.learning, history, "the bucket's start"));
    sentences
}

fn aggregate(signal: &str, aggregate: &Aggregate) -> String {
    let of = |value_of: &Spanned<crate::ir::Value>| value(&value_of.node);
    let what = match &aggregate.function {
        AggregateFunction::Count => format!("the number of events of {signal}"),
        AggregateFunction::Distinct(values) => {
            let values: Vec<String> = values.iter().map(of).collect();
            format!("the number of different {} of {signal}", some(&values, "and"))
        }
        AggregateFunction::Sum(value) => format!("the sum of {} of {signal}", of(value)),
        AggregateFunction::Average(value) => format!("the mean of {} of {signal}", of(value)),
        AggregateFunction::Minimum(value) => format!("the smallest {} of {signal}", of(value)),
        AggregateFunction::Maximum(value) => format!("the largest {} of {signal}", of(value)),
        AggregateFunction::Percentile { value, percent } => {
            format!("the {percent}th percentile (nearest rank) of {} of {signal}", of(value))
        }
    };
    match &aggregate.filter {
        Some(filter) => format!("{what} for which {}", sentence(&filter.node)),
        None => what,
    }
}

fn condition(stage: &Stage, aggregation: &Aggregation, of: &AggregateCondition) -> String {
    let join = |parts: &[Spanned<AggregateCondition>], word: &str| {
        let parts: Vec<String> = parts.iter().map(|part| condition(stage, aggregation, &part.node)).collect();
        parts.join(word)
    };
    match of {
        AggregateCondition::And(parts) => join(parts, ", and "),
        AggregateCondition::Or(parts) => format!("({})", join(parts, ", or ")),
        AggregateCondition::Not(inner) => format!("not ({})", condition(stage, aggregation, &inner.node)),
        AggregateCondition::Compare { left, operator, right } => {
            let operator = match operator {
                NumberComparison::Equal => "is",
                NumberComparison::NotEqual => "is not",
                NumberComparison::Ordered(order) => order_in_words(*order),
            };
            format!("{} {operator} {}", arithmetic(stage, aggregation, left), arithmetic(stage, aggregation, right))
        }
    }
}

fn arithmetic(stage: &Stage, aggregation: &Aggregation, of: &Arithmetic) -> String {
    let two = |left: &Arithmetic, sign: &str, right: &Arithmetic| {
        format!("({} {sign} {})", arithmetic(stage, aggregation, left), arithmetic(stage, aggregation, right))
    };
    match of {
        Arithmetic::Number(number) => number.to_string(),
        Arithmetic::Aggregate(index) => aggregation
            .aggregates
            .get(*index)
            .map_or_else(|| "?".to_owned(), |one| aggregate(&name(stage, one.signal), one)),
        Arithmetic::Add(left, right) => two(left, "plus", right),
        Arithmetic::Subtract(left, right) => two(left, "minus", right),
        Arithmetic::Multiply(left, right) => two(left, "times", right),
        Arithmetic::Divide(left, right) => two(left, "divided by", right),
    }
}
