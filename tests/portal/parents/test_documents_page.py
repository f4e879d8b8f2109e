"""FAM05, FAM13: the page of a child's documents, and the question about an earlier entry."""

import datetime as dt

import pytest

from tests.portal.parents.desk import errors, page
from tests.support.signing_in import fill_in, sign_in
from tests.support.town_families import id_number

BORN = dt.date(2022, 12, 10)


@pytest.fixture
def certificate(client, town):
    """A family that entered its child with a birth certificate; the address of its documents."""
    town.kindergarten("锦官园", places=2)
    town.open_registration()
    sign_in(client, town.family("李").account)
    said = {"name": "李沐晨", "relation": "mother", "id_kind": "birth_certificate", "id_number": "R510123456"}
    answer = fill_in(client, "/parents/children/new", **said, born=str(BORN), sex="f")
    return answer.headers["Location"]


def test_fam13_the_birth_certificate_comes_right_after_the_resident_number(client, town):
    sign_in(client, town.family("李").account)
    town.season()
    town.round()
    kinds = page(client.get("/parents/children/new")).select("#id_kind option")
    assert [kind["value"] for kind in kinds][:2] == ["resident", "birth_certificate"]
    assert "还没有身份证号" in kinds[1].text


def test_fam13_the_resident_number_is_added_and_counts(client, town, certificate):
    assert certificate.endswith("/documents")
    number = id_number(BORN)
    answer = fill_in(client, certificate, id_kind="resident", id_number=number)
    shown = client.get(answer.headers["Location"])
    assert "证件已添加，现在以它为准" in shown.text
    assert number not in shown.text
    assert [line.select_one(".tag").get_text(strip=True) for line in page(shown).select("ul.list li")] == [
        "以它为准",
        "以前的证件",
    ]


def test_fam05_the_question_says_what_is_missing(client, certificate):
    earlier = f"{certificate}/earlier"
    assert "请选择" in errors(fill_in(client, certificate, earlier))["entered_before"]
    wrong = fill_in(client, certificate, earlier, entered_before="yes", other_kind="resident", other_number="12")
    assert "18 位" in errors(wrong)["other_number"]


def test_fam05_no_leads_on_and_is_not_asked_again(client, certificate):
    application = certificate.rsplit("/", 1)[0]
    assert "以前有没有用别的证件" in client.get(f"{application}/check").text
    answer = fill_in(client, certificate, f"{certificate}/earlier", entered_before="no")
    assert answer.headers["Location"] == f"{application}/household"
    assert page(client.get(certificate)).select_one("#earlier") is None
    assert "以前有没有用别的证件" not in client.get(f"{application}/check").text


def test_fam13_an_error_stands_beside_the_number(client, certificate):
    other = fill_in(client, certificate, id_kind="resident", id_number=id_number(BORN + dt.timedelta(days=1)))
    assert "出生日期或性别" in errors(other)["id_number"]
