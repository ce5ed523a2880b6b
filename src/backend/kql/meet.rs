//! Which signals one event can belong to.
//!
//! Never guesses that signals exclude each other: what is not shown counts as possible.

use crate::ir::{Signal, SignalId, Stage};
use crate::source::Span;

/// Whether one row can be an event of both signals; hits of a stage have rows of their own.
pub(super) fn in_a_row(stage: &Stage, one: SignalId, other: SignalId) -> bool {
    let (Some(left), Some(right)) = (stage.signal(one), stage.signal(other)) else { return false };
    left.stage.is_none() && right.stage.is_none() && !left.meets(right).is_empty()
}

/// The place of the second signal where one event can belong to both although no row says so, since it closes a hit.
pub(super) fn in_a_hit(stage: &Stage, one: SignalId, other: SignalId) -> Option<Span> {
    let (left, right) = (stage.signal(one)?, stage.signal(other)?);
    if left.stage.is_none() && right.stage.is_none() {
        return None;
    }
    let (leaves, others) = (closing(left), closing(right));
    let meets = leaves.iter().any(|one| others.iter().any(|other| !one.meets(other).is_empty()));
    meets.then_some(right.name.span)
}

/// The signals over sources of which a signal's events are.
fn closing(signal: &Signal) -> Vec<&Signal> {
    let Some(stage) = &signal.stage else { return vec![signal] };
    let signals = stage.behavior.node.closing_signals();
    signals.into_iter().filter_map(|id| stage.signal(id)).flat_map(closing).collect()
}

/// The place where two of the signals disagree about a key although one row can belong to both.
///
/// Such an event takes part under two keys at once, which needs a row for each.
pub(super) fn key_conflict(stage: &Stage, signals: &[SignalId]) -> Option<Span> {
    for (index, one) in signals.iter().enumerate() {
        for other in signals.iter().skip(index + 1).filter(|other| in_a_row(stage, *one, **other)) {
            let (left, right) = (stage.signal(*one)?, stage.signal(*other)?);
            if let Some(span) = left.key_conflict(right) {
                return Some(span);
            }
        }
    }
    None
}
