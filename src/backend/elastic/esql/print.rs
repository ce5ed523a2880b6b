//! Writes ES|QL; the only place that quotes strings and names.

use std::fmt::{self, Display, Write};

use super::ast::{Command, Expression, Name, Operator, Query};

/// A command that is wider than this is spread over several lines.
const WIDTH: usize = 110;

/// Words that a name must not be without back-quotes.
const KEYWORDS: [&str; 44] = [
    "and",
    "as",
    "asc",
    "by",
    "completion",
    "desc",
    "dissect",
    "drop",
    "enrich",
    "eval",
    "explain",
    "false",
    "first",
    "fork",
    "from",
    "fuse",
    "grok",
    "in",
    "inline",
    "is",
    "join",
    "keep",
    "last",
    "like",
    "limit",
    "lookup",
    "metadata",
    "mv_expand",
    "not",
    "null",
    "nulls",
    "on",
    "or",
    "rename",
    "rerank",
    "rlike",
    "row",
    "sample",
    "set",
    "show",
    "sort",
    "stats",
    "true",
    "where",
];

impl fmt::Display for Query {
    /// Writes one command a line, with a newline at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, command) in self.commands.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { "| " })?;
            writeln!(f, "{command}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::From { indexes, metadata } => {
                f.write_str("FROM ")?;
                write_list(f, indexes)?;
                if metadata.is_empty() { Ok(()) } else { write!(f, " METADATA {}", metadata.join(", ")) }
            }
            Self::Where(condition) => {
                f.write_str("WHERE ")?;
                write_spread(f, condition, 4)
            }
            Self::Eval(columns) => {
                f.write_str("EVAL ")?;
                write_assignments(f, columns)
            }
            Self::Stats { aggregates, by } => {
                f.write_str("STATS ")?;
                write_assignments(f, aggregates)?;
                if by.is_empty() {
                    return Ok(());
                }
                f.write_str(if aggregates.is_empty() { "BY " } else { " BY " })?;
                write_list(f, by)
            }
            Self::Expand(name) => write!(f, "MV_EXPAND {name}"),
            Self::Dissect { input, parts } => {
                let parts: Vec<String> = parts.iter().map(|part| format!("%{{{part}}}")).collect();
                write!(f, "DISSECT {input} {}", Quoted(&parts.join("|")))
            }
            Self::Rename(pairs) => {
                f.write_str("RENAME ")?;
                let pairs: Vec<String> = pairs.iter().map(|(old, new)| format!("{old} AS {new}")).collect();
                write_list(f, &pairs)
            }
            Self::Keep(names) => {
                f.write_str("KEEP ")?;
                write_list(f, names)
            }
        }
    }
}

fn write_assignments(f: &mut fmt::Formatter<'_>, columns: &[(Name, Expression)]) -> fmt::Result {
    let texts: Vec<String> = columns.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    let width: usize = texts.iter().map(|text| text.chars().count() + 2).sum();
    f.write_str(&texts.join(if width > WIDTH { ",\n    " } else { ", " }))
}

fn write_list(f: &mut fmt::Formatter<'_>, items: &[impl fmt::Display]) -> fmt::Result {
    items.iter().enumerate().try_for_each(|(index, item)| {
        if index > 0 {
            f.write_str(", ")?;
        }
        item.fmt(f)
    })
}

fn write_spread(f: &mut fmt::Formatter<'_>, expression: &Expression, indent: usize) -> fmt::Result {
    let (parts, word) = match expression {
        Expression::All(parts) => (parts, "AND"),
        Expression::Any(parts) => (parts, "OR"),
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
    /// Writes the expression on one line; every operation inside another is in parentheses.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::Number(number) => f.write_str(number),
            Self::Text(text) => Quoted(text).fmt(f),
            Self::Column(name) => name.fmt(f),
            Self::Call(name, arguments) => {
                write!(f, "{name}(")?;
                write_list(f, arguments)?;
                f.write_str(")")
            }
            Self::Binary(left, operator, right) => {
                write_operand(f, left)?;
                write!(f, " {} ", operator.symbol())?;
                write_operand(f, right)
            }
            Self::All(parts) => write_joined(f, parts, " AND "),
            Self::Any(parts) => write_joined(f, parts, " OR "),
            Self::Not(inner) => {
                f.write_str("NOT ")?;
                write_operand(f, inner)
            }
            Self::IsNull(inner) => {
                write_operand(f, inner)?;
                f.write_str(" IS NULL")
            }
            Self::IsNotNull(inner) => {
                write_operand(f, inner)?;
                f.write_str(" IS NOT NULL")
            }
            Self::OneOf(value, items) => {
                write_operand(f, value)?;
                f.write_str(" IN (")?;
                write_list(f, items)?;
                f.write_str(")")
            }
            Self::Like(value, pattern) => {
                write_operand(f, value)?;
                write!(f, " LIKE {}", Quoted(pattern))
            }
            Self::Regex(value, pattern) => {
                write_operand(f, value)?;
                write!(f, " RLIKE {}", Quoted(pattern))
            }
        }
    }
}

fn write_joined(f: &mut fmt::Formatter<'_>, parts: &[Expression], separator: &str) -> fmt::Result {
    parts.iter().enumerate().try_for_each(|(index, part)| {
        if index > 0 {
            f.write_str(separator)?;
        }
        if matches!(part, Expression::All(_) | Expression::Any(_)) { write!(f, "({part})") } else { part.fmt(f) }
    })
}

fn write_operand(f: &mut fmt::Formatter<'_>, operand: &Expression) -> fmt::Result {
    match operand {
        Expression::Null
        | Expression::Bool(_)
        | Expression::Number(_)
        | Expression::Text(_)
        | Expression::Column(_)
        | Expression::Call(..) => operand.fmt(f),
        Expression::Binary(..)
        | Expression::All(_)
        | Expression::Any(_)
        | Expression::Not(_)
        | Expression::IsNull(_)
        | Expression::IsNotNull(_)
        | Expression::OneOf(..)
        | Expression::Like(..)
        | Expression::Regex(..) => write!(f, "({operand})"),
    }
}

impl Operator {
    const fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Plus => "+",
            Self::Minus => "-",
            Self::Times => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().enumerate().try_for_each(|(index, segment)| {
            if index > 0 {
                f.write_str(".")?;
            }
            if is_plain(segment) { f.write_str(segment) } else { write!(f, "`{}`", segment.replace('`', "``")) }
        })
    }
}

fn is_plain(segment: &str) -> bool {
    let mut characters = segment.chars();
    characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_' || first == '@')
        && characters.all(|character| character.is_ascii_alphanumeric() || character == '_')
        && !KEYWORDS.contains(&segment.to_ascii_lowercase().as_str())
}

/// A text as a string literal: raw where that is easier to read, else with escapes.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0;
        // A raw string has no escapes and holds no line break.
        if text.contains('\\') && !text.contains(['"', '\n', '\r', '\t']) {
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
                other => f.write_char(other)?,
            }
        }
        f.write_str("\"")
    }
}
