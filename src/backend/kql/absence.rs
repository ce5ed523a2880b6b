//! What must not happen around the events of a chain: each row learns when a forbidden event came last before it, or
//! comes next after it, so that an absence is a comparison of times.
//!
//! Never pairs events: which shape finds the chains does not matter here.

use super::ast::{Assignment, Expr, Operator, Stage, Table};
use super::columns::Columns;
use super::fold::{Fold, NEVER, NEVER_AGAIN};
use super::frame::TIME;
use super::meet;
use super::reader::Context;
use super::rows::{Marks, Wanted, key_columns, rows};
use crate::backend::ReasonCode;
use crate::ir::{Sequence, SignalId};
use crate::plan::Chain;
use crate::schema::Duration;
use crate::source::Span;

/// Column that says which forbidden signal a row belongs to; 0 for the events of the chain.
const FORBIDDEN: &str = "detc_forbidden";
/// Column that says whether an event ends chains and so starts none.
pub(super) const ENDS: &str = "detc_ends";

/// What must not happen around a chain.
#[derive(Debug, Default)]
pub(super) struct Absences<'a> {
    /// The forbidden signals, each once.
    signals: Vec<SignalId>,
    /// Position of the one before the chain.
    leading: Option<usize>,
    /// Links with the positions of those between them and the link before.
    gaps: Vec<(usize, usize)>,
    /// Position of the one behind the chain.
    trailing: Option<usize>,
    /// Position of the one that ends a chain.
    until: Option<usize>,
    /// The test of events that end chains, where the first event can be one.
    ends: Option<Wanted<'a>>,
    window: Duration,
}

impl<'a> Absences<'a> {
    /// What the behaviour forbids; the reasons where that cannot be said are in the verdict.
    pub(super) fn of(context: &mut Context<'a>, sequence: &'a Sequence, chain: &Chain<'a>) -> Self {
        let mut absences = Self { window: chain.window, ..Self::default() };
        for absence in &sequence.absences {
            let position = absences.position(absence.signal);
            if absence.before == 0 {
                absences.leading = Some(position);
            } else if absence.before == sequence.steps.len() {
                absences.trailing = Some(position);
            } else {
                let link = chain.links.iter().position(|link| link.step == absence.before);
                absences.gaps.extend(link.map(|link| (link, position)));
            }
        }
        if let (Some(until), Some(first)) = (&sequence.until, chain.links.first()) {
            absences.until = Some(absences.position(until.node));
            let (stage, first) = (context.stage, first.signal);
            let (Some(ending), Some(starting)) = (stage.signal(until.node), stage.signal(first)) else {
                return absences;
            };
            let same_keys = ending.keys.iter().zip(&starting.keys).all(|(one, other)| one.node == other.node);
            let meets_in_a_row = meet::in_a_row(stage, first, until.node);
            if meet::in_a_hit(stage, first, until.node).is_some() || (meets_in_a_row && !same_keys) {
                let message = "an event can both start a chain and end it, which the query cannot tell here; let the signals exclude each other";
                context.verdict.add(ReasonCode::UnsupportedBehavior, until.span, message);
            }
            if meets_in_a_row {
                absences.ends = Some(Wanted::test(ENDS, first, Some(&ending.predicate)));
            }
        }
        absences
    }

    fn position(&mut self, signal: SignalId) -> usize {
        self.signals.iter().position(|known| *known == signal).unwrap_or_else(|| {
            self.signals.push(signal);
            self.signals.len() - 1
        })
    }

    /// Whether an event's own content decides whether it can start a chain.
    pub(super) const fn looks_at_starts(&self) -> bool {
        self.ends.is_some()
    }

    /// Whether a wait stands behind the chain.
    pub(super) const fn is_trailing(&self) -> bool {
        self.trailing.is_some()
    }

    /// Where the first of them is written.
    pub(super) fn place(&self, sequence: &Sequence) -> Option<Span> {
        let absence = sequence.absences.first().map(|absence| absence.span);
        absence.or_else(|| sequence.until.as_ref().map(|until| until.span))
    }

