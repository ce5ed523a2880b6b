//! Numbers and durations of behaviours, written out or given by a parameter.

use super::behavior::Resolver;
use super::parameters::Setting;
use super::scope::Reference;
use crate::diagnostic::{Code, Diagnostic};
use crate::ir::{Decimal, Literal};
use crate::schema::Duration;
use crate::source::{Span, Spanned};
use crate::syntax::ast::Comparison;
use crate::syntax::behavior_ast::Amount;

impl Resolver<'_> {
    /// A whole number.
    pub(super) fn number(&mut self, amount: &Spanned<Amount>) -> Option<i64> {
        let wrong = |what: String| {
            let diagnostic = Diagnostic::new(Code::InvalidThreshold, amount.span, what);
            diagnostic.help("a threshold is a whole number, or a parameter with `type: int`")
        };
        match &amount.node {
            Amount::Int(number) => Some(*number),
            Amount::Decimal(text) => {
                self.report(wrong(format!("a whole number is wanted, not {text}")));
                None
            }
            Amount::Duration(duration) => {
                self.report(wrong(format!("a number is wanted, not the duration {duration}")));
                None
            }
            Amount::Reference(name) => match self.setting(name, amount.span)? {
                Some(Setting::One(Literal::Int(number))) => Some(number),
                Some(Setting::One(_) | Setting::Many(_) | Setting::Duration(_)) | None => {
                    self.report(wrong(format!("`${name}` is no whole number")));
                    None
                }
            },
        }
    }

    /// A whole number that is at least 1.
    pub(super) fn positive(&mut self, amount: &Spanned<Amount>, what: &str) -> Option<u64> {
        let number = self.number(amount)?;
        match u64::try_from(number) {
            Ok(number @ 1..) => Some(number),
            _ => {
                let message = format!("{what} is {number}");
                let diagnostic = Diagnostic::new(Code::InvalidThreshold, amount.span, message);
                self.report(diagnostic.help("the smallest is 1"));
                None
            }
        }
    }

    /// A number with or without a fraction.
    pub(super) fn decimal(&mut self, amount: &Spanned<Amount>) -> Option<Decimal> {
        let wrong = |what: String| {
            let diagnostic = Diagnostic::new(Code::InvalidThreshold, amount.span, what);
            diagnostic.help("write a number, or a parameter with `type: int` or `type: float`")
        };
        let found = match &amount.node {
            Amount::Int(number) => Decimal::parse_number(&number.to_string()),
            Amount::Decimal(text) => Decimal::parse_number(text),
            Amount::Duration(duration) => {
                self.report(wrong(format!("a number is wanted, not the duration {duration}")));
                return None;
            }
            Amount::Reference(name) => match self.setting(name, amount.span)? {
                Some(Setting::One(Literal::Int(number))) => Decimal::parse_number(&number.to_string()),
                Some(Setting::One(Literal::Float(number))) => Decimal::parse_number(number.as_str()),
                Some(Setting::One(_) | Setting::Many(_) | Setting::Duration(_)) | None => None,
            },
        };
        if found.is_none() {
            let name = match &amount.node {
                Amount::Reference(name) => format!("`${name}` is no number"),
                Amount::Int(_) | Amount::Decimal(_) | Amount::Duration(_) => "this is no number".to_owned(),
            };
            self.report(wrong(name));
        }
        found
    }

    /// A number above zero.
    pub(super) fn decimal_above_zero(&mut self, amount: &Spanned<Amount>, what: &str) -> Option<Spanned<Decimal>> {
        let number = self.decimal(amount)?;
        if number.is_negative() || number.is_zero() {
            let message = format!("{what} is {number}");
            let diagnostic = Diagnostic::new(Code::InvalidThreshold, amount.span, message);
            self.report(diagnostic.help("it has to be above 0"));
            return None;
        }
        Some(Spanned::new(number, amount.span))
    }

    /// A lower bound as the smallest whole number that satisfies it.
    pub(super) fn at_least(
        &mut self,
        name: &str,
        operator: &Spanned<Comparison>,
        amount: &Spanned<Amount>,
    ) -> Option<Spanned<u64>> {
        let number = self.number(amount)?;
        let least = match operator.node {
            Comparison::GreaterOrEqual => number,
            Comparison::Greater => number.saturating_add(1),
            Comparison::Equal | Comparison::NotEqual | Comparison::Less | Comparison::LessOrEqual => {
                let message =
                    format!("`{}` needs a lower bound, and `{}` is none", function_of(name), operator.node.symbol());
                let diagnostic = Diagnostic::new(Code::NoLowerBound, operator.span, message);
                let diagnostic = diagnostic.help(format!("write `{name} >= {}`", number.max(1)));
                self.report(match operator.node {
                    Comparison::Less | Comparison::LessOrEqual => {
                        diagnostic.help("silence is an absence: `a -> no b within 10m`")
                    }
                    Comparison::Equal | Comparison::NotEqual | Comparison::Greater | Comparison::GreaterOrEqual => {
                        diagnostic
                    }
                });
                return None;
            }
        };
        match u64::try_from(least) {
            Ok(least @ 1..) => Some(Spanned::new(least, amount.span)),
            _ => {
                let message = format!("`{} {number}` holds without any event", operator.node.symbol());
                let help = "the smallest threshold is 1";
                self.report(Diagnostic::new(Code::InvalidThreshold, amount.span, message).help(help));
                None
            }
        }
    }

    /// A duration that is not zero; `what` names it in messages.
    pub(super) fn duration(&mut self, amount: &Spanned<Amount>, what: &str) -> Option<Spanned<Duration>> {
        let wrong = |message: String| {
            let diagnostic = Diagnostic::new(Code::InvalidDuration, amount.span, message);
            diagnostic.help(format!("a {what} is a duration such as `10m`, or a parameter with `type: duration`"))
        };
        let duration = match &amount.node {
            Amount::Duration(duration) => *duration,
            Amount::Int(number) => {
                let diagnostic = Diagnostic::new(Code::InvalidDuration, amount.span, format!("`{number}` has no unit"));
                let help = format!("add the unit: `{number}s`, `{number}m`, `{number}h` or `{number}d`");
                self.report(diagnostic.help(help));
                return None;
            }
            Amount::Decimal(text) => {
                self.report(wrong(format!("`{text}` is no duration")));
                return None;
            }
            Amount::Reference(name) => match self.setting(name, amount.span)? {
                Some(Setting::Duration(duration)) => duration,
                Some(Setting::One(_) | Setting::Many(_)) | None => {
                    self.report(wrong(format!("`${name}` is no duration")));
                    return None;
                }
            },
        };
        if duration.is_zero() {
            let diagnostic = Diagnostic::new(Code::ZeroWindow, amount.span, format!("the {what} is empty"));
            self.report(diagnostic.help(format!("the shortest {what} is `1s`")));
            return None;
        }
        Some(Spanned::new(duration, amount.span))
    }

    /// The value of a parameter; `Some(None)` for a list, `None` for a name that has been reported.
    fn setting(&mut self, name: &str, span: Span) -> Option<Option<Setting>> {
        match self.environment.reference(name, span, self.diagnostics)? {
            Reference::Parameter(parameter) => Some(Some(parameter.value.clone())),
            Reference::List(_) => Some(None),
        }
    }
}

/// The word in front of the parenthesis.
fn function_of(name: &str) -> &str {
    name.split('(').next().unwrap_or(name)
}
