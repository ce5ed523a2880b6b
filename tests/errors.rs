//! Every mistake that an author can make, one in each file of `tests/errors`, with the answer that it gets.
//!
//! A new code needs a case there, or a reason below why no detection can raise it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use detc::compiler::{self, Project, Settings};
use detc::diagnostic::{Code, Diagnostic, Format, Severity, write};
use detc::source::{FileId, Sources};

/// Codes that no detection file can raise, with the reason.
const ELSEWHERE: [(Code, &str); 18] = [
    (Code::NotUtf8, "raised while files are read; tests/cli.rs"),
    (Code::UnknownParameter, "raised for `--set`; tests/cli.rs"),
    (Code::InvalidSchema, "raised for telemetry schemas; tests/cli.rs"),
    (Code::InvalidTarget, "raised for the files of targets; tests/cli.rs"),
    (Code::Unsupported, "raised for verdicts of backends"),
    (Code::Approximate, "raised for verdicts of backends"),
    (Code::NegatedOptional, "reserved: no lint raises it yet"),
    (Code::OftenMissingSide, "reserved: no lint raises it yet"),
    (Code::FailedTest, "raised by `detc test`; tests/cli.rs"),
    (Code::UnnoticedChange, "raised by `detc test --mutate`; tests/cli.rs"),
    (Code::LateEvent, "raised by `detc run`; tests/run_command.rs"),
    (Code::UnknownEvent, "raised by `detc run`; tests/run_command.rs"),
    (Code::UnreadableLog, "raised by `detc run`; tests/run_command.rs"),
    (Code::MalformedLog, "raised by `detc run`; tests/run_command.rs"),
    (Code::CannotRead, "raised for the file system"),
    (Code::CannotWrite, "raised for the file system; tests/cli.rs"),
    (Code::NothingToDo, "raised for folders; tests/cli.rs"),
    (Code::WrongConfiguration, "raised for `--set`; tests/cli.rs"),
];

static SHIPPED: LazyLock<(Project, Sources)> = LazyLock::new(|| {
    let mut sources = Sources::default();
    let (project, found) = compiler::load(None, &mut sources);
    assert!(found.is_empty(), "what is shipped has no findings");
    (project, sources)
});

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/errors")
}

/// The YAML files of a folder, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|ending| ending == "yml")).collect();
    files.sort();
    files
}

fn add(sources: &mut Sources, path: &Path) -> FileId {
    let shown = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().to_str().unwrap().replace('\\', "/");
    sources.add(shown, std::fs::read_to_string(path).unwrap())
}

/// What `detc check` says of one file: hints only where nothing worse was found.
fn answer(path: &Path) -> (Vec<Diagnostic>, Sources) {
    let (project, shipped) = &*SHIPPED;
    let mut sources = shipped.clone();
    let first = FileId(u32::try_from(sources.iter().count()).unwrap());
    for list in files(&folder().join("lists")) {
        add(&mut sources, &list);
    }
    add(&mut sources, path);
    let settings = Settings { today: "2026-06-01".to_owned(), ..Settings::default() };
    let found = compiler::check(project, &sources, first, &settings).diagnostics.into_sorted();
    let only_hints = found.iter().all(|diagnostic| diagnostic.severity == Severity::Hint);
    let shown = found.into_iter().filter(|diagnostic| only_hints || diagnostic.severity != Severity::Hint).collect();
    (shown, sources)
}

#[test]
fn every_mistake_gets_its_answer() {
    insta::glob!("errors/*.yml", |path| {
        let (found, sources) = answer(path);
        let mut out = Vec::new();
        write(Format::Text, &found, &sources, false, &mut out).unwrap();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("errors/answers");
        settings.set_prepend_module_to_snapshot(false);
        settings.remove_snapshot_suffix();
        settings.set_omit_expression(true);
        settings.remove_input_file();
        settings.bind(|| insta::assert_snapshot!(stem, String::from_utf8(out).unwrap().trim_end()));
    });
}

#[test]
fn a_mistake_has_one_answer() {
    let answers = |path: PathBuf| {
        let messages: Vec<String> = answer(&path).0.into_iter().map(|found| found.message).collect();
        (messages.len() != 1).then(|| (path.file_name().unwrap().to_owned(), messages))
    };
    let others: Vec<_> = files(&folder()).into_iter().filter_map(answers).collect();
    assert!(others.is_empty(), "{others:#?}");
}

#[test]
fn an_answer_shows_its_place_inside_the_file() {
    for path in files(&folder()) {
        let (found, sources) = answer(&path);
        for diagnostic in found {
            let span = diagnostic.span.unwrap_or_else(|| panic!("{}: no place", path.display()));
            let text = &sources.get(span.file).unwrap().text;
            assert!(text.get(span.start as usize..span.end as usize).is_some(), "{}: {span:?}", path.display());
        }
    }
}

#[test]
fn an_answer_says_what_to_do() {
    let helpless = |path: PathBuf| {
        let (found, _) = answer(&path);
        let silent = found.into_iter().find(|found| found.help.is_empty() && found.label.is_none())?;
        Some(format!("{}: {}", path.display(), silent.message))
    };
    let helpless: Vec<String> = files(&folder()).into_iter().filter_map(helpless).collect();
    assert!(helpless.is_empty(), "{helpless:#?}");
}

#[test]
fn messages_are_fragments_in_lower_case() {
    for path in files(&folder()) {
        for diagnostic in answer(&path).0 {
            for text in diagnostic.help.iter().chain(&diagnostic.label).chain([&diagnostic.message]) {
                let proper = text.starts_with("YAML") || text.starts_with("Unicode");
                let starts_low = proper || text.chars().next().is_some_and(|first| !first.is_uppercase());
                assert!(starts_low && !text.ends_with('.'), "{}: {text}", path.display());
            }
        }
    }
}

#[test]
fn every_code_has_a_case_or_a_reason() {
    let raised: BTreeSet<Code> =
        files(&folder()).iter().flat_map(|path| answer(path).0).map(|diagnostic| diagnostic.code).collect();
    for code in Code::ALL {
        let excused = ELSEWHERE.iter().any(|(excused, _)| excused == code);
        assert!(raised.contains(code) != excused, "{code} ({}): raised {}, excused {excused}", code.name(), !excused);
    }
}
