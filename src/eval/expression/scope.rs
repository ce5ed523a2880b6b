//! Values of one row: fields, columns, elements of lists, constants.
//!
//! Never holds anything of its own: it borrows the row, the elements in hand and the enrichment.

use serde_json::Value as Json;

use super::cell::is_missing;
use super::{Cell, ColumnTerm, Place, Term, View};
use crate::eval::Enrichment;
use crate::eval::record::Found;
use crate::schema::Type;

/// One row, and the elements of its lists that are in hand just now.
#[derive(Debug, Clone, Copy)]
pub(in crate::eval) struct Scope<'a> {
    view: View<'a>,
    pub(super) enrichment: &'a Enrichment,
    frame: Option<&'a Frame<'a>>,
}

/// An element in hand, and those around it.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    element: &'a Json,
    outer: Option<&'a Frame<'a>>,
}

/// Asks a question of the scope inside these elements, the innermost last.
pub(in crate::eval) fn with_elements<T>(
    scope: Scope<'_>,
    elements: &[&Json],
    question: impl FnOnce(Scope<'_>) -> T,
) -> T {
    match elements.split_first() {
        None => question(scope),
        Some((element, rest)) => with_elements(scope.inside(&scope.frame(element)), rest, question),
    }
}

impl<'a> Scope<'a> {
    /// A scope without elements.
    pub(in crate::eval) const fn new(view: View<'a>, enrichment: &'a Enrichment) -> Self {
        Self { view, enrichment, frame: None }
    }

    /// The element in hand behind that of this scope.
    pub(super) const fn frame(&self, element: &'a Json) -> Frame<'a> {
        Frame { element, outer: self.frame }
    }

    /// The scope with another element in hand.
    pub(super) const fn inside<'b>(&'b self, frame: &'b Frame<'b>) -> Scope<'b> {
        Scope { view: self.view, enrichment: self.enrichment, frame: Some(frame) }
    }

    /// The value, converted to its declared type.
    pub(in crate::eval) fn value(&self, term: &'a Term) -> Option<Cell<'a>> {
        match term {
            // A list borrows its elements, also where a single text stands for one.
            Term::Field(place, epoch) if matches!(place.ty, Type::List(_)) => {
                Cell::convert(self.raw(term)?, &place.ty, *epoch)
            }
            Term::Field(place, epoch) => Cell::of(self.found(place)?, &place.ty, *epoch),
            Term::Element(_, place) | Term::First { place, .. } | Term::Named { place, .. } => {
                Cell::convert(self.raw(term)?, &place.ty, None)
            }
            Term::Column(ColumnTerm::Key(index)) => match self.view {
                View::Hit(hit) => hit.key.cells().get(*index).cloned(),
                View::Event(_) => None,
            },
            Term::Column(ColumnTerm::Aggregate(index)) => match self.view {
                View::Hit(hit) => hit.aggregates.get(*index).cloned().flatten().map(Cell::Number),
                View::Event(_) => None,
            },
            Term::Column(column) => {
                let (scope, term) = self.behind(column)?;
                scope.value(term)
            }
            Term::Time => {
                let time = match self.view {
                    View::Event(event) => event.time,
                    View::Hit(hit) => hit.time,
                };
                Some(Cell::Time(i128::from(time) * 1_000))
            }
            Term::Literal(cell) => cell.clone(),
            Term::Call(call) => self.call(call),
        }
    }

    /// Whether the value is there: not null, not the empty text, not the empty list.
    pub(in crate::eval) fn exists(&self, term: &'a Term) -> bool {
        match term {
            Term::Field(place, _) => self.found(place).is_some_and(|found| match found {
                Found::Text(text) => !text.is_empty(),
                Found::Json(value) => is_there(value),
            }),
            Term::Element(..) | Term::First { .. } | Term::Named { .. } => self.raw(term).is_some_and(is_there),
            Term::Column(column @ (ColumnTerm::Closing(_) | ColumnTerm::Step(..))) => {
                self.behind(column).is_some_and(|(scope, term)| scope.exists(term))
            }
            Term::Column(ColumnTerm::Missing | ColumnTerm::Key(_) | ColumnTerm::Aggregate(_))
            | Term::Time
            | Term::Literal(_)
            | Term::Call(_) => match self.value(term) {
                Some(Cell::List(items, _)) => !items.is_empty(),
                Some(_) => true,
                None => false,
            },
        }
    }

    /// The elements of a list: none where it is missing, one where it is a single value; null and `""` are skipped.
    pub(in crate::eval) fn items(&self, list: &'a Term) -> impl Iterator<Item = &'a Json> + use<'a> {
        let items: &'a [Json] = match self.raw(list) {
            None => match self.value(list) {
                Some(Cell::List(items, _)) => items,
                Some(_) | None => &[],
            },
            Some(Json::Array(items)) => items,
            Some(single) => std::slice::from_ref(single),
        };
        items.iter().filter(|item| !is_missing(item))
    }

    /// Whether the row is an event of that source.
    pub(super) fn is_of(&self, source: &str) -> bool {
        matches!(self.view, View::Event(event) if *event.source == *source)
    }

    /// What the event holds at a place.
    fn found(&self, place: &Place) -> Option<Found<'a>> {
        match self.view {
            View::Event(event) => event.find(place.number, &place.path),
            View::Hit(_) => None,
        }
    }

    /// What the event holds, where the value is a place in it.
    fn raw(&self, term: &'a Term) -> Option<&'a Json> {
        match term {
            Term::Field(place, _) => match self.view {
                View::Event(event) => event.json(place.number, &place.path),
                View::Hit(_) => None,
            },
            Term::Element(outwards, place) => {
                let mut frame = self.frame?;
                for _ in 0..*outwards {
                    frame = frame.outer?;
                }
                place.follow(frame.element)
            }
            Term::First { list, test, place } => {
                let passes = |item: &&'a Json| self.inside(&self.frame(item)).holds(test);
                place.follow(self.items(list).find(passes)?)
            }
            Term::Named { list, name_member, key, place } => {
                let is_named = |item: &&Json| {
                    let name = item.get(name_member).and_then(|name| Cell::convert(name, &Type::Text, None));
                    name.is_some_and(|name| name.text() == *key)
                };
                place.follow(self.items(list).find(is_named)?)
            }
            Term::Column(column) => {
                let (scope, term) = self.behind(column)?;
                scope.raw(term)
            }
            Term::Time | Term::Literal(_) | Term::Call(_) => None,
        }
    }

    /// The value that a column of a hit takes from another row, with the scope of that row.
    fn behind(&self, column: &'a ColumnTerm) -> Option<(Self, &'a Term)> {
        let View::Hit(hit) = self.view else { return None };
        let (row, term) = match column {
            ColumnTerm::Missing | ColumnTerm::Key(_) | ColumnTerm::Aggregate(_) => return None,
            ColumnTerm::Closing(terms) => {
                let closing = hit.closing.as_ref()?;
                let (_, term) = terms.iter().find(|(signal, _)| closing.signals.contains(signal))?;
                (&closing.row, term)
            }
            ColumnTerm::Step(step, term) => (&hit.parts.iter().filter(|part| part.index == *step).last()?.row, &**term),
        };
        Some((Self::new(row.view(), self.enrichment), term))
    }
}

/// Whether a value is there: not null, not the empty text, not the empty list.
fn is_there(value: &Json) -> bool {
    !is_missing(value) && value.as_array().is_none_or(|items| !items.is_empty())
}
