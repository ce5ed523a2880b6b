//! Reads of an event only those values that somebody asks for, straight from its bytes.
//!
//! Never guesses: a value that is asked for is read as it stands, and one that is not asked for is passed over.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value as Json};

use crate::schema::FieldPath;

/// The places in events whose values are asked for.
#[derive(Debug, Default)]
pub struct Layout {
    /// By place, its path.
    paths: Vec<FieldPath>,
    /// Open addressing by what identifies a path; a power of two long, never full.
    table: Vec<Option<(u64, usize)>>,
    /// Whether two paths have one number, so that numbers do not tell them apart.
    clashes: bool,
    root: Node,
}

/// What is asked for at one member and below it.
#[derive(Debug, Default)]
struct Node {
    place: Option<usize>,
    /// The places here and below.
    below: Range<usize>,
    /// Members, by the length of their names.
    members: Vec<Vec<(String, Node)>>,
}

/// Where the records of a layout have the value at a path.
#[derive(Debug, Clone, Copy)]
pub struct Position(usize);

/// The values of one event at the places of a layout.
#[derive(Debug, Clone)]
pub struct Record {
    layout: Arc<Layout>,
    line: Box<str>,
    values: Box<[Slot]>,
    /// The texts among the values as JSON, made when one is first wanted so.
    texts: OnceLock<Box<[Json]>>,
}

/// The value at a place.
#[derive(Debug, Clone, Default)]
enum Slot {
    /// None, or null.
    #[default]
    Missing,
    /// A text that stands in the line as it is, between these bytes.
    Text(u32, u32),
    /// A truth value.
    Bool(bool),
    /// Any other value.
    Other(Box<Json>),
}

static TRUE: Json = Json::Bool(true);
static FALSE: Json = Json::Bool(false);

/// A value of an event as it is found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::eval) enum Found<'a> {
    /// A text.
    Text(&'a str),
    /// Any value.
    Json(&'a Json),
}

/// Tells paths apart.
pub(in crate::eval) fn path_number(segments: &[String]) -> u64 {
    let mut hasher = DefaultHasher::new();
    segments.hash(&mut hasher);
    hasher.finish()
}

impl Layout {
    /// A layout of these paths; one that ends at a list reads the whole list.
    #[must_use]
    pub fn new<'a>(paths: impl IntoIterator<Item = &'a FieldPath>) -> Self {
        let mut root = Node::default();
        for path in paths {
            root.add(path.segments());
        }
        let mut layout = Self { paths: Vec::new(), table: Vec::new(), clashes: false, root };
        let mut root = std::mem::take(&mut layout.root);
        root.number(&mut Vec::new(), &mut layout.paths);
        layout.root = root;
        layout.table = vec![None; (4 * layout.paths.len()).next_power_of_two()];
        for (place, path) in layout.paths.iter().enumerate() {
            let number = path_number(path.segments());
            let mut index = layout.start(number);
            while let Some((other, _)) = layout.table.get(index).copied().flatten() {
                layout.clashes |= other == number;
                index = layout.behind(index);
            }
            if let Some(entry) = layout.table.get_mut(index) {
                *entry = Some((number, place));
            }
        }
        layout
    }

    /// Where records have the value at a path, if the layout asks for it.
    #[must_use]
    pub fn position(&self, path: &FieldPath) -> Option<Position> {
        self.place(path_number(path.segments()), path.segments()).map(Position)
    }

    /// The place of a path, given its number.
    fn place(&self, number: u64, segments: &[String]) -> Option<usize> {
        let mut index = self.start(number);
        while let Some((other, place)) = self.table.get(index).copied().flatten() {
            let is_same = || self.paths.get(place).is_some_and(|path| path.segments() == segments);
            if other == number && (!self.clashes || is_same()) {
                return Some(place);
            }
            index = self.behind(index);
        }
        None
    }

    const fn start(&self, number: u64) -> usize {
        (number as usize) & self.table.len().saturating_sub(1)
    }

    const fn behind(&self, index: usize) -> usize {
        (index + 1) & self.table.len().saturating_sub(1)
    }

    /// Reads an event; `None` where the JSON is no object.
    ///
    /// # Errors
    /// What is not JSON.
    pub fn read(self: &Arc<Self>, line: &str) -> Result<Option<Record>, serde_json::Error> {
        let mut values = vec![Slot::Missing; self.paths.len()].into_boxed_slice();
        let mut deserializer = serde_json::Deserializer::from_str(line);
        let filling = Filling { node: &self.root, start: line.as_ptr().addr(), values: &mut values };
        let is_object = filling.deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(is_object.then(|| Record { layout: self.clone(), line: line.into(), values, texts: OnceLock::new() }))
    }
}

