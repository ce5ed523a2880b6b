//! What the language leaves out of YAML, and what YAML makes of texts that nobody quoted.

use detc::diagnostic::{Code, Diagnostic};
use detc::source::FileId;
use detc::yaml::{MAX_DEPTH, parse};

use super::{covered, findings, tree};

const QUOTE: &str = "quote the whole value, or use a `|` block";

/// The findings in a text with what they cover.
fn found(text: &str) -> Vec<(Code, &str)> {
    let (_, diagnostics) = parse(FileId(0), text);
    let cover = |diagnostic: &Diagnostic| (diagnostic.code, covered(text, diagnostic.span.unwrap()));
    diagnostics.iter().map(cover).collect()
}

/// Checks that a text gives one finding, what it covers, and that the advice is to quote the value.
#[track_caller]
fn quote(text: &str, code: Code, cover: &str) {
    assert_eq!(found(text), [(code, cover)], "{}", findings(text));
    assert!(findings(text).contains(QUOTE), "{}", findings(text));
}

/// Checks that a text gives one finding, what it covers, and its advice.
#[track_caller]
fn advice(text: &str, code: Code, cover: &str, advice: &str) {
    assert_eq!(found(text), [(code, cover)], "{}", findings(text));
    assert!(findings(text).contains(advice), "{}", findings(text));
}

#[test]
fn values_that_yaml_cuts_are_to_be_quoted() {
    quote("s:\n  where: userAgent like \"foo: bar\"\n", Code::InvalidYaml, ":");
    quote("a: b\nwhere: not x\n  and y == \"a: b\"\n", Code::InvalidYaml, ":");
    quote("s: { where: f in [\"A\"] }\n", Code::InvalidYaml, "[");
    quote("s: { behavior: b{3} -> c }\n", Code::InvalidYaml, "{");
    quote("s: { k: P[X].V }\n", Code::InvalidYaml, "[");
    quote("s: { a: b c: d }\n", Code::InvalidYaml, ":");
    quote("s: { behavior: count(d) >= 2 by u, t within 10m }\n", Code::InvalidYaml, "t within 10m");
    quote("s:\n  where: \"AssumedRole\" == f\n", Code::InvalidYaml, "== f");
    quote("a: \"b\": c\n", Code::InvalidYaml, ":");
    quote("where: [a] == f\nb: 1\n", Code::InvalidYaml, "[a] == f");
    quote("where: {a: b}, d\nb: 1\n", Code::InvalidYaml, "{a: b}, d");
}

#[test]
fn values_that_start_with_an_indicator_are_to_be_quoted() {
    quote("s:\n  where: `x-f` == \"a\"\n  let: x\n", Code::InvalidYaml, "`x-f` == \"a\"");
    quote("s:\n  where: @t == 1\n", Code::InvalidYaml, "@t == 1");
    quote("s:\n  where: %t == 1\n", Code::InvalidYaml, "%t == 1");
    quote("s:\n  where: *t == 1\n", Code::AnchorOrAlias, "*t == 1");
    quote("s:\n  where: * == 1\n", Code::AnchorOrAlias, "* == 1");
    quote("s:\n  where: &t == 1\n", Code::AnchorOrAlias, "&t");
    quote("s:\n  where: & t == 1\n", Code::AnchorOrAlias, "& t == 1");
    quote("title: {{ x }} moved\nb: 1\n", Code::InvalidYaml, "{{ x }} moved");
    quote("a: { title: {{ x }} moved }\n", Code::InvalidYaml, "{{ x }} moved");
    quote("title: {{ x }}\nb: 1\n", Code::WrongYamlType, "{ x }");
    quote("where: ? b\n", Code::InvalidYaml, "?");
    advice("a: !a -> b within 1h\n", Code::YamlTag, "!a", "quote it, or write it in a `|` block");
    advice("a: !!str 1\n", Code::YamlTag, "!!str", "quote it, or write it in a `|` block");
}

