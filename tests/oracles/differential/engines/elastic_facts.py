"""What the Elastic engines are held to: documented facts, and the streams that once parted EQL from what a chain means.

Streams are written `seconds:letters`, a letter being a signal that the event belongs to; all events have one key.
"""

# (sequence in letters, maxspan in seconds, stream, closing times). `!x` is an absence, a number in front are runs.
CHAINS = [
    # A start is used up by its first end, and an end takes the newest start, discarding all older ones.
    ("a c", 10, "0:a 5:c 6:c", [5]),
    ("a b", 10, "0:a 2:a 5:b 6:b", [5]),
    ("a b", 10, "0:a 5:b 5:b", [5]),
    ("a b c", 10, "0:a 5:b 6:c 7:c", [6]),
    ("a b", 10, "5:b 6:a", []),
    ("a b", 10, "0:a 10:b", [10]),
    ("a b", 10, "0:a 10.001:b", []),
    ("a b", 10, "0:ab", []),
    ("a b", 10, "0:ab 5:ab", [5]),
    # A partial that `maxspan` rejects is gone, and so are those before it.
    ("a b b", 10, "0:a 4:a 6:b 12:b", [12]),
    # `with runs` reports every event from the n-th on.
    ("3a", 10, "0:a 1:a 2:a 3:a", [2, 3]),
    ("3a", 10, "0:a 1:a 10.001:a", []),
    ("2a b", 10, "0:a 1:a 2:a 3:b", [3]),
    # An end that is the first step kills the chain, one that is the last step does not.
    ("a b ~u", 10, "0:au 5:b", []),
    ("a b ~u", 10, "0:a 5:bu", [5]),
    ("a b ~u", 10, "0:a 3:u 5:b", []),
    ("a b ~u", 10, "0:u 1:a 5:b 6:u", [5]),
    ("a b c ~u", 10, "0:a 3:b 4:u 5:c", []),
    # An absent event is asked for strictly between the times of its neighbours.
    ("a !b c", 30, "0:a 30:b 30:c", [30]),
    ("a !b c", 30, "0:a 0:b 30:c", [30]),
    ("a !b c", 30, "0:a 10:b 30:c", []),
    ("a !b c", 30, "0:a 29.999:b 30:c", []),
    # The greedy choice: a chain that another event than the first taken would complete is not found.
    ("a b !u c", 30, "0:a 10:b 15:u 20:b 21:c", []),
    ("a b !u c", 30, "0:a 10:b 20:b 21:c", [21]),
    ("a !u b c", 30, "1:a 5:b 10:a 15:u 18:b 30:c", []),
]

# (condition on field `s`, `n`, `b` or `ip`, values of the document, whether it holds); None is a missing field.
CONDITIONS = [
    ('t.s == "A"', {"t.s": ["a"]}, False), ('t.s == "a"', {"t.s": ["a"]}, True), ('t.s : "A"', {"t.s": ["a"]}, True),
    ('t.s : "a*"', {"t.s": ["ABC"]}, True), ('t.s : "a\\\\*"', {"t.s": ["a\\X"]}, True), ('t.s like "a?"', {"t.s": ["ab"]}, True),
    ('t.s like "A?"', {"t.s": ["ab"]}, False), ('t.s like~ "A?"', {"t.s": ["ab"]}, True), ('t.s in ("A", "b")', {"t.s": ["a"]}, False),
    ('t.s in~ ("A", "b")', {"t.s": ["a"]}, True), ('t.s in~ ("a*")', {"t.s": ["ab"]}, False), ('t.s in~ ("a*")', {"t.s": ["A*"]}, True),
    ('t.s regex "a.c"', {"t.s": ["abc"]}, True), ('t.s regex "b"', {"t.s": ["abc"]}, False), ('t.s regex~ "A.C"', {"t.s": ["abc"]}, True),
    ('t.s regex "a.c"', {"t.s": ["a\nc"]}, True), ('t.s regex~ "[A]"', {"t.s": ["a"]}, False),
    # Lucene folds ASCII only.
    ('t.s : "\u00c4"', {"t.s": ["\u00e4"]}, False), ('t.s : "K"', {"t.s": ["\u212a"]}, False),
    ('stringContains(t.s, "b")', {"t.s": ["abc"]}, True), ('stringContains(t.s, "B")', {"t.s": ["abc"]}, False),
    ('startsWith(t.s, "a")', {"t.s": ["abc"]}, True), ('endsWith(t.s, "C")', {"t.s": ["abc"]}, False),
    # Any value of several; none for `!=`.
    ('t.s == "b"', {"t.s": ["a", "b"]}, True), ('t.s != "b"', {"t.s": ["a", "b"]}, False), ('t.s != "c"', {"t.s": ["a", "b"]}, True),
    ("t.s == null", {}, True), ("t.s != null", {}, False), ("t.s != null", {"t.s": [""]}, True), ('t.s == ""', {"t.s": [""]}, True),
    ('t.s != "a"', {}, False), ('t.s == null or not t.s : "a"', {}, True), ('t.s != null and not t.s : "a"', {}, False),
    ("t.n > 5", {"t.n": [6]}, True), ("t.n > 5", {}, False), ("t.n in (5, 6)", {"t.n": [5]}, True), ("t.n == 5", {"t.n": [5.0]}, True),
    ("t.b == true", {"t.b": [True]}, True), ("t.b == true", {"t.b": [False]}, False), ("t.b != true", {"t.b": [False]}, True),
    ('t.ip == "10.0.0.1"', {"t.ip": ["10.0.0.1"]}, True), ('cidrMatch(t.ip, "10.0.0.0/8")', {"t.ip": ["10.1.2.3"]}, True),
    ('cidrMatch(t.ip, "10.0.0.0/8", "fd00::/8")', {"t.ip": ["fd00::1"]}, True), ('cidrMatch(t.ip, "10.0.0.0/8")', {"t.ip": ["11.1.2.3"]}, False),
    ("length(t.s) > 2", {"t.s": ["abc"]}, True), ("length(t.s) == 2", {"t.s": ["\U0001f600"]}, True),
]

