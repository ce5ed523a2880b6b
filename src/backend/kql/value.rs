//! Values of one event as scalar expressions.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::ast::{Expr, Kind, Membership, Operator};
use super::pattern;
use super::reader::Reader;
use crate::backend::ReasonCode;
use crate::ir::{Call, CaseRule, Element, FieldRef, Literal, Regex, Value};
use crate::schema::mapping::{Access, Binding, Column};
use crate::schema::{Case, Epoch, FieldPath, Lookup, Type};
use crate::source::Span;

/// A value of one event.
#[derive(Debug, Clone)]
pub(super) struct Scalar {
    /// The value as the target has it.
    pub(super) expr: Expr,
    /// Its type on the target.
    pub(super) kind: Kind,
    /// Declared type in the detection.
    pub(super) declared: Type,
    /// The JSON value that `expr` converts, where it is one.
    pub(super) leaf: Option<Expr>,
    /// The JSON value that `expr` is the text of, which is missing where that is an object or a list.
    pub(super) guarded: Option<Expr>,
    /// Spellings of the target by native text; empty where values are spelt as in the native event.
    pub(super) spellings: BTreeMap<String, Json>,
    /// Whether the target has lost the schema's casing.
    pub(super) any_case: bool,
}

/// A literal as the target has it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Spelling {
    /// Text.
    Text(String),
    /// A number.
    Number(Expr),
    /// A truth value.
    Bool(bool),
    /// No value of the target equals it.
    Never,
    /// The field map does not say.
    Unknown,
}

impl Scalar {
    /// A value that is nothing but an expression.
    pub(super) fn computed(expr: Expr, kind: Kind, declared: Type) -> Self {
        Self { expr, kind, declared, leaf: None, guarded: None, spellings: BTreeMap::new(), any_case: false }
    }

    /// A value inside parsed JSON.
    pub(super) fn member(leaf: Expr, declared: Type) -> Self {
        let (expr, kind) = match &declared {
            Type::Text | Type::Ip | Type::Duration => (Expr::call("tostring", leaf.clone()), Kind::Text),
            Type::Int => (Expr::call("tolong", leaf.clone()), Kind::Long),
            Type::Float => (Expr::call("toreal", leaf.clone()), Kind::Real),
            Type::Bool => (Expr::call("tobool", leaf.clone()), Kind::Bool),
            Type::Time => (Expr::call("todatetime", leaf.clone()), Kind::Time),
            Type::List(_) | Type::Object => (leaf.clone(), Kind::Dynamic),
        };
        let guarded = (kind == Kind::Text).then(|| leaf.clone());
        Self { leaf: Some(leaf), guarded, ..Self::computed(expr, kind, declared) }
    }

    /// The value as text, empty where it is missing; objects and lists are no text.
    pub(super) fn text(&self) -> Expr {
        let plain = self.plain_text();
        let spelt = self
            .spellings
            .iter()
            .filter_map(|(native, target)| Some([self.expr.clone().equals(json_literal(target)?), Expr::text(native)]));
        let mut arguments: Vec<Expr> = spelt.flatten().collect();
        if arguments.is_empty() {
            return plain;
        }
        arguments.push(plain);
        Expr::Call("case", arguments)
    }

    /// The value of its declared type, to be shown.
    pub(super) fn shown(&self) -> Expr {
        let declared = Kind::of(&self.declared);
        if self.spellings.is_empty() && self.kind == declared {
            return self.expr.clone();
        }
        let convert = match declared {
            Kind::Text => return self.text(),
            Kind::Long => "tolong",
            Kind::Real => "toreal",
            Kind::Bool => "tobool",
            Kind::Time => "todatetime",
            Kind::Dynamic => "todynamic",
        };
        Expr::call(convert, self.text())
    }

