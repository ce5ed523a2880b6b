//! What happened in a test, instant by instant, for people and for machines.
//!
//! Never judges: it shows what the evaluator gives.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::expectation::offset_text;
use super::{Prepared, state};
use crate::eval::{self, Event, Hit, time_to_text};

/// Everything that happened at one instant of a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Instant {
    /// Offset from the start of the test, such as `29m`.
    pub at: String,
    /// The instant (RFC 3339, UTC).
    pub time: String,
    /// The events, in the order of their texts.
    pub events: Vec<ShownEvent>,
    /// How far the behaviour has come, a sentence each: `count(denied) = 4 of 5 (user=ana)`.
    pub states: Vec<String>,
}

/// An event of a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownEvent {
    /// Its source.
    pub source: String,
    /// The signals that it belongs to; empty where there is none.
    pub signals: Vec<String>,
}

/// A hit of a test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownHit {
    /// Offset from the start of the test.
    pub at: String,
    /// The instant (RFC 3339, UTC).
    pub time: String,
    /// The keys with their values.
    pub keys: serde_json::Map<String, serde_json::Value>,
    /// The events that made it.
    pub events: Vec<ShownStep>,
    /// Whether it raised an alert; the others were suppressed.
    pub alert: bool,
}

/// An event of a hit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownStep {
    /// Name of the step, or of the signal.
    pub step: String,
    /// Offset from the start of the test.
    pub at: String,
}

impl fmt::Display for ShownEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signals = if self.signals.is_empty() { "no signal".to_owned() } else { self.signals.join(", ") };
        write!(f, "{}: {signals}", self.source)
    }
}

impl fmt::Display for ShownHit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.at)?;
        for (name, value) in &self.keys {
            write!(f, " {name}={value}")?;
        }
        let events: Vec<String> = self.events.iter().map(|event| format!("{} {}", event.step, event.at)).collect();
        write!(f, " ({}){}", events.join(", "), if self.alert { "" } else { ", suppressed" })
    }
}

/// What happened at each instant, in order.
pub(super) fn instants(test: &Prepared) -> Vec<Instant> {
    let Prepared { detection, events, start, enrichment, .. } = test;
    let start = *start;
    let mut instants: BTreeMap<i64, Instant> = BTreeMap::new();
    let empty = |time: i64| Instant {
        at: offset_text(time, start),
        time: time_to_text(time),
        events: Vec::new(),
        states: Vec::new(),
    };
    let mut sorted: Vec<&Event> = events.iter().collect();
    sorted.sort_by(|one, other| one.time.cmp(&other.time).then_with(|| one.compare_text(other)));
    for event in sorted {
        let signals = eval::memberships(detection, event);
        let shown = ShownEvent { source: event.source.to_string(), signals };
        instants.entry(event.time).or_insert_with(|| empty(event.time)).events.push(shown);
    }
    for (time, sentence) in state::states(detection, events, start, enrichment) {
        instants.entry(time).or_insert_with(|| empty(time)).states.push(sentence);
    }
    instants.into_values().collect()
}

/// The hits, each with whether it raised an alert.
pub(super) fn shown(hits: &[Hit], alerts: &[Hit], start: i64) -> Vec<ShownHit> {
    let step =
        |event: &eval::HitEvent| ShownStep { step: event.step.clone(), at: offset_text(event.event.time, start) };
    let shown = |hit: &Hit| ShownHit {
        at: offset_text(hit.time, start),
        time: time_to_text(hit.time),
        keys: hit.keys.iter().cloned().collect(),
        events: hit.events.iter().map(step).collect(),
        alert: alerts.contains(hit),
    };
    hits.iter().map(shown).collect()
}
