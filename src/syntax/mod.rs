//! From text to what the author wrote: structure, expressions, behaviours, each with its place.
//!
//! Never knows a field or a type: names are only names here.

pub mod ast;
mod behavior;
pub mod behavior_ast;
mod detection;
pub mod document;
mod expression;
mod mistake;
mod parser;
mod structure;
mod written_duration;

pub use behavior::parse_behavior;
pub use detection::{DetectionFile, ExceptionText, ListFile, SignalText, Text, is_list, read_detection, read_list};
pub use expression::parse_expression;
pub use parser::Place;
