"""`flask account`: add and disable accounts of staff and officials."""

import uuid

import click
import pyotp
from flask.cli import AppGroup, with_appcontext
from sqlalchemy import select

from enrollment.ground import audit, sign_in
from enrollment.ground.accounts import ROLES, SYSTEM, Account, Role, RoleGrant
from enrollment.ground.vault import normalise
from enrollment.places import kindergartens
from enrollment.places.areas import Area
from portal.operations.printing import answer, as_json_option
from portal.web.clock import real_now
from portal.web.unit_of_work import db

cli = AppGroup("account", help="Accounts of staff and officials.")
SHORTEST_PASSWORD = 12
ISSUER = "Chengdu Kindergarten Admission"
"""The name that an authenticator app shows for the account."""


@cli.command("add")
@click.argument("login")
@click.option("--name", required=True)
@click.option("--role", required=True, type=click.Choice([str(role) for role in ROLES if role != Role.GUARDIAN]))
@click.option("--kindergarten", help="School identification code, for clerks and heads.")
@click.option("--area", help="Code of the admission area, for area officials.")
@click.password_option(help="At least 12 characters.")
@as_json_option
@with_appcontext
def add(
    login: str, name: str, role: str, kindergarten: str | None, area: str | None, password: str, as_json: bool
) -> None:
    """Add an account with a password and a second factor, whose otpauth URI is printed once."""
    if len(password) < SHORTEST_PASSWORD:
        raise click.ClickException(f"the password has fewer than {SHORTEST_PASSWORD} characters")
    if _account(login) is not None:
        raise click.ClickException(f"the login {login} is taken")
    grant = RoleGrant(role=role, kindergarten_id=_kindergarten(kindergarten, role), area_code=_area(area, role))
    account = sign_in.create_staff_account(db(), login, name, password, [grant], now=real_now())
    audit.record(db(), "add_account", "account", account.id, by=SYSTEM, now=real_now(), role=role)
    # computed before the commit: if it failed afterwards, nobody could sign in with the account
    second_factor = pyotp.TOTP(account.second_factor or "").provisioning_uri(name=account.login, issuer_name=ISSUER)
    db().commit()
    told = {"login": account.login, "role": role, "second_factor": second_factor}
    lines = [f"{account.login} is added.  Second factor, shown only now:", second_factor]
    answer(told, lines, as_json=as_json)


def _account(login: str) -> Account | None:
    return db().scalar(select(Account).where(Account.login == normalise(login).lower()))


def _area(code: str | None, role: str) -> str | None:
    if role != Role.AREA_OFFICIAL:
        return None
    found = db().get(Area, code) if code else None
    if found is None:
        raise click.ClickException("an area official needs --area with a known code")
    return found.code


def _kindergarten(code: str | None, role: str) -> uuid.UUID | None:
    if role not in (Role.CLERK, Role.HEAD):
        return None
    found = kindergartens.by_code(db(), code) if code else None
    if found is None:
        raise click.ClickException("a clerk or head needs --kindergarten with a known code")
    return found.id


@cli.command("disable")
@click.argument("login")
@as_json_option
@with_appcontext
def disable(login: str, as_json: bool) -> None:
    """Disable an account and end its sessions."""
    account = _account(login)
    if account is None:
        raise click.ClickException(f"no account {login}")
    account.disabled_at = real_now()
    ended = sign_in.end_sessions(db(), account.id)
    audit.record(db(), "disable_account", "account", account.id, by=SYSTEM, now=real_now())
    db().commit()
    told = {"login": account.login, "sessions_ended": ended}
    answer(told, [f"{login} is closed, {ended} sessions ended"], as_json=as_json)
