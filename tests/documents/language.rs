//! LANGUAGE.md says what the compiler does: every example compiles, every table and generated part is current.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::Command;
use std::sync::LazyLock;

use detc::backend::ReasonCode;
use detc::compiler::{self, Checked, Project, Settings};
use detc::diagnostic::{self, Code, Diagnostic, Format, Severity};
use detc::ir::Regex;
use detc::schema::Entry;
use detc::source::{FileId, Sources, Spanned};
use detc::syntax::document::{detection_schema, list_schema};
use serde_json::Value;

use super::markdown::{Table, blocks, code, tables};
use super::{generated, markdown, matrix};

const PAGE: &str = include_str!("../../LANGUAGE.md");
const GRAMMAR: &str = include_str!("../../src/syntax/grammar.pest");

static PROJECT: LazyLock<Project> = LazyLock::new(|| compiler::load(None, &mut Sources::default()).0);

/// A text of the page and what has to come of it.
struct Case {
    line: usize,
    name: String,
    text: String,
    wanted: Wanted,
}

#[derive(PartialEq, Eq)]
enum Wanted {
    /// Neither errors nor warnings.
    Clean,
    /// No errors.
    Compiles,
    /// This finding, and no error beside it.
    Finding(Code),
    /// A list that the other texts may use.
    List,
}

/// Keys that a detection cannot do without, for what shows only a part of one.
fn frame(line: usize, part: &str) -> Case {
    let name = format!("line_{line}");
    let mut text = format!("detection: {name}\nid: 00000000-0000-4000-8000-{line:012}\n");
    for (key, value) in [("title", "Part"), ("status", "test"), ("severity", "low"), ("description", "A part.")] {
        if !part.lines().any(|written| written.starts_with(&format!("{key}:"))) {
            let _ = writeln!(text, "{key}: {value}");
        }
    }
    text.push_str(part);
    Case { line, name, text, wanted: Wanted::Compiles }
}

/// What a fenced block asks for; a block of another kind says nothing that could be checked.
fn case_of(block: &markdown::Block) -> Option<Case> {
    let (line, text) = (block.line, block.text.clone());
    let name = text.lines().find_map(|line| line.strip_prefix("detection: ").or(line.strip_prefix("list: ")));
    let name = name.unwrap_or("nameless").to_owned();
    let words: Vec<&str> = block.info.split(' ').collect();
    let wanted = match words.as_slice() {
        ["yaml", "fragment"] => return Some(frame(line, &text)),
        ["yaml", "detection"] => Wanted::Clean,
        ["yaml", "list"] => Wanted::List,
        ["yaml", "error" | "warning", code] => {
            Wanted::Finding(Code::find(code).unwrap_or_else(|| panic!("line {line}: there is no code {code}")))
        }
        ["text" | "pest"] => return None,
        _ => panic!("line {line}: `{}` does not say how the block is checked", block.info),
    };
    Some(Case { line, name, text, wanted })
}

/// The expressions and behaviours of a table, each as a detection.
fn cases_of(table: &Table) -> Vec<Case> {
    let (what, column) = table.what.split_once(", column ").unwrap_or((&table.what, "1"));
    let column: usize = column.parse().unwrap_or(1);
    let (kind, source) = what.split_once(' ').unwrap_or((what, ""));
    let part = |text: &str| match kind {
        "condition" => format!("signals:\n  s:\n    source: {source}\n    where: |\n      {text}\n"),
        "value" => format!("signals:\n  s:\n    source: {source}\n    let:\n      v: |\n        {text}\n"),
        _ => {
            let signal = "{ source: okta.system, let: { user: lower(actor.alternateId), ip: client.ipAddress } }";
            format!("signals:\n  a: {signal}\n  b: {signal}\n  c: {signal}\nbehavior: {text}\n")
        }
    };
    if !matches!(kind, "condition" | "value" | "behavior") {
        return Vec::new();
    }
    let mut cases = Vec::new();
    for (line, cells) in &table.rows {
        let texts = code(cells.get(column - 1).map_or("", String::as_str));
        assert!(!texts.is_empty(), "line {line}: nothing to check");
        for (index, text) in texts.iter().enumerate() {
            // Several texts of one line need names of their own.
            cases.push(Case { line: *line, ..frame(line * 10 + index, &part(text)) });
        }
    }
    cases
}

