//! Chains of two single events with any condition between them, and one or two events with an absence before or behind.
//!
//! A join of each key's later events with its earlier ones, which keeps for every end its latest start, and for every start
//! its earliest end. Never longer chains: each further event would multiply the rows once more.

use super::ast::{Command, Expression, Name, Operator};
use super::draft::{Draft, Finished, span};
use super::packing::{Packed, decode, encode, pack, unpack};
use super::value::Operand;
use super::window::GREATEST_ID;
use crate::ir::{HitColumn, HitValue, Relation, RelationKind, Sequence, SignalId, StepCondition, StepValue, Value};
use crate::schema::Duration;
use crate::source::{Span, Spanned};

/// Said of every chain.
const CROSS: &str =
    "no key has so many events in one look-back that a comparison of each with each is too much for the cluster";

impl<'a> Draft<'a> {
    /// An ordered chain of one or two events.
    pub(super) fn chain(mut self, sequence: &'a Sequence) -> Option<Finished> {
        if !is_short(sequence) {
            let span = self.stage.behavior.span;
            return self.unsupported(span, "ES|QL follows chains of one or two events only; use another target");
        }
        let mut roles: Vec<SignalId> = Vec::new();
        let absent = sequence.absences.iter().map(|absence| absence.signal);
        for id in sequence.steps.iter().map(|step| step.signal).chain(absent) {
            if !roles.contains(&id) {
                roles.push(id);
            }
        }
        let read = self.read(&roles, &["_id"]);
        self.verdict.assume(CROSS);
        match sequence.steps.as_slice() {
            [only] => {
                read?;
                self.single(sequence, only.signal)
            }
            [first, last] => self.pair(read, sequence, first.signal, last.signal),
            _ => None,
        }
    }

    /// One event beside absences.
    fn single(mut self, sequence: &'a Sequence, id: SignalId) -> Option<Finished> {
        let carried = self.carried(|column| of_step(column, 0, true));
        self.eval(vec![(Name::own("event"), pack(&carried))]);
        let (event, end) = (Name::own("event"), Name::own("end"));
        let mut gathered = vec![(event.clone(), self.gathered(id, Expression::own("event")))];
        gathered.extend(self.absent_times(sequence));
        self.stats(gathered, &[]);
        self.filter(Expression::Column(event.clone()).present());
        self.commands.push(Command::Expand(event.clone()));
        self.commands.extend(unpack(event.clone(), "event", &carried));
        let time = || Expression::own("event_time");
        let window = sequence.window.node;
        if sequence.leading().is_some() {
            let before = Expression::own("before");
            let from = before.clone().binary(Operator::GreaterOrEqual, time().binary(Operator::Minus, span(window)));
            self.absence("before", Expression::all([before.binary(Operator::Less, time()), from]), &event, sequence);
        }
        self.eval(vec![(end.clone(), time())]);
        if sequence.trailing().is_some() {
            let after = Expression::own("after");
            let to = after.clone().binary(Operator::LessOrEqual, time().binary(Operator::Plus, span(window)));
            self.absence("after", Expression::all([after.binary(Operator::Greater, time()), to]), &event, sequence);
            self.eval(vec![(end.clone(), time().binary(Operator::Plus, span(window)))]);
        }
        let kept = vec![(event.clone(), Expression::Call("MAX", vec![Expression::Column(event.clone())]))];
        self.stats(kept, std::slice::from_ref(&end));
        if !carried.is_empty() {
            self.verdict.assume(GREATEST_ID);
            self.commands.extend(unpack(event, "event", &carried));
        }
        Some(self.show(&end, &[], &carried))
    }

    /// Drops the packed events for which some absent event lies where `where_it_counts` says.
    fn absence(&mut self, name: &'static str, where_it_counts: Expression, event: &Name, sequence: &Sequence) {
        self.commands.push(Command::Expand(Name::own(name)));
        let mut stats = vec![(Name::own("broken"), Expression::Call("MAX", vec![Expression::flag(where_it_counts)]))];
        if name == "before" && sequence.trailing().is_some() {
            let after = Expression::own("after");
            stats.push((Name::own("after"), Expression::Call("VALUES", vec![after])));
        }
        self.stats(stats, &[event.clone(), Name::own("event_time")]);
        self.filter(Expression::own("broken").equals(Expression::number(0)));
    }

    /// Columns that gather the times of absent events.
    fn absent_times(&self, sequence: &Sequence) -> Vec<(Name, Expression)> {
        let places = [("before", sequence.leading()), ("after", sequence.trailing())];
        let columns = places.into_iter().filter_map(|(name, absence)| {
            Some((Name::own(name), self.gathered(absence?.signal, Expression::own("time"))))
        });
        columns.collect()
    }

