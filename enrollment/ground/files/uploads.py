"""Checks of uploaded files: a photo is decoded and encoded again, a PDF is parsed and limited, other files are refused.

An encoded photo contains only its pixels: no location, no camera data, no trailing bytes.
"""

import io
import warnings
from dataclasses import dataclass

import filetype
import pillow_heif
from PIL import Image, ImageOps, UnidentifiedImageError
from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject

from enrollment.ground.errors import Refused
from enrollment.ground.files import bounded
from enrollment.ground.files.upload_limits import LIMITS, UploadLimit, size_in_megabytes

MOST_PDF_PAGES = 20
LONGEST_SIDE = 1600  # pixels; small print on an A4 page stays readable
MOST_JPEG_PIXELS = 250_000_000
"""A JPEG is decoded at an eighth of its size, so it may be larger than other pictures."""

MOST_PIXELS = {
    "JPEG": MOST_JPEG_PIXELS,
    "progressive JPEG": 50_000_000,
    "HEIF": 50_000_000,
    "PNG": 40_000_000,
    "WEBP": 20_000_000,
}
"""How many pixels a picture may have: the largest that cameras and scanners make, and less than 400 MB of memory for each.
A progressive JPEG is held whole before it is made small, a WEBP twice."""

PHOTOS = {"image/jpeg", "image/png", "image/webp", "image/heic", "image/heif"}
FORMATS = ("JPEG", "PNG", "WEBP", "HEIF")
MOST_PDF_PARTS = 200_000
PDF_MEMORY, PDF_SECONDS = 300 * 2**20, 10
"""Bytes and seconds of a processor that the check of a PDF may take; a scan takes 20 MB and a tenth of a second."""

ACTIVE_ACTIONS = ("/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/GoToE", "/Rendition")
EMBEDDED_CONTENT = ("/JavaScript", "/JS", "/EmbeddedFiles", "/EF", "/XFA", "/RichMediaContent")

pillow_heif.register_heif_opener(thumbnails=False)
Image.MAX_IMAGE_PIXELS = MOST_JPEG_PIXELS


@dataclass(frozen=True)
class SafePage:
    """`media_type` is `image/webp` or `application/pdf`; `content` are the bytes to store."""

    media_type: str
    content: bytes


def sanitise_upload(content: bytes, *, field: str = "pages") -> SafePage:
    """The page as it is stored.  Its type follows from its content, never from its name.

    Refuses `file_empty`, `file_too_large`, `file_type`, `photo_unreadable`, `photo_too_many_pixels`, `pdf_unreadable`,
    `pdf_locked`, `pdf_active`, `pdf_too_many_pages`.
    """
    if not content:
        raise Refused("file_empty", field=field)
    guessed = filetype.guess_mime(content[:4096])
    if guessed in PHOTOS:
        _check_size(content, LIMITS["photo"], field)
        return SafePage("image/webp", _reencode_photo(content, field))
    if guessed == "application/pdf":
        _check_size(content, LIMITS["pdf"], field)
        _check_pdf(content, field)
        return SafePage("application/pdf", content)
    raise Refused("file_type", field=field)


def _check_size(content: bytes, limit: UploadLimit, field: str) -> None:
    if len(content) > limit.largest:
        raise Refused("file_too_large", field=field, size=size_in_megabytes(len(content)), most=limit.megabytes)


def _reencode_photo(content: bytes, field: str) -> bytes:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large pictures; the limit is checked below
            picture = Image.open(io.BytesIO(content), formats=FORMATS)
            most = MOST_PIXELS[_kind(picture)]
            if picture.width * picture.height > most:
                raise _too_many_pixels(field, most)
            picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)  # first, so that little is turned
            upright = ImageOps.exif_transpose(picture)
            drawn = io.BytesIO()
            _flatten_on_white(upright).save(drawn, "WEBP", quality=82, method=4, exif=b"", icc_profile=b"", xmp=b"")
    except Image.DecompressionBombError as fault:
        raise _too_many_pixels(field, MOST_JPEG_PIXELS) from fault
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError) as fault:
        raise Refused("photo_unreadable", field=field) from fault
    return drawn.getvalue()


def _kind(picture: Image.Image) -> str:
    """The format as a key of `MOST_PIXELS`."""
    is_progressive = picture.format == "JPEG" and bool(picture.info.get("progressive"))
    return "progressive JPEG" if is_progressive else picture.format or ""


def _too_many_pixels(field: str, most: int) -> Refused:
    return Refused("photo_too_many_pixels", field=field, most=most // 1_000_000)


def _flatten_on_white(picture: Image.Image) -> Image.Image:
    """Remove transparency: a scan with a transparent background would become black on black."""
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        clear = picture.convert("RGBA")
        paper = Image.new("RGB", clear.size, "white")
        paper.paste(clear, mask=clear.getchannel("A"))
        return paper
    return picture.convert("RGB")


def _check_pdf(content: bytes, field: str) -> None:
    """Parse it in a process with bounds: ten megabytes can unpack to gigabytes, and pypdf may raise anything over what is in them."""
    try:
        told = bounded.run(lambda: _look_at_pdf(content), memory=PDF_MEMORY, seconds=PDF_SECONDS)
    except bounded.OutOfBounds as fault:
        raise Refused("pdf_unreadable", field=field) from fault
    match told:
        case {"locked": True}:
            raise Refused("pdf_locked", field=field)
        case {"active": True}:
            raise Refused("pdf_active", field=field)
        case {"pages": 0}:
            raise Refused("pdf_unreadable", field=field)
        case {"pages": int(pages)} if pages > MOST_PDF_PAGES:
            raise Refused("pdf_too_many_pages", field=field, n=pages, most=MOST_PDF_PAGES)


def _look_at_pdf(content: bytes) -> dict[str, int | bool]:
    reader = PdfReader(io.BytesIO(content), strict=False)
    if reader.is_encrypted:
        return {"locked": True}
    return {"pages": len(reader.pages), "active": _has_active_content(reader)}


def _has_active_content(reader: PdfReader) -> bool:
    """Whether the PDF contains actions, scripts or attachments anywhere.  A scan never does."""
    waiting, seen = [reader.root_object], 0
    known: set[tuple[int, int]] = set()
    while waiting:
        found = waiting.pop()
        if isinstance(found, IndirectObject):
            if (found.idnum, found.generation) in known:
                continue
            known.add((found.idnum, found.generation))
            found = found.get_object()
        seen += 1
        if seen > MOST_PDF_PARTS:
            return True
        if isinstance(found, DictionaryObject):
            if found.get("/S") in ACTIVE_ACTIONS or any(name in found for name in EMBEDDED_CONTENT):
                return True
            waiting += found.values()
        elif isinstance(found, ArrayObject):
            waiting += found
    return False
