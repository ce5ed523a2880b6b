//! Small claims about the Elastic backend: what it writes, what it refuses and why.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::string_slice,
    reason = "a test that cannot build its input has failed"
)]

mod support;

use std::sync::LazyLock;

use detc::backend::Output;
use detc::ir::{CaseRule, Detection, Literal, Predicate, TextTest, Value};
use detc::schema::mapping::TargetProfile;
use detc::source::Spanned;
use proptest::prelude::{any, prop_assert_eq, proptest};
use support::World;

const SCHEMA: &str = r#"
$schema: https://json-schema.org/draft/2020-12/schema
$id: urn:detc:source:SOURCE
title: Test
description: Test events.
x-source: { name: SOURCE, time: time, clock: 1s, lag: 15m, signature: [time, action] }
type: object
required: [time]
properties:
  time: { type: string, format: date-time, description: Time. }
  action: { type: string, description: Text. }
  Kind: { type: string, description: Canonical text., x-case: canonical, x-values: [CreateUser, DeleteUser] }
  user: { type: string, description: Text. }
  agent: { type: string, description: Text. }
  ip: { type: string, format: ip, description: Address in a field of type ip. }
  caller: { type: string, format: ip, description: Address or name in a text field with an ip field beside it. }
  peer: { type: string, format: ip, description: Address or name in a text field. }
  code: { type: integer, description: Number. }
  share: { type: number, description: Number. }
  level: { type: integer, description: Number that the index keeps as text. }
  result: { type: string, description: Text that the index keeps as a number. }
  enabled: { type: boolean, description: Truth value. }
  mfa: { type: string, description: Text that the index keeps as a truth value. }
  outcome: { type: string, description: Text that the index spells otherwise. }
  renamed: { type: string, description: Canonical text whose case the index loses., x-case: canonical, x-values: [One] }
  lossy: { type: string, description: Text that the index changes. }
  gone: { type: string, description: Text that the index lacks. }
  odd: { type: object, properties: { 'x-forwarded.for': { type: string, description: Odd name. } } }
  tags: { type: array, items: { type: string }, description: Texts. }
  sizes: { type: array, items: { type: integer }, description: Numbers. }
  resources: { type: array, description: Mixed., items: { type: object, properties: { arn: { type: string }, type: { type: string } } } }
  targets:
    type: array
    description: Kept by index.
    items:
      type: object
      properties:
        name: { type: string }
        type: { type: string }
        changes: { type: array, items: { type: object, properties: { field: { type: string }, new: { type: string } } } }
  parameters:
    type: array
    description: Kept by name.
    x-name-value: { name: Name, value: Value }
    items: { type: object, properties: { Name: { type: string }, Value: { type: string } } }
  arguments: { type: object, additionalProperties: { type: string }, description: Flattened. }
"#;

const MAP: &str = r#"
source: SOURCE
location: { index: [logs-SOURCE-*], dataset: [SOURCE] }
time: "@timestamp"
fields:
  time: "@timestamp"
  action: x.action
  Kind: event.action
  user: user.name
  agent: x.agent
  ip: source.ip
  caller: { path: source.address, type: string }
  peer: { path: peer.address, type: string }
  code: x.code
  share: x.share
  level: { path: x.level, type: string }
  result: { path: x.result, type: int }
  enabled: x.enabled
  mfa: { path: x.mfa, type: bool, literals: { "Yes": true, "No": false } }
  outcome: { path: event.outcome, literals: { ALLOW: success, DENY: failure } }
  renamed: { path: x.renamed, case: any }
  lossy: { path: x.lossy, lossy: the index may hold another name }
  gone: { missing: the integration has no such field }
  "odd.`x-forwarded.for`": x.and.0.a-b
  tags: x.tags
  sizes: x.sizes
  resources: x.resources
  targets: { path: x.targets.*, access: indexed }
  "targets[].name": { path: x.targets.*.display_name, access: indexed }
  "targets[].type": { path: x.targets.*.type, access: indexed }
  "targets[].changes": { path: x.targets.*.changes.*, access: indexed }
  "targets[].changes[].field": { path: x.targets.*.changes.*.field, access: indexed }
  "targets[].changes[].new": { path: x.targets.*.changes.*.new, access: indexed }
  parameters: { path: x.parameters.*, access: keyed }
  "arguments.*": { path: x.arguments, access: flattened }
"#;

const TARGET: &str = r#"
target: elastic
title: Test
backend: elastic
interval: 5m
options: { array_indexes: 2, network_fields: { source.address: source.ip } }
"#;

/// The identity that every test detection has.
const HEAD: &str = "detection: sample\nid: 0b0f3c0e-6a52-4f0a-9d0e-3a3c5b8a7e11\ntitle: Sample\nstatus: test\n\
                    severity: low\ndescription: Sample.\n";

/// Resolves a detection over the sources `one` and `two`; the text is all but its identity.
#[track_caller]
fn resolve(body: &str) -> (Detection, TargetProfile) {
    let [one, two] = ["one", "two"].map(|name| (SCHEMA.replace("SOURCE", name), MAP.replace("SOURCE", name)));
    // The second source calls its user differently.
    let map = two.1.replace("user.name", "client.user.name");
    let mut world = World::new(TARGET, &[(&one.0, &one.1), (&two.0, &map)]);
    (world.resolve(&format!("{HEAD}{body}")), world.target)
}

#[track_caller]
fn compile(body: &str) -> Output {
    let (detection, target) = resolve(body);
    support::compile(&detection, &target)
}

/// Codes of the reasons, then the text of the query.
fn written(output: &Output) -> String {
    let codes: Vec<&str> = output.verdict.reasons.iter().map(|reason| reason.code.as_str()).collect();
    let codes = if codes.is_empty() { String::new() } else { format!("{}\n", codes.join(", ")) };
    codes + output.query.as_ref().map_or("", |query| query.text.as_str())
}

/// The condition that an expression over source `one` becomes, on one line, behind the codes of the reasons.
#[track_caller]
fn condition(expression: &str) -> String {
    let output = compile(&format!("signals:\n  s:\n    source: one\n    where: |\n      {expression}\n"));
    let text = written(&output).split_whitespace().collect::<Vec<_>>().join(" ");
    text.replace("any where data_stream.dataset == \"one\" and ", "")
}

/// What an expression becomes, and what its negation becomes.
#[track_caller]
fn check(expression: &str, yes: &str, no: &str) {
    assert_eq!(condition(expression), yes);
    assert_eq!(condition(&format!("not ({expression})")), no);
}

/// An expression that EQL cannot say, for this reason.
#[track_caller]
fn refused(expression: &str, code: &str) {
    assert_eq!(condition(expression), code);
    assert_eq!(condition(&format!("not ({expression})")), code);
}

/// The pipeline around a condition, on one line.
fn esql(condition: &str) -> String {
    format!(
        "FROM logs-one-* METADATA _id, _index, _version | WHERE data_stream.dataset == \"one\" AND {condition} | \
         KEEP _id, _index, _version, @timestamp"
    )
}

/// An expression that only ES|QL can say.
#[track_caller]
fn said(expression: &str, expected: &str) {
    assert_eq!(condition(expression), esql(expected));
}

/// What a detection becomes: codes of the reasons, then the query.
#[track_caller]
fn check_query(body: &str, expected: &str) {
    assert_eq!(written(&compile(body)), expected);
}

#[test]
fn micro_01_hours_are_arithmetic_on_the_time() {
    said("hour(time) >= 20", "((TO_LONG(@timestamp) / 3600000) % 24) >= 20");
    said("weekday(time) == 1", "((((TO_LONG(@timestamp) / 86400000) + 3) % 7) + 1) == 1");
    said(
        r#"not outside_hours(time, "Mon-Fri 08:00-18:00", "+01:00")"#,
        "((((((TO_LONG(@timestamp) / 60000) + 60) / 1440) + 3) % 7) + 1) IN (1, 2, 3, 4, 5) AND \
         (((TO_LONG(@timestamp) / 60000) + 60) % 1440) >= 480 AND (((TO_LONG(@timestamp) / 60000) + 60) % 1440) < 1080",
    );
}

#[test]
fn micro_02_an_hour_is_arithmetic_on_the_time() {
    said("hour(time) == 3", "((TO_LONG(@timestamp) / 3600000) % 24) == 3");
}

