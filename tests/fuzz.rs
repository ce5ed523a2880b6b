//! Whatever stands in a log, no shipped detection makes the evaluator panic, and the order of the log changes nothing.
//!
//! Events are wrecked field by field: wrong types, huge numbers, long texts, lists for scalars, deep nesting, and lines
//! that were cut or had bytes turned. `DETC_FUZZ_EVENTS` says how many; `DETC_FUZZ_SEED` repeats a run.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use detc::compiler::{self, Settings};
use detc::eval::{self, Event};
use detc::ir::Detection;
use detc::schema::{Members, Source, Type};
use detc::source::{FileId, Sources};
use serde_json::{Map, Value as Json, json};

/// Events of a plain `cargo test`, which is to stay fast.
const EVENTS: usize = 2_000;

/// Events that one evaluation sees together, so that windows and chains meet them.
const BATCH: usize = 25;

/// Numbers in a row that nobody would guess; the same for the same seed (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % count as u64).unwrap()
    }

    fn one_of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }
}

fn from_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().unwrap())
}

/// Every shipped detection and example.
fn detections() -> Vec<Detection> {
    std::env::set_current_dir(env!("CARGO_MANIFEST_DIR")).unwrap();
    let mut sources = Sources::default();
    let (project, _) = compiler::load(None, &mut sources);
    let first = FileId(u32::try_from(sources.iter().count()).unwrap());
    compiler::collect(&["detections".to_owned(), "examples".to_owned()], &mut sources).unwrap();
    let settings = Settings { today: "2026-11-30".to_owned(), ..Settings::default() };
    compiler::check(&project, &sources, first, &settings).detections
}

/// A value of the declared type, as a source would send it.
fn proper(random: &mut Random, ty: &Type, members: &Members, values: &[&str]) -> Json {
    match ty {
        Type::Bool => json!(random.below(2) == 0),
        Type::Int => json!(random.below(500)),
        Type::Float => json!(0.25 * random.below(500) as f64),
        Type::Text | Type::Duration if !values.is_empty() => json!(random.one_of(values)),
        Type::Text | Type::Duration => json!(random.one_of(&["ana@example.com", "Root", "x", "SUCCESS"])),
        Type::Ip => json!(random.one_of(&["198.51.100.7", "10.0.0.1", "2001:db8::1", "iam.amazonaws.com"])),
        Type::Time => json!("2026-01-05T00:00:00Z"),
        Type::List(item) => {
            let count = random.below(3);
            Json::Array((0..count).map(|_| proper(random, item, members, values)).collect())
        }
        Type::Object => object(random, members),
    }
}

fn object(random: &mut Random, members: &Members) -> Json {
    let mut object = Map::new();
    for (name, field) in &members.named {
        // Wide schemas are thinned, so that an event stays an event.
        if random.below(3) > 0 {
            let values: Vec<&str> = field.values.values.iter().map(String::as_str).take(40).collect();
            object.insert(name.clone(), proper(random, &field.ty, &field.members, &values));
        }
    }
    Json::Object(object)
}

/// Something that no field expects.
fn odd(random: &mut Random) -> Json {
    match random.below(22) {
        0 => Json::Null,
        1 => json!(""),
        2 => json!([]),
        3 => json!({}),
        4 => json!([null, "", [], {}, [[]]]),
        5 => json!(u64::MAX),
        6 => json!(i64::MIN),
        7 => json!(1e308),
        8 => json!(-1e-308),
        9 => json!("9".repeat(400)),
        10 => json!(format!("-0.{}1", "0".repeat(400))),
        11 => json!("x".repeat(20_000)),
        12 => json!("\u{0}\u{feff}\u{212a}ß\u{1f9ff}\u{202e}\r\n\t\"\\'`$"),
        13 => (0..60).fold(json!(1), |inner, _| json!([inner])),
        14 => (0..60).fold(json!("x"), |inner, _| json!({ "x": inner, "": null })),
        15 => json!([1, "1", 1.0, true, "true"]),
        16 => json!("0001-01-01T00:00:00Z"),
        17 => json!("+262143-12-31T23:59:59.999999999Z"),
        18 => json!("1.2.3.4.5/33%eth0"),
        19 => json!(false),
        20 => json!((0..300).collect::<Vec<_>>()),
        _ => json!(2.5),
    }
}

