//! Ordered chains: dynamic programming over instants, once per start.
//!
//! Inside an instant order is free, so only different events are left to check: by Hall's condition on the numbers of
//! events that satisfy each set of signals.

use super::absence::Around;
use super::ast::{Aggregate, AggregateFunction, Arithmetic, Comparison, EvalExpr, Function, SortKey, Stage};
use super::columns::{Packed, Shown};
use super::context::Context;
use super::read::{Head, TIME, is_set};
use super::subject::Kind;
use crate::backend::ReasonCode;
use crate::ir::{CaseRule, SignalId};
use crate::plan::{Agreement, Chain, Conditions};
use crate::source::Spanned;

/// How many signals that overlap each other are told apart by sets.
const MOST_OVERLAPPING: usize = 4;

/// How many events a chain can have; each adds a command that is longer than the one before.
const MOST_EVENTS: usize = 32;

/// The columns of one step that travel with the chain.
struct Carried {
    /// Index of the step.
    step: usize,
    /// Index of the link that the step's name means.
    link: usize,
    /// The columns.
    packed: Packed,
}

impl Context<'_> {
    /// Instants that close a chain.
    pub(super) fn chain(&mut self, head: &mut Head, chain: &Chain<'_>, around: &Around, shown: &mut Shown) {
        if chain.links.len() > MOST_EVENTS {
            let message = format!("a chain of more than {MOST_EVENTS} events makes the search too long; use `count`");
            self.refuse(ReasonCode::UnsupportedBehavior, self.stage.behavior.span, message);
            return;
        }
        match &chain.conditions {
            Conditions::Free => self.instants(head, chain, &[], around, shown),
            Conditions::Agree(agreements) => {
                let columns = self.agree(head, chain, agreements, around);
                self.instants(head, chain, &columns, around, shown);
            }
            Conditions::Differ { relation, earlier, later } => {
                self.differ(head, chain, relation, (*earlier, *later), shown);
            }
            Conditions::Other(relations) => {
                for relation in *relations {
                    let message = "conditions between steps can be `==` on one value of all steps, or a single `!=`";
                    self.refuse(ReasonCode::UnsupportedRelation, relation.span, message);
                }
            }
        }
    }

    /// Columns in which all steps agree; events that lack one are dropped.
    fn agree(
        &mut self,
        head: &mut Head,
        chain: &Chain<'_>,
        agreements: &[Agreement<'_>],
        around: &Around,
    ) -> Vec<String> {
        let mut assignments = Vec::new();
        let mut present = Vec::new();
        for (index, agreement) in agreements.iter().enumerate() {
            let mut values = Vec::new();
            for link in &chain.links {
                let Some(value) = agreement.values.iter().find(|value| value.step == link.step) else { continue };
                let signal = self.step_signal(link.step).unwrap_or(link.signal);
                values.push((signal, Spanned::new(value.value.clone(), self.step_span(link.step))));
            }
            self.one_value(chain, &values);
            let subject = self.by_signal(&values).native();
            let fold = agreement.case == CaseRule::Ignore && subject.kind == Kind::Text;
            let value = if fold { EvalExpr::lowered(subject.expression) } else { subject.expression };
            let column = format!("detc_a{}", index + 1);
            present.push(EvalExpr::call(Function::IsNotNull, EvalExpr::derived(column.clone())));
            assignments.push((column, value));
        }
        head.search.stages.extend(self.take_helpers());
        let columns: Vec<String> = assignments.iter().map(|(column, _)| column.clone()).collect();
        head.push(Stage::Eval(assignments));
        if around.signals().is_empty() {
            head.keep(EvalExpr::all(present));
        } else {
            self.apart(head, chain, EvalExpr::all(present), &columns, around);
        }
        columns
    }

    /// Refuses values that one event would have twice, because it can be two steps.
    pub(super) fn one_value(&mut self, chain: &Chain<'_>, values: &[(SignalId, Spanned<crate::ir::Value>)]) {
        for (index, (one, left)) in values.iter().enumerate() {
            for (other, right) in values.iter().skip(index + 1) {
                let may_meet = one == other || chain.overlaps.contains(&((*one).min(*other), (*one).max(*other)));
                if may_meet && left.node != right.node {
                    let message = "one event can be both steps, and the condition takes different values of it";
                    self.refuse(ReasonCode::UnsupportedRelation, right.span, message);
                }
            }
        }
    }

    /// The signal of a step.
    fn step_signal(&self, step: usize) -> Option<SignalId> {
        match &self.stage.behavior.node {
            crate::ir::Behavior::Sequence(sequence) => sequence.steps.get(step).map(|step| step.signal),
            crate::ir::Behavior::Event { .. }
            | crate::ir::Behavior::Count { .. }
            | crate::ir::Behavior::Distinct { .. }
            | crate::ir::Behavior::Aggregation(_)
            | crate::ir::Behavior::Group(_)
            | crate::ir::Behavior::Rare(_)
            | crate::ir::Behavior::Baseline(_)
            | crate::ir::Behavior::Travel(_) => None,
        }
    }

    /// Where a step is written.
    pub(super) fn step_span(&self, step: usize) -> crate::source::Span {
        let behavior = &self.stage.behavior;
        match &behavior.node {
            crate::ir::Behavior::Sequence(sequence) => sequence.steps.get(step).map_or(behavior.span, |step| step.span),
            crate::ir::Behavior::Event { .. }
            | crate::ir::Behavior::Count { .. }
            | crate::ir::Behavior::Distinct { .. }
            | crate::ir::Behavior::Aggregation(_)
            | crate::ir::Behavior::Group(_)
            | crate::ir::Behavior::Rare(_)
            | crate::ir::Behavior::Baseline(_)
            | crate::ir::Behavior::Travel(_) => behavior.span,
        }
    }

    fn instants(&mut self, head: &mut Head, chain: &Chain<'_>, agreed: &[String], around: &Around, shown: &mut Shown) {
        let sets = Sets::of(chain);
        if sets.largest() > MOST_OVERLAPPING {
            let message = format!("more than {MOST_OVERLAPPING} steps that one event can be at once");
            self.refuse(ReasonCode::UnsupportedBehavior, self.stage.behavior.span, message);
            return;
        }
        let carried = self.carried(chain, shown);
        self.by_instant(head, &sets, around.signals(), agreed, &carried);
        let mut order = vec![SortKey::up(TIME)];
        if let Some(agreed) = agreed.first().filter(|_| !around.signals().is_empty()) {
            // what may not happen stands behind the steps of its instant
            let absent = EvalExpr::equal(EvalExpr::derived(agreed), EvalExpr::text(""));
            head.set("detc_o", EvalExpr::choose(absent, EvalExpr::Integer(1), EvalExpr::Integer(0)));
            order.push(SortKey::up("detc_o"));
        }
        if chain.links.len() > 1 || around.looks_back() {
            head.push(Stage::Sort(order));
        }
        around.carry(head, self);
        let agreed: Vec<&str> = agreed.iter().map(String::as_str).collect();
        let groups = head.by(&agreed);
        let last = chain.links.len();
        let window = EvalExpr::Integer(head.ticks.span(chain.window));
        for link in 1..=last {
            let start = format!("detc_s{link}");
            let branches: Vec<(EvalExpr, EvalExpr)> = (1..=link)
                .map(|first| {
                    let mut conditions = vec![self.fits(&sets, chain, first, link)];
                    match (first, link) {
                        (1, 1) => conditions.extend(around.may_start(&window, self)),
                        (1, _) if around.may_start(&window, self).is_some() => {
                            conditions.push(EvalExpr::call(Function::IsNotNull, EvalExpr::derived("detc_s1")));
                        }
                        _ => conditions.extend(around.may_follow(first - 1, self)),
                    }
                    let condition = EvalExpr::all(conditions);
                    let value = if first == 1 { TIME.to_owned() } else { format!("detc_p{}", first - 1) };
                    (condition, EvalExpr::derived(value))
                })
                .collect();
            match branches.as_slice() {
                [(condition, value)] => head.set(&start, EvalExpr::only_if(condition.clone(), value.clone())),
                _ => head.set(&start, first_of(branches.clone())),
            }
            let age = EvalExpr::arithmetic(EvalExpr::derived(TIME), Arithmetic::Minus, EvalExpr::derived(&start));
            let inside = EvalExpr::compare(age, Comparison::LessOrEqual, window.clone());
            if link == last && around.waits() {
                let mut conditions = if link > 1 { vec![inside] } else { Vec::new() };
                conditions.extend(around.not_ended(&start, self));
                if !conditions.is_empty() {
                    head.set(&start, EvalExpr::only_if(EvalExpr::all(conditions), EvalExpr::derived(&start)));
                }
            } else if link == last {
                let mut conditions = vec![EvalExpr::call(Function::IsNotNull, EvalExpr::derived(&start))];
                if link > 1 {
                    conditions.push(inside);
                }
                conditions.extend(around.not_ended(&start, self));
                head.keep(EvalExpr::all(conditions));
            } else if link > 1 {
                head.set(&start, EvalExpr::only_if(inside, EvalExpr::derived(&start)));
            }
            // the columns of the closing step are those of the instant itself
            let earlier: Vec<&Carried> = carried.iter().filter(|carried| carried.link < last).collect();
            let columns = follow(head, &earlier, link, &branches);
            if link < last {
                let previous = format!("detc_p{link}");
                let mut aggregates = vec![Aggregate::of(AggregateFunction::Max, &start, &previous)];
                // the newest start belongs to the newest instant that has one
                aggregates.extend(columns.iter().map(|step| {
                    let (ours, theirs) = (format!("detc_y{link}_{step}"), format!("detc_z{link}_{step}"));
                    Aggregate::of(AggregateFunction::Last, &ours, &theirs)
                }));
                if around.follows(link) {
                    let valid = EvalExpr::call(Function::IsNotNull, EvalExpr::derived(&start));
                    let reached = format!("detc_e{link}");
                    head.set(&reached, EvalExpr::only_if(valid, EvalExpr::derived(TIME)));
                    aggregates.push(Aggregate::of(AggregateFunction::Max, &reached, &format!("detc_r{link}")));
                }
                head.push(Stage::StreamStats { window: None, current: false, aggregates, by: groups.clone() });
            }
        }
        let texts: Vec<(String, String)> = carried
            .iter()
            .map(|carried| {
                let step = carried.step + 1;
                let text = if carried.link == last { format!("detc_x{step}") } else { format!("detc_y{last}_{step}") };
                (text, format!("detc_x{step}"))
            })
            .collect();
        let start = format!("detc_s{last}");
        if around.waits() {
            around.wait(head, &start, (last, !agreed.is_empty()), &window, self);
        } else {
            once_per_start(head, &start, &texts, !agreed.is_empty());
        }
        self.newest(head);
        for (carried, (text, column)) in carried.iter().zip(&texts) {
            // a wait keeps the row of the instant that closed the chain
            self.unpack(head, &carried.packed, if around.waits() { text } else { column }, shown);
        }
    }

    /// The steps whose columns the alert shows; earlier ones only where every event is at most one step.
    fn carried(&mut self, chain: &Chain<'_>, shown: &mut Shown) -> Vec<Carried> {
        let steps: Vec<(usize, usize, SignalId)> = chain
            .links
            .iter()
            .enumerate()
            .filter(|(_, link)| link.names_step)
            .map(|(index, link)| (link.step, index + 1, link.signal))
            .collect();
        let apart = chain.overlaps.is_empty()
            && steps
                .iter()
                .all(|(step, _, signal)| steps.iter().all(|(other, _, theirs)| step == other || signal != theirs));
        let mut carried = Vec::new();
        for (step, link, signal) in steps {
            if link != chain.links.len() && !apart {
                let reason =
                    "the search does not keep the events of earlier steps where one event can be several steps";
                self.drop_columns(step, reason, shown);
                continue;
            }
            let named = self.step_signal(step).unwrap_or(signal);
            if let Some(mut packed) = self.packed(Some(step), &[named], shown) {
                if !apart {
                    self.verdict.assume(
                        "where one event can be several steps, the shown event may be another one of the closing instant",
                    );
                }
                if self.stage.behavior.node.signals().len() > 1 {
                    packed.text = EvalExpr::only_if(is_set(&self.flag(signal)), packed.text);
                }
                carried.push(Carried { step, link, packed });
            }
        }
        carried
    }

    /// One row for each instant of a key, with the number of events of each signal and set of signals.
    fn by_instant(
        &mut self,
        head: &mut Head,
        sets: &Sets,
        absent: &[SignalId],
        agreed: &[String],
        carried: &[Carried],
    ) {
        head.search.stages.extend(self.take_helpers());
        let mut aggregates = Vec::new();
        for set in &sets.sets {
            let number = self.number_of(set);
            if !head.flagged && set.iter().any(|signal| self.stage.signal(*signal).is_some()) {
                aggregates.push(Aggregate::count(&number));
                continue;
            }
            let flag = number.replacen("detc_n_", "detc_m_", 1);
            if set.len() > 1 {
                let any = EvalExpr::any(set.iter().map(|signal| is_set(&self.flag(*signal))).collect());
                head.set(&flag, EvalExpr::choose(any, EvalExpr::Integer(1), EvalExpr::Integer(0)));
            }
            aggregates.push(Aggregate::of(AggregateFunction::Sum, &flag, &number));
        }
        let counted = |signal: &&SignalId| !sets.sets.iter().any(|set| set.as_slice() == [**signal]);
        for signal in absent.iter().filter(counted) {
            let number = self.number_of(&[*signal]);
            if head.flagged {
                let flag = number.replacen("detc_n_", "detc_m_", 1);
                aggregates.push(Aggregate::of(AggregateFunction::Sum, &flag, &number));
            } else {
                aggregates.push(Aggregate::count(&number));
            }
        }
        for carried in carried {
            let column = format!("detc_x{}", carried.step + 1);
            head.set(&column, carried.packed.text.clone());
            aggregates.push(Aggregate::of(AggregateFunction::Max, &column, &column));
        }
        let mut by = head.by(&agreed.iter().map(String::as_str).collect::<Vec<_>>());
        by.push(TIME.to_owned());
        head.push(Stage::Stats { aggregates, by });
    }

    /// Column with the number of events in a set of signals.
    fn number_of(&self, set: &[SignalId]) -> String {
        match set {
            [only] => format!("detc_n_{}", self.label(*only)),
            several => {
                let numbers: Vec<String> = several.iter().map(|signal| (signal.0 + 1).to_string()).collect();
                format!("detc_n_{}", numbers.join("_"))
            }
        }
    }

    /// Whether the links from `first` to `last` (from 1) can be given to different events of this instant.
    fn fits(&self, sets: &Sets, chain: &Chain<'_>, first: usize, last: usize) -> EvalExpr {
        let links: Vec<SignalId> =
            chain.links.iter().skip(first - 1).take(last + 1 - first).map(|link| link.signal).collect();
        let mut parts = Vec::new();
        for set in sets.sets.iter().filter(|set| set.iter().all(|signal| links.contains(signal))) {
            let wanted = links.iter().filter(|signal| set.contains(signal)).count();
            let number = EvalExpr::derived(self.number_of(set));
            let wanted = EvalExpr::Integer(i64::try_from(wanted).unwrap_or(i64::MAX));
            parts.push(EvalExpr::compare(number, Comparison::GreaterOrEqual, wanted));
        }
        EvalExpr::all(parts)
    }
}

