//! Writes queries as text; the only place that quotes strings and names.

use std::fmt;

use super::ast::{
    Aggregate, AggregateFunction, Arithmetic, Comparison, EvalExpr, Name, Pattern, Search, SearchExpr, SortKey, Stage,
};

impl fmt::Display for Search {
    /// Writes the base search and each command on a line of its own, with a newline at the end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.base {
            SearchExpr::All(parts) => write_joined(f, parts, " ", write_term)?,
            SearchExpr::Any(parts) => write_joined(f, parts, " OR ", write_term)?,
            SearchExpr::Location(_)
            | SearchExpr::Macro(_)
            | SearchExpr::Term { .. }
            | SearchExpr::Number { .. }
            | SearchExpr::Present(_) => write_term(f, &self.base)?,
        }
        f.write_str("\n")?;
        self.stages.iter().try_for_each(|stage| writeln!(f, "| {stage}"))
    }
}

/// Writes a part of the base search; a combination stands in parentheses.
fn write_term(f: &mut fmt::Formatter<'_>, term: &SearchExpr) -> fmt::Result {
    match term {
        SearchExpr::Location(text) => write!(f, "({text})"),
        SearchExpr::Macro(name) => write!(f, "`{name}`"),
        SearchExpr::Term { field, patterns } => {
            write_search_field(f, field)?;
            if let [pattern] = patterns.as_slice() {
                return write!(f, "={pattern}");
            }
            f.write_str(" IN (")?;
            write_joined(f, patterns, ", ", |f, pattern| write!(f, "{pattern}"))?;
            f.write_str(")")
        }
        SearchExpr::Number { field, order, number } => {
            write_search_field(f, field)?;
            write!(f, "{order}{number}")
        }
        SearchExpr::Present(field) => {
            write_search_field(f, field)?;
            f.write_str("=*")
        }
        SearchExpr::All(parts) => write_in_parentheses(f, parts, " "),
        SearchExpr::Any(parts) => write_in_parentheses(f, parts, " OR "),
    }
}

fn write_in_parentheses(f: &mut fmt::Formatter<'_>, parts: &[SearchExpr], separator: &str) -> fmt::Result {
    f.write_str("(")?;
    write_joined(f, parts, separator, write_term)?;
    f.write_str(")")
}

/// In the base search dots and braces may stand bare; anything else wants quotes.
fn write_search_field(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    let bare = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '.' | '{' | '}');
    if name.chars().all(bare) { f.write_str(name) } else { write_quoted(f, name) }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for part in &self.0 {
            match part {
                Some(text) => write_escaped(f, text)?,
                None => f.write_str("*")?,
            }
        }
        f.write_str("\"")
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Where(condition) => write!(f, "where {condition}"),
            Self::Eval(assignments) => {
                f.write_str("eval ")?;
                write_joined(f, assignments, ", ", |f, (name, value)| write!(f, "{name}={value}"))
            }
            Self::Stats { aggregates, by } | Self::StatsBeside { aggregates, by, .. } => {
                f.write_str("stats ")?;
                write_joined(f, aggregates, ", ", |f, aggregate| aggregate.fmt(f))?;
                write_by(f, by)
            }
            Self::EventStats { aggregates, by } => {
                f.write_str("eventstats ")?;
                write_joined(f, aggregates, ", ", |f, aggregate| aggregate.fmt(f))?;
                write_by(f, by)
            }
            Self::StreamStats { window, current, aggregates, by } => {
                f.write_str("streamstats ")?;
                if !current {
                    f.write_str("current=f ")?;
                }
                if let Some(window) = window {
                    write!(f, "window={window} global=f ")?;
                }
                write_joined(f, aggregates, ", ", |f, aggregate| aggregate.fmt(f))?;
                write_by(f, by)
            }
            Self::Sort(keys) => {
                f.write_str("sort 0 ")?;
                write_joined(f, keys, ", ", |f, key| key.fmt(f))
            }
            Self::Dedup(columns) => {
                f.write_str("dedup ")?;
                write_joined(f, columns, ", ", |f, name| write_column(f, name))
            }
            Self::Fields(names) => {
                f.write_str("fields ")?;
                write_joined(f, names, ", ", |f, name| match name {
                    Name::Source(name) | Name::Derived(name) => write_column(f, name),
                })
            }
            Self::MvExpand(column) => write!(f, "mvexpand {column}"),
            Self::AddInfo => f.write_str("addinfo"),
            Self::Locate { address, prefix } => write!(f, "iplocation prefix={prefix} lang=code {address}"),
            Self::Lookup { table, address, output: (theirs, ours) } => {
                write!(f, "lookup {table} ip AS {address} OUTPUT {theirs} AS {ours}")
            }
            Self::Rename(pairs) => {
                f.write_str("rename ")?;
                write_joined(f, pairs, ", ", |f, (from, to)| {
                    write!(f, "{from} AS ")?;
                    write_column(f, to)
                })
            }
            Self::Table(columns) => {
                f.write_str("table ")?;
                write_joined(f, columns, ", ", |f, name| write_column(f, name))
            }
        }
    }
}

fn write_by(f: &mut fmt::Formatter<'_>, by: &[String]) -> fmt::Result {
    if by.is_empty() {
        return Ok(());
    }
    f.write_str(" BY ")?;
    write_joined(f, by, ", ", |f, name| write_column(f, name))
}

