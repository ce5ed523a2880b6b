//! Chains that no single pass decides: each link's events are joined to the chains before, by key and by bins of the
//! window's length, so that only events within two bins of a start meet it.

use super::ast::{Assignment, Expr, Kind, Let, Operator, Script, Stage, Table};
use super::frame::TIME;
use super::reader::Context;
use super::rows::{Form, Wanted, rows};
use super::sequence::{FROM, Sequence, differs};
use super::window::{EVENTS, key_columns, within};
use crate::backend::ReasonCode;
use crate::ir::{Behavior, CaseRule, RelationKind, SignalId};
use crate::plan::key_conflict;
use crate::schema::Type;

/// Column by which neighbours in time meet, and column that tells events apart.
const BIN: &str = "detc_bin";
const NUMBER: &str = "detc_number";

/// A relation between two links, whose values are columns of the rows.
struct Comparison {
    earlier: usize,
    later: usize,
    kind: RelationKind,
    left: String,
    right: String,
}

/// The query of any chain.
pub(super) fn chain(sequence: Sequence<'_, '_>) -> Option<Script> {
    sequence.context.verdict.assume("cost: quadratic in the events of one key inside the window");
    let detection = sequence.context.request.detection;
    let Behavior::Sequence(crate::ir::Sequence { steps, relations, .. }) = &detection.stage.behavior.node else {
        return None;
    };
    let links = &sequence.chain.links;

    // Where an event can have two keys, each signal's stand in columns of their own.
    let own_keys = key_conflict(&detection.stage).is_some();
    let mut wanted = Vec::new();
    if own_keys {
        refuse_list_keys(sequence.context);
        for signal in &sequence.signals {
            for (index, column) in key_columns(sequence.context, &[*signal], sequence.columns).into_iter().enumerate() {
                wanted.push(Wanted { name: own_key(index, *signal), form: Form::Text, ..column });
            }
        }
    } else {
        wanted = key_columns(sequence.context, &sequence.signals, sequence.columns);
    }
    let mut comparisons = Vec::new();
    for (index, relation) in relations.iter().enumerate() {
        let link = |step: usize| links.iter().position(|link| link.step == step && link.names_step);
        let (Some(earlier), Some(later)) = (link(relation.left.step), link(relation.right.step)) else { continue };
        let form = if relation.case == CaseRule::Exact { Form::Text } else { Form::Folded };
        let (left, right) = (format!("detc_left_{}", index + 1), format!("detc_right_{}", index + 1));
        for (name, side) in [(&left, &relation.left), (&right, &relation.right)] {
            let signal = steps.get(side.step)?.signal;
            wanted.push(Wanted { name: name.clone(), values: vec![(signal, &side.value)], form });
        }
        comparisons.push(Comparison { earlier, later, kind: relation.kind, left, right });
    }
    wanted.extend(sequence.shown_columns());
    let events = rows(sequence.context, &sequence.signals, &sequence.marks, sequence.chain.window, &wanted)?
        .with(Stage::Number(NUMBER));

    let mut on = sequence.columns.keys.clone();
    on.push(BIN.to_owned());
    let mut table: Option<Table> = None;
    for index in 0..links.len() {
        let leg = leg(&sequence, index, &comparisons, own_keys);
        table = Some(match table {
            None => leg.with(Stage::Extend(vec![Assignment::new(BIN, bin(&sequence, index))])),
            Some(chains) => {
                let bins = Expr::Call(
                    "pack_array",
                    vec![bin(&sequence, index), bin(&sequence, index).minus(Expr::Span(sequence.chain.window))],
                );
                let right = leg.with(Stage::Expand { name: BIN.to_owned(), list: bins, kind: Kind::Time });
                chains
                    .with(Stage::Join { right: Box::new(right), on: on.clone() })
                    .with(Stage::Where(follows(&sequence, index)))
                    .filtered(comparisons.iter().filter(|one| one.earlier.max(one.later) == index).map(holds))
            }
        });
    }

    let last = links.len().saturating_sub(1);
    let mut result = vec![Assignment::new(TIME, Expr::column(time(last)))];
    result.extend(sequence.columns.keys.iter().map(Assignment::keep));
    result.push(Assignment::new(FROM, Expr::column(time(0))));
    for (index, (column, link)) in sequence.shown().into_iter().enumerate() {
        result.push(Assignment::new(&column.name, Expr::column(sequence.row_name(index, column, link))));
    }
    let table = table?.with(Stage::Project(result));
    let mut script = sequence.finish(table);
    script.lets.push(Let::Materialized(EVENTS, events));
    Some(script)
}

