//! Options of a target that the backend knows.

use std::collections::BTreeMap;

use serde_json::Value;

use super::eql::ast::Field;
use crate::backend::Verdict;
use crate::schema::FieldPath;

/// How many elements of an indexed array are looked at, unless the target says so.
const ARRAY_INDEXES: u64 = 5;

/// Options of an Elastic deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How many elements are looked at of an array that is stored as an object keyed by index (`array_indexes`).
    pub array_indexes: u64,
    /// Fields of type `ip` beside text fields that hold an address or a name (`network_fields`): text field to `ip` field.
    pub network_fields: BTreeMap<String, String>,
    /// Where an ingest pipeline keeps what it knows of an address (`located_fields`): field of the address to the object
    /// whose members `geo` and `as` hold it.
    pub located_fields: BTreeMap<String, String>,
}

impl Options {
    /// Reads the options of a target; others are not the backend's.
    pub fn read(options: &BTreeMap<String, Value>) -> Self {
        let array_indexes = options.get("array_indexes").and_then(Value::as_u64).unwrap_or(ARRAY_INDEXES).max(1);
        let network_fields = texts(options, "network_fields");
        let located_fields = texts(options, "located_fields");
        Self { array_indexes, network_fields, located_fields }
    }

    /// The field of type `ip` beside a text field, which is an assumption about the integration.
    pub fn address_beside(&self, text: &Field, verdict: &mut Verdict) -> Option<Field> {
        let name = text.path.join(".");
        let address = self.network_fields.get(&name)?;
        verdict.assume(format!("`{address}` holds the address wherever `{name}` is one"));
        Some(Field::optional(FieldPath::parse(address).segments().to_vec()))
    }
}

/// An option that maps texts to texts; empty where it is absent.
fn texts(options: &BTreeMap<String, Value>, name: &str) -> BTreeMap<String, String> {
    let pairs = options.get(name).and_then(Value::as_object).into_iter().flatten();
    pairs.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}
