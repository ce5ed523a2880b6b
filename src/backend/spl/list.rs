//! Lists: `any`, `all`, `none`, `first` and name/value lists, by `mvmap` over the elements.
//!
//! Elements of lists of objects are JSON texts, so that one `any` speaks of one element.

use super::address::{DECIMAL, WHOLE};
use super::ast::Comparison;
use super::ast::{EvalExpr, Function};
use super::context::{Context, ElementScope, Scope};
use super::field::number;
use super::subject::{Kind, Subject, text_equals};
use super::value::may_be_empty;
use crate::backend::ReasonCode;
use crate::ir::{Element, FieldRef, First, NameValueRef, Predicate, Quantifier, Value};
use crate::schema::mapping::{Access, Binding, Column};
use crate::schema::{FieldPath, Type};
use crate::source::{Span, Spanned};

impl Context<'_> {
    /// A predicate over the elements of a list.
    pub(super) fn quantified(
        &mut self,
        scope: Scope<'_>,
        (quantifier, list, variable): (Quantifier, &Value, &str),
        predicate: &Spanned<Predicate>,
        wanted: bool,
    ) -> EvalExpr {
        if let Some((quantifier, inner)) = flattened(quantifier, variable, predicate)
            && let Predicate::Quantified { list, variable, predicate, .. } = &inner.node
        {
            self.verdict.assume("a list inside a list is an array in the raw event");
            return self.over_elements(scope, (quantifier, list, variable), predicate, wanted);
        }
        if scope.element.is_some() {
            let message = "a list inside a list can be looked at only as a whole, without the outer element";
            self.refuse(ReasonCode::UnsupportedExpression, predicate.span, message);
            return EvalExpr::constant(false);
        }
        self.over_elements(scope, (quantifier, list, variable), predicate, wanted)
    }

    fn over_elements(
        &mut self,
        scope: Scope<'_>,
        (quantifier, list, variable): (Quantifier, &Value, &str),
        predicate: &Spanned<Predicate>,
        wanted: bool,
    ) -> EvalExpr {
        let list = ListRef::of(list, predicate.span);
        let Some(column) = self.elements(scope, &list) else { return EvalExpr::constant(false) };
        let element = ElementScope { variable, list: &list.path, column: &column };
        let (passing, some) = match quantifier {
            Quantifier::Any => (true, wanted),
            Quantifier::None => (true, !wanted),
            // all pass: there is none that does not
            Quantifier::All => (false, !wanted),
        };
        let test = self.condition(scope.inside(&element), predicate, passing);
        let found = self.selected(&column, Some(test), EvalExpr::Integer(1));
        EvalExpr::call(if some { Function::IsNotNull } else { Function::IsNull }, found)
    }

    /// The element that is being looked at, or a member of it.
    pub(super) fn element(&mut self, scope: Scope<'_>, element: &Element, span: Span) -> Subject {
        let Some(current) = scope.element.filter(|current| current.variable == element.variable) else {
            let message = format!("an inner list cannot be compared with `{}` of an outer one", element.variable);
            self.refuse(ReasonCode::UnsupportedExpression, span, message);
            return Subject::nothing();
        };
        let Some(column) = self.member_column(scope, &element.list, &element.member, span) else {
            return Subject::nothing();
        };
        let item = EvalExpr::derived(current.column);
        let Some(expression) = self.member(scope, current.list, &element.member, item, span) else {
            return Subject::nothing();
        };
        if matches!(element.ty, Type::List(_)) {
            return Subject { blanks: self.blanks(&column), ..Subject::clean(expression, Kind::Many) };
        }
        self.scalar(&element.ty, &column, expression)
    }

    /// A member of the first element that passes a test.
    pub(super) fn first(&mut self, scope: Scope<'_>, first: &First) -> Subject {
        let list = ListRef::of(&first.list, first.predicate.span);
        if scope.element.is_some() || matches!(first.list, Value::Element(_)) {
            let message = "`first` inside the elements of a list cannot be expressed here";
            self.refuse(ReasonCode::UnsupportedExpression, list.span, message);
            return Subject::nothing();
        }
        let Some(column) = self.elements(scope, &list) else { return Subject::nothing() };
        let element = ElementScope { variable: &first.variable, list: &list.path, column: &column };
        let test = self.condition(scope.inside(&element), &first.predicate, true);
        self.picked(scope, &list, &column, test, (&first.member, &first.ty))
    }

    /// A member of a name/value list's element of that name.
    pub(super) fn name_value(&mut self, scope: Scope<'_>, reference: &NameValueRef) -> Subject {
        let span = reference.list.span;
        let list = ListRef { path: reference.list.path.clone(), ty: reference.list.ty.clone(), span };
        self.literal(&reference.key, span);
        if let Some(Binding::Column(column)) = scope.map.resolve_named(&list.path, &reference.key, &reference.member) {
            let Some(name) = self.name(column, span) else { return Subject::nothing() };
            return self.scalar(&reference.ty, column, EvalExpr::source(name));
        }
        let Some(binding) = self.column(scope, &reference.list.path, span) else { return Subject::nothing() };
        if binding.access == Access::Keyed {
            let path = binding.path.replace('*', &reference.key);
            let column = Column { path, rest: reference.member.clone(), ..binding };
            let Some(name) = self.name(&column, span) else { return Subject::nothing() };
            return self.scalar(&reference.ty, &column, EvalExpr::source(name));
        }
        let Some(column) = self.elements(scope, &list) else { return Subject::nothing() };
        let name = FieldPath::new(vec![reference.name_member.clone()]);
        let item = EvalExpr::derived(column.clone());
        let Some(name) = self.member(scope, &reference.list.path, &name, item, span) else { return Subject::nothing() };
        let test = text_equals(name, Comparison::Equal, &reference.key);
        self.picked(scope, &list, &column, test, (&reference.member, &reference.ty))
    }

    /// The member of the first element for which a test holds; a marker keeps an element that lacks the member in its place.
    fn picked(
        &mut self,
        scope: Scope<'_>,
        list: &ListRef,
        column: &str,
        test: EvalExpr,
        (member, ty): (&FieldPath, &Type),
    ) -> Subject {
        let span = list.span;
        let Some(binding) = self.member_column(scope, &list.path, member, span) else { return Subject::nothing() };
        let item = EvalExpr::derived(column);
        let Some(value) = self.member(scope, &list.path, member, item, span) else { return Subject::nothing() };
        let kept = EvalExpr::Call(Function::Coalesce, vec![value, EvalExpr::text("")]);
        let marked = EvalExpr::Join(vec![EvalExpr::text("="), kept]);
        let all = self.selected(column, Some(test), marked);
        let first = EvalExpr::Call(Function::MvIndex, vec![all, EvalExpr::Integer(0)]);
        let picked = EvalExpr::Call(Function::Substr, vec![first, EvalExpr::Integer(2)]);
        let text = EvalExpr::derived(self.helper("first", picked));
        match ty {
            Type::Int => Subject::clean(number(text, WHOLE), Kind::Number),
            Type::Float => Subject::clean(number(text, DECIMAL), Kind::Number),
            Type::Bool | Type::Text | Type::Ip | Type::Time | Type::Duration | Type::Object | Type::List(_) => {
                let subject = self.scalar(ty, &binding, text);
                if *ty == Type::Bool { subject } else { Subject { blanks: self.blanks(&binding), ..subject } }
            }
        }
    }

    /// The number of elements that are there, of a list that is a column.
    pub(super) fn number_of_elements(&self, column: &str) -> EvalExpr {
        let there = self.selected(column, None, EvalExpr::Integer(1));
        let number = EvalExpr::call(Function::MvCount, there);
        EvalExpr::Call(Function::Coalesce, vec![number, EvalExpr::Integer(0)])
    }

    /// `mvmap` that keeps `value` for the elements that are there and pass.
    fn selected(&self, column: &str, test: Option<EvalExpr>, value: EvalExpr) -> EvalExpr {
        let item = EvalExpr::derived(column);
        let mut blanks = vec![String::new()];
        if !self.options.null_text.is_empty() {
            blanks.push(self.options.null_text.clone());
        }
        let mut parts = Subject { blanks, ..may_be_empty(item.clone()) }.is_no_blank();
        parts.extend(test);
        EvalExpr::Call(Function::MvMap, vec![item, EvalExpr::only_if(EvalExpr::all(parts), value)])
    }

    /// A list of objects as a whole: no field has its name, so that its elements come from the raw text.
    pub(super) fn objects(&mut self, scope: Scope<'_>, field: &FieldRef) -> Subject {
        let list = ListRef { path: field.path.clone(), ty: field.ty.clone(), span: field.span };
        let Some(column) = self.elements(scope, &list) else { return Subject::nothing() };
        Subject::clean(EvalExpr::derived(column), Kind::Many)
    }

    /// Helper column with the elements of a list.
    fn elements(&mut self, scope: Scope<'_>, list: &ListRef) -> Option<String> {
        let column = self.column(scope, &list.path, list.span)?;
        let name = self.name(&column, list.span)?;
        let bare = name.strip_suffix("{}").unwrap_or(&name).to_owned();
        let array = format!("{bare}{{}}");
        let objects = matches!(&list.ty, Type::List(item) if **item == Type::Object);
        let values = match (column.access, objects) {
            (Access::Indexed, _) => {
                let message = "a list that is stored by index cannot be read here";
                self.refuse(ReasonCode::UnsupportedExpression, list.span, message);
                return None;
            }
            (Access::Direct | Access::Dynamic | Access::Flattened | Access::Keyed, false) => {
                EvalExpr::Call(Function::MvAppend, vec![EvalExpr::source(bare), EvalExpr::source(array)])
            }
            (Access::Direct | Access::Dynamic | Access::Flattened | Access::Keyed, true) => {
                self.assume_raw();
                json_elements(&EvalExpr::source("_raw"), &bare)
            }
            (Access::JsonText, _) => {
                let (column, path) = bare.split_once('.').unwrap_or((&bare, ""));
                json_elements(&EvalExpr::source(column), path)
            }
        };
        Some(self.helper("list", values))
    }

    /// A member of an element; the element itself where the path is empty.
    fn member(
        &mut self,
        scope: Scope<'_>,
        list: &FieldPath,
        member: &FieldPath,
        item: EvalExpr,
        span: Span,
    ) -> Option<EvalExpr> {
        if member.is_empty() {
            return Some(item);
        }
        let column = self.member_column(scope, list, member, span)?;
        let whole = self.column(scope, list, span)?;
        let (name, list_name) = (self.name(&column, span)?, self.name(&whole, span)?);
        let Some(path) = inner_path(&name, &list_name) else {
            let message = format!("`{name}` does not lie inside the list `{list_name}`");
            self.refuse(ReasonCode::UnsupportedExpression, span, message);
            return None;
        };
        if member.segments().iter().any(|segment| segment.contains(['.', '{', '}'])) {
            let message = format!("a path inside a JSON text cannot name `{member}`");
            self.refuse(ReasonCode::UnsupportedExpression, span, message);
            return None;
        }
        Some(EvalExpr::Call(Function::Spath, vec![item, EvalExpr::text(path)]))
    }
}

