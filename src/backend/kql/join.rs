//! Chains that no single pass decides: each link's events are joined to the chains before, by key and by bins of the
//! window's length, so that only events within two bins of a start meet it.

use super::ast::{Assignment, Expr, JoinKind, Kind, Operator, Stage, Table};
use super::condition::Conditions;
use super::frame::TIME;
use super::meet;
use super::reader::Context;
use super::rows::{Form, Wanted, key_columns};
use super::sequence::{FROM, Sequence};
use super::window::{EVENTS, within};
use crate::backend::ReasonCode;
use crate::ir::{Behavior, SignalId};
use crate::schema::Type;

/// Column by which neighbours in time meet, and column that tells events apart.
const BIN: &str = "detc_bin";
const NUMBER: &str = "detc_number";

/// The query of any chain.
pub(super) fn chain(mut sequence: Sequence<'_, '_>) -> Option<Table> {
    sequence.context.verdict.assume("cost: quadratic in the events of one key inside the window");
    let stage = sequence.context.stage;
    let Behavior::Sequence(behavior) = &stage.behavior.node else { return None };
    let links = &sequence.chain.links;
    note_ties(&mut sequence);

    // Where an event can have two keys, each signal's stand in columns of their own.
    let own_keys = meet::key_conflict(stage, &sequence.signals).is_some();
    let mut wanted = Vec::new();
    if own_keys {
        refuse_list_keys(sequence.context);
        if let Some(span) = sequence.absences.place(behavior) {
            let message = "one event can have two keys here, which does not go together with `no` and `until`; give the signals the same keys or let them exclude each other";
            sequence.context.verdict.add(ReasonCode::UnsupportedBehavior, span, message);
            return None;
        }
        for signal in &sequence.signals {
            for (index, column) in key_columns(sequence.context, &[*signal], sequence.columns).into_iter().enumerate() {
                wanted.push(Wanted { name: own_key(index, *signal), form: Form::Text, ..column });
            }
        }
    } else {
        wanted = key_columns(sequence.context, &sequence.signals, sequence.columns);
    }
    let mut conditions = Conditions::of(&mut sequence, behavior)?;
    wanted.append(&mut conditions.wanted);
    wanted.extend(sequence.shown_columns());
    let events = sequence.rows(wanted)?.with(Stage::Number(NUMBER));
    let events = sequence.context.bind(EVENTS, events);

    let mut on = sequence.columns.keys.clone();
    on.push(BIN.to_owned());
    let mut table: Option<Table> = None;
    for index in 0..links.len() {
        let leg = leg(&sequence, &events, index, &conditions, own_keys);
        table = Some(match table {
            None => leg.with(Stage::Extend(vec![Assignment::new(BIN, bin(&sequence, index))])),
            Some(chains) => {
                let bins = Expr::Call(
                    "pack_array",
                    vec![bin(&sequence, index), bin(&sequence, index).minus(Expr::Span(sequence.chain.window))],
                );
                let right = leg.with(Stage::Expand { name: BIN.to_owned(), list: bins, kind: Kind::Time });
                chains
                    .with(Stage::Join { kind: JoinKind::Inner, right: Box::new(right), on: on.clone() })
                    .with(Stage::Where(follows(&sequence, index)))
                    .filtered(conditions.all.iter().filter(|one| one.link == index).map(|one| one.expr.clone()))
            }
        });
    }

    let last = links.len().saturating_sub(1);
    let mut result = vec![Assignment::new(TIME, Expr::column(time(last)))];
    result.extend(sequence.columns.keys.iter().map(Assignment::keep));
    result.push(Assignment::new(FROM, Expr::column(time(0))));
    for (index, (column, link)) in sequence.shown().into_iter().enumerate() {
        result.push(Assignment::new(&column.name, Expr::column(sequence.row_name(index, &column, link))));
    }
    result.extend(sequence.absences.next_column().map(Assignment::keep));
    let table = table?.with(Stage::Project(result));
    Some(sequence.finish(table))
}

