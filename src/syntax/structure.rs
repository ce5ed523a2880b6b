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
    let mut texts = Vec::new();
    for error in validator.iter_errors(&value) {
        collect_texts(&error, &mut texts);
    }
    for pointer in &texts {
        let text = tree.pointer(pointer).and_then(Node::as_scalar).map(|scalar| scalar.text.clone());
        if let (Some(text), Some(place)) = (text.filter(|text| !text.is_empty()), value.pointer_mut(pointer)) {
            *place = Value::String(text);
        }
    }
    let mut wrong = Vec::new();
    for error in validator.iter_errors(&value) {
        report(&error, tree, &mut diagnostics, &mut wrong);
    }
    wrong.sort_by_key(|(pointer, _)| std::cmp::Reverse(pointer.len()));
    for (pointer, stand_in) in wrong {
        remove(&mut value, &pointer, stand_in);
    }
    let typed = serde_yaml::to_value(&value).ok().map(|value| serde_path_to_error::deserialize(value));
    match typed {
        Some(Ok(document)) => (document, diagnostics),
        Some(Err(error)) => {
            // Where the schema found a mistake, the type's own complaint is but its consequence.
            if !diagnostics.has_errors() {
                let pointer = pointer_of(error.path());
                let span = tree.pointer(&pointer).map_or(tree.span, |node| node.span);
                diagnostics.push(Diagnostic::new(Code::InvalidValue, span, error.inner().to_string()));
            }
            (T::default(), diagnostics)
        }
        None => (T::default(), diagnostics),
    }
}

/// Collects the places of scalars that stand where a text is wanted.
fn collect_texts(error: &ValidationError<'_>, texts: &mut Vec<String>) {
    if let ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } = error.kind() {
        let meant = meant(context, error.instance_path().as_str());
        meant.into_iter().flatten().for_each(|inner| collect_texts(inner, texts));
        return;
    }
    let scalar = matches!(error.instance().as_ref(), Value::Number(_) | Value::Bool(_));
    let text = match error.kind() {
        ValidationErrorKind::Type { kind: TypeKind::Single(kind) } => *kind == JsonType::String,
        ValidationErrorKind::Type { kind: TypeKind::Multiple(kinds) } => kinds.contains(JsonType::String),
        _ => false,
    };
    if scalar && text {
        texts.push(error.instance_path().as_str().to_owned());
    }
}

/// The errors of one branch of an alternative.
type Branch = Vec<ValidationError<'static>>;

/// The branch that the author meant: one whose kind of value is there, of those the one that got furthest.
fn meant<'a>(context: &'a [Branch], pointer: &str) -> Option<&'a Branch> {
    let other_kind = |error: &ValidationError<'_>| {
        let here = error.instance_path().as_str() == pointer;
        here && match error.kind() {
            ValidationErrorKind::Type { .. }
            | ValidationErrorKind::Constant { .. }
            | ValidationErrorKind::Enum { .. } => true,
            ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
                meant(context, pointer).is_none()
            }
            _ => false,
        }
    };
    let furthest = |branch: &&Branch| branch.iter().map(|error| error.instance_path().as_str().len()).max();
    context.iter().filter(|branch| !branch.iter().any(other_kind)).max_by_key(furthest)
}

/// The words that an alternative accepts, and the kinds of value.
fn accepted(context: &[Branch], pointer: &str, words: &mut Vec<String>, kinds: &mut Vec<&'static str>) {
    for error in context.iter().flatten().filter(|error| error.instance_path().as_str() == pointer) {
        match error.kind() {
            ValidationErrorKind::Constant { expected_value } => {
                words.extend(expected_value.as_str().map(ToOwned::to_owned));
            }
            ValidationErrorKind::Enum { options } => {
                words.extend(options.as_array().into_iter().flatten().filter_map(Value::as_str).map(ToOwned::to_owned));
            }
            ValidationErrorKind::Type { kind: TypeKind::Single(kind) } if *kind != JsonType::Null => {
                kinds.push(word_of(*kind));
            }
            ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
                accepted(context, pointer, words, kinds);
            }
            _ => {}
        }
    }
}

/// What stands in the place of a value that is left out of a list.
#[derive(Clone, Copy)]
enum StandIn {
    Group,
    List,
    Text,
}

