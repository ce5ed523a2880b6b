//! Conditions between steps, decided as soon as the last step that they name is there.
//!
//! Never holds a value longer than a condition waits for it.

use crate::eval::Enrichment;
use crate::eval::behavior::Entry;
use crate::eval::expression::{Cell, Scope, Shape, Term, fits, folded, term};
use crate::eval::number::Number;
use crate::ir::{CaseRule, Order, Relation, RelationKind, Sequence, Stage, StepCondition, StepValue, Value};

/// The conditions of a sequence.
#[derive(Debug)]
pub(super) struct Conditions {
    operands: Vec<Operand>,
    /// Each with the step at which it can be decided.
    tests: Vec<(usize, StepTest)>,
}

/// A value of a step that conditions ask for.
#[derive(Debug)]
struct Operand {
    step: usize,
    value: Value,
    form: Form,
    term: Option<Term>,
    /// The last step of the conditions that ask for it.
    needed_until: usize,
}

/// As what a value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As the text of its type.
    Text,
    /// As that text, folded.
    Folded,
    /// As a number or a time.
    Size,
}

#[derive(Debug)]
enum StepTest {
    And(Vec<StepTest>),
    Or(Vec<StepTest>),
    Not(Box<StepTest>),
    Same(usize, usize),
    Ordered(usize, Order, usize),
}

/// A value by which a condition compares.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    /// There is none.
    Missing,
    /// A text.
    Text(String),
    /// A number.
    Number(Number),
    /// An instant.
    Time(i128),
}

/// For each operand its value, where its step is over and some condition still waits for it.
pub(super) type Waiting = Vec<Option<Side>>;

impl Conditions {
    pub(super) fn new(stage: &Stage, sequence: &Sequence) -> Self {
        let mut conditions = Self { operands: Vec::new(), tests: Vec::new() };
        for relation in &sequence.relations {
            let (last, test) = conditions.relation(relation);
            conditions.add(last, test);
        }
        for condition in &sequence.conditions {
            let (last, test) = conditions.condition(&condition.node);
            conditions.add(last, test);
        }
        for operand in &mut conditions.operands {
            let signal = sequence.steps.get(operand.step).and_then(|step| stage.signal(step.signal));
            operand.term = signal.map(|signal| term(Shape::of(signal), &operand.value));
        }
        conditions
    }

    /// Nothing known and nothing waited for.
    pub(super) fn nothing(&self) -> Waiting {
        vec![None; self.operands.len()]
    }

    /// The values that an entry has for the conditions on a step.
    pub(super) fn sides(&self, step: usize, entry: &Entry, enrichment: &Enrichment) -> Vec<Side> {
        let scope = Scope::new(entry.row.view(), enrichment);
        let of_step = self.operands.iter().filter(|operand| operand.step == step);
        of_step.map(|operand| operand.side(&scope)).collect()
    }

    /// What is waited for behind a step whose values are `sides`; `None` where a condition is false.
    pub(super) fn after(&self, step: usize, sides: &[Side], waiting: &Waiting) -> Option<Waiting> {
        let mut after = waiting.clone();
        let of_step = self.operands.iter().zip(&mut after).filter(|(operand, _)| operand.step == step);
        for ((_, slot), side) in of_step.zip(sides) {
            *slot = Some(side.clone());
        }
        if !self.tests.iter().filter(|(last, _)| *last == step).all(|(_, test)| test.holds(&after)) {
            return None;
        }
        for (operand, slot) in self.operands.iter().zip(&mut after) {
            if operand.needed_until <= step {
                *slot = None;
            }
        }
        Some(after)
    }

    fn add(&mut self, last: usize, test: StepTest) {
        test.operands(&mut |index| {
            if let Some(operand) = self.operands.get_mut(index) {
                operand.needed_until = operand.needed_until.max(last);
            }
        });
        self.tests.push((last, test));
    }

