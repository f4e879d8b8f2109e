"""The sketch map of the areas: public share, inclusive coverage, and the change to September."""

from dataclasses import dataclass, replace

from flask_babel import gettext as _

from allocation.coverage import Share
from enrollment.coverage.forecast.outlook import NoOutlook, Outlook
from enrollment.coverage.shares import AreaLine, CoverageLine, Shares
from portal import maps
from portal.text.words import language

CHANGED, MUCH = 10, 50
"""Hundredths of a point from which a share goes up or down, or does so by much."""


@dataclass(frozen=True)
class MapValue:
    """How an area looks on one of the maps: its band, its figure, whether its target is met."""

    band: int
    text: str
    met: bool | None


@dataclass(frozen=True)
class MapArea:
    """An area with its `values` by map.  Zones without an outline have no `path`."""

    code: str
    name: str
    summary: str
    values: dict[str, MapValue]
    path: str = ""
    label: tuple[int, int] | None = None
    """Where the name stands; None where it would cover another one."""


@dataclass(frozen=True)
class Maps:
    """`modes` are the maps that there are figures for; `drawn` have an outline and `zones` have none."""

    modes: tuple[str, ...]
    drawn: tuple[MapArea, ...]
    zones: tuple[MapArea, ...]


def three_maps(figures: Shares, outlook: Outlook | NoOutlook) -> Maps:
    """The maps of the public share and the inclusive coverage, and with a forecast that of the change to September."""
    outlines = {outline.code: outline for outline in maps.outlines()}
    with_change = isinstance(outlook, Outlook)
    drawn, zones = [], []
    for line in figures.areas:
        values = {"public": _share_value(line.now.public_share), "inclusive": _share_value(line.now.inclusive_coverage)}
        if isinstance(outlook, Outlook):
            september = outlook.septembers[line.code][0].public.share
            values["change"] = _change_value(line.now.public_share, september)
        outline = outlines.get(line.code)
        area = (line.code, short_name(line), map_summary(line), values)
        if outline is None:
            zones.append(MapArea(*area))
        else:
            drawn.append(MapArea(*area, outline.path, outline.label))
    modes = ("public", "inclusive", "change") if with_change else ("public", "inclusive")
    return Maps(modes, _with_room_for_labels(drawn), tuple(zones))


APART = (64, 34)
"""Labels of two areas are farther from each other than this, across or down."""


def _with_room_for_labels(areas: list[MapArea]) -> tuple[MapArea, ...]:
    """The areas, of which those below their target keep their labels first."""
    kept: list[tuple[int, int]] = []
    labelled = set()
    for area in sorted(areas, key=lambda each: (each.values["public"].met is not False, each.values["public"].band)):
        here = area.label
        if here and all(abs(here[0] - x) > APART[0] or abs(here[1] - y) > APART[1] for x, y in kept):
            kept.append(here)
            labelled.add(area.code)
    return tuple(area if area.code in labelled else replace(area, label=None) for area in areas)


def band(share: Share) -> int:
    """Below the target by more than three points, below it, met, met by four and by seven points; 0 is not judged."""
    if share.percent is None or share.target is None:
        return 0
    points = share.percent.hundredths - share.target.hundredths
    if not share.met:
        return 1 if points <= -300 else 2
    return 3 if points < 400 else 4 if points < 700 else 5


def _share_value(share: Share) -> MapValue:
    return MapValue(band(share), share.text, share.met)


def _change_value(now: Share, september: Share) -> MapValue:
    """Much less, less, about the same, more, much more."""
    if now.percent is None or september.percent is None:
        return MapValue(0, "—", None)
    points = september.percent.hundredths - now.percent.hundredths
    text = f"{'+' if points > 0 else '−' if points < 0 else '±'}{abs(points) / 100:.1f}"
    size = 2 if abs(points) >= MUCH else 1 if abs(points) >= CHANGED else 0
    return MapValue(8 + (size if points > 0 else -size), text, september.met)


def short_name(line: CoverageLine) -> str:
    """The name without prefixes such as 成都 and 四川, because the map has little room."""
    if language() == "en":
        return line.name_en.removeprefix("Chengdu ").removesuffix(" New Area").removesuffix(" Zone")
    return line.name.removeprefix("成都").removeprefix("四川")


def map_summary(line: AreaLine) -> str:
    """The text that the page shows when a reader selects the area on the map."""
    name = line.name_en if language() == "en" else line.name
    if not line.now.all:
        return _("%(name)s：没有在园幼儿", name=name)
    return _(
        "%(name)s：公办 %(public)s%%，普惠 %(inclusive)s%%",
        name=name,
        public=line.now.public_share.text,
        inclusive=line.now.inclusive_coverage.text,
    )
