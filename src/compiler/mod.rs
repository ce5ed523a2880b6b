//! Drives the stages over the files of a project: loads the catalogue, reads detections, compiles them for targets.
//!
//! Never prints and never writes: it returns results and diagnostics.

mod files;
mod header;
mod manifest;
mod project;

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;

pub use files::{Input, InputError, collect};
pub use manifest::{Manifest, Record, RecordReason};
pub use project::{Project, load};

use crate::analysis::{self, Context, Lists};
use crate::backend::{self, Fidelity, Output, Request};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity};
use crate::ir::{Detection, Schedule};
use crate::schema::mapping::TargetProfile;
use crate::source::{FileId, Sources, Span};
use crate::syntax::{self, DetectionFile};
use crate::yaml;

/// What a run is told from outside.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Parameters by name, as text.
    pub parameters: BTreeMap<String, String>,
    /// The day on which expiry is judged, `YYYY-MM-DD` in UTC.
    pub today: String,
}

/// Detections that were read, with everything that was found on the way.
#[derive(Debug, Default)]
pub struct Checked {
    /// Detections without mistakes, in the order of the files.
    pub detections: Vec<Detection>,
    /// Number of detection files, malformed ones included.
    pub files: usize,
    /// Shared lists.
    pub lists: Lists,
    /// Everything that was found.
    pub diagnostics: Diagnostics,
}

/// What one detection became on one target.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// Index of the detection in [`Checked::detections`].
    pub detection: usize,
    /// Name of the target.
    pub target: String,
    /// Name of the target's backend.
    pub backend: String,
    /// When the query runs.
    pub schedule: Schedule,
    /// What the backend made of it.
    pub output: Output,
    /// The whole file with its header; absent where there is no query.
    pub text: Option<String>,
}

/// A file read from the user.
struct Read {
    detection: Option<DetectionFile>,
    list: Option<syntax::ListFile>,
    diagnostics: Diagnostics,
}

/// Reads and resolves every detection among the files of `sources` from `first` on; other files are lists.
#[must_use]
pub fn check(project: &Project, sources: &Sources, first: FileId, settings: &Settings) -> Checked {
    let files: Vec<_> = sources.iter().filter(|(id, _)| *id >= first).collect();
    let read: Vec<Read> = files.par_iter().map(|(id, file)| read(*id, &file.text)).collect();
    let mut checked = Checked::default();
    let mut detections = Vec::new();
    for read in read {
        checked.diagnostics.extend(read.diagnostics);
        if let Some(list) = read.list {
            let found = checked.lists.add(&list, &settings.today);
            checked.diagnostics.extend(found);
        }
        detections.extend(read.detection);
    }
    checked.files = detections.len();
    check_names(&detections, sources, &mut checked.diagnostics);
    let targets: BTreeSet<String> = project.targets.keys().cloned().collect();
    let context = Context {
        catalog: &project.catalog,
        lists: &checked.lists,
        targets: &targets,
        settings: &settings.parameters,
        today: &settings.today,
    };
    let resolved: Vec<_> = detections.par_iter().map(|file| analysis::analyse(file, &context)).collect();
    for (detection, diagnostics) in resolved {
        checked.diagnostics.extend(diagnostics);
        checked.detections.extend(detection);
    }
    check_settings(&detections, settings, &mut checked.diagnostics);
    checked
}

/// Compiles every detection for every target that it is not restricted from, in order.
#[must_use]
pub fn compile(project: &Project, sources: &Sources, checked: &Checked, targets: &[String]) -> Vec<Compiled> {
    let wanted: Vec<&TargetProfile> = targets.iter().filter_map(|name| project.targets.get(name)).collect();
    let pairs: Vec<_> = checked
        .detections
        .iter()
        .enumerate()
        .flat_map(|(index, detection)| wanted.iter().map(move |target| (index, detection, *target)))
        .filter(|(_, detection, target)| {
            detection.targets.as_ref().is_none_or(|names| names.iter().any(|name| name.node == target.name))
        })
        .collect();
    pairs.par_iter().filter_map(|(index, detection, target)| compile_one(sources, *index, detection, target)).collect()
}

fn compile_one(sources: &Sources, index: usize, detection: &Detection, target: &TargetProfile) -> Option<Compiled> {
    let backend = backend::find(&target.backend)?;
    let schedule = Schedule::derive(detection, target.interval);
    let mut output = backend.compile(&Request { detection, target, schedule });
    if output.verdict.fidelity() == Fidelity::Unsupported {
        output.query = None;
    }
    let text = output
        .query
        .as_ref()
        .map(|query| header::with_header(sources, detection, target, schedule, &output.verdict, query));
    Some(Compiled {
        detection: index,
        target: target.name.clone(),
        backend: target.backend.clone(),
        schedule,
        output,
        text,
    })
}

