//! Separates events by their keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;

use super::Event;
use super::belongs;
use super::cell::Cell;
use super::scope::{Patterns, Scope};
use crate::ir::{Detection, SignalId, Value};

/// The events of one key, in the order of their times.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// The keys with their values.
    pub(super) keys: Vec<(String, Json)>,
    /// The events, each once.
    pub(super) entries: Vec<Entry>,
}

/// An event of a key with the signals that it belongs to under that key.
#[derive(Debug)]
pub(super) struct Entry {
    /// The event.
    pub(super) event: Arc<Event>,
    /// The signals, in their order.
    pub(super) signals: Vec<SignalId>,
}

/// The streams of a detection; an event that lacks a key is in none, one with lists of keys may be in several.
pub(super) fn streams(
    detection: &Detection,
    events: &[Arc<Event>],
    signals: &[SignalId],
    patterns: &Patterns,
) -> Vec<Stream> {
    let mut streams: BTreeMap<Vec<String>, Stream> = BTreeMap::new();
    for event in events {
        let mut joined: BTreeMap<Vec<String>, Entry> = BTreeMap::new();
        for &id in signals.iter().filter(|id| belongs(detection, event, **id, patterns)) {
            let Some(signal) = detection.stage.signal(id) else { continue };
            let scope = Scope::new(event, &signal.source, patterns);
            for tuple in tuples(&scope, signal.keys.iter().map(|key| &key.node)) {
                let texts: Vec<String> = tuple.iter().map(Cell::text).collect();
                streams.entry(texts.clone()).or_insert_with(|| Stream {
                    keys: detection
                        .stage
                        .keys
                        .iter()
                        .map(|key| key.name.clone())
                        .zip(tuple.iter().map(Cell::json))
                        .collect(),
                    entries: Vec::new(),
                });
                let entry = joined.entry(texts);
                entry.or_insert_with(|| Entry { event: event.clone(), signals: Vec::new() }).signals.push(id);
            }
        }
        for (texts, entry) in joined {
            if let Some(stream) = streams.get_mut(&texts) {
                stream.entries.push(entry);
            }
        }
    }
    streams.into_values().collect()
}

/// Every tuple that values make: lists multiply, a missing value leaves none, no values make the empty tuple.
pub(super) fn tuples<'a>(scope: &Scope<'a>, values: impl Iterator<Item = &'a Value>) -> Vec<Vec<Cell>> {
    let mut tuples = vec![Vec::new()];
    for value in values {
        let alternatives = scope.value(value).map(Cell::alternatives).unwrap_or_default();
        let longer = |tuple: &Vec<Cell>| {
            let tuple = tuple.clone();
            alternatives.iter().map(move |cell| tuple.iter().chain([cell]).cloned().collect()).collect::<Vec<_>>()
        };
        tuples = tuples.iter().flat_map(longer).collect();
    }
    tuples
}
