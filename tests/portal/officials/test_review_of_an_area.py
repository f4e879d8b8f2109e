"""An area official sees the workload of the review, reassigns applications, and decides on proposed refusals."""

import pytest
from bs4 import BeautifulSoup

from enrollment.applications.applications import Application
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, hidden_fields, sign_in

LANGUAGES = ["zh", "en"]


@prepared
def area(town, client, frozen_clock):
    """Two kindergartens with one application each, after registration; the official's browser."""
    town.here, town.there = town.kindergarten("锦官新城幼儿园", places=5), town.kindergarten("小蜜蜂幼儿园", places=5)
    town.open_registration()
    town.ana, town.ben = town.child("安娜", wishes=[town.here]), town.child("本恩", wishes=[town.there])
    town.registration_is_over()
    frozen_clock.set(town.now)
    official = town.area_official("510104")
    town.session.commit()
    return sign_in(client, official.account_id)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_workload_of_each_kindergarten(town, area, lang):
    page = area.get(f"/officials/2026/review?lang={lang}")
    rows = BeautifulSoup(page.text, "lxml").select("main tbody tr")
    assert {row.th.get_text(strip=True) for row in rows} == {"锦官新城幼儿园", "小蜜蜂幼儿园"}
    queue = area.get(f"/officials/2026/review/{town.here.id}?lang={lang}")
    assert town.ana.registration_code in queue.text
    assert "安娜" not in queue.text
    assert town.ben.registration_code not in queue.text


def test_the_review_of_another_year_is_not_mixed_in(town, area):
    town.prepared_season(2027)
    town.session.commit()
    page = BeautifulSoup(area.get("/officials/2027/review").text, "lxml")
    assert page.select("main tbody tr") == [] and "还没有要审核的申请" in page.text
    assert area.get(f"/officials/2027/review/{town.here.id}").status_code == 404


@pytest.mark.parametrize("lang", LANGUAGES)
def test_applications_are_reassigned_to_another_kindergarten(town, area, portal_session, lang):
    path = f"/officials/2026/review/{town.here.id}"
    area.get(f"{path}?lang={lang}")
    empty = fill_in(area, path)
    assert BeautifulSoup(empty.text, "lxml").select_one("#applications-error") is not None
    nowhere = fill_in(area, path, applications=str(town.ana.id))
    assert BeautifulSoup(nowhere.text, "lxml").select_one("#target-error") is not None
    silent = fill_in(area, path, applications=str(town.ana.id), target=str(town.there.id))
    assert BeautifulSoup(silent.text, "lxml").select_one("#reason-error") is not None
    done = fill_in(area, path, applications=str(town.ana.id), target=str(town.there.id), reason="积压")
    assert done.status_code == 303
    portal_session.expire_all()
    assert portal_session.get(Application, town.ana.id).review_kindergarten_id == town.there.id


def test_the_official_is_the_second_person(town, area, portal_session):
    town.clerk_proposes_refusal(town.ana, explanation="已有另一份申请")
    town.session.commit()
    page = area.get("/officials/2026/refusals")
    assert "已有另一份申请" in page.text
    assert "安娜" not in page.text
    action = BeautifulSoup(page.text, "lxml").select_one("main form")["action"]
    assert area.post(action, data=hidden_fields(page.text, action)).status_code == 303
    portal_session.expire_all()
    assert portal_session.get(Application, town.ana.id).stage == "refused"


def test_another_areas_official_finds_nothing(town, area, another_client):
    outside = sign_in(another_client(), town.area_official("510105").account_id)
    town.session.commit()
    assert outside.get(f"/officials/2026/review/{town.here.id}").status_code == 404
    assert "锦官新城幼儿园" not in outside.get("/officials/2026/review").text
