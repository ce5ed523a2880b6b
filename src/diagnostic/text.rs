//! Findings as source excerpts with carets, the way rustc shows them.

use std::io;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet, normalize_untrusted_str};

use super::{Diagnostic, Severity};
use crate::source::{FileId, SourceFile, Sources, Span};

/// Writes each finding, followed by an empty line.
pub fn write(diagnostics: &[Diagnostic], sources: &Sources, color: bool, out: &mut dyn io::Write) -> io::Result<()> {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    for diagnostic in diagnostics {
        writeln!(out, "{}\n", renderer.render(&[group(diagnostic, sources)]))?;
    }
    Ok(())
}

/// One finding: its title, an excerpt of each file concerned, its advice.
fn group<'a>(diagnostic: &'a Diagnostic, sources: &'a Sources) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Hint => Level::NOTE.with_name("hint"),
    };
    let mut group = level
        .primary_title(diagnostic.message.as_str())
        .id(diagnostic.code.as_str())
        .elements(files(diagnostic).into_iter().filter_map(|file| Some(excerpt(diagnostic, file, sources.get(file)?))));
    for help in &diagnostic.help {
        group = group.element(Level::HELP.message(normalize_untrusted_str(help)));
    }
    group
}

/// The files that the finding speaks of, that of its own place first.
fn files(diagnostic: &Diagnostic) -> Vec<FileId> {
    let mut files = Vec::new();
    for span in diagnostic.span.iter().chain(diagnostic.notes.iter().map(|(span, _)| span)) {
        if !files.contains(&span.file) {
            files.push(span.file);
        }
    }
    files
}

/// The lines of one file with carets under the finding's places.
fn excerpt<'a>(
    diagnostic: &'a Diagnostic,
    file: FileId,
    source: &'a SourceFile,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let text = source.text.strip_prefix('\u{feff}').unwrap_or(&source.text);
    let skipped = source.text.len() - text.len();
    let here = diagnostic.span.filter(|span| span.file == file).map(|span| range(text, skipped, span));
    let notes = diagnostic.notes.iter().filter(|(span, _)| span.file == file);
    let notes: Vec<_> = notes.map(|(span, note)| (range(text, skipped, *span), note)).collect();
    let ranges = || here.iter().chain(notes.iter().map(|(range, _)| range));

    // The renderer walks through all that it is given, so it gets no more than the lines in question.
    let start = ranges().map(|range| range.start).min().unwrap_or(0);
    let start = text.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
    let end = ranges().map(|range| range.end).max().unwrap_or(0);
    let end = text.get(end..).and_then(|behind| behind.find('\n')).map_or(text.len(), |newline| end + newline + 1);
    let above = text.get(..start).map_or(0, |above| above.matches('\n').count());
    let moved = |range: &Range<usize>| range.start - start..range.end - start;

    let mut snippet = Snippet::source(text.get(start..end).unwrap_or("")).line_start(above + 1);
    snippet = snippet.path(one_line(&source.path));
    if let Some(range) = &here {
        let label = diagnostic.label.as_deref().map(one_line);
        snippet = snippet.annotation(AnnotationKind::Primary.span(moved(range)).label(label));
    }
    snippet
        .annotations(notes.iter().map(|(range, note)| AnnotationKind::Context.span(moved(range)).label(one_line(note))))
}

/// A text that can stand beside carets: no line breaks, nothing that drives a terminal.
fn one_line(text: &str) -> String {
    normalize_untrusted_str(&text.replace(['\r', '\n'], " "))
}

/// The span as a range of `text`, moved to character boundaries; the renderer cannot do without.
fn range(text: &str, skipped: usize, span: Span) -> Range<usize> {
    let place = |offset: u32| {
        let mut offset = usize::try_from(offset).unwrap_or(usize::MAX).saturating_sub(skipped).min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    };
    let start = place(span.start);
    start..place(span.end).max(start)
}
