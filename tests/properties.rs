//! What holds for every input, tried on random ones.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::collections::BTreeSet;
use std::sync::LazyLock;

use detc::compiler::{self, Project, Settings};
use detc::diagnostic::{Diagnostics, Format, write};
use detc::ir::{Decimal, Regex};
use detc::schema::Duration;
use detc::source::{FileId, Sources, Span};
use detc::syntax::{parse_behavior, parse_expression};
use detc::yaml;
use proptest::prelude::*;

static SHIPPED: LazyLock<(Project, Sources)> = LazyLock::new(|| {
    let mut sources = Sources::default();
    let (project, _) = compiler::load(None, &mut sources);
    (project, sources)
});

/// Pieces of which expressions and behaviours are made, and pieces that disturb them.
const PIECES: [&str; 72] = [
    "and",
    "or",
    "not",
    "in",
    "as",
    "where",
    "like",
    "matches",
    "contains",
    "starts_with",
    "cased",
    "true",
    "by",
    "within",
    "count",
    "distinct",
    "any",
    "first",
    "exists",
    "lower",
    "AND",
    "is null",
    "until",
    "no",
    "then",
    "a",
    "b",
    "eventName",
    "userIdentity.arn",
    "target",
    "`x-y`",
    "$p",
    "[Key]",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "->",
    "=>",
    "=",
    "==",
    "!=",
    "<",
    ">=",
    "<>",
    "=~",
    "&&",
    "|",
    "!",
    ",",
    ".",
    "-",
    "#",
    "/",
    "\"a\"",
    "'b'",
    "\"",
    "'",
    "`",
    "\\",
    "\"\\d\"",
    "\"\\\"\"",
    "1",
    "-5",
    "1.5",
    "15m",
    "1h30m",
    "10.0.0.0/8",
    "99999999999999999999",
    "é",
];

/// Text made of pieces of the language.
fn near_language() -> impl Strategy<Value = String> {
    let blank = prop_oneof![8 => Just(" "), 3 => Just(""), 1 => Just("\n"), 1 => Just("\t")];
    prop::collection::vec((prop::sample::select(PIECES.to_vec()), blank), 0..16)
        .prop_map(|pieces| pieces.into_iter().map(|(piece, blank)| format!("{piece}{blank}")).collect())
}

/// Any text, or text made of pieces of the language.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![3 => near_language(), 1 => any::<String>(), 1 => "[ -~\n]{0,60}"]
}

/// The text of a detection in which a few bytes were replaced.
fn near_detection() -> impl Strategy<Value = String> {
    let pieces = vec![
        "#", " #", ": ", ":", "- ", "{", "}", "[", "]", "\"", "'", "`", "|", ">", "&a", "*a", "!t", "\t", "\n", "\r\n",
        "---\n", "null", "~", "é", "\u{feff}", "5", ",", "{{", "}}", "  ", "",
    ];
    let edit = (any::<prop::sample::Index>(), 0_usize..6, prop::sample::select(pieces));
    prop::collection::vec(edit, 1..5).prop_map(|edits| {
        let mut text = DETECTION.to_owned();
        for (place, removed, piece) in edits {
            let start = place.index(text.len() + 1);
            let start = (0..=start).rev().find(|offset| text.is_char_boundary(*offset)).unwrap();
            let end = (start + removed).min(text.len());
            let end = (end..=text.len()).find(|offset| text.is_char_boundary(*offset)).unwrap();
            text.replace_range(start..end, piece);
        }
        text
    })
}

const DETECTION: &str = "\
detection: random
id: 00000000-0000-4000-8000-000000000001
title: Random
status: test
severity: high
description: >
  Two lines
  of text.
attack: { strategy: DET0078, techniques: [T1059.009] }
parameters:
  Window: { type: duration, default: 30m }
  Names: { type: list<string>, default: [CreateUser, RunInstances] }
signals:
  call:
    source: aws.cloudtrail
    where: userIdentity.type == \"AssumedRole\" and not userAgent like \"*.amazonaws.com\"
    let: { session: userIdentity.arn, address: sourceIPAddress }
  privileged:
    source: aws.cloudtrail
    where: |
      eventName in $Names
      and not exists(errorCode)
    let: { session: userIdentity.arn, address: sourceIPAddress }
behavior: call -> privileged by session within $Window where call.address != privileged.address
exceptions:
  - when: userAgent matches '^Boto3/[0-9]+'
    owner: team
    reason: our own scripts
    expires: 2027-06-30
