//! The columns of a result: keys, time, and what the alert shows.

use std::collections::BTreeMap;

use super::ast::{EvalExpr, Function, Stage};
use super::context::Context;
use super::read::{Head, TIME, is_set};
use crate::ir::{Behavior, HitColumn, HitValue, SignalId};

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
    /// Column with what tells the closing event from others.
    pub(super) identity: Option<String>,
}

/// Columns of one event that travel as one JSON text.
#[derive(Debug, Clone)]
pub(super) struct Packed {
    /// Members of the text with the columns of the result that they become.
    pub(super) members: Vec<Output>,
    /// The text.
    pub(super) text: EvalExpr,
    /// Whether the event closes the hit.
    pub(super) closes: bool,
}

impl<'a> Context<'a> {
    /// The columns that the alert takes from events of a step (of any signal where `step` is `None`), keys excluded.
    fn wanted(&self, step: Option<usize>) -> Vec<(usize, &'a HitColumn)> {
        let last = self.last_step();
        let is_wanted = |column: &HitColumn| match &column.value {
            HitValue::Key(_) | HitValue::Aggregate(_) => false,
            HitValue::Closing(_) => step.is_none() || step == last,
            HitValue::Step { step: theirs, .. } => step.is_none_or(|step| step == *theirs),
        };
        self.stage.columns.iter().enumerate().filter(|(_, column)| is_wanted(column)).collect()
    }

    /// Index of the last step of a sequence.
    fn last_step(&self) -> Option<usize> {
        match &self.stage.behavior.node {
            Behavior::Sequence(sequence) => sequence.steps.len().checked_sub(1),
            Behavior::Event { .. }
            | Behavior::Count { .. }
            | Behavior::Distinct { .. }
            | Behavior::Aggregation(_)
            | Behavior::Group(_)
            | Behavior::Rare(_)
            | Behavior::Baseline(_)
            | Behavior::Travel(_) => None,
        }
    }

    /// Records the columns that hold a hit's numbers; `None` where the search does not keep one.
    pub(super) fn number_columns(&self, shown: &mut Shown, column_of: impl Fn(usize) -> Option<String>) {
        for column in &self.stage.columns {
            let HitValue::Aggregate(index) = column.value else { continue };
            match column_of(index) {
                Some(name) => shown.outputs.push(Output { name: column.name.clone(), column: name }),
                None => {
                    let reason = "the search compares the number without computing it".to_owned();
                    shown.missing.insert(column.name.clone(), reason);
                }
            }
        }
    }

    /// Whether a hit has to carry one of its numbers.
    pub(super) fn wants_numbers(&self) -> bool {
        self.stage.columns.iter().any(|column| matches!(column.value, HitValue::Aggregate(_)))
    }

    /// The values of the columns that the alert takes from an event; those that the target lacks become missing.
    pub(super) fn event_columns(&mut self, step: Option<usize>, shown: &mut Shown) -> Vec<(Output, EvalExpr)> {
        let mut found = Vec::new();
        for (index, column) in self.wanted(step) {
            let value = self.attempt(|context| {
                let mut values = Vec::new();
                for (id, value) in column.event_values() {
                    let scope = context.scope(context.stage.signal(id)?)?;
                    values.push((id, context.shown(scope, value, column.span)));
                }
                let (_, first) = values.first()?;
                if values.iter().all(|(_, value)| value == first) {
                    return Some(first.clone());
                }
                // of an event that belongs to several signals the first counts
                let cases = values.into_iter().flat_map(|(id, value)| [is_set(&context.flag(id)), value]);
                Some(EvalExpr::Call(Function::Case, cases.collect()))
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
    pub(super) fn packed(&mut self, step: Option<usize>, signals: &[SignalId], shown: &mut Shown) -> Option<Packed> {
        let columns = self.event_columns(step, shown);
        let closes = step.is_none() || step == self.last_step();
        // a hit that another stage reads is told from others by its closing event
        if columns.is_empty() && (self.outermost || !closes) {
            return None;
        }
        let identity = self.identity_of(signals);
        let filled = |value: EvalExpr| EvalExpr::Call(Function::Coalesce, vec![value, EvalExpr::text("")]);
        let mut arguments = vec![EvalExpr::text("id"), filled(identity)];
        let mut members = Vec::new();
        for (output, value) in columns {
            arguments.extend([EvalExpr::text(output.column.clone()), filled(value)]);
            members.push(output);
        }
        self.verdict.assume("Splunk is version 8.1 or later");
        Some(Packed { members, closes, text: EvalExpr::Call(Function::JsonObject, arguments) })
    }

    /// What tells an event of any of the signals from others.
    pub(super) fn identity_of(&mut self, signals: &[SignalId]) -> EvalExpr {
        let raw = EvalExpr::call(Function::Md5, EvalExpr::source("_raw"));
        if self.in_lane {
            return raw;
        }
        let mut found = Vec::new();
        for id in signals {
            found.push((*id, self.identity(*id).unwrap_or_else(|| raw.clone())));
        }
        match found.first() {
            None => raw,
            Some((_, first)) if found.iter().all(|(_, identity)| identity == first) => first.clone(),
            Some(_) => {
                let cases = found.into_iter().flat_map(|(id, identity)| [is_set(&self.flag(id)), identity]);
                EvalExpr::Call(Function::Case, cases.collect())
            }
        }
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
        if packed.closes && !self.outermost {
            let member = EvalExpr::Call(Function::Spath, vec![EvalExpr::derived(column), EvalExpr::text("id")]);
            assignments.push(("detc_id".to_owned(), member));
            shown.identity = Some("detc_id".to_owned());
        }
        head.push(Stage::Eval(assignments));
    }

    /// Names the columns of the result; returns their names in order.
    pub(super) fn show(&mut self, head: &mut Head, shown: &mut Shown) -> Vec<String> {
        let stage = self.stage;
        let mut outputs: Vec<Output> = Vec::new();
        for (key, column) in stage.keys.iter().zip(&head.keys) {
            outputs.push(Output { name: key.name.clone(), column: column.clone() });
        }
        let mut copies = Vec::new();
        for (index, column) in stage.columns.iter().enumerate() {
            let Some(key) = column.key().filter(|_| column.shown).and_then(|key| head.keys.get(key)) else { continue };
            if !outputs.iter().any(|output| output.name == column.name) {
                let copy = format!("detc_c{}", index + 1);
                copies.push((copy.clone(), EvalExpr::derived(key)));
                outputs.push(Output { name: column.name.clone(), column: copy });
            }
        }
        let order = |name: &str| stage.columns.iter().position(|column| column.name == name);
        let mut others = std::mem::take(&mut shown.outputs);
        let is_shown = |name: &str| stage.columns.iter().any(|column| column.shown && column.name == name);
        others.retain(|other| is_shown(&other.name));
        shown.missing.retain(|name, _| is_shown(name));
        others.retain(|other| !outputs.iter().any(|output| output.name == other.name));
        others.sort_by_key(|output| order(&output.name));
        outputs.extend(others);
        if head.timed || !matches!(stage.behavior.node, Behavior::Event { .. }) {
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
