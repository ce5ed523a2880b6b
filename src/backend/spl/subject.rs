//! Values as the engine sees them: an expression, its kind, and how the engine spells what is in it.

use super::ast::{Comparison, EvalExpr, Function};

/// What an expression gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A text.
    Text,
    /// A number; null where it is missing.
    Number,
    /// One of the words for true and false, anything else being missing.
    Bool,
    /// Seconds since 1970 with a fraction; null where it is missing.
    Seconds,
    /// A point in time written as text.
    TimeText,
    /// Several values.
    Many,
}

/// A value of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subject {
    /// The expression; null where the value is missing.
    pub(super) expression: EvalExpr,
    /// What it gives.
    pub(super) kind: Kind,
    /// Texts that stand for a missing value, besides null.
    pub(super) blanks: Vec<String>,
    /// Native spellings with those of the expression, where they differ.
    pub(super) spellings: Vec<(String, String)>,
    /// Whether values arrive in the casing that the schema promises.
    pub(super) keeps_case: bool,
}

impl Subject {
    /// A value that is null where it is missing.
    pub(super) const fn clean(expression: EvalExpr, kind: Kind) -> Self {
        Self { expression, kind, blanks: Vec::new(), spellings: Vec::new(), keeps_case: true }
    }

    /// A value that is never there, in place of what cannot be expressed.
    pub(super) const fn nothing() -> Self {
        Self::clean(EvalExpr::null(), Kind::Text)
    }

    /// Whether there is a value.
    pub(super) fn is_present(&self) -> EvalExpr {
        if self.kind == Kind::Bool {
            let words = ["true", "false"].map(|word| self.equals(self.spelling(word)));
            return EvalExpr::any(words.to_vec());
        }
        let mut parts = vec![EvalExpr::call(Function::IsNotNull, self.expression.clone())];
        parts.extend(self.is_no_blank());
        EvalExpr::all(parts)
    }

    /// Whether there is no value.
    pub(super) fn is_missing(&self) -> EvalExpr {
        if self.kind == Kind::Bool {
            return EvalExpr::unless(self.is_present());
        }
        let mut parts = vec![EvalExpr::call(Function::IsNull, self.expression.clone())];
        let blank = |text: &String| EvalExpr::equal(self.expression.clone(), EvalExpr::text(text));
        parts.extend(self.blanks.iter().map(blank));
        EvalExpr::any(parts)
    }

    /// The conditions that the expression is none of the texts that stand for a missing value.
    pub(super) fn is_no_blank(&self) -> Vec<EvalExpr> {
        let differs =
            |text: &String| EvalExpr::compare(self.expression.clone(), Comparison::Different, EvalExpr::text(text));
        self.blanks.iter().map(differs).collect()
    }

    /// The value in its native spelling, null wherever it is missing.
    pub(super) fn native(&self) -> Self {
        let real = self.real();
        if self.spellings.is_empty() {
            return real;
        }
        let mut arguments = Vec::new();
        for (native, spelled) in &self.spellings {
            arguments.extend([self.equals(spelled), EvalExpr::text(native)]);
        }
        arguments.extend([EvalExpr::Call(Function::True, Vec::new()), real.expression]);
        Self { expression: EvalExpr::Call(Function::Case, arguments), spellings: Vec::new(), ..real }
    }

    /// The value as the target spells it, without texts that stand for a missing one if one of them passes a test.
    pub(super) fn tested(&self, passes: impl Fn(&str) -> bool) -> Self {
        if self.blanks.iter().any(|blank| passes(blank)) {
            self.real()
        } else {
            Self { blanks: Vec::new(), ..self.clone() }
        }
    }

    /// The target's spelling of a native text.
    pub(super) fn spelling<'s>(&'s self, native: &'s str) -> &'s str {
        let found = self.spellings.iter().find(|(known, _)| known.eq_ignore_ascii_case(native));
        found.map_or(native, |(_, spelled)| spelled)
    }

    /// The value as the target spells it, null wherever it is missing.
    fn real(&self) -> Self {
        if self.kind == Kind::Bool {
            let expression = EvalExpr::only_if(self.is_present(), self.expression.clone());
            return Self { expression, blanks: Vec::new(), ..self.clone() };
        }
        if self.blanks.is_empty() {
            return self.clone();
        }
        let expression = EvalExpr::only_if(EvalExpr::all(self.is_no_blank()), self.expression.clone());
        Self { expression, blanks: Vec::new(), ..self.clone() }
    }

    fn equals(&self, text: &str) -> EvalExpr {
        text_equals(self.expression.clone(), Comparison::Equal, text)
    }
}

/// Compares a text with a constant as texts, also where both look like numbers (`5.0` is not `5`).
pub(super) fn text_equals(expression: EvalExpr, comparison: Comparison, text: &str) -> EvalExpr {
    if looks_numeric(text) {
        let marked = EvalExpr::Join(vec![EvalExpr::text("="), expression]);
        EvalExpr::compare(marked, comparison, EvalExpr::text(format!("={text}")))
    } else {
        EvalExpr::compare(expression, comparison, EvalExpr::text(text))
    }
}

/// Whether the engine could take a text for a number.
pub(super) fn looks_numeric(text: &str) -> bool {
    let trimmed = text.trim();
    let unsigned = trimmed.trim_start_matches(['+', '-']);
    trimmed.parse::<f64>().is_ok() || unsigned.starts_with("0x") || unsigned.starts_with("0X")
}
