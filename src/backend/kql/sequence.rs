//! Ordered chains: which shape fits, and the one-pass shape by `scan`.

use super::absence::{Absences, ENDS};
use super::ast::{Assignment, Expr, Extreme, Kind, Operator, ScanStep, Stage, Table};
use super::columns::{Carried, Columns};
use super::frame::TIME;
use super::reader::Context;
use super::rows::{Form, Marks, STEP, Wanted, key_columns, marks, rows};
use super::window::within;
use super::{differ, join, meet};
use crate::ir::{Behavior, CaseRule, SignalId, Value};
use crate::plan::{Chain, Conditions, Link};

/// Column of the chain's start.
pub(super) const FROM: &str = "detc_from";
/// Column that orders the events of one instant.
pub(super) const ORDER: &str = "detc_order";

/// A chain on its way to a query.
#[derive(Debug)]
pub(super) struct Sequence<'c, 'a> {
    /// What is common to the detection.
    pub(super) context: &'c mut Context<'a>,
    /// The chain.
    pub(super) chain: &'c Chain<'a>,
    /// Its signals in the order of their first links.
    pub(super) signals: Vec<SignalId>,
    /// How rows say which signals they belong to.
    pub(super) marks: Marks,
    /// The columns of the result.
    pub(super) columns: &'c Columns<'a>,
    /// What must not happen around it.
    pub(super) absences: Absences<'a>,
}

/// The query of a chain.
pub(super) fn sequence<'a>(context: &mut Context<'a>, chain: &Chain<'a>, columns: &Columns<'a>) -> Option<Table> {
    let mut signals: Vec<SignalId> = Vec::new();
    for link in &chain.links {
        if !signals.contains(&link.signal) {
            signals.push(link.signal);
        }
    }
    let marks = marks(context, &signals);
    let Behavior::Sequence(behavior) = &context.stage.behavior.node else { return None };
    let absences = Absences::of(context, behavior, chain);
    let one_pass = ties_have_an_order(context, chain, &signals)
        && meet::key_conflict(context.stage, &signals).is_none()
        && behavior.conditions.is_empty()
        // Whether an event can start is no matter of its signals, by which the events of one instant are ordered.
        && (!absences.looks_at_starts() || chain.links.len() <= 2);
    let sequence = Sequence { context, chain, signals, marks, columns, absences };
    match &chain.conditions {
        Conditions::Free if one_pass && chain.links.len() == 1 => sequence.single(),
        Conditions::Free if one_pass => sequence.scan(&[]),
        Conditions::Agree(agreements) if one_pass => {
            let mut agreed = Vec::new();
            for (index, agreement) in agreements.iter().enumerate() {
                let values = agreement.values.iter().zip(&chain.links).map(|(value, link)| (link.signal, &value.value));
                let form = if agreement.case == CaseRule::Exact { Form::Key } else { Form::Folded };
                agreed.push(Wanted::value(&format!("detc_same_{}", index + 1), values.collect(), form));
            }
            if agreed.iter().all(|column| sequence.is_one_value(&column.values)) {
                sequence.scan(&agreed)
            } else {
                join::chain(sequence)
            }
        }
        Conditions::Differ { relation, earlier, later } if one_pass && chain.links.len() == 2 => {
            let signal = |index: &usize| chain.links.get(*index).map_or(SignalId(0), |link| link.signal);
            let values = [(signal(earlier), &relation.left.value), (signal(later), &relation.right.value)];
            // Events of one instant that are both steps pair in either order only where both steps compare one value.
            if sequence.is_one_value(&values) { differ::chain(sequence, relation) } else { join::chain(sequence) }
        }
        Conditions::Free | Conditions::Agree(_) | Conditions::Differ { .. } | Conditions::Other(_) => {
            join::chain(sequence)
        }
    }
}

/// Whether the events of any instant can be put into one order in which every chain among them is seen.
///
/// That is so when the links of each signal are neighbours and an event can belong to two signals only where these
/// follow each other: events of the first alone come before those of both, and these before those of the second alone.
fn ties_have_an_order(context: &Context<'_>, chain: &Chain<'_>, signals: &[SignalId]) -> bool {
    let position = |signal: SignalId| signals.iter().position(|id| *id == signal).unwrap_or(0);
    let ascending = chain.links.windows(2).all(|pair| match pair {
        [one, next] => position(one.signal) <= position(next.signal),
        _ => true,
    });
    let meet = |one: usize, other: usize| {
        let (Some(one), Some(other)) = (signals.get(one), signals.get(other)) else { return (false, false) };
        let in_a_hit = meet::in_a_hit(context.stage, *one, *other).is_some();
        (meet::in_a_row(context.stage, *one, *other), in_a_hit)
    };
    let fits = |one: usize, other: usize| match meet(one, other) {
        (_, true) => false,
        (true, false) => other - one == 1,
        (false, false) => true,
    };
    ascending && (0..signals.len()).all(|one| (one + 1..signals.len()).all(|other| fits(one, other)))
}

