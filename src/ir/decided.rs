//! Leaves out of a conjunction what another of its parts decides: a text that starts with `Mozilla/` is no `Boto3/..`.
//!
//! Never guesses: texts beyond ASCII, and tests that look inside a text, stay as they are.

use super::{Literal, Predicate, TextTest, Value};
use crate::source::Spanned;

/// What a part says of a value: it begins with one of these texts, or is one of them.
struct Known<'a> {
    value: &'a Value,
    texts: Vec<String>,
    whole: bool,
}

/// The parts without the denials that another part makes superfluous.
pub(super) fn without_decided(parts: Vec<Spanned<Predicate>>) -> Vec<Spanned<Predicate>> {
    let known: Vec<Known<'_>> = parts.iter().filter_map(|part| known(&part.node)).collect();
    if known.is_empty() {
        return parts;
    }
    let kept = parts.iter().filter_map(|part| {
        let Predicate::Not(inner) = &part.node else { return Some(part.clone()) };
        let inner = possible(inner, &known)?;
        Some(Spanned::new(Predicate::Not(Box::new(inner)), part.span))
    });
    kept.collect()
}

fn known(part: &Predicate) -> Option<Known<'_>> {
    if let Predicate::Text { value, tests, .. } = part {
        let start = |test: &TextTest| match test {
            TextTest::StartsWith(text) => folded(text),
            TextTest::Contains(_) | TextTest::EndsWith(_) | TextTest::Like(_) | TextTest::Matches(_) => None,
        };
        return Some(Known { value, texts: tests.iter().map(start).collect::<Option<_>>()?, whole: false });
    }
    if let Predicate::Equal { left, right: Value::Literal(Literal::Text(text)), .. } = part {
        return Some(Known { value: left, texts: vec![folded(text)?], whole: true });
    }
    let Predicate::In { value, items, .. } = part else { return None };
    Some(Known { value, texts: items.iter().map(text_of).collect::<Option<_>>()?, whole: true })
}

/// What of a condition can hold beside what is known; nothing where none of it can.
fn possible(condition: &Spanned<Predicate>, known: &[Known<'_>]) -> Option<Spanned<Predicate>> {
    let about = |value: &Value| known.iter().find(|known| known.value == value);
    let node = match &condition.node {
        Predicate::Or(parts) => super::rewrite::any(parts.iter().filter_map(|part| possible(part, known)).collect()),
        Predicate::Text { value, tests, case } => {
            let known = about(value);
            let tests = tests.iter().filter(|test| known.is_none_or(|known| known.meets(test))).cloned();
            Predicate::Text { value: value.clone(), tests: tests.collect(), case: *case }
        }
        Predicate::In { value, items, case } => {
            let known = about(value);
            let items = items.iter().filter(|item| known.is_none_or(|known| known.may_be(item))).cloned();
            Predicate::In { value: value.clone(), items: items.collect(), case: *case }
        }
        Predicate::Equal { left, right: Value::Literal(item), .. } => {
            if about(left).is_some_and(|known| !known.may_be(item)) {
                return None;
            }
            condition.node.clone()
        }
        Predicate::Constant(_)
        | Predicate::OfSource(_)
        | Predicate::And(_)
        | Predicate::Not(_)
        | Predicate::Exists(_)
        | Predicate::IsTrue(_)
        | Predicate::Equal { .. }
        | Predicate::Ordered { .. }
        | Predicate::InNetwork { .. }
        | Predicate::IsAddress { .. }
        | Predicate::OutsideHours { .. }
        | Predicate::Quantified { .. } => condition.node.clone(),
    };
    let is_empty = matches!(&node, Predicate::Text { tests, .. } if tests.is_empty())
        || matches!(&node, Predicate::In { items, .. } if items.is_empty())
        || node == Predicate::Constant(false);
    (!is_empty).then(|| Spanned::new(node, condition.span))
}

impl Known<'_> {
    /// Whether a text of which this is known can pass the test.
    fn meets(&self, test: &TextTest) -> bool {
        let (TextTest::StartsWith(text) | TextTest::EndsWith(text) | TextTest::Contains(text)) = test else {
            return true;
        };
        let Some(text) = folded(text) else { return true };
        self.texts.iter().any(|known| match test {
            TextTest::StartsWith(_) if self.whole => known.starts_with(&text),
            TextTest::EndsWith(_) if self.whole => known.ends_with(&text),
            TextTest::Contains(_) if self.whole => known.contains(&text),
            TextTest::StartsWith(_) => known.starts_with(&text) || text.starts_with(known.as_str()),
            TextTest::EndsWith(_) | TextTest::Contains(_) | TextTest::Like(_) | TextTest::Matches(_) => true,
        })
    }

    /// Whether a text of which this is known can be the constant.
    fn may_be(&self, item: &Literal) -> bool {
        let Some(text) = text_of(item) else { return true };
        self.texts.iter().any(|known| if self.whole { *known == text } else { text.starts_with(known.as_str()) })
    }
}

fn text_of(literal: &Literal) -> Option<String> {
    match literal {
        Literal::Text(text) => folded(text),
        Literal::Int(_) | Literal::Float(_) | Literal::Bool(_) => None,
    }
}

/// A text in lower case; nothing for one beyond ASCII.
fn folded(text: &str) -> Option<String> {
    text.is_ascii().then(|| text.to_ascii_lowercase())
}
