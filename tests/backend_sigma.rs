//! What the Sigma backend writes, and what it says where Sigma cannot follow.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;

use detc::backend::{self, Output, ReasonCode, Request};
use detc::ir::{
    AddressSet, Alert, AlertColumn, Attack, Behavior, Call, CaseRule, Decimal, Detection, Element, FieldRef, First,
    Glob, Key, Literal, Metadata, NameValueRef, Network, Order, Predicate, Quantifier, Regex, Relation, RelationKind,
    Schedule, Severity, Signal, SignalId, Step, StepValue, TextTest, Value,
};
use detc::schema::mapping::{Access, Binding, Column as TargetColumn, FieldMap, TargetProfile};
use detc::schema::{Case, Clock, Duration, FieldPath, Members, Presence, Source, Type};
use detc::source::{FileId, Span, Spanned};

// Predicates, as the language would build them.

fn at<T>(node: T) -> Spanned<T> {
    Spanned::new(node, Span::default())
}

fn typed(path: &str, ty: Type) -> FieldRef {
    let presence = if path == "eventName" { Presence::Always } else { Presence::Optional };
    FieldRef { path: FieldPath::parse(path), ty, case: Case::Any, presence, span: Span::default() }
}

fn text(path: &str) -> Value {
    Value::Field(typed(path, Type::Text))
}

fn int(path: &str) -> Value {
    Value::Field(typed(path, Type::Int))
}

fn list(path: &str) -> Value {
    Value::Field(typed(path, Type::List(Box::new(Type::Object))))
}

fn member(list: &str, member: &str) -> Value {
    let member = if member.is_empty() { FieldPath::default() } else { FieldPath::parse(member) };
    let (variable, list) = ("x".to_owned(), FieldPath::parse(list));
    Value::Element(Element { variable, list, member, ty: Type::Text, case: Case::Any, span: Span::default() })
}

fn word(text: &str) -> Literal {
    Literal::Text(text.to_owned())
}

fn is(left: Value, right: Literal) -> Predicate {
    Predicate::Equal { left, right: Value::Literal(right), case: CaseRule::Ignore }
}

fn one_of(value: Value, items: &[&str]) -> Predicate {
    Predicate::In { value, items: items.iter().map(|item| word(item)).collect(), case: CaseRule::Ignore }
}

fn passes(value: Value, tests: Vec<TextTest>) -> Predicate {
    Predicate::Text { value, tests, case: CaseRule::Ignore }
}

fn contains(value: Value, part: &str) -> Predicate {
    passes(value, vec![TextTest::Contains(part.to_owned())])
}

fn like(value: Value, glob: &str) -> Predicate {
    passes(value, vec![TextTest::Like(Glob::parse(glob))])
}

fn matches(value: Value, regex: &str) -> Predicate {
    passes(value, vec![TextTest::Matches(Regex::parse(regex).unwrap())])
}

fn all(parts: Vec<Predicate>) -> Predicate {
    Predicate::And(parts.into_iter().map(at).collect())
}

fn any(parts: Vec<Predicate>) -> Predicate {
    Predicate::Or(parts.into_iter().map(at).collect())
}

fn not(inner: Predicate) -> Predicate {
    Predicate::Not(Box::new(at(inner)))
}

fn quantified(quantifier: Quantifier, list: Value, test: Predicate) -> Predicate {
    Predicate::Quantified { quantifier, list, variable: "x".to_owned(), predicate: Box::new(at(test)) }
}

// Detections around them.

fn source() -> Arc<Source> {
    Arc::new(Source {
        name: "aws.cloudtrail".to_owned(),
        title: "AWS CloudTrail".to_owned(),
        description: String::new(),
        time: FieldPath::parse("eventTime"),
        clock: Clock::Second,
        lag: Duration::ZERO,
        id: None,
        signature: Vec::new(),
        notes: Vec::new(),
        root: Members::default(),
        json_schema: Arc::default(),
    })
}

fn column(path: &str) -> TargetColumn {
    TargetColumn {
        path: path.to_owned(),
        access: Access::Direct,
        ty: None,
        literals: BTreeMap::new(),
        case: None,
        lossy: None,
        rest: FieldPath::default(),
    }
}

