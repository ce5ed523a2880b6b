//! Recognises where the parser gave up what people write in other languages, and what they forget.
//!
//! Never parses: it looks at a few characters around one place and may find nothing.

use std::ops::Range;

use super::parser::Rule;
use super::written_duration::{in_one_unit, unit_of};
use crate::diagnostic::Code;

/// The place where a text cannot go on.
pub(super) struct Failure<'t> {
    /// The whole text.
    pub(super) text: &'t str,
    /// Offset of the first character that does not belong there.
    pub(super) offset: usize,
    /// What could stand there.
    pub(super) expected: &'t [Rule],
    /// Whether the text is a behaviour.
    pub(super) is_behavior: bool,
}

/// What is wrong, as far as it is recognised; what is absent is said in general words.
#[derive(Debug, Default)]
pub(super) struct Mistake {
    /// A more exact code.
    pub(super) code: Option<Code>,
    /// What to point at.
    pub(super) range: Option<Range<usize>>,
    /// What is wrong.
    pub(super) message: Option<String>,
    /// What to do.
    pub(super) help: Option<String>,
    /// Another place with a few words.
    pub(super) note: Option<(Range<usize>, &'static str)>,
}

/// Words of other languages in the place of an operator, with what to write.
const OPERATORS: [(&str, &str); 22] = [
    ("startswith", "the operator is `starts_with`"),
    ("endswith", "the operator is `ends_with`"),
    ("has", "the operator is `contains`; it ignores case"),
    ("icontains", "the operator is `contains`; it ignores case"),
    ("ilike", "the operator is `like`; it ignores case"),
    ("glob", "the operator is `like`"),
    ("wildcard", "the operator is `like`"),
    ("regex", "the operator is `matches`"),
    ("regexp", "the operator is `matches`"),
    ("rlike", "the operator is `matches`"),
    ("match", "the operator is `matches`"),
    ("re", "the operator is `matches`"),
    ("equals", "write `==`"),
    ("eq", "write `==`"),
    ("ne", "write `!=`"),
    ("gt", "write `>`"),
    ("gte", "write `>=`"),
    ("lt", "write `<`"),
    ("lte", "write `<=`"),
    ("between", "write `x >= a and x <= b`"),
    ("xor", "write `(a and not b) or (not a and b)`"),
    ("exists", "write `exists(field)`"),
];

/// Signs of other languages in conditions, longer ones first.
const SIGNS: [(&str, &str); 21] = [
    ("===", "write `==`"),
    ("=~", "write `==`, which ignores case, or `matches` for a regular expression"),
    ("!~", "write `not` and `matches` for a regular expression"),
    ("=>", "write `>=`"),
    ("=<", "write `<=`"),
    ("&&", "write `and`"),
    ("||", "write `or`"),
    ("->", "`->` joins the steps of a behaviour, not conditions"),
    ("//", "an expression has no comments; put them into the YAML"),
    ("=", "write `==`"),
    ("&", "write `and`"),
    ("|", "write `or`, or a function such as `lower(field)`"),
    (":", "write `==`, `contains` or `like`"),
    ("~", "write `contains`, `like` or `matches`"),
    ("#", "an expression has no comments; put them into the YAML"),
    ("+", "there is no arithmetic; compare fields and constants as they are"),
    ("*", "there is no arithmetic; a glob is a text behind `like`"),
    ("%", "there is no arithmetic; compare fields and constants as they are"),
    ("{", "a list is written in brackets: `[a, b]`"),
    (";", "join conditions by `and` or `or`"),
    ("?", "there is no choice; write two conditions joined by `or`"),
];

/// Signs of other languages in behaviours, longer ones first.
const BEHAVIOR_SIGNS: [(&str, &str); 13] = [
    ("=>", "steps are joined by `->`"),
    ("-->", "steps are joined by `->`"),
    (">>", "steps are joined by `->`"),
    ("==", "write `>=`"),
    ("=", "write `>=`"),
    ("&", "`&` joins signals alone; make the sequence a signal of its own: `signals: { x: { behavior: a -> b .. } }`"),
    ("||", "a choice of signals is written `a or b`"),
    ("|", "a choice of signals is written `a or b`"),
    ("!", "absence is written `no`: `a -> no b`"),
    (";", "clauses are separated by blanks"),
    (",", "steps are joined by `->`, keys by a comma behind `by`"),
    ("*", "name a signal, such as `count(signal)`"),
    ("#", "a behaviour has no comments; put them into the YAML"),
];

/// Words that join or negate conditions.
const JOINERS: [&str; 4] = ["and", "or", "not", "in"];

/// Operators that are words.
const WORDS: [&str; 5] = ["contains", "starts_with", "ends_with", "like", "matches"];

impl Failure<'_> {
    /// What is known about the place.
    pub(super) fn recognise(&self) -> Mistake {
        self.open_quote()
            .or_else(|| self.number())
            .or_else(|| self.apart_from_its_unit())
            .or_else(|| self.capitals())
            .or_else(|| if self.is_behavior { self.behavior_word() } else { self.word() })
            .or_else(|| self.bracket())
            .or_else(|| self.sign())
            .unwrap_or_default()
    }

