"""Holds an engine's hits against the evaluator's, as far as the verdict promises.

`exact` promises equal multisets of (keys, closing time). `approximate` promises that hits differ in the announced ways
only; each announced way has a check of its own here, and a reason without a check is a failure.
"""

import re
from collections import Counter


def difference(expected, found):
    """Hits that are missing and hits that are too many."""
    return expected - found, found - expected


def tied(events, query, time):
    """Whether two events share an instant within the reach of a hit at `time`."""
    times = Counter(event.time for event in events if time - query.lookback <= event.time <= time)
    return any(number > 1 for number in times.values())


def only_where_events_tie(query, events, missing, extra):
    return all(tied(events, query, time) for _, time in [*missing, *extra])


def only_missing(query, events, missing, extra):
    return not extra


def only_kept_apart(query, events, missing, extra):
    """Keys that differ in case are kept apart: hits are missing or have a key in another case; what should have cut a chain
    can be kept apart, too."""
    if "until [" in query.text or "![" in query.text:
        return True
    folded = [Counter(), Counter()]
    for side, hits in zip(folded, (missing, extra)):
        for (keys, time), number in hits.items():
            side[tuple(key.lower() for key in keys), time] += number
    return not folded[1] - folded[0]


def has_text(events, test):
    return any(test(event.text()) for event in events)


def only_with_decimals(query, events, missing, extra):
    return has_text(events, lambda text: re.search(r"\d\.\d*[1-9]", text))


def only_beyond_ascii(query, events, missing, extra):
    return has_text(events, lambda text: not text.isascii())


def anything(query, events, missing, extra):
    """The target's own field or the language itself leaves it open, so no hit can be held against it."""
    return True


#: reason -> whether the differing hits are of the announced kind
ALLOWED = {
    "tie_choice": only_where_events_tie,
    "tie_overlap": only_where_events_tie,
    "greedy_absence": only_missing,
    "unicode_folding": only_beyond_ascii,
    "array_indexes": lambda query, events, missing, extra: False,
    "array_correlation": anything,
    "field_lossy": anything,
    "flattened_text": anything,
    "key_case": only_kept_apart,
    "percentile_interpolated": anything,
    "float_sum": only_with_decimals,
    "window_unspecified": anything,
    "order_unspecified": anything,
    "hit_time_unspecified": anything,
}


def judge(query, events, expected, found, narrower=None):
    """Why the hits break the verdict, or None; `narrower` are the engine's own checks in place of ours."""
    missing, extra = difference(expected, found)
    if not missing and not extra:
        return None
    if query.record["fidelity"] == "exact":
        return "the verdict is exact"
    query.parsed["expected"] = expected
    checks = ALLOWED | (narrower or {})
    unknown = [code for code in query.codes if code not in checks]
    if unknown:
        return f"the harness knows no check for {', '.join(unknown)}"
    if any(checks[code](query, events, missing, extra) for code in query.codes):
        return None
    return f"the difference is none that {', '.join(query.codes)} announces"
