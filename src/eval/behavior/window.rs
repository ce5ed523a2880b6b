//! Counts over windows that slide and are closed at both ends.
//!
//! Never looks at what an event holds but for the values that it counts.

use std::collections::{HashMap, VecDeque};

use super::{Entry, Moment, Names, Rule, number};
use crate::eval::expression::{Scope, Term};
use crate::eval::{microseconds, stage};
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

/// The entries of a window with their tuples, and how many entries hold each tuple.
#[derive(Debug, Default)]
pub(super) struct Held {
    inside: VecDeque<(Entry, Vec<Tuple>)>,
    tuples: HashMap<Tuple, usize>,
}

type Tuple = Vec<Box<str>>;

impl Count {
    pub(super) fn new(stage: &Stage, signal: SignalId, at_least: u64, window: Duration) -> Self {
        Self { names: Names::new(stage), signal, at_least, window: microseconds(window) }
    }
}

impl Rule for Count {
    type State = VecDeque<Entry>;

    fn take(&self, inside: &mut VecDeque<Entry>, entries: Vec<Entry>, at: &mut Moment<'_>) {
        let oldest = at.now.saturating_sub(self.window);
        while inside.front().is_some_and(|entry| entry.row.time() < oldest) {
            inside.pop_front();
        }
        let before = inside.len();
        inside.extend(entries.into_iter().filter(|entry| entry.is_of(self.signal)));
        if inside.len() > before && inside.len() as u64 >= self.at_least {
            let closing = inside.back().map(Entry::closing);
            at.hit(vec![Some(number(inside.len()))], self.names.parts(&*inside), closing);
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
        let Held { inside, tuples } = held;
        let oldest = at.now.saturating_sub(self.window);
        while inside.front().is_some_and(|(entry, _)| entry.row.time() < oldest) {
            for tuple in inside.pop_front().into_iter().flat_map(|(_, tuples)| tuples) {
                if let Some(count) = tuples.get_mut(&tuple) {
                    *count -= 1;
                    if *count == 0 {
                        tuples.remove(&tuple);
                    }
                }
            }
        }
        let before = inside.len();
        for entry in entries.into_iter().filter(|entry| entry.is_of(self.signal)) {
            let texts = stage::texts(&Scope::new(entry.row.view(), at.enrichment), &self.values);
            for tuple in &texts {
                *tuples.entry(tuple.clone()).or_default() += 1;
            }
            inside.push_back((entry, texts));
        }
        if inside.len() > before && tuples.len() as u64 >= self.at_least {
            let closing = inside.back().map(|(entry, _)| entry.closing());
            let parts = self.names.parts(inside.iter().map(|(entry, _)| entry));
            at.hit(vec![Some(number(tuples.len()))], parts, closing);
        }
    }

    fn memory(&self) -> i64 {
        self.window
    }
}