/// A target that calls every field what the source calls it.
fn target(bindings: &[(&str, Binding)]) -> TargetProfile {
    let names = [
        "eventName",
        "errorCode",
        "userAgent",
        "sourceIPAddress",
        "userIdentity.arn",
        "recipientAccountId",
        "count",
        "readOnly",
        "other",
        "targets",
        "tags",
        "eventTime",
        "additionalEventData.MFAUsed",
        "x-y",
    ];
    let mut fields: indexmap::IndexMap<String, Binding> =
        names.iter().map(|name| ((*name).to_owned(), Binding::Column(column(name)))).collect();
    fields.insert("`x-y`".to_owned(), Binding::Column(column("x-y")));
    fields.extend(bindings.iter().map(|(name, binding)| ((*name).to_owned(), binding.clone())));
    let location = [("product", "aws"), ("service", "cloudtrail")];
    let location = location.map(|(key, value)| (key.to_owned(), vec![value.to_owned()])).into();
    let map = FieldMap { source: "aws.cloudtrail".to_owned(), location, time: "eventTime".to_owned(), fields };
    TargetProfile {
        name: "sigma".to_owned(),
        title: "Sigma".to_owned(),
        backend: "sigma".to_owned(),
        interval: Duration::from_seconds(300),
        options: BTreeMap::new(),
        maps: [("aws.cloudtrail".to_owned(), Arc::new(map))].into(),
    }
}

fn signal(name: &str, predicate: Predicate, keys: Vec<Value>) -> Signal {
    Signal {
        name: at(name.to_owned()),
        source: source(),
        predicate: at(predicate),
        keys: keys.into_iter().map(at).collect(),
        columns: Vec::new(),
    }
}

fn detection(behavior: Behavior, signals: Vec<Signal>, keys: &[&str]) -> Detection {
    Detection {
        file: FileId::default(),
        name: at("role_session_moves".to_owned()),
        metadata: Metadata {
            id: "0b0f3c0e-6a52-4f0a-9d0e-3a3c5b8a7e11".to_owned(),
            title: "Role session changes address".to_owned(),
            description: "A stolen credential.\n".to_owned(),
            severity: Severity::High,
            version: 2,
            attack: Attack {
                strategy: Some("DET0078".to_owned()),
                analytics: vec!["AN0215".to_owned()],
                techniques: vec!["T1059.009".to_owned()],
            },
            authors: vec!["Ada".to_owned(), "Bob".to_owned()],
            created: Some("2026-11-22".to_owned()),
            references: vec!["https://attack.mitre.org/detectionstrategies/DET0078".to_owned()],
            false_positives: vec!["Laptops that change networks".to_owned()],
            ..Metadata::default()
        },
        signals,
        behavior: at(behavior),
        keys: keys.iter().map(|name| Key { name: (*name).to_owned(), span: Span::default() }).collect(),
        alert: Alert::default(),
        parameters: Vec::new(),
        lists: Vec::new(),
        exceptions: Vec::new(),
        targets: None,
    }
}

fn compile_for(detection: &Detection, target: &TargetProfile) -> Output {
    let schedule = Schedule::derive(detection, target.interval);
    backend::find("sigma").unwrap().compile(&Request { detection, target, schedule })
}

fn compile(detection: &Detection) -> Output {
    compile_for(detection, &target(&[]))
}

fn event(predicate: Predicate) -> Detection {
    detection(Behavior::Event { signal: SignalId(0) }, vec![signal("call", predicate, Vec::new())], &[])
}

#[track_caller]
fn query(output: &Output) -> String {
    let reasons = &output.verdict.reasons;
    output.query.as_ref().unwrap_or_else(|| unreachable!("no query: {reasons:?}")).text.clone()
}

fn codes(output: &Output) -> Vec<ReasonCode> {
    output.verdict.reasons.iter().map(|reason| reason.code).collect()
}

/// The predicate is lowered to exactly this `detection`, and the verdict is exact.
#[track_caller]
fn check(predicate: Predicate, expected: &str) {
    let output = compile(&event(predicate));
    assert_eq!(codes(&output), [], "the verdict");
    check_detection(&output, expected);
}

#[track_caller]
fn check_detection(output: &Output, expected: &str) {
    let text = query(output);
    dump(&text);
    let lines = text.lines().skip_while(|line| *line != "detection:").skip(1);
    let body: Vec<&str> = lines.take_while(|line| line.starts_with(' ')).map(|line| line.get(2..).unwrap()).collect();
    let expected: Vec<&str> = expected.lines().map(str::trim_end).skip_while(|line| line.is_empty()).collect();
    let indent = expected.first().map_or(0, |line| line.len() - line.trim_start().len());
    let expected: Vec<&str> = expected.iter().filter_map(|line| line.get(indent..)).collect();
    assert_eq!(body.join("\n"), expected.join("\n"));
}

/// The predicate is refused with these codes.
#[track_caller]
fn check_refused(predicate: Predicate, expected: &[ReasonCode]) {
    let output = compile(&event(predicate));
    assert_eq!(codes(&output), expected);
    assert!(output.query.is_none());
}

