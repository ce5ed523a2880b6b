//! Classes: their files are whole, and a signal over a class finds what signals over its sources find.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail loudly")]

use std::collections::BTreeSet;
use std::sync::LazyLock;

use detc::backend::{self, Output, Request};
use detc::compiler::{self, Project, Settings};
use detc::diagnostic::Diagnostics;
use detc::eval::{Event, evaluate};
use detc::ir::{Behavior, Detection, Predicate, Schedule, Signal, SignalId};
use detc::source::Sources;
use serde_json::{Value as Json, json};

static PROJECT: LazyLock<Project> = LazyLock::new(|| compiler::load(None, &mut Sources::default()).0);

/// A detection with these signals and what follows them.
fn read(rest: &str) -> (Option<Detection>, Diagnostics) {
    let text = format!(
        "detection: sample\nid: 3f1d0a52-7c1e-4b53-9a55-0f3a1a6f0c99\ntitle: A sample\nstatus: test\nseverity: low\n\
         description: A sample.\nsignals:\n{rest}"
    );
    let mut sources = Sources::default();
    let file = sources.add("sample.yml", text.as_str());
    let settings = Settings { today: "2026-11-30".to_owned(), ..Settings::default() };
    let mut checked = compiler::check(&PROJECT, &sources, file, &settings);
    (checked.detections.pop(), checked.diagnostics)
}

#[track_caller]
fn resolve(rest: &str) -> Detection {
    let (detection, diagnostics) = read(rest);
    detection.unwrap_or_else(|| panic!("{rest}\n{diagnostics:#?}"))
}

fn signal(detection: &Detection, index: usize) -> &Signal {
    detection.stage.signal(SignalId(index)).unwrap()
}

#[test]
fn the_files_of_every_class_are_whole() {
    let classes: Vec<&str> = PROJECT.catalog.classes.names().collect();
    assert!(classes.contains(&"cloud.api_activity") && classes.contains(&"identity.sign_in"));
    for class in classes {
        let sources = PROJECT.catalog.classes.sources_of(class);
        assert!(sources.len() > 1, "{class} is no class of several sources");
        for source in sources {
            let detection = resolve(&format!("  a: {{ source: {class}, sources: [{source}] }}\n"));
            let members = &signal(&detection, 0).class.as_ref().unwrap().members;
            assert_eq!(members.iter().map(|member| member.source.name.as_str()).collect::<Vec<_>>(), [source]);
        }
    }
}

#[test]
fn every_field_of_a_class_is_there_in_some_source() {
    for class in PROJECT.catalog.classes.names() {
        let (text, found) = PROJECT.catalog.classes.read(class);
        assert!(!found.has_errors(), "{found:#?}");
        let text = text.unwrap();
        for path in text.fields.keys() {
            let lacks = |entry| matches!(entry, detc::schema::Entry::Missing(_));
            assert!(text.members.iter().any(|member| !lacks(member.fields[path].node.clone())), "{class}: {path}");
        }
    }
}

#[test]
fn sources_that_cannot_pass_the_condition_are_not_read() {
    let detection = resolve("  a: { source: cloud.api_activity, where: cloud.provider == \"AWS\" }\n");
    let names: Vec<&str> = detection.sources().into_iter().map(|source| source.name.as_str()).collect();
    assert_eq!(names, ["aws.cloudtrail"]);
}

#[test]
fn a_constant_is_decided_and_a_known_spelling_compared_exactly() {
    let detection = resolve(
        "  a: { source: cloud.api_activity, sources: [aws.cloudtrail, azure.activity], \
         where: 'api.operation == \"createuser\" and cloud.provider in [\"AWS\", \"Azure\"]' }\n",
    );
    let expanded = detection.expanded();
    let on = signal(&expanded, 0).on("aws.cloudtrail").unwrap();
    let Predicate::And(parts) = &on.predicate.node else { panic!("{:?}", on.predicate) };
    assert!(parts.iter().any(|part| {
        matches!(&part.node, Predicate::Equal { right, case: detc::ir::CaseRule::Canonical, .. }
            if right.as_literal().unwrap().to_string() == "CreateUser")
    }));
    let text = format!("{:?}", on.predicate);
    assert!(!text.contains("Azure"), "{text}");
}

