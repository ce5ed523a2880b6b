//! Conditions between the steps of a sequence.

use super::behavior::{Resolver, typer_of};
use crate::diagnostic::{Code, Diagnostic};
use crate::ir::{CaseRule, Order, Relation, RelationKind, Step, StepCondition, StepValue};
use crate::schema::{Type, nearest};
use crate::source::{Span, Spanned};
use crate::syntax::ast::{Comparison, Expr, Path};

/// Conditions that all have to hold.
#[derive(Default)]
pub(super) struct Conditions {
    /// Plain `==` and `!=` between two steps.
    pub(super) relations: Vec<Relation>,
    /// Anything else.
    pub(super) others: Vec<Spanned<StepCondition>>,
}

/// The steps that a condition may name.
pub(super) struct StepScope<'a, 'b> {
    /// The positive steps.
    pub(super) steps: &'a [Step],
    /// Names of the absent signals.
    pub(super) absent: &'a [&'a str],
    /// The resolver, which knows the signals.
    pub(super) resolver: &'a mut Resolver<'b>,
}

/// Resolves `a.x != b.x and (a.y == b.y or a.z < b.z)`.
pub(super) fn resolve(condition: &Spanned<Expr>, mut scope: StepScope<'_, '_>) -> Option<Conditions> {
    let parts = match &condition.node {
        Expr::And(parts) => parts.as_slice(),
        _ => std::slice::from_ref(condition),
    };
    let mut found = Conditions::default();
    let mut whole = true;
    for part in parts {
        match scope.condition(part) {
            Some(Spanned { node: StepCondition::Equality(relation), .. }) => found.relations.push(relation),
            Some(other) => found.others.push(other),
            None => whole = false,
        }
    }
    whole.then_some(found)
}

impl StepScope<'_, '_> {
    fn report(&mut self, diagnostic: Diagnostic) {
        self.resolver.report(diagnostic);
    }

    fn unsupported(&mut self, span: Span, help: &str) {
        let message = "a condition behind a sequence compares fields of two steps";
        self.report(Diagnostic::new(Code::UnsupportedStepCondition, span, message).help(help));
    }

    fn condition(&mut self, part: &Spanned<Expr>) -> Option<Spanned<StepCondition>> {
        let condition = match &part.node {
            Expr::And(parts) => StepCondition::And(self.all(parts)?),
            Expr::Or(parts) => StepCondition::Or(self.all(parts)?),
            Expr::Not(inner) => match self.condition(inner)?.node {
                // `not ==` is `!=`, and the other way round.
                StepCondition::Equality(relation) => {
                    let kind = match relation.kind {
                        RelationKind::Same => RelationKind::Different,
                        RelationKind::Different => RelationKind::Same,
                    };
                    StepCondition::Equality(Relation { kind, ..relation })
                }
                node => StepCondition::Not(Box::new(Spanned::new(node, inner.span))),
            },
            Expr::Compare { operator, left, right, cased } => {
                self.comparison(part.span, operator.node, left, right, *cased)?
            }
            Expr::Word { .. }
            | Expr::In { .. }
            | Expr::Quantified { .. }
            | Expr::Call { .. }
            | Expr::List(_)
            | Expr::Literal(_)
            | Expr::Reference(_)
            | Expr::Path(_) => {
                self.unsupported(part.span, "put conditions on single events into the signal's `where`");
                return None;
            }
        };
        Some(Spanned::new(condition, part.span))
    }

    fn all(&mut self, parts: &[Spanned<Expr>]) -> Option<Vec<Spanned<StepCondition>>> {
        let parts: Vec<Option<Spanned<StepCondition>>> = parts.iter().map(|part| self.condition(part)).collect();
        parts.into_iter().collect()
    }

