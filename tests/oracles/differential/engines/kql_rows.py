"""Puts raw events into the columns of Log Analytics tables, as the connectors that the field maps describe do.

It reads field maps and the declared columns of tables, and never a query. A value that does not fit a column's type,
text of a number in another spelling included, leaves the column empty.
"""

import json
import re
import sys
from datetime import datetime, timezone
from pathlib import Path

import yaml

ORACLES = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ORACLES))

from field_maps import segments  # noqa: E402


class Loader(yaml.SafeLoader):
    """YAML without dates: every scalar that looks like one is text in a field map."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def time_text(milliseconds):
    moment = datetime.fromtimestamp(milliseconds // 1000, timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + f".{milliseconds % 1000:03d}Z"


def member(document, path):
    for name in path:
        if not isinstance(document, dict) or name not in document:
            return None
        document = document[name]
    return document


def put(document, path, value):
    for name in path[:-1]:
        inner = document.get(name)
        document = document.setdefault(name, {}) if isinstance(inner, dict) or inner is None else {}
    document[path[-1]] = value


def json_text(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def text_of(value):
    """A scalar of an event in a text column."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json_text(value)


def fitted(kind, value):
    """A value as one of a column's type, or None."""
    if value is None:
        return None
    if kind == "string":
        return text_of(value)
    if kind == "dynamic":
        return json_text(value)
    if kind == "bool":
        return value if isinstance(value, bool) else {"true": True, "false": False}.get(value)
    if kind in ("long", "int"):
        return str(int(float(value))) if re.fullmatch(r"-?(0|[1-9]\d*)(\.0)?", text_of(value)) else None
    if kind == "real":
        return float(value) if re.fullmatch(r"-?(0|[1-9]\d*)(\.\d+)?", text_of(value)) else None
    if kind == "datetime":
        return value if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", str(value)) else None
    raise ValueError(f"a column of type {kind}")


class Binding:
    """One field of a source, and its place in the table."""

    def __init__(self, native, binding):
        binding = {"path": binding} if isinstance(binding, str) else binding
        self.native = segments(native.removesuffix(".*"))
        self.path = segments(binding["path"])
        self.access = binding.get("access", "direct")
        self.literals = {str(key).lower(): value for key, value in (binding.get("literals") or {}).items()}

    def value(self, raw):
        found = member(raw, self.native)
        return self.literals.get(text_of(found).lower(), found) if self.literals and not isinstance(found, (dict, list)) and found is not None else found


class Source:
    """The table of one source, or its tables where each holds a part of the events."""

    def __init__(self, fields, columns):
        names = fields["location"]["table"]
        self.tables = {name: columns[name] for name in ([names] if isinstance(names, str) else names)}
        self.time = fields["time"]
        self.bindings = [
            Binding(native, binding)
            for native, binding in fields["fields"].items()
            if "[]" not in native and (isinstance(binding, str) or "missing" not in binding)
        ]

    def table(self, raw):
        """The table that is named after the event's category, else the first one."""
        category = str(raw.get("category", "")).lower()
        return next((name for name in self.tables if category and name.lower().endswith(category)), next(iter(self.tables)))

    def lost(self, event):
        """Columns that stay empty although the event has a value for them, which does not fit."""
        columns = self.tables[self.table(event.raw)]
        for binding in self.bindings:
            column = binding.path[0]
            value = binding.value(event.raw) if binding.access == "direct" and column in columns else None
            if value not in (None, "") and fitted(columns[column], value) is None:
                yield column

    def row(self, event):
        """The table of an event and its columns that are not empty."""
        row, documents = {}, {}
        table = self.table(event.raw)
        columns = self.tables[table]
        for binding in self.bindings:
            value = binding.value(event.raw)
            column, *inner = binding.path
            if value is None or column not in columns:
                continue
            if binding.access == "direct":
                if not inner and row.get(column) is None:
                    row[column] = fitted(columns[column], value)
            elif inner:
                put(documents.setdefault(column, {}), inner, value)
            elif isinstance(value, dict) and isinstance(documents.get(column), dict):
                documents[column].update(value)
            else:
                documents[column] = value
        row.update((column, json_text(document)) for column, document in documents.items())
        row[self.time] = time_text(event.time)
        return table, {column: value for column, value in row.items() if value is not None}


class Tables:
    """The tables of all sources of a project."""

    def __init__(self, project):
        columns = json.loads((ORACLES / "tables.json").read_text(encoding="utf-8"))["tables"]
        self.of = {}
        for path in sorted((Path(project) / "targets/sentinel/fields").glob("*.yml")):
            fields = yaml.load(path.read_text(encoding="utf-8"), Loader)
            self.of[fields["source"]] = Source(fields, columns)

    def natives(self, columns):
        """The last names of the native fields that the columns hold."""
        return {binding.native[-1] for source in self.of.values() for binding in source.bindings if binding.path[0] in columns}

    def rows(self, events):
        """Rows by the name of the table."""
        found = {}
        for event in events:
            table, row = self.of[event.source].row(event)
            found.setdefault(table, []).append(row)
        return found
