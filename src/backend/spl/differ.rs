//! Chains with one `!=`: the newest start, and the newest start under another value than that one.

use super::ast::{Aggregate, AggregateFunction, Arithmetic, Comparison, EvalExpr, Function, SortKey, Stage};
use super::chain::once_per_start;
use super::columns::{Packed, Shown};
use super::context::Context;
use super::read::{Head, TIME, columns, is_set};
use super::subject::{Kind, Subject};
use crate::backend::ReasonCode;
use crate::ir::{CaseRule, Relation, SignalId};
use crate::plan::{Chain, Link};
use crate::source::Spanned;

/// The columns in which the two newest starts under different values travel.
struct Newest {
    value: &'static str,
    start: &'static str,
    other: &'static str,
}

impl Context<'_> {
    /// Instants that close a chain, two events of which differ in a value.
    pub(super) fn differ(
        &mut self,
        head: &mut Head,
        chain: &Chain<'_>,
        relation: &Relation,
        (earlier, later): (usize, usize),
        shown: &mut Shown,
    ) {
        if !self.can_differ(chain, relation, (earlier, later)) {
            return;
        }
        let carried = self.carried_apart(chain, shown);
        let Some(signals) = self.rows(head, chain, relation, (earlier, later), &carried) else { return };
        let role = |link: usize| signals.get(link).cloned().unwrap_or_else(|| EvalExpr::constant(true));
        let window = EvalExpr::Integer(head.ticks.span(chain.window));
        let age =
            |start: &str| EvalExpr::arithmetic(EvalExpr::derived(TIME), Arithmetic::Minus, EvalExpr::derived(start));
        let inside = |start: &str| EvalExpr::compare(age(start), Comparison::LessOrEqual, window.clone());
        let last = chain.links.len() - 1;
        let mut start_of_earlier = TIME;
        if is_run(chain, (earlier, later)) {
            start_of_earlier = "detc_p1";
        } else if earlier == 1 {
            head.set("detc_s1", EvalExpr::only_if(role(0), EvalExpr::derived(TIME)));
            running(head, &[(AggregateFunction::Max, "detc_s1", "detc_p1")]);
            start_of_earlier = "detc_p1";
        }
        let starting = carried.iter().any(|carried| carried.0 == 0 && last != 0);
        let newest = newest_starts(head, &role(earlier), start_of_earlier, starting);
        let differs = |newest: &Newest| {
            EvalExpr::compare(EvalExpr::derived(newest.value), Comparison::Different, EvalExpr::derived("detc_v"))
        };
        let best = |newest: &Newest| {
            EvalExpr::choose(differs(newest), EvalExpr::derived(newest.start), EvalExpr::derived(newest.other))
        };
        if later - earlier == 2 {
            // the newest middle event has seen every start that an older one has
            head.push(Stage::Eval(vec![
                ("detc_bv".to_owned(), EvalExpr::only_if(role(1), EvalExpr::derived(newest.value))),
                ("detc_bt".to_owned(), EvalExpr::only_if(role(1), EvalExpr::derived(newest.start))),
                ("detc_bu".to_owned(), EvalExpr::only_if(role(1), EvalExpr::derived(newest.other))),
            ]));
            let last = AggregateFunction::Last;
            running(head, &[(last, "detc_bv", "detc_v3"), (last, "detc_bt", "detc_t3"), (last, "detc_bu", "detc_t4")]);
            head.set("detc_s", best(&Newest { value: "detc_v3", start: "detc_t3", other: "detc_t4" }));
        } else {
            head.set("detc_s", best(&newest));
        }
        if starting {
            let columns = (EvalExpr::derived("detc_z1"), EvalExpr::derived("detc_z2"));
            head.set("detc_y1", EvalExpr::choose(differs(&newest), columns.0, columns.1));
        }
        if later < last {
            let valid = EvalExpr::all(vec![role(later), inside("detc_s")]);
            head.set("detc_s2", EvalExpr::only_if(valid, EvalExpr::derived("detc_s")));
            running(head, &[(AggregateFunction::Max, "detc_s2", "detc_p2")]);
            head.set("detc_s", EvalExpr::derived("detc_p2"));
        }
        let mut kept = vec![role(last), inside("detc_s")];
        kept.retain(|condition| *condition != EvalExpr::constant(true));
        head.keep(EvalExpr::all(kept));
        let texts: Vec<(String, String)> = carried
            .iter()
            .map(|(link, _)| {
                let text = format!("detc_x{}", link + 1);
                (if *link == last { text.clone() } else { "detc_y1".to_owned() }, text)
            })
            .collect();
        once_per_start(head, "detc_s", &texts, true);
        self.newest(head);
        for (link, packed) in &carried {
            self.unpack(head, packed, &format!("detc_x{}", link + 1), shown);
        }
    }

    /// The columns of the closing event, and in a chain of two those of the starting one, by index of the link.
    fn carried_apart(&mut self, chain: &Chain<'_>, shown: &mut Shown) -> Vec<(usize, Packed)> {
        let last = chain.links.len() - 1;
        let mut carried = Vec::new();
        for (index, link) in chain.links.iter().enumerate().filter(|(_, link)| link.names_step) {
            if index != last && last != 1 {
                let reason =
                    "the search does not keep the events of earlier steps in a chain of more than two with `!=`";
                self.drop_columns(link.step, reason, shown);
            } else if let Some(mut packed) = self.packed(Some(link.step), &[link.signal], shown) {
                if self.stage.behavior.node.signals().len() > 1 {
                    packed.text = EvalExpr::only_if(is_set(&self.flag(link.signal)), packed.text);
                }
                carried.push((index, packed));
            }
        }
        carried
    }

    /// Whether the shape covers the chain.
    fn can_differ(&mut self, chain: &Chain<'_>, relation: &Relation, (earlier, later): (usize, usize)) -> bool {
        let signal = |index: usize| chain.links.get(index).map(|link| link.signal);
        let apart = |one: usize, other: usize| match (signal(one), signal(other)) {
            (Some(one), Some(other)) => one != other && !chain.overlaps.contains(&(one.min(other), one.max(other))),
            _ => true,
        };
        let covered = match chain.links.len() {
            2 => true,
            more if is_run(chain, (earlier, later)) => later + 1 == more && apart(0, later),
            // the event that the condition does not name must be no other step; in the middle none may be another
            3 => match (earlier, later) {
                (0, 1) => apart(0, 2) && apart(1, 2),
                (1, 2) => apart(0, 1) && apart(0, 2),
                _ => apart(0, 1) && apart(1, 2) && apart(0, 2),
            },
            _ => false,
        };
        if !covered {
            let message = "`!=` between steps works in chains of two events, of one repeated step and another, \
                           and of three where the event that it does not name cannot be another step";
            self.refuse(ReasonCode::UnsupportedRelation, relation.span, message);
        }
        covered
    }

    /// One row for each instant, value and set of roles, in an order that lets every start stand before what it can start.
    fn rows(
        &mut self,
        head: &mut Head,
        chain: &Chain<'_>,
        relation: &Relation,
        (earlier, later): (usize, usize),
        carried: &[(usize, Packed)],
    ) -> Option<Vec<EvalExpr>> {
        let signal = |index: usize| chain.links.get(index).map(|link: &Link| link.signal);
        let sides = [
            (signal(earlier)?, Spanned::new(relation.left.value.clone(), relation.span)),
            (signal(later)?, Spanned::new(relation.right.value.clone(), relation.span)),
        ];
        self.one_value(chain, &sides);
        let mut values = Vec::new();
        for (id, value) in &sides {
            values.push((*id, self.told_apart(*id, value, relation)?));
        }
        let value = match values.as_slice() {
            [(_, left), (_, right)] if left == right => left.clone(),
            _ => {
                let mut arguments = Vec::new();
                for (id, value) in values {
                    arguments.extend([is_set(&self.flag(id)), value]);
                }
                arguments.extend([EvalExpr::Call(Function::True, Vec::new()), EvalExpr::text("")]);
                EvalExpr::Call(Function::Case, arguments)
            }
        };
        head.search.stages.extend(self.take_helpers());
        head.set("detc_v", value);
        let ids: Vec<SignalId> = (0..chain.links.len()).filter_map(signal).collect();
        let flags: Vec<String> = ids.iter().map(|id| self.flag(*id)).collect();
        let roles = |index: usize| flags.get(index).map(|flag| is_set(flag));
        let mut unique = flags.clone();
        unique.sort();
        unique.dedup();
        let mut by = head.by(&[TIME, "detc_v"]);
        if head.flagged {
            by.extend(unique);
        }
        let mut aggregates = vec![Aggregate::count("detc_n")];
        for (link, packed) in carried {
            let column = format!("detc_x{}", link + 1);
            head.set(&column, packed.text.clone());
            aggregates.push(Aggregate::of(AggregateFunction::Max, &column, &column));
        }
        if is_run(chain, (earlier, later)) {
            self.run_starts(head, chain, signal(earlier)?, &by, carried);
            aggregates.push(Aggregate::of(AggregateFunction::Max, "detc_s1", "detc_s1"));
        }
        head.push(Stage::Stats { aggregates, by });
        if is_run(chain, (earlier, later)) {
            // any event of the instant can be the last of the run
            let newest = Aggregate::of(AggregateFunction::Max, "detc_s1", "detc_p1");
            head.push(Stage::EventStats { aggregates: vec![newest], by: head.by(&[TIME]) });
        }
        if !head.flagged {
            head.push(Stage::Sort(vec![SortKey::up(TIME)]));
            return Some(vec![EvalExpr::constant(true); chain.links.len()]);
        }
        let mut ranks: Vec<(EvalExpr, i64)> = Vec::new();
        for index in 0..chain.links.len() {
            let rank = i64::try_from(2 * index).unwrap_or(i64::MAX);
            let (Some(here), next) = (roles(index), roles(index + 1)) else { continue };
            let overlap = chain.overlaps.iter().any(|(one, other)| {
                let pair = (signal(index), signal(index + 1));
                pair == (Some(*one), Some(*other)) || pair == (Some(*other), Some(*one))
            });
            if let Some(next) = next.filter(|next| *next != here && overlap && (index, index + 1) == (earlier, later)) {
                ranks.push((EvalExpr::all(vec![here.clone(), next]), rank + 1));
            }
            if !ranks.iter().any(|(condition, _)| *condition == here) {
                ranks.push((here, rank));
            }
        }
        // every row has some role
        if let Some((condition, _)) = ranks.last_mut() {
            *condition = EvalExpr::Call(Function::True, Vec::new());
        }
        let arguments = ranks.into_iter().flat_map(|(condition, rank)| [condition, EvalExpr::Integer(rank)]).collect();
        head.set("detc_o", EvalExpr::Call(Function::Case, arguments));
        // among starts of one instant the event that sorts last comes last
        let first = carried.iter().filter(|(link, _)| *link == 0).map(|_| "detc_x1");
        let columns = [TIME, "detc_o"].into_iter().chain(first);
        head.push(Stage::Sort(columns.map(SortKey::up).collect()));
        Some((0..chain.links.len()).filter_map(roles).collect())
    }

    /// The start of the run that each event closes: the time of the event so many places before it.
    fn run_starts(
        &mut self,
        head: &mut Head,
        chain: &Chain<'_>,
        signal: SignalId,
        groups: &[String],
        carried: &[(usize, Packed)],
    ) {
        let length = chain.links.len() - 1;
        let flag = self.flag(signal);
        let mut kept = groups.to_vec();
        kept.extend(carried.iter().map(|(link, _)| format!("detc_x{}", link + 1)));
        head.push(columns(&kept));
        head.push(Stage::Sort(vec![SortKey::up(TIME)]));
        head.push(Stage::StreamStats {
            window: u64::try_from(length).ok(),
            current: true,
            aggregates: vec![Aggregate::count("detc_c"), Aggregate::of(AggregateFunction::Min, TIME, "detc_t0")],
            by: head.by(&[&flag]),
        });
        let full =
            EvalExpr::equal(EvalExpr::derived("detc_c"), EvalExpr::Integer(i64::try_from(length).unwrap_or(i64::MAX)));
        let closes = EvalExpr::all(vec![is_set(&flag), full]);
        head.set("detc_s1", EvalExpr::only_if(closes, EvalExpr::derived("detc_t0")));
    }

    /// A value as text that equals another exactly where the values do; a missing value differs from everything.
    fn told_apart(&mut self, id: SignalId, value: &Spanned<crate::ir::Value>, relation: &Relation) -> Option<EvalExpr> {
        let subject = self.by_signal(&[(id, value.clone())]);
        let scope = self.stage.signal(id).and_then(|signal| self.scope(signal))?;
        let subject = self.settled(scope, subject);
        if subject.kind == Kind::Many {
            let message = "a list cannot be compared between steps";
            self.refuse(ReasonCode::UnsupportedRelation, relation.span, message);
            return None;
        }
        // behind the test of presence the text is no blank any more
        let native = Subject { blanks: Vec::new(), ..subject.clone() }.native();
        let fold = relation.case == CaseRule::Ignore && subject.kind == Kind::Text;
        let text = if fold { EvalExpr::lowered(native.expression) } else { native.expression };
        let raw = EvalExpr::call(Function::Md5, EvalExpr::source("_raw"));
        let identity = match self.identity(id) {
            Some(identity) if self.stage.is_composed() => identity,
            Some(identity) => EvalExpr::Call(Function::Coalesce, vec![identity, raw]),
            None => {
                self.verdict
                    .assume("different events without the value that the steps compare differ in their raw text");
                raw
            }
        };
        let unique = EvalExpr::Join(vec![EvalExpr::text("?"), identity]);
        Some(EvalExpr::choose(subject.is_missing(), unique, EvalExpr::Join(vec![EvalExpr::text("="), text])))
    }
}

