//! The part of SPL that detc writes, as data.
//!
//! The base search and the expressions of `where` and `eval` are two types, because they read the same text differently.

/// A whole query: the base search and the commands behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Search {
    /// The base search, a superset of the events that count.
    pub(super) base: SearchExpr,
    /// The commands, one a line.
    pub(super) stages: Vec<Stage>,
}

/// A condition of the base search: without regard to case, with wildcards, false for absent fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SearchExpr {
    /// Search text that a target gives for the place of a source.
    Location(String),
    /// A search macro.
    Macro(String),
    /// The field has one of the values.
    Term {
        /// Name of the field.
        field: String,
        /// The values, at least one.
        patterns: Vec<Pattern>,
    },
    /// The field is a number in that order to a constant.
    Number {
        /// Name of the field.
        field: String,
        /// `<`, `<=`, `>` or `>=`.
        order: &'static str,
        /// The constant's text.
        number: String,
    },
    /// The field is there.
    Present(String),
    /// All of them.
    All(Vec<SearchExpr>),
    /// Any of them.
    Any(Vec<SearchExpr>),
}

/// A value in the base search; `None` stands for any characters, also none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern(pub(super) Vec<Option<String>>);

/// A field of an event or a column that the query itself made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Name {
    /// A field of the event.
    Source(String),
    /// A column that an earlier command wrote.
    Derived(String),
}

/// An expression of `where` and `eval`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum EvalExpr {
    /// A field or column.
    Name(Name),
    /// A text.
    Text(String),
    /// A regular expression in PCRE; a backslash stands only inside a class, for itself.
    Regex(String),
    /// The text of the first group in the replacement of `replace()`.
    FirstGroup,
    /// A whole number.
    Integer(i64),
    /// A decimal number.
    Decimal(String),
    /// A function applied to arguments.
    Call(Function, Vec<EvalExpr>),
    /// A comparison.
    Compare(Box<EvalExpr>, Comparison, Box<EvalExpr>),
    /// Arithmetic of two numbers.
    Arithmetic(Box<EvalExpr>, Arithmetic, Box<EvalExpr>),
    /// Texts one after the other.
    Join(Vec<EvalExpr>),
    /// All of them; at least two.
    And(Vec<EvalExpr>),
    /// Any of them; at least two.
    Or(Vec<EvalExpr>),
    /// The opposite.
    Not(Box<EvalExpr>),
}

/// A comparison of two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    /// `=`
    Equal,
    /// `!=`
    Different,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// An arithmetic operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arithmetic {
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `*`
    Times,
    /// `/`
    Over,
    /// `%`
    Modulo,
}

/// Declares the functions once: variant and name.
macro_rules! functions {
    ($($variant:ident, $name:literal;)*) => {
        /// A function of `eval`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Function {
            $(#[doc = $name] $variant,)*
        }

        impl Function {
            /// The function's name.
            pub(super) const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

functions! {
    Case, "case";
    CidrMatch, "cidrmatch";
    Coalesce, "coalesce";
    Asin, "asin";
    Cos, "cos";
    Exact, "exact";
    Floor, "floor";
    If, "if";
    In, "in";
    IsNotNull, "isnotnull";
    IsNull, "isnull";
    JsonObject, "json_object";
    Len, "len";
    Like, "like";
    Lower, "lower";
    LTrim, "ltrim";
    Match, "match";
    Md5, "md5";
    MvAppend, "mvappend";
    MvCount, "mvcount";
    MvDedup, "mvdedup";
    MvIndex, "mvindex";
    MvMap, "mvmap";
    Min, "min";
    Null, "null";
    Pi, "pi";
    Pow, "pow";
    Replace, "replace";
    RTrim, "rtrim";
    Sin, "sin";
    Spath, "spath";
    Sqrt, "sqrt";
    Split, "split";
    Substr, "substr";
    ToNumber, "tonumber";
    True, "true";
    Upper, "upper";
}

/// A command of the pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stage {
    /// `where`
    Where(EvalExpr),
    /// `eval`, left to right.
    Eval(Vec<(String, EvalExpr)>),
    /// `stats`
    Stats {
        /// What is computed; nothing but the groups where empty.
        aggregates: Vec<Aggregate>,
        /// The groups.
        by: Vec<String>,
    },
    /// `stats` beside rows of other lanes, which keep what later commands read; it is completed when these are known.
    StatsBeside {
        /// The lane that is at work; `None` where rows of all lanes come together.
        lane: Option<i64>,
        /// What is computed.
        aggregates: Vec<Aggregate>,
        /// The groups.
        by: Vec<String>,
    },
    /// `eventstats`
    EventStats {
        /// What is computed.
        aggregates: Vec<Aggregate>,
        /// The groups.
        by: Vec<String>,
    },
    /// `streamstats`
    StreamStats {
        /// Number of rows of the group that are looked at, the current one included; all where `None`.
        window: Option<u64>,
        /// Whether the current row counts.
        current: bool,
        /// What is computed.
        aggregates: Vec<Aggregate>,
        /// The groups.
        by: Vec<String>,
    },
    /// `sort 0`
    Sort(Vec<SortKey>),
    /// `dedup`
    Dedup(Vec<String>),
    /// `fields`
    Fields(Vec<Name>),
    /// `mvexpand`
    MvExpand(String),
    /// `addinfo`, for the end of the search's range.
    AddInfo,
    /// `iplocation`
    Locate {
        /// Column with the address.
        address: String,
        /// What the new columns start with.
        prefix: String,
    },
    /// `lookup` of the owner of an address.
    Lookup {
        /// Name of the lookup.
        table: String,
        /// Column with the address.
        address: String,
        /// Column of the lookup and the new column.
        output: (String, String),
    },
    /// `rename`
    Rename(Vec<(String, String)>),
    /// `table`
    Table(Vec<String>),
}

/// One key of a sort.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SortKey {
    /// Column.
    pub(super) column: String,
    /// Whether the largest comes first.
    pub(super) descending: bool,
    /// Whether values are compared as text even where they look like numbers.
    pub(super) text: bool,
}

/// An aggregate with the name of its result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Aggregate {
    /// What is computed.
    pub(super) function: AggregateFunction,
    /// Over what; `None` counts rows.
    pub(super) argument: Option<EvalExpr>,
    /// Name of the result.
    pub(super) name: String,
}

