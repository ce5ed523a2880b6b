//! The telemetry catalogue: sources, their fields and types, and what each target makes of them.
//!
//! Never looks at a detection: it answers questions about names, types and values.

mod attack;
mod class;
mod duration;
mod instant;
mod load;
pub mod mapping;
mod path;
mod record;
mod suggest;
mod types;

use serde::Serialize;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use indexmap::IndexMap;

pub use attack::{AttackCatalog, Strategy};
pub use class::{Branch, ClassField, ClassFiles, ClassText, Entry, MemberText};
pub use duration::{Duration, InvalidDuration};
pub use instant::instant;
pub use load::{load_shipped_source, load_source};
pub use path::FieldPath;
pub use suggest::nearest;
pub use types::Type;

/// A telemetry source: one kind of event as its vendor emits it.
#[derive(Debug, Clone)]
pub struct Source {
    /// Name by which detections refer to it, such as `aws.cloudtrail`.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// One or two sentences on what the source records.
    pub description: String,
    /// Where the events' own time stands.
    pub time: FieldPath,
    /// Resolution of that time.
    pub clock: Clock,
    /// The latest that an event may arrive after its own time.
    pub lag: Duration,
    /// Field that identifies an event for the removal of duplicates; `None` where the source has none.
    pub id: Option<FieldPath>,
    /// Where the source may send a list of events, each of which is one with the other members of its record.
    pub each: Option<FieldPath>,
    /// Paths whose presence together recognises a raw event of this source.
    pub signature: Vec<FieldPath>,
    /// Pitfalls that an author should know.
    pub notes: Vec<String>,
    /// The fields, as the members of the outermost object.
    pub root: Members,
    /// The sources whose events these are, for a class or a part of one; empty for telemetry and for hits.
    pub members: Vec<Arc<Source>>,
    /// Fields of a class that some of its sources lack, with those sources.
    pub lacking: BTreeMap<FieldPath, Vec<Lack>>,
    /// The document as JSON Schema.
    pub json_schema: Arc<serde_json::Value>,
    /// The document as a validator, made when it is first wanted.
    pub validator: EventValidator,
}

/// Validates events against the schema of a source; made on first use, because that costs milliseconds.
#[derive(Debug, Clone, Default)]
pub struct EventValidator(Arc<OnceLock<Option<jsonschema::Validator>>>);

impl Source {
    /// Whether the source was made for the hits of a behaviour and is no telemetry.
    #[must_use]
    pub fn is_made_of_hits(&self) -> bool {
        self.json_schema.is_null() && self.members.is_empty()
    }

    /// What the schema says against an event that may lack any field: messages in no special order.
    #[must_use]
    pub fn objections(&self, event: &serde_json::Value) -> Vec<String> {
        let validator = self.validator.0.get_or_init(|| {
            let mut schema = (*self.json_schema).clone();
            if let Some(members) = schema.as_object_mut() {
                members.shift_remove("required");
            }
            jsonschema::validator_for(&schema).ok()
        });
        let errors = validator.iter().flat_map(|validator| validator.iter_errors(event));
        errors.map(|error| format!("at `{}`: {error}", error.instance_path().as_str())).collect()
    }
}

/// A source that lacks a field of a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lack {
    /// Name of the source.
    pub source: String,
    /// Why it has no such field: a fragment in lower case.
    pub reason: String,
}

/// Resolution of a source's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// Whole seconds.
    Second,
    /// Milliseconds.
    Millisecond,
    /// Finer than milliseconds.
    Finer,
}

/// Members of an object.
#[derive(Debug, Clone, Default)]
pub struct Members {
    /// Members that the schema names.
    pub named: IndexMap<String, Field>,
    /// Type of the values below any other member, where the object is open.
    pub open: Option<Type>,
}

/// One field of a source, or one member of an object or of a list's elements.
#[derive(Debug, Clone)]
pub struct Field {
    /// Declared type.
    pub ty: Type,
    /// What the field holds.
    pub description: String,
    /// In which casing values arrive.
    pub case: Case,
    /// Values that are known to occur.
    pub values: KnownValues,
    /// Whether every event carries it.
    pub presence: Presence,
    /// How an integer time counts; `None` for times written as text.
    pub epoch: Option<Epoch>,
    /// Members of an object, or of the elements of a list of objects.
    pub members: Members,
    /// Names of the members that hold name and value, where the list is a name/value list.
    pub name_value: Option<NameValue>,
}

/// In which casing a field's values arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Case {
    /// Casings differ between events.
    #[default]
    Any,
    /// Always that of the known values.
    Canonical,
}

/// Whether every event carries a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// Some events lack it.
    #[default]
    Optional,
    /// Every event has it.
    Always,
}

/// How an integer time counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Epoch {
    /// Seconds since 1970.
    Seconds,
    /// Milliseconds since 1970.
    Milliseconds,
}

