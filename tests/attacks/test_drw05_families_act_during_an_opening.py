"""DRW05: an opening begins before its hour; families act meanwhile, without waiting for it, and what they did counts."""

import datetime as dt

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from enrollment.draw import runs
from enrollment.draw.publication import hours, opening, run_moves
from enrollment.draw.publication.rows import Publication
from enrollment.ground import sign_in
from enrollment.ground.accounts import Account
from enrollment.ground.errors import Refused
from enrollment.offers import withdrawals
from enrollment.offers.offers import Offer
from enrollment.places.programmes import Programme

pytestmark = pytest.mark.long

SECOND = dt.timedelta(seconds=1)


def test_drw05_a_family_that_leaves_while_its_offer_is_written_gets_none(race, now):
    town = race.town(now)
    garden = town.kindergarten("锦官园", places=2)
    ana, ben = (town.child(name, wishes=[garden]) for name in ("安娜", "本本"))
    town.everyone_is_reviewed()
    town.freeze()
    town.seed_in_order(ana, ben)
    run = town.run()
    town.sign(run)
    parent, leaver, official = town.parent_of(ana), town.parent_of(ben), town.city_pair()[0]
    hour = hours.publication_of(town.session, run.id).hour
    town.session.commit()
    waits, said = [], []

    def leave_meanwhile(moment: dt.datetime) -> dt.datetime:
        waits.append(moment)  # the caller waits in its transaction, with everything written
        if len(waits) == 1:
            with Session(race.engine) as other, other.begin():
                other.execute(text("SET LOCAL lock_timeout = '300ms'"))
                withdrawals.withdraw(other, ana.id, by=parent, now=hour - SECOND)
                other.execute(update(Programme).values(taken=Programme.taken))
                other.execute(update(Account).values(name=Account.name))
                sign_in.check_second_factor(other, official.account_id, "000000", at=hour)
                assert other.scalar(select(func.count()).select_from(Offer)) == 0
                for act in (
                    lambda: runs.set_aside(other, run.id, reason="x", by=official, now=hour - SECOND),
                    lambda: hours.change(
                        other, town.the_round.id, hour=hour + SECOND, reason="x", by=official, now=hour - SECOND
                    ),
                ):
                    with pytest.raises(Refused) as refused:
                        act()
                    said.append(refused.value.code)
        if moment == hour:
            with Session(race.engine) as other, other.begin():
                other.execute(text("SET LOCAL lock_timeout = '300ms'"))
                with pytest.raises(OperationalError, match="lock timeout"):
                    withdrawals.withdraw(other, ben.id, by=leaver, now=hour - SECOND)
                other.rollback()
        return moment

    with Session(race.engine) as session, pytest.raises(run_moves.Overtaken):
        opening.open_run(session, run.id, now=hour - SECOND, wait=leave_meanwhile)
    with Session(race.engine) as session, session.begin():
        assert session.scalar(select(func.count()).select_from(Offer)) == 0
        assert opening.open_run(session, run.id, now=hour - SECOND, wait=leave_meanwhile) == 1
    assert said == ["hour_has_passed"] * 2
    assert waits == [hour - opening.LAST_SECONDS] * 2 + [hour]
    with Session(race.engine) as session:
        assert session.scalars(select(Offer.child_id)).all() == [ben.child_id]
        assert session.scalar(select(Programme.taken)) == 1
        assert session.get_one(Publication, run.id).opened_at == hour


def test_drw05_a_clock_that_does_not_reach_the_hour_opens_nothing(race, now):
    town = race.town(now)
    ana = town.child("安娜", wishes=[town.kindergarten("锦官园", places=1)])
    town.everyone_is_reviewed()
    town.freeze()
    town.seed_in_order(ana)
    run = town.run()
    town.sign(run)
    hour = hours.publication_of(town.session, run.id).hour
    town.session.commit()
    early = hour - dt.timedelta(milliseconds=1)
    with pytest.raises(Refused, match="before_the_hour"), Session(race.engine) as session, session.begin():
        opening.open_run(session, run.id, now=early, wait=lambda _moment: early)
    with Session(race.engine) as session:
        assert session.scalar(select(func.count()).select_from(Offer)) == 0
