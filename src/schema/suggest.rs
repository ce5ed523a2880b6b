//! Finds the nearest valid name for "did you mean".

/// The candidate that is most like `name`, without regard to case; `None` when none is near.
///
/// Near means an edit distance (with transpositions) of at most a third of the name's length, at least 1,
/// or a candidate that ends in the name (`userName` for `userIdentity.userName`). A name of one character is near to none.
#[must_use]
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    let length = wanted.chars().count();
    let limit = (length / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        // The distance is at least the difference of the lengths; a field may have thousands of known values.
        let far = candidate.chars().count().abs_diff(length) > limit;
        if far && !candidate.contains('.') {
            continue;
        }
        let lowered = candidate.to_lowercase();
        let mut distance = if far { limit + 1 } else { strsim::osa_distance(&wanted, &lowered) };
        if distance > limit || distance >= length {
            let suffix = lowered.strip_suffix(&wanted).is_some_and(|rest| rest.ends_with('.'));
            let part_of = length >= 4 && shares_last_segment(&wanted, &lowered);
            if !suffix && !part_of {
                continue;
            }
            distance = if suffix { limit } else { limit + 1 };
        }
        if best.is_none_or(|(other, _)| distance < other) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Whether the innermost members of two paths are near each other.
fn shares_last_segment(wanted: &str, candidate: &str) -> bool {
    let last = |path: &str| path.rsplit('.').next().unwrap_or("").to_owned();
    candidate.contains('.') && strsim::osa_distance(&last(wanted), &last(candidate)) <= 1
}
