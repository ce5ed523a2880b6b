//! Resolves signals: events of a source, or hits of a behaviour over other signals, with conditions and columns.

use std::sync::Arc;

use super::hits::{self, Reach};
use super::scope::{Environment, Typer};
use super::{Context, Draft, behavior, classes, is_identifier, quoted};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::ir::{Column, Predicate, Signal, Stage};
use crate::schema::{Source, nearest};
use crate::source::Spanned;
use crate::syntax::behavior_ast::{Arithmetic, Behavior, Body, Condition};
use crate::syntax::{DetectionFile, SignalText, Text};

/// The signals that could be read, in the order of the text, and whether that is all of them.
///
/// A composed signal is resolved behind those that it is made of.
pub(super) fn resolve(
    file: &DetectionFile,
    context: &Context<'_>,
    environment: &Environment<'_>,
    diagnostics: &mut Diagnostics,
) -> (Vec<Draft>, bool) {
    let mut drafts: Vec<Draft> = Vec::new();
    let mut open: Vec<&SignalText> = Vec::new();
    for text in &file.signals {
        if text.is_composed {
            open.push(text);
        } else if let Some(signal) = of_source(text, context, environment, diagnostics) {
            drafts.push(Draft { signal });
        }
    }
    while !open.is_empty() {
        let waits = |text: &&SignalText| {
            let names = text.behavior.as_ref().map(|behavior| names(&behavior.node)).unwrap_or_default();
            open.iter().any(|other| names.contains(&other.name.node))
        };
        let (waiting, ready): (Vec<&SignalText>, Vec<&SignalText>) = open.iter().partition(|text| waits(text));
        if ready.is_empty() {
            for text in &waiting {
                let message = format!("the signal `{}` is made of its own hits", text.name.node);
                let diagnostic = Diagnostic::new(Code::CircularSignal, text.name.span, message);
                diagnostics.push(diagnostic.help("a signal is made of signals that do not name it"));
            }
            break;
        }
        for text in ready {
            if let Some(signal) = of_behavior(text, file, &drafts, environment, diagnostics) {
                drafts.push(Draft { signal });
            }
        }
        open = waiting;
    }
    let order = |draft: &Draft| file.signals.iter().position(|text| text.name.node == draft.signal.name.node);
    drafts.sort_by_key(order);
    let whole = drafts.len() == file.signals.len();
    (drafts, whole)
}

fn of_source(
    text: &SignalText,
    context: &Context<'_>,
    environment: &Environment<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Signal> {
    let wanted = text.source.as_ref()?;
    if context.catalog.classes.contains(&wanted.node) {
        let (source, class) = classes::resolve(wanted, text.sources.as_deref(), context.catalog, diagnostics)?;
        let signal = conditions(text, &source, None, environment, diagnostics)?;
        return Some(Signal { class: Some(class), ..signal });
    }
    if let Some(first) = text.sources.as_ref().and_then(|sources| sources.first()) {
        let message = format!("`{}` is no class, so it has no sources to choose from", wanted.node);
        let classes: Vec<&str> = context.catalog.classes.names().collect();
        let help = format!("remove `sources`; the classes are {}", quoted(&classes));
        diagnostics.push(Diagnostic::new(Code::InvalidValue, first.span, message).help(help));
    }
    let Some(source) = context.catalog.source(&wanted.node) else {
        let diagnostic = Diagnostic::new(Code::UnknownSource, wanted.span, format!("unknown source `{}`", wanted.node));
        let names = context.catalog.sources().map(|source| source.name.as_str());
        let names: Vec<&str> = names.chain(context.catalog.classes.names()).collect();
        diagnostics.push(match nearest(&wanted.node, names.iter().copied()) {
            Some(near) => diagnostic.help(format!("the nearest source is `{near}`")),
            None => diagnostic.help(format!("the sources and classes are {}", quoted(&names))),
        });
        return None;
    };
    conditions(text, source, None, environment, diagnostics)
}

fn of_behavior(
    text: &SignalText,
    file: &DetectionFile,
    drafts: &[Draft],
    environment: &Environment<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Signal> {
    let written = text.behavior.as_ref()?;
    let stage = behavior::stage(file, written, drafts, environment, diagnostics)?;
    let source = hits::source_of(&text.name.node, &stage, Reach::Closing);
    conditions(text, &source, Some(Box::new(stage)), environment, diagnostics)
}

/// The columns and the condition of a signal.
fn conditions(
    text: &SignalText,
    source: &Arc<Source>,
    stage: Option<Box<Stage>>,
    environment: &Environment<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Signal> {
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
    Some(Signal {
        name: text.name.clone(),
        source: source.clone(),
        stage,
        class: None,
        predicate,
        keys: Vec::new(),
        columns,
    })
}

/// Whether a name can stand for a column of a source.
fn check_column_name(name: &Spanned<String>, source: &Source, diagnostics: &mut Diagnostics) -> bool {
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

/// Every signal that a written behaviour names.
fn names(behavior: &Behavior) -> Vec<String> {
    let mut names: Vec<String> = behavior.clauses.until.iter().map(|until| until.node.clone()).collect();
    let head = |path: &crate::syntax::ast::Path| path.segments.first().map(|segment| segment.name.node.clone());
    match &behavior.body.node {
        Body::Aggregation(condition) => names_in(&condition.node, &mut names),
        Body::Sequence(steps) => names.extend(steps.iter().map(|step| step.signal.node.clone())),
        Body::Union(signals) | Body::All(signals) | Body::Some { signals, .. } => {
            names.extend(signals.iter().map(|signal| signal.node.clone()));
        }
        Body::Score { weights, .. } => names.extend(weights.iter().map(|(signal, _)| signal.node.clone())),
        Body::New(values) | Body::Rare { values, .. } => {
            names.extend(values.iter().filter_map(|path| head(&path.node)));
        }
        Body::Baseline { aggregate, .. } => names.extend(aggregate.paths.iter().filter_map(|path| head(&path.node))),
        Body::Travel(path) => names.extend(head(&path.node)),
    }
    names
}

fn names_in(condition: &Condition, names: &mut Vec<String>) {
    match condition {
        Condition::Or(parts) | Condition::And(parts) => parts.iter().for_each(|part| names_in(&part.node, names)),
        Condition::Not(inner) => names_in(&inner.node, names),
        Condition::Compare { left, right, .. } => {
            names_of(&left.node, names);
            names_of(&right.node, names);
        }
    }
}

fn names_of(side: &Arithmetic, names: &mut Vec<String>) {
    match side {
        Arithmetic::Amount(_) => {}
        Arithmetic::Aggregate(aggregate) => {
            let heads = aggregate.paths.iter().filter_map(|path| path.node.segments.first());
            names.extend(heads.map(|segment| segment.name.node.clone()));
        }
        Arithmetic::Binary { left, right, .. } => {
            names_of(&left.node, names);
            names_of(&right.node, names);
        }
    }
}

/// Reports signals that nothing uses, and a detection without tests.
pub(super) fn warn_of_unused(file: &DetectionFile, stage: &Stage, diagnostics: &mut Diagnostics) {
    let mut used = Vec::new();
    collect(stage, &mut used);
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

fn collect(stage: &Stage, used: &mut Vec<String>) {
    for signal in &stage.signals {
        used.push(signal.name.node.clone());
        if let Some(inner) = &signal.stage {
            collect(inner, used);
        }
    }
}
