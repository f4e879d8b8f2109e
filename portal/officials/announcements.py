"""Announcements: write in both languages, look at it as families will, publish at an hour, correct, withdraw."""

import uuid

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from enrollment.announcements import announcements
from enrollment.announcements.announcements import LONGEST_BODY, LONGEST_REASON, LONGEST_TITLE, Texts, Told
from enrollment.ground.accounts import Account, Role
from portal.officials import pages
from portal.officials.forms import NEEDED, ChengduTime, OfficialForm
from portal.officials.scope import DECIDERS, READERS, area_names, my_areas
from portal.text.numbers import number_or
from portal.web.forms import page_of, refusals_in, second_form
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db


def _written(value: str | None) -> str:
    return (value or "").replace("\r\n", "\n").strip()


class TextForm(OfficialForm):
    title_zh = StringField(_l("标题（中文）"), [InputRequired(NEEDED), Length(max=LONGEST_TITLE)], filters=[_written])
    body_zh = TextAreaField(_l("正文（中文）"), [InputRequired(NEEDED), Length(max=LONGEST_BODY)], filters=[_written])
    title_en = StringField(_l("标题（英文）"), [InputRequired(NEEDED), Length(max=LONGEST_TITLE)], filters=[_written])
    body_en = TextAreaField(_l("正文（英文）"), [InputRequired(NEEDED), Length(max=LONGEST_BODY)], filters=[_written])
    publish_at = ChengduTime(_l("从什么时候起公开"))

    def texts(self) -> Texts:
        return Texts(self.title_zh.data, self.title_en.data, self.body_zh.data, self.body_en.data)


class NewForm(TextForm):
    area = SelectField(_l("范围"))

    def set_choices(self) -> None:
        """The areas of this official, and for the city the whole city."""
        city = [("city", _("全市（要另一位市级人员发布）"))] if actor().is_any(Role.CITY_OFFICIAL) else []
        self.area.choices = [*city, *((each.code, area_names()[each.code]) for each in my_areas())]


class CorrectionForm(TextForm):
    based_on = HiddenField()


class WithdrawForm(OfficialForm):
    reason = TextAreaField(_l("撤回的原因（公开）"), [InputRequired(NEEDED), Length(max=LONGEST_REASON)])


@pages.get("/announcements", endpoint="announcements")
@desk("officials", *READERS)
def announcement_list() -> ResponseReturnValue:
    return render_template(
        "officials/announcements.html",
        listed=announcements.of_desk(db(), by=actor()),
        area_names=area_names(),
        may_write=actor().is_any(*DECIDERS),
    )


@pages.get("/announcements/new")
@desk("officials", *DECIDERS)
def new_announcement() -> ResponseReturnValue:
    return _new_page(NewForm(publish_at=clock()))


def _new_page(form: NewForm) -> ResponseReturnValue:
    form.set_choices()
    return render_template("officials/announcement_form.html", form=form, told=None)


@pages.post("/announcements/new")
@desk("officials", *DECIDERS)
def write_announcement() -> ResponseReturnValue:
    form = NewForm()
    form.set_choices()
    if form.validate_on_submit():
        with refusals_in(form):
            area = None if form.area.data == "city" else form.area.data
            made = announcements.write(db(), area, form.texts(), form.publish_at.moment, by=actor(), now=clock())
            flash(_("已保存。请像家长一样看一遍，再发布。"))
            return redirect(url_for("officials.announcement_page", announcement_id=made), 303)
    return _new_page(form)


@pages.get("/announcements/<uuid:announcement_id>")
@desk("officials", *READERS)
def announcement_page(announcement_id: uuid.UUID) -> ResponseReturnValue:
    return _page(announcements.one_of_desk(db(), announcement_id, by=actor()), OfficialForm())


def _page(told: Told, form: OfficialForm) -> ResponseReturnValue:
    area = told.announcement.area_code
    writers = {each.written_by for each in told.versions} | {each.approved_by for each in told.versions}
    names = {each: db().get_one(Account, each).name for each in writers if each is not None}
    return render_template(
        "officials/announcement.html",
        form=form,
        withdrawal=form if isinstance(form, WithdrawForm) else second_form(WithdrawForm),
        told=told,
        names=names,
        area_names=area_names(),
        may_write=announcements.may_write(actor(), area) and told.announcement.withdrawn_at is None,
        may_approve=announcements.may_approve(actor(), told.newest, area) and told.announcement.withdrawn_at is None,
    )


@pages.post("/announcements/<uuid:announcement_id>/publish/<int:number>")
@desk("officials", *DECIDERS, step_up=True)
def publish_announcement(announcement_id: uuid.UUID, number: int) -> ResponseReturnValue:
    form = OfficialForm()
    if form.validate_on_submit():
        with refusals_in(form):
            announcements.approve(db(), announcement_id, number, by=actor(), now=clock())
            flash(_("已发布，到时间自动公开。"))
            return redirect(url_for("officials.announcement_page", announcement_id=announcement_id), 303)
    return _page(announcements.one_of_desk(db(), announcement_id, by=actor()), form)


@pages.post("/announcements/<uuid:announcement_id>/withdraw")
@desk("officials", *DECIDERS)
def withdraw_announcement(announcement_id: uuid.UUID) -> ResponseReturnValue:
    form = WithdrawForm()
    if form.validate_on_submit():
        with refusals_in(form):
            announcements.withdraw(db(), announcement_id, form.reason.data or "", by=actor(), now=clock())
            flash(_("已撤回。原来的地址会写明已撤回和原因。"))
            return redirect(url_for("officials.announcement_page", announcement_id=announcement_id), 303)
    return _page(announcements.one_of_desk(db(), announcement_id, by=actor()), form)


@pages.get("/announcements/<uuid:announcement_id>/correct")
@desk("officials", *DECIDERS)
def correct_announcement_page(announcement_id: uuid.UUID) -> ResponseReturnValue:
    told = announcements.one_of_desk(db(), announcement_id, by=actor())
    newest = told.newest
    form = CorrectionForm(
        title_zh=newest.title_zh,
        title_en=newest.title_en,
        body_zh=newest.body_zh,
        body_en=newest.body_en,
        publish_at=max(newest.publish_at, clock()),
        based_on=newest.number,
    )
    return _correction_page(told, form)


def _correction_page(told: Told, form: CorrectionForm) -> ResponseReturnValue:
    return page_of(form, render_template("officials/announcement_form.html", form=form, told=told))


@pages.post("/announcements/<uuid:announcement_id>/correct")
@desk("officials", *DECIDERS)
def correct_announcement(announcement_id: uuid.UUID) -> ResponseReturnValue:
    form = CorrectionForm()
    if form.validate_on_submit():
        with refusals_in(form):
            based_on = number_or(form.based_on.data, 0)
            announcements.correct(
                db(), announcement_id, based_on, form.texts(), form.publish_at.moment, by=actor(), now=clock()
            )
            flash(_("已保存。请像家长一样看一遍，再发布；发布前公开的仍是原来的内容。"))
            return redirect(url_for("officials.announcement_page", announcement_id=announcement_id), 303)
    told = announcements.one_of_desk(db(), announcement_id, by=actor())
    if form.refused == "announcement_changed":
        # what was typed stays; the page shows the newer text, and sending it again replaces that one
        newest = told.newest
        form.based_on.data = str(newest.number)
        form.newer = [
            (str(form.title_zh.label.text), newest.title_zh),
            (str(form.body_zh.label.text), newest.body_zh),
            (str(form.title_en.label.text), newest.title_en),
            (str(form.body_en.label.text), newest.body_en),
        ]
    return _correction_page(told, form)