/// Outside expressions a name is bare where it is a word, else in double quotes.
fn write_column(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    if name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_') {
        f.write_str(name)
    } else {
        write_quoted(f, name)
    }
}

impl fmt::Display for SortKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.descending { "-" } else { "" };
        if self.text { write!(f, "{sign}str({})", self.column) } else { write!(f, "{sign}{}", self.column) }
    }
}

impl fmt::Display for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let function = match self.function {
            AggregateFunction::Count | AggregateFunction::CountOf => "count",
            AggregateFunction::DistinctCount => "dc",
            AggregateFunction::Sum => "sum",
            AggregateFunction::Min => "min",
            AggregateFunction::Max => "max",
            AggregateFunction::First => "first",
            AggregateFunction::Last => "last",
        };
        match &self.argument {
            None => write!(f, "{function} AS ")?,
            Some(EvalExpr::Name(Name::Derived(column))) => write!(f, "{function}({column}) AS ")?,
            Some(expression) => write!(f, "{function}(eval({expression})) AS ")?,
        }
        write_column(f, &self.name)
    }
}

impl Comparison {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::Different => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

impl Arithmetic {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Plus => "+",
            Self::Minus => "-",
            Self::Times => "*",
            Self::Over => "/",
            Self::Modulo => "%",
        }
    }
}

/// How tightly an expression holds together, loosest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Boolean,
    Comparison,
    Sum,
    Atom,
}

impl EvalExpr {
    const fn binding(&self) -> Binding {
        match self {
            Self::And(_) | Self::Or(_) | Self::Not(_) => Binding::Boolean,
            Self::Compare(..) => Binding::Comparison,
            Self::Arithmetic(..) => Binding::Sum,
            // a concatenation is always in parentheses inside something else: the dot is easily overlooked
            Self::Join(_) => Binding::Boolean,
            Self::Name(_)
            | Self::Text(_)
            | Self::Regex(_)
            | Self::FirstGroup
            | Self::Integer(_)
            | Self::Decimal(_)
            | Self::Call(..) => Binding::Atom,
        }
    }
}

impl fmt::Display for EvalExpr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(Name::Source(name)) if matches!(name.as_str(), "_time" | "_raw") => f.write_str(name),
            Self::Name(Name::Source(name)) => write!(f, "'{name}'"),
            Self::Name(Name::Derived(name)) => f.write_str(name),
            Self::Text(text) => write_quoted(f, text),
            Self::Regex(text) => {
                f.write_str("\"")?;
                text.chars().try_for_each(|character| match character {
                    '"' => f.write_str("\\\""),
                    // a class with a backslash, whether or not the string is unescaped before it is compiled
                    '\\' => f.write_str("\\\\\\\\"),
                    other => write!(f, "{other}"),
                })?;
                f.write_str("\"")
            }
            Self::FirstGroup => f.write_str("\"\\1\""),
            Self::Integer(number) if *number < 0 => write!(f, "(0-{})", number.unsigned_abs()),
            Self::Integer(number) => number.fmt(f),
            Self::Decimal(number) => match number.strip_prefix('-') {
                Some(positive) => write!(f, "(0-{positive})"),
                None => f.write_str(number),
            },
            Self::Call(function, arguments) => {
                write!(f, "{}(", function.as_str())?;
                write_joined(f, arguments, ",", |f, argument| argument.fmt(f))?;
                f.write_str(")")
            }
            Self::Compare(left, comparison, right) => {
                write_operand(f, left, Binding::Sum)?;
                f.write_str(comparison.as_str())?;
                write_operand(f, right, Binding::Sum)
            }
            Self::Arithmetic(left, operator, right) => {
                write_operand(f, left, Binding::Atom)?;
                f.write_str(operator.as_str())?;
                write_operand(f, right, Binding::Atom)
            }
            Self::Join(parts) => write_joined(f, parts, ".", |f, part| write_operand(f, part, Binding::Atom)),
            Self::And(parts) => write_joined(f, parts, " AND ", |f, part| write_operand(f, part, Binding::Comparison)),
            Self::Or(parts) => write_joined(f, parts, " OR ", |f, part| write_operand(f, part, Binding::Comparison)),
            Self::Not(inner) => {
                f.write_str("NOT ")?;
                write_operand(f, inner, Binding::Atom)
            }
        }
    }
}

fn write_operand(f: &mut fmt::Formatter<'_>, operand: &EvalExpr, at_least: Binding) -> fmt::Result {
    let bare_not = at_least == Binding::Comparison && matches!(operand, EvalExpr::Not(_));
    if operand.binding() >= at_least || bare_not { write!(f, "{operand}") } else { write!(f, "({operand})") }
}

fn write_joined<T>(
    f: &mut fmt::Formatter<'_>,
    parts: &[T],
    separator: &str,
    write: impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(separator)?;
        }
        write(f, part)?;
    }
    Ok(())
}

fn write_quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    write_escaped(f, text)?;
    f.write_str("\"")
}

fn write_escaped(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    text.chars().try_for_each(|character| match character {
        '"' | '\\' => write!(f, "\\{character}"),
        other => write!(f, "{other}"),
    })
}
