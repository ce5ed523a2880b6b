//! Hits as events: what a hit carries travels as columns, by which filters and outer stages know it.
//!
//! Never looks into a hit's events again: what is not a column of the hit is gone.

use std::sync::LazyLock;

use super::address::{DECIMAL, WHOLE};
use super::ast::{EvalExpr, Function};
use super::columns::Shown;
use super::context::{Carried, Context, Scope};
use super::field::number;
use super::read::{Head, TIME, columns, conjuncts};
use super::subject::{Kind, Subject};
use crate::backend::ReasonCode;
use crate::ir::{Behavior, FieldRef, HitValue, Signal, Value};
use crate::schema::Type;
use crate::schema::mapping::FieldMap;
use crate::source::Span;

/// Column that tells a hit's closing event from others.
pub(super) const IDENTITY: &str = "detc_hid";

/// Index that stands for the finished hits of the detection.
const FINISHED: usize = usize::MAX;

/// The map of a source that is no telemetry source.
static NO_MAP: LazyLock<FieldMap> = LazyLock::new(|| FieldMap {
    source: String::new(),
    location: std::collections::BTreeMap::new(),
    time: String::new(),
    fields: indexmap::IndexMap::new(),
    members: std::collections::BTreeMap::new(),
});

impl<'a> Context<'a> {
    /// The events that the hits of a signal's stage are; `None` only after a reason was added.
    pub(super) fn events_of_hits(&mut self, signal: &'a Signal) -> Option<Head> {
        let inner = signal.stage.as_deref()?;
        let index = self.index_of(signal);
        let outer = (self.stage, self.outermost, self.carries);
        (self.stage, self.outermost, self.carries) = (inner, false, true);
        let mut shown = Shown::default();
        let head = self.hits(&mut shown).map(|mut head| {
            self.settle(&mut head, &shown, index);
            head
        });
        (self.stage, self.outermost, self.carries) = outer;
        let mut head = head?;
        let scope = self.scope(signal)?;
        head.flagged = false;
        let conditions: Vec<EvalExpr> =
            conjuncts(&signal.predicate).into_iter().map(|part| self.condition(scope, part, true)).collect();
        head.search.stages.extend(self.take_helpers());
        conditions
            .into_iter()
            .filter(|condition| *condition != EvalExpr::constant(true))
            .for_each(|condition| head.keep(condition));
        Some(head)
    }

    /// Keeps the finished hits that pass the detection's filter.
    pub(super) fn filter_hits(&mut self, head: &mut Head, shown: &Shown) {
        let detection = self.request.detection;
        let scope = Scope {
            source: match detection.stage.signals.first() {
                Some(signal) => &signal.source,
                None => return,
            },
            map: &NO_MAP,
            hit: Some(FINISHED),
            element: None,
        };
        self.hits = self.columns_of_hits(head, shown, FINISHED, |_, column| column.to_owned());
        let conditions: Vec<EvalExpr> =
            conjuncts(&detection.filter).into_iter().map(|part| self.condition(scope, part, true)).collect();
        head.search.stages.extend(self.take_helpers());
        conditions.into_iter().for_each(|condition| head.keep(condition));
    }

