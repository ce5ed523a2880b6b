//! Chains and absence, from the page: every choice of events is tried.

use std::collections::BTreeMap;

use crate::event::{Cell, Identity, Row};
use crate::page::{Hit, Rows};
use crate::spec::{Item, StepTest};

/// Names of the signals that have to be there, and of those that must not.
pub fn signals<'a>(items: &'a [Item], until: Option<&'a str>) -> (Vec<&'a str>, Vec<&'a str>) {
    let (mut present, mut absent) = (Vec::new(), Vec::new());
    for item in items {
        match item {
            Item::Step { signal, .. } => present.push(signal.as_str()),
            Item::No(signal) => absent.push(signal.as_str()),
        }
    }
    absent.extend(until);
    (present, absent)
}

/// The events of a finished chain.
struct Found {
    start: i64,
    /// The times of all.
    times: Vec<i64>,
    /// The last of them.
    last: Row,
}

/// The hits of one key.
pub fn hits(items: &[Item], until: Option<&str>, window: i64, condition: Option<&StepTest>, rows: &Rows) -> Vec<Hit> {
    let (trailing, chain) = match items.split_last() {
        Some((Item::No(signal), rest)) => (Some(signal), rest),
        Some((Item::Step { .. }, _)) | None => (None, items),
    };
    let search = Search { items: chain, until: until.map(|signal| rows.absent(signal)), window, condition, rows };
    let mut found = Vec::new();
    search.extend(0, 0, &mut Vec::new(), &mut found);

    // Each closing instant reports the latest start; of the instants that report one start only the earliest counts.
    let mut ends: BTreeMap<i64, Vec<Found>> = BTreeMap::new();
    for chain in found {
        ends.entry(chain.last.time).or_default().push(chain);
    }
    let mut starts: Vec<i64> = Vec::new();
    let mut hits = Vec::new();
    for (end, chains) in ends {
        let start = chains.iter().map(|chain| chain.start).max().unwrap();
        if starts.contains(&start) {
            continue;
        }
        starts.push(start);
        match trailing {
            None => {
                let mut closings: Vec<Row> = Vec::new();
                // The latest start, then the latest next event, ..: what is shown closes the chain that is reported.
                let reported = chains.iter().map(|chain| chain.times.clone()).max().unwrap();
                for chain in chains.into_iter().filter(|chain| chain.times == reported) {
                    if !closings.iter().any(|row| row.identity == chain.last.identity) {
                        closings.push(chain.last);
                    }
                }
                hits.push(Hit { keys: Vec::new(), time: end, numbers: Vec::new(), closings });
            }
            Some(signal) => {
                let broken = rows.absent(signal).iter().any(|row| row.time > end && row.time <= start + window);
                if !broken {
                    hits.push(Hit {
                        keys: Vec::new(),
                        time: start + window,
                        numbers: Vec::new(),
                        closings: Vec::new(),
                    });
                }
            }
        }
    }
    hits
}

struct Search<'a> {
    items: &'a [Item],
    until: Option<&'a [Row]>,
    window: i64,
    condition: Option<&'a StepTest>,
    rows: &'a Rows,
}

impl Search<'_> {
    /// Tries every event for the next place: the `time`-th event of the item. `chosen` holds the rows of each step.
    fn extend(&self, item: usize, time: usize, chosen: &mut Vec<Vec<Row>>, found: &mut Vec<Found>) {
        match self.items.get(item) {
            None => self.finish(chosen, found),
            Some(Item::No(_)) => self.extend(item + 1, 0, chosen, found),
            Some(Item::Step { times, .. }) if time == *times => self.extend(item + 1, 0, chosen, found),
            Some(Item::Step { signal, .. }) => {
                for row in self.rows.present(signal) {
                    let all: Vec<&Row> = chosen.iter().flatten().collect();
                    let differs = all.iter().all(|other| other.identity != row.identity);
                    let follows = all.last().is_none_or(|last| last.time <= row.time);
                    let reaches = all.first().is_none_or(|first| row.time - first.time <= self.window);
                    if !(differs && follows && reaches) || (time == 0 && self.is_broken(item, all.last(), row)) {
                        continue;
                    }
                    if time == 0 {
                        chosen.push(Vec::new());
                    }
                    let place = chosen.len() - 1;
                    chosen[place].push(row.clone());
                    self.extend(item, time + 1, chosen, found);
                    chosen[place].pop();
                    if time == 0 {
                        chosen.pop();
                    }
                }
            }
        }
    }

    /// Whether one of the absences right before the item happened, `row` being the first event of the item.
    fn is_broken(&self, item: usize, last: Option<&&Row>, row: &Row) -> bool {
        let before = self.items[..item].iter().rev().map_while(|item| match item {
            Item::No(signal) => Some(signal),
            Item::Step { .. } => None,
        });
        let within = |absent: &Row| match last {
            Some(last) => last.time < absent.time && absent.time < row.time,
            None => row.time - self.window <= absent.time && absent.time < row.time,
        };
        before.into_iter().any(|signal| self.rows.absent(signal).iter().any(&within))
    }

    fn finish(&self, chosen: &[Vec<Row>], found: &mut Vec<Found>) {
        let all: Vec<&Row> = chosen.iter().flatten().collect();
        let (Some(first), Some(last)) = (all.first(), all.last()) else { return };
        let ends = |row: &Row| is_same_event(row, first) || (first.time < row.time && row.time < last.time);
        if self.until.unwrap_or_default().iter().any(ends) {
            return;
        }
        let steps: Vec<&Row> = chosen.iter().filter_map(|rows| rows.last()).collect();
        if self.condition.is_none_or(|condition| fits(condition, &steps)) {
            found.push(Found {
                start: first.time,
                times: all.iter().map(|row| row.time).collect(),
                last: (*last).clone(),
            });
        }
    }
}

fn is_same_event(one: &Row, other: &Row) -> bool {
    matches!(one.identity, Identity::Event(_)) && one.identity == other.identity
}

fn fits(condition: &StepTest, steps: &[&Row]) -> bool {
    let value = |(step, field): &(usize, String)| steps[*step].get(field).cloned();
    match condition {
        StepTest::And(parts) => parts.iter().all(|part| fits(part, steps)),
        StepTest::Or(parts) => parts.iter().any(|part| fits(part, steps)),
        StepTest::Not(inner) => !fits(inner, steps),
        StepTest::Equal { left, not, cased, right } => {
            let same = match (value(left), value(right)) {
                (Some(Cell::Text(left)), Some(Cell::Text(right))) if !cased => {
                    left.to_lowercase() == right.to_lowercase()
                }
                (Some(left), Some(right)) => left == right,
                (None, _) | (_, None) => false,
            };
            same != *not
        }
        StepTest::Ordered { left, operator, right } => match (value(left), value(right)) {
            (Some(left @ Cell::Number(_)), Some(right @ Cell::Number(_)))
            | (Some(left @ Cell::Time(_)), Some(right @ Cell::Time(_))) => operator.holds(left.cmp(&right)),
            _ => false,
        },
    }
}
