//! Cuts a log into JSON values: lines, values that span lines, elements of lists and of a list inside an object.
//!
//! Never holds a list: its elements come one by one. Never reads what a value holds; it asks whether one is an event.

use super::input::Input;
use super::scan::{Progress, Scan};

/// Longest line that is held to be read at once; longer ones are looked through for a list first.
const LINE: usize = 1024 * 1024;
/// Longest single value; a longer one is a fault.
const LONGEST: usize = 64 * 1024 * 1024;
const TOO_LONG: &str = "a value longer than 64 MiB";

/// One value, or what stands in the place of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// A value: so many of the unread bytes, on this line.
    Value {
        /// The line, from 1.
        line: u64,
        /// Whether its structure was followed; otherwise it is a line that looks like an object.
        scanned: bool,
    },
    /// Something that is no value.
    Fault {
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        why: &'static str,
    },
}

/// Where in the log the reading stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Between values.
    Outside,
    /// Between values of a list whose structure broke; only objects count.
    Recovering,
    /// Inside a list that stands alone or in an object, before an element or an end.
    Inside { in_object: bool, is_first: bool },
}

/// Cuts a log into values.
pub(super) struct Values {
    input: Input,
    place: Place,
    /// Length of the value that was given last.
    given: usize,
    /// Whether the structure of the next value is to be followed, not its line.
    follow: bool,
}

/// Tells whether bytes are an event; a list of such is opened.
pub(super) type IsEvent<'a> = &'a mut dyn FnMut(&[u8]) -> bool;

impl Values {
    /// Starts at the beginning.
    pub(super) const fn new(input: Input) -> Self {
        Self { input, place: Place::Outside, given: 0, follow: false }
    }

    /// The bytes of the value that was given last.
    pub(super) fn bytes(&self) -> &[u8] {
        self.input.unread().get(..self.given).unwrap_or_default()
    }

    /// Why the log could not be read to its end, once.
    pub(super) fn failure(&mut self) -> Option<String> {
        self.input.failure()
    }

    /// Gives the last value again by its structure: it may be a wrapper around a list, or the start of a longer value.
    pub(super) const fn follow(&mut self) {
        self.given = 0;
        self.follow = true;
    }

    /// The next value; `None` at the end of the log.
    pub(super) fn next(&mut self, is_event: IsEvent<'_>) -> Option<Piece> {
        self.input.take(std::mem::take(&mut self.given));
        loop {
            let follow = std::mem::take(&mut self.follow);
            if !self.input.skip_blanks() {
                if self.place == Place::Outside || self.place == Place::Recovering {
                    return None;
                }
                self.place = Place::Outside;
                return Some(Piece::Fault { line: self.input.line(), why: "the log ends inside a list" });
            }
            let found = match self.place {
                Place::Outside if follow => self.whole(is_event),
                Place::Outside => self.outside(is_event),
                Place::Recovering => self.recover(),
                Place::Inside { in_object, is_first } => self.element(in_object, is_first),
            };
            if found.is_some() {
                return found;
            }
        }
    }

    fn outside(&mut self, is_event: IsEvent<'_>) -> Option<Piece> {
        let line = self.input.line();
        match self.input.at(0) {
            Some(b'[') => {
                self.input.take(1);
                self.place = Place::Inside { in_object: false, is_first: true };
                return None;
            }
            Some(b'{') => {}
            Some(0xef)
                if line == 1 && self.input.at(2).is_some() && self.input.unread().starts_with(b"\xef\xbb\xbf") =>
            {
                self.input.take(3);
                return None;
            }
            Some(0xfe | 0xff) if line == 1 => {
                self.input.skip_line();
                while self.input.skip_blanks() {
                    self.input.skip_line();
                }
                return Some(Piece::Fault { line, why: "the log is not UTF-8" });
            }
            _ => {
                self.input.skip_line();
                return Some(Piece::Fault { line, why: "neither an object nor a list" });
            }
        }
        let mut searched = 0;
        let end = loop {
            let unread = self.input.unread();
            if let Some(end) = memchr::memchr(b'\n', unread.get(searched..).unwrap_or_default()) {
                break Some(searched + end);
            }
            searched = unread.len();
            if searched >= LINE {
                break None;
            }
            if !self.input.fill() {
                break Some(self.input.unread().len());
            }
        };
        let length = self.input.unread().get(..end.unwrap_or(0)).unwrap_or_default().trim_ascii_end().len();
        if length > 0 && self.input.at(length - 1) == Some(b'}') {
            self.given = length;
            return Some(Piece::Value { line, scanned: false });
        }
        self.whole(is_event)
    }