/// Checks all texts in one run; the findings of each stand beside it.
fn run(cases: &[Case]) -> (Sources, Checked) {
    let mut sources = Sources::default();
    for case in cases {
        sources.add(format!("detections/{}.yml", case.name), case.text.as_str());
    }
    let settings = Settings { today: "2026-01-05".to_owned(), ..Settings::default() };
    let checked = compiler::check(&PROJECT, &sources, FileId(0), &settings);
    (sources, checked)
}

fn shown(found: &[&Diagnostic], sources: &Sources) -> String {
    let found: Vec<Diagnostic> = found.iter().map(|diagnostic| (*diagnostic).clone()).collect();
    let mut text = Vec::new();
    diagnostic::write(Format::Text, &found, sources, false, &mut text)
        .unwrap_or_else(|error| panic!("a finding cannot be written: {error}"));
    String::from_utf8_lossy(&text).into_owned()
}

fn all_cases() -> Vec<Case> {
    let of_blocks = blocks(PAGE).iter().filter_map(case_of).collect::<Vec<_>>();
    let of_tables = tables(PAGE).iter().flat_map(cases_of).collect::<Vec<_>>();
    of_blocks.into_iter().chain(of_tables).collect()
}

#[test]
fn every_example_does_what_the_page_says() {
    let cases = all_cases();
    let (sources, checked) = run(&cases);
    let mut wrong = String::new();
    for ((id, _), case) in sources.iter().zip(&cases) {
        let of_file = |diagnostic: &&Diagnostic| diagnostic.span.is_some_and(|span| span.file == id);
        let found: Vec<&Diagnostic> = checked.diagnostics.iter().filter(of_file).collect();
        let is_wanted = |diagnostic: &&&Diagnostic| case.wanted == Wanted::Finding(diagnostic.code);
        let is_harmless = |diagnostic: &&&Diagnostic| match (&case.wanted, diagnostic.severity) {
            (_, Severity::Error) => false,
            (Wanted::Clean | Wanted::List, severity) => severity == Severity::Hint,
            (Wanted::Compiles | Wanted::Finding(_), _) => true,
        };
        let unwanted: Vec<&Diagnostic> =
            found.iter().filter(|finding| !is_wanted(finding) && !is_harmless(finding)).copied().collect();
        if !unwanted.is_empty() {
            let _ = writeln!(wrong, "LANGUAGE.md, line {}:\n{}", case.line, shown(&unwanted, &sources));
        }
        if let Wanted::Finding(code) = case.wanted
            && !found.iter().any(|diagnostic| diagnostic.code == code)
        {
            let _ =
                writeln!(wrong, "LANGUAGE.md, line {}: {code} was expected\n{}", case.line, shown(&found, &sources));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The schema of the keys that a table lists.
fn schema_of(what: &str) -> Option<Value> {
    match what.split_once(' ') {
        None if what == "keys" => Some(detection_schema()),
        Some(("keys", "list")) => Some(list_schema()),
        Some(("keys", name)) => {
            let schema = detection_schema();
            let found = schema.pointer(&format!("/$defs/{name}"));
            Some(found.unwrap_or_else(|| panic!("the schema has no `{name}`")).clone())
        }
        _ => None,
    }
}

fn names(value: Option<&Value>) -> BTreeSet<String> {
    match value {
        Some(Value::Object(members)) => members.keys().cloned().collect(),
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect(),
        _ => BTreeSet::new(),
    }
}

#[test]
fn every_key_of_a_file_is_in_its_table() {
    for table in tables(PAGE) {
        let Some(schema) = schema_of(&table.what) else { continue };
        let first = |(_, cells): &(usize, Vec<String>)| code(cells.first().map_or("", String::as_str));
        let listed: BTreeSet<String> = table.rows.iter().flat_map(first).collect();
        assert_eq!(listed, names(schema.get("properties")), "table `{}` of LANGUAGE.md", table.what);
        if table.heading.get(1).is_some_and(|cell| cell == "required") {
            let required = table.rows.iter().filter(|(_, cells)| cells.get(1).is_some_and(|cell| cell == "yes"));
            let required: BTreeSet<String> = required.flat_map(first).collect();
            assert_eq!(required, names(schema.get("required")), "required keys, table `{}`", table.what);
        }
    }
}

#[test]
fn every_key_of_the_manifest_is_in_its_table() {
    let cases = all_cases();
    let (sources, checked) = run(&cases);
    let targets: Vec<String> = PROJECT.targets.keys().cloned().collect();
    let compiled = compiler::compile(&PROJECT, &sources, &checked, &targets);
    let manifest = compiler::manifest(&sources, &checked, &compiled);
    let manifest: Value = serde_json::from_str(&manifest).unwrap_or_default();
    let records = manifest.get("records").and_then(Value::as_array);
    let written: BTreeSet<String> = records.into_iter().flatten().flat_map(|record| names(Some(record))).collect();
    let table = tables(PAGE).into_iter().find(|table| table.what == "manifest");
    let rows = table.map(|table| table.rows).unwrap_or_default();
    let listed: BTreeSet<String> =
        rows.iter().flat_map(|(_, cells)| code(cells.first().map_or("", String::as_str))).collect();
    let missing: Vec<_> = written.difference(&listed).collect();
    assert!(missing.is_empty(), "not in LANGUAGE.md: {missing:?}");
    // These two stand in a record only where there is something to say.
    let often_absent = ["deployment", "missing_columns"];
    let gone: Vec<_> = listed.difference(&written).filter(|name| !often_absent.contains(&name.as_str())).collect();
    assert!(gone.is_empty(), "not in the manifest: {gone:?}");
}

#[test]
fn every_command_is_in_its_table() {
    let output = Command::new(env!("CARGO_BIN_EXE_detc")).arg("--help").output();
    let help = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let commands = help.lines().skip_while(|line| !line.starts_with("Commands:")).skip(1);
    let commands = commands.take_while(|line| line.starts_with("  "));
    let commands: BTreeSet<String> = commands
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(ToOwned::to_owned)
        .collect();
    let table = tables(PAGE).into_iter().find(|table| table.what == "commands");
    let rows = table.map(|table| table.rows).unwrap_or_default();
    let listed: BTreeSet<String> =
        rows.iter().flat_map(|(_, cells)| code(cells.first().map_or("", String::as_str))).collect();
    assert_eq!(listed, commands);
}

#[test]
fn portable_regular_expressions_are_those_of_the_table() {
    let accepted = [
        "a.b",
        r"\.\*\[",
        r"\n\t\r\f\v\a",
        r"\x41\u0041\x{41}",
        r"\d\w\s\D\W\S",
        r"[a-z_][^0-9][\w.-]",
        "^a$",
        r"\Aa\z",
        "(a)(?:b)",
        "a|b",
        "a*b+c?d{2}e{2,}f{2,3}",
        "a*?b+?c??d{2}?",
        "a{1000}",
    ];
    for text in accepted {
        assert!(Regex::parse(text).is_ok(), "{text} is refused");
    }
    let refused = [
        "(?=a)",
        "(?!a)",
        "(?<=a)",
        r"(a)\1",
        "(?i)a",
        "(?i:a)",
        "(?P<n>a)",
        "(?<n>a)",
        r"\ba",
        r"\Ba",
        r"\p{L}",
        r"\pL",
        "[[:alpha:]]",
        "[a[b]]",
        "[a&&b]",
        r"[\D]",
        "a{1001}",
        "(",
        "a**{",
    ];
    for text in refused {
        assert!(Regex::parse(text).is_err(), "{text} is accepted");
    }
    let deep = |levels: usize| format!("{}a{}", "(".repeat(levels), ")".repeat(levels));
    assert!(Regex::parse(&deep(49)).is_ok());
    assert!(Regex::parse(&deep(51)).is_err());
}

#[test]
fn links_inside_the_page_lead_somewhere() {
    let in_text = |line: &&str| line.starts_with('#');
    let anchor = |heading: &str| {
        let kept = heading.trim_start_matches('#').trim().to_lowercase();
        kept.chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
            .collect::<String>()
            .replace(' ', "-")
    };
    let anchors: BTreeSet<String> = PAGE.lines().filter(in_text).map(anchor).collect();
    for link in PAGE.split("](#").skip(1) {
        let name = link.split(')').next().unwrap_or_default();
        assert!(anchors.contains(name), "there is no heading for #{name}");
    }
}

fn reasons() -> String {
    let mut text = String::from("| reason | verdict | means |\n|---|---|---|\n");
    for code in ReasonCode::ALL {
        let _ = writeln!(text, "| `{}` | {} | {} |", code.as_str(), code.fidelity(), code.meaning());
    }
    text
}

fn codes() -> String {
    let mut text = String::from("| code | severity | means |\n|---|---|---|\n");
    for code in Code::ALL {
        let _ = writeln!(text, "| `{code}` | {} | {} |", code.default_severity(), code.meaning());
    }
    text
}

/// The fields of every class, and which source has what.
fn classes() -> String {
    let mut text = String::new();
    let known = &PROJECT.catalog.classes;
    for name in known.names() {
        let (Some(class), _) = known.read(name) else { continue };
        let sources: Vec<String> = known.sources_of(name).into_iter().map(|source| format!("`{source}`")).collect();
        let description = class.description.replace('\n', " ");
        let _ = writeln!(text, "**`{name}`**: {description} Sources: {}.\n", sources.join(", "));
        text.push_str("| field | type | meaning | not in |\n|---|---|---|---|\n");
        for (path, field) in &class.fields {
            let is_missing = |entry: &Spanned<Entry>| matches!(entry.node, Entry::Missing(_));
            let lacks = class.members.iter().filter(|member| member.fields.get(path).is_some_and(is_missing));
            let lacks: Vec<String> = lacks.map(|member| format!("`{}`", member.source.node)).collect();
            let values: Vec<String> = field.field.values.values.iter().map(|value| format!("`{value}`")).collect();
            let meaning = field.field.description.trim_end_matches('.');
            let meaning =
                if values.is_empty() { meaning.to_owned() } else { format!("{meaning}: {}", values.join(", ")) };
            let _ = writeln!(text, "| `{path}` | {} | {meaning} | {} |", field.field.ty, lacks.join(", "));
        }
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// A finding as people see it.
fn finding() -> String {
    let part = "signals:\n  call:\n    source: aws.cloudtrail\n    where: |\n      eventNaem == \"AssumeRole\"\n";
    let (sources, checked) = run(&[Case { name: "typo".to_owned(), ..frame(0, part) }]);
    let found: Vec<&Diagnostic> =
        checked.diagnostics.iter().filter(|diagnostic| diagnostic.code == Code::UnknownField).collect();
    format!("```text\n{}\n```\n", shown(&found, &sources).trim_end())
}

#[test]
fn generated_parts_are_current() {
    generated::check("LANGUAGE.md", |page| {
        let grammar = format!("```pest\n{}\n```\n", GRAMMAR.trim_end());
        let matrix = matrix::full(&["splunk", "sentinel", "elastic", "sigma"]);
        let parts = [
            ("matrix", matrix),
            ("reasons", reasons()),
            ("codes", codes()),
            ("diagnostic", finding()),
            ("grammar", grammar),
            ("classes", classes()),
        ];
        parts.iter().fold(page.to_owned(), |page, (name, part)| markdown::with_part(&page, name, part))
    });
}
