"""Random conditions on the events of a source, with every operator of the language.

It writes text only; what is no valid condition is refused by the compiler and not used.
"""

import re


def literal(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def glob_of(rng, word):
    """A glob that covers the word, or nearly does."""
    escaped = re.sub(r"([*?\\])", r"\\\1", word)
    shapes = [f"{escaped[:1]}*", f"*{escaped[-1:]}", f"*{escaped}*", escaped, "?" * len(word), f"{escaped}?", escaped.replace("-", "*")]
    return rng.choice([shape for shape in shapes if not re.search(r"(?<!\\)(?:\\\\)*\\$", shape)])


def pattern_of(rng, word):
    """A regular expression of the portable subset that often matches the word."""
    escaped = re.sub(r"([^A-Za-z0-9äÄ])", r"\\\1", word)
    return rng.choice([f"^{escaped}$", escaped, f"^{escaped[:1]}[^-]+$" if word[:1].isalnum() else escaped, r"^v\d", r"[a-c_]{2,}", f"({escaped}|v2)$", r"\w+-?x?$", "^.$"])


class Conditions:
    """Draws conditions over one source."""

    def __init__(self, rng, vocabulary):
        self.rng, self.words = rng, vocabulary

    def condition(self, depth):
        """A condition of some depth, as text."""
        rng = self.rng
        if depth == 0 or rng.random() < 0.4:
            atom = self.atom()
            return f"not ({atom})" if rng.random() < 0.25 else atom
        left, right = self.condition(depth - 1), self.condition(depth - 1)
        form = rng.choice(["({}) and ({})", "({}) or ({})", "not (({}) and ({}))", "({}) and not ({})"])
        return form.format(left, right)

    def atom(self):
        rng, words = self.rng, self.words
        drawn = rng.choice(["text", "text", "text", "text", "address", "number", "flag", "list", "exists", "value", "time", "two"])
        if drawn == "text":
            path, pool = rng.choice(list(words.texts.items()))
            return self.text_test(path, pool)
        if drawn == "address":
            return self.address_test(rng.choice(list(words.addresses)))
        if drawn == "number":
            path = rng.choice(list(words.numbers))
            return rng.choice([f"{path} {rng.choice(['==', '!=', '<', '<=', '>', '>='])} {rng.choice([5, 6, 0, -5, 9])}", f"{path} in [5, 10]", f"{path} not in [5]"])
        if drawn == "flag" and words.flags:
            path = rng.choice(list(words.flags))
            return rng.choice([path, f"not {path}", f"{path} == true", f"{path} == false", f"{path} != true"])
        if drawn == "exists":
            path = rng.choice(list(words.fields()) + list(words.objects) + list(words.lists))
            return rng.choice(["exists({})", "not exists({})"]).format(path)
        if drawn == "list":
            return self.list_test()
        if drawn == "time":
            return self.time_test()
        if drawn == "two":
            return self.two_fields()
        return self.value_test()

    def text_test(self, path, pool):
        rng = self.rng
        word = rng.choice(pool)
        if path in ("errorCode", "outcome.result", "awsRegion"):
            return rng.choice([f"{path} == {literal(word)}", f"{path} != {literal(word)}", f"{path} in [{literal(word)}]", f"{path} starts_with {literal(word[:4])}"])
        cased = rng.choice(["", "", "", "cased "])
        inside = word[: rng.randint(1, len(word))]
        return rng.choice([
            f"{path} == {cased}{literal(word)}", f"{path} != {cased}{literal(word)}",
            f"{path} in {cased}[{literal(word)}, {literal(rng.choice(pool))}]", f"{path} not in [{literal(word)}]",
            f"{path} contains {cased}{literal(inside)}", f"{path} not contains {literal(inside)}",
            f"{path} starts_with {cased}{literal(inside)}", f"{path} ends_with {cased}{literal(word[-len(inside):])}",
            f"{path} contains [{literal(inside)}, \"zz\"]",
            f"{path} like {cased}{literal(glob_of(rng, word))}", f"{path} not like {literal(glob_of(rng, word))}",
            f"{path} matches {cased}{literal(pattern_of(rng, word))}", f"{path} not matches {literal(pattern_of(rng, word))}",
        ])

    def address_test(self, path):
        blocks = self.rng.sample(["198.51.100.0/26", "198.51.100.7", "203.0.113.0/24", "2001:db8::/32", "10.0.0.0/8", "ec2.example.com", "198.51.100.64/27"], 2)
        listed = ", ".join(literal(block) for block in blocks)
        network = next((block for block in blocks if "/" in block), "10.0.0.0/8")
        return self.rng.choice([
            f"{path} in [{listed}]", f"{path} not in [{listed}]", f"{path} == \"198.51.100.7\"", f"in_network({path}, {literal(network)})",
            f"not in_network({path}, {literal(network)})", f"is_private({path})", f"is_public({path})", f"{path} like \"198.51.*\"",
            f"{path} == \"2001:db8::1\"",
        ])

    def list_test(self):
        rng, words = self.rng, self.words
        quantifier = rng.choice(["any", "any", "all", "none"])
        if words.lists and rng.random() < 0.4:
            path, pool = rng.choice(list(words.lists.items()))
            return f"{quantifier}({path} as x where {self.text_test('x', pool)})"
        path, members = rng.choice(list(words.objects.items()))
        first, second = rng.sample(list(members), 2)
        one = f"x.{first} == {literal(rng.choice(members[first]))}"
        other = f"x.{second} == {literal(rng.choice(members[second]))}"
        return rng.choice([
            f"{quantifier}({path} as x where {one})", f"{quantifier}({path} as x where {one} and {other})", f"any({path} as x where {one} or not exists(x.{second}))",
            f"length({path}) {rng.choice(['>=', '==', '<'])} {rng.randint(0, 2)}",
            f"first({path} as x where {other}).{first} == {literal(rng.choice(members[first]))}",
            f"first({path} as x).{first} != {literal(rng.choice(members[first]))}",
        ])

    def time_test(self):
        rng = self.rng
        tests = ["hour(time) >= 6", "hour(time) < 6", "weekday(time) == 7", "weekday(time) < 6", "outside_hours(time, \"Mon-Fri 08:00-18:00\")",
                 "outside_hours(time, \"Mon-Sun 06:00-06:05\")", "outside_hours(time, \"Sun 22:00-06:04\", \"+01:00\")"]
        tests += [f"{path} {order} {self.words.time}" for path in self.words.instants for order in ("<", ">=", "==", "!=")]
        return rng.choice(tests)

    def two_fields(self):
        rng, words = self.rng, self.words
        left, right = rng.sample([path for path in words.texts if path not in ("errorCode", "outcome.result", "awsRegion")] + [words.key], 2)
        return f"{left} {rng.choice(['==', '!=', '== cased', 'contains', 'starts_with'])} {right}"

    def value_test(self):
        rng, words = self.rng, self.words
        path = rng.choice([path for path in words.texts if path not in ("errorCode", "outcome.result", "awsRegion")])
        word = rng.choice(words.texts[path])
        return rng.choice([
            f"lower({path}) == cased {literal(word.lower())}", f"upper({path}) == cased {literal(word.upper())}",
            f"length({path}) {rng.choice(['==', '<', '>='])} {len(word)}", f"int({path}) {rng.choice(['==', '<', '>='])} 5", f"float({path}) > 4.5",
            f"coalesce({path}, {words.key}) == {literal(word)}", f"concat({path}, \"/\", {words.key}) == {literal(word + '/k1')}",
            f"split({path}, \"-\", {rng.choice([0, 1])}) == {literal(rng.choice(['v1', 'x', word]))}",
            f"replace({path}, \"v\", \"w\") == cased {literal(word.replace('v', 'w'))}", f"extract({path}, \"^([a-z]+)[0-9]\") == \"v\"",
        ])
