//! Resolves keys: every signal of a behaviour has to have each of them, with one type.

use super::behavior::{Keyed, Resolver, typer_of};
use super::paths::names;
use crate::diagnostic::{Code, Diagnostic};
use crate::ir::{Key, Value};
use crate::schema::Type;
use crate::source::{Span, Spanned};
use crate::syntax::ast::Path;

impl Resolver<'_> {
    /// The keys, and what they are on each used signal.
    pub(super) fn keys(&mut self, written: &[Spanned<Path>]) -> Option<Keyed> {
        let mut keys: Vec<Key> = Vec::new();
        let mut of_signals: Vec<Vec<Spanned<Value>>> = self.used.iter().map(|_| Vec::new()).collect();
        let mut whole = true;
        for path in written {
            let name = names(&path.node.segments).to_string();
            if keys.iter().any(|key| key.name == name) {
                let message = format!("the key `{name}` stands twice");
                let first = keys.iter().find(|key| key.name == name).map_or(path.span, |key| key.span);
                let diagnostic = Diagnostic::new(Code::DuplicateName, path.span, message);
                self.report(diagnostic.note(first, "first here").help("remove one of the two"));
                whole = false;
                continue;
            }
            keys.push(Key { name: name.clone(), span: path.span });
            let mut first: Option<(String, Type)> = None;
            let mut missing = Vec::new();
            for ((signal, _), column) in self.used.clone().iter().zip(of_signals.iter_mut()) {
                let value = match self.key_on(signal, path, &name) {
                    Ok(value) => value,
                    Err(lacks) => {
                        missing.extend(lacks.filter(|lacks: &MissingKey| {
                            missing.iter().all(|other: &MissingKey| other.signal.node != lacks.signal.node)
                        }));
                        whole = false;
                        continue;
                    }
                };
                let ty = value.ty();
                match &first {
                    None => first = Some((signal.clone(), ty)),
                    Some((other, expected)) if *expected != ty && !(expected.is_textual() && ty.is_textual()) => {
                        let message = format!("the key `{name}` is {expected} on `{other}` but {ty} on `{signal}`");
                        let diagnostic = Diagnostic::new(Code::KeyTypeMismatch, path.span, message);
                        self.report(diagnostic.help("name a column with `let` on both signals"));
                        whole = false;
                    }
                    Some(_) => {}
                }
                column.push(Spanned::new(value, path.span));
            }
            self.report_missing_key(&name, path.span, &missing);
        }
        whole.then_some((keys, of_signals))
    }

    /// What a key is on a signal; the error is empty where a mistake has been reported.
    fn key_on(&mut self, signal: &str, path: &Spanned<Path>, name: &str) -> Result<Value, Option<MissingKey>> {
        let draft = self.drafts.iter().find(|draft| draft.signal.name.node == signal).ok_or(None)?;
        let mut typer = typer_of(&draft.signal, self.environment);
        let Some(value) = typer.path(path) else {
            let helps = typer.diagnostics.into_sorted().into_iter().flat_map(|found| found.help);
            let nearest = helps
                .into_iter()
                .find(|help| help.contains("nearest") || help.contains("write `any(") || help.contains("coalesce("));
            return Err(Some(MissingKey { signal: draft.signal.name.clone(), help: nearest }));
        };
        self.diagnostics.extend(typer.diagnostics);
        let scalar = match value.ty() {
            Type::List(item) => *item != Type::Object,
            ty => ty != Type::Object,
        };
        if !scalar {
            let message = format!("the key `{name}` is a group of members, not a value");
            let reported = self.diagnostics.iter().any(|other| other.message == message);
            if !reported {
                self.report(Diagnostic::new(Code::TypeMismatch, path.span, message).help("name one of its members"));
            }
            return Err(None);
        }
        Ok(value)
    }

    /// Reports a key that some signals lack, once for all of them.
    fn report_missing_key(&mut self, name: &str, span: Span, missing: &[MissingKey]) {
        let Some(first) = missing.first() else { return };
        let signals: Vec<String> = missing.iter().map(|key| format!("`{}`", key.signal.node)).collect();
        let message = match signals.as_slice() {
            [one] => format!("the signal {one} has no key `{name}`"),
            many => format!("the signals {} have no key `{name}`", many.join(", ")),
        };
        let mut diagnostic = Diagnostic::new(Code::MissingKeyOnSignal, span, message);
        for key in missing {
            diagnostic = diagnostic.note(key.signal.span, "this signal");
        }
        if let Some(help) = &first.help {
            diagnostic = diagnostic.help(help.clone());
        }
        let column = if name.contains('.') { "key" } else { name };
        self.report(diagnostic.help(format!(
            "name a column on every signal, such as `let: {{ {column}: .. }}`, and write `by {column}`"
        )));
    }
}

/// A signal that lacks a key.
struct MissingKey {
    signal: Spanned<String>,
    help: Option<String>,
}
