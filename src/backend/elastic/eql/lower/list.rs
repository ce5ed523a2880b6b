//! Lowers predicates over the elements of lists.
//!
//! An index holds a list in one of two ways: as many values of one field, where any value may satisfy a test and nothing says
//! which element a value belongs to; or as an object keyed by index, where each element has fields of its own.

use super::element::{collect_elements, holds_without_element, mentions, push_negation};
use super::field::{UNMENTIONED, path_of};
use super::value::{Choice, Source};
use super::{Lowering, Purpose, Test};
use crate::backend::ReasonCode;
use crate::backend::elastic::eql::ast::Field;
use crate::ir::{First, Predicate, Quantifier, Value};
use crate::schema::mapping::{Access, Binding};
use crate::schema::{Case, FieldPath, Type};
use crate::source::{Span, Spanned};

/// A list whose element is looked at.
#[derive(Debug, Clone)]
pub struct Scope {
    /// Name of the element.
    pub variable: String,
    /// The list's path, such as `targets[].changes`.
    pub list: FieldPath,
    /// Indexes of the element and of those around it, outermost first.
    pub indexes: Vec<String>,
    /// Whether the list is kept as many values of one field.
    pub is_mixed: bool,
}

impl Lowering<'_> {
    /// The scopes of a list: one for each index that is looked at, or one for all elements; none where EQL cannot reach it.
    pub(super) fn open(&mut self, list: &Value, variable: &str) -> Vec<Scope> {
        let (path, ty, span, outer) = match list {
            Value::Field(field) => (field.path.clone(), &field.ty, field.span, None),
            Value::Element(element) => {
                let outer = self.scopes.iter().rev().find(|scope| scope.variable == element.variable);
                (element.as_list(), &element.ty, element.span, outer.cloned())
            }
            Value::First(_) | Value::NameValue(_) | Value::Time | Value::Literal(_) | Value::Call(_) => {
                self.unsupported(format!("{} looks at the elements of fields only", self.language()));
                return Vec::new();
            }
        };
        let column = match self.map.resolve(&path) {
            Some(Binding::Column(column)) => column,
            Some(Binding::Missing(reason)) => {
                self.missing(span, &path, &reason);
                return Vec::new();
            }
            None => {
                self.missing(span, &path, UNMENTIONED);
                return Vec::new();
            }
        };
        let (indexes, is_mixed) = outer.map_or((Vec::new(), false), |scope| (scope.indexes, scope.is_mixed));
        let stars = FieldPath::parse(&column.path).segments().iter().filter(|segment| *segment == "*").count();
        let scope = Scope { variable: variable.to_owned(), list: path, indexes, is_mixed };
        match column.access {
            Access::Indexed if stars > scope.indexes.len() => self.enumerate(&scope, span),
            Access::Direct | Access::Indexed if self.purpose == Purpose::Esql => {
                self.unsupported(format!(
                    "ES|QL compares no field of several values, and the index keeps the elements of `{}` in one",
                    scope.list
                ));
                Vec::new()
            }
            Access::Direct | Access::Indexed => vec![Scope { is_mixed: true, ..scope }],
            Access::Flattened | Access::JsonText | Access::Dynamic => {
                // Says why there is no such field.
                self.bind(column, scope.list.to_string(), ty, Case::Any, span, &[]);
                Vec::new()
            }
            Access::Keyed => {
                let list = &scope.list;
                let message = format!(
                    "the index keeps `{list}` by name, so that {language} reaches one name only; write `{list}[Name]`",
                    language = self.language()
                );
                self.verdict.add(ReasonCode::UnsupportedExpression, span, message);
                Vec::new()
            }
        }
    }

    fn enumerate(&mut self, scope: &Scope, span: Span) -> Vec<Scope> {
        let count = self.options.array_indexes;
        let message = format!(
            "only the first {count} elements of `{}` are looked at; the target's option `array_indexes` sets the number",
            scope.list
        );
        self.verdict.add(ReasonCode::ArrayIndexes, span, message);
        (0..count)
            .map(|index| {
                let mut indexes = scope.indexes.clone();
                indexes.push(index.to_string());
                Scope { indexes, ..scope.clone() }
            })
            .collect()
    }

    /// The test that any, all or none of the elements pass.
    pub(super) fn quantified(
        &mut self,
        quantifier: Quantifier,
        list: &Value,
        variable: &str,
        predicate: &Spanned<Predicate>,
    ) -> Test {
        // `all` is that no element fails, so that only the search for one element is left.
        let wanted = push_negation(predicate, quantifier == Quantifier::All);
        let scopes = self.open(list, variable);
        let some = |lowering: &mut Self| {
            let tests: Vec<Test> = scopes.into_iter().map(|scope| lowering.element_passes(scope, &wanted)).collect();
            Test::any(tests)
        };
        match quantifier {
            Quantifier::Any => some(self),
            Quantifier::All | Quantifier::None => self.opposite(some).negated(),
        }
    }

    fn element_passes(&mut self, scope: Scope, predicate: &Spanned<Predicate>) -> Test {
        let is_mixed = scope.is_mixed;
        let present = if holds_without_element(&predicate.node, &scope.variable) {
            Some(self.element_is_present(&scope, predicate))
        } else {
            None
        };
        self.scopes.push(scope);
        let test = if is_mixed { self.mixed(predicate) } else { self.predicate(predicate) };
        self.scopes.pop();
        Test::all(present.into_iter().chain([test]))
    }

    /// Whether the scope's element is there: whether some member is that the target knows or the predicate speaks of.
    fn element_is_present(&mut self, scope: &Scope, predicate: &Spanned<Predicate>) -> Test {
        let mut elements = Vec::new();
        collect_elements(&predicate.node, &scope.variable, &mut elements);
        let mut fields: Vec<Field> = Vec::new();
        for element in elements {
            if matches!(element.ty, Type::List(_) | Type::Object) {
                continue;
            }
            if let Some(bound) = self.member(scope, &element.member, &element.ty, element.case, element.span) {
                fields.push(bound.field);
            }
        }
        fields.extend(self.known_members(scope));
        if fields.is_empty() {
            return self.unsupported(format!(
                "{language} cannot see whether `{}` has an element",
                scope.list,
                language = self.language()
            ));
        }
        Test::any(fields.iter().map(Test::not_null))
    }

    /// Fields of the index for the members of an element that the field map names.
    fn known_members(&self, scope: &Scope) -> Vec<Field> {
        let prefix = format!("{}.", scope.list.element());
        let columns = self.map.fields.iter().filter_map(|(key, binding)| match binding {
            Binding::Column(column) if key.starts_with(&prefix) => Some(column),
            Binding::Column(_) | Binding::Missing(_) => None,
        });
        columns.filter_map(|column| Some(Field::optional(path_of(column, &scope.indexes)?))).collect()
    }

    /// The test that some value of the elements satisfies each part, the innermost scope being all elements at once.
    fn mixed(&mut self, predicate: &Spanned<Predicate>) -> Test {
        let outer = std::mem::replace(&mut self.span, predicate.span);
        let test = self.mixed_parts(predicate);
        self.span = outer;
        test
    }

    fn mixed_parts(&mut self, predicate: &Spanned<Predicate>) -> Test {
        let Some(scope) = self.scopes.last().cloned() else { return Test::NEVER };
        match &predicate.node {
            Predicate::Or(parts) => {
                let parts: Vec<Test> = parts.iter().map(|part| self.mixed(part)).collect();
                Test::any(parts)
            }
            Predicate::And(parts) => {
                let about_element = parts.iter().filter(|part| mentions(&part.node, &scope.variable)).count();
                if about_element > 1 {
                    let message = mixed_message(&scope.list);
                    self.verdict.add(ReasonCode::ArrayCorrelation, predicate.span, message);
                }
                let parts: Vec<Test> = parts.iter().map(|part| self.mixed(part)).collect();
                Test::all(parts)
            }
            Predicate::Not(inner) if mentions(&inner.node, &scope.variable) => self.unsupported(format!(
                "{language} cannot ask for an element of `{}` that fails a test, only for one that passes it or for none at all",
                scope.list,
                language = self.language()
            )),
            Predicate::Quantified { quantifier: Quantifier::All | Quantifier::None, .. } => {
                self.unsupported(format!("{language} cannot look at each element of a list inside `{}`", scope.list, language = self.language()))
            }
            Predicate::Constant(_)
            | Predicate::OfSource(_)
            | Predicate::Not(_)
            | Predicate::Exists(_)
            | Predicate::IsTrue(_)
            | Predicate::Equal { .. }
            | Predicate::Ordered { .. }
            | Predicate::In { .. }
            | Predicate::Text { .. }
            | Predicate::InNetwork { .. }
            | Predicate::IsAddress { .. }
            | Predicate::OutsideHours { .. }
            | Predicate::Quantified { .. } => self.predicate(predicate),
        }
    }

    /// A member of the first element that passes a test.
    pub(super) fn first(&mut self, first: &First) -> Vec<Choice> {
        let mut found = Vec::new();
        let mut earlier: Vec<Test> = Vec::new();
        let span = self.span;
        for scope in self.open(&first.list, &first.variable) {
            if scope.is_mixed {
                self.unsupported(format!(
                    "the index mixes the elements of `{}`, so {language} cannot take a value of one of them; use `any`",
                    scope.list,
                    language = self.language()
                ));
                return Vec::new();
            }
            let passes = self.element_passes(scope.clone(), &first.predicate);
            let when = Test::all([passes.clone(), Test::any(earlier.clone()).negated()]);
            earlier.push(passes);
            if let Some(bound) = self.member(&scope, &first.member, &first.ty, Case::Any, span) {
                found.push(Choice { when, source: Source::Field(bound), letters: None });
            }
        }
        found
    }
}

/// What to say of a condition whose parts may be met by different elements.
pub fn mixed_message(list: &FieldPath) -> String {
    format!(
        "the index mixes the members of the elements of `{list}`, so the parts of the condition may be met by different \
         elements"
    )
}
