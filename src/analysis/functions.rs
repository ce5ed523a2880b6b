//! Functions of the expression language: names, arguments, results.

use std::ops::Range;

use super::paths::describe;
use super::scope::Typer;
use crate::diagnostic::{Code, Diagnostic};
use crate::ir::{Call, Literal, Regex, Value};
use crate::schema::{Type, nearest};
use crate::source::{Span, Spanned};
use crate::syntax::ast::Expr;

/// Functions that give a value, with the number of their arguments (least and most).
const VALUES: [(&str, usize, usize); 16] = [
    ("length", 1, 1),
    ("lower", 1, 1),
    ("upper", 1, 1),
    ("coalesce", 2, 16),
    ("concat", 2, 16),
    ("split", 3, 3),
    ("extract", 2, 2),
    ("replace", 3, 3),
    ("int", 1, 1),
    ("float", 1, 1),
    ("hour", 1, 1),
    ("weekday", 1, 1),
    ("country", 1, 1),
    ("city", 1, 1),
    ("asn", 1, 1),
    ("as_org", 1, 1),
];

/// Functions that are conditions, with the number of their arguments (least and most).
pub(super) const CONDITIONS: [(&str, usize, usize); 5] =
    [("exists", 1, 1), ("in_network", 2, 2), ("is_private", 1, 1), ("is_public", 1, 1), ("outside_hours", 2, 3)];

/// Functions of other languages, with what to write.
const FOREIGN: [(&str, &str); 18] = [
    ("startswith", "write `field starts_with \"text\"`"),
    ("endswith", "write `field ends_with \"text\"`"),
    ("strcontains", "write `field contains \"text\"`"),
    ("match", "write `field matches 'pattern'`"),
    ("regex", "write `field matches 'pattern'`"),
    ("regexp", "write `field matches 'pattern'`"),
    ("cidrmatch", "write `in_network(field, \"10.0.0.0/8\")`"),
    ("cidr_match", "write `in_network(field, \"10.0.0.0/8\")`"),
    ("isnull", "write `not exists(field)`"),
    ("isempty", "write `not exists(field)`"),
    ("isnotnull", "write `exists(field)`"),
    ("isnotempty", "write `exists(field)`"),
    ("tolower", "write `lower(field)`"),
    ("toupper", "write `upper(field)`"),
    ("len", "write `length(field)`"),
    ("strlen", "write `length(field)`"),
    ("count", "events are counted in `behavior`: `count(signal) >= 5 by key within 10m`"),
    ("distinct", "values are counted in `behavior`: `distinct(signal.field) >= 5 by key within 10m`"),
];

/// A function with its arguments, for messages.
fn usage(function: &str) -> &'static str {
    match function {
        "coalesce" => "coalesce(field, other)",
        "concat" => "concat(field, \":\", other)",
        "split" => "split(field, \"@\", 0)",
        "extract" => "extract(field, 'pattern-([0-9]+)')",
        "replace" => "replace(field, \"from\", \"to\")",
        "length" => "length(field)",
        "lower" => "lower(field)",
        "upper" => "upper(field)",
        "int" => "int(field)",
        "float" => "float(field)",
        "hour" => "hour(time)",
        "weekday" => "weekday(time)",
        "country" => "country(address)",
        "city" => "city(address)",
        "asn" => "asn(address)",
        "as_org" => "as_org(address)",
        "in_network" => "in_network(address, \"10.0.0.0/8\")",
        "is_private" => "is_private(address)",
        "is_public" => "is_public(address)",
        "outside_hours" => "outside_hours(time, \"Mon-Fri 08:00-18:00\", \"+01:00\")",
        _ => "exists(field)",
    }
}

