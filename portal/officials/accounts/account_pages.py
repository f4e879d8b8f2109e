"""The list of accounts with their roles and scopes, one account, and a new one."""

import uuid
from collections.abc import Iterable

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from enrollment.ground.accounts import ROLES, Account, Role
from enrollment.places.kindergartens import Kindergarten
from enrollment.staff_accounts import changes, listing, scope
from enrollment.staff_accounts.rows import AccountChange, Change
from portal.officials import pages
from portal.officials.accounts.forms import NewAccountForm, ReasonForm, RoleForm
from portal.officials.scope import DECIDERS, READERS, area_names
from portal.text.numbers import whole_number
from portal.web.forms import ActForm, PageForm, refusals_in, second_form
from portal.web.guards import desk
from portal.web.unit_of_work import actor, clock, db

LISTED_ROLES = tuple(role for role in ROLES if role != Role.GUARDIAN)


def scope_words(kindergarten_id: uuid.UUID | None, area_code: str | None) -> str:
    """Where a role holds."""
    if kindergarten_id is not None:
        return db().get_one(Kindergarten, kindergarten_id).name
    return area_names()[area_code] if area_code else _("全市")


def _names(asked: Iterable[AccountChange]) -> dict[uuid.UUID, str]:
    ids = {each.asked_by for each in asked} | {each.decided_by for each in asked if each.decided_by}
    return {account_id: db().get_one(Account, account_id).name for account_id in ids}


@pages.get("/accounts")
@desk("officials", *READERS)
def accounts() -> ResponseReturnValue:
    typed, role = request.args.get("q", "").strip()[:40], request.args.get("role", "")
    role = role if role in LISTED_ROLES else ""
    asked = listing.asked_for(db(), by=actor(), now=clock(), page=request.args.get("asked", 1, whole_number))
    return render_template(
        "officials/accounts.html", found=listing.accounts(
            db(), by=actor(), typed=typed, role=role, page=request.args.get("page", 1, whole_number)
        ), typed=typed, role=role, roles=LISTED_ROLES, asked=asked, people=_names(asked), me=actor().account_id,
        scope_words=scope_words, decides=actor().is_any(*DECIDERS),
    )  # fmt: skip


@pages.get("/accounts/new")
@desk("officials", *DECIDERS)
def new_account() -> ResponseReturnValue:
    return _new_page(NewAccountForm())


def _new_page(form: NewAccountForm) -> str:
    form.set_choices()
    return render_template("officials/account_new.html", form=form)


@pages.post("/accounts/new")
@desk("officials", *DECIDERS, step_up=True)
def ask_new_account() -> ResponseReturnValue:
    form = NewAccountForm()
    if form.validate_on_submit():
        with refusals_in(form):
            changes.ask_new(
                db(), form.login.data or "", form.name.data or "", form.role.data or "",
                kindergarten_id=form.kindergarten_id(), area_code=form.area.data or None,
                reason=form.reason.data or "", by=actor(), now=clock(),
            )  # fmt: skip
            return _asked()
    return _new_page(form)


def _asked() -> ResponseReturnValue:
    flash(_("已提出。另一位管理员同意以后才生效。"))
    return redirect(url_for("officials.accounts"), 303)


@pages.get("/accounts/<uuid:account_id>")
@desk("officials", *READERS)
def account(account_id: uuid.UUID) -> ResponseReturnValue:
    return _account_page(account_id)


def _account_page(account_id: uuid.UUID, form: PageForm | None = None) -> str:
    found = scope.find(db(), account_id, by=actor())
    role_form = form if isinstance(form, RoleForm) else second_form(RoleForm)
    role_form.set_choices()
    return render_template(
        "officials/account.html", found=found, form=form or role_form, role_form=role_form,
        reason_form=form if isinstance(form, ReasonForm) and form is not role_form else second_form(ReasonForm),
        scope_words=scope_words, own=found.id == actor().account_id,
        decides=actor().is_any(*DECIDERS) and found.id != actor().account_id, audits=actor().is_any(Role.CITY_OFFICIAL),
    )  # fmt: skip


@pages.post("/accounts/<uuid:account_id>/roles")
@desk("officials", *DECIDERS, step_up=True)
def ask_role(account_id: uuid.UUID) -> ResponseReturnValue:
    form = RoleForm()
    if form.validate_on_submit():
        with refusals_in(form):
            changes.ask(
                db(), account_id, Change.GRANT, role=form.role.data or "", kindergarten_id=form.kindergarten_id(),
                area_code=form.area.data or None, reason=form.reason.data or "", by=actor(), now=clock(),
            )  # fmt: skip
            return _asked()
    return _account_page(account_id, form)


@pages.post("/accounts/<uuid:account_id>/<any('enable', 'reset'):change>")
@desk("officials", *DECIDERS, step_up=True)
def ask_access(account_id: uuid.UUID, change: str) -> ResponseReturnValue:
    form = ReasonForm()
    if form.validate_on_submit():
        with refusals_in(form):
            changes.ask(db(), account_id, Change(change), reason=form.reason.data or "", by=actor(), now=clock())
            return _asked()
    return _account_page(account_id, form)


@pages.post("/accounts/<uuid:account_id>/disable")
@desk("officials", *DECIDERS, step_up=True)
def disable_account(account_id: uuid.UUID) -> ResponseReturnValue:
    form = ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            changes.disable(db(), account_id, by=actor(), now=clock())
            flash(_("账号已停用，已经登录的地方都退出了。"))
            return redirect(url_for("officials.account", account_id=account_id), 303)
    return _account_page(account_id, form)


@pages.post("/accounts/<uuid:account_id>/roles/<uuid:grant_id>/take")
@desk("officials", *DECIDERS, step_up=True)
def take_role(account_id: uuid.UUID, grant_id: uuid.UUID) -> ResponseReturnValue:
    form = ActForm()
    if form.validate_on_submit():
        with refusals_in(form):
            changes.take_role(db(), account_id, grant_id, by=actor(), now=clock())
            flash(_("这个角色已收回。"))
            return redirect(url_for("officials.account", account_id=account_id), 303)
    return _account_page(account_id, form)
