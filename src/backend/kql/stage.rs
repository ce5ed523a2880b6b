//! A stage's hits as a table: one row for each, with its time, its keys and the columns that are asked for.
//!
//! Never knows what a behaviour means: each has a shape of its own.

use super::ast::{Assignment, Expr, Kind, Stage, Table};
use super::columns::{Columns, number_type};
use super::reader::{Context, Reader};
use super::{aggregate, baseline, event, group, rare, sequence, travel, window};
use crate::backend::ReasonCode;
use crate::ir::{self, Behavior, HitValue, Predicate, SignalId};
use crate::plan::{self, Operator};
use crate::schema::mapping::{Access, Column};
use crate::schema::{Case, FieldPath, Type};

/// A field of a hit, as an outer stage or a filter names it.
#[derive(Debug, Clone)]
pub(super) struct HitField {
    /// The field's name.
    pub(super) name: String,
    /// The column that holds it.
    pub(super) column: String,
    /// The column's type.
    pub(super) ty: Type,
}

impl HitField {
    /// The field as a column of a table.
    pub(super) fn column(&self) -> Column {
        Column {
            path: self.column.clone(),
            access: Access::Direct,
            ty: Some(self.ty.clone()),
            literals: std::collections::BTreeMap::new(),
            // Where a value comes from is not known any more, nor whether its casing is that of the schema.
            case: Some(Case::Any),
            lossy: None,
            rest: FieldPath::default(),
        }
    }
}

/// The hits of the stage that is being lowered; the reasons why there are none are in the verdict.
pub(super) fn hits<'a>(context: &mut Context<'a>, columns: &Columns<'a>) -> Option<Table> {
    note_ties(context, columns);
    match &context.stage.behavior.node {
        Behavior::Event { signals } => event::event(context, signals, columns),
        Behavior::Count { signal, at_least, window, .. } => {
            window::count(context, *signal, at_least.node, window.node, columns)
        }
        Behavior::Distinct { signal, values, at_least, window, .. } => {
            window::distinct(context, *signal, values, at_least.node, window.node, columns)
        }
        Behavior::Sequence(_) => {
            let pipeline = plan::lower(context.stage);
            let chain = pipeline.operators.iter().find_map(|operator| match operator {
                Operator::Chain(chain) => Some(chain),
                Operator::Read(_)
                | Operator::Mark(_)
                | Operator::Key
                | Operator::Nth { .. }
                | Operator::Spread { .. }
                | Operator::Newest
                | Operator::Show(_) => None,
            })?;
            sequence::sequence(context, chain, columns)
        }
        Behavior::Group(group) => group::group(context, group, columns),
        Behavior::Rare(rare) => rare::rare(context, rare, columns),
        Behavior::Aggregation(aggregation) => aggregate::aggregation(context, aggregation, columns),
        Behavior::Baseline(baseline) => baseline::baseline(context, baseline, columns),
        Behavior::Travel(travel) => travel::travel(context, travel, columns),
    }
}

/// The name of the table of a signal's hits, and their fields.
pub(super) fn named<'a>(
    context: &mut Context<'a>,
    id: SignalId,
    signal: &str,
    stage: &'a ir::Stage,
) -> Option<(String, Vec<HitField>)> {
    let decisive = std::mem::take(&mut context.decisive);
    let inner = decisive_on(context.stage, id, &decisive);
    let outer = (context.stage, context.lookback, context.is_inner, decisive);
    context.decisive = inner;
    context.stage = stage;
    context.lookback = stage.behavior.node.lookback().plus(outer.1);
    context.is_inner = true;
    let columns = Columns::of(context);
    let table = hits(context, &columns);
    let fields = fields(stage, &columns);
    (context.stage, context.lookback, context.is_inner, context.decisive) = outer;
    let name = context.bind(&format!("detc_{signal}"), table?.with(Stage::Project(columns.all())));
    Some((name, fields))
}

