//! Constants beside fields: their types, their known values, their casing.

use super::lists::ListEntries;
use super::parameters::Setting;
use super::scope::{Reference, Typer};
use crate::diagnostic::{Code, Diagnostic};
use crate::ir::{CaseRule, Glob, Literal, Network, Value};
use crate::schema::{Case, Type, nearest};
use crate::source::{Span, Spanned};
use crate::syntax::ast::Expr;

/// What stands behind `in`, sorted by how it is compared.
#[derive(Debug, Default)]
pub(super) struct Items {
    /// Whole values with their places.
    pub(super) literals: Vec<Spanned<Literal>>,
    /// Globs.
    pub(super) globs: Vec<Glob>,
    /// Blocks of addresses.
    pub(super) networks: Vec<Network>,
}

impl Typer<'_> {
    /// Checks a constant against the value that it is compared with, and puts it into the known casing.
    ///
    /// `beside` holds the texts of the same list. Gives the constant and how it may be compared.
    pub(super) fn fit(
        &mut self,
        value: &Value,
        literal: Literal,
        cased: bool,
        span: Span,
        beside: &[&str],
    ) -> Option<(Literal, CaseRule)> {
        let ty = value.ty();
        let fits = match (&literal, &ty) {
            (Literal::Text(_), ty) => ty.is_textual(),
            (Literal::Int(_) | Literal::Float(_), ty) => ty.is_number(),
            (Literal::Bool(_), ty) => *ty == Type::Bool,
        };
        if !fits {
            self.report(mismatch(value, &literal, span));
            return None;
        }
        let Literal::Text(text) = &literal else { return Some((literal, CaseRule::Exact)) };
        if text.is_empty() {
            let diagnostic = Diagnostic::new(Code::EmptyString, span, "the empty text counts as missing");
            self.report(diagnostic.help("write `exists(field)` or `not exists(field)`"));
            return None;
        }
        if ty == Type::Ip && text.contains('/') && Network::parse(text).is_some() {
            let message = format!("`{text}` is a block of addresses, and `==` compares texts");
            self.report(Diagnostic::new(Code::WrongArgument, span, message).help(format!("write `in [\"{text}\"]`")));
            return None;
        }
        if cased {
            return Some((literal, CaseRule::Exact));
        }
        let Some(field) = self.described(value) else { return Some((literal, CaseRule::Ignore)) };
        let name = super::paths::describe(value);
        if let Some(meant) = field.values.meant(text) {
            let message = format!("`{text}` is no value that {name} ever has");
            self.report(Diagnostic::new(Code::UnknownValue, span, message).help(format!("`{meant}` is meant")));
            return None;
        }
        if let Some(usual) = field.values.mistaken.get(text).filter(|usual| !beside.contains(&usual.as_str())) {
            let message = format!("`{text}` is a value of {name}, but seldom the one that is meant");
            let diagnostic =
                Diagnostic::new(Code::MistakenValue, span, message).help(format!("`{usual}` is the usual one"));
            self.report(
                diagnostic.help(format!("name both in a list, or write `== cased \"{text}\"` to mean just this one")),
            );
            return None;
        }
        if let Some(known) = field.values.canonical(text) {
            return Some(match field.case {
                Case::Canonical if !field.values.has_twins(text) => {
                    (Literal::Text(known.to_owned()), CaseRule::Canonical)
                }
                Case::Canonical | Case::Any => (literal, CaseRule::Ignore),
            });
        }
        if !field.values.values.is_empty() {
            let near = nearest(text, field.values.values.iter().map(String::as_str));
            let help = near.map(|near| format!("the nearest known value is `{near}`"));
            if field.values.complete {
                let message = format!("`{text}` is no value of {name}");
                let diagnostic = Diagnostic::new(Code::UnknownValue, span, message);
                let all = || {
                    let values: Vec<_> =
                        field.values.values.iter().take(12).map(|value| format!("`{value}`")).collect();
                    format!("the values are {}", values.join(", "))
                };
                self.report(diagnostic.help(help.unwrap_or_else(all)));
                return None;
            }
            let typo = near.is_some_and(|near| {
                strsim::osa_distance(&near.to_lowercase(), &text.to_lowercase()) == 1 && text.chars().count() > 4
            });
            if let Some(help) = help.filter(|_| typo) {
                let message = format!("`{text}` is no known value of {name}");
                self.report(Diagnostic::new(Code::NearlyKnownValue, span, message).help(help));
            }
        }
        Some((literal, CaseRule::Ignore))
    }

    /// Constants on one value share one rule: the loosest.
    pub(super) fn fit_all(
        &mut self,
        value: &Value,
        literals: Vec<Spanned<Literal>>,
        cased: bool,
    ) -> Option<(Vec<Literal>, CaseRule)> {
        let mut fitted = Vec::new();
        let mut rule = CaseRule::Exact;
        let mut whole = true;
        let texts: Vec<String> = literals.iter().map(|literal| literal.node.to_string()).collect();
        let beside: Vec<&str> = texts.iter().map(String::as_str).collect();
        for literal in literals {
            match self.fit(value, literal.node, cased, literal.span, &beside) {
                Some((literal, case)) => {
                    rule = match (rule, case) {
                        (CaseRule::Ignore, _) | (_, CaseRule::Ignore) => CaseRule::Ignore,
                        (CaseRule::Canonical, _) | (_, CaseRule::Canonical) => CaseRule::Canonical,
                        (CaseRule::Exact, CaseRule::Exact) => CaseRule::Exact,
                    };
                    if !fitted.contains(&literal) {
                        fitted.push(literal);
                    }
                }
                None => whole = false,
            }
        }
        whole.then_some((fitted, rule))
    }

    /// What stands behind `in`: a list in brackets, a parameter or a shared list.
    pub(super) fn items(&mut self, expression: &Spanned<Expr>) -> Option<Items> {
        let span = expression.span;
        match &expression.node {
            Expr::List(entries) => {
                let mut literals = Vec::new();
                let mut whole = true;
                for entry in entries {
                    match self.value(entry) {
                        Some(Spanned { node: Value::Literal(literal), .. }) => {
                            literals.push(Spanned::new(literal, entry.span));
                        }
                        Some(_) | None => whole = false,
                    }
                }
                if entries.is_empty() {
                    let diagnostic = Diagnostic::new(Code::WrongArgument, span, "the list is empty");
                    self.report(diagnostic.help("write at least one value"));
                    return None;
                }
                whole.then(|| Items { literals, ..Items::default() })
            }
            Expr::Reference(name) => match self.reference(name, span)? {
                Reference::Parameter(parameter) => match &parameter.value {
                    Setting::Many(items) => {
                        let literals = items.iter().map(|item| Spanned::new(item.clone(), span)).collect();
                        Some(Items { literals, ..Items::default() })
                    }
                    Setting::One(_) | Setting::Duration(_) => {
                        let message = format!("`${name}` is a single value, not a list");
                        self.report(
                            Diagnostic::new(Code::TypeMismatch, span, message).help(format!("write `== ${name}`")),
                        );
                        None
                    }
                },
                Reference::List(list) => Some(match &list.entries {
                    ListEntries::Exact(entries) => Items {
                        literals: entries.iter().map(|entry| Spanned::new(entry.clone(), span)).collect(),
                        ..Items::default()
                    },
                    ListEntries::Globs(globs) => Items { globs: globs.clone(), ..Items::default() },
                    ListEntries::Networks(networks) => Items { networks: networks.clone(), ..Items::default() },
                }),
            },
            Expr::Literal(_) => {
                let message = "a list stands behind `in`";
                self.report(
                    Diagnostic::new(Code::TypeMismatch, span, message)
                        .help("put the value into brackets, or write `==`"),
                );
                None
            }
            _ => {
                let message = "a list stands behind `in`";
                let help =
                    "write `[a, b]`, a `$parameter` or a `$list`; a list of the event takes `any(list as x where ..)`";
                self.report(Diagnostic::new(Code::TypeMismatch, span, message).help(help));
                None
            }
        }
    }
}

