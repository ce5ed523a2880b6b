//! Values that the key had at most so many times before.
//!
//! Never counts events of the same instant as earlier ones.

use std::collections::{HashMap, VecDeque};

use super::{Entry, Moment, Names, Rule};
use crate::eval::expression::{Scope, Term};
use crate::eval::microseconds;
use crate::eval::stage::{self, Tuple};
use crate::ir::{Rare, SignalId, Stage};

/// `new` or `rare`.
#[derive(Debug)]
pub(super) struct Rarity {
    names: Names,
    signal: SignalId,
    values: Vec<Term>,
    earlier: (u64, u64),
    history: i64,
    learning: Option<i64>,
}

/// What is remembered of a key.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// For each tuple the newest of its times, one more than can still be rare.
    tuples: HashMap<Tuple, VecDeque<i64>>,
    sweep_at: usize,
    age: Age,
}

/// Whether a key is old enough to judge: it has some event in `[t - history, t - learning]`.
#[derive(Debug, Default)]
pub(super) struct Age {
    /// Instants later than `t - learning`.
    young: VecDeque<i64>,
    /// The latest instant up to `t - learning`.
    ripe: Option<i64>,
}

impl Age {
    /// Notes that the key has an event at an instant.
    pub(super) fn note(&mut self, instant: i64) {
        if self.young.back() != Some(&instant) {
            self.young.push_back(instant);
        }
    }

    /// Whether the key has an event in `[from, to]`; neither decreases from call to call.
    pub(super) fn has_event(&mut self, from: i64, to: i64) -> bool {
        while self.young.front().is_some_and(|instant| *instant <= to) {
            self.ripe = self.young.pop_front();
        }
        self.ripe.is_some_and(|instant| instant >= from)
    }
}

impl Rarity {
    pub(super) fn new(stage: &Stage, rare: &Rare) -> Self {
        let values = rare.values.iter().map(|value| &value.node);
        Self {
            names: Names::new(stage),
            signal: rare.signal,
            values: stage.signal(rare.signal).map(|signal| stage::terms(signal, values)).unwrap_or_default(),
            earlier: rare.earlier,
            history: microseconds(rare.history.node),
            learning: rare.learning.as_ref().map(|learning| microseconds(learning.node)),
        }
    }

    /// Whether a tuple had the wanted number of events in `[oldest, now)`.
    fn is_rare(&self, times: Option<&VecDeque<i64>>, oldest: i64) -> bool {
        let earlier = times.map_or(0, |times| times.iter().filter(|time| **time >= oldest).count()) as u64;
        self.earlier.0 <= earlier && earlier <= self.earlier.1
    }
}

impl Rule for Rarity {
    type State = Known;

    fn take(&self, known: &mut Known, entries: Vec<Entry>, at: &mut Moment<'_>) {
        let oldest = at.now.saturating_sub(self.history);
        let entries: Vec<(Entry, Vec<Tuple>)> = entries
            .into_iter()
            .filter(|entry| entry.is_of(self.signal))
            .map(|entry| {
                let tuples = stage::texts(&Scope::new(entry.row.view(), at.enrichment), &self.values);
                (entry, tuples)
            })
            .collect();
        if entries.is_empty() {
            return;
        }
        let has_learnt = match self.learning {
            Some(learning) => {
                known.age.note(at.now);
                known.age.has_event(oldest, at.now.saturating_sub(learning))
            }
            None => true,
        };
        let is_rare = |(_, tuples): &&(Entry, Vec<Tuple>)| {
            tuples.iter().any(|tuple| self.is_rare(known.tuples.get(tuple), oldest))
        };
        let mut rare: Vec<&Entry> = entries.iter().filter(is_rare).map(|(entry, _)| entry).collect();
        if has_learnt && !rare.is_empty() {
            rare.sort_by(|one, other| one.compare(other));
            let closing = rare.last().map(|entry| entry.closing());
            at.hit(Vec::new(), self.names.parts(rare), closing);
        }
        for tuple in entries.into_iter().flat_map(|(_, tuples)| tuples) {
            let times = known.tuples.entry(tuple).or_default();
            times.push_back(at.now);
            if times.len() as u64 > self.earlier.1.saturating_add(1) {
                times.pop_front();
            }
        }
        if known.tuples.len() > known.sweep_at {
            known.tuples.retain(|_, times| times.back().is_some_and(|last| *last >= oldest));
            known.sweep_at = 64.max(2 * known.tuples.len());
        }
    }

    fn memory(&self) -> i64 {
        self.history
    }
}
