//! Streams of events next to those of a detection's tests: one event fewer or more, at another instant, with another value.
//!
//! Never says what such a stream should raise: it only shows where a detection and a change of it part.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::pool::{Place, Pool, base_signals, fields, pool, put};
use crate::eval::{self, Enrichment, Event};
use crate::ir::{Behavior, Detection, Predicate, Signal, Stage, TextTest, Value};
use crate::schema::{Duration, Source};
use crate::verify::Prepared;
use crate::verify::expectation::offset_text;
use crate::verify::fixture::moved;
use crate::verify::state::of_stage;

/// Most streams of one kind; more would say little and take long.
const MOST: usize = 600;

/// A stream next to that of a test.
#[derive(Debug, Clone)]
pub(super) struct Near {
    /// The test and what is done to its events.
    pub(super) words: String,
    /// The events.
    pub(super) events: Vec<Event>,
    /// The instant that offsets count from.
    pub(super) start: i64,
    /// What is known of addresses.
    pub(super) enrichment: Arc<Enrichment>,
}

/// Makes the streams of one kind next to a test.
type Kind<'a> = &'a dyn Fn(&str, &Prepared) -> Vec<Near>;

/// Streams to try, the simplest first.
pub(super) fn streams(detection: &Detection, tests: &[(String, Prepared)]) -> Vec<Near> {
    let all: Vec<&Event> = tests.iter().flat_map(|(_, test)| &test.events).collect();
    let maker = Maker {
        detection,
        pool: pool(detection, &all),
        distances: distances(&detection.stage),
        templates: templates(detection, &all),
        enrichment: Arc::new(tests.first().map(|(_, test)| test.enrichment.clone()).unwrap_or_default()),
    };
    let kinds: [Kind<'_>; 5] = [
        &|name, test| maker.fewer(name, test),
        &|name, test| maker.moved(name, test),
        &|name, test| maker.other_values(name, test),
        &|name, test| maker.more(name, test),
        &|name, test| maker.swapped(name, test),
    ];
    let mut near = Vec::new();
    for kind in kinds {
        let mut streams: Vec<Near> = tests.iter().flat_map(|(name, test)| kind(name, test)).collect();
        streams.truncate(MOST);
        near.extend(streams);
    }
    near
}

/// What streams are made of.
struct Maker<'a> {
    detection: &'a Detection,
    pool: Pool,
    /// Lengths of time that matter, in microseconds.
    distances: Vec<i64>,
    /// For each signal an event of it.
    templates: Vec<(&'a Stage, &'a Signal, Event)>,
    /// What is known of addresses, by the first test.
    enrichment: Arc<Enrichment>,
}

