"""DRW02: sessions of witnesses that are requested, opened and used at the same moment."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enrollment.draw import snapshot
from enrollment.draw.draws import Draw
from enrollment.draw.seed import seed_entries, seeding, witness_sessions
from enrollment.draw.seed.witness_rows import SeedEntry, SeedPart, WitnessOffice, WitnessSession
from tests.attacks.test_races import broken, refused

NUMBERS = "3 8 14 21 27 30 + 6"


@pytest.fixture
def frozen(race, now):
    town = race.town(now)
    town.child("安娜", wishes=[town.kindergarten("锦官园", places=1)])
    town.everyone_is_reviewed()
    town.freeze()
    town._a_minute_later()
    town.session.commit()
    return town


def request(town, name, by):
    return lambda s: witness_sessions.request(
        s, town.the_round.id, SeedPart.BEACON, name=name, office=WitnessOffice.OTHER, by=by, now=town.now
    )


def opened(race, town, name: str, browser: str) -> str:
    """The token of a session that this browser opened."""
    first, second = town.city_pair()
    with Session(race.engine) as session, session.begin():
        made, token = request(town, name, first)(session)
        code = witness_sessions.approve(session, made.id, by=second, now=town.now)
        seed_entries.open_with_code(session, token, code, browser=browser, account_id=None, now=town.now)
    return token


def test_drw02_no_third_session_is_requested_at_once(race, frozen):
    town, officials = frozen, frozen.city_pair()
    town.session.commit()
    said = race.at_once(*[request(town, f"见证人{n}", officials[n % 2]) for n in range(4)])
    assert broken(said) == []
    assert refused(said) == ["witnesses_enough"] * 2


def test_drw02_two_tabs_enter_one_value(race, frozen):
    town = frozen
    token = opened(race, town, "王公证", "phone")
    values = ["3 8 14 21 27 30 + 6", "1 2 3 4 5 6 + 7", "9 10 11 12 13 14 + 1"]
    said = race.at_once(
        *[lambda s, v=v: seed_entries.enter(s, token, v, browser="phone", now=town.now).value for v in values]
    )
    assert broken(said) == []
    assert refused(said) == ["witness_entered_already"] * 2
    with Session(race.engine) as session:
        assert session.scalar(select(func.count()).select_from(SeedEntry)) == 1


def test_drw02_one_browser_opens_one_of_two_sessions_at_once(race, frozen):
    town = frozen
    first, second = town.city_pair()
    links = []
    with Session(race.engine) as session, session.begin():
        for name in ("王公证", "李家长"):
            made, token = request(town, name, first)(session)
            links.append((token, witness_sessions.approve(session, made.id, by=second, now=town.now)))
    said = race.at_once(
        *[
            lambda s, link=link: seed_entries.open_with_code(s, *link, browser="same", account_id=None, now=town.now)
            for link in links
        ]
    )
    assert broken(said) == []
    assert refused(said) == ["witness_same_browser"]
    with Session(race.engine) as session:
        found = select(func.count()).where(WitnessSession.opened_at.is_not(None))
        assert session.scalar(found) == 1


def test_drw02_an_entry_and_a_new_commitment_take_turns(race, frozen):
    """Either the entry belongs to the old commitment and counts for nothing, or it is refused."""
    town = frozen
    tokens = [opened(race, town, name, name) for name in ("王公证", "李家长")]
    town.declare_form()
    town.session.commit()
    by = town.city_pair()[0]
    said = race.crossing(
        lambda s: seed_entries.enter(s, tokens[0], NUMBERS, browser="王公证", now=town.now).value,
        lambda s: snapshot.freeze(s, town.the_round.id, by=by, now=town.now, reason="核对").number,
        lambda s: seed_entries.enter(s, tokens[1], NUMBERS, browser="李家长", now=town.now).value,
    )
    assert broken(said) == []
    assert set(refused(said)) <= {"witness_commitment_replaced", "witness_session_over", "beacon_not_public_yet"}
    with Session(race.engine) as session:
        draw = session.scalars(select(Draw)).one()
        of_it = select(func.count()).select_from(SeedEntry).join(WitnessSession)
        assert session.scalar(of_it.where(WitnessSession.commitment == draw.commitment)) == 0
        with pytest.raises(seeding.Refused, match="seed_"):
            seeding.set_seed(session, 2026, by=by, now=town.now)
