//! Places of characters, values, keys and collections.

use detc::source::{FileId, Sources};
use detc::yaml::{Node, NodeKind, ScalarStyle, parse};
use proptest::prelude::*;

use super::{covered, tree, written};

/// Checks the decoded text of the key `k`, and line and column of its last character that is no line break.
#[track_caller]
fn last_character(text: &str, decoded: &str, line: usize, column: usize) {
    let root = tree(text);
    let scalar = root.get("k").unwrap().as_scalar().unwrap();
    assert_eq!(scalar.text, decoded);
    let (last, character) = decoded.trim_end_matches('\n').char_indices().next_back().unwrap();
    let span = scalar.span_of(last..last + character.len_utf8());
    let mut sources = Sources::default();
    let file = sources.add("x.yml", text);
    let position = sources.position(file, span.start).unwrap();
    assert_eq!((position.line, position.column), (line, column), "{text:?} {span:?}");
}

#[test]
fn the_last_character_of_hard_texts_has_its_place() {
    last_character("k: plain text\n", "plain text", 1, 13);
    last_character("k: plain over\n   two lines\n", "plain over two lines", 2, 12);
    last_character("k: plain over\n\n\n  gaps", "plain over\n\ngaps", 4, 6);
    last_character("k: 'it''s'\n", "it's", 1, 9);
    last_character("k: 'one\n  two'\n", "one two", 2, 5);
    last_character("k: \"a\\\"b\\u00e9c\"\n", "a\"béc", 1, 15);
    last_character("k: \"a\\\n    b \\\n\n    \\x41\"\n", "ab \nA", 4, 5);
    last_character("k: |\n  one\n  two\n", "one\ntwo\n", 3, 5);
    last_character("k: |2\n    indented\n  two\n", "  indented\ntwo\n", 3, 5);
    last_character("k: |+\n  one\n\n\nz: 1\n", "one\n\n\n", 2, 5);
    last_character("k: |-\r\n  one\r\n\r\n  two\r\nz: 1\r\n", "one\n\ntwo", 4, 5);
    last_character("k: >\n  one\n    more\n  two\n", "one\n  more\ntwo\n", 4, 5);
    last_character("k: >-\n\n\n  one\n  two\n", "\n\none two", 5, 5);
    last_character("k: >-\n  one\n\n  two", "one\ntwo", 4, 5);
    last_character("k: |\n  \u{1f600} é = ü\n  日本\n", "\u{1f600} é = ü\n日本\n", 3, 4);
    last_character("k: |\n  one\ttwo\t\n", "one\ttwo\t\n", 2, 10);
    last_character("k: |\n  no newline", "no newline\n", 2, 12);
    last_character("\u{feff}k: after a mark\n", "after a mark", 1, 15);
    last_character("é: ü\nk: y # comment\n", "y", 2, 4);
}

#[test]
fn the_point_behind_a_block_stands_at_the_end_of_its_last_line() {
    let text = "k: |\n  one ==\nz: 1\n";
    let root = tree(text);
    let scalar = root.get("k").unwrap().as_scalar().unwrap();
    let point = scalar.span_of(scalar.text.len()..scalar.text.len());
    assert_eq!((point.start as usize, point.end as usize), (13, 13));
}

#[test]
fn values_and_collections_cover_what_is_written() {
    let text = "a: 'x'   # comment\nb: [1, {c: \"d\"}]\ne:\n  - f: |\n      g\n      h\n\n  - i\nj:\nk: {l: , m: n}\n";
    let root = tree(text);
    let at = |pointer: &str| covered(text, root.pointer(pointer).unwrap().span);
    assert_eq!(at(""), text.trim_end());
    assert_eq!(at("/a"), "'x'");
    assert_eq!(at("/b"), "[1, {c: \"d\"}]");
    assert_eq!(at("/b/1"), "{c: \"d\"}");
    assert_eq!(at("/b/1/c"), "\"d\"");
    assert_eq!(at("/e"), "- f: |\n      g\n      h\n\n  - i");
    assert_eq!(at("/e/0"), "f: |\n      g\n      h");
    assert_eq!(at("/e/0/f"), "g\n      h");
    let missing = root.pointer("/j").unwrap().span;
    assert_eq!(text[..missing.start as usize].lines().last(), Some("j:"));
    assert_eq!(missing.start, missing.end);
    assert_eq!(at("/k/l"), "");
    assert_eq!(covered(text, root.key_span("/e/0/f").unwrap()), "f");
    assert_eq!(root.key_span("/e/0"), None);
    assert!(root.pointer("/nope/0").is_none());
    assert!(root.pointer("a").is_none());
}

