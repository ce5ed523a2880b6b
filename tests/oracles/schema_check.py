"""Validates SARIF reports, and checks that a JSON schema of ours is itself a valid one.

    python schema_check.py sarif SCHEMA.json REPORT.sarif
    python schema_check.py schema DETECTION-SCHEMA.json
    python schema_check.py --self-test [SCHEMA.json]     the SARIF schema is that of an npm package

The SARIF schema is the published one of 2.1.0. What code scanning wants beyond it is checked here: a rule for
every result, and a place for every result.
"""

import json
import sys
from pathlib import Path

from jsonschema import Draft4Validator, Draft202012Validator, SchemaError

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def sarif_errors(schema, report):
    validator = Draft4Validator(schema)
    errors = [f"/{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}" for error in validator.iter_errors(report)]
    if errors:
        return errors
    if report["version"] != "2.1.0" or not report["runs"]:
        errors.append("no run of version 2.1.0")
    for run in report["runs"]:
        rules = {rule["id"] for rule in run["tool"]["driver"].get("rules", [])}
        if not run.get("results"):
            errors.append("a run without results")
        for result in run.get("results", []):
            if result.get("ruleId") not in rules:
                errors.append(f"result of unlisted rule `{result.get('ruleId')}`")
            for location in result.get("locations") or [{}]:
                place = location.get("physicalLocation", {})
                uri = place.get("artifactLocation", {}).get("uri", "")
                if not uri or uri.startswith("/") or "\\" in uri:
                    errors.append(f"`{uri}` is no relative address")
                if place.get("region", {}).get("startLine", 0) < 1:
                    errors.append("a result without a line")
    return errors


def schema_errors(schema):
    if schema.get("$schema") != DIALECT:
        return [f"`$schema` is {schema.get('$schema')}"]
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return [f"/{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"]
    return list(dangling(schema, schema))


def dangling(root, node):
    """References that lead nowhere: the dialect's own schema does not look."""
    for child in node if isinstance(node, list) else node.values() if isinstance(node, dict) else []:
        yield from dangling(root, child)
    reference = node.get("$ref") if isinstance(node, dict) else None
    if isinstance(reference, str):
        target = root
        for part in reference.removeprefix("#").split("/")[1:]:
            part = part.replace("~1", "/").replace("~0", "~")
            target = target.get(part) if isinstance(target, dict) else None
        if not reference.startswith("#") or target is None:
            yield f"`{reference}` leads nowhere"


def self_test(sarif_schema):
    region = {"startLine": 12, "startColumn": 14}
    place = {"physicalLocation": {"artifactLocation": {"uri": "detections/x.yml"}, "region": region}}

    def report(result, rules=("E101",), **more):
        driver = {"name": "detc", "rules": [{"id": rule} for rule in rules]}
        return {"version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": [result], **more}]}

    def result(**more):
        return {"ruleId": "E101", "level": "error", "message": {"text": "unknown field"}, "locations": [place], **more}

    cases = [(schema_errors({"$schema": DIALECT, "$defs": {"a": {}}, "$ref": "#/$defs/a"}), False),
             (schema_errors({"$schema": DIALECT, "type": "strnig"}), True), (schema_errors({"type": "string"}), True),
             (schema_errors({"$schema": DIALECT, "properties": {"a": {"$ref": "#/$defs/b"}}}), True)]
    if sarif_schema:
        cases += [(sarif_errors(sarif_schema, report(result())), False),
                  (sarif_errors(sarif_schema, report(result(level="bad"))), True),
                  (sarif_errors(sarif_schema, report(result(message="text"))), True),
                  (sarif_errors(sarif_schema, report(result(), rules=())), True),
                  (sarif_errors(sarif_schema, report(result(locations=[]))), True),
                  (sarif_errors(sarif_schema, report(result(), wat=1)), True),
                  (sarif_errors(sarif_schema, {"version": "2.1.0"}), True)]
    wrong = [number for number, (errors, expected) in enumerate(cases) if bool(errors) != expected]
    print(f"schema self-test: {len(cases) - len(wrong)} of {len(cases)} as expected {wrong or ''}", file=sys.stderr)
    return bool(wrong)


def main(arguments):
    documents = [json.loads(Path(path).read_text(encoding="utf-8")) for path in arguments[1:]]
    match arguments[0]:
        case "--self-test":
            return self_test(documents[0] if documents else None)
        case "sarif":
            errors = sarif_errors(*documents)
        case "schema":
            errors = schema_errors(*documents)
    for error in errors:
        print(f"{arguments[-1]}: {error}", file=sys.stderr)
    return bool(errors)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
