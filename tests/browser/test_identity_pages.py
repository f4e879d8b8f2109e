"""FAM04, FAM13, FAM20: the pages of documents and of possible duplicates, with the longest names, at 390 and 1280 px."""

import os
from pathlib import Path

import pytest
from sqlalchemy import select

from enrollment.people.duplicate_rows import DuplicateHint
from enrollment.people.person_rows import ChildDocument
from tests.browser.test_officials_season_pages import signed_in_key
from tests.support.axe import assert_axe_clean
from tests.support.town import Town

PASSPORT_NAME = "Maximilianaalexandrina Wolfeschlegelsteinhausenberg"
LONGEST_NAME = f"{PASSPORT_NAME}·" * 2 + "Ñandú"


@pytest.fixture
def keys(site, now) -> dict[str, tuple[str, list[str]]]:
    """A session key and the addresses to look at, for a family, a clerk and an official."""
    with site.session() as session, session.begin():
        town = Town(session, now)
        garden = town.kindergarten("机关第一幼儿园", places=30)
        family = town.family("李")
        ana = town.child(LONGEST_NAME, family=family, wishes=[garden])
        other = town.child(LONGEST_NAME, born=ana.child.born, id_kind="passport", number="E12345678", wishes=[garden])
        draft = town.child(
            PASSPORT_NAME,
            family=family,
            id_kind="birth_certificate",
            number="R510123456",
            wishes=[garden],
            submit=False,
        )
        asked = session.scalars(select(ChildDocument).where(ChildDocument.child_id == draft.child_id)).one()
        asked.entered_before = None
        hint = session.scalars(select(DuplicateHint)).one()
        assert {hint.child_a, hint.child_b} == {ana.child_id, other.child_id}
        mine, begun = (f"/parents/applications/{each.id}" for each in (ana, draft))
        pages = ["", "/receipts/1", "/documents", "/child", "/together", "/check", "/invite"]
        desk = ["/duplicates", f"/duplicates/{hint.id}"]
        return {
            "family": (
                signed_in_key(session, family.account.id),
                ["/parents", *(mine + page for page in pages), f"{begun}/documents", f"{begun}/documents/earlier"],
            ),
            "clerk": (
                signed_in_key(session, town.clerk_of(garden).account_id),
                ["/staff/queue", "/staff/notice-board", *(f"/staff{page}" for page in desk)],
            ),
            "official": (
                signed_in_key(session, town.city_pair()[0].account_id),
                [f"/officials/2026/rounds/{town.the_round.id}/draw", *(f"/officials/2026{page}" for page in desk)],
            ),
        }


@pytest.mark.parametrize(("phone", "language"), [(True, "zh-CN"), (True, "en"), (False, "zh-CN"), (False, "en")])
@pytest.mark.parametrize("who", ["family", "clerk", "official"])
def test_fam20_the_longest_names_fit_every_page(site, keys, new_page, who, phone, language):
    key, paths = keys[who]
    page = new_page(phone=phone, language=language)
    page.context.add_cookies([{"name": "session", "value": key, "url": site.url}])
    if language == "en":
        page.context.add_cookies([{"name": "lang", "value": "en", "url": site.url}])
    for path in paths:
        page.goto(path)
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if folder := os.environ.get("PICTURES"):
            name = f"{who}-{path.strip('/').replace('/', '-')[-30:]}-{'m' if phone else 'w'}-{language}"
            page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
        assert wide <= 0, f"{path} is {wide} px too wide"
        assert_axe_clean(page)
