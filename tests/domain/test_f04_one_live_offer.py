"""F4: elsewhere one child held seats in several places.  Here the database allows one live offer, over all rounds."""

import datetime as dt
import threading

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from enrollment.ground import constraint_errors
from enrollment.ground.accounts import Account, Role, RoleGrant
from enrollment.ground.db import open_engine
from enrollment.ground.errors import NotFound, Refused
from enrollment.offers import offers, revocations
from enrollment.offers.arrivals import absences, arrival
from enrollment.offers.offers import LIVE, Offer, OfferMove
from enrollment.reports import case_desk
from tests.conftest import NOW
from tests.support.prepared import prepared
from tests.support.staff_leaving import loses_the_role
from tests.support.town import Town
from tests.support.town_season import at


@prepared
def published(town):
    town.jinpingguo = town.kindergarten("金苹果", places=1)
    town.mudan = town.kindergarten("牡丹", places=1)
    town.ana = town.child("安娜", wishes=[town.jinpingguo, town.mudan])
    town.ben = town.child("本本", wishes=[town.jinpingguo])
    town.drawn(town.ana, town.ben)
    return town


def test_f04_a_second_live_offer_is_refused_by_the_table(published):
    town = published
    copy = "INSERT INTO offer SELECT gen_random_uuid(), child_id, application_id, programme_id, round_id, run_id, rank, state, 'X', made_at, answer_by, NULL, NULL, year FROM offer"
    with pytest.raises(IntegrityError), town.session.begin_nested():
        town.session.execute(text(copy))


def test_f04_a_place_in_the_supplementary_round_replaces_the_one_held(published):
    town = published
    town.confirm(town.ana)
    town.silence_if_any()
    town.programme(town.kindergarten("海棠"), places=3)
    town.round(kind="supplementary")
    town.open_registration()
    haitang = town.kindergartens_by_name("海棠")[0]
    town.wish(town.ana, haitang)
    town.wish(town.ben, haitang)
    town.everyone_is_reviewed()
    town.freeze()
    assert town.the_round.stage == "drawn", "everybody has a ticket already"
    town.run()
    town.publish()
    assert town.place_of(town.ana) == haitang and town.place_of(town.ben) == haitang
    assert town.offer_for(town.ana).state == "confirmed"
    live = town.session.query(Offer).filter(Offer.child_id == town.ana.child_id, Offer.state.in_(LIVE)).count()
    assert (live, town.taken_at(town.jinpingguo), town.taken_at(haitang)) == (1, 0, 2)


def test_f04_a_run_leaves_a_child_where_it_arrived_after_the_snapshot(published):
    """The market was frozen while the place was confirmed; the better place of the run comes too late."""
    town = published
    town.confirm(town.ana)
    town.silence_if_any()
    town.programme(town.kindergarten("海棠"), places=3)
    town.round(kind="supplementary")
    town.open_registration()
    haitang = town.kindergartens_by_name("海棠")[0]
    town.wish(town.ana, haitang)
    town.everyone_is_reviewed()
    town.freeze()
    run = town.run()
    arrival.mark_arrived(
        town.session, town.offer_for(town.ana).id, by=town.clerk_of(town.jinpingguo), now=town.now, class_name="小一班"
    )
    with pytest.raises(Refused, match="answers_changed"):
        town.publish(run)
    assert town.offer_for(town.ana).state == "arrived"
    assert town.place_of(town.ana) == town.jinpingguo


