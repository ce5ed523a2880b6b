//! The manifest: one record for each detection and target.

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::header::place;
use super::{Checked, Compiled};
use crate::backend;
use crate::ir::{Alert, Schedule};
use crate::source::Sources;

/// What one detection became on one target.
#[derive(Debug, Clone, Serialize)]
pub struct Record {
    /// Name of the detection.
    pub detection: String,
    /// Its UUID.
    pub id: String,
    /// Version of its meaning.
    pub version: u32,
    /// Its title.
    pub title: String,
    /// Its severity.
    pub severity: &'static str,
    /// Its status.
    pub status: &'static str,
    /// Kind of its behaviour.
    pub behavior: &'static str,
    /// Name of the target.
    pub target: String,
    /// Name of the backend.
    pub backend: String,
    /// Language of the query; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<&'static str>,
    /// File of the query, from the manifest's folder; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// `exact`, `approximate` or `unsupported`.
    pub fidelity: &'static str,
    /// Why it is not exact.
    pub reasons: Vec<RecordReason>,
    /// What has to be true of the deployment.
    pub assumptions: Vec<String>,
    /// When the query runs.
    pub schedule: Schedule,
    /// Settings of the deployment, by the target's own names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub deployment: BTreeMap<String, String>,
    /// Sources that the query reads.
    pub sources: Vec<String>,
    /// Lists whose entries are compiled in.
    pub lists: Vec<String>,
    /// Parameters with the values in force.
    pub parameters: BTreeMap<String, String>,
    /// Exceptions in force, with the signals that they filter.
    pub exceptions: Vec<RecordException>,
    /// Columns that separate hits.
    pub keys: Vec<String>,
    /// What the alert shows and how repeats are held back; both live beside the query, in the rule that runs it.
    pub alert: RecordAlert,
    /// Columns of the result; empty where whole events are returned.
    pub columns: Vec<String>,
    /// Columns of the alert that the result lacks, with the reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub missing_columns: BTreeMap<String, String>,
    /// Fingerprints.
    pub sha256: Fingerprints,
}

/// A reason with its place.
#[derive(Debug, Clone, Serialize)]
pub struct RecordReason {
    /// Permanent code.
    pub code: &'static str,
    /// What is missed or added, or what to do instead.
    pub message: String,
    /// `file:line:column` of the clause.
    pub at: String,
}

/// An exception in force.
#[derive(Debug, Clone, Serialize)]
pub struct RecordException {
    /// Who owns it.
    pub owner: String,
    /// Why it is there.
    pub reason: String,
    /// Last day of validity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// Signals that it filters.
    pub signals: Vec<String>,
}

/// What an alert shows and how repeats are held back.
#[derive(Debug, Clone, Serialize)]
pub struct RecordAlert {
    /// Title with `{{ column }}`; absent for the detection's title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Column of each kind of entity.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub entities: BTreeMap<String, String>,
    /// Columns that make repeats alike, and for how long; absent where every hit is an alert.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suppress: Option<RecordSuppression>,
}

/// Suppression of repeats.
#[derive(Debug, Clone, Serialize)]
pub struct RecordSuppression {
    /// Columns that make repeats alike.
    pub by: Vec<String>,
    /// How long after the last kept hit.
    #[serde(rename = "for")]
    pub period: String,
}

/// SHA-256 fingerprints, in lower-case hexadecimal digits.
#[derive(Debug, Clone, Serialize)]
pub struct Fingerprints {
    /// Of the detection's file.
    pub detection: String,
    /// Of the query's file; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
}

/// Writes `manifest.json`: the compiler's version, and one record for each detection and target, in that order.
///
/// Records are written one after the other, because thousands of them would take more room than the queries.
///
/// # Errors
/// Those of `out`.
pub fn write_manifest(
    sources: &Sources,
    checked: &Checked,
    compiled: &[Compiled],
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let name = |pair: &Compiled| checked.detections.get(pair.detection).map(|detection| &detection.name.node);
    let mut pairs: Vec<&Compiled> = compiled.iter().collect();
    pairs.sort_by_key(|pair| (name(pair), &pair.target));
    write!(out, "{{\n  \"detc\": \"{}\",\n  \"records\": [", env!("CARGO_PKG_VERSION"))?;
    let mut separator = "\n";
    for pair in pairs {
        let Some(record) = record(sources, checked, pair) else { continue };
        let text = serde_json::to_string_pretty(&record)?;
        write!(out, "{separator}    {}", text.replace('\n', "\n    "))?;
        separator = ",\n";
    }
    out.write_all(b"\n  ]\n}\n")
}

