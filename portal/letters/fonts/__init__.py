"""Fonts of the letters, all with TrueType outlines (`outlines` says why).

`NotoSerifSC-GB2312.ttf` holds the 7,543 characters of GB 2312 and ASCII out of the 30,000 of Noto Serif SC: what every
letter needs, prepared beforehand, because subsetting the whole font anew for each letter takes half of the time.
Rarer characters (names have them) come from the whole font in the wheel `pylopdf-fonts-zh-cn`; `rare` makes a small
TrueType font of those that one letter needs.
SIL Open Font License 1.1, see OFL.txt; made by `python -m portal.letters.fonts.make`.
"""

from importlib.resources import files
from pathlib import Path

COMMON = Path(__file__).with_name("NotoSerifSC-GB2312.ttf")
WHOLE = Path(str(files("pylopdf_fonts_zh_cn") / "NotoSerifSC-Regular.otf"))
SANS = Path(str(files("pylopdf_fonts_zh_cn") / "NotoSansSC-Regular.otf"))
"""The same script without serifs: it has a few characters that the serif font lacks."""
