//! How far a run is, for somebody who sits before it.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use super::output::Output;
use crate::cli::session::Session;

/// Time between two lines.
const PAUSE: Duration = Duration::from_millis(200);

/// A line on the terminal that is written over and over; nothing where standard error is none.
pub(super) struct Progress {
    is_shown: bool,
    started: Instant,
    last: Option<Instant>,
}

impl Progress {
    pub(super) fn new(session: &Session) -> Self {
        Self { is_shown: io::stderr().is_terminal() && !session.quiet(), started: Instant::now(), last: None }
    }

    /// Shows numbers, at times.
    pub(super) fn show(&mut self, events: u64, output: &Output<'_>) {
        let now = Instant::now();
        if !self.is_shown || now.duration_since(self.last.unwrap_or(self.started)) < PAUSE {
            return;
        }
        self.last = Some(now);
        let passed = u64::try_from(now.duration_since(self.started).as_millis()).unwrap_or(u64::MAX).max(1);
        let speed = events.saturating_mul(1_000) / passed;
        let _ = write!(io::stderr(), "\r\x1b[K{events} events, {} alerts, {speed} events/s", output.alerts());
    }

    /// Takes the line away.
    pub(super) fn clear(&self) {
        if self.last.is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
