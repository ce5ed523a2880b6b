//! The tree that a text is read into.

use super::Scalar;
use crate::source::{Span, Spanned};

/// A value and the place where it stands.
#[derive(Debug, Clone)]
pub struct Node {
    /// From the first to the last character: quotes and brackets count, the header of a block scalar does not.
    /// A point where the value is left out.
    pub span: Span,
    /// The value.
    pub kind: NodeKind,
}

/// What a value is made of.
#[derive(Debug, Clone)]
pub enum NodeKind {
    /// A text; what it stands for is [`resolve`](super::resolve)'s business.
    Scalar(Scalar),
    /// A list.
    Sequence(Vec<Node>),
    /// Keys with values, in the order of the text, no key twice.
    Mapping(Vec<Entry>),
}

/// A key with its value.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The decoded key.
    pub key: Spanned<String>,
    /// The value.
    pub value: Node,
}

impl Node {
    /// The value of a key; `None` without that key and for anything but a mapping.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The key with its value; `None` without that key and for anything but a mapping.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.as_mapping()?.iter().find(|entry| entry.key.node == key)
    }

    /// The text, if the value is one.
    #[must_use]
    pub const fn as_scalar(&self) -> Option<&Scalar> {
        match &self.kind {
            NodeKind::Scalar(scalar) => Some(scalar),
            NodeKind::Sequence(_) | NodeKind::Mapping(_) => None,
        }
    }

    /// The elements, if the value is a list.
    #[must_use]
    pub fn as_sequence(&self) -> Option<&[Self]> {
        match &self.kind {
            NodeKind::Sequence(items) => Some(items),
            NodeKind::Scalar(_) | NodeKind::Mapping(_) => None,
        }
    }

    /// The keys with their values, if the value is a mapping.
    #[must_use]
    pub fn as_mapping(&self) -> Option<&[Entry]> {
        match &self.kind {
            NodeKind::Mapping(entries) => Some(entries),
            NodeKind::Scalar(_) | NodeKind::Sequence(_) => None,
        }
    }

    /// The value at a JSON pointer (`/signals/denied/where`); the empty pointer is the node itself.
    #[must_use]
    pub fn pointer(&self, pointer: &str) -> Option<&Self> {
        let mut node = self;
        for segment in segments(pointer)? {
            node = match &node.kind {
                NodeKind::Mapping(_) => node.get(&segment)?,
                NodeKind::Sequence(items) => items.get(segment.parse::<usize>().ok()?)?,
                NodeKind::Scalar(_) => return None,
            };
        }
        Some(node)
    }

    /// The place of the key that a JSON pointer ends in; `None` for list elements and for the node itself.
    #[must_use]
    pub fn key_span(&self, pointer: &str) -> Option<Span> {
        let (parent, _) = pointer.rsplit_once('/')?;
        let key = segments(pointer)?.pop()?;
        Some(self.pointer(parent)?.entry(&key)?.key.span)
    }

    /// What the value is, for messages: `a text`, `a list`, `a mapping`.
    #[must_use]
    pub const fn kind_name(&self) -> &'static str {
        match self.kind {
            NodeKind::Scalar(_) => "a text",
            NodeKind::Sequence(_) => "a list",
            NodeKind::Mapping(_) => "a mapping",
        }
    }
}

/// The decoded segments of a JSON pointer; `None` if it is not one.
fn segments(pointer: &str) -> Option<Vec<String>> {
    if pointer.is_empty() {
        return Some(Vec::new());
    }
    let decode = |segment: &str| segment.replace("~1", "/").replace("~0", "~");
    Some(pointer.strip_prefix('/')?.split('/').map(decode).collect())
}
