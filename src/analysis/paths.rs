//! Finds what a path means in a scope.

use super::scope::Typer;
use crate::diagnostic::{Code, Diagnostic};
use crate::ir::{Element, FieldRef, NameValueRef, Value};
use crate::schema::{Case, Field, FieldPath, Lack, Lookup, Presence, Type, nearest};
use crate::source::{Span, Spanned};
use crate::syntax::ast::{Path, Segment};

/// Names that other languages have for nothing.
const NOTHING: [&str; 5] = ["null", "none", "nil", "undefined", "missing"];

/// Names that other languages have for truth values.
const TRUTH: [(&str, &str); 6] =
    [("true", "true"), ("yes", "true"), ("on", "true"), ("false", "false"), ("no", "false"), ("off", "false")];

impl<'a> Typer<'a> {
    /// What a path means: an element, a column, the event's time, a field, an entry of a name/value list.
    pub(super) fn path(&mut self, path: &Spanned<Path>) -> Option<Value> {
        let first = path.node.segments.first()?;
        let plain = path.node.segments.iter().all(|segment| segment.key.is_none());
        let rest = path.node.segments.get(1..).unwrap_or_default();
        if let Some(index) = self.elements.iter().rposition(|element| element.name == first.name.node) {
            return self.element(index, rest, path.span);
        }
        if plain && rest.is_empty() {
            if let Some((_, value)) = self.columns.iter().find(|(name, _)| *name == first.name.node) {
                return Some(value.clone());
            }
            if first.name.node == "time" && !self.source.root.named.contains_key("time") {
                return Some(Value::Time);
            }
        }
        if plain { self.field(&names(&path.node.segments), path.span) } else { self.name_value(path) }
    }

    fn field(&mut self, path: &FieldPath, span: Span) -> Option<Value> {
        let (ty, case, presence) = match self.source.root.lookup(path) {
            Lookup::Known(field) => (field.ty.clone(), field.case, field.presence),
            Lookup::Open(ty) => (ty, Case::Any, Presence::Optional),
            Lookup::ThroughList(list) => {
                self.report(through_list(path, &list, span));
                return None;
            }
            Lookup::Unknown { parent } => {
                let diagnostic = self.unknown_field(path, &parent, span);
                self.report(diagnostic);
                return None;
            }
        };
        if let Some(lacks) = self.source.lacking.get(path).filter(|_| !self.may_lack) {
            let diagnostic = self.lacking_field(path, lacks, &ty, span);
            self.report(diagnostic);
            return None;
        }
        Some(Value::Field(FieldRef { path: path.clone(), ty, case, presence, span }))
    }

    /// A field that not every source of a class has.
    fn lacking_field(&self, path: &FieldPath, lacks: &[Lack], ty: &Type, span: Span) -> Diagnostic {
        let names: Vec<&str> = lacks.iter().map(|lack| lack.source.as_str()).collect();
        let message = format!("not every source of `{}` has the field `{path}`", self.source.name);
        let reasons: Vec<String> = lacks.iter().map(|lack| format!("`{}`: {}", lack.source, lack.reason)).collect();
        let others = self.source.members.iter().map(|source| source.name.as_str());
        let others: Vec<&str> = others.filter(|name| !names.contains(name)).collect();
        let otherwise = if ty.is_number() { "0" } else { "\"none\"" };
        let diagnostic = Diagnostic::new(Code::UnknownField, span, message).label(reasons.join("; "));
        let diagnostic = if ty.is_textual() || ty.is_number() {
            diagnostic.help(format!("say what it is there: `coalesce({path}, {otherwise})`, or test `exists({path})`"))
        } else {
            diagnostic.help(format!("test `exists({path})`"))
        };
        if others.is_empty() {
            return diagnostic;
        }
        diagnostic.help(format!("or read the others only: `sources: [{}]`", others.join(", ")))
    }

