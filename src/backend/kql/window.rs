//! Behaviours over the events of one signal: any event, count and distinct.

use super::ast::{Assignment, Expr, Extreme, Kind, Let, Operator, Script, Stage, Table};
use super::columns::Columns;
use super::frame::{self, TIME};
use super::reader::{Context, Reader};
use super::rows::{Form, Marks, Wanted, rows};
use crate::ir::{SignalId, Value};
use crate::schema::{Duration, Type};
use crate::source::Spanned;

/// Name of the `let` that holds the events.
pub(super) const EVENTS: &str = "detc_events";
const VALUES: &str = "detc_values";

/// Every event of the signal, with all its columns and those of the alert.
pub(super) fn event(context: &mut Context<'_>, signal: SignalId, columns: &Columns) -> Option<Script> {
    let detection = context.request.detection;
    let schedule = context.request.schedule;
    let predicate = &detection.stage.signal(signal)?.predicate;
    let mut reader = Reader::of_signal(context, signal)?;
    let mut stages = vec![Stage::Where(frame::read(&reader.map.time, Duration::ZERO))];
    stages.extend(reader.filter(predicate));
    let mut shown = Vec::new();
    for column in columns.shown(detection) {
        let Some((_, value)) = column.event_values().into_iter().next() else { continue };
        let value = reader.scalar(value).shown();
        shown.push(Assignment::new(&column.name, value));
    }
    stages.append(&mut reader.helpers);
    shown.retain(|column| column.value != Expr::column(&column.name));
    if !shown.is_empty() {
        stages.push(Stage::Extend(shown));
    }
    if stages.iter().any(|stage| matches!(stage, Stage::Apply { .. })) {
        stages.push(Stage::ProjectAway("detc_"));
    }
    let tables = reader.map.places("table").iter().map(|name| {
        let mut table = Table::named(name);
        table.stages.clone_from(&stages);
        table
    });
    Some(Script { lets: frame::slice(schedule), body: Table::union(tables.collect()) })
}

/// The rows of one signal: keys and shown columns, and what else is wanted.
fn signal_rows<'a>(
    context: &mut Context<'a>,
    signal: SignalId,
    window: Duration,
    columns: &Columns,
    values: Vec<Wanted<'a>>,
) -> Option<Table> {
    let detection = context.request.detection;
    let mut wanted = key_columns(context, &[signal], columns);
    wanted.extend(values);
    wanted.extend(columns.shown(detection).iter().map(|column| Wanted {
        name: column.name.clone(),
        values: column.event_values().into_iter().filter(|(of, _)| *of == signal).collect(),
        form: Form::Shown,
    }));
    rows(context, &[signal], &Marks::One, window, &wanted)
}

/// The columns that hold the keys.
pub(super) fn key_columns<'a>(context: &Context<'a>, signals: &[SignalId], columns: &Columns) -> Vec<Wanted<'a>> {
    let detection = context.request.detection;
    let of_signal = |id: &SignalId, index: usize| Some((*id, &detection.stage.signal(*id)?.keys.get(index)?.node));
    let key = |(index, name): (usize, &String)| Wanted {
        name: name.clone(),
        values: signals.iter().filter_map(|id| of_signal(id, index)).collect(),
        form: Form::Key,
    };
    columns.keys.iter().enumerate().map(key).collect()
}

/// Instants at which so many events of the key lie in the window: the event `at_least - 1` rows before is near enough.
pub(super) fn count(
    context: &mut Context<'_>,
    signal: SignalId,
    at_least: u64,
    window: Duration,
    columns: &Columns,
) -> Option<Script> {
    let detection = context.request.detection;
    let mut table = signal_rows(context, signal, window, columns, Vec::new())?;
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
    let table = table.with(Stage::Where(frame::newest())).with(instants(columns, detection));
    let table = table.with(Stage::Project(columns.result(detection)));
    Some(Script { lets: frame::slice(context.request.schedule), body: table })
}

/// `later - earlier <= window`
pub(super) fn within(later: Expr, earlier: Expr, window: Duration) -> Expr {
    Expr::infix(later.minus(earlier), Operator::LessOrEqual, Expr::Span(window))
}

