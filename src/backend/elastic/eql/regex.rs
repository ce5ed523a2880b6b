//! Writes regular expressions in Lucene's dialect, where an expression has to match the whole value.
//!
//! Differences that matter: `.` matches a newline there, classes ignore the request to fold case, there are no anchors and
//! no lazy repetitions, and `# @ & < > ~ "` are operators.

use crate::ir::{ClassItem, Glob, GlobPart, Regex};

/// Longest expression that an index takes (`index.max_regex_length`).
const LONGEST: usize = 1000;

/// Patterns of which any has to match the whole value exactly where `regex` matches somewhere in it.
///
/// # Errors
/// Says what Lucene lacks.
pub fn patterns(regex: &Regex, folded: bool) -> Result<Vec<String>, String> {
    let regex = unwrap(regex);
    let branches = match regex {
        Regex::Alternation(branches) if regex.has_anchor() => branches.as_slice(),
        whole => std::slice::from_ref(whole),
    };
    branches.iter().map(|branch| whole(branch, folded)).collect()
}

/// The pattern of a text that stands somewhere, at the start or at the end.
pub fn around(text: &str, open_start: bool, open_end: bool) -> Result<String, String> {
    let mut pattern = String::new();
    if open_start {
        pattern.push_str(".*");
    }
    write_text(text, &mut pattern);
    if open_end {
        pattern.push_str(".*");
    }
    within_limit(pattern)
}

/// The pattern of a glob.
pub fn glob(glob: &Glob) -> Result<String, String> {
    let mut pattern = String::new();
    for part in &glob.parts {
        match part {
            GlobPart::Text(text) => write_text(text, &mut pattern),
            GlobPart::Any => pattern.push_str(".*"),
            GlobPart::One => pattern.push('.'),
        }
    }
    within_limit(pattern)
}

/// Whether folding by the engine, which knows ASCII only, misses a letter of the expression.
pub fn folds_beyond_ascii(regex: &Regex) -> bool {
    match regex {
        Regex::Literal(character) => is_cased_beyond_ascii(*character),
        Regex::Class { items, .. } => {
            items.iter().any(|item| !item.last.is_ascii() && (item.first..=item.last).any(is_cased_beyond_ascii))
        }
        Regex::Empty | Regex::Dot | Regex::Start | Regex::End => false,
        Regex::Group { inner, .. } => folds_beyond_ascii(inner),
        Regex::Repeat(repeat) => folds_beyond_ascii(&repeat.inner),
        Regex::Concat(parts) | Regex::Alternation(parts) => parts.iter().any(folds_beyond_ascii),
    }
}

/// Whether a character outside ASCII has another case.
pub fn is_cased_beyond_ascii(character: char) -> bool {
    !character.is_ascii() && (character.is_lowercase() || character.is_uppercase())
}

/// The expression without groups that surround all of it.
fn unwrap(regex: &Regex) -> &Regex {
    match regex {
        Regex::Group { inner, .. } => unwrap(inner),
        other => other,
    }
}

fn whole(regex: &Regex, folded: bool) -> Result<String, String> {
    if regex.has_inner_anchor() {
        return Err("an anchor inside the expression has no counterpart in Lucene; write `^` first and `$` last, or \
                    use several expressions"
            .to_owned());
    }
    let parts = match regex {
        Regex::Concat(parts) => parts.as_slice(),
        other => std::slice::from_ref(other),
    };
    let mut pattern = String::new();
    if parts.first() != Some(&Regex::Start) {
        pattern.push_str(".*");
    }
    for part in parts {
        match part {
            Regex::Start | Regex::End => {}
            Regex::Alternation(_) => write_grouped(part, folded, &mut pattern),
            other => write(other, folded, &mut pattern),
        }
    }
    if parts.last() != Some(&Regex::End) {
        pattern.push_str(".*");
    }
    within_limit(pattern)
}

fn within_limit(pattern: String) -> Result<String, String> {
    if pattern.chars().count() > LONGEST {
        return Err(format!("the expression has more than {LONGEST} characters, which indices refuse; split it"));
    }
    Ok(if pattern.is_empty() { "()".to_owned() } else { pattern })
}

