//! The catalogue held against real events: raw events beside the documents that were indexed of them, the fields that were
//! extracted of them, and raw events of every source.
//!
//! Never copies an event: the corpus stands outside of the repository, and a test that needs it says when it is absent.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use detc::compiler::{self, Project, Settings};
use detc::logs::{Recognition, Verdict};
use detc::schema::mapping::{Access, Binding, Column, FieldMap};
use detc::schema::{Epoch, Field, FieldPath, Members, Source, Type, instant};
use detc::source::{FileId, Sources};
use serde::Deserialize;
use serde_json::{Value as Json, json};

/// A day on which no entry of the shipped lists has expired.
const TODAY: &str = "2026-11-30";
/// Members of raw events that are no part of a schema, by source.
const IGNORED: &str = include_str!("telemetry/ignored.yml");
/// Fields whose value in a pair is not the native one, by source.
const ELSEWHERE: &str = include_str!("telemetry/elsewhere.yml");

/// Paths for one reason.
#[derive(Deserialize)]
struct Reviewed {
    paths: BTreeSet<String>,
    reason: String,
}

/// The reviewed paths of a source.
fn reviewed(list: &str, source: &str) -> BTreeSet<String> {
    let mut all: BTreeMap<String, Vec<Reviewed>> = serde_yaml::from_str(list).unwrap();
    let groups = all.remove(source).unwrap_or_default();
    assert!(groups.iter().all(|group| !group.reason.is_empty()), "{source}: a reason is missing");
    groups.into_iter().flat_map(|group| group.paths).collect()
}

fn project() -> Project {
    let (project, found) = compiler::load(None, &mut Sources::default());
    assert!(found.is_empty(), "{found:#?}");
    project
}

/// The corpus: the folder that `DETC_CORPUS` names, else `shared/corpus` beside the repository or further out.
fn corpus(folder: &str) -> Option<PathBuf> {
    let named = std::env::var_os("DETC_CORPUS").map(PathBuf::from);
    let around = || Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|outer| outer.join("shared/corpus"));
    let found = named.or_else(|| around().find(|candidate| candidate.is_dir())).map(|root| root.join(folder));
    if found.is_none() {
        eprintln!("skipped: there is no corpus; DETC_CORPUS names its folder");
    }
    found
}

/// The files of a folder whose names have an ending, sorted.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = entries.filter(|path| path.to_string_lossy().ends_with(ending)).collect();
    found.sort();
    found
}

fn read(path: &Path) -> Json {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The source of a folder or file of the corpus, whose names have `_` where ours have a dot.
fn source_of(stem: &str, event: &Json) -> String {
    match stem {
        "google_workspace" => "google_workspace.reports".to_owned(),
        "entra_signin_audit" => {
            let category = event.get("category").and_then(Json::as_str).unwrap_or_default();
            if category.ends_with("SignInLogs") { "entra.signin" } else { "entra.audit" }.to_owned()
        }
        other => other.replacen('_', ".", 1),
    }
}

/// The event inside the envelope in which AKS hands it on.
fn unwrapped(source: &str, event: Json) -> Json {
    let inner = event.pointer("/properties/log").and_then(Json::as_str).filter(|_| source == "kubernetes.audit");
    inner.map_or_else(|| event.clone(), |text| serde_json::from_str(text).unwrap())
}

/// Everything at a path, through lists; `*` is any member.
fn values<'a>(value: &'a Json, path: &[&str], found: &mut Vec<&'a Json>) {
    if let Json::Array(items) = value {
        items.iter().for_each(|item| values(item, path, found));
    } else if let Some((first, rest)) = path.split_first() {
        let members = value.as_object().into_iter().flatten();
        members.filter(|(name, _)| *first == "*" || name == first).for_each(|(_, member)| values(member, rest, found));
    } else if !matches!(value, Json::Null) && value.as_str() != Some("") {
        found.push(value);
    }
}

fn at<'a>(value: &'a Json, path: &FieldPath) -> Vec<&'a Json> {
    let segments: Vec<&str> = path.segments().iter().map(String::as_str).collect();
    let mut found = Vec::new();
    values(value, &segments, &mut found);
    found
}

/// A value as text; an instant in milliseconds, which is what Elastic keeps of it.
fn text(value: &Json, field: (&Type, Option<Epoch>)) -> String {
    let written = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    let number = || written.parse::<i64>().ok();
    match field {
        (Type::Time, Some(Epoch::Seconds)) if instant(&written).is_none() => (number().unwrap() * 1_000).to_string(),
        (Type::Time, _) => instant(&written).map_or(written, |time| time.as_millisecond().to_string()),
        _ => written,
    }
}

