"""The area splits a level's places into reserves, and everybody reads how."""

import pytest
from bs4 import BeautifulSoup

from tests.portal.parents.desk import errors, filled
from tests.support.prepared import prepared
from tests.support.signing_in import sign_in


@prepared
def desk(town, client):
    class Desk:
        kindergarten = town.kindergarten("锦官", places=25)
        foreign = town.kindergarten("青羊", area="510105", places=25)
        official = town.area_official("510104")
        path = f"/officials/2026/places/{kindergarten.id}/lower/pools"

        def pools(self):
            town.session.expire_all()
            found = town.programme_of(self.kindergarten).pools
            return [(pool.code, pool.places, sorted(pool.groups), pool.unclaimed) for pool in found]

        def send(self, language="zh", act="save", **changed):
            """Send the page as it is shown, with what was typed."""
            address = f"{self.path}?lang={language}"
            fields = filled(client.get(address)) | {"reason": "本区规定", "sure": "y", "act": act} | changed
            return client.post(address, data=fields)

    found = Desk()
    town.session.commit()
    sign_in(client, found.official.account_id)
    return found


def row(n, **values):
    return {f"pools-{n}-{name}": value for name, value in values.items()}


CARE = row(0, name="政策照顾", places="10", groups=["policy_care"], unclaimed="open", order="1")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_pools_are_added_changed_and_removed(desk, client, language):
    assert desk.send(language, **CARE).status_code == 303
    assert desk.pools() == [("policy_care", 10, ["policy_care"], "open")]
    staff = row(1, name="教职工子女", places="2", groups=["staff_child", "special_need"], unclaimed="locked", order="0")
    assert desk.send(language, **staff).status_code == 200, "the order counts from 1"
    assert desk.send(language, **staff | row(1, order="1") | row(0, order="2")).status_code == 303
    assert [code for code, *_ in desk.pools()] == ["staff_child", "policy_care"]
    shown = BeautifulSoup(client.get(f"{desk.path}?lang={language}").text, "lxml")
    assert shown.select_one(".sum .big").get_text() == "13"
    assert desk.send(language, **row(0, gone="y")).status_code == 303
    assert desk.pools() == [("policy_care", 10, ["policy_care"], "open")]


def test_the_history_says_what_changed_and_why(desk, client):
    desk.send(**CARE)
    shown = client.get(desk.path).text
    for words in ("预留学位 政策照顾", "— → 10", "没人用就给大家", "本区规定", "区教育局经办"):
        assert words in shown


def test_what_does_not_fit_is_said_beside_the_field_with_the_sum(desk):
    answer = desk.send(**CARE | row(0, places="26"))
    assert errors(answer) == {"pools-0-places": "需要修改： 预留合计 26 个，超过可派学位 25 个。"}
    assert "不够" in answer.text
    answer = desk.send(**row(0, name="没人", places="x"))
    assert set(errors(answer)) == {"pools-0-places", "pools-0-groups"}
    assert desk.pools() == []


def test_nothing_is_saved_without_a_reason_and_a_check(desk):
    assert set(errors(desk.send(**CARE, reason="", sure=[]))) == {"reason", "sure"}
    assert desk.pools() == []


def test_a_row_more_is_shown_and_nothing_is_saved(desk):
    answer = desk.send(act="row", **CARE)
    soup = BeautifulSoup(answer.text, "lxml")
    assert len(soup.select("input[name^=pools-][name$=-name]")) == 2
    assert soup.select_one("[name=pools-0-name]")["value"] == "政策照顾"
    assert desk.pools() == []


def test_an_older_tab_overwrites_nothing(desk, client):
    old = filled(client.get(desk.path)) | {"reason": "旧", "sure": "y", "act": "save"}
    desk.send(**CARE)
    answer = client.post(
        desk.path, data=old | row(0, name="特需", places="1", groups=["special_need"], unclaimed="open")
    )
    assert answer.status_code == 409
    assert [code for code, *_ in desk.pools()] == ["policy_care"]


def test_after_the_opening_the_page_only_shows(town, desk, client):
    before = filled(client.get(desk.path)) | {"reason": "旧", "sure": "y", "act": "save"}
    town.open_registration()
    town.session.commit()
    page = client.get(desk.path)
    assert "已经开放报名" in page.text
    assert "保存预留学位" not in page.text
    answer = client.post(desk.path, data=before | CARE)
    assert answer.status_code == 200
    assert "已经开放报名" in answer.text
    assert desk.pools() == []


def test_a_foreign_programme_and_a_level_without_a_plan_are_not_found(desk, client):
    assert client.get(f"/officials/2026/places/{desk.foreign.id}/lower/pools").status_code == 404
    for level in ("middle", "nonsense"):
        assert client.get(f"/officials/2026/places/{desk.kindergarten.id}/{level}/pools").status_code == 404


def test_an_auditor_reads_and_changes_nothing(town, desk, another_client):
    desk.send(**CARE)
    auditor = town.account_of_staff("auditor", "审计", "auditor")
    town.session.commit()
    browser = sign_in(another_client(), auditor)
    page = browser.get(desk.path)
    assert page.status_code == 200
    assert "保存预留学位" not in page.text
    token = BeautifulSoup(page.text, "lxml").select_one("[name=csrf_token]")
    assert browser.post(desk.path, data={"csrf_token": token["value"] if token else ""}).status_code in (400, 403)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_plan_leads_there_and_families_read_the_reserves(town, desk, client, another_client, language):
    desk.send(**CARE)
    town.open_registration()
    town.session.commit()
    assert desk.path in client.get(f"/officials/2026/places/{desk.kindergarten.id}?lang={language}").text
    page = another_client().get(f"/kindergartens/{desk.kindergarten.code}?lang={language}").text
    assert ("没人用就给大家" if language == "zh" else "others may take what is left") in page
    assert ("其余 15 个归所有家庭" if language == "zh" else "The other 15 are for every family") in page
