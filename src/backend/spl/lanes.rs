//! Hits beside other signals: one search in which every event runs in a lane for each stage that reads it.
//!
//! Never joins or appends: the shape of an inner stage works on the rows of its lane and leaves the others as they are.

use super::ast::{Aggregate, AggregateFunction, Comparison, EvalExpr, Function, Name, Search, Stage};
use super::columns::Shown;
use super::compose::IDENTITY;
use super::context::Context;
use super::prefilter::any_of;
use super::read::{Head, TIME, conjuncts, is_set};
use super::rename;
use crate::backend::ReasonCode;
use crate::ir::{Behavior, Signal, SignalId, implies};
use crate::plan::{self, Chain};

/// Column with the number of a row's lane; 0 are events that the outer stage reads itself.
pub(super) const LANE: &str = "detc_lane";

/// Column that tells the rows of all lanes but the one at work from each other.
pub(super) const ROW: &str = "detc_row";

impl<'a> Context<'a> {
    /// Events and hits of several stages, flagged for the signals of the outer one; `None` only after a reason was added.
    pub(super) fn beside(&mut self, inputs: &[plan::Input<'_>]) -> Option<Head> {
        let stage = self.stage;
        let composed: Vec<(SignalId, &'a Signal)> = stage
            .signals
            .iter()
            .enumerate()
            .filter(|(_, signal)| signal.stage.is_some())
            .map(|(index, signal)| (SignalId(index), signal))
            .collect();
        for (_, signal) in &composed {
            if signal.stage.as_ref().is_some_and(|inner| inner.is_composed()) {
                let message =
                    "hits of hits cannot stand beside other signals; write the inner hits as a behaviour of events";
                self.refuse(ReasonCode::UnsupportedBehavior, signal.name.span, message);
                return None;
            }
        }
        let mut bases = Vec::new();
        let mut head = if inputs.is_empty() {
            let base = super::ast::SearchExpr::All(Vec::new());
            Head {
                search: Search { base, stages: Vec::new() },
                ticks: self.ticks,
                keys: Vec::new(),
                flagged: true,
                timed: true,
            }
        } else {
            let head = self.read_all(inputs)?;
            bases.push(head.search.base.clone());
            head
        };
        head.timed = true;
        let raw: Vec<SignalId> = inputs.iter().flat_map(|input| input.signals.clone()).collect();
        self.forget_helpers();
        let own = (!raw.is_empty()).then(|| "0".to_owned());
        let lanes = own.into_iter().chain((1..=composed.len()).map(|lane| lane.to_string())).map(EvalExpr::text);
        let raw_text = EvalExpr::call(Function::Md5, EvalExpr::source("_raw"));
        head.push(Stage::Eval(vec![
            (TIME.to_owned(), self.ticks.now()),
            (ROW.to_owned(), raw_text),
            (LANE.to_owned(), EvalExpr::Call(Function::MvAppend, lanes.collect())),
        ]));
        self.verdict.assume("different events differ in their raw text");
        if composed.len() + raw.len() > 1 {
            head.push(Stage::MvExpand(LANE.to_owned()));
        }
        let mut carried = std::collections::BTreeMap::new();
        let (mut times, mut identities) = (Vec::new(), Vec::new());
        for (index, (_, signal)) in composed.iter().enumerate() {
            let lane = i64::try_from(index + 1).unwrap_or(i64::MAX);
            self.in_lane = true;
            let inner = self.hits_inside(signal);
            self.in_lane = false;
            let inner = inner?;
            bases.push(inner.search.base);
            let row = row_of(&inner.row, lane);
            head.search.stages.extend(rename::guarded(inner.search.stages, lane));
            let here = on_lane(lane);
            let moved = |name: &str| EvalExpr::derived(rename::in_lane(name, lane));
            let mut settled: Vec<(String, EvalExpr)> = inner
                .kept
                .iter()
                .map(|name| (rename::in_lane(name, lane), EvalExpr::only_if(here.clone(), moved(name))))
                .collect();
            settled.push((ROW.to_owned(), EvalExpr::choose(here.clone(), row, EvalExpr::derived(ROW))));
            head.push(Stage::Eval(settled));
            times.extend([here.clone(), moved(TIME)]);
            identities.extend([here, moved(IDENTITY)]);
            for (name, column) in std::mem::take(&mut self.hits) {
                carried.insert(name, rename::carried(column, lane));
            }
        }
        self.hits.extend(carried);
        head.search.base = any_of(bases)?;
        let otherwise = |mut cases: Vec<EvalExpr>, value: &str| {
            cases.extend([EvalExpr::Call(Function::True, Vec::new()), EvalExpr::derived(value)]);
            EvalExpr::Call(Function::Case, cases)
        };
        head.push(Stage::Eval(vec![
            (TIME.to_owned(), otherwise(times, TIME)),
            (IDENTITY.to_owned(), otherwise(identities, ROW)),
        ]));
        self.flags_of_lanes(&mut head, &raw, &composed);
        Some(head)
    }

    /// Flags rows with the signals of the outer stage and drops those of none.
    fn flags_of_lanes(&mut self, head: &mut Head, raw: &[SignalId], composed: &[(SignalId, &'a Signal)]) {
        let flagged = |condition: EvalExpr| EvalExpr::choose(condition, EvalExpr::Integer(1), EvalExpr::Integer(0));
        let mut any = Vec::new();
        let mut flags = Vec::new();
        for id in raw {
            let flag = self.flag(*id);
            any.push(is_set(&flag));
            flags.push((flag.clone(), flagged(EvalExpr::all(vec![on_lane(0), is_set(&flag)]))));
        }
        for (index, (id, signal)) in composed.iter().enumerate() {
            let Some(scope) = self.scope(signal) else { continue };
            let mut parts = vec![on_lane(i64::try_from(index + 1).unwrap_or(i64::MAX))];
            parts.extend(conjuncts(&signal.predicate).into_iter().map(|part| self.condition(scope, part, true)));
            parts.retain(|part| *part != EvalExpr::constant(true));
            let flag = self.flag(*id);
            any.push(is_set(&flag));
            flags.push((flag, flagged(EvalExpr::all(parts))));
        }
        head.search.stages.extend(self.take_helpers());
        head.push(Stage::Eval(flags));
        head.keep(EvalExpr::any(any));
    }

    /// Makes one row of an event and the hits that it closes, so that it never pairs with itself.
    pub(super) fn merge_lanes(&mut self, head: &mut Head) {
        self.choices_of_hits();
        let flags = self.stage.behavior.node.signals().into_iter().map(|signal| self.flag(signal));
        let aggregates = flags.map(|flag| Aggregate::of(AggregateFunction::Max, &flag, &flag)).collect();
        head.push(Stage::StatsBeside { lane: None, aggregates, by: head.by(&[TIME, IDENTITY]) });
    }

    /// Adds the pairs of signals that one event can be because it closes a hit.
    pub(super) fn overlaps_of_hits(&self, chain: &mut Chain<'_>) {
        let signals = self.told_apart_by_events();
        for (index, one) in signals.iter().enumerate() {
            for other in signals.iter().skip(index + 1) {
                let (Some(left), Some(right)) = (self.stage.signal(*one), self.stage.signal(*other)) else { continue };
                let composed = left.stage.is_some() || right.stage.is_some();
                let meet = closing(left).iter().any(|one| closing(right).iter().any(|other| may_be_one(one, other)));
                let pair = ((*one).min(*other), (*one).max(*other));
                if composed && meet && !chain.overlaps.contains(&pair) {
                    chain.overlaps.push(pair);
                }
            }
        }
    }

    /// The signals for which it matters whether their events are the same: steps, and what ends a chain or starts none.
    fn told_apart_by_events(&self) -> Vec<SignalId> {
        let mut signals = self.stage.behavior.node.positive_signals();
        if let Behavior::Sequence(sequence) = &self.stage.behavior.node {
            signals.extend(sequence.until.as_ref().map(|until| until.node));
        }
        signals
    }

    /// Records where it matters which of several events of one instant closes a hit, as another signal may be one of them.
    pub(super) fn choices_of_hits(&mut self) {
        let stage = self.stage;
        let compared = self.told_apart_by_events();
        let signals = || compared.iter().filter_map(|id| Some((id.0, stage.signal(*id)?)));
        for (index, signal) in signals().filter(|(_, signal)| signal.stage.is_some()) {
            for (other_index, other) in signals().filter(|(other, _)| *other != index) {
                let is_told = match &other.stage {
                    None => closing(signal).iter().all(|one| !may_be_one(one, other) || implies_other(one, other)),
                    Some(_) if other_index < index => true,
                    Some(_) => {
                        let (ours, theirs) = (closing(signal), closing(other));
                        let meet = ours.iter().any(|one| theirs.iter().any(|other| may_be_one(one, other)));
                        let alike = match (ours.as_slice(), theirs.as_slice()) {
                            ([one], [other]) => one.predicate.node == other.predicate.node,
                            _ => false,
                        };
                        !meet || alike && takes_all(signal) && takes_all(other)
                    }
                };
                if !is_told {
                    let message = "where several events close a hit at one instant, another one may stand for it, \
                                   which matters to a chain that may not use an event twice";
                    self.refuse(ReasonCode::TieChoice, signal.name.span, message);
                }
            }
        }
    }

    fn hits_inside(&mut self, signal: &'a Signal) -> Option<Inside> {
        let inner = signal.stage.as_deref()?;
        let index = self.index_of(signal);
        let outer = (self.stage, self.outermost, self.carries);
        (self.stage, self.outermost, self.carries) = (inner, false, true);
        let mut shown = Shown::default();
        let head = self.hits(&mut shown);
        let inside = head.map(|mut head| {
            let keys = head.keys.clone();
            let kept = self.settle(&mut head, &shown, index);
            let row = keys.into_iter().chain([TIME.to_owned(), IDENTITY.to_owned()]).collect();
            Inside { search: head.search, kept, row }
        });
        (self.stage, self.outermost, self.carries) = outer;
        inside
    }
}

/// The search of an inner stage.
struct Inside {
    search: Search,
    /// Columns that its hits keep.
    kept: Vec<String>,
    /// Columns that tell its hits from each other.
    row: Vec<String>,
}

/// Whether a row runs in a lane.
pub(super) fn on_lane(lane: i64) -> EvalExpr {
    EvalExpr::equal(EvalExpr::derived(LANE), EvalExpr::Integer(lane))
}

/// Whether a row runs in another lane.
pub(super) fn off_lane(lane: i64) -> EvalExpr {
    EvalExpr::compare(EvalExpr::derived(LANE), Comparison::Different, EvalExpr::Integer(lane))
}

/// The text that tells a lane's hits from each other.
fn row_of(columns: &[String], lane: i64) -> EvalExpr {
    let mut parts = Vec::new();
    for column in columns {
        let name = EvalExpr::Name(Name::Derived(rename::in_lane(column, lane)));
        parts.extend([EvalExpr::Call(Function::Coalesce, vec![name, EvalExpr::text("")]), EvalExpr::text("|")]);
    }
    EvalExpr::Join(parts)
}

/// The signals of which an event can be what a signal's events are.
fn closing(signal: &Signal) -> Vec<&Signal> {
    match &signal.stage {
        None => vec![signal],
        Some(inner) => {
            let ids = inner.behavior.node.closing_signals();
            ids.into_iter().filter_map(|id| inner.signal(id)).flat_map(closing).collect()
        }
    }
}

fn implies_other(one: &Signal, other: &Signal) -> bool {
    implies(&one.predicate.node, &other.predicate.node)
}

/// Whether every event of the closing instant closes the hit.
fn takes_all(signal: &Signal) -> bool {
    signal.stage.as_ref().is_some_and(|inner| match &inner.behavior.node {
        Behavior::Count { .. } | Behavior::Distinct { .. } | Behavior::Aggregation(_) => true,
        Behavior::Event { .. }
        | Behavior::Sequence(_)
        | Behavior::Group(_)
        | Behavior::Rare(_)
        | Behavior::Baseline(_)
        | Behavior::Travel(_) => false,
    })
}

fn may_be_one(one: &Signal, other: &Signal) -> bool {
    !one.meets(other).is_empty()
}