/// Keeps the columns of the steps up to a link along with its start; returns the steps, from 1.
fn follow(head: &mut Head, carried: &[&Carried], link: usize, branches: &[(EvalExpr, EvalExpr)]) -> Vec<usize> {
    let mut steps = Vec::new();
    for carried in carried.iter().filter(|carried| carried.link <= link) {
        let step = carried.step + 1;
        let here = format!("detc_x{step}");
        let values: Vec<(EvalExpr, EvalExpr)> = branches
            .iter()
            .enumerate()
            .map(|(index, (condition, _))| {
                let value = if carried.link > index { here.clone() } else { format!("detc_z{index}_{step}") };
                (condition.clone(), EvalExpr::derived(value))
            })
            .collect();
        let found = EvalExpr::call(Function::IsNotNull, EvalExpr::derived(format!("detc_s{link}")));
        // a step that the newest link closes is always at this instant
        let value = if carried.link == link { EvalExpr::derived(here) } else { first_of(values) };
        let value = EvalExpr::only_if(found, value);
        head.set(&format!("detc_y{link}_{step}"), value);
        steps.push(step);
    }
    steps
}

/// The value of the first condition that holds.
fn first_of(branches: Vec<(EvalExpr, EvalExpr)>) -> EvalExpr {
    EvalExpr::Call(Function::Case, branches.into_iter().flat_map(|(condition, value)| [condition, value]).collect())
}

