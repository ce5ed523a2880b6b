//! Behaviours: what has to happen for a hit.

use serde::Serialize;

use super::aggregation::{Aggregation, Baseline, BaselineTest, WindowKind};
use super::sequence::Sequence;
use super::{Decimal, SignalId, Value};
use crate::schema::Duration;
use crate::source::{Span, Spanned};

/// What has to happen; the meaning of each is in LANGUAGE.md.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Behavior {
    /// Every event of any of the signals; the hit is the event, also where it belongs to several of them.
    Event {
        /// The signals, at least one, each once.
        signals: Vec<SignalId>,
    },
    /// At least so many events of the key in a sliding window closed at both ends.
    Count {
        /// Name of the number in a hit; `count` unless `as` gives another.
        name: String,
        /// The signal.
        signal: SignalId,
        /// Smallest number of events, at least 1.
        at_least: Spanned<u64>,
        /// Length of the window, not zero.
        window: Spanned<Duration>,
    },
    /// At least so many distinct values (tuples, where there are several) in a sliding window closed at both ends.
    Distinct {
        /// Name of the number in a hit; `distinct` unless `as` gives another.
        name: String,
        /// The signal; each of its events is an instant, also one without the values.
        signal: SignalId,
        /// The values that make the tuple, at least one; an event that lacks one has no tuple. They compare exactly.
        values: Vec<Spanned<Value>>,
        /// Smallest number of distinct tuples, at least 1.
        at_least: Spanned<u64>,
        /// Length of the window, not zero.
        window: Spanned<Duration>,
    },
    /// A condition on several aggregates, on a measure, or on aggregates of clock-aligned buckets.
    Aggregation(Aggregation),
    /// An ordered chain of different events, with what must not happen before, between and after.
    Sequence(Sequence),
    /// Several signals in one sliding window, in any order.
    Group(Group),
    /// Values that the key had seldom or never before.
    Rare(Rare),
    /// A bucket that stands out from those of the same key before it.
    Baseline(Box<Baseline>),
    /// Two consecutive places too far apart for the time between them.
    Travel(Travel),
}

/// Several signals in one window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Group {
    /// The signals, each once, at least two.
    pub members: Vec<Member>,
    /// Smallest sum of the weights of the different members that have an event in the window.
    pub at_least: Spanned<u64>,
    /// Length of the window, not zero.
    pub window: Spanned<Duration>,
    /// How it was written.
    pub form: GroupForm,
}

/// A signal of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Member {
    /// The signal.
    pub signal: SignalId,
    /// What it adds, at least 1; 1 unless the group is a score.
    pub weight: u64,
    /// Where it is written.
    #[serde(skip)]
    pub span: Span,
}

/// How a group was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupForm {
    /// `a & b`
    All,
    /// `2 of (a, b, c)`
    Some,
    /// `score(a = 30, b = 40) >= 70`
    Score,
}

/// Values that the key had at most so many times before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rare {
    /// The signal.
    pub signal: SignalId,
    /// The values that make the tuple, at least one; an event that lacks one is no hit, but the key knows it.
    /// They compare exactly; lists count each element.
    pub values: Vec<Spanned<Value>>,
    /// Fewest and most earlier events with the tuple in `[t - history, t)`.
    pub earlier: (u64, u64),
    /// How far back is looked, not zero.
    pub history: Spanned<Duration>,
    /// A key is quiet unless it has some event of the signal in `[t - history, t - learning]`.
    pub learning: Option<Spanned<Duration>>,
    /// How it was written.
    pub form: RareForm,
}

/// How a rarity was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RareForm {
    /// `new(s.f)`
    New,
    /// `rare(s.f) <= n`
    Rare,
}

/// Two consecutive located events of the key too far apart for the time between them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Travel {
    /// The signal.
    pub signal: SignalId,
    /// The address that is located.
    pub address: Spanned<Value>,
    /// Speed in kilometres per hour above which it is a hit; a minute is the least time.
    pub speed: Spanned<Decimal>,
    /// Distance in kilometres above which it is a hit; 0 unless `beyond` says more.
    pub beyond: Spanned<Decimal>,
    /// Longest time between the two events, not zero.
    pub window: Spanned<Duration>,
}