    fn before(&self) -> &str {
        self.text.get(..self.offset).unwrap_or("")
    }

    fn rest(&self) -> &str {
        self.text.get(self.offset..).unwrap_or("")
    }

    /// The word at the place; empty where there is none.
    fn here(&self) -> &str {
        let rest = self.rest();
        rest.get(..rest.find(|character| !is_word(character)).unwrap_or(rest.len())).unwrap_or("")
    }

    /// The word before the place.
    fn previous(&self) -> (&str, Range<usize>) {
        let before = self.before().trim_end();
        let word = before.rsplit(|character| !is_word(character)).next().unwrap_or("");
        (word, before.len() - word.len()..before.len())
    }

    fn expects(&self, rules: &[Rule]) -> bool {
        self.expected.iter().any(|rule| rules.contains(rule))
    }

    /// A quote without its partner on the line.
    fn open_quote(&self) -> Option<Mistake> {
        let rest = self.rest();
        let quote = rest.chars().next().filter(|first| matches!(first, '"' | '\'' | '`'))?;
        let line = rest.lines().next().unwrap_or("").trim_end();
        let mut escaped = false;
        for character in line.chars().skip(1) {
            if character == quote && !escaped {
                return None;
            }
            escaped = quote == '"' && character == '\\' && !escaped;
        }
        let help = if quote == '"' && line.contains("\\\"") {
            "`\\\"` stands for a quote inside the text; write `\\\\` for a backslash, or put the text in single quotes"
        } else {
            "close the quote on its line"
        };
        Some(Mistake {
            code: Some(Code::InvalidString),
            range: Some(self.offset..self.offset + line.len()),
            message: Some("the quote is never closed".to_owned()),
            help: Some(help.to_owned()),
            note: None,
        })
    }

    /// A duration, a number or an address that is none.
    fn number(&self) -> Option<Mistake> {
        let in_number = |character: char| is_word(character) || matches!(character, '.' | ':' | '/');
        let before = self.before();
        let start = before.trim_end_matches(in_number).len();
        let rest = self.rest();
        let end = self.offset + rest.find(|character| !in_number(character)).unwrap_or(rest.len());
        let written = self.text.get(start..end)?;
        if !written.starts_with(|first: char| first.is_ascii_digit()) {
            return None;
        }
        if self.is_behavior && before.trim_end().ends_with("within") {
            return Some(self.window(written, start, end));
        }
        let found = |message: String, help: &str| Mistake {
            range: Some(start..end),
            message: Some(message),
            help: Some(help.to_owned()),
            ..Mistake::default()
        };
        if written.matches('.').count() > 1 || written.contains(':') {
            return Some(found(format!("`{written}` stands without quotes"), "put addresses into quotes"));
        }
        let digits = written.bytes().take_while(u8::is_ascii_digit).count();
        (digits < written.len() && !self.is_behavior).then(|| {
            let help = "a number is digits with at most one point; a text stands in quotes";
            found(format!("`{written}` is no number"), help)
        })
    }

