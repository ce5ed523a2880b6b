//! Fields where the target has them, in the type that the detection declares.

use super::ast::{Expr, Kind};
use super::reader::{Place, Reader};
use super::stage::HitField;
use super::value::Scalar;
use crate::backend::ReasonCode;
use crate::ir::{Element, FieldRef, NameValueRef};
use crate::schema::mapping::{Access, Binding, Column};
use crate::schema::{Case, Epoch, FieldPath, Lookup, Type};
use crate::source::Span;

impl Reader<'_, '_> {
    /// A field of the event.
    pub(super) fn field(&mut self, field: &FieldRef) -> Scalar {
        let Some(column) = self.column(&field.path, field.span) else {
            return Scalar::computed(Expr::Null(Kind::Text), Kind::Text, field.ty.clone());
        };
        let epoch = match self.source.root.lookup(&field.path) {
            Lookup::Known(known) => known.epoch,
            Lookup::Open(_) | Lookup::ThroughList(_) | Lookup::Unknown { .. } => None,
        };
        self.bound(&column, &field.ty, epoch, field.span)
    }

    /// The entry of a name/value list for which the target has a place of its own.
    pub(super) fn named(&mut self, reference: &NameValueRef) -> Option<Scalar> {
        let Place::Target(map) = &self.place else { return None };
        let binding = map.resolve_named(&reference.list.path, &reference.key, &reference.member)?;
        let (path, span) = (format!("{}[{}]", reference.list.path, reference.key), reference.list.span);
        Some(match binding.clone() {
            Binding::Column(column) => {
                if let Some(lossy) = &column.lossy {
                    self.context.verdict.add(ReasonCode::FieldLossy, span, format!("`{path}`: {lossy}"));
                }
                self.bound(&column, &reference.ty, None, span)
            }
            Binding::Missing(reason) => {
                self.context.verdict.add(ReasonCode::MissingField, span, format!("`{path}`: {reason}"));
                Scalar::computed(Expr::Null(Kind::Text), Kind::Text, reference.ty.clone())
            }
        })
    }

    /// What the target has for a path; a reason where it has nothing.
    fn column(&mut self, path: &FieldPath, span: Span) -> Option<Column> {
        let map = match &self.place {
            Place::Target(map) => map,
            Place::Hits(fields) => {
                let text = path.to_string();
                let holds =
                    |name: &str| text == name || text.strip_prefix(name).is_some_and(|rest| rest.starts_with("[]"));
                return fields.iter().find(|field| holds(&field.name)).map(HitField::column);
            }
        };
        match map.resolve(path) {
            Some(Binding::Column(column)) => {
                if let Some(lossy) = &column.lossy {
                    self.context.verdict.add(ReasonCode::FieldLossy, span, format!("`{path}`: {lossy}"));
                }
                Some(column)
            }
            Some(Binding::Missing(reason)) => {
                self.context.verdict.add(ReasonCode::MissingField, span, format!("`{path}`: {reason}"));
                None
            }
            None => {
                let target = &self.context.request.target.name;
                let message = format!("the field map of target `{target}` does not mention `{path}`");
                self.context.verdict.add(ReasonCode::MissingField, span, message);
                None
            }
        }
    }

    fn bound(&mut self, column: &Column, declared: &Type, epoch: Option<Epoch>, span: Span) -> Scalar {
        let scalar = match column.access {
            Access::JsonText | Access::Dynamic => {
                if matches!(declared, Type::Int | Type::Float | Type::Bool | Type::Time) {
                    self.assume_convertible();
                }
                member_of(column, declared, epoch)
            }
            Access::Direct => self.direct(column, declared, epoch, span),
            Access::Flattened | Access::Indexed | Access::Keyed => {
                let message = format!("the engine has no such access to `{}`", column.path);
                self.context.verdict.add(ReasonCode::UnsupportedExpression, span, message);
                Scalar::computed(Expr::Null(Kind::Text), Kind::Text, declared.clone())
            }
        };
        Scalar { spellings: column.literals.clone(), any_case: column.case == Some(Case::Any), ..scalar }
    }

