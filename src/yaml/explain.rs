//! Says in the words of the language what YAML does not take.

use super::read::QUOTE;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;

/// Where the parser gave up.
pub struct Place<'a> {
    /// The file's text without its byte order mark.
    pub source: &'a str,
    /// Where the parser says the error is; often behind its cause.
    pub at: usize,
    /// Offset behind the last thing that was read.
    pub last_end: usize,
}

/// A character that no YAML text can hold and that the parser would take for the end of the text.
pub fn forbidden_character(source: &str, span: impl Fn(usize, usize) -> Span) -> Option<Diagnostic> {
    let bytes = source.as_bytes();
    let bad = |(index, byte): (usize, &u8)| match byte {
        b'\t' | b'\n' => None,
        b'\r' if bytes.get(index + 1) == Some(&b'\n') => None,
        0..=0x1f | 0x7f => Some((index, *byte)),
        _ => None,
    };
    let (index, byte) = bytes.iter().enumerate().find_map(bad)?;
    let message = format!("the character U+{byte:04X} cannot stand in YAML");
    let help = if byte == b'\r' { "end lines with a line feed" } else { "write it as an escape in double quotes" };
    Some(Diagnostic::new(Code::InvalidYaml, span(index, index + 1), message).help(help))
}

/// An alias.
pub fn alias(span: Span, name: &str) -> Diagnostic {
    Diagnostic::new(
        Code::AnchorOrAlias,
        span,
        format!("`{name}` is an alias in YAML, which the language does not have"),
    )
    .help(QUOTE)
}

/// An anchor or a tag.
pub fn mark(span: Span, name: &str) -> Diagnostic {
    if name.starts_with('&') {
        let message = format!("`{name}` is an anchor in YAML, which the language does not have");
        Diagnostic::new(Code::AnchorOrAlias, span, message).help(QUOTE)
    } else {
        let message = format!("`{name}` is a tag in YAML, which the language does not have");
        Diagnostic::new(Code::YamlTag, span, message).help("quote it, or write it in a `|` block")
    }
}

/// What the parser's error means.
pub fn scan_error(info: &str, place: &Place<'_>, span: impl Fn(usize, usize) -> Span) -> Diagnostic {
    let at = if place.at >= place.source.len() { place.last_end } else { place.at };
    let width =
        place.source.get(at..).and_then(|rest| rest.chars().next()).filter(|c| *c != '\n').map_or(0, char::len_utf8);
    Diagnostic::new(Code::InvalidYaml, span(at, at + width), info.to_owned()).help(QUOTE)
}
