//! Reads only those members of an event that somebody asks for.
//!
//! Never guesses: a member that is asked for is read whole, and one that is not asked for is passed over.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value as Json};

use crate::schema::FieldPath;

/// The members that are asked for.
#[derive(Debug, Clone, Default)]
pub struct Projection {
    /// Whether the value is asked for as it is.
    whole: bool,
    /// Members below, by the length of their names.
    members: Vec<Vec<(String, Projection)>>,
}

impl Projection {
    /// Asks for the value at a path.
    pub fn add(&mut self, path: &FieldPath) {
        self.add_segments(path.segments());
    }

    fn add_segments(&mut self, segments: &[String]) {
        let Some((name, rest)) = segments.split_first() else {
            self.whole = true;
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
            below.add_segments(rest);
        }
    }

    fn member(&self, name: &str) -> Option<&Self> {
        let alike = self.members.get(name.len())?;
        alike.iter().find(|(other, _)| other == name).map(|(_, below)| below)
    }

    /// Reads an event.
    ///
    /// # Errors
    /// What is not JSON.
    pub fn read(&self, bytes: &[u8]) -> Result<Json, serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        let value = self.deserialize(&mut deserializer)?;
        deserializer.end()?;
        Ok(value)
    }
}

impl<'de> DeserializeSeed<'de> for &Projection {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        if self.whole {
            return serde::Deserialize::deserialize(deserializer);
        }
        deserializer.deserialize_any(self)
    }
}

/// A value without the members that nobody asks for; a list is read whole.
impl<'de> Visitor<'de> for &Projection {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut members = Map::new();
        while let Some(found) = access.next_key_seed(Name(self))? {
            match found {
                Some((name, below)) => {
                    members.insert(name, access.next_value_seed(below)?);
                }
                None => {
                    access.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Json::Object(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Number::from_f64(value).map_or(Json::Null, Json::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::String(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }
}

/// Reads the name of a member and finds what is asked for below it.
struct Name<'a>(&'a Projection);

impl<'de, 'a> DeserializeSeed<'de> for Name<'a> {
    type Value = Option<(String, &'a Projection)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'a> Visitor<'_> for Name<'a> {
    type Value = Option<(String, &'a Projection)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.member(name).map(|below| (name.to_owned(), below)))
    }
}
