//! Prepares what a backend compiles where signals read several sources: one field map for all of them.
//!
//! Never lets a backend read fewer sources than the detection: one that the target lacks is a reason against the query.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Backend, Output, ReasonCode, Request, Verdict};
use crate::ir::{Signal, Stage};
use crate::schema::mapping::{FieldMap, TargetProfile};

/// Compiles a detection whose signals may read classes.
#[must_use]
pub fn compile(backend: &dyn Backend, request: &Request<'_>) -> Output {
    let detection = request.detection.expanded();
    let mut verdict = Verdict::default();
    let mut target = Cow::Borrowed(request.target);
    add_maps(&detection.stage, &mut target, &mut verdict);
    if !verdict.reasons.is_empty() {
        return Output { verdict, query: None };
    }
    backend.compile(&Request { detection: &detection, target: &target, schedule: request.schedule })
}

fn add_maps(stage: &Stage, target: &mut Cow<'_, TargetProfile>, verdict: &mut Verdict) {
    for signal in &stage.signals {
        if let Some(inner) = &signal.stage {
            add_maps(inner, target, verdict);
        } else if !signal.source.members.is_empty() && !target.maps.contains_key(&signal.source.name) {
            add_map(signal, target, verdict);
        }
    }
}

fn add_map(signal: &Signal, target: &mut Cow<'_, TargetProfile>, verdict: &mut Verdict) {
    let mut maps: Vec<Arc<FieldMap>> = Vec::new();
    for member in &signal.source.members {
        match target.maps.get(&member.name) {
            Some(map) => maps.push(map.clone()),
            None => {
                let message = format!(
                    "target `{}` does not carry the source `{}`, which the class has; choose others with `sources: [..]`",
                    target.name, member.name
                );
                verdict.add(ReasonCode::MissingSource, signal.name.span, message);
            }
        }
    }
    let map = FieldMap::of_several(&signal.source.name, &maps);
    target.to_mut().maps.insert(signal.source.name.clone(), Arc::new(map));
}
