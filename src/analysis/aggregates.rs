//! Resolves conditions on aggregates, and baselines.

use super::behavior::{Resolver, Role, typer_of};
use crate::diagnostic::{Code, Diagnostic};
use crate::ir::{
    Aggregate, AggregateCondition, AggregateFunction, Aggregation, Arithmetic, Baseline, BaselineTest, Behavior,
    Decimal, NumberComparison, Order, Predicate, SignalId, WindowKind,
};
use crate::source::{Span, Spanned};
use crate::syntax::ast::{Comparison, Expr};
use crate::syntax::behavior_ast::{self as written, Amount, ArithmeticOperator, Condition};

/// What percentiles range over.
const LARGEST_PERCENT: i64 = 100;

impl Resolver<'_> {
    /// A condition on aggregates; a single lower bound on a count or distinct is one of the plain behaviours.
    pub(super) fn aggregation(
        &mut self,
        condition: &Spanned<Condition>,
        whole: &Spanned<written::Behavior>,
    ) -> Option<Behavior> {
        let window = self.window(whole);
        let fixed = whole.node.clauses.fixed.is_some();
        if let Some(plain) = Plain::of(&condition.node).filter(|_| !fixed) {
            let aggregate = self.aggregate(plain.aggregate);
            let at_least = self.at_least(&plain.text(), &plain.operator, &plain.amount);
            let (aggregate, at_least, window) = (aggregate?, at_least?, window?);
            let (name, signal) = (aggregate.name, aggregate.signal);
            return match aggregate.function {
                AggregateFunction::Distinct(values) => {
                    Some(Behavior::Distinct { name, signal, values, at_least, window })
                }
                _ => Some(Behavior::Count { name, signal, at_least, window }),
            };
        }
        let mut aggregates = Vec::new();
        let resolved = self.condition(condition, &mut aggregates)?;
        if aggregates.is_empty() {
            let message = "the condition names no aggregate";
            let diagnostic = Diagnostic::new(Code::InvalidBehavior, condition.span, message);
            self.report(diagnostic.help("write `count(signal) >= n`"));
            return None;
        }
        if let Err(span) = grounded(&resolved, false, &aggregates) {
            let message = "the condition can hold without any event, so nothing closes it";
            let diagnostic = Diagnostic::new(Code::NoLowerBound, span, message);
            self.report(diagnostic.help("join a lower bound by `and`: `count(signal) >= 1`").help(
                "upper bounds (`<`, `<=`, `==`) stand only beside a lower bound; silence is an absence: `a -> no b`",
            ));
            return None;
        }
        let kind = if fixed { WindowKind::Fixed } else { WindowKind::Sliding };
        Some(Behavior::Aggregation(Aggregation { aggregates, condition: resolved, window: window?, kind }))
    }

    fn condition(
        &mut self,
        condition: &Spanned<Condition>,
        aggregates: &mut Vec<Aggregate>,
    ) -> Option<Spanned<AggregateCondition>> {
        let span = condition.span;
        let all = |parts: &[Spanned<Condition>], resolver: &mut Self, aggregates: &mut Vec<Aggregate>| {
            let parts: Vec<Option<Spanned<AggregateCondition>>> =
                parts.iter().map(|part| resolver.condition(part, aggregates)).collect();
            parts.into_iter().collect::<Option<Vec<_>>>()
        };
        let resolved = match &condition.node {
            Condition::Or(parts) => AggregateCondition::Or(all(parts, self, aggregates)?),
            Condition::And(parts) => AggregateCondition::And(all(parts, self, aggregates)?),
            Condition::Not(inner) => AggregateCondition::Not(Box::new(self.condition(inner, aggregates)?)),
            Condition::Compare { operator, left, right } => {
                let left = self.arithmetic(left, aggregates);
                let right = self.arithmetic(right, aggregates);
                let operator = match operator.node {
                    Comparison::Equal => NumberComparison::Equal,
                    Comparison::NotEqual => NumberComparison::NotEqual,
                    Comparison::Less => NumberComparison::Ordered(Order::Less),
                    Comparison::LessOrEqual => NumberComparison::Ordered(Order::LessOrEqual),
                    Comparison::Greater => NumberComparison::Ordered(Order::Greater),
                    Comparison::GreaterOrEqual => NumberComparison::Ordered(Order::GreaterOrEqual),
                };
                AggregateCondition::Compare { left: left?, operator, right: right? }
            }
        };
        Some(Spanned::new(resolved, span))
    }

    fn arithmetic(
        &mut self,
        side: &Spanned<written::Arithmetic>,
        aggregates: &mut Vec<Aggregate>,
    ) -> Option<Arithmetic> {
        match &side.node {
            written::Arithmetic::Amount(amount) => {
                self.decimal(&Spanned::new(amount.clone(), side.span)).map(Arithmetic::Number)
            }
            written::Arithmetic::Aggregate(written) => {
                let mut aggregate = self.aggregate(written)?;
                let same = |other: &Aggregate| {
                    let unnamed = written.name.is_none() || other.name == aggregate.name;
                    let same = other.function == aggregate.function && other.filter == aggregate.filter;
                    unnamed && same && other.signal == aggregate.signal
                };
                if let Some(index) = aggregates.iter().position(same) {
                    return Some(Arithmetic::Aggregate(index));
                }
                if let Some(other) = aggregates.iter().find(|other| other.name == aggregate.name) {
                    if let Some(name) = &written.name {
                        let message = format!("the name `{}` is taken", name.node);
                        let diagnostic = Diagnostic::new(Code::DuplicateName, name.span, message);
                        self.report(diagnostic.note(other.span, "by this aggregate").help("choose another name"));
                        return None;
                    }
                    let free = (2..).map(|number| format!("{}_{number}", aggregate.name));
                    let mut free = free.skip_while(|name| aggregates.iter().any(|other| other.name == *name));
                    aggregate.name = free.next().unwrap_or_default();
                }
                aggregates.push(aggregate);
                Some(Arithmetic::Aggregate(aggregates.len() - 1))
            }
            written::Arithmetic::Binary { operator, left, right } => {
                let left = self.arithmetic(left, aggregates);
                let right = self.arithmetic(right, aggregates);
                let (left, right) = (Box::new(left?), Box::new(right?));
                Some(match operator {
                    ArithmeticOperator::Add => Arithmetic::Add(left, right),
                    ArithmeticOperator::Subtract => Arithmetic::Subtract(left, right),
                    ArithmeticOperator::Multiply => Arithmetic::Multiply(left, right),
                    ArithmeticOperator::Divide => Arithmetic::Divide(left, right),
                })
            }
        }
    }

    /// One aggregate.
    fn aggregate(&mut self, written: &written::Aggregate) -> Option<Aggregate> {
        let word = written.function.node.as_str();
        let resolved = if word == "count" { self.count(written) } else { self.function(written) };
        if word != "percentile"
            && let Some(extra) = written.amounts.first()
        {
            let message = format!("`{word}` takes no number");
            let help = format!("write `{word}({})`", if word == "count" { "signal" } else { "signal.field" });
            self.report(Diagnostic::new(Code::InvalidBehavior, extra.span, message).help(help));
            return None;
        }
        let (signal, function) = resolved?;
        let filter = match &written.filter {
            Some(filter) => Some(self.filter(signal, filter)?),
            None => None,
        };
        let name = match &written.name {
            Some(name) => self.aggregate_name(signal, name)?,
            None => word.to_owned(),
        };
        Some(Aggregate { name, signal, function, filter, span: written.span })
    }

    fn count(&mut self, written: &written::Aggregate) -> Option<(SignalId, AggregateFunction)> {
        let path = written.paths.first()?;
        let head = path.node.segments.first()?;
        let id = self.signal(&head.name, Role::Present);
        if let Some(second) = written.paths.get(1) {
            let message = "`count` takes one signal";
            let help = "write the conditions of both into one signal";
            self.report(Diagnostic::new(Code::InvalidBehavior, second.span, message).help(help));
            return None;
        }
        if let Some(extra) = path.node.segments.get(1) {
            let signal_name = head.name.node.as_str();
            let message = "`count` counts events and takes no field";
            let help = format!(
                "write `count({signal_name})`, or `distinct({})` to count different values",
                super::paths::names(&path.node.segments)
            );
            self.report(Diagnostic::new(Code::InvalidBehavior, extra.name.span, message).help(help));
            return None;
        }
        Some((id?, AggregateFunction::Count))
    }

    fn function(&mut self, written: &written::Aggregate) -> Option<(SignalId, AggregateFunction)> {
        let word = written.function.node.as_str();
        let (signal, values) = self.values(word, &written.paths)?;
        if word == "distinct" {
            return Some((signal, AggregateFunction::Distinct(values)));
        }
        if let Some(second) = values.get(1) {
            let message = format!("`{word}` takes one field");
            self.report(Diagnostic::new(Code::InvalidBehavior, second.span, message).help("write one for each field"));
            return None;
        }
        let value = values.into_iter().next()?;
        if !value.node.ty().is_number() {
            let message = format!("`{word}` takes a number, not {}", value.node.ty());
            let diagnostic = Diagnostic::new(Code::TypeMismatch, value.span, message);
            self.report(diagnostic.help("a text that holds a number becomes one in `let`: `size: int(field)`"));
            return None;
        }
        let function = match word {
            "sum" => AggregateFunction::Sum(value),
            "avg" => AggregateFunction::Average(value),
            "min" => AggregateFunction::Minimum(value),
            "max" => AggregateFunction::Maximum(value),
            "median" => AggregateFunction::Percentile { value, percent: Decimal::parse_number("50")? },
            _ => {
                let percent = self.percent(written)?;
                AggregateFunction::Percentile { value, percent }
            }
        };
        Some((signal, function))
    }

    fn percent(&mut self, written: &written::Aggregate) -> Option<Decimal> {
        let Some(amount) = written.amounts.first() else {
            let message = "`percentile` takes a field and a number";
            let diagnostic = Diagnostic::new(Code::InvalidBehavior, written.span, message);
            self.report(diagnostic.help("write `percentile(signal.field, 95)`"));
            return None;
        };
        let percent = self.decimal_above_zero(amount, "the percentile")?;
        let whole: i64 =
            percent.node.as_str().split('.').next().and_then(|whole| whole.parse().ok()).unwrap_or(i64::MAX);
        if whole > LARGEST_PERCENT || (whole == LARGEST_PERCENT && !percent.node.is_whole()) {
            let message = format!("a percentile is at most 100, not {}", percent.node);
            let diagnostic = Diagnostic::new(Code::InvalidThreshold, amount.span, message);
            self.report(diagnostic.help("the 100th percentile is the largest value"));
            return None;
        }
        Some(percent.node)
    }

    fn filter(&mut self, signal: SignalId, filter: &Spanned<Expr>) -> Option<Spanned<Predicate>> {
        let scope = self.scope_of(signal)?.clone();
        let mut typer = typer_of(&scope, self.environment);
        let predicate = typer.predicate(filter);
        self.diagnostics.extend(typer.diagnostics);
        predicate
    }

    fn aggregate_name(&mut self, signal: SignalId, name: &Spanned<String>) -> Option<String> {
        let scope = self.scope_of(signal)?;
        let hides = scope.source.root.named.contains_key(&name.node)
            || scope.columns.iter().any(|column| column.name.node == name.node)
            || name.node == "time";
        if hides {
            let message = format!("the name `{}` hides a field or column of `{}`", name.node, scope.name.node);
            self.report(Diagnostic::new(Code::HiddenName, name.span, message).help("choose another name"));
            return None;
        }
        Some(name.node.clone())
    }

    /// A bucket that stands out from those before it.
    pub(super) fn baseline(
        &mut self,
        is_outlier: bool,
        aggregate: &written::Aggregate,
        whole: &Spanned<written::Behavior>,
    ) -> Option<Behavior> {
        let clauses = &whole.node.clauses;
        let bucket = self.needed(clauses.per.as_ref(), whole, "per", "the length of a bucket: `per 1h`");
        let bucket = bucket.and_then(|amount| self.duration(&amount, "bucket"));
        let history = self.needed(clauses.over.as_ref(), whole, "over", "how far back is looked: `over 7d`");
        let history = history.and_then(|amount| self.duration(&amount, "history"));
        let example =
            if is_outlier { "how far it stands out: `above 3 sigma`" } else { "how many times the mean: `above 5`" };
        let above = self.needed(clauses.above.as_ref(), whole, "above", example);
        let floor = self.needed(clauses.floor.as_ref(), whole, "floor", "the smallest number of a hit: `floor 10`");
        let floor = floor.and_then(|amount| {
            let number = self.decimal(&amount)?;
            Some(Spanned::new(number, amount.span))
        });
        let test = above.and_then(|amount| self.baseline_test(is_outlier, &amount, clauses.sigma.is_some()));
        let learning = self.learning(clauses, history.as_ref());
        let aggregate = self.aggregate(aggregate);
        if let (Some(bucket), Some(history)) = (&bucket, &history)
            && history.node < bucket.node
        {
            let message = format!("the history of {} is shorter than a bucket of {}", history.node, bucket.node);
            let diagnostic = Diagnostic::new(Code::InvalidDuration, history.span, message);
            self.report(diagnostic.note(bucket.span, "the bucket").help("the history is at least one bucket"));
            return None;
        }
        let aggregate = aggregate?;
        match aggregate.function {
            AggregateFunction::Count | AggregateFunction::Distinct(_) | AggregateFunction::Sum(_) => {}
            AggregateFunction::Average(_)
            | AggregateFunction::Minimum(_)
            | AggregateFunction::Maximum(_)
            | AggregateFunction::Percentile { .. } => {
                let message = "a baseline is made of `count`, `distinct` or `sum`, of which an empty bucket is 0";
                let diagnostic = Diagnostic::new(Code::InvalidBehavior, aggregate.span, message);
                self.report(diagnostic.help("write `count(signal)`"));
                return None;
            }
        }
        Some(Behavior::Baseline(Box::new(Baseline {
            aggregate,
            bucket: bucket?,
            history: history?,
            test: test?,
            floor: floor?,
            learning: learning?,
        })))
    }

    fn baseline_test(&mut self, is_outlier: bool, amount: &Spanned<Amount>, sigma: bool) -> Option<BaselineTest> {
        if !is_outlier {
            return self.decimal_above_zero(amount, "the factor").map(|times| BaselineTest::Spike { times });
        }
        if !sigma {
            let diagnostic = Diagnostic::new(Code::InvalidBehavior, amount.span, "the word `sigma` is missing");
            self.report(diagnostic.help("an outlier is so many deviations above the mean: `above 3 sigma`"));
            return None;
        }
        let number = self.decimal(amount)?;
        if number.is_negative() {
            let message = format!("{number} deviations are below the mean");
            self.report(Diagnostic::new(Code::InvalidThreshold, amount.span, message).help("the smallest is 0"));
            return None;
        }
        Some(BaselineTest::Outlier { sigma: Spanned::new(number, amount.span) })
    }
}

