"""The audit trail, read only: who did or viewed what and when, and whether the trail was changed."""

import uuid
from collections.abc import Iterable

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
from enrollment.ground.accounts import Account, Role
from enrollment.ground.audit import AuditEntry
from enrollment.ground.city_time import CHENGDU
from portal.officials import pages
from portal.text.audit_acts import act_words
from portal.text.words import table, word
from portal.web.evidence_files import WatermarkError, file_response, watermarked
from portal.web.guards import desk
from portal.web.rate_limits import limiter
from portal.web.unit_of_work import actor, clock, db

MAY_READ = (Role.AUDITOR, Role.CITY_OFFICIAL)
UNKNOWN_ACCOUNT = uuid.UUID(int=0)


class TrailForm(FlaskForm):
    """A GET form: its values are in the query string, and it needs no CSRF token."""

    class Meta:
        csrf = False

    subject = SelectField(_l("对象"), validate_choice=False)
    number = StringField(_l("登记编号或编号"))
    person = StringField(_l("工作人员账号"))
    day = DateField(_l("日期"))

    def set_choices(self) -> None:
        kinds = [(code, word("audit_subject", code)) for code in table()["audit_subject"]]
        self.subject.choices = [("", _("全部")), *sorted(kinds, key=lambda kind: kind[1])]

    def is_valid(self) -> bool:
        typed = (self.day.raw_data or [""])[0].strip()
        self.day.errors = [_("请写成 2026-05-21 这样的日期。")] if typed and self.day.data is None else []
        return not self.day.errors

    def query(self) -> audit_trail.AuditQuery:
        return audit_trail.AuditQuery(
            subject=self.subject.data or None,
            subject_id=_subject_id((self.number.data or "").strip()),
            account_id=_account_id((self.person.data or "").strip()),
            day=self.day.data,
            before=request.args.get("before", None, int),
        )


def _subject_id(typed: str) -> str | None:
    """The application's id for a registration code; any other text is a subject id of the trail."""
    if not typed:
        return None
    known = db().scalar(select(Application.id).where(Application.registration_code == typed.upper()))
    return str(known) if known else typed


def _account_id(typed: str) -> uuid.UUID | None:
    """The account with this login or id; an unknown login gives an id that no entry has."""
    if not typed:
        return None
    try:
        return uuid.UUID(typed)
    except ValueError:
        return db().scalar(select(Account.id).where(Account.login == typed.lower())) or UNKNOWN_ACCOUNT


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
    """Verify the whole chain from its first entry, as `flask audit verify` does."""
    return _page(TrailForm(request.args), broken=audit.broken_links(db()))


@pages.get("/mandates/<uuid:mandate_id>/paper")
@desk("officials", *MAY_READ)
def mandate_paper(mandate_id: uuid.UUID) -> ResponseReturnValue:
    """The signed paper of a mandate, with the viewer's name and the time as a watermark."""
    safe = mandates.read_paper(db(), mandate_id, by=actor(), now=clock())
    try:
        content = watermarked(
            safe.media_type, safe.content, f"{actor().name} {clock().astimezone(CHENGDU):%Y-%m-%d %H:%M}"
        )
    except WatermarkError:
        return Response(status=415)
    return file_response(safe.media_type, content, "mandate")


def _page(form: TrailForm, broken: list[int] | None = None) -> ResponseReturnValue:
    form.set_choices()
    question = form.query() if form.is_valid() else audit_trail.AuditQuery()
    found = audit_trail.find_entries(db(), question)
    audit.record(
        db(), "view", "audit_trail", question.subject_id or "", by=actor(), now=clock(), lines=len(found.items)
    )
    return render_template(
        "officials/audit_trail.html",
        form=form,
        found=found,
        chain=audit_trail.chain_status(db()),
        broken=broken,
        people=_people(found.items),
        codes=_codes(found.items),
        act_words=act_words,
        subject_words=subject_words,
        filtered=question != audit_trail.AuditQuery(),
    )


def _people(entries: Iterable[AuditEntry]) -> dict[uuid.UUID, str]:
    """The accounts of the entries: staff with name and login, families without a name."""
    ids = {entry.account_id for entry in entries if entry.account_id}
    accounts = db().scalars(select(Account).where(Account.id.in_(ids)))
    return {each.id: f"{each.name}（{each.login}）" if each.login else _("家长") for each in accounts}


def _codes(entries: Iterable[AuditEntry]) -> dict[str, str]:
    """The registration codes of the entries' applications, by id."""
    ids = [uuid.UUID(entry.subject_id) for entry in entries if entry.subject == "application"]
    rows = db().execute(select(Application.id, Application.registration_code).where(Application.id.in_(ids)))
    return {str(row.id): row.registration_code for row in rows if row.registration_code}
