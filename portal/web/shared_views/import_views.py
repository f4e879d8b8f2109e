"""Importing a list at a desk: upload a file, wait for its check, review the changes or faults, confirm.

No page reads a file: a job does, and these pages show what it keeps (docs/adr/0003).
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, SelectMultipleField, widgets

from enrollment.ground.accounts import Account
from enrollment.ground.jobs import Job
from enrollment.places.imports import importer, templates, uploads
from enrollment.places.imports.uploaded_files import ImportFile, ImportState
from portal.text import import_messages
from portal.text.numbers import whole_number
from portal.text.words import word
from portal.web.forms import ActForm, PageForm, coded_choices, refusals_in
from portal.web.unit_of_work import actor, clock, db
from portal.web.upload_fields import UploadField

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_SHOWN = 200
DOWNLOADS = {"faults.csv": ("fault_list", "text/csv"), "marked.xlsx": ("marked", XLSX)}


class FileForm(PageForm):
    kind = RadioField(_l("导入什么"), choices=[])
    file = UploadField(_l("文件（.xlsx 或 .csv）"), kinds=("table",))

    def content(self) -> bytes:
        return self.file.data.read() if self.file.data else b""

    @property
    def file_name(self) -> str:
        return (self.file.data.filename if self.file.data else "") or "list"


class ConfirmForm(PageForm):
    """The word for a checked file, with the conflicts in which the file wins."""

    overwrite = SelectMultipleField(
        _l("以文件为准"),
        choices=[],
        validate_choice=False,
        option_widget=widgets.CheckboxInput(),
        widget=widgets.ListWidget(prefix_label=False),
    )
    overwrite_all = BooleanField(_l("全部以文件为准"))

    def chosen(self) -> list[str] | None:
        return None if self.overwrite_all.data else list(self.overwrite.data or [])


@dataclass(frozen=True)
class ImportDesk:
    """One desk's pages of imports: which kinds of lists its people import, and where the pages stand.

    The desk's blueprint has the endpoints `imports`, `upload_import`, `import_file`, `import_progress`, `take_in_import`,
    `give_up_import`, `import_faults` and `import_template`.
    """

    blueprint: str
    kinds: tuple[str, ...]
    navigation: str
    title: Any
    year: Callable[[], int]
    back_to: str = ""
    back_text: Any = None

    def url(self, endpoint: str, **values: Any) -> str:
        return url_for(f"{self.blueprint}.{endpoint}", **values)

    @property
    def back(self) -> str | None:
        return url_for(self.back_to) if self.back_to else None

    def form(self) -> FileForm:
        form = FileForm(kind=self.kinds[0])
        form.kind.choices = coded_choices("import_kind", self.kinds)
        return form

    def list_page(self, form: FileForm) -> ResponseReturnValue:
        return self._render(
            "list",
            form=form,
            kinds=self.kinds,
            under_way=uploads.open_files(db(), by=actor(), now=clock()),
            done=uploads.finished(db(), by=actor(), page=request.args.get("page", 1, whole_number)),
            part_word=lambda part: word("import_part", part),
        )

    def upload(self) -> ResponseReturnValue:
        form = self.form()
        if form.validate_on_submit():
            with refusals_in(form):
                file = uploads.store(
                    db(), form.kind.data, form.file_name, form.content(), by=actor(), now=clock(), year=self.year()
                )
                return redirect(self.url("import_file", file_id=file.id), 303)
        return self.list_page(form)

    def file_page(self, file_id: uuid.UUID, form: ConfirmForm) -> ResponseReturnValue:
        file = uploads.own(db(), file_id, by=actor(), now=clock())
        if file.state == ImportState.DONE:
            return self._render("done", file=file, counts=import_messages.counts(file.summary or {}))
        if file.state in uploads.UNDER_WAY:
            return self._progress_page(file)
        report = uploads.report_of(file)
        if file.state == ImportState.FAULTY:
            return self._render(
                "faults", file=file, report=report, has_marked=file.marked is not None, words=import_messages
            )
        return self._render(
            "file",
            file=file,
            report=report,
            counts={part: n for part, n in report["counts"].items() if part != "kept"},
            lines=import_messages.report_lines(report),
            words=import_messages,
            most=MOST_SHOWN,
            form=form,
        )

    def progress(self, file_id: uuid.UUID) -> Mapping[str, Any]:
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

    def take_in(self, file_id: uuid.UUID) -> ResponseReturnValue:
        form = ConfirmForm()
        if form.validate_on_submit():
            with refusals_in(form):
                uploads.confirm(db(), file_id, by=actor(), now=clock(), overwrite=form.chosen())
                return redirect(self.url("import_file", file_id=file_id), 303)
        return self.file_page(file_id, form)

    def give_up(self, file_id: uuid.UUID) -> ResponseReturnValue:
        if ActForm().validate_on_submit():
            if not uploads.give_up(db(), file_id, by=actor(), now=clock()):
                flash(_("来不及取消：这个文件已经导入。"), "warn")
                return redirect(self.url("import_file", file_id=file_id), 303)
            flash(_("已放弃，什么都没有写入。"))
        return redirect(self.url("imports"), 303)

    def download(self, file_id: uuid.UUID, name: str) -> ResponseReturnValue:
        """The whole list of faults, or the own workbook with its faults marked."""
        part, media_type = DOWNLOADS[name]
        content = uploads.download_of(uploads.own(db(), file_id, by=actor(), now=clock()), part)
        headers = {"Content-Disposition": f"attachment; filename={name}", "Cache-Control": "no-store"}
        return Response(content, mimetype=media_type, headers=headers)

    def template(self, kind: str) -> ResponseReturnValue:
        if kind not in self.kinds:
            abort(404)
        texts = templates.Texts(
            headings=(_("列名"), _("必填"), _("示例"), _("说明")),
            required=_("带 * 的列必须填写。"),
            invalid=_("请从列表中选择，或按说明填写。"),
            example=_("示例（导入时不读这一行）"),
        )
        body = templates.template(kind, import_messages.explanations(kind), texts)
        return Response(body, mimetype=XLSX, headers={"Content-Disposition": f"attachment; filename={kind}.xlsx"})

    def _progress_page(self, file: ImportFile) -> ResponseReturnValue:
        job = uploads.job_of(db(), file)
        return self._render("progress", file=file, job=job, failed=uploads.has_failed(job), step=_step_words(job))

    def _render(self, template: str, **values: Any) -> str:
        return render_template(f"imports/{template}.html", at=self, **values)


def _step_words(job: Job | None) -> str:
    step = job.step if job else None
    holder = importer.person_of((step or "").partition(":")[2])
    person = db().get(Account, holder) if holder else None
    return import_messages.step_words(step, person.name if person else None)


__all__ = ["ConfirmForm", "ImportDesk"]
