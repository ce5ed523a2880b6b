//! Checks that every column that a query reads was written before: a misspelt column is a silent null in SPL.

use std::collections::BTreeSet;

use super::ast::{EvalExpr, Name, Search, Stage};

/// The columns that some command reads although no earlier one wrote them.
pub(super) fn unwritten(search: &Search) -> Vec<String> {
    let mut flow = Flow { known: BTreeSet::new(), raw: true, unwritten: Vec::new() };
    search.stages.iter().for_each(|stage| flow.pass(stage));
    flow.unwritten
}

/// What is known behind a command.
struct Flow {
    /// Columns that the query wrote.
    known: BTreeSet<String>,
    /// Whether the fields of the event are still there.
    raw: bool,
    unwritten: Vec<String>,
}

impl Flow {
    fn pass(&mut self, stage: &Stage) {
        match stage {
            Stage::Where(condition) => self.read(condition),
            Stage::Eval(assignments) => {
                for (name, value) in assignments {
                    self.read(value);
                    self.known.insert(name.clone());
                }
            }
            Stage::Stats { aggregates, by } | Stage::StatsBeside { aggregates, by, .. } => {
                aggregates
                    .iter()
                    .filter_map(|aggregate| aggregate.argument.as_ref())
                    .for_each(|value| self.read(value));
                by.iter().for_each(|name| self.column(name));
                let names = aggregates.iter().map(|aggregate| &aggregate.name).chain(by);
                self.known = names.cloned().collect();
                self.raw = false;
            }
            Stage::EventStats { aggregates, by } | Stage::StreamStats { aggregates, by, .. } => {
                aggregates
                    .iter()
                    .filter_map(|aggregate| aggregate.argument.as_ref())
                    .for_each(|value| self.read(value));
                by.iter().for_each(|name| self.column(name));
                self.known.extend(aggregates.iter().map(|aggregate| aggregate.name.clone()));
            }
            Stage::Sort(keys) => keys.iter().for_each(|key| self.column(&key.column)),
            Stage::Dedup(columns) => columns.iter().for_each(|name| self.column(name)),
            Stage::Fields(names) => {
                names.iter().for_each(|name| self.name(name));
                let kept = |name: &Name| match name {
                    Name::Source(_) => None,
                    Name::Derived(name) => Some(name.clone()),
                };
                self.known = names.iter().filter_map(kept).collect();
                self.raw = false;
            }
            Stage::MvExpand(column) => self.column(column),
            Stage::AddInfo => {
                self.known.insert("info_max_time".to_owned());
            }
            Stage::Locate { address, prefix } => {
                self.column(address);
                self.known.extend(["City", "Country", "Region", "lat", "lon"].map(|fact| format!("{prefix}{fact}")));
            }
            Stage::Lookup { address, output: (_, column), .. } => {
                self.column(address);
                self.known.insert(column.clone());
            }
            Stage::Rename(pairs) => {
                for (from, to) in pairs {
                    self.column(from);
                    self.known.remove(from);
                    self.known.insert(to.clone());
                }
            }
            Stage::Table(columns) => {
                for name in columns.iter().filter(|name| !(self.raw && *name == "_time")) {
                    if !self.known.contains(name) {
                        self.unwritten.push(name.clone());
                    }
                }
                self.known = columns.iter().cloned().collect();
                self.raw = false;
            }
        }
    }

    fn read(&mut self, expression: &EvalExpr) {
        match expression {
            EvalExpr::Name(name) => self.name(name),
            EvalExpr::Text(_)
            | EvalExpr::Regex(_)
            | EvalExpr::FirstGroup
            | EvalExpr::Integer(_)
            | EvalExpr::Decimal(_) => {}
            EvalExpr::Call(_, parts) | EvalExpr::Join(parts) | EvalExpr::And(parts) | EvalExpr::Or(parts) => {
                parts.iter().for_each(|part| self.read(part));
            }
            EvalExpr::Compare(left, _, right) | EvalExpr::Arithmetic(left, _, right) => {
                self.read(left);
                self.read(right);
            }
            EvalExpr::Not(inner) => self.read(inner),
        }
    }

    fn name(&mut self, name: &Name) {
        match name {
            Name::Source(field) => {
                if !self.raw && !self.known.contains(field) {
                    self.unwritten.push(field.clone());
                }
            }
            Name::Derived(column) => self.column(column),
        }
    }

    fn column(&mut self, column: &str) {
        if !self.known.contains(column) {
            self.unwritten.push(column.to_owned());
        }
    }
}
