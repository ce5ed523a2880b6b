//! Values that a key had seldom or never before: rows of one value side by side, and a look some rows back.
//!
//! Never counts: so many rows back is near enough or it is not.

use super::ast::{Assignment, Expr, JoinKind, Operator, Stage, Table};
use super::columns::Columns;
use super::fold::{Fold, NEVER};
use super::frame::TIME;
use super::reader::Context;
use super::rows::{Form, Marks, Wanted, carried_columns, key_columns, rows};
use super::stage::instants;
use super::window::{EVENTS, VALUES, within};
use crate::ir::{Rare, SignalId};
use crate::schema::Duration;

/// Instants at which the key has a value that it had so many times before.
pub(super) fn rare<'a>(context: &mut Context<'a>, rare: &'a Rare, columns: &Columns<'a>) -> Option<Table> {
    let signals = [rare.signal];
    let mut wanted = key_columns(context, &signals, columns);
    let mut groups = columns.keys.clone();
    for (index, value) in rare.values.iter().enumerate() {
        let name = format!("detc_value_{}", index + 1);
        // As a key, a value is there, and a list counts each different element once.
        wanted.push(Wanted::value(&name, vec![(rare.signal, &value.node)], Form::Key));
        groups.push(name);
    }
    wanted.extend(carried_columns(&signals, columns));
    let mut table = rows(context, &signals, &Marks::One, &wanted)?;
    if !context.is_inner {
        // Only values that are in the slice can be hits; without the others the sort is small.
        let values = context.bind(VALUES, table);
        let recent = Table::named(&values).filtered([context.newest()]).with(Stage::Distinct(groups.clone()));
        table = Table::named(values).with(Stage::Join {
            kind: JoinKind::LeftSemi,
            right: Box::new(recent),
            on: groups.clone(),
        });
    }
    let mut order = groups.clone();
    order.push(TIME.to_owned());
    let (fewest, most) = rare.earlier;
    let mut back: Vec<u64> = vec![most.saturating_add(1)];
    if most > 0 {
        back.push(1);
    }
    if fewest > 0 {
        back.push(fewest);
    }
    back.sort_unstable();
    back.dedup();
    let looked_up = back.iter().flat_map(|rows| {
        let before = |name: &String| {
            let offset = Expr::Int(i64::try_from(*rows).unwrap_or(i64::MAX));
            Expr::Call("prev", vec![Expr::column(name), offset])
        };
        let named = |(index, name): (usize, &String)| Assignment::new(before_name(*rows, index), before(name));
        let mut columns: Vec<Assignment> = groups.iter().enumerate().map(named).collect();
        columns.push(Assignment::new(before_time(*rows), before(&TIME.to_owned())));
        columns
    });
    let looked_up = looked_up.collect();
    let others = |rows: u64| -> Vec<Expr> {
        let other = |(index, name): (usize, &String)| {
            Expr::infix(Expr::column(before_name(rows, index)), Operator::NotEqual, Expr::column(name))
        };
        groups.iter().enumerate().map(other).collect()
    };
    let gap = |rows: u64| Expr::column(TIME).minus(Expr::column(before_time(rows)));
    let history = || Expr::Span(rare.history.node);
    let mut table = table.with(Stage::Sort(order)).with(Stage::Extend(looked_up));
    if most > 0 {
        // Of the rows of one instant the first has nothing but earlier ones before it.
        let mut first = others(1);
        first.push(Expr::infix(Expr::column(before_time(1)), Operator::NotEqual, Expr::column(TIME)));
        table = table.with(Stage::Where(Expr::any(first)));
    }
    let mut seldom = others(most.saturating_add(1));
    seldom.push(Expr::infix(gap(most.saturating_add(1)), Operator::Greater, history()));
    table = table.with(Stage::Where(Expr::any(seldom)));
    if fewest > 0 {
        let same =
            |(index, name): (usize, &String)| Expr::column(before_name(fewest, index)).equals(Expr::column(name));
        let mut often: Vec<Expr> = groups.iter().enumerate().map(same).collect();
        often.push(Expr::infix(gap(fewest), Operator::LessOrEqual, history()));
        table = table.with(Stage::Where(Expr::all(often)));
    }
    table = table.filtered([context.newest()]);
    if let Some(learning) = &rare.learning {
        let known = known(context, rare.signal, columns)?;
        table = learned(table, &known, columns, rare.history.node, learning.node);
    }
    Some(table.with(instants(columns)))
}

/// The name of a table of all events of a signal, with their keys only.
pub(super) fn known<'a>(context: &mut Context<'a>, signal: SignalId, columns: &Columns<'a>) -> Option<String> {
    let wanted = key_columns(context, &[signal], columns);
    let table = rows(context, &[signal], &Marks::One, &wanted)?;
    Some(context.bind(EVENTS, table))
}

/// Keeps rows whose key has an event between `history` and `learning` before.
pub(super) fn learned(
    table: Table,
    events: &str,
    columns: &Columns<'_>,
    history: Duration,
    learning: Duration,
) -> Table {
    const ORDER: &str = "detc_order";
    const KNOWN: &str = "detc_known";
    let mut moved: Vec<Assignment> = columns.keys.iter().map(Assignment::keep).collect();
    let later = Expr::infix(Expr::column(TIME), Operator::Add, Expr::Span(learning));
    moved.extend([Assignment::new(TIME, later), Assignment::new(ORDER, Expr::Int(0))]);
    let moved = Table::named(events).with(Stage::Distinct(columns.instant())).with(Stage::Project(moved));
    let table = table.with(Stage::Extend(vec![Assignment::new(ORDER, Expr::Int(1))]));
    let mut order = columns.instant();
    order.push(ORDER.to_owned());
    let is_event = Expr::column(ORDER).equals(Expr::Int(0));
    let rest = Duration::from_milliseconds(history.milliseconds().saturating_sub(learning.milliseconds()));
    Table::union(vec![moved, table])
        .with(Stage::Sort(order))
        .with(Fold::over(&columns.keys).last_time(KNOWN, is_event, NEVER).stage())
        .with(Stage::Where(Expr::all([
            Expr::column(ORDER).equals(Expr::Int(1)),
            within(Expr::column(TIME), Expr::column(KNOWN), rest),
        ])))
}

fn before_name(rows: u64, index: usize) -> String {
    format!("detc_{}_{rows}", if index == 0 { "before".to_owned() } else { format!("before_{}", index + 1) })
}

fn before_time(rows: u64) -> String {
    format!("detc_time_{rows}")
}