/// A constant of another type than the value beside it.
pub(super) fn mismatch(value: &Value, literal: &Literal, span: Span) -> Diagnostic {
    let (name, ty) = (super::paths::describe(value), value.ty());
    let message = format!("{name} is {ty}, but `{literal}` is {}", literal.ty());
    let diagnostic = Diagnostic::new(Code::TypeMismatch, span, message);
    match (literal, &ty) {
        (Literal::Int(_) | Literal::Float(_), Type::Text | Type::Ip) => {
            diagnostic.help("quote the number, or write `int(field)` to compare by number")
        }
        (Literal::Bool(_), Type::Text | Type::Ip) => diagnostic.help(format!("write \"{literal}\"")),
        (Literal::Text(text), Type::Int | Type::Float) if text.parse::<f64>().is_ok() => {
            diagnostic.help(format!("write {text} without quotes; a parameter needs `type: int` or `type: float`"))
        }
        (Literal::Text(_), Type::Int | Type::Float) => diagnostic.help("compare it with a number"),
        (Literal::Text(text), Type::Bool) if matches!(text.as_str(), "true" | "false") => {
            diagnostic.help(format!("write {text} without quotes"))
        }
        (_, Type::Bool) => diagnostic.help(format!("write {name}, or `not` before it")),
        (_, Type::Time) => diagnostic.help("a time compares with another time field; `hour(time)` gives a number"),
        _ => diagnostic,
    }
}
