//! Builds behaviours from what the parser recognised.

use pest::iterators::Pair;

use super::ast::{Comparison, Path};
use super::behavior_ast::{
    Aggregate, Amount, Arithmetic, ArithmeticOperator, Behavior, Body, Clauses, Condition, Step,
};
use super::expression::{Builder, children, comparison};
use super::parser::{self, Place, Rule};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::schema::nearest;
use crate::source::Spanned;

/// Behaviours that are written like a function.
const FUNCTIONS: [&str; 14] = [
    "count",
    "distinct",
    "sum",
    "avg",
    "min",
    "max",
    "median",
    "percentile",
    "new",
    "rare",
    "outlier",
    "spike",
    "travel",
    "score",
];

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
    if word.is_empty()
        || word == "no"
        || word == "not"
        || FUNCTIONS.contains(&word)
        || !rest.trim_start().starts_with('(')
    {
        return None;
    }
    let span = place(start..start + length);
    let known = "there are aggregates such as `count(s) >= n`, sequences `a -> b`, groups `a & b`, `new(s.f)`, \
                 `rare(s.f) <= n`, `outlier(..)`, `spike(..)`, `travel(s.ip)`, `score(..)`, and single signals";
    let diagnostic = Diagnostic::new(Code::UnknownBehavior, span, format!("unknown behaviour `{word}`"));
    Some(match nearest(word, FUNCTIONS) {
        Some(near) => diagnostic.help(format!("the nearest behaviour is `{near}`")),
        None => diagnostic.help(known),
    })
}

