"""The people of the demo city whom the sign-in page lists.  Every name and number is invented."""

import datetime as dt
import secrets
from dataclasses import dataclass, replace

import pyotp
from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment.ground import outbox, sign_in
from enrollment.ground.accounts import Account, Actor, Role, RoleGrant, actor_of
from enrollment.ground.phones import phone_index
from enrollment.people.person_rows import Guardian
from enrollment.places.kindergartens import Kindergarten
from enrollment.review import case_officers
from portal.text.messages import signed, text_words
from portal.web.clock import real_now
from portal.web.unit_of_work import services

PASSWORD = "chengdu-2026"  # noqa: S105  the demo's, shown on its sign-in page; production has no such account


CONSENT = ("demo", "0" * 64)
"""Version and digest of the text to which the simulated families have agreed: there is none."""


@dataclass(frozen=True)
class Person:
    """`login` is a phone number for families; `role` and `place` are codes with words in the group `demo_person`."""

    login: str
    name: str
    role: str
    desk_phone: str = ""


FAMILIES = (
    Person("13900000001", "李建国", "family_new"),
    Person("13900000002", "王芳", "family_submitted"),
)
STAFF = (
    Person("clerk1", "周敏", "clerk"),
    Person("clerk2", "陈洁", "clerk"),
    Person("head1", "赵园长", "head"),
    Person("clerk3", "吴静", "clerk_elsewhere"),
    Person("area1", "刘科", "area_official", "028-85550101"),
    Person("area2", "孙科", "area_official", "028-85550102"),
    Person("city1", "何处", "city_official", "028-85550201"),
    Person("city2", "郭处", "city_official", "028-85550202"),
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
    """Show the current second-factor code in the demo inbox, because nobody has an authenticator for the demo."""
    moment = real_now()
    code = pyotp.TOTP(account.second_factor or "").at(moment)
    body = signed(text_words("second_factor", name=account.name, code=code), services().config)
    key, expires_at = f"factor:{account.id}:{moment.timestamp()}", now + sign_in.CODE_LIFETIME
    outbox.add_text_message(session, account.login or "", body, key=key, now=now, expires_at=expires_at)


def document_end(session: Session, account: Account) -> str:
    """The answer to the question of a doubted number, which the demo shows: its families exist on no paper."""
    guardian = session.scalars(select(Guardian).where(Guardian.account_id == account.id)).one_or_none()
    return (guardian.id_number or "")[-4:] if guardian is not None else ""


HOME = "锦官新城幼儿园"
ELSEWHERE = "锦江区机关第一幼儿园"
AREA = "510104"


def add_people(session: Session, *, now: dt.datetime) -> dict[str, Actor]:
    """Create the accounts of staff; return their actors by login."""
    place = {
        kindergarten.name: kindergarten.id
        for kindergarten in session.scalars(select(Kindergarten).where(Kindergarten.name.in_((HOME, ELSEWHERE))))
    }
    grants = {
        "clerk": lambda: RoleGrant(role=Role.CLERK, kindergarten_id=place[HOME]),
        "head": lambda: RoleGrant(role=Role.HEAD, kindergarten_id=place[HOME]),
        "clerk_elsewhere": lambda: RoleGrant(role=Role.CLERK, kindergarten_id=place[ELSEWHERE]),
        "area_official": lambda: RoleGrant(role=Role.AREA_OFFICIAL, area_code=AREA),
        "city_official": lambda: RoleGrant(role=Role.CITY_OFFICIAL),
        "helper": lambda: RoleGrant(role=Role.HELPER),
        "auditor": lambda: RoleGrant(role=Role.AUDITOR),
    }
    made = {}
    for person in STAFF:
        account = sign_in.create_staff_account(
            session, person.login, person.name, PASSWORD, [grants[person.role]()], now=now
        )
        made[person.login] = actor_of(account)
        if person.desk_phone:
            case_officers.save_desk_phone(session, person.desk_phone, by=made[person.login], now=now)
    unknown = secrets.token_urlsafe(32)
    everywhere = [RoleGrant(role=Role.CITY_OFFICIAL), grants["clerk"]()]  # reviews like a clerk, in the whole city
    made[REVIEWER] = actor_of(
        sign_in.create_staff_account(session, REVIEWER, "模拟审核员", unknown, everywhere, now=now)
    )
    return made


def actor(session: Session, login: str) -> Actor:
    return actor_of(session.scalars(select(Account).where(Account.login == login)).one())


def reviewing_clerk(session: Session) -> Actor:
    """The simulated reviewer as a clerk of every kindergarten: messages name the kindergarten as the one who reviewed."""
    everywhere = frozenset(session.scalars(select(Kindergarten.id)))
    return replace(actor(session, REVIEWER), roles=frozenset({Role.CLERK}), kindergartens=everywhere)


def phone_indices() -> list[bytes]:
    """How the accounts of the demo's own families are found."""
    return [phone_index(person.login) for person in FAMILIES]
