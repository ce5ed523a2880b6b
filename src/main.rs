//! The `detc` command.

use std::process::ExitCode;

use detc::cli::{Outcome, run};

fn main() -> ExitCode {
    // A broken invariant is told apart from what a user can mend.
    std::panic::catch_unwind(run).unwrap_or(Outcome::Internal).into()
}
