//! Reads a detection file or a list file: structure first, then every expression in it.

use serde::Serialize;

use std::sync::LazyLock;

use indexmap::IndexMap;
use jsonschema::Validator;

use super::ast::Expr;
use super::behavior::parse_behavior;
use super::behavior_ast::Behavior;
use super::document::{self, Document, ListDocument};
use super::expression::parse_expression;
use super::structure::{self, escaped};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::{FileId, Span, Spanned};
use crate::yaml::{Node, Scalar, ScalarStyle};

static DETECTION: LazyLock<Option<Validator>> = LazyLock::new(|| validator(&document::detection_schema()));
static LIST: LazyLock<Option<Validator>> = LazyLock::new(|| validator(&document::list_schema()));

/// A validator that also looks at dates.
fn validator(schema: &serde_json::Value) -> Option<Validator> {
    jsonschema::options().should_validate_formats(true).build(schema).ok()
}

/// A detection file as written.
#[derive(Debug, Clone)]
pub struct DetectionFile {
    /// The file.
    pub file: FileId,
    /// The whole text as a tree with places.
    pub tree: Node,
    /// The structure; what was malformed is left out.
    pub document: Document,
    /// Signals in the order of the text.
    pub signals: Vec<SignalText>,
    /// The behaviour; `None` where it is absent or unreadable.
    pub behavior: Option<Spanned<Behavior>>,
    /// Exceptions in the order of the text.
    pub exceptions: Vec<ExceptionText>,
}

/// A signal as written.
#[derive(Debug, Clone, Serialize)]
pub struct SignalText {
    /// Name.
    pub name: Spanned<String>,
    /// Source; absent where the key is missing.
    pub source: Option<Spanned<String>>,
    /// Sources of a class; all of them where the key is missing.
    pub sources: Option<Vec<Spanned<String>>>,
    /// Whether the events are hits of a behaviour.
    pub is_composed: bool,
    /// That behaviour; `None` where it is unreadable.
    pub behavior: Option<Spanned<Behavior>>,
    /// Condition.
    pub condition: Text,
    /// Columns.
    pub columns: Vec<(Spanned<String>, Option<Spanned<Expr>>)>,
}

/// An exception as written.
#[derive(Debug, Clone, Serialize)]
pub struct ExceptionText {
    /// Condition.
    pub when: Text,
    /// Names of signals.
    pub signals: Option<Vec<Spanned<String>>>,
    /// The whole exception.
    #[serde(skip)]
    pub span: Span,
}

/// An expression that may be absent or unreadable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Text {
    /// Nothing is written.
    Absent,
    /// It could not be read; the diagnostics say why.
    Unreadable,
    /// The expression.
    Expr(Spanned<Expr>),
}

impl DetectionFile {
    /// Place of the node at a JSON pointer, or of the nearest node above it.
    #[must_use]
    pub fn span(&self, pointer: &str) -> Span {
        let mut pointer = pointer;
        loop {
            if let Some(node) = self.tree.pointer(pointer) {
                return node.span;
            }
            match pointer.rsplit_once('/') {
                Some((parent, _)) => pointer = parent,
                None => return self.tree.span,
            }
        }
    }

    /// The scalar at a JSON pointer.
    #[must_use]
    pub fn scalar(&self, pointer: &str) -> Option<&Scalar> {
        self.tree.pointer(pointer)?.as_scalar()
    }

    /// The texts of the list at a JSON pointer, with their places.
    #[must_use]
    pub fn texts(&self, pointer: &str) -> Vec<Spanned<String>> {
        let items = self.tree.pointer(pointer).and_then(Node::as_sequence).unwrap_or_default();
        texts(items)
    }
}

/// The texts among values, with their places.
fn texts(items: &[Node]) -> Vec<Spanned<String>> {
    let texts = items.iter().filter_map(|item| Some(Spanned::new(item.as_scalar()?.text.clone(), item.span)));
    texts.filter(|text| !text.node.is_empty()).collect()
}

/// Whether a text looks like a list file rather than a detection.
#[must_use]
pub fn is_list(tree: &Node) -> bool {
    tree.get("list").is_some() && tree.get("detection").is_none()
}

