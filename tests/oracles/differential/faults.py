"""Seeds faults in emitted queries and shows that the differential tests notice each of them.

    python3 tests/oracles/differential/faults.py --target splunk --detc target/release/detc

Every engine lists rewrites of its text that stand for a mistake that a backend could make (`faults` of the engine). Each is
tried on the queries of random detections and of the cases under edges/, as long as none has given other hits than the
evaluator. A fault that no query shows, or that no query has room for, is a failure: the tests would not see that mistake.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from cases import edges  # noqa: E402
from comparison import DAY, SLOT, WHOLE, Batch, found_by, own_sources, verdict_of  # noqa: E402
from engines import MODULES, engines_of  # noqa: E402
from protocol import Outside  # noqa: E402
from reference import Compiler, expected  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]
EDGES = Path(__file__).resolve().parent / "edges"
#: How many queries a fault may leave unnoticed before it counts as unnoticed.
BATCHES, DETECTIONS, STREAMS = 12, 40, 10


class Trial:
    """One fault: where it was tried, and what noticed it."""

    def __init__(self, fault):
        self.fault, self.tried, self.noticed = fault, 0, None


def faulty(query, fault):
    """The query with the fault, or None where it has no room for it."""
    text = fault.rewrite(query.text)
    return replace(query, text=text, parsed={}) if text != query.text else None


def try_all(trials, engine, query, streams, hits, mode):
    """Tries every fault that is still unnoticed on one query; `streams` are (start, events)."""
    for trial in trials:
        if trial.noticed:
            continue
        wrong = faulty(query, trial.fault)
        if wrong is None:
            continue
        trial.tried += 1
        for start, events in streams:
            mine = [(keys, time_) for keys, time_ in hits if start - DAY <= time_ < start + SLOT - DAY]
            events = own_sources(wrong, events)
            if not engine.promised(query, events):
                continue
            wanted, found = expected(wrong, mine), found_by(engine, wrong, events, mode)
            if isinstance(found, Outside):
                continue
            why = verdict_of(engine, wrong, events, wanted, found)
            if why:
                trial.noticed = f"{query.name}, {mode} run, {len(events)} events: {why}"
                break


def random_round(batch, trials, seed):
    """One batch of random detections, as the differential tests draw them."""
    drawn, streams = batch.drawn(seed, DETECTIONS, STREAMS)
    folder = batch.compiler.write(drawn)
    hits = batch.compiler.hits([folder], [event for _, events in streams for event in events])
    for mode, interval in (("whole", WHOLE), ("scheduled", None)):
        queries, _ = batch.compiler.compile([folder], batch.target, interval)
        for name, query in queries.items():
            engine = query.text and batch.engine_for(query)
            if engine and not engine.refuses(query):
                try_all(trials, engine, query, streams if mode == "whole" else streams[:2], hits.get(name, []), mode)


def edge_round(batch, trials):
    """The hand-written cases."""
    for case in edges(ROOT, EDGES, batch.target):
        if all(trial.noticed for trial in trials):
            return
        folder = batch.compiler.write([case.detection])
        query = batch.compiler.compile([folder], batch.target, WHOLE)[0].get(case.detection.name)
        engine = query and query.text and batch.engine_for(query)
        if not engine or engine.refuses(query) or all(trial.noticed or faulty(query, trial.fault) is None for trial in trials):
            continue
        for stream in case.streams:
            hits = batch.compiler.hits([folder], stream.events).get(case.detection.name, [])
            try_all(trials, engine, query, [(min((time_ for _, time_ in hits), default=0), stream.events)], hits, "daily")


def main():
    parser = argparse.ArgumentParser(prog="faults", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--target", required=True, choices=sorted(MODULES))
    parser.add_argument("--detc", type=Path, default=ROOT / "target/release/detc", help="the compiler")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    began = time.monotonic()
    engines = engines_of(asked.target)
    trials = [Trial(fault) for engine in engines for fault in engine.faults]
    with tempfile.TemporaryDirectory(prefix="detc-faults-") as folder:
        batch = Batch(Compiler(asked.detc.resolve(), ROOT, folder), engines, asked.target)
        for number in range(BATCHES):
            if all(trial.noticed for trial in trials):
                break
            random_round(batch, trials, asked.seed * 1000 + number)
        edge_round(batch, trials)
    for trial in trials:
        print(f"{'noticed' if trial.noticed else 'UNNOTICED'}  {trial.fault.name} ({trial.tried} queries): {trial.noticed or 'no query showed it'}")
    unnoticed = [trial for trial in trials if not trial.noticed]
    print(f"{asked.target}: {len(trials) - len(unnoticed)} of {len(trials)} faults noticed, {time.monotonic() - began:.0f} s")
    return 1 if unnoticed or not trials else 0


if __name__ == "__main__":
    sys.exit(main())
