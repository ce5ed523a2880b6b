//! Numbers of any length, compared exactly.

use std::cmp::Ordering;
use std::fmt;

/// A decimal number without superfluous zeros.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Number {
    negative: bool,
    whole: String,
    fraction: String,
}

impl Number {
    /// Reads an optional minus, digits, and perhaps a point with digits; leading zeros are dropped.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = match unsigned.split_once('.') {
            Some((whole, fraction)) if digits(fraction) => (whole, fraction),
            Some(_) => return None,
            None => (unsigned, ""),
        };
        if !digits(whole) {
            return None;
        }
        let whole = whole.trim_start_matches('0').to_owned();
        let fraction = fraction.trim_end_matches('0').to_owned();
        let negative = text.starts_with('-') && !(whole.is_empty() && fraction.is_empty());
        Some(Self { negative, whole, fraction })
    }

    /// Reads the text that a number has in an event: no plus, no leading zeros, no exponent.
    pub(super) fn from_shortest(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let whole = unsigned.split('.').next().unwrap_or_default();
        if whole.len() > 1 && whole.starts_with('0') {
            return None;
        }
        Self::parse(text)
    }

    /// A number of JSON; `None` where it is beyond what JSON readers hold.
    pub(super) fn from_json(number: &serde_json::Number) -> Option<Self> {
        match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(whole), _, _) => Some(Self::from_int(whole)),
            (None, Some(whole), _) => Self::parse(&whole.to_string()),
            // Rust writes a float's shortest digits without exponent.
            (None, None, Some(float)) => Self::parse(&float.to_string()),
            (None, None, None) => None,
        }
    }

    /// A whole number.
    pub(super) fn from_int(whole: i64) -> Self {
        let digits = whole.unsigned_abs();
        let whole_text = if digits == 0 { String::new() } else { digits.to_string() };
        Self { negative: whole < 0, whole: whole_text, fraction: String::new() }
    }

    /// The number as a whole one of 64 bits, where it is one.
    pub(super) fn as_int(&self) -> Option<i64> {
        if self.fraction.is_empty() { self.to_string().parse().ok() } else { None }
    }

    /// Compares by value.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => self.compare_size(other),
            (true, true) => other.compare_size(self),
        }
    }

    fn compare_size(&self, other: &Self) -> Ordering {
        let whole = self.whole.len().cmp(&other.whole.len()).then_with(|| self.whole.cmp(&other.whole));
        // Fractions without trailing zeros compare like words.
        whole.then_with(|| self.fraction.cmp(&other.fraction))
    }
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negative {
            f.write_str("-")?;
        }
        f.write_str(if self.whole.is_empty() { "0" } else { &self.whole })?;
        if self.fraction.is_empty() { Ok(()) } else { write!(f, ".{}", self.fraction) }
    }
}
