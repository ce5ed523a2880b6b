//! Values that a key had seldom or never before.
//!
//! A join of the newest instants of each value with its earlier ones; never the first sighting in whatever was read, which
//! would forget that a value seen long ago is new again.

use super::ast::{Command, Expression, Name, Operator};
use super::draft::{Draft, Finished, span};
use super::packing::{Packed, pack, unpack};
use super::window::{GREATEST_ID, closing};
use crate::ir::Rare;
use crate::schema::Type;

/// What stands for a missing tuple.
const NOTHING: &str = "-";

impl Draft<'_> {
    /// `new(..)` and `rare(..)`
    pub(super) fn rare(mut self, rare: &Rare) -> Option<Finished> {
        let read = self.read(&[rare.signal], &["_id"]);
        let tuple = match self.spread_list(rare.signal, &rare.values) {
            Some(value) => Some(value),
            None => self.tuple(rare.signal, &rare.values),
        };
        read?;
        let tuple = tuple?;
        let (value, event, earlier) = (Name::own("value"), Name::own("event"), Name::own("earlier"));
        let column = |name: &Name| Expression::Column(name.clone());
        let text =
            Expression::Call("COALESCE", vec![Expression::Call("TO_BASE64", vec![tuple]), Expression::text(NOTHING)]);
        self.eval(vec![(value.clone(), text)]);
        let has_value = || column(&value).binary(Operator::NotEqual, Expression::text(NOTHING));
        if rare.learning.is_none() {
            self.filter(has_value());
        }
        let carried = self.carried(closing);
        let of_value = Packed { name: value.clone(), value: column(&value), text: column(&value), ty: Type::Text };
        let packed: Vec<Packed> = std::iter::once(of_value).chain(carried.iter().cloned()).collect();
        self.eval(vec![(event.clone(), pack(&packed))]);
        let once = vec![
            (Name::own("amount"), Expression::Call("COUNT", vec![column(&event)])),
            (event.clone(), Expression::Call("MAX", vec![column(&event)])),
        ];
        self.stats(once, &[value.clone(), Name::own("time")]);
        let parts = ["time", "amount"].map(|name| Expression::Call("TO_STRING", vec![Expression::own(name)]));
        let [time, amount] = parts;
        let line = vec![time, Expression::text("|"), amount, Expression::text("|"), column(&value)];
        self.eval(vec![(earlier.clone(), Expression::Call("CONCAT", line))]);
        let is_newest = Expression::all([self.is_newest(&Name::own("time")), has_value()]);
        let gathered = vec![
            (
                event.clone(),
                Expression::Call("VALUES", vec![Expression::case(is_newest, column(&event), Expression::Null)]),
            ),
            (earlier.clone(), Expression::Call("VALUES", vec![column(&earlier)])),
        ];
        // A key that is still learning is known by its other values too.
        let by: &[Name] = if rare.learning.is_some() { &[] } else { std::slice::from_ref(&value) };
        self.stats(gathered, by);
        self.filter(column(&event).present());
        self.commands.push(Command::Expand(event.clone()));
        self.commands.extend(unpack(event.clone(), "event", &packed));
        self.commands.push(Command::Expand(earlier.clone()));
        let names = ["earlier_time", "earlier_amount", "earlier_value"].map(Name::own);
        self.commands.push(Command::Dissect { input: earlier, parts: names.to_vec() });
        let [earlier_time, earlier_amount, earlier_value] = names;
        let number = |name: &Name| (name.clone(), Expression::Call("TO_LONG", vec![column(name)]));
        self.eval(vec![number(&earlier_time), number(&earlier_amount)]);
        let time = || Expression::own("event_time");
        let since = |length| {
            let start = time().binary(Operator::Minus, span(length));
            column(&earlier_time).binary(Operator::GreaterOrEqual, start)
        };
        let in_history = Expression::all([
            column(&earlier_value).equals(column(&value)),
            column(&earlier_time).binary(Operator::Less, time()),
            since(rare.history.node),
        ]);
        let seen = Expression::case(
            in_history,
            column(&earlier_amount),
            Expression::Call("TO_LONG", vec![Expression::number(0)]),
        );
        let mut stats = vec![(Name::own("seen"), Expression::Call("SUM", vec![seen]))];
        if let Some(learning) = &rare.learning {
            let known_until = time().binary(Operator::Minus, span(learning.node));
            let known = Expression::all([
                since(rare.history.node),
                column(&earlier_time).binary(Operator::LessOrEqual, known_until),
            ]);
            stats.push((Name::own("known"), Expression::Call("MAX", vec![Expression::flag(known)])));
        }
        self.stats(stats, &[event.clone(), Name::own("event_time")]);
        let (fewest, most) = rare.earlier;
        let seen = || Expression::own("seen");
        if fewest > 0 {
            self.filter(seen().binary(Operator::GreaterOrEqual, Expression::number(fewest)));
        }
        self.filter(seen().binary(Operator::LessOrEqual, Expression::number(most)));
        if rare.learning.is_some() {
            self.filter(Expression::own("known").equals(Expression::number(1)));
        }
        let instant = Name::own("event_time");
        self.stats(
            vec![(event.clone(), Expression::Call("MAX", vec![column(&event)]))],
            std::slice::from_ref(&instant),
        );
        if !carried.is_empty() {
            self.verdict.assume(GREATEST_ID);
            self.commands.extend(unpack(event, "event", &packed));
        }
        Some(self.show(&instant, &[], &carried))
    }
}
