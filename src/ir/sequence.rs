//! Ordered chains: steps, what must not happen around them, and conditions between them.

use serde::Serialize;

use super::{CaseRule, Order, SignalId, Value};
use crate::schema::Duration;
use crate::source::{Span, Spanned};

/// An ordered chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sequence {
    /// The positive steps, at least one; alone it stands for one event only beside an absence.
    pub steps: Vec<Step>,
    /// What must not happen, by place; at most one leading and one trailing.
    pub absences: Vec<Absence>,
    /// A signal that ends a chain strictly between its first and last event; its events start none.
    pub until: Option<Spanned<SignalId>>,
    /// Conditions between steps; all have to hold.
    pub relations: Vec<Relation>,
    /// Further conditions between steps that are no plain `==` or `!=`; all have to hold.
    pub conditions: Vec<Spanned<StepCondition>>,
    /// Longest time from the first event to the last, not zero; also how far absences look.
    pub window: Spanned<Duration>,
}

impl Sequence {
    /// The absence before the first step.
    #[must_use]
    pub fn leading(&self) -> Option<&Absence> {
        self.absences.iter().find(|absence| absence.before == 0)
    }

    /// The absence behind the last step.
    #[must_use]
    pub fn trailing(&self) -> Option<&Absence> {
        self.absences.iter().find(|absence| absence.before == self.steps.len())
    }

    /// The absences between two steps, in the order of the text.
    pub fn middle(&self) -> impl Iterator<Item = &Absence> {
        self.absences.iter().filter(|absence| absence.before > 0 && absence.before < self.steps.len())
    }

    /// Whether the chain is nothing but positive steps and plain relations.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.absences.is_empty() && self.until.is_none() && self.conditions.is_empty()
    }
}

/// A signal of which no event may be there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Absence {
    /// The signal; exceptions do not filter it.
    pub signal: SignalId,
    /// Index of the positive step that it stands before; the number of steps where it is the last.
    ///
    /// Before the first: none in `[t(first) - W, t(first))`. Between: none strictly between the two events (the last of
    /// a repeated step before it, the first of one behind it). Behind the last: none in `(t(last), t(first) + W]`.
    pub before: usize,
    /// Where it is written.
    #[serde(skip)]
    pub span: Span,
}

/// A condition between steps in its general form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepCondition {
    /// All of them; at least two.
    And(Vec<Spanned<StepCondition>>),
    /// Any of them; at least two.
    Or(Vec<Spanned<StepCondition>>),
    /// The opposite.
    Not(Box<Spanned<StepCondition>>),
    /// Two values of two steps are the same, or are not.
    Equality(Relation),
    /// Two numbers or times of two steps, both present, are in this order.
    Ordered {
        /// Left side, as written.
        left: StepValue,
        /// Which order.
        order: Order,
        /// Right side, as written.
        right: StepValue,
    },
}

impl Sequence {
    /// Whether the chain is a single event.
    #[must_use]
    pub fn is_single(&self) -> bool {
        matches!(self.steps.as_slice(), [step] if step.times == 1)
    }
}

/// One step of a sequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Name of the step: that given by `as`, or the signal's.
    pub name: String,
    /// The signal.
    pub signal: SignalId,
    /// How many different events of the signal, at least 1; the name means the last of them.
    pub times: u32,
    /// Where the step is written.
    #[serde(skip)]
    pub span: Span,
}

/// A condition between two steps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
    #[serde(skip)]
    pub span: Span,
}

/// Kind of a condition between two steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RelationKind {
    /// `==`: both present and equal.
    Same,
    /// `!=`: not both present and equal; true where a side is missing.
    Different,
}

/// A value of a step's event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepValue {
    /// Index of the step.
    pub step: usize,
    /// Name of the field or column, for people and for derived columns.
    pub name: String,
    /// The value, as an expression over the step's event.
    pub value: Value,
}
