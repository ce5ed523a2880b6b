//! Types expressions that stand for values.

use super::parameters::Setting;
use super::paths::describe;
use super::scope::{ElementScope, Reference, Typer};
use crate::diagnostic::{Code, Diagnostic};
use crate::ir::{Decimal, First, Literal, Predicate, Value};
use crate::schema::{FieldPath, Type};
use crate::source::{Span, Spanned};
use crate::syntax::ast::{Constant, Expr, Path, QuantifierWord};

impl<'a> Typer<'a> {
    /// An expression as a value.
    pub(super) fn value(&mut self, expression: &Spanned<Expr>) -> Option<Spanned<Value>> {
        let span = expression.span;
        let value = match &expression.node {
            Expr::Path(path) => self.path(&Spanned::new(path.clone(), span))?,
            Expr::Literal(constant) => Value::Literal(self.constant(constant, span)?),
            Expr::Reference(name) => match self.reference(name, span)? {
                Reference::Parameter(parameter) => match &parameter.value {
                    Setting::One(literal) => Value::Literal(literal.clone()),
                    Setting::Duration(_) => {
                        self.report(duration_here(span));
                        return None;
                    }
                    Setting::Many(_) => {
                        self.report(list_here(name, span));
                        return None;
                    }
                },
                Reference::List(_) => {
                    self.report(list_here(name, span));
                    return None;
                }
            },
            Expr::Call { function, arguments } => self.call(function, arguments, span)?,
            Expr::Quantified { quantifier, list, variable, predicate, member }
                if quantifier.node == QuantifierWord::First =>
            {
                self.first(list, variable, predicate.as_deref(), member, span)?
            }
            Expr::List(_) => {
                let message = "a list stands only behind `in` and the word operators";
                self.report(Diagnostic::new(Code::TypeMismatch, span, message).help("write `in [..]`"));
                return None;
            }
            Expr::Or(_)
            | Expr::And(_)
            | Expr::Not(_)
            | Expr::Compare { .. }
            | Expr::Word { .. }
            | Expr::In { .. }
            | Expr::Quantified { .. } => {
                let message = "a condition stands where a value is wanted";
                let help = "compare two values; a condition stands in `where`, joined to others by `and` or `or`";
                self.report(Diagnostic::new(Code::TypeMismatch, span, message).help(help));
                return None;
            }
        };
        Some(Spanned::new(value, span))
    }

    /// A constant; a duration is none in an expression.
    pub(super) fn constant(&mut self, constant: &Constant, span: Span) -> Option<Literal> {
        match constant {
            Constant::Text(text) => Some(Literal::Text(text.clone())),
            Constant::Int(number) => Some(Literal::Int(*number)),
            Constant::Decimal(text) => Decimal::parse(text).map(Literal::Float),
            Constant::Bool(value) => Some(Literal::Bool(*value)),
            Constant::Duration(_) => {
                self.report(duration_here(span));
                None
            }
        }
    }

    fn first(
        &mut self,
        list: &Spanned<Path>,
        variable: &Spanned<String>,
        predicate: Option<&Spanned<Expr>>,
        member: &[Spanned<String>],
        span: Span,
    ) -> Option<Value> {
        let list = self.list(list)?;
        let scope = self.element_scope(&list, variable)?;
        let member = FieldPath::new(member.iter().map(|segment| segment.node.clone()).collect());
        self.elements.push(scope.clone());
        let typed = predicate
            .map_or_else(|| Some(Spanned::new(Predicate::Constant(true), span)), |predicate| self.predicate(predicate));
        let mut segments = vec![crate::syntax::ast::Segment { name: variable.clone(), key: None }];
        segments.extend(
            member
                .segments()
                .iter()
                .map(|name| crate::syntax::ast::Segment { name: Spanned::new(name.clone(), span), key: None }),
        );
        let value = self.path(&Spanned::new(Path { segments }, span));
        self.elements.pop();
        let ty = value?.ty();
        Some(Value::First(Box::new(First { list, variable: variable.node.clone(), predicate: typed?, member, ty })))
    }

    /// A path that has to lead to a list.
    pub(super) fn list(&mut self, path: &Spanned<Path>) -> Option<Value> {
        let value = self.path(path)?;
        let is_reference = matches!(value, Value::Field(_) | Value::Element(_));
        if matches!(value.ty(), Type::List(_)) && is_reference {
            return Some(value);
        }
        let message = format!("{} is no list but {}", describe(&value), value.ty());
        self.report(Diagnostic::new(Code::TypeMismatch, path.span, message).help("compare it directly"));
        None
    }

    /// The scope that a quantifier opens for an element of a list.
    pub(super) fn element_scope(&mut self, list: &Value, variable: &Spanned<String>) -> Option<ElementScope<'a>> {
        let path = match list {
            Value::Field(field) => field.path.clone(),
            Value::Element(element) => element.as_list(),
            Value::First(_) | Value::NameValue(_) | Value::Time | Value::Literal(_) | Value::Call(_) => return None,
        };
        let field = self.described(list)?;
        let Type::List(item) = &field.ty else { return None };
        let taken = self.elements.iter().any(|scope| scope.name == variable.node)
            || self.columns.iter().any(|(name, _)| *name == variable.node)
            || self.source.root.named.contains_key(&variable.node);
        if taken {
            let message = format!("the name `{}` hides another", variable.node);
            self.report(Diagnostic::new(Code::HiddenName, variable.span, message).help("choose another name"));
        }
        let ty = (**item).clone();
        Some(ElementScope { name: variable.node.clone(), list: path, ty, field, members: &field.members })
    }
}

fn duration_here(span: Span) -> Diagnostic {
    let message = "a duration stands only in clauses such as `within`";
    Diagnostic::new(Code::TypeMismatch, span, message).help("a number is written without a unit")
}

fn list_here(name: &str, span: Span) -> Diagnostic {
    let message = format!("`${name}` is a list, not a single value");
    Diagnostic::new(Code::TypeMismatch, span, message).help(format!("write `in ${name}`"))
}
