"""The page of a withdrawal says what is true for now: until when it can be undone, and from when not."""

import pytest

from enrollment.applications.applications import Stage
from tests.portal.parents.desk import hidden, page
from tests.portal.parents.test_error_handling import address
from tests.support.signing_in import sign_in


def said(client, application) -> str:
    return page(client.get(address(application, "withdraw"))).main.get_text(" ", strip=True)


def test_the_way_back_is_promised_only_until_the_deadline(client, town, frozen_clock):
    ana = town.child("安娜", wishes=[town.kindergarten("金苹果", places=2)])
    town.session.commit()
    frozen_clock.set(town.now)
    sign_in(client, ana.entered_by)
    assert "前可以重新填写" in said(client, ana) and "过了这个时间，就不能恢复" in said(client, ana)
    consent = page(client.get("/parents/consent/withdraw")).main.get_text()
    assert "前可以重新填写" in consent
    town.close_registration()
    town.session.commit()
    frozen_clock.set(town.now)
    for text in (said(client, ana), page(client.get("/parents/consent/withdraw")).main.get_text()):
        assert "登记已经截止，撤回后不能再回到这一批次" in text and "前可以重新填写" not in text
        assert "下一次登记从" not in text, "no round follows yet"
    town.withdraw(ana)
    town.session.commit()
    home = page(client.get(address(ana, "").rstrip("/"))).main
    assert "登记已经截止，撤回后不能再回到这一批次" in home.get_text() and not home.select("form[action$=again]")


def test_after_the_deadline_the_next_registration_is_named_when_there_is_one(client, town, frozen_clock):
    ana = town.child("安娜", wishes=[town.kindergarten("金苹果", places=2)])
    town.close_registration()
    town.round(kind="supplementary")
    town.session.commit()
    frozen_clock.set(town.now)
    sign_in(client, ana.entered_by)
    assert "下一次登记从" in said(client, ana) and "不能再回到这一批次" in said(client, ana)


@pytest.mark.parametrize("what", ["application", "consent"])
def test_a_page_that_promised_a_way_back_asks_again_when_there_is_none_any_more(client, town, frozen_clock, what):
    """Opened before the deadline and sent after it, the withdrawal would be final."""
    ana = town.child("安娜", wishes=[town.kindergarten("金苹果", places=2)])
    town.session.commit()
    frozen_clock.set(town.now)
    sign_in(client, ana.entered_by)
    path = address(ana, "withdraw") if what == "application" else "/parents/consent/withdraw"
    promised = client.get(path)
    assert "前可以重新填写" in page(promised).main.get_text()
    town.close_registration()
    town.session.commit()
    frozen_clock.set(town.now)
    answer = client.post(path, data=hidden(promised))
    assert answer.status_code == 200 and "撤回的后果也变了" in answer.text
    assert "登记已经截止，撤回后不能再回到这一批次" in page(answer).main.get_text()
    town.session.refresh(ana)
    assert ana.stage == Stage.SUBMITTED, "nothing is done that the page did not say"
    assert client.post(path, data=hidden(answer)).status_code == 303
    town.session.refresh(ana)
    assert ana.stage == Stage.WITHDRAWN
