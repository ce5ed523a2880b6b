//! What unquoted texts stand for.

use detc::yaml::{to_json, to_yaml};
use serde_json::json;

use super::tree;

#[test]
fn only_what_nobody_doubts_is_more_than_text() {
    let root = tree(concat!(
        "[~, null, Null, '~', true, True, TRUE, false, tRUE, yes, no, on, off, 0, 7, -3, 012, 0x1f, 0o7, 1_000, +1, ",
        "1.5, -0.25, 1., .5, 1e5, 00.5, 1.2.3, 2026-06-30, 1:30, 9223372036854775808, '1', \"true\", .inf, .nan]",
    ));
    let expected = json!([
        null,
        null,
        null,
        "~",
        true,
        true,
        true,
        false,
        "tRUE",
        "yes",
        "no",
        "on",
        "off",
        0,
        7,
        -3,
        "012",
        "0x1f",
        "0o7",
        "1_000",
        "+1",
        1.5,
        -0.25,
        "1.",
        ".5",
        "1e5",
        "00.5",
        "1.2.3",
        "2026-06-30",
        "1:30",
        "9223372036854775808",
        "1",
        "true",
        ".inf",
        ".nan"
    ]);
    assert_eq!(to_json(&root), expected);
    assert_eq!(serde_json::to_value(to_yaml(&root)).unwrap(), expected);
}

#[test]
fn keys_stay_texts_and_keep_their_order() {
    let root = tree("z: 1\n1: {on: \"2\\n\"}\nnull: ~\n");
    assert_eq!(to_json(&root).to_string(), r#"{"z":1,"1":{"on":"2\n"},"null":null}"#);
}

#[test]
fn values_deserialize_into_types() {
    #[derive(serde::Deserialize, PartialEq, Debug)]
    struct Shape {
        count: u32,
        names: Vec<String>,
        missing: Option<String>,
    }
    let root = tree("count: 3\nnames: [a, '1']\nmissing:\n");
    let shape: Shape = serde_yaml::from_value(to_yaml(&root)).unwrap();
    assert_eq!(shape, Shape { count: 3, names: vec!["a".to_owned(), "1".to_owned()], missing: None });
}