/// What an aggregate computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AggregateFunction {
    /// Number of rows.
    Count,
    /// Number of rows that have a value.
    CountOf,
    /// Number of different values.
    DistinctCount,
    /// Sum.
    Sum,
    /// Smallest.
    Min,
    /// Largest.
    Max,
    /// That of the first row in the order of the rows.
    First,
    /// That of the last row in the order of the rows.
    Last,
}

impl EvalExpr {
    /// A field of the event.
    pub(super) fn source(name: impl Into<String>) -> Self {
        Self::Name(Name::Source(name.into()))
    }

    /// A column that the query made.
    pub(super) fn derived(name: impl Into<String>) -> Self {
        Self::Name(Name::Derived(name.into()))
    }

    /// A text.
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// The missing value.
    pub(super) const fn null() -> Self {
        Self::Call(Function::Null, Vec::new())
    }

    /// A condition that always or never holds.
    pub(super) fn constant(value: bool) -> Self {
        Self::compare(Self::Integer(1), Comparison::Equal, Self::Integer(i64::from(value)))
    }

    /// A function of one argument.
    pub(super) fn call(function: Function, argument: Self) -> Self {
        Self::Call(function, vec![argument])
    }

    /// A text in lower case.
    pub(super) fn lowered(text: Self) -> Self {
        if matches!(text, Self::Call(Function::Lower, _)) { text } else { Self::call(Function::Lower, text) }
    }

    /// One of two values; the second also where the condition is null.
    pub(super) fn choose(condition: Self, yes: Self, no: Self) -> Self {
        Self::Call(Function::If, vec![condition, yes, no])
    }

    /// The value where the condition holds, else missing.
    pub(super) fn only_if(condition: Self, value: Self) -> Self {
        Self::choose(condition, value, Self::null())
    }

    /// A condition that holds exactly where the given one is false or null.
    pub(super) fn unless(condition: Self) -> Self {
        Self::compare(Self::choose(condition, Self::Integer(0), Self::Integer(1)), Comparison::Equal, Self::Integer(1))
    }

    /// A comparison.
    pub(super) fn compare(left: Self, comparison: Comparison, right: Self) -> Self {
        Self::Compare(Box::new(left), comparison, Box::new(right))
    }

    /// Equality.
    pub(super) fn equal(left: Self, right: Self) -> Self {
        Self::compare(left, Comparison::Equal, right)
    }

    /// Arithmetic.
    pub(super) fn arithmetic(left: Self, operator: Arithmetic, right: Self) -> Self {
        Self::Arithmetic(Box::new(left), operator, Box::new(right))
    }

    /// All of the conditions.
    pub(super) fn all(parts: Vec<Self>) -> Self {
        let flat = |part| if let Self::And(inner) = part { inner } else { vec![part] };
        let mut parts: Vec<Self> = parts.into_iter().flat_map(flat).collect();
        match (parts.len(), parts.pop()) {
            (_, None) => Self::constant(true),
            (1, Some(only)) => only,
            (_, Some(last)) => {
                parts.push(last);
                Self::And(parts)
            }
        }
    }

    /// Any of the conditions.
    pub(super) fn any(parts: Vec<Self>) -> Self {
        let flat = |part| if let Self::Or(inner) = part { inner } else { vec![part] };
        let mut parts: Vec<Self> = parts.into_iter().flat_map(flat).collect();
        match (parts.len(), parts.pop()) {
            (_, None) => Self::constant(false),
            (1, Some(only)) => only,
            (_, Some(last)) => {
                parts.push(last);
                Self::Or(parts)
            }
        }
    }

    /// Whether the expression is a mere name, so that it may stand twice.
    pub(super) const fn is_name(&self) -> bool {
        matches!(self, Self::Name(_))
    }
}

impl Aggregate {
    /// An aggregate over a column.
    pub(super) fn of(function: AggregateFunction, column: &str, name: &str) -> Self {
        Self { function, argument: Some(EvalExpr::derived(column)), name: name.to_owned() }
    }

    /// The number of rows.
    pub(super) fn count(name: &str) -> Self {
        Self { function: AggregateFunction::Count, argument: None, name: name.to_owned() }
    }
}

impl SortKey {
    /// Smallest first.
    pub(super) fn up(column: &str) -> Self {
        Self { column: column.to_owned(), descending: false, text: false }
    }

    /// Smallest text first.
    pub(super) fn text_up(column: &str) -> Self {
        Self { text: true, ..Self::up(column) }
    }

    /// The other way round.
    pub(super) fn reversed(self) -> Self {
        Self { descending: !self.descending, ..self }
    }
}
