"""Concurrent requests: one of them wins, nothing is done twice, and none waits forever."""

import datetime as dt
import threading
import time
import uuid

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from enrollment.applications import register_answers, registration
from enrollment.applications.applications import Application
from enrollment.applications.claim_rows import VerifiedFact
from enrollment.applications.lifecycle import MoveMade
from enrollment.applications.statements import keyed_write
from enrollment.draw import requests, runs
from enrollment.draw.draws import Draw, Snapshot
from enrollment.draw.publication import opening
from enrollment.draw.publication.rows import Publication
from enrollment.draw.run_rows import Run
from enrollment.eligibility.tiers import claimed_facts
from enrollment.ground import jobs
from enrollment.ground.errors import Refused
from enrollment.ground.jobs import Job
from enrollment.ground.sign_in import RequestKey
from enrollment.offers import answer_deadlines, offers
from enrollment.offers.joint_decision_rows import JointDecision
from enrollment.offers.offers import LIVE, Offer
from enrollment.offers.statements import confirmation
from enrollment.people import children, invitations
from enrollment.people.duplicate_rows import DuplicateHint
from enrollment.people.person_rows import Child, ChildDocument, Guardianship
from enrollment.places.programmes import Programme
from enrollment.review import leases, review
from enrollment.review.queue import bulk_confirmation
from enrollment.review.queue.bulk_rows import BulkOutcome
from enrollment.season.rounds import Round
from portal.jobs import runner
from tests.support.leases import end_lease
from tests.support.prepare_all import prepare_all
from tests.support.town_families import id_number

pytestmark = pytest.mark.long


def refused(said) -> list[str]:
    return sorted(fault.code for fault in said if isinstance(fault, Refused))


def broken(said) -> list:
    return [fault for fault in said if isinstance(fault, Exception) and not isinstance(fault, Refused)]


def test_two_guardians_who_enter_one_child_make_one_application(race, now):
    town = race.town(now)
    town.season()
    town.round()
    families = [town.family(name) for name in ("甲", "乙", "丙")]
    born = town.now.date().replace(year=2022, month=11, day=1)
    number = id_number(born)
    town.session.commit()

    def enter(family):
        said = {"name": "同一个", "id_kind": "resident", "id_number": number, "relation": "mother"}
        return lambda s: registration.enter_child(s, 2026, by=family.actor, now=now, **said).id

    said = race.at_once(*[enter(family) for family in families])
    assert broken(said) == []
    assert refused(said) == ["child_already_entered"] * 2
    assert town.session.scalar(select(func.count()).select_from(Application)) == 1


def test_two_clerks_who_take_one_application_are_one_clerk(race, now):
    town = race.town(now)
    garden = town.kindergarten("锦官园", places=1)
    ana = town.child("安娜", wishes=[garden])
    town.registration_is_over()
    clerks = [town.clerk_of(garden) for _ in range(3)]
    town.session.commit()
    said = race.at_once(*[lambda s, by=by: review.take(s, ana.id, by=by, now=town.now).id for by in clerks])
    assert broken(said) == []
    assert refused(said) == ["taken_by_another"] * 2


def test_two_clerks_on_one_application_lose_nothing(race, now):
    """One saves while the other takes over: whoever comes second is told, and what the first saved stands."""
    town = race.town(now)
    garden = town.kindergarten("锦官园", places=1)
    ana = town.child("安娜", wishes=[garden])
    first, second, third = (town.clerk_of(garden) for _ in range(3))
    town.clerk_takes(ana, by=first)
    findings = [review.Finding(fact, value) for fact, value in claimed_facts(town.session, ana.id).items()]
    town.session.commit()

    def saves(session, by, some):
        review.verify(session, ana.id, some, by=by, now=town.now)
        return by.account_id

    def takes_over(session, by):
        return leases.take_over(session, ana.id, reason="家长在等", by=by, now=town.now).reviewer_id

    said = race.at_once(
        lambda s: saves(s, first, findings[:2]),
        lambda s: saves(s, first, findings[2:]),
        lambda s: takes_over(s, second),
        lambda s: takes_over(s, third),
    )
    assert broken(said) == []
    assert set(refused(said)) <= {"not_in_your_hands"}
    with Session(race.engine) as session:
        kept = {row.fact for row in session.scalars(select(VerifiedFact))}
        told = sum(part == first.account_id for part in said)
        saved = [some for some in (findings[:2], findings[2:]) if {each.fact.value for each in some} <= kept]
        assert len(saved) == told, "what was told to be saved is saved, whole, and nothing else is"
        holder = session.get_one(Application, ana.id).reviewer_id
        assert holder in (second.account_id, third.account_id)
        moves = session.scalars(select(MoveMade.move).order_by(MoveMade.number)).all()
        assert moves[-5:] == ["take", "release", "take", "release", "take"], "both take-overs stand in the history"


