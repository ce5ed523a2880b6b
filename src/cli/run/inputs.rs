//! Which of the paths are detections and which are logs.

use std::path::Path;

use super::Arguments;
use crate::cli::Outcome;
use crate::cli::session::Session;
use crate::logs::{self, Log};
use crate::schema::{Catalog, nearest};

/// What a run works on.
pub(super) struct Inputs {
    pub(super) detections: Vec<String>,
    pub(super) logs: Vec<Log>,
}

/// Divides the paths; a folder with YAML files holds detections.
pub(super) fn divide(session: &Session, arguments: &Arguments) -> Result<Inputs, Outcome> {
    let (mut detections, plain): (Vec<String>, Vec<String>) =
        arguments.paths.iter().cloned().partition(|path| is_detections(path));
    if detections.is_empty() {
        if !Path::new("detections").is_dir() {
            session.complain("no detection is named, and there is no folder `detections` here");
            return Err(Outcome::Usage);
        }
        detections.push("detections".to_owned());
    }
    let named = arguments.logs.iter().map(|(source, log)| (log.as_str(), Some(source.as_str())));
    let plain = plain.iter().map(|log| (log.as_str(), arguments.source.as_deref()));
    let mut logs: Vec<Log> = Vec::new();
    for (path, source) in plain.chain(named) {
        let found = logs::find(path, source).map_err(|why| {
            session.complain(&why);
            Outcome::Usage
        })?;
        // A log that is named twice is read once; the name with a source counts.
        for log in found {
            match logs.iter_mut().find(|known| known.path == log.path) {
                Some(known) => known.source = log.source.or(known.source.take()),
                None => logs.push(log),
            }
        }
    }
    if logs.is_empty() {
        session.complain("no log is named");
        return Err(Outcome::Usage);
    }
    Ok(Inputs { detections, logs })
}

/// A source that the user names has to exist.
pub(super) fn check_source(session: &Session, catalog: &Catalog, name: &str) -> Result<(), Outcome> {
    if catalog.source(name).is_some() {
        return Ok(());
    }
    let known = catalog.sources().map(|source| source.name.as_str());
    let help = nearest(name, known).map_or_else(
        || "`detc schema list` lists the sources".to_owned(),
        |near| format!("the nearest source is `{near}`"),
    );
    session.complain(&format!("unknown source `{name}`; {help}"));
    Err(Outcome::Usage)
}

fn is_detections(path: &str) -> bool {
    let is_yaml = |path: &Path| path.extension().is_some_and(|ending| ending == "yml" || ending == "yaml");
    let path = Path::new(path);
    if !path.is_dir() {
        return is_yaml(path);
    }
    let mut files = ignore::WalkBuilder::new(path).standard_filters(false).hidden(true).build().flatten();
    files.any(|entry| is_yaml(entry.path()) && entry.file_type().is_some_and(|kind| !kind.is_dir()))
}
