"""Asks detc for the queries of detections and for the reference evaluator's hits.

It runs the compiler as its users do and takes both answers as they are.
"""

import json
import subprocess
from collections import Counter
from datetime import datetime
from pathlib import Path

from protocol import Query, key_text

#: A fixed day, so that expiry changes nothing.
TODAY = "2026-11-30"
#: Places of the addresses that the vocabulary uses.
PLACES = """network,country,city,asn,organisation,latitude,longitude
198.51.100.0/26,GA,Libreville,64500,First Net,0.4,9.5
198.51.100.64/26,EC,Quito,64501,Second Net,-0.2,-78.5
203.0.113.0/24,DE,Berlin,64502,Third Net,52.5,13.4
2001:db8::/32,JP,Tokyo,64503,Fourth Net,35.7,139.7
"""


class Compiler:
    """The compiler, with a folder for what it reads and writes."""

    def __init__(self, program, root, folder):
        self.program, self.root, self.folder = str(program), Path(root), Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.places = self.folder / "places.csv"
        self.places.write_text(PLACES, encoding="utf-8")

    def write(self, detections):
        """Writes detections into the folder that the compiler reads."""
        folder = self.folder / "detections"
        folder.mkdir(exist_ok=True)
        for old in folder.glob("*.yml"):
            old.unlink()
        for detection in detections:
            (folder / f"{detection.name}.yml").write_text(detection.text(), encoding="utf-8")
        return folder

    def project(self, target, interval):
        """A folder whose only difference from the shipped targets is the interval of the schedule."""
        folder = self.folder / f"project-{interval}"
        profile = folder / "targets" / target / "target.yml"
        if not profile.exists():
            profile.parent.mkdir(parents=True, exist_ok=True)
            lines = (self.root / "targets" / target / "target.yml").read_text(encoding="utf-8").splitlines()
            lines = [f"interval: {interval}" if line.startswith("interval:") else line for line in lines]
            profile.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return folder

    def compile(self, paths, target, interval=None, settings=None):
        """The records of all valid detections as queries, and what the compiler said; text is empty where there is no query."""
        out = self.folder / f"out-{target}-{interval or 'shipped'}"
        project = self.project(target, interval) if interval else self.root
        command = [self.program, "compile", *map(str, paths), "-t", target, "-o", str(out), "--project", str(project), "--today", TODAY, "--format", "json", *assigned(settings)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.root, check=False)
        if done.returncode not in (0, 1) or not (out / "manifest.json").exists():
            raise RuntimeError(f"detc compile ended with {done.returncode}: {done.stderr[:2000]}")
        records = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["records"]
        queries = {}
        for record in records:
            text = (out / record["file"]).read_text(encoding="utf-8") if "file" in record else ""
            queries[record["detection"]] = Query(record, text, self.root, self.places)
        return queries, done.stderr + done.stdout

    def hits(self, paths, events, settings=None, places=None):
        """The evaluator's hits by detection: a list of (keys by name, time in milliseconds)."""
        arguments = []
        for source in sorted({event.source for event in events}):
            log = self.folder / f"{source}.jsonl"
            ordered = sorted((event for event in events if event.source == source), key=lambda event: event.time)
            log.write_text("".join(event.text() + "\n" for event in ordered), encoding="utf-8")
            arguments += ["--log", f"{source}={log}"]
        if not arguments:
            return {}
        command = [self.program, "run", *map(str, paths), *arguments, "--hits", "--format", "json", "--enrich", str(places or self.places), "--today", TODAY, "-q", *assigned(settings)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.root, check=False)
        if done.returncode not in (0, 1):
            raise RuntimeError(f"detc run ended with {done.returncode}: {done.stderr[:2000]}")
        found = {}
        for line in done.stdout.splitlines():
            hit = json.loads(line)
            found.setdefault(hit["detection"], []).append((hit["keys"], instant_of(hit["time"])))
        return found


def assigned(settings):
    """Values of parameters as the command line takes them."""
    return [argument for name, value in (settings or {}).items() for argument in ("--set", f"{name}={value}")]


def instant_of(text):
    """Milliseconds since the epoch of an RFC 3339 instant."""
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return round(moment.timestamp() * 1000)


def expected(query, hits):
    """Hits of the evaluator in the shape of an engine's: keys as texts in the order of the manifest."""
    return Counter((tuple(key_text(keys.get(name)) for name in query.keys), time) for keys, time in hits)
