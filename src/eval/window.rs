//! Aggregates over windows that slide and are closed at both ends.

use std::collections::{BTreeMap, VecDeque};

use super::cell::Cell;
use super::hit::{Hit, HitEvent};
use super::keys::{Entry, Stream, tuples};
use super::scope::{Patterns, Scope};
use crate::ir::{Detection, SignalId, Value};
use crate::schema::Duration;
use crate::source::Spanned;

/// What `distinct` asks for.
pub(super) struct Distinct<'a> {
    /// The signal.
    pub(super) signal: SignalId,
    /// The values of a tuple.
    pub(super) values: &'a [Spanned<Value>],
    /// Smallest number of different tuples.
    pub(super) at_least: u64,
    /// Length of the window.
    pub(super) window: Duration,
}

/// Microseconds of a duration.
pub(super) fn microseconds(duration: Duration) -> i64 {
    i64::try_from(duration.milliseconds()).unwrap_or(i64::MAX).saturating_mul(1_000)
}

/// Instants with enough events of the key in the window.
pub(super) fn count(
    detection: &Detection,
    streams: &[Stream],
    signal: SignalId,
    at_least: u64,
    window: Duration,
) -> Vec<Hit> {
    let mut hits = Vec::new();
    for stream in streams {
        slide(stream, window, |inside, _, _| {
            let count = inside.len() as u64;
            if count >= at_least {
                hits.extend(hit(detection, signal, stream, inside, ("count", count)));
            }
        });
    }
    hits
}

/// Instants with enough different tuples of the key in the window.
pub(super) fn distinct(
    detection: &Detection,
    streams: &[Stream],
    what: &Distinct<'_>,
    patterns: &Patterns,
) -> Vec<Hit> {
    let mut hits = Vec::new();
    let Some(signal) = detection.stage.signal(what.signal) else { return hits };
    let texts = |entry: &Entry| -> Vec<Vec<String>> {
        let scope = Scope::new(&entry.event, &signal.source, patterns);
        let found = tuples(&scope, what.values.iter().map(|value| &value.node));
        found.iter().map(|tuple| tuple.iter().map(Cell::text).collect()).collect()
    };
    for stream in streams {
        // How many events of the window hold each tuple.
        let mut held: BTreeMap<Vec<String>, u64> = BTreeMap::new();
        slide(stream, what.window, |inside, entered, left| {
            for tuple in entered.iter().flat_map(|entry| texts(entry)) {
                *held.entry(tuple).or_default() += 1;
            }
            for tuple in left.iter().flat_map(|entry| texts(entry)) {
                if let Some(number) = held.get_mut(&tuple) {
                    *number -= 1;
                    if *number == 0 {
                        held.remove(&tuple);
                    }
                }
            }
            let count = held.len() as u64;
            if count >= what.at_least {
                hits.extend(hit(detection, what.signal, stream, inside, ("distinct", count)));
            }
        });
    }
    hits
}

/// Calls back at every instant with the events of the window, those that came in with it, and those that fell out.
fn slide<'a>(
    stream: &'a Stream,
    window: Duration,
    mut instant: impl FnMut(&VecDeque<&'a Entry>, &[&'a Entry], &[&'a Entry]),
) {
    let window = microseconds(window);
    let mut inside: VecDeque<&Entry> = VecDeque::new();
    for ties in stream.entries.chunk_by(|one, other| one.event.time == other.event.time) {
        let Some(now) = ties.first().map(|entry| entry.event.time) else { continue };
        let entered: Vec<&Entry> = ties.iter().collect();
        inside.extend(&entered);
        let mut left = Vec::new();
        while inside.front().is_some_and(|oldest| oldest.event.time < now.saturating_sub(window)) {
            left.extend(inside.pop_front());
        }
        instant(&inside, &entered, &left);
    }
}

fn hit(
    detection: &Detection,
    signal: SignalId,
    stream: &Stream,
    inside: &VecDeque<&Entry>,
    (name, number): (&str, u64),
) -> Option<Hit> {
    // Events are sorted by time, then text: the last of the window is the one that the hit shows.
    let closing = inside.back()?.event.clone();
    let step = detection.stage.signal(signal).map(|signal| signal.name.node.clone()).unwrap_or_default();
    let event = |entry: &&Entry| HitEvent { step: step.clone(), index: 0, event: entry.event.clone() };
    Some(Hit {
        keys: stream.keys.clone(),
        time: closing.time,
        aggregates: vec![(name.to_owned(), number)],
        events: inside.iter().map(event).collect(),
        closing,
    })
}
