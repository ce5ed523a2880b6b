//! Aggregates that events enter and leave, and conditions on them; exact on whole numbers and decimals.
//!
//! Never makes a number of nothing: an aggregate over no values has none.

use std::collections::{BTreeMap, HashMap};

use super::{Entry, number};
use crate::eval::expression::{Cell, Scope, Shape, Term, Test, fits, predicate, term};
use crate::eval::stage::{self, Tuple};
use crate::eval::{Enrichment, Number};
use crate::ir::{Aggregate, AggregateCondition, AggregateFunction, Arithmetic, NumberComparison, SignalId, Stage};

/// An aggregate, ready to be computed.
#[derive(Debug)]
pub(super) struct Measure {
    signal: SignalId,
    filter: Option<Test>,
    function: Function,
}

#[derive(Debug)]
enum Function {
    Count,
    Distinct(Vec<Term>),
    Sum(Term),
    Average(Term),
    Minimum(Term),
    Maximum(Term),
    /// The number with the share of the values that are at most the result, in percent.
    Percentile(Term, Number),
}

/// What an entry adds to an aggregate.
#[derive(Debug, Clone)]
pub(super) enum Share {
    /// Nothing: it does not count, or has no value.
    Nothing,
    /// One event.
    One,
    /// Different tuples.
    Tuples(Vec<Tuple>),
    /// A number.
    Number(Number),
}

/// The shares of the entries of a window or bucket, put together.
#[derive(Debug, Default)]
pub(super) struct Total {
    count: usize,
    sum: Option<Number>,
    tuples: HashMap<Tuple, usize>,
    numbers: BTreeMap<Number, usize>,
}

impl Measure {
    pub(super) fn new(stage: &Stage, aggregate: &Aggregate) -> Self {
        let function = stage.signal(aggregate.signal).map(|signal| {
            let shape = Shape::of(signal);
            match &aggregate.function {
                AggregateFunction::Count => Function::Count,
                AggregateFunction::Distinct(values) => {
                    Function::Distinct(stage::terms(signal, values.iter().map(|value| &value.node)))
                }
                AggregateFunction::Sum(value) => Function::Sum(term(shape, &value.node)),
                AggregateFunction::Average(value) => Function::Average(term(shape, &value.node)),
                AggregateFunction::Minimum(value) => Function::Minimum(term(shape, &value.node)),
                AggregateFunction::Maximum(value) => Function::Maximum(term(shape, &value.node)),
                AggregateFunction::Percentile { value, percent } => Function::Percentile(
                    term(shape, &value.node),
                    Number::parse(percent.as_str()).unwrap_or(Number::ZERO),
                ),
            }
        });
        let filter = aggregate.filter.as_ref().zip(stage.signal(aggregate.signal));
        Self {
            signal: aggregate.signal,
            filter: filter.map(|(test, signal)| predicate(Shape::of(signal), &test.node)),
            function: function.unwrap_or(Function::Count),
        }
    }

    /// Whether an entry belongs to the aggregate's signal.
    pub(super) fn concerns(&self, entry: &Entry) -> bool {
        entry.is_of(self.signal)
    }

    /// What an entry adds.
    pub(super) fn share(&self, entry: &Entry, enrichment: &Enrichment) -> Share {
        let scope = Scope::new(entry.row.view(), enrichment);
        if !self.concerns(entry) || self.filter.as_ref().is_some_and(|filter| !scope.holds(filter)) {
            return Share::Nothing;
        }
        match &self.function {
            Function::Count => Share::One,
            Function::Distinct(values) => Share::Tuples(stage::texts(&scope, values)),
            Function::Sum(value)
            | Function::Average(value)
            | Function::Minimum(value)
            | Function::Maximum(value)
            | Function::Percentile(value, _) => match scope.value(value) {
                Some(Cell::Number(number)) => Share::Number(number),
                Some(_) | None => Share::Nothing,
            },
        }
    }

    /// The aggregate; nothing where it is one over no values.
    pub(super) fn result(&self, total: &Total) -> Option<Number> {
        match &self.function {
            Function::Count => Some(number(total.count)),
            Function::Distinct(_) => Some(number(total.tuples.len())),
            Function::Sum(_) => total.sum.clone().filter(|_| total.count > 0),
            Function::Average(_) => total.sum.clone().filter(|_| total.count > 0)?.divided_by(&number(total.count)),
            Function::Minimum(_) => total.numbers.first_key_value().map(|(least, _)| least.clone()),
            Function::Maximum(_) => total.numbers.last_key_value().map(|(most, _)| most.clone()),
            Function::Percentile(_, percent) => {
                let rank = percent.times(&number(total.count)).divided_by(&Number::from(100_i64))?.rounded_up();
                let mut below = Number::ZERO;
                let reaches = |(value, times): (&Number, &usize)| {
                    below = below.plus(&number(*times));
                    (below >= rank).then(|| value.clone())
                };
                total.numbers.iter().find_map(reaches)
            }
        }
    }

    fn keeps_numbers(&self) -> bool {
        match self.function {
            Function::Minimum(_) | Function::Maximum(_) | Function::Percentile(..) => true,
            Function::Count | Function::Distinct(_) | Function::Sum(_) | Function::Average(_) => false,
        }
    }

