//! One log as events and faults, in the order in which they stand.
//!
//! Never stops at a fault: what can be read is read.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use super::input::Input;
use super::values::{Piece, Values};
use super::{Recognised, Recognition, Verdict};

/// A log that is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// As a user names it.
    pub name: Arc<str>,
    /// Where it stands; `None` for standard input.
    pub path: Option<PathBuf>,
    /// The source that the user names; by signature without.
    pub source: Option<String>,
}

/// An event where it was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The event.
    pub event: Recognised,
    /// Index of the log, as the reader was told.
    pub log: u32,
    /// The line on which it starts, from 1.
    pub line: u64,
}

/// Something in a log that is no event to evaluate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Name of the log.
    pub log: Arc<str>,
    /// The line, from 1; `None` for the log as a whole.
    pub line: Option<u64>,
    /// What kind.
    pub kind: FaultKind,
    /// What exactly.
    pub detail: String,
}

/// Kinds of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// The log could not be read, or not to its end.
    Unreadable,
    /// Not JSON, or no object.
    Malformed,
    /// An event without a time.
    Timeless,
    /// An object with the signature of no source.
    Unknown,
}

/// What was found in a log.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// An event of a source that is read.
    Event(Found),
    /// An event of a known source that nothing reads.
    Unread(Arc<str>),
    /// A fault.
    Fault(Fault),
}

/// Reads one log.
pub struct Reader {
    log: Log,
    index: u32,
    values: Option<Values>,
    failure: Option<String>,
    recognition: Arc<Recognition>,
    /// Events of the record that was read last.
    rest: VecDeque<Item>,
}

impl Reader {
    /// Opens a log; one that cannot be opened has a single fault.
    #[must_use]
    pub fn open(log: &Log, index: u32, recognition: Arc<Recognition>) -> Self {
        let input = log.path.as_ref().map_or_else(|| Ok(Input::stdin()), |path| Input::open(path));
        let (values, failure) = match input {
            Ok(input) => (Some(Values::new(input)), None),
            Err(error) => (None, Some(error.to_string())),
        };
        Self { log: log.clone(), index, values, failure, recognition, rest: VecDeque::new() }
    }

    /// The log.
    #[must_use]
    pub const fn log(&self) -> &Log {
        &self.log
    }

    fn fault(&self, line: Option<u64>, kind: FaultKind, detail: impl Into<String>) -> Item {
        Item::Fault(Fault { log: self.log.name.clone(), line, kind, detail: detail.into() })
    }
}

impl Iterator for Reader {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        let given = self.log.source.as_deref();
        // Why a line was refused before its structure was followed.
        let mut refused: Option<String> = None;
        loop {
            if let Some(item) = self.rest.pop_front() {
                return Some(item);
            }
            let Some(values) = &mut self.values else {
                let failure = self.failure.take()?;
                return Some(self.fault(None, FaultKind::Unreadable, failure));
            };
            let recognition = &self.recognition;
            let piece = values.next(&mut |bytes| recognition.is_event(bytes, given));
            let Some(piece) = piece else {
                self.failure = values.failure();
                self.values = None;
                continue;
            };
            let (line, scanned) = match piece {
                Piece::Value { line, scanned } => (line, scanned),
                Piece::Fault { line, why } => {
                    let why = refused.unwrap_or_else(|| why.to_owned());
                    return Some(self.fault(Some(line), FaultKind::Malformed, why));
                }
            };
            let verdict = recognition.judge(values.bytes(), given);
            return Some(match verdict {
                Verdict::Event(event) => {
                    if let Some(events) = recognition.events_of(&event) {
                        let items = events.iter().map(|event| match recognition.judge(event.as_bytes(), given) {
                            Verdict::Event(event) => Item::Event(Found { event, log: self.index, line }),
                            Verdict::Unread(source) => Item::Unread(source),
                            Verdict::Timeless(_) | Verdict::Unknown | Verdict::NoObject | Verdict::Malformed(_) => {
                                let why = "an element of its list is no event";
                                self.fault(Some(line), FaultKind::Unknown, why)
                            }
                        });
                        self.rest = items.collect();
                        continue;
                    }
                    Item::Event(Found { event, log: self.index, line })
                }
                Verdict::Unread(source) => Item::Unread(source),
                // An object around a list of events, or the first line of an object that spans several.
                Verdict::Unknown | Verdict::Timeless(_) if !scanned => {
                    values.follow();
                    continue;
                }
                Verdict::Malformed(why) if !scanned => {
                    refused = Some(why);
                    values.follow();
                    continue;
                }
                Verdict::Timeless(field) => {
                    self.fault(Some(line), FaultKind::Timeless, format!("no time in `{field}`"))
                }
                Verdict::Unknown => self.fault(Some(line), FaultKind::Unknown, "the signature of no known source"),
                Verdict::NoObject => self.fault(Some(line), FaultKind::Malformed, "no object"),
                Verdict::Malformed(why) => self.fault(Some(line), FaultKind::Malformed, why),
            });
        }
    }
}
