"""Executes EQL as Elasticsearch documents it: single events, and sequences with their keys, spans, repeats, gaps and ends.

    python elastic_eql.py --self-test

The tree is py-eql's (see `eql_scalar`); the matching is that of Elasticsearch's sequence matcher: events come by (time, place
in the index); a step takes the newest partial before it and discards all older ones, then looks at `maxspan` and at `until`;
an absent event is asked for strictly between the times of its neighbours. Places within one instant are those that the
output assumes; a stream that breaks another of its assumptions is `Outside`.
"""

import itertools
import sys
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1])]
from eql import ast  # noqa: E402

import eql  # noqa: E402
import elastic_facts as facts  # noqa: E402
import elastic_faults  # noqa: E402
import eql_check  # noqa: E402
import field_maps  # noqa: E402
from documents import decimal, documents_of, index_of  # noqa: E402
from eql_scalar import Conditions, EnginesDiffer, NullMatters, Unknown, keys_of, parse  # noqa: E402
from lucene import UnknownPattern  # noqa: E402
from protocol import Engine, EngineError, Outside  # noqa: E402

OVERLAPS = "none of several is two steps at once"
REPEATS = "the events of a repeated first step have different times"
UNTIL_TIES = "no event that ends a chain shares its instant"


class Sequence:
    """A parsed sequence: its positive steps, each repeat being one, what is absent before which of them, its end."""

    def __init__(self, tree):
        if tree.max_span is None:
            raise Unknown("a sequence without `maxspan`")
        self.span = int(tree.max_span.as_milliseconds())
        self.steps, self.gaps, self.until = [], [], tree.close
        for term in tree.queries:
            if set(term.data) - {"is_negated"} or not isinstance(term.query, ast.EventQuery):
                raise Unknown(f"`{term}`")
            if term.data["is_negated"]:
                self.gaps.append((len(self.steps), term))
            else:
                self.steps.append(term)
        if any(place in (0, len(self.steps)) for place, _ in self.gaps):
            raise Unknown("an absence before the first step or behind the last, which one run cannot judge")


class ElasticEql(Engine):
    """The engine."""

    target = "elastic"
    languages = ("eql",)
    title = "py-eql's parser and scalars, with Elasticsearch's documented matching"
    repeats = True
    faults = elastic_faults.EQL

    def refuses(self, query):
        try:
            tree = self.tree(query)
            if not isinstance(tree, Sequence):
                self.event_keys(query)
        except Unknown as error:
            return str(error)
        return None

    def tree(self, query):
        """The parsed query."""
        if "tree" not in query.parsed:
            index = index_of(query)
            try:
                tree = parse(query.text, index.maps.values())
            except eql.EqlParseError as error:
                raise EngineError(str(error)) from error
            first = tree.first
            if tree.pipes or not isinstance(first, (ast.Sequence, ast.EventQuery)) or getattr(first, "event_type", "any") != "any":
                raise EngineError(f"a query of another kind: {query.text}")
            query.parsed["tree"] = Sequence(first) if isinstance(first, ast.Sequence) else first
            query.parsed["conditions"] = Conditions(eql_check.type_lookup(index.maps.values()))
        return query.parsed["tree"]

    @staticmethod
    def event_keys(query):
        """Paths of the keys of a query that returns whole events; it says nothing of a key that is computed."""
        maps, paths = index_of(query).maps, []
        for name in query.keys:
            native = ".".join(field_maps.segments(name))
            bound = {target for source in query.record["sources"] for key, target, _, _ in maps[source].bindings if key == native}
            if len(bound) != 1:
                raise Unknown("computed keys of single events")
            paths += bound
        return paths

    def hits(self, query, events, now):
        """The hits of one run; a run reads everything from `from` on, whether an earlier run has reported it or not."""
        tree, documents = self.tree(query), documents_of(query, events, now)
        try:
            if isinstance(tree, Sequence):
                # Several events of one instant that each close a count are one hit, of which the rule makes several alerts.
                return list(dict.fromkeys(self.sequences(query, tree, documents)))
            keys = self.event_keys(query)
            holds = [each for each in documents if query.parsed["conditions"].holds(tree.query, each)]
            found = [(choice, each["@timestamp"][0]) for each in holds for choice in chosen(each, keys)]
            return found if query.record["behavior"] in ("any event", "union") else list(dict.fromkeys(found))
        except (Unknown, NullMatters, EnginesDiffer, UnknownPattern) as error:
            raise EngineError(f"{type(error).__name__}: {error}") from error

    def self_test(self):
        """Chains and conditions of `elastic_facts`; in passing, py-eql's own evaluator has to agree where it can."""
        failed = []
        for chain, span, stream, wanted in facts.CHAINS:
            tree = Sequence(parse(sequence_text(chain, span), [Letters()]).first)
            found = sorted({time for _, time in self.sequences(FactQuery(), tree, fact_documents(stream))})
            if found != [round(second * 1000) for second in wanted]:
                failed.append(f"{chain} within {span} s over {stream}: {found}")
        scalars = Conditions(Letters().type_of)
        for text, document, wanted in facts.CONDITIONS:
            if scalars.holds(parse(f"any where {text}", [Letters()]).first.query, document) is not wanted:
                failed.append(f"{text} of {document} is not {wanted}")
        for text in facts.AMBIGUOUS:
            try:
                scalars.holds(parse(f"any where {text}", [Letters()]).first.query, {})
                failed.append(f"{text} of a missing value is not noticed")
            except NullMatters:
                pass
        if failed or not scalars.compared:
            raise EngineError("; ".join(failed) or "py-eql was never asked")
        return len(facts.CHAINS) + len(facts.CONDITIONS) + len(facts.AMBIGUOUS)

    def sequences(self, query, tree, documents):
        """The matches of a sequence, for each combination of keys."""
        conditions, shown = query.parsed["conditions"], len(query.keys)
        terms = {id(term): term for term in [*tree.steps, *(term for _, term in tree.gaps), *([tree.until] if tree.until else [])]}
        groups = defaultdict(dict)
        for number, document in enumerate(documents):
            roles = {name for name, term in terms.items() if conditions.holds(term.query.query, document)}
            for name in roles:
                for keys in keys_of(terms[name].join_values, document):
                    groups[keys].setdefault(number, set()).add(name)
        for keys, members in groups.items():
            ordered = self.in_index_order(tree, documents, members)
            refuse_outside(tree, ordered, query.record["assumptions"])
            for chain in matches(tree, ordered):
                yield tuple(shown_text(key) for key in keys[:shown]), chain[-1][0]

    @staticmethod
    def in_index_order(tree, documents, members):
        """(time, number, roles) of a key's events; those of one instant in the order of the steps, as the outputs assume."""
        first = {}
        for place, step in enumerate(tree.steps):
            first.setdefault(id(step), place)
        rows = [(documents[number]["@timestamp"][0], number, roles) for number, roles in members.items()]
        return sorted(rows, key=lambda row: (row[0], min((first[role] for role in row[2] if role in first), default=len(first)), row[1]))


