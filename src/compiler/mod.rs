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
pub use manifest::{Record, RecordReason, manifest};
pub use project::{Project, load};

use crate::analysis::{self, Context, Lists};
use crate::backend::{self, Fidelity, Output, Request};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity};
use crate::ir::{Detection, Schedule};
use crate::schema::mapping::TargetProfile;
use crate::source::{FileId, Sources, Span, Spanned};
use crate::syntax;
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
    /// What the backend made of it; the query's text has moved to `text`.
    pub output: Output,
    /// The whole file with its header; absent where there is no query.
    pub text: Option<String>,
}

/// What is kept of a detection file beside its IR.
struct Card {
    file: FileId,
    name: Spanned<String>,
    id: Spanned<String>,
    parameters: Vec<String>,
}

/// Reads and resolves every detection among the files of `sources` from `first` on; other files are lists.
#[must_use]
pub fn check(project: &Project, sources: &Sources, first: FileId, settings: &Settings) -> Checked {
    let mut checked = Checked::default();
    let mut rest = Vec::new();
    // Lists first, because every detection may name any of them. Trees are large, so none outlives its file.
    for (id, file) in sources.iter().filter(|(id, _)| *id >= first) {
        if !file.text.lines().any(|line| line.starts_with("list:")) {
            rest.push((id, file));
            continue;
        }
        match yaml::parse(id, &file.text) {
            (Some(tree), _) if !syntax::is_list(&tree) => rest.push((id, file)),
            (tree, found) => {
                checked.diagnostics.extend(found);
                if let Some(tree) = tree {
                    let (list, found) = syntax::read_list(id, tree);
                    checked.diagnostics.extend(found);
                    let found = checked.lists.add(&list, &settings.today);
                    checked.diagnostics.extend(found);
                }
            }
        }
    }
    let targets: BTreeSet<String> = project.targets.keys().cloned().collect();
    let context = Context {
        catalog: &project.catalog,
        attack: &project.attack,
        lists: &checked.lists,
        targets: &targets,
        settings: &settings.parameters,
        today: &settings.today,
    };
    let resolved: Vec<_> = rest.par_iter().map(|(id, file)| read_detection(*id, &file.text, &context)).collect();
    let mut cards = Vec::new();
    for (card, detection, diagnostics) in resolved {
        checked.diagnostics.extend(diagnostics);
        checked.detections.extend(detection);
        cards.extend(card);
    }
    checked.files = rest.len();
    check_names(&cards, sources, &mut checked.diagnostics);
    check_settings(&cards, settings, &mut checked.diagnostics);
    checked
}

fn read_detection(id: FileId, text: &str, context: &Context<'_>) -> (Option<Card>, Option<Detection>, Diagnostics) {
    let (tree, mut diagnostics) = yaml::parse(id, text);
    let Some(tree) = tree else { return (None, None, diagnostics) };
    let (file, found) = syntax::read_detection(id, tree);
    diagnostics.extend(found);
    // A malformed file has been reported; what could be read of it is still checked, but never compiled.
    let (detection, found) = analysis::analyse(&file, context);
    diagnostics.extend(found);
    let card = Card {
        file: id,
        name: Spanned::new(file.document.detection.clone(), file.span("/detection")),
        id: Spanned::new(file.document.id.to_ascii_lowercase(), file.span("/id")),
        parameters: file.document.parameters.keys().cloned().collect(),
    };
    let detection = detection.filter(|_| !diagnostics.has_errors());
    (Some(card), detection, diagnostics)
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
    let header =
        output.query.as_ref().map(|query| header::lines(sources, detection, target, schedule, &output.verdict, query));
    // The query's own text is moved, not copied: thousands of them are held at once.
    let text = header.zip(output.query.as_mut()).map(|(header, query)| header + &std::mem::take(&mut query.text));
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

/// Names are the stems of their files, and neither names nor identities repeat.
fn check_names(cards: &[Card], sources: &Sources, diagnostics: &mut Diagnostics) {
    let mut names: BTreeMap<&str, Span> = BTreeMap::new();
    let mut ids: BTreeMap<&str, Span> = BTreeMap::new();
    for card in cards {
        let (name, span) = (card.name.node.as_str(), card.name.span);
        let path = sources.get(card.file).map_or("", |file| file.path.as_str());
        if let Some(stem) = stem(path).filter(|stem| !name.is_empty() && *stem != name) {
            let message = format!("the detection `{name}` stands in a file named `{stem}`");
            let diagnostic = Diagnostic::new(Code::NameIsNotFileStem, span, message);
            diagnostics.push(diagnostic.help(format!("rename the file to `{name}.yml`, or the detection to `{stem}`")));
        }
        if let Some(first) = names.get(name).filter(|_| !name.is_empty()) {
            let message = format!("a second detection `{name}`");
            diagnostics.push(Diagnostic::new(Code::DuplicateName, span, message).note(*first, "first here"));
        }
        names.entry(name).or_insert(span);
        let (id, span) = (card.id.node.as_str(), card.id.span);
        if let Some(first) = ids.get(id).filter(|_| !id.is_empty()) {
            let message = "another detection has this id";
            let diagnostic = Diagnostic::new(Code::DuplicateName, span, message).note(*first, "first here");
            diagnostics.push(diagnostic.help("an id is made once for each detection, with `uuidgen` for example"));
        }
        ids.entry(id).or_insert(span);
    }
}

/// A parameter given from outside has to exist somewhere.
fn check_settings(cards: &[Card], settings: &Settings, diagnostics: &mut Diagnostics) {
    let known: BTreeSet<&str> = cards.iter().flat_map(|card| &card.parameters).map(String::as_str).collect();
    for name in settings.parameters.keys().filter(|name| !known.contains(name.as_str())) {
        let diagnostic =
            Diagnostic::without_place(Code::UnknownParameter, format!("no detection has a parameter `{name}`"));
        diagnostics.push(match crate::schema::nearest(name, known.iter().copied()) {
            Some(near) => diagnostic.help(format!("the nearest parameter is `{near}`")),
            None => diagnostic,
        });
    }
}

/// Name of a file without folders and ending; `None` for standard input.
fn stem(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next()?;
    name.strip_suffix(".yml").or_else(|| name.strip_suffix(".yaml"))
}
