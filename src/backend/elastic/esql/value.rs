//! Turns values into ES|QL expressions that are null exactly where the value is missing.
//!
//! Never hands out the empty text: it counts as missing, so it becomes null.

use super::ast::{Expression, Name, Operator};
use super::condition::column;
use crate::backend::elastic::eql::lower::{Bound, Lowering};
use crate::backend::elastic::options::Options;
use crate::backend::{ReasonCode, Verdict};
use crate::ir::{Call, Literal, Predicate, Value};
use crate::schema::mapping::FieldMap;
use crate::schema::{Case, Type};
use crate::source::{Span, Spanned};

/// Milliseconds of an hour.
const HOUR: u64 = 3_600_000;

/// Milliseconds of a day.
const DAY: u64 = 86_400_000;

/// A value of an event.
#[derive(Debug, Clone)]
pub struct Operand {
    /// Null where the value is missing.
    pub expression: Expression,
    /// Its type on the target, that of the elements for a list.
    pub ty: Type,
    /// Whether it can hold several values.
    pub is_list: bool,
    /// Whether the index spells the values in its own way.
    pub is_respelled: bool,
    /// Whether the index loses the canonical casing of the values.
    pub loses_case: bool,
}

impl Operand {
    const fn scalar(expression: Expression, ty: Type) -> Self {
        Self { expression, ty, is_list: false, is_respelled: false, loses_case: false }
    }
}

/// Turns the values of one signal's events.
pub struct Values<'a> {
    /// Fields of the source on the target.
    pub map: &'a FieldMap,
    /// Options of the target.
    pub options: &'a Options,
    /// Takes the reasons.
    pub verdict: &'a mut Verdict,
    /// Where the value stands.
    pub span: Span,
}

impl Values<'_> {
    /// The value; `None` where ES|QL cannot reach it, which is a reason.
    pub fn value(&mut self, value: &Value) -> Option<Operand> {
        match value {
            Value::Field(field) => {
                let bound = self.lowering().field(field)?;
                Some(operand(&bound))
            }
            Value::NameValue(_) => {
                let bound = self.lowering().join_key(value)?;
                Some(operand(&bound))
            }
            Value::Time => Some(Operand::scalar(self.time(), Type::Time)),
            Value::Literal(literal) => Some(Operand::scalar(constant(literal), literal.ty())),
            Value::Call(call) => self.call(call),
            Value::Element(_) | Value::First(_) => {
                self.unsupported("ES|QL takes no single value out of a list of objects; use a field")
            }
        }
    }

    /// The event's time as the target has it.
    pub fn time(&self) -> Expression {
        Expression::Column(Name(vec![self.map.time.clone()]))
    }

    /// The event's time in milliseconds since 1970.
    pub fn milliseconds(time: Expression) -> Expression {
        Expression::Call("TO_LONG", vec![time])
    }

    pub(super) fn lowering(&mut self) -> Lowering<'_> {
        Lowering::new(self.map, self.options, self.verdict, self.span).for_esql()
    }

    pub(super) fn unsupported<T>(&mut self, message: impl Into<String>) -> Option<T> {
        self.verdict.add(ReasonCode::UnsupportedExpression, self.span, message);
        None
    }

    /// The value as text; null where it is missing.
    pub fn text(&mut self, value: &Value) -> Option<Expression> {
        let operand = self.single(value)?;
        Some(as_text(operand))
    }

    /// A value that is no list.
    pub fn single(&mut self, value: &Value) -> Option<Operand> {
        let operand = self.value(value)?;
        if operand.is_list {
            return self.unsupported("ES|QL compares no field of several values; compare a field of one value");
        }
        Some(operand)
    }

    fn call(&mut self, call: &Call) -> Option<Operand> {
        let text = |expression| Some(Operand::scalar(expression, Type::Text));
        let number = |expression| Some(Operand::scalar(expression, Type::Int));
        match call {
            Call::Length(value) => {
                let operand = self.value(value)?;
                if operand.is_list {
                    let count = Expression::Call("MV_COUNT", vec![operand.expression]);
                    return number(Expression::Call("COALESCE", vec![count, Expression::number(0)]));
                }
                number(Expression::Call("LENGTH", vec![as_text(operand)]))
            }
            Call::Lower(value) => text(Expression::Call("TO_LOWER", vec![self.text(value)?])),
            Call::Upper(value) => text(Expression::Call("TO_UPPER", vec![self.text(value)?])),
            Call::Coalesce(values) => self.coalesce(values),
            Call::Choose(branches) => self.chosen(branches),
            Call::Concat(values) => {
                let parts: Vec<_> = values.iter().map(|value| self.text(value)).collect();
                text(Expression::Call("CONCAT", parts.into_iter().collect::<Option<_>>()?))
            }
            Call::Split { value, separator, index } => {
                let subject = self.text(value)?;
                if separator.len() != 1 {
                    return self.unsupported("ES|QL splits at a single ASCII character only; use `like` or `matches`");
                }
                let parts = Expression::Call("SPLIT", vec![subject, Expression::text(separator.clone())]);
                text(non_empty(Expression::Call("MV_SLICE", vec![parts, Expression::number(index)])))
            }
            Call::Replace { value, from, to } => {
                let subject = self.text(value)?;
                let arguments =
                    vec![subject, Expression::text(java_literal(from)), Expression::text(java_replacement(to))];
                text(non_empty(Expression::Call("REPLACE", arguments)))
            }
            Call::Extract { .. } => {
                self.unsupported("ES|QL has no function that takes a match out of a text; use `like` or `matches`")
            }
            Call::ToInt(value) | Call::ToFloat(value) => {
                let operand = self.single(value)?;
                if operand.ty.is_number() {
                    return Some(operand);
                }
                self.unsupported(format!(
                    "ES|QL reads more texts as numbers than `{}` does; compare the text, or use another target",
                    call.name()
                ))
            }
            Call::Hour(value) => {
                let time = self.clock(value)?;
                let hours = time.binary(Operator::Divide, Expression::number(HOUR));
                number(hours.binary(Operator::Remainder, Expression::number(24)))
            }
            Call::Weekday(value) => {
                let time = self.clock(value)?;
                number(weekday(time.binary(Operator::Divide, Expression::number(DAY))))
            }
            Call::Country(address) => self.located(call, address),
            Call::City(address) => self.located(call, address),
            Call::Asn(address) => self.located(call, address),
            Call::AsOrganisation(address) => self.located(call, address),
        }
    }

    fn located(&mut self, call: &Call, address: &Value) -> Option<Operand> {
        match self.lowering().located(call, address)? {
            Some(bound) => Some(operand(&bound)),
            None => self.unsupported(format!(
                "the target does not say which field holds `{}` of this address; name it in the target's option \
                 `located_fields`",
                call.name()
            )),
        }
    }

    /// A time in milliseconds since 1970.
    pub(super) fn clock(&mut self, value: &Value) -> Option<Expression> {
        let operand = self.single(value)?;
        if operand.ty != Type::Time {
            return self.unsupported("the index does not keep this value as a time; use `time`");
        }
        Some(Self::milliseconds(operand.expression))
    }

    /// The value of the first branch that holds, null where none does.
    fn chosen(&mut self, branches: &[(Spanned<Predicate>, Value)]) -> Option<Operand> {
        let mut found = Vec::new();
        for (when, value) in branches {
            let test = self.predicate(when);
            found.push((test.yes, self.single(value)));
        }
        let found: Vec<(Expression, Operand)> =
            found.into_iter().map(|(when, operand)| Some((when, operand?))).collect::<Option<_>>()?;
        let Some((_, first)) = found.first().cloned() else {
            return Some(Operand::scalar(Expression::Null, Type::Text));
        };
        let is_of_source = branches.iter().all(|(when, _)| matches!(when.node, Predicate::OfSource(_)));
        let is_whole = is_of_source && branches.len() == self.map.members.len();
        let is_respelled = found.iter().any(|(_, operand)| operand.is_respelled);
        let loses_case = found.iter().any(|(_, operand)| operand.loses_case);
        if is_whole && found.iter().all(|(_, operand)| operand.expression == first.expression) {
            return Some(Operand { is_respelled, loses_case, ..first });
        }
        let alike = found.iter().all(|(_, operand)| operand.ty == first.ty);
        let ty = if alike { first.ty } else { Type::Text };
        let arguments = found
            .into_iter()
            .flat_map(|(when, operand)| [when, if alike { operand.expression } else { as_text(operand) }]);
        let expression = Expression::Call("CASE", arguments.collect());
        Some(Operand { expression, ty, is_list: false, is_respelled, loses_case })
    }

    fn coalesce(&mut self, values: &[Value]) -> Option<Operand> {
        let operands: Vec<_> = values.iter().map(|value| self.single(value)).collect();
        let operands: Vec<Operand> = operands.into_iter().collect::<Option<_>>()?;
        let first = operands.first()?.ty.clone();
        if operands.iter().all(|operand| operand.ty == first) {
            let is_respelled = operands.iter().any(|operand| operand.is_respelled);
            let arguments = operands.into_iter().map(|operand| operand.expression).collect();
            let expression = Expression::Call("COALESCE", arguments);
            return Some(Operand { is_respelled, ..Operand::scalar(expression, first) });
        }
        let arguments = operands.into_iter().map(as_text).collect();
        Some(Operand::scalar(Expression::Call("COALESCE", arguments), Type::Text))
    }
}

