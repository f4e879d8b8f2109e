"""Error pages.  A page of an internal error shows a reference number and no detail."""

import secrets
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, current_app, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from sqlalchemy.exc import DataError, IntegrityError
from werkzeug.exceptions import HTTPException, InternalServerError, RequestEntityTooLarge, SecurityError

from enrollment.ground import constraint_errors
from enrollment.ground.errors import NotFound, Refused, Stale
from enrollment.ground.files.upload_limits import LIMITS
from portal.text.formats import refusal
from portal.web.away import is_away, is_busy
from portal.web.csrf import page_of_the_form
from portal.web.front.oversized_requests import fields_before_the_file
from portal.web.logs import fault_trace
from portal.web.restored_form import save_fields
from portal.web.safe_redirect import page_of_form
from portal.web.sessions import current_session
from portal.web.upload_fields import largest_upload

log = structlog.get_logger()

PAGES = {
    400: (_l("这个请求没有看懂"), _l("请返回上一页再试一次。")),
    403: (_l("这个页面不在您的权限内"), _l("如果工作需要，请联系您的管理员。")),
    404: (_l("没有找到这个页面"), _l("地址可能有误，或者内容已经不在这里。")),
    405: (_l("请从页面上的按钮进入"), _l("这个地址不能直接打开。请返回上一页。")),
    409: (_l("内容已经在别处改动"), _l("请打开最新的页面核对后再提交，您之前保存的内容没有丢失。")),
    413: (_l("文件太大"), _l("什么都没有保存。请回到刚才的页面，换小一些的文件再试，或分几次上传。")),
    429: (_l("请稍等片刻再试"), _l("短时间内操作次数较多。登记先后不影响录取结果，请放心。")),
    503: (_l("这项服务暂时不可用"), _l("已经保存的内容不会丢失，请过几分钟再试。")),
    500: (
        _l("系统出了点问题"),
        _l("已经保存的内容不会丢失。请过几分钟再试；一直这样的，请记下下面的编号，告诉工作人员。"),
    ),
}


def error_page(
    status: int, heading: LazyString | str | None = None, text: LazyString | str | None = None, **more: Any
) -> ResponseReturnValue:
    """An error page.  Its request writes nothing, so no message of this request is shown that tells of something done."""
    current_session().drop_new_messages()
    default_heading, default_text = PAGES.get(status, PAGES[400 if status < 500 else 500])
    shown = {
        "reference": None, "entered": [], "newer": None, "back": None, "back_text": None, "if_failed": None, "frame": "layout.html",
    } | more  # fmt: skip
    page = render_template(
        "public/error.html", status=status, heading=heading or default_heading, text=text or default_text, **shown
    )
    return page, status


def _http_error(fault: HTTPException) -> ResponseReturnValue:
    if isinstance(fault, InternalServerError):
        return _internal_error(fault.original_exception or fault)
    if fault.code is not None and 300 <= fault.code < 400:
        return fault
    return error_page(fault.code or 500)


def _too_large(fault: RequestEntityTooLarge) -> ResponseReturnValue:
    """A body that is larger than its route takes is not read; what was typed beside the file comes back in the form."""
    g.spoiled = True
    page = page_of_the_form()
    if current_user.is_authenticated:
        save_fields(page, fields_before_the_file())
    largest = largest_upload()
    if largest is None:
        return error_page(413, back=page)
    text = _(
        "照片不超过 %(photo)s，PDF 不超过 %(pdf)s，一次一共不超过 %(all)s。什么都没有保存，请换小一些的文件再试。",
        photo=LIMITS["photo"].words,
        pdf=LIMITS["pdf"].words,
        all=largest.words,
    )
    return error_page(413, text=text, back=page)


def _untrusted_host(_fault: SecurityError) -> ResponseReturnValue:
    """The Host header is not trusted: answer in plain text, because links of a page would repeat that host."""
    return Response("400\n", 400, mimetype="text/plain")


def _not_found(_fault: NotFound) -> ResponseReturnValue:
    return error_page(404)


def _refusal(refused: Refused) -> ResponseReturnValue:
    g.rollback_only = True
    if request.method not in ("GET", "HEAD"):
        return error_page(409, text=refusal(refused))
    came_from = page_of_form(current_app.url_map, "", request.referrer or "")
    back = came_from if urlsplit(came_from).path not in ("/", request.path) else None
    return error_page(409, _("这一页现在打不开"), refusal(refused), back=back)


def _stale_form(_stale_form: Stale) -> ResponseReturnValue:
    """Another person or tab saved first: nothing is overwritten, and the page shows the entered values."""
    g.rollback_only = True
    form = g.get("stale_form")
    frame = "parents/base.html" if request.blueprint == "parents" else "layout.html"
    newer = page_of_the_form() if request.method == "POST" else None
    return error_page(409, newer=newer, entered=form.entered_values() if form else [], frame=frame)


def _invalid_value(_fault: DataError) -> ResponseReturnValue:
    """PostgreSQL cannot store a value, such as a too large number or a text with a NUL: no row can have it."""
    g.rollback_only = True
    g.session.rollback()
    return error_page(404 if request.method in ("GET", "HEAD") else 400)


def _constraint_violated(fault: IntegrityError) -> ResponseReturnValue:
    """Show the refusal that the constraint stands for.  A constraint without an error code is an error of the program."""
    refused = constraint_errors.refusal_of(fault)
    if refused is None:
        return _internal_error(fault)
    if "session" in g:
        g.session.rollback()  # the error page reads from the database
    return _refusal(refused)


def _flush(response: Response) -> Response:
    """Write what the view left pending while an error can still become a page; the commit comes after all headers."""
    session = g.get("session")
    if session is None or response.status_code >= 400 or g.get("rollback_only"):
        return response
    try:
        session.flush()
    except (DataError, IntegrityError) as fault:
        return current_app.make_response(current_app.handle_user_exception(fault))
    return response


def _internal_error(fault: BaseException) -> ResponseReturnValue:
    if is_away(fault) or is_busy(fault):
        g.rollback_only = True
        raise fault  # the page that needs no row (portal/web/away.py)
    g.rollback_only = g.internal_error = True
    if "session" in g:
        g.session.rollback()  # the page of the fault asks the database again
    reference = secrets.token_hex(4).upper()
    log.error("broken", reference=reference, path=request.path, fault=fault_trace(fault))
    if current_app.config["TESTING"]:
        raise fault
    return error_page(500, reference=reference)


def init(app: Flask) -> None:
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(RequestEntityTooLarge, _too_large)
    app.register_error_handler(SecurityError, _untrusted_host)
    app.register_error_handler(NotFound, _not_found)
    app.register_error_handler(Stale, _stale_form)
    app.register_error_handler(Refused, _refusal)
    app.register_error_handler(DataError, _invalid_value)
    app.register_error_handler(IntegrityError, _constraint_violated)
    app.register_error_handler(Exception, _internal_error)
    app.after_request(_flush)
