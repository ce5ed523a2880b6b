//! Lowers comparisons with constants: equality, membership, order and networks.

use std::net::IpAddr;

use super::text::is_plain;
use super::value::{Choice, Source};
use super::{Bound, Lowering, Purpose, Test};
use crate::backend::ReasonCode;
use crate::backend::elastic::eql::ast::{Comparison, Expression, Field, Function, Operand, Scalar};
use crate::backend::elastic::eql::regex;
use crate::ir::{AddressSet, CaseRule, Decimal, Literal, Network, Order, Value};
use crate::schema::{Case, Type};

/// A constant as the index spells it.
enum Spelling {
    /// This.
    Scalar(Scalar),
    /// No value of the index can equal it.
    Never,
    /// The index cannot hold it although the source can.
    Lost,
}

impl Lowering<'_> {
    /// The test that a value equals one of the constants.
    pub(super) fn equals_one_of(&mut self, value: &Value, items: &[Literal], case: CaseRule) -> Test {
        self.over(value, |lowering, choice| lowering.choice_equals(choice, items, case))
    }

    fn choice_equals(&mut self, choice: &Choice, items: &[Literal], case: CaseRule) -> Test {
        match &choice.source {
            Source::Field(bound) => match (choice.letters, case) {
                (Some(letters), CaseRule::Exact) => {
                    let fits = |item: &&Literal| matches!(item, Literal::Text(text) if letters.fits(text));
                    let fitting: Vec<Literal> = items.iter().filter(fits).cloned().collect();
                    self.field_equals(bound, &fitting, CaseRule::Ignore)
                }
                (Some(_), CaseRule::Ignore | CaseRule::Canonical) => self.field_equals(bound, items, CaseRule::Ignore),
                (None, case) => self.field_equals(bound, items, case),
            },
            Source::Length(bound) => {
                let tests: Vec<Test> = items.iter().map(|item| length_is(bound, Comparison::Equal, item)).collect();
                Test::any(tests)
            }
            Source::Literal(literal) => {
                let same = |item: &Literal| match (item, literal) {
                    (Literal::Text(one), Literal::Text(other)) if case != CaseRule::Exact => {
                        one.to_lowercase() == other.to_lowercase()
                    }
                    (one, other) => one == other,
                };
                if items.iter().any(same) { Test::ALWAYS } else { Test::NEVER }
            }
        }
    }

    /// The test that a field equals one of the constants.
    pub(super) fn field_equals(&mut self, bound: &Bound, items: &[Literal], case: CaseRule) -> Test {
        let folded = bound.declared.is_textual() && self.folds(bound, case);
        let mut scalars = Vec::new();
        for item in items {
            match spell(bound, item, folded) {
                Spelling::Scalar(scalar) => scalars.push(scalar),
                Spelling::Never => {}
                Spelling::Lost => {
                    let message = format!(
                        "`{}` has the type {} in the index, which cannot hold `{item}`",
                        bound.name, bound.stored
                    );
                    self.reason(ReasonCode::UnsupportedLiteral, message);
                }
            }
        }
        let field = &bound.field;
        let expression = match &bound.stored {
            Type::Bool => Expression::any(scalars.into_iter().map(|scalar| equal(field, scalar))),
            Type::Int | Type::Float => one_of(field, false, scalars),
            Type::Ip => addresses(field, &scalars),
            Type::Text => {
                if folded && self.purpose == Purpose::Eql {
                    self.verdict.assume(super::ASCII_FOLDING);
                    if items.iter().any(folds_beyond_ascii) {
                        self.folds_ascii_only();
                    }
                }
                one_of(field, folded, scalars)
            }
            Type::Time | Type::Duration | Type::List(_) | Type::Object => {
                return self.unsupported(format!(
                    "`{}` has the type {} in the index, which {language} compares with no constant",
                    bound.name,
                    bound.stored,
                    language = self.language()
                ));
            }
        };
        Test::guarded(expression, field)
    }

    /// Whether a comparison has to ignore case in the index.
    fn folds(&mut self, bound: &Bound, case: CaseRule) -> bool {
        let kept = bound.column.case != Some(Case::Any);
        match case {
            CaseRule::Ignore => true,
            CaseRule::Canonical if kept => {
                self.verdict.assume(super::CANONICAL);
                false
            }
            CaseRule::Canonical => true,
            CaseRule::Exact => {
                if !kept && bound.case == Case::Canonical {
                    let message = format!("`{}`: the index does not keep the case of values", bound.name);
                    self.reason(ReasonCode::FieldLossy, message);
                }
                false
            }
        }
    }

    /// The test that two values stand in this order.
    pub(super) fn ordered(&mut self, left: &Value, order: Order, right: &Value) -> Test {
        if let Some(literal) = right.as_literal() {
            return self.over(left, |lowering, choice| lowering.choice_ordered(choice, order, literal));
        }
        let Some(literal) = left.as_literal() else { return self.no_comparison_of_fields() };
        let turned = match order {
            Order::Less => Order::Greater,
            Order::LessOrEqual => Order::GreaterOrEqual,
            Order::Greater => Order::Less,
            Order::GreaterOrEqual => Order::LessOrEqual,
        };
        self.over(right, |lowering, choice| lowering.choice_ordered(choice, turned, literal))
    }

    fn choice_ordered(&mut self, choice: &Choice, order: Order, literal: &Literal) -> Test {
        match &choice.source {
            Source::Field(bound) if bound.stored.is_number() => {
                let Some(number) = number(literal) else { return Test::NEVER };
                if bound.is_mixed && self.negated {
                    // The engine turns the negation into the opposite order, which any other value satisfies.
                    return self.unsupported(format!(
                        "{language} cannot ask that no number of `{}` lies in a range; use another target",
                        bound.name,
                        language = self.language()
                    ));
                }
                let operand = || Operand::Field(bound.field.clone());
                let yes = Expression::Compare(operand(), comparison(order), number.clone());
                let no = Expression::any([
                    Expression::is_null(&bound.field),
                    Expression::Compare(operand(), comparison(order.opposite()), number),
                ]);
                Test { yes, no }
            }
            Source::Field(bound) => self.unsupported(format!(
                "`{}` has the type {} in the index, which {language} does not order as numbers; compare with `==` or `in`",
                bound.name,
                bound.stored,
                language = self.language()
            )),
            Source::Length(bound) => length_is(bound, comparison(order), literal),
            Source::Literal(_) => self.unsupported(format!("{} compares fields with constants only", self.language())),
        }
    }

    /// The test that an address lies in one of the blocks.
    pub(super) fn in_network(&mut self, value: &Value, networks: &[Network]) -> Test {
        self.over(value, |lowering, choice| match lowering.address_field(choice) {
            Some(field) => Test::guarded(in_blocks(&field, networks), &field),
            None => Test::NEVER,
        })
    }

    /// The test that an address is of a named set.
    pub(super) fn is_address(&mut self, value: &Value, set: AddressSet) -> Test {
        let private = AddressSet::private_networks();
        self.over(value, |lowering, choice| {
            let Some(field) = lowering.address_field(choice) else { return Test::NEVER };
            let inside = in_blocks(&field, &private);
            match set {
                AddressSet::Private => Test::guarded(inside, &field),
                AddressSet::Public => Test {
                    yes: Expression::all([Expression::is_not_null(&field), inside.clone().opposite()]),
                    no: Expression::any([Expression::is_null(&field), inside]),
                },
            }
        })
    }

    /// The field of type `ip` for a value; a reason where there is none.
    fn address_field(&mut self, choice: &Choice) -> Option<Field> {
        let Source::Field(bound) = &choice.source else {
            self.unsupported(format!("{} looks for networks in fields only", self.language()));
            return None;
        };
        self.verdict.assume(super::ADDRESSES);
        if bound.stored == Type::Ip {
            return Some(bound.field.clone());
        }
        if let Some(field) = self.options.address_beside(&bound.field, self.verdict) {
            return Some(field);
        }
        let name = bound.field.path.join(".");
        self.unsupported(format!(
            "`{}` is `{name}` in the index, which is no field of type `ip`, so {language} cannot look for networks in it; name the \
             field of type `ip` beside it in the target's option `network_fields`",
            bound.name,
            language = self.language()
        ));
        None
    }
}

