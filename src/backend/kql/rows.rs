//! The rows that a behaviour works on: one for each event of its signals, with keys, marks and the columns that are shown.

use std::borrow::Cow;

use super::ast::{Assignment, Expr, Kind, Operator, Stage, Table};
use super::columns::{Carried, Columns};
use super::frame::{self, TIME};
use super::meet;
use super::reader::{Context, Reader, conjuncts};
use super::tables::Tables;
use super::value::Scalar;
use crate::ir::{Predicate, SignalId, Value};
use crate::schema::{Source, Type};
use crate::source::Spanned;

/// How a row says which signals its event satisfies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Marks {
    /// There is one signal.
    One,
    /// The signals exclude each other: `detc_step` is the position in this list, from 1.
    Numbers(Vec<SignalId>),
    /// A bool column for each signal, with these names.
    Flags(Vec<(SignalId, String)>),
}

/// Column that numbers signals which exclude each other.
pub(super) const STEP: &str = "detc_step";

impl Marks {
    /// The condition that a row is an event of the signal.
    pub(super) fn is(&self, signal: SignalId) -> Expr {
        match self {
            Self::One => Expr::Bool(true),
            Self::Numbers(signals) => Expr::column(STEP).equals(number(signals, signal)),
            Self::Flags(flags) => {
                flags.iter().find(|(id, _)| *id == signal).map_or(Expr::Bool(false), |(_, name)| Expr::column(name))
            }
        }
    }

    /// The columns that hold the marks.
    pub(super) fn columns(&self) -> Vec<String> {
        match self {
            Self::One => Vec::new(),
            Self::Numbers(_) => vec![STEP.to_owned()],
            Self::Flags(flags) => flags.iter().map(|(_, name)| name.clone()).collect(),
        }
    }
}

/// How the rows of the signals say which of them their events satisfy.
pub(super) fn marks(context: &Context<'_>, signals: &[SignalId]) -> Marks {
    if signals.len() == 1 {
        return Marks::One;
    }
    let meets = |(index, one): (usize, &SignalId)| {
        signals.iter().skip(index + 1).any(|other| meet::in_a_row(context.stage, *one, *other))
    };
    if !signals.iter().enumerate().any(meets) {
        return Marks::Numbers(signals.to_vec());
    }
    let name = |id: &SignalId| context.stage.signal(*id).map_or("", |signal| signal.name.node.as_str());
    Marks::Flags(signals.iter().map(|id| (*id, format!("detc_is_{}", name(id)))).collect())
}

/// The columns that hold the keys.
pub(super) fn key_columns<'a>(context: &Context<'a>, signals: &[SignalId], columns: &Columns<'a>) -> Vec<Wanted<'a>> {
    let stage = context.stage;
    let of_signal = |id: &SignalId, index: usize| Some((*id, &stage.signal(*id)?.keys.get(index)?.node));
    let key = |(index, name): (usize, &String)| {
        let values = signals.iter().filter_map(|id| of_signal(id, index)).collect();
        Wanted::value(name, values, Form::Key)
    };
    columns.keys.iter().enumerate().map(key).collect()
}

/// The carried columns that are values of events of the signals.
pub(super) fn carried_columns<'a>(signals: &[SignalId], columns: &Columns<'a>) -> Vec<Wanted<'a>> {
    let values = |column: &Carried<'a>| column.values().into_iter().filter(|(of, _)| signals.contains(of)).collect();
    columns.of_events().map(|column| Wanted::value(&column.name, values(column), Form::Shown)).collect()
}

fn number(signals: &[SignalId], signal: SignalId) -> Expr {
    let position = signals.iter().position(|id| *id == signal).map_or(0, |index| index + 1);
    Expr::Int(i64::try_from(position).unwrap_or(i64::MAX))
}

