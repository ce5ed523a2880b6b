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
pub use manifest::{Record, RecordReason, manifest, write_manifest};
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
    /// Why the target's template could not be filled.
    pub flaw: Option<String>,
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
            (tree, mut found) => {
                let misread = misread_lines(&file.text, id, &found);
                if let Some(tree) = tree {
                    let (list, mut mistakes) = syntax::read_list(id, tree);
                    check_list_name(&list, &file.path, &mut mistakes);
                    let malformed = found.has_errors() || mistakes.has_errors();
                    mistakes.extend(checked.lists.add(&list, &settings.today, malformed));
                    found.extend(without_consequences(mistakes, &misread));
                }
                checked.diagnostics.extend(found);
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
    refuse_mistaken(&mut checked);
    check_settings(&cards, settings, &mut checked.diagnostics);
    checked
}

fn read_detection(id: FileId, text: &str, context: &Context<'_>) -> (Option<Card>, Option<Detection>, Diagnostics) {
    let (tree, mut diagnostics) = yaml::parse(id, text);
    let Some(tree) = tree else { return (None, None, diagnostics) };
    let misread = misread_lines(text, id, &diagnostics);
    let (file, mut found) = syntax::read_detection(id, tree);
    // A malformed file has been reported; what could be read of it is still checked, but never compiled.
    let (detection, mistakes) = analysis::analyse(&file, context);
    found.extend(mistakes);
    diagnostics.extend(without_consequences(found, &misread));
    let card = Card {
        file: id,
        name: Spanned::new(file.document.detection.clone(), file.span("/detection")),
        id: Spanned::new(file.document.id.to_ascii_lowercase(), file.span("/id")),
        parameters: file.document.parameters.keys().cloned().collect(),
    };
    (Some(card), detection, diagnostics)
}

/// The lines on which YAML read something else than was meant, although it could go on.
fn misread_lines(text: &str, file: FileId, yaml: &Diagnostics) -> Vec<Span> {
    let errors = yaml.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
    let line = |span: Span| {
        let offset = |offset: u32| usize::try_from(offset).unwrap_or(usize::MAX).min(text.len());
        let start = text.get(..offset(span.start))?.rfind('\n').map_or(0, |newline| newline + 1);
        let behind = text.get(offset(span.end)..)?;
        let end = offset(span.end) + behind.find('\n').unwrap_or(behind.len());
        Some(Span::new(file, start, end))
    };
    errors.filter_map(|diagnostic| line(diagnostic.span?)).collect()
}

/// Leaves out what is but a consequence of a text that YAML misread: it has one mistake, and that has been reported.
fn without_consequences(found: Diagnostics, misread: &[Span]) -> Diagnostics {
    let consequence = |span: Span| misread.iter().any(|line| line.start <= span.start && span.start <= line.end);
    found.into_iter().filter(|diagnostic| !diagnostic.span.is_some_and(consequence)).collect()
}

/// Nothing is compiled from a file with an error, and nobody is asked to polish it.
fn refuse_mistaken(checked: &mut Checked) {
    let errors = checked.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
    let mistaken: BTreeSet<FileId> = errors.filter_map(|diagnostic| Some(diagnostic.span?.file)).collect();
    checked.detections.retain(|detection| !mistaken.contains(&detection.file));
    let is_lint = |code: Code| {
        matches!(code, Code::UnusedSignal | Code::UnusedParameter | Code::NoTests | Code::NoKeys | Code::ImpliedStep)
    };
    let polish = |diagnostic: &Diagnostic| {
        is_lint(diagnostic.code) && diagnostic.span.is_some_and(|span| mistaken.contains(&span.file))
    };
    let diagnostics = std::mem::take(&mut checked.diagnostics);
    checked.diagnostics = diagnostics.into_iter().filter(|diagnostic| !polish(diagnostic)).collect();
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
    pairs
        .par_iter()
        .filter_map(|(index, detection, target)| compile_one(project, sources, *index, detection, target))
        .collect()
}

