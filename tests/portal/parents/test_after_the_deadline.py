"""A returned application is corrected after registration: saving leads to the check page."""

import pytest

from enrollment.applications import lifecycle
from enrollment.applications.returned_items import ReturnedItem
from tests.portal.parents.desk import hidden, page
from tests.portal.parents.test_error_handling import address
from tests.support.signing_in import fill_in, sign_in


@pytest.fixture
def returned(client, town, frozen_clock):
    """One of two bound twins was sent back; registration is over."""
    garden = town.kindergarten("金苹果", places=2)
    family = town.family("王")
    ana, ben = (town.child(name, family=family, wishes=[garden]) for name in ("安娜", "本本"))
    clerk = town.clerk_of(garden)
    ana.reviewer_id = clerk.account_id
    lifecycle.make(town.session, ana, "take", by=clerk, now=town.now)
    lifecycle.make(town.session, ana, "send_back", by=clerk, now=town.now)
    asked = {"item": "hukou_booklet", "note": "请补首页", "asked_at": town.now, "asked_by": clerk.account_id}
    town.session.add(ReturnedItem(application_id=ana.id, **asked))
    town.session.commit()
    town.close_registration()
    town.session.commit()
    frozen_clock.set(town.now)
    sign_in(client, ana.entered_by)
    town.ben = ben
    return ana


def test_answers_after_registration_lead_to_the_check_with_its_day(client, returned):
    shown = page(client.get(address(returned, "evidence")))
    assert shown.select_one(".sticky a")["href"] == address(returned, "check")
    checked = page(client.get(address(returned, "check")))
    assert "随时修改" not in checked.get_text() and "资格审核到那时结束" in checked.get_text()
    changed = {link["href"].rpartition("/")[2].partition("?")[0] for link in checked.select("main section.card .row a")}
    assert "evidence" in changed and not changed & {"wishes", "together"}
    twins = page(client.get(address(returned, "together")))
    assert "截止前随时可以改" not in twins.get_text() and not twins.select("main form")
    again = client.post(address(returned, "check"), data=hidden(client.get(address(returned, "check"))) | {"true": "y"})
    assert again.headers["Location"] == address(returned, "receipts/2")
    assert not page(client.get(address(returned, "check"))).select("main section.card .row a")


def test_a_saved_page_leads_back_to_the_check(client, returned):
    answer = fill_in(client, address(returned, "grounds"))
    assert answer.headers["Location"] == address(returned, "check")


def test_what_was_handed_in_says_that_it_cannot_change(client, town, returned):
    said = client.get(address(town.ben, "household")).text
    assert "提交的内容不能再修改" in said and "修改立即生效" not in said
