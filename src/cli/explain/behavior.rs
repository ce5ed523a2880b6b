//! What a behaviour looks for, in words.
//!
//! Never says what a target makes of it: the words are those of LANGUAGE.md's meaning.

use super::aggregate;
use super::predicate::order_in_words;
use super::value::{some, value};
use crate::ir::{Behavior, GroupForm, Rare, Relation, RelationKind, Sequence, SignalId, Stage, Step, StepCondition};
use crate::schema::Duration;
use crate::source::Spanned;

/// The sentences that say when there is a hit.
pub(super) fn sentences(stage: &Stage) -> Vec<String> {
    let name = |id: SignalId| name(stage, id);
    match &stage.behavior.node {
        Behavior::Event { signals } => {
            let names: Vec<String> = signals.iter().map(|signal| name(*signal)).collect();
            vec![format!("A hit is every event of {}.", some(&names, "or"))]
        }
        Behavior::Count { signal, at_least, window, .. } => {
            let of = name(*signal);
            vec![
                format!(
                    "A hit is an instant of an event of {of} at which {} lie in the last {}.",
                    at_least_events(at_least.node, &of),
                    window.node
                ),
                CLOSED.to_owned(),
            ]
        }
        Behavior::Distinct { signal, values, at_least, window, .. } => {
            let of = name(*signal);
            let values: Vec<String> = values.iter().map(|one| value(&one.node)).collect();
            let what = if values.len() == 1 { "different values" } else { "different combinations" };
            vec![
                format!(
                    "A hit is an instant of an event of {of} at which its events of the last {} have at least {} {what} of {}.",
                    window.node,
                    at_least.node,
                    some(&values, "and")
                ),
                CLOSED.to_owned(),
                "Values compare exactly; missing ones are none.".to_owned(),
            ]
        }
        Behavior::Aggregation(aggregation) => aggregate::sentences(stage, aggregation),
        Behavior::Sequence(sequence) => chain(stage, sequence),
        Behavior::Group(group) => {
            let members: Vec<String> = group
                .members
                .iter()
                .map(|member| match group.form {
                    GroupForm::All | GroupForm::Some => name(member.signal),
                    GroupForm::Score => format!("{} ({} points)", name(member.signal), member.weight),
                })
                .collect();
            let what = match group.form {
                GroupForm::All => format!("each of {} has an event", some(&members, "and")),
                GroupForm::Some => {
                    format!("at least {} of {} have an event", group.at_least.node, some(&members, "and"))
                }
                GroupForm::Score => {
                    format!(
                        "those of {} that have an event make at least {} points",
                        some(&members, "and"),
                        group.at_least.node
                    )
                }
            };
            vec![
                format!(
                    "A hit is an instant of an event of any of them at which {what} in the last {}, in any order.",
                    group.window.node
                ),
                format!("{CLOSED} One event may stand for several signals."),
            ]
        }
        Behavior::Rare(rare) => self::rare(&name(rare.signal), rare),
        Behavior::Baseline(baseline) => aggregate::baseline(&name(baseline.aggregate.signal), baseline),
        Behavior::Travel(travel) => {
            let mut text = format!(
                "A hit is an event of {} whose place, that of {}, is so far from the place of the located event before it, at \
                 most {} earlier, that one would have to travel faster than {} km/h",
                name(travel.signal),
                value(&travel.address.node),
                travel.window.node,
                travel.speed.node
            );
            if !travel.beyond.node.is_zero() {
                text.push_str(&format!(", and farther than {} km", travel.beyond.node));
            }
            vec![
                format!("{text}."),
                "Times below a minute count as a minute; events whose address has no known place are passed over."
                    .to_owned(),
            ]
        }
    }
}

const CLOSED: &str = "The window is closed at both ends.";

/// A signal's name in back-quotes.
pub(super) fn name(stage: &Stage, id: SignalId) -> String {
    stage.signal(id).map_or_else(|| "?".to_owned(), |signal| format!("`{}`", signal.name.node))
}

/// Who is still learning.
pub(super) fn learning(learning: Option<Spanned<Duration>>, history: Duration, from: &str) -> Option<String> {
    let learning = learning?.node;
    Some(format!(
        "A key is quiet as long as it learns: it needs an event at least {learning} and at most {history} before {from}."
    ))
}

fn at_least_events(number: u64, of: &str) -> String {
    if number == 1 { format!("at least 1 event of {of}") } else { format!("at least {number} events of {of}") }
}

