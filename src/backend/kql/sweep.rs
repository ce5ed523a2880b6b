//! Windows as a sweep: an event enters at its time and leaves a window later, and counters are read at the instants
//! between.
//!
//! Never meets two events with each other, so that its cost is that of a sort.

use super::aggregate::added;
use super::ast::{Assignment, Expr, Kind, Operator, Stage, Table};
use super::columns::Columns;
use super::frame::TIME;
use super::measure::{Measures, Part, What, tuple_names, zero};
use super::reader::Context;
use super::value::Scalar;
use super::window::VALUES;
use crate::ir::AggregateFunction;
use crate::schema::{Duration, Type};

const ORDER: &str = "detc_order";

/// One row for each instant, with the parts over its window.
pub(super) fn windows(
    context: &mut Context<'_>,
    events: &str,
    measures: &Measures<'_>,
    window: Duration,
    columns: &Columns<'_>,
) -> Table {
    let counters = measures.parts.as_slice();
    let row = |at: Expr, order: i64, change: &dyn Fn(&Part) -> Expr| {
        let mut row: Vec<Assignment> = columns.keys.iter().map(Assignment::keep).collect();
        row.push(Assignment::new(TIME, at));
        row.push(Assignment::new(ORDER, Expr::Int(order)));
        row.extend(counters.iter().map(|part| Assignment::new(&part.name, change(part))));
        Stage::Project(row)
    };
    let now = || Expr::column(TIME);
    let left = || Expr::infix(now(), Operator::Add, Expr::Span(window));
    let enters = |part: &Part| if part.what == What::Distinct { Expr::Int(0) } else { added(measures, part) };
    let leaves = |part: &Part| match enters(part) {
        Expr::Int(number) => Expr::Int(-number),
        other => zero(part.kind).minus(other),
    };
    let counts = counters.iter().any(|part| part.what != What::Distinct);
    let mut legs = Vec::new();
    if counts {
        legs.push(Table::named(events).with(row(now(), 0, &enters)));
    }
    legs.push(
        Table::named(events).with(Stage::Distinct(columns.instant())).with(row(now(), 1, &|part| zero(part.kind))),
    );
    if counts {
        legs.push(Table::named(events).with(row(left(), 2, &leaves)));
    }
    for part in counters.iter().filter(|part| part.what == What::Distinct) {
        let (values, groups) = values(context, events, measures, part, columns);
        let only = |change: i64| move |other: &Part| if other == part { Expr::Int(change) } else { zero(other.kind) };
        let starts = Table::named(&values).with(apart(&groups, "before", window)).with(row(now(), 0, &only(1)));
        let ends = Table::named(values).with(apart(&groups, "after", window)).with(row(left(), 2, &only(-1)));
        legs.extend([starts, ends]);
    }
    let mut order = columns.instant();
    order.push(ORDER.to_owned());
    let sums = counters.iter().map(|part| Assignment::new(&part.name, sum(part, columns))).collect();
    Table::union(legs)
        .with(Stage::Sort(order))
        .with(Stage::Extend(sums))
        .with(Stage::Where(Expr::column(ORDER).equals(Expr::Int(1))))
}

/// The running sum of a counter. Whole numbers are back at zero behind each key; decimals start again, since they are
/// rounded.
fn sum(part: &Part, columns: &Columns<'_>) -> Expr {
    let mut arguments = vec![Expr::column(&part.name)];
    if part.kind == Kind::Real && !columns.keys.is_empty() {
        let other =
            |key: &String| Expr::infix(Expr::call("prev", Expr::column(key)), Operator::NotEqual, Expr::column(key));
        arguments.push(Expr::any(columns.keys.iter().map(other)));
    }
    Expr::Call("row_cumsum", arguments)
}

/// The name of a table of the values of an aggregate, each beside its neighbours in time, and what tells values apart.
fn values(
    context: &mut Context<'_>,
    events: &str,
    measures: &Measures<'_>,
    part: &Part,
    columns: &Columns<'_>,
) -> (String, Vec<String>) {
    let aggregate = measures.aggregates.get(part.aggregate);
    let values = match aggregate.map(|aggregate| &aggregate.function) {
        Some(AggregateFunction::Distinct(values)) => values.as_slice(),
        _ => &[],
    };
    let names = tuple_names(part.aggregate, values.len());
    let mut table = Table::named(events).filtered([measures.inside(part.aggregate)]);
    for (name, value) in names.iter().zip(values) {
        if matches!(value.node.ty(), Type::List(_)) {
            let element = Scalar::member(Expr::column(name), Type::Text).text();
            table = table
                .with(Stage::Expand { name: name.clone(), list: Expr::column(name), kind: Kind::Dynamic })
                .with(Stage::Extend(vec![Assignment::new(name, element)]));
        }
    }
    let mut groups = columns.keys.clone();
    groups.extend(names.iter().cloned());
    let present = Expr::all(names.iter().map(|name| Expr::call("isnotempty", Expr::column(name))));
    let table = table.with(Stage::Where(present)).with_neighbours(&groups);
    (context.bind(VALUES, table), groups)
}

impl Table {
    /// The rows of each group in the order of their times, each with what its neighbours are and when they are.
    pub(super) fn with_neighbours(self, groups: &[String]) -> Self {
        let mut order = groups.to_vec();
        order.push(TIME.to_owned());
        let mut neighbours = Vec::new();
        for (function, side) in [("prev", "before"), ("next", "after")] {
            for (index, name) in groups.iter().enumerate() {
                let value = Expr::call(function, Expr::column(name));
                neighbours.push(Assignment::new(format!("detc_{side}_{}", index + 1), value));
            }
            neighbours.push(Assignment::new(format!("detc_{side}"), Expr::call(function, Expr::column(TIME))));
        }
        self.with(Stage::Sort(order)).with(Stage::Extend(neighbours))
    }
}

/// Keeps rows whose neighbour on that side is another value or more than a window away.
pub(super) fn apart(groups: &[String], side: &str, window: Duration) -> Stage {
    let other = |(index, name): (usize, &String)| {
        let neighbour = Expr::column(format!("detc_{side}_{}", index + 1));
        Expr::infix(neighbour, Operator::NotEqual, Expr::column(name))
    };
    let neighbour = Expr::column(format!("detc_{side}"));
    let gap = if side == "before" { Expr::column(TIME).minus(neighbour) } else { neighbour.minus(Expr::column(TIME)) };
    let mut conditions: Vec<Expr> = groups.iter().enumerate().map(other).collect();
    conditions.push(Expr::infix(gap, Operator::Greater, Expr::Span(window)));
    Stage::Where(Expr::any(conditions))
}
