"""How columns of numbers are kept: contiguous, of one type each, and read-only, so that compiled code is shared."""

from typing import Any

import numpy as np

TYPES = {
    "offsets": np.int64,
    "programme": np.int32,
    "tier": np.uint8,
    "ticket": np.uint32,
    "places": np.int32,
    "unit": np.int32,
    "family": np.int32,
    "group_start": np.int64,
    "group": np.int32,
    "elder": np.int32,
    "current": np.int32,
    "level": np.int8,
    "nature": np.int8,
    "area": np.int32,
    "kindergarten": np.int32,
    "sibling_tier": np.int16,
}


def frozen(values, dtype) -> Any:
    """A read-only, contiguous view of ``values`` as ``dtype``; what is one already, and ``None``, stays itself."""
    if values is None or _is_frozen(values, dtype):
        return values
    view = np.ascontiguousarray(values, dtype=dtype).view()
    view.flags.writeable = False
    return view


def _is_frozen(values, dtype) -> bool:
    flags = getattr(values, "flags", None)
    return flags is not None and values.dtype == dtype and flags.c_contiguous and not flags.writeable


def frozen_columns(columns) -> dict[str, Any]:
    """Each named column of a market as its read-only array. Raises ``TypeError`` for a name that is none."""
    unknown = sorted(set(columns) - set(TYPES))
    if unknown:
        raise TypeError(f"no such column: {', '.join(unknown)}")
    return {name: frozen(value, TYPES[name]) for name, value in columns.items()}
