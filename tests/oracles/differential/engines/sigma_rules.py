"""Executes Sigma rules and correlations in `rsigma-eval`, a crate that nobody here wrote (see tests/oracles/sigma_engine).

What it executes is the emitted text, but for two lines of a correlation. The engine counts whole seconds, so `timespan` is
written as that many of our milliseconds, which it takes for seconds. And it lets one rule close a `temporal` that has no
condition, where the specification wants all of them, so that number is written as its condition. Its windows slide and are closed at both ends, and it looks at them at
every event of the rules, in the order of arrival; where Sigma leaves that open, the checks below say what may differ.
"""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1])]
import field_maps  # noqa: E402
import sigma_faults  # noqa: E402
import verdicts  # noqa: E402
from protocol import Engine, EngineError, key_text, milliseconds  # noqa: E402

TARGET = Path(os.environ.get("CARGO_TARGET_DIR", HERE.parents[3] / "target")) / "oracles"
PROGRAM = TARGET / "sigma_engine/debug/sigma-engine"
TIMESPAN = re.compile(r"^(  timespan: )(\d+[smhd])$", re.MULTILINE)
TYPED = "numbers and truth values arrive as such"
BARE = "no other spelling of it arrives"
KINDS = {"bool", "int", "float"}
UNCOUNTED = ("an event that is not counted closes no hit", "an event without the counted value closes no hit")


def only_what_slides_otherwise(query, events, missing, extra):
    """What sliding windows, looked at whenever an event of the rules arrives, may still miss or add."""
    message = " ".join(reason["message"] for reason in query.record["reasons"] if reason["code"] == "window_unspecified")
    if "that the clock cuts" in message:
        return True
    # In the middle of an instant a number can be another than at its end.
    ties = "type: value_" in query.text
    may_miss = any(text in message for text in UNCOUNTED) or ties and verdicts.only_where_events_tie(query, events, missing, {})
    may_add = ties and verdicts.only_where_events_tie(query, events, {}, extra)
    return (not missing or may_miss) and (not extra or may_add)


def only_what_an_order_leaves_open(query, events, missing, extra):
    """Any event of the rules closes a hit again as long as a chain is in the window, one event may be two steps of it, and
    ties come in any order."""
    closed = {time for _, time in query.parsed["expected"]} | query.parsed["several"]
    again = all(any(time - query.lookback <= other <= time for other in closed) for _, time in extra)
    return (again or verdicts.only_where_events_tie(query, events, {}, extra)) and verdicts.only_where_events_tie(query, events, missing, {})


def only_case(query, events, missing, extra):
    """Whether `fieldref` ignores case is open; values and groups that differ in case are kept apart."""
    return "|fieldref" in query.text or "type: value_count" in query.text and not missing or verdicts.only_kept_apart(query, events, missing, extra)