impl Behavior {
    /// The behaviour's name in diagnostics and in the matrix.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Event { signals } if signals.len() > 1 => "union",
            Self::Event { .. } => "any event",
            Self::Count { .. } => "count",
            Self::Distinct { .. } => "distinct",
            Self::Aggregation(_) => "aggregation",
            Self::Sequence(sequence) if sequence.absences.is_empty() => "sequence",
            Self::Sequence(_) => "absence",
            Self::Group(group) => match group.form {
                GroupForm::All => "group",
                GroupForm::Some => "k of n",
                GroupForm::Score => "score",
            },
            Self::Rare(rare) => match rare.form {
                RareForm::New => "new",
                RareForm::Rare => "rare",
            },
            Self::Baseline(baseline) => match baseline.test {
                BaselineTest::Outlier { .. } => "outlier",
                BaselineTest::Spike { .. } => "spike",
            },
            Self::Travel(_) => "travel",
        }
    }

    /// Every signal that the behaviour names, each once, in order: those that have to be there, then those that must not.
    #[must_use]
    pub fn signals(&self) -> Vec<SignalId> {
        let mut signals = self.positive_signals();
        if let Self::Sequence(sequence) = self {
            signals.extend(sequence.absences.iter().map(|absence| absence.signal));
            signals.extend(sequence.until.as_ref().map(|until| until.node));
        }
        unique(signals.into_iter())
    }

    /// Every signal whose events have to be there, each once, in order.
    #[must_use]
    pub fn positive_signals(&self) -> Vec<SignalId> {
        match self {
            Self::Event { signals } => signals.clone(),
            Self::Count { signal, .. } | Self::Distinct { signal, .. } => vec![*signal],
            Self::Aggregation(aggregation) => aggregation.signals(),
            Self::Sequence(sequence) => unique(sequence.steps.iter().map(|step| step.signal)),
            Self::Group(group) => unique(group.members.iter().map(|member| member.signal)),
            Self::Rare(rare) => vec![rare.signal],
            Self::Baseline(baseline) => vec![baseline.aggregate.signal],
            Self::Travel(travel) => vec![travel.signal],
        }
    }

    /// The signals of which an event can close a hit, in order; none where a hit is closed by time.
    #[must_use]
    pub fn closing_signals(&self) -> Vec<SignalId> {
        match self {
            Self::Event { .. }
            | Self::Count { .. }
            | Self::Distinct { .. }
            | Self::Group(_)
            | Self::Rare(_)
            | Self::Travel(_) => self.positive_signals(),
            Self::Aggregation(aggregation) => match aggregation.kind {
                WindowKind::Sliding => aggregation.signals(),
                WindowKind::Fixed => Vec::new(),
            },
            Self::Sequence(sequence) if sequence.trailing().is_some() => Vec::new(),
            Self::Sequence(sequence) => sequence.steps.last().map(|step| step.signal).into_iter().collect(),
            Self::Baseline(_) => Vec::new(),
        }
    }

    /// The numbers that a hit carries, by name, in order.
    #[must_use]
    pub fn aggregate_names(&self) -> Vec<&str> {
        match self {
            Self::Count { name, .. } | Self::Distinct { name, .. } => vec![name],
            Self::Aggregation(aggregation) => aggregation.aggregates.iter().map(|one| one.name.as_str()).collect(),
            Self::Baseline(baseline) => vec![&baseline.aggregate.name],
            Self::Group(group) if group.form == GroupForm::Score => vec!["score"],
            Self::Event { .. } | Self::Sequence(_) | Self::Group(_) | Self::Rare(_) | Self::Travel(_) => Vec::new(),
        }
    }

    /// How far back from its time a hit can reach into the events of its own signals; zero for single events.
    #[must_use]
    pub fn lookback(&self) -> Duration {
        match self {
            Self::Event { .. } => Duration::ZERO,
            Self::Count { window, .. } | Self::Distinct { window, .. } => window.node,
            Self::Aggregation(aggregation) => aggregation.window.node,
            // A leading absence looks back from the first event, a trailing one ends a window after it.
            Self::Sequence(sequence) => match sequence.leading() {
                Some(_) if sequence.is_single() && sequence.trailing().is_none() => sequence.window.node,
                Some(_) => sequence.window.node.plus(sequence.window.node),
                None => sequence.window.node,
            },
            Self::Group(group) => group.window.node,
            Self::Rare(rare) => rare.history.node,
            // The judged bucket itself and those before it.
            Self::Baseline(baseline) => baseline.history.node.plus(baseline.bucket.node),
            Self::Travel(travel) => travel.window.node,
        }
    }

    /// What suppression takes as its period when the detection does not say; zero for single events.
    #[must_use]
    pub fn natural_period(&self) -> Duration {
        match self {
            Self::Sequence(sequence) => sequence.window.node,
            Self::Baseline(baseline) => baseline.history.node,
            Self::Event { .. }
            | Self::Count { .. }
            | Self::Distinct { .. }
            | Self::Aggregation(_)
            | Self::Group(_)
            | Self::Rare(_)
            | Self::Travel(_) => self.lookback(),
        }
    }
}

/// Each signal once, in order.
pub(super) fn unique(signals: impl Iterator<Item = SignalId>) -> Vec<SignalId> {
    let mut found = Vec::new();
    for signal in signals {
        if !found.contains(&signal) {
            found.push(signal);
        }
    }
    found
}
