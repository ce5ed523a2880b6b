//! Writes globs and regular expressions in the engine's dialect (RE2, and the Rust engine that follows it).

use std::fmt::Write;

use crate::ir::{Glob, GlobPart, Regex, Repeat};

/// Largest number of times that nested repetitions may stand for together.
const LARGEST_REPETITION: u32 = 1000;

/// The pattern of a text that stands for itself.
pub(super) fn literal(text: &str) -> String {
    let mut pattern = String::new();
    text.chars().for_each(|character| write_literal(&mut pattern, character));
    pattern
}

/// The pattern of a glob, without anchors; it wants `.` to match a newline.
pub(super) fn glob(glob: &Glob) -> String {
    let mut pattern = String::new();
    for part in &glob.parts {
        match part {
            GlobPart::Text(text) => pattern.push_str(&literal(text)),
            GlobPart::Any => pattern.push_str(".*"),
            GlobPart::One => pattern.push('.'),
        }
    }
    pattern
}

/// One pattern that matches where any of several does; the patterns are closed off against each other.
pub(super) fn alternatives(patterns: &[String]) -> String {
    match patterns {
        [only] => only.clone(),
        several => format!("(?:{})", several.join("|")),
    }
}

/// The pattern of a regular expression; `None` where repetitions are nested too deeply for the engine.
pub(super) fn regex(regex: &Regex) -> Option<String> {
    if repetition(regex) > LARGEST_REPETITION {
        return None;
    }
    let mut pattern = String::new();
    write_regex(&mut pattern, regex);
    Some(pattern)
}

/// How often the innermost part can be repeated at most, counting limits only.
fn repetition(regex: &Regex) -> u32 {
    match regex {
        Regex::Empty | Regex::Literal(_) | Regex::Dot | Regex::Start | Regex::End | Regex::Class { .. } => 1,
        Regex::Group { inner, .. } => repetition(inner),
        Regex::Repeat(repeat) => repeat.max.unwrap_or(repeat.min).max(1).saturating_mul(repetition(&repeat.inner)),
        Regex::Concat(parts) | Regex::Alternation(parts) => parts.iter().map(repetition).max().unwrap_or(1),
    }
}

fn write_regex(out: &mut String, regex: &Regex) {
    match regex {
        Regex::Empty => out.push_str("(?:)"),
        Regex::Literal(character) => write_literal(out, *character),
        Regex::Dot => out.push('.'),
        Regex::Start => out.push('^'),
        Regex::End => out.push('$'),
        Regex::Class { negated, items } => {
            out.push_str(if *negated { "[^" } else { "[" });
            for item in items {
                write_literal(out, item.first);
                if item.last != item.first {
                    out.push('-');
                    write_literal(out, item.last);
                }
            }
            out.push(']');
        }
        Regex::Group { capture, inner } => {
            out.push_str(if capture.is_some() { "(" } else { "(?:" });
            write_regex(out, inner);
            out.push(')');
        }
        Regex::Repeat(repeat) => write_repeat(out, repeat),
        Regex::Concat(parts) => parts.iter().for_each(|part| match part {
            Regex::Alternation(_) => {
                out.push_str("(?:");
                write_regex(out, part);
                out.push(')');
            }
            other => write_regex(out, other),
        }),
        Regex::Alternation(parts) => {
            for (index, part) in parts.iter().enumerate() {
                if index > 0 {
                    out.push('|');
                }
                write_regex(out, part);
            }
        }
    }
}

fn write_repeat(out: &mut String, repeat: &Repeat) {
    let single = matches!(*repeat.inner, Regex::Literal(_) | Regex::Dot | Regex::Class { .. } | Regex::Group { .. });
    if single {
        write_regex(out, &repeat.inner);
    } else {
        out.push_str("(?:");
        write_regex(out, &repeat.inner);
        out.push(')');
    }
    // Writing to a string cannot fail.
    let _ = match (repeat.min, repeat.max) {
        (0, Some(1)) => write!(out, "?"),
        (0, None) => write!(out, "*"),
        (1, None) => write!(out, "+"),
        (min, None) => write!(out, "{{{min},}}"),
        (min, Some(max)) if min == max => write!(out, "{{{min}}}"),
        (min, Some(max)) => write!(out, "{{{min},{max}}}"),
    };
    if !repeat.greedy {
        out.push('?');
    }
}

/// Writes a character that stands for itself, inside a class or outside.
fn write_literal(out: &mut String, character: char) {
    if regex_syntax::is_meta_character(character) {
        out.push('\\');
        out.push(character);
    } else if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}' | '\u{feff}') {
        // Writing to a string cannot fail.
        let _ = write!(out, "\\x{{{:x}}}", u32::from(character));
    } else {
        out.push(character);
    }
}
