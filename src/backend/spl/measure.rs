//! Aggregates as counters: numbers of one instant that add up over a window, and what they say about a condition.
//!
//! A smallest, largest or ranked value is never computed: the condition asks how many values lie below its constant.

use std::collections::BTreeMap;

use super::ast::{Aggregate, AggregateFunction, Comparison, EvalExpr, Function};
use super::context::Context;
use super::distinct::tuple;
use super::read::{Head, is_set};
use super::subject::Kind;
use crate::backend::ReasonCode;
use crate::ir::{self, AggregateCondition, Aggregation, Decimal};
use crate::schema::Type;
use crate::source::Spanned;

/// What the rows of a behaviour carry for its aggregates.
#[derive(Debug, Clone, Default)]
pub(super) struct Measures {
    /// Columns to compute of each event.
    pub(super) assignments: Vec<(String, EvalExpr)>,
    /// Counters of one instant, which add up.
    pub(super) counters: Vec<Aggregate>,
    /// Columns with the values of a distinct number, by index of the aggregate; the empty text where there is none.
    pub(super) distinct: Vec<(usize, String)>,
    /// Counters of the values below a constant and of those up to it, by aggregate and constant.
    pub(super) below: BTreeMap<(usize, String), (String, String)>,
}

impl Context<'_> {
    /// The counters that a condition on aggregates needs.
    pub(super) fn measures(&mut self, head: &mut Head, aggregation: &Aggregation) -> Measures {
        let mut measures = Measures::default();
        for (index, aggregate) in aggregation.aggregates.iter().enumerate() {
            let counts = self.counts(head, aggregate);
            let name = format!("detc_a{}", index + 1);
            let when = |value: EvalExpr| match &counts {
                Some(condition) => EvalExpr::only_if(condition.clone(), value),
                None => value,
            };
            match &aggregate.function {
                ir::AggregateFunction::Count => match &counts {
                    None => measures.counters.push(Aggregate::count(&name)),
                    Some(condition) => {
                        let one = EvalExpr::choose(condition.clone(), EvalExpr::Integer(1), EvalExpr::Integer(0));
                        measures.assignments.push((name.clone(), one));
                        measures.counters.push(Aggregate::of(AggregateFunction::Sum, &name, &name));
                    }
                },
                ir::AggregateFunction::Distinct(values) => {
                    self.single_lists(values, aggregation);
                    let parts = self.value_columns(head, aggregate.signal, values);
                    let column = format!("detc_v{}", index + 1);
                    let text = match &counts {
                        Some(condition) => EvalExpr::choose(condition.clone(), tuple(&parts), EvalExpr::text("")),
                        None => tuple(&parts),
                    };
                    measures.assignments.push((column.clone(), text));
                    measures.distinct.push((index, column));
                }
                ir::AggregateFunction::Sum(value) | ir::AggregateFunction::Average(value) => {
                    if value.node.ty() == Type::Float {
                        let message = "the engine adds decimals as binary fractions; a sum near the limit can miss it";
                        self.refuse(ReasonCode::FloatSum, value.span, message);
                    } else {
                        self.verdict.assume("sums stay below 2^53");
                    }
                    let number = self.measured(aggregate, value);
                    measures.assignments.push((name.clone(), when(number)));
                    measures.counters.push(Aggregate::of(AggregateFunction::Sum, &name, &format!("{name}_s")));
                    measures.counters.push(Aggregate::of(AggregateFunction::CountOf, &name, &format!("{name}_n")));
                }
                ir::AggregateFunction::Minimum(value)
                | ir::AggregateFunction::Maximum(value)
                | ir::AggregateFunction::Percentile { value, .. } => {
                    let number = self.measured(aggregate, value);
                    measures.assignments.push((name.clone(), when(number)));
                    measures.counters.push(Aggregate::of(AggregateFunction::CountOf, &name, &format!("{name}_n")));
                }
            }
        }
        self.limits(&aggregation.condition, aggregation, &mut measures);
        measures
    }

    /// The condition that an event counts for an aggregate; `None` where every event does.
    fn counts(&mut self, head: &Head, aggregate: &ir::Aggregate) -> Option<EvalExpr> {
        let mut parts = Vec::new();
        if head.flagged {
            parts.push(is_set(&self.flag(aggregate.signal)));
        }
        if let Some(filter) = &aggregate.filter
            && let Some(scope) = self.stage.signal(aggregate.signal).and_then(|signal| self.scope(signal))
        {
            parts.push(self.condition(scope, filter, true));
        }
        (!parts.is_empty()).then(|| EvalExpr::all(parts))
    }

    fn measured(&mut self, aggregate: &ir::Aggregate, value: &Spanned<ir::Value>) -> EvalExpr {
        let Some(scope) = self.stage.signal(aggregate.signal).and_then(|signal| self.scope(signal)) else {
            return EvalExpr::null();
        };
        let subject = self.value(scope, &value.node, value.span);
        if subject.kind != Kind::Number {
            let message = "a measure needs a number; read it with `int` or `float`";
            self.refuse(ReasonCode::UnsupportedExpression, value.span, message);
        }
        subject.expression
    }

    /// A list gives several rows for one event, which other aggregates would count.
    fn single_lists(&mut self, values: &[Spanned<ir::Value>], aggregation: &Aggregation) {
        let lists = values.iter().find(|value| matches!(value.node.ty(), Type::List(_)));
        if let Some(list) = lists.filter(|_| aggregation.aggregates.len() > 1) {
            let message = "distinct elements of a list cannot stand beside other aggregates; write two detections";
            self.refuse(ReasonCode::UnsupportedBehavior, list.span, message);
        }
    }

    /// Adds the counters for comparisons of a smallest, largest or ranked value with constants.
    fn limits(&mut self, condition: &Spanned<AggregateCondition>, aggregation: &Aggregation, measures: &mut Measures) {
        match &condition.node {
            AggregateCondition::And(parts) | AggregateCondition::Or(parts) => {
                parts.iter().for_each(|part| self.limits(part, aggregation, measures));
            }
            AggregateCondition::Not(inner) => self.limits(inner, aggregation, measures),
            AggregateCondition::Compare { left, right, .. } => {
                let ranked = |side| ranked(side, aggregation);
                match (ranked(left), constant(right), ranked(right), constant(left)) {
                    (Some(index), Some(limit), _, _) | (_, _, Some(index), Some(limit)) => {
                        let number = measures.below.len() + 1;
                        let columns = (format!("detc_b{number}_l"), format!("detc_b{number}_e"));
                        if measures.below.contains_key(&(index, limit.as_str().to_owned())) {
                            return;
                        }
                        let value = EvalExpr::derived(format!("detc_a{}", index + 1));
                        for (column, comparison) in
                            [(&columns.0, Comparison::Less), (&columns.1, Comparison::LessOrEqual)]
                        {
                            let test = EvalExpr::compare(value.clone(), comparison, decimal(limit));
                            let one = EvalExpr::choose(test, EvalExpr::Integer(1), EvalExpr::Integer(0));
                            measures.assignments.push((column.clone(), one));
                            measures.counters.push(Aggregate::of(AggregateFunction::Sum, column, column));
                        }
                        measures.below.insert((index, limit.as_str().to_owned()), columns);
                    }
                    _ if mentions_ranked(left, aggregation) || mentions_ranked(right, aggregation) => {
                        let message = "a smallest, largest or ranked value is compared with a constant only; \
                                       compare `sum`, `avg` and `count` with each other instead";
                        self.refuse(ReasonCode::UnsupportedBehavior, condition.span, message);
                    }
                    _ => {}
                }
            }
        }
    }
}

