//! A detection as a whole: identity, signals, keys and what an alert shows.

use std::sync::Arc;

use serde::Serialize;

use super::{Behavior, Predicate, Value};
use crate::schema::{Duration, Source};
use crate::source::{FileId, Span, Spanned};

/// A resolved detection.
#[derive(Debug, Clone)]
pub struct Detection {
    /// The file that it was read from.
    pub file: FileId,
    /// Name: the stem of the file.
    pub name: Spanned<String>,
    /// Identity and texts.
    pub metadata: Metadata,
    /// The signals that the behaviour uses, in the order of the text.
    pub signals: Vec<Signal>,
    /// What has to happen.
    pub behavior: Spanned<Behavior>,
    /// Keys that separate the events, in the order of the text; empty where there is no `by`.
    pub keys: Vec<Key>,
    /// What an alert shows.
    pub alert: Alert,
    /// Parameters with the values in force.
    pub parameters: Vec<ParameterUse>,
    /// Lists whose entries were compiled in.
    pub lists: Vec<ListUse>,
    /// Exceptions with the signals that they filter.
    pub exceptions: Vec<ExceptionUse>,
    /// Targets that the detection is restricted to; `None` for all.
    pub targets: Option<Vec<Spanned<String>>>,
}

impl Detection {
    /// The signal behind an identity.
    #[must_use]
    pub fn signal(&self, id: SignalId) -> Option<&Signal> {
        self.signals.get(id.0)
    }

    /// Every source that the detection reads, each once, in the order of the signals.
    #[must_use]
    pub fn sources(&self) -> Vec<&Arc<Source>> {
        let mut sources: Vec<&Arc<Source>> = Vec::new();
        for signal in &self.signals {
            if !sources.iter().any(|source| source.name == signal.source.name) {
                sources.push(&signal.source);
            }
        }
        sources
    }
}

/// Identity and texts of a detection.
#[derive(Debug, Clone, Default)]
pub struct Metadata {
    /// UUID that never changes, in lower case.
    pub id: String,
    /// One line.
    pub title: String,
    /// Why it matters.
    pub description: String,
    /// How far it is trusted.
    pub status: Status,
    /// How bad a hit is.
    pub severity: Severity,
    /// Version of its meaning, from 1.
    pub version: u32,
    /// ATT&CK identifiers.
    pub attack: Attack,
    /// Who wrote it.
    pub authors: Vec<String>,
    /// Date of creation, `YYYY-MM-DD`.
    pub created: Option<String>,
    /// Date of the last change of meaning, `YYYY-MM-DD`.
    pub modified: Option<String>,
    /// Links.
    pub references: Vec<String>,
    /// Free labels.
    pub tags: Vec<String>,
    /// Known harmless causes.
    pub false_positives: Vec<String>,
    /// What an analyst should do.
    pub triage: Vec<String>,
}

/// ATT&CK identifiers of a detection.
#[derive(Debug, Clone, Default)]
pub struct Attack {
    /// Detection strategy (`DETnnnn`).
    pub strategy: Option<String>,
    /// Analytics (`ANnnnn`).
    pub analytics: Vec<String>,
    /// Techniques (`Tnnnn` or `Tnnnn.nnn`).
    pub techniques: Vec<String>,
    /// Tactics of the techniques (`credential-access`), as far as the shipped extract knows them.
    pub tactics: Vec<String>,
}

/// How far a detection is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// New; may be noisy.
    #[default]
    Experimental,
    /// Under trial.
    Test,
    /// Proven.
    Stable,
    /// No longer to be deployed.
    Deprecated,
}

impl Status {
    /// The status as detections write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Experimental => "experimental",
            Self::Test => "test",
            Self::Stable => "stable",
            Self::Deprecated => "deprecated",
        }
    }
}

/// How bad a hit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Context only.
    Informational,
    /// Worth a look.
    Low,
    /// Look soon.
    #[default]
    Medium,
    /// Look now.
    High,
    /// Drop everything.
    Critical,
}

impl Severity {
    /// The severity as detections write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// Index of a signal in [`Detection::signals`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SignalId(pub usize);

/// Events of one source that pass a test.
#[derive(Debug, Clone)]
pub struct Signal {
    /// Name.
    pub name: Spanned<String>,
    /// The source.
    pub source: Arc<Source>,
    /// The test, exceptions included.
    pub predicate: Spanned<Predicate>,
    /// What each of [`Detection::keys`] is on this signal's events, in the same order.
    pub keys: Vec<Spanned<Value>>,
    /// Columns that `let` names.
    pub columns: Vec<Column>,
}

/// A named value of a signal's events.
#[derive(Debug, Clone)]
pub struct Column {
    /// Name; an identifier that hides no field.
    pub name: Spanned<String>,
    /// The value.
    pub value: Value,
}

/// A key of a behaviour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// As written behind `by`: a field's path or a column's name.
    pub name: String,
    /// Where it is written.
    pub span: Span,
}

/// What an alert shows.
#[derive(Debug, Clone, Default)]
pub struct Alert {
    /// Template of the title: text with `{{ column }}`; `None` for the detection's title.
    pub title: Option<Spanned<String>>,
    /// Columns that the title, `show`, the entities and `suppress` name, each once, in that order.
    pub columns: Vec<AlertColumn>,
    /// Entities for the SIEM's entity mapping.
    pub entities: Vec<Entity>,
    /// Suppression of repeats; `None` for `suppress: none`.
    pub suppression: Option<Suppression>,
}

/// A column of a hit that the alert shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertColumn {
    /// As written: `session`, `privileged.address`, `eventName`.
    pub name: String,
    /// The signal whose event the value is taken from; for a sequence the step says which event.
    pub signal: SignalId,
    /// Index of the step in a sequence; `None` elsewhere and for keys.
    pub step: Option<usize>,
    /// Index in [`Detection::keys`], where the column is a key.
    pub key: Option<usize>,
    /// The value, as an expression over the event.
    pub value: Value,
    /// Where it is named first.
    pub span: Span,
}

/// An entity of an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// Kind: `account`, `ip`, `host`, `application`, `resource`, `session` or another word.
    pub kind: String,
    /// Name of the column that holds it.
    pub column: String,
}

/// Suppression of repeats; it lives in the envelope, not in the query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// Columns that make repeats alike.
    pub by: Vec<String>,
    /// How long after the last kept hit.
    pub period: Duration,
}

/// A parameter with the value in force.
#[derive(Debug, Clone)]
pub struct ParameterUse {
    /// Name.
    pub name: String,
    /// Value as text.
    pub value: String,
    /// Whether the value was given from outside the detection.
    pub overridden: bool,
    /// ATT&CK mutable element that it stands for.
    pub mutable_element: Option<String>,
}

/// A list whose entries were compiled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListUse {
    /// Name.
    pub name: String,
    /// Number of entries in force.
    pub entries: usize,
}

/// An exception with the signals that it filters.
#[derive(Debug, Clone)]
pub struct ExceptionUse {
    /// Who owns it.
    pub owner: String,
    /// Why it is there.
    pub reason: String,
    /// Last day of validity, `YYYY-MM-DD`.
    pub expires: Option<String>,
    /// Whether it is in force.
    pub active: bool,
    /// Names of the signals that it filters.
    pub signals: Vec<String>,
    /// Where it is written.
    pub span: Span,
}
