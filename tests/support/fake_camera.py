"""A film for the fake camera of Chromium: a sheet of paper with a QR code that moves before the lens, as a file of YUV4MPEG2."""

import io
from pathlib import Path

import segno
from PIL import Image, ImageFilter

SIZE = (960, 720)
FLAGS = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--use-file-for-fake-video-capture={}")
PLACES = ((0, 300, 200), (6, 340, 170), (-9, 260, 230), (14, 320, 190))
"""Of each picture the angle of the sheet in degrees, and where it lies."""


def film(file: Path, text: str, *, blank: int = 3) -> Path:
    """The table alone for a few pictures, then the sheet with the code of this text, turned a little differently in each."""
    made = io.BytesIO()
    segno.make(text, error="m", micro=False).save(made, kind="png", border=4, scale=6)
    code = Image.open(made).convert("L")
    pictures = [_table() for _ in range(blank)]
    for angle, left, top in PLACES:
        sheet = Image.new("L", (code.width + 80, code.height + 120), 235)
        sheet.paste(code, (40, 90))
        turned = sheet.rotate(angle, expand=True, fillcolor=120)
        picture = _table()
        picture.paste(turned, (left, top))
        pictures.append(picture.filter(ImageFilter.GaussianBlur(1.1)))
    neutral = bytes([128]) * (SIZE[0] * SIZE[1] // 2)
    with file.open("wb") as out:
        out.write(f"YUV4MPEG2 W{SIZE[0]} H{SIZE[1]} F5:1 Ip A1:1 C420jpeg\n".encode())
        for each in pictures:
            out.write(b"FRAME\n" + each.tobytes() + neutral)
    return file


def _table() -> Image.Image:
    """A dark, uneven table."""
    return Image.effect_noise(SIZE, 18).point(lambda grey: max(60, grey - 20))
