//! Runs the tests that stand in detections.
//!
//! Never decides what a detection means: it builds events, asks the evaluator, and compares.

mod expectation;
mod fixture;

use std::collections::BTreeMap;

use crate::analysis::{self, Context};
use crate::eval::{self, Event, Hit};
use crate::ir::Detection;
use crate::source::{FileId, Span};
use crate::syntax::{self, DetectionFile, document};
use crate::yaml;

pub use expectation::offset_text;
pub use fixture::{raw_event, source_of};

/// What came of one test.
#[derive(Debug, Clone)]
pub struct TestResult {
    /// What the test shows.
    pub name: String,
    /// Where it stands.
    pub span: Span,
    /// What differs from the expectation, or why the test could not run; empty where it passed.
    pub failures: Vec<String>,
    /// The events in the order of their times, each with the signals that it belongs to.
    pub timeline: Vec<String>,
    /// The hits, each with whether it raised an alert.
    pub hits: Vec<String>,
}

/// Reads a file that a test names, by its path from the detection's folder; the error says why not.
pub type ReadFile<'a> = &'a dyn Fn(&str) -> Result<String, String>;

/// Runs every test of a detection file in its order; a file that cannot be read has none.
#[must_use]
pub fn run(file: FileId, text: &str, context: &Context<'_>, read: ReadFile<'_>) -> Vec<TestResult> {
    let (Some(tree), _) = yaml::parse(file, text) else { return Vec::new() };
    let (file, _) = syntax::read_detection(file, tree);
    let tests = file.document.tests.iter().enumerate();
    tests.map(|(index, test)| one(&file, index, test, context, read)).collect()
}

fn one(
    file: &DetectionFile,
    index: usize,
    test: &document::Test,
    context: &Context<'_>,
    read: ReadFile<'_>,
) -> TestResult {
    let span = file.span(&format!("/tests/{index}"));
    let mut result =
        TestResult { name: test.name.clone(), span, failures: Vec::new(), timeline: Vec::new(), hits: Vec::new() };
    let prepared = detection(file, test, context).and_then(|detection| {
        let start = fixture::start(test)?;
        Ok((fixture::events(file, index, test, start, &detection, context.catalog, read)?, detection, start))
    });
    let (mut events, detection, start) = match prepared {
        Ok(prepared) => prepared,
        Err(failure) => {
            result.failures.push(failure);
            return result;
        }
    };
    let hits = eval::evaluate(&detection, events.clone());
    let alerts = eval::alerts(&detection, hits.clone());
    result.failures = expectation::compare(&test.expect, &hits, &alerts, start);
    events.sort_by_key(|event| event.time);
    result.timeline = events.iter().map(|event| event_line(&detection, event, start)).collect();
    result.hits = hits.iter().map(|hit| hit_line(hit, &alerts, start)).collect();
    result
}

/// The detection with the parameters of the test.
fn detection(file: &DetectionFile, test: &document::Test, context: &Context<'_>) -> Result<Detection, String> {
    let mut settings: BTreeMap<String, String> = context.settings.clone();
    for (name, value) in &test.parameters {
        if !file.document.parameters.contains_key(name) {
            return Err(format!("the detection has no parameter `{name}`"));
        }
        settings.insert(name.clone(), setting(value).map_err(|why| format!("parameter `{name}`: {why}"))?);
    }
    let (detection, found) = analysis::analyse(file, &Context { settings: &settings, ..*context });
    detection.ok_or_else(|| {
        let mut sorted = found.into_sorted().into_iter();
        let error = sorted.find(|diagnostic| diagnostic.severity == crate::diagnostic::Severity::Error);
        error.map_or_else(|| "the detection has errors".to_owned(), |error| error.message)
    })
}

/// A parameter's value as the text that a command line would give.
fn setting(value: &serde_json::Value) -> Result<String, String> {
    let scalar = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let Some(items) = value.as_array() else { return Ok(scalar(value)) };
    let items: Vec<String> = items.iter().map(scalar).collect();
    if items.iter().any(|item| item.contains(',')) {
        return Err("an item with a comma cannot be given in a test".to_owned());
    }
    Ok(items.join(","))
}

fn event_line(detection: &Detection, event: &Event, start: i64) -> String {
    let signals = eval::memberships(detection, event);
    let signals = if signals.is_empty() { "no signal".to_owned() } else { signals.join(", ") };
    format!("{} {}: {signals}", offset_text(event.time, start), event.source)
}

fn hit_line(hit: &Hit, alerts: &[Hit], start: i64) -> String {
    let mut line = offset_text(hit.time, start);
    for (name, value) in &hit.keys {
        line.push_str(&format!(" {name}={value}"));
    }
    let events: Vec<String> =
        hit.events.iter().map(|event| format!("{} {}", event.step, offset_text(event.event.time, start))).collect();
    let suppressed = if alerts.contains(hit) { "" } else { ", suppressed" };
    format!("{line} ({}){suppressed}", events.join(", "))
}
