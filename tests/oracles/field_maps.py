"""Reads the telemetry schemas and a target's field maps: which target field has which type.

It speaks of types and paths only, and never of any query.
"""

import re
from pathlib import Path

import yaml

TEXT_TYPES = {"string", "ip", "time"}
FROM_SCHEMA = {"integer": "int", "number": "float", "boolean": "bool", "string": "string"}


def segments(path):
    """The names of a path; a name in back-quotes may hold dots."""
    return [quoted or plain for quoted, plain in re.findall(r"`([^`]*)`|([^.`\[\]]+)", path)]


def schema_types(document):
    """Maps every scalar path of a schema document, and `None` for objects and lists, by its dotted text."""
    types = {}

    def visit(node, path):
        declared = node.get("type", "string")
        first = declared[0] if isinstance(declared, list) else declared
        if first == "array":
            types[path] = None
            visit(node.get("items", {}), path + "[]")
        elif first == "object":
            types[path] = None
            for name, child in node.get("properties", {}).items():
                visit(child, f"{path}.{name}" if path else name)
        elif node.get("format") == "ip":
            types[path] = "ip"
        elif node.get("format") == "date-time" or "x-epoch" in node:
            types[path] = "time"
        else:
            types[path] = FROM_SCHEMA.get(first, "string")

    visit(document, "")
    return types


class FieldMap:
    """One source on one target: where it lives, and the type of each of its target paths."""

    def __init__(self, schema, fields):
        self.source = fields["source"]
        self.location = fields.get("location", {})
        self.time = fields.get("time")
        self.bindings = []  # (native path, target path, type or None, access)
        self.literals = {}  # native path: spellings of values, native text to the target's value
        self.patterns = []  # (compiled pattern over dotted target paths, type)
        self.exact = {}
        types = self.types = schema_types(schema)
        for native, binding in (fields.get("fields") or {}).items():
            binding = {"path": binding} if isinstance(binding, str) else binding
            if "path" not in binding:
                continue
            self._bind(native.replace("`", ""), binding, types)

    def _bind(self, native, binding, types):
        access = binding.get("access", "direct")
        open_members = native.endswith(".*")
        # `list[Name].member` is a member like that of any other element.
        declared = binding.get("type") or types.get(re.sub(r"\[[^\]]*\]", "[]", native.removesuffix(".*")), "string")
        target = ".".join(segments(binding["path"]))
        self.bindings.append((native, target, declared, access))
        self.literals[native] = binding.get("literals") or {}
        if access == "flattened":
            # EQL answers `Cannot use field .. with unsupported type [flattened]`, so no query may name it.
            return
        if open_members:
            self._pattern(target.removesuffix(".*") + ".**", declared or "string")
        elif "*" in target:
            self._pattern(target, declared or "string")
        elif declared is not None:
            self.exact[target] = declared
        else:
            # A list or an object: it can be asked for as a whole, and its members follow from the schema.
            self.exact.setdefault(target, "string")
            for member, kind in types.items():
                for prefix in (native + "[].", native + "."):
                    if member.startswith(prefix) and kind is not None:
                        rest = member[len(prefix):].replace("[]", "")
                        between = "**." if access in ("indexed", "keyed") else ""
                        self._pattern(f"{target}.{between}{rest}", kind)

    def _pattern(self, target, kind):
        parts = [{"*": r"[^.]+", "**": r".+"}.get(part, re.escape(part)) for part in target.split(".")]
        self.patterns.append((re.compile(r"\.".join(parts) + r"\Z"), kind))

    def type_of(self, target_path):
        """The type of a target path, or nothing when no field is bound to it."""
        if target_path in self.exact:
            return self.exact[target_path]
        return next((kind for pattern, kind in self.patterns if pattern.match(target_path)), None)


def load(fields_folder, schema_folder):
    """The field maps of one target, by the name of the source."""
    maps = {}
    profile = Path(fields_folder).parent / "target.yml"
    options = (yaml.safe_load(profile.read_text(encoding="utf-8")) if profile.exists() else {}).get("options") or {}
    beside = options.get("network_fields", {})
    for path in sorted(Path(fields_folder).glob("*.yml")):
        fields = yaml.safe_load(path.read_text(encoding="utf-8"))
        schema_path = Path(schema_folder) / f"{fields['source']}.yml"
        schema = yaml.safe_load(schema_path.read_text(encoding="utf-8"))
        found = maps[fields["source"]] = FieldMap(schema, fields)
        # A field of type `ip` that an integration fills beside a text field.
        found.exact.update({address: "ip" for text, address in beside.items() if text in found.exact})
    return maps
