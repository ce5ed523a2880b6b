//! A stage at work: at each instant it takes the events of its signals, hits of inner stages among them, and gives hits.
//!
//! Never reads a clock: instants come from events, and from the times for which behaviours ask.

use std::sync::Arc;

use indexmap::IndexMap;

use super::behavior::{self, Entry, Judge};
use super::expression::{Cell, Composed, Key, Row, Scope, Shape, Term, Test, predicate, term};
use super::{Enrichment, Event};
use crate::ir::{Signal, SignalId, Stage, Value};

/// Events of one instant with the numbers of the source signals that they belong to.
pub(super) type Leaves = Vec<(Arc<Event>, Vec<usize>)>;

/// Name of a source with the test of a signal over it.
pub(super) type SourceTest = (Arc<str>, Test);

/// The entries of an instant by key.
pub(super) type Streams = IndexMap<Key, Vec<Entry>>;

/// A stage with what its behaviour remembers.
#[derive(Debug)]
pub(super) struct StageEngine {
    inputs: Vec<Input>,
    judge: Box<dyn Judge>,
}

/// A signal.
#[derive(Debug)]
struct Input {
    keys: Vec<Term>,
    origin: Origin,
}

/// Where a signal's events come from.
#[derive(Debug)]
enum Origin {
    /// Sources; for each of them the number of the test that its events have passed.
    Leaf(Vec<usize>),
    /// The hits of a stage that pass a test.
    Inner(Box<StageEngine>, Box<Test>),
}

impl StageEngine {
    /// Prepares a stage; the tests of its signals over sources, at any depth, are added to `tests`.
    pub(super) fn new(stage: &Stage, tests: &mut Vec<SourceTest>) -> Self {
        let inputs = stage.signals.iter().map(|signal| Input::new(signal, tests)).collect();
        Self { inputs, judge: behavior::judge(stage) }
    }

    /// The next instant at which time alone decides something, here or in an inner stage.
    pub(super) fn due(&self) -> Option<i64> {
        let inner = self.inputs.iter().filter_map(|input| match &input.origin {
            Origin::Leaf(_) => None,
            Origin::Inner(stage, _) => stage.due(),
        });
        inner.chain(self.judge.due()).min()
    }

    /// The hits of an instant; no instant between this one and the one before it has events or is due.
    pub(super) fn instant(&mut self, now: i64, leaves: &Leaves, enrichment: &Enrichment) -> Vec<Composed> {
        let rows = self.rows(now, leaves, enrichment);
        let mut streams: Streams = Streams::default();
        for (row, signals) in rows {
            let mut taken: Vec<usize> = Vec::new();
            for signal in signals {
                let Some(input) = self.inputs.get(signal.0) else { continue };
                for key in keys(&Scope::new(row.view(), enrichment), &input.keys) {
                    let stream = streams.entry(key);
                    let place = stream.index();
                    let entries = stream.or_default();
                    if let Some(entry) = entries.last_mut().filter(|_| taken.contains(&place)) {
                        entry.signals.push(signal);
                    } else {
                        taken.push(place);
                        entries.push(Entry { row: row.clone(), signals: vec![signal] });
                    }
                }
            }
        }
        let mut hits = Vec::new();
        self.judge.instant(now, streams, enrichment, &mut hits);
        hits
    }

    /// The rows of an instant with the signals that they belong to.
    fn rows(&mut self, now: i64, leaves: &Leaves, enrichment: &Enrichment) -> Vec<(Row, Vec<SignalId>)> {
        let mut rows = Vec::new();
        for (event, numbers) in leaves {
            let belongs = |input: &Input| match &input.origin {
                Origin::Leaf(own) => own.iter().any(|number| numbers.contains(number)),
                Origin::Inner(..) => false,
            };
            let signals: Vec<SignalId> = self
                .inputs
                .iter()
                .enumerate()
                .filter(|(_, input)| belongs(input))
                .map(|(id, _)| SignalId(id))
                .collect();
            if !signals.is_empty() {
                rows.push((Row::Event(event.clone()), signals));
            }
        }
        for (id, input) in self.inputs.iter_mut().enumerate() {
            let Origin::Inner(stage, test) = &mut input.origin else { continue };
            for hit in stage.instant(now, leaves, enrichment) {
                let row = Row::Hit(Arc::new(hit));
                if Scope::new(row.view(), enrichment).holds(test) {
                    rows.push((row, vec![SignalId(id)]));
                }
            }
        }
        rows
    }
}

impl Input {
    fn new(signal: &Signal, tests: &mut Vec<SourceTest>) -> Self {
        let shape = Shape::of(signal);
        let origin = match &signal.stage {
            Some(stage) => {
                let test = predicate(shape, &signal.predicate.node);
                Origin::Inner(Box::new(StageEngine::new(stage, tests)), Box::new(test))
            }
            None => {
                let first = tests.len();
                tests.extend(signal.sources().into_iter().map(|source| {
                    let test = predicate(Shape::Events(source), &signal.predicate_on(&source.name).node);
                    (Arc::from(source.name.as_str()), test)
                }));
                Origin::Leaf((first..tests.len()).collect())
            }
        };
        Self { keys: signal.keys.iter().map(|key| term(shape, &key.node)).collect(), origin }
    }
}

/// The keys of a row under a signal; none where it lacks one, several where one is a list.
fn keys(scope: &Scope<'_>, terms: &[Term]) -> Vec<Key> {
    let mut cells = Vec::with_capacity(terms.len());
    for term in terms {
        match scope.value(term) {
            Some(Cell::List(..)) => return tuples(scope, terms).into_iter().map(Key::new).collect(),
            None | Some(Cell::Object) => return Vec::new(),
            Some(cell) => cells.push(cell),
        }
    }
    vec![Key::new(cells)]
}

/// The texts of a tuple, shared by those who count it.
pub(super) type Tuple = Arc<[Box<str>]>;

/// Every tuple that values make: lists multiply, a missing value leaves none, no values make the empty tuple.
pub(super) fn tuples<'a>(scope: &Scope<'a>, terms: &'a [Term]) -> Vec<Vec<Cell<'a>>> {
    let mut tuples = vec![Vec::with_capacity(terms.len())];
    for term in terms {
        let alternatives = scope.value(term).map(Cell::alternatives).unwrap_or_default();
        if let [only] = alternatives.as_slice() {
            tuples.iter_mut().for_each(|tuple| tuple.push(only.clone()));
            continue;
        }
        let longer = |tuple: &Vec<Cell<'a>>| {
            let tuple = tuple.clone();
            alternatives.iter().map(move |cell| tuple.iter().chain([cell]).cloned().collect()).collect::<Vec<_>>()
        };
        tuples = tuples.iter().flat_map(longer).collect();
    }
    tuples
}

/// The texts of every tuple that values make, for comparison.
pub(super) fn texts(scope: &Scope<'_>, terms: &[Term]) -> Vec<Tuple> {
    tuples(scope, terms).iter().map(|tuple| tuple.iter().map(|cell| cell.text().into()).collect()).collect()
}

/// The values of signals, in their order, as terms over the rows of a signal.
pub(super) fn terms<'a>(signal: &Signal, values: impl Iterator<Item = &'a Value>) -> Vec<Term> {
    values.map(|value| term(Shape::of(signal), value)).collect()
}
