//! Numbers and durations next to those of a detection.
//!
//! Never leaves what the language allows: no window of nothing, no threshold below one.

use super::change::Change;
use crate::ir::Decimal;
use crate::schema::Duration;
use crate::source::Spanned;

/// A duration a millisecond shorter and a millisecond longer, as changes of what holds it.
pub(super) fn durations<T>(
    what: &str,
    of: &Spanned<Duration>,
    around: impl Fn(Spanned<Duration>) -> T,
) -> Vec<Change<T>> {
    let length = of.node.milliseconds();
    let others = [length.checked_sub(1).filter(|length| *length > 0), length.checked_add(1)];
    let change = |other: u64| {
        let other = Duration::from_milliseconds(other);
        Change::new(of.span, format!("{what} {} -> {other}", of.node), around(Spanned::new(other, of.span)))
    };
    others.into_iter().flatten().map(change).collect()
}

/// A duration that is shorter and longer by a given one.
pub(super) fn durations_by<T>(
    what: &str,
    of: &Spanned<Duration>,
    by: Duration,
    around: impl Fn(Spanned<Duration>) -> T,
) -> Vec<Change<T>> {
    let (length, by) = (of.node.milliseconds(), by.milliseconds());
    let others = [length.checked_sub(by).filter(|length| *length >= by), length.checked_add(by)];
    let change = |other: u64| {
        let other = Duration::from_milliseconds(other);
        Change::new(of.span, format!("{what} {} -> {other}", of.node), around(Spanned::new(other, of.span)))
    };
    others.into_iter().flatten().map(change).collect()
}

/// A threshold one lower and one higher.
pub(super) fn thresholds<T>(what: &str, of: &Spanned<u64>, around: impl Fn(Spanned<u64>) -> T) -> Vec<Change<T>> {
    let others = [of.node.checked_sub(1).filter(|other| *other > 0), of.node.checked_add(1)];
    let change = |other: u64| {
        Change::new(of.span, format!("{what} {} -> {other}", of.node), around(Spanned::new(other, of.span)))
    };
    others.into_iter().flatten().map(change).collect()
}

/// A decimal one step of its last digit lower and higher; never below zero.
pub(super) fn decimals(of: &Decimal) -> Vec<Decimal> {
    let (whole, fraction) = of.as_str().split_once('.').unwrap_or((of.as_str(), ""));
    let Ok(digits) = format!("{whole}{fraction}").parse::<i128>() else { return Vec::new() };
    let places = fraction.len();
    [digits - 1, digits + 1]
        .into_iter()
        .filter(|digits| *digits >= 0)
        .filter_map(|digits| scaled(digits, places))
        .collect()
}

/// A decimal a tenth lower and higher.
pub(super) fn tenths(of: &Decimal) -> Vec<Decimal> {
    let (whole, fraction) = of.as_str().split_once('.').unwrap_or((of.as_str(), ""));
    let Ok(digits) = format!("{whole}{fraction}").parse::<i128>() else { return Vec::new() };
    if digits == 0 {
        return Vec::new();
    }
    [9, 11].into_iter().filter_map(|factor| scaled(digits * factor, fraction.len() + 1)).collect()
}

/// `digits` with so many of them behind the point.
fn scaled(digits: i128, places: usize) -> Option<Decimal> {
    let text = format!("{digits:0>width$}", width = places + 1);
    let (whole, fraction) = text.split_at_checked(text.len() - places)?;
    Decimal::parse_number(&if places == 0 { whole.to_owned() } else { format!("{whole}.{fraction}") })
}
