"""A receipt says what its version said, also after the child's name or class level was corrected."""

import io

from bs4 import BeautifulSoup
from pypdf import PdfReader

from tests.support.letters import drawn_letter
from tests.support.signing_in import sign_in


def test_the_receipt_of_an_earlier_version_keeps_the_earlier_name(town, client, portal_engine, frozen_clock):
    here = town.kindergarten("锦官新城幼儿园", places=3)
    ana = town.child("安那", wishes=[here])
    town.registration_is_over()
    town.two_agree(town.requests_correction(ana, "name", name="安娜"))
    town.session.commit()
    frozen_clock.set(town.now)
    parent = sign_in(client, town.parent_of(ana).account_id)
    for number, name, other in ((1, "安那", "安娜"), (2, "安娜", "安那")):
        path = f"/parents/applications/{ana.id}/receipts/{number}"
        page = BeautifulSoup(parent.get(path).text, "lxml").select_one("section.fixed").get_text()
        letter = drawn_letter(parent, portal_engine, frozen_clock, f"{path}.pdf")
        words = "".join(each.extract_text() for each in PdfReader(io.BytesIO(letter.data)).pages)
        assert name in page and other not in page
        assert name in words and other not in words
