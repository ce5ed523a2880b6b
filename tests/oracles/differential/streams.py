"""Random streams of raw events on coarse clocks, where ties and exact edges of windows are frequent.

Streams are drawn for the vocabulary and the windows, not for one detection; they know of no query.
"""

from datetime import datetime, timezone

from protocol import Event, milliseconds
from vocabulary import SHIPPED_POOL, SOURCES


def written(instant, milliseconds_shown=True):
    """An instant as vendors write it."""
    moment = datetime.fromtimestamp(instant // 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    return moment + (f".{instant % 1000:03d}Z" if milliseconds_shown else "Z")


def put(document, path, value):
    """Sets a member of a nested object by its dotted path."""
    *outer, last = path.split(".")
    for name in outer:
        document = document.setdefault(name, {})
    document[last] = value


def stamped(source, instant, document):
    """An event with its time written into the field where the vendor writes it."""
    words = SOURCES[source]
    put(document, words.time, written(instant, not words.second))
    return Event(source, instant, document, words.identity)


class Streams:
    """Draws streams."""

    def __init__(self, rng, windows, pool=tuple(SHIPPED_POOL)):
        self.rng, self.windows = rng, windows
        self.words = {words.name: words for words in pool}
        self.names = [words.name for words in pool]
        self.made = 0

    def stream(self, start):
        """A stream that begins near `start`, as a list of events in no particular order."""
        rng = self.rng
        sources = list(dict.fromkeys(self.names)) if rng.random() < 0.3 else [rng.choice(self.names)]
        self.window = milliseconds(rng.choice(self.windows))
        self.users = rng.choice([1, 1, 1, 2])
        self.clock = rng.choice(["grid", "dense", "dense", "edge", "edge"])
        self.few = rng.random() < 0.75
        events = [self.event(rng.choice(sources), start) for _ in range(rng.randint(3, 14))]
        if rng.random() < 0.15:
            # Only an event with an identity has copies; without one they are two events that look alike.
            events += [event for event in [rng.choice(events)] if event.identity() is not None]
        rng.shuffle(events)
        return events

    def instant(self, start):
        rng = self.rng
        if self.clock == "grid":
            return start + 60_000 * rng.randrange(0, 14)
        if self.clock == "dense":
            return start + 60_000 * rng.randrange(0, 4)
        window = self.window
        return start + rng.choice([0, 0, 60_000, 120_000, window, window, window + 60_000, 2 * window, 2 * window + 60_000])

    def event(self, source, start):
        rng, words = self.rng, self.words[source]
        self.made += 1
        instant = self.instant(start)
        if rng.random() < (0.4 if self.clock == "edge" else 0.15):
            instant += rng.choice([-1000, 1000] if words.second else [-1000, 1000, -1, 1, -1, 1, 500])
        document = {}
        kinds = words.kinds
        put(document, words.kind, kinds[rng.choice("aaabbccd")])
        letters = "".join(letter for letter in "abcd" if rng.random() < 0.5) or "x"
        put(document, words.letters, letters.upper() if rng.random() < 0.08 else letters)
        for path, pool in words.keys.items():
            self.member(document, path, pool[: self.users] if rng.random() < 0.94 else pool, missing=0.06)
        for path, pool in words.fields().items():
            if path not in words.keys:
                self.member(document, path, pool[:3] if self.few else pool, missing=0.2)
        for path, pool in words.lists.items():
            if rng.random() < 0.8:
                put(document, path, self.listed(lambda pool=pool: rng.choice(pool)))
        for path, members in words.objects.items():
            if rng.random() < 0.8:
                put(document, path, self.listed(lambda members=members: self.element(members)))
        for path in words.instants:
            if rng.random() < 0.8:
                put(document, path, written(instant + rng.choice([-1000, 0, 1000, -86_400_000]), False))
        if rng.random() < 0.93:
            put(document, words.identity, f"i{self.made}")
        put(document, words.unique, f"r{self.made}")
        return stamped(source, instant, document)

    def member(self, document, path, pool, missing):
        drawn = self.rng.random()
        if drawn < missing / 3:
            put(document, path, None)
        elif drawn < 2 * missing / 3:
            put(document, path, "")
        elif drawn >= missing:
            put(document, path, self.rng.choice(pool))

    def listed(self, element):
        rng = self.rng
        shape = rng.random()
        if shape < 0.06:
            return None
        if shape < 0.12:
            return []
        if shape < 0.2:
            return element()
        elements = [element() for _ in range(rng.choice([1, 1, 2, 2, 3]))]
        if rng.random() < 0.1:
            elements.insert(rng.randrange(len(elements) + 1), None)
        return elements

    def element(self, members):
        rng = self.rng
        made = {name: rng.choice(pool) for name, pool in members.items() if rng.random() < 0.9}
        if made and rng.random() < 0.08:
            made[rng.choice(list(made))] = None
        return made
