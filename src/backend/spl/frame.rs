//! The schedule of a search: which range it reads, and which hits a run reports.

use std::collections::BTreeMap;

use super::ast::{Arithmetic, Comparison, EvalExpr, Function, Name, Stage};
use super::context::Context;
use super::read::{Head, TIME};
use crate::schema::Duration;

const MINUTE: Duration = Duration::from_seconds(60);
const QUARTER: Duration = Duration::from_seconds(900);

impl Context<'_> {
    /// Keeps the hits of the newest interval; the range of the search ends one second behind it. Hits that
    /// another stage reads are all kept.
    pub(super) fn newest(&mut self, head: &mut Head) {
        if !self.outermost {
            return;
        }
        let schedule = self.request.schedule;
        let interval = i64::try_from(schedule.interval.seconds_up()).unwrap_or(i64::MAX);
        let end = EvalExpr::Name(Name::Derived("info_max_time".to_owned()));
        let last = EvalExpr::arithmetic(end, Arithmetic::Minus, EvalExpr::Integer(1));
        let on_grid =
            EvalExpr::call(Function::Floor, EvalExpr::arithmetic(last, Arithmetic::Over, EvalExpr::Integer(interval)));
        let ticks = interval.saturating_mul(head.ticks.per_second());
        head.push(Stage::AddInfo);
        head.set("detc_end", EvalExpr::arithmetic(on_grid, Arithmetic::Times, EvalExpr::Integer(ticks)));
        let start = EvalExpr::arithmetic(EvalExpr::derived("detc_end"), Arithmetic::Minus, EvalExpr::Integer(ticks));
        head.keep(EvalExpr::all(vec![
            EvalExpr::compare(EvalExpr::derived(TIME), Comparison::Greater, start),
            EvalExpr::compare(EvalExpr::derived(TIME), Comparison::LessOrEqual, EvalExpr::derived("detc_end")),
        ]));
    }

    /// The settings of the saved search.
    pub(super) fn deployment(&mut self) -> BTreeMap<String, String> {
        let schedule = self.request.schedule;
        self.verdict.assume(format!(
            "a run starts every {} on a multiple of it, and events arrive at most {} late",
            schedule.interval, schedule.lag
        ));
        let mut settings = BTreeMap::new();
        if let Some(cron) = cron(schedule.interval) {
            settings.insert("cron_schedule".to_owned(), cron);
        }
        // time zones are offset by multiples of 15 minutes, so that other intervals may start off the grid
        let on_grid = QUARTER.milliseconds().is_multiple_of(schedule.interval.milliseconds().max(1));
        let range = if on_grid { schedule.range() } else { schedule.range().plus(schedule.interval) };
        settings.insert("dispatch.earliest_time".to_owned(), before(range.round_up_to(MINUTE)));
        settings.insert("dispatch.latest_time".to_owned(), format!("{}+1s", before(schedule.lag)));
        settings
    }
}

/// A time before now, snapped to the minute or second.
fn before(duration: Duration) -> String {
    let seconds = duration.seconds_up();
    if seconds == 0 {
        "@m".to_owned()
    } else if seconds.is_multiple_of(60) {
        format!("-{}m@m", seconds / 60)
    } else {
        format!("-{seconds}s@s")
    }
}

/// The crontab entry for runs that far apart; `None` where crontab has none.
fn cron(interval: Duration) -> Option<String> {
    if !interval.milliseconds().is_multiple_of(MINUTE.milliseconds()) {
        return None;
    }
    let minutes = interval.milliseconds() / MINUTE.milliseconds();
    match minutes {
        1 => Some("* * * * *".to_owned()),
        2..=59 if 60 % minutes == 0 => Some(format!("*/{minutes} * * * *")),
        60 => Some("0 * * * *".to_owned()),
        61..=1439 if minutes.is_multiple_of(60) && 1440 % minutes == 0 => Some(format!("0 */{} * * *", minutes / 60)),
        1440 => Some("0 0 * * *".to_owned()),
        _ => None,
    }
}
