//! The reference evaluator: the edges of every behaviour. `tests/brute` holds it against a brute force written from the page.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may fail loudly")]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use detc::compiler::{self, Project, Settings};
use detc::eval::{self, Arrival, Engine, Enrichment, Event, Hit, Reorder};
use detc::ir::Detection;
use detc::schema::Duration;
use detc::source::{FileId, Sources};
use serde_json::{Value as Json, json};

/// Compiles a detection with three signals over okta.system: the events whose `displayMessage` holds a, b or c.
fn detection(behavior: &str, rest: &str) -> Detection {
    compile(&text(behavior, rest))
}

fn text(behavior: &str, rest: &str) -> String {
    format!(
        r#"detection: edge
id: 3f1d0a52-7c1e-4b53-9a55-0f3a1a6f0c99
title: An edge
status: test
severity: low
description: An edge.
signals:
  a:
    source: okta.system
    where: displayMessage contains "a"
    let: {{ who: actor.alternateId, ip: client.ipAddress, size: float(client.ipAddress), what: displayMessage }}
  b:
    source: okta.system
    where: displayMessage contains "b"
    let: {{ who: actor.alternateId, ip: client.ipAddress, size: float(client.ipAddress), what: displayMessage }}
  c:
    source: okta.system
    where: displayMessage contains "c"
    let: {{ who: actor.alternateId, ip: client.ipAddress, size: float(client.ipAddress), what: displayMessage }}
behavior: {behavior}
alert:
  title: An edge
{rest}
"#
    )
}

#[track_caller]
fn compile(text: &str) -> Detection {
    static PROJECT: LazyLock<Project> = LazyLock::new(|| compiler::load(None, &mut Sources::default()).0);
    let mut sources = Sources::default();
    let file = sources.add("edge.yml", text);
    let settings = Settings { today: "2026-11-30".to_owned(), ..Settings::default() };
    let mut checked = compiler::check(&PROJECT, &sources, file, &settings);
    assert!(!checked.diagnostics.has_errors(), "{text}\n{:#?}", checked.diagnostics);
    checked.detections.remove(0)
}

/// An event: time in milliseconds, what it is, who and where from; an empty text leaves the member out.
fn event(milliseconds: i64, what: &str, who: &str, ip: &str) -> Event {
    let mut fields = json!({ "displayMessage": what, "actor": {}, "client": {} });
    if !who.is_empty() {
        fields["actor"]["alternateId"] = json!(who);
    }
    if !ip.is_empty() {
        fields["client"]["ipAddress"] = json!(ip);
    }
    Event::new("okta.system", milliseconds * 1_000, fields)
}

/// Events `what@milliseconds` of one person at one address; `what@milliseconds/ip` says the address.
fn events(text: &str) -> Vec<Event> {
    let one = |word: &str| {
        let (what, rest) = word.split_once('@').unwrap();
        let (time, ip) = rest.split_once('/').unwrap_or((rest, "x"));
        event(time.parse().unwrap(), what, "ana", ip)
    };
    text.split_whitespace().map(one).collect()
}

/// Times of the hits in milliseconds.
fn times(hits: &[Hit]) -> Vec<i64> {
    hits.iter().map(|hit| hit.time / 1_000).collect()
}

#[track_caller]
fn check(behavior: &str, log: &str, expected: &[i64]) {
    let hits = eval::evaluate(&detection(behavior, "  suppress: none"), events(log));
    assert_eq!(times(&hits), expected, "{behavior}: {log}");
}

const COUNT: &str = "count(a) >= 3 by who within 10s";
const DISTINCT: &str = "distinct(a.ip) >= 3 by who within 10s";
const SEQUENCE: &str = "a -> b by who within 10s";

#[test]
fn a_single_event_hits_each_time() {
    check("a", "a@0 b@1 a@2 a@2", &[0, 2, 2]);
}

#[test]
fn count_hits_from_the_threshold_on() {
    check(COUNT, "a@0 a@1", &[]);
    check(COUNT, "a@0 a@1 a@2", &[2]);
    check(COUNT, "a@0 a@1 a@2 a@3", &[2, 3]);
}

#[test]
fn the_window_is_closed_at_both_ends() {
    check(COUNT, "a@0 a@5000 a@10000", &[10_000]);
    check(COUNT, "a@0 a@5000 a@10001", &[]);
    check(DISTINCT, "a@0/x a@5000/y a@10000/z", &[10_000]);
    check(DISTINCT, "a@0/x a@5000/y a@10001/z", &[]);
    check(SEQUENCE, "a@0 b@10000", &[10_000]);
    check(SEQUENCE, "a@0 b@10001", &[]);
}

