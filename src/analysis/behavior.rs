//! Resolves behaviours into stages: which signals play which part, by which keys, in which window.

use super::Draft;
use super::scope::{Environment, Typer};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::ir::{Behavior, Group, GroupForm, Key, Member, Rare, RareForm, Signal, SignalId, Stage, Travel, Value};
use crate::schema::{Duration, Type, nearest};
use crate::source::{Span, Spanned};
use crate::syntax::DetectionFile;
use crate::syntax::ast::{Comparison, Path, Segment};
use crate::syntax::behavior_ast::{Amount, Behavior as Written, Body, Clauses};

/// Resolves the behaviour of a file; `whole` says that every signal could be read.
pub(super) fn resolve(
    file: &DetectionFile,
    drafts: &[Draft],
    environment: &Environment<'_>,
    whole: bool,
    diagnostics: &mut Diagnostics,
) -> Option<Stage> {
    let Some(written) = &file.behavior else {
        return without_behavior(file, drafts, whole, diagnostics);
    };
    stage(file, written, drafts, environment, diagnostics)
}

/// Resolves one behaviour over the signals that were read.
pub(super) fn stage(
    file: &DetectionFile,
    written: &Spanned<Written>,
    drafts: &[Draft],
    environment: &Environment<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Stage> {
    let mut resolver = Resolver { file, drafts, environment, used: Vec::new(), diagnostics };
    resolver.stage(written)
}

/// One signal alone is a behaviour: every event of it.
fn without_behavior(
    file: &DetectionFile,
    drafts: &[Draft],
    whole: bool,
    diagnostics: &mut Diagnostics,
) -> Option<Stage> {
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
    let behavior = Spanned::new(Behavior::Event { signals: vec![SignalId(0)] }, draft.signal.name.span);
    Some(Stage { signals: vec![draft.signal.clone()], behavior, keys: Vec::new(), columns: Vec::new() })
}

/// Whether the events of a signal have to be there or must not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// They have to be there; exceptions filter them.
    Present,
    /// They must not be there; exceptions leave them alone.
    Absent,
}

/// Resolves one behaviour.
pub(super) struct Resolver<'a> {
    /// The file.
    pub(super) file: &'a DetectionFile,
    /// The signals of the file that could be read.
    pub(super) drafts: &'a [Draft],
    /// Parameters and lists.
    pub(super) environment: &'a Environment<'a>,
    /// The signals that were named so far, by name and role, in the order of their identities.
    pub(super) used: Vec<(String, Role)>,
    /// What was found wrong so far.
    pub(super) diagnostics: &'a mut Diagnostics,
}

