//! Conditions on aggregates as integer comparisons: fractions are multiplied out, nothing is divided.

use super::ast::{Arithmetic, Comparison, EvalExpr};
use super::measure::{Measures, constant, ranked};
use crate::ir::{self, AggregateCondition, AggregateFunction, Aggregation, Decimal, NumberComparison, Order};

/// A number as a fraction, with what has to hold for it to be one.
struct Fraction {
    numerator: EvalExpr,
    /// `None` stands for 1.
    denominator: Option<EvalExpr>,
    /// Whether the denominator may be below zero.
    signed: bool,
    guards: Vec<EvalExpr>,
}

/// The test of a condition; it is never null, as all counters are filled.
pub(super) fn test(condition: &AggregateCondition, aggregation: &Aggregation, measures: &Measures) -> EvalExpr {
    match condition {
        AggregateCondition::And(parts) => {
            EvalExpr::all(parts.iter().map(|part| test(&part.node, aggregation, measures)).collect())
        }
        AggregateCondition::Or(parts) => {
            EvalExpr::any(parts.iter().map(|part| test(&part.node, aggregation, measures)).collect())
        }
        AggregateCondition::Not(inner) => EvalExpr::unless(test(&inner.node, aggregation, measures)),
        AggregateCondition::Compare { left, operator, right } => {
            if let (Some(index), Some(limit)) = (ranked(left, aggregation), constant(right)) {
                return against(index, *operator, limit, aggregation, measures);
            }
            if let (Some(index), Some(limit)) = (ranked(right, aggregation), constant(left)) {
                return against(index, mirrored(*operator), limit, aggregation, measures);
            }
            let (left, right) = (fraction(left, aggregation), fraction(right, aggregation));
            compare(left, comparison(*operator), right)
        }
    }
}

/// A smallest, largest or ranked value against a constant, by the numbers of values below it and up to it.
fn against(
    index: usize,
    operator: NumberComparison,
    limit: &Decimal,
    aggregation: &Aggregation,
    measures: &Measures,
) -> EvalExpr {
    let Some((less, up_to)) = measures.below.get(&(index, limit.as_str().to_owned())) else {
        return EvalExpr::constant(false);
    };
    let column = |name: &str| EvalExpr::derived(name);
    let total = column(&format!("detc_a{}_n", index + 1));
    let (less, up_to) = (column(less), column(up_to));
    let number = EvalExpr::Integer;
    let some = EvalExpr::compare(total.clone(), Comparison::Greater, number(0));
    // whether the value is at most the constant, and whether it is below it
    let (at_most, below) = match aggregation.aggregates.get(index).map(|aggregate| &aggregate.function) {
        Some(AggregateFunction::Minimum(_)) => (
            EvalExpr::compare(up_to, Comparison::Greater, number(0)),
            EvalExpr::compare(less, Comparison::Greater, number(0)),
        ),
        Some(AggregateFunction::Percentile { percent, .. }) => {
            let (share, whole) = ratio(percent);
            let wanted = EvalExpr::arithmetic(number(share), Arithmetic::Times, total);
            let reached = |count: EvalExpr| {
                let have = EvalExpr::arithmetic(number(whole.saturating_mul(100)), Arithmetic::Times, count);
                EvalExpr::compare(have, Comparison::GreaterOrEqual, wanted.clone())
            };
            (reached(up_to), reached(less))
        }
        Some(
            AggregateFunction::Maximum(_)
            | AggregateFunction::Count
            | AggregateFunction::Distinct(_)
            | AggregateFunction::Sum(_)
            | AggregateFunction::Average(_),
        )
        | None => (EvalExpr::equal(up_to, total.clone()), EvalExpr::equal(less, total)),
    };
    let not = |test: EvalExpr| match test {
        EvalExpr::Compare(left, Comparison::Greater, right) => EvalExpr::Compare(left, Comparison::LessOrEqual, right),
        EvalExpr::Compare(left, Comparison::GreaterOrEqual, right) => EvalExpr::Compare(left, Comparison::Less, right),
        EvalExpr::Compare(left, Comparison::Equal, right) => EvalExpr::Compare(left, Comparison::Less, right),
        other => EvalExpr::unless(other),
    };
    let parts = match operator {
        NumberComparison::Equal => vec![some, at_most, not(below)],
        NumberComparison::NotEqual => vec![some, EvalExpr::any(vec![not(at_most), below])],
        NumberComparison::Ordered(Order::Less) => vec![some, below],
        NumberComparison::Ordered(Order::LessOrEqual) => vec![some, at_most],
        NumberComparison::Ordered(Order::Greater) => vec![some, not(at_most)],
        NumberComparison::Ordered(Order::GreaterOrEqual) => vec![some, not(below)],
    };
    EvalExpr::all(parts)
}

