//! Resolves what an alert shows: every column has to be one that a hit has.

use super::Draft;
use super::behavior::{Resolved, typer_of};
use super::scope::Environment;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::ir::{Alert, Behavior, Entity, HitColumn, HitValue, Signal, SignalId, Suppression, Value};
use crate::schema::{Duration, FieldPath};
use crate::source::{Span, Spanned};
use crate::syntax::DetectionFile;
use crate::syntax::ast::{Path, Segment};
use crate::syntax::document::Suppress;

/// Resolves the `alert` of a file.
pub(super) fn resolve(
    file: &DetectionFile,
    resolved: &Resolved,
    signals: &[Signal],
    environment: &Environment<'_>,
    diagnostics: &mut Diagnostics,
) -> (Alert, Vec<HitColumn>) {
    let mut hit = Hit { resolved, signals, environment, diagnostics, columns: Vec::new() };
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
    resolved: &'a Resolved,
    signals: &'a [Signal],
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
        let found = self.find(name, &path, span);
        match found {
            Ok(column) => self.columns.push(column),
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

    fn find(&self, name: &str, path: &FieldPath, span: Span) -> Result<HitColumn, Option<String>> {
        let closing = self.resolved.behavior.node.closing_signals().first().copied().ok_or(None)?;
        let column = |signal: SignalId, step: Option<usize>, key: Option<usize>, value: Value| HitColumn {
            name: name.to_owned(),
            value: match (key, step) {
                (Some(key), _) => HitValue::Key(key),
                (None, Some(step)) => HitValue::Step { step, signal, value },
                (None, None) => HitValue::Closing(vec![(signal, value)]),
            },
            shown: true,
            span,
        };
        if let Some(index) = self.resolved.keys.iter().position(|key| key.name == name) {
            let keys = self.resolved.keys_of_signals.get(closing.0);
            if let Some(value) = keys.and_then(|keys| keys.get(index)) {
                return Ok(column(closing, None, Some(index), value.node.clone()));
            }
        }
        if let Behavior::Sequence(crate::ir::Sequence { steps, .. }) = &self.resolved.behavior.node {
            let (head, rest) = path.segments().split_first().ok_or(None)?;
            let named = |index: &usize| steps.get(*index).is_some_and(|step| step.name == *head);
            if !rest.is_empty()
                && let Some(index) = (0..steps.len()).rev().find(named)
            {
                let signal = steps.get(index).map_or(closing, |step| step.signal);
                let value = self.value(signal, rest, span)?;
                return Ok(column(signal, Some(index), None, value));
            }
            let last = steps.len().checked_sub(1);
            return self.value(closing, path.segments(), span).map(|value| column(closing, last, None, value));
        }
        let segments = path.segments();
        let prefixed =
            segments.len() > 1 && segments.first() == self.signals.get(closing.0).map(|signal| &signal.name.node);
        let rest = if prefixed { segments.get(1..).unwrap_or_default() } else { segments };
        self.value(closing, rest, span).map(|value| column(closing, None, None, value))
    }

    fn value(&self, signal: SignalId, segments: &[String], span: Span) -> Result<Value, Option<String>> {
        let signal = self.signals.get(signal.0).ok_or(None)?;
        let draft = Draft { signal: signal.clone(), positive: true };
        let mut typer = typer_of(&draft, self.environment);
        let named = |name: &String| Segment { name: Spanned::new(name.clone(), span), key: None };
        let path = Path { segments: segments.iter().map(named).collect() };
        match typer.path(&Spanned::new(path, span)) {
            Some(value) => Ok(value),
            None => Err(typer.diagnostics.into_sorted().into_iter().flat_map(|found| found.help).next()),
        }
    }

    fn suppression(&mut self, file: &DetectionFile) -> Option<Suppression> {
        let keys = || self.resolved.keys.iter().map(|key| key.name.clone()).collect::<Vec<_>>();
        let window = self.resolved.behavior.node.lookback();
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
