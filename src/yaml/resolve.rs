//! What an unquoted text stands for: the core schema of YAML 1.2, less everything that surprises.
//!
//! Dates, `yes`, `on`, `012`, `0x1f`, `1_000`, `1e5` and `.5` stay texts.

use super::{Node, NodeKind, Scalar, ScalarStyle};

/// What a text stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Resolved<'a> {
    /// `~`, `null`, or nothing at all.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A decimal integer without leading zeros that fits.
    Int(i64),
    /// Digits, a point, digits.
    Float(f64),
    /// Everything else, and everything in quotes or in a block.
    Text(&'a str),
}

/// What a scalar stands for.
#[must_use]
pub fn resolve(scalar: &Scalar) -> Resolved<'_> {
    let text = scalar.text.as_str();
    if scalar.style != ScalarStyle::Plain {
        return Resolved::Text(text);
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Resolved::Null,
        "true" | "True" | "TRUE" => Resolved::Bool(true),
        "false" | "False" | "FALSE" => Resolved::Bool(false),
        _ => number(text).unwrap_or(Resolved::Text(text)),
    }
}

/// The number that a text is; `None` for everything else, integers beyond 64 bits included.
fn number(text: &str) -> Option<Resolved<'_>> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || (whole.len() > 1 && whole.starts_with('0')) {
        return None;
    }
    match fraction {
        None => text.parse().ok().map(Resolved::Int),
        Some(fraction) if all_digits(fraction) => {
            text.parse().ok().filter(|value: &f64| value.is_finite()).map(Resolved::Float)
        }
        Some(_) => None,
    }
}

/// The value as JSON.
#[must_use]
pub fn to_json(node: &Node) -> serde_json::Value {
    use serde_json::Value;
    match &node.kind {
        NodeKind::Scalar(scalar) => match resolve(scalar) {
            Resolved::Null => Value::Null,
            Resolved::Bool(value) => Value::Bool(value),
            Resolved::Int(value) => Value::from(value),
            Resolved::Float(value) => Value::from(value),
            Resolved::Text(text) => Value::from(text),
        },
        NodeKind::Sequence(items) => Value::Array(items.iter().map(to_json).collect()),
        NodeKind::Mapping(entries) => {
            Value::Object(entries.iter().map(|entry| (entry.key.node.clone(), to_json(&entry.value))).collect())
        }
    }
}

/// The value as `serde_yaml` holds it, for deserializing; keys are always texts.
#[must_use]
pub fn to_yaml(node: &Node) -> serde_yaml::Value {
    use serde_yaml::Value;
    match &node.kind {
        NodeKind::Scalar(scalar) => match resolve(scalar) {
            Resolved::Null => Value::Null,
            Resolved::Bool(value) => Value::Bool(value),
            Resolved::Int(value) => Value::Number(value.into()),
            Resolved::Float(value) => Value::Number(value.into()),
            Resolved::Text(text) => Value::String(text.to_owned()),
        },
        NodeKind::Sequence(items) => Value::Sequence(items.iter().map(to_yaml).collect()),
        NodeKind::Mapping(entries) => Value::Mapping(
            entries.iter().map(|entry| (Value::String(entry.key.node.clone()), to_yaml(&entry.value))).collect(),
        ),
    }
}
