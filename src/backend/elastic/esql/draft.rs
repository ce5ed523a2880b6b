//! A query in the making: which events are read, what they are flagged and keyed with, and what the result shows.
//!
//! Never shows a hit outside the newest interval: runs that are one interval apart neither repeat nor miss one.

use std::collections::BTreeMap;

use super::ast::{Command, Expression, Name, Operator, Query};
use super::condition::of_datasets;
use super::packing::{Packed, decode, encode};
use super::predicate::Test;
use super::value::{Operand, Values, as_text};
use crate::backend::elastic::options::Options;
use crate::backend::{Fidelity, ReasonCode, Request, Verdict};
use crate::ir::{HitColumn, Predicate, SignalId, Stage, Value};
use crate::plan;
use crate::schema::mapping::{Access, Binding, Column, FieldMap};
use crate::schema::{Duration, FieldPath, Type};
use crate::source::{Span, Spanned};

/// Said of every query that reports the newest interval.
const ON_THE_GRID: &str = "the rule runs once in each interval of the clock";

/// Said of every query.
const MAPPED: &str = "each field that the query names is mapped in some index, since ES|QL refuses unknown columns";

/// Said of every query.
const MILLISECONDS: &str = "`@timestamp` has the type `date`, which keeps whole milliseconds";

/// Said of every query.
const SINGLE: &str =
    "fields that the schema calls single hold one value in the index too, since ES|QL compares no others";

/// A query in the making.
pub struct Draft<'a> {
    pub(super) request: &'a Request<'a>,
    pub(super) options: &'a Options,
    pub(super) verdict: &'a mut Verdict,
    pub(super) stage: &'a Stage,
    pub(super) commands: Vec<Command>,
    /// Columns of the keys, in order.
    pub(super) keys: Vec<Name>,
    /// Columns of the alert that the result lacks, with the reason.
    pub(super) missing: BTreeMap<String, String>,
    /// Whether nothing is read but what a hit of the newest interval can look back on.
    pub(super) is_framed: bool,
    roles: Vec<SignalId>,
    key_types: Vec<Type>,
    /// Columns whose values the index spells in its own way, so that no filter of hits can test them.
    respelled: Vec<String>,
}

/// A finished query with what it shows.
pub struct Finished {
    /// The query.
    pub query: Query,
    /// Columns of the result.
    pub columns: Vec<String>,
    /// Columns of the alert that the result lacks, with the reason.
    pub missing: BTreeMap<String, String>,
}

impl<'a> Draft<'a> {
    /// An empty query.
    pub fn new(request: &'a Request<'a>, options: &'a Options, verdict: &'a mut Verdict) -> Self {
        let stage = &request.detection.stage;
        Self {
            request,
            options,
            verdict,
            stage,
            commands: Vec::new(),
            keys: Vec::new(),
            missing: BTreeMap::new(),
            is_framed: true,
            roles: Vec::new(),
            key_types: Vec::new(),
            respelled: Vec::new(),
        }
    }

    pub(super) fn unsupported<T>(&mut self, span: Span, message: impl Into<String>) -> Option<T> {
        self.verdict.add(ReasonCode::UnsupportedBehavior, span, message);
        None
    }

    pub(super) fn filter(&mut self, condition: Expression) {
        if condition != Expression::Bool(true) {
            self.commands.push(Command::Where(condition));
        }
    }

    pub(super) fn eval(&mut self, columns: Vec<(Name, Expression)>) {
        if !columns.is_empty() {
            self.commands.push(Command::Eval(columns));
        }
    }

    /// Groups by the keys and these columns.
    pub(super) fn stats(&mut self, aggregates: Vec<(Name, Expression)>, by: &[Name]) {
        let by = self.keys.iter().chain(by).cloned().collect();
        self.commands.push(Command::Stats { aggregates, by });
    }

