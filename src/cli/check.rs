//! `detc check`

use clap::Args;

use super::Outcome;
use super::session::{Reading, Session, Stream, counted};
use crate::diagnostic::Severity;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Detections: files, folders, or `-` for standard input.
    #[arg(default_value = "detections")]
    paths: Vec<String>,
    #[command(flatten)]
    reading: Reading,
}

/// Reads, resolves and reports; writes nothing.
pub(super) fn run(session: &Session, arguments: &Arguments) -> Outcome {
    let loaded = match session.load(&arguments.paths, &arguments.reading) {
        Ok(loaded) => loaded,
        Err(outcome) => return outcome,
    };
    let files = loaded.checked.files;
    let count = loaded.checked.diagnostics.iter().filter(|found| found.severity == Severity::Error).count();
    let errors = session.show(loaded.checked.diagnostics, &loaded.sources, Stream::Out);
    session.summary(&format!("{} checked, {}", counted(files, "detection"), counted(count, "error")));
    if errors { Outcome::Findings } else { Outcome::Fine }
}