/// Reads a detection from its tree.
#[must_use]
pub fn read_detection(file: FileId, tree: Node) -> (DetectionFile, Diagnostics) {
    let (document, mut diagnostics): (Document, _) = match DETECTION.as_ref() {
        Some(validator) => structure::read(&tree, validator),
        None => (Document::default(), Diagnostics::default()),
    };
    let signals = read_signals(&tree, &document, &mut diagnostics);
    let behavior = read_behavior(&tree, &mut diagnostics);
    let exceptions = read_exceptions(&tree, &document, &mut diagnostics);
    (DetectionFile { file, tree, document, signals, behavior, exceptions }, diagnostics)
}

fn read_behavior(tree: &Node, diagnostics: &mut Diagnostics) -> Option<Spanned<Behavior>> {
    let node = tree.get("behavior")?;
    let scalar = node.as_scalar()?;
    if scalar.text.trim().is_empty() {
        let diagnostic = Diagnostic::new(Code::InvalidBehavior, node.span, "the behaviour is empty");
        diagnostics.push(diagnostic.help("say what has to happen, such as `a -> b by key within 10m`"));
        return None;
    }
    warn_of_folding(scalar, diagnostics);
    let (behavior, found) = parse_behavior(&scalar.text, &|range| scalar.span_of(range));
    diagnostics.extend(with_comment(scalar, found));
    behavior
}

/// Says where YAML cut a text whose rest is a comment to it.
fn with_comment(scalar: &Scalar, found: Diagnostics) -> Diagnostics {
    let Some(comment) = scalar.comment.filter(|_| found.has_errors()) else { return found };
    let end = scalar.span_of(scalar.text.len()..scalar.text.len()).start;
    let cut = |diagnostic: Diagnostic| match diagnostic.span {
        // The text is wrong because it ends here.
        Some(span) if span.end >= end => Diagnostic::new(Code::InvalidYaml, comment, "` #` starts a comment in YAML")
            .label("a YAML comment starts here")
            .note(span, diagnostic.message)
            .help("quote the whole value, or use a `|` block"),
        _ => diagnostic,
    };
    found.into_iter().map(cut).collect()
}

fn read_signals(tree: &Node, document: &Document, diagnostics: &mut Diagnostics) -> Vec<SignalText> {
    let mut signals = Vec::new();
    for name in document.signals.keys() {
        let pointer = format!("/signals/{}", escaped(name));
        let Some(node) = tree.pointer(&pointer) else { continue };
        let span =
            tree.get("signals").and_then(|group| group.entry(name)).map(|entry| entry.key.span).unwrap_or(node.span);
        let source = node.get("source").and_then(|node| {
            let text = node.as_scalar()?.text.clone();
            (!text.is_empty()).then(|| Spanned::new(text, node.span))
        });
        let condition = read_text(node.get("where"), diagnostics);
        let columns = document
            .signals
            .get(name)
            .map_or_else(Vec::new, |signal| read_columns(&signal.columns, node.get("let"), diagnostics));
        let name = Spanned::new(name.clone(), span);
        check_origin(node, &name, diagnostics);
        let behavior = read_behavior(node, diagnostics);
        let is_composed = node.get("behavior").is_some();
        let sources = node.get("sources").and_then(Node::as_sequence).map(texts);
        signals.push(SignalText { name, source, sources, is_composed, behavior, condition, columns });
    }
    signals
}

/// A signal has a source or a behaviour, and not both.
fn check_origin(node: &Node, name: &Spanned<String>, diagnostics: &mut Diagnostics) {
    // A key without a value says as little as no key.
    let written =
        |key: &str| node.get(key).filter(|value| value.as_scalar().is_none_or(|scalar| !scalar.text.is_empty()));
    if let (Some(sources), Some(_)) = (node.get("sources"), node.get("behavior")) {
        let message = "a signal over hits has no sources to choose from";
        let help = "write `sources` on the signals that the behaviour is made of";
        diagnostics.push(Diagnostic::new(Code::InvalidValue, sources.span, message).help(help));
    }
    match (written("source"), written("behavior")) {
        (Some(_), Some(behavior)) => {
            let message = "a signal has a source or a behaviour, not both";
            let help = "the sources of a behaviour are those of its signals; remove `source`";
            diagnostics.push(Diagnostic::new(Code::InvalidValue, behavior.span, message).help(help));
        }
        (None, None) if node.as_mapping().is_some() && node.get("behavior").is_none() => {
            let help = "add `source:` with the telemetry source; `detc schema list` shows them";
            let diagnostic = Diagnostic::new(Code::MissingKey, name.span, "the key `source` is missing");
            diagnostics.push(diagnostic.help(help).help("or `behavior:` over other signals"));
        }
        _ => {}
    }
}

