//! The events of a test, as their sources would send them.

use serde_json::{Map, Value as Json};

use super::ReadFile;
use crate::analysis::native_event;
use crate::eval::{Event, time_from_text, time_to_text};
use crate::ir::Detection;
use crate::schema::{Catalog, Duration, Epoch, FieldPath, Lookup, Source, instant};
use crate::syntax::{DetectionFile, document};
use crate::yaml::Node;

/// Where `at` counts from when a test does not say: a Monday.
const START: &str = "2026-01-05T00:00:00Z";

/// The instant that offsets count from, in microseconds since 1970.
pub(super) fn start(test: &document::Test) -> Result<i64, String> {
    let text = test.start.as_deref().unwrap_or(START);
    time_from_text(text).ok_or_else(|| format!("`{text}` is no instant such as `{START}`"))
}

/// Reads an offset such as `29m`, `600001ms` or `-2d` as microseconds.
pub(super) fn offset(text: &str) -> Result<i64, String> {
    let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let duration: Duration = unsigned.parse().map_err(|_| format!("`{text}` is no offset such as `29m` or `-2d`"))?;
    let size = i64::try_from(duration.milliseconds()).ok().and_then(|size| size.checked_mul(1_000));
    let size = size.ok_or_else(|| format!("`{text}` is too long"))?;
    Ok(if negative { -size } else { size })
}

/// All events of a test.
pub(super) fn events(
    file: &DetectionFile,
    index: usize,
    test: &document::Test,
    start: i64,
    detection: &Detection,
    catalog: &Catalog,
    read: ReadFile<'_>,
) -> Result<Vec<Event>, String> {
    let mut events = Vec::new();
    for (group, written) in [("history", &test.history), ("events", &test.events)] {
        for (number, event) in written.iter().enumerate() {
            let source = catalog.source(&event.source).ok_or_else(|| format!("unknown source `{}`", event.source))?;
            let time = start.saturating_add(offset(&event.at)?);
            let node: Option<&Node> = file.tree.pointer(&format!("/tests/{index}/{group}/{number}/event"));
            let mut fields = node.map_or(Json::Null, |node| native_event(node, source));
            put_time(&mut fields, source, time, false);
            events.push(Event::new(source.name.as_str(), time, fields));
        }
    }
    if let Some(path) = &test.file {
        let text = read(path)?;
        let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        for (number, line) in lines {
            events.extend(raw(line, detection).map_err(|why| format!("`{path}`, line {}: {why}", number + 1))?);
        }
    }
    Ok(events)
}

/// The event at another instant, which its source's time field says, too.
pub(super) fn moved(event: &Event, source: &Source, time: i64) -> Event {
    let mut fields = event.whole().into_owned();
    put_time(&mut fields, source, time, true);
    Event::new(event.source.clone(), time, fields)
}

/// Every event carries its time where its source puts it, unless the test says something else there.
fn put_time(fields: &mut Json, source: &Source, time: i64, overwrites: bool) {
    let value = match epoch(source) {
        Some(Epoch::Seconds) => Json::from(time.div_euclid(1_000_000)),
        Some(Epoch::Milliseconds) => Json::from(time.div_euclid(1_000)),
        None => Json::from(time_to_text(time)),
    };
    let mut place = fields;
    for segment in source.time.segments() {
        let Some(members) = place.as_object_mut() else { return };
        let is_last = segment.as_str() == source.time.last();
        place = members
            .entry(segment.clone())
            .or_insert_with(|| if is_last { Json::Null } else { Json::Object(Map::new()) });
    }
    if place.is_null() || overwrites {
        *place = value;
    }
}

fn epoch(source: &Source) -> Option<Epoch> {
    match source.root.lookup(&source.time) {
        Lookup::Known(field) => field.epoch,
        Lookup::Open(_) | Lookup::ThroughList(_) | Lookup::Unknown { .. } => None,
    }
}

/// The raw events in a line of a file.
fn raw(line: &str, detection: &Detection) -> Result<Vec<Event>, String> {
    let fields: Json = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let source =
        source_of(&fields, detection).ok_or("the event has the signature of none of the detection's sources")?;
    source.events_of(fields).into_iter().map(|event| raw_event(event, source)).collect()
}

/// The source of the detection whose signature a raw event has.
#[must_use]
pub fn source_of<'a>(fields: &Json, detection: &'a Detection) -> Option<&'a Source> {
    let is_there = |path: &FieldPath| follow(fields, path).is_some_and(|value| !value.is_null());
    let mut sources = detection.sources().into_iter();
    sources.find(|source| !source.signature.is_empty() && source.signature.iter().all(is_there)).map(AsRef::as_ref)
}

/// An event as its source sends it.
///
/// # Errors
/// Says that it has no time where the source puts it.
pub fn raw_event(fields: Json, source: &Source) -> Result<Event, String> {
    let missing = || format!("the event has no time in `{}`", source.time);
    let written = follow(&fields, &source.time).ok_or_else(missing)?;
    let time = match epoch(source) {
        Some(Epoch::Seconds) => written.as_i64().and_then(|time| time.checked_mul(1_000_000)),
        Some(Epoch::Milliseconds) => written.as_i64().and_then(|time| time.checked_mul(1_000)),
        None => written.as_str().and_then(instant).map(jiff::Timestamp::as_microsecond),
    };
    let time = time.ok_or_else(missing)?;
    Ok(Event::new(source.name.clone(), time, fields))
}

fn follow<'a>(value: &'a Json, path: &FieldPath) -> Option<&'a Json> {
    path.segments().iter().try_fold(value, |value, segment| value.get(segment))
}
