//! Findings as workflow commands, which GitHub Actions shows beside the changed lines.

use std::fmt::Write as _;
use std::io;

use super::{Diagnostic, Severity};
use crate::source::{Sources, Span};

/// Writes one command on a line for each finding.
pub fn write(diagnostics: &[Diagnostic], sources: &Sources, out: &mut dyn io::Write) -> io::Result<()> {
    for diagnostic in diagnostics {
        let command = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Hint => "notice",
        };
        let place = diagnostic.span.and_then(|span| place(sources, span)).unwrap_or_default();
        writeln!(out, "::{command} {place}title={}::{}", diagnostic.code, message(&body(diagnostic)))?;
    }
    Ok(())
}

/// The properties that name the place, each followed by a comma.
fn place(sources: &Sources, span: Span) -> Option<String> {
    let file = sources.get(span.file)?;
    let start = sources.position(span.file, span.start)?;
    let end = sources.position(span.file, span.end)?;
    let (path, line, end_line) = (property(&file.path), start.line, end.line);
    // Columns cannot be given for several lines.
    let place = if line == end_line {
        format!("file={path},line={line},col={},endLine={end_line},endColumn={},", start.column, end.column)
    } else {
        format!("file={path},line={line},endLine={end_line},")
    };
    Some(place)
}

/// The text that is shown: the message, and label, notes and advice on lines of their own.
fn body(diagnostic: &Diagnostic) -> String {
    let mut body = diagnostic.message.clone();
    if let Some(label) = &diagnostic.label {
        let _ = write!(body, "\n{label}");
    }
    for (_, note) in &diagnostic.notes {
        let _ = write!(body, "\nnote: {note}");
    }
    for help in &diagnostic.help {
        let _ = write!(body, "\nhelp: {help}");
    }
    body
}

/// Escapes the text behind the second `::`.
fn message(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes the value of a property.
fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}
