//! Times: ticks of a source's clock, hours and weekdays by arithmetic in UTC.
//!
//! Never `strftime`, which follows the time zone of whoever owns the search.

use super::ast::{Arithmetic, Comparison, EvalExpr, Function};
use crate::ir::{Behavior, OpeningHours, Stage};
use crate::schema::{Clock, Duration};

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// How time is counted in a query: in whole seconds or in whole milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticks {
    per_second: i64,
}

impl Ticks {
    /// The finest that the sources or a duration of a stage ask for, at any depth.
    pub(super) fn of_stage(stage: &Stage) -> Self {
        let seconds = stage.sources().iter().all(|source| source.clock == Clock::Second);
        let fits = durations(stage).into_iter().all(Duration::is_whole_seconds);
        Self { per_second: if seconds && fits { 1 } else { 1000 } }
    }

    /// The time of an event.
    pub(super) fn now(self) -> EvalExpr {
        let time = EvalExpr::source("_time");
        if self.per_second == 1 { time } else { milliseconds(time) }
    }

    /// A number of seconds in ticks.
    pub(super) const fn per_second(self) -> i64 {
        self.per_second
    }

    /// A span of time in ticks.
    pub(super) fn span(self, duration: Duration) -> i64 {
        let divisor = if self.per_second == 1 { 1000 } else { 1 };
        i64::try_from(duration.milliseconds() / divisor).unwrap_or(i64::MAX)
    }

    /// The column `_time` of a result.
    pub(super) fn shown(self, column: &str) -> EvalExpr {
        let ticks = EvalExpr::derived(column);
        if self.per_second == 1 {
            return ticks;
        }
        let seconds = EvalExpr::arithmetic(ticks, Arithmetic::Over, EvalExpr::Integer(self.per_second));
        EvalExpr::call(Function::Exact, seconds)
    }
}

/// A number of seconds as whole milliseconds.
pub(super) fn milliseconds(seconds: EvalExpr) -> EvalExpr {
    let scaled = EvalExpr::arithmetic(seconds, Arithmetic::Times, EvalExpr::Integer(1000));
    let half = EvalExpr::Decimal("0.5".to_owned());
    EvalExpr::call(Function::Floor, EvalExpr::arithmetic(scaled, Arithmetic::Plus, half))
}

/// Hour of the day in UTC.
pub(super) fn hour(seconds: EvalExpr) -> EvalExpr {
    EvalExpr::arithmetic(whole(seconds, HOUR), Arithmetic::Modulo, EvalExpr::Integer(24))
}

/// Day of the week in UTC, Monday being 1; day 0 of 1970 was a Thursday.
pub(super) fn weekday(seconds: EvalExpr) -> EvalExpr {
    let since_monday = EvalExpr::arithmetic(whole(seconds, DAY), Arithmetic::Plus, EvalExpr::Integer(3));
    let in_week = EvalExpr::arithmetic(since_monday, Arithmetic::Modulo, EvalExpr::Integer(7));
    EvalExpr::arithmetic(in_week, Arithmetic::Plus, EvalExpr::Integer(1))
}

/// Whether a time lies outside opening hours.
pub(super) fn outside(seconds: &EvalExpr, hours: &OpeningHours) -> EvalExpr {
    let offset = i64::from(hours.offset_minutes) * 60;
    let local = if offset == 0 {
        seconds.clone()
    } else {
        EvalExpr::arithmetic(seconds.clone(), Arithmetic::Plus, EvalExpr::Integer(offset))
    };
    let minute = EvalExpr::arithmetic(whole(local.clone(), 60), Arithmetic::Modulo, EvalExpr::Integer(1440));
    let (start, end) = (i64::from(hours.start_minute), i64::from(hours.end_minute));
    let early = EvalExpr::compare(minute.clone(), Comparison::Less, EvalExpr::Integer(start));
    let late = EvalExpr::compare(minute, Comparison::GreaterOrEqual, EvalExpr::Integer(end));
    let closed = if start < end { EvalExpr::any(vec![early, late]) } else { EvalExpr::all(vec![early, late]) };
    let mut parts = vec![closed];
    let day = weekday(local);
    for number in 1..=7_u8 {
        if !hours.days.iter().any(|open| open.0 == number) {
            parts.push(EvalExpr::equal(day.clone(), EvalExpr::Integer(i64::from(number))));
        }
    }
    EvalExpr::any(parts)
}

/// The whole number of units in a number of seconds.
fn whole(seconds: EvalExpr, unit: i64) -> EvalExpr {
    EvalExpr::call(Function::Floor, EvalExpr::arithmetic(seconds, Arithmetic::Over, EvalExpr::Integer(unit)))
}

/// The durations that a stage and those inside it name.
fn durations(stage: &Stage) -> Vec<Duration> {
    let mut found = match &stage.behavior.node {
        Behavior::Event { .. } => Vec::new(),
        Behavior::Count { window, .. } | Behavior::Distinct { window, .. } => vec![window.node],
        Behavior::Aggregation(aggregation) => vec![aggregation.window.node],
        Behavior::Sequence(sequence) => vec![sequence.window.node],
        Behavior::Group(group) => vec![group.window.node],
        Behavior::Rare(rare) => {
            [Some(&rare.history), rare.learning.as_ref()].into_iter().flatten().map(|one| one.node).collect()
        }
        Behavior::Baseline(baseline) => {
            let learning = baseline.learning.as_ref();
            [Some(&baseline.bucket), Some(&baseline.history), learning]
                .into_iter()
                .flatten()
                .map(|one| one.node)
                .collect()
        }
        Behavior::Travel(travel) => vec![travel.window.node],
    };
    found.extend(stage.signals.iter().filter_map(|signal| signal.stage.as_ref()).flat_map(|inner| durations(inner)));
    found
}
