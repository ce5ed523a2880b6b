"""Executes emitted SPL: storage of events as Splunk keeps them, the range of a scheduled search, and its result rows.

It parses the emitted text with a grammar of its own and knows nothing of how the text came about.
"""

import csv
import ipaddress
import json
import math
import re
import zlib

import yaml
from engines import spl_facts, spl_faults, spl_text
from engines.spl_commands import Pipeline
from engines.spl_values import Reading, extracted, number, single, text
from field_maps import segments
from protocol import Engine, EngineError

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class Places:
    """What the database behind `iplocation` and the lookup of owners know of an address."""

    def __init__(self, path):
        self.rows = []
        if path:
            with open(path, encoding="utf-8", newline="") as file:
                self.rows = [(ipaddress.ip_network(row["network"]), row) for row in csv.DictReader(file)]

    def row(self, address):
        try:
            wanted = ipaddress.ip_address(text(address))
        except ValueError:
            return None
        return next((row for network, row in self.rows if network.version == wanted.version and wanted in network), None)

    def of(self, address):
        row = self.row(address)
        return row and {"lat": row["latitude"], "lon": row["longitude"], "Country": row["country"], "City": row["city"]}

    def owner(self, address):
        row = self.row(address)
        return row and {"asn": row["asn"], "as_org": row["organisation"]}


class Shape:
    """Where an input puts the members of a raw event: as they are, or below other names, as the field map says."""

    def __init__(self, fields):
        self.places = {}
        for native, binding in fields.items():
            path = binding if isinstance(binding, str) else binding.get("path", "")
            names = tuple(segments(native.removesuffix(".*")))
            if path and not path.startswith("_") and "[]" not in native:
                self.places.setdefault(names, tuple(segments(path.replace("{}", ""))))
        self.moves = any(native != stored for native, stored in self.places.items())

    def stored(self, raw):
        if not self.moves:
            return raw
        document = {}
        self.put(document, (), raw)
        return document

    def put(self, document, path, value):
        """Puts a member where its own name is bound, else where the nearest object around it is."""
        if isinstance(value, dict) and value and path not in self.places:
            for name, inner in value.items():
                self.put(document, (*path, name), inner)
            return
        around = next((path[:length] for length in range(len(path), 0, -1) if path[:length] in self.places), ())
        *outer, last = (*self.places.get(around, ()), *path[len(around):])
        for name in outer:
            document = document.setdefault(name, {})
        document[last] = value


class Storage:
    """Raw events as rows: the location of their source, JSON extraction, and what add-ons write beside it."""

    def __init__(self, project):
        self.sources = {}
        for path in sorted((project / "targets/splunk/fields").glob("*.yml")):
            fields = yaml.safe_load(path.read_text(encoding="utf-8"))
            # The fields that Splunk itself or an input gives an event of that source, as its search text names them; of
            # several values the first one.
            location = dict(re.findall(r'(\w+)(?:=| IN \()"([^"]*)"', fields["location"]["search"]))
            # How the add-on spells a missing value of a field.
            spelled = {
                binding["path"]: binding["literals"][""]
                for binding in (fields.get("fields") or {}).values()
                if isinstance(binding, dict) and "" in (binding.get("literals") or {})
            }
            self.sources[fields["source"]] = (location, spelled, Shape(fields.get("fields") or {}))

    def row(self, event, reading):
        location, spelled, shape = self.sources[event.source]
        stored = shape.stored(event.raw)
        row = extracted(stored, reading)
        for field, spelling in spelled.items():
            if row.get(field) in (None, "", "null"):
                row[field] = spelling
        instant = event.time // 1000 if event.time % 1000 == 0 else event.time / 1000
        # An event that says itself what its location is about keeps its own word.
        return {**location, **row, "_time": instant, "_raw": json.dumps(stored, ensure_ascii=False, separators=(",", ":"))}


def dispatch_instant(written, now):
    """A relative time of a scheduled search, such as `-10m@m+1s`, at `now`, both in seconds."""
    match = re.fullmatch(r"((?:-\d+[smhd])?)(?:@([smhd]))?((?:[+-]\d+[smhd])?)", written)
    if match is None:
        raise EngineError(f"dispatch time {written!r}")

    def offset(part):
        return int(part[:-1]) * UNITS[part[-1]] if part else 0

    snapped = UNITS[match[2]] if match[2] else 1
    return (now + offset(match[1])) // snapped * snapped + offset(match[3])


class SplEngine(Engine):
    """A test-only evaluator of exactly the commands that are emitted."""

    target = "splunk"
    languages = ("spl",)
    title = "evaluator of the emitted SPL"

    def __init__(self):
        self.storages = {}

    def refuses(self, query):
        return None

    def parsed(self, query):
        if "query" not in query.parsed:
            query.parsed["query"] = spl_text.query(query.text)
            query.parsed["places"] = Places(query.places)
        return query.parsed["query"]

    def storage(self, query):
        if query.project not in self.storages:
            self.storages[query.project] = Storage(query.project)
        return self.storages[query.project]

    def hits(self, query, events, now):
        search, commands = self.parsed(query)
        # The same query is always read in the same way, so that a counterexample stays one while it shrinks.
        reading = Reading(zlib.crc32(query.text.encode()))
        deployment = query.record["deployment"]
        earliest = dispatch_instant(deployment["dispatch.earliest_time"], now // 1000)
        latest = dispatch_instant(deployment["dispatch.latest_time"], now // 1000)
        storage = self.storage(query)
        # Rows are made once for all runs over a stream; the pipeline works on copies.
        kept = query.parsed.setdefault("rows", {})
        rows = []
        for event in events:
            if earliest * 1000 <= event.time < latest * 1000:
                if id(event) not in kept:
                    kept[id(event)] = (event, storage.row(event, reading))
                rows.append(kept[id(event)][1])
        found = Pipeline(reading, latest, query.parsed["places"]).run(search, commands, rows)
        return [(tuple(self.key(row, name) for name in query.keys), math.floor(number(row["_time"]) * 1000 + 0.5)) for row in found]

    @staticmethod
    def key(row, name):
        if name not in row:
            raise EngineError(f"a result row without its key `{name}`")
        return text(single(row[name], "a key"))

    def self_test(self):
        return spl_facts.check()

    faults = spl_faults.FAULTS
