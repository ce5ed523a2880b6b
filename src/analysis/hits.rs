//! What hits look like to whoever reads them: a source made for a composed signal or an alert, and where each column comes from.

use std::sync::Arc;

use super::behavior::typer_of;
use super::scope::Environment;
use crate::ir::{
    AggregateFunction, Behavior, FieldRef, HitColumn, HitValue, Predicate, Sequence, Signal, SignalId, Stage, Value,
};
use crate::schema::{Case, Clock, EventValidator, Field, FieldPath, KnownValues, Members, Presence, Source, Type};
use crate::source::{Span, Spanned};
use crate::syntax::ast::{Path, Segment};

/// Whether a reader sees the events of all steps, as alerts do, or of the closing event only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Keys, numbers, and the closing event.
    Closing,
    /// The events of the steps too.
    Steps,
}

/// The source that the hits of a stage are: its fields are the columns that a hit has.
pub(super) fn source_of(name: &str, stage: &Stage, reach: Reach) -> Arc<Source> {
    let closing: Vec<&Signal> =
        stage.behavior.node.closing_signals().into_iter().filter_map(|id| stage.signal(id)).collect();
    let mut root = common(&closing);
    if reach == Reach::Steps
        && let Behavior::Sequence(sequence) = &stage.behavior.node
    {
        for step in &sequence.steps {
            let Some(signal) = stage.signal(step.signal) else { continue };
            let members = common(&[signal]);
            root.named.insert(step.name.clone(), field(Type::Object, members));
        }
    }
    for (name, ty) in numbers(&stage.behavior.node) {
        root.named.insert(name, field(ty, Members::default()));
    }
    for (index, key) in stage.keys.iter().enumerate() {
        let ty = stage.signals.first().and_then(|signal| signal.keys.get(index)).map(|value| value.node.ty());
        let ty = match ty {
            Some(Type::List(item)) => *item,
            Some(ty) => ty,
            None => continue,
        };
        put(&mut root, &FieldPath::parse(&key.name), &ty);
    }
    let title = format!("hits of `{name}`");
    let first = stage.sources().into_iter().next();
    let clock = closing.iter().map(|signal| signal.source.clock).reduce(finer).unwrap_or(Clock::Millisecond);
    Arc::new(Source {
        name: name.to_owned(),
        title: title.clone(),
        description: title,
        time: FieldPath::default(),
        clock,
        lag: first.map_or(crate::schema::Duration::ZERO, |source| source.lag),
        id: None,
        each: None,
        signature: Vec::new(),
        notes: Vec::new(),
        root,
        members: Vec::new(),
        lacking: std::collections::BTreeMap::new(),
        json_schema: Arc::new(serde_json::Value::Null),
        validator: EventValidator::default(),
    })
}

pub(super) const fn finer(one: Clock, other: Clock) -> Clock {
    match (one, other) {
        (Clock::Finer, _) | (_, Clock::Finer) => Clock::Finer,
        (Clock::Millisecond, _) | (_, Clock::Millisecond) => Clock::Millisecond,
        (Clock::Second, Clock::Second) => Clock::Second,
    }
}

/// The numbers that a hit carries under a name that the author can write.
fn numbers(behavior: &Behavior) -> Vec<(String, Type)> {
    match behavior {
        Behavior::Count { name, .. } | Behavior::Distinct { name, .. } => vec![(name.clone(), Type::Int)],
        Behavior::Aggregation(aggregation) => {
            let named = aggregation.aggregates.iter();
            named.map(|aggregate| (aggregate.name.clone(), number_type(&aggregate.function))).collect()
        }
        Behavior::Baseline(baseline) => {
            vec![(baseline.aggregate.name.clone(), number_type(&baseline.aggregate.function))]
        }
        Behavior::Group(_) => behavior.aggregate_names().into_iter().map(|name| (name.to_owned(), Type::Int)).collect(),
        Behavior::Event { .. } | Behavior::Sequence(_) | Behavior::Rare(_) | Behavior::Travel(_) => Vec::new(),
    }
}

fn number_type(function: &AggregateFunction) -> Type {
    match function {
        AggregateFunction::Count | AggregateFunction::Distinct(_) => Type::Int,
        AggregateFunction::Average(_) => Type::Float,
        AggregateFunction::Sum(value)
        | AggregateFunction::Minimum(value)
        | AggregateFunction::Maximum(value)
        | AggregateFunction::Percentile { value, .. } => value.node.ty(),
    }
}

/// The columns and fields that all signals have, with one type.
fn common(signals: &[&Signal]) -> Members {
    let Some((first, rest)) = signals.split_first() else { return Members::default() };
    let mut members =
        rest.iter().fold(first.source.root.clone(), |members, signal| shared(&members, &signal.source.root));
    for column in &first.columns {
        let ty = column.value.ty();
        let same = |signal: &&Signal| {
            signal.columns.iter().any(|other| other.name.node == column.name.node && other.value.ty() == ty)
        };
        if rest.iter().all(same) {
            members.named.insert(column.name.node.clone(), field(ty, Members::default()));
        }
    }
    members
}

fn shared(one: &Members, other: &Members) -> Members {
    let mut members =
        Members { open: one.open.clone().filter(|ty| other.open.as_ref() == Some(ty)), ..Members::default() };
    for (name, mine) in &one.named {
        let Some(theirs) = other.named.get(name).filter(|theirs| theirs.ty == mine.ty) else { continue };
        let mut field = mine.clone();
        field.members = shared(&mine.members, &theirs.members);
        if theirs.case != mine.case {
            field.case = Case::Any;
            field.values = KnownValues::default();
        }
        members.named.insert(name.clone(), field);
    }
    members
}

