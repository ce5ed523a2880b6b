//! Windows: aggregates and groups at every instant of the newest interval, or over buckets of the clock.
//!
//! A sliding window is a join of each key's instants with its events, which `VALUES` gathers and `MV_EXPAND` spreads again;
//! it contains both ends and all ties. Never a bucket in its place.

use super::aggregate::Measured;
use super::ast::{Command, Expression, Name, Operator};
use super::draft::{Draft, Finished, span};
use super::packing::{Packed, decode, encode, pack, unpack};
use crate::ir::{
    Aggregate, AggregateFunction, Aggregation, Group, GroupForm, HitColumn, HitValue, SignalId, Value, WindowKind,
};
use crate::schema::{Duration, Type};
use crate::source::Spanned;

/// Said of every query that joins the events of a key.
const CROSS: &str =
    "no key has so many events in one look-back that a comparison of each with each is too much for the cluster";

/// Said where the closing event is shown.
pub const GREATEST_ID: &str =
    "of several events that close a hit at one instant, that with the greatest `_id` is shown";

/// What a window is judged by.
struct Judgement {
    inputs: Vec<(Packed, Expression)>,
    stats: Vec<(Name, Expression)>,
    after: Vec<(Name, Expression)>,
    condition: Expression,
    /// Fewest events of a key whose windows can pass.
    fewest: u64,
}

impl<'a> Draft<'a> {
    /// `count(s) >= n`
    pub(super) fn count(self, name: &str, id: SignalId, at_least: &Spanned<u64>, window: Duration) -> Option<Finished> {
        let aggregate = plain(name, id, AggregateFunction::Count, at_least);
        self.threshold(name, &aggregate, at_least.node, window)
    }

    /// `distinct(s.f) >= n`
    pub(super) fn distinct(
        self,
        name: &str,
        id: SignalId,
        values: &[Spanned<Value>],
        at_least: &Spanned<u64>,
        window: Duration,
    ) -> Option<Finished> {
        let aggregate = plain(name, id, AggregateFunction::Distinct(values.to_vec()), at_least);
        self.threshold(name, &aggregate, at_least.node, window)
    }

    fn threshold(mut self, name: &str, aggregate: &Aggregate, at_least: u64, window: Duration) -> Option<Finished> {
        let read = self.read(&[aggregate.signal], &["_id"]);
        let spread = match &aggregate.function {
            AggregateFunction::Distinct(values) => self.spread_list(aggregate.signal, values),
            AggregateFunction::Count
            | AggregateFunction::Sum(_)
            | AggregateFunction::Average(_)
            | AggregateFunction::Minimum(_)
            | AggregateFunction::Maximum(_)
            | AggregateFunction::Percentile { .. } => None,
        };
        let measured = self.measure_of(0, aggregate, spread);
        read?;
        let measured = measured?;
        let condition = measured.number.clone().binary(Operator::GreaterOrEqual, Expression::number(at_least));
        let number = measured.number.clone();
        let judgement = Judgement { fewest: at_least, ..judgement(vec![measured], condition) };
        self.slide(judgement, window, &[(name, number)])
    }

    /// A condition on several aggregates.
    pub(super) fn aggregation(mut self, aggregation: &'a Aggregation) -> Option<Finished> {
        let signals = aggregation.signals();
        let read = self.read(&signals, &["_id"]);
        let mut measured = Vec::new();
        for (index, aggregate) in aggregation.aggregates.iter().enumerate() {
            measured.push(self.measure(index, aggregate));
        }
        read?;
        let measured: Vec<Measured> = measured.into_iter().collect::<Option<_>>()?;
        let condition = self.judged(&aggregation.condition, &measured)?;
        let numbers: Vec<(&str, Expression)> = aggregation
            .aggregates
            .iter()
            .zip(&measured)
            .map(|(aggregate, measured)| (aggregate.name.as_str(), measured.number.clone()))
            .collect();
        let judgement = judgement(measured, condition);
        match aggregation.kind {
            WindowKind::Sliding => self.slide(judgement, aggregation.window.node, &numbers),
            WindowKind::Fixed => Some(self.fixed(judgement, aggregation.window.node, &numbers)),
        }
    }

    /// Several signals in one window.
    pub(super) fn group(mut self, group: &Group) -> Option<Finished> {
        let signals: Vec<SignalId> = group.members.iter().map(|member| member.signal).collect();
        self.read(&signals, &["_id"])?;
        let mut inputs = Vec::new();
        let mut stats = Vec::new();
        let mut sum: Option<Expression> = None;
        for (index, member) in group.members.iter().enumerate() {
            let input = Name::own(format!("value_{}", index + 1));
            let result = Name::own(format!("number_{}", index + 1));
            let value = Expression::Column(input.clone());
            let packed =
                Packed { name: input, value: value.clone(), text: encode(value.clone(), &Type::Int), ty: Type::Int };
            inputs.push((packed, Expression::flag(self.is(member.signal))));
            stats.push((result.clone(), Expression::Call("MAX", vec![value])));
            let found = Expression::Column(result);
            let weighted = match member.weight {
                1 => found,
                weight => found.binary(Operator::Times, Expression::number(weight)),
            };
            sum = Some(match sum {
                Some(sum) => sum.binary(Operator::Plus, weighted),
                None => weighted,
            });
        }
        let score = Name::own("score");
        let after = vec![(score.clone(), sum?)];
        let number = Expression::Column(score);
        let condition = number.clone().binary(Operator::GreaterOrEqual, Expression::number(group.at_least.node));
        let judgement = Judgement { inputs, stats, after, condition, fewest: 1 };
        let numbers = [("score", number)];
        let numbers = if group.form == GroupForm::Score { numbers.as_slice() } else { &[] };
        self.slide(judgement, group.window.node, numbers)
    }

