//! Looks into one event: whether a part of a condition holds there, and which value it meets.
//!
//! Never changes what a condition means: it asks the same evaluation that finds hits.

use serde_json::Value as Json;

use super::expression::{Scope, Shape, View, predicate_inside, term_inside, with_elements};
use super::{Enrichment, Event};
use crate::ir::{Predicate, Value};
use crate::schema::Source;

/// What looking into events needs; one serves for many.
#[derive(Debug, Default)]
pub struct Tracer {
    enrichment: Enrichment,
}

/// A look into one event, or into an element of one of its lists.
#[derive(Debug)]
pub struct Look<'a> {
    event: &'a Event,
    source: &'a Source,
    enrichment: &'a Enrichment,
    /// The elements in hand with their names, the innermost last.
    elements: Vec<(&'a str, Json)>,
}

/// What a value is in an event.
#[derive(Debug, Clone, PartialEq)]
pub enum Met {
    /// It is there.
    Value(Json),
    /// Something is there that does not convert to this declared type.
    Unfit(String),
    /// Nothing is there: no such field, null, or the empty text.
    Missing,
}

impl Tracer {
    /// Looks into an event of a source.
    #[must_use]
    pub const fn look<'a>(&'a self, event: &'a Event, source: &'a Source) -> Look<'a> {
        Look { event, source, enrichment: &self.enrichment, elements: Vec::new() }
    }
}

impl<'a> Look<'a> {
    /// Whether the condition holds.
    #[must_use]
    pub fn holds(&self, predicate: &'a Predicate) -> bool {
        let test = predicate_inside(Shape::Events(self.source), &self.names(), predicate);
        self.ask(|scope| scope.holds(&test))
    }

    /// What the value is.
    #[must_use]
    pub fn value(&self, value: &'a Value) -> Met {
        let term = term_inside(Shape::Events(self.source), &self.names(), value);
        self.ask(|scope| match scope.value(&term) {
            Some(cell) => Met::Value(cell.json()),
            None if scope.exists(&term) => Met::Unfit(value.ty().to_string()),
            None => Met::Missing,
        })
    }

    /// A look at each element of a list, which has that name.
    #[must_use]
    pub fn elements(&self, list: &'a Value, variable: &'a str) -> Vec<Look<'a>> {
        let term = term_inside(Shape::Events(self.source), &self.names(), list);
        let elements: Vec<Json> = self.ask(|scope| scope.items(&term).cloned().collect());
        let inside = |element: Json| Look {
            event: self.event,
            source: self.source,
            enrichment: self.enrichment,
            elements: self.elements.iter().cloned().chain([(variable, element)]).collect(),
        };
        elements.into_iter().map(inside).collect()
    }

    fn names(&self) -> Vec<&'a str> {
        self.elements.iter().map(|(name, _)| *name).collect()
    }

    fn ask<T>(&self, question: impl FnOnce(Scope<'_>) -> T) -> T {
        let elements: Vec<&Json> = self.elements.iter().map(|(_, element)| element).collect();
        with_elements(Scope::new(View::Event(self.event), self.enrichment), &elements, question)
    }
}
