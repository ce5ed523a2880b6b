//! The part of ES|QL that detections need, as data.
//!
//! Never holds quoted text: strings and names stand here as they are, `print` quotes them.

/// A whole query: its commands in order, the first being [`Command::From`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The commands.
    pub commands: Vec<Command>,
}

/// A command: it takes the rows of the one before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// `FROM indexes METADATA ..`
    From {
        /// Patterns of indexes, at least one.
        indexes: Vec<String>,
        /// Metadata fields that become columns.
        metadata: &'static [&'static str],
    },
    /// `WHERE`: keeps the rows for which it is true; null drops a row.
    Where(Expression),
    /// `EVAL`: adds or replaces columns, each seeing those before it.
    Eval(Vec<(Name, Expression)>),
    /// `STATS .. BY ..`: one row for each group, with nothing but these columns.
    Stats {
        /// Columns made of a group's rows.
        aggregates: Vec<(Name, Expression)>,
        /// Columns that groups are made by; none for a single group.
        by: Vec<Name>,
    },
    /// `MV_EXPAND`: a row for each value of the column.
    Expand(Name),
    /// `DISSECT`: takes a text apart at each `|`.
    Dissect {
        /// The text.
        input: Name,
        /// A column for each part.
        parts: Vec<Name>,
    },
    /// `RENAME .. AS ..`
    Rename(Vec<(Name, Name)>),
    /// `KEEP`: nothing but these columns, in this order.
    Keep(Vec<Name>),
}

/// A column: names from the outermost inwards.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(pub Vec<String>);

impl Name {
    /// A column of our own, which no index has.
    #[must_use]
    pub fn own(name: impl AsRef<str>) -> Self {
        Self(vec![format!("detc_{}", name.as_ref())])
    }

    /// A column whose name is one word.
    #[must_use]
    pub fn plain(name: impl Into<String>) -> Self {
        Self(vec![name.into()])
    }
}

/// An expression; three-valued as the engine has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// `null`
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as its text.
    Number(String),
    /// Text.
    Text(String),
    /// A column.
    Column(Name),
    /// A function.
    Call(&'static str, Vec<Expression>),
    /// Two operands.
    Binary(Box<Expression>, Operator, Box<Expression>),
    /// All of them; at least two.
    All(Vec<Expression>),
    /// Any of them; at least two.
    Any(Vec<Expression>),
    /// The opposite.
    Not(Box<Expression>),
    /// `IS NULL`
    IsNull(Box<Expression>),
    /// `IS NOT NULL`
    IsNotNull(Box<Expression>),
    /// `IN (..)`, at least one item.
    OneOf(Box<Expression>, Vec<Expression>),
    /// `LIKE`: the whole text, `*` and `?` being wildcards and `\` the escape.
    Like(Box<Expression>, String),
    /// `RLIKE`: the whole text, in Lucene's dialect.
    Regex(Box<Expression>, String),
}

/// An operator between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
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
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `*`
    Times,
    /// `/`: whole between whole numbers.
    Divide,
    /// `%`
    Remainder,
}

impl Expression {
    /// A column of our own.
    #[must_use]
    pub fn own(name: impl AsRef<str>) -> Self {
        Self::Column(Name::own(name))
    }

    /// A whole number.
    #[must_use]
    pub fn number(number: impl ToString) -> Self {
        Self::Number(number.to_string())
    }

    /// A text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Two operands.
    #[must_use]
    pub fn binary(self, operator: Operator, right: Self) -> Self {
        Self::Binary(Box::new(self), operator, Box::new(right))
    }

    /// `==`
    #[must_use]
    pub fn equals(self, right: Self) -> Self {
        self.binary(Operator::Equal, right)
    }

    /// `IS NULL`
    #[must_use]
    pub fn absent(self) -> Self {
        Self::IsNull(Box::new(self))
    }

    /// `IS NOT NULL`
    #[must_use]
    pub fn present(self) -> Self {
        Self::IsNotNull(Box::new(self))
    }

    /// `CASE(condition, yes, no)`; an unknown condition counts as false.
    #[must_use]
    pub fn case(condition: Self, yes: Self, no: Self) -> Self {
        match condition {
            Self::Bool(true) => yes,
            Self::Bool(false) => no,
            condition => Self::Call("CASE", vec![condition, yes, no]),
        }
    }

    /// 1 where the condition holds, else 0.
    #[must_use]
    pub fn flag(condition: Self) -> Self {
        Self::case(condition, Self::number(1), Self::number(0))
    }

    /// The opposite; true where the condition is unknown.
    #[must_use]
    pub fn denied(self) -> Self {
        match self {
            Self::Bool(value) => Self::Bool(!value),
            other => Self::Not(Box::new(Self::Call("COALESCE", vec![other, Self::Bool(false)]))),
        }
    }

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
                    Self::Bool(value) if value == conjunction => {}
                    Self::Bool(value) => return Self::Bool(value),
                    part if kept.contains(&part) => {}
                    part => kept.push(part),
                }
            }
        }
        match kept.len() {
            0 => Self::Bool(conjunction),
            1 => kept.into_iter().next().unwrap_or(Self::Bool(conjunction)),
            _ if conjunction => Self::All(kept),
            _ => Self::Any(kept),
        }
    }
}
