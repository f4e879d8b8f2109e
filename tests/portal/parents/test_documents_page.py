"""FAM05, FAM13: the page of a child's documents, and the question about an earlier entry."""

import datetime as dt

import pytest
from sqlalchemy import select

from enrollment.applications.applications import Application
from enrollment.ground.errors import Refused
from enrollment.people.duplicate_rows import DuplicateHint
from enrollment.people.person_rows import ChildDocument
from enrollment.review import duplicates
from tests.portal.parents.desk import errors, hidden, page, value_of
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, sign_in
from tests.support.town_families import id_number

BORN = dt.date(2022, 12, 10)


@prepared
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
    assert "请选择" in errors(fill_in(client, certificate, act="answer"))["entered_before"]
    answered = {"entered_before": "yes", "other_kind": "resident", "other_number": "12"}
    wrong = fill_in(client, certificate, act="answer", id_number="E1234", **answered)
    assert value_of(wrong, "id_number") == "E1234", "what stands in the other part of the page stays"
    assert "18 位" in errors(wrong)["other_number"]


def test_the_answer_stays_when_the_language_changes(client, certificate):
    asked = page(client.get(certificate))
    english = next(each["formaction"] for each in asked.select(".bar [form=page-form]") if each.get("formaction"))
    kept = client.post(english, data=hidden(client.get(certificate)) | {"entered_before": "no", "id_number": "E1234"})
    shown = page(client.get(kept.headers["Location"]))
    assert shown.select_one("[name=id_number]")["value"] == "E1234"
    assert shown.html["lang"] == "en" and shown.select_one("[name=entered_before][checked]")["value"] == "no"


def test_fam05_no_leads_on_and_is_not_asked_again(client, certificate):
    application = certificate.rsplit("/", 1)[0]
    assert "以前有没有用别的证件" in client.get(f"{application}/check").text
    answer = fill_in(client, certificate, entered_before="no")  # Enter in a field names no act
    assert answer.headers["Location"] == f"{application}/household"
    assert page(client.get(certificate)).select_one("#earlier") is None
    assert "以前有没有用别的证件" not in client.get(f"{application}/check").text


def test_fam13_an_error_stands_beside_the_number(client, certificate):
    other = fill_in(client, certificate, id_kind="resident", id_number=id_number(BORN + dt.timedelta(days=1)))
    assert "出生日期或性别" in errors(other)["id_number"]


@pytest.mark.parametrize(
    ("answer", "leads"),
    [
        ({"entered_before": "no"}, "household"),
        ({"entered_before": "yes"}, "documents?entered_before=yes"),
        ({}, "documents"),
    ],
)
def test_fam05_the_question_stands_on_the_childs_page_and_is_asked_once(client, town, answer, leads):
    """No goes on with the form, yes to the number of the other document, and silence to the question alone."""
    town.kindergarten("锦官园", places=2)
    town.open_registration()
    sign_in(client, town.family("李").account)
    said = {"name": "李沐晨", "relation": "mother", "id_kind": "passport", "id_number": "E12345678", "born": str(BORN)}
    there = fill_in(client, "/parents/children/new", **said, sex="f", **answer).headers["Location"]
    application = town.session.scalars(select(Application)).one()
    assert there == f"/parents/applications/{application.id}/{leads}"
    asked = page(client.get(f"/parents/applications/{application.id}/documents")).select_one("#earlier")
    assert (asked is None) == (answer == {"entered_before": "no"})
    shown = page(client.get(there)).select("[name=entered_before][checked]")
    assert [each["value"] for each in shown] == (["yes"] if "yes" in leads else [])


def test_fam05_a_resident_number_answers_nothing(client, town):
    """The question is not for it; an answer that came along with it is not stored."""
    town.kindergarten("锦官园", places=2)
    town.open_registration()
    sign_in(client, town.family("李").account)
    said = {"name": "李沐晨", "relation": "mother", "id_kind": "resident", "id_number": id_number(BORN)}
    there = fill_in(client, "/parents/children/new", **said, entered_before="no").headers["Location"]
    assert there.endswith("/household")
    assert town.session.scalars(select(ChildDocument.entered_before)).all() == [None]


