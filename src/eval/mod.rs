//! The reference: what a detection finds in a set of events, straight from the meaning that LANGUAGE.md gives.
//!
//! Never looks at a target: what engines can do has no say here.

mod call;
mod cell;
mod event;
mod hit;
mod keys;
mod network;
mod number;
mod pattern;
mod predicate;
mod scope;
mod sequence;
mod suppress;
mod trace;
mod window;

use std::sync::Arc;

pub use event::{Event, time_from_text, time_to_text};
pub use hit::{Hit, HitEvent};
pub use suppress::alerts;
pub use trace::{Look, Met, Tracer};

use crate::ir::{Behavior, Detection, Sequence, SignalId};
use hit::key_texts;
use keys::streams;
use scope::{Patterns, Scope};

/// The hits of a detection, before suppression, by time, then keys; a function of the multiset of events.
#[must_use]
pub fn evaluate(detection: &Detection, events: Vec<Event>) -> Vec<Hit> {
    let patterns = Patterns::default();
    let events = event::prepare(detection, events, &patterns);
    let mut hits = match &detection.stage.behavior.node {
        Behavior::Event { signals } => {
            signals.first().map(|signal| single(detection, &events, *signal, &patterns)).unwrap_or_default()
        }
        Behavior::Count { signal, at_least, window, .. } => {
            let streams = streams(detection, &events, &[*signal], &patterns);
            window::count(detection, &streams, *signal, at_least.node, window.node)
        }
        Behavior::Distinct { signal, values, at_least, window, .. } => {
            let streams = streams(detection, &events, &[*signal], &patterns);
            let what = window::Distinct { signal: *signal, values, at_least: at_least.node, window: window.node };
            window::distinct(detection, &streams, &what, &patterns)
        }
        Behavior::Sequence(Sequence { steps, relations, window, .. }) => {
            let streams = streams(detection, &events, &detection.stage.behavior.node.signals(), &patterns);
            let chain = sequence::Sequence { detection, steps, relations, window: window.node, patterns: &patterns };
            chain.hits(&streams)
        }
        Behavior::Aggregation(_)
        | Behavior::Group(_)
        | Behavior::Rare(_)
        | Behavior::Baseline(_)
        | Behavior::Travel(_) => Vec::new(),
    };
    hits.sort_by(|one, other| {
        let order = one.time.cmp(&other.time).then_with(|| key_texts(one).cmp(&key_texts(other)));
        order.then_with(|| one.closing.text.cmp(&other.closing.text))
    });
    hits
}

/// Names of the signals of a detection that an event belongs to, in the order of the signals.
#[must_use]
pub fn memberships(detection: &Detection, event: &Event) -> Vec<String> {
    let patterns = Patterns::default();
    let signals = detection.stage.signals.iter().enumerate();
    signals
        .filter(|(index, _)| belongs(detection, event, SignalId(*index), &patterns))
        .map(|(_, signal)| signal.name.node.clone())
        .collect()
}

/// Whether an event is one of a signal.
fn belongs(detection: &Detection, event: &Event, signal: SignalId, patterns: &Patterns) -> bool {
    detection.stage.signal(signal).is_some_and(|signal| {
        signal.source.name == event.source && Scope::new(event, &signal.source, patterns).holds(&signal.predicate.node)
    })
}

fn single(detection: &Detection, events: &[Arc<Event>], signal: SignalId, patterns: &Patterns) -> Vec<Hit> {
    let name = detection.stage.signal(signal).map(|signal| signal.name.node.clone()).unwrap_or_default();
    let hit = |event: &Arc<Event>| Hit {
        keys: Vec::new(),
        time: event.time,
        aggregates: Vec::new(),
        events: vec![HitEvent { step: name.clone(), index: 0, event: event.clone() }],
        closing: event.clone(),
    };
    events.iter().filter(|event| belongs(detection, event, signal, patterns)).map(hit).collect()
}
