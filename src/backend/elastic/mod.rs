//! Elastic Security: event queries and sequences in EQL.
//!
//! What EQL cannot say is unsupported; nothing is said with a weaker query.

mod eql;
mod options;

use std::collections::BTreeMap;

use super::{Backend, Fidelity, Output, Query, Request, Verdict};
use crate::ir::{Behavior, HitColumn, Value};
use crate::schema::mapping::Binding;
use options::Options;

/// The Elastic backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elastic;

/// Said of every query.
const MAX_SIGNALS: &str =
    "one run finds no more hits than the rule's `max_signals` (100 unless set), which keeps the newest";

/// Said of every query.
const KEPT_WHOLE: &str = "no tested value is longer than the index keeps (`ignore_above`)";

/// Said of every query that counts or orders events.
const DELIVERED_ONCE: &str = "the index holds each event once";

impl Backend for Elastic {
    fn name(&self) -> &'static str {
        "elastic"
    }

    fn compile(&self, request: &Request<'_>) -> Output {
        let mut verdict = Verdict::default();
        let options = Options::read(&request.target.options);
        let statement = eql::lower(request, &options, &mut verdict);
        verdict.assume(format!("events arrive at most {} after their own time", request.schedule.lag));
        verdict.assume(MAX_SIGNALS);
        verdict.assume(KEPT_WHOLE);
        if !matches!(request.detection.stage.behavior.node, Behavior::Event { .. }) {
            verdict.assume(DELIVERED_ONCE);
        }
        let is_supported = verdict.fidelity() != Fidelity::Unsupported;
        if !is_supported {
            verdict.assumptions.clear();
        }
        let query = match statement {
            Some(statement) if is_supported => Some(Query {
                language: "eql",
                extension: "eql",
                text: statement.to_string(),
                columns: Vec::new(),
                missing_columns: missing_columns(request),
                deployment: deployment(request),
            }),
            Some(_) | None => None,
        };
        Output { verdict, query }
    }
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
fn deployment(request: &Request<'_>) -> BTreeMap<String, String> {
    let mut indexes: Vec<&str> = Vec::new();
    for source in request.detection.sources() {
        let Some(map) = request.target.maps.get(&source.name) else { continue };
        for index in map.places("index") {
            if !indexes.contains(&index.as_str()) {
                indexes.push(index);
            }
        }
    }
    let range = crate::schema::Duration::from_seconds(request.schedule.range().seconds_up());
    BTreeMap::from([
        ("from".to_owned(), format!("now-{range}")),
        ("index".to_owned(), indexes.join(",")),
        ("interval".to_owned(), request.schedule.interval.to_string()),
        ("language".to_owned(), "eql".to_owned()),
    ])
}
