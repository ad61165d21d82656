"""Options as the user gave them, held against a description."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from ._errors import OptionError
from ._types import Description, Option

_ARTICLES = {
    "integer": "an integer",
    "number": "a finite number",
    "string list": "a list of strings",
    "integer list": "a list of integers",
}


def check_options(d: Description, values: Mapping[str, Any]) -> tuple[dict[str, Any], list[OptionError]]:
    """Return every option of d, with its default where values has none, and all that is wrong.

    An integer is welcome where a number is wanted, and a number without a
    fraction where an integer is.
    """
    checked: dict[str, Any] = {}
    faults: list[OptionError] = []
    names = [o.name for o in d.options]
    for o in d.options:
        if o.name not in values and o.required:
            faults.append(OptionError(o.name, f"is required ({o.type}: {o.help})"))
            continue
        value, fault = canonical(o, values.get(o.name, o.default))
        if fault:
            faults.append(fault)
        checked[o.name] = value
    for name in values:
        if name not in names:
            problem = "unknown; this embedder takes " + (", ".join(names) if names else "no options")
            faults.append(OptionError(name, problem, nearest(name, names)))
    return checked, sorted(faults, key=lambda f: f.option)


def canonical(o: Option, value: Any) -> tuple[Any, OptionError | None]:
    """value as the one Python type that stands for o.type: str, int, float, bool, a list, or anything."""
    try:
        c = _convert(o.type, value)
    except (TypeError, ValueError, OverflowError):
        return None, OptionError(o.name, f"must be {_ARTICLES.get(o.type, 'a ' + o.type)}, not {show(value)}")
    if o.choices:
        for s in [c] if isinstance(c, str) else c:
            if s not in o.choices:
                problem = f'must be one of {", ".join(o.choices)}, not "{s}"'
                return None, OptionError(o.name, problem, nearest(s, o.choices))
    return c, None


def _convert(kind: str, value: Any) -> Any:
    if kind == "any":
        return value
    if kind == "string" and isinstance(value, str):
        return value
    if kind == "boolean" and isinstance(value, bool):
        return value
    if kind in ("integer", "number") and isinstance(value, (int, float)) and not isinstance(value, bool):
        return _integer(value) if kind == "integer" else _number(value)
    if kind in ("string list", "integer list") and isinstance(value, (list, tuple)):
        return [_convert(kind.removesuffix(" list"), v) for v in value]
    raise TypeError(kind)


def _integer(value: int | float) -> int:
    if isinstance(value, float) and not (value.is_integer() and abs(value) <= 2**53):
        raise ValueError(value)
    if not -(2**63) <= value < 2**63:
        raise ValueError(value)
    return int(value)


def _number(value: int | float) -> float:
    f = float(value)
    if not math.isfinite(f):
        raise ValueError(value)
    return f


def parse_json(text: str | bytes) -> Any:
    """JSON as the standard has it: no NaN, no Infinity."""

    def refuse(name: str) -> Any:
        raise ValueError(f"{name} is not JSON")

    return json.loads(text, parse_constant=refuse)


def show(value: Any) -> str:
    """A value in an error message."""
    if value is None:
        return "empty"
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= 60 else text[:60] + "..."


def nearest(name: str, valid: Sequence[str]) -> str:
    """The valid name that takes the fewest edits to reach, if few enough for a slip of the finger."""
    best, least = "", max(2, len(name) // 3) + 1
    for v in valid:
        n = _edits(name.lower(), v.lower())
        if n < least and n < max(len(v), 2):
            best, least = v, n
    return best


def _edits(a: str, b: str) -> int:
    """Insertions, removals, replacements and swaps of neighbours between a and b."""
    before: list[int] = [0] * (len(b) + 1)
    last = list(range(len(b) + 1))
    for i in range(1, len(a) + 1):
        row = [i] + [0] * len(b)
        for j in range(1, len(b) + 1):
            row[j] = min(last[j - 1] + (a[i - 1] != b[j - 1]), last[j] + 1, row[j - 1] + 1)
            if i > 1 and j > 1 and a[i - 1] == b[j - 2] and a[i - 2] == b[j - 1]:
                row[j] = min(row[j], before[j - 2] + 1)
        before, last = last, row
    return last[len(b)]
