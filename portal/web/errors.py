"""Pages for what goes wrong.  Calm, with a way on; a broken part gets a reference and no detail."""

import secrets

import structlog
from flask import Flask, Response, current_app, g, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from sqlalchemy.exc import DataError
from werkzeug.exceptions import HTTPException, InternalServerError, RequestEntityTooLarge, SecurityError

from enrollment.ground.errors import NotFound, Refused, Stale
from enrollment.ground.upload_limits import LIMITS, MOST_AT_ONCE
from portal.text.formats import refusal
from portal.web.csrf import page_of_the_form
from portal.web.logs import way_of
from portal.web.oversized_requests import fields_before_the_file
from portal.web.restored_form import keep_fields

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
    500: (_l("系统出了点问题"), _l("已经保存的内容不会丢失。请过几分钟再试，或者把下面的编号告诉服务热线。")),
}


def error_page(status: int, heading=None, text=None, **more):
    default_heading, default_text = PAGES.get(status, PAGES[400 if status < 500 else 500])
    shown = {"reference": None, "typed": [], "newer": None, "back": None, "frame": "layout.html"} | more
    page = render_template(
        "public/error.html", status=status, heading=heading or default_heading, text=text or default_text, **shown
    )
    return page, status


def _http(fault: HTTPException):
    if isinstance(fault, InternalServerError):
        return _broken(fault.original_exception or fault)
    if fault.code is not None and 300 <= fault.code < 400:
        return fault
    return error_page(fault.code or 500)


def _too_large(fault: RequestEntityTooLarge):
    """A body that is larger than its route takes is not read; what was typed beside the file comes back in the form."""
    g.spoiled = True
    page = page_of_the_form()
    if current_user.is_authenticated:
        keep_fields(page, fields_before_the_file())
    files = [LIMITS["photo"].words, LIMITS["pdf"].words, MOST_AT_ONCE.words]
    text = _(
        "照片不超过 %(photo)s，PDF 不超过 %(pdf)s，一次一共不超过 %(all)s。什么都没有保存，请换小一些的文件再试。",
        photo=files[0],
        pdf=files[1],
        all=files[2],
    )
    return error_page(413, text=text, back=page)


def _foreign_host(_fault: SecurityError):
    """Asked for under a name that is not ours: no page, whose links would carry that name on."""
    return Response("400\n", 400, mimetype="text/plain")


def _not_found(_fault: NotFound):
    return error_page(404)


def _refused(refused: Refused):
    g.spoiled = True
    return error_page(409, text=refusal(refused))


def _stale(_stale: Stale):
    """Somebody else, or another tab, saved first: nothing is overwritten, and what was typed is shown."""
    g.spoiled = True
    form = g.get("stale_form")
    frame = "parents/base.html" if request.blueprint == "parents" else "layout.html"
    newer = request.path if request.method == "POST" else None
    return error_page(409, newer=newer, typed=form.typed() if form else [], frame=frame)


def _no_such_value(_fault: DataError):
    """A number beyond all numbers, a text with a zero in it: nothing of ours is called that."""
    g.spoiled = True
    g.session.rollback()
    return error_page(404 if request.method in ("GET", "HEAD") else 400)


def _broken(fault: BaseException):
    g.spoiled = g.broken = True
    if "session" in g:
        g.session.rollback()  # the page of the fault asks the database again
    reference = secrets.token_hex(4).upper()
    log.error("broken", reference=reference, path=request.path, fault=way_of(fault))
    if current_app.config["TESTING"]:
        raise fault
    return error_page(500, reference=reference)


def init(app: Flask) -> None:
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(RequestEntityTooLarge, _too_large)
    app.register_error_handler(SecurityError, _foreign_host)
    app.register_error_handler(NotFound, _not_found)
    app.register_error_handler(Stale, _stale)
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(DataError, _no_such_value)
    app.register_error_handler(Exception, _broken)