def test_f04_two_sessions_at_once_give_one_offer(addresses, real_database):
    """Two transactions offer the same child a place in the same moment."""
    engine = open_engine(real_database)
    with Session(engine, expire_on_commit=False) as session:
        town = Town(session, NOW)
        ana = town.child("安娜", wishes=[town.kindergarten("金苹果", places=1)])
        town.drawn(ana)
        town.decline(ana)
        session.commit()
    copy = """
        INSERT INTO offer (id, child_id, application_id, programme_id, year, round_id, run_id, rank, state, notice_code, made_at, answer_by)
        SELECT gen_random_uuid(), child_id, application_id, programme_id, year, round_id, run_id, rank, 'offered', :code, made_at, answer_by
        FROM offer WHERE state = 'declined'
    """
    outcomes, start = [], threading.Barrier(2)

    def offer(code):
        with Session(engine) as session:
            start.wait()
            try:
                session.execute(text(copy), {"code": code})
                session.commit()
                outcomes.append("made")
            except IntegrityError as fault:
                session.rollback()
                outcomes.append(constraint_errors.refusal_of(fault).code)

    threads = [threading.Thread(target=offer, args=(code,)) for code in ("A", "B")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["child_has_an_offer", "made"]
    engine.dispose()


def test_every_change_of_an_offer_is_a_row_and_taken_keeps_step(published):
    town, offer = published, published.offer_for(published.ana)
    with pytest.raises(Refused, match="nothing_to_wait_for"):
        town.confirm(town.ana, wait=True)
    town.confirm(town.ana)
    town.at(at(8, 25))
    clerk = town.clerk_of(town.jinpingguo)
    with pytest.raises(NotFound):
        arrival.mark_arrived(town.session, offer.id, by=town.clerk_of(town.mudan), now=town.now)
    arrival.mark_arrived(town.session, offer.id, by=clerk, now=town.now, class_name="小一班")
    moves = town.session.query(OfferMove).filter_by(offer_id=offer.id).order_by(OfferMove.number)
    assert [move.after for move in moves] == ["offered", "confirmed", "arrived"]
    assert [move.move for move in moves] == ["offer", "confirm", "mark_arrived"]
    assert town.taken_at(town.jinpingguo) == 1
    with pytest.raises(Refused, match="offer_is_over"):
        town.decline(town.ana)


def test_a_no_show_frees_the_place_with_a_reason(published):
    town, offer = published, published.offer_for(published.ana)
    clerk = town.clerk_of(town.jinpingguo)
    with pytest.raises(Refused, match="offer_not_confirmed"):
        absences.mark_no_show(town.session, offer.id, by=clerk, now=town.now, reason="没有来")
    town.confirm(town.ana)
    with pytest.raises(Refused, match="say_why"):
        absences.mark_no_show(town.session, offer.id, by=clerk, now=town.now, reason="")
    absences.mark_no_show(town.session, offer.id, by=clerk, now=town.now, reason="电话确认不来")
    assert town.taken_at(town.jinpingguo) == 0
    town.replay()
    assert town.place_of(town.ben) == town.jinpingguo
    assert town.offer_for(town.ana) is None


def test_an_offer_is_revoked_by_two_people_for_proven_falsehood(published):
    town, offer = published, published.offer_for(published.ana)
    first, second = town.city_pair()
    assert revocations.revoke(town.session, offer.id, by=first, now=town.now, reason="户口材料经核实为伪造") is False
    assert town.offer_for(town.ana) is not None
    with pytest.raises(Refused, match="signed_already"):
        revocations.revoke(town.session, offer.id, by=first, now=town.now, reason="户口材料经核实为伪造")
    assert revocations.revoke(town.session, offer.id, by=second, now=town.now, reason="户口材料经核实为伪造") is True
    assert town.last_offer_for(town.ana).state == "revoked"
    assert town.taken_at(town.jinpingguo) == 0


def test_a_revocation_waits_for_nobody_once_its_first_signer_has_lost_the_role(published):
    town, offer = published, published.offer_for(published.ana)
    first, second = town.area_official(), town.city_official()
    said = {"now": town.now, "reason": "户口材料经核实为伪造"}

    def waiting():
        desk = case_desk.listing(town.session, by=second, now=town.now)
        return len(revocations.waiting(town.session, by=second)), desk.total

    assert revocations.revoke(town.session, offer.id, by=first, **said) is False
    assert waiting() == (1, 1)
    loses_the_role(town, first)
    assert waiting() == (0, 0) and revocations.find(town.session, offer.id, by=second).proposed is None
    assert revocations.revoke(town.session, offer.id, by=second, **said) is False, "the first of two"
    assert revocations.revoke(town.session, offer.id, by=town.area_official(), **said) is True


def test_a_revocation_that_two_signed_apart_is_listed_once_and_ends_with_the_next_signature(published):
    """The first lost the role before the second signed, and has it again: nobody had carried anything out."""
    town, offer = published, published.offer_for(published.ana)
    first, second = town.area_official(), town.city_official()
    said = {"reason": "户口材料经核实为伪造"}
    assert revocations.revoke(town.session, offer.id, by=first, now=town.now, **said) is False
    loses_the_role(town, first)
    later = town.now + dt.timedelta(hours=1)
    assert revocations.revoke(town.session, offer.id, by=second, now=later, **said) is False
    account = town.session.get_one(Account, first.account_id)
    account.grants.append(RoleGrant(role=Role.AREA_OFFICIAL, area_code="510104"))
    town.session.flush()
    (waiting,) = revocations.waiting(town.session, by=first)
    assert waiting.proposed.by == second.account_id
    desk = case_desk.listing(town.session, by=second, now=later)
    assert [(each.id, each.owner_id) for each in desk.rows] == [(offer.id, second.account_id)]
    assert revocations.revoke(town.session, offer.id, by=first, now=later, **said) is True
    assert offer.state == "revoked"


def test_another_family_cannot_answer(published):
    town, offer = published, published.offer_for(published.ana)
    stranger = town.parent_of(town.ben)
    for answer in (
        lambda: offers.confirm(town.session, offer.id, wait=False, by=stranger, now=town.now),
        lambda: offers.decline(town.session, offer.id, by=stranger, now=town.now),
    ):
        with pytest.raises(NotFound):
            answer()
