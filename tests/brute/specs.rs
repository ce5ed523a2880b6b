//! One strategy for each behaviour.

use crate::draw::Draw;
use crate::number::Ratio;
use crate::spec::{
    Aggregate, Arithmetic, BaselineForm, Behavior, Condition, Exception, Function, GroupForm, Item, Operator, RareForm,
    Signal, Spec, Stage, StepTest, Suppress, Test,
};

/// A detection over the signals `a`, `b` and `c`.
fn spec(draw: &mut Draw, stage: Stage) -> Spec {
    let signals = vec![signal(draw, "a"), signal(draw, "b"), signal(draw, "c")];
    Spec { signals, stage, exceptions: Vec::new(), suppress: Suppress::None, scale: 1 }
}

fn signal(draw: &mut Draw, name: &str) -> Signal {
    Signal { name: name.to_owned(), stage: None, condition: draw.chance(15).then(|| draw.test(1)) }
}

/// Adds exceptions and a suppression that suit a detection without composition.
fn finished(draw: &mut Draw, mut spec: Spec) -> Spec {
    let mut positive: Vec<String> = spec.stage.behavior.positive().into_iter().map(str::to_owned).collect();
    positive.sort();
    positive.dedup();
    if draw.chance(25) {
        let signals = draw.chance(50).then(|| vec![draw.one_of(&positive)]);
        spec.exceptions.push(Exception { when: draw.test(1), signals });
    }
    if draw.chance(20) {
        spec.exceptions.extend(alert_exception(draw, &spec.stage));
    }
    let mut columns = spec.stage.keys.clone();
    if spec.stage.behavior.has_closing() && columns.is_empty() {
        columns = vec!["user".to_owned()];
    }
    spec.suppress = match draw.below(3) {
        0 => Suppress::None,
        1 => Suppress::Default,
        _ if columns.is_empty() => Suppress::None,
        _ => Suppress::By { columns, period: draw.duration() },
    };
    spec
}

/// An exception on finished hits: over a number, a key, or a field of the closing event.
fn alert_exception(draw: &mut Draw, stage: &Stage) -> Option<Exception> {
    let numbers = stage.behavior.aggregate_names();
    let when = if let Some(name) = numbers.first().filter(|_| draw.chance(60)) {
        Test::Number(name.clone(), draw.operator(), draw.number())
    } else if stage.keys.contains(&"user".to_owned()) && draw.chance(50) {
        Test::Equal("user".to_owned(), "Ana".to_owned())
    } else if stage.behavior.has_closing() && stage.keys.iter().all(|key| key == "user") {
        draw.test(1)
    } else {
        return None;
    };
    Some(Exception { when, signals: Some(vec!["alert".to_owned()]) })
}

/// `s`
pub fn any(draw: &mut Draw) -> Spec {
    let stage = Stage { behavior: Behavior::Any(vec!["a".to_owned()]), keys: Vec::new() };
    let spec = spec(draw, stage);
    finished(draw, spec)
}

/// `a or b`
pub fn union(draw: &mut Draw) -> Spec {
    let mut signals = vec!["a".to_owned(), "b".to_owned()];
    if draw.chance(40) {
        signals.push("c".to_owned());
    }
    let stage = Stage { behavior: Behavior::Any(signals), keys: Vec::new() };
    let spec = spec(draw, stage);
    finished(draw, spec)
}

/// `count(s) >= n`, `distinct(s.f) > n`
pub fn plain_aggregate(draw: &mut Draw) -> Spec {
    let is_count = !draw.chance(50);
    let fields = if is_count { Vec::new() } else { values(draw) };
    let aggregate = Aggregate {
        function: if is_count { Function::Count } else { Function::Distinct },
        signal: draw.letter(),
        fields,
        filter: None,
        name: None,
    };
    let (operator, least) = draw.one_of(&[
        (Operator::GreaterOrEqual, 2),
        (Operator::GreaterOrEqual, 1),
        (Operator::Greater, 1),
        (Operator::GreaterOrEqual, 3),
    ]);
    let condition = Condition::Compare(Arithmetic::of(aggregate), operator, Arithmetic::Number(Ratio::whole(least)));
    let behavior = Behavior::Aggregates { condition, window: draw.duration(), fixed: false };
    let stage = Stage { behavior, keys: draw.keys() };
    let spec = spec(draw, stage);
    finished(draw, spec)
}

/// Fields whose different values are counted.
fn values(draw: &mut Draw) -> Vec<String> {
    let fields: &[&str] = match draw.below(6) {
        0 | 1 => &["value"],
        2 => &["tags"],
        3 => &["value", "user"],
        4 => &["tags", "groups"],
        _ => &["amount"],
    };
    fields.iter().map(|field| (*field).to_owned()).collect()
}