    fn plain_text(&self) -> Expr {
        let expr = self.expr.clone();
        let unless_compound = |value: &Expr, text: Expr| compound(value, false).choose(Expr::text(""), text);
        match self.kind {
            Kind::Text => match &self.guarded {
                Some(guarded) => unless_compound(guarded, expr),
                None => expr,
            },
            Kind::Dynamic => unless_compound(&expr, Expr::call("tostring", expr.clone())),
            Kind::Long | Kind::Time => Expr::call("tostring", expr),
            // A whole number in a column of decimals has no fraction in its text.
            Kind::Real => {
                let whole = Expr::call("tolong", expr.clone());
                expr.clone().equals(whole.clone()).choose(Expr::call("tostring", whole), Expr::call("tostring", expr))
            }
            Kind::Bool => Expr::Call(
                "case",
                vec![
                    expr.clone().equals(Expr::Bool(true)),
                    Expr::text("true"),
                    expr.equals(Expr::Bool(false)),
                    Expr::text("false"),
                    Expr::text(""),
                ],
            ),
        }
    }

    /// The target's form of a literal that the value is compared with.
    pub(super) fn spell(&self, literal: &Literal, case: CaseRule) -> Spelling {
        let native = literal.to_string();
        if !self.spellings.is_empty() {
            let same = |known: &str| match case {
                CaseRule::Exact => known == native,
                CaseRule::Ignore | CaseRule::Canonical => known.eq_ignore_ascii_case(&native),
            };
            return match self.spellings.iter().find(|(known, _)| same(known)) {
                Some((_, Json::String(text))) => Spelling::Text(text.clone()),
                Some((_, Json::Bool(value))) => Spelling::Bool(*value),
                Some((_, Json::Number(number))) => {
                    number.as_i64().map_or(Spelling::Unknown, |number| Spelling::Number(Expr::Int(number)))
                }
                Some(_) => Spelling::Unknown,
                None if self.kind == Kind::Text && self.declared.is_textual() => Spelling::Text(native),
                None if self.kind == Kind::Bool => Spelling::Never,
                None => Spelling::Unknown,
            };
        }
        match self.kind {
            Kind::Text => Spelling::Text(native),
            Kind::Long | Kind::Real => number(&native).map_or(Spelling::Never, Spelling::Number),
            Kind::Bool => match (native.as_str(), case) {
                ("true", _) => Spelling::Bool(true),
                ("false", _) => Spelling::Bool(false),
                (other, CaseRule::Ignore | CaseRule::Canonical) if other.eq_ignore_ascii_case("true") => {
                    Spelling::Bool(true)
                }
                (other, CaseRule::Ignore | CaseRule::Canonical) if other.eq_ignore_ascii_case("false") => {
                    Spelling::Bool(false)
                }
                _ => Spelling::Never,
            },
            Kind::Time | Kind::Dynamic => Spelling::Unknown,
        }
    }

    /// Whether an equality under this rule has to fold case.
    pub(super) const fn folds(&self, case: CaseRule) -> bool {
        match case {
            CaseRule::Ignore => true,
            CaseRule::Canonical => self.any_case,
            CaseRule::Exact => false,
        }
    }
}

/// Whether a JSON value is an object or a list, or neither.
pub(super) fn compound(leaf: &Expr, negated: bool) -> Expr {
    Expr::call("gettype", leaf.clone())
        .among(Membership { folded: false, negated }, vec![Expr::text("array"), Expr::text("dictionary")])
}

fn json_literal(value: &Json) -> Option<Expr> {
    match value {
        Json::String(text) => Some(Expr::text(text)),
        Json::Bool(value) => Some(Expr::Bool(*value)),
        Json::Number(number) => Some(Expr::Int(number.as_i64()?)),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// The number that is written in its shortest form; `None` for any other text.
fn number(text: &str) -> Option<Expr> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').map_or((unsigned, None), |(whole, rest)| (whole, Some(rest)));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || (whole.len() > 1 && whole.starts_with('0')) {
        return None;
    }
    match fraction {
        None => text.parse().ok().map(Expr::Int),
        Some(fraction) if digits(fraction) => Some(Expr::Real(text.to_owned())),
        Some(_) => None,
    }
}

