//! Buckets that stand out from those of the same key before them.
//!
//! Never makes rows for empty buckets: sums over the others divided by the number of all buckets are the same.

use super::ast::{Command, Expression, Name, Operator};
use super::draft::{Draft, Finished, span};
use crate::backend::ReasonCode;
use crate::ir::{Baseline, BaselineTest, Decimal};

/// Said of every comparison of sums of squares.
const WHOLE: &str = "sums of squares stay below 2^53, so that they are exact";

impl Draft<'_> {
    /// `outlier(..)` and `spike(..)`
    pub(super) fn baseline(mut self, baseline: &Baseline) -> Option<Finished> {
        if let Some(learning) = &baseline.learning {
            let rest = baseline.history.node.milliseconds().saturating_sub(learning.node.milliseconds());
            if rest < baseline.bucket.node.milliseconds() {
                return self.unsupported(
                    learning.span,
                    "`learning` has to leave at least one bucket of the history on Elastic; shorten it",
                );
            }
        }
        let read = self.read(&[baseline.aggregate.signal], &["_id"]);
        let measured = self.measure(0, &baseline.aggregate);
        read?;
        let measured = measured?;
        self.verdict.assume(WHOLE);
        let bucket = baseline.bucket.node;
        let column = |name: &str| Expression::own(name);
        let call = |function: &'static str, argument: Expression| Expression::Call(function, vec![argument]);
        self.eval(measured.input.into_iter().map(|(packed, value)| (packed.name, value)).collect());
        self.eval(vec![(Name::own("slot"), column("time").binary(Operator::Divide, span(bucket)))]);
        let mut stats = measured.stats;
        stats.push((Name::own("first"), call("MIN", column("time"))));
        stats.push((Name::own("last"), call("MAX", column("time"))));
        self.stats(stats, &[Name::own("slot")]);
        self.eval(measured.after);
        let text = |value: Expression| Expression::Call("TO_STRING", vec![value]);
        let number = Expression::Call("COALESCE", vec![text(measured.number), Expression::text("-")]);
        let mut line = Vec::new();
        for part in [text(column("slot")), text(column("first")), text(column("last")), number] {
            if !line.is_empty() {
                line.push(Expression::text("|"));
            }
            line.push(part);
        }
        let end = column("slot").binary(Operator::Plus, Expression::number(1)).binary(Operator::Times, span(bucket));
        self.eval(vec![(Name::own("bucket"), Expression::Call("CONCAT", line)), (Name::own("end"), end.clone())]);
        let judged = Expression::case(self.is_newest(&Name::own("end")), column("bucket"), Expression::Null);
        self.stats(
            vec![
                (Name::own("judged"), call("VALUES", judged)),
                (Name::own("bucket"), call("VALUES", column("bucket"))),
            ],
            &[],
        );
        self.filter(column("judged").present());
        self.spread("judged", ["slot", "first", "last", "number"]);
        self.spread("bucket", ["other_slot", "other_first", "other_last", "other_number"]);
        self.compare_buckets(baseline);
        self.judge_bucket(baseline);
        self.eval(vec![(Name::own("end"), end)]);
        let shown = Expression::own("number");
        Some(self.show(&Name::own("end"), &[(baseline.aggregate.name.as_str(), shown)], &[]))
    }

    /// Spreads packed buckets and takes them apart.
    fn spread(&mut self, input: &'static str, [slot, first, last, number]: [&'static str; 4]) {
        self.commands.push(Command::Expand(Name::own(input)));
        let parts = [slot, first, last, number].map(Name::own).to_vec();
        self.commands.push(Command::Dissect { input: Name::own(input), parts });
        let long = |name: &str| (Name::own(name), Expression::Call("TO_LONG", vec![Expression::own(name)]));
        let amount = Expression::case(
            Expression::own(number).equals(Expression::text("-")),
            Expression::Null,
            Expression::Call("TO_DOUBLE", vec![Expression::own(number)]),
        );
        self.eval(vec![long(slot), long(first), long(last), (Name::own(number), amount)]);
    }

    /// Sums over the earlier buckets of each judged one.
    fn compare_buckets(&mut self, baseline: &Baseline) {
        let column = |name: &str| Expression::own(name);
        let oldest = column("slot").binary(Operator::Minus, Expression::number(baseline.buckets()));
        let earlier = || {
            Expression::all([
                column("other_slot").binary(Operator::Less, column("slot")),
                column("other_slot").binary(Operator::GreaterOrEqual, oldest.clone()),
            ])
        };
        let zero = || Expression::Number("0.0".to_owned());
        let amount = || Expression::Call("COALESCE", vec![column("other_number"), zero()]);
        let sum = |value: Expression| Expression::Call("SUM", vec![Expression::case(earlier(), value, zero())]);
        let mut stats = vec![
            (Name::own("seen"), Expression::Call("MAX", vec![Expression::flag(earlier())])),
            (Name::own("sum"), sum(amount())),
            (Name::own("squares"), sum(amount().binary(Operator::Times, amount()))),
        ];
        if let Some(learning) = &baseline.learning {
            let start = || column("slot").binary(Operator::Times, span(baseline.bucket.node));
            // An event of the range is the first or the last of its bucket, since the range is at least as long as a bucket.
            let inside = |name: &str| {
                let from = start().binary(Operator::Minus, span(baseline.history.node));
                let to = start().binary(Operator::Minus, span(learning.node));
                Expression::all([
                    column(name).binary(Operator::GreaterOrEqual, from),
                    column(name).binary(Operator::LessOrEqual, to),
                ])
            };
            let known = Expression::any([inside("other_first"), inside("other_last")]);
            stats.push((Name::own("known"), Expression::Call("MAX", vec![Expression::flag(known)])));
        }
        self.stats(stats, &[Name::own("slot"), Name::own("number")]);
    }

    fn judge_bucket(&mut self, baseline: &Baseline) {
        let column = |name: &str| Expression::own(name);
        let all = || Expression::number(baseline.buckets());
        let floor = Expression::number(&baseline.floor.node);
        self.filter(column("number").binary(Operator::GreaterOrEqual, floor));
        if baseline.learning.is_some() {
            self.filter(column("known").equals(Expression::number(1)));
        }
        let scaled = || column("number").binary(Operator::Times, all());
        match &baseline.test {
            BaselineTest::Outlier { sigma } => {
                let above = || scaled().binary(Operator::Minus, column("sum"));
                let (factor, divisor) = self.fraction(&sigma.node);
                let spread = column("squares").binary(Operator::Times, all());
                let spread = spread.binary(Operator::Minus, column("sum").binary(Operator::Times, column("sum")));
                let left = times(times(above().binary(Operator::Times, above()), &divisor), &divisor);
                let right = times(times(spread, &factor), &factor);
                self.filter(Expression::all([
                    column("seen").equals(Expression::number(1)),
                    above().binary(Operator::Greater, Expression::number(0)),
                    left.binary(Operator::Greater, right),
                ]));
            }
            BaselineTest::Spike { times: ratio } => {
                let (factor, divisor) = self.fraction(&ratio.node);
                self.filter(Expression::all([
                    column("sum").binary(Operator::Greater, Expression::number(0)),
                    times(scaled(), &divisor).binary(Operator::Greater, times(column("sum"), &factor)),
                ]));
            }
        }
    }

    /// A decimal as a quotient of whole numbers.
    fn fraction(&mut self, decimal: &Decimal) -> (String, String) {
        let text = decimal.as_str();
        let (whole, digits) = text.split_once('.').unwrap_or((text, ""));
        if digits.len() > 6 {
            let message = "a factor with more than six decimal places is rounded";
            self.verdict.add(ReasonCode::FloatSum, self.stage.behavior.span, message);
        }
        let factor = format!("{whole}{digits}");
        let trimmed = factor.trim_start_matches('0');
        let factor = if trimmed.is_empty() { "0" } else { trimmed };
        (factor.to_owned(), format!("1{}", "0".repeat(digits.len())))
    }
}

/// A product, without the factor 1.
fn times(value: Expression, factor: &str) -> Expression {
    if factor == "1" { value } else { value.binary(Operator::Times, Expression::number(factor)) }
}
