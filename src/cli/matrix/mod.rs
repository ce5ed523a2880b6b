//! `detc matrix`

mod probes;

use std::fmt::Write as _;

use clap::Args;

use super::Outcome;
use super::session::{Format, Reading, Session, Stream};
use crate::backend::{Fidelity, Verdict};
use crate::compiler::{self, Project, Settings};
use crate::source::{FileId, Sources};
use probes::PROBES;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Detections; without any, the table of behaviours.
    paths: Vec<String>,
    /// Targets, separated by commas; all without it.
    #[arg(short, long = "target", value_name = "TARGETS", value_delimiter = ',')]
    targets: Vec<String>,
    #[command(flatten)]
    reading: Reading,
}

/// A row of a table: its name and one cell for each target.
struct Row {
    name: String,
    cells: Vec<Cell>,
}

/// What a target makes of a behaviour or detection.
struct Cell {
    fidelity: Option<Fidelity>,
    codes: Vec<&'static str>,
}

/// Prints the table of behaviours or of detections, as Markdown or as JSON.
pub(super) fn run(session: &Session, arguments: &Arguments) -> Outcome {
    match matrix(session, arguments) {
        Ok(outcome) | Err(outcome) => outcome,
    }
}

fn matrix(session: &Session, arguments: &Arguments) -> Result<Outcome, Outcome> {
    if arguments.paths.is_empty() {
        let project = session.project(&mut Sources::default())?;
        let targets = session.targets(&arguments.targets, &project)?;
        return Ok(print(session, "behaviour", &targets, &behaviors(&project, &targets)));
    }
    let loaded = session.load(&arguments.paths, &arguments.reading)?;
    let targets = session.targets(&arguments.targets, &loaded.project)?;
    let compiled = compiler::compile(&loaded.project, &loaded.sources, &loaded.checked, &targets);
    let rows: Vec<Row> = loaded
        .checked
        .detections
        .iter()
        .enumerate()
        .map(|(index, detection)| Row {
            name: detection.name.node.clone(),
            cells: targets
                .iter()
                .map(|target| {
                    let pair = compiled.iter().find(|pair| pair.detection == index && pair.target == *target);
                    cell(pair.map(|pair| &pair.output.verdict))
                })
                .collect(),
        })
        .collect();
    let printed = print(session, "detection", &targets, &rows);
    let errors = session.show(loaded.checked.diagnostics, &loaded.sources, Stream::Err);
    Ok(if errors { Outcome::Findings } else { printed })
}

fn behaviors(project: &Project, targets: &[String]) -> Vec<Row> {
    PROBES
        .iter()
        .map(|probe| {
            let mut sources = Sources::default();
            sources.add("probe.yml", probe.text());
            let settings = Settings { today: "2026-01-01".to_owned(), ..Settings::default() };
            let checked = compiler::check(project, &sources, FileId(0), &settings);
            let compiled = compiler::compile(project, &sources, &checked, targets);
            let cells = targets
                .iter()
                .map(|target| {
                    cell(compiled.iter().find(|pair| pair.target == *target).map(|pair| &pair.output.verdict))
                })
                .collect();
            Row { name: probe.title.to_owned(), cells }
        })
        .collect()
}

/// The verdict with the codes that make it what it is; milder reasons beside them would only hide those.
fn cell(verdict: Option<&Verdict>) -> Cell {
    let fidelity = verdict.map(Verdict::fidelity);
    let reasons = verdict.into_iter().flat_map(|verdict| &verdict.reasons);
    let mut codes: Vec<&'static str> =
        reasons.filter(|reason| Some(reason.code.fidelity()) == fidelity).map(|reason| reason.code.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    Cell { fidelity, codes }
}

fn print(session: &Session, what: &str, targets: &[String], rows: &[Row]) -> Outcome {
    let mut text = String::new();
    if session.format == Format::Json {
        for row in rows {
            let cells: serde_json::Map<String, serde_json::Value> = targets
                .iter()
                .zip(&row.cells)
                .map(|(target, cell)| {
                    let fidelity = cell.fidelity.map(Fidelity::as_str);
                    (target.clone(), serde_json::json!({ "fidelity": fidelity, "codes": cell.codes }))
                })
                .collect();
            let _ = writeln!(text, "{}", serde_json::json!({ what: row.name, "targets": cells }));
        }
    } else {
        let _ = writeln!(text, "| {what} | {} |", targets.join(" | "));
        let _ = writeln!(text, "|---|{}", "---|".repeat(targets.len()));
        for row in rows {
            let cells: Vec<String> = row.cells.iter().map(shown).collect();
            let _ = writeln!(text, "| {} | {} |", row.name, cells.join(" | "));
        }
    }
    session.print(&text)
}

fn shown(cell: &Cell) -> String {
    match cell.fidelity {
        None => "-".to_owned(),
        Some(fidelity) if cell.codes.is_empty() => fidelity.to_string(),
        Some(fidelity) => format!("{fidelity} ({})", cell.codes.join(", ")),
    }
}