    fn unknown_field(&self, path: &FieldPath, parent: &FieldPath, span: Span) -> Diagnostic {
        let name = path.to_string();
        let source = &self.source.name;
        let kind = if self.source.members.is_empty() { "source" } else { "class" };
        let lower = name.to_ascii_lowercase();
        if is_nothing(&name) {
            let diagnostic = Diagnostic::new(Code::InvalidExpression, span, format!("`{name}` is no value"));
            return diagnostic.help("write `exists(field)` or `not exists(field)`");
        }
        if let Some((_, meant)) = TRUTH.iter().find(|(word, _)| *word == lower) {
            let diagnostic = Diagnostic::new(Code::InvalidExpression, span, format!("`{name}` is no value"));
            return diagnostic.help(format!("write `{meant}`"));
        }
        let diagnostic =
            Diagnostic::new(Code::UnknownField, span, format!("unknown field `{name}` in {kind} `{source}`"));
        let made_of_hits = self.source.is_made_of_hits();
        let diagnostic = if made_of_hits {
            diagnostic.label(format!("a hit of `{source}` has no such column"))
        } else if parent.is_empty() && !self.source.members.is_empty() {
            diagnostic.label(format!("not in schemas/classes/{source}.yml"))
        } else if parent.is_empty() {
            diagnostic.label(format!("not in schemas/sources/{source}.yml"))
        } else {
            diagnostic.label(format!("`{parent}` has no such member"))
        };
        if self.later.contains(&name) {
            return diagnostic.help(format!("the column `{name}` is named further down; move it up"));
        }
        let known: Vec<String> = self.source.root.paths().iter().map(|(path, _)| path.to_string()).collect();
        let columns = self.columns.iter().map(|(name, _)| name.as_str());
        match nearest(&name, known.iter().map(String::as_str).chain(columns)) {
            Some(near) => diagnostic.help(format!("the nearest field is `{near}`")),
            None if made_of_hits => diagnostic.help(
                "a hit has its keys, its numbers, and the fields and columns of the event that closes it".to_owned(),
            ),
            None if parent.is_empty() && path.segments().len() == 1 => diagnostic
                .help(format!("a text stands in quotes: \"{name}\""))
                .help(format!("`detc schema show {source}` lists the fields")),
            None => diagnostic.help(format!("`detc schema show {source}` lists the fields")),
        }
    }

    fn element(&mut self, index: usize, rest: &[Segment], span: Span) -> Option<Value> {
        let scope = self.elements.get(index)?.clone();
        let member = names(rest);
        if let Some(key) = rest.iter().find_map(|segment| segment.key.as_ref()) {
            let message = "a key in brackets stands behind a field only";
            let help = "name a member behind a dot";
            self.report(Diagnostic::new(Code::InvalidExpression, key.span, message).help(help));
            return None;
        }
        let (ty, case) = if member.is_empty() {
            (scope.ty.clone(), scope.field.case)
        } else {
            match scope.members.lookup(&member) {
                Lookup::Known(field) => (field.ty.clone(), field.case),
                Lookup::Open(ty) => (ty, Case::Any),
                Lookup::ThroughList(list) => {
                    self.report(through_list(&member, &list, span));
                    return None;
                }
                Lookup::Unknown { .. } => {
                    let message = format!("an element of `{}` has no member `{member}`", scope.list);
                    let diagnostic = Diagnostic::new(Code::UnknownField, span, message);
                    let known: Vec<String> = scope.members.paths().iter().map(|(path, _)| path.to_string()).collect();
                    let diagnostic = match nearest(&member.to_string(), known.iter().map(String::as_str)) {
                        Some(near) => diagnostic.help(format!("the nearest member is `{near}`")),
                        None => diagnostic.help(format!("the members are {}", list_of(&known))),
                    };
                    self.report(diagnostic);
                    return None;
                }
            }
        };
        Some(Value::Element(Element { variable: scope.name, list: scope.list, member, ty, case, span }))
    }

    fn name_value(&mut self, path: &Spanned<Path>) -> Option<Value> {
        let at = path.node.segments.iter().position(|segment| segment.key.is_some())?;
        let (before, after) = path.node.segments.split_at_checked(at + 1)?;
        let key = before.last()?.key.clone()?;
        if let Some(second) = after.iter().find_map(|segment| segment.key.as_ref()) {
            let message = "a path has at most one key in brackets";
            let help = "name a member of the value behind a dot";
            self.report(Diagnostic::new(Code::InvalidExpression, second.span, message).help(help));
            return None;
        }
        let list_path = names(before);
        let Value::Field(list) = self.field(&list_path, path.span)? else { return None };
        let field = self.known_field(&list_path);
        let Some(name_value) = field.and_then(|field| field.name_value.clone()) else {
            let message = format!("`{list_path}` is no name/value list");
            let diagnostic = Diagnostic::new(Code::TypeMismatch, key.span, message);
            self.report(diagnostic.help("write `any(list as x where ..)` for another list, a dot for a member"));
            return None;
        };
        let member = if after.is_empty() { FieldPath::parse(&name_value.value) } else { names(after) };
        let ty = match field.map(|field| field.members.lookup(&member)) {
            Some(Lookup::Known(field)) => field.ty.clone(),
            Some(Lookup::Open(ty)) => ty,
            _ => {
                let message = format!("an element of `{list_path}` has no member `{member}`");
                let help = format!("its value is `{list_path}[{}].{}`", key.node, name_value.value);
                self.report(Diagnostic::new(Code::UnknownField, path.span, message).help(help));
                return None;
            }
        };
        Some(Value::NameValue(NameValueRef { list, name_member: name_value.name, key: key.node, member, ty }))
    }

