"""Parses Elastic EQL as Elasticsearch does, with the fields that the elastic target declares.

    python eql_check.py QUERIES FIELDS SCHEMAS     folders: *.eql, targets/elastic/fields, schemas/sources
    python eql_check.py --self-test

Every query is parsed with the fields of all sources; every step is then held against the fields of the one
source that it names by its dataset. Exits 1 when any query has an error, or when there is no query.
"""

import re
import sys

import eql
from eql import ast
from eql.parser import ParserConfig, elasticsearch_validate_optional_fields, skip_optimizations
from eql.types import TypeHint

import field_maps
import query_check

COMMON = {"@timestamp": "time", "data_stream.dataset": "string", "event.dataset": "string"}
HINTS = {"int": TypeHint.Numeric, "float": TypeHint.Numeric, "bool": TypeHint.Boolean}
FLAGS = ParserConfig(allow_negation=True, allow_runs=True, allow_sample=True)

# What Elasticsearch has. The parser also takes the functions and pipes of the language's first home.
FUNCTIONS = {
    "add", "between", "cidrMatch", "concat", "divide", "endsWith", "indexOf", "length", "modulo", "multiply",
    "number", "startsWith", "string", "stringContains", "substring", "subtract",
}
NOT_FUNCTIONS = {"and", "or", "not", "in", "like", "regex", "where", "by"}
PIPES = {"head", "tail"}
MOST_RUNS = 100


class FlatSchema(eql.Schema):
    """Fields by their dotted path, the same for every event category."""

    def __init__(self, type_of):
        self.type_of = type_of
        super().__init__({}, allow_any=True, allow_generic=False, allow_missing=False)

    def validate_event_type(self, _event_type):
        return True

    def get_event_type_hint(self, _event_type, path):
        kind = self.type_of(".".join(map(str, path)))
        return (HINTS.get(kind, TypeHint.String), None) if kind else None


def type_lookup(maps):
    """A function from a dotted path to its type over several field maps."""
    def type_of(path):
        return COMMON.get(path) or next(filter(None, (each.type_of(path) for each in maps)), None)
    return type_of


def check(text, maps):
    """The errors of one query, each as a sentence."""
    errors = list(lints(text))
    # `?field` is parsed only without the optimiser, which folds the comparison away and then trips over it.
    with FlatSchema(type_lookup(maps)), elasticsearch_validate_optional_fields, FLAGS, skip_optimizations:
        try:
            tree = eql.parse_query(text)
        except eql.EqlParseError as error:
            return errors + [f"{error.line + 1}:{error.column + 1}: {error.error_msg}"]
    if isinstance(tree.first, ast.Sequence) and tree.first.max_span is None:
        errors.append("a sequence without `maxspan`")
    for number, step in enumerate(steps(tree.first), 1):
        errors += [f"step {number}: {message}" for message in check_step(step, maps)]
    return errors


def steps(first):
    """The parts of a query that each read one kind of event."""
    if isinstance(first, (ast.Sequence, ast.Sample, ast.Join)):
        close = getattr(first, "close", None)
        return first.queries + ([close] if close is not None else [])
    return [first]


def check_step(step, maps):
    datasets = set(dataset_names(step))
    own = query_check.of_datasets(maps, datasets)
    if not datasets:
        yield "no dataset is named, so events of any source match"
    elif not own:
        yield f"no source has a dataset of {sorted(datasets)}"
    type_of = type_lookup(own or maps)
    for node in step:
        if isinstance(node, ast.Field):
            path = ".".join(map(str, [node.base, *node.path]))
            if type_of(path) is None:
                yield f"`{path}` is no field of {' or '.join(each.source for each in own)}"
        elif isinstance(node, ast.FunctionCall) and node.name == "cidrMatch":
            field = node.arguments[0]
            path = ".".join(map(str, [field.base, *field.path])) if isinstance(field, ast.Field) else str(field)
            if type_of(path) != "ip":
                yield f"`cidrMatch` on `{path}`, which is no address field"


def dataset_names(step):
    """Literals that a step compares its dataset with, by `==`, `:` or `in`."""
    for node in step:
        if isinstance(node, ast.Comparison) and node.comparator == "==":
            pair = (node.left, [node.right])
        elif isinstance(node, ast.InSet):
            pair = (node.expression, node.container)
        elif isinstance(node, ast.FunctionCall) and node.name == "wildcard":
            pair = (node.arguments[0], node.arguments[1:])
        else:
            continue
        if isinstance(pair[0], ast.Field) and str(pair[0]) in ("data_stream.dataset", "event.dataset"):
            yield from (literal.value for literal in pair[1] if isinstance(literal, ast.String))


