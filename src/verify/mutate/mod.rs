//! Which changes of a detection's meaning its own tests would not notice.
//!
//! Never judges by itself: a change is noticed when a test that passed fails with it, and it counts only where some stream
//! of events near those of the tests tells it from the detection.

mod aggregate;
mod behavior;
mod change;
mod near;
mod number;
mod pool;
mod predicate;
mod sequence;

use std::collections::BTreeMap;

use super::expectation;
use super::{Prepared, ReadFile, prepare};
use crate::analysis::Context;
use crate::eval::{self, Enrichment, Event, Hit};
use crate::ir::Detection;
use crate::source::Span;
use change::Change;

/// What became of the changes of one detection.
#[derive(Debug, Clone, Default)]
pub struct MutationReport {
    /// Number of changes that a test notices.
    pub noticed: usize,
    /// Changes that no test notices although some events tell them from the detection.
    pub unnoticed: Vec<Unnoticed>,
    /// Changes that no test notices, and that none of the events that were tried tells from the detection: they may mean
    /// the same.
    pub undecided: Vec<(Span, String)>,
    /// Where the detection's name stands, if it has no tests: then nothing would be noticed.
    pub untested: Option<Span>,
    /// Tests that fail or cannot run, by name and place; nothing else is told then.
    pub failed: Vec<(Span, String)>,
}

/// A change that no test notices.
#[derive(Debug, Clone)]
pub struct Unnoticed {
    /// The clause that is changed.
    pub span: Span,
    /// What is changed, such as `threshold 5 -> 4`.
    pub change: String,
    /// Events that tell the change from the detection, in words: a test and what to do to its events.
    pub events: String,
    /// Times of the hits that the detection has there, as offsets.
    pub expected: Vec<String>,
    /// Times of the hits with the change.
    pub changed: Vec<String>,
}

/// A hit as it is compared: its time and its keys.
type Seen = (i64, String);

/// Changes the detection in every way that its tests should notice, and tells which of them they do not.
#[must_use]
pub fn mutate(detection: &Detection, text: &str, context: &Context<'_>, read: ReadFile<'_>) -> MutationReport {
    let mut report = MutationReport::default();
    let mut tests = Vec::new();
    for (name, span, prepared) in prepare(detection.file, text, context, read) {
        match prepared {
            Ok(test) if passes(&test) => tests.push((name, test)),
            Ok(_) | Err(_) => report.failed.push((span, name)),
        }
    }
    report.untested = (tests.is_empty() && report.failed.is_empty()).then_some(detection.name.span);
    if tests.is_empty() || !report.failed.is_empty() {
        return report;
    }
    let own: Vec<BTreeMap<(Span, usize), Change<Detection>>> = tests
        .iter()
        .map(|(_, test)| if test.is_overridden { numbered(change::changes(&test.detection)) } else { BTreeMap::new() })
        .collect();
    let mut unnoticed = Vec::new();
    for (place, change) in numbered(change::changes(detection)) {
        let is_noticed = tests.iter().zip(&own).any(|((_, test), own)| {
            let change = if test.is_overridden { own.get(&place) } else { Some(&change) };
            change.is_some_and(|change| notices(test, change))
        });
        if is_noticed {
            report.noticed += 1;
        } else {
            unnoticed.push(change);
        }
    }
    if unnoticed.is_empty() {
        return report;
    }
    let near = near::streams(detection, &tests);
    let plain: Vec<Vec<Seen>> =
        near.iter().map(|near| seen(&hits(&[detection], &near.events, &near.enrichment), false)).collect();
    let keyless: Vec<Vec<Seen>> =
        plain.iter().map(|hits| hits.iter().map(|(time, _)| (*time, String::new())).collect()).collect();
    for change in unnoticed {
        let expected = if change.is_keyless { &keyless } else { &plain };
        let nodes: Vec<&Detection> = change.nodes.iter().collect();
        let found = near.iter().zip(expected).find_map(|(near, expected)| {
            let changed = seen(&hits(&nodes, &near.events, &near.enrichment), change.is_keyless);
            (changed != *expected).then_some((near, expected, changed))
        });
        match found {
            Some((near, expected, changed)) => {
                let times =
                    |hits: &[Seen]| hits.iter().map(|(time, _)| expectation::offset_text(*time, near.start)).collect();
                report.unnoticed.push(Unnoticed {
                    span: change.span,
                    change: change.words,
                    events: near.words.clone(),
                    expected: times(expected),
                    changed: times(&changed),
                });
            }
            None => report.undecided.push((change.span, change.words)),
        }
    }
    report
}

/// The changes by their place: several at one clause are told apart by number.
fn numbered(changes: Vec<Change<Detection>>) -> BTreeMap<(Span, usize), Change<Detection>> {
    let mut numbered = BTreeMap::new();
    let mut numbers: BTreeMap<Span, usize> = BTreeMap::new();
    for change in changes {
        let number = numbers.entry(change.span).or_default();
        *number += 1;
        numbered.insert((change.span, *number), change);
    }
    numbered
}

fn passes(test: &Prepared) -> bool {
    let (hits, alerts) = super::outcome(&test.detection, test);
    expectation::compare(&test.expected, &hits, &alerts, test.start).is_empty()
}

/// Whether a test that passes fails with a change.
fn notices(test: &Prepared, change: &Change<Detection>) -> bool {
    let nodes: Vec<&Detection> = change.nodes.iter().collect();
    let hits = hits(&nodes, &test.events, &test.enrichment);
    let Some(first) = nodes.first() else { return false };
    let alerts = eval::alerts(first, hits.clone());
    let mut expected = test.expected.clone();
    if change.is_keyless {
        expected.keys = None;
    }
    !expectation::compare(&expected, &hits, &alerts, test.start).is_empty()
}

/// The hits of any of some detections, each once, by time.
fn hits(detections: &[&Detection], events: &[Event], enrichment: &Enrichment) -> Vec<Hit> {
    let mut all: Vec<Hit> = Vec::new();
    for detection in detections {
        for hit in eval::evaluate_with(detection, events.to_vec(), enrichment) {
            let is_event = matches!(detection.stage.behavior.node, crate::ir::Behavior::Event { .. });
            if is_event || !all.iter().any(|other| other.time == hit.time && other.keys == hit.keys) {
                all.push(hit);
            }
        }
    }
    if detections.len() > 1 {
        all.sort_by_key(|hit| hit.time);
    }
    all
}

/// Hits as they are compared.
fn seen(hits: &[Hit], is_keyless: bool) -> Vec<Seen> {
    let keys = |hit: &Hit| {
        let texts: Vec<String> = hit.keys.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if is_keyless { String::new() } else { texts.join(",") }
    };
    hits.iter().map(|hit| (hit.time, keys(hit))).collect()
}
