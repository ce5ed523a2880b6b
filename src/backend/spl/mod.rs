//! Splunk SPL: a base search that is a superset, exact conditions in `where`, and behaviours by `stats` and `streamstats`.
//!
//! Never `transaction`, `join`, `append` or a subsearch, which drop rows silently, and never `bin` for a sliding window.

mod address;
mod ast;
mod chain;
mod clock;
mod columns;
mod context;
mod count;
mod coverage;
mod differ;
mod distinct;
mod field;
mod flow;
mod frame;
mod list;
mod location;
mod predicate;
mod prefilter;
mod print;
mod read;
mod regex;
mod subject;
mod text;
mod value;

use std::collections::BTreeMap;

use self::columns::Shown;
use self::context::Context;
use self::read::Head;
use super::{Backend, Fidelity, Output, Query, Request};
use crate::ir::{Behavior, Detection, SignalId};
use crate::plan::{self, Operator};
use crate::schema::Duration;
use crate::source::Spanned;

/// Splunk's search processing language.
#[derive(Debug, Clone, Copy)]
pub struct Spl;

impl Backend for Spl {
    fn name(&self) -> &'static str {
        "spl"
    }

    fn compile(&self, request: &Request<'_>) -> Output {
        let mut context = Context::new(request);
        let compiled = search(&mut context);
        let deployment = context.deployment();
        let verdict = context.verdict;
        let query = compiled.filter(|_| verdict.fidelity() != Fidelity::Unsupported).map(|compiled| {
            debug_assert_eq!(flow::unwritten(&compiled.head.search), Vec::<String>::new(), "a column is never written");
            Query {
                language: "spl",
                extension: "spl",
                text: compiled.head.search.to_string(),
                columns: compiled.columns,
                missing_columns: compiled.missing,
                deployment,
            }
        });
        Output { verdict, query }
    }
}

/// A finished search with its columns.
struct Compiled {
    head: Head,
    columns: Vec<String>,
    missing: BTreeMap<String, String>,
}

/// Lowers the detection's pipeline; `None` only after a reason was added.
fn search(context: &mut Context<'_>) -> Option<Compiled> {
    let detection = context.request.detection;
    if !context.covers(detection) {
        return None;
    }
    let pipeline = plan::lower(&detection.stage);
    context
        .verdict
        .assume("Splunk extracts every field of an event, however long it is (`maxchars`, `extraction_cutoff`)");
    if !context.options.null_text.is_empty() {
        context.verdict.assume(format!("the text `{}` in a field stands for a JSON null", context.options.null_text));
    }
    let inputs = pipeline.operators.iter().find_map(|operator| match operator {
        Operator::Read(inputs) => Some(inputs),
        Operator::Mark(_)
        | Operator::Key
        | Operator::Nth { .. }
        | Operator::Spread { .. }
        | Operator::Chain(_)
        | Operator::Newest
        | Operator::Show(_) => None,
    })?;
    let mut head = context.read(inputs, window(detection))?;
    let mut shown = Shown::default();
    let signal = *detection.stage.behavior.node.positive_signals().first()?;
    if !matches!(detection.stage.behavior.node, Behavior::Event { .. }) {
        context.keys(&mut head);
        context.verdict.assume("every event is delivered once");
    }
    let mut behaves = false;
    for operator in &pipeline.operators {
        behaves |= behave(context, &mut head, operator, signal, &mut shown);
    }
    if !behaves {
        context.any_event(&mut head, &mut shown);
        if detection.stage.columns.is_empty() {
            return Some(Compiled { head, columns: Vec::new(), missing: shown.missing });
        }
    }
    let columns = context.show(&mut head, &mut shown);
    Some(Compiled { head, columns, missing: shown.missing })
}

/// Adds the commands of an operator; whether it is one that decides what a hit is.
fn behave(
    context: &mut Context<'_>,
    head: &mut Head,
    operator: &Operator<'_>,
    signal: SignalId,
    shown: &mut Shown,
) -> bool {
    match operator {
        Operator::Nth { at_least, window } => {
            let span = threshold_span(context.request.detection);
            context.nth(head, signal, &Spanned::new(*at_least, span), *window, shown);
        }
        Operator::Spread { values, at_least, window } => {
            context.spread(head, signal, values, *at_least, *window, shown);
        }
        Operator::Chain(chain) => context.chain(head, chain, shown),
        // the head marks and keys, and every shape keeps what is newest where it may
        Operator::Read(_) | Operator::Mark(_) | Operator::Key | Operator::Newest | Operator::Show(_) => return false,
    }
    true
}

fn window(detection: &Detection) -> Option<Duration> {
    match &detection.stage.behavior.node {
        Behavior::Event { .. } => None,
        Behavior::Count { .. }
        | Behavior::Distinct { .. }
        | Behavior::Sequence(_)
        | Behavior::Aggregation(_)
        | Behavior::Group(_)
        | Behavior::Rare(_)
        | Behavior::Baseline(_)
        | Behavior::Travel(_) => Some(detection.stage.behavior.node.lookback()),
    }
}

fn threshold_span(detection: &Detection) -> crate::source::Span {
    match &detection.stage.behavior.node {
        Behavior::Count { at_least, .. } | Behavior::Distinct { at_least, .. } => at_least.span,
        Behavior::Event { .. }
        | Behavior::Sequence(_)
        | Behavior::Aggregation(_)
        | Behavior::Group(_)
        | Behavior::Rare(_)
        | Behavior::Baseline(_)
        | Behavior::Travel(_) => detection.stage.behavior.span,
    }
}
