//! The documents say what the compiler does, and the JSON Schemas for editors are those that it checks files with.

#![expect(clippy::panic, reason = "a test fails by panicking")]

mod contributing;
mod generated;
mod language;
mod markdown;
mod matrix;
mod readme;
mod schema_files;
