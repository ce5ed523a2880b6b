"""The functions of ES|QL that detections are made of, with their types, as Elastic documents them.

A value is None (null), a single value, or a list of two or more. Times are milliseconds since 1970, points are (longitude,
latitude). A function that we never write is unknown, never skipped.
"""

import base64
import ipaddress
import math
import re
from datetime import datetime, timezone

from documents import milliseconds

INTEGER, LONG, DOUBLE = "integer", "long", "double"
NUMBERS = (INTEGER, LONG, DOUBLE)
LIMITS = {INTEGER: 2**31, LONG: 2**63}
# Metres: the mean radius of Lucene.
RADIUS = 6371008.7714


class Unknown(Exception):
    """The query holds something that this engine does not execute, or has a type error."""


def values_of(value):
    return [] if value is None else value if isinstance(value, list) else [value]


def from_values(values):
    return None if not values else values[0] if len(values) == 1 else values


def in_range(number, kind):
    """Null where a number leaves its type, as Elasticsearch answers with a warning."""
    if kind == DOUBLE:
        return number if math.isfinite(number) else None
    return number if -LIMITS[kind] <= number < LIMITS[kind] else None


def java_double(number):
    """A double as Java writes it."""
    if 1e-3 <= abs(number) < 1e7 or number == 0:
        return repr(float(number))
    digits = f"{number!r}" if "e" in repr(number) else f"{number:e}"
    mantissa, _, exponent = (digits if "e" in digits else f"{number:.17e}").partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}E{int(exponent)}"


