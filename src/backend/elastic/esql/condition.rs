//! Turns conditions that EQL shares with ES|QL into ES|QL, guards against null included.
//!
//! Never adds or drops a guard: each condition has been made two-valued before, whatever the engine does with null.

use super::ast::{Expression, Name, Operator};
use crate::backend::elastic::eql::ast::{self as eql, Comparison, Function, Operand, PatternKind, Scalar};

/// The condition in ES|QL.
pub fn translate(condition: &eql::Expression) -> Expression {
    match condition {
        eql::Expression::Constant(value) => Expression::Bool(*value),
        eql::Expression::All(parts) => Expression::all(parts.iter().map(translate)),
        eql::Expression::Any(parts) => Expression::any(parts.iter().map(translate)),
        eql::Expression::Not(inner) => Expression::Not(Box::new(translate(inner))),
        eql::Expression::Compare(left, comparison, right) => compare(left, *comparison, right),
        eql::Expression::OneOf { field, folded, items } => {
            let items = items.iter().map(|item| scalar(item, *folded)).collect();
            Expression::OneOf(Box::new(lowered(column(field), *folded)), items)
        }
        eql::Expression::Match { field, pattern, folded, patterns } => {
            let tests = patterns.iter().map(|text| matches(column(field), *pattern, *folded, text));
            Expression::any(tests)
        }
        eql::Expression::Function { function, field, arguments } => call(*function, column(field), arguments),
    }
}

/// The condition that an event is of one of these data sets; always where there are none.
pub fn of_datasets(datasets: &[String]) -> Expression {
    let dataset = Expression::Column(Name(vec!["data_stream".to_owned(), "dataset".to_owned()]));
    match datasets {
        [] => Expression::Bool(true),
        [only] => dataset.equals(Expression::text(only.clone())),
        several => Expression::OneOf(Box::new(dataset), several.iter().map(Expression::text).collect()),
    }
}

/// The column of a field.
pub fn column(field: &eql::Field) -> Expression {
    Expression::Column(Name(field.path.clone()))
}

/// The text in lower case where case is ignored.
pub fn lowered(text: Expression, folded: bool) -> Expression {
    if folded { Expression::Call("TO_LOWER", vec![text]) } else { text }
}

/// The test that a text matches a pattern of EQL as a whole.
pub fn matches(subject: Expression, kind: PatternKind, folded: bool, pattern: &str) -> Expression {
    let subject = Box::new(lowered(subject, folded));
    match kind {
        PatternKind::Like => {
            let pattern = if folded { pattern.to_lowercase() } else { pattern.to_owned() };
            // A backslash is itself in EQL and the escape here.
            Expression::Like(subject, pattern.replace('\\', "\\\\"))
        }
        PatternKind::Regex if folded => Expression::Regex(subject, lower_pattern(pattern)),
        PatternKind::Regex => Expression::Regex(subject, pattern.to_owned()),
    }
}

/// A regular expression for texts in lower case: letters outside classes are lowered, classes list both cases already.
fn lower_pattern(pattern: &str) -> String {
    let mut lowered = String::new();
    let mut in_class = false;
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                lowered.push(character);
                lowered.extend(characters.next());
            }
            '[' => {
                in_class = true;
                lowered.push(character);
            }
            ']' => {
                in_class = false;
                lowered.push(character);
            }
            other if in_class => lowered.push(other),
            other => lowered.extend(other.to_lowercase()),
        }
    }
    lowered
}

fn compare(left: &Operand, comparison: Comparison, right: &Scalar) -> Expression {
    let left = match left {
        Operand::Field(field) => column(field),
        Operand::Length(field) => Expression::Call("LENGTH", vec![column(field)]),
    };
    let operator = match comparison {
        Comparison::Equal if *right == Scalar::Null => return left.absent(),
        Comparison::NotEqual if *right == Scalar::Null => return left.present(),
        Comparison::Equal | Comparison::Folded => Operator::Equal,
        Comparison::NotEqual => Operator::NotEqual,
        Comparison::Less => Operator::Less,
        Comparison::LessOrEqual => Operator::LessOrEqual,
        Comparison::Greater => Operator::Greater,
        Comparison::GreaterOrEqual => Operator::GreaterOrEqual,
    };
    let folded = comparison == Comparison::Folded;
    lowered(left, folded).binary(operator, scalar(right, folded))
}

fn scalar(scalar: &Scalar, folded: bool) -> Expression {
    match scalar {
        Scalar::Null => Expression::Null,
        Scalar::Text(text) if folded => Expression::text(text.to_lowercase()),
        Scalar::Text(text) => Expression::text(text.clone()),
        Scalar::Number(number) => Expression::Number(number.clone()),
        Scalar::Bool(value) => Expression::Bool(*value),
    }
}

fn call(function: Function, subject: Expression, arguments: &[String]) -> Expression {
    let each = |name: &'static str| {
        let tests =
            arguments.iter().map(|text| Expression::Call(name, vec![subject.clone(), Expression::text(text.clone())]));
        Expression::any(tests)
    };
    match function {
        Function::StartsWith => each("STARTS_WITH"),
        Function::EndsWith => each("ENDS_WITH"),
        Function::StringContains => Expression::any(arguments.iter().map(|text| {
            let found = Expression::Call("LOCATE", vec![subject.clone(), Expression::text(text.clone())]);
            found.binary(Operator::Greater, Expression::number(0))
        })),
        Function::CidrMatch => {
            let blocks = arguments.iter().map(|text| Expression::text(text.clone()));
            Expression::Call("CIDR_MATCH", std::iter::once(subject.clone()).chain(blocks).collect())
        }
    }
}
