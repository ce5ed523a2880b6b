"""Compares one detection on one stream, and a batch of detections on a batch of streams.

Streams of a batch lie far apart in time, so that the evaluator is asked once for all of them.
"""

import random
import re
from collections import Counter
from dataclasses import dataclass, field

import classes
from cases import Stream, together
from generator import Generator
from protocol import EngineError, Outside, runs, scheduled_hits
from reference import expected
from streams import Streams
from verdicts import judge
from vocabulary import BASE, POOLS, SHIPPED_POOL

DAY = 86_400_000
#: Distance of streams: whole weeks, and longer than anything that is looked back.
SLOT = 63 * DAY
#: Streams begin at six in the morning, so that a run that covers a whole day covers all of their hits.
MORNING = 6 * 3_600_000
WHOLE = "1d"
#: How many runs of the shipped schedule a hand-written stream may take.
MOST_RUNS = 40


@dataclass
class Counterexample:
    """A difference: what was compiled, what happened, and both lists of hits."""

    detection: object
    query: object
    events: list
    expected: Counter
    found: object
    why: str
    mode: str


@dataclass
class Tally:
    """What a batch found, in numbers."""

    pairs: Counter = field(default_factory=Counter)
    hits: Counter = field(default_factory=Counter)
    rows: dict = field(default_factory=dict)
    differing: Counter = field(default_factory=Counter)
    refused: Counter = field(default_factory=Counter)
    unsupported: Counter = field(default_factory=Counter)
    #: pairs that the stated assumptions exclude, which say nothing
    outside: Counter = field(default_factory=Counter)
    invalid: int = 0
    detections: int = 0
    scheduled: int = 0
    #: pairs left out because the stream breaks what the manifest assumes
    assumed: int = 0
    examples: list = field(default_factory=list)
    #: hand-written cases in which the evaluator's hits are not those that the case promises
    broken: list = field(default_factory=list)

    def add(self, other):
        self.pairs += other.pairs
        self.hits += other.hits
        self.differing += other.differing
        self.refused += other.refused
        self.unsupported += other.unsupported
        self.outside += other.outside
        self.invalid += other.invalid
        self.detections += other.detections
        self.scheduled += other.scheduled
        self.assumed += other.assumed
        self.examples += other.examples
        self.broken += other.broken
        for row, numbers in other.rows.items():
            self.rows.setdefault(row, Counter()).update(numbers)


def delivered(query, events):
    """The events that a query is promised: each once by its identity, where it assumes so."""
    if not any(re.search(r"\b(once|twice)\b", assumption) for assumption in query.record["assumptions"]):
        return events
    seen, kept = set(), []
    for event in events:
        identity = event.identity()
        if identity is None or (event.source, identity) not in seen:
            seen.add((event.source, identity))
            kept.append(event)
    return kept


