"""Fonts of the letters.

`NotoSerifSC-GB2312.otf` is a subset of Noto Serif SC: 7,543 of its 30,000 characters, those of GB 2312 and ASCII.  It is
made in advance, because subsetting the whole font for each letter takes half of the rendering time.  Rarer characters,
which occur in names, come from the whole font in the wheel `pylopdf-fonts-zh-cn`.
SIL Open Font License 1.1, see OFL.txt; made by `python -m portal.letters.fonts.make`.
"""

from importlib.resources import files
from pathlib import Path

COMMON = Path(__file__).with_name("NotoSerifSC-GB2312.otf")
WHOLE = Path(str(files("pylopdf_fonts_zh_cn") / "NotoSerifSC-Regular.otf"))
