//! Writes a folder of results so that an interrupted run leaves no broken file.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// Files of a result, by path from the folder with `/`.
#[derive(Debug, Default)]
pub(super) struct Folder {
    files: BTreeMap<String, String>,
}

/// What is read of an earlier manifest.
#[derive(Deserialize)]
struct Earlier {
    records: Vec<EarlierRecord>,
}

#[derive(Deserialize)]
struct EarlierRecord {
    file: Option<String>,
}

/// A file that could not be written.
pub(super) struct WriteError {
    /// The file.
    pub(super) path: String,
    /// Why.
    pub(super) error: io::Error,
}

impl Folder {
    /// Adds a file.
    pub(super) fn add(&mut self, path: String, text: String) {
        self.files.insert(path, text);
    }

    /// Writes every file, then removes those that an earlier manifest names and this one does not.
    ///
    /// New texts are written beside the folder first and moved into place one by one, the manifest last: a reader sees
    /// whole files only, and a run that is interrupted while it writes leaves the folder as it was.
    ///
    /// # Errors
    /// The first file that cannot be written.
    pub(super) fn write(&self, folder: &Path) -> Result<(), WriteError> {
        let stale = self.stale(folder);
        let changed: Vec<(&String, &String)> =
            self.files.iter().filter(|(path, text)| differs(folder, path, text)).collect();
        let staging = staging(folder);
        let fail = |path: &Path, error: io::Error| WriteError { path: path.display().to_string(), error };
        if !changed.is_empty() {
            std::fs::create_dir_all(folder).map_err(|error| fail(folder, error))?;
            std::fs::create_dir_all(&staging).map_err(|error| fail(&staging, error))?;
        }
        let mut result = Ok(());
        for (index, (path, text)) in changed.iter().enumerate() {
            let staged = staging.join(index.to_string());
            if let Err(error) = write_file(&staged, text) {
                result = Err(fail(&folder.join(path), error));
                break;
            }
        }
        if result.is_ok() {
            // The manifest is moved last: once it is there, everything it names is.
            let (manifest, queries): (Vec<_>, Vec<_>) =
                changed.iter().enumerate().partition(|(_, (path, _))| path.as_str() == "manifest.json");
            for (index, (path, _)) in queries.into_iter().chain(manifest) {
                let place = folder.join(path);
                let moved = place
                    .parent()
                    .map_or(Ok(()), std::fs::create_dir_all)
                    .and_then(|()| std::fs::rename(staging.join(index.to_string()), &place));
                if let Err(error) = moved {
                    result = Err(fail(&place, error));
                    break;
                }
            }
        }
        if !changed.is_empty() {
            // What could not be moved is of no use to anybody.
            let _ = std::fs::remove_dir_all(&staging);
        }
        result?;
        for path in stale {
            let place = folder.join(&path);
            match std::fs::remove_file(&place) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(fail(&place, error)),
            }
        }
        Ok(())
    }

    /// Files that the manifest in the folder names and that are no longer made.
    fn stale(&self, folder: &Path) -> Vec<String> {
        let Ok(text) = std::fs::read_to_string(folder.join("manifest.json")) else { return Vec::new() };
        let Ok(manifest) = serde_json::from_str::<Earlier>(&text) else { return Vec::new() };
        let files = manifest.records.iter().filter_map(|record| record.file.as_deref());
        let inside = |file: &str| {
            !file.is_empty() && Path::new(file).components().all(|part| matches!(part, std::path::Component::Normal(_)))
        };
        files.filter(|file| inside(file) && !self.files.contains_key(*file)).map(ToOwned::to_owned).collect()
    }
}

fn differs(folder: &Path, path: &str, text: &str) -> bool {
    std::fs::read(folder.join(path)).map_or(true, |bytes| bytes != text.as_bytes())
}

/// A folder beside the result, on the same file system, so that moving is one step.
fn staging(folder: &Path) -> PathBuf {
    let name = folder.file_name().map_or_else(|| "dist".to_owned(), |name| name.to_string_lossy().into_owned());
    let staged = format!(".{name}.detc-{}", std::process::id());
    match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.join(staged),
        _ => PathBuf::from(staged),
    }
}

fn write_file(path: &Path, text: &str) -> io::Result<()> {
    let mut file = std::fs::File::create(path)?;
    file.write_all(text.as_bytes())
}
