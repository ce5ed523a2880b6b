//! What this backend cannot say yet, refused before anything is lowered.
//!
//! Never lets a clause through that no shape looks at.

use super::context::Context;
use crate::backend::ReasonCode;
use crate::ir::{Behavior, Detection, Predicate, Stage};
use crate::source::Span;

impl Context<'_> {
    /// Whether every clause of a detection has a shape; a reason for each that has none.
    pub(super) fn covers(&mut self, detection: &Detection) -> bool {
        let before = self.verdict.reasons.len();
        if detection.filter.node != Predicate::Constant(true) {
            let message = "exceptions on finished hits are not searched for yet; name the signals that they filter";
            self.lacks(detection.filter.span, message);
        }
        self.covers_stage(&detection.stage);
        self.verdict.reasons.len() == before
    }

    fn covers_stage(&mut self, stage: &Stage) {
        if stage.is_composed() {
            let message = "signals that are hits of a behaviour are not searched for yet; write the behaviour alone";
            self.lacks(stage.behavior.span, message);
        }
        let span = stage.behavior.span;
        match &stage.behavior.node {
            Behavior::Event { signals } if signals.len() > 1 => {
                self.lacks(span, "a union of signals is not searched for yet; write one signal with `or`");
            }
            Behavior::Event { .. } | Behavior::Count { .. } | Behavior::Distinct { .. } => {}
            Behavior::Sequence(sequence) => {
                for absence in &sequence.absences {
                    self.lacks(absence.span, "an absence is not searched for yet; leave the `no` out");
                }
                if let Some(until) = &sequence.until {
                    self.lacks(until.span, "`until` is not searched for yet; leave it out");
                }
                for condition in &sequence.conditions {
                    let message = "conditions between steps can be `==` on one value of all steps, or a single `!=`";
                    self.refuse(ReasonCode::UnsupportedRelation, condition.span, message);
                }
            }
            Behavior::Aggregation(_) => {
                self.lacks(span, "this aggregate is not searched for yet; use a sliding `count` or `distinct`");
            }
            Behavior::Group(_) => self.lacks(span, "a group is not searched for yet; write a sequence"),
            Behavior::Rare(_) | Behavior::Baseline(_) | Behavior::Travel(_) => {
                let name = stage.behavior.node.name();
                self.lacks(span, &format!("`{name}` is not searched for yet; use `count` or `distinct`"));
            }
        }
    }

    fn lacks(&mut self, span: Span, message: &str) {
        self.refuse(ReasonCode::UnsupportedBehavior, span, message);
    }
}
