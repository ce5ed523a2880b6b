"""Turns raw events into the documents that an Elastic integration indexes, by the elastic target's field maps.

A document maps the dotted path of a field to the list of its values; `@timestamp` is milliseconds since 1970, `_id` the identity.
What an output's assumptions promise of every index holds here too: an event is there once, a field that the schema calls
single holds one value, a value that does not have the type of its field is not indexed. It knows no query language.
"""

import csv
import ipaddress
import json
import re
import sys
from datetime import datetime, timezone
from fractions import Fraction
from pathlib import Path

import yaml

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[2])]
import field_maps  # noqa: E402
import protocol  # noqa: E402

# Assumptions about values, and the types of the fields that each speaks of.
ASSUMED = {"values of fields of type ip are addresses": {"ip"}, "numbers, truth values and times arrive as such": {"int", "float", "bool", "time"}}
SHORTEST_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?")


def member(event, path):
    """The value at a list of names; an event may be nested, or spell a path with dots."""
    if not path:
        return event
    if not isinstance(event, dict):
        return None
    for length in range(len(path), 0, -1):
        name = ".".join(path[:length])
        if name in event:
            found = member(event[name], path[length:])
            if found is not None:
                return found
    return None


def milliseconds(value):
    """An instant in milliseconds since 1970, rounded down; nothing for what is no instant."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        # Seconds up to the year 5138, milliseconds behind it.
        return int(value) if abs(value) >= 1e11 else int(value * 1000)
    found = INSTANT.fullmatch(value) if isinstance(value, str) else None
    if not found:
        return None
    day, clock, fraction, zone = found.groups()
    zone = "+00:00" if zone in (None, "Z") else zone
    moment = datetime.fromisoformat(f"{day}T{clock}{zone}").astimezone(timezone.utc)
    whole = int((moment - datetime(1970, 1, 1, tzinfo=timezone.utc)).total_seconds())
    return whole * 1000 + int(((fraction or "") + "000")[:3])


def decimal(number):
    """A number as JSON has it, as its shortest decimal text; an integral one has no point."""
    exact = Fraction(repr(number)) if isinstance(number, float) else Fraction(number)
    if exact.denominator == 1:
        return str(exact.numerator)
    return format(number, "f").rstrip("0") if "e" in repr(number) else repr(number)


def converted(value, kind):
    """A scalar as a field of this type keeps it; nothing where it does not have the type."""
    if value is None or isinstance(value, (dict, list)):
        return None
    if kind in ("string", "time"):
        if isinstance(value, bool):
            return "true" if value else "false"
        return value if isinstance(value, str) else decimal(value)
    if kind == "bool":
        return value if isinstance(value, bool) else {"true": True, "false": False}.get(value if isinstance(value, str) else None)
    if kind == "ip":
        try:
            return str(ipaddress.ip_address(value)) if isinstance(value, str) and "%" not in value else None
        except ValueError:
            return None
    if isinstance(value, bool):
        return None
    text = value if isinstance(value, str) else decimal(value)
    if not SHORTEST_NUMBER.fullmatch(text):
        return None
    number = Fraction(text)
    if kind == "int":
        return number.numerator if number.denominator == 1 and -2**63 <= number < 2**63 else None
    return number.numerator if number.denominator == 1 else float(number)


class Documents:
    """The index behind the elastic target's field maps."""

    def __init__(self, fields, schemas, places=()):
        self.maps = field_maps.load(fields, schemas)
        self.schemas = {name: yaml.safe_load((Path(schemas) / f"{name}.yml").read_text(encoding="utf-8")) for name in self.maps}
        self.types = {name: field_maps.schema_types(schema) for name, schema in self.schemas.items()}
        target = Path(fields).parent / "target.yml"
        options = (yaml.safe_load(target.read_text(encoding="utf-8")) if target.exists() else {}).get("options") or {}
        self.address_beside = options.get("network_fields", {})
        self.located = options.get("located_fields", {})
        self.places = list(places)
        # Fields that some query may name: every other name is one that no index maps.
        self.mapped = {target for each in self.maps.values() for _, target, _, access in each.bindings if access != "flattened"}

    def index(self, events):
        """The documents of events, each event once, in the order of their times."""
        kept, found = {}, []
        for source, event in ((each.source, each.raw) for each in events):
            about = self.schemas[source]["x-source"]
            time = milliseconds(member(event, field_maps.segments(about["time"])))
            if time is None:
                continue
            text = json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            identity = member(event, field_maps.segments(about["id"])) if about.get("id") else None
            key = (source, converted(identity, "string")) if identity not in (None, "") else None
            entry = (time, text, source, event)
            if key is None:
                found.append(entry)
            elif key not in kept or entry[:2] < kept[key][:2]:
                kept[key] = entry
        found += kept.values()
        found.sort(key=lambda entry: entry[:3])
        return [self.document(source, event, time, f"e{number:05}") for number, (time, _, source, event) in enumerate(found)]

    def document(self, source, event, time, identity):
        maps, types = self.maps[source], self.types[source]
        self.names = dict(name_values(self.schemas[source]))
        document = {"@timestamp": [time], "_id": [identity]}
        datasets = maps.location.get("dataset") or []
        document["data_stream.dataset"] = [datasets if isinstance(datasets, str) else datasets[0]] if datasets else []
        for native, target, declared, access in maps.bindings:
            if access == "flattened" or target == "@timestamp":
                continue
            for path, values in self.gathered(event, native, target, access, types, declared, maps.literals[native]):
                if values:
                    document.setdefault(path, []).extend(values)
        self.locate(document)
        return {path: values for path, values in document.items() if values}

    def gathered(self, event, native, target, access, types, declared, literals):
        """The target paths that one binding fills, with their values."""
        if native.endswith(".*"):
            below = member(event, field_maps.segments(native.removesuffix(".*")))
            for name, value in leaves(below):
                kept = [each for each in map(lambda each: converted(each, declared), value) if each is not None]
                yield f"{target.removesuffix('.*')}.{name}", kept
            return
        kind, names = types.get(native, "string"), self.names
        named = re.fullmatch(r"(.*?)\[([^\]]+)\]\.?(.*)", native)
        if named:
            # The member of the first entry of this name.
            path, key, rest = named.groups()
            about = names[path]
            entry = next((each for each in entries(member(event, path.split("."))) if each.get(about["name"]) == key), {})
            value = converted(entry.get(rest or about["value"]), declared or "string")
            yield target, [] if value is None else [value]
            return
        if access == "keyed" and "[]" in native:
            path, _, rest = native.partition("[].")
            found = {}
            for entry in entries(member(event, path.split("."))):
                # Integrations write `_` for what the name of a field must not hold.
                key = str(entry.get(names[path]["name"], "")).replace(".", "_").replace(" ", "_")
                value = converted(entry.get(rest), declared or kind)
                if key and value is not None:
                    found.setdefault(target.replace("*", key, 1), value)
            yield from ((path, [value]) for path, value in found.items())
            return
        if "[]" in native:
            yield from self.elements(event, native.split("[]"), target, access, declared or kind)
            return
        value = member(event, field_maps.segments(native))
        if kind is None:
            # A list or an object as a whole: a list of single values is a field of several values.
            item = types.get(f"{native}[]")
            if isinstance(value, list) or item is not None:
                values = value if isinstance(value, list) else [value]
                kept = [converted(each, item or "string") for each in values]
                yield target, [each for each in kept if each is not None]
                for name, member_kind in types.items():
                    if name.startswith(f"{native}[].") and member_kind is not None and access == "direct":
                        rest = name[len(native) + 3:].replace("[]", "")
                        found = [member(each, rest.split(".")) for each in values]
                        kept = [converted(each, member_kind) for each in found]
                        yield f"{target}.{rest}", [each for each in kept if each is not None]
            return
        # The index holds what fits the schema's type in the target's own; an address may be a name until it is stored as one.
        fits = converted(value, "string" if kind == "ip" else kind)
        spelled = literals.get(converted(fits, "string"))
        stored = converted(fits, declared or kind) if spelled is None else spelled
        if kind == "time" and (declared or kind) == "time":
            stored = milliseconds(value)
        yield target, [] if stored is None else [stored]

    def elements(self, event, parts, target, access, kind):
        """Members of the elements of lists, under their index where the integration stores them so."""
        def visit(value, rest, path):
            value = member(value, field_maps.segments(rest[0].strip(".")))
            if len(rest) == 1:
                kept = converted(value, kind)
                yield path, [] if kept is None else [kept]
                return
            for number, element in enumerate(value if isinstance(value, list) else [] if value is None else [value]):
                yield from visit(element, rest[1:], path.replace("*", str(number), 1) if access == "indexed" else path)
        yield from visit(event, parts, target)

    def breaches(self, events, text, kinds):
        """Values of the fields of these types that a query names which are no such value in its one spelling."""
        for each in events:
            maps, types = self.maps[each.source], self.types[each.source]
            for native, target, declared, access in maps.bindings:
                stored = declared or types.get(native)
                beside = self.address_beside.get(target)
                if "ip" in kinds and beside and beside in text:
                    value = converted(member(each.raw, field_maps.segments(native)), "ip")
                    if value and getattr(ipaddress.ip_address(value), "ipv4_mapped", None):
                        yield native, value
                if stored in kinds and access == "direct" and "[]" not in native and target in text:
                    value = member(each.raw, field_maps.segments(native))
                    if value not in (None, "") and not isinstance(value, (dict, list)):
                        kept = milliseconds(value) if stored == "time" else converted(value, stored)
                        if kept is None or stored == "ip" and kept != value:
                            yield native, value

    def locate(self, document):
        """What an ingest pipeline adds of addresses: a field of type `ip`, places and owners."""
        for text, address in self.address_beside.items():
            found = [converted(value, "ip") for value in document.get(text, [])]
            if any(found):
                document[address] = [value for value in found if value]
        for field, owner in self.located.items():
            for value in document.get(field, []):
                place = self.place(value)
                if place:
                    if place.get("latitude") not in (None, ""):
                        document[f"{owner}.geo.location"] = [f"POINT ({place['longitude']} {place['latitude']})"]
                    for name, path, kind in (("country", "geo.country_iso_code", str), ("city", "geo.city_name", str),
                                             ("asn", "as.number", int), ("organisation", "as.organization.name", str)):
                        if place.get(name) not in (None, ""):
                            document[f"{owner}.{path}"] = [kind(place[name])]

    def place(self, address):
        """The row of the longest network that holds the address."""
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return None
        rows = [(ipaddress.ip_network(row["network"], strict=False), row) for row in self.places]
        rows = [(network.prefixlen, row) for network, row in rows if network.version == found.version and found in network]
        return max(rows, key=lambda each: each[0])[1] if rows else None


