"""FAM04, FAM05: whether a child stands in the portal under another document cannot be read off any page of a family."""

import datetime as dt
import re

from sqlalchemy import select

from enrollment.applications.applications import Application
from enrollment.ground.vault import mask
from enrollment.people.duplicate_rows import DuplicateHint
from enrollment.people.person_rows import Child, Guardianship
from tests.support.signing_in import fill_in, hidden_fields, sign_in
from tests.support.town_families import id_number

BORN = dt.date(2022, 12, 10)


def same_for_everybody(text: str, *own: str) -> str:
    """A page without what is the family's own: ids, tokens, names and numbers."""
    for value in own:
        text = text.replace(value, "—")
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "id", text)
    text = re.sub(r'(name="idempotency_key" value=")[0-9a-f]{32}', r"\1key", text)
    text = re.sub(r'(name="draft-owner" content=")[0-9a-f]{24}', r"\1owner", text)  # a pseudonym of the reader
    text = re.sub(r'(data-secret=")[0-9a-f]{64}', r"\1secret", text)  # what seals the reader's own drafts on the phone
    text = re.sub(r"\w{3,4}\*+\w{4}", "masked", text)
    return re.sub(r'(name="csrf_token" value=")[^"]*', r"\1token", text)


def walk(client, family, name: str, passport: str, other_number: str) -> list[tuple[int, str, str]]:
    """What a family sees: it enters a child, is asked, says yes with another number, and looks at its pages."""
    sign_in(client, family.account)
    said = {
        "name": name,
        "relation": "mother",
        "id_kind": "passport",
        "id_number": passport,
        "sex": "f",
        "born": str(BORN),
    }
    seen = [fill_in(client, "/parents/children/new", **said)]
    asked = seen[0].headers["Location"]
    page = client.get(asked)
    yes = {"entered_before": "yes", "other_kind": "resident", "other_number": other_number}
    answered = client.post(asked, data=hidden_fields(page.text) | yes | {"act": "answer"})
    application = asked.rsplit("/", 1)[0]
    seen += [page, answered, client.get(answered.headers["Location"])]
    seen += [client.get(address) for address in (asked, f"{application}/child", f"{application}/check", "/parents")]
    own = (name, passport, mask(passport, 4), family.name, other_number)
    return [
        (each.status_code, *(same_for_everybody(text, *own) for text in (each.headers.get("Location", ""), each.text)))
        for each in seen
    ]


def test_fam04_match_and_no_match_are_the_same_pages(client, another_client, town):
    town.kindergarten("锦官园", places=2)
    town.open_registration()
    known = town.child("王小二", born=BORN)
    one, other = town.family("张"), town.family("赵")
    match = walk(client, one, "王小二", "E11111111", known.child.id_number)
    none = walk(another_client(), other, "孙小三", "E22222222", id_number(BORN))
    for found, nothing in zip(match, none, strict=True):
        assert found == nothing
    assert len(town.session.scalars(select(DuplicateHint)).all()) == 1, "the clerk sees it all the same"


def test_fam04_no_second_guardian_is_made_by_saying_yes(client, town):
    town.kindergarten("锦官园", places=2)
    town.open_registration()
    known = town.child("王小二", born=BORN)
    walk(client, town.family("张"), "王小二", "E11111111", known.child.id_number)
    held = select(Guardianship).where(Guardianship.child_id == known.child_id)
    assert len(town.session.scalars(held).all()) == 1
    assert len(town.session.scalars(select(Child)).all()) == 2
    assert len(town.session.scalars(select(Application)).all()) == 2
