//! The invariants of the house, checked on its text: layers, forbidden words, documents, file sizes.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What each module may use; a module may always use itself.
const LAYERS: &[(&str, &[&str])] = &[
    ("source", &[]),
    ("embed", &[]),
    ("diagnostic", &["source"]),
    ("yaml", &["source", "diagnostic"]),
    ("schema", &["source", "diagnostic", "yaml"]),
    // A duration and "did you mean" are vocabulary of the catalogue that the syntax shares.
    ("syntax", &["source", "diagnostic", "yaml", "schema"]),
    ("ir", &["source", "schema"]),
    ("analysis", &["source", "diagnostic", "yaml", "schema", "syntax", "ir"]),
    ("eval", &["source", "schema", "ir"]),
    ("verify", &["source", "diagnostic", "yaml", "schema", "syntax", "ir", "analysis", "eval"]),
    ("logs", &["eval", "schema"]),
    ("plan", &["source", "schema", "ir"]),
    ("backend", &["source", "diagnostic", "schema", "ir", "plan"]),
    ("target", &["source", "diagnostic", "yaml", "schema", "backend"]),
    (
        "compiler",
        &["source", "diagnostic", "yaml", "schema", "syntax", "ir", "analysis", "plan", "backend", "target", "embed"],
    ),
    (
        "cli",
        &[
            "source",
            "diagnostic",
            "yaml",
            "schema",
            "syntax",
            "ir",
            "analysis",
            "eval",
            "logs",
            "verify",
            "plan",
            "backend",
            "target",
            "embed",
            "compiler",
        ],
    ),
];

