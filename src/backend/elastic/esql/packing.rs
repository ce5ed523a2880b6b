//! Packs values of an event into one text and takes them out again, since `VALUES` gathers single columns.
//!
//! Never lets a value reach a separator: texts are packed as base64, and `-` stands for a missing value.

use super::ast::{Command, Expression, Name};
use crate::schema::Type;

/// What stands for a missing value; no packed value is spelled so.
const NOTHING: &str = "-";

/// A value that is packed.
#[derive(Debug, Clone)]
pub struct Packed {
    /// Column that holds it once it is taken out, as text.
    pub name: Name,
    /// The value; null where it is missing.
    pub value: Expression,
    /// The value as text without `|`, never null.
    pub text: Expression,
    /// Type of the value.
    pub ty: Type,
}

/// A value as text without `|`, never null.
pub fn encode(value: Expression, ty: &Type) -> Expression {
    let text = match ty {
        Type::Text | Type::Object | Type::List(_) | Type::Duration => Expression::Call("TO_BASE64", vec![value]),
        Type::Time => Expression::Call("TO_STRING", vec![Expression::Call("TO_LONG", vec![value])]),
        Type::Bool | Type::Int | Type::Float | Type::Ip => Expression::Call("TO_STRING", vec![value]),
    };
    Expression::Call("COALESCE", vec![text, Expression::text(NOTHING)])
}

/// The value behind its text.
pub fn decode(name: &Name, ty: &Type) -> Expression {
    let text = Expression::Column(name.clone());
    let value = match ty {
        Type::Text | Type::Object | Type::List(_) | Type::Duration => {
            Expression::Call("FROM_BASE64", vec![text.clone()])
        }
        Type::Time => Expression::Call("TO_DATETIME", vec![Expression::Call("TO_LONG", vec![text.clone()])]),
        Type::Bool => Expression::Call("TO_BOOLEAN", vec![text.clone()]),
        Type::Int => Expression::Call("TO_LONG", vec![text.clone()]),
        Type::Float => Expression::Call("TO_DOUBLE", vec![text.clone()]),
        Type::Ip => Expression::Call("TO_IP", vec![text.clone()]),
    };
    Expression::case(text.equals(Expression::text(NOTHING)), Expression::Null, value)
}

/// Packs the time and the identity of an event, then these values; sorts by time.
pub fn pack<'a>(values: impl IntoIterator<Item = &'a Packed>) -> Expression {
    let mut parts = vec![Expression::Call("TO_STRING", vec![Expression::own("time")])];
    let id = Expression::Column(Name::plain("_id"));
    for part in std::iter::once(id).chain(values.into_iter().map(|packed| packed.text.clone())) {
        parts.push(Expression::text("|"));
        parts.push(part);
    }
    Expression::Call("CONCAT", parts)
}

/// Takes a packed event apart: its time and identity under `prefix`, its values under their own names.
pub fn unpack<'a>(input: Name, prefix: &str, values: impl IntoIterator<Item = &'a Packed>) -> Vec<Command> {
    let time = Name::own(format!("{prefix}_time"));
    let id = Name::own(format!("{prefix}_id"));
    let parts = [time.clone(), id].into_iter().chain(values.into_iter().map(|packed| packed.name.clone())).collect();
    let number = Expression::Call("TO_LONG", vec![Expression::Column(time.clone())]);
    vec![Command::Dissect { input, parts }, Command::Eval(vec![(time, number)])]
}
