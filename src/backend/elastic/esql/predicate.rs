//! Turns predicates into ES|QL conditions that are two-valued.
//!
//! What EQL can say too is lowered as for EQL and turned over; the rest is said with values that are null where they are
//! missing, so that only a negation needs a guard.

use super::ast::{Expression, Operator};
use super::condition::{lowered, matches, of_datasets, translate};
use super::value::{Operand, Values, as_text, constant, weekday};
use crate::backend::ReasonCode;
use crate::backend::elastic::eql::ast::PatternKind;
use crate::backend::elastic::eql::lower::ADDRESSES;
use crate::backend::elastic::eql::regex;
use crate::ir::{Call, CaseRule, GlobPart, Literal, OpeningHours, Order, Predicate, TextTest, Value};
use crate::schema::Type;
use crate::source::Spanned;

/// Milliseconds of a minute.
const MINUTE: u64 = 60_000;

/// Minutes of a day.
const DAY: i64 = 1_440;

/// Two expressions of which exactly one is true for every event; the other may be null.
#[derive(Debug, Clone)]
pub struct Test {
    /// True where the condition holds.
    pub yes: Expression,
    /// True where it does not.
    pub no: Expression,
}

impl Test {
    fn constant(value: bool) -> Self {
        Self { yes: Expression::Bool(value), no: Expression::Bool(!value) }
    }

    /// A test that is false or null where a value is missing.
    fn of(yes: Expression) -> Self {
        Self { no: yes.clone().denied(), yes }
    }

    fn negated(self) -> Self {
        Self { yes: self.no, no: self.yes }
    }
}

