//! A value at run time, converted to the type that the schema declares.
//!
//! Never converts where that would lose something.

use std::borrow::Cow;

use serde_json::Value as Json;

use crate::eval::number::Number;
use crate::eval::record::Found;
use crate::ir::Literal;
use crate::schema::{Epoch, Type, instant};

/// A value that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::eval) enum Cell<'a> {
    /// Truth value.
    Bool(bool),
    /// Whole or decimal number.
    Number(Number),
    /// Text, not empty.
    Text(Cow<'a, str>),
    /// Instant, in nanoseconds since 1970.
    Time(i128),
    /// List with the type of its elements.
    List(&'a [Json], &'a Type),
    /// Group of members.
    Object,
}

impl<'a> Cell<'a> {
    /// Converts what an event holds to the declared type; `None` where that loses something, and for a missing value.
    pub(in crate::eval) fn convert(value: &'a Json, ty: &'a Type, epoch: Option<Epoch>) -> Option<Self> {
        if is_missing(value) {
            return None;
        }
        match ty {
            Type::Text | Type::Ip => match value {
                Json::String(text) => Self::convert_text(text, ty, epoch),
                Json::Number(number) => Some(Self::Text(Cow::Owned(number.to_string()))),
                Json::Bool(value) => Some(Self::Text(Cow::Borrowed(if *value { "true" } else { "false" }))),
                Json::Null | Json::Array(_) | Json::Object(_) => None,
            },
            Type::Int => number(value).filter(|number| number.as_int().is_some()).map(Self::Number),
            Type::Float => number(value).map(Self::Number),
            Type::Bool => match value {
                Json::Bool(value) => Some(Self::Bool(*value)),
                Json::String(text) => Self::convert_text(text, ty, epoch),
                Json::Null | Json::Number(_) | Json::Array(_) | Json::Object(_) => None,
            },
            Type::Time => match epoch {
                None => match value {
                    Json::String(text) => Self::convert_text(text, ty, epoch),
                    Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => None,
                },
                Some(epoch) => Some(Self::Time(i128::from(number(value)?.as_int()?) * nanoseconds(epoch))),
            },
            Type::Duration => None,
            Type::List(item) => match value {
                Json::Array(items) => Some(Self::List(items, item)),
                scalar => Some(Self::List(std::slice::from_ref(scalar), item)),
            },
            Type::Object => match value {
                Json::Object(_) => Some(Self::Object),
                Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => None,
            },
        }
    }

    /// Converts what is found in an event to the declared type.
    pub(in crate::eval) fn of(found: Found<'a>, ty: &'a Type, epoch: Option<Epoch>) -> Option<Self> {
        match found {
            Found::Text(text) => Self::convert_text(text, ty, epoch),
            Found::Json(value) => Self::convert(value, ty, epoch),
        }
    }

    /// Converts a text that an event holds to the declared type, as [`convert`](Self::convert) does; a text is no list.
    pub(in crate::eval) fn convert_text(text: &'a str, ty: &'a Type, epoch: Option<Epoch>) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        let number = || Number::from_shortest(text);
        match ty {
            Type::Text | Type::Ip => Some(Self::Text(Cow::Borrowed(text))),
            Type::Int => number().filter(|number| number.as_int().is_some()).map(Self::Number),
            Type::Float => number().map(Self::Number),
            Type::Bool => match text {
                "true" => Some(Self::Bool(true)),
                "false" => Some(Self::Bool(false)),
                _ => None,
            },
            Type::Time => match epoch {
                None => Some(Self::Time(instant(text)?.as_nanosecond())),
                Some(epoch) => Some(Self::Time(i128::from(number()?.as_int()?) * nanoseconds(epoch))),
            },
            Type::Duration | Type::List(_) | Type::Object => None,
        }
    }

    /// A text; nothing where it is empty.
    pub(in crate::eval) fn from_text(text: impl Into<Cow<'a, str>>) -> Option<Self> {
        let text = text.into();
        (!text.is_empty()).then_some(Self::Text(text))
    }

    /// A constant; the empty text is none.
    pub(in crate::eval) fn from_literal(literal: &Literal) -> Option<Cell<'static>> {
        match literal {
            Literal::Text(text) => Cell::from_text(text.clone()),
            Literal::Int(whole) => Some(Cell::Number(Number::from(*whole))),
            Literal::Float(decimal) => Number::parse(decimal.as_str()).map(Cell::Number),
            Literal::Bool(value) => Some(Cell::Bool(*value)),
        }
    }

    /// The same value on its own; a list becomes its text.
    pub(in crate::eval) fn into_owned(self) -> Cell<'static> {
        match self {
            Self::Bool(value) => Cell::Bool(value),
            Self::Number(number) => Cell::Number(number),
            Self::Text(text) => Cell::Text(Cow::Owned(text.into_owned())),
            Self::Time(time) => Cell::Time(time),
            list @ Self::List(..) => Cell::Text(Cow::Owned(list.text().into_owned())),
            Self::Object => Cell::Object,
        }
    }

    /// The text by which keys and distinct values compare.
    pub(in crate::eval) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Bool(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
            Self::Number(number) => Cow::Owned(number.to_string()),
            Self::Text(text) => Cow::Borrowed(text),
            Self::Time(time) => {
                let instant = jiff::Timestamp::from_nanosecond(*time);
                Cow::Owned(instant.map_or_else(|_| time.to_string(), |instant| instant.to_string()))
            }
            Self::List(items, _) => Cow::Owned(Json::Array(items.to_vec()).to_string()),
            Self::Object => Cow::Borrowed("{}"),
        }
    }

    /// The value as JSON, for hits.
    pub(in crate::eval) fn json(&self) -> Json {
        match self {
            Self::Bool(value) => Json::Bool(*value),
            Self::Number(number) => {
                let text = number.to_string();
                serde_json::from_str(&text).unwrap_or(Json::String(text))
            }
            Self::Text(_) | Self::Time(_) => Json::String(self.text().into_owned()),
            Self::List(items, _) => Json::Array(items.to_vec()),
            Self::Object => Json::Object(serde_json::Map::new()),
        }
    }

    /// The different values that a key or a distinct value stands for: the elements of a list, else the value itself.
    pub(in crate::eval) fn alternatives(self) -> Vec<Self> {
        let Self::List(items, ty) = self else {
            return if self == Self::Object { Vec::new() } else { vec![self] };
        };
        let mut different: Vec<Self> = Vec::new();
        for cell in items.iter().filter_map(|item| Self::convert(item, ty, None)) {
            if cell != Self::Object && !different.contains(&cell) {
                different.push(cell);
            }
        }
        different
    }
}

/// Whether a value counts as missing: null, or the empty text.
pub(in crate::eval) fn is_missing(value: &Json) -> bool {
    value.is_null() || value.as_str() == Some("")
}

const fn nanoseconds(epoch: Epoch) -> i128 {
    match epoch {
        Epoch::Seconds => 1_000_000_000,
        Epoch::Milliseconds => 1_000_000,
    }
}

fn number(value: &Json) -> Option<Number> {
    match value {
        Json::Number(number) => Number::from_json(number),
        Json::String(text) => Number::from_shortest(text),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    }
}
