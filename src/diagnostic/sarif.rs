//! Findings as a SARIF 2.1.0 log, for code scanning services.

use std::io;

use serde_json::{Value, json};

use super::{Code, Diagnostic, Severity};
use crate::source::{Sources, Span};

/// Writes one log with one run.
pub fn write(diagnostics: &[Diagnostic], sources: &Sources, out: &mut dyn io::Write) -> io::Result<()> {
    let mut codes: Vec<Code> = diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    codes.sort_unstable();
    codes.dedup();
    let results: Vec<Value> = diagnostics.iter().map(|diagnostic| result(diagnostic, &codes, sources)).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {
                "driver": {
                    "name": env!("CARGO_PKG_NAME"),
                    "semanticVersion": env!("CARGO_PKG_VERSION"),
                    "rules": codes.iter().copied().map(rule).collect::<Vec<_>>(),
                },
            },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    serde_json::to_writer_pretty(&mut *out, &log)?;
    writeln!(out)
}

/// A code as a rule of the tool.
fn rule(code: Code) -> Value {
    json!({
        "id": code.as_str(),
        "name": code.name(),
        "shortDescription": { "text": code.meaning() },
        "help": { "text": code.meaning() },
        "defaultConfiguration": { "level": level(code.default_severity()) },
    })
}

/// A finding as a result.
fn result(diagnostic: &Diagnostic, codes: &[Code], sources: &Sources) -> Value {
    let mut text = diagnostic.message.clone();
    for part in diagnostic.label.iter().chain(&diagnostic.help) {
        text.push('\n');
        text.push_str(part);
    }
    let mut result = json!({
        "ruleId": diagnostic.code.as_str(),
        "level": level(diagnostic.severity),
        "message": { "text": text },
    });
    let Some(members) = result.as_object_mut() else { return result };
    if let Ok(index) = codes.binary_search(&diagnostic.code) {
        members.insert("ruleIndex".to_owned(), json!(index));
    }
    if let Some(place) = diagnostic.span.and_then(|span| place(sources, span)) {
        members.insert("locations".to_owned(), json!([{ "physicalLocation": place }]));
    }
    let related: Vec<Value> = diagnostic
        .notes
        .iter()
        .filter_map(|(span, note)| {
            Some(json!({ "physicalLocation": place(sources, *span)?, "message": { "text": note } }))
        })
        .collect();
    if !related.is_empty() {
        members.insert("relatedLocations".to_owned(), Value::Array(related));
    }
    result
}

/// The word for a severity.
const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Hint => "note",
    }
}

/// A span as a physical location.
fn place(sources: &Sources, span: Span) -> Option<Value> {
    let file = sources.get(span.file)?;
    let start = sources.position(span.file, span.start)?;
    let end = sources.position(span.file, span.end)?;
    Some(json!({
        "artifactLocation": { "uri": uri(&file.path) },
        "region": {
            "startLine": start.line,
            "startColumn": start.column,
            "endLine": end.line,
            "endColumn": end.column,
        },
    }))
}

/// The path as a relative URI reference: everything but unreserved characters and `/` is percent-encoded.
fn uri(path: &str) -> String {
    let path = path.strip_prefix("./").unwrap_or(path);
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}
