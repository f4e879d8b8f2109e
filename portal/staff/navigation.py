"""The rooms of the staff desk, as its pages name them under the header, and who looks at a page with personal data."""

from flask import current_app, request, url_for
from flask_babel import lazy_gettext as _l

from enrollment.ground.city_time import CHENGDU
from enrollment.ground.vault import masked
from portal.staff import pages
from portal.web.unit_of_work import actor, clock

ROOMS = (
    (_l("今日工作"), "staff.home"),
    (_l("资格审核"), "staff.queue"),
    (_l("第二人确认"), "staff.refusal_list"),
    (_l("学位台账"), "staff.places"),
    (_l("在园名册"), "staff.roll"),
    (_l("报到"), "staff.arrivals"),
)


def seen_by() -> str:
    """Who looks at this page, and when: the watermark.  The account's first digits stay readable in any font."""
    who = str(actor().account_id or "")[:8]
    return f"{actor().name} {who} {clock().astimezone(CHENGDU):%Y-%m-%d %H:%M}"


def this_minute() -> str:
    return f"{clock().astimezone(CHENGDU):%Y%m%d%H%M}"


@pages.context_processor
def rooms_of_the_desk():
    def rooms(here: str = "") -> list[tuple[str, str, bool]]:
        """(name, address, whether this page is in it); `here` is the endpoint of the room, by default this page's."""
        return [
            (name, url_for(endpoint), endpoint == (here or request.endpoint))
            for name, endpoint in ROOMS
            if endpoint in current_app.view_functions
        ]

    return {"rooms": rooms, "seen_by": seen_by, "this_minute": this_minute, "masked": masked}
