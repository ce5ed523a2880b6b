//! One change of a detection's meaning, wherever in the detection it stands.
//!
//! Never knows what the change is: the modules beside it do.

use crate::ir::{Behavior, Call, Detection, Literal, Predicate, Stage, Value};
use crate::schema::Type;
use crate::source::{Span, Spanned};

use super::predicate;
use super::{aggregate, behavior, sequence};

/// Something with one change in it.
#[derive(Debug, Clone)]
pub(super) struct Change<T> {
    /// The clause that is changed.
    pub(super) span: Span,
    /// What is changed, in words.
    pub(super) words: String,
    /// What came of it; hits of any of several count.
    pub(super) nodes: Vec<T>,
    /// Whether hits have other keys by the change alone, so that keys say nothing.
    pub(super) is_keyless: bool,
}

impl<T> Change<T> {
    /// A change of a clause.
    pub(super) fn new(span: Span, words: impl Into<String>, node: T) -> Self {
        Self { span, words: words.into(), nodes: vec![node], is_keyless: false }
    }

    /// The same change, seen in what is around it.
    pub(super) fn inside<U>(self, around: impl Fn(T) -> U) -> Change<U> {
        let nodes = self.nodes.into_iter().map(around).collect();
        Change { span: self.span, words: self.words, nodes, is_keyless: self.is_keyless }
    }
}

/// Every change of a detection's meaning that its tests should notice.
pub(super) fn changes(detection: &Detection) -> Vec<Change<Detection>> {
    let exceptions: Vec<Span> = detection.exceptions.iter().map(|exception| exception.span).collect();
    let stage = |stage: Stage| Detection { stage, ..detection.clone() };
    let mut changes: Vec<Change<Detection>> =
        of_stage(&detection.stage, &exceptions).into_iter().map(|change| change.inside(stage)).collect();
    // Hits of an order that was not asked for come beside those that were.
    for change in sequence::any_order(&detection.stage) {
        let mut change = change.inside(stage);
        change.nodes.push(detection.clone());
        changes.push(change);
    }
    for change in predicate::changes(&detection.filter, &exceptions) {
        let span = detection.filter.span;
        changes.push(change.inside(|filter| Detection { filter: Spanned::new(filter, span), ..detection.clone() }));
    }
    changes
}

/// The changes of a stage and of those inside it.
fn of_stage(stage: &Stage, exceptions: &[Span]) -> Vec<Change<Stage>> {
    let mut changes = Vec::new();
    for (index, signal) in stage.signals.iter().enumerate() {
        let with = |change: &dyn Fn(&mut crate::ir::Signal)| {
            let mut stage = stage.clone();
            stage.signals.iter_mut().skip(index).take(1).for_each(change);
            stage
        };
        let of_predicate = predicate::changes(&signal.predicate, exceptions).into_iter();
        changes.extend(of_predicate.map(|change| {
            let mut change = change.inside(|predicate| with(&|signal| signal.predicate.node = predicate.clone()));
            change.words = format!("{} in `{}`", change.words, signal.name.node);
            change
        }));
        let Some(inner) = &signal.stage else { continue };
        let of_inner = of_stage(inner, exceptions).into_iter();
        changes.extend(
            of_inner.map(|change| change.inside(|inner| with(&|signal| signal.stage = Some(Box::new(inner.clone()))))),
        );
    }
    changes.extend(keys(stage));
    let behaviors = match &stage.behavior.node {
        Behavior::Sequence(one) => {
            changes.extend(sequence::changes(stage, one));
            Vec::new()
        }
        Behavior::Aggregation(one) => aggregate::aggregation(one),
        Behavior::Baseline(one) => aggregate::baseline(one),
        Behavior::Event { .. }
        | Behavior::Count { .. }
        | Behavior::Distinct { .. }
        | Behavior::Group(_)
        | Behavior::Rare(_)
        | Behavior::Travel(_) => behavior::changes(stage),
    };
    changes.extend(behaviors.into_iter().map(|change| change.inside(|behavior| with_behavior(stage, behavior))));
    changes
}

/// The stage with another behaviour.
pub(super) fn with_behavior(stage: &Stage, behavior: Behavior) -> Stage {
    Stage { behavior: Spanned::new(behavior, stage.behavior.span), ..stage.clone() }
}

/// Each key left out, and each key with its case.
fn keys(stage: &Stage) -> Vec<Change<Stage>> {
    let mut changes = Vec::new();
    for (index, key) in stage.keys.iter().enumerate() {
        let values: Vec<&Value> =
            stage.signals.iter().filter_map(|signal| signal.keys.get(index)).map(|value| &value.node).collect();
        let with = |change: &dyn Fn(&mut Value)| {
            let mut stage = stage.clone();
            let values = stage.signals.iter_mut().filter_map(|signal| signal.keys.get_mut(index));
            values.for_each(|value| change(&mut value.node));
            stage
        };
        let same = with(&|value| {
            *value = match value.ty() {
                Type::Int => Value::Literal(Literal::Int(0)),
                Type::Bool => Value::Literal(Literal::Bool(true)),
                Type::Text | Type::Ip | Type::Float | Type::Time | Type::Duration | Type::List(_) | Type::Object => {
                    Value::Literal(Literal::Text("any".to_owned()))
                }
            }
        });
        let mut change = Change::new(key.span, format!("key `{}` dropped", key.name), same);
        change.is_keyless = true;
        changes.push(change);
        if values.iter().any(|value| matches!(value, Value::Call(call) if matches!(call.as_ref(), Call::Lower(_)))) {
            let cased = with(&|value| {
                if let Value::Call(call) = value
                    && let Call::Lower(inner) = call.as_ref()
                {
                    *value = inner.clone();
                }
            });
            let mut change = Change::new(key.span, format!("`lower()` of key `{}` dropped", key.name), cased);
            change.is_keyless = true;
            changes.push(change);
        }
    }
    changes
}

/// The stage with a signal of its own that has no events, and that signal's place.
pub(super) fn with_silent_signal(stage: &Stage, like: crate::ir::SignalId) -> Option<(Stage, crate::ir::SignalId)> {
    let mut stage = stage.clone();
    let mut silent = stage.signal(like)?.clone();
    silent.predicate.node = Predicate::Constant(false);
    stage.signals.push(silent);
    let id = crate::ir::SignalId(stage.signals.len() - 1);
    Some((stage, id))
}
