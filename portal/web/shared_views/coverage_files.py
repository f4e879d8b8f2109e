"""The CSV files of the two shares."""

from flask import Response
from flask_babel import gettext as _

from allocation.coverage import Share
from enrollment.coverage.indicator import Definition
from enrollment.coverage.shares import AreaLine, KindergartenLine, Shares
from enrollment.ground.classifications import CLASS_LEVELS
from enrollment.places import spreadsheets
from portal.text.words import word
from portal.web.shared_views.coverage_views import line_name


def city_csv(figures: Shares) -> Response:
    """A row for each area, the whole city last.  Every row repeats the definition, so that each figure keeps it."""
    definition = figures.definition
    rows = [_area_row(line, definition) for line in (*figures.areas, figures.city)]
    return _csv([*_area_head(), *_definition_head()], rows, f"coverage-{definition.on}")


def area_csv(lines: tuple[KindergartenLine, ...], definition: Definition, area: str) -> Response:
    """A row for each kindergarten of an area: what it is and whom it has.  The targets are not those of a kindergarten."""
    rows = [_kindergarten_row(line, definition) for line in lines]
    return _csv([*_kindergarten_head(), *_definition_head()], rows, f"coverage-{area}-{definition.on}")


def _csv(head: list[str], rows: list[list[object]], file: str) -> Response:
    answer = Response(spreadsheets.to_csv(head, rows), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{file}.csv"'
    return answer


def _definition_head() -> list[str]:
    return [_("名册日期"), _("托班"), _("附设班计入公办、普惠"), _("公办只算教办"), _("分园算在主园的区")]


def _definition_cells(definition: Definition) -> list[object]:
    return [
        definition.on.isoformat(),
        _("计入") if definition.nursery else _("不计"),
        _("计入") if definition.attached else _("不计"),
        _("是") if definition.education else _("否"),
        _("是") if definition.at_parent else _("否"),
    ]


def _kindergarten_head() -> list[str]:
    levels = [_("%(level)s在园", level=word("level", level)) for level in CLASS_LEVELS]
    return [_("代码"), _("幼儿园"), _("性质"), _("附设幼儿班"), _("在园幼儿"), *levels, _("招生后在园幼儿")]


def _kindergarten_row(line: KindergartenLine, definition: Definition) -> list[object]:
    children = [line.children.get(level, 0) if definition.counts(level) else "—" for level in CLASS_LEVELS]
    attached = _("是") if line.attached else _("否")
    kind = word("nature", line.nature)
    return [
        line.code,
        line.name,
        kind,
        attached,
        line.now.all,
        *children,
        line.after.all or "—",
        *_definition_cells(definition),
    ]


def _area_head() -> list[str]:
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
        _("公办国家底线（%）"),
        _("达到公办国家底线"),
        _("普惠覆盖率（%）"),
        _("普惠目标（%）"),
        _("普惠达标"),
        _("普惠还差（由他园转入，人）"),
        _("普惠还差（由园外新增，人）"),
        _("普惠国家底线（%）"),
        _("达到普惠国家底线"),
        _("招生后在园幼儿"),
        _("招生后公办占比（%）"),
        _("招生后普惠覆盖率（%）"),
    ]


def _area_row(line: AreaLine, definition: Definition) -> list[object]:
    now, after, least = line.now, line.after, line.least
    return [
        line.code,
        line_name(line) or _("全市"),
        now.all,
        now.public,
        now.inclusive,
        *_csv_share(now.public_share),
        *_csv_target(least.public_share),
        *_csv_share(now.inclusive_coverage),
        *_csv_target(least.inclusive_coverage),
        after.all or "—",
        after.public_share.text,
        after.inclusive_coverage.text,
        *_definition_cells(definition),
    ]


def _csv_target(share: Share) -> list[object]:
    """A target, and whether it is met."""
    met = {None: "—", True: _("是"), False: _("否")}[share.met]
    return [share.target.short if share.target else _("未设定"), met]


def _csv_share(share: Share) -> list[object]:
    if share.met is None:
        return [share.text, *_csv_target(share), "—", "—"]
    return [
        share.text,
        *_csv_target(share),
        share.to_move,
        _("无法补足") if share.to_add is None else share.to_add,
    ]
