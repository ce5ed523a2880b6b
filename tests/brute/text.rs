//! Writes a random detection as a person would.

use std::fmt::Write as _;

use crate::event::Drawn;
use crate::spec::{
    Aggregate, Arithmetic, BaselineForm, Behavior, Condition, Function, GroupForm, Item, RareForm, Spec, Stage,
    StepTest, Suppress, Test,
};

/// The detection without tests.
pub fn yaml(spec: &Spec) -> String {
    let mut text = "detection: brute\nid: 3f1d0a52-7c1e-4b53-9a55-0f3a1a6f0c99\ntitle: Brute force\nstatus: test\n\
                    severity: low\ndescription: A random detection.\nsignals:\n"
        .to_owned();
    for signal in &spec.signals {
        let _ = writeln!(text, "  {}:", signal.name);
        let mut conditions = Vec::new();
        match &signal.stage {
            Some(stage) => {
                let _ = writeln!(text, "    behavior: |\n      {}", behavior(stage));
            }
            None => {
                text.push_str("    source: brute.log\n    let: { who: user, low: lower(value) }\n");
                conditions.push(format!("kind contains \"{}\"", signal.name));
            }
        }
        conditions.extend(signal.condition.as_ref().map(|test| format!("({})", self::test(test))));
        if !conditions.is_empty() {
            let _ = writeln!(text, "    where: |\n      {}", conditions.join(" and "));
        }
    }
    let _ = writeln!(text, "behavior: |\n  {}", behavior(&spec.stage));
    if !spec.exceptions.is_empty() {
        text.push_str("exceptions:\n");
    }
    for exception in &spec.exceptions {
        let _ = writeln!(text, "  - when: |\n      {}\n    owner: a team\n    reason: a reason", test(&exception.when));
        if let Some(signals) = &exception.signals {
            let _ = writeln!(text, "    signals: [{}]", signals.join(", "));
        }
    }
    text.push_str("alert:\n  title: Brute force\n");
    match &spec.suppress {
        Suppress::None => text.push_str("  suppress: none\n"),
        Suppress::Default => {}
        Suppress::By { columns, period } => {
            let _ = writeln!(text, "  suppress: {{ by: [{}], for: {} }}", columns.join(", "), duration(*period));
        }
    }
    text
}

/// The same with its events as a test that `detc test` runs.
pub fn runnable(spec: &Spec, log: &[Drawn], times: &[i64]) -> String {
    let mut text = yaml(spec);
    text.push_str("tests:\n  - name: as the page says\n    events:\n");
    for event in log {
        let _ = writeln!(text, "      - {{ at: {}ms, source: brute.log, event: {} }}", event.time, event.fields);
    }
    let times: Vec<String> = times.iter().map(|time| format!("{time}ms")).collect();
    let _ = writeln!(text, "    expect: {{ hits: {}, at: [{}] }}", times.len(), times.join(", "));
    text
}

fn duration(milliseconds: i64) -> String {
    format!("{}s", milliseconds / 1_000)
}

fn behavior(stage: &Stage) -> String {
    let by = if stage.keys.is_empty() { String::new() } else { format!(" by {}", stage.keys.join(", ")) };
    let learned = |learning: &Option<i64>| {
        learning.map(|learning| format!(" learning {}", duration(learning))).unwrap_or_default()
    };
    match &stage.behavior {
        Behavior::Any(signals) => signals.join(" or "),
        Behavior::Aggregates { condition, window, fixed } => {
            let fixed = if *fixed { " fixed" } else { "" };
            format!("{}{by} within {}{fixed}", self::condition(condition, false), duration(*window))
        }
        Behavior::Chain { items, until, window, condition } => {
            let steps: Vec<String> = items.iter().map(item).collect();
            let mut text = format!("{}{by} within {}", steps.join(" -> "), duration(*window));
            if let Some(until) = until {
                let _ = write!(text, " until {until}");
            }
            if let Some(condition) = condition {
                let _ = write!(text, " where {}", step_test(condition, &names(items)));
            }
            text
        }
        Behavior::Group { members, form, window } => {
            let names: Vec<&str> = members.iter().map(|(name, _)| name.as_str()).collect();
            let what = match form {
                GroupForm::All => names.join(" & "),
                GroupForm::Some(least) => format!("{least} of ({})", names.join(", ")),
                GroupForm::Score(least) => {
                    let weights: Vec<String> =
                        members.iter().map(|(name, weight)| format!("{name} = {weight}")).collect();
                    format!("score({}) >= {least}", weights.join(", "))
                }
            };
            format!("{what}{by} within {}", duration(*window))
        }
        Behavior::Rare { signal, fields, form, history, learning } => {
            let values: Vec<String> = fields.iter().map(|field| format!("{signal}.{field}")).collect();
            let what = match form {
                RareForm::New => format!("new({})", values.join(", ")),
                RareForm::Rare(operator, most) => {
                    format!("rare({}) {} {most}", values.join(", "), operator.symbol())
                }
            };
            format!("{what}{by} over {}{}", duration(*history), learned(learning))
        }
        Behavior::Travel { signal, speed, beyond, window } => {
            let beyond = beyond.map(|beyond| format!(" beyond {beyond} km")).unwrap_or_default();
            format!("travel({signal}.ip){by} faster than {speed} km/h{beyond} within {}", duration(*window))
        }
        Behavior::Baseline { aggregate, bucket, history, form, floor, learning } => {
            let (word, above) = match form {
                BaselineForm::Outlier(sigma) => ("outlier", format!("{sigma} sigma")),
                BaselineForm::Spike(times) => ("spike", times.to_string()),
            };
            format!(
                "{word}({}){by} per {} over {} above {above} floor {floor}{}",
                self::aggregate(aggregate),
                duration(*bucket),
                duration(*history),
                learned(learning)
            )
        }
    }
}

