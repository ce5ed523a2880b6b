//! Predicates as conditions of `where`, with negation pushed down to the single tests.
//!
//! A condition is true exactly where the predicate is; where it is false it may be false or null.

use super::ast::{Comparison, EvalExpr, Function};
use super::context::{Context, Scope};
use super::subject::{Kind, Subject};
use crate::backend::ReasonCode;
use crate::ir::{CaseRule, Literal, Order, Predicate, Value};
use crate::source::{Span, Spanned};

/// The largest whole number up to which the engine's numbers are exact.
const LARGEST: u64 = 1 << 53;

impl Context<'_> {
    /// The condition that a predicate holds, or that it does not.
    pub(super) fn condition(&mut self, scope: Scope<'_>, predicate: &Spanned<Predicate>, wanted: bool) -> EvalExpr {
        let span = predicate.span;
        match &predicate.node {
            Predicate::Constant(value) => EvalExpr::constant(*value == wanted),
            Predicate::OfSource(name) => match scope.map.members.get(name) {
                Some(member) => either(self.is_from(member, span), wanted),
                None => EvalExpr::constant(!wanted),
            },
            Predicate::And(parts) => {
                let parts = parts.iter().map(|part| self.condition(scope, part, wanted)).collect();
                if wanted { EvalExpr::all(parts) } else { EvalExpr::any(parts) }
            }
            Predicate::Or(parts) => {
                let parts = parts.iter().map(|part| self.condition(scope, part, wanted)).collect();
                if wanted { EvalExpr::any(parts) } else { EvalExpr::all(parts) }
            }
            Predicate::Not(inner) => self.condition(scope, inner, !wanted),
            Predicate::Exists(value) => {
                let subject = self.presence(scope, value, span);
                if wanted { subject.is_present() } else { subject.is_missing() }
            }
            Predicate::IsTrue(value) => {
                let subject = self.value(scope, value, span);
                let test = self.equals_any(&subject, &["true".to_owned()], CaseRule::Exact, span);
                negate(test, wanted, &subject)
            }
            Predicate::Equal { left, right, case } => self.equality(scope, (left, right), *case, wanted, span),
            Predicate::Ordered { left, order, right } => {
                let (left, right) = (self.number(scope, left, span), self.number(scope, right, span));
                let comparison = match order {
                    Order::Less => Comparison::Less,
                    Order::LessOrEqual => Comparison::LessOrEqual,
                    Order::Greater => Comparison::Greater,
                    Order::GreaterOrEqual => Comparison::GreaterOrEqual,
                };
                ordered(left, comparison, right, wanted)
            }
            Predicate::In { value, items, case } => {
                let subject = self.value(scope, value, span);
                if subject.kind == Kind::Number {
                    let items: Vec<EvalExpr> = items.iter().map(|item| self.number_literal(item, span)).collect();
                    let same = |item| EvalExpr::equal(subject.expression.clone(), item);
                    return either(EvalExpr::any(items.into_iter().map(same).collect()), wanted);
                }
                let items: Vec<String> = items.iter().map(Literal::to_string).collect();
                let test = self.equals_any(&subject, &items, *case, span);
                negate(test, wanted, &subject)
            }
            Predicate::Text { value, tests, case } => {
                let subject = self.value(scope, value, span);
                let test = self.passes_any(&subject, tests, *case, span);
                negate(test, wanted, &subject)
            }
            Predicate::InNetwork { value, networks } => {
                let subject = self.value(scope, value, span);
                either(self.in_networks(scope, &subject.expression, networks), wanted)
            }
            Predicate::IsAddress { value, set } => {
                let subject = self.value(scope, value, span);
                either(self.in_set(scope, &subject.expression, *set), wanted)
            }
            Predicate::OutsideHours { time, hours } => {
                let seconds = self.seconds(scope, time, span);
                either(super::clock::outside(&seconds, hours), wanted)
            }
            Predicate::Quantified { quantifier, list, variable, predicate } => {
                self.quantified(scope, (*quantifier, list, variable), predicate, wanted)
            }
        }
    }

    fn equality(
        &mut self,
        scope: Scope<'_>,
        (left, right): (&Value, &Value),
        case: CaseRule,
        wanted: bool,
        span: Span,
    ) -> EvalExpr {
        let subject = self.value(scope, left, span);
        match (subject.kind, right.as_literal()) {
            (Kind::Number | Kind::Seconds | Kind::TimeText, _) => {
                let (left, right) = (self.number(scope, left, span), self.number(scope, right, span));
                ordered(left, Comparison::Equal, right, wanted)
            }
            (Kind::Text | Kind::Bool, Some(literal)) => {
                let test = self.equals_any(&subject, &[literal.to_string()], case, span);
                negate(test, wanted, &subject)
            }
            (Kind::Text | Kind::Bool, None) => {
                let other = self.value(scope, right, span);
                let (one, other) = (subject.native(), other.native());
                let fold = case != CaseRule::Exact && subject.kind == Kind::Text;
                let marked = |side: Subject| {
                    let text = if fold { EvalExpr::lowered(side.expression) } else { side.expression };
                    EvalExpr::Join(vec![EvalExpr::text("="), text])
                };
                either(EvalExpr::equal(marked(one), marked(other)), wanted)
            }
            (Kind::Many, _) => {
                self.refuse(ReasonCode::UnsupportedExpression, span, "a list compares only through `any` or `all`");
                EvalExpr::constant(false)
            }
        }
    }

    /// A value as a number; times become milliseconds.
    pub(super) fn number(&mut self, scope: Scope<'_>, value: &Value, span: Span) -> EvalExpr {
        if let Some(literal) = value.as_literal() {
            return self.number_literal(literal, span);
        }
        let subject = self.value(scope, value, span);
        match subject.kind {
            Kind::Number => subject.expression,
            Kind::Seconds => super::clock::milliseconds(subject.expression),
            Kind::TimeText => {
                let message = "a time that is written as text cannot be compared here; compare `time` instead";
                self.refuse(ReasonCode::UnsupportedExpression, span, message);
                EvalExpr::null()
            }
            Kind::Text | Kind::Bool | Kind::Many => subject.expression,
        }
    }

    pub(super) fn number_literal(&mut self, literal: &Literal, span: Span) -> EvalExpr {
        match literal {
            Literal::Int(number) => {
                if number.unsigned_abs() >= LARGEST {
                    let message = format!("numbers are exact only below 2^53 here, not `{number}`");
                    self.refuse(ReasonCode::UnsupportedLiteral, span, message);
                }
                EvalExpr::Integer(*number)
            }
            Literal::Float(number) => EvalExpr::Decimal(number.as_str().to_owned()),
            Literal::Text(text) => EvalExpr::text(text),
            Literal::Bool(value) => EvalExpr::text(value.to_string()),
        }
    }

    /// A value as seconds since 1970.
    pub(super) fn seconds(&mut self, scope: Scope<'_>, value: &Value, span: Span) -> EvalExpr {
        let subject = self.value(scope, value, span);
        if subject.kind != Kind::Seconds {
            let message = "a time that is written as text has no hour here; use `time` instead";
            self.refuse(ReasonCode::UnsupportedExpression, span, message);
        }
        subject.expression
    }
}

