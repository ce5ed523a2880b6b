"""Holds the sentinel target's field maps against the columns that the tables really have.

    python columns_check.py TABLES.json FIELDS SCHEMAS     folders: targets/sentinel/fields, schemas/sources
    python columns_check.py --self-test

A binding of the wrong type compiles and binds nowhere, or worse, compares a bool with a text.
"""

import json
import sys
from pathlib import Path

import field_maps

# Column types that may carry a field of a type when it is read directly.
DIRECT = {
    "string": {"string", "guid"}, "ip": {"string"}, "time": {"datetime"}, "bool": {"bool"},
    "int": {"int", "long"}, "float": {"real", "decimal", "int", "long"},
}
INSIDE = {"json_text": "string", "dynamic": "dynamic"}


def as_list(place):
    return place if isinstance(place, list) else [place] if place else []


def united(names, text, tables):
    """The columns of a union of tables; those that are listed as text are parsed in their table first."""
    columns = {}
    for name in names:
        for column, kind in tables[name].items():
            if f"{name}.{column}" in text:
                if kind != "string":
                    yield f"{name}.{column} is listed as text and is {kind}"
                kind = "dynamic"
            if columns.setdefault(column, kind) != kind:
                yield f"`{column}` is {columns[column]} and {kind} in different tables"
    for place in text:
        if place.partition(".")[2] not in tables.get(place.partition(".")[0], {}):
            yield f"`{place}` is no column"
    return columns


def errors_of(fields, tables):
    names = as_list(fields.location.get("table"))
    unknown = [name for name in names if name not in tables]
    yield from (f"`{name}` is no declared table" for name in unknown)
    text = as_list(fields.location.get("text"))
    if unknown:
        return
    together = {name: tables[name] for name in names}
    if text:
        together = {" and ".join(names): (yield from united(names, text, tables))}
    for name, columns in together.items():
        if columns.get(fields.time) != "datetime":
            yield f"time `{fields.time}` is no datetime column of {name}"
        for native, target, kind, access in fields.bindings:
            column, *rest = target.split(".")
            if column not in columns:
                yield f"`{native}`: {name} has no column `{column}`"
            elif access in INSIDE:
                if columns[column] != INSIDE[access]:
                    yield f"`{native}`: `{access}` on {name}.{column}, which is {columns[column]}"
            elif access != "direct":
                yield f"`{native}`: a table has no `{access}` access"
            elif rest:
                yield f"`{native}`: `{target}` reaches into a column, which takes an `access`"
            elif kind is not None and columns[column] not in DIRECT[kind]:
                yield f"`{native}`: {kind} from {name}.{column}, which is {columns[column]}"


def self_test():
    schema = {"type": "object", "properties": {
        "name": {"type": "string"}, "mfa": {"type": "string"}, "at": {"type": "string", "format": "date-time"},
        "args": {"type": "object", "additionalProperties": {"type": "string"}}, "code": {"type": "integer"}}}
    tables = {"T": {"Time": "datetime", "Name": "string", "Mfa": "bool", "Args": "string", "Status": "dynamic"}}
    good = {"name": "Name", "mfa": {"path": "Mfa", "type": "bool"}, "at": "Time", "args.*": {"path": "Args", "access": "json_text"},
            "code": {"path": "Status.code", "access": "dynamic", "type": "int"}}
    united_tables = {"T": {"Time": "datetime", "Status": "dynamic"}, "U": {"Time": "datetime", "Status": "string", "Key": "string"}}
    code = {"code": {"path": "Status.code", "access": "dynamic", "type": "int"}, "name": "Key"}
    bad = [({"mfa": "Mfa"}, "T"), ({"name": "Nmae"}, "T"), ({"args.*": {"path": "Args", "access": "dynamic"}}, "T"),
           ({"code": "Status.code"}, "T"), ({"name": {"path": "Name", "access": "flattened"}}, "T"), ({"name": "Name"}, "U")]
    cases = [(good, "T", False)] + [(fields, table, True) for fields, table in bad]
    wrong = []
    for fields, table, expected in cases:
        document = {"source": "s", "location": {"table": table}, "time": "Time", "fields": fields}
        if bool(list(errors_of(field_maps.FieldMap(schema, document), tables))) != expected:
            wrong.append(fields)
    for text, expected in ((["U.Status"], False), (["T.Status"], True), (["U.Status", "U.Gone"], True), ([], True)):
        document = {"source": "s", "location": {"table": ["T", "U"], "text": text}, "time": "Time", "fields": code}
        cases.append((code, text, expected))
        if bool(list(errors_of(field_maps.FieldMap(schema, document), united_tables))) != expected:
            wrong.append(text)
    print(f"columns self-test: {len(cases) - len(wrong)} of {len(cases)} as expected {wrong or ''}", file=sys.stderr)
    return bool(wrong)


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    tables = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))["tables"]
    maps = field_maps.load(arguments[1], arguments[2])
    failed = 0
    for source, fields in maps.items():
        for message in errors_of(fields, tables):
            failed += 1
            print(f"{source}: {message}")
    bindings = sum(len(fields.bindings) for fields in maps.values())
    print(f"columns: {bindings} bindings of {len(maps)} sources, {failed} errors", file=sys.stderr)
    return failed > 0 or not maps


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
