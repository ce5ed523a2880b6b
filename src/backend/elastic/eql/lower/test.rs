//! A condition together with its opposite, so that negation never depends on what the engine makes of null.

use crate::backend::elastic::eql::ast::{Expression, Field};

/// Two expressions of which exactly one holds for every event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// Holds where the condition does.
    pub yes: Expression,
    /// Holds where the condition does not, also because a value is missing.
    pub no: Expression,
}

impl Test {
    /// Always holds.
    pub const ALWAYS: Self = Self { yes: Expression::Constant(true), no: Expression::Constant(false) };

    /// Never holds.
    pub const NEVER: Self = Self { yes: Expression::Constant(false), no: Expression::Constant(true) };

    /// A test that is false on null and on the empty text by itself.
    pub fn guarded(yes: Expression, field: &Field) -> Self {
        let no = Expression::any([Expression::is_null(field), yes.clone().opposite()]);
        Self { yes, no }
    }

    /// A test of a text that would hold for the empty text, which is a missing value.
    pub fn guarded_against_empty(yes: Expression, field: &Field) -> Self {
        let no = Expression::any([Expression::is_null(field), Expression::is_empty(field), yes.clone().opposite()]);
        Self { yes: Expression::all([yes, Expression::is_not_empty(field)]), no }
    }

    /// The value is not null.
    pub fn not_null(field: &Field) -> Self {
        Self { yes: Expression::is_not_null(field), no: Expression::is_null(field) }
    }

    /// The text is present: neither null nor empty.
    pub fn present(field: &Field) -> Self {
        Self {
            yes: Expression::all([Expression::is_not_null(field), Expression::is_not_empty(field)]),
            no: Expression::any([Expression::is_null(field), Expression::is_empty(field)]),
        }
    }

    /// All of them hold.
    pub fn all(parts: impl IntoIterator<Item = Self>) -> Self {
        let (yes, no): (Vec<_>, Vec<_>) = parts.into_iter().map(|part| (part.yes, part.no)).unzip();
        Self { yes: Expression::all(yes), no: Expression::any(no) }
    }

    /// Any of them holds.
    pub fn any(parts: impl IntoIterator<Item = Self>) -> Self {
        Self::all(parts.into_iter().map(Self::negated)).negated()
    }

    /// The opposite.
    pub fn negated(self) -> Self {
        Self { yes: self.no, no: self.yes }
    }
}
