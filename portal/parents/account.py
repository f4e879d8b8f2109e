"""The family's account: withdrawing a single consent, and closing the account after a page with the consequences."""

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.applications import account_closing, applications
from enrollment.applications.application_rows import Stage
from enrollment.ground.accounts import Role
from enrollment.people import consents
from portal.parents import pages
from portal.web.authentication import log_out
from portal.web.forms import PageForm, refusals_in
from portal.web.guards import desk
from portal.web.sessions import current_session
from portal.web.unit_of_work import actor, clock, db


@pages.post("/account/consents/<kind>/withdraw")
@desk("parents", Role.GUARDIAN)
def withdraw_one_consent(kind: str) -> ResponseReturnValue:
    """Withdraw an optional consent.  The consent to keep a child's data has its own page."""
    if kind not in consents.REGISTER_OF_KIND:
        abort(404)
    consents.withdraw(db(), kind, by=actor(), now=clock())
    flash(_("同意已撤回。以后不再向这个部门核对，请上传对应的材料。"))
    return redirect(url_for("parents.account"), 303)


@pages.get("/account/close")
@desk("parents", Role.GUARDIAN)
def close_account_page() -> ResponseReturnValue:
    return _page(PageForm())


@pages.post("/account/close")
@desk("parents", Role.GUARDIAN)
def close_account() -> ResponseReturnValue:
    form = PageForm()
    if form.validate_on_submit():
        with refusals_in(form):
            account_closing.close(db(), by=actor(), now=clock())
            log_out()
            current_session().renew = True  # the farewell message needs a new key: all older sessions were just deleted
            flash(_("账户已关闭，您已退出。"))
            return redirect("/", 303)
    return _page(form)


def _page(form: PageForm) -> ResponseReturnValue:
    return render_template(
        "parents/close_account.html",
        form=form,
        still_open=account_closing.still_open(db(), by=actor(), now=clock()),
        drafts=[each for each in applications.list_own(db(), by=actor()) if each.stage == Stage.DRAFT],
    )
