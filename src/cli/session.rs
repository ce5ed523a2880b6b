//! Arguments and work that several commands share.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Outcome;
use crate::compiler::{self, Checked, InputError, Project, Settings};
use crate::diagnostic::{self, Code, Diagnostic, Diagnostics, Severity};
use crate::source::{FileId, Sources};

/// Arguments that every command takes.
#[derive(Debug, Args)]
pub(super) struct Session {
    /// Format of findings.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
    /// When to colour findings.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    color: Color,
    /// Show errors only.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Show hints too.
    #[arg(short, long, global = true)]
    verbose: bool,
    /// Folder whose `schemas/` and `targets/` add to the shipped ones.
    #[arg(long, global = true, value_name = "DIR", default_value = ".")]
    project: PathBuf,
}

/// Arguments of commands that read detections.
#[derive(Debug, Args)]
pub(super) struct Reading {
    /// Give a parameter another value, in every detection that declares it.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    settings: Vec<(String, String)>,
    /// Day on which expiry is judged (UTC), for reproducible builds.
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    today: Option<String>,
    /// Turn findings into errors: `warnings`, `expired`, or a code such as `W504`.
    #[arg(long, value_name = "WHAT")]
    pub(super) deny: Vec<String>,
}

impl Reading {
    /// What a run is told from outside.
    pub(super) fn settings(&self) -> Settings {
        Settings {
            parameters: self.settings.iter().cloned().collect::<BTreeMap<_, _>>(),
            today: self.today.clone().unwrap_or_else(today),
        }
    }
}

/// Format of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// GitHub workflow commands.
    Github,
    /// A table of alerts, for `detc run`.
    Table,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Everything that was read for a command.
pub(super) struct Loaded {
    pub(super) project: Project,
    pub(super) sources: Sources,
    pub(super) checked: Checked,
}

/// Where findings go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    /// They are the result.
    Out,
    /// The result is something else.
    Err,
}

impl Session {
    /// Loads the catalogue and the targets; findings in them end the command.
    pub(super) fn project(&self, sources: &mut Sources) -> Result<Project, Outcome> {
        if !self.project.is_dir() {
            self.complain(&format!("`{}` is no folder", self.project.display()));
            return Err(Outcome::Usage);
        }
        let (project, found) = compiler::load(Some(&self.project), sources);
        if found.has_errors() {
            self.show(found, sources, Stream::Err);
            return Err(Outcome::Usage);
        }
        Ok(project)
    }

    /// Loads everything and checks the detections under `paths`.
    pub(super) fn load(&self, paths: &[String], reading: &Reading) -> Result<Loaded, Outcome> {
        if let Some(unknown) = reading.deny.iter().find(|what| !is_deniable(what)) {
            self.complain(&format!(
                "`--deny {unknown}`: write `warnings`, `expired`, `approximate`, `unsupported` or a code"
            ));
            return Err(Outcome::Usage);
        }
        let names = reading.settings.iter().map(|(name, _)| name);
        if let Some(twice) = names
            .enumerate()
            .find(|(index, name)| reading.settings.iter().take(*index).any(|(other, _)| other == *name))
        {
            self.complain(&format!("`--set` gives `{}` twice", twice.1));
            return Err(Outcome::Usage);
        }
        let mut sources = Sources::default();
        let project = self.project(&mut sources)?;
        let first = FileId(u32::try_from(sources.iter().count()).unwrap_or(u32::MAX));
        let collected = compiler::collect(paths, &mut sources);
        let mut found = match collected {
            Ok(found) => found,
            Err(InputError::Missing(path)) => {
                let missing = Diagnostic::without_place(Code::CannotRead, format!("`{path}` does not exist"));
                self.show(std::iter::once(missing).collect(), &sources, self.beside_result());
                return Err(Outcome::Usage);
            }
        };
        let settings = reading.settings();
        let mut checked = compiler::check(&project, &sources, first, &settings);
        found.extend(std::mem::take(&mut checked.diagnostics));
        // A parameter given on the command line is the command line's mistake, not that of a detection.
        let configuration = [Code::UnknownParameter, Code::WrongConfiguration];
        let wrong: Diagnostics =
            found.iter().filter(|diagnostic| configuration.contains(&diagnostic.code)).cloned().collect();
        if !wrong.is_empty() {
            self.show(wrong, &sources, self.beside_result());
            return Err(Outcome::Usage);
        }
        if checked.files == 0 && !found.has_errors() {
            let shown: Vec<_> = paths.iter().map(|path| format!("`{path}`")).collect();
            let message = format!("there is no detection under {}", shown.join(", "));
            let diagnostic = Diagnostic::without_place(Code::NothingToDo, message);
            found.push(diagnostic.help("a detection is a `.yml` file with the keys that LANGUAGE.md lists"));
            self.show(found, &sources, self.beside_result());
            return Err(Outcome::Usage);
        }
        checked.diagnostics = deny(found, &reading.deny);
        Ok(Loaded { project, sources, checked })
    }

