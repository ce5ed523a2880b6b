//! What lowering carries along: the verdict, helper columns and the target's options.

use std::collections::BTreeMap;

use super::ast::{EvalExpr, Stage};
use super::clock::Ticks;
use super::subject::Subject;
use crate::backend::{Fidelity, ReasonCode, Request, Verdict};
use crate::ir;
use crate::schema::mapping::{FieldMap, TargetProfile};
use crate::schema::{FieldPath, Source};
use crate::source::Span;

/// Options of a target, as its `target.yml` gives them.
#[derive(Debug, Clone)]
pub(super) struct Options {
    /// `macros`: whether a source is read through its search macro.
    pub(super) macros: bool,
    /// `null_text`: the text that extracted fields show for a JSON null; `""` where they show none.
    pub(super) null_text: String,
    /// `asn_lookup`: lookup with the columns `ip`, `asn` and `as_org`.
    pub(super) asn_lookup: Option<String>,
}

impl Options {
    fn of(target: &TargetProfile) -> Self {
        let text = |name: &str| target.options.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
        Self {
            macros: target.options.get("macros").and_then(serde_json::Value::as_bool).unwrap_or(false),
            null_text: text("null_text").unwrap_or_else(|| "null".to_owned()),
            asn_lookup: text("asn_lookup"),
        }
    }
}

/// What lowering carries along.
pub(super) struct Context<'a> {
    /// What is compiled.
    pub(super) request: &'a Request<'a>,
    /// The stage that is being lowered.
    pub(super) stage: &'a ir::Stage,
    /// Whether the hits of the stage are read by another one or by a filter, so that their columns keep their meaning.
    pub(super) carries: bool,
    /// Whether the stage is that of the detection, so that its newest hits are reported.
    pub(super) outermost: bool,
    /// Whether the stage works on the rows of a lane, where the raw event is known by its row.
    pub(super) in_lane: bool,
    /// How time is counted.
    pub(super) ticks: Ticks,
    /// What the hits carry that are being looked at, by the index of their signal and the name of the column.
    pub(super) hits: BTreeMap<(usize, String), Carried>,
    /// What has been found so far.
    pub(super) verdict: Verdict,
    /// Options of the target.
    pub(super) options: Options,
    /// Commands that make helper columns of the raw event, before any condition.
    helpers: Vec<Stage>,
    /// Helper columns by what they hold, as printed.
    known: BTreeMap<String, String>,
}

/// A column of a hit, or why it has none.
#[derive(Debug, Clone)]
pub(super) enum Carried {
    /// The column that holds it.
    Column(String),
    /// The column that holds a value of one of the events that may close the hit at its instant.
    Chosen(String),
    /// What the value is whatever type it is read as.
    Clean(Subject),
    /// Why the search does not keep it.
    Missing(String),
}

/// The event that a value is taken from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'s> {
    /// Its source.
    pub(super) source: &'s Source,
    /// What the target has of it.
    pub(super) map: &'s FieldMap,
    /// Index of the signal whose hit the event is, whose fields are columns of the search; `None` for raw events.
    pub(super) hit: Option<usize>,
    /// The elements of lists that are being looked at, innermost first.
    pub(super) element: Option<&'s ElementScope<'s>>,
}

/// The element of a list that is being looked at.
#[derive(Debug)]
pub(super) struct ElementScope<'s> {
    /// Name of the element.
    pub(super) variable: &'s str,
    /// The list.
    pub(super) list: &'s FieldPath,
    /// Column that stands for the element.
    pub(super) column: &'s str,
}

impl<'a> Context<'a> {
    /// Starts with nothing found.
    pub(super) fn new(request: &'a Request<'a>) -> Self {
        let stage = &request.detection.stage;
        Self {
            request,
            stage,
            carries: request.detection.filter.node != ir::Predicate::Constant(true),
            outermost: true,
            in_lane: false,
            ticks: Ticks::of_stage(stage),
            hits: BTreeMap::new(),
            verdict: Verdict::default(),
            options: Options::of(request.target),
            helpers: Vec::new(),
            known: BTreeMap::new(),
        }
    }

    /// Records a reason.
    pub(super) fn refuse(&mut self, code: ReasonCode, span: Span, message: impl Into<String>) {
        self.verdict.add(code, span, message);
    }

    /// A helper column that holds the value; one column for equal values.
    pub(super) fn helper(&mut self, kind: &str, value: EvalExpr) -> String {
        let key = format!("{kind} {value}");
        if let Some(column) = self.known.get(&key) {
            return column.clone();
        }
        let column = format!("detc_{kind}{}", self.count(kind) + 1);
        self.known.insert(key, column.clone());
        self.helpers.push(Stage::Eval(vec![(column.clone(), value)]));
        column
    }

    /// Column with a fact about the address in another column; `make` gives command and column for the first request.
    pub(super) fn enrichment(&mut self, kind: &str, address: &str, make: impl FnOnce() -> Stage) -> bool {
        let key = format!("{kind} {address}");
        let fresh = self.known.insert(key, String::new()).is_none();
        if fresh {
            self.helpers.push(make());
        }
        fresh
    }

    /// The commands that make the helper columns; none are left behind.
    pub(super) fn take_helpers(&mut self) -> Vec<Stage> {
        std::mem::take(&mut self.helpers)
    }

    /// Forgets the helper columns of a stage that is done: its last command dropped them.
    pub(super) fn forget_helpers(&mut self) {
        self.known.clear();
    }

    /// Runs something on the side and returns what it says against itself instead of recording it.
    pub(super) fn attempt<T>(&mut self, run: impl FnOnce(&mut Self) -> T) -> Result<T, String> {
        let verdict = std::mem::take(&mut self.verdict);
        let (helpers, known) = (self.helpers.clone(), self.known.clone());
        let result = run(self);
        let attempted = std::mem::replace(&mut self.verdict, verdict);
        if self.carries {
            // what the value lacks, whoever reads the hit lacks
            let lacking = attempted.reasons.iter().filter(|reason| reason.code.fidelity() == Fidelity::Approximate);
            lacking.for_each(|reason| self.verdict.add(reason.code, reason.span, reason.message.clone()));
        }
        let fatal = attempted.reasons.into_iter().find(|reason| reason.code.fidelity() == Fidelity::Unsupported);
        match fatal {
            None => {
                attempted.assumptions.into_iter().for_each(|assumption| self.verdict.assume(assumption));
                Ok(result)
            }
            Some(reason) => {
                (self.helpers, self.known) = (helpers, known);
                Err(reason.message)
            }
        }
    }

    fn count(&self, kind: &str) -> usize {
        let prefix = format!("{kind} ");
        self.known.keys().filter(|key| key.starts_with(&prefix)).count()
    }
}

impl<'s> Scope<'s> {
    /// The scope inside an element.
    pub(super) const fn inside<'e>(self, element: &'e ElementScope<'e>) -> Scope<'e>
    where
        's: 'e,
    {
        Scope { element: Some(element), ..self }
    }
}
