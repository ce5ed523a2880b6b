//! Lays a decoded text beside the text of the file.
//!
//! Never decodes: the parser's text is the truth, and where the two do not agree the whole value gets one place.

use super::ScalarStyle;
use super::scalar::{OffsetMap, Piece};
use crate::source::FileId;

/// Where a scalar stands.
pub struct Aligned {
    /// The way back to the file.
    pub map: OffsetMap,
    /// Offset behind the last byte of what is written, quotes included, the last line break of a block excluded.
    pub end: usize,
}

/// A decoded text and what the parser says about its place in `source`.
pub struct Written<'a> {
    /// The file's text without its byte order mark.
    pub source: &'a str,
    /// Number of bytes that were cut off before `source`.
    pub shift: usize,
    /// First byte; in a block, that of the first line with content.
    pub start: usize,
    /// Offset behind the last byte; the parser includes blanks and comments here and there.
    pub end: usize,
    /// The decoded text.
    pub text: &'a str,
    /// The style.
    pub style: ScalarStyle,
}

/// Aligns a decoded text with the file.
pub fn align(file: FileId, written: &Written<'_>) -> Aligned {
    let Written { source, shift, start, text, style, .. } = *written;
    let quote = usize::from(matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted));
    let content = start + quote;
    if stands_as_it_is(source.get(content..).unwrap_or(""), text, style) {
        let length = if is_block(style) { text.trim_end_matches('\n').len() } else { text.len() };
        return Aligned { map: OffsetMap::straight(file, content + shift), end: content + length + quote };
    }
    let mut walk = Walk {
        source: source.as_bytes(),
        text: text.as_bytes(),
        at: content,
        done: 0,
        content_end: content,
        shift,
        pieces: Vec::new(),
    };
    let fits = if is_block(style) { walk.block() } else { walk.flow(style) };
    if fits.is_some() {
        let map = OffsetMap::in_pieces(file, content + shift, text.len(), walk.pieces);
        return Aligned { map, end: walk.content_end + quote };
    }
    let end = start + source.get(start..written.end).unwrap_or("").trim_end().len();
    let whole = Piece { text: 0, file: narrow(start + shift), length: narrow(end - start), copied: false };
    Aligned { map: OffsetMap::in_pieces(file, start + shift, text.len(), vec![whole]), end }
}

/// Whether the style is one of the two blocks.
const fn is_block(style: ScalarStyle) -> bool {
    matches!(style, ScalarStyle::Literal | ScalarStyle::Folded)
}

/// Whether the file shows the decoded text byte by byte, with nothing left out at its end.
fn stands_as_it_is(rest: &str, text: &str, style: ScalarStyle) -> bool {
    let Some(behind) = rest.strip_prefix(text) else { return false };
    match style {
        ScalarStyle::Plain => true,
        ScalarStyle::SingleQuoted => !text.contains(['\'', '\n']) && behind.starts_with('\''),
        ScalarStyle::DoubleQuoted => !text.contains(['\\', '\n']) && behind.starts_with('"'),
        ScalarStyle::Literal | ScalarStyle::Folded => !text.strip_suffix('\n').unwrap_or(text).contains('\n'),
    }
}

/// A walk through both texts at once; every step is `None` where they do not agree.
struct Walk<'a> {
    source: &'a [u8],
    text: &'a [u8],
    /// Next byte of the source.
    at: usize,
    /// Number of bytes of the text that have a place.
    done: usize,
    /// Behind the last byte of content.
    content_end: usize,
    shift: usize,
    pieces: Vec<Piece>,
}

