"""The packed form of an opening: its canonical JSON with digests as bytes, and frequent parts as one character each.

More than half of an opening are hex digits of hashes, which no compression makes shorter than the bytes that they stand for.
A packed opening is the byte ``2``, the length of the text (4 bytes, the most significant first), the text, and the bytes of all
digests in their order. In the text a control character, which canonical JSON never has, stands for a word of ``WORDS``; in a
word ``DIGEST`` and ``CODE`` stand for the hex digits of the next 32 and the next 16 bytes.
"""

import re

from allocation.files.commitments import LEFT, RIGHT
from allocation.files.publication import ENTRY_BYTES, OUTCOMES
from allocation.lottery import DIGEST_BYTES

FORM = 2
"""The first byte. Openings that were compressed begin with another one (zlib: 0x78)."""

DIGEST, CODE = "\x01", "\x02"
STEP = {LEFT: "\x03", RIGHT: "\x04"}
"""The lowest step of a path, by its side."""
NEXT_STEPS = str.maketrans({LEFT: "\x05", RIGHT: "\x06"})
"""The sides of the steps above it."""
BLOCK, RANK, TIER, WISH = "\x07", "\x08", "\x0b", "\x0c"
ENTRY = tuple("\x0e\x0f\x10\x11")
"""What stands between the code of a block and the position of an entry, by the index of the outcome."""

WORDS = {
    **{STEP[side]: f'["{side}","{DIGEST}"]' for side in (LEFT, RIGHT)},
    **{side.translate(NEXT_STEPS): f',["{side}","{DIGEST}"]' for side in (LEFT, RIGHT)},
    BLOCK: '{"block":"',
    **{
        word: f'","entry":"{CODE}","outcome":"{outcome}","position":'
        for word, outcome in zip(ENTRY, OUTCOMES, strict=True)
    },
    RANK: '","rank":',
    TIER: ',"tier":',
    WISH: '],"programme":"',
}

_WORD = re.compile("[\x03-\x1f]")
_HEX = re.compile(f"[{DIGEST}{CODE}]")
_DIGITS_OF = {DIGEST: 2 * DIGEST_BYTES, CODE: 2 * ENTRY_BYTES}


def pack(text: str, digests: bytes) -> bytes:
    """A packed opening from its text and the bytes of the digests that it names."""
    written = text.encode()
    return b"%c%b%b%b" % (FORM, len(written).to_bytes(4, "big"), written, digests)


def unpack(packed: bytes) -> bytes:
    """The canonical JSON of a packed opening. Raises ``ValueError`` for what is none."""
    size = 5 + int.from_bytes(packed[1:5], "big")
    if packed[:1] != bytes([FORM]) or size > len(packed):
        raise ValueError("not a packed opening")
    digits, at = packed[size:].hex(), 0

    def next_digits(sign: re.Match[str]) -> str:
        nonlocal at
        begin, at = at, at + _DIGITS_OF[sign[0]]
        return digits[begin:at]

    text = _HEX.sub(next_digits, _WORD.sub(lambda word: WORDS[word[0]], packed[5:size].decode()))
    if at != len(digits):
        raise ValueError("not a packed opening: digests are missing, or too many")
    return text.encode()