/// A column of the rows.
#[derive(Debug, Clone)]
pub(super) struct Wanted<'a> {
    /// Name.
    pub(super) name: String,
    /// What the column is on events of each signal; null on events of others.
    pub(super) values: Vec<(SignalId, &'a Value)>,
    /// What is made of the value.
    pub(super) form: Form,
    /// What is tested instead, of the events of which signal.
    pub(super) test: Option<(SignalId, Option<&'a Spanned<Predicate>>)>,
}

impl<'a> Wanted<'a> {
    /// A column of values.
    pub(super) fn value(name: &str, values: Vec<(SignalId, &'a Value)>, form: Form) -> Self {
        Self { name: name.to_owned(), values, form, test: None }
    }

    /// A column that says whether a row is an event of the signal that passes the test.
    pub(super) fn test(name: &str, signal: SignalId, test: Option<&'a Spanned<Predicate>>) -> Self {
        Self { name: name.to_owned(), values: Vec::new(), form: Form::Holds, test: Some((signal, test)) }
    }
}

/// What is made of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Text that identifies it; a row without it is dropped, and a list makes a row for each different element.
    Key,
    /// Text that identifies it, empty where it is missing.
    Text,
    /// The same in lower case.
    Folded,
    /// The value of its own type, to be shown.
    Shown,
    /// A list as an array; anything else is its only element.
    Elements,
    /// Whether a test holds.
    Holds,
}

/// The rows of all signals. `None` where the target does not carry a source; the reasons are in the verdict.
pub(super) fn rows<'a>(
    context: &mut Context<'a>,
    signals: &[SignalId],
    marks: &Marks,
    wanted: &[Wanted<'a>],
) -> Option<Table> {
    let groups = by_source(context, signals);
    united(context, groups, marks, wanted)
}

/// The rows of all signals, an event once for each signal that it belongs to.
pub(super) fn separate_rows<'a>(
    context: &mut Context<'a>,
    signals: &[SignalId],
    marks: &Marks,
    wanted: &[Wanted<'a>],
) -> Option<Table> {
    let groups = signals.iter().flat_map(|signal| by_source(context, &[*signal])).collect();
    united(context, groups, marks, wanted)
}

fn united<'a>(
    context: &mut Context<'a>,
    groups: Vec<Group<'a>>,
    marks: &Marks,
    wanted: &[Wanted<'a>],
) -> Option<Table> {
    let mut legs = Vec::new();
    for group in groups {
        legs.push(Leg::lower(context, &group, marks, wanted));
    }
    // All legs are lowered before any is missed, so that every reason is found.
    let legs: Vec<Leg> = legs.into_iter().collect::<Option<_>>()?;
    let kinds: Vec<Kind> = (0..wanted.len())
        .map(|index| {
            let known = legs.iter().find_map(|leg| leg.columns.get(index)?.as_ref());
            known.map_or(Kind::Text, |(_, kind)| *kind)
        })
        .collect();
    Some(Table::union(legs.into_iter().flat_map(|leg| leg.finish(marks, wanted, &kinds)).collect()))
}

/// Signals that are read together.
struct Group<'a> {
    /// The source whose events they are; `None` for hits of a stage.
    source: Option<&'a Source>,
    signals: Vec<SignalId>,
}

/// The signals by source, sources in the order of their first signal; one that reads several stands under each.
fn by_source<'a>(context: &Context<'a>, signals: &[SignalId]) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for id in signals {
        let Some(signal) = context.stage.signal(*id) else { continue };
        if signal.stage.is_some() {
            groups.push(Group { source: None, signals: vec![*id] });
        }
        for source in signal.sources() {
            let same = |group: &&mut Group<'_>| group.source.is_some_and(|known| known.name == source.name);
            match groups.iter_mut().find(same) {
                Some(group) => group.signals.push(*id),
                None => groups.push(Group { source: Some(source), signals: vec![*id] }),
            }
        }
    }
    groups
}

/// The rows of one source.
struct Leg {
    tables: Tables,
    time: String,
    stages: Vec<Stage>,
    /// Marks that are the same on every row.
    constants: Vec<Assignment>,
    /// What each wanted column is here; `None` where no signal of the source has it.
    columns: Vec<Option<(Expr, Kind)>>,
}

