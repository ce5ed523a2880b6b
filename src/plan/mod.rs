//! Turns a behaviour into a pipeline of operators for the languages that are pipelines themselves.
//!
//! Never looks at a target: what a language cannot express is decided in its backend.

use serde::Serialize;

use std::sync::Arc;

use crate::ir::{
    Behavior, CaseRule, HitColumn, Relation, RelationKind, Sequence, Signal, SignalId, Stage, StepValue, Value,
};
use crate::schema::{Duration, Source};
use crate::source::{Span, Spanned};

/// What a query does, in order. Each operator takes the rows of the one before it.
#[derive(Debug, Clone, Serialize)]
pub struct Pipeline<'a> {
    /// The operators; the first is always [`Operator::Read`], the last [`Operator::Show`].
    pub operators: Vec<Operator<'a>>,
}

/// One operator of a pipeline.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Operator<'a> {
    /// Reads the events of each source that satisfy any of its signals.
    Read(Vec<Input<'a>>),
    /// Flags each event with the signals that it satisfies; only where there are several.
    Mark(Vec<SignalId>),
    /// Keeps events that have every key and groups what follows by them; only where there are keys.
    Key,
    /// Keeps instants at which so many events of the key lie in the window closed at both ends.
    Nth {
        /// How many events, at least 1.
        at_least: u64,
        /// Length of the window.
        window: Duration,
    },
    /// Keeps instants at which so many distinct tuples of the key lie in the window closed at both ends.
    Spread {
        /// The values of a tuple.
        values: &'a [Spanned<Value>],
        /// How many tuples, at least 1.
        at_least: u64,
        /// Length of the window.
        window: Duration,
    },
    /// Keeps instants that close an ordered chain, once per start.
    Chain(Chain<'a>),
    /// Keeps what closed in the newest interval.
    Newest,
    /// Keeps the columns that an alert shows.
    Show(&'a [HitColumn]),
}

/// Events of one source.
#[derive(Debug, Clone, Serialize)]
pub struct Input<'a> {
    /// The source.
    #[serde(serialize_with = "source_name")]
    pub source: &'a Arc<Source>,
    /// Its signals, in the order of the detection.
    pub signals: Vec<SignalId>,
}

/// An ordered chain of different events.
#[derive(Debug, Clone, Serialize)]
pub struct Chain<'a> {
    /// One link for each event: a step of `{3}` is three links.
    pub links: Vec<Link>,
    /// Longest time from the first event to the last.
    pub window: Duration,
    /// Pairs of different signals of the chain that one event could satisfy, smaller identity first.
    pub overlaps: Vec<(SignalId, SignalId)>,
    /// Conditions between links.
    pub conditions: Conditions<'a>,
}

/// One event of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Link {
    /// Signal that the event satisfies.
    pub signal: SignalId,
    /// Index of the step that the link belongs to.
    pub step: usize,
    /// Whether it is the last event of its step, which the step's name means.
    pub names_step: bool,
}

/// Conditions between the links of a chain, in the forms that have linear shapes.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Conditions<'a> {
    /// None.
    Free,
    /// Every link agrees in each of these.
    Agree(Vec<Agreement<'a>>),
    /// Two links differ in one value; they name the links' indexes.
    Differ {
        /// The condition.
        relation: &'a Relation,
        /// Index of the earlier link.
        earlier: usize,
        /// Index of the later link.
        later: usize,
    },
    /// Anything else.
    Other(&'a [Relation]),
}

/// A value in which all links of a chain agree; an event that lacks it takes no part.
#[derive(Debug, Clone, Serialize)]
pub struct Agreement<'a> {
    /// The value on each step, one per step, in order.
    pub values: Vec<&'a StepValue>,
    /// How strings compare.
    pub case: CaseRule,
}

/// Lowers a detection's behaviour.
#[must_use]
pub fn lower(stage: &Stage) -> Pipeline<'_> {
    let mut operators = vec![Operator::Read(inputs(stage))];
    let signals = stage.behavior.node.signals();
    if signals.len() > 1 {
        operators.push(Operator::Mark(signals));
    }
    if !stage.keys.is_empty() {
        operators.push(Operator::Key);
    }
    match &stage.behavior.node {
        Behavior::Event { .. } => {}
        Behavior::Count { at_least, window, .. } => {
            operators.push(Operator::Nth { at_least: at_least.node, window: window.node });
        }
        Behavior::Distinct { values, at_least, window, .. } => {
            operators.push(Operator::Spread { values, at_least: at_least.node, window: window.node });
        }
        Behavior::Sequence(sequence) => operators.push(Operator::Chain(chain(stage, sequence))),
        Behavior::Aggregation(_)
        | Behavior::Group(_)
        | Behavior::Rare(_)
        | Behavior::Baseline(_)
        | Behavior::Travel(_) => {}
    }
    operators.push(Operator::Newest);
    operators.push(Operator::Show(&stage.columns));
    Pipeline { operators }
}