/// The fields of a stage's hits.
fn fields(stage: &ir::Stage, columns: &Columns<'_>) -> Vec<HitField> {
    let mut fields: Vec<HitField> = Vec::new();
    for column in &stage.columns {
        let field = |name: &str, ty| HitField { name: column.name.clone(), column: name.to_owned(), ty };
        let carried = || columns.carried.iter().find(|carried| carried.column.name == column.name);
        match &column.value {
            HitValue::Key(index) => fields.extend(columns.keys.get(*index).map(|key| field(key, Type::Text))),
            HitValue::Aggregate(index) => {
                fields.extend(carried().map(|carried| field(&carried.name, number_type(stage, *index))));
            }
            HitValue::Closing(_) | HitValue::Step { .. } => {
                let ty = column.event_type().unwrap_or(Type::Text);
                // Lengths of time are carried as text.
                let ty = if ty == Type::Duration { Type::Text } else { ty };
                fields.extend(carried().map(|carried| field(&carried.name, ty)));
            }
        }
    }
    fields
}

/// The operators that keep the hits that pass the detection's filter.
pub(super) fn filter<'a>(context: &mut Context<'a>, columns: &Columns<'a>) -> Vec<Stage> {
    let filter = &context.request.detection.filter;
    if filter.node == Predicate::Constant(true) {
        return Vec::new();
    }
    let fields = fields(context.stage, columns);
    Reader::of_hits(context, fields).map_or_else(Vec::new, |mut reader| reader.filter(filter))
}

/// Names of the columns of a signal's hits that decide something; those that an alert only shows do not.
fn decisive_on(stage: &ir::Stage, id: SignalId, decisive: &[String]) -> Vec<String> {
    let mut stage = stage.clone();
    stage.columns.retain(|column| decisive.contains(&column.name));
    stage.fields_on(id).into_iter().map(|field| field.path.to_string()).collect()
}

/// Notes where a choice among the events of one instant can matter, since an outer stage or a filter looks at it.
fn note_ties(context: &mut Context<'_>, columns: &Columns<'_>) {
    if matches!(context.stage.behavior.node, Behavior::Event { .. }) {
        return;
    }
    for carried in columns.of_events().filter(|carried| context.decisive.contains(&carried.column.name)) {
        let message = format!(
            "where several events of one instant close a hit, `{}` can be that of another than the one that sorts last",
            carried.column.name
        );
        context.verdict.add(ReasonCode::TieChoice, carried.column.span, message);
    }
}

/// Keeps one row for each hit: of the rows of one instant that with the largest value of a column.
pub(super) fn instants(columns: &Columns<'_>) -> Stage {
    let by = columns.instant();
    let text = columns.of_events().find(|column| column.kind() == Kind::Text);
    let number = columns.numbers().into_iter().map(|(column, _)| column).next();
    match number.or(text) {
        Some(column) => largest(&column.name, by),
        None if columns.carried.is_empty() => Stage::Distinct(by),
        None => any_of_instant(columns),
    }
}

/// Keeps one row for each instant of events that close hits.
pub(super) fn closing(columns: &Columns<'_>) -> Stage {
    let by = columns.instant();
    match columns.of_events().find(|column| column.kind() == Kind::Text) {
        Some(column) => largest(&column.name, by),
        None => any_of_instant(columns),
    }
}

/// Keeps any one row for each instant.
fn any_of_instant(columns: &Columns<'_>) -> Stage {
    let mut by: Vec<Assignment> = columns.keys.iter().map(Assignment::keep).collect();
    by.push(Assignment::new("detc_time", Expr::column(super::frame::TIME)));
    Stage::Extreme { which: super::ast::Extreme::Largest, of: super::frame::TIME.to_owned(), by }
}

fn largest(of: &str, by: Vec<String>) -> Stage {
    let by = by.into_iter().map(Assignment::keep).collect();
    Stage::Extreme { which: super::ast::Extreme::Largest, of: of.to_owned(), by }
}
