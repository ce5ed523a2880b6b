//! Hits as JSON lines or as a table.
//!
//! Never waits for the end of a run: what is due is written.

use std::io::{self, Write};

use serde_json::{Map, Value as Json, json};

use super::engines::Due;
use super::log_name;
use crate::eval::{Event, Hit, Number};
use crate::ir::Detection;
use crate::logs::Log;

/// Writes hits to standard output.
pub(super) struct Output<'a> {
    out: io::BufWriter<io::StdoutLock<'static>>,
    is_table: bool,
    explain: bool,
    detections: &'a [Detection],
    logs: &'a [Log],
    hits: u64,
    alerts: u64,
    failure: Option<io::Error>,
}

impl<'a> Output<'a> {
    pub(super) fn new(is_table: bool, explain: bool, detections: &'a [Detection], logs: &'a [Log]) -> Self {
        let out = io::BufWriter::new(io::stdout().lock());
        Self { out, is_table, explain, detections, logs, hits: 0, alerts: 0, failure: None }
    }

    /// Number of hits so far.
    pub(super) const fn hits(&self) -> u64 {
        self.hits
    }

    /// Number of hits so far that suppression left.
    pub(super) const fn alerts(&self) -> u64 {
        self.alerts
    }

    /// Writes what is due, in its order; false where nobody reads it.
    pub(super) fn write(&mut self, due: Vec<Due>) -> bool {
        let any = !due.is_empty();
        for one in due {
            self.hits += 1;
            self.alerts += u64::from(one.is_alert);
            if self.failure.is_none() {
                self.failure = self.one(&one).err();
            }
        }
        if any && self.failure.is_none() {
            self.failure = self.out.flush().err();
        }
        self.failure.is_none()
    }

    /// Counts hits that were not to be written.
    pub(super) const fn count_suppressed(&mut self, hits: u64) {
        self.hits += hits;
    }

    /// Ends the output; a closed pipe is the reader's choice.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        match self.failure.take() {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }

    fn one(&mut self, due: &Due) -> io::Result<()> {
        let Some(detection) = self.detections.get(due.detection) else { return Ok(()) };
        if self.is_table { self.row(detection, due) } else { self.record(detection, due) }
    }

    fn record(&mut self, detection: &Detection, due: &Due) -> io::Result<()> {
        let hit = &due.hit;
        let mut record = Map::new();
        record.insert("detection".to_owned(), Json::from(detection.name.node.as_str()));
        record.insert("time".to_owned(), Json::from(time_text(hit.time)));
        record.insert("keys".to_owned(), hit.keys.iter().cloned().collect::<Map<_, _>>().into());
        record.insert("aggregates".to_owned(), aggregates(hit).into_iter().collect::<Map<_, _>>().into());
        let events = hit.events.iter().map(|event| {
            let mut written = json!({
                "step": event.step,
                "source": &*event.event.source,
                "time": time_text(event.event.time),
                "id": identity(detection, &event.event),
            });
            if self.explain
                && let Some(members) = written.as_object_mut()
            {
                members.insert("place".to_owned(), Json::from(self.place(&event.event)));
                members.insert("event".to_owned(), event.event.whole().into_owned());
            }
            written
        });
        record.insert("events".to_owned(), events.collect());
        if self.explain {
            record.insert("severity".to_owned(), Json::from(detection.metadata.severity.as_str()));
            record.insert("title".to_owned(), Json::from(detection.metadata.title.as_str()));
        }
        serde_json::to_writer(&mut self.out, &Json::Object(record))?;
        self.out.write_all(b"\n")
    }

    fn row(&mut self, detection: &Detection, due: &Due) -> io::Result<()> {
        let hit = &due.hit;
        let width = self.detections.iter().map(|detection| detection.name.node.chars().count()).max().unwrap_or(0);
        let numbers = aggregates(hit);
        let pairs = hit.keys.iter().chain(&numbers).map(|(name, value)| format!("{name}={}", plain(value)));
        let pairs: Vec<String> = pairs.collect();
        let mark = if due.is_alert { "" } else { "  (suppressed)" };
        let (time, severity) = (time_text(hit.time), detection.metadata.severity.as_str());
        let name = &detection.name.node;
        let line = format!("{time}  {severity:13}  {name:width$}  {}{mark}", pairs.join("  "));
        writeln!(self.out, "{}", line.trim_end())?;
        if self.explain {
            for event in &hit.events {
                let (time, source) = (time_text(event.event.time), &event.event.source);
                let id = identity(detection, &event.event);
                let place = self.place(&event.event);
                writeln!(self.out, "    {time}  {}  {source}  {}  {place}", event.step, plain(&id))?;
            }
        }
        Ok(())
    }

    /// Where the event stands.
    fn place(&self, event: &Event) -> String {
        event.place.map_or_else(String::new, |(log, line)| format!("{}:{line}", log_name(self.logs, log)))
    }
}

/// An instant with milliseconds, or finer where it is.
fn time_text(time: i64) -> String {
    let Ok(instant) = jiff::Timestamp::from_microsecond(time) else { return time.to_string() };
    let digits = if time % 1_000 == 0 { "%Y-%m-%dT%H:%M:%S%.3fZ" } else { "%Y-%m-%dT%H:%M:%S%.6fZ" };
    instant.strftime(digits).to_string()
}

/// The numbers of a hit.
fn aggregates(hit: &Hit) -> Vec<(String, Json)> {
    let written = |number: &Number| {
        let text = number.to_string();
        // Exact where JSON has no such number: as text.
        serde_json::from_str(&text).unwrap_or(Json::String(text))
    };
    hit.aggregates.iter().map(|(name, number)| (name.clone(), written(number))).collect()
}

/// The event's id, as its source has it; null where it has none.
fn identity(detection: &Detection, event: &Event) -> Json {
    let source = detection.sources().into_iter().find(|source| source.name == *event.source);
    let path = source.and_then(|source| source.id.as_ref());
    path.and_then(|path| event.get(path)).cloned().unwrap_or(Json::Null)
}

/// A value in a table: a text without quotes where it is safe to show.
fn plain(value: &Json) -> String {
    match value.as_str() {
        Some(text) if !text.chars().any(char::is_control) => text.to_owned(),
        _ => value.to_string(),
    }
}
