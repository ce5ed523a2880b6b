//! A value at run time, converted to the type that the schema declares.

use serde_json::Value as Json;

use super::number::Number;
use crate::ir::Literal;
use crate::schema::{Epoch, Type};

/// A value that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    /// Truth value.
    Bool(bool),
    /// Whole or decimal number.
    Number(Number),
    /// Text, not empty.
    Text(String),
    /// Instant, in nanoseconds since 1970.
    Time(i128),
    /// List with the type of its elements.
    List(Vec<Json>, Type),
    /// Group of members.
    Object,
}

impl Cell {
    /// Converts what an event holds to the declared type; `None` where that loses something, and for a missing value.
    pub(super) fn convert(value: &Json, ty: &Type, epoch: Option<Epoch>) -> Option<Self> {
        if is_missing(value) {
            return None;
        }
        match ty {
            Type::Text | Type::Ip => match value {
                Json::String(text) => Some(Self::Text(text.clone())),
                Json::Number(number) => Some(Self::Text(number.to_string())),
                Json::Bool(value) => Some(Self::Text(value.to_string())),
                Json::Null | Json::Array(_) | Json::Object(_) => None,
            },
            Type::Int => number(value).filter(|number| number.as_int().is_some()).map(Self::Number),
            Type::Float => number(value).map(Self::Number),
            Type::Bool => match value {
                Json::Bool(value) => Some(Self::Bool(*value)),
                Json::String(text) if text == "true" => Some(Self::Bool(true)),
                Json::String(text) if text == "false" => Some(Self::Bool(false)),
                Json::Null | Json::Number(_) | Json::String(_) | Json::Array(_) | Json::Object(_) => None,
            },
            Type::Time => match epoch {
                None => match value {
                    Json::String(text) => Some(Self::Time(text.parse::<jiff::Timestamp>().ok()?.as_nanosecond())),
                    Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => None,
                },
                Some(epoch) => {
                    let unit = match epoch {
                        Epoch::Seconds => 1_000_000_000,
                        Epoch::Milliseconds => 1_000_000,
                    };
                    Some(Self::Time(i128::from(number(value)?.as_int()?) * unit))
                }
            },
            Type::Duration => None,
            Type::List(item) => match value {
                Json::Array(items) => Some(Self::List(items.clone(), item.as_ref().clone())),
                scalar => Some(Self::List(vec![scalar.clone()], item.as_ref().clone())),
            },
            Type::Object => match value {
                Json::Object(_) => Some(Self::Object),
                Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => None,
            },
        }
    }

    /// A text; nothing where it is empty.
    pub(super) fn from_text(text: String) -> Option<Self> {
        (!text.is_empty()).then_some(Self::Text(text))
    }

    /// A constant.
    pub(super) fn from_literal(literal: &Literal) -> Option<Self> {
        match literal {
            Literal::Text(text) => Self::from_text(text.clone()),
            Literal::Int(whole) => Some(Self::Number(Number::from_int(*whole))),
            Literal::Float(decimal) => Number::parse(decimal.as_str()).map(Self::Number),
            Literal::Bool(value) => Some(Self::Bool(*value)),
        }
    }

    /// The text by which keys and distinct values compare.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Bool(value) => value.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
            Self::Time(time) => {
                jiff::Timestamp::from_nanosecond(*time).map_or_else(|_| time.to_string(), |time| time.to_string())
            }
            Self::List(items, _) => Json::Array(items.clone()).to_string(),
            Self::Object => "{}".to_owned(),
        }
    }

    /// The value as JSON, for hits.
    pub(super) fn json(&self) -> Json {
        match self {
            Self::Bool(value) => Json::Bool(*value),
            Self::Number(number) => {
                let text = number.to_string();
                serde_json::from_str(&text).unwrap_or(Json::String(text))
            }
            Self::Text(_) | Self::Time(_) => Json::String(self.text()),
            Self::List(items, _) => Json::Array(items.clone()),
            Self::Object => Json::Object(serde_json::Map::new()),
        }
    }

    /// The different values that a key or a distinct value stands for: the elements of a list, else the value itself.
    pub(super) fn alternatives(self) -> Vec<Self> {
        let Self::List(items, ty) = self else {
            return if self == Self::Object { Vec::new() } else { vec![self] };
        };
        let mut different: Vec<Self> = Vec::new();
        for cell in items.iter().filter_map(|item| Self::convert(item, &ty, None)) {
            if cell != Self::Object && !different.contains(&cell) {
                different.push(cell);
            }
        }
        different
    }
}

/// Whether a value counts as missing: null, or the empty text.
pub(super) fn is_missing(value: &Json) -> bool {
    value.is_null() || value.as_str() == Some("")
}

fn number(value: &Json) -> Option<Number> {
    match value {
        Json::Number(number) => Number::from_json(number),
        Json::String(text) => Number::from_shortest(text),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    }
}