fn field(ty: Type, members: Members) -> Field {
    Field {
        ty,
        description: String::new(),
        case: Case::Any,
        values: KnownValues::default(),
        presence: Presence::Optional,
        epoch: None,
        members,
        name_value: None,
    }
}

/// Puts a field at a path unless one of that type is there.
fn put(members: &mut Members, path: &FieldPath, ty: &Type) {
    let Some((head, rest)) = path.segments().split_first() else { return };
    if rest.is_empty() {
        let known = members.named.get(head).is_some_and(|field| field.ty == *ty);
        if !known {
            members.named.insert(head.clone(), field(ty.clone(), Members::default()));
        }
        return;
    }
    let outer = members.named.entry(head.clone()).or_insert_with(|| field(Type::Object, Members::default()));
    if outer.ty == Type::Object {
        put(&mut outer.members, &FieldPath::new(rest.to_vec()), ty);
    }
}

/// Where a column of a hit comes from; the error is a help, where there is one.
pub(super) fn column(
    stage: &Stage,
    path: &FieldPath,
    reach: Reach,
    span: Span,
    environment: &Environment<'_>,
) -> Result<HitValue, Option<String>> {
    let name = path.to_string();
    if let Some(index) = stage.keys.iter().position(|key| key.name == name) {
        return Ok(HitValue::Key(index));
    }
    if let Some(index) = stage.behavior.node.aggregate_names().iter().position(|number| *number == name) {
        return Ok(HitValue::Aggregate(index));
    }
    let (head, rest) = path.segments().split_first().ok_or(None)?;
    if reach == Reach::Steps
        && let Behavior::Sequence(Sequence { steps, .. }) = &stage.behavior.node
        && !rest.is_empty()
        && let Some(index) =
            (0..steps.len()).rev().find(|index| steps.get(*index).is_some_and(|step| step.name == *head))
    {
        let signal = steps.get(index).map(|step| step.signal).ok_or(None)?;
        let value = value_on(stage, signal, rest, span, environment)?;
        return Ok(HitValue::Step { step: index, signal, value });
    }
    let closing = stage.behavior.node.closing_signals();
    if closing.is_empty() {
        let help = "such a hit is closed by time, not by an event; its columns are the keys, the numbers and the fields \
                    of its steps";
        return Err(Some(help.to_owned()));
    }
    let only = match closing.as_slice() {
        [only] => stage.signal(*only).map(|signal| signal.name.node.as_str()),
        _ => None,
    };
    let prefixed = reach == Reach::Steps && !rest.is_empty() && only == Some(head.as_str());
    let segments = if prefixed { rest } else { path.segments() };
    let mut values: Vec<(SignalId, Value)> = Vec::new();
    for id in closing {
        values.push((id, value_on(stage, id, segments, span, environment)?));
    }
    let types: Vec<Type> = values.iter().map(|(_, value)| value.ty()).collect();
    if types
        .windows(2)
        .any(|pair| matches!(pair, [one, other] if one != other && !(one.is_textual() && other.is_textual())))
    {
        return Err(Some(format!("`{name}` has different types on the signals that can close a hit")));
    }
    match (&stage.behavior.node, values.as_slice()) {
        (Behavior::Sequence(sequence), [(signal, value)]) => {
            Ok(HitValue::Step { step: sequence.steps.len().saturating_sub(1), signal: *signal, value: value.clone() })
        }
        _ => Ok(HitValue::Closing(values)),
    }
}

fn value_on(
    stage: &Stage,
    id: SignalId,
    segments: &[String],
    span: Span,
    environment: &Environment<'_>,
) -> Result<Value, Option<String>> {
    let signal = stage.signal(id).ok_or(None)?;
    let mut typer = typer_of(signal, environment);
    let named = |name: &String| Segment { name: Spanned::new(name.clone(), span), key: None };
    let path = Path { segments: segments.iter().map(named).collect() };
    match typer.path(&Spanned::new(path, span)) {
        Some(value) => Ok(value),
        None => Err(typer.diagnostics.into_sorted().into_iter().flat_map(|found| found.help).next()),
    }
}

/// Adds the columns that a filter of finished hits asks for.
pub(super) fn carry_for_filter(stage: &mut Stage, filter: &Predicate, environment: &Environment<'_>) {
    let fields: Vec<FieldRef> = filter.fields().into_iter().cloned().collect();
    add(stage, &fields, Reach::Steps, environment);
}

/// Fills in, at every depth, the columns of inner stages that outer ones ask for.
pub(super) fn carry(stage: &mut Stage, environment: &Environment<'_>) {
    for index in 0..stage.signals.len() {
        let fields: Vec<FieldRef> = stage.fields_on(SignalId(index)).into_iter().cloned().collect();
        let inner = stage.signals.get_mut(index).and_then(|signal| signal.stage.as_mut());
        if let Some(inner) = inner {
            add(inner, &fields, Reach::Closing, environment);
            carry(inner, environment);
        }
    }
}

fn add(stage: &mut Stage, fields: &[FieldRef], reach: Reach, environment: &Environment<'_>) {
    for field in fields {
        let name = field.path.to_string();
        if stage.columns.iter().any(|column| column.name == name) {
            continue;
        }
        if let Ok(value) = column(stage, &field.path, reach, field.span, environment) {
            stage.columns.push(HitColumn { name, value, shown: false, span: field.span });
        }
    }
}
