//! Holds the evaluator against the page, and shows a difference as a detection with a test that can be run.

use std::path::Path;
use std::sync::LazyLock;

use detc::compiler::{self, Project, Settings};
use detc::eval::{self, Enrichment, Event};
use detc::ir::Detection;
use detc::source::Sources;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use proptest::{array, collection, prelude::any};

use crate::draw::{Draw, EventBytes};
use crate::event::{Cell, Drawn};
use crate::number::Ratio;
use crate::page::{self, Hit};
use crate::spec::Spec;
use crate::text;
use crate::travel;

/// 2026-01-05T00:00:00Z in milliseconds: where tests of detections start, and a border of every bucket that is drawn.
const START: i64 = 1_767_571_200_000;

/// Cases of each test in a plain `cargo test`, which is to stay fast; `PROPTEST_CASES` asks for more.
const CASES: u32 = 16;

/// Bytes that a detection is drawn from.
const PARAMETERS: usize = 96;

/// Draws detections, and for each a few logs, until one differs.
///
/// A plain run draws the same each time; with `PROPTEST_CASES` every run draws anew.
#[track_caller]
pub fn check(draw: fn(&mut Draw) -> Spec) {
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    let mut config = Config { failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() };
    if !asked {
        config.cases = CASES;
        config.rng_seed = RngSeed::Fixed(1);
    }
    let events = collection::vec(any::<EventBytes>(), 0..14);
    let case = (array::uniform::<_, PARAMETERS>(any::<u8>()), collection::vec(events, 1..5));
    let result = TestRunner::new(config).run(&case, |(parameters, logs)| {
        let spec = draw(&mut Draw::new(&parameters));
        let yaml = text::yaml(&spec);
        let detection = compile(&yaml).map_err(TestCaseError::fail)?;
        for log in logs {
            let mut log: Vec<Drawn> = log.iter().map(|bytes| Draw::new(bytes).event()).collect();
            for event in &mut log {
                event.time *= spec.scale;
            }
            differences(&spec, &detection, &log).map_err(TestCaseError::fail)?;
        }
        Ok(())
    });
    match result {
        Ok(()) => {}
        Err(TestError::Fail(reason, _)) => panic!("{reason}"),
        Err(TestError::Abort(reason)) => panic!("gave up: {reason}"),
    }
}

fn compile(text: &str) -> Result<Detection, String> {
    static PROJECT: LazyLock<Project> = LazyLock::new(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/brute");
        let (project, diagnostics) = compiler::load(Some(&root), &mut Sources::default());
        assert!(!diagnostics.has_errors(), "{diagnostics:#?}");
        project
    });
    let mut sources = Sources::default();
    let file = sources.add("brute.yml", text);
    let settings = Settings { today: "2026-11-30".to_owned(), ..Settings::default() };
    let mut checked = compiler::check(&PROJECT, &sources, file, &settings);
    if checked.diagnostics.has_errors() || checked.detections.is_empty() {
        let found: Vec<String> =
            checked.diagnostics.iter().map(|found| format!("{}: {:?}", found.message, found.help)).collect();
        return Err(format!("does not compile:\n{}\n\n{text}", found.join("\n")));
    }
    Ok(checked.detections.remove(0))
}

static PLACES: LazyLock<Enrichment> = LazyLock::new(|| Enrichment::from_csv(&travel::places()).unwrap());

/// A hit as both sides can be compared: keys, time, numbers.
type Shown = (i64, Vec<String>, Vec<(String, String)>);

fn differences(spec: &Spec, detection: &Detection, log: &[Drawn]) -> Result<(), String> {
    let events: Vec<Event> =
        log.iter().map(|event| Event::new("brute.log", (START + event.time) * 1_000, event.fields.clone())).collect();
    let (hits, alerts) = page::hits(spec, &at_start(log));
    let found = eval::evaluate_with(detection, events.clone(), &PLACES);
    let times = |hits: &[Hit]| hits.iter().map(|hit| hit.time - START).collect::<Vec<_>>();
    let differs = |what: &str, expected: String, got: String| {
        let text = text::runnable(spec, log, &times(&hits));
        Err(format!("{what} differ\n    page: {expected}\n    evaluator: {got}\n\n{text}"))
    };
    let (expected, got) = (of_page(&hits), of_evaluator(&found));
    if expected != got {
        return differs("hits", format!("{expected:?}"), format!("{got:?}"));
    }
    let is_shown = |(page, real): (&Hit, &eval::Hit)| {
        let Some(shown) = real.closing.as_ref().map(|event| event.text()) else {
            return page.closings.iter().all(|row| row.text.is_empty());
        };
        let all_events = page.closings.iter().all(|row| row.is_event);
        page.closings.iter().any(|row| {
            *row.text == *shown && (!all_events || page.closings.last().is_some_and(|last| last.text == row.text))
        })
    };
    if let Some((page, real)) = hits.iter().zip(&found).find(|pair| !is_shown(*pair)) {
        return differs(
            "shown events",
            format!("{:?}", page.closings.last().map(|row| &row.text)),
            format!("{:?}", real.closing.as_ref().map(|event| event.text())),
        );
    }
    let kept = eval::alerts(detection, found.clone());
    if of_page(&alerts) != of_evaluator(&kept) {
        return differs("alerts", format!("{:?}", of_page(&alerts)), format!("{:?}", of_evaluator(&kept)));
    }
    let mut turned = events;
    turned.reverse();
    let middle = turned.len() / 3;
    turned.rotate_left(middle);
    let again = eval::evaluate_with(detection, turned, &PLACES);
    if again != found {
        return differs(
            "hits of the shuffled log",
            format!("{:?}", of_evaluator(&found)),
            format!("{:?}", of_evaluator(&again)),
        );
    }
    Ok(())
}

fn at_start(log: &[Drawn]) -> Vec<Drawn> {
    log.iter().map(|event| Drawn { time: START + event.time, fields: event.fields.clone() }).collect()
}

fn of_page(hits: &[Hit]) -> Vec<Shown> {
    let shown = |hit: &Hit| {
        // A number over no values is left out.
        let number = |(name, number): &(String, Option<Ratio>)| number.map(|number| (name.clone(), number.to_string()));
        let keys = hit.keys.iter().map(Cell::shown).collect();
        (hit.time - START, keys, hit.numbers.iter().filter_map(number).collect())
    };
    let mut shown: Vec<Shown> = hits.iter().map(shown).collect();
    shown.sort();
    shown
}

fn of_evaluator(hits: &[eval::Hit]) -> Vec<Shown> {
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let shown = |hit: &eval::Hit| {
        let numbers = hit.aggregates.iter().map(|(name, number)| (name.clone(), number.to_string())).collect();
        (hit.time / 1_000 - START, hit.keys.iter().map(|(_, value)| text(value)).collect(), numbers)
    };
    let mut shown: Vec<Shown> = hits.iter().map(shown).collect();
    shown.sort();
    shown
}
