"""Holds descriptions, promises and answers against the protocol."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ._errors import BrokenPromise
from ._options import canonical
from ._types import METRICS, OPTION_TYPES, Answer, Description, Info, Option, RowStatus, Sparse, Status, Vectors

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_VERSION = re.compile(r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")
_OPTION = re.compile(r"[a-z][a-z0-9_]*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

# How far from 1 the norm of a unit vector may be: what half precision leaves of
# a vector of a few thousand values.
UNIT_TOLERANCE = 2e-3
_MAX = 2**31 - 1


def check_description(d: Description) -> list[str]:
    """Everything that is wrong with a description."""
    faults = []
    if not _NAME.fullmatch(d.name):
        faults.append(f"name {d.name!r} is not lower case letters, digits and single hyphens")
    if not _VERSION.fullmatch(d.version):
        faults.append(f"version {d.version!r} is not of the form 1.2.3")
    if not _one_line(d.summary):
        faults.append(f"summary {d.summary!r} is not one line of text")
    if not d.modalities:
        faults.append("no modalities")
    for m in d.modalities:
        if m not in ("text", "image"):
            faults.append(f"modality {m!r} is neither 'text' nor 'image'")
    if len(set(d.modalities)) < len(d.modalities):
        faults.append("a modality is there twice")
    faults += [f"{e!r} is not a name of an environment variable" for e in d.environment if not _VARIABLE.fullmatch(e)]
    names = [o.name for o in d.options]
    faults += [f"option {n!r} is there twice" for n in sorted(set(names)) if names.count(n) > 1]
    for o in d.options:
        fault = _option_fault(o)
        if fault:
            faults.append(f"option {o.name!r}: {fault}")
    return faults


def _option_fault(o: Option) -> str:
    if not _OPTION.fullmatch(o.name):
        return "a name is lower case letters, digits and underscores, a letter first"
    if o.type not in OPTION_TYPES[1:]:
        return f"type {o.type!r} is not one of the protocol's"
    if not _one_line(o.help):
        return f"help {o.help!r} is not one line of text"
    if o.choices and o.type not in ("string", "string list"):
        return "only a string or a string list has choices"
    if o.required:
        return "a required option has no default" if o.default is not None else ""
    value, fault = canonical(o, o.default)
    if fault:
        return f"default {fault.problem}"
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as e:
        return f"default can't be written as JSON: {e}"
    return ""


def _one_line(s: str) -> bool:
    return bool(s.strip()) and "\n" not in s and "\r" not in s


def check_info(info: Any) -> None:
    if not isinstance(info, Info):
        raise BrokenPromise(f"{type(info).__name__} where an Info is wanted")
    faults = []
    if not 0 <= info.dimension <= _MAX:
        faults.append(f"dimension {info.dimension} is out of range")
    if info.dimension == 0 and not info.needs_fit:
        faults.append("no dimension, and needs no fit from which it could come")
    if info.metric not in METRICS[1:]:
        faults.append(f"metric {info.metric!r} is not one of cosine, euclidean and hellinger")
    if not 0 <= info.max_tokens <= _MAX:
        faults.append(f"max tokens {info.max_tokens} is out of range")
    if faults:
        raise BrokenPromise("; ".join(faults))


def check_answer(answer: Answer, n: int, info: Info) -> Vectors:
    """Hold the answer to a batch of n rows against info.

    Returns it with a matrix that the wire takes: an ndarray of float32, C order,
    or Sparse of uint32 and float32. Raises BrokenPromise with the first fault.
    """
    v = answer if isinstance(answer, Vectors) else Vectors(answer)
    statuses = _statuses(v.statuses, n)
    without = np.zeros(n, bool)
    for row, s in statuses.items():
        without[row] = s.status in (Status.EMPTY, Status.OOV, Status.FAILED)
    is_sparse = hasattr(v.matrix, "indptr") or hasattr(v.matrix, "tocsr")  # scipy.sparse, of any format
    if is_sparse != info.sparse:
        have, want = ("sparse", "dense") if is_sparse else ("dense", "sparse")
        raise BrokenPromise(f"a {have} matrix where a {want} one was promised")
    if is_sparse:
        sparse, rows = _sparse(v.matrix, n, info)
        _values(sparse.data, rows, n, info, without)
        return Vectors(sparse, statuses)
    dense = _dense(v.matrix, n, info)
    _values(dense, None, n, info, without)
    return Vectors(dense, statuses)


def _statuses(given: Mapping[int, RowStatus], n: int) -> dict[int, RowStatus]:
    statuses: dict[int, RowStatus] = {}
    for row, s in given.items():
        row = int(row)
        if not 0 <= row < n:
            raise BrokenPromise(f"a status of row {row} in a batch of {n} rows")
        if not isinstance(s, RowStatus) or not isinstance(s.status, Status):
            raise BrokenPromise(f"row {row} has the status {s!r}: use EMPTY, OOV, truncated(n) or failed(reason)")
        if s.status == Status.FAILED and not s.reason:
            raise BrokenPromise(f"row {row} failed without a reason")
        if not 0 <= s.tokens_lost <= _MAX:
            raise BrokenPromise(f"row {row} lost {s.tokens_lost} tokens")
        if s.status != Status.OK:
            statuses[row] = s
    return statuses


def _float32(values: Any) -> npt.NDArray[np.float32]:
    array = np.asarray(values)
    if array.dtype.kind not in "fiu":
        raise BrokenPromise(f"values of the type {array.dtype} where numbers are wanted")
    with np.errstate(over="ignore"):  # an infinity is found below, with its place
        return np.ascontiguousarray(array, dtype="<f4")


def _dense(m: Any, n: int, info: Info) -> npt.NDArray[np.float32]:
    shape = np.shape(m)
    if len(shape) != 2:
        raise BrokenPromise(f"an array of the shape {shape} where {n} x {info.dimension} is wanted")
    _shape(shape[0], shape[1], n, info)
    return _float32(m)


def _sparse(m: Any, n: int, info: Info) -> tuple[Sparse, npt.NDArray[np.int64]]:
    """The matrix, and the row of each of its values."""
    if getattr(m, "format", "csr") != "csr":
        m = m.tocsr()
    rows, columns = m.shape
    _shape(rows, columns, n, info)
    if getattr(m, "has_sorted_indices", True) is False:
        m = m.sorted_indices()
    indptr, indices, data = np.asarray(m.indptr, np.int64), np.asarray(m.indices, np.int64), _float32(m.data)
    if len(indptr) != n + 1:
        raise BrokenPromise(f"{len(indptr)} row pointers for {n} rows, not {n + 1}")
    if indptr[0] != 0:
        raise BrokenPromise(f"the first row pointer is {indptr[0]}, not 0")
    if len(indices) != len(data) or len(data) != indptr[n]:
        raise BrokenPromise(f"{len(indices)} column indices and {len(data)} values where the last row pointer says {indptr[n]}")
    sizes = indptr[1:] - indptr[:-1]
    if (sizes < 0).any():
        raise BrokenPromise(f"row {int(np.argmax(sizes < 0))}: row pointers don't ascend")
    of = np.repeat(np.arange(n), sizes)
    wrong = (indices < 0) | (indices >= columns)
    if wrong.any():
        j = int(np.argmax(wrong))
        raise BrokenPromise(f"row {of[j]}: column {indices[j]} of {columns}")
    wrong = (indices[1:] <= indices[:-1]) & (of[1:] == of[:-1])
    if wrong.any():
        j = int(np.argmax(wrong)) + 1
        raise BrokenPromise(f"row {of[j]}: column {indices[j]} after {indices[j - 1]}: columns must ascend")
    return Sparse((n, columns), indptr.astype("<u4"), indices.astype("<u4"), data), of


def _shape(rows: int, columns: int, n: int, info: Info) -> None:
    if rows != n:
        raise BrokenPromise(f"{rows} rows for a batch of {n}")
    if columns != info.dimension:
        raise BrokenPromise(f"{columns} columns where the dimension is {info.dimension}")


def _values(
    values: npt.NDArray[np.float32], rows: npt.NDArray[np.int64] | None, n: int, info: Info, without: npt.NDArray[np.bool_]
) -> None:
    """Check values: a matrix where rows is None, else those stored, with their rows."""
    if rows is None:
        sums = np.einsum("ij,ij->i", values, values, dtype=np.float64)
        negative = (values < 0).any(axis=1) if info.metric == "hellinger" else without
    else:
        wide = values.astype(np.float64)
        sums = np.bincount(rows, weights=wide * wide, minlength=n)
        negative = np.bincount(rows, weights=values < 0, minlength=n) > 0
    # Squares of float32 can't overflow a float64: a sum is finite when the values are.
    _first(~np.isfinite(sums), "row {} has a value that is not finite")
    _first(without & (sums != 0), "row {} has a vector, though its status says that it has none")
    if info.metric == "hellinger":
        _first(~without & negative, "row {} has a negative value under the hellinger metric")
    if info.metric != "euclidean":
        _first(
            ~without & (sums == 0),
            f"row {{}} is all zeros, which has no {info.metric} distance: it needs the status EMPTY, OOV or failed(reason)",
        )
    if info.unit_length:
        norms = np.sqrt(sums)
        wrong = ~without & (np.abs(norms - 1) > UNIT_TOLERANCE)
        if wrong.any():
            i = int(np.argmax(wrong))
            raise BrokenPromise(f"row {i} has the norm {norms[i]:.4g} where unit length was promised")


def _first(wrong: npt.NDArray[np.bool_], text: str) -> None:
    if wrong.any():
        raise BrokenPromise(text.format(int(np.argmax(wrong))))
