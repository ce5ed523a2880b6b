"""Differential tests: the emitted text in an engine against the reference evaluator, on the same events.

    python3 tests/oracles/differential --target splunk --detc target/release/detc --random 2000 --seed 1

Modes, which can be combined: `--random N` random pairs, `--project PATH..` shipped detections on their own test events,
`--classes N` random pairs over classes of sources, `--edges` the hand-written cases under edges/, `--self-test` the engine against the facts it is built from.
"""

import argparse
import multiprocessing
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from cases import edges, shipped  # noqa: E402
from comparison import Batch, Tally  # noqa: E402
from engines import MODULES, engines_of  # noqa: E402
from reference import Compiler  # noqa: E402
from shrink import report, shrink  # noqa: E402
from summary import check_listed, write_evidence  # noqa: E402

EDGES = Path(__file__).resolve().parent / "edges"
ROOT = Path(__file__).resolve().parents[3]
DETECTIONS, STREAMS = 40, 10
WORKER = {}


def start(program, target, folder):
    """Makes what a worker process keeps: its own folder and its own engines."""
    mine = Path(folder) / multiprocessing.current_process().name
    WORKER["batch"] = Batch(Compiler(program, ROOT, mine), engines_of(target), target)


def case_batch(cases):
    return WORKER["batch"].cases(cases)


def random_batch(job):
    seed, family = job
    return WORKER["batch"].random(seed, DETECTIONS, STREAMS, family)


def class_batch(job):
    seed, _ = job
    return WORKER["batch"].classes(seed, DETECTIONS, STREAMS)


def arguments():
    parser = argparse.ArgumentParser(prog="differential", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--target", required=True, choices=sorted(MODULES))
    parser.add_argument("--detc", type=Path, default=ROOT / "target/release/detc", help="the compiler")
    parser.add_argument("--random", type=int, default=0, metavar="N", help="number of random pairs of detection and stream, at least")
    parser.add_argument("--project", nargs="+", metavar="PATH", help="folders of detections, run on the events of their own tests")
    parser.add_argument("--edges", action="store_true", help="the hand-written cases under edges/")
    parser.add_argument("--classes", type=int, default=0, metavar="N", help="the same over classes, on mixed streams")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--family", help="draw detections of one family only")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("--evidence", type=Path, metavar="FILE", help="where the summary is written")
    parser.add_argument("--shrink-seconds", type=float, default=20, help="how long each counterexample is shrunk")
    parser.add_argument("--show", type=int, default=5, help="how many counterexamples are shrunk and shown")
    return parser.parse_args()


def main():
    asked = arguments()
    if asked.self_test:
        for engine in engines_of(asked.target):
            print(f"{engine.title}: {engine.self_test()} facts hold")
    total, began = Tally(), time.monotonic()
    program = asked.detc.resolve()
    with tempfile.TemporaryDirectory(prefix="detc-differential-") as folder:
        if asked.random:
            run_random(asked, program, folder, total, random_batch, asked.random)
        if asked.classes:
            run_random(asked, program, folder, total, class_batch, sum(total.pairs.values()) + asked.classes)
        if asked.project or asked.edges:
            run_cases(asked, program, folder, total)
        faults = len(total.examples)
        batch = Batch(Compiler(program, ROOT, Path(folder) / "shrinking"), engines_of(asked.target), asked.target)
        for example in by_detection(total.examples)[: asked.show]:
            print(report(shrink(batch, example, asked.shrink_seconds)))
    pairs = sum(total.pairs.values())
    print(f"{asked.target}: {pairs} pairs, {sum(total.hits.values())} hits, {total.scheduled} streams also in scheduled runs, "
          f"{total.assumed} left out for an assumption, {sum(total.differing.values())} differing, {total.detections} detections ({total.invalid} invalid), {time.monotonic() - began:.0f} s")
    unlisted = check_listed(asked.target, total, complete=asked.random >= 2000 and asked.edges)
    for line in [*total.broken, *unlisted]:
        print(line)
    if asked.evidence:
        write_evidence(asked.evidence, asked.target, engines_of(asked.target), total)
    wanted = asked.random + asked.classes
    short = wanted and pairs < wanted
    if short:
        print(f"only {pairs} of {wanted} pairs were executed")
    return 1 if faults or total.broken or unlisted or short else 0


def by_detection(examples):
    """One counterexample of each detection, those with the fewest events first."""
    shortest = sorted(examples, key=lambda example: len(example.events))
    return list({example.detection.name: example for example in reversed(shortest)}.values())[::-1]


def run_cases(asked, program, folder, total):
    """Detections with events of their own, a few at a time."""
    cases = shipped(ROOT, asked.project or []) + (edges(ROOT, EDGES, asked.target) if asked.edges else [])
    parts = [cases[part::4] for part in range(4)]
    with multiprocessing.Pool(asked.workers, start, (program, asked.target, folder)) as pool:
        for tally in pool.imap(case_batch, parts):
            total.add(tally)


def run_random(asked, program, folder, total, make, enough):
    """Batches until enough pairs were executed."""
    with multiprocessing.Pool(asked.workers, start, (program, asked.target, folder)) as pool:
        seed, waiting = asked.seed * 100_000, []
        while sum(total.pairs.values()) < enough and seed < asked.seed * 100_000 + 20 * (enough // 100 + 1):
            while len(waiting) < asked.workers:
                waiting.append(pool.apply_async(make, ((seed, asked.family),)))
                seed += 1
            total.add(waiting.pop(0).get())
        for last in waiting:
            total.add(last.get())


if __name__ == "__main__":
    sys.exit(main())
