//! Two consecutive places too far apart: each located event beside the one before it.
//!
//! Never uses the engine's own distance, whose earth has another shape.

use super::ast::{Assignment, Expr, Operator, Stage, Table};
use super::columns::Columns;
use super::frame::TIME;
use super::measure::{constant, times};
use super::network::looks_like_address;
use super::reader::Context;
use super::rows::{Form, Marks, Wanted, carried_columns, key_columns, rows};
use super::stage::instants;
use super::window::within;
use crate::ir::Travel;
use crate::schema::Duration;

const ADDRESS: &str = "detc_address";
const PLACE: &str = "detc_place";
const LATITUDE: &str = "detc_latitude";
const LONGITUDE: &str = "detc_longitude";
const BEFORE: &str = "detc_before";
const DISTANCE: &str = "detc_distance";

/// Instants of a place that cannot have been reached in time.
pub(super) fn travel<'a>(context: &mut Context<'a>, travel: &'a Travel, columns: &Columns<'a>) -> Option<Table> {
    context.verdict.assume("addresses are where `geo_info_from_ip_address` says");
    let signals = [travel.signal];
    let mut wanted = key_columns(context, &signals, columns);
    wanted.push(Wanted::value(ADDRESS, vec![(travel.signal, &travel.address.node)], Form::Key));
    wanted.extend(carried_columns(&signals, columns));
    let table = rows(context, &signals, &Marks::One, &wanted)?;
    let member = |name: &str| Expr::call("toreal", Expr::Member(Box::new(Expr::column(PLACE)), name.to_owned()));
    let located = [LATITUDE, LONGITUDE].map(|name| Expr::call("isnotnull", Expr::column(name)));
    let mut order = columns.instant();
    order.push(ADDRESS.to_owned());
    let before = |name: &str| Expr::call("prev", Expr::column(name));
    let mut earlier: Vec<Assignment> = Vec::new();
    let mut same = Vec::new();
    for (index, key) in columns.keys.iter().enumerate() {
        let name = format!("{BEFORE}_{}", index + 1);
        same.push(Expr::column(&name).equals(Expr::column(key)));
        earlier.push(Assignment::new(name, before(key)));
    }
    for name in [TIME, LATITUDE, LONGITUDE] {
        earlier.push(Assignment::new(earlier_name(name), before(name)));
    }
    same.push(within(Expr::column(TIME), Expr::column(earlier_name(TIME)), travel.window.node));
    let gap = || Expr::column(TIME).minus(Expr::column(earlier_name(TIME)));
    let minute = || Expr::Span(Duration::from_seconds(60));
    let gap = Expr::infix(gap(), Operator::Greater, minute()).choose(gap(), minute());
    let hours = Expr::infix(gap, Operator::Divide, Expr::Span(Duration::from_seconds(3600)));
    let speed = Expr::infix(Expr::column(DISTANCE), Operator::Divide, hours);
    let table = table
        .with(Stage::Where(looks_like_address(&Expr::column(ADDRESS))))
        .with(Stage::Extend(vec![Assignment::new(
            PLACE,
            Expr::call("geo_info_from_ip_address", Expr::column(ADDRESS)),
        )]))
        .with(Stage::Extend(vec![
            Assignment::new(LATITUDE, member("latitude")),
            Assignment::new(LONGITUDE, member("longitude")),
        ]))
        .with(Stage::Where(Expr::all(located)))
        .with(Stage::Sort(order))
        .with(Stage::Extend(earlier))
        .with(Stage::Where(Expr::all(same)))
        .filtered([context.newest()])
        .with(Stage::Extend(vec![Assignment::new(DISTANCE, distance())]))
        .with(Stage::Where(Expr::all([
            Expr::infix(Expr::column(DISTANCE), Operator::Greater, constant(&travel.beyond.node)),
            Expr::infix(speed, Operator::Greater, constant(&travel.speed.node)),
        ])))
        .with(instants(columns));
    Some(table)
}

fn earlier_name(name: &str) -> String {
    let name = name.strip_prefix("detc_").unwrap_or("time");
    format!("{BEFORE}_{name}")
}

/// The great-circle distance in kilometres, by the haversine formula.
fn distance() -> Expr {
    let angle = |name: &str| Expr::call("radians", Expr::column(name));
    let half = |name: &str| {
        let difference = angle(name).minus(angle(&earlier_name(name)));
        let sine = Expr::call("sin", Expr::infix(difference, Operator::Divide, Expr::Int(2)));
        Expr::Call("pow", vec![sine, Expr::Int(2)])
    };
    let cosines = times(Expr::call("cos", angle(&earlier_name(LATITUDE))), Some(Expr::call("cos", angle(LATITUDE))));
    let chord = Expr::infix(half(LATITUDE), Operator::Add, times(cosines, Some(half(LONGITUDE))));
    let sine = Expr::Call("min_of", vec![Expr::Real("1.0".to_owned()), Expr::call("sqrt", chord)]);
    times(Expr::Real("12742.0176".to_owned()), Some(Expr::call("asin", sine)))
}