/// Values that are known to occur in a field.
#[derive(Debug, Clone, Default)]
pub struct KnownValues {
    /// The values, in canonical casing.
    pub values: Vec<String>,
    /// Whether no other value occurs.
    pub complete: bool,
    /// Values that people write but that the source never sends, with the one that is meant.
    pub never: BTreeMap<String, String>,
    /// Values that are sent but are seldom what is meant, with the one that usually is.
    pub mistaken: BTreeMap<String, String>,
    /// Indexes of the values by their text in lower case; values in two casings are left out.
    index: HashMap<String, usize>,
    /// Texts in lower case that stand for values in two casings.
    twins: HashSet<String>,
}

impl KnownValues {
    /// Collects known values.
    #[must_use]
    pub fn new(
        values: Vec<String>,
        complete: bool,
        never: BTreeMap<String, String>,
        mistaken: BTreeMap<String, String>,
    ) -> Self {
        let mut index = HashMap::new();
        let mut twins = HashSet::new();
        for (position, value) in values.iter().enumerate() {
            if index.insert(value.to_lowercase(), position).is_some() {
                twins.insert(value.to_lowercase());
            }
        }
        Self { values, complete, never, mistaken, index, twins }
    }

    /// The known spelling of a value, found without regard to case.
    #[must_use]
    pub fn canonical(&self, value: &str) -> Option<&str> {
        let index = self.index.get(&value.to_lowercase())?;
        self.values.get(*index).map(String::as_str)
    }

    /// Whether the value is known in two casings, so that none of them is the canonical one.
    #[must_use]
    pub fn has_twins(&self, value: &str) -> bool {
        self.twins.contains(&value.to_lowercase())
    }

    /// What is meant by a value that the source never sends, found without regard to case.
    #[must_use]
    pub fn meant(&self, value: &str) -> Option<&str> {
        self.never.iter().find(|(name, _)| name.eq_ignore_ascii_case(value)).map(|(_, meant)| meant.as_str())
    }
}

/// Names of the two members of a name/value list's elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameValue {
    /// Member that holds the name.
    pub name: String,
    /// Member that holds the value.
    pub value: String,
}

/// What a path leads to.
#[derive(Debug, Clone)]
pub enum Lookup<'a> {
    /// A field that the schema names.
    Known(&'a Field),
    /// A member below an open object, with the type of its values.
    Open(Type),
    /// The path goes through the list named here, whose elements need `any` or `first`.
    ThroughList(FieldPath),
    /// Nothing; `parent` is the longest part of the path that exists.
    Unknown {
        /// The longest part of the path that exists.
        parent: FieldPath,
    },
}

impl Members {
    /// Follows a path from here.
    #[must_use]
    pub fn lookup(&self, path: &FieldPath) -> Lookup<'_> {
        let mut members = self;
        let mut walked = FieldPath::default();
        let mut found: Option<&Field> = None;
        for (index, segment) in path.segments().iter().enumerate() {
            if let Some(Field { ty: Type::List(_), .. }) = found {
                return Lookup::ThroughList(walked);
            }
            match members.named.get(segment) {
                Some(field) => {
                    walked = walked.child(segment.clone());
                    members = &field.members;
                    found = Some(field);
                }
                None => {
                    return match &members.open {
                        Some(ty) if index < path.segments().len() => Lookup::Open(ty.clone()),
                        _ => Lookup::Unknown { parent: walked },
                    };
                }
            }
        }
        found.map_or(Lookup::Unknown { parent: walked }, Lookup::Known)
    }

    /// Every named path below here with its field, in the schema's order; lists and objects included.
    #[must_use]
    pub fn paths(&self) -> Vec<(FieldPath, &Field)> {
        let mut found = Vec::new();
        collect(self, &FieldPath::default(), &mut found);
        found
    }
}

fn collect<'a>(members: &'a Members, prefix: &FieldPath, found: &mut Vec<(FieldPath, &'a Field)>) {
    for (name, field) in &members.named {
        let path = prefix.child(name.clone());
        found.push((path.clone(), field));
        if field.ty == Type::Object {
            collect(&field.members, &path, found);
        }
    }
}

/// All sources that a run knows, by name.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    sources: BTreeMap<String, Arc<Source>>,
    /// The files of classes.
    pub classes: ClassFiles,
}

impl Catalog {
    /// Adds a source; a later one of the same name replaces the earlier.
    pub fn add(&mut self, source: Source) {
        self.sources.insert(source.name.clone(), Arc::new(source));
    }

    /// The source of that name.
    #[must_use]
    pub fn source(&self, name: &str) -> Option<&Arc<Source>> {
        self.sources.get(name)
    }

    /// Every source, by name.
    pub fn sources(&self) -> impl Iterator<Item = &Arc<Source>> {
        self.sources.values()
    }
}
