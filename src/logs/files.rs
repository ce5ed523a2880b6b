//! Finds the logs that a user names: files, folders, patterns, standard input.
//!
//! Never opens them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use globset::GlobBuilder;

use super::Log;

/// Endings by which logs are found in folders; a file that is named, or that a pattern finds, needs none of them.
pub const ENDINGS: [&str; 6] = [".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz"];

/// The logs that a path, a pattern or `-` stands for, sorted by path.
///
/// # Errors
/// A path that does not exist, a pattern that finds nothing or is none; says so.
pub fn find(named: &str, source: Option<&str>) -> Result<Vec<Log>, String> {
    let log =
        |name: &str, path: Option<PathBuf>| Log { name: Arc::from(name), path, source: source.map(ToOwned::to_owned) };
    let each = |found: BTreeSet<PathBuf>| {
        found
            .into_iter()
            .map(|path| (path.to_string_lossy().into_owned(), path))
            .map(|(name, path)| log(&name, Some(path)))
            .collect()
    };
    if named == "-" {
        return Ok(vec![log("<stdin>", None)]);
    }
    let path = Path::new(named);
    if path.is_dir() {
        let found = walk(path, &|found| {
            let name = found.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
            ENDINGS.iter().any(|ending| name.ends_with(ending))
        })?;
        if found.is_empty() {
            return Err(format!("the folder `{named}` has no log: no file that ends in {}", ENDINGS.join(", ")));
        }
        return Ok(each(found));
    }
    // A name that exists is no pattern, whatever characters it has.
    if path.exists() {
        return Ok(vec![log(named, Some(path.to_path_buf()))]);
    }
    if !named.contains(['*', '?', '[', '{']) {
        return Err(format!("`{named}` does not exist"));
    }
    let pattern = GlobBuilder::new(named).literal_separator(true).build();
    let pattern = pattern.map_err(|error| format!("`{named}` is no pattern: {}", error.kind()))?.compile_matcher();
    let literal = |part: &std::path::Component<'_>| !part.as_os_str().to_string_lossy().contains(['*', '?', '[', '{']);
    let base: PathBuf = path.components().take_while(literal).collect();
    let is_relative = base.as_os_str().is_empty();
    let base = if is_relative { PathBuf::from(".") } else { base };
    let found = if base.is_dir() {
        walk(&base, &|found| {
            let shown = if is_relative { found.strip_prefix(".").unwrap_or(found) } else { found };
            pattern.is_match(shown)
        })?
    } else {
        BTreeSet::new()
    };
    if found.is_empty() {
        return Err(format!("`{named}` finds no log"));
    }
    Ok(each(found))
}

/// Files below a folder that pass a test; those whose name starts with a dot do not count.
fn walk(folder: &Path, is_wanted: &dyn Fn(&Path) -> bool) -> Result<BTreeSet<PathBuf>, String> {
    let mut found = BTreeSet::new();
    for entry in ignore::WalkBuilder::new(folder).standard_filters(false).hidden(true).build() {
        let entry = entry.map_err(|error| format!("a folder cannot be read: {error}"))?;
        if entry.file_type().is_some_and(|kind| !kind.is_dir()) && is_wanted(entry.path()) {
            found.insert(entry.into_path());
        }
    }
    Ok(found)
}