    /// The column that the rows of the chain need.
    pub(super) fn wanted(&self) -> Option<Wanted<'a>> {
        self.ends.clone()
    }

    /// The rows of a chain with the times of the forbidden events around them; the columns are those that the rows keep.
    pub(super) fn beside(
        &self,
        context: &mut Context<'a>,
        columns: &Columns<'a>,
        table: Table,
        kept: &[String],
    ) -> Option<Table> {
        if self.signals.is_empty() {
            return Some(table);
        }
        let label = |number: usize| vec![Assignment::new(FORBIDDEN, position_number(number))];
        let mut tables = vec![table.with(Stage::Extend(label(0)))];
        for (position, signal) in self.signals.iter().enumerate() {
            let keys = key_columns(context, &[*signal], columns);
            let forbidden = rows(context, &[*signal], &Marks::One, &keys)?;
            tables.push(forbidden.with(Stage::Extend(label(position + 1))));
        }
        let mut table = Table::union(tables);
        let mut order = columns.instant();
        order.push(FORBIDDEN.to_owned());
        let mut kept: Vec<String> = std::iter::once(TIME.to_owned()).chain(kept.iter().cloned()).collect();
        kept.push(FORBIDDEN.to_owned());
        let is = |position: usize| Expr::column(FORBIDDEN).equals(position_number(position + 1));
        let before: Vec<usize> = (0..self.signals.len()).filter(|position| self.looks_back_at(*position)).collect();
        if !before.is_empty() {
            let mut fold = Fold::over(&columns.keys);
            for position in before {
                // Forbidden events come last in their instant, so a row sees those strictly before it.
                fold = fold.last_time(&last(position), is(position), NEVER);
                kept.push(last(position));
            }
            let keep = Stage::Project(kept.iter().map(Assignment::keep).collect());
            table = table.with(Stage::Sort(order.clone())).with(fold.stage()).with(keep);
        }
        if let Some(position) = self.trailing {
            let fold = Fold::over(&columns.keys).last_time(&next(position), is(position), NEVER_AGAIN);
            kept.push(next(position));
            let keep = Stage::Project(kept.iter().map(Assignment::keep).collect());
            table = table.with(Stage::SortLatestFirst(order)).with(fold.stage()).with(keep);
        }
        Some(table.with(Stage::Where(Expr::column(FORBIDDEN).equals(Expr::Int(0)))))
    }

    fn looks_back_at(&self, position: usize) -> bool {
        self.leading == Some(position)
            || self.until == Some(position)
            || self.gaps.iter().any(|(_, other)| *other == position)
    }

    /// The columns that `beside` adds to the rows.
    pub(super) fn columns(&self) -> Vec<String> {
        let mut columns: Vec<String> =
            (0..self.signals.len()).filter(|position| self.looks_back_at(*position)).map(last).collect();
        columns.extend(self.trailing.map(next));
        columns
    }

    /// The condition that a row can start a chain, as far as what came before it goes.
    pub(super) fn starts(&self) -> Expr {
        let leading = self.leading.map_or(Expr::Bool(true), |position| {
            let gap = Expr::column(TIME).minus(Expr::column(last(position)));
            Expr::infix(gap, Operator::Greater, Expr::Span(self.window))
        });
        let ends = self.ends.as_ref().map_or(Expr::Bool(true), |_| Expr::column(ENDS).not());
        Expr::all([leading, ends])
    }

    /// The condition that nothing forbidden lies between the event of a link and that before it, and behind the start
    /// where the link is the last. `column` names the columns of the link's row.
    pub(super) fn between(
        &self,
        link: usize,
        is_last: bool,
        before: &Expr,
        start: &Expr,
        column: impl Fn(String) -> Expr,
    ) -> Expr {
        let not_after =
            |position: usize, time: &Expr| Expr::infix(column(last(position)), Operator::LessOrEqual, time.clone());
        let gaps = self.gaps.iter().filter(|(at, _)| *at == link).map(|(_, position)| not_after(*position, before));
        let until = self.until.filter(|_| is_last && link > 0).map(|position| not_after(position, start));
        Expr::all(gaps.chain(until))
    }

    /// The condition that nothing forbidden comes within the window of the start.
    pub(super) fn behind(&self, start: &Expr) -> Expr {
        self.trailing.map_or(Expr::Bool(true), |position| {
            let gap = Expr::column(next(position)).minus(start.clone());
            Expr::infix(gap, Operator::Greater, Expr::Span(self.window))
        })
    }

    /// The column of the next forbidden event, where a wait stands behind the chain.
    pub(super) fn next_column(&self) -> Option<String> {
        self.trailing.map(next)
    }
}

fn position_number(position: usize) -> Expr {
    Expr::Int(i64::try_from(position).unwrap_or(i64::MAX))
}

/// Column of the last event of a forbidden signal strictly before a row.
fn last(position: usize) -> String {
    format!("detc_last_{}", position + 1)
}

/// Column of the next event of a forbidden signal strictly after a row.
fn next(position: usize) -> String {
    format!("detc_next_{}", position + 1)
}
