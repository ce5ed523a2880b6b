//! Lowers behaviours over several events to a correlation and the rules that it refers to.

use super::ast::{Bound, Correlation, CorrelationBody, CorrelationKind, Document, Text, Threshold};
use super::group::{self, Named};
use super::heading::{self, Part};
use super::reference::{Reference, Referred};
use crate::backend::{ReasonCode, Request, Verdict};
use crate::ir::{Predicate, SignalId, Stage, Value};
use crate::schema::Duration;
use crate::source::{Span, Spanned};

/// What a correlation asks of the events of its rules.
pub(super) struct Wanted<'a> {
    /// Its kind.
    pub(super) kind: CorrelationKind,
    /// The signals, in the order of a sequence.
    pub(super) signals: Vec<SignalId>,
    /// The value that is counted or measured, of the first signal's events.
    pub(super) counted: Option<&'a Spanned<Value>>,
    /// Which of the events count.
    pub(super) filter: Option<&'a Spanned<Predicate>>,
    /// How many are enough; `None` where each rule is wanted once.
    pub(super) bound: Option<(Bound, u64)>,
    /// Length of the window.
    pub(super) window: Spanned<Duration>,
    /// Whether the detection asks for clock-aligned windows.
    pub(super) fixed: bool,
}

impl Wanted<'_> {
    /// A correlation that wants each rule once.
    pub(super) const fn new(kind: CorrelationKind, signals: Vec<SignalId>, window: Spanned<Duration>) -> Self {
        Self { kind, signals, counted: None, filter: None, bound: None, window, fixed: false }
    }
}

/// The documents of a correlation.
pub(super) struct Lowered {
    /// The correlation, then what it refers to.
    pub(super) documents: Vec<Document>,
    /// What the correlation calls each key of its stage.
    pub(super) keys: Vec<Option<String>>,
}

/// Lowers to the documents of a part: the correlation, then its rules.
pub(super) fn lower(
    request: &Request<'_>,
    stage: &Stage,
    part: &Part<'_>,
    wanted: &Wanted<'_>,
    verdict: &mut Verdict,
) -> Option<Lowered> {
    let detection = request.detection;
    let timespan = timespan(wanted.window, verdict);
    verdict.add(ReasonCode::WindowUnspecified, wanted.window.span, about_window(wanted));
    let mut referred: Vec<Referred> = Vec::new();
    let reference = Reference { request, stage, wanted };
    for signal in wanted.signals.iter().filter_map(|id| stage.signal(*id)) {
        referred.extend(reference.rules(signal, &part.inside(&signal.name.node), verdict));
    }
    let field = match wanted.counted {
        Some(value) => Some(counted(&referred, value.span, verdict)?),
        None => None,
    };
    let rules: Vec<&Named> = referred.iter().map(|rule| &rule.named).collect();
    let grouping = group::by_keys(&stage.keys, &rules);
    let body = CorrelationBody {
        kind: wanted.kind,
        rules: rules.iter().map(|rule| Text(rule.rule.clone())).collect(),
        aliases: grouping.aliases,
        group_by: grouping.group_by,
        timespan: timespan?,
        condition: wanted.bound.map(|(bound, number)| Threshold { field: field.map(Text), bound, number }),
    };
    let (heading, footing) = if part.is_whole() {
        (heading::of_detection(detection), heading::end_of_detection(detection))
    } else {
        (heading::of_part(detection, part), heading::end_of_part(detection, part))
    };
    let mut documents = vec![Document::Correlation(Correlation { heading, correlation: body, footing })];
    documents.extend(referred.into_iter().flat_map(|rule| rule.documents));
    Some(Lowered { documents, keys: grouping.names })
}

/// What Sigma leaves open about the windows.
fn about_window(wanted: &Wanted<'_>) -> String {
    let mut message = if wanted.fixed {
        "Sigma leaves the kind of window to the converter, so the windows need not be those that the clock cuts, nor the \
         time of a hit their end"
            .to_owned()
    } else {
        "Sigma leaves the kind of window to the converter; most of them cut the time line into fixed windows and miss \
         hits that lie across a border, and none reports every instant"
            .to_owned()
    };
    if wanted.counted.is_some() {
        message.push_str("; an event without the counted value closes no hit");
    }
    if wanted.filter.is_some() {
        message.push_str("; an event that is not counted closes no hit");
    }
    message
}

/// The name of the field that is counted, which all rules have to share.
fn counted(referred: &[Referred], span: Span, verdict: &mut Verdict) -> Option<String> {
    let mut names = referred.iter().map(|rule| rule.counted.clone());
    let first = names.next()??;
    if names.any(|name| name.is_some_and(|name| name != first)) {
        let message = "Sigma counts one field, and the sources call it differently; write a detection for each source";
        verdict.add(ReasonCode::UnsupportedExpression, span, message);
        return None;
    }
    Some(first)
}

fn timespan(window: Spanned<Duration>, verdict: &mut Verdict) -> Option<String> {
    if window.node.is_whole_seconds() {
        return Some(window.node.to_string());
    }
    let message = format!("Sigma has no unit below a second, so it cannot say `{}`", window.node);
    verdict.add(ReasonCode::UnsupportedBehavior, window.span, message);
    None
}
