import pathlib

import numpy as np
import pytest
from bertopic_sdk import EMPTY, Refused, load
from bertopic_sdk.testing import Session

Hashing = load(str(pathlib.Path(__file__).with_name("embedder.py")))


def test_hashing():
    with Session(Hashing()) as s:
        s.configure({"dimension": 64})
        # The answer has been held to what the embedder promises: shape, unit
        # length, finite values, zeros where there is no vector.
        v = s.embed(["the cat sat", "THE CAT SAT", "a dog ran off", "", "ab"])
        assert (v.matrix[0] == v.matrix[1]).all()
        assert (v.matrix[0] != v.matrix[2]).any()
        assert v.statuses == {3: EMPTY, 4: EMPTY}
        alone = s.embed(["a dog ran off"])
        assert np.array_equal(alone.matrix[0], v.matrix[2])


def test_options():
    with Session(Hashing()) as s:
        with pytest.raises(Exception, match='did you mean "dimension"'):
            s.configure({"dimensions": 64})
        with pytest.raises(Refused):
            s.configure({"n": 0})
