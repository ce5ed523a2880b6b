//! Several signals in one sliding window: one pass keeps when each was seen last.
//!
//! Never looks at an order of events.

use super::ast::{Assignment, Expr, Operator, Stage, Table};
use super::columns::Columns;
use super::fold::{Fold, NEVER};
use super::frame::TIME;
use super::meet;
use super::reader::Context;
use super::rows::{Marks, carried_columns, key_columns, marks, rows, separate_rows};
use super::stage::instants;
use super::window::within;
use crate::ir::{Group, GroupForm, SignalId};

/// Instants at which enough of the members have an event in the window.
pub(super) fn group<'a>(context: &mut Context<'a>, group: &'a Group, columns: &Columns<'a>) -> Option<Table> {
    let signals: Vec<SignalId> = group.members.iter().map(|member| member.signal).collect();
    let mut wanted = key_columns(context, &signals, columns);
    wanted.extend(carried_columns(&signals, columns));
    let (marks, table) = if meet::key_conflict(context.stage, &signals).is_some() {
        let marks = Marks::Numbers(signals.clone());
        let table = separate_rows(context, &signals, &marks, &wanted)?;
        (marks, table)
    } else {
        let marks = marks(context, &signals);
        let table = rows(context, &signals, &marks, &wanted)?;
        (marks, table)
    };

    let mut fold = Fold::over(&columns.keys);
    let mut present = Vec::new();
    for member in &group.members {
        let name = context.stage.signal(member.signal).map_or("", |signal| signal.name.node.as_str());
        let at = format!("detc_at_{name}");
        fold = fold.last_time(&at, marks.is(member.signal), NEVER);
        present.push((within(Expr::column(TIME), Expr::column(at), group.window.node), member.weight));
    }
    let score = present
        .iter()
        .map(|(present, weight)| present.clone().choose(whole(*weight), Expr::Int(0)))
        .reduce(|sum, next| Expr::infix(sum, Operator::Add, next))?;
    let table = table.with(Stage::Sort(columns.instant())).with(fold.stage());
    let numbers = columns.numbers();
    let table = match (numbers.first(), group.form) {
        (Some((column, _)), _) => {
            let named = Stage::Extend(vec![Assignment::new(&column.name, score)]);
            table.with(named).with(Stage::Where(enough(Expr::column(&column.name), group)))
        }
        (None, GroupForm::All) => table.with(Stage::Where(Expr::all(present.into_iter().map(|(present, _)| present)))),
        (None, GroupForm::Some | GroupForm::Score) => table.with(Stage::Where(enough(score, group))),
    };
    Some(table.filtered([context.newest()]).with(instants(columns)))
}

fn enough(score: Expr, group: &Group) -> Expr {
    Expr::infix(score, Operator::GreaterOrEqual, whole(group.at_least.node))
}

fn whole(number: u64) -> Expr {
    Expr::Int(i64::try_from(number).unwrap_or(i64::MAX))
}