class Letters:
    """The fields of the self-test."""

    def type_of(self, path):
        return {"t.letters": "string", "t.key": "string", "t.s": "string", "t.n": "int", "t.b": "bool", "t.ip": "ip"}.get(path)


class FactQuery:
    """A query of the self-test."""

    keys, record = ["key"], {"assumptions": []}

    def __init__(self):
        self.parsed = {"conditions": Conditions(Letters().type_of)}


def sequence_text(chain, span):
    """The sequence behind a chain in letters."""
    terms, until = [], ""
    for part in chain.split():
        condition = f"[any where t.letters == \"{part[-1]}\"]"
        if part[0] == "~":
            until = f"until {condition}"
        else:
            terms.append(("!" if part[0] == "!" else "") + condition + (f" with runs={part[:-1]}" if part[0].isdigit() else ""))
    return f"sequence by t.key with maxspan={span}s {' '.join(terms)} {until}"


def fact_documents(stream):
    """Documents behind `seconds:letters`."""
    documents = []
    for number, part in enumerate(stream.split()):
        second, letters = part.split(":")
        documents.append({"@timestamp": [round(float(second) * 1000)], "_id": [str(number)], "t.letters": list(letters), "t.key": ["k"]})
    return documents


def refuse_outside(tree, rows, assumptions):
    """Stops at a stream of which the output's assumptions say that there is none."""
    by_time = defaultdict(list)
    for time, number, roles in rows:
        by_time[time].append((number, roles))
    first, last, steps = id(tree.steps[0]), id(tree.steps[-1]), {id(step) for step in tree.steps}
    for same in by_time.values():
        taking_part = [roles & steps for _, roles in same if roles & steps]
        if any(OVERLAPS in text for text in assumptions) and len(taking_part) > 1 and any(len(roles) > 1 for roles in taking_part):
            raise Outside(OVERLAPS)
        if any(REPEATS in text for text in assumptions) and sum(first in roles for _, roles in same) > 1:
            raise Outside(REPEATS)
        if tree.until is not None and any(UNTIL_TIES in text for text in assumptions):
            for number, roles in same:
                if id(tree.until) in roles and any(other != number and {first, last} & others for other, others in same):
                    raise Outside(UNTIL_TIES)


def matches(tree, rows):
    """Chains as lists of rows, in the order in which they close."""
    stages, ends, places = [[] for _ in tree.steps], [], {row[1]: place for place, row in enumerate(rows)}
    for row in rows:
        time, _, roles = row
        found = []
        for place, step in enumerate(tree.steps):
            if id(step) not in roles:
                continue
            if place == 0:
                found.append((0, [row]))
                continue
            if not stages[place - 1]:
                continue
            partial = stages[place - 1][-1]
            stages[place - 1].clear()
            if time - partial[0][0] > tree.span:
                continue
            # The newest end before this event kills a partial that it does not precede.
            if ends and places[ends[-1][1]] >= places[partial[-1][1]]:
                continue
            found.append((place, [*partial, row]))
        # Only now, so that no event follows itself.
        for place, chain in found:
            stages[place].append(chain)
        if tree.until is not None and id(tree.until) in roles:
            ends.append(row)
        for chain in stages[-1]:
            if not any(is_broken(tree, place, term, chain, rows) for place, term in tree.gaps):
                yield chain
        stages[-1].clear()


def is_broken(tree, place, term, chain, rows):
    """Whether an absent event lies strictly between the times of its neighbours."""
    before, behind = chain[place - 1][0], chain[place][0]
    return any(id(term) in roles and before < time < behind for time, _, roles in rows)


def chosen(document, paths):
    """The keys of a document, one tuple for each choice out of its lists."""
    return list(itertools.product(*([shown_text(value) for value in dict.fromkeys(document.get(path, []))] for path in paths)))


def shown_text(key):
    """A key as text."""
    if isinstance(key, bool):
        return "true" if key else "false"
    return key if isinstance(key, str) or key is None else decimal(key)
