import numpy as np
import pytest
from bertopic_sdk import EMPTY, OOV, Info, RowStatus, Sparse, Status, Vectors, failed, truncated
from bertopic_sdk._check import check_answer, check_info
from bertopic_sdk._errors import BrokenPromise

COSINE = Info(dimension=2)
EUCLIDEAN = Info(dimension=2, metric="euclidean")
UNIT = Info(dimension=2, unit_length=True)
HELLINGER = Info(dimension=2, metric="hellinger")
SPARSE = Info(dimension=3, sparse=True)


def rows(*r, dtype=np.float64):
    return np.array(r, dtype)


def csr(indptr, indices, data, shape=(2, 3)):
    return Sparse(shape, np.array(indptr), np.array(indices), np.array(data, float))


@pytest.mark.parametrize(
    "answer, info",
    [
        (rows([1, 2], [3, 4], dtype=np.float16), COSINE),
        (rows([1, 2], [3, 4], dtype=np.int64), COSINE),
        (np.asfortranarray(rows([1, 2], [3, 4])), COSINE),
        (rows([0, 0], [3, 4]), EUCLIDEAN),
        (Vectors(rows([0, 0], [3, 4]), {0: EMPTY}), COSINE),
        (Vectors(rows([1, 0], [0, 0]), {0: truncated(7), np.int64(1): OOV}), UNIT),
        (csr([0, 2, 3], [0, 2, 1], [1, 2, 3]), SPARSE),
    ],
)
def test_good(answer, info):
    v = check_answer(answer, 2, info)
    m = v.matrix
    assert (m.data if info.sparse else m).dtype == np.dtype("<f4")


def test_the_same_bits_come_out():
    m = np.random.default_rng(1).normal(size=(2, 2)).astype(np.float32)
    assert check_answer(m, 2, COSINE).matrix.tobytes() == m.tobytes()


@pytest.mark.parametrize(
    "answer, info, fault",
    [
        (rows([1, 2]), COSINE, "1 rows for a batch of 2"),
        (rows([1], [2]), COSINE, "1 columns where the dimension is 2"),
        (np.array([1.0, 2.0]), COSINE, "an array of the shape (2,)"),
        (np.array([["a", "b"], ["c", "d"]]), COSINE, "values of the type"),
        (rows([1, 2], [np.nan, 1]), COSINE, "row 1 has a value that is not finite"),
        (rows([1e300, 2], [1, 1]), COSINE, "row 0 has a value that is not finite"),
        (rows([0, 0], [1, 1]), COSINE, "row 0 is all zeros, which has no cosine distance"),
        (rows([1, 0], [1, 1]), UNIT, "row 1 has the norm 1.414"),
        (rows([1, 0], [-1, 2]), HELLINGER, "row 1 has a negative value"),
        (Vectors(rows([1, 0], [1, 2]), {1: OOV}), COSINE, "row 1 has a vector, though"),
        (Vectors(rows([1, 0], [1, 2]), {2: OOV}), COSINE, "a status of row 2 in a batch of 2 rows"),
        (Vectors(rows([1, 0], [0, 0]), {1: failed("")}), COSINE, "failed without a reason"),
        (Vectors(rows([1, 0], [0, 0]), {1: "oov"}), COSINE, "row 1 has the status 'oov'"),
        (Vectors(rows([1, 0], [0, 1]), {1: RowStatus(Status.TRUNCATED, -1)}), COSINE, "lost -1 tokens"),
        (rows([1, 0, 0], [1, 0, 0]), SPARSE, "a dense matrix where a sparse one"),
        (csr([0, 1, 2], [0, 1], [1, 1], (2, 2)), COSINE, "a sparse matrix where a dense one"),
        (csr([0, 1], [0], [1]), SPARSE, "2 row pointers for 2 rows, not 3"),
        (csr([1, 1, 2], [0, 1], [1, 1]), SPARSE, "the first row pointer is 1"),
        (csr([0, 2, 1], [0], [1]), SPARSE, "row pointers don't ascend"),
        (csr([0, 1, 3], [0, 1], [1, 1]), SPARSE, "where the last row pointer says 3"),
        (csr([0, 1, 2], [0, 3], [1, 1]), SPARSE, "row 1: column 3 of 3"),
        (csr([0, 1, 3], [0, 2, 1], [1, 1, 1]), SPARSE, "row 1: column 1 after 2"),
        (csr([0, 1, 1], [0], [1]), SPARSE, "row 1 is all zeros"),
    ],
)
def test_bad(answer, info, fault):
    with pytest.raises(BrokenPromise) as e:
        check_answer(answer, 2, info)
    assert fault in str(e.value)


def test_scipy():
    sparse = pytest.importorskip("scipy.sparse")
    dense = np.array([[0, 1, 2], [3, 0, 0]], float)
    for kind in (sparse.csr_matrix, sparse.csr_array, sparse.csc_matrix, sparse.coo_array):
        m = check_answer(kind(dense), 2, SPARSE).matrix
        assert (m.indptr.tolist(), m.indices.tolist(), m.data.tolist()) == ([0, 2, 3], [1, 2, 0], [1, 2, 3])
    unsorted = sparse.csr_matrix((np.array([2.0, 1.0]), np.array([2, 1]), np.array([0, 2, 2])), shape=(2, 3))
    m = check_answer(Vectors(unsorted, {1: OOV}), 2, SPARSE).matrix
    assert (m.indices.tolist(), m.data.tolist()) == ([1, 2], [1, 2])


@pytest.mark.parametrize(
    "info, fault",
    [
        (Info(), "no dimension"),
        (Info(dimension=-1), "out of range"),
        (Info(dimension=1, metric="manhattan"), "metric 'manhattan'"),
        ({"dimension": 1}, "dict where an Info is wanted"),
    ],
)
def test_infos(info, fault):
    with pytest.raises(BrokenPromise, match=fault):
        check_info(info)
