//! What the tests of the backends share: from texts to a resolved detection and a target.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use detc::analysis::{self, Context, Lists};
use detc::backend::{self, Output, Request};
use detc::diagnostic::{Diagnostics, Format, write};
use detc::ir::{Detection, Schedule};
use detc::schema::mapping::TargetProfile;
use detc::schema::{AttackCatalog, Catalog, load_source};
use detc::source::Sources;
use detc::{syntax, target, yaml};

/// A small world: sources with their maps on one target.
pub struct World {
    sources: Sources,
    /// The sources.
    pub catalog: Catalog,
    /// The target, with its maps.
    pub target: TargetProfile,
}

impl World {
    /// Loads a target, and pairs of a schema with its map.
    #[track_caller]
    pub fn new(profile: &str, pairs: &[(&str, &str)]) -> Self {
        let mut sources = Sources::default();
        let (target, found) = target::load_target(sources.add("target.yml", profile), profile);
        let mut target = loaded(target, found, &sources);
        let mut catalog = Catalog::default();
        for (schema, map) in pairs {
            let (source, found) = load_source(sources.add("schema.yml", *schema), schema);
            let source = loaded(source, found, &sources);
            let (map, found) = target::load_field_map(sources.add("map.yml", *map), map, |_| Some(&source));
            let map = loaded(map, found, &sources);
            target.maps.insert(source.name.clone(), Arc::new(map));
            catalog.add(source);
        }
        Self { sources, catalog, target }
    }

    /// Resolves a whole detection.
    #[track_caller]
    pub fn resolve(&mut self, text: &str) -> Detection {
        let file = self.sources.add("sample.yml", text);
        let (tree, found) = yaml::parse(file, text);
        let tree = loaded(tree, found, &self.sources);
        let (file, mut found) = syntax::read_detection(file, tree);
        let context = Context {
            catalog: &self.catalog,
            attack: &AttackCatalog::default(),
            lists: &Lists::default(),
            targets: &BTreeSet::from([self.target.name.clone()]),
            settings: &BTreeMap::new(),
            today: "2026-01-01",
        };
        let (detection, more) = analysis::analyse(&file, &context);
        found.extend(more);
        loaded(detection, found, &self.sources)
    }
}

/// Compiles a resolved detection for a target.
#[track_caller]
pub fn compile(detection: &Detection, target: &TargetProfile) -> Output {
    let schedule = Schedule::derive(detection, target.interval);
    let backend = backend::find(&target.backend).unwrap_or_else(|| panic!("no backend `{}`", target.backend));
    backend::compile(backend, &Request { detection, target, schedule })
}

/// What was read, or a failure that shows why it could not be.
#[track_caller]
fn loaded<T>(value: Option<T>, found: Diagnostics, sources: &Sources) -> T {
    value.unwrap_or_else(|| {
        let mut out = Vec::new();
        let written = write(Format::Text, &found.into_sorted(), sources, false, &mut out);
        panic!("{written:?}\n{}", String::from_utf8_lossy(&out))
    })
}