    /// Joins the instants of the newest interval with the events of their windows.
    fn slide(mut self, judgement: Judgement, window: Duration, numbers: &[(&str, Expression)]) -> Option<Finished> {
        self.verdict.assume(CROSS);
        let carried = self.carried(closing);
        let inputs: Vec<Packed> = judgement.inputs.iter().map(|(packed, _)| packed.clone()).collect();
        let (instant, events) = (Name::own("instant"), Name::own("window"));
        self.eval(judgement.inputs.into_iter().map(|(packed, value)| (packed.name, value)).collect());
        self.eval(vec![(Name::own("event"), pack(inputs.iter().chain(&carried)))]);
        let gathered = vec![
            (instant.clone(), Expression::Call("VALUES", vec![Expression::own("time")])),
            (events.clone(), Expression::Call("VALUES", vec![Expression::own("event")])),
        ];
        self.stats(gathered, &[]);
        if judgement.fewest > 1 {
            let amount = Expression::Call("MV_COUNT", vec![Expression::Column(events.clone())]);
            self.filter(amount.binary(Operator::GreaterOrEqual, Expression::number(judgement.fewest)));
        }
        self.commands.push(Command::Expand(instant.clone()));
        self.newest(&instant);
        self.commands.push(Command::Expand(events.clone()));
        self.commands.extend(unpack(events.clone(), "window", inputs.iter().chain(&carried)));
        self.eval(inputs.iter().map(|packed| (packed.name.clone(), decode(&packed.name, &packed.ty))).collect());
        let time = || Expression::own("window_time");
        let at = || Expression::Column(instant.clone());
        self.filter(Expression::all([
            time().binary(Operator::LessOrEqual, at()),
            time().binary(Operator::GreaterOrEqual, at().binary(Operator::Minus, span(window))),
        ]));
        let mut stats: Vec<(Name, Expression)> =
            judgement.stats.into_iter().map(|(name, value)| (name, in_window(value))).collect();
        let last = Name::own("last");
        if !carried.is_empty() {
            self.verdict.assume(GREATEST_ID);
            let closes = Expression::case(time().equals(at()), Expression::Column(events), Expression::Null);
            stats.push((last.clone(), Expression::Call("MAX", vec![closes])));
        }
        self.stats(stats, std::slice::from_ref(&instant));
        self.eval(judgement.after);
        self.filter(judgement.condition);
        if !carried.is_empty() {
            self.commands.extend(unpack(last, "last", inputs.iter().chain(&carried)));
        }
        Some(self.show(&instant, numbers, &carried))
    }

    /// Buckets of the clock, decided at their end.
    fn fixed(mut self, judgement: Judgement, window: Duration, numbers: &[(&str, Expression)]) -> Finished {
        let slot = Name::own("slot");
        self.eval(judgement.inputs.into_iter().map(|(packed, value)| (packed.name, value)).collect());
        self.eval(vec![(slot.clone(), Expression::own("time").binary(Operator::Divide, span(window)))]);
        self.stats(judgement.stats, std::slice::from_ref(&slot));
        self.eval(judgement.after);
        self.filter(judgement.condition);
        let next = Expression::Column(slot).binary(Operator::Plus, Expression::number(1));
        let instant = Name::own("instant");
        self.eval(vec![(instant.clone(), next.binary(Operator::Times, span(window)))]);
        self.show(&instant, numbers, &[])
    }
}

/// The values that a column takes of the closing event.
pub fn closing(column: &HitColumn) -> Option<Vec<(SignalId, &Value)>> {
    match &column.value {
        HitValue::Closing(values) => Some(values.iter().map(|(signal, value)| (*signal, value)).collect()),
        HitValue::Key(_) | HitValue::Aggregate(_) | HitValue::Step { .. } => None,
    }
}

/// A statistic over the events of a window, whose time has another name than that of the events read.
fn in_window(statistic: Expression) -> Expression {
    match statistic {
        Expression::Call("COUNT", arguments) if arguments.as_slice() == [Expression::own("time")] => {
            Expression::Call("COUNT", vec![Expression::own("window_time")])
        }
        other => other,
    }
}

fn judgement(measured: Vec<Measured>, condition: Expression) -> Judgement {
    let mut judgement = Judgement { inputs: Vec::new(), stats: Vec::new(), after: Vec::new(), condition, fewest: 1 };
    for measured in measured {
        judgement.inputs.extend(measured.input);
        judgement.stats.extend(measured.stats);
        judgement.after.extend(measured.after);
    }
    judgement
}

fn plain(name: &str, signal: SignalId, function: AggregateFunction, at_least: &Spanned<u64>) -> Aggregate {
    Aggregate { name: name.to_owned(), signal, function, filter: None, span: at_least.span }
}
