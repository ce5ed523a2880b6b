//! Changes of behaviours that are neither chains nor conditions on aggregates.
//!
//! Never makes a change that no stream of events could show.

use super::change::Change;
use super::number::{durations, tenths, thresholds};
use crate::ir::{Behavior, Group, GroupForm, Member, Rare, Sequence, Stage, Step, Travel};
use crate::schema::Duration;
use crate::source::{Span, Spanned};

/// Every change of a behaviour.
pub(super) fn changes(stage: &Stage) -> Vec<Change<Behavior>> {
    match &stage.behavior.node {
        Behavior::Event { signals } => events(stage, signals),
        Behavior::Count { name, signal, at_least, window } => {
            let with = |at_least: Spanned<u64>, window: Spanned<Duration>| Behavior::Count {
                name: name.clone(),
                signal: *signal,
                at_least,
                window,
            };
            let mut changes = thresholds("threshold", at_least, |at_least| with(at_least, *window));
            changes.extend(durations("window", window, |window| with(*at_least, window)));
            changes
        }
        Behavior::Distinct { name, signal, values, at_least, window } => {
            let with = |at_least: Spanned<u64>, window: Spanned<Duration>, values: Vec<_>| Behavior::Distinct {
                name: name.clone(),
                signal: *signal,
                values,
                at_least,
                window,
            };
            let mut changes = thresholds("threshold", at_least, |at_least| with(at_least, *window, values.clone()));
            changes.extend(durations("window", window, |window| with(*at_least, window, values.clone())));
            let count = Behavior::Count { name: name.clone(), signal: *signal, at_least: *at_least, window: *window };
            changes.push(Change::new(stage.behavior.span, "`distinct` -> `count`", count));
            for (index, value) in values.iter().enumerate().filter(|_| values.len() > 1) {
                let mut rest = values.clone();
                rest.remove(index);
                let other = with(*at_least, *window, rest);
                changes.push(Change::new(value.span, "value of the tuple dropped", other));
            }
            changes
        }
        Behavior::Group(group) => groups(stage, group),
        Behavior::Rare(rare) => rarities(rare),
        Behavior::Travel(travel) => travels(travel),
        Behavior::Sequence(_) | Behavior::Aggregation(_) | Behavior::Baseline(_) => Vec::new(),
    }
}

/// Each signal of a union left out.
fn events(stage: &Stage, signals: &[crate::ir::SignalId]) -> Vec<Change<Behavior>> {
    let mut changes = Vec::new();
    for (index, signal) in signals.iter().enumerate().filter(|_| signals.len() > 1) {
        let mut rest = signals.to_vec();
        rest.remove(index);
        let name = stage.signal(*signal).map(|signal| signal.name.node.as_str()).unwrap_or_default();
        let other = Behavior::Event { signals: rest };
        changes.push(Change::new(stage.behavior.span, format!("`{name}` dropped"), other));
    }
    changes
}

fn groups(stage: &Stage, group: &Group) -> Vec<Change<Behavior>> {
    let mut changes = durations("window", &group.window, |window| Group { window, ..group.clone() });
    let push = |changes: &mut Vec<Change<Group>>, span: Span, words: String, other: Group| {
        if differ(group, &other) {
            changes.push(Change::new(span, words, other));
        }
    };
    let all = group.form == GroupForm::All;
    if !all {
        for change in thresholds("threshold", &group.at_least, |at_least| Group { at_least, ..group.clone() }) {
            for other in change.nodes {
                push(&mut changes, change.span, change.words.clone(), other);
            }
        }
    }
    for (index, member) in group.members.iter().enumerate() {
        let name = stage.signal(member.signal).map(|signal| signal.name.node.as_str()).unwrap_or_default();
        let mut others = vec![(0, format!("`{name}` dropped"))];
        if group.form == GroupForm::Score {
            let weight = member.weight;
            others.extend(
                [weight - 1, weight + 1].map(|other| (other, format!("weight of `{name}` {weight} -> {other}"))),
            );
        }
        for (weight, words) in others {
            let mut other = group.clone();
            other.members.iter_mut().skip(index).take(1).for_each(|member| member.weight = weight);
            if all {
                other.at_least.node -= 1;
            }
            push(&mut changes, member.span, words, other);
        }
    }
    let mut changes: Vec<Change<Behavior>> = changes.into_iter().map(|change| change.inside(without_zeros)).collect();
    if all {
        let step = |member: &Member| Step {
            name: stage.signal(member.signal).map(|signal| signal.name.node.clone()).unwrap_or_default(),
            signal: member.signal,
            times: 1,
            span: member.span,
        };
        let chain = Sequence {
            steps: group.members.iter().map(step).collect(),
            absences: Vec::new(),
            until: None,
            relations: Vec::new(),
            conditions: Vec::new(),
            window: group.window,
        };
        changes.push(Change::new(stage.behavior.span, "in this order only (`&` -> `->`)", Behavior::Sequence(chain)));
    }
    changes
}

