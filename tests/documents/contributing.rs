//! CONTRIBUTING.md shows data files that load, and names files that exist.

use std::path::Path;

use detc::compiler;
use detc::diagnostic::Diagnostics;
use detc::schema::load_source;
use detc::source::{FileId, Sources};
use detc::target::{load_field_map, load_target};

use super::markdown;

const PAGE: &str = include_str!("../../CONTRIBUTING.md");

#[test]
fn examples_of_data_files_load() {
    let (project, _) = compiler::load(None, &mut Sources::default());
    let found_in = |kind: &str, text: &str| -> Option<Diagnostics> {
        let file = FileId(0);
        Some(match kind {
            "source" => load_source(file, text).1,
            "target" => load_target(file, text).1,
            "fields" => load_field_map(file, text, |name| project.catalog.source(name).map(AsRef::as_ref)).1,
            _ => return None,
        })
    };
    let mut checked = 0;
    for block in markdown::blocks(PAGE) {
        let Some(found) = block.info.strip_prefix("yaml ").and_then(|kind| found_in(kind, &block.text)) else {
            continue;
        };
        assert!(found.is_empty(), "CONTRIBUTING.md, line {}: {found:#?}", block.line);
        checked += 1;
    }
    assert_eq!(checked, 3, "a source, a target and a field map");
}

#[test]
fn files_that_the_page_names_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut named = 0;
    for code in PAGE.lines().flat_map(markdown::code) {
        let path = code.split_whitespace().find(|word| {
            ["src/", "tests/", "schemas/", "targets/", "detections/", "examples/", ".ci/"]
                .iter()
                .any(|folder| word.starts_with(folder))
        });
        let Some(path) = path else { continue };
        // What stands for a name of the reader's own is cut off.
        let known = path.split(['<', '*']).next().unwrap_or_default();
        let known =
            if known.len() < path.len() { known.rsplit_once('/').map_or("", |(folder, _)| folder) } else { known };
        named += 1;
        assert!(root.join(known).exists(), "CONTRIBUTING.md names `{path}`, which does not exist");
    }
    assert!(named > 20, "{named} files are named");
}
