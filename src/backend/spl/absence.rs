//! What must not happen around a chain: before it, between its steps, until its end and behind it.
//!
//! Never looks at an absent event twice: each place carries the newest (behind the chain: the next) instant that has one.

use super::ast::{Aggregate, AggregateFunction, Arithmetic, Comparison, EvalExpr, Function, SortKey, Stage};
use super::columns::Shown;
use super::context::Context;
use super::read::{Head, TIME, is_set};
use crate::backend::ReasonCode;
use crate::ir::{Absence, Sequence, SignalId};
use crate::plan::{Chain, Conditions};

/// What must not happen around a chain, as columns of its instants.
#[derive(Debug, Clone, Default)]
pub(super) struct Around {
    /// The signals whose events are counted for it, each once.
    signals: Vec<SignalId>,
    /// Signal that may not come in the window before the start.
    leading: Option<SignalId>,
    /// Signal that may not come strictly inside.
    until: Option<SignalId>,
    /// Signals that may not come between a link (from 1) and the next one.
    middle: Vec<(usize, SignalId)>,
    /// Signal that may not come between the end and the window's end.
    trailing: Option<SignalId>,
}

impl Context<'_> {
    /// Instants that close a chain, or at which the wait behind it is over.
    pub(super) fn sequence(&mut self, head: &mut Head, sequence: &Sequence, chain: &Chain<'_>, shown: &mut Shown) {
        let mut chain = chain.clone();
        let steps: Vec<SignalId> = chain.links.iter().map(|link| link.signal).collect();
        if sequence.is_plain() {
            self.chain(head, &chain, &Around::default(), shown);
            return;
        }
        for condition in &sequence.conditions {
            let message = "conditions between steps can be `==` on one value of all steps, or a single `!=`";
            self.refuse(ReasonCode::UnsupportedRelation, condition.span, message);
        }
        let absent: Vec<SignalId> = sequence
            .absences
            .iter()
            .map(|absence| absence.signal)
            .chain(sequence.until.as_ref().map(|until| until.node))
            .collect();
        let roles_differ = !steps.iter().any(|step| absent.contains(step));
        let agrees = matches!(chain.conditions, Conditions::Agree(_)) && roles_differ;
        if !matches!(chain.conditions, Conditions::Free) && !agrees {
            for relation in &sequence.relations {
                let message = "beside `no` or `until` a condition can only be `==` on one value of all steps, \
                               none of which may be the absent signal";
                self.refuse(ReasonCode::UnsupportedRelation, relation.span, message);
            }
            return;
        }
        let before = |absence: &Absence| chain.links.iter().filter(|link| link.step < absence.before).count();
        let mut around = Around {
            signals: Vec::new(),
            leading: sequence.leading().map(|absence| absence.signal),
            until: sequence.until.as_ref().map(|until| until.node),
            middle: sequence.middle().map(|absence| (before(absence), absence.signal)).collect(),
            trailing: sequence.trailing().map(|absence| absence.signal),
        };
        for signal in around.all() {
            if !around.signals.contains(&signal) {
                around.signals.push(signal);
            }
        }
        self.starts(head, &mut chain, around.until);
        chain.overlaps.retain(|(one, other)| {
            let is_step = |signal: &SignalId| chain.links.iter().any(|link| link.signal == *signal);
            is_step(one) && is_step(other)
        });
        debug_assert_eq!(steps.len(), chain.links.len(), "the chain keeps its links");
        self.chain(head, &chain, &around, shown);
    }

    /// Gives what may not happen rows of its own, which no value of the steps separates.
    pub(super) fn apart(
        &mut self,
        head: &mut Head,
        chain: &Chain<'_>,
        present: EvalExpr,
        agreed: &[String],
        around: &Around,
    ) {
        let mut steps: Vec<SignalId> = Vec::new();
        for link in &chain.links {
            if !steps.contains(&link.signal) {
                steps.push(link.signal);
            }
        }
        let any =
            |signals: &[SignalId]| EvalExpr::any(signals.iter().map(|signal| is_set(&self.flag(*signal))).collect());
        let role = |condition, text: &str| EvalExpr::only_if(condition, EvalExpr::text(text));
        let is_step = EvalExpr::all(vec![any(&steps), present]);
        let roles = vec![role(is_step, "0"), role(any(around.signals()), "1")];
        head.set("detc_o", EvalExpr::Call(Function::MvAppend, roles));
        head.keep(EvalExpr::call(Function::IsNotNull, EvalExpr::derived("detc_o")));
        head.push(Stage::MvExpand("detc_o".to_owned()));
        let on = |which: i64| EvalExpr::equal(EvalExpr::derived("detc_o"), EvalExpr::Integer(which));
        let mut assignments = Vec::new();
        for (signals, which) in [(steps.as_slice(), 0), (around.signals(), 1)] {
            for signal in signals {
                let flag = self.flag(*signal);
                let kept = EvalExpr::choose(on(which), EvalExpr::derived(&flag), EvalExpr::Integer(0));
                assignments.push((flag, kept));
            }
        }
        for column in agreed {
            assignments.push((column.clone(), EvalExpr::choose(on(0), EvalExpr::derived(column), EvalExpr::text(""))));
        }
        head.push(Stage::Eval(assignments));
    }

    /// An event that ends chains starts none: the first link gets a signal of its own where one event could be both.
    fn starts(&mut self, head: &mut Head, chain: &mut Chain<'_>, until: Option<SignalId>) {
        let Some(until) = until else { return };
        let Some(first) = chain.links.first().map(|link| link.signal) else { return };
        if first != until && !chain.overlaps.contains(&(first.min(until), first.max(until))) {
            return;
        }
        let start = SignalId(self.stage.signals.len());
        let overlapping = |id: SignalId| chain.overlaps.contains(&(first.min(id), first.max(id))) || id == first;
        let meets: Vec<SignalId> =
            chain.links.iter().map(|link| link.signal).filter(|signal| overlapping(*signal)).collect();
        chain.overlaps.extend(meets.into_iter().map(|signal| (signal, start)));
        if let Some(link) = chain.links.first_mut() {
            link.signal = start;
        }
        let is = |signal: SignalId| if head.flagged { is_set(&self.flag(signal)) } else { EvalExpr::constant(true) };
        let starting = EvalExpr::all(vec![is(first), EvalExpr::unless(is(until))]);
        let flag = self.flag(start);
        head.search.stages.extend(self.take_helpers());
        head.set(&flag, EvalExpr::choose(starting, EvalExpr::Integer(1), EvalExpr::Integer(0)));
    }
}