fn fraction(side: &ir::Arithmetic, aggregation: &Aggregation) -> Fraction {
    let plain = |numerator| Fraction { numerator, denominator: None, signed: false, guards: Vec::new() };
    match side {
        ir::Arithmetic::Number(number) => {
            let (numerator, whole) = ratio(number);
            let denominator = (whole != 1).then_some(EvalExpr::Integer(whole));
            Fraction { denominator, ..plain(EvalExpr::Integer(numerator)) }
        }
        ir::Arithmetic::Aggregate(index) => {
            let name = format!("detc_a{}", index + 1);
            let column = |suffix: &str| EvalExpr::derived(format!("{name}{suffix}"));
            let some = || vec![EvalExpr::compare(column("_n"), Comparison::Greater, EvalExpr::Integer(0))];
            match aggregation.aggregates.get(*index).map(|aggregate| &aggregate.function) {
                Some(AggregateFunction::Sum(_)) => Fraction { guards: some(), ..plain(column("_s")) },
                Some(AggregateFunction::Average(_)) => {
                    Fraction { denominator: Some(column("_n")), guards: some(), ..plain(column("_s")) }
                }
                Some(
                    AggregateFunction::Count
                    | AggregateFunction::Distinct(_)
                    | AggregateFunction::Minimum(_)
                    | AggregateFunction::Maximum(_)
                    | AggregateFunction::Percentile { .. },
                )
                | None => plain(column("")),
            }
        }
        ir::Arithmetic::Add(left, right) => sum(left, Arithmetic::Plus, right, aggregation),
        ir::Arithmetic::Subtract(left, right) => sum(left, Arithmetic::Minus, right, aggregation),
        ir::Arithmetic::Multiply(left, right) => {
            let (left, right) = (fraction(left, aggregation), fraction(right, aggregation));
            Fraction {
                numerator: times(Some(left.numerator), Some(right.numerator)).unwrap_or(EvalExpr::Integer(1)),
                denominator: times(left.denominator, right.denominator),
                signed: left.signed || right.signed,
                guards: [left.guards, right.guards].concat(),
            }
        }
        ir::Arithmetic::Divide(left, right) => {
            let by_count = matches!(&**right, ir::Arithmetic::Aggregate(index)
                if aggregation.aggregates.get(*index).is_some_and(|aggregate| is_count(&aggregate.function)));
            let positive = matches!(&**right, ir::Arithmetic::Number(number) if !number.is_negative());
            let (left, right) = (fraction(left, aggregation), fraction(right, aggregation));
            let not_zero = EvalExpr::compare(right.numerator.clone(), Comparison::Different, EvalExpr::Integer(0));
            Fraction {
                numerator: times(Some(left.numerator), right.denominator).unwrap_or(EvalExpr::Integer(1)),
                denominator: times(left.denominator, Some(right.numerator)),
                signed: left.signed || right.signed || !(by_count || positive),
                guards: [left.guards, right.guards, vec![not_zero]].concat(),
            }
        }
    }
}

const fn is_count(function: &AggregateFunction) -> bool {
    matches!(function, AggregateFunction::Count | AggregateFunction::Distinct(_))
}

