"""The likeness of a picture of a page: copies of one file that were saved anew, made smaller or sent through a chat have it in common.

It is a perceptual hash: 256 low waves of a discrete cosine transform of the small grey picture, each above or below the median
(Zauner, 2010).  Copies differ in few of the bits, other pages in many; a page that was photographed again overlaps with
other pages and is not found.  The bits are kept as eight numbers of 32 bits: two pages with at most six different bits
share at least two of them, so that an index finds them, and pages that share one by chance do not count.
"""

import io

import numpy as np
from PIL import Image

SIDE, WAVES, PARTS = 64, 16, 8
LEAST_CONTRAST = 6.0
"""Standard deviation of the brightness, of 255; an empty page has the likeness of every other one."""

COMMON_PARTS = 2

_STEPS = np.arange(SIDE)
_COSINES = np.cos(np.pi * (2 * _STEPS[None, :] + 1) * _STEPS[:WAVES, None] / (2 * SIDE))


def parts_of(picture: bytes) -> list[int]:
    """The eight numbers of a picture, each with its place in the upper half; none for an almost empty one."""
    grey = Image.open(io.BytesIO(picture)).convert("L").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    light = np.asarray(grey, dtype=np.float64)
    if light.std() < LEAST_CONTRAST:
        return []
    waves = (_COSINES @ light @ _COSINES.T).ravel()
    words = np.packbits(waves > np.median(waves)).reshape(PARTS, 4)
    return [(place << 32) | int.from_bytes(word.tobytes(), "big") for place, word in enumerate(words)]
