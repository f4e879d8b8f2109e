"""The navigation of the officials' pages."""

import uuid
from dataclasses import dataclass
from typing import Any

from flask import current_app, request, url_for
from flask_babel import lazy_gettext as _l

from enrollment.season import seasons
from portal.officials import pages
from portal.officials.years import chosen_season, chosen_year
from portal.text import policy_rules
from portal.web.evidence_files import watermark_text
from portal.web.guards import guard_of
from portal.web.shared_views import bond_effects, watermark
from portal.web.unit_of_work import actor, clock, db

GROUPS = (
    (_l("今天"), ((_l("今天"), "officials.home"),)),
    (
        _l("招生准备"),
        (
            (_l("日程"), "officials.season"),
            (_l("招生规则"), "officials.policy_list"),
            (_l("学位审批"), "officials.places"),
            (_l("批次"), "officials.round_list"),
            (_l("导入"), "officials.imports"),
        ),
    ),
    (
        _l("审核和派位"),
        (
            (_l("资格审核"), "officials.review"),
            (_l("疑似重复"), "officials.duplicate_list"),
            (_l("抽签与派位"), "officials.draws"),
            (_l("未录取幼儿"), "officials.unplaced"),
        ),
    ),
    (
        _l("家庭事项"),
        (
            (_l("争议"), "officials.cases"),
            (_l("更正"), "officials.corrections"),
            (_l("公告"), "officials.announcements"),
            (_l("短信"), "officials.messages"),
        ),
    ),
    (
        _l("占比和规划"),
        (
            (_l("两个占比"), "officials.coverage"),
            (_l("规划"), "officials.planning"),
            (_l("优质园"), "officials.quality"),
            (_l("实验室"), "officials.laboratory"),
        ),
    ),
    (
        _l("数据和账号"),
        (
            (_l("报表"), "officials.reports"),
            (_l("账号管理"), "officials.accounts"),
            (_l("审计"), "officials.audit_trail"),
        ),
    ),
)
"""(label, sections) of each group; a section is (label, endpoint), and the addresses of its pages begin with that of the
endpoint."""

ELSEWHERE = {"refusals": "officials.review", "support-cases": "officials.cases"}
"""Pages of a section whose address begins otherwise."""

OF_THE_ROUND = {"open", "close", "extend"}
"""Below a round, its own pages; every other page below it belongs to its draw."""

FEW = 7
"""So many sections stand in one row without groups."""

Section = tuple[str, str, bool]
"""Label, address, whether the current page belongs to it."""


@dataclass(frozen=True)
class Group:
    """Sections that belong together, as far as the reader may open them."""

    name: str
    sections: list[Section]

    @property
    def href(self) -> str:
        return self.sections[0][1]

    @property
    def here(self) -> bool:
        return any(here for _name, _href, here in self.sections)


DRAW_ROOM = "officials.draw_room"


def link_to(endpoint: str, **values: Any) -> str | None:
    """The address of an endpoint, or None if it does not exist."""
    return url_for(endpoint, **values) if endpoint in current_app.view_functions else None


def _may_open(endpoint: str) -> bool:
    """Whether the page exists and the current roles may open it."""
    guard = guard_of(current_app, endpoint) if endpoint in current_app.view_functions else None
    return guard is not None and guard.admits(actor().roles)


def _section_of_page(addresses: dict[str, str]) -> str:
    """The endpoint of the section that the current page belongs to: that with the longest address; "" for none."""
    segments = request.path.split("/")[3:]
    elsewhere = ELSEWHERE.get(segments[0]) if segments else None
    if segments[:1] == ["rounds"] and len(segments) > 2 and segments[2] not in OF_THE_ROUND:
        elsewhere = "officials.draws"
    if elsewhere in addresses:
        return str(elsewhere)
    found = [(len(href), end) for end, href in addresses.items() if request.path.startswith(href)]
    return max(found, default=(0, ""))[1]


@pages.context_processor
def navigation_context() -> dict[str, Any]:
    def groups() -> list[Group]:
        """The groups in which the reader may open something."""
        mine = {end: url_for(end) for _name, sections in GROUPS for _section, end in sections if _may_open(end)}
        here = _section_of_page(mine)
        found = [
            Group(str(name), [(str(label), mine[end], end == here) for label, end in sections if end in mine])
            for name, sections in GROUPS
        ]
        return [group for group in found if group.sections]

    def years() -> list[tuple[int, str, str, bool]]:
        """(year, state, address of the same section in that year, whether it is the year of this page)."""
        mine = {end: url_for(end) for _name, sections in GROUPS for _section, end in sections if _may_open(end)}
        section = _section_of_page(mine) or "officials.home"
        return [
            (one.year, seasons.state(one, clock()), url_for(section, year=one.year), one.year == chosen_year())
            for one in seasons.all_years(db())
        ]

    def draw_room_url(round_id: uuid.UUID) -> str | None:
        """The address of the round's draw room, or None."""
        return link_to(DRAW_ROOM, round_id=round_id)

    return {
        "bound_codes": bond_effects.bound_codes,
        "desk_groups": groups,
        "few_sections": FEW,
        "years": years,
        "page_season": chosen_season,
        "draw_room_url": draw_room_url,
        "policy_words": policy_rules,
        "watermark_text": watermark_text,
        "current_minute": watermark.current_minute,
    }
