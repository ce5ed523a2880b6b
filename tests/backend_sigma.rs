//! What the Sigma backend writes, and what it says where Sigma cannot follow.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use detc::backend::{Output, ReasonCode};
use detc::ir::{Detection, Literal, Predicate, Value};
use proptest::{collection, prelude::Strategy, prop_assert_eq, prop_oneof, proptest, sample};
use saphyr_parser::{Event, Parser, ScalarStyle};
use support::World;

const SOURCE: &str = "
$schema: https://json-schema.org/draft/2020-12/schema
$id: urn:detc:source:aws.cloudtrail
title: AWS CloudTrail
description: Calls.
x-source:
  name: aws.cloudtrail
  time: eventTime
  clock: 1s
  lag: 15m
  signature: [eventName]
type: object
properties:
  eventTime: { type: string, format: date-time }
  eventName: { type: string }
  errorCode: { type: string }
  userAgent: { type: string }
  sourceIPAddress: { type: string, format: ip }
  userIdentity: { type: object, properties: { arn: { type: string } } }
  recipientAccountId: { type: string }
  mfa: { type: string }
  result: { type: string }
  status: { type: string }
  count: { type: integer }
  other: { type: integer }
  share: { type: number }
  readOnly: { type: boolean }
  flag: { type: boolean }
  lost: { type: string }
  vague: { type: string }
  x-y: { type: string }
  'a|b': { type: string }
  tags: { type: array, items: { type: string } }
  targets: { type: array, items: { type: object, properties: { name: { type: string }, value: { type: string }, size: { type: integer } } } }
  properties:
    type: array
    x-name-value: { name: Name, value: Value }
    items: { type: object, properties: { Name: { type: string }, Value: { type: string } } }
  keyed:
    type: array
    x-name-value: { name: Name, value: Value }
    items: { type: object, properties: { Name: { type: string }, Value: { type: string } } }
required: [eventTime, eventName]
";

const MAP: &str = "
source: aws.cloudtrail
location: { product: aws, service: cloudtrail }
time: eventTime
fields:
  eventTime: eventTime
  eventName: eventName
  errorCode: errorCode
  userAgent: userAgent
  sourceIPAddress: sourceIPAddress
  userIdentity.arn: userIdentity.arn
  recipientAccountId: recipientAccountId
  mfa: additionalEventData.MFAUsed
  result: { path: result, literals: { Success: 0 } }
  status: { path: status, type: int }
  count: count
  other: other
  share: share
  readOnly: readOnly
  flag: { path: flag, type: string }
  lost: { missing: nobody sends it }
  vague: { path: vague, lossy: it is cut }
  '`x-y`': x-y
  '`a|b`': a|b
  tags: tags
  targets: targets
  properties: properties
  keyed: { path: 'keyed.*', access: keyed }
";

fn world() -> World {
    World::new("target: sigma\ntitle: Sigma\nbackend: sigma\ninterval: 5m\n", &[(SOURCE, MAP)])
}

