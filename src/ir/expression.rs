//! Typed expressions: predicates with two values, and values that may be missing.

use serde::Serialize;

use super::{AddressSet, Glob, Literal, Network, OpeningHours, Regex};
use crate::schema::{Case, FieldPath, Presence, Type};
use crate::source::{Span, Spanned};

/// A condition on one event. It is true or false, never unknown: a test of a missing value is false.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Predicate {
    /// Always this.
    Constant(bool),
    /// The event is one of that source; only on events of several sources, whose fields stand below the sources' names.
    OfSource(String),
    /// All of them; at least two.
    And(Vec<Spanned<Predicate>>),
    /// Any of them; at least two.
    Or(Vec<Spanned<Predicate>>),
    /// The opposite; true where the inner test met a missing value.
    Not(Box<Spanned<Predicate>>),
    /// The value is present: not null, not the empty string, not the empty list.
    Exists(Value),
    /// A bool value is true.
    IsTrue(Value),
    /// Both are present and equal; `!=` is `Not` around it. A literal stands on the right.
    Equal {
        /// Left side, never a literal.
        left: Value,
        /// Right side.
        right: Value,
        /// How strings compare.
        case: CaseRule,
    },
    /// Both are present and in this order; numbers or times.
    Ordered {
        /// Left side.
        left: Value,
        /// Which order.
        order: Order,
        /// Right side.
        right: Value,
    },
    /// The value equals one of the literals; the literals have the value's type and are not empty.
    In {
        /// The value.
        value: Value,
        /// The literals, at least one.
        items: Vec<Literal>,
        /// How strings compare.
        case: CaseRule,
    },
    /// The text passes one of the tests.
    Text {
        /// The text.
        value: Value,
        /// The tests, at least one; any of them suffices.
        tests: Vec<TextTest>,
        /// How characters compare; never canonical.
        case: CaseRule,
    },
    /// The value is an address in one of the blocks.
    InNetwork {
        /// The address.
        value: Value,
        /// The blocks, at least one.
        networks: Vec<Network>,
    },
    /// The value is an address of that set.
    IsAddress {
        /// The address.
        value: Value,
        /// The set.
        set: AddressSet,
    },
    /// The time lies outside opening hours.
    OutsideHours {
        /// The time.
        time: Value,
        /// The hours.
        hours: OpeningHours,
    },
    /// A predicate over the elements of a list. A missing list is empty, a scalar is one element, null elements are skipped.
    Quantified {
        /// Whether any, all or none of the elements have to pass.
        quantifier: Quantifier,
        /// The list: a field, or a member of an outer list's element.
        list: Value,
        /// Name of the element inside `predicate`.
        variable: String,
        /// The test of one element.
        predicate: Box<Spanned<Predicate>>,
    },
}

impl Predicate {
    /// The values that the condition looks at, in the order of the text.
    #[must_use]
    pub fn values(&self) -> Vec<&Value> {
        match self {
            Self::Constant(_) | Self::OfSource(_) => Vec::new(),
            Self::And(parts) | Self::Or(parts) => parts.iter().flat_map(|part| part.node.values()).collect(),
            Self::Not(inner) => inner.node.values(),
            Self::Exists(value)
            | Self::IsTrue(value)
            | Self::In { value, .. }
            | Self::Text { value, .. }
            | Self::InNetwork { value, .. }
            | Self::IsAddress { value, .. }
            | Self::OutsideHours { time: value, .. } => vec![value],
            Self::Equal { left, right, .. } | Self::Ordered { left, right, .. } => vec![left, right],
            Self::Quantified { list, predicate, .. } => [list].into_iter().chain(predicate.node.values()).collect(),
        }
    }
}

/// How strings compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseRule {
    /// Without regard to case (simple folding).
    Ignore,
    /// As `Ignore`, but field and literals are in canonical casing, so that an exact comparison gives the same.
    Canonical,
    /// Exactly (`cased`); also used for numbers and bools, where case does not matter.
    Exact,
}

