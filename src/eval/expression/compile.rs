//! From the expressions of the IR to those that are evaluated.
//!
//! Never looks at an event: names, types, sets and regular expressions are settled here once.

use super::text::{Probe, Spelt, compiled, is_exact};
use super::{CallTerm, Cell, ColumnTerm, Place, Spellings, Term, Test};
use crate::eval::event::epoch;
use crate::ir::{AddressSet, Call, Element, FieldRef, HitValue, Literal, Predicate, Signal, SignalId, Stage, Value};
use crate::schema::Source;
use crate::source::Spanned;

/// What the rows are that an expression is about.
#[derive(Debug, Clone, Copy)]
pub(in crate::eval) enum Shape<'a> {
    /// Events of a source.
    Events(&'a Source),
    /// Hits of a stage.
    Hits(&'a Stage),
}

impl<'a> Shape<'a> {
    /// The rows of a signal.
    pub(in crate::eval) fn of(signal: &'a Signal) -> Self {
        signal.stage.as_deref().map_or(Self::Events(&signal.source), Self::Hits)
    }
}

/// Compiles a condition.
pub(in crate::eval) fn predicate(shape: Shape<'_>, predicate: &Predicate) -> Test {
    predicate_inside(shape, &[], predicate)
}

/// Compiles a value.
pub(in crate::eval) fn term(shape: Shape<'_>, value: &Value) -> Term {
    term_inside(shape, &[], value)
}

/// Compiles a condition on what is inside elements with these names, the innermost last.
pub(in crate::eval) fn predicate_inside(shape: Shape<'_>, variables: &[&str], predicate: &Predicate) -> Test {
    Compiler { shape, variables: variables.to_vec() }.predicate(predicate)
}

/// Compiles a value inside elements with these names, the innermost last.
pub(in crate::eval) fn term_inside(shape: Shape<'_>, variables: &[&str], value: &Value) -> Term {
    Compiler { shape, variables: variables.to_vec() }.value(value)
}

/// The value of a column of a stage's hits.
pub(in crate::eval) fn hit_column(stage: &Stage, name: &str) -> Term {
    Term::Column(column(stage, name))
}

struct Compiler<'a> {
    shape: Shape<'a>,
    /// Names of the elements in hand, the innermost last.
    variables: Vec<&'a str>,
}

impl<'a> Compiler<'a> {
    fn predicate(&mut self, predicate: &'a Predicate) -> Test {
        match predicate {
            Predicate::Constant(value) => Test::Constant(*value),
            Predicate::OfSource(name) => Test::OfSource(name.as_str().into()),
            Predicate::And(parts) => Test::And(self.predicates(parts)),
            Predicate::Or(parts) => Test::Or(self.predicates(parts)),
            Predicate::Not(inner) => Test::Not(Box::new(self.predicate(&inner.node))),
            Predicate::Exists(value) => Test::Exists(self.value(value)),
            Predicate::IsTrue(value) => Test::IsTrue(self.value(value)),
            Predicate::Equal { left, right, case } => match right {
                Value::Literal(Literal::Text(text)) if !text.is_empty() => {
                    Test::Is(self.value(left), Spelt::new(text, *case))
                }
                right => Test::Equal { left: self.value(left), right: self.value(right), exact: is_exact(*case) },
            },
            Predicate::Ordered { left, order, right } => {
                Test::Ordered { left: self.value(left), order: *order, right: self.value(right) }
            }
            Predicate::In { value, items, case } => {
                let texts: Option<Vec<&str>> = items.iter().map(text_of).collect();
                match texts {
                    Some(texts) => {
                        let texts = texts.into_iter().filter(|text| !text.is_empty());
                        Test::InTexts(self.value(value), Spellings::new(texts, *case))
                    }
                    None => Test::InCells(self.value(value), items.iter().filter_map(Cell::from_literal).collect()),
                }
            }
            Predicate::Text { value, tests, case } => {
                Test::Text(self.value(value), tests.iter().map(|test| Probe::new(test, *case)).collect())
            }
            Predicate::InNetwork { value, networks } => Test::InNetwork(self.value(value), networks.clone()),
            Predicate::IsAddress { value, set } => {
                Test::IsAddress(self.value(value), *set, AddressSet::private_networks())
            }
            Predicate::OutsideHours { time, hours } => Test::OutsideHours(self.value(time), hours.clone()),
            Predicate::Quantified { quantifier, list, variable, predicate } => Test::Quantified {
                quantifier: *quantifier,
                list: self.value(list),
                test: Box::new(self.inside(variable, &predicate.node)),
            },
        }
    }

    fn predicates(&mut self, parts: &'a [Spanned<Predicate>]) -> Vec<Test> {
        parts.iter().map(|part| self.predicate(&part.node)).collect()
    }

    fn inside(&mut self, variable: &'a str, predicate: &'a Predicate) -> Test {
        self.variables.push(variable);
        let test = self.predicate(predicate);
        self.variables.pop();
        test
    }

