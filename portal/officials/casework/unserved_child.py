"""One child without a place: its home and the vacancies around it, and what an official can do about it."""

import uuid
from collections.abc import Callable
from typing import Any

from flask import abort, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, RadioField, SelectField, TextAreaField

from enrollment.draw.unserved import accepted_places, board, choices, explanations, officers
from enrollment.draw.unserved.accepted_places import WALKS
from enrollment.draw.unserved.entries import HOLDS_A_PLACE
from enrollment.draw.unserved.rows import AcceptedNature, Explanation
from enrollment.ground import audit
from enrollment.ground.errors import NotFound, Refused, Stale
from portal.officials import pages
from portal.officials.casework.unserved_board import year_or_404
from portal.officials.forms import OfficialForm
from portal.officials.scope import DECIDERS, READERS, area_names
from portal.text.numbers import number_or
from portal.text.words import word
from portal.web.forms import coded_choices, parse_uuid, refusals_in
from portal.web.guards import desk
from portal.web.shared_views.finder import cards, tiles
from portal.web.unit_of_work import actor, clock, db


class ChildForm(OfficialForm):
    """Every act on the page of a child; `version` is that of the page, so that nobody overwrites another official."""

    version = HiddenField()
    programme = RadioField(_l("空学位"), validate_choice=False)
    apart = TextAreaField(_l("只安排这一个孩子的原因"))
    code = RadioField(
        _l("为什么没有学位"), choices=coded_choices("unserved_explanation", Explanation), validate_choice=False
    )
    text = TextAreaField(_l("说明（家庭会看到）"))
    officer = SelectField(_l("专员"), validate_choice=False)
    agrees = RadioField(
        _l("家庭愿意收到推荐吗"),
        choices=[("yes", _l("愿意")), ("no", _l("不愿意，只等原来的志愿"))],
        validate_choice=False,
    )
    minutes = SelectField(
        _l("最多步行"),
        choices=[("", _l("多远都可以")), *((str(n), _l("%(n)s 分钟", n=n)) for n in WALKS)],
        validate_choice=False,
    )
    nature = RadioField(
        _l("哪些幼儿园"), choices=coded_choices("accepted_nature", AcceptedNature), default=AcceptedNature.ANY,
        validate_choice=False,
    )  # fmt: skip
    note = TextAreaField(_l("家庭还说了什么"))

    @property
    def seen(self) -> int:
        return number_or(self.version.data, -1)

    def take_newer(self) -> bool:
        """False when the child has left the board: there is nothing to send again."""
        try:
            line, found = board.one(db(), year_or_404(), (request.view_args or {})["application_id"], by=actor())
        except NotFound:
            return False
        entry = line.entry
        self.newer = [
            (_("状态"), word("board_state", entry.state)),
            (_("专员"), found.names[entry.officer] if entry.officer else "—"),
            (_("为什么没有学位"), word("unserved_explanation", entry.explanation) if entry.explanation else "—"),
        ]
        self.version.data = str(entry.version)
        return True


def _choose(application_id: uuid.UUID, form: ChildForm) -> None:
    programme_id = parse_uuid(form.programme.data)
    if programme_id is None:
        raise Refused("no_place_here", field="programme")
    choices.choose(
        db(), year_or_404(), application_id, programme_id, seen=form.seen, apart=form.apart.data or "", by=actor(),
        now=clock(),
    )  # fmt: skip


def _drop(application_id: uuid.UUID, form: ChildForm) -> None:
    choices.drop(db(), year_or_404(), application_id, seen=form.seen, by=actor(), now=clock())


def _explain(application_id: uuid.UUID, form: ChildForm) -> None:
    explanations.explain(
        db(), year_or_404(), application_id, form.code.data or "", form.text.data or "", seen=form.seen, by=actor(),
        now=clock(),
    )  # fmt: skip


def _assign(application_id: uuid.UUID, form: ChildForm) -> None:
    to = parse_uuid(form.officer.data)
    counts = officers.assign(db(), year_or_404(), {application_id: form.seen}, to, by=actor(), now=clock())
    if counts["changed"] or counts["left"]:
        raise Stale


def _accept(application_id: uuid.UUID, form: ChildForm) -> None:
    accepted_places.save(
        db(), application_id, agrees={"yes": True, "no": False}.get(form.agrees.data or ""),
        minutes=number_or(form.minutes.data, None), nature=form.nature.data or "", note=form.note.data or "",
        seen=form.seen, by=actor(), now=clock(),
    )  # fmt: skip


ACTS: dict[str, tuple[Callable[[uuid.UUID, ChildForm], None], LazyString]] = {
    "choose": (_choose, _l("已选好。两位市级工作人员签署统筹安排以后，家庭会收到。")),
    "drop": (_drop, _l("已取消选择。")),
    "explain": (_explain, _l("已写明，家庭会看到。")),
    "officer": (_assign, _l("已交给新的专员，家庭会看到名字。")),
    "accepted": (_accept, _l("家庭的意见已记下。")),
}


@pages.get("/unplaced/children/<uuid:application_id>")
@desk("officials", *READERS)
def unserved_child(application_id: uuid.UUID) -> ResponseReturnValue:
    return _page(application_id, ChildForm())


def _page(application_id: uuid.UUID, form: ChildForm) -> ResponseReturnValue:
    line, found = board.one(db(), year_or_404(), application_id, by=actor())
    entry = line.entry
    audit.record(db(), "view", "application", application_id, by=actor(), now=clock())
    if request.method == "GET":
        form.version.data = str(entry.version)
        _fill(form, line)
    form.officer.choices = [("", _("请选择")), *((str(each), found.names[each]) for each in found.may_have(entry.area))]
    form.programme.choices = [(str(each.programme_id), each.kindergarten.name) for each in line.vacancies]
    shown = render_template(
        "officials/unserved_child.html",
        form=form,
        line=line,
        entry=entry,
        officer=found.card(entry.officer),
        may_act=actor().is_any(*DECIDERS),
        map_tiles=tiles.template(),
        area_names=area_names(),
        needs_word=entry.state in board.WITHOUT_A_WORD,
        holds=entry.state in HOLDS_A_PLACE,
    )
    return (shown, 409) if form.newer is not None else shown


def _fill(form: ChildForm, line: board.Line) -> None:
    form.code.data = line.entry.explanation
    if line.said is not None:
        form.agrees.data = "yes" if line.entry.agrees else "no"
        form.minutes.data, form.nature.data = str(line.said.minutes or ""), line.said.nature
        form.note.data = line.said.note


@pages.get("/unplaced/children/<uuid:application_id>/pins")
@desk("officials", *DECIDERS)
def unserved_child_pins(application_id: uuid.UUID) -> ResponseReturnValue:
    """The home and the vacancies around it, numbered as in the list."""
    line, _officers = board.one(db(), year_or_404(), application_id, by=actor())
    points: dict[str, Any] = cards.points_of([each.kindergarten for each in line.vacancies], line.point)
    return jsonify(points)


@pages.post("/unplaced/children/<uuid:application_id>/<act>")
@desk("officials", *DECIDERS, step_up=True)
def act_on_child(application_id: uuid.UUID, act: str) -> ResponseReturnValue:
    if act not in ACTS:
        abort(404)
    form = ChildForm()
    form.officer.choices = form.programme.choices = []
    do, done = ACTS[act]
    if form.validate_on_submit():
        with refusals_in(form):
            do(application_id, form)
            flash(str(done))
            return redirect(url_for("officials.unserved_child", application_id=application_id), 303)
    return _page(application_id, form)
