//! Windows that no counter describes: each instant meets the events of its window, found by bins of the window's length.
//!
//! Never reads further than two bins: only events of one key that close in time meet.

use super::aggregate::summarize;
use super::ast::{Assignment, Expr, JoinKind, Kind, Operator, Stage, Table};
use super::columns::Columns;
use super::frame::TIME;
use super::measure::Measures;
use super::reader::Context;
use crate::schema::Duration;

const BIN: &str = "detc_bin";
const AT: &str = "detc_at";

/// One row for each instant, with the parts over its window.
pub(super) fn windows(
    context: &mut Context<'_>,
    events: &str,
    measures: &Measures<'_>,
    window: Duration,
    columns: &Columns<'_>,
) -> Table {
    context.verdict.assume("cost: quadratic in the events of one key inside the window");
    let bin = |name: &str| Expr::Call("bin", vec![Expr::column(name), Expr::Span(window)]);
    let bins = Expr::Call("pack_array", vec![bin(TIME), bin(TIME).minus(Expr::Span(window))]);
    let mut on = columns.keys.clone();
    on.push(BIN.to_owned());
    let mut kept: Vec<Assignment> = columns.keys.iter().map(Assignment::keep).collect();
    kept.extend(measures.wanted().into_iter().map(|column| Assignment::keep(column.name)));
    kept.extend([Assignment::new(AT, Expr::column(TIME)), Assignment::new(BIN, bin(TIME))]);
    let right = Table::named(events).with(Stage::Project(kept));
    let inside = Expr::all([
        Expr::infix(Expr::column(AT), Operator::GreaterOrEqual, Expr::column(TIME).minus(Expr::Span(window))),
        Expr::infix(Expr::column(AT), Operator::LessOrEqual, Expr::column(TIME)),
    ]);
    let table = Table::named(events)
        .filtered([context.newest()])
        .with(Stage::Distinct(columns.instant()))
        .with(Stage::Expand { name: BIN.to_owned(), list: bins, kind: Kind::Time })
        .with(Stage::Join { kind: JoinKind::Inner, right: Box::new(right), on })
        .with(Stage::Where(inside));
    let by = columns.instant().iter().map(Assignment::keep).collect();
    summarize(context, table, measures, by)
}
