//! Reads the events of one source: what a lowering needs to know about it, and what it found out.

use super::ast::{Expr, Let, Stage, Table};
use super::frame;
use super::stage::{self, HitField};
use super::tables::Tables;
use crate::backend::{ReasonCode, Request, Verdict};
use crate::ir::{self, Predicate, SignalId, Value};
use crate::schema::mapping::FieldMap;
use crate::schema::{Duration, Source};
use crate::source::{Span, Spanned};

/// What is common to the lowering of one detection.
#[derive(Debug)]
pub(super) struct Context<'a> {
    /// The request.
    pub(super) request: Request<'a>,
    /// What has been found out about the query.
    pub(super) verdict: Verdict,
    /// Number of helper columns so far.
    pub(super) helpers: usize,
    /// The stage that is being lowered.
    pub(super) stage: &'a ir::Stage,
    /// How far before the slice its events are read.
    pub(super) lookback: Duration,
    /// Whether its hits are the events of another stage.
    pub(super) is_inner: bool,
    /// Names of the columns of its hits that a filter or an outer stage decides by.
    pub(super) decisive: Vec<String>,
    /// Tables that the query names, in order.
    pub(super) lets: Vec<Let>,
}

impl<'a> Context<'a> {
    /// The start of a detection's lowering.
    pub(super) fn new(request: Request<'a>) -> Self {
        let stage = &request.detection.stage;
        let lookback = stage.behavior.node.lookback();
        let verdict = Verdict::default();
        let filter = request.detection.filter.node.fields();
        let decisive = filter.into_iter().map(|field| field.path.to_string()).collect();
        Self { request, verdict, helpers: 0, stage, lookback, is_inner: false, decisive, lets: Vec::new() }
    }

    /// Names a table that is evaluated once; a table that has a name already keeps it.
    pub(super) fn bind(&mut self, name: &str, table: Table) -> String {
        let known = self.lets.iter().find_map(|statement| match statement {
            Let::Materialized(name, known) if *known == table => Some(name.clone()),
            Let::Materialized(..) | Let::Scalar(..) => None,
        });
        if let Some(name) = known {
            return name;
        }
        let taken = |wanted: &str| {
            self.lets.iter().any(|statement| matches!(statement, Let::Materialized(name, _) if name == wanted))
        };
        let numbered = (2_usize..).map(|number| format!("{name}_{number}"));
        let free = std::iter::once(name.to_owned()).chain(numbered).find(|name| !taken(name));
        let name = free.unwrap_or_else(|| name.to_owned());
        self.lets.push(Let::Materialized(name.clone(), table));
        name
    }

    /// The conditions that keep hits of the slice, where nothing later has been read; the hits of inner stages all count.
    pub(super) fn newest(&self) -> Expr {
        if self.is_inner { Expr::Bool(true) } else { frame::newest() }
    }

    /// The same for hits whose time is none of an event's.
    pub(super) fn newest_and_over(&self) -> Expr {
        if self.is_inner { frame::over() } else { Expr::all([frame::newest(), frame::over()]) }
    }
}

/// Where the fields of a source are.
#[derive(Debug)]
pub(super) enum Place<'a> {
    /// Where the target has them.
    Target(&'a FieldMap),
    /// In columns of hits.
    Hits(Vec<HitField>),
}

/// The lowering of expressions over the events of one source.
#[derive(Debug)]
pub(super) struct Reader<'c, 'a> {
    /// What is common to the detection.
    pub(super) context: &'c mut Context<'a>,
    /// Where the source's fields are.
    pub(super) place: Place<'a>,
    /// The tables that hold the events.
    pub(super) tables: Tables,
    /// Column of the event's time.
    pub(super) time: String,
    /// The source.
    pub(super) source: &'a Source,
    /// The clause that is being lowered.
    pub(super) span: Span,
    /// Operators that compute helper columns; they stand before the one that uses them.
    pub(super) helpers: Vec<Stage>,
    /// Whether the clause that is being lowered uses a helper column.
    pub(super) helped: bool,
    /// Picked elements that have helper columns already.
    pub(super) picked: Vec<(Value, Expr)>,
    /// Variables of the lists around, with the columns that hold the elements.
    pub(super) items: Vec<(String, String)>,
}

