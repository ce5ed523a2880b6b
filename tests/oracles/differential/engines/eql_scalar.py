"""Conditions of EQL over one document, with Elasticsearch's rules of case, null and lists.

PyPI `eql` parses; it forgets `~` and `?` on the way, so its walker is asked for them. A condition on a list is true when any
of its values makes it so, and on nothing when it is missing. Whether `not` of a test of a missing value is true differs
between the ways in which Elasticsearch runs a test: both readings are computed, and a filter on which they part is an
error of whoever wrote it. Tests of single values are held against py-eql's own evaluator as well, as far as the two agree
in their rules: without case, in ASCII.
"""

import ipaddress
import itertools

import eql
from eql import ast
from eql import parser as eql_parser
from eql.engine import PythonEngine, Scope
from eql.events import Event
from eql.parser import ParserConfig, elasticsearch_validate_optional_fields, skip_optimizations

import eql_check
import lucene

FLAGS = ParserConfig(allow_negation=True, allow_runs=True, allow_sample=True)
ORDER = {"==": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
         ">": lambda a, b: a > b, ">=": lambda a, b: a >= b}


class Unknown(Exception):
    """The query holds something that this engine does not execute."""


class NullMatters(Exception):
    """A filter's answer depends on what `not` makes of a missing value."""


class EnginesDiffer(Exception):
    """py-eql's evaluator answers a test of a single value in another way."""


class Walker(eql_parser.LarkToEQL):
    """Py-eql's walker, which also notes what it reads past: `~` on a node, `?` on a field."""

    def string_predicate(self, node):
        info = super().string_predicate(node)
        word = str(node["STRING_PREDICATE"])
        info.node.folded = word == ":" or word.endswith("~")
        info.node.word = word.rstrip("~")
        return info

    def in_set(self, node):
        info = super().in_set(node)
        info.node.folded = str(node.get("IN") or "").endswith("~")
        return info

    def function_call(self, node, prev_node=None, prev_arg=None):
        info = super().function_call(node, prev_node, prev_arg)
        name_node = node["method_name"] if node.data == "method" else node.children[0]
        text = self.method_name(name_node) if node.data == "method" else self.name(name_node)
        info.node.folded = text.endswith("~")
        return info

    def field(self, node):
        info = super().field(node)
        info.node.optional = self._field_path(node, allow_optional=True)[0]
        return info


def parse(text, maps):
    """The tree of a query; `maps` are the field maps whose fields it may name."""
    outer, eql_parser.LarkToEQL = eql_parser.LarkToEQL, Walker
    schema = eql_check.FlatSchema(eql_check.type_lookup(maps))
    try:
        with schema, elasticsearch_validate_optional_fields, FLAGS, skip_optimizations:
            return eql.parse_query(text)
    finally:
        eql_parser.LarkToEQL = outer


def path_of(field):
    return ".".join(map(str, [field.base, *field.path]))