/// Turns one finding of the validator into diagnostics; `wrong` collects what has to be left out.
fn report(error: &ValidationError<'_>, tree: &Node, diagnostics: &mut Diagnostics, wrong: &mut Vec<(String, StandIn)>) {
    let pointer = error.instance_path().as_str();
    let node = tree.pointer(pointer);
    let span = node.map_or(tree.span, |node| node.span);
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let known = known_keys(error);
            for key in unexpected {
                diagnostics.push(unknown_key(key, node, span, &known));
                wrong.push((format!("{pointer}/{}", escaped(key)), StandIn::Text));
            }
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            let place = if pointer.is_empty() { start_of(span) } else { group_place(tree, pointer, span) };
            let diagnostic = Diagnostic::new(Code::MissingKey, place, format!("the key `{name}` is missing"));
            diagnostics.push(diagnostic.help(format!("add `{name}:`{}", example_of(name))));
        }
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            if let Some(branch) = meant(context, pointer) {
                for error in branch {
                    report(error, tree, diagnostics, wrong);
                }
                return;
            }
            let (mut words, mut kinds) = (Vec::new(), Vec::new());
            accepted(context, pointer, &mut words, &mut kinds);
            // A word is a text, so that texts at large are not accepted beside it.
            kinds.retain(|kind| words.is_empty() || *kind != word_of(JsonType::String));
            kinds.sort_unstable();
            kinds.dedup();
            diagnostics.push(match node {
                Some(node) if is_word(node) && !words.is_empty() => not_among(error, &words, &kinds, span),
                _ => {
                    let words = (!words.is_empty()).then(|| quoted(&words));
                    let wanted = kinds.into_iter().map(ToOwned::to_owned).chain(words).collect::<Vec<_>>();
                    wrong_kind(&wanted.join(" or "), node, span)
                }
            });
            wrong.push((pointer.to_owned(), StandIn::Text));
        }
        ValidationErrorKind::Type { kind } => {
            diagnostics.push(wrong_kind(&wanted(kind), node, span));
            let stand_in = match kind {
                TypeKind::Single(JsonType::Object) => StandIn::Group,
                TypeKind::Single(JsonType::Array) => StandIn::List,
                TypeKind::Single(_) | TypeKind::Multiple(_) => StandIn::Text,
            };
            wrong.push((pointer.to_owned(), stand_in));
        }
        ValidationErrorKind::Enum { options } => {
            let words: Vec<String> =
                options.as_array().into_iter().flatten().filter_map(Value::as_str).map(ToOwned::to_owned).collect();
            diagnostics.push(not_among(error, &words, &[], span));
            wrong.push((pointer.to_owned(), StandIn::Text));
        }
        kind => {
            let (message, help) = constraint(kind, error);
            let diagnostic = Diagnostic::new(Code::InvalidValue, span, message);
            diagnostics.push(match help {
                Some(help) => diagnostic.help(help),
                None => diagnostic,
            });
            wrong.push((pointer.to_owned(), StandIn::Text));
        }
    }
}

/// Whether a value is a text that is not empty.
fn is_word(node: &Node) -> bool {
    node.as_scalar().is_some_and(|scalar| !scalar.text.is_empty())
}

/// A value of another kind than the one that is wanted.
fn wrong_kind(wanted: &str, node: Option<&Node>, span: Span) -> Diagnostic {
    let found = node.map_or("nothing", kind_of);
    let shown = match node.and_then(Node::as_scalar) {
        Some(scalar) if found != "nothing" && matches!(wanted, "a number" | "a whole number" | "`true` or `false`") => {
            format!("`{}`", scalar.text)
        }
        _ => found.to_owned(),
    };
    let diagnostic = Diagnostic::new(Code::WrongYamlType, span, format!("expected {wanted}, found {shown}"));
    if found == "nothing" {
        return diagnostic.help("write a value behind the colon, or remove the key");
    }
    match wanted {
        "a list" => diagnostic.help("write `[a, b]`, or one entry a line behind `- `"),
        "a group of keys" => diagnostic.help("write keys with values, such as `key: value`, one a line"),
        "a text" if found == "a list" => diagnostic.help("write one text; quote it if it starts with `[`"),
        "a text" => diagnostic.help("write one text; quote it if it starts with `{` or holds `: `"),
        _ => diagnostic,
    }
}

