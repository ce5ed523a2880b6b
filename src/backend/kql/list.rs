//! Lists: quantifiers and picked elements, computed by `mv-apply` into helper columns.

use super::ast::{Assignment, Expr, Kind, Stage};
use super::reader::Reader;
use super::value::Scalar;
use crate::backend::ReasonCode;
use crate::ir::{First, NameValueRef, Predicate, Quantifier, Value};
use crate::schema::{FieldPath, Type};
use crate::source::Spanned;

impl Reader<'_, '_> {
    /// A column that tells whether the quantified predicate holds; it is never null.
    pub(super) fn quantified(
        &mut self,
        quantifier: Quantifier,
        list: &Value,
        variable: &str,
        predicate: &Spanned<Predicate>,
    ) -> Expr {
        // What is counted: for `all` the elements that fail, else those that pass.
        let wanted = quantifier != Quantifier::All;
        let what = match quantifier {
            Quantifier::Any => "any",
            Quantifier::All => "all",
            Quantifier::None => "none",
        };
        self.helped = true;
        let name = self.helper(what);
        let array = never_empty(self.elements(list));
        let (item, inner, test) = self.inside(variable, |reader, _| reader.predicate(predicate, wanted).value());
        let counted = Expr::call("countif", Expr::all([is_element(&item), test]));
        let operator = match quantifier {
            Quantifier::Any => super::ast::Operator::Greater,
            Quantifier::All | Quantifier::None => super::ast::Operator::Equal,
        };
        let result = Assignment::new(&name, Expr::infix(counted, operator, Expr::Int(0)));
        self.helpers.push(Stage::Apply { indexed: false, item, list: array, inner, result });
        Expr::column(name)
    }

    /// The picked member of the first element that passes.
    pub(super) fn first(&mut self, first: &First) -> Scalar {
        let element = First { member: FieldPath::default(), ty: Type::Object, ..first.clone() };
        let picked = self.once(Value::First(Box::new(element)), |reader| {
            reader.pick(&first.list, &first.variable, |reader, _| reader.predicate(&first.predicate, true).value())
        });
        Scalar::member(member(picked, &first.member), first.ty.clone())
    }

    /// The member of the element of that name.
    pub(super) fn name_value(&mut self, reference: &NameValueRef) -> Scalar {
        if let Some(own) = self.named(reference) {
            return own;
        }
        let element = NameValueRef { member: FieldPath::default(), ty: Type::Object, ..reference.clone() };
        let key = self.literal_text(&reference.key);
        let list = Value::Field(reference.list.clone());
        let picked = self.once(Value::NameValue(element), |reader| {
            reader.pick(&list, "", |_, item| {
                let name = Expr::Member(Box::new(item), reference.name_member.clone());
                Expr::call("tostring", name).equals(key)
            })
        });
        Scalar::member(member(picked, &reference.member), reference.ty.clone())
    }

    /// A picked element, computed once for each event however often it is used.
    fn once(&mut self, element: Value, pick: impl FnOnce(&mut Self) -> Expr) -> Expr {
        self.helped = true;
        // Inside a list an element depends on the one around.
        if !self.items.is_empty() {
            return pick(self);
        }
        if let Some((_, picked)) = self.picked.iter().find(|(known, _)| *known == element) {
            return picked.clone();
        }
        let picked = pick(self);
        self.picked.push((element, picked.clone()));
        picked
    }

    /// The first element that passes a test; null where there is none.
    fn pick(&mut self, list: &Value, variable: &str, test: impl FnOnce(&mut Self, Expr) -> Expr) -> Expr {
        let (name, position) = (self.helper("list"), self.helper("first"));
        let array = never_empty(self.elements(list));
        self.helpers.push(Stage::Extend(vec![Assignment::new(&name, array)]));
        let (item, inner, test) = self.inside(variable, test);
        let lowest = Expr::Call("minif", vec![Expr::column("detc_index"), Expr::all([is_element(&item), test])]);
        let result = Assignment::new(&position, lowest);
        self.helpers.push(Stage::Apply { indexed: true, item, list: Expr::column(&name), inner, result });
        Expr::Index(Box::new(Expr::column(name)), Box::new(Expr::column(position)))
    }

    /// Lowers what is said of one element; gives the element's column and the operators that have to stand inside.
    fn inside(&mut self, variable: &str, lower: impl FnOnce(&mut Self, Expr) -> Expr) -> (String, Vec<Stage>, Expr) {
        let item = self.helper("item");
        let around = std::mem::take(&mut self.helpers);
        self.items.push((variable.to_owned(), item.clone()));
        let test = lower(self, Expr::column(&item));
        self.items.pop();
        let inner = std::mem::replace(&mut self.helpers, around);
        (item, inner, test)
    }

    /// The list as an array; anything else is its only element.
    pub(super) fn elements(&mut self, list: &Value) -> Expr {
        let scalar = self.scalar(list);
        if scalar.kind != Kind::Dynamic && scalar.leaf.is_none() && matches!(list.ty(), Type::List(_)) {
            self.refuse(ReasonCode::UnsupportedExpression, "the target keeps the list as text without structure");
        }
        if scalar.kind != Kind::Dynamic && scalar.leaf.is_none() {
            return Expr::call("pack_array", scalar.text());
        }
        let value = scalar.leaf.unwrap_or(scalar.expr);
        let is_array = Expr::call("gettype", value.clone()).equals(Expr::text("array"));
        is_array.choose(value.clone(), Expr::call("pack_array", value))
    }
}

/// A member of an element; the element itself for an empty path.
fn member(element: Expr, path: &FieldPath) -> Expr {
    path.segments().iter().fold(element, |object, segment| Expr::Member(Box::new(object), segment.clone()))
}

/// An array with a null behind its elements, so that a row without elements keeps a result.
pub(super) fn never_empty(array: Expr) -> Expr {
    let null = Expr::call("pack_array", Expr::Null(Kind::Dynamic));
    Expr::Call("array_concat", vec![array, null])
}

/// Null and empty elements are skipped.
fn is_element(item: &str) -> Expr {
    Expr::call("isnotempty", Expr::call("tostring", Expr::column(item)))
}