#[test]
fn a_field_that_a_source_lacks_needs_a_word_of_the_author() {
    let (_, found) = read(
        "  a: { source: cloud.api_activity, where: exists(api.operation) and actor.user.credential_uid == \"x\" }\n",
    );
    assert!(found.has_errors());
    for accepted in [
        "where: not exists(actor.user.credential_uid)",
        "where: 'coalesce(actor.user.credential_uid, \"none\") == \"none\"'",
        "sources: [aws.cloudtrail], where: actor.user.credential_uid == \"x\"",
    ] {
        resolve(&format!("  a: {{ source: cloud.api_activity, {accepted} }}\n"));
    }
}

/// A random number below a bound.
fn draw(state: &mut u64, below: usize) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    usize::try_from(*state % u64::try_from(below).unwrap()).unwrap()
}

fn one<'a>(state: &mut u64, of: &[&'a str]) -> &'a str {
    of[draw(state, of.len())]
}

const AGENTS: [&str; 10] = [
    "aws-cli/2.15.0",
    "Boto3/1.34",
    "Mozilla/5.0 (X11)",
    "mozilla/5.0 PowerShell/7",
    "APN/1.0 HashiCorp/1.0 Terraform/1.6 aws-sdk-go-v2/1.2",
    "console.amazonaws.com",
    "lambda.amazonaws.com",
    "python-requests/2",
    "something else",
    "",
];

const ADDRESSES: [&str; 4] = ["203.0.113.9", "203.0.113.10", "10.0.0.4", "ec2.amazonaws.com"];

/// An event of one of three sources of sign-ins and calls, with fields left out now and then.
fn event(state: &mut u64, time: i64) -> Event {
    let mut fields = serde_json::Map::new();
    let mut put = |state: &mut u64, path: &str, value: Json| {
        if draw(state, 8) > 0 {
            let mut segments = path.split('.').rev();
            let last = segments.next().unwrap().to_owned();
            let outer: Vec<&str> = segments.collect();
            let mut place = &mut fields;
            for segment in outer.into_iter().rev() {
                let inner = place.entry(segment.to_owned()).or_insert_with(|| json!({}));
                place = inner.as_object_mut().unwrap();
            }
            place.insert(last, value);
        }
    };
    let source = one(state, &["aws.cloudtrail", "entra.signin", "okta.system"]);
    let (agent, address) = (one(state, &AGENTS), one(state, &ADDRESSES));
    let who = one(state, &["ana", "Ana", "bo"]);
    match source {
        "aws.cloudtrail" => {
            let name = one(state, &["ConsoleLogin", "ListBuckets"]);
            put(state, "eventName", json!(name));
            put(state, "userAgent", json!(agent));
            put(state, "sourceIPAddress", json!(address));
            put(state, "userIdentity.userName", json!(who));
            put(state, "userIdentity.arn", json!(format!("arn:{who}")));
            if draw(state, 3) == 0 {
                put(state, "errorMessage", json!("Failed authentication"));
            }
        }
        "entra.signin" => {
            let kind = one(state, &["SignInLogs", "ServicePrincipalSignInLogs"]);
            put(state, "category", json!(kind));
            let result = one(state, &["0", "50126"]);
            put(state, "resultType", json!(result));
            put(state, "callerIpAddress", json!(address));
            put(state, "properties.userAgent", json!(agent));
            put(state, "properties.userPrincipalName", json!(who));
            let app = one(state, &["04b07795-8ddb-461a-bbee-02f9e1bf7b46", "another"]);
            put(state, "properties.appId", json!(app));
        }
        _ => {
            let name = one(state, &["user.session.start", "user.session.end"]);
            put(state, "eventType", json!(name));
            let result = one(state, &["SUCCESS", "FAILURE", "CHALLENGE"]);
            put(state, "outcome.result", json!(result));
            put(state, "client.ipAddress", json!(address));
            put(state, "client.userAgent.rawUserAgent", json!(agent));
            put(state, "actor.alternateId", json!(who));
        }
    }
    Event::new(source, time, Json::Object(fields))
}