    fn comparison(
        &mut self,
        span: Span,
        operator: Comparison,
        left: &Spanned<Expr>,
        right: &Spanned<Expr>,
        cased: bool,
    ) -> Option<StepCondition> {
        let (Expr::Path(one), Expr::Path(other)) = (&left.node, &right.node) else {
            let step = [left, right].into_iter().find_map(|side| match &side.node {
                Expr::Path(path) => path.segments.first().map(|segment| segment.name.node.clone()),
                _ => None,
            });
            let help = match step {
                Some(step) => {
                    format!("put conditions on single events into the `where` of the signal behind `{step}`")
                }
                None => "put conditions on single events into the signal's `where`".to_owned(),
            };
            self.unsupported(span, &help);
            return None;
        };
        if let ([alone], [other]) = (one.segments.as_slice(), other.segments.as_slice()) {
            let (alone, other) = (&alone.name.node, &other.name.node);
            let help = match operator {
                Comparison::Equal | Comparison::NotEqual => {
                    format!("write `{alone}.field {} {other}.field`", operator.symbol())
                }
                Comparison::Less | Comparison::LessOrEqual | Comparison::Greater | Comparison::GreaterOrEqual => {
                    "the order of events is that of the arrows".to_owned()
                }
            };
            let message = "steps are compared by their fields";
            self.report(Diagnostic::new(Code::UnsupportedStepCondition, span, message).help(help));
            return None;
        }
        let one = self.step_value(one, left.span);
        let other = self.step_value(other, right.span);
        let (one, other) = (one?, other?);
        if one.step == other.step {
            let message = "both sides are of one step";
            let help = "put conditions on single events into the signal's `where`";
            self.report(Diagnostic::new(Code::UnsupportedStepCondition, span, message).help(help));
            return None;
        }
        let (ty, theirs) = (one.value.ty(), other.value.ty());
        for (value, ty, span) in [(&one, &ty, left.span), (&other, &theirs, right.span)] {
            if matches!(ty, Type::List(_) | Type::Object) {
                let message = format!("`{}` is {ty}, not a single value", value.name);
                let help = "name a single value with `let`, and compare that";
                self.report(Diagnostic::new(Code::ThroughList, span, message).help(help));
                return None;
            }
        }
        if ty != theirs && !(ty.is_textual() && theirs.is_textual()) && !(ty.is_number() && theirs.is_number()) {
            let message = format!("`{}` is {ty}, but `{}` is {theirs}", one.name, other.name);
            let help = "only values of one type are compared";
            self.report(Diagnostic::new(Code::TypeMismatch, span, message).help(help));
            return None;
        }
        let order = match operator {
            Comparison::Equal => return Some(equality(RelationKind::Same, one, other, &ty, cased, span)),
            Comparison::NotEqual => return Some(equality(RelationKind::Different, one, other, &ty, cased, span)),
            Comparison::Less => Order::Less,
            Comparison::LessOrEqual => Order::LessOrEqual,
            Comparison::Greater => Order::Greater,
            Comparison::GreaterOrEqual => Order::GreaterOrEqual,
        };
        if !ty.is_number() && ty != Type::Time {
            let message = format!("`{}` orders numbers and times, and `{}` is {ty}", operator.symbol(), one.name);
            let help = "compare texts by `==` and `!=`; the order of events is that of the arrows";
            self.report(Diagnostic::new(Code::TypeMismatch, span, message).help(help));
            return None;
        }
        Some(StepCondition::Ordered { left: one, order, right: other })
    }

    fn step_value(&mut self, path: &Path, span: Span) -> Option<StepValue> {
        let (head, rest) = path.segments.split_first()?;
        let named = |(index, step): (usize, &Step)| (step.name == head.name.node).then_some(index);
        let matching: Vec<usize> = self.steps.iter().enumerate().filter_map(named).collect();
        let step = match matching.as_slice() {
            [step] => *step,
            [] => {
                let name = &head.name.node;
                let message = format!("unknown step `{name}`");
                let diagnostic = Diagnostic::new(Code::UnknownStep, head.name.span, message);
                let names = self.steps.iter().map(|step| step.name.as_str());
                let near = nearest(name, names).map(str::to_owned);
                self.report(match near {
                    _ if self.absent.contains(&name.as_str()) => {
                        diagnostic.help(format!("`no {name}` has no event whose fields could be compared"))
                    }
                    Some(near) => diagnostic.help(format!("the nearest step is `{near}`")),
                    None => diagnostic.help("a side is a step's name, a dot and a field: `call.sourceIPAddress`"),
                });
                return None;
            }
            _ => {
                let message = format!("several steps are named `{}`", head.name.node);
                let known = |other: &Diagnostic| other.code == Code::AmbiguousStep && other.message == message;
                if !self.resolver.diagnostics.iter().any(known) {
                    let diagnostic = Diagnostic::new(Code::AmbiguousStep, head.name.span, message);
                    let help = format!("name them: `{0} as first -> {0} as second`", head.name.node);
                    self.report(diagnostic.help(help));
                }
                return None;
            }
        };
        if rest.is_empty() {
            let message = format!("`{}` is a step, not a value", head.name.node);
            let diagnostic = Diagnostic::new(Code::UnsupportedStepCondition, span, message);
            self.report(diagnostic.help(format!("write `{}.field`", head.name.node)));
            return None;
        }
        let signal = self.resolver.scope_of(self.steps.get(step)?.signal)?.clone();
        let mut typer = typer_of(&signal, self.resolver.environment);
        let value = typer.path(&Spanned::new(Path { segments: rest.to_vec() }, span));
        self.resolver.diagnostics.extend(typer.diagnostics);
        let name = format!("{}.{}", head.name.node, super::paths::names(rest));
        Some(StepValue { step, name, value: value? })
    }
}

/// An equality with the earlier step on the left.
fn equality(kind: RelationKind, one: StepValue, other: StepValue, ty: &Type, cased: bool, span: Span) -> StepCondition {
    let (left, right) = if one.step > other.step { (other, one) } else { (one, other) };
    let case = if ty.is_textual() && !cased { CaseRule::Ignore } else { CaseRule::Exact };
    StepCondition::Equality(Relation { left, kind, right, case, span })
}