fn sum(left: &ir::Arithmetic, operator: Arithmetic, right: &ir::Arithmetic, aggregation: &Aggregation) -> Fraction {
    let (left, right) = (fraction(left, aggregation), fraction(right, aggregation));
    let one = || EvalExpr::Integer(1);
    let scaled = |number: EvalExpr, by: &Option<EvalExpr>| times(Some(number), by.clone()).unwrap_or_else(one);
    Fraction {
        numerator: EvalExpr::arithmetic(
            scaled(left.numerator, &right.denominator),
            operator,
            scaled(right.numerator, &left.denominator),
        ),
        denominator: times(left.denominator, right.denominator),
        signed: left.signed || right.signed,
        guards: [left.guards, right.guards].concat(),
    }
}

fn compare(left: Fraction, comparison: Comparison, right: Fraction) -> EvalExpr {
    let one = || EvalExpr::Integer(1);
    let signed = left.signed || right.signed;
    let (mut first, mut second) = (
        times(Some(left.numerator), right.denominator.clone()).unwrap_or_else(one),
        times(Some(right.numerator), left.denominator.clone()).unwrap_or_else(one),
    );
    if signed && let Some(both) = times(left.denominator, right.denominator) {
        // the difference has the sign of itself times the product of the denominators
        let difference = EvalExpr::arithmetic(first, Arithmetic::Minus, second);
        (first, second) = (EvalExpr::arithmetic(difference, Arithmetic::Times, both), EvalExpr::Integer(0));
    }
    let mut parts = [left.guards, right.guards].concat();
    parts.push(EvalExpr::compare(first, comparison, second));
    let mut unique: Vec<EvalExpr> = Vec::new();
    for part in parts {
        if !unique.contains(&part) {
            unique.push(part);
        }
    }
    EvalExpr::all(unique)
}

fn times(left: Option<EvalExpr>, right: Option<EvalExpr>) -> Option<EvalExpr> {
    match (left, right) {
        (Some(EvalExpr::Integer(1)), Some(other)) | (Some(other), Some(EvalExpr::Integer(1))) => Some(other),
        (Some(left), Some(right)) => Some(EvalExpr::arithmetic(left, Arithmetic::Times, right)),
        (Some(only), None) | (None, Some(only)) => Some(only),
        (None, None) => None,
    }
}

/// A decimal as a fraction of whole numbers.
pub(super) fn ratio(number: &Decimal) -> (i64, i64) {
    let text = number.as_str();
    let Some((whole, fraction)) = text.split_once('.') else { return (text.parse().unwrap_or(i64::MAX), 1) };
    let digits = u32::try_from(fraction.len()).unwrap_or(u32::MAX);
    let scale = 10_i64.checked_pow(digits).unwrap_or(i64::MAX);
    (format!("{whole}{fraction}").parse().unwrap_or(i64::MAX), scale)
}

const fn comparison(operator: NumberComparison) -> Comparison {
    match operator {
        NumberComparison::Equal => Comparison::Equal,
        NumberComparison::NotEqual => Comparison::Different,
        NumberComparison::Ordered(Order::Less) => Comparison::Less,
        NumberComparison::Ordered(Order::LessOrEqual) => Comparison::LessOrEqual,
        NumberComparison::Ordered(Order::Greater) => Comparison::Greater,
        NumberComparison::Ordered(Order::GreaterOrEqual) => Comparison::GreaterOrEqual,
    }
}

const fn mirrored(operator: NumberComparison) -> NumberComparison {
    match operator {
        NumberComparison::Equal | NumberComparison::NotEqual => operator,
        NumberComparison::Ordered(Order::Less) => NumberComparison::Ordered(Order::Greater),
        NumberComparison::Ordered(Order::LessOrEqual) => NumberComparison::Ordered(Order::GreaterOrEqual),
        NumberComparison::Ordered(Order::Greater) => NumberComparison::Ordered(Order::Less),
        NumberComparison::Ordered(Order::GreaterOrEqual) => NumberComparison::Ordered(Order::LessOrEqual),
    }
}
