//! Turns aggregates and conditions on them into columns of `STATS`.
//!
//! Never counts different values by `COUNT_DISTINCT`, which estimates.

use super::ast::{Command, Expression, Name, Operator};
use super::draft::Draft;
use super::packing::{Packed, encode};
use super::predicate::operator;
use super::value::{Operand, as_text, non_empty};
use crate::backend::ReasonCode;
use crate::ir::{
    Aggregate, AggregateCondition, AggregateFunction, Arithmetic, Decimal, NumberComparison, SignalId, Value,
};
use crate::schema::Type;
use crate::source::{Span, Spanned};

/// An aggregate as columns.
#[derive(Debug, Clone)]
pub struct Measured {
    /// What an event adds, where that is not simply one: its column, and its value.
    pub input: Option<(Packed, Expression)>,
    /// Columns of `STATS`.
    pub stats: Vec<(Name, Expression)>,
    /// Columns that follow `STATS`.
    pub after: Vec<(Name, Expression)>,
    /// The number; null over no values.
    pub number: Expression,
    /// Sum and number of values, for a mean, which is compared without a division.
    pub mean: Option<(Expression, Expression)>,
}

impl Draft<'_> {
    /// The columns of an aggregate; `index` makes their names.
    pub(super) fn measure(&mut self, index: usize, aggregate: &Aggregate) -> Option<Measured> {
        self.measure_of(index, aggregate, None)
    }

    /// The same; `spread` is the value of a distinct whose list has been spread.
    pub(super) fn measure_of(
        &mut self,
        index: usize,
        aggregate: &Aggregate,
        spread: Option<Expression>,
    ) -> Option<Measured> {
        let counts = self.counts(aggregate);
        let counts = counts?;
        let own = |stem: &str| Name::own(format!("{stem}_{}", index + 1));
        let (input, result) = (own("value"), own("number"));
        let value = || Expression::Column(input.clone());
        let column = || Expression::Column(result.clone());
        let packed = |ty: Type| Packed { name: input.clone(), value: value(), text: encode(value(), &ty), ty };
        match &aggregate.function {
            AggregateFunction::Count if counts == Expression::Bool(true) => Some(Measured {
                input: None,
                stats: vec![(result.clone(), Expression::Call("COUNT", vec![Expression::own("time")]))],
                after: Vec::new(),
                number: column(),
                mean: None,
            }),
            AggregateFunction::Count => Some(Measured {
                input: Some((packed(Type::Int), Expression::flag(counts))),
                stats: vec![(result.clone(), Expression::Call("SUM", vec![value()]))],
                after: Vec::new(),
                number: column(),
                mean: None,
            }),
            AggregateFunction::Distinct(values) => {
                let tuple = match spread {
                    Some(value) => value,
                    None => self.tuple(aggregate.signal, values)?,
                };
                let tuple = Expression::case(counts, tuple, Expression::Null);
                let found = Expression::Call("MV_COUNT", vec![column()]);
                Some(Measured {
                    input: Some((packed(Type::Text), tuple)),
                    stats: vec![(result.clone(), Expression::Call("VALUES", vec![value()]))],
                    after: vec![(result.clone(), Expression::Call("COALESCE", vec![found, Expression::number(0)]))],
                    number: column(),
                    mean: None,
                })
            }
            AggregateFunction::Sum(value_of)
            | AggregateFunction::Average(value_of)
            | AggregateFunction::Minimum(value_of)
            | AggregateFunction::Maximum(value_of)
            | AggregateFunction::Percentile { value: value_of, .. } => {
                let operand = self.number_of(aggregate.signal, value_of)?;
                let adds = matches!(aggregate.function, AggregateFunction::Sum(_) | AggregateFunction::Average(_));
                if adds && operand.ty == Type::Float {
                    self.verdict.add(
                        ReasonCode::FloatSum,
                        value_of.span,
                        "sums of decimals are rounded, so a sum that is equal to the limit can fall on either side",
                    );
                }
                let input =
                    (packed(operand.ty.clone()), Expression::case(counts, operand.expression, Expression::Null));
                let (stats, number, mean) = self.statistic(aggregate, &own("amount"), &result, value());
                Some(Measured { input: Some(input), stats, after: Vec::new(), number, mean })
            }
        }
    }

    #[expect(clippy::type_complexity, reason = "the columns, the number and what a mean is made of")]
    fn statistic(
        &mut self,
        aggregate: &Aggregate,
        amount: &Name,
        result: &Name,
        value: Expression,
    ) -> (Vec<(Name, Expression)>, Expression, Option<(Expression, Expression)>) {
        let column = Expression::Column(result.clone());
        let one = |function: &'static str| vec![(result.clone(), Expression::Call(function, vec![value.clone()]))];
        match &aggregate.function {
            AggregateFunction::Minimum(_) => (one("MIN"), column, None),
            AggregateFunction::Maximum(_) => (one("MAX"), column, None),
            AggregateFunction::Percentile { percent, .. } => {
                self.verdict.add(
                    ReasonCode::PercentileInterpolated,
                    aggregate.span,
                    "ES|QL estimates percentiles and interpolates between values, where the detection takes the nearest rank",
                );
                let arguments = vec![value, Expression::number(percent)];
                (vec![(result.clone(), Expression::Call("PERCENTILE", arguments))], column, None)
            }
            AggregateFunction::Average(_) => {
                let mut stats = one("SUM");
                stats.push((amount.clone(), Expression::Call("COUNT", vec![value])));
                let amount = Expression::Column(amount.clone());
                let quotient =
                    Expression::Call("TO_DOUBLE", vec![column.clone()]).binary(Operator::Divide, amount.clone());
                (stats, quotient, Some((column, amount)))
            }
            AggregateFunction::Sum(_) | AggregateFunction::Count | AggregateFunction::Distinct(_) => {
                (one("SUM"), column, None)
            }
        }
    }

    /// Whether an event counts: it is of the signal and passes the aggregate's own test.
    fn counts(&mut self, aggregate: &Aggregate) -> Option<Expression> {
        let is = self.is(aggregate.signal);
        let Some(filter) = &aggregate.filter else { return Some(is) };
        let test = self.values(aggregate.signal, filter.span)?.predicate(filter);
        Some(Expression::all([is, test.yes]))
    }

    /// A single list, spread over a row for each of its different values; nothing else is touched.
    pub(super) fn spread_list(&mut self, signal: SignalId, values: &[Spanned<Value>]) -> Option<Expression> {
        let [only] = values else { return None };
        let Value::Field(field) = &only.node else { return None };
        if !matches!(field.ty, Type::List(_)) {
            return None;
        }
        let operand = self.values(signal, only.span)?.value(&only.node)?;
        let name = Name::own("element");
        self.eval(vec![(name.clone(), Expression::Call("MV_DEDUPE", vec![operand.expression]))]);
        self.commands.push(Command::Expand(name.clone()));
        let element = Expression::Column(name);
        Some(if operand.ty == Type::Text { non_empty(element) } else { Expression::Call("TO_STRING", vec![element]) })
    }

    /// Several values as one text that is null where one is missing.
    pub(super) fn tuple(&mut self, signal: SignalId, values: &[Spanned<Value>]) -> Option<Expression> {
        let found: Vec<_> =
            values.iter().map(|value| Some(as_text(self.values(signal, value.span)?.single(&value.node)?))).collect();
        let found: Vec<Expression> = found.into_iter().collect::<Option<_>>()?;
        if let [only] = found.as_slice() {
            return Some(only.clone());
        }
        let mut parts = Vec::new();
        for (index, part) in found.into_iter().enumerate() {
            if index > 0 {
                parts.push(Expression::text(" "));
            }
            parts.push(Expression::Call("TO_BASE64", vec![part]));
        }
        Some(Expression::Call("CONCAT", parts))
    }

    fn number_of(&mut self, signal: SignalId, value: &Spanned<Value>) -> Option<Operand> {
        let operand = self.values(signal, value.span)?.value(&value.node)?;
        if operand.ty.is_number() && !operand.is_list && !operand.is_respelled {
            return Some(operand);
        }
        self.verdict.add(
            ReasonCode::UnsupportedExpression,
            value.span,
            format!("the index keeps this value as {}, which ES|QL does not add up as the detection does", operand.ty),
        );
        None
    }

    /// The condition on the numbers.
    pub(super) fn judged(
        &mut self,
        condition: &Spanned<AggregateCondition>,
        measured: &[Measured],
    ) -> Option<Expression> {
        match &condition.node {
            AggregateCondition::And(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.judged(part, measured)).collect();
                Some(Expression::all(parts.into_iter().collect::<Option<Vec<_>>>()?))
            }
            AggregateCondition::Or(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.judged(part, measured)).collect();
                Some(Expression::any(parts.into_iter().collect::<Option<Vec<_>>>()?))
            }
            AggregateCondition::Not(inner) => Some(self.judged(inner, measured)?.denied()),
            AggregateCondition::Compare { left, operator, right } => {
                if is_rounded(left) || is_rounded(right) {
                    self.rounded(condition.span);
                }
                compare(left, *operator, right, measured)
            }
        }
    }

    fn rounded(&mut self, span: Span) {
        self.verdict.add(
            ReasonCode::FloatSum,
            span,
            "arithmetic with fractions is rounded, so a number that is equal to the limit can fall on either side",
        );
    }
}

