"""Executes Kusto queries with duckdb-kql, which translates them to SQL or refuses them.

    python3 kql_duckdb.py TABLES.json       answers one JSON request a line, as kql_run.mjs does
    python3 kql_duckdb.py TABLES.json --self-test

A request: { query, now, columns, rows }; the answer: { rows }, { refused } for what the translation does not know, or
{ error }. Runs in an environment of its own, because its parser needs another runtime than that of ES|QL.
"""

import json
import sys
from datetime import datetime, timedelta, timezone

import duckdb
import duckdb_kql

TYPES = {"string": "varchar", "datetime": "timestamp", "long": "bigint", "int": "integer", "real": "double", "bool": "boolean", "dynamic": "json"}
REFUSALS = (duckdb_kql.KqlUnsupportedError, duckdb_kql.KqlSchemaError)


def instant(text):
    """A time without its zone, which is always UTC."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(timezone.utc).replace(tzinfo=None)


def text_of(value):
    """A value as Kusto writes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z"
    if isinstance(value, (timedelta, list, dict)):
        raise TypeError(f"no text for {type(value).__name__}")
    return str(value)


def plain(query):
    """The query without the lines of comment before it, which the translation takes for text."""
    return "\n".join(line for line in query.split("\n") if not line.startswith("//")).strip()


class Database:
    """Tables with the declared columns, filled anew for each request."""

    def __init__(self, tables):
        self.tables, self.filled = tables, set()
        self.connection = duckdb.connect()
        for name, columns in tables.items():
            described = ", ".join(f'"{column}" {TYPES[kind]}' for column, kind in columns.items())
            self.connection.execute(f'create table "{name}" ({described})')

    def fill(self, rows):
        for name in self.filled:
            self.connection.execute(f'delete from "{name}"')
        self.filled = {name for name, listed in rows.items() if listed}
        for name in self.filled:
            columns = self.tables[name]
            values = [[self.value(kind, row.get(column)) for column, kind in columns.items()] for row in rows[name]]
            places = ", ".join("?" * len(columns))
            self.connection.executemany(f'insert into "{name}" values ({places})', values)

    @staticmethod
    def value(kind, value):
        if value is None:
            # Kusto has no null among its texts.
            return "" if kind == "string" else None
        return instant(value) if kind == "datetime" else value

    def answer(self, request):
        query, now = plain(request["query"]), instant(request["now"])
        try:
            self.fill(request["rows"])
            result = duckdb_kql.query(self.connection, query, query_now=now)
            names = [column[0] for column in result.description]
            places = [names.index(column) for column in request["columns"]]
            return {"rows": sorted([text_of(row[place]) for place in places] for row in result.fetchall())}
        except REFUSALS as error:
            return {"refused": str(error)[:200]}


def self_test():
    """What the translation is known to do, and to refuse."""
    database = Database({"T": {"k": "string", "t": "datetime", "n": "long"}})
    rows = {"T": [{"k": "a", "t": "2026-01-05T00:00:00.500Z", "n": 1}, {"k": "A", "n": None}, {"n": 3}]}
    cases = [
        ('T | where k =~ "a" | project n', ["n"], [["1"], [""]]), ("T | where isempty(k) | project n", ["n"], [["3"]]), ("T | where n > 1 | project n", ["n"], [["3"]]),
        ("T | where isnotnull(t) | project t", ["t"], [["2026-01-05T00:00:00.5000000Z"]]), ("// a comment\nT | summarize c = count() | project c", ["c"], [["3"]]),
        ("T | where t > now() - 1h | project k", ["k"], [["a"]]), ("T | sort by k asc | extend p = prev(k)", ["p"], None), ("T | sort by k asc | scan with (step s: true;)", ["k"], None),
    ]
    failed = 0
    for query, columns, wanted in cases:
        answer = database.answer({"query": query, "now": "2026-01-05T00:30:00Z", "columns": columns, "rows": rows})
        if ("refused" in answer) != (wanted is None) or (wanted is not None and answer["rows"] != sorted(wanted)):
            failed += 1
            print(f"{query} gave {answer}", file=sys.stderr)
    print(f"duckdb-kql self-test: {len(cases) - failed} of {len(cases)} as expected", file=sys.stderr)
    return failed > 0


def main(arguments):
    with open(arguments[0], encoding="utf-8") as file:
        tables = json.load(file)["tables"]
    if arguments[1:] == ["--self-test"]:
        return self_test()
    database = Database(tables)
    for line in sys.stdin:
        try:
            answer = database.answer(json.loads(line))
        # Whatever goes wrong is the answer to this request; the next one is another.
        except Exception as error:  # noqa: BLE001
            answer = {"error": f"{type(error).__name__}: {error}"[:500]}
        print(json.dumps(answer), flush=True)
    return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
