//! One pass over sorted rows that carries values from row to row of a key.
//!
//! Never sorts: whoever folds has put the rows into their order.

use super::ast::{Assignment, Expr, Kind, ScanStep, Stage};
use super::frame::TIME;

const STATE: &str = "detc_fold";

/// A pass over rows that are sorted by these keys first.
#[derive(Debug)]
pub(super) struct Fold {
    same_key: Expr,
    declare: Vec<(String, Kind)>,
    assignments: Vec<Assignment>,
}

impl Fold {
    /// A pass that carries nothing yet.
    pub(super) fn over(keys: &[String]) -> Self {
        let same = |key: &String| Expr::State(STATE.to_owned(), key.clone()).equals(Expr::column(key));
        Self { same_key: Expr::all(keys.iter().map(same)), declare: Vec::new(), assignments: Vec::new() }
    }

    /// Carries the time of the last row of the key that meets a condition, that row included; a day where there is none.
    pub(super) fn last_time(mut self, name: &str, condition: Expr, none: &'static str) -> Self {
        let state = Expr::State(STATE.to_owned(), name.to_owned());
        let kept = match &self.same_key {
            Expr::Bool(_) => state.or_else(Expr::Day(none)),
            same_key => same_key.clone().choose(state, Expr::Day(none)),
        };
        self.declare.push((name.to_owned(), Kind::Time));
        self.assignments.push(Assignment::new(name, condition.choose(Expr::column(TIME), kept)));
        self
    }

    /// The operator.
    pub(super) fn stage(self) -> Stage {
        let step = ScanStep {
            name: STATE.to_owned(),
            output: true,
            condition: Expr::Bool(true),
            assignments: self.assignments,
        };
        Stage::Scan { declare: self.declare, steps: vec![step] }
    }
}

/// A time before all others.
pub(super) const NEVER: &str = "1970-01-01";
/// A time after all others.
pub(super) const NEVER_AGAIN: &str = "9999-12-31";
