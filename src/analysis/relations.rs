//! Conditions between the steps of a sequence.

use super::Draft;
use super::behavior::typer_of;
use super::scope::Environment;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::ir::{CaseRule, Relation, RelationKind, Step, StepValue};
use crate::schema::{Type, nearest};
use crate::source::{Span, Spanned};
use crate::syntax::ast::{Comparison, Expr, Path};

/// Resolves `a.x != b.x and a.y == b.y`.
pub(super) fn resolve(
    condition: &Spanned<Expr>,
    steps: &[Step],
    used: &[String],
    drafts: &[Draft],
    environment: &Environment<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<Relation>> {
    let parts = match &condition.node {
        Expr::And(parts) => parts.as_slice(),
        _ => std::slice::from_ref(condition),
    };
    let mut relations = Vec::new();
    let mut whole = true;
    for part in parts {
        match relation(part, steps, used, drafts, environment, diagnostics) {
            Some(relation) => relations.push(relation),
            None => whole = false,
        }
    }
    whole.then_some(relations)
}

fn relation(
    part: &Spanned<Expr>,
    steps: &[Step],
    used: &[String],
    drafts: &[Draft],
    environment: &Environment<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Relation> {
    let unsupported = |span: Span, help: &str| {
        let message = "steps are compared by `==` and `!=` between two of their fields, joined by `and`";
        Diagnostic::new(Code::UnsupportedStepCondition, span, message).help(help)
    };
    let Expr::Compare { operator, left, right, cased } = &part.node else {
        let help = match part.node {
            Expr::Or(_) => "join comparisons by `and`; alternatives are detections of their own",
            Expr::Not(_) => "write `!=` for `not ==`",
            _ => "put conditions on single events into the signal's `where`",
        };
        diagnostics.push(unsupported(part.span, help));
        return None;
    };
    let kind = match operator.node {
        Comparison::Equal => RelationKind::Same,
        Comparison::NotEqual => RelationKind::Different,
        Comparison::Less | Comparison::LessOrEqual | Comparison::Greater | Comparison::GreaterOrEqual => {
            diagnostics.push(unsupported(operator.span, "the order of events is that of the arrows"));
            return None;
        }
    };
    let (Expr::Path(one), Expr::Path(other)) = (&left.node, &right.node) else {
        let step = [left, right].into_iter().find_map(|side| match &side.node {
            Expr::Path(path) => path.segments.first().map(|segment| segment.name.node.clone()),
            _ => None,
        });
        let help = match step {
            Some(step) => format!("put conditions on single events into the `where` of the signal behind `{step}`"),
            None => "put conditions on single events into the signal's `where`".to_owned(),
        };
        diagnostics.push(unsupported(part.span, &help));
        return None;
    };
    if let ([alone], [other]) = (one.segments.as_slice(), other.segments.as_slice()) {
        let (alone, other) = (&alone.name.node, &other.name.node);
        let diagnostic =
            Diagnostic::new(Code::UnsupportedStepCondition, part.span, "steps are compared by their fields");
        diagnostics.push(diagnostic.help(format!("write `{alone}.field {} {other}.field`", operator.node.symbol())));
        return None;
    }
    let one = step_value(one, left.span, steps, used, drafts, environment, diagnostics);
    let other = step_value(other, right.span, steps, used, drafts, environment, diagnostics);
    let (mut one, mut other) = (one?, other?);
    if one.step == other.step {
        let message = "both sides are of one step";
        let help = "put conditions on single events into the signal's `where`";
        diagnostics.push(Diagnostic::new(Code::UnsupportedStepCondition, part.span, message).help(help));
        return None;
    }
    if one.step > other.step {
        std::mem::swap(&mut one, &mut other);
    }
    let (ty, theirs) = (one.value.ty(), other.value.ty());
    for (value, ty, span) in [(&one, &ty, left.span), (&other, &theirs, right.span)] {
        if matches!(ty, Type::List(_) | Type::Object) {
            let message = format!("`{}` is {ty}, not a single value", value.name);
            let help = "name a single value with `let`, and compare that";
            diagnostics.push(Diagnostic::new(Code::ThroughList, span, message).help(help));
            return None;
        }
    }
    if ty != theirs && !(ty.is_textual() && theirs.is_textual()) && !(ty.is_number() && theirs.is_number()) {
        let message = format!("`{}` is {ty}, but `{}` is {theirs}", one.name, other.name);
        let help = "only values of one type are compared";
        diagnostics.push(Diagnostic::new(Code::TypeMismatch, part.span, message).help(help));
        return None;
    }
    let case = if ty.is_textual() && !cased { CaseRule::Ignore } else { CaseRule::Exact };
    Some(Relation { left: one, kind, right: other, case, span: part.span })
}

fn step_value(
    path: &Path,
    span: Span,
    steps: &[Step],
    used: &[String],
    drafts: &[Draft],
    environment: &Environment<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<StepValue> {
    let (head, rest) = path.segments.split_first()?;
    let matching: Vec<usize> =
        steps.iter().enumerate().filter(|(_, step)| step.name == head.name.node).map(|(index, _)| index).collect();
    let step = match matching.as_slice() {
        [step] => *step,
        [] => {
            let message = format!("unknown step `{}`", head.name.node);
            let diagnostic = Diagnostic::new(Code::UnknownStep, head.name.span, message);
            let names = steps.iter().map(|step| step.name.as_str());
            diagnostics.push(match nearest(&head.name.node, names) {
                Some(near) => diagnostic.help(format!("the nearest step is `{near}`")),
                None => diagnostic.help("a side is a step's name, a dot and a field: `call.sourceIPAddress`"),
            });
            return None;
        }
        _ => {
            let message = format!("several steps are named `{}`", head.name.node);
            if diagnostics.iter().any(|other| other.code == Code::AmbiguousStep && other.message == message) {
                return None;
            }
            let diagnostic = Diagnostic::new(Code::AmbiguousStep, head.name.span, message);
            diagnostics.push(diagnostic.help(format!("name them: `{0} as first -> {0} as second`", head.name.node)));
            return None;
        }
    };
    if rest.is_empty() {
        let message = format!("`{}` is a step, not a value", head.name.node);
        let diagnostic = Diagnostic::new(Code::UnsupportedStepCondition, span, message);
        diagnostics.push(diagnostic.help(format!("write `{}.field`", head.name.node)));
        return None;
    }
    let signal = used.get(steps.get(step)?.signal.0)?;
    let draft = drafts.iter().find(|draft| draft.signal.name.node == *signal)?;
    let mut typer = typer_of(draft, environment);
    let value = typer.path(&Spanned::new(Path { segments: rest.to_vec() }, span));
    diagnostics.extend(typer.diagnostics);
    let name = format!("{}.{}", head.name.node, super::paths::names(rest));
    Some(StepValue { step, name, value: value? })
}
