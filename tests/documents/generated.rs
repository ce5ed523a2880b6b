//! Files, and parts of files, that are made from the code.

use std::path::Path;

/// Compares a file with what it should be; rewrites it where `UPDATE_DOCS` is set.
#[track_caller]
pub fn check(path: &str, wanted: impl FnOnce(&str) -> String) {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    let current = std::fs::read_to_string(&place).unwrap_or_default();
    let wanted = wanted(&current);
    if current == wanted {
        return;
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&place, wanted).unwrap_or_else(|error| panic!("{path} cannot be written: {error}"));
        return;
    }
    let line = current.lines().zip(wanted.lines()).take_while(|(one, other)| one == other).count();
    let shown = |text: &str| text.lines().nth(line).unwrap_or("(the end)").to_owned();
    panic!(
        "{path} is out of date at line {}:\n  is      {}\n  has to be {}\nrun `UPDATE_DOCS=1 cargo test --test documents` and read the difference",
        line + 1,
        shown(&current),
        shown(&wanted),
    );
}
