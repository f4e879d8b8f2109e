"""Importing a list: upload a file, wait for its check, review the changes or faults, confirm.

No page reads a file: a job does, and these pages show what it keeps (docs/adr/0003).
"""

import uuid

from flask import Response, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField

from enrollment.ground.accounts import Account
from enrollment.ground.files.upload_limits import LIMITS
from enrollment.ground.jobs import Job
from enrollment.places.imports import importer, templates, uploads
from enrollment.places.imports.uploaded_files import ImportFile, ImportState
from portal.officials import pages
from portal.officials.forms import Checkboxes
from portal.officials.scope import DECIDERS
from portal.officials.years import chosen_year
from portal.text import import_messages
from portal.text.words import word
from portal.web.forms import ActForm, PageForm, coded_choices, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db
from portal.web.upload_fields import UploadField, accepts_uploads

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_SHOWN = 200
DOWNLOADS = {"faults.csv": ("fault_list", "text/csv"), "marked.xlsx": ("marked", XLSX)}


class FileForm(PageForm):
    kind = RadioField(
        _l("导入什么"),
        choices=coded_choices("import_kind", importer.MODULES),
        default="kindergartens",
    )
    file = UploadField(_l("文件（.xlsx 或 .csv）"), kinds=("table",))

    def content(self) -> bytes:
        return self.file.data.read() if self.file.data else b""

    @property
    def file_name(self) -> str:
        return (self.file.data.filename if self.file.data else "") or "list"


class ConfirmForm(PageForm):
    """The word for a checked file, with the conflicts in which the file wins."""

    overwrite = Checkboxes(_l("以文件为准"), choices=[], validate_choice=False)
    overwrite_all = BooleanField(_l("全部以文件为准"))

    def chosen(self) -> list[str] | None:
        return None if self.overwrite_all.data else list(self.overwrite.data or [])


@pages.get("/imports")
@desk("officials", *DECIDERS)
def imports() -> ResponseReturnValue:
    return _imports_page(FileForm())


@pages.post("/imports")
@desk("officials", *DECIDERS)
@accepts_uploads(LIMITS["table"])
def upload_import() -> ResponseReturnValue:
    form = FileForm()
    if form.validate_on_submit():
        with refusals_in(form):
            file = uploads.store(
                db(), form.kind.data, form.file_name, form.content(), by=actor(), now=clock(), year=chosen_year()
            )
            return redirect(url_for("officials.import_file", file_id=file.id), 303)
    return _imports_page(form)


def _imports_page(form: FileForm) -> ResponseReturnValue:
    return render_template(
        "officials/imports.html",
        form=form,
        kinds=tuple(importer.MODULES),
        under_way=uploads.open_files(db(), by=actor(), now=clock()),
        done=uploads.recent(db(), by=actor()),
        part_word=lambda part: word("import_part", part),
    )


@pages.get("/imports/<uuid:file_id>")
@desk("officials", *DECIDERS)
def import_file(file_id: uuid.UUID) -> ResponseReturnValue:
    return _file_page(file_id, ConfirmForm())


@pages.get("/imports/<uuid:file_id>/progress.json")
@desk("officials", *DECIDERS)
def import_progress(file_id: uuid.UUID) -> ResponseReturnValue:
    """The progress for the page's script while a job works on the file."""
    file = uploads.own(db(), file_id, by=actor(), now=clock())
    job = uploads.job_of(db(), file)
    going_on = file.state in uploads.UNDER_WAY and not uploads.has_failed(job)
    return {
        "state": "running" if going_on else "done",
        "done": job.done_units if job else 0,
        "of": job.all_units if job else 0,
        "step": _step_words(job),
    }


def _step_words(job: Job | None) -> str:
    step = job.step if job else None
    holder = importer.person_of((step or "").partition(":")[2])
    person = db().get(Account, holder) if holder else None
    return import_messages.step_words(step, person.name if person else None)


@pages.post("/imports/<uuid:file_id>/take-in")
@desk("officials", *DECIDERS, step_up=True)
def take_in_import(file_id: uuid.UUID) -> ResponseReturnValue:
    form = ConfirmForm()
    if form.validate_on_submit():
        with refusals_in(form):
            uploads.confirm(db(), file_id, by=actor(), now=clock(), overwrite=form.chosen())
            return redirect(url_for("officials.import_file", file_id=file_id), 303)
    return _file_page(file_id, form)


@pages.post("/imports/<uuid:file_id>/give-up")
@desk("officials", *DECIDERS)
def give_up_import(file_id: uuid.UUID) -> ResponseReturnValue:
    if ActForm().validate_on_submit():
        uploads.give_up(db(), file_id, by=actor(), now=clock())
        flash(_("已放弃，什么都没有写入。"))
    return redirect(url_for("officials.imports"), 303)


@pages.get("/imports/<uuid:file_id>/<any('faults.csv', 'marked.xlsx'):name>")
@desk("officials", *DECIDERS)
def import_faults(file_id: uuid.UUID, name: str) -> ResponseReturnValue:
    """The whole list of faults, or the own workbook with its faults marked."""
    part, media_type = DOWNLOADS[name]
    content = uploads.download_of(uploads.own(db(), file_id, by=actor(), now=clock()), part)
    headers = {"Content-Disposition": f"attachment; filename={name}", "Cache-Control": "no-store"}
    return Response(content, mimetype=media_type, headers=headers)


def _file_page(file_id: uuid.UUID, form: ConfirmForm) -> ResponseReturnValue:
    file = uploads.own(db(), file_id, by=actor(), now=clock())
    if file.state == ImportState.DONE:
        return render_template(
            "officials/import_done.html", file=file, counts=import_messages.counts(file.summary or {})
        )
    if file.state in uploads.UNDER_WAY:
        return _progress_page(file)
    report = uploads.report_of(file)
    if file.state == ImportState.FAULTY:
        has_marked = file.marked is not None
        return render_template(
            "officials/import_faults.html", file=file, report=report, has_marked=has_marked, words=import_messages
        )
    return render_template(
        "officials/import_file.html",
        file=file,
        report=report,
        counts={part: n for part, n in report["counts"].items() if part != "kept"},
        lines=import_messages.report_lines(report),
        words=import_messages,
        most=MOST_SHOWN,
        form=form,
    )


def _progress_page(file: ImportFile) -> ResponseReturnValue:
    job = uploads.job_of(db(), file)
    return render_template(
        "officials/import_progress.html", file=file, job=job, failed=uploads.has_failed(job), step=_step_words(job)
    )


@pages.get("/imports/templates/<kind>.xlsx")
@desk("officials", *DECIDERS)
def import_template(kind: str) -> ResponseReturnValue:
    if kind not in importer.MODULES:
        abort(404)
    texts = templates.Texts(
        headings=(_("列名"), _("必填"), _("示例"), _("说明")),
        required=_("带 * 的列必须填写。"),
        invalid=_("请从列表中选择，或按说明填写。"),
        example=_("示例（导入时不读这一行）"),
    )
    body = templates.template(kind, import_messages.explanations(kind), texts)
    name = f"attachment; filename={kind}.xlsx"
    return Response(body, mimetype=XLSX, headers={"Content-Disposition": name})
