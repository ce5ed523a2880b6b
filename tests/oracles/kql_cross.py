"""Holds the interpreter of emitted KQL against duckdb-kql, on every part of a query that the latter translates.

    python3 kql_cross.py --detc target/release/detc [--batches N] [--seed N]
    python3 kql_cross.py --twins                     the serial shapes against their self-joins

A query is cut before each of its `|`; of each table in it the longest part that duckdb-kql does not refuse runs in
both, over random streams, and the rows have to be equal. It knows what neither of them computes.
"""

import argparse
import random
import re
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ORACLES = Path(__file__).resolve().parent
sys.path.insert(0, str(ORACLES / "differential"))

import kql_twins  # noqa: E402
from comparison import DAY, MORNING, SLOT, WHOLE, own_sources  # noqa: E402
from engines.kql import DUCKDB, KqlEngine, Service  # noqa: E402
from generator import Generator  # noqa: E402
from reference import Compiler  # noqa: E402
from streams import Streams  # noqa: E402
from vocabulary import BASE  # noqa: E402

DETECTIONS, STREAMS = 40, 1
#: How a message of duckdb-kql names what it refuses, and what stands for that in a text.
REFUSED = re.compile(r"construct '(?:function:)?(\w+)'")
WORDS = {"ScanOperator": "| scan ", "MvapplyOperator": "| mv-apply ", "SerializeOperator": "| serialize "}


class Cross:
    """Both engines, and what they were compared on."""

    def __init__(self):
        self.kql = KqlEngine()
        self.duckdb = Service([str(DUCKDB), str(ORACLES / "kql_duckdb.py"), str(ORACLES / "tables.json")])
        self.refused, self.words, self.count, self.differing = set(), set(), Counter(), []

    def query(self, query, streams):
        """Compares the parts of one query on streams of events."""
        answer = self.kql.interpreter.ask({"pieces": query.text})
        if "error" in answer:
            raise RuntimeError(f"{query.name}: {answer['error']}")
        for whole, prefixes in enumerate(answer["pieces"]):
            for number, piece in enumerate(prefixes):
                if not piece["columns"] or piece["text"] in self.refused or any(word in piece["text"] for word in self.words):
                    continue
                if self.piece(query, piece, streams):
                    self.count["whole queries"] += whole == len(answer["pieces"]) - 1 and number == 0
                    break
                self.refused.add(piece["text"])

    def piece(self, query, piece, streams):
        """Compares one part on each stream; false where duckdb-kql refuses it."""
        for events in streams:
            last = max((event.time for event in events), default=0)
            request = self.kql.request(query, events, -(-(last + 1) // DAY) * DAY + query.lag) | {"query": piece["text"], "columns": piece["columns"], "strict": True}
            theirs = self.duckdb.ask(request)
            if "refused" in theirs:
                self.count["refused parts"] += 1
                # What holds the same construct is refused as well, and need not be asked for.
                for construct in REFUSED.findall(theirs["refused"]):
                    self.words.add(WORDS.get(construct, f"{construct}("))
                return False
            ours = self.kql.interpreter.ask(request)
            if "depends on what the documentation leaves open" in ours.get("error", ""):
                self.count["left open"] += 1
                continue
            self.count["executions"] += 1
            self.count["rows"] += len(ours.get("rows", ()))
            if sorted(ours.get("rows", [ours])) != sorted(theirs.get("rows", [theirs])):
                self.differing.append((piece["text"], ours, theirs, request["rows"]))
        self.count["parts"] += 1
        return True


def random_batches(cross, asked, folder):
    for batch in range(asked.batches):
        rng = random.Random(asked.seed * 1000 + batch)
        generator, drawer = Generator(rng, ("3m", "5m")), Streams(rng, ("3m", "5m"))
        compiler = Compiler(asked.detc.resolve(), ORACLES.parents[1], folder)
        paths = [compiler.write([generator.detection(f"d{index}", None) for index in range(DETECTIONS)])]
        streams = [drawer.stream(BASE + MORNING + index * SLOT) for index in range(STREAMS)]
        queries, _ = compiler.compile(paths, "sentinel", WHOLE)
        for query in queries.values():
            if query.text:
                cross.query(query, [own_sources(query, events) for events in streams])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--detc", type=Path)
    parser.add_argument("--batches", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--twins", action="store_true")
    asked = parser.parse_args()
    cross, began = Cross(), time.monotonic()
    if asked.detc:
        with tempfile.TemporaryDirectory(prefix="detc-cross-") as folder:
            random_batches(cross, asked, folder)
    if asked.twins:
        kql_twins.compare(cross, asked.seed)
    for text, ours, theirs, rows in cross.differing[:5]:
        print(f"--- differing\n{text}\n# interpreter\n{ours}\n# duckdb-kql\n{theirs}\n# rows\n{rows}")
    print(f"duckdb-kql: {dict(cross.count)}, {len(cross.differing)} differing, {time.monotonic() - began:.0f} s")
    return bool(cross.differing) or not cross.count["executions"]


if __name__ == "__main__":
    sys.exit(main())
