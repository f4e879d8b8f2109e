"""The program that draws the sheets of a PDF, run by `pdf_pictures` in a process of its own.

It reads a PDF from its input and writes pictures, each behind its length in four bytes.  It imports nothing of the portal,
and what it may use is bounded before the first byte is read: a faulty or hostile file can end this process and nothing else.
"""

import io
import resource
import sys

import pypdfium2
from PIL import Image

MEMORY = 1 << 30
SECONDS = 40


def bound() -> None:
    """Memory and time are limited; no file can be written, no process started, no core dumped."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def sheet(page: pypdfium2.PdfPage, longest: int) -> bytes:
    width, height = page.get_size()
    drawn: Image.Image = page.render(scale=longest / max(width, height, 1), may_draw_forms=False).to_pil()
    made = io.BytesIO()
    drawn.convert("RGB").save(made, "WEBP", quality=80, method=2)
    return made.getvalue()


def main(most: int, longest: int) -> None:
    bound()
    with pypdfium2.PdfDocument(sys.stdin.buffer.read()) as document:
        for number in range(min(len(document), most)):
            picture = sheet(document[number], longest)
            sys.stdout.buffer.write(len(picture).to_bytes(4, "big") + picture)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
