//! Two consecutive located events of a key, too far apart for the time between them.
//!
//! Never counts an event whose place is unknown.

use super::{Entry, Moment, Names, Rule};
use crate::eval::expression::{Cell, Scope, Shape, Term, term};
use crate::eval::microseconds;
use crate::ir::{Decimal, SignalId, Stage, Travel};

/// Mean radius of the earth in kilometres.
const RADIUS: f64 = 6_371.008_8;
/// The least time between two events, in microseconds.
const MINUTE: i64 = 60_000_000;
const MICROSECONDS_AN_HOUR: f64 = 3_600_000_000.0;

/// `travel`
#[derive(Debug)]
pub(super) struct Journeys {
    names: Names,
    signal: SignalId,
    address: Option<Term>,
    /// Kilometres per hour.
    speed: f64,
    /// Kilometres.
    beyond: f64,
    window: i64,
}

/// An event whose place is known.
#[derive(Debug, Clone)]
pub(super) struct Located {
    entry: Entry,
    address: String,
    coordinates: (f64, f64),
}

impl Journeys {
    pub(super) fn new(stage: &Stage, travel: &Travel) -> Self {
        let number = |decimal: &Decimal| decimal.as_str().parse().unwrap_or(f64::INFINITY);
        Self {
            names: Names::new(stage),
            signal: travel.signal,
            address: stage.signal(travel.signal).map(|signal| term(Shape::of(signal), &travel.address.node)),
            speed: number(&travel.speed.node),
            beyond: number(&travel.beyond.node),
            window: microseconds(travel.window.node),
        }
    }

    fn locate(&self, entry: Entry, at: &Moment<'_>) -> Option<Located> {
        let scope = Scope::new(entry.row.view(), at.enrichment);
        let address = match scope.value(self.address.as_ref()?)? {
            Cell::Text(text) => text.into_owned(),
            Cell::Bool(_) | Cell::Number(_) | Cell::Time(_) | Cell::List(..) | Cell::Object => return None,
        };
        let coordinates = at.enrichment.of(&address)?.coordinates?;
        Some(Located { entry, address, coordinates })
    }

    fn is_too_fast(&self, from: &Located, to: &Located) -> bool {
        let time = to.entry.row.time().saturating_sub(from.entry.row.time());
        let distance = kilometres(from.coordinates, to.coordinates);
        let hours = time.max(MINUTE) as f64 / MICROSECONDS_AN_HOUR;
        time <= self.window && distance > self.beyond && distance / hours > self.speed
    }
}

impl Rule for Journeys {
    /// The last located event.
    type State = Option<Located>;

    fn take(&self, last: &mut Option<Located>, entries: Vec<Entry>, at: &mut Moment<'_>) {
        let of_signal = entries.into_iter().filter(|entry| entry.is_of(self.signal));
        let mut located: Vec<Located> = of_signal.filter_map(|entry| self.locate(entry, at)).collect();
        located.sort_by(|one, other| one.address.cmp(&other.address));
        let mut found: Option<(Located, Located)> = None;
        for next in located {
            if let Some(from) = last.replace(next.clone())
                && self.is_too_fast(&from, &next)
                && found.as_ref().is_none_or(|(_, shown)| shown.entry.compare(&next.entry).is_lt())
            {
                found = Some((from, next));
            }
        }
        if let Some((from, to)) = found {
            at.hit(Vec::new(), self.names.parts([&from.entry, &to.entry]), Some(to.entry.closing()));
        }
    }

    fn memory(&self) -> i64 {
        self.window
    }
}

/// Distance on the sphere between two places in degrees of latitude and longitude.
fn kilometres(from: (f64, f64), to: (f64, f64)) -> f64 {
    let half_chord = |one: f64, other: f64| ((other - one).to_radians() / 2.0).sin().powi(2);
    let share =
        half_chord(from.0, to.0) + from.0.to_radians().cos() * to.0.to_radians().cos() * half_chord(from.1, to.1);
    2.0 * RADIUS * share.sqrt().min(1.0).asin()
}
