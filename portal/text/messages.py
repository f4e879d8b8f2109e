"""What messages say: the words of a notice as the inbox shows them, and as a text message with its sender."""

import datetime as dt
import json
import re
import uuid
from collections.abc import Mapping
from typing import Any

from enrollment.applications.notifications import NO_CODE
from enrollment.ground.city_time import parse_time
from enrollment.season.round_rows import RoundKind
from portal.config import Config
from portal.text.formats import day, moment
from portal.text.words import language, word

MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}\S*")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")

NOBODY_NAMED = "family"
"""`who` of a notice that was written without it, if a guardian can cause it; see `NOBODY_NAMED_BY_KIND`."""

NOBODY_NAMED_BY_KIND = {
    "review_confirmed": "kindergarten",
    "review_returned": "kindergarten",
    "review_refused": "kindergarten",
    "marked_arrived": "kindergarten",
    "arrival_undone": "kindergarten",
    "marked_no_show": "kindergarten",
    "no_show_undone": "kindergarten",
    "offer_revoked": "area_office",
    "central_offered": "city_office",
    "offer_expired": "system",
    "moved_up": "system",
}
"""`who` of a notice that was written without it and that no family can cause."""


RESULT, WISHES, TASKS = "result", "wishes", "tasks"
ACTS: dict[str, str] = {
    **dict.fromkeys(("result_published", "place_offered", "central_offered", "moved_up", "answer_reminder"), RESULT),
    **dict.fromkeys(("round_open", "wishes_missing"), WISHES),
    **dict.fromkeys(("not_handed_in", "papers_missing", "bond_missing", "application_reinstated_draft"), TASKS),
    **dict.fromkeys(
        ("offer_expired", "offer_revoked", "arrival_reminder", "arrival_last_reminder", "no_show_undone"), RESULT
    ),
}
"""The page where the family does what a message asks for; other messages lead to the application, which has the button to
apply again."""

ASKS = (
    "answer_reminder", "place_offered", "central_offered", "round_open", "wishes_missing", "not_handed_in", "papers_missing",
    "application_reinstated_draft", "review_returned",
    "returned_reminder", "decline_proposed", "withdraw_proposed",
)  # fmt: skip
"""The messages that ask the family for an act before a date: their text ends with a link to it."""


ANSWERS = ("answer_confirm", "answer_confirm_and_wait", "answer_take_back")
"""The messages that say until when the child comes to the kindergarten.  One from before that was stored leaves it out."""

WITHDRAWALS = ("withdrawn_finally", "withdraw_proposed", "withdraw_reminder")
"""The messages that say what becomes of a place.  One from before that was stored says it for either case."""


ROUND_NAMES = ("name", "round")
"""The parameters of a message with a `round_kind` that hold the round's name, which the city writes in Chinese alone."""

SUPPLEMENTARY = ("round_open", "round_open_again", "wishes_missing")
"""The messages that are sent of no other kind of round.  One from before `round_kind` was stored is of this kind."""


def link_of(message_id: uuid.UUID, config: Config) -> str:
    """The address in a text message; it leads to the page of the act, after signing in."""
    return f"{config.public_url}/parents/to/{message_id}"


def wechat_body(message_id: uuid.UUID, kind: str, at: str, config: Config, in_language: str) -> str:
    """What goes to WeChat of a notice, as JSON: that there is something, when, and the link; what it is stands in the inbox.

    The fields are those of the template that the city applies for: `thing1` (at most 20 signs) and `time2`.
    """
    subject = word("wechat_subject", "act" if kind in ASKS else "news", in_language=in_language)
    data = {"thing1": {"value": subject[:20]}, "time2": {"value": at}}
    return json.dumps({"url": link_of(message_id, config), "data": data}, ensure_ascii=False)


def notice_words(
    kind: str, params: Mapping[str, Any], *, in_language: str | None = None, season: int | None = None
) -> str:
    """A notice in words; days and moments among its parameters are written as people write them.

    Where nothing was handed in there is no registration code, and the words leave it out.

    `who` among the parameters is a code of the group `who`: who made the decision that the notice reports.  `season` is the
    year of the message in words; a message from before it was stored says this year.

    `season` is given where the family has applications in several years: the words then begin with the year.
    """
    spoken = in_language or language()
    begin = "" if season is None else word("notice_season", "begin", in_language=spoken, year=season)
    return begin + word("notice", kind, in_language=spoken, **_params_in_words(kind, params, spoken))


def desk_words(kind: str, params: Mapping[str, Any]) -> str:
    """What a desk says to a family without a phone in place of the notice, in the language of the reader."""
    spoken = language()
    return word("desk_message", kind, in_language=spoken, **_params_in_words(kind, params, spoken))


def _params_in_words(kind: str, params: Mapping[str, Any], spoken: str) -> dict[str, Any]:
    said = {name: _said(value, spoken) for name, value in params.items()}
    said["who"] = word("who", params.get("who") or NOBODY_NAMED_BY_KIND.get(kind, NOBODY_NAMED), in_language=spoken)
    if "texts" in params:
        said["text"] = params["texts"][spoken]
    if kind == "review_returned":
        until = "dated" if "due" in said else "soon"
        said["answer_until"] = word("answer_until", until, in_language=spoken, due=said.get("due"))
    if kind == "application_submitted":
        due = said.get("changes_until")
        said["change_until"] = word("change_until", "dated" if due else "open", in_language=spoken, due=due)
    if kind in ANSWERS:
        due = said.get("arrive_by")
        said["arrival"] = word("arrive_by", "dated", in_language=spoken, due=due) if due else ""
    if kind in WITHDRAWALS:
        said["gives_up"] = _place_given_up(kind, params.get("holds_place"), spoken)
    round_kind = params.get("round_kind") or (RoundKind.SUPPLEMENTARY if kind in SUPPLEMENTARY else None)
    if round_kind and spoken != "zh":
        named = word("round_kind", round_kind, in_language=spoken)
        said |= {name: named for name in ROUND_NAMES if name in params}
    year = params.get("year")
    said["season"] = word("season_of", "year" if year else "this_year", in_language=spoken, year=year)
    codes = params.get("codes", NO_CODE)
    said["codes_known"] = word("registered", "codes", in_language=spoken, codes=codes) if codes != NO_CODE else ""
    if params.get("code") == NO_CODE:
        said["code"] = word("registered", "none", in_language=spoken)
    return said


def _place_given_up(kind: str, holds_place: bool | None, spoken: str) -> str:
    if holds_place is False:
        return ""
    return word(f"place_in_{kind}", "held" if holds_place else "perhaps", in_language=spoken)


def text_words(code: str, /, *, in_language: str | None = None, **params: Any) -> str:
    """The words of a text to a phone, without the sender."""
    spoken = in_language or language()
    return word(
        "text_message", code, in_language=spoken, **{name: _said(value, spoken) for name, value in params.items()}
    )


def signed(words: str, config: Config, *, in_language: str | None = None) -> str:
    """The whole text message: one sender, then the words."""
    if (in_language or language()) == "en":
        return f"[{config.sender_english}] {words}"
    return f"【{config.sender}】{words}"


def _said(value: Any, spoken: str) -> Any:
    if isinstance(value, str) and MOMENT.fullmatch(value):
        return moment(parse_time(value), in_language=spoken)
    if isinstance(value, str) and DAY.fullmatch(value):
        return day(dt.date.fromisoformat(value), in_language=spoken)
    return value
