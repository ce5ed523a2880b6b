//! A span of time as detections and schemas write it.

use serde::Serialize;

use std::fmt;
use std::str::FromStr;

/// A span of time in whole milliseconds, written with one unit (`90s`, `15m`, `1h`, `7d`; `ms` in tests).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Duration {
    milliseconds: u64,
}

/// Names of the units with their length in milliseconds, longest first.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

impl Duration {
    /// Nothing at all.
    pub const ZERO: Self = Self { milliseconds: 0 };

    /// Makes a duration from milliseconds.
    #[must_use]
    pub const fn from_milliseconds(milliseconds: u64) -> Self {
        Self { milliseconds }
    }

    /// Makes a duration from whole seconds.
    #[must_use]
    pub const fn from_seconds(seconds: u64) -> Self {
        Self { milliseconds: seconds.saturating_mul(1_000) }
    }

    /// Length in milliseconds.
    #[must_use]
    pub const fn milliseconds(self) -> u64 {
        self.milliseconds
    }

    /// Length in whole seconds, rounded up.
    #[must_use]
    pub const fn seconds_up(self) -> u64 {
        self.milliseconds.div_ceil(1_000)
    }

    /// Whether the length is a whole number of seconds.
    #[must_use]
    pub const fn is_whole_seconds(self) -> bool {
        self.milliseconds.is_multiple_of(1_000)
    }

    /// Whether the length is zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.milliseconds == 0
    }

    /// The sum; the longest duration where it would overflow.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self { milliseconds: self.milliseconds.saturating_add(other.milliseconds) }
    }

    /// The smallest multiple of `step` that is not shorter; `self` when `step` is zero.
    #[must_use]
    pub const fn round_up_to(self, step: Self) -> Self {
        if step.milliseconds == 0 {
            return self;
        }
        Self { milliseconds: self.milliseconds.div_ceil(step.milliseconds).saturating_mul(step.milliseconds) }
    }
}

impl fmt::Display for Duration {
    /// Writes the longest unit that leaves no remainder.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.milliseconds == 0 {
            return f.write_str("0s");
        }
        let (name, length) =
            UNITS.iter().find(|(_, length)| self.milliseconds.is_multiple_of(*length)).unwrap_or(&("ms", 1));
        write!(f, "{}{name}", self.milliseconds / length)
    }
}

/// Why a text is no duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidDuration;

impl fmt::Display for InvalidDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration is a whole number with one unit, such as `90s`, `15m`, `1h` or `7d`")
    }
}

impl std::error::Error for InvalidDuration {}

impl FromStr for Duration {
    type Err = InvalidDuration;

    fn from_str(text: &str) -> Result<Self, InvalidDuration> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at_checked(digits).ok_or(InvalidDuration)?;
        let number: u64 = number.parse().map_err(|_| InvalidDuration)?;
        let (_, length) = UNITS.iter().find(|(name, _)| *name == unit).ok_or(InvalidDuration)?;
        let milliseconds = number.checked_mul(*length).ok_or(InvalidDuration)?;
        Ok(Self { milliseconds })
    }
}

impl Serialize for Duration {
    /// As text.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
