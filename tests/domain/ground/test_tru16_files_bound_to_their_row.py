"""TRU16: a paper that somebody moves to another family's row in the database does not open there."""

import base64
import io

import pytest
from cryptography.exceptions import InvalidTag
from PIL import Image
from sqlalchemy import select, text

from enrollment.applications.evidence_rows import EvidencePage
from enrollment.eligibility import evidence
from enrollment.ground import key_rotation, vault
from tests.support.keys import KEYS
from tests.support.prepared import prepared

BOOKLET = "hukou_booklet"


def photo(colour: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (60, 40), colour).save(file, "PNG")
    return file.getvalue()


@prepared
def pages(town):
    """A page of each of two families."""
    garden = town.kindergarten("金苹果", places=1)
    town.open_registration()
    children = [town.child(name, wishes=[garden], submit=False) for name in ("安娜", "本本")]
    found = []
    for child, colour in zip(children, ("red", "blue"), strict=True):
        by = town.parent_of(child)
        found += evidence.add_pages(town.session, child.id, BOOKLET, [photo(colour)], by=by, now=town.now)
    return found


def content(session, page: EvidencePage) -> bytes:
    session.expire_all()
    return evidence.page_content(session, page.application_id, page.id).content


def rotate(session, now) -> None:
    (column,) = [one for one in key_rotation.sealed_columns() if one.name == "evidence_page.content"]
    after: tuple | None = ()
    while after is not None:
        after = key_rotation.rotate_batch(session, column, after=after, now=now)


def move(session, source: EvidencePage, target: EvidencePage) -> None:
    statement = (
        "UPDATE evidence_page SET content = (SELECT content FROM evidence_page WHERE id = :source) WHERE id = :target"
    )
    session.execute(text(statement), {"source": source.id, "target": target.id})


def test_tru16_a_page_copied_to_another_row_does_not_open(town, pages):
    ana, ben = pages
    assert content(town.session, ana) != content(town.session, ben)
    move(town.session, ana, ben)
    with pytest.raises(InvalidTag):
        content(town.session, ben)


def test_tru16_rotation_keeps_a_page_in_its_row_and_binds_one_from_before(town, pages):
    ana, ben = pages
    said = [content(town.session, page) for page in pages]
    town.session.get(EvidencePage, ben.id).content = vault.seal_unbound(
        base64.b64encode(said[1]).decode(), evidence.PURPOSE
    )  # as the version before
    town.session.flush()
    assert content(town.session, ben) == said[1]
    rotate(town.session, town.now)
    move_of = town.session.execute(select(EvidencePage.content).where(EvidencePage.id == ben.id)).scalar_one()
    assert move_of[0] == vault.BOUND, "also with the key that is current already"
    vault.unlock(vault.Keys({**KEYS.sealing, "k9": b"9" * 32}, "k9", KEYS.index))
    try:
        rotate(town.session, town.now)
        assert [content(town.session, page) for page in pages] == said
        assert key_rotation.count_sealed_with(town.session, "test")["evidence_page.content"] == 0
        move(town.session, ana, ben)
        with pytest.raises(InvalidTag):
            content(town.session, ben)
    finally:
        vault.unlock(KEYS)


def test_tru16_a_page_taken_over_from_a_sibling_is_bound_to_its_own_row(town):
    garden = town.kindergarten("金苹果", places=1)
    town.open_registration()
    family = town.family("李")
    first, second = (town.child(name, family=family, wishes=[garden], submit=False) for name in ("大宝", "二宝"))
    by = town.parent_of(first)
    (page,) = evidence.add_pages(town.session, first.id, BOOKLET, [photo("red")], by=by, now=town.now)
    evidence.take_from_sibling(town.session, second.id, BOOKLET, first.id, by=by, now=town.now)
    copy = town.session.scalars(select(EvidencePage).where(EvidencePage.application_id == second.id)).one()
    assert copy.id != page.id
    assert content(town.session, copy) == content(town.session, page)