impl Walk<'_> {
    /// Aligns an unquoted or a quoted text.
    fn flow(&mut self, style: ScalarStyle) -> Option<()> {
        while self.done < self.text.len() {
            match (self.source.get(self.at)?, style) {
                (b'\\', ScalarStyle::DoubleQuoted) => self.escape()?,
                (b'\'', ScalarStyle::SingleQuoted) => {
                    (self.source.get(self.at + 1) == Some(&b'\'')).then_some(())?;
                    self.replace(1, 2);
                }
                (b' ' | b'\t' | b'\r' | b'\n', _) => self.blanks()?,
                _ => self.copy(1)?,
            }
        }
        let closing = match style {
            ScalarStyle::SingleQuoted => b'\'',
            ScalarStyle::DoubleQuoted => b'"',
            ScalarStyle::Plain | ScalarStyle::Literal | ScalarStyle::Folded => {
                self.content_end = self.at;
                return Some(());
            }
        };
        // Behind the last character only escaped breaks and the indentation after them can stand.
        while matches!(self.source.get(self.at), Some(b'\\' | b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
        self.content_end = self.at;
        (self.source.get(self.at) == Some(&closing)).then_some(())
    }

    /// A backslash in double quotes: an escape, or a line break that is left out.
    fn escape(&mut self) -> Option<()> {
        let next = *self.source.get(self.at + 1)?;
        if let Some(length) = self.break_at(self.at + 1) {
            self.at += 1 + length;
            let (breaks, end) = self.breaks(self.at, usize::MAX);
            self.newlines(&breaks)?;
            self.at = end;
            return Some(());
        }
        let length = match next {
            b'x' => 4,
            b'u' => 6,
            b'U' => 10,
            _ => 2,
        };
        self.replace(utf8_length(*self.text.get(self.done)?), length);
        Some(())
    }

    /// Blanks between words, or the line breaks that they surround.
    fn blanks(&mut self) -> Option<()> {
        let (breaks, end) = self.breaks(self.at, usize::MAX);
        match breaks.as_slice() {
            [] => self.copy(end - self.at)?,
            [only] => {
                (self.text.get(self.done) == Some(&b' ')).then_some(())?;
                self.break_piece(*only);
            }
            [_, rest @ ..] => self.newlines(rest)?,
        }
        self.at = end;
        Some(())
    }

    /// Aligns a block, starting in its first line with content.
    fn block(&mut self) -> Option<()> {
        let indent = self.source.get(..self.at)?.iter().rev().take_while(|byte| **byte == b' ').count();
        let leading = self.newlines_ahead();
        (leading < self.text.len()).then_some(())?;
        let first_line = self.at;
        let before = self.breaks_before(self.at - indent, leading)?;
        self.newlines(&before)?;
        self.at = first_line;
        loop {
            let rest = self.source.get(self.at..)?;
            let line = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            let line = line - usize::from(line < rest.len() && line > 0 && rest.get(line - 1) == Some(&b'\r'));
            self.copy(line)?;
            self.content_end = self.at;
            let (breaks, end) = self.breaks(self.at, indent);
            let newlines = self.newlines_ahead();
            if self.done + newlines == self.text.len() {
                return self.last_newlines(&breaks, newlines);
            }
            match breaks.as_slice() {
                all if all.len() == newlines => self.newlines(all)?,
                [only] if self.text.get(self.done) == Some(&b' ') => self.break_piece(*only),
                [_, rest @ ..] if newlines > 0 && rest.len() == newlines => self.newlines(rest)?,
                _ => return None,
            }
            self.at = end;
        }
    }

    /// The line breaks that end a block; the parser adds one where the file ends without.
    fn last_newlines(&mut self, breaks: &[(usize, usize)], newlines: usize) -> Option<()> {
        let end = (self.source.len(), 0);
        for index in 0..newlines {
            self.break_piece(breaks.get(index).copied().unwrap_or(end));
        }
        Some(())
    }

    /// Number of line feeds that come next in the text.
    fn newlines_ahead(&self) -> usize {
        self.text.iter().skip(self.done).take_while(|byte| **byte == b'\n').count()
    }

    /// The breaks of the `count` lines that end where the line at `line_start` begins, first one first.
    fn breaks_before(&self, line_start: usize, count: usize) -> Option<Vec<(usize, usize)>> {
        let mut breaks = Vec::with_capacity(count);
        let mut end = line_start;
        for _ in 0..count {
            let start = end.checked_sub(1)?;
            let start = start - usize::from(start > 0 && self.source.get(start - 1) == Some(&b'\r'));
            breaks.push((start, end - start));
            end = start - self.source.get(..start)?.iter().rev().take_while(|byte| **byte != b'\n').count();
        }
        breaks.reverse();
        Some(breaks)
    }

    /// The breaks from `from` on with what stands around them, and where that ends: blanks of any number, or up to
    /// `indent` spaces in each line.
    fn breaks(&self, from: usize, indent: usize) -> (Vec<(usize, usize)>, usize) {
        let mut breaks = Vec::new();
        let mut at = from;
        loop {
            let flow = indent == usize::MAX;
            let limit = if flow { self.source.len() } else { at.saturating_add(indent) };
            // The rest of a line of a block is content; indentation is looked for behind the first break only.
            let blank = |byte: u8| byte == b' ' || (flow && byte == b'\t');
            let skip = flow || !breaks.is_empty();
            while skip && at < limit && self.source.get(at).copied().is_some_and(blank) {
                at += 1;
            }
            let Some(length) = self.break_at(at) else { return (breaks, at) };
            breaks.push((at, length));
            at += length;
        }
    }

    /// Length of the line break at an offset, if there is one.
    fn break_at(&self, offset: usize) -> Option<usize> {
        match (self.source.get(offset)?, self.source.get(offset + 1)) {
            (b'\r', Some(b'\n')) => Some(2),
            (b'\n' | b'\r', _) => Some(1),
            _ => None,
        }
    }

    /// Gives each break to a line feed of the text.
    fn newlines(&mut self, breaks: &[(usize, usize)]) -> Option<()> {
        for place in breaks {
            (self.text.get(self.done) == Some(&b'\n')).then_some(())?;
            self.break_piece(*place);
        }
        Some(())
    }

    /// Gives a break to the next byte of the text.
    fn break_piece(&mut self, (start, length): (usize, usize)) {
        self.at = start;
        self.replace(1, length);
    }

    /// Gives the next `length` bytes of the source to as many equal bytes of the text.
    fn copy(&mut self, length: usize) -> Option<()> {
        let same = self.text.get(self.done..self.done + length)? == self.source.get(self.at..self.at + length)?;
        same.then_some(())?;
        let file = narrow(self.at + self.shift);
        match self.pieces.last_mut() {
            Some(last) if last.copied && last.file.saturating_add(last.length) == file => {
                last.length = last.length.saturating_add(narrow(length));
            }
            _ => self.pieces.push(Piece { text: narrow(self.done), file, length: narrow(length), copied: true }),
        }
        self.at += length;
        self.done += length;
        Some(())
    }

    /// Gives the next `length` bytes of the source to `text_length` bytes of the text that they stand for.
    fn replace(&mut self, text_length: usize, length: usize) {
        let (text, file) = (narrow(self.done), narrow(self.at + self.shift));
        self.pieces.push(Piece { text, file, length: narrow(length), copied: false });
        self.at += length;
        self.done += text_length;
    }
}

/// Length of the character that begins with this byte.
const fn utf8_length(first: u8) -> usize {
    match first {
        0..=0x7f => 1,
        0x80..=0xdf => 2,
        0xe0..=0xef => 3,
        _ => 4,
    }
}

/// An offset as the pieces keep it.
fn narrow(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}