    /// The values of a signal's events.
    pub(super) fn values(&mut self, id: SignalId, span: Span) -> Option<Values<'_>> {
        let signal = self.stage.signal(id)?;
        let map = self.request.target.maps.get(&signal.source.name)?;
        Some(Values { map, options: self.options, verdict: self.verdict, span })
    }

    /// What is true of an event of the signal; always where every event read is one.
    pub(super) fn is(&self, id: SignalId) -> Expression {
        if self.roles.len() == 1 {
            return Expression::Bool(true);
        }
        Expression::Column(self.flag_name(id)).equals(Expression::number(1))
    }

    fn flag_name(&self, id: SignalId) -> Name {
        let name = |id: SignalId| self.stage.signal(id).map_or("", |signal| signal.name.node.as_str());
        let is_repeated = self.roles.iter().any(|other| *other != id && name(*other) == name(id));
        if is_repeated { Name::own(format!("is_{}_{}", name(id), id.0)) } else { Name::own(format!("is_{}", name(id))) }
    }

    /// Reads the events of the signals, flags them where there are several, and drops those without a key.
    ///
    /// The time of an event becomes `detc_time`, in milliseconds since 1970.
    pub(super) fn read(&mut self, roles: &[SignalId], metadata: &'static [&'static str]) -> Option<()> {
        self.roles = roles.to_vec();
        if self.is_framed {
            self.verdict.assume(ON_THE_GRID);
        }
        self.verdict.assume(MAPPED);
        self.verdict.assume(MILLISECONDS);
        self.verdict.assume(SINGLE);
        let mut tests = Vec::new();
        for id in roles {
            tests.push(self.test_of(*id));
        }
        if let Some(span) = plan::key_conflict(self.stage) {
            return self.unsupported(
                span,
                "an event that belongs to two signals has a key of its own in each, which one pass over the events cannot \
                 follow; use the same key, or signals that exclude each other",
            );
        }
        let keys = self.read_keys();
        let tests: Vec<(Expression, Expression)> = tests.into_iter().collect::<Option<_>>()?;
        let mut indexes: Vec<String> = Vec::new();
        for id in roles {
            let signal = self.stage.signal(*id)?;
            for index in self.request.target.maps.get(&signal.source.name)?.places("index") {
                if !indexes.contains(index) {
                    indexes.push(index.clone());
                }
            }
        }
        self.commands.push(Command::From { indexes, metadata });
        if self.is_framed {
            self.frame();
        }
        self.filter(Expression::any(
            tests.iter().map(|(dataset, test)| Expression::all([dataset.clone(), test.clone()])),
        ));
        let time = Values::milliseconds(Expression::Column(Name::plain("@timestamp")));
        let mut columns = if self.is_framed { vec![(Name::own("time"), time)] } else { Vec::new() };
        if roles.len() > 1 {
            for (id, (dataset, test)) in roles.iter().zip(tests) {
                columns.push((self.flag_name(*id), Expression::flag(Expression::all([dataset, test]))));
            }
        }
        self.eval(columns);
        self.keep_keys(keys?);
        Some(())
    }

    /// The condition that an event is of the signal's source, and the signal's own.
    fn test_of(&mut self, id: SignalId) -> Option<(Expression, Expression)> {
        let signal = self.stage.signal(id)?;
        let Some(map) = self.request.target.maps.get(&signal.source.name) else {
            let message = format!("the target has no field map for the source `{}`", signal.source.name);
            self.verdict.add(ReasonCode::MissingSource, signal.name.span, message);
            return None;
        };
        // Where a signal reads several sources, its condition says which event is of which.
        let is_single = map.members.is_empty();
        let dataset = if is_single { of_datasets(map.places("dataset")) } else { Expression::Bool(true) };
        let test: Test = self.values(id, signal.predicate.span)?.predicate(&signal.predicate);
        Some((dataset, test.yes))
    }

    /// Keeps the events that a hit of the newest interval can look back on.
    fn frame(&mut self) {
        let schedule = self.request.schedule;
        let back = schedule.lookback.plus(schedule.interval).milliseconds();
        let time = || Expression::Column(Name::plain("@timestamp"));
        let start = date(end(self.request).binary(Operator::Minus, Expression::number(back)));
        let from = time().binary(Operator::Greater, start);
        let to = time().binary(Operator::LessOrEqual, date(end(self.request)));
        self.filter(Expression::all([from, to]));
    }

    /// Keeps what lies in the newest interval.
    pub(super) fn newest(&mut self, time: &Name) {
        let condition = self.is_newest(time);
        if !self.commands.contains(&Command::Where(condition.clone())) {
            self.filter(condition);
        }
    }

    /// Whether a time lies in the newest interval.
    pub(super) fn is_newest(&self, time: &Name) -> Expression {
        let interval = self.request.schedule.interval.milliseconds();
        let column = || Expression::Column(time.clone());
        let from = end(self.request).binary(Operator::Minus, Expression::number(interval));
        let from = column().binary(Operator::Greater, from);
        let to = column().binary(Operator::LessOrEqual, end(self.request));
        Expression::all([from, to])
    }

    /// The columns of the keys; `None` where one cannot be reached, which is a reason.
    fn read_keys(&mut self) -> Option<Vec<(Name, Operand)>> {
        let mut found = Vec::new();
        for (index, key) in self.stage.keys.iter().enumerate() {
            let stage = self.stage;
            let values: Option<Vec<(SignalId, &Value)>> =
                self.roles.iter().map(|id| Some((*id, &stage.signal(*id)?.keys.get(index)?.node))).collect();
            let operand = self.of_roles(&values?, key.span);
            if operand.as_ref().is_some_and(|operand| operand.loses_case) {
                let message = format!(
                    "the index does not keep the case of `{}`, so values of one key may differ in case, which keeps them apart",
                    key.name
                );
                self.verdict.add(ReasonCode::KeyCase, key.span, message);
            }
            found.push(operand.map(|operand| (Name::own(format!("key_{}", index + 1)), operand)));
        }
        found.into_iter().collect()
    }

    /// Keeps the events that have every key; one that is a list counts once for each of its values.
    fn keep_keys(&mut self, keys: Vec<(Name, Operand)>) {
        let mut columns = Vec::new();
        let mut lists = Vec::new();
        let mut present = Vec::new();
        for (name, operand) in keys {
            let column = Expression::Column(name.clone());
            present.push(column.clone().present());
            if operand.is_list {
                lists.push(name.clone());
                columns.push((name.clone(), Expression::Call("MV_DEDUPE", vec![operand.expression])));
                if operand.ty == Type::Text {
                    present.push(column.binary(Operator::NotEqual, Expression::text("")));
                }
            } else {
                columns.push((name.clone(), operand.expression));
            }
            self.keys.push(name);
            self.key_types.push(operand.ty);
        }
        self.eval(columns);
        self.commands.extend(lists.into_iter().map(Command::Expand));
        self.filter(Expression::all(present));
    }

    /// A value that each signal's events have in their own way; of an event of several signals, the first counts.
    pub(super) fn of_roles(&mut self, values: &[(SignalId, &Value)], span: Span) -> Option<Operand> {
        let mut found = Vec::new();
        for (id, value) in values {
            let operand = self.values(*id, span)?.value(value);
            found.push((*id, operand));
        }
        let found: Vec<(SignalId, Operand)> =
            found.into_iter().map(|(id, operand)| Some((id, operand?))).collect::<Option<_>>()?;
        let (_, first) = found.first()?.clone();
        if found.iter().all(|(_, operand)| operand.expression == first.expression) {
            return Some(first);
        }
        if found.iter().any(|(_, operand)| operand.is_list) {
            return self.unsupported(
                span,
                "the signals keep this value differently, and one of them as a list; use one field",
            );
        }
        let alike = found.iter().all(|(_, operand)| operand.ty == first.ty);
        let is_respelled = found.iter().any(|(_, operand)| operand.is_respelled);
        let loses_case = found.iter().any(|(_, operand)| operand.loses_case);
        let mut arguments = Vec::new();
        for (id, operand) in found {
            arguments.push(self.is(id));
            arguments.push(if alike { operand.expression } else { as_text(operand) });
        }
        let ty = if alike { first.ty } else { Type::Text };
        Some(Operand { expression: Expression::Call("CASE", arguments), ty, is_list: false, is_respelled, loses_case })
    }

    /// The columns of the alert that are taken from an event, packed; `pick` says which they are.
    ///
    /// One that cannot be carried is missing from the result, with the reason.
    pub(super) fn carried(
        &mut self,
        pick: impl Fn(&'a HitColumn) -> Option<Vec<(SignalId, &'a Value)>>,
    ) -> Vec<Packed> {
        let stage = self.stage;
        let mut packed = Vec::new();
        let is_filtered = self.has_filter();
        for (index, column) in stage.columns.iter().enumerate().filter(|(_, column)| column.shown || is_filtered) {
            let Some(values) = pick(column) else { continue };
            let mut scratch = Verdict::default();
            let outer = std::mem::take(self.verdict);
            let operand = self.of_roles(&values, column.span);
            scratch.reasons.append(&mut self.verdict.reasons);
            *self.verdict = outer;
            let obstacle = scratch.reasons.iter().find(|reason| reason.code.fidelity() == Fidelity::Unsupported);
            match (operand, obstacle) {
                (Some(operand), None) if !operand.is_list => {
                    let name = Name::own(format!("column_{}", index + 1));
                    if operand.is_respelled {
                        self.respelled.push(column.name.clone());
                    }
                    let text = encode(operand.expression.clone(), &operand.ty);
                    packed.push(Packed { name, value: operand.expression, text, ty: operand.ty });
                }
                (Some(_), None) => {
                    self.missing.insert(column.name.clone(), "the query carries no lists".to_owned());
                }
                (_, Some(reason)) => {
                    self.missing.insert(column.name.clone(), reason.message.clone());
                }
                (None, None) => {
                    self.missing.insert(column.name.clone(), "ES|QL cannot reach it".to_owned());
                }
            }
        }
        packed
    }

    /// The column of the alert behind a packed one.
    pub(super) fn hit_column(&self, packed: &Packed) -> Option<&'a HitColumn> {
        let named = |index: usize| Name::own(format!("column_{}", index + 1)) == packed.name;
        self.stage.columns.iter().enumerate().find(|(index, _)| named(*index)).map(|(_, column)| column)
    }

    /// Shows the hits of the newest interval: their time, keys, numbers, and what was carried of their events.
    pub(super) fn show(mut self, time: &Name, numbers: &[(&str, Expression)], carried: &[Packed]) -> Finished {
        self.newest(time);
        let mut found: Vec<(String, Expression, Type)> = Vec::new();
        for ((key, name), ty) in self.stage.keys.iter().zip(&self.keys).zip(&self.key_types) {
            found.push((key.name.clone(), Expression::Column(name.clone()), ty.clone()));
        }
        for (name, value) in numbers {
            found.push(((*name).to_owned(), value.clone(), Type::Float));
        }
        for packed in carried {
            if let Some(column) = self.hit_column(packed) {
                found.push((column.name.clone(), decode(&packed.name, &packed.ty), packed.ty.clone()));
            }
        }
        for column in &self.stage.columns {
            if let Some(index) = column.key()
                && let (Some(name), Some(ty)) = (self.keys.get(index), self.key_types.get(index))
            {
                found.push((column.name.clone(), Expression::Column(name.clone()), ty.clone()));
            } else if !found.iter().any(|(name, ..)| *name == column.name) && !self.missing.contains_key(&column.name) {
                self.missing.insert(column.name.clone(), "the query does not carry it".to_owned());
            }
        }
        let mut columns: Vec<(Name, Expression)> =
            vec![(Name::plain("@timestamp"), date(Expression::Column(time.clone())))];
        let mut types: Vec<(String, Type)> = Vec::new();
        for (name, value, ty) in found {
            if !types.iter().any(|(known, _)| *known == name) {
                columns.push((column_name(&name), value));
                types.push((name, ty));
            }
        }
        self.eval(columns);
        let of_events: Vec<String> =
            carried.iter().filter_map(|packed| Some(self.hit_column(packed)?.name.clone())).collect();
        self.filter_hits(&types, &of_events);
        let hidden = |name: &String| self.stage.columns.iter().any(|column| column.name == *name && !column.shown);
        let is_key = |name: &String| self.stage.keys.iter().any(|key| key.name == *name);
        let is_number = |name: &String| numbers.iter().any(|(number, _)| number == name);
        let shown = types.into_iter().map(|(name, _)| name);
        let shown: Vec<String> = shown.filter(|name| !hidden(name) || is_key(name) || is_number(name)).collect();
        let names = std::iter::once(Name::plain("@timestamp")).chain(shown.iter().map(|name| column_name(name)));
        self.commands.push(Command::Keep(names.collect()));
        self.missing.retain(|name, _| self.stage.columns.iter().any(|column| column.name == *name && column.shown));
        let columns = std::iter::once("@timestamp".to_owned()).chain(shown).collect();
        Finished { query: Query { commands: self.commands }, columns, missing: self.missing }
    }

    fn has_filter(&self) -> bool {
        self.request.detection.filter.node != Predicate::Constant(true)
    }

    /// Drops the hits that an exception speaks of, which names columns of the result; `of_events` are those of an event that
    /// was chosen among several of one instant.
    pub(super) fn filter_hits(&mut self, types: &[(String, Type)], of_events: &[String]) {
        if !self.has_filter() {
            return;
        }
        let filter: &Spanned<Predicate> = &self.request.detection.filter;
        let missing = self.missing.iter().map(|(name, reason)| (name.clone(), Binding::Missing(reason.clone())));
        let there = types.iter().map(|(name, ty)| {
            if self.respelled.contains(name) {
                let reason = "the index spells its values in its own way, so finished hits cannot be filtered by it";
                return (name.clone(), Binding::Missing(reason.to_owned()));
            }
            (name.clone(), Binding::Column(result_column(name, ty)))
        });
        let mut map = FieldMap {
            source: String::new(),
            location: BTreeMap::new(),
            time: "@timestamp".to_owned(),
            fields: missing.chain(there).collect(),
            members: BTreeMap::new(),
        };
        let mut values = Values { map: &map, options: self.options, verdict: self.verdict, span: filter.span };
        let test = values.predicate(filter);
        map.fields.retain(|name, _| !of_events.contains(name));
        let mut scratch = Verdict::default();
        Values { map: &map, options: self.options, verdict: &mut scratch, span: filter.span }.predicate(filter);
        if !scratch.reasons.is_empty() && self.verdict.fidelity() != Fidelity::Unsupported {
            self.verdict.add(
                ReasonCode::TieChoice,
                filter.span,
                "of several events that close a hit at one instant the filter looks at that with the greatest `_id`",
            );
        }
        self.filter(test.yes);
    }

    /// Refuses signals that are made of hits.
    pub(super) fn refuse_frame(&mut self) {
        for signal in self.stage.signals.iter().filter(|signal| signal.stage.is_some()) {
            let message = format!(
                "`{}` is made of hits, which one ES|QL query cannot look at; write its events as a signal of their own, or \
                 use another target",
                signal.name.node
            );
            self.verdict.add(ReasonCode::UnsupportedBehavior, signal.name.span, message);
        }
    }
}

