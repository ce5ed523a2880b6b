//! Sigma rules and correlations, in what specification 2.1 and pySigma have in common.
//!
//! Never fills a gap of the specification on its own: what Sigma leaves to converters is in the verdict.

mod ast;
mod behavior;
mod case;
mod correlation;
mod expression;
mod field;
mod group;
mod heading;
mod layout;
mod list;
mod literal;
mod members;
mod pattern;
mod print;
mod reference;
mod refusal;
mod rule;
mod tree;
mod union;

use std::collections::BTreeMap;

use self::ast::Document;
use super::{Backend, Fidelity, Output, Query, ReasonCode, Request, Verdict};
use crate::ir::{Behavior, HitColumn};

/// Sigma 2.1.
#[derive(Debug, Clone, Copy)]
pub struct Sigma;

impl Backend for Sigma {
    fn name(&self) -> &'static str {
        "sigma"
    }

    fn file_stem(&self, detection: &str) -> String {
        heading::file_stem(detection)
    }

    fn compile(&self, request: &Request<'_>) -> Output {
        let mut verdict = Verdict::default();
        let spread = members::spread(request.detection);
        let request = &Request { detection: &spread, ..*request };
        let detection = request.detection;
        if let Some(character) = heading::unwritable(detection) {
            let message =
                format!("YAML cannot hold the character U+{:04X} of the detection's texts", u32::from(character));
            verdict.add(ReasonCode::UnsupportedLiteral, detection.name.span, message);
        }
        let documents = behavior::documents(request, &mut verdict);
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
    let stage = &request.detection.stage;
    let single = matches!(stage.behavior.node, Behavior::Event { .. }) && !stage.is_composed();
    let mut missing = BTreeMap::new();
    for column in &stage.columns {
        let reason = if let Some(key) = column.key() {
            // Two keys of one field are one name.
            match columns.get(key).filter(|_| columns.len() == stage.keys.len()) {
                Some(name) if *name != column.name => format!("Sigma calls it `{name}`"),
                Some(_) | None => continue,
            }
        } else if single {
            match why_missing(request, column) {
                Some(reason) => reason,
                None => continue,
            }
        } else if columns.contains(&column.name) {
            continue;
        } else {
            "a Sigma correlation shows nothing but the fields that it groups by".to_owned()
        };
        missing.insert(column.name.clone(), reason);
    }
    missing
}

/// Why some event of a rule does not show the column.
fn why_missing(request: &Request<'_>, column: &HitColumn) -> Option<String> {
    for (id, value) in column.event_values() {
        let signal = request.detection.stage.signal(id)?;
        match request.target.maps.get(&signal.source.name).map(|map| field::find(map, value)) {
            Some(Ok(_)) => {}
            Some(Err((_, reason))) => return Some(reason),
            None => return Some("the target does not carry the source".to_owned()),
        }
    }
    None
}
