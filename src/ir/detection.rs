//! A detection as a whole: identity, signals, keys and what an alert shows.

use std::sync::Arc;

use serde::Serialize;

use super::{Behavior, Class, Predicate, Value};
use crate::schema::{Duration, Source, Type};
use crate::source::{FileId, Span, Spanned};

/// A resolved detection.
#[derive(Debug, Clone, Serialize)]
pub struct Detection {
    /// The file that it was read from.
    #[serde(skip)]
    pub file: FileId,
    /// Name: the stem of the file.
    pub name: Spanned<String>,
    /// Identity and texts.
    pub metadata: Metadata,
    /// What has to happen, to which events, and what its hits carry.
    pub stage: Stage,
    /// A test of finished hits over [`Stage::columns`]: exceptions with `signals: [alert]`; `Constant(true)` without.
    pub filter: Spanned<Predicate>,
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
    /// Every telemetry source that the detection reads at any depth, each once, in the order of the signals.
    #[must_use]
    pub fn sources(&self) -> Vec<&Arc<Source>> {
        self.stage.sources()
    }

    /// How far back from its time a hit can reach into the events of the sources.
    #[must_use]
    pub fn lookback(&self) -> Duration {
        self.stage.lookback()
    }
}

/// A behaviour over signals: it turns their events into hits.
///
/// Signals can be hits of other stages, to any depth; each stage is whole in itself.
#[derive(Debug, Clone, Serialize)]
pub struct Stage {
    /// The signals that the behaviour uses, in the order of the text. A name stands twice where a signal both has to be
    /// there and must not be: exceptions filter the first only.
    pub signals: Vec<Signal>,
    /// What has to happen.
    pub behavior: Spanned<Behavior>,
    /// Keys that separate the events, in the order of the text; empty where there is no `by`.
    pub keys: Vec<Key>,
    /// What its hits carry: what an alert shows, or what the signal made of the hits is asked for. Each name once.
    pub columns: Vec<HitColumn>,
}

impl Stage {
    /// The signal behind an identity.
    #[must_use]
    pub fn signal(&self, id: SignalId) -> Option<&Signal> {
        self.signals.get(id.0)
    }

    /// Every telemetry source that the stage reads at any depth, each once, in the order of the signals.
    #[must_use]
    pub fn sources(&self) -> Vec<&Arc<Source>> {
        let mut sources: Vec<&Arc<Source>> = Vec::new();
        for signal in &self.signals {
            let found = signal.stage.as_ref().map_or_else(|| signal.sources(), |stage| stage.sources());
            for source in found {
                if !sources.iter().any(|known| known.name == source.name) {
                    sources.push(source);
                }
            }
        }
        sources
    }

    /// Whether a signal is made of hits.
    #[must_use]
    pub fn is_composed(&self) -> bool {
        self.signals.iter().any(|signal| signal.stage.is_some())
    }

    /// How far back from its time a hit can reach into the events of the sources: windows add up.
    #[must_use]
    pub fn lookback(&self) -> Duration {
        let inner = self.signals.iter().filter_map(|signal| signal.stage.as_ref()).map(|stage| stage.lookback());
        self.behavior.node.lookback().plus(inner.max().unwrap_or(Duration::ZERO))
    }
}

/// Identity and texts of a detection.
#[derive(Debug, Clone, Default, Serialize)]
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
#[derive(Debug, Clone, Default, Serialize)]
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

/// Index of a signal in [`Stage::signals`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct SignalId(pub usize);

/// Events of one source, or hits of a stage, that pass a test.
#[derive(Debug, Clone, Serialize)]
pub struct Signal {
    /// Name.
    pub name: Spanned<String>,
    /// The source. For hits it is made for them: its name is the signal's, its fields are the columns that a hit has.
    #[serde(serialize_with = "source_name")]
    pub source: Arc<Source>,
    /// The stage whose hits are the events; the fields that anything asks them for are [`Stage::columns`], by the text of
    /// their paths. `None` for events of a telemetry source.
    pub stage: Option<Box<Stage>>,
    /// The class whose events they are; the source is then made for it, and its fields are those of the class.
    pub class: Option<Arc<Class>>,
    /// The test, exceptions included.
    pub predicate: Spanned<Predicate>,
    /// What each of [`Stage::keys`] is on this signal's events, in the same order.
    pub keys: Vec<Spanned<Value>>,
    /// Columns that `let` names.
    pub columns: Vec<Column>,
}

