//! The four ways in which findings are written.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

use detc::diagnostic::{Code, Diagnostic, Diagnostics, Format, Severity, write};
use detc::source::{FileId, Sources, Span};
use serde_json::{Value, json};

const TEXT: &str = "signals:\n  s:\n    where: eventNaem == \"é\" and ü\n    let: {}\n";

/// Two files and findings in them: a place with label, notes and help; a warning over two lines; one without a place.
fn findings() -> (Sources, Vec<Diagnostic>) {
    let mut sources = Sources::default();
    let file = sources.add("detections/a b,c:50%.yml", TEXT);
    let other = sources.add("schemas/sources/é.yml", "source: x\r\nfields: {}\r\n");
    let mut diagnostics = Diagnostics::new();
    diagnostics.push(
        Diagnostic::new(Code::UnusedSignal, span(file, "s:\n    where"), "signal `s` is never used")
            .note(Span::new(other, 11, 17), "the fields\nare here"),
    );
    diagnostics.push(
        Diagnostic::new(Code::UnknownField, span(file, "eventNaem"), "unknown field `eventNaem`: 100%\nof it")
            .label("not in the schema")
            .note(span(file, "signals"), "in these signals")
            .help("the nearest field is `eventName`")
            .help("or: quote it, please"),
    );
    diagnostics.push(Diagnostic::new(Code::TypeMismatch, span(file, "ü"), "`ü` is no text").severity(Severity::Hint));
    diagnostics.push(Diagnostic::without_place(Code::NothingToDo, "no detections in `detections`").help("name a file"));
    (sources, diagnostics.into_sorted())
}

/// The span of what stands in [`TEXT`].
#[track_caller]
fn span(file: FileId, text: &str) -> Span {
    let start = TEXT.find(text).unwrap();
    Span::new(file, start, start + text.len())
}

fn written(format: Format, color: bool) -> String {
    let (sources, diagnostics) = findings();
    let mut out = Vec::new();
    write(format, &diagnostics, &sources, color, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn text_shows_excerpts_with_carets() {
    insta::assert_snapshot!(written(Format::Text, false), @r#"
    error[E903]: no detections in `detections`
     |
     = help: name a file

    warning[W501]: signal `s` is never used
     --> detections/a b,c:50%.yml:2:3
      |
    2 | /   s:
    3 | |     where: eventNaem == "é" and ü
      | |_________^
      |
     ::: schemas/sources/é.yml:2:1
      |
    2 |   fields: {}
      |   ------ the fields are here

    error[E101]: unknown field `eventNaem`: 100%
                 of it
     --> detections/a b,c:50%.yml:3:12
      |
    1 | signals:
      | ------- in these signals
    2 |   s:
    3 |     where: eventNaem == "é" and ü
      |            ^^^^^^^^^ not in the schema
      |
      = help: the nearest field is `eventName`
      = help: or: quote it, please

    hint[E201]: `ü` is no text
     --> detections/a b,c:50%.yml:3:33
      |
    3 |     where: eventNaem == "é" and ü
      |                                 ^
    "#);
}

#[test]
fn text_is_coloured_on_request_only() {
    let coloured = written(Format::Text, true);
    assert!(coloured.contains("\u{1b}["));
    assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), written(Format::Text, false));
}

#[test]
fn text_of_users_cannot_drive_the_terminal() {
    let mut sources = Sources::default();
    let file = sources.add("a\u{1b}[31m.yml", "k: \u{1b}[2J\u{202e}x\n");
    let finding = Diagnostic::new(Code::InvalidValue, Span::new(file, 3, 8), "bad \u{1b}[2J")
        .label("label \u{1b}[2J")
        .help("help \u{1b}[2J")
        .note(Span::new(file, 0, 1), "note \u{1b}[2J");
    let mut out = Vec::new();
    write(Format::Text, &[finding], &sources, false, &mut out).unwrap();
    assert!(!String::from_utf8(out).unwrap().contains(['\u{1b}', '\u{202e}']));
}

#[test]
fn places_outside_a_text_are_moved_into_it() {
    let mut sources = Sources::default();
    let file = sources.add("x.yml", "é");
    for (start, end) in [(0, 0), (1, 1), (0, 1), (1, 9), (7, 9), (2, 0)] {
        let span = Span { file, start, end };
        for format in [Format::Text, Format::Json, Format::Sarif, Format::Github] {
            write(format, &[Diagnostic::new(Code::InvalidYaml, span, "x")], &sources, false, &mut Vec::new()).unwrap();
            let strange = Span { file: FileId(9), start, end };
            write(format, &[Diagnostic::new(Code::InvalidYaml, strange, "x")], &sources, false, &mut Vec::new())
                .unwrap();
        }
    }
}

#[test]
fn json_is_one_object_on_a_line() {
    let text = written(Format::Json, false);
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 4);
    assert_eq!(
        lines[0],
        json!({
            "code": "E903", "severity": "error", "message": "no detections in `detections`", "file": null, "line": null,
            "column": null, "end_line": null, "end_column": null, "label": null, "help": ["name a file"], "notes": [],
        })
    );
    assert_eq!(
        lines[2],
        json!({
            "code": "E101", "severity": "error", "message": "unknown field `eventNaem`: 100%\nof it",
            "file": "detections/a b,c:50%.yml", "line": 3, "column": 12, "end_line": 3, "end_column": 21,
            "label": "not in the schema",
            "help": ["the nearest field is `eventName`", "or: quote it, please"],
            "notes": [{
                "message": "in these signals", "file": "detections/a b,c:50%.yml", "line": 1, "column": 1,
                "end_line": 1, "end_column": 8,
            }],
        })
    );
    assert_eq!(lines[3]["column"], 33, "columns count characters");
}