impl Resolver<'_> {
    fn stage(&mut self, written: &Spanned<Written>) -> Option<Stage> {
        let clauses = &written.node.clauses;
        let single = match &written.node.body.node {
            Body::Union(_) => true,
            Body::Sequence(steps) => steps.len() == 1 && steps.iter().all(|step| step.times.is_none() && !step.absent),
            Body::Aggregation(_)
            | Body::All(_)
            | Body::Some { .. }
            | Body::Score { .. }
            | Body::New(_)
            | Body::Rare { .. }
            | Body::Baseline { .. }
            | Body::Travel(_) => false,
        };
        self.check_clauses(written, single);
        let behavior = match &written.node.body.node {
            Body::Union(signals) => self.event(signals),
            Body::Sequence(steps) if single => {
                let signals: Vec<Spanned<String>> = steps.iter().map(|step| step.signal.clone()).collect();
                self.event(&signals)
            }
            Body::Sequence(steps) => self.sequence(steps, written),
            Body::Aggregation(condition) => self.aggregation(condition, written),
            Body::All(signals) => self.together(signals, None, written),
            Body::Some { number, signals } => self.together(signals, Some(number), written),
            Body::Score { weights, operator, amount } => self.score(weights, operator, amount, written),
            Body::New(values) => self.rare(values, None, written),
            Body::Rare { values, operator, amount } => self.rare(values, Some((operator, amount)), written),
            Body::Baseline { is_outlier, aggregate } => self.baseline(*is_outlier, aggregate, written),
            Body::Travel(address) => self.travel(address, written),
        };
        let keys = if single { Vec::new() } else { clauses.keys.clone() };
        let keyed = self.keys(&keys);
        let (behavior, (keys, keys_of_signals)) = (behavior?, keyed?);
        let signals = self.used.iter().zip(keys_of_signals).map(|((name, _), keys)| {
            let draft = self.drafts.iter().find(|draft| draft.signal.name.node == *name)?;
            Some(Signal { keys, ..draft.signal.clone() })
        });
        let signals: Option<Vec<Signal>> = signals.collect();
        let behavior = Spanned::new(behavior, written.span);
        Some(Stage { signals: signals?, behavior, keys, columns: Vec::new() })
    }

    /// Every event of any of the signals.
    fn event(&mut self, written: &[Spanned<String>]) -> Option<Behavior> {
        let mut signals = Vec::new();
        let mut whole = true;
        for name in written {
            match self.signal(name, Role::Present) {
                Some(signal) if signals.contains(&signal) => {
                    let message = format!("`{}` stands twice", name.node);
                    self.report(Diagnostic::new(Code::DuplicateName, name.span, message).help("remove one of the two"));
                    whole = false;
                }
                Some(signal) => signals.push(signal),
                None => whole = false,
            }
        }
        whole.then_some(Behavior::Event { signals })
    }

    fn together(
        &mut self,
        written: &[Spanned<String>],
        number: Option<&Spanned<Amount>>,
        whole: &Spanned<Written>,
    ) -> Option<Behavior> {
        let window = self.window(whole);
        let members: Vec<(Spanned<String>, u64, Span)> =
            written.iter().map(|name| (name.clone(), 1, name.span)).collect();
        let members = self.members(&members);
        let count = written.len() as u64;
        let (at_least, form) = match number {
            None => (Some(Spanned::new(count, whole.node.body.span)), GroupForm::All),
            Some(number) => {
                let least = self.positive(number, "the number of signals");
                if let Some(least) = least.filter(|least| *least > count) {
                    let message = format!("{least} of {count} signals can never be there");
                    let diagnostic = Diagnostic::new(Code::InvalidThreshold, number.span, message);
                    self.report(diagnostic.help(format!("the largest number is {count}")));
                }
                (least.filter(|least| *least <= count).map(|least| Spanned::new(least, number.span)), GroupForm::Some)
            }
        };
        Some(Behavior::Group(Group { members: members?, at_least: at_least?, window: window?, form }))
    }

    fn score(
        &mut self,
        weights: &[(Spanned<String>, Spanned<Amount>)],
        operator: &Spanned<Comparison>,
        amount: &Spanned<Amount>,
        whole: &Spanned<Written>,
    ) -> Option<Behavior> {
        let window = self.window(whole);
        let mut weighted = Vec::new();
        for (name, weight) in weights {
            let number = self.positive(weight, &format!("the weight of `{}`", name.node));
            weighted.push((name.clone(), number, name.span));
        }
        let at_least = self.at_least("score(..)", operator, amount);
        let complete: Option<Vec<_>> =
            weighted.into_iter().map(|(name, weight, span)| Some((name, weight?, span))).collect();
        let complete = complete?;
        let total = complete.iter().fold(0_u64, |sum, (_, weight, _)| sum.saturating_add(*weight));
        let members = self.members(&complete);
        let at_least = at_least?;
        if at_least.node > total {
            let message = format!("the weights add up to {total}, so {} is never reached", at_least.node);
            let diagnostic = Diagnostic::new(Code::InvalidThreshold, at_least.span, message);
            self.report(diagnostic.help(format!("the largest threshold is {total}")));
            return None;
        }
        Some(Behavior::Group(Group { members: members?, at_least, window: window?, form: GroupForm::Score }))
    }

    fn members(&mut self, written: &[(Spanned<String>, u64, Span)]) -> Option<Vec<Member>> {
        let mut members: Vec<Member> = Vec::new();
        let mut whole = true;
        for (name, weight, span) in written {
            match self.signal(name, Role::Present) {
                Some(signal) if members.iter().any(|member| member.signal == signal) => {
                    let message = format!("`{}` stands twice", name.node);
                    let help = format!("several events of one signal are a count: `count({}) >= 2`", name.node);
                    self.report(Diagnostic::new(Code::DuplicateName, name.span, message).help(help));
                    whole = false;
                }
                Some(signal) => members.push(Member { signal, weight: *weight, span: *span }),
                None => whole = false,
            }
        }
        if let ([only], true) = (written, whole) {
            let message = "a group is made of at least two signals";
            let help = format!("write `{}` alone, or name another signal", only.0.node);
            self.report(Diagnostic::new(Code::InvalidBehavior, only.2, message).help(help));
            whole = false;
        }
        whole.then_some(members)
    }

    fn rare(
        &mut self,
        values: &[Spanned<Path>],
        bound: Option<(&Spanned<Comparison>, &Spanned<Amount>)>,
        whole: &Spanned<Written>,
    ) -> Option<Behavior> {
        let word = if bound.is_some() { "rare" } else { "new" };
        let clauses = &whole.node.clauses;
        let history = match (&clauses.over, &clauses.within) {
            // `within` in its place has been reported.
            (None, Some(_)) => None,
            (over, _) => self.needed(over.as_ref(), whole, "over", "how far back is looked: `over 14d`"),
        };
        let history = history.and_then(|amount| self.duration(&amount, "history"));
        let learning = self.learning(&whole.node.clauses, history.as_ref());
        let resolved = self.values(word, values);
        let earlier = match bound {
            None => Some((0, 0)),
            Some((operator, amount)) => self.earlier(operator, amount),
        };
        let form = if bound.is_some() { RareForm::Rare } else { RareForm::New };
        let (signal, values) = resolved?;
        Some(Behavior::Rare(Rare { signal, values, earlier: earlier?, history: history?, learning: learning?, form }))
    }

    /// Fewest and most earlier events that a bound allows.
    fn earlier(&mut self, operator: &Spanned<Comparison>, amount: &Spanned<Amount>) -> Option<(u64, u64)> {
        let number = self.number(amount)?;
        let bounds = match operator.node {
            Comparison::LessOrEqual => (0, number),
            Comparison::Less => (0, number.saturating_sub(1)),
            Comparison::Equal => (number, number),
            Comparison::NotEqual | Comparison::Greater | Comparison::GreaterOrEqual => {
                let message = format!("`rare` takes an upper bound, and `{}` is none", operator.node.symbol());
                let diagnostic = Diagnostic::new(Code::InvalidThreshold, operator.span, message);
                self.report(diagnostic.help("write `rare(s.f) <= n`, where n is how often the value was seen before"));
                return None;
            }
        };
        match (u64::try_from(bounds.0), u64::try_from(bounds.1)) {
            (Ok(fewest), Ok(most)) => Some((fewest, most)),
            _ => {
                let message = format!("nothing was seen `{} {number}` times", operator.node.symbol());
                let diagnostic = Diagnostic::new(Code::InvalidThreshold, amount.span, message);
                self.report(diagnostic.help("`<= 0` stands for values never seen, as `new` does"));
                None
            }
        }
    }

    /// The learning period; `Some(None)` where there is none, `None` after a mistake.
    pub(super) fn learning(
        &mut self,
        clauses: &Clauses,
        history: Option<&Spanned<Duration>>,
    ) -> Option<Option<Spanned<Duration>>> {
        let Some(amount) = &clauses.learning else { return Some(None) };
        let learning = self.duration(amount, "learning period")?;
        if let Some(history) = history.filter(|history| learning.node > history.node) {
            let message = format!("learning takes {}, longer than the history of {}", learning.node, history.node);
            let diagnostic = Diagnostic::new(Code::InvalidDuration, amount.span, message);
            self.report(diagnostic.note(history.span, "the history").help("a key older than the history is forgotten"));
            return None;
        }
        Some(Some(learning))
    }

    fn travel(&mut self, address: &Spanned<Path>, whole: &Spanned<Written>) -> Option<Behavior> {
        let clauses = &whole.node.clauses;
        let window = self.window(whole);
        let speed = self.needed(clauses.faster.as_ref(), whole, "faster than", "a speed: `faster than 900 km/h`");
        let speed = speed.and_then(|amount| self.decimal_above_zero(&amount, "the speed"));
        let beyond = match &clauses.beyond {
            Some(amount) => self.decimal_above_zero(amount, "the distance"),
            None => crate::ir::Decimal::parse_number("0").map(|zero| Spanned::new(zero, whole.node.body.span)),
        };
        let (signal, values) = self.values("travel", std::slice::from_ref(address))?;
        let value = values.into_iter().next()?;
        if !value.node.ty().is_textual() {
            let message = format!("`travel` takes an address, not {}", value.node.ty());
            let diagnostic = Diagnostic::new(Code::TypeMismatch, value.span, message);
            self.report(diagnostic.help("name the field that holds the source address"));
            return None;
        }
        Some(Behavior::Travel(Travel { signal, address: value, speed: speed?, beyond: beyond?, window: window? }))
    }

    /// Reports something wrong.
    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// The identity of a signal in a role; an unreadable signal has been reported and gives nothing.
    pub(super) fn signal(&mut self, name: &Spanned<String>, role: Role) -> Option<SignalId> {
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
        let index = match self.used.iter().position(|(used, as_what)| *used == name.node && *as_what == role) {
            Some(index) => index,
            None => {
                self.used.push((name.node.clone(), role));
                self.used.len() - 1
            }
        };
        Some(SignalId(index))
    }

    /// The values of one signal that a function takes.
    pub(super) fn values(&mut self, word: &str, paths: &[Spanned<Path>]) -> Option<(SignalId, Vec<Spanned<Value>>)> {
        let mut common: Option<(SignalId, Spanned<String>)> = None;
        let mut values = Vec::new();
        let mut whole = true;
        for path in paths {
            let (head, rest) = path.node.segments.split_first()?;
            let Some(id) = self.signal(&head.name, Role::Present) else {
                whole = false;
                continue;
            };
            if let Some((_, name)) = common.as_ref().filter(|(first, _)| *first != id) {
                let message = format!("the values come from `{}` and `{}`", name.node, head.name.node);
                let diagnostic = Diagnostic::new(Code::InvalidBehavior, head.name.span, message);
                let help = format!("all fields of one `{word}` are of one signal");
                self.report(diagnostic.note(name.span, "the first signal").help(help));
                whole = false;
                continue;
            }
            common.get_or_insert_with(|| (id, head.name.clone()));
            if rest.is_empty() {
                let message = format!("`{word}` takes a field of a signal");
                let help = format!("write `{word}({}.field)`", head.name.node);
                self.report(Diagnostic::new(Code::InvalidBehavior, path.span, message).help(help));
                whole = false;
                continue;
            }
            match self.value_of(&head.name.node, rest, path.span) {
                Some(value)
                    if matches!(value.ty(), Type::Object) || value.ty() == Type::List(Box::new(Type::Object)) =>
                {
                    let message = "an object is no value; name one of its members";
                    let help = format!("`detc schema show` lists the members of `{}`", super::paths::names(rest));
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
        let mut typer = typer_of(&draft.signal, self.environment);
        let value = typer.path(&Spanned::new(Path { segments: rest.to_vec() }, span));
        self.diagnostics.extend(typer.diagnostics);
        value
    }

    /// The scope of a signal of the file, by name.
    pub(super) fn scope_of(&self, signal: SignalId) -> Option<&Signal> {
        let (name, _) = self.used.get(signal.0)?;
        self.drafts.iter().find(|draft| draft.signal.name.node == *name).map(|draft| &draft.signal)
    }
}

/// The scope of a signal with all its columns.
pub(super) fn typer_of<'a>(signal: &'a Signal, environment: &'a Environment<'a>) -> Typer<'a> {
    let mut typer = Typer::new(&signal.source, environment);
    typer.columns = signal.columns.iter().map(|column| (column.name.node.clone(), column.value.clone())).collect();
    typer
}

/// A signal with what a key is on it.
pub(super) type Keyed = (Vec<Key>, Vec<Vec<Spanned<Value>>>);
