//! Looks at predicates about the elements of lists before they are lowered.

use crate::ir::{Call, Element, Predicate, Quantifier, Value};
use crate::source::Spanned;

/// The predicate with `not` only around leaves; the opposite of it where `negate` says so.
pub fn push_negation(predicate: &Spanned<Predicate>, negate: bool) -> Spanned<Predicate> {
    let node = match &predicate.node {
        Predicate::Constant(value) => Predicate::Constant(*value != negate),
        Predicate::Not(inner) => return push_negation(inner, !negate),
        Predicate::And(parts) if negate => Predicate::Or(push_each(parts, true)),
        Predicate::And(parts) => Predicate::And(push_each(parts, false)),
        Predicate::Or(parts) if negate => Predicate::And(push_each(parts, true)),
        Predicate::Or(parts) => Predicate::Or(push_each(parts, false)),
        // The element itself is present, so that the opposite order is the opposite test.
        Predicate::Ordered { left: left @ Value::Element(element), order, right }
            if negate && element.member.is_empty() && right.as_literal().is_some() =>
        {
            Predicate::Ordered { left: left.clone(), order: order.opposite(), right: right.clone() }
        }
        Predicate::Quantified { quantifier, list, variable, predicate } if negate => match quantifier {
            Quantifier::Any => quantified(Quantifier::None, list, variable, predicate.as_ref().clone()),
            Quantifier::None => quantified(Quantifier::Any, list, variable, predicate.as_ref().clone()),
            Quantifier::All => quantified(Quantifier::Any, list, variable, push_negation(predicate, true)),
        },
        leaf @ (Predicate::OfSource(_)
        | Predicate::Exists(_)
        | Predicate::IsTrue(_)
        | Predicate::Equal { .. }
        | Predicate::Ordered { .. }
        | Predicate::In { .. }
        | Predicate::Text { .. }
        | Predicate::InNetwork { .. }
        | Predicate::IsAddress { .. }
        | Predicate::OutsideHours { .. }
        | Predicate::Quantified { .. }) => {
            if negate {
                Predicate::Not(Box::new(Spanned::new(leaf.clone(), predicate.span)))
            } else {
                leaf.clone()
            }
        }
    };
    Spanned::new(node, predicate.span)
}

fn push_each(parts: &[Spanned<Predicate>], negate: bool) -> Vec<Spanned<Predicate>> {
    parts.iter().map(|part| push_negation(part, negate)).collect()
}

fn quantified(quantifier: Quantifier, list: &Value, variable: &str, predicate: Spanned<Predicate>) -> Predicate {
    Predicate::Quantified {
        quantifier,
        list: list.clone(),
        variable: variable.to_owned(),
        predicate: Box::new(predicate),
    }
}

/// Whether the predicate speaks of the element.
pub fn mentions(predicate: &Predicate, variable: &str) -> bool {
    let mut elements = Vec::new();
    collect_elements(predicate, variable, &mut elements);
    !elements.is_empty()
}

/// Whether the predicate may hold although there is no such element, all members then being missing.
pub fn holds_without_element(predicate: &Predicate, variable: &str) -> bool {
    without_element(predicate, variable) != Some(false)
}

/// What the predicate is without the element; `None` where that depends on the event.
fn without_element(predicate: &Predicate, variable: &str) -> Option<bool> {
    match predicate {
        Predicate::Constant(value) => Some(*value),
        Predicate::Not(inner) => without_element(&inner.node, variable).map(|value| !value),
        Predicate::And(parts) => {
            let values: Vec<_> = parts.iter().map(|part| without_element(&part.node, variable)).collect();
            if values.contains(&Some(false)) { Some(false) } else { (!values.contains(&None)).then_some(true) }
        }
        Predicate::Or(parts) => {
            let values: Vec<_> = parts.iter().map(|part| without_element(&part.node, variable)).collect();
            if values.contains(&Some(true)) { Some(true) } else { (!values.contains(&None)).then_some(false) }
        }
        // A list inside the element has no elements either.
        Predicate::Quantified { quantifier, list: Value::Element(element), .. } if element.variable == variable => {
            Some(*quantifier != Quantifier::Any)
        }
        Predicate::Quantified { .. } | Predicate::OfSource(_) => None,
        Predicate::Exists(_)
        | Predicate::IsTrue(_)
        | Predicate::Equal { .. }
        | Predicate::Ordered { .. }
        | Predicate::In { .. }
        | Predicate::Text { .. }
        | Predicate::InNetwork { .. }
        | Predicate::IsAddress { .. }
        | Predicate::OutsideHours { .. } => {
            let mut elements = Vec::new();
            collect_elements(predicate, variable, &mut elements);
            // `coalesce` may take another value, so that only direct mentions decide.
            (!elements.is_empty() && !has_alternatives(predicate)).then_some(false)
        }
    }
}

fn has_alternatives(predicate: &Predicate) -> bool {
    values(predicate).into_iter().any(is_alternative)
}

fn is_alternative(value: &Value) -> bool {
    match value {
        Value::Call(call) => {
            matches!(call.as_ref(), Call::Coalesce(_) | Call::Choose(_))
                || call.arguments().into_iter().any(is_alternative)
        }
        Value::Field(_)
        | Value::Element(_)
        | Value::First(_)
        | Value::NameValue(_)
        | Value::Time
        | Value::Literal(_) => false,
    }
}

/// Every mention of the element, each once.
pub fn collect_elements<'a>(predicate: &'a Predicate, variable: &str, found: &mut Vec<&'a Element>) {
    match predicate {
        Predicate::And(parts) | Predicate::Or(parts) => {
            for part in parts {
                collect_elements(&part.node, variable, found);
            }
        }
        Predicate::Not(inner) => collect_elements(&inner.node, variable, found),
        Predicate::Quantified { list, predicate, .. } => {
            collect_from_value(list, variable, found);
            collect_elements(&predicate.node, variable, found);
        }
        Predicate::Constant(_)
        | Predicate::OfSource(_)
        | Predicate::Exists(_)
        | Predicate::IsTrue(_)
        | Predicate::Equal { .. }
        | Predicate::Ordered { .. }
        | Predicate::In { .. }
        | Predicate::Text { .. }
        | Predicate::InNetwork { .. }
        | Predicate::IsAddress { .. }
        | Predicate::OutsideHours { .. } => {
            for value in values(predicate) {
                collect_from_value(value, variable, found);
            }
        }
    }
}

fn collect_from_value<'a>(value: &'a Value, variable: &str, found: &mut Vec<&'a Element>) {
    match value {
        Value::Element(element) => {
            if element.variable == variable && !found.contains(&element) {
                found.push(element);
            }
        }
        Value::First(first) => {
            collect_from_value(&first.list, variable, found);
            collect_elements(&first.predicate.node, variable, found);
        }
        Value::Call(call) => {
            for argument in call.arguments() {
                collect_from_value(argument, variable, found);
            }
        }
        Value::Field(_) | Value::NameValue(_) | Value::Time | Value::Literal(_) => {}
    }
}

/// The values that a leaf tests.
fn values(predicate: &Predicate) -> Vec<&Value> {
    match predicate {
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
    }
}
