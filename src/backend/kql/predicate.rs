//! Predicates of two values as conditions of an engine that knows null.
//!
//! Negation is pushed to the leaves. A condition that meets null may itself be null where the predicate is false:
//! below `where`, `and` and `or` that is the same as false, and elsewhere it is turned into false.

use super::ast::{Expr, Kind, Membership, Operator};
use super::reader::Reader;
use super::value::{Scalar, Spelling};
use crate::backend::ReasonCode;
use crate::ir::{CaseRule, Literal, OpeningHours, Order, Predicate, Value};
use crate::schema::{Duration, Type};
use crate::source::Spanned;

/// A condition that says a predicate or its opposite.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    /// The condition.
    pub(super) expr: Expr,
    /// Whether it can be null instead of false.
    pub(super) nullable: bool,
}

impl Condition {
    /// A condition that is never null.
    pub(super) const fn sure(expr: Expr) -> Self {
        Self { expr, nullable: false }
    }

    /// A comparison that is null where a side is.
    fn compared(expr: Expr, positive: bool) -> Self {
        if positive {
            return Self { expr, nullable: true };
        }
        Self::sure(expr.or_else(Expr::Bool(false)).not())
    }

    /// The condition as a value that is never null.
    pub(super) fn value(self) -> Expr {
        if self.nullable { self.expr.or_else(Expr::Bool(false)) } else { self.expr }
    }
}

impl Reader<'_, '_> {
    /// The condition that a predicate holds, or that it does not.
    pub(super) fn predicate(&mut self, predicate: &Spanned<Predicate>, positive: bool) -> Condition {
        let outer = std::mem::replace(&mut self.span, predicate.span);
        let condition = self.lower_predicate(&predicate.node, positive);
        self.span = outer;
        condition
    }

    fn lower_predicate(&mut self, predicate: &Predicate, positive: bool) -> Condition {
        match predicate {
            Predicate::Constant(value) => Condition::sure(Expr::Bool(*value == positive)),
            // Each source is read on its own.
            Predicate::OfSource(name) => Condition::sure(Expr::Bool((*name == self.source.name) == positive)),
            Predicate::And(parts) => self.joined(parts, positive, positive),
            Predicate::Or(parts) => self.joined(parts, positive, !positive),
            Predicate::Not(inner) => self.predicate(inner, !positive),
            Predicate::Exists(value) => self.exists(value, positive),
            Predicate::IsTrue(value) => self.equals_literal(value, &[Literal::Bool(true)], CaseRule::Exact, positive),
            Predicate::Equal { left, right: Value::Literal(literal), case } => {
                self.equals_literal(left, std::slice::from_ref(literal), *case, positive)
            }
            Predicate::Equal { left, right, case } => self.equals_value(left, right, *case, positive),
            Predicate::Ordered { left, order, right } => self.ordered(left, *order, right, positive),
            Predicate::In { value, items, case } => self.equals_literal(value, items, *case, positive),
            Predicate::Text { value, tests, case } => self.text_tests(value, tests, *case, positive),
            Predicate::InNetwork { value, networks } => {
                let text = self.text(value);
                Condition::sure(super::network::in_networks(&text, networks, positive))
            }
            Predicate::IsAddress { value, set } => {
                let text = self.text(value);
                Condition::sure(super::network::in_set(&text, *set, positive))
            }
            Predicate::OutsideHours { time, hours } => self.outside_hours(time, hours, positive),
            Predicate::Quantified { quantifier, list, variable, predicate } => {
                let holds = self.quantified(*quantifier, list, variable, predicate);
                Condition::sure(if positive { holds } else { holds.not() })
            }
        }
    }

    fn joined(&mut self, parts: &[Spanned<Predicate>], positive: bool, all: bool) -> Condition {
        let conditions: Vec<Condition> = parts.iter().map(|part| self.predicate(part, positive)).collect();
        let nullable = conditions.iter().any(|condition| condition.nullable);
        let parts = conditions.into_iter().map(|condition| condition.expr);
        Condition { expr: if all { Expr::all(parts) } else { Expr::any(parts) }, nullable }
    }

    fn exists(&mut self, value: &Value, positive: bool) -> Condition {
        let scalar = self.scalar(value);
        Condition::sure(present(&scalar, positive))
    }

    fn equals_literal(&mut self, value: &Value, items: &[Literal], case: CaseRule, positive: bool) -> Condition {
        let scalar = self.scalar(value);
        let (mut texts, mut numbers, mut bools) = (Vec::new(), Vec::new(), Vec::new());
        for item in items {
            match scalar.spell(item, case) {
                Spelling::Text(text) => texts.push(text),
                Spelling::Number(number) => numbers.push(number),
                Spelling::Bool(value) => bools.push(value),
                Spelling::Never => {}
                Spelling::Unknown => {
                    let message = format!("the field map does not say how the target spells `{item}`");
                    self.refuse(ReasonCode::UnsupportedLiteral, message);
                }
            }
        }
        let mut conditions = Vec::new();
        if !texts.is_empty() {
            for text in &texts {
                self.compared_text(text, scalar.folds(case));
            }
            // The text of a list or an object starts with a bracket, so other literals need no guard.
            let guarded = texts.iter().any(|text| super::text::opens(text));
            let expr = if guarded && scalar.spellings.is_empty() { scalar.text() } else { scalar.expr.clone() };
            let expr = super::text::equals(&expr, &texts, scalar.folds(case), !positive);
            conditions.push(Condition::sure(expr));
        }
        let expr = scalar.expr;
        match numbers.len() {
            0 => {}
            1 => conditions
                .extend(numbers.into_iter().map(|number| Condition::compared(expr.clone().equals(number), positive))),
            _ => {
                let exact = Membership { folded: false, negated: false };
                conditions.push(Condition::compared(expr.clone().among(exact, numbers), positive));
            }
        }
        for value in bools {
            conditions.push(Condition::compared(expr.clone().equals(Expr::Bool(value)), positive));
        }
        let nullable = conditions.iter().any(|condition| condition.nullable);
        let parts = conditions.into_iter().map(|condition| condition.expr);
        Condition { expr: if positive { Expr::any(parts) } else { Expr::all(parts) }, nullable }
    }

