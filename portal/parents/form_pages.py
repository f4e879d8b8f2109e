"""What the pages of this desk share: the reader's own applications, where a saved page leads, and what to say."""

import datetime as dt
import uuid

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from wtforms import HiddenField
from wtforms.validators import StopValidation

from enrollment.applications import applications, deadlines, receipts, units
from enrollment.applications.applications import Application
from enrollment.applications.deadlines import Window
from enrollment.applications.lifecycle import DRAFT, RETURNED
from enrollment.ground import outbox
from enrollment.ground.errors import NotFound
from enrollment.people import invitations
from enrollment.season import calendar
from portal.parents import pages, steps
from portal.text.words import word
from portal.web.forms import PageForm
from portal.web.unit_of_work import actor, clock, db


class VersionedForm(PageForm):
    """A form that knows which state of its row it was filled from."""

    version = HiddenField()

    def seen(self) -> int | None:
        """The version that the page showed.  Rubbish counts as an old one."""
        text = self.version.data or ""
        return int(text) if text.isdigit() and len(text) < 9 else -1


class Needed:
    """Asks for a field in the words of the verb that would refuse it, so that everything missing is told at once."""

    def __init__(self, code: str):
        self.code = code

    def __call__(self, form: PageForm, field) -> None:
        if not str(field.data or "").strip():
            raise StopValidation(word("error", self.code))


def application_of(application_id: uuid.UUID) -> Application:
    """An application of the reader's own.  Anybody else's is not found."""
    return applications.own(db(), application_id, by=actor())


def this_year() -> int:
    season = calendar.current(db(), clock())
    if season is None:
        raise NotFound
    return season.year


def times_of(application: Application) -> Window:
    return deadlines.of(db(), application, now=clock())


def steps_of(application: Application | None) -> list[steps.Step]:
    times = times_of(application) if application is not None else None
    return steps.steps(steps.known_of(db(), application, by=actor(), now=clock(), times=times))


def answers_late(application: Application, times: Window | None = None) -> bool:
    """Whether what was sent back is answered after registration: the rest stays as it was handed in."""
    return application.stage == RETURNED and (times or times_of(application)).open is None


def review_ends(application: Application) -> dt.datetime | None:
    """Until when something sent back can be answered, while that is to come."""
    season = db().get(calendar.Season, application.year)
    end = calendar.spans(season)["review"][1] if season is not None else None
    return end if end is not None and end > clock() else None


def bound_with(application: Application) -> list[Application]:
    """The others of its unit, as far as they are the reader's; a helper is told of none that it did not enter."""
    others = [each for each in units.of(db(), application) if each.id != application.id]
    if not actor().on_behalf:
        return others
    own = {each.id for each in applications.list_own(db(), by=actor())}
    return [each for each in others if each.id in own]


def onward(page: str, application: Application | None) -> ResponseReturnValue:
    """After a page was saved: back to the check where it came from, to what was handed in, or to the next open page."""
    if application is not None and application.stage not in (DRAFT, RETURNED):
        return _told_of_the_edit(application)
    flash(_("已保存。"))
    if application is not None and (request.args.get("from") == "check" or answers_late(application)):
        return redirect(url_for("parents.check_page", application_id=application.id), 303)
    if application is None and _has_more_to_see():
        return redirect(url_for("parents.home"), 303)
    listed = steps_of(application)
    return redirect(steps.after(page, listed).href or url_for("parents.home"), 303)


def _has_more_to_see() -> bool:
    """A family with an application or an invitation goes on from its first page, not to another child."""
    waiting = invitations.for_me(db(), by=actor(), now=clock())
    return bool(waiting or applications.list_own(db(), by=actor()))


def _told_of_the_edit(application: Application) -> ResponseReturnValue:
    receipt = receipts.latest(db(), application)
    if receipt is not None and receipt.submitted_at == clock():
        flash(_("修改已生效，这是新的回执。"))
        return redirect(url_for("parents.receipt_page", application_id=application.id, number=receipt.number), 303)
    if receipt is not None:
        flash(_("没有新的改动，现在有效的是第 %(n)s 版。", n=receipt.number))
    return redirect(url_for("parents.application_page", application_id=application.id), 303)


def tell_of_a_kept_edit(application: Application) -> None:
    """On a page where each button saves: a handed-in application has changed, and there is a receipt of it."""
    receipt = receipts.latest(db(), application)
    if receipt is not None and receipt.submitted_at == clock():
        flash(_("修改已生效，这是第 %(n)s 版。改好后可以看回执。", n=receipt.number))


def form_page(
    template: str, page: str, application: Application | None, form: PageForm | None, **more
) -> ResponseReturnValue:
    """A page of the form, with the way back to the list and, for a handed-in application, a word about edits."""
    times = times_of(application) if application is not None else None
    late = application is not None and answers_late(application, times)
    return render_template(
        f"parents/{template}.html",
        page=page,
        application=application,
        form=form,
        times=times,
        late=late,
        review_ends=review_ends(application) if application is not None and late else None,
        **more,
    )


@pages.context_processor
def what_every_page_knows() -> dict:
    by = actor()
    if by.on_behalf:
        return {"unread": 0}
    return {"unread": outbox.unread(db(), by.account_id) if by.account_id and "broken" not in g else 0}
