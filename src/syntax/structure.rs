//! Checks the structure of a file against a JSON Schema and reads what is well-formed into a type.
//!
//! Never stops at a mistake: what is wrong is reported and left out, the rest is read.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{JsonType, ValidationError, Validator};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::schema::nearest;
use crate::source::Span;
use crate::yaml::{Node, to_json};

/// Reads a tree into a type whose JSON Schema is `validator`; what does not fit is reported and left out.
pub(super) fn read<T: DeserializeOwned + Default>(tree: &Node, validator: &Validator) -> (T, Diagnostics) {
    let mut value = to_json(tree);
    let mut diagnostics = Diagnostics::default();
    // A scalar where a text is wanted is the text as written, whatever YAML makes of it: `id: 0123` or `title: 5`.
    let texts: Vec<String> = validator
        .iter_errors(&value)
        .filter(wants_text)
        .map(|error| error.instance_path().as_str().to_owned())
        .collect();
    for pointer in &texts {
        let text = tree.pointer(pointer).and_then(Node::as_scalar).map(|scalar| scalar.text.clone());
        if let (Some(text), Some(place)) = (text.filter(|text| !text.is_empty()), value.pointer_mut(pointer)) {
            *place = Value::String(text);
        }
    }
    let mut wrong = Vec::new();
    for error in validator.iter_errors(&value) {
        report(&error, tree, validator, &mut diagnostics, &mut wrong);
    }
    wrong.sort_by_key(|pointer| std::cmp::Reverse(pointer.len()));
    for pointer in &wrong {
        remove(&mut value, pointer);
    }
    let typed = serde_yaml::to_value(&value).ok().map(|value| serde_path_to_error::deserialize(value));
    match typed {
        Some(Ok(document)) => (document, diagnostics),
        Some(Err(error)) => {
            let pointer = pointer_of(error.path());
            let span = tree.pointer(&pointer).map_or(tree.span, |node| node.span);
            diagnostics.push(Diagnostic::new(Code::InvalidValue, span, error.inner().to_string()));
            (T::default(), diagnostics)
        }
        None => (T::default(), diagnostics),
    }
}

fn wants_text(error: &ValidationError<'_>) -> bool {
    let scalar = matches!(error.instance().as_ref(), Value::Number(_) | Value::Bool(_));
    let text = match error.kind() {
        ValidationErrorKind::Type { kind: TypeKind::Single(kind) } => *kind == JsonType::String,
        ValidationErrorKind::Type { kind: TypeKind::Multiple(kinds) } => kinds.contains(JsonType::String),
        _ => false,
    };
    scalar && text
}

/// Turns one finding of the validator into diagnostics; `wrong` collects what has to be left out.
fn report(
    error: &ValidationError<'_>,
    tree: &Node,
    validator: &Validator,
    diagnostics: &mut Diagnostics,
    wrong: &mut Vec<String>,
) {
    let pointer = error.instance_path().as_str();
    let node = tree.pointer(pointer);
    let span = node.map_or(tree.span, |node| node.span);
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let known = known_keys(error, validator);
            for key in unexpected {
                diagnostics.push(unknown_key(key, node, span, &known));
                wrong.push(format!("{pointer}/{}", escaped(key)));
            }
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            let place = if pointer.is_empty() { start_of(span) } else { key_place(tree, pointer).unwrap_or(span) };
            let diagnostic = Diagnostic::new(Code::MissingKey, place, format!("`{name}` is missing"));
            diagnostics.push(diagnostic.help(format!("add `{name}:`")));
        }
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            // The branch that got furthest is the one that the author meant.
            let deepest = context.iter().max_by_key(|branch| {
                branch.iter().map(|error| error.instance_path().as_str().len()).max().unwrap_or(0)
            });
            let inner: Vec<_> = deepest.into_iter().flatten().collect();
            if inner.iter().all(|error| error.instance_path().as_str() == pointer) {
                diagnostics.push(Diagnostic::new(
                    Code::WrongYamlType,
                    span,
                    "this value has none of the accepted forms",
                ));
                wrong.push(pointer.to_owned());
            } else {
                for error in inner {
                    report(error, tree, validator, diagnostics, wrong);
                }
            }
        }
        ValidationErrorKind::Type { kind } => {
            let found = node.map_or("nothing", kind_of);
            let message = format!("expected {}, found {found}", wanted(kind));
            diagnostics.push(Diagnostic::new(Code::WrongYamlType, span, message));
            wrong.push(pointer.to_owned());
        }
        ValidationErrorKind::Enum { options } => {
            diagnostics.push(not_among(error, options, span));
            wrong.push(pointer.to_owned());
        }
        kind => {
            diagnostics.push(Diagnostic::new(Code::InvalidValue, span, constraint(kind, error)));
            wrong.push(pointer.to_owned());
        }
    }
}

fn unknown_key(key: &str, node: Option<&Node>, span: Span, known: &[String]) -> Diagnostic {
    let place = node.and_then(|node| node.entry(key)).map(|entry| entry.key.span).unwrap_or(span);
    let diagnostic = Diagnostic::new(Code::UnknownKey, place, format!("unknown key `{key}`"));
    let names = known.iter().map(String::as_str);
    if key.contains(' ') || key.contains('"') || key.contains(')') {
        return diagnostic.help("a comma ends a value inside `{ }`; quote the whole value, or write one key a line");
    }
    match nearest(key, names) {
        Some(near) => diagnostic.help(format!("the nearest key is `{near}`")),
        None if known.is_empty() => diagnostic,
        None => diagnostic.help(format!("the keys here are {}", quoted(known))),
    }
}

