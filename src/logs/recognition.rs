//! Tells of which source a raw event is, and when it happened.
//!
//! Never looks at a detection: signatures, times and identities stand in the schemas.

use std::cmp::Reverse;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::eval::{Layout, Position, Record};
use crate::schema::{Catalog, Epoch, FieldPath, Lookup, Source, instant};

/// Recognises the events of the sources that a run reads, and those of the others that the catalogue knows.
#[derive(Debug)]
pub struct Recognition {
    known: Vec<Known>,
    layout: Arc<Layout>,
}

/// A source with what is asked of its events.
#[derive(Debug)]
struct Known {
    source: Arc<Source>,
    name: Arc<str>,
    signature: Vec<Position>,
    time: Option<Position>,
    epoch: Option<Epoch>,
    is_read: bool,
}

/// An event of a source that is read.
#[derive(Debug, Clone, PartialEq)]
pub struct Recognised {
    /// Name of the source.
    pub source: Arc<str>,
    /// Its own time, in microseconds since 1970.
    pub time: i64,
    /// What was asked for of it.
    pub record: Record,
}

/// What a value turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// An event of a source that is read.
    Event(Recognised),
    /// An event of a known source that nothing reads.
    Unread(Arc<str>),
    /// An event without a time, or with one that cannot be read, in the field that is named.
    Timeless(String),
    /// An object with the signature of no source.
    Unknown,
    /// No object.
    NoObject,
    /// Not JSON; says why.
    Malformed(String),
}

impl Recognition {
    /// Recognises all sources of the catalogue; `fields` are wanted of the events, by the source that is read.
    #[must_use]
    pub fn new(catalog: &Catalog, fields: &[(Arc<Source>, FieldPath)], read: &[Arc<Source>]) -> Self {
        let mut paths: Vec<&FieldPath> = fields.iter().map(|(_, path)| path).collect();
        let is_read = |source: &Source| read.iter().any(|one| one.name == source.name);
        for source in catalog.sources() {
            paths.extend(source.signature.iter().chain([&source.time]));
            paths.extend([&source.id, &source.each].into_iter().flatten().filter(|_| is_read(source)));
        }
        let layout = Layout::new(paths);
        let known = catalog.sources().map(|source| {
            let epoch = match source.root.lookup(&source.time) {
                Lookup::Known(field) => field.epoch,
                Lookup::Open(_) | Lookup::ThroughList(_) | Lookup::Unknown { .. } => None,
            };
            Known {
                source: source.clone(),
                name: source.name.as_str().into(),
                signature: source.signature.iter().filter_map(|path| layout.position(path)).collect(),
                time: layout.position(&source.time),
                epoch,
                is_read: is_read(source),
            }
        });
        let mut known: Vec<Known> = known.collect();
        // Where an event has several signatures, the longest says most.
        known.sort_by_key(|known| Reverse(known.source.signature.len()));
        Self { known, layout: Arc::new(layout) }
    }

    /// Whether bytes are an event of a known source, or of the given one.
    #[must_use]
    pub fn is_event(&self, bytes: &[u8], given: Option<&str>) -> bool {
        matches!(self.judge(bytes, given), Verdict::Event(_) | Verdict::Unread(_))
    }

    /// The events of a record that holds a list of them, as JSON; `None` for a record that is one event.
    #[must_use]
    pub fn events_of(&self, record: &Recognised) -> Option<Vec<String>> {
        let known = self.known.iter().find(|known| Arc::ptr_eq(&known.name, &record.source))?;
        let list = record.record.get(known.source.each.as_ref()?)?;
        let whole: Json = list.is_array().then(|| serde_json::from_str(record.record.line()).ok()).flatten()?;
        Some(known.source.events_of(whole).iter().map(Json::to_string).collect())
    }

    /// Reads a value; `given` is the source that the user names.
    #[must_use]
    pub fn judge(&self, bytes: &[u8], given: Option<&str>) -> Verdict {
        let line = match std::str::from_utf8(bytes) {
            Ok(line) => line,
            Err(error) => return Verdict::Malformed(format!("not UTF-8, byte {}", error.valid_up_to() + 1)),
        };
        let record = match self.layout.read(line) {
            Ok(Some(record)) => record,
            Ok(None) => return Verdict::NoObject,
            Err(error) => {
                let text = error.to_string();
                let why = text.split(" at line ").next().unwrap_or_default();
                return Verdict::Malformed(format!("{why}, byte {}", error.column()));
            }
        };
        let known = match given {
            Some(name) => self.known.iter().find(|known| known.source.name == name),
            None => self.known.iter().find(|known| known.has_signature(&record)),
        };
        let Some(known) = known else { return Verdict::Unknown };
        if !known.is_read {
            return Verdict::Unread(known.name.clone());
        }
        match known.time_of(&record) {
            Some(time) => Verdict::Event(Recognised { source: known.name.clone(), time, record }),
            None => Verdict::Timeless(known.source.time.to_string()),
        }
    }
}

impl Known {
    fn has_signature(&self, record: &Record) -> bool {
        !self.signature.is_empty() && self.signature.iter().all(|position| record.has(*position))
    }

    /// An event's instant in microseconds; finer digits are cut.
    fn time_of(&self, record: &Record) -> Option<i64> {
        let unit = match self.epoch {
            None => return instant(record.text_at(self.time?)?).map(jiff::Timestamp::as_microsecond),
            Some(Epoch::Seconds) => 1_000_000,
            Some(Epoch::Milliseconds) => 1_000,
        };
        // Within the calendar, so that windows can be added.
        let time = record.whole_number_at(self.time?)?.checked_mul(unit)?;
        jiff::Timestamp::from_microsecond(time).is_ok().then_some(time)
    }
}
