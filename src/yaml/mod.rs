//! Reads YAML into a tree in which every value, and every character inside a value, knows its place.
//!
//! Never knows what a key means, and never gives a value a type that the text does not show.

mod align;
mod explain;
mod place;
mod read;
mod refuse;
mod resolve;
mod scalar;
mod tree;

pub use read::{MAX_DEPTH, parse};
pub use resolve::{Resolved, resolve, to_json, to_yaml};
pub use scalar::{OffsetMap, Scalar, ScalarStyle};
pub use tree::{Entry, Node, NodeKind};
