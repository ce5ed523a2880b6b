//! The numbers of a window as columns: what each event adds, and the condition over what they add up to.
//!
//! Never divides: ratios and means are compared crosswise, so that whole numbers stay exact.

use super::ast::{Expr, Kind, Operator};
use super::columns::aggregate_type;
use super::rows::{Form, Wanted};
use crate::ir::{
    Aggregate, AggregateCondition, AggregateFunction, Arithmetic, Decimal, NumberComparison, Order, SignalId, Value,
};
use crate::schema::Type;
use crate::source::Spanned;

/// A number that events add up to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part {
    /// Column that holds it.
    pub(super) name: String,
    /// Index of the aggregate.
    pub(super) aggregate: usize,
    /// What it is.
    pub(super) what: What,
    /// Its type.
    pub(super) kind: Kind,
}

/// What a part is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum What {
    /// Number of events.
    Events,
    /// Number of events with a value.
    Values,
    /// Number of events whose value passes a comparison.
    Passing(Operator, Expr),
    /// Sum of the values.
    Sum,
    /// Number of different tuples.
    Distinct,
    /// Smallest, largest or n-th value, which no counter gives.
    Extreme,
}

/// Aggregates over rows, and the parts that have been asked for.
#[derive(Debug)]
pub(super) struct Measures<'a> {
    /// The aggregates.
    pub(super) aggregates: &'a [Aggregate],
    /// The parts, each once.
    pub(super) parts: Vec<Part>,
    /// Whether every row belongs to the one signal.
    one_signal: bool,
}

impl<'a> Measures<'a> {
    /// No parts yet.
    pub(super) const fn of(aggregates: &'a [Aggregate], one_signal: bool) -> Self {
        Self { aggregates, parts: Vec::new(), one_signal }
    }

