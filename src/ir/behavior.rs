//! Behaviours: what has to happen for a hit.

use super::{CaseRule, SignalId, Value};
use crate::schema::Duration;
use crate::source::{Span, Spanned};

/// What has to happen; the meaning of each is in LANGUAGE.md.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Behavior {
    /// Every event of the signal.
    Event {
        /// The signal.
        signal: SignalId,
    },
    /// At least so many events of the key in a sliding window closed at both ends.
    Count {
        /// The signal.
        signal: SignalId,
        /// Smallest number of events, at least 1.
        at_least: Spanned<u64>,
        /// Length of the window, not zero.
        window: Spanned<Duration>,
    },
    /// At least so many distinct values (tuples, where there are several) in a sliding window closed at both ends.
    Distinct {
        /// The signal; each of its events is an instant, also one without the values.
        signal: SignalId,
        /// The values that make the tuple, at least one; an event that lacks one has no tuple. They compare exactly.
        values: Vec<Spanned<Value>>,
        /// Smallest number of distinct tuples, at least 1.
        at_least: Spanned<u64>,
        /// Length of the window, not zero.
        window: Spanned<Duration>,
    },
    /// An ordered chain of different events.
    Sequence {
        /// The steps; together at least two events.
        steps: Vec<Step>,
        /// Conditions between steps; all have to hold.
        relations: Vec<Relation>,
        /// Longest time from the first event to the last, not zero.
        window: Spanned<Duration>,
    },
}

impl Behavior {
    /// The behaviour's name in diagnostics and in the matrix.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Event { .. } => "any event",
            Self::Count { .. } => "count",
            Self::Distinct { .. } => "distinct",
            Self::Sequence { .. } => "sequence",
        }
    }

    /// Every signal that the behaviour names, each once, in order.
    #[must_use]
    pub fn signals(&self) -> Vec<SignalId> {
        match self {
            Self::Event { signal } | Self::Count { signal, .. } | Self::Distinct { signal, .. } => vec![*signal],
            Self::Sequence { steps, .. } => {
                let mut signals = Vec::new();
                for step in steps {
                    if !signals.contains(&step.signal) {
                        signals.push(step.signal);
                    }
                }
                signals
            }
        }
    }

    /// The signal whose event closes a hit.
    #[must_use]
    pub fn closing_signal(&self) -> SignalId {
        match self {
            Self::Event { signal } | Self::Count { signal, .. } | Self::Distinct { signal, .. } => *signal,
            Self::Sequence { steps, .. } => steps.last().map_or(SignalId(0), |step| step.signal),
        }
    }

    /// How far back a hit can reach; zero for single events.
    #[must_use]
    pub fn lookback(&self) -> Duration {
        match self {
            Self::Event { .. } => Duration::ZERO,
            Self::Count { window, .. } | Self::Distinct { window, .. } | Self::Sequence { window, .. } => window.node,
        }
    }
}

/// One step of a sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Name of the step: that given by `as`, or the signal's.
    pub name: String,
    /// The signal.
    pub signal: SignalId,
    /// How many different events of the signal, at least 1; the name means the last of them.
    pub times: u32,
    /// Where the step is written.
    pub span: Span,
}

/// A condition between two steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// One side; its step is the earlier one.
    pub left: StepValue,
    /// Equal or not.
    pub kind: RelationKind,
    /// The other side.
    pub right: StepValue,
    /// How strings compare; never canonical.
    pub case: CaseRule,
    /// Where the condition is written.
    pub span: Span,
}

/// Kind of a condition between two steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RelationKind {
    /// `==`: both present and equal.
    Same,
    /// `!=`: not both present and equal; true where a side is missing.
    Different,
}

/// A value of a step's event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepValue {
    /// Index of the step.
    pub step: usize,
    /// Name of the field or column, for people and for derived columns.
    pub name: String,
    /// The value, as an expression over the step's event.
    pub value: Value,
}
