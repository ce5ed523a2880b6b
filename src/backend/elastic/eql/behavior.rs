//! Turns behaviours into event queries and sequences.
//!
//! A sequence reports each start once, at its earliest end, which is what a chain of the language means; `with runs`
//! reports every instant that closes the window. Keys are guarded in every term, so that events without them take no part.

use super::ast::{Expression, Field, Sequence, Statement, Term};
use super::lower::{ADDRESSES, Bound, Lowering, Test};
use crate::backend::elastic::options::Options;
use crate::backend::{ReasonCode, Request, Verdict};
use crate::ir::{self, Behavior, Call, CaseRule, Predicate, Relation, RelationKind, SignalId, Step, Value};
use crate::plan::{self, Agreement, Conditions, Operator};
use crate::schema::mapping::FieldMap;
use crate::schema::{Case, Clock, Duration, Type};
use crate::source::{Span, Spanned};

/// The field that tells the data streams of an index apart.
const DATASET: [&str; 2] = ["data_stream", "dataset"];

/// Largest number that `with runs` takes.
const MOST_RUNS: u64 = 100;

/// Said of every query that orders events.
const TIES: &str = "events of one instant are stored in the order of the steps, since EQL orders ties by storage";

/// Said of windows over sources whose clock is finer than the index's.
const MILLISECONDS: &str = "windows are measured in whole milliseconds, since an index keeps no finer times";

/// Lowers a detection; reasons are added to `verdict`, the statement is of use only where none of them is unsupported.
pub fn lower(request: &Request<'_>, options: &Options, verdict: &mut Verdict) -> Option<Statement> {
    let behavior = &request.detection.stage.behavior;
    let mut builder = Builder { request, options, verdict };
    builder.refuse_frame();
    match &behavior.node {
        Behavior::Event { signals } => match signals.as_slice() {
            [only] => builder.events(*only, &[]),
            _ => {
                builder.refuse(behavior.span, "a union of signals is not written in EQL; write one detection for each")
            }
        },
        Behavior::Count { signal, at_least, window, .. } => builder.count(*signal, *at_least, window.node),
        Behavior::Distinct { .. } => builder.distinct(behavior.span),
        Behavior::Sequence(sequence) if sequence.is_plain() => {
            builder.sequence(&sequence.steps, &sequence.relations, sequence.window.node)
        }
        Behavior::Sequence(sequence) => builder.refuse_parts(sequence),
        Behavior::Aggregation(_) => builder.refuse(
            behavior.span,
            "EQL knows no aggregate but a count; use `count(..) >= n within ..`, or another target",
        ),
        Behavior::Group(_) => {
            builder.refuse(behavior.span, "EQL knows no group without an order; use a sequence, or another target")
        }
        Behavior::Rare(_) => {
            builder.refuse(behavior.span, "EQL does not know what was seen before; use another target")
        }
        Behavior::Baseline(_) => {
            builder.refuse(behavior.span, "EQL compares no buckets; use `count(..) >= n within ..`, or another target")
        }
        Behavior::Travel(_) => builder.refuse(behavior.span, "EQL cannot locate addresses; use another target"),
    }
}

struct Builder<'a> {
    request: &'a Request<'a>,
    options: &'a Options,
    verdict: &'a mut Verdict,
}

/// A key of a term: a field that events are joined by.
struct JoinKey {
    bound: Bound,
    span: Span,
}

