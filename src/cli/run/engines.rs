//! The evaluators of all detections over one stream of events.
//!
//! Never gives a hit back while an earlier one may still come.

use std::cmp::Ordering;
use std::sync::Arc;

use super::tally::Late;
use crate::eval::{Arrival, Enrichment, Event, Fleet, Hit, Reorder, Suppressor};
use crate::ir::Detection;
use crate::logs::Found;
use crate::schema::{Duration, Source};

/// A hit that nothing can come before any more.
pub(super) struct Due {
    /// Index of the detection.
    pub(super) detection: usize,
    /// The hit.
    pub(super) hit: Hit,
    /// Whether suppression leaves it.
    pub(super) is_alert: bool,
}

/// The evaluators, behind one buffer that puts events into order.
pub(super) struct Engines {
    reorder: Reorder,
    fleet: Fleet,
    /// What decides afterwards which hits are alerts, where all hits are wanted.
    suppressors: Vec<Suppressor>,
    until: Option<i64>,
    /// Events that the buffer gave back.
    ready: Vec<Arc<Event>>,
    /// Hits that are certain, with their detections.
    found: Vec<(usize, Hit)>,
}

impl Engines {
    pub(super) fn new(
        detections: &[Detection],
        sources: &[Arc<Source>],
        enrichment: &Arc<Enrichment>,
        lateness: Duration,
        until: Option<i64>,
        all_hits: bool,
    ) -> Self {
        let judged = if all_hits { detections } else { &[] };
        Self {
            reorder: Reorder::new(sources, lateness),
            fleet: Fleet::new(detections, enrichment, all_hits),
            suppressors: judged.iter().map(Suppressor::new).collect(),
            until,
            ready: Vec::new(),
            found: Vec::new(),
        }
    }

    /// Takes an event; gives back where it stands if it came too late.
    pub(super) fn push(&mut self, found: Found) -> Option<Late> {
        let time = found.event.time;
        if self.until.is_some_and(|until| time > until) {
            return None;
        }
        let place = (found.log, found.line);
        let mut event = Event::of_log(found.event.source, time, found.event.record, place);
        // While its bytes are still at hand; an hour of events may come before its turn.
        self.fleet.see(&mut event);
        let arrival = self.reorder.push(event, &mut self.ready);
        self.evaluate();
        match arrival {
            Arrival::Taken | Arrival::Duplicate => None,
            Arrival::Late(_) => Some(Late { time, log: place.0, line: place.1 }),
        }
    }

    /// How many hits were suppressed and not given back.
    pub(super) fn suppressed(&self) -> u64 {
        self.fleet.suppressed()
    }

    /// Gives the events that are in order to the evaluators.
    fn evaluate(&mut self) {
        for event in self.ready.drain(..) {
            self.fleet.push(&event, &mut self.found);
        }
    }

    /// The hits that are due, by time, then keys.
    pub(super) fn due(&mut self) -> Vec<Due> {
        self.reorder.watermark().map_or_else(Vec::new, |watermark| self.up_to(watermark))
    }

    /// All that are left: as if time went on, or up to the instant at which the run is cut.
    pub(super) fn finish(&mut self) -> Vec<Due> {
        self.reorder.finish(&mut self.ready);
        self.evaluate();
        self.up_to(self.until.unwrap_or(i64::MAX))
    }

    fn up_to(&mut self, time: i64) -> Vec<Due> {
        self.fleet.advance(time, &mut self.found);
        let mut found = std::mem::take(&mut self.found);
        // Hits of one detection keep the order that its evaluator gives them.
        found.sort_by(|(one, hit), (other, next)| order(hit, next).then(one.cmp(other)));
        let judged = found.into_iter().map(|(detection, hit)| {
            let is_alert = self.suppressors.get_mut(detection).is_none_or(|suppressor| suppressor.keeps(&hit));
            Due { detection, hit, is_alert }
        });
        judged.collect()
    }
}

/// By time, then keys.
fn order(one: &Hit, other: &Hit) -> Ordering {
    let keys = |hit: &Hit| hit.keys.iter().map(|(_, value)| value.to_string()).collect::<Vec<_>>();
    one.time.cmp(&other.time).then_with(|| keys(one).cmp(&keys(other)))
}