/// Keys that people know from other places, with what they are here.
const FOREIGN: [(&str, &str); 13] = [
    ("within", "the window stands in the text of `behavior`: `behavior: a -> b by key within 10m`"),
    ("by", "keys stand in the text of `behavior`: `behavior: a -> b by key within 10m`"),
    ("where", "a condition stands in a signal: `signals: { name: { source: .., where: .. } }`"),
    ("let", "columns stand in a signal: `signals: { name: { source: .., let: .. } }`"),
    ("source", "a source stands in a signal: `signals: { name: { source: .., where: .. } }`"),
    ("logsource", "a source stands in a signal: `signals: { name: { source: .., where: .. } }`"),
    ("condition", "conditions stand in `where` of a signal, what has to happen in `behavior`"),
    ("filter", "the condition of a signal is `where`"),
    ("query", "the condition of a signal is `where`"),
    ("level", "the key is `severity`"),
    ("name", "the name of a detection stands behind `detection`, what people read behind `title`"),
    ("date", "the key is `created`"),
    ("license", "the file of a detection has no place for it; write a comment"),
];

fn unknown_key(key: &str, node: Option<&Node>, span: Span, known: &[String]) -> Diagnostic {
    let place = node.and_then(|node| node.entry(key)).map(|entry| entry.key.span).unwrap_or(span);
    let diagnostic = Diagnostic::new(Code::UnknownKey, place, format!("unknown key `{key}`"));
    let names = known.iter().map(String::as_str);
    if key.contains(' ') || key.contains('"') || key.contains(')') {
        return diagnostic.help("a comma ends a value inside `{ }`; quote the whole value, or write one key a line");
    }
    if let Some((_, help)) = FOREIGN.iter().find(|(foreign, _)| *foreign == key) {
        return diagnostic.help(*help);
    }
    match nearest(key, names) {
        Some(near) => diagnostic.help(format!("the nearest key is `{near}`")),
        None if known.is_empty() => diagnostic,
        None => diagnostic.help(format!("the keys here are {}", quoted(known))),
    }
}

/// The keys that the schema knows where an unknown one was found.
fn known_keys(error: &ValidationError<'_>) -> Vec<String> {
    let Some(path) = error.absolute_keyword_location().map(ToString::to_string) else {
        return keys_at(error.schema_path().as_str());
    };
    keys_at(path.split('#').nth(1).unwrap_or_default())
}

fn keys_at(keyword: &str) -> Vec<String> {
    let Some((object, _)) = keyword.rsplit_once('/') else { return Vec::new() };
    [super::document::detection_schema(), super::document::list_schema()]
        .iter()
        .find_map(|schema| Some(schema.pointer(object)?.get("properties")?.as_object()?.keys().cloned().collect()))
        .unwrap_or_default()
}

fn not_among(error: &ValidationError<'_>, words: &[String], kinds: &[&str], span: Span) -> Diagnostic {
    let found = error.instance().as_str().map_or_else(|| error.instance().to_string(), ToOwned::to_owned);
    let diagnostic = Diagnostic::new(Code::InvalidValue, span, format!("`{found}` is none of the accepted values"));
    let diagnostic = match nearest(&found, words.iter().map(String::as_str)) {
        Some(near) => diagnostic.help(format!("the nearest value is `{near}`")),
        None => diagnostic,
    };
    let kinds: String = kinds.iter().map(|kind| format!(", or {kind}")).collect();
    let verb = if words.len() == 1 { "value is" } else { "values are" };
    diagnostic.help(format!("the {verb} {}{kinds}", quoted(words)))
}

