//! Lowers signals of one source to a rule over single events.

use super::ast::{Comparison, Item, LogSource, Rule, Text, Value as SigmaValue};
use super::expression::{Lowering, Scope};
use super::tree::Tree;
use super::{field, heading, layout};
use crate::backend::{Fidelity, ReasonCode, Request, Verdict};
use crate::ir::{FieldRef, Predicate, Signal, SignalId, Stage, Value};
use crate::schema::mapping::FieldMap;
use crate::source::Spanned;

/// The events of one signal that a rule matches.
pub(super) struct Events<'a> {
    /// The signal.
    pub(super) signal: &'a Signal,
    /// What an event has to satisfy besides.
    pub(super) filter: Option<&'a Spanned<Predicate>>,
    /// The fields that an event has to have to take part in a correlation.
    pub(super) counted: Vec<Spanned<FieldRef>>,
}

/// The field map of a signal's source; adds a reason where there is none.
pub(super) fn map<'a>(request: &Request<'a>, signal: &Signal, verdict: &mut Verdict) -> Option<&'a FieldMap> {
    let map = request.target.maps.get(&signal.source.name);
    if map.is_none() {
        let message =
            format!("the target `{}` does not carry the source `{}`", request.target.name, signal.source.name);
        verdict.add(ReasonCode::MissingSource, signal.name.span, message);
    }
    map.map(AsRef::as_ref)
}

/// Lowers events of one source: those of any of the signals, which belong to the stage.
pub(super) fn lower(
    request: &Request<'_>,
    stage: &Stage,
    events: &[Events<'_>],
    verdict: &mut Verdict,
) -> Option<Rule> {
    let first = events.first()?.signal;
    let map = map(request, first, verdict)?;
    let logsource = logsource(map, first, verdict)?;
    let mut tree = tree(map, events, verdict);
    match tree {
        Tree::Constant(false) => {
            // What was refused stands in the tree as a constant.
            if verdict.fidelity() < Fidelity::Unsupported {
                let message = "no event can satisfy this, and Sigma has no rule that matches nothing";
                verdict.add(ReasonCode::UnsupportedExpression, first.predicate.span, message);
            }
            return None;
        }
        // Every event has a time, so this is every event of the source.
        Tree::Constant(true) => {
            let (comparison, values) = (Comparison::Whole { cased: false }, vec![SigmaValue::Null]);
            let item = Item { field: map.time.clone(), comparison, values };
            tree = Tree::not(Tree::Leaf { item, element: false });
        }
        Tree::Leaf { .. } | Tree::Not(_) | Tree::And(_) | Tree::Or(_) => {}
    }
    if negates(&tree) {
        verdict.assume("a condition on an absent or null field is false, and its `not` is true");
    }
    let detection = layout::lay_out(&tree);
    let fields = fields(stage, events, map);
    let (heading, footing) = (heading::of_detection(request.detection), heading::end_of_detection(request.detection));
    Some(Rule { heading, logsource, detection, fields, footing })
}

/// Any of the signals' conditions, with the fields that an event has to have.
fn tree(map: &FieldMap, events: &[Events<'_>], verdict: &mut Verdict) -> Tree {
    let mut lowering = Lowering { map, verdict };
    let mut trees: Vec<Tree> = Vec::new();
    for events in events {
        let predicates = std::iter::once(&events.signal.predicate).chain(events.filter);
        let parts = predicates.map(|predicate| lowering.predicate(predicate, Scope::EVENT)).collect();
        trees.push(Tree::all(parts));
    }
    let counted: Vec<&[Spanned<FieldRef>]> = events.iter().map(|events| events.counted.as_slice()).collect();
    match counted.split_first() {
        // Signals that need the same fields say so once.
        Some((first, others)) if others.iter().all(|other| other == first) => {
            with_fields(map, &mut lowering, Tree::any(trees), first)
        }
        _ => {
            let trees = trees.into_iter().zip(counted);
            Tree::any(trees.map(|(tree, counted)| with_fields(map, &mut lowering, tree, counted)).collect())
        }
    }
}

fn with_fields(map: &FieldMap, lowering: &mut Lowering<'_>, tree: Tree, counted: &[Spanned<FieldRef>]) -> Tree {
    let mut parts = vec![tree.clone()];
    for field in counted {
        let name = field::find(map, &Value::Field(field.node.clone())).map(|bound| bound.name);
        if let (Ok(name), Some(missing)) = (name, lowering.missing(&field.node))
            && !tree.demands(&name)
        {
            parts.push(Tree::not(missing));
        }
    }
    Tree::all(parts)
}

fn logsource(map: &FieldMap, signal: &Signal, verdict: &mut Verdict) -> Option<LogSource> {
    let place = |key| map.place(key).map(|text| Text(text.to_owned()));
    let logsource = LogSource { category: place("category"), product: place("product"), service: place("service") };
    if logsource.category.is_none() && logsource.product.is_none() && logsource.service.is_none() {
        let message = format!(
            "Sigma has no log source for `{}`: the field map names no product, service or category",
            map.source
        );
        verdict.add(ReasonCode::MissingSource, signal.name.span, message);
        return None;
    }
    Some(logsource)
}

/// The fields that an analyst should see: the event's time, then what is keyed by, counted or shown, as far as it is a field.
fn fields(stage: &Stage, events: &[Events<'_>], map: &FieldMap) -> Vec<Text> {
    let is_meant = |id: SignalId| {
        let meant = stage.signal(id);
        meant.is_some_and(|meant| events.iter().any(|events| std::ptr::eq(events.signal, meant)))
    };
    let counted = events.iter().flat_map(|events| &events.counted);
    let counted: Vec<Value> = counted.map(|field| Value::Field(field.node.clone())).collect();
    let columns = stage.columns.iter().flat_map(|column| column.event_values());
    let columns = columns.filter(|(signal, _)| is_meant(*signal)).map(|(_, value)| value);
    let mut fields: Vec<Text> = Vec::new();
    for value in std::iter::once(&Value::Time).chain(&counted).chain(columns) {
        if let Ok(bound) = field::find(map, value)
            && !fields.iter().any(|known| known.0 == bound.name)
        {
            fields.push(Text(bound.name));
        }
    }
    // The time alone tells an analyst nothing about what to look at.
    if fields.len() == 1 { Vec::new() } else { fields }
}

fn negates(tree: &Tree) -> bool {
    match tree {
        Tree::Constant(_) | Tree::Leaf { .. } => false,
        Tree::Not(_) => true,
        Tree::And(parts) | Tree::Or(parts) => parts.iter().any(negates),
    }
}
