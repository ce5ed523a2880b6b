//! Two links that differ in a value: one pass that keeps the newest event of the first link and the newest with another value.

use super::ast::{Assignment, Expr, Kind, ScanStep, Stage, Table};
use super::frame::TIME;
use super::rows::{Form, Wanted};
use super::sequence::{FROM, Sequence, differs};
use super::window::within;
use crate::ir::{CaseRule, Relation};

const STATE: &str = "detc_fold";
/// Value of the first link on a row, and of the second.
const LEFT: &str = "detc_left";
const RIGHT: &str = "detc_right";
/// Time and value of the newest event of the first link.
const NEWEST: &str = "detc_newest";
const NEWEST_VALUE: &str = "detc_newest_value";
/// Time of the newest event of the first link that has another value than that.
const OTHER: &str = "detc_other";

/// The query of a chain of two links with one inequality.
pub(super) fn chain<'a>(mut sequence: Sequence<'_, 'a>, relation: &'a Relation) -> Option<Table> {
    let (first, second) = match sequence.chain.links.as_slice() {
        [first, second] => (first.signal, second.signal),
        _ => return None,
    };
    let form = if relation.case == CaseRule::Exact { Form::Text } else { Form::Folded };
    let side = |name: &str, signal, value| Wanted::value(name, vec![(signal, value)], form);
    let values = [side(LEFT, first, &relation.left.value), side(RIGHT, second, &relation.right.value)];
    let table = sequence.ordered_rows(&values)?;

    let state = |name: &str| Expr::State(STATE.to_owned(), name.to_owned());
    let never = || Expr::Day("1970-01-01");
    let same_key = Expr::all(
        sequence.columns.keys.iter().map(|key| Expr::State(STATE.to_owned(), key.clone()).equals(Expr::column(key))),
    );
    // What an earlier row of the key left behind.
    let kept = |name: &str| match &same_key {
        Expr::Bool(_) => state(name).or_else(never()),
        same_key => same_key.clone().choose(state(name), never()),
    };
    let (is_first, is_second) = (sequence.is_link(0), sequence.is_link(1));
    let closes = Expr::all([is_second, same_key.clone()]);
    let starts_from_newest = differs(state(NEWEST_VALUE), Expr::column(RIGHT));
    let pushes = Expr::all([is_first.clone(), differs(state(NEWEST_VALUE), Expr::column(LEFT))]);

    let mut declare = vec![
        (FROM.to_owned(), Kind::Time),
        (NEWEST.to_owned(), Kind::Time),
        (NEWEST_VALUE.to_owned(), Kind::Text),
        (OTHER.to_owned(), Kind::Time),
    ];
    // Where the row closes a chain the state is that of its key; without keys the first row has none.
    let known = |name: &str| if same_key == Expr::Bool(true) { kept(name) } else { state(name) };
    let start = starts_from_newest.clone().choose(known(NEWEST), known(OTHER));
    let mut assignments = vec![
        Assignment::new(FROM, choose(closes.clone(), start, never())),
        Assignment::new(NEWEST, choose(is_first.clone(), Expr::column(TIME), kept(NEWEST))),
        Assignment::new(NEWEST_VALUE, choose(is_first.clone(), Expr::column(LEFT), state(NEWEST_VALUE))),
        Assignment::new(OTHER, pushes.clone().choose(kept(NEWEST), kept(OTHER))),
    ];
    for (index, (column, link)) in sequence.shown().into_iter().enumerate() {
        if link > 0 {
            continue;
        }
        let (newest, other) = (format!("{NEWEST}_{}", index + 1), format!("{OTHER}_{}", index + 1));
        let row = Expr::column(sequence.row_name(index, &column, link));
        let kind = column.kind();
        declare.extend([(column.name.clone(), kind), (newest.clone(), kind), (other.clone(), kind)]);
        assignments
            .push(Assignment::new(&column.name, starts_from_newest.clone().choose(state(&newest), state(&other))));
        assignments.push(Assignment::new(&newest, choose(is_first.clone(), row, state(&newest))));
        assignments.push(Assignment::new(&other, pushes.clone().choose(state(&newest), state(&other))));
    }
    let step = ScanStep { name: STATE.to_owned(), output: true, condition: Expr::Bool(true), assignments };
    let start = Expr::column(FROM);
    let table = table.with(Stage::Scan { declare, steps: vec![step] }).with(Stage::Where(Expr::all([
        within(Expr::column(TIME), start.clone(), sequence.chain.window),
        sequence.absences.between(1, true, &start, &start, Expr::column),
    ])));
    Some(sequence.finish(table))
}

/// A choice that is none where the condition always holds.
fn choose(condition: Expr, yes: Expr, no: Expr) -> Expr {
    if condition == Expr::Bool(true) { yes } else { condition.choose(yes, no) }
}
