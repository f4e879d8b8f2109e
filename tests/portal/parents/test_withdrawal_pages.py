"""The page of a withdrawal says what is true for now: until when it can be undone, and from when not."""

from tests.portal.parents.desk import page
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
