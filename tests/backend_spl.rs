//! What the SPL backend writes, and what it says where a search cannot follow.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use detc::backend::{Output, ReasonCode};
use detc::ir::Detection;
use proptest::{prop_assert, prop_assert_eq, proptest};
use support::World;

const CLOUDTRAIL: &str = "
$schema: https://json-schema.org/draft/2020-12/schema
$id: urn:detc:source:aws.cloudtrail
title: AWS CloudTrail
description: Calls.
x-source: { name: aws.cloudtrail, time: eventTime, clock: 1s, lag: 15m, id: eventID, signature: [eventName] }
type: object
properties:
  eventTime: { type: string, format: date-time }
  eventName: { type: string, x-case: canonical, x-values: [AssumeRole, CreateUser, DeleteUser] }
  eventID: { type: string }
  looseName: { type: string, x-case: canonical, x-values: [AssumeRole, CreateUser] }
  errorCode: { type: string }
  userAgent: { type: string }
  sourceIPAddress: { type: string, format: ip }
  userIdentity: { type: object, properties: { arn: { type: string }, type: { type: string } } }
  accountId: { type: string }
  mfa: { type: string }
  count: { type: integer }
  other: { type: integer }
  share: { type: number }
  readOnly: { type: boolean }
  flag: { type: boolean }
  created: { type: string, format: date-time }
  expires: { type: integer, x-epoch: s }
  lost: { type: string }
  vague: { type: string }
  packed: { type: object, additionalProperties: { type: string } }
  open: { type: object, additionalProperties: { type: string } }
  x-y: { type: string }
  \"it's\": { type: string }
  tags: { type: array, items: { type: string } }
  items:
    type: array
    items:
      type: object
      properties:
        name: { type: string }
        value: { type: string }
        size: { type: integer }
        parts: { type: array, items: { type: object, properties: { name: { type: string } } } }
  settings:
    type: array
    x-name-value: { name: Name, value: Value }
    items: { type: object, properties: { Name: { type: string }, Value: { type: string } } }
required: [eventTime, eventName]
";

const OKTA: &str = "
$schema: https://json-schema.org/draft/2020-12/schema
$id: urn:detc:source:okta.system
title: Okta
description: Calls.
x-source: { name: okta.system, time: published, clock: 1ms, lag: 10m, id: uuid, signature: [uuid] }
type: object
properties:
  published: { type: string, format: date-time }
  uuid: { type: string }
  eventType: { type: string }
  client: { type: object, properties: { ipAddress: { type: string, format: ip } } }
  actor: { type: object, properties: { alternateId: { type: string } } }
required: [published, uuid]
";

const CLOUDTRAIL_MAP: &str = "
source: aws.cloudtrail
location: { search: 'sourcetype=\"aws:cloudtrail\"', macro: detc_src_aws_cloudtrail }
time: _time
fields:
  eventTime: _time
  eventName: eventName
  eventID: eventID
  looseName: { path: looseName, case: any }
  errorCode: { path: errorCode, literals: { '': success } }
  userAgent: userAgent
  sourceIPAddress: sourceIPAddress
  userIdentity.arn: userIdentity.arn
  userIdentity.type: userIdentity.type
  accountId: accountId
  mfa: { path: mfa, literals: { 'Yes': '1', 'No': '0' } }
  count: count
  other: other
  share: share
  readOnly: readOnly
  flag: { path: flag, literals: { 'true': '1', 'false': '0' } }
  created: created
  expires: expires
  lost: { missing: nobody sends it }
  vague: { path: vague, lossy: it is cut }
  packed: { missing: it is a text }
  'packed.*': { path: packed, access: json_text }
  open: { missing: only its members are fields }
  'open.*': open
  '`x-y`': x-y
  \"`it's`\": \"it's\"
  tags: tags{}
  items: items{}
  settings: settings{}
";

const OKTA_MAP: &str = "
source: okta.system
location: { search: 'sourcetype=\"OktaIM2:log\"', macro: detc_src_okta_system }
time: _time
fields:
  published: _time
  uuid: uuid
  eventType: eventType
  client.ipAddress: client.ipAddress
  actor.alternateId: actor.alternateId
";

fn world(options: &str) -> World {
    let profile = format!("target: splunk\ntitle: Splunk\nbackend: spl\ninterval: 5m\noptions: {options}\n");
    World::new(&profile, &[(CLOUDTRAIL, CLOUDTRAIL_MAP), (OKTA, OKTA_MAP)])
}

/// Analyses a detection that ends with these signals and what follows them.
#[track_caller]
fn detection(rest: &str) -> Detection {
    let text = format!(
        "detection: some\nid: 0b0f3c0e-6a52-4f0a-9d0e-3a3c5b8a7e11\ntitle: Some\nstatus: experimental\nseverity: high\ndescription: Some.\n{rest}"
    );
    world("{}").resolve(&text)
}

/// A detection of single events.
#[track_caller]
fn event(predicate: &str) -> Detection {
    detection(&format!("signals:\n  call:\n    source: aws.cloudtrail\n    where: |\n      {predicate}\n"))
}

fn compile_with(detection: &Detection, options: &str) -> Output {
    support::compile(detection, &world(options).target)
}

fn compile(detection: &Detection) -> Output {
    compile_with(detection, "{}")
}

#[track_caller]
fn text_of(output: &Output) -> &str {
    &output.query.as_ref().unwrap_or_else(|| panic!("{:?}", output.verdict)).text
}

/// The base search and the exact conditions of a detection of single events, up to where time is computed.
#[track_caller]
fn check(predicate: &str, expected: &[&str]) {
    let output = compile(&event(predicate));
    let lines: Vec<&str> = text_of(&output).lines().take_while(|line| !line.starts_with("| eval detc_t=")).collect();
    let base =
        lines.first().map(|line| line.strip_prefix("(sourcetype=\"aws:cloudtrail\")").unwrap_or(line).trim_start());
    let found: Vec<&str> = base.into_iter().chain(lines.iter().skip(1).copied()).collect();
    assert_eq!(found, expected, "\n{}", lines.join("\n"));
}

/// The query of a detection, without what schedules and names its result.
#[track_caller]
fn check_behavior(rest: &str, expected: &str) {
    let output = compile(&detection(rest));
    let text = text_of(&output);
    assert_eq!(text, expected, "\n{text}");
}

#[track_caller]
fn check_refused(detection: &Detection, codes: &[ReasonCode]) {
    let output = compile(detection);
    let found: Vec<ReasonCode> = output.verdict.reasons.iter().map(|reason| reason.code).collect();
    assert_eq!(found, codes, "{:?}", output.verdict.reasons);
    assert!(output.query.is_none());
}

#[test]
fn a_function_of_the_time_is_arithmetic_in_utc() {
    check("weekday(time) in [6, 7]", &["", "| where ((floor(_time/86400)+3)%7)+1=6 OR ((floor(_time/86400)+3)%7)+1=7"]);
}

