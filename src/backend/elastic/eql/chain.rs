//! Turns ordered chains into sequences.
//!
//! A sequence reports each start once, at its earliest end, which is what a chain of the language means. An absence
//! between two steps looks at times strictly between them, `until` at events behind the first step. Absences before the
//! first and behind the last step are not written in EQL, which cannot see whether their wait is over.

use super::ast::{Expression, Sequence, Statement};
use super::behavior::Builder;
use super::term::{Joined, Shared};
use crate::backend::ReasonCode;
use crate::ir::{self, Absence, Relation, RelationKind, SignalId};
use crate::plan::{self, Agreement, Conditions, Operator};
use crate::schema::Type;
use crate::source::{Span, Spanned};

/// Said of every query that orders events.
const TIES: &str = "events of one instant are stored in the order of the steps, and none of several is two steps at once, since EQL orders \
     ties by storage";

/// Said of every query whose first step stands for several events.
const REPEATS: &str = "the events of a repeated first step have different times";

/// Said of every query with `until`.
const UNTIL_TIES: &str =
    "no event that ends a chain shares its instant with the chain's first or last event, unless it is that event";

impl Builder<'_> {
    pub(super) fn sequence(&mut self, sequence: &ir::Sequence) -> Option<Statement> {
        self.verdict.assume(TIES);
        if sequence.steps.len() > 1 && sequence.steps.first().is_some_and(|step| step.times > 1) {
            self.verdict.assume(REPEATS);
        }
        self.measures_time();
        let stage = &self.request.detection.stage;
        let pipeline = plan::lower(stage);
        let chain = pipeline
            .operators
            .iter()
            .find_map(|operator| if let Operator::Chain(chain) = operator { Some(chain) } else { None });
        let mut agreements: &[Agreement<'_>] = &[];
        match chain.map(|chain| &chain.conditions) {
            Some(Conditions::Free) | None => {}
            Some(Conditions::Agree(groups)) => agreements = groups,
            Some(Conditions::Differ { relation, .. }) => self.refuse_relation(relation),
            Some(Conditions::Other(relations)) => relations.iter().for_each(|relation| self.refuse_relation(relation)),
        }
        for condition in &sequence.conditions {
            self.verdict.add(
                ReasonCode::UnsupportedRelation,
                condition.span,
                "EQL can ask that all steps agree in a value, nothing else; drop the condition or use another target",
            );
        }
        if let Some(agreement) = agreements.first()
            && (sequence.middle().next().is_some() || sequence.until.is_some())
            && let Some(span) = place(&sequence.relations, agreement)
        {
            self.verdict.add(
                ReasonCode::UnsupportedRelation,
                span,
                "EQL joins what must not happen by the same values as the steps; drop the condition, or name the value \
                 behind `by`",
            );
        }
        for absence in sequence.leading().into_iter().chain(sequence.trailing()) {
            self.verdict.add(
                ReasonCode::UnsupportedBehavior,
                absence.span,
                "EQL cannot see whether the wait for an absent event is over; put the absence between two steps, or use \
                 another target",
            );
        }
        let mut terms = Vec::new();
        for (index, step) in sequence.steps.iter().enumerate() {
            for absence in sequence.middle().filter(|absence| absence.before == index) {
                terms.push(self.absent(absence));
            }
            let shared: Vec<Shared<'_>> = agreements
                .iter()
                .filter_map(|agreement| {
                    let value = agreement.values.get(index)?;
                    Some((&value.value, agreement.case, place(&sequence.relations, agreement)?))
                })
                .collect();
            terms.push(self.term(step.signal, &shared, Spanned::new(u64::from(step.times), step.span)));
        }
        let until = sequence.until.as_ref().map(|until| self.ending(*until));
        self.judge_absences(sequence);
        let mut terms: Vec<Joined> = terms.into_iter().collect::<Option<_>>()?;
        let has_until = until.is_some();
        terms.extend(until.into_iter().collect::<Option<Vec<_>>>()?);
        self.align_addresses(&mut terms);
        self.check_key_types(&terms);
        let first = terms.first().map(Joined::fields).unwrap_or_default();
        let alike = terms.iter().all(|term| term.fields() == first);
        let mut terms: Vec<_> = merge_absences(terms).into_iter().map(|term| term.into_term(alike)).collect();
        let until = if has_until { terms.pop() } else { None };
        let keys = if alike { first } else { Vec::new() };
        Some(Statement::Sequence(Sequence { keys, maxspan: sequence.window.node, terms, until }))
    }

    /// The term of what must not happen between two steps.
    fn absent(&mut self, absence: &Absence) -> Option<Joined> {
        let term = self.term(absence.signal, &[], Spanned::new(1, absence.span))?;
        Some(Joined { absent: true, ..term })
    }

    /// The term of what ends a chain.
    fn ending(&mut self, until: Spanned<SignalId>) -> Option<Joined> {
        self.verdict.assume(UNTIL_TIES);
        self.term(until.node, &[], Spanned::new(1, until.span))
    }

    /// Records absences that EQL judges on one candidate only: it keeps the newest events of a chain and forgets the others,
    /// which matters where the step before or behind the gap has a choice that another step limits.
    fn judge_absences(&mut self, sequence: &ir::Sequence) {
        let is_pair = matches!(sequence.steps.as_slice(), [_, last] if last.times == 1);
        if is_pair {
            return;
        }
        for absence in sequence.middle() {
            self.verdict.add(
                ReasonCode::GreedyAbsence,
                absence.span,
                "EQL follows the newest events only, so a chain that only an older event would complete without the \
                 absent one is missed",
            );
        }
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

    /// Joins addresses with addresses: where one term keeps a key as text and another as `ip`, the text's `ip` field is taken.
    ///
    /// A name in the text equals no address, so that its events have no partner anyway.
    fn align_addresses(&mut self, terms: &mut [Joined]) {
        let count = terms.first().map_or(0, |term| term.keys.len());
        for index in 0..count {
            let stored = |kind: &Type| {
                terms.iter().any(|term| term.keys.get(index).is_some_and(|key| key.bound.stored == *kind))
            };
            if !stored(&Type::Ip) || !stored(&Type::Text) {
                continue;
            }
            for Joined { filter, keys, .. } in &mut *terms {
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
    fn check_key_types(&mut self, terms: &[Joined]) {
        let Some((first, others)) = terms.split_first() else { return };
        for term in others {
            for (one, other) in first.keys.iter().zip(&term.keys) {
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
}

/// Where the condition is written that makes steps agree.
fn place(relations: &[Relation], agreement: &Agreement<'_>) -> Option<Span> {
    let relation = relations.iter().find(|relation| agreement.values.contains(&&relation.left))?;
    Some(relation.span)
}

/// Absences of one gap as one term: none of either is none of both.
fn merge_absences(terms: Vec<Joined>) -> Vec<Joined> {
    let mut merged: Vec<Joined> = Vec::new();
    for term in terms {
        let joins = merged.last().is_some_and(|last| last.absent && term.absent && last.fields() == term.fields());
        match merged.last_mut() {
            Some(last) if joins => {
                let filter = std::mem::replace(&mut last.filter, Expression::Constant(false));
                last.filter = Expression::any([filter, term.filter]);
            }
            Some(_) | None => merged.push(term),
        }
    }
    merged
}

/// Types that EQL joins with each other.
fn join_type(ty: &Type) -> Type {
    match ty {
        Type::Int | Type::Float => Type::Float,
        Type::Bool | Type::Text | Type::Ip | Type::Time | Type::Duration | Type::List(_) | Type::Object => ty.clone(),
    }
}
