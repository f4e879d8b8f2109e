"""TRU13: a small file that is a huge picture costs a page worker little memory, or is refused before it is decoded."""

import io
import subprocess
import sys

import pillow_heif
import pytest
from PIL import Image

from enrollment.ground.errors import Refused
from enrollment.ground.files.uploads import MOST_PIXELS, sanitise_upload

MOST_MEMORY = 400
"""Megabytes."""

MEASURE = """
import resource, sys
from enrollment.ground.files.uploads import sanitise_upload
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
content = sys.stdin.buffer.read()
sanitise_upload(content)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def drawn(kind: str, pixels: int) -> bytes:
    """A plain picture of so many pixels."""
    pillow_heif.register_heif_opener()
    file, side = io.BytesIO(), int(pixels**0.5)
    name, mode = kind.split()[-1], "RGBA" if kind in ("PNG", "WEBP") else "RGB"
    more = {"progressive": kind != "JPEG", "subsampling": 0, "quality": 20} if name == "JPEG" else {}
    Image.new(mode, (side, side), "teal").save(file, name, **more)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["progressive JPEG", "PNG", "WEBP"])
def test_tru13_a_picture_that_needs_much_memory_is_refused_before_it_is_decoded(kind):
    content = drawn(kind, MOST_PIXELS[kind] + 1_000_000)
    assert len(content) < 2_000_000
    with pytest.raises(Refused, match="photo_too_many_pixels"):
        sanitise_upload(content)


@pytest.mark.long
@pytest.mark.parametrize("kind", sorted(MOST_PIXELS))
def test_tru13_the_largest_picture_of_each_kind_costs_less_than_400_megabytes(kind):
    content = drawn(kind, MOST_PIXELS[kind] - 100_000)
    measured = subprocess.run([sys.executable, "-c", MEASURE], input=content, capture_output=True, check=True)
    assert int(measured.stdout) < MOST_MEMORY
