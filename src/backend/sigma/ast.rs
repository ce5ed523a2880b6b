//! Sigma documents as data, after specification 2.1.
//!
//! Never holds text that is already escaped: strings stand here as the author means them, `print` and `pattern` write them.

use indexmap::IndexMap;
use serde::Serialize;

use crate::ir::{Glob, Network, Regex};

/// One YAML document of a Sigma file.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub(super) enum Document {
    /// A rule over single events.
    Rule(Rule),
    /// A rule over the events of other rules.
    Correlation(Correlation),
}

/// A text of the author; the printer quotes it where a reader could take it for another type.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Text(pub(super) String);

/// What rules and correlations say about themselves at the top.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Heading {
    pub(super) title: Text,
    pub(super) id: String,
    /// What correlations refer to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<Text>,
    pub(super) status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<Text>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) references: Vec<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) author: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) modified: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tags: Vec<String>,
}

/// What rules and correlations say about themselves at the end.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Footing {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) falsepositives: Vec<Text>,
    pub(super) level: &'static str,
    /// Where the document comes from, under a key of our own, which the specification allows.
    pub(super) detc: Origin,
}

/// Where a document comes from, and what Sigma has no key for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Origin {
    pub(super) detection: Text,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) signal: Option<Text>,
    pub(super) version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) strategy: Option<Text>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) analytics: Vec<Text>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) tags: Vec<Text>,
}

/// A rule over single events.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Rule {
    #[serde(flatten)]
    pub(super) heading: Heading,
    pub(super) logsource: LogSource,
    pub(super) detection: Detection,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) fields: Vec<Text>,
    #[serde(flatten)]
    pub(super) footing: Footing,
}

/// Where the events come from; at least one member is present.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct LogSource {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) category: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) product: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) service: Option<Text>,
}

/// Named searches and how they combine.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Detection {
    pub(super) searches: IndexMap<String, Search>,
    pub(super) condition: Condition,
}

/// Maps of which one has to hold; in a map every item has to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Search(pub(super) Vec<Vec<Item>>);

/// A field, how it is compared, and the values of which one has to fit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Item {
    pub(super) field: String,
    pub(super) comparison: Comparison,
    pub(super) values: Vec<Value>,
}

/// How a field is compared with each value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Comparison {
    /// The whole value, wildcards included.
    Whole {
        /// With regard to case.
        cased: bool,
    },
    /// Anywhere.
    Contains {
        /// With regard to case.
        cased: bool,
    },
    /// At the start.
    StartsWith {
        /// With regard to case.
        cased: bool,
    },
    /// At the end.
    EndsWith {
        /// With regard to case.
        cased: bool,
    },
    /// A regular expression, somewhere.
    Regex {
        /// Without regard to case.
        folded: bool,
    },
    /// A block of addresses.
    Cidr,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// Another field of the event.
    FieldReference,
}

/// A value that a field is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// No value at all.
    Null,
    /// The empty text.
    Empty,
    /// A truth value.
    Bool(bool),
    /// A whole number that a 64-bit float holds exactly.
    Int(i64),
    /// A decimal number that a 64-bit float prints as it was written.
    Float(f64),
    /// A text that stands for itself.
    Text(String),
    /// A text with wildcards.
    Glob(Glob),
    /// A regular expression.
    Regex(Regex),
    /// A block of addresses.
    Network(Network),
    /// Name of a field.
    Field(String),
}

/// How the searches of a rule combine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    /// A search by its name.
    Search(String),
    /// All of them.
    And(Vec<Condition>),
    /// Any of them.
    Or(Vec<Condition>),
    /// The opposite.
    Not(Box<Condition>),
    /// None of the searches whose names start so.
    NoneOf(&'static str),
}

/// A rule over the events of other rules.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Correlation {
    #[serde(flatten)]
    pub(super) heading: Heading,
    pub(super) correlation: CorrelationBody,
    #[serde(flatten)]
    pub(super) footing: Footing,
}

/// What a correlation looks for.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct CorrelationBody {
    #[serde(rename = "type")]
    pub(super) kind: CorrelationKind,
    /// Names of the rules, in the order of a sequence.
    pub(super) rules: Vec<Text>,
    /// What each rule calls a name of `group_by`, by that name and the rule's.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub(super) aliases: IndexMap<Text, IndexMap<Text, Text>>,
    /// The schema demands it, empty where nothing separates the events.
    pub(super) group_by: Vec<Text>,
    /// A number with one of the units `s m h d`.
    pub(super) timespan: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) condition: Option<Threshold>,
}

/// Kinds of correlation, as far as they are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum CorrelationKind {
    /// Events are counted.
    EventCount,
    /// Distinct values are counted.
    ValueCount,
    /// Numbers are added up.
    ValueSum,
    /// The mean of numbers.
    ValueAvg,
    /// One event of each rule, in any order.
    Temporal,
    /// One event of each rule, in order.
    TemporalOrdered,
}

/// The bound that makes a window a hit.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Threshold {
    /// The field whose values are counted or measured.
    pub(super) field: Option<Text>,
    pub(super) bound: Bound,
    /// Nothing but whole numbers: pySigma cuts a fraction off without a word.
    pub(super) number: u64,
}

/// How a number compares with its threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Bound {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `==`
    Equal,
}
