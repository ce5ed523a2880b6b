//! Plain windows over the events of one signal: count and distinct.
//!
//! Never looks at several aggregates: those are `sweep`'s.

use super::aggregate;
use super::ast::{Assignment, Expr, JoinKind, Kind, Operator, Stage, Table};
use super::columns::Columns;
use super::frame::TIME;
use super::reader::Context;
use super::rows::{Form, Marks, Wanted, carried_columns, key_columns, rows};
use super::stage::instants;
use super::sweep::apart;
use crate::ir::{SignalId, Value};
use crate::schema::{Duration, Type};
use crate::source::Spanned;

/// Name of the `let` that holds the events.
pub(super) const EVENTS: &str = "detc_events";
/// Name of the `let` that holds the values.
pub(super) const VALUES: &str = "detc_values";

/// The rows of one signal: keys and shown columns, and what else is wanted.
fn signal_rows<'a>(
    context: &mut Context<'a>,
    signal: SignalId,
    columns: &Columns<'a>,
    values: Vec<Wanted<'a>>,
) -> Option<Table> {
    let mut wanted = key_columns(context, &[signal], columns);
    wanted.extend(values);
    wanted.extend(carried_columns(&[signal], columns));
    rows(context, &[signal], &Marks::One, &wanted)
}

/// Instants at which so many events of the key lie in the window: the event `at_least - 1` rows before is near enough.
pub(super) fn count<'a>(
    context: &mut Context<'a>,
    signal: SignalId,
    at_least: u64,
    window: Duration,
    columns: &Columns<'a>,
) -> Option<Table> {
    if !columns.numbers().is_empty() {
        return aggregate::counted(context, signal, at_least, window, columns);
    }
    let mut table = signal_rows(context, signal, columns, Vec::new())?;
    if at_least > 1 {
        let before = |name: &String| {
            let offset = Expr::Int(i64::try_from(at_least - 1).unwrap_or(i64::MAX));
            Expr::Call("prev", vec![Expr::column(name), offset])
        };
        let mut order = columns.keys.clone();
        order.push(TIME.to_owned());
        let mut looked_up: Vec<Assignment> = Vec::new();
        let mut conditions = Vec::new();
        for (index, key) in columns.keys.iter().enumerate() {
            let name = format!("detc_key_{}", index + 1);
            conditions.push(Expr::column(&name).equals(Expr::column(key)));
            looked_up.push(Assignment::new(name, before(key)));
        }
        looked_up.push(Assignment::new("detc_first", before(&TIME.to_owned())));
        conditions.push(within(Expr::column(TIME), Expr::column("detc_first"), window));
        table = table.with(Stage::Sort(order)).with(Stage::Extend(looked_up)).with(Stage::Where(Expr::all(conditions)));
    }
    Some(table.filtered([context.newest()]).with(instants(columns)))
}

/// `later - earlier <= window`
pub(super) fn within(later: Expr, earlier: Expr, window: Duration) -> Expr {
    Expr::infix(later.minus(earlier), Operator::LessOrEqual, Expr::Span(window))
}

/// Instants at which so many distinct tuples lie in the window: a tuple is there from each first sight until a
/// window after the last, and a sweep over the starts and ends counts those that are there.
pub(super) fn distinct<'a>(
    context: &mut Context<'a>,
    signal: SignalId,
    values: &'a [Spanned<Value>],
    at_least: u64,
    window: Duration,
    columns: &Columns<'a>,
) -> Option<Table> {
    let mut wanted = Vec::new();
    let mut lists = Vec::new();
    for (index, value) in values.iter().enumerate() {
        let name = format!("detc_value_{}", index + 1);
        let listed = matches!(value.node.ty(), Type::List(_));
        if listed {
            lists.push(name.clone());
        }
        let form = if listed { Form::Elements } else { Form::Text };
        wanted.push(Wanted::value(&name, vec![(signal, &value.node)], form));
    }
    let names: Vec<String> = wanted.iter().map(|column| column.name.clone()).collect();
    let events = signal_rows(context, signal, columns, wanted)?;
    let events = context.bind(EVENTS, events);

    let mut groups = columns.keys.clone();
    groups.extend(names.iter().cloned());
    let mut seen = Table::named(&events);
    for name in &lists {
        let element = super::value::Scalar::member(Expr::column(name), Type::Text).text();
        seen = seen
            .with(Stage::Expand { name: name.clone(), list: Expr::column(name), kind: Kind::Dynamic })
            .with(Stage::Extend(vec![Assignment::new(name, element)]));
    }
    let present = Expr::all(names.iter().map(|name| Expr::call("isnotempty", Expr::column(name))));
    seen = seen.with(Stage::Where(present)).with_neighbours(&groups);
    let values = context.bind(VALUES, seen);

    let time = || Expr::column(TIME);
    let leg = |at: Expr, order: i64, change: i64| {
        let mut columns: Vec<Assignment> = columns.keys.iter().map(Assignment::keep).collect();
        columns.push(Assignment::new(TIME, at));
        columns.push(Assignment::new("detc_order", Expr::Int(order)));
        columns.push(Assignment::new("detc_change", Expr::Int(change)));
        Stage::Project(columns)
    };
    let mut instants = columns.keys.clone();
    instants.push(TIME.to_owned());
    let starts = Table::named(&values).with(apart(&groups, "before", window)).with(leg(time(), 0, 1));
    let marks = Table::named(&events).with(Stage::Distinct(instants.clone())).with(leg(time(), 1, 0));
    let ends = Table::named(&values).with(apart(&groups, "after", window)).with(leg(
        Expr::infix(time(), Operator::Add, Expr::Span(window)),
        2,
        -1,
    ));
    let mut order = instants.clone();
    order.push("detc_order".to_owned());
    let reached = Expr::infix(
        Expr::column("detc_distinct"),
        Operator::GreaterOrEqual,
        Expr::Int(i64::try_from(at_least).unwrap_or(i64::MAX)),
    );
    let mut body = Table::union(vec![starts, marks, ends])
        .with(Stage::Sort(order))
        .with(Stage::Extend(vec![Assignment::new(
            "detc_distinct",
            Expr::call("row_cumsum", Expr::column("detc_change")),
        )]))
        .with(Stage::Where(Expr::all([Expr::column("detc_order").equals(Expr::Int(1)), reached])))
        .filtered([context.newest()]);
    if let Some((column, _)) = columns.numbers().first() {
        body = body.with(Stage::Extend(vec![Assignment::new(&column.name, Expr::column("detc_distinct"))]));
    }
    if columns.of_events().next().is_some() {
        let right = Table::named(&events).with(super::stage::closing(columns));
        body = body.with(Stage::Join { kind: JoinKind::Inner, right: Box::new(right), on: instants });
    }
    Some(body)
}
