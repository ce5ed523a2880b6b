//! Aggregates: numbers made of the events of a window or a bucket, and conditions on them.

use serde::Serialize;

use super::behavior::unique;
use super::{Decimal, Order, Predicate, SignalId, Value};
use crate::schema::Duration;
use crate::source::{Span, Spanned};

/// A condition on aggregates of one window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Aggregation {
    /// The aggregates, each once, in the order of the text.
    pub aggregates: Vec<Aggregate>,
    /// The condition; without any event it is false.
    pub condition: Spanned<AggregateCondition>,
    /// Length of the window, not zero.
    pub window: Spanned<Duration>,
    /// Which windows.
    pub kind: WindowKind,
}

impl Aggregation {
    /// The signals whose events are instants: those of all aggregates, each once, in the order of the text.
    #[must_use]
    pub fn signals(&self) -> Vec<SignalId> {
        unique(self.aggregates.iter().map(|aggregate| aggregate.signal))
    }
}

/// Which windows an aggregation looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowKind {
    /// At every instant `t` of an event of any of the signals, `[t - W, t]`.
    Sliding,
    /// Every bucket `[m*W, (m+1)*W)` since 1970 in UTC; the hit's time is the bucket's end.
    Fixed,
}

/// A number made of the events of a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Aggregate {
    /// Name in a hit: that given by `as`, or the function's.
    pub name: String,
    /// The signal.
    pub signal: SignalId,
    /// What is computed.
    pub function: AggregateFunction,
    /// Which of the signal's events count; the others are instants nevertheless.
    pub filter: Option<Spanned<Predicate>>,
    /// Where it is written.
    #[serde(skip)]
    pub span: Span,
}

/// What an aggregate computes. Missing values are not values; lists are no values of a measure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AggregateFunction {
    /// Number of events.
    Count,
    /// Number of different tuples; they compare exactly, and lists count each element.
    Distinct(Vec<Spanned<Value>>),
    /// Sum of a number; without values its comparison is false, as for all that follow.
    Sum(Spanned<Value>),
    /// Sum divided by the number of values, exactly.
    Average(Spanned<Value>),
    /// Smallest number.
    Minimum(Spanned<Value>),
    /// Largest number.
    Maximum(Spanned<Value>),
    /// Nearest rank: the smallest value with rank `>= ceil(p * n / 100)`; `median` is the 50th.
    Percentile {
        /// The number.
        value: Spanned<Value>,
        /// `p`, above 0 and at most 100.
        percent: Decimal,
    },
}

/// A condition on aggregates. A comparison with an aggregate over no values or a division by zero is false.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AggregateCondition {
    /// All of them; at least two.
    And(Vec<Spanned<AggregateCondition>>),
    /// Any of them; at least two.
    Or(Vec<Spanned<AggregateCondition>>),
    /// The opposite; true where the inner comparison met no value.
    Not(Box<Spanned<AggregateCondition>>),
    /// Two numbers compared, exactly.
    Compare {
        /// Left side.
        left: Arithmetic,
        /// How.
        operator: NumberComparison,
        /// Right side.
        right: Arithmetic,
    },
}

/// How two numbers compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberComparison {
    /// `==`
    Equal,
    /// `!=`: both are numbers and differ; false where one is missing.
    NotEqual,
    /// `<`, `<=`, `>`, `>=`
    Ordered(Order),
}

/// Arithmetic over aggregates; exact on whole numbers and decimals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Arithmetic {
    /// A constant.
    Number(Decimal),
    /// Index in [`Aggregation::aggregates`].
    Aggregate(usize),
    /// `a + b`
    Add(Box<Arithmetic>, Box<Arithmetic>),
    /// `a - b`
    Subtract(Box<Arithmetic>, Box<Arithmetic>),
    /// `a * b`
    Multiply(Box<Arithmetic>, Box<Arithmetic>),
    /// `a / b`; no number where `b` is zero.
    Divide(Box<Arithmetic>, Box<Arithmetic>),
}

/// A bucket that stands out from the `N = floor(history / bucket)` buckets before it, empty ones counting as 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Baseline {
    /// What is measured: a count, a distinct or a sum.
    pub aggregate: Aggregate,
    /// Length of a bucket, not zero; buckets are aligned to 1970 in UTC.
    pub bucket: Spanned<Duration>,
    /// How far back the key's earlier buckets count, at least one bucket.
    pub history: Spanned<Duration>,
    /// What stands out.
    pub test: BaselineTest,
    /// Smallest aggregate of a hit.
    pub floor: Spanned<Decimal>,
    /// A key is quiet unless it has some event in `[bucket start - history, bucket start - learning]`.
    pub learning: Option<Spanned<Duration>>,
}

impl Baseline {
    /// Number of buckets before the one that is judged.
    #[must_use]
    pub fn buckets(&self) -> u64 {
        self.history.node.milliseconds().checked_div(self.bucket.node.milliseconds()).unwrap_or(0)
    }
}

/// What makes a bucket stand out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BaselineTest {
    /// Mean plus so many population deviations: `d = N*x - S1 > 0` and `d*d > s*s*(N*S2 - S1*S1)`, some bucket not empty.
    Outlier {
        /// `s`, not negative.
        sigma: Spanned<Decimal>,
    },
    /// So many times the mean: `S1 > 0` and `N*x > r*S1`.
    Spike {
        /// `r`, above 0.
        times: Spanned<Decimal>,
    },
}
