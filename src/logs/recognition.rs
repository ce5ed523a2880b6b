//! Tells of which source a raw event is, and when it happened.
//!
//! Never looks at a detection: signatures, times and identities stand in the schemas.

use std::cmp::Reverse;
use std::sync::Arc;

use serde_json::Value as Json;

use super::Projection;
use crate::schema::{Catalog, Epoch, FieldPath, Lookup, Source, instant};

/// Recognises the events of the sources that a run reads, and those of the others that the catalogue knows.
#[derive(Debug)]
pub struct Recognition {
    known: Vec<Known>,
    projection: Projection,
}

/// A source with what is asked of its events.
#[derive(Debug)]
struct Known {
    source: Arc<Source>,
    name: Arc<str>,
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
    /// The members that were asked for.
    pub fields: Json,
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
        let mut projection = Projection::default();
        for (_, path) in fields {
            projection.add(path);
        }
        let mut known = Vec::new();
        for source in catalog.sources() {
            let is_read = read.iter().any(|one| one.name == source.name);
            for path in source.signature.iter().chain([&source.time]).chain(source.id.as_ref().filter(|_| is_read)) {
                projection.add(path);
            }
            let epoch = match source.root.lookup(&source.time) {
                Lookup::Known(field) => field.epoch,
                Lookup::Open(_) | Lookup::ThroughList(_) | Lookup::Unknown { .. } => None,
            };
            known.push(Known { source: source.clone(), name: source.name.as_str().into(), epoch, is_read });
        }
        // Where an event has several signatures, the longest says most.
        known.sort_by_key(|known| Reverse(known.source.signature.len()));
        Self { known, projection }
    }

    /// Whether bytes are an event of a known source, or of the given one.
    #[must_use]
    pub fn is_event(&self, bytes: &[u8], given: Option<&str>) -> bool {
        matches!(self.judge(bytes, given), Verdict::Event(_) | Verdict::Unread(_))
    }

    /// Reads a value; `given` is the source that the user names.
    #[must_use]
    pub fn judge(&self, bytes: &[u8], given: Option<&str>) -> Verdict {
        let fields = match self.projection.read(bytes) {
            Ok(fields) => fields,
            Err(error) => {
                let text = error.to_string();
                let why = text.split(" at line ").next().unwrap_or_default();
                return Verdict::Malformed(format!("{why}, byte {}", error.column()));
            }
        };
        if !fields.is_object() {
            return Verdict::NoObject;
        }
        let known = match given {
            Some(name) => self.known.iter().find(|known| known.source.name == name),
            None => self.known.iter().find(|known| has_signature(&fields, &known.source)),
        };
        let Some(known) = known else { return Verdict::Unknown };
        if !known.is_read {
            return Verdict::Unread(known.name.clone());
        }
        match follow(&fields, &known.source.time).and_then(|time| microseconds(time, known.epoch)) {
            Some(time) => Verdict::Event(Recognised { source: known.name.clone(), time, fields }),
            None => Verdict::Timeless(known.source.time.to_string()),
        }
    }
}

fn has_signature(fields: &Json, source: &Source) -> bool {
    !source.signature.is_empty()
        && source.signature.iter().all(|path| follow(fields, path).is_some_and(|value| !value.is_null()))
}

/// An instant as a source writes it; finer digits are cut.
fn microseconds(value: &Json, epoch: Option<Epoch>) -> Option<i64> {
    let unit = match epoch {
        None => return instant(value.as_str()?).map(jiff::Timestamp::as_microsecond),
        Some(Epoch::Seconds) => 1_000_000,
        Some(Epoch::Milliseconds) => 1_000,
    };
    let whole = value.as_i64().or_else(|| value.as_str()?.parse().ok())?;
    // Within the calendar, so that windows can be added.
    whole.checked_mul(unit).filter(|time| jiff::Timestamp::from_microsecond(*time).is_ok())
}

fn follow<'a>(value: &'a Json, path: &FieldPath) -> Option<&'a Json> {
    path.segments().iter().try_fold(value, |value, segment| value.get(segment))
}