impl Leg {
    fn lower<'a>(
        context: &mut Context<'a>,
        Group { source, signals }: &Group<'a>,
        marks: &Marks,
        wanted: &[Wanted<'a>],
    ) -> Option<Self> {
        let (stage, lookback) = (context.stage, context.lookback);
        let first = stage.signal(*signals.first()?)?;
        let mut reader = match source {
            Some(source) => Reader::of_source(context, source, first.name.span)?,
            None => Reader::of_signal(context, *signals.first()?)?,
        };
        // What a signal over several sources asks of the events of this one.
        let here =
            |id: SignalId| source.filter(|_| stage.signal(id).is_some_and(|signal| !signal.source.members.is_empty()));
        let (time, tables) = (reader.time.clone(), reader.tables.clone());
        let mut stages = vec![Stage::Where(frame::read(&time, lookback))];
        let predicates: Vec<(SignalId, Cow<'_, Spanned<Predicate>>)> = signals
            .iter()
            .filter_map(|id| {
                let predicate = &stage.signal(*id)?.predicate;
                let on = |source: &Source| Cow::Owned(predicate.on(&source.name));
                Some((*id, here(*id).map_or(Cow::Borrowed(predicate), on)))
            })
            .collect();
        let predicates: Vec<(SignalId, &Spanned<Predicate>)> =
            predicates.iter().map(|(id, predicate)| (*id, predicate.as_ref())).collect();
        let (filters, constants) = mark(&mut reader, &predicates, marks);
        stages.extend(filters);
        let mut columns = Vec::new();
        for column in wanted {
            let values: Vec<(SignalId, Cow<'_, Value>)> = column
                .values
                .iter()
                .filter(|(id, _)| signals.contains(id))
                .map(|(id, value)| {
                    (*id, here(*id).map_or(Cow::Borrowed(*value), |source| Cow::Owned(value.on(&source.name))))
                })
                .collect();
            let values: Vec<(SignalId, &Value)> = values.iter().map(|(id, value)| (*id, value.as_ref())).collect();
            columns.push(match column.test {
                Some((signal, test)) if signals.contains(&signal) => {
                    let test = test.map(|test| {
                        here(signal).map_or(Cow::Borrowed(test), |source| Cow::Owned(test.on(&source.name)))
                    });
                    // Where a source has one signal, all of its rows are its events and carry no mark yet.
                    let is_event = if signals.len() == 1 { Expr::Bool(true) } else { marks.is(signal) };
                    Some(reader.holds(is_event, test.as_deref()))
                }
                Some(_) => Some((Expr::Bool(false), Kind::Bool)),
                None => reader.wanted(&values, column.form, marks),
            });
        }
        stages.append(&mut reader.helpers);
        Some(Self { tables, time, stages, constants, columns })
    }

    fn finish(self, marks: &Marks, wanted: &[Wanted<'_>], kinds: &[Kind]) -> Vec<Table> {
        let mut projection = vec![Assignment::new(TIME, Expr::column(&self.time))];
        let mut required = Vec::new();
        for ((column, found), kind) in wanted.iter().zip(self.columns).zip(kinds) {
            let value = found.map_or(Expr::Null(*kind), |(expr, _)| expr);
            projection.push(Assignment::new(&column.name, value));
            if column.form == Form::Key {
                required.push(Expr::call("isnotempty", Expr::column(&column.name)));
            }
        }
        for name in marks.columns() {
            let constant = self.constants.iter().find(|mark| mark.name == name).cloned();
            projection.push(constant.unwrap_or_else(|| Assignment::keep(name)));
        }
        let mut stages = self.stages;
        stages.push(Stage::Project(projection));
        if !required.is_empty() {
            stages.push(Stage::Where(Expr::all(required)));
        }
        self.tables.rows(&stages)
    }
}

/// The operators that keep the events of any of the signals and mark them, and the marks that are the same on every row.
fn mark(
    reader: &mut Reader<'_, '_>,
    predicates: &[(SignalId, &Spanned<Predicate>)],
    marks: &Marks,
) -> (Vec<Stage>, Vec<Assignment>) {
    let here = |id: &SignalId| predicates.iter().any(|(signal, _)| signal == id);
    let mut constants = Vec::new();
    if let Marks::Flags(flags) = marks {
        for (id, name) in flags {
            if !here(id) || predicates.len() == 1 {
                constants.push(Assignment::new(name, Expr::Bool(here(id))));
            }
        }
    }
    if let [(id, predicate)] = predicates {
        if let Marks::Numbers(signals) = marks {
            constants.push(Assignment::new(STEP, number(signals, *id)));
        }
        return (reader.filter(predicate), constants);
    }
    let (shared, mut own) = factor(predicates);
    let mut stages: Vec<Stage> = Vec::new();
    for predicate in shared {
        stages.extend(reader.filter(predicate));
    }
    let tests: Vec<(SignalId, Expr)> = own.drain(..).map(|(id, parts)| (id, reader.conjunction(&parts))).collect();
    stages.append(&mut reader.helpers);
    match marks {
        Marks::One => {}
        Marks::Numbers(signals) => {
            let mut arguments: Vec<Expr> =
                tests.into_iter().flat_map(|(id, test)| [test, number(signals, id)]).collect();
            arguments.push(Expr::Int(0));
            stages.push(Stage::Extend(vec![Assignment::new(STEP, Expr::Call("case", arguments))]));
            stages.push(Stage::Where(Expr::infix(Expr::column(STEP), Operator::Greater, Expr::Int(0))));
        }
        Marks::Flags(_) => {
            let any = Expr::any(tests.iter().map(|(id, _)| marks.is(*id)));
            let flags = tests.into_iter().filter_map(|(id, test)| match marks.is(id) {
                Expr::Column(name) => Some(Assignment::new(name, test)),
                _ => None,
            });
            stages.push(Stage::Extend(flags.collect()));
            stages.push(Stage::Where(any));
        }
    }
    (stages, constants)
}

/// The conditions that all signals share, and for each signal those of its own.
#[expect(clippy::type_complexity, reason = "the two halves of one list")]
fn factor<'p>(
    predicates: &[(SignalId, &'p Spanned<Predicate>)],
) -> (Vec<&'p Spanned<Predicate>>, Vec<(SignalId, Vec<&'p Spanned<Predicate>>)>) {
    let parts: Vec<(SignalId, Vec<&Spanned<Predicate>>)> =
        predicates.iter().map(|(id, predicate)| (*id, conjuncts(predicate))).collect();
    let everywhere = |wanted: &Spanned<Predicate>| parts.iter().all(|(_, parts)| parts.contains(&wanted));
    let shared = parts
        .first()
        .map_or_else(Vec::new, |(_, first)| first.iter().copied().filter(|part| everywhere(part)).collect());
    let own = parts
        .iter()
        .map(|(id, parts)| (*id, parts.iter().copied().filter(|part| !shared.contains(part)).collect()))
        .collect();
    (shared, own)
}

impl Reader<'_, '_> {
    /// The value that says whether all of the predicates hold; never null.
    fn conjunction(&mut self, parts: &[&Spanned<Predicate>]) -> Expr {
        let conditions: Vec<_> = parts.iter().map(|part| self.predicate(part, true)).collect();
        let nullable = conditions.iter().any(|condition| condition.nullable);
        let all = Expr::all(conditions.into_iter().map(|condition| condition.expr));
        if nullable { all.or_else(Expr::Bool(false)) } else { all }
    }

    /// Whether a row that is an event of a signal passes a test; never null.
    fn holds(&mut self, is_event: Expr, test: Option<&Spanned<Predicate>>) -> (Expr, Kind) {
        let test = test.map_or(Expr::Bool(true), |test| self.predicate(test, true).value());
        (Expr::all([is_event, test]), Kind::Bool)
    }

    /// What a wanted column is on the events of these signals.
    fn wanted(&mut self, values: &[(SignalId, &Value)], form: Form, marks: &Marks) -> Option<(Expr, Kind)> {
        let listed = form == Form::Key && values.iter().any(|(_, value)| matches!(value.ty(), Type::List(_)));
        let form = if listed { Form::Elements } else { form };
        let mut groups: Vec<(Vec<SignalId>, &Value)> = Vec::new();
        for (id, value) in values {
            // Of an event of several signals the first counts, so only neighbours go together unless signals exclude
            // each other.
            let reachable = if matches!(marks, Marks::Flags(_)) { groups.len().saturating_sub(1) } else { 0 };
            match groups.iter_mut().skip(reachable).find(|(_, known)| known == value) {
                Some((ids, _)) => ids.push(*id),
                None => groups.push((vec![*id], value)),
            }
        }
        let ((_, last), others) = groups.split_last()?;
        let (last, kind) = self.formed(last, form);
        let mut arguments = Vec::new();
        for (ids, value) in others {
            arguments.extend([Expr::any(ids.iter().map(|id| marks.is(*id))), self.formed(value, form).0]);
        }
        let expr = if arguments.is_empty() {
            last
        } else {
            arguments.push(last);
            Expr::Call("case", arguments)
        };
        if !listed {
            return Some((expr, kind));
        }
        // Elements of equal text are one key.
        let (name, item) = (self.helper("key"), self.helper("item"));
        let text = Scalar::member(Expr::column(&item), Type::Text).text();
        let result = Assignment::new(&name, Expr::call("make_set", text));
        self.helpers.push(Stage::Apply {
            indexed: false,
            item,
            list: super::list::never_empty(expr),
            inner: Vec::new(),
            result,
        });
        self.helpers.push(Stage::Expand { name: name.clone(), list: Expr::column(&name), kind: Kind::Text });
        Some((Expr::column(name), Kind::Text))
    }

    /// A value in a form.
    fn formed(&mut self, value: &Value, form: Form) -> (Expr, Kind) {
        match form {
            Form::Key | Form::Text => (self.text(value), Kind::Text),
            Form::Folded => {
                self.assume_lower_case();
                (Expr::call("tolower", self.text(value)), Kind::Text)
            }
            Form::Elements => (self.elements(value), Kind::Dynamic),
            Form::Holds => (Expr::Bool(true), Kind::Bool),
            Form::Shown => {
                let scalar = self.scalar(value);
                (scalar.shown(), Kind::of(&scalar.declared))
            }
        }
    }
}