def pairs(town) -> list[set]:
    town.session.expire_all()
    return [{hint.child_a, hint.child_b} for hint in town.session.scalars(select(DuplicateHint))]


@prepared
def two_entries(town):
    """One boy: the father entered him with the resident number, the mother under another name with a passport."""
    garden = town.kindergarten("锦官园", places=2)
    town.his = town.child("宋立安", born=BORN, sex="m", wishes=[garden])
    town.mother = town.family("宋")
    town.hers = town.child(
        "Liam Song",
        family=town.mother,
        born=BORN,
        sex="m",
        id_kind="passport",
        number="E12345678",
        wishes=[garden],
    )
    town.garden, town.number = garden, town.his.child.id_number
    town.session.commit()
    return town


def links(answer) -> list[str]:
    return [link["href"] for link in page(answer).select("main .card.warn a")]


@pytest.mark.parametrize("where", ["documents", "child"])
def test_fam04_a_number_of_another_entry_is_refused_and_the_clerks_see_the_pair(client, two_entries, where):
    town = two_entries
    assert pairs(town) == [], "neither the names nor the documents are alike"
    own = f"/parents/applications/{town.hers.id}"
    said = {"id_kind": "resident", "id_number": town.number}
    if where == "child":
        said |= {"name": "Liam Song", "relation": "mother"}
    sign_in(client, town.mother.account)
    answer = fill_in(client, f"{own}/{where}", **said)
    assert "暂时不能由您登记" in errors(answer)["id_number"]
    assert "宋立安" not in answer.text
    assert links(answer) == [f"{own}/withdraw", f"{own}/invite", "/parents/dispute"]
    assert all(client.get(link).status_code == 200 for link in links(answer))
    assert pairs(town) == [{town.his.child_id, town.hers.child_id}]
    assert len(duplicates.open_pairs(town.session, by=town.clerk_of(town.garden))) == 1
    town.everyone_is_reviewed()
    town.close_registration()
    with pytest.raises(Refused, match="duplicates_undecided"):
        town.freeze()
    town.session.rollback()


def test_fam04_a_second_entry_that_is_refused_pairs_the_familys_own_child_of_that_birth(client, two_entries):
    town = two_entries
    sign_in(client, town.mother.account)
    said = {"name": "宋立安", "relation": "mother", "id_kind": "resident", "id_number": town.number}
    answer = fill_in(client, "/parents/children/new", **said)
    assert "暂时不能由您登记" in errors(answer)["id_number"]
    assert links(answer) == ["/parents", "/parents/dispute"]
    assert pairs(town) == [{town.his.child_id, town.hers.child_id}]


def test_fam04_a_refused_entry_of_a_family_without_such_a_child_pairs_nobody(client, two_entries):
    town = two_entries
    stranger = town.family("赵")
    town.child("赵宁", family=stranger, born=BORN, sex="f")
    town.session.commit()
    sign_in(client, stranger.account)
    said = {"name": "宋立安", "relation": "mother", "id_kind": "resident", "id_number": town.number}
    fill_in(client, "/parents/children/new", **said)
    assert pairs(town) == []


def test_the_next_act_says_that_it_continues_a_question_about_the_document(client, certificate):
    shown = page(client.get("/parents"))
    link = shown.select_one(f'a.btn[href="{certificate}"]')
    assert link.get_text(strip=True) == "继续：孩子证件的一个问题"


def test_an_added_document_that_waits_says_since_when_and_who_looks(client, town, frozen_clock):
    garden = town.kindergarten("锦官园", places=2)
    child = town.child("沐晨", wishes=[garden])
    town.close_registration()
    town.session.commit()
    frozen_clock.set(town.now)
    sign_in(client, child.entered_by)
    address = f"/parents/applications/{child.id}/documents"
    fill_in(client, address, id_kind="passport", id_number="E12345678")
    (line,) = [each for each in page(client.get(address)).select("ul.list li") if "等审核员看过" in each.text]
    assert "起等锦官园核对" in line.text