fn aggregate(draw: &mut Draw, functions: &[Function], name: Option<String>) -> Aggregate {
    let function = draw.one_of(functions);
    let fields = match function {
        Function::Count => Vec::new(),
        Function::Distinct => values(draw),
        Function::Sum
        | Function::Average
        | Function::Minimum
        | Function::Maximum
        | Function::Median
        | Function::Percentile(_) => vec![draw.one_of(&["amount", "rate"]).to_owned()],
    };
    Aggregate { function, signal: draw.letter(), fields, filter: draw.chance(25).then(|| draw.test(1)), name }
}

fn measures() -> Vec<Function> {
    let percent = |text| Function::Percentile(Ratio::parse(text).unwrap_or(Ratio::ZERO));
    vec![
        Function::Sum,
        Function::Average,
        Function::Minimum,
        Function::Maximum,
        Function::Median,
        percent("95"),
        percent("100"),
        percent("33.3"),
        percent("1"),
    ]
}

/// Gives aggregates names of their own.
struct Names(usize);

impl Names {
    fn next(&mut self) -> Option<String> {
        self.0 += 1;
        Some(format!("n{}", self.0))
    }
}

/// A comparison that may stand alone: it needs an event.
fn closing_comparison(draw: &mut Draw, names: &mut Names) -> Condition {
    let constant = |draw: &mut Draw| Arithmetic::Number(draw.number());
    match draw.below(5) {
        0 | 1 => {
            let (operator, least) =
                draw.one_of(&[(Operator::GreaterOrEqual, 2), (Operator::GreaterOrEqual, 1), (Operator::Greater, 1)]);
            let counted = aggregate(draw, &[Function::Count, Function::Distinct], names.next());
            let least = Arithmetic::Number(Ratio::whole(least));
            Condition::Compare(Arithmetic::of(counted), operator, least)
        }
        2 | 3 => {
            let measured = Arithmetic::of(aggregate(draw, &measures(), names.next()));
            Condition::Compare(measured, draw.operator(), constant(draw))
        }
        _ => {
            let part = Aggregate { filter: Some(draw.test(1)), ..aggregate(draw, &[Function::Count], names.next()) };
            let whole = aggregate(draw, &[Function::Count, Function::Sum, Function::Average], names.next());
            let ratio = Arithmetic::Calculate(Box::new(Arithmetic::of(part)), '/', Box::new(Arithmetic::of(whole)));
            Condition::Compare(ratio, draw.operator(), constant(draw))
        }
    }
}

/// Any comparison, also one that is true of nothing.
fn free_comparison(draw: &mut Draw, names: &mut Names) -> Condition {
    let mut all = measures();
    all.extend([Function::Count, Function::Distinct]);
    let left = Arithmetic::of(aggregate(draw, &all, names.next()));
    let left = match draw.below(4) {
        0..3 => left,
        _ => {
            let sign = draw.one_of(&['+', '-', '*', '/']);
            let right = Arithmetic::of(aggregate(draw, &all, names.next()));
            Arithmetic::Calculate(Box::new(left), sign, Box::new(right))
        }
    };
    let right = match draw.below(4) {
        0..3 => Arithmetic::Number(draw.number()),
        _ => Arithmetic::Calculate(
            Box::new(Arithmetic::Number(draw.number())),
            '*',
            Box::new(Arithmetic::of(aggregate(draw, &all, names.next()))),
        ),
    };
    let plain = Condition::Compare(left, draw.operator(), right);
    if draw.chance(25) { Condition::Not(Box::new(plain)) } else { plain }
}

fn aggregate_condition(draw: &mut Draw) -> Condition {
    let names = &mut Names(0);
    let both = |draw: &mut Draw, names: &mut Names| {
        Condition::And(vec![closing_comparison(draw, names), free_comparison(draw, names)])
    };
    match draw.below(6) {
        0..2 => closing_comparison(draw, names),
        2..4 => both(draw, names),
        4 => Condition::Or(vec![closing_comparison(draw, names), closing_comparison(draw, names)]),
        _ => Condition::Or(vec![closing_comparison(draw, names), both(draw, names)]),
    }
}

/// Conditions on several aggregates of one sliding window.
pub fn aggregation(draw: &mut Draw) -> Spec {
    let condition = aggregate_condition(draw);
    let behavior = Behavior::Aggregates { condition, window: draw.duration(), fixed: false };
    let stage = Stage { behavior, keys: draw.keys() };
    let spec = spec(draw, stage);
    finished(draw, spec)
}

