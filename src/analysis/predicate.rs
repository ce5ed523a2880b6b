//! Types expressions that stand for conditions.

use super::constants::{Items, mismatch};
use super::functions::CONDITIONS;
use super::parameters::Setting;
use super::paths::describe;
use super::scope::{Reference, Typer};
use crate::diagnostic::{Code, Diagnostic};
use crate::ir::{CaseRule, Glob, Literal, Network, Order, Predicate, Quantifier, TextTest, Value};
use crate::schema::Type;
use crate::source::{Span, Spanned};
use crate::syntax::ast::{Comparison, Constant, Expr, QuantifierWord, Word};

impl Typer<'_> {
    /// An expression as a condition.
    pub(super) fn predicate(&mut self, expression: &Spanned<Expr>) -> Option<Spanned<Predicate>> {
        let span = expression.span;
        let predicate = match &expression.node {
            Expr::Or(parts) => Predicate::Or(self.predicates(parts)?),
            Expr::And(parts) => Predicate::And(self.predicates(parts)?),
            Expr::Not(inner) => negated(self.predicate(inner)?),
            Expr::Compare { operator, left, right, cased } => self.compare(operator, left, right, *cased, span)?,
            Expr::Word { operator, negated: turned, left, right, cased } => {
                let test = Spanned::new(self.word(operator, left, right, *cased)?, span);
                if *turned { negated(test) } else { test.node }
            }
            Expr::In { negated: turned, left, right, cased } => {
                let test = Spanned::new(self.membership(left, right, *cased, span)?, span);
                if *turned { negated(test) } else { test.node }
            }
            Expr::Quantified { quantifier, list, variable, predicate, member }
                if quantifier.node != QuantifierWord::First =>
            {
                if let Some(first) = member.first() {
                    let message = "`any`, `all` and `none` are conditions and have no members";
                    let help = "`first(..)` picks an element, whose members can be named";
                    self.report(Diagnostic::new(Code::InvalidExpression, first.span, message).help(help));
                    return None;
                }
                let list = self.list(list)?;
                let scope = self.element_scope(&list, variable)?;
                let Some(inner) = predicate else {
                    let message = "`where` with a condition on the element is missing";
                    let help = format!("write `.. as {0} where {0}.member == ..`", variable.node);
                    self.report(Diagnostic::new(Code::InvalidExpression, variable.span, message).help(help));
                    return None;
                };
                self.elements.push(scope);
                let inner = self.predicate(inner);
                self.elements.pop();
                let quantifier = match quantifier.node {
                    QuantifierWord::All => Quantifier::All,
                    QuantifierWord::None => Quantifier::None,
                    QuantifierWord::Any | QuantifierWord::First => Quantifier::Any,
                };
                let variable = variable.node.clone();
                Predicate::Quantified { quantifier, list, variable, predicate: Box::new(inner?) }
            }
            Expr::Call { function, arguments } if CONDITIONS.iter().any(|(name, ..)| *name == function.node) => {
                self.condition(function, arguments, span)?
            }
            Expr::Literal(Constant::Bool(value)) => Predicate::Constant(*value),
            Expr::Reference(name) => match self.reference(name, span)? {
                Reference::Parameter(parameter) => match &parameter.value {
                    Setting::One(Literal::Bool(value)) => Predicate::Constant(*value),
                    _ => {
                        self.report(lonely(&format!("`${name}`"), span));
                        return None;
                    }
                },
                Reference::List(_) => {
                    self.report(lonely(&format!("`${name}`"), span));
                    return None;
                }
            },
            Expr::Path(_) | Expr::Call { .. } | Expr::Quantified { .. } | Expr::Literal(_) | Expr::List(_) => {
                let value = self.value(expression)?;
                if value.node.ty() != Type::Bool {
                    self.report(not_a_condition(&value.node, span));
                    return None;
                }
                Predicate::IsTrue(value.node)
            }
        };
        Some(Spanned::new(predicate, span))
    }

    /// All parts, mistakes in each of them reported.
    fn predicates(&mut self, parts: &[Spanned<Expr>]) -> Option<Vec<Spanned<Predicate>>> {
        let typed: Vec<Option<_>> = parts.iter().map(|part| self.predicate(part)).collect();
        typed.into_iter().collect()
    }

    fn compare(
        &mut self,
        operator: &Spanned<Comparison>,
        left: &Spanned<Expr>,
        right: &Spanned<Expr>,
        cased: bool,
        span: Span,
    ) -> Option<Predicate> {
        if let Some(diagnostic) = asks_for_nothing(operator.node, left, right) {
            self.report(diagnostic);
            return None;
        }
        let (one, other) = (self.value(left), self.value(right));
        let (mut one, mut other) = (one?, other?);
        let mut comparison = operator.node;
        if one.node.as_literal().is_some() {
            if other.node.as_literal().is_some() {
                let message = "both sides are constants";
                let help = "a field stands without quotes";
                self.report(Diagnostic::new(Code::TypeMismatch, span, message).help(help));
                return None;
            }
            std::mem::swap(&mut one, &mut other);
            comparison = mirrored(comparison);
        }
        let types = (self.single(&one.node, one.span), self.single(&other.node, other.span));
        let (ty, other_ty) = (types.0?, types.1?);
        let order = match comparison {
            Comparison::Equal | Comparison::NotEqual => None,
            Comparison::Less => Some(Order::Less),
            Comparison::LessOrEqual => Some(Order::LessOrEqual),
            Comparison::Greater => Some(Order::Greater),
            Comparison::GreaterOrEqual => Some(Order::GreaterOrEqual),
        };
        if let Some(order) = order {
            return self.ordered(operator, one, order, other, cased);
        }
        if cased && !ty.is_textual() {
            self.report(cased_beside(&one.node, &ty, operator.span));
            return None;
        }
        let equal = match other.node {
            Value::Literal(literal) => {
                let (literal, case) = self.fit(&one.node, literal, cased, other.span, &[])?;
                match literal {
                    Literal::Bool(true) => Predicate::IsTrue(one.node),
                    literal => Predicate::Equal { left: one.node, right: Value::Literal(literal), case },
                }
            }
            right => {
                let comparable = ty == other_ty
                    || (ty.is_textual() && other_ty.is_textual())
                    || (ty.is_number() && other_ty.is_number());
                if !comparable {
                    let message = format!("{} is {ty}, but {} is {other_ty}", describe(&one.node), describe(&right));
                    let diagnostic = Diagnostic::new(Code::TypeMismatch, span, message);
                    self.report(
                        if (ty.is_textual() && other_ty.is_number()) || (ty.is_number() && other_ty.is_textual()) {
                            diagnostic.help("write `int(field)` or `float(field)` for a number in a string")
                        } else {
                            diagnostic.help("only values of one type are compared")
                        },
                    );
                    return None;
                }
                let case = if ty.is_textual() && !cased { CaseRule::Ignore } else { CaseRule::Exact };
                Predicate::Equal { left: one.node, right, case }
            }
        };
        Some(if comparison == Comparison::NotEqual { negated(Spanned::new(equal, span)) } else { equal })
    }

    fn ordered(
        &mut self,
        operator: &Spanned<Comparison>,
        left: Spanned<Value>,
        order: Order,
        right: Spanned<Value>,
        cased: bool,
    ) -> Option<Predicate> {
        let (ty, other) = (left.node.ty(), right.node.ty());
        let symbol = operator.node.symbol();
        if cased {
            let message = format!("`cased` does not go with `{symbol}`");
            self.report(Diagnostic::new(Code::TypeMismatch, operator.span, message).help("remove `cased`"));
            return None;
        }
        let orderable = |ty: &Type| ty.is_number() || *ty == Type::Time;
        if !orderable(&ty) {
            let message = format!("`{symbol}` compares numbers and times, but {} is {ty}", describe(&left.node));
            let diagnostic = Diagnostic::new(Code::TypeMismatch, operator.span, message);
            self.report(match ty {
                Type::Text => diagnostic.help("write `int(field)` or `float(field)` for a number in a string"),
                Type::Bool => diagnostic.help("a bool field stands alone, or behind `not`"),
                _ => diagnostic,
            });
            return None;
        }
        if !((ty.is_number() && other.is_number()) || ty == other) {
            self.report(match &right.node {
                Value::Literal(literal) => mismatch(&left.node, literal, right.span),
                value => {
                    let message = format!("{} is {ty}, but {} is {other}", describe(&left.node), describe(value));
                    let diagnostic = Diagnostic::new(Code::TypeMismatch, right.span, message);
                    diagnostic.help("only values of one type are compared")
                }
            });
            return None;
        }
        Some(Predicate::Ordered { left: left.node, order, right: right.node })
    }

    fn word(
        &mut self,
        operator: &Spanned<Word>,
        left: &Spanned<Expr>,
        right: &Spanned<Expr>,
        cased: bool,
    ) -> Option<Predicate> {
        let word = operator.node;
        let value = self.value(left);
        let patterns = self.patterns(word, right);
        let (value, patterns) = (value?, patterns?);
        let ty = self.single(&value.node, value.span)?;
        if !ty.is_textual() {
            let message = format!("`{}` compares strings, but {} is {ty}", word.as_str(), describe(&value.node));
            let diagnostic = Diagnostic::new(Code::TypeMismatch, operator.span, message);
            self.report(match ty {
                Type::Bool => diagnostic.help("a bool field stands alone, or behind `not`"),
                Type::Time => diagnostic.help("a time compares with another time field; `hour(time)` gives a number"),
                _ => diagnostic.help("compare numbers by `==`, `<` and `>`"),
            });
            return None;
        }
        if patterns.is_empty() {
            return Some(Predicate::Constant(false));
        }
        let mut tests = Vec::new();
        let mut whole = true;
        for pattern in patterns {
            match self.test(word, pattern) {
                Some(test) => tests.push(test),
                None => whole = false,
            }
        }
        let case = if cased { CaseRule::Exact } else { CaseRule::Ignore };
        whole.then_some(Predicate::Text { value: value.node, tests, case })
    }

    /// The texts on the right of a word operator.
    fn patterns(&mut self, word: Word, right: &Spanned<Expr>) -> Option<Vec<Spanned<String>>> {
        let is_list = matches!(right.node, Expr::List(_)) || self.is_list_reference(&right.node);
        let literals = if is_list {
            let items = self.items(right)?;
            if !items.globs.is_empty() || !items.networks.is_empty() {
                let message = format!("the list behind `{}` has to hold whole texts (`match: exact`)", word.as_str());
                self.report(Diagnostic::new(Code::TypeMismatch, right.span, message).help("write `in`"));
                return None;
            }
            items.literals
        } else {
            let value = self.value(right)?;
            match value.node {
                Value::Literal(literal) => vec![Spanned::new(literal, value.span)],
                other => {
                    let message = format!(
                        "a text or a list of texts stands behind `{}`, not {}",
                        word.as_str(),
                        describe(&other)
                    );
                    let help = "two fields compare by `==` and `!=`";
                    self.report(Diagnostic::new(Code::TypeMismatch, value.span, message).help(help));
                    return None;
                }
            }
        };
        let mut texts = Vec::new();
        for literal in literals {
            match literal.node {
                Literal::Text(text) if !text.is_empty() => texts.push(Spanned::new(text, literal.span)),
                Literal::Text(_) => {
                    let diagnostic = Diagnostic::new(Code::EmptyString, literal.span, "the text is empty");
                    self.report(diagnostic.help("write `exists(field)` to ask whether there is any text"));
                    return None;
                }
                other => {
                    let message = format!("a text is wanted, not `{other}`");
                    self.report(Diagnostic::new(Code::TypeMismatch, literal.span, message).help("put it in quotes"));
                    return None;
                }
            }
        }
        Some(texts)
    }

    pub(super) fn is_list_reference(&self, expression: &Expr) -> bool {
        let Expr::Reference(name) = expression else { return false };
        let mut ignored = crate::diagnostic::Diagnostics::default();
        match self.environment.reference(name, Span::default(), &mut ignored) {
            Some(Reference::Parameter(parameter)) => matches!(parameter.value, Setting::Many(_)),
            Some(Reference::List(_)) => true,
            None => false,
        }
    }

    fn test(&mut self, word: Word, pattern: Spanned<String>) -> Option<TextTest> {
        Some(match word {
            Word::Contains => TextTest::Contains(pattern.node),
            Word::StartsWith => TextTest::StartsWith(pattern.node),
            Word::EndsWith => TextTest::EndsWith(pattern.node),
            Word::Like => TextTest::Like(Glob::parse(&pattern.node)),
            Word::Matches => TextTest::Matches(self.regex(&pattern.node, pattern.span)?),
        })
    }

    fn membership(
        &mut self,
        left: &Spanned<Expr>,
        right: &Spanned<Expr>,
        cased: bool,
        span: Span,
    ) -> Option<Predicate> {
        let value = self.value(left);
        let items = self.items(right);
        let (value, items) = (value?, items?);
        let ty = self.single(&value.node, value.span)?;
        if cased && !ty.is_textual() {
            self.report(cased_beside(&value.node, &ty, value.span));
            return None;
        }
        let Items { literals, globs, mut networks } = items;
        let mut plain = Vec::new();
        for literal in literals {
            // On an address a block is compared as a block; a single address is compared by its text.
            match &literal.node {
                Literal::Text(text) if ty == Type::Ip && text.contains('/') => match Network::parse(text) {
                    Some(network) => networks.push(network),
                    None => {
                        let message = format!("`{text}` is no block of addresses");
                        let help = "write `10.0.0.0/8` or `2001:db8::/32`";
                        self.report(Diagnostic::new(Code::WrongArgument, literal.span, message).help(help));
                        return None;
                    }
                },
                _ => plain.push(literal),
            }
        }
        if !networks.is_empty() && ty != Type::Ip {
            let message = format!("the list holds blocks of addresses, but {} is {ty}", describe(&value.node));
            let help = format!("`detc schema show {}` lists the fields of type `ip`", self.source.name);
            self.report(Diagnostic::new(Code::TypeMismatch, right.span, message).help(help));
            return None;
        }
        if !globs.is_empty() && !ty.is_textual() {
            let message = format!("the list holds globs, but {} is {ty}", describe(&value.node));
            let help = "compare a field of type `string`";
            self.report(Diagnostic::new(Code::TypeMismatch, right.span, message).help(help));
            return None;
        }
        let mut tests = Vec::new();
        if !plain.is_empty() {
            let (items, case) = self.fit_all(&value.node, plain, cased)?;
            tests.push(Predicate::In { value: value.node.clone(), items, case });
        }
        if !globs.is_empty() {
            let case = if cased { CaseRule::Exact } else { CaseRule::Ignore };
            let globs = globs.into_iter().map(TextTest::Like).collect();
            tests.push(Predicate::Text { value: value.node.clone(), tests: globs, case });
        }
        if !networks.is_empty() {
            tests.push(Predicate::InNetwork { value: value.node, networks });
        }
        match tests.len() {
            0 => Some(Predicate::Constant(false)),
            1 => tests.pop(),
            _ => Some(Predicate::Or(tests.into_iter().map(|test| Spanned::new(test, span)).collect())),
        }
    }
}

