//! Two consecutive places too far apart for the time between them.
//!
//! Never stores an angle: distance is one expression, so that no rounding between commands matters.

use super::ast::{Aggregate, AggregateFunction, Arithmetic, Comparison, EvalExpr, Function, SortKey, Stage};
use super::columns::Shown;
use super::condition::ratio;
use super::context::Context;
use super::measure::decimal;
use super::read::{Head, TIME, columns};
use crate::ir::Travel;

/// Mean radius of the earth in kilometres.
const RADIUS: &str = "6371.0088";

impl Context<'_> {
    /// Instants of a located event too far from the one before it.
    pub(super) fn travel(&mut self, head: &mut Head, travel: &Travel, shown: &mut Shown) {
        let packed = self.packed(None, &[travel.signal], shown);
        let subject = self.by_signal(&[(travel.signal, travel.address.clone())]).native();
        head.search.stages.extend(self.take_helpers());
        // ties stand in the order of the text as it is written
        head.set("detc_ip", subject.expression);
        if let Some(packed) = &packed {
            head.set("detc_x", packed.text.clone());
        }
        head.push(Stage::Locate { address: "detc_ip".to_owned(), prefix: "detc_".to_owned() });
        self.verdict.assume("places of addresses are those of the database behind `iplocation`");
        let column = |name: &str| EvalExpr::derived(name);
        let located = ["detc_lat", "detc_lon"].map(|name| EvalExpr::call(Function::IsNotNull, column(name)));
        head.keep(EvalExpr::all(located.to_vec()));
        let mut kept = head.by(&[TIME, "detc_ip", "detc_lat", "detc_lon"]);
        let order = [SortKey::up(TIME), SortKey::text_up("detc_ip")];
        let mut sorted = order.to_vec();
        if packed.is_some() {
            kept.push("detc_x".to_owned());
            sorted.push(SortKey::text_up("detc_x"));
        }
        head.push(columns(&kept));
        head.push(Stage::Sort(sorted.clone()));
        let previous = [(TIME, "detc_pt"), ("detc_lat", "detc_plat"), ("detc_lon", "detc_plon")];
        head.push(Stage::StreamStats {
            window: Some(1),
            current: false,
            aggregates: previous.map(|(from, to)| Aggregate::of(AggregateFunction::Last, from, to)).to_vec(),
            by: head.keys.clone(),
        });
        let since = EvalExpr::arithmetic(column(TIME), Arithmetic::Minus, column("detc_pt"));
        let window = EvalExpr::Integer(head.ticks.span(travel.window.node));
        head.keep(EvalExpr::compare(since.clone(), Comparison::LessOrEqual, window));
        head.set("detc_km", distance());
        let minute = EvalExpr::Integer(60_i64.saturating_mul(head.ticks.per_second()));
        let hour = EvalExpr::Integer(3600_i64.saturating_mul(head.ticks.per_second()));
        let longer = EvalExpr::compare(since.clone(), Comparison::Greater, minute.clone());
        let (speed, scale) = ratio(&travel.speed.node);
        let product = |left, right| EvalExpr::arithmetic(left, Arithmetic::Times, right);
        let hours = if scale == 1 { hour } else { product(hour, EvalExpr::Integer(scale)) };
        let allowed = product(EvalExpr::Integer(speed), EvalExpr::choose(longer, since, minute));
        head.keep(EvalExpr::all(vec![
            EvalExpr::compare(column("detc_km"), Comparison::Greater, decimal(&travel.beyond.node)),
            EvalExpr::compare(product(column("detc_km"), hours), Comparison::Greater, allowed),
        ]));
        head.push(Stage::Sort(sorted.into_iter().map(SortKey::reversed).collect()));
        head.push(Stage::Dedup(head.by(&[TIME])));
        self.newest(head);
        if let Some(packed) = packed {
            self.unpack(head, &packed, "detc_x", shown);
        }
    }
}

/// The great-circle distance between a row's place and the one before it, in kilometres.
fn distance() -> EvalExpr {
    let column = |name: &str| EvalExpr::derived(name);
    let call = EvalExpr::call;
    let times = |left, right| EvalExpr::arithmetic(left, Arithmetic::Times, right);
    let plus = |left, right| EvalExpr::arithmetic(left, Arithmetic::Plus, right);
    let minus = |left, right| EvalExpr::arithmetic(left, Arithmetic::Minus, right);
    let turned = |degrees, half: i64| {
        let pi = EvalExpr::Call(Function::Pi, Vec::new());
        EvalExpr::arithmetic(times(degrees, pi), Arithmetic::Over, EvalExpr::Integer(half))
    };
    let haversine = |now: &str, before: &str| {
        let half = call(Function::Sin, turned(minus(column(now), column(before)), 360));
        EvalExpr::Call(Function::Pow, vec![half, EvalExpr::Integer(2)])
    };
    let cosine = |latitude: &str| call(Function::Cos, turned(column(latitude), 180));
    let east = times(times(cosine("detc_plat"), cosine("detc_lat")), haversine("detc_lon", "detc_plon"));
    let chord =
        EvalExpr::Call(Function::Min, vec![EvalExpr::Integer(1), plus(haversine("detc_lat", "detc_plat"), east)]);
    let angle = call(Function::Asin, call(Function::Sqrt, chord));
    call(Function::Exact, times(times(EvalExpr::Integer(2), EvalExpr::Decimal(RADIUS.to_owned())), angle))
}