#[test]
fn a_constant_that_looks_like_a_number_is_compared_as_text() {
    check(
        r#"accountId == "111122223333""#,
        &[r#"accountId="111122223333""#, r#"| where ("=".'accountId')="=111122223333""#],
    );
}

#[test]
fn a_list_with_numeric_texts_is_compared_as_text() {
    check(
        r#"accountId in ["111122223333", "0050126"]"#,
        &[r#"accountId IN ("111122223333", "0050126")"#, r#"| where in("=".'accountId',"=111122223333","=0050126")"#],
    );
}

#[test]
fn canonical_fields_are_compared_exactly() {
    check(r#"eventName == "createuser""#, &[r#"eventName="CreateUser""#, r#"| where 'eventName'="CreateUser""#]);
}

#[test]
fn a_target_that_loses_the_case_gets_a_folded_comparison() {
    check(r#"looseName == "CreateUser""#, &[r#"looseName="CreateUser""#, r#"| where lower('looseName')="createuser""#]);
}

#[test]
fn letters_beyond_ascii_are_folded_by_the_pattern_itself() {
    check(
        r#"userAgent == "grüße""#,
        &[r#"userAgent="gr*e""#, r#"| where match('userAgent',"(?is)^gr(?:Ü|ü)(?:ß|ẞ)e(?!.)")"#],
    );
}

#[test]
fn characters_that_like_takes_for_wildcards_go_to_match() {
    check(r#"userAgent contains "50%_""#, &[r#"userAgent="*50%_*""#, r#"| where match('userAgent',"(?is)50%_")"#]);
}

#[test]
fn quotes_and_backslashes_survive() {
    check(
        r#"userAgent contains 'a\b"c'"#,
        &[r#"userAgent="*a*b*c*""#, r#"| where match('userAgent',"(?is)a[\\\\]b\"c")"#],
    );
}

#[test]
fn several_texts_are_one_condition() {
    check(
        r#"userAgent ends_with ["x", "y"]"#,
        &[r#"userAgent IN ("*x", "*y")"#, r#"| where like(lower('userAgent'),"%x") OR like(lower('userAgent'),"%y")"#],
    );
}

#[test]
fn a_text_that_stands_for_null_is_no_value() {
    check(
        r#"userAgent contains "ul""#,
        &[
            r#"userAgent="*ul*""#,
            r#"| where like(lower(if('userAgent'!="" AND 'userAgent'!="null",'userAgent',null())),"%ul%")"#,
        ],
    );
}

#[test]
fn native_spellings_become_those_of_the_target() {
    check(r#"mfa in ["Yes", "No"]"#, &[r#"mfa IN ("1", "0")"#, r#"| where in("=".'mfa',"=1","=0")"#]);
}

#[test]
fn a_pattern_looks_at_native_spellings() {
    check(
        r#"mfa contains "e""#,
        &[
            "mfa=*",
            r#"| where like(lower(case(("=".'mfa')="=0","No",("=".'mfa')="=1","Yes",true(),if('mfa'!="" AND 'mfa'!="null",'mfa',null()))),"%e%")"#,
        ],
    );
}

#[test]
fn presence_asks_for_a_text_that_is_no_blank() {
    check(
        "exists(userAgent)",
        &["userAgent=*", r#"| where isnotnull('userAgent') AND 'userAgent'!="" AND 'userAgent'!="null""#],
    );
}

/// The number of a list's elements without nulls and blanks.
fn elements_there(list: &str) -> String {
    format!(r#"coalesce(mvcount(mvmap({list},if({list}!="" AND {list}!="null",1,null()))),0)"#)
}

#[test]
fn presence_and_length_of_a_list_of_objects_are_those_of_the_raw_event() {
    let elements = r#"| eval detc_list1=coalesce(spath(_raw,"items{}"),if(like(spath(_raw,"items"),"{%"),spath(_raw,"items"),null()))"#;
    check("exists(items)", &["", elements, "| where isnotnull(detc_list1)"]);
    check("not exists(items)", &["", elements, "| where isnull(detc_list1)"]);
    let there = format!(r#"| where {}>=2"#, elements_there("detc_list1"));
    check("length(items) >= 2", &["", elements, &there]);
}

#[test]
fn a_number_is_searched_with_any_zeros_behind_the_point() {
    let value = r#"| eval detc_value1=if(match('share',"(?s)^-?(?:0|[1-9][0-9]*)(?:[.][0-9]+)?(?!.)"),tonumber('share'),null())"#;
    check("share == 5.0", &[r#"share IN ("5", "5.*")"#, value, "| where detc_value1=5.0"]);
    check("share == 0.50", &[r#"share IN ("0.5", "0.5*")"#, value, "| where detc_value1=0.5"]);
    check("share == 10", &[r#"share IN ("10", "10.*")"#, value, "| where detc_value1=10"]);
    check("share == 0", &[r#"share IN ("0", "0.*", "-0", "-0.*")"#, value, "| where detc_value1=0"]);
}

#[test]
fn a_value_that_looks_like_the_word_for_null_in_another_case_is_a_value() {
    check(
        "upper(userAgent) == \"NULL\"",
        &[r#"userAgent="NULL""#, r#"| where lower(upper(if('userAgent'!="null",'userAgent',null())))="null""#],
    );
}

#[test]
fn absence_counts_the_spelling_for_missing() {
    check(
        "not exists(errorCode)",
        &["", r#"| where isnull('errorCode') OR 'errorCode'="" OR 'errorCode'="null" OR 'errorCode'="success""#],
    );
}

#[test]
fn presence_of_a_number_does_not_ask_for_its_shape() {
    check("exists(count)", &["count=*", r#"| where isnotnull('count') AND 'count'!="" AND 'count'!="null""#]);
}

#[test]
fn bools_are_words_of_the_target() {
    check("flag != true", &["", r#"| where isnull('flag') OR ("=".'flag')!="=1""#]);
}

#[test]
fn numbers_have_their_shortest_text() {
    check(
        "share >= 0.5",
        &[
            "share>=0.5",
            r#"| eval detc_value1=if(match('share',"(?s)^-?(?:0|[1-9][0-9]*)(?:[.][0-9]+)?(?!.)"),tonumber('share'),null())"#,
            "| where detc_value1>=0.5",
        ],
    );
}

#[test]
fn negated_numbers_keep_events_without_them() {
    check(
        "not count > 5",
        &[
            "",
            r#"| eval detc_value1=if(match('count',"(?s)^-?(?:0|[1-9][0-9]*)(?:[.]0+)?(?!.)"),tonumber('count'),null())"#,
            "| where isnull(detc_value1) OR detc_value1<=5",
        ],
    );
}

#[test]
fn fields_are_compared_where_both_are_present() {
    check(
        "userAgent != errorCode",
        &[
            "",
            r#"| where if(("=".lower(if('userAgent'!="" AND 'userAgent'!="null",'userAgent',null())))=("=".lower(if('errorCode'!="" AND 'errorCode'!="null" AND 'errorCode'!="success",'errorCode',null()))),0,1)=1"#,
        ],
    );
}

#[test]
fn numbers_are_compared_with_numbers() {
    check(
        "count < other",
        &[
            "",
            r#"| eval detc_value1=if(match('count',"(?s)^-?(?:0|[1-9][0-9]*)(?:[.]0+)?(?!.)"),tonumber('count'),null())"#,
            r#"| eval detc_value2=if(match('other',"(?s)^-?(?:0|[1-9][0-9]*)(?:[.]0+)?(?!.)"),tonumber('other'),null())"#,
            "| where detc_value1<detc_value2",
        ],
    );
}

#[test]
fn negation_is_pushed_to_the_single_tests() {
    check(
        r#"not (userAgent == "x" and count > 5 or readOnly)"#,
        &[
            "",
            r#"| eval detc_value1=if(match('count',"(?s)^-?(?:0|[1-9][0-9]*)(?:[.]0+)?(?!.)"),tonumber('count'),null())"#,
            r#"| where (isnull('userAgent') OR lower('userAgent')!="x" OR isnull(detc_value1) OR detc_value1<=5) AND (isnull('readOnly') OR 'readOnly'!="true")"#,
        ],
    );
}

#[test]
fn what_is_lowered_still_filters_the_base_search() {
    check(
        r#"lower(userAgent) == "x""#,
        &[r#"userAgent="x""#, r#"| where lower(if('userAgent'!="null",'userAgent',null()))="x""#],
    );
}

#[test]
fn coalesce_skips_empty_texts() {
    check(
        r#"coalesce(userAgent, accountId) == "x""#,
        &[
            "",
            r#"| eval detc_value1=coalesce(if('userAgent'!="" AND 'userAgent'!="null",'userAgent',null()),if('accountId'!="" AND 'accountId'!="null",'accountId',null()))"#,
            r#"| where lower(detc_value1)="x""#,
        ],
    );
}

#[test]
fn concat_is_missing_where_a_part_is() {
    check(
        r#"concat(userAgent, "-", accountId) == "x""#,
        &[
            "",
            r#"| eval detc_value1=if('userAgent'!="" AND 'userAgent'!="null",'userAgent',null())."-".if('accountId'!="" AND 'accountId'!="null",'accountId',null())"#,
            r#"| where lower(detc_value1)="x""#,
        ],
    );
}

#[test]
fn split_counts_from_zero() {
    check(
        r#"split(userAgent, "/", 1) == "2""#,
        &[
            "",
            r#"| eval detc_value1=mvindex(split(if('userAgent'!="" AND 'userAgent'!="null",'userAgent',null()),"/"),1)"#,
            r#"| where ("=".detc_value1)="=2""#,
        ],
    );
}

#[test]
fn replace_is_literal() {
    check(
        r#"replace(userAgent, ".", "") == "a""#,
        &[
            "",
            r#"| eval detc_value1=replace(if('userAgent'!="" AND 'userAgent'!="null",'userAgent',null()),"[.]","")"#,
            r#"| where lower(detc_value1)="a""#,
        ],
    );
}

#[test]
fn extract_keeps_the_first_group() {
    check(
        r#"extract(userAgent, '^aws-(cli|sdk)') == "cli""#,
        &[
            "",
            r#"| eval detc_value1=if('userAgent'!="" AND 'userAgent'!="null",'userAgent',null())"#,
            r#"| eval detc_value2=if(match(detc_value1,"^aws-(cli|sdk)"),replace(detc_value1,"^(?s:.*?)(?:^aws-(cli|sdk))(?s:.*)","\1"),null())"#,
            r#"| where lower(detc_value2)="cli""#,
        ],
    );
}

#[test]
fn int_reads_whole_numbers_only() {
    check(
        "int(accountId) > -5",
        &[
            "",
            r#"| eval detc_value1=if(match('accountId',"(?s)^[+-]?[0-9]+(?!.)"),tonumber(ltrim('accountId',"+")),null())"#,
            "| where detc_value1>(0-5)",
        ],
    );
}

#[test]
fn length_of_a_list_counts_elements_that_are_there() {
    check(
        "length(tags) > 2",
        &[
            "",
            r#"| eval detc_list1=mvappend(if('tags'!="" AND 'tags'!="null",'tags',null()),'tags{}')"#,
            &format!("| where {}>2", elements_there("detc_list1")),
        ],
    );
}

#[test]
fn opening_hours_over_midnight() {
    check(
        r#"outside_hours(time, "Mon-Fri 22:00-06:00", "+01:00")"#,
        &[
            "",
            "| where (floor((_time+3600)/60)%1440<1320 AND floor((_time+3600)/60)%1440>=360) OR ((floor((_time+3600)/86400)+3)%7)+1=6 OR ((floor((_time+3600)/86400)+3)%7)+1=7",
        ],
    );
}

#[test]
fn opening_hours_on_single_days() {
    check(
        r#"outside_hours(time, "Mon,Wed 08:00-18:00")"#,
        &[
            "",
            "| where floor(_time/60)%1440<480 OR floor(_time/60)%1440>=1080 OR ((floor(_time/86400)+3)%7)+1=2 OR ((floor(_time/86400)+3)%7)+1=4 OR ((floor(_time/86400)+3)%7)+1=5 OR ((floor(_time/86400)+3)%7)+1=6 OR ((floor(_time/86400)+3)%7)+1=7",
        ],
    );
}

#[test]
fn country_comes_from_iplocation() {
    check(
        r#"country(sourceIPAddress) == "US""#,
        &[
            "",
            r#"| eval detc_ip1=if('sourceIPAddress'!="" AND 'sourceIPAddress'!="null",'sourceIPAddress',null())"#,
            "| iplocation prefix=detc_ip1_ lang=code detc_ip1",
            r#"| where lower(detc_ip1_Country)="us""#,
        ],
    );
}

#[test]
fn a_member_of_a_json_text_is_taken_out_of_it() {
    check(r#"packed.a.b == "x""#, &["", r#"| where lower(spath('packed',"a.b"))="x""#]);
}

#[test]
fn times_are_compared_in_milliseconds() {
    check(
        "expires < time",
        &[
            "",
            r#"| where floor((if(match('expires',"(?s)^-?(?:0|[1-9][0-9]*)(?:[.][0-9]+)?(?!.)"),tonumber('expires'),null())*1000)+0.5)<floor((_time*1000)+0.5)"#,
        ],
    );
}

#[test]
fn all_is_the_absence_of_a_counterexample() {
    check(
        "all(items as i where i.size > 3)",
        &[
            "",
            r#"| eval detc_list1=coalesce(spath(_raw,"items{}"),if(like(spath(_raw,"items"),"{%"),spath(_raw,"items"),null()))"#,
            r#"| where isnull(mvmap(detc_list1,if(detc_list1!="" AND detc_list1!="null" AND if(if(match(spath(detc_list1,"size"),"(?s)^-?(?:0|[1-9][0-9]*)(?:[.]0+)?(?!.)"),tonumber(spath(detc_list1,"size")),null())>3,0,1)=1,1,null())))"#,
        ],
    );
}

#[test]
fn none_is_the_absence_of_an_example() {
    check(
        r#"none(tags as t where t like "a*")"#,
        &[
            "",
            "| eval detc_list1=mvappend('tags','tags{}')",
            r#"| where isnull(mvmap(detc_list1,if(detc_list1!="" AND detc_list1!="null" AND like(lower(detc_list1),"a%"),1,null())))"#,
        ],
    );
}

#[test]
fn a_list_inside_a_list_is_flattened() {
    check(
        r#"any(items as i where any(i.parts as p where p.name == "x"))"#,
        &[
            r#"(items{}.parts{}.name="x" OR items.parts.name="x")"#,
            r#"| eval detc_list1=mvappend(spath(_raw,"items{}.parts{}"),spath(_raw,"items.parts{}"))"#,
            r#"| where isnotnull(mvmap(detc_list1,if(detc_list1!="" AND detc_list1!="null" AND lower(spath(detc_list1,"name"))="x",1,null())))"#,
        ],
    );
}

#[test]
fn first_picks_a_member_of_the_first_element() {
    check(
        r#"first(items as i where i.name == "A").value == "b""#,
        &[
            r#"(items{}.value="b" OR items.value="b")"#,
            r#"| eval detc_list1=coalesce(spath(_raw,"items{}"),if(like(spath(_raw,"items"),"{%"),spath(_raw,"items"),null()))"#,
            r#"| eval detc_first1=substr(mvindex(mvmap(detc_list1,if(detc_list1!="" AND detc_list1!="null" AND lower(spath(detc_list1,"name"))="a","=".coalesce(spath(detc_list1,"value"),""),null())),0),2)"#,
            r#"| where lower(detc_first1)="b""#,
        ],
    );
}

#[test]
fn a_name_value_list_is_read_by_name() {
    check(
        r#"settings[RequestType].Value == "OAuth2""#,
        &[
            r#"(settings{}.Value="OAuth2" OR settings.Value="OAuth2")"#,
            r#"| eval detc_list1=coalesce(spath(_raw,"settings{}"),if(like(spath(_raw,"settings"),"{%"),spath(_raw,"settings"),null()))"#,
            r#"| eval detc_first1=substr(mvindex(mvmap(detc_list1,if(detc_list1!="" AND detc_list1!="null" AND spath(detc_list1,"Name")="RequestType","=".coalesce(spath(detc_list1,"Value"),""),null())),0),2)"#,
            r#"| where lower(detc_first1)="oauth2""#,
        ],
    );
}

#[test]
fn regular_expressions_are_written_without_backslashes() {
    check(
        r"userAgent matches ['a\d{2,3}\s[^\w.]$', '[a^\]]\\x|y']",
        &[
            "userAgent=*",
            r#"| where match('userAgent',"(?i)a[0-9]{2,3}[[:space:]][^._0-9A-Za-z](?!(?s:.))") OR match('userAgent',"(?i)[]a^][\\\\]x|y")"#,
        ],
    );
}

#[test]
fn a_pattern_that_matches_nothing_needs_a_guard() {
    check(
        "not userAgent matches 'a*'",
        &["", r#"| where if(match(if('userAgent'!="" AND 'userAgent'!="null",'userAgent',null()),"(?i)a*"),0,1)=1"#],
    );
}

#[test]
fn micro_01_hours_of_the_time_are_compared() {
    check("hour(time) >= 20", &["", "| where floor(_time/3600)%24>=20"]);
}

#[test]
fn micro_02_an_hour_is_one_hour() {
    check("hour(time) == 3", &["", "| where floor(_time/3600)%24=3"]);
}

#[test]
fn micro_03_equality_ignores_case() {
    check(
        r#"errorCode == "AccessDenied""#,
        &[r#"errorCode="AccessDenied""#, r#"| where lower('errorCode')="accessdenied""#],
    );
}

#[test]
fn micro_04_cased_equality_is_exact() {
    check(
        r#"errorCode == cased "AccessDenied""#,
        &[r#"errorCode="AccessDenied""#, r#"| where 'errorCode'="AccessDenied""#],
    );
}

#[test]
fn micro_05_cased_contains_is_exact() {
    check(
        r#"userAgent contains cased "Boto3""#,
        &[r#"userAgent="*Boto3*""#, r#"| where match('userAgent',"(?s)Boto3")"#],
    );
}

#[test]
fn micro_06_a_star_in_the_middle_keeps_both_ends() {
    check(
        r#"errorCode like "Put*Policy""#,
        &[r#"errorCode="Put*Policy""#, r#"| where like(lower('errorCode'),"put%policy")"#],
    );
}

#[test]
fn micro_07_globs_in_a_list_stay_whole() {
    check(
        r#"errorCode like ["Put*Policy", "Foo"]"#,
        &[
            r#"errorCode IN ("Put*Policy", "Foo")"#,
            r#"| where like(lower('errorCode'),"put%policy") OR like(lower('errorCode'),"foo")"#,
        ],
    );
}

#[test]
fn micro_08_a_question_mark_is_one_character() {
    check(
        r#"errorCode like "Put?Policy""#,
        &[r#"errorCode="Put*Policy""#, r#"| where match('errorCode',"(?is)^Put.Policy(?!.)")"#],
    );
}

#[test]
fn micro_09_an_escaped_star_is_a_star() {
    check(r"userAgent like 'a\*b'", &[r#"userAgent="a*b""#, r#"| where like(lower('userAgent'),"a*b")"#]);
}

#[test]
fn micro_10_control_characters_are_refused() {
    check_refused(&event("userAgent == 'a\tb'"), &[ReasonCode::UnsupportedLiteral]);
}

#[test]
fn micro_11_negated_equality_keeps_events_without_the_field() {
    check(
        r#"not errorCode == "AccessDenied""#,
        &["", r#"| where isnull('errorCode') OR lower('errorCode')!="accessdenied""#],
    );
}

#[test]
fn micro_12_absence_is_null_or_empty() {
    check("not exists(userAgent)", &["", r#"| where isnull('userAgent') OR 'userAgent'="" OR 'userAgent'="null""#]);
}

#[test]
fn micro_13_presence_is_neither_null_nor_empty() {
    check(
        "exists(userAgent)",
        &["userAgent=*", r#"| where isnotnull('userAgent') AND 'userAgent'!="" AND 'userAgent'!="null""#],
    );
}

#[test]
fn micro_14_a_bool_is_a_word() {
    check("readOnly", &[r#"readOnly="true""#, r#"| where 'readOnly'="true""#]);
}

#[test]
fn micro_15_a_number_equals_a_number() {
    check(
        "count == 5",
        &[
            r#"count IN ("5", "5.*")"#,
            r#"| eval detc_value1=if(match('count',"(?s)^-?(?:0|[1-9][0-9]*)(?:[.]0+)?(?!.)"),tonumber('count'),null())"#,
            "| where detc_value1=5",
        ],
    );
}

#[test]
fn micro_16_a_number_is_in_a_list_of_numbers() {
    check(
        "count in [5, 6]",
        &[
            r#"count IN ("5", "5.*", "6", "6.*")"#,
            r#"| eval detc_value1=if(match('count',"(?s)^-?(?:0|[1-9][0-9]*)(?:[.]0+)?(?!.)"),tonumber('count'),null())"#,
            "| where detc_value1=5 OR detc_value1=6",
        ],
    );
}

#[test]
fn micro_17_a_number_is_larger() {
    check(
        "count > 5",
        &[
            "count>5",
            r#"| eval detc_value1=if(match('count',"(?s)^-?(?:0|[1-9][0-9]*)(?:[.]0+)?(?!.)"),tonumber('count'),null())"#,
            "| where detc_value1>5",
        ],
    );
}

#[test]
fn micro_20_fields_are_compared_without_case_under_or() {
    check(
        "userAgent == userIdentity.arn or readOnly",
        &[
            "",
            r#"| where ("=".lower(if('userAgent'!="" AND 'userAgent'!="null",'userAgent',null())))=("=".lower(if('userIdentity.arn'!="" AND 'userIdentity.arn'!="null",'userIdentity.arn',null()))) OR 'readOnly'="true""#,
        ],
    );
}

#[test]
fn micro_22_a_regular_expression_is_unanchored() {
    check(r#"userAgent matches "boto/[0-9]""#, &["userAgent=*", r#"| where match('userAgent',"(?i)boto/[0-9]")"#]);
}

#[test]
fn micro_23_any_of_several_expressions_suffices() {
    check(
        r#"userAgent matches ["boto", "^aws"]"#,
        &["userAgent=*", r#"| where match('userAgent',"(?i)boto") OR match('userAgent',"(?i)^aws")"#],
    );
}

#[test]
fn micro_24_all_of_several_elements() {
    check(
        r#"any(tags as t where t == "A") and any(tags as t where t == "B")"#,
        &[
            r#"(tags{}="A" OR tags="A") (tags{}="B" OR tags="B")"#,
            "| eval detc_list1=mvappend('tags','tags{}')",
            r#"| where isnotnull(mvmap(detc_list1,if(detc_list1!="" AND detc_list1!="null" AND lower(detc_list1)="a",1,null())))"#,
            r#"| where isnotnull(mvmap(detc_list1,if(detc_list1!="" AND detc_list1!="null" AND lower(detc_list1)="b",1,null())))"#,
        ],
    );
}

#[test]
fn micro_26_a_dotted_field_is_one_field() {
    check(r#"userIdentity.arn == "x""#, &[r#"userIdentity.arn="x""#, r#"| where lower('userIdentity.arn')="x""#]);
}

#[test]
fn micro_27_an_odd_name_is_quoted() {
    check(r#"`x-y` == "z""#, &[r#""x-y"="z""#, r#"| where lower('x-y')="z""#]);
}

#[test]
fn micro_28_members_of_one_element() {
    check(
        r#"any(items as i where i.name == "A" and i.value == "B")"#,
        &[
            r#"(items{}.name="A" OR items.name="A") (items{}.value="B" OR items.value="B")"#,
            r#"| eval detc_list1=coalesce(spath(_raw,"items{}"),if(like(spath(_raw,"items"),"{%"),spath(_raw,"items"),null()))"#,
            r#"| where isnotnull(mvmap(detc_list1,if(detc_list1!="" AND detc_list1!="null" AND lower(spath(detc_list1,"name"))="a" AND lower(spath(detc_list1,"value"))="b",1,null())))"#,
        ],
    );
}

#[test]
fn an_event_shows_what_the_alert_names() {
    check_behavior(
        "signals: { call: { source: aws.cloudtrail, where: 'readOnly' } }
alert: { show: [userAgent, lost, userIdentity.arn, packed.x] }",
        r#"(sourcetype="aws:cloudtrail") readOnly="true"
| where 'readOnly'="true"
| eval detc_t=_time
| addinfo
| eval detc_end=floor((info_max_time-1)/300)*300
| where detc_t>detc_end-300 AND detc_t<=detc_end
| eval detc_c1='userAgent', detc_c3='userIdentity.arn', detc_c4=spath('packed',"x")
| rename detc_c1 AS userAgent, detc_c3 AS "userIdentity.arn", detc_c4 AS "packed.x"
| table _time, userAgent, "userIdentity.arn", "packed.x"
"#,
    );
}

#[test]
fn a_count_looks_at_the_nth_event_before() {
    check_behavior(
        r#"signals: { denied: { source: aws.cloudtrail, where: 'errorCode == "AccessDenied"' } }
behavior: count(denied) >= 20 by userIdentity.arn within 10m
alert: { show: [userIdentity.arn, sourceIPAddress] }"#,
        r#"(sourcetype="aws:cloudtrail") errorCode="AccessDenied"
| where lower('errorCode')="accessdenied"
| eval detc_k1='userIdentity.arn', detc_t=_time
| where isnotnull(detc_k1) AND detc_k1!="" AND detc_k1!="null"
| eval detc_id='eventID', detc_c2='sourceIPAddress'
| fields detc_k1, detc_t, detc_id, detc_c2
| sort 0 detc_t, str(detc_id)
| streamstats window=20 global=f count AS detc_n, min(detc_t) AS detc_t0 BY detc_k1
| where detc_n=20 AND detc_t-detc_t0<=600
| sort 0 -detc_t, -str(detc_id)
| dedup detc_k1, detc_t
| addinfo
| eval detc_end=floor((info_max_time-1)/300)*300
| where detc_t>detc_end-300 AND detc_t<=detc_end
| eval _time=detc_t
| rename detc_k1 AS "userIdentity.arn", detc_c2 AS sourceIPAddress
| table _time, "userIdentity.arn", sourceIPAddress
"#,
    );
}

#[test]
fn finer_clocks_are_counted_in_milliseconds() {
    check_behavior(
        r#"signals: { login: { source: okta.system, where: 'eventType == "user.session.start"' } }
behavior: count(login) >= 3 within 90s"#,
        r#"(sourcetype="OktaIM2:log") eventType="user.session.start"
| where lower('eventType')="user.session.start"
| eval detc_t=floor((_time*1000)+0.5)
| eval detc_id='uuid'
| fields detc_t, detc_id
| sort 0 detc_t, str(detc_id)
| streamstats window=3 global=f count AS detc_n, min(detc_t) AS detc_t0
| where detc_n=3 AND detc_t-detc_t0<=90000
| sort 0 -detc_t, -str(detc_id)
| dedup detc_t
| addinfo
| eval detc_end=floor((info_max_time-1)/300)*300000
| where detc_t>detc_end-300000 AND detc_t<=detc_end
| eval _time=exact(detc_t/1000)
| table _time
"#,
    );
}

#[test]
fn a_list_as_key_counts_once_for_each_element() {
    check_behavior(
        "signals: { call: { source: aws.cloudtrail, where: 'readOnly', let: { tag: tags } } }
behavior: count(call) >= 2 by tag within 1m",
        r#"(sourcetype="aws:cloudtrail") readOnly="true"
| where 'readOnly'="true"
| eval detc_k1=mvdedup(mvappend(if('tags'!="" AND 'tags'!="null",'tags',null()),'tags{}')), detc_t=_time
| mvexpand detc_k1
| where isnotnull(detc_k1) AND detc_k1!="" AND detc_k1!="null"
| eval detc_id='eventID'
| fields detc_k1, detc_t, detc_id
| sort 0 detc_t, str(detc_id)
| streamstats window=2 global=f count AS detc_n, min(detc_t) AS detc_t0 BY detc_k1
| where detc_n=2 AND detc_t-detc_t0<=60
| sort 0 -detc_t, -str(detc_id)
| dedup detc_k1, detc_t
| addinfo
| eval detc_end=floor((info_max_time-1)/300)*300
| where detc_t>detc_end-300 AND detc_t<=detc_end
| eval _time=detc_t
| rename detc_k1 AS tag
| table _time, tag
"#,
    );
}

#[test]
fn distinct_values_arrive_and_leave() {
    check_behavior(
        "signals: { login: { source: okta.system, where: 'exists(client.ipAddress)' } }
behavior: distinct(login.client.ipAddress) >= 5 by actor.alternateId within 1h
alert: { show: [client.ipAddress, eventType] }",
        r#"(sourcetype="OktaIM2:log") client.ipAddress=*
| where isnotnull('client.ipAddress') AND 'client.ipAddress'!="" AND 'client.ipAddress'!="null"
| eval detc_k1='actor.alternateId', detc_t=floor((_time*1000)+0.5)
| where isnotnull(detc_k1) AND detc_k1!="" AND detc_k1!="null"
| eval detc_v=coalesce(if('client.ipAddress'!="" AND 'client.ipAddress'!="null",'client.ipAddress',null()),""), detc_x=json_object("id",coalesce('uuid',""),"detc_c1",coalesce('client.ipAddress',""),"detc_c2",coalesce('eventType',""))
| stats count AS detc_c, max(detc_x) AS detc_x BY detc_k1, detc_t, detc_v
| eval detc_o=mvappend("0","1")
| mvexpand detc_o
| eval detc_at=detc_t, detc_t=if(detc_o=1,detc_t+3600000,detc_t)
| sort 0 detc_t, detc_o
| eval detc_in=if(detc_o=0,detc_at,null())
| streamstats current=f max(detc_in) AS detc_p BY detc_k1, detc_v
| eval detc_d=case(detc_v="",0,detc_o=0 AND (isnull(detc_p) OR detc_t-detc_p>3600000),1,detc_o=1 AND detc_p=detc_at,(0-1),true(),0)
| streamstats sum(detc_d) AS detc_n BY detc_k1
| where detc_o=0
| stats last(detc_n) AS detc_n, max(detc_x) AS detc_x BY detc_k1, detc_t
| where detc_n>=5
| addinfo
| eval detc_end=floor((info_max_time-1)/300)*300000
| where detc_t>detc_end-300000 AND detc_t<=detc_end
| eval detc_c1=spath(detc_x,"detc_c1"), detc_c2=spath(detc_x,"detc_c2")
| eval _time=exact(detc_t/1000)
| rename detc_k1 AS "actor.alternateId", detc_c1 AS "client.ipAddress", detc_c2 AS eventType
| table _time, "actor.alternateId", "client.ipAddress", eventType
"#,
    );
}

#[test]
fn tuples_carry_the_length_of_their_parts() {
    check_behavior(
        "signals: { call: { source: aws.cloudtrail, where: 'readOnly' } }
behavior: distinct(call.userAgent, call.accountId) >= 3 by userIdentity.arn within 1h",
        r#"(sourcetype="aws:cloudtrail") readOnly="true"
| where 'readOnly'="true"
| eval detc_k1='userIdentity.arn', detc_t=_time
| where isnotnull(detc_k1) AND detc_k1!="" AND detc_k1!="null"
| eval detc_v=coalesce(len(if('userAgent'!="" AND 'userAgent'!="null",'userAgent',null())).":".if('userAgent'!="" AND 'userAgent'!="null",'userAgent',null()).":".if('accountId'!="" AND 'accountId'!="null",'accountId',null()),"")
| stats count AS detc_c BY detc_k1, detc_t, detc_v
| eval detc_o=mvappend("0","1")
| mvexpand detc_o
| eval detc_at=detc_t, detc_t=if(detc_o=1,detc_t+3600,detc_t)
| sort 0 detc_t, detc_o
| eval detc_in=if(detc_o=0,detc_at,null())
| streamstats current=f max(detc_in) AS detc_p BY detc_k1, detc_v
| eval detc_d=case(detc_v="",0,detc_o=0 AND (isnull(detc_p) OR detc_t-detc_p>3600),1,detc_o=1 AND detc_p=detc_at,(0-1),true(),0)
| streamstats sum(detc_d) AS detc_n BY detc_k1
| where detc_o=0
| stats last(detc_n) AS detc_n BY detc_k1, detc_t
| where detc_n>=3
| addinfo
| eval detc_end=floor((info_max_time-1)/300)*300
| where detc_t>detc_end-300 AND detc_t<=detc_end
| eval _time=detc_t
| rename detc_k1 AS "userIdentity.arn"
| table _time, "userIdentity.arn"
"#,
    );
}

#[test]
fn a_list_of_values_counts_each_element() {
    check_behavior(
        "signals: { call: { source: aws.cloudtrail, where: 'readOnly' } }
behavior: distinct(call.tags) >= 3 by userIdentity.arn within 1h",
        r#"(sourcetype="aws:cloudtrail") readOnly="true"
| where 'readOnly'="true"
| eval detc_k1='userIdentity.arn', detc_t=_time
| where isnotnull(detc_k1) AND detc_k1!="" AND detc_k1!="null"
| eval detc_v1=coalesce(mvdedup(mvappend(if('tags'!="" AND 'tags'!="null",'tags',null()),'tags{}')),"")
| mvexpand detc_v1
| eval detc_v=coalesce(if(detc_v1!="" AND detc_v1!="null",detc_v1,null()),"")
| stats count AS detc_c BY detc_k1, detc_t, detc_v
| eval detc_o=mvappend("0","1")
| mvexpand detc_o
| eval detc_at=detc_t, detc_t=if(detc_o=1,detc_t+3600,detc_t)
| sort 0 detc_t, detc_o
| eval detc_in=if(detc_o=0,detc_at,null())
| streamstats current=f max(detc_in) AS detc_p BY detc_k1, detc_v
| eval detc_d=case(detc_v="",0,detc_o=0 AND (isnull(detc_p) OR detc_t-detc_p>3600),1,detc_o=1 AND detc_p=detc_at,(0-1),true(),0)
| streamstats sum(detc_d) AS detc_n BY detc_k1
| where detc_o=0
| stats last(detc_n) AS detc_n BY detc_k1, detc_t
| where detc_n>=3
| addinfo
| eval detc_end=floor((info_max_time-1)/300)*300
| where detc_t>detc_end-300 AND detc_t<=detc_end
| eval _time=detc_t
| rename detc_k1 AS "userIdentity.arn"
| table _time, "userIdentity.arn"
"#,
    );
}

#[test]
fn a_chain_is_worked_through_by_instants() {
    check_behavior(
        r#"signals:
  probe: { source: aws.cloudtrail, where: 'eventName == "AssumeRole"' }
  make: { source: aws.cloudtrail, where: 'eventName == "CreateUser"' }
  drop: { source: aws.cloudtrail, where: 'eventName == "DeleteUser"' }
behavior: probe -> make -> drop by userIdentity.arn within 30m
alert: { show: [probe.userAgent, make.sourceIPAddress, drop.sourceIPAddress, drop.errorCode] }"#,
        r#"(sourcetype="aws:cloudtrail") (eventName="AssumeRole" OR eventName="CreateUser" OR eventName="DeleteUser")
| eval detc_m_probe=if('eventName'="AssumeRole",1,0)
| eval detc_m_make=if('eventName'="CreateUser",1,0)
| eval detc_m_drop=if('eventName'="DeleteUser",1,0)
| where detc_m_probe=1 OR detc_m_make=1 OR detc_m_drop=1
| eval detc_k1='userIdentity.arn', detc_t=_time
| where isnotnull(detc_k1) AND detc_k1!="" AND detc_k1!="null"
| eval detc_x1=if(detc_m_probe=1,json_object("id",coalesce('eventID',""),"detc_c1",coalesce('userAgent',"")),null())
| eval detc_x2=if(detc_m_make=1,json_object("id",coalesce('eventID',""),"detc_c2",coalesce('sourceIPAddress',"")),null())
| eval detc_x3=if(detc_m_drop=1,json_object("id",coalesce('eventID',""),"detc_c3",coalesce('sourceIPAddress',""),"detc_c4",coalesce('errorCode',"")),null())
| stats sum(detc_m_probe) AS detc_n_probe, sum(detc_m_make) AS detc_n_make, sum(detc_m_drop) AS detc_n_drop, max(detc_x1) AS detc_x1, max(detc_x2) AS detc_x2, max(detc_x3) AS detc_x3 BY detc_k1, detc_t
| sort 0 detc_t
| eval detc_s1=if(detc_n_probe>=1,detc_t,null())
| eval detc_y1_1=if(isnotnull(detc_s1),detc_x1,null())
| streamstats current=f max(detc_s1) AS detc_p1, last(detc_y1_1) AS detc_z1_1 BY detc_k1
| eval detc_s2=case(detc_n_probe>=1 AND detc_n_make>=1,detc_t,detc_n_make>=1,detc_p1)
| eval detc_s2=if(detc_t-detc_s2<=1800,detc_s2,null())
| eval detc_y2_1=if(isnotnull(detc_s2),case(detc_n_probe>=1 AND detc_n_make>=1,detc_x1,detc_n_make>=1,detc_z1_1),null())
| eval detc_y2_2=if(isnotnull(detc_s2),detc_x2,null())
| streamstats current=f max(detc_s2) AS detc_p2, last(detc_y2_1) AS detc_z2_1, last(detc_y2_2) AS detc_z2_2 BY detc_k1
| eval detc_s3=case(detc_n_probe>=1 AND detc_n_make>=1 AND detc_n_drop>=1,detc_t,detc_n_make>=1 AND detc_n_drop>=1,detc_p1,detc_n_drop>=1,detc_p2)
| where isnotnull(detc_s3) AND detc_t-detc_s3<=1800
| eval detc_y3_1=if(isnotnull(detc_s3),case(detc_n_probe>=1 AND detc_n_make>=1 AND detc_n_drop>=1,detc_x1,detc_n_make>=1 AND detc_n_drop>=1,detc_z1_1,detc_n_drop>=1,detc_z2_1),null())
| eval detc_y3_2=if(isnotnull(detc_s3),case(detc_n_probe>=1 AND detc_n_make>=1 AND detc_n_drop>=1,detc_x2,detc_n_make>=1 AND detc_n_drop>=1,detc_x2,detc_n_drop>=1,detc_z2_2),null())
| stats min(detc_t) AS detc_t, first(detc_y3_1) AS detc_x1, first(detc_y3_2) AS detc_x2, first(detc_x3) AS detc_x3 BY detc_k1, detc_s3
| addinfo
| eval detc_end=floor((info_max_time-1)/300)*300
| where detc_t>detc_end-300 AND detc_t<=detc_end
| eval detc_c1=spath(detc_x1,"detc_c1")
| eval detc_c2=spath(detc_x2,"detc_c2")
| eval detc_c3=spath(detc_x3,"detc_c3"), detc_c4=spath(detc_x3,"detc_c4")
| eval _time=detc_t
| rename detc_k1 AS "userIdentity.arn", detc_c1 AS "probe.userAgent", detc_c2 AS "make.sourceIPAddress", detc_c3 AS "drop.sourceIPAddress", detc_c4 AS "drop.errorCode"
| table _time, "userIdentity.arn", "probe.userAgent", "make.sourceIPAddress", "drop.sourceIPAddress", "drop.errorCode"
"#,
    );
}

#[test]
fn overlapping_steps_are_counted_together() {
    check_behavior(
        r#"signals:
  read: { source: aws.cloudtrail, where: 'readOnly' }
  denied: { source: aws.cloudtrail, where: 'errorCode == "AccessDenied"' }
behavior: read{2} -> denied by userIdentity.arn within 5m
alert: { show: [read.userAgent, denied.userAgent] }"#,
        r#"(sourcetype="aws:cloudtrail") (readOnly="true" OR errorCode="AccessDenied")
| eval detc_m_read=if('readOnly'="true",1,0)
| eval detc_m_denied=if(lower('errorCode')="accessdenied",1,0)
| where detc_m_read=1 OR detc_m_denied=1
| eval detc_k1='userIdentity.arn', detc_t=_time
| where isnotnull(detc_k1) AND detc_k1!="" AND detc_k1!="null"
| eval detc_m_1_2=if(detc_m_read=1 OR detc_m_denied=1,1,0)
| eval detc_x2=if(detc_m_denied=1,json_object("id",coalesce('eventID',""),"detc_c2",coalesce('userAgent',"")),null())
| stats sum(detc_m_read) AS detc_n_read, sum(detc_m_denied) AS detc_n_denied, sum(detc_m_1_2) AS detc_n_1_2, max(detc_x2) AS detc_x2 BY detc_k1, detc_t
| sort 0 detc_t
| eval detc_s1=if(detc_n_read>=1,detc_t,null())
| streamstats current=f max(detc_s1) AS detc_p1 BY detc_k1
| eval detc_s2=case(detc_n_read>=2,detc_t,detc_n_read>=1,detc_p1)
| eval detc_s2=if(detc_t-detc_s2<=300,detc_s2,null())
| streamstats current=f max(detc_s2) AS detc_p2 BY detc_k1
| eval detc_s3=case(detc_n_read>=2 AND detc_n_denied>=1 AND detc_n_1_2>=3,detc_t,detc_n_read>=1 AND detc_n_denied>=1 AND detc_n_1_2>=2,detc_p1,detc_n_denied>=1,detc_p2)
| where isnotnull(detc_s3) AND detc_t-detc_s3<=300
| stats min(detc_t) AS detc_t, first(detc_x2) AS detc_x2 BY detc_k1, detc_s3
| addinfo
| eval detc_end=floor((info_max_time-1)/300)*300
| where detc_t>detc_end-300 AND detc_t<=detc_end
| eval detc_c2=spath(detc_x2,"detc_c2")
| eval _time=detc_t
| rename detc_k1 AS "userIdentity.arn", detc_c2 AS "denied.userAgent"
| table _time, "userIdentity.arn", "denied.userAgent"
"#,
    );
}

#[test]
fn steps_of_one_signal_need_no_flags() {
    check_behavior(
        "signals: { call: { source: aws.cloudtrail, where: 'readOnly' } }
behavior: call as one -> call as two by userIdentity.arn within 5m",
        r#"(sourcetype="aws:cloudtrail") readOnly="true"
| where 'readOnly'="true"
| eval detc_k1='userIdentity.arn', detc_t=_time
| where isnotnull(detc_k1) AND detc_k1!="" AND detc_k1!="null"
| stats count AS detc_n_call BY detc_k1, detc_t
| sort 0 detc_t
| eval detc_s1=if(detc_n_call>=1,detc_t,null())
| streamstats current=f max(detc_s1) AS detc_p1 BY detc_k1
| eval detc_s2=case(detc_n_call>=2,detc_t,detc_n_call>=1,detc_p1)
| where isnotnull(detc_s2) AND detc_t-detc_s2<=300
| stats min(detc_t) AS detc_t BY detc_k1, detc_s2
| addinfo
| eval detc_end=floor((info_max_time-1)/300)*300
| where detc_t>detc_end-300 AND detc_t<=detc_end
| eval _time=detc_t
| rename detc_k1 AS "userIdentity.arn"
| table _time, "userIdentity.arn"
"#,
    );
}

#[test]
fn equality_on_all_steps_groups_the_events() {
    check_behavior(
        r#"signals:
  make: { source: aws.cloudtrail, where: 'eventName == "CreateUser"' }
  drop: { source: aws.cloudtrail, where: 'eventName == "DeleteUser"' }
behavior: make -> drop by userIdentity.arn within 30m where make.userAgent == drop.userAgent
alert: { show: [drop.sourceIPAddress] }"#,
        r#"(sourcetype="aws:cloudtrail") (eventName="CreateUser" OR eventName="DeleteUser")
| eval detc_m_make=if('eventName'="CreateUser",1,0)
| eval detc_m_drop=if('eventName'="DeleteUser",1,0)
| where detc_m_make=1 OR detc_m_drop=1
| eval detc_k1='userIdentity.arn', detc_t=_time
| where isnotnull(detc_k1) AND detc_k1!="" AND detc_k1!="null"
| eval detc_a1=lower(if('userAgent'!="" AND 'userAgent'!="null",'userAgent',null()))
| where isnotnull(detc_a1)
| eval detc_x2=if(detc_m_drop=1,json_object("id",coalesce('eventID',""),"detc_c1",coalesce('sourceIPAddress',"")),null())
| stats sum(detc_m_make) AS detc_n_make, sum(detc_m_drop) AS detc_n_drop, max(detc_x2) AS detc_x2 BY detc_k1, detc_a1, detc_t
| sort 0 detc_t
| eval detc_s1=if(detc_n_make>=1,detc_t,null())
| streamstats current=f max(detc_s1) AS detc_p1 BY detc_k1, detc_a1
| eval detc_s2=case(detc_n_make>=1 AND detc_n_drop>=1,detc_t,detc_n_drop>=1,detc_p1)
| where isnotnull(detc_s2) AND detc_t-detc_s2<=1800
| sort 0 detc_t, detc_s2, detc_x2
| stats max(detc_s2) AS detc_s2, last(detc_x2) AS detc_x2 BY detc_k1, detc_t
| sort 0 detc_t
| stats min(detc_t) AS detc_t, first(detc_x2) AS detc_x2 BY detc_k1, detc_s2
| addinfo
| eval detc_end=floor((info_max_time-1)/300)*300
| where detc_t>detc_end-300 AND detc_t<=detc_end
| eval detc_c1=spath(detc_x2,"detc_c1")
| eval _time=detc_t
| rename detc_k1 AS "userIdentity.arn", detc_c1 AS "drop.sourceIPAddress"
| table _time, "userIdentity.arn", "drop.sourceIPAddress"
"#,
    );
}

#[test]
fn one_inequality_carries_two_starts() {
    check_behavior(
        r#"signals:
  call: { source: aws.cloudtrail, where: 'userIdentity.type == "AssumedRole"' }
  drop: { source: aws.cloudtrail, where: 'userIdentity.type == "AssumedRole" and eventName == "DeleteUser"' }
behavior: call -> drop by userIdentity.arn within 30m where call.sourceIPAddress != drop.sourceIPAddress
alert: { show: [call.userAgent, drop.userAgent] }"#,
        r#"(sourcetype="aws:cloudtrail") userIdentity.type="AssumedRole"
| where lower('userIdentity.type')="assumedrole"
| eval detc_m_call=1
| eval detc_m_drop=if('eventName'="DeleteUser",1,0)
| eval detc_k1='userIdentity.arn', detc_t=_time
| where isnotnull(detc_k1) AND detc_k1!="" AND detc_k1!="null"
| eval detc_v=if(isnull('sourceIPAddress') OR 'sourceIPAddress'="" OR 'sourceIPAddress'="null","?".coalesce('eventID',md5(_raw)),"=".lower('sourceIPAddress'))
| eval detc_x1=if(detc_m_call=1,json_object("id",coalesce('eventID',""),"detc_c1",coalesce('userAgent',"")),null())
| eval detc_x2=if(detc_m_drop=1,json_object("id",coalesce('eventID',""),"detc_c2",coalesce('userAgent',"")),null())
| stats count AS detc_n, max(detc_x1) AS detc_x1, max(detc_x2) AS detc_x2 BY detc_k1, detc_t, detc_v, detc_m_call, detc_m_drop
| eval detc_o=case(detc_m_call=1 AND detc_m_drop=1,1,detc_m_call=1,0,true(),2)
| sort 0 detc_t, detc_o, detc_x1
| eval detc_av=if(detc_m_call=1,detc_v,null()), detc_at=if(detc_m_call=1,detc_t,null()), detc_ax=if(detc_m_call=1,detc_x1,null())
| streamstats current=f last(detc_av) AS detc_v1, last(detc_at) AS detc_t1, last(detc_ax) AS detc_z1 BY detc_k1
| eval detc_change=if(detc_m_call=1 AND detc_v1!=detc_v,detc_t1,null()), detc_bx=if(detc_m_call=1 AND detc_v1!=detc_v,detc_z1,null())
| streamstats current=f last(detc_change) AS detc_t2, last(detc_bx) AS detc_z2 BY detc_k1
| eval detc_s=if(detc_v1!=detc_v,detc_t1,detc_t2)
| eval detc_y1=if(detc_v1!=detc_v,detc_z1,detc_z2)
| where detc_m_drop=1 AND detc_t-detc_s<=1800
| sort 0 detc_t, detc_s, detc_y1, detc_x2
| stats max(detc_s) AS detc_s, last(detc_y1) AS detc_x1, last(detc_x2) AS detc_x2 BY detc_k1, detc_t
| sort 0 detc_t
| stats min(detc_t) AS detc_t, first(detc_x1) AS detc_x1, first(detc_x2) AS detc_x2 BY detc_k1, detc_s
| addinfo
| eval detc_end=floor((info_max_time-1)/300)*300
| where detc_t>detc_end-300 AND detc_t<=detc_end
| eval detc_c1=spath(detc_x1,"detc_c1")
| eval detc_c2=spath(detc_x2,"detc_c2")
| eval _time=detc_t
| rename detc_k1 AS "userIdentity.arn", detc_c1 AS "call.userAgent", detc_c2 AS "drop.userAgent"
| table _time, "userIdentity.arn", "call.userAgent", "drop.userAgent"
"#,
    );
}

#[test]
fn an_inequality_at_the_end_of_three() {
    check_behavior(
        r#"signals:
  probe: { source: aws.cloudtrail, where: 'eventName == "AssumeRole"' }
  make: { source: aws.cloudtrail, where: 'eventName == "CreateUser"' }
  drop: { source: aws.cloudtrail, where: 'eventName == "DeleteUser"' }
behavior: probe -> make -> drop by userIdentity.arn within 30m where make.sourceIPAddress != drop.sourceIPAddress"#,
        r#"(sourcetype="aws:cloudtrail") (eventName="AssumeRole" OR eventName="CreateUser" OR eventName="DeleteUser")
| eval detc_m_probe=if('eventName'="AssumeRole",1,0)
| eval detc_m_make=if('eventName'="CreateUser",1,0)
| eval detc_m_drop=if('eventName'="DeleteUser",1,0)
| where detc_m_probe=1 OR detc_m_make=1 OR detc_m_drop=1
| eval detc_k1='userIdentity.arn', detc_t=_time
| where isnotnull(detc_k1) AND detc_k1!="" AND detc_k1!="null"
| eval detc_v=if(isnull('sourceIPAddress') OR 'sourceIPAddress'="" OR 'sourceIPAddress'="null","?".coalesce('eventID',md5(_raw)),"=".lower('sourceIPAddress'))
| stats count AS detc_n BY detc_k1, detc_t, detc_v, detc_m_drop, detc_m_make, detc_m_probe
| eval detc_o=case(detc_m_probe=1,0,detc_m_make=1,2,true(),4)
| sort 0 detc_t, detc_o
| eval detc_s1=if(detc_m_probe=1,detc_t,null())
| streamstats current=f max(detc_s1) AS detc_p1 BY detc_k1
| eval detc_av=if(detc_m_make=1 AND isnotnull(detc_p1),detc_v,null()), detc_at=if(detc_m_make=1 AND isnotnull(detc_p1),detc_p1,null())
| streamstats current=f last(detc_av) AS detc_v1, last(detc_at) AS detc_t1 BY detc_k1
| eval detc_change=if(detc_m_make=1 AND isnotnull(detc_p1) AND detc_v1!=detc_v,detc_t1,null())
| streamstats current=f last(detc_change) AS detc_t2 BY detc_k1
| eval detc_s=if(detc_v1!=detc_v,detc_t1,detc_t2)
| where detc_m_drop=1 AND detc_t-detc_s<=1800
| stats max(detc_s) AS detc_s BY detc_k1, detc_t
| stats min(detc_t) AS detc_t BY detc_k1, detc_s
| addinfo
| eval detc_end=floor((info_max_time-1)/300)*300
| where detc_t>detc_end-300 AND detc_t<=detc_end
| eval _time=detc_t
| rename detc_k1 AS "userIdentity.arn"
| table _time, "userIdentity.arn"
"#,
    );
}

#[test]
fn an_inequality_at_the_start_of_three() {
    check_behavior(
        r#"signals:
  probe: { source: aws.cloudtrail, where: 'eventName == "AssumeRole"' }
  make: { source: aws.cloudtrail, where: 'eventName == "CreateUser"' }
  drop: { source: aws.cloudtrail, where: 'eventName == "DeleteUser"' }
behavior: probe -> make -> drop by userIdentity.arn within 30m where probe.sourceIPAddress != make.sourceIPAddress"#,
        r#"(sourcetype="aws:cloudtrail") (eventName="AssumeRole" OR eventName="CreateUser" OR eventName="DeleteUser")
| eval detc_m_probe=if('eventName'="AssumeRole",1,0)
| eval detc_m_make=if('eventName'="CreateUser",1,0)
| eval detc_m_drop=if('eventName'="DeleteUser",1,0)
| where detc_m_probe=1 OR detc_m_make=1 OR detc_m_drop=1
| eval detc_k1='userIdentity.arn', detc_t=_time
| where isnotnull(detc_k1) AND detc_k1!="" AND detc_k1!="null"
| eval detc_v=if(isnull('sourceIPAddress') OR 'sourceIPAddress'="" OR 'sourceIPAddress'="null","?".coalesce('eventID',md5(_raw)),"=".lower('sourceIPAddress'))
| stats count AS detc_n BY detc_k1, detc_t, detc_v, detc_m_drop, detc_m_make, detc_m_probe
| eval detc_o=case(detc_m_probe=1,0,detc_m_make=1,2,true(),4)
| sort 0 detc_t, detc_o
| eval detc_av=if(detc_m_probe=1,detc_v,null()), detc_at=if(detc_m_probe=1,detc_t,null())
| streamstats current=f last(detc_av) AS detc_v1, last(detc_at) AS detc_t1 BY detc_k1
| eval detc_change=if(detc_m_probe=1 AND detc_v1!=detc_v,detc_t1,null())
| streamstats current=f last(detc_change) AS detc_t2 BY detc_k1
| eval detc_s=if(detc_v1!=detc_v,detc_t1,detc_t2)
| eval detc_s2=if(detc_m_make=1 AND detc_t-detc_s<=1800,detc_s,null())
| streamstats current=f max(detc_s2) AS detc_p2 BY detc_k1
| eval detc_s=detc_p2
| where detc_m_drop=1 AND detc_t-detc_s<=1800
| stats max(detc_s) AS detc_s BY detc_k1, detc_t
| stats min(detc_t) AS detc_t BY detc_k1, detc_s
| addinfo
| eval detc_end=floor((info_max_time-1)/300)*300
| where detc_t>detc_end-300 AND detc_t<=detc_end
| eval _time=detc_t
| rename detc_k1 AS "userIdentity.arn"
| table _time, "userIdentity.arn"
"#,
    );
}

#[test]
fn an_inequality_over_a_step() {
    check_behavior(
        r#"signals:
  probe: { source: aws.cloudtrail, where: 'eventName == "AssumeRole"' }
  make: { source: aws.cloudtrail, where: 'eventName == "CreateUser"' }
  drop: { source: aws.cloudtrail, where: 'eventName == "DeleteUser"' }
behavior: probe -> make -> drop by userIdentity.arn within 30m where probe.sourceIPAddress != drop.sourceIPAddress"#,
        r#"(sourcetype="aws:cloudtrail") (eventName="AssumeRole" OR eventName="CreateUser" OR eventName="DeleteUser")
| eval detc_m_probe=if('eventName'="AssumeRole",1,0)
| eval detc_m_make=if('eventName'="CreateUser",1,0)
| eval detc_m_drop=if('eventName'="DeleteUser",1,0)
| where detc_m_probe=1 OR detc_m_make=1 OR detc_m_drop=1
| eval detc_k1='userIdentity.arn', detc_t=_time
| where isnotnull(detc_k1) AND detc_k1!="" AND detc_k1!="null"
| eval detc_v=if(isnull('sourceIPAddress') OR 'sourceIPAddress'="" OR 'sourceIPAddress'="null","?".coalesce('eventID',md5(_raw)),"=".lower('sourceIPAddress'))
| stats count AS detc_n BY detc_k1, detc_t, detc_v, detc_m_drop, detc_m_make, detc_m_probe
| eval detc_o=case(detc_m_probe=1,0,detc_m_make=1,2,true(),4)
| sort 0 detc_t, detc_o
| eval detc_av=if(detc_m_probe=1,detc_v,null()), detc_at=if(detc_m_probe=1,detc_t,null())
| streamstats current=f last(detc_av) AS detc_v1, last(detc_at) AS detc_t1 BY detc_k1
| eval detc_change=if(detc_m_probe=1 AND detc_v1!=detc_v,detc_t1,null())
| streamstats current=f last(detc_change) AS detc_t2 BY detc_k1
| eval detc_bv=if(detc_m_make=1,detc_v1,null()), detc_bt=if(detc_m_make=1,detc_t1,null()), detc_bu=if(detc_m_make=1,detc_t2,null())
| streamstats current=f last(detc_bv) AS detc_v3, last(detc_bt) AS detc_t3, last(detc_bu) AS detc_t4 BY detc_k1
| eval detc_s=if(detc_v3!=detc_v,detc_t3,detc_t4)
| where detc_m_drop=1 AND detc_t-detc_s<=1800
| stats max(detc_s) AS detc_s BY detc_k1, detc_t
| stats min(detc_t) AS detc_t BY detc_k1, detc_s
| addinfo
| eval detc_end=floor((info_max_time-1)/300)*300
| where detc_t>detc_end-300 AND detc_t<=detc_end
| eval _time=detc_t
| rename detc_k1 AS "userIdentity.arn"
| table _time, "userIdentity.arn"
"#,
    );
}

#[test]
fn sources_are_told_apart_by_their_place() {
    check_behavior(
        r#"signals:
  login: { source: okta.system, where: 'eventType == "user.session.start"', let: { who: lower(actor.alternateId) } }
  make: { source: aws.cloudtrail, where: 'eventName == "CreateUser"', let: { who: lower(userIdentity.arn) } }
behavior: login -> make by who within 1h"#,
        r#"((sourcetype="OktaIM2:log") eventType="user.session.start") OR ((sourcetype="aws:cloudtrail") eventName="CreateUser")
| eval detc_m_login=if(lower('sourcetype')="oktaim2:log" AND lower('eventType')="user.session.start",1,0)
| eval detc_m_make=if(lower('sourcetype')="aws:cloudtrail" AND 'eventName'="CreateUser",1,0)
| where detc_m_login=1 OR detc_m_make=1
| eval detc_k1=case(detc_m_login=1,lower(if('actor.alternateId'!="null",'actor.alternateId',null())),detc_m_make=1,lower(if('userIdentity.arn'!="null",'userIdentity.arn',null()))), detc_t=floor((_time*1000)+0.5)
| where isnotnull(detc_k1) AND detc_k1!=""
| stats sum(detc_m_login) AS detc_n_login, sum(detc_m_make) AS detc_n_make BY detc_k1, detc_t
| sort 0 detc_t
| eval detc_s1=if(detc_n_login>=1,detc_t,null())
| streamstats current=f max(detc_s1) AS detc_p1 BY detc_k1
| eval detc_s2=case(detc_n_login>=1 AND detc_n_make>=1,detc_t,detc_n_make>=1,detc_p1)
| where isnotnull(detc_s2) AND detc_t-detc_s2<=3600000
| stats min(detc_t) AS detc_t BY detc_k1, detc_s2
| addinfo
| eval detc_end=floor((info_max_time-1)/300)*300000
| where detc_t>detc_end-300000 AND detc_t<=detc_end
| eval _time=exact(detc_t/1000)
| rename detc_k1 AS who
| table _time, who
"#,
    );
}

#[test]
fn micro_18_a_block_needs_an_address() {
    let output = compile(&event(r#"in_network(sourceIPAddress, "10.0.0.0/8")"#));
    let text = text_of(&output);
    assert!(text.contains(r#"| where cidrmatch("10.0.0.0/8",detc_four1)"#), "{text}");
    assert!(text.contains("detc_four1=if(match('sourceIPAddress',"), "{text}");
    assert!(!text.contains("detc_six"), "{text}");
}

#[test]
fn micro_19_a_block_of_ipv6_is_compared_as_one() {
    let output = compile(&event(r#"not in_network(sourceIPAddress, "2001:db8::/33")"#));
    let text = text_of(&output);
    assert!(text.contains(r#"| where if(cidrmatch("2001:db8::/33",detc_six1),0,1)=1"#), "{text}");
}

#[test]
fn a_public_address_is_an_address_that_is_not_private() {
    let output = compile(&event("is_public(sourceIPAddress)"));
    let text = text_of(&output);
    assert!(text.contains("| where (isnotnull(detc_four1) OR isnotnull(detc_six1)) AND if(cidrmatch("), "{text}");
}

#[test]
fn a_lossy_field_makes_the_query_approximate() {
    let output = compile(&event(r#"vague == "x""#));
    let codes: Vec<ReasonCode> = output.verdict.reasons.iter().map(|reason| reason.code).collect();
    assert_eq!(codes, [ReasonCode::FieldLossy]);
    assert!(output.query.is_some());
}

#[test]
fn a_missing_field_is_refused_where_it_is_named() {
    check_refused(&event(r#"lost == "x""#), &[ReasonCode::MissingField]);
}

#[test]
fn every_reason_is_reported() {
    let predicate = r#"lost == "x" and userAgent == "a`b" and asn(sourceIPAddress) == 5 and `it's` == "y""#;
    let codes = [
        ReasonCode::MissingField,
        ReasonCode::UnsupportedLiteral,
        ReasonCode::UnsupportedExpression,
        ReasonCode::UnsupportedExpression,
    ];
    check_refused(&event(predicate), &codes);
}

#[test]
fn numbers_beyond_doubles_are_refused() {
    check_refused(&event("count == 9007199254740992"), &[ReasonCode::UnsupportedLiteral]);
}

#[test]
fn times_written_as_text_are_not_compared() {
    check_refused(&event("created < time"), &[ReasonCode::UnsupportedExpression]);
}

#[test]
fn an_inner_list_beside_its_outer_element_is_refused() {
    let predicate = r#"any(items as i where i.name == "q" and any(i.parts as p where p.name == "x"))"#;
    check_refused(&event(predicate), &[ReasonCode::UnsupportedExpression]);
}

#[test]
fn regular_expressions_of_control_characters_are_refused() {
    check_refused(&event(r"userAgent matches '[\x00-\x1f]'"), &[ReasonCode::UnsupportedRegex]);
    check_refused(&event(r"userAgent matches 'a`'"), &[ReasonCode::UnsupportedRegex]);
}

#[test]
fn a_count_beyond_the_engines_window_is_a_running_sum() {
    let text =
        "signals: { call: { source: aws.cloudtrail, where: readOnly } }\nbehavior: count(call) >= 10001 within 1h\n";
    let output = compile(&detection(text));
    assert_eq!(output.verdict.reasons, []);
    let query = text_of(&output);
    assert!(
        query.contains("| streamstats sum(detc_i_a1) AS detc_a1\n| where detc_o=0\n| where detc_a1>=10001\n"),
        "{query}"
    );
}

const THREE: &str = r#"signals:
  read: { source: aws.cloudtrail, where: 'readOnly' }
  denied: { source: aws.cloudtrail, where: 'errorCode == "AccessDenied"' }
  drop: { source: aws.cloudtrail, where: 'eventName == "DeleteUser"' }
"#;

#[test]
fn an_inequality_beside_an_overlapping_step_is_refused() {
    let behavior =
        "behavior: read -> denied -> drop by userIdentity.arn within 5m where read.userAgent != drop.userAgent\n";
    check_refused(&detection(&format!("{THREE}{behavior}")), &[ReasonCode::UnsupportedRelation]);
}

#[test]
fn a_run_may_differ_from_what_follows_it() {
    let text = r#"signals:
  make: { source: aws.cloudtrail, where: 'eventName == "CreateUser"' }
  drop: { source: aws.cloudtrail, where: 'eventName == "DeleteUser"' }
behavior: make{3} -> drop by userIdentity.arn within 5m where make.userAgent != drop.userAgent
"#;
    let output = compile(&detection(text));
    let lines: Vec<&str> = text_of(&output).lines().collect();
    let run = [
        "| fields detc_k1, detc_t, detc_v, detc_m_drop, detc_m_make",
        "| sort 0 detc_t",
        "| streamstats window=3 global=f count AS detc_c, min(detc_t) AS detc_t0 BY detc_k1, detc_m_make",
        "| eval detc_s1=if(detc_m_make=1 AND detc_c=3,detc_t0,null())",
        "| stats count AS detc_n, max(detc_s1) AS detc_s1 BY detc_k1, detc_t, detc_v, detc_m_drop, detc_m_make",
        "| eventstats max(detc_s1) AS detc_p1 BY detc_k1, detc_t",
    ];
    assert!(lines.windows(run.len()).any(|window| window == run), "{}", lines.join("\n"));
}

#[test]
fn numbers_group_by_their_shortest_text() {
    let text = "signals: { call: { source: aws.cloudtrail } }\nbehavior: count(call) >= 2 by share within 5m\n";
    let output = compile(&detection(text));
    let key = [
        r#"| eval detc_value1=if('share'!="" AND 'share'!="null",'share',null())"#,
        r#"| eval detc_k1=if(match(detc_value1,"(?s)^-?(?:0|[1-9][0-9]*)(?:[.][0-9]+)?(?!.)"),if(like(detc_value1,"%.%"),rtrim(rtrim(detc_value1,"0"),"."),detc_value1),null()), detc_t=_time"#,
    ];
    let lines: Vec<&str> = text_of(&output).lines().collect();
    assert!(lines.windows(key.len()).any(|window| window == key), "{}", lines.join("\n"));
}

#[test]
fn of_a_run_only_the_newest_event_may_differ_from_what_follows_it() {
    let text = r#"signals:
  make: { source: aws.cloudtrail, where: 'eventName == "CreateUser"' }
  drop: { source: aws.cloudtrail, where: 'eventName == "DeleteUser"' }
behavior: make as one -> make as two -> drop by userIdentity.arn within 5m where one.userAgent != drop.userAgent
"#;
    check_refused(&detection(text), &[ReasonCode::UnsupportedRelation]);
}

#[test]
fn a_very_long_chain_is_refused() {
    let text = "signals: { call: { source: aws.cloudtrail, where: readOnly } }\nbehavior: call{33} by userIdentity.arn within 5m\n";
    check_refused(&detection(text), &[ReasonCode::UnsupportedBehavior]);
}

#[test]
fn two_inequalities_are_refused() {
    let behavior = "behavior: read -> drop by userIdentity.arn within 5m where read.userAgent != drop.userAgent and read.mfa != drop.mfa\n";
    let codes: Vec<ReasonCode> =
        compile(&detection(&format!("{THREE}{behavior}"))).verdict.reasons.iter().map(|reason| reason.code).collect();
    assert!(codes.iter().all(|code| *code == ReasonCode::UnsupportedRelation) && !codes.is_empty(), "{codes:?}");
}

#[test]
fn a_value_that_one_event_would_have_twice_is_refused() {
    let behavior = "behavior: read -> denied by userIdentity.arn within 5m where read.userAgent == denied.accountId\n";
    check_refused(&detection(&format!("{THREE}{behavior}")), &[ReasonCode::UnsupportedRelation]);
}

#[test]
fn keys_that_one_event_would_have_twice_are_refused() {
    let text = r#"signals:
  read: { source: aws.cloudtrail, where: 'readOnly', let: { who: userIdentity.arn } }
  denied: { source: aws.cloudtrail, where: 'errorCode == "AccessDenied"', let: { who: accountId } }
behavior: read -> denied by who within 5m
"#;
    check_refused(&detection(text), &[ReasonCode::UnsupportedBehavior]);
}

#[test]
fn a_source_without_a_place_is_refused() {
    let detection = event("readOnly");
    let mut target = world("{}").target;
    target.maps.clear();
    let output = support::compile(&detection, &target);
    let codes: Vec<ReasonCode> = output.verdict.reasons.iter().map(|reason| reason.code).collect();
    assert_eq!(codes, [ReasonCode::MissingSource]);
}

#[test]
fn a_target_may_read_sources_through_macros() {
    let output = compile_with(&event("readOnly"), "{ macros: true }");
    assert!(text_of(&output).starts_with("`detc_src_aws_cloudtrail` readOnly=\"true\"\n"), "{}", text_of(&output));
}

#[test]
fn a_target_may_extract_no_text_for_null() {
    let output = compile_with(&event("exists(userAgent)"), "{ null_text: '' }");
    assert!(
        text_of(&output).contains("| where isnotnull('userAgent') AND 'userAgent'!=\"\"\n"),
        "{}",
        text_of(&output)
    );
}

#[test]
fn owners_of_addresses_come_from_the_targets_lookup() {
    let output = compile_with(&event(r#"as_org(sourceIPAddress) contains "hosting""#), "{ asn_lookup: ip_to_as }");
    let text = text_of(&output);
    assert!(text.contains("| lookup ip_to_as ip AS detc_ip1 OUTPUT as_org AS detc_ip1_as_org\n"), "{text}");
    assert!(text.contains("| where like(lower(detc_ip1_as_org),\"%hosting%\")\n"), "{text}");
}

#[test]
fn the_search_reads_back_over_window_interval_and_lag() {
    let text =
        "signals: { call: { source: aws.cloudtrail, where: readOnly } }\nbehavior: count(call) >= 3 within 10m\n";
    let deployment = compile(&detection(text)).query.unwrap().deployment;
    let setting = |name: &str| deployment.get(name).map(String::as_str);
    assert_eq!(setting("cron_schedule"), Some("*/5 * * * *"));
    assert_eq!(setting("dispatch.earliest_time"), Some("-30m@m"));
    assert_eq!(setting("dispatch.latest_time"), Some("-15m@m+1s"));
}

#[test]
fn an_event_without_columns_is_shown_whole() {
    let output = compile(&event("readOnly"));
    assert!(output.query.as_ref().unwrap().columns.is_empty());
    assert!(!text_of(&output).contains("| table"), "{}", text_of(&output));
}

#[test]
fn columns_that_the_target_lacks_are_told() {
    let text = "signals: { call: { source: aws.cloudtrail, where: readOnly } }\nalert: { show: [userAgent, lost] }\n";
    let output = compile(&detection(text));
    assert!(output.verdict.reasons.is_empty(), "{:?}", output.verdict.reasons);
    let query = output.query.unwrap();
    assert_eq!(query.columns, ["_time", "userAgent"]);
    assert_eq!(query.missing_columns.get("lost").map(String::as_str), Some("`lost`: nobody sends it"));
}

/// The constants of the text that `where` and `eval` hold, as the engine reads them.
fn strings(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut current: Option<String> = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        current = match (current, character) {
            (None, '"') => Some(String::new()),
            (None, _) => None,
            (Some(text), '"') => {
                found.push(text);
                None
            }
            (Some(text), '\\') => Some(text + &characters.next().unwrap().to_string()),
            (Some(text), other) => Some(text + &other.to_string()),
        };
    }
    assert!(current.is_none(), "an open string: {text}");
    found
}

proptest! {
    #[test]
    fn hostile_texts_survive_or_are_refused(hostile in "(?s)[a-c \"'\\\\`$\\[\\]{}|%*_\\n\\x00😀é]{1,12}") {
        let mut detection = event(r#"userAgent == cased "placeholder""#);
        let predicate = detc::ir::Predicate::Equal {
            left: match &detection.stage.signals[0].predicate.node {
                detc::ir::Predicate::Equal { left, .. } => left.clone(),
                other => panic!("{other:?}"),
            },
            right: detc::ir::Value::Literal(detc::ir::Literal::Text(hostile.clone())),
            case: detc::ir::CaseRule::Exact,
        };
        detection.stage.signals[0].predicate.node = predicate;
        let output = compile(&detection);
        let refused = hostile.chars().any(|character| character == '`' || character.is_control());
        prop_assert_eq!(output.query.is_none(), refused);
        if let Some(query) = output.query {
            let line = query.text.lines().find(|line| line.starts_with("| where 'userAgent'=")).unwrap();
            prop_assert_eq!(strings(line), vec![hostile]);
            prop_assert!(query.text.lines().all(|line| line == line.trim_end()));
        }
    }

    #[test]
    fn hostile_parts_of_texts_never_leave_their_string(hostile in "[a-c \"'\\\\$\\[\\]{}|%*_.^()+?]{1,10}") {
        let mut detection = event(r#"userAgent contains cased "placeholder""#);
        let detc::ir::Predicate::Text { tests, .. } = &mut detection.stage.signals[0].predicate.node else { panic!("a text test") };
        *tests = vec![detc::ir::TextTest::Contains(hostile.clone())];
        let output = compile(&detection);
        let line = text_of(&output).lines().find(|line| line.starts_with("| where match(")).unwrap().to_owned();
        let found = strings(&line);
        prop_assert_eq!(found.len(), 1);
        prop_assert!(line.ends_with("\")"));
    }
}

#[test]
fn either_of_two_signals_is_one_row_an_event() {
    check_behavior(
        r#"signals:
  denied: { source: aws.cloudtrail, where: 'errorCode == "AccessDenied"' }
  made: { source: aws.cloudtrail, where: 'eventName == "CreateUser"' }
behavior: denied or made
alert: { show: [userAgent] }"#,
        r#"(sourcetype="aws:cloudtrail") (errorCode="AccessDenied" OR eventName="CreateUser")
| eval detc_m_denied=if(lower('errorCode')="accessdenied",1,0)
| eval detc_m_made=if('eventName'="CreateUser",1,0)
| where detc_m_denied=1 OR detc_m_made=1
| eval detc_t=_time
| addinfo
| eval detc_end=floor((info_max_time-1)/300)*300
| where detc_t>detc_end-300 AND detc_t<=detc_end
| eval detc_c1='userAgent'
| rename detc_c1 AS userAgent
| table _time, userAgent
"#,
    );
}

#[test]
fn a_group_looks_at_the_newest_event_of_each() {
    check_behavior(
        r#"signals:
  denied: { source: aws.cloudtrail, where: 'errorCode == "AccessDenied"' }
  made: { source: aws.cloudtrail, where: 'eventName == "CreateUser"' }
behavior: denied & made by userIdentity.arn within 1h"#,
        r#"(sourcetype="aws:cloudtrail") (errorCode="AccessDenied" OR eventName="CreateUser")
| eval detc_m_denied=if(lower('errorCode')="accessdenied",1,0)
| eval detc_m_made=if('eventName'="CreateUser",1,0)
| where detc_m_denied=1 OR detc_m_made=1
| eval detc_k1='userIdentity.arn', detc_t=_time
| where isnotnull(detc_k1) AND detc_k1!="" AND detc_k1!="null"
| stats max(detc_m_denied) AS detc_m_denied, max(detc_m_made) AS detc_m_made BY detc_k1, detc_t
| sort 0 detc_t
| eval detc_t_denied=if(detc_m_denied=1,detc_t,null()), detc_t_made=if(detc_m_made=1,detc_t,null())
| streamstats max(detc_t_denied) AS detc_l_denied, max(detc_t_made) AS detc_l_made BY detc_k1
| eval detc_score=if(detc_t-detc_l_denied<=3600,1,0)+if(detc_t-detc_l_made<=3600,1,0)
| where detc_score>=2
| addinfo
| eval detc_end=floor((info_max_time-1)/300)*300
| where detc_t>detc_end-300 AND detc_t<=detc_end
| eval _time=detc_t
| rename detc_k1 AS "userIdentity.arn"
| table _time, "userIdentity.arn"
"#,
    );
}

#[test]
fn a_score_adds_the_weights_of_what_is_in_the_window() {
    check_behavior(
        r#"signals:
  denied: { source: aws.cloudtrail, where: 'errorCode == "AccessDenied"' }
  made: { source: aws.cloudtrail, where: 'eventName == "CreateUser"' }
  gone: { source: aws.cloudtrail, where: 'eventName == "DeleteUser"' }
behavior: score(denied = 30, made = 40, gone = 20) >= 70 by userIdentity.arn within 1h
alert: { show: [score, userAgent] }"#,
        r#"(sourcetype="aws:cloudtrail") (errorCode="AccessDenied" OR eventName="CreateUser" OR eventName="DeleteUser")
| eval detc_m_denied=if(lower('errorCode')="accessdenied",1,0)
| eval detc_m_made=if('eventName'="CreateUser",1,0)
| eval detc_m_gone=if('eventName'="DeleteUser",1,0)
| where detc_m_denied=1 OR detc_m_made=1 OR detc_m_gone=1
| eval detc_k1='userIdentity.arn', detc_t=_time
| where isnotnull(detc_k1) AND detc_k1!="" AND detc_k1!="null"
| eval detc_x=json_object("id",coalesce('eventID',""),"detc_c2",coalesce('userAgent',""))
| stats max(detc_m_denied) AS detc_m_denied, max(detc_m_made) AS detc_m_made, max(detc_m_gone) AS detc_m_gone, max(detc_x) AS detc_x BY detc_k1, detc_t
| sort 0 detc_t
| eval detc_t_denied=if(detc_m_denied=1,detc_t,null()), detc_t_made=if(detc_m_made=1,detc_t,null()), detc_t_gone=if(detc_m_gone=1,detc_t,null())
| streamstats max(detc_t_denied) AS detc_l_denied, max(detc_t_made) AS detc_l_made, max(detc_t_gone) AS detc_l_gone BY detc_k1
| eval detc_score=(if(detc_t-detc_l_denied<=3600,30,0)+if(detc_t-detc_l_made<=3600,40,0))+if(detc_t-detc_l_gone<=3600,20,0)
| where detc_score>=70
| addinfo
| eval detc_end=floor((info_max_time-1)/300)*300
| where detc_t>detc_end-300 AND detc_t<=detc_end
| eval detc_c2=spath(detc_x,"detc_c2")
| eval _time=detc_t
| rename detc_k1 AS "userIdentity.arn", detc_score AS score, detc_c2 AS userAgent
| table _time, "userIdentity.arn", score, userAgent
"#,
    );
}

#[test]
fn a_new_value_was_not_seen_in_the_history() {
    check_behavior(
        r#"signals:
  made: { source: aws.cloudtrail, where: 'eventName == "CreateUser"' }
behavior: new(made.userAgent) by userIdentity.arn over 14d"#,
        r#"(sourcetype="aws:cloudtrail") eventName="CreateUser"
| where 'eventName'="CreateUser"
| eval detc_k1='userIdentity.arn', detc_t=_time
| where isnotnull(detc_k1) AND detc_k1!="" AND detc_k1!="null"
| eval detc_v=coalesce(if('userAgent'!="" AND 'userAgent'!="null",'userAgent',null()),"")
| stats count AS detc_c BY detc_k1, detc_t, detc_v
| sort 0 detc_t
| eval detc_s=detc_t
| streamstats current=f max(detc_s) AS detc_p BY detc_k1, detc_v
| where detc_v!="" AND (isnull(detc_p) OR detc_t-detc_p>1209600)
| addinfo
| eval detc_end=floor((info_max_time-1)/300)*300
| where detc_t>detc_end-300 AND detc_t<=detc_end
| stats count AS detc_n BY detc_k1, detc_t
| eval _time=detc_t
| rename detc_k1 AS "userIdentity.arn"
| table _time, "userIdentity.arn"
"#,
    );
}

#[test]
fn a_key_is_quiet_until_something_of_it_has_ripened() {
    check_behavior(
        r#"signals:
  made: { source: aws.cloudtrail, where: 'eventName == "CreateUser"' }
behavior: new(made.userAgent) by userIdentity.arn over 14d learning 3d"#,
        r#"(sourcetype="aws:cloudtrail") eventName="CreateUser"
| where 'eventName'="CreateUser"
| eval detc_k1='userIdentity.arn', detc_t=_time
| where isnotnull(detc_k1) AND detc_k1!="" AND detc_k1!="null"
| eval detc_v=coalesce(if('userAgent'!="" AND 'userAgent'!="null",'userAgent',null()),"")
| stats count AS detc_c BY detc_k1, detc_t, detc_v
| eval detc_o=mvappend("0","1")
| mvexpand detc_o
| eval detc_at=detc_t
| eval detc_t=if(detc_o=0,detc_at+259200,detc_t)
| sort 0 detc_t, detc_o
| eval detc_in=if(detc_o=0,detc_at,null())
| streamstats current=f max(detc_in) AS detc_ripe BY detc_k1
| eval detc_s=if(detc_o=1,detc_t,null())
| streamstats current=f max(detc_s) AS detc_p BY detc_k1, detc_v
| where detc_v!="" AND detc_o=1 AND isnotnull(detc_ripe) AND detc_t-detc_ripe<=1209600 AND (isnull(detc_p) OR detc_t-detc_p>1209600)
| addinfo
| eval detc_end=floor((info_max_time-1)/300)*300
| where detc_t>detc_end-300 AND detc_t<=detc_end
| stats count AS detc_n BY detc_k1, detc_t
| eval _time=detc_t
| rename detc_k1 AS "userIdentity.arn"
| table _time, "userIdentity.arn"
"#,
    );
}

#[test]
fn a_rare_value_counts_strictly_earlier_events() {
    check_behavior(
        r#"signals:
  made: { source: aws.cloudtrail, where: 'eventName == "CreateUser"' }
behavior: rare(made.userAgent) <= 2 by userIdentity.arn over 14d"#,
        r#"(sourcetype="aws:cloudtrail") eventName="CreateUser"
| where 'eventName'="CreateUser"
| eval detc_k1='userIdentity.arn', detc_t=_time
| where isnotnull(detc_k1) AND detc_k1!="" AND detc_k1!="null"
| eval detc_v=coalesce(if('userAgent'!="" AND 'userAgent'!="null",'userAgent',null()),"")
| stats count AS detc_c BY detc_k1, detc_t, detc_v
| eval detc_o=mvappend("1","2")
| mvexpand detc_o
| eval detc_at=detc_t
| eval detc_t=if(detc_o=2,detc_at+1209600,detc_t)
| sort 0 detc_t, detc_o
| eval detc_d=case(detc_o=1,detc_c,detc_o=2,0-detc_c)
| streamstats current=f sum(detc_d) AS detc_e BY detc_k1, detc_v
| eval detc_e=coalesce(detc_e,0)
| where detc_v!="" AND detc_o=1 AND detc_e<=2
| addinfo
| eval detc_end=floor((info_max_time-1)/300)*300
| where detc_t>detc_end-300 AND detc_t<=detc_end
| stats count AS detc_n BY detc_k1, detc_t
| eval _time=detc_t
| rename detc_k1 AS "userIdentity.arn"
| table _time, "userIdentity.arn"
"#,
    );
}

#[test]
fn several_aggregates_arrive_and_leave_together() {
    check_behavior(
        r#"signals:
  denied: { source: aws.cloudtrail, where: 'errorCode == "AccessDenied"' }
behavior: count(denied) as failures >= 5 and distinct(denied.userAgent) > 2 by userIdentity.arn within 10m
alert: { show: [failures] }"#,
        r#"(sourcetype="aws:cloudtrail") errorCode="AccessDenied"
| where lower('errorCode')="accessdenied"
| eval detc_k1='userIdentity.arn', detc_t=_time
| where isnotnull(detc_k1) AND detc_k1!="" AND detc_k1!="null"
| eval detc_v2=coalesce(if('userAgent'!="" AND 'userAgent'!="null",'userAgent',null()),"")
| stats count AS detc_i_a1 BY detc_k1, detc_t, detc_v2
| eval detc_o=mvappend("0","1")
| mvexpand detc_o
| eval detc_at=detc_t, detc_t=if(detc_o=1,detc_t+600,detc_t), detc_i_a1=if(detc_o=1,0-detc_i_a1,detc_i_a1)
| sort 0 detc_t, detc_o
| eval detc_in=if(detc_o=0,detc_at,null())
| streamstats current=f max(detc_in) AS detc_p2 BY detc_k1, detc_v2
| eval detc_d2=case(detc_v2="",0,detc_o=0 AND (isnull(detc_p2) OR detc_t-detc_p2>600),1,detc_o=1 AND detc_p2=detc_at,(0-1),true(),0)
| streamstats sum(detc_i_a1) AS detc_a1, sum(detc_d2) AS detc_a2 BY detc_k1
| where detc_o=0
| stats last(detc_a1) AS detc_a1, last(detc_a2) AS detc_a2 BY detc_k1, detc_t
| where detc_a1>=5 AND detc_a2>2
| addinfo
| eval detc_end=floor((info_max_time-1)/300)*300
| where detc_t>detc_end-300 AND detc_t<=detc_end
| eval _time=detc_t
| rename detc_k1 AS "userIdentity.arn", detc_a1 AS failures
| table _time, "userIdentity.arn", failures
"#,
    );
}

#[test]
fn a_ratio_is_never_divided() {
    check_behavior(
        r#"signals:
  denied: { source: aws.cloudtrail, where: 'errorCode == "AccessDenied"' }
  made: { source: aws.cloudtrail, where: 'eventName == "CreateUser"' }
behavior: count(denied) / count(made) > 0.5 by userIdentity.arn within 10m"#,
        r#"(sourcetype="aws:cloudtrail") (errorCode="AccessDenied" OR eventName="CreateUser")
| eval detc_m_denied=if(lower('errorCode')="accessdenied",1,0)
| eval detc_m_made=if('eventName'="CreateUser",1,0)
| where detc_m_denied=1 OR detc_m_made=1
| eval detc_k1='userIdentity.arn', detc_t=_time
| where isnotnull(detc_k1) AND detc_k1!="" AND detc_k1!="null"
| eval detc_a1=if(detc_m_denied=1,1,0), detc_a2=if(detc_m_made=1,1,0)
| stats sum(detc_a1) AS detc_i_a1, sum(detc_a2) AS detc_i_a2 BY detc_k1, detc_t
| eval detc_o=mvappend("0","1")
| mvexpand detc_o
| eval detc_at=detc_t, detc_t=if(detc_o=1,detc_t+600,detc_t), detc_i_a1=if(detc_o=1,0-coalesce(detc_i_a1,0),coalesce(detc_i_a1,0)), detc_i_a2=if(detc_o=1,0-coalesce(detc_i_a2,0),coalesce(detc_i_a2,0))
| sort 0 detc_t, detc_o
| streamstats sum(detc_i_a1) AS detc_a1, sum(detc_i_a2) AS detc_a2 BY detc_k1
| where detc_o=0
| where detc_a2!=0 AND detc_a1*10>5*detc_a2
| addinfo
| eval detc_end=floor((info_max_time-1)/300)*300
| where detc_t>detc_end-300 AND detc_t<=detc_end
| eval _time=detc_t
| rename detc_k1 AS "userIdentity.arn"
| table _time, "userIdentity.arn"
"#,
    );
}

#[test]
fn an_average_is_its_sum_and_its_number_of_values() {
    check_behavior(
        r#"signals:
  denied: { source: aws.cloudtrail, where: 'errorCode == "AccessDenied"' }
behavior: avg(denied.count) > 100 by userIdentity.arn within 10m"#,
        r#"(sourcetype="aws:cloudtrail") errorCode="AccessDenied"
| where lower('errorCode')="accessdenied"
| eval detc_k1='userIdentity.arn', detc_t=_time
| where isnotnull(detc_k1) AND detc_k1!="" AND detc_k1!="null"
| eval detc_value1=if(match('count',"(?s)^-?(?:0|[1-9][0-9]*)(?:[.]0+)?(?!.)"),tonumber('count'),null())
| eval detc_a1=detc_value1
| stats sum(detc_a1) AS detc_i_a1_s, count(detc_a1) AS detc_i_a1_n BY detc_k1, detc_t
| eval detc_o=mvappend("0","1")
| mvexpand detc_o
| eval detc_at=detc_t, detc_t=if(detc_o=1,detc_t+600,detc_t), detc_i_a1_s=if(detc_o=1,0-coalesce(detc_i_a1_s,0),coalesce(detc_i_a1_s,0)), detc_i_a1_n=if(detc_o=1,0-detc_i_a1_n,detc_i_a1_n)
| sort 0 detc_t, detc_o
| streamstats sum(detc_i_a1_s) AS detc_a1_s, sum(detc_i_a1_n) AS detc_a1_n BY detc_k1
| where detc_o=0
| where detc_a1_n>0 AND detc_a1_s>100*detc_a1_n
| addinfo
| eval detc_end=floor((info_max_time-1)/300)*300
| where detc_t>detc_end-300 AND detc_t<=detc_end
| eval _time=detc_t
| rename detc_k1 AS "userIdentity.arn"
| table _time, "userIdentity.arn"
"#,
    );
}

#[test]
fn a_median_counts_the_values_up_to_its_constant() {
    check_behavior(
        r#"signals:
  denied: { source: aws.cloudtrail, where: 'errorCode == "AccessDenied"' }
behavior: median(denied.count) > 100 by userIdentity.arn within 10m"#,
        r#"(sourcetype="aws:cloudtrail") errorCode="AccessDenied"
| where lower('errorCode')="accessdenied"
| eval detc_k1='userIdentity.arn', detc_t=_time
| where isnotnull(detc_k1) AND detc_k1!="" AND detc_k1!="null"
| eval detc_value1=if(match('count',"(?s)^-?(?:0|[1-9][0-9]*)(?:[.]0+)?(?!.)"),tonumber('count'),null())
| eval detc_a1=detc_value1, detc_b1_l=if(detc_a1<100,1,0), detc_b1_e=if(detc_a1<=100,1,0)
| stats count(detc_a1) AS detc_i_a1_n, sum(detc_b1_l) AS detc_i_b1_l, sum(detc_b1_e) AS detc_i_b1_e BY detc_k1, detc_t
| eval detc_o=mvappend("0","1")
| mvexpand detc_o
| eval detc_at=detc_t, detc_t=if(detc_o=1,detc_t+600,detc_t), detc_i_a1_n=if(detc_o=1,0-detc_i_a1_n,detc_i_a1_n), detc_i_b1_l=if(detc_o=1,0-coalesce(detc_i_b1_l,0),coalesce(detc_i_b1_l,0)), detc_i_b1_e=if(detc_o=1,0-coalesce(detc_i_b1_e,0),coalesce(detc_i_b1_e,0))
| sort 0 detc_t, detc_o
| streamstats sum(detc_i_a1_n) AS detc_a1_n, sum(detc_i_b1_l) AS detc_b1_l, sum(detc_i_b1_e) AS detc_b1_e BY detc_k1
| where detc_o=0
| where detc_a1_n>0 AND 100*detc_b1_e<50*detc_a1_n
| addinfo
| eval detc_end=floor((info_max_time-1)/300)*300
| where detc_t>detc_end-300 AND detc_t<=detc_end
| eval _time=detc_t
| rename detc_k1 AS "userIdentity.arn"
| table _time, "userIdentity.arn"
"#,
    );
}

#[test]
fn a_fixed_window_is_a_bucket_by_arithmetic() {
    check_behavior(
        r#"signals:
  denied: { source: aws.cloudtrail, where: 'errorCode == "AccessDenied"' }
behavior: count(denied) >= 20 by userIdentity.arn within 1h fixed"#,
        r#"(sourcetype="aws:cloudtrail") errorCode="AccessDenied"
| where lower('errorCode')="accessdenied"
| eval detc_k1='userIdentity.arn', detc_t=_time
| where isnotnull(detc_k1) AND detc_k1!="" AND detc_k1!="null"
| eval detc_b=floor(detc_t/3600)*3600
| stats count AS detc_a1 BY detc_k1, detc_b
| eval detc_t=detc_b+3600
| where detc_a1>=20
| addinfo
| eval detc_end=floor((info_max_time-1)/300)*300
| where detc_t>detc_end-300 AND detc_t<=detc_end
| eval _time=detc_t
| rename detc_k1 AS "userIdentity.arn"
| table _time, "userIdentity.arn"
"#,
    );
}

#[test]
fn a_trailing_absence_looks_for_the_next_event() {
    check_behavior(
        r#"signals:
  made: { source: aws.cloudtrail, where: 'eventName == "CreateUser"' }
  gone: { source: aws.cloudtrail, where: 'eventName == "DeleteUser"' }
behavior: made -> no gone by userIdentity.arn within 30m"#,
        r#"(sourcetype="aws:cloudtrail") (eventName="CreateUser" OR eventName="DeleteUser")
| eval detc_m_made=if('eventName'="CreateUser",1,0)
| eval detc_m_gone=if('eventName'="DeleteUser",1,0)
| where detc_m_made=1 OR detc_m_gone=1
| eval detc_k1='userIdentity.arn', detc_t=_time
| where isnotnull(detc_k1) AND detc_k1!="" AND detc_k1!="null"
| stats sum(detc_m_made) AS detc_n_made, sum(detc_m_gone) AS detc_n_gone BY detc_k1, detc_t
| eval detc_s1=if(detc_n_made>=1,detc_t,null())
| sort 0 -detc_t
| eval detc_no=if(detc_n_gone>=1,detc_t,null())
| streamstats current=f min(detc_no) AS detc_next BY detc_k1
| where isnotnull(detc_s1) AND (isnull(detc_next) OR detc_next-detc_s1>1800)
| eval detc_t=detc_s1+1800
| addinfo
| eval detc_end=floor((info_max_time-1)/300)*300
| where detc_t>detc_end-300 AND detc_t<=detc_end
| eval _time=detc_t
| rename detc_k1 AS "userIdentity.arn"
| table _time, "userIdentity.arn"
"#,
    );
}

#[test]
fn a_wait_behind_a_chain_begins_at_its_first_end() {
    check_behavior(
        r#"signals:
  denied: { source: aws.cloudtrail, where: 'errorCode == "AccessDenied"' }
  made: { source: aws.cloudtrail, where: 'eventName == "CreateUser"' }
  gone: { source: aws.cloudtrail, where: 'eventName == "DeleteUser"' }
behavior: denied -> made -> no gone by userIdentity.arn within 30m"#,
        r#"(sourcetype="aws:cloudtrail") (errorCode="AccessDenied" OR eventName="CreateUser" OR eventName="DeleteUser")
| eval detc_m_denied=if(lower('errorCode')="accessdenied",1,0)
| eval detc_m_made=if('eventName'="CreateUser",1,0)
| eval detc_m_gone=if('eventName'="DeleteUser",1,0)
| where detc_m_denied=1 OR detc_m_made=1 OR detc_m_gone=1
| eval detc_k1='userIdentity.arn', detc_t=_time
| where isnotnull(detc_k1) AND detc_k1!="" AND detc_k1!="null"
| eval detc_m_1_2=if(detc_m_denied=1 OR detc_m_made=1,1,0)
| stats sum(detc_m_denied) AS detc_n_denied, sum(detc_m_made) AS detc_n_made, sum(detc_m_1_2) AS detc_n_1_2, sum(detc_m_gone) AS detc_n_gone BY detc_k1, detc_t
| sort 0 detc_t
| eval detc_s1=if(detc_n_denied>=1,detc_t,null())
| streamstats current=f max(detc_s1) AS detc_p1 BY detc_k1
| eval detc_s2=case(detc_n_denied>=1 AND detc_n_made>=1 AND detc_n_1_2>=2,detc_t,detc_n_made>=1,detc_p1)
| eval detc_s2=if(detc_t-detc_s2<=1800,detc_s2,null())
| streamstats current=f max(detc_t) AS detc_seen BY detc_k1, detc_s2
| sort 0 -detc_t
| eval detc_no=if(detc_n_gone>=1,detc_t,null())
| streamstats current=f min(detc_no) AS detc_next BY detc_k1
| where isnotnull(detc_s2) AND isnull(detc_seen) AND (isnull(detc_next) OR detc_next-detc_s2>1800)
| eval detc_t=detc_s2+1800
| addinfo
| eval detc_end=floor((info_max_time-1)/300)*300
| where detc_t>detc_end-300 AND detc_t<=detc_end
| eval _time=detc_t
| rename detc_k1 AS "userIdentity.arn"
| table _time, "userIdentity.arn"
"#,
    );
}

#[test]
fn a_leading_absence_looks_back_from_the_start() {
    check_behavior(
        r#"signals:
  denied: { source: aws.cloudtrail, where: 'errorCode == "AccessDenied"' }
  made: { source: aws.cloudtrail, where: 'eventName == "CreateUser"' }
behavior: no denied -> made by userIdentity.arn within 30m"#,
        r#"(sourcetype="aws:cloudtrail") (eventName="CreateUser" OR errorCode="AccessDenied")
| eval detc_m_denied=if(lower('errorCode')="accessdenied",1,0)
| eval detc_m_made=if('eventName'="CreateUser",1,0)
| where detc_m_denied=1 OR detc_m_made=1
| eval detc_k1='userIdentity.arn', detc_t=_time
| where isnotnull(detc_k1) AND detc_k1!="" AND detc_k1!="null"
| stats sum(detc_m_made) AS detc_n_made, sum(detc_m_denied) AS detc_n_denied BY detc_k1, detc_t
| sort 0 detc_t
| eval detc_t_denied=if(detc_n_denied>=1,detc_t,null())
| streamstats current=f max(detc_t_denied) AS detc_l_denied BY detc_k1
| eval detc_s1=if(detc_n_made>=1 AND (isnull(detc_l_denied) OR detc_t-detc_l_denied>1800),detc_t,null())
| where isnotnull(detc_s1)
| stats min(detc_t) AS detc_t BY detc_k1, detc_s1
| addinfo
| eval detc_end=floor((info_max_time-1)/300)*300
| where detc_t>detc_end-300 AND detc_t<=detc_end
| eval _time=detc_t
| rename detc_k1 AS "userIdentity.arn"
| table _time, "userIdentity.arn"
"#,
    );
}

#[test]
fn an_absence_between_steps_looks_at_the_newest_end_of_the_first() {
    check_behavior(
        r#"signals:
  denied: { source: aws.cloudtrail, where: 'errorCode == "AccessDenied"' }
  made: { source: aws.cloudtrail, where: 'eventName == "CreateUser"' }
  gone: { source: aws.cloudtrail, where: 'eventName == "DeleteUser"' }
behavior: made -> no denied -> gone by userIdentity.arn within 30m"#,
        r#"(sourcetype="aws:cloudtrail") (eventName="CreateUser" OR eventName="DeleteUser" OR errorCode="AccessDenied")
| eval detc_m_made=if('eventName'="CreateUser",1,0)
| eval detc_m_denied=if(lower('errorCode')="accessdenied",1,0)
| eval detc_m_gone=if('eventName'="DeleteUser",1,0)
| where detc_m_made=1 OR detc_m_denied=1 OR detc_m_gone=1
| eval detc_k1='userIdentity.arn', detc_t=_time
| where isnotnull(detc_k1) AND detc_k1!="" AND detc_k1!="null"
| stats sum(detc_m_made) AS detc_n_made, sum(detc_m_gone) AS detc_n_gone, sum(detc_m_denied) AS detc_n_denied BY detc_k1, detc_t
| sort 0 detc_t
| eval detc_t_denied=if(detc_n_denied>=1,detc_t,null())
| streamstats current=f max(detc_t_denied) AS detc_l_denied BY detc_k1
| eval detc_s1=if(detc_n_made>=1,detc_t,null())
| eval detc_e1=if(isnotnull(detc_s1),detc_t,null())
| streamstats current=f max(detc_s1) AS detc_p1, max(detc_e1) AS detc_r1 BY detc_k1
| eval detc_s2=case(detc_n_made>=1 AND detc_n_gone>=1,detc_t,detc_n_gone>=1 AND (isnull(detc_l_denied) OR detc_l_denied<=detc_r1),detc_p1)
| where isnotnull(detc_s2) AND detc_t-detc_s2<=1800
| stats min(detc_t) AS detc_t BY detc_k1, detc_s2
| addinfo
| eval detc_end=floor((info_max_time-1)/300)*300
| where detc_t>detc_end-300 AND detc_t<=detc_end
| eval _time=detc_t
| rename detc_k1 AS "userIdentity.arn"
| table _time, "userIdentity.arn"
"#,
    );
}

#[test]
fn what_ends_a_chain_starts_none() {
    check_behavior(
        r#"signals:
  denied: { source: aws.cloudtrail, where: 'errorCode == "AccessDenied"' }
  made: { source: aws.cloudtrail, where: 'eventName == "CreateUser"' }
  gone: { source: aws.cloudtrail, where: 'eventName == "DeleteUser"' }
behavior: made -> gone by userIdentity.arn within 30m until denied"#,
        r#"(sourcetype="aws:cloudtrail") (eventName="CreateUser" OR eventName="DeleteUser" OR errorCode="AccessDenied")
| eval detc_m_made=if('eventName'="CreateUser",1,0)
| eval detc_m_gone=if('eventName'="DeleteUser",1,0)
| eval detc_m_denied=if(lower('errorCode')="accessdenied",1,0)
| where detc_m_made=1 OR detc_m_gone=1 OR detc_m_denied=1
| eval detc_k1='userIdentity.arn', detc_t=_time
| where isnotnull(detc_k1) AND detc_k1!="" AND detc_k1!="null"
| eval detc_m_4=if(detc_m_made=1 AND if(detc_m_denied=1,0,1)=1,1,0)
| stats sum(detc_m_4) AS detc_n_4, sum(detc_m_gone) AS detc_n_gone, sum(detc_m_denied) AS detc_n_denied BY detc_k1, detc_t
| sort 0 detc_t
| eval detc_t_denied=if(detc_n_denied>=1,detc_t,null())
| streamstats current=f max(detc_t_denied) AS detc_l_denied BY detc_k1
| eval detc_s1=if(detc_n_4>=1,detc_t,null())
| streamstats current=f max(detc_s1) AS detc_p1 BY detc_k1
| eval detc_s2=case(detc_n_4>=1 AND detc_n_gone>=1,detc_t,detc_n_gone>=1,detc_p1)
| where isnotnull(detc_s2) AND detc_t-detc_s2<=1800 AND (isnull(detc_l_denied) OR detc_l_denied<=detc_s2)
| stats min(detc_t) AS detc_t BY detc_k1, detc_s2
| addinfo
| eval detc_end=floor((info_max_time-1)/300)*300
| where detc_t>detc_end-300 AND detc_t<=detc_end
| eval _time=detc_t
| rename detc_k1 AS "userIdentity.arn"
| table _time, "userIdentity.arn"
"#,
    );
}

#[test]
fn an_outlier_enters_leaves_and_is_judged() {
    check_behavior(
        r#"signals:
  denied: { source: aws.cloudtrail, where: 'errorCode == "AccessDenied"' }
behavior: outlier(count(denied)) by userIdentity.arn per 1h over 7d above 3 sigma floor 20"#,
        r#"(sourcetype="aws:cloudtrail") errorCode="AccessDenied"
| where lower('errorCode')="accessdenied"
| eval detc_k1='userIdentity.arn', detc_t=_time
| where isnotnull(detc_k1) AND detc_k1!="" AND detc_k1!="null"
| eval detc_b=floor(detc_t/3600)*3600
| stats count AS detc_n BY detc_k1, detc_b
| eval detc_o=mvappend("0","1","3")
| mvexpand detc_o
| eval detc_t=case(detc_o=0,detc_b+3600,detc_o=1,detc_b+(169*3600),true(),detc_b), detc_d0=case(detc_o=0,1,detc_o=1,0-1,true(),0), detc_d1=case(detc_o=0,coalesce(detc_n,0),detc_o=1,0-coalesce(detc_n,0),true(),0), detc_d2=case(detc_o=0,coalesce(detc_n,0)*coalesce(detc_n,0),detc_o=1,0-(coalesce(detc_n,0)*coalesce(detc_n,0)),true(),0)
| sort 0 detc_t, detc_o
| streamstats sum(detc_d0) AS detc_s0, sum(detc_d1) AS detc_s1, sum(detc_d2) AS detc_s2 BY detc_k1
| where detc_o=3 AND detc_n>=20
| eval detc_d=(168*detc_n)-detc_s1
| where detc_s0>0 AND detc_d>0 AND detc_d*detc_d>9*((168*detc_s2)-(detc_s1*detc_s1))
| eval detc_t=detc_t+3600
| addinfo
| eval detc_end=floor((info_max_time-1)/300)*300
| where detc_t>detc_end-300 AND detc_t<=detc_end
| eval _time=detc_t
| rename detc_k1 AS "userIdentity.arn"
| table _time, "userIdentity.arn"
"#,
    );
}

#[test]
fn a_spike_waits_until_its_key_has_learned() {
    check_behavior(
        r#"signals:
  denied: { source: aws.cloudtrail, where: 'errorCode == "AccessDenied"' }
behavior: spike(count(denied)) by userIdentity.arn per 1h over 7d above 2.5 floor 20 learning 2d"#,
        r#"(sourcetype="aws:cloudtrail") errorCode="AccessDenied"
| where lower('errorCode')="accessdenied"
| eval detc_k1='userIdentity.arn', detc_t=_time
| where isnotnull(detc_k1) AND detc_k1!="" AND detc_k1!="null"
| eval detc_o=mvappend("2","3")
| mvexpand detc_o
| eval detc_at=detc_t
| eval detc_b=if(detc_o=2,detc_t+172800,floor(detc_t/3600)*3600)
| stats count AS detc_n, max(detc_at) AS detc_at BY detc_k1, detc_b, detc_o
| eval detc_o=if(detc_o=3,mvappend("0","1","3"),detc_o)
| mvexpand detc_o
| eval detc_t=case(detc_o=0,detc_b+3600,detc_o=1,detc_b+(169*3600),true(),detc_b), detc_d0=case(detc_o=0,1,detc_o=1,0-1,true(),0), detc_d1=case(detc_o=0,coalesce(detc_n,0),detc_o=1,0-coalesce(detc_n,0),true(),0), detc_d2=case(detc_o=0,coalesce(detc_n,0)*coalesce(detc_n,0),detc_o=1,0-(coalesce(detc_n,0)*coalesce(detc_n,0)),true(),0)
| sort 0 detc_t, detc_o
| eval detc_in=if(detc_o=2,detc_at,null())
| streamstats sum(detc_d0) AS detc_s0, sum(detc_d1) AS detc_s1, sum(detc_d2) AS detc_s2, max(detc_in) AS detc_ripe BY detc_k1
| where detc_o=3 AND isnotnull(detc_ripe) AND detc_t-detc_ripe<=604800 AND detc_n>=20
| where detc_s1>0 AND 10*(168*detc_n)>25*detc_s1
| eval detc_t=detc_t+3600
| addinfo
| eval detc_end=floor((info_max_time-1)/300)*300
| where detc_t>detc_end-300 AND detc_t<=detc_end
| eval _time=detc_t
| rename detc_k1 AS "userIdentity.arn"
| table _time, "userIdentity.arn"
"#,
    );
}

#[test]
fn travel_compares_consecutive_places() {
    check_behavior(
        r#"signals:
  made: { source: aws.cloudtrail, where: 'eventName == "CreateUser"' }
behavior: travel(made.sourceIPAddress) by userIdentity.arn faster than 900 km/h beyond 500 km within 4h"#,
        r#"(sourcetype="aws:cloudtrail") eventName="CreateUser"
| where 'eventName'="CreateUser"
| eval detc_k1='userIdentity.arn', detc_t=_time
| where isnotnull(detc_k1) AND detc_k1!="" AND detc_k1!="null"
| eval detc_ip=if('sourceIPAddress'!="" AND 'sourceIPAddress'!="null",'sourceIPAddress',null())
| iplocation prefix=detc_ lang=code detc_ip
| where isnotnull(detc_lat) AND isnotnull(detc_lon)
| fields detc_k1, detc_t, detc_ip, detc_lat, detc_lon
| sort 0 detc_t, str(detc_ip)
| streamstats current=f window=1 global=f last(detc_t) AS detc_pt, last(detc_lat) AS detc_plat, last(detc_lon) AS detc_plon BY detc_k1
| where detc_t-detc_pt<=14400
| eval detc_km=exact((2*6371.0088)*asin(sqrt(min(1,pow(sin(((detc_lat-detc_plat)*pi())/360),2)+((cos((detc_plat*pi())/180)*cos((detc_lat*pi())/180))*pow(sin(((detc_lon-detc_plon)*pi())/360),2))))))
| where detc_km>500 AND detc_km*3600>900*if(detc_t-detc_pt>60,detc_t-detc_pt,60)
| sort 0 -detc_t, -str(detc_ip)
| dedup detc_k1, detc_t
| addinfo
| eval detc_end=floor((info_max_time-1)/300)*300
| where detc_t>detc_end-300 AND detc_t<=detc_end
| eval _time=detc_t
| rename detc_k1 AS "userIdentity.arn"
| table _time, "userIdentity.arn"
"#,
    );
}

#[test]
fn hits_alone_are_read_by_the_next_shape() {
    check_behavior(
        r#"signals:
  denied: { source: aws.cloudtrail, where: 'errorCode == "AccessDenied"' }
  burst:
    behavior: count(denied) as failures >= 20 by userIdentity.arn within 10m
    where: failures >= 30
behavior: count(burst) >= 3 by userIdentity.arn within 1h"#,
        r#"(sourcetype="aws:cloudtrail") errorCode="AccessDenied"
| where lower('errorCode')="accessdenied"
| eval detc_k1='userIdentity.arn', detc_t=_time
| where isnotnull(detc_k1) AND detc_k1!="" AND detc_k1!="null"
| eval detc_x=json_object("id",coalesce('eventID',""))
| stats count AS detc_i_a1, max(detc_x) AS detc_x BY detc_k1, detc_t
| eval detc_o=mvappend("0","1")
| mvexpand detc_o
| eval detc_at=detc_t, detc_t=if(detc_o=1,detc_t+600,detc_t), detc_i_a1=if(detc_o=1,0-detc_i_a1,detc_i_a1)
| sort 0 detc_t, detc_o
| streamstats sum(detc_i_a1) AS detc_a1 BY detc_k1
| where detc_o=0
| where detc_a1>=20
| eval detc_id=spath(detc_x,"id")
| eval detc_hid=coalesce(detc_id,"!0!".detc_k1."!"), detc_h1=detc_a1, detc_h2=detc_k1
| fields detc_t, detc_hid, detc_h1, detc_h2
| where detc_h1>=30
| eval detc_k1=detc_h2
| where isnotnull(detc_k1) AND detc_k1!=""
| eval detc_id=detc_hid
| fields detc_k1, detc_t, detc_id
| sort 0 detc_t, str(detc_id)
| streamstats window=3 global=f count AS detc_n, min(detc_t) AS detc_t0 BY detc_k1
| where detc_n=3 AND detc_t-detc_t0<=3600
| sort 0 -detc_t, -str(detc_id)
| dedup detc_k1, detc_t
| addinfo
| eval detc_end=floor((info_max_time-1)/300)*300
| where detc_t>detc_end-300 AND detc_t<=detc_end
| eval _time=detc_t
| rename detc_k1 AS "userIdentity.arn"
| table _time, "userIdentity.arn"
"#,
    );
}

#[test]
fn hits_beside_events_run_in_a_lane() {
    check_behavior(
        r#"signals:
  denied: { source: aws.cloudtrail, where: 'errorCode == "AccessDenied"' }
  made: { source: aws.cloudtrail, where: 'eventName == "CreateUser"' }
  burst:
    behavior: count(denied) >= 20 by userIdentity.arn within 10m
behavior: burst -> made by userIdentity.arn within 1h
alert: { show: [made.userAgent] }"#,
        r#"((sourcetype="aws:cloudtrail") eventName="CreateUser") OR ((sourcetype="aws:cloudtrail") errorCode="AccessDenied")
| eval detc_m_made=if('eventName'="CreateUser",1,0)
| eval detc_t=_time, detc_row=md5(_raw), detc_lane=mvappend("0","1")
| mvexpand detc_lane
| eval detc_row=if(detc_lane=1,"",detc_row)
| where detc_lane!=1 OR lower('errorCode')="accessdenied"
| eval detc_l1_k1='userIdentity.arn', detc_l1_t=_time
| where detc_lane!=1 OR (isnotnull(detc_l1_k1) AND detc_l1_k1!="" AND detc_l1_k1!="null")
| eval detc_l1_id=md5(_raw)
| sort 0 detc_l1_t, str(detc_l1_id)
| streamstats window=20 global=f count AS detc_l1_n, min(detc_l1_t) AS detc_l1_t0 BY detc_l1_k1, detc_lane
| where detc_lane!=1 OR (detc_l1_n=20 AND detc_l1_t-detc_l1_t0<=600)
| sort 0 -detc_l1_t, -str(detc_l1_id)
| eval detc_l1_k1=if(detc_lane=1,detc_l1_k1,0), detc_l1_t=if(detc_lane=1,detc_l1_t,0)
| dedup detc_l1_k1, detc_l1_t, detc_lane, detc_row
| eval detc_l1_hid=coalesce(detc_l1_id,"!0!".detc_l1_k1."!"), detc_l1_h1=detc_l1_k1
| eval detc_l1_t=if(detc_lane=1,detc_l1_t,null()), detc_l1_hid=if(detc_lane=1,detc_l1_hid,null()), detc_l1_h1=if(detc_lane=1,detc_l1_h1,null()), detc_row=if(detc_lane=1,coalesce(detc_l1_k1,"")."|".coalesce(detc_l1_t,"")."|".coalesce(detc_l1_hid,"")."|",detc_row)
| eval detc_t=case(detc_lane=1,detc_l1_t,true(),detc_t), detc_hid=case(detc_lane=1,detc_l1_hid,true(),detc_row)
| eval detc_m_made=if(detc_lane=0 AND detc_m_made=1,1,0), detc_m_burst=if(detc_lane=1,1,0)
| where detc_m_made=1 OR detc_m_burst=1
| eval detc_k1=case(detc_m_burst=1,detc_l1_h1,detc_m_made=1,'userIdentity.arn')
| where isnotnull(detc_k1) AND detc_k1!="" AND detc_k1!="null"
| stats max(detc_m_burst) AS detc_m_burst, max(detc_m_made) AS detc_m_made, first(eval('userAgent')) AS userAgent BY detc_k1, detc_t, detc_hid
| eval detc_m_1_2=if(detc_m_burst=1 OR detc_m_made=1,1,0)
| eval detc_x2=if(detc_m_made=1,json_object("id",coalesce(detc_hid,""),"detc_c1",coalesce('userAgent',"")),null())
| stats sum(detc_m_burst) AS detc_n_burst, sum(detc_m_made) AS detc_n_made, sum(detc_m_1_2) AS detc_n_1_2, max(detc_x2) AS detc_x2 BY detc_k1, detc_t
| sort 0 detc_t
| eval detc_s1=if(detc_n_burst>=1,detc_t,null())
| streamstats current=f max(detc_s1) AS detc_p1 BY detc_k1
| eval detc_s2=case(detc_n_burst>=1 AND detc_n_made>=1 AND detc_n_1_2>=2,detc_t,detc_n_made>=1,detc_p1)
| where isnotnull(detc_s2) AND detc_t-detc_s2<=3600
| stats min(detc_t) AS detc_t, first(detc_x2) AS detc_x2 BY detc_k1, detc_s2
| addinfo
| eval detc_end=floor((info_max_time-1)/300)*300
| where detc_t>detc_end-300 AND detc_t<=detc_end
| eval detc_c1=spath(detc_x2,"detc_c1")
| eval _time=detc_t
| rename detc_k1 AS "userIdentity.arn", detc_c1 AS "made.userAgent"
| table _time, "userIdentity.arn", "made.userAgent"
"#,
    );
}

#[test]
fn an_exception_on_alerts_filters_finished_hits() {
    check_behavior(
        r#"signals:
  denied: { source: aws.cloudtrail, where: 'errorCode == "AccessDenied"' }
behavior: count(denied) as failures >= 20 by userIdentity.arn within 10m
exceptions:
  - { when: 'userIdentity.arn == "arn:x" and failures < 50', owner: team, reason: known, signals: [alert] }"#,
        r#"(sourcetype="aws:cloudtrail") errorCode="AccessDenied"
| where lower('errorCode')="accessdenied"
| eval detc_k1='userIdentity.arn', detc_t=_time
| where isnotnull(detc_k1) AND detc_k1!="" AND detc_k1!="null"
| stats count AS detc_i_a1 BY detc_k1, detc_t
| eval detc_o=mvappend("0","1")
| mvexpand detc_o
| eval detc_at=detc_t, detc_t=if(detc_o=1,detc_t+600,detc_t), detc_i_a1=if(detc_o=1,0-detc_i_a1,detc_i_a1)
| sort 0 detc_t, detc_o
| streamstats sum(detc_i_a1) AS detc_a1 BY detc_k1
| where detc_o=0
| where detc_a1>=20
| addinfo
| eval detc_end=floor((info_max_time-1)/300)*300
| where detc_t>detc_end-300 AND detc_t<=detc_end
| where isnull(detc_k1) OR lower(detc_k1)!="arn:x" OR isnull(detc_a1) OR detc_a1>=50
| eval _time=detc_t
| rename detc_k1 AS "userIdentity.arn"
| table _time, "userIdentity.arn"
"#,
    );
}

#[test]
fn an_order_of_values_between_steps_is_refused() {
    let found = detection(
        r#"signals:
  made: { source: aws.cloudtrail, where: 'eventName == "CreateUser"' }
  gone: { source: aws.cloudtrail, where: 'eventName == "DeleteUser"' }
behavior: made -> gone by userIdentity.arn within 30m where made.count < gone.count"#,
    );
    check_refused(&found, &[ReasonCode::UnsupportedRelation]);
}

#[test]
fn an_inequality_beside_until_is_refused() {
    let found = detection(
        r#"signals:
  denied: { source: aws.cloudtrail, where: 'errorCode == "AccessDenied"' }
  made: { source: aws.cloudtrail, where: 'eventName == "CreateUser"' }
  gone: { source: aws.cloudtrail, where: 'eventName == "DeleteUser"' }
behavior: made -> gone by userIdentity.arn within 30m until denied where made.userAgent != gone.userAgent"#,
    );
    check_refused(&found, &[ReasonCode::UnsupportedRelation]);
}

#[test]
fn a_largest_value_is_compared_with_a_constant_only() {
    let found = detection(
        r#"signals:
  denied: { source: aws.cloudtrail, where: 'errorCode == "AccessDenied"' }
behavior: max(denied.count) > avg(denied.count) by userIdentity.arn within 30m"#,
    );
    check_refused(&found, &[ReasonCode::UnsupportedBehavior]);
}

#[test]
fn elements_of_a_list_beside_another_aggregate_are_refused() {
    let found = detection(
        r#"signals:
  denied: { source: aws.cloudtrail, where: 'errorCode == "AccessDenied"' }
behavior: count(denied) >= 2 and distinct(denied.tags) >= 3 by userIdentity.arn within 30m"#,
    );
    check_refused(&found, &[ReasonCode::UnsupportedBehavior]);
}

#[test]
fn sums_of_decimals_are_approximate() {
    let found = detection(
        r#"signals:
  denied: { source: aws.cloudtrail, where: 'errorCode == "AccessDenied"' }
behavior: sum(denied.share) > 100 by userIdentity.arn within 30m"#,
    );
    let output = compile(&found);
    let codes: Vec<ReasonCode> = output.verdict.reasons.iter().map(|reason| reason.code).collect();
    assert_eq!(codes, [ReasonCode::FloatSum]);
    assert!(output.query.is_some());
}

#[test]
fn a_value_of_one_of_several_closing_events_is_a_choice() {
    let found = detection(
        r#"signals:
  denied: { source: aws.cloudtrail, where: 'errorCode == "AccessDenied"' }
  burst:
    behavior: count(denied) >= 20 by userIdentity.arn within 10m
    where: userAgent == "curl"
behavior: count(burst) >= 3 by userIdentity.arn within 1h"#,
    );
    let output = compile(&found);
    let codes: Vec<ReasonCode> = output.verdict.reasons.iter().map(|reason| reason.code).collect();
    assert_eq!(codes, [ReasonCode::TieChoice]);
    assert!(output.query.is_some());
}

#[test]
fn every_query_assumes_that_events_are_delivered_once() {
    for rest in [
        r#"signals:
  denied: { source: aws.cloudtrail, where: 'errorCode == "AccessDenied"' }"#,
        r#"signals:
  denied: { source: aws.cloudtrail, where: 'errorCode == "AccessDenied"' }
  made: { source: aws.cloudtrail, where: 'eventName == "CreateUser"' }
behavior: denied or made"#,
        r#"signals:
  denied: { source: aws.cloudtrail, where: 'errorCode == "AccessDenied"' }
behavior: count(denied) >= 2 by userIdentity.arn within 10m"#,
    ] {
        let output = compile(&detection(rest));
        let assumed = output.verdict.assumptions.iter().filter(|text| text.contains("delivered once")).count();
        assert_eq!(assumed, 1, "{rest}");
    }
}