fn rare(of: &str, rare: &Rare) -> Vec<String> {
    let values: Vec<String> = rare.values.iter().map(|one| value(&one.node)).collect();
    let what = if values.len() == 1 {
        format!("value of {}", some(&values, "and"))
    } else {
        format!("combination of {}", some(&values, "and"))
    };
    let history = rare.history.node;
    let seen = match rare.earlier {
        (0, 0) => format!("was never seen in the {history} before it"),
        (0, most) => format!("was seen at most {most} times in the {history} before it"),
        (least, most) if least == most => format!("was seen exactly {least} times in the {history} before it"),
        (least, most) => format!("was seen {least} to {most} times in the {history} before it"),
    };
    let mut sentences = vec![
        format!("A hit is an event of {of} whose {what} {seen}."),
        "Values compare exactly; events of the same instant do not count as before.".to_owned(),
    ];
    sentences.extend(learning(rare.learning, history, "the event"));
    sentences
}

fn chain(stage: &Stage, sequence: &Sequence) -> Vec<String> {
    let Sequence { steps, window, .. } = sequence;
    let step = |step: &Step| {
        let of = name(stage, step.signal);
        let named = if of == format!("`{}`", step.name) { String::new() } else { format!(" (`{}`)", step.name) };
        if step.times == 1 {
            format!("an event of {of}{named}")
        } else {
            format!("{} events of {of}{named}", step.times)
        }
    };
    let mut parts: Vec<String> = Vec::new();
    for (index, one) in steps.iter().enumerate() {
        let between: Vec<String> = sequence
            .middle()
            .filter(|absence| absence.before == index)
            .map(|absence| name(stage, absence.signal))
            .collect();
        let then = if index == 0 { "" } else { "then " };
        let without = if between.is_empty() {
            String::new()
        } else {
            format!(" without any event of {} in between", some(&between, "or"))
        };
        parts.push(format!("{then}{}{without}", step(one)));
    }
    let mut sentences = Vec::new();
    let chain = parts.join(", ");
    sentences.push(match (sequence.is_single(), sequence.trailing()) {
        (true, None) => format!("A hit is {chain}."),
        (false, None) => {
            format!("A hit is the end of a chain: {chain}, at most {} from the first to the last.", window.node)
        }
        (_, Some(absence)) => format!(
            "A hit is a wait that ended in vain: {chain}, and no event of {} until {} after the {}.",
            name(stage, absence.signal),
            window.node,
            if sequence.is_single() { "event" } else { "first of them" }
        ),
    });
    if let Some(absence) = sequence.leading() {
        sentences.push(format!(
            "No event of {} lies in the {} before the first event.",
            name(stage, absence.signal),
            window.node
        ));
    }
    if let Some(until) = &sequence.until {
        sentences
            .push(format!("An event of {} between the first and the last ends the chain.", name(stage, until.node)));
    }
    let relations = sequence.relations.iter().map(relation);
    let conditions: Vec<String> = relations.chain(sequence.conditions.iter().map(|one| condition(&one.node))).collect();
    if !conditions.is_empty() {
        sentences.push(format!("Between the steps it holds that {}.", conditions.join(", and that ")));
    }
    if !sequence.is_single() {
        sentences.push(
            "The events are different ones; equal times count as in order, and one start makes one hit.".to_owned(),
        );
    }
    sentences
}

fn relation(relation: &Relation) -> String {
    let (left, right) = (&relation.left.name, &relation.right.name);
    match relation.kind {
        RelationKind::Same => format!("{left} equals {right}"),
        RelationKind::Different => format!("{left} differs from {right} (or one of the two is missing)"),
    }
}

fn condition(of: &StepCondition) -> String {
    let join = |parts: &[Spanned<StepCondition>], word: &str| {
        let parts: Vec<String> = parts.iter().map(|part| condition(&part.node)).collect();
        format!("({})", parts.join(word))
    };
    match of {
        StepCondition::And(parts) => join(parts, " and "),
        StepCondition::Or(parts) => join(parts, " or "),
        StepCondition::Not(inner) => format!("not {}", condition(&inner.node)),
        StepCondition::Equality(one) => relation(one),
        StepCondition::Ordered { left, order, right } => {
            format!("{} {} {}", left.name, order_in_words(*order), right.name)
        }
    }
}
