//! The verdict of every target on every behaviour: a cell that changes has to be looked at before it is accepted.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

const TARGETS: &str = "splunk,sentinel,elastic,sigma";

/// Each row: the behaviour, and for each target its verdict with the reasons.
fn rows() -> Vec<(String, BTreeMap<String, String>)> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_detc"));
    command.args(["matrix", "-t", TARGETS, "--format", "json"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let row = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        let cells = row.get("targets").and_then(Value::as_object).unwrap();
        let cell = |(target, cell): (&String, &Value)| {
            let fidelity = cell.get("fidelity").and_then(Value::as_str).unwrap_or("no verdict");
            let codes: Vec<&str> =
                cell.get("codes").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
            (target.clone(), format!("{fidelity} {}", codes.join(" ")).trim_end().to_owned())
        };
        (row.get("behaviour").and_then(Value::as_str).unwrap().to_owned(), cells.iter().map(cell).collect())
    };
    text.lines().map(row).collect()
}

#[test]
fn every_cell_is_as_it_was_accepted() {
    let mut text = String::new();
    for (behavior, cells) in rows() {
        text.push_str(&behavior);
        text.push('\n');
        for (target, cell) in cells {
            text.push_str(&format!("  {target:<8} {cell}\n"));
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn every_probe_is_a_detection_and_every_refusal_has_a_reason() {
    for (behavior, cells) in rows() {
        for (target, cell) in cells {
            assert_ne!(cell, "no verdict", "`{behavior}` on {target}: the probe has errors");
            assert_ne!(cell, "unsupported", "`{behavior}` on {target}: no reason");
            assert_ne!(cell, "approximate", "`{behavior}` on {target}: no reason");
        }
    }
}

#[test]
fn every_row_has_its_own_name() {
    let rows = rows();
    let names: BTreeSet<&String> = rows.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), rows.len());
}
