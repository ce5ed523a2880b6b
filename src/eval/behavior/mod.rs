//! What the behaviours make of the events of an instant, each in its own file.
//!
//! Never sees an event out of the order of the instants; what lies behind the windows is forgotten.

mod aggregate;
mod aggregation;
mod baseline;
mod group;
mod rare;
mod sequence;
mod single;
mod travel;
mod window;

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeSet, BinaryHeap, HashMap};
use std::fmt;
use std::sync::Arc;

use super::expression::{Closing, Composed, Key, Part, Parts, Row};
use super::stage::Streams;
use super::{Enrichment, Number};
use crate::ir::{Behavior, SignalId, Stage, WindowKind};

/// An event or hit of one key with the signals that it belongs to under that key.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// The event or hit.
    pub(super) row: Row,
    /// The signals, in their order; at least one.
    pub(super) signals: Vec<SignalId>,
}

impl Entry {
    /// Whether the entry belongs to a signal.
    fn is_of(&self, signal: SignalId) -> bool {
        self.signals.contains(&signal)
    }

    /// The order of two entries: by time, then text.
    fn compare(&self, other: &Self) -> Ordering {
        self.row.compare(&other.row)
    }

    fn closing(&self) -> Closing {
        Closing { row: self.row.clone(), signals: self.signals.clone() }
    }
}

/// A behaviour with what it remembers of all keys.
pub(super) trait Judge: fmt::Debug + Send + Sync {
    /// Takes the entries of an instant, which is the next with entries or the next that is due.
    fn instant(&mut self, now: i64, streams: Streams, enrichment: &Enrichment, hits: &mut Vec<Composed>);

    /// The next instant at which time alone decides something.
    fn due(&self) -> Option<i64>;
}

/// A behaviour seen from one key.
trait Rule: fmt::Debug + Send + Sync {
    /// What is remembered of a key.
    type State: Default + fmt::Debug + Send + Sync;

    /// Takes the entries of a key at an instant, in any order; none where the key was only due.
    fn take(&self, state: &mut Self::State, entries: Vec<Entry>, at: &mut Moment<'_>);

    /// How long after its last entry a key can matter, in microseconds; what it waits for is waited for in any case.
    fn memory(&self) -> i64;
}

/// An instant of a key: what is known, and where results go.
struct Moment<'a> {
    now: i64,
    key: &'a Arc<Key>,
    enrichment: &'a Enrichment,
    /// Instants at which the key is due even without entries.
    wakes: &'a mut BinaryHeap<Reverse<(i64, Arc<Key>)>>,
    hits: &'a mut Vec<Composed>,
}

impl Moment<'_> {
    fn wake_at(&mut self, instant: i64) {
        self.wakes.push(Reverse((instant, self.key.clone())));
    }

    /// Adds a hit of this instant.
    fn hit(&mut self, aggregates: Vec<Option<Number>>, parts: impl Into<Parts>, closing: Option<Closing>) {
        let parts = parts.into();
        self.hits.push(Composed { key: self.key.clone(), time: self.now, aggregates, parts, closing });
    }
}

/// Keeps the states of all keys for a rule.
#[derive(Debug)]
struct Keyed<R: Rule> {
    rule: R,
    states: HashMap<Arc<Key>, Remembered<R::State>>,
    wakes: BinaryHeap<Reverse<(i64, Arc<Key>)>>,
    /// How many states there may be before idle ones are looked for.
    sweep_at: usize,
}

#[derive(Debug, Default)]
struct Remembered<S> {
    state: S,
    last: i64,
}

/// Number of states that are not worth a sweep.
const SWEEP_FROM: usize = 256;

impl<R: Rule> Keyed<R> {
    fn boxed(rule: R) -> Box<dyn Judge>
    where
        R: 'static,
    {
        Box::new(Self { rule, states: HashMap::new(), wakes: BinaryHeap::new(), sweep_at: SWEEP_FROM })
    }

    fn take(
        &mut self,
        now: i64,
        key: Arc<Key>,
        entries: Vec<Entry>,
        enrichment: &Enrichment,
        hits: &mut Vec<Composed>,
    ) {
        let remembered = self.states.entry(key.clone()).or_default();
        if !entries.is_empty() {
            remembered.last = now;
        }
        let mut at = Moment { now, key: &key, enrichment, wakes: &mut self.wakes, hits };
        self.rule.take(&mut remembered.state, entries, &mut at);
    }

