//! What a behaviour makes of events.
//!
//! Never decides: it writes out what a stage found.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value as Json;

use super::expression::{Cell, Composed, Part, Row};
use super::{Event, Number};

/// A hit: keys and an instant, with what made it.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The keys with their values, in the order of `by`; empty without keys.
    pub keys: Vec<(String, Json)>,
    /// The instant, in microseconds since 1970.
    pub time: i64,
    /// Numbers that the behaviour compared, by name; an aggregate over no values is left out.
    pub aggregates: Vec<(String, Number)>,
    /// Columns of the hit that have a value, by name, in the order of the stage.
    pub columns: Vec<(String, Json)>,
    /// The events that made it: those of the window, or those of the chain in its order. A part that is a hit itself stands
    /// for the events that made that.
    pub events: Vec<HitEvent>,
    /// The event that the hit shows: of those that close it, the one whose text sorts last; `None` where time closes it.
    pub closing: Option<Arc<Event>>,
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

impl Hit {
    /// The value of a column; `None` where the hit lacks it.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Json> {
        let of = |pairs: &'_ [(String, Json)]| pairs.iter().position(|(column, _)| column == name);
        match of(&self.columns) {
            Some(index) => self.columns.get(index).map(|(_, value)| value),
            None => self.keys.iter().find(|(key, _)| key == name).map(|(_, value)| value),
        }
    }
}

/// Writes out a hit without its events, given the names of its keys and numbers and the values of its columns.
pub(super) fn write(found: &Composed, keys: &[String], aggregates: &[String], columns: Vec<(String, Json)>) -> Hit {
    Hit {
        keys: keys.iter().cloned().zip(found.key.cells().iter().map(Cell::json)).collect(),
        time: found.time,
        aggregates: aggregates
            .iter()
            .zip(&found.aggregates)
            .filter_map(|(name, number)| Some((name.clone(), number.clone()?)))
            .collect(),
        columns,
        // The events are the costly part, and not every hit becomes an alert.
        events: Vec::new(),
        closing: found.closing.as_ref().and_then(|closing| closing.row.event()).cloned(),
    }
}

/// The events that made a hit, each once for each part that it plays.
pub(super) fn events(found: &Composed) -> Vec<HitEvent> {
    let mut events = Vec::new();
    let mut seen = HashSet::new();
    for Part { name, index, row } in found.parts.in_order() {
        let mut add = |event: &Arc<Event>| {
            events.push(HitEvent { step: name.to_string(), index: *index, event: event.clone() });
        };
        match row {
            Row::Event(event) => add(event),
            Row::Hit(inner) => base(inner, &mut |event| {
                if seen.insert((*index, Arc::as_ptr(event).addr())) {
                    add(event);
                }
            }),
        }
    }
    events
}

/// Every event of a source below a hit.
fn base(hit: &Composed, take: &mut dyn FnMut(&Arc<Event>)) {
    for part in hit.parts.in_order() {
        match &part.row {
            Row::Event(event) => take(event),
            Row::Hit(inner) => base(inner, take),
        }
    }
}