fn dump(text: &str) {
    use std::hash::{Hash, Hasher};
    let Ok(folder) = std::env::var("SIGMA_DUMP") else { return };
    let mut hasher = std::collections::hash_map::DefaultHasher::new();
    text.hash(&mut hasher);
    let id = format!("{:012x}", hasher.finish() & 0xffff_ffff_ffff);
    let text = text.replace("3a3c5b8a7e11", &id).replace("title: Role session", &format!("title: R{id}"));
    let text = text.replace("role_session_moves__", &format!("r{id}__"));
    std::fs::write(format!("{folder}/case_{id}.yml"), text).unwrap();
}

#[test]
fn micro_03_strings_ignore_case() {
    check(
        is(text("eventName"), word("ConsoleLogin")),
        "
        selection:
          eventName: ConsoleLogin
        condition: selection",
    );
}

#[test]
fn micro_04_cased_is_written_where_case_matters() {
    let cased = |value: &str| Predicate::Equal {
        left: text("userAgent"),
        right: Value::Literal(word(value)),
        case: CaseRule::Exact,
    };
    check(
        cased("Boto3"),
        "
        selection:
          userAgent|cased: Boto3
        condition: selection",
    );
    check(
        cased("[]"),
        "
        selection:
          userAgent: '[]'
        condition: selection",
    );
}

#[test]
fn micro_05_contains_and_cased_go_together() {
    let tests = vec![TextTest::Contains("Boto3".to_owned())];
    check(
        Predicate::Text { value: text("userAgent"), tests, case: CaseRule::Exact },
        "
        selection:
          userAgent|contains|cased: Boto3
        condition: selection",
    );
}

#[test]
fn micro_06_a_wildcard_in_the_middle_stays_one() {
    check(
        like(text("eventName"), "Put*Policy"),
        "
        selection:
          eventName: Put*Policy
        condition: selection",
    );
}

#[test]
fn micro_07_globs_and_words_share_a_list() {
    let tests = ["Put*Policy", "Foo", "*Role*", "Get*", "*User"];
    check(
        passes(text("eventName"), tests.iter().map(|glob| TextTest::Like(Glob::parse(glob))).collect()),
        "
        selection:
        - eventName:
          - Put*Policy
          - Foo
        - eventName|contains: Role
        - eventName|startswith: Get
        - eventName|endswith: User
        condition: selection",
    );
}

#[test]
fn micro_08_one_character_stays_one() {
    check(
        like(text("eventName"), "Put?Policy"),
        "
        selection:
          eventName: Put?Policy
        condition: selection",
    );
}

#[test]
fn micro_09_a_literal_star_becomes_an_expression() {
    check(
        is(text("eventName"), word("a*B")),
        r"
        selection:
          eventName|re|i: ^a\*B$
        condition: selection",
    );
    check(
        contains(text("userAgent"), "*?"),
        r"
        selection:
          userAgent|re: \*\?
        condition: selection",
    );
    check(
        like(text("userAgent"), r"a\*?*"),
        r"
        selection:
          userAgent|re|i: ^a\*[\s\S][\s\S]*$
        condition: selection",
    );
}

#[test]
fn micro_10_control_characters_become_an_expression() {
    check(
        contains(text("userAgent"), "a\n\tb\0"),
        r"
        selection:
          userAgent|re|i: a\x0a\x09b\x00
        condition: selection",
    );
}

#[test]
fn micro_11_a_negation_is_a_filter() {
    check(
        all(vec![
            is(text("eventName"), word("CreateUser")),
            not(contains(text("userAgent"), "ci-")),
            not(is(text("errorCode"), word("AccessDenied"))),
        ]),
        "
        selection:
          eventName: CreateUser
        filter_useragent:
          userAgent|contains: ci-
        filter_errorcode:
          errorCode: AccessDenied
        condition: selection and not 1 of filter_*",
    );
    let output = compile(&event(not(contains(text("userAgent"), "ci-"))));
    assert_eq!(output.verdict.assumptions, ["a condition on an absent or null field is false, and its `not` is true"]);
}

#[test]
fn micro_12_a_missing_field_is_null_or_empty() {
    check(
        all(vec![is(text("eventName"), word("CreateUser")), not(Predicate::Exists(text("errorCode")))]),
        "
        selection:
          eventName: CreateUser
          errorCode:
          - null
          - ''
        condition: selection",
    );
    check(
        not(Predicate::Exists(int("count"))),
        "
        selection:
          count: null
        condition: selection",
    );
}

