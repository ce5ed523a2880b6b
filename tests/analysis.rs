//! What resolved detections hold: roles, exceptions at depth, columns that inner stages carry, numbers and clauses.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail loudly")]

use std::sync::LazyLock;

use detc::compiler::{self, Project, Settings};
use detc::ir::{
    AggregateFunction, Behavior, Detection, GroupForm, HitValue, Predicate, RelationKind, Signal, SignalId, Stage,
    StepCondition, WindowKind,
};
use detc::source::Sources;

/// Resolves a detection with three plain signals, those of `more`, and what stands behind the signals.
#[track_caller]
fn resolve(more: &str, behavior: &str, rest: &str) -> Detection {
    static PROJECT: LazyLock<Project> = LazyLock::new(|| compiler::load(None, &mut Sources::default()).0);
    let text = format!(
        r#"detection: sample
id: 3f1d0a52-7c1e-4b53-9a55-0f3a1a6f0c99
title: A sample
status: test
severity: low
description: A sample.
signals:
  a: {{ source: aws.cloudtrail, where: eventName == "CreateUser", let: {{ who: userIdentity.arn }} }}
  b: {{ source: aws.cloudtrail, where: eventName == "DeleteUser", let: {{ who: userIdentity.arn }} }}
  c: {{ source: okta.system, where: eventType == "user.session.start", let: {{ who: actor.alternateId }} }}
{more}behavior: {behavior}
{rest}"#
    );
    let mut sources = Sources::default();
    let file = sources.add("sample.yml", text.as_str());
    let settings = Settings { today: "2026-11-30".to_owned(), ..Settings::default() };
    let mut checked = compiler::check(&PROJECT, &sources, file, &settings);
    assert!(!checked.diagnostics.has_errors(), "{text}\n{:#?}", checked.diagnostics);
    checked.detections.remove(0)
}

fn named<'a>(stage: &'a Stage, name: &str) -> Vec<&'a Signal> {
    stage.signals.iter().filter(|signal| signal.name.node == name).collect()
}

const EXCEPTION: &str = "exceptions:\n  - { when: 'who == \"robot\"', owner: team, reason: approved }\n";

#[test]
fn an_exception_filters_the_positive_role_only() {
    let detection = resolve("", "a -> no a by who within 10m", EXCEPTION);
    let both = named(&detection.stage, "a");
    assert_eq!(both.len(), 2);
    let Behavior::Sequence(sequence) = &detection.stage.behavior.node else { panic!("a sequence") };
    let positive = detection.stage.signal(sequence.steps[0].signal).unwrap();
    let absent = detection.stage.signal(sequence.trailing().unwrap().signal).unwrap();
    assert!(matches!(positive.predicate.node, Predicate::And(_)));
    assert!(matches!(absent.predicate.node, Predicate::Equal { .. }));
}

#[test]
fn an_exception_reaches_base_signals_at_any_depth() {
    let more = "  burst: { behavior: count(a) >= 3 by who within 10m }\n  wide: { behavior: count(burst) >= 2 by who within 1h }\n";
    let detection = resolve(more, "wide -> b by who within 1d", EXCEPTION);
    let wide = named(&detection.stage, "wide")[0].stage.as_ref().unwrap();
    let burst = named(wide, "burst")[0].stage.as_ref().unwrap();
    assert!(matches!(named(burst, "a")[0].predicate.node, Predicate::And(_)));
    assert_eq!(named(wide, "burst")[0].predicate.node, Predicate::Constant(true));
    assert_eq!(detection.exceptions[0].signals, ["a", "b"]);
}

#[test]
fn an_exception_leaves_what_an_absent_signal_is_made_of_alone() {
    let more = "  burst: { behavior: count(a) >= 3 by who within 10m }\n";
    let detection = resolve(more, "b -> no burst by who within 1d", EXCEPTION);
    let burst = named(&detection.stage, "burst")[0].stage.as_ref().unwrap();
    assert!(matches!(named(burst, "a")[0].predicate.node, Predicate::Equal { .. }));
    assert_eq!(detection.exceptions[0].signals, ["b"]);
}

#[test]
fn a_named_composed_signal_has_its_hits_filtered() {
    let more = "  burst: { behavior: count(a) as failures >= 3 by who within 10m }\n";
    let rest = "exceptions:\n  - { when: failures < 5, owner: team, reason: approved, signals: [burst] }\n";
    let detection = resolve(more, "burst -> b by who within 1d", rest);
    let burst = named(&detection.stage, "burst")[0];
    assert!(matches!(burst.predicate.node, Predicate::Not(_)));
    let carried = &burst.stage.as_ref().unwrap().columns;
    assert!(carried.iter().any(|column| column.name == "failures" && column.value == HitValue::Aggregate(0)));
}

#[test]
fn an_inner_stage_carries_what_outer_ones_ask_for() {
    let more = "  burst:\n    behavior: count(a) as failures >= 3 by who within 10m\n    where: failures > 5\n    let: { agent: lower(userAgent) }\n";
    let detection = resolve(more, "burst -> b by who within 1d where burst.agent == b.userAgent", "");
    let inner = named(&detection.stage, "burst")[0].stage.as_ref().unwrap();
    let names: Vec<&str> = inner.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["failures", "who", "userAgent"]);
    assert_eq!(inner.columns[1].value, HitValue::Key(0));
    assert!(matches!(&inner.columns[2].value, HitValue::Closing(values) if values[0].0 == SignalId(0)));
    assert!(inner.columns.iter().all(|column| !column.shown));
    assert_eq!(detection.lookback().to_string(), "1450m");
}

