//! What a behaviour looks at: an event of a source, or a hit of an inner stage, which is an event too.
//!
//! Never copies either: rows are shared between the windows and hits that hold them.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::{Cell, Parts};
use crate::eval::{Event, Number};
use crate::ir::SignalId;

/// An event or a hit, shared.
#[derive(Debug, Clone)]
pub(in crate::eval) enum Row {
    /// An event of a source.
    Event(Arc<Event>),
    /// A hit of an inner stage.
    Hit(Arc<Composed>),
}

/// An event or a hit to look at.
#[derive(Debug, Clone, Copy)]
pub(in crate::eval) enum View<'a> {
    /// An event of a source.
    Event(&'a Event),
    /// A hit of an inner stage.
    Hit(&'a Composed),
}

/// A hit before anything of it is written out.
#[derive(Debug)]
pub(in crate::eval) struct Composed {
    /// Its keys.
    pub(in crate::eval) key: Arc<Key>,
    /// Its instant, in microseconds since 1970.
    pub(in crate::eval) time: i64,
    /// Its numbers in the order of their names; nothing for an aggregate over no values.
    pub(in crate::eval) aggregates: Vec<Option<Number>>,
    /// What made it, in order.
    pub(in crate::eval) parts: Parts,
    /// What closed it; nothing where time did.
    pub(in crate::eval) closing: Option<Closing>,
}

/// The keys of a stream with their values.
///
/// Their texts alone tell keys apart.
#[derive(Debug, Default)]
pub(in crate::eval) struct Key(Box<[Cell<'static>]>);

/// One of the rows that made a hit.
#[derive(Debug, Clone)]
pub(in crate::eval) struct Part {
    /// Name of the step, or of the signal.
    pub(in crate::eval) name: Arc<str>,
    /// Index of the step; 0 where there are none.
    pub(in crate::eval) index: usize,
    /// The event or hit.
    pub(in crate::eval) row: Row,
}

/// The row that closed a hit, with the signals that it belongs to.
#[derive(Debug, Clone)]
pub(in crate::eval) struct Closing {
    /// The event or hit.
    pub(in crate::eval) row: Row,
    /// Its signals, in their order.
    pub(in crate::eval) signals: Vec<SignalId>,
}

/// What makes two rows the same event: a hit is its closing event.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::eval) enum Identity {
    /// The place of the event in memory.
    Event(usize),
    /// A hit that time closed: the name of its signal and the texts of its keys; its instant goes without saying.
    Hit(Box<str>, Vec<Box<str>>),
}

impl Row {
    /// The row to look at.
    pub(in crate::eval) fn view(&self) -> View<'_> {
        match self {
            Self::Event(event) => View::Event(event),
            Self::Hit(hit) => View::Hit(hit),
        }
    }

    /// Its instant, in microseconds since 1970.
    pub(in crate::eval) fn time(&self) -> i64 {
        match self {
            Self::Event(event) => event.time,
            Self::Hit(hit) => hit.time,
        }
    }

    /// The event of a source that the row is in the end; nothing where time closed a hit.
    pub(in crate::eval) fn event(&self) -> Option<&Arc<Event>> {
        match self {
            Self::Event(event) => Some(event),
            Self::Hit(hit) => hit.closing.as_ref()?.row.event(),
        }
    }

    /// The order of two rows: by time, then text, then source.
    pub(in crate::eval) fn compare(&self, other: &Self) -> Ordering {
        let texts = || match (self.event(), other.event()) {
            (Some(event), Some(next)) if Arc::ptr_eq(event, next) => Ordering::Equal,
            (Some(event), Some(next)) => event.compare_text(next).then_with(|| event.source.cmp(&next.source)),
            (None, _) | (_, None) => self.text().cmp(&other.text()),
        };
        self.time().cmp(&other.time()).then_with(texts)
    }

    /// The text by which rows of one instant are ordered.
    fn text(&self) -> Cow<'_, str> {
        match (self.event(), self) {
            (Some(event), _) => Cow::Borrowed(event.text()),
            (None, Self::Hit(hit)) => Cow::Owned(hit.key.json_texts().join(",")),
            (None, Self::Event(_)) => Cow::Borrowed(""),
        }
    }

    /// Which event the row is; `signal` is the name of a signal that it belongs to.
    pub(in crate::eval) fn identity(&self, signal: &str) -> Identity {
        match (self.event(), self) {
            (Some(event), _) => Identity::Event(Arc::as_ptr(event).addr()),
            (None, Self::Hit(hit)) => Identity::Hit(signal.into(), hit.key.texts().map(|text| text.into()).collect()),
            (None, Self::Event(_)) => Identity::Hit(signal.into(), Vec::new()),
        }
    }
}

impl Key {
    /// Makes a key of its values.
    pub(in crate::eval) fn new<'a>(cells: impl IntoIterator<Item = Cell<'a>>) -> Self {
        Self(cells.into_iter().map(Cell::into_owned).collect())
    }

    /// The values, in the order of `by`.
    pub(in crate::eval) fn cells(&self) -> &[Cell<'static>] {
        &self.0
    }

    /// The values as JSON; hits of one instant are ordered by these texts.
    pub(in crate::eval) fn json_texts(&self) -> Vec<String> {
        self.cells().iter().map(|cell| cell.json().to_string()).collect()
    }

    fn texts(&self) -> impl Iterator<Item = Cow<'_, str>> {
        self.cells().iter().map(Cell::text)
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.texts().eq(other.texts())
    }
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.texts().cmp(other.texts())
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for text in self.texts() {
            text.hash(state);
        }
    }
}