/// Analyses a detection that ends with these signals and what follows them.
#[track_caller]
fn detection(rest: &str) -> Detection {
    let text = format!(
        "detection: role_session_moves
id: 0b0f3c0e-6a52-4f0a-9d0e-3a3c5b8a7e11
title: Role session changes address
status: experimental
severity: high
version: 2
description: A stolen credential.
attack: {{ strategy: DET0078, analytics: [AN0215], techniques: [T1059.009] }}
authors: [Ada, Bob]
created: 2026-11-22
references: [https://attack.mitre.org/detectionstrategies/DET0078]
tags: [aws]
false_positives: [Laptops that change networks]
{rest}"
    );
    world().resolve(&text)
}

/// A detection of single events.
#[track_caller]
fn event(predicate: &str) -> Detection {
    detection(&format!("signals:\n  call:\n    source: aws.cloudtrail\n    where: |\n      {predicate}\n"))
}

fn compile(detection: &Detection) -> Output {
    support::compile(detection, &world().target)
}

#[track_caller]
fn query(output: &Output) -> String {
    output.query.as_ref().unwrap_or_else(|| panic!("no query: {:?}", output.verdict.reasons)).text.clone()
}

fn codes(output: &Output) -> Vec<ReasonCode> {
    output.verdict.reasons.iter().map(|reason| reason.code).collect()
}

fn messages(output: &Output) -> Vec<&str> {
    output.verdict.reasons.iter().map(|reason| reason.message.as_str()).collect()
}

/// The predicate is lowered to exactly this `detection`, and the verdict is exact.
#[track_caller]
fn check(predicate: &str, expected: &str) {
    check_with(predicate, &[], expected);
}

/// The predicate is lowered to exactly this `detection`, for these reasons not exactly.
#[track_caller]
fn check_with(predicate: &str, reasons: &[ReasonCode], expected: &str) {
    let output = compile(&event(predicate));
    assert_eq!(codes(&output), reasons, "{:?}", output.verdict);
    check_detection(&output, expected);
}

/// The last rule's `detection` is exactly this.
#[track_caller]
fn check_detection(output: &Output, expected: &str) {
    let text = query(output);
    let lines = text.lines().skip_while(|line| *line != "detection:").skip(1);
    let body: Vec<&str> = lines.take_while(|line| line.starts_with(' ')).map(|line| line.get(2..).unwrap()).collect();
    let expected: Vec<&str> = expected.lines().map(str::trim_end).skip_while(|line| line.is_empty()).collect();
    let indent = expected.first().map_or(0, |line| line.len() - line.trim_start().len());
    let expected: Vec<&str> = expected.iter().filter_map(|line| line.get(indent..)).collect();
    assert_eq!(body.join("\n"), expected.join("\n"));
}

/// The predicate is refused with these codes.
#[track_caller]
fn check_refused(predicate: &str, expected: &[ReasonCode]) {
    let output = compile(&event(predicate));
    assert_eq!(codes(&output), expected, "{:?}", output.verdict);
    assert!(output.query.is_none());
}

#[test]
fn micro_01_and_02_hours_are_refused() {
    let output =
        compile(&event("hour(time) >= 20 and hour(time) == 3 and outside_hours(time, \"Mon-Fri 08:00-18:00\")"));
    assert!(output.query.is_none());
    assert_eq!(
        messages(&output),
        [
            "Sigma has no functions; `hour` needs a field that holds its result",
            "Sigma has no functions; `hour` needs a field that holds its result",
            "Sigma knows the hour of a time only, neither days nor offsets, and no converter supports it",
        ]
    );
}

#[test]
fn micro_03_strings_ignore_case() {
    let expected = "
        selection:
          eventName: ConsoleLogin
        condition: selection";
    check("eventName == \"ConsoleLogin\"", expected);
}

#[test]
fn micro_04_cased_is_written_where_case_matters() {
    let expected = "
        selection:
          userAgent|cased: Boto3
        condition: selection";
    check("userAgent == cased \"Boto3\"", expected);
    let expected = "
        selection:
          userAgent: '[]'
        condition: selection";
    check("userAgent == cased \"[]\"", expected);
}

#[test]
fn micro_05_contains_and_cased_go_together() {
    let expected = "
        selection:
          userAgent|contains|cased: Boto3
        condition: selection";
    check("userAgent contains cased \"Boto3\"", expected);
}

#[test]
fn micro_06_a_wildcard_in_the_middle_stays_one() {
    let expected = "
        selection:
          eventName: Put*Policy
        condition: selection";
    check("eventName like \"Put*Policy\"", expected);
}

#[test]
fn micro_07_globs_and_words_share_a_list() {
    let expected = "
        selection:
        - eventName:
          - Put*Policy
          - Foo
        - eventName|contains: Role
        - eventName|startswith: Get
        - eventName|endswith: User
        condition: selection";
    check("eventName like [\"Put*Policy\", \"Foo\", \"*Role*\", \"Get*\", \"*User\"]", expected);
}

#[test]
fn micro_08_one_character_stays_one() {
    let expected = "
        selection:
          eventName: Put?Policy
        condition: selection";
    check("eventName like \"Put?Policy\"", expected);
}

#[test]
fn micro_09_a_literal_star_becomes_an_expression() {
    let expected = r"
        selection:
          eventName|re|i: ^a\*B$
        condition: selection";
    check("eventName == \"a*B\"", expected);
    let expected = r"
        selection:
          userAgent|re: \*\?
        condition: selection";
    check("userAgent contains \"*?\"", expected);
    let expected = r"
        selection:
          userAgent|re|i: ^a\*[\s\S][\s\S]*$
        condition: selection";
    check(r"userAgent like 'a\*?*'", expected);
}

#[test]
fn micro_11_a_negation_is_a_filter() {
    let expected = "
        selection:
          eventName: CreateUser
        filter_useragent:
          userAgent|contains: ci-
        filter_errorcode:
          errorCode: AccessDenied
        condition: selection and not 1 of filter_*";
    check("eventName == \"CreateUser\" and not userAgent contains \"ci-\" and errorCode != \"AccessDenied\"", expected);
    let output = compile(&event("not userAgent contains \"ci-\""));
    let assumption = "a condition on an absent or null field is false, and its `not` is true";
    assert_eq!(output.verdict.assumptions, ["each event is delivered once", assumption]);
}

#[test]
fn micro_12_a_missing_field_is_null_or_empty() {
    let expected = "
        selection:
          eventName: CreateUser
          errorCode:
          - null
          - ''
        condition: selection";
    check("eventName == \"CreateUser\" and not exists(errorCode)", expected);
    let expected = "
        selection:
          count: null
        condition: selection";
    check("not exists(count)", expected);
}

#[test]
fn micro_13_a_present_field_is_neither_null_nor_empty() {
    let expected = "
        selection:
          eventName: CreateUser
        filter:
          errorCode:
          - null
          - ''
        condition: selection and not filter";
    check("eventName == \"CreateUser\" and exists(errorCode)", expected);
    let expected = "
        filter:
          errorCode:
          - null
          - ''
        condition: not filter";
    check("errorCode like \"*\"", expected);
}

#[test]
fn micro_14_truth_values_are_bare() {
    let expected = "
        selection:
          readOnly: true
        condition: selection";
    check("readOnly", expected);
    check("readOnly == true", expected);
    let expected = "
        selection:
          userAgent: 'true'
        condition: selection";
    check("userAgent == \"true\"", expected);
}

#[test]
fn micro_15_numbers_are_bare() {
    let expected = "
        selection:
          count: 5
          share: -0.5
        condition: selection";
    check("count == 5 and share == -0.5", expected);
}

#[test]
fn micro_16_lists_of_numbers_are_bare() {
    let expected = "
        selection:
          count:
          - 5
          - 6
        condition: selection";
    check("count in [5, 6]", expected);
}

#[test]
fn micro_17_numbers_are_ordered() {
    let expected = "
        selection:
          count|lt: 5
          count|lte: 5
          count|gte: 5
        filter:
          count|gt: 5
        condition: selection and not filter";
    check("count < 5 and count <= 5 and 5 <= count and not 5 < count", expected);
    check_refused("count < other", &[ReasonCode::UnsupportedExpression]);
}

#[test]
fn micro_18_and_19_blocks_of_addresses_use_cidr() {
    let expected = "
        selection:
          sourceIPAddress|cidr:
          - 10.0.0.0/8
          - 2001:db8::/33
        condition: selection";
    check("sourceIPAddress in [\"10.0.0.0/8\", \"2001:db8::/33\"]", expected);
}

#[test]
fn a_public_address_is_an_address_that_is_not_private() {
    let expected = "
        selection:
          sourceIPAddress|cidr:
          - 0.0.0.0/0
          - ::/0
        filter:
          sourceIPAddress|cidr:
          - 10.0.0.0/8
          - 172.16.0.0/12
          - 192.168.0.0/16
          - 127.0.0.0/8
          - 169.254.0.0/16
          - 100.64.0.0/10
          - fc00::/7
          - fe80::/10
          - ::1/128
        condition: selection and not filter";
    check("is_public(sourceIPAddress)", expected);
}

#[test]
fn micro_20_fields_are_compared_by_reference() {
    let expected = "
        selection:
          userIdentity.arn|fieldref: userAgent
        condition: selection";
    check_with("userIdentity.arn == userAgent", &[ReasonCode::KeyCase], expected);
    let expected = "
        selection:
          count|fieldref: other
        condition: selection";
    check("count == other", expected);
    check_refused("count != other", &[ReasonCode::UnsupportedExpression]);
}

#[test]
fn micro_22_expressions_say_whether_case_counts() {
    let expected = r"
        selection:
          userAgent|re|i: ^(?:aws|boto)/[0-9]{1,3}[^\x09-\x0d ,\]]+$
        condition: selection";
    check(r"userAgent matches '^(?:aws|boto)/\d{1,3}[^\s,\]]+$'", expected);
    let expected = "
        selection:
          userAgent|re: Boto3?
        condition: selection";
    check("userAgent matches cased \"Boto3?\"", expected);
    let expected = r"
        selection:
          userAgent|re: (?:[0-9]{2}){3}|(?:^)?\x09+?\.
        condition: selection";
    check(r"userAgent matches '(?:\d{2}){3}|^?\t+?\.'", expected);
}

