//! The part of EQL that detections need, as data.
//!
//! Never holds quoted text: strings and names stand here as they are, `print` quotes them.

use crate::schema::Duration;

/// A whole query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// `any where ..`: each event that satisfies the filter.
    Event(Expression),
    /// `sequence ..`: ordered events of one key.
    Sequence(Sequence),
}

/// A sequence; it has at least two events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    /// Keys that have the same name in every term.
    pub keys: Vec<Field>,
    /// Longest time between first and last event, ends included.
    pub maxspan: Duration,
    /// The terms in order.
    pub terms: Vec<Term>,
    /// `until [any where ..]`: an event that ends the sequence.
    pub until: Option<Term>,
}

/// One `[any where ..]` of a sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// The filter.
    pub filter: Expression,
    /// Keys of this term, where names differ between terms.
    pub keys: Vec<Field>,
    /// How many events, at least 1.
    pub runs: u32,
    /// `![any where ..]`: no such event may be there.
    pub absent: bool,
}

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// `true` or `false`.
    Constant(bool),
    /// All of them; at least two.
    All(Vec<Expression>),
    /// Any of them; at least two.
    Any(Vec<Expression>),
    /// The opposite of a test of a value that is present.
    Not(Box<Expression>),
    /// A comparison with a constant.
    Compare(Operand, Comparison, Scalar),
    /// `in` and `in~`: equality with one of the constants, which are no patterns.
    OneOf {
        /// The field.
        field: Field,
        /// Whether ASCII letters are compared without case.
        folded: bool,
        /// The constants, at least one.
        items: Vec<Scalar>,
    },
    /// `like`, `like~`, `regex` and `regex~`.
    Match {
        /// The field.
        field: Field,
        /// Which kind of pattern.
        pattern: PatternKind,
        /// Whether ASCII letters are compared without case.
        folded: bool,
        /// The patterns, at least one; any of them suffices.
        patterns: Vec<String>,
    },
    /// A predicate function of a field and texts.
    Function {
        /// The function.
        function: Function,
        /// The field.
        field: Field,
        /// The other arguments, at least one.
        arguments: Vec<String>,
    },
}

/// The left side of a comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operand {
    /// The field's value.
    Field(Field),
    /// `length(field)`.
    Length(Field),
}

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `:`: ASCII letters without case; `*` and `?` are wildcards.
    Folded,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// Kind of a pattern, which has to match the whole value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatternKind {
    /// `*` and `?` without escapes.
    Like,
    /// A regular expression of Lucene.
    Regex,
}

/// Predicate functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// The first argument occurs, case included.
    StringContains,
    /// The first argument stands at the start, case included.
    StartsWith,
    /// The first argument stands at the end, case included.
    EndsWith,
    /// The address lies in one of the blocks.
    CidrMatch,
}

/// A constant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scalar {
    /// `null`
    Null,
    /// Text.
    Text(String),
    /// A number, as its text.
    Number(String),
    /// A truth value.
    Bool(bool),
}

/// A field of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Names from the outermost inwards.
    pub path: Vec<String>,
    /// Whether an index may lack the field; it is null there.
    pub optional: bool,
}

impl Expression {
    /// The conjunction; nested ones are merged, repeated and constant parts dropped.
    #[must_use]
    pub fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        Self::combine(parts, true)
    }

    /// The disjunction; nested ones are merged, repeated and constant parts dropped.
    #[must_use]
    pub fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        Self::combine(parts, false)
    }

    /// The field equals one of the texts exactly; always true where there is none.
    #[must_use]
    pub fn equals_any(field: Field, texts: &[String]) -> Self {
        match texts {
            [] => Self::Constant(true),
            [only] => Self::Compare(Operand::Field(field), Comparison::Equal, Scalar::Text(only.clone())),
            several => Self::OneOf { field, folded: false, items: several.iter().cloned().map(Scalar::Text).collect() },
        }
    }

    /// The field is null.
    #[must_use]
    pub fn is_null(field: &Field) -> Self {
        Self::Compare(Operand::Field(field.clone()), Comparison::Equal, Scalar::Null)
    }

    /// The field is not null.
    #[must_use]
    pub fn is_not_null(field: &Field) -> Self {
        Self::Compare(Operand::Field(field.clone()), Comparison::NotEqual, Scalar::Null)
    }

    /// The field is the empty text.
    #[must_use]
    pub fn is_empty(field: &Field) -> Self {
        Self::Compare(Operand::Field(field.clone()), Comparison::Equal, Scalar::Text(String::new()))
    }

    /// The field is not the empty text.
    #[must_use]
    pub fn is_not_empty(field: &Field) -> Self {
        Self::Compare(Operand::Field(field.clone()), Comparison::NotEqual, Scalar::Text(String::new()))
    }

    /// The opposite of a test of a value that is present.
    #[must_use]
    pub fn opposite(self) -> Self {
        match self {
            Self::Constant(value) => Self::Constant(!value),
            Self::Compare(left, Comparison::Equal, right) => Self::Compare(left, Comparison::NotEqual, right),
            Self::Compare(left, Comparison::NotEqual, right) => Self::Compare(left, Comparison::Equal, right),
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }

    fn combine(parts: impl IntoIterator<Item = Self>, conjunction: bool) -> Self {
        let mut kept: Vec<Self> = Vec::new();
        for part in parts {
            let inner = match part {
                Self::All(inner) if conjunction => inner,
                Self::Any(inner) if !conjunction => inner,
                other => vec![other],
            };
            for part in inner {
                match part {
                    Self::Constant(value) if value == conjunction => {}
                    Self::Constant(value) => return Self::Constant(value),
                    part if kept.contains(&part) => {}
                    part => kept.push(part),
                }
            }
        }
        let kept = Self::drop_settled(kept);
        match kept.len() {
            0 => Self::Constant(conjunction),
            1 => kept.into_iter().next().unwrap_or(Self::Constant(conjunction)),
            _ if conjunction => Self::All(kept),
            _ => Self::Any(kept),
        }
    }
}

impl Expression {
    /// The parts without what a part beside them settles: `f != null and (f == null or p)` is `f != null and p`.
    fn drop_settled(parts: Vec<Self>) -> Vec<Self> {
        let settled: Vec<Self> =
            parts.iter().filter(|part| part.is_null_check()).map(|part| part.clone().opposite()).collect();
        let rest = |inner: Vec<Self>| -> Vec<Self> {
            if inner.iter().all(|part| settled.contains(part)) {
                return inner;
            }
            inner.into_iter().filter(|part| !settled.contains(part)).collect()
        };
        parts
            .into_iter()
            .map(|part| match part {
                Self::All(inner) => Self::all(rest(inner)),
                Self::Any(inner) => Self::any(rest(inner)),
                other => other,
            })
            .collect()
    }

    const fn is_null_check(&self) -> bool {
        matches!(self, Self::Compare(_, Comparison::Equal | Comparison::NotEqual, Scalar::Null))
    }
}

impl Field {
    /// A field that some indices may lack.
    #[must_use]
    pub const fn optional(path: Vec<String>) -> Self {
        Self { path, optional: true }
    }

    /// A field that every index has.
    #[must_use]
    pub const fn required(path: Vec<String>) -> Self {
        Self { path, optional: false }
    }
}
