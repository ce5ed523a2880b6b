"""The grammar of the emitted SPL: comments, pipeline, base search, expressions, commands.

Text in, tuples out. A construct that is not here is an error, and so is a text that a reader could take in two ways.
"""

import re

from protocol import EngineError

EVAL_TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\]|\\.)*")|(?P<field>'[^']*')|(?P<number>\d+\.\d+|\d+)(?![\w.])|(?P<word>[A-Za-z_]\w*)|(?P<sign>!=|<=|>=|[=<>+\-*/%.,()]))""",
    re.DOTALL,
)
SEARCH_TOKEN = re.compile(
    r"""\s*(?:(?P<string>"(?:[^"\\]|\\.)*")|(?P<number>-?\d+(?:\.\d+)?)(?![\w.{}:-])|(?P<word>[A-Za-z_][\w.{}:-]*)|(?P<sign><=|>=|!=|[=<>(),*]))""",
    re.DOTALL,
)
ORDERS = ("=", "!=", "<", "<=", ">", ">=")
#: function -> fewest and most arguments
FUNCTIONS = {
    "asin": (1, 1), "case": (2, 999), "cidrmatch": (2, 2), "coalesce": (1, 99), "cos": (1, 1), "exact": (1, 1), "floor": (1, 1), "if": (3, 3), "in": (2, 9999),
    "isnotnull": (1, 1), "isnull": (1, 1), "json_object": (0, 999), "len": (1, 1), "like": (2, 2), "lower": (1, 1), "ltrim": (2, 2), "match": (2, 2),
    "md5": (1, 1), "min": (1, 99), "mvappend": (1, 99), "mvcount": (1, 1), "mvdedup": (1, 1), "mvindex": (2, 2), "mvmap": (2, 2), "null": (0, 0),
    "pi": (0, 0), "pow": (2, 2), "replace": (3, 3), "rtrim": (2, 2), "sin": (1, 1), "spath": (2, 2), "split": (2, 2), "sqrt": (1, 1), "substr": (2, 3),
    "tonumber": (1, 1), "true": (0, 0), "upper": (1, 1),
}
CONDITIONS = {"cidrmatch", "in", "isnotnull", "isnull", "like", "match", "true"}
AGGREGATES = {"count", "dc", "sum", "min", "max", "first", "last"}


def unescaped(quoted):
    """The text of a literal in double quotes."""
    return re.sub(r'\\(["\\])', r"\1", quoted[1:-1])


def tokens(pattern, text):
    found, position, end = [], 0, len(text.rstrip())
    while position < end:
        token = pattern.match(text, position)
        if token is None:
            raise EngineError(f"unreadable text: {text[position:position + 40]!r}")
        found.append((token.lastgroup, token[token.lastgroup]))
        position = token.end()
    return found


class Parser:
    """A position in a list of tokens."""

    def __init__(self, found):
        self.tokens, self.position = found, 0

    def peek(self, ahead=0):
        position = self.position + ahead
        return self.tokens[position] if position < len(self.tokens) else (None, None)

    def take(self):
        token = self.peek()
        self.position += 1
        return token

    def eat(self, text, *kinds):
        kind, found = self.peek()
        if found == text and kind in (kinds or ("sign", "word")):
            self.position += 1
            return True
        return False

    def need(self, text):
        if not self.eat(text):
            raise EngineError(f"`{text}` is missing before {self.tokens[self.position:self.position + 4]}")

    def end(self):
        if self.position < len(self.tokens):
            raise EngineError(f"text is left over: {self.tokens[self.position:self.position + 4]}")