    /// Writes findings and tells whether an error was among them.
    pub(super) fn show(&self, diagnostics: Diagnostics, sources: &Sources, stream: Stream) -> bool {
        let errors = diagnostics.has_errors();
        let shown: Vec<Diagnostic> = diagnostics
            .into_sorted()
            .into_iter()
            .filter(|diagnostic| match diagnostic.severity {
                Severity::Error => true,
                Severity::Warning => !self.quiet,
                Severity::Hint => self.verbose,
            })
            .collect();
        let format = match self.format {
            Format::Text | Format::Table => diagnostic::Format::Text,
            Format::Json => diagnostic::Format::Json,
            Format::Sarif => diagnostic::Format::Sarif,
            Format::Github => diagnostic::Format::Github,
        };
        let color = |terminal: bool| match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
        };
        let written = match stream {
            Stream::Out => {
                let out = io::stdout();
                let color = color(out.is_terminal());
                let mut out = io::BufWriter::new(out.lock());
                diagnostic::write(format, &shown, sources, color, &mut out).and_then(|()| out.flush())
            }
            Stream::Err => {
                let err = io::stderr();
                let color = color(err.is_terminal());
                let mut err = io::BufWriter::new(err.lock());
                diagnostic::write(format, &shown, sources, color, &mut err).and_then(|()| err.flush())
            }
        };
        errors || !self.arrived(written)
    }

    /// Writes a result to standard output.
    pub(super) fn print(&self, text: &str) -> Outcome {
        let mut out = io::stdout().lock();
        let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        if self.arrived(written) { Outcome::Fine } else { Outcome::Usage }
    }

    /// Tells whether output reached its reader; a closed pipe is the reader's choice, not a failure.
    fn arrived(&self, written: io::Result<()>) -> bool {
        match written {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => true,
            Err(error) => {
                self.complain(&format!("the output cannot be written: {error}"));
                false
            }
        }
    }

    /// Where findings of a command go whose result is something else: a machine's format is always the result.
    pub(super) const fn beside_result(&self) -> Stream {
        match self.format {
            Format::Text | Format::Table => Stream::Err,
            Format::Json | Format::Sarif | Format::Github => Stream::Out,
        }
    }

    /// A line about the run, for people only.
    pub(super) fn summary(&self, line: &str) {
        if !self.quiet && matches!(self.format, Format::Text | Format::Table) {
            let _ = writeln!(io::stderr(), "{line}");
        }
    }

    /// Whether only errors are to be shown.
    pub(super) const fn quiet(&self) -> bool {
        self.quiet
    }

    /// A line about wrong usage.
    pub(super) fn complain(&self, line: &str) {
        let _ = writeln!(io::stderr(), "error: {line}");
    }

    /// The targets that were asked for, or all.
    pub(super) fn targets(&self, wanted: &[String], project: &Project) -> Result<Vec<String>, Outcome> {
        let names: Vec<&str> = project.targets.keys().map(String::as_str).collect();
        if wanted.is_empty() {
            return Ok(names.iter().map(|name| (*name).to_owned()).collect());
        }
        let mut targets: Vec<String> = Vec::new();
        for name in wanted.iter().map(|name| name.trim()) {
            if !project.targets.contains_key(name) {
                let diagnostic = Diagnostic::without_place(Code::UnknownTarget, format!("unknown target `{name}`"));
                let all = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                let diagnostic = match crate::schema::nearest(name, names.iter().copied()) {
                    Some(near) => diagnostic.help(format!("the nearest target is `{near}`")),
                    None => diagnostic.help(format!("the targets are {all}")),
                };
                let found: Diagnostics = std::iter::once(diagnostic).collect();
                self.show(found, &Sources::default(), Stream::Err);
                return Err(Outcome::Usage);
            }
            if !targets.iter().any(|target| target == name) {
                targets.push(name.to_owned());
            }
        }
        Ok(targets)
    }
}

/// Raises findings that a user wants to be errors.
fn deny(found: Diagnostics, denied: &[String]) -> Diagnostics {
    let raised = |diagnostic: &Diagnostic| {
        diagnostic.severity != Severity::Error
            && denied.iter().any(|what| match what.as_str() {
                "warnings" => diagnostic.severity == Severity::Warning,
                "expired" => diagnostic.code == Code::Expired,
                code => Code::find(code) == Some(diagnostic.code),
            })
    };
    found
        .into_iter()
        .map(|diagnostic| if raised(&diagnostic) { diagnostic.severity(Severity::Error) } else { diagnostic })
        .collect()
}

fn is_deniable(what: &str) -> bool {
    matches!(what, "warnings" | "expired" | "approximate" | "unsupported") || Code::find(what).is_some()
}

fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

fn day(text: &str) -> Result<String, String> {
    match text.parse::<jiff::civil::Date>() {
        Ok(_) if text.len() == 10 => Ok(text.to_owned()),
        _ => Err("write a date as YYYY-MM-DD".to_owned()),
    }
}

/// Today in UTC.
fn today() -> String {
    jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
}

/// A number with its noun: `1 error`, `2 errors`, `no errors`.
pub(super) fn counted(number: usize, noun: &str) -> String {
    match number {
        0 => format!("no {noun}s"),
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}