#[test]
fn an_expression_that_finds_the_empty_text_wants_a_value() {
    let expected = "
        selection:
          userAgent|re: ^[0-9]*$
        filter:
          userAgent:
          - null
          - ''
        condition: selection and not filter";
    check("userAgent matches \"^[0-9]*$\"", expected);
}

#[test]
fn micro_23_expressions_share_a_list() {
    let expected = "
        selection:
          userAgent|re|i:
          - ^a
          - b$
        condition: selection";
    check("userAgent matches [\"^a\", \"b$\"]", expected);
}

#[test]
fn micro_24_all_values_of_a_list_stand_in_two_searches() {
    let expected = "
        selection:
          tags: a
        selection_tags:
          tags: b
        condition: selection and selection_tags";
    check("any(tags as tag where tag == \"a\") and any(tags as tag where tag == \"b\")", expected);
    let expected = "
        selection:
          userAgent|contains: a
        selection_useragent:
          userAgent|contains: b
        condition: selection and selection_useragent";
    check("userAgent contains \"a\" and userAgent contains \"b\"", expected);
}

#[test]
fn micro_26_and_27_odd_field_names_are_kept() {
    let expected = "
        selection:
          userIdentity.arn: a
          x-y: b
        condition: selection";
    check("userIdentity.arn == \"a\" and `x-y` == \"b\"", expected);
    check_refused("`a|b` == \"a\"", &[ReasonCode::UnsupportedLiteral]);
}

#[test]
fn micro_28_members_of_one_element_are_approximate() {
    let expected = "
        selection:
          targets.name: a
          targets.value: b
        condition: selection";
    let test = "(targets as x where x.name == \"a\" and x.value == \"b\")";
    check_with(&format!("any{test}"), &[ReasonCode::ArrayCorrelation], expected);
    let expected = "
        filter:
          targets.name: a
          targets.value: b
        condition: not filter";
    check_with(&format!("none{test}"), &[ReasonCode::ArrayCorrelation], expected);
    let output = compile(&event(&format!("not none{test}")));
    assert_eq!(codes(&output), [ReasonCode::ArrayCorrelation]);
}

#[test]
fn one_member_of_a_list_is_exact_under_every_quantifier() {
    let test = "x.name == \"a\" or x.name contains \"b\"";
    let expected = "
        selection:
        - targets.name: a
        - targets.name|contains: b
        condition: selection";
    check(&format!("any(targets as x where {test})"), expected);
    let expected = "
        filter:
        - targets.name: a
        - targets.name|contains: b
        condition: not filter";
    check(&format!("none(targets as x where {test})"), expected);
    check(&format!("all(targets as x where not ({test}))"), expected);
    let expected = r"
        selection:
          targets.name|re: '[\s\S]'
        condition: selection";
    check("any(targets as x where exists(x.name))", expected);
}

#[test]
fn elements_that_fail_a_test_are_refused() {
    let refused = [ReasonCode::UnsupportedExpression];
    check_refused("all(targets as x where x.name == \"a\")", &refused);
    check_refused("any(targets as x where x.name != \"a\")", &refused);
    check_refused("any(targets as x where x.name == \"a\" and not x.value == \"b\")", &refused);
    check_refused("any(targets as x where exists(x.size))", &refused);
    check_refused("any(targets as x where x.name matches \"a*\")", &refused);
}

#[test]
fn a_picked_element_is_any_element() {
    let expected = "
        selection:
          targets.name: a
          targets.value|contains: b
        condition: selection";
    let picked = "first(targets as x where x.name == \"a\").value contains \"b\"";
    check_with(picked, &[ReasonCode::ArrayCorrelation], expected);
    let expected = "
        selection:
          targets.value: b
        condition: selection";
    // Any element is more than the first one.
    check_with("first(targets as x).value == \"b\"", &[ReasonCode::ArrayCorrelation], expected);
    let expected = "
        selection:
          properties.Name: RequestType
          properties.Value: OAuth2:Authorize
        condition: selection";
    let picked = "properties[RequestType].Value == \"OAuth2:Authorize\"";
    check_with(picked, &[ReasonCode::ArrayCorrelation], expected);
    let expected = "
        selection:
          keyed.RequestType.Value: OAuth2:Authorize
        condition: selection";
    check("keyed[RequestType].Value == \"OAuth2:Authorize\"", expected);
}

#[test]
fn nested_conditions_keep_their_shape() {
    let expected = "
        selection:
          eventName: a
        selection_errorcode:
          errorCode: b
        selection_useragent:
          userAgent: c
        selection_errorcode_2:
          errorCode: d
          userAgent: e
        filter:
        - userAgent: f
        - errorCode: g
        condition: selection and ((selection_errorcode and not selection_useragent) or not selection_errorcode_2) and not filter";
    let nested = "(errorCode == \"b\" and not userAgent == \"c\") or not (errorCode == \"d\" and userAgent == \"e\")";
    check(&format!("eventName == \"a\" and ({nested}) and not (userAgent == \"f\" or errorCode == \"g\")"), expected);
}

#[test]
fn alternatives_on_one_field_are_one_list() {
    let expected = "
        selection:
          errorCode:
          - a
          - b
          - null
          - ''
        condition: selection";
    check("errorCode in [\"a\", \"b\"] or not exists(errorCode)", expected);
}

#[test]
fn words_that_yaml_takes_for_other_types_are_quoted() {
    let expected = "
        selection:
          additionalEventData.MFAUsed:
          - 'No'
          - 'yes'
          - 'off'
          - '12:30:45'
          - '1_0.5'
          - '2026-01-01'
          - '='
          - '<<'
          - '~'
          - 'null'
          - -1
          - '0x1F'
          - '.5'
          - x
        condition: selection";
    let words =
        "'No', 'yes', 'off', '12:30:45', '1_0.5', '2026-01-01', '=', '<<', '~', 'null', '-1', '0x1F', '.5', 'x'";
    check(&format!("mfa in [{words}]"), expected);
}

#[test]
fn digits_in_a_text_field_are_bare_or_an_expression() {
    let expected = r"
        selection:
        - recipientAccountId: 111122223333
        - recipientAccountId|re:
          - ^011122223333$
          - ^9007199254740993$
          - ^1_000$
          - ^\+5$
        condition: selection";
    check("recipientAccountId in ['111122223333', '011122223333', '9007199254740993', '1_000', '+5']", expected);
}