/// Order of two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Order {
    /// The order that holds exactly when this one does not, both sides being present.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Less => Self::GreaterOrEqual,
            Self::LessOrEqual => Self::Greater,
            Self::Greater => Self::LessOrEqual,
            Self::GreaterOrEqual => Self::Less,
        }
    }

    /// The operator's text, the same in every language.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

/// A test of a text. Literal parts are not empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TextTest {
    /// The text occurs anywhere.
    Contains(String),
    /// The text stands at the start.
    StartsWith(String),
    /// The text stands at the end.
    EndsWith(String),
    /// The glob matches the whole text.
    Like(Glob),
    /// The expression matches somewhere.
    Matches(Regex),
}

/// How many elements have to pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantifier {
    /// At least one.
    Any,
    /// Every one; true for the empty list.
    All,
    /// Not one; true for the empty list.
    None,
}

/// A value of one event; it may be missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// A field of the source.
    Field(FieldRef),
    /// The element of a quantified list, or a member of it.
    Element(Element),
    /// A member of the first element that passes a test.
    First(Box<First>),
    /// A member of a name/value list's element of that name.
    NameValue(NameValueRef),
    /// The event's own time.
    Time,
    /// A constant.
    Literal(Literal),
    /// A function of other values; missing where a needed argument is missing.
    Call(Box<Call>),
}

/// A field of the signal's source.
#[derive(Debug, Clone, Serialize)]
pub struct FieldRef {
    /// Path in the native event.
    pub path: FieldPath,
    /// Declared type.
    pub ty: Type,
    /// In which casing values arrive.
    pub case: Case,
    /// Whether every event carries the field.
    pub presence: Presence,
    /// Where the detection names it.
    #[serde(skip)]
    pub span: Span,
}

impl PartialEq for FieldRef {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

impl Eq for FieldRef {}

/// The element of a quantified list, or a member of it.
#[derive(Debug, Clone, Serialize)]
pub struct Element {
    /// Name that the quantifier gave to the element.
    pub variable: String,
    /// The list itself; inside an outer list its path is `outer[].inner`.
    pub list: FieldPath,
    /// Path inside the element; empty for the element itself.
    pub member: FieldPath,
    /// Declared type.
    pub ty: Type,
    /// In which casing values arrive.
    pub case: Case,
    /// Where the detection names it.
    #[serde(skip)]
    pub span: Span,
}

impl PartialEq for Element {
    fn eq(&self, other: &Self) -> bool {
        self.variable == other.variable && self.list == other.list && self.member == other.member
    }
}

impl Eq for Element {}

impl Element {
    /// The path of the list that the element itself is, for a member of a list type: `outer[].inner`.
    #[must_use]
    pub fn as_list(&self) -> FieldPath {
        self.list.element().join(&self.member)
    }
}

/// `first(list as x where test).member`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct First {
    /// The list: a field, or a member of an outer list's element.
    pub list: Value,
    /// Name of the element inside `predicate`.
    pub variable: String,
    /// The test of one element.
    pub predicate: Spanned<Predicate>,
    /// What to take of the element; empty for the element itself.
    pub member: FieldPath,
    /// Declared type.
    pub ty: Type,
}

/// `list[Key].member` on a name/value list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NameValueRef {
    /// The list.
    pub list: FieldRef,
    /// Member of an element that holds the name.
    pub name_member: String,
    /// The name that is looked for; names compare exactly.
    pub key: String,
    /// What to take of the element.
    pub member: FieldPath,
    /// Declared type.
    pub ty: Type,
}

