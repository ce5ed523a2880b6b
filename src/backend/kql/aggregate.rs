//! Conditions on aggregates of one window: which shape fits, and what all shapes share.
//!
//! Never approximates a count of values: distinct values are told apart exactly.

use super::ast::{Assignment, Expr, Kind, Operator, Stage, Table};
use super::columns::Columns;
use super::frame::{self, TIME};
use super::measure::{Measures, Part, What, choose, scaled, times, tuple_names, value_name};
use super::meet;
use super::reader::Context;
use super::rows::{Marks, carried_columns, key_columns, marks, rows, separate_rows};
use super::window::EVENTS;
use super::{nearby, sweep};
use crate::backend::ReasonCode;
use crate::ir::{Aggregate, AggregateFunction, Aggregation, SignalId, WindowKind};
use crate::schema::{Duration, Type};

/// Windows in which the condition holds.
pub(super) fn aggregation<'a>(
    context: &mut Context<'a>,
    aggregation: &'a Aggregation,
    columns: &Columns<'a>,
) -> Option<Table> {
    let signals = aggregation.signals();
    let mut measures = Measures::of(&aggregation.aggregates, signals.len() == 1);
    let events = events(context, &signals, &measures, columns);
    let condition = measures.condition(&aggregation.condition.node)?;
    let numbers = numbers(&mut measures, columns);
    let events = events?;
    let window = aggregation.window.node;
    Some(without_nothing(match aggregation.kind {
        WindowKind::Fixed => {
            let by = bucket_groups(columns, TIME, window);
            let summed = summarize(context, Table::named(events), &measures, by);
            let end = Expr::infix(Expr::column(TIME), Operator::Add, Expr::Span(window));
            summed
                .with(Stage::Extend(vec![Assignment::new(TIME, end)]))
                .filtered([context.newest_and_over(), condition])
                .with(Stage::Extend(numbers))
        }
        WindowKind::Sliding if measures.needs_events() => {
            let table = nearby::windows(context, &events, &measures, window, columns);
            shown(context, table.filtered([condition]), &events, columns, numbers)
        }
        WindowKind::Sliding => {
            let table = sweep::windows(context, &events, &measures, window, columns);
            shown(context, table.filtered([condition]), &events, columns, numbers)
        }
    }))
}

/// Instants at which so many events lie in the window, each with their number.
pub(super) fn counted<'a>(
    context: &mut Context<'a>,
    signal: SignalId,
    at_least: u64,
    window: Duration,
    columns: &Columns<'a>,
) -> Option<Table> {
    // The number of events looks at nothing of them.
    let function = AggregateFunction::Count;
    let span = context.stage.behavior.span;
    let aggregates = [Aggregate { name: String::new(), signal, function, filter: None, span }];
    let mut measures = Measures::of(&aggregates, true);
    let count = measures.number(0)?;
    let nothing = Measures::of(&[], true);
    let events = events(context, &[signal], &nothing, columns)?;
    let table = sweep::windows(context, &events, &measures, window, columns);
    let enough = Expr::infix(count, Operator::GreaterOrEqual, Expr::Int(i64::try_from(at_least).unwrap_or(i64::MAX)));
    let numbers = numbers(&mut measures, columns);
    Some(shown(context, table.filtered([enough]), &events, columns, numbers))
}

/// The table without operators that name nothing.
fn without_nothing(mut table: Table) -> Table {
    table.stages.retain(|stage| !matches!(stage, Stage::Extend(columns) if columns.is_empty()));
    table
}

/// The hits with the values of the events that close them.
pub(super) fn shown(
    context: &Context<'_>,
    table: Table,
    events: &str,
    columns: &Columns<'_>,
    numbers: Vec<Assignment>,
) -> Table {
    let table = without_nothing(table.filtered([context.newest()]).with(Stage::Extend(numbers)));
    if columns.of_events().next().is_none() {
        return table;
    }
    let mut kept: Vec<Assignment> = columns.instant().iter().map(Assignment::keep).collect();
    kept.extend(columns.of_events().map(|column| Assignment::keep(&column.name)));
    let closing = Table::named(events).with(Stage::Project(kept)).with(super::stage::closing(columns));
    table.with(Stage::Join { kind: super::ast::JoinKind::Inner, right: Box::new(closing), on: columns.instant() })
}

/// The name of a table of the events of all signals with what the aggregates look at.
pub(super) fn events<'a>(
    context: &mut Context<'a>,
    signals: &[SignalId],
    measures: &Measures<'a>,
    columns: &Columns<'a>,
) -> Option<String> {
    note_sums(context, measures.aggregates);
    let mut wanted = key_columns(context, signals, columns);
    wanted.extend(measures.wanted());
    wanted.extend(carried_columns(signals, columns));
    let table = if meet::key_conflict(context.stage, signals).is_some() {
        let marks = Marks::Numbers(signals.to_vec());
        separate_rows(context, signals, &marks, &wanted)?
    } else {
        let marks = marks(context, signals);
        rows(context, signals, &marks, &wanted)?
    };
    Some(context.bind(EVENTS, table))
}

/// The numbers that hits carry, under their names.
pub(super) fn numbers(measures: &mut Measures<'_>, columns: &Columns<'_>) -> Vec<Assignment> {
    let named = columns.numbers().into_iter();
    named.filter_map(|(column, index)| Some(Assignment::new(&column.name, measures.number(index)?))).collect()
}

