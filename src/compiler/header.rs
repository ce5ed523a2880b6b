//! The comment at the head of a query: what it is, how exact, when it runs.

use crate::backend::{Query, Verdict};
use crate::ir::{Detection, Schedule};
use crate::schema::mapping::TargetProfile;
use crate::source::Sources;

/// The header of a query's file.
pub(super) fn lines(
    sources: &Sources,
    detection: &Detection,
    target: &TargetProfile,
    schedule: Schedule,
    verdict: &Verdict,
    query: &Query,
) -> String {
    let mut lines = vec![
        format!("{}: {}", detection.name.node, detection.metadata.title),
        format!("id {}, version {}, target {}", detection.metadata.id, detection.metadata.version, target.name),
        format!("fidelity: {}", verdict.fidelity()),
    ];
    for reason in &verdict.reasons {
        let place = place(sources, reason.span);
        lines.push(format!("- {} at {place}: {}", reason.code.as_str(), reason.message));
    }
    for assumption in &verdict.assumptions {
        lines.push(format!("assumes: {assumption}"));
    }
    lines.push(format!(
        "schedule: every {}, lag {}, look-back {}, reads {}",
        schedule.interval,
        schedule.lag,
        schedule.lookback,
        schedule.range()
    ));
    for (name, value) in &query.deployment {
        lines.push(format!("{name} = {value}"));
    }
    for (name, reason) in &query.missing_columns {
        lines.push(format!("column {name} is not in the result: {reason}"));
    }
    let (open, close) = match query.comment {
        // Splunk's comments stand between triple back-quotes.
        "```" => ("``` ", " ```"),
        other => (other, ""),
    };
    let mut text = String::new();
    for line in lines {
        let line = single_line(&line, close);
        let gap = if open.ends_with(' ') { "" } else { " " };
        text.push_str(&format!("{open}{gap}{line}{close}\n"));
    }
    text
}

/// A text that cannot leave the comment: one line, and no back-quotes where they end it.
fn single_line(text: &str, close: &str) -> String {
    let folded: String = text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    let folded = if close.is_empty() { folded } else { folded.replace('`', "'") };
    folded.trim_end().to_owned()
}

/// A place as people write it: `file:line:column`.
pub(super) fn place(sources: &Sources, span: crate::source::Span) -> String {
    let path = sources.get(span.file).map_or("", |file| file.path.as_str());
    match sources.position(span.file, span.start) {
        Some(position) => format!("{path}:{}:{}", position.line, position.column),
        None => path.to_owned(),
    }
}
