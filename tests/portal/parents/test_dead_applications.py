"""A withdrawn or refused application: no page offers a save that would be refused, and the way on is shown."""

import pytest

from enrollment.applications.application_rows import Stage
from enrollment.ground.outbox import Notice
from enrollment.offers import round_notices
from enrollment.season.round_rows import RoundStage
from tests.portal.parents.desk import filled, page
from tests.portal.parents.test_error_handling import address
from tests.portal.parents.test_every_page import open_pages
from tests.support.prepared import prepared
from tests.support.signing_in import sign_in

FORM = ("child", "household", "grounds", "evidence", "wishes", "wishes/add", "check", "tasks", "together")


@prepared
def garden(town):
    return town.kindergarten("金苹果", places=2)


@prepared
def ana(client, town, garden):
    found = town.child("安娜", wishes=[garden])
    sign_in(client, found.entered_by)
    return found


def buttons(answer) -> list[str]:
    """What can be pressed on a page, besides the frame around it."""
    found = page(answer).main.select("form[method=post] button, form:not([method]) button[type=submit]")
    return [each.get_text(" ", strip=True) for each in found]


def supplementary(town, frozen_clock):
    town.close_registration()
    town.the_round.stage = RoundStage.PUBLISHED
    found = town.open_registration(kind="supplementary")
    town.session.commit()
    frozen_clock.set(town.now)
    return found


def test_the_message_of_a_round_leads_to_the_way_back(client, town, frozen_clock, ana, garden):
    town.withdraw(ana)
    found = supplementary(town, frozen_clock)
    round_notices.tell_round_open(town.session, found.id, now=town.now)
    notice = town.session.query(Notice).filter_by(kind="round_open_again").one()
    town.session.commit()
    answer = client.get(f"/parents/to/{notice.id}", follow_redirects=True)
    assert page(answer).main.select_one("form[action$='/again']")
    assert "这一批次的志愿要重新填" in page(answer).main.get_text()
    client.post(address(ana, "again"), data=filled(answer, "form[action$='/again']"))
    assert client.get(f"/parents/to/{notice.id}").headers["Location"] == address(ana, "").rstrip("/")


@pytest.mark.parametrize("name", FORM)
def test_the_form_of_a_withdrawn_application_offers_only_the_way_back(client, town, ana, name):
    town.withdraw(ana)
    town.session.commit()
    open_pages(client, [address(ana, name)])
    answer = client.get(address(ana, name), query_string={"lang": "zh"})
    assert buttons(answer) == ["重新填写"]
    assert page(answer).main.select_one("form")["action"] == address(ana, "again")


@pytest.mark.parametrize("name", FORM)
def test_the_form_of_a_refused_application_offers_nothing(client, town, ana, name):
    ana.stage = Stage.REFUSED
    town.session.commit()
    open_pages(client, [address(ana, name)])
    assert buttons(client.get(address(ana, name))) == []


def test_a_form_that_was_open_before_says_what_stands_and_calls_nothing_valid(client, town, ana):
    forms = {name: filled(client.get(address(ana, name))) for name in ("household", "wishes")}
    town.withdraw(ana)
    town.session.commit()
    for name, form in forms.items():
        answer = client.post(address(ana, name), data=form | {"home_street": ["一环路"]})
        text = page(answer).main.get_text(" ", strip=True)
        assert answer.status_code == 409 and "没有保存" in text
        assert "现在算数的是" not in text and "撤回前保存的" in text
        assert page(answer).main.select_one("form[action$='/again']")
    assert (
        "一环路"
        in page(client.post(address(ana, "household"), data=forms["household"] | {"home_street": ["一环路"]})).text
    )


def test_what_is_withdrawn_is_not_withdrawn_again(client, town, ana):
    town.withdraw(ana)
    town.session.commit()
    assert client.get(address(ana, "withdraw")).headers["Location"] == address(ana, "").rstrip("/")


def test_a_receipt_names_the_round_of_its_wishes_where_another_one_is_open(client, town, frozen_clock, ana):
    supplementary(town, frozen_clock)
    assert "志愿顺序 ·" not in page(client.get(address(ana, "receipts/1"))).main.get_text()
    form = filled(client.get(address(ana, "household"))) | {"home_street": ["一环路"]}
    assert client.post(address(ana, "household"), data=form).status_code == 303
    assert "志愿顺序 · 主批次" in page(client.get(address(ana, "receipts/2"))).main.get_text()


def test_a_dead_application_is_not_choosing(client, town, ana, garden):
    """From a kindergarten's public page to the child that may wish: the withdrawn one is none."""
    ben = town.child("本", family=None, wishes=[garden], submit=False)
    town.withdraw(ana)
    town.session.commit()
    assert client.get("/parents/wish", query_string={"code": garden.code}).headers["Location"] == "/parents"
    sign_in(client, ben.entered_by)
    town.session.commit()
    assert str(ben.id) in client.get("/parents/wish", query_string={"code": garden.code}).headers["Location"]
