//! Turns behaviours into pipelines.
//!
//! Never guesses: a behaviour without a proven form is refused.

use super::ast::{Command, Name, Query};
use super::draft::{Draft, Finished, column_name};
use super::window::closing;
use crate::backend::elastic::options::Options;
use crate::backend::{Request, Verdict};
use crate::ir::{Behavior, SignalId};

/// What makes an alert of each event once, however often a run reads it.
const IDENTITY: &[&str] = &["_id", "_index", "_version"];

/// Lowers a detection; reasons are added to `verdict`, the query is of use only where none of them is unsupported.
pub fn lower(request: &Request<'_>, options: &Options, verdict: &mut Verdict) -> Option<Finished> {
    let behavior = &request.detection.stage.behavior;
    let mut draft = Draft::new(request, options, verdict);
    draft.refuse_frame();
    if request.detection.stage.is_composed() {
        return None;
    }
    match &behavior.node {
        Behavior::Event { signals } => draft.events(signals),
        Behavior::Count { name, signal, at_least, window } => draft.count(name, *signal, at_least, window.node),
        Behavior::Distinct { name, signal, values, at_least, window } => {
            draft.distinct(name, *signal, values, at_least, window.node)
        }
        Behavior::Aggregation(aggregation) => draft.aggregation(aggregation),
        Behavior::Group(group) => draft.group(group),
        Behavior::Sequence(sequence) => draft.chain(sequence),
        Behavior::Rare(rare) => draft.rare(rare),
        Behavior::Baseline(baseline) => draft.baseline(baseline),
        Behavior::Travel(travel) => draft.travel(travel),
    }
}

impl Draft<'_> {
    /// Each event of any of the signals, with the columns of the alert; the rule recognises events that it has seen.
    fn events(mut self, signals: &[SignalId]) -> Option<Finished> {
        self.is_framed = false;
        self.read(signals, IDENTITY)?;
        let carried = self.carried(closing);
        let identity = || IDENTITY.iter().chain(&["@timestamp"]).map(|name| Name::plain(*name));
        let mut kept: Vec<Name> = identity().collect();
        let mut shown = Vec::new();
        let mut types = Vec::new();
        let mut renamed = Vec::new();
        let mut computed = Vec::new();
        for packed in carried {
            let Some(column) = self.hit_column(&packed) else { continue };
            if kept.contains(&column_name(&column.name)) {
                continue;
            }
            types.push((column.name.clone(), packed.ty));
            if column.shown {
                shown.push(column.name.clone());
            }
            kept.push(packed.name.clone());
            renamed.push((packed.name.clone(), column_name(&column.name)));
            computed.push((packed.name, packed.value));
        }
        self.eval(computed);
        self.commands.push(Command::Keep(kept));
        if !renamed.is_empty() {
            self.commands.push(Command::Rename(renamed));
        }
        self.filter_hits(&types, &[]);
        if shown.len() < types.len() {
            self.commands.push(Command::Keep(identity().chain(shown.iter().map(|name| column_name(name))).collect()));
        }
        self.missing.retain(|name, _| self.stage.columns.iter().any(|column| column.name == *name && column.shown));
        let columns = std::iter::once("@timestamp".to_owned()).chain(shown).collect();
        Some(Finished { query: Query { commands: self.commands }, columns, missing: self.missing })
    }
}