/// The keys that the schema knows where an unknown one was found.
fn known_keys(error: &ValidationError<'_>, validator: &Validator) -> Vec<String> {
    let Some(path) = error.absolute_keyword_location().map(ToString::to_string) else {
        return keys_at(error.schema_path().as_str(), validator);
    };
    keys_at(path.split('#').nth(1).unwrap_or_default(), validator)
}

fn keys_at(keyword: &str, _: &Validator) -> Vec<String> {
    let Some((object, _)) = keyword.rsplit_once('/') else { return Vec::new() };
    [super::document::detection_schema(), super::document::list_schema()]
        .iter()
        .find_map(|schema| Some(schema.pointer(object)?.get("properties")?.as_object()?.keys().cloned().collect()))
        .unwrap_or_default()
}

fn not_among(error: &ValidationError<'_>, options: &Value, span: Span) -> Diagnostic {
    let words: Vec<String> =
        options.as_array().into_iter().flatten().filter_map(Value::as_str).map(ToOwned::to_owned).collect();
    let found = error.instance().as_str().map_or_else(|| error.instance().to_string(), ToOwned::to_owned);
    let diagnostic = Diagnostic::new(Code::InvalidValue, span, format!("`{found}` is none of the accepted values"));
    match nearest(&found, words.iter().map(String::as_str)) {
        Some(near) => diagnostic.help(format!("the nearest value is `{near}`")),
        None => diagnostic.help(format!("the values are {}", quoted(&words))),
    }
}

fn constraint(kind: &ValidationErrorKind, error: &ValidationError<'_>) -> String {
    let found = error.instance().as_str().map_or_else(|| error.instance().to_string(), ToOwned::to_owned);
    match kind {
        ValidationErrorKind::Pattern { pattern } => match form_of(pattern) {
            Some(form) => format!("`{found}` is no {form}"),
            None => format!("`{found}` does not have the form `{pattern}`"),
        },
        ValidationErrorKind::MinLength { .. } => "the text is empty".to_owned(),
        ValidationErrorKind::MaxLength { limit } => format!("the text is longer than {limit} characters"),
        ValidationErrorKind::Minimum { limit } => format!("`{found}` is below {limit}"),
        ValidationErrorKind::MinProperties { .. } => "nothing stands here".to_owned(),
        _ => error.to_string(),
    }
}

/// What a pattern of the detection schema stands for.
fn form_of(pattern: &str) -> Option<&'static str> {
    Some(match pattern {
        r"^[a-z][a-z0-9_]*$" => "name: lower-case letters, digits and `_`, a letter first",
        r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$" => "date such as `2027-06-30`",
        r"^-?[0-9]+(ms|s|m|h|d)$" => "offset such as `29m`",
        r"^DET[0-9]{4}$" => "detection strategy such as `DET0078`",
        r"^AN[0-9]{4}$" => "analytic such as `AN0215`",
        r"^T[0-9]{4}(\.[0-9]{3})?$" => "technique such as `T1059.009`",
        _ if pattern.starts_with("^[0-9a-fA-F]{8}") => "UUID",
        _ => return None,
    })
}

fn wanted(kind: &TypeKind) -> String {
    let word = |kind: JsonType| match kind {
        JsonType::Array => "a list",
        JsonType::Boolean => "`true` or `false`",
        JsonType::Integer => "a whole number",
        JsonType::Null => "nothing",
        JsonType::Number => "a number",
        JsonType::Object => "a group of keys",
        JsonType::String => "a text",
    };
    match kind {
        TypeKind::Single(kind) => word(*kind).to_owned(),
        TypeKind::Multiple(kinds) => {
            let words: Vec<&str> = kinds.iter().filter(|kind| *kind != JsonType::Null).map(word).collect();
            words.join(" or ")
        }
    }
}

fn kind_of(node: &Node) -> &'static str {
    if node.as_mapping().is_some() {
        "a group of keys"
    } else if node.as_sequence().is_some() {
        "a list"
    } else if node.as_scalar().is_some_and(|scalar| scalar.text.is_empty()) {
        "nothing"
    } else {
        "a single value"
    }
}

fn key_place(tree: &Node, pointer: &str) -> Option<Span> {
    tree.key_span(pointer)
}

fn start_of(span: Span) -> Span {
    Span { end: span.start, ..span }
}

fn remove(value: &mut Value, pointer: &str) {
    let Some((parent, key)) = pointer.rsplit_once('/') else { return };
    match value.pointer_mut(parent) {
        Some(Value::Object(members)) => {
            members.shift_remove(&unescaped(key));
        }
        Some(Value::Array(items)) => {
            // The place is kept, so that what stands behind it keeps its index.
            if let Some(item) = key.parse().ok().and_then(|index: usize| items.get_mut(index)) {
                *item = match item {
                    Value::Object(_) => Value::Object(serde_json::Map::new()),
                    _ => Value::String(String::new()),
                };
            }
        }
        _ => {}
    }
}

/// A member's name as a segment of a JSON pointer.
pub(super) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn unescaped(segment: &str) -> String {
    segment.replace("~1", "/").replace("~0", "~")
}

fn pointer_of(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", escaped(key)),
            Segment::Enum { .. } | Segment::Unknown => String::new(),
        })
        .collect()
}

fn quoted(words: &[String]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
