//! Single events: every event of a signal, or of any of several.

use super::ast::{Assignment, Expr, Stage, Table};
use super::columns::Columns;
use super::frame;
use super::meet;
use super::reader::{Context, Reader};
use super::rows::{Form, Wanted, marks, rows};
use crate::backend::ReasonCode;
use crate::ir::{self, Behavior, SignalId};
use crate::schema::Duration;

/// Every event of the signals; the whole event where a single signal has the last word.
pub(super) fn event<'a>(context: &mut Context<'a>, signals: &[SignalId], columns: &Columns<'a>) -> Option<Table> {
    if let [signal] = signals
        && !context.is_inner
        && is_whole(context.stage)
    {
        return whole(context, *signal, columns);
    }
    for (index, one) in signals.iter().enumerate() {
        for other in signals.iter().skip(index + 1) {
            if let Some(span) = meet::in_a_hit(context.stage, *one, *other) {
                let message =
                    "an event that closes hits of both signals is two hits here; let the signals exclude each other";
                context.verdict.add(ReasonCode::TieOverlap, span, message);
            }
        }
    }
    let marks = marks(context, signals);
    let wanted: Vec<Wanted<'a>> =
        columns.of_events().map(|column| Wanted::value(&column.name, column.values(), Form::Shown)).collect();
    rows(context, signals, &marks, &wanted)
}

/// Whether the result is the events of one signal with all their columns.
pub(super) fn is_whole(stage: &ir::Stage) -> bool {
    match &stage.behavior.node {
        Behavior::Event { signals } => {
            let is_of_source = |signal: &ir::Signal| signal.stage.is_none() && signal.source.members.is_empty();
            matches!(signals.as_slice(), [one] if stage.signal(*one).is_some_and(is_of_source))
        }
        Behavior::Count { .. }
        | Behavior::Distinct { .. }
        | Behavior::Aggregation(_)
        | Behavior::Sequence(_)
        | Behavior::Group(_)
        | Behavior::Rare(_)
        | Behavior::Baseline(_)
        | Behavior::Travel(_) => false,
    }
}

/// Every event of the signal, with all its columns and those that are asked for.
fn whole<'a>(context: &mut Context<'a>, signal: SignalId, columns: &Columns<'a>) -> Option<Table> {
    let predicate = &context.stage.signal(signal)?.predicate;
    let mut reader = Reader::of_signal(context, signal)?;
    let mut stages = vec![Stage::Where(frame::read(&reader.time, Duration::ZERO))];
    stages.extend(reader.filter(predicate));
    let mut shown = Vec::new();
    for column in columns.of_events() {
        let Some((_, value)) = column.values().into_iter().next() else { continue };
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
    Some(Table::union(reader.tables.rows(&stages)))
}
