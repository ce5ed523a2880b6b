//! Values of one event: fields, elements of lists, constants.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use serde_json::Value as Json;

use super::Event;
use super::cell::{Cell, is_missing};
use crate::ir::{First, NameValueRef, Value};
use crate::schema::{Epoch, FieldPath, Lookup, Source, Type};

/// Regular expressions that were compiled, by text and whether case matters.
pub(super) type Patterns = RefCell<HashMap<(String, bool), Option<Rc<regex::Regex>>>>;

/// One event, and the elements of its lists that have a name just now.
#[derive(Debug, Clone)]
pub(super) struct Scope<'a> {
    /// The event.
    pub(super) event: &'a Event,
    /// Its source.
    pub(super) source: &'a Source,
    /// Compiled expressions.
    pub(super) patterns: &'a Patterns,
    elements: Vec<(&'a str, &'a Json)>,
}

impl<'a> Scope<'a> {
    /// A scope without elements.
    pub(super) const fn new(event: &'a Event, source: &'a Source, patterns: &'a Patterns) -> Self {
        Self { event, source, patterns, elements: Vec::new() }
    }

    /// The scope inside a list's element.
    pub(super) fn inside(&self, variable: &'a str, element: &'a Json) -> Self {
        let mut scope = self.clone();
        scope.elements.push((variable, element));
        scope
    }

    /// The value, converted to its declared type.
    pub(super) fn value(&self, value: &'a Value) -> Option<Cell> {
        match value {
            Value::Field(field) => Cell::convert(self.raw(value)?, &field.ty, self.epoch(&field.path)),
            Value::Element(element) => Cell::convert(self.raw(value)?, &element.ty, None),
            Value::First(first) => Cell::convert(self.raw(value)?, &first.ty, None),
            Value::NameValue(reference) => Cell::convert(self.raw(value)?, &reference.ty, None),
            Value::Time => Some(Cell::Time(i128::from(self.event.time) * 1_000)),
            Value::Literal(literal) => Cell::from_literal(literal),
            Value::Call(call) => self.call(call),
        }
    }

    /// The value of a field that the schema names.
    pub(super) fn field(&self, path: &FieldPath) -> Option<Cell> {
        let ty = match self.source.root.lookup(path) {
            Lookup::Known(field) => field.ty.clone(),
            Lookup::Open(ty) => ty,
            Lookup::ThroughList(_) | Lookup::Unknown { .. } => Type::Text,
        };
        Cell::convert(follow(&self.event.fields, path)?, &ty, self.epoch(path))
    }

    /// Whether the value is there: not null, not the empty text, not the empty list.
    pub(super) fn exists(&self, value: &'a Value) -> bool {
        match value {
            Value::Field(_) | Value::Element(_) | Value::First(_) | Value::NameValue(_) => self
                .raw(value)
                .is_some_and(|raw| !is_missing(raw) && raw.as_array().is_none_or(|items| !items.is_empty())),
            Value::Time | Value::Literal(_) | Value::Call(_) => match self.value(value) {
                Some(Cell::List(items, _)) => !items.is_empty(),
                Some(_) => true,
                None => false,
            },
        }
    }

    /// The elements of a list: none where it is missing, one where it is a single value; null and `""` are skipped.
    pub(super) fn items(&self, list: &'a Value) -> Vec<&'a Json> {
        match self.raw(list) {
            None => Vec::new(),
            Some(Json::Array(items)) => items.iter().filter(|item| !is_missing(item)).collect(),
            Some(single) if is_missing(single) => Vec::new(),
            Some(single) => vec![single],
        }
    }

    /// What the event holds, where the value is a place in it.
    fn raw(&self, value: &'a Value) -> Option<&'a Json> {
        match value {
            Value::Field(field) => follow(&self.event.fields, &field.path),
            Value::Element(element) => {
                let named = self.elements.iter().rev().find(|(name, _)| *name == element.variable);
                follow(named?.1, &element.member)
            }
            Value::First(first) => self.first(first),
            Value::NameValue(reference) => self.named(reference),
            Value::Time | Value::Literal(_) | Value::Call(_) => None,
        }
    }

    fn first(&self, first: &'a First) -> Option<&'a Json> {
        let items = self.items(&first.list);
        let found = items.into_iter().find(|item| self.inside(&first.variable, item).holds(&first.predicate.node))?;
        follow(found, &first.member)
    }

    fn named(&self, reference: &'a NameValueRef) -> Option<&'a Json> {
        let items: Vec<&Json> = match follow(&self.event.fields, &reference.list.path)? {
            Json::Array(items) => items.iter().collect(),
            single => vec![single],
        };
        let is_named = |item: &&Json| {
            item.get(&reference.name_member)
                .and_then(|name| Cell::convert(name, &Type::Text, None))
                .is_some_and(|name| name.text() == reference.key)
        };
        follow(items.into_iter().find(is_named)?, &reference.member)
    }

    /// How a field's whole numbers count as times.
    fn epoch(&self, path: &FieldPath) -> Option<Epoch> {
        match self.source.root.lookup(path) {
            Lookup::Known(field) => field.epoch,
            Lookup::Open(_) | Lookup::ThroughList(_) | Lookup::Unknown { .. } => None,
        }
    }
}

/// The value at a path.
fn follow<'a>(value: &'a Json, path: &FieldPath) -> Option<&'a Json> {
    path.segments().iter().try_fold(value, |value, segment| value.get(segment))
}