    fn sweep(&mut self, now: i64) {
        if self.states.len() <= self.sweep_at {
            return;
        }
        let oldest = now.saturating_sub(self.rule.memory());
        let waiting: BTreeSet<&Arc<Key>> = self.wakes.iter().map(|Reverse((_, key))| key).collect();
        self.states.retain(|key, remembered| remembered.last >= oldest || waiting.contains(key));
        self.sweep_at = SWEEP_FROM.max(2 * self.states.len());
    }
}

impl<R: Rule> Judge for Keyed<R> {
    fn instant(&mut self, now: i64, streams: Streams, enrichment: &Enrichment, hits: &mut Vec<Composed>) {
        let mut woken: BTreeSet<Arc<Key>> = BTreeSet::new();
        while self.wakes.peek().is_some_and(|Reverse((instant, _))| *instant <= now) {
            woken.extend(self.wakes.pop().map(|Reverse((_, key))| key));
        }
        for (key, entries) in streams {
            let key = Arc::new(key);
            woken.remove(&key);
            self.take(now, key, entries, enrichment, hits);
        }
        for key in woken {
            self.take(now, key, Vec::new(), enrichment, hits);
        }
        self.sweep(now);
    }

    fn due(&self) -> Option<i64> {
        self.wakes.peek().map(|Reverse((instant, _))| *instant)
    }
}

/// The behaviour of a stage, with nothing remembered.
pub(super) fn judge(stage: &Stage) -> Box<dyn Judge> {
    match &stage.behavior.node {
        Behavior::Event { signals } => Keyed::boxed(single::Single::new(stage, signals)),
        Behavior::Count { signal, at_least, window, .. } => {
            Keyed::boxed(window::Count::new(stage, *signal, at_least.node, window.node))
        }
        Behavior::Distinct { signal, values, at_least, window, .. } => {
            Keyed::boxed(window::Distinct::new(stage, *signal, values, at_least.node, window.node))
        }
        Behavior::Aggregation(aggregation) => match aggregation.kind {
            WindowKind::Sliding => Keyed::boxed(aggregation::Sliding::new(stage, aggregation)),
            WindowKind::Fixed => Keyed::boxed(aggregation::Fixed::new(stage, aggregation)),
        },
        Behavior::Sequence(sequence) => Keyed::boxed(sequence::Chains::new(stage, sequence)),
        Behavior::Group(group) => Keyed::boxed(group::Groups::new(stage, group)),
        Behavior::Rare(rare) => Keyed::boxed(rare::Rarity::new(stage, rare)),
        Behavior::Baseline(baseline) => Keyed::boxed(baseline::Buckets::new(stage, baseline)),
        Behavior::Travel(travel) => Keyed::boxed(travel::Journeys::new(stage, travel)),
    }
}

/// Names of a stage's signals, to be shared by the parts of hits.
#[derive(Debug)]
struct Names(Vec<Arc<str>>);

impl Names {
    fn new(stage: &Stage) -> Self {
        Self(stage.signals.iter().map(|signal| Arc::from(signal.name.node.as_str())).collect())
    }

    /// The entries as parts of a hit, each named after the first of its signals.
    fn parts<'a>(&self, entries: impl IntoIterator<Item = &'a Entry>) -> Vec<Part> {
        entries.into_iter().map(|entry| self.part(entry)).collect()
    }

    /// An entry as a part of a hit, named after the first of its signals.
    fn part(&self, entry: &Entry) -> Part {
        Part { name: self.of(entry), index: 0, row: entry.row.clone() }
    }

    /// The name of the first signal that an entry belongs to.
    fn of(&self, entry: &Entry) -> Arc<str> {
        let name = entry.signals.first().and_then(|signal| self.0.get(signal.0));
        name.cloned().unwrap_or_default()
    }
}

/// The last of entries in their order.
fn last<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Option<&'a Entry> {
    entries.into_iter().max_by(|one, other| one.compare(other))
}

/// The number of things counted.
fn number(count: usize) -> Number {
    Number::from(count as u64)
}