/// The same on buckets.
pub fn fixed(draw: &mut Draw) -> Spec {
    let condition = aggregate_condition(draw);
    let behavior = Behavior::Aggregates { condition, window: draw.duration(), fixed: true };
    let stage = Stage { behavior, keys: draw.keys() };
    let spec = spec(draw, stage);
    finished(draw, spec)
}

/// `a & b`, `2 of (a, b, c)`, `score(a = 30, b = 40) >= 70`
pub fn group(draw: &mut Draw) -> Spec {
    let count = if draw.chance(50) { 3 } else { 2 };
    let names: Vec<String> = ["a", "b", "c"].iter().take(count).map(|name| (*name).to_owned()).collect();
    let form = draw.below(3);
    let members: Vec<(String, u64)> =
        names.into_iter().map(|name| (name, if form == 2 { draw.one_of(&[20, 30, 40, 1]) } else { 1 })).collect();
    let total: u64 = members.iter().map(|(_, weight)| weight).sum();
    let form = match form {
        0 => GroupForm::All,
        1 => GroupForm::Some(draw.one_of(&[1, 2, count as u64])),
        _ => GroupForm::Score(draw.one_of(&[30, 1, 40, 50, 60, 70]).min(total)),
    };
    let behavior = Behavior::Group { members, form, window: draw.duration() };
    let stage = Stage { behavior, keys: draw.keys() };
    let spec = spec(draw, stage);
    finished(draw, spec)
}

/// `new(s.f)`, `rare(s.f) <= n`
pub fn rare(draw: &mut Draw) -> Spec {
    let form = match draw.below(4) {
        0 | 1 => RareForm::New,
        2 => RareForm::Rare(draw.one_of(&[Operator::LessOrEqual, Operator::Equal]), draw.one_of(&[1, 0, 2])),
        _ => RareForm::Rare(Operator::Less, draw.one_of(&[2, 1, 3])),
    };
    let history = draw.one_of(&[6_000, 4_000, 10_000, 2_000]);
    let learning = draw.chance(40).then(|| draw.one_of(&[2_000, 4_000, 1_000, 6_000]).min(history));
    let behavior = Behavior::Rare { signal: draw.letter(), fields: values(draw), form, history, learning };
    let stage = Stage { behavior, keys: draw.keys() };
    let spec = spec(draw, stage);
    finished(draw, spec)
}

/// `outlier(count(s)) ..`, `spike(sum(s.f)) ..`
pub fn baseline(draw: &mut Draw) -> Spec {
    let form = if draw.chance(50) {
        BaselineForm::Spike(Ratio::parse(draw.one_of(&["2", "1", "1.5", "0.5", "3"])).unwrap_or(Ratio::ZERO))
    } else {
        BaselineForm::Outlier(Ratio::parse(draw.one_of(&["1", "0", "2", "0.5", "1.5", "3"])).unwrap_or(Ratio::ZERO))
    };
    let aggregate = aggregate(draw, &[Function::Count, Function::Distinct, Function::Sum], None);
    let bucket = draw.one_of(&[2_000, 4_000, 6_000, 1_000]);
    let history = bucket * draw.one_of(&[2, 1, 3, 6]) + draw.one_of(&[0, 0, 1_000]);
    let learning = draw.chance(40).then(|| draw.one_of(&[2_000, 4_000, 1_000, 6_000]).min(history));
    let floor = Ratio::parse(draw.one_of(&["1", "2", "0", "3", "0.5"])).unwrap_or(Ratio::ZERO);
    let behavior = Behavior::Baseline { aggregate, bucket, history, form, floor, learning };
    let stage = Stage { behavior, keys: draw.keys() };
    let spec = spec(draw, stage);
    finished(draw, spec)
}

/// `a -> b{2} -> c`
pub fn sequence(draw: &mut Draw) -> Spec {
    let count = 1 + draw.below(3);
    let mut items: Vec<Item> = (0..count)
        .map(|place| Item::Step {
            signal: draw.letter(),
            times: if count == 1 { 2 + draw.below(2) } else { draw.one_of(&[1, 1, 1, 2]) },
            name: Some(format!("step{place}")),
        })
        .collect();
    if let [Item::Step { name, .. }] = items.as_mut_slice() {
        *name = None;
    }
    let condition = (count > 1 && draw.chance(50)).then(|| draw.step_test(count, 2));
    let behavior = Behavior::Chain { items, until: None, window: draw.duration(), condition };
    let stage = Stage { behavior, keys: draw.keys() };
    let spec = spec(draw, stage);
    finished(draw, spec)
}