#[test]
fn windows_are_not_aligned_to_the_clock() {
    for border in [10_000, 60_000, 3_600_000, 86_400_000] {
        check(COUNT, &format!("a@{} a@{border} a@{}", border - 1, border + 1), &[border + 1]);
    }
}

#[test]
fn ties_are_one_hit_that_shows_the_last_text() {
    let hits = eval::evaluate(&detection(COUNT, "  suppress: none"), events("a@0/m a@0/z a@0/k"));
    assert_eq!(times(&hits), [0]);
    assert_eq!(hits[0].closing.as_ref().unwrap().whole()["client"]["ipAddress"], "z");
    assert_eq!(hits[0].events.len(), 3);
    let hits = eval::evaluate(&detection("a{2} by who within 1s", "  suppress: none"), events("a@0/z a@0/k"));
    assert_eq!(hits[0].closing.as_ref().unwrap().whole()["client"]["ipAddress"], "z");
}

#[test]
fn distinct_counts_values_not_events() {
    check(DISTINCT, "a@0/x a@1/x a@2/x", &[]);
    check(DISTINCT, "a@0/x a@1/y a@2/z", &[2]);
    check(DISTINCT, "a@0/x a@1/X a@2/y", &[2]);
    check("distinct(a.ip, a.displayMessage) >= 2 by who within 10s", "a@0/x ab@1/x", &[1]);
}

#[test]
fn an_event_without_the_value_is_an_instant_of_distinct() {
    let mut log = events("a@0/x a@1/y a@2/z");
    log.push(event(3, "a", "ana", ""));
    assert_eq!(times(&eval::evaluate(&detection(DISTINCT, "  suppress: none"), log)), [2, 3]);
}

#[test]
fn keys_separate_and_missing_keys_take_no_part() {
    let log = |third: &str| vec![event(0, "a", "ana", "x"), event(1, "a", "ana", "y"), event(2, "a", third, "z")];
    for behavior in [COUNT, DISTINCT, "a{3} by who within 10s"] {
        let detection = detection(behavior, "  suppress: none");
        assert_eq!(times(&eval::evaluate(&detection, log("ana"))), [2]);
        for other in ["ben", "ANA", ""] {
            assert!(eval::evaluate(&detection, log(other)).is_empty(), "{behavior} {other}");
        }
    }
}

#[test]
fn a_key_that_is_a_list_counts_once_for_each_element() {
    let detection = compile(
        r#"detection: edge
id: 3f1d0a52-7c1e-4b53-9a55-0f3a1a6f0c99
title: An edge
status: test
severity: low
description: An edge.
signals:
  a: { source: entra.audit, where: 'exists(category)' }
behavior: count(a) >= 2 by properties.initiatedBy.user.roles within 10s
"#,
    );
    let log = |first: Json, second: Json| {
        let fields =
            |roles: Json| json!({ "category": "x", "properties": { "initiatedBy": { "user": { "roles": roles } } } });
        vec![Event::new("entra.audit", 0, fields(first)), Event::new("entra.audit", 1, fields(second))]
    };
    let hits = eval::evaluate(&detection, log(json!(["r", "r", "s", null, ""]), json!(["s", "t"])));
    assert_eq!(hits.len(), 1);
    assert_eq!(hits[0].keys, [("properties.initiatedBy.user.roles".to_owned(), json!("s"))]);
    assert_eq!(eval::evaluate(&detection, log(json!("s"), json!(["s"]))).len(), 1);
    assert_eq!(eval::evaluate(&detection, log(json!([]), json!([]))).len(), 0);
}

#[test]
fn a_sequence_needs_its_order() {
    check(SEQUENCE, "b@0 a@1", &[]);
    check(SEQUENCE, "b@0 a@0", &[0]);
    check("a -> b -> c by who within 10s", "a@0 c@1 b@2", &[]);
    check("a -> b -> c by who within 10s", "c@1 b@1 a@1", &[1]);
}

#[test]
fn a_start_makes_at_most_one_hit() {
    check(SEQUENCE, "a@0 b@1 b@2", &[1]);
    check(SEQUENCE, "a@0 a@1 b@2", &[2]);
    check(SEQUENCE, "a@0 a@1 b@2 b@3", &[2]);
    check(SEQUENCE, "a@0 b@1 a@2 b@3", &[1, 3]);
}

