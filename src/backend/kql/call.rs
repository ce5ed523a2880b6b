//! Functions that give a value.

use super::ast::{Expr, Kind, Operator};
use super::network::looks_like_address;
use super::pattern;
use super::predicate::present;
use super::reader::Reader;
use super::value::Scalar;
use crate::backend::ReasonCode;
use crate::ir::{Call, Predicate, Regex, Value};
use crate::schema::{Duration, Type};
use crate::source::Spanned;

impl Reader<'_, '_> {
    /// A function of other values.
    pub(super) fn call(&mut self, call: &Call) -> Scalar {
        let ty = call.ty();
        match call {
            Call::Length(value) => Scalar::computed(self.length(value), Kind::Long, ty),
            Call::Lower(value) => self.respelt("tolower", value, ty),
            Call::Upper(value) => self.respelt("toupper", value, ty),
            Call::Coalesce(values) => self.coalesce(values, ty),
            Call::Choose(branches) => self.chosen(branches, ty),
            Call::Concat(values) => {
                let parts: Vec<Expr> = values.iter().map(|value| self.text(value)).collect();
                let missing = Expr::any(
                    values
                        .iter()
                        .zip(&parts)
                        .filter(|(value, _)| value.as_literal().is_none())
                        .map(|(_, part)| Expr::call("isempty", part.clone())),
                );
                let joined = Expr::Call("strcat", parts);
                let expr = match missing {
                    Expr::Bool(_) => joined,
                    missing => missing.choose(Expr::text(""), joined),
                };
                Scalar::computed(expr, Kind::Text, ty)
            }
            Call::Split { value, separator, index } => {
                let parts = Expr::Call("split", vec![self.text(value), self.literal_text(separator)]);
                let part = Expr::Index(Box::new(parts), Box::new(Expr::Int(i64::from(*index))));
                Scalar::computed(Expr::call("tostring", part), Kind::Text, ty)
            }
            Call::Extract { value, regex } => {
                let group = i64::from(regex.captures() > 0);
                let arguments = vec![Expr::Pattern(self.pattern(regex)), Expr::Int(group), self.text(value)];
                Scalar::computed(Expr::Call("extract", arguments), Kind::Text, ty)
            }
            Call::Replace { value, from, to } => {
                let arguments = vec![self.text(value), self.literal_text(from), self.literal_text(to)];
                Scalar::computed(Expr::Call("replace_string", arguments), Kind::Text, ty)
            }
            Call::ToInt(value) => {
                let number = self.number_in(value, "^[+-]?[0-9]+$");
                Scalar::computed(Expr::call("tolong", number), Kind::Long, ty)
            }
            Call::ToFloat(value) => {
                let number = self.number_in(value, r"^[+-]?[0-9]+(?:\.[0-9]+)?$");
                Scalar::computed(Expr::call("toreal", number), Kind::Real, ty)
            }
            Call::Hour(value) => Scalar::computed(Expr::call("hourofday", self.scalar(value).expr), Kind::Long, ty),
            Call::Weekday(value) => {
                // The engine counts from Sunday; ISO counts Sunday as the seventh day.
                let day = Expr::infix(
                    Expr::call("dayofweek", self.scalar(value).expr),
                    Operator::Divide,
                    Expr::Span(Duration::from_seconds(86_400)),
                );
                let day = Expr::call("tolong", day);
                let sunday = day.clone().equals(Expr::Int(0));
                Scalar::computed(sunday.choose(Expr::Int(7), day), Kind::Long, ty)
            }
            Call::Country(value) => {
                let message = "countries have their English names here, and ISO codes on other targets";
                self.refuse(ReasonCode::FieldLossy, message.to_owned());
                Scalar::computed(self.geography(value, "country"), Kind::Text, ty)
            }
            Call::City(value) => Scalar::computed(self.geography(value, "city"), Kind::Text, ty),
            Call::Asn(_) | Call::AsOrganisation(_) => {
                let message = format!(
                    "the engine knows no autonomous systems, so `{}` has no value; use a field of the source that names one",
                    call.name()
                );
                self.refuse(ReasonCode::UnsupportedExpression, message);
                Scalar::computed(Expr::Null(Kind::Text), Kind::Text, ty)
            }
        }
    }

