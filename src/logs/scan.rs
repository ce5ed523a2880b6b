//! Finds where a JSON value ends, without reading what it holds.
//!
//! Never accepts a wrong structure; numbers, words and escapes are looked at by whoever reads the value.

/// Depth at which nesting ends, as for whoever reads the values.
const DEEPEST: usize = 127;

/// What is known after some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// The value goes on.
    More,
    /// The value ends before this number of the bytes.
    Done(usize),
    /// The byte with this number cannot stand where it does.
    Wrong(usize),
}

/// What may come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    CommaOrEnd,
    Text { is_key: bool, escaped: bool },
    Scalar,
}

/// Follows one value.
#[derive(Debug, Clone)]
pub(super) struct Scan {
    /// For each open collection whether it is an object.
    open: Vec<bool>,
    expect: Expect,
}

impl Scan {
    /// Before a value.
    pub(super) const fn value() -> Self {
        Self { open: Vec::new(), expect: Expect::Value }
    }

    /// Behind a member of an object.
    pub(super) fn behind_member() -> Self {
        Self { open: vec![true], expect: Expect::CommaOrEnd }
    }

    /// Looks at more bytes; not to be asked again once the value is done or wrong.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Progress {
        let mut index = 0;
        while let Some(&byte) = bytes.get(index) {
            if let Expect::Text { is_key, escaped } = self.expect {
                let rest = bytes.get(index..).unwrap_or_default();
                if escaped {
                    self.expect = Expect::Text { is_key, escaped: false };
                    index += 1;
                    continue;
                }
                // Of the control characters, which no text may hold, a line's end is the one that shows a cut-off line.
                let Some(length) = memchr::memchr3(b'"', b'\\', b'\n', rest) else {
                    return Progress::More;
                };
                index += length + 1;
                match rest.get(length) {
                    Some(b'"') if is_key => self.expect = Expect::Colon,
                    Some(b'"') => {
                        self.expect = Expect::CommaOrEnd;
                        if self.open.is_empty() {
                            return Progress::Done(index);
                        }
                    }
                    Some(b'\\') => self.expect = Expect::Text { is_key, escaped: true },
                    _ => return Progress::Wrong(index - 1),
                }
                continue;
            }
            if self.expect == Expect::Scalar {
                if is_scalar(byte) {
                    index += 1;
                    continue;
                }
                if self.open.is_empty() {
                    return Progress::Done(index);
                }
                self.expect = Expect::CommaOrEnd;
                continue;
            }
            if !super::input::is_blank(byte) && !self.structure(byte) {
                return Progress::Wrong(index);
            }
            index += 1;
            if self.open.is_empty() && self.expect == Expect::CommaOrEnd {
                return Progress::Done(index);
            }
        }
        Progress::More
    }

    /// Takes a byte outside texts and scalars; false where it cannot stand here.
    fn structure(&mut self, byte: u8) -> bool {
        let is_value = matches!(self.expect, Expect::Value | Expect::ValueOrEnd);
        let is_key = matches!(self.expect, Expect::Key | Expect::KeyOrEnd);
        let closes = matches!(self.expect, Expect::ValueOrEnd | Expect::KeyOrEnd | Expect::CommaOrEnd);
        match byte {
            b'"' if is_value || is_key => self.expect = Expect::Text { is_key, escaped: false },
            b'{' | b'[' if is_value && self.open.len() < DEEPEST => {
                self.open.push(byte == b'{');
                self.expect = if byte == b'{' { Expect::KeyOrEnd } else { Expect::ValueOrEnd };
            }
            b'}' | b']' if closes && self.open.last() == Some(&(byte == b'}')) => {
                self.open.pop();
                self.expect = Expect::CommaOrEnd;
            }
            b',' if self.expect == Expect::CommaOrEnd => {
                self.expect = if self.open.last() == Some(&true) { Expect::Key } else { Expect::Value };
            }
            b':' if self.expect == Expect::Colon => self.expect = Expect::Value,
            other if is_value && is_scalar(other) => self.expect = Expect::Scalar,
            _ => return false,
        }
        true
    }
}

/// Whether a byte can be part of a number, `true`, `false` or `null`.
const fn is_scalar(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.')
}
