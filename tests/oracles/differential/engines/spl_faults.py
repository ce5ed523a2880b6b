"""Mistakes that a backend could make in SPL, as rewrites of emitted text.

Each rewrite changes the first place that has room for it; none of them knows what the query is for.
"""

import re

from protocol import Fault


def once(pattern, replacement):
    """A rewrite of the first match."""
    return lambda text: re.sub(pattern, replacement, text, count=1, flags=re.MULTILINE)


def negation_over_null(text):
    """`if(x,0,1)=1`, which holds for null, as `NOT (x)`, which need not."""
    start = text.find("if(")
    while start >= 0:
        end = closing(text, start + 2)
        if text.startswith("=1", end + 1) and text[start:end].endswith(",0,1"):
            return text[:start] + "isnotnull(_time) AND NOT (" + text[start + 3 : end - 4] + ")" + text[end + 3 :]
        start = text.find("if(", start + 3)
    return text


def closing(text, start):
    """Where the parenthesis that opens at `start` closes."""
    depth, quoted, position = 0, False, start
    while position < len(text):
        letter = text[position]
        if quoted and letter == "\\":
            position += 1
        elif letter == '"':
            quoted = not quoted
        elif not quoted and letter in "()":
            depth += 1 if letter == "(" else -1
            if depth == 0:
                return position
        position += 1
    return len(text) - 1


def swapped(first, second):
    """Exchanges two names."""
    def rewrite(text):
        return re.sub(rf"\b({first}|{second})\b", lambda found: second if found[0] == first else first, text)

    return rewrite


def in_steps(rewrite):
    """A rewrite of the lines that say which step an event is."""
    return lambda text: re.sub(r"^\| eval detc_s\d=.*$", lambda found: rewrite(found[0]), text, flags=re.MULTILINE)


def without_call(function):
    """The first call of a function of one argument, as its argument."""
    def rewrite(text):
        start = text.find(function + "(")
        if start < 0:
            return text
        opened = start + len(function)
        end = closing(text, opened)
        return text[:start] + text[opened + 1 : end] + text[end + 1 :]

    return rewrite


def tumbling(text):
    """A window that slides as one that starts at multiples of its length."""
    found = re.search(r"^\| streamstats window=\d+ global=f count AS detc_n, min\(detc_t\) AS detc_t0(?: BY (.*))?\n\| where detc_n=\d+ AND detc_t-detc_t0<=(\d+)", text, re.MULTILINE)
    if found is None:
        return text
    groups = f"{found[1]}, detc_w" if found[1] else "detc_w"
    body = re.sub(r"AS detc_t0(?: BY .*)?", f"AS detc_t0 BY {groups}", found[0])
    return text.replace(found[0], f"| eval detc_w=floor(detc_t/{found[2]})\n{body}")


FAULTS = (
    Fault("a blank key is a key", once(r' AND detc_k1!=""', "")),
    Fault("the text of a JSON null is a value", once(r""" AND [\w'.]+!="null\"""", "")),
    Fault("a negation that is null over null", negation_over_null),
    Fault("a comparison with case", once(r"lower\(('[^']*')\)=\"", r'\1="')),
    Fault("a window open at its far end", once(r"<=(\d{3,})", r"<\1")),
    Fault("a window closed a unit too early", once(r"<=(\d{3,})", lambda found: f"<={int(found[1]) - 1}")),
    Fault("tumbling in place of sliding", tumbling),
    Fault("rows in no order", once(r"^\| sort 0 detc_t.*\n", "")),
    Fault("a sort that keeps 10,000 rows", once(r"^\| sort 0 ", "| sort ")),
    Fault("ties in no order", once(r"^\| sort 0 detc_t, detc_o\b", "| sort 0 detc_t")),
    Fault("the row itself counts among those before it", once(r" current=f", "")),
    Fault("one window for all groups", once(r" global=f", "")),
    Fault("one threshold lower", once(r"streamstats window=(\d+) (.*)\n\| where detc_n=\d+", lambda found: f"streamstats window={int(found[1]) + 1} {found[2]}\n| where detc_n={int(found[1]) + 1}")),
    Fault("steps in the wrong order", in_steps(swapped("detc_n_a", "detc_n_b"))),
    Fault("flags of signals exchanged", once(r"^\| eval detc_m_a=(.*)\n\| eval detc_m_b=(.*)$", r"| eval detc_m_a=\2\n| eval detc_m_b=\1")),
    Fault("the oldest start in place of the newest", once(r"\bmax\((detc_s\d?)\)", r"min(\1)")),
    Fault("a start makes several hits", once(r"^\| stats min\(detc_t\) AS detc_t.*BY .*detc_s\d?\n", "")),
    Fault("hits of one instant stay apart", once(r"^\| dedup .*\n", "")),
    Fault("equal elements of a list count twice", without_call("mvdedup")),
    Fault("elements of a list stay together", once(r"^\| mvexpand .*\n", "")),
    Fault("the newest interval is closed at both ends", once(r"detc_t>detc_end-", "detc_t>=detc_end-")),
    Fault("the newest interval is open at its end", once(r"detc_t<=detc_end\b", "detc_t<detc_end")),
    Fault("no newest interval", once(r"^\| where detc_t>detc_end.*\n", "")),
    Fault("a condition is forgotten", once(r"^\| where .*\n", "")),
    Fault("a prefilter narrower than its condition", once(r"\(([^()]*) OR ([^()]*)\)", r"(\1 \2)")),
    Fault("a prefilter without a wildcard", once(r'="\*([^"*]+)\*"', r'="\1"')),
    Fault("a text of any shape is a number", once(r"if\(match\(('[^']*'),\"[^\"]*\"\),(tonumber\(\1\)),null\(\)\)", r"\2")),
    Fault("a mean over the buckets that exist", once(r"eval detc_d=\(\d+\*", "eval detc_d=(detc_s0*")),
    Fault("the floor of a baseline is open", once(r"(isnotnull\(detc_ripe\).*)>=", r"\1>")),
    Fault("sums in place of differences", once(r"detc_o=1,0-", "detc_o=1,0+")),
)
