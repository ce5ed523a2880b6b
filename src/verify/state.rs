//! How far a behaviour has come at each instant: numbers so far, chains that wait, what held a hit back.
//!
//! Never computes a behaviour itself: it asks the evaluator about the same detection with the last demand left out.

use std::collections::BTreeSet;

use super::expectation::offset_text;
use crate::eval::{self, Enrichment, Event, Hit};
use crate::ir::{
    AggregateCondition, Aggregation, Arithmetic, Baseline, BaselineTest, Behavior, Decimal, Detection, Group,
    GroupForm, NumberComparison, Order, Predicate, Rare, Sequence, SignalId, Stage, Step, Travel, WindowKind,
};
use crate::schema::Duration;
use crate::source::Spanned;

/// A sentence about an instant.
type State = (i64, String);

/// What can be said about each instant, in no particular order.
pub(super) fn states(detection: &Detection, events: &[Event], start: i64, enrichment: &Enrichment) -> Vec<State> {
    let mut states = Vec::new();
    for signal in &detection.stage.signals {
        let Some(stage) = &signal.stage else { continue };
        let inner = of_stage(detection, stage);
        let name = &signal.name.node;
        let inside = self::states(&inner, events, start, enrichment).into_iter();
        states.extend(inside.map(|(time, sentence)| (time, format!("{name}: {sentence}"))));
        let hits = eval::evaluate_with(&inner, events.to_vec(), enrichment);
        states.extend(hits.iter().map(|hit| (hit.time, format!("`{name}` happens{}", keys_of(hit)))));
    }
    let view = View { detection, events, start, enrichment };
    match &detection.stage.behavior.node {
        Behavior::Event { .. } => {}
        Behavior::Count { name, signal, at_least, window } => {
            let relaxed = Behavior::Count {
                name: name.clone(),
                signal: *signal,
                at_least: Spanned::new(1, at_least.span),
                window: *window,
            };
            states.extend(view.numbers(relaxed, &view.name(*signal), &format!(" of {}", at_least.node)));
        }
        Behavior::Distinct { name, signal, values, at_least, window } => {
            let relaxed = Behavior::Distinct {
                name: name.clone(),
                signal: *signal,
                values: values.clone(),
                at_least: Spanned::new(1, at_least.span),
                window: *window,
            };
            states.extend(view.numbers(relaxed, &view.name(*signal), &format!(" of {}", at_least.node)));
        }
        Behavior::Aggregation(aggregation) => {
            let relaxed = Aggregation { condition: always(aggregation), ..aggregation.clone() };
            states.extend(view.numbers(Behavior::Aggregation(relaxed), "", ""));
        }
        Behavior::Sequence(sequence) => states.extend(view.chains(sequence)),
        Behavior::Group(group) => states.extend(view.members(group)),
        Behavior::Rare(rare) => states.extend(view.seen(rare)),
        Behavior::Baseline(baseline) => states.extend(view.buckets(baseline)),
        Behavior::Travel(travel) => states.extend(view.moves(travel)),
    }
    if detection.filter.node != Predicate::Constant(true) {
        let held_back = view.beside(detection.stage.behavior.node.clone());
        states.extend(held_back.iter().map(|hit| (hit.time, format!("an exception drops the hit{}", keys_of(hit)))));
    }
    states
}

/// The detection that has the hits of an inner stage.
pub(super) fn of_stage(detection: &Detection, stage: &Stage) -> Detection {
    let filter = Spanned::new(Predicate::Constant(true), detection.filter.span);
    Detection { stage: stage.clone(), filter, ..detection.clone() }
}

/// A condition that is true wherever there is an event.
fn always(aggregation: &Aggregation) -> Spanned<AggregateCondition> {
    let span = aggregation.condition.span;
    let zero = Decimal::parse_number("0").map(Arithmetic::Number).unwrap_or(Arithmetic::Aggregate(0));
    let comparison = AggregateCondition::Compare {
        left: Arithmetic::Aggregate(0),
        operator: NumberComparison::Ordered(Order::GreaterOrEqual),
        right: zero,
    };
    let negated = AggregateCondition::Not(Box::new(Spanned::new(comparison.clone(), span)));
    Spanned::new(AggregateCondition::Or(vec![Spanned::new(comparison, span), Spanned::new(negated, span)]), span)
}

/// The keys of a hit, in parentheses; nothing without keys.
fn keys_of(hit: &Hit) -> String {
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let keys: Vec<String> = hit.keys.iter().map(|(name, value)| format!("{name}={}", text(value))).collect();
    if keys.is_empty() { String::new() } else { format!(" ({})", keys.join(", ")) }
}

