//! Durations as people write them in other languages: `30mins`, `1h30m`.
//!
//! Never accepts them: it only knows what is meant.

use crate::schema::Duration;

/// The unit that a word stands for.
pub(super) fn unit_of(word: &str) -> Option<&'static str> {
    Some(match word.to_lowercase().as_str() {
        "s" | "sec" | "secs" | "second" | "seconds" => "s",
        "m" | "min" | "mins" | "minute" | "minutes" => "m",
        "h" | "hr" | "hrs" | "hour" | "hours" => "h",
        "d" | "day" | "days" => "d",
        _ => return None,
    })
}

/// `30mins` as `30m`, `1h30m` as `90m`.
pub(super) fn in_one_unit(written: &str) -> Option<String> {
    let mut total = Duration::ZERO;
    let mut rest = written;
    let mut single = None;
    let mut parts = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, behind) = rest.split_at_checked(digits)?;
        let letters = behind.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, behind) = behind.split_at_checked(letters)?;
        let part = format!("{number}{}", unit_of(unit)?);
        total = total.plus(part.parse().ok()?);
        single = Some(part);
        parts += 1;
        rest = behind;
    }
    if parts == 1 { single } else { Some(total.to_string()) }
}
