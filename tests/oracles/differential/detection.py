"""A detection as parts that can be left out one by one, and its text.

It knows the outline of the language, not what anything means.
"""

import copy
import json
import re
from dataclasses import dataclass, field


def quoted(text):
    """A text as a YAML scalar in double quotes."""
    return json.dumps(text, ensure_ascii=False)


@dataclass
class Signal:
    """A stream of events of a source, or of the hits of another behaviour."""

    source: str | None = None
    where: list = field(default_factory=list)
    let: dict = field(default_factory=dict)
    behavior: str | None = None
    #: sources to which a class is narrowed
    sources: list = field(default_factory=list)

    def lines(self):
        yield f"source: {self.source}" if self.source else f"behavior: {quoted(self.behavior)}"
        if self.sources:
            yield f"sources: [{', '.join(self.sources)}]"
        if self.where:
            yield "where: " + quoted(" and ".join(f"({part})" for part in self.where))
        if self.let:
            yield "let: { " + ", ".join(f"{name}: {quoted(value)}" for name, value in self.let.items()) + " }"


@dataclass
class Detection:
    """What is compiled. `rows` are the rows of `detc matrix` that the detection belongs to."""

    name: str
    signals: dict
    body: str = ""
    by: list = field(default_factory=list)
    clauses: list = field(default_factory=list)
    relations: list = field(default_factory=list)
    exceptions: list = field(default_factory=list)
    alert: list = field(default_factory=list)
    rows: list = field(default_factory=list)
    #: the behaviour's family in the summary
    family: str = ""
    #: written instead of what the parts say: a detection that was read from a file
    file_text: str | None = None

    def behavior(self):
        text = self.body
        if self.by:
            text += " by " + ", ".join(self.by)
        for clause in self.clauses:
            text += f" {clause}"
        if self.relations:
            text += " where " + " and ".join(self.relations)
        return text

    def title(self):
        """The title of a detection that was read from a file."""
        found = re.search(r"^title: (.*)$", self.text(), re.MULTILINE)
        return found[1].strip('"')

    def text(self):
        if self.file_text is not None:
            return self.file_text
        lines = [
            f"detection: {self.name}",
            f"id: 00000000-0000-4000-8000-{sum(ord(c) * 131 ** i for i, c in enumerate(self.name)) % 16**12:012x}",
            "title: Drawn at random",
            "status: test",
            "severity: low",
            "description: A detection of the differential tests.",
            "signals:",
        ]
        for name, signal in self.signals.items():
            lines.append(f"  {name}:")
            lines += [f"    {line}" for line in signal.lines()]
        if self.body:
            lines.append(f"behavior: {quoted(self.behavior())}")
        if self.exceptions:
            lines.append("exceptions:")
            for when, signals in self.exceptions:
                named = f", signals: [{', '.join(signals)}]" if signals else ""
                lines.append(f"  - {{ when: {quoted(when)}, owner: somebody, reason: approved{named} }}")
        if self.alert:
            lines.append("alert: { " + ", ".join(self.alert) + " }")
        return "\n".join(lines) + "\n"

    def smaller(self):
        """Detections with one part less; not all of them are valid."""
        if self.file_text is not None:
            return
        for part in ("alert", "exceptions", "relations", "clauses", "by"):
            for index in range(len(getattr(self, part))):
                less = copy.deepcopy(self)
                del getattr(less, part)[index]
                yield less
        for name, signal in self.signals.items():
            for index in range(len(signal.where)):
                less = copy.deepcopy(self)
                del less.signals[name].where[index]
                yield less
            for column in signal.let:
                less = copy.deepcopy(self)
                del less.signals[name].let[column]
                yield less
            if len(self.signals) > 1:
                less = copy.deepcopy(self)
                del less.signals[name]
                yield less
