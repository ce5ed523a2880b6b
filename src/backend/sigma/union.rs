//! Lowers events of any of several signals: one rule for each source, since a rule has one log source.
//!
//! Never splits the signals of one source, so that an event of several of them is one hit.

use super::ast::{Document, Rule};
use super::heading::{self, Part};
use super::rule::{self, Events};
use crate::backend::{ReasonCode, Request, Verdict};
use crate::ir::{Behavior, Signal, SignalId, Stage};

/// Signals of one source, with their identities.
pub(super) type OfSource<'a> = Vec<(SignalId, &'a Signal)>;

/// The rules of a stage of single events; `None` only after a reason was added.
pub(super) fn rules(request: &Request<'_>, stage: &Stage, verdict: &mut Verdict) -> Option<Vec<Document>> {
    let groups = by_source(stage, verdict)?;
    let several = groups.len() > 1;
    let mut documents = Vec::new();
    for group in groups {
        let events: Vec<Events<'_>> =
            group.iter().map(|(_, signal)| Events { signal, filter: None, counted: Vec::new() }).collect();
        let Some(rule) = rule::lower(request, stage, &events, verdict) else { continue };
        let source = group.first().map(|(_, signal)| signal.source.name.as_str()).unwrap_or_default();
        documents.push(Document::Rule(if several {
            Rule { heading: heading::of_alternative(request.detection, &Part::default().inside(source)), ..rule }
        } else {
            rule
        }));
    }
    Some(documents)
}

/// The signals of a stage of single events by their source; `None` after a reason was added.
pub(super) fn by_source<'a>(stage: &'a Stage, verdict: &mut Verdict) -> Option<Vec<OfSource<'a>>> {
    let Behavior::Event { signals } = &stage.behavior.node else { return None };
    let mut groups: Vec<OfSource<'a>> = Vec::new();
    let mut composed = false;
    for (id, signal) in signals.iter().filter_map(|id| Some((*id, stage.signal(*id)?))) {
        if signal.stage.is_some() {
            let message = "Sigma has no rule that tests or joins the hits of a behaviour; write its conditions on the signals \
                           inside, or a detection for each";
            verdict.add(ReasonCode::UnsupportedBehavior, signal.name.span, message);
            composed = true;
            continue;
        }
        let known = groups.iter_mut().find(|group| {
            group.first().is_some_and(|(_, known): &(SignalId, &Signal)| known.source.name == signal.source.name)
        });
        match known {
            Some(group) => group.push((id, signal)),
            None => groups.push(vec![(id, signal)]),
        }
    }
    (!composed).then_some(groups)
}
