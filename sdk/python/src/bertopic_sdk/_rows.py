"""A loop over rows, for embedders that take one text at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Union

import numpy as np
import numpy.typing as npt

from ._calls import progress
from ._types import EMPTY, OOV, RowStatus, Status, Vectors

#: What becomes of one text: its vector, why it has none, or a vector and what is to be said of it.
Row = Union[npt.NDArray[Any], RowStatus, tuple[npt.NDArray[Any], RowStatus]]

_WHOLE = RowStatus(Status.TRUNCATED)  # nothing was lost


def by_row(texts: Sequence[str | None], dimension: int, one: Callable[[str], Row], zeros: RowStatus | None = OOV) -> Vectors:
    """The answer to a batch of texts, embedded one by one.

    So a row's bits can't depend on the rows beside it. White space alone is
    EMPTY; one() is not asked about it. A vector that is all zeros gets the status
    zeros, and stays without one where that is None; truncated(0) is no status.
    Progress is told after each row.
    """
    matrix = np.zeros((len(texts), dimension), np.float32)
    statuses: dict[int, RowStatus] = {}
    for i, text in enumerate(texts):
        if text is None or not text.strip():
            statuses[i] = EMPTY
            continue
        row = one(text)
        if isinstance(row, tuple):
            row, statuses[i] = row
        if isinstance(row, RowStatus):
            statuses[i] = row
        else:
            matrix[i] = row
            if zeros is not None and not matrix[i].any():
                statuses[i] = zeros
        progress(i + 1)
    return Vectors(matrix, {i: s for i, s in statuses.items() if s != _WHOLE})