/// A constant as the engine writes it.
pub(super) fn decimal(number: &Decimal) -> EvalExpr {
    match number.as_str().parse::<i64>() {
        Ok(whole) => EvalExpr::Integer(whole),
        Err(_) => EvalExpr::Decimal(number.as_str().to_owned()),
    }
}

/// A counter that is 0 where nothing was counted.
pub(super) fn filled(column: &str) -> (String, EvalExpr) {
    let value = EvalExpr::Call(Function::Coalesce, vec![EvalExpr::derived(column), EvalExpr::Integer(0)]);
    (column.to_owned(), value)
}

/// The aggregate that a side is, where it is a smallest, largest or ranked value.
pub(super) fn ranked(side: &ir::Arithmetic, aggregation: &Aggregation) -> Option<usize> {
    let ir::Arithmetic::Aggregate(index) = side else { return None };
    let function = &aggregation.aggregates.get(*index)?.function;
    let is_ranked = match function {
        ir::AggregateFunction::Minimum(_)
        | ir::AggregateFunction::Maximum(_)
        | ir::AggregateFunction::Percentile { .. } => true,
        ir::AggregateFunction::Count
        | ir::AggregateFunction::Distinct(_)
        | ir::AggregateFunction::Sum(_)
        | ir::AggregateFunction::Average(_) => false,
    };
    is_ranked.then_some(*index)
}

/// The constant that a side is.
pub(super) const fn constant(side: &ir::Arithmetic) -> Option<&Decimal> {
    if let ir::Arithmetic::Number(number) = side { Some(number) } else { None }
}

fn mentions_ranked(side: &ir::Arithmetic, aggregation: &Aggregation) -> bool {
    match side {
        ir::Arithmetic::Number(_) => false,
        ir::Arithmetic::Aggregate(_) => ranked(side, aggregation).is_some(),
        ir::Arithmetic::Add(left, right)
        | ir::Arithmetic::Subtract(left, right)
        | ir::Arithmetic::Multiply(left, right)
        | ir::Arithmetic::Divide(left, right) => {
            mentions_ranked(left, aggregation) || mentions_ranked(right, aggregation)
        }
    }
}
