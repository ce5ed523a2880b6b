//! Events of logs, of which only some values are read, against the same events read whole.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::sync::Arc;

use detc::eval::{Event, Layout};
use detc::schema::FieldPath;
use proptest::prelude::*;
use serde_json::Value as Json;

const PATHS: [&str; 6] = ["a", "b.c", "b.c.d", "b", "e.f", "zz"];

/// Values as logs write them: nested, with escapes, members that come twice, numbers in several spellings, blanks.
fn value() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        prop::sample::select(vec!["1", "1.0", "-0", "10", "1e2", "18446744073709551615"]).prop_map(str::to_owned),
        prop::sample::select(vec!["", "x", "\\u0041", "\\\"", "é", "\\n", "a b", "\u{1f600}"])
            .prop_map(|text| format!("\"{text}\"")),
    ];
    scalar.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(|items| format!("[{}]", items.join(" ,"))),
            object_of(inner),
        ]
    })
}

fn object_of(inner: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["a", "b", "c", "d", "e", "f", "zz", "\\u0061", "é", ""]);
    prop::collection::vec((name, inner), 0..5).prop_map(|members| {
        let members: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\": {value}")).collect();
        format!("{{{}}}", members.join(","))
    })
}

fn recorded(line: &str) -> Event {
    let paths = PATHS.map(FieldPath::parse);
    let record = Arc::new(Layout::new(&paths)).read(line).unwrap().unwrap();
    Event::of_log("log".into(), 0, record, (0, 1))
}

fn whole(line: &str) -> Event {
    Event::new("log", 0, serde_json::from_str(line).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_096, ..ProptestConfig::default() })]

    #[test]
    fn values_are_those_of_the_whole_event(line in object_of(value())) {
        let (recorded, whole) = (recorded(&line), whole(&line));
        for path in PATHS.map(FieldPath::parse) {
            let expected = whole.get(&path).filter(|value| !value.is_null());
            prop_assert_eq!(recorded.get(&path), expected, "{}", path);
        }
        prop_assert_eq!(recorded.whole(), whole.whole());
    }

    #[test]
    fn the_order_of_two_events_is_that_of_their_texts(one in object_of(value()), other in object_of(value())) {
        let expected = whole(&one).text().cmp(whole(&other).text());
        prop_assert_eq!(recorded(&one).compare_text(&recorded(&other)), expected);
        prop_assert_eq!(whole(&one).compare_text(&recorded(&other)), expected);
    }
}

#[test]
fn what_is_no_object_is_no_record() {
    let paths = PATHS.map(FieldPath::parse);
    let layout = Arc::new(Layout::new(&paths));
    for line in ["[]", "1", "\"a\"", "null"] {
        assert!(layout.read(line).unwrap().is_none(), "{line}");
    }
    for line in ["", "{", "{\"a\": tru}", "{\"a\": 1} x", "{\"a\": \"\\x\"}"] {
        assert!(layout.read(line).is_err(), "{line}");
    }
}

#[test]
fn an_event_too_deep_to_be_a_value_is_its_line() {
    let deep = format!("{{\"a\": 1, \"q\": {}{}}}", "[".repeat(200), "]".repeat(200));
    let event = recorded(&deep);
    assert_eq!(event.get(&FieldPath::parse("a")), Some(&Json::from(1)));
    assert_eq!(*event.whole(), Json::from(deep));
}