def name_values(node, path=""):
    """Lists of names and values, by their path: what their members are called."""
    if "x-name-value" in node:
        yield path, node["x-name-value"]
    for name, child in node.get("properties", {}).items():
        yield from name_values(child, f"{path}.{name}" if path else name)
    if isinstance(node.get("items"), dict):
        yield from name_values(node["items"], path + "[]")


def entries(value):
    """The entries of such a list."""
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, dict)]


def leaves(value, path=""):
    """Dotted paths below a value, each with its values."""
    if isinstance(value, dict):
        for name, child in value.items():
            yield from leaves(child, f"{path}.{name}" if path else name)
    elif value is not None and path:
        yield path, value if isinstance(value, list) else [value]


INDEXES = {}


def index_of(query):
    """The index behind a query's project, made once."""
    key = (query.project, query.places)
    if key not in INDEXES:
        places = []
        if query.places is not None:
            with open(query.places, encoding="utf-8", newline="") as file:
                places = list(csv.DictReader(file))
        INDEXES[key] = Documents(query.project / "targets/elastic/fields", query.project / "schemas/sources", places)
    return INDEXES[key]


def documents_of(query, events, now):
    """The documents that a rule's run at `now` reads; stops where they break what the output assumes of their values."""
    index, begin = index_of(query), start_of(query, now)
    for assumed, kinds in ASSUMED.items():
        if any(assumed in text for text in query.record["assumptions"]):
            for _ in index.breaches(events, query.text, kinds):
                raise protocol.Outside(assumed)
    return [each for each in index.index(events) if begin <= each["@timestamp"][0] <= now]


def start_of(query, now):
    """The first instant that a rule's run reads, in milliseconds."""
    back = query.record["deployment"]["from"]
    if not back.startswith("now-"):
        raise ValueError(f"`from` is `{back}`")
    return now - protocol.milliseconds(back.removeprefix("now-"))
