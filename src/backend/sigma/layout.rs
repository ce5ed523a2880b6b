//! Lays a boolean tree out as named searches and a condition, the way Sigma rules are read: what is selected, then what is filtered.

use indexmap::IndexMap;

use super::ast::{Condition, Detection, Item, Search, Value};
use super::tree::Tree;

/// Lays out a tree without constants.
pub(super) fn lay_out(tree: &Tree) -> Detection {
    let mut layout = Layout { searches: IndexMap::new() };
    let mut selections: Vec<Vec<Item>> = Vec::new();
    let mut alternatives: Vec<Vec<Vec<Item>>> = Vec::new();
    let mut filters: Vec<Vec<Vec<Item>>> = Vec::new();
    let mut others: Vec<&Tree> = Vec::new();
    for part in tree.conjuncts() {
        match part {
            Tree::Leaf { item, .. } => select(&mut selections, item),
            Tree::Not(inner) => match search(inner) {
                Some(maps) => filters.push(maps),
                None => others.push(part),
            },
            Tree::Or(_) | Tree::And(_) | Tree::Constant(_) => match search(part) {
                Some(maps) => alternatives.push(maps),
                None => others.push(part),
            },
        }
    }
    let mut conditions = Vec::new();
    let mut maps: Vec<Vec<Vec<Item>>> = selections.into_iter().map(|map| vec![map]).collect();
    maps.extend(alternatives);
    for (index, maps) in maps.into_iter().enumerate() {
        let name = if index == 0 { "selection".to_owned() } else { name("selection", &maps) };
        conditions.push(Condition::Search(layout.add(name, maps)));
    }
    conditions.extend(others.into_iter().map(|part| layout.nest(part)));
    if filters.len() == 1 {
        for maps in filters {
            let name = layout.add("filter".to_owned(), maps);
            conditions.push(Condition::Not(Box::new(Condition::Search(name))));
        }
    } else if !filters.is_empty() {
        for maps in filters {
            let name = name("filter", &maps);
            layout.add(name, maps);
        }
        conditions.push(Condition::NoneOf("filter_"));
    }
    let condition = if conditions.len() == 1 { conditions.remove(0) } else { Condition::And(conditions) };
    Detection { searches: layout.searches, condition }
}

struct Layout {
    searches: IndexMap<String, Search>,
}

impl Layout {
    /// Adds a search under the name, or under the name with a number where it is taken.
    fn add(&mut self, name: String, maps: Vec<Vec<Item>>) -> String {
        let free = |candidate: &String| !self.searches.contains_key(candidate);
        let numbered = (2_usize..).map(|number| format!("{name}_{number}"));
        let name = std::iter::once(name.clone()).chain(numbered).find(free).unwrap_or(name);
        self.searches.insert(name.clone(), Search(maps));
        name
    }

    /// Names everything inside a part that no single search can say.
    fn nest(&mut self, tree: &Tree) -> Condition {
        if let Some(maps) = search(tree) {
            let name = name("selection", &maps);
            return Condition::Search(self.add(name, maps));
        }
        match tree {
            Tree::Not(inner) => Condition::Not(Box::new(self.nest(inner))),
            Tree::And(parts) => Condition::And(parts.iter().map(|part| self.nest(part)).collect()),
            Tree::Or(parts) => Condition::Or(parts.iter().map(|part| self.nest(part)).collect()),
            // A leaf is a search, and trees with constants are not laid out.
            Tree::Leaf { .. } | Tree::Constant(_) => Condition::And(Vec::new()),
        }
    }
}

/// Puts an item into the first map that has no such key.
fn select(maps: &mut Vec<Vec<Item>>, item: &Item) {
    for map in maps.iter_mut() {
        if !has_key(map, item) {
            map.push(item.clone());
            return;
        }
    }
    maps.push(vec![item.clone()]);
}

fn has_key(map: &[Item], item: &Item) -> bool {
    map.iter().any(|known| known.field == item.field && known.comparison == item.comparison)
}

/// The tree as maps of which one has to hold, where it can be said so.
fn search(tree: &Tree) -> Option<Vec<Vec<Item>>> {
    match tree {
        Tree::Or(parts) => parts.iter().map(map).collect(),
        Tree::Leaf { .. } | Tree::And(_) => Some(vec![map(tree)?]),
        Tree::Constant(_) | Tree::Not(_) => None,
    }
}

/// The tree as items that all have to hold, where it can be said so.
fn map(tree: &Tree) -> Option<Vec<Item>> {
    let mut map: Vec<Item> = Vec::new();
    for part in tree.conjuncts() {
        let Tree::Leaf { item, .. } = part else { return None };
        if has_key(&map, item) {
            return None;
        }
        map.push(item.clone());
    }
    Some(map)
}

/// A name that tells which field a search is about, and whether the field is to be absent.
fn name(prefix: &str, maps: &[Vec<Item>]) -> String {
    let item = maps.first().and_then(|map| map.first());
    let field = item.map_or("", |item| item.field.as_str());
    let last = field.rsplit('.').next().unwrap_or(field);
    let word: String = last.chars().filter(char::is_ascii_alphanumeric).collect();
    let word = if word.is_empty() { "value".to_owned() } else { word.to_ascii_lowercase() };
    let absent = item.is_some_and(|item| item.values.iter().all(|value| matches!(value, Value::Null | Value::Empty)));
    format!("{prefix}_{}{word}", if absent { "no_" } else { "" })
}