    fn direct(&mut self, column: &Column, declared: &Type, epoch: Option<Epoch>, span: Span) -> Scalar {
        let expr = column
            .rest
            .segments()
            .iter()
            .fold(Expr::column(&column.path), |object, segment| Expr::Member(Box::new(object), segment.clone()));
        if !column.rest.is_empty() {
            return Scalar::member(expr, declared.clone());
        }
        let target = column.ty.clone().unwrap_or_else(|| declared.clone());
        if target.is_textual() && !declared.is_textual() && column.literals.is_empty() {
            self.assume_convertible();
        }
        // With spellings the raw column is compared; without, it is converted to the declared type.
        let spelt = !column.literals.is_empty();
        let (expr, kind) = match (declared, &target) {
            (_, Type::List(_) | Type::Object) => (expr, Kind::Dynamic),
            (Type::Int, Type::Text | Type::Ip) if !spelt => (Expr::call("tolong", expr), Kind::Long),
            (Type::Float, Type::Text | Type::Ip) if !spelt => (Expr::call("toreal", expr), Kind::Real),
            (Type::Bool, Type::Text | Type::Ip) if !spelt => (Expr::call("tobool", expr), Kind::Bool),
            (Type::Time, Type::Text | Type::Ip) => (Expr::call("todatetime", expr), Kind::Time),
            (Type::Time, Type::Int | Type::Float) => (epoch_time(expr, epoch), Kind::Time),
            (Type::List(_) | Type::Object, Type::Text) => (Expr::call("parse_json", expr), Kind::Dynamic),
            (_, Type::Text | Type::Ip | Type::Duration) => (expr, Kind::Text),
            (_, Type::Int) => (expr, Kind::Long),
            (_, Type::Float) => (expr, Kind::Real),
            (_, Type::Bool) => (expr, Kind::Bool),
            (_, Type::Time) => (expr, Kind::Time),
        };
        if kind == Kind::Time && *declared != Type::Time {
            let message = format!("`{}` holds times, whose text differs from the native one", column.path);
            self.context.verdict.add(ReasonCode::UnsupportedExpression, span, message);
        }
        Scalar::computed(expr, kind, declared.clone())
    }

    fn assume_convertible(&mut self) {
        self.context.verdict.assume(
            "numbers, truth values and times that the target keeps as JSON or text are such or convert without loss",
        );
    }

    /// The element of the list around, or a member of it.
    pub(super) fn element(&mut self, element: &Element) -> Scalar {
        let (Some(item), Some(column)) = (self.item(&element.variable), self.column(&element.as_list(), element.span))
        else {
            return Scalar::computed(Expr::Null(Kind::Text), Kind::Text, element.ty.clone());
        };
        let leaf = element
            .member
            .segments()
            .iter()
            .fold(Expr::column(item), |object, segment| Expr::Member(Box::new(object), segment.clone()));
        Scalar {
            spellings: column.literals.clone(),
            any_case: column.case == Some(Case::Any),
            ..Scalar::member(leaf, element.ty.clone())
        }
    }
}

/// A member of a column that holds JSON, as text or parsed.
fn member_of(column: &Column, declared: &Type, epoch: Option<Epoch>) -> Scalar {
    let path = FieldPath::parse(&column.path).join(&column.rest);
    let mut segments = path.segments().iter();
    let first = Expr::column(segments.next().map_or("", String::as_str));
    let root = if column.access == Access::JsonText { Expr::call("parse_json", first) } else { first };
    let leaf = segments.fold(root, |object, segment| Expr::Member(Box::new(object), segment.clone()));
    if *declared == Type::Time && epoch.is_some() {
        let expr = epoch_time(Expr::call("tolong", leaf.clone()), epoch);
        return Scalar { leaf: Some(leaf), ..Scalar::computed(expr, Kind::Time, Type::Time) };
    }
    // With spellings the target's own type is compared.
    let target = column.ty.as_ref().filter(|_| !column.literals.is_empty()).unwrap_or(declared);
    Scalar { declared: declared.clone(), ..Scalar::member(leaf, target.clone()) }
}

fn epoch_time(number: Expr, epoch: Option<Epoch>) -> Expr {
    let function = match epoch {
        Some(Epoch::Seconds) => "unixtime_seconds_todatetime",
        Some(Epoch::Milliseconds) | None => "unixtime_milliseconds_todatetime",
    };
    Expr::call(function, number)
}
