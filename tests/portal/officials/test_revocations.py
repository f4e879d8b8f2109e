"""Two officials of the area or the city revoke an offer because of false statements, and the family is notified."""

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from enrollment.ground.audit import AuditEntry
from enrollment.ground.errors import NotFound
from enrollment.ground.outbox import Notice
from enrollment.offers import revocations
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, sign_in

WHY = "户口材料经公安核实系伪造"


@prepared
def admitted(town, client, frozen_clock):
    town.garden = town.kindergarten("锦官园", places=1)
    town.ana, town.ben = town.child("安娜", wishes=[town.garden]), town.child("本恩", wishes=[town.garden])
    town.drawn(town.ana, town.ben)
    town.confirm(town.ana)
    town.offer = town.offer_for(town.ana)
    town.path = f"/officials/2026/cases/revocations/{town.offer.id}"
    town.first, town.second = town.area_official("510104"), town.city_official()
    town.elsewhere = town.area_official("510105")
    frozen_clock.set(town.now)
    town.session.commit()
    return town


def has(page, selector: str) -> bool:
    return BeautifulSoup(page.text, "lxml").select_one(selector) is not None


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_two_people_revoke_and_the_family_is_told(admitted, client, another_client, portal_session, lang):
    town = admitted
    sign_in(client, town.first.account_id)
    found = client.get(f"/officials/2026/cases/revocations?code={town.ana.registration_code.lower()}&lang={lang}")
    assert town.path in found.text
    assert "安娜" not in found.text
    client.get(f"{town.path}?lang={lang}")
    assert has(fill_in(client, town.path, reason=WHY), "#sure-error")
    assert has(fill_in(client, town.path, sure="y"), "#reason-error")
    assert fill_in(client, town.path, sure="y", reason=WHY).status_code == 303
    assert town.offer_for(town.ana).state == "confirmed", "one person alone ends nothing"
    assert not has(client.get(town.path), "main form"), "and signs once"

    other = sign_in(another_client(), town.second.account_id)
    waiting = other.get(f"/officials/2026/cases/revocations?lang={lang}")
    assert town.ana.registration_code in waiting.text
    assert WHY in other.get(town.path).text
    assert fill_in(other, town.path, sure="y", reason="复核属实").status_code == 303
    assert town.last_offer_for(town.ana).state == "revoked"
    assert town.taken_at(town.garden) == 0
    told = portal_session.scalars(select(Notice).where(Notice.kind == "offer_revoked")).all()
    assert [each.account_id for each in told] == [town.ana.entered_by]
    acts = portal_session.scalars(select(AuditEntry.act).where(AuditEntry.subject_id == str(town.offer.id)))
    assert {"propose_revoke", "sign", "revoked"} <= set(acts)
    assert other.get(town.path).status_code == 404, "what is over cannot be revoked again"
    town.session.commit()
    town.replay()
    assert town.place_of(town.ben) == town.garden


def test_another_areas_official_finds_nothing(app, admitted, client, monkeypatch):
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)
    town = admitted
    sign_in(client, town.elsewhere.account_id)
    assert town.path not in client.get(f"/officials/2026/cases/revocations?code={town.ana.registration_code}").text
    assert client.get(town.path).status_code == 404
    assert client.post(town.path, data={"sure": "y", "reason": WHY}).status_code == 404
    for by in (town.elsewhere, town.head_of(town.garden), town.parent_of(town.ana)):
        with pytest.raises(NotFound):
            revocations.revoke(town.session, town.offer.id, by=by, now=town.now, reason=WHY)
    assert town.offer_for(town.ana).state == "confirmed"
