"""Writes the files that the tests read: the same 3 x 4 matrix in every layout."""
import zipfile
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.sparse as sp

x = np.array([[0, 1.5, -2, 0], [0, 0, 0, 0], [3, 0, 0, 0.25]])
for t in ["<f2", "<f4", "<f8", ">f2", ">f4", ">f8"]:
    name = t.replace("<", "le_").replace(">", "be_")
    np.save(f"{name}.npy", x.astype(t))
    np.save(f"{name}_fortran.npy", np.asfortranarray(x.astype(t)))
i = np.array([[0, 1, -2, 0], [0, 0, 0, 0], [3, 0, 0, 100]])
for t in ["i1", "<i2", ">i4", "<i8"]:
    np.save(f"int_{t.strip('<>')}.npy", i.astype(t))
for t in ["u1", "<u2", ">u4", "<u8"]:
    np.save(f"int_{t.strip('<>')}.npy", abs(i).astype(t))
np.save("bool.npy", x != 0)
with open("version2.npy", "wb") as f:
    np.lib.format.write_array(f, x.astype("f4"), version=(2, 0))
np.save("empty.npy", np.zeros((0, 384), "f4"))
odd = x.astype("f4").copy(); odd[0, 1] = np.nan; odd[2, 0] = -np.inf
np.save("odd.npy", odd)
np.save("one_dim.npy", x[0])
np.save("three_dim.npy", x[None])
np.save("object.npy", np.array([[1, None]], object), allow_pickle=True)
np.save("string.npy", np.array([["a", "b"]]))
np.save("record.npy", np.array([(1, 2.0)], [("a", "i4"), ("b", "f4")]))
np.save("complex.npy", x.astype(complex))

np.savez("dense.npz", x)
np.savez_compressed("two.npz", topics=np.arange(3), embeddings=x)
sp.save_npz("csr.npz", sp.csr_matrix(x))
sp.save_npz("csr_array.npz", sp.csr_array(x.astype("f4")), compressed=False)
sp.save_npz("csc.npz", sp.csc_matrix(x))
sp.save_npz("coo.npz", sp.coo_matrix((np.array([0.25, 1, -2, 3, 0.5]), ([2, 0, 0, 2, 0], [3, 1, 2, 0, 1])), shape=(3, 4)))
unsorted = sp.csr_matrix((np.array([-2, 1.0, 0.5, 0.25, 3]), np.array([2, 1, 1, 3, 0]), np.array([0, 3, 3, 5])), shape=(3, 4))
sp.save_npz("csr_unsorted.npz", unsorted)
sp.save_npz("bsr.npz", sp.bsr_matrix(x))

rows = [None if r is None else list(map(float, r)) for r in x]
pq.write_table(pa.table({"id": ["a", "b", "c"], "text": ["", "", ""], "vector": pa.array(rows, pa.list_(pa.float32()))}), "float.parquet")
pq.write_table(pa.table({"doc": [10, 11, 12], "vector": pa.array(rows, pa.list_(pa.float64(), 4))}), "fixed.parquet")
pq.write_table(pa.table({"vector": pa.array([None, rows[0], [None, 0, 0, 0]], pa.list_(pa.float32())), "other": pa.array(rows, pa.list_(pa.float64()))}), "nulls.parquet")
pq.write_table(pa.table({"vector": pa.array([[1, 2], [1]], pa.list_(pa.float32())), "id": ["a", "a"]}), "ragged.parquet")
with open("x.fvecs", "wb") as f:
    for r in x:
        f.write(np.int32(4).tobytes() + r.astype("<f4").tobytes())
