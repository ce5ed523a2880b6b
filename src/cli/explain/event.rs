//! Why an event is one of a signal, or is not: each condition with the values that it met.
//!
//! Never decides a condition itself: it asks the evaluator about each part.

use std::fmt::Write as _;

use super::predicate::{View, view};
use super::value::value;
use crate::eval::{Look, Met, Tracer, time_to_text};
use crate::ir::{Detection, Predicate, Signal, Stage, Value};
use crate::schema::Source;
use crate::verify::{raw_event, source_of};

/// How many elements of a list are shown.
const ELEMENTS: usize = 10;

/// What the detection makes of each event of a text: one JSON value, or one a line; the error says which is none.
pub(super) fn page(detection: &Detection, text: &str) -> Result<String, String> {
    let mut signals = Vec::new();
    of_events(&detection.stage, &mut signals);
    let mut page = String::new();
    for (number, event) in events(text)?.into_iter().enumerate() {
        let number = number + 1;
        let source = source(&event, detection)
            .ok_or_else(|| format!("event {number} has the signature of none of the detection's sources"))?;
        for event in source.events_of(event) {
            let event = raw_event(event, source).map_err(|why| format!("event {number}: {why}"))?;
            let _ = writeln!(page, "event {number} of {} at {}", event.source, time_to_text(event.time));
            let tracer = Tracer::default();
            for signal in signals.iter().filter_map(|signal| signal.on(&event.source)) {
                let look = tracer.look(&event, &signal.source);
                let holds = look.holds(&signal.predicate.node);
                let _ = writeln!(page, "  {} `{}`", if holds { "is a" } else { "is no" }, signal.name.node);
                condition(&look, &signal.predicate.node, 2, &mut page);
            }
        }
    }
    Ok(page)
}

/// The source of an event: that whose signature it has, or the only one, since a person may leave out what matters not.
fn source<'a>(event: &serde_json::Value, detection: &'a Detection) -> Option<&'a Source> {
    source_of(event, detection).or(match detection.sources().as_slice() {
        [only] => Some(only),
        _ => None,
    })
}

/// The signals that are events of a telemetry source, at any depth.
fn of_events<'a>(stage: &'a Stage, signals: &mut Vec<&'a Signal>) {
    for signal in &stage.signals {
        match &signal.stage {
            Some(inner) => of_events(inner, signals),
            None => signals.push(signal),
        }
    }
}

/// The events of a text: a JSON object, an array of them, or one a line.
fn events(text: &str) -> Result<Vec<serde_json::Value>, String> {
    match serde_json::from_str(text) {
        Ok(serde_json::Value::Array(events)) => Ok(events),
        Ok(event) => Ok(vec![event]),
        Err(whole) => {
            let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
            if lines.len() < 2 {
                return Err(format!("no JSON: {whole}"));
            }
            let event = |(number, line): (usize, &&str)| {
                serde_json::from_str(line).map_err(|error| format!("line {}: no JSON: {error}", number + 1))
            };
            lines.iter().enumerate().map(event).collect()
        }
    }
}

fn condition(look: &Look<'_>, predicate: &Predicate, level: usize, page: &mut String) {
    let View { text, parts, values, elements } = view(predicate);
    let holds = if look.holds(predicate) { "true " } else { "false" };
    let met: Vec<String> = values.iter().map(|value| met(look, value)).collect();
    let met = if met.is_empty() { String::new() } else { format!("   [{}]", met.join(", ")) };
    let indent = "  ".repeat(level);
    let _ = writeln!(page, "{indent}{holds}  {text}{met}");
    let Some((list, variable)) = elements else {
        for part in parts {
            condition(look, part, level + 1, page);
        }
        return;
    };
    let found = look.elements(list, variable);
    if found.is_empty() {
        let _ = writeln!(page, "{indent}       {} has no element", value(list));
    }
    for (number, element) in found.iter().take(ELEMENTS).enumerate() {
        let _ = writeln!(page, "{indent}       element {}", number + 1);
        for part in &parts {
            condition(element, part, level + 3, page);
        }
    }
    if found.len() > ELEMENTS {
        let _ = writeln!(page, "{indent}       and {} more", found.len() - ELEMENTS);
    }
}

fn met(look: &Look<'_>, of: &Value) -> String {
    let name = value(of);
    match look.value(of) {
        Met::Value(found) => format!("{name} is {found}"),
        Met::Unfit(ty) => format!("{name} is there, but is no {ty}"),
        Met::Missing => format!("{name} is missing"),
    }
}
