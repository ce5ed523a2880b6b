//! Turns predicates into EQL conditions that are two-valued whatever the engine does with null.
//!
//! Never gives up at the first obstacle: what EQL lacks becomes a reason, and the rest is still looked at.

mod comparison;
mod element;
mod field;
mod list;
mod location;
mod test;
mod text;
mod value;

pub use field::Bound;
pub use test::Test;

use crate::backend::elastic::eql::ast::Expression;
use crate::backend::elastic::options::Options;
use crate::backend::{ReasonCode, Verdict};
use crate::ir::{CaseRule, Literal, Predicate};
use crate::schema::mapping::FieldMap;
use crate::source::{Span, Spanned};

/// Said once of a query that compares without case.
pub const ASCII_FOLDING: &str = "letters beyond ASCII arrive in one case only, since EQL folds ASCII letters only";

/// Said once of a query that compares canonical fields exactly.
pub const CANONICAL: &str = "fields with a canonical casing arrive in it";

/// Said once of a query that names fields of the type `ip`.
pub const ADDRESSES: &str = "values of fields of type ip are addresses, each with one spelling, since such a field holds no names, and an IPv4 \
     address and its IPv6 form alike";

/// Said once of a query that names fields of other types than text.
pub const TYPED: &str = "numbers, truth values and times arrive as such, since an index reads a text such as `05` in its own way or not at all";

/// Said once of a query that measures a text.
pub const LENGTH: &str = "measured texts hold no characters beyond U+FFFF, which EQL counts as two";

/// Said once of a query that asks whether a list is there.
pub const NULL_LISTS: &str = "no list holds nulls only, since an index keeps no trace of it";

/// What the conditions are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// They are written in EQL, where a test of a field with several values looks at each.
    Eql,
    /// They are turned into ES|QL, where such a test gives null, and where `TO_LOWER` folds every letter.
    Esql,
}

/// Lowers the predicates of one signal.
pub struct Lowering<'a> {
    map: &'a FieldMap,
    options: &'a Options,
    verdict: &'a mut Verdict,
    /// Place of the predicate at hand.
    span: Span,
    /// Lists whose elements are looked at, outermost first.
    scopes: Vec<list::Scope>,
    /// Whether the opposite of the predicate at hand is wanted.
    negated: bool,
    purpose: Purpose,
}

impl<'a> Lowering<'a> {
    /// Starts with the fields of one source.
    pub const fn new(map: &'a FieldMap, options: &'a Options, verdict: &'a mut Verdict, span: Span) -> Self {
        Self { map, options, verdict, span, scopes: Vec::new(), negated: false, purpose: Purpose::Eql }
    }

    /// The same for conditions that are turned into ES|QL.
    pub fn for_esql(self) -> Self {
        Self { purpose: Purpose::Esql, ..self }
    }

    /// The condition of a predicate.
    pub fn predicate(&mut self, predicate: &Spanned<Predicate>) -> Test {
        let outer = std::mem::replace(&mut self.span, predicate.span);
        let test = self.dispatch(&predicate.node);
        self.span = outer;
        test
    }

    fn dispatch(&mut self, predicate: &Predicate) -> Test {
        match predicate {
            Predicate::Constant(true) => Test::ALWAYS,
            Predicate::Constant(false) => Test::NEVER,
            Predicate::OfSource(name) => match self.map.members.get(name) {
                Some(member) => {
                    let yes = super::term::dataset(member);
                    Test { no: Expression::Not(Box::new(yes.clone())), yes }
                }
                None => Test::NEVER,
            },
            Predicate::And(parts) => {
                let parts: Vec<Test> = parts.iter().map(|part| self.predicate(part)).collect();
                Test::all(parts)
            }
            Predicate::Or(parts) => {
                let parts: Vec<Test> = parts.iter().map(|part| self.predicate(part)).collect();
                Test::any(parts)
            }
            Predicate::Not(inner) => self.opposite(|lowering| lowering.predicate(inner)).negated(),
            Predicate::Exists(value) => self.exists(value),
            Predicate::IsTrue(value) => self.equals_one_of(value, &[Literal::Bool(true)], CaseRule::Exact),
            Predicate::Equal { left, right, case } => match right.as_literal() {
                Some(literal) => self.equals_one_of(left, std::slice::from_ref(literal), *case),
                None => self.no_comparison_of_fields(),
            },
            Predicate::Ordered { left, order, right } => self.ordered(left, *order, right),
            Predicate::In { value, items, case } => self.equals_one_of(value, items, *case),
            Predicate::Text { value, tests, case } => self.text(value, tests, *case),
            Predicate::InNetwork { value, networks } => self.in_network(value, networks),
            Predicate::IsAddress { value, set } => self.is_address(value, *set),
            Predicate::OutsideHours { .. } => self.unsupported(format!(
                "{} cannot read the clock of a time; leave the hours to the schedule or to an exception of the rule",
                self.language()
            )),
            Predicate::Quantified { quantifier, list, variable, predicate } => {
                self.quantified(*quantifier, list, variable, predicate)
            }
        }
    }

    /// Lowers what is wanted to fail.
    fn opposite(&mut self, lower: impl FnOnce(&mut Self) -> Test) -> Test {
        self.negated = !self.negated;
        let test = lower(self);
        self.negated = !self.negated;
        test
    }

    fn no_comparison_of_fields(&mut self) -> Test {
        self.unsupported(format!(
            "{} compares fields with constants only; compare with a literal, a parameter or a list",
            self.language()
        ))
    }

    /// The language that the conditions end in.
    pub(super) const fn language(&self) -> &'static str {
        match self.purpose {
            Purpose::Eql => "EQL",
            Purpose::Esql => "ES|QL",
        }
    }

    /// Records that the language lacks the expression at hand.
    fn unsupported(&mut self, message: impl Into<String>) -> Test {
        self.reason(ReasonCode::UnsupportedExpression, message)
    }

    fn reason(&mut self, code: ReasonCode, message: impl Into<String>) -> Test {
        self.verdict.add(code, self.span, message);
        Test::NEVER
    }
}
