//! Says what no Sigma document can, clause by clause, and what to write instead.
//!
//! Never lowers anything: what it does not refuse is for the others.

use crate::backend::{ReasonCode, Request, Verdict};
use crate::ir::{AggregateFunction, BaselineTest, Behavior, Group, GroupForm, Predicate, RareForm, Sequence, Value};
use crate::source::{Span, Spanned};

/// Adds a reason for an exception on finished hits.
pub(super) fn check_filter(request: &Request<'_>, verdict: &mut Verdict) {
    let filter = &request.detection.filter;
    if filter.node != Predicate::Constant(true) {
        let message = "Sigma cannot test what a correlation found; write the exception on the signals, without `signals: [alert]`";
        verdict.add(ReasonCode::UnsupportedBehavior, filter.span, message);
    }
}

/// Adds the reasons why a chain is not what Sigma means by `temporal_ordered`.
pub(super) fn check_sequence(sequence: &Sequence, span: Span, verdict: &mut Verdict) {
    for (index, step) in sequence.steps.iter().enumerate() {
        if step.times > 1 {
            let message =
                "a Sigma sequence takes one event of each rule; drop the repetition or count the events instead";
            verdict.add(ReasonCode::UnsupportedBehavior, step.span, message);
        }
        if sequence.steps.iter().take(index).any(|earlier| earlier.signal == step.signal) {
            let message = "a Sigma sequence names each rule once, so one signal cannot be two steps";
            verdict.add(ReasonCode::UnsupportedBehavior, step.span, message);
        }
    }
    for absence in &sequence.absences {
        let message = "Sigma cannot ask for the absence of events; compile this for `splunk`, `sentinel` or `elastic`";
        verdict.add(ReasonCode::UnsupportedBehavior, absence.span, message);
    }
    if let Some(until) = &sequence.until {
        let message = "a Sigma sequence has no event that ends it; drop `until`, or compile this for `splunk`, `sentinel` or \
                       `elastic`";
        verdict.add(ReasonCode::UnsupportedBehavior, until.span, message);
    }
    let relations = sequence.relations.iter().map(|relation| relation.span);
    for span in relations.chain(sequence.conditions.iter().map(|condition| condition.span)) {
        let message = "Sigma cannot compare the events of a sequence; values that have to agree can be keys";
        verdict.add(ReasonCode::UnsupportedRelation, span, message);
    }
    let message = "Sigma leaves to the converter what happens to events of one instant, to events that are two steps at once and to a \
                   start that is followed by several ends";
    verdict.add(ReasonCode::OrderUnspecified, span, message);
}

/// The value that is counted; adds a reason where there are several.
pub(super) fn single_value<'a>(values: &'a [Spanned<Value>], verdict: &mut Verdict) -> Option<&'a Spanned<Value>> {
    for value in values.iter().skip(1) {
        let message = "Sigma does not define what several counted fields mean; count one of them";
        verdict.add(ReasonCode::UnsupportedBehavior, value.span, message);
    }
    values.first()
}

/// Adds the reason why a measure has no correlation.
pub(super) fn refuse_measure(function: &AggregateFunction, span: Span, verdict: &mut Verdict) {
    let message = match function {
        AggregateFunction::Minimum(_) | AggregateFunction::Maximum(_) => {
            "Sigma has no smallest or largest value of a window; a bound that one event can reach belongs into the `where` of \
             the signal"
        }
        AggregateFunction::Percentile { .. } => {
            "the Sigma specification and pySigma disagree on what a percentile is; write `avg`, or compile this for `splunk`, \
             `sentinel` or `elastic`"
        }
        AggregateFunction::Count
        | AggregateFunction::Distinct(_)
        | AggregateFunction::Sum(_)
        | AggregateFunction::Average(_) => "Sigma has no correlation of this form",
    };
    verdict.add(ReasonCode::UnsupportedBehavior, span, message);
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