/// Lists as keys make a row for each element, which keys of several signals cannot do on one row.
fn refuse_list_keys(context: &mut Context<'_>) {
    for key in context.stage.signals.iter().flat_map(|signal| &signal.keys) {
        if matches!(key.node.ty(), Type::List(_)) {
            let message = "one event can have two keys here, which does not go together with a key that is a list; give the signals the same keys or let them exclude each other";
            context.verdict.add(ReasonCode::UnsupportedBehavior, key.span, message);
        }
    }
}

/// The events of one link.
fn leg(sequence: &Sequence<'_, '_>, events: &str, index: usize, conditions: &Conditions<'_>, own_keys: bool) -> Table {
    let signal = sequence.chain.links.get(index).map_or(SignalId(0), |link| link.signal);
    let mut tests = vec![sequence.is_link(index)];
    let mut columns = Vec::new();
    for (position, key) in sequence.columns.keys.iter().enumerate() {
        if own_keys {
            let own = Expr::column(own_key(position, signal));
            tests.push(Expr::call("isnotempty", own.clone()));
            columns.push(Assignment::new(key, own));
        } else {
            columns.push(Assignment::keep(key));
        }
    }
    columns.push(Assignment::new(time(index), Expr::column(TIME)));
    columns.push(Assignment::new(number(index), Expr::column(NUMBER)));
    columns
        .extend(conditions.columns.iter().filter(|(_, link)| *link == index).map(|(name, _)| Assignment::keep(name)));
    let is_last = index + 1 == sequence.chain.links.len();
    for name in sequence.absences.columns() {
        match sequence.absences.next_column() {
            Some(next) if next == name && is_last => columns.push(Assignment::keep(name)),
            Some(next) if next == name => {}
            // Each link has its own.
            _ => columns.push(Assignment::new(of_link(&name, index), Expr::column(name))),
        }
    }
    for (position, (column, link)) in sequence.shown().into_iter().enumerate() {
        if link == index {
            columns.push(Assignment::keep(sequence.row_name(position, &column, link)));
        }
    }
    Table::named(events).filtered([Expr::all(tests)]).with(Stage::Project(columns))
}

/// The condition that the event of a link continues the chain before it.
fn follows(sequence: &Sequence<'_, '_>, index: usize) -> Expr {
    let links = &sequence.chain.links;
    let before = Expr::column(time(index.saturating_sub(1)));
    let mut conditions = vec![
        Expr::infix(Expr::column(time(index)), Operator::GreaterOrEqual, before.clone()),
        within(Expr::column(time(index)), Expr::column(time(0)), sequence.chain.window),
    ];
    let is_last = index + 1 == links.len();
    let column = |name: String| Expr::column(of_link(&name, index));
    conditions.push(sequence.absences.between(index, is_last, &before, &Expr::column(time(0)), column));
    let signal = |index: usize| links.get(index).map_or(SignalId(0), |link| link.signal);
    for earlier in 0..index {
        let (one, other) = (signal(earlier), signal(index));
        if meet::in_a_hit(sequence.context.stage, one, other).is_some() && one != other {
            conditions.push(Expr::infix(Expr::column(time(index)), Operator::Greater, Expr::column(time(earlier))));
        } else if one == other || meet::in_a_row(sequence.context.stage, one, other) {
            let (one, other) = (Expr::column(number(index)), Expr::column(number(earlier)));
            conditions.push(Expr::infix(one, Operator::NotEqual, other));
        }
    }
    Expr::all(conditions)
}

fn bin(sequence: &Sequence<'_, '_>, index: usize) -> Expr {
    Expr::Call("bin", vec![Expr::column(time(index)), Expr::Span(sequence.chain.window)])
}

/// Notes that an event and the hit that it closes are told apart by their times only.
fn note_ties(sequence: &mut Sequence<'_, '_>) {
    let stage = sequence.context.stage;
    for (index, one) in sequence.signals.iter().enumerate() {
        for other in sequence.signals.iter().skip(index + 1) {
            if let Some(span) = meet::in_a_hit(stage, *one, *other) {
                let message = "a hit and an event of its instant make no chain here, since the event can be the one that closes the hit, and a later chain of the same start is reported instead; let the signals exclude each other";
                sequence.context.verdict.add(ReasonCode::TieOverlap, span, message);
            }
        }
    }
}

fn of_link(name: &str, index: usize) -> String {
    format!("{name}_{}", index + 1)
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
