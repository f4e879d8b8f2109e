"""Fonts of the letters.

`NotoSerifSC-GB2312.otf` holds the 7,543 characters of GB 2312 and ASCII out of the 30,000 of Noto Serif SC: what every
letter needs, cut out beforehand, because cutting it out of the whole font anew for each letter takes half of the time.
Rarer characters (names have them) come from the whole font in the wheel `pylopdf-fonts-zh-cn`.
SIL Open Font License 1.1, see OFL.txt; made by `python -m portal.letters.fonts.make`.
"""

from importlib.resources import files
from pathlib import Path

COMMON = Path(__file__).with_name("NotoSerifSC-GB2312.otf")
WHOLE = Path(str(files("pylopdf_fonts_zh_cn") / "NotoSerifSC-Regular.otf"))
