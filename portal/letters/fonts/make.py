"""Make the subset font of common characters: `python -m portal.letters.fonts.make` (half a minute)."""

from fontTools import subset

from portal.letters.fonts import COMMON, WHOLE

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
    options = subset.Options(layout_features=[], hinting=False, name_IDs=["*"], notdef_outline=True)
    font = subset.load_font(str(WHOLE), options)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=common_characters())
    cutter.subset(font)
    subset.save_font(font, str(COMMON), options)


if __name__ == "__main__":
    make()
