//! A search that works on the rows of one lane: its columns get names of their own, its commands leave other rows alone.

use super::ast::{Aggregate, AggregateFunction, EvalExpr, Name, Search, SortKey, Stage};
use super::context::Carried;
use super::lanes::{LANE, ROW, off_lane, on_lane};
use super::subject::Subject;
use std::collections::BTreeSet;

/// The name of a column in a lane.
pub(super) fn in_lane(name: &str, lane: i64) -> String {
    match name.strip_prefix("detc_") {
        // what every lane shares
        Some(_) if name == LANE || name == ROW => name.to_owned(),
        Some(rest) => format!("detc_l{lane}_{rest}"),
        None => name.to_owned(),
    }
}

/// What a hit carries, by its name in a lane.
pub(super) fn carried(column: Carried, lane: i64) -> Carried {
    match column {
        Carried::Column(name) => Carried::Column(in_lane(&name, lane)),
        Carried::Chosen(name) => Carried::Chosen(in_lane(&name, lane)),
        Carried::Clean(subject) => {
            Carried::Clean(Subject { expression: expression(&subject.expression, lane), ..subject })
        }
        Carried::Missing(reason) => Carried::Missing(reason),
    }
}

/// The commands of a stage for the rows of its lane.
pub(super) fn guarded(stages: Vec<Stage>, lane: i64) -> Vec<Stage> {
    let mut found = vec![Stage::Eval(vec![(
        ROW.to_owned(),
        EvalExpr::choose(on_lane(lane), EvalExpr::text(""), EvalExpr::derived(ROW)),
    )])];
    for stage in stages {
        guard(stage, lane, &mut found);
    }
    found
}

fn guard(stage: Stage, lane: i64, found: &mut Vec<Stage>) {
    let names = |names: &[String]| names.iter().map(|name| in_lane(name, lane)).collect::<Vec<String>>();
    let shared = |mut names: Vec<String>| {
        names.push(LANE.to_owned());
        names
    };
    // rows of other lanes get a number where a missing value would drop them
    let fill = |names: &[String]| {
        let filled = |name: &String| {
            (name.clone(), EvalExpr::choose(on_lane(lane), EvalExpr::derived(name), EvalExpr::Integer(0)))
        };
        Stage::Eval(names.iter().map(filled).collect())
    };
    match stage {
        Stage::Where(condition) => {
            found.push(Stage::Where(EvalExpr::any(vec![off_lane(lane), expression(&condition, lane)])));
        }
        Stage::Eval(assignments) => found.push(Stage::Eval(
            assignments.iter().map(|(name, value)| (in_lane(name, lane), expression(value, lane))).collect(),
        )),
        Stage::Stats { aggregates: numbers, by } | Stage::StatsBeside { aggregates: numbers, by, .. } => {
            let by = names(&by);
            if !by.is_empty() {
                found.push(fill(&by));
            }
            let mut by = shared(by);
            by.push(ROW.to_owned());
            found.push(Stage::StatsBeside { lane: Some(lane), aggregates: aggregates(&numbers, lane), by });
        }
        Stage::EventStats { aggregates: numbers, by } => {
            found.push(Stage::EventStats { aggregates: aggregates(&numbers, lane), by: shared(names(&by)) });
        }
        Stage::StreamStats { window, current, aggregates: numbers, by } => {
            let (aggregates, by) = (aggregates(&numbers, lane), shared(names(&by)));
            found.push(Stage::StreamStats { window, current, aggregates, by });
        }
        Stage::Sort(keys) => found.push(Stage::Sort(
            keys.into_iter().map(|key| SortKey { column: in_lane(&key.column, lane), ..key }).collect(),
        )),
        Stage::Dedup(columns) => {
            let columns = names(&columns);
            found.push(fill(&columns));
            let mut columns = shared(columns);
            columns.push(ROW.to_owned());
            found.push(Stage::Dedup(columns));
        }
        // other lanes still need the event
        Stage::Fields(_) => {}
        Stage::MvExpand(column) => {
            let column = in_lane(&column, lane);
            found.push(fill(std::slice::from_ref(&column)));
            found.push(Stage::MvExpand(column));
        }
        Stage::Locate { address, prefix } => {
            found.push(Stage::Locate { address: in_lane(&address, lane), prefix: in_lane(&prefix, lane) });
        }
        Stage::Lookup { table, address, output: (theirs, ours) } => {
            let output = (theirs, in_lane(&ours, lane));
            found.push(Stage::Lookup { table, address: in_lane(&address, lane), output });
        }
        Stage::AddInfo | Stage::Rename(_) | Stage::Table(_) => found.push(stage),
    }
}

fn aggregates(aggregates: &[Aggregate], lane: i64) -> Vec<Aggregate> {
    aggregates
        .iter()
        .map(|aggregate| Aggregate {
            function: aggregate.function,
            argument: aggregate.argument.as_ref().map(|argument| expression(argument, lane)),
            name: in_lane(&aggregate.name, lane),
        })
        .collect()
}