#[test]
fn micro_13_a_present_field_is_neither_null_nor_empty() {
    check(
        all(vec![is(text("eventName"), word("CreateUser")), Predicate::Exists(text("errorCode"))]),
        "
        selection:
          eventName: CreateUser
        filter:
          errorCode:
          - null
          - ''
        condition: selection and not filter",
    );
    check(
        like(text("errorCode"), "*"),
        "
        filter:
          errorCode:
          - null
          - ''
        condition: not filter",
    );
}

#[test]
fn micro_14_truth_values_are_bare() {
    check(
        Predicate::IsTrue(Value::Field(typed("readOnly", Type::Bool))),
        "
        selection:
          readOnly: true
        condition: selection",
    );
    check(
        is(text("readOnly"), word("true")),
        "
        selection:
          readOnly: 'true'
        condition: selection",
    );
}

#[test]
fn micro_15_numbers_are_bare() {
    check(
        is(int("count"), Literal::Int(5)),
        "
        selection:
          count: 5
        condition: selection",
    );
    check(
        is(Value::Field(typed("count", Type::Float)), Literal::Float(Decimal::parse("-0.5").unwrap())),
        "
        selection:
          count: -0.5
        condition: selection",
    );
}

#[test]
fn micro_16_lists_of_numbers_are_bare() {
    let items = vec![Literal::Int(5), Literal::Int(6)];
    check(
        Predicate::In { value: int("count"), items, case: CaseRule::Exact },
        "
        selection:
          count:
          - 5
          - 6
        condition: selection",
    );
}

#[test]
fn micro_17_numbers_are_ordered() {
    let ordered = |left, order, right| Predicate::Ordered { left, order, right };
    let five = || Value::Literal(Literal::Int(5));
    check(
        all(vec![
            ordered(int("count"), Order::Less, five()),
            ordered(int("count"), Order::LessOrEqual, five()),
            ordered(five(), Order::LessOrEqual, int("count")),
            not(ordered(five(), Order::Less, int("count"))),
        ]),
        "
        selection:
          count|lt: 5
          count|lte: 5
          count|gte: 5
        filter:
          count|gt: 5
        condition: selection and not filter",
    );
    check_refused(ordered(int("count"), Order::Less, int("other")), &[ReasonCode::UnsupportedExpression]);
    check_refused(ordered(Value::Time, Order::Less, five()), &[ReasonCode::UnsupportedExpression]);
}

#[test]
fn micro_18_and_19_blocks_of_addresses_use_cidr() {
    let networks = ["10.0.0.0/8", "2001:db8::/33"].iter().map(|block| Network::parse(block).unwrap()).collect();
    check(
        Predicate::InNetwork { value: text("sourceIPAddress"), networks },
        "
        selection:
          sourceIPAddress|cidr:
          - 10.0.0.0/8
          - 2001:db8::/33
        condition: selection",
    );
}

#[test]
fn a_public_address_is_an_address_that_is_not_private() {
    check(
        Predicate::IsAddress { value: text("sourceIPAddress"), set: AddressSet::Public },
        "
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
        condition: selection and not filter",
    );
}

#[test]
fn micro_20_fields_are_compared_by_reference() {
    let same = |left, right, case| Predicate::Equal { left, right, case };
    let output = compile(&event(same(text("userIdentity.arn"), text("userAgent"), CaseRule::Ignore)));
    assert_eq!(codes(&output), [ReasonCode::KeyCase]);
    check_detection(
        &output,
        "
        selection:
          userIdentity.arn|fieldref: userAgent
        condition: selection",
    );
    check(
        same(int("count"), int("other"), CaseRule::Exact),
        "
        selection:
          count|fieldref: other
        condition: selection",
    );
    check_refused(not(same(int("count"), int("other"), CaseRule::Exact)), &[ReasonCode::UnsupportedExpression]);
    check_refused(same(int("count"), text("userAgent"), CaseRule::Exact), &[ReasonCode::UnsupportedExpression]);
}

#[test]
fn micro_22_expressions_say_whether_case_counts() {
    check(
        matches(text("userAgent"), r"^(?:aws|boto)/\d{1,3}[^\s,\]]+$"),
        r"
        selection:
          userAgent|re|i: ^(?:aws|boto)/[0-9]{1,3}[^\x09-\x0d ,\]]+$
        condition: selection",
    );
    let tests = vec![TextTest::Matches(Regex::parse("Boto3?").unwrap())];
    check(
        Predicate::Text { value: text("userAgent"), tests, case: CaseRule::Exact },
        "
        selection:
          userAgent|re: Boto3?
        condition: selection",
    );
}