    /// The schema's entry for a field.
    pub(super) fn known_field(&self, path: &FieldPath) -> Option<&'a Field> {
        match self.source.root.lookup(path) {
            Lookup::Known(field) => Some(field),
            Lookup::Open(_) | Lookup::ThroughList(_) | Lookup::Unknown { .. } => None,
        }
    }

    /// The schema's entry behind a value, where it is a field or a member of an element.
    pub(super) fn described(&self, value: &Value) -> Option<&'a Field> {
        match value {
            Value::Field(field) => self.known_field(&field.path),
            Value::Element(element) => {
                let scope = self.elements.iter().rev().find(|scope| scope.name == element.variable)?;
                if element.member.is_empty() {
                    return Some(scope.field);
                }
                match scope.members.lookup(&element.member) {
                    Lookup::Known(field) => Some(field),
                    Lookup::Open(_) | Lookup::ThroughList(_) | Lookup::Unknown { .. } => None,
                }
            }
            Value::First(_) | Value::NameValue(_) | Value::Time | Value::Literal(_) | Value::Call(_) => None,
        }
    }

    /// Reports a list or a group of members where one value is wanted.
    pub(super) fn single(&mut self, value: &Value, span: Span) -> Option<Type> {
        match value.ty() {
            Type::List(_) => {
                let name = describe(value);
                let message = format!("{name} is a list");
                let diagnostic = Diagnostic::new(Code::ThroughList, span, message);
                let list = if matches!(value, Value::Field(_)) { name.trim_matches('`') } else { "list" };
                self.report(
                    diagnostic.help(format!("write `any({list} as x where x == ..)`, `all(..)` or `none(..)`")),
                );
                None
            }
            Type::Object => {
                let message = format!("{} is a group of members, not a value", describe(value));
                self.report(Diagnostic::new(Code::TypeMismatch, span, message).help("name one of its members"));
                None
            }
            ty => Some(ty),
        }
    }
}

/// Whether a name is one that other languages have for nothing.
pub(super) fn is_nothing(name: &str) -> bool {
    NOTHING.iter().any(|nothing| nothing.eq_ignore_ascii_case(name))
}

/// At most a dozen names in back-quotes.
fn list_of(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(12).map(|name| format!("`{name}`")).collect();
    shown.join(", ")
}

/// The path that segments make, keys left aside.
pub(super) fn names(segments: &[Segment]) -> FieldPath {
    FieldPath::new(segments.iter().map(|segment| segment.name.node.clone()).collect())
}

/// A value as people know it.
pub(super) fn describe(value: &Value) -> String {
    match value {
        Value::Field(field) => format!("`{}`", field.path),
        Value::Element(element) if element.member.is_empty() => format!("`{}`", element.variable),
        Value::Element(element) => format!("`{}.{}`", element.variable, element.member),
        Value::First(_) => "the element".to_owned(),
        Value::NameValue(reference) => format!("`{}[{}]`", reference.list.path, reference.key),
        Value::Time => "`time`".to_owned(),
        Value::Literal(literal) => format!("`{literal}`"),
        Value::Call(call) => format!("the result of `{}`", call.name()),
    }
}

fn through_list(path: &FieldPath, list: &FieldPath, span: Span) -> Diagnostic {
    let member = path.strip_prefix(list).map(|rest| rest.to_string()).unwrap_or_default();
    let message = format!("`{list}` is a list, so `{path}` is no single value");
    let help = format!("write `any({list} as x where x.{member} == ..)` or `first({list} as x where ..).{member}`");
    Diagnostic::new(Code::ThroughList, span, message).help(help)
}