    /// Puts a share to the others.
    pub(super) fn enter(&self, total: &mut Total, share: &Share) {
        match share {
            Share::Nothing => {}
            Share::One => total.count += 1,
            Share::Tuples(tuples) => {
                for tuple in tuples {
                    *total.tuples.entry(tuple.clone()).or_default() += 1;
                }
            }
            Share::Number(value) => {
                total.count += 1;
                if self.keeps_numbers() {
                    *total.numbers.entry(value.clone()).or_default() += 1;
                } else {
                    total.sum = Some(total.sum.as_ref().map_or_else(|| value.clone(), |sum| sum.plus(value)));
                }
            }
        }
    }

    /// Takes a share away again.
    pub(super) fn leave(&self, total: &mut Total, share: &Share) {
        match share {
            Share::Nothing => {}
            Share::One => total.count -= 1,
            Share::Tuples(tuples) => {
                for tuple in tuples {
                    if let Some(count) = total.tuples.get_mut(tuple) {
                        *count -= 1;
                        if *count == 0 {
                            total.tuples.remove(tuple);
                        }
                    }
                }
            }
            Share::Number(value) => {
                total.count -= 1;
                total.sum = total.sum.as_ref().map(|sum| sum.minus(value));
                if let Some(count) = total.numbers.get_mut(value) {
                    *count -= 1;
                    if *count == 0 {
                        total.numbers.remove(value);
                    }
                }
            }
        }
    }
}

/// A condition on aggregates.
#[derive(Debug)]
pub(super) enum Condition {
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Compare(Formula, NumberComparison, Formula),
}

/// Arithmetic over aggregates.
#[derive(Debug)]
pub(super) enum Formula {
    Number(Option<Number>),
    Aggregate(usize),
    Add(Box<Formula>, Box<Formula>),
    Subtract(Box<Formula>, Box<Formula>),
    Multiply(Box<Formula>, Box<Formula>),
    Divide(Box<Formula>, Box<Formula>),
}

impl Condition {
    pub(super) fn new(condition: &AggregateCondition) -> Self {
        match condition {
            AggregateCondition::And(parts) => Self::And(parts.iter().map(|part| Self::new(&part.node)).collect()),
            AggregateCondition::Or(parts) => Self::Or(parts.iter().map(|part| Self::new(&part.node)).collect()),
            AggregateCondition::Not(inner) => Self::Not(Box::new(Self::new(&inner.node))),
            AggregateCondition::Compare { left, operator, right } => {
                Self::Compare(Formula::new(left), *operator, Formula::new(right))
            }
        }
    }

    /// Whether the condition is true of aggregates; a comparison without a number is false.
    pub(super) fn holds(&self, aggregates: &[Option<Number>]) -> bool {
        match self {
            Self::And(parts) => parts.iter().all(|part| part.holds(aggregates)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(aggregates)),
            Self::Not(inner) => !inner.holds(aggregates),
            Self::Compare(left, operator, right) => {
                let (left, right) = (left.value(aggregates), right.value(aggregates));
                let Some(found) = left.zip(right).map(|(left, right)| left.cmp(&right)) else { return false };
                match operator {
                    NumberComparison::Equal => found.is_eq(),
                    NumberComparison::NotEqual => found.is_ne(),
                    NumberComparison::Ordered(order) => fits(found, *order),
                }
            }
        }
    }
}

impl Formula {
    fn new(arithmetic: &Arithmetic) -> Self {
        let both = |one: &Arithmetic, other: &Arithmetic| (Box::new(Self::new(one)), Box::new(Self::new(other)));
        match arithmetic {
            Arithmetic::Number(decimal) => Self::Number(Number::parse(decimal.as_str())),
            Arithmetic::Aggregate(index) => Self::Aggregate(*index),
            Arithmetic::Add(one, other) => {
                let (one, other) = both(one, other);
                Self::Add(one, other)
            }
            Arithmetic::Subtract(one, other) => {
                let (one, other) = both(one, other);
                Self::Subtract(one, other)
            }
            Arithmetic::Multiply(one, other) => {
                let (one, other) = both(one, other);
                Self::Multiply(one, other)
            }
            Arithmetic::Divide(one, other) => {
                let (one, other) = both(one, other);
                Self::Divide(one, other)
            }
        }
    }

    fn value(&self, aggregates: &[Option<Number>]) -> Option<Number> {
        let both = |one: &Self, other: &Self| Some((one.value(aggregates)?, other.value(aggregates)?));
        match self {
            Self::Number(number) => number.clone(),
            Self::Aggregate(index) => aggregates.get(*index).cloned().flatten(),
            Self::Add(one, other) => both(one, other).map(|(one, other)| one.plus(&other)),
            Self::Subtract(one, other) => both(one, other).map(|(one, other)| one.minus(&other)),
            Self::Multiply(one, other) => both(one, other).map(|(one, other)| one.times(&other)),
            Self::Divide(one, other) => both(one, other).and_then(|(one, other)| one.divided_by(&other)),
        }
    }
}