    /// A text in another casing.
    fn respelt(&mut self, function: &'static str, value: &Value, ty: Type) -> Scalar {
        let scalar = self.scalar(value);
        let plain = scalar.kind == Kind::Text && scalar.spellings.is_empty();
        let (text, guarded) = if plain { (scalar.expr, scalar.guarded) } else { (scalar.text(), None) };
        Scalar { guarded, ..Scalar::computed(Expr::call(function, text), Kind::Text, ty) }
    }

    /// Characters of a text, or elements of a list; a missing list is empty and a single value is one element.
    fn length(&mut self, value: &Value) -> Expr {
        let scalar = self.scalar(value);
        if scalar.kind == Kind::Dynamic {
            self.context.verdict.assume("a list whose `length` is taken holds neither null nor the empty text");
            let list = scalar.expr;
            let single = Expr::call("isempty", Expr::call("tostring", list.clone()));
            return Expr::call("array_length", list).or_else(single.choose(Expr::Int(0), Expr::Int(1)));
        }
        let text = scalar.text();
        Expr::call("isempty", text.clone()).choose(Expr::Null(Kind::Long), Expr::call("strlen", text))
    }

    /// The text of a number, without a plus; empty where the text is none.
    fn number_in(&mut self, value: &Value, shape: &str) -> Expr {
        let arguments = vec![Expr::Pattern(shape.to_owned()), Expr::Int(0), self.text(value)];
        let number = Expr::Call("extract", arguments);
        Expr::Call("replace_string", vec![number, Expr::text("+"), Expr::text("")])
    }

    fn coalesce(&mut self, values: &[Value], ty: Type) -> Scalar {
        let scalars: Vec<Scalar> = values.iter().map(|value| self.scalar(value)).collect();
        let kind = Kind::of(&ty);
        if kind == Kind::Dynamic {
            // The engine's function does not pass over empty lists.
            let chosen = scalars.into_iter().rev().reduce(|rest, scalar| {
                let expr = present(&scalar, true).choose(scalar.expr.clone(), rest.expr);
                Scalar::computed(expr, kind, ty.clone())
            });
            return chosen.unwrap_or_else(|| Scalar::computed(Expr::Null(kind), kind, ty));
        }
        let values = scalars.iter().map(|scalar| if kind == Kind::Text { scalar.text() } else { scalar.expr.clone() });
        Scalar::computed(Expr::Call("coalesce", values.collect()), kind, ty)
    }

    /// The value of the first branch that holds, missing where none does.
    fn chosen(&mut self, branches: &[(Spanned<Predicate>, Value)], ty: Type) -> Scalar {
        let kind = Kind::of(&ty);
        let mut arguments = Vec::new();
        for (when, value) in branches {
            let condition = self.predicate(when, true).value();
            let scalar = self.scalar(value);
            arguments.extend([condition, if kind == Kind::Text { scalar.text() } else { scalar.shown() }]);
        }
        let nothing = if kind == Kind::Text { Expr::text("") } else { Expr::Null(kind) };
        if arguments.is_empty() {
            return Scalar::computed(nothing, kind, ty);
        }
        arguments.push(nothing);
        Scalar::computed(Expr::Call("case", arguments), kind, ty)
    }

    fn geography(&mut self, address: &Value, member: &str) -> Expr {
        self.context.verdict.assume("`country` and `city` are those of `geo_info_from_ip_address`");
        let text = self.text(address);
        let record = Expr::call("geo_info_from_ip_address", text.clone());
        let known = Expr::call("tostring", Expr::Member(Box::new(record), member.to_owned()));
        looks_like_address(&text).choose(known, Expr::Null(Kind::Text))
    }

    /// The pattern of a regular expression; one that the engine would refuse is.
    pub(super) fn pattern(&mut self, regex: &Regex) -> String {
        pattern::regex(regex).unwrap_or_else(|| {
            let message = format!("the engine refuses more than 1000 nested repetitions, as in `{regex}`");
            self.refuse(ReasonCode::UnsupportedRegex, message);
            String::new()
        })
    }
}
