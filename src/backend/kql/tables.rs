//! The tables of a source: one, several of one shape, or several that differ in how they hold a column.
//!
//! Never knows what is done with their rows.

use super::ast::{Assignment, Expr, Origin, Stage, Table};
use crate::schema::mapping::FieldMap;

/// The tables that hold a source's events.
#[derive(Debug, Clone, Default)]
pub(super) struct Tables {
    names: Vec<String>,
    /// Columns that are JSON text in one table and parsed JSON in another, as `Table.Column`.
    text: Vec<String>,
}

impl Tables {
    /// Those that a field map names.
    pub(super) fn of_map(map: &FieldMap) -> Self {
        Self { names: map.places("table").to_vec(), text: map.places("text").to_vec() }
    }

    /// The one of that name.
    pub(super) fn one(name: String) -> Self {
        Self { names: vec![name], text: Vec::new() }
    }

    /// Their rows behind the operators.
    pub(super) fn rows(&self, stages: &[Stage]) -> Vec<Table> {
        if self.text.is_empty() {
            let each = |name: &String| Table { origin: Origin::Name(name.clone()), stages: stages.to_vec() };
            return self.names.iter().map(each).collect();
        }
        // A union keeps columns that only some tables have, and splits one that has two types.
        let legs =
            self.names.iter().map(|name| Table { origin: Origin::Name(name.clone()), stages: self.parsed(name) });
        let mut all = Table::union(legs.collect());
        all.stages.extend_from_slice(stages);
        vec![all]
    }

    /// The operator that parses the columns that a table holds as text.
    fn parsed(&self, table: &str) -> Vec<Stage> {
        let column = |place: &String| place.strip_prefix(table)?.strip_prefix('.').map(ToOwned::to_owned);
        let columns = self.text.iter().filter_map(column);
        let parsed: Vec<Assignment> =
            columns.map(|name| Assignment::new(&name, Expr::call("parse_json", Expr::column(&name)))).collect();
        if parsed.is_empty() { Vec::new() } else { vec![Stage::Extend(parsed)] }
    }
}
