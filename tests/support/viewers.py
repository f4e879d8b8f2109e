"""Four programs that show a PDF: the picture of each page and its text, as a family's, an office's or a printer's does."""

import io
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pymupdf
import pypdfium2
from PIL import Image, ImageFilter

DOTS = 100
"""Dots for an inch: a stroke of 11 point text is about one dot wide."""


def poppler(file: Path) -> list[Image.Image]:
    prefix = file.with_suffix("")
    subprocess.run(["pdftoppm", "-r", str(DOTS), "-gray", "-png", file, f"{prefix}-poppler"], check=True)
    return [Image.open(page) for page in sorted(file.parent.glob(f"{prefix.name}-poppler-*.png"))]


def ghostscript(file: Path) -> list[Image.Image]:
    pages = f"{file.with_suffix('')}-gs-%d.png"
    how = ["-q", "-dSAFER", "-dBATCH", "-dNOPAUSE", "-sDEVICE=pnggray", "-dTextAlphaBits=4", "-dGraphicsAlphaBits=4"]
    subprocess.run(["gs", *how, f"-r{DOTS}", f"-sOutputFile={pages}", file], check=True, stdout=subprocess.DEVNULL)
    return [Image.open(page) for page in sorted(file.parent.glob(f"{file.stem}-gs-*.png"))]


def pdfium(file: Path) -> list[Image.Image]:
    with pypdfium2.PdfDocument(file) as document:
        return [page.render(scale=DOTS / 72).to_pil().convert("L") for page in document]


def mupdf(file: Path) -> list[Image.Image]:
    with pymupdf.open(file) as document:
        pages = [page.get_pixmap(dpi=DOTS).tobytes("png") for page in document]
    return [Image.open(io.BytesIO(page)).convert("L") for page in pages]


VIEWERS: dict[str, Callable[[Path], list[Image.Image]]] = {
    "poppler": poppler,
    "pdfium": pdfium,
    "ghostscript": ghostscript,
    "mupdf": mupdf,
}


def texts(file: Path) -> dict[str, str]:
    """What can be searched, copied and read aloud, without spaces, by viewer.

    Ghostscript's text device writes half of a character beyond U+FFFF; in its pictures such characters are whole.
    """
    asked = {
        "poppler": ["pdftotext", "-enc", "UTF-8", str(file), "-"],
        "ghostscript": [
            "gs",
            "-q",
            "-dSAFER",
            "-dBATCH",
            "-dNOPAUSE",
            "-sDEVICE=txtwrite",
            "-sOutputFile=-",
            str(file),
        ],
    }
    found = {
        name: subprocess.run(call, check=True, capture_output=True).stdout.decode(errors="replace")
        for name, call in asked.items()
    }
    with pypdfium2.PdfDocument(file) as document:
        found["pdfium"] = "".join(page.get_textpage().get_text_bounded() for page in document)
    with pymupdf.open(file) as document:
        found["mupdf"] = "".join(page.get_text() for page in document)
    return {name: "".join(text.split()) for name, text in found.items()}


def likeness(one: Image.Image, other: Image.Image) -> float:
    """Correlation of two pages' darkness, 1 for equal ones, 0 where one is empty.

    Both are blurred by about a stroke's width, so that a viewer's own smoothing and shifts below a dot play no part, while
    a missing or a boxed character does.
    """
    width, height = min(one.width, other.width), min(one.height, other.height)
    flat = [
        np.asarray(each.convert("L").crop((0, 0, width, height)).filter(ImageFilter.GaussianBlur(1.2)), float).ravel()
        for each in (one, other)
    ]
    return float(np.corrcoef(*flat)[0, 1]) if all(each.std() for each in flat) else 0.0
