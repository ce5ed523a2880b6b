//! Puts exceptions into the signals that they filter.

use super::behavior::{Resolved, typer_of};
use super::scope::Environment;
use super::{Context, Draft};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::ir::{ExceptionUse, Predicate};
use crate::schema::nearest;
use crate::source::{Span, Spanned};
use crate::syntax::{DetectionFile, ExceptionText, Text};

/// Filters every positive signal, or those that an exception names; tells what each exception reached.
pub(super) fn apply(
    file: &DetectionFile,
    drafts: &mut [Draft],
    resolved: Option<&Resolved>,
    context: &Context<'_>,
    environment: &Environment<'_>,
    diagnostics: &mut Diagnostics,
) -> Vec<ExceptionUse> {
    let mut uses = Vec::new();
    for (index, (text, exception)) in file.exceptions.iter().zip(&file.document.exceptions).enumerate() {
        let expired = exception.expires.as_deref().is_some_and(|day| day < context.today);
        if expired {
            let span = file.span(&format!("/exceptions/{index}/expires"));
            let message = "the exception has expired and no longer applies";
            diagnostics.push(Diagnostic::new(Code::Expired, span, message).help("remove it, or move its date"));
        }
        let reached = reached(text, drafts, resolved, file, diagnostics);
        if let Text::Expr(when) = &text.when {
            for name in &reached {
                let Some(draft) = drafts.iter_mut().find(|draft| draft.signal.name.node == *name) else { continue };
                let mut typer = typer_of(draft, environment);
                let condition = typer.predicate(when);
                let found = typer.diagnostics.into_sorted();
                for diagnostic in found {
                    let already = diagnostics.iter().any(|other| {
                        other.span == diagnostic.span
                            && other.code == diagnostic.code
                            && other.message == diagnostic.message
                    });
                    if !already {
                        let note = format!("the exception filters the signal `{name}`; `signals: [..]` narrows it");
                        let place = draft.signal.name.span;
                        diagnostics.push(diagnostic.note(place, note));
                    }
                }
                if let Some(condition) = condition.filter(|_| !expired) {
                    except(&mut draft.signal.predicate, condition, text.span);
                }
            }
        }
        uses.push(ExceptionUse {
            owner: exception.owner.clone(),
            reason: exception.reason.clone(),
            expires: exception.expires.clone(),
            active: !expired,
            signals: reached,
            span: text.span,
        });
    }
    uses
}

fn reached(
    text: &ExceptionText,
    drafts: &[Draft],
    resolved: Option<&Resolved>,
    file: &DetectionFile,
    diagnostics: &mut Diagnostics,
) -> Vec<String> {
    let Some(named) = &text.signals else {
        let used = |name: &String| resolved.is_none_or(|resolved| resolved.used.contains(name));
        let positive = drafts.iter().filter(|draft| draft.positive);
        return positive.map(|draft| draft.signal.name.node.clone()).filter(used).collect();
    };
    let mut names = Vec::new();
    for name in named {
        if file.signals.iter().any(|signal| signal.name.node == name.node) {
            names.push(name.node.clone());
            continue;
        }
        let diagnostic = Diagnostic::new(Code::UnknownSignal, name.span, format!("unknown signal `{}`", name.node));
        let known = file.signals.iter().map(|signal| signal.name.node.as_str());
        diagnostics.push(match nearest(&name.node, known) {
            Some(near) => diagnostic.help(format!("the nearest signal is `{near}`")),
            None if name.node == "alert" => {
                diagnostic.help("exceptions on finished hits are not part of the language yet")
            }
            None => diagnostic.help("the names are those under `signals`"),
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
