//! What each target makes of a detection: its verdict, what its query cannot see, its schedule.

use std::fmt::Write as _;

use crate::cli::session::Loaded;
use crate::compiler::{self, Compiled};
use crate::ir::Schedule;

/// Writes the schedule and the verdict of each target.
pub(super) fn write(loaded: &Loaded, targets: &[String], text: &mut String) {
    let compiled = compiler::compile(&loaded.project, &loaded.sources, &loaded.checked, targets);
    text.push('\n');
    let first = compiled.first().map(|pair| pair.schedule);
    let alike = compiled.iter().all(|pair| Some(pair.schedule) == first);
    if let Some(schedule) = first.filter(|_| alike) {
        let _ = writeln!(text, "The query {}.", schedule_in_words(schedule));
    }
    for pair in &compiled {
        one(pair, !alike, text);
    }
    for left_out in targets.iter().filter(|target| !compiled.iter().any(|pair| pair.target == **target)) {
        let _ = writeln!(text, "  {left_out}: not compiled, `targets` names others");
    }
}

fn one(pair: &Compiled, with_schedule: bool, text: &mut String) {
    let verdict = &pair.output.verdict;
    let language = pair.output.query.as_ref().map(|query| format!(" ({})", query.language)).unwrap_or_default();
    let _ = writeln!(text, "  {}{language}: {}", pair.target, verdict.fidelity());
    for reason in &verdict.reasons {
        let _ = writeln!(text, "    - {}: {}", reason.code.as_str(), reason.message);
    }
    if with_schedule {
        let _ = writeln!(text, "    {}", schedule_in_words(pair.schedule));
    }
    for assumption in &verdict.assumptions {
        let _ = writeln!(text, "    assumes: {assumption}");
    }
    for (column, reason) in pair.output.query.iter().flat_map(|query| &query.missing_columns) {
        let _ = writeln!(text, "    does not show {column}: {reason}");
    }
}

fn schedule_in_words(schedule: Schedule) -> String {
    let Schedule { interval, lag, lookback } = schedule;
    format!("runs every {interval}, waits {lag} for late events and looks back {lookback}")
}