impl Reader<'_, '_> {
    /// The value of an event.
    pub(super) fn scalar(&mut self, value: &Value) -> Scalar {
        match value {
            Value::Field(field) => self.field(field),
            Value::Element(element) => self.element(element),
            Value::First(first) => self.first(first),
            Value::NameValue(reference) => self.name_value(reference),
            Value::Time => Scalar::computed(Expr::column(&self.map.time), Kind::Time, Type::Time),
            Value::Literal(literal) => match literal {
                Literal::Text(text) => Scalar::computed(self.literal_text(text), Kind::Text, Type::Text),
                Literal::Int(number) => Scalar::computed(Expr::Int(*number), Kind::Long, Type::Int),
                Literal::Float(number) => Scalar::computed(Expr::Real(number.to_string()), Kind::Real, Type::Float),
                Literal::Bool(value) => Scalar::computed(Expr::Bool(*value), Kind::Bool, Type::Bool),
            },
            Value::Call(call) => self.call(call),
        }
    }

    /// The value as text, empty where it is missing.
    pub(super) fn text(&mut self, value: &Value) -> Expr {
        self.scalar(value).text()
    }

    /// A literal text; one that the engine may not hold is refused.
    pub(super) fn literal_text(&mut self, text: &str) -> Expr {
        if text.contains('\0') {
            self.refuse(ReasonCode::UnsupportedLiteral, "a text of the engine cannot hold the character NUL");
        }
        Expr::text(text)
    }

    fn field(&mut self, field: &FieldRef) -> Scalar {
        let Some(column) = self.column(&field.path, field.span) else {
            return Scalar::computed(Expr::Null(Kind::Text), Kind::Text, field.ty.clone());
        };
        let epoch = match self.source.root.lookup(&field.path) {
            Lookup::Known(known) => known.epoch,
            Lookup::Open(_) | Lookup::ThroughList(_) | Lookup::Unknown { .. } => None,
        };
        self.bound(&column, &field.ty, epoch, field.span)
    }

