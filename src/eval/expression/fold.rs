//! Case folding: one character for each class of characters that are the same letter.
//!
//! Never changes how many characters a text has (simple folding).

use std::collections::HashMap;
use std::sync::LazyLock;

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

/// The text with each character replaced by one that stands for all casings of it.
pub(in crate::eval) fn folded(text: &str) -> String {
    if text.is_ascii() { text.to_ascii_uppercase() } else { text.chars().map(fold).collect() }
}

/// The character that stands for all casings of one; for ASCII the upper case.
fn fold(character: char) -> char {
    if character.is_ascii() {
        return character.to_ascii_uppercase();
    }
    BEYOND_ASCII.get(&character).copied().unwrap_or(character)
}

/// The characters beyond ASCII that do not stand for themselves.
static BEYOND_ASCII: LazyLock<HashMap<char, char>> = LazyLock::new(|| {
    let has_casings =
        |character: &char| !character.to_lowercase().eq([*character]) || !character.to_uppercase().eq([*character]);
    let first_of_class = |character: char| {
        let mut class = ClassUnicode::new([ClassUnicodeRange::new(character, character)]);
        class.try_case_fold_simple().ok()?;
        let first = class.ranges().first()?.start();
        (first != character).then_some((character, first))
    };
    ('\u{80}'..=char::MAX).filter(has_casings).filter_map(first_of_class).collect()
});
