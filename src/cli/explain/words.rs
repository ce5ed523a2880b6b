//! A detection in words: what it looks for, in which events, what it shows and what each target makes of it.

use std::fmt::Write as _;

use super::value::{some, value};
use super::{behavior, predicate, targets};
use crate::cli::session::Loaded;
use crate::ir::{Behavior, Detection, HitColumn, HitValue, Predicate, Signal, SignalId, Stage};

/// The whole page.
pub(super) fn page(loaded: &Loaded, detection: &Detection, targets: &[String]) -> String {
    let mut text = String::new();
    heading(detection, &mut text);
    stage(&detection.stage, 0, &mut text);
    if detection.filter.node != Predicate::Constant(true) {
        let (start, conditions) = predicate::list(&detection.filter.node);
        let _ = writeln!(text, "\nOf these hits it keeps those for which{start}");
        lines(conditions, 1, &mut text);
    }
    settings(detection, &mut text);
    alert(detection, &mut text);
    targets::write(loaded, targets, &mut text);
    text
}

fn heading(detection: &Detection, text: &mut String) {
    let metadata = &detection.metadata;
    let _ = writeln!(text, "{}: {}", detection.name.node, metadata.title);
    let attack = &metadata.attack;
    let ids: Vec<&str> =
        attack.strategy.iter().chain(&attack.analytics).chain(&attack.techniques).map(String::as_str).collect();
    let ids = if ids.is_empty() { String::new() } else { format!("; {}", ids.join(", ")) };
    let (severity, status) = (metadata.severity.as_str(), metadata.status.as_str());
    let _ = writeln!(text, "{severity} severity, {status}, version {}{ids}", metadata.version);
    let _ = writeln!(text, "\n{}\n", metadata.description.trim_end());
}

/// What a stage finds, then its signals one level deeper.
fn stage(of: &Stage, level: usize, text: &mut String) {
    lines(behavior::sentences(of), level, text);
    let given: Vec<String> = of
        .behavior
        .node
        .aggregate_names()
        .into_iter()
        .filter(|name| !is_own_name(name))
        .map(|name| format!("`{name}`"))
        .collect();
    if !given.is_empty() {
        lines(vec![format!("A hit carries {}.", some(&given, "and"))], level, text);
    }
    if !of.keys.is_empty() {
        let keys: Vec<String> = of.keys.iter().map(|key| format!("`{}`", key.name)).collect();
        let sentence = format!(
            "Events count together when they share {}; an event that lacks {} takes no part.",
            some(&keys, "and"),
            if keys.len() == 1 { "it" } else { "one of them" }
        );
        lines(vec![sentence], level, text);
    }
    if level == 0 {
        text.push('\n');
    }
    for (index, signal) in of.signals.iter().enumerate() {
        self::signal(of, SignalId(index), signal, level + 1, text);
    }
}

/// Whether a number is called as its function is, so that nobody gave it a name.
fn is_own_name(name: &str) -> bool {
    ["count", "distinct", "sum", "avg", "min", "max", "median", "percentile", "score"].contains(&name)
}

fn signal(of: &Stage, id: SignalId, signal: &Signal, level: usize, text: &mut String) {
    let role = role(&of.behavior.node, id);
    let name = &signal.name.node;
    let every = signal.predicate.node == Predicate::Constant(true);
    let (start, conditions) = predicate::list(&signal.predicate.node);
    if let Some(inner) = &signal.stage {
        lines(vec![format!("`{name}`{role}: the hits of this")], level, text);
        stage(inner, level + 2, text);
        if !every {
            lines(vec![format!("for which{start}")], level + 1, text);
        }
    } else {
        let source = &signal.source;
        let which = if every { "every event" } else { "events" };
        let so = if every { String::new() } else { format!(" for which{start}") };
        let from: Vec<&str> = signal.sources().into_iter().map(|source| source.name.as_str()).collect();
        let from = if signal.class.is_some() { format!(", from {}", from.join(", ")) } else { String::new() };
        lines(vec![format!("`{name}`{role}: {which} of {} ({}{from}){so}", source.name, source.title)], level, text);
    }
    if !every {
        lines(conditions, level + 1, text);
    }
    let keys = of.keys.iter().zip(&signal.keys).map(|(key, of)| (&key.name, value(&of.node)));
    let columns = signal.columns.iter().map(|column| (&column.name.node, value(&column.value)));
    let mut named: Vec<String> = Vec::new();
    for (name, value) in keys.chain(columns) {
        let means = format!("`{name}` is {value}");
        if *name != value && !named.contains(&means) {
            named.push(means);
        }
    }
    if !named.is_empty() {
        lines(vec![format!("where {}", some(&named, "and"))], level + 1, text);
    }
}

