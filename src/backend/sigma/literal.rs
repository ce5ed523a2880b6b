//! Turns literals and text tests into values that Sigma and its linter take.
//!
//! The linter of the reference implementation refuses escaped wildcards, control characters and numbers in quotes, so these
//! become regular expressions or bare numbers of the same meaning.

use super::ast::{Comparison, Value};
use super::pattern;
use super::print;
use crate::backend::{ReasonCode, Verdict};
use crate::ir::{CaseRule, Decimal, Glob, GlobPart, Literal, Regex, TextTest};
use crate::schema::Type;
use crate::source::Span;

use super::field::Bound;

/// A comparison with one value.
pub(super) type Test = (Comparison, Value);

/// The comparison that holds where the field equals the literal; `None` after a reason was added.
pub(super) fn equal(
    verdict: &mut Verdict,
    bound: &Bound,
    literal: &Literal,
    case: CaseRule,
    span: Span,
) -> Option<Test> {
    let spelled = match bound.column.spelling(&literal.to_string()) {
        Some(json) => from_json(json).unwrap_or_else(|| literal.clone()),
        None => literal.clone(),
    };
    let whole = Comparison::Whole { cased: false };
    match (&spelled, &bound.ty) {
        (Literal::Text(text), Type::Bool) => match text.to_ascii_lowercase().as_str() {
            "true" => Some((whole, Value::Bool(true))),
            "false" => Some((whole, Value::Bool(false))),
            _ => refuse(
                verdict,
                span,
                format!("`{text}` is no truth value, which the target's field `{}` holds", bound.name),
            ),
        },
        (Literal::Text(text), Type::Int) => match text.parse() {
            Ok(number) => integer(verdict, number, span).map(|value| (whole, value)),
            Err(_) => refuse(
                verdict,
                span,
                format!("`{text}` is no whole number, which the target's field `{}` holds", bound.name),
            ),
        },
        (Literal::Text(text), Type::Float) => match Decimal::parse(text) {
            Some(number) => decimal(verdict, &number, span).map(|value| (whole, value)),
            None => {
                refuse(verdict, span, format!("`{text}` is no number, which the target's field `{}` holds", bound.name))
            }
        },
        (Literal::Text(text), Type::Text | Type::Ip | Type::Time | Type::Duration | Type::List(_) | Type::Object) => {
            whole_text(verdict, text, case, span)
        }
        (Literal::Bool(value), Type::Text | Type::Ip) => {
            whole_text(verdict, &value.to_string(), CaseRule::Ignore, span)
        }
        (Literal::Bool(value), _) => Some((whole, Value::Bool(*value))),
        (Literal::Int(number), _) => integer(verdict, *number, span).map(|value| (whole, value)),
        (Literal::Float(number), _) => decimal(verdict, number, span).map(|value| (whole, value)),
    }
}

/// The comparison that holds where the text passes the test; `None` after a reason was added.
///
/// A glob of nothing but stars is not for here.
pub(super) fn passes(verdict: &mut Verdict, test: &TextTest, case: CaseRule, span: Span) -> Option<Test> {
    match test {
        TextTest::Contains(text) => {
            part(verdict, text, |cased| Comparison::Contains { cased }, (false, false), case, span)
        }
        TextTest::StartsWith(text) => {
            part(verdict, text, |cased| Comparison::StartsWith { cased }, (true, false), case, span)
        }
        TextTest::EndsWith(text) => {
            part(verdict, text, |cased| Comparison::EndsWith { cased }, (false, true), case, span)
        }
        TextTest::Like(glob) => like(verdict, glob, case, span),
        TextTest::Matches(regex) => matches(verdict, regex.clone(), case, span),
    }
}

/// A number that PyYAML and pySigma, which go through a 64-bit float, read back as it is.
pub(super) fn integer(verdict: &mut Verdict, number: i64, span: Span) -> Option<Value> {
    if is_exact(number) {
        Some(Value::Int(number))
    } else {
        refuse(verdict, span, format!("Sigma's readers round the number `{number}`"))
    }
}

/// A decimal number that prints as it was written.
pub(super) fn decimal(verdict: &mut Verdict, number: &Decimal, span: Span) -> Option<Value> {
    let value: Option<f64> = number.as_str().parse().ok();
    match value.filter(|value| Decimal::parse(&format!("{value:?}")).as_ref() == Some(number)) {
        Some(value) => Some(Value::Float(value)),
        None => refuse(verdict, span, format!("Sigma's readers round the number `{number}`")),
    }
}

const fn is_exact(number: i64) -> bool {
    number.unsigned_abs() <= 1 << 53
}