/// A list, wherever it stands.
struct ListRef {
    path: FieldPath,
    ty: Type,
    span: Span,
}

impl ListRef {
    /// The list that a value is; `span` is the place to blame where it has none.
    fn of(value: &Value, span: Span) -> Self {
        match value {
            Value::Field(field) => Self { path: field.path.clone(), ty: field.ty.clone(), span: field.span },
            Value::Element(outer) => Self { path: outer.as_list(), ty: outer.ty.clone(), span: outer.span },
            Value::First(_) | Value::NameValue(_) | Value::Time | Value::Literal(_) | Value::Call(_) => {
                Self { path: FieldPath::default(), ty: value.ty(), span }
            }
        }
    }
}

/// A quantifier around another one that speaks of nothing but the inner elements: the same over all inner elements at once.
fn flattened<'p>(
    outer: Quantifier,
    variable: &str,
    predicate: &'p Spanned<Predicate>,
) -> Option<(Quantifier, &'p Spanned<Predicate>)> {
    let Predicate::Quantified { quantifier: inner, list: Value::Element(list), predicate: body, .. } = &predicate.node
    else {
        return None;
    };
    if list.variable != variable || body.node.mentions(variable) {
        return None;
    }
    let whole = match (outer, inner) {
        (Quantifier::Any | Quantifier::None, Quantifier::Any) => outer,
        (Quantifier::All, Quantifier::All | Quantifier::None) => *inner,
        (Quantifier::Any | Quantifier::None, Quantifier::All | Quantifier::None)
        | (Quantifier::All, Quantifier::Any) => {
            return None;
        }
    };
    Some((whole, predicate))
}

