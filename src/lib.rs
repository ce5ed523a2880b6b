//! Compiles behavioural detections to Splunk SPL, Microsoft KQL, Elastic EQL and Sigma.
//!
//! A straight corridor: a detection enters as text and leaves as queries, and no stage walks back.
//!
//! ```text
//! file.yml --yaml--> tree with places --syntax--> ast --analysis--> ir --plan--> pipeline --spl, kql------> query
//!                                                  ^                 \----------------------elastic, sigma--> query
//!                                                schema                                        ^
//!                                             (catalogue)                        target (tables, fields, options)
//! ```
//!
//! | module | what it owns | it never |
//! |---|---|---|
//! | [`source`] | texts, places in them | interprets a text |
//! | [`diagnostic`] | findings, their permanent codes, their four writers | decides what is wrong |
//! | [`yaml`] | text to a tree with places | knows a key |
//! | [`schema`] | the catalogue: sources, fields, types, known values, what targets make of them | looks at a detection |
//! | [`syntax`] | the grammar, and what the author wrote | knows a field or a type |
//! | [`ir`] | typed, resolved detections, and the schedule that follows from them | holds text that still has to be parsed |
//! | [`analysis`] | from what was written to the ir: names, types, parameters, lists, exceptions, lints | stops at the first mistake |
//! | [`eval`] | the reference: a detection and events to hits and alerts | knows what an engine can do |
//! | [`logs`] | raw logs as streams of events | evaluates an event |
//! | [`verify`] | runs the tests inside detections | decides what a detection means |
//! | [`plan`] | a behaviour as a pipeline of operators | looks at a target |
//! | [`backend`] | one language each: a query ast, its printer, and the verdict | emits a weaker query on its own |
//! | [`target`] | reads and checks the files of a target | knows a query language |
//! | [`embed`] | the schemas and targets inside the binary | reads a file at run time |
//! | [`compiler`] | drives the stages over the files of a project; manifest and headers | prints or writes |
//! | [`cli`] | one file for each command | decides about detections |
//!
//! # Invariants
//!
//! 1. Every stage is `X -> (Y, diagnostics)`. No stage is inverted, no printed query is looked at again, and there is no global state that changes.
//! 2. `Behavior`, `Predicate`, `Call`, `Operator` and the like are closed enums matched without `_`.
//! 3. Text of users enters a query ast as data and is quoted once, by the printer of the type that owns it.
//! 4. No template makes query text.
//! 5. No clause of a detection is dropped, widened or narrowed without a coded reason in the verdict.
//! 6. Output is a function of the input files, the flags and the day that is given: no clock, no unordered map, no path of the machine.
//! 7. Nothing that a user writes ends in a panic, and there is no `unsafe`.
//! 8. What varies between deployments is data: no source, field, table or index has a name in Rust.
//! 9. No module uses one above it, and backends do not use each other.
//!
//! `tests/tidy.rs` holds what of this a text can show.

pub mod analysis;
pub mod backend;
pub mod cli;
pub mod compiler;
pub mod diagnostic;
pub mod embed;
pub mod eval;
pub mod ir;
pub mod logs;
pub mod plan;
pub mod schema;
pub mod source;
pub mod syntax;
pub mod target;
pub mod verify;
pub mod yaml;
