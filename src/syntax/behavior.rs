//! Builds behaviours from what the parser recognised.

use pest::iterators::Pair;

use super::ast::{Amount, Behavior, Body, Comparison, Path, Step};
use super::expression::{Builder, children, comparison};
use super::parser::{self, Place, Rule};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::schema::nearest;
use crate::source::Spanned;

/// Behaviours that are written like a function.
const AGGREGATES: [&str; 2] = ["count", "distinct"];

/// Behaviours that are written like a function and come later.
const PLANNED: [&str; 12] =
    ["sum", "avg", "min", "max", "median", "percentile", "new", "rare", "outlier", "spike", "travel", "score"];

/// Parses a behaviour; `place` finds the place of a byte range of `text` in its file.
#[must_use]
pub fn parse_behavior(text: &str, place: Place<'_>) -> (Option<Spanned<Behavior>>, Diagnostics) {
    let mut builder = Builder::new(place);
    if let Some(diagnostic) = unknown_behavior(text, place) {
        builder.report(diagnostic);
        return (None, builder.diagnostics);
    }
    match parser::parse(Rule::behavior, text, place) {
        Ok(pair) => {
            let span = place(0..text.trim_end().len());
            let behavior = builder.behavior(pair).map(|behavior| Spanned::new(behavior, span));
            (behavior, builder.diagnostics)
        }
        Err(diagnostic) => {
            builder.report(diagnostic);
            (None, builder.diagnostics)
        }
    }
}

/// Recognises `word(..)` with a word that is no behaviour.
fn unknown_behavior(text: &str, place: Place<'_>) -> Option<Diagnostic> {
    let start = text.len() - text.trim_start().len();
    let trimmed = text.trim_start();
    let length = trimmed.find(|character: char| !character.is_ascii_alphanumeric() && character != '_')?;
    let (word, rest) = trimmed.split_at_checked(length)?;
    if word.is_empty() || AGGREGATES.contains(&word) || !rest.trim_start().starts_with('(') {
        return None;
    }
    let span = place(start..start + length);
    let known = "there are `count(s) >= n`, `distinct(s.f) >= n`, sequences `a -> b`, and a single signal";
    if PLANNED.contains(&word) {
        let message = format!("the behaviour `{word}` is not part of the language yet");
        return Some(Diagnostic::new(Code::UnknownBehavior, span, message).help(known));
    }
    let diagnostic = Diagnostic::new(Code::UnknownBehavior, span, format!("unknown behaviour `{word}`"));
    Some(match nearest(word, AGGREGATES) {
        Some(near) => diagnostic.help(format!("the nearest behaviour is `{near}`")),
        None => diagnostic.help(known),
    })
}

impl Builder<'_> {
    fn behavior(&mut self, pair: Pair<'_, Rule>) -> Option<Behavior> {
        let mut body = None;
        let mut keys: Option<Vec<Spanned<Path>>> = None;
        let mut within = None;
        let mut condition = None;
        for part in pair.into_inner() {
            let span = self.span(&part);
            match part.as_rule() {
                Rule::body => body = part.into_inner().next().and_then(|inner| self.body(inner)),
                Rule::clause => {
                    let Some(clause) = part.into_inner().next() else { continue };
                    let repeated = if clause.as_rule() == Rule::by_clause {
                        let paths = children(clause, Rule::path).into_iter().map(|path| self.path(path)).collect();
                        keys.replace(paths).map(|_| "by")
                    } else {
                        let amount = clause.into_inner().last().and_then(|inner| self.amount(inner));
                        within.replace(amount?).map(|_| "within")
                    };
                    if let Some(word) = repeated {
                        let message = format!("a second `{word}` clause");
                        let help = if word == "by" { "name all keys in one clause: `by a, b`" } else { "remove one" };
                        self.report(Diagnostic::new(Code::InvalidBehavior, span, message).help(help));
                    }
                }
                Rule::step_condition => {
                    let inner = part.into_inner().find(|inner| inner.as_rule() == Rule::disjunction)?;
                    condition = self.disjunction(inner);
                }
                _ => {}
            }
        }
        Some(Behavior { body: body?, keys: keys.unwrap_or_default(), within, condition })
    }

    fn body(&mut self, pair: Pair<'_, Rule>) -> Option<Spanned<Body>> {
        let span = self.span(&pair);
        if pair.as_rule() == Rule::sequence {
            let steps: Option<Vec<_>> = children(pair, Rule::step).into_iter().map(|step| self.step(step)).collect();
            return Some(Spanned::new(Body::Sequence(steps?), span));
        }
        let mut is_count = false;
        let mut paths = Vec::new();
        let (mut operator, mut amount) = (None, None);
        for part in pair.into_inner() {
            let place = self.span(&part);
            match part.as_rule() {
                Rule::count => is_count = true,
                Rule::path => paths.push(self.path(part)),
                Rule::order_operator => operator = Some(Spanned::new(comparison(part.as_str()), place)),
                Rule::amount => amount = part.into_inner().next().and_then(|inner| self.amount(inner)),
                _ => {}
            }
        }
        let (operator, amount): (Spanned<Comparison>, _) = (operator?, amount?);
        if !is_count {
            return Some(Spanned::new(Body::Distinct { values: paths, operator, amount }, span));
        }
        let mut paths = paths.into_iter();
        let signal = paths.next()?;
        if let Some(second) = paths.next() {
            let message = "`count` takes one signal";
            let help = "write the conditions of both into one signal";
            self.report(Diagnostic::new(Code::InvalidBehavior, second.span, message).help(help));
        }
        Some(Spanned::new(Body::Count { signal, operator, amount }, span))
    }

    fn step(&mut self, pair: Pair<'_, Rule>) -> Option<Step> {
        let span = self.span(&pair);
        let (mut signal, mut times, mut name) = (None, None, None);
        for part in pair.into_inner() {
            let place = self.span(&part);
            match part.as_rule() {
                Rule::signal => signal = Some(Spanned::new(part.as_str().to_owned(), place)),
                Rule::amount => times = part.into_inner().next().and_then(|inner| self.amount(inner)),
                Rule::name => name = Some(Spanned::new(part.as_str().to_owned(), place)),
                _ => {}
            }
        }
        Some(Step { signal: signal?, times, name, span })
    }

    fn amount(&mut self, pair: Pair<'_, Rule>) -> Option<Spanned<Amount>> {
        let span = self.span(&pair);
        let written = pair.as_str();
        let amount = match pair.as_rule() {
            Rule::integer => Amount::Int(self.integer(written, span)?),
            Rule::duration => Amount::Duration(self.duration(written, span)?),
            _ => Amount::Reference(written.trim_start_matches('$').to_owned()),
        };
        Some(Spanned::new(amount, span))
    }
}
