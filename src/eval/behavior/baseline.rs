//! Buckets that stand out from those of the same key before them.
//!
//! Never judges a bucket without an event, though empty buckets count as 0 among those before.

use std::collections::VecDeque;

use super::aggregate::{Measure, Total};
use super::aggregation::bucket_end;
use super::rare::Age;
use super::{Entry, Moment, Names, Rule};
use crate::eval::{Number, microseconds};
use crate::ir::{Baseline, BaselineTest, Decimal, Stage};

/// `outlier` or `spike`.
#[derive(Debug)]
pub(super) struct Buckets {
    names: Names,
    measure: Measure,
    bucket: i64,
    history: i64,
    /// How many buckets before the one that is judged count.
    before: u64,
    test: Standing,
    floor: Number,
    learning: Option<i64>,
}

/// What makes a bucket stand out, with the number that says how far.
#[derive(Debug)]
enum Standing {
    Outlier(Number),
    Spike(Number),
}

/// What is remembered of a key.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// The bucket that is filling.
    entries: Vec<Entry>,
    total: Total,
    end: i64,
    /// Ends and aggregates of the buckets with events before it.
    earlier: VecDeque<(i64, Number)>,
    age: Age,
}

impl Buckets {
    pub(super) fn new(stage: &Stage, baseline: &Baseline) -> Self {
        let number = |decimal: &Decimal| Number::parse(decimal.as_str()).unwrap_or(Number::ZERO);
        Self {
            names: Names::new(stage),
            measure: Measure::new(stage, &baseline.aggregate),
            bucket: microseconds(baseline.bucket.node),
            history: microseconds(baseline.history.node),
            before: baseline.buckets(),
            test: match &baseline.test {
                BaselineTest::Outlier { sigma } => Standing::Outlier(number(&sigma.node)),
                BaselineTest::Spike { times } => Standing::Spike(number(&times.node)),
            },
            floor: number(&baseline.floor.node),
            learning: baseline.learning.as_ref().map(|learning| microseconds(learning.node)),
        }
    }

    /// Decides the bucket that has filled, and makes it one of the earlier ones.
    fn close(&self, kept: &mut Kept, at: &mut Moment<'_>) {
        let span = i64::try_from(self.before).unwrap_or(i64::MAX).saturating_mul(self.bucket);
        let oldest = kept.end.saturating_sub(span);
        while kept.earlier.front().is_some_and(|(end, _)| *end < oldest) {
            kept.earlier.pop_front();
        }
        let start = kept.end.saturating_sub(self.bucket);
        let has_learnt = match self.learning {
            Some(learning) => kept.age.has_event(start.saturating_sub(self.history), start.saturating_sub(learning)),
            None => true,
        };
        let result = self.measure.result(&kept.total);
        let mut entries = std::mem::take(&mut kept.entries);
        if let Some(found) = &result
            && has_learnt
            && *found >= self.floor
            && self.stands_out(found, &kept.earlier)
        {
            entries.sort_by(Entry::compare);
            at.hit(vec![Some(found.clone())], self.names.parts(&entries), None);
        }
        kept.earlier.push_back((kept.end, result.unwrap_or(Number::ZERO)));
        kept.total = Total::default();
    }

    fn stands_out(&self, found: &Number, earlier: &VecDeque<(i64, Number)>) -> bool {
        let buckets = Number::from(self.before);
        let sum = earlier.iter().fold(Number::ZERO, |sum, (_, number)| sum.plus(number));
        let scaled = buckets.times(found);
        match &self.test {
            Standing::Outlier(sigma) => {
                let squares = earlier.iter().fold(Number::ZERO, |sum, (_, number)| sum.plus(&number.times(number)));
                let above = scaled.minus(&sum);
                let spread = buckets.times(&squares).minus(&sum.times(&sum));
                let allowed = sigma.times(sigma).times(&spread);
                !earlier.is_empty() && above > Number::ZERO && above.times(&above) > allowed
            }
            Standing::Spike(times) => sum > Number::ZERO && scaled > times.times(&sum),
        }
    }
}

impl Rule for Buckets {
    type State = Kept;

    fn take(&self, kept: &mut Kept, entries: Vec<Entry>, at: &mut Moment<'_>) {
        if !kept.entries.is_empty() && kept.end <= at.now {
            self.close(kept, at);
        }
        for entry in entries.into_iter().filter(|entry| self.measure.concerns(entry)) {
            if kept.entries.is_empty() {
                kept.end = bucket_end(at.now, self.bucket);
                at.wake_at(kept.end);
            }
            if self.learning.is_some() {
                kept.age.note(at.now);
            }
            let share = self.measure.share(&entry, at.enrichment);
            self.measure.enter(&mut kept.total, &share);
            kept.entries.push(entry);
        }
    }

    fn memory(&self) -> i64 {
        self.history.saturating_add(self.bucket)
    }
}
