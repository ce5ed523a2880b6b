"""Reads detections with their own events: the shipped ones with their tests, and the hand-written cases under edges/.

It reads the files as the compiler does, scalars by the type that the schema declares; it judges nothing.
"""

import copy
import functools
import json
import sys
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import yaml
from detection import Detection, quoted
from protocol import Event, milliseconds
from streams import put, written

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from field_maps import schema_types, segments  # noqa: E402

#: Midnight of a Monday, from which tests count.
MONDAY = 1_767_571_200_000


#: Distance of streams that are evaluated together: whole weeks, and far more than anything that is looked back.
APART = 52 * 7 * 86_400_000


@dataclass
class Stream:
    """The events of one test, and the times at which hits are known to be, where the case says so."""

    name: str
    events: list
    wanted: list | None = None
    settings: dict = field(default_factory=dict)
    places: Path | None = None
    #: whether the events carry times of their own, which stay as they are
    fixed: bool = False
    #: instants among which the stream is alone
    alone: tuple = (float("-inf"), float("inf"))

    def holds(self, time):
        return self.alone[0] <= time < self.alone[1]

    def moved(self, schemas, by):
        """The stream at another time, alone for half of `APART` on both sides."""
        events = []
        for event in self.events:
            raw = copy.deepcopy(event.raw)
            schemas.stamp(raw, event.source, event.time + by)
            if event.identity() is not None:
                # Events of two streams are never copies of one event.
                put(raw, event.identified_by, f"{event.identity()}-{by // APART}")
            events.append(Event(event.source, event.time + by, raw, event.identified_by))
        middle = MONDAY + by
        wanted = None if self.wanted is None else [time + by for time in self.wanted]
        return replace(self, events=events, wanted=wanted, alone=(middle - APART // 2, middle + APART // 2))


@functools.cache
def schemas_of(root):
    """The schemas, read once in each process."""
    return Schemas(root)


def together(root, streams):
    """Streams that one run of the evaluator can take, with the values of parameters and the places that they ask for."""
    groups = {}
    for stream in streams:
        key = (tuple(sorted(stream.settings.items())), stream.places, stream.name if stream.fixed else "")
        groups.setdefault(key, []).append(stream)
    for (settings, places, _), group in groups.items():
        if len(group) > 1:
            group = [stream.moved(schemas_of(root), index * APART) for index, stream in enumerate(group)]
        yield dict(settings), places, group


@dataclass
class Case:
    """A detection with its streams."""

    detection: Detection
    streams: list
    path: Path | None = None


class Schemas:
    """The telemetry schemas: types of fields, and where the time and the identity stand."""

    def __init__(self, root):
        self.root, self.read = root, {}

    def of(self, source):
        if source not in self.read:
            document = yaml.safe_load((self.root / "schemas/sources" / f"{source}.yml").read_text(encoding="utf-8"))
            self.read[source] = (schema_types(document), document["x-source"], document)
        return self.read[source]

    def epoch(self, source, path):
        """The unit in which a time is a number, or None where it is a text."""
        node = self.of(source)[2]
        for name in path.split("."):
            node = node.get("properties", {}).get(name, {})
        return node.get("x-epoch")

    def stamp(self, document, source, instant):
        path = self.of(source)[1]["time"]
        unit = self.epoch(source, path)
        put(document, path, instant if unit == "ms" else instant // 1000 if unit else written(instant))

    def event(self, source, instant, node):
        """An event from the node of its fields, written by dotted path or nested."""
        types, facts, _ = self.of(source)
        document = {}
        for name, inner in members(node):
            nested(document, segments(name), self.value(inner, types, ".".join(segments(name))))
        return self.made(source, instant, document, facts)

    def made(self, source, instant, document, facts):
        if instant is None:
            instant = instant_of(follow(document, facts["time"]), self.epoch(source, facts["time"]))
        elif follow(document, facts["time"]) is None:
            self.stamp(document, source, instant)
        else:
            instant = instant_of(follow(document, facts["time"]), self.epoch(source, facts["time"]))
        return Event(source, instant, document, facts.get("id"))

    def value(self, node, types, path):
        if isinstance(node, yaml.MappingNode):
            # Only the outermost names are paths; inside a mapping a name with a dot is one name.
            return {name: self.value(inner, types, f"{path}.{name}") for name, inner in members(node)}
        if isinstance(node, yaml.SequenceNode):
            return [self.value(inner, types, path + "[]") for inner in node.value]
        return scalar(node, types.get(path) or types.get(path.removesuffix("[]")) or "string")

    def raw(self, line, sources):
        """An event of a file of raw events, whose source is that whose signature it has."""
        document = json.loads(line)
        for source in sources:
            facts = self.of(source)[1]
            if all(follow(document, path) is not None for path in facts["signature"]):
                return self.made(source, None, document, facts)
        raise ValueError(f"an event of no known source: {line[:80]}")


def instant_of(value, unit):
    if unit:
        return value if unit == "ms" else value * 1000
    return round(datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp() * 1000)


def follow(document, path):
    for name in path.split("."):
        document = document.get(name) if isinstance(document, dict) else None
    return document


def nested(document, names, value):
    for name in names[:-1]:
        document = document.setdefault(name, {})
    document[names[-1]] = value


def members(node):
    return [(name.value, inner) for name, inner in node.value]


def scalar(node, declared):
    """A scalar in the type that the schema declares, as far as its text is of that type."""
    text = node.value
    if node.style is not None:
        return text
    if text in ("null", "~", ""):
        return None
    if declared == "bool" and text in ("true", "false"):
        return text == "true"
    if declared == "int" and text.lstrip("-").isdigit():
        return int(text)
    if declared in ("int", "float"):
        try:
            return float(text)
        except ValueError:
            return text
    return text


def entry(node, name):
    return dict(members(node)).get(name)


def test_stream(schemas, test, folder, sources):
    """The stream of one test of a detection."""
    start = entry(test, "start")
    start = instant_of(start.value, None) if start is not None else MONDAY
    events = []
    for part in ("history", "events"):
        listed = entry(test, part)
        for item in listed.value if listed is not None else []:
            offset = entry(item, "at").value
            instant = start + (-milliseconds(offset[1:]) if offset.startswith("-") else milliseconds(offset))
            events.append(schemas.event(entry(item, "source").value, instant, entry(item, "event")))
    file = entry(test, "file")
    if file is not None:
        events += [schemas.raw(line, sources) for line in (folder / file.value).read_text(encoding="utf-8").splitlines() if line.strip()]
    settings = {name: plain(value) for name, value in members(entry(test, "parameters"))} if entry(test, "parameters") is not None else {}
    enrich = entry(test, "enrich")
    fixed = file is not None or entry(test, "start") is not None
    return Stream(entry(test, "name").value, events, None, settings, folder / enrich.value if enrich is not None else None, fixed)


def plain(node):
    """A parameter's value as the command line takes it."""
    return "[" + ", ".join(quoted(inner.value) for inner in node.value) + "]" if isinstance(node, yaml.SequenceNode) else node.value


def shipped(root, folders):
    """The detections below some folders with the streams of their tests."""
    schemas, found = schemas_of(root), []
    for folder in folders:
        for path in sorted((root / folder).rglob("*.yml")):
            text = path.read_text(encoding="utf-8")
            document = yaml.compose(text)
            if not isinstance(document, yaml.MappingNode) or entry(document, "detection") is None:
                continue
            sources = sorted({entry(signal, "source").value for _, signal in members(entry(document, "signals")) if entry(signal, "source") is not None})
            tests = entry(document, "tests")
            streams = [test_stream(schemas, test, path.parent, sources) for test in (tests.value if tests is not None else [])]
            found.append(Case(Detection(entry(document, "detection").value, {}, family="shipped", file_text=text), streams, path))
    return found


HEAD = """detection: {name}
id: 00000000-0000-4000-8000-{number:012x}
title: {title}
status: test
severity: low
description: An edge of the language.
"""


def edges(root, folder, target):
    """The hand-written cases for a target: conditions with events for which they hold and do not, and behaviours with streams."""
    schemas, found = schemas_of(root), []
    for path in sorted(folder.glob("*.yml")):
        for case in yaml.compose(path.read_text(encoding="utf-8")).value:
            only = entry(case, "targets")
            if only is None or target in [name.value for name in only.value]:
                found.append(edge(schemas, case, len(found)))
    return found


def edge(schemas, case, number):
    name = f"edge_{number}"
    title = entry(case, "case").value
    head = HEAD.format(name=name, number=number, title=quoted(title))
    rows = [row.value for row in entry(case, "rows").value] if entry(case, "rows") is not None else []
    if entry(case, "where") is not None:
        source = entry(case, "source").value
        text = head + f"signals:\n  a:\n    source: {source}\n    where: {quoted(entry(case, 'where').value)}\n"
        streams = [condition_stream(schemas, source, case)]
        rows = rows or ["any event"]
    else:
        text = head + entry(case, "detection").value
        streams = [behavior_stream(schemas, case, stream) for stream in entry(case, "streams").value]
    return Case(Detection(name, {}, family="edges", rows=rows, file_text=text), streams)


def condition_stream(schemas, source, case):
    """One stream of all events, a minute apart; those under `holds` are hits."""
    events, wanted = [], []
    for part in ("holds", "fails"):
        listed = entry(case, part)
        for node in listed.value if listed is not None else []:
            instant = MONDAY + 6 * 3_600_000 + 60_000 * len(events)
            if part == "holds":
                wanted.append(instant)
            document = schemas.event(source, instant, node)
            events.append(unique(schemas, document, len(events)))
    return Stream(entry(case, "case").value, events, wanted)


def unique(schemas, event, number):
    """The event with an identity of its own, where the case gives it none."""
    if event.identified_by and event.identity() is None:
        put(event.raw, event.identified_by, f"e{number}")
    return event


def behavior_stream(schemas, case, node):
    """One stream of a behaviour: `events` as in a test of a detection, `hits` as offsets."""
    start = MONDAY + 6 * 3_600_000
    events = []
    source = entry(case, "source").value
    shared = entry(case, "each")
    for item in entry(node, "events").value:
        fields = dict(members(item))
        offset = fields.pop("at").value
        instant = start + (-milliseconds(offset[1:]) if offset.startswith("-") else milliseconds(offset))
        mine = fields.pop("source").value if "source" in fields else source
        base = list(members(shared)) if shared is not None and mine == source else []
        pairs = {**dict(base), **fields}
        mapping = yaml.MappingNode("tag:yaml.org,2002:map", [(yaml.ScalarNode("tag:yaml.org,2002:str", name), value) for name, value in pairs.items() if name != "times" and value.value != "ABSENT"])
        for _ in range(int(fields["times"].value) if "times" in fields else 1):
            events.append(unique(schemas, schemas.event(mine, instant, mapping), len(events)))
    wanted = [start + milliseconds(offset.value) for offset in entry(node, "hits").value]
    return Stream(entry(node, "name").value, events, wanted)
