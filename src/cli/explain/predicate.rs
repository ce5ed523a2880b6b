//! Conditions on one event, read aloud.
//!
//! Never evaluates anything: `event` asks the evaluator and takes the words from here.

use super::value::{glob, hours, literal, quoted, some, value};
use crate::ir::{AddressSet, CaseRule, Order, Predicate, Quantifier, TextTest, Value};
use crate::source::Spanned;

/// A condition as a line, with the conditions that it is made of.
#[derive(Default)]
pub(super) struct View<'a> {
    /// The line.
    pub(super) text: String,
    /// What it is made of, in order; none for a single test.
    pub(super) parts: Vec<&'a Predicate>,
    /// The values that a single test looks at.
    pub(super) values: Vec<&'a Value>,
    /// The list and the name of its element, where the parts speak of elements.
    pub(super) elements: Option<(&'a Value, &'a str)>,
}

/// The condition as lines of a list, each part one level deeper.
pub(super) fn lines(predicate: &Predicate, level: usize) -> Vec<String> {
    let view = view(predicate);
    let mut lines = vec![format!("{}- {}", "  ".repeat(level), view.text)];
    lines.extend(view.parts.iter().flat_map(|part| self::lines(part, level + 1)));
    lines
}

/// What follows `for which`, and the lines below it.
pub(super) fn list(predicate: &Predicate) -> (String, Vec<String>) {
    let view = view(predicate);
    if view.parts.is_empty() || view.elements.is_some() {
        return (String::new(), lines(predicate, 0));
    }
    (format!(" {}", view.text), view.parts.iter().flat_map(|part| lines(part, 0)).collect())
}

/// The condition as a part of a sentence.
pub(super) fn sentence(predicate: &Predicate) -> String {
    let join = |parts: &[Spanned<Predicate>], word: &str| {
        let parts: Vec<String> = parts.iter().map(|part| sentence(&part.node)).collect();
        format!("({})", parts.join(word))
    };
    match predicate {
        Predicate::And(parts) => join(parts, " and "),
        Predicate::Or(parts) => join(parts, " or "),
        Predicate::Not(inner) if matches!(inner.node, Predicate::And(_) | Predicate::Or(_)) => {
            format!("not {}", sentence(&inner.node))
        }
        Predicate::Constant(_)
        | Predicate::OfSource(_)
        | Predicate::Not(_)
        | Predicate::Exists(_)
        | Predicate::IsTrue(_)
        | Predicate::Equal { .. }
        | Predicate::Ordered { .. }
        | Predicate::In { .. }
        | Predicate::Text { .. }
        | Predicate::InNetwork { .. }
        | Predicate::IsAddress { .. }
        | Predicate::OutsideHours { .. }
        | Predicate::Quantified { .. } => {
            let view = view(predicate);
            let parts: Vec<String> = view.parts.iter().map(|part| sentence(part)).collect();
            if parts.is_empty() { view.text } else { format!("{}: {}", view.text, parts.join(", ")) }
        }
    }
}

/// The condition as one line with its parts.
pub(super) fn view(predicate: &Predicate) -> View<'_> {
    seen(predicate, true)
}

/// The condition, or with `wanted` false its opposite, which is true where the test meets a missing value.
fn seen(predicate: &Predicate, wanted: bool) -> View<'_> {
    match predicate {
        Predicate::Constant(value) => {
            View { text: (if *value == wanted { "always" } else { "never" }).to_owned(), ..View::default() }
        }
        Predicate::OfSource(name) => {
            let is = if wanted { "is" } else { "is not" };
            View { text: format!("the event {is} one of {name}"), ..View::default() }
        }
        Predicate::And(parts) => {
            let text = if wanted { "all of these hold" } else { "not all of these hold" };
            View { text: text.to_owned(), parts: parts.iter().map(|part| &part.node).collect(), ..View::default() }
        }
        Predicate::Or(parts) => {
            let text = if wanted { "at least one of these holds" } else { "none of these holds" };
            View { text: text.to_owned(), parts: parts.iter().map(|part| &part.node).collect(), ..View::default() }
        }
        Predicate::Not(inner) => seen(&inner.node, !wanted),
        Predicate::Quantified { quantifier, list, variable, predicate } => {
            let which = match (quantifier, wanted) {
                (Quantifier::Any, true) => "some",
                (Quantifier::All, true) => "every",
                (Quantifier::Any, false) | (Quantifier::None, true) => "no",
                (Quantifier::All, false) => "not every",
                (Quantifier::None, false) => "some",
            };
            let text = format!("{which} element `{variable}` of {} satisfies this", value(list));
            View { text, parts: vec![&predicate.node], elements: Some((list, variable)), values: Vec::new() }
        }
        Predicate::Exists(_)
        | Predicate::IsTrue(_)
        | Predicate::Equal { .. }
        | Predicate::Ordered { .. }
        | Predicate::In { .. }
        | Predicate::Text { .. }
        | Predicate::InNetwork { .. }
        | Predicate::IsAddress { .. }
        | Predicate::OutsideHours { .. } => {
            let (subject, yes, no) = test_in_words(predicate);
            let text = format!("{subject} {}", if wanted { yes } else { no });
            View { text, values: tested(predicate), ..View::default() }
        }
    }
}