/// `count(s) >= n` or `distinct(s.f) >= n`, without a filter.
struct Plain<'a> {
    aggregate: &'a written::Aggregate,
    operator: Spanned<Comparison>,
    amount: Spanned<Amount>,
}

impl<'a> Plain<'a> {
    fn of(condition: &'a Condition) -> Option<Self> {
        let Condition::Compare { operator, left, right } = condition else { return None };
        let (aggregate, amount, order) = match (&left.node, &right.node) {
            (written::Arithmetic::Aggregate(aggregate), written::Arithmetic::Amount(amount)) => {
                (aggregate, Spanned::new(amount.clone(), right.span), operator.node)
            }
            (written::Arithmetic::Amount(amount), written::Arithmetic::Aggregate(aggregate)) => {
                (aggregate, Spanned::new(amount.clone(), left.span), turned(operator.node))
            }
            _ => return None,
        };
        let plain = matches!(aggregate.function.node.as_str(), "count" | "distinct") && aggregate.filter.is_none();
        plain.then(|| Self { aggregate, operator: Spanned::new(order, operator.span), amount })
    }

    /// The aggregate as text, for messages.
    fn text(&self) -> String {
        let paths = self.aggregate.paths.iter().map(|path| super::paths::names(&path.node.segments).to_string());
        format!("{}({})", self.aggregate.function.node, paths.collect::<Vec<_>>().join(", "))
    }
}