/// What the class says of an event, written out once more by hand: name, address, kind of client, status.
fn by_hand(event: &Event) -> Option<[String; 4]> {
    let text = |path: &str| {
        let whole = event.whole();
        let found = path.split('.').try_fold(&*whole, |value, segment| value.get(segment));
        found.and_then(Json::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let (agent, name, address, status, mut kind) = match &*event.source {
        "aws.cloudtrail" => {
            if text("eventName").as_deref() != Some("ConsoleLogin") {
                return None;
            }
            let failed = text("errorMessage").is_some();
            let agent = text("userAgent");
            let lower = agent.clone().unwrap_or_default().to_lowercase();
            let kind = if lower == "console.amazonaws.com" {
                Some("console")
            } else {
                lower.ends_with(".amazonaws.com").then_some("service")
            };
            let name = text("userIdentity.userName").or(text("userIdentity.arn"));
            (agent, name, text("sourceIPAddress"), if failed { "Failure" } else { "Success" }, kind)
        }
        "entra.signin" => {
            let kind = if text("category").as_deref() == Some("ServicePrincipalSignInLogs") {
                Some("service")
            } else {
                text("properties.appId").filter(|id| id.starts_with("04b07795")).map(|_| "cli")
            };
            let status = if text("resultType").as_deref() == Some("0") { "Success" } else { "Failure" };
            let name = text("properties.userPrincipalName");
            (text("properties.userAgent"), name, text("callerIpAddress"), status, kind)
        }
        _ => {
            if text("eventType").as_deref() != Some("user.session.start") {
                return None;
            }
            let status = match text("outcome.result").as_deref() {
                Some("SUCCESS") => "Success",
                Some("FAILURE") => "Failure",
                _ => "Unknown",
            };
            let agent = text("client.userAgent.rawUserAgent");
            (agent, text("actor.alternateId"), text("client.ipAddress"), status, None)
        }
    };
    let lower = agent.unwrap_or_default().to_lowercase();
    kind = kind.or(if lower.contains("powershell") {
        Some("shell")
    } else if lower.starts_with("mozilla/") {
        Some("browser")
    } else if lower.contains("terraform") {
        Some("iac")
    } else if lower.starts_with("aws-cli/") {
        Some("cli")
    } else if lower.starts_with("boto3/") || lower.starts_with("python") {
        Some("sdk")
    } else {
        None
    });
    let kind = kind.unwrap_or("unknown").to_owned();
    Some([name.unwrap_or_default(), address.unwrap_or_default(), kind, status.to_owned()])
}

#[test]
fn single_events_of_a_class_are_those_that_its_definitions_name() {
    let detection = resolve(
        "  a: { source: identity.sign_in, where: 'status == \"Success\" and client.kind in [\"cli\", \"sdk\", \"unknown\"]' }\n\
         alert: { show: [user.name, src_endpoint.ip, client.kind, status], suppress: none }\n",
    );
    let mut state = 0x1234_5678_9abc_def1;
    let events: Vec<Event> = (0..4_000).map(|second| event(&mut state, second * 1_000_000)).collect();
    let found = evaluate(&detection, events.clone());
    let (mut hits, mut of_sources) = (0, BTreeSet::new());
    for event in events {
        let wanted = by_hand(&event)
            .filter(|[_, _, kind, status]| status == "Success" && ["cli", "sdk", "unknown"].contains(&kind.as_str()));
        let hit = found.iter().find(|hit| hit.time == event.time);
        assert_eq!(hit.is_some(), wanted.is_some(), "{event:?}");
        if let (Some(hit), Some(wanted)) = (hit, wanted) {
            let shown = ["user.name", "src_endpoint.ip", "client.kind", "status"]
                .map(|name| hit.column(name).and_then(Json::as_str).unwrap_or_default().to_owned());
            assert_eq!(shown, wanted, "{event:?}");
            hits += 1;
            of_sources.insert(event.source.clone());
        }
    }
    assert!(hits > 300 && of_sources.len() == 3, "{hits} {of_sources:?}");
}

#[test]
fn a_chain_of_a_class_joins_events_of_different_sources() {
    let detection = resolve(
        "  a: { source: identity.sign_in, where: status == \"Success\" and client.kind == \"browser\", let: { name: lower(user.name) } }\n  \
         b: { source: identity.sign_in, where: status == \"Success\" and client.kind != \"browser\", let: { name: lower(user.name) } }\n\
         behavior: a -> b by name within 10s where a.src_endpoint.ip != b.src_endpoint.ip\n",
    );
    assert!(matches!(detection.stage.behavior.node, Behavior::Sequence(_)));
    let mut state = 0x0fed_cba9_8765_4321;
    let (mut hits, mut across) = (0, 0);
    for _ in 0..200 {
        let mut events: Vec<Event> = Vec::new();
        for _ in 0..40 {
            let time = i64::try_from(draw(&mut state, 30)).unwrap() * 1_000_000;
            events.push(event(&mut state, time));
        }
        let said: Vec<(i64, &Event, [String; 4])> =
            events.iter().filter_map(|event| Some((event.time, event, by_hand(event)?))).collect();
        let is = |said: &[String; 4], browser: bool| {
            said[3] == "Success" && (said[2] == "browser") == browser && !said[0].is_empty()
        };
        // The latest start of each end, and the earliest end of each start.
        let mut found: BTreeSet<(String, i64, i64)> = BTreeSet::new();
        for (end, second, b) in said.iter().filter(|(_, _, said)| is(said, false)) {
            let starts = said.iter().filter(|(start, first, a)| {
                is(a, true)
                    && !std::ptr::eq(*first, *second)
                    && a[0].to_lowercase() == b[0].to_lowercase()
                    && (a[1].is_empty() || a[1] != b[1])
                    && (*end - 10_000_000..=*end).contains(start)
            });
            if let Some(start) = starts.map(|(start, ..)| *start).max() {
                found.insert((b[0].to_lowercase(), *end, start));
            }
        }
        let latest = found.iter().fold(std::collections::BTreeMap::new(), |mut latest, (name, end, start)| {
            let entry = latest.entry((name.clone(), *end)).or_insert(*start);
            *entry = (*entry).max(*start);
            latest
        });
        let mut earliest: std::collections::BTreeMap<(String, i64), i64> = std::collections::BTreeMap::new();
        for ((name, end), start) in latest {
            let entry = earliest.entry((name, start)).or_insert(end);
            *entry = (*entry).min(end);
        }
        let wanted: BTreeSet<(String, i64)> = earliest.into_iter().map(|((name, _), end)| (name, end)).collect();
        let given = evaluate(&detection, events.clone());
        let shown: BTreeSet<(String, i64)> =
            given.iter().map(|hit| (hit.column("name").unwrap().as_str().unwrap().to_owned(), hit.time)).collect();
        assert_eq!(shown, wanted, "{events:#?}");
        hits += shown.len();
        across += given.iter().filter(|hit| hit.events[0].event.source != hit.events[1].event.source).count();
    }
    assert!(hits > 60 && across > 40, "{hits} {across}");
}

#[test]
fn one_event_of_a_class_and_of_its_source_is_one_event() {
    let detection = resolve(
        "  a: { source: identity.sign_in, where: status == \"Success\", let: { who: src_endpoint.ip } }\n  \
         b: { source: okta.system, where: outcome.result == \"SUCCESS\", let: { who: client.ipAddress } }\n\
         behavior: a -> b by who within 10s\n",
    );
    let fields = json!({ "eventType": "user.session.start", "outcome": { "result": "SUCCESS" }, "client": { "ipAddress": "203.0.113.9" } });
    let once = vec![Event::new("okta.system", 0, fields.clone())];
    assert!(evaluate(&detection, once.clone()).is_empty());
    let twice = [once, vec![Event::new("okta.system", 1_000_000, fields)]].concat();
    assert_eq!(evaluate(&detection, twice).len(), 1);
    let text = compiled(&detection, "sentinel").query.unwrap().text;
    assert_eq!(text.matches("(OktaSystemLogs").count(), 1, "{text}");
}

/// What a detection becomes on a shipped target.
fn compiled(detection: &Detection, target: &str) -> Output {
    let target = &PROJECT.targets[target];
    let schedule = Schedule::derive(detection, target.interval);
    let backend = backend::find(&target.backend).unwrap();
    backend::compile(backend, &Request { detection, target, schedule })
}

const BY_ADDRESS: &str = "  a: { source: identity.sign_in, sources: [entra.signin, okta.system], where: status == \"Failure\" }\n\
                          behavior: count(a) >= 3 by src_endpoint.ip within 10m\n";

#[test]
fn sentinel_reads_each_source_with_a_condition_of_its_own() {
    let text = compiled(&resolve(BY_ADDRESS), "sentinel").query.unwrap().text;
    let (entra, okta) = (text.find("(SigninLogs").unwrap(), text.find("(OktaSystemLogs").unwrap());
    let condition = text.find("| where OriginalOutcomeResult in (\"FAILURE\", \"DENY\")").unwrap();
    assert!(entra < okta && okta < condition, "{text}");
    assert!(
        text.contains("['src_endpoint.ip'] = IPAddress") && text.contains("['src_endpoint.ip'] = SrcIpAddr"),
        "{text}"
    );
}

#[test]
fn splunk_searches_each_source_with_its_own_terms() {
    let text = compiled(&resolve(BY_ADDRESS), "splunk").query.unwrap().text;
    let base = text.lines().find(|line| line.contains("sourcetype=")).unwrap();
    assert!(base.contains("(sourcetype=\"OktaIM2:log\") eventType=\"user.session.start\""), "{base}");
    assert!(
        text.contains("case(") && text.contains("'callerIpAddress'") && text.contains("'client.ipAddress'"),
        "{text}"
    );
}

#[test]
fn eql_joins_by_a_field_that_all_sources_share_and_esql_by_any() {
    let chain = |sources: &str| {
        resolve(&format!(
            "  a: {{ source: identity.sign_in, sources: [{sources}], where: status == \"Failure\" }}\n  \
             b: {{ source: identity.sign_in, sources: [{sources}], where: status == \"Success\" }}\n\
             behavior: a -> b by http_request.user_agent within 10m\n"
        ))
    };
    let shared = compiled(&chain("aws.cloudtrail, entra.signin"), "elastic").query.unwrap();
    assert_eq!(shared.language, "eql", "{}", shared.text);
    assert!(
        shared.text.contains("by ?user_agent.original") || shared.text.contains("by user_agent.original"),
        "{}",
        shared.text
    );
    let several = compiled(&chain("entra.signin, okta.system"), "elastic").query.unwrap();
    assert_eq!(several.language, "esql", "{}", several.text);
    let key = "CASE(data_stream.dataset == \"azure.signinlogs\", CASE(user_agent.original == \"\", null, user_agent.original), \
               data_stream.dataset == \"okta.system\", ";
    assert!(several.text.contains(key), "{}", several.text);
}

#[test]
fn sigma_counts_over_a_rule_for_each_source_with_aliases() {
    let text = compiled(&resolve(BY_ADDRESS), "sigma").query.unwrap().text;
    assert_eq!(text.matches("logsource:").count(), 2, "{text}");
    assert!(
        text.contains("aliases:") && text.contains(": callerIpAddress") && text.contains(": client.ipAddress"),
        "{text}"
    );
}

#[test]
fn sigma_refuses_a_chain_whose_steps_are_several_rules() {
    let detection = resolve(
        "  a: { source: identity.sign_in, where: status == \"Failure\" }\n  b: { source: identity.sign_in, where: status == \"Success\" }\n\
         behavior: a -> b by src_endpoint.ip within 10m\n",
    );
    let output = compiled(&detection, "sigma");
    assert!(output.query.is_none());
    let said = |reason: &detc::backend::Reason| reason.message.contains("a signal of several sources is several rules");
    assert!(output.verdict.reasons.iter().any(said), "{:#?}", output.verdict.reasons);
}

#[test]
fn a_source_that_a_target_does_not_carry_is_named() {
    let detection = resolve(BY_ADDRESS);
    let mut target = PROJECT.targets["splunk"].clone();
    target.maps.remove("okta.system");
    let schedule = Schedule::derive(&detection, target.interval);
    let backend = backend::find(&target.backend).unwrap();
    let output = backend::compile(backend, &Request { detection: &detection, target: &target, schedule });
    assert!(output.query.is_none());
    assert!(output.verdict.reasons[0].message.contains("`okta.system`"), "{:#?}", output.verdict.reasons);
}
