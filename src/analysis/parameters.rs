//! Parameters: their declared types and the values in force.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::ir::{Decimal, Literal, Network};
use crate::schema::Duration;
use crate::source::Span;
use crate::syntax::DetectionFile;
use crate::syntax::document::ParameterType;
use crate::yaml::Node;

/// A parameter with the value in force.
#[derive(Debug, Clone)]
pub(super) struct Parameter {
    /// The value.
    pub value: Setting,
    /// The value as text, for the manifest.
    pub text: String,
    /// Whether the value was given from outside.
    pub overridden: bool,
    /// ATT&CK mutable element that it stands for.
    pub mutable_element: Option<String>,
    /// Where its name is written.
    pub span: Span,
}

/// Value of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Setting {
    /// A constant.
    One(Literal),
    /// A span of time.
    Duration(Duration),
    /// Constants.
    Many(Vec<Literal>),
}

/// Reads the parameters of a detection; `settings` override defaults.
///
/// Gives the names of those beside whose declaration has a mistake, which has been reported.
pub(super) fn resolve(
    file: &DetectionFile,
    settings: &BTreeMap<String, String>,
    diagnostics: &mut Diagnostics,
) -> (IndexMap<String, Parameter>, BTreeSet<String>) {
    let mut parameters = IndexMap::new();
    // What was left out of the document was malformed.
    let written = file.tree.get("parameters").and_then(Node::as_mapping).unwrap_or_default();
    let mut mistaken: BTreeSet<String> = written.iter().map(|entry| entry.key.node.clone()).collect();
    for (name, declared) in &file.document.parameters {
        let span = file
            .tree
            .get("parameters")
            .and_then(|group| group.entry(name))
            .map(|entry| entry.key.span)
            .unwrap_or_else(|| file.span("/parameters"));
        let pointer = format!("/parameters/{}/default", escaped(name));
        let ty = file.scalar(&format!("/parameters/{}/type", escaped(name))).map(|scalar| scalar.text.as_str());
        if ty.is_none_or(|ty| !is_type(ty)) || file.tree.pointer(&pointer).is_none() {
            continue;
        }
        let written = file.scalar(&pointer).map(|scalar| scalar.text.clone());
        let (found, overridden) = match settings.get(name) {
            Some(text) => (from_text(declared.ty, text), true),
            None => (from_default(declared.ty, &declared.default, written.as_deref()), false),
        };
        match found {
            Ok(value) => {
                let text = text_of(&value);
                let mutable_element = declared.mutable_element.clone();
                mistaken.remove(name);
                parameters.insert(name.clone(), Parameter { value, text, overridden, mutable_element, span });
            }
            Err(message) if overridden => {
                let message = format!("the value given for parameter `{name}`: {message}");
                let diagnostic = Diagnostic::new(Code::WrongConfiguration, span, message);
                diagnostics.push(diagnostic.label("declared here").help(form_of(declared.ty)));
            }
            Err(message) => {
                let code =
                    if declared.ty == ParameterType::Duration { Code::InvalidDuration } else { Code::TypeMismatch };
                diagnostics.push(Diagnostic::new(code, file.span(&pointer), message).help(form_of(declared.ty)));
            }
        }
    }
    (parameters, mistaken)
}

/// Whether a value that is written for a parameter is of its type; otherwise why not, and how it is written.
pub(super) fn written_value(ty: ParameterType, value: &Node) -> Result<(), (String, &'static str)> {
    let written = value.as_scalar().map(|scalar| scalar.text.as_str());
    from_default(ty, &crate::yaml::to_json(value), written).map(|_| ()).map_err(|why| (why, form_of(ty)))
}

/// Whether a text names a type of parameters.
fn is_type(text: &str) -> bool {
    serde_json::from_value::<ParameterType>(Json::from(text)).is_ok()
}

/// How a value of a type is written.
const fn form_of(ty: ParameterType) -> &'static str {
    match ty {
        ParameterType::Text => "a `string` is one text",
        ParameterType::Int => "an `int` is digits, such as `20`",
        ParameterType::Float => "a `float` is digits with a point, such as `0.5`",
        ParameterType::Bool => "a `bool` is `true` or `false`",
        ParameterType::Duration => "a `duration` is a whole number with one unit, such as `90s`, `15m`, `1h` or `7d`",
        ParameterType::Ip => "an `ip` is an address such as `10.0.0.1`, or a block such as `10.0.0.0/8`",
        ParameterType::TextList | ParameterType::IntList | ParameterType::FloatList | ParameterType::IpList => {
            "a list is written `[a, b]` in the file, `a,b` behind `--set`"
        }
    }
}

/// A value given as text; a list's items are separated by commas.
fn from_text(ty: ParameterType, text: &str) -> Result<Setting, String> {
    match item_type(ty) {
        Some(item) => {
            let items: Result<Vec<_>, _> = text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .map(|text| constant(item, text))
                .collect();
            items.map(Setting::Many)
        }
        None => scalar(ty, text),
    }
}

fn from_default(ty: ParameterType, default: &Json, written: Option<&str>) -> Result<Setting, String> {
    match (item_type(ty), default) {
        (Some(item), Json::Array(items)) => {
            let items: Result<Vec<_>, _> = items.iter().map(|value| constant(item, &plain(value))).collect();
            items.map(Setting::Many)
        }
        (Some(_), _) => Err("expected a list, found something else".to_owned()),
        (None, Json::Array(_) | Json::Object(_)) => Err("expected a single value, found several".to_owned()),
        (None, value) => scalar(ty, written.map(ToOwned::to_owned).unwrap_or_else(|| plain(value)).as_str()),
    }
}

/// A member's name as a segment of a JSON pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Text of a scalar.
fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

const fn item_type(ty: ParameterType) -> Option<ParameterType> {
    match ty {
        ParameterType::TextList => Some(ParameterType::Text),
        ParameterType::IntList => Some(ParameterType::Int),
        ParameterType::FloatList => Some(ParameterType::Float),
        ParameterType::IpList => Some(ParameterType::Ip),
        ParameterType::Text
        | ParameterType::Int
        | ParameterType::Float
        | ParameterType::Bool
        | ParameterType::Duration
        | ParameterType::Ip => None,
    }
}

fn scalar(ty: ParameterType, text: &str) -> Result<Setting, String> {
    if ty == ParameterType::Duration {
        return text.parse().map(Setting::Duration).map_err(|_| format!("`{text}` is no duration"));
    }
    constant(ty, text).map(Setting::One)
}

fn constant(ty: ParameterType, text: &str) -> Result<Literal, String> {
    let wrong = |wanted: &str| Err(format!("`{text}` is no {wanted}"));
    match ty {
        ParameterType::Int => text.parse().map(Literal::Int).or_else(|_| wrong("whole number of 64 bits")),
        ParameterType::Float => {
            let decimal = if text.contains('.') { text.to_owned() } else { format!("{text}.0") };
            Decimal::parse(&decimal).map(Literal::Float).map_or_else(|| wrong("decimal number"), Ok)
        }
        ParameterType::Bool => text.parse().map(Literal::Bool).or_else(|_| wrong("`true` or `false`")),
        ParameterType::Ip if Network::parse(text).is_none() => wrong("address or block of addresses"),
        _ if text.is_empty() => Err("the text is empty".to_owned()),
        _ => Ok(Literal::Text(text.to_owned())),
    }
}

fn text_of(value: &Setting) -> String {
    match value {
        Setting::One(literal) => literal.to_string(),
        Setting::Duration(duration) => duration.to_string(),
        Setting::Many(items) => items.iter().map(ToString::to_string).collect::<Vec<_>>().join(","),
    }
}
