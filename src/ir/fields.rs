//! Which fields of a signal anything in a stage asks for.
//!
//! Never decides what a field is: it collects references.

use super::{AggregateFunction, Behavior, FieldRef, Predicate, SignalId, Stage, StepCondition, StepValue, Value};

impl Value {
    /// The fields that the value is made of, in the order of the text.
    #[must_use]
    pub fn fields(&self) -> Vec<&FieldRef> {
        match self {
            Self::Field(field) => vec![field],
            Self::NameValue(reference) => vec![&reference.list],
            Self::First(first) => {
                let mut fields = first.list.fields();
                fields.extend(first.predicate.node.fields());
                fields
            }
            Self::Call(call) => call.arguments().into_iter().flat_map(Self::fields).collect(),
            Self::Element(_) | Self::Time | Self::Literal(_) => Vec::new(),
        }
    }
}

impl Predicate {
    /// The fields that the condition looks at, in the order of the text.
    #[must_use]
    pub fn fields(&self) -> Vec<&FieldRef> {
        self.values().into_iter().flat_map(Value::fields).collect()
    }
}

impl Stage {
    /// Every field of a signal's events that the signal, the behaviour or the columns ask for.
    #[must_use]
    pub fn fields_on(&self, id: SignalId) -> Vec<&FieldRef> {
        let mut fields = Vec::new();
        if let Some(signal) = self.signal(id) {
            fields.extend(signal.predicate.node.fields());
            fields.extend(signal.keys.iter().flat_map(|key| key.node.fields()));
        }
        fields.extend(self.behavior.node.values_on(id).into_iter().flat_map(Value::fields));
        fields.extend(self.behavior.node.filters_on(id).into_iter().flat_map(Predicate::fields));
        for column in &self.columns {
            let values = column.event_values().into_iter().filter(|(signal, _)| *signal == id);
            fields.extend(values.flat_map(|(_, value)| value.fields()));
        }
        fields
    }
}

impl Behavior {
    /// The values of a signal's events that the behaviour itself compares or counts.
    fn values_on(&self, id: SignalId) -> Vec<&Value> {
        match self {
            Self::Distinct { signal, values, .. } if *signal == id => values.iter().map(|value| &value.node).collect(),
            Self::Rare(rare) if rare.signal == id => rare.values.iter().map(|value| &value.node).collect(),
            Self::Travel(travel) if travel.signal == id => vec![&travel.address.node],
            Self::Aggregation(aggregation) => {
                let of_signal = aggregation.aggregates.iter().filter(|aggregate| aggregate.signal == id);
                of_signal.flat_map(|aggregate| aggregate.function.values()).collect()
            }
            Self::Baseline(baseline) if baseline.aggregate.signal == id => baseline.aggregate.function.values(),
            Self::Sequence(sequence) => {
                let sides = sequence.relations.iter().flat_map(|relation| [&relation.left, &relation.right]);
                let mut sides: Vec<&StepValue> = sides.collect();
                for condition in &sequence.conditions {
                    condition.node.collect_sides(&mut sides);
                }
                let on = |side: &&StepValue| sequence.steps.get(side.step).is_some_and(|step| step.signal == id);
                sides.into_iter().filter(on).map(|side| &side.value).collect()
            }
            Self::Event { .. }
            | Self::Count { .. }
            | Self::Distinct { .. }
            | Self::Group(_)
            | Self::Rare(_)
            | Self::Baseline(_)
            | Self::Travel(_) => Vec::new(),
        }
    }

    /// The conditions on a signal's events that the behaviour itself holds.
    fn filters_on(&self, id: SignalId) -> Vec<&Predicate> {
        let aggregates = match self {
            Self::Aggregation(aggregation) => aggregation.aggregates.as_slice(),
            Self::Baseline(baseline) => std::slice::from_ref(&baseline.aggregate),
            Self::Event { .. }
            | Self::Count { .. }
            | Self::Distinct { .. }
            | Self::Sequence(_)
            | Self::Group(_)
            | Self::Rare(_)
            | Self::Travel(_) => &[],
        };
        let of_signal = aggregates.iter().filter(|aggregate| aggregate.signal == id);
        of_signal.filter_map(|aggregate| aggregate.filter.as_ref()).map(|filter| &filter.node).collect()
    }
}

impl AggregateFunction {
    /// The values that are counted or measured.
    #[must_use]
    pub fn values(&self) -> Vec<&Value> {
        match self {
            Self::Count => Vec::new(),
            Self::Distinct(values) => values.iter().map(|value| &value.node).collect(),
            Self::Sum(value)
            | Self::Average(value)
            | Self::Minimum(value)
            | Self::Maximum(value)
            | Self::Percentile { value, .. } => vec![&value.node],
        }
    }
}

impl StepCondition {
    /// Collects every side of every comparison.
    pub fn collect_sides<'a>(&'a self, sides: &mut Vec<&'a StepValue>) {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.node.collect_sides(sides)),
            Self::Not(inner) => inner.node.collect_sides(sides),
            Self::Equality(relation) => sides.extend([&relation.left, &relation.right]),
            Self::Ordered { left, right, .. } => sides.extend([left, right]),
        }
    }
}
