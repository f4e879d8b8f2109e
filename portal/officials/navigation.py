"""The navigation of the officials' pages."""

import uuid
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

SECTIONS = (
    (_l("今天"), "officials.home"),
    (_l("日程"), "officials.season"),
    (_l("招生规则"), "officials.policy_list"),
    (_l("学位审批"), "officials.places"),
    (_l("导入"), "officials.imports"),
    (_l("批次"), "officials.round_list"),
    (_l("资格审核"), "officials.review"),
    (_l("疑似重复"), "officials.duplicate_list"),
    (_l("抽签与派位"), "officials.draws"),
    (_l("未录取幼儿"), "officials.unplaced"),
    (_l("争议"), "officials.cases"),
    (_l("更正"), "officials.corrections"),
    (_l("两个占比"), "officials.coverage"),
    (_l("规划"), "officials.planning"),
    (_l("优质园"), "officials.quality"),
    (_l("实验室"), "officials.laboratory"),
    (_l("公告"), "officials.announcements"),
    (_l("报表"), "officials.reports"),
    (_l("短信"), "officials.messages"),
    (_l("账号管理"), "officials.accounts"),
    (_l("审计"), "officials.audit_trail"),
)
"""(label, endpoint) of each section; the addresses of its pages begin with that of the endpoint."""

DRAW_ROOM = "officials.draw_room"


def link_to(endpoint: str, **values: Any) -> str | None:
    """The address of an endpoint, or None if it does not exist."""
    return url_for(endpoint, **values) if endpoint in current_app.view_functions else None


def _may_open(endpoint: str) -> bool:
    """Whether the page exists and the current roles may open it."""
    guard = guard_of(current_app, endpoint) if endpoint in current_app.view_functions else None
    return guard is not None and guard.admits(actor().roles)


@pages.context_processor
def navigation_context() -> dict[str, Any]:
    def sections() -> list[tuple[str, str, bool]]:
        """(label, address, whether the current page belongs to it)."""
        found = [(name, url_for(end)) for name, end in SECTIONS if _may_open(end)]
        here = max((href for _name, href in found if request.path.startswith(href)), key=len, default="")
        return [(name, href, href == here) for name, href in found]

    def years() -> list[tuple[int, str, str, bool]]:
        """(year, state, address of the same section in that year, whether it is the year of this page)."""
        home, *others = [end for _name, end in SECTIONS if _may_open(end)]
        section = next((end for end in others if request.path.startswith(url_for(end))), home)
        return [
            (one.year, seasons.state(one, clock()), url_for(section, year=one.year), one.year == chosen_year())
            for one in seasons.all_years(db())
        ]

    def draw_room_url(round_id: uuid.UUID) -> str | None:
        """The address of the round's draw room, or None."""
        return link_to(DRAW_ROOM, round_id=round_id)

    return {
        "bound_codes": bond_effects.bound_codes,
        "sections": sections,
        "years": years,
        "page_season": chosen_season,
        "draw_room_url": draw_room_url,
        "policy_words": policy_rules,
        "watermark_text": watermark_text,
        "current_minute": watermark.current_minute,
    }
