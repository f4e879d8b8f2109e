"""The error page for a letter that cannot be rendered."""

from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.letters.pdf_renderer import PdfUnavailable
from portal.web.errors import error_page


def letters_wait(fault: PdfUnavailable) -> ResponseReturnValue:
    """A 503 page that names the missing library."""
    text = _("PDF 暂时不能生成，您家的申请和学位不受影响，请稍后再来下载。缺少的部分：%(how)s", how=fault.how)
    return error_page(503, heading=_("通知书还在准备"), text=text)
