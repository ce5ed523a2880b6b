//! Says in the words of the language where YAML gave up, and why.
//!
//! Never repairs: a text that YAML misreads is refused with the advice to quote it.

use super::read::QUOTE;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;

/// Where the parser gave up.
pub struct Place<'a> {
    /// The file's text without its byte order mark.
    pub source: &'a str,
    /// Where the parser says the error is; often behind its cause.
    pub at: usize,
    /// Offset behind the last thing that was read.
    pub last_end: usize,
    /// The innermost bracket that is open.
    pub bracket: Option<usize>,
    /// The collection in brackets that was read last.
    pub closed: Option<(usize, usize)>,
}

/// What the parser's error means.
pub fn scan_error(info: &str, place: &Place<'_>, span: impl Fn(usize, usize) -> Span) -> Diagnostic {
    let found = place.brackets_lead().or_else(|| place.by_info(info)).unwrap_or_else(|| place.other(info));
    let diagnostic = Diagnostic::new(found.code, span(found.start, found.end.max(found.start)), found.message);
    let diagnostic = found.help.iter().fold(diagnostic, |diagnostic, help| diagnostic.help(*help));
    if found.label.is_empty() { diagnostic } else { diagnostic.label(found.label) }
}

/// A finding whose place is still an offset.
struct Found {
    code: Code,
    start: usize,
    end: usize,
    message: String,
    label: &'static str,
    help: &'static [&'static str],
}

impl Found {
    fn new(start: usize, end: usize, message: impl Into<String>) -> Self {
        Self { code: Code::InvalidYaml, start, end, message: message.into(), label: "", help: &[QUOTE] }
    }

    fn code(self, code: Code) -> Self {
        Self { code, ..self }
    }

    fn label(self, label: &'static str) -> Self {
        Self { label, ..self }
    }

    fn help(self, help: &'static [&'static str]) -> Self {
        Self { help, ..self }
    }
}

impl<'a> Place<'a> {
    /// A value whose beginning was read as a collection in brackets and that goes on behind it.
    fn brackets_lead(&self) -> Option<Found> {
        let (start, end) = self.closed?;
        let gap = self.source.get(end..self.at)?;
        let rest = self.rest(self.at);
        let separator = self.bracket.is_some() && rest.starts_with([',', '}', ']', ':']);
        if !gap.trim_matches([' ', '\t']).is_empty() || separator || rest.starts_with(['#', '\n', '\r']) {
            return None;
        }
        let what =
            if self.rest(start).starts_with('{') { "`{`, which opens a mapping" } else { "`[`, which opens a list" };
        let end = self.value_end(self.at);
        Some(Found::new(start, end, format!("the value starts with {what} in YAML")))
    }

    /// The errors that have a known cause.
    fn by_info(&self, info: &str) -> Option<Found> {
        let at = self.at;
        let has = |words: &str| info.contains(words);
        let found = if has("recursion limit") {
            Found::new(at, at + self.width(at), "lists and mappings are nested too deeply")
                .code(Code::TooDeep)
                .help(&["write it flatter"])
        } else if has("tab") && !has("expected") {
            self.tab()?
        } else if has("mapping values are not allowed") {
            self.colon()
        } else if has("simple key expect") {
            self.line_without_key()?
        } else if has("escape") && has("quoted scalar") || has("hexadecimal") {
            self.escape()?
        } else if has("quoted scalar, found unexpected") || has("indentation in quoted scalar") {
            Found::new(at, at + 1, "the closing quote is missing").help(&["close the quote, or use a `|` block"])
        } else if has("trailing content after double-quoted") {
            self.behind_quote()
        } else if has("comment intercepting") {
            Found::new(at, self.line_end(at), "a comment stands inside a text of several lines")
        } else if has("scanning a block scalar, did not find") {
            Found::new(at, self.line_end(at), "the text of a block starts on the line behind its header")
                .help(&["write the text on the next line and indent it, or quote the whole value"])
        } else if has("expected ',' or") || has("illegal placement of ':'") {
            self.in_brackets()
        } else {
            self.first_character(info)?
        };
        Some(found)
    }

