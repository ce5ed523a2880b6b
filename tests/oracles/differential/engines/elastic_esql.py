"""Executes ES|QL: the text is parsed by Elastic's own grammar and its tree is run over documents, command by command.

    python elastic_esql.py --self-test

This interpreter is ours, since nothing that could be installed executes ES|QL; it follows the documentation, checks names
and types (see `esql_tree`), and shares no code with the compiler. Where `duckdb` is installed, the self-test holds the
aggregates and the arithmetic against it.
"""

import random
import sys
from decimal import Decimal
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1])]

import elastic_facts as facts  # noqa: E402
import elastic_faults  # noqa: E402
import esql_check  # noqa: E402
from documents import decimal, documents_of, index_of  # noqa: E402
from esql_functions import INTEGER, LONG, DOUBLE, Unknown, from_values, point, text_of, values_of  # noqa: E402
from esql_tree import Aggregates, Expressions, literal_text, name_of, parse  # noqa: E402
from lucene import UnknownPattern  # noqa: E402
from protocol import Engine, EngineError  # noqa: E402

KINDS = {"string": "keyword", "ip": "ip", "time": "date", "int": LONG, "float": DOUBLE, "bool": "boolean"}
LOCATED = {"geo.location": "geo_point", "as.number": LONG}


class Clock:
    """What `NOW()` says, in milliseconds since 1970."""

    now = 0


class Table:
    """A query as steps over rows; knows the columns and their types behind each step."""

    def __init__(self, text, type_of):
        self.clock, self.steps, self.columns, self.constants = Clock(), [], {}, set()
        self.type_of, self.reads_index = type_of, True
        bare = "\n".join(line for line in text.split("\n") if not line.startswith("//"))
        commands, node = [], parse(bare).query()
        while type(node).__name__ == "CompositeQueryContext":
            commands.append(node.processingCommand().getChild(0))
            node = node.query()
        self.source(node)
        for command in reversed(commands):
            name = type(command).__name__.removesuffix("CommandContext")
            compile_command = getattr(self, f"of_{name}", None)
            if compile_command is None:
                raise Unknown(f"command {name}")
            compile_command(command)
        del self.type_of

    def source(self, node):
        command = node.sourceCommand().getChild(0)
        if type(command).__name__ != "FromCommandContext":
            raise Unknown(type(command).__name__)
        metadata = command.indexPatternAndMetadataFields().metadata()
        for field in metadata.UNQUOTED_SOURCE() if metadata else []:
            if field.getText() not in ("_id", "_index", "_version"):
                raise Unknown(f"metadata `{field.getText()}`")
            self.columns[field.getText()] = LONG if field.getText() == "_version" else "keyword"

    def kinds(self):
        """The columns in scope; fields of the index are looked up when they are named."""
        return Scope(self) if self.reads_index else self.columns

    def expressions(self):
        return Expressions(self.kinds(), self.clock)

    def of_Where(self, command):
        test = self.expressions().boolean(command.booleanExpression()).value
        self.steps.append(lambda rows: [row for row in rows if test(row) is True])

    def of_Eval(self, command):
        for field in command.fields().field():
            name = self.assigned(field)
            node = self.expressions().compile(field.booleanExpression())
            self.columns[name] = node.kind

            def step(rows, name=name, value=node.value):
                return [{**row, name: value(row)} for row in rows]
            self.steps.append(step)

    @staticmethod
    def assigned(field):
        if field.qualifiedName() is None:
            raise Unknown(f"`{field.getText()}` without a name")
        return name_of(field.qualifiedName())

    def of_Stats(self, command):
        made = []
        for field in command.stats.aggField() if command.stats else []:
            node = Aggregates(self.kinds(), self.clock).compile(field.field().booleanExpression())
            keep = self.expressions().boolean(field.booleanExpression()).value if field.WHERE() else None
            made.append((self.assigned(field.field()), node, keep))
        keys = []
        for field in command.grouping.field() if command.grouping else []:
            name = field.getText()
            if field.ASSIGN() is not None:
                raise Unknown(f"`{name}` behind `BY`")
            name = esql_check.plain(name)
            keys.append((name, self.expressions().of_Dereference(field)))
        names = [name for name, _, _ in made] + [name for name, _ in keys]
        if len(set(names)) != len(names):
            raise Unknown(f"a column of `STATS` stands twice among {names}")
        self.columns = {name: node.kind for name, node, _ in made} | {name: node.kind for name, node in keys}
        self.reads_index = False

        def step(rows):
            groups = {} if keys else {(): []}
            for row in rows:
                choices = [()]
                for _, node in keys:
                    choices = [(*choice, each) for choice in choices for each in values_of(node.value(row)) or [None]]
                for choice in choices:
                    groups.setdefault(choice, []).append(row)
            found = []
            for choice, members in groups.items():
                row = {name: node.value(members if keep is None else [each for each in members if keep(each) is True])
                       for name, node, keep in made}
                found.append(row | {name: value for (name, _), value in zip(keys, choice)})
            return found
        self.steps.append(step)

    def of_MvExpand(self, command):
        name = name_of(command.qualifiedName())
        value = self.expressions().of_Dereference(command.qualifiedName()).value
        self.columns[name] = self.kinds()[name]
        self.steps.append(lambda rows: [{**row, name: each} for row in rows for each in values_of(value(row)) or [None]])

    def of_Dissect(self, command):
        subject = self.expressions().compile(command.primaryExpression())
        if subject.kind != "keyword" or command.commandOptions():
            raise Unknown(f"`{command.getText()}`")
        parts, names = dissect_pattern(literal_text(command.string()))
        self.columns |= {name: "keyword" for name in names}

        def step(rows):
            found = []
            for row in rows:
                text = subject.value(row)
                if isinstance(text, list):
                    raise Unknown("`DISSECT` of several values")
                pieces = dissected(text, parts) if text is not None else None
                found.append({**row, **(dict(zip(names, pieces)) if pieces else dict.fromkeys(names))})
            return found
        self.steps.append(step)

    def of_Keep(self, command):
        names = [name_of(each) for each in command.qualifiedNamePatterns().qualifiedNamePattern()]
        if any("*" in name for name in names):
            raise Unknown("a pattern of columns in `KEEP`")
        self.columns, self.reads_index = {name: self.kinds()[name] for name in names}, False
        self.steps.append(lambda rows: [{name: row.get(name) for name in names} for row in rows])

    def of_Rename(self, command):
        for clause in command.renameClause():
            old, new = name_of(clause.oldName), name_of(clause.newName)
            self.columns[new] = self.kinds()[old]
            self.columns.pop(old, None)
            self.steps.append(lambda rows, old=old, new=new: [
                {**{name: value for name, value in row.items() if name != old}, new: row.get(old)} for row in rows])

    def run(self, rows, now):
        """The rows of a run at `now`."""
        self.clock.now = now
        for step in self.steps:
            rows = step(rows)
        return rows


