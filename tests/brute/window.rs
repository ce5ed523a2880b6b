//! Aggregates of windows and buckets, from the page.

use crate::event::{Cell, Row};
use crate::number::Ratio;
use crate::page::{Hit, Rows, at_instants, holds, tuples};
use crate::spec::{Aggregate, Arithmetic, BaselineForm, Condition, Function};

/// Instants, or buckets, at which the condition holds.
pub fn aggregates(condition: &Condition, window: i64, fixed: bool, rows: &Rows) -> Vec<Hit> {
    let used = condition.aggregates();
    let mut signals: Vec<&str> = used.iter().map(|aggregate| aggregate.signal.as_str()).collect();
    signals.sort_unstable();
    signals.dedup();
    let all: Vec<Row> = signals.iter().flat_map(|signal| rows.present(signal)).cloned().collect();
    let judged = |inside: &dyn Fn(&Row) -> bool| {
        let of = |aggregate: &Aggregate| {
            let own: Vec<&Row> = rows.present(&aggregate.signal).iter().filter(|row| inside(row)).collect();
            value(aggregate, &own)
        };
        is_true(condition, &of).then(|| used.iter().map(|aggregate| (aggregate.shown(), of(aggregate))).collect())
    };
    if !fixed {
        return at_instants(&all, |now| judged(&|row| row.time >= now - window && row.time <= now));
    }
    let mut buckets: Vec<i64> = all.iter().map(|row| row.time.div_euclid(window)).collect();
    buckets.sort_unstable();
    buckets.dedup();
    let hit = |bucket: i64| {
        judged(&|row| row.time.div_euclid(window) == bucket).map(|numbers| Hit {
            keys: Vec::new(),
            time: (bucket + 1) * window,
            numbers,
            closings: Vec::new(),
        })
    };
    buckets.into_iter().filter_map(hit).collect()
}

/// The aggregate over these events; `None` where it has no value.
fn value(aggregate: &Aggregate, rows: &[&Row]) -> Option<Ratio> {
    let counts = |row: &&Row| aggregate.filter.as_ref().is_none_or(|filter| holds(filter, row));
    let counted: Vec<&Row> = rows.iter().copied().filter(counts).collect();
    let mut numbers: Vec<Ratio> = match aggregate.fields.first() {
        Some(field) => counted.iter().filter_map(|row| row.number(field)).collect(),
        None => Vec::new(),
    };
    numbers.sort();
    let sum = || numbers.iter().copied().fold(Ratio::ZERO, Ratio::plus);
    match aggregate.function {
        Function::Count => Some(Ratio::count(counted.len())),
        Function::Distinct => {
            let mut seen: Vec<Vec<Cell>> = counted.iter().flat_map(|row| tuples(row, &aggregate.fields)).collect();
            seen.sort();
            seen.dedup();
            Some(Ratio::count(seen.len()))
        }
        Function::Sum => (!numbers.is_empty()).then(sum),
        Function::Average => sum().over(Ratio::count(numbers.len())),
        Function::Minimum => numbers.first().copied(),
        Function::Maximum => numbers.last().copied(),
        Function::Median => nearest_rank(&numbers, Ratio::whole(50)),
        Function::Percentile(percent) => nearest_rank(&numbers, percent),
    }
}

/// The smallest value with rank `>= ceil(p * n / 100)`.
fn nearest_rank(sorted: &[Ratio], percent: Ratio) -> Option<Ratio> {
    let rank = percent.times(Ratio::count(sorted.len())).over(Ratio::whole(100)).map_or(0, Ratio::ceiling);
    (1..=sorted.len()).find(|place| Ratio::count(*place) >= Ratio::whole(rank)).map(|place| sorted[place - 1])
}

fn is_true(condition: &Condition, of: &dyn Fn(&Aggregate) -> Option<Ratio>) -> bool {
    match condition {
        Condition::And(parts) => parts.iter().all(|part| is_true(part, of)),
        Condition::Or(parts) => parts.iter().any(|part| is_true(part, of)),
        Condition::Not(inner) => !is_true(inner, of),
        Condition::Compare(left, operator, right) => match (calculated(left, of), calculated(right, of)) {
            (Some(left), Some(right)) => operator.holds(left.cmp(&right)),
            (None, _) | (_, None) => false,
        },
    }
}

fn calculated(value: &Arithmetic, of: &dyn Fn(&Aggregate) -> Option<Ratio>) -> Option<Ratio> {
    match value {
        Arithmetic::Number(number) => Some(*number),
        Arithmetic::Aggregate(aggregate) => of(aggregate),
        Arithmetic::Calculate(left, sign, right) => {
            let (left, right) = (calculated(left, of)?, calculated(right, of)?);
            match sign {
                '+' => Some(left.plus(right)),
                '-' => Some(left.minus(right)),
                '*' => Some(left.times(right)),
                _ => left.over(right),
            }
        }
    }
}

/// `outlier` and `spike`.
pub struct Baseline<'a> {
    pub aggregate: &'a Aggregate,
    pub bucket: i64,
    pub history: i64,
    pub form: BaselineForm,
    pub floor: Ratio,
    pub learning: Option<i64>,
}

/// Buckets with an event that stand out from those before.
pub fn baseline(test: &Baseline, rows: &[Row]) -> Vec<Hit> {
    let mut buckets: Vec<i64> = rows.iter().map(|row| row.time.div_euclid(test.bucket)).collect();
    buckets.sort_unstable();
    buckets.dedup();
    let inside =
        |bucket: i64| -> Vec<&Row> { rows.iter().filter(|row| row.time.div_euclid(test.bucket) == bucket).collect() };
    let mut hits = Vec::new();
    for bucket in buckets {
        let start = bucket * test.bucket;
        let length = test.history / test.bucket;
        let before: Vec<Vec<&Row>> = (bucket - length..bucket).map(inside).collect();
        let values: Vec<Ratio> = before.iter().map(|rows| value(test.aggregate, rows).unwrap_or(Ratio::ZERO)).collect();
        let count = Ratio::whole(i128::from(length));
        let sum = values.iter().copied().fold(Ratio::ZERO, Ratio::plus);
        let squares = values.iter().map(|value| value.times(*value)).fold(Ratio::ZERO, Ratio::plus);
        let learned = test.learning.is_none_or(|learning| {
            rows.iter().any(|row| row.time >= start - test.history && row.time <= start - learning)
        });
        let Some(now) = value(test.aggregate, &inside(bucket)) else { continue };
        let scaled = count.times(now);
        let stands_out = match test.form {
            BaselineForm::Outlier(sigma) => {
                let above = scaled.minus(sum);
                let variance = count.times(squares).minus(sum.times(sum));
                before.iter().any(|rows| !rows.is_empty())
                    && above > Ratio::ZERO
                    && above.times(above) > sigma.times(sigma).times(variance)
            }
            BaselineForm::Spike(times) => sum > Ratio::ZERO && scaled > times.times(sum),
        };
        if learned && stands_out && now >= test.floor {
            hits.push(Hit {
                keys: Vec::new(),
                time: start + test.bucket,
                numbers: vec![(test.aggregate.shown(), Some(now))],
                closings: Vec::new(),
            });
        }
    }
    hits
}