#[test]
fn pointers_decode_their_segments() {
    let root = tree("a/b: {c~d: 1}\n");
    assert_eq!(root.pointer("/a~1b/c~0d").unwrap().as_scalar().unwrap().text, "1");
}

#[test]
fn a_comment_that_cuts_a_text_is_kept() {
    let text = "k: userAgent like \"foo #bar\"  \nl: 'a' # b\nm: |\n  # c\n";
    let root = tree(text);
    let comment = |key: &str| root.get(key).unwrap().as_scalar().unwrap().comment;
    assert_eq!(covered(text, comment("k").unwrap()), "#bar\"");
    assert_eq!(comment("l"), None);
    assert_eq!(comment("m"), None);
}

/// Styles with texts that they can hold.
fn text_in_a_style() -> impl Strategy<Value = (String, ScalarStyle, Vec<u8>)> {
    let characters = prop::collection::vec(
        prop::sample::select(vec![
            'a',
            'b',
            'Z',
            '0',
            ' ',
            ' ',
            '\n',
            '\'',
            '"',
            '\\',
            '#',
            ':',
            '\t',
            'é',
            '日',
            '\u{1f600}',
        ]),
        1..24,
    );
    let style = prop::sample::select(vec![
        ScalarStyle::Plain,
        ScalarStyle::SingleQuoted,
        ScalarStyle::DoubleQuoted,
        ScalarStyle::Literal,
        ScalarStyle::Folded,
    ]);
    (characters, style, prop::collection::vec(any::<u8>(), 1..32)).prop_map(|(characters, style, choices)| {
        (written::suit(&characters.into_iter().collect::<String>(), style), style, choices)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_character_of_every_style_has_its_place((text, style, choices) in text_in_a_style()) {
        let written = written::write(&text, style, &choices);
        let (root, diagnostics) = parse(FileId(0), &written.document);
        prop_assert!(diagnostics.is_empty(), "{:?} {:?}", written.document, diagnostics);
        let root = root.unwrap();
        let scalar = root.get("k").unwrap().as_scalar().unwrap();
        prop_assert_eq!(&scalar.text, &text, "{:?}", written.document);
        prop_assert_eq!(scalar.style, style);
        for ((offset, character), place) in text.char_indices().zip(&written.places) {
            let span = scalar.span_of(offset..offset + character.len_utf8());
            prop_assert_eq!((span.start as usize, span.end as usize), *place, "{:?} {:?}", character, &written.document);
        }
    }

    #[test]
    fn no_text_makes_the_reader_fail(
        text in prop::collection::vec(
            prop::sample::select(vec![
                "a", "b", " ", "  ", "\n", "\n", "\r\n", "\r", "\t", ":", ": ", "- ", "? ", "#", " #", "[", "]", "{", "}", ",",
                "&x ", "*x", "!t ", "|", "|-", ">", ">+2", "'", "\"", "\\", "%", "@", "`", "---", "...", "é", "\u{feff}", "<<",
                "\0", "~", "\u{85}", "%YAML 1.2\n", "%TAG ! x\n",
            ]),
            0..30,
        )
    ) {
        let text = text.concat();
        let (root, diagnostics) = parse(FileId(0), &text);
        for diagnostic in &diagnostics {
            let span = diagnostic.span.unwrap();
            prop_assert!(text.get(span.start as usize..span.end as usize).is_some(), "{text:?} {diagnostic:?}");
        }
        prop_assert!(root.is_some() || diagnostics.has_errors(), "{text:?}");
        if let Some(root) = root {
            spans_are_inside(&text, &root);
        }
        super::findings(&text);
    }
}

/// Checks that every span in a tree is a range of the text.
fn spans_are_inside(text: &str, node: &Node) {
    covered(text, node.span);
    match &node.kind {
        NodeKind::Scalar(scalar) => {
            covered(text, scalar.span());
            for offset in 0..=scalar.text.len() {
                if scalar.text.is_char_boundary(offset) {
                    covered(text, scalar.span_of(offset..offset));
                    covered(text, scalar.span_of(offset..scalar.text.len()));
                }
            }
        }
        NodeKind::Sequence(items) => items.iter().for_each(|item| spans_are_inside(text, item)),
        NodeKind::Mapping(entries) => {
            for entry in entries {
                covered(text, entry.key.span);
                spans_are_inside(text, &entry.value);
            }
        }
    }
}
