//! Resolves behaviours: signals, thresholds, windows.

use super::Draft;
use super::keys::KeyValues;
use super::parameters::Setting;
use super::paths::names;
use super::relations;
use super::scope::{Environment, Reference, Typer};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::ir::{Behavior, Key, Literal, SignalId, Step, Value};
use crate::schema::{Duration, Type, nearest};
use crate::source::{Span, Spanned};
use crate::syntax::DetectionFile;
use crate::syntax::ast::{Amount, Behavior as Written, Body, Comparison, Path, Segment};

/// A behaviour whose signals are numbered by `used`.
pub(super) struct Resolved {
    /// What has to happen.
    pub(super) behavior: Spanned<Behavior>,
    /// Keys behind `by`.
    pub(super) keys: Vec<Key>,
    /// Names of the signals, in the order of their identities.
    pub(super) used: Vec<String>,
    /// What the keys are on each of these signals.
    pub(super) keys_of_signals: KeyValues,
}

/// Resolves the behaviour of a file; `whole` says that every signal could be read.
pub(super) fn resolve(
    file: &DetectionFile,
    drafts: &[Draft],
    environment: &Environment<'_>,
    whole: bool,
    diagnostics: &mut Diagnostics,
) -> Option<Resolved> {
    let Some(written) = &file.behavior else {
        return without_behavior(file, drafts, whole, diagnostics);
    };
    let mut resolver = Resolver { file, drafts, environment, used: Vec::new(), diagnostics };
    resolver.behavior(written)
}

/// One signal alone is a behaviour: every event of it.
fn without_behavior(
    file: &DetectionFile,
    drafts: &[Draft],
    whole: bool,
    diagnostics: &mut Diagnostics,
) -> Option<Resolved> {
    // An unreadable behaviour has been reported where it stands.
    if file.tree.get("behavior").is_some() {
        return None;
    }
    if file.signals.len() > 1 {
        let message = "`behavior` is missing; with several signals it says what has to happen";
        let place = file.tree.entry("signals").map(|entry| entry.key.span).unwrap_or_else(|| file.span("/signals"));
        let help = "add `behavior: a -> b by key within 10m`, or remove a signal";
        diagnostics.push(Diagnostic::new(Code::MissingBehavior, place, message).help(help));
        return None;
    }
    let draft = drafts.first().filter(|_| whole)?;
    let name = &draft.signal.name;
    let behavior = Spanned::new(Behavior::Event { signals: vec![SignalId(0)] }, name.span);
    Some(Resolved { behavior, keys: Vec::new(), used: vec![name.node.clone()], keys_of_signals: vec![Vec::new()] })
}

/// Resolves one behaviour.
pub(super) struct Resolver<'a> {
    file: &'a DetectionFile,
    /// The signals of the file.
    pub(super) drafts: &'a [Draft],
    /// Parameters and lists.
    pub(super) environment: &'a Environment<'a>,
    /// Names of the signals that were named so far.
    pub(super) used: Vec<String>,
    /// What was found wrong so far.
    pub(super) diagnostics: &'a mut Diagnostics,
}

