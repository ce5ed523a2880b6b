//! The command line: one file per command.
//!
//! Never decides about detections: it reads arguments, calls the compiler, writes what comes back.

mod check;
mod classes;
mod compile;
mod completions;
mod explain;
mod junit;
mod matrix;
mod output;
mod run;
mod schema;
mod session;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use session::{Format, Session};

/// Detection-as-code compiler: behavioural detections in YAML to Splunk SPL, Microsoft KQL, Elastic EQL and Sigma.
#[derive(Debug, Parser)]
#[command(name = "detc", version, about, propagate_version = true)]
struct Arguments {
    #[command(flatten)]
    session: Session,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Parse detections and validate them against the telemetry schemas; write nothing.
    Check(check::Arguments),
    /// Compile detections to queries and a manifest.
    Compile(compile::Arguments),
    /// Run the tests inside detections with the reference evaluator.
    Test(test::Arguments),
    /// Run detections over raw logs and print alerts.
    Run(run::Arguments),
    /// Show what a detection means, stage by stage.
    Explain(explain::Arguments),
    /// Show how faithfully each target expresses each behaviour.
    Matrix(matrix::Arguments),
    /// Browse sources, fields, types and mappings.
    Schema(schema::Arguments),
    /// Print a completion script for a shell.
    Completions(completions::Arguments),
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing to complain about.
    Fine,
    /// Errors in detections.
    Findings,
    /// Wrong usage or configuration.
    Usage,
    /// A broken invariant of the compiler.
    Internal,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Fine => 0,
            Outcome::Findings => 1,
            Outcome::Usage => 2,
            Outcome::Internal => 3,
        })
    }
}

/// Runs the command that the process was started with.
#[must_use]
pub fn run() -> Outcome {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // A closed pipe behind `--help` is no reason to fail.
            let _ = error.print();
            return if error.use_stderr() { Outcome::Usage } else { Outcome::Fine };
        }
    };
    let Arguments { session, command } = arguments;
    if session.format == Format::Table && !matches!(command, Command::Run(_)) {
        session.complain("`--format table` is a format of `detc run`");
        return Outcome::Usage;
    }
    match command {
        Command::Check(arguments) => check::run(&session, &arguments),
        Command::Compile(arguments) => compile::run(&session, &arguments),
        Command::Test(arguments) => test::run(&session, &arguments),
        Command::Run(arguments) => run::run(&session, &arguments),
        Command::Explain(arguments) => explain::run(&session, &arguments),
        Command::Matrix(arguments) => matrix::run(&session, &arguments),
        Command::Schema(arguments) => schema::run(&session, &arguments),
        Command::Completions(arguments) => completions::run(&session, &arguments),
    }
}