fn note_sums(context: &mut Context<'_>, aggregates: &[Aggregate]) {
    for aggregate in aggregates {
        if let AggregateFunction::Sum(value) | AggregateFunction::Average(value) = &aggregate.function
            && value.node.ty() != Type::Int
        {
            let message =
                "sums of decimals are rounded, so that a sum close to the threshold can fall on its other side";
            context.verdict.add(ReasonCode::FloatSum, value.span, message);
        }
    }
}

/// The keys and the bucket of each event.
pub(super) fn bucket_groups(columns: &Columns<'_>, name: &str, length: Duration) -> Vec<Assignment> {
    let mut by: Vec<Assignment> = columns.keys.iter().map(Assignment::keep).collect();
    by.push(Assignment::new(name, frame::bucket(Expr::column(TIME), length)));
    by
}

/// The parts of the aggregates over the rows of each group.
pub(super) fn summarize(
    context: &mut Context<'_>,
    table: Table,
    measures: &Measures<'_>,
    by: Vec<Assignment>,
) -> Table {
    let results = measures.parts.iter().map(|part| Assignment::new(&part.name, summary(context, measures, part)));
    let mut results: Vec<Assignment> = results.collect();
    let lists: Vec<Assignment> = measures.parts.iter().filter_map(|part| ranked(measures, part)).collect();
    // A list is made first and looked into afterwards.
    for (result, part) in results.iter_mut().zip(&measures.parts) {
        if rank(measures, part).is_some() {
            result.value =
                Expr::Call("make_list_if", vec![Expr::column(value_name(part.aggregate)), measures.counted(part)]);
        }
    }
    let table = table.with(Stage::Summarize { results, by });
    if lists.is_empty() { table } else { table.with(Stage::Extend(lists)) }
}

/// The scaled percentage of a part that is an n-th value.
fn rank(measures: &Measures<'_>, part: &Part) -> Option<(i64, i64)> {
    match (&part.what, measures.aggregates.get(part.aggregate).map(|aggregate| &aggregate.function)) {
        (What::Extreme, Some(AggregateFunction::Percentile { percent, .. })) => scaled(percent),
        _ => None,
    }
}

/// The n-th value out of the list that the part's column holds; null where the list is empty.
fn ranked(measures: &Measures<'_>, part: &Part) -> Option<Assignment> {
    let (percent, scale) = rank(measures, part)?;
    let list = Expr::call("array_sort_asc", Expr::column(&part.name));
    let rank = times(Expr::call("array_length", Expr::column(&part.name)), Some(Expr::Int(percent)));
    let whole = Expr::Real(format!("{}.0", scale.saturating_mul(100)));
    let rank = Expr::call("tolong", Expr::call("ceiling", Expr::infix(rank, Operator::Divide, whole)));
    let value = Expr::Index(Box::new(list), Box::new(rank.minus(Expr::Int(1))));
    let convert = if part.kind == Kind::Long { "tolong" } else { "toreal" };
    Some(Assignment::new(&part.name, Expr::call(convert, value)))
}

fn summary(context: &mut Context<'_>, measures: &Measures<'_>, part: &Part) -> Expr {
    let aggregate = measures.aggregates.get(part.aggregate);
    match &part.what {
        What::Events | What::Values | What::Passing(..) => match measures.counted(part) {
            Expr::Bool(true) => Expr::Call("count", Vec::new()),
            condition => Expr::call("countif", condition),
        },
        What::Sum => Expr::call("sum", measures.summed(part)),
        What::Extreme => {
            let function = match aggregate.map(|aggregate| &aggregate.function) {
                Some(AggregateFunction::Minimum(_)) => "minif",
                _ => "maxif",
            };
            Expr::Call(function, vec![Expr::column(value_name(part.aggregate)), measures.counted(part)])
        }
        What::Distinct => {
            let values = match aggregate.map(|aggregate| &aggregate.function) {
                Some(AggregateFunction::Distinct(values)) => values.as_slice(),
                _ => &[],
            };
            for value in values.iter().filter(|value| matches!(value.node.ty(), Type::List(_))) {
                let message = "the elements of lists are told apart in sliding windows of counts and sums only; use a value that is no list";
                context.verdict.add(ReasonCode::UnsupportedBehavior, value.span, message);
            }
            let names = tuple_names(part.aggregate, values.len());
            let present = names.iter().map(|name| Expr::call("isnotempty", Expr::column(name)));
            let test = Expr::all(std::iter::once(measures.inside(part.aggregate)).chain(present));
            let value = match names.as_slice() {
                [only] => Expr::column(only),
                several => {
                    let parts = several.iter().map(Expr::column).collect();
                    Expr::call("tostring", Expr::Call("pack_array", parts))
                }
            };
            Expr::call("array_length", Expr::Call("make_set_if", vec![value, test]))
        }
    }
}

/// What a row adds to a counter.
pub(super) fn added(measures: &Measures<'_>, part: &Part) -> Expr {
    match &part.what {
        What::Sum => measures.summed(part),
        What::Events | What::Values | What::Passing(..) | What::Distinct | What::Extreme => {
            choose(measures.counted(part), Expr::Int(1), Expr::Int(0))
        }
    }
}
