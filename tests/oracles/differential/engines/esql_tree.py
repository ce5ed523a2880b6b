"""Turns a parsed ES|QL query (Elastic's own grammar) into functions over rows, checking names and types on the way.

A row maps columns to values (see `esql_functions`). Logic is three-valued; a comparison, an operator or a function of a
null, or of several values where it takes one, is null; `WHERE` keeps the rows that are true. Types follow the
documentation: only numbers mix, a string literal beside an address or a time is one, arms of `CASE`, `COALESCE` and
`GREATEST` have one type. A command, operator or function that this page does not name is an error.
"""

import re

from antlr4 import CommonTokenStream, InputStream
from antlr4.atn.PredictionMode import PredictionMode
from esql_parser.EsqlBaseLexer import EsqlBaseLexer
from esql_parser.EsqlBaseParser import EsqlBaseParser

import esql_check
import lucene
from documents import milliseconds
from esql_functions import (
    CONVERSIONS, DOUBLE, INTEGER, LONG, NUMBERS, SEVERAL, SINGLE, Unknown, address_text, aggregate, aggregate_type, from_values,
    greatest, in_range, values_of)

AGGREGATES = {"COUNT", "MAX", "MIN", "PERCENTILE", "SUM", "VALUES"}
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}
ORDER = {"==": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
         ">": lambda a, b: a > b, ">=": lambda a, b: a >= b}


def parse(text):
    """The tree of a query that has no syntax error."""
    errors = esql_check.Errors()
    lexer = EsqlBaseLexer(InputStream(text))
    parser = EsqlBaseParser(CommonTokenStream(lexer))
    # The faster of ANTLR's two ways; where it fails, the complete one decides.
    parser._interp.predictionMode = PredictionMode.SLL
    for each in (lexer, parser):
        each.removeErrorListeners()
        each.addErrorListener(errors)
    try:
        tree = parser.singleStatement()
    except Exception as error:  # the generated lexer lets what it raises through
        raise Unknown(f"the lexer stopped: {error}") from error
    if errors.found:
        found = esql_check.syntax_errors(text)
        if found:
            raise Unknown(found[0])
        raise Unknown("the query parses in ANTLR's complete mode only")
    return tree


def name_of(node):
    """A column as the index has it, without back-quotes."""
    return esql_check.plain(node.getText())


def literal_text(node):
    """The text behind a string literal."""
    text = node.getText()
    if text.startswith('"""'):
        return text[3:-3]

    def escape(found):
        if found[1] not in ESCAPES:
            raise Unknown(f"`\\{found[1]}` in a string")
        return ESCAPES[found[1]]
    return re.sub(r"\\(.)", escape, text[1:-1], flags=re.DOTALL)


class Node:
    """An expression: its type, its value in a row, and the text of a string literal."""

    def __init__(self, kind, value, literal=None):
        self.kind, self.value, self.literal = kind, value, literal


def constant(kind, value):
    return Node(kind, lambda row: value, value if kind == "keyword" else None)


def single(value):
    return None if isinstance(value, list) else value


def as_kind(node, kind):
    """A node where this type is wanted; a string literal turns into an address or a time."""
    if node.kind in (kind, "null"):
        return node
    if node.literal is not None and kind in ("ip", "date"):
        value = address_text(node.literal) if kind == "ip" else milliseconds(node.literal)
        if value is None:
            raise Unknown(f"`{node.literal}` is no {kind}")
        return constant(kind, value)
    return None


def alike(nodes, what):
    """Nodes that have to be of one type, and that type."""
    kinds = {node.kind for node in nodes if node.kind != "null"}
    if len(kinds) > 1:
        raise Unknown(f"{what} of {' and '.join(sorted(kinds))}")
    return kinds.pop() if kinds else "null"