class EvalParser(Parser):
    """Expressions of `where` and `eval`: NOT, then AND, then OR; a bare word is a field, never a text."""

    def expression(self):
        parts = [self.conjunction()]
        while self.eat("OR", "word"):
            parts.append(self.conjunction())
        return parts[0] if len(parts) == 1 else ("or", parts)

    def conjunction(self):
        parts = [self.negation()]
        while self.eat("AND", "word"):
            parts.append(self.negation())
        return parts[0] if len(parts) == 1 else ("and", parts)

    def negation(self):
        if not self.eat("NOT", "word"):
            return self.comparison()
        kind, found = self.peek()
        # `NOT a=b` reads differently to different readers, so only `NOT (..)` and `NOT function(..)` are taken.
        if found != "(" and not (kind == "word" and self.peek(1) == ("sign", "(")):
            raise EngineError("NOT before a bare comparison")
        inner = self.atom()
        if self.peek()[1] in ORDERS:
            raise EngineError("NOT before a bare comparison")
        return ("not", inner)

    def comparison(self):
        left = self.sum()
        if self.peek()[0] == "sign" and self.peek()[1] in ORDERS:
            order = self.take()[1]
            right = self.sum()
            if self.peek()[1] in ORDERS:
                raise EngineError("two comparisons in a row")
            return ("compare", order, left, right)
        return left

    def sum(self):
        left, seen = self.product(), set()
        while self.peek()[0] == "sign" and self.peek()[1] in "+-.":
            sign = self.take()[1]
            seen.add(sign == ".")
            if len(seen) > 1:
                raise EngineError("concatenation beside arithmetic without parentheses")
            left = ("join", left, self.product()) if sign == "." else ("arithmetic", sign, left, self.product())
        return left

    def product(self):
        left = self.atom()
        while self.peek()[0] == "sign" and self.peek()[1] in "*/%":
            sign = self.take()[1]
            left = ("arithmetic", sign, left, self.atom())
        return left

    def atom(self):
        kind, found = self.take()
        if (kind, found) == ("sign", "("):
            inner = self.expression()
            self.need(")")
            return inner
        if kind == "string":
            return ("text", unescaped(found), found[1:-1])
        if kind == "field":
            return ("field", found[1:-1])
        if kind == "number":
            return ("number", float(found) if "." in found else int(found))
        if kind == "word" and found not in ("AND", "OR", "NOT", "XOR"):
            return self.call(found) if self.eat("(") else ("field", found)
        raise EngineError(f"unexpected {found!r}")

    def call(self, name):
        if name not in FUNCTIONS:
            raise EngineError(f"unknown function {name}")
        arguments = []
        if not self.eat(")"):
            arguments.append(self.expression())
            while self.eat(","):
                arguments.append(self.expression())
            self.need(")")
        fewest, most = FUNCTIONS[name]
        if not fewest <= len(arguments) <= most:
            raise EngineError(f"{name} with {len(arguments)} arguments")
        return ("call", name, arguments)


def expression(text):
    parser = EvalParser(tokens(EVAL_TOKEN, text))
    found = parser.expression()
    parser.end()
    return found


class SearchParser(Parser):
    """The base search, where OR binds closer than a blank."""

    def all(self):
        parts = [self.any()]
        while self.peek()[0] is not None and self.peek()[1] != ")":
            self.eat("AND", "word")
            parts.append(self.any())
        return parts[0] if len(parts) == 1 else ("all", parts)

    def any(self):
        parts = [self.term()]
        while self.eat("OR", "word"):
            parts.append(self.term())
        return parts[0] if len(parts) == 1 else ("any", parts)

    def term(self):
        kind, found = self.take()
        if (kind, found) == ("sign", "("):
            inner = self.all()
            self.need(")")
            return inner
        if (kind, found) == ("word", "NOT"):
            return ("no", self.term())
        if kind not in ("word", "string") or found in ("AND", "OR", "IN"):
            raise EngineError(f"unexpected {found!r} in the base search")
        field = unescaped(found) if kind == "string" else found
        if self.eat("IN", "word"):
            self.need("(")
            listed = [self.value()]
            while self.eat(","):
                listed.append(self.value())
            self.need(")")
            return ("one of", field, [wildcard(value) for value in listed])
        order = self.take()[1]
        if order == "=":
            return ("present", field) if self.eat("*") else ("one of", field, [wildcard(self.value())])
        if order in ("<", "<=", ">", ">="):
            return ("order", field, order, float(self.value()))
        raise EngineError(f"`{order}` behind {field} in the base search")

    def value(self):
        kind, found = self.take()
        if kind == "string":
            return unescaped(found)
        if kind in ("word", "number"):
            return found
        raise EngineError(f"unexpected {found!r} as a value of the base search")


def wildcard(value):
    return re.compile(".*".join(re.escape(part) for part in value.split("*")), re.IGNORECASE | re.DOTALL)


def divided(text, separator):
    """Parts of a text at a separator that stands in no quotes and no parentheses."""
    parts, start, depth, position = [], 0, 0, 0
    while position < len(text):
        letter = text[position]
        if letter in "\"'":
            position = closing_quote(text, position)
        elif letter in "(":
            depth += 1
        elif letter in ")":
            depth -= 1
        elif letter == separator and depth == 0:
            parts.append(text[start:position])
            start = position + 1
        position += 1
    return [*parts, text[start:]]


def closing_quote(text, start):
    quote, position = text[start], start + 1
    while position < len(text):
        if text[position] == "\\" and quote == '"':
            position += 1
        elif text[position] == quote:
            return position
        position += 1
    raise EngineError(f"a quote is not closed: {text[start:start + 40]!r}")