impl Builder<'_> {
    fn behavior(&mut self, pair: Pair<'_, Rule>) -> Option<Behavior> {
        let mut body = None;
        let mut clauses = Clauses::default();
        let mut seen: Vec<Rule> = Vec::new();
        let mut whole = true;
        for part in pair.into_inner() {
            let span = self.span(&part);
            match part.as_rule() {
                Rule::body => body = part.into_inner().next().and_then(|inner| self.body(inner)),
                Rule::clause => {
                    let Some(clause) = part.into_inner().next() else { continue };
                    let rule = clause.as_rule();
                    if seen.contains(&rule) {
                        let word = clause.as_str().split_whitespace().next().unwrap_or_default().to_owned();
                        let message = format!("a second `{word}` clause");
                        let by = rule == Rule::by_clause;
                        let help = if by { "name all keys in one clause: `by a, b`" } else { "remove one" };
                        self.report(Diagnostic::new(Code::InvalidBehavior, span, message).help(help));
                        continue;
                    }
                    seen.push(rule);
                    whole &= self.clause(clause, &mut clauses);
                }
                Rule::step_condition => {
                    let inner = part.into_inner().find(|inner| inner.as_rule() == Rule::disjunction)?;
                    clauses.condition = self.disjunction(inner);
                }
                _ => {}
            }
        }
        let body = body?;
        whole.then_some(Behavior { body, clauses })
    }

    /// Whether the clause could be read.
    fn clause(&mut self, clause: Pair<'_, Rule>, clauses: &mut Clauses) -> bool {
        let rule = clause.as_rule();
        let span = self.span(&clause);
        if rule == Rule::by_clause {
            clauses.keys = children(clause, Rule::path).into_iter().map(|path| self.path(path)).collect();
            return true;
        }
        let mut amount = None;
        for part in clause.into_inner() {
            match part.as_rule() {
                Rule::amount => amount = self.amount(part),
                Rule::fixed => clauses.fixed = Some(self.span(&part)),
                Rule::sigma => clauses.sigma = Some(span),
                Rule::signal => clauses.until = Some(Spanned::new(part.as_str().to_owned(), self.span(&part))),
                _ => {}
            }
        }
        let slot = match rule {
            Rule::within_clause => &mut clauses.within,
            Rule::over_clause => &mut clauses.over,
            Rule::learning_clause => &mut clauses.learning,
            Rule::per_clause => &mut clauses.per,
            Rule::above_clause => &mut clauses.above,
            Rule::floor_clause => &mut clauses.floor,
            Rule::faster_clause => &mut clauses.faster,
            Rule::beyond_clause => &mut clauses.beyond,
            _ => return true,
        };
        *slot = amount;
        slot.is_some()
    }

    fn body(&mut self, pair: Pair<'_, Rule>) -> Option<Spanned<Body>> {
        let span = self.span(&pair);
        let body = match pair.as_rule() {
            Rule::sequence => {
                let steps: Option<Vec<_>> =
                    children(pair, Rule::step).into_iter().map(|step| self.step(step)).collect();
                Body::Sequence(steps?)
            }
            Rule::union => Body::Union(self.signals(pair)),
            Rule::together => Body::All(self.signals(pair)),
            Rule::some_of => {
                let number = children(pair.clone(), Rule::amount).into_iter().next()?;
                Body::Some { number: self.amount(number)?, signals: self.signals(pair) }
            }
            Rule::novelty => Body::New(self.paths(pair)),
            Rule::rarity => {
                let (operator, amount) = self.bound(&pair)?;
                Body::Rare { values: self.paths(pair), operator, amount }
            }
            Rule::score => {
                let (operator, amount) = self.bound(&pair)?;
                let weight = |weight: Pair<'_, Rule>, builder: &mut Self| {
                    let amount = children(weight.clone(), Rule::amount).into_iter().next()?;
                    Some((builder.signals(weight).into_iter().next()?, builder.amount(amount)?))
                };
                let weights: Option<Vec<_>> =
                    children(pair, Rule::weight).into_iter().map(|pair| weight(pair, self)).collect();
                Body::Score { weights: weights?, operator, amount }
            }
            Rule::baseline => {
                let is_outlier = !children(pair.clone(), Rule::outlier).is_empty();
                let aggregate = children(pair, Rule::aggregate).into_iter().next()?;
                Body::Baseline { is_outlier, aggregate: self.aggregate(aggregate)? }
            }
            Rule::travel => Body::Travel(self.paths(pair).into_iter().next()?),
            Rule::aggregation => {
                let condition = children(pair, Rule::aggregate_disjunction).into_iter().next()?;
                Body::Aggregation(self.condition(condition)?)
            }
            _ => return None,
        };
        Some(Spanned::new(body, span))
    }

    /// The signals directly inside a pair.
    fn signals(&self, pair: Pair<'_, Rule>) -> Vec<Spanned<String>> {
        let signals = children(pair, Rule::signal).into_iter();
        signals.map(|signal| Spanned::new(signal.as_str().to_owned(), self.span(&signal))).collect()
    }

    fn paths(&mut self, pair: Pair<'_, Rule>) -> Vec<Spanned<Path>> {
        children(pair, Rule::path).into_iter().map(|path| self.path(path)).collect()
    }

    /// The operator and the number behind a function.
    fn bound(&mut self, pair: &Pair<'_, Rule>) -> Option<(Spanned<Comparison>, Spanned<Amount>)> {
        let operator = children(pair.clone(), Rule::order_operator).into_iter().next()?;
        let amount = children(pair.clone(), Rule::amount).into_iter().next()?;
        Some((Spanned::new(comparison(operator.as_str()), self.span(&operator)), self.amount(amount)?))
    }

    /// A condition on aggregates; conditions on one level are joined by one word.
    fn condition(&mut self, pair: Pair<'_, Rule>) -> Option<Spanned<Condition>> {
        let span = self.span(&pair);
        let rule = pair.as_rule();
        match rule {
            Rule::aggregate_disjunction | Rule::aggregate_conjunction => {
                let wanted = [Rule::aggregate_conjunction, Rule::aggregate_negation];
                let parts = pair.into_inner().filter(|part| wanted.contains(&part.as_rule()));
                let parts: Vec<Option<Spanned<Condition>>> = parts.map(|part| self.condition(part)).collect();
                let mut parts: Vec<Spanned<Condition>> = parts.into_iter().collect::<Option<_>>()?;
                if parts.len() == 1 {
                    return parts.pop();
                }
                let is_or = rule == Rule::aggregate_disjunction;
                Some(Spanned::new(if is_or { Condition::Or(parts) } else { Condition::And(parts) }, span))
            }
            Rule::aggregate_negation => {
                let negated = children(pair.clone(), Rule::not).len() % 2 == 1;
                let inner = pair.into_inner().last()?;
                let inner = self.condition(inner)?;
                Some(if negated { Spanned::new(Condition::Not(Box::new(inner)), span) } else { inner })
            }
            Rule::aggregate_group => {
                let inner = children(pair, Rule::aggregate_disjunction).into_iter().next()?;
                self.condition(inner)
            }
            _ => {
                let operator = children(pair.clone(), Rule::order_operator).into_iter().next()?;
                let operator = Spanned::new(comparison(operator.as_str()), self.span(&operator));
                let mut sides = children(pair, Rule::sum_of).into_iter();
                let (left, right) = (sides.next()?, sides.next()?);
                let (left, right) = (self.arithmetic(left), self.arithmetic(right));
                Some(Spanned::new(Condition::Compare { operator, left: left?, right: right? }, span))
            }
        }
    }

    fn arithmetic(&mut self, pair: Pair<'_, Rule>) -> Option<Spanned<Arithmetic>> {
        let span = self.span(&pair);
        match pair.as_rule() {
            Rule::sum_of | Rule::product_of => {
                let mut parts = pair.into_inner();
                let mut left = self.arithmetic(parts.next()?)?;
                while let (Some(operator), Some(right)) = (parts.next(), parts.next()) {
                    let operator = match operator.as_str().trim() {
                        "+" => ArithmeticOperator::Add,
                        "-" => ArithmeticOperator::Subtract,
                        "*" => ArithmeticOperator::Multiply,
                        _ => ArithmeticOperator::Divide,
                    };
                    let right = self.arithmetic(right)?;
                    let binary = Arithmetic::Binary { operator, left: Box::new(left), right: Box::new(right) };
                    left = Spanned::new(binary, span);
                }
                Some(left)
            }
            Rule::term => self.arithmetic(pair.into_inner().next()?),
            Rule::sum_group => {
                let inner = children(pair, Rule::sum_of).into_iter().next()?;
                self.arithmetic(inner)
            }
            Rule::aggregate => {
                let aggregate = self.aggregate(pair)?;
                Some(Spanned::new(Arithmetic::Aggregate(Box::new(aggregate)), span))
            }
            _ => self.amount(pair).map(|amount| Spanned::new(Arithmetic::Amount(amount.node), span)),
        }
    }

    fn aggregate(&mut self, pair: Pair<'_, Rule>) -> Option<Aggregate> {
        let span = self.span(&pair);
        let (mut function, mut filter, mut name) = (None, None, None);
        let (mut paths, mut amounts) = (Vec::new(), Vec::new());
        for part in pair.into_inner() {
            let place = self.span(&part);
            match part.as_rule() {
                Rule::aggregate_word => function = Some(Spanned::new(part.as_str().to_owned(), place)),
                Rule::path => paths.push(self.path(part)),
                Rule::amount => amounts.extend(self.amount(part)),
                Rule::disjunction => filter = Some(self.disjunction(part)?),
                Rule::name => name = Some(Spanned::new(part.as_str().to_owned(), place)),
                _ => {}
            }
        }
        Some(Aggregate { function: function?, paths, amounts, filter, name, span })
    }

    fn step(&mut self, pair: Pair<'_, Rule>) -> Option<Step> {
        let span = self.span(&pair);
        let (mut absent, mut signal, mut times, mut name) = (false, None, None, None);
        for part in pair.into_inner() {
            let place = self.span(&part);
            match part.as_rule() {
                Rule::no => absent = true,
                Rule::signal => signal = Some(Spanned::new(part.as_str().to_owned(), place)),
                Rule::amount => times = self.amount(part),
                Rule::name => name = Some(Spanned::new(part.as_str().to_owned(), place)),
                _ => {}
            }
        }
        Some(Step { absent, signal: signal?, times, name, span })
    }

    fn amount(&mut self, pair: Pair<'_, Rule>) -> Option<Spanned<Amount>> {
        let span = self.span(&pair);
        let inner = pair.into_inner().next()?;
        let written = inner.as_str();
        let amount = match inner.as_rule() {
            Rule::integer => Amount::Int(self.integer(written, span)?),
            Rule::decimal => Amount::Decimal(written.to_owned()),
            Rule::duration => Amount::Duration(self.duration(written, span)?),
            _ => Amount::Reference(written.trim_start_matches('$').to_owned()),
        };
        Some(Spanned::new(amount, span))
    }
}