/// Chains with `no` before, between and behind the steps, and `until`.
pub fn absence(draw: &mut Draw) -> Spec {
    let count = 1 + draw.below(3);
    let mut items: Vec<Item> = Vec::new();
    if draw.chance(40) {
        items.push(Item::No(draw.letter()));
    }
    let mut total = 0;
    for place in 0..count {
        if place > 0 {
            while draw.chance(35) {
                items.push(Item::No(draw.letter()));
            }
        }
        let times = draw.one_of(&[1, 1, 1, 2, 3]).min(5 - total - (count - place - 1));
        total += times;
        items.push(Item::Step { signal: draw.letter(), times, name: Some(format!("step{place}")) });
    }
    let until = draw.chance(30).then(|| draw.letter());
    let leads = matches!(items.first(), Some(Item::No(_)));
    if draw.chance(40) || (total == 1 && !leads) {
        items.push(Item::No(draw.letter()));
    }
    let condition = (count > 1 && draw.chance(30)).then(|| draw.step_test(count, 1));
    let behavior = Behavior::Chain { items, until, window: draw.duration(), condition };
    let stage = Stage { behavior, keys: draw.keys() };
    let spec = spec(draw, stage);
    finished(draw, spec)
}

/// Behaviours over the hits of behaviours, with exceptions that reach some of them.
pub fn composed(draw: &mut Draw) -> Spec {
    let keys = draw.one_of(&[vec!["user".to_owned()], vec!["user".to_owned()], Vec::new(), vec!["groups".to_owned()]]);
    let inner = Stage { behavior: inner(draw), keys: keys.clone() };
    let condition = match inner.behavior.aggregate_names().first() {
        Some(name) if draw.chance(40) => Some(Test::Number(name.clone(), draw.operator(), draw.number())),
        Some(_) | None => None,
    };
    let numbers = inner.behavior.aggregate_names();
    let has_closing = inner.behavior.has_closing();
    let keyless = matches!(inner.behavior, Behavior::Any(_));
    let inner = Stage { keys: if keyless { Vec::new() } else { keys.clone() }, ..inner };
    let mixes = keys != ["groups"];
    let outer = outer(draw, has_closing, numbers.first(), mixes);
    // A key has to be on both: without it on the inner hits there is none on the outer ones.
    let keys = if (keyless || keys.is_empty()) && has_closing && draw.chance(50) {
        vec!["user".to_owned()]
    } else if draw.chance(80) && !keyless {
        keys
    } else {
        Vec::new()
    };
    let mut spec = spec(draw, Stage { behavior: outer, keys });
    spec.signals.push(Signal { name: "burst".to_owned(), stage: Some(inner), condition });
    if draw.chance(25) {
        spec.exceptions.push(Exception { when: draw.test(1), signals: None });
    }
    if draw.chance(20) && spec.stage.behavior.positive().contains(&"burst") {
        let when = match numbers.first() {
            Some(name) => Some(Test::Number(name.clone(), draw.operator(), draw.number())),
            None => has_closing.then(|| draw.test(1)),
        };
        spec.exceptions.extend(when.map(|when| Exception { when, signals: Some(vec!["burst".to_owned()]) }));
    }
    if draw.chance(20) {
        spec.suppress = Suppress::Default;
    }
    if draw.chance(25) { deeper(draw, spec) } else { spec }
}

/// The hits of the whole as a signal of another behaviour.
fn deeper(draw: &mut Draw, mut spec: Spec) -> Spec {
    let wave = || "wave".to_owned();
    let window = draw.duration();
    let keys = if draw.chance(80) { spec.stage.keys.clone() } else { Vec::new() };
    let aggregate =
        Aggregate { function: Function::Count, signal: wave(), fields: Vec::new(), filter: None, name: None };
    let least = Arithmetic::Number(Ratio::whole(draw.one_of(&[2, 1])));
    let condition = Condition::Compare(Arithmetic::of(aggregate), Operator::GreaterOrEqual, least);
    let step = |signal: &str| Item::Step { signal: signal.to_owned(), times: 1, name: None };
    let chain = |items| Behavior::Chain { items, until: None, window, condition: None };
    let mixes = !keys.contains(&"groups".to_owned());
    let behavior = match draw.below(if mixes { 5 } else { 2 }) {
        0 => Behavior::Aggregates { condition, window, fixed: false },
        1 => Behavior::Aggregates { condition, window, fixed: true },
        2 => chain(vec![step("b"), Item::No(wave())]),
        3 => chain(vec![Item::No(wave()), step("b")]),
        _ => chain(vec![step("a"), Item::No(wave()), step("c")]),
    };
    let stage = std::mem::replace(&mut spec.stage, Stage { behavior, keys });
    let is_positive = spec.stage.behavior.positive().contains(&"wave");
    // An exception cannot name what now is only a part of what must not happen.
    spec.exceptions.retain(|exception| is_positive || exception.signals.is_none());
    spec.signals.push(Signal { name: wave(), stage: Some(stage), condition: None });
    spec
}

