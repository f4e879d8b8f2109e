"""Detects photos of papers that are too blurred to read, so that the family can take a new photo at once."""

import io

import numpy as np
from PIL import Image

SIDE = 1000  # pixels; at this size the strokes of printed text are one to three pixels wide
STEEPEST = 99.5  # percentile
LEAST_STEP = 0.22
LEAST_RANGE = 20


def looks_blurred(content: bytes) -> bool:
    """True for a picture without a sharp edge, and for an almost empty picture.

    Compares the largest brightness differences between neighbouring pixels with the range from dark to light.  In focus,
    printed text changes from paper to ink within one or two pixels (more than half of the range); out of focus it takes
    five or more.  The result is a hint: a page is never refused because of it.
    """
    picture = Image.open(io.BytesIO(content)).convert("L")
    picture.thumbnail((SIDE, SIDE))
    light = np.asarray(picture, dtype=np.int16)
    darkest, lightest = np.percentile(light, (1, 99))
    if min(light.shape) < 2 or lightest - darkest < LEAST_RANGE:
        return True
    steps = np.concatenate([np.abs(np.diff(light, axis=axis)).ravel() for axis in (0, 1)])
    return bool(np.percentile(steps, STEEPEST) < LEAST_STEP * (lightest - darkest))