def test_two_bulk_acts_at_once_confirm_each_application_once(race, now):
    town = race.town(now)
    garden = town.kindergarten("锦官园", places=1)
    children = [town.child(name, wishes=[garden]) for name in ("甲甲", "乙乙", "丙丙", "丁丁")]
    for child in children:
        answers = [
            register_answers.Answer(child.id, fact.value, register_answers.REGISTER_OF[fact], "matches", value)
            for fact, value in claimed_facts(town.session, child.id).items()
        ]
        register_answers.note(town.session, answers, now=town.now)
    town.registration_is_over()
    clerks = [town.clerk_of(garden) for _ in range(3)]
    selections = []
    for clerk in clerks:
        drawn = bulk_confirmation.draw(town.session, by=clerk, now=town.now)
        for line in bulk_confirmation.find(town.session, drawn.id, by=clerk).sample:
            bulk_confirmation.open_sample(town.session, drawn.id, line.application_id, by=clerk, now=town.now)
        selections.append((clerk, drawn.id))
    town.session.commit()
    said = race.at_once(
        *[lambda s, by=by, of=of: bulk_confirmation.confirm(s, of, by=by, now=town.now) for by, of in selections]
    )
    assert broken(said) == [] and refused(said) == []
    assert sum(outcomes[BulkOutcome.CONFIRMED] for outcomes in said) == 4
    with Session(race.engine) as session:
        confirmed = select(func.count()).select_from(MoveMade).where(MoveMade.move == "confirm")
        assert session.scalar(confirmed) == 4


def published(race, now, places=2):
    town = race.town(now)
    garden = town.kindergarten("锦官园", places=places)
    ana = town.child("安娜", wishes=[garden])
    town.drawn(ana)
    town.session.commit()
    return town, garden, ana


def test_the_second_signature_given_twice_at_once_publishes_once(race, now):
    town = race.town(now)
    garden = town.kindergarten("锦官园", places=1)
    ana = town.child("安娜", wishes=[garden])
    town.everyone_is_reviewed()
    town.freeze()
    town.seed()
    run = town.run()
    people_ = [*town.city_pair(), town.city_official(), town.city_official()]
    town.session.commit()
    said = race.at_once(*[lambda s, by=by: runs.sign(s, run.id, by=by, now=town.now) for by in people_])
    assert broken(said) == []
    with Session(race.engine) as session:
        assert session.scalar(select(func.count()).select_from(Publication)) == 1
        prepare_all(session, run.id, by=town.city_pair()[0], now=town.now)
        hour = session.get_one(Publication, run.id).hour
        session.commit()
    said = race.at_once(*[lambda s: opening.open_run(s, run.id, now=hour) for _ in range(4)])
    assert sorted(refused(said)) == ["run_is_over"] * 3
    with Session(race.engine) as session:
        assert session.scalar(select(func.count()).select_from(Offer).where(Offer.child_id == ana.child_id)) == 1
        assert session.scalar(select(func.count()).select_from(Run).where(Run.state == "published")) == 1
        assert session.scalar(select(Programme.taken).where(Programme.kindergarten_id == garden.id)) == 1


