//! Globs and regular expressions as data, so that every backend prints its own dialect.

use serde::Serialize;

use std::fmt;

use regex_syntax::ast::{self, Ast};

/// A glob: the whole text has to match.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Glob {
    /// Parts in order; neighbouring texts are one, neighbouring stars are one.
    pub parts: Vec<GlobPart>,
}

/// A part of a glob.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GlobPart {
    /// Characters that stand for themselves.
    Text(String),
    /// `*`: any characters, also none.
    Any,
    /// `?`: exactly one character.
    One,
}

impl Glob {
    /// Reads `*`, `?` and `\` escapes; a backslash before any other character stands for itself.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut parts: Vec<GlobPart> = Vec::new();
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            let literal = match character {
                '*' => {
                    if parts.last() != Some(&GlobPart::Any) {
                        parts.push(GlobPart::Any);
                    }
                    continue;
                }
                '?' => {
                    parts.push(GlobPart::One);
                    continue;
                }
                '\\' => characters.next_if(|next| matches!(next, '*' | '?' | '\\')).unwrap_or('\\'),
                other => other,
            };
            if let Some(GlobPart::Text(text)) = parts.last_mut() {
                text.push(literal);
            } else {
                parts.push(GlobPart::Text(literal.to_string()));
            }
        }
        Self { parts }
    }

    /// Whether the glob matches the empty text, which is a missing value.
    #[must_use]
    pub fn matches_empty(&self) -> bool {
        self.parts.iter().all(|part| *part == GlobPart::Any)
    }
}

/// A regular expression of the portable subset, without look-around, back-references or flags.
///
/// Unanchored; `$` is the very end, `.` excludes the newline, classes are ASCII.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Regex {
    /// Matches nothing but the empty text.
    Empty,
    /// One character.
    Literal(char),
    /// Any character but a newline.
    Dot,
    /// `^`: the very start.
    Start,
    /// `$`: the very end.
    End,
    /// One character out of a set.
    Class {
        /// Whether the set is turned around.
        negated: bool,
        /// What the set holds.
        items: Vec<ClassItem>,
    },
    /// A group; the number counts capturing groups from 1.
    Group {
        /// Number of the capturing group; `None` for `(?:...)`.
        capture: Option<u32>,
        /// What is inside.
        inner: Box<Regex>,
    },
    /// A repetition.
    Repeat(Repeat),
    /// One after the other.
    Concat(Vec<Regex>),
    /// One or another.
    Alternation(Vec<Regex>),
}

/// A repetition in a regular expression.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Repeat {
    /// Smallest number of times.
    pub min: u32,
    /// Largest number of times; `None` for no limit.
    pub max: Option<u32>,
    /// Whether as many as possible are taken; matters to `extract` only.
    pub greedy: bool,
    /// What is repeated.
    pub inner: Box<Regex>,
}

/// A member of a character class: a range whose ends belong to it; a single character has equal ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClassItem {
    /// First character.
    pub first: char,
    /// Last character.
    pub last: char,
}

/// Why a text is no portable regular expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegexError {
    /// What is wrong, as a lower-case fragment.
    pub message: String,
    /// What to write instead, where something is known.
    pub help: Option<&'static str>,
    /// Byte range inside the expression.
    pub range: std::ops::Range<usize>,
}

impl Regex {
    /// Reads a regular expression of the portable subset.
    ///
    /// # Errors
    /// Names the construct and its place when the text is malformed or outside the subset.
    pub fn parse(text: &str) -> Result<Self, RegexError> {
        let parsed = ast::parse::ParserBuilder::new().nest_limit(50).build().parse(text);
        let tree = parsed.map_err(|error| {
            let (message, help) = in_words(error.kind());
            RegexError { message, help, range: error.span().start.offset..error.span().end.offset }
        })?;
        convert(&tree)
    }

    /// Whether the expression can match the empty text.
    #[must_use]
    pub fn is_nullable(&self) -> bool {
        match self {
            Self::Empty | Self::Start | Self::End => true,
            Self::Literal(_) | Self::Dot | Self::Class { .. } => false,
            Self::Group { inner, .. } => inner.is_nullable(),
            Self::Repeat(repeat) => repeat.min == 0 || repeat.inner.is_nullable(),
            Self::Concat(parts) => parts.iter().all(Self::is_nullable),
            Self::Alternation(parts) => parts.iter().any(Self::is_nullable),
        }
    }

    /// Whether `^` or `$` stand anywhere but at the very start or end of the whole expression.
    #[must_use]
    pub fn has_inner_anchor(&self) -> bool {
        let parts = match self {
            Self::Concat(parts) => parts.as_slice(),
            other => std::slice::from_ref(other),
        };
        let last = parts.len().saturating_sub(1);
        parts.iter().enumerate().any(|(index, part)| match part {
            Self::Start => index != 0,
            Self::End => index != last,
            other => other.has_anchor(),
        })
    }