class Conditions:
    """Evaluates conditions; `type_of` gives the type of a dotted path."""

    def __init__(self, type_of):
        self.type_of = type_of
        self.memory = {}
        self.patterns = {}
        self.compared = 0
        self.py_eql = PythonEngine({"time_unit": 1})
        self.converted = {}

    def holds(self, node, document):
        """Whether the document passes the filter."""
        strict = self.value(node, document, None) is True
        loose = self.value(node, document, False) is True
        if strict != loose:
            raise NullMatters(f"`{node}` is {strict} or {loose} of {document}")
        return strict

    def value(self, node, document, missing):
        """True, false or null; a test of a missing value is `missing`."""
        if isinstance(node, ast.Boolean):
            return node.value
        if isinstance(node, ast.And):
            return conjunction([self.value(term, document, missing) for term in node.terms])
        if isinstance(node, ast.Or):
            return disjunction([self.value(term, document, missing) for term in node.terms])
        if isinstance(node, ast.Not):
            inner = self.value(node.term, document, missing)
            return None if inner is None else not inner
        if isinstance(node, (ast.IsNull, ast.IsNotNull)):
            if not isinstance(node.expr, ast.Field):
                raise Unknown(f"null test of `{node.expr}`")
            return (path_of(node.expr) in document) == isinstance(node, ast.IsNotNull)
        subject, test = self.leaf(node)
        values = document.get(path_of(subject))
        if values is None:
            return missing
        # `!=` asks every value, every other test any.
        results = [self.single(node, subject, test, value) for value in values]
        return all(results) if isinstance(node, ast.Comparison) and node.comparator == "!=" else any(results)

    def leaf(self, node):
        """The field that a test looks at, and the test of one of its values."""
        known = self.patterns.get(id(node))
        if known is None:
            known = self.patterns[id(node)] = (*self.build(node), node)
        return known[:2]

    def build(self, node):
        if isinstance(node, ast.Comparison):
            left, right = node.left, constant(node.right)
            if isinstance(left, ast.FunctionCall) and left.name == "length":
                compare = ORDER[node.comparator]
                # Java counts UTF-16 units.
                return field(left.arguments[0]), lambda value: compare(len(str(value).encode("utf-16-le")) // 2, right)
            compare, subject = ORDER[node.comparator], field(left)
            if self.type_of(path_of(subject)) == "ip":
                wanted = address(right)
                return subject, lambda value: compare(address(value), wanted)
            if self.type_of(path_of(subject)) == "time" and isinstance(right, str):
                import documents
                instant = documents.milliseconds(right)
                if instant is None:
                    raise Unknown(f"date math `{right}`")
                return subject, lambda value: compare(value, instant)
            return subject, lambda value: same_kind(value, right) and compare(value, right)
        if isinstance(node, ast.InSet):
            subject, items = field(node.expression), [constant(item) for item in node.container]
            if self.type_of(path_of(subject)) == "ip":
                items = [address(item) for item in items]
                return subject, lambda value: address(value) in items
            if node.folded:
                items = [lucene.fold(item) for item in items]
                return subject, lambda value: lucene.fold(value) in items
            return subject, lambda value: any(same_kind(value, item) and value == item for item in items)
        if isinstance(node, ast.FunctionCall):
            return self.call(node)
        raise Unknown(f"{type(node).__name__} `{node}`")

    def call(self, node):
        subject, arguments = field(node.arguments[0]), [constant(each) for each in node.arguments[1:]]
        folded = getattr(node, "folded", False)
        change = lucene.fold if folded else str
        if node.name == "wildcard":
            # `:` and `like` know no escape.
            patterns = [lucene.wildcard(each, folded, False) for each in arguments]
            return subject, lambda value: any(pattern.fullmatch(value) for pattern in patterns)
        if node.name == "match":
            patterns = [lucene.compiled(each, folded) for each in arguments]
            return subject, lambda value: any(pattern.fullmatch(value) for pattern in patterns)
        if node.name == "stringContains":
            return subject, lambda value: change(arguments[0]) in change(value)
        if node.name == "startsWith":
            return subject, lambda value: any(change(value).startswith(change(each)) for each in arguments)
        if node.name == "endsWith":
            return subject, lambda value: any(change(value).endswith(change(each)) for each in arguments)
        if node.name == "cidrMatch":
            networks = [ipaddress.ip_network(each, strict=False) for each in arguments]
            return subject, lambda value: any(address(value).version == each.version and address(value) in each for each in networks)
        raise Unknown(f"function `{node.name}`")

    def single(self, node, subject, test, value):
        """The test of one value, held against py-eql's where both have the same rules."""
        key = (id(node), type(value), value)
        if key not in self.memory:
            result = self.memory[key] = bool(test(value))
            self.compare(node, subject, value, result)
        return self.memory[key]

    def compare(self, node, subject, value, result):
        texts = [each.value for each in node if isinstance(each, ast.String)]
        if not all(text.isascii() for text in [*texts, *([value] if isinstance(value, str) else [])]):
            return
        is_pattern = isinstance(node, ast.FunctionCall) and node.name == "match"
        if is_pattern or self.type_of(path_of(subject)) in ("ip", "time") and not isinstance(node, ast.FunctionCall):
            # Its patterns are Python's; its addresses are texts.
            return
        if isinstance(node, ast.FunctionCall) and node.name == "wildcard" and ("\n" in value or any("?" in text for text in texts)):
            # Its wildcards stop at a newline, and `?` is none.
            return
        is_cased = not getattr(node, "folded", False)
        if is_cased and any(lucene.fold(each) != each for each in [*texts, value] if isinstance(each, str)):
            return
        if id(node) not in self.converted:
            self.converted[id(node)] = self.py_eql.convert(node)
        nested = value
        for name in reversed([subject.base, *subject.path]):
            nested = {name: nested}
        self.compared += 1
        theirs = bool(self.converted[id(node)](Scope([Event("any", 0, nested)], {})))
        if theirs != result:
            raise EnginesDiffer(f"py-eql says {theirs} of `{node}` for {value!r}, this engine {result}")


def field(node):
    if not isinstance(node, ast.Field):
        raise Unknown(f"`{node}` where a field belongs")
    return node


def constant(node):
    if isinstance(node, (ast.String, ast.Number, ast.Boolean)):
        return node.value
    if isinstance(node, ast.MathOperation) and node.operator == "-" and node.left.value == 0:
        return -node.right.value
    raise Unknown(f"`{node}` where a constant belongs")


def address(text):
    found = ipaddress.ip_address(text)
    # An index keeps both forms as the same sixteen bytes.
    return found.ipv4_mapped or found if found.version == 6 else found


def same_kind(one, other):
    return isinstance(one, bool) == isinstance(other, bool) and isinstance(one, str) == isinstance(other, str)


def conjunction(values):
    return False if False in values else None if None in values else True


def disjunction(values):
    return True if True in values else None if None in values else False


def keys_of(join_values, document):
    """The keys of a document in a term: one tuple for each choice out of its lists; none where one is missing."""
    choices = []
    for node in join_values:
        path = path_of(field(node))
        values = document.get(path)
        if values is None and not node.optional:
            return []
        choices.append(list(dict.fromkeys(values)) if values is not None else [None])
    return list(itertools.product(*choices))
