//! Turns behaviours into pipelines.
//!
//! Never guesses: a behaviour without a proven form is refused.

use super::ast::{Command, Name, Query};
use super::draft::{Draft, Finished};
use super::window::closing;
use crate::backend::elastic::options::Options;
use crate::backend::{Request, Verdict};
use crate::ir::{Behavior, SignalId};
use crate::schema::FieldPath;

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
        let mut kept: Vec<Name> = IDENTITY.iter().chain(&["@timestamp"]).map(|name| Name::plain(*name)).collect();
        let mut columns: Vec<String> = vec!["@timestamp".to_owned()];
        let mut renamed = Vec::new();
        let mut computed = Vec::new();
        for packed in carried {
            let Some(column) = self.hit_column(&packed) else { continue };
            if kept.contains(&Name::plain(column.name.clone())) {
                continue;
            }
            columns.push(column.name.clone());
            kept.push(packed.name.clone());
            renamed.push((packed.name.clone(), Name(FieldPath::parse(&column.name).segments().to_vec())));
            computed.push((packed.name, packed.value));
        }
        self.eval(computed);
        self.commands.push(Command::Keep(kept));
        if !renamed.is_empty() {
            self.commands.push(Command::Rename(renamed));
        }
        Some(Finished { query: Query { commands: self.commands }, columns, missing: self.missing })
    }
}
