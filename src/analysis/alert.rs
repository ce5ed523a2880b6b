//! Resolves what an alert shows: every column has to be one that a hit has.

use super::hits::{self, Reach};
use super::scope::Environment;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::ir::{Alert, Entity, HitColumn, Stage, Suppression};
use crate::schema::{Duration, FieldPath};
use crate::source::{Span, Spanned};
use crate::syntax::DetectionFile;
use crate::syntax::document::Suppress;

/// Resolves the `alert` of a file.
pub(super) fn resolve(
    file: &DetectionFile,
    stage: &Stage,
    environment: &Environment<'_>,
    diagnostics: &mut Diagnostics,
) -> (Alert, Vec<HitColumn>) {
    let mut hit = Hit { stage, environment, diagnostics, columns: Vec::new() };
    let title = file.document.alert.title.clone().map(|text| Spanned::new(text, file.span("/alert/title")));
    if let Some(title) = &title {
        hit.title(file, title);
    }
    for column in file.texts("/alert/show") {
        hit.column(&column.node, column.span);
    }
    let mut entities = Vec::new();
    for (kind, column) in &file.document.alert.entities {
        hit.column(column, file.span(&format!("/alert/entities/{kind}")));
        entities.push(Entity { kind: kind.clone(), column: column.clone() });
    }
    let suppression = hit.suppression(file);
    let columns = hit.columns;
    (Alert { title, entities, suppression }, columns)
}

/// The columns of a hit.
struct Hit<'a> {
    stage: &'a Stage,
    environment: &'a Environment<'a>,
    diagnostics: &'a mut Diagnostics,
    columns: Vec<HitColumn>,
}

impl Hit<'_> {
    /// Every `{{ column }}` of a title; nothing else may stand between braces.
    fn title(&mut self, file: &DetectionFile, title: &Spanned<String>) {
        let scalar = file.scalar("/alert/title");
        let place = |start: usize, end: usize| scalar.map_or(title.span, |scalar| scalar.span_of(start..end));
        let text = &title.node;
        let plain = |start: usize, end: usize| {
            let message = "a title takes plain `{{ column }}` only";
            let diagnostic = Diagnostic::new(Code::InvalidValue, place(start, end), message);
            diagnostic.help("name what has to be computed with `let`, and show that column")
        };
        if let Some(offset) = text.find("{%").or_else(|| text.find("{#")) {
            self.diagnostics.push(plain(offset, offset + 2));
            return;
        }
        let mut rest = 0;
        while let Some(open) = text.get(rest..).and_then(|tail| tail.find("{{")).map(|at| rest + at) {
            let Some(close) = text.get(open..).and_then(|tail| tail.find("}}")).map(|at| open + at) else {
                let diagnostic = Diagnostic::new(Code::InvalidValue, place(open, open + 2), "`{{` is never closed");
                self.diagnostics.push(diagnostic.help("write `{{ column }}`"));
                return;
            };
            let inner = text.get(open + 2..close).unwrap_or_default();
            let name = inner.trim();
            let start = open + 2 + (inner.len() - inner.trim_start().len());
            let is_path = |character: char| character.is_alphanumeric() || "_.@`-[]".contains(character);
            if name.is_empty() || !name.chars().all(is_path) {
                self.diagnostics.push(plain(open, close + 2));
            } else {
                self.column(name, place(start, start + name.len()));
            }
            rest = close + 2;
        }
        if self.diagnostics.has_errors() {
            return;
        }
        if let Err(error) = minijinja::Environment::new().template_from_str(text) {
            let message = format!("the title is no template: {}", error.detail().unwrap_or("malformed"));
            let diagnostic = Diagnostic::new(Code::InvalidValue, title.span, message);
            self.diagnostics.push(diagnostic.help("a title takes plain `{{ column }}` only"));
        }
    }

    /// Adds a column unless it is there; reports one that a hit does not have.
    fn column(&mut self, name: &str, span: Span) {
        if self.columns.iter().any(|column| column.name == name) {
            return;
        }
        let path = FieldPath::parse(name);
        match hits::column(self.stage, &path, Reach::Steps, span, self.environment) {
            Ok(value) => self.columns.push(HitColumn { name: name.to_owned(), value, shown: true, span }),
            Err(help) => {
                let message = format!("a hit has no column `{name}`");
                let diagnostic = Diagnostic::new(Code::UnknownColumn, span, message);
                let diagnostic = match help {
                    Some(help) => diagnostic.help(help),
                    None => diagnostic,
                };
                self.diagnostics.push(diagnostic.help("a column is a key, a field of the closing event, or a `let`"));
            }
        }
    }

    fn suppression(&mut self, file: &DetectionFile) -> Option<Suppression> {
        let keys = || self.stage.keys.iter().map(|key| key.name.clone()).collect::<Vec<_>>();
        let window = self.stage.behavior.node.natural_period();
        let default = (!window.is_zero()).then_some(window);
        match &file.document.alert.suppress {
            Some(Suppress::Off(_)) => None,
            None => default.map(|period| Suppression { by: keys(), period }),
            Some(Suppress::Repeats(repeats)) => {
                let by = repeats.by.clone().unwrap_or_else(keys);
                let period = match &repeats.period {
                    None => default,
                    Some(text) => self.period(text, file.span("/alert/suppress/for")),
                };
                for name in file.texts("/alert/suppress/by") {
                    self.column(&name.node, name.span);
                }
                if period.is_none() && repeats.period.is_none() {
                    let message = "a single event has no window, so suppression needs `for`";
                    let place = file.span("/alert/suppress");
                    self.diagnostics.push(Diagnostic::new(Code::MissingKey, place, message).help("add `for: 1h`"));
                }
                period.map(|period| Suppression { by, period })
            }
        }
    }

    fn period(&mut self, text: &str, span: Span) -> Option<Duration> {
        if let Some(name) = text.strip_prefix('$') {
            return match self.environment.reference(name, span, self.diagnostics)? {
                super::scope::Reference::Parameter(parameter) => match &parameter.value {
                    super::parameters::Setting::Duration(duration) => Some(*duration),
                    super::parameters::Setting::One(_) | super::parameters::Setting::Many(_) => {
                        self.diagnostics.push(no_duration(text, span));
                        None
                    }
                },
                super::scope::Reference::List(_) => {
                    self.diagnostics.push(no_duration(text, span));
                    None
                }
            };
        }
        match text.parse::<Duration>() {
            Ok(duration) if !duration.is_zero() => Some(duration),
            Ok(_) => {
                let diagnostic = Diagnostic::new(Code::ZeroWindow, span, "the period is empty");
                self.diagnostics.push(diagnostic.help("write `for: 1h`, or `suppress: none` to see every hit"));
                None
            }
            Err(_) => {
                self.diagnostics.push(no_duration(text, span));
                None
            }
        }
    }
}

fn no_duration(text: &str, span: Span) -> Diagnostic {
    let diagnostic = Diagnostic::new(Code::InvalidDuration, span, format!("`{text}` is no duration"));
    diagnostic.help("write `1h`, or a parameter with `type: duration`")
}
