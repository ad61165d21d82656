"""Models on disk: where they are looked for, and what they hash to."""

from __future__ import annotations

import hashlib
import os
import pathlib
import re

from ._errors import Refused

_PATHS = ("/", "./", "../", "~/")
_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")


def find_model(name: str, base_dir: str, models_dir: str, option: str) -> pathlib.Path:
    """The folder or file that a name means; Refused where there is none.

    In this order: a path from base_dir; models_dir/ORG/NAME; for a name without
    an ORG models_dir/sentence-transformers/NAME, then the one ORG that has it.
    Opens no connection.
    """
    path = pathlib.Path(os.path.abspath(os.path.join(base_dir, os.path.expanduser(name))))
    if path.exists():
        return path
    folder = pathlib.Path(models_dir) if models_dir else None
    if name.startswith(_PATHS) or folder is None or not _NAME.fullmatch(name):
        raise Refused(f"there is no {path}", option=option)
    if "/" in name:
        there = [folder / name]
    else:
        there = [folder / "sentence-transformers" / name]
        if not there[0].is_dir():
            there = sorted(folder.glob("*/" + name))
    there = [d for d in there if d.is_dir()]
    if len(there) == 1:
        return there[0]
    if there:
        names = ", ".join(str(d.relative_to(folder)) for d in there)
        raise Refused(f"the model {name} is that of several: {names}", "name one of them", option)
    raise Refused(f"there is no model {name}", f"looked for {path}, and in {folder}; `bertopic models get {name}` fetches one", option)


def sha256_of(path: str | os.PathLike[str]) -> str:
    """The SHA-256 of a file, or of the names and contents of all files in a folder."""
    root = pathlib.Path(path)
    whole = hashlib.sha256()
    if root.is_file():
        return _hash(root, whole).hexdigest()
    for file in sorted((f for f in root.rglob("*") if f.is_file()), key=lambda f: f.relative_to(root).as_posix()):
        whole.update(f"{file.relative_to(root).as_posix()}\n{_hash(file, hashlib.sha256()).hexdigest()}\n".encode())
    return whole.hexdigest()


def _hash(file: pathlib.Path, into: hashlib._Hash) -> hashlib._Hash:
    with open(file, "rb") as f:
        while block := f.read(1 << 20):
            into.update(block)
    return into
