//! Events as the evaluator takes them: a source, a time, fields, and the text that decides ties.
//!
//! Never decides what an event means.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde::Deserialize;
use serde_json::Value as Json;
use serde_json::value::RawValue;

use crate::schema::{Epoch, FieldPath, Lookup, Source};

use super::record::{Found, Record};

/// An event of a source.
#[derive(Debug, Clone)]
pub struct Event {
    /// Name of the source.
    pub source: Arc<str>,
    /// Its own time, in microseconds since 1970.
    pub time: i64,
    /// Where it was found: a log by its number, and a line.
    pub place: Option<(u32, u64)>,
    content: Content,
    text: OnceLock<String>,
}

/// What an event holds.
#[derive(Debug, Clone)]
enum Content {
    /// All of it.
    Tree(Json),
    /// What anything asks for, beside the line of the log that has all of it.
    Record(Record),
}

impl Event {
    /// Makes an event.
    #[must_use]
    pub fn new(source: impl Into<Arc<str>>, time: i64, fields: Json) -> Self {
        Self { source: source.into(), time, place: None, content: Content::Tree(fields), text: OnceLock::new() }
    }

    /// Makes an event of a log, of which only what a layout asks for was read; where it stands: a log, and a line.
    #[must_use]
    pub const fn of_log(source: Arc<str>, time: i64, record: Record, place: (u32, u64)) -> Self {
        Self { source, time, place: Some(place), content: Content::Record(record), text: OnceLock::new() }
    }

    /// The whole event as the source sends it.
    #[must_use]
    pub fn whole(&self) -> Cow<'_, Json> {
        match &self.content {
            Content::Tree(fields) => Cow::Borrowed(fields),
            Content::Record(record) => Cow::Owned(serde_json::from_str(record.line()).unwrap_or_default()),
        }
    }

    /// The value at a path; of an event of a log, at a path that its layout asks for.
    #[must_use]
    pub fn get(&self, path: &FieldPath) -> Option<&Json> {
        match &self.content {
            Content::Tree(fields) => follow(fields, path.segments()),
            Content::Record(record) => record.get(path),
        }
    }

    /// The value at a path with its number, as JSON.
    pub(super) fn json(&self, number: u64, segments: &[String]) -> Option<&Json> {
        match &self.content {
            Content::Tree(fields) => follow(fields, segments),
            Content::Record(record) => record.json(number, segments),
        }
    }

    /// The value at a path with its number, as it is found.
    pub(super) fn find(&self, number: u64, segments: &[String]) -> Option<Found<'_>> {
        match &self.content {
            Content::Tree(fields) => follow(fields, segments).map(Found::Json),
            Content::Record(record) => record.find(number, segments),
        }
    }

    /// The whole event as JSON with sorted members and no blanks, made when it is first wanted.
    #[must_use]
    pub fn text(&self) -> &str {
        self.text.get_or_init(|| {
            let mut text = String::new();
            write_sorted(&self.whole(), &mut text);
            text
        })
    }

    /// The order of the texts of two events, without making more of them than it takes.
    #[must_use]
    pub fn compare_text(&self, other: &Self) -> Ordering {
        match (&self.content, &other.content) {
            (Content::Record(one), Content::Record(other)) if one.line() == other.line() => Ordering::Equal,
            (Content::Record(one), Content::Record(next)) => compare_lines(one.line(), next.line())
                .unwrap_or_else(|| self.text().cmp(other.text())),
            (Content::Tree(_), _) | (_, Content::Tree(_)) => self.text().cmp(other.text()),
        }
    }
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source && self.time == other.time && self.whole() == other.whole()
    }
}

/// Name of a member, its escapes read.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// The order of the sorted texts of two objects, found member by member; nothing where they are no objects.
fn compare_lines(one: &str, other: &str) -> Option<Ordering> {
    let members = |line| serde_json::from_str::<BTreeMap<Name<'_>, &RawValue>>(line).ok();
    let (one, other) = (members(one)?, members(other)?);
    let (mut ones, mut others) = (one.iter().peekable(), other.iter().peekable());
    loop {
        let (Some((name, value)), Some((other_name, other_value))) = (ones.next(), others.next()) else {
            // One object is the start of the other, or both are empty: a closing brace sorts behind all that could follow.
            return Some(one.len().cmp(&other.len()).reverse());
        };
        let is_same = name == other_name && value.get() == other_value.get();
        if is_same && ones.peek().is_some() == others.peek().is_some() {
            continue;
        }
        let written = |name: &Name<'_>, value: &RawValue, is_last: bool| {
            let mut text = String::new();
            write_text(&name.0, &mut text);
            text.push(':');
            let value: Json = serde_json::from_str(value.get()).unwrap_or_default();
            write_sorted(&value, &mut text);
            text.push(if is_last { '}' } else { ',' });
            text
        };
        let text = written(name, value, ones.peek().is_none());
        let order = text.cmp(&written(other_name, other_value, others.peek().is_none()));
        if order.is_ne() {
            return Some(order);
        }
    }
}

/// Reads an instant (RFC 3339 with an offset) as microseconds since 1970; finer digits are cut.
#[must_use]
pub fn time_from_text(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_microsecond)
}

/// Writes microseconds since 1970 as RFC 3339 in UTC; the number itself where it is outside the calendar.
#[must_use]
pub fn time_to_text(time: i64) -> String {
    jiff::Timestamp::from_microsecond(time).map_or_else(|_| time.to_string(), |time| time.to_string())
}

fn follow<'a>(value: &'a Json, segments: &[String]) -> Option<&'a Json> {
    segments.iter().try_fold(value, |value, segment| value.get(segment))
}

/// How the whole numbers of a field count as times.
pub(super) fn epoch(source: &Source, path: &FieldPath) -> Option<Epoch> {
    match source.root.lookup(path) {
        Lookup::Known(field) => field.epoch,
        Lookup::Open(_) | Lookup::ThroughList(_) | Lookup::Unknown { .. } => None,
    }
}

fn write_sorted(value: &Json, text: &mut String) {
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