/// The column of the result behind a name of the alert.
pub fn column_name(name: &str) -> Name {
    Name(FieldPath::parse(name).segments().to_vec())
}

/// A column of the result as a field that a filter of hits can name.
fn result_column(name: &str, ty: &Type) -> Column {
    Column {
        path: name.to_owned(),
        access: Access::Direct,
        ty: Some(ty.clone()),
        literals: BTreeMap::new(),
        case: None,
        lossy: None,
        rest: FieldPath::default(),
    }
}

/// The end of the newest interval, in milliseconds since 1970.
fn end(request: &Request<'_>) -> Expression {
    let now = Values::milliseconds(Expression::Call("NOW", Vec::new()));
    let lag = request.schedule.lag.milliseconds();
    let latest = if lag == 0 { now } else { now.binary(Operator::Minus, Expression::number(lag)) };
    let interval = request.schedule.interval.milliseconds();
    latest.binary(Operator::Divide, Expression::number(interval)).binary(Operator::Times, Expression::number(interval))
}

/// A number of milliseconds since 1970 as a time.
fn date(milliseconds: Expression) -> Expression {
    Expression::Call("TO_DATETIME", vec![milliseconds])
}

/// A span of time in milliseconds.
pub fn span(duration: Duration) -> Expression {
    Expression::number(duration.milliseconds())
}
