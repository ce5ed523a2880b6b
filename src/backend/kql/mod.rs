//! Microsoft's Kusto query language, as scheduled rules over Log Analytics tables run it.
//!
//! Never quotes a string outside `print`, and never emits a query that means less than the detection.

mod ast;
mod call;
mod columns;
mod differ;
mod field;
mod frame;
mod join;
mod list;
mod network;
mod pattern;
mod predicate;
mod print;
mod reader;
mod reserved;
mod rows;
mod sequence;
mod text;
mod value;
mod window;

use super::{Backend, Fidelity, Output, Query, ReasonCode, Request, Verdict};
use crate::ir::{Behavior, Predicate};
use crate::plan::{self, Operator};
use ast::Script;
use columns::Columns;
use reader::Context;

/// Most characters that a scheduled rule's query may have.
const LONGEST_QUERY: usize = 10_000;

/// The Kusto query language.
#[derive(Debug, Clone, Copy)]
pub struct Kql;

impl Backend for Kql {
    fn name(&self) -> &'static str {
        "kql"
    }

    fn compile(&self, request: &Request<'_>) -> Output {
        let detection = request.detection;
        let mut context = Context { request: *request, verdict: Verdict::default(), helpers: 0 };
        let columns = Columns::of(detection);
        let window = match &detection.stage.behavior.node {
            Behavior::Event { .. } => detection.stage.behavior.span,
            Behavior::Count { window, .. } | Behavior::Distinct { window, .. } => window.span,
            Behavior::Sequence(sequence) => sequence.window.span,
            Behavior::Aggregation(aggregation) => aggregation.window.span,
            Behavior::Group(group) => group.window.span,
            Behavior::Rare(rare) => rare.history.span,
            Behavior::Baseline(baseline) => baseline.history.span,
            Behavior::Travel(travel) => travel.window.span,
        };
        frame::check(&mut context, window);
        assume(&mut context);
        let script = lower(&mut context, &columns);
        let text = script.map(|script| script.to_string());
        if let Some(text) = &text
            && text.chars().count() > LONGEST_QUERY
        {
            let message = format!(
                "the query has {} characters and the engine takes {LONGEST_QUERY}; use fewer or shorter literals",
                text.chars().count()
            );
            context.verdict.add(ReasonCode::QueryTooLong, detection.stage.behavior.span, message);
        }
        let verdict = context.verdict;
        if verdict.fidelity() == Fidelity::Unsupported {
            return Output { verdict, query: None };
        }
        let result = columns.result(detection).into_iter().map(|column| column.name).collect();
        let query = text.map(|text| Query {
            language: "kql",
            extension: "kql",
            text,
            columns: result,
            missing_columns: columns.missing,
            deployment: frame::deployment(request.schedule),
        });
        Output { verdict, query }
    }
}

/// States what has to be true of the deployment for the query to be exact.
fn assume(context: &mut Context<'_>) {
    let schedule = context.request.schedule;
    context.verdict.assume(format!("no event arrives more than {} after its time", schedule.lag));
    context.verdict.assume(format!("runs are exactly {} apart", schedule.interval));
    context.verdict.assume("no event is delivered twice");
}

/// Notes what this backend does not lower; whether there was anything.
fn refuse(context: &mut Context<'_>) -> bool {
    let detection = context.request.detection;
    let (behavior, span) = (&detection.stage.behavior.node, detection.stage.behavior.span);
    let mut refusals = Vec::new();
    if detection.stage.is_composed() {
        refusals
            .push((span, "signals that are made of hits are not lowered; write one behaviour over events".to_owned()));
    }
    if detection.filter.node != Predicate::Constant(true) {
        refusals
            .push((detection.filter.span, "exceptions on finished hits are not lowered; name the signals".to_owned()));
    }
    let lowered = match behavior {
        Behavior::Event { signals } => signals.len() == 1,
        Behavior::Count { .. } | Behavior::Distinct { .. } => true,
        Behavior::Sequence(sequence) => sequence.is_plain(),
        Behavior::Aggregation(_)
        | Behavior::Group(_)
        | Behavior::Rare(_)
        | Behavior::Baseline(_)
        | Behavior::Travel(_) => false,
    };
    if !lowered {
        let message =
            format!("`{}` in this form is not lowered; restrict `targets` to those that have it", behavior.name());
        refusals.push((span, message));
    }
    let refused = !refusals.is_empty();
    for (span, message) in refusals {
        context.verdict.add(ReasonCode::UnsupportedBehavior, span, message);
    }
    refused
}

fn lower(context: &mut Context<'_>, columns: &Columns) -> Option<Script> {
    if refuse(context) {
        return None;
    }
    let detection = context.request.detection;
    let signal = *detection.stage.behavior.node.positive_signals().first()?;
    let pipeline = plan::lower(&detection.stage);
    for operator in &pipeline.operators {
        match operator {
            Operator::Read(_) | Operator::Mark(_) | Operator::Key | Operator::Newest | Operator::Show(_) => {}
            Operator::Nth { at_least, window } => {
                return window::count(context, signal, *at_least, *window, columns);
            }
            Operator::Spread { values, at_least, window } => {
                return window::distinct(context, signal, values, *at_least, *window, columns);
            }
            Operator::Chain(chain) => return sequence::sequence(context, chain, columns),
        }
    }
    window::event(context, signal, columns)
}