/// The place where two signals of one source disagree about a key although one event could satisfy both.
///
/// Such an event would take part under two keys at once, which no single pass over the events can do.
#[must_use]
pub fn key_conflict(stage: &Stage) -> Option<Span> {
    for (index, one) in stage.signals.iter().enumerate() {
        for other in stage.signals.iter().skip(index + 1) {
            if let Some(span) = one.key_conflict(other) {
                return Some(span);
            }
        }
    }
    None
}

fn inputs(stage: &Stage) -> Vec<Input<'_>> {
    let signals = stage.behavior.node.signals();
    let mut sources: Vec<&Arc<Source>> = Vec::new();
    for signal in stage.signals.iter().filter(|signal| signal.stage.is_none()) {
        if !sources.iter().any(|known| known.name == signal.source.name) {
            sources.push(&signal.source);
        }
    }
    sources
        .into_iter()
        .map(|source| {
            let reads = |signal: &Signal| signal.stage.is_none() && signal.source.name == source.name;
            let of_source = |id: &SignalId| stage.signal(*id).is_some_and(reads);
            Input { source, signals: signals.iter().copied().filter(of_source).collect() }
        })
        .filter(|input| !input.signals.is_empty())
        .collect()
}

fn chain<'a>(stage: &'a Stage, sequence: &'a Sequence) -> Chain<'a> {
    let Sequence { steps, relations, .. } = sequence;
    let mut links = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        for time in 1..=step.times {
            links.push(Link { signal: step.signal, step: index, names_step: time == step.times });
        }
    }
    let conditions = conditions(&links, steps.len(), relations);
    Chain { links, window: sequence.window.node, overlaps: overlaps(stage), conditions }
}

fn overlaps(stage: &Stage) -> Vec<(SignalId, SignalId)> {
    let signals = stage.behavior.node.signals();
    let mut pairs = Vec::new();
    for (index, &one) in signals.iter().enumerate() {
        for &other in signals.iter().skip(index + 1) {
            let (Some(left), Some(right)) = (stage.signal(one), stage.signal(other)) else { continue };
            if !left.meets(right).is_empty() {
                pairs.push((one.min(other), one.max(other)));
            }
        }
    }
    pairs
}

fn conditions<'a>(links: &[Link], steps: usize, relations: &'a [Relation]) -> Conditions<'a> {
    if relations.is_empty() {
        return Conditions::Free;
    }
    if let Some(groups) = agreements(links, steps, relations) {
        return Conditions::Agree(groups);
    }
    if let [relation] = relations
        && relation.kind == RelationKind::Different
    {
        let position = |step: usize| links.iter().position(|link| link.step == step && link.names_step);
        if let (Some(earlier), Some(later)) = (position(relation.left.step), position(relation.right.step))
            && earlier < later
        {
            return Conditions::Differ { relation, earlier, later };
        }
    }
    Conditions::Other(relations)
}

/// Groups equalities into values that all steps share; `None` when some value is not shared by every step,
/// some step stands for several events, or a condition is no equality.
fn agreements<'a>(links: &[Link], steps: usize, relations: &'a [Relation]) -> Option<Vec<Agreement<'a>>> {
    if links.len() != steps || relations.iter().any(|relation| relation.kind != RelationKind::Same) {
        return None;
    }
    let mut groups: Vec<Agreement<'_>> = Vec::new();
    for relation in relations {
        let mut values = vec![&relation.left, &relation.right];
        let mut separate = Vec::new();
        for group in groups {
            if group.values.contains(&&relation.left) || group.values.contains(&&relation.right) {
                if group.case != relation.case {
                    return None;
                }
                values.extend(group.values);
            } else {
                separate.push(group);
            }
        }
        let mut unique: Vec<&StepValue> = Vec::new();
        for value in values {
            if !unique.contains(&value) {
                unique.push(value);
            }
        }
        separate.push(Agreement { values: unique, case: relation.case });
        groups = separate;
    }
    for group in &mut groups {
        group.values.sort_by_key(|value| value.step);
        let in_order = group.values.iter().enumerate().all(|(index, value)| value.step == index);
        if group.values.len() != steps || !in_order {
            return None;
        }
    }
    Some(groups)
}

/// In data a source is its name.
fn source_name<S: serde::Serializer>(source: &Source, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&source.name)
}
