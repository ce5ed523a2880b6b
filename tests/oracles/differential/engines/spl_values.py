"""Values of Splunk rows, and the questions about them that its documentation leaves open.

A row is a dict; a value is a text, a whole number, a float, or a list of such (a multivalue field). A null is absence.
"""

import json
import random
import re

from protocol import EngineError

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\Z", re.ASCII)


class Reading:
    """One answer to every open question. A right query gives the same hits under all answers."""

    QUESTIONS = (
        "not_of_null_holds",  # NOT (null): TRUE, because null counts as false, or NULL
        "texts_compare_as_numbers",  # two texts that look like numbers compare as numbers
        "network_of_no_address_is_null",  # cidrmatch of a text that is no address: NULL or FALSE
        "test_of_null_is_false",  # match, like, in of NULL: FALSE or NULL
        "patterns_are_unescaped",  # backslashes of a regular expression are halved like those of a text, or not
        "stats_rows_in_any_order",  # `stats` sorts its groups, or does not promise to
        "blank_is_no_field",  # JSON extraction makes no field of ""
    )

    def __init__(self, seed):
        drawn = random.Random(seed)
        for question in self.QUESTIONS:
            setattr(self, question, drawn.random() < 0.5)
        #: order of rows where nothing promises one
        self.order = random.Random(seed + 1)


def is_number(value):
    """Whether a value is a number or a text that looks like one."""
    if isinstance(value, (int, float)):
        return True
    return isinstance(value, str) and NUMBER.match(value.strip()) is not None


def number(value):
    if isinstance(value, (int, float)):
        return value
    if re.fullmatch(r"[+-]?\d{1,15}", value.strip(), re.ASCII):
        return int(value)
    return float(value)


def text(value):
    """A value as text; a whole float has no fraction."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)
    return str(value)


def values(value):
    """The single values of a field."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def packed(found):
    """A list of single values as a field's value."""
    return None if not found else found[0] if len(found) == 1 else found


def single(value, where):
    """The value of a field that must not be multivalue there."""
    if isinstance(value, list):
        if len(value) != 1:
            raise EngineError(f"multivalue field in {where}")
        return value[0]
    return value


def json_text(value):
    """A JSON value as text, as JSON extraction and `spath` show it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def extracted(document, reading):
    """The search-time fields of a JSON event: members by dotted names, elements of arrays under `name{}`."""
    fields = {}

    def walk(name, value):
        if isinstance(value, dict):
            for member, inner in value.items():
                walk(f"{name}.{member}" if name else member, inner)
        elif isinstance(value, list):
            for inner in value:
                walk(name + "{}", inner)
        elif value != "" or not reading.blank_is_no_field:
            fields.setdefault(name, []).append(json_text(value))

    walk("", document)
    return {name: packed(found) for name, found in fields.items()}
