//! `detc explain`

mod aggregate;
mod behavior;
mod event;
mod predicate;
mod targets;
mod value;
mod words;

use std::fmt::Write as _;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::Outcome;
use super::session::{Loaded, Reading, Session, Stream};
use crate::compiler;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::ir::Detection;
use crate::source::Sources;
use crate::{plan, syntax, yaml};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The detection: a file, or `-` for standard input.
    path: String,
    /// Stage to show; words without it.
    #[arg(long, value_enum)]
    stage: Option<Stage>,
    /// Events as JSON, one or one a line, or `-`: which signals each belongs to, and why not to the others.
    #[arg(long, value_name = "FILE", conflicts_with = "stage")]
    event: Option<String>,
    /// Targets whose queries or verdicts are shown, separated by commas; all without it.
    #[arg(short, long = "target", value_name = "TARGETS", value_delimiter = ',')]
    targets: Vec<String>,
    #[command(flatten)]
    reading: Reading,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Stage {
    /// What was written.
    Ast,
    /// What it means, resolved and typed.
    Ir,
    /// The pipeline for the languages that are pipelines.
    Plan,
    /// The queries.
    Query,
}

/// Shows one detection.
pub(super) fn run(session: &Session, arguments: &Arguments) -> Outcome {
    match explain(session, arguments) {
        Ok(outcome) | Err(outcome) => outcome,
    }
}

fn explain(session: &Session, arguments: &Arguments) -> Result<Outcome, Outcome> {
    let loaded = session.load(std::slice::from_ref(&arguments.path), &arguments.reading)?;
    let targets = session.targets(&arguments.targets, &loaded.project)?;
    let text = match (arguments.stage, loaded.checked.detections.as_slice()) {
        (Some(Stage::Ast), _) => ast(&loaded, &arguments.path),
        (_, []) => String::new(),
        (None, [detection]) if arguments.event.is_some() => event(session, arguments, detection)?,
        (stage, [detection]) => match stage {
            None => words::page(&loaded, detection, &targets),
            Some(Stage::Ir) => data(detection),
            Some(Stage::Plan) => data(&plan::lower(&detection.stage)),
            Some(Stage::Query | Stage::Ast) => queries(&loaded, &targets),
        },
        (_, several) => {
            session.complain(&format!("`explain` shows one detection, but there are {}", several.len()));
            return Err(Outcome::Usage);
        }
    };
    let found = about(loaded.checked.diagnostics, &loaded.checked.detections, &loaded.sources);
    let errors = session.show(found, &loaded.sources, Stream::Err);
    let printed = session.print(&text);
    Ok(if errors { Outcome::Findings } else { printed })
}

/// What the detection makes of the events in a file.
fn event(session: &Session, arguments: &Arguments, detection: &Detection) -> Result<String, Outcome> {
    let path = arguments.event.as_deref().unwrap_or_default();
    let text = if path == "-" { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(path) };
    let page = text.map_err(|error| error.to_string()).and_then(|text| event::page(detection, &text));
    page.map_err(|why| {
        session.complain(&format!("`{path}`: {why}"));
        Outcome::Usage
    })
}

/// The findings without expired entries of lists that the detection does not use.
fn about(found: Diagnostics, detections: &[Detection], sources: &Sources) -> Diagnostics {
    let concerns = |diagnostic: &Diagnostic| {
        let file = diagnostic.span.map(|span| span.file);
        let path = file.and_then(|file| sources.get(file)).map(|file| std::path::Path::new(&file.path));
        let stem = path.and_then(|path| path.file_stem()).and_then(|stem| stem.to_str());
        detections.iter().any(|detection| {
            Some(detection.file) == file || detection.lists.iter().any(|list| Some(list.name.as_str()) == stem)
        })
    };
    found.into_iter().filter(|diagnostic| diagnostic.code != Code::Expired || concerns(diagnostic)).collect()
}

/// What was written in the one detection file; lists beside it are left out.
fn ast(loaded: &Loaded, path: &str) -> String {
    let wanted = if path == "-" { "<stdin>" } else { path.trim_start_matches("./") };
    let file = loaded.sources.iter().filter(|(_, file)| file.path == wanted).last();
    let tree = file.and_then(|(id, file)| yaml::parse(id, &file.text).0.map(|tree| (id, tree)));
    let Some((id, tree)) = tree else { return String::new() };
    let (detection, _) = syntax::read_detection(id, tree);
    let written = serde_json::json!({
        "signals": detection.signals,
        "behavior": detection.behavior,
        "exceptions": detection.exceptions,
    });
    data(&written)
}

/// A stage as JSON.
fn data(of: &impl Serialize) -> String {
    // Every stage is made of texts, numbers and names, so this cannot fail; an empty page would show if it did.
    serde_json::to_string_pretty(of).map(|text| text + "\n").unwrap_or_default()
}

fn queries(loaded: &Loaded, targets: &[String]) -> String {
    let compiled = compiler::compile(&loaded.project, &loaded.sources, &loaded.checked, targets);
    let mut text = String::new();
    for pair in compiled {
        let _ = writeln!(text, "== {} ({})", pair.target, pair.output.verdict.fidelity());
        match &pair.text {
            Some(query) => text.push_str(query),
            None => {
                for reason in &pair.output.verdict.reasons {
                    let _ = writeln!(text, "- {}: {}", reason.code.as_str(), reason.message);
                }
            }
        }
        text.push('\n');
    }
    text
}
