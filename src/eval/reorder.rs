//! Puts late events in their place and removes duplicates before an engine sees them.
//!
//! Never drops an event silently: the caller learns what became of each.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use super::identity::{EventId, Identities};
use super::{Event, microseconds};
use crate::schema::{Duration, Source};

/// Number of the source and id of an event.
type Id = (usize, EventId);

/// A buffer that gives events back in the order of their times, once nothing earlier is expected.
///
/// An event is expected to come at most `lateness` after the newest one seen. Of events of one source with equal ids the
/// one with the smallest time, then text, is kept; ids are remembered until `lateness` after the event was given back.
#[derive(Debug)]
pub struct Reorder {
    identities: Identities,
    lateness: i64,
    /// The events held, by time and arrival.
    held: BTreeMap<(i64, u64), (Arc<Event>, Option<Id>)>,
    /// Where the event of an id is, or was.
    ids: HashMap<Id, (i64, u64)>,
    /// Ids of events that were given back, in the order of their times.
    released: VecDeque<(i64, Id)>,
    arrivals: u64,
    newest: Option<i64>,
    /// No event at or before this instant is taken any more.
    watermark: Option<i64>,
}

/// What became of an event.
#[derive(Debug, PartialEq)]
pub enum Arrival {
    /// It is held, or was given back at once.
    Taken,
    /// Another event with its id is there; one of the two is left.
    Duplicate,
    /// It came too late; here it is again.
    Late(Box<Event>),
}

impl Reorder {
    /// An empty buffer for events of these sources.
    #[must_use]
    pub fn new<'a>(sources: impl IntoIterator<Item = &'a Arc<Source>>, lateness: Duration) -> Self {
        Self {
            identities: Identities::new(sources),
            lateness: microseconds(lateness),
            held: BTreeMap::new(),
            ids: HashMap::new(),
            released: VecDeque::new(),
            arrivals: 0,
            newest: None,
            watermark: None,
        }
    }

    /// Takes an event, and gives back in `ready` those before which nothing is expected any more, in order.
    pub fn push(&mut self, event: Event, ready: &mut Vec<Arc<Event>>) -> Arrival {
        let id = self.identities.of(&event);
        let known = id.as_ref().and_then(|id| self.ids.get(id)).copied();
        if known.is_none() && self.watermark.is_some_and(|watermark| event.time <= watermark) {
            return Arrival::Late(Box::new(event));
        }
        let arrival = match known {
            None => {
                self.hold(event, id);
                Arrival::Taken
            }
            Some(place) => {
                let is_smaller = |(held, _): &(Arc<Event>, Option<Id>)| {
                    event.time.cmp(&held.time).then_with(|| event.compare_text(held)).is_lt()
                };
                if self.held.get(&place).is_some_and(is_smaller) {
                    self.held.remove(&place);
                    self.hold(event, id);
                }
                Arrival::Duplicate
            }
        };
        let expected = self.newest.map_or(i64::MIN, |newest| newest.saturating_sub(self.lateness));
        // Events of the very instant may still come.
        self.release(expected.saturating_sub(1), ready);
        arrival
    }

    /// The instant at or before which no event is given back any more; `None` as long as there is none.
    #[must_use]
    pub const fn watermark(&self) -> Option<i64> {
        self.watermark
    }

    /// How many events are held.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// Gives back all that are left, in order.
    pub fn finish(&mut self, ready: &mut Vec<Arc<Event>>) {
        self.release(i64::MAX, ready);
    }

    fn hold(&mut self, event: Event, id: Option<Id>) {
        let place = (event.time, self.arrivals);
        self.arrivals += 1;
        self.newest = self.newest.max(Some(event.time));
        if let Some(id) = &id {
            self.ids.insert(id.clone(), place);
        }
        self.held.insert(place, (Arc::new(event), id));
    }

    /// Gives back every event at or before an instant.
    fn release(&mut self, until: i64, ready: &mut Vec<Arc<Event>>) {
        if self.watermark.is_none_or(|watermark| watermark < until) && self.newest.is_some() {
            self.watermark = Some(until);
        }
        while let Some(entry) = self.held.first_entry().filter(|entry| entry.key().0 <= until) {
            let (event, id) = entry.remove();
            if let Some(id) = id {
                self.released.push_back((event.time, id));
            }
            ready.push(event);
        }
        let forgotten = until.saturating_sub(self.lateness);
        while self.released.front().is_some_and(|(time, _)| *time < forgotten) {
            if let Some((_, id)) = self.released.pop_front() {
                self.ids.remove(&id);
            }
        }
    }
}
