//! Two consecutive places too far apart for the time between them.
//!
//! Never looks an address up: the ingest pipeline has located it when the event arrived.

use super::ast::{Command, Expression, Name, Operator};
use super::draft::{Draft, Finished, span};
use super::packing::Packed;
use super::window::{GREATEST_ID, closing};
use crate::ir::Travel;
use crate::schema::FieldPath;

/// Said of every query that measures distances.
const SPHERE: &str = "distances are those of `ST_DISTANCE`, on a sphere with a radius of 6371.0088 km";

impl Draft<'_> {
    /// `travel(..)`
    pub(super) fn travel(mut self, travel: &Travel) -> Option<Finished> {
        self.read(&[travel.signal], &["_id"])?;
        let place = self.place(travel);
        let address = self.values(travel.signal, travel.address.span)?.text(&travel.address.node);
        let (place, address) = (place?, address?);
        self.verdict.assume(SPHERE);
        let carried = self.carried(closing);
        let call = |function: &'static str, argument: Expression| Expression::Call(function, vec![argument]);
        let column = |name: &str| Expression::own(name);
        self.eval(vec![(Name::own("place"), call("TO_STRING", place)), (Name::own("address"), address)]);
        self.filter(Expression::all([column("place").present(), column("address").present()]));
        // A blank sorts before whatever else an address holds, so that these texts sort by time, then by address.
        let at =
            vec![call("TO_STRING", column("time")), Expression::text(" "), column("address"), Expression::text(" ")];
        self.eval(vec![(Name::own("at"), Expression::Call("CONCAT", at))]);
        let earlier = vec![column("at"), Expression::text("|"), column("place")];
        let id = Expression::Column(Name::plain("_id"));
        let mut event = vec![column("at"), Expression::text("|"), column("place"), Expression::text("|"), id];
        for packed in &carried {
            event.push(Expression::text("|"));
            event.push(packed.text.clone());
        }
        self.eval(vec![
            (Name::own("event"), Expression::Call("CONCAT", event)),
            (Name::own("earlier"), Expression::Call("CONCAT", earlier)),
        ]);
        let gathered = ["event", "earlier"].map(|name| (Name::own(name), call("VALUES", column(name))));
        self.stats(gathered.to_vec(), &[]);
        self.filter(call("MV_COUNT", column("earlier")).binary(Operator::Greater, Expression::number(1)));
        self.commands.push(Command::Expand(Name::own("event")));
        self.dissect_event(&carried);
        let instant = Expression::Call("SPLIT", vec![column("at"), Expression::text(" ")]);
        let instant = Expression::Call("MV_SLICE", vec![instant, Expression::number(0)]);
        self.eval(vec![(Name::own("instant"), call("TO_LONG", instant))]);
        self.newest(&Name::own("instant"));
        self.commands.push(Command::Expand(Name::own("earlier")));
        let parts = vec![Name::own("earlier_at"), Name::own("earlier_place")];
        self.commands.push(Command::Dissect { input: Name::own("earlier"), parts: parts.clone() });
        self.filter(column("earlier_at").binary(Operator::Less, column("at")));
        let latest = vec![(Name::own("earlier"), call("MAX", column("earlier")))];
        self.stats(latest, &["event", "place", "instant"].map(Name::own));
        self.commands.push(Command::Dissect { input: Name::own("earlier"), parts });
        let before = Expression::Call("SPLIT", vec![column("earlier_at"), Expression::text(" ")]);
        let before = Expression::Call("MV_SLICE", vec![before, Expression::number(0)]);
        let points = ["place", "earlier_place"].map(|name| call("TO_GEOPOINT", column(name)));
        let metres = Expression::Call("ST_DISTANCE", points.to_vec());
        self.eval(vec![
            (Name::own("passed"), column("instant").binary(Operator::Minus, call("TO_LONG", before))),
            (Name::own("km"), metres.binary(Operator::Divide, Expression::Number("1000.0".to_owned()))),
        ]);
        let minute = call("TO_LONG", Expression::number(60_000));
        let least = Expression::Call("GREATEST", vec![column("passed"), minute]);
        let allowed = least.binary(Operator::Times, Expression::number(&travel.speed.node));
        let hour = Expression::Number("3600000.0".to_owned());
        self.filter(Expression::all([
            column("passed").binary(Operator::LessOrEqual, span(travel.window.node)),
            column("km").binary(Operator::Greater, Expression::number(&travel.beyond.node)),
            column("km").binary(Operator::Times, hour).binary(Operator::Greater, allowed),
        ]));
        self.stats(vec![(Name::own("event"), call("MAX", column("event")))], &[Name::own("instant")]);
        if !carried.is_empty() {
            self.verdict.assume(GREATEST_ID);
            self.dissect_event(&carried);
        }
        Some(self.show(&Name::own("instant"), &[], &carried))
    }

    fn dissect_event(&mut self, carried: &[Packed]) {
        let parts = ["at", "place", "event_id"].map(Name::own).into_iter();
        let parts = parts.chain(carried.iter().map(|packed| packed.name.clone())).collect();
        self.commands.push(Command::Dissect { input: Name::own("event"), parts });
    }

    /// The point of the address; `None` where the target does not name its field, which is a reason.
    fn place(&mut self, travel: &Travel) -> Option<Expression> {
        let span = travel.address.span;
        let path = {
            let mut values = self.values(travel.signal, span)?;
            let bound = match travel.address.node.as_field() {
                Some(field) => values.lowering().field(field),
                None => values.unsupported("ES|QL locates fields only, not values taken out of lists or computed"),
            };
            bound?.field.path.join(".")
        };
        let Some(owner) = self.options.located_fields.get(&path).cloned() else {
            return self.unsupported(
                span,
                "the target does not say which field holds the place of this address; name it in the target's option \
                 `located_fields`",
            );
        };
        let path = format!("{owner}.geo.location");
        self.verdict.assume(format!("`{path}` holds the place of the address as the ingest pipeline knew it"));
        Some(Expression::Column(Name(FieldPath::parse(&path).segments().to_vec())))
    }
}