class Expressions:
    """Compiles expressions over columns of known types."""

    def __init__(self, columns, clock):
        self.columns, self.clock = columns, clock

    def compile(self, node):
        name = type(node).__name__.removesuffix("Context")
        found = getattr(self, f"of_{name}", None)
        if found is None:
            raise Unknown(f"{name} `{node.getText()}`")
        return found(node)

    def boolean(self, node):
        found = self.compile(node)
        if found.kind not in ("boolean", "null"):
            raise Unknown(f"`{node.getText()}` is {found.kind}, not true or false")
        return found

    def only_child(self, node):
        return self.compile(node.getChild(0))

    of_BooleanDefault = of_ValueExpressionDefault = of_OperatorExpressionDefault = of_ConstantDefault = only_child

    def of_ParenthesizedExpression(self, node):
        return self.compile(node.booleanExpression())

    def of_Dereference(self, node):
        name = name_of(node)
        if name not in self.columns:
            raise Unknown(f"no column `{name}` where it is used")
        return Node(self.columns[name], lambda row: row.get(name))

    def of_NullLiteral(self, _node):
        return constant("null", None)

    def of_BooleanLiteral(self, node):
        return constant("boolean", node.getText().lower() == "true")

    def of_StringLiteral(self, node):
        return constant("keyword", literal_text(node))

    def of_IntegerLiteral(self, node):
        number = int(node.getText())
        return constant(INTEGER if -2**31 <= number < 2**31 else LONG, number)

    def of_DecimalLiteral(self, node):
        return constant(DOUBLE, float(node.getText()))

    def of_LogicalNot(self, node):
        inner = self.boolean(node.booleanExpression()).value

        def value(row):
            found = inner(row)
            return None if found is None else not found
        return Node("boolean", value)

    def of_LogicalBinary(self, node):
        left, right = (self.boolean(each).value for each in (node.left, node.right))
        settles = node.operator.text.upper() == "OR"

        def value(row):
            first = left(row)
            if first is settles:
                return settles
            second = right(row)
            return settles if second is settles else None if first is None or second is None else not settles
        return Node("boolean", value)

    def of_IsNull(self, node):
        inner, wanted = self.compile(node.valueExpression()).value, node.NOT() is None
        return Node("boolean", lambda row: (inner(row) is None) == wanted)

    def of_Comparison(self, node):
        left, right = self.compile(node.left), self.compile(node.right)
        operator = node.comparisonOperator().getText()
        left, right = self.comparable(left, right, node.getText())
        compare, first, second = ORDER[operator], left.value, right.value

        def value(row):
            one, other = single(first(row)), single(second(row))
            return None if one is None or other is None else compare(one, other)
        return Node("boolean", value)

    def comparable(self, left, right, text):
        if left.kind in NUMBERS and right.kind in NUMBERS or "null" in (left.kind, right.kind):
            return left, right
        first, second = as_kind(left, right.kind), as_kind(right, left.kind)
        if first is None and second is None:
            raise Unknown(f"comparison of {left.kind} with {right.kind} in `{text}`")
        return first or left, second or right

    def of_LogicalIn(self, node):
        first, *rest = [self.compile(each) for each in node.valueExpression()]
        items = [self.comparable(first, item, node.getText())[1].value for item in rest]
        subject, wanted = first.value, node.NOT() is None

        def value(row):
            found = single(subject(row))
            if found is None:
                return None
            others = [item(row) for item in items]
            return wanted if found in others else None if None in others else not wanted
        return Node("boolean", value)

    def of_RegexExpression(self, node):
        return self.compile(node.regexBooleanExpression())

    def of_LikeExpression(self, node):
        return self.pattern(node, lucene.wildcard(literal_text(node.string()), False, True))

    def of_RlikeExpression(self, node):
        return self.pattern(node, lucene.compiled(literal_text(node.string()), False))

    def pattern(self, node, pattern):
        subject, wanted = self.compile(node.valueExpression()), node.NOT() is None
        if subject.kind not in ("keyword", "null"):
            raise Unknown(f"a pattern on {subject.kind}")

        def value(row):
            found = single(subject.value(row))
            return None if found is None else (pattern.fullmatch(found) is not None) == wanted
        return Node("boolean", value)

    def of_ArithmeticUnary(self, node):
        inner = self.compile(node.operatorExpression())
        if inner.kind not in NUMBERS or node.operator.text != "-":
            raise Unknown(f"`{node.getText()}`")
        return Node(inner.kind, lambda row: None if single(inner.value(row)) is None else -inner.value(row))

    def of_ArithmeticBinary(self, node):
        left, right, operator = self.compile(node.left), self.compile(node.right), node.operator.text
        if left.kind not in (*NUMBERS, "null") or right.kind not in (*NUMBERS, "null"):
            raise Unknown(f"`{operator}` between {left.kind} and {right.kind} in `{node.getText()}`")
        kind = next((each for each in (DOUBLE, LONG, INTEGER) if each in (left.kind, right.kind)), "null")

        def value(row):
            one, other = single(left.value(row)), single(right.value(row))
            return None if one is None or other is None else in_range(calculated(operator, kind, one, other), kind)
        return Node(kind, value)

    def of_Function(self, node):
        return self.compile(node.functionExpression())

    def of_FunctionExpression(self, node):
        name = node.functionName().getText().upper()
        if name in AGGREGATES:
            raise Unknown(f"`{name}` outside `STATS`")
        if node.ASTERISK() or node.mapExpression():
            raise Unknown(f"`{node.getText()}`")
        return self.call(name, [self.compile(each) for each in node.booleanExpression()])

    def call(self, name, nodes):
        values = [node.value for node in nodes]
        if name == "NOW" and not nodes:
            return Node("date", lambda row: self.clock.now)
        if name == "CASE" and len(nodes) >= 2:
            return self.case(nodes)
        if name == "COALESCE" and nodes:
            kind = alike(nodes, "COALESCE")
            return Node(kind, lambda row: next((found for found in (value(row) for value in values) if found is not None), None))
        if name == "GREATEST" and nodes:
            kind = alike(nodes, "GREATEST")

            def largest(row):
                found = [single(value(row)) for value in values]
                return None if None in found else greatest(kind, found)
            return Node(kind, largest)
        if name in CONVERSIONS and len(nodes) == 1:
            kind, known = CONVERSIONS[name]
            if nodes[0].kind == "null":
                return constant(kind, None)
            if nodes[0].kind not in known:
                raise Unknown(f"`{name}` of {nodes[0].kind}")
            convert = known[nodes[0].kind]

            def converted(row):
                found = [convert(each) for each in values_of(values[0](row))]
                return from_values([each for each in found if each is not None])
            return Node(kind, converted)
        if name in SEVERAL:
            result, function = SEVERAL[name]
            return Node(result([node.kind for node in nodes]), lambda row: function(*(value(row) for value in values)))
        if name in SINGLE:
            kinds, result, function = SINGLE[name]
            wanted = [*kinds[:-1], *[kinds[-2]] * (len(nodes) - len(kinds) + 1)] if kinds[-1] == "*" else kinds
            if len(wanted) != len(nodes) or any(as_kind(node, kind) is None for node, kind in zip(nodes, wanted)):
                raise Unknown(f"`{name}` of {', '.join(node.kind for node in nodes)}")

            def applied(row):
                found = [single(value(row)) for value in values]
                return None if None in found else function(*found)
            return Node(result, applied)
        raise Unknown(f"function `{name}` of {len(nodes)}")

    def case(self, nodes):
        pairs = [(nodes[index], nodes[index + 1]) for index in range(0, len(nodes) - 1, 2)]
        rest = nodes[-1] if len(nodes) % 2 else constant("null", None)
        if any(condition.kind not in ("boolean", "null") for condition, _ in pairs):
            raise Unknown("a condition of `CASE` that is neither true nor false")
        kind = alike([*(result for _, result in pairs), rest], "CASE")

        def value(row):
            for condition, result in pairs:
                if condition.value(row) is True:
                    return result.value(row)
            return rest.value(row)
        return Node(kind, value)


