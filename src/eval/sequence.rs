//! Ordered chains of different events of one key.
//!
//! Goes through the instants in order and keeps, for each prefix of the chain and the values that conditions still wait for,
//! the chain that starts latest: no other can reach further.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::hit::{Hit, HitEvent};
use super::keys::{Entry, Stream};
use super::pattern::folded;
use super::scope::{Patterns, Scope};
use super::window::microseconds;
use crate::ir::{CaseRule, Detection, Relation, RelationKind, Step, StepValue};
use crate::schema::Duration;

/// A chain as the detection asks for it.
pub(super) struct Sequence<'a> {
    /// The detection.
    pub(super) detection: &'a Detection,
    /// The steps.
    pub(super) steps: &'a [Step],
    /// Conditions between steps.
    pub(super) relations: &'a [Relation],
    /// Longest time from the first event to the last.
    pub(super) window: Duration,
    /// Compiled expressions.
    pub(super) patterns: &'a Patterns,
}

/// What tells events of one instant apart: the steps that they can be, and the two sides of each condition.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    steps: Vec<bool>,
    sides: Vec<(Side, Side)>,
}

/// The text by which a condition compares a value; nothing where it is missing.
type Side = Option<String>;

/// For each condition the left side, where its step is over and that of the right side is not.
type Waiting = Vec<Option<Side>>;

/// How far a chain has come within one instant: events taken, how many of each kind in this instant, values waited for.
type Place = (usize, Vec<usize>, Waiting);

/// A chain in the making: events of earlier instants as indices, events of this instant as kinds.
#[derive(Debug, Clone, Default)]
struct Chain {
    earlier: Vec<usize>,
    kinds: Vec<usize>,
}

impl Chain {
    /// The events as indices: of each kind those that sort last, in their order.
    fn events(&self, members: &[Vec<usize>]) -> Vec<usize> {
        let mut events = self.earlier.clone();
        let mut taken = vec![0; members.len()];
        for kind in &self.kinds {
            let total = self.kinds.iter().filter(|other| *other == kind).count();
            let (Some(of_kind), Some(taken)) = (members.get(*kind), taken.get_mut(*kind)) else { continue };
            events.extend(of_kind.get(of_kind.len() - total + *taken));
            *taken += 1;
        }
        events
    }
}

