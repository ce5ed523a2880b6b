//! What a run counts: events by source, what could not be read, what came late.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::log_name;
use super::output::Output;
use crate::cli::session::{Session, Stream};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::eval::time_to_text;
use crate::logs::{Fault, FaultKind, Found, Log};
use crate::schema::Duration;
use crate::source::Sources;

/// Places of one kind that are shown; the others are counted.
const SHOWN: usize = 5;

/// An event that came too late.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Late {
    /// The event's time.
    pub(super) time: i64,
    /// Index of its log.
    pub(super) log: u32,
    /// Its line.
    pub(super) line: u64,
}

/// Counts of a run.
pub(super) struct Tally<'a> {
    logs: &'a [Log],
    read: BTreeMap<Arc<str>, u64>,
    unread: BTreeMap<Arc<str>, u64>,
    faults: BTreeMap<FaultKind, (u64, Vec<Fault>)>,
    late: (u64, Vec<Late>),
    /// The event with the latest time.
    latest: Option<Late>,
}

impl<'a> Tally<'a> {
    pub(super) const fn new(logs: &'a [Log]) -> Self {
        Self {
            logs,
            read: BTreeMap::new(),
            unread: BTreeMap::new(),
            faults: BTreeMap::new(),
            late: (0, Vec::new()),
            latest: None,
        }
    }

    pub(super) fn read(&mut self, found: &Found) {
        match self.read.get_mut(&found.event.source) {
            Some(number) => *number += 1,
            None => {
                self.read.insert(found.event.source.clone(), 1);
            }
        }
        if self.latest.as_ref().is_none_or(|latest| latest.time < found.event.time) {
            self.latest = Some(Late { time: found.event.time, log: found.log, line: found.line });
        }
    }

    pub(super) fn unread(&mut self, source: Arc<str>) {
        *self.unread.entry(source).or_default() += 1;
    }

    pub(super) fn late(&mut self, late: Late) {
        self.late.0 += 1;
        if self.late.1.len() < SHOWN {
            self.late.1.push(late);
        }
    }

    pub(super) fn fault(&mut self, fault: Fault) {
        let (number, shown) = self.faults.entry(fault.kind).or_default();
        *number += 1;
        if shown.len() < SHOWN {
            shown.push(fault);
        }
    }

    /// Says what was counted; whether an input had errors.
    pub(super) fn report(&self, session: &Session, lateness: Duration, output: &Output<'_>) -> bool {
        let mut found = Diagnostics::default();
        for (kind, (number, shown)) in &self.faults {
            for fault in shown {
                found.push(diagnostic(fault));
            }
            let more = number - shown.len() as u64;
            if more > 0 {
                found.push(Diagnostic::without_place(code(*kind), format!("{more} more: {}", code(*kind).meaning())));
            }
        }
        for late in &self.late.1 {
            let place = self.place(late);
            let message = format!("`{place}`: an event of {} came too late", time_to_text(late.time));
            found.push(Diagnostic::without_place(Code::LateEvent, message));
        }
        if self.late.0 > 0 {
            let latest = self.latest.as_ref();
            let clock = latest
                .map(|late| format!("the latest event is `{}`, of {}", self.place(late), time_to_text(late.time)));
            let message =
                format!("{} late in all, left out: more than {lateness} behind later events", events(self.late.0));
            let diagnostic = Diagnostic::without_place(Code::LateEvent, message);
            let help = "give `--lateness` as long as the logs are out of order; memory grows with it";
            found.push(clock.into_iter().fold(diagnostic, Diagnostic::help).help(help));
        }
        let count = |kind: FaultKind| self.faults.get(&kind).map_or(0, |(number, _)| *number);
        let malformed = count(FaultKind::Malformed) + count(FaultKind::Timeless);
        if self.read.is_empty() && self.unread.is_empty() && count(FaultKind::Unreadable) + malformed == 0 {
            let message = "the logs have no event of a known source";
            let help = "say of which source they are with `--source` or `--log SOURCE=FILE`";
            found.push(Diagnostic::without_place(Code::MalformedLog, message).help(help));
        }
        let errors = session.show(found, &Sources::default(), Stream::Err);
        for (source, number) in &self.unread {
            session.summary(&format!("{} of {source} passed over: no detection here reads them", events(*number)));
        }
        let read: Vec<String> =
            self.read.iter().map(|(source, number)| format!("{} of {source}", events(*number))).collect();
        let read = if read.is_empty() { "no events".to_owned() } else { read.join(", ") };
        session.summary(&format!(
            "{read}; {malformed} malformed, {} unknown, {} late; {} hits, {} alerts",
            count(FaultKind::Unknown),
            self.late.0,
            output.hits(),
            output.alerts(),
        ));
        errors
    }

    fn place(&self, late: &Late) -> String {
        format!("{}:{}", log_name(self.logs, late.log), late.line)
    }
}

fn events(number: u64) -> String {
    if number == 1 { "1 event".to_owned() } else { format!("{number} events") }
}

const fn code(kind: FaultKind) -> Code {
    match kind {
        FaultKind::Unreadable => Code::UnreadableLog,
        FaultKind::Malformed | FaultKind::Timeless => Code::MalformedLog,
        FaultKind::Unknown => Code::UnknownEvent,
    }
}

fn diagnostic(fault: &Fault) -> Diagnostic {
    let place = fault.line.map_or_else(|| fault.log.to_string(), |line| format!("{}:{line}", fault.log));
    let message = match fault.kind {
        FaultKind::Unreadable => format!("`{place}` cannot be read to its end: {}", fault.detail),
        FaultKind::Malformed => format!("`{place}` is no event: {}", fault.detail),
        FaultKind::Timeless | FaultKind::Unknown => format!("`{place}`: an event with {}", fault.detail),
    };
    Diagnostic::without_place(code(fault.kind), message)
}