/// The opposite of a condition; two negations cancel out.
fn negated(inner: Spanned<Predicate>) -> Predicate {
    match inner.node {
        Predicate::Not(body) => body.node,
        Predicate::Constant(value) => Predicate::Constant(!value),
        node => Predicate::Not(Box::new(Spanned::new(node, inner.span))),
    }
}

const fn mirrored(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Less => Comparison::Greater,
        Comparison::LessOrEqual => Comparison::GreaterOrEqual,
        Comparison::Greater => Comparison::Less,
        Comparison::GreaterOrEqual => Comparison::LessOrEqual,
        Comparison::Equal => Comparison::Equal,
        Comparison::NotEqual => Comparison::NotEqual,
    }
}

/// A value that stands alone.
fn not_a_condition(value: &Value, span: Span) -> Diagnostic {
    let (name, ty) = (describe(value), value.ty());
    let message = format!("{name} is {ty}, not a condition");
    let diagnostic = Diagnostic::new(Code::NotAPredicate, span, message);
    match value {
        Value::Literal(_) => lonely(&name, span),
        Value::Field(_) | Value::Element(_) | Value::NameValue(_) => {
            diagnostic.help("compare it with a value, or write `exists(field)`")
        }
        Value::First(_) | Value::Time | Value::Call(_) => diagnostic.help("compare it with a value"),
    }
}