/// A named value of a signal's events.
#[derive(Debug, Clone, Serialize)]
pub struct Column {
    /// Name; an identifier that hides no field.
    pub name: Spanned<String>,
    /// The value.
    pub value: Value,
}

/// A key of a behaviour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Key {
    /// As written behind `by`: a field's path or a column's name.
    pub name: String,
    /// Where it is written.
    #[serde(skip)]
    pub span: Span,
}

/// What an alert shows.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Alert {
    /// Template of the title: text with `{{ column }}`; `None` for the detection's title.
    pub title: Option<Spanned<String>>,
    /// Entities for the SIEM's entity mapping.
    pub entities: Vec<Entity>,
    /// Suppression of repeats; `None` for `suppress: none`.
    pub suppression: Option<Suppression>,
}

/// A column of a hit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HitColumn {
    /// As written: `session`, `privileged.address`, `eventName`.
    pub name: String,
    /// What it holds.
    pub value: HitValue,
    /// Whether an alert shows it; the others are there for a filter or for an outer stage.
    pub shown: bool,
    /// Where it is named first.
    #[serde(skip)]
    pub span: Span,
}

impl HitColumn {
    /// Index in [`Stage::keys`], where the column is a key.
    #[must_use]
    pub const fn key(&self) -> Option<usize> {
        match self.value {
            HitValue::Key(index) => Some(index),
            HitValue::Aggregate(_) | HitValue::Closing(_) | HitValue::Step { .. } => None,
        }
    }

    /// Index of the positive step whose event the column is taken from.
    #[must_use]
    pub const fn step(&self) -> Option<usize> {
        match self.value {
            HitValue::Step { step, .. } => Some(step),
            HitValue::Key(_) | HitValue::Aggregate(_) | HitValue::Closing(_) => None,
        }
    }

    /// Type of a column that is a value of an event; `None` for keys and numbers.
    #[must_use]
    pub fn event_type(&self) -> Option<Type> {
        self.event_values().first().map(|(_, value)| value.ty())
    }

    /// The values of an event that the column takes, by the signal that the event belongs to; none for keys and numbers.
    #[must_use]
    pub fn event_values(&self) -> Vec<(SignalId, &Value)> {
        match &self.value {
            HitValue::Key(_) | HitValue::Aggregate(_) => Vec::new(),
            HitValue::Closing(values) => values.iter().map(|(signal, value)| (*signal, value)).collect(),
            HitValue::Step { signal, value, .. } => vec![(*signal, value)],
        }
    }
}

/// What a column of a hit holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HitValue {
    /// The key with this index in [`Stage::keys`]; for a key that is a list, the element.
    Key(usize),
    /// The number with this index in [`Behavior::aggregate_names`].
    Aggregate(usize),
    /// A value of the event that closes the hit, by the signal that the event belongs to: one for each of
    /// [`Behavior::closing_signals`], in that order; of an event that belongs to several, the first counts.
    Closing(Vec<(SignalId, Value)>),
    /// A value of the event of a step.
    Step {
        /// Index of the positive step.
        step: usize,
        /// Its signal.
        signal: SignalId,
        /// The value, as an expression over the step's event.
        value: Value,
    },
}

/// An entity of an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entity {
    /// Kind: `account`, `ip`, `host`, `application`, `resource`, `session` or another word.
    pub kind: String,
    /// Name of the column that holds it.
    pub column: String,
}

/// Suppression of repeats; it lives in the envelope, not in the query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Suppression {
    /// Columns that make repeats alike.
    pub by: Vec<String>,
    /// How long after the last kept hit.
    pub period: Duration,
}

/// A parameter with the value in force.
#[derive(Debug, Clone, Serialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListUse {
    /// Name.
    pub name: String,
    /// Number of entries in force.
    pub entries: usize,
}

/// An exception with the signals that it filters.
#[derive(Debug, Clone, Serialize)]
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
    #[serde(skip)]
    pub span: Span,
}

/// In data a source is its name.
fn source_name<S: serde::Serializer>(source: &Source, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&source.name)
}