impl Maker<'_> {
    fn near(&self, name: &str, test: &Prepared, what: &str, events: Vec<Event>) -> Near {
        Near {
            words: format!("the events of `{name}`, {what}"),
            events,
            start: test.start,
            enrichment: Arc::clone(&self.enrichment),
        }
    }

    fn source(&self, event: &Event) -> Option<&Source> {
        self.detection.sources().into_iter().find(|source| *source.name == *event.source).map(AsRef::as_ref)
    }

    /// Each event left out, and each event twice.
    fn fewer(&self, name: &str, test: &Prepared) -> Vec<Near> {
        let mut near = vec![self.near(name, test, "as they are", test.events.clone())];
        for (index, event) in test.events.iter().enumerate() {
            let at = offset_text(event.time, test.start);
            let mut events = test.events.clone();
            events.remove(index);
            near.push(self.near(name, test, &format!("without the one at {at}"), events));
            let mut events = test.events.clone();
            events.push(event.clone());
            near.push(self.near(name, test, &format!("with a second one at {at}"), events));
        }
        near
    }

    /// Each event at other instants.
    fn moved(&self, name: &str, test: &Prepared) -> Vec<Near> {
        let mut near = Vec::new();
        let times: BTreeSet<i64> = test.events.iter().map(|event| event.time).collect();
        for (index, event) in test.events.iter().enumerate() {
            let Some(source) = self.source(event) else { continue };
            for time in self.instants(&times, event.time) {
                let mut events = test.events.clone();
                events.iter_mut().skip(index).take(1).for_each(|event| *event = moved(event, source, time));
                let (from, to) = (offset_text(event.time, test.start), offset_text(time, test.start));
                near.push(self.near(name, test, &format!("the one at {from} moved to {to}"), events));
            }
        }
        near
    }

    /// The instants worth trying beside others.
    fn instants(&self, times: &BTreeSet<i64>, but: i64) -> BTreeSet<i64> {
        let some = times.iter().take(3).chain(times.iter().rev().take(3));
        let mut instants = BTreeSet::new();
        for time in some {
            instants.insert(*time);
            for distance in &self.distances {
                instants.extend([time.saturating_add(*distance), time.saturating_sub(*distance)]);
            }
        }
        instants.remove(&but);
        instants
    }

    /// Each event with another value, or none, where the detection looks.
    fn other_values(&self, name: &str, test: &Prepared) -> Vec<Near> {
        let mut near = Vec::new();
        for (index, event) in test.events.iter().enumerate() {
            let Some(places) = self.pool.get(&*event.source) else { continue };
            let at = offset_text(event.time, test.start);
            for Place { path, values } in places.values() {
                let current = event.get(path);
                let others = values.iter().map(Some).chain([None]).filter(|value| *value != current);
                for value in others {
                    let mut fields = event.whole().into_owned();
                    put(&mut fields, path, value.cloned());
                    let mut events = test.events.clone();
                    let changed = Event::new(event.source.clone(), event.time, fields);
                    events.iter_mut().skip(index).take(1).for_each(|event| *event = changed.clone());
                    let shown =
                        value.map_or_else(|| format!("without `{path}`"), |value| format!("with {value} in `{path}`"));
                    near.push(self.near(name, test, &format!("the one at {at} {shown}"), events));
                }
            }
        }
        near
    }

    /// One event more, of any signal, for the same keys as each of the test's events.
    fn more(&self, name: &str, test: &Prepared) -> Vec<Near> {
        let mut near = Vec::new();
        let times: BTreeSet<i64> = test.events.iter().map(|event| event.time).collect();
        for (stage, signal, template) in &self.templates {
            let mut made: Vec<Event> = Vec::new();
            for event in &test.events {
                let like = with_keys_of(self.detection, stage, signal, template, event);
                if !made.contains(&like) {
                    made.push(like);
                }
            }
            for event in made.iter().take(3) {
                let mut instants = self.instants(&times, i64::MIN);
                instants.extend(times.iter().zip(times.iter().skip(1)).map(|(one, other)| one.midpoint(*other)));
                for time in instants {
                    let mut events = test.events.clone();
                    let Some(source) = self.source(event) else { continue };
                    events.push(moved(event, source, time));
                    let at = offset_text(time, test.start);
                    near.push(self.near(name, test, &format!("and a `{}` at {at}", signal.name.node), events));
                }
            }
        }
        near
    }

    /// Two events at each other's instants.
    fn swapped(&self, name: &str, test: &Prepared) -> Vec<Near> {
        let mut near = Vec::new();
        for (index, one) in test.events.iter().enumerate() {
            for (behind, other) in test.events.iter().enumerate().skip(index + 1) {
                let (Some(source), Some(others)) = (self.source(one), self.source(other)) else { continue };
                if one.time == other.time {
                    continue;
                }
                let mut events = test.events.clone();
                events.iter_mut().skip(index).take(1).for_each(|event| *event = moved(one, source, other.time));
                events.iter_mut().skip(behind).take(1).for_each(|event| *event = moved(other, others, one.time));
                let (at, to) = (offset_text(one.time, test.start), offset_text(other.time, test.start));
                near.push(self.near(name, test, &format!("those at {at} and {to} exchanged"), events));
            }
        }
        near
    }
}

/// The event with the keys of another, as far as both name a field for them.
fn with_keys_of(detection: &Detection, stage: &Stage, signal: &Signal, template: &Event, event: &Event) -> Event {
    let alone = of_stage(detection, stage);
    let names = eval::memberships(&alone, event);
    let Some(other) = stage.signals.iter().find(|signal| names.contains(&signal.name.node)) else {
        return template.clone();
    };
    let mut made = template.whole().into_owned();
    let (Some(signal), Some(other)) = (signal.on(&template.source), other.on(&event.source)) else {
        return template.clone();
    };
    for (to, from) in signal.keys.iter().zip(&other.keys) {
        if let ([to], [from]) = (fields(&to.node).as_slice(), fields(&from.node).as_slice())
            && let Some(value) = event.get(&from.path)
        {
            put(&mut made, &to.path, Some(value.clone()));
        }
    }
    Event::new(template.source.clone(), template.time, made)
}

