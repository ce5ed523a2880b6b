//! Every behaviour of the evaluator held against a brute force written from the page.
//!
//! Each test draws detections with small logs, compares hits, shown events, numbers and alerts, and prints a difference
//! as a detection with a test. `PROPTEST_CASES=10000 cargo test --release --test brute` is the hunt.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod chain;
mod compare;
mod draw;
mod event;
mod number;
mod page;
mod spec;
mod specs;
mod text;
mod travel;
mod window;

use compare::check;

#[test]
fn any_event() {
    check(specs::any);
}

#[test]
fn count_and_distinct() {
    check(specs::plain_aggregate);
}

#[test]
fn sequence() {
    check(specs::sequence);
}

#[test]
fn union() {
    check(specs::union);
}

#[test]
fn aggregation() {
    check(specs::aggregation);
}

#[test]
fn fixed() {
    check(specs::fixed);
}

#[test]
fn group() {
    check(specs::group);
}

#[test]
fn rare() {
    check(specs::rare);
}

#[test]
fn baseline() {
    check(specs::baseline);
}

#[test]
fn absence() {
    check(specs::absence);
}

#[test]
fn composed() {
    check(specs::composed);
}

#[test]
fn travel() {
    check(specs::travel);
}
