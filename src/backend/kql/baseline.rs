//! Buckets that stand out from those before: a table of buckets, each beside the earlier ones of its key.
//!
//! Never makes rows of empty buckets: they enter through the number of buckets.

use super::aggregate::{bucket_groups, events, summarize};
use super::ast::{Assignment, Expr, JoinKind, Operator, Stage, Table};
use super::columns::Columns;
use super::frame::TIME;
use super::measure::{Measures, What, constant, scaled, times};
use super::rare::learned;
use super::reader::Context;
use crate::backend::ReasonCode;
use crate::ir::{AggregateFunction, Baseline, BaselineTest, Decimal};

const BUCKET: &str = "detc_bucket";
const AMOUNT: &str = "detc_amount";
const JUDGED: &str = "detc_judged";
const SUM: &str = "detc_sum";
const SQUARES: &str = "detc_squares";
const ALL: &str = "detc_all";

/// Buckets that stand out.
pub(super) fn baseline<'a>(context: &mut Context<'a>, baseline: &'a Baseline, columns: &Columns<'a>) -> Option<Table> {
    let signals = [baseline.aggregate.signal];
    let mut measures = Measures::of(std::slice::from_ref(&baseline.aggregate), true);
    let source = events(context, &signals, &measures, columns);
    let (amount, some) = match &baseline.aggregate.function {
        AggregateFunction::Count => (measures.part(0, What::Events), Expr::Bool(true)),
        AggregateFunction::Distinct(_) => (measures.part(0, What::Distinct), Expr::Bool(true)),
        AggregateFunction::Sum(_) => {
            let sum = measures.part(0, What::Sum);
            (sum, Expr::infix(measures.part(0, What::Values), Operator::Greater, Expr::Int(0)))
        }
        AggregateFunction::Average(_)
        | AggregateFunction::Minimum(_)
        | AggregateFunction::Maximum(_)
        | AggregateFunction::Percentile { .. } => {
            let message = "buckets are compared by their number of events, of different values, or by a sum";
            context.verdict.add(ReasonCode::UnsupportedBehavior, baseline.aggregate.span, message);
            return None;
        }
    };
    let (bucket, count) = (baseline.bucket.node, baseline.buckets());
    let buckets = Expr::Int(i64::try_from(count).unwrap_or(i64::MAX));
    let test = test(context, baseline, &buckets);
    let source = source?;
    let mut on = columns.keys.clone();
    let mut kept: Vec<Assignment> = columns.keys.iter().map(Assignment::keep).collect();
    if on.is_empty() {
        // A join needs a column.
        on.push(ALL.to_owned());
        kept.push(Assignment::new(ALL, Expr::Int(0)));
    }
    let mut row = kept.clone();
    row.extend([Assignment::keep(BUCKET), Assignment::new(AMOUNT, amount), Assignment::new("detc_some", some)]);
    let table = summarize(context, Table::named(&source), &measures, bucket_groups(columns, BUCKET, bucket));
    let table = context.bind("detc_buckets", table.with(Stage::Project(row)));

    let end = Expr::infix(Expr::column(BUCKET), Operator::Add, Expr::Span(bucket));
    let mut judged: Vec<Assignment> = on.iter().map(Assignment::keep).collect();
    judged.extend([Assignment::new(TIME, end), Assignment::new(JUDGED, Expr::column(AMOUNT))]);
    let mut earlier: Vec<Assignment> = on.iter().map(Assignment::keep).collect();
    earlier.extend([Assignment::keep(BUCKET), Assignment::keep(AMOUNT)]);
    let floor = Expr::infix(Expr::column(AMOUNT), Operator::GreaterOrEqual, constant(&baseline.floor.node));
    let earlier = Table::named(&table).with(Stage::Project(earlier));
    let back = |number: u64| {
        let length = crate::schema::Duration::from_milliseconds(bucket.milliseconds().saturating_mul(number));
        Expr::column(TIME).minus(Expr::Span(length))
    };
    let before = Expr::all([
        Expr::infix(Expr::column(BUCKET), Operator::GreaterOrEqual, back(count.saturating_add(1))),
        Expr::infix(Expr::column(BUCKET), Operator::Less, back(1)),
    ]);
    let squares = times(Expr::column(AMOUNT), Some(Expr::column(AMOUNT)));
    let mut by: Vec<Assignment> = columns.instant().iter().map(Assignment::keep).collect();
    by.push(Assignment::keep(JUDGED));
    let mut found = Table::named(&table)
        .filtered([Expr::all([Expr::column("detc_some"), floor])])
        .with(Stage::Project(judged))
        .filtered([context.newest_and_over()])
        .with(Stage::Join { kind: JoinKind::Inner, right: Box::new(earlier), on })
        .with(Stage::Where(before))
        .with(Stage::Summarize {
            results: vec![
                Assignment::new(SUM, Expr::call("sum", Expr::column(AMOUNT))),
                Assignment::new(SQUARES, Expr::call("sum", squares)),
            ],
            by,
        })
        .with(Stage::Where(test));
    let numbers = columns.numbers().into_iter();
    let numbers: Vec<Assignment> =
        numbers.map(|(column, _)| Assignment::new(&column.name, Expr::column(JUDGED))).collect();
    if !numbers.is_empty() {
        found = found.with(Stage::Extend(numbers));
    }
    if let Some(learning) = &baseline.learning {
        // Measured from the bucket's start, and the time is its end.
        let (history, learning) = (baseline.history.node.plus(bucket), learning.node.plus(bucket));
        found = learned(found, &source, columns, history, learning);
    }
    Some(found)
}

/// The condition that a bucket stands out, in whole numbers.
fn test(context: &mut Context<'_>, baseline: &Baseline, buckets: &Expr) -> Expr {
    context.verdict.assume("a bucket's number times the number of buckets and the factor stays below 3000000000");
    let (sum, squares) = (|| Expr::column(SUM), || Expr::column(SQUARES));
    let scaled_judged = times(Expr::column(JUDGED), Some(buckets.clone()));
    let mut factor = |number: &Decimal, span| {
        scaled(number).unwrap_or_else(|| {
            let message = format!("`{number}` has more digits than the query can hold; round it");
            context.verdict.add(ReasonCode::UnsupportedLiteral, span, message);
            (1, 1)
        })
    };
    match &baseline.test {
        BaselineTest::Outlier { sigma } => {
            let (over, under) = factor(&sigma.node, sigma.span);
            let above = || scaled_judged.clone().minus(sum());
            let square = |number: i64| (number != 1).then(|| Expr::Int(number.saturating_mul(number)));
            let spread = times(buckets.clone(), Some(squares())).minus(times(sum(), Some(sum())));
            let left = times(times(above(), Some(above())), square(under));
            Expr::all([
                Expr::infix(above(), Operator::Greater, Expr::Int(0)),
                Expr::infix(left, Operator::Greater, times(spread, square(over))),
            ])
        }
        BaselineTest::Spike { times: factor_of_mean } => {
            let (over, under) = factor(&factor_of_mean.node, factor_of_mean.span);
            Expr::all([
                Expr::infix(sum(), Operator::Greater, Expr::Int(0)),
                Expr::infix(
                    times(scaled_judged, Some(Expr::Int(under))),
                    Operator::Greater,
                    times(sum(), Some(Expr::Int(over))),
                ),
            ])
        }
    }
}
