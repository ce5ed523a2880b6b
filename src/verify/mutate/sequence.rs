//! Changes of chains: their window, steps, order, repetitions, absences, end, and the conditions between steps.
//!
//! Never makes a chain of nothing: what is left of one step alone is an event that waits for nobody.

use super::change::{Change, with_behavior, with_silent_signal};
use super::number::durations;
use super::predicate::edge;
use crate::ir::{Behavior, HitValue, Relation, RelationKind, Sequence, Stage, Step, StepCondition, StepValue};
use crate::source::Spanned;

/// Every change of a chain but those of its order.
pub(super) fn changes(stage: &Stage, sequence: &Sequence) -> Vec<Change<Stage>> {
    let whole = |sequence: Sequence| with_behavior(stage, Behavior::Sequence(sequence));
    let mut changes = durations("window", &sequence.window, |window| whole(Sequence { window, ..sequence.clone() }));
    for (index, step) in sequence.steps.iter().enumerate() {
        for times in [step.times.checked_sub(1).filter(|times| *times > 0), (step.times > 1).then(|| step.times + 1)] {
            let Some(times) = times else { continue };
            let mut other = sequence.clone();
            other.steps.iter_mut().skip(index).take(1).for_each(|step| step.times = times);
            if other.is_single() && other.absences.is_empty() {
                continue;
            }
            let words = format!("`{}` {} times -> {times}", step.name, step.times);
            changes.push(Change::new(step.span, words, whole(other)));
        }
        if sequence.steps.len() > 1 {
            changes.push(Change::new(
                step.span,
                format!("step `{}` dropped", step.name),
                without_step(stage, sequence, index),
            ));
        }
    }
    for (index, absence) in sequence.absences.iter().enumerate() {
        let name = stage.signal(absence.signal).map(|signal| signal.name.node.as_str()).unwrap_or_default();
        let Some((stage, silent)) = with_silent_signal(stage, absence.signal) else { continue };
        let mut other = sequence.clone();
        other.absences.iter_mut().skip(index).take(1).for_each(|absence| absence.signal = silent);
        let other = with_behavior(&stage, Behavior::Sequence(other));
        changes.push(Change::new(absence.span, format!("`no {name}` dropped"), other));
    }
    if let Some(until) = &sequence.until {
        let name = stage.signal(until.node).map(|signal| signal.name.node.as_str()).unwrap_or_default();
        let other = Sequence { until: None, ..sequence.clone() };
        changes.push(Change::new(until.span, format!("`until {name}` dropped"), whole(other)));
    }
    for (index, relation) in sequence.relations.iter().enumerate() {
        let (symbol, kind, opposite) = match relation.kind {
            RelationKind::Same => ("==", RelationKind::Different, "!="),
            RelationKind::Different => ("!=", RelationKind::Same, "=="),
        };
        let mut other = sequence.clone();
        other.relations.remove(index);
        changes.push(Change::new(relation.span, "condition between steps dropped", whole(other)));
        let mut other = sequence.clone();
        other.relations.iter_mut().skip(index).take(1).for_each(|relation| relation.kind = kind);
        changes.push(Change::new(relation.span, format!("`{symbol}` -> `{opposite}`"), whole(other)));
    }
    for (index, condition) in sequence.conditions.iter().enumerate() {
        let mut other = sequence.clone();
        other.conditions.remove(index);
        changes.push(Change::new(condition.span, "condition between steps dropped", whole(other)));
        let with = |node: StepCondition| {
            let mut other = sequence.clone();
            other.conditions.iter_mut().skip(index).take(1).for_each(|condition| condition.node = node.clone());
            whole(other)
        };
        changes.extend(conditions(condition).into_iter().map(|change| change.inside(with)));
    }
    changes
}

/// Neighbouring steps of different signals in the other order, to be taken beside the written one.
pub(super) fn any_order(stage: &Stage) -> Vec<Change<Stage>> {
    let Behavior::Sequence(sequence) = &stage.behavior.node else { return Vec::new() };
    let mut changes = Vec::new();
    for (index, pair) in sequence.steps.windows(2).enumerate() {
        let [one, other] = pair else { continue };
        if one.signal == other.signal {
            continue;
        }
        let place = |step: usize| {
            if step == index {
                index + 1
            } else if step == index + 1 {
                index
            } else {
                step
            }
        };
        let mut swapped = renumbered(sequence, &place);
        swapped.steps.swap(index, index + 1);
        let span = one.span.to(other.span);
        let words = format!("`{}` and `{}` in any order", one.name, other.name);
        let mut other = with_behavior(stage, Behavior::Sequence(swapped));
        for column in &mut other.columns {
            if let HitValue::Step { step, .. } = &mut column.value {
                *step = place(*step);
            }
        }
        changes.push(Change::new(span, words, other));
    }
    changes
}

