//! Field maps: where a source lives on a target and how each of its fields is reached there.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::Deserialize;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::schema::mapping::{Access, Binding, Column, FieldMap};
use crate::schema::{Case, FieldPath, Lookup, Source, Type, nearest};
use crate::source::FileId;
use crate::yaml;

/// A file under `targets/<name>/fields/`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    source: String,
    location: BTreeMap<String, OneOrMany>,
    time: String,
    fields: IndexMap<String, serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Missing {
    missing: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnEntry {
    path: String,
    #[serde(rename = "type")]
    ty: Option<String>,
    access: Option<String>,
    #[serde(default)]
    literals: BTreeMap<String, serde_json::Value>,
    case: Option<String>,
    lossy: Option<String>,
}

/// Reads a field map and checks it against its source; `source` finds a source by name.
#[must_use]
pub fn load_field_map<'s>(
    file: FileId,
    text: &str,
    source: impl Fn(&str) -> Option<&'s Source>,
) -> (Option<FieldMap>, Diagnostics) {
    let (tree, mut diagnostics) = yaml::parse(file, text);
    let Some(tree) = tree.filter(|_| !diagnostics.has_errors()) else { return (None, diagnostics) };
    let document = match serde_path_to_error::deserialize::<_, Document>(yaml::to_json(&tree)) {
        Ok(document) => document,
        Err(error) => {
            let pointer = format!("/{}", error.path().to_string().replace('.', "/"));
            let span = tree.pointer(&pointer).map_or(tree.span, |node| node.span);
            diagnostics.push(Diagnostic::new(Code::InvalidTarget, span, error.inner().to_string()));
            return (None, diagnostics);
        }
    };
    let known = source(&document.source);
    if known.is_none() {
        let span = tree.get("source").map_or(tree.span, |node| node.span);
        let message = format!("unknown source `{}`", document.source);
        diagnostics.push(Diagnostic::new(Code::InvalidTarget, span, message));
    }
    let mut fields = IndexMap::new();
    for (name, entry) in document.fields {
        let place = tree.get("fields").and_then(|group| group.entry(&name));
        let span = place.map_or(tree.span, |entry| entry.key.span);
        if let Some(source) = known.filter(|source| !exists(source, &name)) {
            let message = format!("unknown field `{name}` in source `{}`", source.name);
            let diagnostic = Diagnostic::new(Code::InvalidTarget, span, message);
            let paths: Vec<String> = source.root.paths().iter().map(|(path, _)| path.to_string()).collect();
            diagnostics.push(match nearest(&name, paths.iter().map(String::as_str)) {
                Some(near) => diagnostic.help(format!("the nearest field is `{near}`")),
                None => diagnostic,
            });
        }
        match binding(&entry) {
            Ok(binding) => {
                fields.insert(name, binding);
            }
            Err(message) => {
                let span = place.map_or(tree.span, |entry| entry.value.span);
                diagnostics.push(Diagnostic::new(Code::InvalidTarget, span, message));
            }
        }
    }
    if diagnostics.has_errors() {
        return (None, diagnostics);
    }
    let location = document
        .location
        .into_iter()
        .map(|(key, value)| match value {
            OneOrMany::One(value) => (key, vec![value]),
            OneOrMany::Many(values) => (key, values),
        })
        .collect();
    let (source, time) = (document.source, document.time);
    (Some(FieldMap { source, location, time, fields, members: BTreeMap::new() }), diagnostics)
}

fn binding(entry: &serde_json::Value) -> Result<Binding, String> {
    let column = |path: String| Column {
        path,
        access: Access::Direct,
        ty: None,
        literals: BTreeMap::new(),
        case: None,
        lossy: None,
        rest: FieldPath::default(),
    };
    match entry {
        serde_json::Value::String(path) => Ok(Binding::Column(column(path.clone()))),
        serde_json::Value::Object(keys) if keys.contains_key("missing") => {
            let Missing { missing } = Missing::deserialize(entry).map_err(|error| error.to_string())?;
            Ok(Binding::Missing(missing))
        }
        _ => {
            let entry = ColumnEntry::deserialize(entry).map_err(|error| error.to_string())?;
            let access = match entry.access.as_deref() {
                None | Some("direct") => Access::Direct,
                Some("json_text") => Access::JsonText,
                Some("dynamic") => Access::Dynamic,
                Some("flattened") => Access::Flattened,
                Some("indexed") => Access::Indexed,
                Some("keyed") => Access::Keyed,
                Some(other) => return Err(format!("`{other}` is no access")),
            };
            let ty = match entry.ty.as_deref() {
                None => None,
                Some("string") => Some(Type::Text),
                Some("int") => Some(Type::Int),
                Some("float") => Some(Type::Float),
                Some("bool") => Some(Type::Bool),
                Some("ip") => Some(Type::Ip),
                Some("time") => Some(Type::Time),
                Some(other) => return Err(format!("`{other}` is no type")),
            };
            let case = match entry.case.as_deref() {
                None => None,
                Some("any") => Some(Case::Any),
                Some("canonical") => Some(Case::Canonical),
                Some(other) => return Err(format!("`{other}` is no case")),
            };
            let ColumnEntry { path, literals, lossy, .. } = entry;
            Ok(Binding::Column(Column { access, ty, literals, case, lossy, ..column(path) }))
        }
    }
}

/// Whether a key of a field map names something of the source.
fn exists(source: &Source, name: &str) -> bool {
    let name = name.strip_suffix(".*").unwrap_or(name);
    let mut members = &source.root;
    let parts: Vec<&str> = name.split(']').collect();
    let last = parts.len().saturating_sub(1);
    for (index, part) in parts.iter().enumerate() {
        // Between the brackets stands nothing, or the name of one element of a name/value list.
        let (part, element) = part.rsplit_once('[').unwrap_or((part, ""));
        let part = part.strip_prefix('.').unwrap_or(part);
        if part.is_empty() {
            return index == last;
        }
        match members.lookup(&FieldPath::parse(part)) {
            Lookup::Known(_) if index == last => return true,
            Lookup::Known(field) if !element.is_empty() && field.name_value.is_none() => return false,
            Lookup::Known(field) => members = &field.members,
            Lookup::Open(_) => return true,
            Lookup::ThroughList(_) | Lookup::Unknown { .. } => return false,
        }
    }
    true
}

/// Fields of a source that a map does not mention, by path.
#[must_use]
pub fn unmapped(map: &FieldMap, source: &Source) -> Vec<String> {
    let paths = source.root.paths();
    let leaves = paths.iter().filter(|(_, field)| field.ty != Type::Object);
    leaves.filter(|(path, _)| map.resolve(path).is_none()).map(|(path, _)| path.to_string()).collect()
}
