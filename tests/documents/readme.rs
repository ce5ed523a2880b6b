//! README.md shows what the compiler prints: the queries of its detection and the table of behaviours.

use std::fmt::Write as _;
use std::path::Path;

use detc::compiler::{self, Settings};
use detc::source::{FileId, Sources};

use super::{generated, markdown, matrix};

const PAGE: &str = include_str!("../../README.md");

/// The targets in the order of the page, with what stands above each query.
const TARGETS: [(&str, &str); 4] =
    [("splunk", "Splunk SPL"), ("sentinel", "Microsoft KQL"), ("elastic", "Elastic EQL"), ("sigma", "Sigma")];

/// The queries of the page's detection, without their header.
fn queries() -> String {
    let detection = markdown::blocks(PAGE).into_iter().find(|block| block.info == "yaml");
    let detection = detection.unwrap_or_else(|| panic!("README.md shows no detection"));
    let (project, found) = compiler::load(None, &mut Sources::default());
    assert!(found.is_empty(), "{found:#?}");
    let mut sources = Sources::default();
    sources.add("detections/refused_calls_burst.yml", detection.text);
    let settings = Settings { today: "2026-01-05".to_owned(), ..Settings::default() };
    let checked = compiler::check(&project, &sources, FileId(0), &settings);
    assert!(!checked.diagnostics.has_errors(), "{:#?}", checked.diagnostics);
    let targets: Vec<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let compiled = compiler::compile(&project, &sources, &checked, &targets);
    let mut text = String::new();
    for (target, title) in TARGETS {
        let pair = compiled.iter().find(|pair| pair.target == target);
        let pair = pair.unwrap_or_else(|| panic!("nothing was compiled for {target}"));
        let query = pair.output.query.as_ref().unwrap_or_else(|| panic!("there is no query for {target}"));
        let verdict = &pair.output.verdict;
        let codes: Vec<_> =
            verdict.reasons.iter().map(|reason| format!("<code>{}</code>", reason.code.as_str())).collect();
        let reasons = if codes.is_empty() { String::new() } else { format!(": {}", codes.join(", ")) };
        let language = if query.language == "sigma" { "yaml" } else { query.language };
        let _ = writeln!(
            text,
            "<details><summary>{title}, {}{reasons}</summary>\n\n```{language}\n{}\n```\n\n</details>",
            verdict.fidelity(),
            without_header(pair.text.as_deref().unwrap_or_default(), comment_of(query.language)),
        );
    }
    text
}

/// The query behind the comment at the head of its file.
fn without_header(text: &str, comment: &str) -> String {
    let lines: Vec<&str> = text.lines().skip_while(|line| line.starts_with(comment)).collect();
    assert!(!lines.is_empty(), "a file without a query");
    lines.join("\n")
}

#[test]
fn generated_parts_are_current() {
    generated::check("README.md", |page| {
        let parts = [("queries", queries()), ("matrix", matrix::coarse(&TARGETS.map(|(name, _)| name)))];
        parts.iter().fold(page.to_owned(), |page, (name, part)| markdown::with_part(&page, name, part))
    });
}

#[test]
fn links_lead_to_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for document in ["README.md", "LANGUAGE.md", "CONTRIBUTING.md", "CHANGELOG.md"] {
        let text = std::fs::read_to_string(root.join(document)).unwrap_or_default();
        assert!(!text.is_empty(), "{document} is missing");
        for link in text.split("](").skip(1) {
            let link = link.split([')', '#']).next().unwrap_or_default();
            if link.is_empty() || link.contains("://") {
                continue;
            }
            assert!(root.join(link).exists(), "{document} links to {link}, which does not exist");
        }
    }
}

/// How a line of comment starts in a language.
fn comment_of(language: &str) -> &'static str {
    match language {
        "spl" => "```",
        "sigma" => "#",
        _ => "//",
    }
}
