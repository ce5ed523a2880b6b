//! Records that hold several events: one event for each element of a list.
//!
//! Never looks into an event.

use serde_json::Value as Json;

use super::{FieldPath, Source};

impl Source {
    /// The events of a record: itself, or itself with each element in the place of the list that its source may send there.
    #[must_use]
    pub fn events_of(&self, record: Json) -> Vec<Json> {
        let Some(path) = &self.each else { return vec![record] };
        let segments = path.segments().iter();
        let place = segments.clone().try_fold(&record, |value, segment| value.get(segment));
        let Some(Json::Array(elements)) = place else { return vec![record] };
        elements.iter().map(|element| with(&record, path, element)).collect()
    }
}

/// The record with another value at a path that it has.
fn with(record: &Json, path: &FieldPath, value: &Json) -> Json {
    let mut event = record.clone();
    let place = path.segments().iter().try_fold(&mut event, |place, segment| place.get_mut(segment));
    if let Some(place) = place {
        *place = value.clone();
    }
    event
}
