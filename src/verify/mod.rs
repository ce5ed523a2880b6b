//! Runs the tests that stand in detections, and asks what they would not notice.
//!
//! Never decides what a detection means: it builds events, asks the evaluator, and compares.

mod expectation;
mod fixture;
mod mutate;
mod state;
mod timeline;

use crate::analysis::{self, Context};
use crate::eval::{self, Enrichment, Event, Hit};
use crate::ir::Detection;
use crate::source::{FileId, Span};
use crate::syntax::{self, DetectionFile, document};
use crate::yaml;

pub use expectation::offset_text;
pub use fixture::{raw_event, source_of};
pub use mutate::{MutationReport, Unnoticed, mutate};
pub use timeline::{Instant, ShownEvent, ShownHit, ShownStep};

/// What came of one test.
#[derive(Debug, Clone)]
pub struct TestResult {
    /// What the test shows.
    pub name: String,
    /// Where it stands.
    pub span: Span,
    /// What differs from the expectation, or why the test could not run; empty where it passed.
    pub failures: Vec<String>,
    /// What happened at each instant, in order: events, and how far the behaviour has come. Empty where the test passed.
    pub timeline: Vec<Instant>,
    /// The hits, in order. Empty where the test passed.
    pub hits: Vec<ShownHit>,
}

/// Reads a file that a test names, by its path from the detection's folder; the error says why not.
pub type ReadFile<'a> = &'a dyn Fn(&str) -> Result<String, String>;

/// A test that is ready to run.
#[derive(Debug, Clone)]
struct Prepared {
    /// The detection with the parameters of the test.
    detection: Detection,
    /// Whether the test gives parameters.
    is_overridden: bool,
    /// The instant that offsets count from, in microseconds since 1970.
    start: i64,
    /// The events.
    events: Vec<Event>,
    /// What is known of addresses.
    enrichment: Enrichment,
    /// What is expected.
    expected: document::Expectation,
}

/// Runs every test of a detection file in its order; a file that cannot be read has none.
#[must_use]
pub fn run(file: FileId, text: &str, context: &Context<'_>, read: ReadFile<'_>) -> Vec<TestResult> {
    let tests = prepare(file, text, context, read).into_iter();
    tests.map(|(name, span, prepared)| one(name, span, prepared)).collect()
}

/// Every test with its name and its place, ready to run or with the reason why not.
fn prepare(
    file: FileId,
    text: &str,
    context: &Context<'_>,
    read: ReadFile<'_>,
) -> Vec<(String, Span, Result<Prepared, String>)> {
    let (Some(tree), _) = yaml::parse(file, text) else { return Vec::new() };
    let (file, _) = syntax::read_detection(file, tree);
    let tests = file.document.tests.iter().enumerate();
    let prepared = |(index, test): (usize, &document::Test)| {
        let prepared = detection(&file, index, test, context).and_then(|detection| {
            let start = fixture::start(test)?;
            let enrichment = match &test.enrich {
                Some(path) => Enrichment::from_csv(&read(path)?).map_err(|why| format!("`{path}`: {why}"))?,
                None => Enrichment::default(),
            };
            let events = fixture::events(&file, index, test, start, &detection, context.catalog, read)?;
            Ok(Prepared {
                detection,
                is_overridden: !test.parameters.is_empty(),
                start,
                events,
                enrichment,
                expected: test.expect.clone(),
            })
        });
        (test.name.clone(), file.span(&format!("/tests/{index}")), prepared)
    };
    tests.map(prepared).collect()
}

fn one(name: String, span: Span, prepared: Result<Prepared, String>) -> TestResult {
    let mut result = TestResult { name, span, failures: Vec::new(), timeline: Vec::new(), hits: Vec::new() };
    let test = match prepared {
        Ok(prepared) => prepared,
        Err(failure) => {
            result.failures.push(failure);
            return result;
        }
    };
    let (hits, alerts) = outcome(&test.detection, &test);
    result.failures = expectation::compare(&test.expected, &hits, &alerts, test.start);
    if !result.failures.is_empty() {
        result.timeline = timeline::instants(&test);
        result.hits = timeline::shown(&hits, &alerts, test.start);
    }
    result
}

/// The detection with the parameters of the test.
fn detection(
    file: &DetectionFile,
    index: usize,
    test: &document::Test,
    context: &Context<'_>,
) -> Result<Detection, String> {
    if let Some(name) = test.parameters.keys().find(|name| !file.document.parameters.contains_key(*name)) {
        return Err(format!("the detection has no parameter `{name}`"));
    }
    let (file, settings) = analysis::with_test_parameters(file, index, context.settings);
    let (detection, found) = analysis::analyse(&file, &Context { settings: &settings, ..*context });
    detection.ok_or_else(|| {
        let mut sorted = found.into_sorted().into_iter();
        let error = sorted.find(|diagnostic| diagnostic.severity == crate::diagnostic::Severity::Error);
        error.map_or_else(|| "the detection has errors".to_owned(), |error| error.message)
    })
}

/// The hits, before and after suppression.
fn outcome(detection: &Detection, test: &Prepared) -> (Vec<Hit>, Vec<Hit>) {
    let hits = eval::evaluate_with(detection, test.events.clone(), &test.enrichment);
    let alerts = eval::alerts(detection, hits.clone());
    (hits, alerts)
}
