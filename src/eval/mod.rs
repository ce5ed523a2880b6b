//! The reference: what a detection finds in a set of events, straight from the meaning that LANGUAGE.md gives.
//!
//! Never looks at a target: what engines can do has no say here.

mod behavior;
mod engine;
mod enrichment;
mod event;
mod expression;
mod hit;
mod identity;
mod number;
mod outline;
mod record;
mod reorder;
mod router;
mod stage;
mod suppress;
mod trace;

use std::collections::HashSet;
use std::sync::Arc;

pub use engine::{Engine, Fleet};
pub use enrichment::{Enrichment, Location};
pub use event::{Event, time_from_text, time_to_text};
pub use hit::{Hit, HitEvent};
pub use number::Number;
pub use record::{Layout, Position, Record};
pub use reorder::{Arrival, Reorder};
pub use suppress::{Suppressor, alerts};
pub use trace::{Look, Met, Tracer};

use crate::ir::{Detection, Stage};
use crate::schema::Duration;
use expression::{Scope, Shape, View};
use identity::Identities;

/// The hits of a detection, before suppression, by time, then keys; a function of the multiset of events.
///
/// Nothing is known of addresses, and time goes on behind the last event.
#[must_use]
pub fn evaluate(detection: &Detection, events: Vec<Event>) -> Vec<Hit> {
    evaluate_with(detection, events, &Enrichment::default())
}

/// As [`evaluate`], with what is known of addresses.
#[must_use]
pub fn evaluate_with(detection: &Detection, events: Vec<Event>, enrichment: &Enrichment) -> Vec<Hit> {
    let mut engine = Engine::new(detection, Arc::new(enrichment.clone()));
    let mut hits = Vec::new();
    for event in distinct(detection, events) {
        engine.push(Arc::new(event), &mut hits);
    }
    engine.finish(&mut hits);
    hits
}

/// Names of the signals over sources, at any depth, that an event belongs to, each once, in the order of the signals.
#[must_use]
pub fn memberships(detection: &Detection, event: &Event) -> Vec<String> {
    let mut names = Vec::new();
    collect_memberships(&detection.stage, event, &mut names);
    names
}

fn collect_memberships(stage: &Stage, event: &Event, names: &mut Vec<String>) {
    let enrichment = Enrichment::default();
    for signal in &stage.signals {
        if let Some(inner) = &signal.stage {
            collect_memberships(inner, event, names);
        } else if !names.contains(&signal.name.node)
            && let Some(signal) = signal.on(&event.source)
        {
            let test = expression::predicate(Shape::of(&signal), &signal.predicate.node);
            if Scope::new(View::Event(event), &enrichment).holds(&test) {
                names.push(signal.name.node.clone());
            }
        }
    }
}

/// The events of the detection's sources in the order of their times, duplicates removed: of equal ids the smallest
/// time, then text, stays.
fn distinct(detection: &Detection, mut events: Vec<Event>) -> Vec<Event> {
    let sources = detection.sources();
    events.retain(|event| sources.iter().any(|source| *source.name == *event.source));
    events.sort_by(|one, other| {
        let order = one.time.cmp(&other.time).then_with(|| one.compare_text(other));
        order.then_with(|| one.source.cmp(&other.source))
    });
    let identities = Identities::new(sources);
    let mut seen = HashSet::new();
    events.retain(|event| identities.of(event).is_none_or(|id| seen.insert(id)));
    events
}

/// Microseconds of a duration.
fn microseconds(duration: Duration) -> i64 {
    i64::try_from(duration.milliseconds()).unwrap_or(i64::MAX).saturating_mul(1_000)
}
