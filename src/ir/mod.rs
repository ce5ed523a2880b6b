//! Typed, resolved detections: what every backend and the evaluator start from.
//!
//! Everything here has been checked: names exist, types fit, parameters, lists and `let` are replaced by their values,
//! and literals of canonical fields are in canonical casing. Never holds text that still has to be parsed.

mod aggregation;
mod behavior;
mod class;
mod decided;
mod detection;
mod disjoint;
mod expand;
mod expression;
mod fields;
mod literal;
mod pattern;
mod reads;
mod rewrite;
mod schedule;
mod sequence;

pub use aggregation::{
    Aggregate, AggregateCondition, AggregateFunction, Aggregation, Arithmetic, Baseline, BaselineTest,
    NumberComparison, WindowKind,
};
pub use behavior::{Behavior, Group, GroupForm, Member, Rare, RareForm, Travel};
pub use class::{Class, ClassMember};
pub use detection::{
    Alert, Attack, Column, Detection, Entity, ExceptionUse, HitColumn, HitValue, Key, ListUse, Metadata, ParameterUse,
    Severity, Signal, SignalId, Stage, Status, Suppression,
};
pub use disjoint::{are_disjoint, implies};
pub use expression::{
    Call, CaseRule, Element, FieldRef, First, NameValueRef, Order, Predicate, Quantifier, TextTest, Value,
};
pub use literal::{AddressSet, Decimal, Literal, Network, OpeningHours, Weekday};
pub use pattern::{ClassItem, Glob, GlobPart, Regex, RegexError, Repeat};
pub use schedule::Schedule;
pub use sequence::{Absence, Relation, RelationKind, Sequence, Step, StepCondition, StepValue};