fn compile_one(
    project: &Project,
    sources: &Sources,
    index: usize,
    detection: &Detection,
    target: &TargetProfile,
) -> Option<Compiled> {
    let backend = backend::find(&target.backend)?;
    let envelope = project.envelopes.get(&target.name)?;
    let schedule = Schedule::derive(detection, target.interval);
    let mut output = backend::compile(backend, &Request { detection, target, schedule });
    if output.verdict.fidelity() == Fidelity::Unsupported {
        output.query = None;
    }
    let facts =
        output.query.as_ref().map(|query| header::facts(sources, detection, target, schedule, &output.verdict, query));
    // The query's own text is moved, not copied: thousands of them are held at once.
    let text = facts.zip(output.query.as_mut()).map(|(facts, query)| {
        let text = std::mem::take(&mut query.text);
        envelope.render(&facts, &text)
    });
    let (text, flaw) = match text {
        None => (None, None),
        Some(Ok(text)) => (Some(text), None),
        Some(Err(flaw)) => (None, Some(flaw)),
    };
    Some(Compiled {
        detection: index,
        target: target.name.clone(),
        backend: target.backend.clone(),
        schedule,
        output,
        text,
        flaw,
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
        if let Some(flaw) = &pair.flaw {
            let message =
                format!("the template of target `{}` cannot hold `{}`: {flaw}", pair.target, detection.name.node);
            diagnostics.push(Diagnostic::new(Code::InvalidTarget, detection.name.span, message));
        }
        // One piece of advice for all reasons of a target.
        let mut advised = false;
        for reason in &pair.output.verdict.reasons {
            let message = format!("`{}` on target `{}`: {}", detection.name.node, pair.target, reason.message);
            match reason.code.fidelity() {
                Fidelity::Unsupported => {
                    let demanded = detection.targets.is_some() || deny_unsupported;
                    let severity = if demanded { Severity::Error } else { Severity::Hint };
                    let diagnostic = Diagnostic::new(Code::Unsupported, reason.span, message);
                    let diagnostic = diagnostic.severity(severity).label(reason.code.as_str());
                    let help = format!("leave `{}` out with `targets: [..]` if it is not needed", pair.target);
                    diagnostics.push(if advised { diagnostic } else { diagnostic.help(help) });
                    advised = true;
                }
                Fidelity::Approximate => {
                    let severity = if deny_approximate { Severity::Error } else { Severity::Hint };
                    let diagnostic = Diagnostic::new(Code::Approximate, reason.span, message);
                    diagnostics.push(diagnostic.severity(severity).label(reason.code.as_str()));
                }
                Fidelity::Exact => {}
            }
        }
    }
    diagnostics
}

/// The name of a list is the stem of its file.
fn check_list_name(list: &syntax::ListFile, path: &str, diagnostics: &mut Diagnostics) {
    let name = list.document.list.as_str();
    if let Some(stem) = stem(path).filter(|stem| !name.is_empty() && *stem != name) {
        let span = list.tree.get("list").map_or(list.tree.span, |node| node.span);
        let message = format!("the list `{name}` stands in a file named `{stem}`");
        let diagnostic = Diagnostic::new(Code::NameIsNotFileStem, span, message);
        diagnostics.push(diagnostic.help(format!("rename the file to `{name}.yml`, or the list to `{stem}`")));
    }
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
            let diagnostic = Diagnostic::new(Code::DuplicateName, span, message).note(*first, "first here");
            diagnostics.push(diagnostic.help("names are unique in a project; rename one of the two"));
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
            None if known.is_empty() => diagnostic.help("no detection here declares parameters"),
            None => {
                let known: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
                diagnostic.help(format!("the parameters are {}", known.join(", ")))
            }
        });
    }
}

/// Name of a file without folders and ending; `None` for standard input.
fn stem(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next()?;
    name.strip_suffix(".yml").or_else(|| name.strip_suffix(".yaml"))
}
