"""Upload fields that keep the limit they say: the hint, the check in the browser and the check of the server are one number.

A field names the kinds of files it takes (keys of `upload_limits.LIMITS`).  `parts/field.html` writes the attributes;
`static/js/pages.js` refuses a file that is too large when it is chosen, `pre_validate` when it has come all the same.
The route of such a form says with `accepts_uploads` how large a whole request may be; every other route takes
`LARGEST_FORM`, and a request that declares more is refused before its body is read.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from flask import Flask, current_app, request
from flask_babel import gettext as _
from flask_wtf.file import FileField, MultipleFileField
from werkzeug.datastructures import FileStorage
from wtforms.validators import ValidationError

from enrollment.ground.files.upload_limits import LIMITS, MOST_AT_ONCE, UploadLimit
from portal.web.front.oversized_requests import LARGEST_FORM

View = TypeVar("View", bound=Callable[..., Any])

AROUND_FILES = 2 * 2**20
"""What a request with files may hold beside them."""

PHOTO_OR_PDF = ("photo", "pdf")
ACCEPTED = {"photo": "image/*,.heic,.heif", "pdf": "application/pdf", "table": ".xlsx,.csv,.txt", "rules": ".toml"}


def accepts_uploads(largest: UploadLimit) -> Callable[[View], View]:
    """Let the requests of a view carry files of so many bytes together.  It stands below `desk`."""

    def mark(view: View) -> View:
        view.__dict__["largest_upload"] = largest
        return view

    return mark


class _WithLimits:
    kinds: tuple[str, ...]

    def _attributes(self) -> dict[str, str]:
        limits = {kind: LIMITS[kind].largest for kind in self.kinds}
        return {
            "accept": ",".join(ACCEPTED[kind] for kind in self.kinds),
            "data-limits": json.dumps(limits),
            "data-most-at-once": str(MOST_AT_ONCE.largest),
            # the script puts the numbers in
            "data-too-large": _too_large("{size}", "{most}"),
            "data-too-much": _too_much(),
        }

    def limits_in_words(self) -> str:
        """The hint beside the field: what the server will keep to."""
        said = {
            "photo": _("照片不超过 %(most)s", most=LIMITS["photo"].words),
            "pdf": _("PDF 不超过 %(most)s", most=LIMITS["pdf"].words),
        }
        return _("，").join(
            said.get(kind) or _("文件不超过 %(most)s", most=LIMITS[kind].words) for kind in self.kinds
        ) + _("。")

    def _refuse_large(self, files: Iterable[FileStorage]) -> None:
        together = 0
        for file in files:
            size, limit = _size_of(file), LIMITS[self._kind_of(file)]
            together += size
            if size > limit.largest:
                raise ValidationError(_too_large(limit.size_in_words(size), limit.words))
        if together > MOST_AT_ONCE.largest:
            raise ValidationError(_too_much())

    def _kind_of(self, file: FileStorage) -> str:
        """By its name, as the browser's check does; its content is looked at where it is made safe."""
        if len(self.kinds) == 1:
            return self.kinds[0]
        is_pdf = file.mimetype == "application/pdf" or (file.filename or "").lower().endswith(".pdf")
        return "pdf" if is_pdf else "photo"


def _too_large(size: str, most: str) -> str:
    return _("这个文件有 %(size)s，最大 %(most)s。请换一个小一些的文件，或分成几个。", size=size, most=most)


def _too_much() -> str:
    return _("一次最多上传 %(most)s，请分几次上传。", most=MOST_AT_ONCE.words)


def _size_of(file: FileStorage) -> int:
    file.stream.seek(0, 2)
    size = file.stream.tell()
    file.stream.seek(0)
    return size


class UploadField(_WithLimits, FileField):
    """One file of one of the kinds."""

    def __init__(self, label: Any = None, validators: Any = None, *, kinds: tuple[str, ...], **more: Any):
        super().__init__(label, validators, **more)
        self.kinds = kinds
        self.render_kw = self._attributes()

    def pre_validate(self, form: Any) -> None:
        self._refuse_large([self.data] if self.data else [])


class UploadsField(_WithLimits, MultipleFileField):
    """Several files of the kinds."""

    def __init__(self, label: Any = None, validators: Any = None, *, kinds: tuple[str, ...], **more: Any):
        super().__init__(label, validators, **more)
        self.kinds = kinds
        self.render_kw = self._attributes()

    def pre_validate(self, form: Any) -> None:
        self._refuse_large(self.data or [])


def largest_upload() -> UploadLimit | None:
    """What the files of this request may hold together; None for a route that takes no more than `LARGEST_FORM`."""
    return getattr(current_app.view_functions.get(request.endpoint or ""), "largest_upload", None)


def _bound_request() -> None:
    largest = largest_upload()
    request.max_content_length = largest.largest + AROUND_FILES if largest else LARGEST_FORM


def init(app: Flask) -> None:
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_FORM
    app.before_request(_bound_request)