    /// A value that starts with a character that means something else to YAML.
    fn first_character(&self, info: &str) -> Option<Found> {
        let at = self.at;
        let end = self.value_end(at);
        let word_end = at + self.rest(at).find([' ', '\t', '\r', '\n', ',', '}', ']']).unwrap_or(0).max(1);
        let word = self.source.get(at..word_end)?;
        let found = match self.rest(at).chars().next()? {
            '*' => Found::new(at, end, format!("`{word}` is an alias in YAML, which the language does not have"))
                .code(Code::AnchorOrAlias),
            '&' => Found::new(at, end, format!("`{word}` is an anchor in YAML, which the language does not have"))
                .code(Code::AnchorOrAlias),
            '!' => Found::new(at, end, format!("`{word}` is a tag in YAML, which the language does not have"))
                .code(Code::YamlTag),
            '`' => Found::new(at, end, "a value cannot start with a back-quote in YAML"),
            character @ ('@' | '%') => Found::new(at, end, format!("a value cannot start with `{character}` in YAML")),
            character @ ('}' | ']') if info == "misplaced bracket" => {
                Found::new(at, at + 1, format!("`{character}` closes nothing"))
            }
            '-' => Found::new(at, at + 1, "a list cannot start on the line of its key")
                .help(&["start the list on the next line", QUOTE]),
            '?' => Found::new(at, at + 1, "a value cannot start with `? ` in YAML"),
            _ => return None,
        };
        Some(found)
    }

