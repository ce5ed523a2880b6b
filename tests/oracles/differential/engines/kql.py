"""Executes the emitted Kusto text in an interpreter of Microsoft's syntax tree, which kql_cross.py holds against duckdb-kql.

It gets events and a text. It reads the names of key columns from the manifest's record, and never a detection.
"""

import csv
import json
import os
import re
import subprocess
from datetime import datetime, timezone
from pathlib import Path

from engines.kql_faults import FAULTS
from engines.kql_rows import ORACLES, Tables, time_text
from protocol import Engine, EngineError

TIME = "TimeGenerated"
#: What `tolong()` and `toreal()` may take for a number, and what the language does.
NUMERIC = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
#: Conversions, and what they convert.
CONVERSION = re.compile(r"\b(?:tolong|toreal|tobool|todatetime)\(((?:[^()]|\([^()]*\))*)\)")
SHORTEST = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")
#: The Python of the environment that has duckdb-kql.
DUCKDB = Path(os.environ.get("CARGO_TARGET_DIR", ORACLES.parent.parent / "target")) / "oracles/duckdb/bin/python"


def members(document, names, named=False):
    """Every scalar of a JSON document that stands under one of the names."""
    if isinstance(document, dict):
        for name, value in document.items():
            yield from members(value, names, named or name in names)
    elif isinstance(document, list):
        for value in document:
            yield from members(value, names, named)
    elif named:
        yield document


def blanks(document):
    """Whether a list of a JSON document holds null or the empty text."""
    if isinstance(document, dict):
        return any(blanks(value) for value in document.values())
    return isinstance(document, list) and any(value in (None, "") or blanks(value) for value in document)


def loose(value):
    """Whether a text reads as a number and is not what that number is written as."""
    return isinstance(value, str) and bool(NUMERIC.fullmatch(value)) and not SHORTEST.fullmatch(value)


class Service:
    """A long-lived process that answers one JSON request a line."""

    def __init__(self, command):
        self.command, self.process = command, None

    def restart(self, command):
        """Ends the process; the next request starts the other command."""
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait()
        self.command, self.process = command, None

    def ask(self, request):
        if self.process is None or self.process.poll() is not None:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise EngineError(f"{self.command[0]} ended without an answer")
        return json.loads(line)


def milliseconds_of(text):
    moment = datetime.strptime(text[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    return int(moment.timestamp()) * 1000 + int(text[20:23] or 0)


class KqlEngine(Engine):
    """Interpreter of the emitted KQL."""

    target = "sentinel"
    languages = ("kql",)
    title = "interpreter of the emitted KQL over Microsoft's syntax tree"

    faults = FAULTS

    def __init__(self):
        self.interpreter = Service(["node", str(ORACLES / "kql_run.mjs"), str(ORACLES / "tables.json")])
        self.tables = {}

    def refuses(self, query):
        return None

    def promised(self, query, events):
        """Whether the events fit the columns that are read, and the values what the manifest assumes of them."""
        if "converted" not in query.parsed:
            query.parsed["asked for"] = set(re.findall(r"\bis(?:not)?(?:null|empty)\((\w+)\)", query.text))
            columns = {word for argument in CONVERSION.findall(query.text) for word in re.findall(r"\w+", argument)}
            query.parsed["converted"] = columns | self.tables_of(query).natives(columns)
        assumed = " ".join(query.record["assumptions"])
        if "a list whose `length`" in assumed and any(blanks(event.raw) for event in events):
            return False
        if "numbers, truth values and times" in assumed and any(loose(value) for event in events for value in members(event.raw, query.parsed["converted"])):
            return False
        # A query cannot see that there was a value which ingestion lost, because it does not fit its column.
        return not any(column in query.parsed["asked for"] for event in events for column in self.tables_of(query).of[event.source].lost(event))

    def tables_of(self, query):
        if query.project not in self.tables:
            self.tables[query.project] = Tables(query.project)
        return self.tables[query.project]

    def request(self, query, events, now):
        """What both engines are asked: the text, the rows of its tables, and the columns that make a hit."""
        return {
            "query": query.text,
            "now": time_text(now),
            "columns": [TIME, *query.keys],
            "rows": self.tables_of(query).rows(events),
            "networks": self.networks(query),
            "strict": query.record["fidelity"] == "exact",
        }

    @staticmethod
    def networks(query):
        if "networks" not in query.parsed:
            rows = []
            if query.places:
                with open(query.places, encoding="utf-8", newline="") as file:
                    rows = list(csv.DictReader(file))
            query.parsed["networks"] = rows
        return query.parsed["networks"]

    def hits(self, query, events, now):
        answer = self.interpreter.ask(self.request(query, events, now))
        if "error" in answer:
            raise EngineError(answer["error"])
        return [(tuple(keys), milliseconds_of(time)) for time, *keys in answer["rows"]]

    def self_test(self):
        done = subprocess.run([*self.interpreter.command, "--self-test"], capture_output=True, text=True, check=False)
        facts = re.search(r"(\d+) of (\d+) as expected", done.stderr)
        if done.returncode or not facts:
            raise EngineError(done.stderr)
        return int(facts[1])