impl Builder<'_> {
    /// Records what stands around the behaviour and has no counterpart: signals made of hits, and a filter of hits.
    fn refuse_frame(&mut self) {
        let stage = &self.request.detection.stage;
        for signal in stage.signals.iter().filter(|signal| signal.stage.is_some()) {
            let message = format!(
                "`{}` is made of hits, which EQL cannot look at; write its events as a signal of their own, or use \
                 another target",
                signal.name.node
            );
            self.verdict.add(ReasonCode::UnsupportedBehavior, signal.name.span, message);
        }
        let filter = &self.request.detection.filter;
        if filter.node != Predicate::Constant(true) {
            self.verdict.add(
                ReasonCode::UnsupportedBehavior,
                filter.span,
                "EQL cannot filter finished hits; let the exception name signals of events, or use another target",
            );
        }
    }

    fn refuse(&mut self, span: Span, message: &str) -> Option<Statement> {
        self.verdict.add(ReasonCode::UnsupportedBehavior, span, message);
        None
    }

    /// Records each part of a chain beyond positive steps and plain relations.
    fn refuse_parts(&mut self, sequence: &ir::Sequence) -> Option<Statement> {
        for absence in &sequence.absences {
            self.refuse(absence.span, "an absence is not written in EQL; use another target");
        }
        if let Some(until) = &sequence.until {
            self.refuse(until.span, "`until` is not written in EQL; use another target");
        }
        for condition in &sequence.conditions {
            self.verdict.add(
                ReasonCode::UnsupportedRelation,
                condition.span,
                "EQL can ask that all steps agree in a value, nothing else; drop the condition or use another target",
            );
        }
        None
    }

    fn events(&mut self, signal: SignalId, keys: &[Spanned<Value>]) -> Option<Statement> {
        let (filter, _) = self.filter(signal, keys, &[])?;
        Some(Statement::Event(filter))
    }

    fn count(&mut self, id: SignalId, at_least: Spanned<u64>, window: Duration) -> Option<Statement> {
        let keys = self.request.detection.stage.signal(id)?.keys.clone();
        if at_least.node <= 1 {
            return self.events(id, &keys);
        }
        self.measures_time();
        let term = self.term(id, &[], at_least)?;
        Some(Statement::Sequence(sequence(vec![term], window)))
    }

    /// Looks at the filter all the same, so that every obstacle is named at once.
    fn distinct(&mut self, span: Span) -> Option<Statement> {
        self.verdict.add(
            ReasonCode::UnsupportedBehavior,
            span,
            "EQL cannot count different values; use `count`, or another target",
        );
        for id in self.request.detection.stage.behavior.node.signals() {
            let keys = self.request.detection.stage.signal(id)?.keys.clone();
            self.filter(id, &keys, &[]);
        }
        None
    }

    fn sequence(&mut self, steps: &[Step], relations: &[Relation], window: Duration) -> Option<Statement> {
        self.verdict.assume(TIES);
        self.measures_time();
        let pipeline = plan::lower(&self.request.detection.stage);
        let mut agreements: &[Agreement<'_>] = &[];
        for operator in &pipeline.operators {
            match operator {
                Operator::Chain(chain) => match &chain.conditions {
                    Conditions::Free => {}
                    Conditions::Agree(groups) => agreements = groups,
                    Conditions::Differ { relation, .. } => self.refuse_relation(relation),
                    Conditions::Other(relations) => {
                        relations.iter().for_each(|relation| self.refuse_relation(relation))
                    }
                },
                Operator::Read(_)
                | Operator::Mark(_)
                | Operator::Key
                | Operator::Nth { .. }
                | Operator::Spread { .. }
                | Operator::Newest
                | Operator::Show(_) => {}
            }
        }
        let mut terms = Vec::new();
        for (index, step) in steps.iter().enumerate() {
            let shared: Vec<(&Value, CaseRule, Span)> = agreements
                .iter()
                .filter_map(|agreement| {
                    let value = agreement.values.get(index)?;
                    Some((&value.value, agreement.case, self.place(relations, agreement)?))
                })
                .collect();
            terms.push(self.term(step.signal, &shared, Spanned::new(u64::from(step.times), step.span)));
        }
        let mut terms: Vec<(Expression, Vec<JoinKey>, u32)> = terms.into_iter().collect::<Option<_>>()?;
        self.align_addresses(&mut terms);
        self.check_key_types(&terms);
        Some(Statement::Sequence(sequence(terms, window)))
    }

    /// Where the condition is written that makes steps agree.
    fn place(&self, relations: &[Relation], agreement: &Agreement<'_>) -> Option<Span> {
        let relation = relations.iter().find(|relation| agreement.values.contains(&&relation.left))?;
        Some(relation.span)
    }

    fn refuse_relation(&mut self, relation: &Relation) {
        let message = match relation.kind {
            RelationKind::Different => "EQL cannot ask that two steps differ; drop the condition or use another target",
            RelationKind::Same => {
                "EQL can ask that all steps agree in a value, not some of them, and no steps that stand for several \
                 events; compare all steps"
            }
        };
        self.verdict.add(ReasonCode::UnsupportedRelation, relation.span, message);
    }

    /// A term's filter with guarded keys, its keys and its number of events.
    fn term(
        &mut self,
        id: SignalId,
        shared: &[(&Value, CaseRule, Span)],
        times: Spanned<u64>,
    ) -> Option<(Expression, Vec<JoinKey>, u32)> {
        let keys = self.request.detection.stage.signal(id)?.keys.clone();
        let filter = self.filter(id, &keys, shared);
        if times.node > MOST_RUNS {
            let message =
                format!("EQL repeats an event at most {MOST_RUNS} times, not {}; use another target", times.node);
            self.verdict.add(ReasonCode::ThresholdTooLarge, times.span, message);
        }
        let (filter, keys) = filter?;
        Some((filter, keys, u32::try_from(times.node).ok()?))
    }

    /// The filter of a signal's events, with its keys being present.
    fn filter(
        &mut self,
        id: SignalId,
        keys: &[Spanned<Value>],
        shared: &[(&Value, CaseRule, Span)],
    ) -> Option<(Expression, Vec<JoinKey>)> {
        let request = self.request;
        let signal = request.detection.stage.signal(id)?;
        let Some(map) = request.target.maps.get(&signal.source.name) else {
            let message = format!("the target has no field map for the source `{}`", signal.source.name);
            self.verdict.add(ReasonCode::MissingSource, signal.name.span, message);
            return None;
        };
        let mut parts = vec![dataset(map)];
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
        if bound.stored == Type::Ip {
            self.verdict.assume(ADDRESSES);
        }
        Some((bound, present))
    }

    /// Joins addresses with addresses: where one term keeps a key as text and another as `ip`, the text's `ip` field is taken.
    ///
    /// A name in the text equals no address, so that its events have no partner anyway.
    fn align_addresses(&mut self, terms: &mut [(Expression, Vec<JoinKey>, u32)]) {
        let count = terms.first().map_or(0, |(_, keys, _)| keys.len());
        for index in 0..count {
            let stored = |kind: &Type| {
                terms.iter().any(|(_, keys, _)| keys.get(index).is_some_and(|key| key.bound.stored == *kind))
            };
            if !stored(&Type::Ip) || !stored(&Type::Text) {
                continue;
            }
            for (filter, keys, _) in &mut *terms {
                let Some(key) = keys.get_mut(index).filter(|key| key.bound.stored == Type::Text) else { continue };
                let Some(field) = self.options.address_beside(&key.bound.field, self.verdict) else { continue };
                let guard = Expression::is_not_null(&field);
                *filter = Expression::all([std::mem::replace(filter, Expression::Constant(true)), guard]);
                key.bound.field = field;
                key.bound.stored = Type::Ip;
            }
        }
    }

    /// Records keys whose types differ between terms, which EQL refuses to join.
    fn check_key_types(&mut self, terms: &[(Expression, Vec<JoinKey>, u32)]) {
        let Some(((_, first, _), others)) = terms.split_first() else { return };
        for (_, keys, _) in others {
            for (one, other) in first.iter().zip(keys) {
                if join_type(&one.bound.stored) != join_type(&other.bound.stored) {
                    let message = format!(
                        "EQL cannot join `{}` of type {} with `{}` of type {}; choose keys that the index keeps alike",
                        one.bound.field.path.join("."),
                        one.bound.stored,
                        other.bound.field.path.join("."),
                        other.bound.stored
                    );
                    self.verdict.add(ReasonCode::UnsupportedExpression, other.span, message);
                }
            }
        }
    }

    fn measures_time(&mut self) {
        if self.request.detection.sources().iter().any(|source| source.clock == Clock::Finer) {
            self.verdict.assume(MILLISECONDS);
        }
    }
}

