//! Functions of the expression language that are conditions: presence, networks, opening hours.

use super::constants::Items;
use super::functions::CONDITIONS;
use super::paths::describe;
use super::scope::Typer;
use crate::diagnostic::{Code, Diagnostic};
use crate::ir::{AddressSet, Literal, Network, OpeningHours, Predicate, Value, Weekday};
use crate::schema::Type;
use crate::source::{Span, Spanned};
use crate::syntax::ast::Expr;

impl Typer<'_> {
    /// A function that is a condition.
    pub(super) fn condition(
        &mut self,
        function: &Spanned<String>,
        arguments: &[Spanned<Expr>],
        span: Span,
    ) -> Option<Predicate> {
        if !self.check_arity(function, arguments.len(), &CONDITIONS) {
            return None;
        }
        let (subject, rest) = arguments.split_first()?;
        let name = function.node.as_str();
        let value = if name == "exists" { self.value_or_nothing(subject)? } else { self.value(subject)? };
        if name == "exists" {
            return match value.node {
                Value::Literal(_) => {
                    let message = "`exists` takes a field";
                    let help = "a field stands without quotes: `exists(errorCode)`";
                    self.report(Diagnostic::new(Code::WrongArgument, value.span, message).help(help));
                    None
                }
                value => Some(Predicate::Exists(value)),
            };
        }
        let wanted = if name == "outside_hours" { Type::Time } else { Type::Ip };
        if value.node.ty() != wanted {
            let noun = if wanted == Type::Time { "a time" } else { "an address" };
            let message = format!("`{name}` takes {noun}, but {} is {}", describe(&value.node), value.node.ty());
            let help = format!("`detc schema show {}` lists the fields of type `{wanted}`", self.source.name);
            self.report(Diagnostic::new(Code::WrongArgument, value.span, message).help(help));
            return None;
        }
        match name {
            "is_private" => Some(Predicate::IsAddress { value: value.node, set: AddressSet::Private }),
            "is_public" => Some(Predicate::IsAddress { value: value.node, set: AddressSet::Public }),
            "in_network" => {
                let networks = self.networks(rest.first()?)?;
                Some(Predicate::InNetwork { value: value.node, networks })
            }
            _ => {
                let hours = self.hours(rest, span)?;
                Some(Predicate::OutsideHours { time: value.node, hours })
            }
        }
    }

    fn networks(&mut self, argument: &Spanned<Expr>) -> Option<Vec<Network>> {
        let is_list = matches!(argument.node, Expr::List(_)) || self.is_list_reference(&argument.node);
        let items = if is_list {
            self.items(argument)?
        } else {
            let text = self.text_argument(argument, true)?;
            Items { literals: vec![Spanned::new(Literal::Text(text), argument.span)], ..Items::default() }
        };
        let mut networks = items.networks;
        for literal in items.literals {
            match Network::parse(&literal.node.to_string()) {
                Some(network) => networks.push(network),
                None => {
                    let message = format!("`{}` is no block of addresses", literal.node);
                    let diagnostic = Diagnostic::new(Code::WrongArgument, literal.span, message);
                    self.report(diagnostic.help("write `10.0.0.0/8` or `2001:db8::/32`"));
                    return None;
                }
            }
        }
        if networks.is_empty() {
            let message = "no block of addresses is given";
            let help = "write at least one, such as `10.0.0.0/8`";
            self.report(Diagnostic::new(Code::WrongArgument, argument.span, message).help(help));
            return None;
        }
        Some(networks)
    }

    fn hours(&mut self, arguments: &[Spanned<Expr>], span: Span) -> Option<OpeningHours> {
        let (hours, offset) = arguments.split_first()?;
        let text = self.text_argument(hours, true)?;
        let offset_minutes = match offset.first() {
            None => 0,
            Some(argument) => {
                let text = self.text_argument(argument, true)?;
                match parse_offset(&text) {
                    Some(minutes) => minutes,
                    None => {
                        let message = format!("`{text}` is no offset from UTC");
                        let diagnostic = Diagnostic::new(Code::WrongArgument, argument.span, message);
                        self.report(diagnostic.help("write `+01:00`; names of time zones are not supported"));
                        return None;
                    }
                }
            }
        };
        match parse_hours(&text) {
            Some((days, start_minute, end_minute)) => {
                Some(OpeningHours { days, start_minute, end_minute, offset_minutes })
            }
            None => {
                let place = if hours.span == Span::default() { span } else { hours.span };
                let message = format!("`{text}` is no opening hours");
                let help = "write days and hours: `Mon-Fri 08:00-18:00`, `Mon,Wed 22:00-06:00`";
                self.report(Diagnostic::new(Code::WrongArgument, place, message).help(help));
                None
            }
        }
    }
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Reads `Mon-Fri 08:00-18:00`: days, first minute, minute that no longer counts.
fn parse_hours(text: &str) -> Option<(Vec<Weekday>, u16, u16)> {
    let (days, times) = text.trim().split_once(' ')?;
    let mut open = Vec::new();
    for part in days.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (weekday(first)?, weekday(last)?);
        let mut day = first;
        loop {
            open.push(Weekday(day));
            if day == last {
                break;
            }
            day = day % 7 + 1;
        }
    }
    open.sort_unstable();
    open.dedup();
    let (start, end) = times.trim().split_once('-')?;
    let (start, end) = (minute(start)?, minute(end)?);
    (start < 1440 && end > 0 && start != end).then_some((open, start, end))
}

fn weekday(text: &str) -> Option<u8> {
    let wanted = text.trim().to_ascii_lowercase();
    let index = DAYS.iter().position(|day| *day == wanted)?;
    u8::try_from(index + 1).ok()
}

fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(hours) || !digits(minutes) {
        return None;
    }
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    (minutes < 60 && hours * 60 + minutes <= 1440).then_some(hours * 60 + minutes)
}

fn parse_offset(text: &str) -> Option<i16> {
    let sign = match text.chars().next()? {
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let minutes = i16::try_from(minute(text.get(1..)?)?).ok()?;
    (minutes <= 840).then_some(sign * minutes)
}
