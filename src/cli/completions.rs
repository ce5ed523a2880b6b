//! `detc completions`

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::Outcome;
use super::session::Session;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The shell.
    shell: Shell,
}

/// Prints a completion script.
pub(super) fn run(session: &Session, arguments: &Arguments) -> Outcome {
    // The generator panics when a pipe closes, so it writes into memory.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut super::Arguments::command(), "detc", &mut script);
    session.print(&String::from_utf8_lossy(&script))
}