    /// Gathers a value of the signal's events.
    fn gathered(&self, id: SignalId, value: Expression) -> Expression {
        Expression::Call("VALUES", vec![Expression::case(self.is(id), value, Expression::Null)])
    }

    /// Two events, with conditions between them.
    fn pair(mut self, read: Option<()>, sequence: &'a Sequence, first: SignalId, last: SignalId) -> Option<Finished> {
        let mut compared: [Vec<Packed>; 2] = [Vec::new(), Vec::new()];
        let mut conditions = Vec::new();
        for relation in &sequence.relations {
            conditions.push(self.relation(relation, [first, last], &mut compared));
        }
        for condition in &sequence.conditions {
            conditions.push(self.condition(condition, [first, last], &mut compared));
        }
        read?;
        let conditions: Vec<Expression> = conditions.into_iter().collect::<Option<_>>()?;
        let starting = self.carried(|column| of_step(column, 0, false));
        let closing = self.carried(|column| of_step(column, 1, true));
        let [of_first, of_last] = compared;
        let first_values: Vec<Packed> = of_first.iter().chain(&starting).cloned().collect();
        let last_values: Vec<Packed> = of_last.iter().chain(&closing).cloned().collect();
        let (start, end) = (Name::own("start"), Name::own("end"));
        self.eval(vec![(start.clone(), pack(&first_values)), (end.clone(), pack(&last_values))]);
        let mut gathered = vec![
            (start.clone(), self.gathered(first, Expression::own("start"))),
            (end.clone(), self.gathered(last, Expression::own("end"))),
        ];
        gathered.extend(self.absent_times(sequence));
        self.stats(gathered, &[]);
        let there = |name: &Name| Expression::Column(name.clone()).present();
        self.filter(Expression::all([there(&start), there(&end)]));
        self.commands.push(Command::Expand(start.clone()));
        self.commands.extend(unpack(start.clone(), "start", &first_values));
        self.commands.push(Command::Expand(end.clone()));
        self.commands.extend(unpack(end.clone(), "end", &last_values));
        let (from, to) = (|| Expression::own("start_time"), || Expression::own("end_time"));
        let window = sequence.window.node;
        self.filter(Expression::all([
            Expression::own("start_id").binary(Operator::NotEqual, Expression::own("end_id")),
            from().binary(Operator::LessOrEqual, to()),
            from().binary(Operator::GreaterOrEqual, to().binary(Operator::Minus, span(window))),
        ]));
        let values = of_first.iter().chain(&of_last);
        self.eval(values.map(|packed| (packed.name.clone(), decode(&packed.name, &packed.ty))).collect());
        self.filter(Expression::all(conditions));
        let shows = !starting.is_empty() || !closing.is_empty();
        self.latest_start_earliest_end(sequence, shows);
        if sequence.trailing().is_some() {
            self.wait(window, shows);
        } else {
            self.eval(vec![(Name::own("hit"), to())]);
        }
        if shows {
            self.verdict.assume(GREATEST_ID);
            let parts = [Name::own("pair_time"), Name::own("first_time"), Name::own("first_id")]
                .into_iter()
                .chain(first_values.into_iter().map(|packed| packed.name))
                .chain([Name::own("last_time"), Name::own("last_id")])
                .chain(last_values.into_iter().map(|packed| packed.name))
                .collect();
            self.commands.push(Command::Dissect { input: Name::own("pair"), parts });
        }
        let carried: Vec<Packed> = starting.into_iter().chain(closing).collect();
        Some(self.show(&Name::own("hit"), &[], &carried))
    }

    /// Keeps the latest start of each end, then the earliest end of each start. Packed events sort by time.
    fn latest_start_earliest_end(&mut self, sequence: &Sequence, shows: bool) {
        let pair = Name::own("pair");
        let after = || (Name::own("after"), Expression::Call("VALUES", vec![Expression::own("after")]));
        let mut latest = vec![(Name::own("start_time"), Expression::Call("MAX", vec![Expression::own("start_time")]))];
        let mut earliest = vec![(Name::own("end_time"), Expression::Call("MIN", vec![Expression::own("end_time")]))];
        if shows {
            let both = vec![Expression::own("start"), Expression::text("|"), Expression::own("end")];
            latest.push((pair.clone(), Expression::Call("MAX", vec![Expression::Call("CONCAT", both)])));
            let time = Expression::Call("TO_STRING", vec![Expression::own("end_time")]);
            let timed = vec![time, Expression::text("|"), Expression::own("pair")];
            earliest.push((pair, Expression::Call("MIN", vec![Expression::Call("CONCAT", timed)])));
        }
        if sequence.trailing().is_some() {
            latest.push(after());
            earliest.push(after());
        }
        self.stats(latest, &[Name::own("end_time")]);
        self.stats(earliest, &[Name::own("start_time")]);
    }