impl<'a> Sequence<'_, 'a> {
    /// Whether a row has one value of a column whatever step it is taken for.
    fn is_one_value(&self, values: &[(SignalId, &Value)]) -> bool {
        let may_meet = |one: SignalId, other: SignalId| one == other || meet::in_a_row(self.context.stage, one, other);
        let clash = |one: &(SignalId, &Value), other: &(SignalId, &Value)| one.1 != other.1 && may_meet(one.0, other.0);
        !values.iter().any(|one| values.iter().any(|other| clash(one, other)))
    }

    /// The carried columns with the links whose events they show.
    pub(super) fn shown(&self) -> Vec<(Carried<'a>, usize)> {
        let last = self.chain.links.len().saturating_sub(1);
        let link = |column: &Carried<'a>| {
            let step = column.column.step()?;
            self.chain.links.iter().position(|link| link.step == step && link.names_step)
        };
        self.columns.of_events().map(|column| (column.clone(), link(column).unwrap_or(last))).collect()
    }

    /// The name under which a shown column stands in the rows: its own for the last link, a helper's for earlier ones.
    pub(super) fn row_name(&self, index: usize, column: &Carried<'_>, link: usize) -> String {
        if link + 1 == self.chain.links.len() { column.name.clone() } else { format!("detc_shown_{}", index + 1) }
    }

    /// The shown columns of the rows.
    pub(super) fn shown_columns(&self) -> Vec<Wanted<'a>> {
        let shown = self.shown();
        let wanted = shown.iter().enumerate().filter_map(|(index, (column, link))| {
            let signal = self.chain.links.get(*link)?.signal;
            let value = column.values().into_iter().find_map(|(of, value)| (of == signal).then_some(value))?;
            Some(Wanted::value(&self.row_name(index, column, *link), vec![(signal, value)], Form::Shown))
        });
        wanted.collect()
    }

    /// The rows of all signals in order, with keys, the given columns and those that are shown.
    pub(super) fn ordered_rows(&mut self, extra: &[Wanted<'a>]) -> Option<Table> {
        let mut wanted = key_columns(self.context, &self.signals, self.columns);
        wanted.extend(extra.iter().cloned());
        wanted.extend(self.shown_columns());
        let mut table = self.rows(wanted)?;
        let mut order = self.columns.keys.clone();
        order.extend(extra.iter().filter(|column| column.name.starts_with("detc_same")).map(|c| c.name.clone()));
        order.push(TIME.to_owned());
        match &self.marks {
            Marks::One => {}
            Marks::Numbers(_) => order.push(STEP.to_owned()),
            Marks::Flags(_) => {
                table = table.with(Stage::Extend(vec![Assignment::new(ORDER, self.rank())]));
                order.push(ORDER.to_owned());
            }
        }
        if self.absences.looks_at_starts() {
            order.push(ENDS.to_owned());
        }
        Some(table.with(Stage::Sort(order)))
    }

    /// The rows of all signals with the given columns, the marks, and what is around them.
    pub(super) fn rows(&mut self, mut wanted: Vec<Wanted<'a>>) -> Option<Table> {
        wanted.extend(self.absences.wanted());
        let table = rows(self.context, &self.signals, &self.marks, &wanted);
        let mut kept: Vec<String> = wanted.into_iter().map(|column| column.name).collect();
        kept.extend(self.marks.columns());
        self.absences.beside(self.context, self.columns, table?, &kept)
    }

    /// The condition that a row can be the event of a link, as far as it goes without the others.
    pub(super) fn is_link(&self, index: usize) -> Expr {
        let signal = self.chain.links.get(index).map_or(SignalId(0), |link| link.signal);
        let starts = if index == 0 { self.absences.starts() } else { Expr::Bool(true) };
        Expr::all([self.marks.is(signal), starts])
    }

    /// The query of a single event, which stands beside an absence.
    fn single(mut self) -> Option<Table> {
        let wanted = key_columns(self.context, &self.signals, self.columns);
        let wanted = wanted.into_iter().chain(self.shown_columns()).collect();
        let table = self.rows(wanted)?.filtered([self.is_link(0)]);
        let table = table.with(Stage::Extend(vec![Assignment::new(FROM, Expr::column(TIME))]));
        Some(self.finish(table))
    }

    /// Where an event stands among those of its instant.
    fn rank(&self) -> Expr {
        let mut arguments = Vec::new();
        let mut rank = 0;
        let followers = self.signals.iter().skip(1).map(Some).chain([None]);
        for (signal, follower) in self.signals.iter().zip(followers) {
            rank += 2;
            let Some(follower) = follower else { continue };
            if meet::in_a_row(self.context.stage, *signal, *follower) {
                let both = Expr::all([self.marks.is(*signal), self.marks.is(*follower)]);
                arguments.push((both, rank));
            }
        }
        // Events of two signals are asked for first.
        let singles = self
            .signals
            .iter()
            .enumerate()
            .map(|(index, signal)| (self.marks.is(*signal), i64::try_from(index * 2 + 1).unwrap_or(i64::MAX)));
        arguments.extend(singles);
        let last = arguments.pop().map_or(0, |(_, rank)| rank);
        let mut flat: Vec<Expr> = arguments.into_iter().flat_map(|(test, rank)| [test, Expr::Int(rank)]).collect();
        flat.push(Expr::Int(last));
        Expr::Call("case", flat)
    }

    /// The shape that passes once over the sorted rows.
    fn scan(mut self, agreed: &[Wanted<'a>]) -> Option<Table> {
        let table = self.ordered_rows(agreed)?;
        let table = match self.required(agreed) {
            Some(condition) => insert_before_sort(table, condition),
            None => table,
        };
        let mut groups = self.columns.keys.clone();
        groups.extend(agreed.iter().map(|column| column.name.clone()));
        let names = self.step_names();
        let first = names.first().cloned().unwrap_or_default();
        let shown = self.shown();
        let mut declare = vec![(FROM.to_owned(), Kind::Time)];
        let mut carried = vec![Assignment::new(FROM, Expr::State(first.clone(), TIME.to_owned()))];
        for (index, (column, link)) in shown.iter().enumerate() {
            if link + 1 < self.chain.links.len() {
                let step = names.get(*link).cloned().unwrap_or_default();
                declare.push((column.name.clone(), column.kind()));
                carried.push(Assignment::new(&column.name, Expr::State(step, self.row_name(index, column, *link))));
            }
        }
        let last = self.chain.links.len().saturating_sub(1);
        let mut steps = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let mut conditions = vec![self.is_link(index)];
            if index > 0 {
                let same = |group: &String| Expr::column(group).equals(Expr::State(first.clone(), group.clone()));
                conditions.extend(groups.iter().map(same));
                let start = Expr::State(first.clone(), TIME.to_owned());
                conditions.push(within(Expr::column(TIME), start.clone(), self.chain.window));
                let before = names.get(index - 1).cloned().unwrap_or_default();
                let before = Expr::State(before, TIME.to_owned());
                conditions.push(self.absences.between(index, index == last, &before, &start, Expr::column));
            }
            steps.push(ScanStep {
                name: name.clone(),
                output: index == last,
                condition: Expr::all(conditions),
                assignments: if index == last { std::mem::take(&mut carried) } else { Vec::new() },
            });
        }
        let table = table.with(Stage::Scan { declare, steps });
        Some(self.finish(table))
    }

    /// The condition that rows have every value in which the links agree.
    fn required(&self, agreed: &[Wanted<'_>]) -> Option<Expr> {
        let folded = agreed.iter().filter(|column| column.form == Form::Folded);
        let conditions: Vec<Expr> = folded.map(|column| Expr::call("isnotempty", Expr::column(&column.name))).collect();
        if conditions.is_empty() { None } else { Some(Expr::all(conditions)) }
    }

    /// Names of the scan's steps: those of the detection's, numbered where a step is several events.
    fn step_names(&self) -> Vec<String> {
        let crate::ir::Behavior::Sequence(crate::ir::Sequence { steps, .. }) = &self.context.stage.behavior.node else {
            return Vec::new();
        };
        let name = |(index, link): (usize, &Link)| {
            let name = steps.get(link.step).map_or("", |step| step.name.as_str());
            if link.names_step { format!("detc_at_{name}") } else { format!("detc_at_{name}_{}", index + 1) }
        };
        self.chain.links.iter().enumerate().map(name).collect()
    }

    /// One row for each hit: of the chains that close at one instant that with the latest start, and of the instants
    /// that report one start the earliest.
    pub(super) fn finish(self, table: Table) -> Table {
        let keys = || self.columns.keys.iter().map(Assignment::keep);
        let mut closings: Vec<Assignment> = keys().collect();
        closings.push(Assignment::keep(TIME));
        let mut starts: Vec<Assignment> = keys().collect();
        starts.push(Assignment::keep(FROM));
        let table = table
            .with(Stage::Extreme { which: Extreme::Largest, of: FROM.to_owned(), by: closings })
            .with(Stage::Extreme { which: Extreme::Smallest, of: TIME.to_owned(), by: starts });
        if !self.absences.is_trailing() {
            return table.filtered([self.context.newest()]);
        }
        let over = Expr::infix(Expr::column(FROM), Operator::Add, Expr::Span(self.chain.window));
        table
            .with(Stage::Where(self.absences.behind(&Expr::column(FROM))))
            .with(Stage::Extend(vec![Assignment::new(TIME, over)]))
            .filtered([self.context.newest_and_over()])
    }
}

/// Puts a condition before the sort at the end, which is dear.
pub(super) fn insert_before_sort(mut table: Table, condition: Expr) -> Table {
    let sort = table.stages.pop();
    table.stages.push(Stage::Where(condition));
    table.stages.extend(sort);
    table
}

/// `left != right`, true also where a side is empty.
pub(super) fn differs(left: Expr, right: Expr) -> Expr {
    Expr::any([Expr::infix(left, Operator::NotEqual, right.clone()), Expr::call("isempty", right)])
}
