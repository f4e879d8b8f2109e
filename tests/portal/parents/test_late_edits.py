"""FAM26: a change three seconds after the deadline says that it was not saved, keeps what was typed to read, and says
what counts now: on every page of the form, for a family and for a helper."""

import datetime as dt

import pytest
from sqlalchemy import select

from enrollment.applications.applications import ApplicationVersion
from tests.portal.parents.desk import filled, page
from tests.support.signing_in import sign_in
from tests.support.town_families import phone_number

CHANGES = {
    "child": {"name": "安娜娜"},
    "household": {"home_street": "牛市口街道"},
    "grounds": {"multi_child": "y", "multi_child_detail": "3"},
    "wishes": {"act": "up:1"},
    "together": {"together": "separate"},
}
"""For each page of an application, what is changed on it, and what must still be read afterwards."""

READ = {"child": "安娜娜", "household": "牛市口街道", "grounds": "3", "wishes": "第 1 志愿"}


@pytest.fixture(params=["family", "helper"])
def handed_in(request, client, town):
    """A handed-in application of twins with two wishes, opened by its guardian or by a helper."""
    wanted = [town.kindergarten(name, places=2) for name in ("金苹果", "牡丹")]
    if request.param == "family":
        family = town.family("王")
        pair = [town.child(name, family=family, wishes=wanted) for name in ("安娜", "本本")]
        sign_in(client, pair[0].entered_by)
    else:
        town.open_registration()
        helper = town.helper()
        mandate = town.mandate_by_code(helper, phone_number())
        acting = town.acting(helper, mandate)
        pair = [town.helper_enters(acting, name, wishes=wanted) for name in ("安娜", "本本")]
        sign_in(client, helper.account_id, acting=str(mandate.id))
    town.session.commit()
    return pair[0]


@pytest.mark.parametrize("name", CHANGES)
def test_fam26_a_late_change_was_not_saved_and_says_so(client, town, frozen_clock, handed_in, name):
    path = f"/parents/applications/{handed_in.id}/{name}"
    frozen_clock.set(town.now)
    typed = filled(client.get(path)) | CHANGES[name]
    versions = select(ApplicationVersion).where(ApplicationVersion.application_id == handed_in.id)
    before = len(town.session.scalars(versions).all())
    frozen_clock.set(town.the_round.closes_at + dt.timedelta(seconds=3))
    late = client.post(path, data=typed)
    said = page(late).main
    assert late.status_code == 409 and "这次修改没有保存" in said.get_text()
    assert READ.get(name, "") in said.get_text() and not said.select("form"), "kept to read, and no button"
    assert f"第 {before} 版回执" in said.get_text() and "金苹果" in said.get_text(), "what counts"
    assert said.select_one(f"a[href='/parents/applications/{handed_in.id}/corrections']"), "the way that is left"
    town.session.expire_all()
    assert len(town.session.scalars(versions).all()) == before
    assert "Not saved" in client.post(f"{path}?lang=en", data=typed).text


def test_a_draft_that_came_too_late_has_no_page_to_go_on_with(client, town, frozen_clock):
    garden = town.kindergarten("金苹果", places=2)
    late = town.child("安娜", wishes=[garden], submit=False)
    sign_in(client, late.entered_by)
    town.session.commit()
    frozen_clock.set(town.the_round.closes_at + dt.timedelta(minutes=1))
    shown = page(client.get(f"/parents/applications/{late.id}/tasks")).main.get_text()
    assert "已截止" in shown and "继续" not in shown
