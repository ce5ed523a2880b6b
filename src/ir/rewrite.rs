//! Rewrites expressions: fields become other values, conditions that are decided disappear.
//!
//! Never changes what an expression means: a value that is missing makes a test false, as in an event that lacks it.

use super::decided::without_decided;
use super::{Call, CaseRule, FieldRef, First, Literal, NameValueRef, Predicate, Quantifier, TextTest, Value};
use crate::schema::FieldPath;
use crate::source::{Span, Spanned};

/// What is put in the place of what.
pub(super) trait Rewrite {
    /// What stands for a field; nothing where it is missing in every event.
    fn field(&self, field: &FieldRef) -> Option<Value>;

    /// The path of a list whose elements are looked at.
    fn list(&self, path: &FieldPath) -> FieldPath;

    /// Whether the event is of a source.
    fn of_source(&self, name: &str) -> Predicate;

    /// The place that is named for what stood at another.
    fn span(&self, span: Span) -> Span;

    /// The spelling in which each event holds a text that it compares with, where the field keeps to one.
    fn spelling(&self, field: &FieldRef, text: &str) -> Option<String>;
}

/// The condition after the change.
pub(super) fn predicate(by: &dyn Rewrite, from: &Spanned<Predicate>) -> Spanned<Predicate> {
    let span = by.span(from.span);
    let node = match &from.node {
        Predicate::Constant(value) => Predicate::Constant(*value),
        Predicate::OfSource(name) => by.of_source(name),
        Predicate::And(parts) => all(parts.iter().map(|part| predicate(by, part)).collect()),
        Predicate::Or(parts) => any(parts.iter().map(|part| predicate(by, part)).collect()),
        Predicate::Not(inner) => not(predicate(by, inner)),
        Predicate::Quantified { quantifier, list, variable, predicate: test } => match value(by, list) {
            None => Predicate::Constant(*quantifier != Quantifier::Any),
            Some(list) => Predicate::Quantified {
                quantifier: *quantifier,
                list,
                variable: variable.clone(),
                predicate: Box::new(predicate(by, test)),
            },
        },
        Predicate::Exists(inner) => on_value(value(by, inner), span, &|found| exists(&found)),
        Predicate::IsTrue(inner) => on_value(value(by, inner), span, &|found| match found {
            Value::Literal(literal) => Predicate::Constant(literal == Literal::Bool(true)),
            found => Predicate::IsTrue(found),
        }),
        Predicate::Equal { left, right, case } => on_value(value(by, left), span, &|left| {
            on_value(value(by, right), span, &|right| equal(by, left.clone(), right, *case))
        }),
        Predicate::Ordered { left, order, right } => on_value(value(by, left), span, &|left| {
            on_value(value(by, right), span, &|right| Predicate::Ordered { left: left.clone(), order: *order, right })
        }),
        Predicate::In { value: inner, items, case } => {
            on_value(value(by, inner), span, &|found| among(by, found, items, *case))
        }
        Predicate::Text { value: inner, tests, case } => {
            on_value(value(by, inner), span, &|found| text(found, tests, *case))
        }
        Predicate::InNetwork { value: inner, networks } => {
            on_value(value(by, inner), span, &|value| Predicate::InNetwork { value, networks: networks.clone() })
        }
        Predicate::IsAddress { value: inner, set } => {
            on_value(value(by, inner), span, &|value| Predicate::IsAddress { value, set: *set })
        }
        Predicate::OutsideHours { time, hours } => {
            on_value(value(by, time), span, &|time| Predicate::OutsideHours { time, hours: hours.clone() })
        }
    };
    Spanned::new(node, span)
}

/// The value after the change; nothing where it is missing in every event.
pub(super) fn value(by: &dyn Rewrite, from: &Value) -> Option<Value> {
    Some(match from {
        Value::Field(field) => return by.field(field),
        Value::Element(element) => {
            let mut element = element.clone();
            element.list = by.list(&element.list);
            element.span = by.span(element.span);
            Value::Element(element)
        }
        Value::First(first) => Value::First(Box::new(First {
            list: value(by, &first.list)?,
            predicate: predicate(by, &first.predicate),
            ..(**first).clone()
        })),
        Value::NameValue(reference) => {
            let Value::Field(list) = by.field(&reference.list)? else { return None };
            Value::NameValue(NameValueRef { list, ..reference.clone() })
        }
        Value::Time | Value::Literal(_) => from.clone(),
        Value::Call(call) => return called(by, call),
    })
}

