//! `detc compile`

use std::io;
use std::path::Path;

use clap::Args;

use super::Outcome;
use super::output::{Folder, WriteError};
use super::session::{Loaded, Reading, Session, Stream, counted};
use crate::backend::Fidelity;
use crate::compiler::{self, Compiled};
use crate::diagnostic::{Code, Diagnostic};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Detections: files, folders, or `-` for standard input.
    #[arg(default_value = "detections")]
    paths: Vec<String>,
    /// Targets, separated by commas; all without it.
    #[arg(short, long = "target", value_name = "TARGETS", value_delimiter = ',')]
    targets: Vec<String>,
    /// Folder to write, or `-` to print one query.
    #[arg(short, long, value_name = "DIR", default_value = "dist")]
    output: String,
    #[command(flatten)]
    reading: Reading,
}

/// Compiles and writes queries with their manifest.
pub(super) fn run(session: &Session, arguments: &Arguments) -> Outcome {
    match compile(session, arguments) {
        Ok(outcome) | Err(outcome) => outcome,
    }
}

fn compile(session: &Session, arguments: &Arguments) -> Result<Outcome, Outcome> {
    let loaded = session.load(&arguments.paths, &arguments.reading)?;
    let targets = session.targets(&arguments.targets, &loaded.project)?;
    let compiled = compiler::compile(&loaded.project, &loaded.sources, &loaded.checked, &targets);
    if arguments.output == "-" {
        return Ok(print_one(session, loaded, &compiled, &arguments.reading.deny));
    }
    let mut folder = Folder::default();
    for pair in &compiled {
        if let (Some(file), Some(text)) = (pair.file(&loaded.checked), &pair.text) {
            folder.add(file, text);
        }
    }
    let nothing = loaded.checked.files == 0;
    if !nothing {
        let manifest =
            |out: &mut dyn io::Write| compiler::write_manifest(&loaded.sources, &loaded.checked, &compiled, out);
        if let Err(WriteError { path, error }) = folder.write(Path::new(&arguments.output), &manifest) {
            let message = format!("`{path}` cannot be written: {error}");
            let found = std::iter::once(Diagnostic::without_place(Code::CannotWrite, message)).collect();
            session.show(found, &loaded.sources, Stream::Err);
            return Ok(Outcome::Usage);
        }
    }
    let detections = loaded.checked.files;
    let broken = detections - loaded.checked.detections.len().min(detections);
    let errors = report(session, loaded, &compiled, &arguments.reading.deny, session.beside_result());
    if !nothing {
        session.summary(&summary(detections, broken, &compiled, &arguments.output));
    }
    Ok(if errors { Outcome::Findings } else { Outcome::Fine })
}

/// Writes all findings, verdicts included; tells whether an error was among them.
fn report(session: &Session, loaded: Loaded, compiled: &[Compiled], denied: &[String], stream: Stream) -> bool {
    let denies = |what: &str| denied.iter().any(|denied| denied == what);
    let verdicts =
        compiler::verdict_diagnostics(&loaded.checked, compiled, denies("approximate"), denies("unsupported"));
    let mut found = loaded.checked.diagnostics;
    found.extend(verdicts);
    session.show(found, &loaded.sources, stream)
}

fn summary(detections: usize, broken: usize, compiled: &[Compiled], output: &str) -> String {
    let count = |fidelity: Fidelity| compiled.iter().filter(|pair| pair.output.verdict.fidelity() == fidelity).count();
    let (exact, approximate, unsupported) =
        (count(Fidelity::Exact), count(Fidelity::Approximate), count(Fidelity::Unsupported));
    let hint = if approximate + unsupported > 0 { " (`-v` says why)" } else { "" };
    let with_errors = if broken == 0 { String::new() } else { format!(" ({broken} with errors)") };
    format!(
        "{}{with_errors}: {exact} exact, {approximate} approximate, {unsupported} unsupported{hint}; wrote {output}",
        counted(detections, "detection")
    )
}

/// Prints the only query of the run.
fn print_one(session: &Session, loaded: Loaded, compiled: &[Compiled], denied: &[String]) -> Outcome {
    let texts: Vec<&str> = compiled.iter().filter_map(|pair| pair.text.as_deref()).collect();
    if compiled.len() > 1 {
        let message = format!("`-o -` prints one query, but there are {}", compiled.len());
        session.complain(&format!("{message}; name one detection and one target"));
        return Outcome::Usage;
    }
    let text = texts.first().map(|text| (*text).to_owned());
    if compiled.is_empty() && !loaded.checked.detections.is_empty() {
        session.complain("no detection here is compiled for this target; `targets` in the detection names others");
        return Outcome::Usage;
    }
    // The query is all that was asked for, so its absence is an error.
    let mut denied = denied.to_vec();
    if text.is_none() {
        denied.push("unsupported".to_owned());
    }
    let errors = report(session, loaded, compiled, &denied, Stream::Err);
    match text {
        Some(text) => {
            let printed = session.print(&text);
            if errors { Outcome::Findings } else { printed }
        }
        None => Outcome::Findings,
    }
}
