//! Changes of conditions: a part left out, a `not` taken away, an order that takes in its edge or leaves it out.
//!
//! Never adds a condition, and never drops one item of a list: a test for each item would say nothing new.

use super::change::Change;
use crate::ir::{CaseRule, Order, Predicate, TextTest};
use crate::schema::Type;
use crate::source::{Span, Spanned};

/// Every change of a whole condition; parts at `exceptions` are named so.
pub(super) fn changes(predicate: &Spanned<Predicate>, exceptions: &[Span]) -> Vec<Change<Predicate>> {
    let mut changes = inner(predicate, exceptions);
    let is_whole = !matches!(predicate.node, Predicate::And(_) | Predicate::Constant(_));
    if is_whole {
        let words = dropped(&predicate.span, exceptions, "condition dropped");
        // The opposite of the only condition says little; that it is there says more.
        changes.insert(0, Change::new(predicate.span, words, Predicate::Constant(true)));
    }
    changes
}

fn dropped(span: &Span, exceptions: &[Span], otherwise: &str) -> String {
    if exceptions.contains(span) { "exception dropped".to_owned() } else { otherwise.to_owned() }
}

fn inner(predicate: &Spanned<Predicate>, exceptions: &[Span]) -> Vec<Change<Predicate>> {
    let span = predicate.span;
    match &predicate.node {
        Predicate::And(parts) => of_parts(parts, exceptions, "`and` part dropped", &Predicate::And),
        Predicate::Or(parts) => of_parts(parts, exceptions, "`or` part dropped", &Predicate::Or),
        Predicate::Not(body) => {
            let around = |body_node: Predicate| Predicate::Not(Box::new(Spanned::new(body_node, body.span)));
            let mut changes: Vec<_> = inner(body, exceptions).into_iter().map(|change| change.inside(around)).collect();
            if !exceptions.contains(&span) {
                changes.push(Change::new(span, "negation dropped", body.node.clone()));
            }
            changes
        }
        Predicate::Ordered { left, order, right } => {
            let other = edge(*order);
            let words = format!("`{}` -> `{}`", order.symbol(), other.symbol());
            let node = Predicate::Ordered { left: left.clone(), order: other, right: right.clone() };
            vec![Change::new(span, words, node)]
        }
        Predicate::Equal { left, right, case: CaseRule::Exact } if left.ty() == Type::Text => {
            let node = Predicate::Equal { left: left.clone(), right: right.clone(), case: CaseRule::Ignore };
            vec![Change::new(span, "`cased` dropped", node)]
        }
        Predicate::In { value, items, case: CaseRule::Exact } if value.ty() == Type::Text => {
            let node = Predicate::In { value: value.clone(), items: items.clone(), case: CaseRule::Ignore };
            vec![Change::new(span, "`cased` dropped", node)]
        }
        Predicate::Text { value, tests, case: CaseRule::Exact } if tests.iter().any(has_letters) => {
            let node = Predicate::Text { value: value.clone(), tests: tests.clone(), case: CaseRule::Ignore };
            vec![Change::new(span, "`cased` dropped", node)]
        }
        Predicate::Quantified { quantifier, list, variable, predicate: body } => {
            let around = |node: Predicate| Predicate::Quantified {
                quantifier: *quantifier,
                list: list.clone(),
                variable: variable.clone(),
                predicate: Box::new(Spanned::new(node, body.span)),
            };
            changes(body, exceptions).into_iter().map(|change| change.inside(around)).collect()
        }
        Predicate::Constant(_)
        | Predicate::OfSource(_)
        | Predicate::Exists(_)
        | Predicate::IsTrue(_)
        | Predicate::Equal { .. }
        | Predicate::In { .. }
        | Predicate::Text { .. }
        | Predicate::InNetwork { .. }
        | Predicate::IsAddress { .. }
        | Predicate::OutsideHours { .. } => Vec::new(),
    }
}

/// Whether case can matter to a test.
fn has_letters(test: &TextTest) -> bool {
    match test {
        TextTest::Contains(text) | TextTest::StartsWith(text) | TextTest::EndsWith(text) => {
            text.chars().any(char::is_alphabetic)
        }
        TextTest::Like(_) | TextTest::Matches(_) => true,
    }
}

fn of_parts(
    parts: &[Spanned<Predicate>],
    exceptions: &[Span],
    words: &str,
    join: &dyn Fn(Vec<Spanned<Predicate>>) -> Predicate,
) -> Vec<Change<Predicate>> {
    let mut changes = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        let mut rest = parts.to_vec();
        rest.remove(index);
        let node = match rest.as_slice() {
            [only] => only.node.clone(),
            _ => join(rest),
        };
        changes.push(Change::new(part.span, dropped(&part.span, exceptions, words), node));
        let around = |node: Predicate| {
            let mut parts = parts.to_vec();
            parts.iter_mut().skip(index).take(1).for_each(|part| part.node = node.clone());
            join(parts)
        };
        changes.extend(inner(part, exceptions).into_iter().map(|change| change.inside(around)));
    }
    changes
}

/// The order that treats equal values in the other way.
pub(super) const fn edge(order: Order) -> Order {
    match order {
        Order::Less => Order::LessOrEqual,
        Order::LessOrEqual => Order::Less,
        Order::Greater => Order::GreaterOrEqual,
        Order::GreaterOrEqual => Order::Greater,
    }
}