def test_concurrent_requests_of_the_draw_room_run_once(race, now):
    """Freeze, seed and second signature, each requested by four officials and each job run by three workers at once."""
    runner.load_handlers()
    town = race.town(now)
    garden = town.kindergarten("锦官园", places=1)
    town.child("安娜", wishes=[garden])
    town.everyone_is_reviewed()
    if town.the_round.stage == "open":
        town.close_registration()
    officials = [*town.city_pair(), town.city_official(), town.city_official()]
    town.declare_form(town.now + dt.timedelta(seconds=90))
    town.session.commit()
    round_id, minute = town.the_round.id, dt.timedelta(minutes=1)

    def asked_and_done(at, ask) -> None:
        said = race.at_once(*[lambda s, by=by, n=n: ask(s, by, n) for n, by in enumerate(officials)])
        assert broken(said) == []
        assert refused(said) == ["draw_at_work"] * 3
        with Session(race.engine) as session:
            job = session.get_one(Round, round_id).draw_job_id
        work = [lambda s, n=n: runner.run(race.engine, lambda _s: at, job, f"w{n}") for n in range(3)]
        assert sorted(race.at_once(*work)) == ["done", "not_free", "not_free"]

    first, later = town.now + minute, town.now + 2 * minute
    asked_and_done(first, lambda s, by, n: requests.freeze(s, round_id, by=by, now=first))
    town.session.expire_all()
    town.now = first
    town.witness()
    town.session.commit()
    assert town.now == later
    asked_and_done(later, lambda s, by, n: requests.set_seed(s, round_id, by=by, now=later))
    town.session.expire_all()
    run = town.run()
    runs.sign(town.session, run.id, by=town.city_official(), now=later)
    town.session.commit()
    asked_and_done(later, lambda s, by, n: requests.sign(s, run.id, by=by, now=later))
    with Session(race.engine) as session:
        counts = [session.scalar(select(func.count()).select_from(model)) for model in (Snapshot, Draw, Offer)]
        assert counts == [1, 1, 0]
        hour = session.get_one(Publication, run.id).hour
        job = session.scalars(select(Job.id).where(Job.kind == "publish_run")).one()
    work = [lambda s, n=n: runner.run(race.engine, lambda _s: hour, job, f"w{n}") for n in range(3)]
    assert sorted(race.at_once(*work)) == ["done", "not_free", "not_free"]
    with Session(race.engine) as session:
        assert session.scalar(select(func.count()).select_from(Offer)) == 1
        assert session.scalar(select(func.count()).select_from(Run).where(Run.state == "published")) == 1


def test_confirming_and_declining_at_once_leave_one_answer_and_a_true_count(race, now):
    town, garden, ana = published(race, now)
    offer, by = town.offer_for(ana).id, town.parent_of(ana)
    town.session.commit()
    said = race.at_once(
        lambda s: offers.confirm(s, offer, wait=False, by=by, now=town.now).state,
        lambda s: offers.decline(s, offer, by=by, now=town.now).state,
        lambda s: offers.decline(s, offer, by=by, now=town.now).state,
    )
    assert broken(said) == []
    true_count(race, garden)


def test_a_confirmation_in_the_second_of_a_decline_is_an_objection(race, now):
    """The mother gives the place up; the father's confirmation waits for her lock, and does not overlook what she did."""
    town, _garden, ana = published(race, now)
    mother, father = town.parent_of(ana), town.second_guardian(ana).actor
    offer_id = town.offer_for(ana).id
    town.session.commit()
    change = confirmation.change(ana.id, f"{offer_id}:offered:", wait=False, by=father, now=now)
    key, done = RequestKey(f"{father.account_id.hex}:k", father.account_id, b"body", now), []

    def at_once() -> None:
        with Session(race.engine) as session:
            done.append(keyed_write.write(session, change, key=key, location="/result"))
            session.commit()

    with Session(race.engine, expire_on_commit=False) as session:
        offers.decline(session, offer_id, by=mother, now=town.now)
        session.flush()
        click = threading.Thread(target=at_once)
        click.start()
        waits = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        until = time.monotonic() + 60
        with race.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as looking:
            while not looking.scalar(waits):
                assert time.monotonic() < until, "the confirmation does not wait for the lock"
                time.sleep(0.02)
        session.commit()
        click.join(60)
    assert done == [False], "both stood: the place was confirmed, and given up a day later"
    with Session(race.engine) as session:
        offers.confirm(session, offer_id, wait=False, by=father, now=town.now)
        session.commit()
        assert session.scalars(select(JointDecision.state)).one() == "objected"
        assert session.get_one(Offer, offer_id).state == "confirmed"


def test_an_answer_in_the_second_of_its_end_counts_or_is_late_but_never_both(race, now):
    town, garden, ana = published(race, now)
    by, offer = town.parent_of(ana), town.offer_for(ana)
    offer_id, due = offer.id, offer.answer_by
    answer_deadlines.remind_due(town.session, now=due - answer_deadlines.REMIND_BEFORE)
    town.session.commit()
    said = race.at_once(
        lambda s: answer_deadlines.expire_due(s, now=due),
        lambda s: offers.confirm(s, offer_id, wait=False, by=by, now=due - (due - town.now) / 1000).state,
    )
    assert broken(said) == []
    true_count(race, garden)


def true_count(race, garden) -> None:
    with Session(race.engine) as session:
        programme = session.scalars(select(Programme).where(Programme.kindergarten_id == garden.id)).one()
        live = select(func.count()).select_from(Offer).where(Offer.state.in_(LIVE))
        assert programme.taken == session.scalar(live.where(Offer.programme_id == programme.id))


def take_place(session, programme_id) -> None:
    """What the opening of a run does for all its programmes."""
    taken = update(Programme).where(Programme.id == programme_id, Programme.taken < Programme.places)
    session.execute(taken.values(taken=Programme.taken + 1))