#[test]
fn backslashes_are_escaped() {
    let expected = r"
        selection:
          userAgent: CORP\\user\\
        condition: selection";
    check(r"userAgent == 'CORP\user\'", expected);
    let expected = r"
        selection:
          userAgent|re|i: ^C:\\[\s\S]*\*x$
        condition: selection";
    check(r"userAgent like 'C:\\*\*x'", expected);
    let expected = r"
        selection:
          userAgent: C:\\a*b
        condition: selection";
    check(r"userAgent like 'C:\\a*b'", expected);
}

#[test]
fn every_event_of_a_source_has_a_time() {
    let output = compile(&detection("signals:\n  call:\n    source: aws.cloudtrail\n"));
    assert_eq!(codes(&output), []);
    let expected = "
        filter:
          eventTime: null
        condition: not filter";
    check_detection(&output, expected);
}

#[test]
fn numbers_that_readers_round_are_refused() {
    let refused = [ReasonCode::UnsupportedLiteral];
    check_refused("count == 9007199254740993", &refused);
    check_refused("share == 0.00000001", &refused);
    check_refused("share == 0.10000000000000000001", &refused);
}

#[test]
fn every_reason_is_named() {
    let output = compile(&event("upper(userAgent) == \"a\" and length(eventName) > 3 and lost == \"x\""));
    assert_eq!(output.query, None);
    assert_eq!(
        messages(&output),
        [
            "Sigma has no functions; `upper` needs a field that holds its result",
            "Sigma has no functions; `length` needs a field that holds its result",
            "`lost`: nobody sends it",
        ]
    );
}

#[test]
fn the_target_s_types_and_spellings_are_respected() {
    let expected = "
        selection:
          result: 0
          status: 403
          flag: 'true'
        condition: selection";
    check("result == \"success\" and status == \"403\" and flag", expected);
    let expected = "
        selection:
          vague: x
        condition: selection";
    check_with("vague == \"x\"", &[ReasonCode::FieldLossy], expected);
    check_refused("lost == \"x\"", &[ReasonCode::MissingField]);
    check_refused("result contains \"succ\"", &[ReasonCode::UnsupportedExpression]);
    check_refused("status contains \"4\"", &[ReasonCode::UnsupportedExpression]);
}

#[test]
fn lower_is_seen_through_where_case_is_ignored_anyway() {
    let expected = "
        selection:
          userAgent:
          - boto
          - c*rl
        condition: selection";
    check("lower(userAgent) in [\"boto\"] or lower(userAgent) like [\"c*rl\"]", expected);
    for told in ["== cased \"a\"", "== \"é\"", "contains \"hi\"", "like \"a?\"", "like \"*i*a\"", "matches \"a\""] {
        check_refused(&format!("lower(userAgent) {told}"), &[ReasonCode::UnsupportedExpression]);
    }
    check_refused("upper(userAgent) == \"a\"", &[ReasonCode::UnsupportedExpression]);
}

// Whole files.

