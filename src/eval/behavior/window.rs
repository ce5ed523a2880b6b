//! Counts over windows that slide and are closed at both ends.
//!
//! Never looks at what an event holds but for the values that it counts.

use std::collections::{HashMap, VecDeque};

use super::{Entry, Moment, Names, Rule, last, number};
use crate::eval::expression::{Scope, Term, Trail};
use crate::eval::microseconds;
use crate::eval::stage::{self, Tuple};
use crate::ir::{SignalId, Stage, Value};
use crate::schema::Duration;
use crate::source::Spanned;

/// At least so many events.
#[derive(Debug)]
pub(super) struct Count {
    names: Names,
    signal: SignalId,
    at_least: u64,
    window: i64,
}

/// At least so many different tuples.
#[derive(Debug)]
pub(super) struct Distinct {
    names: Names,
    signal: SignalId,
    values: Vec<Term>,
    at_least: u64,
    window: i64,
}

/// The instants of a window's entries with their tuples, the entries, and how many of them hold each tuple.
#[derive(Debug, Default)]
pub(super) struct Held {
    inside: VecDeque<(i64, Vec<Tuple>)>,
    trail: Trail,
    tuples: HashMap<Tuple, usize>,
}

impl Count {
    pub(super) fn new(stage: &Stage, signal: SignalId, at_least: u64, window: Duration) -> Self {
        Self { names: Names::new(stage), signal, at_least, window: microseconds(window) }
    }
}

impl Rule for Count {
    /// The instants of the window's entries, and the entries.
    type State = (VecDeque<i64>, Trail);

    fn take(&self, (inside, trail): &mut Self::State, entries: Vec<Entry>, at: &mut Moment<'_>) {
        let oldest = at.now.saturating_sub(self.window);
        while inside.front().is_some_and(|instant| *instant < oldest) {
            inside.pop_front();
            trail.pop();
        }
        let of_signal = || entries.iter().filter(|entry| entry.is_of(self.signal));
        for entry in of_signal() {
            inside.push_back(at.now);
            trail.push(self.names.part(entry));
        }
        if inside.len() as u64 >= self.at_least
            && let Some(last) = last(of_signal())
        {
            at.hit(vec![Some(number(inside.len()))], trail.parts(), Some(last.closing()));
        }
    }

    fn memory(&self) -> i64 {
        self.window
    }
}

impl Distinct {
    pub(super) fn new(
        stage: &Stage,
        signal: SignalId,
        values: &[Spanned<Value>],
        at_least: u64,
        window: Duration,
    ) -> Self {
        let terms = stage.signal(signal).map(|signal| stage::terms(signal, values.iter().map(|value| &value.node)));
        Self {
            names: Names::new(stage),
            signal,
            values: terms.unwrap_or_default(),
            at_least,
            window: microseconds(window),
        }
    }
}

impl Rule for Distinct {
    type State = Held;

    fn take(&self, held: &mut Held, entries: Vec<Entry>, at: &mut Moment<'_>) {
        let Held { inside, trail, tuples } = held;
        let oldest = at.now.saturating_sub(self.window);
        while inside.front().is_some_and(|(instant, _)| *instant < oldest) {
            trail.pop();
            for tuple in inside.pop_front().into_iter().flat_map(|(_, tuples)| tuples) {
                if let Some(count) = tuples.get_mut(&tuple) {
                    *count -= 1;
                    if *count == 0 {
                        tuples.remove(&tuple);
                    }
                }
            }
        }
        let of_signal = || entries.iter().filter(|entry| entry.is_of(self.signal));
        for entry in of_signal() {
            let texts = stage::texts(&Scope::new(entry.row.view(), at.enrichment), &self.values);
            for tuple in &texts {
                *tuples.entry(tuple.clone()).or_default() += 1;
            }
            inside.push_back((at.now, texts));
            trail.push(self.names.part(entry));
        }
        if tuples.len() as u64 >= self.at_least
            && let Some(last) = last(of_signal())
        {
            at.hit(vec![Some(number(tuples.len()))], trail.parts(), Some(last.closing()));
        }
    }

    fn memory(&self) -> i64 {
        self.window
    }
}
