//! The evaluators of all detections over one stream of events.
//!
//! Never gives a hit back while an earlier one may still come.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use super::tally::Late;
use crate::eval::{Arrival, Engine, Enrichment, Event, Hit, Reorder, Suppressor};
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

/// One evaluator for each detection, behind one buffer that puts events into order.
pub(super) struct Engines {
    reorder: Reorder,
    /// With what decides afterwards which hits are alerts, where all hits are wanted.
    engines: Vec<(Engine, Option<Suppressor>)>,
    /// The evaluators that read a source.
    readers: HashMap<Arc<str>, Vec<usize>>,
    until: Option<i64>,
    /// Events that the buffer gave back.
    ready: Vec<Arc<Event>>,
    /// Hits that are certain, with their detections.
    found: Vec<(usize, Hit)>,
    hits: Vec<Hit>,
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
        let mut readers: HashMap<Arc<str>, Vec<usize>> = HashMap::new();
        for (index, detection) in detections.iter().enumerate() {
            for source in detection.sources() {
                readers.entry(Arc::from(source.name.as_str())).or_default().push(index);
            }
        }
        let engine = |detection| {
            if all_hits {
                (Engine::new(detection, enrichment.clone()), Some(Suppressor::new(detection)))
            } else {
                (Engine::of_alerts(detection, enrichment.clone()), None)
            }
        };
        Self {
            reorder: Reorder::new(sources, lateness),
            engines: detections.iter().map(engine).collect(),
            readers,
            until,
            ready: Vec::new(),
            found: Vec::new(),
            hits: Vec::new(),
        }
    }

    /// Takes an event; gives back where it stands if it came too late.
    pub(super) fn push(&mut self, found: Found) -> Option<Late> {
        let time = found.event.time;
        if self.until.is_some_and(|until| time > until) {
            return None;
        }
        let place = (found.log, found.line);
        let event = Event::of_log(found.event.source, time, found.event.record, place);
        let arrival = self.reorder.push(event, &mut self.ready);
        self.evaluate();
        match arrival {
            Arrival::Taken | Arrival::Duplicate => None,
            Arrival::Late(_) => Some(Late { time, log: place.0, line: place.1 }),
        }
    }

    /// How many hits were suppressed and not given back.
    pub(super) fn suppressed(&self) -> u64 {
        self.engines.iter().map(|(engine, _)| engine.suppressed()).sum()
    }

    /// Gives the events that are in order to the evaluators that read them.
    fn evaluate(&mut self) {
        for event in self.ready.drain(..) {
            let Some(readers) = self.readers.get(&event.source) else { continue };
            for index in readers {
                if let Some((engine, _)) = self.engines.get_mut(*index) {
                    engine.push(event.clone(), &mut self.hits);
                    self.found.extend(self.hits.drain(..).map(|hit| (*index, hit)));
                }
            }
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
        for (index, (engine, _)) in self.engines.iter_mut().enumerate() {
            engine.advance(time, &mut self.hits);
            self.found.extend(self.hits.drain(..).map(|hit| (index, hit)));
        }
        let mut found = std::mem::take(&mut self.found);
        // Hits of one detection keep the order that its evaluator gives them.
        found.sort_by(|(one, hit), (other, next)| order(hit, next).then(one.cmp(other)));
        let judged = found.into_iter().map(|(detection, hit)| {
            let suppressor = self.engines.get_mut(detection).and_then(|(_, suppressor)| suppressor.as_mut());
            let is_alert = suppressor.is_none_or(|suppressor| suppressor.keeps(&hit));
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