#[test]
fn an_expression_that_finds_the_empty_text_wants_a_value() {
    check(
        matches(text("userAgent"), "^[0-9]*$"),
        "
        selection:
          userAgent|re: ^[0-9]*$
        filter:
          userAgent:
          - null
          - ''
        condition: selection and not filter",
    );
}

#[test]
fn micro_23_expressions_share_a_list() {
    let tests = ["^a", "b$"].iter().map(|regex| TextTest::Matches(Regex::parse(regex).unwrap())).collect();
    check(
        passes(text("userAgent"), tests),
        "
        selection:
          userAgent|re|i:
          - ^a
          - b$
        condition: selection",
    );
}

#[test]
fn micro_24_all_values_of_a_list_stand_in_two_searches() {
    let has = |value| quantified(Quantifier::Any, list("tags"), is(member("tags", ""), word(value)));
    check(
        all(vec![has("a"), has("b")]),
        "
        selection:
          tags: a
        selection_tags:
          tags: b
        condition: selection and selection_tags",
    );
}

#[test]
fn micro_26_and_27_odd_field_names_are_kept() {
    check(
        all(vec![is(text("userIdentity.arn"), word("a")), is(text("`x-y`"), word("b"))]),
        "
        selection:
          userIdentity.arn: a
          x-y: b
        condition: selection",
    );
    let pipe = target(&[("`a|b`", Binding::Column(column("a|b")))]);
    let output = compile_for(&event(is(text("`a|b`"), word("x"))), &pipe);
    assert_eq!(codes(&output), [ReasonCode::UnsupportedLiteral]);
}

#[test]
fn micro_28_members_of_one_element_are_approximate() {
    let both = all(vec![is(member("targets", "name"), word("a")), is(member("targets", "value"), word("b"))]);
    let output = compile(&event(quantified(Quantifier::Any, list("targets"), both.clone())));
    assert_eq!(codes(&output), [ReasonCode::ArrayCorrelation]);
    check_detection(
        &output,
        "
        selection:
          targets.name: a
          targets.value: b
        condition: selection",
    );
    let output = compile(&event(quantified(Quantifier::None, list("targets"), both)));
    assert_eq!(codes(&output), [ReasonCode::ArrayCorrelation]);
    check_detection(
        &output,
        "
        filter:
          targets.name: a
          targets.value: b
        condition: not filter",
    );
}

#[test]
fn one_member_of_a_list_is_exact_under_every_quantifier() {
    let test = || any(vec![is(member("targets", "name"), word("a")), contains(member("targets", "name"), "b")]);
    check(
        quantified(Quantifier::Any, list("targets"), test()),
        "
        selection:
        - targets.name: a
        - targets.name|contains: b
        condition: selection",
    );
    check(
        quantified(Quantifier::None, list("targets"), test()),
        "
        filter:
        - targets.name: a
        - targets.name|contains: b
        condition: not filter",
    );
    check(
        quantified(Quantifier::All, list("targets"), not(test())),
        "
        filter:
        - targets.name: a
        - targets.name|contains: b
        condition: not filter",
    );
    check(
        quantified(Quantifier::Any, list("targets"), Predicate::Exists(member("targets", "name"))),
        r"
        selection:
          targets.name|re: '[\s\S]'
        condition: selection",
    );
    let refused = [ReasonCode::UnsupportedExpression];
    check_refused(quantified(Quantifier::All, list("targets"), is(member("targets", "name"), word("a"))), &refused);
    check_refused(
        quantified(Quantifier::Any, list("targets"), not(is(member("targets", "name"), word("a")))),
        &refused,
    );
    check_refused(quantified(Quantifier::Any, list("targets"), is(text("eventName"), word("a"))), &refused);
}

#[test]
fn a_picked_element_is_any_element() {
    let first = First {
        list: list("targets"),
        variable: "x".to_owned(),
        predicate: at(is(member("targets", "name"), word("a"))),
        member: FieldPath::parse("value"),
        ty: Type::Text,
    };
    let output = compile(&event(contains(Value::First(Box::new(first)), "b")));
    assert_eq!(codes(&output), [ReasonCode::ArrayCorrelation]);
    check_detection(
        &output,
        "
        selection:
          targets.name: a
          targets.value|contains: b
        condition: selection",
    );
    let named = Value::NameValue(NameValueRef {
        list: typed("targets", Type::List(Box::new(Type::Object))),
        name_member: "Name".to_owned(),
        key: "RequestType".to_owned(),
        member: FieldPath::parse("Value"),
        ty: Type::Text,
    });
    let output = compile(&event(is(named.clone(), word("OAuth2:Authorize"))));
    assert_eq!(codes(&output), [ReasonCode::ArrayCorrelation]);
    check_detection(
        &output,
        "
        selection:
          targets.Name: RequestType
          targets.Value: OAuth2:Authorize
        condition: selection",
    );
    let keyed = TargetColumn { access: Access::Keyed, ..column("targets.*") };
    let output = compile_for(&event(is(named, word("x"))), &target(&[("targets", Binding::Column(keyed))]));
    assert_eq!(codes(&output), []);
    check_detection(
        &output,
        "
        selection:
          targets.RequestType.Value: x
        condition: selection",
    );
}

