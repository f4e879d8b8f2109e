"""TRU10: what the version before kept readable is sealed by the upgrade, and reads as before."""

import datetime as dt
from decimal import Decimal

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from enrollment.applications.claim_rows import Claim, VerifiedFact
from enrollment.ground.db import open_engine
from enrollment.people.household_rows import Household
from enrollment.people.person_rows import Child
from enrollment.places.roll_rows import RollChild
from portal.operations.migrations import upgrade
from tests.conftest import NOW
from tests.support.servers import downgrade
from tests.support.town import Town

BEFORE = "0049_audit_seals"
READABLE = (
    "UPDATE child SET born = '2022-11-23'",
    "UPDATE roll_child SET born = '2020-09-01'",
    "UPDATE household SET home_longitude = 104.081437, home_latitude = 30.6572",
    "INSERT INTO claim SELECT id, 'policy_care', '{\"policy_care\": \"firefighter\"}', now() FROM application",
    "INSERT INTO verified_fact (application_id, fact, outcome, value, source, at)"
    " SELECT id, 'policy_care', 'verified', '\"firefighter\"', 'paper', now() FROM application",
    "INSERT INTO verified_fact (application_id, fact, outcome, reason, source, at)"
    " SELECT id, 'special_need', 'declined', '看不清', 'paper', now() FROM application",
)


def test_tru10_rows_of_the_version_before_are_sealed_by_the_upgrade(real_database):
    engine = open_engine(real_database)
    with Session(engine, expire_on_commit=False) as session:
        town = Town(session, NOW)
        garden = town.kindergarten("金苹果", places=1)
        town.child("安娜", wishes=[garden], hukou_kind="local", hukou_area="510104")
        town.child_on_roll(garden, "本本")
        session.commit()
    downgrade(engine, BEFORE)
    with engine.begin() as connection:
        for statement in READABLE:
            assert connection.execute(text(statement)).rowcount == 1
    upgrade(engine)
    with Session(engine) as session:
        home = session.scalars(select(Household)).one()
        assert (home.home_longitude, home.home_latitude) == (Decimal("104.081437"), Decimal("30.657200"))
        assert session.scalars(select(Child.born)).one() == dt.date(2022, 11, 23)
        child = session.scalars(select(RollChild)).one()
        assert (child.born, child.school_from) == (dt.date(2020, 9, 1), 2027)
        claims = {claim.ground: claim.details for claim in session.scalars(select(Claim))}
        assert claims["policy_care"] == {"policy_care": "firefighter"}
        found = {row.fact: row for row in session.scalars(select(VerifiedFact))}
        assert found["policy_care"].value == "firefighter"
        assert found["special_need"].reason == "看不清"
        stored = session.execute(text("SELECT string_agg(ground || details::text, '') FROM claim")).scalar_one()
        assert "policy" not in stored and b"firefighter".hex() not in stored
    engine.dispose()