/// What a signal is there for, where its events do not have to be there.
fn role(behavior: &Behavior, id: SignalId) -> &'static str {
    let until = match behavior {
        Behavior::Sequence(sequence) => sequence.until.as_ref().map(|until| until.node),
        Behavior::Event { .. }
        | Behavior::Count { .. }
        | Behavior::Distinct { .. }
        | Behavior::Aggregation(_)
        | Behavior::Group(_)
        | Behavior::Rare(_)
        | Behavior::Baseline(_)
        | Behavior::Travel(_) => None,
    };
    if behavior.positive_signals().contains(&id) {
        ""
    } else if until == Some(id) {
        ", which ends a chain"
    } else {
        ", which must not happen"
    }
}

/// Parameters, lists and exceptions.
fn settings(detection: &Detection, text: &mut String) {
    if !detection.parameters.is_empty() {
        let _ = writeln!(text, "\nParameters:");
    }
    for parameter in &detection.parameters {
        let origin = if parameter.overridden { " (given from outside)" } else { "" };
        let element = parameter.mutable_element.as_ref();
        let element = element.map(|name| format!(", the mutable element {name} of ATT&CK")).unwrap_or_default();
        let _ = writeln!(text, "  {} = {}{origin}{element}", parameter.name, parameter.value);
    }
    if !detection.lists.is_empty() || !detection.exceptions.is_empty() {
        text.push('\n');
    }
    for list in &detection.lists {
        let entries = if list.entries == 1 { "1 entry".to_owned() } else { format!("{} entries", list.entries) };
        let _ = writeln!(text, "List {}: {entries} in force", list.name);
    }
    for exception in &detection.exceptions {
        let until = match (&exception.expires, exception.active) {
            (Some(day), true) => format!(", until {day}"),
            (Some(day), false) => format!(", expired on {day} and no longer applied"),
            (None, true) => String::new(),
            (None, false) => ", not applied".to_owned(),
        };
        let (owner, reason) = (&exception.owner, &exception.reason);
        let _ = writeln!(text, "Exception of {owner}: {reason} (on {}{until})", exception.signals.join(", "));
    }
}

/// What an alert shows, and what becomes of repeats.
fn alert(detection: &Detection, text: &mut String) {
    let shown: Vec<String> = detection.stage.columns.iter().filter(|column| column.shown).map(column).collect();
    text.push('\n');
    if !shown.is_empty() {
        let _ = writeln!(text, "An alert shows {}.", some(&shown, "and"));
    }
    let entities: Vec<String> =
        detection.alert.entities.iter().map(|entity| format!("{} ({})", entity.column, entity.kind)).collect();
    if !entities.is_empty() {
        let _ = writeln!(text, "It is about {}.", some(&entities, "and"));
    }
    match &detection.alert.suppression {
        None => text.push_str("Every hit raises an alert.\n"),
        Some(suppression) if suppression.by.is_empty() => {
            let _ = writeln!(text, "After an alert, hits less than {} later raise none.", suppression.period);
        }
        Some(suppression) => {
            let (by, period) = (some(&suppression.by, "and"), suppression.period);
            let _ = writeln!(text, "After an alert, hits with the same {by} less than {period} later raise none.");
        }
    }
}

fn column(of: &HitColumn) -> String {
    match &of.value {
        HitValue::Key(_) | HitValue::Aggregate(_) => of.name.clone(),
        HitValue::Closing(_) => format!("{} (of the last event)", of.name),
        HitValue::Step { .. } => of.name.clone(),
    }
}

/// Lines at a level of two blanks each.
fn lines(lines: Vec<String>, level: usize, text: &mut String) {
    for line in lines {
        let _ = writeln!(text, "{}{line}", "  ".repeat(level));
    }
}
