//! `detc test`

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use rayon::prelude::*;
use serde::Serialize;

use super::session::{Format, Loaded, Reading, Session, Stream, counted};
use super::{Outcome, junit};
use crate::analysis::Context;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity};
use crate::verify::{self, Instant, MutationReport, ShownHit, TestResult};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Detections: files, folders, or `-` for standard input.
    #[arg(default_value = "detections")]
    paths: Vec<String>,
    /// Write the results as JUnit XML too.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Change each detection's meaning in small ways, and report the changes that its tests would not notice.
    #[arg(long, conflicts_with = "junit")]
    mutate: bool,
    #[command(flatten)]
    reading: Reading,
}

/// A test that failed, as machines read it.
#[derive(Serialize)]
struct Failure<'a> {
    detection: &'a str,
    test: &'a str,
    file: &'a str,
    line: usize,
    failures: &'a [String],
    timeline: &'a [Instant],
    hits: &'a [ShownHit],
}

/// Runs the tests of detections with the reference evaluator.
pub(super) fn run(session: &Session, arguments: &Arguments) -> Outcome {
    let mut loaded = match session.load(&arguments.paths, &arguments.reading) {
        Ok(loaded) => loaded,
        Err(outcome) => return outcome,
    };
    let settings = arguments.reading.settings();
    let targets: BTreeSet<String> = loaded.project.targets.keys().cloned().collect();
    let context = Context {
        catalog: &loaded.project.catalog,
        attack: &loaded.project.attack,
        lists: &loaded.checked.lists,
        targets: &targets,
        settings: &settings.parameters,
        today: &settings.today,
    };
    let found = std::mem::take(&mut loaded.checked.diagnostics);
    let errors = session.show(found, &loaded.sources, session.beside_result());
    if arguments.mutate {
        let unnoticed = mutate(session, &loaded, &context);
        return if errors || unnoticed { Outcome::Findings } else { Outcome::Fine };
    }
    let results = results(&loaded, &context);
    let tests = || results.iter().flat_map(|(_, tests)| tests);
    let failed = tests().filter(|test| !test.failures.is_empty()).count();
    let passed = tests().count() - failed;
    let written = match session.format {
        Format::Text | Format::Json | Format::Table => session.print(&report(session.format, &results, &loaded)),
        Format::Sarif | Format::Github => {
            session.show(findings(tests()), &loaded.sources, Stream::Out);
            Outcome::Fine
        }
    };
    if let Some(path) = &arguments.junit
        && let Err(error) = std::fs::write(path, junit::document(&results))
    {
        session.complain(&format!("`{}` cannot be written: {error}", path.display()));
        return Outcome::Usage;
    }
    let detections = counted(loaded.checked.detections.len(), "detection");
    session.summary(&format!("{} passed, {failed} failed in {detections}", counted(passed, "test")));
    if errors || failed > 0 { Outcome::Findings } else { written }
}

/// Reports the changes of meaning that no test notices, and tells whether there are any.
fn mutate(session: &Session, loaded: &Loaded, context: &Context<'_>) -> bool {
    let detections = loaded.checked.detections.par_iter();
    let reports: Vec<MutationReport> = detections
        .filter_map(|detection| {
            let file = loaded.sources.get(detection.file)?;
            Some(verify::mutate(detection, &file.text, context, &reader(&file.path)))
        })
        .collect();
    let findings: Diagnostics = reports.iter().flat_map(changes).collect();
    let found = session.show(findings, &loaded.sources, Stream::Out);
    let noticed: usize = reports.iter().map(|report| report.noticed).sum();
    let unnoticed: usize = reports.iter().map(|report| report.unnoticed.len()).sum();
    let undecided: usize = reports.iter().map(|report| report.undecided.len()).sum();
    let total = counted(noticed + unnoticed + undecided, "change");
    let open = if undecided == 0 { String::new() } else { format!(", {undecided} undecided (`-v` shows them)") };
    session.summary(&format!("{total} of meaning: {noticed} noticed, {unnoticed} unnoticed{open}"));
    found
}

