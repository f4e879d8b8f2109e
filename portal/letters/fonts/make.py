"""Make the font of the common characters from the whole one: `python -m portal.letters.fonts.make` (some seconds)."""

from fontTools.ttLib import TTFont

from portal.letters.fonts import COMMON, WHOLE, outlines

PUNCTUATION = "、。！？：；，（）《》“”‘’—…·￥％〇"


def common_characters() -> set[int]:
    """ASCII, the punctuation of letters, and GB 2312."""
    found = set(range(0x20, 0x7F)) | set(map(ord, PUNCTUATION))
    for row in range(0xA1, 0xF8):
        for cell in range(0xA1, 0xFF):
            try:
                found.add(ord(bytes([row, cell]).decode("gb2312")))
            except UnicodeDecodeError:
                continue
    return found


def make() -> None:
    with TTFont(WHOLE, lazy=True) as whole:
        COMMON.write_bytes(outlines.truetype(whole, common_characters(), "Noto Serif SC GB 2312"))


if __name__ == "__main__":
    make()
