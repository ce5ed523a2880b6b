//! The head of every query: base search, exact conditions, keys and time.

use super::ast::{EvalExpr, Function, Name, Search, SearchExpr, Stage};
use super::clock::Ticks;
use super::compose::IDENTITY;
use super::context::{Context, Scope};
use super::prefilter::{any_of, combine};
use super::subject::Subject;
use super::value::number_text;
use crate::backend::ReasonCode;
use crate::ir::{Predicate, Signal, SignalId, Value};
use crate::plan;
use crate::schema::{Clock, Type};
use crate::source::{Span, Spanned};

/// What the head of a query has laid ready.
pub(super) struct Head {
    /// The query so far.
    pub(super) search: Search,
    /// How time is counted in `detc_t`.
    pub(super) ticks: Ticks,
    /// Columns of the keys, in the order of the detection.
    pub(super) keys: Vec<String>,
    /// Whether events carry a flag for each signal.
    pub(super) flagged: bool,
    /// Whether the time is there already, as it is on hits.
    pub(super) timed: bool,
}

/// The column of an event's or a hit's time, in ticks.
pub(super) const TIME: &str = "detc_t";

impl Head {
    /// The keys and more columns, as groups.
    pub(super) fn by(&self, more: &[&str]) -> Vec<String> {
        self.keys.iter().cloned().chain(more.iter().map(|&name| name.to_owned())).collect()
    }

    /// Adds a command.
    pub(super) fn push(&mut self, stage: Stage) {
        self.search.stages.push(stage);
    }

    /// Adds a condition.
    pub(super) fn keep(&mut self, condition: EvalExpr) {
        self.push(Stage::Where(condition));
    }

    /// Adds one assignment.
    pub(super) fn set(&mut self, name: &str, value: EvalExpr) {
        self.push(Stage::Eval(vec![(name.to_owned(), value)]));
    }
}