/// What the verdicts have to say.
///
/// A pair without a query is an error where the detection asks for that target by name, or where that is denied, and a
/// hint elsewhere: the manifest and the matrix tell it anyway; a reason for an approximate query is an error where that is denied, and silent elsewhere.
#[must_use]
pub fn verdict_diagnostics(
    checked: &Checked,
    compiled: &[Compiled],
    deny_approximate: bool,
    deny_unsupported: bool,
) -> Diagnostics {
    let mut diagnostics = Diagnostics::default();
    for pair in compiled {
        let Some(detection) = checked.detections.get(pair.detection) else { continue };
        for reason in &pair.output.verdict.reasons {
            let message = format!("`{}` on target `{}`: {}", detection.name.node, pair.target, reason.message);
            match reason.code.fidelity() {
                Fidelity::Unsupported => {
                    let demanded = detection.targets.is_some() || deny_unsupported;
                    let severity = if demanded { Severity::Error } else { Severity::Hint };
                    let diagnostic = Diagnostic::new(Code::Unsupported, reason.span, message);
                    let help = format!("leave `{}` out with `targets: [..]` if it is not needed", pair.target);
                    diagnostics.push(diagnostic.severity(severity).label(reason.code.as_str()).help(help));
                }
                Fidelity::Approximate if deny_approximate => {
                    let diagnostic = Diagnostic::new(Code::Approximate, reason.span, message);
                    diagnostics.push(diagnostic.label(reason.code.as_str()));
                }
                Fidelity::Approximate | Fidelity::Exact => {}
            }
        }
    }
    diagnostics
}

fn read(id: FileId, text: &str) -> Read {
    let (tree, mut diagnostics) = yaml::parse(id, text);
    let Some(tree) = tree else { return Read { detection: None, list: None, diagnostics } };
    if syntax::is_list(&tree) {
        let (list, found) = syntax::read_list(id, tree);
        diagnostics.extend(found);
        return Read { detection: None, list: Some(list), diagnostics };
    }
    let (detection, found) = syntax::read_detection(id, tree);
    diagnostics.extend(found);
    // A malformed tree has been reported; what could be read of it is still checked, but never compiled.
    Read { detection: Some(detection), list: None, diagnostics }
}

/// Names are the stems of their files, and neither names nor identities repeat.
fn check_names(detections: &[DetectionFile], sources: &Sources, diagnostics: &mut Diagnostics) {
    let mut names: BTreeMap<&str, Span> = BTreeMap::new();
    let mut ids: BTreeMap<String, Span> = BTreeMap::new();
    for file in detections {
        let name = file.document.detection.as_str();
        let span = file.span("/detection");
        let path = sources.get(file.file).map_or("", |file| file.path.as_str());
        if let Some(stem) = stem(path).filter(|stem| !name.is_empty() && *stem != name) {
            let message = format!("the detection `{name}` stands in a file named `{stem}`");
            let diagnostic = Diagnostic::new(Code::NameIsNotFileStem, span, message);
            diagnostics.push(diagnostic.help(format!("rename the file to `{name}.yml`, or the detection to `{stem}`")));
        }
        if !name.is_empty() {
            if let Some(first) = names.get(name) {
                let message = format!("a second detection `{name}`");
                diagnostics.push(Diagnostic::new(Code::DuplicateName, span, message).note(*first, "first here"));
            } else {
                names.insert(name, span);
            }
        }
        let id = file.document.id.to_ascii_lowercase();
        if !id.is_empty() {
            let span = file.span("/id");
            if let Some(first) = ids.get(&id) {
                let message = "another detection has this id";
                let diagnostic = Diagnostic::new(Code::DuplicateName, span, message).note(*first, "first here");
                diagnostics.push(diagnostic.help("an id is made once for each detection, with `uuidgen` for example"));
            } else {
                ids.insert(id, span);
            }
        }
    }
}

/// A parameter given from outside has to exist somewhere.
fn check_settings(detections: &[DetectionFile], settings: &Settings, diagnostics: &mut Diagnostics) {
    for name in settings.parameters.keys() {
        if !detections.iter().any(|file| file.document.parameters.contains_key(name)) {
            let known: BTreeSet<&str> =
                detections.iter().flat_map(|file| file.document.parameters.keys()).map(String::as_str).collect();
            let diagnostic =
                Diagnostic::without_place(Code::UnknownParameter, format!("no detection has a parameter `{name}`"));
            diagnostics.push(match crate::schema::nearest(name, known.iter().copied()) {
                Some(near) => diagnostic.help(format!("the nearest parameter is `{near}`")),
                None => diagnostic,
            });
        }
    }
}

/// Name of a file without folders and ending; `None` for standard input.
fn stem(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next()?;
    name.strip_suffix(".yml").or_else(|| name.strip_suffix(".yaml"))
}