def test_places_withdrawn_while_they_are_given_are_never_fewer_than_those_given(race, now):
    town = race.town(now)
    garden = town.kindergarten("锦官园", places=3)
    programme = town.programme_of(garden)
    by = town.area_official(garden.area_code)
    town.session.commit()

    def fewer(session):
        from enrollment.places import ledger

        ledger.propose(session, programme.id, by=by, now=now, reason="模拟数据", withheld=programme.withheld + 2)
        ledger.approve_kindergarten(session, garden.id, programme.year, by=by, now=now)

    said = race.at_once(fewer, *[lambda s: take_place(s, programme.id)] * 3)
    assert broken(said) == []
    with Session(race.engine) as session:
        after = session.get_one(Programme, programme.id)
        assert after.taken <= after.places + after.overhang


def test_no_child_gets_a_third_guardian_from_two_who_accept_at_once(race, now):
    town = race.town(now)
    ana = town.child("安娜", submit=False)
    others = [town.family(name) for name in ("乙", "丙", "丁")]
    by = town.parent_of(ana)
    ids = [invitations.invite(town.session, ana.child_id, one.phone, by=by, now=town.now).id for one in others]
    town.session.commit()

    def accept(invitation: uuid.UUID, family):
        return lambda s: invitations.accept(s, invitation, relation="father", by=family.actor, now=town.now).relation

    said = race.at_once(*[accept(*pair) for pair in zip(ids, others, strict=True)])
    assert broken(said) == []
    assert town.session.scalar(select(func.count()).select_from(Guardianship)) == invitations.MOST_GUARDIANS
    assert len(children.accounts_of(town.session, ana.child_id)) == 2


def test_one_job_is_taken_by_one_worker_and_a_stale_fence_closes_nothing(race, now):
    with Session(race.engine) as session, session.begin():
        job = jobs.enqueue(session, "nothing", now=now)
    leases = race.at_once(*[lambda s, n=n: jobs.take(s, job, owner=f"w{n}") for n in range(6)])
    held = [lease for lease in leases if isinstance(lease, jobs.Lease)]
    assert len(held) == 1
    with Session(race.engine) as session, session.begin():
        end_lease(session, job)
        later = jobs.take(session, job, owner="other")
        assert later is not None
        assert jobs.lock_lease(session, held[0]) is False
        assert jobs.finish(session, held[0], now=now) is False
        assert jobs.finish(session, later, now=now) is True


def test_fam04_two_guardians_who_enter_one_person_with_two_issues_make_one_child(race, now):
    town = race.town(now)
    town.season()
    town.round()
    families = [town.family(name) for name in ("甲", "乙", "丙")]
    said = {
        "name": "同一个",
        "id_kind": "hk_macau_permit",
        "relation": "mother",
        "born": dt.date(2022, 11, 1),
        "sex": "f",
    }
    town.session.commit()

    def enter(family, issue):
        number = f"H765432100{issue}"
        return lambda s: registration.enter_child(s, 2026, by=family.actor, now=now, id_number=number, **said).id

    answers = race.at_once(*[enter(family, issue) for issue, family in enumerate(families, 1)])
    assert broken(answers) == []
    assert refused(answers) == ["child_already_entered"] * 2
    assert town.session.scalar(select(func.count()).select_from(ChildDocument)) == 1
    assert town.session.scalar(select(func.count()).select_from(Child)) == 1


def test_fam05_one_pair_that_both_guardians_find_at_once_is_one_hint(race, now):
    town = race.town(now)
    town.season()
    town.round()
    families = [town.family(name) for name in ("甲", "乙")]
    said = {"name": "同一个", "id_kind": "passport", "relation": "mother", "born": dt.date(2022, 11, 1), "sex": "f"}
    town.session.commit()

    def enter(family, number):
        return lambda s: registration.enter_child(s, 2026, by=family.actor, now=now, id_number=number, **said).id

    entered = race.at_once(*[enter(family, f"E1234567{n}") for n, family in enumerate(families)])
    assert broken(entered) == [] and refused(entered) == []
    assert town.session.scalar(select(func.count()).select_from(DuplicateHint)) == 1

    def rename(application_id, family, number):
        values = said | {"name": "又一个", "id_number": number}
        return lambda s: registration.correct_child(s, application_id, by=family.actor, now=now, **values).id

    both = zip(entered, families, (f"E1234567{n}" for n in range(2)), strict=True)
    assert broken(race.at_once(*[rename(*each) for each in both])) == []
    assert town.session.scalar(select(func.count()).select_from(DuplicateHint)) == 1
