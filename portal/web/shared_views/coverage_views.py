"""Shared by the public and the officials' coverage pages: the definition form, the map, the CSV file."""

import datetime as dt
from dataclasses import dataclass

from flask import Response, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from markupsafe import Markup
from wtforms import BooleanField, DateField, Field
from wtforms.validators import Optional, ValidationError

from allocation.coverage import Share
from enrollment.coverage import shares
from enrollment.coverage.counts import Definition
from enrollment.coverage.shares import CoverageLine, Shares
from enrollment.places import spreadsheets
from enrollment.season import calendar
from portal import maps
from portal.text.words import language
from portal.web.unit_of_work import city_day, clock, db

EARLIEST = dt.date(2015, 9, 1)


class DefinitionForm(FlaskForm):
    """The options of the definition.  A GET form: its values are in the query string, and it needs no CSRF token."""

    class Meta:
        csrf = False

    on = DateField(_l("名册日期"), [Optional()])
    nursery = BooleanField(_l("计入托班（2 岁班）"))
    attached = BooleanField(_l("附设幼儿班计入公办、普惠"))

    def validate_on(self, field: Field) -> None:
        if field.data and not EARLIEST <= field.data <= city_day():
            raise ValidationError(_("请选 2015 年 9 月到今天之间的日期。"))

    def definition(self) -> Definition:
        """The chosen definition; the date is today where it is missing or wrong."""
        on = self.on.data if self.on.data and not self.on.errors else city_day()
        return Definition(on, nursery=bool(self.nursery.data), attached=bool(self.attached.data))


@dataclass(frozen=True)
class MapArea:
    """An area on the sketch map.  `band` 0 has no children, 1 and 2 are below the target, 3 to 5 at or above it."""

    code: str
    name: str
    band: int
    summary: str
    path: str = ""
    label: tuple[int, int] | None = None


def definition_form() -> DefinitionForm:
    form = DefinitionForm(request.args)
    form.validate()
    return form


def definition_args() -> dict[str, str]:
    """The query parameters of the definition, for links of the page."""
    return {name: request.args[name] for name in ("on", "nursery", "attached") if name in request.args}


def city_shares(definition: Definition) -> Shares:
    """The shares of the city on roll, and after the intake of the current season."""
    season = calendar.current_season(db(), clock())
    return shares.city_shares(db(), definition, year=season.year if season else definition.on.year)


def line_name(line: CoverageLine) -> str:
    return line.name_en if language() == "en" else line.name


def short_name(line: CoverageLine) -> str:
    """The name without prefixes such as 成都 and 四川, because the map has little room."""
    if language() == "en":
        return line.name_en.removeprefix("Chengdu ").removesuffix(" New Area").removesuffix(" Zone")
    return line.name.removeprefix("成都").removeprefix("四川")


def line_link(line: CoverageLine, href: str) -> Markup:
    return Markup('<a href="{}">{}</a>').format(href, line_name(line))


def band(share: Share) -> int:
    """Below the target by more than three points, below it, met, met by four and by seven points."""
    if share.hundredths is None:
        return 0
    points = share.hundredths - 100 * share.target
    if not share.met:
        return 1 if points <= -300 else 2
    return 3 if points < 400 else 4 if points < 700 else 5


def map_summary(line: CoverageLine) -> str:
    """The text that the page shows when a reader selects the area on the map."""
    if not line.now.all:
        return _("%(name)s：没有在园幼儿", name=line_name(line))
    return _(
        "%(name)s：公办 %(public)s%%，普惠 %(inclusive)s%%",
        name=line_name(line),
        public=line.now.public_share.text,
        inclusive=line.now.inclusive_coverage.text,
    )


def map_areas(areas: tuple[CoverageLine, ...]) -> tuple[list[MapArea], list[MapArea]]:
    """The districts that have an outline on the map, and the zones of the inset, which have none."""
    drawn = {outline.code: outline for outline in maps.outlines()}
    on_map, inset = [], []
    for line in areas:
        area = MapArea(line.code, short_name(line), band(line.now.public_share), map_summary(line))
        outline = drawn.get(line.code)
        if outline is None:
            inset.append(area)
        else:
            on_map.append(MapArea(line.code, area.name, area.band, area.summary, outline.path, outline.label))
    return on_map, inset


def largest_gaps(lines: tuple[CoverageLine, ...], most: int = 4) -> list[CoverageLine]:
    """The rows with the largest gap to a target, the largest first."""
    behind = [line for line in lines if gap(line)]
    return sorted(behind, key=lambda line: (-gap(line), line.code))[:most]


def gap(line: CoverageLine) -> int:
    return max(line.now.public_share.to_move, line.now.inclusive_coverage.to_move) if line.now.all else 0


def as_csv(
    lines: tuple[CoverageLine, ...], definition: Definition, city_line: CoverageLine | None, file: str
) -> Response:
    """One CSV row for each line, the whole city last.  Every row repeats the definition, so that each figure keeps it."""
    rows = [_csv_row(line, definition) for line in (*lines, *([city_line] if city_line else []))]
    answer = Response(spreadsheets.to_csv(_csv_head(), rows), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{file}-{definition.on}.csv"'
    return answer


def _csv_head() -> list[str]:
    return [
        _("代码"),
        _("区域"),
        _("在园幼儿"),
        _("公办在园"),
        _("普惠性民办在园"),
        _("公办占比（%）"),
        _("公办目标（%）"),
        _("公办达标"),
        _("公办还差（由他园转入，人）"),
        _("公办还差（由园外新增，人）"),
        _("普惠覆盖率（%）"),
        _("普惠目标（%）"),
        _("普惠达标"),
        _("普惠还差（由他园转入，人）"),
        _("普惠还差（由园外新增，人）"),
        _("招生后在园幼儿"),
        _("招生后公办占比（%）"),
        _("招生后普惠覆盖率（%）"),
        _("名册日期"),
        _("托班"),
        _("附设班计入公办、普惠"),
    ]


def _csv_row(line: CoverageLine, definition: Definition) -> list[object]:
    now, after = line.now, line.after
    return [
        line.code,
        line_name(line) or _("全市"),
        now.all,
        now.public,
        now.inclusive,
        *_csv_share(now.public_share),
        *_csv_share(now.inclusive_coverage),
        after.all,
        after.public_share.text,
        after.inclusive_coverage.text,
        definition.on.isoformat(),
        _("计入") if definition.nursery else _("不计"),
        _("计入") if definition.attached else _("不计"),
    ]


def _csv_share(share: Share) -> list[object]:
    if share.met is None:
        return ["—", share.target, "—", "—", "—"]
    return [share.text, share.target, _("是") if share.met else _("否"), share.to_move, share.to_add]