impl<'c, 'a> Reader<'c, 'a> {
    /// A reader of the events of a signal's source; a reason where the target does not carry it.
    pub(super) fn of_signal(context: &'c mut Context<'a>, id: SignalId) -> Option<Self> {
        let signal = context.stage.signal(id)?;
        let span = signal.name.span;
        if let Some(inner) = &signal.stage {
            let (name, fields) = stage::named(context, id, &signal.name.node, inner)?;
            let (place, time) = (Place::Hits(fields), frame::TIME.to_owned());
            return Some(Self::of_place(context, place, Tables::one(name), time, signal));
        }
        Self::of_source(context, &signal.source, span)
    }

    /// A reader of the events of a source; a reason where the target does not carry it.
    pub(super) fn of_source(context: &'c mut Context<'a>, source: &'a Source, span: Span) -> Option<Self> {
        let Some(map) = context.request.target.maps.get(&source.name) else {
            let target = &context.request.target.name;
            let message = format!("target `{target}` has no field map for source `{}`", source.name);
            context.verdict.add(ReasonCode::MissingSource, span, message);
            return None;
        };
        if map.place("table").is_none() {
            let target = &context.request.target.name;
            let message = format!("target `{target}` names no table for source `{}`", source.name);
            context.verdict.add(ReasonCode::MissingSource, span, message);
            return None;
        }
        let (tables, time) = (Tables::of_map(map), map.time.clone());
        Some(Self::new(context, Place::Target(map), tables, time, source, span))
    }

    /// A reader of the hits of a stage; the signal is one of those that it is made of.
    pub(super) fn of_hits(context: &'c mut Context<'a>, fields: Vec<HitField>) -> Option<Self> {
        let signal = context.stage.signals.first()?;
        Some(Self::of_place(context, Place::Hits(fields), Tables::default(), frame::TIME.to_owned(), signal))
    }

    fn of_place(
        context: &'c mut Context<'a>,
        place: Place<'a>,
        tables: Tables,
        time: String,
        signal: &'a ir::Signal,
    ) -> Self {
        Self::new(context, place, tables, time, &signal.source, signal.name.span)
    }

    fn new(
        context: &'c mut Context<'a>,
        place: Place<'a>,
        tables: Tables,
        time: String,
        source: &'a Source,
        span: Span,
    ) -> Self {
        Self {
            place,
            tables,
            time,
            source,
            span,
            helpers: Vec::new(),
            helped: false,
            picked: Vec::new(),
            items: Vec::new(),
            context,
        }
    }

    /// Notes why the detection has no query.
    pub(super) fn refuse(&mut self, code: ReasonCode, message: impl Into<String>) {
        self.context.verdict.add(code, self.span, message);
    }

    /// A name for a helper column.
    pub(super) fn helper(&mut self, what: &str) -> String {
        self.context.helpers += 1;
        format!("detc_{what}_{}", self.context.helpers)
    }

    /// The column that holds the element of a list around.
    pub(super) fn item(&self, variable: &str) -> Option<String> {
        self.items.iter().rev().find(|(name, _)| name == variable).map(|(_, column)| column.clone())
    }

    /// The operators that keep the events of a predicate; conditions without helper columns stand first.
    pub(super) fn filter(&mut self, predicate: &Spanned<Predicate>) -> Vec<Stage> {
        let (mut direct, mut helped) = (Vec::new(), Vec::new());
        for conjunct in conjuncts(predicate) {
            self.helped = false;
            let condition = self.predicate(conjunct, true).expr;
            let conditions = if self.helped { &mut helped } else { &mut direct };
            conditions.push(condition);
        }
        let stages = |conditions: Vec<Expr>| {
            let keep = conditions.into_iter().filter(|condition| *condition != Expr::Bool(true));
            keep.map(Stage::Where).collect::<Vec<Stage>>()
        };
        let mut all = stages(direct);
        all.append(&mut self.helpers);
        all.extend(stages(helped));
        all
    }
}

/// The conditions that all have to hold.
pub(super) fn conjuncts(predicate: &Spanned<Predicate>) -> Vec<&Spanned<Predicate>> {
    if let Predicate::And(parts) = &predicate.node {
        parts.iter().flat_map(conjuncts).collect()
    } else {
        vec![predicate]
    }
}
