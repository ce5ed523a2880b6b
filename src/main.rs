//! The `detc` command.

fn main() {}
