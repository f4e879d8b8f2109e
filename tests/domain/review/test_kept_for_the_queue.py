"""What an application repeats so that its queue is read from an index: the claimed grounds, and when it was decided."""

import datetime as dt

import pytest
from sqlalchemy import insert, select, update

from enrollment.applications.application_rows import Application, Stage
from enrollment.applications.claim_rows import Claim
from enrollment.review.queue import task_groups
from enrollment.review.queue.filters import GROUND_BITS, OTHER_BIT, Filter, Group
from enrollment.season.facts import Ground
from tests.support.prepared import prepared


@prepared
def here(town):
    kindergarten = town.kindergarten("锦官新城幼儿园", places=10)
    town.there = town.kindergarten("小蜜蜂幼儿园", places=10)
    town.open_registration()
    return kindergarten


def kept(session):
    """The bits of each application, as the database keeps them, and as its claims say."""
    session.flush()
    claims = {}
    for one, ground in session.execute(select(Claim.application_id, Claim.ground)):
        claims[one] = claims.get(one, 0) | GROUND_BITS.get(Ground(ground), OTHER_BIT)
    stored = session.execute(select(Application.id, Application.grounds).where(Application.stage != Stage.DRAFT)).all()
    return dict(map(tuple, stored)), {row.id: claims.get(row.id, 0) for row in stored}


@pytest.mark.parametrize("ground", Ground)
def test_every_ground_has_the_bit_that_the_filter_looks_for(town, here, ground):
    plain, claiming = town.child("安娜", wishes=[here]), town.child("本本", wishes=[here])
    town.session.execute(Claim.__table__.delete())
    town.session.execute(
        insert(Claim).values(application_id=claiming.id, ground=ground, details={}, claimed_at=town.now)
    )
    stored, said = kept(town.session)
    assert stored == said and stored[plain.id] == 0
    town.registration_is_over()
    clerk = town.clerk_of(here)
    for wanted in Ground:
        found = task_groups.overview(town.session, by=clerk, now=town.now, limited=Filter(ground=wanted))
        listed = [line.application_id for lines in found.lines.values() for line in lines]
        assert listed == ([claiming.id] if wanted is ground else []), wanted


def test_the_kept_grounds_follow_the_claims_through_a_whole_review(town, here):
    ana = town.child("安娜", wishes=[here], grounds={"elder_sibling": town.there})
    draft = town.child("本本", wishes=[here], grounds=["special_need"], submit=False)
    steps = [kept(town.session)]
    town.claim(ana, {"multi_child": 2})
    steps.append(kept(town.session))
    town.registration_is_over()
    town.clerk_sends_back(ana, "hukou_booklet")
    town.claim(ana, ["special_need"])
    steps.append(kept(town.session))
    town.submit(ana)
    steps.append(kept(town.session))
    one = (Claim.application_id == ana.id, Claim.ground == Ground.SPECIAL_NEED.value)
    town.session.execute(update(Claim).where(*one).values(ground=Ground.MULTI_CHILD.value))
    steps.append(kept(town.session))
    for stored, said in steps:
        assert stored == said
    assert len({step[0][ana.id] for step in steps}) >= 3, "the claims did change"
    assert draft.id not in steps[0][0]


def test_what_is_done_stands_with_the_latest_decision_in_front(town, here):
    first, second, third = (town.child(name, wishes=[here]) for name in ("安娜", "本本", "晨晨"))
    town.registration_is_over()
    clerk = town.clerk_of(here)
    for application in (second, third, first):
        town.at(town.now + dt.timedelta(minutes=1))
        town.clerk_confirms(application)
    done = task_groups.overview(town.session, by=clerk, now=town.now).lines[Group.DONE]
    assert [line.application_id for line in done] == [first.id, third.id, second.id]
    moments = town.session.scalars(select(Application.decided_at).order_by(Application.decided_at)).all()
    assert len(set(moments)) == 3 and moments[-1] == town.now