impl Node {
    fn add(&mut self, segments: &[String]) {
        let Some((name, rest)) = segments.split_first() else {
            self.place = Some(0);
            return;
        };
        while self.members.len() <= name.len() {
            self.members.push(Vec::new());
        }
        let Some(alike) = self.members.get_mut(name.len()) else { return };
        if !alike.iter().any(|(other, _)| other == name) {
            alike.push((name.clone(), Self::default()));
        }
        if let Some((_, below)) = alike.iter_mut().find(|(other, _)| other == name) {
            below.add(rest);
        }
    }

    /// Numbers the places, so that those of a member and all below it stand together.
    fn number(&mut self, path: &mut Vec<String>, paths: &mut Vec<FieldPath>) {
        let start = paths.len();
        if let Some(place) = &mut self.place {
            *place = start;
            paths.push(FieldPath::new(path.clone()));
        }
        for (name, below) in self.members.iter_mut().flatten() {
            path.push(name.clone());
            below.number(path, paths);
            path.pop();
        }
        self.below = start..paths.len();
    }

    fn member(&self, name: &str) -> Option<&Self> {
        let alike = self.members.get(name.len())?;
        alike.iter().find(|(other, _)| other == name).map(|(_, below)| below)
    }

    /// Takes the values at and below this member from one that was read whole.
    fn take(&self, value: &Json, values: &mut [Slot]) {
        for (name, below) in self.members.iter().flatten() {
            if let Some(value) = value.get(name) {
                below.take(value, values);
            }
        }
        if let Some(slot) = self.place.and_then(|place| values.get_mut(place)) {
            *slot = Slot::of(value.clone());
        }
    }
}

impl Slot {
    fn of(value: Json) -> Self {
        if value.is_null() { Self::Missing } else { Self::Other(Box::new(value)) }
    }
}

impl Record {
    /// The event as its log has it.
    #[must_use]
    pub const fn line(&self) -> &str {
        &self.line
    }

    /// The value at a path of the layout; nothing for any other path.
    #[must_use]
    pub fn get(&self, path: &FieldPath) -> Option<&Json> {
        self.json(path_number(path.segments()), path.segments())
    }

    /// The value at a path of the layout, as JSON.
    pub(in crate::eval) fn json(&self, number: u64, segments: &[String]) -> Option<&Json> {
        let place = self.layout.place(number, segments)?;
        match self.values.get(place)? {
            Slot::Missing => None,
            Slot::Bool(true) => Some(&TRUE),
            Slot::Bool(false) => Some(&FALSE),
            Slot::Other(value) => Some(value),
            Slot::Text(..) => {
                let json = |slot: &Slot| match slot {
                    Slot::Text(start, end) => text(&self.line, *start, *end).map_or(Json::Null, Json::from),
                    Slot::Missing | Slot::Bool(_) | Slot::Other(_) => Json::Null,
                };
                self.texts.get_or_init(|| self.values.iter().map(json).collect()).get(place)
            }
        }
    }

    /// The value at a path of the layout, as it is found.
    pub(in crate::eval) fn find(&self, number: u64, segments: &[String]) -> Option<Found<'_>> {
        self.found(self.layout.place(number, segments)?)
    }

    fn found(&self, place: usize) -> Option<Found<'_>> {
        match self.values.get(place)? {
            Slot::Missing => None,
            Slot::Text(start, end) => text(&self.line, *start, *end).map(Found::Text),
            Slot::Bool(true) => Some(Found::Json(&TRUE)),
            Slot::Bool(false) => Some(Found::Json(&FALSE)),
            Slot::Other(value) => Some(Found::Json(value)),
        }
    }

    /// The value at a position as a text, where it is one.
    #[must_use]
    pub fn text_at(&self, position: Position) -> Option<&str> {
        match self.found(position.0)? {
            Found::Text(text) => Some(text),
            Found::Json(value) => value.as_str(),
        }
    }

    /// The value at a position as a whole number, where it is one.
    #[must_use]
    pub fn whole_number_at(&self, position: Position) -> Option<i64> {
        match self.found(position.0)? {
            Found::Text(text) => text.parse().ok(),
            Found::Json(value) => value.as_i64().or_else(|| value.as_str()?.parse().ok()),
        }
    }

    /// Whether there is a value at a position, other than null.
    #[must_use]
    pub fn has(&self, position: Position) -> bool {
        self.found(position.0).is_some()
    }
}

impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        self.line == other.line
    }
}

fn text(line: &str, start: u32, end: u32) -> Option<&str> {
    line.get(start as usize..end as usize)
}

/// Reads one value into its places.
struct Filling<'a> {
    node: &'a Node,
    /// Where the line lies in memory.
    start: usize,
    values: &'a mut [Slot],
}

impl Filling<'_> {
    fn put(self, value: Slot) {
        if let Some(slot) = self.node.place.and_then(|place| self.values.get_mut(place)) {
            *slot = value;
        }
    }
}

impl<'de> DeserializeSeed<'de> for Filling<'_> {
    /// Whether the value is an object.
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        let is_leaf = self.node.members.is_empty();
        if self.node.place.is_some() && !is_leaf {
            let value: Json = serde::Deserialize::deserialize(deserializer)?;
            self.node.take(&value, self.values);
            return Ok(value.is_object());
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Filling<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<bool, A::Error> {
        if self.node.place.is_some() {
            let value: Json = serde::Deserialize::deserialize(serde::de::value::MapAccessDeserializer::new(access))?;
            self.put(Slot::of(value));
            return Ok(true);
        }
        while let Some(found) = access.next_key_seed(Name(self.node))? {
            let Some(node) = found else {
                access.next_value::<IgnoredAny>()?;
                continue;
            };
            // Of members with one name the last counts.
            for slot in self.values.get_mut(node.below.clone()).unwrap_or_default() {
                *slot = Slot::Missing;
            }
            access.next_value_seed(Filling { node, start: self.start, values: &mut *self.values })?;
        }
        Ok(true)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<bool, A::Error> {
        if self.node.place.is_none() {
            while access.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(false);
        }
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        self.put(Slot::Other(Box::new(Json::Array(items))));
        Ok(false)
    }

    fn visit_bool<E>(self, value: bool) -> Result<bool, E> {
        self.put(Slot::Bool(value));
        Ok(false)
    }

    fn visit_i64<E>(self, value: i64) -> Result<bool, E> {
        self.put(Slot::Other(Box::new(Json::from(value))));
        Ok(false)
    }

    fn visit_u64<E>(self, value: u64) -> Result<bool, E> {
        self.put(Slot::Other(Box::new(Json::from(value))));
        Ok(false)
    }

    fn visit_f64<E>(self, value: f64) -> Result<bool, E> {
        self.put(Number::from_f64(value).map_or(Slot::Missing, |number| Slot::Other(Box::new(Json::Number(number)))));
        Ok(false)
    }

    fn visit_borrowed_str<E: Error>(self, value: &'de str) -> Result<bool, E> {
        let start = value.as_ptr().addr().checked_sub(self.start).and_then(|start| u32::try_from(start).ok());
        let end = start.and_then(|start| start.checked_add(u32::try_from(value.len()).ok()?));
        match start.zip(end) {
            Some((start, end)) => self.put(Slot::Text(start, end)),
            None => self.put(Slot::of(Json::from(value))),
        }
        Ok(false)
    }

    fn visit_str<E>(self, value: &str) -> Result<bool, E> {
        self.put(Slot::of(Json::from(value)));
        Ok(false)
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }
}

/// Reads the name of a member and finds what is asked for below it.
struct Name<'a>(&'a Node);

impl<'de, 'a> DeserializeSeed<'de> for Name<'a> {
    type Value = Option<&'a Node>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'a> Visitor<'_> for Name<'a> {
    type Value = Option<&'a Node>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.member(name))
    }
}
