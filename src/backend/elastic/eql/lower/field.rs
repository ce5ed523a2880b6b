//! Finds the fields of the index behind fields of the source, and says why there is none.

use super::Lowering;
use super::list::Scope;
use crate::backend::ReasonCode;
use crate::backend::elastic::eql::ast::Field;
use crate::ir::{Element, FieldRef};
use crate::schema::mapping::{Access, Binding, Column};
use crate::schema::{Case, FieldPath, Type};
use crate::source::Span;

/// Why a field without a binding is missing.
pub const UNMENTIONED: &str = "the field map of the target does not mention it";

/// A field of the index that stands for a value of the detection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// The field.
    pub field: Field,
    /// As the detection names it.
    pub name: String,
    /// Type in the detection, that of the elements for a list.
    pub declared: Type,
    /// Type in the index, that of the elements for a list.
    pub stored: Type,
    /// Whether the detection calls it a list.
    pub is_list: bool,
    /// Whether it stands for all elements of a list at once, any of which may satisfy a test.
    pub is_mixed: bool,
    /// In which casing values arrive at the source.
    pub case: Case,
    /// What the target's field map says.
    pub column: Column,
}

impl Lowering<'_> {
    /// The field of the index for a field of the source.
    pub fn field(&mut self, field: &FieldRef) -> Option<Bound> {
        match self.map.resolve(&field.path) {
            None => self.missing(field.span, &field.path, UNMENTIONED),
            Some(Binding::Missing(reason)) => self.missing(field.span, &field.path, &reason),
            Some(Binding::Column(column)) => {
                let name = field.path.to_string();
                self.bind(column, name, &field.ty, field.case, field.span, &[])
            }
        }
    }

    pub(super) fn missing(&mut self, span: Span, path: &FieldPath, reason: &str) -> Option<Bound> {
        self.verdict.add(ReasonCode::MissingField, span, format!("`{path}`: {reason}"));
        None
    }

    /// The field of the index for the element of a list, or for a member of it.
    pub(super) fn element(&mut self, element: &Element) -> Option<Bound> {
        let scope = self.scopes.iter().rev().find(|scope| scope.variable == element.variable)?.clone();
        self.member(&scope, &element.member, &element.ty, element.case, element.span)
    }

    /// The field of the index for a member of the elements of a list.
    pub(super) fn member(
        &mut self,
        scope: &Scope,
        member: &FieldPath,
        ty: &Type,
        case: Case,
        span: Span,
    ) -> Option<Bound> {
        let path = scope.list.element().join(member);
        match self.map.resolve_member(&scope.list, member) {
            None => self.missing(span, &path, UNMENTIONED),
            Some(Binding::Missing(reason)) => self.missing(span, &path, &reason),
            Some(Binding::Column(column)) => {
                let bound = self.bind(column, path.to_string(), ty, case, span, &scope.indexes)?;
                Some(Bound { is_mixed: scope.is_mixed, ..bound })
            }
        }
    }

    /// The field of the index that a binding leads to; `indexes` replace the stars of its path.
    pub(super) fn bind(
        &mut self,
        column: Column,
        name: String,
        ty: &Type,
        case: Case,
        span: Span,
        indexes: &[String],
    ) -> Option<Bound> {
        let obstacle = match column.access {
            Access::Direct => None,
            Access::Flattened => Some("has the type `flattened`, which neither EQL nor ES|QL can read"),
            Access::JsonText | Access::Dynamic => Some("holds JSON, which neither EQL nor ES|QL can read"),
            Access::Indexed | Access::Keyed => None,
        };
        if let Some(obstacle) = obstacle {
            let message = format!("`{name}`: the field `{}` {obstacle}; test another field of the event", column.path);
            self.verdict.add(ReasonCode::UnsupportedExpression, span, message);
            return None;
        }
        let Some(path) = path_of(&column, indexes) else {
            let message = format!(
                "`{name}` is a list in the index, whose elements {language} reaches one by one; use `any`",
                language = self.language()
            );
            self.verdict.add(ReasonCode::UnsupportedExpression, span, message);
            return None;
        };
        if let Some(lossy) = &column.lossy {
            self.verdict.add(ReasonCode::FieldLossy, span, format!("`{name}`: {lossy}"));
        }
        let (is_list, declared) = element_type(ty);
        let stored = column.ty.as_ref().map_or_else(|| declared.clone(), |ty| element_type(ty).1);
        match stored {
            Type::Ip => self.verdict.assume(super::ADDRESSES),
            Type::Bool | Type::Int | Type::Float | Type::Time => self.verdict.assume(super::TYPED),
            Type::Text | Type::Duration | Type::List(_) | Type::Object => {}
        }
        // Every index has the time; an index may lack anything else, which without the mark would fail the query.
        let optional = path.join(".") != self.map.time;
        Some(Bound { field: Field { path, optional }, name, declared, stored, is_list, is_mixed: false, case, column })
    }
}

/// The names that lead to a column, stars being replaced by `indexes` in order; `None` where there are too few of those.
pub fn path_of(column: &Column, indexes: &[String]) -> Option<Vec<String>> {
    let mut indexes = indexes.iter();
    let path = FieldPath::parse(&column.path);
    let segments = path.segments().iter().chain(column.rest.segments());
    segments.map(|segment| if segment == "*" { indexes.next().cloned() } else { Some(segment.clone()) }).collect()
}

fn element_type(ty: &Type) -> (bool, Type) {
    match ty {
        Type::List(inner) => (true, element_type(inner).1),
        other => (false, other.clone()),
    }
}
