"""Writes types.parquet and int96.parquet."""
import datetime as dt
import pyarrow as pa
import pyarrow.parquet as pq

noon = 1795694400  # 2026-11-26T12:00:00Z
ts = lambda unit, k: pa.array([noon * k, -1, None, 0], pa.timestamp(unit))
pq.write_table(pa.table({
    "text": ["a", "", None, "ünï"],
    "dict": pa.array(["x", "y", "x", "x"]).dictionary_encode(),
    "int": pa.array([1, -2, None, 2**63 - 1], pa.int64()),
    "uint": pa.array([1, 2, 3, 2**64 - 1], pa.uint64()),
    "bool": [True, False, None, True],
    "list": pa.array([["p", "q"], [], None, ["r", None]], pa.list_(pa.string())),
    "vector": pa.array([[1, 2], [3, 4], None, [-0.5, 0]], pa.list_(pa.float32())),
    "fixed": pa.array([[1, 2], [3, 4], [5, 6], [7, 8]], pa.list_(pa.float64(), 2)),
    "ts_ms": ts("ms", 10**3),
    "ts_us": ts("us", 10**6),
    "ts_ns": ts("ns", 10**9),
    "date": pa.array([dt.date(2026, 11, 26), dt.date(1969, 12, 31), None, dt.date(1970, 1, 1)]),
    "record": pa.array([{"bytes": b"1", "path": "x"}] * 4),
    "nested": pa.array([[[1]], [], None, [[2], [3]]], pa.list_(pa.list_(pa.int64()))),
}), "types.parquet")
pq.write_table(pa.table({"ts": pa.array([noon * 10**9, -1], pa.timestamp("ns"))}), "int96.parquet", use_deprecated_int96_timestamps=True)
