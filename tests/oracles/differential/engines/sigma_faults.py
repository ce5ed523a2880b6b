"""Mistakes that the Sigma backend could make, as rewrites of its text; the differential tests have to notice each.

A rewrite returns the text as it is where it does not apply.
"""

import re

from protocol import Fault, milliseconds


def replace(pattern, by):
    """A rewrite of every match."""
    return lambda text: re.sub(pattern, by, text)


FAULTS = (
    Fault("the window a second shorter", replace(r"(?m)^  timespan: (\d+[smhd])$", lambda found: f"  timespan: {milliseconds(found[1]) // 1000 - 1}s")),
    Fault("the window a second longer", replace(r"(?m)^  timespan: (\d+[smhd])$", lambda found: f"  timespan: {milliseconds(found[1]) // 1000 + 1}s")),
    Fault("one more wanted", replace(r"(?m)^    gte: (\d+)$", lambda found: f"    gte: {int(found[1]) + 1}")),
    Fault("`gt` for `gte`", replace(r"(?m)^    gte: ", "    gt: ")),
    Fault("no groups", replace(r"(?m)^  group-by:\n(?:  - .*\n)+", "  group-by: []\n")),
    Fault("steps swapped", replace(r"(?m)^(  type: temporal_ordered\n  rules:\n)(  - .*\n)(  - .*\n)", r"\1\3\2")),
    Fault("an order that is none", replace(r"(?m)^  type: temporal_ordered$", "  type: temporal")),
    Fault("`not` dropped", replace(r"(?m)^(  condition: .*)\bnot ", r"\1")),
    Fault("a missing value no longer looked for", replace(r"(?m)^    - null\n    - ''\n", "    - 'null'\n")),
    Fault("case not ignored", replace(r"\|(contains|startswith|endswith):", r"|\1|cased:")),
    Fault("an occurrence wanted at the start", replace(r"\|contains", "|startswith")),
    Fault("all for one of", replace(r"1 of (?=filter_)", "all of ")),
)
