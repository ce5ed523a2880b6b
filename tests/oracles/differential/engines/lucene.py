"""Lucene's regular expressions as Python's, for what detections are made of.

An expression has to match the whole value; `.` takes a newline; folding reaches literal ASCII letters and no class. An
operator that we never write is an error, so that nothing is read in a way that Lucene does not.
"""

import re

OPERATORS = '.?+*|{}[]()"\\#@&<>~'
CLASSES = {"d": "0-9", "w": "A-Za-z0-9_", "s": " \\t\\n\\r"}


class UnknownPattern(Exception):
    """The expression holds something that this page does not know."""


def fold(text):
    """ASCII letters in lower case; Lucene folds no others."""
    return "".join(chr(ord(letter) + 32) if "A" <= letter <= "Z" else letter for letter in text)


def either_case(letter):
    other = letter.swapcase() if letter.isascii() else letter
    return re.escape(letter) if other == letter else f"[{letter}{other}]"


def compiled(pattern, folded):
    """A compiled expression, to be used with `fullmatch`."""
    text, index, depth = [], 0, 0
    while index < len(pattern):
        letter = pattern[index]
        index += 1
        if letter == "\\":
            if index == len(pattern):
                raise UnknownPattern(f"a trailing backslash in {pattern!r}")
            escaped = pattern[index]
            index += 1
            if escaped in CLASSES:
                text.append(f"[{CLASSES[escaped]}]")
            elif escaped.isalnum():
                raise UnknownPattern(f"`\\{escaped}` in {pattern!r}")
            else:
                text.append(re.escape(escaped))
        elif letter == "[":
            found, index = class_of(pattern, index)
            text.append(found)
        elif letter == "{":
            end = pattern.index("}", index)
            if not re.fullmatch(r"\d+(,\d*)?", pattern[index:end]):
                raise UnknownPattern(f"a repetition in {pattern!r}")
            text.append("{" + pattern[index:end] + "}")
            index = end + 1
        elif letter == "(":
            depth += 1
            text.append("(?:")
        elif letter == ")":
            depth -= 1
            text.append(")")
        elif letter == ".":
            text.append("[\\s\\S]")
        elif letter in "?+*|":
            text.append(letter)
        elif letter in OPERATORS:
            raise UnknownPattern(f"the operator `{letter}` in {pattern!r}")
        else:
            text.append(either_case(letter) if folded else re.escape(letter))
    if depth:
        raise UnknownPattern(f"unbalanced parentheses in {pattern!r}")
    return re.compile("".join(text))


def class_of(pattern, index):
    """A class behind its bracket, and the index behind it."""
    items, first = ["["], True
    if pattern[index:index + 1] == "^":
        items.append("^")
        index += 1
    while index < len(pattern):
        letter = pattern[index]
        index += 1
        if letter == "]" and not first:
            return "".join(items) + "]", index
        first = False
        if letter == "\\":
            letter = pattern[index]
            index += 1
            if letter in CLASSES:
                items.append(CLASSES[letter])
                continue
            if letter.isalnum():
                raise UnknownPattern(f"`\\{letter}` in a class of {pattern!r}")
            items.append("\\" + letter)
        elif letter == "-":
            items.append("-")
        elif letter == "[":
            items.append("\\[")
        else:
            items.append(re.escape(letter))
    raise UnknownPattern(f"an open class in {pattern!r}")


def wildcard(pattern, folded, escapes):
    """A `*` and `?` pattern over the whole value; `escapes` says whether a backslash takes their meaning away."""
    text, index = [], 0
    while index < len(pattern):
        letter = pattern[index]
        index += 1
        if escapes and letter == "\\" and index < len(pattern):
            letter = pattern[index]
            index += 1
            text.append(either_case(letter) if folded else re.escape(letter))
        elif letter == "*":
            text.append("[\\s\\S]*")
        elif letter == "?":
            text.append("[\\s\\S]")
        else:
            text.append(either_case(letter) if folded else re.escape(letter))
    return re.compile("".join(text))