    /// What the target has for a path; a reason where it has nothing.
    pub(super) fn column(&mut self, path: &FieldPath, span: Span) -> Option<Column> {
        match self.map.resolve(path) {
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
            Access::JsonText | Access::Dynamic => member_of(column, declared, epoch),
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

    /// The element of the list around, or a member of it.
    fn element(&mut self, element: &Element) -> Scalar {
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

    fn call(&mut self, call: &Call) -> Scalar {
        let ty = call.ty();
        match call {
            Call::Length(value) => Scalar::computed(self.length(value), Kind::Long, ty),
            Call::Lower(value) => self.respelt("tolower", value, ty),
            Call::Upper(value) => self.respelt("toupper", value, ty),
            Call::Coalesce(values) => self.coalesce(values, ty),
            Call::Concat(values) => {
                let parts: Vec<Expr> = values.iter().map(|value| self.text(value)).collect();
                let missing = Expr::any(
                    values
                        .iter()
                        .zip(&parts)
                        .filter(|(value, _)| value.as_literal().is_none())
                        .map(|(_, part)| Expr::call("isempty", part.clone())),
                );
                let joined = Expr::Call("strcat", parts);
                let expr = match missing {
                    Expr::Bool(_) => joined,
                    missing => missing.choose(Expr::text(""), joined),
                };
                Scalar::computed(expr, Kind::Text, ty)
            }
            Call::Split { value, separator, index } => {
                let parts = Expr::Call("split", vec![self.text(value), self.literal_text(separator)]);
                let part = Expr::Index(Box::new(parts), Box::new(Expr::Int(i64::from(*index))));
                Scalar::computed(Expr::call("tostring", part), Kind::Text, ty)
            }
            Call::Extract { value, regex } => {
                let group = i64::from(regex.captures() > 0);
                let arguments = vec![Expr::Pattern(self.pattern(regex)), Expr::Int(group), self.text(value)];
                Scalar::computed(Expr::Call("extract", arguments), Kind::Text, ty)
            }
            Call::Replace { value, from, to } => {
                let arguments = vec![self.text(value), self.literal_text(from), self.literal_text(to)];
                Scalar::computed(Expr::Call("replace_string", arguments), Kind::Text, ty)
            }
            Call::ToInt(value) => {
                let digits = Expr::Pattern("^-?[0-9]+$".to_owned());
                let text = Expr::Call("extract", vec![digits, Expr::Int(0), self.text(value)]);
                Scalar::computed(Expr::call("tolong", text), Kind::Long, ty)
            }
            Call::ToFloat(value) => {
                let digits = Expr::Pattern(r"^-?[0-9]+(?:\.[0-9]+)?$".to_owned());
                let text = Expr::Call("extract", vec![digits, Expr::Int(0), self.text(value)]);
                Scalar::computed(Expr::call("toreal", text), Kind::Real, ty)
            }
            Call::Hour(value) => Scalar::computed(Expr::call("hourofday", self.scalar(value).expr), Kind::Long, ty),
            Call::Weekday(value) => {
                // The engine counts from Sunday; ISO counts Sunday as the seventh day.
                let day = Expr::infix(
                    Expr::call("dayofweek", self.scalar(value).expr),
                    Operator::Divide,
                    Expr::Span(crate::schema::Duration::from_seconds(86_400)),
                );
                let day = Expr::call("tolong", day);
                let sunday = day.clone().equals(Expr::Int(0));
                Scalar::computed(sunday.choose(Expr::Int(7), day), Kind::Long, ty)
            }
            Call::Country(value) => Scalar::computed(self.geography(value, "country"), Kind::Text, ty),
            Call::City(value) => Scalar::computed(self.geography(value, "city"), Kind::Text, ty),
            Call::Asn(_) | Call::AsOrganisation(_) => {
                let message = format!(
                    "the engine knows no autonomous systems, so `{}` has no value; use a field of the source that names one",
                    call.name()
                );
                self.refuse(ReasonCode::UnsupportedExpression, message);
                Scalar::computed(Expr::Null(Kind::Text), Kind::Text, ty)
            }
        }
    }

    /// A text in another casing.
    fn respelt(&mut self, function: &'static str, value: &Value, ty: Type) -> Scalar {
        let scalar = self.scalar(value);
        let plain = scalar.kind == Kind::Text && scalar.spellings.is_empty();
        let (text, guarded) = if plain { (scalar.expr, scalar.guarded) } else { (scalar.text(), None) };
        Scalar { guarded, ..Scalar::computed(Expr::call(function, text), Kind::Text, ty) }
    }

    fn length(&mut self, value: &Value) -> Expr {
        let scalar = self.scalar(value);
        let missing = Expr::Null(Kind::Long);
        if scalar.kind == Kind::Dynamic {
            let list = scalar.expr;
            let count = Expr::call("array_length", list.clone());
            let scalar = Expr::call("isempty", Expr::call("tostring", list));
            return count.or_else(scalar.choose(missing, Expr::Int(1)));
        }
        let text = scalar.text();
        Expr::call("isempty", text.clone()).choose(missing, Expr::call("strlen", text))
    }

    fn coalesce(&mut self, values: &[Value], ty: Type) -> Scalar {
        let scalars: Vec<Scalar> = values.iter().map(|value| self.scalar(value)).collect();
        let kind = if ty.is_textual() { Kind::Text } else { scalars.first().map_or(Kind::Text, |first| first.kind) };
        if kind == Kind::Dynamic || scalars.iter().any(|scalar| scalar.kind == Kind::Dynamic) {
            self.refuse(ReasonCode::UnsupportedExpression, "the engine's `coalesce` takes no lists");
        }
        let values = scalars.iter().map(|scalar| if kind == Kind::Text { scalar.text() } else { scalar.expr.clone() });
        Scalar::computed(Expr::Call("coalesce", values.collect()), kind, ty)
    }

    fn geography(&mut self, address: &Value, member: &str) -> Expr {
        self.context.verdict.assume(
            "the engine's table of addresses names the same countries and cities as the one that the detection was written against",
        );
        let record = Expr::call("geo_info_from_ip_address", self.text(address));
        Expr::call("tostring", Expr::Member(Box::new(record), member.to_owned()))
    }

    /// The pattern of a regular expression; one that the engine would refuse is.
    pub(super) fn pattern(&mut self, regex: &Regex) -> String {
        pattern::regex(regex).unwrap_or_else(|| {
            let message = format!("the engine refuses more than 1000 nested repetitions, as in `{regex}`");
            self.refuse(ReasonCode::UnsupportedRegex, message);
            String::new()
        })
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