#[test]
fn sarif_has_rules_and_results() {
    let log: Value = serde_json::from_str(&written(Format::Sarif, false)).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let ids: Vec<&str> = rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["E101", "E201", "W501", "E903"]);
    assert_eq!(rules[0]["name"], "UnknownField");
    assert_eq!(rules[0]["help"]["text"], Code::UnknownField.meaning());
    assert_eq!(rules[2]["defaultConfiguration"]["level"], "warning");
    let results = run["results"].as_array().unwrap();
    for result in results {
        let rule = result["ruleIndex"].as_u64().unwrap();
        assert_eq!(ids[usize::try_from(rule).unwrap()], result["ruleId"]);
    }
    assert_eq!(results[0].get("locations"), None);
    assert_eq!(
        results[2]["locations"],
        json!([{ "physicalLocation": {
            "artifactLocation": { "uri": "detections/a%20b%2Cc%3A50%25.yml" },
            "region": { "startLine": 3, "startColumn": 12, "endLine": 3, "endColumn": 21 },
        } }])
    );
    assert_eq!(
        results[1]["relatedLocations"],
        json!([{
            "physicalLocation": {
                "artifactLocation": { "uri": "schemas/sources/%C3%A9.yml" },
                "region": { "startLine": 2, "startColumn": 1, "endLine": 2, "endColumn": 7 },
            },
            "message": { "text": "the fields\nare here" },
        }])
    );
    assert_eq!(results[3]["level"], "note");
}

#[test]
fn github_commands_are_escaped() {
    insta::assert_snapshot!(written(Format::Github, false), @r#"
    ::error title=E903::no detections in `detections`%0Ahelp: name a file
    ::warning file=detections/a b%2Cc%3A50%25.yml,line=2,endLine=3,title=W501::signal `s` is never used%0Anote: the fields%0Aare here
    ::error file=detections/a b%2Cc%3A50%25.yml,line=3,col=12,endLine=3,endColumn=21,title=E101::unknown field `eventNaem`: 100%25%0Aof it%0Anot in the schema%0Anote: in these signals%0Ahelp: the nearest field is `eventName`%0Ahelp: or: quote it, please
    ::notice file=detections/a b%2Cc%3A50%25.yml,line=3,col=33,endLine=3,endColumn=34,title=E201::`ü` is no text
    "#);
}

#[test]
fn codes_are_unique_and_grouped() {
    let numbers: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    let mut unique = numbers.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), numbers.len());
    for code in Code::ALL {
        let number = code.as_str();
        assert!(number.len() == 4 && number.bytes().skip(1).all(|byte| byte.is_ascii_digit()), "{number}");
        assert_eq!(number.starts_with('E'), code.default_severity() == Severity::Error, "{number}");
        assert_eq!(number.starts_with("W5"), number.starts_with('W'), "{number}");
        assert_eq!(Code::find(&number.to_lowercase()), Some(*code));
        assert_eq!(Code::find(code.name()), Some(*code));
        assert!(!code.meaning().ends_with('.') && !code.meaning().is_empty());
    }
    assert_eq!(Code::find("E000"), None);
}

#[test]
fn findings_are_sorted_by_file_place_and_code() {
    let (_, diagnostics) = findings();
    let codes: Vec<Code> = diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    assert_eq!(codes, [Code::NothingToDo, Code::UnusedSignal, Code::UnknownField, Code::TypeMismatch]);
}