/// Whether all events before the last are of one signal, there are several of them, and the condition names the newest.
fn is_run(chain: &Chain<'_>, (earlier, later): (usize, usize)) -> bool {
    let first = chain.links.first().map(|link| link.signal);
    later >= 2
        && earlier + 1 == later
        && later + 1 == chain.links.len()
        && chain.links.iter().take(later).all(|link| Some(link.signal) == first)
}

/// Running aggregates over the earlier rows of the key.
fn running(head: &mut Head, aggregates: &[(AggregateFunction, &str, &str)]) {
    let aggregates = aggregates.iter().map(|(function, from, to)| Aggregate::of(*function, from, to)).collect();
    head.push(Stage::StreamStats { window: None, current: false, aggregates, by: head.keys.clone() });
}

/// Carries the newest start and the newest start under another value than that one, with the columns of their events.
fn newest_starts(head: &mut Head, role: &EvalExpr, start: &str, columns: bool) -> Newest {
    let mut conditions = vec![role.clone()];
    if start != TIME {
        conditions.push(EvalExpr::call(Function::IsNotNull, EvalExpr::derived(start)));
    }
    conditions.retain(|condition| *condition != EvalExpr::constant(true));
    let starts = |more: &[EvalExpr], value: &str| {
        let all: Vec<EvalExpr> = conditions.iter().chain(more).cloned().collect();
        let value = EvalExpr::derived(value);
        if all.is_empty() { value } else { EvalExpr::only_if(EvalExpr::all(all), value) }
    };
    let last = AggregateFunction::Last;
    let mut assignments =
        vec![("detc_av".to_owned(), starts(&[], "detc_v")), ("detc_at".to_owned(), starts(&[], start))];
    let mut aggregates = vec![(last, "detc_av", "detc_v1"), (last, "detc_at", "detc_t1")];
    if columns {
        assignments.push(("detc_ax".to_owned(), starts(&[], "detc_x1")));
        aggregates.push((last, "detc_ax", "detc_z1"));
    }
    head.push(Stage::Eval(assignments));
    running(head, &aggregates);
    let changes = [EvalExpr::compare(EvalExpr::derived("detc_v1"), Comparison::Different, EvalExpr::derived("detc_v"))];
    let mut assignments = vec![("detc_change".to_owned(), starts(&changes, "detc_t1"))];
    let mut aggregates = vec![(last, "detc_change", "detc_t2")];
    if columns {
        assignments.push(("detc_bx".to_owned(), starts(&changes, "detc_z1")));
        aggregates.push((last, "detc_bx", "detc_z2"));
    }
    head.push(Stage::Eval(assignments));
    running(head, &aggregates);
    Newest { value: "detc_v1", start: "detc_t1", other: "detc_t2" }
}
