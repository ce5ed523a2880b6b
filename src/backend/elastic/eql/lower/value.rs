//! Finds the fields that can provide a value, and when each of them does.

use super::field::UNMENTIONED;
use super::list::mixed_message;
use super::{Bound, Lowering, Purpose, Test};
use crate::backend::ReasonCode;
use crate::backend::elastic::eql::ast::{Expression, PatternKind};
use crate::ir::{Call, CaseRule, Literal, NameValueRef, Predicate, Value};
use crate::schema::mapping::{Access, Binding};
use crate::schema::{Case, FieldPath, Type};
use crate::source::Spanned;

/// One of the fields that can provide a value.
#[derive(Debug, Clone)]
pub struct Choice {
    /// When it does; at most one choice of a value does.
    pub when: Test,
    /// Where the value comes from.
    pub source: Source,
    /// Whether the value is written in lower or in upper case first.
    pub letters: Option<Letters>,
}

/// Where a value comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// The field.
    Field(Bound),
    /// The number of the field's characters.
    Length(Bound),
    /// Itself.
    Literal(Literal),
}

/// Letters that a text is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Letters {
    /// Lower case.
    Lower,
    /// Upper case.
    Upper,
}

impl Letters {
    /// Whether a text is written in these letters.
    pub fn fits(self, text: &str) -> bool {
        match self {
            Self::Lower => text == text.to_lowercase(),
            Self::Upper => text == text.to_uppercase(),
        }
    }
}

