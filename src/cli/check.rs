//! `detc check`

use clap::Args;

use super::Outcome;
use super::common::{Common, Reading, Stream};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Detections: files, folders, or `-` for standard input.
    #[arg(default_value = "detections")]
    paths: Vec<String>,
    #[command(flatten)]
    reading: Reading,
}

/// Reads, resolves and reports; writes nothing.
pub(super) fn run(common: &Common, arguments: &Arguments) -> Outcome {
    let loaded = match common.load(&arguments.paths, &arguments.reading) {
        Ok(loaded) => loaded,
        Err(outcome) => return outcome,
    };
    let (files, good) = (loaded.checked.files, loaded.checked.detections.len());
    let errors = common.show(loaded.checked.diagnostics, &loaded.sources, Stream::Out);
    common.summary(&format!("{files} detections checked, {} with errors", files - good.min(files)));
    if errors { Outcome::Findings } else { Outcome::Fine }
}
