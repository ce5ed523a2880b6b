//! Gives the files of a class their meaning: its fields as a source, and what each of its sources has for them.
//!
//! Never takes a class in part: one mistake in its files, and no signal reads it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::IndexMap;

use super::lists::Lists;
use super::quoted;
use super::scope::{Environment, Typer};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::ir::{Call, Class, ClassMember, Literal, Predicate, Stage, Value};
use crate::schema::{
    Branch, Case, Catalog, ClassText, Clock, Duration, Entry, EventValidator, Field, FieldPath, KnownValues, Lack,
    MemberText, Members, Presence, Source, Type, nearest,
};
use crate::source::{Span, Spanned};
use crate::syntax::ast::Expr;
use crate::syntax::parse_expression;
use crate::yaml::Node;

/// A class as a signal reads it, with the source that its fields make up.
pub(super) fn resolve(
    name: &Spanned<String>,
    only: Option<&[Spanned<String>]>,
    catalog: &Catalog,
    diagnostics: &mut Diagnostics,
) -> Option<(Arc<Source>, Arc<Class>)> {
    let (text, found) = catalog.classes.read(&name.node);
    let malformed = found.has_errors();
    diagnostics.extend(found);
    if malformed {
        let message = format!("the files of the class `{}` have mistakes", name.node);
        diagnostics.push(Diagnostic::new(Code::UnknownSource, name.span, message).help("mend the class first"));
    }
    let text = text?;
    let wanted = narrowed(name, only, &text, diagnostics)?;
    let lists = Lists::default();
    let environment = Environment::new(IndexMap::new(), BTreeSet::new(), &lists);
    let mut members = Vec::new();
    let mut lacking: BTreeMap<FieldPath, Vec<Lack>> = BTreeMap::new();
    for member in text.members.iter().filter(|member| wanted.contains(&member.source.node)) {
        let Some(source) = catalog.source(&member.source.node) else {
            let message = format!("unknown source `{}`", member.source.node);
            diagnostics.push(Diagnostic::new(Code::InvalidSchema, member.source.span, message));
            continue;
        };
        for (path, entry) in &member.fields {
            if let Entry::Missing(reason) = &entry.node {
                let lack = Lack { source: source.name.clone(), reason: reason.clone() };
                lacking.entry(path.clone()).or_default().push(lack);
            }
        }
        members.extend(read_member(&text, member, source, &environment, diagnostics));
    }
    if members.len() < wanted.len() {
        return None;
    }
    let source = source_of(&name.node, &text, &members, lacking);
    Some((Arc::new(source), Arc::new(Class { name: name.node.clone(), members })))
}

/// Leaves out sources of which no event can be one of the signal's.
pub(super) fn keep_possible(stage: &mut Stage) {
    for signal in &mut stage.signals {
        if let Some(inner) = &mut signal.stage {
            keep_possible(inner);
        }
        if let Some(class) = &mut signal.class {
            Arc::make_mut(class).keep_possible(&signal.predicate);
        }
    }
}