class Scope:
    """Columns that a command may name: those made before it, and the fields of the index."""

    def __init__(self, table):
        self.made, self.type_of = table.columns, table.type_of

    def __contains__(self, name):
        return name in self.made or self.type_of(name) is not None

    def __getitem__(self, name):
        if name not in self:
            raise Unknown(f"no column `{name}` where it is used")
        return self.made.get(name) or self.type_of(name)


def dissect_pattern(pattern):
    """The delimiters of a pattern, and its columns."""
    pieces = pattern.split("%{")
    names, delimiters = [], []
    if pieces[0]:
        raise Unknown(f"a delimiter before the first column of `{pattern}`")
    for piece in pieces[1:]:
        name, _, delimiter = piece.partition("}")
        if not name or name[0] in "+*&?" or "->" in name:
            raise Unknown(f"`%{{{name}}}` in `{pattern}`")
        names.append(name)
        delimiters.append(delimiter)
    if "" in delimiters[:-1] or delimiters[-1]:
        raise Unknown(f"columns of `{pattern}` without a delimiter between them")
    return delimiters[:-1], names


def dissected(text, delimiters):
    """The parts of a text, the last being all that is left; nothing where a delimiter is missing."""
    parts = []
    for delimiter in delimiters:
        part, found, text = text.partition(delimiter)
        if not found:
            return None
        parts.append(part)
    return [*parts, text]


