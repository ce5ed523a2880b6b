//! The types that fields and expressions have.

use serde::Serialize;

use std::fmt;

/// Type of a field or expression. A missing value belongs to every type.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Type {
    /// `true` or `false`.
    Bool,
    /// Whole number of 64 bits.
    Int,
    /// Decimal number.
    Float,
    /// Text.
    Text,
    /// An internet address; it may hold a host name, which is then only text.
    Ip,
    /// A point in time.
    Time,
    /// A span of time; stands in parameters and clauses only.
    Duration,
    /// A list of values of one type.
    List(Box<Type>),
    /// A group of members; only its members can be compared.
    Object,
}

impl Type {
    /// Whether the type is compared as text: strings and addresses.
    #[must_use]
    pub const fn is_textual(&self) -> bool {
        matches!(self, Self::Text | Self::Ip)
    }

    /// Whether the type is a number.
    #[must_use]
    pub const fn is_number(&self) -> bool {
        matches!(self, Self::Int | Self::Float)
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("bool"),
            Self::Int => f.write_str("int"),
            Self::Float => f.write_str("float"),
            Self::Text => f.write_str("string"),
            Self::Ip => f.write_str("ip"),
            Self::Time => f.write_str("time"),
            Self::Duration => f.write_str("duration"),
            Self::List(item) => write!(f, "list<{item}>"),
            Self::Object => f.write_str("object"),
        }
    }
}

impl Serialize for Type {
    /// As text.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
