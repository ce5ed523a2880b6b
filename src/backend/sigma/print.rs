//! Writes Sigma documents as YAML; the only place that quotes or escapes a string.

use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::ast::{Bound, Comparison, Condition, Detection, Document, Item, Search, Text, Threshold, Value};
use super::pattern;
use crate::ir::GlobPart;

/// Makes serde_yaml, which offers no choice of quotes, put a text into quotes: the blank does that, the private character
/// recognises the mark, which is taken out of the finished text.
const QUOTE: &str = " \u{E000}";

/// Writes documents one after the other.
///
/// # Errors
/// Passes on what serde_yaml says.
pub(super) fn documents(documents: &[Document]) -> Result<String, serde_yaml::Error> {
    let texts: Vec<String> = documents.iter().map(serde_yaml::to_string).collect::<Result<_, _>>()?;
    Ok(texts.join("---\n").replace(QUOTE, ""))
}

/// The first character of a text that YAML would not give back: the line and paragraph separators, which libyaml folds,
/// and the mark of the printer.
pub(super) fn unwritable(text: &str) -> Option<char> {
    text.chars().find(|character| matches!(character, '\u{2028}' | '\u{2029}' | '\u{E000}'))
}

/// Whether a reader of YAML 1.1, such as PyYAML, could take the bare text for a number, a date, a time or a truth value.
fn is_ambiguous(text: &str) -> bool {
    let is_word = ["y", "n", "yes", "no", "on", "off", "<<", "="].iter().any(|word| text.eq_ignore_ascii_case(word));
    let starts = |first: char| first.is_ascii_digit() || matches!(first, '+' | '-' | '.');
    let goes_on = |next: char| next.is_ascii_alphanumeric() || matches!(next, '+' | '-' | '.' | ':' | '_' | ' ');
    is_word || (text.starts_with(starts) && text.chars().all(goes_on))
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if is_ambiguous(&self.0) {
            serializer.serialize_str(&format!("{QUOTE}{}", self.0))
        } else {
            serializer.serialize_str(&self.0)
        }
    }
}

impl Serialize for Threshold {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(field) = &self.field {
            map.serialize_entry("field", field)?;
        }
        let operator = match self.bound {
            Bound::Less => "lt",
            Bound::LessOrEqual => "lte",
            Bound::Greater => "gt",
            Bound::GreaterOrEqual => "gte",
            Bound::Equal => "eq",
        };
        map.serialize_entry(operator, &self.number)?;
        map.end()
    }
}

impl Serialize for Detection {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.searches.len() + 1))?;
        for (name, search) in &self.searches {
            map.serialize_entry(name, search)?;
        }
        map.serialize_entry("condition", &self.condition.to_string())?;
        map.end()
    }
}

impl Serialize for Search {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [map] => Map(map).serialize(serializer),
            maps => serializer.collect_seq(maps.iter().map(|map| Map(map))),
        }
    }
}

/// Items that all have to hold, as one map.
struct Map<'a>(&'a [Item]);

impl Serialize for Map<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for item in self.0 {
            let key = Text(format!("{}{}", item.field, item.comparison));
            match item.values.as_slice() {
                [value] => map.serialize_entry(&key, value)?,
                values => map.serialize_entry(&key, values)?,
            }
        }
        map.end()
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Empty => serializer.serialize_str(""),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(number) => serializer.serialize_i64(*number),
            Self::Float(number) => serializer.serialize_f64(*number),
            Self::Text(text) => Text(literal(text)).serialize(serializer),
            Self::Glob(glob) => Text(glob.parts.iter().map(wildcard).collect()).serialize(serializer),
            Self::Regex(regex) => Text(pattern::print(regex)).serialize(serializer),
            Self::Network(network) => Text(network.to_string()).serialize(serializer),
            Self::Field(name) => Text(name.clone()).serialize(serializer),
        }
    }
}

/// Escapes what Sigma reads as wildcard or escape.
fn literal(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '*' | '?' | '\\') {
            written.push('\\');
        }
        written.push(character);
    }
    written
}

fn wildcard(part: &GlobPart) -> String {
    match part {
        GlobPart::Text(text) => literal(text),
        GlobPart::Any => "*".to_owned(),
        GlobPart::One => "?".to_owned(),
    }
}

impl fmt::Display for Comparison {
    /// Writes the modifiers behind the field's name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (modifier, cased) = match self {
            Self::Whole { cased } => ("", *cased),
            Self::Contains { cased } => ("|contains", *cased),
            Self::StartsWith { cased } => ("|startswith", *cased),
            Self::EndsWith { cased } => ("|endswith", *cased),
            Self::Regex { folded: false } => ("|re", false),
            Self::Regex { folded: true } => ("|re|i", false),
            Self::Cidr => ("|cidr", false),
            Self::Less => ("|lt", false),
            Self::LessOrEqual => ("|lte", false),
            Self::Greater => ("|gt", false),
            Self::GreaterOrEqual => ("|gte", false),
            Self::FieldReference => ("|fieldref", false),
        };
        f.write_str(modifier)?;
        if cased { f.write_str("|cased") } else { Ok(()) }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Search(name) => f.write_str(name),
            Self::NoneOf(prefix) => write!(f, "not 1 of {prefix}*"),
            Self::Not(inner) => {
                f.write_str("not ")?;
                inner.write_operand(f)
            }
            Self::And(parts) => join(f, parts, " and "),
            Self::Or(parts) => join(f, parts, " or "),
        }
    }
}

impl Condition {
    /// Writes the condition with parentheses where it is not one name.
    fn write_operand(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Search(_) | Self::Not(_) | Self::NoneOf(_) => write!(f, "{self}"),
            Self::And(_) | Self::Or(_) => write!(f, "({self})"),
        }
    }
}

fn join(f: &mut fmt::Formatter<'_>, parts: &[Condition], separator: &str) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(separator)?;
        }
        part.write_operand(f)?;
    }
    Ok(())
}
