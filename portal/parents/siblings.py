"""The siblings page: binding twins and siblings of one level, and an elder sibling who applies in the same year."""

import uuid

from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField

from enrollment.applications import sibling_binding
from enrollment.applications.application_rows import Stage
from enrollment.applications.applications import Application
from portal.parents import answer_summary, chances, pages
from portal.parents.form_pages import VersionedForm, application_of, form_page, redirect_after_save, times_of
from portal.text.words import word
from portal.web.forms import parse_uuid, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


class TogetherForm(VersionedForm):
    together = RadioField(
        _l("一起派位，还是分开派位"),
        choices=[("bound", _l("捆绑：一个派位号，一起录取")), ("separate", _l("分开：各有各的派位号"))],
        validate_choice=False,
    )
    elder = RadioField(_l("今年也在申请的哥哥姐姐"), validate_choice=False)


def _view(form: TogetherForm, application: Application) -> ResponseReturnValue:
    siblings = sibling_binding.may_bind(db(), application, by=actor())
    elders = sibling_binding.elders(db(), application, now=clock(), by=actor())
    form.elder.choices = [
        *((str(each.id), f"{each.child.name}（{word('level', each.level)}）") for each in elders),
        ("", _("不需要")),
    ]
    times = times_of(application)
    round_ = times.open or times.last or times.coming
    closed = times.open is None and application.stage != Stage.DRAFT
    estimate = chances.chances_of_saved_wishes(application, times.open, siblings)[1] if siblings else None
    return form_page(
        "siblings",
        "together",
        application,
        form,
        siblings=siblings,
        elders=elders,
        round=round_,
        chances=estimate,
        closed=closed,
        chosen=answer_summary.together(db(), application, by=actor()) if closed else [],
    )


@pages.get("/applications/<uuid:application_id>/together")
@desk("parents", allows_helper=True)
def together_page(application_id: uuid.UUID) -> ResponseReturnValue:
    application = application_of(application_id)
    form = TogetherForm()
    if not form.version.data:
        form.together.data = "bound" if application.unit else "separate"
        form.elder.data = str(application.elder_id or "")
        form.version.data = str(application.version)
    return _view(form, application)


@pages.post("/applications/<uuid:application_id>/together")
@desk("parents", allows_helper=True)
def save_together(application_id: uuid.UUID) -> ResponseReturnValue:
    application = application_of(application_id)
    form = TogetherForm()
    if form.validate_on_submit():
        with refusals_in(form):
            sibling_binding.choose(
                db(),
                application_id,
                bound=form.together.data == "bound",
                elder_id=parse_uuid(form.elder.data),
                version=form.seen_version(),
                by=actor(),
                now=clock(),
            )
            return redirect_after_save("together", application)
    return _view(form, application)