fn whole_text(verdict: &mut Verdict, text: &str, case: CaseRule, span: Span) -> Option<Test> {
    if let Ok(number) = text.parse::<i64>()
        && number.to_string() == text
        && is_exact(number)
    {
        verdict.assume(
            "a bare number in a rule also matches a text field that holds its digits, as in the published rules, and no other spelling \
             of it arrives",
        );
        return Some((Comparison::Whole { cased: false }, Value::Int(number)));
    }
    if looks_like_number(text) {
        return matches(verdict, pattern::of_text(text, true, true), case, span);
    }
    part(verdict, text, |cased| Comparison::Whole { cased }, (true, true), case, span)
}

/// Whether Python would read the text as a whole number, which the linter refuses in quotes.
fn looks_like_number(text: &str) -> bool {
    let digits = text.trim().trim_start_matches(['+', '-']);
    !digits.is_empty() && digits.chars().all(|character| character.is_numeric() || character == '_')
}

/// A text that stands for itself, or the expression that finds it, anchored as asked for.
fn part(
    verdict: &mut Verdict,
    text: &str,
    comparison: fn(bool) -> Comparison,
    (start, end): (bool, bool),
    case: CaseRule,
    span: Span,
) -> Option<Test> {
    if needs_regex(text) {
        return matches(verdict, pattern::of_text(text, start, end), case, span);
    }
    writable(verdict, print::unwritable(text), span)?;
    assume_folding(verdict, text, case);
    Some((comparison(is_cased(text, case)), Value::Text(text.to_owned())))
}

fn like(verdict: &mut Verdict, glob: &Glob, case: CaseRule, span: Span) -> Option<Test> {
    match glob.parts.as_slice() {
        [GlobPart::Text(text)] => return whole_text(verdict, text, case, span),
        [GlobPart::Any, GlobPart::Text(text), GlobPart::Any] => {
            return passes(verdict, &TextTest::Contains(text.clone()), case, span);
        }
        [GlobPart::Text(text), GlobPart::Any] => {
            return passes(verdict, &TextTest::StartsWith(text.clone()), case, span);
        }
        [GlobPart::Any, GlobPart::Text(text)] => return passes(verdict, &TextTest::EndsWith(text.clone()), case, span),
        _ => {}
    }
    let text = glob.parts.iter().map(|part| match part {
        GlobPart::Text(text) => text.as_str(),
        GlobPart::Any | GlobPart::One => "",
    });
    let text: String = text.collect();
    if needs_regex(&text) {
        return matches(verdict, pattern::of_glob(glob), case, span);
    }
    writable(verdict, print::unwritable(&text), span)?;
    assume_folding(verdict, &text, case);
    Some((Comparison::Whole { cased: is_cased(&text, case) }, Value::Glob(glob.clone())))
}

fn matches(verdict: &mut Verdict, regex: Regex, case: CaseRule, span: Span) -> Option<Test> {
    writable(verdict, pattern::unwritable(&regex), span)?;
    verdict.assume("a regular expression is searched for anywhere in the value");
    if pattern::has_end(&regex) {
        verdict.assume("no value ends with a line break, which `$` would pass over");
    }
    assume_folding(verdict, &pattern::print(&regex), case);
    let folded = case != CaseRule::Exact && pattern::has_letters(&regex);
    Some((Comparison::Regex { folded }, Value::Regex(regex)))
}

/// Whether the linter would take offence at the text: escaped wildcards and control characters.
fn needs_regex(text: &str) -> bool {
    text.chars().any(|character| matches!(character, '*' | '?') || u32::from(character) < 0x20)
}

fn is_cased(text: &str, case: CaseRule) -> bool {
    case == CaseRule::Exact && text.chars().any(char::is_alphabetic)
}

fn assume_folding(verdict: &mut Verdict, text: &str, case: CaseRule) {
    if case != CaseRule::Exact && text.chars().any(|character| !character.is_ascii() && character.is_alphabetic()) {
        verdict.assume("case is ignored for letters beyond ASCII as well");
    }
}

fn writable(verdict: &mut Verdict, offender: Option<char>, span: Span) -> Option<()> {
    match offender {
        None => Some(()),
        Some(character) => {
            let message = format!("YAML cannot hold the character U+{:04X} safely", u32::from(character));
            refuse(verdict, span, message)
        }
    }
}

fn refuse<T>(verdict: &mut Verdict, span: Span, message: String) -> Option<T> {
    verdict.add(ReasonCode::UnsupportedLiteral, span, message);
    None
}

fn from_json(json: &serde_json::Value) -> Option<Literal> {
    match json {
        serde_json::Value::Bool(value) => Some(Literal::Bool(*value)),
        serde_json::Value::Number(number) => {
            number.as_i64().map(Literal::Int).or_else(|| Decimal::parse(&number.to_string()).map(Literal::Float))
        }
        serde_json::Value::String(text) => Some(Literal::Text(text.clone())),
        serde_json::Value::Null | serde_json::Value::Array(_) | serde_json::Value::Object(_) => None,
    }
}
