"""Parses ES|QL by Elastic's own grammar and follows its columns.

    python esql_check.py QUERIES FIELDS SCHEMAS     folders: *.esql, targets/elastic/fields, schemas/sources
    python esql_check.py --self-test

Every name has to be a field that the elastic target declares for a source of the query's datasets, a metadata field of its
`FROM`, or a column that a command before it made and none has dropped. Exits 1 when any query has an error, or when there is
no query.
"""

import re
import sys

from antlr4 import CommonTokenStream, InputStream
from antlr4.error.ErrorListener import ErrorListener
from esql_parser.EsqlBaseLexer import EsqlBaseLexer
from esql_parser.EsqlBaseParser import EsqlBaseParser

import field_maps
import query_check

COMMON = {"@timestamp", "data_stream.dataset"}
# Fields beside those of the maps that target.yml names, by their last names.
LOCATED = (".geo.country_iso_code", ".geo.city_name", ".geo.location", ".as.number", ".as.organization.name")

FUNCTIONS = {
    "CASE", "CIDR_MATCH", "COALESCE", "CONCAT", "COUNT", "ENDS_WITH", "FROM_BASE64", "GREATEST", "LENGTH", "LOCATE", "MAX", "MIN",
    "MV_COUNT", "MV_DEDUPE", "MV_SLICE", "NOW", "PERCENTILE", "REPLACE", "SPLIT", "STARTS_WITH", "ST_DISTANCE", "SUM",
    "TO_BASE64", "TO_BOOLEAN", "TO_DATETIME", "TO_DOUBLE", "TO_GEOPOINT", "TO_IP", "TO_LONG", "TO_LOWER", "TO_STRING", "TO_UPPER",
    "VALUES",
}
AGGREGATES = {"COUNT", "MAX", "MIN", "PERCENTILE", "SUM", "VALUES"}
WORDS = {"AND", "OR", "NOT", "IN", "IS", "NULL", "LIKE", "RLIKE", "TRUE", "FALSE"}

# A string, a name with its dots, or anything else that is no blank.
TOKEN = re.compile(
    r'"""[\s\S]*?"""|"(?:\\.|[^"\\])*"|(?:`(?:[^`]|``)*`|[A-Za-z_@]\w*)(?:\.(?:`(?:[^`]|``)*`|[A-Za-z_@]\w*))*|\d[\w.]*|[^\s\w]')


class Errors(ErrorListener):
    def __init__(self):
        self.found = []

    def syntaxError(self, _recognizer, _symbol, line, column, message, _error):
        self.found.append(f"{line}:{column + 1}: {message}")


def syntax_errors(text):
    errors = Errors()
    lexer = EsqlBaseLexer(InputStream(text))
    parser = EsqlBaseParser(CommonTokenStream(lexer))
    for each in (lexer, parser):
        each.removeErrorListeners()
        each.addErrorListener(errors)
    parser.singleStatement()
    return errors.found


def plain(name):
    """A name as the index has it, without back-quotes."""
    return re.sub(r"`((?:[^`]|``)*)`", lambda quoted: quoted[1].replace("``", "`"), name)


def is_name(token):
    return bool(re.match(r"[A-Za-z_@`]", token)) and token.upper() not in WORDS


def used(tokens):
    """The columns and the functions of an expression."""
    columns, functions = [], []
    for index, token in enumerate(tokens):
        if is_name(token):
            is_call = tokens[index + 1:index + 2] == ["("]
            (functions if is_call else columns).append(token.upper() if is_call else plain(token))
    return columns, functions


def assignments(tokens):
    """`name = expression, ..` as pairs of a name and its tokens."""
    parts, depth, current = [], 0, []
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token, 0)
        if token == "," and depth == 0:
            parts.append(current)
            current = []
        else:
            current.append(token)
    parts.append(current)
    return [(plain(part[0]), part[2:]) for part in parts if part[1:2] == ["="] and part[2:3] != ["="]]


def commands(text):
    bare = "\n".join(line for line in text.split("\n") if not line.startswith("//")).strip()
    for command in re.split(r"\n\| ", bare):
        word, _, rest = command.partition(" ")
        yield word.upper(), TOKEN.findall(rest), rest


