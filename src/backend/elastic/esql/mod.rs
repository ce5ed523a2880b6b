//! The Elasticsearch Query Language: pipelines of commands, for what the Event Query Language cannot say.

mod aggregate;
pub mod ast;
mod baseline;
mod behavior;
mod condition;
mod draft;
mod novelty;
mod packing;
mod pair;
mod predicate;
mod print;
mod travel;
mod value;
mod window;

pub use behavior::lower;
pub use pair::is_short;
