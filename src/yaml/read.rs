//! Builds the tree from the parser's events and refuses what the language leaves out of YAML.

use saphyr_parser::{Event, Parser, ScanError, Span as Characters};

use super::align::{Written, align};
use super::place::Places;
use super::{Entry, Node, NodeKind, OffsetMap, Scalar, ScalarStyle, explain, refuse};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::{FileId, Span, Spanned};

/// How many collections can stand inside each other.
pub const MAX_DEPTH: usize = 32;

/// What people can do about a text that YAML reads in its own way.
pub(super) const QUOTE: &str = "quote the whole value, or use a `|` block";

/// Reads a text; the tree is there unless the text cannot be read to its end.
#[must_use]
pub fn parse(file: FileId, text: &str) -> (Option<Node>, Diagnostics) {
    let source = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader {
        file,
        source,
        shift: text.len() - source.len(),
        places: Places::new(source),
        open: Vec::new(),
        root: None,
        last_end: 0,
        closed: None,
        diagnostics: Diagnostics::new(),
    };
    let root = reader.read();
    (root, reader.diagnostics)
}

/// A collection whose end has not come yet.
struct Open {
    start: usize,
    /// Whether it is written with brackets.
    flow: bool,
    kind: OpenKind,
}

/// What is collected.
enum OpenKind {
    Sequence(Vec<Node>),
    Mapping { entries: Vec<Entry>, key: Key },
}

/// The state of a mapping between two values.
enum Key {
    /// A key comes next.
    Due,
    /// A value comes next.
    Read(Spanned<String>),
    /// A value comes next and is thrown away with its key, which is no text.
    Refused,
}

struct Reader<'a> {
    file: FileId,
    source: &'a str,
    /// Number of bytes that were cut off before `source`.
    shift: usize,
    places: Places<'a>,
    open: Vec<Open>,
    root: Option<Node>,
    /// Offset behind the last thing that was read.
    last_end: usize,
    /// The collection in brackets that was closed last.
    closed: Option<(usize, usize)>,
    diagnostics: Diagnostics,
}

impl<'a> Reader<'a> {
    /// Reads the first document.
    fn read(&mut self) -> Option<Node> {
        if let Some(diagnostic) = refuse::forbidden_character(self.source, |start, end| self.span(start, end)) {
            self.diagnostics.push(diagnostic);
            return None;
        }
        let mut parser = Parser::new_from_str(self.source);
        let mut documents = 0;
        while let Some(event) = parser.next_event() {
            match event {
                Ok((Event::StreamEnd, _)) => break,
                Ok((Event::DocumentStart(explicit), place)) => {
                    let (start, end) = self.range(place);
                    documents += 1;
                    if documents > 1 {
                        self.diagnostics.push(refuse::second_document(self.span(start, end)));
                        break;
                    }
                    self.last_end = if explicit { end } else { start };
                }
                Ok((event, place)) => self.event(event, place)?,
                Err(error) => {
                    self.scan_error(&error);
                    return None;
                }
            }
        }
        self.finish()
    }

