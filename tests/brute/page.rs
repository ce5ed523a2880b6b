//! The page, line by line: what a detection finds in a log, by looking at everything.
//!
//! It shares no code with the evaluator, and where the two differ the page decides.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::chain;
use crate::event::{Cell, Drawn, Identity, Row, rows};
use crate::number::Ratio;
use crate::spec::{Behavior, Exception, GroupForm, Operator, RareForm, Spec, Stage, Suppress, Test};
use crate::travel;
use crate::window;

/// A hit: keys and time, with what the page says that it carries.
#[derive(Debug, Clone)]
pub struct Hit {
    pub keys: Vec<Cell>,
    pub time: i64,
    pub numbers: Vec<(String, Option<Ratio>)>,
    /// The events that close it, by text; the last is shown. Empty where time closes it.
    pub closings: Vec<Row>,
}

/// The rows of a behaviour's signals.
pub struct Page<'a> {
    spec: &'a Spec,
    log: Vec<Row>,
}

/// The hits of a detection before suppression, and after.
pub fn hits(spec: &Spec, log: &[Drawn]) -> (Vec<Hit>, Vec<Hit>) {
    let page = Page { spec, log: rows(log) };
    let mut hits = page.stage(&spec.stage, true);
    hits.retain(|hit| !page.excepted(&page.as_row("alert", &spec.stage, hit), "alert", true));
    hits.sort_by(|one, other| (one.time, &one.keys, texts(one)).cmp(&(other.time, &other.keys, texts(other))));
    let alerts = alerts(spec, &page, &hits);
    (hits, alerts)
}

fn texts(hit: &Hit) -> Vec<&str> {
    hit.closings.iter().map(|row| &*row.text).collect()
}

/// Keeps the first hit of a tuple, and drops those less than the period after the last one kept.
fn alerts(spec: &Spec, page: &Page, hits: &[Hit]) -> Vec<Hit> {
    let (columns, period) = match &spec.suppress {
        Suppress::None => return hits.to_vec(),
        Suppress::By { columns, period } => (columns.clone(), *period),
        Suppress::Default => match &spec.stage.behavior {
            Behavior::Any(_) => return hits.to_vec(),
            Behavior::Aggregates { window, .. }
            | Behavior::Chain { window, .. }
            | Behavior::Group { window, .. }
            | Behavior::Travel { window, .. } => (spec.stage.keys.clone(), *window),
            Behavior::Rare { history, .. } | Behavior::Baseline { history, .. } => (spec.stage.keys.clone(), *history),
        },
    };
    let mut kept: Vec<Hit> = Vec::new();
    let tuple = |hit: &Hit| -> Option<Vec<Cell>> {
        let row = page.as_row("alert", &spec.stage, hit);
        columns.iter().map(|column| row.get(column).cloned()).collect()
    };
    for hit in hits {
        let one = tuple(hit);
        let last = kept.iter().rev().find(|other| one.is_some() && tuple(other) == one);
        if last.is_none_or(|last| hit.time - last.time >= period) {
            kept.push(hit.clone());
        }
    }
    kept
}

