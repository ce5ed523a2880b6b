//! Names of the columns that hits have.
//!
//! Never decides what a column holds: that is the shape's.

use std::collections::BTreeMap;

use super::ast::{Assignment, Expr, Kind};
use super::frame::TIME;
use super::reader::Context;
use crate::ir::{Aggregate, AggregateFunction, Behavior, HitColumn, HitValue, Predicate, SignalId, Stage, Value};
use crate::schema::Type;

/// The columns of a stage's hits: the time, the keys, and what a filter, an outer stage or the alert asks for.
#[derive(Debug, Default)]
pub(super) struct Columns<'a> {
    /// Columns of the rows that hold the keys, in order.
    pub(super) keys: Vec<String>,
    /// The other columns that the hits carry.
    pub(super) carried: Vec<Carried<'a>>,
    /// Columns of the alert that show a key: their names with the key's column.
    aliases: Vec<(String, String)>,
    /// Columns of the alert that the result lacks, with the reason.
    pub(super) missing: BTreeMap<String, String>,
}

/// A column that hits carry.
#[derive(Debug, Clone)]
pub(super) struct Carried<'a> {
    /// Its name in the rows.
    pub(super) name: String,
    /// What it is.
    pub(super) column: &'a HitColumn,
    /// Whether it is part of the result.
    shown: bool,
}

impl<'a> Carried<'a> {
    /// What the column is on events of each signal.
    pub(super) fn values(&self) -> Vec<(SignalId, &'a Value)> {
        self.column.event_values()
    }

    /// The type of a value of an event.
    pub(super) fn kind(&self) -> Kind {
        Kind::of(&self.column.event_type().unwrap_or(Type::Text))
    }

    /// Index of the number that the column holds.
    pub(super) const fn number(&self) -> Option<usize> {
        match self.column.value {
            HitValue::Aggregate(index) => Some(index),
            HitValue::Key(_) | HitValue::Closing(_) | HitValue::Step { .. } => None,
        }
    }
}

impl<'a> Columns<'a> {
    /// Sorts the columns of the stage that is being lowered.
    pub(super) fn of(context: &Context<'a>) -> Self {
        let stage = context.stage;
        let all = context.is_inner || context.request.detection.filter.node != Predicate::Constant(true);
        let mut columns = Self::default();
        for key in &stage.keys {
            let name = if is_taken(&key.name) { format!("key_{}", key.name) } else { key.name.clone() };
            columns.keys.push(name);
        }
        for column in stage.columns.iter().filter(|column| all || column.shown) {
            let clash = if is_taken(&column.name) {
                Some(format!("the query has a column of its own called `{}`", column.name))
            } else if column.key().is_none() && columns.keys.contains(&column.name) {
                Some(format!("`{}` is the name of a key that means something else", column.name))
            } else {
                None
            };
            let name = if clash.is_some() { format!("column_{}", column.name) } else { column.name.clone() };
            let shown = column.shown && clash.is_none();
            if let Some(reason) = clash
                && column.shown
            {
                columns.missing.insert(column.name.clone(), reason);
            }
            match column.key().and_then(|key| columns.keys.get(key)) {
                Some(key) if *key == column.name => {}
                Some(key) if shown => columns.aliases.push((column.name.clone(), key.clone())),
                Some(_) => {}
                None if shown || all => columns.carried.push(Carried { name, column, shown }),
                None => {}
            }
        }
        columns
    }

    /// The carried columns that are numbers of the behaviour, each with the number's index.
    pub(super) fn numbers(&self) -> Vec<(&Carried<'a>, usize)> {
        self.carried.iter().filter_map(|column| Some((column, column.number()?))).collect()
    }

    /// The carried columns that are values of events.
    pub(super) fn of_events(&self) -> impl Iterator<Item = &Carried<'a>> {
        self.carried.iter().filter(|column| column.number().is_none())
    }

    /// Everything that hits have, in order.
    pub(super) fn all(&self) -> Vec<Assignment> {
        let mut all = vec![Assignment::keep(TIME)];
        all.extend(self.keys.iter().map(Assignment::keep));
        all.extend(self.carried.iter().map(|column| Assignment::keep(&column.name)));
        all
    }

    /// What the result keeps, in order.
    pub(super) fn result(&self) -> Vec<Assignment> {
        let mut result = vec![Assignment::keep(TIME)];
        result.extend(self.keys.iter().map(Assignment::keep));
        result.extend(self.aliases.iter().map(|(name, key)| Assignment::new(name, Expr::column(key))));
        result.extend(self.carried.iter().filter(|column| column.shown).map(|column| Assignment::keep(&column.name)));
        result
    }

    /// The keys and the time: what tells hits apart.
    pub(super) fn instant(&self) -> Vec<String> {
        let mut names = self.keys.clone();
        names.push(TIME.to_owned());
        names
    }
}

/// The declared type of a number that hits carry.
pub(super) fn number_type(stage: &Stage, index: usize) -> Type {
    match &stage.behavior.node {
        Behavior::Aggregation(aggregation) => aggregation.aggregates.get(index).map_or(Type::Int, aggregate_type),
        Behavior::Baseline(baseline) => aggregate_type(&baseline.aggregate),
        Behavior::Event { .. }
        | Behavior::Count { .. }
        | Behavior::Distinct { .. }
        | Behavior::Sequence(_)
        | Behavior::Group(_)
        | Behavior::Rare(_)
        | Behavior::Travel(_) => Type::Int,
    }
}

/// The declared type of an aggregate.
pub(super) fn aggregate_type(aggregate: &Aggregate) -> Type {
    match &aggregate.function {
        AggregateFunction::Count | AggregateFunction::Distinct(_) => Type::Int,
        AggregateFunction::Average(_) => Type::Float,
        AggregateFunction::Sum(value)
        | AggregateFunction::Minimum(value)
        | AggregateFunction::Maximum(value)
        | AggregateFunction::Percentile { value, .. } => match value.node.ty() {
            Type::Int => Type::Int,
            _ => Type::Float,
        },
    }
}

/// Whether a name belongs to the query itself.
fn is_taken(name: &str) -> bool {
    name == TIME || name.starts_with("detc_")
}
