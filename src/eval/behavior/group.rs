//! Several signals in one sliding window, in any order.
//!
//! Never asks for different events: one may stand for several signals.

use std::collections::VecDeque;

use super::{Entry, Moment, Names, Rule};
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
    /// The entries of the window, and how many of them each member has.
    type State = (VecDeque<Entry>, Vec<usize>);

    fn take(&self, (inside, present): &mut Self::State, entries: Vec<Entry>, at: &mut Moment<'_>) {
        present.resize(self.members.len(), 0);
        let oldest = at.now.saturating_sub(self.window);
        while inside.front().is_some_and(|entry| entry.row.time() < oldest) {
            let Some(entry) = inside.pop_front() else { break };
            for ((signal, _), count) in self.members.iter().zip(present.iter_mut()) {
                *count -= usize::from(entry.is_of(*signal));
            }
        }
        let before = inside.len();
        for entry in entries {
            let mut is_member = false;
            for ((signal, _), count) in self.members.iter().zip(present.iter_mut()) {
                is_member |= entry.is_of(*signal);
                *count += usize::from(entry.is_of(*signal));
            }
            if is_member {
                inside.push_back(entry);
            }
        }
        let weights = self.members.iter().zip(present.iter()).filter(|(_, count)| **count > 0);
        let score = weights.fold(0_u64, |score, ((_, weight), _)| score.saturating_add(*weight));
        if inside.len() > before && score >= self.at_least {
            let aggregates = if self.is_score { vec![Some(Number::from(score))] } else { Vec::new() };
            at.hit(aggregates, self.names.parts(&*inside), inside.back().map(Entry::closing));
        }
    }

    fn memory(&self) -> i64 {
        self.window
    }
}