def text_of(value, kind):
    if kind == "boolean":
        return "true" if value else "false"
    if kind == DOUBLE:
        return java_double(float(value))
    if kind == "date":
        moment = datetime.fromtimestamp(value // 1000, timezone.utc)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value % 1000:03}Z"
    if kind == "geo_point":
        return f"POINT ({value[0]!r} {value[1]!r})"
    return str(value)


def point(value):
    found = re.fullmatch(r"POINT ?\((-?[\d.]+) (-?[\d.]+)\)", value) if isinstance(value, str) else None
    return value if isinstance(value, tuple) else (float(found[1]), float(found[2])) if found else None


def parsed(pattern, convert):
    """A conversion of texts that gives null for a text of another form."""
    return lambda value: convert(value) if re.fullmatch(pattern, value) else None


def address_text(value):
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        return None


def decoded(value):
    try:
        return base64.b64decode(value, validate=True).decode("utf-8")
    except ValueError:
        return None


# Conversions by name and type of the argument; each value of several is converted.
CONVERSIONS = {
    "TO_STRING": ("keyword", {kind: (lambda value, kind=kind: text_of(value, kind))
                              for kind in ("keyword", "boolean", "date", "ip", "geo_point", *NUMBERS)}),
    "TO_LONG": (LONG, {INTEGER: int, LONG: int, "date": int, "keyword": parsed(r"[+-]?\d+", int),
                       DOUBLE: lambda value: math.floor(value + 0.5)}),
    "TO_DOUBLE": (DOUBLE, {INTEGER: float, LONG: float, DOUBLE: float, "keyword": parsed(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", float)}),
    "TO_DATETIME": ("date", {LONG: int, INTEGER: int, "date": int, "keyword": milliseconds}),
    "TO_BOOLEAN": ("boolean", {"boolean": bool, "keyword": lambda value: value.lower() == "true"}),
    "TO_IP": ("ip", {"ip": str, "keyword": address_text}),
    "TO_GEOPOINT": ("geo_point", {"geo_point": point, "keyword": point}),
}


def java_literal(pattern):
    """The text behind a regular expression of Java that is nothing but literals."""
    text, index = [], 0
    while index < len(pattern):
        letter = pattern[index]
        if letter == "\\":
            index += 1
            letter = pattern[index]
            if letter.isalnum():
                raise Unknown(f"`\\{letter}` in the expression of `REPLACE`")
        elif letter in ".?+*|{}[]()^$":
            raise Unknown(f"`{letter}` in the expression of `REPLACE`")
        text.append(letter)
        index += 1
    return "".join(text)


def replaced(value, pattern, replacement):
    if "$" in re.sub(r"\\.", "", replacement):
        raise Unknown("a group in the replacement of `REPLACE`")
    return value.replace(java_literal(pattern), re.sub(r"\\(.)", r"\1", replacement, flags=re.DOTALL))


def distance(one, other):
    (first_x, first_y), (second_x, second_y) = [tuple(map(math.radians, each)) for each in (one, other)]
    inner = math.sin((second_y - first_y) / 2) ** 2 + math.cos(first_y) * math.cos(second_y) * math.sin((second_x - first_x) / 2) ** 2
    return 2 * RADIUS * math.asin(min(1.0, math.sqrt(inner)))


def contained(address, *networks):
    found = ipaddress.ip_address(address)
    found = found.ipv4_mapped or found if found.version == 6 else found
    blocks = [ipaddress.ip_network(network, strict=False) for network in networks]
    return any(found.version == block.version and found in block for block in blocks)


# Functions of single values: types of the arguments (`*` repeats the last), type of the result, and what they do. Null
# where an argument is null or has several values.
SINGLE = {
    "CONCAT": (("keyword", "*"), "keyword", lambda *texts: "".join(texts)),
    "TO_LOWER": (("keyword",), "keyword", str.lower),
    "TO_UPPER": (("keyword",), "keyword", str.upper),
    "TO_BASE64": (("keyword",), "keyword", lambda text: base64.b64encode(text.encode("utf-8")).decode("ascii")),
    "FROM_BASE64": (("keyword",), "keyword", decoded),
    "LENGTH": (("keyword",), INTEGER, len),
    "LOCATE": (("keyword", "keyword"), INTEGER, lambda text, part: text.find(part) + 1),
    "STARTS_WITH": (("keyword", "keyword"), "boolean", str.startswith),
    "ENDS_WITH": (("keyword", "keyword"), "boolean", str.endswith),
    "REPLACE": (("keyword", "keyword", "keyword"), "keyword", replaced),
    "SPLIT": (("keyword", "keyword"), "keyword", lambda text, separator: from_values(text.split(separator))),
    "CIDR_MATCH": (("ip", "keyword", "*"), "boolean", contained),
    "ST_DISTANCE": (("geo_point", "geo_point"), DOUBLE, distance),
}


def sliced(values, start, end=None):
    """`MV_SLICE`: from 0, both ends included."""
    found = values_of(values)
    end = start if end is None else end
    return None if start is None else from_values(found[start:end + 1] if start >= 0 and end >= 0 else slice_from_end(found, start, end))


def slice_from_end(values, start, end):
    count = len(values)
    return values[max(start + count if start < 0 else start, 0):(end + count if end < 0 else end) + 1]


# Functions of columns of several values: check of the argument types to the type of the result, and what they do.
SEVERAL = {
    "MV_COUNT": (lambda kinds: INTEGER, lambda value: len(values_of(value)) if value is not None else None),
    "MV_DEDUPE": (lambda kinds: kinds[0], lambda value: from_values(list(dict.fromkeys(values_of(value))))),
    "MV_SLICE": (lambda kinds: kinds[0], sliced),
}


def greatest(kind, values):
    """The largest by the engine's order: texts by their bytes, which is by code point."""
    return max(values) if kind != "boolean" else any(values)


def percentile(values, rank):
    """The estimate of a digest that keeps each value: linear between the middles of neighbours."""
    ordered = sorted(map(float, values))
    place = rank / 100 * len(ordered) - 0.5
    if place <= 0 or len(ordered) == 1:
        return ordered[0]
    if place >= len(ordered) - 1:
        return ordered[-1]
    below = math.floor(place)
    return ordered[below] + (ordered[below + 1] - ordered[below]) * (place - below)


def aggregate_type(name, kind):
    """The type of an aggregate over values of this type."""
    if name == "COUNT":
        return LONG
    if name == "SUM" and kind in NUMBERS:
        return DOUBLE if kind == DOUBLE else LONG
    if name == "PERCENTILE" and kind in NUMBERS:
        return DOUBLE
    if name in ("MAX", "MIN") and kind in (*NUMBERS, "date", "keyword", "ip", "boolean"):
        return kind
    if name == "VALUES" and kind != "null":
        return kind
    raise Unknown(f"`{name}` of {kind}")


def aggregate(name, kind, values, rank=None):
    """An aggregate over all values of a group's rows."""
    if name == "COUNT":
        return len(values)
    if not values:
        return None
    if name == "VALUES":
        # In no order that is promised; each value once.
        return from_values(list(dict.fromkeys(values)))
    if name == "SUM":
        return in_range(sum(map(float, values)) if kind == DOUBLE else sum(values), DOUBLE if kind == DOUBLE else LONG)
    if name == "PERCENTILE":
        return percentile(values, rank)
    if kind == "ip":
        found = sorted(values, key=lambda text: int(ipaddress.ip_address(text)))
    else:
        found = sorted(values)
    return found[-1] if name == "MAX" else found[0]
