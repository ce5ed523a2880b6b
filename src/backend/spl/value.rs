//! Values of an event as expressions of `eval`.

use super::address::{DECIMAL, DECIMAL_TEXT, INTEGER_TEXT, WHOLE};
use super::ast::{EvalExpr, Function, Name, Stage};
use super::context::{Context, Scope};
use super::field::number;
use super::read::TIME;
use super::regex::{self, Dialect};
use super::subject::{Kind, Subject};
use super::{clock, regex::quote};
use crate::backend::ReasonCode;
use crate::ir::{Call, FieldRef, Literal, Predicate, Regex, Value};
use crate::schema::Type;
use crate::source::{Span, Spanned};

impl Context<'_> {
    /// A value; `span` is the place to blame where the value itself has none.
    pub(super) fn value(&mut self, scope: Scope<'_>, value: &Value, span: Span) -> Subject {
        match value {
            Value::Field(field) => {
                let subject = self.field(scope, field);
                if subject.kind == Kind::Number { self.settled(scope, subject) } else { subject }
            }
            Value::Element(element) => self.element(scope, element, span),
            Value::First(first) => self.first(scope, first),
            Value::NameValue(reference) => self.name_value(scope, reference),
            Value::Time if scope.hit.is_some() => Subject::clean(self.ticks.shown(TIME), Kind::Seconds),
            Value::Time => Subject::clean(EvalExpr::source("_time"), Kind::Seconds),
            Value::Literal(literal) => {
                if let Literal::Text(text) = literal {
                    self.literal(text, span);
                }
                let kind = match literal {
                    Literal::Text(_) => Kind::Text,
                    Literal::Bool(_) => Kind::Bool,
                    Literal::Int(_) | Literal::Float(_) => Kind::Number,
                };
                Subject::clean(self.number_literal(literal, span), kind)
            }
            Value::Call(call) => {
                let subject = self.call(scope, call, span);
                match **call {
                    Call::Lower(_) | Call::Upper(_) | Call::Length(_) | Call::Hour(_) | Call::Weekday(_) => subject,
                    Call::Coalesce(_)
                    | Call::Choose(_)
                    | Call::Concat(_)
                    | Call::Split { .. }
                    | Call::Extract { .. }
                    | Call::Replace { .. }
                    | Call::ToInt(_)
                    | Call::ToFloat(_)
                    | Call::Country(_)
                    | Call::City(_)
                    | Call::Asn(_)
                    | Call::AsOrganisation(_) => self.settled(scope, subject),
                }
            }
        }
    }

    /// The same value by the name of a helper column, so that it can stand several times.
    pub(super) fn settled(&mut self, scope: Scope<'_>, subject: Subject) -> Subject {
        if subject.expression.is_name() || scope.element.is_some() {
            return subject;
        }
        let column = self.helper("value", subject.expression);
        Subject { expression: EvalExpr::derived(column), ..subject }
    }

    /// A value for a test of its presence, which does not ask for its type.
    pub(super) fn presence(&mut self, scope: Scope<'_>, value: &Value, span: Span) -> Subject {
        let untyped = |ty: &Type| if ty.is_number() || *ty == Type::Bool { Type::Text } else { ty.clone() };
        let subject = match value {
            Value::Field(field) => {
                if !matches!(field.ty, Type::List(_) | Type::Object) {
                    self.verdict.assume("a field for a single value never holds a list or an object");
                }
                self.field(scope, &FieldRef { ty: untyped(&field.ty), ..field.clone() })
            }
            Value::Element(element) => {
                let element = crate::ir::Element { ty: untyped(&element.ty), ..element.clone() };
                self.element(scope, &element, span)
            }
            Value::First(_) | Value::NameValue(_) | Value::Time | Value::Literal(_) | Value::Call(_) => {
                self.value(scope, value, span)
            }
        };
        match subject.kind {
            // a list with nothing but empty elements is there
            Kind::Many => Subject { blanks: Vec::new(), ..subject },
            Kind::Text | Kind::Number | Kind::Bool | Kind::Seconds | Kind::TimeText => subject,
        }
    }

    /// A value as the text by which keys and distinct values are told apart; null where it is missing.
    pub(super) fn key_text(&mut self, scope: Scope<'_>, value: &Value, span: Span) -> Subject {
        if let Value::Field(field) = value
            && field.ty.is_number()
        {
            let text = self.field(scope, &FieldRef { ty: Type::Text, ..field.clone() }).native();
            let text = self.settled(scope, text).expression;
            return Subject::clean(number_text(text, &field.ty), Kind::Text);
        }
        let subject = self.value(scope, value, span);
        if subject.spellings.is_empty() && subject.kind != Kind::Bool { subject } else { subject.native() }
    }

    /// A value as a result shows it; a text that stands for a missing value stays what it is.
    pub(super) fn shown(&mut self, scope: Scope<'_>, value: &Value, span: Span) -> EvalExpr {
        if self.carries {
            return self.carried_value(scope, value, span);
        }
        let subject = match value {
            Value::Field(field) if field.ty.is_number() || field.ty == Type::Bool => {
                self.field(scope, &FieldRef { ty: Type::Text, ..field.clone() })
            }
            Value::Field(_)
            | Value::Element(_)
            | Value::First(_)
            | Value::NameValue(_)
            | Value::Time
            | Value::Literal(_)
            | Value::Call(_) => self.value(scope, value, span),
        };
        if subject.spellings.is_empty() { subject.expression } else { subject.native().expression }
    }

    fn call(&mut self, scope: Scope<'_>, call: &Call, span: Span) -> Subject {
        match call {
            Call::Length(value) => {
                let subject = self.value(scope, value, span);
                let length = if subject.kind == Kind::Many && scope.element.is_none() {
                    let list = match subject.expression {
                        EvalExpr::Name(Name::Derived(column)) => column,
                        values => self.helper("list", values),
                    };
                    self.number_of_elements(&list)
                } else if subject.kind == Kind::Many {
                    // inside another list no command can make the inner one a column
                    let assumption = "a list whose `length` is taken holds neither null nor the empty text";
                    self.verdict.assume(assumption);
                    let elements = EvalExpr::call(Function::MvCount, subject.expression);
                    EvalExpr::Call(Function::Coalesce, vec![elements, EvalExpr::Integer(0)])
                } else {
                    EvalExpr::call(Function::Len, subject.native().expression)
                };
                Subject::clean(length, Kind::Number)
            }
            Call::Lower(value) => self.cased(scope, Function::Lower, value, span),
            Call::Upper(value) => self.cased(scope, Function::Upper, value, span),
            Call::Coalesce(values) => self.coalesce(scope, values, span),
            Call::Choose(branches) => self.chosen(scope, branches, span),
            Call::Concat(values) => {
                let parts = values.iter().map(|value| self.text(scope, value, span)).collect();
                Subject::clean(EvalExpr::Join(parts), Kind::Text)
            }
            Call::Split { value, separator, index } => {
                self.literal(separator, span);
                let text = self.text(scope, value, span);
                let parts = EvalExpr::Call(Function::Split, vec![text, EvalExpr::text(separator)]);
                may_be_empty(EvalExpr::Call(Function::MvIndex, vec![parts, EvalExpr::Integer(i64::from(*index))]))
            }
            Call::Extract { value, regex } => self.extract(scope, value, regex, span),
            Call::Replace { value, from, to } => {
                self.literal(from, span);
                self.literal(to, span);
                if to.contains('\\') {
                    let message = "a replacement with a backslash would refer to a group";
                    self.refuse(ReasonCode::UnsupportedLiteral, span, message);
                }
                let text = self.text(scope, value, span);
                let pattern = EvalExpr::Regex(quote(from, false));
                may_be_empty(EvalExpr::Call(Function::Replace, vec![text, pattern, EvalExpr::text(to)]))
            }
            Call::ToInt(value) => self.numeric(scope, value, INTEGER_TEXT, span),
            Call::ToFloat(value) => self.numeric(scope, value, DECIMAL_TEXT, span),
            Call::Hour(value) => Subject::clean(clock::hour(self.seconds(scope, value, span)), Kind::Number),
            Call::Weekday(value) => Subject::clean(clock::weekday(self.seconds(scope, value, span)), Kind::Number),
            Call::Country(value) => self.located(scope, value, "Country", span),
            Call::City(value) => self.located(scope, value, "City", span),
            Call::Asn(value) => {
                let owner = self.owner(scope, value, "asn", span);
                Subject::clean(number(owner.expression, WHOLE), Kind::Number)
            }
            Call::AsOrganisation(value) => self.owner(scope, value, "as_org", span),
        }
    }

    /// A value as text in its native spelling, null where it is missing.
    pub(super) fn text(&mut self, scope: Scope<'_>, value: &Value, span: Span) -> EvalExpr {
        self.key_text(scope, value, span).native().expression
    }

    fn cased(&mut self, scope: Scope<'_>, function: Function, value: &Value, span: Span) -> Subject {
        let subject = self.value(scope, value, span);
        if subject.spellings.is_empty() {
            // in another case a value could become one of the texts that stand for a missing one; the empty one stays itself
            let (empty, others) = subject.blanks.iter().cloned().partition(String::is_empty);
            let text = Subject { blanks: others, ..subject }.native().expression;
            return Subject { blanks: empty, ..Subject::clean(EvalExpr::call(function, text), Kind::Text) };
        }
        Subject::clean(EvalExpr::call(function, subject.native().expression), Kind::Text)
    }

    /// The value of the first branch that holds, null where none does.
    fn chosen(&mut self, scope: Scope<'_>, branches: &[(Spanned<Predicate>, Value)], span: Span) -> Subject {
        let is_number = branches.first().is_some_and(|(_, value)| value.ty().is_number());
        let mut arguments = Vec::new();
        for (when, value) in branches {
            let condition = self.condition(scope, when, true);
            let value = if is_number { self.number(scope, value, span) } else { self.text(scope, value, span) };
            arguments.extend([condition, value]);
        }
        if arguments.is_empty() {
            return Subject::nothing();
        }
        let kind = if is_number { Kind::Number } else { Kind::Text };
        Subject::clean(EvalExpr::Call(Function::Case, arguments), kind)
    }

    fn coalesce(&mut self, scope: Scope<'_>, values: &[Value], span: Span) -> Subject {
        let subjects: Vec<Subject> = values.iter().map(|value| self.value(scope, value, span)).collect();
        let kind = subjects.first().map_or(Kind::Text, |subject| subject.kind);
        if kind == Kind::Many {
            self.refuse(ReasonCode::UnsupportedExpression, span, "`coalesce` of lists cannot be expressed here");
        }
        let parts = subjects.into_iter().map(|subject| subject.native().expression).collect();
        Subject::clean(EvalExpr::Call(Function::Coalesce, parts), kind)
    }

    /// The first group of the leftmost match: everything around it is replaced by nothing.
    fn extract(&mut self, scope: Scope<'_>, value: &Value, regex: &Regex, span: Span) -> Subject {
        let text = Subject::clean(self.text(scope, value, span), Kind::Text);
        let text = self.settled(scope, text).expression;
        match regex::render(regex, Dialect { fold: false, captures: true }) {
            Ok(pattern) => {
                let inner = if regex.captures() == 0 { format!("({pattern})") } else { format!("(?:{pattern})") };
                let whole = EvalExpr::Regex(format!("^(?s:.*?){inner}(?s:.*)"));
                let fits = EvalExpr::Call(Function::Match, vec![text.clone(), EvalExpr::Regex(pattern)]);
                let group = EvalExpr::Call(Function::Replace, vec![text, whole, EvalExpr::FirstGroup]);
                may_be_empty(EvalExpr::only_if(fits, group))
            }
            Err(message) => {
                self.refuse(ReasonCode::UnsupportedRegex, span, message);
                Subject::nothing()
            }
        }
    }

    fn numeric(&mut self, scope: Scope<'_>, value: &Value, shape: &str, span: Span) -> Subject {
        let subject = self.value(scope, value, span);
        if subject.kind == Kind::Number {
            let number = subject.expression;
            if value.ty() == Type::Int || shape == DECIMAL_TEXT {
                return Subject::clean(number, Kind::Number);
            }
            let whole = EvalExpr::equal(number.clone(), EvalExpr::call(Function::Floor, number.clone()));
            return Subject::clean(EvalExpr::only_if(whole, number), Kind::Number);
        }
        let text = Subject { blanks: Vec::new(), ..subject }.native().expression;
        let fits = EvalExpr::Call(Function::Match, vec![text.clone(), EvalExpr::Regex(shape.to_owned())]);
        let unsigned = EvalExpr::Call(Function::LTrim, vec![text, EvalExpr::text("+")]);
        Subject::clean(EvalExpr::only_if(fits, EvalExpr::call(Function::ToNumber, unsigned)), Kind::Number)
    }

    /// A fact that `iplocation` knows about an address.
    fn located(&mut self, scope: Scope<'_>, value: &Value, fact: &str, span: Span) -> Subject {
        let Some(address) = self.address_column(scope, value, span) else { return Subject::nothing() };
        let prefix = format!("{address}_");
        let command = Stage::Locate { address: address.clone(), prefix: prefix.clone() };
        self.enrichment("location", &address, || command);
        self.verdict
            .assume("`country` and `city` are those of the database behind `iplocation`, countries as ISO codes");
        may_be_empty(EvalExpr::derived(format!("{prefix}{fact}")))
    }

    /// A fact about the autonomous system of an address, from the target's lookup.
    fn owner(&mut self, scope: Scope<'_>, value: &Value, fact: &str, span: Span) -> Subject {
        let Some(table) = self.options.asn_lookup.clone() else {
            let message = "the owner of an address needs a lookup with the columns `ip`, `asn` and `as_org`; \
                           name it in the target's option `asn_lookup`";
            self.refuse(ReasonCode::UnsupportedExpression, span, message);
            return Subject::nothing();
        };
        let Some(address) = self.address_column(scope, value, span) else { return Subject::nothing() };
        let column = format!("{address}_{fact}");
        let output = (fact.to_owned(), column.clone());
        let command = Stage::Lookup { table, address: address.clone(), output };
        self.enrichment(fact, &address, || command);
        may_be_empty(EvalExpr::derived(column))
    }

    fn address_column(&mut self, scope: Scope<'_>, value: &Value, span: Span) -> Option<String> {
        if scope.element.is_some() {
            let message = "facts about an address cannot be asked for inside a list; name the address with `first`";
            self.refuse(ReasonCode::UnsupportedExpression, span, message);
            return None;
        }
        let text = self.text(scope, value, span);
        Some(self.helper("ip", text))
    }
}

/// The shortest text of the number that a text holds; null where it holds none.
pub(super) fn number_text(text: EvalExpr, ty: &Type) -> EvalExpr {
    let shape = if *ty == Type::Int { WHOLE } else { DECIMAL };
    let fits = EvalExpr::Call(Function::Match, vec![text.clone(), EvalExpr::Regex(shape.to_owned())]);
    let dotted = EvalExpr::Call(Function::Like, vec![text.clone(), EvalExpr::text("%.%")]);
    let trim = |text, end| EvalExpr::Call(Function::RTrim, vec![text, EvalExpr::text(end)]);
    let trimmed = trim(trim(text.clone(), "0"), ".");
    EvalExpr::only_if(fits, EvalExpr::choose(dotted, trimmed, text))
}

/// A text that is missing where it is empty.
pub(super) fn may_be_empty(expression: EvalExpr) -> Subject {
    Subject { blanks: vec![String::new()], ..Subject::clean(expression, Kind::Text) }
}
