//! Classes: one view of the events of several sources, each of which says what the view's fields are on its own events.
//!
//! Never leaves a field without a meaning: where a source lacks one, it is missing in all of the source's events.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::rewrite::{self, Rewrite};
use super::{Call, FieldRef, Predicate, Signal, Value, are_disjoint};
use crate::schema::{Case, EventValidator, Field, FieldPath, KnownValues, Lookup, Members, Presence, Source, Type};
use crate::source::{Span, Spanned};

/// A class as one signal reads it.
#[derive(Debug, Clone, Serialize)]
pub struct Class {
    /// Name, such as `cloud.api_activity`.
    pub name: String,
    /// The sources whose events it has, at least one.
    pub members: Vec<ClassMember>,
}

/// What a class is on the events of one source.
#[derive(Debug, Clone, Serialize)]
pub struct ClassMember {
    /// The source.
    #[serde(serialize_with = "source_name")]
    pub source: Arc<Source>,
    /// Which of its events belong to the class.
    pub condition: Spanned<Predicate>,
    /// What each field of the class is, by its path; one that is not here is missing in all events of the source.
    #[serde(serialize_with = "fields_by_name")]
    pub fields: BTreeMap<FieldPath, Value>,
}

impl Class {
    /// Leaves out the members of which no event can pass the condition, the first stays where none can.
    pub fn keep_possible(&mut self, predicate: &Spanned<Predicate>) {
        let passes = |member: &ClassMember| member.test(predicate, predicate.span) != Predicate::Constant(false);
        if self.members.iter().any(passes) {
            self.members.retain(passes);
        } else {
            self.members.truncate(1);
        }
    }

    /// What holds on the events of each source, as a condition on those of all of them.
    fn on_each(&self, test: impl Fn(&ClassMember) -> Spanned<Predicate>, span: Span) -> Spanned<Predicate> {
        if let [only] = self.members.as_slice() {
            return test(only);
        }
        let parts = self.members.iter().map(|member| {
            let name = &member.source.name;
            let test = rewrite::predicate(&Inside(name), &test(member));
            let is_of = Spanned::new(Predicate::OfSource(name.clone()), span);
            Spanned::new(rewrite::all(vec![is_of, test]), span)
        });
        Spanned::new(rewrite::any(parts.collect()), span)
    }
}

impl ClassMember {
    /// The condition, and the class's own, over the source's fields.
    fn test(&self, predicate: &Spanned<Predicate>, span: Span) -> Predicate {
        let native = Native { member: self, span };
        let condition = rewrite::predicate(&Placed(span), &self.condition);
        rewrite::all(vec![condition, rewrite::predicate(&native, predicate)])
    }

    /// A value of the class over the source's fields.
    fn value(&self, value: &Value, span: Span) -> Option<Value> {
        rewrite::value(&Native { member: self, span }, value)
    }
}

impl Signal {
    /// The telemetry sources that the signal reads; none of them for hits.
    #[must_use]
    pub fn sources(&self) -> Vec<&Arc<Source>> {
        match (&self.stage, &self.class, self.source.members.as_slice()) {
            (Some(_), _, _) => Vec::new(),
            (None, Some(class), _) => class.members.iter().map(|member| &member.source).collect(),
            (None, None, []) => vec![&self.source],
            (None, None, members) => members.iter().collect(),
        }
    }

    /// Whether the signal reads events of a source of that name.
    #[must_use]
    pub fn reads(&self, source: &str) -> bool {
        self.sources().into_iter().any(|known| known.name == source)
    }

    /// The sources of whose events one could belong to both signals, as far as a look at their conditions shows; for hits
    /// of one stage the name of the signal.
    #[must_use]
    pub fn meets(&self, other: &Self) -> Vec<&str> {
        if self.stage.is_some() || other.stage.is_some() {
            let same =
                self.source.name == other.source.name && !are_disjoint(&self.predicate.node, &other.predicate.node);
            return if same { vec![&self.source.name] } else { Vec::new() };
        }
        let shared = self.sources().into_iter().filter(|source| other.reads(&source.name));
        let meets = |name: &str| !are_disjoint(&self.predicate_on(name).node, &other.predicate_on(name).node);
        shared.map(|source| source.name.as_str()).filter(|name| meets(name)).collect()
    }