fn called(by: &dyn Rewrite, from: &Call) -> Option<Value> {
    let call = match from {
        Call::Choose(branches) => {
            return chosen(branches.iter().filter_map(|(when, then)| Some((predicate(by, when), value(by, then)?))));
        }
        Call::Coalesce(values) => {
            let mut found: Vec<Value> = values.iter().filter_map(|inner| value(by, inner)).collect();
            if found.len() < 2 {
                return found.pop();
            }
            Call::Coalesce(found)
        }
        Call::Concat(values) => Call::Concat(values.iter().map(|inner| value(by, inner)).collect::<Option<_>>()?),
        Call::Length(inner) => Call::Length(value(by, inner)?),
        Call::Lower(inner) => Call::Lower(value(by, inner)?),
        Call::Upper(inner) => Call::Upper(value(by, inner)?),
        Call::Split { value: inner, separator, index } => {
            Call::Split { value: value(by, inner)?, separator: separator.clone(), index: *index }
        }
        Call::Extract { value: inner, regex } => Call::Extract { value: value(by, inner)?, regex: regex.clone() },
        Call::Replace { value: inner, from, to } => {
            Call::Replace { value: value(by, inner)?, from: from.clone(), to: to.clone() }
        }
        Call::ToInt(inner) => Call::ToInt(value(by, inner)?),
        Call::ToFloat(inner) => Call::ToFloat(value(by, inner)?),
        Call::Hour(inner) => Call::Hour(value(by, inner)?),
        Call::Weekday(inner) => Call::Weekday(value(by, inner)?),
        Call::Country(inner) => Call::Country(value(by, inner)?),
        Call::City(inner) => Call::City(value(by, inner)?),
        Call::Asn(inner) => Call::Asn(value(by, inner)?),
        Call::AsOrganisation(inner) => Call::AsOrganisation(value(by, inner)?),
    };
    Some(Value::Call(Box::new(call)))
}

/// The value of the first branch that holds; nothing where none can.
pub(super) fn chosen(branches: impl Iterator<Item = (Spanned<Predicate>, Value)>) -> Option<Value> {
    let mut kept: Vec<(Spanned<Predicate>, Value)> = Vec::new();
    for (when, then) in branches {
        if when.node == Predicate::Constant(false) {
            continue;
        }
        let is_last = when.node == Predicate::Constant(true);
        if is_last && kept.is_empty() {
            return Some(then);
        }
        kept.push((when, then));
        if is_last {
            break;
        }
    }
    (!kept.is_empty()).then(|| Value::Call(Box::new(Call::Choose(kept))))
}

/// All of them, in one list, decided parts left out.
pub(super) fn all(parts: Vec<Spanned<Predicate>>) -> Predicate {
    let mut kept: Vec<Spanned<Predicate>> = Vec::new();
    for part in parts {
        match part.node {
            Predicate::Constant(true) => {}
            Predicate::Constant(false) => return Predicate::Constant(false),
            Predicate::And(inner) => kept.extend(inner),
            node => kept.push(Spanned::new(node, part.span)),
        }
    }
    single(without_decided(kept), true, Predicate::And)
}

/// Any of them, in one list, decided parts left out.
pub(super) fn any(parts: Vec<Spanned<Predicate>>) -> Predicate {
    let mut kept: Vec<Spanned<Predicate>> = Vec::new();
    for part in parts {
        match part.node {
            Predicate::Constant(false) => {}
            Predicate::Constant(true) => return Predicate::Constant(true),
            Predicate::Or(inner) => kept.extend(inner),
            node => kept.push(Spanned::new(node, part.span)),
        }
    }
    single(kept, false, Predicate::Or)
}

fn single(mut parts: Vec<Spanned<Predicate>>, none: bool, join: fn(Vec<Spanned<Predicate>>) -> Predicate) -> Predicate {
    match parts.len() {
        0 => Predicate::Constant(none),
        1 => parts.pop().map_or(Predicate::Constant(none), |only| only.node),
        _ => join(parts),
    }
}

/// The opposite.
pub(super) fn not(inner: Spanned<Predicate>) -> Predicate {
    match inner.node {
        Predicate::Constant(value) => Predicate::Constant(!value),
        Predicate::Not(body) => body.node,
        node => Predicate::Not(Box::new(Spanned::new(node, inner.span))),
    }
}

