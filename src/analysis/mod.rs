//! From what the author wrote to typed IR: names are resolved, types checked, parameters and lists put in.
//!
//! Never stops at a mistake: all of a file's are reported, and only then is the detection refused.

mod alert;
mod attack;
mod behavior;
mod conditions;
mod constants;
mod exceptions;
mod functions;
mod keys;
mod lists;
mod parameters;
mod paths;
mod predicate;
mod relations;
mod scope;
mod tests;
mod value;

use std::collections::{BTreeMap, BTreeSet};

pub use lists::{List, ListEntries, Lists};
pub use tests::native_event;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::ir::{Attack, Column, Detection, ListUse, Metadata, Predicate, Severity, Signal, Stage, Status, implies};
use crate::schema::{AttackCatalog, Catalog, nearest};
use crate::source::Spanned;
use crate::syntax::document;
use crate::syntax::{DetectionFile, Text};

use scope::{Environment, Typer};

/// What a detection is resolved against.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Known sources.
    pub catalog: &'a Catalog,
    /// ATT&CK identifiers.
    pub attack: &'a AttackCatalog,
    /// Known lists.
    pub lists: &'a Lists,
    /// Names of the known targets.
    pub targets: &'a BTreeSet<String>,
    /// Parameters given from outside, as text by name.
    pub settings: &'a BTreeMap<String, String>,
    /// The day on which expiry is judged, `YYYY-MM-DD` in UTC.
    pub today: &'a str,
}

/// A signal with the scope that its columns make, before exceptions are put in.
struct Draft {
    signal: Signal,
    positive: bool,
}

/// Resolves a detection; `None` where it has mistakes, which the diagnostics explain.
#[must_use]
pub fn analyse(file: &DetectionFile, context: &Context<'_>) -> (Option<Detection>, Diagnostics) {
    let mut diagnostics = Diagnostics::default();
    let name = Spanned::new(file.document.detection.clone(), file.span("/detection"));
    let (parameters, mistaken) = parameters::resolve(file, context.settings, &mut diagnostics);
    let environment = Environment::new(parameters, mistaken, context.lists);
    check_targets(file, context, &mut diagnostics);
    let mut drafts = Vec::new();
    let mut whole = true;
    for text in &file.signals {
        match signal(text, context, &environment, &mut diagnostics) {
            Some(signal) => drafts.push(Draft { signal, positive: true }),
            None => whole = false,
        }
    }
    check_duplicates(file, &mut diagnostics);
    let behavior = behavior::resolve(file, &drafts, &environment, whole, &mut diagnostics);
    let uses = exceptions::apply(file, &mut drafts, behavior.as_ref(), context, &environment, &mut diagnostics);
    tests::check(file, context.catalog, &mut diagnostics);
    attack::check(file, context.attack, &mut diagnostics);
    let resolved = behavior.map(|resolved| {
        let signals: Vec<Signal> = resolved
            .used
            .iter()
            .filter_map(|name| drafts.iter().find(|draft| draft.signal.name.node == *name))
            .zip(&resolved.keys_of_signals)
            .map(|(draft, keys)| Signal { keys: keys.clone(), ..draft.signal.clone() })
            .collect();
        warn_of_unused(file, &resolved.used, &mut diagnostics);
        warn_of_missing_keys(&resolved, &mut diagnostics);
        warn_of_implied_steps(&resolved, &signals, &mut diagnostics);
        let alert = alert::resolve(file, &resolved, &signals, &environment, &mut diagnostics);
        (resolved, signals, alert)
    });
    environment.warn_of_unused_parameters(&mut diagnostics);
    if diagnostics.has_errors() {
        return (None, diagnostics);
    }
    let detection = resolved.map(|(resolved, signals, alert)| Detection {
        file: file.file,
        name,
        metadata: metadata(&file.document, context.attack),
        stage: Stage { signals, behavior: resolved.behavior, keys: resolved.keys, columns: alert.1 },
        filter: Spanned::new(Predicate::Constant(true), file.span("/detection")),
        alert: alert.0,
        parameters: environment.parameter_uses(),
        lists: environment.list_uses().into_iter().map(|(name, entries)| ListUse { name, entries }).collect(),
        exceptions: uses,
        targets: file.document.targets.as_ref().map(|_| file.texts("/targets")),
    });
    (detection, diagnostics)
}