/// A group without the members that add nothing.
fn without_zeros(mut group: Group) -> Behavior {
    group.members.retain(|member| member.weight > 0);
    Behavior::Group(group)
}

/// Whether some set of members is enough for one group and not for the other; members that are left out still close.
fn differ(one: &Group, other: &Group) -> bool {
    let count = one.members.len().min(16);
    let sum = |group: &Group, set: u32| -> u64 {
        let inside = group.members.iter().enumerate().filter(|(index, _)| set >> index & 1 == 1);
        inside.map(|(_, member)| member.weight).sum()
    };
    (0..1_u32 << count).any(|set| (sum(one, set) >= one.at_least.node) != (sum(other, set) >= other.at_least.node))
}

fn rarities(rare: &Rare) -> Vec<Change<Behavior>> {
    let mut changes = durations("history", &rare.history, |history| Rare { history, ..rare.clone() });
    let span = rare.values.first().map_or(rare.history.span, |value| value.span);
    let (least, most) = rare.earlier;
    let mut bounds = vec![(least, most.saturating_add(1))];
    bounds.extend(most.checked_sub(1).filter(|most| *most >= least).map(|most| (least, most)));
    bounds.extend(least.checked_sub(1).map(|least| (least, most)));
    bounds.extend((least > 0 && least < most).then_some((least + 1, most)));
    for bounds in bounds {
        let words = format!("earlier events {least}..{most} -> {}..{}", bounds.0, bounds.1);
        changes.push(Change::new(span, words, Rare { earlier: bounds, ..rare.clone() }));
    }
    if let Some(learning) = &rare.learning {
        changes.push(Change::new(learning.span, "learning dropped", Rare { learning: None, ..rare.clone() }));
        changes.extend(durations("learning", learning, |learning| Rare { learning: Some(learning), ..rare.clone() }));
    }
    for (index, value) in rare.values.iter().enumerate().filter(|_| rare.values.len() > 1) {
        let mut other = rare.clone();
        other.values.remove(index);
        changes.push(Change::new(value.span, "value of the tuple dropped", other));
    }
    changes.into_iter().map(|change| change.inside(Behavior::Rare)).collect()
}

fn travels(travel: &Travel) -> Vec<Change<Behavior>> {
    let mut changes = durations("window", &travel.window, |window| Travel { window, ..travel.clone() });
    for speed in tenths(&travel.speed.node) {
        let words = format!("speed {} -> {speed}", travel.speed.node);
        let span = travel.speed.span;
        changes.push(Change::new(span, words, Travel { speed: Spanned::new(speed, span), ..travel.clone() }));
    }
    for beyond in tenths(&travel.beyond.node) {
        let words = format!("distance {} -> {beyond}", travel.beyond.node);
        let span = travel.beyond.span;
        changes.push(Change::new(span, words, Travel { beyond: Spanned::new(beyond, span), ..travel.clone() }));
    }
    changes.into_iter().map(|change| change.inside(Behavior::Travel)).collect()
}
