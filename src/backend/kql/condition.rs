//! Conditions between the events of a chain, over columns that hold each side.
//!
//! Never null: an order is false where a side is missing.

use super::ast::{Expr, Operator};
use super::rows::{Form, Wanted};
use super::sequence::{Sequence, differs};
use crate::backend::ReasonCode;
use crate::ir::{CaseRule, Order, Relation, RelationKind, StepCondition, StepValue};
use crate::schema::Type;

/// A condition with the link at which all its sides are known.
pub(super) struct Condition {
    /// The last of the links that it names.
    pub(super) link: usize,
    /// The condition.
    pub(super) expr: Expr,
}

/// Conditions on the way to a query, with the columns that they look at.
pub(super) struct Conditions<'a> {
    /// All of them have to hold.
    pub(super) all: Vec<Condition>,
    /// The columns.
    pub(super) wanted: Vec<Wanted<'a>>,
    /// Each column with the link on whose event it is.
    pub(super) columns: Vec<(String, usize)>,
    /// Number of sides that have names so far.
    sides: usize,
}

impl<'a> Conditions<'a> {
    /// Those of a behaviour.
    pub(super) fn of(sequence: &mut Sequence<'_, 'a>, behavior: &'a crate::ir::Sequence) -> Option<Self> {
        let mut conditions = Self { all: Vec::new(), wanted: Vec::new(), columns: Vec::new(), sides: 0 };
        for (index, relation) in behavior.relations.iter().enumerate() {
            let names = [format!("detc_left_{}", index + 1), format!("detc_right_{}", index + 1)];
            let (expr, link) = conditions.relation(sequence, relation, names)?;
            conditions.all.push(Condition { link, expr });
        }
        for condition in &behavior.conditions {
            let (expr, link) = conditions.condition(sequence, &condition.node, condition.span)?;
            conditions.all.push(Condition { link, expr });
        }
        Some(conditions)
    }

    fn condition(
        &mut self,
        sequence: &mut Sequence<'_, 'a>,
        condition: &'a StepCondition,
        span: crate::source::Span,
    ) -> Option<(Expr, usize)> {
        let mut joined = |parts: &'a [crate::source::Spanned<StepCondition>]| {
            let parts = parts.iter().map(|part| self.condition(sequence, &part.node, part.span));
            let parts: Vec<(Expr, usize)> = parts.collect::<Option<_>>()?;
            let link = parts.iter().map(|(_, link)| *link).max()?;
            Some((parts.into_iter().map(|(expr, _)| expr).collect::<Vec<Expr>>(), link))
        };
        match condition {
            StepCondition::And(parts) => joined(parts).map(|(parts, link)| (Expr::all(parts), link)),
            StepCondition::Or(parts) => joined(parts).map(|(parts, link)| (Expr::any(parts), link)),
            StepCondition::Not(inner) => {
                let (expr, link) = self.condition(sequence, &inner.node, inner.span)?;
                Some((expr.not(), link))
            }
            StepCondition::Equality(relation) => {
                let names = [self.side(), self.side()];
                self.relation(sequence, relation, names)
            }
            StepCondition::Ordered { left, order, right } => {
                if [left, right].iter().any(|side| !is_sortable(&side.value.ty())) {
                    let message = "the query has such an order for numbers and times only";
                    sequence.context.verdict.add(ReasonCode::UnsupportedRelation, span, message);
                }
                let names = [self.side(), self.side()];
                let link = self.name(sequence, [left, right], &names, Form::Shown)?;
                let operator = match order {
                    Order::Less => Operator::Less,
                    Order::LessOrEqual => Operator::LessOrEqual,
                    Order::Greater => Operator::Greater,
                    Order::GreaterOrEqual => Operator::GreaterOrEqual,
                };
                let [left, right] = names.map(Expr::column);
                Some((Expr::infix(left, operator, right).or_else(Expr::Bool(false)), link))
            }
        }
    }

    fn relation(
        &mut self,
        sequence: &Sequence<'_, 'a>,
        relation: &'a Relation,
        names: [String; 2],
    ) -> Option<(Expr, usize)> {
        let form = if relation.case == CaseRule::Exact { Form::Text } else { Form::Folded };
        let link = self.name(sequence, [&relation.left, &relation.right], &names, form)?;
        let [left, right] = names.map(Expr::column);
        let expr = match relation.kind {
            RelationKind::Same => Expr::all([Expr::call("isnotempty", left.clone()), left.equals(right)]),
            RelationKind::Different => differs(left, right),
        };
        Some((expr, link))
    }

    /// Adds the columns of both sides; gives the later link.
    fn name(
        &mut self,
        sequence: &Sequence<'_, 'a>,
        sides: [&'a StepValue; 2],
        names: &[String; 2],
        form: Form,
    ) -> Option<usize> {
        let links = &sequence.chain.links;
        let mut latest = 0;
        for (side, name) in sides.into_iter().zip(names) {
            let link = links.iter().position(|link| link.step == side.step && link.names_step)?;
            let signal = links.get(link)?.signal;
            self.wanted.push(Wanted::value(name, vec![(signal, &side.value)], form));
            self.columns.push((name.clone(), link));
            latest = latest.max(link);
        }
        Some(latest)
    }

    fn side(&mut self) -> String {
        self.sides += 1;
        format!("detc_side_{}", self.sides)
    }
}

fn is_sortable(ty: &Type) -> bool {
    match ty {
        Type::Int | Type::Float | Type::Time => true,
        Type::Text | Type::Ip | Type::Duration | Type::Bool | Type::List(_) | Type::Object => false,
    }
}
