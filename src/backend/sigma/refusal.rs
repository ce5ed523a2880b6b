//! Says what no Sigma document can, clause by clause, and what to write instead.
//!
//! Never lowers anything: what it does not refuse is for the others.

use crate::backend::{ReasonCode, Request, Verdict};
use crate::ir::{BaselineTest, Behavior, Group, GroupForm, Predicate, RareForm, Sequence};
use crate::source::Span;

/// Adds a reason for an exception on finished hits.
pub(super) fn check_filter(request: &Request<'_>, verdict: &mut Verdict) {
    let filter = &request.detection.filter;
    if filter.node != Predicate::Constant(true) {
        let message = "Sigma cannot test what a correlation found; write the exception on the signals, without `signals: [alert]`";
        verdict.add(ReasonCode::UnsupportedBehavior, filter.span, message);
    }
}

/// Adds the reasons why a chain has clauses that Sigma lacks.
pub(super) fn check_sequence(sequence: &Sequence, verdict: &mut Verdict) {
    for absence in &sequence.absences {
        let message = "Sigma cannot ask for the absence of events; compile this for `splunk`, `sentinel` or `elastic`";
        verdict.add(ReasonCode::UnsupportedBehavior, absence.span, message);
    }
    if let Some(until) = &sequence.until {
        let message = "a Sigma sequence has no event that ends it; drop `until`, or compile this for `splunk`, `sentinel` or `elastic`";
        verdict.add(ReasonCode::UnsupportedBehavior, until.span, message);
    }
    for condition in &sequence.conditions {
        let message = "Sigma cannot compare the events of a sequence; values that have to agree can be keys";
        verdict.add(ReasonCode::UnsupportedRelation, condition.span, message);
    }
}

/// Adds the reason why there is no rule for a behaviour that Sigma has no correlation for.
pub(super) fn refuse(behavior: &Behavior, span: Span, verdict: &mut Verdict) {
    let message = match behavior {
        Behavior::Event { .. } | Behavior::Count { .. } | Behavior::Distinct { .. } | Behavior::Sequence(_) => {
            "Sigma has no correlation of this form"
        }
        Behavior::Aggregation(_) => {
            "a Sigma correlation has one number and one bound; split the condition into several detections"
        }
        Behavior::Group(Group { form, .. }) => match form {
            GroupForm::All => "Sigma cannot say this group; write the signals as a sequence or as several detections",
            GroupForm::Some => "Sigma wants every rule of a group; write one detection for each combination with `&`",
            GroupForm::Score => {
                "Sigma has no weights; write one detection with `&` for each combination that is enough"
            }
        },
        Behavior::Rare(rare) => match rare.form {
            RareForm::New => {
                "Sigma knows no history, so it cannot say that a value is new; name the expected values in a list"
            }
            RareForm::Rare => {
                "Sigma knows no history, so it cannot say that a value is rare; name the expected values in a list"
            }
        },
        Behavior::Baseline(baseline) => match baseline.test {
            BaselineTest::Outlier { .. } | BaselineTest::Spike { .. } => {
                "Sigma knows no history to compare with; write a fixed threshold, such as `count(s) >= n within W`"
            }
        },
        Behavior::Travel(_) => {
            "Sigma knows no places and distances; compile this for `splunk`, `sentinel` or `elastic`"
        }
    };
    verdict.add(ReasonCode::UnsupportedBehavior, span, message);
}
