//! The frame of every query: which slice of time a run reports, how far it reads back, and what the engine allows.

use std::collections::BTreeMap;

use super::ast::{Expr, Let, Operator};
use super::reader::Context;
use crate::backend::ReasonCode;
use crate::ir::{Behavior, Schedule};
use crate::schema::Duration;
use crate::source::Span;

/// Column of the hit's time.
pub(super) const TIME: &str = "TimeGenerated";
/// End of the slice that a run reports, itself reported.
const END: &str = "detc_end";
/// Start of the slice that a run reports, itself reported by the run before.
const START: &str = "detc_start";

const MINUTE: u64 = 60_000;
const DAY: u64 = 86_400_000;
/// Longest period that a scheduled rule may read and longest time between two runs.
const LONGEST: Duration = Duration::from_milliseconds(14 * DAY);
/// Period from which on a rule runs once an hour at most.
const LONG: Duration = Duration::from_milliseconds(2 * DAY);
/// Shortest time between runs of a rule that reads such a period.
const LONG_INTERVAL: Duration = Duration::from_milliseconds(60 * MINUTE);
/// Shortest time between runs.
const SHORTEST: Duration = Duration::from_milliseconds(5 * MINUTE);

/// The statements that define the slice.
pub(super) fn slice(schedule: Schedule) -> Vec<Let> {
    let now = Expr::Call("now", Vec::new());
    let latest = if schedule.lag.is_zero() { now } else { now.minus(Expr::Span(schedule.lag)) };
    let interval = Expr::Span(schedule.interval);
    let end = bucket(latest, schedule.interval);
    vec![Let::Scalar(END, end), Let::Scalar(START, Expr::column(END).minus(interval))]
}

/// The condition that keeps what a run has to read of a time column.
pub(super) fn read(time: &str, lookback: Duration) -> Expr {
    let (operator, start) = if lookback.is_zero() {
        (Operator::Greater, Expr::column(START))
    } else {
        (Operator::GreaterOrEqual, Expr::column(START).minus(Expr::Span(lookback)))
    };
    Expr::And(vec![
        Expr::infix(Expr::column(time), operator, start),
        Expr::infix(Expr::column(time), Operator::LessOrEqual, Expr::column(END)),
    ])
}

/// The condition that keeps hits of the slice, nothing later having been read.
pub(super) fn newest() -> Expr {
    Expr::infix(Expr::column(TIME), Operator::Greater, Expr::column(START))
}

/// The condition that a hit's time has come.
pub(super) fn over() -> Expr {
    Expr::infix(Expr::column(TIME), Operator::LessOrEqual, Expr::column(END))
}

/// The start of the bucket of a time; buckets count from 1970.
pub(super) fn bucket(time: Expr, length: Duration) -> Expr {
    let length_is_harmless = DAY.is_multiple_of(length.milliseconds().max(1));
    let length = Expr::Span(length);
    // `bin` counts from an origin that only divisors of a day make irrelevant.
    if length_is_harmless {
        Expr::Call("bin", vec![time, length])
    } else {
        Expr::Call("bin_at", vec![time, length, Expr::Day("1970-01-01")])
    }
}

/// How far before the moment of a run the rule has to see: a run may come any time within an interval after its slice.
fn period(schedule: Schedule) -> Duration {
    let range = schedule.range().plus(schedule.interval);
    range.round_up_to(Duration::from_milliseconds(MINUTE))
}

/// Notes where the engine cannot run the query on the schedule, at the clause that sets the window.
pub(super) fn check(context: &mut Context<'_>) {
    let behavior = &context.stage.behavior;
    let (length, window, times) = clause(&behavior.node).unwrap_or((Duration::ZERO, behavior.span, 1));
    let schedule = context.request.schedule;
    let period = period(schedule);
    let interval = schedule.interval;
    // What is read besides the window: interval, lag, a bucket, and what the hits of inner stages look at.
    let overhead = period.milliseconds().saturating_sub(length.milliseconds().saturating_mul(times));
    let largest = |limit: u64| Duration::from_milliseconds(limit.saturating_sub(overhead) / times / MINUTE * MINUTE);
    if interval < SHORTEST || interval > LONGEST {
        let message = format!(
            "the engine runs a rule every {SHORTEST} at most and every {LONGEST} at least, not every {interval}"
        );
        context.verdict.add(ReasonCode::ScheduleUnsupported, window, message);
    }
    if period > LONGEST {
        let largest = largest(LONGEST.milliseconds());
        let message = format!("the engine reads back {LONGEST} at most, which leaves {largest} for the window");
        context.verdict.add(ReasonCode::LookbackTooLong, window, message);
    } else if period >= LONG && interval < LONG_INTERVAL {
        let largest = largest(LONG.milliseconds() - MINUTE);
        let message = format!(
            "the engine runs a rule that reads back {LONG} or more once an hour at most; set the interval to {LONG_INTERVAL}, or the window to {largest} at most"
        );
        context.verdict.add(ReasonCode::ScheduleUnsupported, window, message);
    }
}

/// The length that sets how far back a hit reaches, where it is written, and how often it counts.
fn clause(behavior: &Behavior) -> Option<(Duration, Span, u64)> {
    let (length, times) = match behavior {
        Behavior::Event { .. } => return None,
        Behavior::Count { window, .. } | Behavior::Distinct { window, .. } => (window, 1),
        Behavior::Aggregation(aggregation) => (&aggregation.window, 1),
        Behavior::Sequence(sequence) => {
            let reach = behavior.lookback().milliseconds();
            (&sequence.window, reach.checked_div(sequence.window.node.milliseconds()).unwrap_or(1).max(1))
        }
        Behavior::Group(group) => (&group.window, 1),
        Behavior::Rare(rare) => (&rare.history, 1),
        Behavior::Baseline(baseline) => (&baseline.history, 1),
        Behavior::Travel(travel) => (&travel.window, 1),
    };
    Some((length.node, length.span, times))
}

/// What the deployment has to set.
pub(super) fn deployment(schedule: Schedule) -> BTreeMap<String, String> {
    BTreeMap::from([
        ("queryFrequency".to_owned(), iso(schedule.interval)),
        ("queryPeriod".to_owned(), iso(period(schedule))),
    ])
}

/// Writes a duration as ISO 8601 does, in whole minutes.
fn iso(duration: Duration) -> String {
    let minutes = duration.milliseconds().div_ceil(MINUTE);
    let (days, hours, minutes) = (minutes / 1440, minutes % 1440 / 60, minutes % 60);
    let part = |number: u64, unit: &str| if number == 0 { String::new() } else { format!("{number}{unit}") };
    let time = part(hours, "H") + &part(minutes, "M");
    match (days, time.is_empty()) {
        (0, true) => "PT0M".to_owned(),
        (0, false) => format!("PT{time}"),
        (days, true) => format!("P{days}D"),
        (days, false) => format!("P{days}DT{time}"),
    }
}
