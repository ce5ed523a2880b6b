//! CONTRIBUTING.md shows data files that load, and names files that exist.

use std::path::Path;

use detc::compiler::{self, Settings};
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
fn the_example_of_a_class_is_whole() {
    let mut sources = Sources::default();
    let (mut project, _) = compiler::load(None, &mut sources);
    let block = |kind: &str| {
        let blocks = markdown::blocks(PAGE).into_iter();
        blocks.filter(|block| block.info == format!("yaml {kind}")).map(|block| block.text).next().unwrap_or_default()
    };
    let (source, _) = load_source(FileId(0), &block("source"));
    source.into_iter().for_each(|source| project.catalog.add(source));
    for (path, kind) in [("acme.calls.yml", "class"), ("acme.calls/acme.audit.yml", "member")] {
        let text = block(kind);
        let file = sources.add(path, text.as_str());
        assert!(project.catalog.classes.add(path, file, &text));
    }
    let text = "detection: sample\nid: 3f1d0a52-7c1e-4b53-9a55-0f3a1a6f0c99\ntitle: A sample\nstatus: test\nseverity: low\n\
                description: A sample.\nsignals:\n  call: { source: acme.calls, where: client.kind == \"cli\" }\n";
    let file = sources.add("sample.yml", text);
    let settings = Settings { today: "2026-11-30".to_owned(), ..Settings::default() };
    let checked = compiler::check(&project, &sources, file, &settings);
    assert!(!checked.diagnostics.has_errors(), "{:#?}", checked.diagnostics);
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