impl Around {
    /// Every absent signal, place by place.
    fn all(&self) -> Vec<SignalId> {
        let middle = self.middle.iter().map(|(_, signal)| *signal);
        [self.leading, self.until, self.trailing].into_iter().flatten().chain(middle).collect()
    }

    /// The signals whose events are counted besides those of the chain.
    pub(super) fn signals(&self) -> &[SignalId] {
        &self.signals
    }

    /// Whether a wait follows the chain.
    pub(super) const fn waits(&self) -> bool {
        self.trailing.is_some()
    }

    /// Whether anything that came earlier matters.
    pub(super) const fn looks_back(&self) -> bool {
        self.leading.is_some() || self.until.is_some() || !self.middle.is_empty()
    }

    /// Carries the newest earlier instant of each signal that may not come before, between or until.
    pub(super) fn carry(&self, head: &mut Head, context: &Context<'_>) {
        let mut signals: Vec<SignalId> = Vec::new();
        let middle = self.middle.iter().map(|(_, signal)| *signal);
        for signal in [self.leading, self.until].into_iter().flatten().chain(middle) {
            if !signals.contains(&signal) {
                signals.push(signal);
            }
        }
        if signals.is_empty() {
            return;
        }
        let mut times = Vec::new();
        let mut newest = Vec::new();
        for signal in signals {
            let label = context.label(signal);
            let there = EvalExpr::compare(
                EvalExpr::derived(format!("detc_n_{label}")),
                Comparison::GreaterOrEqual,
                EvalExpr::Integer(1),
            );
            let time = format!("detc_t_{label}");
            times.push((time.clone(), EvalExpr::only_if(there, EvalExpr::derived(TIME))));
            newest.push(Aggregate::of(AggregateFunction::Max, &time, &format!("detc_l_{label}")));
        }
        head.push(Stage::Eval(times));
        head.push(Stage::StreamStats { window: None, current: false, aggregates: newest, by: head.keys.clone() });
    }