    /// Whether `^` or `$` stand anywhere.
    #[must_use]
    pub fn has_anchor(&self) -> bool {
        match self {
            Self::Start | Self::End => true,
            Self::Empty | Self::Literal(_) | Self::Dot | Self::Class { .. } => false,
            Self::Group { inner, .. } => inner.has_anchor(),
            Self::Repeat(repeat) => repeat.inner.has_anchor(),
            Self::Concat(parts) | Self::Alternation(parts) => parts.iter().any(Self::has_anchor),
        }
    }

    /// Number of capturing groups.
    #[must_use]
    pub fn captures(&self) -> u32 {
        match self {
            Self::Empty | Self::Literal(_) | Self::Dot | Self::Start | Self::End | Self::Class { .. } => 0,
            Self::Group { capture, inner } => u32::from(capture.is_some()) + inner.captures(),
            Self::Repeat(repeat) => repeat.inner.captures(),
            Self::Concat(parts) | Self::Alternation(parts) => parts.iter().map(Self::captures).sum(),
        }
    }
}

/// Why a text is no regular expression, and what to write instead.
fn in_words(kind: &ast::ErrorKind) -> (String, Option<&'static str>) {
    match kind {
        ast::ErrorKind::UnsupportedLookAround => (
            "look-around is outside the portable subset".to_owned(),
            Some("write two conditions: `x matches 'a' and not x matches 'b'`"),
        ),
        ast::ErrorKind::UnsupportedBackreference => {
            ("back-references are outside the portable subset".to_owned(), Some("write out what is repeated"))
        }
        ast::ErrorKind::GroupUnclosed => ("the group is never closed".to_owned(), Some("add `)`, or write `\\(`")),
        ast::ErrorKind::GroupUnopened => ("`)` closes nothing".to_owned(), Some("remove it, or write `\\)`")),
        ast::ErrorKind::ClassUnclosed => ("the class is never closed".to_owned(), Some("add `]`, or write `\\[`")),
        ast::ErrorKind::RepetitionMissing => {
            ("there is nothing to repeat".to_owned(), Some("a star that stands for itself is written `\\*`"))
        }
        ast::ErrorKind::NestLimitExceeded(limit) => (format!("more than {limit} groups stand inside each other"), None),
        other => (other.to_string(), None),
    }
}

/// Refuses a construct that is outside the portable subset.
fn refuse<T>(span: &ast::Span, what: &str) -> Result<T, RegexError> {
    let help = match what {
        "inline flags" => Some("operators ignore case; write `cased` behind the operator to respect it"),
        "word boundaries" => Some("write what may stand beside the word, such as `(^|[^a-z])word([^a-z]|$)`"),
        "Unicode classes" => Some("write ranges, such as `[A-Za-z]`"),
        "named classes" => Some("write ranges, such as `[0-9A-Za-z]`"),
        "named groups" => Some("write `(..)`"),
        "class operations" | "nested classes" | "a negated class inside a class" => {
            Some("write the characters in one class, such as `[a-z0-9]`")
        }
        _ => None,
    };
    let verb = if what.starts_with("a ") { "is" } else { "are" };
    let message = format!("{what} {verb} outside the portable subset");
    Err(RegexError { message, help, range: span.start.offset..span.end.offset })
}

fn convert(tree: &Ast) -> Result<Regex, RegexError> {
    match tree {
        Ast::Empty(_) => Ok(Regex::Empty),
        Ast::Flags(flags) => refuse(&flags.span, "inline flags"),
        Ast::Literal(literal) => Ok(Regex::Literal(literal.c)),
        Ast::Dot(_) => Ok(Regex::Dot),
        Ast::Assertion(assertion) => match assertion.kind {
            ast::AssertionKind::StartLine | ast::AssertionKind::StartText => Ok(Regex::Start),
            ast::AssertionKind::EndLine | ast::AssertionKind::EndText => Ok(Regex::End),
            _ => refuse(&assertion.span, "word boundaries"),
        },
        Ast::ClassUnicode(class) => refuse(&class.span, "Unicode classes"),
        Ast::ClassPerl(class) => Ok(Regex::Class { negated: class.negated, items: perl_items(&class.kind) }),
        Ast::ClassBracketed(class) => {
            let mut items = Vec::new();
            match &class.kind {
                ast::ClassSet::Item(item) => class_items(item, &mut items)?,
                ast::ClassSet::BinaryOp(operation) => {
                    return refuse(&operation.span, "class operations");
                }
            }
            Ok(Regex::Class { negated: class.negated, items })
        }
        Ast::Repetition(repetition) => {
            let (min, max) = match &repetition.op.kind {
                ast::RepetitionKind::ZeroOrOne => (0, Some(1)),
                ast::RepetitionKind::ZeroOrMore => (0, None),
                ast::RepetitionKind::OneOrMore => (1, None),
                ast::RepetitionKind::Range(ast::RepetitionRange::Exactly(times)) => (*times, Some(*times)),
                ast::RepetitionKind::Range(ast::RepetitionRange::AtLeast(times)) => (*times, None),
                ast::RepetitionKind::Range(ast::RepetitionRange::Bounded(min, max)) => (*min, Some(*max)),
            };
            if max.unwrap_or(min) > 1000 {
                return refuse(&repetition.op.span, "a repetition of more than 1000");
            }
            let inner = Box::new(convert(&repetition.ast)?);
            Ok(Regex::Repeat(Repeat { min, max, greedy: repetition.greedy, inner }))
        }
        Ast::Group(group) => {
            let capture = match &group.kind {
                ast::GroupKind::CaptureIndex(index) => Some(*index),
                ast::GroupKind::CaptureName { .. } => {
                    return refuse(&group.span, "named groups");
                }
                ast::GroupKind::NonCapturing(flags) if flags.items.is_empty() => None,
                ast::GroupKind::NonCapturing(flags) => {
                    return refuse(&flags.span, "inline flags");
                }
            };
            Ok(Regex::Group { capture, inner: Box::new(convert(&group.ast)?) })
        }
        Ast::Alternation(alternation) => {
            Ok(Regex::Alternation(alternation.asts.iter().map(convert).collect::<Result<_, _>>()?))
        }
        Ast::Concat(concat) => Ok(Regex::Concat(concat.asts.iter().map(convert).collect::<Result<_, _>>()?)),
    }
}

