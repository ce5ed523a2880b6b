//! The Event Query Language: single events and sequences of one key.

pub mod ast;
mod behavior;
mod chain;
mod lower;
mod print;
mod regex;
mod term;

pub use behavior::lower;
