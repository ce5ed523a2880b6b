"""Loads Sigma output with pySigma and holds every document to what the specification and pySigma both take.

    python sigma_check.py FOLDER
    python sigma_check.py --self-test

The published JSON schemas accept a threshold of `banana` and a time span of ten parsecs, and pySigma turns a
threshold of 0.5 into 0, so neither alone is a check. Exits 1 when there is any error, or no document.
"""

import re
import sys
import tempfile
import uuid
from pathlib import Path

import yaml
from sigma.collection import SigmaCollection
from sigma.rule import SigmaRule

FILE_NAME = re.compile(r"[a-z0-9_]+\.yml")
FILE_NAME_LENGTH = range(10, 71)
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
TIMESPAN = re.compile(r"[1-9][0-9]*[smhd]")
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
TAG = re.compile(r"(attack|car|cve|d3fend|detection|stp|tlp)\.[a-z0-9._-]+")
STATUS = {"stable", "test", "experimental", "deprecated", "unsupported"}
LEVEL = {"informational", "low", "medium", "high", "critical"}
CONDITIONS = {"gt", "gte", "lt", "lte", "eq", "neq"}
TEMPORAL = {"temporal", "temporal_ordered"}
# `value_median` is pySigma's own; the two disagree on what `value_percentile` means.
TYPES = TEMPORAL | {"event_count", "value_count", "value_sum", "value_avg"}
# `field|hour|gte` loses its `hour` without a word, and no backend has the plain form.
LOST_MODIFIERS = {"minute", "hour", "day", "week", "month", "year"}


def check_file(path):
    """The errors of one file, and its documents as text-only trees, so that a date stays what was written."""
    errors = []
    if not FILE_NAME.fullmatch(path.name) or len(path.name) not in FILE_NAME_LENGTH:
        errors.append("the file name is not 10 to 70 of `a-z 0-9 _` with `.yml`")
    try:
        documents = list(yaml.load_all(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader))
    except yaml.YAMLError as error:
        return errors + [f"no YAML: {error}"], []
    for document in documents:
        if not isinstance(document, dict):
            errors.append("a document is no map")
            continue
        where = document.get("title", "?")
        errors += [f"{where}: {message}" for message in check_document(document)]
    return errors, [document for document in documents if isinstance(document, dict)]


def check_document(document):
    if not 0 < len(document.get("title", "")) <= 256:
        yield "`title` is missing or over 256 characters"
    try:
        uuid.UUID(document.get("id", ""))
    except ValueError:
        yield "`id` is no UUID"
    if document.get("status") not in STATUS:
        yield f"`status` is {document.get('status')}"
    if document.get("level") not in LEVEL:
        yield f"`level` is {document.get('level')}"
    for key in ("date", "modified"):
        if key in document and not DATE.fullmatch(document[key]):
            yield f"`{key}` is {document[key]}"
    for tag in document.get("tags", []):
        if not TAG.fullmatch(tag):
            yield f"tag `{tag}` is of no known namespace"
    if isinstance(document.get("author", ""), list):
        yield "`author` is a list"
    if "generate" in document:
        yield "`generate` is read by some tools at this place and ignored by others"
    if "correlation" in document:
        yield from check_correlation(document["correlation"])
    elif "detection" in document:
        yield from check_detection(document)
    else:
        yield "neither a rule nor a correlation"


def check_detection(document):
    if not document.get("logsource"):
        yield "`logsource` is missing"
    if not isinstance(document["detection"].get("condition"), str):
        yield "`condition` is no text"
    if "timeframe" in document["detection"]:
        yield "`timeframe` is ignored everywhere"
    for key in keys_of(document["detection"]):
        modifiers = set(key.split("|")[1:])
        if modifiers & LOST_MODIFIERS:
            yield f"`{key}`: time modifiers are lost on the way"
        if "utf16le" in modifiers:
            yield f"`{key}`: pySigma has no `utf16le`"


def keys_of(node):
    children = node if isinstance(node, list) else node.values() if isinstance(node, dict) else []
    if isinstance(node, dict):
        yield from node
    for child in children:
        yield from keys_of(child)


def check_correlation(correlation):
    kind = correlation.get("type")
    if kind not in TYPES:
        yield f"correlation type `{kind}`"
    if not TIMESPAN.fullmatch(correlation.get("timespan", "")):
        yield f"`timespan` is `{correlation.get('timespan')}`, not a whole number of s, m, h or d"
    if not isinstance(correlation.get("rules"), list) or not correlation["rules"]:
        yield "`rules` is no list"
    for name in correlation.get("rules", []):
        if not NAME.fullmatch(name):
            yield f"rule reference `{name}` is no identifier"
    if not isinstance(correlation.get("group-by"), list):
        yield "`group-by` is required and a list"
    condition = correlation.get("condition")
    if kind in TEMPORAL:
        if condition is not None:
            yield "a temporal correlation takes no portable `condition`"
        return
    if not isinstance(condition, dict) or len(CONDITIONS & condition.keys()) != 1:
        yield "`condition` has not exactly one comparison"
        return
    for operator in CONDITIONS & condition.keys():
        if not re.fullmatch(r"\d+", condition[operator]):
            yield f"`{operator}: {condition[operator]}` is no whole number"
    if (kind != "event_count") != isinstance(condition.get("field"), str):
        yield "`field` names one field for a value type, and none for `event_count`"


