//! `detc run`

mod engines;
mod inputs;
mod output;
mod progress;
mod tally;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::Outcome;
use super::session::{Format, Reading, Session, Stream};
use crate::eval::{self, Enrichment};
use crate::logs::{Item, Log, Merge, Recognition};
use crate::schema::{Duration, Source};
use engines::Engines;
use output::Output;
use progress::Progress;
use tally::Tally;

/// Events after which hits that are due are written.
const ROUND: u64 = 2_048;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Detections and logs, in any order. Detections: `.yml` files and folders with such; `detections` without any.
    /// Logs: files, folders, patterns such as `'logs/**/*.json.gz'`, or `-` for standard input; JSON lines, JSON lists,
    /// or a list inside an object as CloudTrail delivers it, each also gzipped.
    #[arg(required = true, value_name = "DETECTION|LOG")]
    paths: Vec<String>,
    /// The source of all logs that `--log` does not name; by the schemas' signatures without.
    #[arg(long, value_name = "SOURCE")]
    source: Option<String>,
    /// A log of this source; may be repeated.
    #[arg(long = "log", value_name = "SOURCE=LOG", value_parser = assignment)]
    logs: Vec<(String, String)>,
    /// How far an event may stand behind later ones; later than that, it is reported and left out. The largest delay of
    /// the sources that are read without.
    #[arg(long, value_name = "DURATION")]
    lateness: Option<Duration>,
    /// Take no event and show no hit after this instant (RFC 3339); waits and buckets that end later are not decided.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    until: Option<i64>,
    /// CSV file that tells what is known of networks: network, country, city, asn, organisation, latitude, longitude.
    #[arg(long, value_name = "FILE")]
    enrich: Option<PathBuf>,
    /// Show every hit, also those that suppression keeps from becoming alerts.
    #[arg(long)]
    hits: bool,
    /// Show of every event of a hit where it stands and what it holds.
    #[arg(long)]
    explain: bool,
    #[command(flatten)]
    reading: Reading,
}

/// Runs detections over raw logs with the reference evaluator.
pub(super) fn run(session: &Session, arguments: &Arguments) -> Outcome {
    match evaluate(session, arguments) {
        Ok(outcome) | Err(outcome) => outcome,
    }
}

fn evaluate(session: &Session, arguments: &Arguments) -> Result<Outcome, Outcome> {
    if matches!(session.format, Format::Sarif | Format::Github) {
        session.complain("`detc run` writes alerts as JSON lines or with `--format table`");
        return Err(Outcome::Usage);
    }
    let inputs::Inputs { detections, logs } = inputs::divide(session, arguments)?;
    let loaded = session.load(&detections, &arguments.reading)?;
    let mut sources: Vec<Arc<Source>> = Vec::new();
    for source in loaded.checked.detections.iter().flat_map(crate::ir::Detection::sources) {
        if !sources.iter().any(|known| known.name == source.name) {
            sources.push(source.clone());
        }
    }
    for name in logs.iter().filter_map(|log| log.source.as_deref()) {
        inputs::check_source(session, &loaded.project.catalog, name)?;
    }
    let errors = session.show(loaded.checked.diagnostics, &loaded.sources, Stream::Err);
    let fields: Vec<_> = loaded.checked.detections.iter().flat_map(crate::ir::Detection::fields).collect();
    let recognition = Arc::new(Recognition::new(&loaded.project.catalog, &fields, &sources));
    let lag = sources.iter().map(|source| source.lag).max_by_key(|lag| lag.milliseconds());
    let lateness = arguments.lateness.or(lag).unwrap_or(Duration::ZERO);

    let enrichment = Arc::new(enrichment(session, arguments.enrich.as_deref())?);
    let mut engines =
        Engines::new(&loaded.checked.detections, &sources, &enrichment, lateness, arguments.until, arguments.hits);
    let mut tally = Tally::new(&logs);
    let mut output = Output::new(session.format == Format::Table, arguments.explain, &loaded.checked.detections, &logs);
    let mut progress = Progress::new(session);
    let mut events: u64 = 0;
    for item in Merge::new(&logs, recognition) {
        match item {
            Item::Event(found) => {
                tally.read(&found);
                if let Some(late) = engines.push(found) {
                    tally.late(late);
                }
                events += 1;
                if events.is_multiple_of(ROUND) {
                    let due = engines.due();
                    progress.show(events, &output);
                    if !output.write(due) {
                        break;
                    }
                }
            }
            Item::Unread(source) => tally.unread(source),
            Item::Fault(fault) => tally.fault(fault),
        }
    }
    output.write(engines.finish());
    output.count_suppressed(engines.suppressed());
    progress.clear();
    let written = output.finish();
    let faults = tally.report(session, lateness, &output);
    if let Err(error) = written {
        session.complain(&format!("the output cannot be written: {error}"));
        return Err(Outcome::Usage);
    }
    Ok(if errors || faults { Outcome::Findings } else { Outcome::Fine })
}

fn enrichment(session: &Session, path: Option<&Path>) -> Result<Enrichment, Outcome> {
    let Some(path) = path else { return Ok(Enrichment::default()) };
    let read = std::fs::read_to_string(path).map_err(|error| error.to_string());
    read.and_then(|text| Enrichment::from_csv(&text)).map_err(|why| {
        session.complain(&format!("`{}` cannot be used: {why}", path.display()));
        Outcome::Usage
    })
}

fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((source, log)) if !source.is_empty() && !log.is_empty() => Ok((source.to_owned(), log.to_owned())),
        _ => Err("write SOURCE=LOG".to_owned()),
    }
}

fn instant(text: &str) -> Result<i64, String> {
    eval::time_from_text(text).ok_or_else(|| "write an instant such as 2026-01-05T12:00:00Z".to_owned())
}

/// Name of a log by its index.
fn log_name(logs: &[Log], index: u32) -> &str {
    usize::try_from(index).ok().and_then(|index| logs.get(index)).map_or("", |log| &log.name)
}
