//! What YAML knows and the language does not.

use super::read::QUOTE;
use super::{Scalar, ScalarStyle};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;

/// A character that no YAML text can hold; the parser would take some of them for the end of the text.
pub fn forbidden_character(source: &str, span: impl Fn(usize, usize) -> Span) -> Option<Diagnostic> {
    let bytes = source.as_bytes();
    let suspect = |byte: &u8| (*byte < b' ' && *byte != b'\n' && *byte != b'\t') || *byte == 0x7f;
    let first = bytes.iter().position(suspect)?;
    let bad = |(index, byte): (usize, &u8)| match byte {
        b'\t' | b'\n' => None,
        b'\r' if bytes.get(index + 1) == Some(&b'\n') => None,
        0..=0x1f | 0x7f => Some((index, *byte)),
        _ => None,
    };
    let (index, byte) = bytes.iter().enumerate().skip(first).find_map(bad)?;
    let message = format!("the character U+{byte:04X} cannot stand in YAML");
    let help = if byte == b'\r' { "end lines with a line feed" } else { "write it as an escape in double quotes" };
    Some(Diagnostic::new(Code::InvalidYaml, span(index, index + 1), message).help(help))
}

/// The start of a second document.
pub fn second_document(span: Span) -> Diagnostic {
    Diagnostic::new(Code::SecondDocument, span, "a second document starts here")
        .help("write each document to a file of its own")
}

/// An alias of an anchor that exists.
pub fn alias(span: Span, name: &str) -> Diagnostic {
    let message = format!("`{name}` is an alias in YAML, which the language does not have");
    Diagnostic::new(Code::AnchorOrAlias, span, message)
        .help("write out what it stands for; if it is text, quote the whole value, or use a `|` block")
}

/// An anchor or a tag before a value.
pub fn mark(span: Span, name: &str) -> Diagnostic {
    if name.starts_with('&') {
        let message = format!("`{name}` is an anchor in YAML, which the language does not have");
        Diagnostic::new(Code::AnchorOrAlias, span, message)
            .help("remove it; if it is text, quote the whole value, or use a `|` block")
    } else {
        let message = format!("`{name}` is a tag in YAML, which the language does not have");
        Diagnostic::new(Code::YamlTag, span, message).help("quote it, or write it in a `|` block")
    }
}

/// A key that is a collection.
pub fn collection_as_key(span: Span, doubled: bool) -> Diagnostic {
    if doubled {
        Diagnostic::new(Code::WrongYamlType, span, "`{{` opens two mappings in YAML").help(QUOTE)
    } else {
        Diagnostic::new(Code::WrongYamlType, span, "a key has to be a text").help(QUOTE)
    }
}

/// Why a text cannot be a key, if it cannot.
pub fn text_as_key(scalar: &Scalar, span: Span) -> Option<Diagnostic> {
    match scalar.text.as_str() {
        _ if scalar.style != ScalarStyle::Plain => None,
        "" => Some(Diagnostic::new(Code::WrongYamlType, span, "a key is missing before the colon").help(QUOTE)),
        "<<" => Some(
            Diagnostic::new(Code::AnchorOrAlias, span, "`<<` merges keys in YAML, which the language does not do")
                .help("write the keys out"),
        ),
        _ => None,
    }
}
