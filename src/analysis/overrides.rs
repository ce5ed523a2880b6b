//! Puts the parameters of a test in place of the defaults, and finds those that cannot stand there.
//!
//! Never runs a test: that is the work of `verify`.

use std::collections::BTreeMap;

use super::parameters::written_value;
use super::{Context, analyse};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity};
use crate::schema::nearest;
use crate::syntax::DetectionFile;
use crate::yaml::{Entry, Node, NodeKind};

/// The detection with the parameters of its test at `index` as defaults; what the command line sets gives way to them.
#[must_use]
pub fn with_test_parameters(
    file: &DetectionFile,
    index: usize,
    settings: &BTreeMap<String, String>,
) -> (DetectionFile, BTreeMap<String, String>) {
    let (mut file, mut settings) = (file.clone(), settings.clone());
    let written = file.tree.pointer(&format!("/tests/{index}/parameters")).and_then(Node::as_mapping);
    let written: Vec<Entry> = written.unwrap_or_default().to_vec();
    let values = file.document.tests.get(index).map(|test| test.parameters.clone()).unwrap_or_default();
    for entry in written {
        let name = &entry.key.node;
        let (Some(declared), Some(value)) = (file.document.parameters.get_mut(name), values.get(name)) else {
            continue;
        };
        declared.default = value.clone();
        settings.remove(name);
        if let Some(default) = default_of(&mut file.tree, name) {
            *default = entry.value;
        }
    }
    (file, settings)
}

/// Reports parameters of tests that do not exist or are of another type, and those with which the detection has mistakes.
///
/// To be asked about a detection that has none with its own defaults.
pub(super) fn check(file: &DetectionFile, context: &Context<'_>, diagnostics: &mut Diagnostics) {
    let tests = file.tree.get("tests").and_then(Node::as_sequence).unwrap_or_default();
    for (index, test) in tests.iter().enumerate() {
        let written = test.get("parameters").and_then(Node::as_mapping).unwrap_or_default();
        let before = diagnostics.len();
        for entry in written {
            check_one(file, entry, diagnostics);
        }
        if written.is_empty() || diagnostics.len() > before || diagnostics.has_errors() {
            continue;
        }
        let (mut changed, settings) = with_test_parameters(file, index, context.settings);
        changed.document.tests.clear();
        remove_tests(&mut changed.tree);
        let (_, found) = analyse(&changed, &Context { settings: &settings, ..*context });
        for error in found.into_sorted().into_iter().filter(|found| found.severity == Severity::Error) {
            let span = test.key_span("/parameters").unwrap_or(test.span);
            let message = format!("with these parameters: {}", error.message);
            let mut diagnostic = Diagnostic::new(error.code, span, message);
            diagnostic.help = error.help;
            diagnostics.push(diagnostic);
        }
    }
}

fn check_one(file: &DetectionFile, entry: &Entry, diagnostics: &mut Diagnostics) {
    let name = &entry.key.node;
    let Some(declared) = file.document.parameters.get(name) else {
        let message = format!("the detection has no parameter `{name}`");
        let diagnostic = Diagnostic::new(Code::UnknownKey, entry.key.span, message);
        diagnostics.push(match nearest(name, file.document.parameters.keys().map(String::as_str)) {
            Some(near) => diagnostic.help(format!("the nearest parameter is `{near}`")),
            None => diagnostic.help("a test gives values to what stands under `parameters`"),
        });
        return;
    };
    if let Err((message, help)) = written_value(declared.ty, &entry.value) {
        let message = format!("the value given for parameter `{name}`: {message}");
        diagnostics.push(Diagnostic::new(Code::TypeMismatch, entry.value.span, message).help(help));
    }
}

/// The default of a parameter.
fn default_of<'t>(tree: &'t mut Node, name: &str) -> Option<&'t mut Node> {
    ["parameters", name, "default"].iter().try_fold(tree, |node, key| member(node, key))
}

fn member<'t>(node: &'t mut Node, key: &str) -> Option<&'t mut Node> {
    let NodeKind::Mapping(entries) = &mut node.kind else { return None };
    entries.iter_mut().find(|entry| entry.key.node == key).map(|entry| &mut entry.value)
}

fn remove_tests(tree: &mut Node) {
    if let NodeKind::Mapping(entries) = &mut tree.kind {
        entries.retain(|entry| entry.key.node != "tests");
    }
}
