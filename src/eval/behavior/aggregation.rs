//! Conditions on several aggregates, over windows that slide and over buckets of the clock.
//!
//! Never turns one kind of window into the other.

use std::collections::VecDeque;

use super::aggregate::{Condition, Measure, Share, Total};
use super::{Entry, Moment, Names, Rule, last};
use crate::eval::expression::Trail;
use crate::eval::{Enrichment, Number, microseconds};
use crate::ir::{Aggregation, Stage};

/// What is asked of a window or a bucket.
#[derive(Debug)]
struct Question {
    names: Names,
    measures: Vec<Measure>,
    condition: Condition,
    window: i64,
}

/// Windows closed at both ends, at every instant of an event of any of the signals.
#[derive(Debug)]
pub(super) struct Sliding(Question);

/// Buckets of the clock, decided at their ends.
#[derive(Debug)]
pub(super) struct Fixed(Question);

/// The instants of entries with what they add to each aggregate, the entries, and the totals.
#[derive(Debug, Default)]
pub(super) struct Inside {
    entries: VecDeque<(i64, Vec<Share>)>,
    trail: Trail,
    totals: Vec<Total>,
    /// End of the bucket.
    end: i64,
}

impl Question {
    fn new(stage: &Stage, aggregation: &Aggregation) -> Self {
        Self {
            names: Names::new(stage),
            measures: aggregation.aggregates.iter().map(|aggregate| Measure::new(stage, aggregate)).collect(),
            condition: Condition::new(&aggregation.condition.node),
            window: microseconds(aggregation.window.node),
        }
    }

    /// Takes in the entries that concern an aggregate, and gives them back.
    fn enter(&self, inside: &mut Inside, mut entries: Vec<Entry>, enrichment: &Enrichment) -> Vec<Entry> {
        inside.totals.resize_with(self.measures.len(), Total::default);
        entries.retain(|entry| self.measures.iter().any(|measure| measure.concerns(entry)));
        for entry in &entries {
            let shares: Vec<Share> = self.measures.iter().map(|measure| measure.share(entry, enrichment)).collect();
            for ((measure, total), share) in self.measures.iter().zip(&mut inside.totals).zip(&shares) {
                measure.enter(total, share);
            }
            inside.entries.push_back((entry.row.time(), shares));
            inside.trail.push(self.names.part(entry));
        }
        entries
    }

    fn leave_before(&self, inside: &mut Inside, oldest: i64) {
        while inside.entries.front().is_some_and(|(instant, _)| *instant < oldest) {
            let Some((_, shares)) = inside.entries.pop_front() else { break };
            inside.trail.pop();
            for ((measure, total), share) in self.measures.iter().zip(&mut inside.totals).zip(&shares) {
                measure.leave(total, share);
            }
        }
    }

    /// The aggregates, where the condition is true of them.
    fn answer(&self, inside: &Inside) -> Option<Vec<Option<Number>>> {
        let results = self.measures.iter().zip(&inside.totals).map(|(measure, total)| measure.result(total));
        Some(results.collect()).filter(|aggregates: &Vec<_>| self.condition.holds(aggregates))
    }
}

impl Sliding {
    pub(super) fn new(stage: &Stage, aggregation: &Aggregation) -> Self {
        Self(Question::new(stage, aggregation))
    }
}

impl Rule for Sliding {
    type State = Inside;

    fn take(&self, inside: &mut Inside, entries: Vec<Entry>, at: &mut Moment<'_>) {
        let Self(question) = self;
        question.leave_before(inside, at.now.saturating_sub(question.window));
        let entered = question.enter(inside, entries, at.enrichment);
        if !entered.is_empty()
            && let Some(aggregates) = question.answer(inside)
            && let Some(last) = last(&entered)
        {
            at.hit(aggregates, inside.trail.parts(), Some(last.closing()));
        }
    }

    fn memory(&self) -> i64 {
        self.0.window
    }
}

impl Fixed {
    pub(super) fn new(stage: &Stage, aggregation: &Aggregation) -> Self {
        Self(Question::new(stage, aggregation))
    }
}

impl Rule for Fixed {
    type State = Inside;

    fn take(&self, inside: &mut Inside, entries: Vec<Entry>, at: &mut Moment<'_>) {
        let Self(question) = self;
        if !inside.entries.is_empty() && inside.end <= at.now {
            if let Some(aggregates) = question.answer(inside) {
                at.hit(aggregates, inside.trail.parts(), None);
            }
            *inside = Inside::default();
        }
        let is_fresh = inside.entries.is_empty();
        if !question.enter(inside, entries, at.enrichment).is_empty() && is_fresh {
            inside.end = bucket_end(at.now, question.window);
            at.wake_at(inside.end);
        }
    }

    fn memory(&self) -> i64 {
        self.0.window
    }
}

/// End of the bucket since 1970 that an instant lies in.
pub(super) fn bucket_end(now: i64, length: i64) -> i64 {
    let length = length.max(1);
    now.div_euclid(length).saturating_add(1).saturating_mul(length)
}
