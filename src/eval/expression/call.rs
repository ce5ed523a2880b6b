//! Functions that give a value; a missing argument makes the result missing.
//!
//! Never guesses: what an enrichment does not know is missing.

use std::borrow::Cow;

use super::cell::is_missing;
use super::predicate::{hour, weekday};
use super::{CallTerm, Cell, Scope, Term};
use crate::eval::enrichment::Location;
use crate::eval::number::Number;
use crate::schema::Type;

impl<'a> Scope<'a> {
    /// The result of a function; `None` for a missing one.
    pub(super) fn call(&self, call: &'a CallTerm) -> Option<Cell<'a>> {
        match call {
            CallTerm::Length(value, ty) => self.length(value, ty),
            CallTerm::Lower(value) => Cell::from_text(self.text(value)?.to_lowercase()),
            CallTerm::Upper(value) => Cell::from_text(self.text(value)?.to_uppercase()),
            CallTerm::Coalesce(values) => {
                values.iter().find(|value| self.exists(value)).and_then(|value| self.value(value))
            }
            CallTerm::Choose(branches) => {
                branches.iter().find(|(when, _)| self.holds(when)).and_then(|(_, then)| self.value(then))
            }
            CallTerm::Concat(values) => {
                let mut whole = String::new();
                for value in values {
                    whole.push_str(&self.text(value)?);
                }
                Cell::from_text(whole)
            }
            CallTerm::Split { value, separator, index } => {
                Cell::from_text(self.text(value)?.split(separator.as_str()).nth(*index)?.to_owned())
            }
            CallTerm::Extract { value, regex, group } => {
                let text = self.text(value)?;
                Cell::from_text(regex.as_ref()?.captures(&text)?.get(*group)?.as_str().to_owned())
            }
            CallTerm::Replace { value, from, to } => Cell::from_text(self.text(value)?.replace(from.as_str(), to)),
            CallTerm::ToInt(value) => {
                let whole: i64 = self.text(value)?.parse().ok()?;
                Some(Cell::Number(Number::from(whole)))
            }
            CallTerm::ToFloat(value) => {
                let text = self.text(value)?;
                let unsigned = text.strip_prefix('+').filter(|rest| !rest.starts_with('-')).unwrap_or(&text);
                Number::parse(unsigned).map(Cell::Number)
            }
            CallTerm::Hour(value) => Some(Cell::Number(Number::from(hour(self.time(value)?)))),
            CallTerm::Weekday(value) => Some(Cell::Number(Number::from(weekday(self.time(value)?)))),
            CallTerm::Country(value) => Cell::from_text(self.location(value)?.country.as_deref()?),
            CallTerm::City(value) => Cell::from_text(self.location(value)?.city.as_deref()?),
            CallTerm::Asn(value) => Some(Cell::Number(Number::from(self.location(value)?.asn?))),
            CallTerm::AsOrganisation(value) => Cell::from_text(self.location(value)?.organisation.as_deref()?),
        }
    }

    fn text(&self, value: &'a Term) -> Option<Cow<'a, str>> {
        match self.value(value)? {
            Cell::Text(text) => Some(text),
            cell @ (Cell::Bool(_) | Cell::Number(_) | Cell::Time(_)) => Some(Cow::Owned(cell.text().into_owned())),
            Cell::List(..) | Cell::Object => None,
        }
    }

    fn time(&self, value: &'a Term) -> Option<i128> {
        match self.value(value)? {
            Cell::Time(time) => Some(time),
            Cell::Bool(_) | Cell::Number(_) | Cell::Text(_) | Cell::List(..) | Cell::Object => None,
        }
    }

    /// What is known of an address.
    fn location(&self, value: &'a Term) -> Option<&'a Location> {
        self.enrichment.of(&self.text(value)?)
    }

    /// Characters of a text, elements of a list; a missing list is empty.
    fn length(&self, value: &'a Term, ty: &Type) -> Option<Cell<'a>> {
        let length = match (self.value(value), ty) {
            (Some(Cell::List(items, _)), _) => items.iter().filter(|item| !is_missing(item)).count(),
            (Some(Cell::Object), _) => return None,
            (Some(cell), _) => cell.text().chars().count(),
            (None, Type::List(_)) => 0,
            (None, _) => return None,
        };
        Some(Cell::Number(Number::from(i64::try_from(length).ok()?)))
    }
}
