//! From what the author wrote to typed IR: names are resolved, types checked, parameters and lists put in.
//!
//! Never stops at a mistake: all of a file's are reported, and only then is the detection refused.

mod aggregates;
mod alert;
mod amounts;
mod attack;
mod behavior;
mod classes;
mod clauses;
mod conditions;
mod constants;
mod exceptions;
mod functions;
mod hits;
mod keys;
mod lists;
mod overrides;
mod parameters;
mod paths;
mod predicate;
mod relations;
mod scope;
mod sequence;
mod signals;
mod tests;
mod value;

use std::collections::{BTreeMap, BTreeSet};

pub use lists::{List, ListEntries, Lists};
pub use overrides::with_test_parameters;
pub use tests::native_event;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::ir::{
    Alert, Attack, Behavior, Detection, ListUse, Metadata, Predicate, Severity, Signal, SignalId, Stage, Status, Step,
    implies,
};
use crate::schema::{AttackCatalog, Catalog, nearest};
use crate::source::{Span, Spanned};
use crate::syntax::DetectionFile;
use crate::syntax::document;

use scope::Environment;

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

/// A signal as it is before exceptions filter it.
struct Draft {
    signal: Signal,
}

/// Resolves a detection; `None` where it has mistakes, which the diagnostics explain.
#[must_use]
pub fn analyse(file: &DetectionFile, context: &Context<'_>) -> (Option<Detection>, Diagnostics) {
    let mut diagnostics = Diagnostics::default();
    let name = Spanned::new(file.document.detection.clone(), file.span("/detection"));
    let (parameters, mistaken) = parameters::resolve(file, context.settings, &mut diagnostics);
    let environment = Environment::new(parameters, mistaken, context.lists);
    check_targets(file, context, &mut diagnostics);
    let (drafts, whole) = signals::resolve(file, context, &environment, &mut diagnostics);
    check_duplicates(file, &mut diagnostics);
    let mut stage = behavior::resolve(file, &drafts, &environment, whole, &mut diagnostics);
    let applied = exceptions::apply(file, &drafts, stage.as_mut(), context, &environment, &mut diagnostics);
    tests::check(file, context.catalog, &mut diagnostics);
    attack::check(file, context.attack, &mut diagnostics);
    let mut alert = Alert::default();
    if let Some(stage) = &mut stage {
        signals::warn_of_unused(file, stage, &mut diagnostics);
        warn_of_missing_keys(stage, &mut diagnostics);
        warn_of_implied_steps(stage, &mut diagnostics);
        let (shown, columns) = alert::resolve(file, stage, &environment, &mut diagnostics);
        alert = shown;
        let hidden = std::mem::take(&mut stage.columns);
        stage.columns = columns;
        for column in hidden {
            if !stage.columns.iter().any(|other| other.name == column.name) {
                stage.columns.push(column);
            }
        }
        hits::carry(stage, &environment);
    }
    environment.warn_of_unused_parameters(&mut diagnostics);
    overrides::check(file, context, &mut diagnostics);
    if diagnostics.has_errors() {
        return (None, diagnostics);
    }
    if let Some(stage) = &mut stage {
        classes::keep_possible(stage);
    }
    let detection = stage.map(|stage| Detection {
        file: file.file,
        name,
        metadata: metadata(&file.document, context.attack),
        stage,
        filter: applied.filter,
        alert,
        parameters: environment.parameter_uses(),
        lists: environment.list_uses().into_iter().map(|(name, entries)| ListUse { name, entries }).collect(),
        exceptions: applied.uses,
        targets: file.document.targets.as_ref().map(|_| file.texts("/targets")),
    });
    (detection, diagnostics)
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

fn warn_of_missing_keys(stage: &Stage, diagnostics: &mut Diagnostics) {
    for inner in stage.signals.iter().filter_map(|signal| signal.stage.as_ref()) {
        warn_of_missing_keys(inner, diagnostics);
    }
    if matches!(stage.behavior.node, Behavior::Event { .. }) || !stage.keys.is_empty() {
        return;
    }
    let message = "the behaviour has no keys, so events of different identities count together";
    let diagnostic = Diagnostic::new(Code::NoKeys, stage.behavior.span, message);
    if !diagnostics.iter().any(|other| other.code == Code::NoKeys && other.span == diagnostic.span) {
        diagnostics.push(diagnostic.help("add `by` with what the events must share, such as `by userIdentity.arn`"));
    }
}

/// Neighbouring steps, and members of a group, of which one implies the other.
fn warn_of_implied_steps(stage: &Stage, diagnostics: &mut Diagnostics) {
    for inner in stage.signals.iter().filter_map(|signal| signal.stage.as_ref()) {
        warn_of_implied_steps(inner, diagnostics);
    }
    let pairs: Vec<(SignalId, SignalId, Span)> = match &stage.behavior.node {
        Behavior::Sequence(sequence) => {
            let pair = |pair: &[Step]| match pair {
                [one, other] => Some((one.signal, other.signal, other.span)),
                _ => None,
            };
            sequence.steps.windows(2).filter_map(pair).collect()
        }
        Behavior::Group(group) => {
            let members = group.members.iter().enumerate();
            members
                .flat_map(|(index, other)| {
                    group.members.iter().take(index).map(|one| (one.signal, other.signal, other.span))
                })
                .collect()
        }
        Behavior::Event { .. }
        | Behavior::Count { .. }
        | Behavior::Distinct { .. }
        | Behavior::Aggregation(_)
        | Behavior::Rare(_)
        | Behavior::Baseline(_)
        | Behavior::Travel(_) => Vec::new(),
    };
    for (one, other, span) in pairs {
        let (Some(first), Some(second)) = (stage.signal(one), stage.signal(other)) else { continue };
        let comparable =
            one != other && first.source.name == second.source.name && first.stage.is_none() && second.stage.is_none();
        if !comparable {
            continue;
        }
        let (one, other) = (&first.name.node, &second.name.node);
        if first.predicate.node == second.predicate.node {
            let message = format!("`{one}` and `{other}` are the same events");
            let help = format!("if two such events are meant, write `{one}{{2}}`");
            diagnostics.push(Diagnostic::new(Code::ImpliedStep, span, message).help(help));
        } else if implies(&first.predicate.node, &second.predicate.node)
            && !implies(&second.predicate.node, &first.predicate.node)
            && first.predicate.node != Predicate::Constant(true)
        {
            let message = format!("every event of `{one}` is an event of `{other}` too");
            let help = format!("take those events out of `{other}`, unless they are meant to count there");
            diagnostics.push(Diagnostic::new(Code::ImpliedStep, span, message).help(help));
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
