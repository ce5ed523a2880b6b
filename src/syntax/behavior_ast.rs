//! Behaviours as the author wrote them: names are unresolved, every node knows its place.

use serde::Serialize;

use super::ast::{Comparison, Expr, Path};
use crate::schema::Duration;
use crate::source::{Span, Spanned};

/// A behaviour as written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Behavior {
    /// What has to happen.
    pub body: Spanned<Body>,
    /// What stands behind it.
    pub clauses: Clauses,
}

/// The clauses behind a behaviour; which of them a behaviour takes is decided later.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Clauses {
    /// Keys behind `by`.
    pub keys: Vec<Spanned<Path>>,
    /// Window behind `within`.
    pub within: Option<Spanned<Amount>>,
    /// The word `fixed` behind the window.
    #[serde(serialize_with = "is_there")]
    pub fixed: Option<Span>,
    /// History behind `over`.
    pub over: Option<Spanned<Amount>>,
    /// Period behind `learning`.
    pub learning: Option<Spanned<Amount>>,
    /// Bucket behind `per`.
    pub per: Option<Spanned<Amount>>,
    /// Number behind `above`.
    pub above: Option<Spanned<Amount>>,
    /// The word `sigma` behind the number: the place of the whole clause.
    #[serde(serialize_with = "is_there")]
    pub sigma: Option<Span>,
    /// Number behind `floor`.
    pub floor: Option<Spanned<Amount>>,
    /// Kilometres per hour behind `faster than`.
    pub faster: Option<Spanned<Amount>>,
    /// Kilometres behind `beyond`.
    pub beyond: Option<Spanned<Amount>>,
    /// Signal behind `until`.
    pub until: Option<Spanned<String>>,
    /// Condition behind `where`.
    pub condition: Option<Spanned<Expr>>,
}

/// What has to happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// A condition on aggregates: `count(s) >= 5`, `count(s where p) / count(s) > 0.5`.
    Aggregation(Spanned<Condition>),
    /// `a -> b{3} -> no c`, or a single signal.
    Sequence(Vec<Step>),
    /// `a or b`; at least two.
    Union(Vec<Spanned<String>>),
    /// `a & b`; at least two.
    All(Vec<Spanned<String>>),
    /// `2 of (a, b, c)`
    Some {
        /// How many.
        number: Spanned<Amount>,
        /// The signals.
        signals: Vec<Spanned<String>>,
    },
    /// `score(a = 30, b = 40) >= 70`
    Score {
        /// The signals with their weights.
        weights: Vec<(Spanned<String>, Spanned<Amount>)>,
        /// The operator.
        operator: Spanned<Comparison>,
        /// The number.
        amount: Spanned<Amount>,
    },
    /// `new(s.f, s.g)`
    New(Vec<Spanned<Path>>),
    /// `rare(s.f) <= 3`
    Rare {
        /// The values.
        values: Vec<Spanned<Path>>,
        /// The operator.
        operator: Spanned<Comparison>,
        /// The number.
        amount: Spanned<Amount>,
    },
    /// `outlier(count(s))`, `spike(count(s))`
    Baseline {
        /// Whether deviations are compared; otherwise the mean.
        is_outlier: bool,
        /// What is measured.
        aggregate: Aggregate,
    },
    /// `travel(s.ip)`
    Travel(Spanned<Path>),
}

/// A condition on aggregates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// At least two.
    Or(Vec<Spanned<Condition>>),
    /// At least two.
    And(Vec<Spanned<Condition>>),
    /// The opposite.
    Not(Box<Spanned<Condition>>),
    /// Two sums compared.
    Compare {
        /// The operator.
        operator: Spanned<Comparison>,
        /// Left side.
        left: Spanned<Arithmetic>,
        /// Right side.
        right: Spanned<Arithmetic>,
    },
}

/// Arithmetic over aggregates and numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Arithmetic {
    /// A number or a parameter.
    Amount(Amount),
    /// An aggregate.
    Aggregate(Box<Aggregate>),
    /// Two of them joined.
    Binary {
        /// How.
        operator: ArithmeticOperator,
        /// Left side.
        left: Box<Spanned<Arithmetic>>,
        /// Right side.
        right: Box<Spanned<Arithmetic>>,
    },
}

/// How two numbers are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ArithmeticOperator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
}

/// `count(s where p) as failures`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Aggregate {
    /// The function's word.
    pub function: Spanned<String>,
    /// Signal or values, at least one.
    pub paths: Vec<Spanned<Path>>,
    /// Numbers among the arguments.
    pub amounts: Vec<Spanned<Amount>>,
    /// Condition behind `where`.
    pub filter: Option<Spanned<Expr>>,
    /// Name behind `as`.
    pub name: Option<Spanned<String>>,
    /// The whole aggregate.
    #[serde(skip)]
    pub span: Span,
}

/// A number or duration, or a parameter that stands for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Amount {
    /// A whole number.
    Int(i64),
    /// A decimal number, as written.
    Decimal(String),
    /// A span of time.
    Duration(Duration),
    /// `$name`, without the dollar sign.
    Reference(String),
}

/// One step of a sequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Whether `no` stands before it.
    pub absent: bool,
    /// The signal.
    pub signal: Spanned<String>,
    /// Number of repetitions.
    pub times: Option<Spanned<Amount>>,
    /// Name behind `as`.
    pub name: Option<Spanned<String>>,
    /// The whole step.
    #[serde(skip)]
    pub span: Span,
}

/// In data a word that was written is `true`.
#[expect(clippy::ref_option, reason = "serde calls it with a reference to the field")]
fn is_there<S: serde::Serializer>(word: &Option<Span>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bool(word.is_some())
}
