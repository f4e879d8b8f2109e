"""The people of the demo city whom the sign-in page lists.  Every name and number is invented."""

import datetime as dt
import secrets
from dataclasses import dataclass

import pyotp
from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.ground import outbox, sign_in
from enrollment.ground.accounts import Account, Actor, RoleGrant, actor_of
from enrollment.ground.vault import blind_index
from enrollment.places.kindergartens import Kindergarten
from portal.text.messages import signed, text_words
from portal.web.clock import real_now
from portal.web.unit_of_work import house

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
    Person("helper1", "杨洋", "helper"),
    Person("auditor1", "审计小钱", "auditor"),
)


REVIEWER = "simulated_reviewer"
"""Who reviews for all kindergartens of the simulated city; nobody can sign in as this account."""


def families() -> tuple[Person, ...]:
    return FAMILIES


def staff() -> tuple[Person, ...]:
    return STAFF


def show_second_factor(session: Session, account: Account, *, now: dt.datetime) -> None:
    """The demo has no authenticator in anybody's pocket, so its inbox shows the code of this moment."""
    moment = real_now()
    code = pyotp.TOTP(account.second_factor or "").at(moment)
    body = signed(text_words("second_factor", name=account.name, code=code), house().config)
    outbox.text_phone(session, account.login or "", body, key=f"factor:{account.id}:{moment.timestamp()}", now=now)


HOME = "锦官新城幼儿园"
ELSEWHERE = "锦江区机关第一幼儿园"
AREA = "510104"


def enter(session: Session, *, now: dt.datetime) -> dict[str, Actor]:
    """Open the accounts of the staff; by login."""
    place = {
        kindergarten.name: kindergarten.id
        for kindergarten in session.scalars(select(Kindergarten).where(Kindergarten.name.in_((HOME, ELSEWHERE))))
    }
    grants = {
        "clerk": lambda: RoleGrant(role="clerk", kindergarten_id=place[HOME]),
        "head": lambda: RoleGrant(role="head", kindergarten_id=place[HOME]),
        "clerk_elsewhere": lambda: RoleGrant(role="clerk", kindergarten_id=place[ELSEWHERE]),
        "area_official": lambda: RoleGrant(role="area_official", area_code=AREA),
        "city_official": lambda: RoleGrant(role="city_official"),
        "helper": lambda: RoleGrant(role="helper"),
        "auditor": lambda: RoleGrant(role="auditor"),
    }
    made = {}
    for person in STAFF:
        account = sign_in.staff_account(session, person.login, person.name, PASSWORD, [grants[person.role]()], now=now)
        made[person.login] = actor_of(account)
    unknown = secrets.token_urlsafe(32)
    everywhere = [RoleGrant(role="city_official")]
    made[REVIEWER] = actor_of(sign_in.staff_account(session, REVIEWER, "模拟审核员", unknown, everywhere, now=now))
    return made


def actor(session: Session, login: str) -> Actor:
    return actor_of(session.scalars(select(Account).where(Account.login == login)).one())


def phone_indices() -> list[bytes]:
    """How the accounts of the demo's own families are found."""
    return [blind_index(person.login, "phone") for person in FAMILIES]