class ElasticEsql(Engine):
    """The engine."""

    target = "elastic"
    languages = ("esql",)
    faults = elastic_faults.ESQL
    title = "interpreter of the emitted ES|QL over Elastic's own grammar"

    def repeats_of(self, query):
        """A query that keeps the identity of a document leaves it to the rule to drop what an earlier run reported."""
        return "_id" in self.table(query).columns

    def refuses(self, query):
        try:
            self.table(query)
        except Unknown as error:
            raise EngineError(str(error)) from error
        return None

    @staticmethod
    def table(query):
        """The query as steps."""
        if "table" not in query.parsed:
            query.parsed["table"] = Table(query.text, TypeOf(index_of(query)))
        return query.parsed["table"]

    def hits(self, query, events, now):
        documents = documents_of(query, events, now)
        try:
            table = self.table(query)
            names = [esql_check.plain(name) for name in query.keys]
            if not {"@timestamp", *names} <= set(table.columns):
                raise Unknown(f"the result lacks one of @timestamp, {', '.join(names)}")
            return [(tuple(shown_text(row[name], table.columns[name]) for name in names), row["@timestamp"])
                    for row in table.run(rows_of(documents), now)]
        except (Unknown, UnknownPattern) as error:
            raise EngineError(f"{type(error).__name__}: {error}") from error


    def self_test(self):
        """Expressions and aggregates of `elastic_facts`; both are asked of DuckDB too, where it is installed."""
        failed = []
        for text, row, wanted in facts.EXPRESSIONS:
            found = Table(f"FROM x | EVAL found = {text}", FACT_TYPES.get).run([row], 0)[0]["found"]
            if found != wanted or isinstance(found, bool) != isinstance(wanted, bool):
                failed.append(f"{text} of {row} is {found!r}, not {wanted!r}")
        for text in facts.REFUSED:
            try:
                Table(f"FROM x | EVAL found = {text}", FACT_TYPES.get)
                failed.append(f"{text} is not refused")
            except Unknown:
                pass
        for aggregates, group, rows, wanted in facts.STATS:
            found = Table(f"FROM x | STATS {aggregates} BY {group}", FACT_TYPES.get).run(rows, 0)
            if found != wanted:
                failed.append(f"{aggregates} by {group} is {found}, not {wanted}")
        if failed:
            raise EngineError("; ".join(failed))
        return len(facts.EXPRESSIONS) + len(facts.REFUSED) + len(facts.STATS) + against_duckdb()


class TypeOf:
    """Types of the fields of an index."""

    def __init__(self, index):
        self.maps = list(index.maps.values())

    def __call__(self, name):
        if name == "@timestamp":
            return "date"
        if name == "data_stream.dataset":
            return "keyword"
        located = next((LOCATED.get(end.lstrip("."), "keyword") for end in esql_check.LOCATED if name.endswith(end)), None)
        found = next(filter(None, (each.type_of(name) for each in self.maps)), None)
        return KINDS[found] if found else located


def rows_of(documents):
    """Documents as rows: an index keeps the values of a text field sorted, each once."""
    rows = []
    for document in documents:
        row = {}
        for path, values in document.items():
            if path.endswith("geo.location"):
                values = [point(value) for value in values]
            else:
                values = sorted(set(values)) if isinstance(values[0], str) else sorted(values)
            row[path] = from_values(values)
        rows.append(row)
    return rows


def shown_text(value, kind):
    """A key as text."""
    if value is None or isinstance(value, list):
        raise Unknown(f"the key {value!r} of a hit")
    return decimal(value) if kind in (INTEGER, LONG, DOUBLE) else text_of(value, kind)


FACT_TYPES = {"s": "keyword", "v": "keyword", "m": "keyword", "n": LONG, "d": DOUBLE, "b": "boolean", "i": "ip", "p": "geo_point", "t": "date"}


def against_duckdb():
    """Groups of random rows in both engines; how many were compared, none where DuckDB is not installed."""
    try:
        import duckdb
    except ImportError:
        print("DuckDB is not installed, so the aggregates were held against written results only")
        return 0
    rng, compared = random.Random(1), 0
    for _ in range(20):
        rows = [{"s": rng.choice("ab"), "n": rng.choice([None, -7, 0, 3, 8]), "v": rng.choice([None, "x", "Y", "\u00e4"])} for _ in range(12)]
        text = ("FROM x | EVAL q = n / 3, r = n % 3 | WHERE n IS NULL OR n != 8 "
                "| STATS c = COUNT(n), a = COUNT(*), t = SUM(n), lo = MIN(n), hi = MAX(v), q = SUM(q), r = SUM(r), d = VALUES(v) BY s | EVAL d = MV_COUNT(d)")
        ours = Table(text, FACT_TYPES.get).run(rows, 0)
        listed = ", ".join(f"({literal(row['s'])}, {literal(row['n'])}, {literal(row['v'])})" for row in rows)
        theirs = duckdb.sql(
            "SELECT s, count(n), count(*), sum(n), min(n), max(v), sum(n // 3), sum(n % 3), nullif(count(DISTINCT v), 0) "
            f"FROM (VALUES {listed}) AS t(s, n, v) WHERE n IS NULL OR n <> 8 GROUP BY s ORDER BY s").fetchall()
        mine = sorted(tuple(row[name] for name in ("s", "c", "a", "t", "lo", "hi", "q", "r", "d")) for row in ours)
        if mine != [tuple(int(each) if isinstance(each, Decimal) else each for each in row) for row in theirs]:
            raise EngineError(f"DuckDB says {theirs}, this engine {mine}")
        compared += len(mine)
    return compared


def literal(value):
    """A value in SQL."""
    return "NULL" if value is None else str(value) if isinstance(value, int) else f"'{value}'"