impl Lowering<'_> {
    /// The test of a value: that of the choice which provides it.
    pub(super) fn over(&mut self, value: &Value, mut leaf: impl FnMut(&mut Self, &Choice) -> Test) -> Test {
        let choices = self.choices(value);
        let tests: Vec<Test> =
            choices.into_iter().map(|choice| Test::all([choice.when.clone(), leaf(self, &choice)])).collect();
        Test::any(tests)
    }

    /// The fields that can provide a value; none where EQL cannot reach it, which is a reason.
    pub(super) fn choices(&mut self, value: &Value) -> Vec<Choice> {
        match value {
            Value::Field(field) => self.field(field).into_iter().map(field_choice).collect(),
            Value::Element(element) => self.element(element).into_iter().map(field_choice).collect(),
            Value::First(first) => self.first(first),
            Value::NameValue(reference) => self.name_value(reference),
            Value::Time => self.none(format!("{} compares times with no constant of a detection", self.language())),
            Value::Literal(literal) => {
                vec![Choice { when: Test::ALWAYS, source: Source::Literal(literal.clone()), letters: None }]
            }
            Value::Call(call) => self.call(call),
        }
    }

    fn none(&mut self, message: impl Into<String>) -> Vec<Choice> {
        self.unsupported(message);
        Vec::new()
    }

    fn call(&mut self, call: &Call) -> Vec<Choice> {
        match call {
            Call::Length(value) => self.length(value),
            Call::Lower(value) => self.letters(value, Letters::Lower),
            Call::Upper(value) => self.letters(value, Letters::Upper),
            Call::Coalesce(values) => self.coalesce(values),
            Call::Choose(branches) => self.chosen(branches),
            Call::ToInt(value) | Call::ToFloat(value) => self.number(call, value),
            Call::Concat(_) => self.none(format!("{} cannot build texts; test the parts one by one", self.language())),
            Call::Split { .. } | Call::Extract { .. } | Call::Replace { .. } => self.none(format!(
                "{language} cannot take texts apart with `{}`; use `like` or `matches` on the whole text",
                call.name(),
                language = self.language()
            )),
            Call::Hour(_) | Call::Weekday(_) => self.none(format!(
                "{language} cannot read the clock of a time, so `{}` has no counterpart",
                call.name(),
                language = self.language()
            )),
            Call::Country(address) | Call::City(address) | Call::Asn(address) | Call::AsOrganisation(address) => {
                self.location(call, address)
            }
        }
    }

    fn length(&mut self, value: &Value) -> Vec<Choice> {
        let mut choices = self.choices(value);
        for choice in &mut choices {
            match &choice.source {
                Source::Field(bound) if bound.stored == Type::Text && !bound.is_list && !bound.is_mixed => {
                    choice.source = Source::Length(bound.clone());
                }
                Source::Field(_) | Source::Length(_) | Source::Literal(_) => {
                    return self.none(format!("{} measures text fields only", self.language()));
                }
            }
        }
        // ES|QL counts characters.
        if self.purpose == Purpose::Eql {
            self.verdict.assume(super::LENGTH);
        }
        choices
    }

    fn letters(&mut self, value: &Value, letters: Letters) -> Vec<Choice> {
        let mut choices = self.choices(value);
        for choice in &mut choices {
            choice.letters = Some(letters);
        }
        choices
    }

    fn coalesce(&mut self, values: &[Value]) -> Vec<Choice> {
        let mut found = Vec::new();
        let mut all_before_missing = Test::ALWAYS;
        for (index, value) in values.iter().enumerate() {
            let choices = self.choices(value);
            let present = self.over(value, Self::exists_choice);
            for choice in choices {
                let here = if index + 1 == values.len() { Test::ALWAYS } else { present.clone() };
                let when = Test::all([all_before_missing.clone(), here, choice.when.clone()]);
                found.push(Choice { when, ..choice });
            }
            all_before_missing = Test::all([all_before_missing, present.negated()]);
        }
        found
    }

    /// The fields of the first branch that holds.
    fn chosen(&mut self, branches: &[(Spanned<Predicate>, Value)]) -> Vec<Choice> {
        let mut found = Vec::new();
        let mut none_before = Test::ALWAYS;
        for (when, value) in branches {
            let here = self.predicate(when);
            let taken = Test::all([none_before.clone(), here.clone()]);
            for choice in self.choices(value) {
                let when = Test::all([taken.clone(), choice.when.clone()]);
                found.push(Choice { when, ..choice });
            }
            none_before = Test::all([none_before, here.negated()]);
        }
        found
    }

    fn number(&mut self, call: &Call, value: &Value) -> Vec<Choice> {
        let mut choices = self.choices(value);
        for choice in &mut choices {
            match &mut choice.source {
                Source::Field(bound) if bound.stored.is_number() && !bound.is_list => {
                    bound.declared = call.ty();
                }
                Source::Field(_) | Source::Length(_) | Source::Literal(_) => {
                    return self.none(format!(
                        "{language} fails on a text that is no number, so `{}` has no counterpart on a text field",
                        call.name(),
                        language = self.language()
                    ));
                }
            }
        }
        choices
    }

    /// Whether the value is present.
    pub(super) fn exists(&mut self, value: &Value) -> Test {
        match value {
            Value::Time => Test::ALWAYS,
            Value::Call(call) => match call.as_ref() {
                Call::Concat(values) => {
                    let parts: Vec<Test> = values.iter().map(|value| self.exists(value)).collect();
                    Test::all(parts)
                }
                Call::Coalesce(values) => {
                    let parts: Vec<Test> = values.iter().map(|value| self.exists(value)).collect();
                    Test::any(parts)
                }
                Call::Length(value) | Call::Lower(value) | Call::Upper(value) => self.exists(value),
                Call::Choose(_)
                | Call::Split { .. }
                | Call::Extract { .. }
                | Call::Replace { .. }
                | Call::ToInt(_)
                | Call::ToFloat(_)
                | Call::Hour(_)
                | Call::Weekday(_)
                | Call::Country(_)
                | Call::City(_)
                | Call::Asn(_)
                | Call::AsOrganisation(_) => self.over(value, Self::exists_choice),
            },
            Value::Field(_) | Value::Element(_) | Value::First(_) | Value::NameValue(_) | Value::Literal(_) => {
                self.over(value, Self::exists_choice)
            }
        }
    }

    fn exists_choice(&mut self, choice: &Choice) -> Test {
        match &choice.source {
            Source::Field(bound) => self.exists_field(bound),
            Source::Length(bound) => Test::present(&bound.field),
            Source::Literal(_) => Test::ALWAYS,
        }
    }

    /// Whether the field is present.
    pub fn exists_field(&mut self, bound: &Bound) -> Test {
        if bound.stored == Type::Object {
            return self.unsupported(format!(
                "`{}` is an object in the index, which {language} cannot test; test one of its members",
                bound.name,
                language = self.language()
            ));
        }
        if bound.is_list {
            self.verdict.assume(super::NULL_LISTS);
        }
        if bound.stored == Type::Text && bound.is_mixed {
            // One value with a character in it; `!= ""` would ask this of every value.
            let some = Expression::Match {
                field: bound.field.clone(),
                pattern: PatternKind::Like,
                folded: false,
                patterns: vec!["?*".to_owned()],
            };
            Test::guarded(some, &bound.field)
        } else if bound.stored == Type::Text && !bound.is_list {
            Test::present(&bound.field)
        } else {
            Test::not_null(&bound.field)
        }
    }

    /// The field that events are joined by for a key; a reason where the key is no single field.
    pub fn join_key(&mut self, value: &Value) -> Option<Bound> {
        match value {
            Value::Field(field) => self.field(field),
            Value::NameValue(reference) => match self.name_value(reference).as_slice() {
                [Choice { source: Source::Field(bound), .. }] => Some(bound.clone()),
                [] => None,
                _ => self.no_key(),
            },
            Value::Call(call) => match call.as_ref() {
                Call::Choose(branches) => self.common_key(branches),
                Call::Length(_)
                | Call::Lower(_)
                | Call::Upper(_)
                | Call::Coalesce(_)
                | Call::Concat(_)
                | Call::Split { .. }
                | Call::Extract { .. }
                | Call::Replace { .. }
                | Call::ToInt(_)
                | Call::ToFloat(_)
                | Call::Hour(_)
                | Call::Weekday(_)
                | Call::Country(_)
                | Call::City(_)
                | Call::Asn(_)
                | Call::AsOrganisation(_) => self.no_key(),
            },
            Value::Element(_) | Value::First(_) | Value::Time | Value::Literal(_) => self.no_key(),
        }
    }

    /// The one field that the events of all sources hold a key in.
    fn common_key(&mut self, branches: &[(Spanned<Predicate>, Value)]) -> Option<Bound> {
        let is_of_source = |(when, _): &(Spanned<Predicate>, Value)| matches!(when.node, Predicate::OfSource(_));
        let mut found: Option<Bound> = None;
        for (_, value) in branches {
            let bound = self.join_key(value)?;
            found = match found {
                Some(known) if known.field != bound.field || known.stored != bound.stored => {
                    self.unsupported(format!(
                        "{language} joins events by one field, and the sources keep the key in `{}` and in `{}`",
                        known.field.path.join("."),
                        bound.field.path.join("."),
                        language = self.language()
                    ));
                    return None;
                }
                // Values that are not canonical everywhere are canonical nowhere.
                Some(known) if known.case == bound.case => Some(known),
                Some(known) => Some(Bound { case: Case::Any, ..known }),
                None => Some(bound),
            };
        }
        if branches.len() < self.map.members.len() || !branches.iter().all(is_of_source) {
            return self.no_key();
        }
        found
    }

    fn no_key(&mut self) -> Option<Bound> {
        self.unsupported(format!(
            "{} joins events by fields only, not by values taken out of lists or computed; use a field as key",
            self.language()
        ));
        None
    }

    /// The value of a name/value list's element of one name.
    fn name_value(&mut self, reference: &NameValueRef) -> Vec<Choice> {
        let list = &reference.list;
        let name = format!("{}[{}].{}", list.path, reference.key, reference.member);
        match self.map.resolve_named(&list.path, &reference.key, &reference.member).cloned() {
            Some(Binding::Column(column)) => {
                let bound = self.bind(column, name, &reference.ty, Case::Any, list.span, &[]);
                return bound.into_iter().map(field_choice).collect();
            }
            Some(Binding::Missing(reason)) => {
                return self.missing(list.span, &list.path, &reason).into_iter().map(field_choice).collect();
            }
            None => {}
        }
        let explicit = self.map.entry(&list.path.element().join(&reference.member));
        match explicit.or_else(|| self.map.resolve(&list.path)) {
            None => self.missing(list.span, &list.path, UNMENTIONED).into_iter().map(field_choice).collect(),
            Some(Binding::Missing(reason)) => {
                self.missing(list.span, &list.path, &reason).into_iter().map(field_choice).collect()
            }
            Some(Binding::Column(column)) if column.access == Access::Keyed => {
                // Integrations that store such a list keyed by name write `_` for what a field's name must not hold.
                let segment = reference.key.replace(['.', ' '], "_");
                let bound = self.bind(column, name, &reference.ty, Case::Any, list.span, &[segment]);
                bound.into_iter().map(field_choice).collect()
            }
            Some(Binding::Column(_)) => self.named_elements(reference),
        }
    }

    /// The elements of that name in a list that is not stored by name.
    fn named_elements(&mut self, reference: &NameValueRef) -> Vec<Choice> {
        let span = reference.list.span;
        let name_member = FieldPath::new(vec![reference.name_member.clone()]);
        let wanted = [Literal::Text(reference.key.clone())];
        let mut found = Vec::new();
        let mut earlier: Vec<Test> = Vec::new();
        for scope in self.open(&Value::Field(reference.list.clone()), "") {
            if scope.is_mixed {
                self.verdict.add(ReasonCode::ArrayCorrelation, span, mixed_message(&scope.list));
            }
            let name = self.member(&scope, &name_member, &Type::Text, Case::Any, span);
            let value = self.member(&scope, &reference.member, &reference.ty, Case::Any, span);
            let (Some(name), Some(value)) = (name, value) else { continue };
            let named = self.field_equals(&name, &wanted, CaseRule::Exact);
            let when = Test::all([named.clone(), Test::any(earlier.clone()).negated()]);
            earlier.push(named);
            found.push(Choice { when, ..field_choice(value) });
        }
        found
    }
}

const fn field_choice(bound: Bound) -> Choice {
    Choice { when: Test::ALWAYS, source: Source::Field(bound), letters: None }
}
