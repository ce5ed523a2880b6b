//! A random detection as the brute force understands it; it knows nothing of the compiler's own tree.

use std::cmp::Ordering;

use crate::number::Ratio;

/// A detection.
#[derive(Debug, Clone)]
pub struct Spec {
    pub signals: Vec<Signal>,
    pub stage: Stage,
    pub exceptions: Vec<Exception>,
    pub suppress: Suppress,
    /// What the times of a log are multiplied by: travel wants minutes.
    pub scale: i64,
}

/// A signal; the names of those over the log are their letters.
#[derive(Debug, Clone)]
pub struct Signal {
    pub name: String,
    /// A behaviour, where the signal is made of its hits.
    pub stage: Option<Stage>,
    pub condition: Option<Test>,
}

/// A behaviour with its keys.
#[derive(Debug, Clone)]
pub struct Stage {
    pub behavior: Behavior,
    pub keys: Vec<String>,
}

/// Approved activity.
#[derive(Debug, Clone)]
pub struct Exception {
    pub when: Test,
    /// `None` for every signal over the log.
    pub signals: Option<Vec<String>>,
}

/// `alert.suppress`; times in milliseconds.
#[derive(Debug, Clone)]
pub enum Suppress {
    None,
    Default,
    By { columns: Vec<String>, period: i64 },
}

/// What has to happen; times in milliseconds.
#[derive(Debug, Clone)]
pub enum Behavior {
    Any(Vec<String>),
    Aggregates {
        condition: Condition,
        window: i64,
        fixed: bool,
    },
    Chain {
        items: Vec<Item>,
        until: Option<String>,
        window: i64,
        condition: Option<StepTest>,
    },
    Group {
        members: Vec<(String, u64)>,
        form: GroupForm,
        window: i64,
    },
    Rare {
        signal: String,
        fields: Vec<String>,
        form: RareForm,
        history: i64,
        learning: Option<i64>,
    },
    Travel {
        signal: String,
        speed: Ratio,
        beyond: Option<Ratio>,
        window: i64,
    },
    Baseline {
        aggregate: Aggregate,
        bucket: i64,
        history: i64,
        form: BaselineForm,
        floor: Ratio,
        learning: Option<i64>,
    },
}

#[derive(Debug, Clone, Copy)]
pub enum GroupForm {
    All,
    Some(u64),
    Score(u64),
}

#[derive(Debug, Clone, Copy)]
pub enum RareForm {
    New,
    Rare(Operator, u64),
}

#[derive(Debug, Clone, Copy)]
pub enum BaselineForm {
    Outlier(Ratio),
    Spike(Ratio),
}

/// A part of a chain.
#[derive(Debug, Clone)]
pub enum Item {
    Step { signal: String, times: usize, name: Option<String> },
    No(String),
}

/// A number made of the events of a window.
#[derive(Debug, Clone)]
pub struct Aggregate {
    pub function: Function,
    pub signal: String,
    pub fields: Vec<String>,
    pub filter: Option<Test>,
    /// Given by `as`.
    pub name: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Function {
    Count,
    Distinct,
    Sum,
    Average,
    Minimum,
    Maximum,
    Median,
    Percentile(Ratio),
}

/// A condition on aggregates.
#[derive(Debug, Clone)]
pub enum Condition {
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Compare(Arithmetic, Operator, Arithmetic),
}

#[derive(Debug, Clone)]
pub enum Arithmetic {
    Number(Ratio),
    Aggregate(Box<Aggregate>),
    Calculate(Box<Arithmetic>, char, Box<Arithmetic>),
}

/// A condition between steps.
#[derive(Debug, Clone)]
pub enum StepTest {
    And(Vec<StepTest>),
    Or(Vec<StepTest>),
    Not(Box<StepTest>),
    /// Step and field of both sides.
    Equal {
        left: (usize, String),
        not: bool,
        cased: bool,
        right: (usize, String),
    },
    Ordered {
        left: (usize, String),
        operator: Operator,
        right: (usize, String),
    },
}

/// A condition on one event or hit.
#[derive(Debug, Clone)]
pub enum Test {
    Exists(String),
    Equal(String, String),
    Number(String, Operator, Ratio),
    Not(Box<Test>),
    And(Vec<Test>),
    Or(Vec<Test>),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Operator {
    pub fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }

    pub fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

impl Function {
    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Distinct => "distinct",
            Self::Sum => "sum",
            Self::Average => "avg",
            Self::Minimum => "min",
            Self::Maximum => "max",
            Self::Median => "median",
            Self::Percentile(_) => "percentile",
        }
    }
}

impl Aggregate {
    /// Name in a hit.
    pub fn shown(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.function.name().to_owned())
    }
}

impl Condition {
    /// Every aggregate, in the order of the text.
    pub fn aggregates(&self) -> Vec<&Aggregate> {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().flat_map(Self::aggregates).collect(),
            Self::Not(inner) => inner.aggregates(),
            Self::Compare(left, _, right) => [left.aggregates(), right.aggregates()].concat(),
        }
    }
}

impl Arithmetic {
    pub fn of(aggregate: Aggregate) -> Self {
        Self::Aggregate(Box::new(aggregate))
    }

    pub fn aggregates(&self) -> Vec<&Aggregate> {
        match self {
            Self::Number(_) => Vec::new(),
            Self::Aggregate(aggregate) => vec![&**aggregate],
            Self::Calculate(left, _, right) => [left.aggregates(), right.aggregates()].concat(),
        }
    }
}

impl Behavior {
    /// The aggregates of a hit.
    pub fn aggregate_names(&self) -> Vec<String> {
        match self {
            Self::Aggregates { condition, .. } => condition.aggregates().into_iter().map(Aggregate::shown).collect(),
            Self::Baseline { aggregate, .. } => vec![aggregate.shown()],
            Self::Group { form: GroupForm::Score(_), .. } => vec!["score".to_owned()],
            Self::Any(_) | Self::Chain { .. } | Self::Group { .. } | Self::Rare { .. } | Self::Travel { .. } => {
                Vec::new()
            }
        }
    }

    /// Names of the signals that have to be there.
    pub fn positive(&self) -> Vec<&str> {
        match self {
            Self::Any(signals) => signals.iter().map(String::as_str).collect(),
            Self::Aggregates { condition, .. } => {
                condition.aggregates().into_iter().map(|aggregate| aggregate.signal.as_str()).collect()
            }
            Self::Chain { items, .. } => {
                let mut steps = Vec::new();
                for item in items {
                    match item {
                        Item::Step { signal, .. } => steps.push(signal.as_str()),
                        Item::No(_) => {}
                    }
                }
                steps
            }
            Self::Group { members, .. } => members.iter().map(|(name, _)| name.as_str()).collect(),
            Self::Rare { signal, .. } | Self::Travel { signal, .. } => vec![signal],
            Self::Baseline { aggregate, .. } => vec![&aggregate.signal],
        }
    }

    /// Whether its hits show an event.
    pub fn has_closing(&self) -> bool {
        match self {
            Self::Aggregates { fixed, .. } => !fixed,
            Self::Chain { items, .. } => matches!(items.last(), Some(Item::Step { .. })),
            Self::Baseline { .. } => false,
            Self::Any(_) | Self::Group { .. } | Self::Rare { .. } | Self::Travel { .. } => true,
        }
    }
}
