"""The wishes: their order, changed by buttons or by dragging, each with its tier and its chance."""

import uuid
from typing import Any

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from wtforms import HiddenField, StringField

from enrollment.applications import deadlines, units, wishes
from enrollment.applications.applications import Application
from enrollment.applications.lifecycle import LIVE_STAGES
from enrollment.applications.statements import wish_list
from enrollment.draw import bond_participation
from enrollment.eligibility.wish_candidates import Candidate
from enrollment.ground.errors import Refused
from enrollment.offers import desk_answers
from enrollment.places.programmes import Programme
from enrollment.results import family_state
from enrollment.season.round_rows import RoundKind
from enrollment.season.rounds import Round
from portal.parents import application_status, chances, pages
from portal.parents.form_pages import (
    Planned,
    VersionedForm,
    application_of,
    bound_with,
    flash_saved_edit,
    form_page,
    names_of,
    posted_version,
    redirect_after_save,
    save_at_once,
    times_of,
    was_handed_in,
    write_at_once,
)
from portal.text.numbers import number_or, whole_number
from portal.text.words import word
from portal.web.forms import parse_uuid, refusals_in
from portal.web.guards import desk
from portal.web.idempotency import keeps_key, replay_answer, request_key
from portal.web.shared_views.finder import cards
from portal.web.unit_of_work import actor, clock, db


class WishesForm(VersionedForm):
    """The field `wish` repeats: the programmes in the order of the page.  The field `act` is the pressed button."""

    page = "wishes"
    wishes = StringField()
    seen = HiddenField()

    def saved_versions(self, application: Application | None) -> dict[str, str]:
        """The child's version and the stamp of its bond."""
        if application is None:
            return {}
        return {"version": str(application.version), "seen": units.stamp(units.of(db(), application))}

    def versions(self) -> dict[str, Any]:
        """What the page was rendered from: the child's version and the stamp of its bond."""
        return {"version": self.seen_version(), "seen": self.seen.data or ""}

    def entered_values(self) -> list[tuple[str, str]]:
        """The wishes by kindergarten name, in the requested order."""
        act = request.form.get("act", "next")
        wanted = put_back(reordered(listed_wishes(), act), act)
        found = [(_("第 %(n)s 志愿", n=rank), each) for rank, each in enumerate(wanted, 1)]
        if added := parse_uuid(request.form.get("add")):
            found.append((word("page", "wishes"), added))
        programmes = [(question, db().get(Programme, each)) for question, each in found]
        return [(question, programme.kindergarten.name) for question, programme in programmes if programme is not None]


def listed_wishes() -> list[uuid.UUID]:
    """The posted programmes in their order."""
    return [found for text in request.form.getlist("wish") if (found := parse_uuid(text)) is not None]


def wishes_view(
    form: WishesForm, application: Application, shown: list[uuid.UUID] | None = None
) -> ResponseReturnValue:
    round_ = times_of(application).open
    if round_ is None:
        return form_page("wishes", "wishes", application, form) if form.refused else closed_page(application)
    ids = shown if shown is not None else saved_wishes(application)
    programmes = [found for each in ids if (found := db().get(Programme, each)) is not None]
    others = bound_with(application)
    listed, estimate = chances.chances_of_programmes(application, round_, programmes, others)
    return form_page(
        "wishes",
        "wishes",
        application,
        form,
        round=round_,
        listed=listed,
        chances=estimate,
        bound_names=names_of(units.others_of(db(), application)),
        held=place_kept(application, round_),
        unsaved=shown is not None,
        removed=removed_wish(listed, round_) if shown is None else None,
        last=cards.last_year(round_.year),
    )


def place_kept(application: Application, round_: Round) -> str | None:
    """The kindergarten where the child holds a place, which it would leave for a wish of a supplementary round."""
    if round_.kind != RoundKind.SUPPLEMENTARY or actor().on_behalf:
        return None
    offer = desk_answers.live_offer(db(), application)
    return db().get_one(Programme, offer.programme_id).kindergarten.name if offer else None


def closed_page(application: Application) -> ResponseReturnValue:
    """Between two rounds: the wishes for the next draw, with the last estimate."""
    round_ = times_of(application).last
    bond = bond_participation.participation(db(), application, round_) if round_ else None
    together = bound_with(application) if bond and bond.counts else []
    listed, estimate = chances.chances_of_saved_wishes(application, round_, together)
    status = application_status.status_of(db(), application, now=clock())
    return form_page(
        "wishes_closed", "wishes", application, None, round=round_, listed=listed, chances=estimate, status=status
    )


@pages.get("/applications/<uuid:application_id>/wishes")
@desk("parents", allows_helper=True)
def wishes_page(application_id: uuid.UUID) -> ResponseReturnValue:
    application = application_of(application_id)
    form = WishesForm(formdata=None)
    form.note_versions(application)
    return wishes_view(form, application)


