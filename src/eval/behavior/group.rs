//! Several signals in one sliding window, in any order.
//!
//! Never asks for different events: one may stand for several signals.

use std::collections::VecDeque;

use super::{Entry, Moment, Names, Rule, last};
use crate::eval::expression::Trail;
use crate::eval::{Number, microseconds};
use crate::ir::{Group, GroupForm, SignalId, Stage};

/// Members with their weights.
#[derive(Debug)]
pub(super) struct Groups {
    names: Names,
    members: Vec<(SignalId, u64)>,
    at_least: u64,
    window: i64,
    is_score: bool,
}

impl Groups {
    pub(super) fn new(stage: &Stage, group: &Group) -> Self {
        Self {
            names: Names::new(stage),
            members: group.members.iter().map(|member| (member.signal, member.weight)).collect(),
            at_least: group.at_least.node,
            window: microseconds(group.window.node),
            is_score: group.form == GroupForm::Score,
        }
    }
}

impl Rule for Groups {
    /// The instants of the window's entries with the members that each belongs to, the entries, and how many of them each
    /// member has.
    type State = (VecDeque<(i64, Vec<usize>)>, Trail, Vec<usize>);

    fn take(&self, (inside, trail, present): &mut Self::State, entries: Vec<Entry>, at: &mut Moment<'_>) {
        present.resize(self.members.len(), 0);
        let oldest = at.now.saturating_sub(self.window);
        while inside.front().is_some_and(|(instant, _)| *instant < oldest) {
            trail.pop();
            for member in inside.pop_front().into_iter().flat_map(|(_, members)| members) {
                present.iter_mut().skip(member).take(1).for_each(|count| *count -= 1);
            }
        }
        let mut entered: Vec<&Entry> = Vec::new();
        for entry in &entries {
            let members = self.members.iter().enumerate().filter(|(_, (signal, _))| entry.is_of(*signal));
            let members: Vec<usize> = members.map(|(member, _)| member).collect();
            if members.is_empty() {
                continue;
            }
            for member in &members {
                present.iter_mut().skip(*member).take(1).for_each(|count| *count += 1);
            }
            inside.push_back((at.now, members));
            trail.push(self.names.part(entry));
            entered.push(entry);
        }
        let weights = self.members.iter().zip(present.iter()).filter(|(_, count)| **count > 0);
        let score = weights.fold(0_u64, |score, ((_, weight), _)| score.saturating_add(*weight));
        if score >= self.at_least
            && let Some(last) = last(entered)
        {
            let aggregates = if self.is_score { vec![Some(Number::from(score))] } else { Vec::new() };
            at.hit(aggregates, trail.parts(), Some(last.closing()));
        }
    }

    fn memory(&self) -> i64 {
        self.window
    }
}
