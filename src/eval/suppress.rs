//! Suppression of repeats: what is left of hits when they become alerts.

use std::collections::HashMap;

use super::hit::Hit;
use super::scope::{Patterns, Scope};
use super::window::microseconds;
use crate::ir::Detection;

/// The hits that raise an alert: the first of each `by` tuple, and those at least `for` after the last one kept.
///
/// `hits` are in the order that [`evaluate`](super::evaluate) gives them. A hit that lacks a column is always kept.
#[must_use]
pub fn alerts(detection: &Detection, hits: Vec<Hit>) -> Vec<Hit> {
    let Some(suppression) = &detection.alert.suppression else { return hits };
    let patterns = Patterns::default();
    let period = microseconds(suppression.period);
    let mut kept: HashMap<Vec<String>, i64> = HashMap::new();
    let keep = |hit: &Hit| {
        let columns: Option<Vec<String>> =
            suppression.by.iter().map(|name| column(detection, hit, name, &patterns)).collect();
        let Some(columns) = columns else { return true };
        if kept.get(&columns).is_some_and(|last| hit.time.saturating_sub(*last) < period) {
            return false;
        }
        kept.insert(columns, hit.time);
        true
    };
    let mut keep = keep;
    hits.into_iter().filter(|hit| keep(hit)).collect()
}

/// The text of a hit's column; `None` where the hit lacks it.
fn column(detection: &Detection, hit: &Hit, name: &str, patterns: &Patterns) -> Option<String> {
    if let Some((_, value)) = hit.keys.iter().find(|(key, _)| key == name) {
        return Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
    let column = detection.stage.columns.iter().find(|column| column.name == name)?;
    let event = match column.step() {
        Some(index) => &hit.events.iter().rev().find(|event| event.index == index)?.event,
        None => &hit.closing,
    };
    let values = column.event_values();
    let (signal, value) = values.first()?;
    let source = &detection.stage.signal(*signal)?.source;
    Scope::new(event, source, patterns).value(value).map(|cell| cell.text())
}
