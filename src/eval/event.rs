//! Events as the evaluator takes them: a source, a time, fields, and the text that decides ties.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;

use super::scope::{Patterns, Scope};
use crate::ir::Detection;
use crate::schema::{FieldPath, Source};

/// An event of a source.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Name of the source.
    pub source: String,
    /// Its own time, in microseconds since 1970.
    pub time: i64,
    /// The event as the source sends it.
    pub fields: Json,
    /// The fields as JSON with sorted members and no blanks.
    pub text: String,
}

impl Event {
    /// Makes an event; its text follows from the fields.
    #[must_use]
    pub fn new(source: impl Into<String>, time: i64, fields: Json) -> Self {
        let mut text = String::new();
        write_sorted(&fields, &mut text);
        Self { source: source.into(), time, fields, text }
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

fn write_sorted(value: &Json, text: &mut String) {
    match value {
        Json::Object(members) => {
            let members: BTreeMap<&String, &Json> = members.iter().collect();
            text.push('{');
            for (index, (name, value)) in members.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                text.push_str(&Json::String(name.clone()).to_string());
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
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => text.push_str(&value.to_string()),
    }
}

/// The events of the detection's sources, duplicates removed, in an order that does not depend on that of the input.
pub(super) fn prepare(detection: &Detection, events: Vec<Event>, patterns: &Patterns) -> Vec<Arc<Event>> {
    let sources: BTreeMap<&str, &Source> =
        detection.sources().into_iter().map(|source| (source.name.as_str(), source.as_ref())).collect();
    let mut events: Vec<Event> =
        events.into_iter().filter(|event| sources.contains_key(event.source.as_str())).collect();
    events.sort_by(|one, other| {
        let order = one.time.cmp(&other.time).then_with(|| one.text.cmp(&other.text));
        order.then_with(|| one.source.cmp(&other.source))
    });
    let mut seen = std::collections::HashSet::new();
    events.retain(|event| {
        let source = sources.get(event.source.as_str());
        let id = source.and_then(|source| identity(event, source, source.id.as_ref()?, patterns));
        id.is_none_or(|id| seen.insert((event.source.clone(), id)))
    });
    events.into_iter().map(Arc::new).collect()
}

fn identity(event: &Event, source: &Source, path: &FieldPath, patterns: &Patterns) -> Option<String> {
    let scope = Scope::new(event, source, patterns);
    scope.field(path).map(|cell| cell.text())
}