    /// A colon with a blank where no key can stand.
    fn colon(&self) -> Found {
        let at = self.at;
        let before = self.source.get(self.line_start(at)..at).unwrap_or("");
        let before = before.trim_start_matches([' ', '-']);
        let word = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || "_-./$".contains(c));
        if !word(before) {
            return Found::new(at, at + 1, "`: ` inside a value starts another value in YAML")
                .label("the text is cut here");
        }
        let start = at - before.len();
        let found = Found::new(start, at, format!("the key `{before}` cannot stand here"));
        let above = self.source.get(..self.line_start(at)).unwrap_or("").trim_end();
        let above = above.rsplit('\n').next().unwrap_or("").trim_start_matches([' ', '-']);
        match above.split_once(':') {
            Some((key, rest)) if word(key) && !rest.starts_with(' ') && !rest.is_empty() => found
                .label("the line above is read as a text")
                .help(&["write a blank behind the colon in the line above"]),
            _ => found.label("the value above goes on to here").help(&["indent the key like those beside it", QUOTE]),
        }
    }

    /// A line in which no key is followed by a colon.
    fn line_without_key(&self) -> Option<Found> {
        let mut start = self.line_end(self.last_end);
        while let Some(blank) =
            self.source.get(start..).map(|rest| rest.len() - rest.trim_start().len()).filter(|n| *n > 0)
        {
            start += blank;
            if self.rest(start).starts_with('#') {
                start = self.line_end(start);
            }
        }
        let end = self.line_end(start);
        (start <= self.at && end > start).then(|| {
            Found::new(start, end, "this line is no key with a value").help(&[
                "indent it if it belongs to the value above, or write that value in a `|` block",
                "a key is followed by a colon and a blank",
            ])
        })
    }

    /// A tab in the indentation, at the error or in a line behind it.
    fn tab(&self) -> Option<Found> {
        let mut start = self.line_start(self.at);
        loop {
            let line = self.source.get(start..self.line_end(start))?;
            let blanks = line.get(..line.len() - line.trim_start().len())?;
            if let Some(tab) = blanks.find('\t') {
                let tab = start + tab;
                return Some(Found::new(tab, tab + 1, "a tab stands in the indentation").help(&["indent with spaces"]));
            }
            start = self.line_end(start) + 1;
        }
    }

    /// An unknown escape in double quotes.
    fn escape(&self) -> Option<Found> {
        let mut at = self.at;
        loop {
            at += self.rest(at).find('\\')?;
            let rest = self.source.get(at + 1..)?;
            let escaped = rest.chars().next()?;
            let digits = match escaped {
                'x' => 2,
                'u' => 4,
                'U' => 8,
                '0' | 'a' | 'b' | 't' | '\t' | 'n' | 'v' | 'f' | 'r' | 'e' | ' ' | '"' | '/' | '\\' | 'N' | '_'
                | 'L' | 'P' | '\n' | '\r' => 0,
                _ => usize::MAX,
            };
            let number = rest.get(1..1 + digits.min(8)).and_then(|digits| u32::from_str_radix(digits, 16).ok());
            let known = digits == 0 || (digits <= 8 && number.and_then(char::from_u32).is_some());
            if !known {
                let end = at + 1 + escaped.len_utf8();
                let message = format!("`\\{escaped}` is no escape in double quotes");
                return Some(
                    Found::new(at, end, message)
                        .help(&["write `\\\\` for a backslash, or put the value in single quotes or in a `|` block"]),
                );
            }
            at += 1 + escaped.len_utf8();
        }
    }

    /// Text behind a closing quote.
    fn behind_quote(&self) -> Found {
        let end = self.value_end(self.at).max(self.at + self.width(self.at));
        Found::new(self.at, end, "the value goes on behind its closing quote")
    }

    /// Something that ends a value inside brackets, or a bracket that is never closed.
    fn in_brackets(&self) -> Found {
        let at = self.at;
        let open = self.bracket.unwrap_or(at);
        let brackets = if self.rest(open).starts_with('[') { "[ ]" } else { "{ }" };
        let value_goes_on =
            self.source.get(self.last_end..at).is_some_and(|gap| gap.trim_matches([' ', '\t']).is_empty());
        match self.rest(at).chars().next() {
            Some(character @ ('[' | '{')) if value_goes_on => Found::new(
                at,
                at + 1,
                format!("`{character}` cannot stand in a value without quotes inside `{brackets}`"),
            ),
            Some(':') if value_goes_on => {
                Found::new(at, at + 1, "`: ` inside a value starts another value in YAML").label("the text is cut here")
            }
            Some(character) if value_goes_on && !matches!(character, '\n' | '\r') => Found::new(
                at,
                at + character.len_utf8(),
                format!("a comma or the closing bracket of `{brackets}` is missing"),
            ),
            _ => {
                let bracket = brackets.chars().next().unwrap_or('[');
                Found::new(open, open + 1, format!("`{bracket}` is never closed")).help(&["close the bracket", QUOTE])
            }
        }
    }

    /// Everything that needs no advice of its own.
    fn other(&self, info: &str) -> Found {
        let at = if self.at >= self.source.len() { self.last_end } else { self.at };
        let before = self.source.get(self.line_start(at)..at).unwrap_or("");
        let end = at + self.width(at);
        let indentation: &[&str] = &["indent it like the lines that it belongs to", QUOTE];
        if info.contains("block mapping, did not find expected key") && before.trim() == "-" {
            Found::new(at - before.trim_start().len(), at, "a list entry cannot stand beside keys").help(indentation)
        } else if info.contains("block mapping, did not find expected key") {
            let message = if before.trim().is_empty() {
                "the indentation of this line fits none above"
            } else {
                "a key is expected here"
            };
            Found::new(at, end, message).help(indentation)
        } else if info.contains("expected '-' indicator") {
            Found::new(at, end, "a list entry is expected here").help(&["start the line with `- `, or indent it less"])
        } else if info.contains("expected node content") {
            Found::new(at, end, "a value is expected here")
        } else if info.contains("<document start>") || info.contains("<document-start>") {
            Found::new(at, end, "nothing can follow the value that the document consists of")
        } else {
            let reason =
                info.strip_prefix("while ").and_then(|rest| rest.split_once(", ")).map_or(info, |(_, reason)| reason);
            Found::new(at, end, format!("YAML gives up here: {}", reason.replace('\'', "`")))
        }
    }

    /// The text from an offset on.
    fn rest(&self, at: usize) -> &'a str {
        self.source.get(at..).unwrap_or("")
    }

    /// Width of the character at an offset; nothing at the end of a line.
    fn width(&self, at: usize) -> usize {
        self.rest(at).chars().next().filter(|c| !matches!(c, '\n' | '\r')).map_or(0, char::len_utf8)
    }

    /// Offset of the first character of a line.
    fn line_start(&self, at: usize) -> usize {
        self.source.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1)
    }

    /// Offset behind the last character of a line.
    fn line_end(&self, at: usize) -> usize {
        let rest = self.rest(at);
        let line = rest.split('\n').next().unwrap_or("");
        at + line.trim_end_matches('\r').len()
    }

    /// Offset behind a value without quotes that goes on from `at`: the line's end, or what closes it in brackets.
    fn value_end(&self, at: usize) -> usize {
        let line = self.source.get(at..self.line_end(at)).unwrap_or("");
        let value = match self.bracket {
            Some(_) => line.split([',', '}', ']']).next().unwrap_or(""),
            None => line,
        };
        at + value.trim_end().len()
    }
}
