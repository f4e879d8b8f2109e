"""The officials' pages of an area's rules, and the public page that is generated from the signed file."""

import csv
import io

import pytest
from bs4 import BeautifulSoup

from enrollment.season import policy_approval
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, hidden_fields, sign_in

AREA = "510104"
PATH = f"/officials/2026/policies/{AREA}"
GOOD = policy_approval.template("whole_district", AREA, 2026)


@pytest.fixture(params=["zh", "en"])
def lang(request):
    return request.param


@prepared
def city(client, town):
    town.area(AREA)
    town.season()
    sign_in(client, town.city_pair()[0].account_id)
    return client


@prepared
def second(another_client, town):
    """The other city official, at another desk."""
    return sign_in(another_client(), town.city_pair()[1].account_id)


def soup(response) -> BeautifulSoup:
    return BeautifulSoup(response.text, "lxml")


def text_of(response) -> str:
    return " ".join(soup(response).main.get_text(" ").split())


def save(browser, text=GOOD, act="save", path=f"{PATH}/new", **more):
    return fill_in(browser, path, f"{PATH}/new", text=text, act=act, **more)


def test_rules_go_from_a_template_to_two_signatures(city, second, town, lang):
    assert city.get(f"{PATH}?lang={lang}").status_code == 200
    first = city.get(f"{PATH}/new?from=any_inclusive&lang={lang}")
    text = soup(first).find(id="text").get_text().strip()
    assert f'area = "{AREA}"' in text

    answer = save(city, text)
    assert answer.headers["Location"] == f"{PATH}/1"
    page = city.get(f"{PATH}/1?lang={lang}")
    assert f"{PATH}/1/sign" not in page.text, "nobody signs before the trial"
    assert fill_in(city, f"{PATH}/1", f"{PATH}/1/dry-run").headers["Location"] == f"{PATH}/1/trial"
    assert city.get(f"{PATH}/1/trial?lang={lang}").status_code == 200

    assert fill_in(city, f"{PATH}/1", f"{PATH}/1/sign").status_code == 303
    assert f"{PATH}/1/sign" not in city.get(f"{PATH}/1?lang={lang}").text
    assert policy_approval.policy_in_force(town.session, 2026, AREA) is None
    assert fill_in(second, f"{PATH}/1", f"{PATH}/1/sign").status_code == 303
    assert policy_approval.policy_in_force(town.session, 2026, AREA).version == 1
    signed = city.get(f"{PATH}/1?lang={lang}")
    assert policy_approval.policy_in_force(town.session, 2026, AREA).digest in signed.text
    assert f"{PATH}/1/dry-run" not in signed.text, "a signed version is locked"


def test_a_second_click_on_sign_is_not_a_second_person(city, town):
    save(city)
    fill_in(city, f"{PATH}/1", f"{PATH}/1/dry-run")
    fields = hidden_fields(city.get(f"{PATH}/1").text, f"{PATH}/1/sign")
    assert city.post(f"{PATH}/1/sign", data=fields).status_code == 303
    again = city.post(f"{PATH}/1/sign", data={**fields, "idempotency_key": "another"})
    assert "您已经签署过了" in text_of(again)
    assert policy_approval.policy_in_force(town.session, 2026, AREA) is None


def test_off08_all_faults_in_one_pass_on_the_page(city, town, lang):
    """OFF08: an unknown key, an unreachable tier and a wrong year, each beside its line."""
    text = (
        GOOD.replace("year = 2026", "year = 2027")
        .replace("tolerance = 3000", "tolerance = 3000\ntolerence = 1")
        .replace("tier = 3\nnatures", "tier = 7\nnatures")
    )
    city.get(f"{PATH}/new?lang={lang}")
    for act in ("check", "save"):
        said = soup(save(city, text, act=act)).select("ol.faults li .code")
        assert {one.get_text() for one in said} == {"central.tolerence", "rule[4].ways", "rule[8].tier", "year"}


def test_faults_stand_beside_their_lines_and_the_text_is_kept(city, town, lang):
    wrong = GOOD.replace("tier = 0", "tier = 16").replace('[["staff_child"]]', '[["staff_kid"]]')
    answer = save(city, wrong, path=f"{PATH}/new?lang={lang}")
    assert answer.status_code == 200
    page = soup(answer)
    assert len(page.select("ol.faults li")) == 2
    bad = [int(line.select_one(".number").get_text()) for line in page.select(".source .bad")]
    lines = wrong.splitlines()
    assert [("16" in lines[n - 1] or "staff_kid" in lines[n - 1]) for n in bad] == [True, True]
    assert page.find(id="text").get_text().strip() == wrong.strip()
    assert policy_approval.versions(town.session, 2026, AREA) == []


@pytest.mark.parametrize(
    "text", ["", "= = =", "format = 1", 'area = "x"\n[[rule]]\nways = 3\n', "[rule]\na = 1\n", "a = [[["]
)
def test_any_text_gets_an_answer(city, text, lang):
    answer = save(city, text, path=f"{PATH}/new?lang={lang}")
    assert answer.status_code == 200
    assert soup(answer).select("ol.faults li")


def test_every_kind_of_fault_has_words_with_all_its_numbers(city, lang):
    several = (
        GOOD.replace("family =", "familie =")
        .replace("year = 2026", 'year = "2026"')
        .replace("tolerance = 3000", "tolerance = 99999")
        .replace('documents = ["staff_proof"]', 'documents = ["work_contract"]')
        .replace('code = "staff"', 'code = "S"')
        .replace('ways = [["elder_sibling"], ["special_need"]]', 'ways = [["special_need", "special_need"], []]')
    )
    page = soup(save(city, several, path=f"{PATH}/new?lang={lang}"))
    said = page.select_one("ol.faults").get_text()
    assert "{" not in said
    assert len(page.select("ol.faults li")) >= 7


