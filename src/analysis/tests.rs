//! Checks the events of a detection's tests against the telemetry schemas.
//!
//! Never runs them: that is the work of `verify`.

use serde_json::{Map, Value as Json};

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::schema::{Catalog, FieldPath, Lookup, Members, Source, Type, nearest};
use crate::syntax::DetectionFile;
use crate::yaml::{Entry, Node, NodeKind, to_json};

/// Checks every event of every test.
pub(super) fn check(file: &DetectionFile, catalog: &Catalog, diagnostics: &mut Diagnostics) {
    let tests = file.tree.get("tests").and_then(Node::as_sequence).unwrap_or_default();
    for test in tests {
        for group in ["history", "events"] {
            let events = test.get(group).and_then(Node::as_sequence).unwrap_or_default();
            for event in events {
                let Some(name) = event.get("source").filter(|node| node.as_scalar().is_some()) else { continue };
                let text = name.as_scalar().map(|scalar| scalar.text.clone()).unwrap_or_default();
                match catalog.source(&text) {
                    Some(source) => {
                        if let Some(fields) = event.get("event") {
                            check_event(fields, source, diagnostics);
                        }
                    }
                    None => {
                        let message = format!("unknown source `{text}`");
                        let diagnostic = Diagnostic::new(Code::UnknownSource, name.span, message);
                        let names = catalog.sources().map(|source| source.name.as_str());
                        diagnostics.push(match nearest(&text, names) {
                            Some(near) => diagnostic.help(format!("the nearest source is `{near}`")),
                            None => diagnostic.help("`detc schema list` lists the sources"),
                        });
                    }
                }
            }
        }
    }
}

fn check_event(fields: &Node, source: &Source, diagnostics: &mut Diagnostics) {
    let before = diagnostics.len();
    for entry in fields.as_mapping().unwrap_or_default() {
        let path = FieldPath::parse(&entry.key.node);
        check_member(&path, &entry.value, entry.key.span, source, diagnostics);
    }
    if diagnostics.len() > before {
        return;
    }
    for objection in source.objections(&native_event(fields, source)) {
        let diagnostic = Diagnostic::new(Code::TypeMismatch, fields.span, objection);
        diagnostics.push(diagnostic.help(lists_types(source)));
    }
}

/// Checks one member, going down into nested groups.
fn check_member(
    path: &FieldPath,
    value: &Node,
    span: crate::source::Span,
    source: &Source,
    diagnostics: &mut Diagnostics,
) {
    match source.root.lookup(path) {
        Lookup::Known(field) if field.ty == Type::Object => {
            for entry in value.as_mapping().unwrap_or_default() {
                let inner = path.child(entry.key.node.clone());
                check_member(&inner, &entry.value, entry.key.span, source, diagnostics);
            }
        }
        Lookup::Known(field) => {
            if let Some(message) = mismatch(&field.ty, value) {
                let message = format!("`{path}` is {}, {message}", field.ty);
                let diagnostic = Diagnostic::new(Code::TypeMismatch, value.span, message);
                diagnostics.push(diagnostic.help(lists_types(source)));
            }
        }
        Lookup::Open(_) | Lookup::ThroughList(_) => {}
        Lookup::Unknown { .. } => {
            let message = format!("unknown field `{path}` in source `{}`", source.name);
            let diagnostic = Diagnostic::new(Code::UnknownField, span, message);
            let known: Vec<String> = source.root.paths().iter().map(|(path, _)| path.to_string()).collect();
            diagnostics.push(match nearest(&path.to_string(), known.iter().map(String::as_str)) {
                Some(near) => diagnostic.help(format!("the nearest field is `{near}`")),
                None => diagnostic.help(format!("`detc schema show {}` lists the fields", source.name)),
            });
        }
    }
}

fn lists_types(source: &Source) -> String {
    format!("`detc schema show {}` lists the types of fields", source.name)
}

/// Why a written value cannot be of a type; text is read as the type that the schema declares.
fn mismatch(ty: &Type, value: &Node) -> Option<String> {
    let Some(scalar) = value.as_scalar() else {
        return match ty {
            Type::List(_) if value.as_sequence().is_some() => None,
            Type::List(_) => Some("but a group of keys is written".to_owned()),
            Type::Object => None,
            _ if value.as_mapping().is_some() => Some("but a group of keys is written".to_owned()),
            // Producers do send lists where a single value is declared; such an event is legal and never matches.
            _ => None,
        };
    };
    let text = scalar.text.as_str();
    if text.is_empty() || text == "null" {
        return None;
    }
    let fits = match ty {
        Type::Bool => matches!(text, "true" | "false"),
        Type::Int => text.parse::<i64>().is_ok(),
        Type::Float => text.parse::<f64>().is_ok(),
        Type::Text | Type::Ip | Type::Time | Type::Duration | Type::List(_) | Type::Object => true,
    };
    (!fits).then(|| format!("but `{text}` is written"))
}

/// The event as its source would send it: dotted keys are nested, scalars have the type that the schema declares.
#[must_use]
pub fn native_event(fields: &Node, source: &Source) -> Json {
    let mut root = Map::new();
    for entry in fields.as_mapping().unwrap_or_default() {
        let path = FieldPath::parse(&entry.key.node);
        let field = match source.root.lookup(&path) {
            Lookup::Known(field) => Some(field),
            Lookup::Open(_) | Lookup::ThroughList(_) | Lookup::Unknown { .. } => None,
        };
        insert(&mut root, path.segments(), typed(field.map(|field| (&field.ty, &field.members)), &entry.value));
    }
    Json::Object(root)
}

/// A value of a declared type with the members below it; without a declaration the text decides.
fn typed(declared: Option<(&Type, &Members)>, value: &Node) -> Json {
    match &value.kind {
        NodeKind::Mapping(entries) => {
            let member = |entry: &Entry| {
                let field = declared.and_then(|(_, members)| members.named.get(&entry.key.node));
                (entry.key.node.clone(), typed(field.map(|field| (&field.ty, &field.members)), &entry.value))
            };
            Json::Object(entries.iter().map(member).collect())
        }
        NodeKind::Sequence(items) => {
            let item = declared.map(|(ty, members)| match ty {
                Type::List(item) => (item.as_ref(), members),
                single => (single, members),
            });
            Json::Array(items.iter().map(|value| typed(item, value)).collect())
        }
        NodeKind::Scalar(scalar) => {
            let ty = declared.map(|(ty, _)| match ty {
                Type::List(item) => item.as_ref(),
                single => single,
            });
            if ty.is_some_and(Type::is_textual) && scalar.text != "null" {
                Json::String(scalar.text.clone())
            } else {
                to_json(value)
            }
        }
    }
}

fn insert(members: &mut Map<String, Json>, segments: &[String], value: Json) {
    let Some((first, rest)) = segments.split_first() else { return };
    if rest.is_empty() {
        members.insert(first.clone(), value);
        return;
    }
    let slot = members.entry(first.clone()).or_insert_with(|| Json::Object(Map::new()));
    if let Json::Object(inner) = slot {
        insert(inner, rest, value);
    }
}