/// The chain with steps that have other places; of two sides the earlier stands left.
fn renumbered(sequence: &Sequence, place: &dyn Fn(usize) -> usize) -> Sequence {
    let side = |value: &StepValue| StepValue { step: place(value.step), ..value.clone() };
    let relation = |relation: &Relation| {
        let (left, right) = (side(&relation.left), side(&relation.right));
        let (left, right) = if left.step <= right.step { (left, right) } else { (right, left) };
        Relation { left, right, ..relation.clone() }
    };
    let mut other = sequence.clone();
    other.relations = sequence.relations.iter().map(relation).collect();
    for condition in &mut other.conditions {
        renumber(&mut condition.node, place);
    }
    other
}

fn renumber(condition: &mut StepCondition, place: &dyn Fn(usize) -> usize) {
    match condition {
        StepCondition::And(parts) | StepCondition::Or(parts) => {
            parts.iter_mut().for_each(|part| renumber(&mut part.node, place));
        }
        StepCondition::Not(body) => renumber(&mut body.node, place),
        StepCondition::Equality(relation) => {
            relation.left.step = place(relation.left.step);
            relation.right.step = place(relation.right.step);
            if relation.left.step > relation.right.step {
                std::mem::swap(&mut relation.left, &mut relation.right);
            }
        }
        StepCondition::Ordered { left, right, .. } => {
            left.step = place(left.step);
            right.step = place(right.step);
        }
    }
}

/// The steps that a condition speaks of.
fn steps_of(condition: &StepCondition) -> Vec<usize> {
    match condition {
        StepCondition::And(parts) | StepCondition::Or(parts) => {
            parts.iter().flat_map(|part| steps_of(&part.node)).collect()
        }
        StepCondition::Not(body) => steps_of(&body.node),
        StepCondition::Equality(relation) => vec![relation.left.step, relation.right.step],
        StepCondition::Ordered { left, right, .. } => vec![left.step, right.step],
    }
}

/// The stage without one step of its chain, and without what speaks of it.
fn without_step(stage: &Stage, sequence: &Sequence, dropped: usize) -> Stage {
    let place = |step: usize| if step > dropped { step - 1 } else { step };
    let mut kept = sequence.clone();
    kept.relations.retain(|relation| relation.left.step != dropped && relation.right.step != dropped);
    kept.conditions.retain(|condition| !steps_of(&condition.node).contains(&dropped));
    let mut other = renumbered(&kept, &place);
    other.steps.remove(dropped);
    for absence in &mut other.absences {
        // What stood behind the last step still does; a middle one beside the dropped step goes to its border.
        absence.before = place(absence.before);
    }
    let behavior = match other.steps.as_slice() {
        [step] if step.times == 1 && other.absences.is_empty() => alone(step, &other),
        _ => Behavior::Sequence(other),
    };
    let mut other = with_behavior(stage, behavior);
    other.columns.retain(|column| column.step() != Some(dropped));
    for column in &mut other.columns {
        if let HitValue::Step { step, .. } = &mut column.value {
            *step = place(*step);
        }
    }
    other
}

/// One event of the key.
fn alone(step: &Step, sequence: &Sequence) -> Behavior {
    let at_least = Spanned::new(1, step.span);
    Behavior::Count { name: "count".to_owned(), signal: step.signal, at_least, window: sequence.window }
}

/// Every change inside a condition between steps.
fn conditions(condition: &Spanned<StepCondition>) -> Vec<Change<StepCondition>> {
    let span = condition.span;
    let of_parts = |parts: &[Spanned<StepCondition>], join: &dyn Fn(Vec<Spanned<StepCondition>>) -> StepCondition| {
        let mut changes = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            let mut rest = parts.to_vec();
            rest.remove(index);
            let node = match rest.as_slice() {
                [only] => only.node.clone(),
                _ => join(rest),
            };
            changes.push(Change::new(part.span, "condition between steps dropped", node));
            let around = |node: StepCondition| {
                let mut parts = parts.to_vec();
                parts.iter_mut().skip(index).take(1).for_each(|part| part.node = node.clone());
                join(parts)
            };
            changes.extend(conditions(part).into_iter().map(|change| change.inside(around)));
        }
        changes
    };
    match &condition.node {
        StepCondition::And(parts) => of_parts(parts, &StepCondition::And),
        StepCondition::Or(parts) => of_parts(parts, &StepCondition::Or),
        StepCondition::Not(body) => {
            let around = |node| StepCondition::Not(Box::new(Spanned::new(node, body.span)));
            let mut changes: Vec<_> = conditions(body).into_iter().map(|change| change.inside(around)).collect();
            changes.push(Change::new(span, "negation dropped", body.node.clone()));
            changes
        }
        StepCondition::Equality(relation) => {
            let kind = match relation.kind {
                RelationKind::Same => RelationKind::Different,
                RelationKind::Different => RelationKind::Same,
            };
            let other = StepCondition::Equality(Relation { kind, ..relation.clone() });
            vec![Change::new(span, "`==` and `!=` exchanged", other)]
        }
        StepCondition::Ordered { left, order, right } => {
            let other = edge(*order);
            let words = format!("`{}` -> `{}`", order.symbol(), other.symbol());
            let node = StepCondition::Ordered { left: left.clone(), order: other, right: right.clone() };
            vec![Change::new(span, words, node)]
        }
    }
}
