//! What tells the events of a source apart, where the source gives each an id.
//!
//! Never takes two different ids for one: the compact form has exactly one spelling.

use std::sync::Arc;

use super::Event;
use super::expression::Cell;
use super::record::path_number;
use crate::schema::{Epoch, FieldPath, Lookup, Source, Type};

/// The id of an event.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum EventId {
    /// A UUID in its usual spelling, small.
    Uuid(u128),
    /// Any other text.
    Text(Box<str>),
}

/// Reads the ids of the events of sources.
#[derive(Debug)]
pub(super) struct Identities(Vec<IdField>);

/// Where the events of a source have their id.
#[derive(Debug)]
struct IdField {
    source: Arc<str>,
    path: FieldPath,
    number: u64,
    ty: Type,
    epoch: Option<Epoch>,
}

impl Identities {
    /// Reads the ids of events of these sources.
    pub(super) fn new<'a>(sources: impl IntoIterator<Item = &'a Arc<Source>>) -> Self {
        let of_source = |source: &'a Arc<Source>| {
            let path = source.id.clone()?;
            let (ty, epoch) = match source.root.lookup(&path) {
                Lookup::Known(field) => (field.ty.clone(), field.epoch),
                Lookup::Open(ty) => (ty, None),
                Lookup::ThroughList(_) | Lookup::Unknown { .. } => (Type::Text, None),
            };
            let number = path_number(path.segments());
            Some(IdField { source: Arc::from(source.name.as_str()), path, number, ty, epoch })
        };
        Self(sources.into_iter().filter_map(of_source).collect())
    }

    /// The number of the event's source here with the event's id; nothing where it has none.
    pub(super) fn of(&self, event: &Event) -> Option<(usize, EventId)> {
        let is_of = |field: &IdField| Arc::ptr_eq(&field.source, &event.source) || field.source == event.source;
        let number = self.0.iter().position(is_of)?;
        let field = self.0.get(number)?;
        let value = event.find(field.number, field.path.segments())?;
        let cell = Cell::of(value, &field.ty, field.epoch)?;
        let text = cell.text();
        Some((number, uuid(&text).map_or_else(|| EventId::Text(text.as_ref().into()), EventId::Uuid)))
    }
}

/// A UUID in lower case with its hyphens; no other spelling gives the same number.
fn uuid(text: &str) -> Option<u128> {
    let bytes = text.as_bytes();
    if bytes.len() != 36 {
        return None;
    }
    let mut number: u128 = 0;
    for (index, byte) in bytes.iter().enumerate() {
        let digit = match byte {
            b'-' if matches!(index, 8 | 13 | 18 | 23) => continue,
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return None,
        };
        if matches!(index, 8 | 13 | 18 | 23) {
            return None;
        }
        number = number << 4 | u128::from(digit);
    }
    Some(number)
}
