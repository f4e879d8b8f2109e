"""The guardian whom a helper helps, and what it is told."""

import datetime as dt

from sqlalchemy import select

from enrollment.ground import sign_in
from enrollment.ground.accounts import actor_of
from enrollment.ground.outbox import Notice
from tests.support.town_families import id_number

PHONE = "13811112222"
MOTHERS_NUMBER = id_number(dt.date(1988, 3, 3))


def guardian_signs_in(town, phone=PHONE):
    return actor_of(sign_in.account_of_phone(town.session, phone, now=town.now))


def told(town, actor) -> list[str]:
    kinds = select(Notice.kind).where(Notice.account_id == actor.account_id).order_by(Notice.created_at, Notice.kind)
    return list(town.session.scalars(kinds))