@pages.post("/applications/<uuid:application_id>/wishes")
@desk("parents", allows_helper=True)
@keeps_key
def save_wishes(application_id: uuid.UUID) -> ResponseReturnValue:
    """`act` is the pressed button: `up:1`, `down:0`, `remove:2`, `order` after dragging, or `next` for the next page.

    After `remove` the page offers to put the wish back where it was (`back:2:<programme>`).
    """
    act = request.form.get("act", "next")
    wanted = put_back(reordered(listed_wishes(), act), act)
    if (done := _save_at_once(application_id, wanted, act)) is not None:
        return done
    if (replayed := replay_answer()) is not None:
        return replayed
    application = application_of(application_id)
    form = WishesForm()
    if form.validate_on_submit():
        with refusals_in(form):
            round_ = open_round(application)
            wishes.set_wishes(db(), application_id, round_.id, wanted, by=actor(), now=clock(), **form.versions())
            if act == "next":
                return redirect_after_save("wishes", application)
            flash_saved_edit(application)
            undo = taken_out(listed_wishes(), wanted)
            return redirect(url_for("parents.wishes_page", application_id=application_id, **undo, **came_from()), 303)
    same = form.newer is not None and application.stage in LIVE_STAGES and wanted == saved_wishes(application)
    if same:  # the other page saved the same order, and it counts
        return redirect_after_save("wishes", application) if act == "next" else redirect(request.full_path, 303)
    # without its last wish a handed-in application keeps its saved list, so this list is shown
    if form.refused == "one_wish_needed":
        return wishes_view(form, application)
    return wishes_view(form, application, shown=listed_wishes() if form.newer is None else wanted)


def saved_wishes(application: Application) -> list[uuid.UUID]:
    """The programmes of the list as it is saved in the open round; empty where none is open."""
    round_ = times_of(application).open
    return [] if round_ is None else [each.programme_id for each in wishes.of(db(), application.id, round_.id)]


def _save_at_once(application_id: uuid.UUID, wanted: list[uuid.UUID], act: str) -> ResponseReturnValue | None:
    """The wishes of a plain draft, or else those of a handed-in application, in one statement; None for the service to decide."""
    key, version = request_key(), posted_version()
    if key is None or request.form.get("seen") != f"{application_id.hex[:8]}-{version}":
        return None
    stays = None
    if act != "next":
        undo = taken_out(listed_wishes(), wanted)
        stays = url_for("parents.wishes_page", application_id=application_id, **undo, **came_from())
    if not was_handed_in():
        change = wish_list.change(application_id, wanted, version=version, by=actor(), now=clock())
        if change is None:
            return None
        # no page but the check comes after the wishes
        location = stays or url_for("parents.check_page", application_id=application_id)
        done = write_at_once(change, key, location, *(() if stays else (_("已保存。"),)))
        if done is not None:
            return done
    return _edit_at_once(application_id, wanted, version, stays)


def _edit_at_once(
    application_id: uuid.UUID, wanted: list[uuid.UUID], version: int, stays: str | None
) -> ResponseReturnValue | None:
    """The wishes of a handed-in or returned application; `stays` is the address of the page unless the receipt comes next."""

    def change(read: Session, application: Application) -> Planned | None:
        made = wish_list.planned(read, application, wanted, version=version, by=actor(), now=clock())
        return None if made is None else Planned(made)

    reads = family_state.EDIT_READS if was_handed_in() else family_state.READS
    return save_at_once("wishes", application_id, change, stays=stays, reads=reads)


def open_round(application: Application) -> Round:
    """The round that takes wishes now.  Refuses with the deadline that has passed, or `round_not_open`."""
    times = times_of(application)
    if times.open is None:
        raise deadlines.closed(times) if times.last is not None else Refused("round_not_open", field="wishes")
    return times.open


def came_from() -> dict[str, Any]:
    return {"from": "check"} if request.args.get("from") == "check" else {}


def taken_out(before: list[uuid.UUID], after: list[uuid.UUID]) -> dict[str, Any]:
    """What the address of the list tells after a removal: which wish, and its place; nothing after any other act."""
    gone = [each for each in before if each not in after]
    return {"removed": gone[0], "place": before.index(gone[0])} if len(gone) == 1 else {}


def put_back(listed: list[uuid.UUID], act: str) -> list[uuid.UUID]:
    """The list after `back:i:programme`: the wish that was removed is at its place again; unchanged for any other act."""
    name, place, gone = (*act.split(":"), "", "")[:3]
    programme_id = parse_uuid(gone)
    if name != "back" or programme_id is None or programme_id in listed:
        return listed
    at = min(number_or(place, len(listed)), len(listed))
    return [*listed[:at], programme_id, *listed[at:]]


def removed_wish(listed: list[Candidate], round_: Round) -> tuple[int, Programme] | None:
    """The wish that was just removed, with its place from 0, while the list has room for it; None otherwise."""
    programme_id, place = parse_uuid(request.args.get("removed")), request.args.get("place", 0, whole_number)
    if programme_id is None or len(listed) >= round_.max_wishes:
        return None
    programme = db().get(Programme, programme_id)
    if programme is None or programme_id in {each.programme.id for each in listed}:
        return None
    return max(place, 0), programme


def reordered(listed: list[uuid.UUID], act: str) -> list[uuid.UUID]:
    """The order after `up:i`, `down:i` or `remove:i` (counted from 0); unchanged for any other act."""
    name, _, place = act.partition(":")
    index = number_or(place, -1)
    found = list(listed)
    if not 0 <= index < len(found):
        return found
    if name == "remove":
        del found[index]
    elif name == "up" and index > 0:
        found[index - 1], found[index] = found[index], found[index - 1]
    elif name == "down" and index < len(found) - 1:
        found[index + 1], found[index] = found[index], found[index + 1]
    return found