    /// Adds what an event stands for; `None` where reading has to stop.
    fn event(&mut self, event: Event<'_>, place: Characters) -> Option<()> {
        let (start, end) = self.range(place);
        match event {
            Event::Alias(_) => self.alias(start, end),
            Event::Scalar(text, style, anchor, tag) => {
                let start = self.refuse_marks(anchor, tag.is_some(), start);
                self.scalar(text.into_owned(), convert(style), start, end);
            }
            Event::SequenceStart(anchor, tag) => {
                let start = self.refuse_marks(anchor, tag.is_some(), start);
                self.open(start, end, OpenKind::Sequence(Vec::new()))?;
            }
            Event::MappingStart(anchor, tag) => {
                let start = self.refuse_marks(anchor, tag.is_some(), start);
                self.open(start, end, OpenKind::Mapping { entries: Vec::new(), key: Key::Due })?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(end),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {}
        }
        Some(())
    }

    /// Reports where the parser gave up, and takes back what was said about the text that it misread.
    fn scan_error(&mut self, error: &ScanError) {
        let place = explain::Place {
            source: self.source,
            at: self.places.byte(error.marker().index()),
            last_end: self.last_end,
            bracket: self.open.iter().rev().find(|open| open.flow).map(|open| open.start),
            closed: self.closed,
        };
        let diagnostic = explain::scan_error(error.info(), &place, |start, end| self.span(start, end));
        if let Some(span) = diagnostic.span {
            self.take_back(span);
        }
        self.diagnostics.push(diagnostic);
    }

    /// Takes back what was found inside a span.
    fn take_back(&mut self, span: Span) {
        let inside = |inner: Span| span.start <= inner.start && inner.end <= span.end;
        let found = std::mem::take(&mut self.diagnostics);
        self.diagnostics.extend(found.into_iter().filter(|diagnostic| !diagnostic.span.is_some_and(inside)));
    }

    /// The tree, if there is anything in it.
    fn finish(&mut self) -> Option<Node> {
        let nothing = |node: &Node| {
            node.as_scalar().is_some_and(|scalar| scalar.text.is_empty() && scalar.style == ScalarStyle::Plain)
        };
        let root = self.root.take().filter(|node| !nothing(node));
        if root.is_none() {
            let diagnostic = Diagnostic::new(Code::EmptyDocument, self.span(0, 0), "the file is empty");
            self.diagnostics.push(diagnostic.help("write a detection or a list, or remove the file"));
        }
        root
    }

    /// Opens a collection; `None` when it is nested too deeply, where reading stops.
    fn open(&mut self, start: usize, end: usize, kind: OpenKind) -> Option<()> {
        if self.open.len() >= MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} lists and mappings stand inside each other");
            let diagnostic = Diagnostic::new(Code::TooDeep, self.span(start, end.max(start + 1)), message);
            self.diagnostics.push(diagnostic.help("write it flatter"));
            return None;
        }
        let flow = matches!(self.source.as_bytes().get(start), Some(b'{' | b'[')) && end > start;
        if flow {
            self.last_end = end;
        }
        self.open.push(Open { start, flow, kind });
        Some(())
    }

    /// Ends the innermost collection.
    fn close(&mut self, end: usize) {
        let Some(open) = self.open.pop() else { return };
        if open.flow {
            self.last_end = end;
            self.closed = Some((open.start, end));
        }
        let kind = match open.kind {
            OpenKind::Sequence(items) => NodeKind::Sequence(items),
            OpenKind::Mapping { entries, .. } => NodeKind::Mapping(self.without_duplicates(entries)),
        };
        let span = self.span(open.start, self.last_end.max(open.start));
        self.add(Node { span, kind });
    }

    /// Puts a finished value where it belongs.
    fn add(&mut self, node: Node) {
        let Some(Open { kind, flow, start }) = self.open.last_mut() else {
            self.root = Some(node);
            return;
        };
        match kind {
            OpenKind::Sequence(items) => items.push(node),
            OpenKind::Mapping { entries, key } => match std::mem::replace(key, Key::Due) {
                Key::Read(name) => entries.push(Entry { key: name, value: node }),
                Key::Refused => {}
                Key::Due => match node.kind {
                    NodeKind::Scalar(scalar) => {
                        // An empty key in an empty key is one mistake.
                        if let Some(diagnostic) = refuse::text_as_key(&scalar, node.span) {
                            let message = &diagnostic.message;
                            let same = |other: &Diagnostic| other.span == diagnostic.span && other.message == *message;
                            if !self.diagnostics.iter().any(same) {
                                self.diagnostics.push(diagnostic);
                            }
                            *key = Key::Refused;
                        } else {
                            *key = Key::Read(Spanned::new(scalar.text, node.span));
                        }
                    }
                    NodeKind::Sequence(_) | NodeKind::Mapping(_) => {
                        *key = Key::Refused;
                        let doubled = *flow && self.source.get(*start..).is_some_and(|rest| rest.starts_with("{{"));
                        self.take_back(node.span);
                        self.diagnostics.push(refuse::collection_as_key(node.span, doubled));
                    }
                },
            },
        }
    }

    /// Adds a text.
    fn scalar(&mut self, text: String, style: ScalarStyle, start: usize, end: usize) {
        if text.is_empty() && style == ScalarStyle::Plain {
            self.left_out();
            return;
        }
        let written = Written { source: self.source, shift: self.shift, start, end, text: &text, style };
        let aligned = align(self.file, &written);
        let comment = if style == ScalarStyle::Plain { self.comment_behind(aligned.end) } else { None };
        self.last_end = aligned.end;
        let span = self.span(start, aligned.end.max(start));
        self.add(Node { span, kind: NodeKind::Scalar(Scalar { text, style, map: aligned.map, comment }) });
    }

    /// Adds the text that stands for a value that is not there.
    fn left_out(&mut self) {
        let behind = self.source.get(self.last_end..).unwrap_or("");
        let blanks = behind.len() - behind.trim_start_matches([' ', '\t']).len();
        let indicator = behind.get(blanks..).is_some_and(|rest| rest.starts_with([':', '-', '?']));
        if !indicator
            && let Some(Open { flow: true, kind: OpenKind::Mapping { key: Key::Read(name), .. }, .. }) =
                self.open.last()
        {
            let diagnostic = Diagnostic::new(Code::InvalidYaml, name.span, format!("`{}` has no value", name.node))
                .label("a comma ends a value inside `{ }`")
                .help(QUOTE);
            self.diagnostics.push(diagnostic);
        }
        let point = if indicator { self.last_end + blanks + 1 } else { self.last_end };
        let map = OffsetMap::straight(self.file, point + self.shift);
        let scalar = Scalar { text: String::new(), style: ScalarStyle::Plain, map, comment: None };
        self.last_end = point;
        self.add(Node { span: self.span(point, point), kind: NodeKind::Scalar(scalar) });
    }

    /// The comment that ends an unquoted text, from its `#` to the end of the line.
    fn comment_behind(&self, end: usize) -> Option<Span> {
        let rest = self.source.get(end..)?;
        let comment = rest.trim_start_matches([' ', '\t']);
        if !comment.starts_with('#') {
            return None;
        }
        let start = end + rest.len() - comment.len();
        let comment = comment.lines().next().unwrap_or("").trim_end();
        Some(self.span(start, start + comment.len()))
    }

    /// Refuses an alias and adds its name in the place of what it stands for.
    fn alias(&mut self, start: usize, end: usize) {
        let name = self.source.get(start..end).unwrap_or("").trim_end().to_owned();
        let end = start + name.len();
        self.diagnostics.push(refuse::alias(self.span(start, end), &name));
        let map = OffsetMap::straight(self.file, start + self.shift);
        let scalar = Scalar { text: name, style: ScalarStyle::Plain, map, comment: None };
        self.last_end = end;
        self.add(Node { span: self.span(start, end), kind: NodeKind::Scalar(scalar) });
    }

    /// Refuses the anchor and the tag that a value begins with; returns where the value itself begins.
    fn refuse_marks(&mut self, anchor: usize, tag: bool, start: usize) -> usize {
        let mut at = start;
        for _ in 0..usize::from(anchor != 0) + usize::from(tag) {
            let rest = self.source.get(at..).unwrap_or("");
            let word = rest.split([' ', '\t', '\r', '\n', ',', '[', ']', '{', '}']).next().unwrap_or("");
            let span = self.span(at, at + word.len());
            self.last_end = at + word.len();
            self.diagnostics.push(refuse::mark(span, word));
            at += word.len();
            let behind = rest.get(word.len()..).unwrap_or("");
            at += behind.len() - behind.trim_start_matches([' ', '\t', '\r', '\n']).len();
        }
        at
    }

    /// Keeps the first of several entries with one key and reports the others.
    fn without_duplicates(&mut self, mut entries: Vec<Entry>) -> Vec<Entry> {
        if entries.len() < 2 {
            return entries;
        }
        let mut order: Vec<usize> = (0..entries.len()).collect();
        let key = |index: &usize| entries.get(*index).map(|entry| entry.key.node.as_str());
        order.sort_by_key(|index| (key(index), *index));
        let mut repeated = Vec::new();
        for group in order.chunk_by(|left, right| key(left) == key(right)) {
            if let [first, others @ ..] = group {
                repeated.extend(others.iter().map(|other| (*other, *first)));
            }
        }
        if repeated.is_empty() {
            return entries;
        }
        repeated.sort_unstable();
        for (other, first) in &repeated {
            if let (Some(other), Some(first)) = (entries.get(*other), entries.get(*first)) {
                let message = format!("the key `{}` stands twice", other.key.node);
                let diagnostic = Diagnostic::new(Code::DuplicateKey, other.key.span, message)
                    .label("used again here")
                    .note(first.key.span, "first used here")
                    .help("remove one of the two");
                self.diagnostics.push(diagnostic);
            }
        }
        let mut index = 0;
        entries.retain(|_| {
            index += 1;
            repeated.binary_search_by_key(&(index - 1), |(other, _)| *other).is_err()
        });
        entries
    }

    /// Byte offsets of what the parser gives in characters.
    fn range(&self, place: Characters) -> (usize, usize) {
        let start = self.places.byte(place.start.index());
        let end = if place.end.index() == place.start.index() { start } else { self.places.byte(place.end.index()) };
        (start, end)
    }

    /// A span in the file; the parser's places can be off by a few characters behind a directive.
    fn span(&self, start: usize, end: usize) -> Span {
        let boundary = |mut offset: usize| {
            while offset < self.source.len() && !self.source.is_char_boundary(offset) {
                offset += 1;
            }
            offset.min(self.source.len())
        };
        Span::new(self.file, boundary(start) + self.shift, boundary(end) + self.shift)
    }
}

/// The style in our words.
const fn convert(style: saphyr_parser::ScalarStyle) -> ScalarStyle {
    match style {
        saphyr_parser::ScalarStyle::Plain => ScalarStyle::Plain,
        saphyr_parser::ScalarStyle::SingleQuoted => ScalarStyle::SingleQuoted,
        saphyr_parser::ScalarStyle::DoubleQuoted => ScalarStyle::DoubleQuoted,
        saphyr_parser::ScalarStyle::Literal => ScalarStyle::Literal,
        saphyr_parser::ScalarStyle::Folded => ScalarStyle::Folded,
    }
}