/// Replaces, wraps or removes one value somewhere below.
fn wreck(random: &mut Random, value: &mut Json) {
    match value {
        Json::Object(members) if !members.is_empty() && random.below(6) > 0 => {
            let place = random.below(members.len());
            if random.below(12) == 0 {
                let name = members.keys().nth(place).unwrap().clone();
                members.remove(&name);
            } else {
                wreck(random, members.values_mut().nth(place).unwrap());
            }
        }
        Json::Array(items) if !items.is_empty() && random.below(4) > 0 => {
            let place = random.below(items.len());
            wreck(random, &mut items[place]);
        }
        value => {
            *value = match random.below(6) {
                0 => json!([value.clone()]),
                1 => json!([value.clone(), odd(random), value.clone()]),
                2 => json!({ "value": value.clone() }),
                3 => json!(value.to_string()),
                _ => odd(random),
            }
        }
    }
}

/// The event as a line with a few bytes turned, cut or doubled, where that still is JSON.
fn scratched(random: &mut Random, fields: &Json) -> Option<Json> {
    let mut line = serde_json::to_vec(fields).unwrap();
    for _ in 0..=random.below(3) {
        if line.is_empty() {
            return None;
        }
        let place = random.below(line.len());
        match random.below(3) {
            0 => line[place] = random.next().to_le_bytes()[0],
            1 => line.insert(place, *random.one_of(b"0123456789eE+-.\"[]{},:\\u")),
            _ => drop(line.remove(place)),
        }
    }
    serde_json::from_slice(&line).ok()
}

fn event(random: &mut Random, source: &Source) -> Event {
    let mut fields = object(random, &source.root);
    for _ in 0..random.below(4) {
        wreck(random, &mut fields);
    }
    if random.below(4) == 0 {
        fields = scratched(random, &fields).unwrap_or(fields);
    }
    let time = match random.below(40) {
        0 => *random.one_of(&[i64::MIN, i64::MAX, -1, 0, i64::MIN + 1, i64::MAX - 1]),
        1 => 1_767_571_200_000_000 + i64::from(random.next().to_le_bytes()[0]) * 86_400_000_000,
        _ => 1_767_571_200_000_000 + i64::try_from(random.below(7_200)).unwrap() * 1_000_000,
    };
    Event::new(source.name.as_str(), time, fields)
}

#[test]
fn no_event_makes_a_detection_panic() {
    let seed = from_environment("DETC_FUZZ_SEED", 1);
    let wanted = usize::try_from(from_environment("DETC_FUZZ_EVENTS", EVENTS as u64)).unwrap();
    let mut random = Random(seed);
    let detections = detections();
    assert!(detections.len() >= 40, "only {} detections", detections.len());
    let mut sources: Vec<Arc<Source>> = Vec::new();
    for source in detections.iter().flat_map(Detection::sources) {
        if sources.iter().all(|known| known.name != source.name) {
            sources.push(source.clone());
        }
    }
    let mut made = 0;
    let mut batch = 0;
    while made < wanted {
        let source = sources[batch % sources.len()].clone();
        batch += 1;
        let events: Vec<Event> = (0..BATCH).map(|_| event(&mut random, &source)).collect();
        made += events.len();
        for detection in detections.iter().filter(|one| one.sources().iter().any(|own| own.name == source.name)) {
            let judged = catch_unwind(AssertUnwindSafe(|| judge(detection, &events)));
            assert!(judged.is_ok(), "`{}` with these events:\n{}", detection.name.node, lines(&events));
        }
    }
}

fn judge(detection: &Detection, events: &[Event]) {
    for event in events.iter().take(3) {
        let _ = eval::memberships(detection, event);
    }
    let hits = eval::evaluate(detection, events.to_vec());
    let alerts = eval::alerts(detection, hits.clone());
    assert!(alerts.len() <= hits.len());
    let turned: Vec<Event> = events.iter().rev().cloned().collect();
    assert_eq!(hits, eval::evaluate(detection, turned), "the order of the log counts");
}

fn lines(events: &[Event]) -> String {
    events.iter().map(|event| format!("{} {}\n", event.time, event.text())).collect()
}