/// The names of the sources that a signal reads of a class.
fn narrowed(
    name: &Spanned<String>,
    only: Option<&[Spanned<String>]>,
    class: &ClassText,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<String>> {
    let known: Vec<&str> = class.members.iter().map(|member| member.source.node.as_str()).collect();
    let Some(only) = only else { return Some(known.into_iter().map(str::to_owned).collect()) };
    let mut whole = true;
    for source in only.iter().filter(|source| !known.contains(&source.node.as_str())) {
        let message = format!("`{}` is no source of the class `{}`", source.node, name.node);
        let diagnostic = Diagnostic::new(Code::UnknownSource, source.span, message);
        diagnostics.push(match nearest(&source.node, known.iter().copied()) {
            Some(near) => diagnostic.help(format!("the nearest source is `{near}`")),
            None => diagnostic.help(format!("its sources are {}", quoted(&known))),
        });
        whole = false;
    }
    whole.then(|| only.iter().map(|source| source.node.clone()).collect())
}

fn read_member(
    class: &ClassText,
    member: &MemberText,
    source: &Arc<Source>,
    environment: &Environment<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<ClassMember> {
    let mut typer = Typer::new(source, environment);
    let condition = match &member.condition {
        None => Some(Spanned::new(Predicate::Constant(true), member.source.span)),
        Some(node) => typer.read(node).and_then(|expression| typer.predicate(&expression)),
    };
    let mut fields = BTreeMap::new();
    let mut whole = true;
    for (path, entry) in &member.fields {
        let Some(known) = class.fields.get(path) else { continue };
        match typer.entry(&entry.node) {
            Some(Some(value)) => {
                typer.check_type(path, &known.field.ty, &value, entry.span);
                fields.insert(path.clone(), value);
            }
            Some(None) => {}
            None => whole = false,
        }
    }
    whole &= !typer.diagnostics.has_errors();
    diagnostics.extend(typer.diagnostics);
    let condition = condition.filter(|_| whole)?;
    Some(ClassMember { source: source.clone(), condition, fields })
}

impl Typer<'_> {
    /// The expression in a file of a class.
    fn read(&mut self, node: &Node) -> Option<Spanned<Expr>> {
        let Some(scalar) = node.as_scalar() else {
            let message = format!("an expression is wanted, not {}", node.kind_name());
            self.report(Diagnostic::new(Code::InvalidSchema, node.span, message));
            return None;
        };
        let (expression, found) = parse_expression(&scalar.text, &|range| scalar.span_of(range));
        self.diagnostics.extend(found);
        expression
    }

    /// What an entry stands for: nothing inside where the source has nothing, nothing at all after a mistake.
    fn entry(&mut self, entry: &Entry) -> Option<Option<Value>> {
        let (branches, otherwise) = match entry {
            Entry::Missing(_) => return Some(None),
            Entry::Expression(node) => {
                let expression = self.read(node)?;
                return self.value(&expression).map(|value| Some(value.node));
            }
            Entry::Case { branches, otherwise } => (branches, otherwise),
        };
        let word = |text: &Spanned<String>| Value::Literal(Literal::Text(text.node.clone()));
        let mut found = Vec::new();
        for branch in branches {
            match branch {
                Branch::When { when, is } => {
                    let expression = self.read(when)?;
                    found.push((self.predicate(&expression)?, word(is)));
                }
                Branch::Patterns { of, cases } => {
                    let expression = self.read(of)?;
                    let value = self.value(&expression)?;
                    self.columns.push(("it".to_owned(), value.node));
                    for (when, is) in cases {
                        let condition = self.read(when).and_then(|expression| self.predicate(&expression));
                        found.extend(condition.map(|condition| (condition, word(is))));
                    }
                    self.columns.pop();
                }
            }
        }
        if let Some(otherwise) = otherwise {
            found.push((Spanned::new(Predicate::Constant(true), otherwise.span), word(otherwise)));
        }
        Some(Some(Value::Call(Box::new(Call::Choose(found)))))
    }

    fn check_type(&mut self, path: &FieldPath, wanted: &Type, value: &Value, span: Span) {
        let ty = value.ty();
        let fits = ty == *wanted || (ty.is_textual() && wanted.is_textual()) || (ty.is_number() && wanted.is_number());
        if !fits {
            let message = format!("`{path}` is {wanted} in the class, but {ty} here");
            self.report(Diagnostic::new(Code::InvalidSchema, span, message));
        }
    }
}

/// The source that the fields of a class make up.
fn source_of(
    name: &str,
    class: &ClassText,
    members: &[ClassMember],
    lacking: BTreeMap<FieldPath, Vec<Lack>>,
) -> Source {
    let mut root = Members::default();
    for (path, field) in &class.fields {
        put(&mut root, path.segments(), &field.field);
    }
    let clocks = members.iter().map(|member| member.source.clock);
    let lags = members.iter().map(|member| member.source.lag);
    Source {
        name: name.to_owned(),
        title: class.title.clone(),
        description: class.description.clone(),
        time: FieldPath::default(),
        clock: clocks.reduce(super::hits::finer).unwrap_or(Clock::Millisecond),
        lag: lags.max().unwrap_or(Duration::ZERO),
        id: None,
        each: None,
        signature: Vec::new(),
        notes: Vec::new(),
        root,
        members: members.iter().map(|member| member.source.clone()).collect(),
        lacking,
        json_schema: Arc::new(serde_json::Value::Null),
        validator: EventValidator::default(),
    }
}

fn put(members: &mut Members, path: &[String], field: &Field) {
    let Some((head, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        members.named.insert(head.clone(), field.clone());
        return;
    }
    let group = members.named.entry(head.clone()).or_insert_with(|| Field {
        ty: Type::Object,
        description: String::new(),
        case: Case::Any,
        values: KnownValues::default(),
        presence: Presence::Optional,
        epoch: None,
        members: Members::default(),
        name_value: None,
    });
    put(&mut group.members, rest, field);
}