/// What a value violates, and what to do about it.
fn constraint(kind: &ValidationErrorKind, error: &ValidationError<'_>) -> (String, Option<String>) {
    let found = error.instance().as_str().map_or_else(|| error.instance().to_string(), ToOwned::to_owned);
    match kind {
        ValidationErrorKind::Pattern { pattern } => match form_of(pattern) {
            Some((form, help)) => (format!("`{found}` is no {form}"), Some(help.to_owned())),
            None => (format!("`{found}` does not have the form `{pattern}`"), None),
        },
        ValidationErrorKind::Format { format } if format == "date" => {
            (format!("`{found}` is no date"), Some("write year, month and day: `2027-06-30`".to_owned()))
        }
        ValidationErrorKind::MinLength { .. } => ("the text is empty".to_owned(), Some("write a few words".to_owned())),
        ValidationErrorKind::MaxLength { limit } => {
            (format!("the text is longer than {limit} characters"), Some("say it in one line".to_owned()))
        }
        ValidationErrorKind::Minimum { limit } => {
            (format!("`{found}` is below {limit}"), Some(format!("the smallest value is {limit}")))
        }
        ValidationErrorKind::MinProperties { .. } => {
            let help = "name one: `created: { source: aws.cloudtrail, where: .. }`";
            ("at least one signal is needed".to_owned(), Some(help.to_owned()))
        }
        _ => (error.to_string(), None),
    }
}

/// What a pattern of the detection schema stands for, and how it is written.
fn form_of(pattern: &str) -> Option<(&'static str, &'static str)> {
    Some(match pattern {
        r"^[a-z][a-z0-9_]*$" => ("name", "a name is lower-case letters, digits and `_`, a letter first"),
        r"^-?[0-9]+(ms|s|m|h|d)$" => ("offset", "an offset is a whole number with one unit, such as `29m`"),
        r"^DET[0-9]{4}$" => ("detection strategy", "a detection strategy is written like `DET0078`"),
        r"^AN[0-9]{4}$" => ("analytic", "an analytic is written like `AN0215`"),
        r"^T[0-9]{4}(\.[0-9]{3})?$" => ("technique", "a technique is written like `T1098` or `T1059.009`"),
        _ if pattern.starts_with("^[0-9a-fA-F]{8}") => {
            ("UUID", "an id is made once for each detection, with `uuidgen` for example")
        }
        _ => return None,
    })
}

/// What can stand behind a key that is missing.
fn example_of(key: &str) -> &'static str {
    match key {
        "id" => " with a UUID that `uuidgen` makes, for example",
        "status" => " with `experimental`, `test`, `stable` or `deprecated`",
        "severity" => " with `informational`, `low`, `medium`, `high` or `critical`",
        "source" => " with the telemetry source; `detc schema list` shows them",
        "signals" => " with the events to look for, such as `created: { source: aws.cloudtrail, where: .. }`",
        "title" => " with one line that says what happened",
        "description" => " with why it matters",
        "default" => " with a value of the declared type",
        "value" => " with what is compared",
        "expect" => " with what the events raise, such as `{ alerts: 1 }`",
        "owner" => " with who answers for it",
        "reason" => " with why it is approved",
        _ => "",
    }
}

fn wanted(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(kind) => word_of(*kind).to_owned(),
        TypeKind::Multiple(kinds) => {
            let words: Vec<&str> = kinds.iter().filter(|kind| *kind != JsonType::Null).map(word_of).collect();
            words.join(" or ")
        }
    }
}

const fn word_of(kind: JsonType) -> &'static str {
    match kind {
        JsonType::Array => "a list",
        JsonType::Boolean => "`true` or `false`",
        JsonType::Integer => "a whole number",
        JsonType::Null => "nothing",
        JsonType::Number => "a number",
        JsonType::Object => "a group of keys",
        JsonType::String => "a text",
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

/// The key that a group belongs to; in a list, the first key of the group.
fn group_place(tree: &Node, pointer: &str, span: Span) -> Span {
    let first = || Some(tree.pointer(pointer)?.as_mapping()?.first()?.key.span);
    tree.key_span(pointer).or_else(first).unwrap_or(span)
}

fn start_of(span: Span) -> Span {
    Span { end: span.start, ..span }
}

fn remove(value: &mut Value, pointer: &str, stand_in: StandIn) {
    let Some((parent, key)) = pointer.rsplit_once('/') else { return };
    match value.pointer_mut(parent) {
        Some(Value::Object(members)) => {
            members.shift_remove(&unescaped(key));
        }
        Some(Value::Array(items)) => {
            // The place is kept, so that what stands behind it keeps its index.
            if let Some(item) = key.parse().ok().and_then(|index: usize| items.get_mut(index)) {
                *item = match stand_in {
                    StandIn::Group => Value::Object(serde_json::Map::new()),
                    StandIn::List => Value::Array(Vec::new()),
                    StandIn::Text => Value::String(String::new()),
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
