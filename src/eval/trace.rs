//! Looks into one event: whether a part of a condition holds there, and which value it meets.
//!
//! Never changes what a condition means: it asks the same evaluation that finds hits.

use serde_json::Value as Json;

use super::Event;
use super::scope::{Patterns, Scope};
use crate::ir::{Predicate, Value};
use crate::schema::Source;

/// What looking into events needs; one serves for many.
#[derive(Debug, Default)]
pub struct Tracer {
    patterns: Patterns,
}

/// A look into one event, or into an element of one of its lists.
#[derive(Debug)]
pub struct Look<'a> {
    scope: Scope<'a>,
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
        Look { scope: Scope::new(event, source, &self.patterns) }
    }
}

impl<'a> Look<'a> {
    /// Whether the condition holds.
    #[must_use]
    pub fn holds(&self, predicate: &'a Predicate) -> bool {
        self.scope.holds(predicate)
    }

    /// What the value is.
    #[must_use]
    pub fn value(&self, value: &'a Value) -> Met {
        match self.scope.value(value) {
            Some(cell) => Met::Value(cell.json()),
            None if self.scope.exists(value) => Met::Unfit(value.ty().to_string()),
            None => Met::Missing,
        }
    }

    /// A look at each element of a list, which has that name.
    #[must_use]
    pub fn elements(&self, list: &'a Value, variable: &'a str) -> Vec<Look<'a>> {
        let elements = self.scope.items(list).into_iter();
        elements.map(|element| Look { scope: self.scope.inside(variable, element) }).collect()
    }
}
