//! Functions that give a value; a missing argument makes the result missing.

use super::cell::{Cell, is_missing};
use super::number::Number;
use super::pattern::compiled;
use super::predicate::{hour, weekday};
use super::scope::Scope;
use crate::ir::{Call, Value};
use crate::schema::Type;

impl<'a> Scope<'a> {
    /// The result of a function; `None` for a missing one.
    pub(super) fn call(&self, call: &'a Call) -> Option<Cell> {
        match call {
            Call::Length(value) => self.length(value),
            Call::Lower(value) => Cell::from_text(self.text(value)?.to_lowercase()),
            Call::Upper(value) => Cell::from_text(self.text(value)?.to_uppercase()),
            Call::Coalesce(values) => {
                values.iter().find(|value| self.exists(value)).and_then(|value| self.value(value))
            }
            Call::Concat(values) => {
                let parts: Option<Vec<String>> = values.iter().map(|value| self.text(value)).collect();
                Cell::from_text(parts?.concat())
            }
            Call::Split { value, separator, index } => {
                let text = self.text(value)?;
                let part = text.split(separator.as_str()).nth(usize::try_from(*index).ok()?)?;
                Cell::from_text(part.to_owned())
            }
            Call::Extract { value, regex } => {
                let text = self.text(value)?;
                let compiled = compiled(regex, true, self.patterns)?;
                let group = usize::from(regex.captures() > 0);
                Cell::from_text(compiled.captures(&text)?.get(group)?.as_str().to_owned())
            }
            Call::Replace { value, from, to } => Cell::from_text(self.text(value)?.replace(from.as_str(), to)),
            Call::ToInt(value) => {
                let whole: i64 = self.text(value)?.parse().ok()?;
                Some(Cell::Number(Number::from_int(whole)))
            }
            Call::ToFloat(value) => {
                let text = self.text(value)?;
                let unsigned = text.strip_prefix('+').filter(|rest| !rest.starts_with('-')).unwrap_or(&text);
                Number::parse(unsigned).map(Cell::Number)
            }
            Call::Hour(value) => Some(Cell::Number(Number::from_int(hour(self.time(value)?)))),
            Call::Weekday(value) => Some(Cell::Number(Number::from_int(weekday(self.time(value)?)))),
            // Nothing is known of an address without a database.
            Call::Country(_) | Call::City(_) | Call::Asn(_) | Call::AsOrganisation(_) => None,
        }
    }

    fn text(&self, value: &'a Value) -> Option<String> {
        match self.value(value)? {
            cell @ (Cell::Bool(_) | Cell::Number(_) | Cell::Text(_) | Cell::Time(_)) => Some(cell.text()),
            Cell::List(..) | Cell::Object => None,
        }
    }

    fn time(&self, value: &'a Value) -> Option<i128> {
        match self.value(value)? {
            Cell::Time(time) => Some(time),
            Cell::Bool(_) | Cell::Number(_) | Cell::Text(_) | Cell::List(..) | Cell::Object => None,
        }
    }

    /// Characters of a text, elements of a list; a missing list is empty.
    fn length(&self, value: &'a Value) -> Option<Cell> {
        let length = match (self.value(value), value.ty()) {
            (Some(Cell::List(items, _)), _) => items.iter().filter(|item| !is_missing(item)).count(),
            (Some(Cell::Object), _) => return None,
            (Some(cell), _) => cell.text().chars().count(),
            (None, Type::List(_)) => 0,
            (None, _) => return None,
        };
        Some(Cell::Number(Number::from_int(i64::try_from(length).ok()?)))
    }
}