    fn equals_value(&mut self, left: &Value, right: &Value, case: CaseRule, positive: bool) -> Condition {
        let (left, right) = (self.scalar(left), self.scalar(right));
        let textual = |scalar: &Scalar| scalar.declared.is_textual() || scalar.kind == Kind::Text;
        if !textual(&left) && !textual(&right) {
            return Condition::compared(left.expr.equals(right.expr), positive);
        }
        let folded = left.folds(case) || right.folds(case);
        let (left, right) = (left.text(), right.text());
        if folded {
            self.assume_lower_case();
        }
        let fold = |text: &Expr| if folded { Expr::call("tolower", text.clone()) } else { text.clone() };
        let operator = if positive { Operator::Equal } else { Operator::NotEqual };
        let compared = Expr::infix(fold(&left), operator, fold(&right));
        Condition::sure(if positive {
            Expr::all([Expr::call("isnotempty", left), compared])
        } else {
            Expr::any([Expr::call("isempty", left), compared])
        })
    }

    /// Notes how two texts of events are compared without case.
    pub(super) fn assume_lower_case(&mut self) {
        self.context.verdict.assume(
            "two fields that are compared without case hold no letters that fold to each other without being each other's lower case, such as the two forms of the Greek sigma",
        );
    }

    fn ordered(&mut self, left: &Value, order: Order, right: &Value, positive: bool) -> Condition {
        let (left, right) = (self.scalar(left), self.scalar(right));
        let sortable = |scalar: &Scalar| {
            matches!(scalar.kind, Kind::Long | Kind::Real | Kind::Time) && scalar.spellings.is_empty()
        };
        if !sortable(&left) || !sortable(&right) {
            self.refuse(
                ReasonCode::UnsupportedExpression,
                "the target keeps the value as text, which has no such order",
            );
        }
        let operator = match order {
            Order::Less => Operator::Less,
            Order::LessOrEqual => Operator::LessOrEqual,
            Order::Greater => Operator::Greater,
            Order::GreaterOrEqual => Operator::GreaterOrEqual,
        };
        Condition::compared(Expr::infix(left.expr, operator, right.expr), positive)
    }

    fn outside_hours(&mut self, time: &Value, hours: &OpeningHours, positive: bool) -> Condition {
        let scalar = self.scalar(time);
        let minutes = |minutes: u64| Expr::Span(Duration::from_seconds(minutes * 60));
        let offset = minutes(u64::from(hours.offset_minutes.unsigned_abs()));
        let local = match hours.offset_minutes {
            0 => scalar.expr.clone(),
            1.. => Expr::infix(scalar.expr.clone(), Operator::Add, offset),
            _ => scalar.expr.clone().minus(offset),
        };
        // The engine counts days of the week from Sunday.
        let days = hours.days.iter().map(|day| minutes(u64::from(day.0 % 7) * 1440)).collect();
        let open_day = Expr::call("dayofweek", local.clone()).among(Membership { folded: false, negated: false }, days);
        let clock = local.clone().minus(Expr::call("startofday", local));
        let after_start = Expr::infix(clock.clone(), Operator::GreaterOrEqual, minutes(u64::from(hours.start_minute)));
        let before_end = Expr::infix(clock, Operator::Less, minutes(u64::from(hours.end_minute)));
        let open_time = if hours.end_minute <= hours.start_minute {
            Expr::any([after_start, before_end])
        } else {
            Expr::all([after_start, before_end])
        };
        let inside = Expr::all([open_day, open_time]);
        if matches!(time, Value::Time) {
            return Condition::sure(if positive { inside.not() } else { inside });
        }
        // A missing time is neither inside nor outside, whatever the engine makes of it.
        let inside = inside.or_else(Expr::Bool(false));
        Condition::sure(if positive {
            Expr::all([Expr::call("isnotnull", scalar.expr), inside.not()])
        } else {
            Expr::any([Expr::call("isnull", scalar.expr), inside])
        })
    }
}

/// The condition that a value is present, or that it is missing.
pub(super) fn present(scalar: &Scalar, positive: bool) -> Expr {
    let (text, null) = if positive { ("isnotempty", "isnotnull") } else { ("isempty", "isnull") };
    let json = match (&scalar.leaf, scalar.kind) {
        (Some(leaf), _) => Some(leaf),
        (None, Kind::Dynamic) => Some(&scalar.expr),
        (None, _) => None,
    };
    let Some(leaf) = json else {
        let function = if scalar.kind == Kind::Text { text } else { null };
        return Expr::call(function, scalar.expr.clone());
    };
    let some_text = Expr::call(text, Expr::call("tostring", leaf.clone()));
    if !matches!(scalar.declared, Type::Text | Type::Ip | Type::List(_)) {
        return some_text;
    }
    // The empty list is missing; `array_length` of anything but a list is null.
    let length = Expr::call("array_length", leaf.clone()).or_else(Expr::Int(1));
    if positive {
        Expr::all([some_text, Expr::infix(length, Operator::Greater, Expr::Int(0))])
    } else {
        Expr::any([some_text, length.equals(Expr::Int(0))])
    }
}