fn read_columns(
    columns: &IndexMap<String, String>,
    node: Option<&Node>,
    diagnostics: &mut Diagnostics,
) -> Vec<(Spanned<String>, Option<Spanned<Expr>>)> {
    let Some(node) = node else { return Vec::new() };
    let mut read = Vec::new();
    for name in columns.keys() {
        let span = node.entry(name).map_or(node.span, |entry| entry.key.span);
        let expression = match read_text(node.get(name), diagnostics) {
            Text::Expr(expression) => Some(expression),
            Text::Absent | Text::Unreadable => None,
        };
        read.push((Spanned::new(name.clone(), span), expression));
    }
    read
}

fn read_exceptions(tree: &Node, document: &Document, diagnostics: &mut Diagnostics) -> Vec<ExceptionText> {
    let nodes = tree.get("exceptions").and_then(Node::as_sequence).unwrap_or_default();
    let mut exceptions = Vec::new();
    for (node, exception) in nodes.iter().zip(&document.exceptions) {
        let signals = exception.signals.as_ref().map(|_| {
            let items = node.get("signals").and_then(Node::as_sequence).unwrap_or_default();
            items.iter().filter_map(|item| Some(Spanned::new(item.as_scalar()?.text.clone(), item.span))).collect()
        });
        exceptions.push(ExceptionText { when: read_text(node.get("when"), diagnostics), signals, span: node.span });
    }
    exceptions
}

fn read_text(node: Option<&Node>, diagnostics: &mut Diagnostics) -> Text {
    let Some(scalar) = node.and_then(Node::as_scalar) else {
        return if node.is_some() { Text::Unreadable } else { Text::Absent };
    };
    if scalar.text.trim().is_empty() {
        let span = node.map(|node| node.span).unwrap_or_default();
        let diagnostic = Diagnostic::new(Code::InvalidExpression, span, "the expression is empty");
        diagnostics.push(diagnostic.help("write an expression, or remove the key"));
        return Text::Unreadable;
    }
    warn_of_folding(scalar, diagnostics);
    let (expression, found) = parse_expression(&scalar.text, &|range| scalar.span_of(range));
    diagnostics.extend(with_comment(scalar, found));
    expression.map_or(Text::Unreadable, Text::Expr)
}

/// A folded block turns line ends into blanks, also inside a quoted text.
fn warn_of_folding(scalar: &Scalar, diagnostics: &mut Diagnostics) {
    if scalar.style == ScalarStyle::Folded && (scalar.text.contains('"') || scalar.text.contains('\'')) {
        let span = scalar.span_of(0..scalar.text.trim_end().len());
        let message = "a folded block joins lines, also inside a quoted text";
        diagnostics.push(Diagnostic::new(Code::FoldedText, span, message).help("write `|` instead of `>`"));
    }
}

/// A list file as written.
#[derive(Debug, Clone)]
pub struct ListFile {
    /// The file.
    pub file: FileId,
    /// The whole text as a tree with places.
    pub tree: Node,
    /// The structure; what was malformed is left out.
    pub document: ListDocument,
}

/// Reads a list from its tree.
#[must_use]
pub fn read_list(file: FileId, tree: Node) -> (ListFile, Diagnostics) {
    let (document, diagnostics) = match LIST.as_ref() {
        Some(validator) => structure::read(&tree, validator),
        None => (ListDocument::default(), Diagnostics::default()),
    };
    (ListFile { file, tree, document }, diagnostics)
}
