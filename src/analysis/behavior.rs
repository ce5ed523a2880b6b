//! Resolves behaviours: signals, thresholds, windows, keys.

use super::Draft;
use super::parameters::Setting;
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
    let behavior = Spanned::new(Behavior::Event { signal: SignalId(0) }, name.span);
    Some(Resolved { behavior, keys: Vec::new(), used: vec![name.node.clone()], keys_of_signals: vec![Vec::new()] })
}

/// For each signal, the value of each key.
type KeyValues = Vec<Vec<Spanned<Value>>>;

struct Resolver<'a> {
    file: &'a DetectionFile,
    drafts: &'a [Draft],
    environment: &'a Environment<'a>,
    used: Vec<String>,
    diagnostics: &'a mut Diagnostics,
}

impl Resolver<'_> {
    fn behavior(&mut self, written: &Spanned<Written>) -> Option<Resolved> {
        let body = &written.node.body;
        let window = self.window(written);
        let behavior = match &body.node {
            Body::Count { signal, operator, amount } => {
                let id = self.aggregate_signal(signal);
                let at_least = self.at_least("count", operator, amount);
                let signal = signal.node.segments.get(1).map(|segment| segment.name.clone());
                if let Some(extra) = signal {
                    let message = "`count` counts events and takes no field";
                    let help = "write `distinct(signal.field)` to count different values";
                    self.report(Diagnostic::new(Code::InvalidBehavior, extra.span, message).help(help));
                }
                self.refuse_condition(written);
                Behavior::Count { signal: id?, at_least: at_least?, window: window? }
            }
            Body::Distinct { values, operator, amount } => {
                let distinct = self.distinct(values);
                let at_least = self.at_least("distinct", operator, amount);
                self.refuse_condition(written);
                let (signal, values) = distinct?;
                Behavior::Distinct { signal, values, at_least: at_least?, window: window? }
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
                Behavior::Sequence { steps, relations: relations?, window: window? }
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
        let behavior = Spanned::new(Behavior::Event { signal }, written.span);
        let used = std::mem::take(&mut self.used);
        let keys_of_signals = used.iter().map(|_| Vec::new()).collect();
        Some(Resolved { behavior, keys: Vec::new(), used, keys_of_signals })
    }

    fn report(&mut self, diagnostic: Diagnostic) {
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
                let note = (name.span, "the first signal");
                let _ = first;
                self.report(Diagnostic::new(Code::InvalidBehavior, head.name.span, message).note(note.0, note.1));
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
                Some(value) if value.ty() == Type::Object => {
                    let message = "an object is no value; name one of its members";
                    self.report(Diagnostic::new(Code::TypeMismatch, path.span, message));
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
                let taken = steps.iter().any(|other| other.name == name.node)
                    || self.file.signals.iter().any(|signal| signal.name.node == name.node);
                if taken {
                    let message = format!("the name `{}` is taken", name.node);
                    self.report(Diagnostic::new(Code::DuplicateName, name.span, message));
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
                self.report(Diagnostic::new(Code::InvalidThreshold, amount.span, message));
                None
            }
        }
    }

    fn number(&mut self, amount: &Spanned<Amount>) -> Option<i64> {
        let wrong = |what: String| Diagnostic::new(Code::InvalidThreshold, amount.span, what);
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
        operator: &Spanned<Comparison>,
        amount: &Spanned<Amount>,
    ) -> Option<Spanned<u64>> {
        let number = self.number(amount)?;
        let least = match operator.node {
            Comparison::GreaterOrEqual => number,
            Comparison::Greater => number.saturating_add(1),
            Comparison::Equal | Comparison::NotEqual | Comparison::Less | Comparison::LessOrEqual => {
                let message = format!(
                    "`{name}` with `{}` has no lower bound, so silence would satisfy it",
                    operator.node.symbol()
                );
                let help = format!("write `{name}(..) >= n`");
                self.report(Diagnostic::new(Code::NoLowerBound, operator.span, message).help(help));
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
        let wrong = |what: String| Diagnostic::new(Code::InvalidDuration, amount.span, what);
        let duration = match &amount.node {
            Amount::Duration(duration) => *duration,
            Amount::Int(number) => {
                self.report(wrong(format!("`{number}` has no unit")).help(format!("write `{number}m` or `{number}s`")));
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

    /// The keys, and what they are on each used signal.
    fn keys(&mut self, written: &[Spanned<Path>]) -> Option<(Vec<Key>, KeyValues)> {
        let mut keys: Vec<Key> = Vec::new();
        let mut of_signals: KeyValues = self.used.iter().map(|_| Vec::new()).collect();
        let mut whole = true;
        for path in written {
            let name = super::paths::names(&path.node.segments).to_string();
            if keys.iter().any(|key| key.name == name) {
                let message = format!("the key `{name}` stands twice");
                self.report(Diagnostic::new(Code::DuplicateName, path.span, message));
                whole = false;
                continue;
            }
            keys.push(Key { name: name.clone(), span: path.span });
            let mut first: Option<(String, Type)> = None;
            for (signal, column) in self.used.clone().iter().zip(of_signals.iter_mut()) {
                let Some(value) = self.key_on(signal, path, &name) else {
                    whole = false;
                    continue;
                };
                let ty = value.ty();
                match &first {
                    None => first = Some((signal.clone(), ty)),
                    Some((other, expected)) if *expected != ty && !(expected.is_textual() && ty.is_textual()) => {
                        let message = format!("the key `{name}` is {expected} on `{other}` but {ty} on `{signal}`");
                        let diagnostic = Diagnostic::new(Code::KeyTypeMismatch, path.span, message);
                        self.report(diagnostic.help("name a column with `let` on both signals"));
                        whole = false;
                    }
                    Some(_) => {}
                }
                column.push(Spanned::new(value, path.span));
            }
        }
        whole.then_some((keys, of_signals))
    }

    fn key_on(&mut self, signal: &str, path: &Spanned<Path>, name: &str) -> Option<Value> {
        let draft = self.drafts.iter().find(|draft| draft.signal.name.node == signal)?;
        let mut typer = typer_of(draft, self.environment);
        let Some(value) = typer.path(path) else {
            let message = format!("the signal `{signal}` has no key `{name}`");
            let diagnostic = Diagnostic::new(Code::MissingKeyOnSignal, path.span, message);
            let mut helps = typer.diagnostics.into_sorted().into_iter().flat_map(|found| found.help);
            let help = helps.next().unwrap_or_else(|| format!("name it there: `let: {{ {name}: .. }}`"));
            self.report(diagnostic.note(draft.signal.name.span, "the signal").help(help));
            return None;
        };
        self.diagnostics.extend(typer.diagnostics);
        let scalar = match value.ty() {
            Type::List(item) => *item != Type::Object,
            ty => ty != Type::Object,
        };
        if !scalar {
            let message = format!("the key `{name}` is a group of members, not a value");
            self.report(Diagnostic::new(Code::TypeMismatch, path.span, message).help("name one of its members"));
            return None;
        }
        Some(value)
    }
}

/// The scope of a signal with all its columns.
pub(super) fn typer_of<'a>(draft: &'a Draft, environment: &'a Environment<'a>) -> Typer<'a> {
    let mut typer = Typer::new(&draft.signal.source, environment);
    typer.columns =
        draft.signal.columns.iter().map(|column| (column.name.node.clone(), column.value.clone())).collect();
    typer
}
