//! Ordered chains of different events of one key, and what must not happen around them.
//!
//! Goes through the instants in order and keeps, for each prefix of the chain and the values that conditions still wait for,
//! the chain that starts latest: no other can reach further. Never reports one start twice.

mod chain;
mod condition;
mod instant;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Entry, Moment, Names, Rule};
use crate::eval::expression::Part;
use crate::eval::microseconds;
use crate::ir::{Sequence, SignalId, Stage};
use chain::{Candidates, Chain};
use condition::{Conditions, Waiting};
use instant::Instant;

/// A sequence with its absences.
#[derive(Debug)]
pub(super) struct Chains {
    names: Names,
    steps: Vec<Link>,
    /// For each event of a chain its step, and whether it is the last of the step.
    positions: Vec<(usize, bool)>,
    conditions: Conditions,
    until: Option<SignalId>,
    leading: Option<SignalId>,
    /// Signals that must not come behind so many events of the chain.
    middle: Vec<(usize, SignalId)>,
    trailing: Option<SignalId>,
    window: i64,
}

/// A step.
#[derive(Debug)]
struct Link {
    name: Arc<str>,
    signal: SignalId,
}

/// The chains that are under way, by how many events they have and what their conditions wait for.
type Prefixes = BTreeMap<(usize, Waiting), Candidates>;

/// What is remembered of a key.
#[derive(Debug, Default)]
pub(super) struct Progress {
    prefixes: Prefixes,
    /// Starts that have been reported.
    reported: BTreeSet<i64>,
    /// Last earlier instant of the signal that must not come first.
    leading: Option<i64>,
    /// Whole chains that wait for the trailing absence to be over.
    waits: Vec<Chain>,
}

impl Chains {
    pub(super) fn new(stage: &Stage, sequence: &Sequence) -> Self {
        let count = |index: usize| -> usize {
            let steps = sequence.steps.iter().take(index);
            steps.map(|step| usize::try_from(step.times).unwrap_or(usize::MAX)).sum()
        };
        let of_step = |(index, step): (usize, &crate::ir::Step)| {
            let times = step.times;
            (1..=times).map(move |time| (index, time == times))
        };
        Self {
            names: Names::new(stage),
            steps: sequence
                .steps
                .iter()
                .map(|step| Link { name: Arc::from(step.name.as_str()), signal: step.signal })
                .collect(),
            positions: sequence.steps.iter().enumerate().flat_map(of_step).collect(),
            conditions: Conditions::new(stage, sequence),
            until: sequence.until.as_ref().map(|until| until.node),
            leading: sequence.leading().map(|absence| absence.signal),
            middle: sequence.middle().map(|absence| (count(absence.before), absence.signal)).collect(),
            trailing: sequence.trailing().map(|absence| absence.signal),
            window: microseconds(sequence.window.node),
        }
    }

    /// Makes chains longer, and gives the one that the instant closes.
    fn advance(&self, progress: &mut Progress, entries: &[Arc<Entry>], at: &Moment<'_>) -> Option<Chain> {
        let oldest = at.now.saturating_sub(self.window);
        let may_start = progress.leading.is_none_or(|instant| instant < oldest);
        let starts = |entry: &Arc<Entry>| self.steps.first().is_some_and(|step| entry.is_of(step.signal));
        if progress.prefixes.is_empty() && !(may_start && entries.iter().any(starts)) {
            return None;
        }
        let longer = match entries {
            // Most instants of a key have one event.
            [entry] => instant::extend_by_one(self, entry, &progress.prefixes, may_start, at.enrichment),
            entries => Instant::new(self, entries, at.enrichment).extend(self, &progress.prefixes, may_start),
        };
        let mut closed: Option<Chain> = None;
        for ((taken, waiting), chain) in longer {
            if taken < self.positions.len() {
                let absence_is_next = self.middle.iter().any(|(behind, _)| *behind == taken);
                progress.prefixes.entry((taken, waiting)).or_default().add(chain, absence_is_next);
            } else if closed.as_ref().is_none_or(|closed| chain.compare(closed).is_gt()) {
                closed = Some(chain);
            }
        }
        closed.filter(|chain| progress.reported.insert(chain.start()))
    }

    /// Forgets the chains that end because of what this instant holds; those that start or wait since now go on.
    fn end(&self, progress: &mut Progress, entries: &[Arc<Entry>], now: i64) {
        let is_there = |signal: SignalId| entries.iter().any(|entry| entry.is_of(signal));
        let until = self.until.is_some_and(is_there);
        let ending: Vec<usize> =
            self.middle.iter().filter(|(_, signal)| is_there(*signal)).map(|(behind, _)| *behind).collect();
        if until || !ending.is_empty() {
            progress.prefixes.retain(|(taken, _), candidates| {
                let ends =
                    |chain: &Chain| (until && chain.start() < now) || (ending.contains(taken) && chain.last() < now);
                candidates.0.retain(|chain| !ends(chain));
                !candidates.0.is_empty()
            });
        }
        if self.leading.is_some_and(is_there) {
            progress.leading = Some(now);
        }
        if self.trailing.is_some_and(is_there) {
            progress.waits.retain(|chain| chain.last() >= now);
        }
    }

    fn hit(&self, chain: &Chain, at: &mut Moment<'_>) {
        let part = |(entry, (step, _)): (&Arc<Entry>, &(usize, bool))| {
            let name = self.steps.get(*step)?.name.clone();
            Some(Part { name, index: *step, row: entry.row.clone() })
        };
        let parts: Vec<Part> = chain.entries().iter().zip(&self.positions).filter_map(part).collect();
        let closing = chain.entries().last().filter(|_| self.trailing.is_none()).map(|entry| entry.closing());
        at.hit(Vec::new(), parts, closing);
    }
}

impl Rule for Chains {
    type State = Progress;

    fn take(&self, progress: &mut Progress, entries: Vec<Entry>, at: &mut Moment<'_>) {
        let oldest = at.now.saturating_sub(self.window);
        progress.prefixes.retain(|_, candidates| {
            candidates.0.retain(|chain| chain.start() >= oldest);
            !candidates.0.is_empty()
        });
        if progress.reported.first().is_some_and(|start| *start < oldest) {
            progress.reported = progress.reported.split_off(&oldest);
        }
        let entries: Vec<Arc<Entry>> = entries.into_iter().map(Arc::new).collect();
        if let Some(chain) = self.advance(progress, &entries, at) {
            if self.trailing.is_some() {
                at.wake_at(chain.start().saturating_add(self.window));
                progress.waits.push(chain);
            } else {
                self.hit(&chain, at);
            }
        }
        self.end(progress, &entries, at.now);
        let is_over = |chain: &mut Chain| chain.start().saturating_add(self.window) <= at.now;
        let over: Vec<Chain> = progress.waits.extract_if(.., is_over).collect();
        for chain in over {
            self.hit(&chain, at);
        }
    }

    fn memory(&self) -> i64 {
        self.window
    }
}
