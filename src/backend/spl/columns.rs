//! The columns of a result: keys, time, and what the alert shows.

use std::collections::BTreeMap;

use super::ast::{EvalExpr, Function, Stage};
use super::context::Context;
use super::read::{Head, TIME};
use crate::ir::{Behavior, HitColumn, SignalId};

/// A column of the result.
#[derive(Debug, Clone)]
pub(super) struct Output {
    /// Its name in the result.
    pub(super) name: String,
    /// The column that holds it.
    pub(super) column: String,
}

/// What the result shows, and what it cannot show.
#[derive(Debug, Clone, Default)]
pub(super) struct Shown {
    /// Columns of the result besides time and keys.
    pub(super) outputs: Vec<Output>,
    /// Columns that the result lacks, with the reason.
    pub(super) missing: BTreeMap<String, String>,
}

/// Columns of one event that travel as one JSON text.
#[derive(Debug, Clone)]
pub(super) struct Packed {
    /// Members of the text with the columns of the result that they become.
    pub(super) members: Vec<Output>,
    /// The text.
    pub(super) text: EvalExpr,
}

impl<'a> Context<'a> {
    /// The columns that the alert takes from events of a step (of any signal where `step` is `None`), keys excluded.
    fn wanted(&self, step: Option<usize>) -> Vec<(usize, &'a HitColumn)> {
        let columns = self.request.detection.stage.columns.iter().enumerate();
        columns.filter(|(_, column)| column.key().is_none() && (step.is_none() || column.step() == step)).collect()
    }

    /// The values of the columns that the alert takes from an event; those that the target lacks become missing.
    pub(super) fn event_columns(&mut self, step: Option<usize>, shown: &mut Shown) -> Vec<(Output, EvalExpr)> {
        let mut found = Vec::new();
        for (index, column) in self.wanted(step) {
            let value = self.attempt(|context| {
                let (signal, event_value) = column.event_values().into_iter().next()?;
                let signal = context.request.detection.stage.signal(signal)?;
                let scope = context.scope(signal)?;
                // a text that stands for a missing value is shown as it is
                Some(context.shown(scope, event_value, column.span))
            });
            match value {
                Ok(Some(value)) => {
                    let output = Output { name: column.name.clone(), column: format!("detc_c{}", index + 1) };
                    found.push((output, value));
                }
                Ok(None) => {}
                Err(reason) => {
                    shown.missing.insert(column.name.clone(), reason);
                }
            }
        }
        found
    }

    /// The columns of a step's event as one JSON text that sorts by the event's identity; `None` where there are none.
    pub(super) fn packed(&mut self, step: Option<usize>, signal: SignalId, shown: &mut Shown) -> Option<Packed> {
        let columns = self.event_columns(step, shown);
        if columns.is_empty() {
            return None;
        }
        let identity = self.identity(signal).unwrap_or_else(|| EvalExpr::call(Function::Md5, EvalExpr::source("_raw")));
        let filled = |value: EvalExpr| EvalExpr::Call(Function::Coalesce, vec![value, EvalExpr::text("")]);
        let mut arguments = vec![EvalExpr::text("id"), filled(identity)];
        let mut members = Vec::new();
        for (output, value) in columns {
            arguments.extend([EvalExpr::text(output.column.clone()), filled(value)]);
            members.push(output);
        }
        self.verdict.assume("Splunk is version 8.1 or later");
        Some(Packed { members, text: EvalExpr::Call(Function::JsonObject, arguments) })
    }

    /// Marks the columns of a step as missing.
    pub(super) fn drop_columns(&self, step: usize, reason: &str, shown: &mut Shown) {
        for (_, column) in self.wanted(Some(step)) {
            shown.missing.insert(column.name.clone(), reason.to_owned());
        }
    }

    /// Takes packed columns apart again.
    pub(super) fn unpack(&self, head: &mut Head, packed: &Packed, column: &str, shown: &mut Shown) {
        let mut assignments = Vec::new();
        for output in &packed.members {
            let path = EvalExpr::text(output.column.clone());
            let member = EvalExpr::Call(Function::Spath, vec![EvalExpr::derived(column), path]);
            assignments.push((output.column.clone(), member));
            shown.outputs.push(output.clone());
        }
        head.push(Stage::Eval(assignments));
    }

    /// Names the columns of the result; returns their names in order.
    pub(super) fn show(&mut self, head: &mut Head, shown: &mut Shown) -> Vec<String> {
        let detection = self.request.detection;
        let mut outputs: Vec<Output> = Vec::new();
        for (key, column) in detection.stage.keys.iter().zip(&head.keys) {
            outputs.push(Output { name: key.name.clone(), column: column.clone() });
        }
        let mut copies = Vec::new();
        for (index, column) in detection.stage.columns.iter().enumerate() {
            let Some(key) = column.key().and_then(|key| head.keys.get(key)) else { continue };
            if !outputs.iter().any(|output| output.name == column.name) {
                let copy = format!("detc_c{}", index + 1);
                copies.push((copy.clone(), EvalExpr::derived(key)));
                outputs.push(Output { name: column.name.clone(), column: copy });
            }
        }
        let order = |name: &str| detection.stage.columns.iter().position(|column| column.name == name);
        let mut others = std::mem::take(&mut shown.outputs);
        others.retain(|other| !outputs.iter().any(|output| output.name == other.name));
        others.sort_by_key(|output| order(&output.name));
        outputs.extend(others);
        if !matches!(detection.stage.behavior.node, Behavior::Event { .. }) {
            copies.insert(0, ("_time".to_owned(), head.ticks.shown(TIME)));
        }
        if !copies.is_empty() {
            head.push(Stage::Eval(copies));
        }
        let mut names = vec!["_time".to_owned()];
        let mut pairs = Vec::new();
        for output in outputs {
            let name = free_name(&output.name, &names);
            pairs.push((output.column, name.clone()));
            names.push(name);
        }
        if !pairs.is_empty() {
            head.push(Stage::Rename(pairs));
        }
        head.push(Stage::Table(names.clone()));
        names
    }
}

/// A column's name without what `rename` would take for quotes or wildcards, and not yet taken.
fn free_name(name: &str, taken: &[String]) -> String {
    let allowed = |character: char| {
        let forbidden = matches!(character, '"' | '\\' | '*' | '\'' | '$') || character.is_control();
        if forbidden { '_' } else { character }
    };
    let plain: String = name.chars().filter(|character| *character != '`').map(allowed).collect();
    let mut free = plain.clone();
    let mut number = 2;
    while taken.contains(&free) {
        free = format!("{plain}_{number}");
        number += 1;
    }
    free
}
