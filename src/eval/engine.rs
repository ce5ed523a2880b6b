//! Takes a stream of events and gives hits as soon as they are certain.
//!
//! Never looks back: what it holds is what the windows of the behaviours hold.

use std::sync::Arc;

use serde_json::Value as Json;

use super::expression::{Cell, Composed, Row, Scope, Shape, Term, Test, View, hit_column, predicate};
use super::hit::{self, Hit};
use super::router::{Router, Target};
use super::stage::{Leaves, SourceTest, StageEngine};
use super::{Enrichment, Event, Suppressor};
use crate::ir::{Detection, Predicate};

/// A detection that runs over a stream of events.
#[derive(Debug)]
pub struct Engine {
    enrichment: Arc<Enrichment>,
    /// The conditions of its signals; empty where a fleet asks them.
    router: Router,
    root: StageEngine,
    /// The test of finished hits; nothing where all pass.
    filter: Option<Test>,
    keys: Vec<String>,
    aggregates: Vec<String>,
    columns: Vec<(String, Term)>,
    /// Decides which hits become alerts; nothing where all are wanted.
    suppressor: Option<Suppressor>,
    suppressed: u64,
    /// Events of the instant that is not decided yet, with the signals that they belong to.
    open: Leaves,
    /// Next instant at which time alone decides something.
    due: Option<i64>,
    /// The last instant that is decided.
    decided: Option<i64>,
}

impl Engine {
    /// Prepares a detection; `enrichment` says what is known of addresses.
    #[must_use]
    pub fn new(detection: &Detection, enrichment: Arc<Enrichment>) -> Self {
        let (engine, tests) = Self::apart(detection, enrichment);
        Self { router: routed(&mut [tests]), ..engine }
    }

    /// Prepares a detection apart from the conditions of its signals over sources.
    fn apart(detection: &Detection, enrichment: Arc<Enrichment>) -> (Self, Vec<SourceTest>) {
        let expanded = detection.expanded();
        let detection = &*expanded;
        let mut tests = Vec::new();
        let root = StageEngine::new(&detection.stage, &mut tests);
        let behavior = &detection.stage.behavior.node;
        let hits = Shape::Hits(&detection.stage);
        let passes_all = matches!(detection.filter.node, Predicate::Constant(true));
        let engine = Self {
            enrichment,
            router: Router::default(),
            root,
            filter: (!passes_all).then(|| predicate(hits, &detection.filter.node)),
            keys: detection.stage.keys.iter().map(|key| key.name.clone()).collect(),
            aggregates: behavior.aggregate_names().into_iter().map(str::to_owned).collect(),
            columns: detection
                .stage
                .columns
                .iter()
                .map(|column| (column.name.clone(), hit_column(&detection.stage, &column.name)))
                .collect(),
            suppressor: None,
            suppressed: 0,
            open: Vec::new(),
            due: None,
            decided: None,
        };
        (engine, tests)
    }

    /// Prepares a detection of which only the alerts are wanted: hits that suppression drops are counted, not given.
    #[must_use]
    pub fn of_alerts(detection: &Detection, enrichment: Arc<Enrichment>) -> Self {
        Self { suppressor: Some(Suppressor::new(detection)), ..Self::new(detection, enrichment) }
    }

    /// How many hits suppression has dropped; zero where all are given.
    #[must_use]
    pub const fn suppressed(&self) -> u64 {
        self.suppressed
    }

    /// Takes an event; times never decrease, and events of one instant come in any order. Hits that became certain are
    /// added to `hits`, in the order of their times, then keys.
    ///
    /// `false`: the event's instant has been decided already, so that it was not taken; [`Reorder`](super::Reorder) keeps
    /// that from happening.
    pub fn push(&mut self, event: Arc<Event>, hits: &mut Vec<Hit>) -> bool {
        let mut found = Vec::new();
        self.router.route(&event, &self.enrichment, &mut found);
        self.take(event, found.into_iter().map(|(_, number)| number).collect(), hits)
    }

    /// Takes an event of which the numbers of the conditions that hold are known.
    fn take(&mut self, event: Arc<Event>, members: Vec<usize>, hits: &mut Vec<Hit>) -> bool {
        if self.decided.is_some_and(|decided| event.time <= decided) {
            return false;
        }
        let opened = self.open.first().map(|(event, _)| event.time);
        if opened.is_some_and(|opened| opened < event.time) || self.due.is_some_and(|due| due < event.time) {
            self.advance(event.time.saturating_sub(1), hits);
        } else if opened.is_some_and(|opened| opened > event.time) {
            return false;
        }
        if !members.is_empty() {
            self.open.push((event, members));
        }
        true
    }

    /// Says that no event at or before `time` will come any more: all that is decided by then is added to `hits`.
    pub fn advance(&mut self, time: i64, hits: &mut Vec<Hit>) {
        loop {
            let opened = self.open.first().map(|(event, _)| event.time);
            let next = match (opened, self.due) {
                (Some(opened), Some(due)) => opened.min(due),
                (Some(instant), None) | (None, Some(instant)) => instant,
                (None, None) => break,
            };
            if next > time {
                break;
            }
            let leaves = if opened == Some(next) { std::mem::take(&mut self.open) } else { Vec::new() };
            self.decide(next, &leaves, hits);
        }
        self.decided = self.decided.max(Some(time));
    }

