//! Detections without classes: what backends and the evaluator start from.
//!
//! Never changes what a detection finds: a signal over a class becomes one over the sources of the class.

use std::borrow::Cow;

use super::{
    Aggregate, AggregateFunction, Behavior, Detection, HitValue, Relation, SignalId, Stage, StepCondition, StepValue,
    Value,
};
use crate::source::Spanned;

impl Detection {
    /// The detection with every signal over a class written out over the class's sources.
    #[must_use]
    pub fn expanded(&self) -> Cow<'_, Self> {
        if self.stage.has_classes() {
            Cow::Owned(Self { stage: self.stage.expanded(), ..self.clone() })
        } else {
            Cow::Borrowed(self)
        }
    }
}

impl Stage {
    /// Whether a signal at any depth is one over a class.
    #[must_use]
    pub fn has_classes(&self) -> bool {
        let has = |inner: &Self| inner.has_classes();
        self.signals.iter().any(|signal| signal.class.is_some() || signal.stage.as_deref().is_some_and(has))
    }

    /// The stage with every signal over a class written out over the class's sources.
    #[must_use]
    pub fn expanded(&self) -> Self {
        let mut stage = self.clone();
        for signal in &mut stage.signals {
            if let Some(inner) = &mut signal.stage {
                **inner = inner.expanded();
            }
            if let Some(expanded) = signal.expanded() {
                *signal = expanded;
            }
        }
        stage.change_values(&|signal, value| {
            if let Some(signal) = self.signal(signal).filter(|signal| signal.class.is_some()) {
                *value = signal.expanded_value(value);
            }
        });
        let filtered = |aggregate: &mut Aggregate| {
            let signal = self.signal(aggregate.signal).filter(|signal| signal.class.is_some());
            if let (Some(signal), Some(filter)) = (signal, &mut aggregate.filter) {
                *filter = signal.expanded_filter(filter);
            }
        };
        match &mut stage.behavior.node {
            Behavior::Aggregation(aggregation) => aggregation.aggregates.iter_mut().for_each(filtered),
            Behavior::Baseline(baseline) => filtered(&mut baseline.aggregate),
            Behavior::Event { .. }
            | Behavior::Count { .. }
            | Behavior::Distinct { .. }
            | Behavior::Sequence(_)
            | Behavior::Group(_)
            | Behavior::Rare(_)
            | Behavior::Travel(_) => {}
        }
        stage
    }

    /// Changes every value of a signal's events that the behaviour or a column asks for; the signals' own stay as they are.
    pub fn change_values(&mut self, on: &dyn Fn(SignalId, &mut Value)) {
        for column in &mut self.columns {
            match &mut column.value {
                HitValue::Key(_) | HitValue::Aggregate(_) => {}
                HitValue::Closing(values) => values.iter_mut().for_each(|(signal, value)| on(*signal, value)),
                HitValue::Step { signal, value, .. } => on(*signal, value),
            }
        }
        match &mut self.behavior.node {
            Behavior::Event { .. } | Behavior::Count { .. } | Behavior::Group(_) => {}
            Behavior::Distinct { signal, values, .. } => each(*signal, values, on),
            Behavior::Aggregation(aggregation) => {
                aggregation.aggregates.iter_mut().for_each(|aggregate| of_aggregate(aggregate, on));
            }
            Behavior::Sequence(sequence) => {
                let steps: Vec<SignalId> = sequence.steps.iter().map(|step| step.signal).collect();
                let side = |side: &mut StepValue| {
                    if let Some(signal) = steps.get(side.step) {
                        on(*signal, &mut side.value);
                    }
                };
                for Relation { left, right, .. } in &mut sequence.relations {
                    side(left);
                    side(right);
                }
                sequence.conditions.iter_mut().for_each(|condition| expand_condition(&mut condition.node, &side));
            }
            Behavior::Rare(rare) => each(rare.signal, &mut rare.values, on),
            Behavior::Baseline(baseline) => of_aggregate(&mut baseline.aggregate, on),
            Behavior::Travel(travel) => on(travel.signal, &mut travel.address.node),
        }
    }
}

fn of_aggregate(aggregate: &mut Aggregate, on: &dyn Fn(SignalId, &mut Value)) {
    match &mut aggregate.function {
        AggregateFunction::Count => {}
        AggregateFunction::Distinct(values) => each(aggregate.signal, values, on),
        AggregateFunction::Sum(value)
        | AggregateFunction::Average(value)
        | AggregateFunction::Minimum(value)
        | AggregateFunction::Maximum(value)
        | AggregateFunction::Percentile { value, .. } => on(aggregate.signal, &mut value.node),
    }
}

fn each(signal: SignalId, values: &mut [Spanned<Value>], on: &dyn Fn(SignalId, &mut Value)) {
    values.iter_mut().for_each(|value| on(signal, &mut value.node));
}

fn expand_condition(condition: &mut StepCondition, side: &dyn Fn(&mut StepValue)) {
    match condition {
        StepCondition::And(parts) | StepCondition::Or(parts) => {
            parts.iter_mut().for_each(|part| expand_condition(&mut part.node, side));
        }
        StepCondition::Not(inner) => expand_condition(&mut inner.node, side),
        StepCondition::Equality(relation) => {
            side(&mut relation.left);
            side(&mut relation.right);
        }
        StepCondition::Ordered { left, right, .. } => {
            side(left);
            side(right);
        }
    }
}