    /// The place of a key of the other signal that differs from this one's on events that could belong to both.
    #[must_use]
    pub fn key_conflict(&self, other: &Self) -> Option<Span> {
        let shared = self.meets(other);
        let on = |signal: &Self, key: &Value, source: &str| {
            if signal.source.members.is_empty() { key.clone() } else { key.on(source) }
        };
        let differs =
            |one: &Value, two: &Value| shared.iter().any(|source| on(self, one, source) != on(other, two, source));
        let mut keys = self.keys.iter().zip(&other.keys);
        keys.find(|(one, two)| differs(&one.node, &two.node)).map(|(_, two)| two.span)
    }

    /// The signal without its class: over its only source, or over the events of several.
    #[must_use]
    pub(super) fn expanded(&self) -> Option<Self> {
        let class = self.class.as_deref()?;
        let source = match class.members.as_slice() {
            [only] => only.source.clone(),
            members => Arc::new(union_of(&self.source, members)),
        };
        let span = self.predicate.span;
        let predicate = class.on_each(|member| Spanned::new(member.test(&self.predicate, span), span), span);
        let mut signal = Self { source, predicate, class: None, ..self.clone() };
        for key in &mut signal.keys {
            key.node = self.expanded_value(&key.node);
        }
        for column in &mut signal.columns {
            column.value = self.expanded_value(&column.value);
        }
        Some(signal)
    }

    /// A further condition on the signal's events without its class.
    pub(super) fn expanded_filter(&self, filter: &Spanned<Predicate>) -> Spanned<Predicate> {
        let Some(class) = self.class.as_deref() else { return filter.clone() };
        class.on_each(|member| rewrite::predicate(&Native { member, span: filter.span }, filter), filter.span)
    }

    /// A value of the signal's events without its class.
    pub(super) fn expanded_value(&self, value: &Value) -> Value {
        let Some(class) = self.class.as_deref() else { return value.clone() };
        let span = value.fields().first().map_or(self.name.span, |field| field.span);
        let nothing = || Value::Call(Box::new(Call::Choose(Vec::new())));
        if let [only] = class.members.as_slice() {
            return only.value(value, span).unwrap_or_else(nothing);
        }
        let branches: Vec<(Spanned<Predicate>, Option<Value>)> = class
            .members
            .iter()
            .map(|member| {
                let native = member.value(value, span);
                let inside = native.and_then(|native| rewrite::value(&Inside(&member.source.name), &native));
                (Spanned::new(Predicate::OfSource(member.source.name.clone()), span), inside)
            })
            .collect();
        // A constant or the time is the same in every event.
        if let Some((_, Some(first))) = branches.first()
            && first.fields().is_empty()
            && branches.iter().all(|(_, other)| other.as_ref() == Some(first))
        {
            return first.clone();
        }
        let branches = branches.into_iter().filter_map(|(when, then)| Some((when, then?)));
        rewrite::chosen(branches).unwrap_or_else(nothing)
    }

    /// The signal as it is on the events of one source; nothing where it reads no such events.
    #[must_use]
    pub fn on(&self, source: &str) -> Option<Self> {
        let known = self.sources().into_iter().find(|known| known.name == source)?.clone();
        let mut signal = self.expanded().unwrap_or_else(|| self.clone());
        if signal.source.members.is_empty() {
            return Some(signal);
        }
        signal.predicate = signal.predicate_on(source);
        for key in &mut signal.keys {
            key.node = key.node.on(source);
        }
        for column in &mut signal.columns {
            column.value = column.value.on(source);
        }
        signal.source = known;
        Some(signal)
    }

    /// The condition of an expanded signal over the fields of one of its sources.
    #[must_use]
    pub fn predicate_on(&self, source: &str) -> Spanned<Predicate> {
        if self.source.members.is_empty() { self.predicate.clone() } else { self.predicate.on(source) }
    }
}

impl Spanned<Predicate> {
    /// A condition of an expanded signal over the fields of one of its sources.
    #[must_use]
    pub fn on(&self, source: &str) -> Self {
        rewrite::predicate(&Outside(source), self)
    }
}

impl Value {
    /// A value of an expanded signal over the fields of one of its sources.
    #[must_use]
    pub fn on(&self, source: &str) -> Self {
        rewrite::value(&Outside(source), self).unwrap_or_else(|| Self::Call(Box::new(Call::Choose(Vec::new()))))
    }
}

