//! The texts of events, with sorted members and no blanks, and their order.
//!
//! Never writes more of two texts than it takes to tell which sorts first.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Range;

use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::Value as Json;
use serde_json::value::RawValue;

/// Where the members of an object stand in its line, sorted by name: name and value of each.
#[derive(Debug, Clone)]
pub(super) struct Outline(Box<[(Range<u32>, Range<u32>)]>);

impl Outline {
    /// The outline of an object; nothing where a name has escapes, or where it is no object.
    pub(super) fn new(line: &str) -> Option<Self> {
        let mut members = serde_json::Deserializer::from_str(line).deserialize_map(Members).ok()?;
        // Of members with one name the last counts; sorting leaves them in their order.
        members.sort_by_key(|(name, _)| *name);
        let start = line.as_ptr().addr();
        let range = |text: &str| {
            let start = u32::try_from(text.as_ptr().addr().checked_sub(start)?).ok()?;
            Some(start..start.checked_add(u32::try_from(text.len()).ok()?)?)
        };
        let mut ranges: Vec<(Range<u32>, Range<u32>)> = Vec::with_capacity(members.len());
        let mut last = None;
        for (name, value) in members {
            if last == Some(name) {
                ranges.pop();
            }
            last = Some(name);
            ranges.push((range(name)?, range(value.get())?));
        }
        Some(Self(ranges.into_boxed_slice()))
    }

    /// The order of the texts of two objects, given their lines.
    pub(super) fn compare(&self, line: &str, other: &Self, other_line: &str) -> Ordering {
        let (number, other_number) = (self.0.len(), other.0.len());
        // Neither is empty, so that the last member of one at the latest shows which is the longer.
        for (index, ((name, value), (other_name, other_value))) in self.0.iter().zip(&other.0).enumerate() {
            let (name, other_name) = (part(line, name), part(other_line, other_name));
            let (value, other_value) = (part(line, value), part(other_line, other_value));
            let (is_last, other_is_last) = (index + 1 == number, index + 1 == other_number);
            if name == other_name && value == other_value && is_last == other_is_last {
                continue;
            }
            // A member with what stands behind it is never the start of another one.
            let order = written(name, value, is_last).cmp(&written(other_name, other_value, other_is_last));
            if order.is_ne() {
                return order;
            }
        }
        Ordering::Equal
    }
}

fn part<'a>(line: &'a str, range: &Range<u32>) -> &'a str {
    line.get(range.start as usize..range.end as usize).unwrap_or_default()
}

fn written(name: &str, value: &str, is_last: bool) -> String {
    let mut text = String::new();
    write_text(name, &mut text);
    text.push(':');
    let value: Json = serde_json::from_str(value).unwrap_or_default();
    write_sorted(&value, &mut text);
    text.push(if is_last { '}' } else { ',' });
    text
}

/// Reads the members of an object without reading their values.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(&'de str, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(name) = access.next_key::<&'de str>()? {
            members.push((name, access.next_value()?));
        }
        if members.is_empty() { Err(A::Error::custom("no members")) } else { Ok(members) }
    }
}

/// Writes a value with sorted members and no blanks.
pub(super) fn write_sorted(value: &Json, text: &mut String) {
    match value {
        Json::Object(members) => {
            let mut members: Vec<(&String, &Json)> = members.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            text.push('{');
            for (index, (name, value)) in members.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_text(name, text);
                text.push(':');
                write_sorted(value, text);
            }
            text.push('}');
        }
        Json::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write_sorted(item, text);
            }
            text.push(']');
        }
        Json::String(value) => write_text(value, text),
        Json::Null | Json::Bool(_) | Json::Number(_) => text.push_str(&value.to_string()),
    }
}

/// Writes a text as JSON does, between quotes.
fn write_text(value: &str, text: &mut String) {
    let is_plain = value.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\' && byte != 0x7f);
    if is_plain {
        text.push('"');
        text.push_str(value);
        text.push('"');
    } else {
        text.push_str(&Json::String(value.to_owned()).to_string());
    }
}
