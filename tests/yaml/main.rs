//! Every character of every value knows its place, and what the language leaves out of YAML is refused.

#![expect(clippy::unwrap_used, clippy::string_slice, reason = "a test may fail loudly")]

mod places;
mod refused;
mod values;
mod written;

use detc::diagnostic::{Format, write};
use detc::source::{FileId, Sources, Span};
use detc::yaml::{Node, parse};

/// Reads a text that has to be right.
#[track_caller]
fn tree(text: &str) -> Node {
    let (node, diagnostics) = parse(FileId(0), text);
    assert!(diagnostics.is_empty(), "{text:?}\n{}", findings(text));
    node.unwrap()
}

/// The findings in a text, as people see them.
fn findings(text: &str) -> String {
    let mut sources = Sources::default();
    let file = sources.add("x.yml", text);
    let (_, diagnostics) = parse(file, text);
    let mut out = Vec::new();
    write(Format::Text, &diagnostics.into_sorted(), &sources, false, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// What a span covers.
#[track_caller]
fn covered(text: &str, span: Span) -> &str {
    &text[span.start as usize..span.end as usize]
}