    /// What stands behind `within` and is no duration.
    fn window(&self, written: &str, start: usize, end: usize) -> Mistake {
        let rest = self.text.get(end..).unwrap_or("");
        let behind = rest.trim_start();
        let unit = behind.get(..behind.find(|character| !is_word(character)).unwrap_or(behind.len())).unwrap_or("");
        let is_number = written.bytes().all(|byte| byte.is_ascii_digit());
        let (end, meant) = match unit_of(unit).filter(|_| is_number) {
            Some(short) => (end + rest.len() - behind.len() + unit.len(), Some(format!("{written}{short}"))),
            None => (end, in_one_unit(written)),
        };
        let help = match meant {
            Some(meant) => format!("write `{meant}`"),
            None if is_number => format!("add the unit: `{written}s`, `{written}m`, `{written}h` or `{written}d`"),
            None => "a duration is a whole number with one unit, such as `90s`, `15m`, `1h` or `7d`".to_owned(),
        };
        Mistake {
            code: Some(Code::InvalidDuration),
            range: Some(start..end),
            message: Some(format!("`{}` is no duration", self.text.get(start..end).unwrap_or(written))),
            help: Some(help),
            note: None,
        }
    }

    /// A duration whose unit stands apart: `10 m`.
    fn apart_from_its_unit(&self) -> Option<Mistake> {
        let unit = unit_of(self.here()).filter(|_| self.is_behavior)?;
        let (number, range) = self.previous();
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let end = self.offset + self.here().len();
        is_number.then(|| Mistake {
            code: Some(Code::InvalidDuration),
            range: Some(range.start..end),
            message: self.text.get(range.start..end).map(|written| format!("`{written}` is no duration")),
            help: Some(format!("write `{number}{unit}`")),
            note: None,
        })
    }

    /// `AND`, `Not` and the like, here or read as a name just before.
    fn capitals(&self) -> Option<Mistake> {
        let meant = |word: &str| {
            let lower = word.to_lowercase();
            let known = JOINERS.iter().chain(&WORDS).any(|known| *known == lower) && lower != word;
            known.then(|| format!("operators are written in lower case: `{lower}`"))
        };
        if let Some(help) = meant(self.here()) {
            return Some(Mistake { help: Some(help), ..Mistake::default() });
        }
        let (word, range) = self.previous();
        meant(word).map(|help| self.at(range, help))
    }

    /// A mistake at another place than the parser's.
    fn at(&self, range: Range<usize>, help: String) -> Mistake {
        let message = self.text.get(range.clone()).map(|word| format!("`{word}` does not belong here"));
        Mistake { range: Some(range), message, help: Some(help), ..Mistake::default() }
    }

    /// A word in a condition.
    fn word(&self) -> Option<Mistake> {
        let word = self.here();
        let lower = word.to_lowercase();
        let behind = self.rest().get(word.len()..).unwrap_or("").trim_start();
        let operand = self.expects(&[Rule::path, Rule::operand, Rule::literal, Rule::negation, Rule::comparison])
            && !self.expects(&[Rule::EOI]);
        let help = if lower == "is" {
            let negated = behind.to_lowercase().starts_with("not");
            let field = self.field_before();
            if negated { format!("write `exists({field})`") } else { format!("write `not exists({field})`") }
        } else if WORDS.contains(&word) && behind.starts_with('(') {
            format!("`{word}` stands between a field and a text: `field {word} \"text\"`")
        } else if let Some((_, help)) = OPERATORS.iter().find(|(name, _)| *name == lower) {
            (*help).to_owned()
        } else if word == "by" || word == "within" {
            format!("`{word}` belongs into the behaviour")
        } else if operand && (WORDS.contains(&word) || matches!(word, "as" | "where" | "in" | "cased")) {
            return Some(Mistake {
                code: Some(Code::ReservedName),
                message: Some(format!("`{word}` is a word of the language")),
                help: Some(format!("a field of that name stands in back-quotes: `` `{word}` ``")),
                ..Mistake::default()
            });
        } else {
            return self.behind_word();
        };
        Some(Mistake { help: Some(help), ..Mistake::default() })
    }