/// Types that EQL joins with each other.
fn join_type(ty: &Type) -> Type {
    match ty {
        Type::Int | Type::Float => Type::Float,
        Type::Bool | Type::Text | Type::Ip | Type::Time | Type::Duration | Type::List(_) | Type::Object => ty.clone(),
    }
}

/// The condition that an event is of the source.
fn dataset(map: &FieldMap) -> Expression {
    let field = Field::required(DATASET.iter().map(|&segment| segment.to_owned()).collect());
    Expression::equals_any(field, map.places("dataset"))
}

/// The sequence; keys stand at its head where all terms name them alike, else behind each term.
fn sequence(terms: Vec<(Expression, Vec<JoinKey>, u32)>, maxspan: Duration) -> Sequence {
    let fields = |keys: &[JoinKey]| -> Vec<Field> { keys.iter().map(|key| key.bound.field.clone()).collect() };
    let first = terms.first().map(|(_, keys, _)| fields(keys)).unwrap_or_default();
    let alike = terms.iter().all(|(_, keys, _)| fields(keys) == first);
    let terms = terms
        .into_iter()
        .map(|(filter, keys, runs)| {
            let keys = if alike { Vec::new() } else { fields(&keys) };
            Term { filter, keys, runs }
        })
        .collect();
    Sequence { keys: if alike { first } else { Vec::new() }, maxspan, terms }
}
