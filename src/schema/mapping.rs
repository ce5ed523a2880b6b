//! What one target makes of each source: tables, columns, types and spellings.
//!
//! Never knows a query language: backends read these facts, `target` loads them.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;

use super::{Case, Duration, FieldPath, Type};

/// A deployment of a query language, as its folder under `targets/` describes it.
#[derive(Debug, Clone)]
pub struct TargetProfile {
    /// Name of the folder.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// Name of the backend that knows the language.
    pub backend: String,
    /// Default interval between two runs of a query.
    pub interval: Duration,
    /// Options of the backend.
    pub options: BTreeMap<String, serde_json::Value>,
    /// Field maps by name of the source.
    pub maps: BTreeMap<String, Arc<FieldMap>>,
}

/// Where a source lives on a target and how each of its fields is reached there.
#[derive(Debug, Clone)]
pub struct FieldMap {
    /// Name of the source.
    pub source: String,
    /// Place of the source; keys depend on the backend (`table`, `index`, `dataset`, `search`, `macro`, `product`, `service`).
    pub location: BTreeMap<String, Vec<String>>,
    /// The target's own time column.
    pub time: String,
    /// Bindings by path text; `x.*` stands for everything below `x`, `x[].y` for a member of a list's elements,
    /// `x[name].y` for one of the element of that name in a name/value list.
    pub fields: IndexMap<String, Binding>,
    /// The maps of several sources whose events are read together, by source; their paths begin with its name.
    pub members: BTreeMap<String, Arc<FieldMap>>,
}

/// What a target has for one field.
#[derive(Debug, Clone)]
pub enum Binding {
    /// The target carries it.
    Column(Column),
    /// The target does not carry it, for this reason.
    Missing(String),
}

/// How a field is reached on a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Path on the target; `*` stands for an index or a name where `access` says so.
    pub path: String,
    /// How the value is taken out of that path.
    pub access: Access,
    /// Type on the target; `None` when it is the schema's.
    pub ty: Option<Type>,
    /// Spellings of values: native text to the target's.
    pub literals: BTreeMap<String, serde_json::Value>,
    /// Casing on the target; `None` when it is the schema's.
    pub case: Option<Case>,
    /// How the target's value can differ from the native one.
    pub lossy: Option<String>,
    /// Members to go down from `path`, for a field that a `.*` entry covers or a list member that derives.
    pub rest: FieldPath,
}

/// How a value is taken out of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The path is the value.
    Direct,
    /// The first segment is a text column that holds JSON; the others lead into it.
    JsonText,
    /// The first segment is a column of parsed JSON; the others lead into it.
    Dynamic,
    /// Elastic `flattened`: every leaf is an untyped keyword.
    Flattened,
    /// An array stored as an object keyed by index.
    Indexed,
    /// A name/value list stored as an object keyed by name.
    Keyed,
}

impl FieldMap {
    /// What the target has for a field; `None` when the map does not mention it.
    ///
    /// A list's member without an entry of its own derives from the list's entry.
    #[must_use]
    pub fn resolve(&self, path: &FieldPath) -> Option<Binding> {
        if let Some((member, rest)) = self.member(path) {
            return member.resolve(&rest);
        }
        if let Some(binding) = self.fields.get(&path.to_string()) {
            return Some(binding.clone());
        }
        if let Some((list, member)) = path.split_at_list() {
            return self.resolve_member(&list, &member);
        }
        let segments = path.segments();
        (1..segments.len()).rev().find_map(|length| {
            let prefix = FieldPath::new(segments.get(..length)?.to_vec());
            let rest = path.strip_prefix(&prefix)?;
            match self.fields.get(&format!("{prefix}.*"))? {
                Binding::Column(column) => Some(Binding::Column(Column { rest, ..column.clone() })),
                Binding::Missing(reason) => Some(Binding::Missing(reason.clone())),
            }
        })
    }

    /// What the target has for a member of the elements of `list`; an empty `member` is the element itself.
    #[must_use]
    pub fn resolve_member(&self, list: &FieldPath, member: &FieldPath) -> Option<Binding> {
        if let Some((map, rest)) = self.member(list) {
            return map.resolve_member(&rest, member);
        }
        let key = if member.is_empty() { format!("{list}[]") } else { format!("{list}[].{member}") };
        if let Some(binding) = self.fields.get(&key) {
            return Some(binding.clone());
        }
        let segments = member.segments();
        let covered = (1..segments.len()).rev().find_map(|length| {
            let prefix = FieldPath::new(segments.get(..length)?.to_vec());
            let rest = member.strip_prefix(&prefix)?;
            match self.fields.get(&format!("{list}[].{prefix}.*"))? {
                Binding::Column(column) => Some(Binding::Column(Column { rest, ..column.clone() })),
                Binding::Missing(reason) => Some(Binding::Missing(reason.clone())),
            }
        });
        if covered.is_some() {
            return covered;
        }
        match self.resolve(list)? {
            Binding::Column(column) => {
                let rest = column.rest.join(member);
                Some(Binding::Column(Column { rest, ty: None, ..column }))
            }
            missing @ Binding::Missing(_) => Some(missing),
        }
    }

    /// What the target has for a member of the element of that name, in a name/value list whose entries it keeps apart.
    #[must_use]
    pub fn resolve_named(&self, list: &FieldPath, name: &str, member: &FieldPath) -> Option<&Binding> {
        if let Some((map, rest)) = self.member(list) {
            return map.resolve_named(&rest, name, member);
        }
        self.fields.get(&format!("{list}[{name}].{member}"))
    }

    /// What the map says of a path itself, whatever covers it.
    #[must_use]
    pub fn entry(&self, path: &FieldPath) -> Option<Binding> {
        match self.member(path) {
            Some((map, rest)) => map.entry(&rest),
            None => self.fields.get(&path.to_string()).cloned(),
        }
    }

    /// The map of the source that a path begins with, and the rest of the path.
    fn member(&self, path: &FieldPath) -> Option<(&Self, FieldPath)> {
        let (source, rest) = path.split_source()?;
        Some((self.members.get(source)?, rest))
    }

    /// The map of several sources whose events are read together.
    #[must_use]
    pub fn of_several(source: &str, members: &[Arc<Self>]) -> Self {
        let mut location: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (key, places) in members.iter().flat_map(|member| &member.location) {
            let all = location.entry(key.clone()).or_default();
            let new: Vec<String> = places.iter().filter(|place| !all.contains(place)).cloned().collect();
            all.extend(new);
        }
        Self {
            source: source.to_owned(),
            location,
            time: members.first().map(|member| member.time.clone()).unwrap_or_default(),
            fields: IndexMap::new(),
            members: members.iter().map(|member| (member.source.clone(), member.clone())).collect(),
        }
    }

    /// The single value of a location key.
    #[must_use]
    pub fn place(&self, key: &str) -> Option<&str> {
        self.location.get(key)?.first().map(String::as_str)
    }

    /// All values of a location key; none when it is absent.
    #[must_use]
    pub fn places(&self, key: &str) -> &[String] {
        self.location.get(key).map_or(&[], Vec::as_slice)
    }
}

impl Column {
    /// The target's spelling of a native value, where it differs.
    #[must_use]
    pub fn spelling(&self, native: &str) -> Option<&serde_json::Value> {
        self.literals.get(native).or_else(|| {
            self.literals.iter().find(|(known, _)| known.eq_ignore_ascii_case(native)).map(|(_, value)| value)
        })
    }
}
