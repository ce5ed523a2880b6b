//! Expressions in the form in which they are evaluated: compiled once, then asked of each event.
//!
//! Never copies an event to test it.

mod address;
mod call;
mod cell;
mod compile;
mod fold;
mod parts;
mod predicate;
mod row;
mod scope;
mod text;

use serde_json::Value as Json;

pub(super) use cell::Cell;
pub(super) use compile::{Shape, hit_column, predicate, predicate_inside, term, term_inside};
pub(super) use fold::folded;
pub(super) use parts::{Parts, Trail};
pub(super) use predicate::fits;
pub(super) use row::{Closing, Composed, Identity, Key, Part, Row, View};
pub(super) use scope::{Scope, with_elements};

use super::record::path_number;
use crate::ir::{AddressSet, Network, OpeningHours, Order, Quantifier, SignalId};
use crate::schema::{Epoch, FieldPath, Type};
use std::collections::HashSet;
use text::{Probe, Spelt};

/// A value of one event or hit.
#[derive(Debug)]
pub(super) enum Term {
    /// A field of the event.
    Field(Place, Option<Epoch>),
    /// A column of the hit.
    Column(ColumnTerm),
    /// A member of a list's element: how many elements outwards from the innermost.
    Element(usize, Place),
    /// A member of the first element that passes.
    First { list: Box<Term>, test: Box<Test>, place: Place },
    /// A member of the element with that name.
    Named { list: Box<Term>, name_member: String, key: String, place: Place },
    /// The event's own time.
    Time,
    /// A constant; nothing for the empty text.
    Literal(Option<Cell<'static>>),
    /// A function.
    Call(Box<CallTerm>),
}

/// Where a value stands, and what it is taken for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    path: Vec<String>,
    /// Tells the path from others.
    number: u64,
    ty: Type,
}

/// A column of a hit, by what it holds.
#[derive(Debug)]
pub(super) enum ColumnTerm {
    /// No hit has it.
    Missing,
    /// A key.
    Key(usize),
    /// A number.
    Aggregate(usize),
    /// A value of the closing event, by the signals that it can belong to.
    Closing(Vec<(SignalId, Term)>),
    /// A value of a step's last event.
    Step(usize, Box<Term>),
}

/// A function of other values.
#[derive(Debug)]
pub(super) enum CallTerm {
    Length(Term, Type),
    Lower(Term),
    Upper(Term),
    Coalesce(Vec<Term>),
    Choose(Vec<(Test, Term)>),
    Concat(Vec<Term>),
    Split { value: Term, separator: String, index: usize },
    Extract { value: Term, regex: Option<regex::Regex>, group: usize },
    Replace { value: Term, from: String, to: String },
    ToInt(Term),
    ToFloat(Term),
    Hour(Term),
    Weekday(Term),
    Country(Term),
    City(Term),
    Asn(Term),
    AsOrganisation(Term),
}

/// A condition on one event or hit.
#[derive(Debug)]
pub(super) enum Test {
    Constant(bool),
    /// The event is of this source.
    OfSource(Box<str>),
    And(Vec<Test>),
    Or(Vec<Test>),
    Not(Box<Test>),
    Exists(Term),
    IsTrue(Term),
    /// Equality with a text.
    Is(Term, Spelt),
    Equal {
        left: Term,
        right: Term,
        exact: bool,
    },
    Ordered {
        left: Term,
        order: Order,
        right: Term,
    },
    /// Membership in a set of texts.
    InTexts(Term, Spellings),
    /// Membership in a set of other constants.
    InCells(Term, Vec<Cell<'static>>),
    Text(Term, Vec<Probe>),
    InNetwork(Term, Vec<Network>),
    IsAddress(Term, AddressSet, Vec<Network>),
    OutsideHours(Term, OpeningHours),
    Quantified {
        quantifier: Quantifier,
        list: Term,
        test: Box<Test>,
    },
}

/// A set of texts; folded unless they compare exactly.
#[derive(Debug)]
pub(super) struct Spellings {
    texts: HashSet<Box<str>>,
    /// Lengths in bytes that occur, those from 63 on together.
    lengths: u64,
    exact: bool,
}

impl Place {
    fn new(path: &FieldPath, ty: &Type) -> Self {
        let path = path.segments().to_vec();
        Self { number: path_number(&path), path, ty: ty.clone() }
    }

    /// The names of the members on the way there.
    pub(super) fn path(&self) -> &[String] {
        &self.path
    }

    /// Whether its values are texts.
    pub(super) const fn is_text(&self) -> bool {
        matches!(self.ty, Type::Text | Type::Ip)
    }

    /// The value at the place in an element of a list.
    fn follow<'a>(&self, value: &'a Json) -> Option<&'a Json> {
        self.path.iter().try_fold(value, |value, segment| value.get(segment))
    }
}