impl Predicate {
    /// Whether the element of that name is looked at anywhere.
    fn mentions(&self, variable: &str) -> bool {
        let of_value = |value: &Value| value_mentions(value, variable);
        match self {
            Self::Constant(_) | Self::OfSource(_) => false,
            Self::And(parts) | Self::Or(parts) => parts.iter().any(|part| part.node.mentions(variable)),
            Self::Not(inner) => inner.node.mentions(variable),
            Self::Exists(value)
            | Self::IsTrue(value)
            | Self::In { value, .. }
            | Self::Text { value, .. }
            | Self::InNetwork { value, .. }
            | Self::IsAddress { value, .. }
            | Self::OutsideHours { time: value, .. } => of_value(value),
            Self::Equal { left, right, .. } | Self::Ordered { left, right, .. } => of_value(left) || of_value(right),
            Self::Quantified { list, predicate, .. } => of_value(list) || predicate.node.mentions(variable),
        }
    }
}

fn value_mentions(value: &Value, variable: &str) -> bool {
    match value {
        Value::Field(_) | Value::NameValue(_) | Value::Time | Value::Literal(_) => false,
        Value::Element(element) => element.variable == variable,
        Value::First(first) => value_mentions(&first.list, variable) || first.predicate.node.mentions(variable),
        Value::Call(call) => call.arguments().into_iter().any(|argument| value_mentions(argument, variable)),
    }
}

/// The path of a member inside an element, from the names of member and list.
pub(super) fn inner_path<'n>(name: &'n str, list: &str) -> Option<&'n str> {
    let rest = name.strip_prefix(list.strip_suffix("{}").unwrap_or(list))?;
    rest.strip_prefix("{}").unwrap_or(rest).strip_prefix('.')
}

/// The elements of a JSON array as texts; a single object is one element.
fn json_elements(text: &EvalExpr, path: &str) -> EvalExpr {
    let at = |path: &str| EvalExpr::Call(Function::Spath, vec![text.clone(), EvalExpr::text(path)]);
    if let Some((outer, inner)) = path.split_once("{}.") {
        let (many, one) = (at(&format!("{path}{{}}")), at(&format!("{outer}.{inner}{{}}")));
        return EvalExpr::Call(Function::MvAppend, vec![many, one]);
    }
    let single = at(path);
    let is_object = EvalExpr::Call(Function::Like, vec![single.clone(), EvalExpr::text("{%")]);
    EvalExpr::Call(Function::Coalesce, vec![at(&format!("{path}{{}}")), EvalExpr::only_if(is_object, single)])
}
