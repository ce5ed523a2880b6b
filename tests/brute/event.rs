//! Events: as they are drawn, and as typed rows that the brute force looks at.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Value as Json, json};

use crate::number::Ratio;

/// An event of the log: milliseconds since the test's start, and what the source sends.
#[derive(Debug, Clone)]
pub struct Drawn {
    pub time: i64,
    pub fields: Json,
}

/// A value of a declared type; a missing one is not there at all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cell {
    Text(String),
    Number(Ratio),
    Time(i64),
    List(Vec<Cell>),
    /// Something of another type: it exists, and that is all.
    Other,
}

impl Cell {
    /// The elements of a list that are values, each once; a scalar is one.
    pub fn elements(&self) -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        match self {
            Self::List(items) => {
                for item in items {
                    if !found.contains(item) {
                        found.push(item.clone());
                    }
                }
            }
            Self::Other => {}
            Self::Text(_) | Self::Number(_) | Self::Time(_) => found.push(self.clone()),
        }
        found
    }

    /// As it stands in a hit's keys.
    pub fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Time(time) => time.to_string(),
            Self::Other => String::new(),
            Self::List(items) => items.iter().map(Self::shown).collect::<Vec<_>>().join(","),
        }
    }
}

/// What makes two rows one event for a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    Event(usize),
    /// A hit that no event closes: its keys and time, within its signal.
    Hit(String, Vec<Cell>, i64),
}

/// An event, or a hit that is treated as one.
#[derive(Debug, Clone)]
pub struct Row {
    pub time: i64,
    pub identity: Identity,
    /// The text that decides which of several closing events is shown.
    pub text: Rc<str>,
    pub fields: Rc<BTreeMap<String, Cell>>,
    /// Whether it is an event of the log.
    pub is_event: bool,
}

impl Row {
    pub fn get(&self, field: &str) -> Option<&Cell> {
        self.fields.get(field).filter(|cell| **cell != Cell::Other)
    }

    pub fn exists(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    pub fn number(&self, field: &str) -> Option<Ratio> {
        match self.get(field) {
            Some(Cell::Number(number)) => Some(*number),
            Some(Cell::Text(_) | Cell::Time(_) | Cell::List(_) | Cell::Other) | None => None,
        }
    }
}

/// The log without duplicates: of the events with one id the smallest by time, then text.
pub fn rows(log: &[Drawn]) -> Vec<Row> {
    let mut kept: Vec<(Option<String>, i64, String, &Json)> = Vec::new();
    for event in log {
        let id = event.fields.get("id").and_then(Json::as_str).filter(|id| !id.is_empty()).map(str::to_owned);
        let text = sorted_text(&event.fields);
        let known = id.as_ref().and_then(|id| kept.iter().position(|other| other.0.as_ref() == Some(id)));
        match known {
            Some(place) if (event.time, &text) < (kept[place].1, &kept[place].2) => {
                kept[place] = (id, event.time, text, &event.fields);
            }
            Some(_) => {}
            None => kept.push((id, event.time, text, &event.fields)),
        }
    }
    let row = |(index, (_, time, text, fields)): (usize, (Option<String>, i64, String, &Json))| Row {
        time,
        identity: Identity::Event(index),
        text: text.into(),
        fields: Rc::new(typed(fields)),
        is_event: true,
    };
    kept.into_iter().enumerate().map(row).collect()
}

/// The fields by their declared types, and what `let` names.
fn typed(fields: &Json) -> BTreeMap<String, Cell> {
    let mut cells = BTreeMap::new();
    for (name, value) in fields.as_object().into_iter().flatten() {
        let cell = match name.as_str() {
            "groups" | "tags" => {
                let items: Vec<Cell> = match value {
                    Json::Array(items) => items.iter().filter_map(text).collect(),
                    scalar => text(scalar).into_iter().collect(),
                };
                // `[null]` and `[""]` exist, but have no element that counts.
                let there = matches!(value, Json::Array(items) if !items.is_empty()) || !items.is_empty();
                there.then_some(Cell::List(items))
            }
            "amount" => number(value).filter(|number| number.is_whole()).map(Cell::Number),
            "rate" => number(value).map(Cell::Number),
            "seen" => value
                .as_str()
                .and_then(|text| text.parse::<jiff::Timestamp>().ok())
                .map(|seen| Cell::Time(seen.as_millisecond())),
            _ => text(value),
        };
        let is_there = match value {
            Json::Null => false,
            Json::String(text) => !text.is_empty(),
            Json::Array(items) => !items.is_empty(),
            Json::Bool(_) | Json::Number(_) | Json::Object(_) => true,
        };
        if let Some(cell) = cell.or(is_there.then_some(Cell::Other)) {
            cells.insert(name.clone(), cell);
        }
    }
    if let Some(user) = cells.get("user").cloned() {
        cells.insert("who".to_owned(), user);
    }
    if let Some(Cell::Text(value)) = cells.get("value") {
        cells.insert("low".to_owned(), Cell::Text(value.to_lowercase()));
    }
    cells
}

fn text(value: &Json) -> Option<Cell> {
    match value {
        Json::String(text) if !text.is_empty() => Some(Cell::Text(text.clone())),
        Json::Number(number) => Some(Cell::Text(number.to_string())),
        Json::Bool(truth) => Some(Cell::Text(truth.to_string())),
        Json::String(_) | Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// A number, or the shortest decimal text of one.
fn number(value: &Json) -> Option<Ratio> {
    let written = match value {
        Json::Number(number) => number.to_string(),
        Json::String(text) => text.clone(),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => return None,
    };
    let digits = written.strip_prefix('-').unwrap_or(&written);
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let fits = all_digits(whole) && (whole == "0" || !whole.starts_with('0')) && fraction.is_none_or(all_digits);
    fits.then(|| Ratio::parse(&written)).flatten()
}

/// JSON with sorted members and no blanks.
fn sorted_text(value: &Json) -> String {
    match value {
        Json::Object(members) => {
            let mut parts: Vec<String> =
                members.iter().map(|(name, value)| format!("{}:{}", json!(name), sorted_text(value))).collect();
            parts.sort();
            format!("{{{}}}", parts.join(","))
        }
        Json::Array(items) => format!("[{}]", items.iter().map(sorted_text).collect::<Vec<_>>().join(",")),
        scalar => scalar.to_string(),
    }
}
