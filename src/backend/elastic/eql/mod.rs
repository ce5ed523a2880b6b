//! The Event Query Language: single events and sequences of one key.

pub mod ast;
mod behavior;
mod lower;
mod print;
mod regex;

pub use behavior::lower;