def column(text):
    """A name outside of expressions: a word, or anything in double quotes."""
    text = text.strip()
    if re.fullmatch(r'"(?:[^"\\]|\\.)*"', text):
        return unescaped(text)
    if not re.fullmatch(r"\w+", text, re.ASCII):
        raise EngineError(f"no column: {text!r}")
    return text


def columns(text):
    return [column(part) for part in divided(text, ",")]


def aggregates(text):
    """Aggregates and the groups behind BY."""
    body, _, by = text.partition(" BY ") if '"' not in text else by_outside_quotes(text)
    found = []
    for part in divided(body, ","):
        match = re.fullmatch(r"\s*(\w+)(?:\((.*)\))? AS (\w+|\"[^\"]*\")\s*", part, re.DOTALL)
        if match is None or match[1] not in AGGREGATES or (match[2] is None and match[1] != "count"):
            raise EngineError(f"unknown aggregate {part!r}")
        inner = match[2]
        if inner is not None:
            inner = expression(inner[5:-1]) if inner.startswith("eval(") else ("field", column(inner))
        found.append((match[1], inner, column(match[3])))
    return found, columns(by) if by else []


def by_outside_quotes(text):
    position = 0
    while position < len(text):
        if text[position] == '"':
            position = closing_quote(text, position)
        elif text.startswith(" BY ", position):
            return text[:position], " BY ", text[position + 4:]
        position += 1
    return text, "", ""


def stream_options(text):
    """Options of `streamstats` and the rest; their defaults are those of the documentation."""
    options = {"window": 0, "current": True, "global": True}
    while True:
        option = re.match(r"(\w+)=(\w+) ", text)
        if option is None:
            return options, text
        name, value = option[1], option[2]
        if name == "window" and value.isdigit():
            options[name] = int(value)
        elif name in ("current", "global") and value in ("t", "f", "true", "false"):
            options[name] = value.startswith("t")
        else:
            raise EngineError(f"unknown option {option[0]!r}")
        text = text[option.end():]


def sort_keys(text):
    limited = re.match(r"(\d+) ", text)
    # Without a number, `sort` keeps 10,000 rows and drops the rest in silence.
    limit = int(limited[1]) if limited else 10_000
    found = []
    for part in divided(text[limited.end():] if limited else text, ","):
        match = re.fullmatch(r"\s*(-?)(?:(\w+)|str\((\w+)\))\s*", part)
        if match is None:
            raise EngineError(f"unknown sort key {part!r}")
        found.append((match[2] or match[3], bool(match[1]), bool(match[3])))
    return limit, found


def assignments(text):
    found = []
    for part in divided(text, ","):
        name, sign, value = part.partition("=")
        if not sign:
            raise EngineError(f"no assignment: {part!r}")
        found.append((column(name), expression(value)))
    return found


def renames(text):
    found = []
    for part in divided(text, ","):
        before, word, after = part.partition(" AS ")
        if not word:
            raise EngineError(f"no renaming: {part!r}")
        found.append((column(before), column(after)))
    return found


def command(text):
    """One command behind a pipe."""
    name, _, rest = text.strip().partition(" ")
    if name == "where":
        return (name, expression(rest))
    if name == "eval":
        return (name, assignments(rest))
    if name in ("stats", "eventstats"):
        return (name, *aggregates(rest))
    if name == "streamstats":
        options, rest = stream_options(rest)
        return (name, options, *aggregates(rest))
    if name == "sort":
        return (name, *sort_keys(rest))
    if name in ("dedup", "fields", "table"):
        return (name, columns(rest))
    if name == "mvexpand":
        return (name, column(rest))
    if name == "rename":
        return (name, renames(rest))
    if name == "addinfo" and not rest:
        return (name,)
    if name == "iplocation":
        match = re.fullmatch(r"prefix=(\w+) lang=code (\w+)", rest)
        if match:
            return (name, match[1], match[2])
    if name == "lookup":
        match = re.fullmatch(r"(\w+) ip AS (\w+) OUTPUT (\w+) AS (\w+)", rest)
        if match:
            return (name, *match.groups())
    raise EngineError(f"unknown command {text.strip()[:60]!r}")


def query(text):
    """The base search and the commands of a query."""
    # Three back-quotes open and close a comment; a literal holds none, which the splitting below relies on.
    bare = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    if "`" in bare:
        raise EngineError("a macro, whose text is unknown")
    base, *commands = divided(bare, "|")
    parser = SearchParser(tokens(SEARCH_TOKEN, base))
    search = parser.all()
    parser.end()
    return search, [command(part) for part in commands]