impl Resolver<'_> {
    fn behavior(&mut self, written: &Spanned<Written>) -> Option<Resolved> {
        let body = &written.node.body;
        let window = self.window(written);
        let behavior = match &body.node {
            Body::Count { signal, operator, amount } => {
                let id = self.aggregate_signal(signal);
                let path = &signal.node;
                let signal_name = path.segments.first().map_or("signal", |segment| segment.name.node.as_str());
                let at_least = self.at_least("count", signal_name, operator, amount);
                if let Some(extra) = path.segments.get(1).map(|segment| segment.name.clone()) {
                    let message = "`count` counts events and takes no field";
                    let help = format!(
                        "write `count({})`, or `distinct({})` to count different values",
                        signal_name,
                        names(&path.segments)
                    );
                    self.report(Diagnostic::new(Code::InvalidBehavior, extra.span, message).help(help));
                }
                self.refuse_condition(written);
                Behavior::Count { name: "count".to_owned(), signal: id?, at_least: at_least?, window: window? }
            }
            Body::Distinct { values, operator, amount } => {
                let distinct = self.distinct(values);
                let inner = values.first().map(|path| names(&path.node.segments).to_string()).unwrap_or_default();
                let at_least = self.at_least("distinct", &inner, operator, amount);
                self.refuse_condition(written);
                let (signal, values) = distinct?;
                Behavior::Distinct { name: "distinct".to_owned(), signal, values, at_least: at_least?, window: window? }
            }
            Body::Sequence(steps) => {
                let alone = steps.len() == 1 && steps.first().is_some_and(|step| step.times.is_none());
                let steps = self.steps(steps);
                if alone {
                    return self.event(written, steps?);
                }
                let steps = steps?;
                let relations = match &written.node.condition {
                    Some(condition) => relations::resolve(
                        condition,
                        &steps,
                        &self.used,
                        self.drafts,
                        self.environment,
                        self.diagnostics,
                    ),
                    None => Some(Vec::new()),
                };
                Behavior::Sequence(crate::ir::Sequence {
                    steps,
                    absences: Vec::new(),
                    until: None,
                    relations: relations?,
                    conditions: Vec::new(),
                    window: window?,
                })
            }
        };
        let (keys, keys_of_signals) = self.keys(&written.node.keys)?;
        let behavior = Spanned::new(behavior, written.span);
        Some(Resolved { behavior, keys, used: std::mem::take(&mut self.used), keys_of_signals })
    }

    /// A single signal: every event of it.
    fn event(&mut self, written: &Spanned<Written>, steps: Vec<Step>) -> Option<Resolved> {
        let Written { keys, within, condition, .. } = &written.node;
        let clauses = [
            (keys.first().map(|key| key.span), "by"),
            (within.as_ref().map(|within| within.span), "within"),
            (condition.as_ref().map(|condition| condition.span), "where"),
        ];
        for (span, word) in clauses {
            if let Some(span) = span {
                let message = format!("a single signal takes no `{word}`");
                let help = "put conditions into the signal's `where`; count events with `count(signal) >= n`";
                self.report(Diagnostic::new(Code::InvalidBehavior, span, message).help(help));
            }
        }
        let signal = steps.first()?.signal;
        let behavior = Spanned::new(Behavior::Event { signals: vec![signal] }, written.span);
        let used = std::mem::take(&mut self.used);
        let keys_of_signals = used.iter().map(|_| Vec::new()).collect();
        Some(Resolved { behavior, keys: Vec::new(), used, keys_of_signals })
    }

    /// Reports something wrong.
    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn refuse_condition(&mut self, written: &Spanned<Written>) {
        if let Some(condition) = &written.node.condition {
            let message = "`where` compares the steps of a sequence";
            let help = "put conditions on single events into the signal's `where`";
            self.report(Diagnostic::new(Code::InvalidBehavior, condition.span, message).help(help));
        }
    }

    /// The identity of a signal; an unreadable signal has been reported and gives nothing.
    fn signal(&mut self, name: &Spanned<String>) -> Option<SignalId> {
        if !self.file.signals.iter().any(|signal| signal.name.node == name.node) {
            let diagnostic = Diagnostic::new(Code::UnknownSignal, name.span, format!("unknown signal `{}`", name.node));
            let names = self.file.signals.iter().map(|signal| signal.name.node.as_str());
            let diagnostic = match nearest(&name.node, names) {
                Some(near) => diagnostic.help(format!("the nearest signal is `{near}`")),
                None => diagnostic.help("declare it under `signals`"),
            };
            self.report(diagnostic);
            return None;
        }
        let index = match self.used.iter().position(|used| *used == name.node) {
            Some(index) => index,
            None => {
                self.used.push(name.node.clone());
                self.used.len() - 1
            }
        };
        Some(SignalId(index))
    }

    fn aggregate_signal(&mut self, path: &Spanned<Path>) -> Option<SignalId> {
        let name = path.node.segments.first()?.name.clone();
        self.signal(&name)
    }

    fn distinct(&mut self, paths: &[Spanned<Path>]) -> Option<(SignalId, Vec<Spanned<Value>>)> {
        let mut common: Option<(SignalId, Spanned<String>)> = None;
        let mut values = Vec::new();
        let mut whole = true;
        for path in paths {
            let (head, rest) = path.node.segments.split_first()?;
            let Some(id) = self.signal(&head.name) else {
                whole = false;
                continue;
            };
            if let Some((first, name)) = common.as_ref().filter(|(first, _)| *first != id) {
                let message = format!("the values come from `{}` and `{}`", name.node, head.name.node);
                let _ = first;
                let diagnostic = Diagnostic::new(Code::InvalidBehavior, head.name.span, message);
                let help = "all fields of one `distinct` are of one signal";
                self.report(diagnostic.note(name.span, "the first signal").help(help));
                whole = false;
                continue;
            }
            common.get_or_insert_with(|| (id, head.name.clone()));
            if rest.is_empty() {
                let message = "`distinct` takes a field of a signal";
                let help = format!("write `distinct({}.field)`", head.name.node);
                self.report(Diagnostic::new(Code::InvalidBehavior, path.span, message).help(help));
                whole = false;
                continue;
            }
            match self.value_of(&head.name.node, rest, path.span) {
                Some(value)
                    if matches!(value.ty(), Type::Object) || value.ty() == Type::List(Box::new(Type::Object)) =>
                {
                    let message = "an object is no value; name one of its members";
                    let help = format!("`detc schema show` lists the members of `{}`", names(rest));
                    self.report(Diagnostic::new(Code::TypeMismatch, path.span, message).help(help));
                    whole = false;
                }
                Some(value) => values.push(Spanned::new(value, path.span)),
                None => whole = false,
            }
        }
        let (signal, _) = common?;
        whole.then_some((signal, values))
    }

    /// A column or field of a signal.
    fn value_of(&mut self, signal: &str, rest: &[Segment], span: Span) -> Option<Value> {
        let draft = self.drafts.iter().find(|draft| draft.signal.name.node == signal)?;
        let mut typer = typer_of(draft, self.environment);
        let value = typer.path(&Spanned::new(Path { segments: rest.to_vec() }, span));
        self.diagnostics.extend(typer.diagnostics);
        value
    }

    fn steps(&mut self, written: &[crate::syntax::ast::Step]) -> Option<Vec<Step>> {
        let mut steps: Vec<Step> = Vec::new();
        let mut whole = true;
        for step in written {
            let signal = self.signal(&step.signal);
            let times = match &step.times {
                None => Some(1),
                Some(times) => self.times(times),
            };
            let name = step.name.as_ref().unwrap_or(&step.signal);
            if step.name.is_some() {
                let step = steps.iter().find(|other| other.name == name.node).map(|other| (other.span, "by this step"));
                let signal = self.file.signals.iter().find(|signal| signal.name.node == name.node);
                let signal = signal.map(|signal| (signal.name.span, "by this signal"));
                if let Some((span, who)) = signal.or(step) {
                    let message = format!("the name `{}` is taken", name.node);
                    let diagnostic = Diagnostic::new(Code::DuplicateName, name.span, message).note(span, who);
                    self.report(diagnostic.help("choose another name"));
                    whole = false;
                }
            }
            match (signal, times) {
                (Some(signal), Some(times)) => {
                    steps.push(Step { name: name.node.clone(), signal, times, span: step.span });
                }
                _ => whole = false,
            }
        }
        whole.then_some(steps)
    }

    fn times(&mut self, amount: &Spanned<Amount>) -> Option<u32> {
        let number = self.number(amount)?;
        match u32::try_from(number) {
            Ok(times @ 1..=1000) => Some(times),
            _ => {
                let message = format!("a step repeats 1 to 1000 times, not {number}");
                let help = "write a number from 1 to 1000";
                self.report(Diagnostic::new(Code::InvalidThreshold, amount.span, message).help(help));
                None
            }
        }
    }

    fn number(&mut self, amount: &Spanned<Amount>) -> Option<i64> {
        let wrong = |what: String| {
            let diagnostic = Diagnostic::new(Code::InvalidThreshold, amount.span, what);
            diagnostic.help("a threshold is a whole number, or a parameter with `type: int`")
        };
        match &amount.node {
            Amount::Int(number) => Some(*number),
            Amount::Duration(duration) => {
                self.report(wrong(format!("a number is wanted, not the duration {duration}")));
                None
            }
            Amount::Reference(name) => match self.environment.reference(name, amount.span, self.diagnostics)? {
                Reference::Parameter(parameter) => match &parameter.value {
                    Setting::One(Literal::Int(number)) => Some(*number),
                    other => {
                        let _ = other;
                        self.report(wrong(format!("`${name}` is no whole number")));
                        None
                    }
                },
                Reference::List(_) => {
                    self.report(wrong(format!("`${name}` is no whole number")));
                    None
                }
            },
        }
    }

    /// A lower bound as the smallest number that satisfies it.
    fn at_least(
        &mut self,
        name: &str,
        inner: &str,
        operator: &Spanned<Comparison>,
        amount: &Spanned<Amount>,
    ) -> Option<Spanned<u64>> {
        let number = self.number(amount)?;
        let least = match operator.node {
            Comparison::GreaterOrEqual => number,
            Comparison::Greater => number.saturating_add(1),
            Comparison::Equal | Comparison::NotEqual | Comparison::Less | Comparison::LessOrEqual => {
                let message = format!("`{name}` needs a lower bound, and `{}` is none", operator.node.symbol());
                let diagnostic = Diagnostic::new(Code::NoLowerBound, operator.span, message);
                let diagnostic = diagnostic.help(format!("write `{name}({inner}) >= {}`", number.max(1)));
                self.report(match operator.node {
                    Comparison::Less | Comparison::LessOrEqual => {
                        diagnostic.help("absence of events is not part of the language yet")
                    }
                    _ => diagnostic,
                });
                return None;
            }
        };
        match u64::try_from(least) {
            Ok(least @ 1..) => Some(Spanned::new(least, amount.span)),
            _ => {
                let message = format!("`{} {number}` holds without any event", operator.node.symbol());
                let help = "the smallest threshold is 1";
                self.report(Diagnostic::new(Code::InvalidThreshold, amount.span, message).help(help));
                None
            }
        }
    }

    fn window(&mut self, written: &Spanned<Written>) -> Option<Spanned<Duration>> {
        let Some(amount) = &written.node.within else {
            let single = matches!(&written.node.body.node, Body::Sequence(steps)
                if steps.len() == 1 && steps.iter().all(|step| step.times.is_none()));
            if !single {
                let message = "`within` is missing";
                let diagnostic = Diagnostic::new(Code::MissingWindow, written.node.body.span, message);
                self.report(diagnostic.help("add how long it may take, such as `within 10m`"));
            }
            return None;
        };
        let wrong = |what: String| {
            let diagnostic = Diagnostic::new(Code::InvalidDuration, amount.span, what);
            diagnostic.help("a window is a duration such as `10m`, or a parameter with `type: duration`")
        };
        let duration = match &amount.node {
            Amount::Duration(duration) => *duration,
            Amount::Int(number) => {
                self.report(wrong(format!("`{number}` has no unit")));
                return None;
            }
            Amount::Reference(name) => match self.environment.reference(name, amount.span, self.diagnostics)? {
                Reference::Parameter(parameter) => match &parameter.value {
                    Setting::Duration(duration) => *duration,
                    Setting::One(_) | Setting::Many(_) => {
                        self.report(wrong(format!("`${name}` is no duration")));
                        return None;
                    }
                },
                Reference::List(_) => {
                    self.report(wrong(format!("`${name}` is no duration")));
                    return None;
                }
            },
        };
        if duration.is_zero() {
            let diagnostic = Diagnostic::new(Code::ZeroWindow, amount.span, "the window is empty");
            self.report(diagnostic.help("the shortest window is `1s`"));
            return None;
        }
        Some(Spanned::new(duration, amount.span))
    }
}

/// The scope of a signal with all its columns.
pub(super) fn typer_of<'a>(draft: &'a Draft, environment: &'a Environment<'a>) -> Typer<'a> {
    let mut typer = Typer::new(&draft.signal.source, environment);
    typer.columns =
        draft.signal.columns.iter().map(|column| (column.name.node.clone(), column.value.clone())).collect();
    typer
}