def check_collection(folder):
    """Every error of a folder, by file."""
    found, identities, documents = {}, {}, 0
    for path in sorted(Path(folder).rglob("*.yml")):
        errors, trees = check_file(path)
        documents += len(trees)
        for tree in trees:
            for key in ("id", "name"):
                if (key, tree.get(key)) in identities:
                    errors.append(f"`{key}: {tree[key]}` is also in {identities[key, tree[key]]}")
                elif key in tree:
                    identities[key, tree[key]] = path.name
            if "name" in tree and not NAME.fullmatch(tree["name"]):
                errors.append(f"`name: {tree['name']}` is no identifier")
        if errors:
            found[str(path)] = errors
    try:
        collection = SigmaCollection.load_ruleset([folder])
        collection.resolve_rule_references()
        for rule in collection.rules:
            for condition in rule.detection.parsed_condition if isinstance(rule, SigmaRule) else []:
                condition.parsed  # noqa: B018  pySigma reads a condition when it is asked for
    except Exception as error:  # pySigma lets what its parsers raise through
        found["pySigma"] = [f"{type(error).__name__}: {error}"]
    return found, documents


RULE = """title: Base
id: 3b7f4a4e-7e0a-4e56-9d8e-2a0b7c1b5d12
name: detc_base
status: test
level: low
date: 2026-01-05
tags: [attack.t1059.009]
logsource: {product: aws, service: cloudtrail}
detection:
  selection: {eventName: [CreateUser], userAgent|contains: boto}
  condition: selection
"""
CORRELATION = """---
title: Burst
id: 3b7f4a4e-7e0a-4e56-9d8e-2a0b7c1b5d11
status: test
level: high
correlation:
  type: event_count
  rules: [detc_base]
  group-by: [userIdentity.arn]
  timespan: 90m
  condition: {gte: 10}
"""
GOOD = RULE + CORRELATION
BAD = [
    ("gte: 10", "gte: 0.5", "no whole number"), ("gte: 10", "gte: banana", "no whole number"),
    ("gte: 10", "gte: 10, lte: 20", "exactly one"), ("90m", "1h30m", "timespan"), ("90m", "1M", "timespan"),
    ("90m", "0m", "timespan"), ("rules: [detc_base]", "rules: [nope]", "nope"), ("detc_base", "detc-base", "identifier"),
    ("event_count", "value_median", "value_median"), ("event_count", "value_count", "field"),
    ("  group-by: [userIdentity.arn]\n", "", "group-by"), ("status: test", "status: new", "status"),
    ("attack.t1059.009", "analytic.an0215", "tag"), ("2026-01-05", "2026/01/05", "date"),
    ("userAgent|contains: boto", "eventTime|hour|gte: 20", "time modifiers"), ("boto}", "boto", "YAML"),
    ("userAgent|contains", "userAgent|nothing", "pySigma"), ("condition: selection", "condition: selektion", "pySigma"),
    ("5d11", "5d12", "is also in"), ("level: high\n", "level: high\ngenerate: true\n", "generate"),
]


def self_test():
    cases = [(GOOD, "detc_burst_rule.yml", None), (GOOD, "Detc-Burst.yml", "file name"), (GOOD, "a.yml", "file name")]
    cases += [(GOOD.replace(old, new), "detc_burst_rule.yml", expected) for old, new, expected in BAD]
    failed = 0
    for text, name, expected in cases:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, name).write_text(text, encoding="utf-8")
            found, _ = check_collection(folder)
        messages = [f"{where}: {message}" for where, errors in found.items() for message in errors]
        if not (any(expected in message for message in messages) if expected else not messages):
            failed += 1
            print(f"expected {expected or 'no error'}, got {messages}", file=sys.stderr)
    print(f"sigma self-test: {len(cases) - failed} of {len(cases)} as expected", file=sys.stderr)
    return failed


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test() > 0
    found, documents = check_collection(arguments[0])
    for where, errors in found.items():
        for message in errors:
            print(f"{where}: {message}")
    print(f"sigma: {documents} documents, {len(found)} files with errors", file=sys.stderr)
    return bool(found) or documents == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