/// Closed enums that are matched without `_`, so that a new variant fails to compile where a decision is due.
const CLOSED: &[&str] =
    &["Behavior", "Predicate", "Call", "Operator", "Quantifier", "TextTest", "Fidelity", "RelationKind"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let name = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
                files.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

fn source_files() -> Vec<(String, String)> {
    rust_files(&root().join("src"))
}

/// Name of the module that a file under `src` belongs to; `None` for the crate's root.
fn module(file: &str) -> Option<&str> {
    let rest = file.strip_prefix("src/")?;
    let first = rest.split('/').next()?;
    match first {
        "lib.rs" | "main.rs" => None,
        file => Some(file.strip_suffix(".rs").unwrap_or(file)),
    }
}

#[track_caller]
fn assert_none(found: &[String], what: &str) {
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

#[test]
fn modules_use_only_the_layers_below_them() {
    let allowed: BTreeMap<&str, &[&str]> = LAYERS.iter().copied().collect();
    let mut found = Vec::new();
    for (file, text) in source_files() {
        let Some(owner) = module(&file) else { continue };
        let layers = allowed.get(owner).unwrap_or_else(|| panic!("{file}: `{owner}` is not in the table of modules"));
        for (number, line) in text.lines().enumerate() {
            for part in line.split("crate::").skip(1) {
                let used: String =
                    part.chars().take_while(|next| next.is_ascii_alphanumeric() || *next == '_').collect();
                if !used.is_empty()
                    && used != owner
                    && allowed.contains_key(used.as_str())
                    && !layers.contains(&used.as_str())
                {
                    found.push(format!("{file}:{}: `{owner}` uses `{used}`", number + 1));
                }
            }
        }
    }
    assert_none(&found, "a module uses one that is above it");
}

#[test]
fn backends_do_not_use_each_other() {
    let mut found = Vec::new();
    for (file, text) in source_files() {
        let Some(rest) = file.strip_prefix("src/backend/") else { continue };
        let Some((owner, _)) = rest.split_once('/') else { continue };
        for other in ["spl", "kql", "elastic", "sigma"] {
            if other != owner && text.contains(&format!("backend::{other}")) {
                found.push(format!("{file} uses {other}"));
            }
        }
    }
    assert_none(&found, "a backend uses another");
}

#[test]
fn closed_enums_are_matched_without_a_wildcard() {
    let mut found = Vec::new();
    for (file, text) in source_files() {
        let lines: Vec<&str> = text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let arm = line.trim_start();
            if !(arm.starts_with("_ =>") || arm.starts_with("_ if")) {
                continue;
            }
            let indent = line.len() - arm.len();
            // The arms of the same match stand at the same indentation, above the wildcard.
            let patterns = lines.iter().take(number).rev().take_while(|above| {
                let body = above.trim_start();
                body.is_empty() || above.len() - body.len() >= indent
            });
            let owners: Vec<&&str> =
                patterns.filter(|above| above.len() - above.trim_start().len() == indent).collect();
            let closed = CLOSED
                .iter()
                .find(|name| owners.iter().any(|above| above.trim_start().starts_with(&format!("{name}::"))));
            if let Some(name) = closed {
                found.push(format!("{file}:{}: a wildcard over `{name}`", number + 1));
            }
        }
    }
    assert_none(&found, "a new variant would pass unnoticed");
}

#[test]
fn nothing_is_unfinished_or_switched_off() {
    // Spelt in pieces, so that this file does not hold what it looks for.
    let words = [
        concat!("to", "do!("),
        concat!("unimpl", "emented!("),
        concat!("db", "g!("),
        concat!("#[ig", "nore"),
        concat!("#[should", "_panic"),
    ];
    let mut found = Vec::new();
    for (file, text) in source_files().into_iter().chain(rust_files(&root().join("tests"))) {
        for word in words {
            if text.contains(word) {
                found.push(format!("{file}: {word}"));
            }
        }
    }
    assert_none(&found, "unfinished or switched-off code");
}

#[test]
fn every_module_says_what_it_does() {
    let undocumented: Vec<String> =
        source_files().into_iter().filter(|(_, text)| !text.starts_with("//! ")).map(|(file, _)| file).collect();
    assert_none(&undocumented, "no `//!` at the head");
}

#[test]
fn files_stay_small() {
    let long: Vec<String> = source_files()
        .into_iter()
        .map(|(file, text)| (file, text.lines().count()))
        .filter(|(_, lines)| *lines > 500)
        .map(|(file, lines)| format!("{file}: {lines} lines"))
        .collect();
    assert_none(&long, "longer than 500 lines: split by concept");
}

#[test]
fn query_text_never_comes_from_templates() {
    let mut found = Vec::new();
    for (file, text) in source_files() {
        let template = text.contains("minijinja");
        let allowed = file.starts_with("src/target/") || file == "src/analysis/alert.rs";
        if template && !allowed {
            found.push(file);
        }
    }
    assert_none(&found, "minijinja renders envelopes and alert titles only");
}

#[test]
fn nothing_prints_but_the_command_line() {
    let mut found = Vec::new();
    for (file, text) in source_files() {
        if file.starts_with("src/cli/") || file == "src/embed/build.rs" {
            continue;
        }
        for word in ["println!(", "print!(", "eprintln!(", "eprint!("] {
            if text.contains(word) {
                found.push(format!("{file}: {word}"));
            }
        }
    }
    assert_none(&found, "a stage prints");
}

#[test]
fn the_top_level_is_as_agreed() {
    let expected = [
        "Cargo.toml",
        "Cargo.lock",
        "src",
        "detections",
        "targets",
        "schemas",
        "tests",
        "examples",
        "README.md",
        "LANGUAGE.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        // Made by the tools.
        "target",
        "dist",
    ];
    let mut found = Vec::new();
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') && !expected.contains(&name.as_str()) {
            found.push(name);
        }
    }
    assert_none(&found, "does not belong to the top level");
}

#[test]
fn modules_are_named_after_what_they_own() {
    let vague = ["utils", "util", "helpers", "helper", "common", "manager", "misc"];
    let stems = source_files().into_iter().map(|(file, _)| file);
    let found: Vec<String> = stems.filter(|file| file.split(['/', '.']).any(|part| vague.contains(&part))).collect();
    assert_none(&found, "a name that says nothing");
}
