//! Splunk SPL: a base search that is a superset, exact conditions in `where`, and behaviours by `stats` and `streamstats`.
//!
//! Never `transaction`, `join`, `append` or a subsearch, which drop rows silently, and never `bin` for a sliding window.

mod absence;
mod address;
mod ast;
mod baseline;
mod behavior;
mod chain;
mod clock;
mod columns;
mod compose;
mod condition;
mod context;
mod count;
mod differ;
mod distinct;
mod field;
mod flow;
mod frame;
mod group;
mod lanes;
mod list;
mod location;
mod measure;
mod predicate;
mod prefilter;
mod print;
mod rare;
mod read;
mod regex;
mod rename;
mod subject;
mod sweep;
mod text;
mod travel;
mod value;

use std::collections::BTreeMap;

use self::columns::Shown;
use self::context::Context;
use self::read::Head;
use super::{Backend, Fidelity, Output, Query, ReasonCode, Request};
use crate::ir::{Behavior, Predicate};

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

/// Lowers the detection; `None` only after a reason was added.
fn search(context: &mut Context<'_>) -> Option<Compiled> {
    let detection = context.request.detection;
    context
        .verdict
        .assume("Splunk extracts every field of an event, however long it is (`maxchars`, `extraction_cutoff`)");
    if !context.options.null_text.is_empty() {
        context.verdict.assume(format!("the text `{}` in a field stands for a JSON null", context.options.null_text));
    }
    let mut shown = Shown::default();
    let mut head = context.hits(&mut shown)?;
    if detection.filter.node != Predicate::Constant(true) {
        context.filter_hits(&mut head, &shown);
    }
    let whole = matches!(detection.stage.behavior.node, Behavior::Event { .. }) && !head.timed;
    if whole && detection.stage.columns.is_empty() {
        return Some(Compiled { head, columns: Vec::new(), missing: shown.missing });
    }
    let columns = context.show(&mut head, &mut shown);
    if let Some(list) = rename::carry(&mut head.search).first() {
        let message = format!("the list `{list}` cannot be kept beside hits; use it in the test of a signal only");
        context.refuse(ReasonCode::UnsupportedExpression, detection.stage.behavior.span, message);
    }
    Some(Compiled { head, columns, missing: shown.missing })
}
