"""Mistakes that the Elastic backend could make, as rewrites of its text; the differential tests have to notice each.

A rewrite returns the text as it is where it does not apply. A mistake that the engine refuses is noticed, too.
"""

import re

from protocol import Fault, milliseconds


def replace(pattern, by):
    """A rewrite of every match."""
    return lambda text: re.sub(pattern, by, text)


def fewer_runs(found):
    runs = int(found[1]) - 1
    return f" with runs={runs}" if runs > 1 else ""


EQL = (
    Fault("EQL: the window a millisecond shorter", replace(r"maxspan=(\S+)", lambda found: f"maxspan={milliseconds(found[1]) - 1}ms")),
    Fault("EQL: the window a millisecond longer", replace(r"maxspan=(\S+)", lambda found: f"maxspan={milliseconds(found[1]) + 1}ms")),
    Fault("EQL: case not ignored", replace(r"(?<= )(in|like|regex)~|(?<= ):(?= \")", lambda found: found[1] or "==")),
    Fault("EQL: the guard of a negated test dropped", replace(r"\((\?\S+) == null\s+or (not \1 [^()\n]*)\)", r"(\2)")),
    Fault("EQL: the guard of a key dropped", replace(r"\s+and (\?\S+) != null\s+and \1 != \"\"(?=\])", "")),
    Fault("EQL: no keys", replace(r"(?m)^sequence by [^\n]* with ", "sequence with ")),
    Fault("EQL: one run less", replace(r" with runs=(\d+)", fewer_runs)),
    Fault("EQL: steps swapped", replace(r"(?m)^(  \[any where [^\[\]]*\])\n(  \[any where [^\[\]]*\])$", r"\2\n\1")),
    Fault("EQL: no end of the chain", replace(r"\nuntil \[any where [^\[\]]*\][^\n]*", "")),
    Fault("EQL: nothing absent", replace(r"\n  !\[any where [^\[\]]*\][^\n]*", "")),
)
ESQL = (
    Fault("ES|QL: `<` for `<=` at the window's end", replace(r"(detc_\w+) <= (detc_(?:instant|end_time))", r"\1 < \2")),
    Fault("ES|QL: `>` for `>=` at the window's edge", replace(r">= (\(detc_\w+ - \d+\))", r"> \1")),
    Fault("ES|QL: a tumbling window for a sliding one", replace(r"detc_window_time >= \(detc_instant - (\d+)\)", r"detc_window_time / \1 == detc_instant / \1")),
    Fault("ES|QL: case not ignored", replace(r"TO_LOWER\(([^()]*)\)", r"\1")),
    Fault("ES|QL: the guard of a negated test dropped", replace(r"(?<=\()[^\s()]+ IS NULL\s+OR (?=NOT)", "")),
    Fault("ES|QL: a null opposite", replace(r"NOT COALESCE\(([^()]*), false\)", r"NOT (\1)")),
    Fault("ES|QL: the empty text a key", replace(r"(detc_key_\d = )CASE\((\S+) == \"\", null, \2\)", r"\1\2")),
    Fault("ES|QL: a key left out of the groups", replace(r" BY detc_key_1, (?=detc_(?:instant|event|end))", " BY ")),
    Fault("ES|QL: an event is its own partner", replace(r"detc_start_id != detc_end_id\s+AND ", "")),
    Fault("ES|QL: the oldest start for the newest", replace(r"detc_start_time = MAX\(", "detc_start_time = MIN(")),
    Fault("ES|QL: a start that is used again", replace(r"\n\| STATS detc_end_time = MIN\([^\n]* BY detc_key_1, detc_start_time(?=\n)", "")),
    Fault("ES|QL: hits of the slice's start reported twice", replace(r"(?<=detc_)(\w+) > (?=\(\(\(\(TO_LONG\(NOW)", r"\1 >= ")),
    Fault("ES|QL: no look-back", replace(r"(/ (\d+)\) \* \2\)) - \d+\)\n    AND @timestamp", r"\1 - \2)\n    AND @timestamp")),
    Fault("ES|QL: an absence looked for in the wrong direction", replace(r"detc_after > detc_(event_time|end_time)", r"detc_after < detc_\1")),
    Fault("ES|QL: one more wanted", replace(r"(detc_number_\d+ >= )(\d+)", lambda found: f"{found[1]}{int(found[2]) + 1}")),
)
