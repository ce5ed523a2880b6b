//! The table of behaviours as `detc matrix` prints it, whole and in short.

use std::process::Command;

/// The whole table, for the targets in this order.
pub fn full(targets: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_detc"));
    let output = command.args(["matrix", "-t", &targets.join(",")]).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    let output = output.unwrap_or_else(|error| panic!("detc does not start: {error}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// One row for each behaviour, without its forms, and the verdicts without their reasons.
pub fn coarse(targets: &[&str]) -> String {
    let full = full(targets);
    let rows = full.lines().filter(|row| !row.split('|').nth(1).is_some_and(|title| title.contains(',')));
    let mut text = String::new();
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(|cell| cell.split(" (").next().unwrap_or(cell).trim()).collect();
        let row = if row.starts_with("|--") { row.to_owned() } else { cells.join(" | ").trim().to_owned() };
        text.push_str(&row);
        text.push('\n');
    }
    text
}
