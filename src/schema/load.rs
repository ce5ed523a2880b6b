//! Reads a telemetry schema: a JSON Schema document with the keywords of this catalogue.
//!
//! Never accepts a schema in part: one mistake and the source is not loaded.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;

use super::{Case, Clock, Epoch, Field, FieldPath, KnownValues, Members, NameValue, Presence, Source, Type};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::FileId;
use crate::yaml::{self, Node};

/// Keywords that a property may have besides those of JSON Schema.
const KEYWORDS: [&str; 7] =
    ["x-case", "x-values", "x-values-complete", "x-not-values", "x-mistaken-values", "x-name-value", "x-epoch"];

/// The `x-source` keyword of a schema.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Card {
    name: String,
    time: String,
    clock: String,
    lag: String,
    id: Option<String>,
    each: Option<String>,
    #[serde(default)]
    signature: Vec<String>,
    #[serde(default)]
    notes: Vec<String>,
}

/// A property, with the keywords that the catalogue reads.
#[derive(Deserialize)]
struct Property {
    #[serde(rename = "type")]
    kind: Kinds,
    #[serde(default)]
    description: String,
    format: Option<String>,
    #[serde(default)]
    properties: IndexMap<String, Property>,
    #[serde(rename = "additionalProperties")]
    open: Option<Open>,
    items: Option<Box<Property>>,
    #[serde(default)]
    required: Vec<String>,
    #[serde(rename = "x-case")]
    case: Option<String>,
    #[serde(default, rename = "x-values")]
    values: Vec<String>,
    #[serde(default, rename = "x-values-complete")]
    complete: bool,
    #[serde(default, rename = "x-not-values")]
    never: BTreeMap<String, String>,
    #[serde(default, rename = "x-mistaken-values")]
    mistaken: BTreeMap<String, String>,
    #[serde(rename = "x-name-value")]
    name_value: Option<Names>,
    #[serde(rename = "x-epoch")]
    epoch: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Kinds {
    One(String),
    Several(Vec<String>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Open {
    Allowed(bool),
    Typed(Box<Property>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Names {
    name: String,
    value: String,
}

/// Reads a schema from the text of its file; `None` where it is malformed, which the diagnostics explain.
#[must_use]
pub fn load_source(file: FileId, text: &str) -> (Option<Source>, Diagnostics) {
    let (tree, mut diagnostics) = yaml::parse(file, text);
    let Some(tree) = tree.filter(|_| !diagnostics.has_errors()) else { return (None, diagnostics) };
    if let Err(error) = jsonschema::meta::validate(&yaml::to_json(&tree)) {
        let span = nearest_span(&tree, error.instance_path().as_str());
        diagnostics.push(Diagnostic::new(Code::InvalidSchema, span, error.to_string()));
        return (None, diagnostics);
    }
    finish(&tree, diagnostics)
}

/// Reads a schema that is shipped with the compiler: its check against the meta-schema, which costs milliseconds at each
/// start, has been made by a test.
#[must_use]
pub fn load_shipped_source(file: FileId, text: &str) -> (Option<Source>, Diagnostics) {
    let (tree, diagnostics) = yaml::parse(file, text);
    match tree.filter(|_| !diagnostics.has_errors()) {
        Some(tree) => finish(&tree, diagnostics),
        None => (None, diagnostics),
    }
}

fn finish(tree: &Node, mut diagnostics: Diagnostics) -> (Option<Source>, Diagnostics) {
    match read(tree) {
        Ok(source) => (Some(source), diagnostics),
        Err(Flaw { pointer, message }) => {
            let span = nearest_span(tree, &pointer);
            diagnostics.push(Diagnostic::new(Code::InvalidSchema, span, message));
            (None, diagnostics)
        }
    }
}

/// What is wrong with a schema and where.
struct Flaw {
    pointer: String,
    message: String,
}

impl Flaw {
    fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into() }
    }
}

fn read(tree: &Node) -> Result<Source, Flaw> {
    let value = yaml::to_json(tree);
    let card: Card = value
        .get("x-source")
        .ok_or_else(|| Flaw::new("", "`x-source` is missing"))
        .and_then(|card| Card::deserialize(card).map_err(|error| Flaw::new("/x-source", error.to_string())))?;
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    if let Some(flaw) = unknown_keyword(&value, String::new()) {
        return Err(flaw);
    }
    let root: Property = serde_path_to_error::deserialize(&value).map_err(|error| {
        Flaw::new(format!("/{}", error.path().to_string().replace('.', "/")), error.inner().to_string())
    })?;
    let source = Source {
        title: text("title"),
        description: text("description"),
        time: FieldPath::parse(&card.time),
        clock: clock(&card.clock)?,
        lag: card.lag.parse().map_err(|error: super::InvalidDuration| Flaw::new("/x-source/lag", error.to_string()))?,
        id: card.id.as_deref().map(FieldPath::parse),
        each: card.each.as_deref().map(FieldPath::parse),
        signature: card.signature.iter().map(|path| FieldPath::parse(path)).collect(),
        notes: card.notes,
        root: members(&root, "")?,
        members: Vec::new(),
        lacking: BTreeMap::new(),
        name: card.name,
        json_schema: Arc::new(value),
        validator: super::EventValidator::default(),
    };
    let mentioned = source.signature.iter().chain(&source.id).chain(&source.each).chain([&source.time]);
    for path in mentioned {
        if !matches!(source.root.lookup(path), super::Lookup::Known(_)) {
            return Err(Flaw::new("/x-source", format!("`{path}` is not among the properties")));
        }
    }
    Ok(source)
}

/// A keyword of the catalogue that does not exist; a validator ignores it, and so its meaning would be lost.
fn unknown_keyword(schema: &Value, pointer: String) -> Option<Flaw> {
    let keywords = schema.as_object()?;
    let known = |key: &str| KEYWORDS.contains(&key) || (pointer.is_empty() && key == "x-source");
    if let Some(key) = keywords.keys().find(|key| key.starts_with("x-") && !known(key)) {
        return Some(Flaw::new(format!("{pointer}/{key}"), format!("there is no keyword `{key}`")));
    }
    let members = keywords.get("properties").and_then(Value::as_object).into_iter().flatten();
    let members =
        members.map(|(name, member)| (format!("properties/{}", name.replace('~', "~0").replace('/', "~1")), member));
    let inner = ["items", "additionalProperties"].into_iter();
    let inner = inner.filter_map(|key| Some((key.to_owned(), keywords.get(key)?)));
    members.chain(inner).find_map(|(key, schema)| unknown_keyword(schema, format!("{pointer}/{key}")))
}

fn clock(text: &str) -> Result<Clock, Flaw> {
    match text {
        "1s" => Ok(Clock::Second),
        "1ms" => Ok(Clock::Millisecond),
        "1us" | "100ns" => Ok(Clock::Finer),
        other => Err(Flaw::new("/x-source/clock", format!("`{other}` is none of `1s`, `1ms`, `1us`, `100ns`"))),
    }
}

fn members(property: &Property, pointer: &str) -> Result<Members, Flaw> {
    let mut named = IndexMap::new();
    for (name, inner) in &property.properties {
        let place = format!("{pointer}/properties/{}", name.replace('~', "~0").replace('/', "~1"));
        let presence = if property.required.contains(name) { Presence::Always } else { Presence::Optional };
        named.insert(name.clone(), field(inner, presence, &place)?);
    }
    let open = match property.open.as_ref() {
        Some(Open::Typed(inner)) => Some(ty(inner, &format!("{pointer}/additionalProperties"))?),
        Some(Open::Allowed(true)) if !pointer.is_empty() => Some(Type::Text),
        Some(Open::Allowed(_)) | None => None,
    };
    Ok(Members { named, open })
}

fn field(property: &Property, presence: Presence, pointer: &str) -> Result<Field, Flaw> {
    let case = match property.case.as_deref() {
        None | Some("any") => Case::Any,
        Some("canonical") => Case::Canonical,
        Some(other) => return Err(Flaw::new(format!("{pointer}/x-case"), format!("`{other}` is no case"))),
    };
    let epoch = match property.epoch.as_deref() {
        None => None,
        Some("s") => Some(Epoch::Seconds),
        Some("ms") => Some(Epoch::Milliseconds),
        Some(other) => {
            return Err(Flaw::new(format!("{pointer}/x-epoch"), format!("`{other}` is neither `s` nor `ms`")));
        }
    };
    let inner = property
        .items
        .as_deref()
        .map_or_else(|| members(property, pointer), |items| members(items, &format!("{pointer}/items")))?;
    Ok(Field {
        ty: ty(property, pointer)?,
        description: property.description.clone(),
        case,
        values: KnownValues::new(
            property.values.clone(),
            property.complete,
            property.never.clone(),
            property.mistaken.clone(),
        ),
        presence,
        epoch,
        members: inner,
        name_value: property
            .name_value
            .as_ref()
            .map(|names| NameValue { name: names.name.clone(), value: names.value.clone() }),
    })
}

fn ty(property: &Property, pointer: &str) -> Result<Type, Flaw> {
    let kind = match &property.kind {
        Kinds::One(kind) => kind.as_str(),
        Kinds::Several(kinds) => kinds.iter().map(String::as_str).find(|kind| *kind != "null").unwrap_or("string"),
    };
    Ok(match (kind, property.format.as_deref()) {
        ("string", Some("ip")) => Type::Ip,
        ("string", Some("date-time")) => Type::Time,
        ("integer", _) if property.epoch.is_some() => Type::Time,
        ("string", _) => Type::Text,
        ("boolean", _) => Type::Bool,
        ("integer", _) => Type::Int,
        ("number", _) => Type::Float,
        ("object", _) => Type::Object,
        ("array", _) => match property.items.as_deref() {
            Some(items) => Type::List(Box::new(ty(items, &format!("{pointer}/items"))?)),
            None => Type::List(Box::new(Type::Text)),
        },
        (other, _) => return Err(Flaw::new(format!("{pointer}/type"), format!("`{other}` is no type"))),
    })
}

fn nearest_span(tree: &Node, pointer: &str) -> crate::source::Span {
    let mut pointer = pointer;
    loop {
        if let Some(node) = tree.pointer(pointer) {
            return node.span;
        }
        match pointer.rsplit_once('/') {
            Some((parent, _)) => pointer = parent,
            None => return tree.span,
        }
    }
}
