//! Lowers predicates to trees of search items.
//!
//! Never weakens a test: what Sigma cannot say adds a reason, and a constant stands in so that the other reasons are found too.

use super::ast::{Comparison, Item, Value as SigmaValue};
use super::case;
use super::field::{self, Bound};
use super::literal::{self, Test};
use super::pattern;
use super::tree::Tree;
use crate::backend::{Reason, ReasonCode, Verdict};
use crate::ir::{
    AddressSet, CaseRule, FieldRef, Literal, Network, Order, Predicate, Quantifier, Regex, TextTest, Value,
};
use crate::schema::Type;
use crate::schema::mapping::FieldMap;
use crate::source::{Span, Spanned};

/// Lowers the predicates of one signal.
pub(super) struct Lowering<'a> {
    /// What the target calls the source's fields.
    pub(super) map: &'a FieldMap,
    /// Where reasons go.
    pub(super) verdict: &'a mut Verdict,
}

/// Where a predicate stands.
#[derive(Clone, Copy)]
pub(super) struct Scope {
    /// Whether it tests the elements of a list; negations are then pushed to the leaves.
    inside: bool,
    /// Whether it stands under an odd number of negations, counted from the quantifier where there is one.
    negated: bool,
}

impl Scope {
    /// The outermost place.
    pub(super) const EVENT: Self = Self { inside: false, negated: false };

    const fn negate(self) -> Self {
        Self { negated: !self.negated, ..self }
    }
}

