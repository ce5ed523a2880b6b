//! Writes a text in every style and remembers where each of its characters ends up.

use detc::yaml::ScalarStyle;

/// A document with one key `k`, and the bytes at which each character of its value stands.
pub struct Written {
    pub document: String,
    pub places: Vec<(usize, usize)>,
}

/// Writes a text; `choices` decide wherever YAML leaves a choice. The text has to suit the style, see [`suit`].
pub fn write(text: &str, style: ScalarStyle, choices: &[u8]) -> Written {
    let mut writer = Writer::new(choices);
    if writer.choose() {
        writer.document.push('\u{feff}');
    }
    if writer.choose() {
        writer.document.push_str("# é 日 \u{1f600}");
        writer.line_break();
    }
    writer.document.push_str("k: ");
    match style {
        ScalarStyle::Plain => writer.plain(text),
        ScalarStyle::SingleQuoted => writer.single_quoted(text),
        ScalarStyle::DoubleQuoted => writer.double_quoted(text),
        ScalarStyle::Literal => writer.block(text, false),
        ScalarStyle::Folded => writer.block(text, true),
    }
    Written { document: writer.document, places: writer.places }
}

/// Takes out of a random text what the style cannot hold.
pub fn suit(text: &str, style: ScalarStyle) -> String {
    let mut text = text.to_owned();
    if style == ScalarStyle::Plain {
        text.retain(|c| !matches!(c, '\'' | '"' | '\\' | '#' | ':' | '\t'));
    }
    if matches!(style, ScalarStyle::Plain | ScalarStyle::SingleQuoted) {
        while let Some(at) = [" \n", "\t\n", "\n ", "\n\t"].iter().find_map(|pair| text.find(pair)) {
            text.replace_range(at..at + 2, "\n");
        }
    }
    match style {
        ScalarStyle::Plain => {
            let text = text.trim();
            if text.is_empty() { "x".to_owned() } else { text.to_owned() }
        }
        ScalarStyle::Literal | ScalarStyle::Folded if text.trim_matches('\n').is_empty() => "x\n".to_owned(),
        _ => text,
    }
}

struct Writer<'a> {
    document: String,
    places: Vec<(usize, usize)>,
    choices: std::iter::Cycle<std::slice::Iter<'a, u8>>,
    line_break: &'static str,
}

impl<'a> Writer<'a> {
    fn new(choices: &'a [u8]) -> Self {
        let mut writer =
            Self { document: String::new(), places: Vec::new(), choices: choices.iter().cycle(), line_break: "\n" };
        writer.line_break = if writer.choose() { "\r\n" } else { "\n" };
        writer
    }

    fn choose(&mut self) -> bool {
        self.choices.next().is_some_and(|choice| choice % 2 == 1)
    }

    /// Writes what stands for one character.
    fn put(&mut self, written: &str) {
        let start = self.document.len();
        self.document.push_str(written);
        self.places.push((start, self.document.len()));
    }

    fn line_break(&mut self) {
        self.document.push_str(self.line_break);
    }

    fn plain(&mut self, text: &str) {
        self.flow(text, |writer, character| writer.put(&character.to_string()));
        self.end();
    }

    fn single_quoted(&mut self, text: &str) {
        self.document.push('\'');
        self.flow(text, |writer, character| match character {
            '\'' => writer.put("''"),
            other => writer.put(&other.to_string()),
        });
        self.document.push('\'');
        self.end();
    }

    /// Writes a text of which blanks can be line breaks and line breaks are one more break.
    fn flow(&mut self, text: &str, put: impl Fn(&mut Self, char)) {
        let characters: Vec<char> = text.chars().collect();
        let mut before = None;
        for (index, character) in characters.iter().enumerate() {
            let after = characters.get(index + 1);
            let word = |c: Option<&char>| c.is_some_and(|c| !c.is_whitespace());
            if *character == '\n' {
                if before != Some('\n') {
                    self.line_break();
                }
                self.put(self.line_break);
                if word(after) || after.is_none() {
                    self.document.push_str("   ");
                }
            } else if *character == ' ' && word(before.as_ref()) && word(after) && self.choose() {
                self.put(self.line_break);
                self.document.push_str("  ");
            } else {
                put(self, *character);
            }
            before = Some(*character);
        }
    }