# Filters whose answer depends on what the engine makes of `not` of a missing value, which may not be emitted.
AMBIGUOUS = ['not t.s : "a"', 'not (t.s == "a" and t.n > 5)', 'not cidrMatch(t.ip, "10.0.0.0/8")']

# (expression, columns of the row, value) of ES|QL; the columns are s (keyword), m (keyword of several values), n (long),
# d (double), b (boolean), i (ip), p (geo_point), t (date).
EXPRESSIONS = [
    ("n + 1", {"n": 4}, 5), ("n / 2", {"n": 7}, 3), ("(0 - n) / 2", {"n": 7}, -3), ("n % 2", {"n": -7}, -1), ("n / 0", {"n": 7}, None),
    ("d / 2", {"d": 7.0}, 3.5), ("n / 2.0", {"n": 7}, 3.5), ("n + 1", {}, None), ("n * 9223372036854775807", {"n": 2}, None),
    ("2147483647 + 1", {}, None), ("TO_LONG(2147483647) + 1", {}, 2147483648),
    ('s == "a"', {"s": "A"}, False), ('s == "a"', {}, None), ('m == "a"', {"m": ["a", "b"]}, None), ('s != "a"', {}, None),
    ('NOT s == "a"', {}, None), ('NOT COALESCE(s == "a", false)', {}, True), ("s IS NULL", {}, True), ("m IS NOT NULL", {"m": ["a", "b"]}, True),
    ('s == "a" OR n > 1', {"n": 2}, True), ('s == "a" AND n > 1', {"n": 0}, False), ('s == "a" AND n > 1', {"n": 2}, None),
    ('s IN ("a", "b")', {"s": "b"}, True), ('s IN ("a", null)', {"s": "b"}, None), ('s NOT IN ("a")', {}, None),
    ('s LIKE "a*"', {"s": "abc"}, True), ('s LIKE """a\\*"""', {"s": "a*"}, True), ('s LIKE """a\\*"""', {"s": "ab"}, False),
    ('s RLIKE "a.*"', {"s": "xa"}, False), ('s RLIKE ".*a.*"', {"s": "xay"}, True), ('m LIKE "a*"', {"m": ["a", "b"]}, None),
    ("CASE(n > 1, 1, 0)", {}, 0), ("CASE(n > 1, 1)", {}, None), ("CASE(n > 5, s, n > 1, \"b\", null)", {"n": 2}, "b"),
    ("COALESCE(s, \"x\")", {}, "x"), ("GREATEST(n, TO_LONG(3))", {"n": 5}, 5), ("GREATEST(n, TO_LONG(3))", {}, None),
    ('CONCAT(s, "|")', {"s": "a"}, "a|"), ('CONCAT(s, "|")', {}, None), ('CONCAT(m, "|")', {"m": ["a", "b"]}, None),
    ("TO_LOWER(s)", {"s": "\u00c4B"}, "\u00e4b"), ("LENGTH(s)", {"s": "\U0001f600"}, 1), ('LOCATE(s, "b")', {"s": "abc"}, 2),
    ('LOCATE(s, "z")', {"s": "abc"}, 0), ('STARTS_WITH(s, "A")', {"s": "abc"}, False), ('ENDS_WITH(s, "c")', {"s": "abc"}, True),
    ('SPLIT(s, ",")', {"s": "a,b"}, ["a", "b"]), ('MV_SLICE(SPLIT(s, ","), 1)', {"s": "a,b"}, "b"), ('MV_SLICE(SPLIT(s, ","), 2)', {"s": "a,b"}, None),
    ("MV_COUNT(m)", {"m": ["a", "b"]}, 2), ("MV_COUNT(m)", {}, None), ("MV_DEDUPE(m)", {"m": ["a", "a"]}, "a"),
    ("REPLACE(s, \"\"\"\\.\"\"\", \"-\")", {"s": "a.b"}, "a-b"), ("FROM_BASE64(TO_BASE64(s))", {"s": "\u00e4|"}, "\u00e4|"),
    ("TO_STRING(d)", {"d": 5.0}, "5.0"), ("TO_STRING(n)", {"n": 5}, "5"), ("TO_STRING(b)", {"b": True}, "true"), ("TO_STRING(d)", {"d": 1e10}, "1.0E10"),
    ("TO_LONG(s)", {"s": "x"}, None), ("TO_LONG(t)", {"t": 1500}, 1500), ("TO_STRING(t)", {"t": 1500}, "1970-01-01T00:00:01.500Z"),
    ('t > "1970-01-01T00:00:01Z"', {"t": 1500}, True), ('i == "10.0.0.1"', {"i": "10.0.0.1"}, True), ('i IN ("10.0.0.1")', {"i": "10.0.0.2"}, False),
    ('CIDR_MATCH(i, "10.0.0.0/8")', {"i": "10.1.2.3"}, True), ("TO_IP(s)", {"s": "x"}, None),
    # The poles are half a great circle apart: pi times the mean radius.
    ('ST_DISTANCE(TO_GEOPOINT("POINT (0 90)"), TO_GEOPOINT("POINT (0 -90)")) > 20015114', {}, True),
    ('ST_DISTANCE(TO_GEOPOINT("POINT (0 90)"), TO_GEOPOINT("POINT (0 -90)")) < 20015115', {}, True),
]

