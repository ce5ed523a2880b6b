//! Every event of any of the signals.
//!
//! Never remembers anything.

use super::{Entry, Moment, Names, Rule};
use crate::ir::{SignalId, Stage};

/// `s`, or `a or b`.
#[derive(Debug)]
pub(super) struct Single {
    names: Names,
    signals: Vec<SignalId>,
}

impl Single {
    pub(super) fn new(stage: &Stage, signals: &[SignalId]) -> Self {
        Self { names: Names::new(stage), signals: signals.to_vec() }
    }
}

impl Rule for Single {
    type State = ();

    fn take(&self, (): &mut (), entries: Vec<Entry>, at: &mut Moment<'_>) {
        for entry in entries.iter().filter(|entry| self.signals.iter().any(|signal| entry.is_of(*signal))) {
            at.hit(Vec::new(), self.names.parts([entry]), Some(entry.closing()));
        }
    }

    fn memory(&self) -> i64 {
        0
    }
}
