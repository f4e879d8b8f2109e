"""A family of last year opens its page when the next season's registration is on: one button, and the child's draft is there."""

import pytest
from sqlalchemy import select

from enrollment.applications.applications import Application
from enrollment.offers import withdrawals
from tests.portal.parents.desk import hidden, page
from tests.support.prepared import prepared
from tests.support.signing_in import sign_in
from tests.support.town_season import at


@prepared
def a_year_later(town, client, frozen_clock):
    garden = town.kindergarten("金苹果", places=2, level="nursery")
    ana = town.child("安娜", level="nursery", wishes=[garden])
    town.drawn()
    town.at(at(4, 2, year=2027))
    town.season(2027)
    town.programme(garden, places=2, year=2027)
    frozen_clock.set(town.at(at(5, 22, year=2027)).now)
    town.ana = ana
    return town


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_child_is_not_typed_again(a_year_later, client, portal_session, lang):
    town = a_year_later
    sign_in(client, town.ana.entered_by)
    assert "/begin" not in client.get(f"/parents?lang={lang}").text, "there is no registration yet"
    town.open_registration(levels=["lower"])
    town.session.commit()
    home = client.get(f"/parents?lang={lang}")
    path = f"/parents/children/{town.ana.child_id}/begin?year=2027"
    assert {"zh": "为安娜申请", "en": "Apply for 安娜"}[lang] in home.text
    form = f"form[action='{path}']"
    first, second = (client.post(path, data=hidden(home, form)) for _ in range(2))
    assert first.status_code == second.status_code == 303
    assert first.location == second.location, "twice is the same draft"
    other = client.post(path.replace("2027", "2031"), data=hidden(home, form))
    assert other.location == first.location, "a year in which nobody can be entered is not begun"
    drafts = portal_session.scalars(select(Application).where(Application.year == 2027)).all()
    assert [(each.child_id, each.level, each.stage) for each in drafts] == [(town.ana.child_id, "lower", "draft")]
    assert page(client.get("/parents")).select_one(form) is None


def test_another_familys_child_is_not_found_and_without_consent_nothing_begins(a_year_later, client, app, monkeypatch):
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)
    town = a_year_later
    town.open_registration(levels=["lower"])
    path = f"/parents/children/{town.ana.child_id}/begin"
    stranger = town.family("路人")
    town.session.commit()
    sign_in(client, stranger.account)
    assert client.post(path).status_code == 404
    withdrawals.withdraw_consent(town.session, by=town.parent_of(town.ana), now=town.now)
    town.session.commit()
    sign_in(client, town.ana.entered_by)
    client.post(path, inspect=False)
    assert town.session.scalars(select(Application).where(Application.year == 2027)).all() == []
