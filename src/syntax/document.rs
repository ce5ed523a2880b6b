//! The structure of a detection file and of a list file, as types from which the JSON Schema is generated.
//!
//! Never looks into an expression: those are texts here.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

/// A detection.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "detc detection")]
#[schemars(extend("required" = ["detection", "id", "title", "status", "severity", "description", "signals"]))]
pub struct Document {
    /// Name of the detection: the stem of the file.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]*$"))]
    pub detection: String,
    /// UUID that never changes.
    #[schemars(regex(pattern = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"))]
    pub id: String,
    /// One line that says what happened.
    #[schemars(length(min = 1, max = 256))]
    pub title: String,
    /// How far the detection is trusted.
    pub status: Status,
    /// How bad a hit is.
    pub severity: Severity,
    /// Why it matters.
    #[schemars(length(min = 1))]
    pub description: String,
    /// Version of the detection's meaning, from 1.
    #[schemars(range(min = 1))]
    pub version: Option<u32>,
    /// Who wrote it.
    pub authors: Vec<String>,
    /// Date of creation.
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub created: Option<String>,
    /// Date of the last change of meaning.
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub modified: Option<String>,
    /// Links.
    pub references: Vec<String>,
    /// Free labels.
    pub tags: Vec<String>,
    /// ATT&CK identifiers.
    pub attack: Attack,
    /// Typed tunables that an environment may override.
    pub parameters: IndexMap<String, Parameter>,
    /// Named streams of events.
    #[schemars(extend("minProperties" = 1))]
    pub signals: IndexMap<String, Signal>,
    /// What has to happen; may be left out with one signal.
    pub behavior: Option<String>,
    /// Approved activity.
    pub exceptions: Vec<Exception>,
    /// What an alert shows.
    pub alert: Alert,
    /// Known harmless causes.
    pub false_positives: Vec<String>,
    /// What an analyst should do.
    pub triage: Vec<String>,
    /// Targets to which the detection is restricted.
    pub targets: Option<Vec<String>>,
    /// Events with the alerts that they should raise.
    pub tests: Vec<Test>,
}

/// How far a detection is trusted.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
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

/// How bad a hit is.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
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

/// ATT&CK identifiers.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Attack {
    /// Detection strategy, such as `DET0078`.
    #[schemars(with = "Option<String>", regex(pattern = r"^DET[0-9]{4}$"))]
    pub strategy: Option<String>,
    /// Analytics, such as `AN0215`.
    #[schemars(inner(regex(pattern = r"^AN[0-9]{4}$")))]
    pub analytics: Vec<String>,
    /// Techniques, such as `T1059.009`.
    #[schemars(inner(regex(pattern = r"^T[0-9]{4}(\.[0-9]{3})?$")))]
    pub techniques: Vec<String>,
}

/// A typed tunable.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["type", "default"]))]
pub struct Parameter {
    /// Type of the value.
    #[serde(rename = "type")]
    pub ty: ParameterType,
    /// Value unless an environment overrides it.
    pub default: serde_json::Value,
    /// ATT&CK mutable element that the parameter stands for.
    pub mutable_element: Option<String>,
    /// What it tunes.
    pub about: Option<String>,
}

/// Type of a parameter.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum ParameterType {
    /// Text.
    #[default]
    #[serde(rename = "string")]
    Text,
    /// Whole number.
    #[serde(rename = "int")]
    Int,
    /// Decimal number.
    #[serde(rename = "float")]
    Float,
    /// Truth value.
    #[serde(rename = "bool")]
    Bool,
    /// Span of time.
    #[serde(rename = "duration")]
    Duration,
    /// Address or block of addresses.
    #[serde(rename = "ip")]
    Ip,
    /// List of texts.
    #[serde(rename = "list<string>")]
    TextList,
    /// List of whole numbers.
    #[serde(rename = "list<int>")]
    IntList,
    /// List of decimal numbers.
    #[serde(rename = "list<float>")]
    FloatList,
    /// List of addresses or blocks of addresses.
    #[serde(rename = "list<ip>")]
    IpList,
}

/// A named stream of events.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Signal {
    /// Telemetry source or class of sources, such as `aws.cloudtrail`; either this or `behavior`.
    pub source: Option<String>,
    /// Sources of the class to which the signal is restricted.
    #[schemars(length(min = 1))]
    pub sources: Option<Vec<String>>,
    /// Behaviour over other signals whose hits are the events of this one.
    pub behavior: Option<String>,
    /// Condition on an event; every event without it.
    #[serde(rename = "where")]
    pub condition: Option<String>,
    /// Named values: columns.
    #[serde(rename = "let")]
    pub columns: IndexMap<String, String>,
}

/// Approved activity that raises no alert.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["when", "owner", "reason"]))]
pub struct Exception {
    /// Condition on an event.
    pub when: String,
    /// Who answers for it.
    #[schemars(length(min = 1))]
    pub owner: String,
    /// Why it is approved.
    #[schemars(length(min = 1))]
    pub reason: String,
    /// Last day on which it applies.
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub expires: Option<String>,
    /// Signals that it filters; every positive signal without it.
    pub signals: Option<Vec<String>>,
}

/// What an alert shows.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Alert {
    /// Title with `{{ column }}`.
    pub title: Option<String>,
    /// Columns to show.
    pub show: Vec<String>,
    /// Kind of entity and the column that holds it.
    pub entities: IndexMap<String, String>,
    /// Suppression of repeats.
    pub suppress: Option<Suppress>,
}

