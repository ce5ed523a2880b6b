//! Signals over several sources as unions of signals over one, since a rule is about one source.
//!
//! Never changes what such a signal's events are; what a correlation cannot say of a union is refused where it is asked.

use std::borrow::Cow;

use crate::ir::{Behavior, Detection, FieldRef, HitColumn, HitValue, Predicate, Signal, SignalId, Stage, Value};
use crate::schema::{Case, FieldPath, Presence};
use crate::source::{Span, Spanned};

/// The detection without signals over several sources.
pub(super) fn spread(detection: &Detection) -> Cow<'_, Detection> {
    if reads_several(&detection.stage) {
        Cow::Owned(Detection { stage: stage(&detection.stage), ..detection.clone() })
    } else {
        Cow::Borrowed(detection)
    }
}

fn reads_several(stage: &Stage) -> bool {
    let several = |signal: &Signal| signal.stage.is_none() && !signal.source.members.is_empty();
    stage.signals.iter().any(|signal| several(signal) || signal.stage.as_deref().is_some_and(reads_several))
}

fn stage(of: &Stage) -> Stage {
    let mut made = of.clone();
    for signal in &mut made.signals {
        if let Some(inner) = &mut signal.stage {
            **inner = stage(inner);
        }
    }
    if matches!(of.behavior.node, Behavior::Event { .. }) { alternatives(made) } else { composed(made) }
}

/// Single events: each source has a signal of its own.
fn alternatives(mut of: Stage) -> Stage {
    let mut signals = Vec::new();
    let mut made: Vec<Vec<SignalId>> = Vec::new();
    for signal in &of.signals {
        let first = signals.len();
        if signal.stage.is_none() && !signal.source.members.is_empty() {
            signals.extend(of_sources(signal));
        } else {
            signals.push(signal.clone());
        }
        made.push((first..signals.len()).map(SignalId).collect());
    }
    for column in &mut of.columns {
        let HitValue::Closing(values) = &mut column.value else { continue };
        let on = |(id, value): &(SignalId, Value)| {
            let ids = made.get(id.0).cloned().unwrap_or_default();
            let value = value.clone();
            let signals = &signals;
            ids.into_iter().filter_map(move |id| Some((id, value_on(signals.get(id.0)?, &value)))).collect::<Vec<_>>()
        };
        *values = values.iter().flat_map(on).collect();
    }
    of.behavior.node = Behavior::Event { signals: (0..signals.len()).map(SignalId).collect() };
    of.signals = signals;
    of
}

/// Anything else: such a signal is the hits of a union of its sources.
fn composed(of: Stage) -> Stage {
    let mut made = of.clone();
    for signal in &mut made.signals {
        if signal.stage.is_some() || signal.source.members.is_empty() {
            continue;
        }
        let members = of_sources(signal);
        let mut columns = Vec::new();
        for key in &mut signal.keys {
            key.node = carried(&key.node, &members, key.span, &mut columns);
        }
        signal.predicate = Spanned::new(Predicate::Constant(true), signal.predicate.span);
        signal.stage = Some(Box::new(union_of(members, columns, signal.name.span)));
    }
    let inner: Vec<Option<Vec<Signal>>> = made
        .signals
        .iter()
        .zip(&of.signals)
        .map(|(new, old)| Some(new.stage.as_ref().filter(|_| old.stage.is_none())?.signals.clone()))
        .collect();
    let found = std::cell::RefCell::new(Vec::new());
    made.change_values(&|id, value| {
        if let Some(Some(members)) = inner.get(id.0) {
            let mut columns = Vec::new();
            *value = carried(value, members, Span::default(), &mut columns);
            found.borrow_mut().extend(columns.into_iter().map(|column| (id, column)));
        }
    });
    for (id, column) in found.into_inner() {
        let stage = made.signals.get_mut(id.0).and_then(|signal| signal.stage.as_mut());
        if let Some(stage) = stage.filter(|stage| stage.columns.iter().all(|known| known.name != column.name)) {
            stage.columns.push(column);
        }
    }
    made
}

/// The signal on the events of each of its sources that can belong to it.
fn of_sources(signal: &Signal) -> Vec<Signal> {
    let on = signal.source.members.iter().filter_map(|source| signal.on(&source.name));
    on.filter(|signal| signal.predicate.node != Predicate::Constant(false)).collect()
}

/// A value of several sources on the events of one.
fn value_on(signal: &Signal, value: &Value) -> Value {
    if value.fields().iter().any(|field| field.path.split_source().is_some()) {
        value.on(&signal.source.name)
    } else {
        value.clone()
    }
}

fn union_of(signals: Vec<Signal>, columns: Vec<HitColumn>, span: Span) -> Stage {
    let behavior = Behavior::Event { signals: (0..signals.len()).map(SignalId).collect() };
    Stage { signals, behavior: Spanned::new(behavior, span), keys: Vec::new(), columns }
}

/// The column of the union that holds a value.
fn carried(value: &Value, members: &[Signal], span: Span, columns: &mut Vec<HitColumn>) -> Value {
    let span = value.fields().first().map_or(span, |field| field.span);
    let values = members.iter().enumerate().map(|(id, member)| (SignalId(id), value_on(member, value))).collect();
    // Nobody reads the name; it tells values apart.
    let path = FieldPath::new(vec![format!("{value:?}")]);
    if columns.iter().all(|column| column.name != path.to_string()) {
        columns.push(HitColumn { name: path.to_string(), value: HitValue::Closing(values), shown: false, span });
    }
    Value::Field(FieldRef { path, ty: value.ty(), case: Case::Any, presence: Presence::Optional, span })
}