/// Subject, what is said of it, and the opposite.
fn test_in_words(test: &Predicate) -> (String, String, String) {
    let both = |subject: &Value, is: String, is_not: String| (value(subject), is, format!("{is_not}, or is missing"));
    let exactly = |case: &CaseRule, texts: bool| if *case == CaseRule::Exact && texts { "exactly " } else { "" };
    match test {
        Predicate::Exists(of) => (value(of), "is there".to_owned(), "is missing or empty".to_owned()),
        Predicate::IsTrue(of) => (value(of), "is true".to_owned(), "is not true".to_owned()),
        Predicate::Equal { left, right: Value::Literal(constant), case } => {
            let exactly = exactly(case, matches!(constant, crate::ir::Literal::Text(_)));
            let constant = literal(constant);
            both(left, format!("is {exactly}{constant}"), format!("is not {exactly}{constant}"))
        }
        Predicate::Equal { left, right, .. } => {
            let right = value(right);
            (value(left), format!("equals {right}"), format!("differs from {right}, or one of the two is missing"))
        }
        Predicate::Ordered { left, order, right } => {
            let right = value(right);
            both(
                left,
                format!("{} {right}", order_in_words(*order)),
                format!("{} {right}", order_in_words(order.opposite())),
            )
        }
        Predicate::In { value: of, items, case } => {
            let texts: Vec<String> = items.iter().map(literal).collect();
            let exactly = exactly(case, items.iter().any(|item| matches!(item, crate::ir::Literal::Text(_))));
            let items = some(&texts, "or");
            both(of, format!("is {exactly}{items}"), format!("is none of {exactly}{items}"))
        }
        Predicate::Text { value: of, tests, case } => {
            let case = if *case == CaseRule::Exact { ", with this case" } else { "" };
            both(of, format!("{}{case}", texts(tests, true)), format!("{}{case}", texts(tests, false)))
        }
        Predicate::InNetwork { value: of, networks } => {
            let networks: Vec<String> = networks.iter().map(ToString::to_string).collect();
            let networks = some(&networks, "or");
            (value(of), format!("is an address in {networks}"), format!("is no address in {networks}"))
        }
        Predicate::IsAddress { value: of, set } => {
            let set = match set {
                AddressSet::Private => "private",
                AddressSet::Public => "public",
            };
            (value(of), format!("is a {set} address"), format!("is no {set} address"))
        }
        Predicate::OutsideHours { time, hours: open } => {
            let open = hours(open);
            both(time, format!("lies outside {open}"), format!("lies inside {open}"))
        }
        Predicate::Constant(_)
        | Predicate::OfSource(_)
        | Predicate::And(_)
        | Predicate::Or(_)
        | Predicate::Not(_)
        | Predicate::Quantified { .. } => (String::new(), String::new(), String::new()),
    }
}

/// The values that a test looks at, constants aside.
fn tested(test: &Predicate) -> Vec<&Value> {
    let values = match test {
        Predicate::Exists(value)
        | Predicate::IsTrue(value)
        | Predicate::In { value, .. }
        | Predicate::Text { value, .. }
        | Predicate::InNetwork { value, .. }
        | Predicate::IsAddress { value, .. }
        | Predicate::OutsideHours { time: value, .. } => vec![value],
        Predicate::Equal { left, right, .. } | Predicate::Ordered { left, right, .. } => vec![left, right],
        Predicate::Constant(_)
        | Predicate::OfSource(_)
        | Predicate::And(_)
        | Predicate::Or(_)
        | Predicate::Not(_)
        | Predicate::Quantified { .. } => Vec::new(),
    };
    values.into_iter().filter(|value| value.as_literal().is_none()).collect()
}

/// An order between a subject and what follows.
pub(super) const fn order_in_words(order: Order) -> &'static str {
    match order {
        Order::Less => "is below",
        Order::LessOrEqual => "is at most",
        Order::Greater => "is above",
        Order::GreaterOrEqual => "is at least",
    }
}

/// Tests of a text of which any suffices, or none of them; neighbours of one kind share their verb.
fn texts(tests: &[TextTest], wanted: bool) -> String {
    let same_kind = |one: &TextTest, other: &TextTest| std::mem::discriminant(one) == std::mem::discriminant(other);
    let groups: Vec<String> = tests.chunk_by(same_kind).map(|group| texts_of_a_kind(group, wanted)).collect();
    groups.join(if wanted { " or " } else { " and " })
}

fn texts_of_a_kind(tests: &[TextTest], wanted: bool) -> String {
    let (mut verbs, mut items) = (("", ""), Vec::new());
    for test in tests {
        let (yes, no, item) = match test {
            TextTest::Contains(text) => ("contains", "does not contain", quoted(text)),
            TextTest::StartsWith(text) => ("starts with", "does not start with", quoted(text)),
            TextTest::EndsWith(text) => ("ends with", "does not end with", quoted(text)),
            TextTest::Like(pattern) => ("is like", "is not like", glob(&pattern.parts)),
            TextTest::Matches(regex) => ("matches", "does not match", quoted(&regex.to_string())),
        };
        verbs = (yes, no);
        items.push(item);
    }
    format!("{} {}", if wanted { verbs.0 } else { verbs.1 }, some(&items, "or"))
}
