"""The people of the demo city whom the sign-in page lists.  Every name and number is invented."""

import datetime as dt
from dataclasses import dataclass

import pyotp
from sqlalchemy.orm import Session

from enrollment.ground import notices
from enrollment.ground.accounts import Account
from portal.clock import real_now
from portal.words import word

PASSWORD = "chengdu-2026"  # noqa: S105  the demo's, shown on its sign-in page; production has no such account


@dataclass(frozen=True)
class Person:
    """`login` is a phone number for families; `role` and `place` are codes with words in the group `demo_person`."""

    login: str
    name: str
    role: str


FAMILIES = (
    Person("13900000001", "李建国", "family_new"),
    Person("13900000002", "王芳", "family_submitted"),
)
STAFF = (
    Person("clerk1", "周敏", "clerk"),
    Person("clerk2", "陈洁", "clerk"),
    Person("head1", "赵园长", "head"),
    Person("clerk3", "吴静", "clerk_elsewhere"),
    Person("area1", "刘科", "area_official"),
    Person("area2", "孙科", "area_official"),
    Person("city1", "何处", "city_official"),
    Person("city2", "郭处", "city_official"),
    Person("helper1", "社区小杨", "helper"),
    Person("auditor1", "审计小钱", "auditor"),
)


def families() -> tuple[Person, ...]:
    return FAMILIES


def staff() -> tuple[Person, ...]:
    return STAFF


def show_second_factor(session: Session, account: Account, *, now: dt.datetime) -> None:
    """The demo has no authenticator in anybody's pocket, so its inbox shows the code of this moment."""
    moment = real_now()
    code = pyotp.TOTP(account.second_factor or "").at(moment)
    body = word("text_message", "second_factor", name=account.name, code=code)
    notices.text_phone(session, account.login or "", body, key=f"factor:{account.id}:{moment.timestamp()}", now=now)