impl Page<'_> {
    /// The events of a signal; exceptions filter it only where it has to be there.
    pub fn signal(&self, name: &str, positive: bool) -> Vec<Row> {
        let signal = self.spec.signals.iter().find(|signal| signal.name == name).unwrap();
        let all = match &signal.stage {
            None => self.log.iter().filter(|row| is_kind(row, name)).cloned().collect(),
            Some(stage) => {
                let hits = self.stage(stage, positive);
                hits.iter().map(|hit| self.as_row(name, stage, hit)).collect::<Vec<_>>()
            }
        };
        let fits = |row: &Row| {
            signal.condition.as_ref().is_none_or(|test| holds(test, row)) && !self.excepted(row, name, positive)
        };
        all.into_iter().filter(fits).collect()
    }

    /// Whether an exception takes the row away.
    fn excepted(&self, row: &Row, name: &str, positive: bool) -> bool {
        let reaches = |exception: &Exception| match &exception.signals {
            Some(signals) => signals.iter().any(|signal| signal == name),
            None => self.spec.signals.iter().any(|signal| signal.name == name && signal.stage.is_none()),
        };
        positive && self.spec.exceptions.iter().any(|exception| reaches(exception) && holds(&exception.when, row))
    }

    /// A hit as an event: fields of the closing event, then the keys, then the numbers.
    fn as_row(&self, name: &str, stage: &Stage, hit: &Hit) -> Row {
        let closing = hit.closings.last();
        let mut fields: BTreeMap<String, Cell> = closing.map(|row| (*row.fields).clone()).unwrap_or_default();
        fields.extend(stage.keys.iter().cloned().zip(hit.keys.iter().cloned()));
        for (name, number) in &hit.numbers {
            fields.remove(name);
            fields.extend(number.map(|number| (name.clone(), Cell::Number(number))));
        }
        let unclosed = || Identity::Hit(name.to_owned(), hit.keys.clone(), hit.time);
        Row {
            time: hit.time,
            identity: closing.map_or_else(unclosed, |row| row.identity.clone()),
            text: closing.map_or_else(|| Rc::from(""), |row| row.text.clone()),
            fields: Rc::new(fields),
            is_event: matches!(stage.behavior, Behavior::Any(_)),
        }
    }

    /// The hits of a behaviour.
    fn stage(&self, stage: &Stage, positive: bool) -> Vec<Hit> {
        match &stage.behavior {
            Behavior::Any(signals) => {
                let mut found: Vec<Row> = Vec::new();
                for signal in signals {
                    let new = |row: &Row| found.iter().all(|other| other.identity != row.identity);
                    let rows: Vec<Row> = self.signal(signal, positive).into_iter().filter(new).collect();
                    found.extend(rows);
                }
                let hit = |row: Row| Hit { keys: Vec::new(), time: row.time, numbers: Vec::new(), closings: vec![row] };
                found.into_iter().map(hit).collect()
            }
            Behavior::Aggregates { condition, window, fixed } => {
                let names: Vec<&str> = condition.aggregates().iter().map(|one| one.signal.as_str()).collect();
                self.by_key(stage, &names, &[], positive, |rows| window::aggregates(condition, *window, *fixed, rows))
            }
            Behavior::Chain { items, until, window, condition } => {
                let (steps, absent) = chain::signals(items, until.as_deref());
                self.by_key(stage, &steps, &absent, positive, |rows| {
                    chain::hits(items, until.as_deref(), *window, condition.as_ref(), rows)
                })
            }
            Behavior::Group { members, form, window } => {
                let names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
                self.by_key(stage, &names, &[], positive, |rows| group(members, *form, *window, rows))
            }
            Behavior::Rare { signal, fields, form, history, learning } => {
                self.by_key(stage, &[signal], &[], positive, |rows| {
                    rare(rows.present(signal), fields, *form, *history, *learning)
                })
            }
            Behavior::Travel { signal, speed, beyond, window } => {
                self.by_key(stage, &[signal], &[], positive, |rows| {
                    travel::hits(rows.present(signal), *speed, *beyond, *window)
                })
            }
            Behavior::Baseline { aggregate, bucket, history, form, floor, learning } => {
                self.by_key(stage, &[&aggregate.signal], &[], positive, |rows| {
                    let test = window::Baseline {
                        aggregate,
                        bucket: *bucket,
                        history: *history,
                        form: *form,
                        floor: *floor,
                        learning: *learning,
                    };
                    window::baseline(&test, rows.present(&aggregate.signal))
                })
            }
        }
    }

    /// Runs `each` over the events of every key, and joins what has the same keys and time.
    fn by_key(
        &self,
        stage: &Stage,
        present: &[&str],
        absent: &[&str],
        positive: bool,
        each: impl Fn(&Rows) -> Vec<Hit>,
    ) -> Vec<Hit> {
        let read = |names: &[&str], positive: bool| -> BTreeMap<String, Vec<Row>> {
            names.iter().map(|name| ((*name).to_owned(), self.signal(name, positive))).collect()
        };
        let all = Rows { present: read(present, positive), absent: read(absent, false) };
        let mut keys: Vec<Vec<Cell>> = Vec::new();
        for row in all.present.values().flatten() {
            for key in tuples(row, &stage.keys) {
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
        }
        let mut hits: Vec<Hit> = Vec::new();
        for key in keys {
            let of_key = |rows: &BTreeMap<String, Vec<Row>>| -> BTreeMap<String, Vec<Row>> {
                let own = |row: &&Row| tuples(row, &stage.keys).contains(&key);
                rows.iter().map(|(name, rows)| (name.clone(), rows.iter().filter(own).cloned().collect())).collect()
            };
            let rows = Rows { present: of_key(&all.present), absent: of_key(&all.absent) };
            for mut hit in each(&rows) {
                hit.keys.clone_from(&key);
                hit.closings.sort_by(|one, other| one.text.cmp(&other.text));
                hits.push(hit);
            }
        }
        hits
    }
}

/// The events of one key, by signal, in both roles.
pub struct Rows {
    present: BTreeMap<String, Vec<Row>>,
    absent: BTreeMap<String, Vec<Row>>,
}