def found_by(engine, query, events, mode):
    """The engine's hits as a multiset, or the text of its error."""
    events = delivered(query, events)
    try:
        if mode in ("scheduled", "daily"):
            return Counter(scheduled_hits(engine, query, events))
        last = max((event.time for event in events), default=0)
        day = -(-(last + 1) // DAY) * DAY
        return Counter(engine.hits(query, events, day + query.lag))
    except EngineError as error:
        return str(error)
    except Outside as error:
        return error


def verdict_of(engine, query, events, wanted, found):
    if isinstance(found, str):
        return f"the engine stopped: {found}"
    return judge(query, events, wanted, found, engine.allowed)


def offsets(hits):
    """Times of hits as offsets from six o'clock, as the hand-written cases count."""
    return sorted(f"{time % DAY - MORNING}ms" for _, time in hits)


def own_sources(query, events):
    return [event for event in events if event.source in query.record["sources"]]


class Batch:
    """Detections against streams on one target."""

    def __init__(self, compiler, engines, target):
        self.compiler, self.engines, self.target = compiler, engines, target

    def engine_for(self, query):
        return next((engine for engine in self.engines if query.record.get("language") in engine.languages), None)

    def drawn(self, seed, detections, streams, family=None):
        """Random detections, and random streams as (start, events)."""
        rng = random.Random(seed)
        windows = rng.choice([("3m", "5m"), ("3m", "4m"), ("5m",)])
        # Few sources in one batch, so that streams hold what detections ask for.
        first = rng.choice(POOLS.get(self.target, SHIPPED_POOL))
        second = rng.choice([words for words in POOLS.get(self.target, SHIPPED_POOL) if words.name != first.name])
        pool = [first, first, second]
        generator = Generator(rng, windows, pool)
        drawn = [generator.detection(f"d{seed}_{index}", family) for index in range(detections)]
        drawer = Streams(rng, windows, pool)
        starts = [BASE + MORNING + index * SLOT for index in range(streams)]
        return drawn, [(start, drawer.stream(start)) for start in starts]

    def random(self, seed, detections, streams, family=None):
        """Draws and compares a batch."""
        return self.compare(*self.drawn(seed, detections, streams, family))

    def classes(self, seed, detections, streams):
        """Draws and compares a batch over a class, on streams of all its sources."""
        rng = random.Random(seed)
        name = sorted(classes.CLASSES)[seed % len(classes.CLASSES)]
        drawn = [classes.detection(rng, f"c{seed}_{index}", name, self.target) for index in range(detections)]
        starts = [BASE + MORNING + index * SLOT for index in range(streams)]
        return self.compare(drawn, [(start, classes.stream(rng, start, name, self.target)) for start in starts])

    def compare(self, detections, streams, scheduled=lambda index, stream: stream == index % 4):
        """Every detection on every stream; `scheduled` says which pairs are also cut into consecutive runs."""
        folder = self.compiler.write(detections)
        whole, said = self.compiler.compile([folder], self.target, WHOLE)
        shipped, _ = self.compiler.compile([folder], self.target)
        hits = self.compiler.hits([folder], [event for _, events in streams for event in events])
        tally = Tally(detections=len(detections), invalid=len(detections) - len(whole))
        for index, detection in enumerate(detections):
            query = whole.get(detection.name)
            if query is None:
                continue
            if not query.text:
                self.count_unsupported(tally, detection, query)
                continue
            engine = self.engine_for(query)
            construct = engine.refuses(query) if engine else f"language {query.record.get('language')}"
            if construct:
                self.count_refused(tally, detection, construct)
                continue
            for number, (start, events) in enumerate(streams):
                mine = [(keys, time) for keys, time in hits.get(detection.name, []) if start - DAY <= time < start + SLOT - DAY]
                modes = [("whole", query)]
                if scheduled(index, number) and shipped.get(detection.name) and shipped[detection.name].text:
                    modes.append(("scheduled", shipped[detection.name]))
                for mode, asked in modes:
                    self.pair(tally, engine, detection, asked, own_sources(asked, events), mine, mode)
        return tally

    def cases(self, cases):
        """Detections with streams of their own, in consecutive runs of a day and, where they are few, of the shipped schedule."""
        tally = Tally(detections=len(cases))
        folder = self.compiler.write([case.detection for case in cases if case.path is None])
        paths = {case.detection.name: case.path or folder / f"{case.detection.name}.yml" for case in cases}
        as_shipped = self.both_schedules(list(paths.values()))
        for case in cases:
            path = paths[case.detection.name]
            for settings, places, streams in together(self.compiler.root, case.streams or [Stream("no events", [])]):
                whole, shipped = self.both_schedules([path], settings) if settings else as_shipped
                if case.detection.name not in whole:
                    raise RuntimeError(f"{path} is no valid detection")
                queries = (whole[case.detection.name], shipped[case.detection.name])
                if not self.streams(tally, case, path, streams, queries, settings, places):
                    break
        return tally

    def both_schedules(self, paths, settings=None):
        """The queries for daily runs, and those for the shipped schedule."""
        return tuple(self.compiler.compile(paths, self.target, interval, settings)[0] for interval in (WHOLE, None))

    def streams(self, tally, case, path, streams, queries, settings, places):
        """Streams of one case that lie far apart; False where the query is not executed, whatever the stream."""
        whole, shipped = queries
        if not whole.text:
            self.count_unsupported(tally, case.detection, whole)
            return False
        engine = self.engine_for(whole)
        construct = engine.refuses(whole) if engine else f"language {whole.record.get('language')}"
        if construct:
            self.count_refused(tally, case.detection, construct)
            return False
        all_hits = self.compiler.hits([path], [event for stream in streams for event in stream.events], settings, places).get(case.detection.name, [])
        for stream in streams:
            hits = [(keys, time) for keys, time in all_hits if stream.holds(time)]
            if stream.wanted is not None and sorted(time for _, time in hits) != sorted(stream.wanted):
                wanted = [((), time) for time in stream.wanted]
                tally.broken.append(f"{case.detection.title()}, {stream.name}: hits at {offsets(hits)}, and not at {offsets(wanted)}")
            for query, mode in ((whole, "daily"), (shipped, "scheduled")):
                query.places, query.parsed = places or self.compiler.places, {}
                if mode == "daily" or (query.text and len(runs(query, stream.events)) <= MOST_RUNS):
                    self.pair(tally, engine, case.detection, query, own_sources(query, stream.events), hits, mode)
        return True

    def pair(self, tally, engine, detection, query, events, hits, mode):
        if not engine.promised(query, events):
            tally.assumed += 1
            return
        wanted = expected(query, hits)
        found = found_by(engine, query, events, mode)
        if isinstance(found, Outside):
            tally.assumed += 1
            tally.outside[str(found)] += 1
            return
        if mode == "scheduled":
            tally.scheduled += 1
        else:
            tally.pairs[detection.family, query.record["fidelity"]] += 1
            tally.hits[detection.family] += sum(wanted.values())
            self.row(tally, detection, {"streams": 1, "hits": sum(wanted.values())})
        why = verdict_of(engine, query, events, wanted, found)
        if why:
            tally.differing[detection.family] += 1
            self.row(tally, detection, {"differing": 1})
            if len(tally.examples) < 40:
                tally.examples.append(Counterexample(detection, query, events, wanted, found, why, mode))

    def count_unsupported(self, tally, detection, query):
        for code in query.codes:
            tally.unsupported[code] += 1
        self.row(tally, detection, {"unsupported": 1})

    def count_refused(self, tally, detection, construct):
        tally.refused[construct] += 1
        self.row(tally, detection, {f"refused {construct}": 1})

    @staticmethod
    def row(tally, detection, numbers):
        for row in dict.fromkeys(detection.rows):
            tally.rows.setdefault(row, Counter()).update(numbers)

    def one(self, detection, events, mode):
        """The counterexample that one detection makes on one stream, or None where there is none (any more)."""
        folder = self.compiler.write([detection])
        queries, _ = self.compiler.compile([folder], self.target, None if mode == "scheduled" else WHOLE)
        query = queries.get(detection.name)
        engine = query and query.text and self.engine_for(query)
        if not engine or engine.refuses(query):
            return None
        events = own_sources(query, events)
        if not engine.promised(query, events):
            return None
        wanted = expected(query, self.compiler.hits([folder], events).get(detection.name, []))
        found = found_by(engine, query, events, mode)
        if isinstance(found, Outside):
            return None
        why = verdict_of(engine, query, events, wanted, found)
        return Counterexample(detection, query, events, wanted, found, why, mode) if why else None
