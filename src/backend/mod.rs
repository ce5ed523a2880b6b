//! Query languages: each backend turns a resolved detection into a query, or says why it cannot.
//!
//! Never emits a weaker query than the detection on its own: what differs is in the verdict.

mod elastic;
mod kql;
mod several;
mod sigma;
mod spl;
mod verdict;

use std::collections::BTreeMap;

pub use several::compile;
pub use verdict::{Fidelity, Reason, ReasonCode, Verdict};

use crate::ir::{Detection, Schedule};
use crate::schema::mapping::TargetProfile;

/// A query language.
pub trait Backend: Sync {
    /// Name by which a target's `backend` refers to it.
    fn name(&self) -> &'static str;

    /// Compiles a detection for one deployment of the language.
    ///
    /// A detection that the language cannot express gives [`Fidelity::Unsupported`] and no query.
    fn compile(&self, request: &Request<'_>) -> Output;

    /// The name of the file that holds the query of a detection, without its ending; two detections never share one.
    fn file_stem(&self, detection: &str) -> String {
        detection.to_owned()
    }
}

/// What a backend compiles.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The detection.
    pub detection: &'a Detection,
    /// The deployment.
    pub target: &'a TargetProfile,
    /// When the query runs.
    pub schedule: Schedule,
}

/// What a backend made of a detection.
#[derive(Debug, Clone)]
pub struct Output {
    /// How the query relates to the detection.
    pub verdict: Verdict,
    /// The query; absent exactly when the verdict is unsupported.
    pub query: Option<Query>,
}

/// A finished query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Language of the text: `spl`, `kql`, `eql`, `esql`, `sigma`.
    pub language: &'static str,
    /// Ending of the file that holds it.
    pub extension: &'static str,
    /// The text, without the header comment, with a newline at its end.
    pub text: String,
    /// Names of the result's columns, in order; empty where the language returns whole events.
    pub columns: Vec<String>,
    /// Columns of the alert that the result lacks, by name, with the reason.
    pub missing_columns: BTreeMap<String, String>,
    /// Facts about the schedule that the deployment has to set, by name (`earliest`, `latest`, `cron`, `from`).
    pub deployment: BTreeMap<String, String>,
}

/// Every backend, by name.
pub static ALL: &[&dyn Backend] = &[&elastic::Elastic, &kql::Kql, &sigma::Sigma, &spl::Spl];

/// The backend of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Backend> {
    ALL.iter().copied().find(|backend| backend.name() == name)
}
