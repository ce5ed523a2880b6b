"""Random detections: every behaviour of the language, from a seed.

A drawn detection need not be valid; the compiler decides. `rows` name the rows of `detc matrix` that it stands for.
"""

from conditions import Conditions, literal
from detection import Detection, Signal
from vocabulary import SHIPPED_POOL, SOURCES

#: how often each family is drawn
FAMILIES = {
    "any event": 5, "union": 2, "count": 4, "distinct": 3, "aggregation": 7, "fixed": 3, "sequence": 8, "absence": 6, "group": 3,
    "new": 3, "rare": 3, "outlier": 3, "spike": 2, "travel": 2, "composition": 5,
}
LETTERS = "abcd"


class Generator:
    """Draws detections."""

    def __init__(self, rng, windows=("3m", "5m"), pool=tuple(SHIPPED_POOL)):
        self.rng, self.windows, self.pool = rng, windows, pool

    def detection(self, name, family=None):
        """One detection of a family, or of one at random."""
        rng = self.rng
        family = family or rng.choices(list(FAMILIES), FAMILIES.values())[0]
        self.words = rng.choice(self.pool)
        drawn = Detection(name, {}, family=family)
        getattr(self, "draw_" + family.replace(" ", "_"))(drawn)
        if drawn.family not in ("any event", "union") and rng.random() < 0.1:
            drawn.exceptions.append((self.exception(drawn), []))
            drawn.rows.append("exception on alerts" if False else "")
        if drawn.by and rng.random() < 0.08:
            drawn.exceptions.append((f"{drawn.by[0]} == \"k1\"", ["alert"]))
            drawn.rows.append("exception on alerts")
        drawn.rows = [row for row in drawn.rows if row]
        return drawn

    def across(self, letters):
        """Two sources by letter, in turns."""
        first = self.rng.choice(self.pool)
        second = self.rng.choice([words for words in self.pool if words.name != first.name])
        return {letter: (first, second)[index % 2] for index, letter in enumerate(letters)}

    # -- parts

    def window(self):
        return self.rng.choice(self.windows)

    def exception(self, drawn):
        source = next(signal.source for signal in drawn.signals.values() if signal.source)
        words = SOURCES[source]
        return f"{list(words.texts)[0]} == \"v2\""

    def signals(self, drawn, letters, let=None, overlap=None, words=None):
        """One signal for each letter; signals overlap where they ask for letters of one field."""
        rng = self.rng
        overlap = rng.random() < 0.45 if overlap is None else overlap
        for letter in letters:
            mine = words[letter] if words else self.words
            if overlap and (letter != "b" or rng.random() < 0.7):
                where = [f"{mine.letters} contains {literal(letter)}"]
            else:
                where = [f"{mine.kind} == {literal(mine.kinds[letter])}"]
            if rng.random() < 0.2:
                where.append(Conditions(rng, mine).condition(rng.choice([0, 1])))
            drawn.signals[letter] = Signal(mine.name, where, dict(let(mine) if let else {}))
        return overlap

    def keys(self, drawn):
        """A `by` clause; a column where keys have other names or are computed."""
        rng, words = self.rng, self.words
        form = rng.choice(["none", "one", "one", "one", "one", "two", "lower", "list", "number", "address", "member", "coalesce"])
        if form == "none":
            return
        if form in ("one", "two"):
            drawn.by = list(words.keys)[: 1 if form == "one" else 2]
            return
        value = {
            "lower": f"lower({words.key})",
            "list": list(words.lists)[0] if words.lists else words.key,
            "number": list(words.numbers)[0],
            "address": list(words.addresses)[0],
            "member": "first({} as x).{}".format(*[(path, list(members)[0]) for path, members in words.objects.items()][0]),
            "coalesce": f"coalesce({list(words.keys)[2]}, {words.key})",
        }[form]
        for signal in drawn.signals.values():
            signal.let["k"] = value
        drawn.by = ["k"]

    def value(self):
        """A field whose values are compared, counted or remembered."""
        rng, words = self.rng, self.words
        return rng.choice([list(words.texts)[0], list(words.texts)[0], list(words.addresses)[0], list(words.numbers)[0], words.letters] + list(words.lists))

    def show(self, drawn):
        if self.rng.random() < 0.25:
            drawn.alert.append(f"show: [{list(self.words.texts)[0]}]")

    # -- behaviours

    def draw_any_event(self, drawn):
        conditions = Conditions(self.rng, self.words)
        drawn.signals["a"] = Signal(self.words.name, [conditions.condition(self.rng.choice([0, 0, 1, 2]))])
        drawn.rows.append("any event")

    def draw_union(self, drawn):
        if self.rng.random() < 0.35:
            self.signals(drawn, "ab", words=self.across("ab"), let=lambda words: {"user": words.key})
            drawn.rows.append("union, across sources")
        else:
            self.signals(drawn, "ab")
            drawn.rows.append("union")
        drawn.body = "a or b"

    def draw_count(self, drawn):
        rng = self.rng
        self.signals(drawn, "a")
        self.keys(drawn)
        if rng.random() < 0.25:
            drawn.body = f"count(a where {Conditions(rng, self.words).atom()}) >= {rng.choice([1, 2])}"
            drawn.rows.append("count with a condition")
        else:
            drawn.body = rng.choice(["count(a) >= {}", "count(a) > {}"]).format(rng.choice([1, 2, 2, 3, 4]))
            drawn.rows.append("count")
        drawn.clauses.append(f"within {self.window()}")
        self.show(drawn)

    def draw_distinct(self, drawn):
        rng = self.rng
        self.signals(drawn, "a")
        self.keys(drawn)
        first = self.value()
        values = [first] if rng.random() < 0.65 else [first, self.words.letters if first != self.words.letters else list(self.words.texts)[0]]
        drawn.body = f"distinct({', '.join('a.' + value for value in values)}) {rng.choice(['>=', '>'])} {rng.choice([1, 2, 2, 3])}"
        drawn.rows.append("distinct" if len(values) == 1 else "distinct, tuples")
        drawn.clauses.append(f"within {self.window()}")

    def aggregate(self, letters):
        """One comparison of numbers of a window, and the row it belongs to."""
        rng = self.rng
        letter, other = rng.choice(letters), rng.choice(letters)
        number = f"{letter}.{list(self.words.numbers)[0]}"
        bound, lower = rng.choice([0, 4, 5, 6]), rng.choice([">", ">="])
        order = rng.choice([">", ">=", "<", "<=", "=="])
        count = rng.choice([1, 2, 2, 3])
        test = f"{list(self.words.texts)[0]} == \"v1\""
        return rng.choice([
            (f"count({letter}) {lower} {count}", "several aggregates"), (f"distinct({letter}.{list(self.words.texts)[0]}) {lower} {count}", "several aggregates"),
            (f"sum({number}) {order} {bound}", "measure"), (f"avg({number}) {order} {bound}", "measure, mean"), (f"min({number}) {order} {bound}", "measure, smallest"),
            (f"max({number}) {order} {bound}", "measure, largest"), (f"median({number}) {order} {bound}", "measure, median"),
            (f"percentile({number}, {rng.choice(['25', '75', '90', '100', '33.3'])}) {order} {bound}", "measure, percentile"),
            (f"count({letter} where {test}) {lower} {count}", "count with a condition"),
            (f"count({letter} where {test}) / count({letter}) {lower} 0.4", "several aggregates, ratio"),
            (f"sum({number}) / count({other}) {order} 2.5", "several aggregates, ratio"), (f"sum({number}) / 2 {lower} avg({number})", "several aggregates"),
            (f"count({letter}) - count({other} where {test}) >= {count}", "several aggregates"), (f"count({letter}) * 1.5 >= sum({number})", "several aggregates"),
        ])

    def aggregates(self, drawn, letters):
        rng = self.rng
        text, row = self.aggregate(letters)
        rows = {row}
        for _ in range(rng.choice([0, 0, 1, 1, 2])):
            more, row = self.aggregate(letters)
            rows.add(row)
            text = rng.choice(["{} and {}", "{} and {}", "({} or {})", "{} and not ({})"]).format(text, more)
        drawn.body = text
        return rows

    def draw_aggregation(self, drawn):
        rng = self.rng
        letters = rng.choice(["a", "a", "ab"])
        self.signals(drawn, letters)
        self.keys(drawn)
        rows = self.aggregates(drawn, letters)
        if rng.random() < 0.15:
            drawn.body = f"count(a) >= 2 and distinct(a.{list(self.words.texts)[0]}) < 3"
            rows = {"several aggregates, with an upper bound"}
        if len(letters) > 1:
            rows.add("several aggregates, of two signals")
        drawn.rows += sorted(rows)
        drawn.clauses.append(f"within {self.window()}")
        self.show(drawn)

    def draw_fixed(self, drawn):
        letters = self.rng.choice(["a", "a", "ab"])
        self.signals(drawn, letters)
        self.keys(drawn)
        self.aggregates(drawn, letters)
        drawn.rows.append("fixed window")
        drawn.clauses.append(f"within {self.window()} fixed")

    def chain_keys(self, drawn):
        self.keys(drawn)
        drawn.clauses.append(f"within {self.window()}")

    def draw_sequence(self, drawn):
        rng = self.rng
        length = rng.choice([2, 2, 2, 3, 3, 4])
        letters = LETTERS[: rng.choice([2, 3]) if length > 2 else 2]
        across = rng.random() < 0.15
        if across:
            self.signals(drawn, letters, words=self.across("abc"), let=lambda words: {"k": words.key, "v": list(words.texts)[0]})
            drawn.by = ["k"]
            drawn.clauses.append(f"within {self.window()}")
            drawn.rows.append("sequence, across sources")
            value = "v"
        else:
            if self.signals(drawn, letters):
                drawn.rows.append("sequence, overlapping signals")
            self.chain_keys(drawn)
            value = self.value()
            if value in self.words.lists:
                value = self.words.letters
        order = list(letters) + [rng.choice(letters) for _ in range(length - len(letters))]
        rng.shuffle(order)
        steps, names = [], []
        for index, letter in enumerate(order):
            times = rng.choice([1, 1, 1, 1, 1, 2, 3])
            name = f"s{index}"
            steps.append(letter + (f"{{{times}}}" if times > 1 else "") + f" as {name}")
            names.append(name)
            if times > 1:
                drawn.rows.append("sequence, repetition")
        drawn.body = " -> ".join(steps)
        if rng.random() < 0.25:
            drawn.clauses.append(f"until {rng.choice(letters)}")
            drawn.rows.append("sequence, until")
        self.relate(drawn, names, value)
        if not drawn.rows:
            drawn.rows.append("sequence")

    def relate(self, drawn, names, value):
        """Conditions between the steps of a chain."""
        rng, form = self.rng, self.rng.random()
        cased = rng.choice(["", "", "cased "]) if value in (list(self.words.texts)[0], self.words.letters, "v") else ""
        if form < 0.25:
            left, right = rng.sample(names, 2)
            drawn.relations.append(f"{left}.{value} != {cased}{right}.{value}")
            drawn.rows.append("sequence, `where` with one `!=`")
        elif form < 0.5:
            drawn.relations += [f"{left}.{value} == {cased}{right}.{value}" for left, right in zip(names, names[1:])]
            drawn.rows.append("sequence, `where` with `==`")
        elif form < 0.6:
            left, right = rng.sample(names, 2)
            drawn.relations.append(f"({left}.{value} != {right}.{value} or {left}.{self.words.letters} != {right}.{self.words.letters})")
            drawn.rows.append("sequence, other `where` of two steps" if len(names) == 2 else "sequence, other `where` of three steps")

    def draw_absence(self, drawn):
        rng = self.rng
        self.signals(drawn, LETTERS[: rng.choice([2, 3])])
        letters = list(drawn.signals)
        self.chain_keys(drawn)
        length = rng.choice([1, 1, 2, 2, 3])
        places = rng.choice([["trailing"], ["trailing"], ["leading"], ["middle"], ["leading", "trailing"], ["middle", "trailing"], ["leading", "middle"]])
        if length == 1:
            places = [place for place in places if place != "middle"] or ["trailing"]
        many = {1: "one step", 2: "two steps", 3: "three steps"}[length]
        steps = ["no " + rng.choice(letters)] if "leading" in places else []
        gap = rng.randrange(1, length) if "middle" in places else None
        names = []
        for index in range(length):
            if index == gap:
                steps.append("no " + rng.choice(letters))
            times = rng.choice([1, 1, 1, 1, 2])
            steps.append(rng.choice(letters) + (f"{{{times}}}" if times > 1 else "") + f" as s{index}")
            names.append(f"s{index}")
        if "trailing" in places:
            steps.append("no " + rng.choice(letters))
            drawn.rows.append("absence" if length == 1 else f"absence, behind {many}")
        if "leading" in places:
            drawn.rows.append(f"absence, before {many}")
        if "middle" in places:
            drawn.rows.append(f"absence, between {many}")
        drawn.body = " -> ".join(steps)
        if rng.random() < 0.25:
            drawn.clauses.append(f"until {rng.choice(letters)}")
        if length > 1 and rng.random() < 0.3:
            self.relate(drawn, names, list(self.words.texts)[0])

    def draw_group(self, drawn):
        rng = self.rng
        letters = LETTERS[: rng.choice([2, 3])]
        self.signals(drawn, letters)
        self.chain_keys(drawn)
        form = rng.choice(["group", "k of n", "score"])
        if form == "group":
            drawn.body = " & ".join(letters)
        elif form == "k of n":
            drawn.body = f"{rng.randint(1, len(letters))} of ({', '.join(letters)})"
        else:
            weights = ", ".join(f"{letter} = {rng.choice([10, 30, 40])}" for letter in letters)
            drawn.body = f"score({weights}) >= {rng.choice([30, 40, 50, 70])}"
        drawn.rows.append(form)

    def remembered(self):
        first = self.value()
        return [first] if self.rng.random() < 0.7 else [first, self.words.letters if first != self.words.letters else list(self.words.texts)[0]]

    def learning(self, drawn, row):
        if self.rng.random() < 0.4:
            drawn.clauses.append(f"learning {self.rng.choice(['2m', '3m', '4m'])}")
            row = f"{row}, with learning"
        drawn.rows.append(row)

    def draw_new(self, drawn):
        self.signals(drawn, "a")
        self.keys(drawn)
        drawn.body = f"new({', '.join('a.' + value for value in self.remembered())})"
        drawn.clauses.append(f"over {self.rng.choice(['4m', '6m', '7m'])}")
        self.learning(drawn, "new")

    def draw_rare(self, drawn):
        rng = self.rng
        self.signals(drawn, "a")
        self.keys(drawn)
        drawn.body = f"rare({', '.join('a.' + value for value in self.remembered())}) {rng.choice(['<=', '<=', '<', '=='])} {rng.choice([1, 1, 2, 3])}"
        drawn.clauses.append(f"over {rng.choice(['4m', '6m', '7m'])}")
        self.learning(drawn, "rare")

    def buckets(self, drawn, word, limits, unit):
        rng = self.rng
        self.signals(drawn, "a")
        self.keys(drawn)
        number, text = list(self.words.numbers)[0], list(self.words.texts)[0]
        amount = rng.choice(["count(a)", "count(a)", f"distinct(a.{text})", f"sum(a.{number})", f"count(a where {text} == \"v1\")"])
        drawn.body = f"{word}({amount})"
        drawn.clauses += [f"per {rng.choice(['2m', '3m'])}", f"over {rng.choice(['6m', '9m', '12m', '10m'])}", f"above {rng.choice(limits)}{unit}", f"floor {rng.choice([0, 1, 2, 3])}"]
        self.learning(drawn, word)

    def draw_outlier(self, drawn):
        self.buckets(drawn, "outlier", ["0", "1", "1.5", "2", "3"], " sigma")

    def draw_spike(self, drawn):
        self.buckets(drawn, "spike", ["1", "1.5", "2", "0.5"], "")
        drawn.rows = ["spike"]

    def draw_travel(self, drawn):
        rng = self.rng
        self.signals(drawn, "a")
        drawn.by = [self.words.key]
        drawn.body = f"travel(a.{list(self.words.addresses)[0]})"
        drawn.clauses += [f"faster than {rng.choice(['900', '20000', '5000.5'])} km/h", f"within {self.window()}"]
        if rng.random() < 0.6:
            drawn.clauses.append(f"beyond {rng.choice(['500', '0', '8000'])} km")
        drawn.rows.append("travel")

    def draw_composition(self, drawn):
        rng, words = self.rng, self.words
        text = list(words.texts)[0]
        self.signals(drawn, LETTERS[:3], let=lambda mine: {"k": mine.key})
        inner = rng.choice([
            f"count(a) as many >= {rng.choice([1, 2, 2, 3])} by k within {self.window()}", f"distinct(a.{text}) as many >= 2 by k within {self.window()}", f"a -> b by k within {self.window()}",
            f"new(a.{text}) by k over 6m", "a or b", f"a & b by k within {self.window()}", f"count(a) as many >= 2 by k within {self.window()} fixed", f"a -> no b by k within {self.window()}",
            f"count(a where {text} == \"v1\") as many >= 1 and count(a) >= 2 by k within {self.window()}",
        ])
        drawn.signals["burst"] = Signal(behavior=inner)
        if "as many" in inner and rng.random() < 0.5:
            drawn.signals["burst"].where.append(f"many {rng.choice(['<', '>=', '=='])} {rng.choice([2, 3])}")
            drawn.rows.append("composed signal, with a test of its number")
        drawn.by = ["k"]
        outer = rng.choice(["chain", "chain", "chain", "count", "count", "absence", "group", "union", "alone"])
        drawn.clauses = [f"within {self.window()}"]
        if outer == "chain":
            drawn.body = rng.choice(["burst -> c", "c -> burst", "burst{2}", "burst -> no a -> c", "burst as s0 -> c as s1 -> burst as s2"])
            drawn.rows.append("composed signal, in a chain")
        elif outer == "count":
            drawn.body = rng.choice(["count(burst) >= 2", "count(burst) >= 1 and count(c) >= 1", "sum(burst.many) > 3" if "as many" in inner else "count(burst) > 1"])
        elif outer == "absence":
            drawn.body = rng.choice(["burst -> no c", "no burst -> c", "no c -> burst"])
        elif outer == "group":
            drawn.body = rng.choice(["burst & c", "1 of (burst, c)", "score(burst = 30, c = 40) >= 70"])
        else:
            drawn.body, drawn.clauses, drawn.by = ("burst or c" if outer == "union" else "burst"), [], []
        drawn.rows.append("composed signal")
        used = set(drawn.body.replace("(", " ").replace(",", " ").replace(")", " ").replace("{", " ").split()) | {"burst"}
        for name in [name for name in drawn.signals if name not in used and not any(f"{before}{name}{after}" in f" {inner} " for before in " (" for after in " ).")]:
            del drawn.signals[name]