/// The index's spelling of a constant.
fn spell(bound: &Bound, item: &Literal, folded: bool) -> Spelling {
    let text = item.to_string();
    let known = bound.column.spelling(&text);
    let respelled = match known {
        Some(_) if !folded && !bound.column.literals.contains_key(&text) && !matches!(item, Literal::Bool(_)) => {
            return Spelling::Never;
        }
        Some(serde_json::Value::String(text)) => Some(Literal::Text(text.clone())),
        Some(serde_json::Value::Bool(value)) => Some(Literal::Bool(*value)),
        Some(serde_json::Value::Number(number)) => match number.as_i64() {
            Some(number) => Some(Literal::Int(number)),
            None => Decimal::parse(&number.to_string()).map(Literal::Float),
        },
        Some(serde_json::Value::Null | serde_json::Value::Array(_) | serde_json::Value::Object(_)) | None => None,
    };
    let item = respelled.as_ref().unwrap_or(item);
    let scalar = match &bound.stored {
        Type::Text => Some(Scalar::Text(item.to_string())),
        Type::Bool => match item.to_string().as_str() {
            "true" => Some(Scalar::Bool(true)),
            "false" => Some(Scalar::Bool(false)),
            _ => None,
        },
        Type::Int | Type::Float => number(item),
        Type::Ip => item.to_string().parse::<IpAddr>().ok().map(|address| Scalar::Text(address.to_string())),
        Type::Time | Type::Duration | Type::List(_) | Type::Object => return Spelling::Never,
    };
    scalar.map_or(Spelling::Lost, Spelling::Scalar)
}