/// A function applied to values; the functions are those of LANGUAGE.md.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// Number of characters (code points) of a text, or of elements of a list.
    Length(Value),
    /// Unicode lower case.
    Lower(Value),
    /// Unicode upper case.
    Upper(Value),
    /// The first that is present.
    Coalesce(Vec<Value>),
    /// The value beside the first condition that holds; missing where none does. Only classes make it.
    Choose(Vec<(Spanned<Predicate>, Value)>),
    /// All texts one after the other; missing where one is.
    Concat(Vec<Value>),
    /// The n-th part between separators, counted from 0.
    Split {
        /// The text.
        value: Value,
        /// The separator, not empty.
        separator: String,
        /// Which part.
        index: u32,
    },
    /// The first capture, or the whole match; case is exact.
    Extract {
        /// The text.
        value: Value,
        /// The expression.
        regex: Regex,
    },
    /// Every occurrence replaced, literally and with exact case.
    Replace {
        /// The text.
        value: Value,
        /// What is replaced, not empty.
        from: String,
        /// What stands there instead.
        to: String,
    },
    /// A whole number read from text (`-?digits`).
    ToInt(Value),
    /// A number read from text.
    ToFloat(Value),
    /// Hour of the day in UTC, 0 to 23.
    Hour(Value),
    /// Day of the week in UTC, Monday being 1.
    Weekday(Value),
    /// Country of an address.
    Country(Value),
    /// City of an address.
    City(Value),
    /// Autonomous system number of an address.
    Asn(Value),
    /// Organisation of the autonomous system of an address.
    AsOrganisation(Value),
}

impl Value {
    /// Declared type.
    #[must_use]
    pub fn ty(&self) -> Type {
        match self {
            Self::Field(field) => field.ty.clone(),
            Self::Element(element) => element.ty.clone(),
            Self::First(first) => first.ty.clone(),
            Self::NameValue(reference) => reference.ty.clone(),
            Self::Time => Type::Time,
            Self::Literal(literal) => literal.ty(),
            Self::Call(call) => call.ty(),
        }
    }

    /// The field, where the value is one without anything done to it.
    #[must_use]
    pub const fn as_field(&self) -> Option<&FieldRef> {
        match self {
            Self::Field(field) => Some(field),
            _ => None,
        }
    }

    /// The constant, where the value is one.
    #[must_use]
    pub const fn as_literal(&self) -> Option<&Literal> {
        match self {
            Self::Literal(literal) => Some(literal),
            _ => None,
        }
    }
}

impl Call {
    /// Type of the result.
    #[must_use]
    pub fn ty(&self) -> Type {
        match self {
            Self::Length(_) | Self::ToInt(_) | Self::Hour(_) | Self::Weekday(_) | Self::Asn(_) => Type::Int,
            Self::ToFloat(_) => Type::Float,
            Self::Coalesce(values) => values.first().map_or(Type::Text, Value::ty),
            Self::Choose(branches) => branches.first().map_or(Type::Text, |(_, value)| value.ty()),
            Self::Lower(_)
            | Self::Upper(_)
            | Self::Concat(_)
            | Self::Split { .. }
            | Self::Extract { .. }
            | Self::Replace { .. }
            | Self::Country(_)
            | Self::City(_)
            | Self::AsOrganisation(_) => Type::Text,
        }
    }

    /// The function's name in the language.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Length(_) => "length",
            Self::Lower(_) => "lower",
            Self::Upper(_) => "upper",
            Self::Coalesce(_) => "coalesce",
            Self::Choose(_) => "case",
            Self::Concat(_) => "concat",
            Self::Split { .. } => "split",
            Self::Extract { .. } => "extract",
            Self::Replace { .. } => "replace",
            Self::ToInt(_) => "int",
            Self::ToFloat(_) => "float",
            Self::Hour(_) => "hour",
            Self::Weekday(_) => "weekday",
            Self::Country(_) => "country",
            Self::City(_) => "city",
            Self::Asn(_) => "asn",
            Self::AsOrganisation(_) => "as_org",
        }
    }

    /// The values that the function is applied to.
    #[must_use]
    pub fn arguments(&self) -> Vec<&Value> {
        match self {
            Self::Coalesce(values) | Self::Concat(values) => values.iter().collect(),
            Self::Choose(branches) => {
                branches.iter().flat_map(|(when, value)| when.node.values().into_iter().chain([value])).collect()
            }
            Self::Split { value, .. } | Self::Extract { value, .. } | Self::Replace { value, .. } => vec![value],
            Self::Length(value)
            | Self::Lower(value)
            | Self::Upper(value)
            | Self::ToInt(value)
            | Self::ToFloat(value)
            | Self::Hour(value)
            | Self::Weekday(value)
            | Self::Country(value)
            | Self::City(value)
            | Self::Asn(value)
            | Self::AsOrganisation(value) => vec![value],
        }
    }
}