fn item(item: &Item) -> String {
    match item {
        Item::No(signal) => format!("no {signal}"),
        Item::Step { signal, times, name } => {
            let times = if *times > 1 { format!("{{{times}}}") } else { String::new() };
            let name = name.as_ref().map(|name| format!(" as {name}")).unwrap_or_default();
            format!("{signal}{times}{name}")
        }
    }
}

/// Names of the positive steps.
fn names(items: &[Item]) -> Vec<String> {
    let name = |item: &Item| match item {
        Item::Step { signal, name, .. } => Some(name.clone().unwrap_or_else(|| signal.clone())),
        Item::No(_) => None,
    };
    items.iter().filter_map(name).collect()
}

fn step_test(test: &StepTest, names: &[String]) -> String {
    let side = |(step, field): &(usize, String)| format!("{}.{field}", names[*step]);
    match test {
        StepTest::And(parts) => joined(parts.iter().map(|part| step_test(part, names)), " and "),
        StepTest::Or(parts) => joined(parts.iter().map(|part| step_test(part, names)), " or "),
        StepTest::Not(inner) => format!("not ({})", step_test(inner, names)),
        StepTest::Equal { left, not, cased, right } => {
            let (operator, cased) = (if *not { "!=" } else { "==" }, if *cased { "cased " } else { "" });
            format!("{} {operator} {cased}{}", side(left), side(right))
        }
        StepTest::Ordered { left, operator, right } => {
            format!("{} {} {}", side(left), operator.symbol(), side(right))
        }
    }
}

fn condition(condition: &Condition, inside: bool) -> String {
    let (parts, word) = match condition {
        Condition::And(parts) => (parts, " and "),
        Condition::Or(parts) => (parts, " or "),
        Condition::Not(inner) => return format!("not ({})", self::condition(inner, false)),
        Condition::Compare(left, operator, right) => {
            return format!("{} {} {}", arithmetic(left, 0), operator.symbol(), arithmetic(right, 0));
        }
    };
    let parts: Vec<String> = parts.iter().map(|part| self::condition(part, true)).collect();
    if inside { format!("({})", parts.join(word)) } else { parts.join(word) }
}

/// Parentheses stand where the usual precedence needs them.
fn arithmetic(value: &Arithmetic, outer: u8) -> String {
    match value {
        Arithmetic::Number(number) => number.to_string(),
        Arithmetic::Aggregate(one) => aggregate(one),
        Arithmetic::Calculate(left, sign, right) => {
            let binds = if matches!(sign, '+' | '-') { 1 } else { 3 };
            let text = format!("{} {sign} {}", arithmetic(left, binds), arithmetic(right, binds + 1));
            if outer > binds { format!("({text})") } else { text }
        }
    }
}

fn aggregate(aggregate: &Aggregate) -> String {
    let Aggregate { function, signal, fields, filter, name } = aggregate;
    let mut inside = match function {
        Function::Count => signal.clone(),
        Function::Percentile(percent) => format!("{signal}.{}, {percent}", fields[0]),
        Function::Distinct
        | Function::Sum
        | Function::Average
        | Function::Minimum
        | Function::Maximum
        | Function::Median => fields.iter().map(|field| format!("{signal}.{field}")).collect::<Vec<_>>().join(", "),
    };
    if let Some(filter) = filter {
        let _ = write!(inside, " where {}", test(filter));
    }
    let name = name.as_ref().map(|name| format!(" as {name}")).unwrap_or_default();
    format!("{}({inside}){name}", function.name())
}

pub fn test(test: &Test) -> String {
    match test {
        Test::Exists(field) => format!("exists({field})"),
        Test::Equal(field, text) => format!("{field} == \"{text}\""),
        Test::Number(field, operator, number) => format!("{field} {} {number}", operator.symbol()),
        Test::Not(inner) => format!("not ({})", self::test(inner)),
        Test::And(parts) => joined(parts.iter().map(self::test), " and "),
        Test::Or(parts) => joined(parts.iter().map(self::test), " or "),
    }
}

fn joined(parts: impl Iterator<Item = String>, word: &str) -> String {
    format!("({})", parts.collect::<Vec<_>>().join(word))
}
