//! Which fields of the sources a detection reads: all that an evaluation can look at.
//!
//! Never tells what is read of hits: their columns come from fields again.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{
    Aggregate, AggregateFunction, Behavior, Detection, Predicate, Sequence, Signal, SignalId, Stage, StepCondition,
    Value,
};
use crate::schema::{FieldPath, Source};

impl Detection {
    /// Every field that the detection reads at any depth, by source, each once; the events' own time and id are not among
    /// them unless an expression names them.
    #[must_use]
    pub fn fields(&self) -> Vec<(Arc<Source>, FieldPath)> {
        let mut fields = Fields::default();
        fields.stage(&self.expanded().stage);
        fields.found
    }
}

#[derive(Default)]
struct Fields {
    found: Vec<(Arc<Source>, FieldPath)>,
    seen: BTreeSet<(String, FieldPath)>,
}

impl Fields {
    fn stage(&mut self, stage: &Stage) {
        for signal in &stage.signals {
            if let Some(inner) = &signal.stage {
                self.stage(inner);
                continue;
            }
            self.predicate(signal, &signal.predicate.node);
            let keys = signal.keys.iter().map(|key| &key.node);
            for value in keys.chain(signal.columns.iter().map(|column| &column.value)) {
                self.value(signal, value);
            }
        }
        for (signal, value) in stage.columns.iter().flat_map(|column| column.event_values()) {
            self.of(stage, signal, value);
        }
        self.behavior(stage, &stage.behavior.node);
    }

    /// A value of a signal's events; of hits nothing is read that the inner stage does not tell.
    fn of(&mut self, stage: &Stage, signal: SignalId, value: &Value) {
        if let Some(signal) = stage.signal(signal).filter(|signal| signal.stage.is_none()) {
            self.value(signal, value);
        }
    }

    fn behavior(&mut self, stage: &Stage, behavior: &Behavior) {
        match behavior {
            Behavior::Event { .. } | Behavior::Count { .. } | Behavior::Group(_) => {}
            Behavior::Distinct { signal, values, .. } => {
                values.iter().for_each(|value| self.of(stage, *signal, &value.node));
            }
            Behavior::Aggregation(aggregation) => {
                aggregation.aggregates.iter().for_each(|aggregate| self.aggregate(stage, aggregate));
            }
            Behavior::Sequence(sequence) => self.sequence(stage, sequence),
            Behavior::Rare(rare) => rare.values.iter().for_each(|value| self.of(stage, rare.signal, &value.node)),
            Behavior::Baseline(baseline) => self.aggregate(stage, &baseline.aggregate),
            Behavior::Travel(travel) => self.of(stage, travel.signal, &travel.address.node),
        }
    }

    fn aggregate(&mut self, stage: &Stage, aggregate: &Aggregate) {
        match &aggregate.function {
            AggregateFunction::Count => {}
            AggregateFunction::Distinct(values) => {
                values.iter().for_each(|value| self.of(stage, aggregate.signal, &value.node));
            }
            AggregateFunction::Sum(value)
            | AggregateFunction::Average(value)
            | AggregateFunction::Minimum(value)
            | AggregateFunction::Maximum(value)
            | AggregateFunction::Percentile { value, .. } => self.of(stage, aggregate.signal, &value.node),
        }
        let signal = stage.signal(aggregate.signal).filter(|signal| signal.stage.is_none());
        if let (Some(signal), Some(filter)) = (signal, &aggregate.filter) {
            self.predicate(signal, &filter.node);
        }
    }

    fn sequence(&mut self, stage: &Stage, sequence: &Sequence) {
        let mut sides: Vec<(usize, &Value)> = Vec::new();
        let mut open: Vec<&StepCondition> = sequence.conditions.iter().map(|condition| &condition.node).collect();
        let mut relations: Vec<_> = sequence.relations.iter().collect();
        while let Some(condition) = open.pop() {
            match condition {
                StepCondition::And(all) | StepCondition::Or(all) => open.extend(all.iter().map(|one| &one.node)),
                StepCondition::Not(inner) => open.push(&inner.node),
                StepCondition::Equality(relation) => relations.push(relation),
                StepCondition::Ordered { left, right, .. } => {
                    sides.extend([(left.step, &left.value), (right.step, &right.value)]);
                }
            }
        }
        for relation in relations {
            sides.extend([&relation.left, &relation.right].map(|side| (side.step, &side.value)));
        }
        for (step, value) in sides {
            if let Some(step) = sequence.steps.get(step) {
                self.of(stage, step.signal, value);
            }
        }
    }

    fn predicate(&mut self, signal: &Signal, predicate: &Predicate) {
        match predicate {
            Predicate::Constant(_) | Predicate::OfSource(_) => {}
            Predicate::And(all) | Predicate::Or(all) => all.iter().for_each(|one| self.predicate(signal, &one.node)),
            Predicate::Not(inner) => self.predicate(signal, &inner.node),
            Predicate::Exists(value)
            | Predicate::IsTrue(value)
            | Predicate::In { value, .. }
            | Predicate::Text { value, .. }
            | Predicate::InNetwork { value, .. }
            | Predicate::IsAddress { value, .. }
            | Predicate::OutsideHours { time: value, .. } => self.value(signal, value),
            Predicate::Equal { left, right, .. } | Predicate::Ordered { left, right, .. } => {
                self.value(signal, left);
                self.value(signal, right);
            }
            Predicate::Quantified { list, predicate, .. } => {
                self.value(signal, list);
                self.predicate(signal, &predicate.node);
            }
        }
    }

    fn value(&mut self, signal: &Signal, value: &Value) {
        match value {
            Value::Field(field) => self.field(signal, &field.path),
            Value::NameValue(reference) => self.field(signal, &reference.list.path),
            // A member of an element: its list is read as a whole.
            Value::Element(_) | Value::Time | Value::Literal(_) => {}
            Value::First(first) => {
                self.value(signal, &first.list);
                self.predicate(signal, &first.predicate.node);
            }
            Value::Call(call) => call.arguments().into_iter().for_each(|argument| self.value(signal, argument)),
        }
    }

    fn field(&mut self, signal: &Signal, path: &FieldPath) {
        if let Some((name, path)) = path.split_source()
            && let Some(source) = signal.source.members.iter().find(|member| member.name == name)
        {
            if self.seen.insert((name.to_owned(), path.clone())) {
                self.found.push((source.clone(), path));
            }
            return;
        }
        if self.seen.insert((signal.source.name.clone(), path.clone())) {
            self.found.push((signal.source.clone(), path.clone()));
        }
    }
}
