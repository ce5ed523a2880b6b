//! `detc completions`

use std::io;

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::Outcome;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The shell.
    shell: Shell,
}

/// Prints a completion script.
pub(super) fn run(arguments: &Arguments) -> Outcome {
    clap_complete::generate(arguments.shell, &mut super::Arguments::command(), "detc", &mut io::stdout());
    Outcome::Fine
}
