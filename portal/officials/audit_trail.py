"""The audit trail: who did or looked at what and when, and whether anybody changed the record of it.  Nothing here acts."""

import uuid

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from sqlalchemy import select
from wtforms import DateField, SelectField, StringField

from enrollment.applications import mandates
from enrollment.applications.applications import Application
from enrollment.ground import audit, audit_trail
from enrollment.ground.accounts import Account
from enrollment.ground.city_time import CHENGDU
from portal.officials import pages
from portal.text.audit_acts import act_words
from portal.text.words import table, word
from portal.web.evidence_files import Unmarkable, as_file, marked
from portal.web.guards import desk
from portal.web.rate_limits import limiter
from portal.web.unit_of_work import actor, clock, db

MAY_READ = ("auditor", "city_official")
NOBODY = uuid.UUID(int=0)


class TrailForm(FlaskForm):
    """A question, so it travels in the address and needs no token."""

    class Meta:
        csrf = False

    subject = SelectField(_l("对象"), validate_choice=False)
    number = StringField(_l("登记编号或编号"))
    person = StringField(_l("工作人员账号"))
    day = DateField(_l("日期"))

    def offer(self) -> None:
        kinds = [(code, word("audit_subject", code)) for code in table()["audit_subject"]]
        self.subject.choices = [("", _("全部")), *sorted(kinds, key=lambda kind: kind[1])]

    def understood(self) -> bool:
        typed = (self.day.raw_data or [""])[0].strip()
        self.day.errors = [_("请写成 2026-05-21 这样的日期。")] if typed and self.day.data is None else []
        return not self.day.errors

    def asked(self) -> audit_trail.Question:
        return audit_trail.Question(
            subject=self.subject.data or None,
            subject_id=_subject_id((self.number.data or "").strip()),
            account_id=_account_id((self.person.data or "").strip()),
            day=self.day.data,
            before=request.args.get("before", None, int),
        )


def _subject_id(typed: str) -> str | None:
    """A registration code means its application; everything else is the number as it stands in the trail."""
    if not typed:
        return None
    known = db().scalar(select(Application.id).where(Application.registration_code == typed.upper()))
    return str(known) if known else typed


def _account_id(typed: str) -> uuid.UUID | None:
    """The account of a login name or of its own number; somebody who does not exist did nothing."""
    if not typed:
        return None
    try:
        return uuid.UUID(typed)
    except ValueError:
        return db().scalar(select(Account.id).where(Account.login == typed.lower())) or NOBODY


def subject_words(subject: str) -> str:
    return word("audit_subject", subject) if subject in table()["audit_subject"] else subject


@pages.get("/audit", endpoint="audit_trail")
@desk("officials", *MAY_READ)
def trail_page() -> ResponseReturnValue:
    return _page(TrailForm(request.args))


@pages.get("/audit/chain")
@desk("officials", *MAY_READ)
@limiter.limit("6 per minute")
def check_chain() -> ResponseReturnValue:
    """Follow the whole chain from its first entry, as `flask audit verify` does."""
    return _page(TrailForm(request.args), broken=audit.broken_links(db()))


@pages.get("/mandates/<uuid:mandate_id>/paper")
@desk("officials", *MAY_READ)
def mandate_paper(mandate_id: uuid.UUID) -> ResponseReturnValue:
    """The paper by which a family let a helper act, marked with who looks at it and when."""
    safe = mandates.read_paper(db(), mandate_id, by=actor(), now=clock())
    try:
        content = marked(safe.media_type, safe.content, f"{actor().name} {clock().astimezone(CHENGDU):%Y-%m-%d %H:%M}")
    except Unmarkable:
        return Response(status=415)
    return as_file(safe.media_type, content, "mandate")


def _page(form: TrailForm, broken: list[int] | None = None) -> ResponseReturnValue:
    form.offer()
    asked = form.asked() if form.understood() else audit_trail.Question()
    found = audit_trail.find(db(), asked)
    audit.record(db(), "view", "audit_trail", asked.subject_id or "", by=actor(), now=clock(), lines=len(found.items))
    return render_template(
        "officials/audit.html",
        form=form,
        found=found,
        chain=audit_trail.chain(db()),
        broken=broken,
        people=_people(found.items),
        codes=_codes(found.items),
        act_words=act_words,
        subject_words=subject_words,
        filtered=asked != audit_trail.Question(),
    )


def _people(entries) -> dict[uuid.UUID, str]:
    """Who acted: staff by name and login, families without a name."""
    ids = {entry.account_id for entry in entries if entry.account_id}
    accounts = db().scalars(select(Account).where(Account.id.in_(ids)))
    return {each.id: f"{each.name}（{each.login}）" if each.login else _("家长") for each in accounts}


def _codes(entries) -> dict[str, str]:
    """The registration codes of the applications among the subjects."""
    ids = [uuid.UUID(entry.subject_id) for entry in entries if entry.subject == "application"]
    rows = db().execute(select(Application.id, Application.registration_code).where(Application.id.in_(ids)))
    return {str(row.id): row.registration_code for row in rows if row.registration_code}