impl Values<'_> {
    /// The condition of a predicate.
    pub fn predicate(&mut self, predicate: &Spanned<Predicate>) -> Test {
        let outer = std::mem::replace(&mut self.span, predicate.span);
        let test = self.dispatch(predicate);
        self.span = outer;
        test
    }

    fn dispatch(&mut self, predicate: &Spanned<Predicate>) -> Test {
        match &predicate.node {
            Predicate::Constant(value) => Test::constant(*value),
            Predicate::OfSource(name) => match self.map.members.get(name) {
                Some(member) => Test::of(of_datasets(member.places("dataset"))),
                None => Test::constant(false),
            },
            Predicate::And(parts) => {
                let (yes, no): (Vec<_>, Vec<_>) = self.parts(parts);
                Test { yes: Expression::all(yes), no: Expression::any(no) }
            }
            Predicate::Or(parts) => {
                let (yes, no): (Vec<_>, Vec<_>) = self.parts(parts);
                Test { yes: Expression::any(yes), no: Expression::all(no) }
            }
            Predicate::Not(inner) => self.predicate(inner).negated(),
            Predicate::Exists(value) if is_computed(value) => {
                self.tested(value, |operand| operand.expression.present())
            }
            Predicate::IsTrue(value) if is_computed(value) => self.tested(value, |operand| operand.expression),
            Predicate::Equal { left, right, case } => match right.as_literal() {
                Some(literal) if is_computed(left) => self.equals(left, std::slice::from_ref(literal), *case),
                Some(_) => self.shared(predicate),
                None => self.same(left, right, *case),
            },
            Predicate::In { value, items, case } if is_computed(value) => self.equals(value, items, *case),
            Predicate::Ordered { left, order, right } => {
                let plain =
                    |value: &Value| value.as_literal().is_some() || !is_computed(value) && *value != Value::Time;
                let has_constant = left.as_literal().is_some() || right.as_literal().is_some();
                if has_constant && plain(left) && plain(right) {
                    return self.shared(predicate);
                }
                self.ordered(left, *order, right)
            }
            Predicate::Text { value, tests, case } if is_computed(value) => self.text_tests(value, tests, *case),
            Predicate::OutsideHours { time, hours } => self.outside_hours(time, hours),
            Predicate::InNetwork { value, networks } if is_computed(value) => {
                let blocks: Vec<_> = networks.iter().map(|network| Expression::text(network.to_string())).collect();
                self.tested(value, |operand| {
                    let address = Expression::Call("TO_IP", vec![as_text(operand)]);
                    Expression::Call("CIDR_MATCH", std::iter::once(address).chain(blocks).collect())
                })
            }
            Predicate::Exists(_)
            | Predicate::IsTrue(_)
            | Predicate::In { .. }
            | Predicate::Text { .. }
            | Predicate::InNetwork { .. }
            | Predicate::IsAddress { .. }
            | Predicate::Quantified { .. } => self.shared(predicate),
        }
    }

    fn parts(&mut self, parts: &[Spanned<Predicate>]) -> (Vec<Expression>, Vec<Expression>) {
        parts
            .iter()
            .map(|part| {
                let test = self.predicate(part);
                (test.yes, test.no)
            })
            .unzip()
    }

    /// A condition that EQL can say too.
    fn shared(&mut self, predicate: &Spanned<Predicate>) -> Test {
        let test = self.lowering().predicate(predicate);
        Test { yes: translate(&test.yes), no: translate(&test.no) }
    }

    /// The test of one value; never where the value cannot be reached, which is a reason.
    fn tested(&mut self, value: &Value, test: impl FnOnce(Operand) -> Expression) -> Test {
        match self.single(value) {
            Some(operand) => Test::of(test(operand)),
            None => Test::constant(false),
        }
    }

    fn equals(&mut self, value: &Value, items: &[Literal], case: CaseRule) -> Test {
        self.tested(value, |operand| {
            let is_text = operand.ty == Type::Text;
            let folded = is_text && case != CaseRule::Exact;
            let items = items.iter().map(|item| match item {
                item if is_text && folded => Expression::text(item.to_string().to_lowercase()),
                item if is_text => Expression::text(item.to_string()),
                item => constant(item),
            });
            let items: Vec<Expression> = items.collect();
            let subject = lowered(operand.expression, folded);
            match items.as_slice() {
                [only] => subject.equals(only.clone()),
                _ => Expression::OneOf(Box::new(subject), items),
            }
        })
    }

    /// The test that two values of the event are the same.
    fn same(&mut self, left: &Value, right: &Value, case: CaseRule) -> Test {
        let (Some(one), Some(other)) = (self.single(left), self.single(right)) else { return Test::constant(false) };
        match self.same_operands(one, other, case) {
            Some(test) => Test::of(test),
            None => Test::constant(false),
        }
    }

    /// The test that two values are present and the same; `None` where they cannot be compared, which is a reason.
    pub(super) fn same_operands(&mut self, one: Operand, other: Operand, case: CaseRule) -> Option<Expression> {
        if one.is_respelled || other.is_respelled {
            return self
                .unsupported("the index spells these values in its own way, so they are not compared with others");
        }
        if one.ty == other.ty && one.ty != Type::Text || one.ty.is_number() && other.ty.is_number() {
            return Some(one.expression.equals(other.expression));
        }
        if one.ty == Type::Ip || other.ty == Type::Ip {
            self.verdict.assume(ADDRESSES);
        }
        let folded = case != CaseRule::Exact;
        Some(lowered(as_text(one), folded).equals(lowered(as_text(other), folded)))
    }

    fn ordered(&mut self, left: &Value, order: Order, right: &Value) -> Test {
        let (Some(one), Some(other)) = (self.single(left), self.single(right)) else { return Test::constant(false) };
        match self.ordered_operands(one, order, other) {
            Some(test) => Test::of(test),
            None => Test::constant(false),
        }
    }

    /// The test that two numbers or times are present and in this order; `None` where they are neither, which is a reason.
    pub(super) fn ordered_operands(&mut self, one: Operand, order: Order, other: Operand) -> Option<Expression> {
        let comparable = one.ty.is_number() && other.ty.is_number() || one.ty == Type::Time && other.ty == Type::Time;
        if !comparable {
            return self.unsupported(format!(
                "the index keeps the two values as {} and {}, which ES|QL does not order as the detection does",
                one.ty, other.ty
            ));
        }
        Some(one.expression.binary(operator(order), other.expression))
    }

    fn text_tests(&mut self, value: &Value, tests: &[TextTest], case: CaseRule) -> Test {
        let folded = case != CaseRule::Exact;
        let mut patterns = Vec::new();
        for test in tests {
            if folded && matches!(test, TextTest::Matches(expression) if regex::folds_beyond_ascii(expression)) {
                let message = "classes of letters beyond ASCII are compared with their case";
                self.verdict.add(ReasonCode::UnicodeFolding, self.span, message);
            }
            match pattern(test, folded) {
                Ok(found) => patterns.extend(found),
                Err(message) => {
                    self.verdict.add(ReasonCode::UnsupportedRegex, self.span, message);
                }
            }
        }
        self.tested(value, |operand| {
            let subject = as_text(operand);
            let present = subject.clone().present();
            let passes = patterns.iter().map(|text| matches(subject.clone(), PatternKind::Regex, folded, text));
            Expression::all([present, Expression::any(passes)])
        })
    }

    /// The test that a time lies outside opening hours, by whole minutes at the offset.
    fn outside_hours(&mut self, time: &Value, hours: &OpeningHours) -> Test {
        let Some(time) = self.clock(time) else { return Test::constant(false) };
        let minutes = time.binary(Operator::Divide, Expression::number(MINUTE));
        let local = match hours.offset_minutes {
            0 => minutes,
            offset if offset > 0 => minutes.binary(Operator::Plus, Expression::number(offset)),
            offset => minutes.binary(Operator::Minus, Expression::number(offset.unsigned_abs())),
        };
        let minute = local.clone().binary(Operator::Remainder, Expression::number(DAY));
        let day = weekday(local.binary(Operator::Divide, Expression::number(DAY)));
        let days = hours.days.iter().map(|day| Expression::number(day.0)).collect();
        let start = minute.clone().binary(Operator::GreaterOrEqual, Expression::number(hours.start_minute));
        let end = minute.binary(Operator::Less, Expression::number(hours.end_minute));
        let open = if hours.end_minute <= hours.start_minute {
            Expression::any([start, end])
        } else {
            Expression::all([start, end])
        };
        let inside = Expression::all([Expression::OneOf(Box::new(day), days), open]);
        Test { yes: Expression::Not(Box::new(inside.clone())), no: inside }
    }
}

