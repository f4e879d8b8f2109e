"""What the public page and the officials' page of the two shares have in common: the question, the map, the CSV."""

import datetime as dt
from dataclasses import dataclass

from flask import Response, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from markupsafe import Markup
from wtforms import BooleanField, DateField
from wtforms.validators import Optional, ValidationError

from allocation.coverage import Share
from enrollment.coverage import shares
from enrollment.coverage.counts import Definition
from enrollment.coverage.shares import Line, Shares
from enrollment.places import spreadsheets
from enrollment.season import calendar
from portal import maps
from portal.text.words import language
from portal.web.unit_of_work import city_day, clock, db

EARLIEST = dt.date(2015, 9, 1)


class DefinitionForm(FlaskForm):
    """The switches of the definition; a question, so it travels in the address and needs no token."""

    class Meta:
        csrf = False

    on = DateField(_l("名册日期"), [Optional()])
    nursery = BooleanField(_l("计入托班（2 岁班）"))
    attached = BooleanField(_l("附设幼儿班计入公办、普惠"))

    def validate_on(self, field):
        if field.data and not EARLIEST <= field.data <= city_day():
            raise ValidationError(_("请选 2015 年 9 月到今天之间的日期。"))

    def definition(self) -> Definition:
        """What was asked; today where the date is missing or wrong."""
        on = self.on.data if self.on.data and not self.on.errors else city_day()
        return Definition(on, nursery=bool(self.nursery.data), attached=bool(self.attached.data))


@dataclass(frozen=True)
class Patch:
    """An area on the sketch map.  `band` 0 has no children, 1 and 2 are below the target, 3 to 5 at or above it."""

    code: str
    name: str
    band: int
    told: str
    path: str = ""
    label: tuple[int, int] | None = None


def asked() -> DefinitionForm:
    form = DefinitionForm(request.args)
    form.validate()
    return form


def asked_again() -> dict[str, str]:
    """The question as it was asked, for the links of the page; nothing else of the address."""
    return {name: request.args[name] for name in ("on", "nursery", "attached") if name in request.args}


def city(definition: Definition) -> Shares:
    """On roll, and after the intake of the season that goes on."""
    season = calendar.current(db(), clock())
    return shares.of_the_city(db(), definition, year=season.year if season else definition.on.year)


def name(line: Line) -> str:
    return line.name_en if language() == "en" else line.name


def short(line: Line) -> str:
    """On the map there is no room for 成都, 四川 and 县."""
    if language() == "en":
        return line.name_en.removeprefix("Chengdu ").removesuffix(" New Area").removesuffix(" Zone")
    return line.name.removeprefix("成都").removeprefix("四川")


def linked(line: Line, href: str) -> Markup:
    return Markup('<a href="{}">{}</a>').format(href, name(line))


def band(share: Share) -> int:
    """Below the target by more than three points, below it, met, met by four and by seven points."""
    if share.hundredths is None:
        return 0
    points = share.hundredths - 100 * share.target
    if not share.met:
        return 1 if points <= -300 else 2
    return 3 if points < 400 else 4 if points < 700 else 5


def told(line: Line) -> str:
    """What a tap on the map says."""
    if not line.now.all:
        return _("%(name)s：没有在园幼儿", name=name(line))
    return _(
        "%(name)s：公办 %(public)s%%，普惠 %(inclusive)s%%",
        name=name(line),
        public=line.now.public_share.text,
        inclusive=line.now.inclusive_coverage.text,
    )


def patches(areas: tuple[Line, ...]) -> tuple[list[Patch], list[Patch]]:
    """The districts with an outline, and the zones that stand in the inset."""
    drawn = {outline.code: outline for outline in maps.outlines()}
    on_map, inset = [], []
    for line in areas:
        patch = Patch(line.code, short(line), band(line.now.public_share), told(line))
        outline = drawn.get(line.code)
        if outline is None:
            inset.append(patch)
        else:
            on_map.append(Patch(line.code, patch.name, patch.band, patch.told, outline.path, outline.label))
    return on_map, inset


def farthest(lines: tuple[Line, ...], most: int = 4) -> list[Line]:
    """Where the most children are missing in public kindergartens, or else for the inclusive coverage."""
    behind = [line for line in lines if missing(line)]
    return sorted(behind, key=lambda line: (-missing(line), line.code))[:most]


def missing(line: Line) -> int:
    return max(line.now.public_share.to_move, line.now.inclusive_coverage.to_move) if line.now.all else 0


def as_csv(lines: tuple[Line, ...], definition: Definition, city_line: Line | None, file: str) -> Response:
    """One row for each line, the whole city last; the definition stands in every row, so that no figure loses it."""
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


def _csv_row(line: Line, definition: Definition) -> list[object]:
    now, after = line.now, line.after
    return [
        line.code,
        name(line) or _("全市"),
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