fn write(regex: &Regex, folded: bool, pattern: &mut String) {
    match regex {
        Regex::Empty => pattern.push_str("()"),
        Regex::Literal(character) => write_character(*character, pattern),
        Regex::Dot => pattern.push_str("[^\n]"),
        // Anchors at the ends are handled by `whole`, others are refused there.
        Regex::Start | Regex::End => {}
        Regex::Class { negated, items } => write_class(*negated, items, folded, pattern),
        Regex::Group { inner, .. } => write_grouped(inner, folded, pattern),
        Regex::Repeat(repeat) => {
            if repeat.max == Some(0) {
                pattern.push_str("()");
                return;
            }
            match repeat.inner.as_ref() {
                Regex::Literal(_) | Regex::Dot | Regex::Class { .. } | Regex::Group { .. } | Regex::Empty => {
                    write(&repeat.inner, folded, pattern);
                }
                Regex::Repeat(_) | Regex::Concat(_) | Regex::Alternation(_) | Regex::Start | Regex::End => {
                    write_grouped(&repeat.inner, folded, pattern);
                }
            }
            match (repeat.min, repeat.max) {
                (0, Some(1)) => pattern.push('?'),
                (0, None) => pattern.push('*'),
                (1, None) => pattern.push('+'),
                (min, None) => pattern.push_str(&format!("{{{min},}}")),
                (min, Some(max)) if min == max => pattern.push_str(&format!("{{{min}}}")),
                (min, Some(max)) => pattern.push_str(&format!("{{{min},{max}}}")),
            }
        }
        Regex::Concat(parts) => {
            for part in parts {
                if matches!(part, Regex::Alternation(_)) {
                    write_grouped(part, folded, pattern);
                } else {
                    write(part, folded, pattern);
                }
            }
        }
        Regex::Alternation(parts) => {
            for (index, part) in parts.iter().enumerate() {
                if index > 0 {
                    pattern.push('|');
                }
                write(part, folded, pattern);
            }
        }
    }
}

fn write_grouped(regex: &Regex, folded: bool, pattern: &mut String) {
    pattern.push('(');
    write(regex, folded, pattern);
    pattern.push(')');
}

/// Writes a class; where case is ignored both cases of its ASCII letters are listed, since the engine folds none in classes.
fn write_class(negated: bool, items: &[ClassItem], folded: bool, pattern: &mut String) {
    pattern.push_str(if negated { "[^" } else { "[" });
    let mut listed: Vec<ClassItem> = items.to_vec();
    if folded {
        for item in items {
            listed.extend(other_case(*item, 'a', 'z', |letter| letter.to_ascii_uppercase()));
            listed.extend(other_case(*item, 'A', 'Z', |letter| letter.to_ascii_lowercase()));
        }
    }
    let mut written: Vec<ClassItem> = Vec::new();
    for item in listed {
        if written.iter().any(|known| known.first <= item.first && item.last <= known.last) {
            continue;
        }
        written.push(item);
        write_class_character(item.first, pattern);
        if item.last != item.first {
            pattern.push('-');
            write_class_character(item.last, pattern);
        }
    }
    pattern.push(']');
}

fn other_case(item: ClassItem, first: char, last: char, change: fn(char) -> char) -> Option<ClassItem> {
    let (low, high) = (item.first.max(first), item.last.min(last));
    (low <= high).then(|| ClassItem { first: change(low), last: change(high) })
}

fn write_text(text: &str, pattern: &mut String) {
    for character in text.chars() {
        write_character(character, pattern);
    }
}

fn write_character(character: char, pattern: &mut String) {
    // `^` and `$` are plain in Lucene but not in the engine's fallback, which takes the escaped form as well.
    if ".?+*|{}[]()\"\\#@&<>~^$".contains(character) {
        pattern.push('\\');
    }
    pattern.push(character);
}

fn write_class_character(character: char, pattern: &mut String) {
    if character.is_ascii_punctuation() && character != '_' {
        pattern.push('\\');
    }
    pattern.push(character);
}
