//! Suppression of repeats: what is left of hits when they become alerts.
//!
//! Never changes a hit.

use std::collections::HashMap;

use super::hit::Hit;
use super::microseconds;
use crate::ir::{Detection, Suppression};

/// How many tuples are remembered before those whose period is over are looked for.
const SWEEP_FROM: usize = 1_024;

/// Decides hit by hit which raise an alert: the first of each `by` tuple, and those at least `for` after the last one kept.
///
/// Hits come in the order of their times. A hit that lacks a column is always kept.
#[derive(Debug, Clone)]
pub struct Suppressor {
    suppression: Option<Suppression>,
    kept: HashMap<Vec<String>, i64>,
    sweep_at: usize,
}

impl Suppressor {
    /// Starts without any hit kept.
    #[must_use]
    pub fn new(detection: &Detection) -> Self {
        Self { suppression: detection.alert.suppression.clone(), kept: HashMap::new(), sweep_at: SWEEP_FROM }
    }

    /// Whether a hit raises an alert.
    pub fn keeps(&mut self, hit: &Hit) -> bool {
        let Some(suppression) = &self.suppression else { return true };
        let period = microseconds(suppression.period);
        let columns: Option<Vec<String>> = suppression.by.iter().map(|name| text(hit, name)).collect();
        let Some(columns) = columns else { return true };
        if self.kept.get(&columns).is_some_and(|last| hit.time.saturating_sub(*last) < period) {
            return false;
        }
        self.kept.insert(columns, hit.time);
        if self.kept.len() > self.sweep_at {
            self.kept.retain(|_, last| hit.time.saturating_sub(*last) < period);
            self.sweep_at = SWEEP_FROM.max(2 * self.kept.len());
        }
        true
    }
}

/// The hits that raise an alert, of hits in the order that [`evaluate`](super::evaluate) gives them.
#[must_use]
pub fn alerts(detection: &Detection, hits: Vec<Hit>) -> Vec<Hit> {
    let mut suppressor = Suppressor::new(detection);
    hits.into_iter().filter(|hit| suppressor.keeps(hit)).collect()
}

fn text(hit: &Hit, name: &str) -> Option<String> {
    let value = hit.column(name)?;
    Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}