/// For each signal an event of it: one of a test, or one that is made to fit.
fn templates<'a>(detection: &'a Detection, events: &[&Event]) -> Vec<(&'a Stage, &'a Signal, Event)> {
    let mut templates = Vec::new();
    for (stage, signal) in base_signals(&detection.stage) {
        let alone = of_stage(detection, stage);
        let belongs =
            |event: &Event| signal.reads(&event.source) && eval::memberships(&alone, event).contains(&signal.name.node);
        let made = |source: &Arc<Source>| {
            let mut fields = serde_json::json!({});
            fit(&signal.on(&source.name)?.predicate.node, &mut fields);
            Some(Event::new(source.name.clone(), 0, fields)).filter(|made| belongs(made))
        };
        let found = events.iter().copied().find(|event| belongs(event)).cloned();
        let found = found.or_else(|| signal.sources().into_iter().find_map(made));
        templates.extend(found.map(|event| (stage, signal, event)));
    }
    templates
}

/// Puts what a condition demands into an event, as far as that is simple.
fn fit(predicate: &Predicate, event: &mut serde_json::Value) {
    let mut set = |value: &Value, text: serde_json::Value| {
        if let Some(field) = fields(value).first() {
            put(event, &field.path, Some(text));
        }
    };
    match predicate {
        Predicate::And(parts) => parts.iter().for_each(|part| fit(&part.node, event)),
        Predicate::Or(parts) => parts.iter().take(1).for_each(|part| fit(&part.node, event)),
        Predicate::Equal { left, right, .. } => {
            if let Some(literal) = right.as_literal() {
                set(left, literal_json(literal));
            }
        }
        Predicate::In { value, items, .. } => {
            items.iter().take(1).for_each(|item| set(value, literal_json(item)));
        }
        Predicate::IsTrue(value) => set(value, true.into()),
        Predicate::Exists(value) => set(value, "something".into()),
        Predicate::IsAddress { value, .. } => set(value, "192.0.2.77".into()),
        Predicate::Text { value, tests, .. } => {
            for test in tests.iter().take(1) {
                if let TextTest::Contains(text) | TextTest::StartsWith(text) | TextTest::EndsWith(text) = test {
                    set(value, text.as_str().into());
                }
            }
        }
        Predicate::Constant(_)
        | Predicate::OfSource(_)
        | Predicate::Not(_)
        | Predicate::Ordered { .. }
        | Predicate::InNetwork { .. }
        | Predicate::OutsideHours { .. }
        | Predicate::Quantified { .. } => {}
    }
}

fn literal_json(literal: &crate::ir::Literal) -> serde_json::Value {
    match literal {
        crate::ir::Literal::Text(text) => text.as_str().into(),
        crate::ir::Literal::Int(number) => (*number).into(),
        crate::ir::Literal::Float(number) => number.as_str().parse::<f64>().map_or(serde_json::Value::Null, Into::into),
        crate::ir::Literal::Bool(value) => (*value).into(),
    }
}

/// The lengths of time that a stage speaks of, each also a millisecond shorter and longer, and the millisecond itself.
fn distances(stage: &Stage) -> Vec<i64> {
    let mut lengths: BTreeSet<i64> = BTreeSet::from([1_000]);
    collect_lengths(stage, &mut lengths);
    lengths.into_iter().collect()
}

fn collect_lengths(stage: &Stage, lengths: &mut BTreeSet<i64>) {
    let mut add = |duration: Duration| {
        let length = i64::try_from(duration.milliseconds()).unwrap_or(i64::MAX / 4_000).saturating_mul(1_000);
        lengths.extend([length - 1_000, length, length.saturating_add(1_000)]);
    };
    match &stage.behavior.node {
        Behavior::Event { .. } => {}
        Behavior::Count { window, .. } | Behavior::Distinct { window, .. } => add(window.node),
        Behavior::Aggregation(aggregation) => add(aggregation.window.node),
        Behavior::Sequence(sequence) => add(sequence.window.node),
        Behavior::Group(group) => add(group.window.node),
        Behavior::Rare(rare) => {
            add(rare.history.node);
            rare.learning.iter().for_each(|learning| add(learning.node));
        }
        Behavior::Baseline(baseline) => {
            add(baseline.bucket.node);
            add(baseline.history.node);
            baseline.learning.iter().for_each(|learning| add(learning.node));
        }
        Behavior::Travel(travel) => add(travel.window.node),
    }
    for inner in stage.signals.iter().filter_map(|signal| signal.stage.as_ref()) {
        collect_lengths(inner, lengths);
    }
}
