//! Texts inside a document, and the way from their decoded characters back to the file.

use std::ops::Range;

use crate::source::{FileId, Span};

/// A text value.
#[derive(Debug, Clone)]
pub struct Scalar {
    /// The text that YAML makes of what is written.
    pub text: String,
    /// The style in which it is written.
    pub style: ScalarStyle,
    /// Where each character stands.
    pub map: OffsetMap,
    /// A comment that ends an unquoted text on its line, from the `#` on; often it was meant as text.
    pub comment: Option<Span>,
}

impl Scalar {
    /// The place of a range of bytes of the decoded text; an empty range gives a point.
    ///
    /// A character that is written as an escape gives the whole escape, a folded line break gives the break.
    /// The point behind the last line of a block stands at the end of that line.
    #[must_use]
    pub fn span_of(&self, range: Range<usize>) -> Span {
        let block = matches!(self.style, ScalarStyle::Literal | ScalarStyle::Folded);
        if block && range.start >= range.end && range.start >= self.text.len() {
            let end = self.text.trim_end_matches('\n').len();
            return self.map.point(end);
        }
        self.map.span(range)
    }

    /// The place of the whole text, without quotes.
    #[must_use]
    pub fn span(&self) -> Span {
        self.span_of(0..self.text.len())
    }
}

/// The styles of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScalarStyle {
    /// Without quotes.
    Plain,
    /// `'...'`
    SingleQuoted,
    /// `"..."`
    DoubleQuoted,
    /// A `|` block.
    Literal,
    /// A `>` block.
    Folded,
}

/// Where the bytes of a decoded text stand in the file.
#[derive(Debug, Clone)]
pub struct OffsetMap {
    file: FileId,
    start: u32,
    /// Empty when the text stands in the file as it is, from `start` on.
    pieces: Vec<Piece>,
    length: u32,
}

/// A run of decoded bytes that stands in the file as it is, or in other words (an escape, a folded break).
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    /// First byte in the decoded text; the run ends where the next begins.
    pub(super) text: u32,
    /// First byte in the file.
    pub(super) file: u32,
    /// Number of bytes in the file.
    pub(super) length: u32,
    /// Whether the file shows the same bytes.
    pub(super) copied: bool,
}

impl OffsetMap {
    /// The map of a text that stands in the file as it is.
    #[must_use]
    pub fn straight(file: FileId, start: usize) -> Self {
        Self { file, start: clamp(start), pieces: Vec::new(), length: u32::MAX }
    }

    /// The map of a text of `length` bytes that stands in the file in pieces, ordered and without gaps in the text.
    pub(super) fn in_pieces(file: FileId, start: usize, length: usize, pieces: Vec<Piece>) -> Self {
        Self { file, start: clamp(start), pieces, length: clamp(length) }
    }

    /// The place of a range of decoded bytes.
    fn span(&self, range: Range<usize>) -> Span {
        if range.start >= range.end {
            return self.point(range.start);
        }
        let start = self.place(clamp(range.start)).0;
        let end = self.place(clamp(range.end - 1)).1;
        Span { file: self.file, start, end: end.max(start) }
    }

    /// The point before a decoded byte; behind the last one, the end of what stands for it.
    fn point(&self, offset: usize) -> Span {
        let offset = clamp(offset);
        let place = match offset.checked_sub(1) {
            Some(last) if offset >= self.length => self.place(last.min(self.length.saturating_sub(1))).1,
            // A line break belongs to the line that it ends, so the point behind the last character stands there too.
            _ => self.place(offset).0,
        };
        Span { file: self.file, start: place, end: place }
    }

    /// Where a decoded byte begins and ends in the file.
    fn place(&self, offset: u32) -> (u32, u32) {
        let next = self.pieces.partition_point(|piece| piece.text <= offset);
        let Some(piece) = next.checked_sub(1).and_then(|index| self.pieces.get(index)) else {
            let place = self.start.saturating_add(offset);
            return (place, place.saturating_add(1));
        };
        if piece.copied {
            let place = piece.file.saturating_add(offset - piece.text);
            (place, place.saturating_add(1))
        } else {
            (piece.file, piece.file.saturating_add(piece.length))
        }
    }
}

/// An offset as the maps keep it; files beyond 4 GiB are not read.
fn clamp(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}
