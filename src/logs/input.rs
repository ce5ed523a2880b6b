//! The bytes of a log: from a file, a pipe or standard input, unpacked where they are gzipped.
//!
//! Never holds more than the caller has not taken yet, and a little read ahead.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

/// Bytes that are read at once.
const CHUNK: usize = 256 * 1024;

/// Unread bytes of a log with the line on which they stand.
pub(super) struct Input {
    reader: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    start: usize,
    line: u64,
    ended: bool,
    failure: Option<String>,
}

impl Input {
    /// Opens a file or a pipe.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
        }
        Ok(Self::new(Box::new(file)))
    }

    /// Reads standard input.
    pub(super) fn stdin() -> Self {
        Self::new(Box::new(io::stdin()))
    }

    /// Reads from anything; the first two bytes tell whether it is gzipped.
    pub(super) fn new(reader: Box<dyn Read + Send>) -> Self {
        let mut input = Self { reader, buffer: Vec::new(), start: 0, line: 1, ended: false, failure: None };
        while input.unread().len() < 2 && input.fill() {}
        if input.unread().starts_with(&[0x1f, 0x8b]) {
            let packed = std::mem::take(&mut input.buffer);
            let rest = std::mem::replace(&mut input.reader, Box::new(io::empty()));
            // What was read ahead is still packed.
            let whole = BufReader::with_capacity(CHUNK, io::Cursor::new(packed).chain(rest));
            input.reader = Box::new(MultiGzDecoder::new(whole));
            input.ended = false;
        }
        input
    }

    /// The bytes that were read and not taken.
    pub(super) fn unread(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    /// The line on which the unread bytes begin, from 1.
    pub(super) const fn line(&self) -> u64 {
        self.line
    }

    /// Why reading stopped before the end, once.
    pub(super) fn failure(&mut self) -> Option<String> {
        self.failure.take()
    }

    /// Reads more; false where nothing more comes.
    pub(super) fn fill(&mut self) -> bool {
        if self.ended {
            return false;
        }
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        let held = self.buffer.len();
        // Growing by what is held keeps the copying of a long value cheap.
        self.buffer.resize(held + held.clamp(CHUNK, 64 * CHUNK), 0);
        let read = loop {
            let free = self.buffer.get_mut(held..).unwrap_or_default();
            match self.reader.read(free) {
                Ok(read) => break read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failure = Some(error.to_string());
                    break 0;
                }
            }
        };
        self.buffer.truncate(held + read);
        self.ended = read == 0;
        read > 0
    }

    /// Takes bytes; those behind the end do not count.
    pub(super) fn take(&mut self, number: usize) {
        let taken = self.unread().get(..number).unwrap_or_else(|| self.unread());
        let (number, lines) = (taken.len(), memchr::memchr_iter(b'\n', taken).count());
        self.start += number;
        self.line += lines as u64;
        if self.start == self.buffer.len() {
            self.buffer.clear();
            self.start = 0;
            // A long value leaves no memory behind.
            self.buffer.shrink_to(4 * CHUNK);
        }
    }

    /// The byte at a distance from the first unread one, read where it is not there yet.
    pub(super) fn at(&mut self, distance: usize) -> Option<u8> {
        while self.unread().len() <= distance {
            if !self.fill() {
                return None;
            }
        }
        self.unread().get(distance).copied()
    }

    /// How far the next byte that is no blank lies behind a distance; `None` where only blanks come.
    pub(super) fn past_blanks(&mut self, mut distance: usize) -> Option<usize> {
        while let Some(byte) = self.at(distance) {
            if !is_blank(byte) {
                return Some(distance);
            }
            distance += 1;
        }
        None
    }

    /// Takes blanks; false at the end of the log.
    pub(super) fn skip_blanks(&mut self) -> bool {
        while !self.unread().is_empty() || self.fill() {
            let unread = self.unread();
            let blanks = unread.iter().take_while(|byte| is_blank(**byte)).count();
            let is_all = blanks == unread.len();
            self.take(blanks);
            if !is_all {
                return true;
            }
        }
        false
    }

    /// Takes the rest of the line, however long it is.
    pub(super) fn skip_line(&mut self) {
        while !self.unread().is_empty() || self.fill() {
            match memchr::memchr(b'\n', self.unread()) {
                Some(end) => return self.take(end + 1),
                None => self.take(self.unread().len()),
            }
        }
    }
}

/// Whether JSON allows the byte between values.
pub(super) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}
