//! Several logs as one stream of events, as near to the order of their times as each log itself is.
//!
//! Never opens a log before its first event is due, so that a folder of thousands costs no memory.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

use super::{Found, Item, Log, Reader, Recognition};

/// Logs that are opened at once without looking at them first.
const OPEN: usize = 32;

/// Reads several logs.
pub struct Merge {
    recognition: Arc<Recognition>,
    /// Logs that are closed, by the time of their first event; the earliest is last.
    closed: Vec<(i64, Reverse<u32>, Log)>,
    open: Vec<Option<(Reader, Found)>>,
    /// The next event of each open log: its time, the index of the log, the place in `open`.
    heads: BinaryHeap<Reverse<(i64, u32, usize)>>,
    /// What was met on the way to the next event of a log.
    beside: VecDeque<Item>,
}

impl Merge {
    /// Starts with all logs; the index of a log is its place here.
    #[must_use]
    pub fn new(logs: &[Log], recognition: Arc<Recognition>) -> Self {
        let mut merge = Self {
            recognition,
            closed: Vec::new(),
            open: Vec::new(),
            heads: BinaryHeap::new(),
            beside: VecDeque::new(),
        };
        let many = logs.len() > OPEN;
        for (log, index) in logs.iter().zip(0_u32..) {
            let can_reopen = log.path.as_ref().is_some_and(|path| path.is_file());
            if !(many && can_reopen) {
                merge.open(log, index);
                continue;
            }
            let reader = Reader::open(log, index, merge.recognition.clone());
            let first = reader.into_iter().find_map(|item| match item {
                Item::Event(found) => Some(found.event.time),
                Item::Unread(_) | Item::Fault(_) => None,
            });
            // A log without events still has its faults to tell.
            merge.closed.push((first.unwrap_or(i64::MIN), Reverse(index), log.clone()));
        }
        merge.closed.sort_by_key(|(first, Reverse(index), _)| Reverse((*first, *index)));
        merge
    }

    fn open(&mut self, log: &Log, index: u32) {
        let reader = Reader::open(log, index, self.recognition.clone());
        let place = self.open.iter().position(Option::is_none).unwrap_or(self.open.len());
        if place == self.open.len() {
            self.open.push(None);
        }
        self.advance(reader, place);
    }

    /// Reads on to the next event of a log.
    fn advance(&mut self, mut reader: Reader, place: usize) {
        let found = loop {
            match reader.next() {
                Some(Item::Event(found)) => break found,
                Some(other) => self.beside.push_back(other),
                None => return,
            }
        };
        self.heads.push(Reverse((found.event.time, found.log, place)));
        if let Some(slot) = self.open.get_mut(place) {
            *slot = Some((reader, found));
        }
    }
}

impl Iterator for Merge {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        loop {
            if let Some(item) = self.beside.pop_front() {
                return Some(item);
            }
            let head = self.heads.peek().map(|Reverse((time, ..))| *time);
            let is_due = |first: i64| head.is_none_or(|head| first <= head);
            if let Some((_, Reverse(index), log)) = self.closed.pop_if(|(first, ..)| is_due(*first)) {
                self.open(&log, index);
                continue;
            }
            let Reverse((_, _, place)) = self.heads.pop()?;
            let (reader, found) = self.open.get_mut(place)?.take()?;
            self.advance(reader, place);
            return Some(Item::Event(found));
        }
    }
}
