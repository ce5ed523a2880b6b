//! Which clauses a behaviour takes, and which it needs.

use super::behavior::Resolver;
use crate::diagnostic::{Code, Diagnostic};
use crate::schema::Duration;
use crate::source::{Span, Spanned};
use crate::syntax::behavior_ast::{Amount, Behavior as Written, Body, Clauses};

impl Resolver<'_> {
    /// Reports every clause that the behaviour does not take; `single` says that it is one event.
    pub(super) fn check_clauses(&mut self, written: &Spanned<Written>, single: bool) {
        let body = &written.node.body.node;
        let (name, taken): (&str, &[&str]) = match body {
            Body::Union(_) => ("a choice of signals", &[]),
            _ if single => ("a single signal", &[]),
            Body::Aggregation(_) => ("an aggregate", &["by", "within", "fixed"]),
            Body::Sequence(_) => ("a sequence", &["by", "within", "until", "where"]),
            Body::All(_) | Body::Some { .. } => ("a group", &["by", "within"]),
            Body::Score { .. } => ("`score`", &["by", "within"]),
            Body::New(_) => ("`new`", &["by", "over", "learning"]),
            Body::Rare { .. } => ("`rare`", &["by", "over", "learning"]),
            Body::Baseline { is_outlier: true, .. } => {
                ("`outlier`", &["by", "per", "over", "above", "sigma", "floor", "learning"])
            }
            Body::Baseline { .. } => ("`spike`", &["by", "per", "over", "above", "floor", "learning"]),
            Body::Travel(_) => ("`travel`", &["by", "within", "faster than", "beyond"]),
        };
        for (word, span) in present(&written.node.clauses) {
            if taken.contains(&word) {
                continue;
            }
            let message = format!("{name} takes no `{word}`");
            let help = match word {
                "where" if single => {
                    "put conditions into the signal's `where`; count events with `count(signal) >= n`".to_owned()
                }
                "where" => "`where` compares the steps of a sequence; conditions on single events stand in the \
                            signal's `where`"
                    .to_owned(),
                "by" | "within" if single => {
                    "put conditions into the signal's `where`; count events with `count(signal) >= n`".to_owned()
                }
                "within" if taken.contains(&"over") => format!("{name} looks back: write `over` for `within`"),
                "fixed" => "every other behaviour slides; clock-aligned buckets are for aggregates".to_owned(),
                "sigma" => "a spike is so many times the mean: `above 5`".to_owned(),
                _ if taken.is_empty() => "remove it".to_owned(),
                _ => {
                    let words: Vec<String> = taken.iter().map(|word| format!("`{word}`")).collect();
                    format!("{name} takes {}", words.join(", "))
                }
            };
            self.report(Diagnostic::new(Code::InvalidBehavior, span, message).help(help));
        }
    }

    /// A clause that has to be there.
    pub(super) fn needed(
        &mut self,
        clause: Option<&Spanned<Amount>>,
        written: &Spanned<Written>,
        word: &str,
        help: &str,
    ) -> Option<Spanned<Amount>> {
        if clause.is_none() {
            let message = format!("`{word}` is missing");
            let diagnostic = Diagnostic::new(Code::MissingClause, written.node.body.span, message);
            self.report(diagnostic.help(format!("add {help}")));
        }
        clause.cloned()
    }

    /// The window behind `within`.
    pub(super) fn window(&mut self, written: &Spanned<Written>) -> Option<Spanned<Duration>> {
        let Some(amount) = &written.node.clauses.within else {
            let diagnostic = Diagnostic::new(Code::MissingWindow, written.node.body.span, "`within` is missing");
            self.report(diagnostic.help("add how long it may take, such as `within 10m`"));
            return None;
        };
        self.duration(amount, "window")
    }
}

/// The clauses that are written, with their words and places.
fn present(clauses: &Clauses) -> Vec<(&'static str, Span)> {
    let amount = |clause: &Option<Spanned<Amount>>| clause.as_ref().map(|amount| amount.span);
    let found = [
        ("by", clauses.keys.first().map(|key| key.span)),
        ("within", amount(&clauses.within)),
        ("fixed", clauses.fixed),
        ("over", amount(&clauses.over)),
        ("learning", amount(&clauses.learning)),
        ("per", amount(&clauses.per)),
        ("above", amount(&clauses.above)),
        ("sigma", clauses.sigma),
        ("floor", amount(&clauses.floor)),
        ("faster than", amount(&clauses.faster)),
        ("beyond", amount(&clauses.beyond)),
        ("until", clauses.until.as_ref().map(|until| until.span)),
        ("where", clauses.condition.as_ref().map(|condition| condition.span)),
    ];
    found.into_iter().filter_map(|(word, span)| Some((word, span?))).collect()
}
