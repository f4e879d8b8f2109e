"""Whether a photo of a paper is too blurred to read: told to the family at once, when the paper still lies on the table."""

import io

import numpy as np
from PIL import Image

SIDE = 1000  # pixels; the strokes of print are then one to three wide
STEEPEST = 99.5  # percentile
LEAST_STEP = 0.22
LEAST_RANGE = 20


def looks_blurred(content: bytes) -> bool:
    """True for a picture without one sharp edge, and for one that shows next to nothing.

    Compares the steepest steps between neighbouring pixels with the range from dark to light: print in focus goes from
    paper to ink within a pixel or two (more than half of the range), out of focus it takes five or more.  It is a hint,
    never a refusal.
    """
    picture = Image.open(io.BytesIO(content)).convert("L")
    picture.thumbnail((SIDE, SIDE))
    light = np.asarray(picture, dtype=np.int16)
    darkest, lightest = np.percentile(light, (1, 99))
    if min(light.shape) < 2 or lightest - darkest < LEAST_RANGE:
        return True
    steps = np.concatenate([np.abs(np.diff(light, axis=axis)).ravel() for axis in (0, 1)])
    return bool(np.percentile(steps, STEEPEST) < LEAST_STEP * (lightest - darkest))
