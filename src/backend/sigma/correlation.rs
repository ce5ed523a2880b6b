//! Lowers behaviours over several events to a correlation and the rules that it refers to.

use indexmap::IndexMap;

use super::ast::{Correlation, CorrelationBody, CorrelationKind, Document, Rule, Text, Threshold};
use super::{field, heading, rule};
use crate::backend::{ReasonCode, Request, Verdict};
use crate::ir::{Call, FieldRef, Relation, Signal, SignalId, Step, Value};
use crate::schema::{Duration, Type};
use crate::source::{Span, Spanned};

/// What a correlation asks of the events of its rules.
pub(super) struct Wanted<'a> {
    /// Its kind.
    pub(super) kind: CorrelationKind,
    /// The signals, in the order of a sequence.
    pub(super) signals: Vec<SignalId>,
    /// The value that is counted, of the first signal's events.
    pub(super) counted: Option<&'a Spanned<Value>>,
    /// How many are enough; `None` where each rule is wanted once.
    pub(super) at_least: Option<u64>,
    /// Length of the window.
    pub(super) window: Spanned<Duration>,
}

/// Adds the reasons why a chain is not what Sigma means by `temporal_ordered`.
pub(super) fn check_steps(steps: &[Step], relations: &[Relation], span: Span, verdict: &mut Verdict) {
    for (index, step) in steps.iter().enumerate() {
        if step.times > 1 {
            let message =
                "a Sigma sequence takes one event of each rule; drop the repetition or count the events instead";
            verdict.add(ReasonCode::UnsupportedBehavior, step.span, message);
        }
        if steps.iter().take(index).any(|earlier| earlier.signal == step.signal) {
            let message = "a Sigma sequence names each rule once, so one signal cannot be two steps";
            verdict.add(ReasonCode::UnsupportedBehavior, step.span, message);
        }
    }
    for relation in relations {
        let message = "Sigma cannot compare the events of a sequence; values that have to agree can be keys";
        verdict.add(ReasonCode::UnsupportedRelation, relation.span, message);
    }
    let message = "Sigma leaves to the converter what happens to events of one instant, to events that are two steps at once and to a \
                   start that is followed by several ends";
    verdict.add(ReasonCode::OrderUnspecified, span, message);
}

/// Lowers to the documents of a file: the correlation, then its rules.
pub(super) fn lower(request: &Request<'_>, wanted: &Wanted<'_>, verdict: &mut Verdict) -> Option<Vec<Document>> {
    let detection = request.detection;
    let timespan = timespan(wanted.window, verdict);
    let mut message =
        "Sigma leaves the kind of window to the converter; most of them cut the time line into fixed windows and miss \
                       hits that lie across a border, and none reports every instant"
            .to_owned();
    if wanted.counted.is_some() {
        message.push_str("; an event without the counted value closes no hit");
    }
    verdict.add(ReasonCode::WindowUnspecified, wanted.window.span, message);
    let signals: Vec<&Signal> = wanted.signals.iter().filter_map(|id| detection.stage.signal(*id)).collect();
    let mut grouping = Grouping::default();
    let mut rules: Vec<Rule> = Vec::new();
    for signal in &signals {
        let mut fields = grouping.add(request, signal, verdict);
        fields.extend(
            wanted
                .counted
                .and_then(|value| Some(Spanned::new(inside_lower(&value.node).as_field()?.clone(), value.span))),
        );
        let lowered = rule::lower(request, signal, &fields, verdict);
        rules.extend(lowered.map(|rule| Rule {
            heading: heading::of_signal(detection, signal),
            footing: heading::end_of_signal(detection, signal),
            ..rule
        }));
    }
    let field = match wanted.counted {
        Some(value) => Some(counted(request, *signals.first()?, value, verdict)?),
        None => None,
    };
    let (aliases, group_by) = grouping.finish(request, &signals);
    let body = CorrelationBody {
        kind: wanted.kind,
        rules: signals.iter().map(|signal| Text(heading::rule_name(detection, signal))).collect(),
        aliases,
        group_by,
        timespan: timespan?,
        condition: wanted.at_least.map(|gte| Threshold { field, gte }),
    };
    let (heading, footing) = (heading::of_detection(detection), heading::end_of_detection(detection));
    let correlation = Document::Correlation(Correlation { heading, correlation: body, footing });
    Some(std::iter::once(correlation).chain(rules.into_iter().map(Document::Rule)).collect())
}

