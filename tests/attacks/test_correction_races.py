"""A correction decided while something else happens: one of the two wins, and nothing is published from an old list."""

import datetime as dt

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from enrollment.applications.application_rows import Application
from enrollment.corrections import decisions
from enrollment.draw import requests as draw_requests
from enrollment.draw import runs, snapshot
from enrollment.draw.run_rows import Run, RunState
from enrollment.ground.errors import Refused
from enrollment.offers.offer_rows import Offer, ReplacedNotice
from enrollment.people.person_rows import Child
from enrollment.season.facts import Fact
from tests.support.prepare_all import prepare_all

pytestmark = pytest.mark.long


def codes(said) -> list[str]:
    return sorted(fault.code for fault in said if isinstance(fault, Refused))


def broken(said) -> list:
    return [fault for fault in said if isinstance(fault, Exception) and not isinstance(fault, Refused)]


def ready(race, now):
    """A run with one signature, and a wrong fact that waits for its decision."""
    town = race.town(now)
    town.garden = town.kindergarten("金苹果", places=2)
    town.ana = town.child("安娜", wishes=[town.garden])
    town.child("本本", wishes=[town.garden])
    town.everyone_is_reviewed()
    town.freeze()
    town.seed()
    town.checked = town.run()
    town.first, town.second = town.city_pair()
    runs.sign(town.session, town.checked.id, by=town.first, now=town.now)
    town.request = town.requests_correction(town.ana, "facts", fact=Fact.HUKOU_AREA, hukou_area="510105")
    town.clerk = town.reviewer_of(town.ana)
    town.session.commit()
    return town


def agree(town, by):
    version = town.request.version
    return lambda s: decisions.agree(s, town.request.id, version=version, reason="见材料", by=by, now=town.now).state


@pytest.mark.parametrize("way", ["at_once", "crossing"])
def test_fam08_a_decision_and_the_publication_at_once(race, now, way):
    town = ready(race, now)
    publish = lambda s: runs.sign(s, town.checked.id, by=town.second, now=town.now)  # noqa: E731
    said = getattr(race, way)(agree(town, town.clerk), publish)
    assert broken(said) == []
    with Session(race.engine) as session:
        run = session.get_one(Run, town.checked.id)
        frozen = session.get_one(snapshot.Snapshot, run.snapshot_id)
        offers = session.scalar(select(func.count()).select_from(Offer))
        published = run.state == RunState.PUBLISHED
        assert (offers, published) == (0, False)
        if run.state != RunState.SIGNED:
            assert frozen.outdated_at is not None
            assert session.get_one(Application, town.ana.id).stage == "submitted"
    assert set(codes(said)) <= {"draw_at_work", "snapshot_outdated"}


def test_fam08_a_decision_and_the_second_signature_of_the_page(race, now):
    town = ready(race, now)
    sign = lambda s: draw_requests.sign(s, town.checked.id, by=town.second, now=town.now)  # noqa: E731
    said = race.at_once(agree(town, town.clerk), sign)
    assert broken(said) == []
    assert codes(said) in (["draw_at_work"], ["snapshot_outdated"])


def test_fam08_two_clerks_decide_one_request_once(race, now):
    town = ready(race, now)
    clerks = [town.clerk_of(town.garden) for _ in range(3)]
    town.session.commit()
    said = race.at_once(*[agree(town, by) for by in clerks])
    assert broken(said) == []
    assert codes(said) == ["decided_already"] * 2


def test_fam06_two_people_sign_a_name_at_once_and_it_changes_once(race, now):
    town = ready(race, now)
    town.announce_hour(town.now)
    runs.sign(town.session, town.checked.id, by=town.second, now=town.now)
    prepare_all(town.session, town.checked.id, by=town.second, now=town.now)
    town.open(town.checked)
    town.confirm(town.ana)
    town.at(town.now + dt.timedelta(hours=1))
    town.request = town.requests_correction(town.ana, "name", name="安那")
    heads = [town.head_of(town.garden) for _ in range(2)]
    town.session.commit()
    said = race.at_once(*[agree(town, by) for by in heads])
    assert broken(said) == []
    assert codes(said) == ["changed_elsewhere"], "the second sees the first one's agreement and agrees again"
    with Session(race.engine) as session:
        assert session.get_one(Child, town.ana.child_id).name == "安娜"
        late = next(by for by, fault in zip(heads, said, strict=True) if isinstance(fault, Refused))
        decisions.agree(session, town.request.id, version=2, reason="见材料", by=late, now=town.now)
        session.commit()
        assert session.get_one(Child, town.ana.child_id).name == "安那"
        assert session.scalar(select(func.count()).select_from(ReplacedNotice)) == 1
