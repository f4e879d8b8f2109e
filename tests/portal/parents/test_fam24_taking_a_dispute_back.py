"""FAM24: the page on which a person takes back a dispute, and what the officer reads afterwards."""

import pytest
from bs4 import BeautifulSoup

from enrollment.review import cases
from tests.portal.parents.desk import errors
from tests.support.prepared import prepared
from tests.support.signing_in import fill_in, sign_in


def text_of(page) -> str:
    return BeautifulSoup(page.text, "lxml").main.get_text(" ", strip=True)


@prepared
def disputed(town):
    """A guardian has put the application on hold by a dispute; the family has a second guardian."""
    town.ana = town.child("安娜", wishes=[town.kindergarten("金苹果", places=2)])
    town.father = town.second_guardian(town.ana)
    town.official = town.area_official("510104")
    town.case = cases.open_dispute(
        town.session, child_name="安娜", id_kind="resident", id_number=town.ana.child.id_number, text="孩子由我抚养。",
        by=town.father.actor, now=town.now,
    )  # fmt: skip
    town.session.commit()
    return town


@pytest.mark.parametrize(
    ("lang", "consequence", "done"),
    [
        ("zh", "申请因此暂停的，随即恢复", "已经收回"),
        ("en", "An application that is on hold because of it goes on at once", "Taken back"),
    ],
)
def test_fam24_the_claimant_takes_the_dispute_back(disputed, client, another_client, lang, consequence, done):
    town = disputed
    sign_in(client, town.father.account.id)
    path = f"/parents/cases/{town.case.id}/take-back"
    assert path in client.get(f"/parents?lang={lang}").text
    assert consequence in text_of(client.get(path))
    assert "reason" in errors(fill_in(client, path, reason=" "))
    assert fill_in(client, path, reason="双方已经说好").status_code == 303
    home = client.get("/parents")
    assert done in home.text and path not in home.text
    assert not BeautifulSoup(client.get(path).text, "lxml").select_one("main form textarea")
    official = sign_in(another_client(), town.official.account_id)
    assert "双方已经说好" in text_of(official.get(f"/officials/2026/cases/{town.case.id}"))
    mother = sign_in(another_client(), town.ana.entered_by)
    assert mother.get(path).status_code == 404
    assert "双方已经说好" not in mother.get("/parents/messages").text
