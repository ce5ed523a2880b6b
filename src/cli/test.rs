//! `detc test`

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::session::{Reading, Session, Stream, counted};
use super::{Outcome, junit};
use crate::analysis::Context;
use crate::verify::{self, TestResult};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Detections: files, folders, or `-` for standard input.
    #[arg(default_value = "detections")]
    paths: Vec<String>,
    /// Write the results as JUnit XML too.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    #[command(flatten)]
    reading: Reading,
}

/// Runs the tests of detections with the reference evaluator.
pub(super) fn run(session: &Session, arguments: &Arguments) -> Outcome {
    let loaded = match session.load(&arguments.paths, &arguments.reading) {
        Ok(loaded) => loaded,
        Err(outcome) => return outcome,
    };
    let settings = arguments.reading.settings();
    let targets: BTreeSet<String> = loaded.project.targets.keys().cloned().collect();
    let context = Context {
        catalog: &loaded.project.catalog,
        attack: &loaded.project.attack,
        lists: &loaded.checked.lists,
        targets: &targets,
        settings: &settings.parameters,
        today: &settings.today,
    };
    let errors = session.show(loaded.checked.diagnostics, &loaded.sources, Stream::Err);
    let mut passed = 0;
    let mut failed = 0;
    let mut results = Vec::new();
    let mut out = std::io::stdout().lock();
    for detection in &loaded.checked.detections {
        let Some(file) = loaded.sources.get(detection.file) else { continue };
        let folder = Path::new(&file.path).parent().unwrap_or(Path::new("")).to_path_buf();
        let read = |name: &str| {
            std::fs::read_to_string(folder.join(name)).map_err(|error| format!("`{name}` cannot be read: {error}"))
        };
        let tests = verify::run(detection.file, &file.text, &context, &read);
        for result in &tests {
            if result.failures.is_empty() {
                passed += 1;
                continue;
            }
            failed += 1;
            let line = loaded.sources.position(result.span.file, result.span.start).map_or(0, |position| position.line);
            // A closed pipe is the reader's choice, not a failure.
            let _ = write_failure(&mut out, &format!("{}:{line}", file.path), result);
        }
        results.push((detection.name.node.clone(), tests));
    }
    let _ = out.flush();
    if let Some(path) = &arguments.junit
        && let Err(error) = std::fs::write(path, junit::document(&results))
    {
        session.complain(&format!("`{}` cannot be written: {error}", path.display()));
        return Outcome::Usage;
    }
    let detections = counted(loaded.checked.detections.len(), "detection");
    session.summary(&format!("{} passed, {failed} failed in {detections}", counted(passed, "test")));
    if errors || failed > 0 { Outcome::Findings } else { Outcome::Fine }
}

fn write_failure(out: &mut impl std::io::Write, place: &str, result: &TestResult) -> std::io::Result<()> {
    writeln!(out, "{place}: test `{}` failed", result.name)?;
    for failure in &result.failures {
        writeln!(out, "  {failure}")?;
    }
    for (title, lines) in [("events", &result.timeline), ("hits", &result.hits)] {
        if lines.is_empty() {
            writeln!(out, "  no {title}")?;
            continue;
        }
        writeln!(out, "  {title}:")?;
        for line in lines {
            writeln!(out, "    {line}")?;
        }
    }
    Ok(())
}
