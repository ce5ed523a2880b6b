//! Regular expressions in the subset that Sigma's readers share, and literals that only an expression can carry.

use std::fmt::Write;

use crate::ir::{ClassItem, Glob, GlobPart, Regex, Repeat};

/// Writes an expression: PCRE without look-around, back-references, named classes and inline flags.
pub(super) fn print(regex: &Regex) -> String {
    let mut text = String::new();
    write(regex, &mut text);
    text
}

/// Every character, line breaks included, as a class.
const ANYTHING: ClassItem = ClassItem { first: '\0', last: char::MAX };

fn write(regex: &Regex, text: &mut String) {
    match regex {
        Regex::Empty => text.push_str("(?:)"),
        Regex::Literal(character) => write_character(*character, r"\.^$*+?()[]{}|", text),
        Regex::Dot => text.push('.'),
        Regex::Start => text.push('^'),
        Regex::End => text.push('$'),
        Regex::Class { negated: false, items } if items.as_slice() == [ANYTHING] => text.push_str(r"[\s\S]"),
        Regex::Class { negated, items } => {
            text.push_str(if *negated { "[^" } else { "[" });
            for item in items {
                write_character(item.first, r"\[]^-&~|", text);
                if item.last != item.first {
                    text.push('-');
                    write_character(item.last, r"\[]^-&~|", text);
                }
            }
            text.push(']');
        }
        Regex::Group { capture, inner } => {
            text.push_str(if capture.is_some() { "(" } else { "(?:" });
            if **inner != Regex::Empty {
                write(inner, text);
            }
            text.push(')');
        }
        Regex::Repeat(repeat) => write_repeat(repeat, text),
        Regex::Concat(parts) => parts.iter().for_each(|part| write(part, text)),
        Regex::Alternation(parts) => {
            for (index, part) in parts.iter().enumerate() {
                if index > 0 {
                    text.push('|');
                }
                if *part != Regex::Empty {
                    write(part, text);
                }
            }
        }
    }
}

fn write_repeat(repeat: &Repeat, text: &mut String) {
    match &*repeat.inner {
        Regex::Literal(_) | Regex::Dot | Regex::Class { .. } | Regex::Group { .. } => write(&repeat.inner, text),
        // Python refuses a repetition right behind an anchor or another repetition.
        Regex::Empty | Regex::Start | Regex::End | Regex::Repeat(_) | Regex::Concat(_) | Regex::Alternation(_) => {
            text.push_str("(?:");
            write(&repeat.inner, text);
            text.push(')');
        }
    }
    match (repeat.min, repeat.max) {
        (0, Some(1)) => text.push('?'),
        (0, None) => text.push('*'),
        (1, None) => text.push('+'),
        (min, None) => text.push_str(&format!("{{{min},}}")),
        (min, Some(max)) if min == max => text.push_str(&format!("{{{min}}}")),
        (min, Some(max)) => text.push_str(&format!("{{{min},{max}}}")),
    }
    if !repeat.greedy {
        text.push('?');
    }
}

fn write_character(character: char, escaped: &str, text: &mut String) {
    if u32::from(character) < 0x20 || character == '\u{7f}' {
        // Writing to a string cannot fail.
        let _ = write!(text, "\\x{:02x}", u32::from(character));
        return;
    }
    if escaped.contains(character) {
        text.push('\\');
    }
    text.push(character);
}

/// The expression that finds a text; anchored at the ends that are asked for.
pub(super) fn of_text(text: &str, start: bool, end: bool) -> Regex {
    let mut parts: Vec<Regex> = Vec::new();
    if start {
        parts.push(Regex::Start);
    }
    parts.extend(text.chars().map(Regex::Literal));
    if end {
        parts.push(Regex::End);
    }
    Regex::Concat(parts)
}

/// The expression that matches what a glob does.
pub(super) fn of_glob(glob: &Glob) -> Regex {
    let anything = || Regex::Class { negated: false, items: vec![ANYTHING] };
    let mut parts: Vec<Regex> = vec![Regex::Start];
    for part in &glob.parts {
        match part {
            GlobPart::Text(text) => parts.extend(text.chars().map(Regex::Literal)),
            GlobPart::One => parts.push(anything()),
            GlobPart::Any => {
                let inner = Box::new(anything());
                parts.push(Regex::Repeat(Repeat { min: 0, max: None, greedy: true, inner }));
            }
        }
    }
    parts.push(Regex::End);
    Regex::Concat(parts)
}

/// The expression that matches every text but the empty one.
pub(super) fn of_presence() -> Regex {
    Regex::Class { negated: false, items: vec![ANYTHING] }
}

/// Whether the case of a letter could matter to the expression.
pub(super) fn has_letters(regex: &Regex) -> bool {
    match regex {
        Regex::Empty | Regex::Dot | Regex::Start | Regex::End => false,
        Regex::Literal(character) => character.is_alphabetic(),
        Regex::Class { items, .. } if items.as_slice() == [ANYTHING] => false,
        // Up to `@` there are digits and signs only.
        Regex::Class { items, .. } => items.iter().any(|item| item.first.is_alphabetic() || item.last > '@'),
        Regex::Group { inner, .. } => has_letters(inner),
        Regex::Repeat(repeat) => has_letters(&repeat.inner),
        Regex::Concat(parts) | Regex::Alternation(parts) => parts.iter().any(has_letters),
    }
}

/// Whether the expression asks for the very end of the text.
pub(super) fn has_end(regex: &Regex) -> bool {
    match regex {
        Regex::End => true,
        Regex::Empty | Regex::Literal(_) | Regex::Dot | Regex::Class { .. } | Regex::Start => false,
        Regex::Group { inner, .. } => has_end(inner),
        Regex::Repeat(repeat) => has_end(&repeat.inner),
        Regex::Concat(parts) | Regex::Alternation(parts) => parts.iter().any(has_end),
    }
}

/// The first character that YAML cannot carry.
pub(super) fn unwritable(regex: &Regex) -> Option<char> {
    super::print::unwritable(&print(regex))
}