#[test]
fn every_mistake_that_leaves_the_structure_alone_is_reported() {
    let text = "a: &x 1\nb: *x\na: 2\nc: !t z\nd: {a: 1, b: 2, a: 3}\n? [k]\n: v\n<<: {e: 1}\n";
    assert_eq!(
        found(text),
        [
            (Code::AnchorOrAlias, "&x"),
            (Code::AnchorOrAlias, "*x"),
            (Code::YamlTag, "!t"),
            (Code::DuplicateKey, "a"),
            (Code::WrongYamlType, "[k]"),
            (Code::AnchorOrAlias, "<<"),
            (Code::DuplicateKey, "a"),
        ]
    );
    let (root, _) = parse(FileId(0), text);
    assert_eq!(detc::yaml::to_json(&root.unwrap()).to_string(), r#"{"a":1,"b":"*x","c":"z","d":{"a":1,"b":2}}"#);
}

#[test]
fn duplicate_keys_point_at_the_first() {
    assert_eq!(
        findings("a: 1\nb: 2\n'a': 3\n"),
        "\
error[E002]: the key `a` stands twice
 --> x.yml:3:1
  |
1 | a: 1
  | - first used here
2 | b: 2
3 | 'a': 3
  | ^^^ used again here
  |
  = help: remove one of the two

"
    );
}

#[test]
fn a_file_holds_one_document() {
    advice("a: b\n---\nc: d\n", Code::SecondDocument, "---", "a file of its own");
    tree("%YAML 1.2\n---\na: b\n...\n");
    for nothing in ["", "\n", "# only a comment\n", "---\n", "\u{feff}"] {
        assert_eq!(found(nothing), [(Code::EmptyDocument, "")], "{nothing:?}");
    }
}

#[test]
fn depth_is_limited() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    tree(&nested(MAX_DEPTH));
    assert_eq!(found(&nested(MAX_DEPTH + 1)), [(Code::TooDeep, "[")]);
    assert_eq!(found(&nested(20_000)).first().unwrap().0, Code::TooDeep);
    let block: String = (0..400).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert_eq!(found(&block), [(Code::TooDeep, "a")]);
}

#[test]
fn structure_that_is_broken_is_named() {
    advice("a:\n\tb: c\n", Code::InvalidYaml, "\t", "indent with spaces");
    advice("a:\n  b: c\n\td: e\n", Code::InvalidYaml, "\t", "indent with spaces");
    advice("a: b\n  c: d\n", Code::InvalidYaml, "c", "indent the key like those beside it");
    advice("a:b\nc: d\n", Code::InvalidYaml, "c", "write a blank behind the colon in the line above");
    advice("a:\n  b: c\n c: d\n", Code::InvalidYaml, "c", "the indentation of this line fits none above");
    advice("x: 1\nwhere: x and\ny == 1\nz: 1\n", Code::InvalidYaml, "y == 1", "in a `|` block");
    advice("- a\nb: c\n", Code::InvalidYaml, "b", "start the line with `- `");
    advice("a: x\n- b\n", Code::InvalidYaml, "- ", "a list entry cannot stand beside keys");
    advice("a: - b\n", Code::InvalidYaml, "-", "start the list on the next line");
    advice("a: | b\n", Code::InvalidYaml, "| b", "write the text on the next line");
    advice("title: [a\nb: c\n", Code::InvalidYaml, "[", "`[` is never closed");
    advice("{a: b\n", Code::InvalidYaml, "{", "`{` is never closed");
    advice("a: }\n", Code::InvalidYaml, "}", "`}` closes nothing");
    advice("title: \"a\nb: c\n", Code::InvalidYaml, "\"", "the closing quote is missing");
    advice("a: b # c\n  d\n", Code::InvalidYaml, "# c", "a comment stands inside");
    advice("{a: b}\nc: d\n", Code::InvalidYaml, "c", "nothing can follow");
    advice(": c\n", Code::WrongYamlType, "", "a key is missing");
}

#[test]
fn unknown_escapes_are_pointed_at() {
    advice("a: \"x\\n\\u00e9 \\d\"\n", Code::InvalidYaml, "\\d", "write `\\\\` for a backslash");
    advice("a: \"C:\\Users\"\n", Code::InvalidYaml, "\\U", "single quotes");
    advice("a: \"\\ud83d\"\n", Code::InvalidYaml, "\\u", "single quotes");
}

#[test]
fn characters_that_would_end_the_text_unseen_are_refused() {
    advice("a: b\0c\n", Code::InvalidYaml, "\0", "U+0000");
    advice("a: b\rc: d\n", Code::InvalidYaml, "\r", "end lines with a line feed");
}
