"""Importing a list: upload a file, review the changes or faults, confirm."""

import uuid

from flask import Response, abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import RadioField

from enrollment.ground.files.upload_limits import LIMITS
from enrollment.places.imports import importer, templates
from enrollment.places.imports.faults import ImportFaults
from portal.officials import pages
from portal.officials.scope import DECIDERS
from portal.text import import_messages
from portal.text.words import word
from portal.web.admission_year import admission_year
from portal.web.forms import ActForm, PageForm, coded_choices, refusals_in
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db
from portal.web.upload_fields import UploadField, accepts_uploads

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_SHOWN = 200


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
            file = importer.store_upload(
                db(), form.kind.data, form.file_name, form.content(), by=actor(), now=clock(), year=admission_year()
            )
            return redirect(url_for("officials.import_file", file_id=file.id), 303)
    return _imports_page(form)


def _imports_page(form: FileForm) -> ResponseReturnValue:
    return render_template(
        "officials/imports.html",
        form=form,
        kinds=tuple(importer.MODULES),
        done=importer.recent_imports(db(), by=actor()),
        part_word=lambda part: word("import_part", part),
    )


@pages.get("/imports/<uuid:file_id>")
@desk("officials", *DECIDERS)
def import_file(file_id: uuid.UUID) -> ResponseReturnValue:
    return _file_page(file_id, ActForm())


@pages.post("/imports/<uuid:file_id>/take-in")
@desk("officials", *DECIDERS)
def take_in_import(file_id: uuid.UUID) -> ResponseReturnValue:
    form = ActForm()
    if form.validate_on_submit():
        try:
            with refusals_in(form):
                file = importer.import_upload(db(), file_id, by=actor(), now=clock())
                flash(_("已导入 %(name)s。", name=file.name))
                return redirect(url_for("officials.import_file", file_id=file.id), 303)
        except ImportFaults:
            flash(_("城市数据刚刚变了，这个文件现在有需要修改的地方，什么都没有写入。"), "warn")
    return _file_page(file_id, form)


@pages.post("/imports/<uuid:file_id>/give-up")
@desk("officials", *DECIDERS)
def give_up_import(file_id: uuid.UUID) -> ResponseReturnValue:
    if ActForm().validate_on_submit():
        importer.discard_upload(db(), file_id, by=actor())
        flash(_("已放弃，什么都没有写入。"))
    return redirect(url_for("officials.imports"), 303)


def _file_page(file_id: uuid.UUID, form: ActForm) -> ResponseReturnValue:
    file = importer.own_upload(db(), file_id, by=actor())
    if file.done_at is not None:
        counts = [(word("import_part", part), n) for part, n in (file.summary or {}).items() if n]
        return render_template("officials/import_done.html", file=file, counts=counts)
    looked = importer.preview(db(), file_id, by=actor(), now=clock())
    return render_template(
        "officials/import_file.html",
        file=file,
        difference=looked.difference,
        faults=looked.faults.faults if looked.faults else [],
        words=import_messages,
        most=MOST_SHOWN,
        form=form,
    )


@pages.get("/imports/templates/<kind>.xlsx")
@desk("officials", *DECIDERS)
def import_template(kind: str) -> ResponseReturnValue:
    if kind not in importer.MODULES:
        abort(404)
    headings = (_("列名"), _("必填"), _("示例"), _("说明"))
    body = templates.template(kind, import_messages.explanations(kind), headings)
    name = f"attachment; filename={kind}.xlsx"
    return Response(body, mimetype=XLSX, headers={"Content-Disposition": name})