class SigmaEngine(Engine):
    """The engine; one process answers all queries."""

    target = "sigma"
    languages = ("sigma",)
    faults = sigma_faults.FAULTS
    title = "rsigma-eval 0.23.0"
    allowed = {"window_unspecified": only_what_slides_otherwise, "order_unspecified": only_what_an_order_leaves_open, "key_case": only_case}

    def __init__(self):
        self.process, self.maps = None, {}

    def refuses(self, query):
        keys, columns = query.keys, query.record["columns"]
        return "two keys of one field" if columns and len(columns) != len(keys) else None

    def hits(self, query, events, now):
        """Hits of the newest interval; a rule sees all events up to then."""
        end = (now - query.lag) // query.interval * query.interval
        ordered = sorted((event for event in events if event.time <= end), key=lambda event: (event.time, event.text()))
        found = self.ask(query, [self.arriving(query, event) for event in ordered])
        first = next(yaml.safe_load_all(query.text))
        rules = Counter(hit["event"] for hit in found if hit["keys"] is None)
        query.parsed["several"] = {ordered[number].time for number, matched in rules.items() if matched > 1}
        if "correlation" not in first:
            numbers = dict.fromkeys(hit["event"] for hit in found if hit["keys"] is None)
            hits = [((), ordered[number].time) for number in numbers]
        else:
            mine = [hit for hit in found if hit["rule"] == first["id"] and hit["keys"] is not None]
            hits = list(dict.fromkeys((tuple(key_text(value) for _, value in hit["keys"]), ordered[hit["event"]].time) for hit in mine))
        return [hit for hit in hits if end - query.interval < hit[1] <= end]

    def map_of(self, query, source):
        """The field map of a source."""
        if source not in self.maps:
            fields = yaml.safe_load((query.project / f"targets/sigma/fields/{source}.yml").read_text(encoding="utf-8"))
            schema = yaml.safe_load((query.project / f"schemas/sources/{source}.yml").read_text(encoding="utf-8"))
            self.maps[source] = field_maps.FieldMap(schema, fields)
        return self.maps[source]

    def arriving(self, query, event):
        """An event as the engine gets it: where it comes from, names with dots at its top, where the engine finds them, and
        null for the fields that it lacks, since the engine finds null in a list of values only where a field is there."""
        flat = dict(dotted(event.raw))
        lacking = {name: None for name in asked_for(query) if name not in flat and not found_at(event.raw, name.split("."))}
        return {"time": event.time, "logsource": self.map_of(query, event.source).location, "event": {**event.raw, **flat, **lacking}}

    def promised(self, query, events):
        """Numbers and truth values are assumed to arrive as such, and a number in a text field in one spelling."""
        typed, bare = (any(part in text for text in query.record["assumptions"]) for part in (TYPED, BARE))
        for event in events:
            maps = self.map_of(query, event.source)
            natives = {target: native for native, target, _, access in maps.bindings if access == "direct"}
            for name in asked_for(query):
                native = natives.get(name, name)
                kind = maps.type_of(name) or maps.types.get(native)
                value = member_of(event.raw, native.split("."))
                if typed and kind in KINDS and not fits(value, kind) or bare and is_respelled(value):
                    return False
        return True

    def ask(self, query, events):
        if self.process is None:
            if not PROGRAM.exists():
                raise EngineError(f"{PROGRAM} is not built; tests/run.sh does it")
            self.process = subprocess.Popen([PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")
        self.process.stdin.write(json.dumps({"rules": for_the_engine(query.text), "events": events}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise EngineError(answer["error"])
        return answer["hits"]

    def self_test(self):
        """Windows, orders and groups as the checks of this engine assume them."""
        for kind, condition, stream, wanted in FACTS:
            query = FactQuery(fact_rules(kind, condition))
            events = [{"time": time, "logsource": {"product": "p"}, "event": {"kind": letters, "user": user}} for time, letters, user in stream]
            found = [(hit["event"], hit["keys"][0][1]) for hit in self.ask(query, events) if hit["keys"] is not None]
            if found != wanted:
                raise EngineError(f"{kind} {condition} over {stream}: {found}, not {wanted}")
        return len(FACTS)


def asked_for(query):
    """The fields that a query's rules and correlations name."""
    if "fields" not in query.parsed:
        names = set()
        for document in yaml.safe_load_all(query.text):
            correlation = document.get("correlation", {})
            names |= set(correlation.get("group-by", [])) | {name for of in correlation.get("aliases", {}).values() for name in of.values()}
            condition = correlation.get("condition")
            names |= {condition["field"]} if isinstance(condition, dict) and "field" in condition else set()
            names |= set(names_in([value for name, value in document.get("detection", {}).items() if name != "condition"]))
        query.parsed["fields"] = names
    return query.parsed["fields"]


def names_in(node):
    if isinstance(node, dict):
        yield from (key.split("|")[0] for key in node)
    elif isinstance(node, list):
        for each in node:
            yield from names_in(each)


def found_at(value, names):
    """Whether anything stands at a path, which may lead through lists."""
    if isinstance(value, list):
        return any(found_at(each, names) for each in value)
    if not names:
        return value is not None
    return isinstance(value, dict) and names[0] in value and found_at(value[names[0]], names[1:])


def member_of(value, names):
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def fits(value, kind):
    """Whether a value has the type; what is not there has every type."""
    if value is None or isinstance(value, (list, dict)):
        return True
    return isinstance(value, bool) if kind == "bool" else isinstance(value, (int, float)) and not isinstance(value, bool)


def is_respelled(value):
    """Whether a text is a whole number in another spelling than its digits."""
    return isinstance(value, str) and re.fullmatch(r"[+-]?\d+(\.0*)?", value.strip()) is not None and not re.fullmatch(r"0|-?[1-9]\d*", value)


def for_the_engine(text):
    """The text with the two lines that this engine wants otherwise."""
    documents = []
    for document in text.split("\n---\n"):
        if "\n  type: temporal\n" in document:
            rules = len(yaml.safe_load(document)["correlation"]["rules"])
            document = TIMESPAN.sub(lambda found, rules=rules: f"{found[0]}\n  condition:\n    gte: {rules}", document)
        documents.append(TIMESPAN.sub(lambda found: f"{found[1]}{milliseconds(found[2])}s", document))
    return "\n---\n".join(documents)


def dotted(value, path=""):
    """Members whose own name has a dot, by their whole path."""
    if isinstance(value, dict):
        for name, child in value.items():
            whole = f"{path}.{name}" if path else name
            if "." in name and path:
                yield whole, child
            yield from dotted(child, whole)


class FactQuery:
    """A query of the self-test."""

    def __init__(self, text):
        self.text = text


def fact_rules(kind, condition):
    """A correlation of the rules `a` and `b`."""
    rules = "".join(
        f"---\ntitle: {name}\nid: 00000000-0000-4000-8000-00000000000{number}\nname: {name}\nlogsource:\n  product: p\n"
        f"detection:\n  selection:\n    kind|contains: {name}\n  condition: selection\n" for number, name in enumerate("ab", 1))
    names = ["a"] if condition else ["a", "b"]
    return (f"title: c\nid: 00000000-0000-4000-8000-000000000009\ncorrelation:\n  type: {kind}\n  rules: [{', '.join(names)}]\n"
            f"  group-by: [user]\n  timespan: 10s\n{condition}{rules}")


COUNT = "  condition:\n    gte: 2\n"
#: (type, condition, stream of (milliseconds, letters, user), hits as (number of the event, user))
FACTS = [
    ("event_count", COUNT, [(0, "a", "u"), (10_000, "a", "u")], [(1, "u")]),
    ("event_count", COUNT, [(0, "a", "u"), (10_001, "a", "u")], []),
    ("event_count", COUNT, [(0, "a", "u"), (5, "a", "v"), (6, "a", "U")], []),
    ("event_count", COUNT, [(0, "a", "u"), (1, "a", "u"), (2, "a", "u")], [(1, "u"), (2, "u")]),
    ("temporal", "", [(0, "b", "u"), (1, "a", "u"), (2, "b", "u")], [(1, "u"), (2, "u")]),
    ("temporal", "", [(0, "ab", "u")], [(0, "u")]),
    ("temporal_ordered", "", [(0, "b", "u"), (1, "a", "u")], []),
    ("temporal_ordered", "", [(0, "a", "u"), (1, "b", "u")], [(1, "u")]),
    ("temporal_ordered", "", [(0, "a", "u"), (10_001, "b", "u")], []),
]