    /// A value by its structure; a list in it whose first element is an event is opened instead.
    fn whole(&mut self, is_event: IsEvent<'_>) -> Option<Piece> {
        let line = self.input.line();
        let mut at = 1;
        loop {
            at = match self.input.past_blanks(at) {
                Some(at) => at,
                None => return Some(self.broken(line, "the object has no end")),
            };
            if self.input.at(at) == Some(b'}') {
                return Some(self.give(line, at + 1));
            }
            if self.input.at(at) == Some(b',') {
                at = self.input.past_blanks(at + 1).unwrap_or(at + 1);
            }
            if self.input.at(at) != Some(b'"') {
                return Some(self.broken(line, "not JSON"));
            }
            let Ok(name) = self.end(at) else { return Some(self.broken(line, "not JSON")) };
            let colon = self.input.past_blanks(name);
            let Some(colon) = colon.filter(|at| self.input.at(*at) == Some(b':')) else {
                return Some(self.broken(line, "not JSON"));
            };
            let Some(value) = self.input.past_blanks(colon + 1) else {
                return Some(self.broken(line, "the object has no end"));
            };
            let element = self.input.past_blanks(value + 1);
            if self.input.at(value) == Some(b'[')
                && let Some(element) = element.filter(|at| self.input.at(*at) == Some(b'{'))
            {
                let end = match self.end(element) {
                    Ok(end) => end,
                    Err(why) => return Some(self.broken(line, why)),
                };
                if is_event(self.input.unread().get(element..end).unwrap_or_default()) {
                    self.input.take(element);
                    self.place = Place::Inside { in_object: true, is_first: true };
                    return None;
                }
            }
            at = match self.end(value) {
                Ok(end) => end,
                Err(why) => return Some(self.broken(line, why)),
            };
            // Between members stands a comma; the end is looked at above.
            let next = self.input.past_blanks(at);
            if next.is_some_and(|next| !matches!(self.input.at(next), Some(b',' | b'}'))) {
                return Some(self.broken(line, "not JSON"));
            }
        }
    }

    fn give(&mut self, line: u64, length: usize) -> Piece {
        self.given = length;
        Piece::Value { line, scanned: true }
    }

    /// Passes over the line on which a broken value starts.
    fn broken(&mut self, line: u64, why: &'static str) -> Piece {
        self.input.skip_line();
        Piece::Fault { line, why }
    }

    /// Where the value ends that starts at a distance from the first unread byte.
    fn end(&mut self, start: usize) -> Result<usize, &'static str> {
        let mut scan = Scan::value();
        let mut looked = start;
        loop {
            let unread = self.input.unread();
            match scan.feed(unread.get(looked..).unwrap_or_default()) {
                Progress::Done(length) if looked + length <= LONGEST => return Ok(looked + length),
                Progress::Done(_) => return Err(TOO_LONG),
                Progress::Wrong(_) => return Err("not JSON"),
                Progress::More => {}
            }
            looked = unread.len();
            if looked > LONGEST {
                return Err(TOO_LONG);
            }
            if !self.input.fill() {
                return Err("the value has no end");
            }
        }
    }

    fn element(&mut self, in_object: bool, is_first: bool) -> Option<Piece> {
        let line = self.input.line();
        match self.input.at(0) {
            Some(b']') => {
                self.input.take(1);
                self.place = Place::Outside;
                return if in_object { self.rest_of_object(line) } else { None };
            }
            Some(b',') if !is_first => {
                self.input.take(1);
                if !self.input.skip_blanks() {
                    return None;
                }
            }
            _ if is_first => {}
            // A comma is missing; the object itself may be whole.
            Some(b'{') => {
                self.place = Place::Recovering;
                return Some(Piece::Fault { line, why: "a list that is not JSON" });
            }
            _ => return Some(self.lost(line, "a list that is not JSON")),
        }
        let line = self.input.line();
        match self.end(0) {
            Ok(length) => {
                self.place = Place::Inside { in_object, is_first: false };
                Some(self.give(line, length))
            }
            Err(why) => Some(self.lost(line, why)),
        }
    }

    /// Passes over what follows the list in its object.
    fn rest_of_object(&mut self, line: u64) -> Option<Piece> {
        let mut scan = Scan::behind_member();
        loop {
            match scan.feed(self.input.unread()) {
                Progress::Done(length) => {
                    self.input.take(length);
                    return None;
                }
                Progress::Wrong(length) => {
                    self.input.take(length);
                    return Some(self.lost(self.input.line(), "not JSON"));
                }
                Progress::More => self.input.take(self.input.unread().len()),
            }
            if !self.input.fill() {
                return Some(Piece::Fault { line, why: "the object around the list has no end" });
            }
        }
    }

    /// Passes over the line on which a list breaks, and goes on with the next object at the start of a line.
    fn lost(&mut self, line: u64, why: &'static str) -> Piece {
        self.place = Place::Recovering;
        self.input.skip_line();
        Piece::Fault { line, why }
    }

    fn recover(&mut self) -> Option<Piece> {
        match self.input.at(0) {
            Some(b'{') => {
                let line = self.input.line();
                match self.end(0) {
                    Ok(length) => return Some(self.give(line, length)),
                    Err(why) => return Some(self.broken(line, why)),
                }
            }
            Some(b',') => self.input.take(1),
            _ => self.input.skip_line(),
        }
        None
    }
}
