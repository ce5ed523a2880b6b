//! What a behaviour makes of events.

use std::sync::Arc;

use serde_json::Value as Json;

use super::Event;

/// A hit: keys and an instant, with what made it.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The keys with their values, in the order of `by`; empty without keys.
    pub keys: Vec<(String, Json)>,
    /// The instant, in microseconds since 1970.
    pub time: i64,
    /// Numbers that the behaviour compared, by name (`count`, `distinct`).
    pub aggregates: Vec<(String, u64)>,
    /// The events that made it: those of the window, or those of the chain in its order.
    pub events: Vec<HitEvent>,
    /// The event that the hit shows: of those that close it, the one whose text sorts last.
    pub closing: Arc<Event>,
}

/// An event of a hit with the part that it plays.
#[derive(Debug, Clone, PartialEq)]
pub struct HitEvent {
    /// Name of the step, or of the signal.
    pub step: String,
    /// Index of the step; 0 where there are none.
    pub index: usize,
    /// The event.
    pub event: Arc<Event>,
}

/// The keys as texts that sort.
pub(super) fn key_texts(hit: &Hit) -> Vec<String> {
    hit.keys.iter().map(|(_, value)| value.to_string()).collect()
}