def test_checking_shows_the_rules_in_words_and_saves_nothing(city, town, lang):
    answer = save(city, act="check", path=f"{PATH}/new?lang={lang}")
    assert ("本区户籍" if lang == "zh" else "Local hukou") in text_of(answer)
    assert policy_approval.versions(town.session, 2026, AREA) == []


def test_a_file_may_be_uploaded_instead(city, town):
    file = (io.BytesIO(b"\xef\xbb\xbf" + GOOD.replace("tolerance = 3000", "tolerance = 4000").encode()), "rules.toml")
    assert save(city, "", file=file).status_code == 303
    assert policy_approval.rules_of(policy_approval.versions(town.session, 2026, AREA)[0]).central_tolerance == 4000


def test_an_upload_that_is_no_text_is_refused_and_the_text_is_kept(city):
    answer = save(city, GOOD, file=(io.BytesIO(bytes(range(256))), "photo.jpg"))
    assert soup(answer).find(id="file-error")
    assert soup(answer).find(id="text").get_text().strip() == GOOD.strip()


def test_control_characters_are_removed(city, town):
    assert save(city, GOOD.replace("# Whole", "# \x00\x07Whole")).status_code == 303
    assert policy_approval.versions(town.session, 2026, AREA)[0].text == GOOD


def test_the_same_text_twice_is_refused_in_words(city):
    save(city)
    assert "完全相同" in text_of(save(city))


def test_the_trial_lists_registration_codes_and_no_names(city, town, lang):
    town.policy(AREA)
    local, tied = _two_families(town)
    town.session.commit()
    mixed = GOOD[: GOOD.index("[[example]]")]
    mixed = mixed.replace('[["local_hukou"], ["collective_hukou"]]', "@", 1)
    mixed = mixed.replace('[["residence_permit", "workplace"]]', '[["local_hukou"], ["collective_hukou"]]', 1)
    mixed = mixed.replace("@", '[["residence_permit", "workplace"]]', 1)
    save(city, mixed)
    fill_in(city, f"{PATH}/2", f"{PATH}/2/dry-run")
    page = city.get(f"{PATH}/2/trial?lang={lang}")
    assert local.registration_code in page.text
    assert tied.registration_code in page.text
    assert "安小鱼" not in page.text
    rows = list(csv.reader(io.StringIO(city.get(f"{PATH}/2/trial.csv?lang={lang}").text.lstrip("\ufeff"))))
    assert {row[0] for row in rows[1:]} == {local.registration_code, tied.registration_code}


def _two_families(town):
    elsewhere = {"hukou_kind": "elsewhere", "hukou_area": None, "hukou_street": None}
    apple = town.kindergarten("红苹果", places=1)
    local = town.child("安小鱼", wishes=[apple])
    tied = town.child("贝小鱼", wishes=[apple], work_area=AREA, residence_permit_area=AREA, **elsewhere)
    return local, tied


def test_another_areas_rules_are_as_unknown_as_no_area(client, town):
    town.policy("510107")
    official = town.area_official("510104")
    town.session.commit()
    sign_in(client, official.account_id)
    for path in ("510107", "510107/1", "510107/new", "510107/1/trial", "999999"):
        assert client.get(f"/officials/2026/policies/{path}").status_code == 404, path
    for path in ("510107/new", "510107/1/sign", "510107/1/dry-run"):
        assert client.post(f"/officials/2026/policies/{path}", data={"text": GOOD}).status_code in (302, 303, 404), path
    assert policy_approval.versions(town.session, 2026, "510107")[0].version == 1


def test_an_auditor_reads_and_decides_nothing(client, town):
    town.policy(AREA)
    auditor = town.account_of_staff("auditor", "审计", "auditor")
    town.session.commit()
    sign_in(client, auditor.id)
    assert client.get(f"{PATH}/1").status_code == 200
    assert client.get(f"{PATH}/1/trial").status_code == 200
    assert client.get(f"{PATH}/new").status_code == 403


def test_the_public_page_says_the_signed_rules_in_words(client, town, lang):
    town.area(AREA)
    assert client.get(f"/rules?lang={lang}").status_code == 200
    assert client.get(f"/rules/{AREA}?lang={lang}").status_code == 404, "before there is a season"
    made = town.policy(AREA, family="service_area")
    waiting = town.policy("510107", signed=False)
    town.session.commit()
    page = client.get(f"/rules/{AREA}?lang={lang}")
    words = text_of(page)
    assert ("小区配套园业主" if lang == "zh" else "Owner in the kindergarten's estate") in words
    assert made.digest in words
    assert "{" not in words
    assert client.get(f"/rules/{AREA}/1.toml").text == made.text
    assert f"/rules/{AREA}" in client.get(f"/rules?lang={lang}").text
    assert "/rules/510107" not in client.get("/rules").text
    assert client.get(f"/rules/510107?lang={lang}").status_code == 200
    assert client.get("/rules/510107/1.toml").status_code == 404, "what is not signed is not public"
    assert waiting.signed_at is None


@pytest.mark.parametrize("family", ["whole_district", "any_inclusive", "example"])
def test_every_template_can_be_shown_in_words(client, town, family, lang):
    town.area(AREA)
    text = policy_approval.worked_example() if family == "example" else policy_approval.template(family, AREA, 2026)
    town.policy(AREA, text=text)
    town.session.commit()
    words = text_of(client.get(f"/rules/{AREA}?lang={lang}"))
    assert ("第 1 优先级" if lang == "zh" else "Priority 1") in words
