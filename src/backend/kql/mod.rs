//! Microsoft's Kusto query language, as scheduled rules over Log Analytics tables run it.
//!
//! Never quotes a string outside `print`, and never emits a query that means less than the detection.

mod absence;
mod aggregate;
mod ast;
mod baseline;
mod call;
mod columns;
mod condition;
mod differ;
mod event;
mod field;
mod fold;
mod frame;
mod group;
mod join;
mod list;
mod measure;
mod meet;
mod nearby;
mod network;
mod pattern;
mod predicate;
mod print;
mod rare;
mod reader;
mod reserved;
mod rows;
mod sequence;
mod stage;
mod sweep;
mod tables;
mod text;
mod travel;
mod value;
mod window;

use super::{Backend, Fidelity, Output, Query, ReasonCode, Request};
use ast::{Script, Stage};
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
        let mut context = Context::new(*request);
        let columns = Columns::of(&context);
        frame::check(&mut context);
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
        let result = columns.result().into_iter().map(|column| column.name).collect();
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

fn lower<'a>(context: &mut Context<'a>, columns: &Columns<'a>) -> Option<Script> {
    let detection = context.request.detection;
    let body = stage::hits(context, columns);
    let filter = stage::filter(context, columns);
    let mut body = body?;
    body.stages.extend(filter);
    // Single events come whole.
    if !event::is_whole(&detection.stage) {
        body = body.with(Stage::Project(columns.result()));
    }
    let mut lets = frame::slice(context.request.schedule);
    lets.append(&mut context.lets);
    Some(Script { lets, body })
}
