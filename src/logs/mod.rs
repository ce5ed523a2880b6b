//! Raw logs as streams of events: JSON lines, lists, a list inside an object, each also gzipped.
//!
//! Never evaluates an event, and never holds more of a log than one value and a little read ahead.

mod files;
mod input;
mod merge;
mod reader;
mod recognition;
mod scan;
mod values;

pub use files::{ENDINGS, find};
pub use merge::Merge;
pub use reader::{Fault, FaultKind, Found, Item, Log, Reader};
pub use recognition::{Recognised, Recognition, Verdict};
