//! Chains in the making, and which of two reports more.
//!
//! Never holds an event that no chain needs.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::eval::behavior::Entry;

/// The entries that a chain has taken, in its order; never empty.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    entries: Vec<Arc<Entry>>,
    start: i64,
}

impl Chain {
    pub(super) fn new(entries: Vec<Arc<Entry>>) -> Self {
        let start = entries.first().map_or(i64::MIN, |entry| entry.row.time());
        Self { entries, start }
    }

    /// The entries.
    pub(super) fn entries(&self) -> &[Arc<Entry>] {
        &self.entries
    }

    /// Instant of the first entry.
    pub(super) const fn start(&self) -> i64 {
        self.start
    }

    /// Instant of the last entry.
    pub(super) fn last(&self) -> i64 {
        self.entries.last().map_or(i64::MIN, |entry| entry.row.time())
    }

    fn times(&self) -> impl Iterator<Item = i64> {
        self.entries.iter().map(|entry| entry.row.time())
    }

    /// The latest first event, then the latest second, ...; of equal times, the one whose last event sorts last.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let texts = || {
            let pairs = self.entries.iter().rev().zip(other.entries.iter().rev());
            pairs.map(|(one, next)| one.compare(next)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        };
        self.start.cmp(&other.start).then_with(|| self.times().cmp(other.times())).then_with(texts)
    }
}

/// The chains of one prefix that can still matter, the best first.
#[derive(Debug, Default)]
pub(super) struct Candidates(pub(super) Vec<Chain>);

impl Candidates {
    /// Adds a chain unless another one can do all that it can.
    ///
    /// A better chain can, unless an absence stands next: then one whose last event is later may outlive it.
    pub(super) fn add(&mut self, chain: Chain, absence_is_next: bool) {
        let covers =
            |one: &Chain, other: &Chain| one.compare(other).is_ge() && (!absence_is_next || one.last() >= other.last());
        if self.0.iter().any(|known| covers(known, &chain)) {
            return;
        }
        self.0.retain(|known| !covers(&chain, known));
        self.0.push(chain);
        self.0.sort_by(|one, other| other.compare(one));
    }
}
