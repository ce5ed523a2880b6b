//! The permanent codes of everything that is ever reported.
//!
//! Never reused: a code that is retired keeps its number and its meaning.

use std::fmt;

use super::Severity;

/// Declares every code once: variant, permanent number, severity, one-line meaning.
macro_rules! codes {
    ($($variant:ident, $number:literal, $severity:ident, $meaning:literal;)*) => {
        /// Permanent codes: `E0` text, `E1` names and values, `E2` types, `E3` behaviours, `E4` targets, `E6` tests,
        /// `E9` files and configuration, `W5` lints.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(#[doc = $meaning] $variant,)*
        }

        impl Code {
            /// Every code, in the order of its number.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The number that people search for, such as `E101`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $number,)* }
            }

            /// The variant's name, for machines that want a word beside the number.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => stringify!($variant),)* }
            }

            /// How severe the code is unless the project says otherwise.
            #[must_use]
            pub const fn default_severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }

            /// What the code means, as a fragment without a period.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => $meaning,)* }
            }

            /// The code with this number or this variant name, without regard to case.
            #[must_use]
            pub fn find(text: &str) -> Option<Self> {
                Self::ALL
                    .iter()
                    .copied()
                    .find(|code| code.as_str().eq_ignore_ascii_case(text) || code.name().eq_ignore_ascii_case(text))
            }
        }
    };
}

codes! {
    InvalidYaml, "E001", Error, "the text is not YAML";
    DuplicateKey, "E002", Error, "a key stands twice in one mapping";
    AnchorOrAlias, "E003", Error, "anchors, aliases and merge keys are not part of the language";
    YamlTag, "E004", Error, "YAML tags are not part of the language";
    SecondDocument, "E005", Error, "a file holds one document";
    TooDeep, "E006", Error, "collections are nested too deeply";
    EmptyDocument, "E007", Error, "the file holds nothing";
    UnknownKey, "E008", Error, "the key does not exist at this place";
    MissingKey, "E009", Error, "a required key is missing";
    WrongYamlType, "E010", Error, "a text, a list or a mapping stands where another of them belongs";
    InvalidValue, "E011", Error, "the value is none of those that the key takes";
    InvalidExpression, "E012", Error, "the expression does not follow the grammar";
    InvalidBehavior, "E013", Error, "the behaviour does not follow the grammar";
    UnknownBehavior, "E014", Error, "there is no behaviour of this name";
    InvalidString, "E015", Error, "a string literal is not closed or has an unknown escape";
    ReservedName, "E016", Error, "the name is a word of the language";
    TooNested, "E017", Error, "an expression is nested too deeply";
    NotUtf8, "E018", Error, "the file is not UTF-8";
    NameIsNotFileStem, "E019", Error, "the name in the file and the name of the file differ";
    InvalidDuration, "E020", Error, "a duration is a whole number and one unit";
    InvalidRegex, "E021", Error, "the regular expression is invalid or outside the portable subset";

    UnknownField, "E101", Error, "the source has no such field";
    UnknownSource, "E102", Error, "there is no such source or class";
    UnknownValue, "E103", Error, "the value is none of the field's known values";
    UnknownList, "E104", Error, "there is no such list";
    UnknownParameter, "E105", Error, "there is no such parameter or list";
    UnknownSignal, "E106", Error, "there is no such signal";
    UnknownStep, "E107", Error, "the behaviour has no such step";
    UnknownFunction, "E108", Error, "there is no such function";
    UnknownAttackId, "E109", Error, "the identifier is not in the shipped ATT&CK release";
    UnknownColumn, "E110", Error, "the hit has no such column";
    DuplicateName, "E111", Error, "a name is declared twice";
    HiddenName, "E112", Error, "a name hides a field or another name";
    MistakenValue, "E113", Error, "the value exists but is seldom the one that is meant";
    InvalidSchema, "E114", Error, "a telemetry schema contradicts itself";

    TypeMismatch, "E201", Error, "the operator does not take a value of this type";
    NotAPredicate, "E202", Error, "the expression is neither true nor false";
    ThroughList, "E203", Error, "a path leads through a list";
    EmptyString, "E204", Error, "a comparison with the empty string asks whether the field exists";
    KeyTypeMismatch, "E205", Error, "a key has different types in different signals";
    WrongArgument, "E206", Error, "the function takes other arguments";

    NoLowerBound, "E301", Error, "a condition with only an upper bound never closes on silence";
    ZeroWindow, "E302", Error, "a window has to be longer than nothing";
    MissingWindow, "E303", Error, "the behaviour needs a window";
    MissingKeyOnSignal, "E304", Error, "a signal has no field or column for the key";
    AmbiguousStep, "E305", Error, "the step's name stands for several steps";
    InvalidThreshold, "E306", Error, "the threshold cannot be reached or says nothing";
    UnsupportedStepCondition, "E307", Error, "the condition cannot compare these steps";
    MissingBehavior, "E308", Error, "several signals need a behaviour";
    MissingClause, "E309", Error, "the behaviour needs a clause";
    CircularSignal, "E310", Error, "a signal is made of its own hits";

    UnknownTarget, "E401", Error, "there is no such target";
    Unsupported, "E402", Error, "the target cannot express the detection";
    Approximate, "E403", Error, "the query's hits differ from the detection's";
    InvalidTarget, "E404", Error, "a target's files contradict themselves";

    UnusedSignal, "W501", Warning, "a signal is declared and never used";
    UnusedParameter, "W502", Warning, "a parameter is declared and never used";
    NoTests, "W503", Hint, "the detection has no tests";
    NoKeys, "W504", Warning, "the behaviour mixes the events of all entities";
    Expired, "W505", Warning, "an exception or a list entry is past its date";
    NegatedOptional, "W506", Warning, "a negated comparison holds wherever the field is missing";
    ImpliedStep, "W507", Warning, "one signal of a group implies another";
    OftenMissingSide, "W508", Warning, "a side of the comparison is often missing";
    FoldedText, "W509", Warning, "a folded block joins lines inside an expression";

    NearlyKnownValue, "W510", Warning, "the value is one letter away from a known one";
    UnlistedAttackId, "W511", Warning, "the identifier is not in the shipped extract of ATT&CK";

    LateEvent, "W521", Warning, "an event of a log came later than `--lateness` allows";
    UnknownEvent, "W522", Warning, "an object in a log has the signature of no known source";

    FailedTest, "E601", Error, "a test of the detection fails";
    UnnoticedChange, "E602", Error, "the tests do not notice a change of the detection's meaning";

    CannotRead, "E901", Error, "a file cannot be read";
    CannotWrite, "E902", Error, "a file cannot be written";
    NothingToDo, "E903", Error, "the paths hold no detection";
    WrongConfiguration, "E904", Error, "the configuration is invalid";
    UnreadableLog, "E905", Error, "a log cannot be read, or not to its end";
    MalformedLog, "E906", Error, "what stands in a log is no event";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