/// Suppression of repeats.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Suppress {
    /// `none`: every hit is an alert.
    Off(SuppressOff),
    /// Repeats of the same columns inside a period.
    Repeats(SuppressRepeats),
}

/// The word that switches suppression off.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SuppressOff {
    /// Every hit is an alert.
    None,
}

/// Suppression by columns for a period.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SuppressRepeats {
    /// Columns that make repeats alike; the keys without it.
    pub by: Option<Vec<String>>,
    /// How long; the behaviour's window without it.
    #[serde(rename = "for")]
    pub period: Option<String>,
}

/// Events with the alerts that they should raise.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["name", "expect"]))]
pub struct Test {
    /// What the test shows.
    pub name: String,
    /// Instant that `at` counts from; 2026-01-05T00:00:00Z without it.
    pub start: Option<String>,
    /// Parameters that the test overrides.
    pub parameters: IndexMap<String, serde_json::Value>,
    /// Events before the window.
    pub history: Vec<TestEvent>,
    /// The events.
    pub events: Vec<TestEvent>,
    /// File of raw events instead.
    pub file: Option<String>,
    /// File of what is known of addresses (CSV).
    pub enrich: Option<String>,
    /// What they should raise.
    pub expect: Expectation,
}

/// An event of a test.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["at", "source", "event"]))]
pub struct TestEvent {
    /// Offset from the start, such as `29m` or `-2d`.
    #[schemars(regex(pattern = r"^-?[0-9]+(ms|s|m|h|d)$"))]
    pub at: String,
    /// Telemetry source.
    pub source: String,
    /// Fields, by dotted path or nested.
    pub event: IndexMap<String, serde_json::Value>,
}

/// What a test's events should raise.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Expectation {
    /// Number of alerts, after suppression.
    pub alerts: Option<u32>,
    /// Number of hits, before suppression.
    pub hits: Option<u32>,
    /// Times of the alerts, as offsets.
    #[schemars(inner(regex(pattern = r"^-?[0-9]+(ms|s|m|h|d)$")))]
    pub at: Option<Vec<String>>,
    /// Keys of the alerts.
    pub keys: Option<Vec<IndexMap<String, serde_json::Value>>>,
}

/// A list of values that exceptions and conditions refer to as `$name`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "detc list")]
#[schemars(extend("required" = ["list", "title", "type", "match", "entries"]))]
pub struct ListDocument {
    /// Name of the list: the stem of the file.
    #[schemars(regex(pattern = r"^[a-z][a-z0-9_]*$"))]
    pub list: String,
    /// What the list holds, in one line.
    pub title: String,
    /// Type of the values.
    #[serde(rename = "type")]
    pub ty: ListType,
    /// How a value is compared with an entry.
    #[serde(rename = "match")]
    pub matching: Matching,
    /// The entries.
    pub entries: Vec<ListEntry>,
}

/// Type of a list's values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum ListType {
    /// Text.
    #[default]
    #[serde(rename = "string")]
    Text,
    /// Addresses.
    #[serde(rename = "ip")]
    Ip,
}

/// How a value is compared with an entry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Matching {
    /// As a whole, without regard to case.
    #[default]
    Exact,
    /// As a glob, without regard to case.
    Glob,
    /// As a block of addresses.
    Cidr,
}

/// An entry of a list.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["value"]))]
pub struct ListEntry {
    /// The value.
    #[schemars(length(min = 1))]
    pub value: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Why it is there.
    pub reason: Option<String>,
    /// Last day on which it applies.
    #[schemars(with = "Option<String>", extend("format" = "date"))]
    pub expires: Option<String>,
}

// What is required stands on each type: the derived schema takes every field of a type with defaults for optional.

/// The JSON Schema of detection files.
#[must_use]
pub fn detection_schema() -> serde_json::Value {
    published("urn:detc:detection", schemars::schema_for!(Document).to_value())
}

/// The JSON Schema of list files.
#[must_use]
pub fn list_schema() -> serde_json::Value {
    published("urn:detc:list", schemars::schema_for!(ListDocument).to_value())
}

/// A schema with its identity, which stands first together with the dialect, the title and the description.
fn published(id: &str, mut schema: serde_json::Value) -> serde_json::Value {
    drop_defaults(&mut schema);
    let mut published = serde_json::Map::new();
    if let serde_json::Value::Object(mut members) = schema {
        members.insert("$id".to_owned(), id.into());
        for key in ["$schema", "$id", "title", "description", "required"] {
            published.extend(members.shift_remove(key).map(|value| (key.to_owned(), value)));
        }
        published.extend(members);
    }
    serde_json::Value::Object(published)
}

/// Removes the defaults of the Rust types, which are no defaults of the language.
fn drop_defaults(schema: &mut serde_json::Value) {
    match schema {
        serde_json::Value::Object(members) => {
            members.shift_remove("default");
            for (keyword, inner) in members.iter_mut() {
                match inner {
                    // Names under these are the author's, not keywords.
                    serde_json::Value::Object(named) if matches!(keyword.as_str(), "properties" | "$defs") => {
                        named.values_mut().for_each(drop_defaults);
                    }
                    other => drop_defaults(other),
                }
            }
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(drop_defaults),
        _ => {}
    }
}