/// The comparison with its sides exchanged.
const fn turned(operator: Comparison) -> Comparison {
    match operator {
        Comparison::Equal => Comparison::Equal,
        Comparison::NotEqual => Comparison::NotEqual,
        Comparison::Less => Comparison::Greater,
        Comparison::LessOrEqual => Comparison::GreaterOrEqual,
        Comparison::Greater => Comparison::Less,
        Comparison::GreaterOrEqual => Comparison::LessOrEqual,
    }
}

/// Whether every branch of a condition needs an event: the error is the place of one that does not.
///
/// A comparison with a measure or a ratio is false over no values; on counts a lower bound is wanted.
fn grounded(condition: &Spanned<AggregateCondition>, negated: bool, aggregates: &[Aggregate]) -> Result<(), Span> {
    let any = |parts: &[Spanned<AggregateCondition>]| {
        let mut first = Err(condition.span);
        for (index, part) in parts.iter().enumerate() {
            match grounded(part, negated, aggregates) {
                Ok(()) => return Ok(()),
                Err(span) if index == 0 => first = Err(span),
                Err(_) => {}
            }
        }
        first
    };
    let all =
        |parts: &[Spanned<AggregateCondition>]| parts.iter().try_for_each(|part| grounded(part, negated, aggregates));
    match (&condition.node, negated) {
        (AggregateCondition::And(parts), false) | (AggregateCondition::Or(parts), true) => any(parts),
        (AggregateCondition::Or(parts), false) | (AggregateCondition::And(parts), true) => all(parts),
        (AggregateCondition::Not(inner), _) => grounded(inner, !negated, aggregates),
        (AggregateCondition::Compare { left, operator, right }, _) => {
            let measured = needs_values(left, aggregates) || needs_values(right, aggregates);
            let lower = match (left, operator, right) {
                (_, NumberComparison::Ordered(Order::Greater | Order::GreaterOrEqual), Arithmetic::Number(number)) => {
                    !holds_at_zero(*operator, number)
                }
                (Arithmetic::Number(number), NumberComparison::Ordered(Order::Less | Order::LessOrEqual), _) => {
                    !(number.is_negative()
                        || number.is_zero() && *operator == NumberComparison::Ordered(Order::LessOrEqual))
                }
                _ => false,
            };
            if !negated && (measured || lower) { Ok(()) } else { Err(condition.span) }
        }
    }
}

