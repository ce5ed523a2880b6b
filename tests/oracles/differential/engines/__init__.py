"""The engines by target: each executes what one backend emits.

A new engine is a module here and a line in `MODULES`; the harness asks for it by the name of the target.
"""

import importlib

#: target -> module and class names; a target can have several engines, each for other languages
MODULES = {
    "elastic": [("engines.elastic_eql", "ElasticEql"), ("engines.elastic_esql", "ElasticEsql")],
    "sentinel": [("engines.kql", "KqlEngine")],
    "sigma": [("engines.sigma_rules", "SigmaEngine")],
    "splunk": [("engines.spl", "SplEngine")],
}


def engines_of(target):
    """The engines of a target, made only when they are asked for, because some need a package of their own."""
    return [getattr(importlib.import_module(module), name)() for module, name in MODULES[target]]
