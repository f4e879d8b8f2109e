"""A helper reads what it entered under its mandate, and nothing that the guardian wrote or uploaded later by itself."""

import pytest
from sqlalchemy import delete

from enrollment.applications import receipts
from enrollment.applications.child_needs import answers
from enrollment.corrections import requests
from enrollment.eligibility import evidence
from enrollment.ground.accounts import RoleGrant
from enrollment.ground.errors import NotFound, Refused
from tests.domain.applications.helped_guardian import PHONE, guardian_signs_in
from tests.support.prepared import prepared
from tests.support.signing_in import sign_in
from tests.support.town_helping import photo_of_a_paper


@prepared
def baby(town, frozen_clock):
    """Entered by the helper Yang; its grandmother signs in with her own telephone meanwhile."""
    garden = town.kindergarten("金苹果", places=5)
    town.open_registration()
    town.yang = town.helper("小杨")
    town.mandate = town.mandate_by_code(town.yang, PHONE)
    town.acting = town.acting(town.yang, town.mandate)
    baby = town.helper_enters(town.acting, "张小宝", wishes=[garden])
    town.guardian = guardian_signs_in(town)
    frozen_clock.set(town.now)
    town.session.commit()
    return baby


@pytest.fixture
def helper(town, baby, client):
    return sign_in(client, town.yang.account_id, acting=str(town.mandate.id))


def test_what_the_child_needs_is_told_by_the_guardian_alone(town, baby, helper):
    told = {"kinds": ["health"], "note": "癫痫", "agrees": True, "version": 0, "now": town.now}
    assert answers.save(town.session, baby.id, **told, by=town.guardian)
    town.session.commit()
    path = f"/parents/applications/{baby.id}/needs"
    assert helper.get(path).status_code == 403
    assert path not in helper.get(f"/parents/applications/{baby.id}").text
    with pytest.raises(Refused, match="only_the_guardian"):
        answers.of_family(town.session, baby.id, by=town.acting)
    with pytest.raises(Refused, match="only_the_guardian"):
        answers.save(town.session, baby.id, **told | {"version": 1}, by=town.acting)


def test_a_page_that_the_guardian_uploads_is_counted_and_not_shown_to_the_helper(town, baby, helper):
    add = {"by": town.guardian, "now": town.now}
    [theirs] = evidence.add_pages(town.session, baby.id, "hukou_booklet", [photo_of_a_paper("red")], **add)
    [own] = evidence.add_pages(
        town.session, baby.id, "hukou_booklet", [photo_of_a_paper("blue")], **add | {"by": town.acting}
    )
    town.session.commit()
    start = f"/parents/applications/{baby.id}/evidence"
    for path in (f"{start}/{theirs.id}", f"{start}/{theirs.id}/view", f"{start}/{theirs.id}/pictures/0"):
        assert helper.get(path).status_code == 404, path
    assert helper.get(f"{start}/{own.id}/pictures/0").status_code == 200
    shown = helper.get(start).text
    assert str(own.id) in shown and str(theirs.id) not in shown
    assert "家长自己上传了 1 页" in shown
    for act in (evidence.turn_page, evidence.remove_page, evidence.restore_page):
        with pytest.raises(NotFound):
            act(town.session, baby.id, theirs.id, by=town.acting, now=town.now)
    assert evidence.own_page(town.session, baby.id, own.id, by=town.guardian)
    assert evidence.own_page(town.session, baby.id, theirs.id, by=town.guardian)


def test_a_request_of_the_guardian_is_not_the_helpers_to_read_or_withdraw(town, baby):
    town.registration_is_over()
    theirs = town.requests_correction(baby, "name", name="张晓宝", by=town.guardian)
    own = town.requests_correction(baby, "court_paper", by=town.acting)
    assert requests.of_application(town.session, baby.id, by=town.acting) == [own]
    assert set(requests.of_application(town.session, baby.id, by=town.guardian)) == {own, theirs}
    with pytest.raises(NotFound):
        requests.withdraw(town.session, theirs.id, version=theirs.version, by=town.acting, now=town.now)


def test_a_receipt_names_who_wrote_it_also_when_that_person_is_no_helper_any_more(town, baby):
    before = receipts.latest(town.session, baby)
    assert before.helper == "小杨" and not before.corrected
    town.session.execute(delete(RoleGrant).where(RoleGrant.account_id == town.yang.account_id))
    town.session.expire_all()
    assert receipts.latest(town.session, baby) == before
