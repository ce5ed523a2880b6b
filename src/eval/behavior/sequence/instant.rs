//! What the events of one instant can add to chains: every order of different events is tried.
//!
//! Never tries events one by one that are alike: only how many of them a chain takes matters.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::chain::Chain;
use super::condition::{Conditions, Side, Waiting};
use super::{Chains, Prefixes};
use crate::eval::Enrichment;
use crate::eval::behavior::Entry;
use crate::eval::expression::{Identity, Row};

/// Entries that are one event, with what it can be.
#[derive(Debug)]
struct Player {
    /// Of its entries the one that sorts last.
    latest: Arc<Entry>,
    /// For each step the entries that can be it, by the values that conditions ask them for.
    parts: Vec<BTreeMap<Vec<Side>, Arc<Entry>>>,
    /// Whether it may be the first of a chain.
    starts: bool,
}

/// What tells players apart: the values for each step, and whether they may start a chain.
type Kind = (Vec<Vec<Vec<Side>>>, bool);

/// How far a chain has come within the instant: events taken, how many of each kind in this instant, values waited for.
type Place = (usize, Vec<usize>, Waiting);

/// A chain in the making: entries of earlier instants, then the kinds of this instant, each with the values it was taken for.
#[derive(Debug, Clone)]
struct Draft {
    earlier: Vec<Arc<Entry>>,
    taken: Vec<(usize, Vec<Side>)>,
}

/// The events of an instant by kind.
#[derive(Debug)]
pub(super) struct Instant {
    kinds: Vec<Kind>,
    /// The players of each kind in their order.
    members: Vec<Vec<Player>>,
}

impl Instant {
    pub(super) fn new(chains: &Chains, entries: &[Arc<Entry>], enrichment: &Enrichment) -> Self {
        let mut players: Vec<Player> = Vec::new();
        let mut known: BTreeMap<Identity, usize> = BTreeMap::new();
        let has_hits = entries.iter().any(|entry| matches!(entry.row, Row::Hit(_)));
        for entry in entries {
            let parts = vec![BTreeMap::new(); chains.steps.len()];
            let fresh = Player { latest: entry.clone(), parts, starts: true };
            let place = if has_hits {
                *known.entry(entry.row.identity(&chains.names.of(entry))).or_insert(players.len())
            } else {
                players.len()
            };
            if place == players.len() {
                players.push(fresh);
            }
            if let Some(player) = players.get_mut(place) {
                player.add(chains, entry, enrichment);
            }
        }
        let mut kinds: BTreeMap<Kind, Vec<Player>> = BTreeMap::new();
        for player in players.into_iter().filter(|player| player.parts.iter().any(|parts| !parts.is_empty())) {
            kinds.entry(player.kind()).or_default().push(player);
        }
        let (kinds, mut members): (Vec<Kind>, Vec<Vec<Player>>) = kinds.into_iter().unzip();
        members.iter_mut().for_each(|players| players.sort_by(|one, other| one.latest.compare(&other.latest)));
        Self { kinds, members }
    }

    /// Every prefix that the events of the instant can make longer, each with the best of its chains.
    pub(super) fn extend(
        &self,
        chains: &Chains,
        prefixes: &Prefixes,
        may_start: bool,
    ) -> Vec<((usize, Waiting), Chain)> {
        let unused = vec![0; self.kinds.len()];
        // Short prefixes first, so that each is final when it is made longer.
        let mut open: BTreeMap<Reverse<Place>, Draft> = BTreeMap::new();
        if may_start {
            let nothing = Draft { earlier: Vec::new(), taken: Vec::new() };
            open.insert(Reverse((0, unused.clone(), chains.conditions.nothing())), nothing);
        }
        for ((taken, waiting), candidates) in prefixes {
            // What is still there survived all absences: the best can do all that the others can.
            if let Some(best) = candidates.0.first() {
                let draft = Draft { earlier: best.entries().to_vec(), taken: Vec::new() };
                open.insert(Reverse((*taken, unused.clone(), waiting.clone())), draft);
            }
        }
        let mut reached = Vec::new();
        while let Some((Reverse((taken, used, waiting)), draft)) = open.pop_last() {
            if !draft.taken.is_empty() {
                reached.push(((taken, waiting.clone()), self.chain(chains, &draft)));
            }
            let Some(&(step, is_last)) = chains.positions.get(taken) else { continue };
            for (index, ((steps, starts), members)) in self.kinds.iter().zip(&self.members).enumerate() {
                let is_spent = used.get(index).is_none_or(|used| *used >= members.len());
                if is_spent || (taken == 0 && !starts) {
                    continue;
                }
                // Conditions look at the last event of a step only.
                let choices = steps.get(step).map(Vec::as_slice).unwrap_or_default();
                for sides in choices.iter().take(if is_last { choices.len() } else { 1 }) {
                    let after = next(&chains.conditions, is_last, step, sides, &waiting);
                    let Some(after) = after else { continue };
                    let mut used = used.clone();
                    used.iter_mut().skip(index).take(1).for_each(|used| *used += 1);
                    let mut longer = draft.clone();
                    longer.taken.push((index, sides.clone()));
                    let place = Reverse((taken + 1, used, after));
                    let is_better = open
                        .get(&place)
                        .is_none_or(|other| self.chain(chains, &longer).compare(&self.chain(chains, other)).is_gt());
                    if is_better {
                        open.insert(place, longer);
                    }
                }
            }
        }
        reached
    }

