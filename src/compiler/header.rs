//! What the template of a target tells about a query: what it is, how exact, when it runs.

use crate::backend::{Query, Verdict};
use crate::ir::{Detection, Schedule};
use crate::schema::mapping::TargetProfile;
use crate::source::{Sources, Span};
use crate::target::{QueryFacts, ReasonFacts};

/// The facts of one query.
pub(super) fn facts(
    sources: &Sources,
    detection: &Detection,
    target: &TargetProfile,
    schedule: Schedule,
    verdict: &Verdict,
    query: &Query,
) -> QueryFacts {
    let pairs = |map: &std::collections::BTreeMap<String, String>| {
        map.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    };
    let reasons = verdict.reasons.iter().map(|reason| ReasonFacts {
        code: reason.code.as_str(),
        at: place(sources, reason.span),
        message: reason.message.clone(),
    });
    QueryFacts {
        detection: detection.name.node.clone(),
        id: detection.metadata.id.clone(),
        title: detection.metadata.title.clone(),
        version: detection.metadata.version,
        target: target.name.clone(),
        fidelity: verdict.fidelity().as_str(),
        reasons: reasons.collect(),
        assumptions: verdict.assumptions.clone(),
        interval: schedule.interval.to_string(),
        lag: schedule.lag.to_string(),
        lookback: schedule.lookback.to_string(),
        range: schedule.range().to_string(),
        deployment: pairs(&query.deployment),
        missing_columns: pairs(&query.missing_columns),
    }
}

/// A place as people write it: `file:line:column`.
pub(super) fn place(sources: &Sources, span: Span) -> String {
    let path = sources.get(span.file).map_or("", |file| file.path.as_str());
    match sources.position(span.file, span.start) {
        Some(position) => format!("{path}:{}:{}", position.line, position.column),
        None => path.to_owned(),
    }
}
