//! Draws events and the parts of detections out of random bytes; smaller bytes give simpler things, so that proptest shrinks.

use serde_json::{Map, Value as Json, json};

use crate::event::Drawn;
use crate::number::Ratio;
use crate::spec::{Operator, StepTest, Test};

/// The bytes that one event is made of.
pub type EventBytes = [u8; 12];

/// A source of choices.
pub struct Draw<'a> {
    bytes: std::slice::Iter<'a, u8>,
}

impl<'a> Draw<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes: bytes.iter() }
    }

    /// A number below `count`; 0 once the bytes are used up.
    pub fn below(&mut self, count: usize) -> usize {
        usize::from(self.bytes.next().copied().unwrap_or(0)) * count / 256
    }

    /// True in so many of a hundred cases.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) >= 100 - percent
    }

    pub fn one_of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }

    /// A duration of a few seconds; all are multiples of two, so that windows, buckets and offsets often meet.
    pub fn duration(&mut self) -> i64 {
        self.one_of(&[4_000, 2_000, 6_000, 10_000])
    }

    pub fn letter(&mut self) -> String {
        self.one_of(&["a", "b", "c"]).to_owned()
    }

    pub fn operator(&mut self) -> Operator {
        self.one_of(&[
            Operator::GreaterOrEqual,
            Operator::Greater,
            Operator::Less,
            Operator::LessOrEqual,
            Operator::Equal,
            Operator::NotEqual,
        ])
    }

    /// A small number; sometimes negative or with a fraction.
    pub fn number(&mut self) -> Ratio {
        let text = self.one_of(&["2", "1", "0", "3", "5", "0.5", "1.5", "2.25", "-1"]);
        Ratio::parse(text).unwrap_or(Ratio::ZERO)
    }

    /// Keys that every event of the log may have.
    pub fn keys(&mut self) -> Vec<String> {
        let keys: &[&str] = match self.below(8) {
            0..3 => &["user"],
            3 => &[],
            4 => &["groups"],
            5 => &["who", "value"],
            6 => &["amount"],
            _ => &["groups", "user"],
        };
        keys.iter().map(|key| (*key).to_owned()).collect()
    }

    /// A condition on an event of the log.
    pub fn test(&mut self, depth: usize) -> Test {
        match self.below(if depth == 0 { 3 } else { 6 }) {
            0 => Test::Equal("value".to_owned(), self.one_of(&["x", "Y", "z"]).to_owned()),
            1 => Test::Number(self.one_of(&["amount", "rate"]).to_owned(), self.operator(), self.number()),
            2 => Test::Exists(self.one_of(&["value", "user", "tags", "groups", "amount", "low"]).to_owned()),
            3 => Test::Not(Box::new(self.test(depth - 1))),
            4 => Test::And(vec![self.test(depth - 1), self.test(depth - 1)]),
            _ => Test::Or(vec![self.test(depth - 1), self.test(depth - 1)]),
        }
    }

    /// A condition between steps, of which there are at least two.
    pub fn step_test(&mut self, steps: usize, depth: usize) -> StepTest {
        match self.below(if depth == 0 { 5 } else { 9 }) {
            kind @ 0..5 => {
                let left = self.below(steps);
                let right = (left + 1 + self.below(steps - 1)) % steps;
                if kind < 3 {
                    let (one, other) = self.one_of(&[
                        ("value", "value"),
                        ("user", "user"),
                        ("value", "user"),
                        ("who", "low"),
                        ("amount", "amount"),
                        ("seen", "seen"),
                    ]);
                    let cased = matches!(one, "value" | "user" | "who") && self.chance(25);
                    let not = kind == 0;
                    StepTest::Equal { left: (left, one.to_owned()), not, cased, right: (right, other.to_owned()) }
                } else {
                    let field = self.one_of(&["amount", "seen", "rate"]).to_owned();
                    let operator = self.one_of(&[
                        Operator::Less,
                        Operator::LessOrEqual,
                        Operator::Greater,
                        Operator::GreaterOrEqual,
                    ]);
                    StepTest::Ordered { left: (left, field.clone()), operator, right: (right, field) }
                }
            }
            5 | 6 => StepTest::And(vec![self.step_test(steps, depth - 1), self.step_test(steps, depth - 1)]),
            7 => StepTest::Or(vec![self.step_test(steps, depth - 1), self.step_test(steps, depth - 1)]),
            _ => StepTest::Not(Box::new(self.step_test(steps, depth - 1))),
        }
    }

    /// An event of the log.
    pub fn event(&mut self) -> Drawn {
        let place = i64::try_from(self.below(9)).unwrap_or(0) * 2_000;
        let time = (place + self.one_of(&[0, 0, 0, 0, 0, 0, 1_000, 1, -1])).max(0);
        let mut fields = Map::new();
        let kinds = ["a", "b", "ab", "c", "abc", "bc", "a", "abc", "d"];
        fields.insert("kind".to_owned(), json!(self.one_of(&kinds)));
        let mut put = |name: &str, value: Json| {
            if value != json!("-") {
                fields.insert(name.to_owned(), value);
            }
        };
        put(
            "user",
            self.one_of(&[
                json!("ana"),
                json!("ana"),
                json!("ana"),
                json!("ben"),
                json!("ANA"),
                json!("-"),
                json!(""),
                Json::Null,
            ]),
        );
        put(
            "value",
            self.one_of(&[
                json!("x"),
                json!("y"),
                json!("z"),
                json!("X"),
                json!("-"),
                json!(""),
                json!("ana"),
                json!(5),
            ]),
        );
        put(
            "amount",
            self.one_of(&[
                json!(1),
                json!(2),
                json!(3),
                json!(5),
                json!("-"),
                json!(-1),
                json!("3"),
                json!(2.0),
                json!("x"),
                json!("03"),
                json!([3]),
                Json::Null,
            ]),
        );
        put(
            "rate",
            self.one_of(&[
                json!("-"),
                json!(1),
                json!(0.5),
                json!(2.25),
                json!("1.5"),
                json!(-0.5),
                json!(0.1),
                json!("1e3"),
            ]),
        );
        let list = |draw: &mut Self| {
            draw.one_of(&[
                json!(["x"]),
                json!(["x", "y"]),
                json!("-"),
                json!(["y", "", "y", null]),
                json!("x"),
                json!([]),
                json!([null]),
            ])
        };
        put("groups", list(self));
        put("tags", list(self));
        put(
            "seen",
            self.one_of(&[
                json!("-"),
                json!("2026-01-05T00:00:02Z"),
                json!("2026-01-05T00:00:04.001Z"),
                json!("never"),
            ]),
        );
        put(
            "ip",
            self.one_of(&[
                "-",
                "198.51.100.1",
                "198.51.100.2",
                "198.51.100.3",
                "198.51.100.4",
                "198.51.100.5",
                "203.0.113.9",
                "host",
            ])
            .into(),
        );
        put(
            "id",
            self.one_of(&[
                json!("-"),
                json!("-"),
                json!("-"),
                json!("-"),
                json!("-"),
                json!("-"),
                json!(""),
                json!("1"),
                json!("2"),
            ]),
        );
        Drawn { time, fields: Json::Object(fields) }
    }
}
