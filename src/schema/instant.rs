//! Reads instants as sources write them.
//!
//! Never knows a zone but UTC: a source whose times have no offset writes UTC.

use jiff::civil::DateTime;
use jiff::{Timestamp, tz::TimeZone};

/// An instant in RFC 3339; UTC where it has no offset, as in `2026-01-05T12:00:00` and `2026-01-05 12:00:00.250`.
#[must_use]
pub fn instant(text: &str) -> Option<Timestamp> {
    if let Ok(instant) = text.parse() {
        return Some(instant);
    }
    // A day alone is none.
    let local: DateTime = text.contains(':').then(|| text.parse().ok()).flatten()?;
    local.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}
