"""Writes what was executed as JSON, and holds what was not executed against the committed list.

It counts; it never judges a hit.
"""

import json
from pathlib import Path

import yaml

NOT_EXECUTED = Path(__file__).resolve().parent / "not_executed.yml"


def listed(target):
    """Constructs of a target that are known to be type-checked only, with the reason."""
    return (yaml.safe_load(NOT_EXECUTED.read_text(encoding="utf-8")) or {}).get(target) or {}


def check_listed(target, tally, complete):
    """Complaints about constructs that were refused and are not listed, and after a complete run about those listed and never refused."""
    known = listed(target)
    found = [f"`{construct}` is not executed on {target} and not listed in {NOT_EXECUTED.name}" for construct in tally.refused if construct not in known]
    if complete:
        found += [f"`{construct}` is listed in {NOT_EXECUTED.name} for {target} and was refused nowhere" for construct in known if construct not in tally.refused]
    return found


def evidence(target, engines, tally):
    """The summary: numbers for each behaviour, verdict and row of `detc matrix`."""
    known = listed(target)
    rows = {}
    for row, numbers in sorted(tally.rows.items()):
        cell = {"streams": numbers["streams"], "hits": numbers["hits"], "differing": numbers["differing"]}
        if numbers["unsupported"]:
            cell["unsupported"] = numbers["unsupported"]
        refused = [name.removeprefix("refused ") for name in numbers if name.startswith("refused ")]
        if refused:
            cell["parsed_only"] = {name: known.get(name, "") for name in sorted(refused)}
        rows[row] = cell
    return {
        "target": target,
        "engines": [engine.title for engine in engines],
        "pairs": sum(tally.pairs.values()),
        "scheduled": tally.scheduled,
        "differing": sum(tally.differing.values()),
        "detections": tally.detections,
        "behaviours": {family: behaviour(tally, family) for family in sorted({family for family, _ in tally.pairs})},
        "rows": rows,
        "not_executed": {construct: {"detections": number, "reason": known.get(construct, "")} for construct, number in sorted(tally.refused.items())},
        "unsupported": dict(sorted(tally.unsupported.items())),
        "outside_assumptions": dict(sorted(tally.outside.items())),
    }


def behaviour(tally, family):
    return {
        **{verdict: number for (of, verdict), number in sorted(tally.pairs.items()) if of == family},
        "hits": tally.hits[family],
        "differing": tally.differing[family],
    }


def write_evidence(path, target, engines, tally):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(evidence(target, engines, tally), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