fn signal(
    text: &crate::syntax::SignalText,
    context: &Context<'_>,
    environment: &Environment<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Signal> {
    let wanted = text.source.as_ref()?;
    let Some(source) = context.catalog.source(&wanted.node) else {
        let diagnostic = Diagnostic::new(Code::UnknownSource, wanted.span, format!("unknown source `{}`", wanted.node));
        let names: Vec<&str> = context.catalog.sources().map(|source| source.name.as_str()).collect();
        diagnostics.push(match nearest(&wanted.node, names.iter().copied()) {
            Some(near) => diagnostic.help(format!("the nearest source is `{near}`")),
            None => diagnostic.help(format!("the sources are {}", quoted(&names))),
        });
        return None;
    };
    let mut typer = Typer::new(source, environment);
    let mut columns = Vec::new();
    let mut whole = true;
    for (index, (name, expression)) in text.columns.iter().enumerate() {
        typer.later = text.columns.iter().skip(index + 1).map(|(name, _)| name.node.clone()).collect();
        let value = expression.as_ref().and_then(|expression| typer.value(expression));
        let named = check_column_name(name, source, &mut typer.diagnostics);
        match value {
            Some(value) if named => {
                typer.columns.push((name.node.clone(), value.node.clone()));
                columns.push(Column { name: name.clone(), value: value.node });
            }
            _ => whole = false,
        }
    }
    typer.later.clear();
    let predicate = match &text.condition {
        Text::Absent => Some(Spanned::new(Predicate::Constant(true), text.name.span)),
        Text::Unreadable => None,
        Text::Expr(expression) => typer.predicate(expression),
    };
    diagnostics.extend(typer.diagnostics);
    let predicate = predicate.filter(|_| whole)?;
    Some(Signal { name: text.name.clone(), source: source.clone(), stage: None, predicate, keys: Vec::new(), columns })
}

/// Whether a name can stand for a column of a source.
fn check_column_name(name: &Spanned<String>, source: &crate::schema::Source, diagnostics: &mut Diagnostics) -> bool {
    if !is_identifier(&name.node) {
        let message = format!("`{}` is no name for a column", name.node);
        let help = "a column is letters, digits and `_`, a letter first; quote a value that holds a comma";
        diagnostics.push(Diagnostic::new(Code::InvalidValue, name.span, message).help(help));
        return false;
    }
    if source.root.named.contains_key(&name.node) || name.node == "time" {
        let message = format!("the column `{}` hides a field of `{}`", name.node, source.name);
        diagnostics.push(Diagnostic::new(Code::HiddenName, name.span, message).help("choose another name"));
        return false;
    }
    true
}

/// Whether a text is a name that needs no quotes and is no keyword.
fn is_identifier(text: &str) -> bool {
    let mut characters = text.chars();
    let starts = characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
    starts && characters.all(|next| next.is_ascii_alphanumeric() || next == '_') && !RESERVED.contains(&text)
}

/// Words that cannot start a path.
const RESERVED: [&str; 14] = [
    "and",
    "or",
    "not",
    "in",
    "as",
    "where",
    "like",
    "matches",
    "contains",
    "starts_with",
    "ends_with",
    "cased",
    "true",
    "false",
];

fn check_duplicates(file: &DetectionFile, diagnostics: &mut Diagnostics) {
    for signal in &file.signals {
        if !is_identifier(&signal.name.node) {
            let message = format!("`{}` cannot name a signal", signal.name.node);
            let help = "a signal is letters, digits and `_`, a letter first, and no word of the language";
            diagnostics.push(Diagnostic::new(Code::ReservedName, signal.name.span, message).help(help));
        }
    }
}

fn check_targets(file: &DetectionFile, context: &Context<'_>, diagnostics: &mut Diagnostics) {
    for target in file.texts("/targets") {
        if context.targets.contains(&target.node) {
            continue;
        }
        let diagnostic = Diagnostic::new(Code::UnknownTarget, target.span, format!("unknown target `{}`", target.node));
        let names: Vec<&str> = context.targets.iter().map(String::as_str).collect();
        diagnostics.push(match nearest(&target.node, names.iter().copied()) {
            Some(near) => diagnostic.help(format!("the nearest target is `{near}`")),
            None => diagnostic.help(format!("the targets are {}", quoted(&names))),
        });
    }
}

fn warn_of_unused(file: &DetectionFile, used: &[String], diagnostics: &mut Diagnostics) {
    for signal in file.signals.iter().filter(|signal| !used.contains(&signal.name.node)) {
        let message = format!("the behaviour does not use the signal `{}`", signal.name.node);
        let help = "use it in `behavior`, or remove it";
        diagnostics.push(Diagnostic::new(Code::UnusedSignal, signal.name.span, message).help(help));
    }
    if file.document.tests.is_empty() {
        let message = "the detection has no tests";
        let diagnostic = Diagnostic::new(Code::NoTests, file.span("/detection"), message);
        diagnostics.push(diagnostic.help("add `tests:` with events that raise an alert and events that do not"));
    }
}

fn warn_of_missing_keys(resolved: &behavior::Resolved, diagnostics: &mut Diagnostics) {
    use crate::ir::Behavior;
    if matches!(resolved.behavior.node, Behavior::Event { .. }) || !resolved.keys.is_empty() {
        return;
    }
    let message = "the behaviour has no keys, so events of different identities count together";
    let diagnostic = Diagnostic::new(Code::NoKeys, resolved.behavior.span, message);
    diagnostics.push(diagnostic.help("add `by` with what the events must share, such as `by userIdentity.arn`"));
}

fn warn_of_implied_steps(resolved: &behavior::Resolved, signals: &[Signal], diagnostics: &mut Diagnostics) {
    let crate::ir::Behavior::Sequence(crate::ir::Sequence { steps, .. }) = &resolved.behavior.node else { return };
    for pair in steps.windows(2) {
        let [one, other] = pair else { continue };
        let (Some(first), Some(second)) = (signals.get(one.signal.0), signals.get(other.signal.0)) else { continue };
        let same_source = first.source.name == second.source.name;
        if one.signal != other.signal && same_source && first.predicate.node == second.predicate.node {
            let message = format!("`{}` and `{}` are the same events", one.name, other.name);
            let help = format!("if two such events are meant, write `{}{{2}}`", one.name);
            diagnostics.push(Diagnostic::new(Code::ImpliedStep, other.span, message).help(help));
        } else if one.signal != other.signal
            && same_source
            && implies(&first.predicate.node, &second.predicate.node)
            && !implies(&second.predicate.node, &first.predicate.node)
            && first.predicate.node != Predicate::Constant(true)
        {
            let message = format!("every event of `{}` is an event of `{}` too", one.name, other.name);
            let help = format!("take those events out of `{}`, unless they are meant to count there", other.name);
            diagnostics.push(Diagnostic::new(Code::ImpliedStep, other.span, message).help(help));
        }
    }
}

fn metadata(document: &document::Document, attack: &AttackCatalog) -> Metadata {
    Metadata {
        id: document.id.to_ascii_lowercase(),
        title: document.title.clone(),
        description: document.description.trim().to_owned(),
        status: match document.status {
            document::Status::Experimental => Status::Experimental,
            document::Status::Test => Status::Test,
            document::Status::Stable => Status::Stable,
            document::Status::Deprecated => Status::Deprecated,
        },
        severity: match document.severity {
            document::Severity::Informational => Severity::Informational,
            document::Severity::Low => Severity::Low,
            document::Severity::Medium => Severity::Medium,
            document::Severity::High => Severity::High,
            document::Severity::Critical => Severity::Critical,
        },
        version: document.version.unwrap_or(1),
        attack: Attack {
            strategy: document.attack.strategy.clone(),
            analytics: document.attack.analytics.clone(),
            techniques: document.attack.techniques.clone(),
            tactics: attack.tactics(&document.attack.techniques),
        },
        authors: document.authors.clone(),
        created: document.created.clone(),
        modified: document.modified.clone(),
        references: document.references.clone(),
        tags: document.tags.clone(),
        false_positives: document.false_positives.clone(),
        triage: document.triage.clone(),
    }
}

/// Names in back-quotes, joined by commas.
fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
