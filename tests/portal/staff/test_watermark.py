"""Pictures and PDF pages that staff open have a watermark with the viewer and the time."""

import io

import pytest
from PIL import Image, ImageChops
from pypdf import PdfReader, PdfWriter

from portal.letters import pdf_renderer
from portal.web.evidence_files import WatermarkError, watermarked

SEEN = "王老师 1a2b3c4d 2026-05-30 10:00"


def picture(mode="RGB") -> bytes:
    drawn = io.BytesIO()
    Image.new(mode, (800, 600), "white").save(drawn, "WEBP")
    return drawn.getvalue()


def test_a_picture_is_marked_all_over_and_otherwise_the_same():
    made = Image.open(io.BytesIO(watermarked("image/webp", picture(), SEEN)))
    assert made.size == (800, 600)
    for corner in ((0, 0, 400, 300), (400, 0, 800, 300), (0, 300, 400, 600), (400, 300, 800, 600)):
        part = made.convert("L").crop(corner)
        assert ImageChops.invert(part).getbbox() is not None


def test_every_page_of_a_pdf_is_marked_and_keeps_its_text():
    letter = pdf_renderer.renderer().print(
        '<html lang="zh-CN"><title>x</title><p>第一页</p><p style="break-before: page">第二页</p></html>'
    )
    made = PdfReader(io.BytesIO(watermarked("application/pdf", letter, SEEN)))
    texts = [page.extract_text() for page in made.pages]
    assert ["第一页" in texts[0], "第二页" in texts[1]] == [True, True]
    assert all("Review only  1a2b3c4d 2026-05-30 10:00" in text for text in texts)


def test_an_empty_page_gets_a_watermark():
    writer, made = PdfWriter(), io.BytesIO()
    writer.add_blank_page(200, 200)
    writer.write(made)
    page = PdfReader(io.BytesIO(watermarked("application/pdf", made.getvalue(), "a (b) \\ c"))).pages[0]
    assert "Review only  a b  c" in page.extract_text()


@pytest.mark.parametrize("media_type", ["image/webp", "application/pdf"])
def test_an_unreadable_file_is_refused(media_type):
    with pytest.raises(WatermarkError):
        watermarked(media_type, b"no such thing", SEEN)
