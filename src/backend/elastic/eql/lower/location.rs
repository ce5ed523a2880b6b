//! Finds the fields that hold what the ingest pipeline knew of an address.
//!
//! Never looks an address up: what the target does not name has no counterpart.

use super::value::{Choice, Source};
use super::{Bound, Lowering, Test};
use crate::backend::elastic::eql::ast::Field;
use crate::ir::{Call, Value};
use crate::schema::mapping::{Access, Column};
use crate::schema::{Case, FieldPath, Type};

impl Lowering<'_> {
    /// The field for `country(address)` and its like: none inside where the target does not name one, none at all where the
    /// address cannot be reached, which is a reason.
    pub fn located(&mut self, call: &Call, address: &Value) -> Option<Option<Bound>> {
        let member = match call {
            Call::Country(_) => "geo.country_iso_code",
            Call::City(_) => "geo.city_name",
            Call::Asn(_) => "as.number",
            Call::AsOrganisation(_) => "as.organization.name",
            Call::Length(_)
            | Call::Lower(_)
            | Call::Upper(_)
            | Call::Coalesce(_)
            | Call::Choose(_)
            | Call::Concat(_)
            | Call::Split { .. }
            | Call::Extract { .. }
            | Call::Replace { .. }
            | Call::ToInt(_)
            | Call::ToFloat(_)
            | Call::Hour(_)
            | Call::Weekday(_) => return Some(None),
        };
        let name = match address {
            Value::Field(field) => self.field(field)?.field.path.join("."),
            Value::NameValue(_)
            | Value::Element(_)
            | Value::First(_)
            | Value::Time
            | Value::Literal(_)
            | Value::Call(_) => return Some(None),
        };
        let Some(owner) = self.options.located_fields.get(&name) else { return Some(None) };
        let path = format!("{owner}.{member}");
        self.verdict.assume(format!("`{path}` holds what the ingest pipeline knew of `{name}` when the event arrived"));
        let column = Column {
            path: path.clone(),
            access: Access::Direct,
            ty: None,
            literals: std::collections::BTreeMap::new(),
            case: None,
            lossy: None,
            rest: FieldPath::default(),
        };
        let ty = call.ty();
        Some(Some(Bound {
            field: Field::optional(FieldPath::parse(&path).segments().to_vec()),
            name: format!("{}({name})", call.name()),
            declared: ty.clone(),
            stored: if ty == Type::Int { Type::Int } else { Type::Text },
            is_list: false,
            is_mixed: false,
            case: Case::Any,
            column,
        }))
    }

    /// The choice for `country(address)` and its like; none where there is none, which is a reason.
    pub(super) fn location(&mut self, call: &Call, address: &Value) -> Vec<Choice> {
        match self.located(call, address) {
            Some(Some(bound)) => vec![Choice { when: Test::ALWAYS, source: Source::Field(bound), letters: None }],
            Some(None) => {
                self.unsupported(format!(
                    "Elastic cannot look addresses up, and the target does not say which field holds `{}` of this one; name \
                     it in the target's option `located_fields`",
                    call.name()
                ));
                Vec::new()
            }
            None => Vec::new(),
        }
    }
}
