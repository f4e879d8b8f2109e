"""Shared by the public and the officials' coverage pages: the definition form, the figures, their words."""

import datetime as dt
from dataclasses import replace
from typing import Any

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from markupsafe import Markup
from wtforms import BooleanField, Field
from wtforms.validators import Optional, ValidationError

from allocation.coverage import Share
from enrollment.coverage import shares
from enrollment.coverage.forecast import outlook
from enrollment.coverage.forecast.outlook import NoOutlook, Outlook
from enrollment.coverage.indicator import SWITCHES, Definition
from enrollment.coverage.shares import AreaLine, CoverageLine, KindergartenLine, Shares
from enrollment.coverage.targets import TargetDecision
from enrollment.season import seasons
from portal.text.formats import day, grouped
from portal.text.words import language
from portal.web.admission_year import asked_year, year_links
from portal.web.forms import CivilDate
from portal.web.shared_views.coverage_maps import short_name, three_maps
from portal.web.unit_of_work import city_day, clock, db

EARLIEST = dt.date(2015, 9, 1)
"""The first date that can be asked for in a city without a roll."""

SWITCH_VALUES = ("y", "")


class DefinitionForm(FlaskForm):
    """The options of the definition.  A GET form: its values are in the query string, and it needs no CSRF token."""

    class Meta:
        csrf = False

    on = CivilDate(_l("名册日期"), [Optional()])
    nursery = BooleanField(_l("计入托班（2 岁班）"))
    attached = BooleanField(_l("附设幼儿班计入公办、普惠"))
    education = BooleanField(_l("公办只算教育部门办园（教办）"))
    at_parent = BooleanField(_l("分园的孩子算在主园所在的区"))
    since = CivilDate(_l("和哪一天比"), [Optional()])

    def validate_on(self, field: Field) -> None:
        _require_a_day_with_a_roll(field)

    def validate_since(self, field: Field) -> None:
        _require_a_day_with_a_roll(field)

    def validate_nursery(self, field: Field) -> None:
        _refuse_unknown_switch(field)

    def validate_attached(self, field: Field) -> None:
        _refuse_unknown_switch(field)

    def validate_education(self, field: Field) -> None:
        _refuse_unknown_switch(field)

    def validate_at_parent(self, field: Field) -> None:
        _refuse_unknown_switch(field)

    def definition(self) -> Definition:
        """The chosen definition; the date is today where it is missing or wrong."""
        on = self.on.data if self.on.data and not self.on.errors else city_day()
        chosen = {switch: self[switch].data is True and not self[switch].errors for switch in SWITCHES}
        return Definition(on, **chosen)

    def args(self) -> dict[str, Any]:
        """The query parameters of the chosen definition, for links of the page."""
        chosen = {field.name: request.args[field.name] for field in self if field.name in request.args}
        return {name: value for name, value in chosen.items() if not self[name].errors}

    def of_year(self, year: int) -> dict[str, Any]:
        """The same with the year, for the public page; officials have the year in the path."""
        return self.args() | {"year": str(year)}


def _require_a_day_with_a_roll(field: Field) -> None:
    if not field.data:
        return
    first_year = shares.first_school_year(db())
    first = dt.date(first_year, 9, 1) if first_year else EARLIEST
    if not first <= field.data <= city_day():
        raise ValidationError(
            _("请选 %(first)s到今天（%(today)s）之间的日期。", first=day(first, True), today=day(city_day(), True))
        )


def _refuse_unknown_switch(field: Field) -> None:
    """A switch is `y` or missing; any other text would silently count as yes."""
    if any(value not in SWITCH_VALUES for value in field.raw_data or []):
        raise ValidationError(_("这一项只能写 y，不计入就不写。"))


def definition_form() -> DefinitionForm:
    form = DefinitionForm(request.args)
    form.validate()
    return form


def target_year() -> int:
    """The year whose targets hold today."""
    return city_day().year


def public_year() -> int | None:
    """The year whose intake the public page adds: the one of the address, else the newest one under way with results.

    When the next year's registration opens, the results of this year stay until that year has its own.
    """
    asked = asked_year()
    if asked and seasons.visible_of_year(db(), asked) is not None:
        return asked
    going_on = [each for each in seasons.visible(db()) if not seasons.is_past(each, clock())]
    published = next((each for each in going_on if shares.intake_is_published(db(), each.year)), None)
    found = published or seasons.main_season(db(), clock())
    return found.year if found else None


def public_years(shown: int) -> list[tuple[int, str, bool]]:
    """Links to the years of the public page."""
    return year_links([each.year for each in seasons.visible(db())], shown)


def city_shares(definition: Definition, *, year: int | None) -> Shares:
    """The shares of the city on roll, and after the intake of `year`; without a season that of the definition's date.

    After the intake there are no figures before its first round is published.
    """
    year = year or definition.on.year
    figures = shares.city_shares(db(), definition, year=year)
    if shares.intake_is_published(db(), year):
        return figures
    return replace(
        figures,
        city=shares.without_intake(figures.city),
        areas=tuple(shares.without_intake(line) for line in figures.areas),
    )


def private_kindergartens(area: str, *, with_inclusive: bool) -> int:
    """How many open private kindergartens an area has, the inclusive ones among them or not."""
    return shares.private_kindergartens(db(), area, city_day(), with_inclusive=with_inclusive)


def outlook_of(figures: Shares) -> Outlook | NoOutlook:
    """What is expected of these figures; `cautious` of the query asks for the wider interval."""
    return outlook.outlook(db(), figures, cautious=request.args.get("cautious") == "y")


def area_shares(area: str, figures: Shares) -> tuple[KindergartenLine, ...]:
    """The kindergartens of an area, by the definition and the year of these figures."""
    lines = shares.area_shares(db(), area, figures.definition, year=figures.year)
    published = shares.intake_is_published(db(), figures.year)
    return lines if published else tuple(shares.without_intake(line) for line in lines)


def line_name(line: CoverageLine) -> str:
    return line.name_en if language() == "en" else line.name


def line_link(line: CoverageLine, href: str) -> Markup:
    return Markup('<a href="{}">{}</a>').format(href, line_name(line))


def largest_gaps(lines: tuple[CoverageLine, ...], most: int = 4) -> list[CoverageLine]:
    """The rows with the largest gap to one of the targets, the largest first."""
    behind = [line for line in lines if _largest_gap(line)]
    return sorted(behind, key=lambda line: (-_largest_gap(line), line.code))[:most]


def _largest_gap(line: CoverageLine) -> int:
    return max(line.now.public_share.to_move, line.now.inclusive_coverage.to_move)


def judged(lines: tuple[CoverageLine, ...]) -> bool:
    """Whether a row has children and a target, so that "all have reached it" says something."""
    return any(line.now.public_share.met is not None or line.now.inclusive_coverage.met is not None for line in lines)


def to_move(share: Share) -> str:
    """The gap by children from other kindergartens, as the cell of a table."""
    return grouped(share.to_move) if share.met is False else "—"


def to_add(share: Share) -> str:
    """The gap by children from outside, as the cell of a table."""
    if share.met is not False:
        return "—"
    return _("无法补足") if share.to_add is None else grouped(share.to_add)


def source_words(decision: TargetDecision) -> str:
    """The document behind a target."""
    number = f" {decision.source_number}" if decision.source_number else ""
    return _(
        "《%(name)s》%(number)s（%(day)s）",
        name=decision.source_name,
        number=number,
        day=day(decision.source_date, True),
    )


__all__ = ["AreaLine", "Shares", "short_name", "three_maps"]
