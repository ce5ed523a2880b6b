//! Fields of an event: where the target has them, and what it makes of their values.

use super::address::{DECIMAL, WHOLE};
use super::ast::{Arithmetic, EvalExpr, Function};
use super::context::{Context, Scope};
use super::subject::{Kind, Subject};
use crate::backend::ReasonCode;
use crate::ir::FieldRef;
use crate::schema::mapping::{Access, Binding, Column};
use crate::schema::{Case, Epoch, FieldPath, Lookup, Type};
use crate::source::Span;

impl Context<'_> {
    /// The value of a field.
    pub(super) fn field(&mut self, scope: Scope<'_>, field: &FieldRef) -> Subject {
        if let Some(signal) = scope.hit {
            return self.hit_field(signal, field);
        }
        let Some(column) = self.column(scope, &field.path, field.span) else { return Subject::nothing() };
        if column.path == scope.map.time && column.rest.is_empty() {
            return Subject::clean(EvalExpr::source("_time"), Kind::Seconds);
        }
        let Some(expression) = self.access(&column, field.span) else { return Subject::nothing() };
        match &field.ty {
            Type::List(item) if **item == Type::Object => self.objects(scope, field),
            Type::List(_) => self.many(&column, expression, field.span),
            Type::Object => {
                let Some(path) = self.name(&column, field.span) else { return Subject::nothing() };
                let text = EvalExpr::Call(Function::Spath, vec![EvalExpr::source("_raw"), EvalExpr::text(path)]);
                self.assume_raw();
                Subject { blanks: self.blanks(&column), ..Subject::clean(text, Kind::Text) }
            }
            Type::Time => self.time(scope, &field.path, &column, expression),
            Type::Bool | Type::Int | Type::Float | Type::Text | Type::Ip | Type::Duration => {
                self.scalar(&field.ty, &column, expression)
            }
        }
    }

    /// What the target has for a field; a reason where it has nothing.
    pub(super) fn column(&mut self, scope: Scope<'_>, path: &FieldPath, span: Span) -> Option<Column> {
        let binding = scope.map.resolve(path);
        self.bound(binding, scope, path, span)
    }

    /// What the target has for a member of a list's elements; a reason where it has nothing.
    pub(super) fn member_column(
        &mut self,
        scope: Scope<'_>,
        list: &FieldPath,
        member: &FieldPath,
        span: Span,
    ) -> Option<Column> {
        let binding = scope.map.resolve_member(list, member);
        self.bound(binding, scope, &list.join(member), span)
    }

    fn bound(&mut self, binding: Option<Binding>, scope: Scope<'_>, path: &FieldPath, span: Span) -> Option<Column> {
        match binding {
            Some(Binding::Column(column)) => {
                if let Some(lossy) = &column.lossy {
                    self.refuse(ReasonCode::FieldLossy, span, format!("`{path}`: {lossy}"));
                }
                Some(column)
            }
            Some(Binding::Missing(reason)) => {
                self.refuse(ReasonCode::MissingField, span, format!("`{path}`: {reason}"));
                None
            }
            None => {
                let message = format!("`{path}` of `{}` has no binding on this target", scope.source.name);
                self.refuse(ReasonCode::MissingField, span, message);
                None
            }
        }
    }

    /// The name of a field on the target.
    pub(super) fn name(&mut self, column: &Column, span: Span) -> Option<String> {
        let mut name = column.path.clone();
        for segment in column.rest.segments() {
            name.push('.');
            name.push_str(segment);
        }
        let refused = |character: char| matches!(character, '\'' | '"' | '\\' | '`' | '*') || character.is_control();
        if name.contains(refused) {
            let message = format!("a search cannot name the field `{name}`");
            self.refuse(ReasonCode::UnsupportedExpression, span, message);
            return None;
        }
        Some(name)
    }

    /// The expression that reads a column.
    fn access(&mut self, column: &Column, span: Span) -> Option<EvalExpr> {
        let name = self.name(column, span)?;
        match column.access {
            Access::Direct | Access::Dynamic | Access::Flattened | Access::Keyed => Some(EvalExpr::source(name)),
            Access::JsonText => {
                let Some((first, rest)) = name.split_once('.') else { return Some(EvalExpr::source(name)) };
                Some(EvalExpr::Call(Function::Spath, vec![EvalExpr::source(first), EvalExpr::text(rest)]))
            }
            Access::Indexed => {
                let message = "a list that is stored by index cannot be read here";
                self.refuse(ReasonCode::UnsupportedExpression, span, message);
                None
            }
        }
    }

    /// A list of scalars: a single value has the field's name, several have `{}` behind it.
    fn many(&mut self, column: &Column, expression: EvalExpr, span: Span) -> Subject {
        let values = match (&column.access, self.name(column, span)) {
            (Access::Direct | Access::Dynamic | Access::Flattened | Access::Keyed, Some(name)) => {
                let bare = name.strip_suffix("{}").unwrap_or(&name).to_owned();
                let array = format!("{bare}{{}}");
                let single =
                    Subject { blanks: self.blanks(column), ..Subject::clean(EvalExpr::source(bare), Kind::Text) };
                EvalExpr::Call(Function::MvAppend, vec![single.native().expression, EvalExpr::source(array)])
            }
            (Access::JsonText | Access::Indexed, _) | (_, None) => expression,
        };
        Subject { blanks: self.blanks(column), ..Subject::clean(values, Kind::Many) }
    }

    fn time(&self, scope: Scope<'_>, path: &FieldPath, column: &Column, expression: EvalExpr) -> Subject {
        let epoch = match scope.source.root.lookup(path) {
            Lookup::Known(known) => known.epoch,
            Lookup::Open(_) | Lookup::ThroughList(_) | Lookup::Unknown { .. } => None,
        };
        match epoch {
            Some(Epoch::Seconds) => Subject::clean(number(expression, DECIMAL), Kind::Seconds),
            Some(Epoch::Milliseconds) => {
                let seconds =
                    EvalExpr::arithmetic(number(expression, DECIMAL), Arithmetic::Over, EvalExpr::Integer(1000));
                Subject::clean(EvalExpr::call(Function::Exact, seconds), Kind::Seconds)
            }
            None => Subject { blanks: self.blanks(column), ..Subject::clean(expression, Kind::TimeText) },
        }
    }

    /// A single value of a declared type.
    pub(super) fn scalar(&self, ty: &Type, column: &Column, expression: EvalExpr) -> Subject {
        let subject = Subject {
            blanks: self.blanks(column),
            spellings: spellings(column),
            keeps_case: column.case != Some(Case::Any),
            ..Subject::clean(expression, Kind::Text)
        };
        match ty {
            Type::Bool => Subject { kind: Kind::Bool, blanks: Vec::new(), ..subject },
            Type::Int => Subject::clean(number(subject.native_text(), WHOLE), Kind::Number),
            Type::Float => Subject::clean(number(subject.native_text(), DECIMAL), Kind::Number),
            Type::Text | Type::Ip | Type::Time | Type::Duration | Type::Object | Type::List(_) => subject,
        }
    }

    /// Texts that stand for a missing value in a column, besides null.
    pub(super) fn blanks(&self, column: &Column) -> Vec<String> {
        let mut blanks = vec![String::new()];
        if !self.options.null_text.is_empty() {
            blanks.push(self.options.null_text.clone());
        }
        blanks.extend(column.literals.get("").map(plain));
        blanks
    }

    /// Records that lists of objects are read from the raw text.
    pub(super) fn assume_raw(&mut self) {
        self.verdict.assume("the raw text of every event is its JSON object");
    }
}

impl Subject {
    /// The expression in native spelling; numbers need no care for blanks, which are none.
    fn native_text(&self) -> EvalExpr {
        Self { blanks: Vec::new(), ..self.clone() }.native().expression
    }
}

/// The number that a text of the given shape holds.
pub(super) fn number(text: EvalExpr, shape: &str) -> EvalExpr {
    let fits = EvalExpr::Call(Function::Match, vec![text.clone(), EvalExpr::Regex(shape.to_owned())]);
    EvalExpr::only_if(fits, EvalExpr::call(Function::ToNumber, text))
}

/// Native spellings with those of the target, without the one for a missing value.
fn spellings(column: &Column) -> Vec<(String, String)> {
    let differing = column.literals.iter().filter(|(native, _)| !native.is_empty());
    let pairs = differing.map(|(native, value)| (native.clone(), plain(value)));
    pairs.filter(|(native, spelled)| native != spelled).collect()
}

fn plain(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
