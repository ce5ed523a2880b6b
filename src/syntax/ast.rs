//! What the author wrote: names are unresolved, types unknown, every node knows its place.

use serde::Serialize;

use crate::schema::Duration;
use crate::source::Spanned;

/// An expression as written; whether it is a condition or a value is decided later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Expr {
    /// `a or b`; at least two.
    Or(Vec<Spanned<Expr>>),
    /// `a and b`; at least two.
    And(Vec<Spanned<Expr>>),
    /// `not a`
    Not(Box<Spanned<Expr>>),
    /// `a == b` and the like.
    Compare {
        /// The operator.
        operator: Spanned<Comparison>,
        /// Left side.
        left: Box<Spanned<Expr>>,
        /// Right side.
        right: Box<Spanned<Expr>>,
        /// Whether case counts.
        cased: bool,
    },
    /// `a contains b`, `a not like b`; the right side may be a list.
    Word {
        /// The operator.
        operator: Spanned<Word>,
        /// Whether `not` stands before the operator.
        negated: bool,
        /// Left side.
        left: Box<Spanned<Expr>>,
        /// Right side.
        right: Box<Spanned<Expr>>,
        /// Whether case counts.
        cased: bool,
    },
    /// `a in [..]`, `a not in $list`
    In {
        /// Whether `not` stands before `in`.
        negated: bool,
        /// Left side.
        left: Box<Spanned<Expr>>,
        /// Right side.
        right: Box<Spanned<Expr>>,
        /// Whether case counts.
        cased: bool,
    },
    /// `any(items as x where ..)` and the like.
    Quantified {
        /// The word in front.
        quantifier: Spanned<QuantifierWord>,
        /// The list.
        list: Spanned<Path>,
        /// Name of the element.
        variable: Spanned<String>,
        /// The test of an element; `None` where there is no `where`.
        predicate: Option<Box<Spanned<Expr>>>,
        /// What is taken of the element; empty where nothing follows.
        member: Vec<Spanned<String>>,
    },
    /// `lower(x)`
    Call {
        /// The function.
        function: Spanned<String>,
        /// Its arguments.
        arguments: Vec<Spanned<Expr>>,
    },
    /// `[a, b]`
    List(Vec<Spanned<Expr>>),
    /// A constant.
    Literal(Constant),
    /// `$name`, without the dollar sign.
    Reference(String),
    /// A field, a column, a step's field.
    Path(Path),
}

/// A path; a segment may reach into a name/value list by key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Path {
    /// The segments, at least one.
    pub segments: Vec<Segment>,
}

/// One segment of a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Segment {
    /// Name of the member.
    pub name: Spanned<String>,
    /// `[Key]` behind it.
    pub key: Option<Spanned<String>>,
}

/// A constant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Constant {
    /// Text between quotes, decoded.
    Text(String),
    /// Whole number.
    Int(i64),
    /// Decimal number, as written.
    Decimal(String),
    /// Truth value.
    Bool(bool),
    /// Span of time.
    Duration(Duration),
}

/// An operator that compares by order or equality.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparison {
    /// The operator as written.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

/// An operator on text that is a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// `contains`
    Contains,
    /// `starts_with`
    StartsWith,
    /// `ends_with`
    EndsWith,
    /// `like`
    Like,
    /// `matches`
    Matches,
}

impl Word {
    /// The operator as written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Contains => "contains",
            Self::StartsWith => "starts_with",
            Self::EndsWith => "ends_with",
            Self::Like => "like",
            Self::Matches => "matches",
        }
    }
}

/// The word in front of a quantified list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum QuantifierWord {
    /// `any`
    Any,
    /// `all`
    All,
    /// `none`
    None,
    /// `first`
    First,
}