/// A constant that stands alone, as in `x == "a" or "b"`.
fn lonely(what: &str, span: Span) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::NotAPredicate, span, format!("{what} is no condition"));
    diagnostic.help("repeat the field and the operator, or put several values into a list: `x in [\"a\", \"b\"]`")
}

/// `cased` beside something that has no case.
fn cased_beside(value: &Value, ty: &Type, span: Span) -> Diagnostic {
    let message = format!("`cased` compares strings, but {} is {ty}", describe(value));
    Diagnostic::new(Code::TypeMismatch, span, message).help("remove `cased`")
}

/// `field == null` and `field != null`, with the words of the language for it.
fn asks_for_nothing(operator: Comparison, left: &Spanned<Expr>, right: &Spanned<Expr>) -> Option<Diagnostic> {
    let (Expr::Path(field), Expr::Path(nothing)) = (&left.node, &right.node) else { return None };
    let name = super::paths::names(&nothing.segments).to_string();
    let help = match operator {
        Comparison::Equal => format!("write `not exists({})`", super::paths::names(&field.segments)),
        Comparison::NotEqual => format!("write `exists({})`", super::paths::names(&field.segments)),
        Comparison::Less | Comparison::LessOrEqual | Comparison::Greater | Comparison::GreaterOrEqual => return None,
    };
    super::paths::is_nothing(&name)
        .then(|| Diagnostic::new(Code::InvalidExpression, right.span, format!("`{name}` is no value")).help(help))
}