    /// The columns that rows need.
    pub(super) fn wanted(&self) -> Vec<Wanted<'a>> {
        let mut wanted = Vec::new();
        for (index, aggregate) in self.aggregates.iter().enumerate() {
            if !(self.one_signal && aggregate.filter.is_none()) {
                wanted.push(Wanted::test(&inside_name(index), aggregate.signal, aggregate.filter.as_ref()));
            }
            match &aggregate.function {
                AggregateFunction::Count => {}
                AggregateFunction::Distinct(values) => wanted.extend(tuple(index, aggregate.signal, values)),
                AggregateFunction::Sum(value)
                | AggregateFunction::Average(value)
                | AggregateFunction::Minimum(value)
                | AggregateFunction::Maximum(value)
                | AggregateFunction::Percentile { value, .. } => {
                    let values = vec![(aggregate.signal, &value.node)];
                    wanted.push(Wanted::value(&value_name(index), values, Form::Shown));
                }
            }
        }
        wanted
    }

    /// The condition that a row counts for an aggregate.
    pub(super) fn inside(&self, index: usize) -> Expr {
        let all = self.aggregates.get(index).is_some_and(|aggregate| self.one_signal && aggregate.filter.is_none());
        if all { Expr::Bool(true) } else { Expr::column(inside_name(index)) }
    }

    /// The condition that a row adds one to a part that counts rows.
    pub(super) fn counted(&self, part: &Part) -> Expr {
        let value = Expr::column(value_name(part.aggregate));
        let test = match &part.what {
            What::Events | What::Sum | What::Distinct => Expr::Bool(true),
            What::Values | What::Extreme => Expr::call("isnotnull", value),
            What::Passing(operator, bound) => Expr::infix(value, *operator, bound.clone()).or_else(Expr::Bool(false)),
        };
        Expr::all([self.inside(part.aggregate), test])
    }

    /// What a row adds to a sum.
    pub(super) fn summed(&self, part: &Part) -> Expr {
        let value = Expr::column(value_name(part.aggregate)).or_else(zero(part.kind));
        choose(self.inside(part.aggregate), value, zero(part.kind))
    }

    /// The part of an aggregate, as a column.
    pub(super) fn part(&mut self, aggregate: usize, what: What) -> Expr {
        let kind = match (&what, self.aggregates.get(aggregate)) {
            (What::Sum | What::Extreme, Some(aggregate)) => Kind::of(&summed_type(aggregate)),
            _ => Kind::Long,
        };
        let known = self.parts.iter().find(|part| part.aggregate == aggregate && part.what == what);
        if let Some(part) = known {
            return Expr::column(&part.name);
        }
        let name = format!("detc_number_{}", self.parts.len() + 1);
        self.parts.push(Part { name: name.clone(), aggregate, what, kind });
        Expr::column(name)
    }

    /// Whether counters are not enough.
    pub(super) fn needs_events(&self) -> bool {
        self.parts.iter().any(|part| part.what == What::Extreme)
    }

    /// An aggregate as a number; null over no values.
    pub(super) fn number(&mut self, index: usize) -> Option<Expr> {
        Some(match &self.aggregates.get(index)?.function {
            AggregateFunction::Count => self.part(index, What::Events),
            AggregateFunction::Distinct(_) => self.part(index, What::Distinct),
            AggregateFunction::Sum(value) => {
                let kind = Kind::of(&numeric(&value.node));
                let sum = self.part(index, What::Sum);
                self.some_values(index).choose(sum, Expr::Null(kind))
            }
            AggregateFunction::Average(_) => {
                let sum = Expr::call("toreal", self.part(index, What::Sum));
                let mean = Expr::infix(sum, Operator::Divide, self.part(index, What::Values));
                self.some_values(index).choose(mean, Expr::Null(Kind::Real))
            }
            AggregateFunction::Minimum(_) | AggregateFunction::Maximum(_) | AggregateFunction::Percentile { .. } => {
                self.part(index, What::Extreme)
            }
        })
    }

    fn some_values(&mut self, index: usize) -> Expr {
        Expr::infix(self.part(index, What::Values), Operator::Greater, Expr::Int(0))
    }

    /// The condition over the parts; never null.
    pub(super) fn condition(&mut self, condition: &AggregateCondition) -> Option<Expr> {
        Some(match condition {
            AggregateCondition::And(parts) => {
                Expr::all(parts.iter().map(|part| self.condition(&part.node)).collect::<Option<Vec<Expr>>>()?)
            }
            AggregateCondition::Or(parts) => {
                Expr::any(parts.iter().map(|part| self.condition(&part.node)).collect::<Option<Vec<Expr>>>()?)
            }
            AggregateCondition::Not(inner) => self.condition(&inner.node)?.not(),
            AggregateCondition::Compare { left, operator, right } => {
                if let Some(expr) = self.against_constant(left, *operator, right) {
                    return Some(expr);
                }
                if let Some(expr) = self.against_constant(right, mirrored(*operator), left) {
                    return Some(expr);
                }
                let (left, right) = (self.ratio(left)?, self.ratio(right)?);
                let operator = match operator {
                    NumberComparison::Equal => Operator::Equal,
                    NumberComparison::NotEqual => Operator::NotEqual,
                    NumberComparison::Ordered(order) => ordered(*order),
                };
                let nullable = left.nullable || right.nullable;
                // Crosswise; a divisor that may be negative is squared away.
                let sign = |ratio: &Ratio| ratio.divisor.clone().filter(|_| !ratio.positive);
                let signs = [sign(&left), sign(&right)];
                let mut sides = [times(left.number, right.divisor), times(right.number, left.divisor)];
                for sign in signs.into_iter().flatten() {
                    sides = sides.map(|side| times(side, Some(sign.clone())));
                }
                let [one, other] = sides;
                let mut tests = left.guards;
                tests.extend(right.guards);
                tests.push(Expr::infix(one, operator, other));
                let compared = Expr::all(tests);
                if nullable { compared.or_else(Expr::Bool(false)) } else { compared }
            }
        })
    }

    /// A comparison of a smallest, largest or n-th value with a constant, which counting decides.
    fn against_constant(&mut self, one: &Arithmetic, how: NumberComparison, other: &Arithmetic) -> Option<Expr> {
        let (Arithmetic::Aggregate(index), Arithmetic::Number(bound)) = (one, other) else { return None };
        let (index, bound) = (*index, constant(bound));
        let nothing = Expr::Int(0);
        let aggregates = self.aggregates;
        let mut passing = |operator| self.part(index, What::Passing(operator, bound.clone()));
        // Above: the number is over the bound; from: it is at least the bound.
        let (above, from) = match &aggregates.get(index)?.function {
            AggregateFunction::Maximum(_) => (
                Expr::infix(passing(Operator::Greater), Operator::Greater, nothing.clone()),
                Expr::infix(passing(Operator::GreaterOrEqual), Operator::Greater, nothing),
            ),
            AggregateFunction::Minimum(_) => {
                let (below, to) = (passing(Operator::Less), passing(Operator::LessOrEqual));
                (to.equals(nothing.clone()), below.equals(nothing))
            }
            AggregateFunction::Percentile { percent, .. } => {
                let (below, to) = (passing(Operator::Less), passing(Operator::LessOrEqual));
                let (percent, scale) = scaled(percent)?;
                let rank = times(self.part(index, What::Values), Some(Expr::Int(percent)));
                let fewer = |count: Expr| {
                    let count = times(count, Some(Expr::Int(scale.saturating_mul(100))));
                    Expr::infix(count, Operator::Less, rank.clone())
                };
                (fewer(to), fewer(below))
            }
            AggregateFunction::Count
            | AggregateFunction::Distinct(_)
            | AggregateFunction::Sum(_)
            | AggregateFunction::Average(_) => return None,
        };
        let some = self.some_values(index);
        Some(match how {
            NumberComparison::Ordered(Order::Greater) => Expr::all([some, above]),
            NumberComparison::Ordered(Order::GreaterOrEqual) => Expr::all([some, from]),
            NumberComparison::Ordered(Order::Less) => Expr::all([some, from.not()]),
            NumberComparison::Ordered(Order::LessOrEqual) => Expr::all([some, above.not()]),
            NumberComparison::Equal => Expr::all([some, from, above.not()]),
            NumberComparison::NotEqual => Expr::all([some, Expr::any([from.not(), above])]),
        })
    }

    fn ratio(&mut self, arithmetic: &Arithmetic) -> Option<Ratio> {
        Some(match arithmetic {
            Arithmetic::Number(number) => match scaled(number) {
                Some((number, 1)) => Ratio::whole(Expr::Int(number), false),
                Some((number, scale)) => {
                    Ratio { divisor: Some(Expr::Int(scale)), ..Ratio::whole(Expr::Int(number), false) }
                }
                None => Ratio::whole(Expr::Real(number.to_string()), false),
            },
            Arithmetic::Aggregate(index) => self.aggregate_ratio(*index)?,
            Arithmetic::Add(one, other) => self.ratio(one)?.plus(Operator::Add, self.ratio(other)?),
            Arithmetic::Subtract(one, other) => self.ratio(one)?.plus(Operator::Subtract, self.ratio(other)?),
            Arithmetic::Multiply(one, other) => {
                let (one, other) = (self.ratio(one)?, self.ratio(other)?);
                let (number, counts) =
                    (times(one.number.clone(), Some(other.number.clone())), one.counts && other.counts);
                Ratio { number, counts, ..one.beside(other) }
            }
            Arithmetic::Divide(one, other) => {
                let (one, other) = (self.ratio(one)?, self.ratio(other)?);
                let zero = Expr::infix(other.number.clone(), Operator::NotEqual, Expr::Int(0));
                let nonzero_constant = matches!(&other.number, Expr::Int(number) if *number != 0);
                let positive = matches!(&other.number, Expr::Int(number) if *number > 0) || other.counts;
                let number = times(one.number.clone(), other.divisor.clone());
                let divisor = one
                    .divisor
                    .clone()
                    .map_or_else(|| other.number.clone(), |divisor| times(divisor, Some(other.number.clone())));
                let mut guards = one.guards.clone();
                guards.extend(other.guards.clone());
                if !nonzero_constant {
                    guards.push(zero);
                }
                // The divisor of the divisor may have any sign, too, and moves to the top.
                let positive = one.positive && other.positive && positive;
                let nullable = one.nullable || other.nullable;
                Ratio { number, divisor: Some(divisor), positive, guards, nullable, counts: false }
            }
        })
    }

    fn aggregate_ratio(&mut self, index: usize) -> Option<Ratio> {
        Some(match &self.aggregates.get(index)?.function {
            AggregateFunction::Count => Ratio::whole(self.part(index, What::Events), true),
            AggregateFunction::Distinct(_) => Ratio::whole(self.part(index, What::Distinct), true),
            AggregateFunction::Sum(_) => {
                let guards = vec![self.some_values(index)];
                Ratio { guards, ..Ratio::whole(self.part(index, What::Sum), false) }
            }
            AggregateFunction::Average(_) => {
                let guards = vec![self.some_values(index)];
                let divisor = Some(self.part(index, What::Values));
                Ratio { guards, divisor, ..Ratio::whole(self.part(index, What::Sum), false) }
            }
            AggregateFunction::Minimum(_) | AggregateFunction::Maximum(_) | AggregateFunction::Percentile { .. } => {
                let value = self.part(index, What::Extreme);
                let guards = vec![Expr::call("isnotnull", value.clone())];
                Ratio { guards, nullable: true, ..Ratio::whole(value, false) }
            }
        })
    }
}

