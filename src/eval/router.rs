//! Finds the signals that an event belongs to, of one detection or of many at once.
//!
//! Never decides without the whole condition: what it knows of texts only saves asking.

use std::collections::HashMap;
use std::sync::Arc;

use super::expression::{Cell, Place, Scope, Term, Test, View, folded};
use super::{Enrichment, Event};

/// A condition over the events of a source: index of the detection, number of the test there.
pub(super) type Target = (usize, usize);

/// By folded text, the conditions that may hold then.
type ByText = HashMap<Box<str>, Vec<usize>>;

/// The conditions of signals over sources.
#[derive(Debug, Default)]
pub(super) struct Router(HashMap<Arc<str>, Conditions>);

/// The conditions over one source.
#[derive(Debug, Default)]
struct Conditions {
    tests: Vec<(Target, Test)>,
    /// Fields of which conditions want one of some texts.
    fields: Vec<(Term, ByText)>,
    /// Conditions that want no such text.
    others: Vec<usize>,
}

impl Router {
    /// Routes events to conditions, each with the name of its source.
    pub(super) fn new(tests: impl IntoIterator<Item = (Target, Arc<str>, Test)>) -> Self {
        let mut by_source: HashMap<Arc<str>, Vec<(Target, Test)>> = HashMap::new();
        for (target, source, test) in tests {
            by_source.entry(source).or_default().push((target, test));
        }
        Self(by_source.into_iter().map(|(source, tests)| (source, Conditions::new(tests))).collect())
    }

    /// Adds the conditions that hold of an event, those of one detection together.
    pub(super) fn route(&self, event: &Event, enrichment: &Enrichment, found: &mut Vec<Target>) {
        let Some(conditions) = self.0.get(&event.source) else { return };
        let scope = Scope::new(View::Event(event), enrichment);
        let mut take = |index: &usize| {
            if let Some((target, test)) = conditions.tests.get(*index)
                && scope.holds(test)
            {
                found.push(*target);
            }
        };
        conditions.others.iter().for_each(&mut take);
        for (field, by_text) in &conditions.fields {
            if let Some(Cell::Text(text)) = scope.value(field)
                && let Some(wanting) = by_text.get(folded(&text).as_str())
            {
                wanting.iter().for_each(&mut take);
            }
        }
        found.sort_unstable();
    }
}

impl Conditions {
    fn new(tests: Vec<(Target, Test)>) -> Self {
        let wishes: Vec<Vec<(&Place, Vec<String>)>> = tests.iter().map(|(_, test)| wishes(test)).collect();
        // The field that most conditions name leaves the fewest to ask.
        let mut popularity: HashMap<&[String], usize> = HashMap::new();
        for (place, _) in wishes.iter().flatten() {
            *popularity.entry(place.path()).or_default() += 1;
        }
        let mut fields: Vec<(Place, ByText)> = Vec::new();
        let mut others = Vec::new();
        for (index, wishes) in wishes.iter().enumerate() {
            let best = wishes.iter().max_by_key(|(place, _)| (popularity.get(place.path()), place.path()));
            let Some((place, texts)) = best else {
                others.push(index);
                continue;
            };
            let known = fields.iter().position(|(known, _)| known == *place).unwrap_or_else(|| {
                fields.push(((*place).clone(), ByText::new()));
                fields.len() - 1
            });
            for text in texts {
                if let Some((_, by_text)) = fields.get_mut(known) {
                    let wanting = by_text.entry(text.as_str().into()).or_default();
                    if wanting.last() != Some(&index) {
                        wanting.push(index);
                    }
                }
            }
        }
        let fields = fields.into_iter().map(|(place, by_text)| (Term::Field(place, None), by_text)).collect();
        Self { tests, fields, others }
    }
}

/// Fields of which a condition wants one of some texts, folded: where the field has none of them, the condition is false.
fn wishes(test: &Test) -> Vec<(&Place, Vec<String>)> {
    match test {
        Test::Is(Term::Field(place, None), wanted) if place.is_text() => vec![(place, vec![wanted.folded()])],
        Test::InTexts(Term::Field(place, None), texts) if place.is_text() => vec![(place, texts.folded())],
        Test::And(parts) => parts.iter().flat_map(wishes).collect(),
        Test::Or(parts) => {
            let mut parts = parts.iter().map(wishes);
            let first = parts.next().unwrap_or_default();
            parts.fold(first, |common, part| {
                let with_part = |(place, mut texts): (_, Vec<String>)| {
                    let (_, more) = part.iter().find(|(other, _)| *other == place)?;
                    texts.extend(more.iter().cloned());
                    Some((place, texts))
                };
                common.into_iter().filter_map(with_part).collect()
            })
        }
        Test::Is(..)
        | Test::InTexts(..)
        | Test::Constant(_)
        | Test::OfSource(_)
        | Test::Not(_)
        | Test::Exists(_)
        | Test::IsTrue(_)
        | Test::Equal { .. }
        | Test::Ordered { .. }
        | Test::InCells(..)
        | Test::Text(..)
        | Test::InNetwork(..)
        | Test::IsAddress(..)
        | Test::OutsideHours(..)
        | Test::Quantified { .. } => Vec::new(),
    }
}