    /// The condition that a chain may start at this instant.
    pub(super) fn may_start(&self, window: &EvalExpr, context: &Context<'_>) -> Option<EvalExpr> {
        let last = newest(self.leading?, context);
        let since = EvalExpr::arithmetic(EvalExpr::derived(TIME), Arithmetic::Minus, last.clone());
        let long_ago = EvalExpr::compare(since, Comparison::Greater, window.clone());
        Some(EvalExpr::any(vec![EvalExpr::call(Function::IsNull, last), long_ago]))
    }

    /// The condition that a chain may go on at this instant behind a link (from 1).
    pub(super) fn may_follow(&self, link: usize, context: &Context<'_>) -> Vec<EvalExpr> {
        let here = self.middle.iter().filter(|(before, _)| *before == link);
        here.map(|(_, signal)| not_since(*signal, &format!("detc_r{link}"), context)).collect()
    }

    /// Whether the newest instant of a link has to be carried.
    pub(super) fn follows(&self, link: usize) -> bool {
        self.middle.iter().any(|(before, _)| *before == link)
    }

    /// The condition that nothing ended the chain since its start.
    pub(super) fn not_ended(&self, start: &str, context: &Context<'_>) -> Option<EvalExpr> {
        Some(not_since(self.until?, start, context))
    }

    /// Keeps the chains behind which nothing came until the window's end, and moves them there.
    ///
    /// Of the chains with one start the first counts, which `once_per_start` finds elsewhere by `stats`.
    pub(super) fn wait(
        &self,
        head: &mut Head,
        start: &str,
        (links, agreed): (usize, bool),
        window: &EvalExpr,
        context: &Context<'_>,
    ) {
        let Some(trailing) = self.trailing else { return };
        let column = |name: &str| EvalExpr::derived(name);
        if agreed {
            // of several chains that end at one instant the one that started last counts
            let latest = Aggregate::of(AggregateFunction::Max, start, "detc_latest");
            head.push(Stage::EventStats { aggregates: vec![latest], by: head.by(&[TIME]) });
            head.set(start, EvalExpr::only_if(EvalExpr::equal(column(start), column("detc_latest")), column(start)));
        }
        let mut conditions = vec![EvalExpr::call(Function::IsNotNull, column(start))];
        if links > 1 {
            head.push(Stage::StreamStats {
                window: None,
                current: false,
                aggregates: vec![Aggregate::of(AggregateFunction::Max, TIME, "detc_seen")],
                by: head.by(&[start]),
            });
            conditions.push(EvalExpr::call(Function::IsNull, column("detc_seen")));
        }
        let there = EvalExpr::compare(
            column(&format!("detc_n_{}", context.label(trailing))),
            Comparison::GreaterOrEqual,
            EvalExpr::Integer(1),
        );
        let mut order = vec![SortKey::up(TIME).reversed()];
        if agreed {
            order.push(SortKey::up("detc_o"));
        }
        head.push(Stage::Sort(order));
        head.set("detc_no", EvalExpr::only_if(there, column(TIME)));
        head.push(Stage::StreamStats {
            window: None,
            current: false,
            aggregates: vec![Aggregate::of(AggregateFunction::Min, "detc_no", "detc_next")],
            by: head.keys.clone(),
        });
        let until = EvalExpr::arithmetic(column("detc_next"), Arithmetic::Minus, column(start));
        conditions.push(EvalExpr::any(vec![
            EvalExpr::call(Function::IsNull, column("detc_next")),
            EvalExpr::compare(until, Comparison::Greater, window.clone()),
        ]));
        head.keep(EvalExpr::all(conditions));
        head.set(TIME, EvalExpr::arithmetic(column(start), Arithmetic::Plus, window.clone()));
    }
}

/// The newest earlier instant of a signal.
fn newest(signal: SignalId, context: &Context<'_>) -> EvalExpr {
    EvalExpr::derived(format!("detc_l_{}", context.label(signal)))
}

fn not_since(signal: SignalId, start: &str, context: &Context<'_>) -> EvalExpr {
    let last = newest(signal, context);
    let before = EvalExpr::compare(last.clone(), Comparison::LessOrEqual, EvalExpr::derived(start));
    EvalExpr::any(vec![EvalExpr::call(Function::IsNull, last), before])
}
