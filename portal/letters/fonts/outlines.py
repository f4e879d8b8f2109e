"""TrueType fonts made of the glyphs of an OpenType (CFF) font.

PDF viewers do not agree on CFF fonts with two-byte characters: Ghostscript and MuPDF draw boxes or nothing where Poppler
and pdfium are right.  All of them draw TrueType outlines, so letters embed nothing else.
"""

import io
from collections.abc import Iterable

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

TOLERANCE = 1.0
"""How far a quadratic curve may lie from the cubic one, in thousandths of the font size: 0.005 mm at 13 points."""
NOTDEF = ".notdef"


def truetype(source: TTFont, characters: Iterable[int], family: str) -> bytes:
    """A font with these characters (code points) of `source`; those that it lacks are left out."""
    known = source.getBestCmap()
    mapping = {code: known[code] for code in sorted(set(characters)) if code in known}
    order = [NOTDEF, *dict.fromkeys(mapping.values())]
    glyphs, drawn = source.getGlyphSet(), {}
    for name in order:
        pen = TTGlyphPen(None)
        glyphs[name].draw(Cu2QuPen(pen, TOLERANCE * source["head"].unitsPerEm / 1000, reverse_direction=True))
        drawn[name] = pen.glyph()
    return _assembled(source, order, mapping, drawn, family)


def _assembled(source: TTFont, order: list[str], mapping: dict[int, str], drawn: dict, family: str) -> bytes:
    lines, win = source["hhea"], source["OS/2"]
    builder = FontBuilder(source["head"].unitsPerEm, isTTF=True)
    builder.setupGlyphOrder(order)
    builder.setupCharacterMap(mapping)
    builder.setupGlyf(drawn)
    boxes = builder.font["glyf"]
    builder.setupHorizontalMetrics({name: (source["hmtx"][name][0], getattr(boxes[name], "xMin", 0)) for name in order})
    builder.setupHorizontalHeader(ascent=lines.ascent, descent=lines.descent, lineGap=lines.lineGap)
    builder.setupNameTable({"familyName": family, "styleName": "Regular", "copyright": _copyright(source)})
    builder.setupOS2(
        sTypoAscender=win.sTypoAscender,
        sTypoDescender=win.sTypoDescender,
        sTypoLineGap=win.sTypoLineGap,
        usWinAscent=win.usWinAscent,
        usWinDescent=win.usWinDescent,
        fsSelection=0x40,
    )
    builder.setupPost(keepGlyphNames=False)
    builder.font["head"].created = builder.font["head"].modified = source["head"].modified
    builder.font.recalcTimestamp = False
    written = io.BytesIO()
    builder.save(written)
    return written.getvalue()


def _copyright(source: TTFont) -> str:
    return source["name"].getDebugName(0) or ""