/// A test or its opposite; a test that is null counts as false.
fn either(test: EvalExpr, wanted: bool) -> EvalExpr {
    if wanted { test } else { EvalExpr::unless(test) }
}

/// A comparison of numbers or its opposite; against a constant the opposite needs no more than a guard.
fn ordered(left: EvalExpr, comparison: Comparison, right: EvalExpr, wanted: bool) -> EvalExpr {
    let constant = matches!(right, EvalExpr::Integer(_) | EvalExpr::Decimal(_));
    if wanted || !left.is_name() || !constant {
        return either(EvalExpr::compare(left, comparison, right), wanted);
    }
    let opposite = match comparison {
        Comparison::Equal => Comparison::Different,
        Comparison::Different => Comparison::Equal,
        Comparison::Less => Comparison::GreaterOrEqual,
        Comparison::LessOrEqual => Comparison::Greater,
        Comparison::Greater => Comparison::LessOrEqual,
        Comparison::GreaterOrEqual => Comparison::Less,
    };
    EvalExpr::any(vec![EvalExpr::call(Function::IsNull, left.clone()), EvalExpr::compare(left, opposite, right)])
}

/// The opposite of a text test, written with a plain guard where the text is a mere field.
fn negate(test: EvalExpr, wanted: bool, subject: &Subject) -> EvalExpr {
    if wanted || !subject.expression.is_name() || !tests_only(&test, &subject.expression) {
        return either(test, wanted);
    }
    let opposite = match test {
        EvalExpr::Compare(left, Comparison::Equal, right) => EvalExpr::Compare(left, Comparison::Different, right),
        other => EvalExpr::Not(Box::new(other)),
    };
    EvalExpr::any(vec![EvalExpr::call(Function::IsNull, subject.expression.clone()), opposite])
}

/// Whether a test is null only where the field is: it looks at the field directly and never at a cleaned value.
fn tests_only(test: &EvalExpr, field: &EvalExpr) -> bool {
    match test {
        EvalExpr::Name(_) => test == field,
        EvalExpr::Text(_) | EvalExpr::Regex(_) | EvalExpr::Integer(_) | EvalExpr::Decimal(_) => true,
        EvalExpr::FirstGroup => false,
        EvalExpr::Call(function, arguments) => {
            matches!(function, Function::Lower | Function::In | Function::Like | Function::Match)
                && arguments.iter().all(|argument| tests_only(argument, field))
        }
        EvalExpr::Compare(left, _, right) => tests_only(left, field) && tests_only(right, field),
        EvalExpr::Join(parts) | EvalExpr::Or(parts) => parts.iter().all(|part| tests_only(part, field)),
        EvalExpr::And(_) | EvalExpr::Not(_) | EvalExpr::Arithmetic(..) => false,
    }
}