impl Lowering<'_> {
    /// Lowers a predicate.
    pub(super) fn predicate(&mut self, predicate: &Spanned<Predicate>, scope: Scope) -> Tree {
        match &predicate.node {
            Predicate::Constant(value) => Tree::Constant(*value != (scope.inside && scope.negated)),
            // A rule is about one source.
            Predicate::OfSource(name) => Tree::Constant((*name == self.map.source) != (scope.inside && scope.negated)),
            Predicate::And(parts) => {
                let parts = parts.iter().map(|part| self.predicate(part, scope)).collect();
                if scope.inside && scope.negated { Tree::any(parts) } else { Tree::all(parts) }
            }
            Predicate::Or(parts) => {
                let parts = parts.iter().map(|part| self.predicate(part, scope)).collect();
                if scope.inside && scope.negated { Tree::all(parts) } else { Tree::any(parts) }
            }
            Predicate::Not(inner) => {
                let tree = self.predicate(inner, scope.negate());
                if scope.inside { tree } else { Tree::not(tree) }
            }
            Predicate::Quantified { quantifier, predicate: test, .. } => {
                self.quantified(*quantifier, test, predicate.span, scope)
            }
            Predicate::Exists(_)
            | Predicate::IsTrue(_)
            | Predicate::Equal { .. }
            | Predicate::Ordered { .. }
            | Predicate::In { .. }
            | Predicate::Text { .. }
            | Predicate::InNetwork { .. }
            | Predicate::IsAddress { .. }
            | Predicate::OutsideHours { .. } => self.leaf(predicate, scope),
        }
    }

    /// Lowers a test of a list's elements: Sigma's own meaning of a path into a list is that some element fits.
    fn quantified(&mut self, quantifier: Quantifier, test: &Spanned<Predicate>, span: Span, scope: Scope) -> Tree {
        // `all(p)` is `not any(not p)`, `none(p)` is `not any(p)`.
        let inner = Scope { inside: true, negated: quantifier == Quantifier::All };
        let tree = self.predicate(test, inner);
        let (least, most) = tree.elements();
        if least == 0 && !self.is_refused() {
            let message = "Sigma cannot quantify a test that does not look at the element";
            self.verdict.add(ReasonCode::UnsupportedExpression, span, message);
        }
        // An outer list reports for the lists inside it.
        if most > 1 && !scope.inside {
            let message =
                "Sigma has no notion of one element: different elements of the list may satisfy the parts of the test";
            self.verdict.add(ReasonCode::ArrayCorrelation, span, message);
        }
        let denied = (quantifier != Quantifier::Any) != (scope.inside && scope.negated);
        let tree = if denied { Tree::not(tree) } else { tree };
        self.admit(tree, span, scope)
    }

    fn leaf(&mut self, predicate: &Spanned<Predicate>, scope: Scope) -> Tree {
        let span = predicate.span;
        if let Some(rewritten) = super::list::as_any(predicate, self.map) {
            let tree = self.predicate(&rewritten, scope);
            let is_said = |reason: &Reason| reason.code == ReasonCode::ArrayCorrelation && reason.span == span;
            if super::list::picks_first(&predicate.node) && !self.verdict.reasons.iter().any(is_said) {
                let message = "Sigma tests every element of a list: one that is not the first may satisfy the test";
                self.verdict.add(ReasonCode::ArrayCorrelation, span, message);
            }
            return tree;
        }
        let tree = match &predicate.node {
            Predicate::Exists(value) => self.exists(value, span),
            Predicate::IsTrue(value) => self.equal(value, &[Literal::Bool(true)], CaseRule::Exact, span),
            Predicate::Equal { left, right: Value::Literal(literal), case } => {
                self.equal(left, std::slice::from_ref(literal), *case, span)
            }
            Predicate::Equal { left, right, case } => self.same(left, right, *case, span, scope),
            Predicate::In { value, items, case } => self.equal(value, items, *case, span),
            Predicate::Ordered { left, order, right } => self.ordered(left, *order, right, span),
            Predicate::Text { value, tests, case } => self.text(value, tests, *case, span),
            Predicate::InNetwork { value, networks } => self.in_network(value, networks, span),
            Predicate::IsAddress { value, set } => self.is_address(value, *set, span),
            Predicate::OutsideHours { .. } => {
                let message =
                    "Sigma knows the hour of a time only, neither days nor offsets, and no converter supports it";
                self.refuse(span, message)
            }
            Predicate::Constant(_)
            | Predicate::OfSource(_)
            | Predicate::And(_)
            | Predicate::Or(_)
            | Predicate::Not(_)
            | Predicate::Quantified { .. } => Tree::Constant(true),
        };
        let tree = if scope.inside && scope.negated { Tree::not(tree) } else { tree };
        self.admit(tree, span, scope)
    }

    /// Refuses what would say that no element fits where the detection says that some element does not.
    fn admit(&mut self, tree: Tree, span: Span, scope: Scope) -> Tree {
        if scope.inside && tree.denies_element() {
            let message =
                "Sigma cannot say that some element fails a test; write it as `none(...)` over the test itself";
            return self.refuse(span, message);
        }
        tree
    }

    fn exists(&mut self, value: &Value, span: Span) -> Tree {
        let Some(bound) = self.bind(value, span) else { return Tree::Constant(true) };
        if bound.element && !bound.ty.is_textual() {
            return self.refuse(span, "Sigma cannot say that a member of an element is present unless it is text");
        }
        if bound.element {
            let comparison = Comparison::Regex { folded: false };
            return leaf(&bound, vec![(comparison, SigmaValue::Regex(pattern::of_presence()))]);
        }
        if matches!(bound.ty, Type::List(_)) {
            self.verdict.assume("an empty list counts as no value");
        }
        Tree::not(absent(&bound))
    }

    fn equal(&mut self, value: &Value, literals: &[Literal], case: CaseRule, span: Span) -> Tree {
        let value = case::compared(value, literals, case);
        let Some(bound) = self.bind(value, span) else { return Tree::Constant(true) };
        let tests: Vec<Test> =
            literals.iter().filter_map(|literal| literal::equal(self.verdict, &bound, literal, case, span)).collect();
        if tests.is_empty() { Tree::Constant(true) } else { leaf(&bound, tests) }
    }

    /// Lowers the equality of two fields.
    fn same(&mut self, left: &Value, right: &Value, case: CaseRule, span: Span, scope: Scope) -> Tree {
        let (left, right) = (self.bind(left, span), self.bind(right, span));
        let (Some(left), Some(right)) = (left, right) else { return Tree::Constant(true) };
        if scope.negated || left.element || right.element {
            let message = "Sigma compares two fields only where they have to be equal, and not inside lists";
            return self.refuse(span, message);
        }
        if left.ty != right.ty && !(left.ty.is_textual() && right.ty.is_textual()) {
            let message = format!("Sigma cannot convert `{}` or `{}` to compare them", left.name, right.name);
            return self.refuse(span, &message);
        }
        if left.ty.is_textual() {
            let message = match case {
                CaseRule::Ignore | CaseRule::Canonical => {
                    "Sigma leaves open whether `fieldref` ignores case; converters compare exactly and miss other casings"
                }
                CaseRule::Exact => {
                    "Sigma leaves open whether `fieldref` ignores case; a converter may match other casings too"
                }
            };
            self.verdict.add(ReasonCode::KeyCase, span, message);
        }
        leaf(&left, vec![(Comparison::FieldReference, SigmaValue::Field(right.name))])
    }

    fn ordered(&mut self, left: &Value, order: Order, right: &Value, span: Span) -> Tree {
        let (value, order, literal) = match (left, right) {
            (value, Value::Literal(literal)) => (value, order, literal),
            (Value::Literal(literal), value) => (value, mirrored(order), literal),
            _ => return self.refuse(span, "Sigma orders a field and a number, not two fields"),
        };
        let Some(bound) = self.bind(value, span) else { return Tree::Constant(true) };
        if !bound.ty.is_number() {
            return self.refuse(span, &format!("Sigma orders numbers only; `{}` holds a {}", bound.name, bound.ty));
        }
        let number = match literal {
            Literal::Int(number) => literal::integer(self.verdict, *number, span),
            Literal::Float(number) => literal::decimal(self.verdict, number, span),
            Literal::Text(_) | Literal::Bool(_) => return self.refuse(span, "Sigma orders numbers only"),
        };
        let comparison = match order {
            Order::Less => Comparison::Less,
            Order::LessOrEqual => Comparison::LessOrEqual,
            Order::Greater => Comparison::Greater,
            Order::GreaterOrEqual => Comparison::GreaterOrEqual,
        };
        number.map_or(Tree::Constant(true), |number| leaf(&bound, vec![(comparison, number)]))
    }

    fn text(&mut self, value: &Value, tests: &[TextTest], case: CaseRule, span: Span) -> Tree {
        let value = case::tested(value, tests, case);
        let Some(bound) = self.bind(value, span) else { return Tree::Constant(true) };
        if !bound.ty.is_textual() || !bound.column.literals.is_empty() {
            let message = format!(
                "the target's field `{}` holds other texts; compare whole values with `==` or `in`",
                bound.name
            );
            return self.refuse(span, &message);
        }
        let mut alternatives = Vec::new();
        for test in tests {
            alternatives.push(match test {
                TextTest::Like(glob) if glob.matches_empty() => self.exists(value, span),
                TextTest::Matches(regex) if regex.is_nullable() => self.nullable(value, &bound, regex, case, span),
                TextTest::Contains(_)
                | TextTest::StartsWith(_)
                | TextTest::EndsWith(_)
                | TextTest::Like(_)
                | TextTest::Matches(_) => match literal::passes(self.verdict, test, case, span) {
                    Some(test) => leaf(&bound, vec![test]),
                    None => Tree::Constant(true),
                },
            });
        }
        Tree::any(alternatives)
    }

    /// An expression that finds the empty text: that is a missing value here, so the field has to be there as well.
    fn nullable(&mut self, value: &Value, bound: &Bound, regex: &Regex, case: CaseRule, span: Span) -> Tree {
        if bound.element {
            let message =
                "Sigma cannot keep an expression that also finds the empty text from elements without a value";
            return self.refuse(span, message);
        }
        let exists = self.exists(value, span);
        match literal::passes(self.verdict, &TextTest::Matches(regex.clone()), case, span) {
            Some(test) => Tree::all(vec![leaf(bound, vec![test]), exists]),
            None => Tree::Constant(true),
        }
    }

    fn in_network(&mut self, value: &Value, networks: &[Network], span: Span) -> Tree {
        let Some(bound) = self.bind(value, span) else { return Tree::Constant(true) };
        leaf(&bound, networks.iter().map(|network| (Comparison::Cidr, SigmaValue::Network(*network))).collect())
    }

    fn is_address(&mut self, value: &Value, set: AddressSet, span: Span) -> Tree {
        let private = self.in_network(value, &AddressSet::private_networks(), span);
        match set {
            AddressSet::Private => private,
            AddressSet::Public => {
                let every: Vec<Network> =
                    ["0.0.0.0/0", "::/0"].iter().filter_map(|block| Network::parse(block)).collect();
                let address = self.in_network(value, &every, span);
                Tree::all(vec![address, Tree::not(private)])
            }
        }
    }

    fn bind(&mut self, value: &Value, span: Span) -> Option<Bound> {
        field::bind(self.map, self.verdict, value, span)
    }

    fn refuse(&mut self, span: Span, message: &str) -> Tree {
        self.verdict.add(ReasonCode::UnsupportedExpression, span, message);
        Tree::Constant(true)
    }

    fn is_refused(&self) -> bool {
        self.verdict.fidelity() == crate::backend::Fidelity::Unsupported
    }

    /// The condition that a value that keys or counts is missing; `None` where every event has it or it is no field.
    pub(super) fn missing(&self, field: &FieldRef) -> Option<Tree> {
        if field.presence == crate::schema::Presence::Always {
            return None;
        }
        field::find(self.map, &Value::Field(field.clone())).ok().map(|bound| absent(&bound))
    }
}

/// The condition that holds where a field has no value.
fn absent(bound: &Bound) -> Tree {
    let whole = Comparison::Whole { cased: false };
    let mut tests = vec![(whole, SigmaValue::Null)];
    if bound.ty.is_textual() {
        tests.push((whole, SigmaValue::Empty));
    }
    leaf(bound, tests)
}

/// Any of the tests of one field.
fn leaf(bound: &Bound, tests: Vec<Test>) -> Tree {
    let items = tests.into_iter().map(|(comparison, value)| Tree::Leaf {
        item: Item { field: bound.name.clone(), comparison, values: vec![value] },
        element: bound.element,
    });
    Tree::any(items.collect())
}

const fn mirrored(order: Order) -> Order {
    match order {
        Order::Less => Order::Greater,
        Order::LessOrEqual => Order::GreaterOrEqual,
        Order::Greater => Order::Less,
        Order::GreaterOrEqual => Order::LessOrEqual,
    }
}
