//! The fields that a detection looks at, each with the values worth trying there.
//!
//! Never invents a field: only what an expression names is changed.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::eval::Event;
use crate::ir::{AggregateFunction, Behavior, Detection, FieldRef, Literal, Predicate, Signal, Stage, TextTest, Value};
use crate::schema::{FieldPath, Type};

/// Values to try, by source and path.
pub(super) type Pool = BTreeMap<String, BTreeMap<String, Place>>;

/// A field and the values to try there.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// Path in the native event.
    pub(super) path: FieldPath,
    /// Values to try, each once.
    pub(super) values: Vec<Json>,
}

/// The fields of all telemetry sources of a detection.
pub(super) fn pool(detection: &Detection, events: &[&Event]) -> Pool {
    let mut pool = Pool::new();
    of_stage(&detection.expanded().stage, &mut pool);
    for (source, places) in &mut pool {
        for place in places.values_mut() {
            for event in events.iter().filter(|event| *event.source == **source) {
                let Some(value) = event.get(&place.path) else { continue };
                add(&mut place.values, value.clone());
                if let Some(text) = value.as_str() {
                    add(&mut place.values, Json::from(turned(text)));
                }
            }
        }
    }
    pool
}

/// The telemetry signals of a stage at any depth, each with the stage that it belongs to.
pub(super) fn base_signals(stage: &Stage) -> Vec<(&Stage, &Signal)> {
    let mut found = Vec::new();
    for signal in &stage.signals {
        match &signal.stage {
            Some(inner) => found.extend(base_signals(inner)),
            None => found.push((stage, signal)),
        }
    }
    found
}

/// Puts a value at a path, or takes away what is there.
pub(super) fn put(fields: &mut Json, path: &FieldPath, value: Option<Json>) {
    let Some((last, above)) = path.segments().split_last() else { return };
    let mut place = fields;
    for segment in above {
        let Some(members) = place.as_object_mut() else { return };
        place = members.entry(segment.clone()).or_insert_with(|| Json::Object(serde_json::Map::new()));
    }
    let Some(members) = place.as_object_mut() else { return };
    match value {
        Some(value) => members.insert(last.clone(), value),
        None => members.remove(last),
    };
}

/// The fields that a value is made of.
pub(super) fn fields(value: &Value) -> Vec<&FieldRef> {
    match value {
        Value::Field(field) => vec![field],
        Value::Call(call) => call.arguments().into_iter().flat_map(fields).collect(),
        Value::First(first) => fields(&first.list),
        Value::NameValue(reference) => vec![&reference.list],
        Value::Element(_) | Value::Time | Value::Literal(_) => Vec::new(),
    }
}

/// A text in the other case.
fn turned(text: &str) -> String {
    if text.chars().any(char::is_lowercase) { text.to_uppercase() } else { text.to_lowercase() }
}

fn add(values: &mut Vec<Json>, value: Json) {
    if !values.contains(&value) && values.len() < 24 {
        values.push(value);
    }
}

fn of_stage(stage: &Stage, pool: &mut Pool) {
    for signal in &stage.signals {
        if let Some(inner) = &signal.stage {
            of_stage(inner, pool);
            continue;
        }
        let source = signal.source.name.clone();
        of_predicate(&signal.predicate.node, &source, pool);
        let columns = signal.columns.iter().map(|column| &column.value);
        for value in signal.keys.iter().map(|key| &key.node).chain(columns) {
            of_value(value, &source, Vec::new(), pool);
        }
    }
    let of_signal = |id, values: Vec<&Value>, pool: &mut Pool| {
        let Some(Signal { stage: None, source, .. }) = stage.signal(id) else { return };
        for value in values {
            of_value(value, &source.name, [0, 1, 1_000_000].map(Json::from).to_vec(), pool);
        }
    };
    match &stage.behavior.node {
        Behavior::Distinct { signal, values, .. } => {
            of_signal(*signal, values.iter().map(|value| &value.node).collect(), pool);
        }
        Behavior::Aggregation(aggregation) => {
            for aggregate in &aggregation.aggregates {
                of_signal(aggregate.signal, measured(&aggregate.function), pool);
                if let (Some(filter), Some(Signal { stage: None, source, .. })) =
                    (&aggregate.filter, stage.signal(aggregate.signal))
                {
                    of_predicate(&filter.node, &source.name, pool);
                }
            }
        }
        Behavior::Baseline(baseline) => {
            of_signal(baseline.aggregate.signal, measured(&baseline.aggregate.function), pool);
        }
        Behavior::Rare(rare) => of_signal(rare.signal, rare.values.iter().map(|value| &value.node).collect(), pool),
        Behavior::Travel(travel) => of_signal(travel.signal, vec![&travel.address.node], pool),
        Behavior::Sequence(sequence) => {
            for relation in &sequence.relations {
                for side in [&relation.left, &relation.right] {
                    let signal = sequence.steps.get(side.step).map(|step| step.signal);
                    signal.into_iter().for_each(|signal| of_signal(signal, vec![&side.value], pool));
                }
            }
        }
        Behavior::Event { .. } | Behavior::Count { .. } | Behavior::Group(_) => {}
    }
}