const DENIED: &str = "signals:\n  denied: { source: aws.cloudtrail, where: errorCode == \"AccessDenied\" }\n";
const PAIR: &str = "signals:
  login: { source: aws.cloudtrail, where: eventName == \"ConsoleLogin\", let: { user: userIdentity.arn } }
  create: { source: aws.cloudtrail, where: eventName == \"CreateUser\", let: { user: recipientAccountId } }
";

#[track_caller]
fn behavior(signals: &str, behavior: &str) -> Output {
    compile(&detection(&format!("{signals}behavior: '{behavior}'\n")))
}

#[test]
fn an_event_is_one_rule() {
    let output = compile(&detection(
        "signals:
  call: { source: aws.cloudtrail, where: eventName == \"CreateUser\", let: { agent: lower(userAgent) } }
alert: { title: '{{ userIdentity.arn }} used {{ agent }}' }
",
    ));
    assert_eq!(codes(&output), []);
    insta::assert_snapshot!(query(&output), @r"
    title: Role session changes address
    id: 0b0f3c0e-6a52-4f0a-9d0e-3a3c5b8a7e11
    status: experimental
    description: A stolen credential.
    references:
    - https://attack.mitre.org/detectionstrategies/DET0078
    author: Ada, Bob
    date: 2026-11-22
    tags:
    - attack.t1059.009
    logsource:
      product: aws
      service: cloudtrail
    detection:
      selection:
        eventName: CreateUser
      condition: selection
    fields:
    - eventTime
    - userIdentity.arn
    falsepositives:
    - Laptops that change networks
    level: high
    detc:
      detection: role_session_moves
      version: 2
      strategy: DET0078
      analytics:
      - AN0215
      tags:
      - aws
    ");
    let query = output.query.unwrap();
    assert_eq!(query.columns, Vec::<String>::new());
    let reason = "Sigma has no functions; `lower` needs a field that holds its result";
    assert_eq!(query.missing_columns, [("agent".to_owned(), reason.to_owned())].into());
}

#[test]
fn a_count_is_an_event_count_over_a_named_rule() {
    let output = behavior(DENIED, "count(denied) >= 20 by userIdentity.arn, eventName within 90m");
    assert_eq!(codes(&output), [ReasonCode::WindowUnspecified]);
    insta::assert_snapshot!(query(&output), @r"
    title: Role session changes address
    id: 0b0f3c0e-6a52-4f0a-9d0e-3a3c5b8a7e11
    status: experimental
    description: A stolen credential.
    references:
    - https://attack.mitre.org/detectionstrategies/DET0078
    author: Ada, Bob
    date: 2026-11-22
    tags:
    - attack.t1059.009
    correlation:
      type: event_count
      rules:
      - role_session_moves__denied
      group-by:
      - userIdentity.arn
      - eventName
      timespan: 90m
      condition:
        gte: 20
    falsepositives:
    - Laptops that change networks
    level: high
    detc:
      detection: role_session_moves
      version: 2
      strategy: DET0078
      analytics:
      - AN0215
      tags:
      - aws
    ---
    title: Role session changes address - denied of role_session_moves
    id: 125e1c28-7c82-83dd-b1d4-15cb6df8864f
    name: role_session_moves__denied
    status: experimental
    description: The events `denied` that the correlation `Role session changes address` is about.
    references:
    - https://attack.mitre.org/detectionstrategies/DET0078
    author: Ada, Bob
    date: 2026-11-22
    tags:
    - attack.t1059.009
    logsource:
      product: aws
      service: cloudtrail
    detection:
      selection:
        errorCode: AccessDenied
      filter:
        userIdentity.arn:
        - null
        - ''
      condition: selection and not filter
    fields:
    - eventTime
    - userIdentity.arn
    - eventName
    level: informational
    detc:
      detection: role_session_moves
      signal: denied
      version: 2
    ");
    assert_eq!(output.query.unwrap().columns, ["userIdentity.arn", "eventName"]);
}

#[test]
fn a_count_without_keys_groups_by_nothing() {
    let text = query(&behavior(DENIED, "count(denied) >= 20 within 1d"));
    assert!(text.contains("\n  group-by: []\n  timespan: 1d\n"), "{text}");
}

#[test]
fn two_keys_of_one_field_are_one_name() {
    let call = "signals:\n  call: { source: aws.cloudtrail, where: readOnly, let: { user: userIdentity.arn } }\n";
    let text = query(&behavior(call, "count(call) >= 2 by user, userIdentity.arn within 1d"));
    assert!(text.contains("\n  group-by:\n  - userIdentity.arn\n  timespan"), "{text}");
}

#[test]
fn a_key_that_a_condition_demands_is_not_asked_for_again() {
    let role = "signals:\n  call: { source: aws.cloudtrail, where: userIdentity.arn contains \":role/\" }\n";
    let expected = "
        selection:
          userIdentity.arn|contains: :role/
        condition: selection";
    check_detection(&behavior(role, "count(call) >= 20 by userIdentity.arn within 90m"), expected);
}

#[test]
fn distinct_values_are_a_value_count() {
    let output = behavior(DENIED, "distinct(denied.sourceIPAddress) >= 4 by userIdentity.arn within 1h");
    assert_eq!(codes(&output), [ReasonCode::WindowUnspecified]);
    let text = query(&output);
    let body = text.lines().skip_while(|line| *line != "correlation:").take_while(|line| *line != "falsepositives:");
    insta::assert_snapshot!(body.collect::<Vec<_>>().join("\n"), @r"
    correlation:
      type: value_count
      rules:
      - role_session_moves__denied
      group-by:
      - userIdentity.arn
      timespan: 1h
      condition:
        field: sourceIPAddress
        gte: 4
    ");
    let expected = "
        selection:
          errorCode: AccessDenied
        filter_no_arn:
          userIdentity.arn:
          - null
          - ''
        filter_no_sourceipaddress:
          sourceIPAddress:
          - null
          - ''
        condition: selection and not 1 of filter_*";
    check_detection(&output, expected);
}

#[test]
fn distinct_tuples_and_lists_are_refused() {
    let output = behavior(DENIED, "distinct(denied.sourceIPAddress, denied.userAgent) >= 4 within 1h");
    assert_eq!(codes(&output), [ReasonCode::UnsupportedBehavior, ReasonCode::WindowUnspecified]);
    let output = behavior(DENIED, "distinct(denied.tags) >= 4 within 1h");
    assert_eq!(codes(&output), [ReasonCode::WindowUnspecified, ReasonCode::UnsupportedExpression]);
}

#[test]
fn a_sequence_is_temporal_ordered_with_aliases() {
    let output = behavior(PAIR, "login -> create by user within 30m");
    assert_eq!(codes(&output), [ReasonCode::OrderUnspecified, ReasonCode::WindowUnspecified]);
    insta::assert_snapshot!(query(&output), @r"
    title: Role session changes address
    id: 0b0f3c0e-6a52-4f0a-9d0e-3a3c5b8a7e11
    status: experimental
    description: A stolen credential.
    references:
    - https://attack.mitre.org/detectionstrategies/DET0078
    author: Ada, Bob
    date: 2026-11-22
    tags:
    - attack.t1059.009
    correlation:
      type: temporal_ordered
      rules:
      - role_session_moves__login
      - role_session_moves__create
      aliases:
        user:
          role_session_moves__login: userIdentity.arn
          role_session_moves__create: recipientAccountId
      group-by:
      - user
      timespan: 30m
    falsepositives:
    - Laptops that change networks
    level: high
    detc:
      detection: role_session_moves
      version: 2
      strategy: DET0078
      analytics:
      - AN0215
      tags:
      - aws
    ---
    title: Role session changes address - login of role_session_moves
    id: d24a4a76-e0bf-8d84-b6db-e34a051bd38a
    name: role_session_moves__login
    status: experimental
    description: The events `login` that the correlation `Role session changes address` is about.
    references:
    - https://attack.mitre.org/detectionstrategies/DET0078
    author: Ada, Bob
    date: 2026-11-22
    tags:
    - attack.t1059.009
    logsource:
      product: aws
      service: cloudtrail
    detection:
      selection:
        eventName: ConsoleLogin
      filter:
        userIdentity.arn:
        - null
        - ''
      condition: selection and not filter
    fields:
    - eventTime
    - userIdentity.arn
    level: informational
    detc:
      detection: role_session_moves
      signal: login
      version: 2
    ---
    title: Role session changes address - create of role_session_moves
    id: 3da619b4-846e-8a40-a3db-ef3bb2b7d700
    name: role_session_moves__create
    status: experimental
    description: The events `create` that the correlation `Role session changes address` is about.
    references:
    - https://attack.mitre.org/detectionstrategies/DET0078
    author: Ada, Bob
    date: 2026-11-22
    tags:
    - attack.t1059.009
    logsource:
      product: aws
      service: cloudtrail
    detection:
      selection:
        eventName: CreateUser
      filter:
        recipientAccountId:
        - null
        - ''
      condition: selection and not filter
    fields:
    - eventTime
    - recipientAccountId
    level: informational
    detc:
      detection: role_session_moves
      signal: create
      version: 2
    ");
}

#[test]
fn repeats_and_relations_are_refused_together() {
    let relation = "where login.sourceIPAddress != create.sourceIPAddress";
    let output = behavior(PAIR, &format!("login -> create{{3}} by user within 30m {relation}"));
    let refused = [ReasonCode::UnsupportedBehavior, ReasonCode::UnsupportedRelation];
    assert_eq!(codes(&output).get(..2).unwrap(), refused);
    assert!(output.query.is_none());
    let output = behavior(PAIR, "login as a -> login as b by user within 30m");
    assert!(codes(&output).contains(&ReasonCode::UnsupportedBehavior));
}

#[test]
fn keys_that_are_no_fields_are_refused() {
    let split =
        "signals:\n  call: { source: aws.cloudtrail, where: readOnly, let: { agent: 'split(userAgent, \"/\", 0)' } }\n";
    let output = behavior(split, "count(call) >= 20 by agent within 90m");
    assert_eq!(codes(&output), [ReasonCode::WindowUnspecified, ReasonCode::UnsupportedExpression]);
    assert!(output.query.is_none());
}

#[test]
fn folded_keys_and_values_are_kept_apart_by_case() {
    let lower = "signals:\n  call: { source: aws.cloudtrail, where: readOnly, let: { agent: lower(userAgent) } }\n";
    for text in ["count(call) >= 20 by agent within 90m", "distinct(call.agent) >= 20 by userIdentity.arn within 90m"] {
        let output = behavior(lower, text);
        assert_eq!(codes(&output), [ReasonCode::WindowUnspecified, ReasonCode::KeyCase]);
        assert!(output.query.unwrap().text.contains("- userAgent") || text.starts_with("distinct"));
    }
}

#[test]
fn a_window_below_a_second_is_refused() {
    let output = behavior(DENIED, "count(denied) >= 20 within 1500ms");
    assert_eq!(codes(&output), [ReasonCode::UnsupportedBehavior, ReasonCode::WindowUnspecified]);
}

#[test]
fn letters_beyond_ascii_are_an_assumption() {
    let output = compile(&event("userAgent == \"Ünlü\""));
    assert_eq!(codes(&output), []);
    let assumption = "case is ignored for letters beyond ASCII as well";
    assert_eq!(output.verdict.assumptions, ["each event is delivered once", assumption]);
}

#[test]
fn a_key_that_sigma_calls_otherwise_is_said_to() {
    let rest = format!("{PAIR}behavior: login -> create by user within 30m\nalert: {{ title: '{{{{ user }}}}' }}\n");
    let output = compile(&detection(&rest));
    assert_eq!(output.query.unwrap().columns, ["user"]);
    let rest = "signals:
  call: { source: aws.cloudtrail, where: readOnly, let: { user: userIdentity.arn } }
behavior: count(call) >= 2 by user within 30m
alert: { title: '{{ user }}' }
";
    let query = compile(&detection(rest)).query.unwrap();
    assert_eq!(query.columns, ["userIdentity.arn"]);
    assert_eq!(query.missing_columns, [("user".to_owned(), "Sigma calls it `userIdentity.arn`".to_owned())].into());
}

// Hostile texts, read back by another parser.

/// A detection that looks for the text, whatever the language could write.
fn looks_for(text: &str) -> Detection {
    let mut detection = event("userAgent == \"x\"");
    for signal in &mut detection.stage.signals {
        if let Predicate::Equal { right, .. } = &mut signal.predicate.node {
            *right = Value::Literal(Literal::Text(text.to_owned()));
        }
    }
    detection
}

#[test]
fn micro_10_control_characters_become_an_expression() {
    let output = compile(&looks_for("a\n\tb\0"));
    let expected = r"
        selection:
          userAgent|re|i: ^a\x0a\x09b\x00$
        condition: selection";
    check_detection(&output, expected);
}

#[test]
fn texts_that_yaml_breaks_are_refused() {
    for offender in ["a\u{2028}", "\u{2029}", "x\u{e000}"] {
        assert_eq!(codes(&compile(&looks_for(offender))), [ReasonCode::UnsupportedLiteral]);
        let mut detection = event(&format!("userAgent matches \"{offender}\""));
        assert_eq!(codes(&compile(&detection)), [ReasonCode::UnsupportedLiteral]);
        detection = event("readOnly");
        detection.metadata.title = offender.to_owned();
        assert_eq!(codes(&compile(&detection)), [ReasonCode::UnsupportedLiteral]);
    }
}

/// Every scalar of a YAML stream, with whether it stands without quotes.
fn scalars(text: &str) -> Vec<(String, bool)> {
    let events = Parser::new_from_str(text).map(|event| event.expect("the output is YAML").0);
    let scalars = events.filter_map(|event| match event {
        Event::Scalar(value, style, _, _) => Some((value.into_owned(), style == ScalarStyle::Plain)),
        _ => None,
    });
    scalars.collect()
}

/// The scalar behind the first key of that name.
#[track_caller]
fn behind(text: &str, key: &str) -> (String, bool) {
    let scalars = scalars(text);
    let index =
        scalars.iter().position(|(value, _)| value == key).unwrap_or_else(|| unreachable!("no `{key}`: {text}"));
    scalars.get(index + 1).unwrap().clone()
}

/// What Sigma makes of a string: `None` where it has wildcards.
fn unescape(text: &str) -> Option<String> {
    let mut plain = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '*' | '?' => return None,
            '\\' => plain.push(characters.next_if(|next| matches!(next, '*' | '?' | '\\')).unwrap_or('\\')),
            other => plain.push(other),
        }
    }
    Some(plain)
}

/// What the only text is that an expression made of a literal matches.
fn unescape_regex(text: &str) -> Option<String> {
    let mut plain = String::new();
    let mut characters = text.strip_prefix('^')?.strip_suffix('$')?.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next()? {
                'x' => {
                    let digits: String = characters.by_ref().take(2).collect();
                    plain.push(char::from(u8::from_str_radix(&digits, 16).ok()?));
                }
                other if other.is_ascii_punctuation() => plain.push(other),
                _ => return None,
            },
            '.' | '^' | '$' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '|' => return None,
            other => plain.push(other),
        }
    }
    Some(plain)
}

fn hostile() -> impl Strategy<Value = String> {
    let words = [
        "no",
        "Yes",
        "12:30:45",
        "2026-01-01",
        "1e5",
        "0x1f",
        "null",
        "~",
        "- a",
        "a: b",
        "a #b",
        "'",
        "\"",
        "\\",
        "`",
        "$",
        "{",
        "}",
        "[",
        "%x%",
        "*",
        "?",
        "\n",
        "\r\n",
        "\t",
        "\0",
        "\u{85}",
        "\u{a0}",
        "\u{2028}",
        "\u{feff}",
        "\u{e000}",
        "😀",
        "\u{7f}",
        " ",
        "|",
        "---",
        "...",
        "!",
        "&a",
        "007",
        "١٢",
        "=",
    ];
    let piece =
        prop_oneof![3 => sample::select(words.to_vec()).prop_map(str::to_owned), 1 => ".{0,4}".prop_map(|text| text)];
    collection::vec(piece, 1..5)
        .prop_map(|pieces| pieces.concat())
        .prop_filter("literals are not empty", |text| !text.is_empty())
}

proptest! {
    #[test]
    fn a_literal_survives_or_is_refused(literal in hostile()) {
        let mut detection = looks_for(&literal);
        detection.metadata.title = literal.chars().map(|character| format!("{:x}.", u32::from(character))).collect();
        let output = compile(&detection);
        if literal.contains(['\u{2028}', '\u{2029}', '\u{e000}']) {
            prop_assert_eq!(codes(&output), [ReasonCode::UnsupportedLiteral]);
            return Ok(());
        }
        let text = query(&output);
            let keys = ["userAgent", "userAgent|re", "userAgent|re|i"];
        let key = keys.into_iter().find(|key| scalars(&text).iter().any(|(value, _)| value == key)).unwrap();
        let (value, plain) = behind(&text, key);
        let read = if key == "userAgent" { unescape(&value) } else { unescape_regex(&value) };
        prop_assert_eq!(read.as_ref(), Some(&literal), "{}", text);
        // A bare scalar that YAML would not call a text is a number, written as its digits.
        if plain && matches!(serde_yaml::from_str::<serde_yaml::Value>(&value), Ok(serde_yaml::Value::Number(_))) {
            prop_assert_eq!(literal.parse::<i64>().unwrap().to_string(), literal);
        }
    }

    #[test]
    fn a_text_about_the_detection_survives_or_is_refused(text in hostile()) {
        let mut detection = event("readOnly");
        detection.metadata.title.clone_from(&text);
        detection.metadata.false_positives = vec![format!("{text}!")];
        let output = compile(&detection);
        if text.contains(['\u{2028}', '\u{2029}', '\u{e000}']) {
            prop_assert_eq!(codes(&output), [ReasonCode::UnsupportedLiteral]);
        } else {
            let printed = query(&output);
            prop_assert_eq!(behind(&printed, "title").0, text.clone(), "{}", printed);
            prop_assert_eq!(behind(&printed, "falsepositives").0, format!("{text}!"), "{}", printed);
        }
    }
}

/// Signals that the behaviours below use.
const SIGNALS: &str = r#"signals:
  a: { source: aws.cloudtrail, where: eventName == "CreateUser" }
  b: { source: aws.cloudtrail, where: eventName == "CreateAccessKey" }
  c: { source: aws.cloudtrail, where: eventName == "DeleteTrail" }
  burst: { behavior: "count(a) as refused >= 20 by userIdentity.arn within 10m" }
  loud: { behavior: "count(a) as refused >= 20 by userIdentity.arn within 10m", where: refused > 50 }
  either: { behavior: a or b }
"#;

/// What becomes of a behaviour over these signals.
#[track_caller]
fn over(text: &str) -> Output {
    compile(&detection(&format!("{SIGNALS}behavior: |\n  {text}\n")))
}

/// The lines of the documents that say what is looked for.
#[track_caller]
fn essence(text: &str) -> String {
    let text = query(&over(text));
    let lines = text.lines().skip_while(|line| !matches!(*line, "correlation:" | "detection:"));
    let head = [
        "id:",
        "title:",
        "status:",
        "description:",
        "references:",
        "- http",
        "author:",
        "date:",
        "tags:",
        "- attack",
        "falsepositives:",
        "- Laptops",
        "level:",
        "detc:",
        "  detection:",
        "  version:",
        "  signal:",
        "  strategy:",
        "  analytics:",
        "  - AN",
        "  tags:",
        "  - aws",
        "logsource:",
        "  product:",
        "  service:",
        "fields:",
        "- ",
    ];
    let kept: Vec<&str> = lines.filter(|line| !head.iter().any(|start| line.starts_with(start))).collect();
    kept.join("\n")
}

/// There is no rule, for exactly these reasons (approximate ones aside), each said where the text stands.
#[track_caller]
fn refused(text: &str, expected: &[(ReasonCode, &str)]) {
    let output = over(text);
    assert!(output.query.is_none(), "{text}");
    let reasons =
        output.verdict.reasons.iter().filter(|reason| reason.code.fidelity() == detc::backend::Fidelity::Unsupported);
    let reasons: Vec<(ReasonCode, &str)> = reasons.map(|reason| (reason.code, reason.message.as_str())).collect();
    assert_eq!(reasons.len(), expected.len(), "{text}: {reasons:#?}");
    for ((code, message), (wanted, words)) in reasons.iter().zip(expected) {
        assert_eq!(code, wanted, "{text}: {message}");
        assert!(message.contains(words), "{text}: {message}");
    }
}

#[test]
fn a_union_of_one_source_is_one_rule() {
    assert_eq!(over("a or b").verdict.reasons, []);
    insta::assert_snapshot!(essence("a or b"), @r"
    detection:
      selection:
        eventName:
        - CreateUser
        - CreateAccessKey
      condition: selection
    ");
}

#[test]
fn a_group_is_temporal() {
    assert_eq!(codes(&over("a & b by userIdentity.arn within 10m")), [ReasonCode::WindowUnspecified]);
    insta::assert_snapshot!(essence("a & b by userIdentity.arn within 10m").lines().take(9).collect::<Vec<_>>().join("\n"), @r"
    correlation:
      type: temporal
      rules:
      - role_session_moves__a
      - role_session_moves__b
      group-by:
      - userIdentity.arn
      timespan: 10m
    ---
    ");
}

#[test]
fn sums_and_means_are_of_events_that_have_the_number() {
    insta::assert_snapshot!(essence("sum(a.count) > 1000 by userIdentity.arn within 1h"), @r"
    correlation:
      type: value_sum
      rules:
      - role_session_moves__a
      group-by:
      - userIdentity.arn
      timespan: 1h
      condition:
        field: count
        gt: 1000
    ---
    name: role_session_moves__a
    detection:
      selection:
        eventName: CreateUser
      filter_no_arn:
        userIdentity.arn:
        - null
        - ''
      filter_no_count:
        count: null
      condition: selection and not 1 of filter_*
    ");
    let output = over("avg(a.count) <= 7 by userIdentity.arn within 1h");
    assert!(query(&output).contains("type: value_avg"));
    assert!(query(&output).contains("lte: 7"));
    assert!(
        messages(&output).iter().any(|message| message.contains("an event without the counted value closes no hit"))
    );
}

#[test]
fn a_condition_inside_a_count_is_part_of_the_rule() {
    let output = over("count(a where exists(errorCode)) >= 5 by userIdentity.arn within 1h");
    assert!(query(&output).contains("filter_no_errorcode"));
    assert!(messages(&output).iter().any(|message| message.contains("not counted closes no hit")));
}

#[test]
fn clock_aligned_windows_are_left_to_the_converter() {
    let output = over("count(a) >= 5 by userIdentity.arn within 1h fixed");
    assert_eq!(codes(&output), [ReasonCode::WindowUnspecified]);
    assert!(messages(&output).iter().all(|message| message.contains("need not be those that the clock cuts")));
}

#[test]
fn hits_of_a_count_are_a_correlation_inside_another() {
    let output = over("burst -> b by userIdentity.arn within 1h");
    let wanted = [ReasonCode::HitTimeUnspecified, ReasonCode::OrderUnspecified, ReasonCode::WindowUnspecified];
    assert!(wanted.iter().all(|code| codes(&output).contains(code)));
    insta::assert_snapshot!(essence("burst -> b by userIdentity.arn within 1h"), @r"
    correlation:
      type: temporal_ordered
      rules:
      - role_session_moves__burst
      - role_session_moves__b
      group-by:
      - userIdentity.arn
      timespan: 1h
    ---
    name: role_session_moves__burst
    correlation:
      type: event_count
      rules:
      - role_session_moves__burst__a
      group-by:
      - userIdentity.arn
      timespan: 10m
      condition:
        gte: 20
    ---
    name: role_session_moves__burst__a
    detection:
      selection:
        eventName: CreateUser
      filter:
        userIdentity.arn:
        - null
        - ''
      condition: selection and not filter
    ---
    name: role_session_moves__b
    detection:
      selection:
        eventName: CreateAccessKey
      filter:
        userIdentity.arn:
        - null
        - ''
      condition: selection and not filter
    ");
}

#[test]
fn every_hit_of_one_behaviour_is_that_behaviour() {
    let alone = compile(&detection(&format!("{SIGNALS}behavior: burst\n")));
    let inner = over("count(a) as refused >= 20 by userIdentity.arn within 10m");
    assert_eq!(query(&alone), query(&inner));
}

#[test]
fn a_union_inside_a_count_is_one_rule_for_each_source() {
    insta::assert_snapshot!(essence("count(either) >= 3 by userIdentity.arn within 1h"), @r"
    correlation:
      type: event_count
      rules:
      - role_session_moves__either
      group-by:
      - userIdentity.arn
      timespan: 1h
      condition:
        gte: 3
    ---
    name: role_session_moves__either
    detection:
      selection:
        eventName:
        - CreateUser
        - CreateAccessKey
      filter:
        userIdentity.arn:
        - null
        - ''
      condition: selection and not filter
    ");
}

#[test]
fn what_a_correlation_does_not_hand_on_is_refused() {
    use ReasonCode::{UnsupportedBehavior, UnsupportedExpression};
    refused(
        "loud -> b by userIdentity.arn within 1h",
        &[(UnsupportedBehavior, "cannot test what a correlation found")],
    );
    refused("burst -> b by eventName within 1h", &[(UnsupportedExpression, "hands on nothing but the fields")]);
    refused(
        "burst or loud",
        &[(UnsupportedBehavior, "tests or joins the hits"), (UnsupportedBehavior, "tests or joins the hits")],
    );
}

#[test]
fn what_sigma_lacks_is_refused_with_what_to_do_instead() {
    use ReasonCode::{UnsupportedBehavior, UnsupportedLiteral, UnsupportedRelation};
    let by = "by userIdentity.arn";
    for (text, code, words) in [
        (format!("max(a.count) > 5 {by} within 1h"), UnsupportedBehavior, "belongs into the `where`"),
        (format!("median(a.count) > 5 {by} within 1h"), UnsupportedBehavior, "disagree on what a percentile is"),
        (
            format!("percentile(a.count, 95) > 5 {by} within 1h"),
            UnsupportedBehavior,
            "disagree on what a percentile is",
        ),
        (format!("avg(a.count) > 0.5 {by} within 1h"), UnsupportedLiteral, "whole number"),
        (format!("sum(a.count) > -5 {by} within 1h"), UnsupportedLiteral, "not negative"),
        (format!("sum(a.count) != 5 {by} within 1h"), UnsupportedBehavior, "no `!=` of a number"),
        (format!("count(a) >= 5 and count(a) < 9 {by} within 1h"), UnsupportedBehavior, "one number and one bound"),
        (format!("count(a) >= 5 and count(b) >= 2 {by} within 1h"), UnsupportedBehavior, "one number and one bound"),
        (format!("2 of (a, b, c) {by} within 1h"), UnsupportedBehavior, "each combination with `&`"),
        (format!("score(a = 30, b = 40) >= 70 {by} within 1h"), UnsupportedBehavior, "no weights"),
        (format!("new(a.userAgent) {by} over 7d"), UnsupportedBehavior, "no history"),
        (format!("rare(a.userAgent) <= 2 {by} over 7d"), UnsupportedBehavior, "no history"),
        (
            format!("outlier(count(a)) {by} per 1h over 7d above 3 sigma floor 5"),
            UnsupportedBehavior,
            "fixed threshold",
        ),
        (format!("spike(count(a)) {by} per 1h over 7d above 3 floor 5"), UnsupportedBehavior, "fixed threshold"),
        (format!("travel(a.sourceIPAddress) {by} faster than 900 km/h within 6h"), UnsupportedBehavior, "no places"),
        (format!("a -> no b {by} within 1h"), UnsupportedBehavior, "absence of events"),
        (format!("no c -> a -> b {by} within 1h"), UnsupportedBehavior, "absence of events"),
        (format!("a -> b {by} within 1h until c"), UnsupportedBehavior, "no event that ends it"),
        (
            format!("a -> b {by} within 1h where a.count < b.count"),
            UnsupportedRelation,
            "values that have to agree can be keys",
        ),
    ] {
        refused(&text, &[(code, words)]);
    }
}

#[test]
fn an_exception_on_alerts_is_refused() {
    let exception = "exceptions:\n  - { when: refused > 100, owner: team, reason: known, signals: [alert] }\n";
    let text = format!("{SIGNALS}behavior: count(a) as refused >= 20 by userIdentity.arn within 10m\n{exception}");
    let output = compile(&detection(&text));
    assert!(output.query.is_none());
    assert!(messages(&output).iter().any(|message| message.contains("write the exception on the signals")));
}

#[test]
fn files_have_names_that_collections_of_rules_take() {
    let stem = |name: &str| detc::backend::find("sigma").unwrap().file_stem(name);
    assert_eq!(stem("refused_calls_burst"), "refused_calls_burst");
    assert_eq!(stem("sum"), "sum_09f5ffef");
    assert_ne!(stem("A-b"), stem("a_b"));
    let long = stem(&"x".repeat(90));
    assert_eq!(long.len(), 66);
    assert_ne!(long, stem(&"x".repeat(91)));
}
