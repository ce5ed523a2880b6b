//! Writes EQL; the only place that quotes strings and names.

use std::fmt::{self, Display, Write};

use super::ast::{Comparison, Expression, Field, Function, Operand, PatternKind, Scalar, Sequence, Statement, Term};

/// A condition that is wider than this is spread over several lines.
const WIDTH: usize = 100;

/// Words that a name must not be without back-quotes.
const KEYWORDS: [&str; 23] = [
    "and", "any", "by", "false", "fork", "head", "in", "join", "like", "maxspan", "not", "null", "of", "or", "regex",
    "runs", "sample", "sequence", "tail", "true", "until", "where", "with",
];

impl fmt::Display for Statement {
    /// Writes the query with a newline at its end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(filter) => write_filter(f, filter, 0)?,
            Self::Sequence(sequence) => sequence.fmt(f)?,
        }
        f.write_char('\n')
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sequence")?;
        write_keys(f, &self.keys)?;
        write!(f, " with maxspan={}", self.maxspan)?;
        for term in &self.terms {
            f.write_str(if term.absent { "\n  ![" } else { "\n  [" })?;
            term.fmt(f)?;
        }
        if let Some(until) = &self.until {
            f.write_str("\nuntil [")?;
            until.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Term {
    /// Writes the term behind its opening bracket.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_filter(f, &self.filter, 2)?;
        f.write_str("]")?;
        write_keys(f, &self.keys)?;
        if self.runs > 1 { write!(f, " with runs={}", self.runs) } else { Ok(()) }
    }
}

fn write_keys(f: &mut fmt::Formatter<'_>, keys: &[Field]) -> fmt::Result {
    if keys.is_empty() {
        return Ok(());
    }
    f.write_str(" by ")?;
    write_list(f, keys)
}

fn write_list(f: &mut fmt::Formatter<'_>, items: &[impl fmt::Display]) -> fmt::Result {
    items.iter().enumerate().try_for_each(|(index, item)| {
        if index > 0 {
            f.write_str(", ")?;
        }
        item.fmt(f)
    })
}

/// Writes `any where ..`; a wide conjunction gets a line for each of its parts.
fn write_filter(f: &mut fmt::Formatter<'_>, filter: &Expression, indent: usize) -> fmt::Result {
    f.write_str("any where ")?;
    write_spread(f, filter, indent + 2)
}

fn write_spread(f: &mut fmt::Formatter<'_>, expression: &Expression, indent: usize) -> fmt::Result {
    let (parts, word) = match expression {
        Expression::All(parts) => (parts, "and"),
        Expression::Any(parts) => (parts, "or"),
        other => return other.fmt(f),
    };
    if expression.to_string().chars().count() + indent <= WIDTH {
        return expression.fmt(f);
    }
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            write!(f, "\n{:indent$}{word} ", "")?;
        }
        if matches!(part, Expression::All(_) | Expression::Any(_)) {
            f.write_str("(")?;
            write_spread(f, part, indent + 2)?;
            f.write_str(")")?;
        } else {
            part.fmt(f)?;
        }
    }
    Ok(())
}

impl fmt::Display for Expression {
    /// Writes the condition on one line; every `and` or `or` inside another is in parentheses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant(value) => value.fmt(f),
            Self::All(parts) => write_joined(f, parts, " and "),
            Self::Any(parts) => write_joined(f, parts, " or "),
            Self::Not(inner) => {
                f.write_str("not ")?;
                write_part(f, inner)
            }
            Self::Compare(left, comparison, right) => write!(f, "{left} {} {right}", comparison.symbol()),
            Self::OneOf { field, folded, items } => {
                write!(f, "{field} in{} (", tilde(*folded))?;
                write_list(f, items)?;
                f.write_str(")")
            }
            Self::Match { field, pattern, folded, patterns } => {
                write!(f, "{field} {}{} ", pattern.keyword(), tilde(*folded))?;
                let quoted: Vec<Quoted<'_>> = patterns.iter().map(|pattern| Quoted(pattern)).collect();
                match quoted.as_slice() {
                    [only] => only.fmt(f),
                    several => {
                        f.write_str("(")?;
                        write_list(f, several)?;
                        f.write_str(")")
                    }
                }
            }
            Self::Function { function, field, arguments } => {
                write!(f, "{}({field}, ", function.name())?;
                let quoted: Vec<Quoted<'_>> = arguments.iter().map(|argument| Quoted(argument)).collect();
                write_list(f, &quoted)?;
                f.write_str(")")
            }
        }
    }
}

fn write_joined(f: &mut fmt::Formatter<'_>, parts: &[Expression], separator: &str) -> fmt::Result {
    parts.iter().enumerate().try_for_each(|(index, part)| {
        if index > 0 {
            f.write_str(separator)?;
        }
        write_part(f, part)
    })
}

fn write_part(f: &mut fmt::Formatter<'_>, part: &Expression) -> fmt::Result {
    if matches!(part, Expression::All(_) | Expression::Any(_)) { write!(f, "({part})") } else { part.fmt(f) }
}

const fn tilde(folded: bool) -> &'static str {
    if folded { "~" } else { "" }
}

impl Comparison {
    const fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Folded => ":",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

impl PatternKind {
    const fn keyword(self) -> &'static str {
        match self {
            Self::Like => "like",
            Self::Regex => "regex",
        }
    }
}

impl Function {
    const fn name(self) -> &'static str {
        match self {
            Self::StringContains => "stringContains",
            Self::StartsWith => "startsWith",
            Self::EndsWith => "endsWith",
            Self::CidrMatch => "cidrMatch",
        }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(field) => field.fmt(f),
            Self::Length(field) => write!(f, "length({field})"),
        }
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Text(text) => Quoted(text).fmt(f),
            Self::Number(number) => f.write_str(number),
            Self::Bool(value) => value.fmt(f),
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.optional {
            f.write_str("?")?;
        }
        self.path.iter().enumerate().try_for_each(|(index, segment)| {
            if index > 0 {
                f.write_str(".")?;
            }
            if is_plain(segment) { f.write_str(segment) } else { write!(f, "`{}`", segment.replace('`', "``")) }
        })
    }
}

fn is_plain(segment: &str) -> bool {
    let mut characters = segment.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|character| character.is_ascii_alphanumeric() || character == '_')
        && !KEYWORDS.contains(&segment.to_ascii_lowercase().as_str())
}

/// A text as a string literal: raw where that is easier to read, else with escapes.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0;
        let wants_raw = text.contains(['\\', '"']);
        // A raw string ends at the first three quotes and takes one or two more behind them; it has no escapes at all.
        let fits_raw =
            !text.contains("\"\"\"") && !text.starts_with('"') && !text.ends_with('"') && !text.contains(needs_escape);
        if wants_raw && fits_raw {
            return write!(f, "\"\"\"{text}\"\"\"");
        }
        f.write_str("\"")?;
        for character in text.chars() {
            match character {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                other if needs_escape(other) => write!(f, "\\u{{{:02x}}}", u32::from(other))?,
                other => f.write_char(other)?,
            }
        }
        f.write_str("\"")
    }
}

/// Characters that a reader cannot see, or that turn the reading order around.
fn needs_escape(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        )
}
