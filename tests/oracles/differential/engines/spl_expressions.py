"""Evaluates expressions of `where` and `eval` on one row, with null as a third truth value.

Every function behaves as documented or as recorded on a real instance; arguments that it is not documented for stop it.
"""

import functools
import hashlib
import ipaddress
import json
import math
import re
import warnings

from engines.spl_text import CONDITIONS
from engines.spl_values import is_number, json_text, number, packed, single, text, values
from protocol import EngineError

COMPARISONS = {
    "=": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


@functools.cache
def regular(pattern):
    """A PCRE pattern. Python reads what is emitted alike, `$` before a last newline included, but for POSIX classes."""
    pattern = pattern.replace("[:space:]", " \\t\\n\\x0b\\x0c\\r").replace("[:^space:]", "\\S")
    if "[:" in pattern:
        raise EngineError(f"a POSIX class in {pattern!r}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        return re.compile(pattern)


@functools.cache
def like(pattern):
    """`%` is any text, `_` one character."""
    return re.compile("".join({"%": ".*", "_": "."}.get(letter, re.escape(letter)) for letter in pattern), re.DOTALL)


def literal(part):
    if part[0] != "text":
        raise EngineError(f"a literal is wanted in place of {part}")
    return part[1]


def members(document, path):
    """What `spath` finds under a path; `name{}` is every element of an array."""
    try:
        found = [json.loads(document)]
    except ValueError:
        return None
    for step in path.split("."):
        name = step.removesuffix("{}")
        if "{" in name:
            raise EngineError(f"spath with {path!r}")
        found = [value[name] for value in found if isinstance(value, dict) and name in value]
        if step.endswith("{}"):
            found = [element for value in found if isinstance(value, list) for element in value]
    return packed([json_text(value) for value in found])


class Expressions:
    """Evaluates under one reading of the open questions."""

    def __init__(self, reading):
        self.reading = reading

    # -- conditions: True, False or None for null

    def holds(self, part, row):
        kind = part[0]
        if kind in ("or", "and"):
            return self.combined(part, row, decisive=kind == "or")
        if kind == "not":
            inner = self.holds(part[1], row)
            if inner is None:
                return True if self.reading.not_of_null_holds else None
            return not inner
        if kind == "compare":
            return self.compared(part[1], self.value(part[2], row), self.value(part[3], row))
        if kind == "call" and part[1] == "if":
            condition, yes, no = part[2]
            return self.holds(yes if self.holds(condition, row) is True else no, row)
        if kind == "call" and part[1] in CONDITIONS:
            return self.test(part[1], part[2], row)
        raise EngineError(f"no condition: {part}")

    def combined(self, part, row, decisive):
        result = not decisive
        for inner in part[1]:
            holds = self.holds(inner, row)
            if holds is decisive:
                return decisive
            if holds is None:
                result = None
        return result

    def compared(self, order, left, right):
        left, right = single(left, "a comparison"), single(right, "a comparison")
        if left is None or right is None:
            return None
        if isinstance(left, str) and isinstance(right, str):
            numbers = self.reading.texts_compare_as_numbers and is_number(left) and is_number(right)
        else:
            # A number beside a text that is none compares as text.
            numbers = is_number(left) and is_number(right)
        as_compared = number if numbers else text
        return COMPARISONS[order](as_compared(left), as_compared(right))

    def test(self, name, arguments, row):
        if name == "true":
            return True
        if name in ("isnull", "isnotnull"):
            return (self.value(arguments[0], row) is None) == (name == "isnull")
        subject = single(self.value(arguments[1 if name == "cidrmatch" else 0], row), name)
        if subject is None:
            return False if self.reading.test_of_null_is_false else None
        if name == "match":
            return self.pattern(arguments[1]).search(text(subject)) is not None
        if name == "like":
            return like(literal(arguments[1])).fullmatch(text(subject)) is not None
        if name == "in":
            return any(self.compared("=", subject, self.value(item, row)) is True for item in arguments[1:])
        try:
            address = ipaddress.ip_address(text(subject))
        except ValueError:
            return None if self.reading.network_of_no_address_is_null else False
        network = ipaddress.ip_network(literal(arguments[0]))
        return address.version == network.version and address in network

    def pattern(self, part):
        """A regular expression, whose text may or may not be unescaped like other literals before it is compiled."""
        unescaped = literal(part)
        return regular(unescaped if self.reading.patterns_are_unescaped else part[2].replace('\\"', '"'))

    # -- values; None for null

    def value(self, part, row):
        kind = part[0]
        if kind == "field":
            return row.get(part[1])
        if kind in ("number", "text"):
            return part[1]
        if kind == "join":
            left, right = self.value(part[1], row), self.value(part[2], row)
            if left is None or right is None:
                return None
            return text(single(left, "a concatenation")) + text(single(right, "a concatenation"))
        if kind == "arithmetic":
            return self.arithmetic(part[1], self.value(part[2], row), self.value(part[3], row))
        if kind == "call" and part[1] not in CONDITIONS:
            return self.call(part[1], part[2], row)
        raise EngineError(f"a condition as a value: {part}")

    def arithmetic(self, sign, left, right):
        if left is None or right is None:
            return None
        left, right = single(left, "arithmetic"), single(right, "arithmetic")
        if not is_number(left) or not is_number(right):
            raise EngineError(f"arithmetic on {left!r} and {right!r}")
        left, right = number(left), number(right)
        if sign == "+":
            return left + right
        if sign == "-":
            return left - right
        if sign == "*":
            return left * right
        if right == 0:
            return None
        if sign == "/":
            return left / right
        return int(math.fmod(left, right)) if isinstance(left, int) and isinstance(right, int) else math.fmod(left, right)

    def call(self, name, arguments, row):
        lazy = getattr(self, "lazy_" + name, None)
        if lazy:
            return lazy(arguments, row)
        first = self.value(arguments[0], row)
        if first is None:
            return None
        if name == "mvcount":
            return len(values(first))
        if name == "mvdedup":
            return packed(list(dict.fromkeys(values(first))))
        if name == "mvindex":
            index, found = self.value(arguments[1], row), values(first)
            return found[index] if -len(found) <= index < len(found) else None
        return self.single_call(name, single(first, name), arguments, row)

    def single_call(self, name, first, arguments, row):
        if name == "exact":
            return first
        if name in ("sin", "cos", "asin", "sqrt"):
            return getattr(math, name)(number(first))
        if name == "pow":
            return number(first) ** number(self.value(arguments[1], row))
        if name == "floor":
            if not is_number(first):
                raise EngineError(f"floor of {first!r}")
            return math.floor(number(first))
        if name == "tonumber":
            return number(first) if is_number(first) else None
        first = text(first)
        if name == "len":
            return len(first)
        if name in ("lower", "upper"):
            return getattr(first, name)()
        if name == "md5":
            return hashlib.md5(first.encode(), usedforsecurity=False).hexdigest()
        if name == "ltrim":
            return first.lstrip(literal(arguments[1]))
        if name == "rtrim":
            return first.rstrip(literal(arguments[1]))
        if name == "replace":
            return self.pattern(arguments[1]).sub(replacement(arguments[2]), first)
        if name == "split":
            separator = literal(arguments[1])
            return packed(first.split(separator) if separator else list(first))
        if name == "substr":
            start = self.value(arguments[1], row)
            if start < 1:
                raise EngineError("substr from before the first character")
            length = self.value(arguments[2], row) if len(arguments) > 2 else len(first)
            return first[start - 1:][:length]
        if name == "spath":
            return members(first, literal(arguments[1]))
        raise EngineError(f"no value: {name}")

    # Functions that do not evaluate all of their arguments, or take nulls.

    def lazy_if(self, arguments, row):
        condition, yes, no = arguments
        return self.value(yes if self.holds(condition, row) is True else no, row)

    def lazy_case(self, arguments, row):
        if len(arguments) % 2:
            raise EngineError("case with an odd number of arguments")
        for condition, value in zip(arguments[::2], arguments[1::2]):
            if self.holds(condition, row) is True:
                return self.value(value, row)
        return None

    def lazy_coalesce(self, arguments, row):
        return next((value for value in (self.value(argument, row) for argument in arguments) if value is not None), None)

    def lazy_null(self, arguments, row):
        return None

    def lazy_pi(self, arguments, row):
        return math.pi

    def lazy_min(self, arguments, row):
        found = [self.value(argument, row) for argument in arguments]
        if any(value is None for value in found):
            raise EngineError("min of a null")
        return min(number(value) for value in found)

    def lazy_mvappend(self, arguments, row):
        return packed([single_ for argument in arguments for single_ in values(self.value(argument, row))])

    def lazy_mvmap(self, arguments, row):
        if arguments[0][0] != "field":
            raise EngineError("mvmap over no field")
        name = arguments[0][1]
        return packed([inner for value in values(row.get(name)) for inner in values(self.value(arguments[1], {**row, name: value}))])

    def lazy_json_object(self, arguments, row):
        if len(arguments) % 2:
            raise EngineError("json_object with an odd number of arguments")
        made = {literal(name): self.value(value, row) for name, value in zip(arguments[::2], arguments[1::2])}
        return json.dumps(made, ensure_ascii=False, separators=(",", ":"))


def replacement(part):
    """The replacement of `replace`: a literal, in which `\\1` is the first group."""
    if part[0] == "text" and part[2] == "\\1":
        return r"\1"
    return literal(part).replace("\\", r"\\")
