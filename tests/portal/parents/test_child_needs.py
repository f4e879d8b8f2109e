"""What the child needs: told by the family of its own will, read by those who look after the child and by nobody else."""

import datetime as dt

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from enrollment.applications.child_needs import answers
from enrollment.applications.child_needs.rows import ChildNeeds
from enrollment.ground.audit import AuditEntry
from enrollment.ground.errors import NotFound, Refused
from enrollment.offers.offers import Offer
from enrollment.places.roll import RollChild
from enrollment.reports import family_records
from enrollment.review import support_cases
from tests.portal.parents.desk import hidden
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, sign_in

NOTE = "对花生过敏，中午吃一次药"


@prepared
def ana(town, frozen_clock):
    town.here, town.there = town.kindergarten("锦官新城幼儿园", places=2), town.kindergarten("小蜜蜂幼儿园", places=2)
    town.open_registration()
    frozen_clock.set(town.now)
    return town.child("李沐晨", wishes=[town.here], grounds=["special_need"])


def shown(client, path: str) -> BeautifulSoup:
    return BeautifulSoup(client.get(path).text, "lxml")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_family_tells_changes_and_clears_it_and_loses_nothing_it_typed(client, town, ana, portal_session, lang):
    other = town.second_guardian(ana)
    town.session.commit()
    path = f"/parents/applications/{ana.id}/needs"
    sign_in(client, town.parent_of(ana).account_id)
    larger = shown(client, path).select(".bar [form=page-form]")[-1]["formaction"]
    client.post(larger, data=hidden(client.get(path)) | {"note": NOTE})
    assert NOTE in client.get(path).text, "the switches of the page bring along what was typed"
    version = ana.version
    assert path in client.get(f"/parents/applications/{ana.id}?lang={lang}").text
    refused = fill_in(client, path, path, kinds=["allergy"], note=NOTE)
    page = BeautifulSoup(refused.text, "lxml")
    assert page.select_one("#agrees-error") and NOTE in page.select_one("[name=note]").text
    assert fill_in(client, path, path, kinds=["allergy"], note=NOTE, agrees="y").status_code == 303
    told = portal_session.scalars(select(ChildNeeds)).one()
    assert (told.kinds, told.note, told.version) == (["allergy"], NOTE, 1)
    assert answers.save(
        portal_session, ana.id, kinds=["health"], note="", agrees=True, version=1, by=other.actor, now=town.now
    )
    portal_session.commit()
    stale = fill_in(client, path, path, kinds=["daily"], note="午睡要人陪", agrees="y", version="1")
    page = BeautifulSoup(stale.text, "lxml")
    assert stale.status_code == 409 and "午睡要人陪" in page.select_one("[name=note]").text
    assert page.select_one("[name=version]")["value"] == "2"
    assert fill_in(client, path, path, kinds=[], note="").status_code == 303
    assert portal_session.scalars(select(ChildNeeds)).all() == []
    town.session.refresh(ana)
    assert (ana.version, ana.stage) == (version, "submitted"), "it is no part of the application that is reviewed"


def tell(town, application) -> None:
    answers.save(
        town.session, application.id, kinds=["allergy"], note=NOTE, agrees=True, version=0,
        by=town.parent_of(application), now=town.now,
    )  # fmt: skip


def test_the_officer_of_article_17_reads_it_and_the_reviewer_does_not(client, another_client, town, ana):
    tell(town, ana)
    clerk = town.clerk_of(town.here)
    case = support_cases.open_for(town.session, ana, text="人手不够", by=clerk, now=town.now)
    town.session.commit()
    officer = sign_in(client, town.area_official().account_id)
    assert NOTE in officer.get(f"/officials/2026/cases/{case.id}/support").text
    reviewer = sign_in(another_client(), clerk.account_id)
    for path in (f"/staff/applications/{ana.id}", "/staff/queue", "/staff/arrivals?year=2026"):
        assert NOTE not in reviewer.get(path).text
    seen = town.session.scalars(select(AuditEntry).where(AuditEntry.act == "read_child_needs")).all()
    assert [(each.subject_id, each.reason) for each in seen] == [(str(ana.id), "article_17")]
    records = family_records.records_of(town.session, by=town.parent_of(ana))
    assert records.tables["child_needs"][0]["note"] == NOTE
    assert "read_child_needs" in {row["act"] for row in records.tables["audit_entry"]}


def test_the_door_and_the_class_read_it_once_the_place_is_taken_up(client, another_client, town, ana, frozen_clock):
    tell(town, ana)
    town.drawn(ana)
    clerk = town.clerk_of(town.here)
    elsewhere = town.clerk_of(town.there)
    town.session.commit()
    door = sign_in(client, clerk.account_id)
    assert NOTE not in door.get("/staff/arrivals?year=2026&group=offered").text
    town.confirm(ana)
    town.at(dt.datetime(2026, 8, 20, 10, tzinfo=town.now.tzinfo))
    frozen_clock.set(town.now)
    town.session.commit()
    card = shown(door, "/staff/arrivals?year=2026").select_one("[data-offer] .needs")
    assert NOTE in card.text
    assert NOTE not in door.get("/staff/arrivals/print?year=2026").text
    offer = town.session.scalars(select(Offer).where(Offer.application_id == ana.id)).one()
    name = shown(door, "/staff/arrivals?year=2026").select_one("[name=class_name]")["value"]
    fill_in(door, "/staff/arrivals?year=2026", f"/staff/arrivals/{offer.id}?year=2026&group=expected",
            class_name=name, act="arrived")  # fmt: skip
    town.session.expire_all()
    entry = town.session.scalars(select(RollChild)).one()
    assert NOTE in shown(door, f"/staff/roll/classes/{entry.class_id}").select_one("table .needs").text
    stranger = sign_in(another_client(), elsewhere.account_id)
    assert NOTE not in stranger.get("/staff/arrivals?year=2026").text


def test_what_is_refused(town, ana):
    by, save = town.parent_of(ana), {"agrees": True, "version": 0, "now": town.now}
    with pytest.raises(Refused, match="choice_missing"):
        answers.save(town.session, ana.id, kinds=["x"], note="", by=by, **save)
    with pytest.raises(Refused, match="text_too_long"):
        answers.save(town.session, ana.id, kinds=[], note="长" * 301, by=by, **save)
    with pytest.raises(NotFound):
        answers.save(town.session, ana.id, kinds=["allergy"], note="", by=town.family("王").actor, **save)
    town.withdraw(ana)
    with pytest.raises(Refused, match="needs_only_cleared"):
        answers.save(town.session, ana.id, kinds=["allergy"], note="", by=by, **save)
