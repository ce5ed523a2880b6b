//! A small typed tree of the Kusto query language: as much of it as the proven shapes need.
//!
//! Strings are data here; quoting happens in `print`.

use crate::schema::{Duration, Type};

/// A query: `let` statements and the tabular expression that gives the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Script {
    /// Statements before the result, in order.
    pub(super) lets: Vec<Let>,
    /// The tabular expression that gives the result.
    pub(super) body: Table,
}

/// A `let` statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Let {
    /// A scalar.
    Scalar(&'static str, Expr),
    /// A table that is evaluated once, however often it is used.
    Materialized(String, Table),
}

/// A tabular expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    /// Where the rows come from.
    pub(super) origin: Origin,
    /// What happens to them, in order.
    pub(super) stages: Vec<Stage>,
}

/// Where the rows of a tabular expression come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// A table, or a table that a `let` names.
    Name(String),
    /// All rows of several tabular expressions.
    Union(Vec<Table>),
}

/// One operator behind a `|`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stage {
    /// Keeps rows.
    Where(Expr),
    /// Adds or replaces columns.
    Extend(Vec<Assignment>),
    /// Keeps and renames columns.
    Project(Vec<Assignment>),
    /// Removes the columns whose names start with the prefix.
    ProjectAway(&'static str),
    /// Sorts ascending; the result is serialized.
    Sort(Vec<String>),
    /// Sorts ascending but for the time, which descends; the result is serialized.
    SortLatestFirst(Vec<String>),
    /// Groups by the columns and computes the aggregates.
    Summarize {
        /// The aggregates.
        results: Vec<Assignment>,
        /// The groups.
        by: Vec<Assignment>,
    },
    /// Numbers the rows; the result is serialized.
    Number(&'static str),
    /// Keeps each combination once.
    Distinct(Vec<String>),
    /// Keeps, for each combination of `by`, the whole row in which a column is largest or smallest.
    Extreme {
        /// Whether the largest or the smallest is kept.
        which: Extreme,
        /// The column.
        of: String,
        /// The groups; the assigned columns may be new.
        by: Vec<Assignment>,
    },
    /// Join on columns of equal names; its columns of other names have to differ.
    Join {
        /// Which rows it gives.
        kind: JoinKind,
        /// Right side.
        right: Box<Table>,
        /// Names of the shared columns.
        on: Vec<String>,
    },
    /// One row for each element of an array.
    Expand {
        /// Column that receives the element.
        name: String,
        /// The array.
        list: Expr,
        /// Type of the elements.
        kind: Kind,
    },
    /// An aggregate over the elements of an array, one result for each row.
    Apply {
        /// Whether the element's position is in the column `detc_index`.
        indexed: bool,
        /// Column that holds the element inside.
        item: String,
        /// The array.
        list: Expr,
        /// What happens to the elements before they are aggregated.
        inner: Vec<Stage>,
        /// The aggregate.
        result: Assignment,
    },
    /// Pattern over serialized rows.
    Scan {
        /// Columns that the steps fill.
        declare: Vec<(String, Kind)>,
        /// The steps.
        steps: Vec<ScanStep>,
    },
}

/// Which rows a join gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JoinKind {
    /// Each pair.
    Inner,
    /// The rows of the left side that have a partner, each once.
    LeftSemi,
}

/// Which row of a group is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extreme {
    /// That with the largest value.
    Largest,
    /// That with the smallest value.
    Smallest,
}

/// A named column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Assignment {
    /// Name of the column.
    pub(super) name: String,
    /// Its value.
    pub(super) value: Expr,
}

/// One step of a `scan`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ScanStep {
    /// Name.
    pub(super) name: String,
    /// Whether matching rows are returned.
    pub(super) output: bool,
    /// Which rows match.
    pub(super) condition: Expr,
    /// Columns that a match fills.
    pub(super) assignments: Vec<Assignment>,
}

/// Scalar types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `string`; never null.
    Text,
    /// `long`, `int`.
    Long,
    /// `real`.
    Real,
    /// `bool`.
    Bool,
    /// `datetime`.
    Time,
    /// `dynamic`: parsed JSON.
    Dynamic,
}

/// A scalar expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expr {
    /// A column or scalar `let`.
    Column(String),
    /// A column of the row that a step of a `scan` matched last.
    State(String, String),
    /// Text.
    Text(String),
    /// Text of a regular expression.
    Pattern(String),
    /// Whole number.
    Int(i64),
    /// Decimal number, as its text.
    Real(String),
    /// Truth value.
    Bool(bool),
    /// Length of time.
    Span(Duration),
    /// A day, as `YYYY-MM-DD`.
    Day(&'static str),
    /// Null of a type; the empty string for text.
    Null(Kind),
    /// Function.
    Call(&'static str, Vec<Expr>),
    /// Operator between two operands.
    Infix(Box<Expr>, Operator, Box<Expr>),
    /// Membership.
    Among {
        /// The value.
        value: Box<Expr>,
        /// Which operator.
        operator: Membership,
        /// The members.
        items: Vec<Expr>,
    },
    /// All of them.
    And(Vec<Expr>),
    /// Any of them.
    Or(Vec<Expr>),
    /// The opposite; the operand is never null.
    Not(Box<Expr>),
    /// Member of a dynamic object.
    Member(Box<Expr>, String),
    /// Element of a dynamic array.
    Index(Box<Expr>, Box<Expr>),
}

/// Operators between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Equal,
    NotEqual,
    EqualFolded,
    NotEqualFolded,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Contains { cased: bool, negated: bool },
    StartsWith { cased: bool, negated: bool },
    EndsWith { cased: bool, negated: bool },
    MatchesRegex,
}

