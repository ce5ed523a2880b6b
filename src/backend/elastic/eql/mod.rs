//! The Event Query Language: single events and sequences of one key.

pub mod ast;
mod behavior;
mod chain;
pub mod lower;
mod print;
pub mod regex;
mod term;

pub use behavior::lower;
