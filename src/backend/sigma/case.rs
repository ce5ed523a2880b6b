//! Sees through `lower` where a comparison ignores case anyway.

use crate::ir::{Call, CaseRule, GlobPart, Literal, TextTest, Value};

/// The value inside `lower(..)`, where no text could tell the two apart in an equality with these literals.
///
/// The only letter whose lower case differs from its simple folding is `İ`, which becomes an `i` and a mark beyond ASCII, so
/// whole texts in ASCII cannot tell.
pub(super) fn compared<'v>(value: &'v Value, literals: &[Literal], case: CaseRule) -> &'v Value {
    let ascii = |literal: &Literal| matches!(literal, Literal::Text(text) if text.is_ascii());
    if case != CaseRule::Exact && literals.iter().all(ascii) { inside(value) } else { value }
}

/// The value inside `lower(..)`, where no text could tell the two apart in these tests.
pub(super) fn tested<'v>(value: &'v Value, tests: &[TextTest], case: CaseRule) -> &'v Value {
    if case != CaseRule::Exact && tests.iter().all(is_blind) { inside(value) } else { value }
}

fn inside(value: &Value) -> &Value {
    match value {
        Value::Call(call) => match &**call {
            Call::Lower(inner) => inside(inner),
            Call::Length(_)
            | Call::Upper(_)
            | Call::Coalesce(_)
            | Call::Choose(_)
            | Call::Concat(_)
            | Call::Split { .. }
            | Call::Extract { .. }
            | Call::Replace { .. }
            | Call::ToInt(_)
            | Call::ToFloat(_)
            | Call::Hour(_)
            | Call::Weekday(_)
            | Call::Country(_)
            | Call::City(_)
            | Call::Asn(_)
            | Call::AsOrganisation(_) => value,
        },
        Value::Field(_)
        | Value::Element(_)
        | Value::First(_)
        | Value::NameValue(_)
        | Value::Time
        | Value::Literal(_) => value,
    }
}

/// Whether the test gives the same for `İ` and for what it becomes: an `i` at an open end would not, nor would one `?`.
fn is_blind(test: &TextTest) -> bool {
    match test {
        TextTest::Contains(text) | TextTest::StartsWith(text) => text.is_ascii() && !text.ends_with(['i', 'I']),
        TextTest::EndsWith(text) => text.is_ascii(),
        TextTest::Like(glob) => glob.parts.iter().enumerate().all(|(index, part)| match part {
            GlobPart::Text(text) => text.is_ascii() && (index + 1 == glob.parts.len() || !text.ends_with(['i', 'I'])),
            GlobPart::Any => true,
            GlobPart::One => false,
        }),
        TextTest::Matches(_) => false,
    }
}