/// Operators of membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Membership {
    /// Whether ASCII letters compare without case.
    pub(super) folded: bool,
    /// Whether the value is no member.
    pub(super) negated: bool,
}

impl Table {
    /// The rows of a table or of a `let`.
    pub(super) fn named(name: impl Into<String>) -> Self {
        Self { origin: Origin::Name(name.into()), stages: Vec::new() }
    }

    /// All rows of the tables; the table itself where there is one.
    pub(super) fn union(mut tables: Vec<Self>) -> Self {
        match (tables.pop(), tables.is_empty()) {
            (Some(only), true) => only,
            (last, _) => {
                tables.extend(last);
                Self { origin: Origin::Union(tables), stages: Vec::new() }
            }
        }
    }

    /// The table with one more operator.
    pub(super) fn with(mut self, stage: Stage) -> Self {
        self.stages.push(stage);
        self
    }

    /// The table with one more `where` for each condition that says something.
    pub(super) fn filtered(mut self, conditions: impl IntoIterator<Item = Expr>) -> Self {
        for condition in conditions {
            match condition {
                Expr::Bool(true) => {}
                Expr::And(parts) => self.stages.extend(parts.into_iter().map(Stage::Where)),
                other => self.stages.push(Stage::Where(other)),
            }
        }
        self
    }
}

impl Assignment {
    /// A column with a value.
    pub(super) fn new(name: impl Into<String>, value: Expr) -> Self {
        Self { name: name.into(), value }
    }

    /// A column as it is.
    pub(super) fn keep(name: impl Into<String>) -> Self {
        let name = name.into();
        Self { value: Expr::column(&name), name }
    }
}

impl Kind {
    /// The type in which a value of a declared type is shown.
    pub(super) const fn of(declared: &Type) -> Self {
        match declared {
            Type::Text | Type::Ip | Type::Duration => Self::Text,
            Type::Int => Self::Long,
            Type::Float => Self::Real,
            Type::Bool => Self::Bool,
            Type::Time => Self::Time,
            Type::List(_) | Type::Object => Self::Dynamic,
        }
    }

    /// The type's name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Long => "long",
            Self::Real => "real",
            Self::Bool => "bool",
            Self::Time => "datetime",
            Self::Dynamic => "dynamic",
        }
    }
}

impl Expr {
    /// A column.
    pub(super) fn column(name: impl Into<String>) -> Self {
        Self::Column(name.into())
    }

    /// A text.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A function of one argument.
    pub(super) fn call(name: &'static str, argument: Self) -> Self {
        Self::Call(name, vec![argument])
    }

    /// An operator between two operands.
    pub(super) fn infix(left: Self, operator: Operator, right: Self) -> Self {
        Self::Infix(Box::new(left), operator, Box::new(right))
    }

    /// Exact equality.
    pub(super) fn equals(self, other: Self) -> Self {
        Self::infix(self, Operator::Equal, other)
    }

    /// A difference of times, or a time and a length.
    pub(super) fn minus(self, other: Self) -> Self {
        Self::infix(self, Operator::Subtract, other)
    }

    /// `iff(self, yes, no)`
    pub(super) fn choose(self, yes: Self, no: Self) -> Self {
        Self::Call("iff", vec![self, yes, no])
    }

    /// `coalesce(self, other)`
    pub(super) fn or_else(self, other: Self) -> Self {
        Self::Call("coalesce", vec![self, other])
    }

    /// Membership in a list of values.
    pub(super) fn among(self, operator: Membership, items: Vec<Self>) -> Self {
        Self::Among { value: Box::new(self), operator, items }
    }

    /// The opposite of a condition that is never null.
    pub(super) fn not(self) -> Self {
        match self {
            Self::Bool(value) => Self::Bool(!value),
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }

    /// All of the conditions, without those that are always true.
    pub(super) fn all(conditions: impl IntoIterator<Item = Self>) -> Self {
        let mut parts = Vec::new();
        for condition in conditions {
            match condition {
                Self::Bool(true) => {}
                Self::Bool(false) => return Self::Bool(false),
                Self::And(inner) => parts.extend(inner),
                other => parts.push(other),
            }
        }
        match (parts.pop(), parts.is_empty()) {
            (None, _) => Self::Bool(true),
            (Some(only), true) => only,
            (Some(last), false) => {
                parts.push(last);
                Self::And(parts)
            }
        }
    }

    /// Any of the conditions, without those that are always false.
    pub(super) fn any(conditions: impl IntoIterator<Item = Self>) -> Self {
        let mut parts = Vec::new();
        for condition in conditions {
            match condition {
                Self::Bool(false) => {}
                Self::Bool(true) => return Self::Bool(true),
                Self::Or(inner) => parts.extend(inner),
                other => parts.push(other),
            }
        }
        match (parts.pop(), parts.is_empty()) {
            (None, _) => Self::Bool(false),
            (Some(only), true) => only,
            (Some(last), false) => {
                parts.push(last);
                Self::Or(parts)
            }
        }
    }
}