#[test]
fn nested_conditions_keep_their_shape() {
    check(
        all(vec![
            is(text("eventName"), word("a")),
            any(vec![
                all(vec![is(text("errorCode"), word("b")), not(is(text("userAgent"), word("c")))]),
                not(all(vec![is(text("errorCode"), word("d")), is(text("userAgent"), word("e"))])),
            ]),
            not(any(vec![is(text("userAgent"), word("f")), is(text("errorCode"), word("g"))])),
        ]),
        "
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
        condition: selection and ((selection_errorcode and not selection_useragent) or not selection_errorcode_2) and not filter",
    );
}

#[test]
fn alternatives_on_one_field_are_one_list() {
    check(
        any(vec![one_of(text("errorCode"), &["a", "b"]), not(Predicate::Exists(text("errorCode")))]),
        "
        selection:
          errorCode:
          - a
          - b
          - null
          - ''
        condition: selection",
    );
}

#[test]
fn words_that_yaml_takes_for_other_types_are_quoted() {
    let words =
        ["No", "yes", "off", "12:30:45", "1_0.5", "2026-01-01", "=", "<<", "~", "null", "-1", "0x1F", ".5", "x"];
    check(
        one_of(text("additionalEventData.MFAUsed"), &words),
        "
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
        condition: selection",
    );
}

#[test]
fn digits_in_a_text_field_are_bare_or_an_expression() {
    check(
        one_of(text("recipientAccountId"), &["111122223333", "011122223333", "9007199254740993", "1_000", "+5"]),
        "
        selection:
        - recipientAccountId: 111122223333
        - recipientAccountId|re:
          - ^011122223333$
          - ^9007199254740993$
          - ^1_000$
          - ^\\+5$
        condition: selection",
    );
}