/// The text of `manifest.json`, for callers that need it whole.
#[must_use]
pub fn manifest(sources: &Sources, checked: &Checked, compiled: &[Compiled]) -> String {
    let mut text = Vec::new();
    // A vector takes every byte.
    let _ = write_manifest(sources, checked, compiled, &mut text);
    String::from_utf8(text).unwrap_or_default()
}

/// Path of a query's file from the output folder.
#[must_use]
pub(super) fn file_of(checked: &Checked, pair: &Compiled) -> Option<String> {
    let detection = checked.detections.get(pair.detection)?;
    let query = pair.output.query.as_ref()?;
    let stem = backend::find(&pair.backend)?.file_stem(&detection.name.node);
    Some(format!("{}/{stem}.{}", pair.target, query.extension))
}

impl Compiled {
    /// Path of the query's file from the output folder; `None` where there is no query.
    #[must_use]
    pub fn file(&self, checked: &Checked) -> Option<String> {
        file_of(checked, self)
    }
}

fn record(sources: &Sources, checked: &Checked, pair: &Compiled) -> Option<Record> {
    let detection = checked.detections.get(pair.detection)?;
    let metadata = &detection.metadata;
    let query = pair.output.query.as_ref();
    let verdict = &pair.output.verdict;
    let text = sources.get(detection.file).map_or("", |file| &file.text);
    let reasons = verdict.reasons.iter().map(|reason| RecordReason {
        code: reason.code.as_str(),
        message: reason.message.clone(),
        at: place(sources, reason.span),
    });
    let exceptions = detection.exceptions.iter().filter(|exception| exception.active);
    Some(Record {
        detection: detection.name.node.clone(),
        id: metadata.id.clone(),
        version: metadata.version,
        title: metadata.title.clone(),
        severity: metadata.severity.as_str(),
        status: metadata.status.as_str(),
        behavior: detection.stage.behavior.node.name(),
        target: pair.target.clone(),
        backend: pair.backend.clone(),
        language: query.map(|query| query.language),
        file: file_of(checked, pair),
        fidelity: verdict.fidelity().as_str(),
        reasons: reasons.collect(),
        assumptions: verdict.assumptions.clone(),
        schedule: pair.schedule,
        deployment: query.map(|query| query.deployment.clone()).unwrap_or_default(),
        sources: detection.sources().iter().map(|source| source.name.clone()).collect(),
        lists: detection.lists.iter().map(|list| list.name.clone()).collect(),
        parameters: detection.parameters.iter().map(|used| (used.name.clone(), used.value.clone())).collect(),
        exceptions: exceptions
            .map(|exception| RecordException {
                owner: exception.owner.clone(),
                reason: exception.reason.clone(),
                expires: exception.expires.clone(),
                signals: exception.signals.clone(),
            })
            .collect(),
        keys: detection.stage.keys.iter().map(|key| key.name.clone()).collect(),
        alert: alert(&detection.alert),
        columns: query.map(|query| query.columns.clone()).unwrap_or_default(),
        missing_columns: query.map(|query| query.missing_columns.clone()).unwrap_or_default(),
        sha256: Fingerprints { detection: fingerprint(text), query: pair.text.as_deref().map(fingerprint) },
    })
}

fn alert(alert: &Alert) -> RecordAlert {
    RecordAlert {
        title: alert.title.as_ref().map(|title| title.node.clone()),
        entities: alert.entities.iter().map(|entity| (entity.kind.clone(), entity.column.clone())).collect(),
        suppress: alert.suppression.as_ref().map(|suppression| RecordSuppression {
            by: suppression.by.clone(),
            period: suppression.period.to_string(),
        }),
    }
}

fn fingerprint(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
