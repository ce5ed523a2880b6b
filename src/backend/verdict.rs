//! How a query relates to its detection.

use std::fmt;

use crate::source::Span;

/// What a backend says about its query.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict {
    /// What is missed or added, or why there is no query; empty exactly when the query is exact.
    pub reasons: Vec<Reason>,
    /// What has to be true of the deployment for the verdict to hold, as whole sentences without a period.
    pub assumptions: Vec<String>,
}

impl Verdict {
    /// The worst of the reasons.
    #[must_use]
    pub fn fidelity(&self) -> Fidelity {
        self.reasons.iter().map(|reason| reason.code.fidelity()).max().unwrap_or(Fidelity::Exact)
    }

    /// Adds a reason unless the same code stands at the same place.
    pub fn add(&mut self, code: ReasonCode, span: Span, message: impl Into<String>) {
        let reason = Reason { code, message: message.into(), span };
        if !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }

    /// Adds an assumption unless it is there.
    pub fn assume(&mut self, assumption: impl Into<String>) {
        let assumption = assumption.into();
        if !self.assumptions.contains(&assumption) {
            self.assumptions.push(assumption);
        }
    }
}

/// How the hits of a query relate to those of the detection, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fidelity {
    /// The same hits on every stream of events.
    Exact,
    /// Other hits, as the reasons say.
    Approximate,
    /// There is no query.
    Unsupported,
}

impl Fidelity {
    /// The word for it in the manifest and the matrix.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Approximate => "approximate",
            Self::Unsupported => "unsupported",
        }
    }
}

impl fmt::Display for Fidelity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a query is not exact, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Permanent code.
    pub code: ReasonCode,
    /// What is missed or added, and when; or what to do instead. A lower-case fragment.
    pub message: String,
    /// The clause that asked for it.
    pub span: Span,
}

/// Declares every reason once: variant, permanent name, fidelity, meaning.
macro_rules! reason_codes {
    ($($variant:ident, $name:literal, $fidelity:ident, $meaning:literal;)*) => {
        /// Permanent codes of the reasons.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ReasonCode {
            $(#[doc = $meaning] $variant,)*
        }

        impl ReasonCode {
            /// Every code, in the order of LANGUAGE.md.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name that manifest and query headers use.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What the code makes of a verdict.
            #[must_use]
            pub const fn fidelity(self) -> Fidelity {
                match self { $(Self::$variant => Fidelity::$fidelity,)* }
            }

            /// What the code means, for people.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }
        }
    };
}

reason_codes! {
    FieldLossy, "field_lossy", Approximate, "the target's field can differ from the native one";
    ArrayCorrelation, "array_correlation", Approximate, "the target mixes members of different list elements";
    ArrayIndexes, "array_indexes", Approximate, "only the first elements of a list are looked at";
    FlattenedText, "flattened_text", Approximate, "the target keeps the value as untyped text";
    KeyCase, "key_case", Approximate, "values are compared exactly where the detection ignores case";
    UnicodeFolding, "unicode_folding", Approximate, "letters beyond ASCII are compared with their case";
    WindowUnspecified, "window_unspecified", Approximate, "the language leaves the kind of window to whoever converts the rule";
    OrderUnspecified, "order_unspecified", Approximate, "the language leaves ties and repeats to whoever converts the rule";
    HitTimeUnspecified, "hit_time_unspecified", Approximate, "the language leaves the time of a hit that is an event again to whoever converts the rule";
    TieOverlap, "tie_overlap", Approximate, "events of one instant that are several steps at once can be paired wrongly";
    GreedyAbsence, "greedy_absence", Approximate, "chains that only an older event would complete are missed";
    TieChoice, "tie_choice", Approximate, "of several events of one instant another can be looked at";
    PercentileInterpolated, "percentile_interpolated", Approximate, "percentiles are estimated and interpolated";
    FloatSum, "float_sum", Approximate, "sums of decimals are rounded";
    MissingField, "missing_field", Unsupported, "the target does not carry the field";
    MissingSource, "missing_source", Unsupported, "the target does not carry the source";
    UnsupportedBehavior, "unsupported_behavior", Unsupported, "the language cannot express the behaviour";
    UnsupportedExpression, "unsupported_expression", Unsupported, "the language cannot express the expression";
    UnsupportedRegex, "unsupported_regex", Unsupported, "the engine's regular expressions lack the construct";
    UnsupportedLiteral, "unsupported_literal", Unsupported, "the language cannot hold the literal";
    UnsupportedRelation, "unsupported_relation", Unsupported, "the language cannot compare the steps in this way";
    ThresholdTooLarge, "threshold_too_large", Unsupported, "the threshold is above the engine's limit";
    LookbackTooLong, "lookback_too_long", Unsupported, "the engine does not read back far enough";
    ScheduleUnsupported, "schedule_unsupported", Unsupported, "the engine does not run the query that often or that seldom";
    QueryTooLong, "query_too_long", Unsupported, "the query has more characters than the engine takes";
}