def lints(text):
    """What the parser takes and Elasticsearch has not, read from the text without strings and comments."""
    bare = re.sub(r'"""[\s\S]*?"""|"(?:\\.|[^"\\])*"|`[^`]*`|//[^\n]*|/\*[\s\S]*?\*/', " ", text)
    for pipe in re.findall(r"\|\s*(\w+)", bare):
        if pipe not in PIPES:
            yield f"Elasticsearch has no pipe `{pipe}`"
    for word in re.findall(r"^\s*(join)\b|\b(fork)\b|\b((?:descendant|child|event)\s+of)\b", bare):
        yield f"Elasticsearch has no `{''.join(word)}`"
    for name in re.findall(r"\b([A-Za-z]\w*)~?\s*\(", bare):
        if name not in FUNCTIONS | NOT_FUNCTIONS:
            yield f"Elasticsearch has no function `{name}`"
    for runs in re.findall(r"\bwith\s+runs\s*=\s*(\d+)", bare):
        if int(runs) > MOST_RUNS:
            yield f"`with runs={runs}` is over {MOST_RUNS}"
    if re.search(r"\w\[\d+\]", bare):
        yield "Elasticsearch has no index into a list"


SELF_SCHEMA = {"type": "object", "properties": {
    "name": {"type": "string"}, "count": {"type": "integer"}, "mfa": {"type": "boolean"}, "address": {"type": "string", "format": "ip"},
    "user": {"type": "object", "properties": {"id": {"type": "string"}}},
    "args": {"type": "object", "additionalProperties": {"type": "string"}},
    "targets": {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "string"}}}}}}
SELF_MAPS = [
    field_maps.FieldMap(SELF_SCHEMA, {"source": "one", "location": {"dataset": ["a.one"]}, "fields": {
        "name": "event.action", "count": "one.count", "mfa": {"path": "one.mfa", "type": "string"}, "address": "source.ip",
        "user.id": "user.id", "args.*": {"path": "one.args", "access": "flattened"}, "targets": "one.targets"}}),
    field_maps.FieldMap(SELF_SCHEMA, {"source": "two", "location": {"dataset": "a.two"}, "fields": {
        "name": "event.action", "mfa": "two.mfa", "user.id": "two.`user-id`.text", "targets": {"path": "two.targets", "access": "indexed"}}})]
ONE, TWO = 'data_stream.dataset == "a.one"', 'data_stream.dataset == "a.two"'
GOOD = [
    f'any where {ONE} and event.action == "x" and one.mfa == "true"',
    f'// head\nsequence by user.id with maxspan=10m\n  [any where {ONE} and one.count > 3 and cidrMatch(source.ip, "10.0.0.0/8")] with runs=20',
    f'sequence with maxspan=30m [any where {ONE}] by user.id ![any where {TWO} and ?two.mfa == true] by two.`user-id`.text',
    f'sequence by ?event.action with maxspan=1h [any where {ONE} and `@timestamp` <= "now-45m"] [any where {TWO}] until [any where {ONE}]',
    f'any where {ONE} and event.action like~ ("a | count(x)", "b*") and one.targets.id != null and length(event.action) > 2 | head 5',
    f'any where {TWO} and two.targets.`0`.id regex~ """.*(a\\.b).*"""',
]
BAD = [
    (f"any where {ONE} and event.nothing == \"x\"", "not recognized"),
    (f"any where {ONE} and ?event.nothing == \"x\"", "not recognized"),
    (f"any where {ONE} and two.mfa == true", "is no field of one"),
    (f"any where {ONE} and ?one.args.deep == \"x\"", "not recognized"),
    (f"any where {ONE} and one.count == \"5\"", "compar"),
    (f"any where {ONE} and one.count : 5", "string not number"),
    (f"any where {TWO} and two.mfa == \"true\"", "compar"),
    (f"any where {ONE} and event.action == user.id", "field"),
    (f"any where {ONE} and cidrMatch(event.action, \"10.0.0.0/8\")", "no address field"),
    ("any where event.action == \"x\"", "no dataset"),
    (f"any where {ONE} and wildcard(event.action, \"x*\")", "no function"),
    (f"any where {ONE} | count", "no pipe"),
    (f"any where {ONE} and event.action == \"x", ""),
    (f"join by user.id [any where {ONE}] [any where {ONE}]", "no `join`"),
    (f"sequence by user.id with maxspan=1m [any where {ONE}] [any where {ONE}] fork=true", "no `fork`"),
    (f"any where {ONE} and descendant of [any where {ONE}]", "no `descendant of`"),
    (f"sequence by user.id [any where {ONE}] [any where {ONE}]", "maxspan"),
    (f"sequence by user.id with maxspan=1m [any where {ONE}] with runs=101", "over 100"),
]


def main(arguments):
    if arguments == ["--self-test"]:
        return query_check.self_test("eql", check, SELF_MAPS, GOOD, BAD) > 0
    return query_check.main("eql", check, arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