/// A number as a quotient, with what has to hold for it to be one.
#[derive(Debug, Clone)]
struct Ratio {
    number: Expr,
    divisor: Option<Expr>,
    /// Whether the divisor is above zero where the guards hold.
    positive: bool,
    guards: Vec<Expr>,
    nullable: bool,
    /// Whether the number is never below zero.
    counts: bool,
}

impl Ratio {
    const fn whole(number: Expr, counts: bool) -> Self {
        Self { number, divisor: None, positive: true, guards: Vec::new(), nullable: false, counts }
    }

    /// Guards and divisors of both.
    fn beside(self, other: Self) -> Self {
        let divisor = match (self.divisor, other.divisor) {
            (Some(one), Some(other)) => Some(times(one, Some(other))),
            (one, other) => one.or(other),
        };
        let mut guards = self.guards;
        guards.extend(other.guards);
        let (positive, nullable) = (self.positive && other.positive, self.nullable || other.nullable);
        Self { number: self.number, divisor, positive, guards, nullable, counts: false }
    }

    fn plus(self, operator: Operator, other: Self) -> Self {
        let left = times(self.number.clone(), other.divisor.clone());
        let right = times(other.number.clone(), self.divisor.clone());
        let counts = operator == Operator::Add
            && self.counts
            && other.counts
            && self.divisor.is_none()
            && other.divisor.is_none();
        let number = Expr::infix(left, operator, right);
        Self { number, counts, ..self.beside(other) }
    }
}