    fn value(&mut self, value: &'a Value) -> Term {
        match value {
            Value::Field(field) => self.field(field),
            Value::Element(element) => self.element(element),
            Value::First(first) => Term::First {
                list: Box::new(self.value(&first.list)),
                test: Box::new(self.inside(&first.variable, &first.predicate.node)),
                place: Place::new(&first.member, &first.ty),
            },
            Value::NameValue(reference) => Term::Named {
                list: Box::new(self.field(&reference.list)),
                name_member: reference.name_member.clone(),
                key: reference.key.clone(),
                place: Place::new(&reference.member, &reference.ty),
            },
            Value::Time => Term::Time,
            Value::Literal(literal) => Term::Literal(Cell::from_literal(literal)),
            Value::Call(call) => Term::Call(Box::new(self.call(call))),
        }
    }

    fn values(&mut self, values: &'a [Value]) -> Vec<Term> {
        values.iter().map(|value| self.value(value)).collect()
    }

    fn field(&self, field: &FieldRef) -> Term {
        match self.shape {
            // Of several sources only the one is asked for its fields that the event is of.
            Shape::Events(source) if !source.members.is_empty() => {
                let found = field.path.split_source().and_then(|(name, path)| {
                    let member = source.members.iter().find(|member| member.name == name)?;
                    Some(Term::Field(Place::new(&path, &field.ty), epoch(member, &path)))
                });
                found.unwrap_or(Term::Literal(None))
            }
            Shape::Events(source) => Term::Field(Place::new(&field.path, &field.ty), epoch(source, &field.path)),
            Shape::Hits(stage) => Term::Column(column(stage, &field.path.to_string())),
        }
    }

    fn element(&self, element: &Element) -> Term {
        let outwards = self.variables.iter().rev().position(|name| *name == element.variable);
        // Analysis lets no other name through.
        outwards
            .map_or(Term::Literal(None), |outwards| Term::Element(outwards, Place::new(&element.member, &element.ty)))
    }

    fn call(&mut self, call: &'a Call) -> CallTerm {
        match call {
            Call::Length(value) => CallTerm::Length(self.value(value), value.ty()),
            Call::Lower(value) => CallTerm::Lower(self.value(value)),
            Call::Upper(value) => CallTerm::Upper(self.value(value)),
            Call::Coalesce(values) => CallTerm::Coalesce(self.values(values)),
            Call::Choose(branches) => {
                let branch =
                    |(when, then): &'a (Spanned<Predicate>, Value)| (self.predicate(&when.node), self.value(then));
                CallTerm::Choose(branches.iter().map(branch).collect())
            }
            Call::Concat(values) => CallTerm::Concat(self.values(values)),
            Call::Split { value, separator, index } => CallTerm::Split {
                value: self.value(value),
                separator: separator.clone(),
                index: usize::try_from(*index).unwrap_or(usize::MAX),
            },
            Call::Extract { value, regex } => CallTerm::Extract {
                value: self.value(value),
                regex: compiled(regex, true),
                group: usize::from(regex.captures() > 0),
            },
            Call::Replace { value, from, to } => {
                CallTerm::Replace { value: self.value(value), from: from.clone(), to: to.clone() }
            }
            Call::ToInt(value) => CallTerm::ToInt(self.value(value)),
            Call::ToFloat(value) => CallTerm::ToFloat(self.value(value)),
            Call::Hour(value) => CallTerm::Hour(self.value(value)),
            Call::Weekday(value) => CallTerm::Weekday(self.value(value)),
            Call::Country(value) => CallTerm::Country(self.value(value)),
            Call::City(value) => CallTerm::City(self.value(value)),
            Call::Asn(value) => CallTerm::Asn(self.value(value)),
            Call::AsOrganisation(value) => CallTerm::AsOrganisation(self.value(value)),
        }
    }
}

/// What a column of a stage's hits is taken from.
fn column(stage: &Stage, name: &str) -> ColumnTerm {
    let of_signal =
        |signal: &SignalId, value: &Value| stage.signal(*signal).map(|signal| term(Shape::of(signal), value));
    let Some(column) = stage.columns.iter().find(|column| column.name == name) else { return ColumnTerm::Missing };
    match &column.value {
        HitValue::Key(index) => ColumnTerm::Key(*index),
        HitValue::Aggregate(index) => ColumnTerm::Aggregate(*index),
        HitValue::Closing(values) => {
            let terms = values.iter().filter_map(|(signal, value)| Some((*signal, of_signal(signal, value)?)));
            ColumnTerm::Closing(terms.collect())
        }
        HitValue::Step { step, signal, value } => {
            of_signal(signal, value).map_or(ColumnTerm::Missing, |term| ColumnTerm::Step(*step, Box::new(term)))
        }
    }
}

fn text_of(literal: &Literal) -> Option<&str> {
    match literal {
        Literal::Text(text) => Some(text),
        Literal::Int(_) | Literal::Float(_) | Literal::Bool(_) => None,
    }
}
