"""Holds a folder that `detc compile` wrote against its own manifest.

    python3 manifest_check.py DIST DETECTIONS...     DETECTIONS: the folders that were compiled
    python3 manifest_check.py --self-test

Needs no package: a verdict without a reason, a query that the manifest does not own, and a detection that was
left out without a word are faults on any machine.
"""

import hashlib
import json
import sys
import tempfile
from pathlib import Path

TARGETS = {"splunk", "sentinel", "elastic", "sigma"}
FIDELITY = {"exact", "approximate", "unsupported"}


def errors_of(dist, folders):
    records = json.loads((dist / "manifest.json").read_text(encoding="utf-8"))["records"]
    seen, owned = {}, {"manifest.json"}
    for record in records:
        name = f"{record['detection']} on {record['target']}"
        seen.setdefault(record["detection"], []).append(record["target"])
        yield from (f"{name}: {message}" for message in record_errors(record, dist))
        owned.add(record.get("file"))
    for detection, targets in seen.items():
        if len(targets) != len(set(targets)):
            yield f"{detection}: two records for one target"
    for path in sorted(path for path in dist.rglob("*") if path.is_file()):
        if path.relative_to(dist).as_posix() not in owned:
            yield f"{path.relative_to(dist)}: no record owns it"
    for path in sorted(path for folder in folders for path in Path(folder).rglob("*.yml")):
        if "lists" in path.parts:
            continue
        # A detection may say on which targets it compiles; one that does not is due on all of them.
        restricted = any(line.startswith("targets:") for line in path.read_text(encoding="utf-8").splitlines())
        missing = TARGETS - set(seen.get(path.stem, []))
        if missing == TARGETS or (missing and not restricted):
            yield f"{path.stem}: no record for {', '.join(sorted(missing))}"


def record_errors(record, dist):
    fidelity, reasons = record.get("fidelity"), record.get("reasons", [])
    if fidelity not in FIDELITY:
        yield f"fidelity `{fidelity}`"
    if (fidelity == "exact") != (not reasons):
        yield f"{fidelity} with {len(reasons)} reasons"
    for reason in reasons:
        if not reason.get("code") or not reason.get("message"):
            yield f"a reason without code or message: {reason}"
        if reason.get("at", "").startswith("/"):
            yield f"`{reason['at']}` is a path of one machine"
    if fidelity == "unsupported":
        if record.get("file"):
            yield "unsupported, and a query was written"
        return
    path = dist / record.get("file", "?")
    if not path.is_file():
        yield f"`{record.get('file')}` was not written"
        return
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != record.get("sha256", {}).get("query"):
        yield f"sha256 of `{record['file']}` differs"
    lines = content.decode("utf-8").split("\n")
    if lines[-1] or len(lines) < 2:
        yield f"`{record['file']}` does not end in one line break"
    for number, line in enumerate(lines, 1):
        if line != line.rstrip():
            yield f"{record['file']}:{number}: trailing blank"


def self_test():
    query = "AWSCloudTrail\n| take 1\n"
    digest = {"query": hashlib.sha256(query.encode()).hexdigest()}
    reason = {"code": "R1", "message": "no state", "at": "detections/x.yml:1:1"}

    def record(target, **more):
        return {"detection": "x", "target": target, "file": f"{target}/x.q", "fidelity": "exact", "reasons": [], "sha256": digest} | more

    unsupported = {"detection": "x", "target": "sigma", "fidelity": "unsupported", "reasons": [reason]}
    good = [record("splunk"), record("sentinel"), record("elastic", fidelity="approximate", reasons=[reason]), unsupported]
    cases = [
        (good, query, False), (good[:3], query, True), (good + [record("splunk")], query, True), (good, query + " ", True),
        (good, query.replace("\n", " \n"), True), ([record("splunk", fidelity="approximate")] + good[1:], query, True),
        ([record("splunk", reasons=[reason])] + good[1:], query, True), ([record("splunk", fidelity="fine")] + good[1:], query, True),
        (good[:3] + [unsupported | {"reasons": []}], query, True), (good[:3] + [unsupported | {"file": "splunk/x.q"}], query, True),
        ([record("splunk", file="splunk/y.q")] + good[1:], query, True), ([record("splunk", sha256={"query": "0"})] + good[1:], query, True),
        (good[:3] + [unsupported | {"reasons": [reason | {"at": "/x.yml:1:1"}]}], query, True),
    ]
    wrong = []
    for number, (records, text, expected) in enumerate(cases):
        with tempfile.TemporaryDirectory() as folder:
            dist, detections = Path(folder, "dist"), Path(folder, "detections")
            for target in ("splunk", "sentinel", "elastic"):
                (dist / target).mkdir(parents=True)
                (dist / target / "x.q").write_text(text, encoding="utf-8")
            detections.mkdir()
            (detections / "x.yml").write_text("detection: x\n", encoding="utf-8")
            (dist / "manifest.json").write_text(json.dumps({"records": records}), encoding="utf-8")
            if bool(list(errors_of(dist, [detections]))) != expected:
                wrong.append(number)
    print(f"manifest self-test: {len(cases) - len(wrong)} of {len(cases)} as expected {wrong or ''}", file=sys.stderr)
    return bool(wrong)


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    dist = Path(arguments[0])
    errors = list(errors_of(dist, arguments[1:]))
    for message in errors:
        print(message)
    records = json.loads((dist / "manifest.json").read_text(encoding="utf-8"))["records"]
    count = {level: sum(record.get("fidelity") == level for record in records) for level in sorted(FIDELITY)}
    print(f"manifest: {len(records)} records, {count}, {len(errors)} errors", file=sys.stderr)
    return bool(errors) or not records


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