#[test]
fn micro_03_equality_ignores_case() {
    check(r#"action == "v""#, r#"?x.action : "v""#, r#"(?x.action == null or not ?x.action : "v")"#);
}

#[test]
fn micro_04_cased_equality_is_exact() {
    check(r#"action == cased "v""#, r#"?x.action == "v""#, r#"(?x.action == null or ?x.action != "v")"#);
}

#[test]
fn micro_05_cased_parts_are_functions_that_take_stars_literally() {
    check(
        r#"action contains cased "Boto3*""#,
        r#"stringContains(?x.action, "Boto3*")"#,
        r#"(?x.action == null or not stringContains(?x.action, "Boto3*"))"#,
    );
    check(
        r#"action starts_with cased "v""#,
        r#"startsWith(?x.action, "v")"#,
        r#"(?x.action == null or not startsWith(?x.action, "v"))"#,
    );
    check(
        r#"action ends_with cased "v""#,
        r#"endsWith(?x.action, "v")"#,
        r#"(?x.action == null or not endsWith(?x.action, "v"))"#,
    );
}

#[test]
fn micro_06_globs_are_like() {
    check(
        r#"action like "Put*Policy""#,
        r#"?x.action like~ "Put*Policy""#,
        r#"(?x.action == null or not ?x.action like~ "Put*Policy")"#,
    );
}

#[test]
fn micro_07_globs_and_words_of_one_list_stay_whole() {
    check(
        r#"action like ["Put*Policy", "Foo"]"#,
        r#"?x.action like~ ("Put*Policy", "Foo")"#,
        r#"(?x.action == null or not ?x.action like~ ("Put*Policy", "Foo"))"#,
    );
}

#[test]
fn micro_08_question_marks_are_one_character() {
    check(
        r#"action like "Put?Policy""#,
        r#"?x.action like~ "Put?Policy""#,
        r#"(?x.action == null or not ?x.action like~ "Put?Policy")"#,
    );
}

#[test]
fn micro_09_literal_stars_are_no_wildcards() {
    check(
        r#"action like 'a\*b'"#,
        r#"?x.action regex~ """a\*b""""#,
        r#"(?x.action == null or not ?x.action regex~ """a\*b""")"#,
    );
    check(r#"action == "a*b""#, r#"?x.action in~ ("a*b")"#, r#"(?x.action == null or not ?x.action in~ ("a*b"))"#);
    check(
        r#"action in ["a", "b*"]"#,
        r#"?x.action in~ ("a", "b*")"#,
        r#"(?x.action == null or not ?x.action in~ ("a", "b*"))"#,
    );
    check(
        r#"action contains "a*""#,
        r#"?x.action regex~ """.*a\*.*""""#,
        r#"(?x.action == null or not ?x.action regex~ """.*a\*.*""")"#,
    );
}

#[test]
fn micro_11_negation_keeps_events_without_the_field() {
    check(r#"not action like "x*""#, r#"(?x.action == null or not ?x.action like~ "x*")"#, r#"?x.action like~ "x*""#);
    check(r#"action != "v""#, r#"(?x.action == null or not ?x.action : "v")"#, r#"?x.action : "v""#);
}

#[test]
fn micro_12_absence_is_null_or_empty() {
    check(
        "not exists(action)",
        r#"(?x.action == null or ?x.action == "")"#,
        r#"?x.action != null and ?x.action != """#,
    );
}

#[test]
fn micro_13_presence_is_neither_null_nor_empty() {
    check("exists(action)", r#"?x.action != null and ?x.action != """#, r#"(?x.action == null or ?x.action == "")"#);
    check("exists(code)", "?x.code != null", "?x.code == null");
    check("exists(tags)", "?x.tags != null", "?x.tags == null");
    check("exists(time)", "`@timestamp` != null", "`@timestamp` == null");
}

#[test]
fn micro_14_truth_values_are_no_text() {
    check("enabled", "?x.enabled == true", "(?x.enabled == null or ?x.enabled != true)");
    check("enabled == true", "?x.enabled == true", "(?x.enabled == null or ?x.enabled != true)");
    check("enabled != false", "(?x.enabled == null or ?x.enabled != false)", "?x.enabled == false");
}

#[test]
fn micro_15_numbers_are_no_text() {
    check("code == 5", "?x.code == 5", "(?x.code == null or ?x.code != 5)");
}

#[test]
fn micro_16_lists_of_numbers_are_no_text() {
    check("code in [5, -6]", "?x.code in (5, -6)", "(?x.code == null or not ?x.code in (5, -6))");
}

#[test]
fn micro_17_orders_are_turned_around_under_not() {
    check("code > 5", "?x.code > 5", "(?x.code == null or ?x.code <= 5)");
    check("code >= 5", "?x.code >= 5", "(?x.code == null or ?x.code < 5)");
    check("code < 5", "?x.code < 5", "(?x.code == null or ?x.code >= 5)");
    check("share <= 0.5", "?x.share <= 0.5", "(?x.share == null or ?x.share > 0.5)");
}

#[test]
fn micro_18_networks_of_v4() {
    check(
        r#"in_network(ip, "10.0.0.0/8")"#,
        r#"cidrMatch(?source.ip, "10.0.0.0/8")"#,
        r#"(?source.ip == null or not cidrMatch(?source.ip, "10.0.0.0/8"))"#,
    );
}

#[test]
fn micro_19_networks_of_v6() {
    check(
        r#"ip in ["2001:db8::/33"]"#,
        r#"cidrMatch(?source.ip, "2001:db8::/33")"#,
        r#"(?source.ip == null or not cidrMatch(?source.ip, "2001:db8::/33"))"#,
    );
}

#[test]
fn micro_20_fields_are_compared_with_fields_in_esql() {
    let same = r#"TO_LOWER(CASE(x.action == "", null, x.action)) == TO_LOWER(CASE(user.name == "", null, user.name))"#;
    said("action == user", same);
    said("not action == user", &format!("NOT COALESCE({same}, false)"));
    said("action == cased user", r#"CASE(x.action == "", null, x.action) == CASE(user.name == "", null, user.name)"#);
    said("action == user or code == 1", &format!("({same} OR x.code == 1)"));
    refused("code > level", "unsupported_expression");
}

#[test]
fn micro_22_expressions_are_anchored_and_fold_classes() {
    check(
        "action matches 'boto'",
        r#"?x.action regex~ ".*boto.*""#,
        r#"(?x.action == null or not ?x.action regex~ ".*boto.*")"#,
    );
    check(
        r#"action matches '^ab.c[a-d]\.x$'"#,
        r#"?x.action regex~ "ab[^\n]c[a-dA-D]\\.x""#,
        r#"(?x.action == null or not ?x.action regex~ "ab[^\n]c[a-dA-D]\\.x")"#,
    );
    check(
        "action matches cased '[^a-f]+?x{2,3}'",
        r#"?x.action regex ".*[^a-f]+x{2,3}.*""#,
        r#"(?x.action == null or not ?x.action regex ".*[^a-f]+x{2,3}.*")"#,
    );
    check(
        r#"action matches 'a/"b'"#,
        r#"?x.action regex~ """.*a/\"b.*""""#,
        r#"(?x.action == null or not ?x.action regex~ """.*a/\"b.*""")"#,
    );
}

#[test]
fn micro_23_lists_of_expressions_share_one_operator() {
    check(
        "action matches ['^a', 'b$']",
        r#"?x.action regex~ ("a.*", ".*b")"#,
        r#"(?x.action == null or not ?x.action regex~ ("a.*", ".*b"))"#,
    );
}

#[test]
fn micro_24_all_of_several_values() {
    check(
        r#"any(tags as t where t == "a") and any(tags as t where t == "b")"#,
        r#"?x.tags : "a" and ?x.tags : "b""#,
        r#"(?x.tags == null or not ?x.tags : "a" or not ?x.tags : "b")"#,
    );
}

#[test]
fn micro_26_dotted_fields_are_fields() {
    check(r#"action == "v""#, r#"?x.action : "v""#, r#"(?x.action == null or not ?x.action : "v")"#);
}

#[test]
fn micro_27_odd_names_are_quoted() {
    check(
        r#"odd.`x-forwarded.for` == "x""#,
        r#"?x.`and`.`0`.`a-b` : "x""#,
        r#"(?x.`and`.`0`.`a-b` == null or not ?x.`and`.`0`.`a-b` : "x")"#,
    );
}

#[test]
fn micro_28_members_of_one_element() {
    check(
        r#"any(targets as t where t.name == "x" and t.type == "y")"#,
        r#"array_indexes ((?x.targets.`0`.display_name : "x" and ?x.targets.`0`.type : "y") or (?x.targets.`1`.display_name : "x" and ?x.targets.`1`.type : "y"))"#,
        r#"array_indexes (?x.targets.`0`.display_name == null or not ?x.targets.`0`.display_name : "x" or ?x.targets.`0`.type == null or not ?x.targets.`0`.type : "y") and (?x.targets.`1`.display_name == null or not ?x.targets.`1`.display_name : "x" or ?x.targets.`1`.type == null or not ?x.targets.`1`.type : "y")"#,
    );
    check(
        r#"any(resources as r where r.arn contains "x" and r.type == "y")"#,
        r#"array_correlation ?x.resources.arn like~ "*x*" and ?x.resources.type : "y""#,
        r#"array_correlation (?x.resources.arn == null or not ?x.resources.arn like~ "*x*" or ?x.resources.type == null or not ?x.resources.type : "y")"#,
    );
}

#[test]
fn canonical_fields_are_compared_exactly() {
    check(
        r#"Kind == "createuser""#,
        r#"?event.action == "CreateUser""#,
        r#"(?event.action == null or ?event.action != "CreateUser")"#,
    );
    check(
        r#"Kind in ["CreateUser", "DeleteUser"]"#,
        r#"?event.action in ("CreateUser", "DeleteUser")"#,
        r#"(?event.action == null or not ?event.action in ("CreateUser", "DeleteUser"))"#,
    );
}

#[test]
fn canonical_fields_whose_case_is_lost_are_folded() {
    check(r#"renamed == "one""#, r#"?x.renamed : "One""#, r#"(?x.renamed == null or not ?x.renamed : "One")"#);
}

#[test]
fn alternatives_of_expressions_keep_their_own_anchors() {
    check(
        "action matches '^ab|cd$'",
        r#"?x.action regex~ ("ab.*", ".*cd")"#,
        r#"(?x.action == null or not ?x.action regex~ ("ab.*", ".*cd"))"#,
    );
    check(
        "action matches '(^ab|cd$)'",
        r#"?x.action regex~ ("ab.*", ".*cd")"#,
        r#"(?x.action == null or not ?x.action regex~ ("ab.*", ".*cd"))"#,
    );
}

#[test]
fn expressions_that_take_nothing_want_some_text() {
    check(
        "action matches 'x*'",
        r#"?x.action regex~ ".*x*.*" and ?x.action != """#,
        r#"(?x.action == null or ?x.action == "" or not ?x.action regex~ ".*x*.*")"#,
    );
}

#[test]
fn globs_of_stars_want_some_text() {
    check(
        r#"action like "*""#,
        r#"?x.action != null and ?x.action != """#,
        r#"(?x.action == null or ?x.action == "")"#,
    );
}

#[test]
fn anchors_inside_expressions_are_refused() {
    refused("action matches 'a(^b|c)'", "unsupported_regex");
    refused("action matches 'a$b'", "unsupported_regex");
}

#[test]
fn letters_beyond_ascii_are_folded_by_esql_unless_in_classes() {
    check(
        r#"action == "Größe""#,
        &esql(r#"TO_LOWER(x.action) == "größe""#),
        &esql(r#"(x.action IS NULL OR NOT (TO_LOWER(x.action) == "größe"))"#),
    );
    check(r#"action == cased "Größe""#, r#"?x.action == "Größe""#, r#"(?x.action == null or ?x.action != "Größe")"#);
    check(r#"action == "日本""#, r#"?x.action : "日本""#, r#"(?x.action == null or not ?x.action : "日本")"#);
    check(
        "action matches '[à-ü]'",
        r#"unicode_folding ?x.action regex~ ".*[à-ü].*""#,
        r#"unicode_folding (?x.action == null or not ?x.action regex~ ".*[à-ü].*")"#,
    );
}

#[test]
fn respelled_texts_follow_the_map() {
    check(
        r#"outcome == "allow""#,
        r#"?event.outcome : "success""#,
        r#"(?event.outcome == null or not ?event.outcome : "success")"#,
    );
    check(
        r#"outcome in ["ALLOW", "other"]"#,
        r#"?event.outcome in~ ("success", "other")"#,
        r#"(?event.outcome == null or not ?event.outcome in~ ("success", "other"))"#,
    );
}

#[test]
fn parts_of_respelled_texts_are_refused() {
    refused(r#"outcome contains "all""#, "unsupported_expression");
}

#[test]
fn texts_kept_as_truth_values_follow_the_map() {
    check(r#"mfa == "yes""#, "?x.mfa == true", "(?x.mfa == null or ?x.mfa != true)");
    check(r#"mfa == cased "Yes""#, "?x.mfa == true", "(?x.mfa == null or ?x.mfa != true)");
}

#[test]
fn texts_kept_as_truth_values_hold_no_parts() {
    refused(r#"mfa contains "e""#, "unsupported_expression");
}

#[test]
fn texts_that_a_truth_value_cannot_hold_are_refused() {
    refused(r#"mfa == "maybe""#, "unsupported_literal");
}

#[test]
fn texts_kept_as_numbers_are_compared_as_numbers() {
    check(r#"result == "50126""#, "?x.result == 50126", "(?x.result == null or ?x.result != 50126)");
    check(r#"result in ["0", "1"]"#, "?x.result in (0, 1)", "(?x.result == null or not ?x.result in (0, 1))");
}

#[test]
fn texts_that_no_number_holds_are_refused() {
    refused(r#"result == "abc""#, "unsupported_literal");
    refused(r#"result == "007""#, "unsupported_literal");
}

#[test]
fn numbers_kept_as_text_are_compared_as_text() {
    check("level == 5", r#"?x.level == "5""#, r#"(?x.level == null or ?x.level != "5")"#);
}

#[test]
fn numbers_kept_as_text_have_no_order() {
    refused("level > 5", "unsupported_expression");
}

#[test]
fn addresses_of_type_ip_compare_as_addresses() {
    check(
        r#"ip == "2001:DB8::1""#,
        r#"?source.ip == "2001:db8::1""#,
        r#"(?source.ip == null or ?source.ip != "2001:db8::1")"#,
    );
    check(
        r#"ip in ["10.0.0.1", "10.0.0.2"]"#,
        r#"cidrMatch(?source.ip, "10.0.0.1/32", "10.0.0.2/32")"#,
        r#"(?source.ip == null or not cidrMatch(?source.ip, "10.0.0.1/32", "10.0.0.2/32"))"#,
    );
}

#[test]
fn names_are_no_addresses() {
    refused(r#"ip == "AWS Internal""#, "unsupported_literal");
}

#[test]
fn addresses_have_no_parts() {
    refused(r#"ip starts_with "10.""#, "unsupported_expression");
}

#[test]
fn addresses_kept_as_text_may_be_names() {
    check(
        r#"caller == "AWS Internal""#,
        r#"?source.address : "AWS Internal""#,
        r#"(?source.address == null or not ?source.address : "AWS Internal")"#,
    );
}

#[test]
fn networks_look_at_the_address_beside_the_text() {
    check(
        r#"in_network(caller, "10.0.0.0/8")"#,
        r#"cidrMatch(?source.ip, "10.0.0.0/8")"#,
        r#"(?source.ip == null or not cidrMatch(?source.ip, "10.0.0.0/8"))"#,
    );
    check(
        r#"caller in ["10.0.0.0/8", "AWS Internal"]"#,
        r#"(?source.address : "AWS Internal" or cidrMatch(?source.ip, "10.0.0.0/8"))"#,
        r#"(?source.address == null or not ?source.address : "AWS Internal") and (?source.ip == null or not cidrMatch(?source.ip, "10.0.0.0/8"))"#,
    );
}

#[test]
fn networks_need_a_field_of_type_ip() {
    refused(r#"in_network(peer, "10.0.0.0/8")"#, "unsupported_expression");
    refused("is_private(peer)", "unsupported_expression");
}

#[test]
fn public_addresses_are_addresses() {
    check(
        "is_public(ip)",
        r#"?source.ip != null and not cidrMatch(?source.ip, "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "100.64.0.0/10", "fc00::/7", "fe80::/10", "::1/128")"#,
        r#"(?source.ip == null or cidrMatch(?source.ip, "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "100.64.0.0/10", "fc00::/7", "fe80::/10", "::1/128"))"#,
    );
}

#[test]
fn fields_that_the_index_lacks_are_refused() {
    refused(r#"gone == "x""#, "missing_field");
}

#[test]
fn fields_that_the_index_changes_are_approximate() {
    check(
        r#"lossy == "x""#,
        r#"field_lossy ?x.lossy : "x""#,
        r#"field_lossy (?x.lossy == null or not ?x.lossy : "x")"#,
    );
}

#[test]
fn flattened_fields_are_refused() {
    refused(r#"arguments.a.b == "x""#, "unsupported_expression");
    refused("exists(arguments.a)", "unsupported_expression");
}

#[test]
fn objects_are_refused() {
    refused("exists(resources)", "unsupported_expression");
}

#[test]
fn lengths_are_guarded_against_the_empty_text() {
    check(
        "length(action) > 5",
        r#"length(?x.action) > 5 and ?x.action != """#,
        r#"(?x.action == null or ?x.action == "" or not length(?x.action) > 5)"#,
    );
    check(
        "length(action) <= 5",
        r#"length(?x.action) <= 5 and ?x.action != """#,
        r#"(?x.action == null or ?x.action == "" or not length(?x.action) <= 5)"#,
    );
    check(
        "length(action) == 5",
        r#"length(?x.action) == 5 and ?x.action != """#,
        r#"(?x.action == null or ?x.action == "" or length(?x.action) != 5)"#,
    );
}

#[test]
fn lengths_of_lists_are_refused() {
    refused("length(tags) > 5", "unsupported_expression");
}

#[test]
fn lower_case_is_folding() {
    check(r#"lower(action) == "v""#, r#"?x.action : "v""#, r#"(?x.action == null or not ?x.action : "v")"#);
    check(r#"lower(action) == cased "v""#, r#"?x.action : "v""#, r#"(?x.action == null or not ?x.action : "v")"#);
    check(
        r#"upper(action) contains cased "V""#,
        r#"?x.action like~ "*V*""#,
        r#"(?x.action == null or not ?x.action like~ "*V*")"#,
    );
}

#[test]
fn coalesce_takes_the_first_that_is_present() {
    check(
        r#"coalesce(action, user) == "v""#,
        r#"((?x.action != null and ?x.action != "" and ?x.action : "v") or ((?x.action == null or ?x.action == "") and ?user.name : "v"))"#,
        r#"(?x.action == null or ?x.action == "" or not ?x.action : "v") and ((?x.action != null and ?x.action != "") or ?user.name == null or not ?user.name : "v")"#,
    );
}

#[test]
fn functions_that_build_values_are_said_in_esql_or_refused() {
    said(
        r#"concat(action, user) == cased "v""#,
        r#"CONCAT(CASE(x.action == "", null, x.action), CASE(user.name == "", null, user.name)) == "v""#,
    );
    refused(r#"split(action, "//", 1) == "v""#, "unsupported_expression");
    refused(r#"extract(action, 'a(b)') == "v""#, "unsupported_expression");
    let replaced = r#"REPLACE(CASE(x.action == "", null, x.action), """a\.""", "b")"#;
    said(
        r#"replace(action, "a.", "b") == "v""#,
        &format!(r#"TO_LOWER(CASE({replaced} == "", null, {replaced})) == "v""#),
    );
    refused("int(action) == 5", "unsupported_expression");
    refused(r#"country(ip) == "DE""#, "unsupported_expression");
}

#[test]
fn any_value_of_a_list_suffices() {
    check(
        r#"any(tags as t where t == "x" or t contains "y")"#,
        r#"(?x.tags : "x" or ?x.tags like~ "*y*")"#,
        r#"(?x.tags == null or not ?x.tags : "x") and (?x.tags == null or not ?x.tags like~ "*y*")"#,
    );
    check("any(tags as t where exists(t))", r#"?x.tags like "?*""#, r#"(?x.tags == null or not ?x.tags like "?*")"#);
}

#[test]
fn none_is_that_no_value_passes() {
    check(r#"none(tags as t where t == "x")"#, r#"(?x.tags == null or not ?x.tags : "x")"#, r#"?x.tags : "x""#);
    check(r#"all(tags as t where not t == "x")"#, r#"(?x.tags == null or not ?x.tags : "x")"#, r#"?x.tags : "x""#);
}

#[test]
fn several_tests_of_one_value_are_approximate() {
    check(
        r#"any(tags as t where t starts_with "x" and t ends_with "y")"#,
        r#"array_correlation ?x.tags like~ "x*" and ?x.tags like~ "*y""#,
        r#"array_correlation (?x.tags == null or not ?x.tags like~ "x*" or not ?x.tags like~ "*y")"#,
    );
}

#[test]
fn elements_that_fail_a_test_are_refused() {
    refused(r#"any(tags as t where not t == "x")"#, "unsupported_expression");
    refused(r#"all(tags as t where t == "x")"#, "unsupported_expression");
}

#[test]
fn any_number_of_a_list_may_lie_in_a_range() {
    check("any(sizes as s where not s < 5)", "?x.sizes >= 5", "unsupported_expression");
}

#[test]
fn tests_beside_the_element_are_no_correlation() {
    check(
        r#"any(resources as r where r.arn contains "x" and action == "y")"#,
        r#"?x.resources.arn like~ "*x*" and ?x.action : "y""#,
        r#"(?x.resources.arn == null or not ?x.resources.arn like~ "*x*" or ?x.action == null or not ?x.action : "y")"#,
    );
}

#[test]
fn elements_kept_by_index_are_present_where_a_member_is() {
    check(
        r#"any(targets as t where not t.name == "x")"#,
        r#"array_indexes (((?x.targets.`0`.display_name != null or ?x.targets.`0`.type != null) and (?x.targets.`0`.display_name == null or not ?x.targets.`0`.display_name : "x")) or ((?x.targets.`1`.display_name != null or ?x.targets.`1`.type != null) and (?x.targets.`1`.display_name == null or not ?x.targets.`1`.display_name : "x")))"#,
        r#"array_indexes ((?x.targets.`0`.display_name == null and ?x.targets.`0`.type == null) or ?x.targets.`0`.display_name : "x") and ((?x.targets.`1`.display_name == null and ?x.targets.`1`.type == null) or ?x.targets.`1`.display_name : "x")"#,
    );
}

#[test]
fn lists_inside_elements_kept_by_index() {
    check(
        r#"any(targets as t where any(t.changes as c where c.field == "f" and c.new contains "n"))"#,
        r#"array_indexes, array_indexes ((?x.targets.`0`.changes.`0`.field : "f" and ?x.targets.`0`.changes.`0`.new like~ "*n*") or (?x.targets.`0`.changes.`1`.field : "f" and ?x.targets.`0`.changes.`1`.new like~ "*n*") or (?x.targets.`1`.changes.`0`.field : "f" and ?x.targets.`1`.changes.`0`.new like~ "*n*") or (?x.targets.`1`.changes.`1`.field : "f" and ?x.targets.`1`.changes.`1`.new like~ "*n*"))"#,
        r#"array_indexes, array_indexes (?x.targets.`0`.changes.`0`.field == null or not ?x.targets.`0`.changes.`0`.field : "f" or ?x.targets.`0`.changes.`0`.new == null or not ?x.targets.`0`.changes.`0`.new like~ "*n*") and (?x.targets.`0`.changes.`1`.field == null or not ?x.targets.`0`.changes.`1`.field : "f" or ?x.targets.`0`.changes.`1`.new == null or not ?x.targets.`0`.changes.`1`.new like~ "*n*") and (?x.targets.`1`.changes.`0`.field == null or not ?x.targets.`1`.changes.`0`.field : "f" or ?x.targets.`1`.changes.`0`.new == null or not ?x.targets.`1`.changes.`0`.new like~ "*n*") and (?x.targets.`1`.changes.`1`.field == null or not ?x.targets.`1`.changes.`1`.field : "f" or ?x.targets.`1`.changes.`1`.new == null or not ?x.targets.`1`.changes.`1`.new like~ "*n*")"#,
    );
}

#[test]
fn first_passes_over_earlier_elements() {
    check(
        r#"first(targets as t where t.type == "User").name == "x""#,
        r#"array_indexes ((?x.targets.`0`.type : "User" and ?x.targets.`0`.display_name : "x") or (?x.targets.`1`.type : "User" and (?x.targets.`0`.type == null or not ?x.targets.`0`.type : "User") and ?x.targets.`1`.display_name : "x"))"#,
        r#"array_indexes (?x.targets.`0`.type == null or not ?x.targets.`0`.type : "User" or ?x.targets.`0`.display_name == null or not ?x.targets.`0`.display_name : "x") and (?x.targets.`1`.type == null or not ?x.targets.`1`.type : "User" or ?x.targets.`0`.type : "User" or ?x.targets.`1`.display_name == null or not ?x.targets.`1`.display_name : "x")"#,
    );
}

#[test]
fn values_kept_by_name() {
    check(
        r#"parameters["Role.Display Name"].Value == "x""#,
        r#"?x.parameters.Role_Display_Name : "x""#,
        r#"(?x.parameters.Role_Display_Name == null or not ?x.parameters.Role_Display_Name : "x")"#,
    );
}

#[test]
fn values_kept_by_name_have_no_elements() {
    refused(r#"any(parameters as p where p.Name == "x")"#, "unsupported_expression");
}

#[test]
fn opposites_meet_in_the_leaves() {
    check(
        r#"not (action == "v" and not user == "w") or code > 3"#,
        r#"(?x.action == null or not ?x.action : "v" or ?user.name : "w" or ?x.code > 3)"#,
        r#"?x.action : "v" and (?user.name == null or not ?user.name : "w") and (?x.code == null or ?x.code <= 3)"#,
    );
}

#[test]
fn guards_that_others_make_needless_are_dropped() {
    check(
        r#"exists(action) and not action == "v""#,
        r#"?x.action != null and ?x.action != "" and not ?x.action : "v""#,
        r#"(?x.action == null or ?x.action == "" or ?x.action : "v")"#,
    );
}

/// Two signals of the two sources.
const PAIR: &str =
    "signals: { a: { source: one, where: 'action == \"a\"' }, b: { source: two, where: 'action == \"b\"' } }\n";

/// One signal.
const ONE: &str = "signals: { s: { source: one, where: 'action == \"x\"' } }\n";

#[test]
fn event_queries_name_their_source() {
    check_query(ONE, "any where data_stream.dataset == \"one\" and ?x.action : \"x\"\n");
}

#[test]
fn signals_without_condition_are_all_events_of_the_source() {
    check_query("signals: { s: { source: one } }\n", "any where data_stream.dataset == \"one\"\n");
}

#[test]
fn wide_conditions_have_a_line_for_each_part() {
    check_query(
        "signals: { s: { source: one, where: 'action == \"aaaaaaaaaaaaaaaaaaaaaaaaa\" and (user == \"bbbbbbbbbbbbbbbbbbbb\" or code > 5) and agent contains \"c\"' } }\n",
        r#"any where data_stream.dataset == "one"
  and ?x.action : "aaaaaaaaaaaaaaaaaaaaaaaaa"
  and (?user.name : "bbbbbbbbbbbbbbbbbbbb" or ?x.code > 5)
  and ?x.agent like~ "*c*"
"#,
    );
}

#[test]
fn counts_are_runs_of_one_key() {
    check_query(
        &format!("{ONE}behavior: count(s) >= 20 by user, code within 10m\n"),
        r#"sequence by ?user.name, ?x.code with maxspan=10m
  [any where data_stream.dataset == "one"
    and ?x.action : "x"
    and ?user.name != null
    and ?user.name != ""
    and ?x.code != null] with runs=20
"#,
    );
}

#[test]
fn counts_without_key_have_none() {
    check_query(
        &format!("{ONE}behavior: count(s) > 4 within 1500ms\n"),
        r#"sequence with maxspan=1500ms
  [any where data_stream.dataset == "one" and ?x.action : "x"] with runs=5
"#,
    );
}

#[test]
fn counts_of_one_are_events_that_have_the_key() {
    check_query(
        &format!("{ONE}behavior: count(s) >= 1 by user within 10m\n"),
        "any where data_stream.dataset == \"one\" and ?x.action : \"x\" and ?user.name != null and ?user.name != \"\"\n",
    );
}

#[test]
fn counts_above_the_limit_of_runs_are_pipelines() {
    check_query(
        "signals: { s: { source: one, where: 'gone == \"x\" and peer in [\"10.0.0.0/8\"]' } }\nbehavior: count(s) >= 101 within 10m\n",
        "missing_field, unsupported_expression\n",
    );
    assert!(written(&compile(&format!("{ONE}behavior: count(s) >= 101 within 1m\n"))).starts_with("FROM logs-one-* "));
    check_query(
        &format!("{ONE}behavior: count(s) >= 100 within 1m\n"),
        "sequence with maxspan=1m\n  [any where data_stream.dataset == \"one\" and ?x.action : \"x\"] with runs=100\n",
    );
}

#[test]
fn fields_that_the_index_lacks_are_a_reason_in_pipelines_too() {
    check_query(
        "signals: { s: { source: one, where: 'gone == \"x\"' } }\nbehavior: distinct(s.agent) >= 3 by user within 10m\n",
        "missing_field\n",
    );
}

#[test]
fn steps_of_one_source_share_their_keys() {
    check_query(
        "signals: { a: { source: one, where: 'action == \"a\"' }, b: { source: one, where: 'action == \"b\"' } }\nbehavior: a -> b{3} -> a as c by code within 30m\n",
        r#"sequence by ?x.code with maxspan=30m
  [any where data_stream.dataset == "one" and ?x.action : "a" and ?x.code != null]
  [any where data_stream.dataset == "one" and ?x.action : "b" and ?x.code != null] with runs=3
  [any where data_stream.dataset == "one" and ?x.action : "a" and ?x.code != null]
"#,
    );
}

#[test]
fn steps_of_different_sources_name_their_own_keys() {
    check_query(
        &format!("{PAIR}behavior: a -> b{{3}} by user within 30m\n"),
        r#"sequence with maxspan=30m
  [any where data_stream.dataset == "one" and ?x.action : "a" and ?user.name != null and ?user.name != ""] by ?user.name
  [any where data_stream.dataset == "two"
    and ?x.action : "b"
    and ?client.user.name != null
    and ?client.user.name != ""] by ?client.user.name with runs=3
"#,
    );
}

#[test]
fn steps_that_agree_share_a_further_key() {
    check_query(
        &format!("{PAIR}behavior: a -> b by code within 30m where a.ip == b.ip\n"),
        r#"sequence by ?x.code, ?source.ip with maxspan=30m
  [any where data_stream.dataset == "one" and ?x.action : "a" and ?x.code != null and ?source.ip != null]
  [any where data_stream.dataset == "two" and ?x.action : "b" and ?x.code != null and ?source.ip != null]
"#,
    );
}

#[test]
fn steps_that_agree_without_case_are_pipelines() {
    let agree = |relation: &str| written(&compile(&format!("{PAIR}behavior: a -> b within 30m where {relation}\n")));
    assert!(agree("a.agent == b.agent").contains("TO_LOWER(detc_first_1) == TO_LOWER(detc_last_1)"));
    assert!(agree("a.agent == cased b.agent").starts_with("sequence by ?x.agent with"));
    assert!(agree("a.Kind == b.Kind").starts_with("sequence by ?event.action with"));
}

#[test]
fn addresses_are_joined_with_addresses() {
    check_query(
        &format!("{PAIR}behavior: a -> b within 30m where a.ip == b.caller\n"),
        r#"sequence by ?source.ip with maxspan=30m
  [any where data_stream.dataset == "one" and ?x.action : "a" and ?source.ip != null]
  [any where data_stream.dataset == "two"
    and ?x.action : "b"
    and ?source.address != null
    and ?source.address != ""
    and ?source.ip != null]
"#,
    );
    let text = written(&compile(&format!("{PAIR}behavior: a -> b within 30m where a.ip == b.peer\n")));
    assert!(text.contains("TO_LOWER(TO_STRING(detc_first_1)) == TO_LOWER(detc_last_1)"), "{text}");
}

#[test]
fn other_conditions_between_several_steps_are_refused() {
    let refused = |behavior: &str| check_query(&format!("{PAIR}behavior: {behavior}\n"), "unsupported_relation\n");
    refused("a -> b -> a as c by user within 30m where a.ip != b.ip");
    refused("a -> b -> a as c by user within 30m where a.ip == b.ip");
    refused("a -> b{2} by user within 30m where a.ip == b.ip");
}

#[test]
fn keys_without_case_are_pipelines_unless_canonical() {
    let body =
        "signals: { s: { source: one, where: 'action == \"x\"', let: { who: lower(user), kind: lower(Kind) } } }\n";
    let counted = |key: &str| written(&compile(&format!("{body}behavior: count(s) >= 2 by {key} within 1m\n")));
    assert!(counted("who").starts_with("FROM logs-one-* "));
    assert!(counted("kind").starts_with("sequence by ?event.action with maxspan=1m\n"));
    assert!(counted("renamed").starts_with("key_case\nsequence by ?x.renamed with maxspan=1m\n"));
}

#[test]
fn keys_taken_out_of_lists_are_refused() {
    let body = "signals: { s: { source: one, where: 'action == \"x\"', let: { a: 'coalesce(user, agent)', b: 'first(targets as t where t.type == \"User\").name' } } }\n";
    check_query(&format!("{body}behavior: count(s) >= 2 by a, b within 1m\n"), "unsupported_expression\n");
}

#[test]
fn reasons_stand_at_the_clause() {
    let body = format!("{PAIR}behavior: a -> b -> a as c by user within 30m where a.ip != b.ip\n");
    let output = compile(&body);
    let span = output.verdict.reasons.first().unwrap().span;
    let text = format!("{HEAD}{body}");
    let (start, end) = (usize::try_from(span.start).unwrap(), usize::try_from(span.end).unwrap());
    assert_eq!(&text[start..end], "a.ip != b.ip");
}

#[test]
fn alerts_lack_what_events_do_not_hold() {
    let output = compile(
        "signals: { s: { source: one, where: 'action == \"x\"', let: { who: lower(user) } } }\nalert: { show: [who, agent, gone, arguments.a] }\n",
    );
    let missing: Vec<String> = output.query.unwrap().missing_columns.into_keys().collect();
    assert_eq!(missing, ["gone", "who"]);
}

#[test]
fn deployment_reads_back_far_enough() {
    let query = compile(&format!("{PAIR}behavior: a -> b by user within 90s\n")).query.unwrap();
    let facts: Vec<(&str, &str)> =
        query.deployment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let expected = [("from", "now-1290s"), ("index", "logs-one-*,logs-two-*"), ("interval", "5m"), ("language", "eql")];
    assert_eq!(facts, expected);
}

#[test]
fn assumptions_say_what_the_query_relies_on() {
    let assumptions = |body: &str| compile(body).verdict.assumptions.join("\n");
    let folding = "EQL folds ASCII letters only";
    let ties = "EQL orders ties by storage";
    assert!(assumptions(ONE).contains(folding) && !assumptions(ONE).contains(ties));
    assert!(assumptions(&format!("{PAIR}behavior: a -> b within 1m\n")).contains(ties));
    assert!(!assumptions("signals: { s: { source: one, where: 'code == 5' } }\n").contains(folding));
    let canonical = "signals: { s: { source: one, where: 'Kind == \"CreateUser\"' } }\n";
    assert!(assumptions(canonical).contains("canonical casing"));
}

#[test]
fn reasons_name_the_language_that_was_tried() {
    let messages = |body: &str| {
        let reasons = compile(body).verdict.reasons;
        reasons.into_iter().map(|reason| reason.message).collect::<Vec<_>>().join("; ")
    };
    let signals = "signals: { s: { source: one, where: 'exists(resources)' } }\n";
    let distinct = messages(&format!("{signals}behavior: distinct(s.action) >= 2 within 1m\n"));
    assert!(distinct.contains("which ES|QL cannot test"), "{distinct}");
    let chain = messages(&format!("{signals}behavior: s{{3}} within 1m\n"));
    assert!(chain.contains("which EQL cannot test"), "{chain}");
}

#[test]
fn what_an_index_makes_of_values_is_assumed() {
    let assumptions = |test: &str| {
        compile(&format!("signals: {{ s: {{ source: one, where: '{test}' }} }}\n")).verdict.assumptions.join("\n")
    };
    let (addresses, typed) = ("fields of type ip are addresses", "arrive as such");
    assert!(assumptions("exists(ip)").contains(addresses) && !assumptions("exists(action)").contains(addresses));
    assert!(assumptions("code == 5").contains(typed) && !assumptions("action == \"x\"").contains(typed));
    assert!(assumptions("action == \"x\"").contains("single hold one value"));
    assert!(assumptions("action == \"x\"").contains("each event once"));
}

/// A detection of one signal that asks for `action`, resolved once.
static SAMPLE: LazyLock<(Detection, TargetProfile)> =
    LazyLock::new(|| resolve("signals: { s: { source: one, where: 'exists(action)' } }\n"));

/// The condition of one leaf, which no text of a detection could spell.
fn condition_of(predicate: &Predicate) -> String {
    let (mut detection, target) = SAMPLE.clone();
    for signal in &mut detection.stage.signals {
        signal.predicate = Spanned::new(predicate.clone(), signal.predicate.span);
    }
    let text = support::compile(&detection, &target).query.unwrap().text;
    let condition = text.trim_start_matches("any where data_stream.dataset == \"one\"").trim_start();
    condition.trim_start_matches("and ").to_owned()
}

fn action() -> Value {
    match &SAMPLE.0.stage.signals.first().unwrap().predicate.node {
        Predicate::Exists(value) => value.clone(),
        other => panic!("{other:?}"),
    }
}

/// Reads a string literal as Elasticsearch does, independently of how it was written.
fn unquote(literal: &str) -> String {
    if let Some(raw) = literal.strip_prefix("\"\"\"") {
        assert!(!raw.contains('\n'));
        return raw.strip_suffix("\"\"\"").unwrap().to_owned();
    }
    let mut characters = literal.strip_prefix('"').unwrap().strip_suffix('"').unwrap().chars();
    let mut text = String::new();
    while let Some(character) = characters.next() {
        assert!(!"\"\r\n".contains(character), "an unescaped character ends the literal");
        if character != '\\' {
            text.push(character);
            continue;
        }
        text.push(match characters.next().unwrap() {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                assert_eq!(characters.next(), Some('{'));
                let digits: String = characters.by_ref().take_while(|&digit| digit != '}').collect();
                assert!((2..=8).contains(&digits.len()));
                char::from_u32(u32::from_str_radix(&digits, 16).unwrap()).unwrap()
            }
            plain => {
                assert!("\"\\".contains(plain));
                plain
            }
        });
    }
    text
}

/// Takes the escapes out of an expression of literal characters.
fn unescape(expression: &str) -> String {
    let mut characters = expression.chars();
    let mut text = String::new();
    while let Some(character) = characters.next() {
        assert!(!".?+*|{}[]()\"#@&<>~^$".contains(character), "an unescaped operator");
        text.push(if character == '\\' { characters.next().unwrap() } else { character });
    }
    text
}

#[track_caller]
fn survives(text: &str) {
    let exact = Predicate::Equal {
        left: action(),
        right: Value::Literal(Literal::Text(text.to_owned())),
        case: CaseRule::Exact,
    };
    let literal = condition_of(&exact);
    assert_eq!(unquote(literal.strip_prefix("?x.action == ").unwrap().trim_end()), text);
    let part =
        Predicate::Text { value: action(), tests: vec![TextTest::Contains(text.to_owned())], case: CaseRule::Ignore };
    let condition = condition_of(&part);
    if condition.starts_with("FROM ") {
        // Letters that only ES|QL folds.
        return;
    }
    match condition.strip_prefix("?x.action like~ ") {
        Some(literal) => {
            let pattern = unquote(literal.trim_end());
            assert_eq!(pattern.strip_prefix('*').unwrap().strip_suffix('*').unwrap(), text);
            assert!(!text.contains(['*', '?', '\u{1}']));
        }
        None => {
            let pattern = unquote(condition.strip_prefix("?x.action regex~ ").unwrap().trim_end());
            assert_eq!(unescape(pattern.strip_prefix(".*").unwrap().strip_suffix(".*").unwrap()), text);
        }
    }
}

#[test]
fn micro_10_texts_with_lines_and_tabs_are_escaped() {
    for text in [
        "a\nb",
        "a\tb",
        "a\r\n",
        "\0",
        "\"",
        "\"\"\"",
        "\\",
        "\\\"",
        "a\\",
        "$x{y}`z`",
        "日本\u{1f600}",
        "\u{202e}",
        "\u{1}*",
        "\\u{41}",
    ] {
        survives(text);
    }
}

#[test]
fn a_union_is_one_condition() {
    check_query(
        &format!("{PAIR}behavior: a or b\n"),
        r#"any where (data_stream.dataset == "one" and ?x.action : "a")
  or (data_stream.dataset == "two" and ?x.action : "b")
"#,
    );
}

#[test]
fn an_absence_between_steps_is_a_missing_event() {
    check_query(
        &format!("{PAIR}behavior: a -> no a -> b by user within 30m\n"),
        r#"sequence with maxspan=30m
  [any where data_stream.dataset == "one" and ?x.action : "a" and ?user.name != null and ?user.name != ""] by ?user.name
  ![any where data_stream.dataset == "one" and ?x.action : "a" and ?user.name != null and ?user.name != ""] by ?user.name
  [any where data_stream.dataset == "two"
    and ?x.action : "b"
    and ?client.user.name != null
    and ?client.user.name != ""] by ?client.user.name
"#,
    );
}

#[test]
fn absences_among_three_steps_are_greedy() {
    check_query(
        &format!("{PAIR}behavior: a -> b -> no a -> b as c by user within 30m\n"),
        r#"greedy_absence
sequence with maxspan=30m
  [any where data_stream.dataset == "one" and ?x.action : "a" and ?user.name != null and ?user.name != ""] by ?user.name
  [any where data_stream.dataset == "two"
    and ?x.action : "b"
    and ?client.user.name != null
    and ?client.user.name != ""] by ?client.user.name
  ![any where data_stream.dataset == "one" and ?x.action : "a" and ?user.name != null and ?user.name != ""] by ?user.name
  [any where data_stream.dataset == "two"
    and ?x.action : "b"
    and ?client.user.name != null
    and ?client.user.name != ""] by ?client.user.name
"#,
    );
}

#[test]
fn an_end_of_a_chain_is_until() {
    check_query(
        &format!("{PAIR}behavior: a{{2}} -> b by user within 30m until a\n"),
        r#"sequence with maxspan=30m
  [any where data_stream.dataset == "one" and ?x.action : "a" and ?user.name != null and ?user.name != ""] by ?user.name with runs=2
  [any where data_stream.dataset == "two"
    and ?x.action : "b"
    and ?client.user.name != null
    and ?client.user.name != ""] by ?client.user.name
until [any where data_stream.dataset == "one" and ?x.action : "a" and ?user.name != null and ?user.name != ""] by ?user.name
"#,
    );
}

#[test]
fn distinct_elements_of_a_list_are_spread() {
    check_query(
        &format!("{ONE}behavior: distinct(s.tags) >= 3 by user within 10m\n"),
        r#"FROM logs-one-* METADATA _id
| WHERE @timestamp > TO_DATETIME((((TO_LONG(NOW()) - 900000) / 300000) * 300000) - 900000)
    AND @timestamp <= TO_DATETIME(((TO_LONG(NOW()) - 900000) / 300000) * 300000)
| WHERE data_stream.dataset == "one" AND TO_LOWER(x.action) == "x"
| EVAL detc_time = TO_LONG(@timestamp)
| EVAL detc_key_1 = CASE(user.name == "", null, user.name)
| WHERE detc_key_1 IS NOT NULL
| EVAL detc_element = MV_DEDUPE(x.tags)
| MV_EXPAND detc_element
| EVAL detc_value_1 = CASE(detc_element == "", null, detc_element)
| EVAL detc_event = CONCAT(TO_STRING(detc_time), "|", _id, "|", COALESCE(TO_BASE64(detc_value_1), "-"))
| STATS detc_instant = VALUES(detc_time), detc_window = VALUES(detc_event) BY detc_key_1
| WHERE MV_COUNT(detc_window) >= 3
| MV_EXPAND detc_instant
| WHERE detc_instant > ((((TO_LONG(NOW()) - 900000) / 300000) * 300000) - 300000)
    AND detc_instant <= (((TO_LONG(NOW()) - 900000) / 300000) * 300000)
| MV_EXPAND detc_window
| DISSECT detc_window "%{detc_window_time}|%{detc_window_id}|%{detc_value_1}"
| EVAL detc_window_time = TO_LONG(detc_window_time)
| EVAL detc_value_1 = CASE(detc_value_1 == "-", null, FROM_BASE64(detc_value_1))
| WHERE detc_window_time <= detc_instant AND detc_window_time >= (detc_instant - 600000)
| STATS detc_number_1 = VALUES(detc_value_1) BY detc_key_1, detc_instant
| EVAL detc_number_1 = COALESCE(MV_COUNT(detc_number_1), 0)
| WHERE detc_number_1 >= 3
| EVAL @timestamp = TO_DATETIME(detc_instant), user = detc_key_1, distinct = detc_number_1
| KEEP @timestamp, user, distinct
"#,
    );
}

#[test]
fn a_trailing_absence_ends_with_its_window() {
    check_query(
        &format!("{PAIR}behavior: a -> no b by user within 30m\n"),
        r#"FROM logs-one-*, logs-two-* METADATA _id
| WHERE @timestamp > TO_DATETIME((((TO_LONG(NOW()) - 900000) / 300000) * 300000) - 2100000)
    AND @timestamp <= TO_DATETIME(((TO_LONG(NOW()) - 900000) / 300000) * 300000)
| WHERE (data_stream.dataset == "one" AND TO_LOWER(x.action) == "a")
    OR (data_stream.dataset == "two" AND TO_LOWER(x.action) == "b")
| EVAL detc_time = TO_LONG(@timestamp),
    detc_is_a = CASE(data_stream.dataset == "one" AND TO_LOWER(x.action) == "a", 1, 0),
    detc_is_b = CASE(data_stream.dataset == "two" AND TO_LOWER(x.action) == "b", 1, 0)
| EVAL detc_key_1 = CASE(detc_is_a == 1, CASE(user.name == "", null, user.name), detc_is_b == 1, CASE(client.user.name == "", null, client.user.name))
| WHERE detc_key_1 IS NOT NULL
| EVAL detc_event = CONCAT(TO_STRING(detc_time), "|", _id)
| STATS detc_event = VALUES(CASE(detc_is_a == 1, detc_event, null)),
    detc_after = VALUES(CASE(detc_is_b == 1, detc_time, null)) BY detc_key_1
| WHERE detc_event IS NOT NULL
| MV_EXPAND detc_event
| DISSECT detc_event "%{detc_event_time}|%{detc_event_id}"
| EVAL detc_event_time = TO_LONG(detc_event_time)
| EVAL detc_end = detc_event_time
| MV_EXPAND detc_after
| STATS detc_broken = MAX(CASE(detc_after > detc_event_time AND detc_after <= (detc_event_time + 1800000), 1, 0)) BY detc_key_1, detc_event, detc_event_time
| WHERE detc_broken == 0
| EVAL detc_end = detc_event_time + 1800000
| STATS detc_event = MAX(detc_event) BY detc_key_1, detc_end
| WHERE detc_end > ((((TO_LONG(NOW()) - 900000) / 300000) * 300000) - 300000)
    AND detc_end <= (((TO_LONG(NOW()) - 900000) / 300000) * 300000)
| EVAL @timestamp = TO_DATETIME(detc_end), user = detc_key_1
| KEEP @timestamp, user
"#,
    );
}

#[test]
fn two_steps_compare_in_a_join() {
    check_query(
        &format!("{PAIR}behavior: a -> b by user within 30m where a.code < b.code\n"),
        r#"FROM logs-one-*, logs-two-* METADATA _id
| WHERE @timestamp > TO_DATETIME((((TO_LONG(NOW()) - 900000) / 300000) * 300000) - 2100000)
    AND @timestamp <= TO_DATETIME(((TO_LONG(NOW()) - 900000) / 300000) * 300000)
| WHERE (data_stream.dataset == "one" AND TO_LOWER(x.action) == "a")
    OR (data_stream.dataset == "two" AND TO_LOWER(x.action) == "b")
| EVAL detc_time = TO_LONG(@timestamp),
    detc_is_a = CASE(data_stream.dataset == "one" AND TO_LOWER(x.action) == "a", 1, 0),
    detc_is_b = CASE(data_stream.dataset == "two" AND TO_LOWER(x.action) == "b", 1, 0)
| EVAL detc_key_1 = CASE(detc_is_a == 1, CASE(user.name == "", null, user.name), detc_is_b == 1, CASE(client.user.name == "", null, client.user.name))
| WHERE detc_key_1 IS NOT NULL
| EVAL detc_start = CONCAT(TO_STRING(detc_time), "|", _id, "|", COALESCE(TO_STRING(x.code), "-")),
    detc_end = CONCAT(TO_STRING(detc_time), "|", _id, "|", COALESCE(TO_STRING(x.code), "-"))
| STATS detc_start = VALUES(CASE(detc_is_a == 1, detc_start, null)),
    detc_end = VALUES(CASE(detc_is_b == 1, detc_end, null)) BY detc_key_1
| WHERE detc_start IS NOT NULL AND detc_end IS NOT NULL
| MV_EXPAND detc_start
| DISSECT detc_start "%{detc_start_time}|%{detc_start_id}|%{detc_first_1}"
| EVAL detc_start_time = TO_LONG(detc_start_time)
| MV_EXPAND detc_end
| DISSECT detc_end "%{detc_end_time}|%{detc_end_id}|%{detc_last_1}"
| EVAL detc_end_time = TO_LONG(detc_end_time)
| WHERE detc_start_id != detc_end_id
    AND detc_start_time <= detc_end_time
    AND detc_start_time >= (detc_end_time - 1800000)
| EVAL detc_first_1 = CASE(detc_first_1 == "-", null, TO_LONG(detc_first_1)),
    detc_last_1 = CASE(detc_last_1 == "-", null, TO_LONG(detc_last_1))
| WHERE detc_first_1 < detc_last_1
| STATS detc_start_time = MAX(detc_start_time) BY detc_key_1, detc_end_time
| STATS detc_end_time = MIN(detc_end_time) BY detc_key_1, detc_start_time
| EVAL detc_hit = detc_end_time
| WHERE detc_hit > ((((TO_LONG(NOW()) - 900000) / 300000) * 300000) - 300000)
    AND detc_hit <= (((TO_LONG(NOW()) - 900000) / 300000) * 300000)
| EVAL @timestamp = TO_DATETIME(detc_hit), user = detc_key_1
| KEEP @timestamp, user
"#,
    );
}

#[test]
fn novelty_joins_new_instants_with_earlier_ones() {
    check_query(
        &format!("{ONE}behavior: new(s.agent) by user over 7d learning 1d\n"),
        r#"FROM logs-one-* METADATA _id
| WHERE @timestamp > TO_DATETIME((((TO_LONG(NOW()) - 900000) / 300000) * 300000) - 605100000)
    AND @timestamp <= TO_DATETIME(((TO_LONG(NOW()) - 900000) / 300000) * 300000)
| WHERE data_stream.dataset == "one" AND TO_LOWER(x.action) == "x"
| EVAL detc_time = TO_LONG(@timestamp)
| EVAL detc_key_1 = CASE(user.name == "", null, user.name)
| WHERE detc_key_1 IS NOT NULL
| EVAL detc_value = COALESCE(TO_BASE64(CASE(x.agent == "", null, x.agent)), "-")
| EVAL detc_event = CONCAT(TO_STRING(detc_time), "|", _id, "|", detc_value)
| STATS detc_amount = COUNT(detc_event), detc_event = MAX(detc_event) BY detc_key_1, detc_value, detc_time
| EVAL detc_earlier = CONCAT(TO_STRING(detc_time), "|", TO_STRING(detc_amount), "|", detc_value)
| STATS detc_event = VALUES(CASE(detc_time > ((((TO_LONG(NOW()) - 900000) / 300000) * 300000) - 300000) AND detc_time <= (((TO_LONG(NOW()) - 900000) / 300000) * 300000) AND detc_value != "-", detc_event, null)),
    detc_earlier = VALUES(detc_earlier) BY detc_key_1
| WHERE detc_event IS NOT NULL
| MV_EXPAND detc_event
| DISSECT detc_event "%{detc_event_time}|%{detc_event_id}|%{detc_value}"
| EVAL detc_event_time = TO_LONG(detc_event_time)
| MV_EXPAND detc_earlier
| DISSECT detc_earlier "%{detc_earlier_time}|%{detc_earlier_amount}|%{detc_earlier_value}"
| EVAL detc_earlier_time = TO_LONG(detc_earlier_time), detc_earlier_amount = TO_LONG(detc_earlier_amount)
| STATS detc_seen = SUM(CASE(detc_earlier_value == detc_value AND detc_earlier_time < detc_event_time AND detc_earlier_time >= (detc_event_time - 604800000), detc_earlier_amount, TO_LONG(0))),
    detc_known = MAX(CASE(detc_earlier_time >= (detc_event_time - 604800000) AND detc_earlier_time <= (detc_event_time - 86400000), 1, 0)) BY detc_key_1, detc_event, detc_event_time
| WHERE detc_seen <= 0
| WHERE detc_known == 1
| STATS detc_event = MAX(detc_event) BY detc_key_1, detc_event_time
| WHERE detc_event_time > ((((TO_LONG(NOW()) - 900000) / 300000) * 300000) - 300000)
    AND detc_event_time <= (((TO_LONG(NOW()) - 900000) / 300000) * 300000)
| EVAL @timestamp = TO_DATETIME(detc_event_time), user = detc_key_1
| KEEP @timestamp, user
"#,
    );
}

#[test]
fn a_score_adds_weights_of_signals_that_are_there() {
    check_query(
        &format!("{PAIR}behavior: score(a = 30, b = 40) >= 70 by user within 10m\n"),
        r#"FROM logs-one-*, logs-two-* METADATA _id
| WHERE @timestamp > TO_DATETIME((((TO_LONG(NOW()) - 900000) / 300000) * 300000) - 900000)
    AND @timestamp <= TO_DATETIME(((TO_LONG(NOW()) - 900000) / 300000) * 300000)
| WHERE (data_stream.dataset == "one" AND TO_LOWER(x.action) == "a")
    OR (data_stream.dataset == "two" AND TO_LOWER(x.action) == "b")
| EVAL detc_time = TO_LONG(@timestamp),
    detc_is_a = CASE(data_stream.dataset == "one" AND TO_LOWER(x.action) == "a", 1, 0),
    detc_is_b = CASE(data_stream.dataset == "two" AND TO_LOWER(x.action) == "b", 1, 0)
| EVAL detc_key_1 = CASE(detc_is_a == 1, CASE(user.name == "", null, user.name), detc_is_b == 1, CASE(client.user.name == "", null, client.user.name))
| WHERE detc_key_1 IS NOT NULL
| EVAL detc_value_1 = CASE(detc_is_a == 1, 1, 0), detc_value_2 = CASE(detc_is_b == 1, 1, 0)
| EVAL detc_event = CONCAT(TO_STRING(detc_time), "|", _id, "|", COALESCE(TO_STRING(detc_value_1), "-"), "|", COALESCE(TO_STRING(detc_value_2), "-"))
| STATS detc_instant = VALUES(detc_time), detc_window = VALUES(detc_event) BY detc_key_1
| MV_EXPAND detc_instant
| WHERE detc_instant > ((((TO_LONG(NOW()) - 900000) / 300000) * 300000) - 300000)
    AND detc_instant <= (((TO_LONG(NOW()) - 900000) / 300000) * 300000)
| MV_EXPAND detc_window
| DISSECT detc_window "%{detc_window_time}|%{detc_window_id}|%{detc_value_1}|%{detc_value_2}"
| EVAL detc_window_time = TO_LONG(detc_window_time)
| EVAL detc_value_1 = CASE(detc_value_1 == "-", null, TO_LONG(detc_value_1)),
    detc_value_2 = CASE(detc_value_2 == "-", null, TO_LONG(detc_value_2))
| WHERE detc_window_time <= detc_instant AND detc_window_time >= (detc_instant - 600000)
| STATS detc_number_1 = MAX(detc_value_1), detc_number_2 = MAX(detc_value_2) BY detc_key_1, detc_instant
| EVAL detc_score = (detc_number_1 * 30) + (detc_number_2 * 40)
| WHERE detc_score >= 70
| EVAL @timestamp = TO_DATETIME(detc_instant), user = detc_key_1, score = detc_score
| KEEP @timestamp, user, score
"#,
    );
}

#[test]
fn ratios_are_compared_as_decimals() {
    check_query(
        &format!("{ONE}behavior: count(s where code > 5) / count(s) > 0.5 and count(s) >= 4 by user within 10m\n"),
        r#"FROM logs-one-* METADATA _id
| WHERE @timestamp > TO_DATETIME((((TO_LONG(NOW()) - 900000) / 300000) * 300000) - 900000)
    AND @timestamp <= TO_DATETIME(((TO_LONG(NOW()) - 900000) / 300000) * 300000)
| WHERE data_stream.dataset == "one" AND TO_LOWER(x.action) == "x"
| EVAL detc_time = TO_LONG(@timestamp)
| EVAL detc_key_1 = CASE(user.name == "", null, user.name)
| WHERE detc_key_1 IS NOT NULL
| EVAL detc_value_1 = CASE(x.code > 5, 1, 0)
| EVAL detc_event = CONCAT(TO_STRING(detc_time), "|", _id, "|", COALESCE(TO_STRING(detc_value_1), "-"))
| STATS detc_instant = VALUES(detc_time), detc_window = VALUES(detc_event) BY detc_key_1
| MV_EXPAND detc_instant
| WHERE detc_instant > ((((TO_LONG(NOW()) - 900000) / 300000) * 300000) - 300000)
    AND detc_instant <= (((TO_LONG(NOW()) - 900000) / 300000) * 300000)
| MV_EXPAND detc_window
| DISSECT detc_window "%{detc_window_time}|%{detc_window_id}|%{detc_value_1}"
| EVAL detc_window_time = TO_LONG(detc_window_time)
| EVAL detc_value_1 = CASE(detc_value_1 == "-", null, TO_LONG(detc_value_1))
| WHERE detc_window_time <= detc_instant AND detc_window_time >= (detc_instant - 600000)
| STATS detc_number_1 = SUM(detc_value_1), detc_number_2 = COUNT(detc_window_time) BY detc_key_1, detc_instant
| WHERE (TO_DOUBLE(detc_number_1) / detc_number_2) > 0.5 AND detc_number_2 >= 4
| EVAL @timestamp = TO_DATETIME(detc_instant), user = detc_key_1, count = detc_number_1, count_2 = detc_number_2
| KEEP @timestamp, user, count, count_2
"#,
    );
}

#[test]
fn clock_aligned_buckets_end_at_their_hit() {
    check_query(
        &format!("{ONE}behavior: sum(s.code) > 100 by user within 1h fixed\n"),
        r#"FROM logs-one-* METADATA _id
| WHERE @timestamp > TO_DATETIME((((TO_LONG(NOW()) - 900000) / 300000) * 300000) - 3900000)
    AND @timestamp <= TO_DATETIME(((TO_LONG(NOW()) - 900000) / 300000) * 300000)
| WHERE data_stream.dataset == "one" AND TO_LOWER(x.action) == "x"
| EVAL detc_time = TO_LONG(@timestamp)
| EVAL detc_key_1 = CASE(user.name == "", null, user.name)
| WHERE detc_key_1 IS NOT NULL
| EVAL detc_value_1 = x.code
| EVAL detc_slot = detc_time / 3600000
| STATS detc_number_1 = SUM(detc_value_1) BY detc_key_1, detc_slot
| WHERE detc_number_1 > 100
| EVAL detc_instant = (detc_slot + 1) * 3600000
| WHERE detc_instant > ((((TO_LONG(NOW()) - 900000) / 300000) * 300000) - 300000)
    AND detc_instant <= (((TO_LONG(NOW()) - 900000) / 300000) * 300000)
| EVAL @timestamp = TO_DATETIME(detc_instant), user = detc_key_1, sum = detc_number_1
| KEEP @timestamp, user, sum
"#,
    );
}

#[test]
fn outliers_divide_by_all_buckets() {
    check_query(
        &format!("{ONE}behavior: outlier(count(s)) by user per 1h over 7d above 2.5 sigma floor 10\n"),
        r#"FROM logs-one-* METADATA _id
| WHERE @timestamp > TO_DATETIME((((TO_LONG(NOW()) - 900000) / 300000) * 300000) - 608700000)
    AND @timestamp <= TO_DATETIME(((TO_LONG(NOW()) - 900000) / 300000) * 300000)
| WHERE data_stream.dataset == "one" AND TO_LOWER(x.action) == "x"
| EVAL detc_time = TO_LONG(@timestamp)
| EVAL detc_key_1 = CASE(user.name == "", null, user.name)
| WHERE detc_key_1 IS NOT NULL
| EVAL detc_slot = detc_time / 3600000
| STATS detc_number_1 = COUNT(detc_time), detc_first = MIN(detc_time), detc_last = MAX(detc_time) BY detc_key_1, detc_slot
| EVAL detc_bucket = CONCAT(TO_STRING(detc_slot), "|", TO_STRING(detc_first), "|", TO_STRING(detc_last), "|", COALESCE(TO_STRING(detc_number_1), "-")),
    detc_end = (detc_slot + 1) * 3600000
| STATS detc_judged = VALUES(CASE(detc_end > ((((TO_LONG(NOW()) - 900000) / 300000) * 300000) - 300000) AND detc_end <= (((TO_LONG(NOW()) - 900000) / 300000) * 300000), detc_bucket, null)),
    detc_bucket = VALUES(detc_bucket) BY detc_key_1
| WHERE detc_judged IS NOT NULL
| MV_EXPAND detc_judged
| DISSECT detc_judged "%{detc_slot}|%{detc_first}|%{detc_last}|%{detc_number}"
| EVAL detc_slot = TO_LONG(detc_slot),
    detc_first = TO_LONG(detc_first),
    detc_last = TO_LONG(detc_last),
    detc_number = CASE(detc_number == "-", null, TO_DOUBLE(detc_number))
| MV_EXPAND detc_bucket
| DISSECT detc_bucket "%{detc_other_slot}|%{detc_other_first}|%{detc_other_last}|%{detc_other_number}"
| EVAL detc_other_slot = TO_LONG(detc_other_slot),
    detc_other_first = TO_LONG(detc_other_first),
    detc_other_last = TO_LONG(detc_other_last),
    detc_other_number = CASE(detc_other_number == "-", null, TO_DOUBLE(detc_other_number))
| STATS detc_seen = MAX(CASE(detc_other_slot < detc_slot AND detc_other_slot >= (detc_slot - 168), 1, 0)),
    detc_sum = SUM(CASE(detc_other_slot < detc_slot AND detc_other_slot >= (detc_slot - 168), COALESCE(detc_other_number, 0.0), 0.0)),
    detc_squares = SUM(CASE(detc_other_slot < detc_slot AND detc_other_slot >= (detc_slot - 168), COALESCE(detc_other_number, 0.0) * COALESCE(detc_other_number, 0.0), 0.0)) BY detc_key_1, detc_slot, detc_number
| WHERE detc_number >= 10
| WHERE detc_seen == 1
    AND ((detc_number * 168) - detc_sum) > 0
    AND (((((detc_number * 168) - detc_sum) * ((detc_number * 168) - detc_sum)) * 10) * 10) > ((((detc_squares * 168) - (detc_sum * detc_sum)) * 25) * 25)
| EVAL detc_end = (detc_slot + 1) * 3600000
| WHERE detc_end > ((((TO_LONG(NOW()) - 900000) / 300000) * 300000) - 300000)
    AND detc_end <= (((TO_LONG(NOW()) - 900000) / 300000) * 300000)
| EVAL @timestamp = TO_DATETIME(detc_end), user = detc_key_1, count = detc_number
| KEEP @timestamp, user, count
"#,
    );
}

#[test]
fn percentiles_are_approximate() {
    let text = written(&compile(&format!("{ONE}behavior: median(s.code) > 5 by user within 10m\n")));
    assert!(text.starts_with("percentile_interpolated\nFROM "), "{text}");
}

#[test]
fn hits_of_hits_are_refused() {
    let body = "signals: { s: { source: one }, burst: { behavior: count(s) >= 3 by user within 1m } }\n";
    check_query(&format!("{body}behavior: count(burst) >= 2 by user within 1h\n"), "unsupported_behavior\n");
}

/// One exception that filters finished hits.
fn excepted(when: &str) -> String {
    format!("exceptions:\n  - {{ when: '{when}', owner: o, reason: r, signals: [alert] }}\n")
}

#[test]
fn filters_of_hits_look_at_the_result() {
    let body = format!("{ONE}behavior: count(s) as calls >= 3 by user within 1m\n");
    let text = written(&compile(&format!("{body}{}", excepted("user == \"x\" and calls > 5"))));
    let end = "| EVAL @timestamp = TO_DATETIME(detc_instant), user = detc_key_1, calls = detc_number_1\n\
               | WHERE user IS NULL OR NOT (TO_LOWER(user) == \"x\") OR calls IS NULL OR calls <= 5\n\
               | KEEP @timestamp, user, calls\n";
    assert!(text.starts_with("FROM ") && text.ends_with(end), "{text}");
}

#[test]
fn filters_of_a_closing_event_say_which_of_several_they_look_at() {
    let body = format!("{ONE}behavior: count(s) >= 3 by user within 1m\n");
    let text = written(&compile(&format!("{body}{}", excepted("agent == \"x\""))));
    assert!(text.starts_with("tie_choice\nFROM "), "{text}");
}

#[test]
fn filters_of_events_look_at_their_columns() {
    let text = written(&compile(&format!("{ONE}{}", excepted("agent == \"x\""))));
    assert!(
        text.starts_with("FROM ") && text.contains("| WHERE agent IS NULL OR NOT (TO_LOWER(agent) == \"x\")\n"),
        "{text}"
    );
}

#[test]
fn chains_around_absences_that_wait_are_refused() {
    let refused = |behavior: &str| check_query(&format!("{PAIR}behavior: {behavior}\n"), "unsupported_behavior\n");
    refused("no a -> b -> a as c by user within 30m");
    refused("a -> b -> a as c -> no b by user within 30m");
}

proptest! {
    #[test]
    fn texts_survive_quoting(text in any::<String>(), odd in "[\"\\\\*?$`{}\n\r\t\\x00\u{1}\u{2028}é😀#@&<>~^.()|+-]{1,12}") {
        if !text.is_empty() {
            survives(&text);
        }
        survives(&odd);
        prop_assert_eq!(unquote("\"a\""), "a");
    }
}
