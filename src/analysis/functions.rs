//! Functions of the expression language: names, arguments, results.

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
            values.push(self.value(argument)?);
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
            let diagnostic = if is_list { diagnostic.help("write `first(list as x where ..)`") } else { diagnostic };
            self.report(diagnostic);
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
            self.report(Diagnostic::new(Code::WrongArgument, subject.span, message));
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
                    self.report(Diagnostic::new(Code::WrongArgument, number.span, message));
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
                self.report(Diagnostic::new(Code::EmptyString, value.span, "the text is empty"));
                None
            }
            other => {
                let message = format!("a text in quotes is wanted, not {}", describe(&other));
                self.report(Diagnostic::new(Code::WrongArgument, value.span, message));
                None
            }
        }
    }

    /// A regular expression of the portable subset.
    pub(super) fn regex(&mut self, text: &str, span: Span) -> Option<Regex> {
        match Regex::parse(text) {
            Ok(regex) => Some(regex),
            Err(error) => {
                // Between plain quotes the expression stands in the file as it is, so the place is exact.
                let verbatim = usize::try_from(span.end.saturating_sub(span.start)).ok() == Some(text.len() + 2);
                let start = usize::try_from(span.start).unwrap_or_default() + 1;
                let place = if verbatim {
                    Span::new(span.file, start + error.range.start, start + error.range.end)
                } else {
                    span
                };
                let diagnostic = Diagnostic::new(Code::InvalidRegex, place, error.message);
                self.report(diagnostic.help("LANGUAGE.md lists the portable subset of regular expressions"));
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
                Diagnostic::new(Code::TypeMismatch, function.span, message)
            } else {
                let diagnostic =
                    Diagnostic::new(Code::UnknownFunction, function.span, format!("unknown function `{name}`"));
                let names = VALUES.iter().chain(&CONDITIONS).map(|(name, ..)| *name);
                match nearest(name, names) {
                    Some(near) => diagnostic.help(format!("the nearest function is `{near}`")),
                    None => diagnostic,
                }
            };
            self.report(diagnostic);
            return false;
        };
        if (*least..=*most).contains(&given) {
            return true;
        }
        let wanted = if least == most { format!("{least}") } else { format!("{least} to {most}") };
        let message = format!("`{name}` takes {wanted} arguments, not {given}");
        self.report(Diagnostic::new(Code::WrongArgument, function.span, message));
        false
    }
}