# Expressions that the engine has to refuse: unknown names, and types that ES|QL does not take together.
REFUSED = [
    "x == 1", "s == 1", "n == \"a\"", "s + 1", "CASE(n > 1, 1, \"a\")", "COALESCE(s, 1)", "GREATEST(n, 1)", "LOWER(s)", "CONCAT(s, n)", "MAX(n)",
    "i == \"x\"", "NOT s", "s LIKE n", "TO_GEOPOINT(n)",
]

# (aggregates, groups, rows, results) of `STATS`; rows and results are lists of maps.
STATS = [
    ("c = COUNT(n)", "s", [{"s": "a", "n": 1}, {"s": "a"}, {"s": "b"}], [{"s": "a", "c": 1}, {"s": "b", "c": 0}]),
    ("c = COUNT(*)", "s", [{"s": "a"}, {"s": "a"}, {}], [{"s": "a", "c": 2}, {"s": None, "c": 1}]),
    ("c = SUM(n)", "s", [{"s": "a", "n": 1}, {"s": "a", "n": 2}, {"s": "b"}], [{"s": "a", "c": 3}, {"s": "b", "c": None}]),
    ("c = SUM(d)", "s", [{"s": "a", "d": 0.5}, {"s": "a", "d": 0.25}], [{"s": "a", "c": 0.75}]),
    ("c = MIN(n), x = MAX(n)", "s", [{"s": "a", "n": 3}, {"s": "a", "n": 1}], [{"s": "a", "c": 1, "x": 3}]),
    ("c = MAX(v)", "s", [{"s": "a", "v": "a"}, {"s": "a", "v": "B"}], [{"s": "a", "c": "a"}]),
    ("c = VALUES(v)", "s", [{"s": "a", "v": "x"}, {"s": "a", "v": "x"}, {"s": "a"}], [{"s": "a", "c": "x"}]),
    ("c = COUNT(n)", "m", [{"m": ["a", "b"], "n": 1}, {"m": "a", "n": 1}], [{"m": "a", "c": 2}, {"m": "b", "c": 1}]),
]
