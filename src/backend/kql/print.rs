//! Writes queries: one operator a line, strings quoted here and nowhere else.

use std::fmt::{self, Write};

use super::ast::{Assignment, Expr, Extreme, JoinKind, Kind, Let, Membership, Operator, Origin, Script, Stage, Table};
use super::frame::TIME;
use super::reserved;

/// Indentation of a tabular expression inside another.
const STEP: usize = 4;

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for statement in &self.lets {
            match statement {
                Let::Scalar(name, value) => writeln!(f, "let {name} = {value};")?,
                Let::Materialized(name, table) => {
                    write!(f, "let {name} = materialize(")?;
                    write_table(f, table, STEP)?;
                    f.write_str(");\n")?;
                }
            }
        }
        write_table(f, &self.body, 0)?;
        f.write_str("\n")
    }
}

fn write_table(f: &mut fmt::Formatter<'_>, table: &Table, indent: usize) -> fmt::Result {
    match &table.origin {
        Origin::Name(name) => f.write_str(&identifier(name))?,
        Origin::Union(tables) => {
            f.write_str("union")?;
            for (index, table) in tables.iter().enumerate() {
                f.write_str(if index == 0 { "" } else { "," })?;
                write!(f, "\n{:1$}(", "", indent + STEP)?;
                write_table(f, table, indent + STEP)?;
                f.write_str(")")?;
            }
        }
    }
    for stage in &table.stages {
        write!(f, "\n{:1$}| ", "", indent)?;
        write_stage(f, stage, indent)?;
    }
    Ok(())
}

fn write_stage(f: &mut fmt::Formatter<'_>, stage: &Stage, indent: usize) -> fmt::Result {
    match stage {
        Stage::Where(condition) => write!(f, "where {condition}"),
        Stage::Extend(columns) => write!(f, "extend {}", list(columns)),
        Stage::Project(columns) => write!(f, "project {}", list(columns)),
        Stage::ProjectAway(prefix) => write!(f, "project-away {prefix}*"),
        Stage::Sort(columns) => {
            let orders: Vec<String> = columns.iter().map(|name| format!("{} asc", identifier(name))).collect();
            write!(f, "sort by {}", orders.join(", "))
        }
        Stage::SortLatestFirst(columns) => {
            let order = |name: &String| format!("{} {}", identifier(name), if name == TIME { "desc" } else { "asc" });
            let orders: Vec<String> = columns.iter().map(order).collect();
            write!(f, "sort by {}", orders.join(", "))
        }
        Stage::Summarize { results, by } if by.is_empty() => write!(f, "summarize {}", list(results)),
        Stage::Summarize { results, by } => write!(f, "summarize {} by {}", list(results), list(by)),
        Stage::Number(name) => write!(f, "serialize {name} = row_number()"),
        Stage::Distinct(columns) => write!(f, "distinct {}", names(columns)),
        Stage::Extreme { which, of, by } => {
            let function = match which {
                Extreme::Largest => "arg_max",
                Extreme::Smallest => "arg_min",
            };
            write!(f, "summarize {function}({}, *) by {}", identifier(of), list(by))
        }
        Stage::Join { kind, right, on } => {
            let kind = match kind {
                JoinKind::Inner => "inner",
                JoinKind::LeftSemi => "leftsemi",
            };
            write!(f, "join kind={kind} (")?;
            write_table(f, right, indent + STEP)?;
            write!(f, ") on {}", names(on))
        }
        Stage::Expand { name, list, kind } => {
            write!(f, "mv-expand {} = {list} to typeof({})", identifier(name), kind.name())
        }
        Stage::Apply { indexed, item, list, inner, result } => {
            let index = if *indexed { "with_itemindex=detc_index " } else { "" };
            write!(f, "mv-apply {index}{} = {list} to typeof(dynamic) on (", identifier(item))?;
            write!(f, "\n{:1$}", "", indent + STEP)?;
            for stage in inner {
                write_stage(f, stage, indent + STEP)?;
                write!(f, "\n{:1$}| ", "", indent + STEP)?;
            }
            write!(f, "summarize {result})")
        }
        Stage::Scan { declare, steps } => {
            let declared: Vec<String> =
                declare.iter().map(|(name, kind)| format!("{}: {}", identifier(name), kind.name())).collect();
            write!(f, "scan declare ({}) with (", declared.join(", "))?;
            for step in steps {
                let output = if step.output { "" } else { " output=none" };
                write!(f, "\n{:3$}step {}{output}: {}", "", identifier(&step.name), step.condition, indent + STEP)?;
                match step.assignments.as_slice() {
                    [] => {}
                    [only] => write!(f, " => {only}")?,
                    several => {
                        f.write_str(" =>")?;
                        for (index, assignment) in several.iter().enumerate() {
                            let comma = if index + 1 < several.len() { "," } else { "" };
                            write!(f, "\n{:1$}{assignment}{comma}", "", indent + 2 * STEP)?;
                        }
                    }
                }
                f.write_str(";")?;
            }
            write!(f, "\n{:1$})", "", indent)
        }
    }
}

