"""Each shape of the emitted KQL that reads neighbouring rows, beside a self-join that means the same.

duckdb-kql refuses the first text of a pair and executes the second; the interpreter executes the first. It knows the
shapes and nothing of detections.
"""

import json
import random
import tempfile
from pathlib import Path

TABLES = {"S": {"k": "string", "t": "datetime", "o": "long", "x": "string", "id": "long", "d": "dynamic"}}
KEYS, ROUNDS = 60, 4

NEVER = "datetime(1970-01-01)"


def kept(name, otherwise):
    """The value of a fold that the last row of the key left behind."""
    return f"iff(f.k == k, f.{name}, {otherwise})"


PAIRS = {
    "three events in a window": (
        "S | where o == 1 | sort by k asc, t asc | extend a = prev(k, 2), b = prev(t, 2) | where a == k and t - b <= 3m | distinct k, t",
        "S | where o == 1 | distinct k, t | join kind=inner (S | where o == 1 | project k, u = t) on k | where u <= t and t - u <= 3m | summarize n = count() by k, t | where n >= 3 | project k, t",
    ),
    "no event afterwards": (
        "S | where o == 1 | distinct k, t | sort by k asc, t asc | extend a = next(k), b = next(t) | where a != k or b - t > 3m | project k, t",
        "S | where o == 1 | distinct k, t | join kind=leftanti (S | where o == 1 | distinct k, t | join kind=inner (S | where o == 1 | project k, u = t) on k | where u > t and u - t <= 3m | project k, t) on k, t",
    ),
    "exactly two events in a window": (
        "union (S | where o == 1 | project k, t, p = 0, n = 1), (S | where o == 1 | distinct k, t | project k, t, p = 1, n = 0), (S | where o == 1 | project k, t = t + 3m, p = 2, n = -1)"
        " | sort by k asc, t asc, p asc | extend n = row_cumsum(n) | where p == 1 and n == 2 | project k, t",
        "S | where o == 1 | distinct k, t | join kind=inner (S | where o == 1 | project k, u = t) on k | where u <= t and t - u <= 3m | summarize n = count() by k, t | where n == 2 | project k, t",
    ),
    "two values in a window": (
        "let v = materialize(S | where o == 1 and isnotempty(x) | sort by k asc, x asc, t asc | extend k0 = prev(k), x0 = prev(x), t0 = prev(t), k1 = next(k), x1 = next(x), t1 = next(t));"
        " union (v | where k0 != k or x0 != x or t - t0 > 3m | project k, t, p = 0, n = 1), (S | where o == 1 | distinct k, t | project k, t, p = 1, n = 0),"
        " (v | where k1 != k or x1 != x or t1 - t > 3m | project k, t = t + 3m, p = 2, n = -1) | sort by k asc, t asc, p asc | extend n = row_cumsum(n) | where p == 1 and n >= 2 | project k, t",
        "S | where o == 1 | distinct k, t | join kind=inner (S | where o == 1 and isnotempty(x) | project k, u = t, y = x) on k | where u <= t and t - u <= 3m | distinct k, t, y"
        " | summarize n = count() by k, t | where n >= 2 | project k, t",
    ),
    "sums that begin anew": (
        "S | sort by k asc, id asc | extend c = row_cumsum(o, k != prev(k)) | project id, c",
        "S | project k, id | join kind=inner (S | project k, other = id, o) on k | where other <= id | summarize c = sum(o) by id",
    ),
    "numbers of rows": (
        "S | sort by k asc, id asc | serialize n = row_number() | project id, n",
        "S | extend one = 1 | join kind=inner (S | project k1 = k, other = id, one = 1) on one | where k1 < k or (k1 == k and other <= id) | summarize n = count() by id",
    ),
    "a chain of two": (
        "S | where o in (1, 2) | project k, t, o | sort by k asc, t asc, o asc | scan declare (f: datetime) with (step a output=none: o == 1; step b: o == 2 and k == a.k and t - a.t <= 3m => f = a.t;)"
        " | summarize f = max(f) by k, t",
        "S | where o == 2 | distinct k, t | join kind=inner (S | where o == 1 | project k, u = t) on k | where u <= t and t - u <= 3m | summarize f = max(u) by k, t",
    ),
    "a chain of three": (
        "S | where o in (1, 2, 3) | project k, t, o | sort by k asc, t asc, o asc | scan declare (f: datetime) with (step a output=none: o == 1; step b output=none: o == 2 and k == a.k and t - a.t <= 3m;"
        " step c: o == 3 and k == a.k and t - a.t <= 3m => f = a.t;) | summarize f = max(f) by k, t",
        "S | where o == 3 | distinct k, t | join kind=inner (S | where o == 2 | project k, u = t) on k | where u <= t | join kind=inner (S | where o == 1 | project k, v = t) on k | where v <= u and t - v <= 3m"
        " | summarize f = max(v) by k, t",
    ),
    "a chain until": (
        "S | where o in (1, 2, 9) | project k, t, o | sort by k asc, t asc, o asc | scan declare (l: datetime, u: datetime) with (step f: true =>"
        f" l = iff(o == 1, t, {kept('l', NEVER)}), u = iff(o == 9, t, {kept('u', NEVER)});) | where o == 2 and t - l <= 3m and u <= l | distinct k, t",
        "let p = S | where o == 2 | distinct k, t | join kind=inner (S | where o == 1 | distinct k, t | project k, u = t) on k | where u <= t and t - u <= 3m | project k, t, u;"
        " p | join kind=leftanti (p | join kind=inner (S | where o == 9 | project k, w = t) on k | where w > u and w < t | project k, t, u) on k, t, u | distinct k, t",
    ),
    "all of three in a window": (
        "S | sort by k asc, t asc | scan declare (a: datetime, b: datetime, c: datetime) with (step f: true =>"
        f" a = iff(o == 1, t, {kept('a', NEVER)}), b = iff(o == 2, t, {kept('b', NEVER)}), c = iff(o == 3, t, {kept('c', NEVER)});)"
        " | where t - a <= 3m and t - b <= 3m and t - c <= 3m | distinct k, t",
        "S | distinct k, t | join kind=inner (S | where o in (1, 2, 3) | project k, u = t, o) on k | where u <= t and t - u <= 3m | distinct k, t, o | summarize n = count() by k, t | where n == 3 | project k, t",
    ),
    "nothing before": (
        "S | where o in (1, 2) | project k, t, o | sort by k asc, t asc, o desc | scan declare (l: datetime) with (step f: true =>"
        f" l = iff(o == 1, t, {kept('l', NEVER)});) | where o == 2 and t - l > 3m | distinct k, t",
        "S | where o == 2 | distinct k, t | join kind=leftanti (S | where o == 2 | distinct k, t | join kind=inner (S | where o == 1 | project k, u = t) on k | where u < t and t - u <= 3m | project k, t) on k, t",
    ),
    "buckets from 1970": ("S | project id, b = bin_at(t, 7m, datetime(1970-01-01))", "S | project id, b = bin(t, 7m)"),
    "any element": (
        'S | where array_length(d) > 0 | mv-apply e = d to typeof(dynamic) on (summarize c = countif(tostring(e) == "p") > 0) | where c | project id',
        'S | where array_length(d) > 0 | mv-expand e = d to typeof(string) | where e == "p" | distinct id',
    ),
}


