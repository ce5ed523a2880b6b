//! Finds and reads the files that a user names.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::Sources;

/// A path as a user gives it: a file, a folder, or `-` for standard input.
pub type Input = String;

/// Why nothing could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InputError {
    /// A named path does not exist.
    Missing(String),
}

/// Adds the YAML files below the paths to `sources`, sorted by path; lists beside them are added too.
///
/// Files and folders whose name starts with a dot are passed over. A file that cannot be read is reported and left out.
///
/// # Errors
/// A path that does not exist.
pub fn collect(paths: &[Input], sources: &mut Sources) -> Result<Diagnostics, InputError> {
    let mut diagnostics = Diagnostics::default();
    let mut files = BTreeSet::new();
    let mut piped = false;
    for input in paths {
        if input == "-" {
            if std::mem::replace(&mut piped, true) {
                continue;
            }
            let mut bytes = Vec::new();
            match std::io::stdin().read_to_end(&mut bytes) {
                Ok(_) => add(sources, "<stdin>", bytes, &mut diagnostics),
                Err(error) => {
                    let message = format!("standard input cannot be read: {error}");
                    diagnostics.push(Diagnostic::without_place(Code::CannotRead, message));
                }
            }
            continue;
        }
        let path = Path::new(input);
        if !path.exists() {
            return Err(InputError::Missing(input.clone()));
        }
        if path.is_dir() {
            walk(path, &mut files, &mut diagnostics);
        } else {
            files.insert(path.to_path_buf());
        }
        // A part of a project still finds the lists of the folders above it.
        for folder in path.ancestors().skip(1).take(6) {
            let lists = if folder.as_os_str().is_empty() { PathBuf::from("lists") } else { folder.join("lists") };
            if lists.is_dir() {
                walk(&lists, &mut files, &mut diagnostics);
            }
        }
    }
    for path in distinct(files) {
        let name = shown(&path);
        match std::fs::read(&path) {
            Ok(bytes) => add(sources, &name, bytes, &mut diagnostics),
            Err(error) => {
                let message = format!("`{name}` cannot be read: {error}");
                diagnostics.push(Diagnostic::without_place(Code::CannotRead, message));
            }
        }
    }
    Ok(diagnostics)
}

/// Files without those that an earlier path names already: `a.yml` and `b/../a.yml` are one file.
fn distinct(files: BTreeSet<PathBuf>) -> Vec<PathBuf> {
    let mut folders: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let mut kept = Vec::new();
    for file in files {
        let folder = file.parent().map(Path::to_path_buf).unwrap_or_default();
        let whole = folders.entry(folder).or_insert_with_key(|folder| {
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder.as_path() };
            folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf())
        });
        if seen.insert((whole.clone(), file.file_name().map(ToOwned::to_owned))) {
            kept.push(file);
        }
    }
    kept
}

fn walk(folder: &Path, files: &mut BTreeSet<PathBuf>, diagnostics: &mut Diagnostics) {
    for entry in ignore::WalkBuilder::new(folder).standard_filters(false).hidden(true).build() {
        match entry {
            Ok(entry) => {
                let is_yaml = entry.path().extension().is_some_and(|ending| ending == "yml" || ending == "yaml");
                if is_yaml && entry.file_type().is_some_and(|kind| !kind.is_dir()) {
                    files.insert(entry.into_path());
                }
            }
            Err(error) => {
                diagnostics
                    .push(Diagnostic::without_place(Code::CannotRead, format!("a folder cannot be read: {error}")));
            }
        }
    }
}

fn add(sources: &mut Sources, name: &str, bytes: Vec<u8>, diagnostics: &mut Diagnostics) {
    match String::from_utf8(bytes) {
        Ok(text) => {
            sources.add(name, text);
        }
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let before = String::from_utf8_lossy(error.as_bytes().get(..valid).unwrap_or_default()).into_owned();
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
            let message = format!("`{name}` is not UTF-8: the first wrong byte stands in line {line}, column {column}");
            diagnostics.push(Diagnostic::without_place(Code::NotUtf8, message).help("save the file as UTF-8"));
        }
    }
}

/// A path with `/` between its parts, without `./` in front.
fn shown(path: &Path) -> String {
    let text = path.components().filter(|part| *part != std::path::Component::CurDir);
    let parts: Vec<String> = text.map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    let joined = parts.join("/");
    joined.strip_prefix("//").map_or(joined.clone(), |rest| format!("/{rest}"))
}
