//! Loads the catalogue and the targets: those inside the binary, then those of the project's own folders.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::embed;
use crate::schema::mapping::TargetProfile;
use crate::schema::{AttackCatalog, Catalog, load_shipped_source, load_source};
use crate::source::Sources;
use crate::target::{Envelope, load_field_map, load_target};

/// The catalogue and the targets of a run.
#[derive(Debug, Clone, Default)]
pub struct Project {
    /// Known sources.
    pub catalog: Catalog,
    /// ATT&CK identifiers.
    pub attack: AttackCatalog,
    /// Known targets, by name.
    pub targets: BTreeMap<String, TargetProfile>,
    /// Templates around the queries of each target, by the target's name.
    pub envelopes: BTreeMap<String, Envelope>,
}

/// Texts of a project by path from its root.
type Texts = BTreeMap<String, String>;

/// Loads what is shipped and what the folder `root` adds or overrides under `schemas` and `targets`.
///
/// The texts are added to `sources`, so that diagnostics can show them.
#[must_use]
pub fn load(root: Option<&Path>, sources: &mut Sources) -> (Project, Diagnostics) {
    let mut diagnostics = Diagnostics::default();
    let mut texts: Texts = embed::FILES.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    if let Some(root) = root {
        for folder in ["schemas/sources", "schemas/classes", "targets"] {
            own_files(root, folder, &mut texts, &mut diagnostics);
        }
    }
    let mut project = Project::default();
    let extract = embed::FILES.iter().find(|(path, _)| *path == "schemas/attack/enterprise.yml");
    project.attack = extract.and_then(|(_, text)| AttackCatalog::read(text)).unwrap_or_default();
    let is_yaml = |path: &str| path.ends_with(".yml") || path.ends_with(".yaml");
    for (path, text) in texts.iter().filter(|(path, _)| path.starts_with("schemas/sources/") && is_yaml(path)) {
        let file = sources.add(path.as_str(), text.as_str());
        let shipped = embed::FILES.iter().any(|(name, shipped)| name == path && shipped == text);
        let (source, found) = if shipped { load_shipped_source(file, text) } else { load_source(file, text) };
        diagnostics.extend(found);
        if let Some(source) = source {
            check_name(path, &source.name, stem(path), Code::InvalidSchema, &mut diagnostics);
            project.catalog.add(source);
        }
    }
    for (path, text) in texts.iter().filter(|(path, _)| is_yaml(path)) {
        let Some(below) = path.strip_prefix("schemas/classes/") else { continue };
        let file = sources.add(path.as_str(), text.as_str());
        if !project.catalog.classes.add(below, file, text) {
            let message = format!("`{path}` is no file of a class: those are `CLASS.yml` and `CLASS/SOURCE.yml`");
            diagnostics.push(Diagnostic::without_place(Code::InvalidSchema, message));
        }
    }
    for (path, text) in texts.iter().filter(|(path, _)| path.starts_with("targets/") && path.ends_with("/target.yml")) {
        let file = sources.add(path.as_str(), text.as_str());
        let (target, found) = load_target(file, text);
        diagnostics.extend(found);
        if let Some(target) = target {
            let folder = path.trim_end_matches("/target.yml");
            check_name(path, &target.name, stem(folder), Code::InvalidTarget, &mut diagnostics);
            project.targets.insert(target.name.clone(), target);
        }
    }
    for (path, text) in texts.iter().filter(|(path, _)| path.contains("/fields/") && is_yaml(path)) {
        let Some(name) = path.strip_prefix("targets/").and_then(|rest| rest.split('/').next()) else { continue };
        let file = sources.add(path.as_str(), text.as_str());
        let catalog = &project.catalog;
        let (map, found) = load_field_map(file, text, |source| catalog.source(source).map(Arc::as_ref));
        diagnostics.extend(found);
        match (map, project.targets.get_mut(name)) {
            (Some(map), Some(target)) => {
                check_name(path, &map.source, stem(path), Code::InvalidTarget, &mut diagnostics);
                target.maps.insert(map.source.clone(), Arc::new(map));
            }
            (Some(_), None) => {
                let message =
                    format!("`{path}` belongs to no target: targets/{name}/target.yml is missing or malformed");
                diagnostics.push(Diagnostic::without_place(Code::InvalidTarget, message));
            }
            (None, _) => {}
        }
    }
    envelopes(&texts, &mut project, &mut diagnostics);
    (project, diagnostics)
}

/// Reads `query.j2` of each target; a target without one takes that of a shipped target of the same language.
fn envelopes(texts: &Texts, project: &mut Project, diagnostics: &mut Diagnostics) {
    let own = |name: &str| {
        let path = format!("targets/{name}/query.j2");
        texts.get(&path).map(|text| (path, text))
    };
    for target in project.targets.values() {
        let relatives = project.targets.values().filter(|other| other.backend == target.backend);
        let found = own(&target.name).or_else(|| relatives.filter_map(|other| own(&other.name)).next());
        let Some((path, text)) = found else {
            let message = format!("the target `{}` has no `targets/{}/query.j2`", target.name, target.name);
            diagnostics.push(Diagnostic::without_place(Code::InvalidTarget, message));
            continue;
        };
        match Envelope::new(text) {
            Ok(envelope) => {
                project.envelopes.insert(target.name.clone(), envelope);
            }
            Err(reason) => {
                let message = format!("the template `{path}` cannot be used: {reason}");
                diagnostics.push(Diagnostic::without_place(Code::InvalidTarget, message));
            }
        }
    }
}

/// A file of the catalogue is named after what it holds, because files replace each other by path.
fn check_name(path: &str, name: &str, stem: &str, code: Code, diagnostics: &mut Diagnostics) {
    if name != stem {
        let message = format!("`{path}` speaks of `{name}`, so it has to be named `{name}` and not `{stem}`");
        diagnostics.push(Diagnostic::without_place(code, message));
    }
}

/// The last part of a path, without the ending of YAML files.
fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.strip_suffix(".yml").or_else(|| name.strip_suffix(".yaml")).unwrap_or(name)
}

/// Adds the files of a project's own folder; a file of the same path replaces the shipped one.
fn own_files(root: &Path, folder: &str, texts: &mut Texts, diagnostics: &mut Diagnostics) {
    let base = root.join(folder);
    if !base.is_dir() {
        return;
    }
    for entry in ignore::WalkBuilder::new(&base).standard_filters(false).hidden(true).build().flatten() {
        let path = entry.path();
        let is_wanted = path.extension().is_some_and(|ending| ending == "yml" || ending == "yaml" || ending == "j2");
        if !is_wanted || entry.file_type().is_none_or(|kind| kind.is_dir()) {
            continue;
        }
        let Ok(relative) = path.strip_prefix(root) else { continue };
        let parts: Vec<String> = relative.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        let name = parts.join("/");
        match std::fs::read_to_string(path) {
            Ok(text) => {
                texts.insert(name, text);
            }
            Err(error) => {
                let message = format!("`{name}` cannot be read: {error}");
                diagnostics.push(Diagnostic::without_place(Code::CannotRead, message));
            }
        }
    }
}
