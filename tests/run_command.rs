//! `detc run`: logs in every form in which they come, whole and broken, and what is printed of them.
//!
//! Never looks into the meaning of a behaviour: that is the business of the evaluator's own tests.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "a test may fail loudly")]

use std::io::Write as _;
use std::process::{Command, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Two calls of one user within a minute.
const TWICE: &str = "detection: twice
id: 5a0f3c0e-6a52-4f0a-9d0e-3a3c5b8a7e11
title: Two users made at once
status: test
severity: high
description: Shows what a run prints.
signals:
  made: { source: aws.cloudtrail, where: eventName == \"CreateUser\" }
behavior: count(made) >= 2 by userIdentity.arn within 1m
";
/// An Okta session start, then a call by the same user.
const CROSSED: &str = "detection: crossed
id: 5a0f3c0e-6a52-4f0a-9d0e-3a3c5b8a7e12
title: Sign-in, then a call
status: test
severity: low
description: Shows a run over two sources.
signals:
  start: { source: okta.system, where: eventType == \"user.session.start\", let: { user: actor.alternateId } }
  made: { source: aws.cloudtrail, where: eventName == \"CreateUser\", let: { user: userIdentity.userName } }
behavior: start -> made by user within 10m
";

struct Folder(TempDir);

struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Folder {
    fn new() -> Self {
        let folder = Self(TempDir::new().unwrap());
        folder.write("twice.yml", TWICE);
        folder
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn run_with(&self, arguments: &[&str], input: &[u8]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_detc"));
        command.arg("run").args(arguments).current_dir(self.0.path());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        Ran {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, b"")
    }
}

impl Ran {
    /// The alerts, as the detection, the time and the ids of the events.
    #[track_caller]
    fn alerts(&self) -> Vec<(String, String, Vec<String>)> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let alert = |line: &str| {
            let record: Value = serde_json::from_str(line).unwrap();
            let ids = record["events"].as_array().unwrap().iter().map(|event| text(&event["id"])).collect();
            (text(&record["detection"]), text(&record["time"]), ids)
        };
        self.out.lines().map(alert).collect()
    }
}

/// A call at so many seconds after noon, with that id.
fn call(at: u32, id: &str) -> Value {
    let time = format!("2026-01-05T12:{:02}:{:02}Z", at / 60, at % 60);
    json!({
        "eventVersion": "1.11", "eventSource": "iam.amazonaws.com", "eventName": "CreateUser", "eventTime": time,
        "eventID": id, "userIdentity": { "arn": "arn:aws:iam::111122223333:user/ann", "userName": "ann" },
        "requestParameters": { "tags": [{ "key": "{[\"", "value": "}]," }] },
        "resources": [{ "type": "AWS::IAM::User" }],
    })
}

fn session(at: u32, id: &str) -> Value {
    json!({
        "published": format!("2026-01-05T12:{:02}:{:02}.250Z", at / 60, at % 60), "uuid": id,
        "eventType": "user.session.start", "actor": { "id": "00u1", "alternateId": "ann" },
        "target": [{ "id": "1", "type": "User" }],
    })
}

fn lines(events: &[Value]) -> String {
    events.iter().map(|event| format!("{event}\n")).collect()
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A log gives the one alert of two calls, and nothing is amiss.
#[track_caller]
fn finds(name: &str, bytes: impl AsRef<[u8]>) {
    let folder = Folder::new();
    folder.write(name, bytes);
    let ran = folder.run(&["twice.yml", name]);
    let expected = ("twice".to_owned(), "2026-01-05T12:00:30.000Z".to_owned(), vec!["a".to_owned(), "b".to_owned()]);
    assert_eq!(ran.alerts(), [expected], "{}", ran.err);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(
        ran.err.contains("2 events of aws.cloudtrail; 0 malformed, 0 unknown, 0 late; 1 hits, 1 alerts"),
        "{}",
        ran.err
    );
}

#[test]
fn json_lines_lists_and_wrappers_are_read_plain_and_gzipped() {
    let events = [call(0, "a"), call(30, "b")];
    let list = json!(events);
    let wrapped = json!({ "Records": events });
    let behind = json!({ "count": 2, "next": { "a": [1] }, "odd": [{ "a": 1 }], "value": events, "more": [{}] });
    let forms = [
        lines(&events),
        lines(&events).trim_end().replace('\n', "\r\n\r\n"),
        format!("\u{feff}{}", lines(&events)),
        events.iter().map(Value::to_string).collect(),
        events.iter().map(|event| format!("{event:#}\n")).collect(),
        list.to_string(),
        format!("{list:#}"),
        wrapped.to_string(),
        format!("{wrapped:#}"),
        behind.to_string(),
        format!("{behind:#}"),
        events.iter().map(|event| format!("{}\n", json!({ "records": [event] }))).collect(),
        events.iter().map(|event| format!("{}\n", json!([event]))).collect(),
    ];
    for form in &forms {
        finds("log.json", form);
        finds("log.json.gz", gzipped(form.as_bytes()));
    }
    // Two members, as `cat a.gz b.gz` makes them.
    let halves: Vec<u8> = events.iter().flat_map(|event| gzipped(format!("{event}\n").as_bytes())).collect();
    finds("log.bin", halves);
}

#[test]
fn a_wrapper_that_is_longer_than_a_line_may_be_is_streamed() {
    let mut events: Vec<Value> = (0..3_000).map(|number| call(3_000, &format!("x{number}"))).collect();
    for event in &mut events {
        event["eventName"] = json!("ListUsers");
        event["userAgent"] = json!("x".repeat(400));
    }
    events.extend([call(0, "a"), call(30, "b")]);
    let folder = Folder::new();
    folder.write("log.json", json!({ "Records": events }).to_string());
    let ran = folder.run(&["twice.yml", "log.json", "--lateness", "1h"]);
    assert_eq!(ran.alerts().len(), 1, "{}", ran.err);
    assert!(ran.err.contains("3002 events of aws.cloudtrail"), "{}", ran.err);
}

#[test]
fn standard_input_folders_patterns_and_named_sources_are_logs() {
    let folder = Folder::new();
    let events = [call(0, "a"), call(30, "b")];
    let ran = folder.run_with(&["twice.yml", "-"], lines(&events).as_bytes());
    assert_eq!(ran.alerts().len(), 1, "{}", ran.err);
    let ran = folder.run_with(&["twice.yml", "-"], &gzipped(lines(&events).as_bytes()));
    assert_eq!(ran.alerts().len(), 1, "{}", ran.err);

    folder.write("logs/one/a.json.gz", gzipped(json!({ "Records": [call(30, "b")] }).to_string().as_bytes()));
    folder.write("logs/two/b.jsonl", lines(&[call(0, "a")]));
    folder.write("logs/readme.txt", "no log");
    for log in ["logs", "logs/**/*.json*", "logs/*/[ab].*"] {
        let ran = folder.run(&["twice.yml", log]);
        assert_eq!(ran.alerts().len(), 1, "{log}: {}", ran.err);
        assert_eq!(ran.code, 0, "{log}: {}", ran.err);
    }
    // Without a signature, the source has to be said.
    let bare = |at, id| {
        let mut event = call(at, id);
        event.as_object_mut().unwrap().remove("eventVersion");
        event
    };
    folder.write("bare.json", json!({ "events": [bare(0, "a"), bare(30, "b")] }).to_string());
    assert_eq!(folder.run(&["twice.yml", "bare.json"]).code, 1);
    assert_eq!(folder.run(&["twice.yml", "bare.json", "--source", "aws.cloudtrail"]).alerts().len(), 1);
    let ran = folder.run(&["twice.yml", "--log", "aws.cloudtrail=bare.json", "logs"]);
    assert!(ran.err.contains("4 events of aws.cloudtrail"), "{}", ran.err);
    assert_eq!(folder.run(&["twice.yml", "bare.json", "--source", "aws.cloudtrial"]).code, 2);
    assert_eq!(folder.run(&["twice.yml", "nothing.json"]).code, 2);
    assert_eq!(folder.run(&["twice.yml", "no*.json"]).code, 2);
    assert_eq!(folder.run(&["twice.yml"]).code, 2);
    assert_eq!(folder.run(&["twice.yml", "logs", "--format", "sarif"]).code, 2);
}

#[test]
fn several_logs_are_merged_by_time_and_mixed_ones_are_told_apart() {
    let folder = Folder::new();
    folder.write("crossed.yml", CROSSED);
    folder.write("aws.jsonl", lines(&[call(60, "a"), call(90, "b")]));
    folder.write("okta.jsonl", lines(&[session(0, "s")]));
    let mixed = lines(&[session(0, "s"), call(60, "a"), call(90, "b"), json!({ "time": 1 })]);
    folder.write("mixed.jsonl", mixed);
    let ran = folder.run(&["crossed.yml", "twice.yml", "aws.jsonl", "okta.jsonl"]);
    let other = folder.run(&["twice.yml", "crossed.yml", "mixed.jsonl"]);
    let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    let expected = [
        ("crossed".to_owned(), "2026-01-05T12:01:00.000Z".to_owned(), ids(&["s", "a"])),
        ("twice".to_owned(), "2026-01-05T12:01:30.000Z".to_owned(), ids(&["a", "b"])),
    ];
    assert_eq!(ran.alerts(), expected, "{}", ran.err);
    assert_eq!(other.alerts(), expected, "{}", other.err);
    // An object of no source is a warning where others are known.
    assert!(other.err.contains("warning[W522]: `mixed.jsonl:4`"), "{}", other.err);
    assert_eq!(other.code, 0);
    let unread = folder.run(&["twice.yml", "mixed.jsonl"]);
    assert!(unread.err.contains("1 event of okta.system passed over"), "{}", unread.err);
}

#[test]
fn many_logs_in_any_order_are_one_stream() {
    let folder = Folder::new();
    for number in 0..80_u32 {
        folder.write(
            &format!("logs/{:02}.json", 79 - number),
            json!([call(number * 40, &number.to_string())]).to_string(),
        );
    }
    let ran = folder.run(&["twice.yml", "logs", "--lateness", "1s", "--hits"]);
    assert_eq!(ran.alerts().len(), 79, "{}", ran.err);
    assert!(ran.err.contains("80 events of aws.cloudtrail; 0 malformed, 0 unknown, 0 late; 79 hits"), "{}", ran.err);
}

#[test]
fn what_is_broken_is_counted_and_shown_and_stops_nothing() {
    let whole = call(30, "b").to_string();
    let log = format!(
        "{}\nno json\n{}\n{{\"a\": [\n{whole}\n[1]\n{{\"eventVersion\": 1, \"eventSource\": 2, \"eventName\": 3}}\n",
        call(0, "a"),
        &whole[..60]
    );
    let folder = Folder::new();
    folder.write("log.jsonl", &log);
    let ran = folder.run(&["twice.yml", "log.jsonl"]);
    assert_eq!(ran.alerts().len(), 1, "{}", ran.err);
    assert_eq!(ran.code, 1);
    for place in ["log.jsonl:2", "log.jsonl:3", "log.jsonl:6", "log.jsonl:7"] {
        assert!(ran.err.contains(&format!("error[E906]: `{place}`")), "{place}: {}", ran.err);
    }
    assert!(ran.err.contains("no time in `eventTime`"), "{}", ran.err);

    let many = format!("{}{}{whole}\n", lines(&[call(0, "a")]), "garbage\n".repeat(40));
    folder.write("many.jsonl", many);
    let ran = folder.run(&["twice.yml", "many.jsonl"]);
    assert_eq!((ran.alerts().len(), ran.code), (1, 1), "{}", ran.err);
    assert!(ran.err.contains("35 more") && ran.err.contains("40 malformed"), "{}", ran.err);
}

#[test]
fn a_log_that_is_cut_off_is_read_as_far_as_it_goes() {
    let folder = Folder::new();
    let events: Vec<Value> = (0..200).map(|number| call(number * 30, &format!("{number:064}"))).collect();
    for (name, text) in [
        ("lines", lines(&events)),
        ("list", json!(events).to_string()),
        ("object", json!({ "Records": events }).to_string()),
    ] {
        let packed = gzipped(text.as_bytes());
        folder.write("log.gz", &packed[..packed.len() - 300]);
        let ran = folder.run(&["twice.yml", "log.gz"]);
        assert!(!ran.alerts().is_empty(), "{name}: {}", ran.err);
        assert_eq!(ran.code, 1, "{name}: {}", ran.err);
        assert!(ran.err.contains("error[E905]: `log.gz` cannot be read to its end"), "{name}: {}", ran.err);
        folder.write("log.json", &text[..text.len() - 100]);
        let ran = folder.run(&["twice.yml", "log.json"]);
        assert!(!ran.alerts().is_empty(), "{name}: {}", ran.err);
        assert_eq!(ran.code, 1, "{name}: {}", ran.err);
    }
    folder.write("noise.gz", [0x1f, 0x8b, 1, 2, 3]);
    folder.write("noise", [0xff, 0xfe, 0x7b, 0, b'\n', 0, 0xff]);
    folder.write("empty", "");
    folder.write("good", lines(&[call(0, "a"), call(30, "b")]));
    let ran = folder.run(&["twice.yml", "noise.gz", "noise", "empty", "good"]);
    assert_eq!((ran.alerts().len(), ran.code), (1, 1), "{}", ran.err);
}

#[test]
fn long_lines_and_deep_nesting_end_in_no_panic() {
    let folder = Folder::new();
    let long = format!("{{\"a\": \"{}\"}}\n", "x".repeat(50 << 20));
    let deep = format!("{}\n", "[".repeat(100_000));
    let nested = format!("{}1{}\n", "{\"a\":".repeat(5_000), "}".repeat(5_000));
    for (name, odd) in [("long", long), ("deep", deep), ("nested", nested), ("nul", "\0\0\n".to_owned())] {
        let mut log = lines(&[call(0, "a")]);
        log.push_str(&odd);
        log.push_str(&lines(&[call(30, "b")]));
        folder.write("log.jsonl", &log);
        let ran = folder.run(&["twice.yml", "log.jsonl"]);
        assert_eq!(ran.alerts().len(), 1, "{name}: {}", ran.err);
        assert_eq!(ran.code, i32::from(name != "long"), "{name}: {}", ran.err);
    }
}

#[test]
fn a_record_with_a_list_of_events_is_each_of_them() {
    let folder = Folder::new();
    let detection = "detection: grants
id: 5a0f3c0e-6a52-4f0a-9d0e-3a3c5b8a7e13
title: Two roles in one activity
status: test
severity: low
description: Shows events inside a record.
signals:
  granted: { source: google_workspace.reports, where: 'events.parameters[ROLE_NAME].value == \"admin\"' }
behavior: count(granted) >= 2 by actor.email within 1m
";
    let grant = |role: &str| json!({ "name": "ASSIGN_ROLE", "parameters": [{ "name": "ROLE_NAME", "value": role }] });
    let activity = |events: Value| {
        json!({
            "id": { "time": "2026-01-05T12:00:00.000Z", "uniqueQualifier": "1", "applicationName": "admin" },
            "actor": { "email": "ann@example.com" }, "events": events,
        })
    };
    folder.write("grants.yml", detection);
    let inside = [activity(json!([grant("admin"), grant("reader"), grant("admin")])), activity(json!([]))];
    let apart = [activity(grant("admin")), activity(grant("reader")), activity(grant("admin"))];
    for (name, log) in
        [("inside.jsonl", lines(&inside)), ("list.json", json!(inside).to_string()), ("apart.jsonl", lines(&apart))]
    {
        folder.write(name, log);
        let ran = folder.run(&["grants.yml", name]);
        assert_eq!(ran.alerts().len(), 1, "{name}: {}", ran.err);
        assert!(
            ran.err.contains("3 events of google_workspace.reports; 0 malformed, 0 unknown"),
            "{name}: {}",
            ran.err
        );
    }
}

#[test]
fn late_events_are_reported_and_left_out() {
    let folder = Folder::new();
    folder.write("log.jsonl", lines(&[call(0, "a"), call(3_000, "c"), call(30, "b")]));
    let ran = folder.run(&["twice.yml", "log.jsonl"]);
    assert_eq!((ran.alerts().len(), ran.code), (0, 0), "{}", ran.err);
    assert!(ran.err.contains("warning[W521]: `log.jsonl:3`"), "{}", ran.err);
    assert!(ran.err.contains("more than 15m behind") && ran.err.contains("`log.jsonl:2`"), "{}", ran.err);
    assert!(ran.err.contains("1 late"), "{}", ran.err);
    let ran = folder.run(&["twice.yml", "log.jsonl", "--lateness", "1h"]);
    assert_eq!(ran.alerts().len(), 1, "{}", ran.err);
}

#[test]
fn hits_come_before_suppression_and_duplicates_count_once() {
    let folder = Folder::new();
    let events = [call(0, "a"), call(30, "b"), call(30, "b"), call(60, "c")];
    folder.write("log.jsonl", lines(&events));
    assert_eq!(folder.run(&["twice.yml", "log.jsonl"]).alerts().len(), 1);
    let ran = folder.run(&["twice.yml", "log.jsonl", "--hits"]);
    let times: Vec<String> = ran.alerts().into_iter().map(|(_, time, _)| time).collect();
    assert_eq!(times, ["2026-01-05T12:00:30.000Z", "2026-01-05T12:01:00.000Z"]);
    assert!(ran.err.contains("2 hits, 1 alerts"), "{}", ran.err);
    let ran = folder.run(&["twice.yml", "log.jsonl", "--hits", "--until", "2026-01-05T12:00:30Z"]);
    assert_eq!(ran.alerts().len(), 1, "{}", ran.err);
}

#[test]
fn a_record_has_the_members_that_the_language_page_lists() {
    let folder = Folder::new();
    folder.write("log.jsonl", lines(&[call(0, "a"), call(30, "b")]));
    let ran = folder.run(&["twice.yml", "log.jsonl"]);
    let record: Value = serde_json::from_str(ran.out.trim()).unwrap();
    let expected = json!({
        "detection": "twice", "time": "2026-01-05T12:00:30.000Z",
        "keys": { "userIdentity.arn": "arn:aws:iam::111122223333:user/ann" }, "aggregates": { "count": 2 },
        "events": [
            { "step": "made", "source": "aws.cloudtrail", "time": "2026-01-05T12:00:00.000Z", "id": "a" },
            { "step": "made", "source": "aws.cloudtrail", "time": "2026-01-05T12:00:30.000Z", "id": "b" },
        ],
    });
    assert_eq!(record, expected);
    let ran = folder.run(&["twice.yml", "log.jsonl", "--explain"]);
    let record: Value = serde_json::from_str(ran.out.trim()).unwrap();
    assert_eq!(record["events"][1]["place"], "log.jsonl:2");
    assert_eq!(record["events"][1]["event"], call(30, "b"));
}

#[test]
fn a_table_has_a_line_for_each_alert_and_says_why_when_asked() {
    let folder = Folder::new();
    folder.write("log.jsonl", lines(&[call(0, "a"), call(30, "b")]));
    let ran = folder.run(&["twice.yml", "log.jsonl", "--format", "table"]);
    let row = "2026-01-05T12:00:30.000Z  high           twice  userIdentity.arn=arn:aws:iam::111122223333:user/ann  count=2\n";
    assert_eq!(ran.out, row, "{}", ran.err);
    let ran = folder.run(&["twice.yml", "log.jsonl", "--format", "table", "--explain"]);
    let why = "    2026-01-05T12:00:00.000Z  made  aws.cloudtrail  a  log.jsonl:1\n    2026-01-05T12:00:30.000Z  made  aws.cloudtrail  b  log.jsonl:2\n";
    assert_eq!(ran.out, format!("{row}{why}"));
}