/// Of the hits with one start only the earliest counts; of several starts that close at one instant the latest.
pub(super) fn once_per_start(head: &mut Head, start: &str, texts: &[(String, String)], several: bool) {
    let carried = |function: AggregateFunction, first: bool| {
        texts.iter().map(move |(from, to)| Aggregate::of(function, if first { from } else { to }, to))
    };
    if several {
        if !texts.is_empty() {
            let columns = [TIME, start].into_iter().chain(texts.iter().map(|(from, _)| from.as_str()));
            head.push(Stage::Sort(columns.map(SortKey::up).collect()));
        }
        let mut aggregates = vec![Aggregate::of(AggregateFunction::Max, start, start)];
        aggregates.extend(carried(AggregateFunction::Last, true));
        head.push(Stage::Stats { aggregates, by: head.by(&[TIME]) });
        if !texts.is_empty() {
            head.push(Stage::Sort(vec![SortKey::up(TIME)]));
        }
    }
    let mut aggregates = vec![Aggregate::of(AggregateFunction::Min, TIME, TIME)];
    aggregates.extend(carried(AggregateFunction::First, !several));
    head.push(Stage::Stats { aggregates, by: head.by(&[start]) });
}

/// The sets of signals whose events are counted: each signal, and each set that hangs together by overlaps.
struct Sets {
    sets: Vec<Vec<SignalId>>,
}

impl Sets {
    fn of(chain: &Chain<'_>) -> Self {
        let mut signals: Vec<SignalId> = Vec::new();
        for link in &chain.links {
            if !signals.contains(&link.signal) {
                signals.push(link.signal);
            }
        }
        let mut sets: Vec<Vec<SignalId>> = signals.iter().map(|signal| vec![*signal]).collect();
        let meets = |one: SignalId, other: SignalId| chain.overlaps.contains(&(one.min(other), one.max(other)));
        let mut index = 0;
        while let Some(set) = sets.get(index).cloned() {
            for &signal in &signals {
                if set.contains(&signal) || !set.iter().any(|member| meets(*member, signal)) {
                    continue;
                }
                let mut larger = set.clone();
                larger.push(signal);
                larger.sort_unstable();
                if larger.len() <= MOST_OVERLAPPING + 1 && !sets.contains(&larger) {
                    sets.push(larger);
                }
            }
            index += 1;
        }
        Self { sets }
    }

    fn largest(&self) -> usize {
        self.sets.iter().map(Vec::len).max().unwrap_or(0)
    }
}
