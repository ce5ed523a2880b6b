//! Finds the Sigma documents that a behaviour becomes.
//!
//! Never picks a document type that means something else: what Sigma lacks is refused in `refusal`.

use super::ast::{Bound, CorrelationKind, Document};
use super::correlation::{self, Lowered, Wanted};
use super::heading::Part;
use super::{refusal, union};
use crate::backend::{ReasonCode, Request, Verdict};
use crate::ir::{
    AggregateCondition, AggregateFunction, Aggregation, Arithmetic, Behavior, Decimal, GroupForm, NumberComparison,
    Order, Predicate, Stage, WindowKind,
};
use crate::source::Span;

/// Sigma has no notion of an event's identity.
const ONCE: &str = "each event is delivered once";

/// The documents of the file; `None` only after a reason was added.
pub(super) fn documents(request: &Request<'_>, verdict: &mut Verdict) -> Option<Vec<Document>> {
    refusal::check_filter(request, verdict);
    let stage = &request.detection.stage;
    verdict.assume(ONCE);
    let Behavior::Event { signals } = &stage.behavior.node else {
        return lower(request, stage, &Part::default(), verdict).map(|lowered| lowered.documents);
    };
    let signals: Vec<_> = signals.iter().filter_map(|id| stage.signal(*id)).collect();
    match signals.as_slice() {
        // Every hit of one behaviour is that behaviour.
        [signal] if signal.predicate.node == Predicate::Constant(true) => match signal.stage.as_deref() {
            Some(inner) => lower(request, inner, &Part::default(), verdict).map(|lowered| lowered.documents),
            None => union::rules(request, stage, verdict),
        },
        _ => union::rules(request, stage, verdict),
    }
}

/// Lowers a stage that finds hits in several events to a correlation and whatever it refers to.
pub(super) fn lower(request: &Request<'_>, stage: &Stage, part: &Part<'_>, verdict: &mut Verdict) -> Option<Lowered> {
    let wanted = wanted(stage, verdict)?;
    verdict.assume("the values of `group-by` compare exactly, case included");
    correlation::lower(request, stage, part, &wanted, verdict)
}

/// The correlation that a behaviour is; `None` only after a reason was added.
fn wanted<'a>(stage: &'a Stage, verdict: &mut Verdict) -> Option<Wanted<'a>> {
    let behavior = &stage.behavior;
    Some(match &behavior.node {
        Behavior::Count { signal, at_least, window, .. } => Wanted {
            bound: Some((Bound::GreaterOrEqual, at_least.node)),
            ..Wanted::new(CorrelationKind::EventCount, vec![*signal], *window)
        },
        Behavior::Distinct { signal, values, at_least, window, .. } => Wanted {
            counted: refusal::single_value(values, verdict),
            bound: Some((Bound::GreaterOrEqual, at_least.node)),
            ..Wanted::new(CorrelationKind::ValueCount, vec![*signal], *window)
        },
        Behavior::Sequence(sequence) => {
            refusal::check_sequence(sequence, behavior.span, verdict);
            Wanted::new(CorrelationKind::TemporalOrdered, behavior.node.positive_signals(), sequence.window)
        }
        Behavior::Group(group) if group.form == GroupForm::All => {
            Wanted::new(CorrelationKind::Temporal, behavior.node.positive_signals(), group.window)
        }
        Behavior::Aggregation(aggregation) => return aggregated(aggregation, behavior.span, verdict),
        Behavior::Event { .. }
        | Behavior::Group(_)
        | Behavior::Rare(_)
        | Behavior::Baseline(_)
        | Behavior::Travel(_) => {
            refusal::refuse(&behavior.node, behavior.span, verdict);
            return None;
        }
    })
}

/// One number and one bound; anything more has no correlation.
fn aggregated<'a>(aggregation: &'a Aggregation, span: Span, verdict: &mut Verdict) -> Option<Wanted<'a>> {
    let ([aggregate], Some((operator, number))) =
        (aggregation.aggregates.as_slice(), bound(&aggregation.condition.node))
    else {
        let message =
            "a Sigma correlation has one number and one bound; write a detection for each part of the condition";
        verdict.add(ReasonCode::UnsupportedBehavior, span, message);
        return None;
    };
    let (kind, counted) = match &aggregate.function {
        AggregateFunction::Count => (CorrelationKind::EventCount, None),
        AggregateFunction::Distinct(values) => (CorrelationKind::ValueCount, refusal::single_value(values, verdict)),
        AggregateFunction::Sum(value) => (CorrelationKind::ValueSum, Some(value)),
        AggregateFunction::Average(value) => (CorrelationKind::ValueAvg, Some(value)),
        AggregateFunction::Minimum(_) | AggregateFunction::Maximum(_) | AggregateFunction::Percentile { .. } => {
            refusal::refuse_measure(&aggregate.function, aggregate.span, verdict);
            return None;
        }
    };
    let span = aggregation.condition.span;
    let operator = match operator {
        NumberComparison::Ordered(Order::Less) => Bound::Less,
        NumberComparison::Ordered(Order::LessOrEqual) => Bound::LessOrEqual,
        NumberComparison::Ordered(Order::Greater) => Bound::Greater,
        NumberComparison::Ordered(Order::GreaterOrEqual) => Bound::GreaterOrEqual,
        NumberComparison::Equal => Bound::Equal,
        NumberComparison::NotEqual => {
            let message = "the Sigma specification knows no `!=` of a number; write `<` or `>`";
            verdict.add(ReasonCode::UnsupportedBehavior, span, message);
            return None;
        }
    };
    let Ok(threshold) = number.as_str().parse::<u64>() else {
        let message = format!("a Sigma threshold is a whole number and not negative; `{number}` is not");
        verdict.add(ReasonCode::UnsupportedLiteral, span, message);
        return None;
    };
    Some(Wanted {
        counted,
        filter: aggregate.filter.as_ref(),
        bound: Some((operator, threshold)),
        fixed: aggregation.kind == WindowKind::Fixed,
        ..Wanted::new(kind, vec![aggregate.signal], aggregation.window)
    })
}

/// The comparison of the only aggregate with a number, the aggregate on the left.
fn bound(condition: &AggregateCondition) -> Option<(NumberComparison, &Decimal)> {
    let AggregateCondition::Compare { left, operator, right } = condition else { return None };
    match (left, right) {
        (Arithmetic::Aggregate(0), Arithmetic::Number(number)) => Some((*operator, number)),
        (Arithmetic::Number(number), Arithmetic::Aggregate(0)) => Some((mirrored(*operator), number)),
        _ => None,
    }
}

/// The comparison with its sides exchanged.
const fn mirrored(operator: NumberComparison) -> NumberComparison {
    match operator {
        NumberComparison::Equal => NumberComparison::Equal,
        NumberComparison::NotEqual => NumberComparison::NotEqual,
        NumberComparison::Ordered(order) => NumberComparison::Ordered(match order {
            Order::Less => Order::Greater,
            Order::LessOrEqual => Order::GreaterOrEqual,
            Order::Greater => Order::Less,
            Order::GreaterOrEqual => Order::LessOrEqual,
        }),
    }
}