impl Typer<'_> {
    /// A function that gives a value.
    pub(super) fn call(
        &mut self,
        function: &Spanned<String>,
        arguments: &[Spanned<Expr>],
        span: Span,
    ) -> Option<Value> {
        let name = function.node.as_str();
        if !self.check_arity(function, arguments.len(), &VALUES) {
            return None;
        }
        if matches!(name, "split" | "extract" | "replace") {
            return self.text_call(name, arguments).map(|call| Value::Call(Box::new(call)));
        }
        let mut values = Vec::new();
        for argument in arguments {
            let is_optional = name == "coalesce";
            values.push(if is_optional { self.value_or_nothing(argument)? } else { self.value(argument)? });
        }
        let call = match name {
            "coalesce" => Call::Coalesce(self.coalesced(values)?),
            "concat" => {
                let mut parts = Vec::new();
                for value in values {
                    self.scalar_argument(&value)?;
                    parts.push(value.node);
                }
                Call::Concat(parts)
            }
            _ => {
                let value = values.into_iter().next()?;
                self.unary(name, value, span)?
            }
        };
        Some(Value::Call(Box::new(call)))
    }

    fn unary(&mut self, name: &str, value: Spanned<Value>, span: Span) -> Option<Call> {
        let ty = value.node.ty();
        let is_list = matches!(ty, Type::List(_));
        let fits = match name {
            "length" => ty.is_textual() || is_list,
            "lower" | "upper" => ty.is_textual(),
            "int" | "float" => ty.is_textual() || ty.is_number(),
            "hour" | "weekday" => ty == Type::Time,
            _ => ty == Type::Ip,
        };
        if !fits {
            let wanted = match name {
                "length" => "a string or a list",
                "lower" | "upper" => "a string",
                "int" | "float" => "a string or a number",
                "hour" | "weekday" => "a time",
                _ => "an address",
            };
            let message = format!("`{name}` takes {wanted}, but {} is {ty}", describe(&value.node));
            let diagnostic = Diagnostic::new(Code::WrongArgument, value.span, message);
            self.report(if is_list {
                diagnostic.help("write `first(list as x where ..)`")
            } else {
                diagnostic.help(format!("`detc schema show {}` lists the types of fields", self.source.name))
            });
            return None;
        }
        let value = value.node;
        Some(match name {
            "length" => Call::Length(value),
            "lower" => Call::Lower(value),
            "upper" => Call::Upper(value),
            "int" => Call::ToInt(value),
            "float" => Call::ToFloat(value),
            "hour" => Call::Hour(value),
            "weekday" => Call::Weekday(value),
            "country" => Call::Country(value),
            "city" => Call::City(value),
            "asn" => Call::Asn(value),
            "as_org" => Call::AsOrganisation(value),
            other => {
                let message = format!("`{other}` cannot stand here");
                self.report(Diagnostic::new(Code::UnknownFunction, span, message));
                return None;
            }
        })
    }

    fn coalesced(&mut self, values: Vec<Spanned<Value>>) -> Option<Vec<Value>> {
        let first = values.first()?.node.ty();
        for value in &values {
            let ty = value.node.ty();
            let same = ty == first || (ty.is_textual() && first.is_textual()) || (ty.is_number() && first.is_number());
            if !same {
                let message = format!("`coalesce` takes values of one type, but {} is {ty}", describe(&value.node));
                let diagnostic = Diagnostic::new(Code::WrongArgument, value.span, message);
                self.report(diagnostic.help(format!("the first value is {first}")));
                return None;
            }
        }
        Some(values.into_iter().map(|value| value.node).collect())
    }

    fn text_call(&mut self, name: &str, arguments: &[Spanned<Expr>]) -> Option<Call> {
        let (subject, rest) = arguments.split_first()?;
        let subject = self.value(subject)?;
        self.scalar_argument(&subject)?;
        if !subject.node.ty().is_textual() {
            let message = format!("`{name}` takes a string, but {} is {}", describe(&subject.node), subject.node.ty());
            let help = format!("`detc schema show {}` lists the types of fields", self.source.name);
            self.report(Diagnostic::new(Code::WrongArgument, subject.span, message).help(help));
            return None;
        }
        let value = subject.node;
        match (name, rest) {
            ("split", [separator, index]) => {
                let separator = self.text_argument(separator, true)?;
                let number = self.value(index)?;
                let index = match number.node {
                    Value::Literal(Literal::Int(number)) => u32::try_from(number).ok(),
                    _ => None,
                };
                let Some(index) = index else {
                    let message = "the part of `split` is a whole number from 0 on";
                    let help = "0 is the first part";
                    self.report(Diagnostic::new(Code::WrongArgument, number.span, message).help(help));
                    return None;
                };
                Some(Call::Split { value, separator, index })
            }
            ("extract", [pattern]) => {
                let span = pattern.span;
                let text = self.text_argument(pattern, true)?;
                let regex = self.regex(&text, span)?;
                Some(Call::Extract { value, regex })
            }
            ("replace", [from, to]) => {
                let from = self.text_argument(from, true)?;
                let to = self.text_argument(to, false)?;
                Some(Call::Replace { value, from, to })
            }
            _ => None,
        }
    }

    /// A constant text; `filled` refuses the empty one.
    pub(super) fn text_argument(&mut self, argument: &Spanned<Expr>, filled: bool) -> Option<String> {
        let value = self.value(argument)?;
        match value.node {
            Value::Literal(Literal::Text(text)) if !filled || !text.is_empty() => Some(text),
            Value::Literal(Literal::Text(_)) => {
                let diagnostic = Diagnostic::new(Code::EmptyString, value.span, "the text is empty");
                self.report(diagnostic.help("write at least one character"));
                None
            }
            other => {
                let message = format!("a text in quotes is wanted, not {}", describe(&other));
                let help = "only the first argument can be a field";
                self.report(Diagnostic::new(Code::WrongArgument, value.span, message).help(help));
                None
            }
        }
    }

    /// A regular expression of the portable subset.
    pub(super) fn regex(&mut self, text: &str, span: Span) -> Option<Regex> {
        match Regex::parse(text) {
            Ok(regex) => Some(regex),
            Err(error) => {
                let place = inside_quotes(text, &error.range, span).unwrap_or(span);
                let diagnostic = Diagnostic::new(Code::InvalidRegex, place, error.message);
                let help = error.help.unwrap_or("the portable subset is listed in LANGUAGE.md");
                self.report(diagnostic.help(help));
                None
            }
        }
    }

    fn scalar_argument(&mut self, value: &Spanned<Value>) -> Option<Type> {
        self.single(&value.node, value.span)
    }

    /// Reports an unknown function or a wrong number of arguments.
    pub(super) fn check_arity(
        &mut self,
        function: &Spanned<String>,
        given: usize,
        known: &[(&str, usize, usize)],
    ) -> bool {
        let name = function.node.as_str();
        let Some((_, least, most)) = known.iter().find(|(known, ..)| *known == name) else {
            let is_other = VALUES.iter().chain(&CONDITIONS).any(|(other, ..)| *other == name);
            let diagnostic = if is_other {
                let message = format!("`{name}` is a condition, not a value");
                let help = "conditions stand in `where`, joined to others by `and` or `or`";
                Diagnostic::new(Code::TypeMismatch, function.span, message).help(help)
            } else {
                let diagnostic =
                    Diagnostic::new(Code::UnknownFunction, function.span, format!("unknown function `{name}`"));
                let names: Vec<&str> = VALUES.iter().chain(&CONDITIONS).map(|(name, ..)| *name).collect();
                let lower = name.to_ascii_lowercase();
                let foreign = FOREIGN.iter().find(|(foreign, _)| *foreign == lower).map(|(_, help)| *help);
                match (foreign, nearest(name, names.iter().copied())) {
                    (Some(help), _) => diagnostic.help(help),
                    (None, Some(near)) => diagnostic.help(format!("the nearest function is `{near}`")),
                    (None, None) => {
                        let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
                        diagnostic.help(format!("the functions are {}", names.join(", ")))
                    }
                }
            };
            self.report(diagnostic);
            return false;
        };
        if (*least..=*most).contains(&given) {
            return true;
        }
        let wanted = if least == most { format!("{least}") } else { format!("{least} to {most}") };
        let noun = if least == most && *most == 1 { "argument" } else { "arguments" };
        let message = format!("`{name}` takes {wanted} {noun}, not {given}");
        let diagnostic = Diagnostic::new(Code::WrongArgument, function.span, message);
        self.report(diagnostic.help(format!("write `{}`", usage(name))));
        false
    }
}

/// The place of a range of a decoded text that stands between quotes; `None` where YAML changed it too.
fn inside_quotes(text: &str, range: &Range<usize>, span: Span) -> Option<Span> {
    let written = usize::try_from(span.end.saturating_sub(span.start)).ok()?;
    let start = usize::try_from(span.start).ok()? + 1;
    // Between double quotes both of these take a backslash.
    let escapes = |part: &str| part.matches(['\\', '"']).count();
    if written == text.len() + 2 {
        return Some(Span::new(span.file, start + range.start, start + range.end));
    }
    let place = |offset: usize| Some(start + offset + escapes(text.get(..offset)?));
    (written == text.len() + escapes(text) + 2).then_some(())?;
    Some(Span::new(span.file, place(range.start)?, place(range.end)?))
}
