//! Values of one event as scalar expressions.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::ast::{Expr, Kind, Membership};
use super::reader::Reader;
use crate::backend::ReasonCode;
use crate::ir::{CaseRule, Literal, Value};
use crate::schema::Type;

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
            Value::Time => Scalar::computed(Expr::column(&self.time), Kind::Time, Type::Time),
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
}