fn list<T: fmt::Display>(items: &[T]) -> String {
    let texts: Vec<String> = items.iter().map(ToString::to_string).collect();
    texts.join(", ")
}

fn names(columns: &[String]) -> String {
    let names: Vec<String> = columns.iter().map(|name| identifier(name)).collect();
    names.join(", ")
}

impl fmt::Display for Assignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Expr::Column(name) if *name == self.name => f.write_str(&identifier(name)),
            value => write!(f, "{} = {value}", identifier(&self.name)),
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column(name) => f.write_str(&identifier(name)),
            Self::State(step, name) => write!(f, "{}.{}", identifier(step), identifier(name)),
            Self::Text(text) => f.write_str(&quoted(text)),
            Self::Pattern(text) => write!(f, "@\"{}\"", text.replace('"', "\"\"")),
            // The smallest number cannot be written as the negative of a positive one.
            Self::Int(number) if *number == i64::MIN => write!(f, "long({number})"),
            Self::Int(number) => write!(f, "{number}"),
            Self::Real(text) => f.write_str(text),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Span(duration) => write!(f, "{duration}"),
            Self::Day(day) => write!(f, "datetime({day})"),
            Self::Null(Kind::Text) => f.write_str("\"\""),
            Self::Null(kind) => write!(f, "{}(null)", kind.name()),
            Self::Call(name, arguments) => write!(f, "{name}({})", list(arguments)),
            Self::Infix(left, operator, right) => {
                write_operand(f, left, *operator)?;
                write!(f, " {} ", operator.symbol())?;
                write_operand(f, right, *operator)
            }
            Self::Among { value, operator, items } => {
                write!(f, "{value} {} ({})", operator.symbol(), list(items))
            }
            Self::And(parts) => write_joined(f, parts, " and "),
            Self::Or(parts) => write_joined(f, parts, " or "),
            Self::Not(inner) => write!(f, "not({inner})"),
            Self::Member(object, name) if reserved::is_plain(name) => write!(f, "{object}.{name}"),
            Self::Member(object, name) => write!(f, "{object}[{}]", quoted(name)),
            Self::Index(array, index) => write!(f, "{array}[{index}]"),
        }
    }
}

/// Writes an operand; sums stand bare inside comparisons, anything else that has operators stands in parentheses.
fn write_operand(f: &mut fmt::Formatter<'_>, operand: &Expr, outer: Operator) -> fmt::Result {
    let bare = match operand {
        Expr::Infix(_, inner, _) => inner.is_arithmetic() && !outer.is_arithmetic(),
        Expr::And(_) | Expr::Or(_) | Expr::Among { .. } => false,
        _ => true,
    };
    if bare { write!(f, "{operand}") } else { write!(f, "({operand})") }
}

fn write_joined(f: &mut fmt::Formatter<'_>, parts: &[Expr], word: &str) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(word)?;
        }
        match part {
            Expr::And(_) | Expr::Or(_) => write!(f, "({part})")?,
            other => write!(f, "{other}")?,
        }
    }
    Ok(())
}

impl Operator {
    const fn is_arithmetic(self) -> bool {
        matches!(self, Self::Add | Self::Subtract | Self::Multiply | Self::Divide)
    }

    const fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::EqualFolded => "=~",
            Self::NotEqualFolded => "!~",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Contains { cased: false, negated: false } => "contains",
            Self::Contains { cased: false, negated: true } => "!contains",
            Self::Contains { cased: true, negated: false } => "contains_cs",
            Self::Contains { cased: true, negated: true } => "!contains_cs",
            Self::StartsWith { cased: false, negated: false } => "startswith",
            Self::StartsWith { cased: false, negated: true } => "!startswith",
            Self::StartsWith { cased: true, negated: false } => "startswith_cs",
            Self::StartsWith { cased: true, negated: true } => "!startswith_cs",
            Self::EndsWith { cased: false, negated: false } => "endswith",
            Self::EndsWith { cased: false, negated: true } => "!endswith",
            Self::EndsWith { cased: true, negated: false } => "endswith_cs",
            Self::EndsWith { cased: true, negated: true } => "!endswith_cs",
            Self::MatchesRegex => "matches regex",
        }
    }
}

impl Membership {
    const fn symbol(self) -> &'static str {
        match (self.folded, self.negated) {
            (false, false) => "in",
            (false, true) => "!in",
            (true, false) => "in~",
            (true, true) => "!in~",
        }
    }
}

/// A column's name, in brackets where it is no plain word.
fn identifier(name: &str) -> String {
    if reserved::is_plain(name) {
        return name.to_owned();
    }
    let mut text = String::from("['");
    write_escaped(&mut text, name, '\'');
    text.push_str("']");
    text
}

/// A string literal.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    write_escaped(&mut quoted, text, '"');
    quoted.push('"');
    quoted
}

fn write_escaped(out: &mut String, text: &str, quote: char) {
    for character in text.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            other if other == quote => {
                out.push('\\');
                out.push(quote);
            }
            // Line separators end a literal for some readers as a newline does.
            other if other.is_control() || matches!(other, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(other));
            }
            other => out.push(other),
        }
    }
}