/// A behaviour whose hits are events of another.
fn inner(draw: &mut Draw) -> Behavior {
    let stage = match draw.below(10) {
        0..2 => plain_aggregate(draw),
        2 => sequence(draw),
        3 => absence(draw),
        4 => baseline(draw),
        5 => fixed(draw),
        6 => rare(draw),
        7 => group(draw),
        8 => aggregation(draw),
        _ => union(draw),
    };
    stage.stage.behavior
}

/// A behaviour over `burst` and perhaps `c`.
fn outer(draw: &mut Draw, has_closing: bool, number: Option<&String>, mixes: bool) -> Behavior {
    let burst = || "burst".to_owned();
    let window = draw.duration();
    let counted = |function, fields: Vec<String>, least| {
        let aggregate = Aggregate { function, signal: burst(), fields, filter: None, name: None };
        let least = Arithmetic::Number(Ratio::whole(least));
        let condition = Condition::Compare(Arithmetic::of(aggregate), Operator::GreaterOrEqual, least);
        Behavior::Aggregates { condition, window, fixed: false }
    };
    let step = |signal: &str| Item::Step { signal: signal.to_owned(), times: 1, name: None };
    // Between `burst` and `c`, in either order.
    let compared = match (draw.below(3), number) {
        (1, _) if has_closing => {
            let side = |step| (step, "value".to_owned());
            Some(StepTest::Equal { left: side(0), not: draw.chance(50), cased: false, right: side(1) })
        }
        (2, Some(_)) => draw.one_of(&[Some(Operator::Less), Some(Operator::GreaterOrEqual)]).map(|operator| {
            StepTest::Ordered { left: (0, "amount".to_owned()), operator, right: (1, "amount".to_owned()) }
        }),
        _ => None,
    };
    let chain = |items: Vec<Item>, until: Option<&str>| {
        let mut condition =
            if items.iter().all(|item| matches!(item, Item::Step { .. })) { compared.clone() } else { None };
        if let (Some(StepTest::Ordered { left, right, .. }), Some(number)) = (&mut condition, number) {
            for (side, item) in [left, right].into_iter().zip(&items) {
                if matches!(item, Item::Step { signal, .. } if signal == "burst") {
                    side.1.clone_from(number);
                }
            }
        }
        Behavior::Chain { items, until: until.map(str::to_owned), window, condition }
    };
    match draw.below(if mixes { 11 } else { 5 }) {
        1 if number.is_some() => counted(Function::Sum, number.into_iter().cloned().collect(), 3),
        2 if has_closing => Behavior::Rare {
            signal: burst(),
            fields: vec!["value".to_owned()],
            form: RareForm::New,
            history: window,
            learning: None,
        },
        3 if has_closing => counted(Function::Distinct, vec!["value".to_owned()], 2),
        4 => Behavior::Any(vec![burst()]),
        5 => chain(vec![step("burst"), step("c")], None),
        6 => chain(vec![step("c"), step("burst")], draw.chance(30).then_some("b")),
        7 => chain(vec![step("c"), Item::No(burst())], None),
        8 => chain(vec![step("burst"), Item::No("c".to_owned())], None),
        9 => chain(vec![Item::No(burst()), step("c")], None),
        10 => Behavior::Group { members: vec![(burst(), 1), ("c".to_owned(), 1)], form: GroupForm::All, window },
        _ => counted(Function::Count, Vec::new(), 2),
    }
}

/// `travel(s.ip)`
pub fn travel(draw: &mut Draw) -> Spec {
    let speed = Ratio::whole(draw.one_of(&[900, 100, 400, 20_000, 1]));
    let beyond = draw.one_of(&[None, Some(20), Some(500)]).map(Ratio::whole);
    let behavior = Behavior::Travel { signal: draw.letter(), speed, beyond, window: 60 * draw.duration() };
    let stage = Stage { behavior, keys: draw.keys() };
    let spec = spec(draw, stage);
    Spec { scale: 60, ..finished(draw, spec) }
}