/// The operator of an order.
pub const fn operator(order: Order) -> Operator {
    match order {
        Order::Less => Operator::Less,
        Order::LessOrEqual => Operator::LessOrEqual,
        Order::Greater => Operator::Greater,
        Order::GreaterOrEqual => Operator::GreaterOrEqual,
    }
}

/// Patterns of which any matches the whole text where the test passes.
fn pattern(test: &TextTest, folded: bool) -> Result<Vec<String>, String> {
    match test {
        TextTest::Contains(text) => regex::around(text, true, true).map(|pattern| vec![pattern]),
        TextTest::StartsWith(text) => regex::around(text, false, true).map(|pattern| vec![pattern]),
        TextTest::EndsWith(text) => regex::around(text, true, false).map(|pattern| vec![pattern]),
        TextTest::Like(glob) if glob.parts.iter().all(|part| *part == GlobPart::Any) => Ok(vec![".*".to_owned()]),
        TextTest::Like(glob) => regex::glob(glob).map(|pattern| vec![pattern]),
        TextTest::Matches(expression) => regex::patterns(expression, folded),
    }
}

/// Whether EQL has no field to test for the value.
fn is_computed(value: &Value) -> bool {
    match value {
        Value::Call(call) => match call.as_ref() {
            Call::Concat(_)
            | Call::Split { .. }
            | Call::Extract { .. }
            | Call::Replace { .. }
            | Call::Choose(_)
            | Call::Hour(_)
            | Call::Weekday(_) => true,
            Call::Length(_)
            | Call::Lower(_)
            | Call::Upper(_)
            | Call::Coalesce(_)
            | Call::ToInt(_)
            | Call::ToFloat(_)
            | Call::Country(_)
            | Call::City(_)
            | Call::Asn(_)
            | Call::AsOrganisation(_) => call.arguments().into_iter().any(is_computed),
        },
        Value::Field(_)
        | Value::NameValue(_)
        | Value::Element(_)
        | Value::First(_)
        | Value::Time
        | Value::Literal(_) => false,
    }
}
