"""Makes a counterexample smaller while it still differs, and prints it so that it can be run.

It leaves out; it never changes what stays.
"""

import copy
import json
import time
from collections import Counter

from protocol import Event
from vocabulary import SOURCES


def leaves(document, path=()):
    """Every member of nested objects that can be left out."""
    for name, value in document.items():
        yield (*path, name)
        if isinstance(value, dict):
            yield from leaves(value, (*path, name))


def without(event, path):
    document = copy.deepcopy(event.raw)
    inner = document
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return Event(event.source, event.time, document, event.identified_by)


def smaller_events(events):
    for index in range(len(events)):
        yield events[:index] + events[index + 1:]


def smaller_fields(events):
    for index, event in enumerate(events):
        for path in leaves(event.raw):
            if event.source in SOURCES and ".".join(path) in (SOURCES[event.source].time, SOURCES[event.source].kind, SOURCES[event.source].identity):
                continue
            yield events[:index] + [without(event, path)] + events[index + 1:]


def shrink(batch, example, seconds=20):
    """The smallest counterexample that leaving out finds within some seconds."""
    until = time.monotonic() + seconds
    best, found = example, True
    while found and time.monotonic() < until:
        found = False
        attempts = [(best.detection, events) for events in smaller_events(best.events)]
        attempts += [(detection, best.events) for detection in best.detection.smaller()]
        attempts += [(best.detection, events) for events in smaller_fields(best.events)]
        for detection, events in attempts:
            if time.monotonic() > until:
                break
            try:
                smaller = batch.one(detection, events, best.mode)
            except RuntimeError:
                continue
            # An engine that stops is another mistake than one that finds other hits.
            if smaller and isinstance(smaller.found, str) == isinstance(best.found, str):
                best, found = smaller, True
                break
    return best


def shown(hits):
    if isinstance(hits, str):
        return f"  {hits}"
    if not hits:
        return "  none"
    return "\n".join(f"  {number} x {list(keys)} at {instant}" for (keys, instant), number in sorted(Counter(hits).items()))


def report(example):
    """The counterexample as text: a detection, a log for `detc run`, both lists of hits, and the query."""
    lines = [f"--- {example.query.record['target']}, {example.mode} run: {example.why}", "# the detection", example.detection.text().rstrip()]
    for source in sorted({event.source for event in example.events}):
        lines += [f"# {source}.jsonl", *(json.dumps(event.raw, ensure_ascii=False) for event in example.events if event.source == source)]
    lines += ["# hits of the evaluator", shown(example.expected), "# hits of the engine", shown(example.found)]
    lines += ["# the query", example.query.text.rstrip(), "---"]
    return "\n".join(lines)