/// One row for each hit.
fn instants(columns: &Columns, detection: &crate::ir::Detection) -> Stage {
    let mut by: Vec<String> = columns.keys.clone();
    by.push(TIME.to_owned());
    let shown = columns.shown(detection);
    match shown.iter().find(|column| column.event_type().is_some_and(|ty| ty.is_textual())) {
        Some(column) => {
            let by = by.into_iter().map(Assignment::keep).collect();
            Stage::Extreme { which: Extreme::Largest, of: column.name.clone(), by }
        }
        None if shown.is_empty() => Stage::Distinct(by),
        None => {
            by.pop();
            let mut by: Vec<Assignment> = by.into_iter().map(Assignment::keep).collect();
            by.push(Assignment::new("detc_time", Expr::column(TIME)));
            Stage::Extreme { which: Extreme::Largest, of: TIME.to_owned(), by }
        }
    }
}

/// Instants at which so many distinct tuples lie in the window: a tuple is there from each first sight until a
/// window after the last, and a sweep over the starts and ends counts those that are there.
pub(super) fn distinct<'a>(
    context: &mut Context<'a>,
    signal: SignalId,
    values: &'a [Spanned<Value>],
    at_least: u64,
    window: Duration,
    columns: &Columns,
) -> Option<Script> {
    let detection = context.request.detection;
    let mut wanted = Vec::new();
    let mut lists = Vec::new();
    for (index, value) in values.iter().enumerate() {
        let name = format!("detc_value_{}", index + 1);
        let listed = matches!(value.node.ty(), Type::List(_));
        if listed {
            lists.push(name.clone());
        }
        let form = if listed { Form::Elements } else { Form::Text };
        wanted.push(Wanted { name, values: vec![(signal, &value.node)], form });
    }
    let names: Vec<String> = wanted.iter().map(|column| column.name.clone()).collect();
    let events = signal_rows(context, signal, window, columns, wanted)?;

    let mut groups = columns.keys.clone();
    groups.extend(names.iter().cloned());
    let mut seen = Table::named(EVENTS);
    for name in &lists {
        let element = super::value::Scalar::member(Expr::column(name), Type::Text).text();
        seen = seen
            .with(Stage::Expand { name: name.clone(), list: Expr::column(name), kind: Kind::Dynamic })
            .with(Stage::Extend(vec![Assignment::new(name, element)]));
    }
    let present = Expr::all(names.iter().map(|name| Expr::call("isnotempty", Expr::column(name))));
    let mut order = groups.clone();
    order.push(TIME.to_owned());
    let mut neighbours = Vec::new();
    for (function, side) in [("prev", "before"), ("next", "after")] {
        for (index, name) in groups.iter().enumerate() {
            let value = Expr::call(function, Expr::column(name));
            neighbours.push(Assignment::new(format!("detc_{side}_{}", index + 1), value));
        }
        neighbours.push(Assignment::new(format!("detc_{side}"), Expr::call(function, Expr::column(TIME))));
    }
    seen = seen.with(Stage::Where(present)).with(Stage::Sort(order)).with(Stage::Extend(neighbours));

    let apart = |side: &str, gap: Expr| {
        let mut conditions: Vec<Expr> = groups
            .iter()
            .enumerate()
            .map(|(index, name)| {
                let neighbour = Expr::column(format!("detc_{side}_{}", index + 1));
                Expr::infix(neighbour, Operator::NotEqual, Expr::column(name))
            })
            .collect();
        conditions.push(Expr::infix(gap, Operator::Greater, Expr::Span(window)));
        Stage::Where(Expr::any(conditions))
    };
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
    let starts =
        Table::named(VALUES).with(apart("before", time().minus(Expr::column("detc_before")))).with(leg(time(), 0, 1));
    let marks = Table::named(EVENTS).with(Stage::Distinct(instants.clone())).with(leg(time(), 1, 0));
    let ends = Table::named(VALUES).with(apart("after", Expr::column("detc_after").minus(time()))).with(leg(
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
        .with(Stage::Where(frame::newest()));
    if !columns.shown.is_empty() {
        let right = Table::named(EVENTS).with(self::instants(columns, detection));
        body = body.with(Stage::Join { right: Box::new(right), on: instants });
    }
    body = body.with(Stage::Project(columns.result(detection)));
    let mut lets = frame::slice(context.request.schedule);
    lets.push(Let::Materialized(EVENTS, events));
    lets.push(Let::Materialized(VALUES, seen));
    Some(Script { lets, body })
}
