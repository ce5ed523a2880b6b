//! Targets: what a folder under `targets/` says about one deployment of a query language.
//!
//! Never knows a query language; it reads facts and checks them against the telemetry catalogue.

mod envelope;
mod fields;

use std::collections::BTreeMap;

use serde::Deserialize;

pub use envelope::{Envelope, QueryFacts, ReasonFacts};
pub use fields::{load_field_map, unmapped};

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::schema::Duration;
use crate::schema::mapping::TargetProfile;
use crate::source::FileId;
use crate::yaml;

/// `target.yml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Profile {
    target: String,
    title: String,
    backend: String,
    interval: String,
    #[serde(default)]
    options: BTreeMap<String, serde_json::Value>,
}

/// Reads `target.yml`; field maps are added by the caller.
#[must_use]
pub fn load_target(file: FileId, text: &str) -> (Option<TargetProfile>, Diagnostics) {
    let (tree, mut diagnostics) = yaml::parse(file, text);
    let Some(tree) = tree.filter(|_| !diagnostics.has_errors()) else { return (None, diagnostics) };
    let profile = match serde_path_to_error::deserialize::<_, Profile>(yaml::to_json(&tree)) {
        Ok(profile) => profile,
        Err(error) => {
            let message = error.inner().to_string();
            diagnostics.push(Diagnostic::new(Code::InvalidTarget, tree.span, message));
            return (None, diagnostics);
        }
    };
    let span = |key: &str| tree.get(key).map_or(tree.span, |node| node.span);
    let interval: Duration = match profile.interval.parse() {
        Ok(interval) if interval != Duration::ZERO => interval,
        _ => {
            let message = format!("`{}` is no interval", profile.interval);
            diagnostics.push(Diagnostic::new(Code::InvalidTarget, span("interval"), message).help("write `5m`"));
            return (None, diagnostics);
        }
    };
    if crate::backend::find(&profile.backend).is_none() {
        let names: Vec<_> = crate::backend::ALL.iter().map(|backend| format!("`{}`", backend.name())).collect();
        let message = format!("unknown backend `{}`", profile.backend);
        let diagnostic = Diagnostic::new(Code::InvalidTarget, span("backend"), message);
        diagnostics.push(diagnostic.help(format!("the backends are {}", names.join(", "))));
        return (None, diagnostics);
    }
    let target = TargetProfile {
        name: profile.target,
        title: profile.title,
        backend: profile.backend,
        interval,
        options: profile.options,
        maps: BTreeMap::new(),
    };
    (Some(target), diagnostics)
}
