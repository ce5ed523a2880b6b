//! Every shipped detection and example on every target, one snapshot each.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fmt::Write as _;

use detc::backend::Fidelity;
use detc::compiler::{self, Project, Settings};
use detc::source::{FileId, Sources};

/// A day on which no entry of the shipped lists has expired.
const TODAY: &str = "2026-11-30";

fn project(sources: &mut Sources) -> Project {
    let (project, found) = compiler::load(None, sources);
    assert!(found.is_empty(), "the shipped catalogue: {found:#?}");
    project
}

/// Compiles folders of the repository from their own root, so that paths are the same on every machine.
fn compile(folders: &[&str]) -> (Sources, compiler::Checked, Vec<compiler::Compiled>) {
    std::env::set_current_dir(env!("CARGO_MANIFEST_DIR")).unwrap();
    let mut sources = Sources::default();
    let project = project(&mut sources);
    let first = FileId(u32::try_from(sources.iter().count()).unwrap());
    let paths: Vec<String> = folders.iter().map(|folder| (*folder).to_owned()).collect();
    let found = compiler::collect(&paths, &mut sources).unwrap();
    assert!(found.is_empty(), "{found:#?}");
    let settings = Settings { today: TODAY.to_owned(), ..Settings::default() };
    let checked = compiler::check(&project, &sources, first, &settings);
    let targets: Vec<String> = project.targets.keys().cloned().collect();
    let compiled = compiler::compile(&project, &sources, &checked, &targets);
    (sources, checked, compiled)
}

#[test]
fn shipped_detections_are_clean() {
    let (sources, checked, _) = compile(&["detections", "examples"]);
    let mut text = Vec::new();
    let found: Vec<_> = checked.diagnostics.clone().into_sorted();
    detc::diagnostic::write(detc::diagnostic::Format::Text, &found, &sources, false, &mut text).unwrap();
    assert!(found.is_empty(), "{}", String::from_utf8_lossy(&text));
    assert!(checked.detections.len() >= 19);
}

#[test]
fn each_detection_and_target_has_its_query_or_verdict() {
    let (_, checked, compiled) = compile(&["detections", "examples"]);
    for pair in &compiled {
        let detection = checked.detections.get(pair.detection).unwrap();
        let mut text = String::new();
        let fidelity = pair.output.verdict.fidelity();
        match &pair.text {
            Some(query) => {
                assert_ne!(fidelity, Fidelity::Unsupported);
                text.push_str(query);
            }
            None => {
                assert_eq!(fidelity, Fidelity::Unsupported);
                for reason in &pair.output.verdict.reasons {
                    writeln!(text, "{}: {}", reason.code.as_str(), reason.message).unwrap();
                }
            }
        }
        let name = format!("{}@{}", detection.name.node, pair.target);
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name, text);
        });
    }
}

#[test]
fn queries_are_tidy_text() {
    let (_, checked, compiled) = compile(&["detections", "examples"]);
    for pair in &compiled {
        let Some(text) = &pair.text else { continue };
        let name = &checked.detections.get(pair.detection).unwrap().name.node;
        assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{name} on {}: end of text", pair.target);
        for line in text.lines() {
            assert_eq!(line, line.trim_end(), "{name} on {}: trailing blanks", pair.target);
        }
    }
}

#[test]
fn compiling_twice_gives_the_same_bytes() {
    let texts = || {
        let (sources, checked, compiled) = compile(&["detections", "examples"]);
        let manifest = compiler::manifest(&sources, &checked, &compiled);
        let queries: Vec<_> = compiled.into_iter().map(|pair| pair.text).collect();
        (manifest, queries)
    };
    assert_eq!(texts(), texts());
}

#[test]
fn every_source_is_mapped_on_every_target() {
    let mut sources = Sources::default();
    let project = project(&mut sources);
    assert!(!project.targets.is_empty());
    for target in project.targets.values() {
        for source in project.catalog.sources() {
            let map = target.maps.get(&source.name);
            let map = map.unwrap_or_else(|| panic!("`{}` does not map `{}`", target.name, source.name));
            let unmapped = detc::target::unmapped(map, source);
            assert!(unmapped.is_empty(), "`{}` does not say what `{}` has for {unmapped:?}", target.name, source.name);
        }
    }
}

#[test]
fn shipped_schemas_are_json_schema() {
    for (path, text) in detc::embed::files("schemas/sources/", ".yml") {
        let (source, found) = detc::schema::load_source(FileId(0), text);
        assert!(source.is_some(), "{path}: {found:#?}");
    }
}
