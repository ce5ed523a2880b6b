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
fn every_old_behaviour_has_words() {
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
