"""Runs the base search and the commands of a query over rows.

Rows that compare equal, and rows whose order nothing promises, come in a random order, so that a query that relies on
one differs.
"""

import functools

from engines.spl_expressions import COMPARISONS, Expressions
from engines.spl_values import is_number, number, text, values
from protocol import EngineError


def found_by_search(part, row):
    """Whether the base search keeps a row: without regard to case, with wildcards, false for absent fields."""
    kind = part[0]
    if kind == "all":
        return all(found_by_search(inner, row) for inner in part[1])
    if kind == "any":
        return any(found_by_search(inner, row) for inner in part[1])
    if kind == "no":
        return not found_by_search(part[1], row)
    found = values(row.get(part[1]))
    if kind == "present":
        # Whether `field=*` finds an empty text is not documented, so it must not matter: it does not find it here.
        return any(text(value) != "" for value in found)
    if kind == "one of":
        return any(pattern.fullmatch(text(value)) for value in found for pattern in part[2])
    return any(is_number(value) and COMPARISONS[part[2]](number(value), part[3]) for value in found)


def aggregated(function, found, rows):
    """The result of an aggregate over values, or None where it writes no field."""
    if function == "count":
        return rows if found is None else len(found)
    if function == "dc":
        return len({text(value) for value in found})
    if not found:
        return None
    if function == "first":
        return found[0]
    if function == "last":
        return found[-1]
    numbers = [number(value) for value in found if is_number(value)]
    if function == "sum":
        return sum(numbers) if numbers else None
    best = min if function == "min" else max
    # Numbers are preferred over texts.
    return best(numbers) if numbers else best(text(value) for value in found)


def ordered(left, right, keys):
    """Compares two rows by sort keys; numbers as numbers unless the key says `str()`, absent fields last."""
    for name, descending, as_text in keys:
        one, other = left.get(name), right.get(name)
        if one is None or other is None:
            result = (one is None) - (other is None)
            if result:
                return result
            continue
        if isinstance(one, list) or isinstance(other, list):
            raise EngineError(f"sort by the multivalue field {name}")
        as_compared = number if not as_text and is_number(one) and is_number(other) else text
        one, other = as_compared(one), as_compared(other)
        result = (one > other) - (one < other)
        if result:
            return -result if descending else result
    return 0


class Pipeline:
    """The rows of one search."""

    def __init__(self, reading, latest, places):
        self.reading, self.latest, self.places = reading, latest, places
        self.expressions = Expressions(reading)

    def run(self, search, commands, rows):
        rows = [dict(row) for row in rows if found_by_search(search, row)]
        self.reading.order.shuffle(rows)
        for name, *rest in commands:
            rows = getattr(self, name)(rows, *rest)
        return rows

    def argument(self, part, row):
        return None if part is None else values(self.expressions.value(part, row))

    def groups(self, rows, by):
        """Rows by the values of the groups' columns; a row that lacks one joins no group."""
        found = {}
        for row in rows:
            if all(name in row for name in by):
                found.setdefault(tuple(self.group_value(row, name) for name in by), []).append(row)
        return found

    @staticmethod
    def group_value(row, name):
        if isinstance(row[name], list):
            raise EngineError(f"BY the multivalue field {name}")
        return text(row[name])

    def where(self, rows, condition):
        return [row for row in rows if self.expressions.holds(condition, row) is True]

    def eval(self, rows, assignments):
        for row in rows:
            for name, part in assignments:
                value = self.expressions.value(part, row)
                if value is None:
                    row.pop(name, None)
                else:
                    row[name] = value
        return rows

    def results(self, aggregates, rows):
        for function, part, name in aggregates:
            found = None if part is None else [value for row in rows for value in self.argument(part, row)]
            yield name, aggregated(function, found, len(rows))

    def stats(self, rows, aggregates, by):
        made = []
        for group in self.groups(rows, by).values():
            row = {name: group[0][name] for name in by}
            row.update((name, value) for name, value in self.results(aggregates, group) if value is not None)
            made.append(row)
        if not by and not made:
            row = {name: value for name, value in self.results(aggregates, []) if value is not None}
            made = [row] if row else []
        self.reading.order.shuffle(made)
        if not self.reading.stats_rows_in_any_order:
            made.sort(key=functools.cmp_to_key(lambda left, right: ordered(left, right, [(name, False, False) for name in by])))
        return made

    def eventstats(self, rows, aggregates, by):
        for group in self.groups(rows, by).values():
            results = [(name, value) for name, value in self.results(aggregates, group) if value is not None]
            for row in group:
                row.update(results)
        return rows

    def streamstats(self, rows, options, aggregates, by):
        if options["window"] and by and options["global"]:
            raise EngineError("a window over all groups together")
        seen = {}
        for row in rows:
            if not all(name in row for name in by):
                continue
            earlier = seen.setdefault(tuple(self.group_value(row, name) for name in by), [])
            mine = [self.argument(part, row) for _, part, _ in aggregates]
            earlier.append(mine)
            looked_at = earlier if options["current"] else earlier[:-1]
            if options["window"]:
                looked_at = looked_at[-options["window"]:]
            for index, (function, part, name) in enumerate(aggregates):
                found = None if part is None else [value for arguments in looked_at for value in arguments[index]]
                value = aggregated(function, found, len(looked_at))
                if value is not None:
                    row[name] = value
        return rows

    def sort(self, rows, limit, keys):
        self.reading.order.shuffle(rows)
        rows.sort(key=functools.cmp_to_key(lambda left, right: ordered(left, right, keys)))
        return rows[:limit] if limit else rows

    def dedup(self, rows, names):
        kept, seen = [], set()
        for row in rows:
            if all(name in row for name in names):
                key = tuple(self.group_value(row, name) for name in names)
                if key not in seen:
                    seen.add(key)
                    kept.append(row)
        return kept

    def fields(self, rows, names):
        kept = {*names, "_time", "_raw"}
        return [{name: value for name, value in row.items() if name in kept} for row in rows]

    def table(self, rows, names):
        return [{name: value for name, value in row.items() if name in names} for row in rows]

    def mvexpand(self, rows, name):
        # A row without the field stays as it is.
        return [{**row, name: value} if name in row else row for row in rows for value in (values(row.get(name)) or [None])]

    def addinfo(self, rows):
        for row in rows:
            row["info_max_time"] = self.latest
        return rows

    def iplocation(self, rows, prefix, name):
        for row in rows:
            place = self.places.of(row.get(name))
            if place:
                row.update({prefix + member: value for member, value in place.items() if value != ""})
        return rows

    def lookup(self, rows, table, name, theirs, ours):
        for row in rows:
            place = self.places.owner(row.get(name))
            row.pop(ours, None)
            if place and place.get(theirs):
                row[ours] = place[theirs]
        return rows

    def rename(self, rows, pairs):
        for row in rows:
            moved = [(after, row.pop(before, None)) for before, after in pairs]
            row.update((name, value) for name, value in moved if value is not None)
        return rows