    /// Decides everything that is left, as if time went on without events.
    pub fn finish(&mut self, hits: &mut Vec<Hit>) {
        self.advance(i64::MAX, hits);
    }

    fn decide(&mut self, now: i64, leaves: &Leaves, hits: &mut Vec<Hit>) {
        let found = self.root.instant(now, leaves, &self.enrichment);
        self.due = self.root.due();
        let mut found: Vec<(Vec<String>, Row)> = found
            .into_iter()
            .map(|hit| (hit.key.json_texts(), Row::Hit(Arc::new(hit))))
            .filter(|(_, row)| {
                let scope = Scope::new(row.view(), &self.enrichment);
                self.filter.as_ref().is_none_or(|filter| scope.holds(filter))
            })
            .collect();
        if found.len() > 1 {
            found.sort_by(|(one, row), (other, next)| one.cmp(other).then_with(|| row.compare(next)));
        }
        for (_, row) in found {
            let Row::Hit(found) = row else { continue };
            let mut hit = self.written(&found);
            if self.suppressor.as_mut().is_none_or(|suppressor| suppressor.keeps(&hit)) {
                hit.events = hit::events(&found);
                hits.push(hit);
            } else {
                self.suppressed += 1;
            }
        }
    }

    fn written(&self, hit: &Composed) -> Hit {
        let scope = Scope::new(View::Hit(hit), &self.enrichment);
        let value = |(name, term): &(String, Term)| -> Option<(String, Json)> {
            Some((name.clone(), scope.value(term).as_ref().map(Cell::json)?))
        };
        hit::write(hit, &self.keys, &self.aggregates, self.columns.iter().filter_map(value).collect())
    }
}

/// Detections that run over one stream of events.
#[derive(Debug)]
pub struct Fleet {
    router: Router,
    engines: Vec<Engine>,
    enrichment: Arc<Enrichment>,
    /// The conditions that hold of the event in hand.
    found: Vec<Target>,
    hits: Vec<Hit>,
}

impl Fleet {
    /// Prepares detections, which are known by their indices; `all_hits`: also those that suppression drops.
    #[must_use]
    pub fn new(detections: &[Detection], enrichment: &Arc<Enrichment>, all_hits: bool) -> Self {
        let apart = detections.iter().map(|detection| Engine::apart(detection, enrichment.clone()));
        let (mut engines, mut tests): (Vec<Engine>, Vec<Vec<SourceTest>>) = apart.unzip();
        for (engine, detection) in engines.iter_mut().zip(detections) {
            engine.suppressor = (!all_hits).then(|| Suppressor::new(detection));
        }
        let enrichment = enrichment.clone();
        Self { router: routed(&mut tests), engines, enrichment, found: Vec::new(), hits: Vec::new() }
    }

    /// Looks which conditions hold of an event, so that it need not be looked into once more when it is taken.
    pub fn see(&mut self, event: &mut Event) {
        self.found.clear();
        self.router.route(event, &self.enrichment, &mut self.found);
        event.routes = Some(self.found.as_slice().into());
    }

    /// Takes an event as [`Engine::push`] does; adds hits with the indices of their detections. A detection that the event
    /// does not concern may give hits of earlier instants later, at the latest when time [advances](Self::advance).
    pub fn push(&mut self, event: &Arc<Event>, hits: &mut Vec<(usize, Hit)>) {
        if event.routes.is_none() {
            self.found.clear();
            self.router.route(event, &self.enrichment, &mut self.found);
        }
        let found = event.routes.as_deref().unwrap_or(&self.found);
        for members in found.chunk_by(|(one, _), (other, _)| one == other) {
            let Some((index, _)) = members.first() else { continue };
            let Some(engine) = self.engines.get_mut(*index) else { continue };
            engine.take(event.clone(), members.iter().map(|(_, number)| *number).collect(), &mut self.hits);
            hits.extend(self.hits.drain(..).map(|hit| (*index, hit)));
        }
    }

    /// As [`Engine::advance`], for all.
    pub fn advance(&mut self, time: i64, hits: &mut Vec<(usize, Hit)>) {
        for (index, engine) in self.engines.iter_mut().enumerate() {
            engine.advance(time, &mut self.hits);
            hits.extend(self.hits.drain(..).map(|hit| (index, hit)));
        }
    }

    /// How many hits suppression has dropped.
    #[must_use]
    pub fn suppressed(&self) -> u64 {
        self.engines.iter().map(Engine::suppressed).sum()
    }
}

/// The conditions of detections, by the index of each and the number of the condition there.
fn routed(tests: &mut [Vec<SourceTest>]) -> Router {
    let of_all = tests.iter_mut().enumerate().flat_map(|(index, tests)| {
        std::mem::take(tests)
            .into_iter()
            .enumerate()
            .map(move |(number, (source, test))| ((index, number), source, test))
    });
    Router::new(of_all)
}
