//! Sigma rules and correlations, in what specification 2.1 and pySigma have in common.
//!
//! Never fills a gap of the specification on its own: what Sigma leaves to converters is in the verdict.

mod ast;
mod case;
mod correlation;
mod expression;
mod field;
mod heading;
mod layout;
mod list;
mod literal;
mod pattern;
mod print;
mod refusal;
mod rule;
mod tree;

use std::collections::BTreeMap;

use self::ast::{CorrelationKind, Document};
use self::correlation::Wanted;
use super::{Backend, Fidelity, Output, Query, ReasonCode, Request, Verdict};
use crate::ir::{Behavior, Sequence};

/// Sigma has no notion of an event's identity.
const ONCE: &str = "each event is delivered once";

/// Sigma 2.1.
#[derive(Debug, Clone, Copy)]
pub struct Sigma;

impl Backend for Sigma {
    fn name(&self) -> &'static str {
        "sigma"
    }

    fn compile(&self, request: &Request<'_>) -> Output {
        let mut verdict = Verdict::default();
        let detection = request.detection;
        if let Some(character) = heading::unwritable(detection) {
            let message =
                format!("YAML cannot hold the character U+{:04X} of the detection's texts", u32::from(character));
            verdict.add(ReasonCode::UnsupportedLiteral, detection.name.span, message);
        }
        let documents = documents(request, &mut verdict);
        let text = match documents.as_deref().map(print::documents) {
            Some(Ok(text)) => Some(text),
            Some(Err(error)) => {
                verdict.add(ReasonCode::UnsupportedLiteral, detection.name.span, error.to_string());
                None
            }
            None => None,
        };
        if verdict.fidelity() == Fidelity::Unsupported {
            return Output { verdict, query: None };
        }
        let columns = columns(documents.as_deref().unwrap_or_default());
        let query = text.map(|text| Query {
            language: "sigma",
            extension: "yml",
            text,
            missing_columns: missing_columns(request, &columns),
            columns,
            deployment: BTreeMap::new(),
        });
        Output { verdict, query }
    }
}

/// The documents of the file; `None` only after a reason was added.
fn documents(request: &Request<'_>, verdict: &mut Verdict) -> Option<Vec<Document>> {
    let detection = request.detection;
    let behavior = &detection.stage.behavior;
    refusal::check_filter(request, verdict);
    for signal in detection.stage.signals.iter().filter(|signal| signal.stage.is_some()) {
        let message = "Sigma has no rule over the hits of this signal; write its behaviour as a detection of its own";
        verdict.add(ReasonCode::UnsupportedBehavior, signal.name.span, message);
    }
    if detection.stage.is_composed() {
        return None;
    }
    let wanted = match &behavior.node {
        Behavior::Event { signals } => {
            verdict.assume(ONCE);
            for other in signals.iter().skip(1).filter_map(|id| detection.stage.signal(*id)) {
                let message = "one Sigma rule has one signal; write a detection for each";
                verdict.add(ReasonCode::UnsupportedBehavior, other.name.span, message);
            }
            let rule = rule::lower(request, detection.stage.signal(*signals.first()?)?, &[], verdict)?;
            return Some(vec![Document::Rule(rule)]);
        }
        Behavior::Count { signal, at_least, window, .. } => {
            verdict.assume(ONCE);
            let kind = CorrelationKind::EventCount;
            Wanted { kind, signals: vec![*signal], counted: None, at_least: Some(at_least.node), window: *window }
        }
        Behavior::Distinct { signal, values, at_least, window, .. } => {
            for value in values.iter().skip(1) {
                let message = "Sigma does not define what several counted fields mean; count one of them";
                verdict.add(ReasonCode::UnsupportedBehavior, value.span, message);
            }
            let kind = CorrelationKind::ValueCount;
            let (at_least, counted) = (Some(at_least.node), values.first());
            Wanted { kind, signals: vec![*signal], counted, at_least, window: *window }
        }
        Behavior::Sequence(sequence) => {
            let Sequence { steps, relations, window, .. } = sequence;
            refusal::check_sequence(sequence, verdict);
            correlation::check_steps(steps, relations, behavior.span, verdict);
            verdict.assume(ONCE);
            let signals = behavior.node.signals();
            Wanted { kind: CorrelationKind::TemporalOrdered, signals, counted: None, at_least: None, window: *window }
        }
        Behavior::Aggregation(_)
        | Behavior::Group(_)
        | Behavior::Rare(_)
        | Behavior::Baseline(_)
        | Behavior::Travel(_) => {
            refusal::refuse(&behavior.node, behavior.span, verdict);
            return None;
        }
    };
    verdict.assume("the values of `group-by` compare exactly, case included");
    correlation::lower(request, &wanted, verdict)
}

/// Names of the result's columns: a rule returns whole events, a correlation what it groups by.
fn columns(documents: &[Document]) -> Vec<String> {
    match documents.first() {
        Some(Document::Correlation(correlation)) => {
            correlation.correlation.group_by.iter().map(|name| name.0.clone()).collect()
        }
        Some(Document::Rule(_)) | None => Vec::new(),
    }
}

/// The alert's columns that the result lacks, with the reason.
fn missing_columns(request: &Request<'_>, columns: &[String]) -> BTreeMap<String, String> {
    let detection = request.detection;
    let single = matches!(detection.stage.behavior.node, Behavior::Event { .. });
    let mut missing = BTreeMap::new();
    for column in &detection.stage.columns {
        let reason = if let Some(key) = column.key() {
            // Two keys of one field are one name.
            match columns.get(key).filter(|_| columns.len() == detection.stage.keys.len()) {
                Some(name) if *name != column.name => format!("Sigma calls it `{name}`"),
                Some(_) | None => continue,
            }
        } else if single {
            let values = column.event_values();
            let found = values.first().and_then(|(signal, value)| {
                let map = request.target.maps.get(&detection.stage.signal(*signal)?.source.name)?;
                Some(field::find(map, value))
            });
            match found {
                Some(Ok(_)) => continue,
                Some(Err((_, reason))) => reason,
                None => "the target does not carry the source".to_owned(),
            }
        } else {
            "a Sigma correlation shows nothing but the fields that it groups by".to_owned()
        };
        missing.insert(column.name.clone(), reason);
    }
    missing
}
