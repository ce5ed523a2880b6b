"""Mistakes that the backend could make, as rewrites of its text; the differential tests have to notice each.

A rewrite returns the text as it is where it does not apply.
"""

import re

from protocol import Fault

NAME = r"(?:\['[^']*'\]|\w+)"


def replace(pattern, by):
    """A rewrite of every match."""
    return lambda text: re.sub(pattern, by, text)


def swapped(one, other):
    """A rewrite that exchanges two texts."""
    return lambda text: text.replace(one, "\0").replace(other, one).replace("\0", other)


FAULTS = (
    Fault("`<` for `<=` at the window's edge", replace(r"(TimeGenerated - [\w.]+) <= (?=\d)", r"\1 < ")),
    Fault("`>=` for `>` at the window's edge", replace(r"(- [\w.]+) > (?=\d+[smhd]\b)", r"\1 >= ")),
    Fault("a tumbling window for a sliding one", replace(r"TimeGenerated - (detc_(?:first|at|before)\w*) <= (\d+[smhd])", r"bin(TimeGenerated, \2) == bin(\1, \2)")),
    Fault("the guard against null dropped", replace(r"coalesce\(((?:[^()]|\((?:[^()]|\([^()]*\))*\))*), false\)", r"\1")),
    Fault("the guard against missing keys dropped", replace(rf"\n *\| where isnotempty\({NAME}\)(?: and isnotempty\({NAME}\))*", "")),
    Fault("a list taken for a text", replace(r'iff\(gettype\((?P<leaf>[\w.()]+)\) in \("array", "dictionary"\), "", tostring\((?P=leaf)\)\)', r"tostring(\g<leaf>)")),
    Fault("a missing text equal to another", replace(r" or isempty\(detc_right\w*\)", "")),
    Fault("case not ignored", replace(r"=~|in~", lambda match: {"=~": "==", "in~": "in"}[match[0]])),
    Fault("a `sort` forgotten", replace(r"\n *\| sort by [^\n]*", "")),
    Fault("the time left out of a `sort`", replace(r"(\| sort by [^\n]*), TimeGenerated (?:asc|desc)", r"\1")),
    Fault("the order of ties reversed", replace(r"(detc_(?:step|order|forbidden)) asc", r"\1 desc")),
    Fault("steps swapped", swapped("detc_step == 1", "detc_step == 2")),
    Fault("neighbours of other keys", replace(rf"where detc_(?:key|before)_1 == {NAME} and ", "where ")),
    Fault("a start that is used again", replace(r"\n *\| summarize arg_min\(TimeGenerated, \*\) by [^\n]*detc_from", "")),
    Fault("the oldest start instead of the newest", replace(r"arg_max\(detc_from", "arg_min(detc_from")),
    Fault("hits of the slice's start reported twice", replace(r"where TimeGenerated > detc_start", "where TimeGenerated >= detc_start")),
    Fault("no look-back", replace(r"detc_start - \d+\w+", "detc_start")),
)