impl<'a> Context<'a> {
    /// Reads the events of all signals; `None` where a source has no place.
    pub(super) fn read(&mut self, inputs: &[plan::Input<'_>]) -> Option<Head> {
        let ticks = self.ticks;
        if inputs.iter().any(|input| input.source.clock == Clock::Finer) {
            self.verdict.assume("events of one millisecond count as one instant");
        }
        let base = self.base(inputs);
        let flagged = self.stage.behavior.node.signals().len() > 1;
        let mut head =
            Head { search: Search { base: base?, stages: Vec::new() }, ticks, keys: Vec::new(), flagged, timed: false };
        self.filter(&mut head, inputs);
        Some(head)
    }

    /// Reads the events of some signals of a stage that also reads hits, each with a flag and none dropped.
    pub(super) fn read_all(&mut self, inputs: &[plan::Input<'_>]) -> Option<Head> {
        let base = self.base(inputs)?;
        let search = Search { base, stages: Vec::new() };
        let mut head = Head { search, ticks: self.ticks, keys: Vec::new(), flagged: true, timed: false };
        let mut flags = Vec::new();
        for (id, parts) in self.conditions(inputs) {
            let condition = EvalExpr::all(parts);
            flags.push((self.flag(id), EvalExpr::choose(condition, EvalExpr::Integer(1), EvalExpr::Integer(0))));
        }
        head.search.stages.extend(self.take_helpers());
        head.push(Stage::Eval(flags));
        Some(head)
    }

    /// The scope of a signal's events; a reason where the target lacks the source.
    pub(super) fn scope(&mut self, signal: &'a Signal) -> Option<Scope<'a>> {
        if signal.stage.is_some() {
            return Some(self.hit_scope(signal));
        }
        let request = self.request;
        let Some(map) = request.target.maps.get(&signal.source.name) else {
            let message = format!("the target does not carry the source `{}`", signal.source.name);
            self.refuse(ReasonCode::MissingSource, signal.name.span, message);
            return None;
        };
        Some(Scope { source: &signal.source, map, hit: None, element: None })
    }

    fn signals(&self, input: &plan::Input<'_>) -> Vec<&'a Signal> {
        let stage = self.stage;
        input.signals.iter().filter_map(|id| stage.signal(*id)).collect()
    }

    fn base(&mut self, inputs: &[plan::Input<'_>]) -> Option<SearchExpr> {
        let mut parts = Vec::new();
        for input in inputs {
            let mut filters = Some(Vec::new());
            let mut place = None;
            for signal in self.signals(input) {
                let scope = self.scope(signal)?;
                if !scope.map.members.is_empty() {
                    // Its condition says where each of its sources is.
                    scope.map.members.values().for_each(|member| {
                        self.location(member, signal.name.span);
                    });
                    parts.extend(self.prefilter(scope, &signal.predicate));
                    continue;
                }
                place = self.location(scope.map, signal.name.span);
                let filter = self.prefilter(scope, &signal.predicate);
                filters = filters.zip(filter).map(|(mut filters, filter)| {
                    filters.push(filter);
                    filters
                });
            }
            if place.is_none() && !input.source.members.is_empty() {
                continue;
            }
            let filter = filters.and_then(any_of);
            parts.push(match filter {
                Some(SearchExpr::All(filters)) => SearchExpr::All([vec![place?], filters].concat()),
                Some(filter) => SearchExpr::All(vec![place?, filter]),
                None => SearchExpr::All(vec![place?]),
            });
        }
        combine(parts, SearchExpr::Any)
    }

    /// The exact conditions of each signal, in the order of the signals.
    fn conditions(&mut self, inputs: &[plan::Input<'_>]) -> Vec<(SignalId, Vec<EvalExpr>)> {
        let several = self.request.detection.stage.sources().len() > 1;
        let mut flags = Vec::new();
        for input in inputs {
            for id in &input.signals {
                let Some(signal) = self.stage.signal(*id) else { continue };
                let Some(scope) = self.scope(signal) else { continue };
                let mut parts = Vec::new();
                if several && scope.map.members.is_empty() {
                    parts.push(self.is_from(scope.map, signal.name.span));
                }
                for part in conjuncts(&signal.predicate) {
                    parts.push(self.condition(scope, part, true));
                }
                parts.retain(|part| *part != EvalExpr::constant(true));
                flags.push((*id, parts));
            }
        }
        flags.sort_by_key(|(id, _)| *id);
        flags
    }

    /// The exact conditions: one for a single signal, else a flag for each.
    fn filter(&mut self, head: &mut Head, inputs: &[plan::Input<'_>]) {
        let flags = self.conditions(inputs);
        head.search.stages.extend(self.take_helpers());
        // what every signal asks for is asked for once
        let mut common = flags.first().map_or_else(Vec::new, |(_, parts)| parts.clone());
        common.retain(|part| flags.iter().all(|(_, parts)| parts.contains(part)));
        common.iter().for_each(|part| head.keep(part.clone()));
        if !head.flagged {
            return;
        }
        let mut any = Some(Vec::new());
        for (id, mut rest) in flags {
            let flag = self.flag(id);
            rest.retain(|part| !common.contains(part));
            if rest.is_empty() {
                // what is left belongs to the signal
                head.set(&flag, EvalExpr::Integer(1));
                any = None;
                continue;
            }
            let condition = EvalExpr::all(rest);
            head.set(&flag, EvalExpr::choose(condition, EvalExpr::Integer(1), EvalExpr::Integer(0)));
            if let Some(any) = &mut any {
                any.push(is_set(&flag));
            }
        }
        if let Some(any) = any {
            head.keep(EvalExpr::any(any));
        }
    }

    /// Column that says whether an event belongs to a signal.
    pub(super) fn flag(&self, id: SignalId) -> String {
        format!("detc_m_{}", self.label(id))
    }

    /// A signal's name where it can be part of a column's name and is no other's, else its number.
    pub(super) fn label(&self, id: SignalId) -> String {
        let name = self.stage.signal(id).map_or("", |signal| signal.name.node.as_str());
        let plain = |character: char| character.is_ascii_alphanumeric() || character == '_';
        let starts = name.chars().next().is_some_and(|first| first.is_ascii_alphabetic());
        let unique = !self.stage.signals.iter().take(id.0).any(|earlier| earlier.name.node == name);
        if unique && starts && name.chars().all(plain) { name.to_owned() } else { (id.0 + 1).to_string() }
    }

    /// Computes keys and time, and drops events that lack a key.
    pub(super) fn keys(&mut self, head: &mut Head) {
        let stage = self.stage;
        if let Some(span) = plan::key_conflict(stage) {
            let message =
                "one event can belong to two signals with different keys; make the signals exclude each other";
            self.refuse(ReasonCode::UnsupportedBehavior, span, message);
        }
        let mut assignments = Vec::new();
        let mut lists = Vec::new();
        let mut present = Vec::new();
        for index in 0..stage.keys.len() {
            let column = format!("detc_k{}", index + 1);
            let values: Vec<(SignalId, Spanned<Value>)> = stage
                .signals
                .iter()
                .enumerate()
                .filter_map(|(id, signal)| Some((SignalId(id), signal.keys.get(index)?.clone())))
                .collect();
            if values.iter().any(|(_, value)| matches!(value.node.ty(), Type::List(_))) {
                lists.push(column.clone());
            }
            let subject = self.by_signal(&values);
            let stored = Subject { expression: EvalExpr::derived(column.clone()), ..subject.clone() };
            present.push(stored.is_present());
            assignments.push((column.clone(), subject.expression));
            head.keys.push(column);
        }
        let helpers = self.take_helpers();
        head.search.stages.extend(helpers);
        if !head.timed {
            assignments.push((TIME.to_owned(), head.ticks.now()));
        }
        if !assignments.is_empty() {
            head.push(Stage::Eval(assignments));
        }
        for column in lists {
            head.push(Stage::MvExpand(column));
        }
        if !present.is_empty() {
            head.keep(EvalExpr::all(present));
        }
    }

    /// A value that each signal may take from elsewhere.
    pub(super) fn by_signal(&mut self, values: &[(SignalId, Spanned<Value>)]) -> Subject {
        let stage = self.stage;
        let mut found: Vec<(SignalId, Subject)> = Vec::new();
        for (id, value) in values {
            let Some(signal) = stage.signal(*id) else { continue };
            let Some(scope) = self.scope(signal) else { continue };
            let subject = self.key_value(scope, value);
            found.push((*id, subject));
        }
        let Some((_, first)) = found.first() else { return Subject::nothing() };
        if found.iter().all(|(_, subject)| subject.expression == first.expression) {
            return Subject { blanks: blanks(&found), ..first.clone() };
        }
        let (kind, blanks) = (first.kind, blanks(&found));
        let mut arguments = Vec::new();
        for (id, subject) in found {
            arguments.extend([is_set(&self.flag(id)), subject.expression]);
        }
        Subject { blanks, ..Subject::clean(EvalExpr::Call(Function::Case, arguments), kind) }
    }

    /// A key or a distinct value; a list gives each different element once.
    fn key_value(&mut self, scope: Scope<'_>, value: &Spanned<Value>) -> Subject {
        let subject = self.key_text(scope, &value.node, value.span);
        let Type::List(item) = value.node.ty() else { return subject };
        let elements = if item.is_number() {
            let column = EvalExpr::derived(self.helper("list", subject.expression.clone()));
            let number = number_text(column.clone(), &item);
            EvalExpr::Call(Function::MvMap, vec![column, number])
        } else {
            subject.expression.clone()
        };
        Subject { expression: EvalExpr::call(Function::MvDedup, elements), ..subject }
    }

    /// The value of an event's own identity, for an order among events of one instant.
    pub(super) fn identity(&mut self, id: SignalId) -> Option<EvalExpr> {
        let signal = self.stage.signal(id)?;
        if self.stage.is_composed() {
            return Some(EvalExpr::derived(IDENTITY));
        }
        if self.in_lane {
            return Some(EvalExpr::call(Function::Md5, EvalExpr::source("_raw")));
        }
        let scope = self.scope(signal)?;
        let path = signal.source.id.clone()?;
        let column = self.attempt(|context| {
            let column = context.column(scope, &path, Span::default())?;
            context.name(&column, Span::default())
        });
        column.ok().flatten().map(EvalExpr::source)
    }
}

/// The texts that stand for a missing value in any of the subjects, each once.
fn blanks(subjects: &[(SignalId, Subject)]) -> Vec<String> {
    let mut blanks: Vec<String> = Vec::new();
    for blank in subjects.iter().flat_map(|(_, subject)| &subject.blanks) {
        if !blanks.contains(blank) {
            blanks.push(blank.clone());
        }
    }
    blanks
}

/// Whether a flag is set.
pub(super) fn is_set(flag: &str) -> EvalExpr {
    EvalExpr::equal(EvalExpr::derived(flag), EvalExpr::Integer(1))
}

/// The parts of a conjunction, inner conjunctions included.
pub(super) fn conjuncts(predicate: &Spanned<Predicate>) -> Vec<&Spanned<Predicate>> {
    match &predicate.node {
        Predicate::And(parts) => parts.iter().flat_map(conjuncts).collect(),
        Predicate::Constant(_)
        | Predicate::OfSource(_)
        | Predicate::Or(_)
        | Predicate::Not(_)
        | Predicate::Exists(_)
        | Predicate::IsTrue(_)
        | Predicate::Equal { .. }
        | Predicate::Ordered { .. }
        | Predicate::In { .. }
        | Predicate::Text { .. }
        | Predicate::InNetwork { .. }
        | Predicate::IsAddress { .. }
        | Predicate::OutsideHours { .. }
        | Predicate::Quantified { .. } => vec![predicate],
    }
}

/// The columns that later commands read, for `fields`.
pub(super) fn columns(names: &[String]) -> Stage {
    Stage::Fields(names.iter().cloned().map(Name::Derived).collect())
}
