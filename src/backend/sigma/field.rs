//! Finds what Sigma calls a value, and says where it cannot.

use super::print;
use crate::backend::{ReasonCode, Verdict};
use crate::ir::Value;
use crate::schema::mapping::{Access, Binding, Column, FieldMap};
use crate::schema::{FieldPath, Type};
use crate::source::Span;

/// Said of every rule that asks for numbers or truth values.
const TYPED: &str =
    "numbers and truth values arrive as such, since readers of Sigma take texts for them in ways of their own";

/// A value that a Sigma field holds.
#[derive(Debug, Clone)]
pub(super) struct Bound {
    /// The field's name.
    pub(super) name: String,
    /// Its type on the target.
    pub(super) ty: Type,
    /// What else the target says of it.
    pub(super) column: Column,
    /// Whether it lies in a list, so that any element may fit.
    pub(super) element: bool,
}

/// Finds the field behind a value, or adds the reason why there is none.
pub(super) fn bind(map: &FieldMap, verdict: &mut Verdict, value: &Value, span: Span) -> Option<Bound> {
    match find(map, value) {
        Ok(bound) => {
            if let Some(difference) = &bound.column.lossy {
                verdict.add(ReasonCode::FieldLossy, place(value, span), format!("`{}`: {difference}", bound.name));
            }
            if matches!(bound.ty, Type::Bool | Type::Int | Type::Float) {
                verdict.assume(TYPED);
            }
            Some(bound)
        }
        Err((code, message)) => {
            verdict.add(code, place(value, span), message);
            None
        }
    }
}

/// Where the detection names the value.
pub(super) const fn place(value: &Value, span: Span) -> Span {
    match value {
        Value::Field(field) => field.span,
        Value::NameValue(reference) => reference.list.span,
        Value::Element(element) => element.span,
        Value::First(_) | Value::Time | Value::Literal(_) | Value::Call(_) => span,
    }
}

/// Finds the field behind a value.
pub(super) fn find(map: &FieldMap, value: &Value) -> Result<Bound, (ReasonCode, String)> {
    let (binding, path, ty, element) = match value {
        Value::Field(field) => (map.resolve(&field.path), field.path.clone(), field.ty.clone(), false),
        Value::Element(element) => {
            let binding = map.resolve_member(&element.list, &element.member);
            (binding, element.as_list(), element.ty.clone(), true)
        }
        Value::Time => {
            let path = FieldPath::parse(&map.time);
            (Some(Binding::Column(plain(&map.time))), path, Type::Time, false)
        }
        Value::Call(call) => {
            let message = format!("Sigma has no functions; `{}` needs a field that holds its result", call.name());
            return Err((ReasonCode::UnsupportedExpression, message));
        }
        Value::NameValue(reference) => {
            let named = map.resolve_named(&reference.list.path, &reference.key, &reference.member);
            if let Some(Binding::Column(column)) = named {
                let ty = column.ty.clone().unwrap_or_else(|| reference.ty.clone());
                return Ok(Bound { name: name(column), ty, column: column.clone(), element: false });
            }
            let column = match named.cloned().or_else(|| map.resolve(&reference.list.path)) {
                Some(Binding::Column(column)) if column.access == Access::Keyed => column,
                Some(Binding::Column(_)) => {
                    let message = "Sigma cannot pick an element of a list; test it with `any`";
                    return Err((ReasonCode::UnsupportedExpression, message.to_owned()));
                }
                Some(Binding::Missing(reason)) => {
                    return Err((ReasonCode::MissingField, format!("`{}`: {reason}", reference.list.path)));
                }
                None => return Err((ReasonCode::MissingField, unmapped(&reference.list.path))),
            };
            let path = column.path.replace('*', &reference.key);
            let column = Column { path, rest: reference.member.clone(), ..column };
            (Some(Binding::Column(column)), reference.list.path.clone(), reference.ty.clone(), false)
        }
        Value::First(_) => {
            let message = "Sigma cannot pick an element of a list; test it with `any`";
            return Err((ReasonCode::UnsupportedExpression, message.to_owned()));
        }
        Value::Literal(_) => {
            let message = "Sigma compares fields, not constants";
            return Err((ReasonCode::UnsupportedExpression, message.to_owned()));
        }
    };
    let column = match binding {
        Some(Binding::Column(column)) => column,
        Some(Binding::Missing(reason)) => return Err((ReasonCode::MissingField, format!("`{path}`: {reason}"))),
        None => return Err((ReasonCode::MissingField, unmapped(&path))),
    };
    let name = name(&column);
    if name.contains('|')
        || name.contains('*')
        || name.chars().any(char::is_control)
        || print::unwritable(&name).is_some()
    {
        let message =
            format!("Sigma cannot name the field `{path}`: `|`, `*` and control characters have a meaning there");
        return Err((ReasonCode::UnsupportedLiteral, message));
    }
    Ok(Bound { name, ty: column.ty.clone().unwrap_or(ty), column, element })
}

fn unmapped(path: &FieldPath) -> String {
    format!("the target's field map has no entry for `{path}`")
}

/// The path with the members below it; Sigma joins everything with dots.
fn name(column: &Column) -> String {
    match column.access {
        Access::Direct | Access::JsonText | Access::Dynamic | Access::Flattened | Access::Indexed | Access::Keyed => {
            let members = column.rest.segments().iter().map(String::as_str);
            std::iter::once(column.path.as_str()).chain(members).collect::<Vec<_>>().join(".")
        }
    }
}

fn plain(path: &str) -> Column {
    Column {
        path: path.to_owned(),
        access: Access::Direct,
        ty: None,
        literals: std::collections::BTreeMap::new(),
        case: None,
        lossy: None,
        rest: FieldPath::default(),
    }
}
