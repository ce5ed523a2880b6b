//! Lowers the signals of a correlation to the documents that it refers to.

use super::ast::{CorrelationKind, Document, Rule};
use super::correlation::Wanted;
use super::group::Named;
use super::heading::{self, Part};
use super::rule::{self, Events};
use super::union::{self, OfSource};
use super::{behavior, field};
use crate::backend::{ReasonCode, Request, Verdict};
use crate::ir::{Behavior, Call, HitValue, Predicate, Signal, SignalId, Stage, Value};
use crate::schema::Type;
use crate::schema::mapping::FieldMap;
use crate::source::{Span, Spanned};

const KEY: &str = "Sigma groups by plain fields only, not by functions or lists; key by the field itself";
const COUNTED: &str = "Sigma counts the values of a plain field only, not of a function or a list";
const CARRIED: &str =
    "a Sigma correlation hands on nothing but the fields that it groups by; name one of the inner keys";

/// What refers to rules.
pub(super) struct Reference<'a> {
    /// The request.
    pub(super) request: &'a Request<'a>,
    /// The stage of the correlation.
    pub(super) stage: &'a Stage,
    /// What the correlation asks for.
    pub(super) wanted: &'a Wanted<'a>,
}

/// A document that a correlation refers to, with those that it refers to itself.
pub(super) struct Referred {
    /// The document's name, and what it calls the correlation's keys.
    pub(super) named: Named,
    /// What it calls the counted value.
    pub(super) counted: Option<String>,
    /// The documents.
    pub(super) documents: Vec<Document>,
}

impl<'a> Reference<'a> {
    /// What a signal becomes: one document, or one for each source of a union.
    pub(super) fn rules(&self, signal: &'a Signal, part: &Part<'a>, verdict: &mut Verdict) -> Vec<Referred> {
        let Some(inner) = signal.stage.as_deref() else {
            let id = self.stage.signals.iter().position(|other| std::ptr::eq(other, signal)).map(SignalId);
            let group: OfSource<'a> = id.map(|id| (id, signal)).into_iter().collect();
            return self.of_events(self.stage, signal, &group, part, verdict).into_iter().collect();
        };
        let filter = self.wanted.filter.map(|filter| filter.span);
        if let Some(span) =
            (signal.predicate.node != Predicate::Constant(true)).then_some(signal.predicate.span).or(filter)
        {
            let message = "Sigma cannot test what a correlation found; write the condition on the signals inside";
            verdict.add(ReasonCode::UnsupportedBehavior, span, message);
            return Vec::new();
        }
        if !matches!(inner.behavior.node, Behavior::Event { .. }) {
            return self.of_hits(inner, signal, part, verdict).into_iter().collect();
        }
        let Some(groups) = union::by_source(inner, verdict) else { return Vec::new() };
        let several = groups.len() > 1;
        if several && matches!(self.wanted.kind, CorrelationKind::Temporal | CorrelationKind::TemporalOrdered) {
            let message = "Sigma wants an event of every rule, and a signal of several sources is several rules; write a \
                           detection for each source";
            verdict.add(ReasonCode::UnsupportedBehavior, signal.name.span, message);
            return Vec::new();
        }
        let mut referred = Vec::new();
        for group in &groups {
            let source = group.first().map(|(_, signal)| signal.source.name.as_str()).unwrap_or_default();
            let part = if several { part.inside(source) } else { part.clone() };
            referred.extend(self.of_events(inner, signal, group, &part, verdict));
        }
        referred
    }

    /// The rule of single events of one source; they belong to `stage`, the correlation calls them by `signal`.
    fn of_events(
        &self,
        stage: &Stage,
        signal: &'a Signal,
        group: &OfSource<'a>,
        part: &Part<'_>,
        verdict: &mut Verdict,
    ) -> Option<Referred> {
        let (_, first) = group.first()?;
        let map = self.request.target.maps.get(&first.source.name).map(AsRef::as_ref);
        let filter = self.wanted.filter;
        let events = group.iter().map(|(_, signal)| Events { signal, filter, counted: Vec::new() }).collect();
        let mut members = Members { signal, group, map, events };
        let keys = signal.keys.iter().zip(&self.stage.keys);
        let keys = keys.map(|(key, by)| members.name(key, by.span, KEY, verdict)).collect();
        let counted = self.wanted.counted.and_then(|value| members.name(value, value.span, COUNTED, verdict));
        let rule = rule::lower(self.request, stage, &members.events, verdict)?;
        let detection = self.request.detection;
        let (heading, footing) = (heading::of_part(detection, part), heading::end_of_part(detection, part));
        Some(Referred {
            named: Named { rule: heading::rule_name(detection, part), keys },
            counted,
            documents: vec![Document::Rule(Rule { heading, footing, ..rule })],
        })
    }

