//! Rewrites a test of one picked element into a test of any element, which is what Sigma's paths into lists mean.

use crate::ir::{CaseRule, Element, Literal, Predicate, Quantifier, Value};
use crate::schema::mapping::{Access, Binding, FieldMap};
use crate::schema::{Case, FieldPath, Type};
use crate::source::Spanned;

/// The test as `any(list as element where picked and test)`; `None` where it is about no picked element.
///
/// The two parts are about one element, which the caller reports as it does for any such list.
pub(super) fn as_any(predicate: &Spanned<Predicate>, map: &FieldMap) -> Option<Spanned<Predicate>> {
    let span = predicate.span;
    let (list, variable, condition, member, ty) = match subject(&predicate.node)? {
        Value::First(first) => (
            first.list.clone(),
            first.variable.clone(),
            first.predicate.clone(),
            first.member.clone(),
            first.ty.clone(),
        ),
        Value::NameValue(reference) => {
            let named = map.resolve_named(&reference.list.path, &reference.key, &reference.member);
            let keyed = named.is_some()
                || matches!(
                    map.resolve(&reference.list.path),
                    Some(Binding::Column(column)) if column.access == Access::Keyed
                );
            if keyed {
                return None;
            }
            let name = Predicate::Equal {
                left: Value::Element(Element {
                    variable: reference.name_member.clone(),
                    list: reference.list.path.clone(),
                    member: FieldPath::new(vec![reference.name_member.clone()]),
                    ty: Type::Text,
                    case: Case::Canonical,
                    span,
                }),
                right: Value::Literal(Literal::Text(reference.key.clone())),
                case: CaseRule::Canonical,
            };
            let condition = Spanned::new(name, span);
            let variable = reference.name_member.clone();
            (Value::Field(reference.list.clone()), variable, condition, reference.member.clone(), reference.ty.clone())
        }
        Value::Field(_) | Value::Element(_) | Value::Time | Value::Literal(_) | Value::Call(_) => return None,
    };
    let path = match &list {
        Value::Field(field) => field.path.clone(),
        Value::Element(outer) => outer.as_list(),
        Value::First(_) | Value::NameValue(_) | Value::Time | Value::Literal(_) | Value::Call(_) => return None,
    };
    let element = Element { variable: variable.clone(), list: path, member, ty, case: Case::Any, span };
    let test = Spanned::new(about(&predicate.node, Value::Element(element))?, span);
    let both = Box::new(Spanned::new(Predicate::And(vec![condition, test]), span));
    let any = Predicate::Quantified { quantifier: Quantifier::Any, list, variable, predicate: both };
    Some(Spanned::new(any, span))
}

/// Whether a leaf tests the first of several elements.
pub(super) const fn picks_first(predicate: &Predicate) -> bool {
    matches!(subject(predicate), Some(Value::First(_)))
}

/// The value that a leaf tests.
const fn subject(predicate: &Predicate) -> Option<&Value> {
    match predicate {
        Predicate::Exists(value)
        | Predicate::IsTrue(value)
        | Predicate::Equal { left: value, .. }
        | Predicate::Ordered { left: value, .. }
        | Predicate::In { value, .. }
        | Predicate::Text { value, .. }
        | Predicate::InNetwork { value, .. }
        | Predicate::IsAddress { value, .. } => Some(value),
        Predicate::Constant(_)
        | Predicate::OfSource(_)
        | Predicate::And(_)
        | Predicate::Or(_)
        | Predicate::Not(_)
        | Predicate::OutsideHours { .. }
        | Predicate::Quantified { .. } => None,
    }
}

/// The same leaf about another value.
fn about(predicate: &Predicate, value: Value) -> Option<Predicate> {
    Some(match predicate {
        Predicate::Exists(_) => Predicate::Exists(value),
        Predicate::IsTrue(_) => Predicate::IsTrue(value),
        Predicate::Equal { right, case, .. } => Predicate::Equal { left: value, right: right.clone(), case: *case },
        Predicate::Ordered { order, right, .. } => {
            Predicate::Ordered { left: value, order: *order, right: right.clone() }
        }
        Predicate::In { items, case, .. } => Predicate::In { value, items: items.clone(), case: *case },
        Predicate::Text { tests, case, .. } => Predicate::Text { value, tests: tests.clone(), case: *case },
        Predicate::InNetwork { networks, .. } => Predicate::InNetwork { value, networks: networks.clone() },
        Predicate::IsAddress { set, .. } => Predicate::IsAddress { value, set: *set },
        Predicate::Constant(_)
        | Predicate::OfSource(_)
        | Predicate::And(_)
        | Predicate::Or(_)
        | Predicate::Not(_)
        | Predicate::OutsideHours { .. }
        | Predicate::Quantified { .. } => return None,
    })
}