#[test]
fn backslashes_are_escaped() {
    check(
        is(text("userAgent"), word(r"CORP\user\")),
        r"
        selection:
          userAgent: CORP\\user\\
        condition: selection",
    );
    check(
        like(text("userAgent"), r"C:\\*\*x"),
        r"
        selection:
          userAgent|re|i: ^C:\\[\s\S]*\*x$
        condition: selection",
    );
    check(
        like(text("userAgent"), r"C:\\a*b"),
        r"
        selection:
          userAgent: C:\\a*b
        condition: selection",
    );
}

#[test]
fn every_event_of_a_source_has_a_time() {
    check(
        Predicate::Constant(true),
        "
        filter:
          eventTime: null
        condition: not filter",
    );
    check_refused(Predicate::Constant(false), &[ReasonCode::UnsupportedExpression]);
}

#[test]
fn numbers_that_readers_round_are_refused() {
    let refused = [ReasonCode::UnsupportedLiteral];
    check_refused(is(int("count"), Literal::Int(9_007_199_254_740_993)), &refused);
    let tiny = Literal::Float(Decimal::parse("0.00000001").unwrap());
    check_refused(is(Value::Field(typed("count", Type::Float)), tiny), &refused);
    let long = Literal::Float(Decimal::parse("0.10000000000000000001").unwrap());
    check_refused(is(Value::Field(typed("count", Type::Float)), long), &refused);
}

#[test]
fn functions_are_refused_by_name() {
    let lower = Value::Call(Box::new(Call::Lower(text("userAgent"))));
    let output = compile(&event(all(vec![
        is(lower, word("a")),
        is(Value::Call(Box::new(Call::Hour(Value::Time))), Literal::Int(3)),
        Predicate::Ordered {
            left: Value::Call(Box::new(Call::Hour(Value::Time))),
            order: Order::GreaterOrEqual,
            right: Value::Literal(Literal::Int(20)),
        },
    ])));
    assert_eq!(output.query, None);
    let messages: Vec<&str> = output.verdict.reasons.iter().map(|reason| reason.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "Sigma has no functions; `lower` needs a field that holds its result",
            "Sigma has no functions; `hour` needs a field that holds its result",
        ]
    );
}

#[test]
fn the_target_s_types_and_spellings_are_respected() {
    let literals = [("Success".to_owned(), serde_json::json!(0))].into();
    let spelled = TargetColumn { literals, ..column("result") };
    let number = TargetColumn { ty: Some(Type::Int), ..column("status") };
    let words = TargetColumn { ty: Some(Type::Text), ..column("flag") };
    let target = target(&[
        ("result", Binding::Column(spelled)),
        ("status", Binding::Column(number)),
        ("flag", Binding::Column(words)),
        ("lost", Binding::Missing("nobody sends it".to_owned())),
        ("vague", Binding::Column(TargetColumn { lossy: Some("it is cut".to_owned()), ..column("vague") })),
    ]);
    let output = compile_for(
        &event(all(vec![
            is(text("result"), word("success")),
            is(text("status"), word("403")),
            Predicate::IsTrue(Value::Field(typed("flag", Type::Bool))),
        ])),
        &target,
    );
    assert_eq!(codes(&output), []);
    check_detection(
        &output,
        "
        selection:
          result: 0
          status: 403
          flag: 'true'
        condition: selection",
    );
    let output = compile_for(&event(is(text("lost"), word("x"))), &target);
    assert_eq!(codes(&output), [ReasonCode::MissingField]);
    let output = compile_for(&event(is(text("vague"), word("x"))), &target);
    assert_eq!(codes(&output), [ReasonCode::FieldLossy]);
    let output = compile_for(&event(contains(text("result"), "succ")), &target);
    assert_eq!(codes(&output), [ReasonCode::UnsupportedExpression]);
}

// Whole files.

fn count() -> Behavior {
    Behavior::Count { signal: SignalId(0), at_least: at(20), window: at(Duration::from_seconds(5400)) }
}

#[test]
fn an_event_is_one_rule() {
    let mut detection = event(is(text("eventName"), word("CreateUser")));
    let column = |name: &str, value| AlertColumn {
        name: name.to_owned(),
        signal: SignalId(0),
        step: None,
        key: None,
        value,
        span: Span::default(),
    };
    detection.alert.columns = vec![
        column("userIdentity.arn", text("userIdentity.arn")),
        column("agent", Value::Call(Box::new(Call::Lower(text("userAgent"))))),
    ];
    let output = compile(&detection);
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
    ");
    let query = output.query.unwrap();
    assert_eq!(query.columns, Vec::<String>::new());
    assert_eq!(
        query.missing_columns,
        [("agent".to_owned(), "Sigma has no functions; `lower` needs a field that holds its result".to_owned())].into()
    );
}

#[test]
fn a_count_is_an_event_count_over_a_named_rule() {
    let keys = vec![text("userIdentity.arn"), text("eventName")];
    let signals = vec![signal("denied", is(text("errorCode"), word("AccessDenied")), keys.clone())];
    let output = compile(&detection(count(), signals, &["userIdentity.arn", "eventName"]));
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
    let signals = vec![signal("denied", is(text("errorCode"), word("AccessDenied")), Vec::new())];
    let text = query(&compile(&detection(count(), signals, &[])));
    dump(&text);
    assert!(text.contains("\n  group-by: []\n"), "{text}");
}

#[test]
fn a_key_that_a_condition_demands_is_not_asked_for_again() {
    let keys = vec![text("userIdentity.arn")];
    let signals = vec![signal("denied", contains(text("userIdentity.arn"), ":role/"), keys.clone())];
    let output = compile(&detection(count(), signals, &["userIdentity.arn"]));
    check_detection(
        &output,
        "
        selection:
          userIdentity.arn|contains: :role/
        condition: selection",
    );
}

#[test]
fn distinct_values_are_a_value_count() {
    let distinct = |values: Vec<Value>| Behavior::Distinct {
        signal: SignalId(0),
        values: values.into_iter().map(at).collect(),
        at_least: at(4),
        window: at(Duration::from_seconds(3600)),
    };
    let keys = vec![text("userIdentity.arn")];
    let signals = || vec![signal("call", is(text("eventName"), word("GetSecretValue")), keys.clone())];
    let output = compile(&detection(distinct(vec![text("sourceIPAddress")]), signals(), &["userIdentity.arn"]));
    assert_eq!(codes(&output), [ReasonCode::WindowUnspecified]);
    let text_of = query(&output);
    dump(&text_of);
    let body: Vec<&str> = text_of
        .lines()
        .skip_while(|line| *line != "correlation:")
        .take_while(|line| *line != "falsepositives:")
        .collect();
    assert_eq!(
        body.join("\n"),
        "correlation:\n  type: value_count\n  rules:\n  - role_session_moves__call\n  group-by:\n  - userIdentity.arn\n  \
         timespan: 1h\n  condition:\n    field: sourceIPAddress\n    gte: 4"
    );
    check_detection(
        &output,
        "
        selection:
          eventName: GetSecretValue
        filter_arn:
          userIdentity.arn:
          - null
          - ''
        filter_sourceipaddress:
          sourceIPAddress:
          - null
          - ''
        condition: selection and not 1 of filter_*",
    );
    let several = distinct(vec![text("sourceIPAddress"), text("userAgent")]);
    let output = compile(&detection(several, signals(), &["userIdentity.arn"]));
    assert_eq!(codes(&output), [ReasonCode::UnsupportedBehavior, ReasonCode::WindowUnspecified]);
    let tags = distinct(vec![list("tags")]);
    let output = compile(&detection(tags, signals(), &["userIdentity.arn"]));
    assert_eq!(codes(&output), [ReasonCode::WindowUnspecified, ReasonCode::UnsupportedExpression]);
}

fn sequence(steps: &[(usize, u32)], relations: Vec<Relation>) -> Behavior {
    let step = |&(signal, times): &(usize, u32)| Step {
        name: format!("step{signal}"),
        signal: SignalId(signal),
        times,
        span: Span::default(),
    };
    let window = at(Duration::from_seconds(1800));
    Behavior::Sequence { steps: steps.iter().map(step).collect(), relations, window }
}

fn two_signals() -> Vec<Signal> {
    vec![
        signal("login", is(text("eventName"), word("ConsoleLogin")), vec![text("userIdentity.arn")]),
        signal("create", is(text("eventName"), word("CreateUser")), vec![text("other")]),
    ]
}

#[test]
fn a_sequence_is_temporal_ordered_with_aliases() {
    let output = compile(&detection(sequence(&[(0, 1), (1, 1)], Vec::new()), two_signals(), &["user"]));
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
          role_session_moves__create: other
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
        other:
        - null
        - ''
      condition: selection and not filter
    fields:
    - eventTime
    - other
    level: informational
    detc:
      detection: role_session_moves
      signal: create
      version: 2
    ");
}

#[test]
fn repeats_and_relations_are_refused_together() {
    let side = |step, name: &str| StepValue { step, name: name.to_owned(), value: text(name) };
    let relation = Relation {
        left: side(0, "sourceIPAddress"),
        kind: RelationKind::Different,
        right: side(1, "sourceIPAddress"),
        case: CaseRule::Ignore,
        span: Span::default(),
    };
    let behavior = sequence(&[(0, 1), (1, 3)], vec![relation]);
    let output = compile(&detection(behavior, two_signals(), &["user"]));
    let unsupported = [ReasonCode::UnsupportedBehavior, ReasonCode::UnsupportedRelation];
    assert_eq!(codes(&output).get(..2).unwrap(), unsupported);
    let twice = sequence(&[(0, 1), (0, 1)], Vec::new());
    let output = compile(&detection(twice, two_signals(), &["user"]));
    assert!(codes(&output).contains(&ReasonCode::UnsupportedBehavior));
}

#[test]
fn keys_that_are_no_fields_are_refused() {
    let keys = vec![Value::Call(Box::new(Call::Lower(text("userAgent"))))];
    let signals = vec![signal("denied", is(text("errorCode"), word("x")), keys.clone())];
    let output = compile(&detection(count(), signals, &["agent"]));
    assert_eq!(codes(&output), [ReasonCode::WindowUnspecified, ReasonCode::UnsupportedExpression]);
    assert!(output.query.is_none());
}

#[test]
fn a_window_below_a_second_is_refused() {
    let behavior =
        Behavior::Count { signal: SignalId(0), at_least: at(2), window: at(Duration::from_milliseconds(1500)) };
    let signals = vec![signal("denied", is(text("errorCode"), word("x")), Vec::new())];
    assert!(codes(&compile(&detection(behavior, signals, &[]))).contains(&ReasonCode::UnsupportedBehavior));
}

#[test]
fn texts_that_yaml_breaks_are_refused() {
    let refused = [ReasonCode::UnsupportedLiteral];
    for offender in ["a\u{2028}", "\u{2029}", "x\u{e000}"] {
        check_refused(is(text("userAgent"), word(offender)), &refused);
        check_refused(matches(text("userAgent"), offender), &refused);
        let mut detection = event(is(text("userAgent"), word("x")));
        detection.metadata.title = offender.to_owned();
        assert_eq!(codes(&compile(&detection)), refused);
    }
}

#[test]
fn letters_beyond_ascii_are_an_assumption() {
    let output = compile(&event(is(text("userAgent"), word("Ünlü"))));
    assert_eq!(codes(&output), []);
    assert_eq!(output.verdict.assumptions, ["case is ignored for letters beyond ASCII as well"]);
}
