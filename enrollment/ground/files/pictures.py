"""Pictures for looking at: the sheets of a PDF, a thumbnail, a page that is turned.

A PDF is a program as much as a document.  It is drawn in a process with bounds of its own (`draw_pdf`), by a job and never
while somebody waits for a page.
"""

import io
import subprocess
import sys
from pathlib import Path

from PIL import Image

from enrollment.ground.files.uploads import LONGEST_SIDE, MOST_PDF_PAGES

PROGRAM = Path(__file__).with_name("draw_pdf.py")
PATIENCE = 60
"""Seconds for all sheets of one PDF."""

THUMBNAIL_SIDE = 300
TURNS = {1: Image.Transpose.ROTATE_270, 2: Image.Transpose.ROTATE_180, 3: Image.Transpose.ROTATE_90}
"""Quarter turns clockwise; Pillow counts the other way round."""


class CannotDraw(Exception):
    """The PDF is broken, or asks for more than one PDF may take."""


def sheets_of(content: bytes) -> list[bytes]:
    """The first `MOST_PDF_PAGES` sheets of a PDF, each as a WEBP picture.  Raises CannotDraw."""
    command = [sys.executable, "-I", str(PROGRAM), str(MOST_PDF_PAGES), str(LONGEST_SIDE)]
    try:
        done = subprocess.run(command, input=content, capture_output=True, timeout=PATIENCE, env={}, check=True)  # noqa: S603
    except (subprocess.SubprocessError, OSError) as fault:
        raise CannotDraw from fault
    found, at = [], 0
    while at < len(done.stdout):
        size = int.from_bytes(done.stdout[at : at + 4], "big")
        found.append(done.stdout[at + 4 : at + 4 + size])
        at += 4 + size
    if not found:
        raise CannotDraw
    return found


def thumbnail(content: bytes) -> bytes:
    """A picture of at most 300 pixels, some 5 KB."""
    picture = Image.open(io.BytesIO(content), formats=("WEBP",))
    picture.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    return _webp(picture, quality=55)


def turned(content: bytes, quarters: int) -> bytes:
    """The picture after so many quarter turns clockwise."""
    if quarters == 0:
        return content
    picture = Image.open(io.BytesIO(content), formats=("WEBP",))
    return _webp(picture.transpose(TURNS[quarters]), quality=82)


def _webp(picture: Image.Image, *, quality: int) -> bytes:
    made = io.BytesIO()
    picture.convert("RGB").save(made, "WEBP", quality=quality, method=2)
    return made.getvalue()