/// Whether zero satisfies the bound.
fn holds_at_zero(operator: NumberComparison, number: &Decimal) -> bool {
    number.is_negative() || (number.is_zero() && operator == NumberComparison::Ordered(Order::GreaterOrEqual))
}

/// Whether a side has no number where there are no values.
fn needs_values(side: &Arithmetic, aggregates: &[Aggregate]) -> bool {
    match side {
        Arithmetic::Number(_) => false,
        Arithmetic::Aggregate(index) => match aggregates.get(*index).map(|aggregate| &aggregate.function) {
            Some(AggregateFunction::Count | AggregateFunction::Distinct(_)) | None => false,
            Some(
                AggregateFunction::Sum(_)
                | AggregateFunction::Average(_)
                | AggregateFunction::Minimum(_)
                | AggregateFunction::Maximum(_)
                | AggregateFunction::Percentile { .. },
            ) => true,
        },
        Arithmetic::Add(left, right) | Arithmetic::Subtract(left, right) | Arithmetic::Multiply(left, right) => {
            needs_values(left, aggregates) || needs_values(right, aggregates)
        }
        // Dividing by a count of nothing gives no number.
        Arithmetic::Divide(left, right) => {
            !matches!(**right, Arithmetic::Number(_))
                || needs_values(left, aggregates)
                || needs_values(right, aggregates)
        }
    }
}
