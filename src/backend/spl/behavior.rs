//! A stage from its signals to its hits: the head of the search and the shape of its behaviour.
//!
//! Never merges shapes: each behaviour has its own.

use super::columns::Shown;
use super::context::Context;
use super::count::MOST_ROWS;
use super::read::Head;
use crate::ir::{
    self, Aggregate, AggregateCondition, AggregateFunction, Aggregation, Arithmetic, Behavior, Decimal,
    NumberComparison, Order, SignalId, WindowKind,
};
use crate::plan::{self, Operator};
use crate::schema::Duration;
use crate::source::Spanned;

impl Context<'_> {
    /// One row for each hit of the stage; `None` only after a reason was added.
    pub(super) fn hits(&mut self, shown: &mut Shown) -> Option<Head> {
        let stage = self.stage;
        let pipeline = plan::lower(stage);
        let mut head = if stage.is_composed() { self.composed(&pipeline)? } else { self.events(&pipeline)? };
        if !matches!(stage.behavior.node, Behavior::Event { .. }) {
            self.keys(&mut head);
        }
        self.verdict.assume("every event is delivered once");
        match &stage.behavior.node {
            Behavior::Event { .. } => self.any_event(&mut head, shown),
            Behavior::Count { name, signal, at_least, window } if self.wants_numbers() || at_least.node > MOST_ROWS => {
                let aggregate = counted(name, *signal, AggregateFunction::Count, at_least);
                self.sweep(&mut head, &at_least_so_many(aggregate, at_least, window), shown);
            }
            Behavior::Count { signal, at_least, window, .. } => {
                self.nth(&mut head, *signal, at_least.node, window.node, shown);
            }
            Behavior::Distinct { signal, values, at_least, window, .. } => {
                self.spread(&mut head, *signal, values, at_least.node, window.node, shown);
            }
            Behavior::Aggregation(aggregation) => match aggregation.kind {
                WindowKind::Sliding => self.sweep(&mut head, aggregation, shown),
                WindowKind::Fixed => self.fixed(&mut head, aggregation, shown),
            },
            Behavior::Sequence(sequence) => {
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
                let mut chain = chain.clone();
                if stage.is_composed() {
                    self.overlaps_of_hits(&mut chain);
                    if stage.signals.len() > 1 && !chain.overlaps.is_empty() {
                        self.merge_lanes(&mut head);
                    }
                }
                self.sequence(&mut head, sequence, &chain, shown);
            }
            Behavior::Group(group) => self.group(&mut head, group, shown),
            Behavior::Rare(rare) => self.rare(&mut head, rare, shown),
            Behavior::Baseline(baseline) => self.baseline(&mut head, baseline, shown),
            Behavior::Travel(travel) => self.travel(&mut head, travel, shown),
        }
        Some(head)
    }

    /// The hits that are the events of the stage's signals.
    fn composed(&mut self, pipeline: &plan::Pipeline<'_>) -> Option<Head> {
        let stage = self.stage;
        if let [signal] = stage.signals.as_slice() {
            let mut head = self.events_of_hits(signal)?;
            head.timed = true;
            return Some(head);
        }
        self.beside(inputs(pipeline)?)
    }

    /// The events of the stage's signals.
    fn events(&mut self, pipeline: &plan::Pipeline<'_>) -> Option<Head> {
        self.read(inputs(pipeline)?)
    }
}

/// What a pipeline reads.
fn inputs<'p, 'a>(pipeline: &'p plan::Pipeline<'a>) -> Option<&'p [plan::Input<'a>]> {
    pipeline.operators.iter().find_map(|operator| match operator {
        Operator::Read(inputs) => Some(inputs.as_slice()),
        Operator::Mark(_)
        | Operator::Key
        | Operator::Nth { .. }
        | Operator::Spread { .. }
        | Operator::Chain(_)
        | Operator::Newest
        | Operator::Show(_) => None,
    })
}

fn counted(name: &str, signal: SignalId, function: AggregateFunction, at_least: &Spanned<u64>) -> Aggregate {
    Aggregate { name: name.to_owned(), signal, function, filter: None, span: at_least.span }
}

/// A plain threshold as the aggregation that it is, for hits that carry the number.
fn at_least_so_many(aggregate: Aggregate, at_least: &Spanned<u64>, window: &Spanned<Duration>) -> Aggregation {
    let limit = Decimal::parse_number(&at_least.node.to_string()).map_or(Arithmetic::Aggregate(0), Arithmetic::Number);
    let condition = AggregateCondition::Compare {
        left: Arithmetic::Aggregate(0),
        operator: NumberComparison::Ordered(Order::GreaterOrEqual),
        right: limit,
    };
    ir::Aggregation {
        aggregates: vec![aggregate],
        condition: Spanned::new(condition, at_least.span),
        window: *window,
        kind: WindowKind::Sliding,
    }
}
