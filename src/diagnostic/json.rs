//! Findings as JSON, one object on a line.

use std::io;

use serde::Serialize;

use super::Diagnostic;
use crate::source::{Sources, Span};

/// A finding as machines read it; lines and columns count from 1, columns in characters, ends are exclusive.
#[derive(Serialize)]
struct Line<'a> {
    code: &'a str,
    severity: &'a str,
    message: &'a str,
    #[serde(flatten)]
    place: Place<'a>,
    label: Option<&'a str>,
    help: &'a [String],
    notes: Vec<Note<'a>>,
}

/// Another place of a finding.
#[derive(Serialize)]
struct Note<'a> {
    message: &'a str,
    #[serde(flatten)]
    place: Place<'a>,
}

/// A place; everything is null when there is none.
#[derive(Serialize, Default)]
struct Place<'a> {
    file: Option<&'a str>,
    line: Option<usize>,
    column: Option<usize>,
    end_line: Option<usize>,
    end_column: Option<usize>,
}

/// Writes one object on a line for each finding.
pub fn write(diagnostics: &[Diagnostic], sources: &Sources, out: &mut dyn io::Write) -> io::Result<()> {
    for diagnostic in diagnostics {
        let notes = diagnostic.notes.iter();
        let line = Line {
            code: diagnostic.code.as_str(),
            severity: diagnostic.severity.as_str(),
            message: &diagnostic.message,
            place: diagnostic.span.and_then(|span| place(sources, span)).unwrap_or_default(),
            label: diagnostic.label.as_deref(),
            help: &diagnostic.help,
            notes: notes
                .map(|(span, message)| Note { message, place: place(sources, *span).unwrap_or_default() })
                .collect(),
        };
        serde_json::to_writer(&mut *out, &line)?;
        writeln!(out)?;
    }
    Ok(())
}

/// The place of a span; `None` for a file of another run.
fn place(sources: &Sources, span: Span) -> Option<Place<'_>> {
    let file = sources.get(span.file)?;
    let start = sources.position(span.file, span.start)?;
    let end = sources.position(span.file, span.end)?;
    Some(Place {
        file: Some(&file.path),
        line: Some(start.line),
        column: Some(start.column),
        end_line: Some(end.line),
        end_column: Some(end.column),
    })
}
