"""TRU16: a sealed text, date or fact that somebody copies to another row in the database does not open there."""

import datetime as dt

import pytest
from cryptography.exceptions import InvalidTag
from sqlalchemy import LargeBinary, bindparam, func, select, text, type_coerce, update
from sqlalchemy.exc import InvalidRequestError, StatementError
from sqlalchemy.orm import aliased

from enrollment.applications.claim_rows import Claim
from enrollment.ground import key_rotation, vault
from enrollment.ground.accounts import Account
from enrollment.people.household_rows import Household
from enrollment.people.person_rows import Child, Guardian


@pytest.fixture
def families(town):
    garden = town.kindergarten("金苹果", places=1)
    town.open_registration()
    home = {"home_address": "模拟路 1 号", "home_longitude": "104.0657", "home_latitude": "30.6595"}
    return [
        town.child(name, wishes=[garden], submit=False, grounds={"policy_care": "firefighter"}, **home)
        for name in ("安娜", "本本")
    ]


def copy(session, column, source: dict, target: dict) -> None:
    table, name = column.class_.__tablename__, column.key
    here, there = (" AND ".join(f"{key} = :{which}_{key}" for key in source) for which in ("source", "target"))
    statement = f"UPDATE {table} SET {name} = (SELECT {name} FROM {table} WHERE {here}) WHERE {there}"
    values = {f"source_{key}": value for key, value in source.items()}
    values |= {f"target_{key}": value for key, value in target.items()}
    assert session.execute(text(statement), values).rowcount == 1
    session.expire_all()


def test_tru16_a_value_copied_to_another_row_does_not_open(town, families):
    session = town.session
    token = session.scalar(text("SELECT ground FROM claim WHERE ground LIKE '~%' LIMIT 1"))
    children = [{"id": each.child_id} for each in families]
    homes = [{"application_id": each.id} for each in families]
    claims = [{**home, "ground": token} for home in homes]
    for column, keys in (
        (Child.name, children),
        (Child.born, children),
        (Household.home_longitude, homes),
        (Claim.details, claims),
    ):
        assert None not in session.scalars(select(column)).all()
        copy(session, column, *keys)
        with pytest.raises(InvalidTag):
            session.scalars(select(column)).all()
        with pytest.raises(InvalidTag):
            session.scalars(select(column.class_)).all()


def test_tru16_every_way_of_the_orm_reads_and_writes_for_the_row(town, families):
    """Objects, columns, aliases, subqueries with the key, RETURNING, and an update of one row by its key."""
    session, (ana, _ben) = town.session, families
    child = session.get_one(Child, ana.child_id)
    other = aliased(Child)
    inner = select(Child.id, Child.name).where(Child.id == child.id).subquery()
    assert session.scalar(select(other.name.label("said")).where(other.id == child.id)) == child.name
    assert session.scalar(select(inner.c.name)) == child.name
    written = (
        update(Child).where(Child.id == child.id, Child.sex == child.sex).values(name="安妮").returning(Child.name)
    )
    assert session.scalar(written) == "安妮"
    child.born = dt.date(2023, 4, 5)
    session.commit()
    assert (child.name, child.born) == ("安妮", dt.date(2023, 4, 5))
    account = Account(login="somebody", name="有人", password_hash="!", created_at=town.now)
    session.add(account)
    session.commit()
    assert session.scalar(select(Account.name).where(Account.login == "somebody")) == "有人"


def test_tru16_a_statement_that_does_not_say_the_row_is_refused(town, families):
    session = town.session
    with pytest.raises(StatementError, match="does not say for which"):
        session.execute(update(Child).where(Child.sex == "f").values(name="别人"))
    session.rollback()
    for lost in (select(select(Child.name).subquery().c.name), select(func.max(Guardian.phone))):
        with pytest.raises(InvalidRequestError):
            session.execute(lost)


def test_tru16_a_value_from_before_opens_and_rotation_binds_it(town, families):
    session, (ana, ben) = town.session, families
    before = bindparam("name", vault.seal_unbound("旧名", "child.name"), type_=LargeBinary)
    session.execute(update(Child).where(Child.id == ana.child_id).values(name=before))
    session.expire_all()
    child = session.get_one(Child, ana.child_id)
    assert child.name == "旧名"
    assert key_rotation.count_unbound(session) == {"child.name": 1}
    (column,) = [one for one in key_rotation.sealed_columns() if one.name == "child.name"]
    after: tuple | None = ()
    while after is not None:
        after = key_rotation.rotate_batch(session, column, after=after, now=town.now)
    session.expire_all()
    assert child.name == "旧名" and not key_rotation.count_unbound(session)
    assert session.scalar(select(type_coerce(Child.name, LargeBinary)).where(Child.id == child.id))[0] == vault.BOUND
    copy(session, Child.name, {"id": ana.child_id}, {"id": ben.child_id})
    with pytest.raises(InvalidTag):
        session.get_one(Child, ben.child_id).name  # noqa: B018