fn expression(value: &EvalExpr, lane: i64) -> EvalExpr {
    let all = |parts: &[EvalExpr]| parts.iter().map(|part| expression(part, lane)).collect::<Vec<EvalExpr>>();
    match value {
        EvalExpr::Name(Name::Derived(name)) => EvalExpr::derived(in_lane(name, lane)),
        EvalExpr::Name(Name::Source(_))
        | EvalExpr::Text(_)
        | EvalExpr::Regex(_)
        | EvalExpr::FirstGroup
        | EvalExpr::Integer(_)
        | EvalExpr::Decimal(_) => value.clone(),
        EvalExpr::Call(function, arguments) => EvalExpr::Call(*function, all(arguments)),
        EvalExpr::Compare(left, comparison, right) => {
            EvalExpr::compare(expression(left, lane), *comparison, expression(right, lane))
        }
        EvalExpr::Arithmetic(left, operator, right) => {
            EvalExpr::arithmetic(expression(left, lane), *operator, expression(right, lane))
        }
        EvalExpr::Join(parts) => EvalExpr::Join(all(parts)),
        EvalExpr::And(parts) => EvalExpr::And(all(parts)),
        EvalExpr::Or(parts) => EvalExpr::Or(all(parts)),
        EvalExpr::Not(inner) => EvalExpr::Not(Box::new(expression(inner, lane))),
    }
}

/// Lets `stats` carry what later commands read of other lanes' rows; returns the lists among it, which it cannot carry.
pub(super) fn carry(search: &mut Search) -> Vec<String> {
    let mut live: BTreeSet<Name> = BTreeSet::new();
    let mut lists = Vec::new();
    for stage in search.stages.iter_mut().rev() {
        if let Stage::StatsBeside { lane, aggregates, by } = stage {
            let written = |name: &Name| match name {
                Name::Derived(name) => by.contains(name) || aggregates.iter().any(|one| one.name == *name),
                Name::Source(_) => false,
            };
            let mut more = Vec::new();
            for name in live.iter().filter(|name| !written(name)) {
                let text = match name {
                    Name::Source(text) | Name::Derived(text) => text.clone(),
                };
                if text.contains("{}") {
                    lists.push(text.clone());
                }
                let value = EvalExpr::Name(name.clone());
                let value = lane.map_or_else(|| value.clone(), |lane| EvalExpr::only_if(off_lane(lane), value.clone()));
                more.push(Aggregate { function: AggregateFunction::First, argument: Some(value), name: text });
            }
            aggregates.extend(more);
            if aggregates.is_empty() {
                aggregates.push(Aggregate::count("detc_rows"));
            }
        }
        flow(stage, &mut live);
    }
    lists
}

/// What is needed before a command, given what is needed behind it.
fn flow(stage: &Stage, live: &mut BTreeSet<Name>) {
    let column = |name: &str| Name::Derived(name.to_owned());
    match stage {
        Stage::Where(condition) => read(condition, live),
        Stage::Eval(assignments) => {
            for (name, value) in assignments.iter().rev() {
                live.remove(&column(name));
                read(value, live);
            }
        }
        Stage::Stats { aggregates, by } | Stage::StatsBeside { aggregates, by, .. } => {
            live.clear();
            aggregates.iter().filter_map(|one| one.argument.as_ref()).for_each(|value| read(value, live));
            live.extend(by.iter().map(|name| column(name)));
        }
        Stage::EventStats { aggregates, by } | Stage::StreamStats { aggregates, by, .. } => {
            aggregates.iter().for_each(|one| {
                live.remove(&column(&one.name));
            });
            aggregates.iter().filter_map(|one| one.argument.as_ref()).for_each(|value| read(value, live));
            live.extend(by.iter().map(|name| column(name)));
        }
        Stage::Sort(keys) => live.extend(keys.iter().map(|key| column(&key.column))),
        Stage::Dedup(columns) | Stage::Table(columns) => live.extend(columns.iter().map(|name| column(name))),
        Stage::Fields(names) => live.extend(names.iter().cloned()),
        Stage::MvExpand(name) => {
            live.insert(column(name));
        }
        Stage::AddInfo => {
            live.remove(&column("info_max_time"));
        }
        Stage::Locate { address, prefix } => {
            live.retain(|name| !matches!(name, Name::Derived(name) if is_place(name, prefix)));
            live.insert(column(address));
        }
        Stage::Lookup { address, output: (_, ours), .. } => {
            live.remove(&column(ours));
            live.insert(column(address));
        }
        Stage::Rename(pairs) => {
            for (from, to) in pairs {
                live.remove(&column(to));
                live.insert(column(from));
            }
        }
    }
}

fn is_place(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix).is_some_and(|fact| ["City", "Country", "Region", "lat", "lon"].contains(&fact))
}

fn read(value: &EvalExpr, live: &mut BTreeSet<Name>) {
    match value {
        EvalExpr::Name(name) => {
            live.insert(name.clone());
        }
        EvalExpr::Text(_) | EvalExpr::Regex(_) | EvalExpr::FirstGroup | EvalExpr::Integer(_) | EvalExpr::Decimal(_) => {
        }
        EvalExpr::Call(_, parts) | EvalExpr::Join(parts) | EvalExpr::And(parts) | EvalExpr::Or(parts) => {
            parts.iter().for_each(|part| read(part, live));
        }
        EvalExpr::Compare(left, _, right) | EvalExpr::Arithmetic(left, _, right) => {
            read(left, live);
            read(right, live);
        }
        EvalExpr::Not(inner) => read(inner, live),
    }
}