/// Day of the week of a number of days since 1970, Monday being 1.
pub fn weekday(days: Expression) -> Expression {
    let shifted = days.binary(Operator::Plus, Expression::number(3));
    shifted.binary(Operator::Remainder, Expression::number(7)).binary(Operator::Plus, Expression::number(1))
}

/// The operand as text.
pub fn as_text(operand: Operand) -> Expression {
    if operand.ty == Type::Text { operand.expression } else { Expression::Call("TO_STRING", vec![operand.expression]) }
}

/// Null for the empty text.
pub fn non_empty(text: Expression) -> Expression {
    Expression::case(text.clone().equals(Expression::text("")), Expression::Null, text)
}

/// The constant.
pub fn constant(literal: &Literal) -> Expression {
    match literal {
        Literal::Text(text) => Expression::text(text.clone()),
        Literal::Int(number) => Expression::number(number),
        Literal::Float(number) => Expression::number(number),
        Literal::Bool(value) => Expression::Bool(*value),
    }
}

fn operand(bound: &Bound) -> Operand {
    let field = column(&bound.field);
    let expression = if bound.stored == Type::Text && !bound.is_list { non_empty(field) } else { field };
    Operand {
        expression,
        ty: bound.stored.clone(),
        is_list: bound.is_list,
        is_respelled: !bound.column.literals.is_empty(),
        loses_case: bound.case == Case::Canonical && bound.column.case == Some(Case::Any),
    }
}

/// A text as a regular expression of Java that matches nothing else.
fn java_literal(text: &str) -> String {
    let mut pattern = String::new();
    for character in text.chars() {
        if character.is_ascii_punctuation() && character != '_' {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

/// A text as a replacement of Java that stands for itself.
fn java_replacement(text: &str) -> String {
    text.replace('\\', "\\\\").replace('$', "\\$")
}
