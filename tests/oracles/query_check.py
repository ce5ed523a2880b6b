"""What the checks of Elastic's two languages share: how they are called, what they print, and their self-tests.

It knows no language: each check brings the function that finds the errors of one query.
"""

import json
import sys
from pathlib import Path

import field_maps


def as_list(value):
    return value if isinstance(value, list) else [] if value is None else [value]


def of_datasets(maps, datasets):
    """The field maps whose sources write one of these datasets."""
    return [each for each in maps if set(datasets) & set(as_list(each.location.get("dataset")))]


def self_test(language, check, maps, good, bad):
    """How many of the queries that should parse, and of those that should fail with a text, do not."""
    failed = 0
    for text in good:
        errors = check(text, maps)
        if errors:
            failed += 1
            print(f"should parse: {text}: {errors}", file=sys.stderr)
    for text, expected in bad:
        errors = check(text, maps)
        if not any(expected in error for error in errors):
            failed += 1
            print(f"should fail with `{expected}`: {text}: {errors}", file=sys.stderr)
    total = len(good) + len(bad)
    print(f"{language} self-test: {total - failed} of {total} as expected", file=sys.stderr)
    return failed


def main(language, check, arguments):
    """Checks every query below a folder; whether any has an error, or there is none."""
    queries, fields, schemas = arguments
    maps = list(field_maps.load(fields, schemas).values())
    paths = sorted(Path(queries).rglob(f"*.{language}"))
    failed = 0
    for path in paths:
        errors = check(path.read_text(encoding="utf-8"), maps)
        failed += bool(errors)
        print(json.dumps({"file": str(path), "errors": errors}))
    print(f"{language}: {len(paths) - failed} of {len(paths)} queries parse", file=sys.stderr)
    return failed > 0 or not paths