/// The value inside `lower(..)`: Sigma cannot fold what it groups or counts, so values that differ in case are kept apart.
fn without_lower<'v>(value: &'v Value, span: Span, verdict: &mut Verdict) -> &'v Value {
    let inner = inside_lower(value);
    if !std::ptr::eq(inner, value) {
        let message = "Sigma cannot fold what it groups or counts, so values that differ in case are kept apart";
        verdict.add(ReasonCode::KeyCase, span, message);
    }
    inner
}

/// The field inside `lower(..)`, or the value itself.
fn inside_lower(value: &Value) -> &Value {
    if let Value::Call(call) = value
        && let Call::Lower(inner @ Value::Field(_)) = call.as_ref()
    {
        return inner;
    }
    value
}

/// The field whose distinct values are counted.
fn counted(request: &Request<'_>, signal: &Signal, value: &Spanned<Value>, verdict: &mut Verdict) -> Option<Text> {
    let map = rule::map(request, signal, verdict)?;
    let refusal = "Sigma counts the values of a plain field only, not of a function or a list";
    let inner = without_lower(&value.node, value.span, verdict);
    plain(inner, value.span, refusal, verdict)?;
    field::bind(map, verdict, inner, value.span).map(|bound| Text(bound.name))
}

/// A field, where a value is one; adds a reason where it is not.
fn plain<'a>(value: &'a Value, span: Span, message: &str, verdict: &mut Verdict) -> Option<&'a FieldRef> {
    let field = value.as_field().filter(|field| !matches!(field.ty, Type::List(_) | Type::Object));
    if field.is_none() {
        verdict.add(ReasonCode::UnsupportedExpression, span, message);
    }
    field
}

fn timespan(window: Spanned<Duration>, verdict: &mut Verdict) -> Option<String> {
    if window.node.is_whole_seconds() {
        return Some(window.node.to_string());
    }
    let message = format!("Sigma has no unit below a second, so it cannot say `{}`", window.node);
    verdict.add(ReasonCode::UnsupportedBehavior, window.span, message);
    None
}

/// What each signal calls each key.
#[derive(Default)]
struct Grouping {
    /// Per signal, the fields of the keys in their order.
    names: Vec<Vec<String>>,
}

impl Grouping {
    /// Adds the keys of a signal, and returns them as fields.
    fn add(&mut self, request: &Request<'_>, signal: &Signal, verdict: &mut Verdict) -> Vec<Spanned<FieldRef>> {
        let (mut fields, mut names) = (Vec::new(), Vec::new());
        let map = request.target.maps.get(&signal.source.name);
        for (index, key) in signal.keys.iter().enumerate() {
            // A key that is no field is reported where `by` names it.
            let by = request.detection.stage.keys.get(index).map_or(key.span, |key| key.span);
            let value = without_lower(&key.node, by, verdict);
            let refusal = "Sigma groups by plain fields only, not by functions or lists; key by the field itself";
            let Some(field) = plain(value, by, refusal, verdict) else { continue };
            let bound = map.and_then(|map| field::bind(map, verdict, value, key.span));
            names.extend(bound.map(|bound| bound.name));
            fields.push(Spanned::new(field.clone(), key.span));
        }
        self.names.push(names);
        fields
    }

    /// The aliases of keys that are called differently, and the names to group by.
    fn finish(&self, request: &Request<'_>, signals: &[&Signal]) -> (IndexMap<Text, IndexMap<Text, Text>>, Vec<Text>) {
        let (mut aliases, mut group_by) = (IndexMap::new(), Vec::new());
        for (index, key) in request.detection.stage.keys.iter().enumerate() {
            let names: Vec<&String> = self.names.iter().filter_map(|names| names.get(index)).collect();
            let Some(first) = names.first() else { continue };
            let name = if names.iter().all(|name| name == first) {
                Text((*first).clone())
            } else {
                let mut alias = Text(heading::identifier(&key.name));
                while group_by.contains(&alias) {
                    alias.0.push('_');
                }
                let rules = signals.iter().map(|signal| Text(heading::rule_name(request.detection, signal)));
                aliases.insert(alias.clone(), rules.zip(names.iter().map(|name| Text((*name).clone()))).collect());
                alias
            };
            if !group_by.contains(&name) {
                group_by.push(name);
            }
        }
        (aliases, group_by)
    }
}