fn microseconds(duration: Duration) -> i64 {
    i64::try_from(duration.milliseconds()).unwrap_or(i64::MAX).saturating_mul(1_000)
}

/// A detection and the events that it is asked about.
struct View<'a> {
    detection: &'a Detection,
    events: &'a [Event],
    start: i64,
    enrichment: &'a Enrichment,
}

impl View<'_> {
    /// The hits of another behaviour over the same signals, exceptions on hits left out.
    fn hits(&self, behavior: Behavior) -> Vec<Hit> {
        let mut other = of_stage(self.detection, &self.detection.stage);
        other.stage.behavior.node = behavior;
        eval::evaluate_with(&other, self.events.to_vec(), self.enrichment)
    }

    /// The hits of another behaviour that the detection does not have.
    fn beside(&self, behavior: Behavior) -> Vec<Hit> {
        let own = eval::evaluate_with(self.detection, self.events.to_vec(), self.enrichment);
        let is_own = |hit: &Hit| own.iter().any(|other| other.time == hit.time && other.keys == hit.keys);
        self.hits(behavior).into_iter().filter(|hit| !is_own(hit)).collect()
    }

    fn name(&self, signal: SignalId) -> String {
        self.detection.stage.signal(signal).map(|signal| signal.name.node.clone()).unwrap_or_default()
    }

    fn at(&self, time: i64) -> String {
        offset_text(time, self.start)
    }

    /// The numbers at each instant.
    fn numbers(&self, relaxed: Behavior, of: &str, wanted: &str) -> Vec<State> {
        let of = if of.is_empty() { String::new() } else { format!("({of})") };
        let sentence = |hit: &Hit| {
            let numbers: Vec<String> =
                hit.aggregates.iter().map(|(name, value)| format!("{name}{of} = {value}{wanted}")).collect();
            (hit.time, format!("{}{}", numbers.join(", "), keys_of(hit)))
        };
        self.hits(relaxed).iter().map(sentence).collect()
    }

    /// Which members of a group are in reach at each instant.
    fn members(&self, group: &Group) -> Vec<State> {
        let relaxed = Group { at_least: Spanned::new(1, group.at_least.span), ..group.clone() };
        let sentence = |hit: &Hit| {
            let present: BTreeSet<&str> = hit.events.iter().map(|event| event.step.as_str()).collect();
            let there = group.members.iter().filter(|member| present.contains(self.name(member.signal).as_str()));
            let sum: u64 = there.map(|member| member.weight).sum();
            let names: Vec<&str> = present.into_iter().collect();
            let what = if group.form == GroupForm::Score { "score = " } else { "" };
            (hit.time, format!("{what}{sum} of {}: {}{}", group.at_least.node, names.join(", "), keys_of(hit)))
        };
        self.hits(Behavior::Group(relaxed)).iter().map(sentence).collect()
    }

    /// How often the value of each event was seen before.
    fn seen(&self, rare: &Rare) -> Vec<State> {
        let quiet = |earlier| Rare { earlier, learning: None, ..rare.clone() };
        let learned = Rare { earlier: (0, u64::MAX), ..rare.clone() };
        let learned: Vec<(i64, String)> =
            self.hits(Behavior::Rare(learned)).iter().map(|hit| (hit.time, keys_of(hit))).collect();
        let mut states = Vec::new();
        let mut known: BTreeSet<(i64, String)> = BTreeSet::new();
        let most = rare.earlier.1.saturating_add(1).min(20);
        for number in (0..=most).chain([u64::MAX]) {
            for hit in self.hits(Behavior::Rare(quiet((0, number)))) {
                let place = (hit.time, keys_of(&hit));
                if !known.insert(place.clone()) {
                    continue;
                }
                let seen = if number > most { format!("more than {most} times") } else { times(number) };
                let learning = if learned.contains(&place) { "" } else { ", but the key is still learning" };
                states.push((hit.time, format!("the value was seen {seen} before{learning}{}", place.1)));
            }
        }
        states
    }

    /// The number of each bucket.
    fn buckets(&self, baseline: &Baseline) -> Vec<State> {
        let one = Aggregation {
            aggregates: vec![baseline.aggregate.clone()],
            condition: Spanned::new(AggregateCondition::And(Vec::new()), baseline.aggregate.span),
            window: baseline.bucket,
            kind: WindowKind::Fixed,
        };
        let one = Aggregation { condition: always(&one), ..one };
        let demand = match &baseline.test {
            BaselineTest::Outlier { sigma } => format!("above {} sigma", sigma.node),
            BaselineTest::Spike { times } => format!("above {} times the mean", times.node),
        };
        let wanted = format!(" in this bucket; wanted: at least {}, {demand}", baseline.floor.node);
        self.numbers(Behavior::Aggregation(one), "", &wanted)
    }

    /// Every change of place.
    fn moves(&self, travel: &Travel) -> Vec<State> {
        let Some(zero) = Decimal::parse_number("0") else { return Vec::new() };
        let relaxed = Travel {
            speed: Spanned::new(zero.clone(), travel.speed.span),
            beyond: Spanned::new(zero, travel.beyond.span),
            ..travel.clone()
        };
        let sentence = |hit: &Hit| {
            let from = hit.events.first().map(|event| self.at(event.event.time)).unwrap_or_default();
            (hit.time, format!("another place than at {from}{}", keys_of(hit)))
        };
        self.hits(Behavior::Travel(relaxed)).iter().map(sentence).collect()
    }

    /// Chains that wait for their next step, and those that something held back.
    fn chains(&self, sequence: &Sequence) -> Vec<State> {
        let mut states = Vec::new();
        let waits = sequence.trailing().map(|absence| self.name(absence.signal));
        for length in 1..=sequence.steps.len() {
            let next = match (sequence.steps.get(length), &waits) {
                (Some(step), _) => format!("waiting for `{}`", step.name),
                (None, Some(absent)) => format!("a hit unless `{absent}` comes"),
                (None, None) => continue,
            };
            for hit in self.hits(prefix(sequence, length)) {
                let chain: Vec<String> = hit
                    .events
                    .iter()
                    .rev()
                    .take(length_of(sequence, length))
                    .map(|event| format!("`{}` at {}", event.step, self.at(event.event.time)))
                    .collect();
                let first = hit.events.iter().rev().take(length_of(sequence, length)).next_back();
                let until =
                    first.map_or(hit.time, |event| event.event.time).saturating_add(microseconds(sequence.window.node));
                let chain: Vec<String> = chain.into_iter().rev().collect();
                let sentence = format!("{}, {next} until {}{}", chain.join(", "), self.at(until), keys_of(&hit));
                states.push((hit.time, sentence));
            }
        }
        for (what, weaker) in weaker(sequence, &|signal| self.name(signal)) {
            for hit in self.beside(Behavior::Sequence(weaker)) {
                states.push((hit.time, format!("no hit because of {what}{}", keys_of(&hit))));
            }
        }
        states
    }
}

