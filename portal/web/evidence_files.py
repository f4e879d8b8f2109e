"""Evidence as file responses, and the watermark with viewer and time in pictures and PDF pages that staff look at."""

import functools
import io
from importlib.resources import files

from flask import Response
from PIL import Image, ImageDraw, ImageFont
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, StreamObject

from enrollment.ground.city_time import CHENGDU
from portal.web.unit_of_work import actor, clock

SIZE, STEP = 26, 260


SANDBOX = "default-src 'none'; sandbox"


def file_response(media_type: str, content: bytes, name: str) -> Response:
    """A download response for an evidence file; the browser never renders it as a page of the portal."""
    ending = "pdf" if media_type == "application/pdf" else "webp"
    answer = Response(content, mimetype=media_type)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.{ending}"'
    answer.headers["Content-Security-Policy"] = SANDBOX
    answer.headers["Cache-Control"] = "no-store"
    return answer


def inline_picture(content: bytes, name: str) -> Response:
    """A picture that a page of the portal shows.  No browser keeps it."""
    answer = Response(content, mimetype="image/webp")
    answer.headers["Content-Disposition"] = f'inline; filename="{name}.webp"'
    answer.headers["Content-Security-Policy"] = SANDBOX
    answer.headers["Cache-Control"] = "no-store"
    return answer


def watermark_text() -> str:
    """The viewer's name and account prefix and the time; the prefix is readable in any font."""
    who = str(actor().account_id or "")[:8]
    return f"{actor().name} {who} {clock().astimezone(CHENGDU):%Y-%m-%d %H:%M}"


class WatermarkError(Exception):
    """The file cannot be opened, so it has no watermark and must not be shown."""


def watermarked(media_type: str, content: bytes, text: str) -> bytes:
    """The same content with the text as a watermark.  Raises WatermarkError."""
    try:
        return (
            _watermarked_pdf(content, text) if media_type == "application/pdf" else _watermarked_picture(content, text)
        )
    except Exception as fault:  # a parser may raise anything over a hostile file; a picture of it was not made either
        raise WatermarkError from fault


@functools.cache
def _font() -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(files("pylopdf_fonts_zh_cn") / "NotoSansSC-Regular.otf"), SIZE)


@functools.lru_cache(maxsize=8)
def _stamp(text: str) -> Image.Image:
    """The text once, rotated, on a transparent background."""
    left, top, right, bottom = _font().getbbox(text)
    flat = Image.new("RGBA", (int(right - left) + 8, int(bottom - top) + 8))
    ImageDraw.Draw(flat).text((4 - left, 4 - top), text, font=_font(), fill=(120, 20, 60, 70))
    return flat.rotate(24, expand=True)


def _watermarked_picture(content: bytes, text: str) -> bytes:
    picture = Image.open(io.BytesIO(content), formats=("WEBP", "JPEG", "PNG")).convert("RGB")
    stamp = _stamp(text)
    for row, y in enumerate(range(-40, picture.height, STEP)):
        for x in range(-40 - row % 2 * stamp.width // 2, picture.width, stamp.width + 60):
            picture.paste(stamp, (x, y), stamp)
    drawn = io.BytesIO()
    picture.save(drawn, "WEBP", quality=78, method=2)
    return drawn.getvalue()


def _watermarked_pdf(content: bytes, text: str) -> bytes:
    """The built-in PDF font has ASCII characters only, so the watermark keeps only these."""
    plain = "".join(character for character in text if character.isascii()).strip() or "-"
    safe = plain.replace("\\", "").replace("(", "").replace(")", "")
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(content)))
    for page in writer.pages:
        stream = StreamObject()
        stream.set_data(f"q 0.6 0.1 0.3 rg BT /Mark 9 Tf 24 16 Td (Review only  {safe}) Tj ET Q".encode("latin-1"))
        font = DictionaryObject(
            {
                NameObject("/Type"): NameObject("/Font"),
                NameObject("/Subtype"): NameObject("/Type1"),
                NameObject("/BaseFont"): NameObject("/Helvetica"),
            }
        )
        resources = page.setdefault(NameObject("/Resources"), DictionaryObject()).get_object()
        fonts = resources.setdefault(NameObject("/Font"), DictionaryObject()).get_object()
        fonts[NameObject("/Mark")] = writer._add_object(font)
        before = page.get("/Contents")
        old = (
            []
            if before is None
            else list(before.get_object())
            if isinstance(before.get_object(), ArrayObject)
            else [before]
        )
        page[NameObject("/Contents")] = ArrayObject([*old, writer._add_object(stream)])
    made = io.BytesIO()
    writer.write(made)
    return made.getvalue()