def calculated(operator, kind, one, other):
    """Arithmetic; whole numbers divide towards zero, and nothing is divided by zero."""
    if operator == "+":
        return one + other
    if operator == "-":
        return one - other
    if operator == "*":
        return one * other
    if other == 0:
        return float("nan") if kind == DOUBLE else 2**63
    if kind == DOUBLE:
        return one / other if operator == "/" else one - other * int(one / other)
    quotient = abs(one) // abs(other) * (1 if (one < 0) == (other < 0) else -1)
    return quotient if operator == "/" else one - other * quotient


class Aggregates(Expressions):
    """Compiles the aggregates of one `STATS`, each over the rows of a group."""

    def of_FunctionExpression(self, node):
        name = node.functionName().getText().upper()
        if name not in AGGREGATES:
            return super().of_FunctionExpression(node)
        inner = Expressions(self.columns, self.clock)
        arguments = [inner.compile(each) for each in node.booleanExpression()]
        if name == "COUNT" and not arguments:
            return Node(LONG, len)
        if len(arguments) != (2 if name == "PERCENTILE" else 1):
            raise Unknown(f"`{node.getText()}`")
        subject, rank = arguments[0], arguments[1].value({}) if name == "PERCENTILE" else None
        kind = subject.kind

        def value(rows):
            return aggregate(name, kind, [each for row in rows for each in values_of(subject.value(row))], rank)
        return Node(aggregate_type(name, kind), value)

    def of_Dereference(self, node):
        raise Unknown(f"the column `{name_of(node)}` outside an aggregate")
