//! Writes a folder of results so that an interrupted run leaves no broken file.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead as _, Read as _, Write as _};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Deserialize;

/// Name of the manifest inside the folder.
const MANIFEST: &str = "manifest.json";

/// Files of a result, by path from the folder with `/`.
#[derive(Debug, Default)]
pub(super) struct Folder<'t> {
    files: BTreeMap<String, &'t str>,
}

/// Writes the manifest piece by piece, because it can be larger than everything else.
pub(super) type ManifestWriter<'a> = &'a dyn Fn(&mut dyn io::Write) -> io::Result<()>;

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

impl<'t> Folder<'t> {
    /// Adds a file.
    pub(super) fn add(&mut self, path: String, text: &'t str) {
        self.files.insert(path, text);
    }

    /// Writes every file, then removes those that an earlier manifest names and this one does not.
    ///
    /// New texts are written beside the folder first. A new folder is then moved into place at once; in an old one the
    /// files are moved one by one, the manifest last. So a reader sees whole files only; a run that is interrupted while
    /// it writes leaves the folder as it was, and one that is interrupted while it moves leaves the old manifest, whose
    /// fingerprints tell which files are newer.
    ///
    /// # Errors
    /// The first file that cannot be written.
    pub(super) fn write(&self, folder: &Path, manifest: ManifestWriter<'_>) -> Result<(), WriteError> {
        let stale = self.stale(folder);
        let mut changed: Vec<(&str, &str)> = self
            .files
            .par_iter()
            .map(|(path, text)| (path.as_str(), *text))
            .filter(|(path, text)| differs(&folder.join(path), text.as_bytes()))
            .collect();
        let staging = staging(folder);
        let written = stage(&staging, folder, &changed, manifest).and_then(|()| {
            // The manifest is moved last: once it is there, everything that it names is.
            changed.push((MANIFEST, ""));
            put_into_place(&staging, folder, &changed)
        });
        // What could not be moved is of no use to anybody.
        let _ = std::fs::remove_dir_all(&staging);
        written?;
        for path in stale {
            let place = folder.join(&path);
            match std::fs::remove_file(&place) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(failure(&place, error)),
            }
        }
        Ok(())
    }

    /// Files that the manifest in the folder names and that are no longer made.
    fn stale(&self, folder: &Path) -> Vec<String> {
        let Ok(file) = std::fs::File::open(folder.join(MANIFEST)) else { return Vec::new() };
        let Ok(manifest) = serde_json::from_reader::<_, Earlier>(io::BufReader::new(file)) else { return Vec::new() };
        let files = manifest.records.iter().filter_map(|record| record.file.as_deref());
        let inside = |file: &str| {
            !file.is_empty() && Path::new(file).components().all(|part| matches!(part, std::path::Component::Normal(_)))
        };
        files.filter(|file| inside(file) && !self.files.contains_key(*file)).map(ToOwned::to_owned).collect()
    }
}

/// Writes texts and the manifest below `staging` as they will stand below `folder`.
fn stage(
    staging: &Path,
    folder: &Path,
    files: &[(&str, &str)],
    manifest: ManifestWriter<'_>,
) -> Result<(), WriteError> {
    let folders: BTreeSet<PathBuf> =
        files.iter().filter_map(|(path, _)| staging.join(path).parent().map(Path::to_path_buf)).collect();
    for place in folders.iter().map(PathBuf::as_path).chain([staging]) {
        std::fs::create_dir_all(place).map_err(|error| failure(folder, error))?;
    }
    files.par_iter().try_for_each(|(path, text)| {
        std::fs::write(staging.join(path), text).map_err(|error| failure(&folder.join(path), error))
    })?;
    let write = || {
        let mut out = io::BufWriter::new(std::fs::File::create(staging.join(MANIFEST))?);
        manifest(&mut out)?;
        out.flush()
    };
    write().map_err(|error| failure(&folder.join(MANIFEST), error))
}

fn put_into_place(staging: &Path, folder: &Path, files: &[(&str, &str)]) -> Result<(), WriteError> {
    if !folder.exists() {
        return std::fs::rename(staging, folder).map_err(|error| failure(folder, error));
    }
    for (path, _) in files {
        let (staged, place) = (staging.join(path), folder.join(path));
        if *path == MANIFEST && same(&staged, &place) {
            continue;
        }
        place
            .parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| std::fs::rename(&staged, &place))
            .map_err(|error| failure(&place, error))?;
    }
    Ok(())
}

/// Whether two files hold the same bytes; `false` where one cannot be read.
fn same(one: &Path, other: &Path) -> bool {
    let (Ok(one), Ok(other)) = (std::fs::File::open(one), std::fs::File::open(other)) else { return false };
    let (mut one, mut other) = (io::BufReader::new(one), io::BufReader::new(other));
    loop {
        let (Ok(left), Ok(right)) = (one.fill_buf(), other.fill_buf()) else { return false };
        let length = left.len().min(right.len());
        if length == 0 {
            return left.len() == right.len();
        }
        if left.get(..length) != right.get(..length) {
            return false;
        }
        one.consume(length);
        other.consume(length);
    }
}

fn failure(path: &Path, error: io::Error) -> WriteError {
    WriteError { path: path.display().to_string(), error }
}

/// Whether a file is missing or holds another text.
fn differs(path: &Path, text: &[u8]) -> bool {
    let Ok(mut file) = std::fs::File::open(path) else { return true };
    let mut rest = text;
    let mut piece = [0; 16 * 1024];
    loop {
        match file.read(&mut piece) {
            Ok(0) => return !rest.is_empty(),
            Ok(length) => match piece.get(..length).and_then(|read| rest.strip_prefix(read)) {
                Some(behind) => rest = behind,
                None => return true,
            },
            Err(_) => return true,
        }
    }
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
