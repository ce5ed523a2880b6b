//! `detc explain`: a detection in words and as data, and why an event is one of its signals.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::io::Write as _;
use std::process::{Command, Stdio};

/// The head of every detection here.
const HEAD: &str = "detection: probe\nid: 00000000-0000-4000-8000-000000000000\ntitle: Probe\nstatus: test\nseverity: low\ndescription: Words.\n";

/// Runs `detc explain -` on a detection with these signals and behaviour.
#[track_caller]
fn explain(body: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_detc"));
    command.args(["explain", "-", "--today", "2026-11-24"]).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("{HEAD}{body}").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The words say this.
#[track_caller]
fn says(body: &str, expected: &[&str]) {
    let said = explain(body, &["-t", "sigma"]);
    for words in expected {
        assert!(said.contains(words), "not said: {words}\n{said}");
    }
}

/// Signals that the behaviours below use.
const SIGNALS: &str = r#"signals:
  a: { source: aws.cloudtrail, where: eventName == "CreateUser" }
  b: { source: aws.cloudtrail, where: eventName == "CreateAccessKey" }
  c: { source: aws.cloudtrail, where: exists(errorCode) }
"#;

#[track_caller]
fn behavior_says(behavior: &str, expected: &[&str]) {
    says(&format!("{SIGNALS}behavior: |\n  {behavior}\n"), expected);
}

#[test]
fn a_condition_is_read_aloud() {
    let text = explain(
        r#"signals:
  a:
    source: aws.cloudtrail
    where: |
      eventName in ["CreateUser", "CreateRole"] and not userAgent like "*.amazonaws.com"
      and (errorCode != "AccessDenied" or in_network(sourceIPAddress, "10.0.0.0/8"))
      and userIdentity.accessKeyId starts_with cased "ASIA" and not exists(errorMessage)
"#,
        &["-t", "splunk"],
    );
    let signals: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("  `a`")).take(8).collect();
    insta::assert_snapshot!(signals.join("\n"), @r#"
      `a`: events of aws.cloudtrail (AWS CloudTrail) for which all of these hold
        - eventName is "CreateUser" or "CreateRole"
        - userAgent is not like "*.amazonaws.com", or is missing
        - at least one of these holds
          - errorCode is not "AccessDenied", or is missing
          - sourceIPAddress is an address in 10.0.0.0/8
        - userIdentity.accessKeyId starts with "ASIA", with this case
        - errorMessage is missing or empty
    "#);
}

#[test]
fn events_counts_and_chains_have_words() {
    behavior_says(
        "count(a) >= 20 by userIdentity.arn within 10m",
        &["at least 20 events of `a` lie in the last 10m", "share `userIdentity.arn`"],
    );
    behavior_says(
        "distinct(a.awsRegion) >= 3 by userIdentity.arn within 1h",
        &["at least 3 different values of awsRegion"],
    );
    behavior_says(
        "a -> b{3} by userIdentity.arn within 1h where a.sourceIPAddress != b.sourceIPAddress",
        &["an event of `a`, then 3 events of `b`, at most 1h", "a.sourceIPAddress differs from b.sourceIPAddress"],
    );
}

#[test]
fn aggregates_have_words() {
    behavior_says(
        "count(c where awsRegion == \"eu-west-1\") / count(c) > 0.5 and count(c) as refused >= 20 by userIdentity.arn within 10m fixed",
        &[
            "the end of a window of 10m, aligned to the clock in UTC",
            "(the number of events of `c` for which awsRegion is \"eu-west-1\" divided by the number of events of `c`) is above 0.5",
            "and `refused`.",
            "division by zero, is false",
        ],
    );
    behavior_says(
        "percentile(a.requestParameters.maxResults, 95) > 5 by userIdentity.arn within 1h",
        &["the 95th percentile (nearest rank)"],
    );
}

#[test]
fn absences_and_ends_have_words() {
    behavior_says(
        "no c -> a -> no c -> b by userIdentity.arn within 1h",
        &[
            "No event of `c` lies in the 1h before the first event",
            "then an event of `b` without any event of `c` in between",
            "`c`, which must not happen",
        ],
    );
    behavior_says(
        "a -> no b by userIdentity.arn within 1h",
        &["a wait that ended in vain: an event of `a`, and no event of `b` until 1h after the event"],
    );
    behavior_says(
        "a -> b by userIdentity.arn within 1h until c",
        &["`c` between the first and the last ends the chain", "`c`, which ends a chain"],
    );
}

#[test]
fn groups_rarity_baselines_and_travel_have_words() {
    behavior_says(
        "a & b by userIdentity.arn within 1h",
        &["each of `a` and `b` has an event in the last 1h, in any order"],
    );
    behavior_says("2 of (a, b, c) by userIdentity.arn within 1h", &["at least 2 of `a`, `b` and `c` have an event"]);
    behavior_says(
        "score(a = 30, b = 40) >= 70 by userIdentity.arn within 1h",
        &["`a` (30 points)", "at least 70 points"],
    );
    behavior_says(
        "new(a.awsRegion) by userIdentity.arn over 7d learning 2d",
        &["whose value of awsRegion was never seen in the 7d before it", "at least 2d and at most 7d before the event"],
    );
    behavior_says("rare(a.awsRegion) <= 2 by userIdentity.arn over 7d", &["was seen at most 2 times"]);
    behavior_says(
        "outlier(count(a)) by userIdentity.arn per 1h over 7d above 3 sigma floor 10",
        &["plus 3 standard deviations, and at least 10", "the 168 of the last 7d"],
    );
    behavior_says("spike(count(a)) by userIdentity.arn per 1h over 7d above 5 floor 10", &["above 5 times the mean"]);
    behavior_says(
        "travel(a.sourceIPAddress) by userIdentity.arn faster than 900 km/h beyond 500 km within 6h",
        &["faster than 900 km/h, and farther than 500 km"],
    );
}

#[test]
fn hits_of_a_behaviour_are_explained_inside() {
    let body = r#"signals:
  a: { source: aws.cloudtrail, where: exists(errorCode) }
  burst: { behavior: count(a) as refused >= 20 by userIdentity.arn within 10m, where: refused > 50 }
behavior: count(burst) >= 3 by userIdentity.arn within 1h
exceptions:
  - { when: count > 9, owner: team, reason: known, signals: [alert] }
"#;
    says(
        body,
        &[
            "`burst`: the hits of this",
            "      A hit carries `refused`.",
            "    - refused is above 50",
            "Of these hits it keeps those for which",
            "  - count is at most 9, or is missing",
        ],
    );
}

#[test]
fn stages_are_data() {
    let body = format!("{SIGNALS}behavior: a -> b by userIdentity.arn within 10m\n");
    let stage =
        |name: &str| -> serde_json::Value { serde_json::from_str(&explain(&body, &["--stage", name])).unwrap() };
    let at = |data: &serde_json::Value, place: &str| data.pointer(place).cloned().unwrap_or_default();
    assert_eq!(at(&stage("ast"), "/signals/0/condition/expr/compare/operator"), "equal");
    let ir = stage("ir");
    assert_eq!(at(&ir, "/stage/signals/0/predicate/equal/left/field/path"), "eventName");
    assert_eq!(at(&ir, "/stage/behavior/sequence/window"), "10m");
    assert_eq!(at(&stage("plan"), "/operators/0/read/0/source"), "aws.cloudtrail");
}

#[test]
fn lists_that_a_detection_does_not_use_are_its_own_affair() {
    let folder = tempfile::TempDir::new().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let list = |name: &str| {
        format!(
            "list: {name}\ntitle: A list\ntype: string\nmatch: exact\nentries:\n  - {{ value: ci, owner: team, reason: known, expires: 2020-01-01 }}\n  - {{ value: cd, owner: team, reason: known }}\n"
        )
    };
    write("detections/lists/used.yml", &list("used"));
    write("detections/lists/unused.yml", &list("unused"));
    let body = "signals:\n  a: { source: aws.cloudtrail, where: userAgent in $used }\n";
    write("detections/probe.yml", &format!("{HEAD}{body}"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_detc"));
    let output = command.args(["explain", "detections/probe.yml"]).current_dir(folder.path()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("lists/used.yml") && !said.contains("unused.yml"), "{said}");
}

#[test]
fn parameters_exceptions_and_suppression_are_named() {
    says(
        r#"parameters:
  Limit: { type: int, default: 5, mutable_element: Threshold }
signals:
  a: { source: aws.cloudtrail, where: exists(errorCode) }
behavior: count(a) >= $Limit by userIdentity.arn within 1h
exceptions:
  - { when: userIdentity.type == "AWSService", owner: platform, reason: the cloud itself, expires: 2027-01-01 }
alert: { suppress: { by: [userIdentity.arn], for: 2h } }
"#,
        &[
            "Limit = 5, the mutable element Threshold of ATT&CK",
            "userIdentity.type is not \"AWSService\", or is missing",
            "Exception of platform: the cloud itself (on a, until 2027-01-01)",
            "hits with the same userIdentity.arn less than 2h later raise none",
            "window_unspecified",
        ],
    );
}

#[test]
fn an_event_is_held_against_each_signal() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("event.json");
    let event = r#"{"eventTime":"2026-01-05T00:00:00Z","eventID":"1","eventName":"CreateUser","eventSource":"iam.amazonaws.com","awsRegion":"us-east-1","userAgent":""}"#;
    std::fs::write(&file, event).unwrap();
    let body = r#"signals:
  a: { source: aws.cloudtrail, where: 'eventName == "CreateUser" and (userAgent contains "boto" or not exists(errorCode))' }
  b: { source: aws.cloudtrail, where: 'eventName == "DeleteUser"' }
behavior: a -> b within 1h
"#;
    insta::assert_snapshot!(explain(body, &["--event", file.to_str().unwrap()]), @r#"
    event 1 of aws.cloudtrail at 2026-01-05T00:00:00Z
      is a `a`
        true   all of these hold
          true   eventName is "CreateUser"   [eventName is "CreateUser"]
          true   at least one of these holds
            false  userAgent contains "boto"   [userAgent is missing]
            true   errorCode is missing or empty   [errorCode is missing]
      is no `b`
        false  eventName is "DeleteUser"   [eventName is "CreateUser"]
    "#);
}