/// What came of the changes of one detection, as findings.
fn changes(report: &MutationReport) -> Vec<Diagnostic> {
    let failed = report.failed.iter().map(|(span, name)| {
        let message = format!("test `{name}` fails without any change");
        Diagnostic::new(Code::FailedTest, *span, message).help("`detc test` shows why")
    });
    let untested = report.untested.iter().map(|span| {
        let message = "the detection has no tests, so that no change of its meaning would be noticed";
        Diagnostic::new(Code::UnnoticedChange, *span, message)
            .help("add `tests:` with events that raise an alert and events that do not")
    });
    let unnoticed = report.unnoticed.iter().map(|one| {
        let message = format!("{} would go unnoticed", one.change);
        let hits = |times: &[String]| match times {
            [] => "no hit".to_owned(),
            [only] => format!("a hit at {only}"),
            several => format!("hits at {}", several.join(", ")),
        };
        let (expected, changed) = (hits(&one.expected), hits(&one.changed));
        let outcome = if expected == changed { "the same times, but other keys".to_owned() } else { changed };
        Diagnostic::new(Code::UnnoticedChange, one.span, message)
            .label("no test fails when this is changed")
            .help(format!("a test would: {} ({expected}; with the change {outcome})", one.events))
    });
    let undecided = report.undecided.iter().map(|(span, change)| {
        let message = format!("{change} goes unnoticed, and may mean the same");
        Diagnostic::new(Code::UnnoticedChange, *span, message)
            .label("no events were found that show the change")
            .severity(Severity::Hint)
    });
    failed.chain(untested).chain(unnoticed).chain(undecided).collect()
}

/// The results of every detection, by name.
fn results(loaded: &Loaded, context: &Context<'_>) -> Vec<(String, Vec<TestResult>)> {
    let mut results = Vec::new();
    for detection in &loaded.checked.detections {
        let Some(file) = loaded.sources.get(detection.file) else { continue };
        let read = reader(&file.path);
        results.push((detection.name.node.clone(), verify::run(detection.file, &file.text, context, &read)));
    }
    results
}

/// Reads files that stand beside a detection.
fn reader(detection: &str) -> impl Fn(&str) -> Result<String, String> {
    let folder = Path::new(detection).parent().unwrap_or(Path::new("")).to_path_buf();
    move |name: &str| {
        std::fs::read_to_string(folder.join(name)).map_err(|error| format!("`{name}` cannot be read: {error}"))
    }
}

/// Every test that failed, as text or as one JSON object on a line.
fn report(format: Format, results: &[(String, Vec<TestResult>)], loaded: &Loaded) -> String {
    let mut text = String::new();
    for (detection, tests) in results {
        for result in tests.iter().filter(|result| !result.failures.is_empty()) {
            let span = result.span;
            let file = loaded.sources.get(span.file).map_or("", |file| file.path.as_str());
            let line = loaded.sources.position(span.file, span.start).map_or(0, |position| position.line);
            if format == Format::Json {
                let (failures, timeline, hits) = (&result.failures, &result.timeline, &result.hits);
                let failure = Failure { detection, test: &result.name, file, line, failures, timeline, hits };
                text.push_str(&serde_json::to_string(&failure).unwrap_or_default());
                text.push('\n');
            } else {
                // Writing to a text cannot fail.
                let _ = write_failure(&mut text, &format!("{file}:{line}"), result);
            }
        }
    }
    text
}

/// Every test that failed, as a finding.
fn findings<'a>(tests: impl Iterator<Item = &'a TestResult>) -> Diagnostics {
    let failed = tests.filter(|result| !result.failures.is_empty());
    let finding = |result: &TestResult| {
        let message = format!("test `{}` failed: {}", result.name, result.failures.join("; "));
        Diagnostic::new(Code::FailedTest, result.span, message).help("`detc test` shows what happened at each instant")
    };
    failed.map(finding).collect()
}

fn write_failure(out: &mut String, place: &str, result: &TestResult) -> std::fmt::Result {
    writeln!(out, "{place}: test `{}` failed", result.name)?;
    for failure in &result.failures {
        writeln!(out, "  {failure}")?;
    }
    if result.timeline.is_empty() {
        writeln!(out, "  no events")?;
    } else {
        writeln!(out, "  events:")?;
    }
    for instant in &result.timeline {
        for event in &instant.events {
            writeln!(out, "    {} {event}", instant.at)?;
        }
        for state in &instant.states {
            writeln!(out, "    {} | {state}", instant.at)?;
        }
    }
    if result.hits.is_empty() {
        return writeln!(out, "  no hits");
    }
    writeln!(out, "  hits:")?;
    result.hits.iter().try_for_each(|hit| writeln!(out, "    {hit}"))
}