/// The columns of a tuple of values.
fn tuple<'a>(index: usize, signal: SignalId, values: &'a [Spanned<Value>]) -> Vec<Wanted<'a>> {
    let names = tuple_names(index, values.len());
    let columns = values.iter().zip(names).map(|(value, name)| {
        let listed = matches!(value.node.ty(), Type::List(_));
        let form = if listed { Form::Elements } else { Form::Text };
        Wanted::value(&name, vec![(signal, &value.node)], form)
    });
    columns.collect()
}

/// Names of the columns that hold a tuple of an aggregate.
pub(super) fn tuple_names(index: usize, values: usize) -> Vec<String> {
    (1..=values).map(|value| format!("detc_value_{}_{value}", index + 1)).collect()
}

/// Name of the column that holds the value of an aggregate.
pub(super) fn value_name(index: usize) -> String {
    format!("detc_value_{}", index + 1)
}

fn inside_name(index: usize) -> String {
    format!("detc_in_{}", index + 1)
}

/// The type of what an aggregate adds up or picks.
fn summed_type(aggregate: &Aggregate) -> Type {
    match &aggregate.function {
        AggregateFunction::Average(value) => numeric(&value.node),
        AggregateFunction::Count
        | AggregateFunction::Distinct(_)
        | AggregateFunction::Sum(_)
        | AggregateFunction::Minimum(_)
        | AggregateFunction::Maximum(_)
        | AggregateFunction::Percentile { .. } => aggregate_type(aggregate),
    }
}

fn numeric(value: &Value) -> Type {
    if value.ty() == Type::Int { Type::Int } else { Type::Float }
}

/// Zero of a type, so that columns of one name have one type.
pub(super) fn zero(kind: Kind) -> Expr {
    if kind == Kind::Real { Expr::Real("0.0".to_owned()) } else { Expr::Int(0) }
}

/// `iff` where the condition is not settled.
pub(super) fn choose(condition: Expr, yes: Expr, no: Expr) -> Expr {
    if condition == Expr::Bool(true) { yes } else { condition.choose(yes, no) }
}

/// A product, plain where a factor is one.
pub(super) fn times(one: Expr, other: Option<Expr>) -> Expr {
    match other {
        None | Some(Expr::Int(1)) => one,
        Some(other) if one == Expr::Int(1) => other,
        Some(other) => Expr::infix(one, Operator::Multiply, other),
    }
}

/// A constant.
pub(super) fn constant(number: &Decimal) -> Expr {
    number.as_str().parse().map_or_else(|_| Expr::Real(number.to_string()), Expr::Int)
}

/// A decimal as a whole number and the power of ten that divides it; `None` where that is too large.
pub(super) fn scaled(number: &Decimal) -> Option<(i64, i64)> {
    let (whole, fraction) = number.as_str().split_once('.').unwrap_or((number.as_str(), ""));
    let fraction = if fraction == "0" { "" } else { fraction };
    let digits = u32::try_from(fraction.len()).ok().filter(|digits| *digits < 10)?;
    Some((format!("{whole}{fraction}").parse().ok()?, 10_i64.pow(digits)))
}

fn mirrored(comparison: NumberComparison) -> NumberComparison {
    match comparison {
        NumberComparison::Equal => NumberComparison::Equal,
        NumberComparison::NotEqual => NumberComparison::NotEqual,
        NumberComparison::Ordered(order) => NumberComparison::Ordered(match order {
            Order::Less => Order::Greater,
            Order::LessOrEqual => Order::GreaterOrEqual,
            Order::Greater => Order::Less,
            Order::GreaterOrEqual => Order::LessOrEqual,
        }),
    }
}

const fn ordered(order: Order) -> Operator {
    match order {
        Order::Less => Operator::Less,
        Order::LessOrEqual => Operator::LessOrEqual,
        Order::Greater => Operator::Greater,
        Order::GreaterOrEqual => Operator::GreaterOrEqual,
    }
}
