//! Decides cheaply whether two predicates exclude or imply each other.
//!
//! Never guesses: `false` means "not shown".

use super::{CaseRule, Literal, Predicate, Value};

/// Whether no event can satisfy both, as far as a look at their conjuncts shows.
///
/// Two conjuncts exclude each other when they demand different literals of one field, or when one is the other's negation;
/// a disjunction excludes what each of its parts excludes.
#[must_use]
pub fn are_disjoint(left: &Predicate, right: &Predicate) -> bool {
    let (left, right) = (conjuncts(left), conjuncts(right));
    left.iter().any(|one| right.iter().any(|other| exclude(one, other)))
}

/// Whether every event that satisfies `left` satisfies `right`, as far as a look at their conjuncts shows.
#[must_use]
pub fn implies(left: &Predicate, right: &Predicate) -> bool {
    let left = conjuncts(left);
    conjuncts(right).iter().all(|wanted| left.iter().any(|given| given == wanted || is_subset(given, wanted)))
}

fn conjuncts(predicate: &Predicate) -> Vec<&Predicate> {
    match predicate {
        Predicate::And(parts) => parts.iter().flat_map(|part| conjuncts(&part.node)).collect(),
        Predicate::Constant(true) => Vec::new(),
        other => vec![other],
    }
}

fn exclude(one: &Predicate, other: &Predicate) -> bool {
    let negates = |inner: &Predicate, outer: &Predicate| matches!(outer, Predicate::Not(body) if body.node == *inner);
    if negates(one, other) || negates(other, one) {
        return true;
    }
    if let Predicate::Or(parts) = one {
        return parts.iter().all(|part| are_disjoint(&part.node, other));
    }
    if let Predicate::Or(parts) = other {
        return parts.iter().all(|part| are_disjoint(one, &part.node));
    }
    if let (Predicate::OfSource(one), Predicate::OfSource(other)) = (one, other) {
        return one != other;
    }
    match (demanded(one), demanded(other)) {
        (Some((field, values)), Some((same, others))) => {
            field == same && !values.iter().any(|value| others.iter().any(|theirs| may_be_equal(value, theirs)))
        }
        _ => false,
    }
}

fn is_subset(given: &Predicate, wanted: &Predicate) -> bool {
    match (demanded(given), demanded(wanted)) {
        (Some((field, values)), Some((same, others))) => {
            field == same && case_of(given) == case_of(wanted) && values.iter().all(|value| others.contains(value))
        }
        _ => false,
    }
}

/// The literals of which a value has to equal one.
fn demanded(predicate: &Predicate) -> Option<(&Value, Vec<&Literal>)> {
    if let Predicate::Equal { left, right, .. } = predicate {
        return Some((left, vec![right.as_literal()?]));
    }
    if let Predicate::In { value, items, .. } = predicate {
        return Some((value, items.iter().collect()));
    }
    None
}

const fn case_of(predicate: &Predicate) -> Option<CaseRule> {
    if let Predicate::Equal { case, .. } | Predicate::In { case, .. } = predicate { Some(*case) } else { None }
}

/// Whether one value could equal both literals under the loosest comparison.
fn may_be_equal(one: &Literal, other: &Literal) -> bool {
    one.to_string().to_lowercase() == other.to_string().to_lowercase()
}
