//! Regular expressions in the dialect of PCRE, written without a backslash outside classes.
//!
//! How often an SPL string is unescaped before it is compiled is not documented, so nothing here depends on it.

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

use crate::ir::{ClassItem, Regex};

/// The end of the text, whatever the flags; `$` would also stand before a last newline.
pub(super) const END: &str = "(?!(?s:.))";

/// How an expression is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialect {
    /// Whether case is ignored.
    pub(super) fold: bool,
    /// Whether the first group keeps what it matched.
    pub(super) captures: bool,
}

/// Writes an expression; the error says what the engine cannot match identically.
pub(super) fn render(regex: &Regex, dialect: Dialect) -> Result<String, String> {
    let mut out = String::new();
    if dialect.fold {
        out.push_str("(?i)");
    }
    write(regex, dialect, &mut out)?;
    Ok(out)
}

/// Writes a text that stands for itself.
pub(super) fn quote(text: &str, fold: bool) -> String {
    let mut out = String::new();
    text.chars().for_each(|character| write_literal(character, fold, &mut out));
    out
}

/// Whether a text holds letters beyond ASCII that have another case.
pub(super) fn has_wide_case(text: &str) -> bool {
    text.chars().any(|character| !character.is_ascii() && variants(character).len() > 1)
}

/// Whether an expression matches somewhere in a short text without regard to case.
pub(super) fn may_match(regex: &Regex, text: &str) -> bool {
    let characters: Vec<char> = text.to_lowercase().chars().collect();
    (0..=characters.len()).any(|from| !ends(regex, &characters, from).is_empty())
}

/// The places at which a match that starts at `from` can end.
fn ends(regex: &Regex, text: &[char], from: usize) -> Vec<usize> {
    let one = |fits: bool| if fits { vec![from + 1] } else { Vec::new() };
    let next = text.get(from).copied();
    match regex {
        Regex::Empty => vec![from],
        Regex::Literal(wanted) => one(next.is_some_and(|found| wanted.to_lowercase().eq(found.to_lowercase()))),
        Regex::Dot => one(next.is_some_and(|found| found != '\n')),
        Regex::Start => (from == 0).then_some(from).into_iter().collect(),
        Regex::End => (from == text.len()).then_some(from).into_iter().collect(),
        Regex::Class { negated, items } => one(next.is_some_and(|found| {
            let holds = |character: char| items.iter().any(|item| (item.first..=item.last).contains(&character));
            let upper = found.to_ascii_uppercase();
            // where one casing is in the set and the other is not, either may match
            if *negated { !holds(found) || !holds(upper) } else { holds(found) || holds(upper) }
        })),
        Regex::Group { inner, .. } => ends(inner, text, from),
        Regex::Repeat(repeat) => {
            let (mut reached, mut current, mut times) = (Vec::new(), vec![from], 0);
            while !current.is_empty() && times <= repeat.max.unwrap_or(u32::MAX) {
                if times >= repeat.min {
                    reached.extend(&current);
                }
                let known = if times >= repeat.min { reached.clone() } else { Vec::new() };
                current = current.iter().flat_map(|at| ends(&repeat.inner, text, *at)).collect();
                current.sort_unstable();
                current.dedup();
                current.retain(|at| !known.contains(at));
                times += 1;
            }
            reached.sort_unstable();
            reached.dedup();
            reached
        }
        Regex::Concat(parts) => parts.iter().fold(vec![from], |places, part| {
            let mut found: Vec<usize> = places.into_iter().flat_map(|at| ends(part, text, at)).collect();
            found.sort_unstable();
            found.dedup();
            found
        }),
        Regex::Alternation(parts) => parts.iter().flat_map(|part| ends(part, text, from)).collect(),
    }
}

