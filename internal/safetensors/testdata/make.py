"""Writes types.safetensors, every type that NumPy has, with the reference library."""
import numpy as np
from safetensors.numpy import save_file

save_file({
    "f16": np.array([0, -0.0, 1, -2.5, 65504, 6e-8, 6.1e-5, np.inf, -np.inf], np.float16),
    "f32": np.array([[1.5, -2], [np.inf, 1e-40]], np.float32),
    "f64": np.array([0.1, -1e300]),
    "i64": np.array([-2**63, 2**63 - 1]),
    "i32": np.array([-2**31, 7], np.int32),
    "i16": np.array([-2**15, 7], np.int16),
    "i8": np.array([-128, 127], np.int8),
    "u8": np.array([0, 255], np.uint8),
    "u16": np.array([0, 65535], np.uint16),
    "u32": np.array([0, 2**32 - 1], np.uint32),
    "bool": np.array([True, False]),
    "scalar": np.array(3, np.int64),
    "empty": np.zeros((0, 5), np.float32),
}, "types.safetensors", metadata={"format": "np", "naïve <&>": "ünï"})
