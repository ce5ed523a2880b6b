//! Events as the evaluator takes them: a source, a time, fields, and the text that decides ties.
//!
//! Never decides what an event means.

use std::sync::{Arc, OnceLock};

use serde_json::Value as Json;

use crate::schema::{Epoch, FieldPath, Lookup, Source, Type};

use super::expression::Cell;

/// An event of a source.
#[derive(Debug, Clone)]
pub struct Event {
    /// Name of the source.
    pub source: Arc<str>,
    /// Its own time, in microseconds since 1970.
    pub time: i64,
    /// The event as the source sends it, or as much of it as anything asks for.
    pub fields: Json,
    /// Where it was found: a log by its number, and a line.
    pub place: Option<(u32, u64)>,
    /// The bytes of the event, where `fields` is not all of it.
    line: Option<Box<[u8]>>,
    text: OnceLock<String>,
}

impl Event {
    /// Makes an event.
    #[must_use]
    pub fn new(source: impl Into<Arc<str>>, time: i64, fields: Json) -> Self {
        Self { source: source.into(), time, fields, place: None, line: None, text: OnceLock::new() }
    }

    /// Makes an event of a log of which only some fields were read; `line` is all of it, as JSON.
    #[must_use]
    pub fn of_line(source: Arc<str>, time: i64, fields: Json, line: Box<[u8]>, place: (u32, u64)) -> Self {
        Self { source, time, fields, place: Some(place), line: Some(line), text: OnceLock::new() }
    }

    /// The whole event.
    #[must_use]
    pub fn whole(&self) -> Json {
        let whole = self.line.as_ref().and_then(|line| serde_json::from_slice(line).ok());
        whole.unwrap_or_else(|| self.fields.clone())
    }

    /// The whole event as JSON with sorted members and no blanks, made when it is first wanted.
    #[must_use]
    pub fn text(&self) -> &str {
        self.text.get_or_init(|| {
            let mut text = String::new();
            match &self.line {
                Some(_) => write_sorted(&self.whole(), &mut text),
                None => write_sorted(&self.fields, &mut text),
            }
            text
        })
    }
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source && self.time == other.time && self.fields == other.fields
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

/// The text that tells an event of a source from all others; `None` where the source has none, or the event lacks it.
#[must_use]
pub fn event_id(event: &Event, source: &Source) -> Option<String> {
    let path = source.id.as_ref()?;
    let (ty, epoch) = match source.root.lookup(path) {
        Lookup::Known(field) => (field.ty.clone(), field.epoch),
        Lookup::Open(ty) => (ty, None),
        Lookup::ThroughList(_) | Lookup::Unknown { .. } => (Type::Text, None),
    };
    let value = path.segments().iter().try_fold(&event.fields, |value, segment| value.get(segment))?;
    Cell::convert(value, &ty, epoch).map(|cell| cell.text().into_owned())
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