/// What raw event and document have at a field, where the event has it: sorted texts.
fn both(raw: &[&Json], document: &Json, column: &Column, field: (&Type, Option<Epoch>)) -> Option<[Vec<String>; 2]> {
    let spelt =
        |native: String| column.spelling(&native).map_or(native.clone(), |text| text.as_str().unwrap().to_owned());
    let mut native: Vec<String> = raw.iter().map(|value| spelt(text(value, field))).collect();
    let path: Vec<&str> = column.path.split('.').chain(column.rest.segments().iter().map(String::as_str)).collect();
    let mut indexed = Vec::new();
    values(document, &path, &mut indexed);
    let mut indexed: Vec<String> = indexed.into_iter().map(|value| text(value, field)).collect();
    native.sort();
    indexed.sort();
    (!native.is_empty()).then_some([native, indexed])
}

/// Every field of a source with its binding: by path, with members of lists as `list[].member`.
fn bound<'a>(source: &'a Source, map: &FieldMap) -> Vec<(String, FieldPath, &'a Field, Binding)> {
    let mut all = Vec::new();
    for (path, field) in source.root.paths() {
        if matches!(&field.ty, Type::List(item) if **item == Type::Object) {
            for (member, inner) in field.members.paths().into_iter().filter(|(_, inner)| inner.ty != Type::Object) {
                let binding = map.resolve_member(&path, &member);
                all.extend(binding.map(|binding| (format!("{path}[].{member}"), path.join(&member), inner, binding)));
            }
        } else if field.ty != Type::Object {
            all.extend(map.resolve(&path).map(|binding| (path.to_string(), path, field, binding)));
        }
    }
    all
}

/// The entries of name/value lists for which the map has a place of its own: key, list, name, member.
fn named(map: &FieldMap) -> Vec<(String, FieldPath, String, String, Column)> {
    let entry = |(key, binding): (&String, &Binding)| {
        let (list, rest) = key.split_once('[')?;
        let (name, member) = rest.split_once("].").filter(|(name, _)| !name.is_empty())?;
        let Binding::Column(column) = binding else { return None };
        Some((key.clone(), FieldPath::parse(list), name.to_owned(), member.to_owned(), column.clone()))
    };
    map.fields.iter().filter_map(entry).collect()
}

#[test]
fn what_is_indexed_of_a_raw_event_is_what_the_map_says() {
    let Some(folder) = corpus("pairs") else { return };
    let project = project();
    let elastic = project.targets.get("elastic").unwrap();
    let (mut wrong, mut absent, mut compared, mut seen) = (Vec::new(), Vec::new(), 0, BTreeSet::new());
    for inside in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        for file in files(&inside, ".raw.json") {
            let name = source_of(&inside.file_name().unwrap().to_string_lossy(), &Json::Null);
            let raw = unwrapped(&name, read(&file));
            let document = read(&PathBuf::from(file.to_string_lossy().replace(".raw.json", ".ecs.json")));
            let (source, map) = (project.catalog.source(&name).unwrap(), elastic.maps.get(&name).unwrap());
            let elsewhere = reviewed(ELSEWHERE, &name);
            let mut check = |key: &str, pair: Option<[Vec<String>; 2]>, column: &Column| {
                let Some([native, indexed]) = pair else { return };
                compared += 1;
                let line = || format!("{name} `{key}`: {native:?} is {indexed:?} at `{}`", column.path);
                if native == indexed || column.lossy.is_some() || elsewhere.contains(key) {
                    return;
                }
                if indexed.is_empty() { absent.push(line()) } else { wrong.push(line()) }
            };
            for (key, path, field, binding) in bound(source, map) {
                let Binding::Column(column) = binding else { continue };
                check(&key, both(&at(&raw, &path), &document, &column, (&field.ty, field.epoch)), &column);
            }
            for (key, list, entry, member, column) in named(map) {
                let elements = at(&raw, &list);
                let element = elements.iter().find(|element| element.get("name") == Some(&json!(entry)));
                let value: Vec<&Json> = element.and_then(|element| element.get(&member)).into_iter().collect();
                check(&key, both(&value, &document, &column, (&Type::Text, None)), &column);
            }
            seen.insert(name);
        }
    }
    assert!(wrong.is_empty(), "{} of {compared} fields disagree:\n{}", wrong.len(), wrong.join("\n"));
    // Pairs are of several releases of an integration, and an older one may lack a field.
    let missing = absent.join("\n");
    assert!(absent.len() * 10 <= compared, "{} of {compared} fields are not there:\n{missing}", absent.len());
    assert!(compared > 15 * seen.len(), "{compared} fields in pairs of {seen:?}");
    eprintln!(
        "{} of {compared} fields of {} sources agree with their pairs\n{missing}",
        compared - absent.len(),
        seen.len()
    );
}