fn compare(
    left: &Arithmetic,
    comparison: NumberComparison,
    right: &Arithmetic,
    measured: &[Measured],
) -> Option<Expression> {
    let sign = match comparison {
        NumberComparison::Equal => Operator::Equal,
        NumberComparison::NotEqual => Operator::NotEqual,
        NumberComparison::Ordered(order) => operator(order),
    };
    let mean = |side: &Arithmetic| match side {
        Arithmetic::Aggregate(index) => measured.get(*index)?.mean.clone(),
        Arithmetic::Number(_)
        | Arithmetic::Add(..)
        | Arithmetic::Subtract(..)
        | Arithmetic::Multiply(..)
        | Arithmetic::Divide(..) => None,
    };
    // A mean above a limit is a sum above the limit times the number of values.
    Some(match (mean(left), mean(right)) {
        (Some((sum, amount)), None) if matches!(right, Arithmetic::Number(_)) => {
            sum.binary(sign, amount.binary(Operator::Times, number(right, measured)?))
        }
        (None, Some((sum, amount))) if matches!(left, Arithmetic::Number(_)) => {
            amount.binary(Operator::Times, number(left, measured)?).binary(sign, sum)
        }
        (None | Some(_), None | Some(_)) => number(left, measured)?.binary(sign, number(right, measured)?),
    })
}

