//! Lowers the terms of a sequence: the filter of a signal's events and the keys that they are joined by.
//!
//! Never leaves a key unguarded: events without it take no part, whatever the engine makes of null keys.

use super::ast::{Expression, Field, Term};
use super::behavior::Builder;
use super::lower::{Bound, Lowering, Test};
use crate::backend::ReasonCode;
use crate::ir::{Call, CaseRule, SignalId, Value};
use crate::schema::mapping::FieldMap;
use crate::schema::{Case, Type};
use crate::source::{Span, Spanned};

/// The field that tells the data streams of an index apart.
const DATASET: [&str; 2] = ["data_stream", "dataset"];

/// Largest number that `with runs` takes.
const MOST_RUNS: u64 = 100;

/// A value in which steps agree, how it compares, and where that is written.
pub type Shared<'a> = (&'a Value, CaseRule, Span);

/// A key of a term: a field that events are joined by.
#[derive(Debug, Clone)]
pub struct JoinKey {
    /// The field.
    pub bound: Bound,
    /// Where it is asked for.
    pub span: Span,
}

/// A term with its keys, before it is known where they are written.
#[derive(Debug, Clone)]
pub struct Joined {
    /// The filter, keys being present.
    pub filter: Expression,
    /// The keys, the same number in every term.
    pub keys: Vec<JoinKey>,
    /// How many events, at least 1.
    pub runs: u32,
    /// Whether no such event may be there.
    pub absent: bool,
}

impl Joined {
    /// The fields of the keys.
    pub fn fields(&self) -> Vec<Field> {
        self.keys.iter().map(|key| key.bound.field.clone()).collect()
    }

    /// The term; `alike` says that the keys stand at the head of the sequence.
    pub fn into_term(self, alike: bool) -> Term {
        let keys = if alike { Vec::new() } else { self.fields() };
        Term { filter: self.filter, keys, runs: self.runs, absent: self.absent }
    }
}

impl Builder<'_> {
    /// A term's filter with guarded keys, its keys and its number of events.
    pub(super) fn term(&mut self, id: SignalId, shared: &[Shared<'_>], times: Spanned<u64>) -> Option<Joined> {
        let keys = self.request.detection.stage.signal(id)?.keys.clone();
        let filter = self.filter(id, &keys, shared);
        if times.node > MOST_RUNS {
            let message =
                format!("EQL repeats an event at most {MOST_RUNS} times, not {}; use another target", times.node);
            self.verdict.add(ReasonCode::ThresholdTooLarge, times.span, message);
        }
        let (filter, keys) = filter?;
        Some(Joined { filter, keys, runs: u32::try_from(times.node).ok()?, absent: false })
    }

    /// The filter of a signal's events, with its keys being present.
    pub(super) fn filter(
        &mut self,
        id: SignalId,
        keys: &[Spanned<Value>],
        shared: &[Shared<'_>],
    ) -> Option<(Expression, Vec<JoinKey>)> {
        let request = self.request;
        let signal = request.detection.stage.signal(id)?;
        let Some(map) = request.target.maps.get(&signal.source.name) else {
            let message = format!("the target has no field map for the source `{}`", signal.source.name);
            self.verdict.add(ReasonCode::MissingSource, signal.name.span, message);
            return None;
        };
        // Where a signal reads several sources, its condition says which event is of which.
        let is_single = map.members.is_empty();
        let mut parts = if is_single { vec![dataset(map)] } else { Vec::new() };
        let mut lowering = Lowering::new(map, self.options, self.verdict, signal.predicate.span);
        parts.push(lowering.predicate(&signal.predicate).yes);
        let mut found = Vec::new();
        let own = keys.iter().map(|key| (&key.node, CaseRule::Exact, key.span));
        for (value, case, span) in own.chain(shared.iter().copied()) {
            if let Some((bound, present)) = self.key(map, value, case, span) {
                parts.push(present.yes);
                found.push(JoinKey { bound, span });
            }
        }
        Some((Expression::all(parts), found))
    }

    /// The field of a key and the test that it is present.
    fn key(&mut self, map: &FieldMap, value: &Value, case: CaseRule, span: Span) -> Option<(Bound, Test)> {
        let (value, folds) = match value {
            Value::Call(call) => match call.as_ref() {
                Call::Lower(inner) | Call::Upper(inner) => (inner, true),
                // One field of several sources is as good a key as that of one.
                Call::Choose(_) => (value, false),
                Call::Length(_)
                | Call::Coalesce(_)
                | Call::Concat(_)
                | Call::Split { .. }
                | Call::Extract { .. }
                | Call::Replace { .. }
                | Call::ToInt(_)
                | Call::ToFloat(_)
                | Call::Hour(_)
                | Call::Weekday(_)
                | Call::Country(_)
                | Call::City(_)
                | Call::Asn(_)
                | Call::AsOrganisation(_) => {
                    let message = format!("EQL joins events by fields, not by `{}`; use a field as key", call.name());
                    self.verdict.add(ReasonCode::UnsupportedExpression, span, message);
                    return None;
                }
            },
            Value::Field(_)
            | Value::NameValue(_)
            | Value::Element(_)
            | Value::First(_)
            | Value::Time
            | Value::Literal(_) => (value, false),
        };
        let mut lowering = Lowering::new(map, self.options, self.verdict, span);
        let bound = lowering.join_key(value)?;
        let present = lowering.exists_field(&bound);
        let canonical = bound.case == Case::Canonical && bound.column.case != Some(Case::Any);
        let exact_enough = canonical || bound.declared != Type::Text;
        if (folds || case == CaseRule::Ignore) && !exact_enough {
            let message = format!(
                "EQL joins events by exact values of `{}`, so events whose values differ in case are kept apart",
                bound.name
            );
            self.verdict.add(ReasonCode::KeyCase, span, message);
        } else if bound.case == Case::Canonical && !canonical {
            let message = format!(
                "the index does not keep the case of `{}`, so values of one key may differ in case, which keeps them apart",
                bound.name
            );
            self.verdict.add(ReasonCode::KeyCase, span, message);
        }
        Some((bound, present))
    }
}

/// The condition that an event is of the source.
pub(super) fn dataset(map: &FieldMap) -> Expression {
    let field = Field::required(DATASET.iter().map(|&segment| segment.to_owned()).collect());
    Expression::equals_any(field, map.places("dataset"))
}