impl Rows {
    pub fn present(&self, signal: &str) -> &[Row] {
        &self.present[signal]
    }

    pub fn absent(&self, signal: &str) -> &[Row] {
        &self.absent[signal]
    }
}

/// Hits at the instants of these rows for which `test` gives numbers; the rows of an instant close its hit together.
pub fn at_instants(rows: &[Row], test: impl Fn(i64) -> Option<Vec<(String, Option<Ratio>)>>) -> Vec<Hit> {
    let mut instants: BTreeMap<i64, Vec<Row>> = BTreeMap::new();
    for row in rows {
        let closings = instants.entry(row.time).or_default();
        closings.push(row.clone());
    }
    let hit = |(time, closings)| test(time).map(|numbers| Hit { keys: Vec::new(), time, numbers, closings });
    instants.into_iter().filter_map(hit).collect()
}

/// Every combination of the row's keys; none where one is missing.
pub fn tuples(row: &Row, fields: &[String]) -> Vec<Vec<Cell>> {
    let mut tuples = vec![Vec::new()];
    for field in fields {
        let elements = row.get(field).map(Cell::elements).unwrap_or_default();
        let extended = |tuple: &Vec<Cell>| {
            let tuple = tuple.clone();
            elements
                .iter()
                .map(move |element| [tuple.as_slice(), std::slice::from_ref(element)].concat())
                .collect::<Vec<_>>()
        };
        tuples = tuples.iter().flat_map(extended).collect();
    }
    tuples
}

fn is_kind(row: &Row, letter: &str) -> bool {
    matches!(row.get("kind"), Some(Cell::Text(kind)) if kind.contains(letter))
}

/// Whether a condition holds of a row; a test of a missing value is false.
pub fn holds(test: &Test, row: &Row) -> bool {
    match test {
        Test::Exists(field) => row.exists(field),
        Test::Equal(field, text) => {
            matches!(row.get(field), Some(Cell::Text(value)) if value.to_lowercase() == text.to_lowercase())
        }
        // `!=` is `not ==`, also where the value is missing.
        Test::Number(field, Operator::NotEqual, number) => row.number(field) != Some(*number),
        Test::Number(field, operator, number) => {
            row.number(field).is_some_and(|value| operator.holds(value.cmp(number)))
        }
        Test::Not(inner) => !holds(inner, row),
        Test::And(parts) => parts.iter().all(|part| holds(part, row)),
        Test::Or(parts) => parts.iter().any(|part| holds(part, row)),
    }
}

/// Instants of any member at which the weights of the members with an event in `[t - W, t]` suffice.
fn group(members: &[(String, u64)], form: GroupForm, window: i64, rows: &Rows) -> Vec<Hit> {
    let all: Vec<Row> = members.iter().flat_map(|(name, _)| rows.present(name)).cloned().collect();
    at_instants(&all, |now| {
        let is_there = |name: &str| rows.present(name).iter().any(|row| row.time >= now - window && row.time <= now);
        let there: Vec<u64> = members.iter().filter(|(name, _)| is_there(name)).map(|(_, weight)| *weight).collect();
        let (enough, score) = match form {
            GroupForm::All => (there.len() == members.len(), None),
            GroupForm::Some(least) => (there.len() as u64 >= least, None),
            GroupForm::Score(least) => {
                let score: u64 = there.iter().sum();
                (score >= least, Some(("score".to_owned(), Some(Ratio::whole(i128::from(score))))))
            }
        };
        enough.then(|| score.into_iter().collect())
    })
}

/// Events with a value that the key had seldom enough in `[t - H, t)`.
fn rare(rows: &[Row], fields: &[String], form: RareForm, history: i64, learning: Option<i64>) -> Vec<Hit> {
    let (operator, most) = match form {
        RareForm::New => (Operator::Equal, 0),
        RareForm::Rare(operator, most) => (operator, most),
    };
    let is_hit = |row: &&Row| {
        let learned = learning.is_none_or(|learning| {
            rows.iter().any(|other| other.time >= row.time - history && other.time <= row.time - learning)
        });
        let seldom = |value: &Vec<Cell>| {
            let earlier = rows.iter().filter(|other| other.time >= row.time - history && other.time < row.time);
            let count = earlier.filter(|other| tuples(other, fields).contains(value)).count() as u64;
            operator.holds(count.cmp(&most))
        };
        learned && tuples(row, fields).iter().any(seldom)
    };
    let found: Vec<Row> = rows.iter().filter(is_hit).cloned().collect();
    at_instants(&found, |_| Some(Vec::new()))
}