fn perl_items(kind: &ast::ClassPerlKind) -> Vec<ClassItem> {
    let ranges: &[(char, char)] = match kind {
        ast::ClassPerlKind::Digit => &[('0', '9')],
        ast::ClassPerlKind::Space => &[('\t', '\r'), (' ', ' ')],
        ast::ClassPerlKind::Word => &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
    };
    ranges.iter().map(|&(first, last)| ClassItem { first, last }).collect()
}

fn class_items(item: &ast::ClassSetItem, items: &mut Vec<ClassItem>) -> Result<(), RegexError> {
    match item {
        ast::ClassSetItem::Empty(_) => Ok(()),
        ast::ClassSetItem::Literal(literal) => {
            items.push(ClassItem { first: literal.c, last: literal.c });
            Ok(())
        }
        ast::ClassSetItem::Range(range) => {
            items.push(ClassItem { first: range.start.c, last: range.end.c });
            Ok(())
        }
        ast::ClassSetItem::Ascii(class) => refuse(&class.span, "named classes"),
        ast::ClassSetItem::Unicode(class) => refuse(&class.span, "Unicode classes"),
        ast::ClassSetItem::Perl(class) if class.negated => refuse(&class.span, "a negated class inside a class"),
        ast::ClassSetItem::Perl(class) => {
            items.extend(perl_items(&class.kind));
            Ok(())
        }
        ast::ClassSetItem::Bracketed(class) => refuse(&class.span, "nested classes"),
        ast::ClassSetItem::Union(union) => union.items.iter().try_for_each(|item| class_items(item, items)),
    }
}

impl fmt::Display for Regex {
    /// Writes the expression in the syntax that it was read from, for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => Ok(()),
            Self::Literal(character) => {
                if regex_syntax::is_meta_character(*character) {
                    f.write_str("\\")?;
                }
                write!(f, "{character}")
            }
            Self::Dot => f.write_str("."),
            Self::Start => f.write_str("^"),
            Self::End => f.write_str("$"),
            Self::Class { negated, items } => {
                f.write_str(if *negated { "[^" } else { "[" })?;
                for item in items {
                    write_class_character(f, item.first)?;
                    if item.last != item.first {
                        f.write_str("-")?;
                        write_class_character(f, item.last)?;
                    }
                }
                f.write_str("]")
            }
            Self::Group { capture, inner } => {
                write!(f, "({}{inner})", if capture.is_some() { "" } else { "?:" })
            }
            Self::Repeat(repeat) => {
                write!(f, "{}", repeat.inner)?;
                match (repeat.min, repeat.max) {
                    (0, Some(1)) => f.write_str("?")?,
                    (0, None) => f.write_str("*")?,
                    (1, None) => f.write_str("+")?,
                    (min, None) => write!(f, "{{{min},}}")?,
                    (min, Some(max)) if min == max => write!(f, "{{{min}}}")?,
                    (min, Some(max)) => write!(f, "{{{min},{max}}}")?,
                }
                if repeat.greedy { Ok(()) } else { f.write_str("?") }
            }
            Self::Concat(parts) => parts.iter().try_for_each(|part| write!(f, "{part}")),
            Self::Alternation(parts) => parts.iter().enumerate().try_for_each(|(index, part)| {
                if index > 0 {
                    f.write_str("|")?;
                }
                write!(f, "{part}")
            }),
        }
    }
}

fn write_class_character(f: &mut fmt::Formatter<'_>, character: char) -> fmt::Result {
    if matches!(character, '[' | ']' | '\\' | '^' | '-' | '&' | '~') {
        f.write_str("\\")?;
    }
    write!(f, "{character}")
}

impl Serialize for Regex {
    /// As text.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
