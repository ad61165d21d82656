"""Program files: small scripts that start Python with an embedder's class."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import inspect
import os
import shlex
import stat
import sys
from types import ModuleType
from typing import Any

from ._check import check_description
from ._serve import divert, serve
from ._types import Embedder

PREFIX = "bertopic-embedder-"

# /bin/sh reads the first three lines, Python a string and what comes after. A
# plain #! line would not do: it has a limit in length and takes no spaces.
_SCRIPT = """#!/bin/sh
'''exec' {python} -I "$0" "$@"
' '''
from bertopic_sdk import launch

launch({target!r})
"""


def launch(target: str) -> None:
    """Import the embedder that target names and serve it; what a program file calls.

    target is MODULE:CLASS or FILE.py:CLASS; the class may be left out where the
    module defines one embedder. Standard output is diverted before the import,
    for libraries that greet on it.
    """
    divert()
    serve(load(target)())


def load(target: str) -> type[Embedder]:
    """The class that target names."""
    place, _, name = target.partition(":")
    module = _module(place)
    if name:
        found = getattr(module, name, None)
        if not (inspect.isclass(found) and issubclass(found, Embedder)):
            raise SystemExit(f"{place} has no embedder class {name}")
        return found
    own = [c for _, c in inspect.getmembers(module, inspect.isclass) if issubclass(c, Embedder) and c.__module__ == module.__name__]
    if len(own) != 1:
        names = ", ".join(c.__name__ for c in own) or "none"
        raise SystemExit(f"{place} defines {len(own)} embedders ({names}): name one, as in {place}:CLASS")
    return own[0]


def _module(place: str) -> ModuleType:
    if not place.endswith(".py"):
        return importlib.import_module(place)
    path = os.path.abspath(place)
    name = "bertopic_embedder_" + os.path.basename(path)[:-3].replace("-", "_")
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not os.path.isfile(path):
        raise SystemExit(f"there is no file {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # for pickle and for dataclasses
    spec.loader.exec_module(module)
    return module


def install(target: str, folder: str) -> str:
    """Write the program file of an embedder into folder and return its path."""
    place, colon, name = target.partition(":")
    if place.endswith(".py"):
        target = os.path.abspath(place) + colon + name
    description = load(target)().describe()
    faults = check_description(description)
    if faults:
        raise SystemExit(f"{target}: describe: " + "; ".join(faults))
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, PREFIX + description.name)
    text = _SCRIPT.format(python=shlex.quote(sys.executable), target=target)
    if "'''" in shlex.quote(sys.executable):
        raise SystemExit(f"{sys.executable}: a Python in a folder with quotes in its name can't be started from a script")
    temporary = f"{path}.{os.getpid()}"
    with open(temporary, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(temporary, stat.S_IRWXU | stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH)
    os.replace(temporary, path)
    return path


def main(args: list[str] | None = None) -> int:
    """python -m bertopic_sdk"""
    parser = argparse.ArgumentParser(prog="python -m bertopic_sdk", description="Embedder programs for bertopic, written in Python.")
    commands: Any = parser.add_subparsers(dest="command", required=True)
    p = commands.add_parser("install", help="write bertopic-embedder-NAME, which starts this Python with an embedder")
    p.add_argument("target", help="MODULE[:CLASS] or FILE.py[:CLASS]")
    p.add_argument("--to", default=os.path.join(".bertopic", "plugins"), metavar="FOLDER", help="default: %(default)s")
    given = parser.parse_args(args)
    print(install(given.target, given.to))
    return 0