fn times(number: u64) -> String {
    match number {
        0 => "never".to_owned(),
        1 => "once".to_owned(),
        more => format!("{more} times"),
    }
}

/// Number of events of the first steps.
fn length_of(sequence: &Sequence, length: usize) -> usize {
    sequence.steps.iter().take(length).map(|step| step.times as usize).sum()
}

/// The first steps of a chain with what concerns them alone.
fn prefix(sequence: &Sequence, length: usize) -> Behavior {
    let steps: Vec<Step> = sequence.steps.iter().take(length).cloned().collect();
    let absences: Vec<_> = sequence.absences.iter().filter(|absence| absence.before < length).cloned().collect();
    if let ([step], true) = (steps.as_slice(), absences.is_empty())
        && step.times == 1
    {
        // One event alone is no chain.
        let at_least = Spanned::new(1, step.span);
        return Behavior::Count { name: "count".to_owned(), signal: step.signal, at_least, window: sequence.window };
    }
    Behavior::Sequence(Sequence {
        steps,
        absences,
        until: sequence.until,
        relations: sequence.relations.iter().filter(|relation| relation.right.step < length).cloned().collect(),
        conditions: Vec::new(),
        window: sequence.window,
    })
}

/// The chain with one demand left out, each with the demand's words.
fn weaker(sequence: &Sequence, name: &dyn Fn(SignalId) -> String) -> Vec<(String, Sequence)> {
    let mut weaker = Vec::new();
    for (index, absence) in sequence.absences.iter().enumerate() {
        let mut other = sequence.clone();
        other.absences.remove(index);
        // A chain of one event needs an absence; a trailing one also moves the hit.
        if absence.before < sequence.steps.len() && !(other.absences.is_empty() && other.is_single()) {
            weaker.push((format!("`no {}`", name(absence.signal)), other));
        }
    }
    if let Some(until) = &sequence.until {
        weaker.push((format!("`until {}`", name(until.node)), Sequence { until: None, ..sequence.clone() }));
    }
    if !sequence.relations.is_empty() || !sequence.conditions.is_empty() {
        let other = Sequence { relations: Vec::new(), conditions: Vec::new(), ..sequence.clone() };
        weaker.push(("`where`".to_owned(), other));
    }
    weaker
}