#[test]
fn one_event_is_not_both_steps() {
    check(SEQUENCE, "ab@0", &[]);
    check(SEQUENCE, "ab@0 ab@0", &[0]);
    check(SEQUENCE, "ab@0 ab@5", &[5]);
    check("a -> b -> c by who within 10s", "ab@0 abc@0", &[]);
    check("a -> b -> c by who within 10s", "ab@0 abc@0 c@0", &[0]);
}

#[test]
fn the_start_in_reach_or_with_the_condition_counts() {
    let differ = "a -> b by who within 10s where a.ip != b.ip";
    check(differ, "a@0/x a@5000/x b@12000/y", &[12_000]);
    check(differ, "a@0/x a@1/y b@2/y", &[2]);
    check(differ, "a@0/x b@2/x", &[]);
    check(differ, "a@0/x a@0/y b@0/y b@0/y", &[0]);
    check("a -> b by who within 10s where a.ip == b.ip", "a@0/x a@1/y b@2/X", &[2]);
    check("a -> b by who within 10s where a.ip == cased b.ip", "a@0/x a@1/y b@2/X", &[]);
}

#[test]
fn conditions_on_missing_values() {
    let log = || vec![event(0, "a", "ana", ""), event(1, "b", "ana", "")];
    let hits = |behavior: &str| eval::evaluate(&detection(behavior, "  suppress: none"), log()).len();
    assert_eq!(hits("a -> b by who within 10s where a.ip == b.ip"), 0);
    assert_eq!(hits("a -> b by who within 10s where a.ip != b.ip"), 1);
}

#[test]
fn repetition_takes_different_events_and_names_the_last() {
    check("a{3} by who within 10s", "a@0 a@1", &[]);
    check("a{3} by who within 10s", "a@0 a@1 a@2 a@3", &[2, 3]);
    check("a{3} by who within 10s", "a@0 a@0 a@0 a@0", &[0]);
    check("a{2} -> b by who within 10s", "a@0 a@5000 b@10001", &[]);
    check("a{2} -> b by who within 10s where a.ip != b.ip", "a@0/x a@1/y b@2/y", &[]);
    check("a{2} -> b by who within 10s where a.ip != b.ip", "a@0/y a@1/x b@2/y", &[2]);
}