alert:
  title: \"{{ session }} moved to {{ privileged.address }}\"
  suppress: { by: [session], for: 1h }
tests:
  - name: moved
    events:
      - { at: 0s, source: aws.cloudtrail, event: { eventName: CreateUser, userIdentity.type: AssumedRole } }
    expect: { alerts: 1, at: [29m] }
";

/// Checks that findings lie inside a text, at the borders of characters.
fn inside(found: &Diagnostics, text: &str) -> Result<(), TestCaseError> {
    for diagnostic in found {
        for span in diagnostic.span.iter().chain(diagnostic.notes.iter().map(|(span, _)| span)) {
            let range = usize::try_from(span.start).unwrap()..usize::try_from(span.end).unwrap();
            prop_assert!(text.get(range).is_some(), "{span:?} of {} bytes: {}", text.len(), diagnostic.message);
        }
        prop_assert!(!diagnostic.message.is_empty());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn every_text_is_an_expression_or_answered(text in text()) {
        let (expression, found) = parse_expression(&text, &|range| Span::new(FileId(0), range.start, range.end));
        inside(&found, &text)?;
        prop_assert!(expression.is_some() || found.has_errors());
    }

    #[test]
    fn every_text_is_a_behaviour_or_answered(text in text()) {
        let (behavior, found) = parse_behavior(&text, &|range| Span::new(FileId(0), range.start, range.end));
        inside(&found, &text)?;
        prop_assert!(behavior.is_some() || found.has_errors());
    }

    #[test]
    fn every_text_is_yaml_or_answered(text in text()) {
        let (tree, found) = yaml::parse(FileId(0), &text);
        inside(&found, &text)?;
        prop_assert!(tree.is_some() || found.has_errors());
    }

    #[test]
    fn every_regular_expression_is_read_as_it_is_printed(text in "[ab.^$|?*+()\\[\\]{}\\\\\\-d:1,é]{0,14}") {
        if let Ok(regex) = Regex::parse(&text) {
            let printed = regex.to_string();
            prop_assert_eq!(Regex::parse(&printed), Ok(regex), "{} printed as {}", text, printed);
        }
    }

    #[test]
    fn a_refused_regular_expression_has_a_place_inside(text in "[ab.^$|?*+()\\[\\]{}\\\\\\-pPbki<>:=!1,é&~]{0,14}") {
        if let Err(error) = Regex::parse(&text) {
            prop_assert!(text.get(error.range.clone()).is_some(), "{:?} of {}", error.range, text);
            prop_assert!(!error.message.is_empty());
        }
    }

    #[test]
    fn decimals_are_read_as_they_are_written(whole in any::<i64>(), fraction in "[0-9]{1,20}") {
        let decimal = Decimal::parse(&format!("{whole}.{fraction}")).unwrap();
        prop_assert_eq!(Decimal::parse(&decimal.to_string()), Some(decimal));
    }

    #[test]
    fn durations_are_read_as_they_are_written(milliseconds in any::<u64>()) {
        let duration = Duration::from_milliseconds(milliseconds);
        prop_assert_eq!(duration.to_string().parse::<Duration>().ok(), Some(duration));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn every_damaged_detection_is_compiled_or_answered(text in near_detection()) {
        let (project, shipped) = &*SHIPPED;
        let mut sources = shipped.clone();
        let file = sources.add("random.yml", text.as_str());
        let settings = Settings { today: "2026-06-01".to_owned(), ..Settings::default() };
        let checked = compiler::check(project, &sources, file, &settings);
        inside(&checked.diagnostics, &text)?;
        let compiled = !checked.detections.is_empty();
        prop_assert!(compiled != checked.diagnostics.has_errors());
        let found = checked.diagnostics.into_sorted();
        for format in [Format::Text, Format::Json, Format::Sarif, Format::Github] {
            let mut out = Vec::new();
            write(format, &found, &sources, false, &mut out).unwrap();
            prop_assert!(String::from_utf8(out).is_ok());
        }
    }

    #[test]
    fn a_finding_is_reported_once(text in near_detection()) {
        let (project, shipped) = &*SHIPPED;
        let mut sources = shipped.clone();
        let file = sources.add("random.yml", text.as_str());
        let checked = compiler::check(project, &sources, file, &Settings::default());
        let mut seen = BTreeSet::new();
        for diagnostic in &checked.diagnostics {
            let finding = (diagnostic.code, diagnostic.span, diagnostic.message.clone());
            prop_assert!(seen.insert(finding), "twice: {}", diagnostic.message);
        }
    }
}