/// The source that the events of several make up: each event stands in a member that is named after its source.
fn union_of(class: &Source, members: &[ClassMember]) -> Source {
    let object = |source: &Source| Field {
        ty: Type::Object,
        description: source.title.clone(),
        case: Case::Any,
        values: KnownValues::default(),
        presence: Presence::Optional,
        epoch: None,
        members: source.root.clone(),
        name_value: None,
    };
    let below = |member: &ClassMember| FieldPath::source_segment(&member.source.name);
    let named = members.iter().map(|member| (below(member), object(&member.source))).collect();
    let names: Vec<&str> = members.iter().map(|member| member.source.name.as_str()).collect();
    Source {
        name: names.join(", "),
        root: Members { named, open: None },
        members: members.iter().map(|member| member.source.clone()).collect(),
        validator: EventValidator::default(),
        ..class.clone()
    }
}

/// From the fields of a class to those of a source.
struct Native<'a> {
    member: &'a ClassMember,
    /// The place in the detection for which places in the class's files stand.
    span: Span,
}

impl Rewrite for Native<'_> {
    fn field(&self, field: &FieldRef) -> Option<Value> {
        let found = self.member.fields.get(&field.path)?;
        rewrite::value(&Placed(field.span), found)
    }

    fn list(&self, path: &FieldPath) -> FieldPath {
        path.clone()
    }

    fn of_source(&self, name: &str) -> Predicate {
        Predicate::Constant(name == self.member.source.name)
    }

    fn span(&self, span: Span) -> Span {
        if span.file == self.span.file { span } else { self.span }
    }

    fn spelling(&self, field: &FieldRef, text: &str) -> Option<String> {
        match self.member.source.root.lookup(&field.path) {
            Lookup::Known(known) if known.case == Case::Canonical && !known.values.has_twins(text) => {
                known.values.canonical(text).map(str::to_owned)
            }
            Lookup::Known(_) | Lookup::Open(_) | Lookup::ThroughList(_) | Lookup::Unknown { .. } => None,
        }
    }
}

/// The same expression, named at one place.
struct Placed(Span);

impl Rewrite for Placed {
    fn field(&self, field: &FieldRef) -> Option<Value> {
        Some(Value::Field(FieldRef { span: self.0, ..field.clone() }))
    }

    fn list(&self, path: &FieldPath) -> FieldPath {
        path.clone()
    }

    fn of_source(&self, name: &str) -> Predicate {
        Predicate::OfSource(name.to_owned())
    }

    fn span(&self, _: Span) -> Span {
        self.0
    }

    fn spelling(&self, _: &FieldRef, _: &str) -> Option<String> {
        None
    }
}

/// From the fields of a source to those of a union, in which they stand below the source's name.
struct Inside<'a>(&'a str);

impl Rewrite for Inside<'_> {
    fn field(&self, field: &FieldRef) -> Option<Value> {
        Some(Value::Field(FieldRef { path: self.list(&field.path), ..field.clone() }))
    }

    fn list(&self, path: &FieldPath) -> FieldPath {
        FieldPath::of_source(self.0, path)
    }

    fn of_source(&self, name: &str) -> Predicate {
        Predicate::OfSource(name.to_owned())
    }

    fn span(&self, span: Span) -> Span {
        span
    }

    fn spelling(&self, _: &FieldRef, _: &str) -> Option<String> {
        None
    }
}

/// From the fields of a union to those of one of its sources.
struct Outside<'a>(&'a str);

impl Rewrite for Outside<'_> {
    fn field(&self, field: &FieldRef) -> Option<Value> {
        let (source, path) = field.path.split_source()?;
        (source == self.0).then(|| Value::Field(FieldRef { path, ..field.clone() }))
    }

    fn list(&self, path: &FieldPath) -> FieldPath {
        path.split_source().map_or_else(|| path.clone(), |(_, rest)| rest)
    }

    fn of_source(&self, name: &str) -> Predicate {
        Predicate::Constant(name == self.0)
    }

    fn span(&self, span: Span) -> Span {
        span
    }

    fn spelling(&self, _: &FieldRef, _: &str) -> Option<String> {
        None
    }
}

/// In data a source is its name.
fn source_name<S: serde::Serializer>(source: &Source, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&source.name)
}

/// In data a path is its text.
fn fields_by_name<S: serde::Serializer>(fields: &BTreeMap<FieldPath, Value>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(fields.iter().map(|(path, value)| (path.to_string(), value)))
}
