//! Elastic Security: event queries and sequences in EQL, and pipelines in ES|QL for what EQL cannot say as well.
//!
//! What neither can say is unsupported; nothing is said with a weaker query.

mod eql;
mod esql;
mod options;

use std::collections::BTreeMap;

use super::{Backend, Fidelity, Output, Query, Request, Verdict};
use crate::ir::{Behavior, HitColumn, Value};
use crate::schema::Duration;
use crate::schema::mapping::Binding;
use options::Options;

/// The Elastic backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elastic;

/// Said of every event query.
const SINGLE: &str =
    "fields that the schema calls single hold one value in the index too, since EQL looks for any of several";

/// Said of every query.
const MAX_SIGNALS: &str =
    "one run finds no more hits than the rule's `max_signals` (100 unless set), which keeps the newest";

/// Said of every query.
const KEPT_WHOLE: &str = "no tested value is longer than the index keeps (`ignore_above`)";

/// Said of every query.
const DELIVERED_ONCE: &str = "the index holds each event once";

impl Backend for Elastic {
    fn name(&self) -> &'static str {
        "elastic"
    }

    fn compile(&self, request: &Request<'_>) -> Output {
        let options = Options::read(&request.target.options);
        let eql = event_query(request, &options);
        if eql.verdict.fidelity() == Fidelity::Exact {
            return eql;
        }
        let pipeline = pipeline(request, &options);
        // The closest wins, EQL where both are alike: it knows the events of a hit. Where neither can say it, the obstacles of
        // the language that can say more are told.
        let is_closer = match pipeline.verdict.fidelity() {
            Fidelity::Unsupported => eql.verdict.fidelity() == Fidelity::Unsupported && !belongs_to_eql(request),
            Fidelity::Exact | Fidelity::Approximate => pipeline.verdict.fidelity() < eql.verdict.fidelity(),
        };
        if is_closer { pipeline } else { eql }
    }
}

/// Whether EQL says more about the behaviour than ES|QL does.
fn belongs_to_eql(request: &Request<'_>) -> bool {
    match &request.detection.stage.behavior.node {
        Behavior::Sequence(sequence) => !esql::is_short(sequence),
        Behavior::Event { .. }
        | Behavior::Count { .. }
        | Behavior::Distinct { .. }
        | Behavior::Aggregation(_)
        | Behavior::Group(_)
        | Behavior::Rare(_)
        | Behavior::Baseline(_)
        | Behavior::Travel(_) => false,
    }
}

/// The detection in EQL.
fn event_query(request: &Request<'_>, options: &Options) -> Output {
    let mut verdict = Verdict::default();
    let statement = eql::lower(request, options, &mut verdict);
    verdict.assume(SINGLE);
    let is_supported = assume(request, &mut verdict);
    let query = statement.filter(|_| is_supported).map(|statement| Query {
        language: "eql",
        extension: "eql",
        text: statement.to_string(),
        columns: Vec::new(),
        missing_columns: missing_columns(request),
        deployment: deployment(request, "eql", request.schedule.range()),
    });
    Output { verdict, query }
}

/// The detection in ES|QL.
fn pipeline(request: &Request<'_>, options: &Options) -> Output {
    let mut verdict = Verdict::default();
    let finished = esql::lower(request, options, &mut verdict);
    let is_supported = assume(request, &mut verdict);
    // A run reports the newest interval of the clock, which can end up to an interval before it.
    let range = request.schedule.range().plus(request.schedule.interval);
    let query = finished.filter(|_| is_supported).map(|finished| Query {
        language: "esql",
        extension: "esql",
        text: finished.query.to_string(),
        columns: finished.columns,
        missing_columns: finished.missing,
        deployment: deployment(request, "esql", range),
    });
    Output { verdict, query }
}

/// Adds what is assumed of every query; whether there is one.
fn assume(request: &Request<'_>, verdict: &mut Verdict) -> bool {
    if verdict.fidelity() == Fidelity::Unsupported {
        verdict.assumptions.clear();
        return false;
    }
    verdict.assume(format!("events arrive at most {} after their own time", request.schedule.lag));
    verdict.assume(MAX_SIGNALS);
    verdict.assume(KEPT_WHOLE);
    verdict.assume(DELIVERED_ONCE);
    true
}

/// Columns of the alert that the events do not hold; EQL returns whole events and computes nothing.
fn missing_columns(request: &Request<'_>) -> BTreeMap<String, String> {
    let columns = request.detection.stage.columns.iter();
    columns.filter_map(|column| Some((column.name.clone(), obstacle(request, column)?))).collect()
}

fn obstacle(request: &Request<'_>, column: &HitColumn) -> Option<String> {
    let stage = &request.detection.stage;
    let of_event = column.event_values().into_iter().next();
    let of_key = || {
        let signal = *stage.behavior.node.closing_signals().first()?;
        Some((signal, &stage.signal(signal)?.keys.get(column.key()?)?.node))
    };
    let (signal, value) = of_event.or_else(of_key)?;
    let signal = stage.signal(signal)?;
    let map = request.target.maps.get(&signal.source.name)?;
    let path = match value {
        Value::Field(field) => &field.path,
        Value::NameValue(reference) => &reference.list.path,
        Value::Time | Value::Literal(_) => return None,
        Value::Element(_) | Value::First(_) | Value::Call(_) => {
            return Some("EQL returns events as they are and computes no values".to_owned());
        }
    };
    match map.resolve(path) {
        Some(Binding::Column(_)) => None,
        Some(Binding::Missing(reason)) => Some(reason),
        None => Some("the field map of the target does not mention it".to_owned()),
    }
}

/// What the rule around the query needs.
fn deployment(request: &Request<'_>, language: &str, range: Duration) -> BTreeMap<String, String> {
    let mut indexes: Vec<&str> = Vec::new();
    for source in request.detection.sources() {
        let Some(map) = request.target.maps.get(&source.name) else { continue };
        for index in map.places("index") {
            if !indexes.contains(&index.as_str()) {
                indexes.push(index);
            }
        }
    }
    let range = Duration::from_seconds(range.seconds_up());
    BTreeMap::from([
        ("from".to_owned(), format!("now-{range}")),
        ("index".to_owned(), indexes.join(",")),
        ("interval".to_owned(), request.schedule.interval.to_string()),
        ("language".to_owned(), language.to_owned()),
    ])
}