/// The test of a value: false where it is missing, and for a choice that of the branch that is taken.
fn on_value(found: Option<Value>, span: Span, test: &dyn Fn(Value) -> Predicate) -> Predicate {
    let Some(found) = found else { return Predicate::Constant(false) };
    let branches = match found {
        Value::Call(call) => match *call {
            Call::Choose(branches) => branches,
            other => return test(Value::Call(Box::new(other))),
        },
        other => return test(other),
    };
    let mut rest = Predicate::Constant(false);
    for (when, then) in branches.into_iter().rev() {
        let here = on_value(Some(then), span, test);
        let spanned = |node| Spanned::new(node, span);
        rest = match (here, rest) {
            (Predicate::Constant(true), rest) => any(vec![when, spanned(rest)]),
            (Predicate::Constant(false), rest) => all(vec![spanned(not(when)), spanned(rest)]),
            (here, rest) if here == rest => rest,
            (here, rest) => {
                let otherwise = all(vec![spanned(not(when.clone())), spanned(rest)]);
                any(vec![spanned(all(vec![when, spanned(here)])), spanned(otherwise)])
            }
        };
    }
    rest
}

fn exists(found: &Value) -> Predicate {
    match found {
        Value::Literal(Literal::Text(text)) => Predicate::Constant(!text.is_empty()),
        Value::Literal(_) | Value::Time => Predicate::Constant(true),
        found => Predicate::Exists(found.clone()),
    }
}

fn equal(by: &dyn Rewrite, left: Value, right: Value, case: CaseRule) -> Predicate {
    match (left, right) {
        (Value::Literal(left), Value::Literal(right)) => Predicate::Constant(same(&left, &right, case)),
        (left @ Value::Literal(_), right) => equal(by, right, left, case),
        (left, Value::Literal(literal)) => {
            let (mut items, case) = fit(by, &left, std::slice::from_ref(&literal), case);
            let right = Value::Literal(items.pop().unwrap_or(literal));
            Predicate::Equal { left, right, case }
        }
        (left, right) => Predicate::Equal { left, right, case },
    }
}

fn among(by: &dyn Rewrite, found: Value, items: &[Literal], case: CaseRule) -> Predicate {
    if let Value::Literal(literal) = &found {
        return Predicate::Constant(items.iter().any(|item| same(literal, item, case)));
    }
    let (items, case) = fit(by, &found, items, case);
    Predicate::In { value: found, items, case }
}

/// Constants in the one spelling that a field has for each of them, where it has one.
fn fit(by: &dyn Rewrite, value: &Value, items: &[Literal], case: CaseRule) -> (Vec<Literal>, CaseRule) {
    let spelt = |item: &Literal| match (value, item) {
        (Value::Field(field), Literal::Text(text)) => by.spelling(field, text).map(Literal::Text),
        _ => None,
    };
    match (case, items.iter().map(spelt).collect::<Option<Vec<Literal>>>()) {
        (CaseRule::Ignore, Some(items)) => (items, CaseRule::Canonical),
        (CaseRule::Ignore | CaseRule::Canonical | CaseRule::Exact, _) => (items.to_vec(), case),
    }
}

fn text(found: Value, tests: &[TextTest], case: CaseRule) -> Predicate {
    let Value::Literal(literal) = &found else { return Predicate::Text { value: found, tests: tests.to_vec(), case } };
    let fold = |text: &str| if case == CaseRule::Exact { text.to_owned() } else { text.to_lowercase() };
    let whole = fold(&literal.to_string());
    let decided = |test: &TextTest| match test {
        TextTest::Contains(part) => Some(whole.contains(&fold(part))),
        TextTest::StartsWith(part) => Some(whole.starts_with(&fold(part))),
        TextTest::EndsWith(part) => Some(whole.ends_with(&fold(part))),
        TextTest::Like(_) | TextTest::Matches(_) => None,
    };
    if tests.iter().any(|test| decided(test) == Some(true)) {
        return Predicate::Constant(true);
    }
    let open: Vec<TextTest> = tests.iter().filter(|test| decided(test).is_none()).cloned().collect();
    if open.is_empty() { Predicate::Constant(false) } else { Predicate::Text { value: found, tests: open, case } }
}

fn same(one: &Literal, other: &Literal, case: CaseRule) -> bool {
    let (one, other) = (one.to_string(), other.to_string());
    one == other || (case != CaseRule::Exact && one.to_lowercase() == other.to_lowercase())
}
