//! Puts exceptions into the signals that they filter, and those on alerts behind the hits.

use std::collections::BTreeMap;

use super::behavior::typer_of;
use super::hits::{self, Reach};
use super::scope::{Environment, Typer};
use super::{Context, Draft};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::ir::{ExceptionUse, Predicate, SignalId, Stage};
use crate::schema::nearest;
use crate::source::{Span, Spanned};
use crate::syntax::{DetectionFile, ExceptionText, Text};

/// The name that stands for finished hits.
const ALERT: &str = "alert";

/// What the exceptions of a file reach.
pub(super) struct Applied {
    /// Each exception with what it filters.
    pub(super) uses: Vec<ExceptionUse>,
    /// The test that finished hits have to pass.
    pub(super) filter: Spanned<Predicate>,
}

/// Filters every positive base signal at any depth, or what an exception names; tells what each exception reached.
pub(super) fn apply(
    file: &DetectionFile,
    drafts: &[Draft],
    mut stage: Option<&mut Stage>,
    context: &Context<'_>,
    environment: &Environment<'_>,
    diagnostics: &mut Diagnostics,
) -> Applied {
    let mut applied =
        Applied { uses: Vec::new(), filter: Spanned::new(Predicate::Constant(true), file.span("/detection")) };
    let mut parts = Parts::default();
    if let Some(stage) = stage.as_deref() {
        parts.collect(stage, true);
    }
    let mut tests: BTreeMap<String, Vec<(Spanned<Predicate>, Span)>> = BTreeMap::new();
    for (index, (text, exception)) in file.exceptions.iter().zip(&file.document.exceptions).enumerate() {
        let expired = exception.expires.as_deref().is_some_and(|day| day < context.today);
        if expired {
            let span = file.span(&format!("/exceptions/{index}/expires"));
            let message = "the exception has expired and no longer applies";
            diagnostics.push(Diagnostic::new(Code::Expired, span, message).help("remove it, or move its date"));
        }
        let reached = reached(text, drafts, stage.is_some().then_some(&parts), file, diagnostics);
        if let Text::Expr(when) = &text.when {
            for name in &reached {
                if name == ALERT {
                    let Some(stage) = stage.as_deref_mut() else { continue };
                    let source = hits::source_of(ALERT, stage, Reach::Steps);
                    let mut typer = Typer::new(&source, environment);
                    let condition = typer.predicate(when);
                    diagnostics.extend(typer.diagnostics);
                    if let Some(condition) = condition.filter(|_| !expired) {
                        hits::carry_for_filter(stage, &condition.node, environment);
                        except(&mut applied.filter, condition, text.span);
                    }
                    continue;
                }
                let Some(draft) = drafts.iter().find(|draft| draft.signal.name.node == *name) else { continue };
                let mut typer = typer_of(&draft.signal, environment);
                let condition = typer.predicate(when);
                for diagnostic in typer.diagnostics.into_sorted() {
                    let already = diagnostics.iter().any(|other| {
                        other.span == diagnostic.span
                            && other.code == diagnostic.code
                            && other.message == diagnostic.message
                    });
                    if !already {
                        let note = format!("the exception filters the signal `{name}`; `signals: [..]` narrows it");
                        diagnostics.push(diagnostic.note(draft.signal.name.span, note));
                    }
                }
                if let Some(condition) = condition.filter(|_| !expired) {
                    tests.entry(name.clone()).or_default().push((condition, text.span));
                }
            }
        }
        applied.uses.push(ExceptionUse {
            owner: exception.owner.clone(),
            reason: exception.reason.clone(),
            expires: exception.expires.clone(),
            active: !expired,
            signals: reached,
            span: text.span,
        });
    }
    if let Some(stage) = stage {
        put_in(stage, &tests);
    }
    applied
}

/// Names of the signals of a stage at any depth, by the part that they play; composed ones included.
#[derive(Default)]
struct Parts {
    positive: Vec<String>,
    negative: Vec<String>,
}

impl Parts {
    fn collect(&mut self, stage: &Stage, wanted: bool) {
        let positive = stage.behavior.node.positive_signals();
        for (index, signal) in stage.signals.iter().enumerate() {
            let wanted = wanted && positive.contains(&SignalId(index));
            let names = if wanted { &mut self.positive } else { &mut self.negative };
            if !names.contains(&signal.name.node) {
                names.push(signal.name.node.clone());
            }
            if let Some(inner) = &signal.stage {
                self.collect(inner, wanted);
            }
        }
    }
}

/// Filters the positive signals of a stage and of the stages inside them.
fn put_in(stage: &mut Stage, tests: &BTreeMap<String, Vec<(Spanned<Predicate>, Span)>>) {
    let positive = stage.behavior.node.positive_signals();
    for (index, signal) in stage.signals.iter_mut().enumerate() {
        if !positive.contains(&SignalId(index)) {
            continue;
        }
        for (condition, span) in tests.get(&signal.name.node).map(Vec::as_slice).unwrap_or_default() {
            except(&mut signal.predicate, condition.clone(), *span);
        }
        if let Some(inner) = &mut signal.stage {
            put_in(inner, tests);
        }
    }
}

fn reached(
    text: &ExceptionText,
    drafts: &[Draft],
    parts: Option<&Parts>,
    file: &DetectionFile,
    diagnostics: &mut Diagnostics,
) -> Vec<String> {
    let Some(named) = &text.signals else {
        let used = |name: &String| parts.is_none_or(|parts| parts.positive.contains(name));
        let base = drafts.iter().filter(|draft| draft.signal.stage.is_none());
        return base.map(|draft| draft.signal.name.node.clone()).filter(used).collect();
    };
    let mut names = Vec::new();
    for name in named {
        let known = file.signals.iter().any(|signal| signal.name.node == name.node);
        if !known && name.node == ALERT {
            names.push(ALERT.to_owned());
            continue;
        }
        if known {
            let absent = |parts: &Parts| !parts.positive.contains(&name.node) && parts.negative.contains(&name.node);
            if parts.is_some_and(absent) {
                let message =
                    format!("`{}` only says what must not happen, so nothing of it can be excepted", name.node);
                let diagnostic = Diagnostic::new(Code::UnknownSignal, name.span, message);
                diagnostics.push(diagnostic.help("exceptions filter signals that have to be there"));
                continue;
            }
            names.push(name.node.clone());
            continue;
        }
        let diagnostic = Diagnostic::new(Code::UnknownSignal, name.span, format!("unknown signal `{}`", name.node));
        let known = file.signals.iter().map(|signal| signal.name.node.as_str());
        diagnostics.push(match nearest(&name.node, known) {
            Some(near) => diagnostic.help(format!("the nearest signal is `{near}`")),
            None => diagnostic.help("the names are those under `signals`, and `alert` for finished hits"),
        });
    }
    names
}

/// Adds `and not condition`.
fn except(predicate: &mut Spanned<Predicate>, condition: Spanned<Predicate>, span: Span) {
    let negated = match condition.node {
        Predicate::Constant(value) => Predicate::Constant(!value),
        node => Predicate::Not(Box::new(Spanned::new(node, condition.span))),
    };
    let negated = Spanned::new(negated, span);
    let parts = match std::mem::replace(&mut predicate.node, Predicate::Constant(true)) {
        Predicate::And(mut parts) => {
            parts.push(negated);
            parts
        }
        Predicate::Constant(true) => {
            predicate.node = negated.node;
            return;
        }
        other => vec![Spanned::new(other, predicate.span), negated],
    };
    predicate.node = Predicate::And(parts);
}