    /// Keeps the chains behind which no absent event came before the window was over, which is when the hit is.
    fn wait(&mut self, window: Duration, shows: bool) {
        let over = || Expression::own("start_time").binary(Operator::Plus, span(window));
        let after = || Expression::own("after");
        self.commands.push(Command::Expand(Name::own("after")));
        let comes = Expression::all([
            after().binary(Operator::Greater, Expression::own("end_time")),
            after().binary(Operator::LessOrEqual, over()),
        ]);
        let mut stats = vec![(Name::own("broken"), Expression::Call("MAX", vec![Expression::flag(comes)]))];
        if shows {
            stats.push((Name::own("pair"), Expression::Call("MAX", vec![Expression::own("pair")])));
        }
        self.stats(stats, &[Name::own("start_time")]);
        self.filter(Expression::own("broken").equals(Expression::number(0)));
        self.eval(vec![(Name::own("hit"), over())]);
    }

    fn relation(
        &mut self,
        relation: &Relation,
        signals: [SignalId; 2],
        compared: &mut [Vec<Packed>; 2],
    ) -> Option<Expression> {
        let left = self.compared(&relation.left, relation.span, signals, compared);
        let right = self.compared(&relation.right, relation.span, signals, compared);
        let [id, _] = signals;
        let same = self.values(id, relation.span)?.same_operands(left?, right?, relation.case)?;
        Some(match relation.kind {
            RelationKind::Same => same,
            RelationKind::Different => same.denied(),
        })
    }

    fn condition(
        &mut self,
        condition: &Spanned<StepCondition>,
        signals: [SignalId; 2],
        compared: &mut [Vec<Packed>; 2],
    ) -> Option<Expression> {
        match &condition.node {
            StepCondition::And(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.condition(part, signals, compared)).collect();
                Some(Expression::all(parts.into_iter().collect::<Option<Vec<_>>>()?))
            }
            StepCondition::Or(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.condition(part, signals, compared)).collect();
                Some(Expression::any(parts.into_iter().collect::<Option<Vec<_>>>()?))
            }
            StepCondition::Not(inner) => Some(self.condition(inner, signals, compared)?.denied()),
            StepCondition::Equality(relation) => self.relation(relation, signals, compared),
            StepCondition::Ordered { left, order, right } => {
                let one = self.compared(left, condition.span, signals, compared);
                let other = self.compared(right, condition.span, signals, compared);
                let [id, _] = signals;
                self.values(id, condition.span)?.ordered_operands(one?, *order, other?)
            }
        }
    }

    /// A value of a step, packed with the step's event.
    fn compared(
        &mut self,
        value: &StepValue,
        span: Span,
        [first, last]: [SignalId; 2],
        [of_first, of_last]: &mut [Vec<Packed>; 2],
    ) -> Option<Operand> {
        let (id, packed, stem) = if value.step == 0 { (first, of_first, "first") } else { (last, of_last, "last") };
        let operand = self.values(id, span)?.single(&value.value)?;
        let known = packed.iter().find(|known| known.value == operand.expression).map(|known| known.name.clone());
        let name = known.unwrap_or_else(|| {
            let name = Name::own(format!("{stem}_{}", packed.len() + 1));
            let text = encode(operand.expression.clone(), &operand.ty);
            packed.push(Packed { name: name.clone(), value: operand.expression.clone(), text, ty: operand.ty.clone() });
            name
        });
        Some(Operand { expression: Expression::Column(name), ..operand })
    }
}

/// Whether a chain is one that a single join can follow.
pub fn is_short(sequence: &Sequence) -> bool {
    let looks_between = sequence.middle().next().is_some() || sequence.until.is_some();
    let starts_late = sequence.leading().is_some() && !sequence.is_single();
    sequence.steps.len() <= 2 && sequence.steps.iter().all(|step| step.times == 1) && !looks_between && !starts_late
}

/// The values that a column takes of a step's event.
fn of_step(column: &HitColumn, wanted: usize, closes: bool) -> Option<Vec<(SignalId, &Value)>> {
    match &column.value {
        HitValue::Step { step, signal, value } if *step == wanted => Some(vec![(*signal, value)]),
        HitValue::Closing(values) if closes => Some(values.iter().map(|(signal, value)| (*signal, value)).collect()),
        HitValue::Key(_) | HitValue::Aggregate(_) | HitValue::Closing(_) | HitValue::Step { .. } => None,
    }
}