/// Lists as keys make a row for each element, which keys of several signals cannot do on one row.
fn refuse_list_keys(context: &mut Context<'_>) {
    let detection = context.request.detection;
    for key in detection.stage.signals.iter().flat_map(|signal| &signal.keys) {
        if matches!(key.node.ty(), Type::List(_)) {
            let message = "one event can have two keys here, which does not go together with a key that is a list; give the signals the same keys or let them exclude each other";
            context.verdict.add(ReasonCode::UnsupportedBehavior, key.span, message);
        }
    }
}

/// The events of one link.
fn leg(sequence: &Sequence<'_, '_>, index: usize, comparisons: &[Comparison], own_keys: bool) -> Table {
    let signal = sequence.chain.links.get(index).map_or(SignalId(0), |link| link.signal);
    let mut conditions = vec![sequence.marks.is(signal)];
    let mut columns = Vec::new();
    for (position, key) in sequence.columns.keys.iter().enumerate() {
        if own_keys {
            let own = Expr::column(own_key(position, signal));
            conditions.push(Expr::call("isnotempty", own.clone()));
            columns.push(Assignment::new(key, own));
        } else {
            columns.push(Assignment::keep(key));
        }
    }
    columns.push(Assignment::new(time(index), Expr::column(TIME)));
    columns.push(Assignment::new(number(index), Expr::column(NUMBER)));
    for one in comparisons {
        if one.earlier == index {
            columns.push(Assignment::keep(&one.left));
        }
        if one.later == index {
            columns.push(Assignment::keep(&one.right));
        }
    }
    for (position, (column, link)) in sequence.shown().into_iter().enumerate() {
        if link == index {
            columns.push(Assignment::keep(sequence.row_name(position, column, link)));
        }
    }
    Table::named(EVENTS).filtered([Expr::all(conditions)]).with(Stage::Project(columns))
}

/// The condition that the event of a link continues the chain before it.
fn follows(sequence: &Sequence<'_, '_>, index: usize) -> Expr {
    let links = &sequence.chain.links;
    let before = Expr::column(time(index.saturating_sub(1)));
    let mut conditions = vec![
        Expr::infix(Expr::column(time(index)), Operator::GreaterOrEqual, before),
        within(Expr::column(time(index)), Expr::column(time(0)), sequence.chain.window),
    ];
    let signal = |index: usize| links.get(index).map_or(SignalId(0), |link| link.signal);
    for earlier in 0..index {
        let (one, other) = (signal(earlier), signal(index));
        if one == other || sequence.chain.overlaps.contains(&(one.min(other), one.max(other))) {
            let (one, other) = (Expr::column(number(index)), Expr::column(number(earlier)));
            conditions.push(Expr::infix(one, Operator::NotEqual, other));
        }
    }
    Expr::all(conditions)
}

fn holds(comparison: &Comparison) -> Expr {
    let (left, right) = (Expr::column(&comparison.left), Expr::column(&comparison.right));
    match comparison.kind {
        RelationKind::Same => Expr::all([Expr::call("isnotempty", left.clone()), left.equals(right)]),
        RelationKind::Different => differs(left, right),
    }
}

fn bin(sequence: &Sequence<'_, '_>, index: usize) -> Expr {
    Expr::Call("bin", vec![Expr::column(time(index)), Expr::Span(sequence.chain.window)])
}

fn time(index: usize) -> String {
    format!("detc_time_{}", index + 1)
}

fn number(index: usize) -> String {
    format!("{NUMBER}_{}", index + 1)
}

fn own_key(index: usize, signal: SignalId) -> String {
    format!("detc_key_{}_{}", index + 1, signal.0 + 1)
}
