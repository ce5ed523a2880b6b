//! Impossible travel, from the page.

use crate::event::{Cell, Row};
use crate::number::Ratio;
use crate::page::{Hit, at_instants};

/// What is known of addresses: the last part of `198.51.100.x`, latitude and longitude.
const PLACES: [(&str, f64, f64); 5] = [
    ("198.51.100.1", 52.52, 13.405),
    ("198.51.100.2", 52.39, 13.06),
    ("198.51.100.3", 48.8566, 2.3522),
    ("198.51.100.4", 40.7128, -74.006),
    ("198.51.100.5", -36.85, 174.76),
];

/// The same as the evaluator reads it.
pub fn places() -> String {
    let mut text = "network,latitude,longitude\n".to_owned();
    for (address, latitude, longitude) in PLACES {
        text.push_str(&format!("{address}/32,{latitude},{longitude}\n"));
    }
    text
}

/// Events too far from the located one before them.
pub fn hits(rows: &[Row], speed: Ratio, beyond: Option<Ratio>, window: i64) -> Vec<Hit> {
    let mut located: Vec<(i64, &str, (f64, f64), &Row)> = Vec::new();
    for row in rows {
        let Some(Cell::Text(address)) = row.get("ip") else { continue };
        if let Some((_, latitude, longitude)) = PLACES.iter().find(|place| place.0 == address) {
            located.push((row.time, address, (*latitude, *longitude), row));
        }
    }
    // One address at one instant: the texts decide, so that the order of the log does not.
    located.sort_by(|one, other| (one.0, one.1, &one.3.text).cmp(&(other.0, other.1, &other.3.text)));
    let mut found: Vec<Row> = Vec::new();
    for pair in located.windows(2) {
        let (before, after) = (&pair[0], &pair[1]);
        let passed = after.0 - before.0;
        let kilometres = distance(before.2, after.2);
        let hours = passed.max(60_000) as f64 / 3_600_000.0;
        if passed <= window && kilometres > beyond.map_or(0.0, Ratio::float) && kilometres / hours > speed.float() {
            found.push(after.3.clone());
        }
    }
    at_instants(&found, |_| Some(Vec::new()))
}

/// Great-circle distance, by the angle between two directions from the centre of the Earth.
fn distance(from: (f64, f64), to: (f64, f64)) -> f64 {
    let direction = |(latitude, longitude): (f64, f64)| {
        let (latitude, longitude) = (latitude.to_radians(), longitude.to_radians());
        [latitude.cos() * longitude.cos(), latitude.cos() * longitude.sin(), latitude.sin()]
    };
    let (one, other) = (direction(from), direction(to));
    let cross = [
        one[1] * other[2] - one[2] * other[1],
        one[2] * other[0] - one[0] * other[2],
        one[0] * other[1] - one[1] * other[0],
    ];
    let length = cross.iter().map(|part| part * part).sum::<f64>().sqrt();
    let along: f64 = one.iter().zip(other).map(|(one, other)| one * other).sum();
    6371.0088 * length.atan2(along)
}
