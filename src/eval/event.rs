//! Events as the evaluator takes them: a source, a time, fields, and the text that decides ties.
//!
//! Never decides what an event means.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::{Arc, OnceLock};

use serde_json::Value as Json;

use crate::schema::{Epoch, FieldPath, Lookup, Source};

use super::outline::{Outline, write_sorted};
use super::record::{Found, Record};
use super::router::Target;

/// An event of a source.
#[derive(Debug, Clone)]
pub struct Event {
    /// Name of the source.
    pub source: Arc<str>,
    /// Its own time, in microseconds since 1970.
    pub time: i64,
    /// Where it was found: a log by its number, and a line.
    pub place: Option<(u32, u64)>,
    /// The conditions of a fleet that hold of it, where the fleet has seen it already.
    pub(super) routes: Option<Box<[Target]>>,
    content: Content,
    text: OnceLock<String>,
    /// For the order of texts; nothing inside where that needs the texts themselves.
    outline: OnceLock<Option<Outline>>,
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
        Self::made(source.into(), time, None, Content::Tree(fields))
    }

    /// Makes an event of a log, of which only what a layout asks for was read; where it stands: a log, and a line.
    #[must_use]
    pub const fn of_log(source: Arc<str>, time: i64, record: Record, place: (u32, u64)) -> Self {
        Self::made(source, time, Some(place), Content::Record(record))
    }

    const fn made(source: Arc<str>, time: i64, place: Option<(u32, u64)>, content: Content) -> Self {
        Self { source, time, place, routes: None, content, text: OnceLock::new(), outline: OnceLock::new() }
    }

    /// The whole event as the source sends it.
    #[must_use]
    pub fn whole(&self) -> Cow<'_, Json> {
        match &self.content {
            Content::Tree(fields) => Cow::Borrowed(fields),
            // Members that nothing asks for may be nested deeper than values can be; the line itself is left then.
            Content::Record(record) => {
                let line = record.line();
                Cow::Owned(serde_json::from_str(line).unwrap_or_else(|_| Json::from(line)))
            }
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

    fn outline(&self, record: &Record) -> Option<&Outline> {
        self.outline.get_or_init(|| Outline::new(record.line())).as_ref()
    }

    /// The order of the texts of two events, without making more of them than it takes.
    #[must_use]
    pub fn compare_text(&self, other: &Self) -> Ordering {
        match (&self.content, &other.content) {
            (Content::Record(one), Content::Record(next)) if one.line() == next.line() => Ordering::Equal,
            (Content::Record(one), Content::Record(next)) => {
                let outlines = self.outline(one).zip(other.outline(next));
                outlines.map_or_else(
                    || self.text().cmp(other.text()),
                    |(outline, next_outline)| outline.compare(one.line(), next_outline, next.line()),
                )
            }
            (Content::Tree(_), _) | (_, Content::Tree(_)) => self.text().cmp(other.text()),
        }
    }
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source && self.time == other.time && self.whole() == other.whole()
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
