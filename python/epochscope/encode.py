"""Numbers and arrays as the native log spells them: JSON without NaN, packed arrays, significant digits."""

import base64
import json
import math

import numpy as np

#: Arrays of more numbers than this are packed in base64, which is smaller and loses nothing.
PACK_ABOVE = 16

class Exact(list):
    """A list whose numbers are as they should be written already."""


_PACKED = {"u": ("u8", "<u1"), "i": ("i32", "<i4"), "b": ("u8", "<u1"), "f": ("f32", "<f4")}


def number(value, digits):
    """A number for JSON: an int, a float of so many significant digits, or one of the three texts."""
    if type(value) is float and math.isfinite(value):
        return float(f"{value:.{digits}g}")
    if isinstance(value, (bool, np.bool_)):
        return int(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if hasattr(value, "detach"):
        value = value.detach()
    value = float(value)  # a tensor of one element waits here for its device
    if value != value:
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return float(f"{value:.{digits}g}")


def to_numpy(value):
    """An array of whatever holds numbers: lists, numpy, tensors of torch (any device), Keras and JAX."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        if str(value.dtype) == "torch.bfloat16":
            value = value.float()
    return np.asarray(value)


def array(value, digits, nested=False):
    """Lists of numbers if there are few, else the packed form: floats as f32, integers as i32."""
    if isinstance(value, Exact):
        return value
    value = to_numpy(value)
    if value.dtype.kind not in _PACKED:
        value = value.astype(float)
    if nested or value.size <= PACK_ABOVE:
        value = value.tolist()
        return Exact(_lists(v, digits) for v in value) if isinstance(value, list) else number(value, digits)
    if value.dtype.kind in "iu" and value.size and max(abs(int(value.min())), abs(int(value.max()))) >= 2**31:
        value = value.astype(float)
    wide = value.dtype.kind == "u" and value.itemsize > 1
    name, code = _PACKED["i" if wide else value.dtype.kind]
    with np.errstate(over="ignore"):
        packed = np.ascontiguousarray(value.astype(code))
    return {"shape": list(value.shape), "dtype": name, "b64": base64.b64encode(packed.tobytes()).decode("ascii")}


def _lists(value, digits):
    return [_lists(v, digits) for v in value] if isinstance(value, list) else number(value, digits)


def plain(value, digits, depth=0):
    """Anything a caller may hand over, as JSON can say it. What is no number, text, list or mapping becomes its text."""
    if type(value) is float:
        return number(value, digits)
    if value is None or isinstance(value, (str, int, Exact)):
        return value
    if isinstance(value, (int, float, np.integer, np.floating, np.bool_)):
        return number(value, digits)
    if depth > 40:
        return str(value)
    if isinstance(value, dict):
        return {str(k): plain(v, digits, depth + 1) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(v, digits, depth + 1) for v in value]
    if getattr(value, "shape", None) == ():
        return number(value, digits)
    if hasattr(value, "__array__") or hasattr(value, "detach"):
        return array(value, digits)
    return str(value)


def line(record):
    """One record as the bytes of one line."""
    text = json.dumps(record, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace").encode("utf-8") + b"\n"