#: What is compared, where it is not the key and the time.
COLUMNS = {
    "sums that begin anew": ["id", "c"],
    "numbers of rows": ["id", "n"],
    "a chain of two": ["k", "t", "f"],
    "a chain of three": ["k", "t", "f"],
    "buckets from 1970": ["id", "b"],
    "any element": ["id"],
}


def rows(rng):
    """Rows of several keys on a grid of minutes, a few of them a millisecond off."""
    made = []
    for key in range(KEYS):
        for _ in range(rng.randint(1, 9)):
            instant = 60_000 * rng.randrange(8) + rng.choice([0] * 8 + [1, -1]) + 1000
            made.append({
                "k": f"K{key}",
                "t": f"2026-01-05T00:{instant // 60_000:02d}:{instant // 1000 % 60:02d}.{instant % 1000:03d}Z",
                "o": rng.choice([1, 1, 2, 2, 3, 9]),
                "x": rng.choice(["x1", "x2", "x3", ""]),
                "id": len(made),
                "d": json.dumps(rng.choice([[], ["p"], ["q", "p"], ["q"]])),
            })
    return made


def compare(cross, seed):
    """Executes each pair, the first text in the interpreter and the second in duckdb-kql."""
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump({"tables": TABLES}, file)
        file.flush()
        for service in (cross.kql.interpreter, cross.duckdb):
            service.restart([str(Path(file.name)) if part.endswith(".json") else part for part in service.command])
        rng = random.Random(seed)
        for _ in range(ROUNDS):
            request = {"now": "2026-01-05T01:00:00Z", "rows": {"S": rows(rng)}}
            for name, (serial, joined) in PAIRS.items():
                columns = COLUMNS.get(name, ["k", "t"])
                ours = cross.kql.interpreter.ask(request | {"query": serial, "columns": columns, "networks": []})
                theirs = cross.duckdb.ask(request | {"query": joined, "columns": columns})
                cross.count["twins"] += 1
                cross.count["executions"] += 1
                cross.count["rows"] += len(theirs.get("rows", ()))
                if sorted(ours.get("rows", [ours])) != sorted(theirs.get("rows", [theirs])) or not theirs["rows"]:
                    cross.differing.append((f"{name}: {serial}", ours, theirs, request["rows"]))