#[test]
fn an_exception_on_alerts_is_a_filter_of_hits() {
    let rest = "exceptions:\n  - { when: 'a.sourceIPAddress == \"192.0.2.1\"', owner: team, reason: approved, signals: [alert] }\n";
    let detection = resolve("", "a -> b by who within 10m", rest);
    assert!(matches!(detection.filter.node, Predicate::Not(_)));
    let column = detection.stage.columns.iter().find(|column| column.name == "a.sourceIPAddress").unwrap();
    assert_eq!((column.step(), column.shown), (Some(0), false));
    assert!(matches!(named(&detection.stage, "a")[0].predicate.node, Predicate::Equal { .. }));
}

#[test]
fn a_hit_of_a_choice_has_what_both_have() {
    let more = "  either: { behavior: a or c }\n";
    let detection = resolve(more, "count(either) >= 3 by who within 10m", "");
    let either = &detection.stage.signals[0];
    assert!(either.source.is_made_of_hits());
    assert!(either.source.root.named.contains_key("who"));
    assert!(!either.source.root.named.contains_key("eventName"));
    let values = either.stage.as_ref().unwrap().columns[0].event_values().len();
    assert_eq!(values, 2);
}

#[test]
fn a_single_lower_bound_is_the_plain_behaviour() {
    let plain = resolve("", "3 < count(a) by who within 10m", "");
    assert!(matches!(&plain.stage.behavior.node, Behavior::Count { at_least, .. } if at_least.node == 4));
    let fixed = resolve("", "count(a) >= 3 by who within 10m fixed", "");
    let Behavior::Aggregation(fixed) = &fixed.stage.behavior.node else { panic!("an aggregation") };
    assert_eq!(fixed.kind, WindowKind::Fixed);
    let filtered = resolve("", "count(a where exists(errorCode)) >= 3 by who within 10m", "");
    assert!(matches!(filtered.stage.behavior.node, Behavior::Aggregation(_)));
}

#[test]
fn an_aggregate_written_twice_is_one() {
    let detection = resolve("", "count(a) >= 3 and count(b) / count(a) > 0.5 and count(a) <= 9 by who within 10m", "");
    let Behavior::Aggregation(found) = &detection.stage.behavior.node else { panic!("an aggregation") };
    let names: Vec<&str> = found.aggregates.iter().map(|aggregate| aggregate.name.as_str()).collect();
    assert_eq!(names, ["count", "count_2"]);
    assert!(found.aggregates.iter().all(|aggregate| aggregate.function == AggregateFunction::Count));
}

#[test]
fn absences_know_their_place() {
    let detection = resolve("", "no c -> a -> no b -> a as again -> no b by who within 10m", "");
    let Behavior::Sequence(found) = &detection.stage.behavior.node else { panic!("a sequence") };
    let places: Vec<usize> = found.absences.iter().map(|absence| absence.before).collect();
    assert_eq!(places, [0, 1, 2]);
    assert!(found.leading().is_some() && found.trailing().is_some());
    assert_eq!(found.middle().count(), 1);
    assert!(detection.stage.behavior.node.closing_signals().is_empty());
    assert_eq!(detection.lookback().to_string(), "20m");
}

#[test]
fn general_conditions_stand_beside_plain_ones() {
    let condition =
        "a.userAgent == b.userAgent and (a.awsRegion != b.awsRegion or not a.sourceIPAddress == b.sourceIPAddress)";
    let detection = resolve("", &format!("a -> b by who within 10m where {condition}"), "");
    let Behavior::Sequence(found) = &detection.stage.behavior.node else { panic!("a sequence") };
    assert_eq!(found.relations.len(), 1);
    let StepCondition::Or(parts) = &found.conditions[0].node else { panic!("an alternative") };
    let kinds = parts.iter().map(|part| match &part.node {
        StepCondition::Equality(relation) => relation.kind,
        other => panic!("{other:?}"),
    });
    assert_eq!(kinds.collect::<Vec<_>>(), [RelationKind::Different, RelationKind::Different]);
}

#[test]
fn groups_keep_their_form() {
    for (text, form, least) in [
        ("a & b & c", GroupForm::All, 3),
        ("2 of (a, b, c)", GroupForm::Some, 2),
        ("score(a = 30, b = 40, c = 20) > 69", GroupForm::Score, 70),
    ] {
        let detection = resolve("", &format!("{text} by who within 10m"), "");
        let Behavior::Group(found) = &detection.stage.behavior.node else { panic!("a group") };
        assert_eq!((found.form, found.at_least.node), (form, least));
    }
}

#[test]
fn a_bound_on_rarity_is_a_range() {
    for (text, earlier) in
        [("new(a.awsRegion)", (0, 0)), ("rare(a.awsRegion) < 3", (0, 2)), ("rare(a.awsRegion) == 1", (1, 1))]
    {
        let detection = resolve("", &format!("{text} by who over 7d learning 1d"), "");
        let Behavior::Rare(found) = &detection.stage.behavior.node else { panic!("a rarity") };
        assert_eq!(found.earlier, earlier);
    }
}
