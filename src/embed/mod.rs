//! The schemas and targets that are shipped inside the binary.
//!
//! Never reads a file at run time.

/// Path (from the repository's root, with `/`) and text of every shipped file, by path.
pub static FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// The shipped files whose path starts with `prefix` and ends in `suffix`.
pub fn files<'a>(prefix: &'a str, suffix: &'a str) -> impl Iterator<Item = (&'static str, &'static str)> + 'a {
    FILES.iter().copied().filter(move |(path, _)| path.starts_with(prefix) && path.ends_with(suffix))
}