    fn operand(&mut self, value: &StepValue, form: Form) -> usize {
        let same = |known: &Operand| known.step == value.step && known.form == form && known.value == value.value;
        self.operands.iter().position(same).unwrap_or_else(|| {
            self.operands.push(Operand {
                step: value.step,
                value: value.value.clone(),
                form,
                term: None,
                needed_until: 0,
            });
            self.operands.len() - 1
        })
    }

    fn relation(&mut self, relation: &Relation) -> (usize, StepTest) {
        let form = match relation.case {
            CaseRule::Exact => Form::Text,
            CaseRule::Ignore | CaseRule::Canonical => Form::Folded,
        };
        let same = StepTest::Same(self.operand(&relation.left, form), self.operand(&relation.right, form));
        let test = match relation.kind {
            RelationKind::Same => same,
            RelationKind::Different => StepTest::Not(Box::new(same)),
        };
        (relation.left.step.max(relation.right.step), test)
    }

    fn condition(&mut self, condition: &StepCondition) -> (usize, StepTest) {
        let mut all = |parts: &[crate::source::Spanned<StepCondition>]| -> (usize, Vec<StepTest>) {
            let parts: Vec<(usize, StepTest)> = parts.iter().map(|part| self.condition(&part.node)).collect();
            let last = parts.iter().map(|(last, _)| *last).max().unwrap_or(0);
            (last, parts.into_iter().map(|(_, test)| test).collect())
        };
        match condition {
            StepCondition::And(parts) => {
                let (last, tests) = all(parts);
                (last, StepTest::And(tests))
            }
            StepCondition::Or(parts) => {
                let (last, tests) = all(parts);
                (last, StepTest::Or(tests))
            }
            StepCondition::Not(inner) => {
                let (last, test) = self.condition(&inner.node);
                (last, StepTest::Not(Box::new(test)))
            }
            StepCondition::Equality(relation) => self.relation(relation),
            StepCondition::Ordered { left, order, right } => {
                let test = StepTest::Ordered(self.operand(left, Form::Size), *order, self.operand(right, Form::Size));
                (left.step.max(right.step), test)
            }
        }
    }
}

impl Operand {
    fn side(&self, scope: &Scope<'_>) -> Side {
        let Some(cell) = self.term.as_ref().and_then(|term| scope.value(term)) else { return Side::Missing };
        match (self.form, cell) {
            (Form::Text, cell) => Side::Text(cell.text().into_owned()),
            (Form::Folded, cell) => Side::Text(folded(&cell.text())),
            (Form::Size, Cell::Number(number)) => Side::Number(number),
            (Form::Size, Cell::Time(time)) => Side::Time(time),
            (Form::Size, Cell::Bool(_) | Cell::Text(_) | Cell::List(..) | Cell::Object) => Side::Missing,
        }
    }
}

impl StepTest {
    fn holds(&self, known: &Waiting) -> bool {
        let side = |index: &usize| known.get(*index).and_then(Option::as_ref).unwrap_or(&Side::Missing);
        match self {
            Self::And(parts) => parts.iter().all(|part| part.holds(known)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(known)),
            Self::Not(inner) => !inner.holds(known),
            Self::Same(left, right) => *side(left) != Side::Missing && side(left) == side(right),
            Self::Ordered(left, order, right) => match (side(left), side(right)) {
                (Side::Number(left), Side::Number(right)) => fits(left.cmp(right), *order),
                (Side::Time(left), Side::Time(right)) => fits(left.cmp(right), *order),
                (Side::Missing | Side::Text(_) | Side::Number(_) | Side::Time(_), _) => false,
            },
        }
    }

    fn operands(&self, found: &mut dyn FnMut(usize)) {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.operands(found)),
            Self::Not(inner) => inner.operands(found),
            Self::Same(left, right) | Self::Ordered(left, _, right) => {
                found(*left);
                found(*right);
            }
        }
    }
}