#[test]
fn long_repetitions_with_many_ties_are_fast() {
    let log: Vec<Event> = (0..400).map(|index| event(index / 40, "a", "ana", "x")).collect();
    let hits = eval::evaluate(&detection("a{60} by who within 10s", "  suppress: none"), log);
    assert_eq!(times(&hits), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
}

#[test]
fn events_with_one_id_are_one_event() {
    let with_id = |time: i64, id: &str, ip: &str| {
        let event = event(time, "a", "ana", ip);
        let mut fields = event.whole().into_owned();
        fields["uuid"] = json!(id);
        Event::new("okta.system", event.time, fields)
    };
    let detection = detection("count(a) >= 2 by who within 10s", "  suppress: none");
    assert!(eval::evaluate(&detection, vec![with_id(0, "1", "x"), with_id(0, "1", "x")]).is_empty());
    assert_eq!(eval::evaluate(&detection, vec![with_id(0, "1", "x"), with_id(0, "2", "x")]).len(), 1);
    assert_eq!(eval::evaluate(&detection, events("a@0 a@0")).len(), 1);
    let smallest =
        eval::evaluate(&compile_any(), vec![with_id(5, "1", "x"), with_id(0, "1", "z"), with_id(0, "1", "y")]);
    assert_eq!(times(&smallest), [0]);
    assert_eq!(smallest[0].closing.as_ref().unwrap().whole()["client"]["ipAddress"], "y");
}

fn compile_any() -> Detection {
    detection("a", "  suppress: none")
}

#[test]
fn suppression_keeps_the_first_and_counts_from_the_last_kept() {
    let detection = detection("a", "  suppress: { by: [who], for: 10s }");
    let hits = eval::evaluate(&detection, events("a@0 a@9999 a@10000 a@19999"));
    assert_eq!(times(&eval::alerts(&detection, hits)), [0, 10_000]);
    let nobody = eval::evaluate(&detection, vec![event(0, "a", "", "x"), event(1, "a", "", "x")]);
    assert_eq!(times(&eval::alerts(&detection, nobody)), [0, 1]);
}

#[test]
fn a_union_is_the_event_once() {
    check("a or b", "a@0 ab@1 c@2 b@3 b@3", &[0, 1, 3, 3]);
    let hits = eval::evaluate(&detection("b or a", "  suppress: none"), events("ab@0"));
    assert_eq!(hits[0].events[0].step, "b");
}

#[test]
fn measures_take_numbers_and_are_exact() {
    let log = |sizes: &[&str]| -> Vec<Event> {
        let one = |(index, size): (usize, &&str)| event(i64::try_from(index).unwrap(), "a", "ana", size);
        sizes.iter().enumerate().map(one).collect()
    };
    let hits = |behavior: &str, sizes: &[&str]| {
        let text = format!("{behavior} by who within 10s");
        times(&eval::evaluate(&detection(&text.replace("SIZE", "a.size"), "  suppress: none"), log(sizes)))
    };
    assert_eq!(hits("sum(SIZE) >= 0.3", &["0.1", "0.2", "x"]), [1, 2]);
    assert_eq!(hits("avg(SIZE) > 0.5", &["0", "1", "1"]), [2]);
    assert_eq!(hits("avg(SIZE) >= 0.5", &["x", "0", "1"]), [2]);
    assert_eq!(hits("min(SIZE) > 1", &["x", "2", "1"]), [1]);
    assert_eq!(hits("max(SIZE) > 1", &["1", "2", "1"]), [1, 2]);
    assert_eq!(hits("median(SIZE) >= 2", &["1", "3", "2"]), [2]);
    assert_eq!(hits("percentile(SIZE, 50) == 1", &["1", "3"]), [0, 1]);
    assert_eq!(hits("percentile(SIZE, 50.1) == 3", &["1", "3"]), [1]);
    assert_eq!(hits("percentile(SIZE, 100) == 3", &["3", "1"]), [0, 1]);
    assert_eq!(hits("count(a) >= 2 and not sum(SIZE) > 5", &["x", "x", "6"]), [1]);
    assert_eq!(hits("count(a where ip == \"x\") / count(a) > 0.5", &["x", "y", "x", "x"]), [0, 2, 3]);
}

#[test]
fn aggregates_of_several_signals_look_at_each_instant_of_any() {
    let text = "count(a) >= 2 and count(b) >= 1 by who within 10s";
    check(text, "a@0 a@1 b@2 c@3 a@4", &[2, 4]);
    check("count(a) >= 2 and count(b) / count(a) < 1 by who within 10s", "b@0 a@1 a@2", &[2]);
    check("count(a) / count(b) > 0 by who within 10s", "a@0 b@1", &[1]);
    let named = detection("count(a) as tries >= 1 and avg(a.size) < 1 by who within 10s", "  suppress: none");
    let log = vec![event(0, "a", "ana", "0"), event(1, "a", "ana", "0"), event(2, "a", "ana", "1")];
    let hits = eval::evaluate(&named, log);
    let shown: Vec<String> = hits[2].aggregates.iter().map(|(name, number)| format!("{name}={number}")).collect();
    assert_eq!(shown, ["tries=3", "avg=0.333333333333"]);
}

#[test]
fn fixed_windows_are_buckets_decided_at_their_end() {
    let text = "count(a) >= 2 by who within 10s fixed";
    check(text, "a@1 a@9999", &[10_000]);
    check(text, "a@9999 a@10000", &[]);
    check(text, "a@10000 a@19999 a@20000", &[20_000]);
    let hits = eval::evaluate(&detection(text, "  suppress: none"), events("a@1 a@2"));
    assert_eq!(hits[0].closing, None);
    assert_eq!(hits[0].events.len(), 2);
}

#[test]
fn until_ends_a_chain_strictly_inside() {
    let text = "a -> b by who within 10s until c";
    check(text, "a@0 c@1 b@2", &[]);
    check(text, "a@0 c@0 b@2", &[2]);
    check(text, "a@0 c@2 b@2", &[2]);
    check(text, "a@0 c@1 a@1 b@2", &[2]);
    check(text, "ac@0 b@1", &[]);
    check(text, "a@0 ac@1 b@2", &[]);
    check("a{2} -> b by who within 10s until c", "a@0 c@1 a@1 a@2 b@3", &[3]);
}

#[test]
fn absences_lie_between_their_neighbours() {
    let between = "a -> no b -> c by who within 10s";
    check(between, "a@0 b@1 c@2", &[]);
    check(between, "a@0 b@0 c@2", &[2]);
    check(between, "a@0 b@2 c@2", &[2]);
    check(between, "a@0 b@1 a@1 c@2", &[2]);
    // The chain that starts later ended at `c`; the earlier one outlives it.
    let chosen = "a as one -> a as two -> no b -> c by who within 10s where one.ip == two.ip";
    check(chosen, "a@0/x a@1/y a@2/y b@3 a@4/x c@5", &[5]);
    let leading = "no a -> b by who within 10s";
    check(leading, "b@0", &[0]);
    check(leading, "a@0 b@10000", &[]);
    check(leading, "a@0 b@10001", &[10_001]);
    check(leading, "a@0 b@0", &[0]);
    check("no a -> b -> c by who within 10s", "a@0 b@10000 c@10001", &[]);
    check("no a -> b -> c by who within 10s", "b@1 a@2 c@3", &[3]);
}

#[test]
fn a_trailing_absence_waits_for_its_end() {
    let text = "a -> no b by who within 10s";
    check(text, "a@0", &[10_000]);
    check(text, "a@0 b@0", &[10_000]);
    check(text, "a@0 b@1", &[]);
    check(text, "a@0 b@10000", &[]);
    check(text, "a@0 b@10001", &[10_000]);
    check(text, "a@0 a@4000 a@8000 b@11000", &[10_000]);
    check(text, "a@0 a@4000", &[10_000, 14_000]);
    let behind = "a -> b -> no c by who within 10s";
    check(behind, "a@0 b@1", &[10_000]);
    check(behind, "a@0 b@1 c@2 b@3", &[]);
    check(behind, "a@0 c@1 b@1", &[10_000]);
    check(behind, "a@0 b@10000", &[10_000]);
    let hits = eval::evaluate(&detection(behind, "  suppress: none"), events("a@0 b@1"));
    assert_eq!(hits[0].closing, None);
    assert_eq!(hits[0].events.len(), 2);
}

#[test]
fn conditions_between_steps_in_general() {
    let either = "a -> b by who within 10s where a.ip == b.ip or a.what == b.what";
    check(either, "a@0/x b@1/y", &[]);
    check(either, "ab@0/x ab@1/y", &[1]);
    let ordered = "a -> b by who within 10s where a.size < b.size";
    check(ordered, "a@0/5 a@1/9 b@2/7", &[2]);
    check(ordered, "a@0/5 b@1/5 b@2/10", &[2]);
    check(ordered, "a@0/x b@1/5", &[]);
    check("a -> b by who within 10s where not a.size < b.size", "a@0/x b@1/5", &[1]);
}

#[test]
fn groups_take_any_order_and_one_event_for_several() {
    check("a & b by who within 10s", "b@0 a@10000", &[10_000]);
    check("a & b by who within 10s", "b@0 a@10001", &[]);
    check("a & b by who within 10s", "ab@0", &[0]);
    check("2 of (a, b, c) by who within 10s", "a@0 a@1 c@2 b@20000", &[2]);
    let score = "score(a = 30, b = 40, c = 20) >= 60 by who within 10s";
    check(score, "a@0 c@1 b@2", &[2]);
    let hits = eval::evaluate(&detection(score, "  suppress: none"), events("c@0 b@1"));
    assert_eq!(hits[0].aggregates[0].1.to_string(), "60");
}

#[test]
fn novelty_looks_back_as_far_as_it_says() {
    let text = "new(a.ip) by who over 10s";
    check(text, "a@0/x", &[0]);
    check(text, "a@0/x a@10000/x", &[0]);
    check(text, "a@0/x a@10001/x", &[0, 10_001]);
    check(text, "a@0/x a@0/x a@1/y a@2/x", &[0, 1]);
    check("new(a.ip) by who over 10s learning 5s", "a@0/x a@4999/y a@5000/z", &[5_000]);
    check("new(a.ip) by who over 10s learning 5s", "a@0/x a@10001/y", &[]);
    check("rare(a.ip) <= 1 by who over 10s", "a@0/x a@1/x a@2/x", &[0, 1]);
    check("rare(a.ip) == 1 by who over 10s", "a@0/x a@1/x a@2/x a@10001/x a@10003/x", &[1, 10_003]);
    let mut log = events("a@5000/x");
    log.insert(0, event(0, "a", "ana", ""));
    let learnt = detection("new(a.ip) by who over 10s learning 5s", "  suppress: none");
    assert_eq!(times(&eval::evaluate(&learnt, log)), [5_000]);
}

#[test]
fn buckets_stand_out_from_those_before() {
    let outlier = "outlier(count(a)) by who per 1s over 4s above 2 sigma floor 2";
    // One event in each of two buckets, none in the two between: mean 0.5, deviation 0.5.
    check(outlier, "a@0 a@3000 a@4000 a@4001", &[5_000]);
    check(outlier, "a@0 a@3000 a@4000", &[]);
    check(outlier, "a@4000 a@4001", &[]);
    // Deviation 0: anything above the mean.
    check(outlier, "a@0 a@1000 a@2000 a@3000 a@4000 a@4001", &[5_000]);
    // Five buckets later nothing is known.
    check(outlier, "a@0 a@5000 a@5001", &[]);
    let spike = "spike(count(a)) by who per 1s over 4s above 3 floor 2";
    check(spike, "a@0 a@1000 a@2000 a@3000 a@4000 a@4001 a@4002", &[]);
    check(spike, "a@0 a@1000 a@2000 a@4000 a@4001 a@4002", &[5_000]);
    check("spike(count(a)) by who per 1s over 4s above 3 floor 2 learning 2s", "a@1000 a@3000 a@3001 a@3002", &[4_000]);
    check("spike(count(a)) by who per 1s over 4s above 3 floor 2 learning 2s", "a@1001 a@3000 a@3001 a@3002", &[]);
}

#[test]
fn journeys_are_between_consecutive_located_events() {
    let places = "network,country,latitude,longitude\n192.0.2.0/24,DE,52.5,13.4\n198.51.100.0/24,US,40.7,-74\n\
                  198.51.100.7,,40.7,-73.9\n203.0.113.0/24,FR,,\n";
    let known = Enrichment::from_csv(places).unwrap();
    let hits =
        |text: &str, log: &str| times(&eval::evaluate_with(&detection(text, "  suppress: none"), events(log), &known));
    let text = "travel(a.ip) by who faster than 900 km/h beyond 500 km within 1d";
    assert_eq!(hits(text, "a@0/192.0.2.1 a@3600000/198.51.100.1"), [3_600_000]);
    assert_eq!(hits(text, "a@0/192.0.2.1 a@36000000/198.51.100.1"), [0_i64; 0]);
    assert_eq!(hits(text, "a@0/192.0.2.1 a@1/203.0.113.1 a@2/host a@3/198.51.100.1"), [3]);
    assert_eq!(hits(text, "a@0/198.51.100.1 a@1/198.51.100.7"), [0_i64; 0]);
    assert_eq!(hits(text, "a@0/198.51.100.1 a@0/192.0.2.1 a@1/192.0.2.1"), [0, 1]);
    assert_eq!(
        hits("travel(a.ip) by who faster than 900 km/h within 1s", "a@0/192.0.2.1 a@1001/198.51.100.1"),
        [0_i64; 0]
    );
}

#[test]
fn hits_are_events_too() {
    let composed = |behavior: &str, log: &str| {
        let signals = "  burst:\n    behavior: count(a) as tries >= 2 by who within 10s\n    let: { person: who }\n";
        let text = text(behavior, "  suppress: none").replace("\nbehavior:", &format!("\n{signals}behavior:"));
        times(&eval::evaluate(&compile(&text), events(log)))
    };
    assert_eq!(composed("burst -> b by who within 10s", "a@0 b@1 a@2 b@3"), [3]);
    // A hit is its closing event, and never pairs with it.
    assert_eq!(composed("burst -> b by who within 10s", "a@0 ab@1"), [0_i64; 0]);
    assert_eq!(composed("burst -> b by who within 10s", "a@0 ab@1 ab@1"), [1]);
    assert_eq!(composed("burst & b by who within 10s", "a@0 ab@1"), [1]);
    assert_eq!(composed("count(burst where tries >= 3) >= 2 by who within 10s", "a@0 a@1 a@2 a@3"), [3]);
    assert_eq!(composed("max(burst.tries) >= 4 by who within 10s", "a@0 a@1 a@2 a@3"), [3]);
    assert_eq!(composed("burst -> no b by who within 10s", "a@0 a@1 b@1"), [10_001]);
    assert_eq!(composed("distinct(burst.ip) >= 2 by person within 10s", "a@0/x a@1/x a@2/x a@3/y"), [3]);
}

#[test]
fn late_events_are_put_in_their_place_or_given_back() {
    let mut reorder = Reorder::new(detection("a", "").sources(), Duration::from_milliseconds(10));
    let mut ready = Vec::new();
    for time in [0, 20, 12, 10, 9, 31] {
        let arrival = reorder.push(event(time, "a", "ana", "x"), &mut ready);
        assert_eq!(matches!(arrival, Arrival::Late(_)), time == 9, "{time}");
    }
    reorder.finish(&mut ready);
    let order: Vec<i64> = ready.iter().map(|event| event.time / 1_000).collect();
    assert_eq!(order, [0, 10, 12, 20, 31]);
    let with_id = |time: i64, ip: &str| {
        let event = event(time, "a", "ana", ip);
        let mut fields = event.whole().into_owned();
        fields["uuid"] = json!("1");
        Event::new("okta.system", event.time, fields)
    };
    let mut reorder = Reorder::new(detection("a", "").sources(), Duration::from_milliseconds(10));
    let mut ready = Vec::new();
    assert_eq!(reorder.push(with_id(5, "x"), &mut ready), Arrival::Taken);
    assert_eq!(reorder.push(with_id(5, "a"), &mut ready), Arrival::Duplicate);
    assert_eq!(reorder.push(with_id(6, "a"), &mut ready), Arrival::Duplicate);
    assert_eq!(reorder.push(event(16, "a", "ana", "x"), &mut ready), Arrival::Taken);
    assert_eq!(ready.len(), 1);
    assert_eq!(ready[0].whole()["client"]["ipAddress"], "a");
    assert_eq!(reorder.push(with_id(5, "0"), &mut ready), Arrival::Duplicate);
}

#[test]
fn hits_come_as_soon_as_they_are_certain() {
    let mut engine = Engine::new(&detection("a -> no b by who within 10s", "  suppress: none"), Arc::default());
    let mut hits = Vec::new();
    assert!(engine.push(Arc::new(event(0, "a", "ana", "x")), &mut hits));
    engine.advance(9_999_999, &mut hits);
    assert!(hits.is_empty());
    engine.advance(10_000_000, &mut hits);
    assert_eq!(times(&hits), [10_000]);
    assert!(!engine.push(Arc::new(event(10_000, "b", "ana", "x")), &mut hits));
    let mut engine = Engine::new(&detection("a", "  suppress: none"), Arc::default());
    hits.clear();
    engine.push(Arc::new(event(0, "a", "ana", "x")), &mut hits);
    assert!(hits.is_empty());
    engine.push(Arc::new(event(1, "c", "ana", "x")), &mut hits);
    assert_eq!(times(&hits), [0]);
}

/// Whether a condition holds of an event of okta.system.
#[track_caller]
fn holds(condition: &str, fields: Json) -> bool {
    let text = format!(
        "detection: edge\nid: 3f1d0a52-7c1e-4b53-9a55-0f3a1a6f0c99\ntitle: An edge\nstatus: test\nseverity: low\n\
         description: An edge.\nsignals:\n  a:\n    source: okta.system\n    where: |\n      {condition}\nbehavior: a\n"
    );
    !eval::evaluate(&compile(&text), vec![Event::new("okta.system", 0, fields)]).is_empty()
}

#[test]
fn missing_values_make_a_test_false_and_its_not_true() {
    for fields in [
        json!({}),
        json!({ "displayMessage": null }),
        json!({ "displayMessage": "" }),
        json!({ "displayMessage": ["x"] }),
    ] {
        for test in [
            "displayMessage == \"x\"",
            "displayMessage contains \"x\"",
            "displayMessage in [\"x\"]",
            "displayMessage matches 'x*'",
        ] {
            assert!(!holds(test, fields.clone()), "{test} {fields}");
            assert!(holds(&format!("not {test}"), fields.clone()), "not {test} {fields}");
        }
    }
    assert!(!holds("exists(displayMessage)", json!({ "displayMessage": "" })));
    assert!(holds("exists(displayMessage)", json!({ "displayMessage": [null] })));
    assert!(!holds("exists(displayMessage)", json!({ "displayMessage": [] })));
}

#[test]
fn values_convert_to_the_declared_type_only() {
    assert!(holds("displayMessage == \"5\"", json!({ "displayMessage": 5 })));
    assert!(holds("displayMessage == \"true\"", json!({ "displayMessage": true })));
    assert!(holds("int(displayMessage) == 5", json!({ "displayMessage": "+05" })));
    assert!(!holds("int(displayMessage) == 5", json!({ "displayMessage": "5.7" })));
    assert!(holds("float(displayMessage) > 5.65", json!({ "displayMessage": "5.7" })));
}

#[test]
fn case_folds_simply_unless_cased() {
    let kelvin = || json!({ "displayMessage": "\u{212a}elvin STRASSE" });
    assert!(holds("displayMessage starts_with \"kelvin\"", kelvin()));
    assert!(!holds("displayMessage contains \"straße\"", kelvin()));
    assert!(!holds("displayMessage starts_with cased \"kelvin\"", kelvin()));
    assert!(holds("displayMessage like \"K?lv*sse\"", kelvin()));
    assert!(holds("displayMessage matches '^k.*e$'", kelvin()));
    assert!(!holds("displayMessage matches '^k$'", json!({ "displayMessage": "k\n" })));
    assert!(!holds("displayMessage matches 'a.b'", json!({ "displayMessage": "a\nb" })));
    assert!(!holds(r"displayMessage matches '^\d$'", json!({ "displayMessage": "\u{663}" })));
}

#[test]
fn globs_cover_the_whole_text() {
    let is_like = |glob: &str, text: &str| {
        holds(&format!("displayMessage like cased '{glob}'"), json!({ "displayMessage": text }))
    };
    for (glob, text) in [
        ("a*b?c*", "aXbXbYcZ"),
        ("*b?d", "bxdbyd"),
        ("a*a", "aa"),
        ("*ab*ab", "abab"),
        ("?*é?", "xyéz"),
        ("a*", "a"),
        ("*?", "x"),
        ("ab", "ab"),
        ("a?b", "aéb"),
        ("*a*b*", "xaxbx"),
    ] {
        assert!(is_like(glob, text), "{glob} {text}");
    }
    for (glob, text) in [
        ("a*a", "a"),
        ("*ab*ab", "ab"),
        ("*aba*ba", "ababa b"),
        ("a?b", "ab"),
        ("ab", "abc"),
        ("*b?d", "bd"),
        ("a*b?c*", "aXbcZ"),
        ("?*é?", "éz"),
        ("*a*b*", "xbxa"),
    ] {
        assert!(!is_like(glob, text), "{glob} {text}");
    }
}

#[test]
fn addresses_are_exact() {
    let at = |ip: &str| json!({ "client": { "ipAddress": ip } });
    assert!(holds("client.ipAddress in [\"10.0.0.9/8\"]", at("10.255.0.1")));
    for no_address in ["010.0.0.1", "host.example", "::ffff:10.0.0.1", "fe80::1%1", ""] {
        assert!(!holds("client.ipAddress in [\"10.0.0.0/8\"]", at(no_address)), "{no_address}");
    }
    assert!(holds("client.ipAddress == \"HOST.example\"", at("host.EXAMPLE")));
    assert!(!holds("is_public(client.ipAddress)", at("host.example")));
    assert!(holds("is_public(client.ipAddress)", at("198.51.100.7")));
    assert!(holds("is_private(client.ipAddress)", at("::1")));
}

#[test]
fn functions_of_texts() {
    let mail = || json!({ "displayMessage": "Ana@Example.com" });
    assert!(holds("split(displayMessage, \"@\", 1) == cased \"Example.com\"", mail()));
    assert!(!holds("exists(split(displayMessage, \"@\", 2))", mail()));
    assert!(holds("extract(displayMessage, '^([^@]+)@') == cased \"Ana\"", mail()));
    assert!(holds("extract(displayMessage, '[a-z]+') == cased \"na\"", mail()));
    assert!(holds("replace(displayMessage, \"@Example.com\", \"\") == \"ana\"", mail()));
    assert!(!holds("exists(replace(displayMessage, \"Ana@Example.com\", \"\"))", mail()));
    assert!(holds("length(displayMessage) == 15", mail()));
    assert!(holds("coalesce(client.device, displayMessage) == \"ana@example.com\"", mail()));
    assert!(!holds("exists(concat(client.device, displayMessage))", mail()));
    assert!(holds("hour(time) == 0 and weekday(time) == 4", mail()));
    assert!(holds("outside_hours(time, \"Mon-Fri 08:00-18:00\")", mail()));
    assert!(!holds("outside_hours(time, \"Thu 08:00-18:00\", \"+08:00\")", mail()));
}

#[test]
fn tests_of_shipped_detections_pass() {
    std::env::set_current_dir(env!("CARGO_MANIFEST_DIR")).unwrap();
    let mut sources = Sources::default();
    let (project, _) = compiler::load(None, &mut sources);
    let first = FileId(u32::try_from(sources.iter().count()).unwrap());
    compiler::collect(&["detections".to_owned(), "examples".to_owned()], &mut sources).unwrap();
    let settings = Settings { today: "2026-11-30".to_owned(), ..Settings::default() };
    let checked = compiler::check(&project, &sources, first, &settings);
    let targets: BTreeSet<String> = project.targets.keys().cloned().collect();
    let context = detc::analysis::Context {
        catalog: &project.catalog,
        attack: &project.attack,
        lists: &checked.lists,
        targets: &targets,
        settings: &settings.parameters,
        today: &settings.today,
    };
    let mut ran = 0;
    for detection in &checked.detections {
        let file = sources.get(detection.file).unwrap();
        let folder = Path::new(&file.path).parent().unwrap();
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).map_err(|error| error.to_string());
        for result in detc::verify::run(detection.file, &file.text, &context, &read) {
            assert!(result.failures.is_empty(), "{}: {result:#?}", file.path);
            ran += 1;
        }
    }
    assert!(ran >= 300, "only {ran} tests");
}
