//! Conditions on one row: true or false, never unknown.

use std::cmp::Ordering;

use super::text::Probe;
use super::{Cell, Scope, Test, address};
use crate::ir::{OpeningHours, Order, Quantifier, Weekday};

impl<'a> Scope<'a> {
    /// Whether the condition is true; a test of a missing value is false.
    pub(in crate::eval) fn holds(&self, test: &'a Test) -> bool {
        match test {
            Test::Constant(value) => *value,
            Test::OfSource(name) => self.is_of(name),
            Test::And(parts) => parts.iter().all(|part| self.holds(part)),
            Test::Or(parts) => parts.iter().any(|part| self.holds(part)),
            Test::Not(inner) => !self.holds(inner),
            Test::Exists(term) => self.exists(term),
            Test::IsTrue(term) => self.value(term) == Some(Cell::Bool(true)),
            Test::Is(term, wanted) => matches!(self.value(term), Some(Cell::Text(text)) if wanted.is(&text)),
            Test::Equal { left, right, exact } => {
                let (left, right) = (self.value(left), self.value(right));
                left.zip(right).is_some_and(|(left, right)| equal(&left, &right, *exact))
            }
            Test::Ordered { left, order, right } => {
                let (left, right) = (self.value(left), self.value(right));
                let found = left.zip(right).and_then(|(left, right)| compare(&left, &right));
                found.is_some_and(|found| fits(found, *order))
            }
            Test::InTexts(term, texts) => matches!(self.value(term), Some(Cell::Text(text)) if texts.contain(&text)),
            Test::InCells(term, cells) => self.value(term).is_some_and(|value| cells.contains(&value)),
            Test::Text(term, probes) => match self.value(term) {
                Some(Cell::Text(text)) => Probe::any_passes(probes, &text),
                Some(_) | None => false,
            },
            Test::InNetwork(term, networks) => {
                matches!(self.value(term), Some(Cell::Text(text)) if address::is_in(&text, networks))
            }
            Test::IsAddress(term, set, private) => {
                matches!(self.value(term), Some(Cell::Text(text)) if address::is_of(&text, *set, private))
            }
            Test::OutsideHours(term, hours) => {
                matches!(self.value(term), Some(Cell::Time(time)) if !is_open(hours, time))
            }
            Test::Quantified { quantifier, list, test } => {
                let mut results = self.items(list).map(|item| self.inside(&self.frame(item)).holds(test));
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
fn equal(left: &Cell<'_>, right: &Cell<'_>, exact: bool) -> bool {
    match (left, right) {
        (Cell::Text(left), Cell::Text(right)) if !exact => {
            left == right || super::fold::folded(left) == super::fold::folded(right)
        }
        (left, right) => left == right,
    }
}

fn compare(left: &Cell<'_>, right: &Cell<'_>) -> Option<Ordering> {
    match (left, right) {
        (Cell::Number(left), Cell::Number(right)) => Some(left.cmp(right)),
        (Cell::Time(left), Cell::Time(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

/// Whether two values that compare so are in an order.
pub(in crate::eval) const fn fits(found: Ordering, order: Order) -> bool {
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
