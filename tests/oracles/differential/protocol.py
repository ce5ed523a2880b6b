"""What the harness and the engines say to each other: events, queries, runs and hits.

An engine is a class in `engines/<name>.py` that derives from `Engine`; `engines/__init__.py` lists it by its target.
It gets the query as it was emitted and raw events as the vendor writes them. It speaks of no detection and of no
expected hit: it executes a text.
"""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


class EngineError(Exception):
    """The engine met something that it does not know; it never guesses and never skips."""


class Outside(Exception):
    """The stream is one that the output's stated assumptions exclude; its text says which of them."""


def milliseconds(duration):
    """A duration as the manifest writes it, such as `75m`, in milliseconds."""
    parts = re.fullmatch(r"(?:\d+(?:ms|[smhd]))+", duration)
    if parts is None:
        raise ValueError(f"`{duration}` is no duration")
    return sum(int(number) * UNITS[unit] for number, unit in re.findall(r"(\d+)(ms|[smhd])", duration))


@dataclass(frozen=True)
class Event:
    """One event of a source: its time in milliseconds since the epoch, and the vendor's JSON object."""

    source: str
    time: int
    raw: dict
    #: path of the member that identifies events of the source, where there is one
    identified_by: str | None = None

    def identity(self):
        """The value that tells copies of one event from other events, or None."""
        value = self.raw
        for name in (self.identified_by or "").split("."):
            value = value.get(name) if isinstance(value, dict) else None
        return value if value != "" else None

    def text(self):
        """The event as one line of a log."""
        return json.dumps(self.raw, ensure_ascii=False, separators=(",", ":"))


@dataclass
class Query:
    """One emitted query: its record in the manifest, its text, and the project it was compiled with."""

    record: dict
    text: str
    #: folder that holds `schemas/` and `targets/`
    project: Path
    #: CSV file with the places of networks, for engines that look addresses up
    places: Path | None = None
    #: room for what an engine parsed, so that it parses once
    parsed: dict = field(default_factory=dict)

    def __getstate__(self):
        # What an engine made of the text need not fit through a pipe between processes.
        return {**self.__dict__, "parsed": {}}

    @property
    def name(self):
        return self.record["detection"]

    @property
    def keys(self):
        return self.record["keys"]

    @property
    def interval(self):
        return milliseconds(self.record["schedule"]["interval"])

    @property
    def lag(self):
        return milliseconds(self.record["schedule"]["lag"])

    @property
    def lookback(self):
        return milliseconds(self.record["schedule"]["lookback"])

    @property
    def range(self):
        return milliseconds(self.record["schedule"]["range"])

    @property
    def codes(self):
        """Codes of the reasons for an approximate verdict."""
        return sorted({reason["code"] for reason in self.record["reasons"]})


class Engine:
    """Executes the queries of one target."""

    #: name of the target as `detc compile -t` has it
    target = ""
    #: values of `language` in the manifest that this engine executes
    languages = ()
    #: what stands in the evidence for this engine, such as `evaluator of the emitted SPL`
    title = ""
    #: whether hits of consecutive runs repeat, because the engine itself drops what an earlier run reported
    repeats = False
    #: reason -> what may differ when this engine executes the query, where that is less than the reason announces
    allowed = {}
    #: `Fault`s that the harness must notice; see faults.py
    faults = ()

    def repeats_of(self, query):
        """Whether hits of consecutive runs of this query repeat."""
        return self.repeats

    def refuses(self, query):
        """Name of a construct in `not_executed.yml` that keeps the query from being executed, or None."""
        raise NotImplementedError

    def promised(self, query, events):
        """Whether the events keep those assumptions of the manifest that random events can break."""
        return True

    def hits(self, query, events, now):
        """The hits that one scheduled run at `now` (milliseconds) reports, as a list of (keys, time).

        `events` are all events of the stream, in no particular order; the engine itself reads only those in the
        range of the run. Keys are a tuple of texts in the order of `query.keys`; times are whole milliseconds.
        Raises `EngineError` on whatever it does not know.
        """
        raise NotImplementedError

    def self_test(self):
        """Checks the engine against the documented facts that it is built from; raises on a mismatch."""
        raise NotImplementedError


@dataclass(frozen=True)
class Fault:
    """A mistake that a backend could make, as a rewrite of its text.

    `rewrite` gets the text of a query and returns the faulty text, or the same text where it does not apply.
    """

    name: str
    rewrite: object


def key_text(value):
    """A key of a hit as text, as the language's declared types write it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value if isinstance(value, str) else str(value)


def runs(query, events):
    """Instants of the consecutive scheduled runs that have an event in their range."""
    if not events:
        return []
    interval, first, last = query.interval, min(e.time for e in events), max(e.time for e in events)
    # The first run whose interval holds the first event, and the last one that still looks back at the last event.
    start = -(-first // interval) * interval
    end = -(-(last + query.lookback) // interval) * interval + interval
    return [instant + query.lag for instant in range(start, end + 1, interval)]


def scheduled_hits(engine, query, events):
    """The hits of consecutive runs over one stream, in one list."""
    found = []
    for now in runs(query, events):
        fresh = engine.hits(query, events, now)
        if engine.repeats_of(query):
            fresh = [hit for hit in fresh if hit not in found]
        found += fresh
    return found