impl Sequence<'_> {
    /// The hits of all keys.
    pub(super) fn hits(&self, streams: &[Stream]) -> Vec<Hit> {
        streams.iter().flat_map(|stream| self.of_key(stream)).collect()
    }

    fn of_key(&self, stream: &Stream) -> Vec<Hit> {
        let window = microseconds(self.window);
        let length: usize = self.positions().len();
        let rank = |events: &[usize]| {
            let times: Vec<i64> =
                events.iter().filter_map(|index| stream.entries.get(*index)).map(|entry| entry.event.time).collect();
            // Of chains with the same times, the one whose last event sorts last.
            (times, events.iter().rev().copied().collect::<Vec<usize>>())
        };
        let mut best: BTreeMap<(usize, Waiting), Vec<usize>> = BTreeMap::new();
        let mut reported: BTreeSet<i64> = BTreeSet::new();
        let mut hits = Vec::new();
        let mut first = 0;
        for ties in stream.entries.chunk_by(|one, other| one.event.time == other.event.time) {
            let Some(now) = ties.first().map(|entry| entry.event.time) else { continue };
            let start = |events: &[usize]| rank(events).0.first().copied().unwrap_or(i64::MIN);
            let oldest = now.saturating_sub(window);
            best.retain(|_, events| start(events) >= oldest);
            reported.retain(|start| *start >= oldest);
            let mut closed: Option<Vec<usize>> = None;
            for ((taken, waiting), events) in self.advance(&best, ties, first, &rank) {
                if taken == length {
                    if closed.as_ref().is_none_or(|closed| rank(&events) > rank(closed)) {
                        closed = Some(events);
                    }
                } else {
                    let slot = best.entry((taken, waiting)).or_default();
                    if rank(&events) > rank(slot) {
                        *slot = events;
                    }
                }
            }
            if let Some(events) = closed
                && reported.insert(start(&events))
            {
                hits.extend(self.hit(stream, &events));
            }
            first += ties.len();
        }
        hits
    }

    /// Every prefix that the events of one instant can make longer, each with the best of its chains.
    fn advance<R: Ord>(
        &self,
        best: &BTreeMap<(usize, Waiting), Vec<usize>>,
        ties: &[Entry],
        first: usize,
        rank: &impl Fn(&[usize]) -> R,
    ) -> Vec<((usize, Waiting), Vec<usize>)> {
        let mut kinds: BTreeMap<Kind, Vec<usize>> = BTreeMap::new();
        for (offset, entry) in ties.iter().enumerate() {
            kinds.entry(self.kind(entry)).or_default().push(first + offset);
        }
        let (kinds, members): (Vec<Kind>, Vec<Vec<usize>>) = kinds.into_iter().unzip();
        let positions = self.positions();
        let unused = vec![0; kinds.len()];
        let nothing: Waiting = vec![None; self.relations.len()];
        // Short prefixes first, so that each is final when it is made longer.
        let mut open: BTreeMap<Reverse<Place>, Chain> = BTreeMap::new();
        open.insert(Reverse((0, unused.clone(), nothing)), Chain::default());
        for ((taken, waiting), events) in best {
            let chain = Chain { earlier: events.clone(), kinds: Vec::new() };
            open.insert(Reverse((*taken, unused.clone(), waiting.clone())), chain);
        }
        let mut reached = Vec::new();
        while let Some((Reverse((taken, used, waiting)), chain)) = open.pop_last() {
            if !chain.kinds.is_empty() {
                reached.push(((taken, waiting.clone()), chain.events(&members)));
            }
            let Some(&(step, is_last)) = positions.get(taken) else { continue };
            for (index, (kind, members_of_kind)) in kinds.iter().zip(&members).enumerate() {
                let full = used.get(index).is_none_or(|used| *used >= members_of_kind.len());
                if full || kind.steps.get(step) != Some(&true) {
                    continue;
                }
                let Some(waiting) = (if is_last { self.compare(step, kind, &waiting) } else { Some(waiting.clone()) })
                else {
                    continue;
                };
                let mut used = used.clone();
                used.iter_mut().skip(index).take(1).for_each(|used| *used += 1);
                let mut longer = chain.clone();
                longer.kinds.push(index);
                let place = Reverse((taken + 1, used, waiting));
                let better =
                    open.get(&place).is_none_or(|other| rank(&longer.events(&members)) > rank(&other.events(&members)));
                if better {
                    open.insert(place, longer);
                }
            }
        }
        reached
    }

    /// Whether a step's last event satisfies the conditions that end there; gives what is waited for behind it.
    fn compare(&self, step: usize, kind: &Kind, waiting: &Waiting) -> Option<Waiting> {
        let mut after = waiting.clone();
        for ((relation, (left, right)), slot) in self.relations.iter().zip(&kind.sides).zip(&mut after) {
            if relation.right.step == step {
                let left = slot.take().flatten();
                let same = left.is_some() && left == *right;
                let holds = match relation.kind {
                    RelationKind::Same => same,
                    RelationKind::Different => !same,
                };
                if !holds {
                    return None;
                }
            } else if relation.left.step == step {
                *slot = Some(left.clone());
            }
        }
        Some(after)
    }

    /// For each event of a chain its step, and whether it is the last of the step.
    fn positions(&self) -> Vec<(usize, bool)> {
        let of_step = |(index, step): (usize, &Step)| (1..=step.times).map(move |time| (index, time)).collect();
        let all: Vec<Vec<(usize, u32)>> = self.steps.iter().enumerate().map(of_step).collect();
        let is_last =
            |(index, time): (usize, u32)| (index, self.steps.get(index).is_some_and(|step: &Step| step.times == time));
        all.into_iter().flatten().map(is_last).collect()
    }

    fn kind(&self, entry: &Entry) -> Kind {
        let steps: Vec<bool> = self.steps.iter().map(|step| entry.signals.contains(&step.signal)).collect();
        let side = |value: &StepValue, case: CaseRule| {
            let step = self.steps.get(value.step).filter(|step| entry.signals.contains(&step.signal))?;
            let signal = self.detection.stage.signal(step.signal)?;
            let cell = Scope::new(&entry.event, &signal.source, self.patterns).value(&value.value)?;
            Some(match case {
                CaseRule::Exact => cell.text(),
                CaseRule::Ignore | CaseRule::Canonical => folded(&cell.text()),
            })
        };
        let sides = |relation: &Relation| (side(&relation.left, relation.case), side(&relation.right, relation.case));
        Kind { steps, sides: self.relations.iter().map(sides).collect() }
    }

    fn hit(&self, stream: &Stream, events: &[usize]) -> Option<Hit> {
        let closing = stream.entries.get(*events.last()?)?.event.clone();
        let event = |((index, _), entry): ((usize, bool), &usize)| {
            let (step, entry) = (self.steps.get(index)?, stream.entries.get(*entry)?);
            Some(HitEvent { step: step.name.clone(), index, event: entry.event.clone() })
        };
        Some(Hit {
            keys: stream.keys.clone(),
            time: closing.time,
            aggregates: Vec::new(),
            events: self.positions().into_iter().zip(events).filter_map(event).collect(),
            closing,
        })
    }
}
