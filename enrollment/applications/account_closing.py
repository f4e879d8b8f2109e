"""Closing a family's account: its drafts, consents and mandates end, and nobody can sign in with it any more.

The account gives its telephone number back: who signs in with it later gets a new account.  If this person then proves to be
the same guardian (`guardians.save_guardian`), the children belong to the new account.
"""

import datetime as dt

from sqlalchemy.orm import Session

from enrollment.applications import applications, mandates, submission, units
from enrollment.applications.applications import Application, Stage
from enrollment.applications.guardian_access import access_codes, phone_change_course
from enrollment.applications.lifecycle import HANDED_IN
from enrollment.delivery import wechat
from enrollment.ground import audit, sign_in
from enrollment.ground.accounts import Account, Actor, require_oneself
from enrollment.ground.errors import NotFound, Refused
from enrollment.people import consents, sign_on_bindings
from enrollment.season import calendar


def still_open(session: Session, *, by: Actor, now: dt.datetime) -> list[Application]:
    """The person's applications that prevent closing the account: handed in, in a season that is not over."""
    mine = [each for each in applications.list_own(session, by=by) if each.stage in HANDED_IN]
    over = {year: calendar.is_over(session, year, now) for year in {each.year for each in mine}}
    return [each for each in mine if not over[each.year]]


def close(session: Session, *, by: Actor, now: dt.datetime) -> None:
    """Close the signed-in person's account: drafts, consents and mandates are withdrawn, every session ends.

    Handed-in applications are kept until their retention ends.  Refuses `account_in_use` while `still_open` finds one.
    """
    require_oneself(by)
    account = session.get_one(Account, by.account_id, with_for_update=True)
    if account.login is not None:  # a staff account; its holder cannot close it
        raise NotFound()
    if open_now := still_open(session, by=by, now=now):
        raise Refused("account_in_use", names="、".join(each.child.name for each in open_now))
    mine = applications.list_own(session, by=by)
    units.lock_families(session, [application.id for application in mine])
    for application in mine:
        if application.stage == Stage.DRAFT:
            submission.withdraw(session, application.id, by=by, now=now, reason="account_closed")
    for kind in consents.KINDS:
        consents.withdraw(session, kind, by=by, now=now)
    mandates.end_all(session, by=by, now=now)
    sign_on_bindings.unbind(session, by=by, now=now)
    wechat.unbind(session, by=by, now=now)
    phone_change_course.drop(session, account.id, by=by, now=now)
    access_codes.void(session, account.id, by=by, now=now)
    account.phone = account.phone_index = account.phone_proven_at = None
    account.disabled_at = now
    audit.record(session, "close_account", "account", account.id, by=by, now=now)
    sign_in.end_sessions(session, account.id)
    session.flush()