    /// A place directly behind a word or a text.
    fn behind_word(&self) -> Option<Mistake> {
        let before = self.before();
        let rest = self.rest();
        if before.ends_with('"') && rest.starts_with(is_word) {
            let help = "a quote inside a text is written `\\\"`, or the text stands in single quotes";
            return Some(Mistake { help: Some(help.to_owned()), ..Mistake::default() });
        }
        if before.ends_with(is_word) && rest.starts_with('-') && rest.get(1..)?.starts_with(is_word) {
            let in_name = |character: char| is_word(character) || character == '-';
            let start = before.rfind(|character| !is_word(character)).map_or(0, |at| at + 1);
            let end = self.offset + rest.find(|character| !in_name(character)).unwrap_or(rest.len());
            let name = self.text.get(start..end)?;
            return Some(Mistake {
                range: Some(start..end),
                message: Some(format!("`{name}` is no plain name")),
                help: Some(format!("a name with other characters stands in back-quotes: `` `{name}` ``")),
                ..Mistake::default()
            });
        }
        None
    }

    /// The path that ends before the place.
    fn field_before(&self) -> &str {
        let before = self.before().trim_end();
        let field = before.rsplit(|character| !is_word(character) && character != '.').next().unwrap_or("");
        if field.is_empty() { "field" } else { field }
    }

    /// A word in a behaviour.
    fn behavior_word(&self) -> Option<Mistake> {
        let word = self.here();
        let (previous, range) = self.previous();
        let before_previous = self.text.get(..range.start).unwrap_or("").trim_end();
        let starts_step = before_previous.is_empty() || before_previous.ends_with("->");
        if previous == "not" && starts_step && !word.is_empty() {
            return Some(self.at(range, "absence is written `no`: `a -> no b`".to_owned()));
        }
        if let Some(name) =
            ["outlier", "spike"].into_iter().find(|name| self.before().trim_end().ends_with(&format!("{name}(")))
        {
            let help = format!("a baseline is made of an aggregate: `{name}(count({word}))`");
            return Some(Mistake { help: Some(help), ..Mistake::default() });
        }
        if matches!(previous, "by" | "within") && starts_step && !word.is_empty() {
            return Some(self.at(range, "a signal is missing before it".to_owned()));
        }
        let help = match word.to_lowercase().as_str() {
            "then" | "followed" | "before" => "steps are joined by `->`",
            "not" => "absence is written `no`: `a -> no b`",
            "of" => "a number of signals is written `2 of (a, b, c)`",
            "and" if self.expects(&[Rule::comma]) => "keys are separated by commas",
            "and" => "signals in any order are joined by `&`, steps by `->`",
            "or" => {
                "a choice stands alone: `a or b`; inside another behaviour make it a signal: `signals: { x: { behavior: a or b } }`"
            }
            "by" | "within" if self.expects(&[Rule::and, Rule::or]) => "`where` stands last; put this clause before it",
            "by" | "within" | "where" if self.expects(&[Rule::order_operator]) => {
                "add a threshold, such as `count(signal) >= 5`"
            }
            "over" | "per" | "above" | "learning" | "fixed" => "this clause is not part of the language yet",
            "in" | "for" | "during" => "the window is written `within 10m`",
            "if" | "when" => "conditions between steps stand behind `where`",
            _ if word.is_empty() && self.rest().starts_with('[') => return self.step_bracket(),
            _ if word.is_empty() && self.rest().starts_with(',') && self.expects(&[Rule::close_times]) => {
                "a repetition is one number: `signal{3}`"
            }
            _ => return None,
        };
        Some(Mistake { help: Some(help.to_owned()), ..Mistake::default() })
    }

    /// A bracket behind a step.
    fn step_bracket(&self) -> Option<Mistake> {
        let inner = self.rest().get(1..)?.split(']').next()?.trim();
        let (signal, _) = self.previous();
        let help = if !inner.is_empty() && inner.bytes().all(|byte| byte.is_ascii_digit()) {
            format!("a repetition is written `{signal}{{{inner}}}`")
        } else {
            format!("put conditions into the `where` of the signal `{signal}`")
        };
        Some(Mistake { help: Some(help), ..Mistake::default() })
    }

