//! Values and constants as the language writes them, for people.
//!
//! Never decides what a value is: it reads aloud what analysis resolved.

use super::predicate::sentence;
use crate::ir::{Call, GlobPart, Literal, OpeningHours, Predicate, Value, Weekday};
use crate::schema::FieldPath;
use crate::source::Spanned;

/// A value as a person would write it.
pub(super) fn value(of: &Value) -> String {
    match of {
        Value::Field(field) => field.path.to_string(),
        Value::Element(element) => member(&element.variable, &element.member),
        Value::First(first) => {
            let test = super::predicate::sentence(&first.predicate.node);
            let of = format!("the first `{}` of {} for which {test}", first.variable, value(&first.list));
            if first.member.segments().is_empty() { of } else { format!("{} of {of}", first.member) }
        }
        Value::NameValue(reference) => {
            format!("{}[{}].{}", reference.list.path, reference.key, reference.member)
        }
        Value::Time => "the event's time".to_owned(),
        Value::Literal(constant) => literal(constant),
        Value::Call(of) => call(of),
    }
}

/// A constant; texts stand in quotes.
pub(super) fn literal(constant: &Literal) -> String {
    match constant {
        Literal::Text(text) => quoted(text),
        Literal::Int(_) | Literal::Float(_) | Literal::Bool(_) => constant.to_string(),
    }
}

/// A text in quotes.
pub(super) fn quoted(text: &str) -> String {
    format!("{text:?}")
}

/// A glob as the language writes it.
pub(super) fn glob(parts: &[GlobPart]) -> String {
    let mut text = String::new();
    for part in parts {
        match part {
            GlobPart::Any => text.push('*'),
            GlobPart::One => text.push('?'),
            GlobPart::Text(literal) => {
                for character in literal.chars() {
                    if matches!(character, '*' | '?' | '\\') {
                        text.push('\\');
                    }
                    text.push(character);
                }
            }
        }
    }
    quoted(&text)
}

/// Opening hours with their offset.
pub(super) fn hours(hours: &OpeningHours) -> String {
    let days: Vec<&str> = hours.days.iter().map(|day| weekday(*day)).collect();
    let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    let sign = if hours.offset_minutes < 0 { '-' } else { '+' };
    let offset = clock(hours.offset_minutes.unsigned_abs());
    let (start, end) = (clock(hours.start_minute), clock(hours.end_minute));
    format!("{} {start}-{end} at UTC{sign}{offset}", days.join(","))
}

/// A few of the texts, and how many more there are.
pub(super) fn some(texts: &[String], joined: &str) -> String {
    const SHOWN: usize = 12;
    let shown = texts.iter().take(SHOWN).cloned().collect::<Vec<_>>();
    if texts.len() > SHOWN {
        return format!("{} and {} more", shown.join(", "), texts.len() - SHOWN);
    }
    match shown.split_last() {
        Some((last, first)) if !first.is_empty() => format!("{} {joined} {last}", first.join(", ")),
        Some((last, _)) => last.clone(),
        None => String::new(),
    }
}

fn member(variable: &str, member: &FieldPath) -> String {
    if member.segments().is_empty() { variable.to_owned() } else { format!("{variable}.{member}") }
}

fn call(of: &Call) -> String {
    if let Call::Choose(branches) = of {
        let branch =
            |(when, then): &(Spanned<Predicate>, Value)| format!("{} where {}", value(then), sentence(&when.node));
        return format!("({})", branches.iter().map(branch).collect::<Vec<_>>().join(", else "));
    }
    let mut arguments: Vec<String> = of.arguments().into_iter().map(value).collect();
    match of {
        Call::Split { separator, index, .. } => arguments.extend([quoted(separator), index.to_string()]),
        Call::Extract { regex, .. } => arguments.push(quoted(&regex.to_string())),
        Call::Replace { from, to, .. } => arguments.extend([quoted(from), quoted(to)]),
        Call::Length(_)
        | Call::Lower(_)
        | Call::Upper(_)
        | Call::Coalesce(_)
        | Call::Choose(_)
        | Call::Concat(_)
        | Call::ToInt(_)
        | Call::ToFloat(_)
        | Call::Hour(_)
        | Call::Weekday(_)
        | Call::Country(_)
        | Call::City(_)
        | Call::Asn(_)
        | Call::AsOrganisation(_) => {}
    }
    format!("{}({})", of.name(), arguments.join(", "))
}

const fn weekday(day: Weekday) -> &'static str {
    match day.0 {
        1 => "Mon",
        2 => "Tue",
        3 => "Wed",
        4 => "Thu",
        5 => "Fri",
        6 => "Sat",
        _ => "Sun",
    }
}
