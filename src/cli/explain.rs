//! `detc explain`

use std::fmt::Write as _;

use clap::{Args, ValueEnum};

use super::Outcome;
use super::session::{Loaded, Reading, Session, Stream};
use crate::compiler;
use crate::ir::{Behavior, Detection, RelationKind, Schedule, Sequence};
use crate::{plan, syntax, yaml};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The detection: a file, or `-` for standard input.
    path: String,
    /// Stage to show; words without it.
    #[arg(long, value_enum)]
    stage: Option<Stage>,
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
        (stage, [detection]) => match stage {
            None => words(&loaded, detection, &targets),
            Some(Stage::Ir) => format!("{detection:#?}\n"),
            Some(Stage::Plan) => format!("{:#?}\n", plan::lower(&detection.stage)),
            Some(Stage::Query | Stage::Ast) => queries(&loaded, &targets),
        },
        (_, several) => {
            session.complain(&format!("`explain` shows one detection, but there are {}", several.len()));
            return Err(Outcome::Usage);
        }
    };
    let errors = session.show(loaded.checked.diagnostics, &loaded.sources, Stream::Err);
    let printed = session.print(&text);
    Ok(if errors { Outcome::Findings } else { printed })
}

/// What was written in the one detection file; lists beside it are left out.
fn ast(loaded: &Loaded, path: &str) -> String {
    let wanted = if path == "-" { "<stdin>" } else { path.trim_start_matches("./") };
    let file = loaded.sources.iter().filter(|(_, file)| file.path == wanted).last();
    let tree = file.and_then(|(id, file)| yaml::parse(id, &file.text).0.map(|tree| (id, tree)));
    let Some((id, tree)) = tree else { return String::new() };
    let (detection, _) = syntax::read_detection(id, tree);
    let mut text = String::new();
    let _ = writeln!(text, "signals: {:#?}", detection.signals);
    let _ = writeln!(text, "behavior: {:#?}", detection.behavior);
    let _ = writeln!(text, "exceptions: {:#?}", detection.exceptions);
    text
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

fn words(loaded: &Loaded, detection: &Detection, targets: &[String]) -> String {
    let mut text = String::new();
    let metadata = &detection.metadata;
    let _ = writeln!(text, "{}: {}", detection.name.node, metadata.title);
    let _ = writeln!(text, "{} severity, {}", metadata.severity.as_str(), metadata.status.as_str());
    let _ = writeln!(text, "\n{}\n", metadata.description);
    let _ = writeln!(text, "It looks for {}.", behavior_in_words(detection));
    if !detection.stage.keys.is_empty() {
        let keys: Vec<&str> = detection.stage.keys.iter().map(|key| key.name.as_str()).collect();
        let _ = writeln!(
            text,
            "Events count together when they share {}; events that lack it take no part.",
            keys.join(", ")
        );
    }
    for signal in &detection.stage.signals {
        let _ = writeln!(text, "  {} reads {} ({})", signal.name.node, signal.source.name, signal.source.title);
    }
    if !detection.parameters.is_empty() {
        let _ = writeln!(text, "\nParameters:");
        for parameter in &detection.parameters {
            let origin = if parameter.overridden { " (given from outside)" } else { "" };
            let _ = writeln!(text, "  {} = {}{origin}", parameter.name, parameter.value);
        }
    }
    for list in &detection.lists {
        let entries = if list.entries == 1 { "1 entry".to_owned() } else { format!("{} entries", list.entries) };
        let _ = writeln!(text, "List {}: {entries} in force", list.name);
    }
    for exception in detection.exceptions.iter().filter(|exception| exception.active) {
        let _ = writeln!(
            text,
            "Exception of {}: {} (on {})",
            exception.owner,
            exception.reason,
            exception.signals.join(", ")
        );
    }
    let compiled = compiler::compile(&loaded.project, &loaded.sources, &loaded.checked, targets);
    if let Some(first) = compiled.first() {
        let Schedule { interval, lag, lookback } = first.schedule;
        let _ = writeln!(text, "\nIt runs every {interval}, waits {lag} for late events and looks back {lookback}.");
    }
    for pair in &compiled {
        let verdict = &pair.output.verdict;
        let _ = writeln!(text, "  {}: {}", pair.target, verdict.fidelity());
        for reason in &verdict.reasons {
            let _ = writeln!(text, "    - {}: {}", reason.code.as_str(), reason.message);
        }
        for assumption in &verdict.assumptions {
            let _ = writeln!(text, "    assumes: {assumption}");
        }
    }
    text
}

fn behavior_in_words(detection: &Detection) -> String {
    let name = |id: crate::ir::SignalId| detection.stage.signal(id).map_or("?", |signal| signal.name.node.as_str());
    match &detection.stage.behavior.node {
        Behavior::Event { signals } => {
            let names: Vec<String> = signals.iter().map(|signal| format!("`{}`", name(*signal))).collect();
            format!("every event of {}", names.join(" or "))
        }
        Behavior::Count { signal, at_least, window, .. } => {
            format!("at least {} events of `{}` within {}", at_least.node, name(*signal), window.node)
        }
        Behavior::Distinct { signal, values, at_least, window, .. } => {
            let what = if values.len() == 1 { "different values" } else { "different combinations of values" };
            format!("at least {} {what} among events of `{}` within {}", at_least.node, name(*signal), window.node)
        }
        Behavior::Sequence(sequence) => {
            let Sequence { steps, relations, window, .. } = sequence;
            let chain: Vec<String> = steps
                .iter()
                .map(|step| {
                    if step.times > 1 { format!("{} `{}`", step.times, step.name) } else { format!("`{}`", step.name) }
                })
                .collect();
            let mut text = format!("{}, in this order, within {}", chain.join(", then "), window.node);
            for relation in relations {
                let word = match relation.kind {
                    RelationKind::Same => "equals",
                    RelationKind::Different => "differs from",
                };
                let _ = write!(text, ", where {} {word} {}", relation.left.name, relation.right.name);
            }
            text
        }
        Behavior::Aggregation(_)
        | Behavior::Group(_)
        | Behavior::Rare(_)
        | Behavior::Baseline(_)
        | Behavior::Travel(_) => detection.stage.behavior.node.name().to_owned(),
    }
}