def flow_errors(text, is_field):
    """Names that no command before them has made."""
    made, reads_index = set(), True

    def unknown(names):
        for name in names:
            if name not in made and not (reads_index and is_field(name)):
                yield f"no column `{name}` where it is used"

    for word, tokens, rest in commands(text):
        columns, functions = used(tokens)
        if word in ("WHERE", "EVAL", "STATS"):
            for name in functions:
                if name not in FUNCTIONS:
                    yield f"no function `{name}`"
                elif name in AGGREGATES and word != "STATS":
                    yield f"`{name}` outside `STATS`"
        if word == "FROM":
            made |= set(re.findall(r"\w+", rest.partition("METADATA")[2]))
        elif word == "WHERE":
            yield from unknown(columns)
        elif word == "EVAL":
            for name, value in assignments(tokens):
                yield from unknown(used(value)[0])
                made.add(name)
        elif word == "STATS":
            keys = []
            if "BY" in tokens:
                keys = [plain(token) for token in tokens[tokens.index("BY") + 1:] if token != ","]
                tokens = tokens[:tokens.index("BY")]
            pairs = assignments(tokens)
            for name, value in pairs:
                yield from unknown(used(value)[0])
                if not set(used(value)[1]) & AGGREGATES:
                    yield f"`{name}` of `STATS` is no aggregate"
            yield from unknown(keys)
            made, reads_index = {name for name, _ in pairs} | set(keys), False
        elif word == "MV_EXPAND":
            yield from unknown(columns)
        elif word == "DISSECT":
            yield from unknown(columns[:1])
            made |= set(re.findall(r"%\{(\w+)\}", rest))
        elif word == "KEEP":
            yield from unknown(columns)
            made, reads_index = set(columns), False
        elif word == "RENAME":
            names = [plain(token) for token in tokens if token != "," and token.upper() != "AS"]
            yield from unknown(names[0::2])
            made = made - set(names[0::2]) | set(names[1::2])
        else:
            yield f"no command `{word}`"


def check(text, maps):
    errors = syntax_errors(text)
    if errors:
        return errors
    datasets = set(re.findall(r'data_stream\.dataset == "([^"]*)"', text))
    for listed in re.findall(r"data_stream\.dataset IN \(([^)]*)\)", text):
        datasets |= set(re.findall(r'"([^"]*)"', listed))
    own = query_check.of_datasets(maps, datasets)
    if not own:
        errors.append(f"no source has a dataset of {sorted(datasets)}")

    def is_field(path):
        return path in COMMON or path.endswith(LOCATED) or any(each.type_of(path) for each in own)
    return errors + list(dict.fromkeys(flow_errors(text, is_field)))


SELF_SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}, "user": {"type": "string"}}}
SELF_MAPS = [field_maps.FieldMap(SELF_SCHEMA, {"source": "one", "location": {"dataset": ["a.one"]}, "fields": {
    "name": "event.action", "user": "user.`odd-name`"}})]
ONE = 'FROM logs-a-* METADATA _id\n| WHERE data_stream.dataset == "a.one"\n'
GOOD = [
    ONE + '| WHERE NOT COALESCE(TO_LOWER(event.action) == "x | y", false)\n| KEEP _id, @timestamp, event.action',
    ONE + '| EVAL detc_a = TO_LONG(@timestamp), detc_b = detc_a / 5\n| STATS detc_n = COUNT(detc_a) BY user.`odd-name`\n'
          '| WHERE detc_n > 3\n| KEEP user.`odd-name`, detc_n\n| RENAME detc_n AS n',
    ONE + '| EVAL detc_p = CONCAT(_id, "|", event.action)\n| DISSECT detc_p "%{detc_i}|%{detc_v}"\n| WHERE detc_v == "x"',
]
BAD = [
    (ONE + '| WHERE event.action = "x"', "mismatched input"),
    (ONE + '| WHERE event.nothing == "x"', "no column `event.nothing`"),
    (ONE + '| STATS detc_n = COUNT(_id) BY event.action\n| WHERE user.`odd-name` == "x"', "no column `user.odd-name`"),
    (ONE + '| KEEP _id\n| WHERE event.action == "x"', "no column `event.action`"),
    (ONE + '| WHERE detc_v == "x"', "no column `detc_v`"),
    (ONE + '| WHERE LOWER(event.action) == "x"', "no function `LOWER`"),
    (ONE + '| WHERE MAX(event.action) == "x"', "outside `STATS`"),
    (ONE + '| STATS detc_n = TO_LOWER(event.action) BY _id', "no aggregate"),
    ('FROM logs-a-*\n| WHERE data_stream.dataset == "a.two"', "no source has a dataset"),
]


def main(arguments):
    if arguments == ["--self-test"]:
        return query_check.self_test("esql", check, SELF_MAPS, GOOD, BAD) > 0
    return query_check.main("esql", check, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