fn write(regex: &Regex, dialect: Dialect, out: &mut String) -> Result<(), String> {
    match regex {
        Regex::Empty => {}
        Regex::Literal(character) if character.is_control() || *character == '`' => {
            return Err(format!("`{}` cannot stand in a search", character.escape_default()));
        }
        Regex::Literal(character) => write_literal(*character, dialect.fold, out),
        Regex::Dot => out.push('.'),
        Regex::Start => out.push('^'),
        Regex::End => out.push_str(END),
        Regex::Class { negated, items } => write_class(*negated, items, out)?,
        Regex::Group { capture, inner } => {
            out.push_str(if dialect.captures && *capture == Some(1) { "(" } else { "(?:" });
            write(inner, dialect, out)?;
            out.push(')');
        }
        Regex::Repeat(repeat) => {
            let simple = match &*repeat.inner {
                Regex::Dot | Regex::Group { .. } | Regex::Class { .. } => true,
                Regex::Literal(character) => character.is_ascii(),
                Regex::Empty | Regex::Start | Regex::End => false,
                Regex::Repeat(_) | Regex::Concat(_) | Regex::Alternation(_) => false,
            };
            out.push_str(if simple { "" } else { "(?:" });
            write(&repeat.inner, dialect, out)?;
            out.push_str(if simple { "" } else { ")" });
            out.push_str(&match (repeat.min, repeat.max) {
                (0, Some(1)) => "?".to_owned(),
                (0, None) => "*".to_owned(),
                (1, None) => "+".to_owned(),
                (min, None) => format!("{{{min},}}"),
                (min, Some(max)) => format!("{{{min},{max}}}"),
            });
            if !repeat.greedy {
                out.push('?');
            }
        }
        Regex::Concat(parts) => {
            for part in parts {
                let loose = matches!(part, Regex::Alternation(_));
                out.push_str(if loose { "(?:" } else { "" });
                write(part, dialect, out)?;
                out.push_str(if loose { ")" } else { "" });
            }
        }
        Regex::Alternation(parts) => {
            for (index, part) in parts.iter().enumerate() {
                if index > 0 {
                    out.push('|');
                }
                write(part, dialect, out)?;
            }
        }
    }
    Ok(())
}

fn write_literal(character: char, fold: bool, out: &mut String) {
    match character {
        '^' => out.push_str("(?:(?![^^]).)"),
        '.' | '*' | '+' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '|' | '$' | '\\' => {
            out.push('[');
            out.push(character);
            out.push(']');
        }
        other if fold && !other.is_ascii() => {
            let variants = variants(other);
            if variants.len() > 1 {
                let variants: Vec<String> = variants.iter().map(char::to_string).collect();
                out.push_str(&format!("(?:{})", variants.join("|")));
            } else {
                out.push(other);
            }
        }
        other => out.push(other),
    }
}

/// The characters that are the same under simple case folding.
fn variants(character: char) -> Vec<char> {
    let mut class = ClassUnicode::new([ClassUnicodeRange::new(character, character)]);
    if class.try_case_fold_simple().is_err() {
        return vec![character];
    }
    class.iter().flat_map(|range| range.start()..=range.end()).collect()
}

/// Writes a class; inside it `]` comes first, `[` and `^` late and `-` last, so that none needs an escape.
fn write_class(negated: bool, items: &[ClassItem], out: &mut String) -> Result<(), String> {
    let has = |first: char, last: char| items.iter().any(|item| item.first == first && item.last == last);
    let space = has('\t', '\r') && has(' ', ' ');
    let mut ranges = String::new();
    let mut singles = Vec::new();
    for item in items {
        if space && matches!((item.first, item.last), ('\t', '\r') | (' ', ' ')) {
            continue;
        }
        write_range(*item, &mut ranges, &mut singles)?;
    }
    let mut take = |character: char| {
        let found = singles.contains(&character);
        singles.retain(|other| *other != character);
        found
    };
    let (close, open, caret, dash) = (take(']'), take('['), take('^'), take('-'));
    let mut body = String::new();
    body.push_str(if close { "]" } else { "" });
    singles.sort_unstable();
    singles.dedup();
    body.extend(singles);
    body.push_str(&ranges);
    body.push_str(if space { "[:space:]" } else { "" });
    body.push_str(if open { "[" } else { "" });
    match (caret, body.is_empty() && !negated, dash) {
        (false, _, dash) => body.push_str(if dash { "-" } else { "" }),
        (true, false, dash) => body.push_str(if dash { "^-" } else { "^" }),
        (true, true, true) => body.push_str("-^"),
        (true, true, false) => {
            write_literal('^', false, out);
            return Ok(());
        }
    }
    out.push_str(if negated { "[^" } else { "[" });
    out.push_str(&body);
    out.push(']');
    Ok(())
}

/// Adds a range; ends that mean something inside a class become single characters.
fn write_range(item: ClassItem, ranges: &mut String, singles: &mut Vec<char>) -> Result<(), String> {
    let special = |character: char| matches!(character, '[' | ']' | '^' | '-' | '\\' | '`');
    let (mut first, mut last) = (u32::from(item.first), u32::from(item.last));
    if last > 0x7e || first < 0x20 {
        return Err("a class of characters beyond printable ASCII".to_owned());
    }
    let character = |code: u32| char::from_u32(code).unwrap_or(' ');
    while first < last && special(character(first)) {
        singles.push(character(first));
        first += 1;
    }
    while first < last && special(character(last)) {
        singles.push(character(last));
        last -= 1;
    }
    if last - first < 2 {
        singles.extend((first..=last).map(character));
    } else {
        ranges.push(character(first));
        ranges.push('-');
        ranges.push(character(last));
    }
    if singles.contains(&'`') { Err("a back-quote cannot stand in a search".to_owned()) } else { Ok(()) }
}
