"""The audit trail, read only: who did or viewed what and when, and whether the trail was changed."""

import uuid
from collections.abc import Iterable

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from sqlalchemy import select
from wtforms import SelectField, StringField

from enrollment.applications import mandates
from enrollment.applications.applications import Application
from enrollment.ground import audit, audit_trail
from enrollment.ground.accounts import Account, Role
from enrollment.ground.audit import AuditEntry
from enrollment.ground.audit_chain import requested_checks
from enrollment.ground.jobs import ACTIVE, Job, JobState
from enrollment.ground.random_codes import typed_registration_code
from enrollment.reports import audit_scope
from portal.officials import pages
from portal.officials.forms import ActForm
from portal.text.audit_acts import act_words, reason_words, subject_words
from portal.text.formats import grouped
from portal.text.numbers import large_number
from portal.text.words import table, word
from portal.web.evidence_files import WatermarkError, file_response, watermark_text, watermarked
from portal.web.forms import CivilDate, parse_uuid
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db

READS_ALL = audit_scope.READS_ALL
MAY_READ = (*READS_ALL, Role.AREA_OFFICIAL)
UNKNOWN_ACCOUNT = uuid.UUID(int=0)


class TrailForm(FlaskForm):
    """A GET form: its values are in the query string, and it needs no CSRF token."""

    class Meta:
        csrf = False

    subject = SelectField(_l("对象"), validate_choice=False)
    number = StringField(_l("登记编号或编号"))
    person = StringField(_l("工作人员账号"))
    day = CivilDate(_l("日期"))

    def set_choices(self) -> None:
        kinds = [(code, word("audit_subject", code)) for code in table()["audit_subject"]]
        self.subject.choices = [("", _("全部")), *sorted(kinds, key=lambda kind: kind[1])]

    def is_valid(self) -> bool:
        typed = (self.day.raw_data or [""])[0].strip()
        self.day.errors = list(self.day.process_errors) if typed else []
        return not self.day.errors

    def query(self) -> audit_trail.AuditQuery:
        """A registration code asks for everything about its child; any other number is a subject id of the trail."""
        typed = (self.number.data or "").strip()
        about = tuple(audit_scope.subjects_about(db(), typed)) if typed else ()
        return audit_trail.AuditQuery(
            about=about or None,
            subject=self.subject.data or None,
            subject_id=typed if typed and not about else None,
            account_id=_account_id((self.person.data or "").strip()),
            day=self.day.data,
            before=request.args.get("before", None, large_number),
        )


def _account_id(typed: str) -> uuid.UUID | None:
    """The account with this login or id; an unknown login gives an id that no entry has."""
    if not typed:
        return None
    try:
        return uuid.UUID(typed)
    except ValueError:
        return db().scalar(select(Account.id).where(Account.login == typed.lower())) or UNKNOWN_ACCOUNT


@pages.get("/audit", endpoint="audit_trail")
@desk("officials", *MAY_READ)
def trail_page() -> ResponseReturnValue:
    return _page(TrailForm(request.args))


@pages.get("/audit/chain")
@desk("officials", *READS_ALL)
def chain_page() -> ResponseReturnValue:
    """How far the verification of the whole trail is, and the last verdict."""
    job, verdict = requested_checks.newest_job(db()), requested_checks.newest_verdict(db())
    return render_template(
        "officials/audit_chain.html",
        chain=audit_trail.chain_status(db()),
        job=job,
        running=job is not None and job.state in ACTIVE,
        failed=job is not None and job.state == JobState.FAILED,
        step=_step(job),
        verdict=verdict,
        asked_by=_name_of(verdict.asked_by if verdict else None),
        started_by=_name_of(parse_uuid(job.args["by"]) if job else None),
        form=ActForm(formdata=None),
    )


@pages.post("/audit/chain")
@desk("officials", *READS_ALL)
def check_chain() -> ResponseReturnValue:
    """Let a worker verify the whole trail, as `flask audit verify` does."""
    if ActForm().validate_on_submit():
        _job_id, is_new = requested_checks.request(db(), by=actor(), now=clock())
        if not is_new:
            flash(_("已经有一次核对在进行，下面是它的进度。"), "warn")
    return redirect(url_for("officials.chain_page"), 303)


@pages.get("/audit/chain/progress.json")
@desk("officials", *READS_ALL)
def chain_progress() -> ResponseReturnValue:
    """How many links are read, for the page's script."""
    job = requested_checks.newest_job(db())
    return {
        "state": "running" if job is not None and job.state in ACTIVE else "done",
        "done": job.done_units if job else 0,
        "of": job.all_units if job else 0,
        "step": _step(job),
    }


def _step(job: Job | None) -> str:
    if job is None or not job.all_units:
        return _("等待后台开始")
    return _("已读 %(n)s 条，共 %(of)s 条", n=grouped(job.done_units), of=grouped(job.all_units))


def _name_of(account_id: uuid.UUID | None) -> str:
    account = db().get(Account, account_id) if account_id else None
    return account.name if account else _("系统")


@pages.get("/mandates/<uuid:mandate_id>/paper")
@desk("officials", *READS_ALL)
def mandate_paper(mandate_id: uuid.UUID) -> ResponseReturnValue:
    """The signed paper of a mandate, with the viewer's name and the time as a watermark."""
    safe = mandates.read_paper(db(), mandate_id, by=actor(), now=clock())
    try:
        content = watermarked(safe.media_type, safe.content, watermark_text())
    except WatermarkError:
        return Response(status=415)
    return file_response(safe.media_type, content, "mandate")


def _page(form: TrailForm) -> ResponseReturnValue:
    form.set_choices()
    question = form.query() if form.is_valid() else audit_trail.AuditQuery()
    found = audit_trail.find_entries(db(), question, audit_scope.within(actor()))
    code = typed_registration_code(form.number.data or "")
    looked_up = question.about[0][1] if question.about else question.subject_id or ""
    audit.record(db(), "view", "audit_trail", looked_up, by=actor(), now=clock(), lines=len(found.items))
    return render_template(
        "officials/audit_trail.html",
        form=form,
        found=found,
        chain=audit_trail.chain_status(db()),
        verdict=requested_checks.newest_verdict(db()) if actor().is_any(*READS_ALL) else None,
        people=_people(found.items),
        codes=_codes(found.items) | {subject_id: code for _subject, subject_id in question.about or ()},
        reads_all=actor().is_any(*READS_ALL),
        act_words=act_words,
        subject_words=subject_words,
        reason_words=reason_words,
        filtered=question != audit_trail.AuditQuery(),
    )


def _people(entries: Iterable[AuditEntry]) -> dict[uuid.UUID, str]:
    """The accounts of the entries: staff with name and login, families without a name."""
    ids = {entry.account_id for entry in entries if entry.account_id}
    accounts = db().scalars(select(Account).where(Account.id.in_(ids)))
    return {each.id: f"{each.name}{_('（')}{each.login}{_('）')}" if each.login else _("家长") for each in accounts}


def _codes(entries: Iterable[AuditEntry]) -> dict[str, str]:
    """The registration codes of the entries' applications, by id."""
    ids = [uuid.UUID(entry.subject_id) for entry in entries if entry.subject == "application"]
    rows = db().execute(select(Application.id, Application.registration_code).where(Application.id.in_(ids)))
    return {str(row.id): row.registration_code for row in rows if row.registration_code}
