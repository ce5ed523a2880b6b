"""Documented and recorded facts about SPL, each as a query over a few rows with its result.

The facts come from Splunk's documentation and from recordings of a Splunk 10.4 instance; none comes from this project.
"""

from engines import spl_text
from engines.spl_commands import Pipeline
from engines.spl_values import Reading, extracted, text

#: (what is stated, query, rows, wanted values of `x` in the result)
FACTS = [
    ("search ignores case", 'a="ONE"', [{"a": "one"}, {"a": "two"}], 1),
    ("search knows wildcards", 'a="o*"', [{"a": "One"}, {"a": "two"}], 1),
    ("search finds any value of a multivalue field", 'a="two"', [{"a": ["one", "two"]}], 1),
    ("search: OR before AND", 'a="1" b="1" OR b="2"', [{"a": "1", "b": "2"}, {"a": "2", "b": "2"}], 1),
    ("search: present", "a=*", [{"a": "1"}, {"b": "1"}], 1),
    ("search: IN", 'a IN ("x", "y*")', [{"a": "X"}, {"a": "yes"}, {"a": "no"}], 2),
    ("search: order of numbers", "a>=5", [{"a": "5"}, {"a": "10"}, {"a": "x"}, {"a": "4"}], 2),
    ("where respects case", 'b=* | where a="ONE"', [{"a": "one", "b": 1}], 0),
    ("where: AND before OR", 'b=* | where a=1 OR a=2 AND b=2', [{"a": 1, "b": 1}, {"a": 2, "b": 1}], 1),
    ("where drops null", 'b=* | where a!="x"', [{"b": 1}], 0),
    ("numbers compare as numbers", "b=* | where a<10", [{"a": "9", "b": 1}], 1),
    ("a text beside a number compares as text", 'b=* | where a<10', [{"a": "x", "b": 1}], 0),
    ("match is unanchored and respects case", 'b=* | where match(a,"n")', [{"a": "one", "b": 1}, {"a": "ONE", "b": 1}], 1),
    ("like covers the whole text", 'b=* | where like(a,"o_e%")', [{"a": "one", "b": 1}, {"a": "xone", "b": 1}], 1),
    ("cidrmatch of another version is false", 'b=* | where cidrmatch("10.0.0.0/8",a)', [{"a": "10.1.1.1", "b": 1}, {"a": "2001:db8::1", "b": 1}], 1),
    ("division by zero is null", "b=* | where isnull(b/0)", [{"b": 1}], 1),
    ("concatenation with null is null", 'b=* | where isnull(a."x")', [{"b": 1}], 1),
    ("eval of null drops the field", "b=* | eval b=null() | where isnull(b)", [{"b": 1}], 1),
    ("if takes the other branch on null", "b=* | eval x=if(a=1,1,0)", [{"b": 1}], ["0"]),
    ("case without a match is null", "b=* | eval x=case(b=2,1)", [{"b": 1}], []),
    ("coalesce takes an empty text", 'b=* | eval x=coalesce(a,"z")', [{"a": "", "b": 1}], [""]),
    ("stats drops rows without a group", "b=* | stats count AS x BY a", [{"a": 1, "b": 1}, {"b": 1}], ["1"]),
    ("stats count over nothing is one row", "b=* | where b=2 | stats count AS x", [{"b": 1}], ["0"]),
    ("stats sum over nothing is no row", "b=* | where b=2 | stats sum(b) AS x", [{"b": 1}], 0),
    ("sum over texts writes no field", "b=* | stats sum(a) AS x BY b", [{"a": "t", "b": 1}], []),
    ("dc counts different values", "b=* | stats dc(a) AS x", [{"a": "1", "b": 1}, {"a": "1", "b": 1}, {"a": "2", "b": 1}], ["2"]),
    ("min prefers numbers", "b=* | stats min(a) AS x", [{"a": "5", "b": 1}, {"a": "10", "b": 1}, {"a": "0x", "b": 1}], ["5"]),
    ("aggregates take multivalue fields apart", "b=* | stats sum(a) AS x", [{"a": ["1", "2"], "b": 1}], ["3"]),
    ("eventstats leaves rows without a group", "b=* | eventstats count AS x BY a", [{"b": 1}], []),
    ("streamstats leaves rows without a group", "b=* | streamstats count AS x BY a", [{"b": 1}], []),
    ("streamstats counts up", "b=* | sort 0 b | streamstats count AS x", [{"b": 2}, {"b": 1}], ["1", "2"]),
    ("current=f leaves the row itself out", "b=* | sort 0 b | streamstats current=f sum(b) AS x", [{"b": 2}, {"b": 1}], ["1"]),
    ("a window holds the last rows of its group", "b=* | sort 0 b | streamstats window=2 global=f sum(b) AS x BY a", [{"a": 1, "b": n} for n in (1, 2, 4)], ["1", "3", "6"]),
    ("last passes over nulls", "b=* | sort 0 b | streamstats last(a) AS x", [{"a": 7, "b": 1}, {"b": 2}], ["7", "7"]),
    ("sort takes texts that are numbers as numbers", "b=* | sort 0 b | streamstats last(b) AS x", [{"b": "10"}, {"b": "9"}], ["9", "10"]),
    ("str() sorts them as texts", "b=* | sort 0 str(b) | streamstats last(b) AS x", [{"b": "10"}, {"b": "9"}], ["10", "9"]),
    ("sort keeps 10,000 rows", "b=* | sort b", [{"b": n} for n in range(10_001)], 10_000),
    ("sort 0 keeps all", "b=* | sort 0 b", [{"b": n} for n in range(10_001)], 10_001),
    ("dedup keeps the first", "b=* | sort 0 b | dedup a | eval x=b", [{"a": 1, "b": 2}, {"a": 1, "b": 1}], ["1"]),
    ("dedup drops rows without the field", "b=* | dedup a", [{"b": 1}], 0),
    ("mvexpand makes a row of each value", "b=* | mvexpand a", [{"a": ["1", "2"], "b": 1}, {"b": 1}], 3),
    ("mvindex out of range is null", "b=* | where isnull(mvindex(a,5))", [{"a": ["1", "2"], "b": 1}], 1),
    ("mvdedup keeps the first of each", "b=* | eval x=mvcount(mvdedup(a))", [{"a": ["1", "2", "1"], "b": 1}], ["2"]),
    ("mvcount of null is null", "b=* | where isnull(mvcount(a))", [{"b": 1}], 1),
    ("mvmap works on each value", "b=* | eval x=mvmap(a,a*2)", [{"a": ["1", "2"], "b": 1}], ["2,4"]),
    ("floor goes down", "b=* | eval x=floor(0-1.5)", [{"b": 1}], ["-2"]),
    ("substr counts from one", 'b=* | eval x=substr("abc",2)', [{"b": 1}], ["bc"]),
    ("split gives a multivalue field", 'b=* | eval x=mvindex(split("a,b",","),1)', [{"b": 1}], ["b"]),
    ("replace takes a pattern", 'b=* | eval x=replace("a1b2","[0-9]","")', [{"b": 1}], ["ab"]),
    ("tonumber of a text is null", 'b=* | where isnull(tonumber("x"))', [{"b": 1}], 1),
    ("spath reads members and elements", 'b=* | eval x=spath(a,"d{}.e")', [{"a": '{"d":[{"e":1},{"e":"z"}]}', "b": 1}], ["1,z"]),
    ("rename moves a field", "b=* | rename a AS x", [{"a": 1, "b": 1}], ["1"]),
    ("addinfo knows the end of the range", "b=* | addinfo | eval x=info_max_time", [{"b": 1}], ["77"]),
    ("a dotted name is one field in single quotes", "b=* | eval x='a.c'", [{"a.c": 5, "b": 1}], ["5"]),
    ("an escaped quote and backslash", 'b=* | where a="q\\"\\\\"', [{"a": 'q"\\', "b": 1}], 1),
    ("arrays are extracted under a name with braces", 'c{}="2"', [extracted({"c": [1, 2]}, Reading(0))], 1),
]
#: texts that must be refused
REFUSED = [
    'a="1" | transaction a', 'a="1" | eval x=nosuch(a)', "a=* | where NOT a=1", "a=* | streamstats time_window=5m count AS x", "a=* | stats nosuch(a) AS x",
    "a=* | where a=1=2", "a=* | join a [search b=1]", "`a_macro` | where a=1", 'a=* | where a="1', "a=* | eval x=a.b+1", "a=* | sort 0 +nosuch(a)",
]


def result(text_of_query, rows, reading):
    search, commands = spl_text.query(text_of_query)
    return Pipeline(reading, 77, None).run(search, commands, rows)


def check():
    """Checks every fact under several readings of what is open; returns how many hold."""
    from protocol import EngineError

    for seed in range(8):
        for stated, query, rows, wanted in FACTS:
            found = result(query, rows, Reading(seed))
            if isinstance(wanted, list):
                found = [",".join(map(text, row["x"])) if isinstance(row["x"], list) else text(row["x"]) for row in found if "x" in row]
            else:
                found = len(found)
            if found != wanted:
                raise AssertionError(f"{stated}: {found} instead of {wanted}")
    for query in REFUSED:
        try:
            result(query, [{"a": "1"}], Reading(0))
        except EngineError:
            continue
        raise AssertionError(f"not refused: {query}")
    return len(FACTS) + len(REFUSED)