    /// The scope of a signal that is made of hits.
    pub(super) fn hit_scope(&self, signal: &'a Signal) -> Scope<'a> {
        Scope { source: &signal.source, map: &NO_MAP, hit: Some(self.index_of(signal)), element: None }
    }

    /// Index of a signal of the stage; a name may stand twice, so that only the place tells.
    pub(super) fn index_of(&self, signal: &Signal) -> usize {
        self.stage.signals.iter().position(|other| std::ptr::eq(other, signal)).unwrap_or(FINISHED)
    }

    /// A column of the hit that is being looked at.
    pub(super) fn hit_field(&mut self, signal: usize, field: &FieldRef) -> Subject {
        let name = field.path.to_string();
        match self.hits.get(&(signal, name.clone())).cloned() {
            Some(Carried::Clean(subject)) => subject,
            Some(Carried::Column(column)) => self.typed(&EvalExpr::derived(column), field),
            Some(Carried::Chosen(column)) => {
                let message = format!(
                    "where several events close a hit at one instant, `{name}` may be that of another one of them"
                );
                self.refuse(ReasonCode::TieChoice, field.span, message);
                self.typed(&EvalExpr::derived(column), field)
            }
            Some(Carried::Missing(reason)) => {
                self.refuse(ReasonCode::MissingField, field.span, format!("`{name}`: {reason}"));
                Subject::nothing()
            }
            None => {
                let message = format!("the search does not keep `{name}` of a hit");
                self.refuse(ReasonCode::MissingField, field.span, message);
                Subject::nothing()
            }
        }
    }

    fn typed(&mut self, column: &EvalExpr, field: &FieldRef) -> Subject {
        let text =
            |kind| Subject { blanks: vec![String::new()], keeps_case: false, ..Subject::clean(column.clone(), kind) };
        match &field.ty {
            Type::Text | Type::Ip | Type::Duration => text(Kind::Text),
            Type::Bool => Subject { blanks: Vec::new(), ..text(Kind::Bool) },
            Type::Int => Subject::clean(number(column.clone(), WHOLE), Kind::Number),
            Type::Float => Subject::clean(number(column.clone(), DECIMAL), Kind::Number),
            Type::Time => Subject::clean(number(column.clone(), DECIMAL), Kind::Seconds),
            Type::Object | Type::List(_) => {
                let message = format!("a hit cannot carry the list or object `{}`", field.path);
                self.refuse(ReasonCode::UnsupportedExpression, field.span, message);
                Subject::nothing()
            }
        }
    }

    /// A value in the form in which a hit carries it: null where it is missing, in its native spelling.
    pub(super) fn carried_value(&mut self, scope: Scope<'_>, value: &Value, span: Span) -> EvalExpr {
        let subject = match value {
            Value::Field(field) if field.ty.is_number() => {
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
        if matches!(subject.kind, Kind::Many | Kind::TimeText) {
            let message = "a hit cannot carry a list, or a time that is written as text";
            self.refuse(ReasonCode::UnsupportedExpression, span, message);
        }
        subject.native().expression
    }

    /// Leaves of a search over hits nothing but what they carry, and names it for the outer stage.
    /// Returns the columns that are left.
    pub(super) fn settle(&mut self, head: &mut Head, shown: &Shown, signal: usize) -> Vec<String> {
        let carried = self.columns_of_hits(head, shown, signal, |index, _| format!("detc_h{}", index + 1));
        let mut assignments = vec![(IDENTITY.to_owned(), self.hit_identity(head, shown, signal))];
        let mut kept = vec![TIME.to_owned(), IDENTITY.to_owned()];
        for (index, column) in self.stage.columns.iter().enumerate() {
            let Some(from) = column_of(&column.name, &column.value, head, shown) else { continue };
            let name = format!("detc_h{}", index + 1);
            assignments.push((name.clone(), EvalExpr::derived(from)));
            kept.push(name);
        }
        head.push(super::ast::Stage::Eval(assignments));
        head.push(columns(&kept));
        head.keys = Vec::new();
        self.hits = carried;
        self.forget_helpers();
        kept
    }

    /// What tells one hit's closing event from others: the event's own identity, or the keys where time closes the hit.
    fn hit_identity(&self, head: &Head, shown: &Shown, signal: usize) -> EvalExpr {
        let by_time = match &self.stage.behavior.node {
            Behavior::Sequence(sequence) => sequence.trailing().is_some(),
            Behavior::Event { .. }
            | Behavior::Count { .. }
            | Behavior::Distinct { .. }
            | Behavior::Aggregation(_)
            | Behavior::Group(_)
            | Behavior::Rare(_)
            | Behavior::Baseline(_)
            | Behavior::Travel(_) => false,
        };
        let mut parts = vec![EvalExpr::text(format!("!{signal}!"))];
        for key in &head.keys {
            parts.extend([EvalExpr::derived(key), EvalExpr::text("!")]);
        }
        let keys = EvalExpr::Join(parts);
        match &shown.identity {
            Some(column) if !by_time => EvalExpr::Call(Function::Coalesce, vec![EvalExpr::derived(column), keys]),
            Some(_) | None => keys,
        }
    }

    /// What the hits of the stage carry, by name; `place` gives the column where it is found.
    fn columns_of_hits(
        &self,
        head: &Head,
        shown: &Shown,
        signal: usize,
        place: impl Fn(usize, &str) -> String,
    ) -> std::collections::BTreeMap<(usize, String), Carried> {
        let mut found = std::collections::BTreeMap::new();
        // a hit of single events is the event itself
        let is_event = matches!(self.stage.behavior.node, Behavior::Event { .. });
        for (index, column) in self.stage.columns.iter().enumerate() {
            let carried = match column_of(&column.name, &column.value, head, shown) {
                None => {
                    let reason = shown.missing.get(&column.name).cloned();
                    Carried::Missing(reason.unwrap_or_else(|| "the search does not keep it".to_owned()))
                }
                Some(from) => match column.value {
                    HitValue::Aggregate(_) => {
                        Carried::Clean(Subject::clean(EvalExpr::derived(place(index, &from)), Kind::Number))
                    }
                    HitValue::Closing(_) | HitValue::Step { .. } if !is_event => Carried::Chosen(place(index, &from)),
                    HitValue::Key(_) | HitValue::Closing(_) | HitValue::Step { .. } => {
                        Carried::Column(place(index, &from))
                    }
                },
            };
            found.insert((signal, column.name.clone()), carried);
        }
        found
    }
}

/// The column of the search that holds a column of the hit.
fn column_of(name: &str, value: &HitValue, head: &Head, shown: &Shown) -> Option<String> {
    match value {
        HitValue::Key(index) => head.keys.get(*index).cloned(),
        HitValue::Aggregate(_) | HitValue::Closing(_) | HitValue::Step { .. } => {
            shown.outputs.iter().find(|output| output.name == name).map(|output| output.column.clone())
        }
    }
}