fn measured(function: &AggregateFunction) -> Vec<&Value> {
    match function {
        AggregateFunction::Count => Vec::new(),
        AggregateFunction::Distinct(values) => values.iter().map(|value| &value.node).collect(),
        AggregateFunction::Sum(value)
        | AggregateFunction::Average(value)
        | AggregateFunction::Minimum(value)
        | AggregateFunction::Maximum(value)
        | AggregateFunction::Percentile { value, .. } => vec![&value.node],
    }
}

fn of_value(value: &Value, source: &str, tried: Vec<Json>, pool: &mut Pool) {
    for field in fields(value) {
        let split = field.path.split_source();
        let (source, path) = split.map_or_else(|| (source, field.path.clone()), |(source, path)| (source, path));
        let places = pool.entry(source.to_owned()).or_default();
        let place = places.entry(path.to_string()).or_insert_with(|| Place { path, values: usual(&field.ty) });
        for value in &tried {
            let fits = match field.ty {
                Type::Text | Type::Ip => value.is_string(),
                Type::Int | Type::Float => value.is_number(),
                Type::Bool => value.is_boolean(),
                Type::Time | Type::Duration | Type::List(_) | Type::Object => false,
            };
            if fits {
                add(&mut place.values, value.clone());
            }
        }
    }
}

/// Values that say something about any field of a type.
fn usual(ty: &Type) -> Vec<Json> {
    match ty {
        Type::Text => vec![Json::from("another")],
        Type::Ip => ["192.0.2.77", "10.9.8.7", "a.example"].map(Json::from).to_vec(),
        Type::Bool => [true, false].map(Json::from).to_vec(),
        Type::Int | Type::Float | Type::Time | Type::Duration | Type::List(_) | Type::Object => Vec::new(),
    }
}

fn of_predicate(predicate: &Predicate, source: &str, pool: &mut Pool) {
    match predicate {
        Predicate::Constant(_) | Predicate::OfSource(_) => {}
        Predicate::And(parts) | Predicate::Or(parts) => {
            parts.iter().for_each(|part| of_predicate(&part.node, source, pool));
        }
        Predicate::Not(body) => of_predicate(&body.node, source, pool),
        Predicate::Exists(value) | Predicate::IsTrue(value) => of_value(value, source, Vec::new(), pool),
        Predicate::Equal { left, right, .. } | Predicate::Ordered { left, right, .. } => {
            let tried: Vec<Json> = [left, right].into_iter().filter_map(Value::as_literal).flat_map(around).collect();
            of_value(left, source, tried.clone(), pool);
            of_value(right, source, tried, pool);
        }
        Predicate::In { value, items, .. } => {
            of_value(value, source, items.iter().take(8).flat_map(around).collect(), pool);
        }
        Predicate::Text { value, tests, .. } => {
            let text = |test: &TextTest| match test {
                TextTest::Contains(text) | TextTest::StartsWith(text) | TextTest::EndsWith(text) => {
                    Some(Json::from(text.as_str()))
                }
                TextTest::Like(_) | TextTest::Matches(_) => None,
            };
            of_value(value, source, tests.iter().take(8).filter_map(text).collect(), pool);
        }
        Predicate::InNetwork { value, networks } => {
            let inside = networks.iter().take(8).map(|network| Json::from(network.0.addr().to_string()));
            of_value(value, source, inside.collect(), pool);
        }
        Predicate::IsAddress { value, .. } | Predicate::OutsideHours { time: value, .. } => {
            of_value(value, source, Vec::new(), pool);
        }
        Predicate::Quantified { list, .. } => of_value(list, source, Vec::new(), pool),
    }
}

/// A constant, and for a number those next to it.
fn around(literal: &Literal) -> Vec<Json> {
    match literal {
        Literal::Text(text) => vec![Json::from(text.as_str()), Json::from(turned(text))],
        Literal::Int(number) => [number.saturating_sub(1), *number, number.saturating_add(1)].map(Json::from).to_vec(),
        Literal::Float(number) => number.as_str().parse::<f64>().ok().map(Json::from).into_iter().collect(),
        Literal::Bool(value) => vec![Json::from(*value)],
    }
}
