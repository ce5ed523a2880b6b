//! Names of the result's columns.

use std::collections::BTreeMap;

use super::ast::{Assignment, Expr};
use super::frame::TIME;
use crate::ir::{Detection, HitColumn};

/// The columns of the result: the hit's time, the keys, and what the alert shows.
#[derive(Debug, Default)]
pub(super) struct Columns {
    /// Columns of the rows that hold the keys, in order.
    pub(super) keys: Vec<String>,
    /// Columns of the alert that are no keys, with their names in the result.
    pub(super) shown: Vec<usize>,
    /// Columns of the alert that show a key: their names with the key's column.
    aliases: Vec<(String, String)>,
    /// Columns of the alert that the result lacks, with the reason.
    pub(super) missing: BTreeMap<String, String>,
}

impl Columns {
    /// Sorts the columns of a detection.
    pub(super) fn of(detection: &Detection) -> Self {
        let mut columns = Self::default();
        for key in &detection.stage.keys {
            let name = if is_taken(&key.name) { format!("key_{}", key.name) } else { key.name.clone() };
            columns.keys.push(name);
        }
        for (index, column) in detection.stage.columns.iter().enumerate() {
            if is_taken(&column.name) {
                let reason = format!("the query has a column of its own called `{}`", column.name);
                columns.missing.insert(column.name.clone(), reason);
                continue;
            }
            match column.key().and_then(|key| columns.keys.get(key)) {
                Some(key) if *key == column.name => {}
                Some(key) => columns.aliases.push((column.name.clone(), key.clone())),
                None if columns.keys.contains(&column.name) => {
                    let reason = format!("`{}` is the name of a key that means something else", column.name);
                    columns.missing.insert(column.name.clone(), reason);
                }
                None => columns.shown.push(index),
            }
        }
        columns
    }

    /// The alert's columns that are no keys.
    pub(super) fn shown<'d>(&self, detection: &'d Detection) -> Vec<&'d HitColumn> {
        self.shown.iter().filter_map(|index| detection.stage.columns.get(*index)).collect()
    }

    /// What the result keeps, in order.
    pub(super) fn result(&self, detection: &Detection) -> Vec<Assignment> {
        let mut result = vec![Assignment::keep(TIME)];
        result.extend(self.keys.iter().map(Assignment::keep));
        result.extend(self.aliases.iter().map(|(name, key)| Assignment::new(name, Expr::column(key))));
        result.extend(self.shown(detection).iter().map(|column| Assignment::keep(&column.name)));
        result
    }
}

/// Whether a name belongs to the query itself.
fn is_taken(name: &str) -> bool {
    name == TIME || name.starts_with("detc_")
}
