//! When a query runs and how far it reads back, derived from the behaviour and the sources.

use serde::Serialize;

use super::Detection;
use crate::schema::Duration;

/// Schedule of one query: a run at `now` reports the hits in `(end - interval, end]`, `end` being `now - lag` rounded down
/// to a multiple of the interval, and reads from `end - interval - lookback` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// Time between two runs.
    pub interval: Duration,
    /// The latest arrival of the sources' events, rounded up to a multiple of the interval.
    pub lag: Duration,
    /// How far a hit can reach back before its closing instant.
    pub lookback: Duration,
}

impl Schedule {
    /// Derives the schedule of a detection for runs that are `interval` apart.
    #[must_use]
    pub fn derive(detection: &Detection, interval: Duration) -> Self {
        let lag = detection.sources().iter().map(|source| source.lag).max().unwrap_or(Duration::ZERO);
        Self { interval, lag: lag.round_up_to(interval), lookback: detection.lookback() }
    }

    /// How far back from `now` a run reads: look-back, interval and lag.
    #[must_use]
    pub const fn range(&self) -> Duration {
        self.lookback.plus(self.interval).plus(self.lag)
    }
}

impl Serialize for Schedule {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut record = serializer.serialize_struct("Schedule", 4)?;
        record.serialize_field("interval", &self.interval.to_string())?;
        record.serialize_field("lag", &self.lag.to_string())?;
        record.serialize_field("lookback", &self.lookback.to_string())?;
        record.serialize_field("range", &self.range().to_string())?;
        record.end()
    }
}
