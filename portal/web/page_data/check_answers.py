"""Answers of the check without an account, which the family took along to its application.

They prefill the pages of household and grounds and are shown as unsaved.  Nothing becomes a claim before the family has saved
the page; from then on, or after an hour, they are gone.
"""

import json
from enum import StrEnum

from flask import session

from portal.web import clock
from portal.web.sessions import current_session
from portal.web.unit_of_work import actor

LIFETIME = 3600
KEY = "check_answers"


class Part(StrEnum):
    """The page that the answers fill."""

    HOUSEHOLD = "household"
    GROUNDS = "grounds"


def carry(answers: dict[Part, dict[str, str]]) -> None:
    current_session().set_sealed(KEY, json.dumps({"at": clock.real_now().timestamp(), "parts": answers}))


def carried(part: Part) -> dict[str, str]:
    """The answers for a page by the names of their fields; none for a helper, who acts for another family."""
    kept = json.loads(current_session().get_sealed(KEY) or "null")
    fresh = kept is not None and clock.real_now().timestamp() - kept["at"] < LIFETIME
    return kept["parts"].get(part, {}) if fresh and actor().on_behalf is None else {}


def drop(part: Part) -> None:
    """The page was saved: what it says counts."""
    kept = json.loads(current_session().get_sealed(KEY) or "null")
    if kept is None or part not in kept["parts"]:
        return
    del kept["parts"][part]
    if kept["parts"]:
        current_session().set_sealed(KEY, json.dumps(kept))
    else:
        session.pop(KEY)