    fn double_quoted(&mut self, text: &str) {
        self.document.push('"');
        for character in text.chars() {
            if self.choose() && self.choose() {
                self.document.push('\\');
                self.line_break();
                self.document.push_str("    ");
            }
            let escape = self.choose();
            match character {
                '"' => self.put("\\\""),
                '\\' => self.put("\\\\"),
                '\n' => self.put("\\n"),
                '\t' => self.put("\\t"),
                ' ' => self.put("\\ "),
                other if escape && self.choose() => self.put(&format!("\\U{:08x}", u32::from(other))),
                other if escape && u32::from(other) < 0x100 => self.put(&format!("\\x{:02x}", u32::from(other))),
                other if escape && u32::from(other) < 0x10000 => self.put(&format!("\\u{:04X}", u32::from(other))),
                other => self.put(&other.to_string()),
            }
        }
        if self.choose() {
            self.document.push('\\');
            self.line_break();
            self.document.push_str("  ");
        }
        self.document.push('"');
        self.end();
    }

    fn block(&mut self, text: &str, folded: bool) {
        let body = text.trim_end_matches('\n');
        let tail = text.len() - body.len();
        self.document.push(if folded { '>' } else { '|' });
        let lines: Vec<&str> = body.split('\n').collect();
        let first = lines.iter().find(|line| !line.is_empty()).copied().unwrap_or("");
        let indent = if first.starts_with([' ', '\t']) || self.choose() {
            self.document.push('3');
            "   "
        } else {
            "  "
        };
        self.document.push_str(["-", "", "+"].get(tail.min(2)).copied().unwrap_or(""));
        if self.choose() {
            self.document.push_str("  # comment");
        }
        self.line_break();
        let blank = |line: &str| line.starts_with([' ', '\t']);
        let mut previous: Option<&str> = None;
        let mut gap = 0;
        for (index, line) in lines.iter().enumerate() {
            if index > 0 {
                gap += 1;
            }
            if line.is_empty() {
                continue;
            }
            if folded && gap > 0 && previous.is_some_and(|previous| !blank(previous)) && !blank(line) {
                self.line_break();
            }
            for _ in 0..std::mem::take(&mut gap) {
                self.put(self.line_break);
            }
            self.document.push_str(indent);
            self.content(line, folded && !blank(line), indent);
            previous = Some(line);
        }
        let open = tail == 1 && self.choose();
        for _ in 0..tail {
            self.put(if open { "" } else { self.line_break });
        }
        if tail == 0 {
            self.end();
        } else if !open && tail < 2 && self.choose() {
            self.document.push_str("z: 1");
        }
    }

    /// Writes a line of a block; a blank between words can be a line break where lines are folded.
    fn content(&mut self, line: &str, fold: bool, indent: &str) {
        let characters: Vec<char> = line.chars().collect();
        for (index, character) in characters.iter().enumerate() {
            let word = |at: Option<usize>| at.and_then(|at| characters.get(at)).is_some_and(|c| !c.is_whitespace());
            if fold && *character == ' ' && word(index.checked_sub(1)) && word(Some(index + 1)) && self.choose() {
                self.put(self.line_break);
                self.document.push_str(indent);
            } else {
                self.put(&character.to_string());
            }
        }
    }

    /// Ends the value: with the file, with a comment, or with another key.
    fn end(&mut self) {
        if self.choose() {
            self.line_break();
            if self.choose() {
                self.document.push_str("z: 1");
                self.line_break();
            }
        }
    }
}