/// The number that a constant is or spells in its shortest form.
fn number(item: &Literal) -> Option<Scalar> {
    let text = item.to_string();
    let is_number = match item {
        Literal::Int(_) | Literal::Float(_) => true,
        Literal::Text(text) => {
            text.parse::<i64>().is_ok_and(|number| number.to_string() == *text)
                || Decimal::parse(text).is_some_and(|number| number.as_str() == text)
        }
        Literal::Bool(_) => false,
    };
    is_number.then_some(Scalar::Number(text))
}

fn equal(field: &Field, scalar: Scalar) -> Expression {
    Expression::Compare(Operand::Field(field.clone()), Comparison::Equal, scalar)
}

fn one_of(field: &Field, folded: bool, mut items: Vec<Scalar>) -> Expression {
    let folds_pattern = |item: &Scalar| matches!(item, Scalar::Text(text) if folded && !is_plain(text));
    match items.len() {
        0 => Expression::Constant(false),
        // `:` takes `*` and `?` for wildcards, `in~` does not.
        1 if !items.iter().any(folds_pattern) => {
            let comparison = if folded { Comparison::Folded } else { Comparison::Equal };
            let item = items.pop().unwrap_or(Scalar::Null);
            Expression::Compare(Operand::Field(field.clone()), comparison, item)
        }
        _ => Expression::OneOf { field: field.clone(), folded, items },
    }
}

/// Equality of addresses; several are blocks of one address, since `in` takes no fields of type `ip`.
fn addresses(field: &Field, items: &[Scalar]) -> Expression {
    match items {
        [] => Expression::Constant(false),
        [only] => equal(field, only.clone()),
        several => {
            let blocks = several.iter().filter_map(|item| match item {
                Scalar::Text(text) => Network::parse(text),
                Scalar::Null | Scalar::Number(_) | Scalar::Bool(_) => None,
            });
            in_blocks(field, &blocks.collect::<Vec<_>>())
        }
    }
}

fn in_blocks(field: &Field, networks: &[Network]) -> Expression {
    let arguments = networks.iter().map(ToString::to_string).collect();
    Expression::Function { function: Function::CidrMatch, field: field.clone(), arguments }
}

const fn comparison(order: Order) -> Comparison {
    match order {
        Order::Less => Comparison::Less,
        Order::LessOrEqual => Comparison::LessOrEqual,
        Order::Greater => Comparison::Greater,
        Order::GreaterOrEqual => Comparison::GreaterOrEqual,
    }
}

/// The test of a text's length, which a missing text does not have.
fn length_is(bound: &Bound, comparison: Comparison, literal: &Literal) -> Test {
    let Some(number) = number(literal) else { return Test::NEVER };
    let expression = Expression::Compare(Operand::Length(bound.field.clone()), comparison, number);
    Test::guarded_against_empty(expression, &bound.field)
}

fn folds_beyond_ascii(item: &Literal) -> bool {
    matches!(item, Literal::Text(text) if text.chars().any(regex::is_cased_beyond_ascii))
}