    /// Brackets of the wrong kind, without a partner, or empty.
    fn bracket(&self) -> Option<Mistake> {
        let rest = self.rest();
        let open = self.open_bracket();
        if rest.trim().is_empty() {
            let (range, bracket) = open?;
            let closing = if bracket == '(' { ')' } else { ']' };
            return Some(Mistake {
                help: Some(format!("add `{closing}`")),
                note: Some((range, "this is never closed")),
                ..Mistake::default()
            });
        }
        match (rest.chars().next()?, open) {
            (',', Some((range, '('))) => {
                let before = self.text.get(..range.start)?.trim_end();
                let operator = before.rsplit(|character| !is_word(character)).next()?;
                (operator == "in" || WORDS.contains(&operator)).then(|| Mistake {
                    range: Some(range.clone()),
                    message: Some("a list is written in brackets".to_owned()),
                    help: Some("write `[a, b]` instead of `(a, b)`".to_owned()),
                    ..Mistake::default()
                })
            }
            (closing @ (')' | ']'), None) => {
                let message = Some(format!("`{closing}` closes nothing"));
                Some(Mistake { message, help: Some("remove it".to_owned()), ..Mistake::default() })
            }
            ('<' | '>' | '=' | '!', _) if self.is_chain() => {
                let help = "two comparisons are joined by `and`: `a < b and b < c`";
                Some(Mistake { help: Some(help.to_owned()), ..Mistake::default() })
            }
            _ => None,
        }
    }

    /// Whether a comparison stands behind a whole comparison.
    fn is_chain(&self) -> bool {
        let rest = self.rest();
        let operator = ["==", "!=", "<", ">"].iter().any(|operator| rest.starts_with(operator));
        operator && !self.is_behavior && self.expects(&[Rule::and]) && !self.expects(&[Rule::order_operator])
    }

    /// The innermost bracket that is open at the place.
    fn open_bracket(&self) -> Option<(Range<usize>, char)> {
        let mut open = Vec::new();
        let mut quote = None;
        let mut escaped = false;
        for (offset, character) in self.before().char_indices() {
            match (quote, character) {
                (Some('"'), '\\') if !escaped => {
                    escaped = true;
                    continue;
                }
                (Some(opening), _) if opening == character && !escaped => quote = None,
                (Some(_), _) => {}
                (None, '"' | '\'' | '`') => quote = Some(character),
                (None, '(' | '[') => open.push((offset..offset + 1, character)),
                (None, ')' | ']') => {
                    open.pop();
                }
                (None, _) => {}
            }
            escaped = false;
        }
        open.pop()
    }

    /// A sign that means something elsewhere.
    fn sign(&self) -> Option<Mistake> {
        let rest = self.rest();
        let found = |(sign, help): &(&str, &str)| {
            rest.starts_with(sign).then(|| Mistake {
                range: Some(self.offset..self.offset + sign.len()),
                message: Some(format!("`{sign}` does not belong here")),
                help: Some((*help).to_owned()),
                ..Mistake::default()
            })
        };
        if self.before().ends_with('<') && rest.starts_with('>') {
            return Some(self.at(self.offset - 1..self.offset + 1, "write `!=`".to_owned()));
        }
        if self.is_behavior && self.before().ends_with('&') && rest.starts_with('&') {
            return Some(
                self.at(self.offset - 1..self.offset + 1, "signals in any order are joined by `&`".to_owned()),
            );
        }
        if self.is_behavior {
            return BEHAVIOR_SIGNS.iter().find_map(found);
        }
        let help = match rest.chars().next()? {
            '/' if !self.expects(&[Rule::and]) => "a pattern stands in quotes: `matches 'pattern'`",
            '/' | '-' if !rest.starts_with("->") && !rest.starts_with("//") => {
                "there is no arithmetic; compare fields and constants as they are"
            }
            '!' if !rest.starts_with("!~") => "write `not`, or `!=` between two values",
            ',' => "join conditions by `and` or `or`",
            '[' => {
                "a key in brackets stands directly behind its field; elements of a list take `any(list as x where ..)`"
            }
            _ => return SIGNS.iter().find_map(found),
        };
        Some(Mistake { help: Some(help.to_owned()), ..Mistake::default() })
    }
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '@' | '$')
}
