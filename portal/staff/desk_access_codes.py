"""Access codes printed at a desk: proof of the guardian's phone or agreement of a second person, issue, letter, revocation."""

import uuid

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.applications.guardian_access import access_code_proofs, access_codes, desk_access
from enrollment.ground.accounts import Account
from enrollment.ground.errors import Refused
from enrollment.results import letters
from portal.letters.desk import LANGUAGE, access_code_letter, access_code_name
from portal.letters.preparing import pdf_file, waiting_page
from portal.staff import pages
from portal.staff.desk import PhoneProofForm, guardian_address, guardian_view
from portal.staff.desk_letters import own_letters
from portal.text.formats import refusal
from portal.web import phone_messages
from portal.web.errors import error_page
from portal.web.forms import refusals_in, refusals_told
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db, services


@pages.post("/desk/<uuid:application_id>/<uuid:account_id>/access-code/proof")
@desk("staff", step_up=True)
def send_access_code_proof(application_id: uuid.UUID, account_id: uuid.UUID) -> ResponseReturnValue:
    """Send a code to the guardian's phone, which the guardian reads out."""
    form = PhoneProofForm(formdata=None)
    with refusals_in(form):
        code = access_code_proofs.send_code(db(), application_id, account_id, by=actor(), now=clock())
        if code is None:
            flash(_("这个号码一小时内要的验证码太多了，这一次没有再发。"), "warn")
        else:
            phone_messages.send_access_code_proof(db(), code, db().get_one(Account, account_id).phone)
            flash(_("验证码已发到监护人的手机，请监护人读出。"))
        return redirect(guardian_address(application_id, account_id), 303)
    return guardian_view(application_id, account_id, form)


@pages.post("/desk/<uuid:application_id>/<uuid:account_id>/access-code/agree")
@desk("staff", step_up=True)
def agree_access_code(application_id: uuid.UUID, account_id: uuid.UUID) -> ResponseReturnValue:
    """The second person agrees that a colleague prints a code for this guardian."""
    with refusals_told():
        access_code_proofs.agree(db(), application_id, account_id, by=actor(), now=clock())
        flash(_("已记下。同事 30 分钟内可以为这位监护人打印一个登录码。"))
    return redirect(guardian_address(application_id, account_id), 303)


@pages.post("/desk/<uuid:application_id>/<uuid:account_id>/access-code")
@desk("staff", step_up=True)
def issue_access_code(application_id: uuid.UUID, account_id: uuid.UUID) -> ResponseReturnValue:
    """Issue a code and have its letter drawn.  The earlier one is void; nobody can read a code after its letter."""
    form = PhoneProofForm()
    application = desk_access.application_at_desk(db(), application_id, by=actor())
    if form.validate_on_submit():
        with refusals_in(form):
            code, text = access_codes.issue(
                db(), application_id, account_id, by=actor(), now=clock(), phone_code=form.code.data or ""
            )
            if code is not None:
                uses = access_codes.tell_uses(db(), account_id, now=clock())
                config = services().config
                address = f"{config.public_url}/sign-in/access-code"
                page = access_code_letter(application, code, text, uses, address=address, demo=config.demo)
                letters.ask(db(), own_letters(), page, now=clock())
                target = url_for("staff.access_code_pdf", application_id=application_id, account_id=account_id)
                return redirect(target, 303)
            form.code.errors = [_("验证码不对或已过期。请核对最新一条短信，或重新获取。")]
    return guardian_view(application_id, account_id, form)


@pages.get("/desk/<uuid:application_id>/<uuid:account_id>/access-code.pdf")
@desk("staff")
def access_code_pdf(application_id: uuid.UUID, account_id: uuid.UUID) -> ResponseReturnValue:
    """The letter of the code, for the clerk who issued it, within ten minutes and one fetch.

    The identity check was asked for when the code was issued: one that ends meanwhile withholds no letter.
    """
    application = desk_access.application_at_desk(db(), application_id, by=actor())
    desk_access.guardian_account(db(), application, account_id)
    back = guardian_address(application_id, account_id)
    code = access_codes.live_code(db(), account_id, now=clock())
    name = access_code_name(code) if code is not None else ""
    letter = letters.find(db(), own_letters(), name, LANGUAGE, now=clock())
    if letter is None:
        gone = refusal(Refused("code_letter_gone"))
        return error_page(
            409, _("登录码的信已经不在"), gone, back=back, back_text=_("窗口办理"), frame="staff/base.html"
        )
    waiting = waiting_page(
        letter, frame="staff/base.html", back=back, back_text=_("窗口办理"),
        if_failed=_("十分钟后还没有做成的，请回到上一页重新打印一个登录码，这一个就作废。"),
    )  # fmt: skip
    if waiting is not None:
        return waiting
    letters.was_given(db(), own_letters(), name, LANGUAGE, now=clock())
    return pdf_file(letter, "access-code")


@pages.post("/desk/<uuid:application_id>/<uuid:account_id>/access-code/revoke")
@desk("staff")
def revoke_access_code(application_id: uuid.UUID, account_id: uuid.UUID) -> ResponseReturnValue:
    with refusals_told():
        access_codes.revoke(db(), application_id, account_id, by=actor(), now=clock())
        flash(_("登录码已作废。"))
    return redirect(guardian_address(application_id, account_id), 303)
