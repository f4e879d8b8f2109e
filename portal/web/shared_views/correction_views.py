"""A correction request as the pages of families, clerks and officials show it."""

import datetime as dt
import uuid
from typing import Any

from flask import Response
from flask_babel import gettext as _

from enrollment.applications import wishes
from enrollment.applications.application_rows import Application
from enrollment.applications.wishes import CarriedWish
from enrollment.corrections import (
    corrected_values,
    correction_papers,
    decisions,
    effects,
    family_moves,
    home_moves,
    request_list,
    requests,
)
from enrollment.ground.accounts import Account, Actor
from enrollment.ground.vault import mask
from enrollment.people import guardians
from enrollment.people.household_rows import household_of
from enrollment.review.correction_rows import UNDECIDED, CorrectionKind, CorrectionRequest, CorrectionState
from enrollment.season.facts import Fact
from portal.text.facts import names_for, value_words
from portal.text.formats import day, moment
from portal.text.office_names import office_name
from portal.text.words import word
from portal.web.evidence_files import SANDBOX, WatermarkError, watermarked
from portal.web.unit_of_work import actor, db


def value_rows(request: CorrectionRequest) -> list[tuple[str, str, str]]:
    """(what, before, after) in words; of a move in the order of its form."""
    before, after = corrected_values.before_of(request), corrected_values.after_of(request)
    if request.kind == CorrectionKind.MOVE:
        order = (*home_moves.ABOUT_THE_MOVE, *home_moves.COLUMNS)
        after = {name: after[name] for name in order if name in after}
    names, of_fact = names_for(db(), [*before.items(), *after.items()]), request.fact is not None
    told_before = value_words({name: before[name] for name in after}, names, fact=of_fact)
    told_after = value_words(after, names, fact=of_fact)
    return [(what, old, new) for (what, old), (_what, new) in zip(told_before, told_after, strict=True)]


def page_values(request: CorrectionRequest) -> dict[str, Any]:
    """What every page of a request shows: the values, the papers, the desk and the history."""
    application = db().get_one(Application, request.application_id)
    return {
        "request_": request,
        "application": application,
        "rows": value_rows(request),
        "papers": correction_papers.pages_of(db(), request.id),
        "office": office_name(db(), request.kindergarten_id, request.area_code),
        "history": request_list.history_of(db(), request.id),
        "undecided": request.state in UNDECIDED,
        "move_counts": home_moves.counts(request),
        "carried": _carried(request, application),
        "together": family_moves.together_with(db(), request),
    }


def _carried(request: CorrectionRequest, application: Application) -> list[CarriedWish]:
    """What becomes of the wishes, while nobody has decided a birth date of another class level."""
    level = corrected_values.after_of(request).get(corrected_values.LEVEL)
    return wishes.carried(db(), application, level) if level and request.state in UNDECIDED else []


def desk_values(request: CorrectionRequest) -> dict[str, Any]:
    """The same for those who decide: also who requested and signed, and the other application of a duplicate."""
    signed = decisions.signed_by(db(), request)
    return page_values(request) | {
        "requested_by": db().get_one(Account, request.requested_by).name,
        "signed": [(db().get_one(Account, each.account_id).name, each.signed_at) for each in signed],
        "signers": {each.account_id for each in signed},
        "needs_two": decisions.needs_two(request),
        "may_decide": decisions.may_decide(db(), request, by=actor()),
        "reopens": request.kind != CorrectionKind.DUPLICATE and effects.changes_the_market(request),
    }


def course_words(request: CorrectionRequest) -> list[tuple[str, str]]:
    """(what, when and by whom) of the moves of a request so far, for a person whose page is older."""
    return [
        (word("correction_move", each.move), f"{moment(each.at)} {_staff_name(each.account_id)}".strip())
        for each in request_list.history_of(db(), request.id)
    ]


def _staff_name(account_id: uuid.UUID | None) -> str:
    """The name of a member of staff; empty for a guardian and for the clock."""
    account = db().get(Account, account_id) if account_id is not None else None
    return account.name or "" if account is not None and account.login is not None else ""


def decided_words(request: CorrectionRequest) -> str:
    if request.state == CorrectionState.REFUSED:
        return _("没有同意，家庭会收到理由。")
    if request.state == CorrectionState.SIGNED:
        return _("已同意。还需要另一位工作人员同意才会更正。")
    return _("已更正，家庭会收到通知。")


def paper_response(request_id: uuid.UUID, page_id: uuid.UUID, watermark: str) -> Response:
    """A page of the paper with the viewer's watermark.  The caller has looked the request up, and audits the view."""
    page = correction_papers.page_content(db(), request_id, page_id)
    try:
        content = watermarked(page.media_type, page.content, watermark)
    except WatermarkError:
        return Response(status=415)
    shown = "inline" if page.media_type.startswith("image/") else "attachment"
    ending = "webp" if shown == "inline" else "pdf"
    headers = {
        "Content-Disposition": f'{shown}; filename="{page_id.hex[:8]}.{ending}"',
        "Content-Security-Policy": SANDBOX,
        "Cache-Control": "no-store",
    }
    return Response(content, mimetype=page.media_type, headers=headers)


def registered_now(
    application: Application, kind: CorrectionKind, fact: Fact | None, *, by: Actor | None = None
) -> list[tuple[str, str]]:
    """(what, value) of what is registered now, beside the fields of a new request; of a guardian its own with `by`."""
    if fact is not None:
        value = corrected_values.of_fact(db(), application.id, fact)
        return [(word("fact", fact), names_for(db(), [(fact, value)]).value_words(fact, value))]
    if kind == CorrectionKind.MOVE:
        home = home_moves.of_household(household_of(db(), application.id))
        said = {column: value for column, value in home.items() if value is not None}
        return value_words(said, names_for(db(), said.items()), fact=False)
    if kind == CorrectionKind.OTHER_IDENTITY:
        guardian = guardians.guardian_of(db(), by=by) if by else requests.guardian_of_application(db(), application)
        shown = corrected_values.of_guardian(guardian) if guardian else {}
    else:
        shown = corrected_values.of_child(application.child)
    return [
        (word("correction_value", name), _identity_words(name, shown[name]))
        for name in corrected_values.TYPED.get(kind, ())
        if shown.get(name)
    ]


def _identity_words(name: str, value: str) -> str:
    if name == "born":
        return day(dt.date.fromisoformat(value), year=True)
    if name == "id_number":
        return mask(value, keep_start=4) or ""
    return word(name, value) if name in ("sex", "id_kind") else value