    /// The chain of a draft: of each kind the events that sort last, in their order.
    fn chain(&self, chains: &Chains, draft: &Draft) -> Chain {
        let mut entries = draft.earlier.clone();
        let mut counts = vec![0; self.members.len()];
        for (kind, sides) in &draft.taken {
            let total = draft.taken.iter().filter(|(other, _)| other == kind).count();
            let step = chains.positions.get(entries.len()).map(|(step, _)| *step);
            let (Some(members), Some(count), Some(step)) = (self.members.get(*kind), counts.get_mut(*kind), step)
            else {
                continue;
            };
            let player = members.get(members.len() - total + *count);
            entries.extend(player.and_then(|player| player.parts.get(step)?.get(sides)).cloned());
            *count += 1;
        }
        Chain::new(entries)
    }
}

/// What a single entry makes of prefixes, as [`Instant::extend`] does for the entries of an instant.
pub(super) fn extend_by_one(
    chains: &Chains,
    entry: &Arc<Entry>,
    prefixes: &Prefixes,
    may_start: bool,
    enrichment: &Enrichment,
) -> Vec<((usize, Waiting), Chain)> {
    let starts = may_start && !chains.until.is_some_and(|until| entry.is_of(until));
    let nothing = chains.conditions.nothing();
    let start = starts.then_some((0, &nothing, &[][..]));
    // What is still there survived all absences: the best can do all that the others can.
    let begun = prefixes.iter().filter_map(|((taken, waiting), candidates)| {
        let best = candidates.0.first()?;
        Some((*taken, waiting, best.entries()))
    });
    let mut sides: Option<(usize, Vec<Side>)> = None;
    let mut longer = Vec::new();
    for (taken, waiting, earlier) in start.into_iter().chain(begun) {
        let Some(&(step, is_last)) = chains.positions.get(taken) else { continue };
        if !chains.steps.get(step).is_some_and(|link| entry.is_of(link.signal)) {
            continue;
        }
        if sides.as_ref().is_none_or(|(known, _)| *known != step) {
            sides = Some((step, chains.conditions.sides(step, entry, enrichment)));
        }
        let Some((_, sides)) = &sides else { continue };
        if let Some(after) = next(&chains.conditions, is_last, step, sides, waiting) {
            longer.push(((taken + 1, after), Chain::new(earlier.iter().chain([entry]).cloned().collect())));
        }
    }
    longer
}

fn next(conditions: &Conditions, is_last: bool, step: usize, sides: &[Side], waiting: &Waiting) -> Option<Waiting> {
    if is_last { conditions.after(step, sides, waiting) } else { Some(waiting.clone()) }
}

impl Player {
    fn add(&mut self, chains: &Chains, entry: &Arc<Entry>, enrichment: &Enrichment) {
        if self.latest.compare(entry).is_lt() {
            self.latest = entry.clone();
        }
        self.starts &= !chains.until.is_some_and(|until| entry.is_of(until));
        for (index, (step, parts)) in chains.steps.iter().zip(&mut self.parts).enumerate() {
            if entry.is_of(step.signal) {
                parts.insert(chains.conditions.sides(index, entry, enrichment), entry.clone());
            }
        }
    }

    fn kind(&self) -> Kind {
        (self.parts.iter().map(|parts| parts.keys().cloned().collect()).collect(), self.starts)
    }
}
