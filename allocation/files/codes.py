"""What a code may look like: one definition for every file, and the same one as in ``portal/static/verify/codes.js``.

A code is a text in Unicode normal form C of 1 to 100 characters that people can see and computers can write into a CSV
file without quoting. It has no comma, no quotation mark, no control, private or invisible character, no character that
changes the direction of writing, no blank except U+0020, and no blank at either end. The list below names the
characters, so that the definition does not change with the version of Unicode that a program knows.
"""

import re
import unicodedata

LONGEST_CODE = 100

#: First and last of each range of characters that no code contains.
FORBIDDEN = (
    (0x00, 0x1F), (0x22, 0x22), (0x2C, 0x2C), (0x7F, 0xA0), (0xAD, 0xAD),  # controls, quote, comma, no-break, soft hyphen
    (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x1680, 0x1680), (0x17B4, 0x17B5), (0x180B, 0x180F),
    (0x2000, 0x200F), (0x2028, 0x202F), (0x205F, 0x206F),  # blanks, zero width, line separators, directions
    (0x2800, 0x2800), (0x3000, 0x3000), (0x3164, 0x3164),  # blank braille, ideographic space, Hangul filler
    (0xD800, 0xF8FF),  # surrogates, private use
    (0xFDD0, 0xFDEF), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFB), (0xFFFE, 0xFFFF),
    (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A),  # shorthand and musical format controls
    *((plane + 0xFFFE, plane + 0xFFFF) for plane in range(0x10000, 0xE0000, 0x10000)),
    (0xE0000, 0x10FFFF),  # tags, variation selectors, private use
)  # fmt: skip

_CLASS = "".join(rf"\U{first:08X}-\U{last:08X}" for first, last in FORBIDDEN)
_CODE = re.compile(rf"(?! )[^{_CLASS}]{{1,{LONGEST_CODE}}}(?<! )")

#: Any forbidden character, in the syntax of RE2; surrogates do not occur in UTF-8 and are not allowed in a pattern.
FORBIDDEN_RE2 = "[" + "".join(rf"\x{{{max(first, 0xE000) if first == 0xD800 else first:X}}}-\x{{{last:X}}}" for first, last in FORBIDDEN) + "]"  # fmt: skip


def is_code(text: str) -> bool:
    """Whether a text is a code."""
    return _CODE.fullmatch(text) is not None and unicodedata.is_normalized("NFC", text)
