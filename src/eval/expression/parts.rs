//! The rows that made a hit, shared between hits of overlapping windows.
//!
//! Never copies a window for each of its hits: what two windows have in common they hold together.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Part;

/// How many parts are shared together.
const CHUNK: usize = 256;

/// The rows that made a hit, in order.
#[derive(Debug, Default)]
pub(in crate::eval) struct Parts {
    chunks: Vec<Arc<Vec<Part>>>,
    /// Parts of the first chunk that lie before the window.
    skipped: usize,
    rest: Vec<Part>,
    /// Whether parts of one instant still have to be put in order.
    loose: bool,
}

/// The rows of a window that slides: they come at one end and go at the other.
#[derive(Debug, Default)]
pub(in crate::eval) struct Trail {
    chunks: VecDeque<Arc<Vec<Part>>>,
    /// Parts of the first chunk, or of `rest` where there is none, that have gone.
    gone: usize,
    rest: Vec<Part>,
}

impl Parts {
    /// The parts, by instants.
    pub(in crate::eval) fn iter(&self) -> impl Iterator<Item = &Part> {
        self.chunks.iter().flat_map(|chunk| chunk.iter()).chain(&self.rest).skip(self.skipped)
    }

    /// The parts, in order.
    pub(in crate::eval) fn in_order(&self) -> Vec<&Part> {
        let mut parts: Vec<&Part> = self.iter().collect();
        if self.loose {
            parts.sort_by(|one, other| one.row.compare(&other.row));
        }
        parts
    }
}

impl From<Vec<Part>> for Parts {
    fn from(rest: Vec<Part>) -> Self {
        Self { chunks: Vec::new(), skipped: 0, rest, loose: false }
    }
}

impl Trail {
    /// Adds a part behind the others.
    pub(in crate::eval) fn push(&mut self, part: Part) {
        self.rest.push(part);
        if self.rest.len() >= CHUNK {
            self.chunks.push_back(Arc::new(std::mem::take(&mut self.rest)));
        }
    }

    /// Takes the first part away.
    pub(in crate::eval) fn pop(&mut self) {
        self.gone += 1;
        let first = self.chunks.front().map_or(self.rest.len(), |chunk| chunk.len());
        if self.gone >= first {
            self.gone = 0;
            if self.chunks.pop_front().is_none() {
                self.rest.clear();
            }
        }
    }

    /// The parts that are there now.
    pub(in crate::eval) fn parts(&self) -> Parts {
        if self.chunks.is_empty() {
            let rest = self.rest.iter().skip(self.gone).cloned().collect();
            return Parts { chunks: Vec::new(), skipped: 0, rest, loose: true };
        }
        let chunks = self.chunks.iter().cloned().collect();
        Parts { chunks, skipped: self.gone, rest: self.rest.clone(), loose: true }
    }
}
