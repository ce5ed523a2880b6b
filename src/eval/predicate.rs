//! Conditions on one event: true or false, never unknown.

use std::cmp::Ordering;

use super::cell::Cell;
use super::scope::Scope;
use super::{network, pattern};
use crate::ir::{CaseRule, OpeningHours, Order, Predicate, Quantifier, Weekday};

impl<'a> Scope<'a> {
    /// Whether the condition is true; a test of a missing value is false.
    pub(super) fn holds(&self, predicate: &'a Predicate) -> bool {
        match predicate {
            Predicate::Constant(value) => *value,
            Predicate::And(parts) => parts.iter().all(|part| self.holds(&part.node)),
            Predicate::Or(parts) => parts.iter().any(|part| self.holds(&part.node)),
            Predicate::Not(inner) => !self.holds(&inner.node),
            Predicate::Exists(value) => self.exists(value),
            Predicate::IsTrue(value) => self.value(value) == Some(Cell::Bool(true)),
            Predicate::Equal { left, right, case } => {
                let (left, right) = (self.value(left), self.value(right));
                left.zip(right).is_some_and(|(left, right)| equal(&left, &right, *case))
            }
            Predicate::Ordered { left, order, right } => {
                let (left, right) = (self.value(left), self.value(right));
                left.zip(right)
                    .and_then(|(left, right)| compare(&left, &right))
                    .is_some_and(|found| fits(found, *order))
            }
            Predicate::In { value, items, case } => self.value(value).is_some_and(|value| {
                items.iter().filter_map(Cell::from_literal).any(|item| equal(&value, &item, *case))
            }),
            Predicate::Text { value, tests, case } => match self.value(value) {
                Some(Cell::Text(text)) => tests.iter().any(|test| pattern::passes(&text, test, *case, self.patterns)),
                Some(Cell::Bool(_) | Cell::Number(_) | Cell::Time(_) | Cell::List(..) | Cell::Object) | None => false,
            },
            Predicate::InNetwork { value, networks } => match self.value(value) {
                Some(Cell::Text(text)) => network::is_in(&text, networks),
                Some(Cell::Bool(_) | Cell::Number(_) | Cell::Time(_) | Cell::List(..) | Cell::Object) | None => false,
            },
            Predicate::IsAddress { value, set } => match self.value(value) {
                Some(Cell::Text(text)) => network::is_of(&text, *set),
                Some(Cell::Bool(_) | Cell::Number(_) | Cell::Time(_) | Cell::List(..) | Cell::Object) | None => false,
            },
            Predicate::OutsideHours { time, hours } => match self.value(time) {
                Some(Cell::Time(time)) => !is_open(hours, time),
                Some(Cell::Bool(_) | Cell::Number(_) | Cell::Text(_) | Cell::List(..) | Cell::Object) | None => false,
            },
            Predicate::Quantified { quantifier, list, variable, predicate } => {
                let items = self.items(list);
                let mut results = items.iter().map(|item| self.inside(variable, item).holds(&predicate.node));
                match quantifier {
                    Quantifier::Any => results.any(|passed| passed),
                    Quantifier::All => results.all(|passed| passed),
                    Quantifier::None => !results.any(|passed| passed),
                }
            }
        }
    }
}

/// Whether two values that are there are equal.
pub(super) fn equal(left: &Cell, right: &Cell, case: CaseRule) -> bool {
    match (left, right) {
        (Cell::Text(left), Cell::Text(right)) => pattern::equal(left, right, case),
        (left, right) => left == right,
    }
}

fn compare(left: &Cell, right: &Cell) -> Option<Ordering> {
    match (left, right) {
        (Cell::Number(left), Cell::Number(right)) => Some(left.compare(right)),
        (Cell::Time(left), Cell::Time(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

const fn fits(found: Ordering, order: Order) -> bool {
    match order {
        Order::Less => found.is_lt(),
        Order::LessOrEqual => found.is_le(),
        Order::Greater => found.is_gt(),
        Order::GreaterOrEqual => found.is_ge(),
    }
}

const MINUTE: i128 = 60_000_000_000;
const DAY: i128 = 1_440 * MINUTE;

/// Hour of the day in UTC.
pub(super) const fn hour(time: i128) -> i64 {
    (time.rem_euclid(DAY) / (60 * MINUTE)) as i64
}

/// Day of the week in UTC, Monday being 1; 1970 began on a Thursday.
pub(super) const fn weekday(time: i128) -> i64 {
    ((time.div_euclid(DAY) + 3).rem_euclid(7) + 1) as i64
}

/// Whether an instant lies inside opening hours; the day is that of the instant, also after midnight.
fn is_open(hours: &OpeningHours, time: i128) -> bool {
    let local = time + i128::from(hours.offset_minutes) * MINUTE;
    let minute = local.rem_euclid(DAY).div_euclid(MINUTE);
    let (start, end) = (i128::from(hours.start_minute), i128::from(hours.end_minute));
    let day = weekday(local);
    let opens = hours.days.iter().any(|Weekday(number)| i64::from(*number) == day);
    let inside = if end > start { start <= minute && minute < end } else { minute >= start || minute < end };
    opens && inside
}