    /// The correlation whose hits are the events.
    fn of_hits(&self, inner: &Stage, signal: &Signal, part: &Part<'_>, verdict: &mut Verdict) -> Option<Referred> {
        let message = "Sigma does not say at which instant a correlation inside another one happens";
        verdict.add(ReasonCode::HitTimeUnspecified, signal.name.span, message);
        let lowered = behavior::lower(self.request, inner, part, verdict)?;
        let mut carried = |value: &Spanned<Value>, span: Span| {
            let column = without_lower(&value.node, span, verdict).as_field().map(|field| field.path.to_string());
            let column = column.and_then(|name| inner.columns.iter().find(|column| column.name == name));
            let name = column.and_then(|column| match column.value {
                HitValue::Key(index) => lowered.keys.get(index),
                HitValue::Aggregate(_) | HitValue::Closing(_) | HitValue::Step { .. } => None,
            });
            if name.is_none() {
                verdict.add(ReasonCode::UnsupportedExpression, span, CARRIED);
            }
            name.cloned().flatten()
        };
        let keys = signal.keys.iter().zip(&self.stage.keys).map(|(key, by)| carried(key, by.span)).collect();
        let counted = self.wanted.counted.and_then(|value| carried(value, value.span));
        let rule = heading::rule_name(self.request.detection, part);
        Some(Referred { named: Named { rule, keys }, counted, documents: lowered.documents })
    }
}

/// Signals of one source that become one rule.
struct Members<'a, 'g> {
    /// What the correlation calls them by.
    signal: &'a Signal,
    group: &'g OfSource<'a>,
    map: Option<&'a FieldMap>,
    events: Vec<Events<'a>>,
}

impl Members<'_, '_> {
    /// The field that holds a value of the events, which from then on have to have it; adds a reason where there is none.
    fn name(&mut self, value: &Spanned<Value>, by: Span, refusal: &str, verdict: &mut Verdict) -> Option<String> {
        let mut found: Option<String> = None;
        for ((id, _), events) in self.group.iter().zip(&mut self.events) {
            let value_of_signal = original(self.signal, *id, without_lower(&value.node, by, verdict));
            let inner = value_of_signal.map(|value| without_lower(value, by, verdict));
            // A value that is no field is reported where the behaviour names it.
            let field = inner.and_then(Value::as_field);
            let Some(field) = field.filter(|field| !matches!(field.ty, Type::List(_) | Type::Object)) else {
                verdict.add(ReasonCode::UnsupportedExpression, by, refusal);
                return None;
            };
            let bound = field::bind(self.map?, verdict, &Value::Field(field.clone()), value.span)?;
            if found.as_ref().is_some_and(|known| *known != bound.name) {
                let message = "signals of one source are one Sigma rule, so they have to take this from one field";
                verdict.add(ReasonCode::UnsupportedExpression, by, message);
                return None;
            }
            events.counted.push(Spanned::new(field.clone(), value.span));
            found = Some(bound.name);
        }
        found
    }
}

/// The value itself, or for a column of a union what it is on the events of one of its signals.
fn original<'v>(signal: &'v Signal, id: SignalId, value: &'v Value) -> Option<&'v Value> {
    let Some(inner) = &signal.stage else { return Some(value) };
    let name = value.as_field()?.path.to_string();
    let column = inner.columns.iter().find(|column| column.name == name)?;
    column.event_values().into_iter().find(|(of, _)| *of == id).map(|(_, value)| value)
}

/// The value inside `lower(..)`: Sigma cannot fold what it groups or counts, so values that differ in case are kept apart.
fn without_lower<'v>(value: &'v Value, span: Span, verdict: &mut Verdict) -> &'v Value {
    if let Value::Call(call) = value
        && let Call::Lower(inner @ Value::Field(_)) = call.as_ref()
    {
        let message = "Sigma cannot fold what it groups or counts, so values that differ in case are kept apart";
        verdict.add(ReasonCode::KeyCase, span, message);
        return inner;
    }
    value
}
