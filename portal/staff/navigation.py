"""The navigation of the staff pages."""

import functools
from typing import Any

from flask import current_app, request, url_for
from flask_babel import lazy_gettext as _l

from enrollment.ground.vault import mask
from enrollment.season import seasons
from portal.staff import pages
from portal.web.admission_year import year_links
from portal.web.evidence_files import watermark_text
from portal.web.shared_views import bond_effects, watermark
from portal.web.unit_of_work import db

SECTIONS = (
    (_l("今日工作"), "staff.home"),
    (_l("资格审核"), "staff.queue"),
    (_l("第二人确认"), "staff.refusal_list"),
    (_l("更正"), "staff.corrections"),
    (_l("疑似重复"), "staff.duplicate_list"),
    (_l("学位台账"), "staff.places"),
    (_l("在园名册"), "staff.roll"),
    (_l("报到"), "staff.arrivals"),
    (_l("窗口"), "staff.desk"),
    (_l("联系家长"), "staff.families"),
    (_l("报表"), "staff.reports"),
)


@pages.context_processor
def navigation_context() -> dict[str, Any]:
    def sections(here: str = "") -> list[tuple[str, str, bool]]:
        """(label, address, whether it is current); `here` is the endpoint of the current section, by default this page."""
        return [
            (name, url_for(endpoint), endpoint == (here or request.endpoint))
            for name, endpoint in SECTIONS
            if endpoint in current_app.view_functions
        ]

    def season_years(shown: int) -> list[tuple[int, str, bool]]:
        """(year, address of this page in that year, whether it is shown): the years that staff may see."""
        return year_links([one.year for one in seasons.visible(db())], shown)

    @functools.cache
    def several_seasons() -> bool:
        """Whether applications of more than one year are under way, so that a line has to say which year it is of."""
        return len(seasons.announced(db())) > 1

    return {
        "several_seasons": several_seasons,
        "bound_codes": bond_effects.bound_codes,
        "season_years": season_years,
        "sections": sections,
        "watermark_text": watermark_text,
        "current_minute": watermark.current_minute,
        "masked": mask,
    }