fn number(arithmetic: &Arithmetic, measured: &[Measured]) -> Option<Expression> {
    let pair = |left: &Arithmetic, operator: Operator, right: &Arithmetic| {
        Some(number(left, measured)?.binary(operator, number(right, measured)?))
    };
    match arithmetic {
        Arithmetic::Number(number) => Some(Expression::number(number)),
        Arithmetic::Aggregate(index) => Some(measured.get(*index)?.number.clone()),
        Arithmetic::Add(left, right) => pair(left, Operator::Plus, right),
        Arithmetic::Subtract(left, right) => pair(left, Operator::Minus, right),
        Arithmetic::Multiply(left, right) => pair(left, Operator::Times, right),
        // A division of whole numbers would drop the fraction; one by zero gives null, which passes no comparison.
        Arithmetic::Divide(left, right) => {
            let left = Expression::Call("TO_DOUBLE", vec![number(left, measured)?]);
            Some(left.binary(Operator::Divide, number(right, measured)?))
        }
    }
}

/// Whether rounding can decide: a single quotient of whole numbers is compared as exactly as they are written.
fn is_rounded(arithmetic: &Arithmetic) -> bool {
    match arithmetic {
        Arithmetic::Number(_) | Arithmetic::Aggregate(_) => false,
        Arithmetic::Divide(left, right) => has_fraction(left) || has_fraction(right),
        Arithmetic::Add(left, right) | Arithmetic::Subtract(left, right) | Arithmetic::Multiply(left, right) => {
            has_fraction(left) || has_fraction(right)
        }
    }
}

fn has_fraction(arithmetic: &Arithmetic) -> bool {
    match arithmetic {
        Arithmetic::Number(number) => !Decimal::is_whole(number),
        Arithmetic::Aggregate(_) => false,
        Arithmetic::Divide(..) => true,
        Arithmetic::Add(left, right) | Arithmetic::Subtract(left, right) | Arithmetic::Multiply(left, right) => {
            has_fraction(left) || has_fraction(right)
        }
    }
}