#[test]
fn splunk_extracts_the_fields_that_the_map_names() {
    let Some(folder) = corpus("pairs") else { return };
    let project = project();
    let splunk = project.targets.get("splunk").unwrap();
    let (mut wrong, mut compared) = (Vec::new(), 0);
    for inside in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        for file in files(&inside, ".json") {
            let sample = read(&file);
            let Some(extracted) = sample.get("splunk_search_time_fields").and_then(Json::as_array) else { continue };
            let raw = sample.get("raw").unwrap();
            // The REST input of the Azure add-on writes another record; `event` is what this add-on makes of `events`.
            if raw.get("eventTimestamp").is_some() {
                continue;
            }
            let name = source_of(&inside.file_name().unwrap().to_string_lossy(), raw);
            let (source, map) = (project.catalog.source(&name).unwrap(), splunk.maps.get(&name).unwrap());
            let elsewhere = reviewed(ELSEWHERE, &name);
            for (key, path, _, binding) in bound(source, map) {
                let Binding::Column(column) = binding else { continue };
                let found = at(raw, &path);
                if found.is_empty() || found.iter().any(|value| value.is_object()) || elsewhere.contains(&key) {
                    continue;
                }
                compared += 1;
                let rest = column.rest.segments().iter().map(String::as_str);
                let field = std::iter::once(column.path.as_str()).chain(rest).collect::<Vec<_>>().join(".");
                let bare = |name: &str| name.replace("{}", "");
                if !extracted.iter().any(|name| bare(name.as_str().unwrap()) == bare(&field)) {
                    wrong.push(format!("{name} `{key}`: no field `{field}` in {}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {compared} fields are not extracted:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared > 200, "{compared} fields");
}

/// Leaves of raw events, and those that a schema does not know.
#[derive(Default)]
struct Tally {
    all: usize,
    unknown: BTreeMap<String, usize>,
}

impl Tally {
    fn object(&mut self, members: &Members, value: &Json, path: &str) {
        for (name, value) in value.as_object().into_iter().flatten() {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            // Some events of the corpus have had their keys put into lower case.
            let field = members.named.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            match field {
                Some((_, field)) => self.field(field, value, &path),
                None => self.leaves(value, &path, members.open.is_some()),
            }
        }
    }

    fn field(&mut self, field: &Field, value: &Json, path: &str) {
        let has_members = !field.members.named.is_empty();
        match (value, &field.ty) {
            (Json::Array(items), Type::List(_)) if has_members => {
                items.iter().for_each(|item| self.field(field, item, &format!("{path}[]")));
            }
            (Json::Object(members), _) if has_members && !members.is_empty() => {
                self.object(&field.members, value, path)
            }
            _ => self.leaves(value, path, true),
        }
    }

    fn leaves(&mut self, value: &Json, path: &str, is_known: bool) {
        match value {
            Json::Object(members) if !members.is_empty() => {
                members.iter().for_each(|(name, value)| self.leaves(value, &format!("{path}.{name}"), is_known));
            }
            Json::Array(items) if !items.is_empty() => {
                items.iter().for_each(|item| self.leaves(item, &format!("{path}[]"), is_known));
            }
            _ => {
                self.all += 1;
                if !is_known {
                    *self.unknown.entry(path.to_owned()).or_default() += 1;
                }
            }
        }
    }
}

/// The event with the names that its collector gave it; the corpus says which it has changed.
fn native(event: &Json) -> Json {
    let name = |name: &str| match name {
        "callerIP" => "callerIp".to_owned(),
        other => other.replace("at_sign_", "@").replace("_slash_", "/"),
    };
    match event {
        Json::Object(members) => members.iter().map(|(key, value)| (name(key), native(value))).collect(),
        Json::Array(items) => items.iter().map(native).collect(),
        other => other.clone(),
    }
}

#[test]
fn raw_events_have_the_members_that_the_schemas_name() {
    let Some(folder) = corpus("raw") else { return };
    let project = project();
    let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
    let attacks =
        files(&folder.with_file_name("attacks"), ".jsonl").into_iter().map(|path| ("aws_cloudtrail".to_owned(), path));
    let stem = |path: PathBuf| (path.file_stem().unwrap().to_string_lossy().into_owned(), path);
    for (stem, path) in files(&folder, ".jsonl").into_iter().map(stem).chain(attacks) {
        // Events in a shape that no vendor sends.
        if stem.ends_with("_normalised") {
            continue;
        }
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            let line: Json = serde_json::from_str(line).unwrap();
            let event = native(line.get("event").filter(|_| line.get("origin").is_some()).unwrap_or(&line));
            // What the REST API of the activity log answers is another record.
            if stem == "azure_activity" && event.get("eventTimestamp").is_some() {
                continue;
            }
            let name = source_of(&stem, &event);
            let source =
                project.catalog.source(&name).unwrap_or_else(|| panic!("{}: no source `{name}`", path.display()));
            tallies.entry(name).or_default().object(&source.root, &event, "");
        }
    }
    assert!(tallies.len() >= 11, "{:?}", tallies.keys());
    let mut unreviewed = Vec::new();
    for (name, tally) in &tallies {
        let unknown: usize = tally.unknown.values().sum();
        assert!(
            unknown * 20 <= tally.all,
            "{name}: {unknown} of {} leaves are unknown: {:?}",
            tally.all,
            tally.unknown
        );
        let ignored = reviewed(IGNORED, name);
        unreviewed.extend(
            tally.unknown.keys().filter(|path| !ignored.contains(*path)).map(|path| format!("{name} `{path}`")),
        );
        eprintln!("{name}: {} of {} leaves are in the schema", tally.all - unknown, tally.all);
    }
    assert!(unreviewed.is_empty(), "neither in a schema nor reviewed:\n{}", unreviewed.join("\n"));
}

/// An event that has just the members of a signature.
fn signed(source: &Source) -> Json {
    let mut event = json!({});
    for path in source.signature.iter().chain([&source.time]) {
        let mut place = &mut event;
        for segment in path.segments() {
            let members = place.as_object_mut().unwrap();
            place = members.entry(segment.clone()).or_insert_with(|| json!({}));
        }
        *place = json!("x");
    }
    event
}

#[test]
fn signatures_tell_the_sources_apart() {
    let project = project();
    let recognition = Recognition::new(&project.catalog, &[], &[]);
    for source in project.catalog.sources() {
        assert!(!source.signature.is_empty(), "`{}` has no signature", source.name);
        let event = signed(source).to_string();
        assert_eq!(recognition.judge(event.as_bytes(), None), Verdict::Unread(source.name.as_str().into()), "{event}");
    }
}

#[test]
fn every_source_has_a_detection() {
    std::env::set_current_dir(env!("CARGO_MANIFEST_DIR")).unwrap();
    let mut sources = Sources::default();
    let (project, _) = compiler::load(None, &mut sources);
    let first = FileId(u32::try_from(sources.iter().count()).unwrap());
    compiler::collect(&["detections".to_owned()], &mut sources).unwrap();
    let settings = Settings { today: TODAY.to_owned(), ..Settings::default() };
    let checked = compiler::check(&project, &sources, first, &settings);
    let read: BTreeSet<&str> = checked
        .detections
        .iter()
        .flat_map(|detection| detection.sources())
        .map(|source| source.name.as_str())
        .collect();
    let known: BTreeSet<&str> = project.catalog.sources().map(|source| source.name.as_str()).collect();
    assert_eq!(read, known);
}

#[test]
fn entries_with_a_place_of_their_own_are_entries_of_a_list() {
    let project = project();
    let mut found = 0;
    for map in project.targets.values().flat_map(|target| target.maps.values()) {
        let source = project.catalog.source(&map.source).unwrap();
        for (key, list, _, member, column) in named(map) {
            let lists = source.root.paths();
            let (_, field) = lists.iter().find(|(path, _)| *path == list).unwrap_or_else(|| panic!("{key}"));
            assert!(field.name_value.is_some() && field.members.named.contains_key(&member), "{key}");
            assert_eq!(column.access, Access::Direct, "{key}");
            found += 1;
        }
    }
    assert!(found > 50, "{found}");
}

#[test]
fn a_time_without_an_offset_is_utc() {
    let expected = instant("2026-01-05T12:00:00Z");
    assert!(expected.is_some());
    for text in ["2026-01-05T12:00:00", "2026-01-05 12:00:00", "2026-01-05T13:00:00+01:00", "2026-01-05T12:00:00.000Z"]
    {
        assert_eq!(instant(text), expected, "{text}");
    }
    for text in ["2026-01-05", "12:00:00", "", "soon"] {
        assert_eq!(instant(text), None, "{text}");
    }
}
